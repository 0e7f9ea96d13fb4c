package session

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"example.com/authcode"
)

// SignOut ends the session of the browser on POST from a page of the app's own
// origin, with its grant unless [Session.Keep] was called or another session has
// it. If the browser presents several sessions, it ends all. It then redirects to
// the logout of the provider, or to Config.HomeURL if there is none, with status
// 303. A script gets status 200 and JSON with "location". While the Store is
// down, the person stays signed in and a page with status 503 says so. If the
// browser goes away, the sign-out goes on. It clears the cookies.
func (s *Sessions) SignOut() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w)
		switch {
		// Any page can embed a link or an image. With GET, it could sign the
		// app's visitors out.
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			s.refuse(w, r, authcode.NewError(authcode.WrongMethod, "session.method",
				"a sign-out must be a POST: make it a form", nil))
			return
		case s.origins.Check(r) != nil:
			s.refuse(w, r, authcode.NewError(authcode.NotNavigation, "session.origin",
				"a page of another site asked for the sign-out: nothing to do", nil))
			return
		}
		target, err := s.SignOutURL(w, r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		// A script cannot follow a redirect to the provider.
		if isScript(r) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]string{"location": target})
			return
		}
		redirect(w, target)
	})
}

// SignOutURL ends the session of the browser and returns where to send it, for
// frameworks with other handlers. The caller has checked that r is a POST of the
// app's own origin; see [http.CrossOriginProtection].
func (s *Sessions) SignOutURL(w http.ResponseWriter, r *http.Request) (target string, err error) {
	ctx := r.Context()
	var found []*opened
	for _, value := range s.allPresented(r) {
		// Without Revalidate: a provider that is down must not keep anybody signed
		// in.
		o, err := s.load(ctx, keyOf(value), 0)
		if err != nil {
			return "", err
		}
		if o != nil {
			found = append(found, o)
		}
	}
	// If the session has ended already, the person may still be signed in at the
	// provider.
	client, idToken := s.onlyClient(ctx), ""
	// Of two sessions, one may have been planted, and nothing says which.
	if len(found) == 1 {
		client, idToken = s.logoutOf(ctx, found[0])
	}
	for _, o := range found {
		if err := s.end(ctx, o, BySignOut); err != nil {
			return "", err
		}
	}
	s.takeCookies(w, r)
	return s.logoutURL(ctx, client, idToken), nil
}

// logoutOf returns what the provider's logout of a session needs. What is not
// known stays out: the sign-out here matters more.
func (s *Sessions) logoutOf(
	ctx context.Context, o *opened,
) (client *authcode.Client, idToken string) {
	if info, err := s.grants.Handle(o.Grant).Info(ctx); err == nil {
		idToken = info.IDToken
	}
	client, err := s.clientOf(ctx, o.Origin)
	if err != nil {
		return nil, ""
	}
	return client, idToken
}

// maxHint bounds an ID token in a URL, because many servers refuse longer ones.
const maxHint = 6000

// logoutURL returns the provider's logout (OpenID Connect RP-Initiated Logout
// section 2), or HomeURL.
func (s *Sessions) logoutURL(ctx context.Context, client *authcode.Client, idToken string) string {
	if client == nil {
		return s.cfg.HomeURL
	}
	conn, err := client.Connection(ctx)
	if err != nil || conn.Endpoints.EndSessionURL == "" {
		return s.cfg.HomeURL
	}
	target, _ := url.Parse(conn.Endpoints.EndSessionURL) // the Client has checked it
	query := url.Values{"client_id": {conn.Config.ClientID}}
	if idToken != "" && len(idToken) <= maxHint {
		query.Set("id_token_hint", idToken)
	}
	if s.cfg.LogoutReturnURL != "" {
		query.Set("post_logout_redirect_uri", s.cfg.LogoutReturnURL)
	}
	// The endpoint's own query stays byte for byte.
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += query.Encode()
	return target.String()
}
