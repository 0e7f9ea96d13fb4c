package main

import (
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"example.com/authcode"
)

// tokenTime bounds everything that one request does with the provider after the login. It is
// longer than the ten seconds that package authcode allows itself, so that its error is seen.
const tokenTime = 15 * time.Second

// apiLimit is how much of an API's answer is read.
const apiLimit = 64 << 10

// app is the whole web app. Every provider is one [signIn].
type app struct {
	base     string
	signIns  []*signIn
	sessions *scs.SessionManager
	turns    turns
	log      *slog.Logger
}

// signIn is one provider to sign in with.
type signIn struct {
	name, hint  string // hint: where the button leads
	client      *authcode.Client
	userinfoURL string
	formPost    bool
}

func newApp(base string, log *slog.Logger) *app {
	return &app{
		base:     base,
		sessions: newSessions(strings.HasPrefix(base, "https://"), log),
		turns:    turns{seed: maphash.MakeSeed()},
		log:      log,
	}
}

// add offers a provider. The paths and the error handler of config are the app's own.
func (a *app) add(config authcode.Config, userinfoURL, hint string) error {
	name := config.Provider.Name
	config.LoginURL = loginPath(name)
	config.RedirectURL = redirectURL(a.base, name)
	config.OnError = a.loginFailed
	client, err := authcode.New(config)
	if err != nil {
		return err
	}
	a.signIns = append(a.signIns, &signIn{name, hint, client, userinfoURL, config.Provider.FormPost})
	return nil
}

func loginPath(name string) string         { return "/auth/" + name }
func redirectURL(base, name string) string { return base + loginPath(name) + "/callback" }

func (a *app) signIn(name string) *signIn {
	for _, s := range a.signIns {
		if s.name == name {
			return s
		}
	}
	return nil
}

// handler returns the app. State-changing requests from other sites are refused, with one
// exception: a provider's form_post answer is such a request, and its state protects it.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(a.crossOrigin))
	for _, s := range a.signIns {
		callback := loginPath(s.name) + "/callback"
		mux.Handle(loginPath(s.name), s.client.LoginHandler(authcode.ReturnToParam("next")))
		mux.Handle(callback, a.withSession(s.client.CallbackHandler(a.welcome(s))))
		if s.formPost {
			guard.AddInsecureBypassPattern("POST " + callback)
		}
	}
	mux.Handle("GET /{$}", a.withSession(http.HandlerFunc(a.home)))
	mux.Handle("GET /private", a.withSession(http.HandlerFunc(a.private)))
	mux.Handle("POST /refresh", a.withSession(http.HandlerFunc(a.refresh)))
	mux.Handle("POST /signout", a.withSession(http.HandlerFunc(a.signOut)))
	mux.Handle("GET /style.css", asset("web/style.css", "text/css; charset=utf-8"))
	mux.Handle("GET /icon.svg", asset("web/icon.svg", "image/svg+xml"))
	mux.HandleFunc("/", a.notFound)
	return guard.Handler(mux)
}

// welcome runs after a login that passed every check.
func (a *app) welcome(s *signIn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, _ := authcode.FromContext(r.Context())
		if err := a.begin(r.Context(), s, login); err != nil {
			a.broken(w, r, err)
			return
		}
		login.Redirect(w, r)
	})
}

// loginFailed is the OnError of every provider: one line for the operator, a page for the person.
func (a *app) loginFailed(w http.ResponseWriter, r *http.Request, e *authcode.Error) {
	level := slog.LevelWarn
	if e.Reason.Status() >= 500 {
		level = slog.LevelError
	}
	// An attribute without a key puts the members of the error's group into the line itself.
	a.log.LogAttrs(r.Context(), level, "login failed", slog.Any("", e))
	authcode.ErrorPage(w, r, e)
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	who, err := a.account(r.Context())
	if err != nil {
		a.broken(w, r, err)
		return
	}
	s := a.state(r, who)
	w.Header().Add("Vary", "Accept")
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, s)
		return
	}
	name, title := "home.html", "Sign in"
	if s.SignedIn {
		name, title = "account.html", "Signed in"
	}
	a.render(w, r, http.StatusOK, name, page{Title: title, State: s})
}

// private is a page for people who are signed in. Everybody else signs in first and comes
// back to this very address, with its query.
func (a *app) private(w http.ResponseWriter, r *http.Request) {
	who, err := a.account(r.Context())
	if err != nil {
		a.broken(w, r, err)
		return
	}
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

// refresh renews the token before its time.
func (a *app) refresh(w http.ResponseWriter, r *http.Request) {
	who, err := a.account(r.Context())
	if err != nil || who == nil {
		a.needsLogin(w, r, err)
		return
	}
	ctx, cancel := tokenContext(r)
	defer cancel()
	token, err := who.signIn.client.Refresh(ctx, who.token)
	if err == nil {
		err = a.putToken(ctx, token)
	}
	if err != nil {
		a.tokenFailed(w, r, err)
		return
	}
	a.sessions.Put(r.Context(), keyNotice, "The provider gave a new token.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOut ends the session whatever the provider says to the revocation.
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	who, err := a.account(r.Context())
	notice := "You are signed out."
	if err == nil && who != nil {
		ctx, cancel := tokenContext(r)
		defer cancel()
		if err = who.signIn.client.Revoke(ctx, who.token); err == nil {
			notice = "You are signed out, and the token is revoked."
		}
	}
	if err != nil {
		a.log.Warn("token not revoked", "error", err)
		notice = "You are signed out here. The provider did not revoke the token."
	}
	if err := a.end(r.Context(), notice); err != nil {
		a.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// tokenContext outlives the request: a person who leaves must not cut off a refresh whose
// answer holds the only valid refresh token.
func tokenContext(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), tokenTime)
}

func (a *app) tokenFailed(w http.ResponseWriter, r *http.Request, err error) {
	var e *authcode.Error
	if errors.As(err, &e) {
		a.loginFailed(w, r, e)
		return
	}
	a.broken(w, r, err)
}

// apiAnswer is what the page shows of the API call.
type apiAnswer struct {
	Status string         // "200 OK", or what went wrong
	Claims map[string]any // nil if there is no usable answer
}

// callAPI asks the provider who the token belongs to. The client from APIClient sends the
// token to that origin only, and renews it first if it has expired.
func (a *app) callAPI(ctx context.Context, who *account, source *authcode.TokenSource) apiAnswer {
	address := who.signIn.userinfoURL
	if address == "" {
		return apiAnswer{Status: "no userinfo endpoint is configured"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return apiAnswer{Status: "the userinfo endpoint is not a URL"}
	}
	req.Header.Set("Accept", "application/json")
	client, err := source.APIClient(req.URL.Scheme + "://" + req.URL.Host)
	if err != nil {
		return a.apiFailed(who, err)
	}
	res, err := client.Do(req)
	if err != nil {
		return a.apiFailed(who, err)
	}
	defer res.Body.Close()
	answer := apiAnswer{Status: res.Status}
	decoder := json.NewDecoder(io.LimitReader(res.Body, apiLimit))
	decoder.UseNumber()
	if res.StatusCode != http.StatusOK {
		return answer
	}
	if err := decoder.Decode(&answer.Claims); err != nil {
		answer = apiAnswer{Status: res.Status + ", but no JSON of a usable size"}
	}
	return answer
}

func (a *app) apiFailed(who *account, err error) apiAnswer {
	a.log.Warn("api call failed", "provider", who.signIn.name, "error", err)
	if errors.Is(err, authcode.RefreshRejected) {
		return apiAnswer{Status: "the token has expired and cannot be renewed: sign in again"}
	}
	return apiAnswer{Status: "no usable answer from the provider"}
}
