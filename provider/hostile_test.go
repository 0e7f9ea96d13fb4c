package provider_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
)

const adaVerified, adaUnverified, noAddress = "ada@example.com", "unverified", "none"

var emailLists = []struct{ name, list, want string }{
	{"one", `[{"email":"ada@example.com","primary":true,"verified":true}]`, adaVerified},
	{"two primary ones", `[{"email":"ada@example.com","primary":true,"verified":false},
		{"email":"evil@example.com","primary":true,"verified":true}]`, adaUnverified},
	{"a verified one that is not primary", `[{"email":"ada@example.com","primary":true,"verified":false},
		{"email":"evil@example.com","primary":false,"verified":true}]`, adaUnverified},
	{"a primary one without an address", `[{"primary":true,"verified":true}]`, noAddress},
	{"an address that is no text", `[{"email":["ada@example.com"],"primary":true,"verified":true}]`, noAddress},
	{"an empty address", `[{"email":"","primary":true,"verified":true}]`, noAddress},
	{"primary as text", `[{"email":"ada@example.com","primary":"true","verified":true}]`, noAddress},
	{"primary as number", `[{"email":"ada@example.com","primary":1,"verified":true}]`, noAddress},
	{"verified as text", `[{"email":"ada@example.com","primary":true,"verified":"true"}]`, noAddress},
	{"nothing on verification", `[{"email":"ada@example.com","primary":true}]`, noAddress},
	{"no address", `[]`, noAddress},
	{"null", `null`, noAddress},
	{"an object", `{"email":"ada@example.com","primary":true,"verified":true}`, ""},
	{"texts", `["ada@example.com"]`, ""},
	{"an element that is null", `[null]`, ""},
	{"two flags", `[{"email":"ada@example.com","primary":true,"verified":false,"verified":true}]`, ""},
	{"two flags that differ by case", `[{"email":"ada@example.com","primary":true,"Verified":false,"verified":true}]`, ""},
	{"two lists", `[][]`, ""},
	{"bad UTF-8", "[{\"email\":\"\xff\",\"primary\":true,\"verified\":true}]", ""},
	{"nesting", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), ""},
}

// TestEmailList: of a list of addresses the first that is primary counts, with its own flag, and a list that
// two readers could read differently refuses the login.
func TestEmailList(t *testing.T) {
	t.Parallel()
	for _, c := range emailLists {
		t.Run(c.name, func(t *testing.T) {
			r, s, a := play(t, "GitHub")
			s.emails = &reply{body: c.list}
			a.signIn(t)
			if c.want == "" {
				a.wantFailure(t, authcode.IdentityRefused, "profile.emails")
				return
			}
			want := r.want
			want.Email, want.EmailVerified = adaVerified, c.want == adaVerified
			if c.want == noAddress {
				want.Email = ""
			}
			a.wantLogin(t, want)
		})
	}
}

// TestHostileProfile: what is not of its type is not there, and what two readers could read differently
// is nobody.
func TestHostileProfile(t *testing.T) {
	for _, c := range []struct{ fn, old, text, check string }{
		{"Discord", `"username":"nelly"`, `"username":{"a":1}`, ""},
		{"Discord", `"avatar":"8342729096ea3675"`, `"avatar":["x"]`, ""},
		{"Discord", `"email":"nelly@example.com"`, `"email":["nelly@example.com"]`, ""},
		{"Discord", `"email":"nelly@example.com"`, `"Email":"nelly@example.com"`, ""},
		{"Discord", `"id":`, `"id":"1","id":`, "profile.form"},
		{"Discord", `"id":`, `"\u0049d":"1","id":`, "profile.form"},
		{"Discord", `"id":"80351110224678912"`, `"ID":"80351110224678912"`, "profile.id"},
		{"Notion", `"id":"5389a034"`, `"id":"5389a034","id":"x"`, "profile.id"}, // the other one is deeper down
		{"Notion", `"bot":{"owner"`, `"bot":{"Owner":{"user":{"id":"evil"}},"owner"`, "profile.id"},
		{"Notion", `{"object":"user","id":"5389a034"`, `[{"object":"user","id":"5389a034"`, "profile.form"},
		{"TikTok", `{"user":{"avatar_url"`, `{"user":"723f24d7","x":{"avatar_url"`, "profile.id"},
		{"X", `{"data":{`, `{"errors":[{"title":"Forbidden"}],"x":{`, "profile.id"},
	} {
		r, s, a := play(t, c.fn)
		s.rewrite(t, c.old, c.text)
		a.signIn(t)
		if c.check != "" {
			a.wantFailure(t, authcode.IdentityRefused, c.check)
			continue
		}
		want := r.want
		switch {
		case strings.Contains(c.old, "username"):
			want.Name = ""
		case strings.Contains(c.old, "avatar"):
			want.Picture = ""
		default:
			want.Email, want.EmailVerified = "", false
		}
		a.wantLogin(t, want)
	}
}

// TestProfileBomb: the limit counts what comes out of a compressed answer.
func TestProfileBomb(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(`{"id":7,"x":"`))
	w.Write(bytes.Repeat([]byte("a"), 32<<20))
	w.Write([]byte(`"}`))
	if err := w.Close(); err != nil || packed.Len() > 256<<10 {
		t.Fatal(err, packed.Len())
	}
	_, s, a := play(t, "GitHub")
	bomb := &reply{header: [2]string{"Content-Encoding", "gzip"}, body: packed.String()}
	s.profile = bomb
	a.signIn(t)
	a.wantFailure(t, authcode.BadAnswer, "profile.size")
	s.reset(t)
	s.emails = bomb
	a.signIn(t)
	a.wantFailure(t, authcode.BadAnswer, "profile.size")
}

// stalled keeps requests to one host until they are given up, or breaks them.
type stalled struct {
	next http.RoundTripper
	host string
	fail bool
	end  bool // the whole answer comes, and its end with the deadline
}

func (s stalled) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Host != s.host:
		return s.next.RoundTrip(r)
	case s.fail:
		return nil, errors.New("a text with " + accessToken)
	}
	if s.end {
		body := io.MultiReader(strings.NewReader(`{"id":7}`), ending{r.Context()})
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// ending is the end of a body, which comes with the deadline: to net/http it is an end like any other.
type ending struct{ context.Context }

func (e ending) Read([]byte) (int, error) {
	<-e.Done()
	return 0, io.EOF
}

// TestProfileUnreachable: the caller's deadline counts, and no text of a transport's shows.
func TestProfileUnreachable(t *testing.T) {
	t.Parallel()
	_, s, a := play(t, "GitHub")
	transport := func(fail, end bool) func(*authcode.Config) {
		return func(cfg *authcode.Config) {
			cfg.Wrap = through(stalled{s, "api.github.com", fail, end})
		}
	}
	a.signIn(t, transport(true, false))
	a.wantFailure(t, authcode.Unreachable, "profile.unreachable")

	s.reset(t)
	began := time.Now()
	a.deadline = 300 * time.Millisecond
	for _, end := range []bool{false, true} {
		s.reset(t)
		a.signIn(t, transport(false, end))
		a.wantFailure(t, authcode.Timeout, "provider.timeout")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
