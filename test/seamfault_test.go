package test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// badSeam is every seam at once, and a faulty one: it returns a nil *Error
// inside an error, or one that is not a failure.
type badSeam struct{ err error }

func (s badSeam) Identify(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
	return nil, s.err
}

func (s badSeam) Use(context.Context, string, time.Time) (bool, error) { return false, s.err }

func (s badSeam) Load(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
	return authcode.Endpoints{}, s.err
}

func (s badSeam) Authenticate(context.Context, *authcode.TokenRequest) error { return s.err }

func TestASeamThatReturnsANilErrorValueRefuses(t *testing.T) {
	for _, seam := range []badSeam{
		{(*authcode.Error)(nil)}, {&authcode.Error{Reason: authcode.Prefetch}},
	} {
		for name, c := range map[string]struct {
			change func(*config)
			want   authcode.Reason
		}{
			"Identity": {func(c *config) { c.Provider.Identity = seam.Identify },
				authcode.IdentityRefused},
			"UsedStates": {func(c *config) { c.UsedStates = seam }, authcode.Overloaded},
			"ClientAuth": {func(c *config) { c.ClientAuth.Authenticate = seam.Authenticate },
				authcode.Configuration},
		} {
			t.Run(fmt.Sprint(name, seam.err == error((*authcode.Error)(nil))), func(t *testing.T) {
				w := world.New(t, c.change)
				w.WantStatus(w.Browser().SignIn(""), c.want.Status())
				if err := w.LastError(); err.Reason != c.want || len(w.Logins()) != 0 {
					t.Errorf("got %v, want %s", err, c.want)
				}
			})
		}
		w := world.New(t, func(c *config) { c.Provider.Metadata = seam.Load })
		w.WantStatus(w.Browser().Get(w.App.URL+"/login"), http.StatusBadGateway)
	}
}

// half returns identities that identify nobody.
type half struct{ id *authcode.Identity }

func (h half) Identify(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
	return h.id, nil
}

func TestAnIdentityHasIssuerAndSubject(t *testing.T) {
	for _, id := range []*authcode.Identity{nil, {Issuer: "https://i.example"}, {Subject: "1"}} {
		w := world.New(t, func(c *config) { c.Provider.Identity = half{id}.Identify })
		w.WantFailure(w.Browser().SignIn(""), authcode.IdentityRefused, "identity.subject")
	}
}

type panicking struct{}

func (panicking) Identify(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
	panic("identify")
}

func TestALoginWhoseIdentityPanickedCountsAsFailed(t *testing.T) {
	w := world.New(t, func(c *config) { c.Provider.Identity = panicking{}.Identify })
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		defer func() {
			if recover() != nil {
				rw.WriteHeader(http.StatusTeapot)
			}
		}()
		next.ServeHTTP(rw, r)
	})
	b := w.Browser()
	callback := b.Callback("")
	w.WantStatus(b.Get(callback), http.StatusTeapot)
	w.WantFailure(w.Browser().Get(callback), authcode.AlreadyUsed, "state.failed")
}

// meddler changes what it is lent.
type meddler struct{ seen *atomic.Int32 }

func (m meddler) steal(conn *authcode.Connection) {
	conn.Transport = world.RoundTrip(func(*http.Request) (*http.Response, error) {
		m.seen.Add(1)
		return nil, errors.New("stolen")
	})
	conn.Endpoints.TokenURL = "https://evil.example/token"
	conn.Config.Provider.TokenURL = "https://evil.example/token"
	conn.Config.ClientAuth = authcode.Public()
}

func (m meddler) identify(_ context.Context, resp *authcode.TokenResponse) (
	*authcode.Identity, error) {
	if _, stolen := resp.Transport.(world.RoundTrip); stolen {
		return nil, errors.New("handed what another seam has changed")
	}
	m.steal(resp.Connection)
	return &authcode.Identity{Issuer: "i", Subject: "s"}, nil
}

func TestASeamCannotChangeTheClient(t *testing.T) {
	m := meddler{new(atomic.Int32)}
	w := world.New(t, func(c *config) {
		authenticate := c.ClientAuth.Authenticate
		c.ClientAuth.Authenticate = func(ctx context.Context, req *authcode.TokenRequest) error {
			err := authenticate(ctx, req)
			m.steal(req.Connection)
			return err
		}
		c.Provider.Identity = m.identify
	})
	for range 2 {
		w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
	}
	if m.seen.Load() != 0 {
		t.Error("a seam's transport saw a token request")
	}
	w.WantTokenRequests(2)
}

func TestOptionsAreCopiedAndANilOptionIsNone(t *testing.T) {
	values := []string{"urn:a", "urn:b"}
	option := authcode.Param("resource", values...)
	values[0] = "changed"
	l := world.Begin(t, world.Client(t, &world.Provider{}), nil, nil, option)
	if got := l.Query["resource"]; fmt.Sprint(got) != "[urn:a urn:b]" {
		t.Errorf("got %q", got)
	}
}
