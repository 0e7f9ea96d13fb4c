package test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/test/world"
)

// TestNoGrantPrints: nothing secret is in what an app may print of grants.
func TestNoGrantPrints(t *testing.T) {
	p := world.Answering(400, `{"error":"invalid_grant","error_description":"`+grantRenewal+`"}`)
	store, c := newTable(), world.Client(t, p)
	var events []grant.Event
	cfg := grant.Config{
		Store: store, Keys: [][]byte{world.Key('g')}, Clients: grant.Clients(c),
		Observe: func(_ context.Context, e grant.Event) { events = append(events, e) },
	}
	g, err := grant.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	id := saved(t, g, c, "")
	open, err := g.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := open.Info(t.Context())
	open, _ = g.Open(t.Context(), id) // it holds the record
	_, refused := g.Handle(id).Renew(t.Context(), nil)
	if refused == nil || len(events) != 1 {
		t.Fatalf("got %v, and %d events", refused, len(events))
	}
	out := new(world.Transcript)
	for _, h := range slices.Concat(
		of("Config", cfg), of("Grants", g), of("*Grant", open), of("Info", info),
		of("error", refused), of("Event", events[0]),
		[]held{
			{"unexported *Grant", struct{ g *grant.Grant }{open}},
			{"unexported *Grants", struct{ g *grant.Grants }{g}},
			{"unexported error", struct{ e error }{refused}},
		},
	) {
		out.Dump(h.value)
	}
	world.WantNoSecret(t, "printing", out.String(), id, string(world.Key('g')), grantAccess, grantRenewal,
		grantSubject, grantEmail, grantSid, grantID)
}

// TestGrantConfig: New lists every fault with its cure.
func TestGrantConfig(t *testing.T) {
	clients := grant.Clients()
	key := [][]byte{world.Key('g')}
	for claim, c := range map[string]struct {
		cfg    grant.Config
		faults []string
	}{
		"nothing": {grant.Config{}, []string{
			"Config.Keys is empty: set one key of 32 or more random bytes",
			"Config.Clients is nil: set it to grant.Clients with the app's Clients"}},
		"a short key": {grant.Config{Clients: clients, Keys: [][]byte{world.Key('g'), make([]byte, 31)}}, []string{
			"Config.Keys[1] has 31 bytes, want 32 or more: make one with crypto/rand and keep it as a secret"}},
		"times": {grant.Config{Clients: clients, Keys: key, KeepFor: -1, CacheFor: 61e9}, []string{
			"Config.KeepFor must be zero or a time of up to ten years",
			"Config.CacheFor must be zero or a time of up to one minute: " +
				"a sign-out at another instance has no effect here for that long"}},
		"a long time": {grant.Config{Clients: clients, Keys: key, KeepFor: 1<<63 - 1, CacheFor: -1}, []string{
			"Config.KeepFor must be zero or a time of up to ten years",
			"Config.CacheFor must be zero or a time of up to one minute: " +
				"a sign-out at another instance has no effect here for that long"}},
		"no fault": {grant.Config{Clients: clients, Keys: key, KeepFor: 87600 * 3600e9, CacheFor: 60e9}, nil},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := grant.New(c.cfg)
			if c.faults == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := world.WantError(t, err, authcode.Configuration, "grant.config"); !slices.Equal(e.Faults, c.faults) {
				t.Errorf("the faults are %q, want %q", e.Faults, c.faults)
			}
		})
	}
}

// clientRow is a Config.Clients that has no Client for a grant.
type clientRow struct {
	clients func(context.Context, grant.Origin) (*authcode.Client, error)
	reason  authcode.Reason
	check   string
}

func clientRows(t *testing.T) map[string]clientRow {
	return map[string]clientRow{
		"of another provider": {grant.Clients(world.Client(t, &world.Provider{}, func(c *config) {
			c.ClientID = "other"
		})), authcode.Configuration, "grant.client"},
		"a function that returns the wrong one": {func(context.Context, grant.Origin) (*authcode.Client, error) {
			return world.Client(t, forbidden(t), func(c *config) { c.ClientID = "other" }), nil
		}, authcode.Configuration, "grant.client"},
		"a function that returns one of another server": {func(context.Context, grant.Origin) (*authcode.Client, error) {
			return world.Client(t, forbidden(t), func(c *config) { c.Provider.TokenURL = "https://evil.example/token" }), nil
		}, authcode.Configuration, "grant.client"},
		"none": {grant.Clients(), authcode.Configuration, "grant.client"},
		"nil": {func(context.Context, grant.Origin) (*authcode.Client, error) { return nil, nil },
			authcode.Configuration, "grant.client"},
		"an error": {func(context.Context, grant.Origin) (*authcode.Client, error) {
			return nil, errors.New("x")
		}, authcode.Configuration, "grant.client"},
		"a panic": {func(context.Context, grant.Origin) (*authcode.Client, error) { panic("x") },
			authcode.Configuration, "grant.panic"},
		"metadata out of reach": {grant.Clients(world.Client(t, &world.Provider{}, world.LookedUp(
			func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
				return authcode.Endpoints{}, authcode.NewError(authcode.Unreachable, "app.down", "down", nil)
			}))), authcode.Unreachable, "app.down"},
	}
}

// TestGrantClients: a grant whose Client cannot be had waits, and does not end.
func TestGrantClients(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	for claim, row := range clientRows(t) {
		t.Run(claim, func(t *testing.T) {
			store := newTable()
			id := saved(t, keeping(t, store, c, 'g'), c, "")
			g, err := grant.New(grant.Config{
				Store: store, Keys: [][]byte{world.Key('g')}, Clients: row.clients,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.Handle(id).Renew(t.Context(), nil)
			world.WantError(t, err, row.reason, row.check)
			if _, err := g.Handle(id).Token(t.Context()); err != nil {
				t.Errorf("the token that is there: %v", err)
			}
		})
	}
}

// forbidden is a provider that must not get a request.
func forbidden(t *testing.T) *world.Provider {
	return &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
		t.Errorf("%s got the form %v", r.URL, r.Form)
		return nil, errors.New("not for you")
	}}
}
