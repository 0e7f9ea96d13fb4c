package oidc_test

import (
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// manyMembers is a header of n bytes or so, with as many members as fit.
func manyMembers(n int) members {
	header := members{"alg": "RS256", "kid": "k1"}
	for i := range n / 10 {
		header["m"+strings.Repeat("x", i%3)+time.Duration(i).String()] = 1
	}
	return header
}

// TestJWTBounds: a JWT that is too long is refused before anything parses it. Each is well signed, so
// that nothing but its size is wrong.
func TestJWTBounds(t *testing.T) {
	p := newMemOP("RS256")
	filler := strings.Repeat("A", 7<<10)
	long := members{"x": strings.Repeat("x", 90<<10)}
	huge := members{"x": strings.Repeat("x", 128<<10)}
	for _, row := range []struct {
		claim           string
		claims, headers members
		ok              bool
	}{
		{"a header of 7 KiB is accepted", nil, members{"x": filler}, true},
		{"a header of 9 KiB is refused", nil, members{"x": filler + filler[:2<<10]}, false},
		{"a header of 54 kB with many members is refused", nil, manyMembers(54_000), false},
		{"claims of 90 KiB are accepted", long, nil, true},
		{"claims of 128 KiB are refused", huge, nil, false},
	} {
		t.Run(row.claim, func(t *testing.T) {
			token := p.key.sign(payload(p.claims(), row.claims), row.headers)
			_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(token))
			response := signedResponse(p, row.claims, row.headers)
			_, bad := verify(t.Context(), oidc.Provider(memIssuer), p, responseType, response)
			if row.ok {
				if err != nil || bad != nil {
					t.Errorf("got %v and %v", err, bad)
				}
				return
			}
			wantError(t, err, authcode.IdentityRefused, "id_token.form")
			wantError(t, bad, authcode.Forged, "response.form")
		})
	}
}

// TestLongLogoutToken: anybody can post one, so it may cost no more than reading it.
func TestLongLogoutToken(t *testing.T) {
	p := newMemOP("RS256")
	h := newLogoutApp(t, p)
	token := p.key.sign([]byte("{}"), manyMembers(20_000))
	_, err := h.post(t, token)
	wantError(t, err, authcode.IdentityRefused, "logout_token.form")
	p.wantRequests(t, memJWKS, 0)
}
