package authcode

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// sealedBy reports, without securecookie, that value is authenticated for name with hashKey.
func sealedBy(hashKey []byte, name, value string) bool {
	raw, err := base64.URLEncoding.DecodeString(value)
	parts := strings.SplitN(string(raw), "|", 3)
	if err != nil || len(parts) != 3 {
		return false
	}
	mac := hmac.New(sha256.New, hashKey)
	mac.Write([]byte(name + "|" + parts[0] + "|" + parts[1]))
	return hmac.Equal(mac.Sum(nil), []byte(parts[2]))
}

// decrypted returns what AES-CTR with blockKey makes of value's middle part.
func decrypted(t *testing.T, blockKey []byte, value string) []byte {
	t.Helper()
	raw, err := base64.URLEncoding.DecodeString(value)
	parts := strings.SplitN(string(raw), "|", 3)
	if err != nil || len(parts) != 3 {
		t.Fatalf("%q is not date|ciphertext|mac", raw)
	}
	data, err := base64.URLEncoding.DecodeString(parts[1])
	block, errKey := aes.NewCipher(blockKey)
	if err != nil || errKey != nil || len(data) < aes.BlockSize {
		t.Fatal(err, errKey, len(data))
	}
	plain := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCTR(block, data[:aes.BlockSize]).XORKeyStream(plain, data[aes.BlockSize:])
	return plain
}

func TestCookieName(t *testing.T) {
	form := regexp.MustCompile(`^__Host-login-idp-1-([0-9a-z]+)-([0-9a-v]{16})$`)
	https, loopback := stateClient(t, nil), stateClient(t, func(c *Config) { c.RedirectURL = "http://[::1]:8080/callback" })
	start := time.UnixMilli(1_800_000_000_123)
	hashes := make(map[string]bool)
	for range 100 {
		s, _ := https.sealers[0].newLogin(start, false)
		name := https.cookieName(&s)
		parts := form.FindStringSubmatch(name)
		if parts == nil || parts[1] != "mywpiwzf" {
			t.Fatalf("the name %q has not the form PREFIX-NAME-T-HASH, T in base36", name)
		}
		sum := sha256.Sum256(s[:])
		if hashes[parts[2]] || parts[2] != strings.ToLower(base32.HexEncoding.EncodeToString(sum[:10])) {
			t.Errorf("%q: the hash is not that of the state", name)
		}
		hashes[parts[2]] = true
		if at, ok := https.cookieStart(name); !ok || !at.Equal(start) {
			t.Errorf("%q: start %v, %v", name, at, ok)
		}
		if got, want := loopback.cookieName(&s), strings.TrimPrefix(name, "__Host-"); got != want {
			t.Errorf("over loopback http the name is %q, want %q", got, want)
		}
	}
}

func TestCookieStart(t *testing.T) {
	const hash = "-0123456789abcdev"
	for _, c := range []struct {
		claim, name string
		want        int64 // -1: not a login cookie
	}{
		{"a login of another Client counts", "__Host-login-other-rs" + hash, 1000},
		{"a provider's name may have dashes", "__Host-login-a--b--rs" + hash, 1000},
		{"a start of zero counts", "__Host-login-x-0" + hash, 0},
		{"without the prefix it is no login", "login-x-rs" + hash, -1},
		{"an app's own cookie is no login", "__Host-login", -1},
		{"without a provider's name it is no login", "__Host-login-rs" + hash, -1},
		{"with an empty provider's name it is no login", "__Host-login--rs" + hash, -1},
		{"a name in capitals is no provider's", "__Host-login-X-rs" + hash, -1},
		{"a name of 25 characters is no provider's", "__Host-login-" + strings.Repeat("x", 25) + "-rs" + hash, -1},
		{"without a start it is no login", "__Host-login-x-" + hash, -1},
		{"a start in another notation is none", "__Host-login-x-r.s" + hash, -1},
		{"a negative start is none", "__Host-login-x--rs-", -1},
		{"a start beyond 64 bits is none", "__Host-login-x-zzzzzzzzzzzzzz" + hash, -1},
		{"a hash outside its alphabet is none", "__Host-login-x-rs-0123456789abcdew", -1},
		{"a hash that is cut is none", "__Host-login-x-rs" + hash[:16], -1},
		{"a hash without its dash is none", "__Host-login-x-rs0" + hash[1:], -1},
	} {
		t.Run(c.claim, func(t *testing.T) {
			at, ok := stateClient(t, nil).cookieStart(c.name)
			if ok != (c.want >= 0) || ok && at.UnixMilli() != c.want {
				t.Errorf("%q: got %v, %v", c.name, at, ok)
			}
		})
	}
}

// pendingCookie is a login cookie of some Client, begun age ago, of size bytes in the header.
func pendingCookie(now time.Time, label byte, age time.Duration, size int) *http.Cookie {
	name := fmt.Sprintf("__Host-login-x-%s-%s", base36(now.Add(-age)), strings.Repeat(string(label), 16))
	return &http.Cookie{Name: name, Value: strings.Repeat("v", max(size-len(name)-3, 0))}
}

func base36(at time.Time) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	var b []byte
	for n := at.UnixMilli(); n > 0; n /= 36 {
		b = append(b, digits[n%36])
	}
	slices.Reverse(b)
	return string(b)
}

func TestExcess(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	at := func(label byte, age time.Duration, size int) *http.Cookie {
		return pendingCookie(now, label, age, size)
	}
	const s, m = time.Second, time.Minute
	for _, c := range []struct {
		claim   string
		pending []*http.Cookie
		size    int    // of the new one
		want    string // labels of those that go, in any order
	}{
		{"four others may stay", []*http.Cookie{at('a', 4*s, 300), at('b', 3*s, 300), at('c', 2*s, 300), at('d', s, 300)}, 297, ""},
		{"of five others the oldest goes", []*http.Cookie{at('a', 4*s, 300), at('b', 3*s, 300), at('c', 5*s, 300), at('d', s, 300), at('e', 2*s, 300)}, 297, "c"},
		{"of six others the two oldest go", []*http.Cookie{at('a', 6*s, 90), at('b', 3*s, 90), at('c', 5*s, 90), at('d', s, 90), at('e', 2*s, 90), at('f', 4*s, 90)}, 297, "ac"},
		{"within a millisecond the earlier in the header goes", []*http.Cookie{at('a', s, 90), at('b', s, 90), at('c', s, 90), at('d', s, 90), at('e', s, 90)}, 297, "a"},
		{"2,500 bytes may stay", []*http.Cookie{at('a', 2*s, 1000), at('b', s, 1000)}, 497, ""},
		{"one byte more and the oldest goes", []*http.Cookie{at('a', 2*s, 1000), at('b', s, 1000)}, 498, "a"},
		{"a large new one leaves no room", []*http.Cookie{at('a', 2*s, 300), at('b', s, 800)}, 1797, "ab"},
		{"a login of ten minutes stays", []*http.Cookie{at('a', 10*m, 300)}, 297, ""},
		{"a login of over ten minutes goes", []*http.Cookie{at('a', 10*m+time.Millisecond, 300)}, 297, "a"},
		{"a login a minute ahead stays", []*http.Cookie{at('a', -m, 300)}, 297, ""},
		{"a login from further ahead goes", []*http.Cookie{at('a', -m-time.Millisecond, 300)}, 297, "a"},
		{"one from far ahead pushes out no login", []*http.Cookie{at('a', 4*s, 300), at('b', 3*s, 300), at('c', -time.Hour, 300), at('d', s, 300)}, 297, "c"},
		{"the app's own cookies stay and do not count", []*http.Cookie{{Name: "session", Value: strings.Repeat("v", 3000)}, at('a', s, 300)}, 297, ""},
		{"a cookie that came twice goes once", []*http.Cookie{at('a', time.Hour, 300), at('a', time.Hour, 300)}, 297, "a"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/login", nil)
			for _, cookie := range c.pending {
				r.AddCookie(cookie)
			}
			var gone []string
			for _, name := range stateClient(t, nil).excess(r, now, c.size) {
				gone = append(gone, name[len(name)-1:])
			}
			slices.Sort(gone)
			if got := strings.Join(gone, ""); got != c.want {
				t.Errorf("%q go, want %q", got, c.want)
			}
		})
	}
}

// One answer expires twenty cookies at most, whatever a browser brings.
func TestExcessIsBounded(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	r := httptest.NewRequest("GET", "/login", nil)
	for i := range 200 {
		r.AddCookie(pendingCookie(now, 'a', time.Duration(i)*time.Second, 60))
	}
	if names := stateClient(t, nil).excess(r, now, 400); len(names) != 20 {
		t.Errorf("%d cookies are expired, want 20", len(names))
	}
}

func TestOpenLogin(t *testing.T) {
	c := stateClient(t, nil)
	k := c.sealers[0]
	mine, other := stateAttempt(c, time.Now()), stateAttempt(c, time.Now())
	name, otherName := c.cookieName(&mine.state), c.cookieName(&other.state)
	seal := func(name string, plain []byte) string {
		value, err := k.seal(name, plain)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	good := seal(name, mine.marshal())
	for _, row := range []struct {
		claim   string
		cookies []http.Cookie
		check   string // of the Error; "" for none
		found   bool
	}{
		{"the login's own cookie opens", []http.Cookie{{Name: name, Value: good}}, "", true},
		{"it opens among the cookies of others", []http.Cookie{{Name: otherName, Value: "x"}, {Name: name, Value: good}, {Name: "session"}}, "", true},
		{"without cookies there is no login", nil, "", false},
		{"another login's cookie is not looked at", []http.Cookie{{Name: otherName, Value: seal(otherName, other.marshal())}}, "", false},
		{"two of the name are refused", []http.Cookie{{Name: name, Value: good}, {Name: name, Value: good}}, "cookie.repeated", false},
		{"two of the name are refused, the good one first", []http.Cookie{{Name: name, Value: good}, {Name: name, Value: "x"}}, "cookie.repeated", false},
		{"another login's cookie under this name is refused", []http.Cookie{{Name: name, Value: seal(otherName, other.marshal())}}, "cookie.seal", false},
		{"another login sealed under this name is refused", []http.Cookie{{Name: name, Value: seal(name, other.marshal())}}, "cookie.state", false},
		{"what is sealed but no login is refused", []http.Cookie{{Name: name, Value: seal(name, []byte("x"))}}, "cookie.state", false},
		{"an empty value is refused", []http.Cookie{{Name: name}}, "cookie.seal", false},
		{"a value of over 1,800 bytes is refused", []http.Cookie{{Name: name, Value: good + strings.Repeat("A", 1800)}}, "cookie.seal", false},
	} {
		t.Run(row.claim, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/callback", nil)
			for _, cookie := range row.cookies {
				r.AddCookie(&cookie)
			}
			a, err := c.openLogin(r, &mine.state, k)
			if check := asError(err).Check; check != row.check || (a != nil) != row.found || a != nil && !reflect.DeepEqual(a, mine) {
				t.Errorf("got %+v, %v; want %q", a, err, row.check)
			}
		})
	}
}

// A login cookie has 1,800 bytes at most, or there is none.
func TestCookieSize(t *testing.T) {
	c := stateClient(t, nil)
	largest := 0
	for size := 400; size < 1200; size += 7 {
		a := stateAttempt(c, time.Now())
		a.values = map[string]string{"k": strings.Repeat("v", size)}
		rec := httptest.NewRecorder()
		err := c.setLogin(rec, httptest.NewRequest("GET", "/login", nil), a)
		cookies := rec.Result().Cookies()
		switch {
		case err == nil && len(cookies) == 1:
			largest = len(cookies[0].Name) + len(cookies[0].Value)
		case err == nil || asError(err).Check != "login.size" || asError(err).Reason != Configuration || len(cookies) != 0:
			t.Errorf("%d bytes of values: %v, %d cookies", size, err, len(cookies))
		}
	}
	if largest < 1750 || largest > 1800 {
		t.Errorf("the largest cookie has %d bytes, want close to 1,800", largest)
	}
}
