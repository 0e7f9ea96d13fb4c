package dpop_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// thumbprintOf is that of the key that b proves with for a token with this key's name.
func thumbprintOf(t testing.TB, b authcode.Binding, name string) (thumbprint string, err error) {
	t.Helper()
	base := transport(func(r *http.Request) *http.Response {
		p, err := parseProof(r.Header.Get("DPoP"))
		if err != nil {
			t.Fatal(err)
		}
		thumbprint = p.thumbprint
		return answer(200, nil)
	})
	r, _ := http.NewRequest("GET", "https://api.example/", nil)
	_, err = send(b, base, name, withToken(r, "at"))
	return thumbprint, err
}

// TestKeyStaysTheSame: tokens outlive versions of this package. The values were computed by another
// implementation of HKDF and P-256.
func TestKeyStaysTheSame(t *testing.T) {
	const name = "AAECAwQFBgcICQoLDA0OD7Dx8UpTOChO"
	got, err := thumbprintOf(t, dpop.PerSession(count(32)), name)
	if want := "p3Iuyr6yyvpRo3EDxVUQyGrb4_xlSwABr-CSY831Ooo"; got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestLoginsApart: each login has another key, which every instance with the secret finds, and no other.
func TestLoginsApart(t *testing.T) {
	first, second := randomBytes(32), randomBytes(40)
	b := dpop.PerSession(first)
	same, rotated, other := dpop.PerSession(first), dpop.PerSession(second, first), dpop.PerSession(second)
	seen := make(map[string]bool)
	for range 20 {
		name, params, err := b.Begin(t.Context())
		if err != nil || len(name) > 64 || seen[name] || seen[params.Get("dpop_jkt")] {
			t.Fatalf("%q, %v, %v", name, params, err)
		}
		seen[name], seen[params.Get("dpop_jkt")] = true, true
		for _, instance := range []authcode.Binding{b, same, rotated} {
			if got, err := thumbprintOf(t, instance, name); got != params.Get("dpop_jkt") || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, params)
			}
		}
		_, err = thumbprintOf(t, other, name)
		wantError(t, err, authcode.Configuration, "dpop.key")
	}
}

// TestNewKeysOfCurrentSecret: so that the former ones can be dropped one day.
func TestNewKeysOfCurrentSecret(t *testing.T) {
	current := randomBytes(32)
	name, params, _ := dpop.PerSession(current, randomBytes(32)).Begin(t.Context())
	if got, err := thumbprintOf(t, dpop.PerSession(current), name); got != params.Get("dpop_jkt") || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestKeysForgotten: a key that is no longer kept ready is derived again, the same.
func TestKeysForgotten(t *testing.T) {
	b := dpop.PerSession(count(32))
	name, params, _ := b.Begin(t.Context())
	for range 300 {
		b.Begin(t.Context())
	}
	if got, err := thumbprintOf(t, b, name); got != params.Get("dpop_jkt") || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestNamesThatAreNone: what is not the name of a key has no key.
func TestNamesThatAreNone(t *testing.T) {
	b := dpop.PerSession(count(32))
	name, _, _ := b.Begin(t.Context())
	raw, _ := base64.RawURLEncoding.DecodeString(name)
	names := map[string]string{
		"empty": "", "short": name[:28], "long": name + "AAAA", "a line break": name[:31] + "\n", "a line break more": name + "\n",
		"padding": name + "=", "no base64": strings.Repeat("!", 32), "a thumbprint": rfcThumbprint,
	}
	for i := range raw {
		raw[i] ^= 1
		names["byte changed"+string(rune('A'+i))] = base64.RawURLEncoding.EncodeToString(raw)
		raw[i] ^= 1
	}
	for claim, name := range names {
		t.Run(claim, func(t *testing.T) {
			_, err := thumbprintOf(t, b, name)
			wantError(t, err, authcode.Configuration, "dpop.key")
		})
	}
}
