// Command example is a small web app that signs people in with package authcode, to copy from.
//
//	go run ./example
//
// brings its own provider and works offline. With GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET in the environment, or
// those of another preset (providers.go), it signs in there: register http://localhost:8080/auth/github/callback.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "listen on this `address`")
	base := flag.String("base-url", "", "`URL` that people open; default http:// and the address")
	issuer := flag.String("issuer", "", "issuer `URL` of another OpenID provider")
	id := flag.String("client-id", "", "client `id` there")
	secret := flag.String("client-secret", "", "client `secret` there; better in CLIENT_SECRET")
	flag.Parse()

	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err, ": choose another address with -addr")
	}
	host, _, _ := net.SplitHostPort(*addr)
	here := fmt.Sprintf("http://%s:%d", cmp.Or(host, "localhost"), listener.Addr().(*net.TCPAddr).Port)
	a := &app{base: cmp.Or(strings.TrimSuffix(*base, "/"), here), key: make([]byte, 32)}
	rand.Read(a.key) // a real app keeps its key, so that a restart loses no login under way
	if err := a.addProviders(os.Getenv, *issuer, *id, cmp.Or(*secret, os.Getenv("CLIENT_SECRET"))); err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &http.Server{Handler: a.handler(), ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	fmt.Println("open", a.base)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
