package fapi_test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// TestHostileResponse: plain authorization responses.
func TestHostileResponse(t *testing.T) { run(t, responseRows()) }

// TestHostileResponseFormPost: some of them by form_post, where another parser reads them.
func TestHostileResponseFormPost(t *testing.T) { run(t, byFormPost(responseRows()[:14])) }

func byFormPost(rows []row) []row {
	return under(rows, "form_post", func(s *setup) { s.formPost = true })
}

func responseRows() []row {
	refused, accepted := rowsAt(authserver.Authorization, setup{})
	set, drop, repeat := authserver.Set, authserver.Drop, authserver.Repeat
	return append([]row{
		refused("another issuer", authcode.Forged, "iss", set("iss", "https://"+word+".example")),
		refused("an issuer with a slash more", authcode.Forged, "iss").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("iss", x.srv.URL+"/")}
		}),
		refused("an issuer in capitals", authcode.Forged, "iss").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("iss", strings.ToUpper(x.srv.URL))}
		}),
		refused("an empty issuer", authcode.Forged, "iss", set("iss", "")),
		refused("no issuer", authcode.Forged, "iss.missing", drop("iss")),
		refused("no issuer, and none promised", authcode.Forged, "iss.missing", drop("iss")).
			and(authserver.Discovery, drop("authorization_response_iss_parameter_supported")),
		refused("issuer under another name", authcode.Forged, "iss.missing", authserver.Rename("iss", "ISS")),
		refused("two issuers", authcode.Malformed, "callback.repeated", repeat("iss", "https://"+word+".example")),

		refused("no state", authcode.Malformed, "callback.state", drop("state")),
		refused("an empty state", authcode.Malformed, "callback.state", set("state", "")),
		refused("a state of no app", authcode.Forged, "state.form", set("state", word)),
		refused("a state of another app", authcode.Forged, "state.tag").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("state", stateOfAnotherApp(x))}
		}),
		refused("a state of another browser", authcode.NoLogin, "cookie.missing").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("state", x.startElsewhere())}
		}),
		refused("the state twice", authcode.Malformed, "callback.repeated", repeat("state", "")),
		refused("two states", authcode.Malformed, "callback.repeated", repeat("state", word)),

		refused("no code", authcode.Malformed, "callback.code", drop("code")),
		refused("the code twice", authcode.Malformed, "callback.repeated", repeat("code", "")),
		refused("a parameter of no meaning twice", authcode.Malformed, "callback.repeated", set("foo", "1"), repeat("foo", "1")),
		refused("20 KiB", authcode.Malformed, "callback.size", set("foo", strings.Repeat("x", 20<<10))),
		refused("a code of nobody's", authcode.GrantRejected, "answer.error", set("code", word)).reaching(authserver.Token),
		refused("another person's code", authcode.GrantRejected, "answer.error", authserver.OtherUsersCode()).reaching(authserver.Token),
		refused("signed, and nobody asked", authcode.Malformed, "response", authserver.Signed()),
		refused("signed too, and nobody asked", authcode.Malformed, "response", authserver.Signed(), authserver.PlainBeside()),
		refused("an empty response parameter", authcode.Malformed, "response", set("response", "")),
		accepted("with a parameter of no meaning", set("foo", "1")),
		accepted("a moment later", authserver.Delay(patience/4)),
	}, errorRows(authserver.Authorization, setup{})...)
}

// errorRows are error responses, plain or signed.
func errorRows(at authserver.Place, in setup) []row {
	refused, _ := rowsAt(authserver.Authorization, in)
	fail := func(code string) authserver.Fault { return authserver.Error(0, code, word) }
	return []row{
		refused("denied", authcode.Denied, "authorization.error", fail("access_denied")),
		refused("login_required", authcode.InteractionRequired, "authorization.error", fail("login_required")),
		refused("interaction_required", authcode.InteractionRequired, "authorization.error", fail("interaction_required")),
		refused("invalid_request", authcode.Configuration, "authorization.error", fail("invalid_request")),
		refused("invalid_request_uri", authcode.Configuration, "authorization.error", fail("invalid_request_uri")),
		refused("invalid_request_object", authcode.Configuration, "authorization.error", fail("invalid_request_object")),
		refused("unauthorized_client", authcode.Configuration, "authorization.error", fail("unauthorized_client")),
		refused("unsupported_response_type", authcode.Configuration, "authorization.error", fail("unsupported_response_type")),
		refused("server_error", authcode.BadAnswer, "authorization.error", fail("server_error")),
		refused("temporarily_unavailable", authcode.Overloaded, "authorization.error", fail("temporarily_unavailable")),
		refused("an error of nobody's", authcode.Configuration, "authorization.error", fail(word)),
	}
}

func stateOfAnotherApp(x *world) string {
	other := newWorld(x.t, x.in)
	return other.startElsewhere()
}
