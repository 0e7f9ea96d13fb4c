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

// secured is l with TLS. If ask is set, it asks for a client certificate and takes any, or none:
// what it is worth is for the endpoints to say.
func secured(l net.Listener, cert tls.Certificate, ask bool) net.Listener {
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if ask {
		config.ClientAuth = tls.RequestClientCert
	}
	return tls.NewListener(l, config)
}

// listen refuses every address but loopback: this server lets anybody sign in as anybody.
func listen(addr string) (host string, l net.Listener) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		panic(fmt.Sprintf("authserver: Listen(%q): %v", addr, err))
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") &&
		(err != nil || !ip.IsLoopback()) {
		panic(fmt.Sprintf("authserver: Listen(%q): not a loopback address", addr))
	}
	l, err = net.Listen("tcp", addr)
	if err != nil {
		panic("authserver: " + err.Error())
	}
	return host, l
}

// serve answers what arrives at listener, whose base URL is base.
func (s *Server) serve(listener net.Listener, base string, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients that refuse the certificate are tests
		BaseContext:       func(net.Listener) context.Context { return withBase(base) },
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.running.Add(1)
				s.turnAway(conn)
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

// turnAway closes a connection that was accepted while Close ran, too late for http.Server.Close
// to know it.
func (s *Server) turnAway(conn net.Conn) {
	select {
	case <-s.done:
		conn.Close()
	default:
	}
}
