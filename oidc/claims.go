package oidc

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// leeway is how many seconds two clocks may differ. RFC 7519 section 4.1.4
// allows a few minutes.
const leeway = 60

// checkClaims makes the checks that most kinds of JWT share.
func (t *jwt) checkClaims() error {
	if !t.hasType() {
		return t.refuse(".typ")
	}
	if err := t.checkIssuer(); err != nil {
		return err
	}
	if err := t.checkAudience(); err != nil {
		return err
	}
	return t.checkTimes()
}

// hasType reports whether the header's typ is that of the JWT's kind, or says
// nothing.
func (t *jwt) hasType() bool {
	// RFC 8725 section 3.11: an access token or another JWT for the same client
	// and by the same key must not pass for an ID token. Newer kinds have a typ
	// that ends in +jwt. ID tokens have "JWT" or nothing. OpenID Connect
	// Back-Channel Logout section 4.1 does not demand more of logout tokens,
	// because that would break most providers.
	typ := t.mediaType()
	return !strings.HasSuffix(typ, "+jwt") || typ == t.kind.typ
}

// mediaType returns the header's typ in its short form.
func (t *jwt) mediaType() string {
	// RFC 7515 section 4.1.9: a media type ignores case, and "application/" may
	// be left out.
	return strings.TrimPrefix(strings.ToLower(t.typ), "application/")
}

// checkIssuer compares iss with the issuer identifier, or with the tenant's.
func (t *jwt) checkIssuer() error {
	iss, _ := t.Text("iss")
	tid, _ := t.Text("tid")
	want := t.issuer.identifier
	if t.issuer.isTemplate || !t.issuer.anyTenant {
		if !isTenant(tid) {
			return t.refuse(".tid")
		}
		if !t.issuer.admitsTenant(tid) {
			return notAdmitted(t.name + ".tid")
		}
		want = strings.Replace(want, tenantPart, tid, 1)
	}
	// OpenID Connect Core section 3.1.3.7, RFC 7519 section 4.1.1: compare byte
	// for byte. A subject identifies a person only together with the issuer.
	if t.kind.name == idToken.name {
		iss = issuerOf(iss)
	}
	if iss != want {
		return t.refuseAnswer(".iss")
	}
	// One JWKS may hold the keys of several issuers, and a key may say whose it
	// is. Otherwise the key of one tenant could sign for another tenant, and a
	// foreign key that is listed beside the provider's own for the provider.
	if !t.signer.signsFor(iss) {
		return t.refuseAnswer(".iss")
	}
	return nil
}

// issuerOf returns the issuer identifier that iss of an ID token stands for.
func issuerOf(iss string) string {
	// Google documents that it may leave out the scheme:
	// developers.google.com/identity/openid-connect/openid-connect, "Validating
	// an ID token". Both forms must be one issuer, or a person would have two
	// accounts.
	if iss == "accounts.google.com" {
		return "https://accounts.google.com"
	}
	return iss
}

// isTenant reports whether s can be a tenant, usually a GUID.
func isTenant(s string) bool {
	// The tenant becomes a part of an issuer. With a slash in it, another path
	// of the provider's host would fit the template.
	return s != "" && len(s) <= 64 && strings.Trim(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// admitsTenant reports whether [Tenants] names id, or is not used.
func (s *settings) admitsTenant(id string) bool {
	return s.anyTenant || slices.Contains(s.tenants, id)
}

// checkAudience checks for whom the JWT is meant, aud, and to whom it was
// issued, azp.
func (t *jwt) checkAudience() error {
	// OpenID Connect Core section 3.1.3.7: without this check, another app of
	// the same provider could sign in here with a token that it got there. An
	// empty client ID would match an empty aud.
	audiences, _ := audiencesOf(t.Object["aud"])
	if t.clientID == "" || !slices.Contains(audiences, t.clientID) {
		return t.refuseAnswer(".aud")
	}
	others := false
	for _, aud := range audiences {
		others = others || aud != t.clientID
		// The same section: refuse audiences that the app does not trust. They
		// have the token as well, and could pass it on.
		if aud != t.clientID && !slices.Contains(t.issuer.audiences, aud) {
			return t.refuseAnswer(".aud")
		}
	}
	// The same section recommends both checks of azp: that it is there if there
	// are several audiences, and that it is the client ID. A null is not the
	// client ID.
	raw, present := t.Object["azp"]
	azp, _ := wire.Text(raw)
	if present && azp != t.clientID || !present && others && t.requireAzp {
		return t.refuseAnswer(".azp")
	}
	return nil
}

// audiencesOf reads aud: a string or a list of strings (RFC 7519 section
// 4.1.3).
func audiencesOf(raw wire.Raw) ([]string, bool) {
	if s, ok := wire.Text(raw); ok {
		return []string{s}, true
	}
	return wire.Strings(raw)
}

// checkTimes checks exp, iat and nbf (RFC 7519 sections 4.1.4 to 4.1.6).
func (t *jwt) checkTimes() error {
	// A JWT without exp that leaks, for example from a log, could be used
	// forever.
	raw, present := t.Object["exp"]
	exp, ok := numericDate(raw)
	switch {
	case !present && t.omitsExp:
	case !ok:
		return t.refuse(".exp")
	case exp+leeway <= t.now:
		return t.refuseTime(".exp", "expired %s before", t.now-exp)
	}
	// A date in the future means that the clocks differ. Then exp cannot be
	// trusted either.
	if raw, present := t.Object["iat"]; present || t.requireIat {
		iat, ok := numericDate(raw)
		switch {
		case !ok:
			return t.refuse(".iat")
		case iat > t.now+leeway:
			return t.refuseTime(".iat", "was issued %s after", iat-t.now)
		}
	}
	if raw, present := t.Object["nbf"]; present {
		if nbf, ok := numericDate(raw); !ok || nbf > t.now+leeway {
			return t.refuse(".nbf")
		}
	}
	return nil
}

// refuseTime makes the error for a JWT that does not fit this host's clock by
// so many seconds.
func (t *jwt) refuseTime(rule, what string, seconds float64) error {
	// A clock that is wrong by hours looks like an attack or a broken provider.
	// The difference tells what it is.
	difference := "many years"
	if seconds < 1e8 {
		difference = (time.Duration(seconds) * time.Second).String()
	}
	text := fmt.Sprintf("%s "+what+" the time of this host's clock: set the clock, or report it to "+
		"the provider if its clock is wrong", subjects[t.name].name, difference)
	return authcode.NewError(t.reason, t.name+rule, text, nil)
}

// numericDate reads seconds since 1970, perhaps with a fraction (RFC 7519
// section 2).
func numericDate(raw wire.Raw) (float64, bool) {
	// raw is valid JSON, so only a number parses: a string still has its
	// quotes. Beyond 2^53 a float64 does not hold every second, so that adding
	// leeway could change nothing.
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil && math.Abs(f) < 1<<53
}

// seconds returns t as a NumericDate.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
