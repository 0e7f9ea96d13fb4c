package dpop

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/urls"
)

// claims are those of a proof (RFC 9449 section 4.2).
type claims struct {
	ID        string `json:"jti"` // random: a server refuses one that it has seen
	Method    string `json:"htm"`
	URL       string `json:"htu"`
	IssuedAt  int64  `json:"iat"`
	TokenHash string `json:"ath,omitempty"`
	Nonce     string `json:"nonce,omitempty"`
}

// target is the request that a proof is for. With any other request, the proof
// is useless.
type target struct {
	method    string
	url       string // without query and fragment
	tokenHash string // for resource servers only
	server    server
}

// newTarget names a request as the server sees it, byte for byte: many servers
// compare the URLs without normalizing them (RFC 9449 section 4.3). So this
// follows what net/http sends: r.Host goes before the host of the URL, nothing
// is lower-cased, a default port stays, and an empty path is "/".
func newTarget(r *http.Request) (target, error) {
	host := cmp.Or(r.Host, r.URL.Host)
	// RFC 9449 section 4.2: htu has neither query nor fragment.
	path := r.URL.RequestURI()
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	// net/http would change some of these on the way (a host beyond ASCII, an
	// IPv6 zone), and send others as they are although no URL has them (a path
	// without a slash). A proof cannot name them.
	if host == "" || strings.ContainsFunc(host, isNotHostChar) || !strings.HasPrefix(path, "/") ||
		strings.ContainsFunc(path, urls.IsNotURLChar) {
		return target{}, failure("dpop.url")
	}
	t := target{
		method: cmp.Or(r.Method, http.MethodGet),
		url:    r.URL.Scheme + "://" + host + path,
		server: server{authorizationServer, urls.Origin(&url.URL{Scheme: r.URL.Scheme, Host: host})},
	}
	// RFC 9449 section 7: beside a token the proof names that token, so that a
	// stolen proof is of no use with another one.
	if token, ok := tokenOf(r); ok {
		t.server.role = resourceServer
		t.tokenHash = hash64(token)
	}
	return t, nil
}

// tokenOf returns the token that a request to a resource server carries, with
// the scheme DPoP. A request to a token or PAR endpoint has no Authorization
// header, or one of another scheme.
func tokenOf(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, strings.EqualFold(scheme, "DPoP")
}

// isNotHostChar reports whether r cannot occur in a host with its port (RFC
// 3986 section 3.2.2).
func isNotHostChar(r rune) bool {
	return !headers.IsAlphanumeric(r) && !strings.ContainsRune("-._~!$&'()*+,;=:[]", r)
}

// prove returns a new proof, with the server's nonce if one is known, and that
// nonce.
func (t *transport) prove(to target) (proof, nonce string, err error) {
	nonce, _ = t.nonces.get(to.server)
	// Texts and numbers can always be marshaled.
	text, _ := json.Marshal(claims{
		ID:        rand.Text(), // 130 bits
		Method:    to.method,
		URL:       to.url,
		IssuedAt:  time.Now().Unix(),
		TokenHash: to.tokenHash,
		Nonce:     nonce,
	})
	proof, err = t.signer.Sign(text)
	// The text of err is dropped: what a KMS says does not belong in a log.
	if err != nil {
		return "", "", failure("dpop.sign")
	}
	return proof, nonce, nil
}
