package authcode

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fixedState is the same in every process, so that what the fuzzing engine keeps stays a state of ours.
func fixedState(tb testing.TB, c *Client, fill byte, start time.Time) state {
	s, _ := c.sealers[0].newLogin(start, false)
	for i := range stateTimeAt {
		s[i] = fill
	}
	_, _, tagKey := derived(tb, stateKey)
	copy(s[stateTagAt:], tagOf(tagKey, s))
	return s
}

// A state is taken for ours only if the key made it, in one spelling, and alone it never opens
// a login.
func FuzzState(f *testing.F) {
	c := stateClient(f, nil)
	_, _, tagKey := derived(f, stateKey)
	for fill := range byte(4) {
		s := fixedState(f, c, fill, time.UnixMilli(1_800_000_000_000*int64(fill%3)))
		text := s.encode()
		for _, seed := range []string{text, text[:42], text + "A", text + "=", text[1:] + "A", strings.ToLower(text), text[:42] + "_"} {
			f.Add(seed)
		}
	}
	for _, seed := range []string{"", strings.Repeat("A", 43), strings.Repeat("+", 43), strings.Repeat("é", 22), strings.Repeat("\n", 43), "null"} {
		f.Add(seed)
	}
	r := httptest.NewRequest("GET", "/callback", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: "x"})
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := parseState(text)
		if ok && s.encode() != text {
			t.Fatalf("%q is another spelling of %q", text, s.encode())
		}
		ours := ok && string(tagOf(tagKey, s)) == string(s[22:])
		if ok && (c.sealerOf(&s) != nil) != ours {
			t.Fatalf("%q: taken for ours: %v", text, !ours)
		}
		a, err := c.pendingLogin(r, text)
		if a != nil || err == nil || (asError(err).Reason == Forged) == ours {
			t.Errorf("%q: got %v, %v", text, a, err)
		}
		if strings.Contains(err.Error(), text) && len(text) > 20 {
			t.Errorf("the error repeats the state: %v", err)
		}
		if at, isLogin := c.cookieStart(c.cookieName(&s)); !isLogin || !at.Equal(s.started()) {
			t.Errorf("%q: the cookie's name tells the start %v, not %v", text, at, s.started())
		}
	})
}

// No cookie opens a login but one that this key has sealed for this client, name and state; and
// what it has sealed, but is no login, is refused without harm.
func FuzzCookie(f *testing.F) {
	c := stateClient(f, nil)
	others := stateClient(f, func(cfg *Config) { cfg.ClientID = "other" })
	hashKey, _, _ := derived(f, stateKey)
	s := fixedState(f, c, 7, time.UnixMilli(1_800_000_000_000))
	a := &attempt{state: s, verifier: verifier{1, 2, 3}, returnTo: "/a?b#c", maxAge: -1}
	name := c.cookieName(&s)
	full := &attempt{state: s, returnTo: "/", scoped: true, scopes: []string{"a", "b"}, maxAge: 300, values: map[string]string{"k": "v"}}
	stranger := &attempt{state: fixedState(f, c, 8, s.started()), returnTo: "/"}
	add := func(c *Client, name string, a *attempt) {
		f.Add(string(a.marshal()))
		value, err := c.sealers[0].seal(name, a.marshal())
		if err != nil {
			f.Fatal(err)
		}
		for _, seed := range []string{value, value[:len(value)-4], value[4:], value + "AAAA", strings.TrimRight(value, "="), strings.ToUpper(value)} {
			f.Add(seed)
		}
	}
	add(c, name, a)
	add(c, name, full)
	add(c, name, stranger)
	add(c, c.cookieName(&stranger.state), stranger)
	add(others, name, a)
	for _, seed := range []string{"", "||", "fHw=", "MTgwMDAwMDAwMHx8", "\x01" + string(s[:]), "%00", strings.Repeat("A", 1801)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		open := func(value string) *attempt {
			r := httptest.NewRequest("GET", "/callback", nil)
			r.Header["Cookie"] = []string{name + "=" + value}
			sent := r.CookiesNamed(name)
			got, err := c.openLogin(r, &s, c.sealers[0])
			switch {
			case len(sent) == 0 && (got != nil || err != nil),
				len(sent) > 0 && (got == nil) == (err == nil),
				err != nil && asError(err).Reason != Forged && asError(err).Reason != Malformed:
				t.Fatalf("%q: got %+v, %v", value, got, err)
			case got != nil && (len(sent) != 1 || !sealedBy(hashKey, name, sent[0].Value) || got.state != s):
				t.Fatalf("%q opens %+v", value, got)
			}
			return got
		}
		open(value)
		sealed, err := c.sealers[0].seal(name, []byte(value))
		if err != nil {
			return // too long for a cookie
		}
		if got := open(sealed); got != nil {
			if again, err := unmarshal(got.marshal(), c.scopes); err != nil || !reflect.DeepEqual(again, got) {
				t.Errorf("%x was read as %+v, and again as %+v, %v", value, got, again, err)
			}
		}
	})
}
