package try

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/urls"
	"example.com/authcode/oidc"
)

// tokenTime bounds everything that one request does with the provider after the
// login. Package authcode allows itself ten seconds. This is longer, so that
// the error of package authcode is the one that people see.
const tokenTime = 15 * time.Second

// app is the whole web app. It has one [signIn] for each provider.
type app struct {
	base     string
	signIns  []*signIn
	sessions *sessions
	pending  pendingLogins
	out      *output
	log      *slog.Logger
}

// signIn is one provider to sign in with.
type signIn struct {
	title, hint string // the text of the button after "Sign in", and where it leads
	place       string // the provider in a sentence, such as "at GitHub"
	credentials string // the variables with the client id and the secret; empty: flags
	checked     string // the issuer, to be named in hints on authcode check
	byFlags     bool   // the flags describe the provider
	userinfoURL string // if empty, it is looked up, if it is an OpenID provider
	accessOnly  bool   // the revocation endpoint takes no refresh tokens
	setup
	options   []authcode.AuthOption                           // of every login
	construct func(authcode.Config) (*authcode.Client, error) // nil: authcode.New

	// The rest is filled in by [app.add].
	name     string
	client   *authcode.Client
	isOpenID bool // if false, people can sign out of this app only
	formPost bool
}

func newApp(base string, log *slog.Logger) *app {
	return &app{
		base:     base,
		sessions: newSessions(strings.HasPrefix(base, "https://")),
		out:      &output{w: io.Discard},
		log:      log,
	}
}

// add offers a provider. It sets the paths and the error handler of config.
func (a *app) add(config authcode.Config, s signIn) error {
	name := config.Provider.Name
	if a.signIn(name) != nil {
		return fmt.Errorf("two providers are called %q: change one with -name", name)
	}
	config.LoginURL = loginPath(name)
	config.RedirectURL = redirectURL(a.base, name)
	config.OnError = a.loginFailed
	if s.construct == nil {
		s.construct = authcode.New
	}
	client, err := s.construct(config)
	if err != nil {
		return err
	}
	s.name, s.client, s.formPost = name, client, config.Provider.FormPost
	s.isOpenID = config.Provider.Identity != nil && config.Provider.Verify != nil
	a.signIns = append(a.signIns, &s)
	return nil
}

func loginPath(name string) string         { return "/auth/" + name }
func redirectURL(base, name string) string { return base + loginPath(name) + "/callback" }

// signIn returns the provider with this name, or nil.
func (a *app) signIn(name string) *signIn {
	for _, s := range a.signIns {
		if s.name == name {
			return s
		}
	}
	return nil
}

// handler returns the app. It refuses requests from other sites that change
// something (cross-site request forgery), with two exceptions. The answer of a
// provider by form_post is such a request, and its state protects it. A portal
// may start a login.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	guard := http.NewCrossOriginProtection() // by Sec-Fetch-Site and Origin
	guard.SetDenyHandler(http.HandlerFunc(a.crossOrigin))
	for _, s := range a.signIns {
		callback := loginPath(s.name) + "/callback"
		mux.Handle(loginPath(s.name), a.starting(s, func(opts ...authcode.AuthOption) http.Handler {
			return s.client.LoginHandler(opts...)
		}))
		mux.Handle(callback, a.withSession(a.callback(s)))
		if s.formPost {
			guard.AddInsecureBypassPattern("POST " + callback)
		}
		if s.isOpenID {
			a.handleLogouts(mux, s)
			// OpenID Connect Core section 4: the provider's portal may post
			// here. It starts a login and nothing else.
			guard.AddInsecureBypassPattern("POST " + loginPath(s.name) + "/initiate")
			mux.Handle(loginPath(s.name)+"/initiate",
				a.starting(s, func(opts ...authcode.AuthOption) http.Handler {
					return oidc.InitiateLoginHandler(s.client, opts...)
				}))
		}
	}
	mux.Handle("GET /{$}", a.withSession(http.HandlerFunc(a.home)))
	mux.Handle("GET /private", a.withSession(http.HandlerFunc(a.private)))
	mux.Handle("GET /step-up", a.withSession(http.HandlerFunc(a.stepUp)))
	mux.Handle("POST /refresh", a.withSession(http.HandlerFunc(a.refresh)))
	mux.Handle("POST /signout", a.withSession(http.HandlerFunc(a.signOut)))
	mux.Handle("GET /style.css", asset("web/style.css", "text/css; charset=utf-8"))
	mux.Handle("GET /icon.svg", asset("web/icon.svg", "image/svg+xml"))
	mux.HandleFunc("/", a.notFound)
	return a.redirectToBase(guard.Handler(mux))
}

// redirectToBase sends a visitor who uses another name of this machine to the
// name in the base URL, to which the provider sends people back. Otherwise the
// login fails: a browser does not send the cookies of 127.0.0.1 to localhost.
func (a *app) redirectToBase(next http.Handler) http.Handler {
	scheme, host, _ := strings.Cut(a.base, "://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		here := url.URL{Host: r.Host}
		// Only a GET can be redirected without losing its body. Every login
		// begins with one.
		if r.Method == http.MethodGet && r.Host != host && urls.IsBrowserLoopback(here.Hostname()) &&
			urls.IsBrowserLoopback((&url.URL{Host: host}).Hostname()) {
			target := url.URL{Scheme: scheme, Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath,
				RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, target.String(), http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// welcome runs after a login that has passed every check.
func (a *app) welcome(w http.ResponseWriter, r *http.Request, s *signIn, answered authMessages) {
	login, _ := authcode.FromContext(r.Context())
	// Package authcode has sealed the id in the login's cookie.
	messages := a.pending.take(login.Values[valueStart])
	messages.Answered, messages.ResponseAlg = answered.Answered, answered.ResponseAlg
	messages.ResponseFrom = answered.ResponseFrom
	a.startSession(w, r, s, login, messages)
	a.out.say(signedInAs(visitOf(r.Context()).session.who))
	login.Redirect(w, r)
}

// logoutFailed logs a failed logout. There is nobody to show the failure to.
func (a *app) logoutFailed(r *http.Request, err error) {
	a.log.LogAttrs(r.Context(), slog.LevelWarn, "logout failed", slog.Any("", err))
}

// home is the start page: the providers, or the account of the person who is
// signed in.
func (a *app) home(w http.ResponseWriter, r *http.Request) {
	who := a.account(w, r)
	s := a.state(r, who)
	w.Header().Add("Vary", "Accept")
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, s)
		return
	}
	name, p := "home.html", page{Title: "Sign in", State: s}
	if s.SignedIn {
		name, p.Title = "account.html", "Signed in"
		p.LogoutOrigin = a.logoutOrigin(r, who)
	}
	a.render(w, r, http.StatusOK, name, p)
}

// private is a page for people who are signed in. Everybody else signs in first
// and comes back to the same address, with its query.
func (a *app) private(w http.ResponseWriter, r *http.Request) {
	who := a.account(w, r)
	here := r.URL.RequestURI()
	switch {
	case who != nil:
		a.render(w, r, http.StatusOK, "private.html", page{Title: "Private page", Path: here})
	case wantsJSON(r):
		writeJSON(w, http.StatusUnauthorized, state{Logins: a.logins(here)})
	case len(a.signIns) == 1:
		http.Redirect(w, r, a.logins(here)[0].URL, http.StatusSeeOther)
	default:
		http.Redirect(w, r, "/?next="+url.QueryEscape(here), http.StatusSeeOther)
	}
}

// refresh renews the token, although it has not expired.
func (a *app) refresh(w http.ResponseWriter, r *http.Request) {
	who := a.account(w, r)
	if who == nil {
		a.needsLogin(w, r)
		return
	}
	ctx, cancel := tokenContext(r)
	defer cancel()
	token, err := who.signIn.client.Refresh(ctx, who.token.Load())
	if err != nil {
		a.tokenFailed(w, r, err)
		return
	}
	// The provider may have revoked the old refresh token already.
	who.token.Store(token)
	visitOf(r.Context()).notify("The provider gave a new token.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// tokenContext outlives the request. If a person closed the page during a
// refresh, its answer would be lost, and with it the only valid refresh token.
func tokenContext(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), tokenTime)
}
