package oidc

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
)

// initiateParams are the parameters of OpenID Connect Core section 4 and their
// limits in bytes. login_hint and target_link_uri have to fit into URLs. A
// longer one is left out, because a login works without it.
var initiateParams = map[string]int{
	"iss": maxParameters, "login_hint": 2048, "target_link_uri": 2048,
}

// InitiateLoginHandler is the initiate_login_uri of client (OpenID Connect Core
// section 4): a third party, such as the provider's portal, sends people there
// by GET or POST to start a login. Then it does what
// [authcode.Client.LoginHandler] does with opts.
//
// Its iss must be that of client's provider. Its login_hint is sent to the
// provider. Its target_link_uri is where the login returns to, if it is on this
// host; any other becomes "/". Either is left out if it has more than 2,048
// bytes. Other requests are refused by [authcode.Client.Refuse]. opts must not set
// login_hint. It panics if client is nil or a worker's; see [authcode.Config].
//
// A good POST is redirected to the same address as a GET, with status 303:
// browsers do not send the cookies of other pending logins with another site's
// POST, and LoginHandler refuses it.
//
// Any site may send people there, as section 4 intends: all that this starts is
// a login.
func InitiateLoginHandler(client *authcode.Client, opts ...authcode.AuthOption) http.Handler {
	if client == nil {
		panic("oidc: InitiateLoginHandler needs a Client")
	}
	client.LoginHandler() // panics now, and not at the first login
	opts = slices.Clone(opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		params, err := readInitiation(client, w, r)
		switch {
		case err != nil:
			client.Refuse(w, r, err)
		case r.Method == http.MethodPost:
			headers.SetRedirect(w.Header())
			// A relative URL: a proxy may have changed host and path.
			w.Header().Set("Location", "?"+params.Encode())
			w.WriteHeader(http.StatusSeeOther)
		default:
			client.LoginHandler(slices.Concat(opts, initiateOptions(r, params))...).ServeHTTP(w, r)
		}
	})
}

// readInitiation returns the parameters of a request that may start a login.
func readInitiation(
	client *authcode.Client, w http.ResponseWriter, r *http.Request,
) (url.Values, error) {
	// Section 4: the third party may use either method.
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return nil, newError(authcode.WrongMethod, "initiate.method", nil)
	}
	params, err := parameters(w, r, "initiate")
	if err != nil {
		return nil, err
	}
	conn, err := client.Connection(r.Context())
	if err != nil {
		return nil, err
	}
	// Section 4: iss says where the person is to sign in. A login at another
	// provider is not what was asked for.
	if !isIssuerOf(conn, params.Get("iss")) {
		return nil, newError(authcode.Forged, "initiate.iss", nil)
	}
	// Other parameters are dropped. A third party must not choose what goes
	// into the authorization request.
	kept := url.Values{}
	for name, limit := range initiateParams {
		if value := params.Get(name); value != "" && len(value) <= limit {
			kept.Set(name, value)
		}
	}
	return kept, nil
}

// isIssuerOf reports whether iss is an issuer identifier of the Connection's
// provider.
func isIssuerOf(conn *authcode.Connection, iss string) bool {
	isIssuer := conn.Config.Provider.IsIssuer
	return isIssuer != nil && isIssuer(iss)
}

// initiateOptions turns parameters into options of the login.
func initiateOptions(r *http.Request, params url.Values) (opts []authcode.AuthOption) {
	if hint := params.Get("login_hint"); hint != "" {
		opts = append(opts, authcode.Param("login_hint", hint))
	}
	// Section 4: target_link_uri must not make the app an open redirector.
	if target := params.Get("target_link_uri"); target != "" {
		opts = append(opts, authcode.ReturnTo(pathOnHost(r.Host, target)))
	}
	return opts
}

// pathOnHost returns the path, query and fragment of target if it is an
// absolute URL on host. Otherwise it returns target, and [authcode.ReturnTo]
// makes "/" of whatever is not a local path.
func pathOnHost(host, target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" ||
		!strings.EqualFold(u.Host, host) {
		return target
	}
	// Cut the text: u.String could change the path's escaping.
	_, rest, _ := strings.Cut(target, "//")
	if at := strings.IndexAny(rest, "/?#"); at >= 0 && rest[at] == '/' {
		return rest[at:]
	}
	return "/"
}
