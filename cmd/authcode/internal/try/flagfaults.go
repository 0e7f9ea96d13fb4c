package try

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// faults collects what is wrong with the flags. It does not repeat values:
// somebody may have put a key where the name of its file belongs.
type faults []string

// check adds a fault unless ok is true.
func (f *faults) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// securityFaults lists the combinations of security flags that cannot work. It
// finds them all at once, and names flags. The errors of package authcode would
// name fields of a Config, which the operator has never seen.
func (o *options) securityFaults() faults {
	var f faults
	o.checkWords(&f)
	if len(f) > 0 {
		return f // the other checks need values that mean something
	}
	o.checkCredentials(&f)
	o.checkUse(&f)
	o.checkMessages(&f)
	o.checkLogin(&f)
	if o.fapi != "" {
		o.checkFAPI(&f)
	}
	return f
}

// checkWords: some flags take one of a few words.
func (o *options) checkWords(f *faults) {
	for _, flag := range []struct {
		name, value string
		want        []string
	}{
		{"client-auth", o.clientAuth, []string{bySecret, byNothing, byKey, bySecretJWT, byTLS}},
		{"client-audience", o.audience, []string{"issuer", "token-url", "endpoint"}},
		{"client-key-alg", o.keyAlg, []string{"", "RS256", "PS256", "ES256", "EdDSA", "Ed25519"}},
		{"bind", o.bind, []string{bindNothing, bindDPoP, bindTLS}},
		{"par", o.par, []string{"auto", "always", "required"}},
		{"fapi", o.fapi, []string{"", fapiSecurity, fapiSigning}},
	} {
		words := strings.TrimPrefix(strings.Join(flag.want, ", "), ", ")
		f.check(slices.Contains(flag.want, flag.value), "-%s must be one of %s", flag.name, words)
	}
}

// checkCredentials: each client authentication method needs its own
// credentials. Those for the embedded server are made for this run.
func (o *options) checkCredentials(f *faults) {
	secret, auth := o.clientSecret != "", o.clientAuth
	f.check((o.clientCert == "") == (o.clientCertKey == ""),
		"give both -client-cert and -client-cert-key")
	if !o.configured() {
		return
	}
	switch auth {
	case bySecret:
		f.check(secret, "-client-auth secret needs a secret: set %s", envName("client-secret"))
	case bySecretJWT:
		// RFC 7518 section 3.2.
		f.check(len(o.clientSecret) >= 32, "-client-auth client_secret_jwt needs a secret of 32 "+
			"bytes or more: set %s", envName("client-secret"))
	case byKey:
		f.check(o.clientKey != "", "-client-auth private_key_jwt needs -client-key")
	}
	f.check(!o.showsCertificate() || o.clientCert != "", "-client-auth tls and "+
		"-bind tls need -client-cert and -client-cert-key")
	f.check(!o.signRequests || o.clientKey != "", "-sign-requests needs -client-key")
	both := secret && o.clientKey != "" && !o.given["client-auth"]
	f.check(!both, "-client-secret and -client-key are both given: choose one with -client-auth")
	f.check(both || !secret || auth == bySecret || auth == bySecretJWT,
		"-client-secret is not used with -client-auth %s: drop one of them", auth)
	f.check(both || o.clientKey == "" || o.signsWithKey(), "-client-key is not used: add "+
		"-client-auth private_key_jwt or -sign-requests, or drop it")
	f.check(o.clientCert == "" || o.showsCertificate(), "-client-cert is not used: add "+
		"-client-auth tls or -bind tls, or drop it")
}

// checkUse: a flag without effect is a misunderstanding. Somebody might believe
// that the login is protected in a way in which it is not.
func (o *options) checkUse(f *faults) {
	assertion := o.clientAuth == byKey || o.clientAuth == bySecretJWT
	f.check(o.authStyle == "" || o.clientAuth == bySecret || o.clientAuth == byNothing,
		"-auth-style says where a secret is sent, but -client-auth %s sends none: drop one of them",
		o.clientAuth)
	f.check(o.clientKey != "" || o.clientKeyID == "" && o.keyAlg == "",
		"-client-key-id and -client-key-alg need -client-key")
	// The default audience is not the operator's choice, so complain only about
	// a flag that was set.
	f.check(assertion || !o.given["client-audience"],
		"-client-audience needs -client-auth private_key_jwt or client_secret_jwt")
	f.check(o.dpopKey == "" || o.bind == bindDPoP, "-dpop-key needs -bind dpop")
	f.check(!o.configured() || !assertion || o.issuer != "" || o.audience != "issuer",
		"-client-auth %s needs -issuer, which is the audience of its assertions", o.clientAuth)
	isHTTPS := !isPlain(o.issuer) && !isPlain(o.authURL) && !isPlain(o.tokenURL) &&
		!isPlain(o.parURL) && !isPlain(o.userinfoURL)
	f.check(!o.showsCertificate() || isHTTPS,
		"-client-auth tls and -bind tls need https: over http no certificate can be shown")
	lookedUp := o.issuer != "" && o.authURL == ""
	f.check(!o.configured() || o.par != "always" || lookedUp || o.parURL != "",
		"-par always needs -par-url, or -issuer alone, which looks it up")
	f.check(!lookedUp || o.parURL == "", "-par-url goes with -auth-url and -token-url: with "+
		"-issuer alone it is looked up")
}

// isPlain reports whether address is http.
func isPlain(address string) bool {
	return strings.HasPrefix(strings.ToLower(address), "http:")
}

// checkMessages: signed messages are bound to the issuer, as audience or as
// iss.
func (o *options) checkMessages(f *faults) {
	if o.configured() && o.issuer == "" {
		f.check(!o.signRequests && !o.signedResponses && !o.introspect,
			"-sign-requests, -signed-responses and -introspect need -issuer")
	}
}

// checkLogin looks at the parameters of every login.
func (o *options) checkLogin(f *faults) {
	_, err := strconv.ParseUint(o.maxAge, 10, 31)
	f.check(o.maxAge == "" || err == nil, "-max-age must be a whole number of seconds")
	for _, uri := range o.resources {
		u, err := url.Parse(uri)
		f.check(err == nil && u.IsAbs() && !strings.Contains(uri, "#"),
			"-resource must be an absolute URI without a fragment")
	}
	err = o.checkDetails()
	f.check(err == nil, "%v", err)
	asked, err := url.ParseQuery(o.loginParams)
	if err != nil {
		return // params reports it
	}
	for name, given := range map[string]bool{
		"acr_values": o.acrValues != "", "max_age": o.maxAge != "",
		"resource": len(o.resources) > 0, "authorization_details": o.details != "",
	} {
		f.check(!given || !asked.Has(name), "-login-params sets %s, and so does its own flag: "+
			"drop one of them", name)
	}
}

// checkDetails looks at -authorization-details (RFC 9396 section 2).
func (o *options) checkDetails() error {
	if o.details == "" {
		return nil
	}
	var elements []json.RawMessage
	if json.Unmarshal([]byte(o.details), &elements) != nil || len(elements) == 0 {
		return errors.New(`-authorization-details must be a JSON array of objects: [{"type":"…"}]`)
	}
	for _, element := range elements {
		var typed struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(element, &typed) != nil || typed.Type == "" {
			return errors.New("-authorization-details has an element that is not an object with " +
				"a type: add the member type")
		}
	}
	return nil
}

// checkFAPI finds what package fapi would refuse, and names the flags.
func (o *options) checkFAPI(f *faults) {
	f.check(o.clientAuth == byKey || o.clientAuth == byTLS,
		"-fapi needs -client-auth private_key_jwt (with -client-key) or tls (with -client-cert)")
	// FAPI 2.0 Security Profile section 5.3.3.1, and section 5.4.1 for RS256.
	f.check(o.bind != bindNothing, "-fapi needs -bind dpop or tls: FAPI 2.0 forbids bearer tokens")
	f.check(o.par == "always", "-fapi pushes every authorization request: drop -par")
	f.check(o.audience == "issuer", "-fapi needs assertions for the issuer: drop -client-audience")
	f.check(o.keyAlg != "RS256", "-fapi forbids RS256: drop -client-key-alg")
	f.check(!isPlain(o.baseURL), "-fapi needs https for this app, on localhost too: change -base-url")
	f.check(!o.configured() || o.issuer != "", "-fapi needs -issuer")
	for _, address := range []string{o.issuer, o.authURL, o.tokenURL, o.parURL, o.revocationURL,
		o.userinfoURL} {
		if isPlain(address) {
			f.check(false, "-fapi needs https for the provider, on localhost too: change its URLs")
			break
		}
	}
	if o.fapi == fapiSigning {
		f.check(o.signRequests && o.signedResponses, "-fapi message-signing signs requests and "+
			"responses: do not turn off -sign-requests or -signed-responses")
	}
}
