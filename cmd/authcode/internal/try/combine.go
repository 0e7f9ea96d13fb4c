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

// faults collects what is wrong with the flags, in plain words. No value is repeated:
// somebody may have put a key where its file belongs.
type faults []string

func (f *faults) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// securityFaults lists all that cannot work of what -client-auth and the flags behind it
// ask for.
func (o *options) securityFaults() faults {
	var f faults
	o.checkWords(&f)
	if len(f) > 0 {
		return f // nothing else can be said of words that mean nothing
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

func (o *options) checkWords(f *faults) {
	for _, flag := range []struct {
		name, value string
		want        []string
	}{
		{"client-auth", o.clientAuth, []string{bySecret, byNothing, byKey, bySecretJWT, byTLS}},
		{"client-audience", o.audience, []string{"issuer", "token-url", "endpoint"}},
		{"client-key-alg", o.keyAlg, []string{"", "RS256", "PS256", "ES256", "EdDSA"}},
		{"bind", o.bind, []string{bindNothing, bindDPoP, bindTLS}},
		{"par", o.par, []string{"auto", "always", "required"}},
		{"fapi", o.fapi, []string{"", fapiSecurity, fapiSigning}},
	} {
		words := strings.TrimPrefix(strings.Join(flag.want, ", "), ", ")
		f.check(slices.Contains(flag.want, flag.value), "-%s is none of %s", flag.name, words)
	}
}

// checkCredentials: each way to authenticate needs its own credentials. The embedded
// server's are made on the spot.
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
		f.check(len(o.clientSecret) >= 32, "-client-auth client_secret_jwt needs a secret of 32 "+
			"bytes or more: set %s",
			envName("client-secret"))
	case byKey:
		f.check(o.clientKey != "", "-client-auth private_key_jwt needs -client-key")
	}
	f.check(!o.shows() || o.clientCert != "", "-client-auth tls and -bind tls need -client-cert "+
		"and -client-cert-key")
	f.check(!o.signRequests || o.clientKey != "", "-sign-requests needs -client-key")
	both := secret && o.clientKey != "" && !o.given["client-auth"]
	f.check(!both, "-client-secret and -client-key are both given: say by -client-auth which one "+
		"proves who this app is")
	f.check(both || !secret || auth == bySecret || auth == bySecretJWT,
		"-client-secret is of no use with -client-auth %s: drop one of them", auth)
	f.check(both || o.clientKey == "" || o.signs(), "-client-key is of no use: want -client-auth "+
		"private_key_jwt or -sign-requests")
	f.check(o.clientCert == "" || o.shows(), "-client-cert is of no use: want -client-auth tls "+
		"or -bind tls")
}

// checkUse: a flag that changes nothing is a misunderstanding.
func (o *options) checkUse(f *faults) {
	assertion := o.clientAuth == byKey || o.clientAuth == bySecretJWT
	f.check(o.authStyle == "" || o.clientAuth == bySecret || o.clientAuth == byNothing,
		"-auth-style says where a secret goes, and -client-auth %s sends none", o.clientAuth)
	f.check(o.clientKey != "" || o.clientKeyID == "" && o.keyAlg == "",
		"-client-key-id and -client-key-alg need -client-key")
	f.check(assertion || !o.given["client-audience"],
		"-client-audience needs -client-auth private_key_jwt or client_secret_jwt")
	f.check(o.dpopKey == "" || o.bind == bindDPoP, "-dpop-key needs -bind dpop")
	f.check(!o.configured() || !assertion || o.issuer != "" || o.audience != "issuer",
		"-client-auth %s needs -issuer, whom its assertions are for", o.clientAuth)
	f.check(!o.shows() || !isPlain(o.issuer) && !isPlain(o.authURL) && !isPlain(o.tokenURL) &&
		!isPlain(o.parURL) && !isPlain(o.userinfoURL),
		"-client-auth tls and -bind tls need https: over http no certificate can be shown")
	lookedUp := o.issuer != "" && o.authURL == ""
	f.check(!o.configured() || o.par != "always" || lookedUp || o.parURL != "",
		"-par always needs -par-url, or -issuer alone, which looks it up")
	f.check(!lookedUp || o.parURL == "", "-par-url goes with -auth-url and -token-url: with "+
		"-issuer alone it is looked up")
}

func isPlain(address string) bool { return strings.HasPrefix(strings.ToLower(address), "http:") }

func (o *options) checkMessages(f *faults) {
	if o.configured() && o.issuer == "" {
		f.check(!o.signRequests && !o.signedResponses && !o.introspect,
			"-sign-requests, -signed-responses and -introspect need -issuer")
	}
}

// checkLogin looks at what every login asks for.
func (o *options) checkLogin(f *faults) {
	_, err := strconv.ParseUint(o.maxAge, 10, 31)
	f.check(o.maxAge == "" || err == nil, "-max-age is not a whole number of seconds")
	for _, uri := range o.resources {
		u, err := url.Parse(uri)
		f.check(err == nil && u.IsAbs() && !strings.Contains(uri, "#"),
			"-resource is not an absolute URI without fragment")
	}
	err = o.checkDetails()
	f.check(err == nil, "%v", err)
	asked, err := url.ParseQuery(o.loginParams)
	if err != nil {
		return // see params
	}
	for name, given := range map[string]bool{
		"acr_values": o.acrValues != "", "max_age": o.maxAge != "",
		"resource": len(o.resources) > 0, "authorization_details": o.details != "",
	} {
		f.check(!given || !asked.Has(name), "-login-params has %s, which has a flag of its own: "+
			"drop one of them", name)
	}
}

// checkDetails looks at -authorization-details.
func (o *options) checkDetails() error {
	if o.details == "" {
		return nil
	}
	var elements []json.RawMessage
	if json.Unmarshal([]byte(o.details), &elements) != nil || len(elements) == 0 {
		return errors.New("-authorization-details is not a JSON array of objects")
	}
	for _, element := range elements {
		var typed struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(element, &typed) != nil || typed.Type == "" {
			return errors.New("-authorization-details has an element that is not an object with a type")
		}
	}
	return nil
}

// checkFAPI says by flag what package fapi would refuse by field.
func (o *options) checkFAPI(f *faults) {
	f.check(o.clientAuth == byKey || o.clientAuth == byTLS,
		"-fapi needs -client-auth private_key_jwt (with -client-key) or tls (with -client-cert)")
	f.check(o.bind != bindNothing, "-fapi needs -bind dpop or tls: FAPI 2.0 forbids bearer tokens")
	f.check(o.par == "always", "-fapi pushes every authorization request: drop -par")
	f.check(o.audience == "issuer", "-fapi needs assertions for the issuer: drop -client-audience")
	f.check(o.keyAlg != "RS256", "-fapi forbids RS256: drop -client-key-alg")
	f.check(!isPlain(o.baseURL), "-fapi needs https for this app, on localhost too: change -base-url")
	f.check(!o.configured() || o.issuer != "", "-fapi needs -issuer")
	for _, address := range []string{o.issuer, o.authURL, o.tokenURL, o.parURL, o.revocationURL,
		o.userinfoURL} {
		if isPlain(address) {
			f.check(false, "-fapi needs https for the provider, on localhost too")
			break
		}
	}
	if o.fapi == fapiSigning {
		f.check(o.signRequests && o.signedResponses, "-fapi message-signing signs requests and "+
			"responses: drop -sign-requests and -signed-responses")
	}
}
