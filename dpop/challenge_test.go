package dpop_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"example.com/authcode/internal/headers"
)

// asksNonce reports whether an APIClient takes a 401 with these fields of WWW-Authenticate for the demand for a
// nonce, and so sends the request again.
func asksNonce(t testing.TB, b authcode.Binding, fields ...string) bool {
	t.Helper()
	n := 0
	base := transport(func(*http.Request) *http.Response {
		n++
		return answer(401, http.Header{"Www-Authenticate": fields, "Dpop-Nonce": {rand.Text()}})
	})
	r, _ := http.NewRequest("GET", "https://api.example/", nil)
	resp, err := newAPI(t, b, base, "").RoundTrip(r)
	if err != nil || resp.StatusCode != 401 || n > 2 {
		t.Fatalf("%v, %v, %d requests", resp, err, n)
	}
	return n == 2
}

// challenges are values of WWW-Authenticate, with whether they demand a nonce.
var challenges = []struct {
	claim string
	want  bool
	field string
}{
	{"the RFC's own", true, `DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof"`},
	{"any case of the scheme", true, `dpOP error="use_dpop_nonce"`},
	{"any case of the name", true, `DPoP Error="use_dpop_nonce"`},
	{"a token as value", true, `DPoP error=use_dpop_nonce`},
	{"a token before a comma", true, `DPoP error=use_dpop_nonce,realm=x`},
	{"spaces around the sign", true, "DPoP error \t= \"use_dpop_nonce\""},
	{"quoted pairs", true, `DPoP error="use_\dpop\_nonce"`},
	{"not first", true, `DPoP algs="ES256 PS256", realm="a, b=\"c\"", error="use_dpop_nonce"`},
	{"without commas", true, `DPoP algs="ES256" error="use_dpop_nonce"`},
	{"empty elements", true, ` , ,DPoP error="use_dpop_nonce",, `},
	{"behind another challenge", true, `Bearer realm="x", error="invalid_token", DPoP error="use_dpop_nonce"`},
	{"behind a scheme alone", true, `Bearer, DPoP error="use_dpop_nonce"`},
	{"behind base64", true, `Negotiate oRQwEq+DC/gEA==, DPoP error="use_dpop_nonce"`},
	{"behind base64 without padding", true, `Negotiate oRQw, DPoP error="use_dpop_nonce"`},
	{"before another", true, `DPoP error="use_dpop_nonce", Bearer error="invalid_token"`},
	{"one of two of the scheme", true, `DPoP error="invalid_token", DPoP error="use_dpop_nonce"`},
	{"nothing", false, ``},
	{"a scheme alone", false, `DPoP`},
	{"a scheme with a word", false, `DPoP use_dpop_nonce`},
	{"another error", false, `DPoP error="invalid_token"`},
	{"another case of the error", false, `DPoP error="USE_DPOP_NONCE"`},
	{"a longer error", false, `DPoP error="use_dpop_nonce "`},
	{"another parameter", false, `DPoP error_description="use_dpop_nonce"`},
	{"another scheme", false, `Bearer error="use_dpop_nonce"`},
	{"a longer scheme", false, `DPoPx error="use_dpop_nonce"`},
	{"of the next challenge", false, `DPoP realm="x", Bearer error="use_dpop_nonce"`},
	{"of the next after base64", false, `DPoP abc==, Bearer error="use_dpop_nonce"`},
	{"inside a quoted string", false, `Bearer realm="DPoP error=use_dpop_nonce"`},
	{"inside a quoted string, with quotes", false, `Bearer realm="x\", DPoP error=\"use_dpop_nonce\""`},
	{"in a string without end", false, `Bearer realm="x, DPoP error=use_dpop_nonce`},
	{"in a string that ends in a backslash", false, `DPoP error="use_dpop_nonce\`},
	{"twice", false, `DPoP error="use_dpop_nonce", error="use_dpop_nonce"`},
	{"twice in other cases", false, `DPoP error="use_dpop_nonce", ERROR="x"`},
	{"without a scheme", false, `error="use_dpop_nonce"`},
	{"no value", false, `DPoP error=, realm="x"`},
	{"no value later", false, `DPoP error="use_dpop_nonce", realm=`},
	{"an unknown scheme", false, `Foo/bar, DPoP error="use_dpop_nonce"`},
	{"a control character", false, "DPoP error=\"use_dpop_nonce\", realm=\"\x00\""},
	{"a delete", false, "DPoP error=\"use_dpop_nonce\", realm=\"\x7f\""},
	{"no token", false, `DPoP error="use_dpop_nonce", (x)`},
}

// TestAsksNonce: the forms that challenges have, in RFC 9110 section 11.6.1 and in the wild.
func TestAsksNonce(t *testing.T) {
	b := dpop.New(newKey(t))
	for _, row := range challenges {
		t.Run(row.claim, func(t *testing.T) {
			if got := asksNonce(t, b, row.field); got != row.want {
				t.Errorf("asksNonce(%s) is %t", row.field, got)
			}
		})
	}
	if !asksNonce(t, b, "(", "Bearer", `DPoP error="use_dpop_nonce"`) || asksNonce(t, b) {
		t.Error("each field counts by itself")
	}
}

// FuzzChallenges: no field makes the parser fail, and what stands inside a quoted string is never more than that.
func FuzzChallenges(f *testing.F) {
	for _, s := range []string{
		`DPoP error="use_dpop_nonce"`, `x", DPoP error="use_dpop_nonce`, `\", DPoP error=use_dpop_nonce, a="`, `Negotiate a==`, "\\", "é",
	} {
		f.Add(s)
	}
	const demand = `DPoP error="use_dpop_nonce"`
	b := dpop.New(newKey(f))
	f.Fuzz(func(t *testing.T, s string) {
		if asksNonce(t, b, s) && !strings.Contains(strings.ReplaceAll(s, `\`, ""), "use_dpop_nonce") {
			t.Errorf("%q demands a nonce", s)
		}
		for _, c := range headers.ParseChallenges(s) {
			if c.Scheme == "" || strings.ContainsAny(c.Scheme, " ,=\"\t") {
				t.Errorf("a scheme is %q", c.Scheme)
			}
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return
		}
		quoted := `Bearer realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		if list := headers.ParseChallenges(quoted); len(list) != 1 || list[0].Params["realm"] != s {
			t.Errorf("%s is read as %q", quoted, list)
		}
		if asksNonce(t, b, quoted) || !asksNonce(t, b, quoted+", "+demand) || !asksNonce(t, b, demand+","+quoted) {
			t.Errorf("%s hides what stands around it", quoted)
		}
	})
}

// FuzzNonce: whatever a server sends as DPoP-Nonce, the next proof has it only if RFC 9449 section 8.1 allows it, and
// then exactly, and the request is sent again only then.
func FuzzNonce(f *testing.F) {
	for _, s := range []string{"n", "eyJ7S_zG.eyJH0-Z.HX4w-7v", "", "a b", `a"b`, `a\b`, "ä", "a\r\nb", "\x7f", strings.Repeat("n", 1025)} {
		f.Add(s)
	}
	const allowed = "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	key := newKey(f)
	f.Fuzz(func(t *testing.T, s string) {
		var nonces []string
		base := transport(func(r *http.Request) *http.Response {
			nonces = append(nonces, proofOf(t, r).Nonce)
			return answer(401, http.Header{"Www-Authenticate": {`DPoP error="use_dpop_nonce"`}, "Dpop-Nonce": {s}})
		})
		r, _ := http.NewRequest("GET", "https://api.example/", nil)
		if _, err := newAPI(t, dpop.New(key), base, "").RoundTrip(r); err != nil {
			t.Fatal(err)
		}
		usable := s != "" && len(s) <= 1024 && strings.Trim(s, allowed) == ""
		if want := map[bool]int{true: 2, false: 1}[usable]; len(nonces) != want || nonces[0] != "" || usable && nonces[1] != s {
			t.Errorf("%q: proofs with the nonces %q", s, nonces)
		}
	})
}
