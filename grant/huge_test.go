package grant_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/test/world"
)

// maxData is what a Store takes.
const maxData = 1 << 20

// hugeApp is an app whose provider answers with *answer bytes, and a login with
// claims of that many bytes.
func hugeApp(t *testing.T, answer *int, claims int) (*app, *node, *authcode.Login) {
	n := 0
	p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
		n++
		// JSON for HTML would have six bytes for each of these.
		return world.Reply(200, fmt.Sprintf(`{"access_token":"at-%d","token_type":"Bearer",`+
			`"expires_in":60,"refresh_token":"rt-%d","x":"%s"}`, n, n, strings.Repeat("<", *answer))), nil
	}}
	client := world.Client(t, p)
	l := world.Begin(t, client, nil).Finish(t, client)
	l.Identity = &authcode.Identity{Issuer: world.Issuer, Subject: "alice",
		Claims: map[string]any{"x": strings.Repeat("<", claims)}}
	a := &app{store: grant.NewMemory(0), provider: p, client: client}
	return a, a.node(t), l
}

// TestHugeAnswers: whatever a provider answers, a record has what a Store takes.
// To make room, the oldest token for another resource is dropped.
func TestHugeAnswers(t *testing.T) {
	answer := 240 << 10
	a, n, l := hugeApp(t, &answer, 240<<10)
	g := n.Handle(a.save(t, n.Grants, l))
	apis := []string{"https://a.example", "https://b.example", "https://c.example"}
	for _, api := range apis {
		if _, err := g.Token(t.Context(), grant.Resource(api)); err != nil {
			t.Fatal(err)
		}
		r, err := a.store.Load(t.Context(), n.created[0], 0)
		if err != nil || len(r.Data) > maxData {
			t.Fatalf("the record has %d bytes, %v", len(r.Data), err)
		}
	}
	if _, err := g.Renew(t.Context(), nil); err != nil {
		t.Errorf("a renewal: %v", err)
	}
}

// TestTooHuge: a login or a renewal that no Store takes is refused. The renewal is
// not tried again and again, and the token from before stays.
func TestTooHuge(t *testing.T) {
	answer := 10
	a, n, l := hugeApp(t, &answer, maxData)
	_, err := n.Save(t.Context(), a.client, l)
	world.WantError(t, err, authcode.BadAnswer, "grant.size")
	if len(n.created) > 0 {
		t.Error("it is stored")
	}
	a, n, l = hugeApp(t, &answer, 800<<10)
	g := n.Handle(a.save(t, n.Grants, l))
	answer = 240 << 10
	_, err = g.Renew(t.Context(), nil)
	world.WantError(t, err, authcode.BadAnswer, "grant.size")
	if _, err = g.Renew(t.Context(), nil); !errors.Is(err, authcode.Overloaded) {
		t.Errorf("right after that: %v, want a wait", err)
	}
	if got, err := g.Token(t.Context()); err != nil || got.AccessToken != "at-1" {
		t.Errorf("the token from before: %v", err)
	}
}

// TestTooHugeForAnAPI: a token for another resource that does not fit is refused,
// also if no Identity has to check it first.
func TestTooHugeForAnAPI(t *testing.T) {
	answer := 10
	a, _, l := hugeApp(t, &answer, 900<<10)
	g := a.instance(t)
	id := a.save(t, g, l)
	answer = 240 << 10
	_, err := g.Handle(id).Token(t.Context(), grant.Resource("https://a.example"))
	world.WantError(t, err, authcode.BadAnswer, "grant.size")
}
