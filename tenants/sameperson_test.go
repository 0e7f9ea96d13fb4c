package tenants_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"example.com/authcode/grant"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/session"
)

// samePerson is an app with two tenants at one provider, whose people have the
// same issuer and subjects, and with a logout address for each tenant.
func samePerson(t *testing.T, changes ...func(*session.Config)) (*signedIn, *authserver.Server) {
	t.Helper()
	a := newSignedInAt(t, grant.NewMemory(0), changes...)
	srv := a.provider()
	srv.SetFaults(authserver.IDToken, authserver.Set("sid", `"alice-1"`))
	a.tenant("one", srv)
	a.tenant("two", srv)
	end := func(ctx context.Context, l oidc.LogoutToken) error {
		return a.sessions.End(ctx, l.Issuer, l.Subject, l.SessionID)
	}
	a.muxes[0].HandleFunc("/backchannel/{tenant}", func(w http.ResponseWriter, r *http.Request) {
		client, err := a.instances[0].Client(r, r.PathValue("tenant"))
		if err != nil {
			t.Error(err)
			return
		}
		oidc.BackChannelLogoutHandler(client, end).ServeHTTP(w, r)
	})
	a.muxes[0].HandleFunc("/frontchannel/{tenant}", func(w http.ResponseWriter, r *http.Request) {
		client, err := a.instances[0].Client(r, r.PathValue("tenant"))
		if err != nil {
			t.Error(err)
			return
		}
		oidc.FrontChannelLogoutHandler(client, end).ServeHTTP(w, r)
	})
	return a, srv
}

// logOut posts a logout token for a tenant's client to the address of a tenant.
func (a *signedIn) logOut(srv *authserver.Server, client, address, subject, sid string) int {
	a.t.Helper()
	faults := []authserver.Fault{authserver.Drop("sub")}
	if subject != "" {
		faults = nil
	}
	if sid != "" {
		faults = append(faults, authserver.Set("sid", strconv.Quote(sid)))
	}
	token := srv.LogoutToken(a.table[client].cfg.ClientID, subject, faults...)
	resp, err := a.browser().PostForm(a.URL+"/backchannel/"+address, url.Values{"logout_token": {token}})
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// endsOfOne are ways to end alice's session of the tenant one.
var endsOfOne = map[string]func(a *signedIn, srv *authserver.Server) error{
	"End": func(a *signedIn, srv *authserver.Server) error {
		return a.sessions.End(a.t.Context(), srv.URL, "alice", "", session.OfTenant("one"))
	},
	"End of a sid": func(a *signedIn, srv *authserver.Server) error {
		return a.sessions.End(a.t.Context(), srv.URL, "", "alice-1", session.OfTenant("one"))
	},
	"EndHandle": func(a *signedIn, srv *authserver.Server) error {
		one, two := a.listed(srv, session.OfTenant("one"), 1), a.listed(srv, session.OfTenant("two"), 1)
		for _, s := range append(one, two...) {
			if err := a.sessions.EndHandle(a.t.Context(), srv.URL, "alice", s.Handle, session.OfTenant("one")); err != nil {
				return err
			}
		}
		return nil
	},
	"back-channel logout of a person": func(a *signedIn, srv *authserver.Server) error {
		return a.wantLogOut(srv, "alice", "")
	},
	"back-channel logout of a sid": func(a *signedIn, srv *authserver.Server) error {
		return a.wantLogOut(srv, "", "alice-1")
	},
	"front-channel logout": func(a *signedIn, srv *authserver.Server) error {
		query := url.Values{"iss": {srv.URL}, "sid": {"alice-1"}}.Encode()
		if status, _ := a.browser().get(a.URL + "/frontchannel/one?" + query); status != http.StatusOK {
			return fmt.Errorf("status %d", status)
		}
		return nil
	},
}

// wantLogOut posts a logout token for the client of the tenant one to both
// tenants' addresses, of which its own takes it.
func (a *signedIn) wantLogOut(srv *authserver.Server, subject, sid string) error {
	other, own := a.logOut(srv, "one", "two", subject, sid), a.logOut(srv, "one", "one", subject, sid)
	if other != http.StatusBadRequest || own != http.StatusOK {
		return fmt.Errorf("the other tenant's address answers %d, its own %d", other, own)
	}
	return nil
}

// TestEndsOfOneTenant: whatever ends sessions of a person of one tenant leaves
// those of another tenant's person with the same issuer and subject, and lets
// logins of the other tenant that are under way finish.
func TestEndsOfOneTenant(t *testing.T) {
	t.Parallel()
	for claim, end := range endsOfOne {
		t.Run(claim, func(t *testing.T) {
			a, srv := samePerson(t)
			b, c, d, e := a.browser(), a.browser(), a.browser(), a.browser()
			b.signIn("one", srv)
			c.signIn("two", srv)
			underWay, own := d.callback("two", srv), e.callback("one", srv)
			if err := end(a, srv); err != nil {
				t.Fatal(err)
			}
			b.want("/t/one/account", http.StatusUnauthorized, "")
			c.want("/t/two/account", http.StatusOK, "alice of two")
			if status, _ := d.deliver(srv, underWay); status != http.StatusSeeOther {
				t.Errorf("a login of the other tenant ended with %d", status)
			}
			if status, _ := e.deliver(srv, own); (status == http.StatusSeeOther) != (claim == "EndHandle") {
				t.Errorf("a login of the tenant itself ended with %d", status)
			}
			// There is no session without a tenant to end.
			if err := a.sessions.End(t.Context(), srv.URL, "alice", ""); err != nil {
				t.Fatal(err)
			}
			c.want("/t/two/account", http.StatusOK, "alice of two")
		})
	}
}

// listed checks how many sessions alice has, and returns them.
func (a *signedIn) listed(srv *authserver.Server, of session.Option, want int) []session.Info {
	a.t.Helper()
	list, err := a.sessions.Sessions(a.t.Context(), srv.URL, "alice", of)
	if err != nil || len(list) != want {
		a.t.Fatalf("%d sessions, %v, want %d", len(list), err, want)
	}
	return list
}

// TestLimitOfOneTenant: MaxSessions counts the sessions of a tenant's person, and a
// list has those of one tenant, by default of the request's.
func TestLimitOfOneTenant(t *testing.T) {
	a, srv := samePerson(t, func(cfg *session.Config) { cfg.MaxSessions = 1 })
	b, c, d := a.browser(), a.browser(), a.browser()
	b.signIn("one", srv)
	c.signIn("two", srv)
	b.want("/t/one/account", http.StatusOK, "alice of one")
	b.want("/t/one/devices", http.StatusOK, "1ok")
	d.signIn("one", srv)
	b.want("/t/one/account", http.StatusUnauthorized, "")
	c.want("/t/two/account", http.StatusOK, "alice of two")
	a.listed(srv, session.OfTenant("one"), 1)
	a.listed(srv, session.OfTenant("two"), 1)
	a.listed(srv, session.OfTenant(""), 0)
}

// TestRevalidateOneTenant: the provider is asked about one session.
func TestRevalidateOneTenant(t *testing.T) {
	a, srv := samePerson(t)
	b, c := a.browser(), a.browser()
	b.signIn("one", srv)
	c.signIn("two", srv)
	if err := a.sessions.Revalidate(t.Context(), srv.URL, "alice", session.OfTenant("one")); err != nil {
		t.Fatal(err)
	}
	c.want("/t/two/account", http.StatusOK, "alice of two")
	wantNothingSentSince(t, srv, 2)
	b.want("/t/one/account", http.StatusOK, "alice of one")
	wantNothingSentSince(t, srv, 3)
}
