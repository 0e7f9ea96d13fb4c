package oidc

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
)

// InitiateLoginHandler is the initiate_login_uri of client (OpenID Connect Core section 4): a
// portal of the provider's sends people there to start a login, on GET or POST. Its iss must name
// this provider. Its target_link_uri is where the login returns to if it is on this host; anything
// else becomes "/". Its login_hint goes to the provider. The rest is [authcode.Client.LoginHandler]
// with opts. What it refuses itself is answered as [OnError] says. It panics if client is nil.
//
// Any site may send people there, as section 4 wants it: all that this starts is a login.
func (i *Issuer) InitiateLoginHandler(client *authcode.Client, opts ...authcode.AuthOption) http.Handler {
	if client == nil {
		panic("oidc: InitiateLoginHandler needs a client")
	}
	opts = slices.Clone(opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		more, err := i.initiate(w, r)
		if err != nil {
			i.onError(w, r, err)
			return
		}
		client.LoginHandler(slices.Concat(opts, more)...).ServeHTTP(w, r)
	})
}

func (i *Issuer) initiate(w http.ResponseWriter, r *http.Request) ([]authcode.AuthOption, *authcode.Error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return nil, &authcode.Error{Reason: authcode.WrongMethod, Check: "initiate.method"}
	}
	params, err := parameters(r, "initiate")
	if err != nil {
		return nil, err
	}
	if i.fault != nil {
		return nil, i.fault
	}
	if !i.names(params.Get("iss")) {
		return nil, &authcode.Error{Reason: authcode.WrongIssuer, Check: "initiate.iss"}
	}
	var opts []authcode.AuthOption
	if hint := params.Get("login_hint"); hint != "" {
		opts = append(opts, authcode.Param("login_hint", hint))
	}
	if target := params.Get("target_link_uri"); target != "" {
		opts = append(opts, authcode.ReturnTo(pathOn(r.Host, target)))
	}
	return opts, nil
}

// pathOn returns what target has behind the host if it is an absolute URL of this one, and target as it
// is otherwise, for [authcode.ReturnTo] to judge.
func pathOn(host, target string) string {
	u, err := url.Parse(target)
	if err != nil || host == "" || u.Scheme != "https" && u.Scheme != "http" || !strings.EqualFold(u.Host, host) {
		return target
	}
	_, rest, _ := strings.Cut(target, "//")
	if at := strings.IndexAny(rest, "/?#"); at >= 0 && rest[at] == '/' {
		return rest[at:]
	}
	return "/"
}
