package test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// answered is what the app says to a browser whose login meets these faults of
// the token endpoint.
func answered(t *testing.T, faults ...authserver.Fault) (*world.World, *world.Response) {
	t.Helper()
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	w.Server.SetFaults(authserver.Token, faults...)
	return w, b.Get(callback)
}

func attackD14(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				t.Error("the other origin saw a request")
			}))
			defer evil.Close()
			w, resp := answered(t, authserver.Redirect(status, evil.URL+"/token"))
			w.WantFailure(resp, authcode.BadAnswer, "answer.redirect")
			w.WantTokenRequests(1)
		})
	}
}

func attackD15(t *testing.T) {
	for name, c := range map[string]struct {
		fault  authserver.Fault
		reason authcode.Reason
	}{
		"500 with HTML":            {authserver.HTMLError(), authcode.BadAnswer},
		"400 that echoes, as JSON": {authserver.EchoJSON(), authcode.GrantRejected},
		"400 that echoes, as text": {authserver.EchoText(), authcode.GrantRejected},
	} {
		t.Run(name, func(t *testing.T) {
			w, resp := answered(t, c.fault)
			w.WantFailure(resp, c.reason, "answer.error")
			// The fields are for programs; even they hold nothing that we sent.
			err := w.LastError()
			fmt.Fprintln(&w.Transcript, err.ServerError, err.ServerDescription)
		})
	}
}

func attackD16(t *testing.T) {
	for name, fault := range map[string]authserver.Fault{
		"silent": authserver.Silent(), "a byte a second": authserver.Slow(),
	} {
		t.Run(name+", the caller's deadline", func(t *testing.T) {
			w := world.New(t)
			b := w.Browser()
			callback := b.Callback("")
			w.Server.SetFaults(authserver.Token, fault)
			w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
				ctx, cancel := context.WithTimeout(r.Context(), 200*time.Millisecond)
				defer cancel()
				next.ServeHTTP(rw, r.WithContext(ctx))
			})
			began := time.Now()
			w.WantFailure(b.Get(callback), authcode.Timeout, "provider.timeout")
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			w.WantTokenRequests(1)
		})
	}
}

// TestSilentForTenSeconds is D16 without a deadline of the app's. It stands by
// itself, because in FIPS mode no bubble may run beside other tests. It runs
// net/http's client and server over pipes, whose clock the bubble moves. The
// bubble ends only when the goroutines of the login have.
func TestSilentForTenSeconds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		listener := make(pipes)
		server := &http.Server{Handler: http.HandlerFunc(silent)}
		go server.Serve(listener)
		defer server.Close()
		client := world.Client(t, nil, func(c *config) {
			c.Wrap, c.Transport = nil, &http.Transport{DialContext: listener.dial}
			c.Provider.TokenURL, c.RedirectURL = "http://localhost/token", "http://localhost/callback"
		})
		l := world.Begin(t, client, nil)
		began := time.Now()
		_, err := l.Exchange(client)
		world.WantError(t, err, authcode.Timeout, "provider.timeout")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v, want ten seconds", took)
		}
	})
}

// silent reads the request, and waits for the client to leave.
func silent(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// pipes is a listener whose connections are in memory.
type pipes chan net.Conn

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p <- server
	return client, nil
}

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func attackD17(t *testing.T) {
	for name, fault := range map[string]authserver.Fault{
		"10 MB": authserver.Big(), "endless": authserver.Endless(),
		"gzip bomb": authserver.GzipBomb(),
	} {
		t.Run(name, func(t *testing.T) {
			w, resp := answered(t, fault)
			w.WantFailure(resp, authcode.BadAnswer, "answer.size")
			w.WantTokenRequests(1)
		})
	}
	t.Run("1 MiB of headers", func(t *testing.T) {
		w, resp := answered(t, authserver.HugeHeaders())
		w.WantFailure(resp, authcode.Unreachable, "provider.unreachable")
	})
}

func attackD18(t *testing.T) {
	t.Run("200 with an error", func(t *testing.T) {
		w, resp := answered(t, authserver.Error(200, "bad_verification_code",
			"The code passed is incorrect or expired."))
		w.WantFailure(resp, authcode.GrantRejected, "answer.error")
	})
	t.Run("a form-encoded token without expires_in", func(t *testing.T) {
		w, resp := answered(t, authserver.FormEncoded(), authserver.Drop("expires_in"))
		w.WantStatus(resp, http.StatusSeeOther)
		token := w.LastLogin().Token
		if token.AccessToken == "" || !token.Expiry.IsZero() || !token.Valid() {
			t.Error("want a valid token of unknown expiry")
		}
	})
}
