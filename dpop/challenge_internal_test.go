package dpop

import (
	"strings"
	"testing"

	"example.com/authcode/internal/web"
)

// TestAsksNonce: the forms that challenges have, in RFC 9110 section 11.6.1 and in the wild.
func TestAsksNonce(t *testing.T) {
	rows := []struct {
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
		{"a scheme that is none", false, `Foo/bar, DPoP error="use_dpop_nonce"`},
		{"a control character", false, "DPoP error=\"use_dpop_nonce\", realm=\"\x00\""},
		{"no token", false, `DPoP error="use_dpop_nonce", (x)`},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			if got := asksNonce([]string{row.field}); got != row.want {
				t.Errorf("asksNonce(%s) is %t", row.field, got)
			}
		})
	}
	if !asksNonce([]string{"(", "Bearer", `DPoP error="use_dpop_nonce"`}) || asksNonce(nil) {
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
	f.Fuzz(func(t *testing.T, s string) {
		if asksNonce([]string{s}) && !strings.Contains(strings.ReplaceAll(s, `\`, ""), useNonce) {
			t.Errorf("%q demands a nonce", s)
		}
		for _, c := range web.ParseChallenges(s) {
			if c.Scheme == "" || strings.ContainsAny(c.Scheme, " ,=\"\t") {
				t.Errorf("a scheme is %q", c.Scheme)
			}
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return
		}
		quoted := `Bearer realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		if list := web.ParseChallenges(quoted); len(list) != 1 || list[0].Params["realm"] != s {
			t.Errorf("%s is read as %q", quoted, list)
		}
		if asksNonce([]string{quoted}) || !asksNonce([]string{quoted + ", " + demand}) || !asksNonce([]string{demand + "," + quoted}) {
			t.Errorf("%s hides what stands around it", quoted)
		}
	})
}

// FuzzNonceIn: what is no proof has no nonce.
func FuzzNonceIn(f *testing.F) {
	f.Add("a.eyJub25jZSI6Im4ifQ.b")
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		if got := nonceIn(s); got != "" && strings.Count(s, ".") == 0 {
			t.Errorf("%q has the nonce %q", s, got)
		}
	})
}
