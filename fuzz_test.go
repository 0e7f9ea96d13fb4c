package authcode

import (
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fixedState is the same in every process, so that what the fuzzing engine
// keeps stays a state of ours.
func fixedState(tb testing.TB, c *Client, fill byte, start time.Time) state {
	s, _, _ := c.sealers[0].newLogin(start, false)
	for i := range stateTimeAt {
		s[i] = fill
	}
	_, _, tagKey := derived(tb, stateKey)
	copy(s[stateTagAt:], tagOf(tagKey, s))
	return s
}

// FuzzState: a state is taken for ours only if the key made it, in one
// spelling, and alone it never opens a login.
func FuzzState(f *testing.F) {
	c := stateClient(f, nil)
	_, _, tagKey := derived(f, stateKey)
	for fill := range byte(4) {
		s := fixedState(f, c, fill, time.UnixMilli(1_800_000_000_000*int64(fill%3)))
		text := s.encode().String()
		for _, seed := range []string{text, text[:42], text + "A", text + "=", text[1:] + "A",
			strings.ToLower(text), text[:42] + "_"} {
			f.Add(seed)
		}
	}
	for _, seed := range []string{"", strings.Repeat("A", 43), strings.Repeat("+", 43),
		strings.Repeat("é", 22), strings.Repeat("\n", 43), "null"} {
		f.Add(seed)
	}
	r := httptest.NewRequest("GET", "/callback", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: "x"})
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := parseState(text)
		if ok && s.encode().String() != text {
			t.Fatalf("%q is another spelling of %q", text, s.encode().String())
		}
		ours := ok && string(tagOf(tagKey, s)) == string(s[22:])
		k, id := c.sealerFor(&s)
		if ok && (k != nil) != ours {
			t.Fatalf("%q: taken for ours: %v", text, !ours)
		}
		a, err := c.pendingLogin(r, text)
		if a != nil || err == nil || (asError(err).Reason == Forged) == ours {
			t.Errorf("%q: got %v, %v", text, a, err)
		}
		if strings.Contains(err.Error(), text) && len(text) > 20 {
			t.Errorf("the error repeats the state: %v", err)
		}
		if at, named, isLogin := c.parseCookieName(c.cookieName(s.started(), id)); ours &&
			(!isLogin || !at.Equal(s.started()) || named != id) {
			t.Errorf("%q: the cookie's name tells start and id %v, %x, not %v, %x", text, at, named,
				s.started(), id)
		}
	})
}

// FuzzCookie: only a cookie that this key has sealed, for this client, name and
// state, opens a login. What the key has sealed but is not a login is refused
// without harm.
func FuzzCookie(f *testing.F) {
	c := stateClient(f, nil)
	hashKey, _, _ := derived(f, stateKey)
	s := fixedState(f, c, 7, time.UnixMilli(1_800_000_000_000))
	name := nameOf(c, &s)
	addCookies(f, c, s)
	f.Fuzz(func(t *testing.T, value string) {
		openFuzzed(t, c, s, hashKey, value)
		sealed, err := c.sealers[0].seal(name, []byte(value))
		if err != nil {
			return // too long for a cookie
		}
		got := openFuzzed(t, c, s, hashKey, sealed)
		if got == nil {
			return
		}
		again, err := unmarshalAttempt(got.marshal(nil), c.scopes)
		if again != nil {
			again.name, again.started, again.id = got.name, got.started, got.id // not in the value
		}
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%x was read as %+v, and again as %+v, %v", value, got, again, err)
		}
	})
}

// addCookies adds the seeds: cookies of this login and of others, and what was
// done to them.
func addCookies(f *testing.F, c *Client, s state) {
	name := nameOf(c, &s)
	others := stateClient(f, func(cfg *Config) { cfg.ClientID = "other" })
	a := &attempt{verifier: verifier{1, 2, 3}, choices: choices{returnTo: "/a?b#c", maxAge: -1}}
	full := &attempt{choices: choices{returnTo: "/", scoped: true, scopes: []string{"a", "b"},
		maxAge: 300, values: map[string]string{"k": "v"}}}
	other := fixedState(f, c, 8, s.started())
	stranger := &attempt{choices: choices{returnTo: "/"}}
	for _, row := range []struct {
		client *Client
		name   string
		a      *attempt
	}{
		{c, name, a}, {c, name, full}, {c, name, stranger},
		{c, nameOf(c, &other), stranger}, {others, name, a},
	} {
		f.Add(string(row.a.marshal(nil)))
		value, err := row.client.sealers[0].seal(row.name, row.a.marshal(nil))
		if err != nil {
			f.Fatal(err)
		}
		for _, seed := range []string{value, value[:len(value)-4], value[4:], value + "AAAA",
			strings.TrimRight(value, "="), strings.ToUpper(value)} {
			f.Add(seed)
		}
	}
	for _, seed := range []string{"", "||", "fHw=", "MTgwMDAwMDAwMHx8", "\x05" + string(s[:]),
		"%00", strings.Repeat("A", 1801)} {
		f.Add(seed)
	}
}

// openFuzzed opens value as the cookie of s, and checks that it was sealed for
// s if it opens.
func openFuzzed(t *testing.T, c *Client, s state, hashKey []byte, value string) *attempt {
	name := nameOf(c, &s)
	r := httptest.NewRequest("GET", "/callback", nil)
	r.Header["Cookie"] = []string{name + "=" + value}
	sent := r.CookiesNamed(name)
	_, id := c.sealerFor(&s)
	got, err := c.openLogin(r, c.sealers[0], s.started(), id)
	reason := asError(err).Reason
	switch {
	case len(sent) == 0 && (got != nil || err != nil),
		len(sent) > 0 && (got == nil) == (err == nil),
		err != nil && reason != Forged && reason != Malformed:
		t.Fatalf("%q: got %+v, %v", value, got, err)
	case got != nil &&
		(len(sent) != 1 || !sealedBy(hashKey, name, sent[0].Value) || got.id != id):
		t.Fatalf("%q opens %+v", value, got)
	}
	return got
}

// opened are the cookies that a callback brings, with the places of their
// names and values: MINE and OTHER are names; GOOD is the login's own value,
// OTHERS another login's, and JUNK something else that was sealed.
var opened = []struct {
	claim, cookies string
	check          string // of the Error; "" for none
	found          bool
}{
	{"the login's own cookie opens", "MINE=GOOD", "", true},
	{"it opens among the cookies of others", "OTHER=x; MINE=GOOD; session=", "", true},
	{"without cookies there is no login", "", "", false},
	{"another login's cookie is not looked at", "OTHER=OTHERS", "", false},
	{"two of the name are refused", "MINE=GOOD; MINE=GOOD", "cookie.repeated", false},
	{"two of the name are refused, the good one first", "MINE=GOOD; MINE=x",
		"cookie.repeated", false},
	{"another login's cookie under this name is refused", "MINE=OTHERS", "cookie.seal", false},
	{"what is sealed but not a login is refused", "MINE=JUNK", "cookie.version", false},
	{"an empty value is refused", "MINE=", "cookie.seal", false},
	{"a value of over 1,800 bytes is refused", "MINE=GOOD" + strings.Repeat("A", 1800),
		"cookie.seal", false},
}

func TestOpenLogin(t *testing.T) {
	c := stateClient(t, nil)
	mine, other := stateAttempt(c, time.Now()), stateAttempt(c, time.Now())
	name, otherName := c.cookieName(mine.started, mine.id), c.cookieName(other.started, other.id)
	seal := func(name string, plain []byte) string {
		value, err := c.sealers[0].seal(name, plain)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	fill := strings.NewReplacer("MINE", name, "GOOD", seal(name, mine.marshal(nil)),
		"OTHERS", seal(otherName, other.marshal(nil)), "OTHER", otherName,
		"JUNK", seal(name, []byte("x")))
	for _, row := range opened {
		t.Run(row.claim, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/callback", nil)
			r.Header.Set("Cookie", fill.Replace(row.cookies))
			a, err := c.openLogin(r, c.sealers[0], mine.started, mine.id)
			mine.name = name // which the cookie does not hold
			if check := asError(err).Check; check != row.check || (a != nil) != row.found ||
				a != nil && !reflect.DeepEqual(a, mine) {
				t.Errorf("got %+v, %v; want %q", a, err, row.check)
			}
		})
	}
}

func TestAttemptSurvivesTheCookie(t *testing.T) {
	own := []string{"openid", "profile"}
	for claim, change := range map[string]func(*attempt){
		"a login without options": func(*attempt) {},
		"a return path of any bytes": func(a *attempt) {
			a.returnTo = "/\x00\xff?" + string(make([]byte, 500))
		},
		"scopes of its own": func(a *attempt) {
			a.scoped, a.scopes = true, []string{"a", "", "b"}
		},
		"no scopes at all, which is not own": func(a *attempt) {
			a.scoped, a.scopes = true, []string{}
		},
		"a max_age":                            func(a *attempt) { a.maxAge = math.MaxInt32 },
		"a max_age of zero, which is not none": func(a *attempt) { a.maxAge = 0 },
		"the name of a key":                    func(a *attempt) { a.key = "k" },
		"a resource":                           func(a *attempt) { a.resource = "https://r" },
		"values": func(a *attempt) {
			a.values = map[string]string{"": "", "k": "v", "v": "k\x00"}
		},
		"all of it": func(a *attempt) {
			a.scoped, a.scopes, a.maxAge, a.values = true, []string{"x"}, 1,
				map[string]string{"k": "v"}
		},
	} {
		t.Run(claim, func(t *testing.T) {
			a := stateAttempt(stateClient(t, nil), time.Now())
			a.scopes = own
			change(a)
			got, err := unmarshalAttempt(a.marshal(nil), own)
			if got != nil {
				got.started, got.id = a.started, a.id // not in the value
			}
			if err != nil || !reflect.DeepEqual(got, a) {
				t.Errorf("got %+v, %v; want %+v", got, err, a)
			}
		})
	}
}

func TestAttemptRefused(t *testing.T) {
	a := stateAttempt(stateClient(t, nil), time.Now())
	plain := a.marshal(nil)
	head := plain[:49]
	tail := func(b ...byte) []byte { return append(append([]byte(nil), head...), b...) }
	long := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01} // 2^64-1
	for claim, b := range map[string][]byte{
		"nothing":                            nil,
		"another version":                    append([]byte{tenantVersion + 1}, plain[1:]...),
		"an older version":                   append([]byte{cookieVersion - 1}, plain[1:]...),
		"half a verifier":                    plain[:20],
		"half a digest":                      plain[:40],
		"no return path":                     head,
		"a return path longer than the rest": tail(5, '/', 0, 0),
		"a return path of 2^64-1 bytes":      tail(append(long, '/', 1, 0)...),
		"a length of eleven bytes": tail(append([]byte{0xff},
			append(long, 1, 0)...)...),
		"no resource":                           tail(1, '/', 0),
		"no max_age":                            tail(1, '/', 0, 0),
		"no count of scopes":                    tail(1, '/', 0, 0, 1),
		"2^64-1 scopes":                         tail(append([]byte{1, '/', 0, 0, 1}, long...)...),
		"one scope of two":                      tail(1, '/', 0, 0, 1, 3, 1, 'a'),
		"a key without a value":                 tail(1, '/', 0, 0, 1, 0, 1, 'k'),
		"a value longer than the rest":          tail(1, '/', 0, 0, 1, 0, 1, 'k', 2, 'v'),
		"one with a pair behind it":             tail(1, '/', 0, 0, 1, 0, 1, 'k', 5, 0, 0),
		"a length that is cut in its own bytes": tail(1, '/', 0, 0, 1, 0, 1, 'k', 0x80),
	} {
		t.Run(claim, func(t *testing.T) {
			if got, err := unmarshalAttempt(b, nil); err == nil {
				t.Errorf("%x was read as %+v", b, got)
			}
		})
	}
	for _, b := range [][]byte{tail(1, '/'), tail(1, '/', 0, 0, 1, 0)} {
		got, err := unmarshalAttempt(b, nil)
		if err != nil || got.returnTo != "/" || got.maxAge != -1 {
			t.Errorf("%x, a login with a return path alone, was read as %+v, %v", b, got, err)
		}
	}
}
