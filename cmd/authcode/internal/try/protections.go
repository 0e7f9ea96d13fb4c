package try

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// protection is one line of the table: how this login was protected, and how
// the app knows.
type protection struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
	By    string `json:"seen_in"`
}

const byConfiguration = "this app’s configuration"

// methods are the words for the values of -client-auth. The empty one is for
// presets.
var methods = map[string]string{
	"": "a client secret", bySecret: "a client secret", byNothing: "none: a public client",
	byKey: byKey, bySecretJWT: bySecretJWT, byTLS: "mutual TLS: a client certificate",
}

// protections lists how the login of the account who was protected. info is
// what the provider says about the token. It is nil if the provider was not
// asked or did not answer.
func protections(who *account, token *oauth2.Token, info *oidc.TokenInfo) []protection {
	s := who.signIn
	rows := []protection{who.request()}
	// The browser carries only a reference to a pushed request, which does not
	// show the signature.
	if who.messages.pushed() && s.signs {
		rows = append(rows, protection{"request-signature", "Signed request",
			"signed before it was pushed (JAR)", byConfiguration})
	}
	rows = append(rows, who.pkce(), who.response(), protection{"iss", "Issuer",
		cmp.Or(who.messages.ResponseFrom, "none"), "the response"})
	rows = append(rows, protection{"client-auth", "Client authentication", methods[s.method],
		byConfiguration + "; the provider accepted it"}, who.binding(token, info))
	rows = append(rows, who.authentication()...)
	if s.profile != "" {
		rows = append(rows, protection{"profile", "Profile", s.profile,
			byConfiguration + ", which was checked at the start"})
	}
	return rows
}

// pushed reports whether the request was pushed: the browser then carries only
// a reference to it (RFC 9126 section 4).
func (s *authMessages) pushed() bool { return slices.Contains(s.Carried, "request_uri") }

// request says how the authorization request was protected.
func (who *account) request() protection {
	s := who.messages
	p := protection{"request", "Request", "plain, in the browser’s address",
		"the address: " + strings.Join(s.Carried, ", ")}
	switch {
	case len(s.Carried) == 0:
		p.Value, p.By = "not seen", "the login began before this program started"
	case s.pushed():
		p.Value = "pushed (PAR): the browser carried a reference"
	case slices.Contains(s.Carried, "request"):
		p.Value = "signed (JAR, " + s.RequestAlg + "), in the browser’s address"
	}
	return p
}

// pkce says which PKCE method the login used.
func (who *account) pkce() protection {
	p := protection{"pkce", "PKCE", who.messages.PKCE, "the address"}
	switch {
	case p.Value != "" && who.messages.RequestAlg != "":
		p.By = "the signed request"
	case p.Value == "":
		p.Value, p.By = "S256", "package authcode, which starts no login without it; the address "+
			"does not show it"
	}
	// provider.InsecureLinkedInSecret leaves the verifier out.
	if who.signIn.credentials != "" && who.signIn.name == "linkedin" {
		return protection{"pkce", "PKCE", "none: LinkedIn gets no verifier from a confidential app",
			"package provider"}
	}
	// A server may ignore a challenge that it does not know (RFC 7636 section
	// 5), and its answer looks the same.
	p.Value += ": the app sent challenge and verifier"
	p.By += "; whether the provider compares them cannot be seen from here"
	return p
}

// response says how the authorization response was protected.
func (who *account) response() protection {
	by := "what came back: " + strings.Join(who.messages.Answered, ", ")
	if who.messages.ResponseAlg != "" {
		return protection{"response", "Response", "signed (JARM, " + who.messages.ResponseAlg + ")", by}
	}
	return protection{"response", "Response", "plain", by}
}

// binding says to what the token is bound. Only introspection shows a
// certificate: such a token looks like a bearer token (RFC 8705 section 3).
func (who *account) binding(token *oauth2.Token, info *oidc.TokenInfo) protection {
	p := protection{"binding", "Sender constraint", "none: anybody who has the token can use it",
		"token_type " + token.Type() + " in the token response"}
	switch {
	case strings.EqualFold(token.Type(), "DPoP"):
		p.Value = "DPoP: a key of this app"
	case who.signIn.thumbprint != "":
		p.Value, p.By = "a certificate of this app", byConfiguration+"; only introspection can "+
			"confirm it"
	}
	if info == nil {
		return p
	}
	// RFC 7800 section 3.1: cnf says to what the token is bound.
	cnf, _ := info.Claims["cnf"].(map[string]any)
	_, key := cnf["jkt"].(string)
	switch shown, certificate := cnf["x5t#S256"].(string); {
	case certificate && shown == who.signIn.thumbprint:
		p.By = "introspection: cnf has the certificate’s thumbprint"
	case certificate:
		p.Value, p.By = "a certificate that is not this app’s", "introspection: cnf"
	case key:
		p.By += ", and introspection: cnf has a key’s thumbprint"
	case who.signIn.thumbprint != "":
		p.Value, p.By = "none, as far as the provider says", "introspection: no cnf"
	}
	return p
}

// authentication says how the person signed in, as far as the ID token does.
func (who *account) authentication() (rows []protection) {
	if who.identity == nil {
		return nil
	}
	id := authcode.Identity(*who.identity)
	how := oidc.AuthenticationOf(&id)
	const by = "the ID token"
	if how.Context != "" {
		rows = append(rows, protection{"acr", "Level (acr)", how.Context, by})
	}
	if len(how.Methods) > 0 {
		rows = append(rows, protection{"amr", "Methods (amr)", strings.Join(how.Methods, ", "), by})
	}
	if how.Time != 0 {
		at := time.Unix(how.Time, 0).UTC().Format(time.DateTime) + " UTC"
		rows = append(rows, protection{"auth-time", "Signed in at", at, by})
	}
	return rows
}

// introspection is the part of the provider's answer about the token that the
// page shows.
type introspection struct {
	Status string         `json:"status"`
	Claims map[string]any `json:"claims,omitempty"`
}

// introspect asks the provider about the access token, with -introspect.
func (a *app) introspect(ctx context.Context, who *account, token *oauth2.Token) (*introspection,
	*oidc.TokenInfo) {
	s := who.signIn
	if !s.introspects || !s.isOpenID {
		return nil, nil
	}
	ask := oidc.Introspect
	if s.signedAnswer {
		ask = oidc.IntrospectSigned
	}
	info, err := ask(ctx, s.client, token.AccessToken, "access_token")
	if err != nil {
		a.log.Warn("introspection failed", "provider", s.name, "error", err)
		return &introspection{Status: "no usable answer from the provider"}, nil
	}
	form := "plain"
	if s.signedAnswer {
		form = "signed"
	}
	shown := &introspection{Status: fmt.Sprintf("active (%s answer)", form), Claims: info.Claims}
	if !info.Active {
		shown.Status = fmt.Sprintf("not active (%s answer)", form)
	}
	return shown, info
}

// stepUp starts the login that the API demands (RFC 9470).
func (a *app) stepUp(w http.ResponseWriter, r *http.Request) {
	who := a.account(w, r)
	if who == nil {
		a.needsLogin(w, r)
		return
	}
	asked := who.stepUp
	if asked == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.starting(who.signIn, func(opts ...authcode.AuthOption) http.Handler {
		return who.signIn.client.LoginHandler(append(opts, asked...)...)
	}).ServeHTTP(w, r)
}
