package test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

// twin starts a second server where the app has the same name, client id and
// redirect URL as at w.Server, and no Issuer either. Neither server sends iss,
// so that only the digest in the login cookie tells them apart.
func twin(t *testing.T, w *world.World) (*authserver.Server, authcode.Config) {
	t.Helper()
	other := authserver.NewTLSServer()
	t.Cleanup(other.Close)
	w.Server.Transport().TLSClientConfig.RootCAs.AddCert(other.Certificate())
	for _, srv := range []*authserver.Server{w.Server, other} {
		srv.SetFaults(authserver.Authorization, authserver.Drop("iss"))
	}
	cfg := other.Register(authserver.ClientRegistration{
		ID: w.Config.ClientID, Secret: world.CanarySecret,
		RedirectURIs: []string{w.Config.RedirectURL},
	})
	cfg.Provider.Name, cfg.CookieKeys = w.Config.Provider.Name, w.Config.CookieKeys
	cfg.LoginURL, cfg.OnError = w.Config.LoginURL, w.Config.OnError
	withoutIssuer(&cfg)
	return other, cfg
}

// TestTwoServersUnderOneName is D27, on sockets: the callback of one server's
// login arrives at the Client of the other. Nothing is sent to anybody, and the
// login still finishes where it began.
func TestTwoServersUnderOneName(t *testing.T) {
	for claim, begins := range map[string]string{
		"begun at the first": "/login", "begun at the second": "/other",
	} {
		t.Run(claim, func(t *testing.T) {
			w := world.New(t, withoutIssuer)
			other, cfg := twin(t, w)
			second, err := authcode.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			clients := map[string]*authcode.Client{"/login": w.Client, "/other": second}
			serve := func(finishes string) {
				mux := http.NewServeMux()
				mux.Handle("/login", w.Client.LoginHandler())
				mux.Handle("/other", second.LoginHandler())
				mux.Handle("/callback", clients[finishes].CallbackHandler(
					http.HandlerFunc(w.Welcome)))
				w.Serve(mux)
			}
			wrong := map[string]string{"/login": "/other", "/other": "/login"}[begins]
			serve(wrong)
			b := w.Browser()
			callback := b.Approve(b.Get(w.App.URL + begins).Header.Get("Location"))
			w.WantRefusal(b.Get(callback), authcode.Forged, "cookie.client")
			if a, b := len(w.Server.TokenRequests()), len(other.TokenRequests()); a+b != 0 {
				t.Errorf("the token endpoints saw %d and %d requests", a, b)
			}
			serve(begins)
			w.WantStatus(b.Get(callback), http.StatusSeeOther)
		})
	}
}

// TestMetadataThatMoves: one Client, whose lookup finds another server, or
// another alias, when the callback comes. The other server is sent nothing.
func TestMetadataThatMoves(t *testing.T) {
	w := world.New(t, withoutIssuer)
	other, moved := twin(t, w)
	var found atomic.Pointer[authcode.Endpoints]
	home := w.Config.Provider.Endpoints
	found.Store(&home)
	w.Configure(func(c *config) {
		c.Provider.Metadata = func(
			context.Context, *authcode.Connection) (authcode.Endpoints, error) {
			return *found.Load(), nil
		}
	})
	for claim, change := range map[string]func(*authcode.Endpoints){
		"all endpoints":      func(e *authcode.Endpoints) { *e = moved.Provider.Endpoints },
		"the token endpoint": func(e *authcode.Endpoints) { e.TokenURL = other.URL + "/token" },
	} {
		b := w.Browser()
		callback := b.Callback("")
		next := home
		change(&next)
		found.Store(&next)
		w.WantRefusal(b.Get(callback), authcode.Forged, "cookie.client")
		if n := len(other.Requests()) + len(w.Server.TokenRequests()); n != 0 {
			t.Errorf("%s: the servers saw %d requests", claim, n)
		}
		found.Store(&home)
		w.WantStatus(b.Get(callback), http.StatusSeeOther)
		w.WantTokenRequests(1)
		w.Server.Forget()
	}
}
