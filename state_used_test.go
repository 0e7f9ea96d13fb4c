package authcode

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func TestAttemptSurvivesTheCookie(t *testing.T) {
	own := []string{"openid", "profile"}
	for claim, change := range map[string]func(*attempt){
		"a login without options":              func(*attempt) {},
		"a return path of any bytes":           func(a *attempt) { a.returnTo = "/\x00\xff?" + string(make([]byte, 500)) },
		"scopes of its own":                    func(a *attempt) { a.scoped, a.scopes = true, []string{"a", "", "b"} },
		"no scopes at all, which is not own":   func(a *attempt) { a.scoped, a.scopes = true, []string{} },
		"a max_age":                            func(a *attempt) { a.maxAge = math.MaxInt32 },
		"a max_age of zero, which is not none": func(a *attempt) { a.maxAge = 0 },
		"values":                               func(a *attempt) { a.values = map[string]string{"": "", "k": "v", "v": "k\x00"} },
		"all of it": func(a *attempt) {
			a.scoped, a.scopes, a.maxAge, a.values = true, []string{"x"}, 1, map[string]string{"k": "v"}
		},
	} {
		t.Run(claim, func(t *testing.T) {
			a := stateAttempt(stateClient(t, nil), time.Now())
			a.scopes = own
			change(a)
			got, err := unmarshal(a.marshal(), own)
			if err != nil || !reflect.DeepEqual(got, a) {
				t.Errorf("got %+v, %v; want %+v", got, err, a)
			}
		})
	}
}

func TestAttemptRefused(t *testing.T) {
	a := stateAttempt(stateClient(t, nil), time.Now())
	plain := a.marshal()
	head := plain[:81]
	tail := func(b ...byte) []byte { return append(append([]byte(nil), head...), b...) }
	long := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01} // 2^64-1
	for claim, b := range map[string][]byte{
		"nothing":                               nil,
		"another version":                       append([]byte{cookieVersion + 1}, plain[1:]...),
		"a state and half a verifier":           plain[:50],
		"half a digest":                         plain[:70],
		"no return path":                        head,
		"a return path longer than the rest":    tail(5, '/', 0, 0),
		"a return path of 2^64-1 bytes":         tail(append(long, '/', 1, 0)...),
		"a length of eleven bytes":              tail(append([]byte{0xff}, append(long, 1, 0)...)...),
		"no key":                                tail(1, '/'),
		"no resource":                           tail(1, '/', 0),
		"no max_age":                            tail(1, '/', 0, 0),
		"no count of scopes":                    tail(1, '/', 0, 0, 1),
		"2^64-1 scopes":                         tail(append([]byte{1, '/', 0, 0, 1}, long...)...),
		"one scope of two":                      tail(1, '/', 0, 0, 1, 3, 1, 'a'),
		"a key without a value":                 tail(1, '/', 0, 0, 1, 0, 1, 'k'),
		"a value longer than the rest":          tail(1, '/', 0, 0, 1, 0, 1, 'k', 2, 'v'),
		"a length that is cut in its own bytes": tail(1, '/', 0, 0, 1, 0, 1, 'k', 0x80),
	} {
		t.Run(claim, func(t *testing.T) {
			if got, err := unmarshal(b, nil); err == nil {
				t.Errorf("%x was read as %+v", b, got)
			}
		})
	}
	if _, err := unmarshal(tail(1, '/', 0, 0, 1, 0), nil); err != nil {
		t.Errorf("the shortest login is refused: %v", err)
	}
}
