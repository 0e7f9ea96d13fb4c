package oidc_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// endless is a body of n bytes that keeps none of them.
type endless struct{ left, read int }

func (e *endless) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(len(b), e.left)
	for i := range b[:n] {
		b[i] = 'x'
	}
	e.left -= n
	e.read += n
	return n, nil
}

func (e *endless) Close() error { return nil }

// TestHugeAnswers: of an answer of 100 MB, one byte more than its limit is read.
// If it says how long it is, nothing is.
func TestHugeAnswers(t *testing.T) {
	for path, check := range map[string]string{
		memMetadata: "discovery.size", memJWKS: "jwks.size", memUserInfo: "userinfo.size",
	} {
		for length, most := range map[int64]int{-1: 256<<10 + 1, 100 << 20: 0} {
			p := newMemOP("RS256")
			body := &endless{left: 100 << 20}
			p.answer(path, func(*http.Request) (*http.Response, error) {
				resp := reply(200, "application/json", "")
				resp.Body, resp.ContentLength = body, length
				return resp, nil
			})
			i, a := oidc.Provider(memIssuer, oidc.UserInfo()), p.login(p.token(nil))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := identify(t.Context(), i, a)
			runtime.ReadMemStats(&after)
			wantError(t, err, authcode.BadAnswer, check)
			if body.read > most {
				t.Errorf("%s, Content-Length %d: %d bytes were read", path, length, body.read)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
				t.Errorf("%s: %d bytes were allocated", path, used)
			}
		}
	}
}

// TestManyKeys: the first hundred keys of a JWKS are read, usable or not, and no more.
func TestManyKeys(t *testing.T) {
	for before, ok := range map[int]bool{99: true, 100: false} {
		p := newMemOP("RS256")
		key := newKey("RS256", "last")
		p.answer(memJWKS, always(200, "", `{"keys":[`+strings.Repeat(`{"kty":"x"},`, before)+string(payload(key.jwk(nil), nil))+`]}`))
		_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(key.sign(payload(p.claims(), nil), nil)))
		if ok && err != nil {
			t.Errorf("behind %d keys: %v", before, err)
		} else if !ok {
			wantError(t, err, authcode.IdentityRefused, "jwks.key")
		}
	}
}
