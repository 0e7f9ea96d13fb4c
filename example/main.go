// Command example is a small web app that signs people in with package authcode, to copy from.
//
//	go run ./example
//
// brings its own provider and works offline. With GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET in the
// environment, or those of another preset (providers.go), it signs in there: register
// http://localhost:8080/auth/github/callback. OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET
// are for any other OpenID provider.
package main

import (
	"cmp"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "listen on this `address`")
	base := flag.String("base-url", "", "`URL` that people open; default http:// and the address")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err, ": choose another address with -addr")
	}
	host, _, _ := net.SplitHostPort(*addr)
	here := fmt.Sprintf("http://%s:%d", cmp.Or(host, "localhost"), listener.Addr().(*net.TCPAddr).Port)
	a := &app{base: cmp.Or(strings.TrimSuffix(*base, "/"), here), key: make([]byte, 32)}
	rand.Read(a.key) // a real app keeps its key, so that a restart loses neither logins nor sessions
	handler, err := a.handler(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open", a.base)
	log.Fatal((&http.Server{Handler: handler, ReadTimeout: 10 * time.Second}).Serve(listener))
}
