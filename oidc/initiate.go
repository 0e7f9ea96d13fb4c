package oidc

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
)

// portalParams are the parameters of section 4, and how many bytes of each are accepted. A longer
// one is left out: a login does not depend on it, and it would have to fit into URLs.
var portalParams = map[string]int{"iss": maxForm, "login_hint": 2048, "target_link_uri": 2048}

// InitiateLoginHandler is the initiate_login_uri of client (OpenID Connect Core section 4): a
// portal of the provider's sends people there to start a login, on GET or POST. Its iss must name
// client's provider. Its target_link_uri is where the login returns to if it is on this host; anything
// else becomes "/". Its login_hint goes to the provider. Either is left out if it has more than 2,048
// bytes. The rest is [authcode.Client.LoginHandler] with opts. It refuses other requests by
// [authcode.Client.Refuse]. It panics if client is nil.
//
// A good POST is sent to the same address as a GET, with status 303: browsers keep the cookies of
// other pending logins out of another site's POST, and LoginHandler refuses it.
//
// Any site may send people there, as section 4 intends: all that this starts is a login.
func InitiateLoginHandler(client *authcode.Client, opts ...authcode.AuthOption) http.Handler {
	if client == nil {
		panic("oidc: InitiateLoginHandler needs a Client")
	}
	opts = slices.Clone(opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		params, err := initiate(client, w, r)
		switch {
		case err != nil:
			client.Refuse(w, r, err)
		case r.Method == http.MethodPost:
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Referrer-Policy", "no-referrer")
			w.Header().Set("Location", "?"+params.Encode()) // relative: no proxy's rewriting matters
			w.WriteHeader(http.StatusSeeOther)
		default:
			client.LoginHandler(slices.Concat(opts, portalOptions(r, params))...).ServeHTTP(w, r)
		}
	})
}

// initiate returns the parameters of a request that may start a login.
func initiate(client *authcode.Client, w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return nil, failed(authcode.WrongMethod, "initiate.method", nil)
	}
	params, err := parameters(r, "initiate")
	if err != nil {
		return nil, err
	}
	conn, err := client.Connection(r.Context())
	if err != nil {
		return nil, err
	}
	if !names(conn, params.Get("iss")) {
		return nil, failed(authcode.Forged, "initiate.iss", nil)
	}
	kept := url.Values{}
	for name, most := range portalParams {
		if value := params.Get(name); value != "" && len(value) <= most {
			kept.Set(name, value)
		}
	}
	return kept, nil
}

func portalOptions(r *http.Request, params url.Values) (opts []authcode.AuthOption) {
	if hint := params.Get("login_hint"); hint != "" {
		opts = append(opts, authcode.Param("login_hint", hint))
	}
	if target := params.Get("target_link_uri"); target != "" {
		opts = append(opts, authcode.ReturnTo(pathOn(r.Host, target)))
	}
	return opts
}

// pathOn returns what follows the host in target if that is an absolute URL on this host, and otherwise
// target as it is, for [authcode.ReturnTo] to judge.
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
