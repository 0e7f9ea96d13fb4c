// Command example is a small web app that signs people in with package
// authcode. Copy from it what you need.
//
//	go run ./example
//
// starts it with a provider of its own, which works offline. To sign in with
// GitHub, set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET in the environment, and
// register the redirect URI http://localhost:8080/auth/github/callback there.
// The other presets work alike: see providers.go.
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
	issuer := flag.String("issuer", "", "issuer `URL` of an OpenID provider to sign in with")
	id := flag.String("client-id", "", "client `id` at the issuer")
	secret := flag.String("client-secret", os.Getenv("CLIENT_SECRET"),
		"client `secret` at the issuer; better in the environment variable CLIENT_SECRET,\n"+
			"because other users of the machine can see flags")
	flag.Parse()

	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(*addr)
	here := fmt.Sprintf("http://%s:%d", cmp.Or(host, "localhost"), listener.Addr().(*net.TCPAddr).Port)
	a := &app{base: cmp.Or(strings.TrimSuffix(*base, "/"), here), key: make([]byte, 32)}
	// A real app keeps its key. With a new one after a restart, the logins that
	// are under way fail.
	rand.Read(a.key)
	if err := a.addProviders(os.Getenv, *issuer, *id, *secret); err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &http.Server{
		Handler: a.handler(),
		// Without timeouts, slow clients could hold all connections.
		ReadTimeout: 10 * time.Second,
		// A callback waits for the provider, ten seconds at most.
		WriteTimeout: 30 * time.Second,
	}
	context.AfterFunc(ctx, func() { server.Close() })
	fmt.Println("open", a.base)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
