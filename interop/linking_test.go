package interop

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/session"
)

// linker is an app that links identities as docs/accounts.md says. TestGuides runs
// what that page shows.
type linker struct {
	*httptest.Server
	providers map[string]*authtest.Server
	mu        sync.Mutex
	accounts  map[string]string // by issuer and subject
}

func (l *linker) accountOf(issuer, subject string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.accounts[issuer+" "+subject] == "" {
		l.accounts[issuer+" "+subject] = issuer + " " + subject
	}
	return l.accounts[issuer+" "+subject], nil
}

func (l *linker) link(account, issuer, subject string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if has := l.accounts[issuer+" "+subject]; has != "" && has != account {
		return errors.New("another account has it")
	}
	l.accounts[issuer+" "+subject] = account
	return nil
}

func newLinker(t *testing.T) *linker {
	mux := http.NewServeMux()
	l := &linker{accounts: make(map[string]string), providers: make(map[string]*authtest.Server)}
	l.Server = httptest.NewTLSServer(http.NewCrossOriginProtection().Handler(mux))
	t.Cleanup(l.Close)
	sessions, err := session.New(session.Config{
		Keys: [][]byte{[]byte(grantKey)}, LoginURL: "/login",
		SignedIn: func(_ *http.Request, login *authcode.Login) (string, error) {
			return l.accountOf(login.Identity.Issuer, login.Identity.Subject)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		srv := authtest.NewServer(l.URL + "/" + name + "/callback")
		t.Cleanup(srv.Close)
		cfg := srv.Config()
		cfg.Provider.Name, cfg.LoginURL, cfg.CookieKeys = name, "/"+name, [][]byte{[]byte(grantKey)}
		client, err := authcode.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		client.Mount(mux, l.finished(client, sessions))
		mux.Handle("POST /link/"+name, sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			account := session.FromContext(r.Context()).Account()
			client.LoginHandler(authcode.Value("link", account)).ServeHTTP(w, r)
		})))
		l.providers[name] = srv
	}
	mux.Handle("GET /account", sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, session.FromContext(r.Context()).Account())
	})))
	return l
}

func (l *linker) finished(client *authcode.Client, sessions *session.Sessions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, _ := authcode.FromContext(r.Context())
		account := login.Values["link"]
		if account == "" {
			sessions.SignIn(client).ServeHTTP(w, r)
			return
		}
		s, err := sessions.Load(r)
		if err != nil {
			http.Error(w, "try again in a moment", http.StatusServiceUnavailable)
			return
		}
		if s == nil || s.Account() != account {
			http.Error(w, "nothing was linked", http.StatusConflict)
			return
		}
		if err := l.link(account, login.Identity.Issuer, login.Identity.Subject); err != nil {
			http.Error(w, "nothing was linked", http.StatusConflict)
			return
		}
		login.Redirect(w, r)
	})
}

// person signs somebody in and returns the browser.
func (l *linker) person(t *testing.T, provider, subject string) *http.Client {
	browser := *l.Client()
	browser.Jar, _ = cookiejar.New(nil)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	l.signIn(t, &browser, provider, subject)
	return &browser
}

func (l *linker) signIn(t *testing.T, browser *http.Client, provider, subject string) {
	l.providers[provider].SetUser(subject)
	resp, err := l.providers[provider].SignIn(browser, l.URL+"/"+provider)
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
}

// ask is the form that begins to link provider two: it answers with the
// provider's URL.
func (l *linker) ask(t *testing.T, browser *http.Client) string {
	resp, err := browser.PostForm(l.URL+"/link/two", nil)
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	return resp.Header.Get("Location")
}

func (l *linker) account(t *testing.T, browser *http.Client) string {
	resp, err := browser.Get(l.URL + "/account")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	return string(body)
}

// TestLinking: a second identity is linked to the account that asked for it, and
// to no other.
func TestLinking(t *testing.T) {
	for claim, row := range map[string]struct {
		meanwhile func(t *testing.T, l *linker, browser *http.Client)
		status    int
		linked    bool
	}{
		"the second identity finds the account": {func(*testing.T, *linker, *http.Client) {}, 303, true},
		"another person has signed in meanwhile": {func(t *testing.T, l *linker, browser *http.Client) {
			l.signIn(t, browser, "one", "bob")
		}, 409, false},
		"another account has the identity": {func(t *testing.T, l *linker, _ *http.Client) {
			l.person(t, "two", "carol")
		}, 409, false},
	} {
		t.Run(claim, func(t *testing.T) {
			l := newLinker(t)
			browser := l.person(t, "one", "alice")
			account, target := l.account(t, browser), l.ask(t, browser)
			row.meanwhile(t, l, browser)
			before := l.account(t, browser)
			l.providers["two"].SetUser("carol")
			resp, err := l.providers["two"].SignIn(browser, target)
			if err != nil || resp.StatusCode != row.status {
				t.Fatalf("the callback answers %v, %v", resp, err)
			}
			resp.Body.Close()
			if after := l.account(t, browser); after != before {
				t.Errorf("the session went from %q to %q", before, after)
			}
			if got := l.account(t, l.person(t, "two", "carol")); (got == account) != row.linked {
				t.Errorf("the second identity has the account %q, the first %q", got, account)
			}
			if !strings.HasSuffix(account, " alice") {
				t.Errorf("alice has the account %q", account)
			}
		})
	}
}
