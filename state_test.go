package authcode

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
)

var stateKey = []byte("a key of 32 bytes for state test")

func stateClient(tb testing.TB, change func(*Config)) *Client {
	tb.Helper()
	cfg := Config{
		Provider: Provider{
			Name: "idp-1", Issuer: "https://idp.example",
			Endpoints: Endpoints{AuthURL: "https://idp.example/a",
				TokenURL: "https://idp.example/t"},
		},
		ClientID: "client", ClientAuth: Public(), RedirectURL: "https://app.example/callback",
		CookieKeys: [][]byte{stateKey},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// derived returns the three keys that are made of a cookie key, as RFC 5869
// says, each of 32 bytes.
func derived(tb testing.TB, key []byte) (hashKey, blockKey, tagKey []byte) {
	tb.Helper()
	const info = "authcode login v3"
	pseudorandom, err := hkdf.Extract(sha256.New, key, nil)
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := hkdf.Expand(sha256.New, pseudorandom, info, 96)
	if err != nil {
		tb.Fatal(err)
	}
	return keys[:32], keys[32:64], keys[64:]
}

func tagOf(tagKey []byte, s state) []byte { return signatureOf(tagKey, s)[:10] }

// signatureOf is the keyed hash that has the tag and the id of s.
func signatureOf(tagKey []byte, s state) []byte {
	sum := sha256.New()
	sum.Write(tagKey)
	sum.Write(s[:22])
	return sum.Sum(nil)
}

// nameOf is the name of the cookie of s.
func nameOf(c *Client, s *state) string {
	_, id := c.sealers[0].sign(s)
	return c.cookieName(s.started(), id)
}

func TestStateLayout(t *testing.T) {
	c := stateClient(t, nil)
	_, _, tagKey := derived(t, stateKey)
	now := time.UnixMilli(1_800_000_000_123)
	for _, elsewhere := range []bool{false, true} {
		s, _, id := c.sealers[0].newLogin(now.Add(999*time.Microsecond), elsewhere)
		if !s.started().Equal(now) || s.onOtherHost() != elsewhere {
			t.Errorf("started %v, elsewhere %v; want %v, %v", s.started(), s.onOtherHost(), now,
				elsewhere)
		}
		stamp := binary.BigEndian.Uint64(append([]byte{0, 0}, s[16:22]...))
		if stamp>>1 != uint64(now.UnixMilli()) || stamp&1 == 1 != elsewhere {
			t.Errorf("bytes 16 to 21 are %x", s[16:22])
		}
		if !bytes.Equal(s[22:], tagOf(tagKey, s)) {
			t.Errorf("the tag %x is not the hash with the third key", s[22:])
		}
		if !bytes.Equal(id[:], signatureOf(tagKey, s)[10:26]) {
			t.Errorf("the id %x is not the next 128 bits of the hash", id)
		}
		text := s.encode().String()
		if back, ok := parseState(text); !ok || back != s || len(text) != 43 ||
			strings.Trim(text, urlSafe) != "" {
			t.Errorf("%q does not read back as the state", text)
		}
	}
}

const urlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestStateText(t *testing.T) {
	zero := strings.Repeat("A", 43)
	for claim, text := range map[string]string{
		"the empty state is refused":                          "",
		"a state that is cut is refused":                      zero[:42],
		"a state with a character more is refused":            zero + "A",
		"padding is refused":                                  zero + "=",
		"another spelling of the last bits is refused":        zero[:42] + "B",
		"a line break inside is refused":                      zero[:20] + "\n" + zero[:22],
		"a line break at the end is refused":                  zero + "\n",
		"the standard alphabet is refused":                    zero[:40] + "+/A",
		"a space is refused":                                  zero[:42] + " ",
		"four line breaks in place of one byte are refused":   zero[:39] + "\r\n\r\n",
		"characters of other scripts are refused as any byte": zero[:41] + "é",
	} {
		t.Run(claim, func(t *testing.T) {
			if _, ok := parseState(text); ok {
				t.Errorf("%q was read", text)
			}
		})
	}
	if _, ok := parseState(zero); !ok {
		t.Error("43 characters of base64url are refused")
	}
}

func TestStatesAndVerifiersNeverRepeat(t *testing.T) {
	c := stateClient(t, nil)
	now := time.Now()
	seen := make(map[string]bool)
	ones := make([]int, 48) // how often the first bit of each random byte is set
	const logins = 10_000
	for range logins {
		s, v, _ := c.sealers[0].newLogin(now, false)
		random := slices.Concat(s[:16], v[:])
		for i, b := range random {
			ones[i] += bits.OnesCount8(b & 0x80)
		}
		// Parts of one size: the verifier must not have any of the state either.
		for part := range slices.Chunk(random, 8) {
			if seen[string(part)] {
				t.Fatalf("%x repeats", part)
			}
			seen[string(part)] = true
		}
	}
	for i, n := range ones {
		if n < logins*4/10 || n > logins*6/10 {
			t.Errorf("random byte %d: its first bit is set in %d of %d logins", i, n, logins)
		}
	}
}

func TestEveryBitOfAStateCounts(t *testing.T) {
	c := stateClient(t, nil)
	s, _, _ := c.sealers[0].newLogin(time.Now(), false)
	if k, _ := c.sealerFor(&s); k == nil {
		t.Fatal("the state itself is refused")
	}
	for bit := range len(s) * 8 {
		forged := s
		forged[bit/8] ^= 1 << (bit % 8)
		if k, _ := c.sealerFor(&forged); k != nil {
			t.Errorf("a state with bit %d turned over is taken for ours", bit)
		}
	}
}

// TestStateInAnotherSpelling: two bits at the end of a state mean nothing. With
// one of them set it is refused, and nothing of it is left.
func TestStateInAnotherSpelling(t *testing.T) {
	s := state{31: 0x10} // ends in E, and F would mean the same
	for end, same := range map[string]bool{"E": true, "F": false, "G": false, "!": false} {
		got, ok := parseState(s.encode().String()[:42] + end)
		if ok != same || !ok && got != (state{}) {
			t.Errorf("ending in %s it is read as %x, %t", end, got, ok)
		}
	}
}

// TestNoAnswerWithoutFormPost: without form_post no callback is answered by
// another redirect, whatever its cookie looks like.
func TestNoAnswerWithoutFormPost(t *testing.T) {
	for _, formPost := range []bool{true, false} {
		c := stateClient(t, func(c *Config) { c.Provider.FormPost = formPost })
		s, _, _ := c.sealers[0].newLogin(time.Now(), false)
		r := httptest.NewRequest("GET", "/callback", nil)
		r.AddCookie(&http.Cookie{Name: nameOf(c, &s), Value: answerMark + "x"})
		if _, ok := c.isAnswered(r, s.encode().String()); ok != formPost {
			t.Errorf("with FormPost %t: answered is %t", formPost, ok)
		}
	}
}

// TestUnmarshalAnswer: bytes that marshalAnswer did not write are refused,
// although the app's own key has sealed them.
func TestUnmarshalAnswer(t *testing.T) {
	c := stateClient(t, nil)
	good := c.marshalAnswer(stateAttempt(c, time.Now()), url.Values{"code": {"c0de"}})
	if _, params, _, err := c.unmarshalAnswer(good); err != nil || params.Get("code") != "c0de" {
		t.Fatalf("the answer itself: %v, %v", params, err)
	}
	version := slices.Clone(good)
	version[0]++
	badAttempt := appendText(binary.AppendVarint([]byte{answerVersion}, 1), "no attempt")
	for claim, b := range map[string][]byte{
		"nothing":                       nil,
		"another version":               version,
		"a parameter cut off":           good[:len(good)-1],
		"something else for an attempt": badAttempt,
	} {
		if _, _, _, err := c.unmarshalAnswer(b); err == nil {
			t.Errorf("%s is read", claim)
		}
	}
}

func stateAttempt(c *Client, start time.Time) *attempt {
	a, _ := statedAttempt(c, start)
	return a
}

// statedAttempt returns the state, too.
func statedAttempt(c *Client, start time.Time) (*attempt, state) {
	a := &attempt{choices: choices{returnTo: "/orders?page=2#open", scopes: c.scopes, maxAge: -1}}
	var s state
	s, a.verifier, a.id = c.sealers[0].newLogin(start, false)
	a.started = s.started()
	return a, s
}

// TestLoginLifetime: the age of a login is judged by the state's own start, to
// the millisecond.
func TestLoginLifetime(t *testing.T) {
	for _, c := range []struct {
		claim string
		age   time.Duration
		fresh bool
	}{
		{"a login of this moment is fresh", 0, true},
		{"a login of ten minutes is fresh", 10 * time.Minute, true},
		{"a login of ten minutes and a millisecond is not", 10*time.Minute + time.Millisecond,
			false},
		{"a login by a clock a minute ahead is fresh", -time.Minute, true},
		{"a login by a clock further ahead is not", -time.Minute - time.Millisecond, false},
		{"a login of 1970 is not fresh", 56 * 365 * 24 * time.Hour, false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			client := stateClient(t, nil)
			bubble.Test(t, func(t *testing.T) {
				time.Sleep(57 * 365 * 24 * time.Hour) // the bubble's clock begins in 2000
				a, s := statedAttempt(client, time.Now().Add(-c.age))
				value, err := client.sealers[0].seal(nameOf(client, &s), a.marshal(nil))
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequest("GET", "/callback", nil)
				want := map[bool]Reason{true: NoLogin, false: Expired}[c.fresh]
				if _, err := client.pendingLogin(r, s.encode().String()); asError(err).Reason != want {
					t.Errorf("without its cookie: %v, want %s", err, want)
				}
				r.AddCookie(&http.Cookie{Name: nameOf(client, &s), Value: value})
				got, failure := client.pendingLogin(r, s.encode().String())
				// An expired one comes with the error, for its return path.
				if got == nil || (failure == nil) != c.fresh ||
					!c.fresh && asError(failure).Reason != Expired {
					t.Errorf("with its cookie: %v, %v", got, failure)
				}
			})
		})
	}
}

// asError returns the *Error that err is, or an empty one.
func asError(err error) *Error {
	e := new(Error)
	errors.As(err, &e)
	return e
}
