package authserver

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ClientTest is a test of the OpenID Foundation's conformance suite for FAPI
// 2.0 clients, expressed as faults of this server.
type ClientTest struct {
	// Name is the name of the test, without the prefix
	// "fapi2-security-profile-final-client-test-".
	Name string

	// Place and Faults are for [Server.SetFaults].
	Place  Place
	Faults []Fault

	// Accept says that a client must finish the login. If false, it must
	// refuse.
	Accept bool
}

// FAPI2ClientTests returns those tests of the plans
// FAPI2-Security-Profile-Final and FAPI2-Message-Signing-Final that change an
// answer, for the client clientID. The tests at [JARM] are for a client that
// asks for signed responses, those at [Authorization] for all others. The times
// in the faults are relative to now.
func FAPI2ClientTests(clientID string) []ClientTest {
	return append(idTokenTests(member("", clientID).value), responseTests()...)
}

const otherServer = `"https://other.example"`

// past returns the time five minutes ago, as JSON.
func past() string { return strconv.FormatInt(time.Now().Add(-5*time.Minute).Unix(), 10) }

// refused is a test in which a client must stop.
func refused(at Place, name string, faults ...Fault) ClientTest {
	return ClientTest{name, at, faults, false}
}

// accepted is a test in which a client must go on: the answer is unusual, and
// allowed.
func accepted(at Place, name string, faults ...Fault) ClientTest {
	return ClientTest{name, at, faults, true}
}

// idTokenTests returns the tests at [IDToken]. id is the client id, as JSON.
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

// responseTests returns the tests of all other answers.
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

// invertCase changes upper case to lower case in a member and the other way
// round: "DPoP" becomes "dpOp".
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
