package oidc_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
)

// TestTransportsShareNothing: what one transport has loaded counts for that transport alone. Another one may
// trust other certificates, and so reach somebody else under the same name.
func TestTransportsShareNothing(t *testing.T) {
	real, fake := newMemOP("RS256"), newMemOP("RS256")
	fake.rotate(newKey("RS256", "fake"))
	fake.metadata["token_endpoint"] = "https://op.example/fake"
	i := oidc.Provider(memIssuer)
	for range 2 {
		wantIdentity(t, i, real.login(real.token(nil)))
		wantIdentity(t, i, fake.login(fake.token(nil)))
		_, err := identify(t.Context(), i, real.login(fake.token(nil)))
		wantError(t, err, authcode.IdentityRefused, "jwks.key")
		_, err = identify(t.Context(), i, fake.login(real.token(nil)))
		wantError(t, err, authcode.IdentityRefused, "jwks.key")
		_, err = verify(t.Context(), i, real, responseType, signedResponse(fake, nil))
		wantError(t, err, authcode.Forged, "jwks.key")
		_, err = verify(t.Context(), i, real, "logout+jwt", fake.logoutToken(nil))
		wantError(t, err, authcode.IdentityRefused, "jwks.key")
		if url := load(t, i, real).TokenURL; url != "https://op.example/token" {
			t.Errorf("the document of the other transport counts: %s", url)
		}
		if url := load(t, i, fake).TokenURL; url != "https://op.example/fake" {
			t.Errorf("the document of the other transport counts: %s", url)
		}
	}
	real.wantRequests(t, memMetadata, 1)
	fake.wantRequests(t, memMetadata, 1)
}

// TestClientsShareNothing: the same for two Clients, each with a transport of its own, that are given copies of
// one provider.
func TestClientsShareNothing(t *testing.T) {
	real, fake := newMemOP("RS256"), newMemOP("RS256")
	fake.metadata["token_endpoint"] = "https://op.example/fake"
	i := oidc.Provider(memIssuer)
	for _, p := range []*memOP{real, fake} {
		conn, err := newMemLogin(t, p, i).Connection(t.Context())
		if err != nil || conn.Endpoints.TokenURL != p.metadata["token_endpoint"] {
			t.Errorf("got %+v, %v", conn.Endpoints, err)
		}
	}
	fake.wantRequests(t, memMetadata, 1)
}

// TestTransportsFailAlone: a transport that cannot reach the provider keeps nobody else from it, nor does one whose
// tokens use up the key fetches.
func TestTransportsFailAlone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		good, lost := newMemOP("RS256"), newMemOP("RS256")
		lost.answer(memMetadata, down)
		i := oidc.Provider(memIssuer)
		_, err := endpoints(t.Context(), i, lost)
		wantError(t, err, authcode.Unreachable, "discovery.unreachable")
		wantIdentity(t, i, good.login(good.token(nil)))
		lost.answer(memMetadata, nil)
		_, err = endpoints(t.Context(), i, lost)
		wantError(t, err, authcode.Unreachable, "discovery.unreachable") // within its own pause
		time.Sleep(5 * time.Second)
		for range 10 {
			_, err := identify(t.Context(), i, lost.login(lost.with(members{"kid": "unknown"})))
			wantError(t, err, authcode.IdentityRefused, "jwks.key")
		}
		good.rotate(newKey("RS256", "k2"))
		wantIdentity(t, i, good.login(good.token(nil)))
	})
}

// TestEqualTransportsShare: Clients with one transport load everything once.
func TestEqualTransportsShare(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	copied := i
	for range 3 {
		wantIdentity(t, i, p.login(p.token(nil)))
		wantIdentity(t, copied, p.login(p.token(nil)))
	}
	p.wantRequests(t, memMetadata, 1)
	p.wantRequests(t, memJWKS, 1)
	wantIdentity(t, oidc.Provider(memIssuer), p.login(p.token(nil)))
	p.wantRequests(t, memMetadata, 2) // another value shares nothing
}

// tagged is a transport that is equal to those of the same provider with the same tag.
type tagged struct {
	*memOP
	tag int
}

// TestManyTransports: many Clients may share one provider. The caches are bounded, and the one that
// was used least recently goes first.
func TestManyTransports(t *testing.T) {
	const most = 256
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	loadBy := func(tag int) {
		t.Helper()
		if _, err := i.Metadata(t.Context(), &authcode.Connection{Transport: tagged{p, tag}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for tag := range most {
			loadBy(tag)
		}
	}
	p.wantRequests(t, memMetadata, most)
	loadBy(0)
	loadBy(most) // 1 goes
	loadBy(0)
	p.wantRequests(t, memMetadata, most+1)
	loadBy(1) // 2 goes
	p.wantRequests(t, memMetadata, most+2)
	loadBy(3)
	loadBy(0)
	p.wantRequests(t, memMetadata, most+2)
	loadBy(2)
	p.wantRequests(t, memMetadata, most+3)
}

// incomparable is a RoundTripper that cannot be the key of a map.
type incomparable struct {
	trips []func(*http.Request) (*http.Response, error)
}

func (c incomparable) RoundTrip(r *http.Request) (*http.Response, error) { return c.trips[0](r) }

// TestUnusableTransports: an app that calls the Provider's functions with a Connection of its own gets
// an error, not a panic.
func TestUnusableTransports(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer, oidc.UserInfo())
	for claim, transport := range map[string]http.RoundTripper{
		"none":                        nil,
		"a nil pointer":               (*memOP)(nil),
		"one that cannot be compared": incomparable{[]func(*http.Request) (*http.Response, error){p.RoundTrip}},
		"one around such a one":       struct{ http.RoundTripper }{incomparable{}},
	} {
		t.Run(claim, func(t *testing.T) {
			conn := &authcode.Connection{Transport: transport}
			_, err := i.Metadata(t.Context(), conn)
			wantError(t, err, authcode.Configuration, "config.transport")
			a := p.login(p.token(nil))
			a.Connection.Transport = transport
			_, err = i.Identity(t.Context(), a)
			wantError(t, err, authcode.Configuration, "config.transport")
			_, err = i.Verify(t.Context(), a.Connection, "logout+jwt", p.logoutToken(nil))
			wantError(t, err, authcode.Configuration, "config.transport")
		})
	}
	// The pointer to one can.
	c := &incomparable{[]func(*http.Request) (*http.Response, error){p.RoundTrip}}
	if _, err := i.Metadata(t.Context(), &authcode.Connection{Transport: c}); err != nil {
		t.Error(err)
	}
}

// TestKeysOfTheConnection: the JWKS URL of the Connection counts, also if it is not the metadata's, and the key sets of
// two URLs are two.
func TestKeysOfTheConnection(t *testing.T) {
	p := newMemOP("RS256")
	other := newKey("RS256", "other")
	p.answer("/keys2", always(200, "", `{"keys":[`+string(payload(other.jwk(nil), nil))+`]}`))
	i := oidc.Provider(memIssuer)
	at := func(url, token string) error {
		a := p.login(token)
		a.Config.Provider, a.Endpoints.JWKSURL = i, url
		_, err := i.Identity(t.Context(), a)
		return err
	}
	foreign := other.sign(payload(p.claims(), nil), nil)
	for range 2 {
		if err := at("https://op.example/keys2", foreign); err != nil {
			t.Error(err)
		}
		wantError(t, at("https://op.example/keys2", p.token(nil)), authcode.IdentityRefused, "jwks.key")
		wantError(t, at("https://op.example"+memJWKS, foreign), authcode.IdentityRefused, "jwks.key")
		if err := at("https://op.example"+memJWKS, p.token(nil)); err != nil {
			t.Error(err)
		}
		if err := at("", p.token(nil)); err != nil {
			t.Errorf("the metadata's URL: %v", err)
		}
	}
}

// TestOwnEndpoints: an app may give the endpoints itself. With its own algorithms too, it needs no metadata document.
func TestOwnEndpoints(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer, oidc.UserInfo())
	i.Metadata = nil
	i.Endpoints = authcode.Endpoints{AuthURL: "https://op.example/authorize", TokenURL: "https://op.example/token"}
	signIn := func(i authcode.Provider) *authcode.Identity {
		t.Helper()
		c := newMemLogin(t, p, i)
		rec := begin(t, c)
		return p.finish(t, c, rec).Identity
	}
	if id := signIn(i); id.Subject != "alice" || id.Claims["zoneinfo"] != "Europe/Paris" {
		t.Errorf("got %+v", id)
	}
	p.wantRequests(t, memMetadata, 1)
	i.JWKSURL, i.UserInfoURL, i.Algorithms = "https://op.example"+memJWKS, "https://op.example"+memUserInfo, []string{"RS256"}
	p.answer(memMetadata, func(*http.Request) (*http.Response, error) {
		t.Error("the metadata was asked for")
		return down(nil)
	})
	if id := signIn(i); id.Subject != "alice" || id.Claims["zoneinfo"] != "Europe/Paris" {
		t.Errorf("got %+v", id)
	}
}
