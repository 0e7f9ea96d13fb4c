package dpop

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/web"
)

// claims are those of a proof (RFC 9449 section 4.2).
type claims struct {
	ID        string `json:"jti"`
	Method    string `json:"htm"`
	URL       string `json:"htu"`
	IssuedAt  int64  `json:"iat"`
	TokenHash string `json:"ath,omitempty"`
	Nonce     string `json:"nonce,omitempty"`
}

// target is what a proof is good for.
type target struct {
	method    string
	url       string // without query and fragment
	tokenHash string // at resources only
	server    server
}

// newTarget names a request as the server sees it, byte for byte: many servers compare without bringing
// both forms to one (RFC 9449 section 4.3). So this follows what net/http sends: r.Host goes before
// the URL's, nothing is lower-cased, a default port stays, an empty path is "/".
func newTarget(role role, r *http.Request) (target, error) {
	host := cmp.Or(r.Host, r.URL.Host)
	path := r.URL.RequestURI()
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	t := target{
		method: cmp.Or(r.Method, http.MethodGet),
		url:    r.URL.Scheme + "://" + host + path,
		server: serverOf(role, r.URL, host),
	}
	// What net/http would change on its way (a host beyond ASCII, an IPv6 zone) or send as it is though no
	// URL has it (a path without a slash) cannot be named.
	if host == "" || strings.ContainsFunc(host, isNotHostChar) || !strings.HasPrefix(path, "/") ||
		strings.ContainsFunc(path, web.IsNotURLChar) {
		return target{}, failure("dpop.url")
	}
	return t, nil
}

// isNotHostChar holds for what is neither in a name nor in an address nor between it and a port (RFC 3986
// section 3.2.2).
func isNotHostChar(r rune) bool {
	return !web.IsAlphanumeric(r) && !strings.ContainsRune("-._~!$&'()*+,;=:[]", r)
}

func serverOf(role role, u *url.URL, host string) server {
	return server{role, web.Origin(&url.URL{Scheme: u.Scheme, Host: host})}
}

// prove returns a new proof, with the server's nonce if one is known.
func (b *Binding) prove(k *key, t target) (string, error) {
	nonce, _ := b.nonces.get(t.server)
	text, err := json.Marshal(claims{
		ID:        rand.Text(), // 130 bits
		Method:    t.method,
		URL:       t.url,
		IssuedAt:  time.Now().Unix(),
		TokenHash: t.tokenHash,
		Nonce:     nonce,
	})
	if err != nil {
		return "", failure("dpop.sign")
	}
	proof, err := k.signer.Sign(text)
	if err != nil { // whatever a KMS says stays out of logs
		return "", failure("dpop.sign")
	}
	return proof, nil
}
