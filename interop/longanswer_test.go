package interop

import (
	"crypto/tls"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
)

// An answer that does not fit into a cookie comes back by the form of a page. Chromium runs its
// script, which the policy allows by a hash, and brings cookies with SameSite=Strict along.
func TestLongFormPostAnswerInChromium(t *testing.T) {
	haveChromium(t)
	// On 127.0.0.1, which is another site than the app on localhost.
	provider := httptest.NewUnstartedServer(http.HandlerFunc(answersAtLength))
	provider.TLS = &tls.Config{Certificates: []tls.Certificate{theCertificate(t).pair}}
	provider.StartTLS()
	t.Cleanup(provider.Close)
	a := serveApp(t, true, func(redirectURL string) authcode.Config {
		return authcode.Config{
			Provider: authcode.Provider{Name: "long", FormPost: true, Endpoints: authcode.Endpoints{
				AuthURL: provider.URL + "/authorize", TokenURL: provider.URL + "/token"}},
			ClientID: "client", ClientAuth: authcode.Public(), RedirectURL: redirectURL,
			CookieKeys: [][]byte{newKey()}, Transport: theCertificate(t).transport(),
		}
	})
	a.handle("/strict", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "strict", Value: "1", Path: "/", Secure: true,
			SameSite: http.SameSiteStrictMode})
	}))
	b := openTab(t)
	b.open(a.url + "/strict")
	b.open(a.url + "/login?next=/end")
	if got := b.answered(t, a.url+"/end").status; got != http.StatusOK {
		t.Errorf("answered %d, want 200", got)
	}
	if got := a.outcome(); got.login == nil {
		t.Fatalf("no login: %v", got.err)
	}
	posts := slices.DeleteFunc(b.all(a.url+"/callback"), func(m message) bool { return m.method != http.MethodPost })
	if len(posts) != 2 || !strings.Contains(posts[1].url, "?login=") {
		t.Fatalf("%d POSTs of the callback, want 2", len(posts))
	}
	for i, arrives := range []bool{false, true} {
		if got := strings.Contains(strings.Join(names(posts[i].sent), " "), "strict"); got != arrives {
			t.Errorf("POST %d: the Strict cookie came: %v", i+1, got)
		}
	}
}

// answersAtLength is a provider that posts 6,000 bytes more than it has to.
func answersAtLength(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"a","token_type":"Bearer"}`)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, `<form method="post" action="%s"><input name="code" value="c"><input name="state" value="%s">
		<input name="user" value="%s"></form><script>document.forms[0].submit()</script>`,
		html.EscapeString(r.FormValue("redirect_uri")), html.EscapeString(r.FormValue("state")),
		html.EscapeString(strings.Repeat("<u>&", 1500)))
}
