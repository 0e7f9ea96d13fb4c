package oidc

import (
	"crypto"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

const leeway = 60 // seconds that two clocks may differ

// checkIDToken checks the claims of an ID token whose signature is good (OpenID Connect Core section
// 3.1.3.7). want is the nonce that it has to have.
func (i *issuer) checkIDToken(t *jwt, resp *authcode.TokenResponse, want string) error {
	now := seconds(resp.Config.Clock.Now())
	if !t.hasType() {
		return t.refuse(".typ")
	}
	if err := i.checkIssuer(t); err != nil {
		return err
	}
	if err := i.checkAudience(t, resp.Config.ClientID); err != nil {
		return err
	}
	if err := checkTimes(t, now); err != nil {
		return err
	}
	if sub, ok := t.Text("sub"); !ok || !isSubject(sub) {
		return t.refuse(".sub")
	}
	// A nonce is wrong too if none was sent: the token belongs to another login.
	if nonce, ok := t.Text("nonce"); !ok || nonce != want {
		return t.refuse(".nonce")
	}
	if resp.MaxAge >= 0 && !isRecent(t.Object["auth_time"], resp.MaxAge, now) {
		return t.refuse(".auth_time")
	}
	if raw, present := t.Object["at_hash"]; present && !isHashOf(raw, resp.Token.AccessToken, t.alg) {
		return t.refuse(".at_hash")
	}
	if hd, ok := t.Text("hd"); len(i.domains) > 0 && (!ok || !slices.Contains(i.domains, hd)) {
		return notAdmitted("id_token.hd")
	}
	return nil
}

// checkIssuer compares iss byte for byte. The tenant of a template is the one of tid, which
// Tenants must admit. The issuer of the signing key must agree: otherwise one tenant's key could
// sign for another tenant.
func (i *issuer) checkIssuer(t *jwt) error {
	iss, ok := t.Text("iss")
	tid, _ := t.Text("tid")
	want := i.issuer
	if i.isTemplate() || !i.anyTenant {
		if !isTenant(tid) {
			return t.refuse(".tid")
		}
		if !i.allowsTenant(tid) {
			return notAdmitted(t.name + ".tid")
		}
		want = strings.Replace(want, tenantPart, tid, 1)
	}
	if !ok || iss != want {
		return t.refuse(".iss")
	}
	if s := t.signer.issuer; i.isTemplate() && s != "" && strings.Replace(s, tenantPart, tid, 1) != iss {
		return t.refuse(".iss")
	}
	return nil
}

// checkAudience: the JWT is meant for the app, alone or together with audiences that the app trusts,
// and if it says to whom it was given (azp), that is the app. An ID token for several audiences has
// to say so.
func (i *issuer) checkAudience(t *jwt, clientID string) error {
	audiences, ok := audiencesOf(t.Object["aud"])
	if !ok || clientID == "" || !slices.Contains(audiences, clientID) {
		return t.refuse(".aud")
	}
	others := false
	for _, aud := range audiences {
		others = others || aud != clientID
		if aud != clientID && !slices.Contains(i.audiences, aud) {
			return t.refuse(".aud")
		}
	}
	raw, present := t.Object["azp"]
	azp, _ := wire.Text(raw)
	if present && azp != clientID || !present && others && t.needsAzp {
		return t.refuse(".azp")
	}
	return nil
}

// audiencesOf reads aud: a text, or a list of texts (RFC 7519 section 4.1.3).
func audiencesOf(raw wire.Raw) ([]string, bool) {
	if s, ok := wire.Text(raw); ok {
		return []string{s}, true
	}
	return wire.Strings(raw)
}

// checkTimes needs exp, and iat if the kind does; nbf may be missing.
func checkTimes(t *jwt, now float64) error {
	if exp, ok := date(t.Object["exp"]); !ok || exp+leeway <= now {
		return t.refuse(".exp")
	}
	if raw, present := t.Object["iat"]; present || t.needsIat {
		if iat, ok := date(raw); !ok || iat > now+leeway {
			return t.refuse(".iat")
		}
	}
	if raw, present := t.Object["nbf"]; present {
		if nbf, ok := date(raw); !ok || nbf > now+leeway {
			return t.refuse(".nbf")
		}
	}
	return nil
}

// date reads a NumericDate (RFC 7519 section 2): a JSON number, maybe with a fraction. No other
// JSON value parses: a text has its quotes.
func date(raw wire.Raw) (float64, bool) {
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil && math.Abs(f) < 1<<53
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// isSubject: at most 255 characters (OpenID Connect Core section 2), and none that a log or a
// database column would drop, or that stands for characters that could not be decoded: two people
// would become one.
func isSubject(s string) bool {
	return s != "" && len(s) <= 255 && s == strings.TrimSpace(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
}

// isRecent reports whether the person signed in at most maxAge ago (OpenID Connect Core section 3.1.2.1).
func isRecent(raw wire.Raw, maxAge time.Duration, now float64) bool {
	at, ok := date(raw)
	return ok && at <= now+leeway && now-at <= maxAge.Seconds()+leeway
}

// isHashOf checks at_hash: the left half of the access token's hash, by the hash of the
// signature's algorithm (OpenID Connect Core section 3.1.3.6); for Ed25519 that is SHA-512.
func isHashOf(raw wire.Raw, token string, alg jose.SignatureAlgorithm) bool {
	hash := crypto.SHA512
	switch alg[len(alg)-3:] {
	case "256":
		hash = crypto.SHA256
	case "384":
		hash = crypto.SHA384
	}
	h := hash.New()
	h.Write([]byte(token))
	sum := h.Sum(nil)
	text, ok := wire.Text(raw)
	return ok && text == base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
