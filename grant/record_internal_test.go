package grant

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
)

// FuzzRecord: what a record holds was sealed by this package. All the same, no
// bytes make it panic, and what it reads stays the same when it is written
// again.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `{"id":"x"}`, `{"id":"x"}{"id":"y"}`, `[]`, `{"id":1}`,
		`{"id":"x","login":{"token":null,"left":1,"life":1}}`,
		`{"id":"x","refresh":"rt","login":{"token":{"access_token":"at","answer":{"id_token":"i"}}}}`,
		`{"id":"x","refresh":"rt","login":{},"more":[{"for":{"resource":"r"},"token":{"access_token":"a"}}]}`,
		`{"id":"x","refresh":"rt","login":{},"pending":{"for":{},"token":{"refresh_token":"rt"},` +
			`"came":"2030-01-01T00:00:00Z","wrote":"2030-01-01T00:00:00Z"}}`,
		`{"id":"x","login":{"left":9223372036854775807,"life":9223372036854775807}}`,
		`{"id":"x","identity":{"Issuer":"i","Subject":"s","Claims":{"sid":1,"n":1e400}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(recordStays)
}

// TestDecodeRefuses: a record that has no ID, or another form, is not read.
func TestDecodeRefuses(t *testing.T) {
	for _, plain := range []string{``, `[]`, `{}`, `{"refresh":"rt"}`, `{"id":"x","scopes":5}`} {
		if _, ok := decode([]byte(plain)); ok {
			t.Errorf("%s is read", plain)
		}
	}
}

func recordStays(t *testing.T, plain []byte) {
	c, ok := decode(plain)
	if !ok {
		return
	}
	o := &opened{content: c, asked: time.Now()}
	for _, w := range []want{{}, {Resource: "r"}} {
		o.usable(w, "")
		o.accessToken(w)
		o.spend(w)
	}
	o.idToken()
	o.cannotRenew(want{})
	once, err := json.Marshal(c)
	if err != nil {
		t.Fatalf("it is read and cannot be written: %v", err)
	}
	again, ok := decode(once)
	if !ok {
		t.Fatalf("%s is not read again", once)
	}
	if twice, err := json.Marshal(again); err != nil || string(twice) != string(once) {
		t.Fatalf("%s became %s, %v", once, twice, err)
	}
	own := c.clone()
	own.passed(time.Minute)
	own.merge(&authcode.Identity{Claims: map[string]any{"x": "y"}})
	if after, _ := json.Marshal(c); string(after) != string(once) {
		t.Fatalf("a change of the copy made %s of %s", after, once)
	}
}

// TestMergedClaims: claims that are new with each renewal do not make the record
// grow for ever. Those of the newest answer stay.
func TestMergedClaims(t *testing.T) {
	c := &content{Identity: &authcode.Identity{Subject: "alice", Claims: map[string]any{
		"first": "1", "auth_time": "2",
	}}}
	for n := range 6 {
		c.merge(&authcode.Identity{Claims: map[string]any{
			"auth_time": "3", strconv.Itoa(n): strings.Repeat("x", 100<<10),
		}})
		if first := c.Identity.Claims["first"]; n < 2 && first != "1" {
			t.Errorf("the claims are not too many, and the first one is %v", first)
		}
	}
	c.merge(&authcode.Identity{}) // says nothing, and changes nothing
	text, err := json.Marshal(c)
	if err != nil || len(text) > 300<<10 {
		t.Errorf("after six renewals the record has %d bytes (%v)", len(text), err)
	}
	if claims := c.Identity.Claims; claims["5"] == nil || claims["auth_time"] != "2" {
		t.Error("the newest claim, or the time of the login, is gone")
	}
}
