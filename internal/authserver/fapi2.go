package authserver

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ClientTest is a test of the OpenID Foundation's conformance suite for FAPI 2.0 clients, as faults
// of this server.
type ClientTest struct {
	// Name is the test's, without "fapi2-security-profile-final-client-test-" before it.
	Name string

	// Place and Faults are for [Server.SetFaults].
	Place  Place
	Faults []Fault

	// Accept says that a client has to go on. If false, it has to stop.
	Accept bool
}

// FAPI2ClientTests returns the tests of the suite's plans FAPI2-Security-Profile-Final and
// FAPI2-Message-Signing-Final for the client clientID that change an answer. Those of [JARM] are
// for a client that asks for signed responses, those of [Authorization] for others. The times in
// the faults count from now.
func FAPI2ClientTests(clientID string) []ClientTest {
	return append(idTokenTests(member("", clientID).value), responseTests()...)
}

const otherServer = `"https://other.example"`

// past is five minutes ago, as JSON.
func past() string { return strconv.FormatInt(time.Now().Add(-5*time.Minute).Unix(), 10) }

func refused(at Place, name string, faults ...Fault) ClientTest {
	return ClientTest{name, at, faults, false}
}

func accepted(at Place, name string, faults ...Fault) ClientTest {
	return ClientTest{name, at, faults, true}
}

// idTokenTests takes the client id as JSON.
func idTokenTests(id string) []ClientTest {
	return []ClientTest{
		refused(IDToken, "invalid-iss", Set("iss", otherServer)),
		refused(IDToken, "invalid-aud", Set("aud", otherServer)),
		refused(IDToken, "invalid-secondary-aud", Set("aud", "["+id+","+otherServer+"]")),
		refused(IDToken, "invalid-null-alg", SignAs("none")),
		refused(IDToken, "invalid-alternate-alg", SignAs("RS256")),
		refused(IDToken, "invalid-expired-exp", Set("exp", past())),
		refused(IDToken, "invalid-missing-exp", Drop("exp")),
		refused(IDToken, "invalid-missing-aud", Drop("aud")),
		refused(IDToken, "invalid-missing-iss", Drop("iss")),
		accepted(IDToken, "valid-aud-as-array", Set("aud", "["+id+"]")),
		refused(IDToken, "invalid-nonce", Set("nonce", `"another"`)),
		refused(IDToken, "invalid-missing-nonce", Drop("nonce")),
	}
}

func responseTests() []ClientTest {
	const invalid = "ensure-authorization-response-with-invalid-"
	return []ClientTest{
		refused(Discovery, "discovery-issuer-mismatch", Set("issuer", otherServer)),
		accepted(Discovery, "happy-path-no-mtls-endpoint-aliases", Drop("mtls_endpoint_aliases")),

		refused(Authorization, "invalid-authorization-response-iss", Set("iss", "https://other.example")),
		refused(Authorization, "remove-authorization-response-iss", Drop("iss")),
		refused(Authorization, invalid+"state-fails", Set("state", "another")),
		refused(Authorization, invalid+"missing-state-fails", Drop("state")),

		accepted(Token, "token-endpoint-response-without-expires_in", Drop("expires_in")),
		accepted(Token, "token-type-case-insensitivity", invertCase("token_type")),
		accepted(Resource, "rs-dpop-auth-scheme-case-insensitivity", First(1, DemandFreshNonce()),
			First(1, AnswerHeader("WWW-Authenticate", `dpOp error="use_dpop_nonce"`))),

		refused(JARM, "ensure-jarm-without-iss-fails", Drop("iss")),
		refused(JARM, "ensure-jarm-with-invalid-iss-fails", Set("iss", otherServer)),
		refused(JARM, "ensure-jarm-without-aud-fails", Drop("aud")),
		refused(JARM, "ensure-jarm-with-invalid-aud-fails", Set("aud", otherServer)),
		refused(JARM, "ensure-jarm-without-exp-fails", Drop("exp")),
		refused(JARM, "ensure-jarm-with-expired-exp-fails", Set("exp", past())),
		refused(JARM, "ensure-jarm-with-invalid-sig-fails", OtherKey()),
		refused(JARM, "ensure-jarm-signature-alg-is-not-none", SignAs("none")),
	}
}

// invertCase turns the letters of a member around: "DPoP" becomes "dpOp".
func invertCase(name string) Fault {
	return Fault{edit: func(fields []field) []field {
		for i := range fields {
			if fields[i].name == name {
				fields[i].value = strings.Map(func(c rune) rune {
					if unicode.IsUpper(c) {
						return unicode.ToLower(c)
					}
					return unicode.ToUpper(c)
				}, fields[i].value)
			}
		}
		return fields
	}}
}
