package form_test

import (
	"net/url"
	"reflect"
	"testing"

	"example.com/authcode/internal/form"
)

// FuzzEncode: Encode returns what url.Values.Encode returns.
func FuzzEncode(f *testing.F) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, seed := range []string{
		"", "code=a%2Fb&code_verifier=x~y-_.&redirect_uri=https%3A%2F%2Fa.example%2F%3Fb%3Dc+d",
		"b=1&a=2&a=3&c=", "=&a", url.QueryEscape(string(every)) + "=" + url.QueryEscape(string(every)),
		"a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m=&n=&o=&p=&q=&r=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, _ := url.ParseQuery(text)
		if got, want := form.Encode(v), v.Encode(); got != want {
			t.Errorf("%q is encoded as %q, want %q", v, got, want)
		}
	})
	if got := form.Encode(nil); got != "" {
		f.Errorf("no parameters are encoded as %q", got)
	}
}

// TestEncodeAllocatesOnce: a token request is encoded in one allocation.
func TestEncodeAllocatesOnce(t *testing.T) {
	v := url.Values{
		"grant_type": {"authorization_code"}, "code": {"a/b"},
		"redirect_uri": {"https://app.example/callback?a=b c"}, "code_verifier": {"x"},
	}
	if n := testing.AllocsPerRun(100, func() { form.Encode(v) }); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

// FuzzParse: Parse returns what url.ParseQuery returns, and nothing where that
// has an error. No value has room that an append could write to.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "&&", "a=1&b=2&a=3&&c", "a;b=1", "a=1;b", "%zz=1", "a=%", "=", "=1&=2", "a%20b+c=d%2Be",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := form.Parse(text, len(text))
		want, bad := url.ParseQuery(text)
		if bad != nil {
			want = nil
		}
		if (err == nil) != (bad == nil) || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is parsed as %q, %v; want %q, %v", text, got, err, want, bad)
		}
		for name, values := range got {
			if len(values) == 1 && cap(values) != 1 {
				t.Errorf("%q: %q shares memory with the next value", text, name)
			}
		}
	})
}
