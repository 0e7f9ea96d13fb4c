package authtest

import (
	"net/http"
	"net/url"
	"slices"

	"example.com/authcode/internal/authserver"
)

// Request is a request that the server received.
type Request struct {
	// Method is the request's method, such as "POST".
	Method string

	// Path is the endpoint's, such as "/token". For the server's metadata it is
	// "/.well-known/openid-configuration".
	Path string

	// Header is the request's header, with the app's credentials.
	Header http.Header

	// Form holds the parameters: at /authorize and /logout those of query and
	// body, elsewhere those of the body.
	Form url.Values
}

// paths are the endpoints in the server's words.
var paths = map[authserver.Place]string{
	authserver.Authorization: "/authorize",
	authserver.PAR:           "/par",
	authserver.Token:         "/token",
	authserver.Refresh:       "/token",
	authserver.Revocation:    "/revoke",
	authserver.Introspection: "/introspect",
	authserver.UserInfo:      "/userinfo",
	authserver.Resource:      "/resource",
	authserver.Discovery:     "/.well-known/openid-configuration",
	authserver.JWKS:          "/jwks",
	authserver.EndSession:    "/logout",
}

// Requests returns the requests to the given paths, such as "/token", the
// oldest first; without paths, all. The caller owns the result.
func (s *Server) Requests(at ...string) (all []Request) {
	for _, r := range s.server.Requests() {
		if path := paths[r.Place]; len(at) == 0 || slices.Contains(at, path) {
			all = append(all, Request{r.Method, path, r.Header, r.Form})
		}
	}
	return all
}

// Secrets returns every secret that the app got from the server: client
// secrets, codes, and access, refresh, ID and logout tokens. None of them
// belongs in a log or on a page; a test searches what the app wrote for each.
// The caller owns the result.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.secrets), s.server.Issued()...)
}
