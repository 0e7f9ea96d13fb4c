package authserver_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"golang.org/x/oauth2"
)

// newApp is a small app under test that signs in with golang.org/x/oauth2. Its cookie ties the
// callback to the browser.
func newApp(t *testing.T, srv *authserver.Server, mode string) *httptest.Server {
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(mux)
	t.Cleanup(app.Close)
	srv.Register(authserver.ClientRegistration{
		ID: "app", Secret: "a:b c%ö", RedirectURIs: []string{app.URL + "/callback"},
	})
	p := srv.Provider()
	cfg := oauth2.Config{
		ClientID: "app", ClientSecret: "a:b c%ö", RedirectURL: app.URL + "/callback",
		Scopes: p.Scopes, Endpoint: oauth2.Endpoint{
			AuthURL: p.AuthURL, TokenURL: p.TokenURL, AuthStyle: p.AuthStyle,
		},
	}
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		verifier := oauth2.GenerateVerifier()
		http.SetCookie(w, &http.Cookie{Name: "v", Value: verifier, Secure: true, HttpOnly: true})
		http.Redirect(w, r, cfg.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier),
			oauth2.SetAuthURLParam("response_mode", mode)), http.StatusFound)
	})
	mux.HandleFunc("/callback", callback(srv, &cfg))
	return app
}

// callback redeems a code of this browser's login and says what userinfo says.
func callback(srv *authserver.Server, cfg *oauth2.Config) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := r.Cookie("v")
		if err != nil || r.FormValue("iss") != srv.URL || r.FormValue("state") != "state" {
			http.Error(w, "not this browser's login: "+r.FormValue("error"), http.StatusBadRequest)
			return
		}
		ctx := r.Context()
		trusting := context.WithValue(ctx, oauth2.HTTPClient, srv.Client())
		token, err := cfg.Exchange(trusting, r.FormValue("code"), oauth2.VerifierOption(v.Value))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/userinfo", nil)
		token.SetAuthHeader(req)
		resp, err := srv.Client().Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("X-Seen", r.Method+r.Header.Get("Origin"))
		io.Copy(w, resp.Body)
	}
}

func TestSignIn(t *testing.T) {
	for name, start := range map[string]func(...authserver.Option) *authserver.Server{
		"http": authserver.NewServer, "https": authserver.NewTLSServer,
	} {
		for _, mode := range []string{"query", "form_post"} {
			for _, consent := range []authserver.Consent{authserver.Approve, authserver.Ask} {
				t.Run(name+" "+mode, func(t *testing.T) {
					srv := start()
					defer srv.Close()
					srv.SetConsent(consent)
					srv.SetUser("bob")
					app := newApp(t, srv, mode)
					client := app.Client()
					client.Jar, _ = cookiejar.New(nil)
					resp, err := srv.SignIn(client, app.URL+"/login")
					if err != nil {
						t.Fatal(err)
					}
					defer resp.Body.Close()
					var who struct{ Sub string }
					if err := json.NewDecoder(resp.Body).Decode(&who); err != nil || who.Sub != "bob" {
						t.Errorf("%s signed in as %q, %v", resp.Status, who.Sub, err)
					}
					seen := map[string]string{"query": "GET", "form_post": "POST" + srv.URL}[mode]
					if got := resp.Header.Get("X-Seen"); got != seen {
						t.Errorf("the callback was %q, want %q", got, seen)
					}
				})
			}
		}
	}
}

func TestSignInReturnsTheAppsAnswerToADenial(t *testing.T) {
	srv := authserver.NewServer()
	defer srv.Close()
	srv.SetConsent(authserver.Deny)
	app := newApp(t, srv, "query")
	client := app.Client()
	client.Jar, _ = cookiejar.New(nil)
	srv.SetFaults(authserver.Authorization, authserver.Set("state", "wrong"))
	resp, err := srv.SignIn(client, app.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 400 || !strings.Contains(string(body), "access_denied") {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

func TestSignInSaysWhatWentWrong(t *testing.T) {
	srv := authserver.NewServer()
	defer srv.Close()
	app := newApp(t, srv, "query")
	loop := httptest.NewServer(http.RedirectHandler("/", http.StatusFound))
	defer loop.Close()
	withJar := app.Client()
	withJar.Jar, _ = cookiejar.New(nil)
	srv.SetFaults(authserver.Authorization, authserver.HTMLError())
	for name, row := range map[string]struct {
		client *http.Client
		url    string
		want   string
	}{
		"no jar":          {srv.Client(), app.URL + "/login", "cookie jar"},
		"no login":        {withJar, app.URL + "/nothing", "the app answered 404 Not Found at /nothing"},
		"a loop":          {withJar, loop.URL, "after 20 steps"},
		"a bad URL":       {withJar, "http://%zz", "invalid URL"},
		"a server's page": {withJar, srv.URL + "/authorize?client_id=x", "not registered here"},
		"a fault":         {withJar, app.URL + "/login", "500 Internal Server Error"},
		"no server":       {withJar, "http://127.0.0.1:1/", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := srv.SignIn(row.client, row.url)
			if err == nil {
				resp.Body.Close()
				t.Fatalf("answered %s", resp.Status)
			}
			if text := err.Error(); !strings.HasPrefix(text, "authserver: ") ||
				!strings.Contains(text, row.want) {
				t.Errorf("error %q, want %q in it", text, row.want)
			}
		})
	}
}
