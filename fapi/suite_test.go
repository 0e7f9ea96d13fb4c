package fapi_test

import (
	"cmp"
	"fmt"
	"testing"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// suiteRefusals are the rules by which the suite's tests have to stop a client.
var suiteRefusals = map[string]row{
	"invalid-iss":           {reason: authcode.IdentityRefused, check: "id_token.iss"},
	"invalid-aud":           {reason: authcode.IdentityRefused, check: "id_token.aud"},
	"invalid-secondary-aud": {reason: authcode.IdentityRefused, check: "id_token.aud"},
	"invalid-null-alg":      {reason: authcode.IdentityRefused, check: "id_token.alg"},
	"invalid-alternate-alg": {reason: authcode.IdentityRefused, check: "id_token.alg"},
	"invalid-expired-exp":   {reason: authcode.IdentityRefused, check: "id_token.exp"},
	"invalid-missing-exp":   {reason: authcode.IdentityRefused, check: "id_token.exp"},
	"invalid-missing-aud":   {reason: authcode.IdentityRefused, check: "id_token.aud"},
	"invalid-missing-iss":   {reason: authcode.IdentityRefused, check: "id_token.iss"},
	"invalid-nonce":         {reason: authcode.IdentityRefused, check: "id_token.nonce"},
	"invalid-missing-nonce": {reason: authcode.IdentityRefused, check: "id_token.nonce"},

	"discovery-issuer-mismatch": {reason: authcode.BadAnswer, check: "discovery.issuer"},

	"invalid-authorization-response-iss":                             {reason: authcode.Forged, check: "iss"},
	"remove-authorization-response-iss":                              {reason: authcode.Forged, check: "iss.missing"},
	"ensure-authorization-response-with-invalid-state-fails":         {reason: authcode.Forged, check: "state.form"},
	"ensure-authorization-response-with-invalid-missing-state-fails": {reason: authcode.Malformed, check: "callback.state"},

	"ensure-jarm-without-iss-fails":         {reason: authcode.Forged, check: "response.iss"},
	"ensure-jarm-with-invalid-iss-fails":    {reason: authcode.Forged, check: "response.iss"},
	"ensure-jarm-without-aud-fails":         {reason: authcode.Forged, check: "response.aud"},
	"ensure-jarm-with-invalid-aud-fails":    {reason: authcode.Forged, check: "response.aud"},
	"ensure-jarm-without-exp-fails":         {reason: authcode.Forged, check: "response.exp"},
	"ensure-jarm-with-expired-exp-fails":    {reason: authcode.Forged, check: "response.exp"},
	"ensure-jarm-with-invalid-sig-fails":    {reason: authcode.Forged, check: "response.signature"},
	"ensure-jarm-signature-alg-is-not-none": {reason: authcode.Forged, check: "response.alg"},
}

// TestSuite: the tests of the OpenID Foundation's suite for FAPI 2.0 clients that change an answer, as
// authserver has them, each under the profiles that it is for.
func TestSuite(t *testing.T) { run(t, suiteRows()) }

func suiteRows() (rows []row) {
	for _, test := range authserver.FAPI2ClientTests(clientID) {
		for _, in := range []setup{{}, signing} {
			jarm := in.profile == fapi.MessageSigning
			if test.Place == authserver.JARM && !jarm || test.Place == authserver.Authorization && jarm {
				continue
			}
			r := suiteRefusals[test.Name]
			if (r.check == "") != test.Accept {
				panic("suiteRefusals and the suite disagree about " + test.Name)
			}
			r.name, r.at, r.faults, r.in = fmt.Sprintf("%s, profile %d", test.Name, in.profile), test.Place, test.Faults, in
			if test.Place == authserver.Resource {
				r.status, r.asked = 200, 2 // a demand for a nonce comes first
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// TestClean: all ways to authenticate and to bind tokens, under both profiles, at providers with aliases for
// certificates and without: login, UserInfo, API, introspection, refresh and revocation, with a certificate
// where it belongs and nowhere else.
func TestClean(t *testing.T) {
	for _, in := range combinations() {
		name := fmt.Sprintf("profile %d, %s, certificate-bound %t, listeners %d",
			in.profile, cmp.Or(in.method, authserver.PrivateKeyJWT), in.certificate, in.listeners)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t, in)
			x.srv.SetNonces(authserver.RotatingNonces, authserver.RotatingNonces)
			x.prepare(authserver.Refresh)
			x.wantAlive(true)
			renewed := x.do(authserver.Refresh)
			if renewed.err != nil {
				t.Fatal(renewed.err)
			}
			x.login = renewed.login
			x.wantAlive(true)
			if got := x.do(authserver.Revocation); got.err != nil {
				t.Fatal(got.err)
			}
			x.wantAlive(false)
			x.wantCertificates()
			x.wantFresh()
		})
	}
}

func combinations() (all []setup) {
	for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
		for _, method := range []authserver.AuthMethod{"", authserver.SelfSignedTLS, authserver.TLSClientAuth} {
			for _, certificate := range []bool{false, true} {
				in := setup{profile: profile, method: method, certificate: certificate, userInfo: true}
				all = append(all, in)
				if in.showsCertificate() {
					for _, in.listeners = range []listeners{aliasesOnly, mainOnly} {
						all = append(all, in)
					}
				}
			}
		}
	}
	return all
}

// wantAlive asks the API and the provider whether the access token is good.
func (x *world) wantAlive(want bool) {
	x.t.Helper()
	status, err := x.callAPI(x.login)
	if err != nil || (status == 200) != want {
		x.t.Errorf("the API answered %d, %v", status, err)
	}
	got := x.do(authserver.Introspection)
	if got.err != nil || got.info.Active != want {
		x.t.Fatalf("introspection: %+v", got)
	}
	if !want {
		return
	}
	cnf, _ := got.info.Claims["cnf"].(map[string]any)
	if x5t := authserver.Thumbprint(ownCert.Leaf); (cnf["x5t#S256"] == x5t) != x.in.certificate || (cnf["jkt"] != nil) == x.in.certificate {
		x.t.Errorf("the token is bound by %v", cnf)
	}
}

// wantCertificates: where the app showed its certificate.
func (x *world) wantCertificates() {
	x.t.Helper()
	seen := make(map[authserver.Place]int)
	for _, r := range x.srv.Requests() {
		want := false
		switch r.Place {
		case authserver.PAR, authserver.Token, authserver.Refresh, authserver.Revocation, authserver.Introspection:
			want = x.in.showsCertificate()
		case authserver.UserInfo, authserver.Resource:
			want = x.in.certificate
		}
		shown := ""
		if want {
			shown = authserver.Thumbprint(ownCert.Leaf)
		}
		if r.Certificate != shown {
			x.t.Errorf("at %s the certificate %q was shown", r.Place, r.Certificate)
		}
		seen[r.Place]++
	}
	for _, place := range append([]authserver.Place{authserver.Discovery, authserver.JWKS}, counted...) {
		if seen[place] == 0 {
			x.t.Errorf("nothing was asked at %s", place)
		}
	}
}
