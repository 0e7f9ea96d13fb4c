package authcode

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/once"
)

func TestCookieName(t *testing.T) {
	form := regexp.MustCompile(`^__Host-login-idp-1-([0-9a-z]+)-([0-9a-v]{26})$`)
	https := stateClient(t, nil)
	loopback := stateClient(t, func(c *Config) { c.RedirectURL = "http://[::1]:8080/callback" })
	start := time.UnixMilli(1_800_000_000_123)
	ids := make(map[string]bool)
	for range 100 {
		_, _, id := https.sealers[0].newLogin(start, false)
		name := https.cookieName(start, id)
		parts := form.FindStringSubmatch(name)
		if parts == nil || parts[1] != "mywpiwzf" {
			t.Fatalf("the name %q does not have the form PREFIX-NAME-T-ID, T in base36", name)
		}
		if ids[parts[2]] || parts[2] != strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:])) {
			t.Errorf("%q does not have the id %x", name, id)
		}
		ids[parts[2]] = true
		if at, named, ok := https.parseCookieName(name); !ok || !at.Equal(start) || named != id {
			t.Errorf("%q: start %v, id %x, %v", name, at, named, ok)
		}
		if got, want := loopback.cookieName(start, id), strings.TrimPrefix(name, "__Host-"); got != want {
			t.Errorf("over loopback http the name is %q, want %q", got, want)
		}
	}
}

func TestParseCookieName(t *testing.T) {
	const id = "-0123456789abcdefghijklmnv0"
	for _, c := range []struct {
		claim, name string
		want        int64 // -1: not a login cookie
	}{
		{"a login of another Client counts", "__Host-login-other-rs" + id, 1000},
		{"a provider's name may have dashes", "__Host-login-a--b--rs" + id, 1000},
		{"a start of zero counts", "__Host-login-x-0" + id, 0},
		{"without the prefix it is not a login", "login-x-rs" + id, -1},
		{"an app's own cookie is not a login", "__Host-login", -1},
		{"without a provider's name it is not a login", "__Host-login-rs" + id, -1},
		{"with an empty provider's name it is not a login", "__Host-login--rs" + id, -1},
		{"a name in capitals is not a provider's", "__Host-login-X-rs" + id, -1},
		{"a name of 25 characters is not a provider's",
			"__Host-login-" + strings.Repeat("x", 25) + "-rs" + id, -1},
		{"without a start it is not a login", "__Host-login-x-" + id, -1},
		{"a start in another notation is refused", "__Host-login-x-r.s" + id, -1},
		{"a negative start is refused", "__Host-login-x--rs-", -1},
		{"a start beyond 64 bits is refused", "__Host-login-x-zzzzzzzzzzzzzz" + id, -1},
		{"an id outside its alphabet is refused", "__Host-login-x-rs-0123456789abcdefghijklmnw0", -1},
		{"another spelling of an id is refused", "__Host-login-x-rs-0123456789abcdefghijklmnv1", -1},
		{"an id of zeros is refused", "__Host-login-x-rs-" + strings.Repeat("0", 26), -1},
		{"an id that is cut is refused", "__Host-login-x-rs" + id[:26], -1},
		{"an id without its dash is refused", "__Host-login-x-rs0" + id[1:], -1},
	} {
		t.Run(c.claim, func(t *testing.T) {
			at, _, ok := stateClient(t, nil).parseCookieName(c.name)
			if ok != (c.want >= 0) || ok && at.UnixMilli() != c.want {
				t.Errorf("%q: got %v, %v", c.name, at, ok)
			}
		})
	}
}

// TestParseID: only an id in its one spelling is read.
func TestParseID(t *testing.T) {
	const good = "0123456789abcdefghijklmnv0"
	for _, c := range []struct {
		claim, text string
		ok          bool
	}{
		{"an id is read", good, true},
		{"a longer text is refused", good + strings.Repeat("0", 42), false},
		{"a shorter text is refused", good[:20], false},
		{"an empty text is refused", "", false},
		{"another spelling is refused", good[:25] + "1", false},
		{"line breaks are refused", good[:24] + "\r\n", false},
	} {
		if id := parseID(c.text); (id != once.ID{}) != c.ok {
			t.Errorf("%s: %q is read as %x", c.claim, c.text, id)
		}
	}
}

// pendingCookie is a login cookie of some Client, begun age ago, of size bytes
// in the header.
func pendingCookie(now time.Time, label byte, age time.Duration, size int) *http.Cookie {
	name := fmt.Sprintf("__Host-login-x-%s-%s", base36(now.Add(-age)),
		strings.Repeat(string(label), 25)+"0")
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

// held is a login cookie that the browser brings along; without a label, a
// large cookie of the app's own.
type held struct {
	label byte
	age   time.Duration
	size  int // in the header
}

// excess are the logins that a browser holds when another begins.
var excess = []struct {
	claim   string
	pending []held
	size    int    // of the new one
	want    string // labels of those that go, in any order
}{
	{"four others may stay",
		[]held{{'a', 4 * sec, 300}, {'b', 3 * sec, 300}, {'c', 2 * sec, 300}, {'d', sec, 300}}, 297,
		""},
	{"of five others the oldest goes", []held{{'a', 4 * sec, 300}, {'b', 3 * sec, 300},
		{'c', 5 * sec, 300}, {'d', sec, 300}, {'e', 2 * sec, 300}}, 297, "c"},
	{"of six others the two oldest go", []held{{'a', 6 * sec, 90}, {'b', 3 * sec, 90},
		{'c', 5 * sec, 90}, {'d', sec, 90}, {'e', 2 * sec, 90}, {'f', 4 * sec, 90}}, 297, "ac"},
	{"within a millisecond the earlier in the header goes", []held{{'a', sec, 90}, {'b', sec, 90},
		{'c', sec, 90}, {'d', sec, 90}, {'e', sec, 90}}, 297, "a"},
	{"2,500 bytes may stay", []held{{'a', 2 * sec, 1000}, {'b', sec, 1000}}, 497, ""},
	{"one byte more and the oldest goes", []held{{'a', 2 * sec, 1000}, {'b', sec, 1000}}, 498, "a"},
	{"a large new one leaves no room", []held{{'a', 2 * sec, 300}, {'b', sec, 800}}, 1797, "ab"},
	{"a login of ten minutes stays", []held{{'a', 10 * time.Minute, 300}}, 297, ""},
	{"a login of over ten minutes goes",
		[]held{{'a', 10*time.Minute + time.Millisecond, 300}}, 297, "a"},
	{"a login a minute ahead stays", []held{{'a', -time.Minute, 300}}, 297, ""},
	{"a login from further ahead goes",
		[]held{{'a', -time.Minute - time.Millisecond, 300}}, 297, "a"},
	{"one from far ahead pushes out no login", []held{{'a', 4 * sec, 300}, {'b', 3 * sec, 300},
		{'c', -time.Hour, 300}, {'d', sec, 300}}, 297, "c"},
	{"the app's own cookies stay and do not count", []held{{}, {'a', sec, 300}}, 297, ""},
	{"a cookie that came twice goes once",
		[]held{{'a', time.Hour, 300}, {'a', time.Hour, 300}}, 297, "a"},
}

const sec = time.Second

func TestExcess(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	for _, row := range excess {
		t.Run(row.claim, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/login", nil)
			for _, h := range row.pending {
				if h.label == 0 {
					r.AddCookie(&http.Cookie{Name: "session", Value: strings.Repeat("v", 3000)})
					continue
				}
				r.AddCookie(pendingCookie(now, h.label, h.age, h.size))
			}
			var gone []string
			for _, name := range stateClient(t, nil).excessLogins(r, now, row.size) {
				gone = append(gone, name[len(name)-2:len(name)-1])
			}
			slices.Sort(gone)
			if got := strings.Join(gone, ""); got != row.want {
				t.Errorf("%q go, want %q", got, row.want)
			}
		})
	}
}

// TestExcessIsBounded: one answer expires twenty cookies at most, whatever a
// browser brings.
func TestExcessIsBounded(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	r := httptest.NewRequest("GET", "/login", nil)
	for i := range 200 {
		r.AddCookie(pendingCookie(now, 'a', time.Duration(i)*time.Second, 60))
	}
	if names := stateClient(t, nil).excessLogins(r, now, 400); len(names) != 20 {
		t.Errorf("%d cookies are expired, want 20", len(names))
	}
}

// TestCookieSize: a login cookie has 1,800 bytes at most, or the login does not
// begin.
func TestCookieSize(t *testing.T) {
	c := stateClient(t, nil)
	largest := 0
	for size := 400; size < 1200; size += 7 {
		a := stateAttempt(c, time.Now())
		a.values = map[string]string{"k": strings.Repeat("v", size)}
		rec := httptest.NewRecorder()
		err := c.setLogin(rec, httptest.NewRequest("GET", "/login", nil), a, nil)
		cookies := rec.Result().Cookies()
		switch {
		case err == nil && len(cookies) == 1:
			largest = len(cookies[0].Name) + len(cookies[0].Value)
		case err == nil || asError(err).Check != "login.size" ||
			asError(err).Reason != Configuration || len(cookies) != 0:
			t.Errorf("%d bytes of values: %v, %d cookies", size, err, len(cookies))
		}
	}
	if largest < 1750 || largest > 1800 {
		t.Errorf("the largest cookie has %d bytes, want close to 1,800", largest)
	}
}

// TestAnswerOfAnotherVersion: what another version has sealed is refused, and not
// misread.
func TestAnswerOfAnotherVersion(t *testing.T) {
	c := stateClient(t, nil)
	a := stateAttempt(c, time.Now())
	name := c.cookieName(a.started, a.id)
	good := c.marshalAnswer(a, url.Values{"code": {"x"}})
	for check, plain := range map[string][]byte{
		"": good, "cookie.seal": append([]byte{answerVersion + 1}, good[1:]...),
	} {
		value, err := c.sealers[0].seal(name+answerMark, plain)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/callback", nil)
		r.AddCookie(&http.Cookie{Name: name, Value: answerMark + value})
		_, _, err = c.openAnswer(r, url.Values{answerParam: {nameID(name)}})
		if err != nil && asError(err).Check != check || err == nil && check != "" {
			t.Errorf("got %v, want %q", err, check)
		}
	}
}
