package world

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Forms are the ways in which a secret may show: raw, escaped, and encoded.
func Forms(secret string) []string {
	b := []byte(secret)
	decimals := strings.Trim(fmt.Sprint(b), "[]")
	js, _ := json.Marshal(secret)
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret),
		strings.Trim(fmt.Sprintf("%q", secret), `"`), strings.Trim(string(js), `"`),
		fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), fmt.Sprintf("% x", b),
		decimals, strings.ReplaceAll(decimals, " ", ", "),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
	}
	for _, text := range []string{secret, url.QueryEscape(secret)} {
		// A secret inside a longer text is encoded by groups of three bytes, so
		// look for the inner groups at every offset.
		for offset := range min(3, len(text)) {
			inner := []byte(text[offset : offset+(len(text)-offset)/3*3])
			forms = append(forms, base64.StdEncoding.EncodeToString(inner),
				base64.URLEncoding.EncodeToString(inner))
		}
	}
	slices.Sort(forms)
	return slices.DeleteFunc(slices.Compact(forms), func(form string) bool { return form == "" })
}

// Outputs prints v in all the ways that apps print, and by further verbs.
func Outputs(v any, further ...string) map[string]string {
	out := make(map[string]string)
	verbs := []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%X", "% x"}
	for _, verb := range append(verbs, further...) {
		out[verb] = fmt.Sprintf(verb, v)
	}
	js, err := json.Marshal(v)
	out["json.Marshal"] = fmt.Sprint(string(js), err)
	js, err = json.Marshal(map[string]any{"v": []any{v}})
	out["json.Marshal, nested"] = fmt.Sprint(string(js), err)
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil),
		slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).With("with", v).
			Info("msg", "v", v, slog.Group("g", "v", v), "list", []any{v})
	}
	out["slog"] = buf.String()
	return out
}

// WantNoSecret checks that text shows none of the secrets in any form. It says
// how the text came about.
func WantNoSecret(t testing.TB, how, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for _, form := range Forms(secret) {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s shows the secret %q: …%s…", how, form,
					text[max(0, at-120):min(len(text), at+len(form)+20)])
			}
		}
	}
}

// Transcript is what an app has let out. Its zero value is empty. It may be
// used by many goroutines.
type Transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds p.
func (s *Transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// Dump adds values, printed in all the ways that apps print them: by
// themselves, in a slice, and in a map.
func (s *Transcript) Dump(values ...any) {
	for _, v := range values {
		for _, text := range Outputs(v) {
			s.Write([]byte(text + "\n"))
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
			fmt.Fprintf(s, verb+"\n"+verb+"\n", []any{v}, map[string]any{"v": v})
		}
	}
}

// Reset forgets what was added.
func (s *Transcript) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Reset()
}

// String is all that was added.
func (s *Transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
