package authserver

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// withTLS adds TLS to l. If ask is true, the listener asks for a client
// certificate. It accepts any certificate, and none: the endpoints compare it
// with the client's registration.
func withTLS(l net.Listener, cert tls.Certificate, ask bool) net.Listener {
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if ask {
		config.ClientAuth = tls.RequestClientCert
	}
	return tls.NewListener(l, config)
}

// listen opens a loopback address. It refuses all other addresses, because this
// server lets anybody sign in as anybody.
func listen(addr string) (host string, l net.Listener) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		panic(fmt.Sprintf("authserver: Listen(%q): %v", addr, err))
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") &&
		(err != nil || !ip.IsLoopback()) {
		panic(fmt.Sprintf("authserver: Listen(%q): not a loopback address, which this server needs: "+
			"anybody can sign in at it as anybody", addr))
	}
	l, err = net.Listen("tcp", addr)
	if err != nil {
		panic("authserver: " + err.Error())
	}
	return host, l
}

// serve answers the requests that arrive at listener. Its base URL is base.
func (s *Server) serve(listener net.Listener, base string, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		// A client that refuses the certificate is part of a test.
		ErrorLog:    log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return withBase(base) },
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch state {
			// Close waits for every connection, so that a test leaves no
			// goroutines behind.
			case http.StateNew:
				s.running.Add(1)
				s.closeIfDone(conn)
			case http.StateClosed, http.StateHijacked:
				s.running.Done()
			}
		},
	}
	s.servers = append(s.servers, server)
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		server.Serve(listener)
	}()
}

// closeIfDone closes a connection that was accepted while Close ran.
// http.Server.Close does not know such a connection yet.
func (s *Server) closeIfDone(conn net.Conn) {
	select {
	case <-s.done:
		conn.Close()
	default:
	}
}
