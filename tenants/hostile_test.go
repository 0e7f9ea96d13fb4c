package tenants_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// hostile is a tenant's provider that means harm. Each is a listener of its own on loopback.
type hostile struct {
	kind    string
	issuer  string
	port    uint16
	reached chan struct{} // closed at the first connection; nil if nobody can see it
	conns   *countingHTTP
	victim  string // the issuer of another tenant
}

// hostileKinds are what a provider can do. Those with "token" have good metadata, so that a login
// gets to the exchange.
var hostileKinds = map[string]func(h *hostile, release <-chan struct{}) http.HandlerFunc{
	"hangs before the headers": func(_ *hostile, release <-chan struct{}) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { hang(r, release) }
	},
	"hangs in the body": func(_ *hostile, release <-chan struct{}) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"issuer":`)
			w.(http.Flusher).Flush()
			hang(r, release)
		}
	},
	"floods the body":    func(*hostile, <-chan struct{}) http.HandlerFunc { return flood },
	"floods the headers": func(*hostile, <-chan struct{}) http.HandlerFunc { return floodHeaders },
	"closes at once": func(*hostile, <-chan struct{}) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	},
	"names another issuer": func(h *hostile, _ <-chan struct{}) http.HandlerFunc {
		return h.withMetadata(map[string]any{"issuer": "https://accounts.example"}, http.NotFound)
	},
	"names endpoints in a private network": func(h *hostile, _ <-chan struct{}) http.HandlerFunc {
		return h.withMetadata(map[string]any{"token_endpoint": "http://127.1.2.3:1/token", "jwks_uri": "https://10.0.0.1/jwks"}, http.NotFound)
	},
	"names the endpoints of another tenant": func(h *hostile, _ <-chan struct{}) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			h.withMetadata(map[string]any{"token_endpoint": h.victim + "/token", "jwks_uri": h.victim + "/jwks"}, http.NotFound)(w, r)
		}
	},
	"hangs at the token endpoint": func(h *hostile, release <-chan struct{}) http.HandlerFunc {
		return h.withMetadata(nil, func(_ http.ResponseWriter, r *http.Request) { hang(r, release) })
	},
	"floods at the token endpoint": func(h *hostile, _ <-chan struct{}) http.HandlerFunc {
		return h.withMetadata(nil, flood)
	},
	"floods with keys": func(h *hostile, _ <-chan struct{}) http.HandlerFunc {
		return h.withMetadata(nil, h.unknownKey(flood))
	},
	"has thousands of keys": func(h *hostile, _ <-chan struct{}) http.HandlerFunc {
		keys := `{"keys":[` + strings.Repeat(`{"kty":"RSA","e":"AQAB","n":"`+strings.Repeat("x", 342)+`"},`, 2500) + `{}]}`
		return h.withMetadata(nil, h.unknownKey(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, keys) }))
	},
	"hangs in the keys": func(h *hostile, release <-chan struct{}) http.HandlerFunc {
		return h.withMetadata(nil, h.unknownKey(func(_ http.ResponseWriter, r *http.Request) { hang(r, release) }))
	},
}

// hang answers nothing until the client leaves or the test ends.
func hang(r *http.Request, release <-chan struct{}) {
	io.Copy(io.Discard, r.Body) // or the server does not see that the client leaves
	select {
	case <-release:
	case <-r.Context().Done():
	}
}

// flood writes JSON without an end.
func flood(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, `{"keys":[`)
	for r.Context().Err() == nil {
		if _, err := w.Write(floodPiece); err != nil {
			return
		}
	}
}

var floodPiece = []byte(strings.Repeat(`"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx",`, 1024))

func floodHeaders(w http.ResponseWriter, r *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
	line := []byte("X-Flood: " + strings.Repeat("x", 8000) + "\r\n")
	for {
		if _, err := conn.Write(line); err != nil {
			return
		}
	}
}

// withMetadata serves a document, with some members replaced, and the rest by next.
func (h *hostile) withMetadata(change map[string]any, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/.well-known/") {
			next(w, r)
			return
		}
		doc := map[string]any{
			"issuer": h.issuer, "authorization_endpoint": h.issuer + "/authorize",
			"token_endpoint": h.issuer + "/token", "jwks_uri": h.issuer + "/jwks",
		}
		for name, value := range change {
			doc[name] = value
		}
		json.NewEncoder(w).Encode(doc)
	}
}

// unknownKey answers at the token endpoint with an ID token of a key that the app has to look for
// in what jwks serves.
func (h *hostile) unknownKey(jwks http.HandlerFunc) http.HandlerFunc {
	// {"alg":"RS256","kid":"?"} and {}
	const token = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ij8ifQ.e30.AAAA"
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			jwks(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"a","token_type":"Bearer","id_token":%q}`, token)
	}
}

// countingHTTP counts the connections that are open at the same time.
type countingHTTP struct {
	mu        sync.Mutex
	now, most int
}

func (c *countingHTTP) state(_ net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateNew:
		c.now++
		c.most = max(c.most, c.now)
	case http.StateClosed, http.StateHijacked:
		c.now--
	}
}

// newHostile starts a provider of one of the kinds.
func newHostile(t testing.TB, kind string) *hostile {
	h := &hostile{kind: kind, reached: make(chan struct{}), conns: new(countingHTTP)}
	release := make(chan struct{})
	var once sync.Once
	server := httptest.NewUnstartedServer(nil)
	handler := hostileKinds[kind](h, release)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(h.reached) })
		handler(w, r)
	})
	server.Config.ConnState = h.conns.state
	server.Config.ConnContext = smallBuffer
	h.issuer = "http://" + server.Listener.Addr().String()
	h.port = netip.MustParseAddrPort(server.Listener.Addr().String()).Port()
	server.Start()
	t.Cleanup(func() {
		close(release)
		server.CloseClientConnections()
		server.Close()
	})
	return h
}

// smallBuffer keeps a flood from filling megabytes of the system's memory that nobody will read:
// copying them would cost the logins beside it more than what they are there to show.
func smallBuffer(ctx context.Context, c net.Conn) context.Context {
	c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	return ctx
}

// newSilent starts a listener that takes connections, or not even that, and never says a word. Its
// issuer is https, so that the app waits in TLS.
func newSilent(t testing.TB, accepts bool) *hostile {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{issuer: "https://" + listener.Addr().String()}
	h.port = netip.MustParseAddrPort(listener.Addr().String()).Port()
	t.Cleanup(func() { listener.Close() })
	if !accepts {
		h.kind = "hangs in TCP"
		return h
	}
	h.kind, h.reached = "hangs in TLS", make(chan struct{})
	go func() {
		var open []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				break
			}
			if open = append(open, conn); len(open) == 1 {
				close(h.reached)
			}
		}
		for _, conn := range open {
			conn.Close()
		}
	}()
	return h
}
