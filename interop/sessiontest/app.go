// Package sessiontest has what the tests of package session share with the
// processes that they stop: an instance of an app, and a store that stops at a
// step. The tests are in the files session*_test.go above.
package sessiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/session"
)

// Instance is one instance of an app with sessions.
type Instance struct {
	*session.Sessions
	Client *authcode.Client
	Gate   *Gate
	mux    *http.ServeMux
	issuer string
}

// New makes an instance whose store is gate. Of sessions, it sets Store and
// LoginURL.
func New(client authcode.Config, sessions session.Config, gate *Gate) (*Instance, error) {
	in := &Instance{Gate: gate, mux: http.NewServeMux(), issuer: client.Provider.Issuer}
	sessions.Store, sessions.LoginURL = gate, "/login"
	var err error
	if in.Client, err = authcode.New(client); err != nil {
		return nil, err
	}
	if in.Sessions, err = session.New(sessions); err != nil {
		return nil, err
	}
	in.routes()
	return in, nil
}

// ServeHTTP serves the pages of the app.
func (in *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) { in.mux.ServeHTTP(w, r) }

// routes are the pages of the app. Each behind Require begins with who it is.
func (in *Instance) routes() {
	in.Client.Mount(in.mux, in.SignIn(in.Client))
	in.mux.Handle("/logout", in.SignOut())
	in.mux.Handle("/status", in.StatusHandler())
	in.mux.Handle("/backchannel", oidc.BackChannelLogoutHandler(in.Client,
		func(ctx context.Context, l oidc.LogoutToken) error {
			return in.End(ctx, l.Issuer, l.Subject, l.SessionID)
		}))
	in.mux.HandleFunc("/endall", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, in.EndAll(r.Context(), in.issuer))
	})
	in.mux.HandleFunc("/created", in.serveCreated)
	for path, do := range map[string]func(*session.Session, context.Context) error{
		"/account": func(*session.Session, context.Context) error { return nil },
		"/token": func(s *session.Session, ctx context.Context) error {
			_, err := s.Token(ctx)
			return err
		},
		"/renew": func(s *session.Session, ctx context.Context) error {
			_, err := s.Grant().Renew(ctx, nil)
			return err
		},
		"/set": func(s *session.Session, ctx context.Context) error {
			return s.SetValue(ctx, "v", "1")
		},
		"/everywhere": func(s *session.Session, ctx context.Context) error {
			return in.End(ctx, s.Identity().Issuer, s.Identity().Subject, "")
		},
	} {
		in.mux.Handle(path, in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			fmt.Fprint(w, s.Identity().Subject, " ", do(s, r.Context()))
		})))
	}
}

// serveCreated lists the sessions and grants that were stored since it was asked
// last.
func (in *Instance) serveCreated(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(in.Gate.Created.Take())
}
