package provider_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/authcode/internal/authserver"
)

// server serves one test after another, as their handlers say. There are
// hundreds of tests with two servers each, and to listen and to begin a
// connection took longer than a login.
type server struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]
	running sync.WaitGroup // requests
}

// idle are servers whose test has ended. They end with the program.
var idle = make(chan *server, 100)

func newTLSServer(t *testing.T, h http.Handler) *httptest.Server {
	var s *server
	select {
	case s = <-idle:
	default:
		s = new(server)
		s.Server = httptest.NewUnstartedServer(s)
		s.TLS = authserver.ServerTLS()
	}
	s.handler.Store(&h)
	if s.URL == "" {
		s.StartTLS()
	}
	t.Cleanup(func() {
		s.running.Wait()
		idle <- s
	})
	return s.Server
}

// ServeHTTP implements [http.Handler].
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.running.Add(1)
	defer s.running.Done()
	(*s.handler.Load()).ServeHTTP(w, r)
}
