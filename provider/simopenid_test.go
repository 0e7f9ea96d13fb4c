package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.com/authcode/internal/testkey"
	"github.com/go-jose/go-jose/v4"
)

// openID is what makes a row an OpenID provider.
type openID struct {
	issuer   string                  // of its tokens
	document string                  // the issuer in the metadata, if another
	metadata string                  // where it is; if empty, below the issuer
	extra    string                  // further members of the metadata, each with a comma before it
	claims   string                  // of the ID token, beside iss, aud, iat, exp and nonce
	alg      jose.SignatureAlgorithm // of its tokens; if empty, RS256
	userInfo string                  // its answer; if empty, it must not be asked
}

// api checks a request with the access token.
func (s *sim) api(w http.ResponseWriter, r *http.Request, p page, instead *reply) {
	method := p.method
	if method == "" {
		method = http.MethodGet
	}
	bearer := "Bearer " + accessToken
	if p.form != "" {
		bearer = ""
	}
	body, err := io.ReadAll(r.Body)
	if r.Method != method || r.Header.Get("Authorization") != bearer || string(body) != p.form+p.json || err != nil ||
		p.json != "" && r.Header.Get("Content-Type") != "application/json" || p.header[0] != "" && r.Header.Get(p.header[0]) != p.header[1] ||
		r.Header.Get("Accept") == "" || s.row.openID == nil && r.UserAgent() != "authcode" {
		s.t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
	}
	if instead == nil {
		instead = &reply{body: p.body}
	}
	instead.send(w)
}

func (o *openID) metadataURL() string {
	if o.metadata != "" {
		return o.metadata
	}
	return strings.TrimSuffix(o.issuer, "/") + "/.well-known/openid-configuration"
}

func (s *sim) metadata(w http.ResponseWriter) {
	o := s.row.openID
	issuer := o.issuer
	if o.document != "" {
		issuer = o.document
	}
	fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q,"userinfo_endpoint":%q,
		"response_types_supported":["code"],"id_token_signing_alg_values_supported":["ES256","RS256"]%s}`,
		issuer, s.row.auth, s.row.token, o.issuer+"/keys", o.issuer+"/userinfo", o.extra)
}

// signingKey is what the provider signs with: RS256, unless the row says otherwise.
func (o *openID) signingKey() (jose.SignatureAlgorithm, any) {
	switch {
	case o != nil && o.alg == jose.ES256:
		return o.alg, ecKey()
	case o != nil && o.alg == jose.HS256:
		return o.alg, []byte(channelSecret)
	}
	return jose.RS256, rsaKey()
}

var rsaKey = sync.OnceValue(testkey.RSA)

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// token is the ID token of an answer. LinkedIn's is not asked for more than a nonce, which it does not have.
func (s *sim) token() string {
	switch {
	case s.idToken != "":
		return s.idToken
	case s.row.openID != nil:
		return s.sign()
	}
	claims := fmt.Appendf(nil, `{"iss":"https://www.linkedin.com/oauth","aud":%q,"sub":"782bbtaQ"%s}`, clientID,
		strings.Replace(s.claims, "NONCE", s.started.Get("nonce"), 1))
	return "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(claims) + ".c2ln"
}

// sign makes the ID token of the last authorization request.
func (s *sim) sign() string {
	return s.jwt("JWT", fmt.Sprintf(`"nonce":%q`, s.started.Get("nonce")))
}

// logoutToken says that the person has signed out (OpenID Connect Back-Channel Logout section 2.4).
func (s *sim) logoutToken() string {
	return s.jwt("logout+jwt", `"jti":"j-1","events":{"http://schemas.openid.net/event/backchannel-logout":{}}`)
}

// jwt signs what the provider says of the person, and these members.
func (s *sim) jwt(typ, members string) string {
	alg, key := s.row.openID.signingKey()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		s.t.Fatal(err)
	}
	now := time.Now().Unix()
	jws, err := signer.Sign(fmt.Appendf(nil, `{"iss":%q,"aud":%q,"iat":%d,"exp":%d,%s,%s}`,
		s.row.openID.issuer, clientID, now, now+300, members, s.claims))
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}
