package authserver_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"github.com/go-jose/go-jose/v4"
)

func TestRotateKeys(t *testing.T) {
	x := newTester(t)
	old := x.idToken()
	x.srv.RotateKeys(true)
	fresh := x.idToken()
	for name, token := range map[string]string{"old": old, "new": fresh} {
		if _, ok := x.verify(token); !ok {
			t.Errorf("the %s token does not verify after a rotation that keeps the key", name)
		}
	}
	before, _, _ := x.parts(old)
	after, _, _ := x.parts(fresh)
	if before["kid"] == after["kid"] || x.keySet().Keys[0].KeyID != after["kid"] {
		t.Errorf("kid %v before, %v after", before["kid"], after["kid"])
	}
	x.srv.RotateKeys(false)
	if _, ok := x.verify(fresh); ok || len(x.keySet().Keys) != 1 {
		t.Error("the key before the rotation is still published")
	}
	if _, ok := x.verify(x.idToken()); !ok {
		t.Error("the new key is not published")
	}
}

func TestEachKey(t *testing.T) {
	x := newTester(t)
	x.srv.RotateKeys(true)
	x.srv.SetFaults(authserver.JWKS, authserver.EachKey(authserver.Drop("kid")),
		authserver.EachKey(authserver.Set("use", `"enc"`)))
	for _, key := range x.keySet().Keys {
		if key.KeyID != "" || key.Use != "enc" || !key.Valid() {
			t.Errorf("key %+v", key)
		}
	}
	x.srv.SetFaults(authserver.JWKS, authserver.Set("keys", `{}`), authserver.EachKey(authserver.Drop("kid")))
	if got := x.get("/jwks").raw; got != `{"keys":{}}` {
		t.Errorf("keys that are no array: %s", got)
	}
}

// TestOddKeys: go-jose calls valid what is an asymmetric key of a kind that it knows.
func TestOddKeys(t *testing.T) {
	x := newTester(t)
	right := x.keySet().Keys[0].KeyID
	for kind, valid := range map[string]bool{
		"secp256k1": false, "Ed25519": true, "X25519": false, "encryption": true,
		"symmetric": false, "unknown": false, "broken": false, "null": false, "twin": true,
	} {
		x.srv.SetFaults(authserver.JWKS, authserver.OddKey(kind))
		var set struct{ Keys []json.RawMessage }
		if err := json.Unmarshal([]byte(x.get("/jwks").raw), &set); err != nil || len(set.Keys) != 2 {
			t.Fatalf("%s: %v, keys %s", kind, err, set.Keys)
		}
		var odd, second jose.JSONWebKey
		if err := odd.UnmarshalJSON(set.Keys[0]); (err == nil && odd.Valid()) != valid {
			t.Errorf("%s: %s: %v", kind, set.Keys[0], err)
		}
		if err := second.UnmarshalJSON(set.Keys[1]); err != nil || second.KeyID != right {
			t.Errorf("%s: the right key became %s: %v", kind, set.Keys[1], err)
		}
		if (odd.KeyID == right) != (kind == "twin") {
			t.Errorf("%s has the kid %q", kind, odd.KeyID)
		}
	}
	x.srv.ClearFaults()
	if len(x.keySet().Keys) != 1 {
		t.Error("an odd key stays")
	}
}

func TestPadded(t *testing.T) {
	x := newTester(t)
	const size = 3_000_017
	plain := len(x.get("/jwks").raw)
	x.srv.SetFaults(authserver.JWKS, authserver.Padded(size))
	resp, err := x.http.Get(x.srv.URL + "/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Padding string
		Keys    []jose.JSONWebKey
	}
	if err := json.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Padding) != size || len(set.Keys) != 1 || len(body) != plain+size+len(`"padding":"",`) {
		t.Errorf("%d bytes of padding, %d of %d keys", len(set.Padding), len(body), len(set.Keys))
	}
}

func TestFetchesAreRecorded(t *testing.T) {
	x := newTester(t)
	x.get("/jwks")
	x.get("/.well-known/openid-configuration")
	x.get("/.well-known/oauth-authorization-server")
	if keys, docs := len(x.srv.Requests(authserver.JWKS)), len(x.srv.Requests(authserver.Discovery)); keys != 1 || docs != 2 {
		t.Errorf("%d JWKS and %d discovery requests recorded", keys, docs)
	}
}

func TestUnknownNamesPanic(t *testing.T) {
	for want, call := range map[string]func(){
		"Algorithm": func() { authserver.NewServer(authserver.Algorithm("HS256")) },
		"SignAs":    func() { authserver.SignAs("ES512") },
		"OddKey":    func() { authserver.OddKey("") },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "authserver: "+want+"(") {
					t.Errorf("%s panics with %q", want, text)
				}
			}()
			call()
		}()
	}
}

// TestKeysAreNotShared: servers that run at the same time, and the keys that
// one has withdrawn, are all different, whatever servers ran before.
func TestKeysAreNotShared(t *testing.T) {
	seen := map[string]bool{}
	modulus := func(srv *authserver.Server) {
		t.Helper()
		x := &tester{t, srv, srv.Client(), srv.URL}
		key, _ := json.Marshal(x.keySet().Keys[0].Key)
		if seen[string(key)] {
			t.Error("a key is used twice")
		}
		seen[string(key)] = true
	}
	start := func() *authserver.Server { return authserver.NewServer(authserver.Algorithm("RS256")) }
	start().Close()
	first, second := start(), start()
	defer first.Close()
	modulus(first)
	modulus(second)
	first.RotateKeys(false)
	modulus(first)
	third := start()
	defer third.Close()
	modulus(third)
	second.Close()
}
