package wire_test

import (
	"maps"
	"strings"
	"testing"

	"example.com/authcode/internal/wire"
)

func TestIsCompactJWS(t *testing.T) {
	long := func(n int) string { return strings.Repeat("A", n) }
	for _, c := range []struct {
		claim, text string
		ok          bool
	}{
		{"three parts of base64url are one", "aZ0-_.e30.AAAA", true},
		{"an empty text is none", "", false},
		{"two parts are none", "e30.e30", false},
		{"five parts are none", "e30.e30.e30.e30.e30", false},
		{"padding is refused", "e30=.e30.AAAA", false},
		{"a newline is refused", "e30.e30\n.AAAA", false},
		{"plain base64 is refused", "e3+/.e30.AAAA", false},
		{"a letter beyond ASCII is refused", "é.e30.AAAA", false},
		{"a wrong character in the claims is refused", "e30.e30:.AAAA", false},
		{"a wrong character in the signature is refused", "e30.e30.AA@A", false},
		{"a header of 8 KiB is one", long(10923) + ".e30.AAAA", true},
		{"a longer header is refused", long(10924) + ".e30.AAAA", false},
		{"a long payload is one", "e30." + long(100<<10) + ".AAAA", true},
		{"128 KiB are one", "e30." + long(128<<10-9) + ".AAAA", true},
		{"more is refused", "e30." + long(128<<10-8) + ".AAAA", false},
		{"a long signature is refused", "e30.e30." + long(128<<10), false},
	} {
		if got := wire.IsCompactJWS(c.text); got != c.ok {
			t.Errorf("%s: got %t", c.claim, got)
		}
	}
}

func TestParseClaims(t *testing.T) {
	for _, c := range []struct {
		claim, in string
		unsigned  bool
		want      wire.Object // nil: refused
		repeated  string
	}{
		{claim: "claims are read", in: `{"iss":"a","n":1}`, want: wire.Object{"iss": `"a"`, "n": "1"}},
		{claim: "a repeat with the same value is one claim", in: `{"iss":"a","b":2,"iss":"a"}`, want: wire.Object{"iss": `"a"`, "b": "2"}},
		{claim: "so is a third one", in: `{"iss":"a","iss":"a","iss" : "a"}`, want: wire.Object{"iss": `"a"`}},
		{claim: "so is a repeat by an escape in the name", in: `{"iss":"a","\u0069ss":"a"}`, want: wire.Object{"iss": `"a"`}},
		{claim: "a repeat with another value is refused", in: `{"iss":"a","iss":"b"}`, repeated: "iss"},
		{claim: "a third value is refused", in: `{"iss":"a","iss":"a","iss":"b"}`, repeated: "iss"},
		{claim: "a repeat by an escape with another value is refused", in: `{"iss":"a","\u0069ss":"b"}`, repeated: "iss"},
		{claim: "an equal value in other bytes is refused", in: `{"iss":"a","iss":"\u0061"}`, repeated: "iss"},
		{claim: "a number in another form is refused", in: `{"exp":1,"exp":1.0}`, repeated: "exp"},
		{claim: "a number and its text are refused", in: `{"exp":1,"exp":"1"}`, repeated: "exp"},
		{claim: "null beside a value is refused", in: `{"nonce":"n","nonce":null}`, repeated: "nonce"},
		{claim: "a repeat without a signature is refused", in: `{"sub":"a","sub":"a"}`, unsigned: true, repeated: "sub"},
		{claim: "names that differ by case are two claims", in: `{"groups":["a"],"Groups":["b"]}`, want: wire.Object{"groups": `["a"]`, "Groups": `["b"]`}},
		{claim: "without a signature, too", in: `{"groups":["a"],"Groups":["b"]}`, unsigned: true, want: wire.Object{"groups": `["a"]`, "Groups": `["b"]`}},
		{claim: "a list is refused", in: `[]`},
		{claim: "anything after the object is refused", in: `{}{}`},
	} {
		got, repeated, err := wire.ParseClaims([]byte(c.in), !c.unsigned)
		if (err != nil) != (c.want == nil) || !maps.Equal(got, c.want) || repeated != c.repeated {
			t.Errorf("%s: got %q, %q, %v", c.claim, got, repeated, err)
		}
	}
	for name, want := range map[string]string{"iss": "iss", "Iss": "a claim with another name", "\n": "a claim with another name"} {
		if got := wire.ClaimName(name); got != want {
			t.Errorf("%q is called %q", name, got)
		}
	}
}

func TestIsCompactJWSCharacters(t *testing.T) {
	const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for c := range 256 {
		text := "e30." + string([]byte{byte(c)}) + ".AAAA"
		want := strings.IndexByte(base64url, byte(c)) >= 0
		if got := wire.IsCompactJWS(text); got != want {
			t.Errorf("a claims part of byte %d: got %t", c, got)
		}
	}
}
