package test

import (
	"fmt"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// manyParameters is a query with the word under many names, each twice, and
// with names of the protocol in many spellings.
func manyParameters(word string) string {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "%s%d=1&%s%d=2&", word, i, word, i)
	}
	for i := range 1 << 5 {
		name := []byte("state")
		for bit := range name {
			if i>>bit&1 == 1 {
				name[bit] -= 'a' - 'A'
			}
		}
		b.WriteString(string(name) + "=1&")
	}
	return b.String()
}

// TestFoundURLsAreNotQuoted: the provider chooses the names in the URLs of its
// metadata, so no error repeats them.
func TestFoundURLsAreNotQuoted(t *testing.T) {
	const word = "canary"
	fields := map[string]func(*endpoints) *string{
		"AuthURL":          func(e *endpoints) *string { return &e.AuthURL },
		"TokenURL":         func(e *endpoints) *string { return &e.TokenURL },
		"RevocationURL":    func(e *endpoints) *string { return &e.RevocationURL },
		"PARURL":           func(e *endpoints) *string { return &e.PARURL },
		"IntrospectionURL": func(e *endpoints) *string { return &e.IntrospectionURL },
		"UserInfoURL":      func(e *endpoints) *string { return &e.UserInfoURL },
		"EndSessionURL":    func(e *endpoints) *string { return &e.EndSessionURL },
		"JWKSURL":          func(e *endpoints) *string { return &e.JWKSURL },
	}
	urls := []string{
		"https://p.example/?" + manyParameters(word), "https://p.example/?%zz=" + word,
		"https://" + word + "\n.example/", "http://" + word + ".example/", word,
		"https://" + word + "@p.example/", "https://p.example/#" + word, "https://p.example/" + word + "é",
		"https://p.example:" + word, word + ":x", "https://p.example/?\u212A" + word + "=1&\u212A" + word + "=2",
	}
	for name, field := range fields {
		for i, url := range urls {
			for _, alias := range []bool{false, true} {
				t.Run(fmt.Sprint(name, i, alias), func(t *testing.T) {
					found := world.Endpoints()
					target := &found
					if alias {
						target = &endpoints{}
						found.MTLS = target
					}
					*field(target) = url
					wantNoWord(t, found, word)
				})
			}
		}
	}
}

// wantNoWord checks that no error about these endpoints has the word.
func wantNoWord(t *testing.T, found endpoints, word string) {
	t.Helper()
	c := world.Client(t, &world.Provider{}, world.LookedUp(world.Finds(found)))
	_, _, startErr := world.Start(c)
	_, refreshErr := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
	for _, err := range []error{startErr, refreshErr} {
		if err == nil {
			continue // the URL is of no use, and does no harm
		}
		e := world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
		text := fmt.Sprintf("%v %+v %#v %q %v", e, e, e, e.Faults, e.LogValue())
		if strings.Contains(strings.ToLower(text), word) || strings.Contains(text, "STATE") {
			t.Errorf("the provider's words are in the text: %.300s", text)
		}
		if len(e.Error()) > 1000 {
			t.Errorf("the text has %d bytes", len(e.Error()))
		}
	}
}
