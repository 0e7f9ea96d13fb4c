package test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// failures counts what a test that is expected to fail reports.
type failures struct {
	testing.TB
	n int
}

func (f *failures) Errorf(string, ...any) { f.n++ }

// TestWantNoSecret: the search finds a secret in whatever way it was printed,
// and inside a longer text.
func TestWantNoSecret(t *testing.T) {
	const canary = "canary/wör ds+&0123456789=="
	type config struct{ Secret string }
	for _, v := range []any{canary, []byte(canary), &config{canary}, []any{config{canary}}} {
		for how, text := range world.Outputs(v) {
			found := &failures{TB: t}
			world.WantNoSecret(found, how, "before "+text+" after", canary)
			if found.n == 0 {
				t.Errorf("%s of a %T shows the secret unseen: %s", how, v, text)
			}
		}
	}
	clean := &failures{TB: t}
	world.WantNoSecret(clean, "nothing", "canary/wör 0123456789", canary)
	if clean.n != 0 {
		t.Error("a secret was found where there is none")
	}
}

// TestWorldFindsALeak: what the app writes, what it hands to OnError, and what
// it dumps is searched.
func TestWorldFindsALeak(t *testing.T) {
	leaks := map[string]func(http.ResponseWriter, *http.Request, *world.World){
		"the body": func(rw http.ResponseWriter, r *http.Request, _ *world.World) {
			io.WriteString(rw, r.FormValue("state"))
		},
		"a header": func(rw http.ResponseWriter, r *http.Request, _ *world.World) {
			rw.Header().Set("X-Debug", r.FormValue("code"))
		},
		"a cookie": func(rw http.ResponseWriter, _ *http.Request, w *world.World) {
			rw.Header().Set("Set-Cookie", "debug="+string(w.Config.CookieKeys[0]))
		},
		"a redirect": func(rw http.ResponseWriter, r *http.Request, _ *world.World) {
			http.Redirect(rw, r, "/?"+r.URL.RawQuery, http.StatusFound)
		},
		"a dump": func(_ http.ResponseWriter, r *http.Request, w *world.World) {
			w.Transcript.Dump(fmt.Sprint(r.URL))
		},
	}
	for claim, leak := range leaks {
		t.Run(claim, func(t *testing.T) {
			w := world.New(t, func(c *authcode.Config) { c.CookieKeys = [][]byte{world.Key('w')} })
			b := w.Browser()
			callback := b.Callback("")
			w.Serve(http.HandlerFunc(func(rw http.ResponseWriter,
				r *http.Request) {
				leak(rw, r, w)
			}))
			found := &failures{TB: t}
			b.Get(callback)
			world.WantNoSecret(found, "the app", w.Transcript.String(), w.Secrets()...)
			if found.n == 0 {
				t.Error("the leak was not found")
			}
			w.Transcript.Reset()
		})
	}
}
