package fapi_test

import (
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// TestHostilePAR: what the endpoint for pushed requests may answer. Nobody is sent anywhere, and no cookie
// is set: see wantAnswer.
func TestHostilePAR(t *testing.T) { run(t, parRows(setup{})) }

// TestHostilePARSigned: some of it for signed requests.
func TestHostilePARSigned(t *testing.T) { run(t, parErrors(signing)[9:15]) }

func parRows(in setup) []row {
	refused, accepted := rowsAt(authserver.PAR, in)
	set, drop := authserver.Set, authserver.Drop
	uri := func(name, value string) row {
		return refused("request_uri "+name, authcode.BadAnswer, "par.request_uri", set("request_uri", value))
	}
	expires := func(name, value string) row {
		return refused("expires_in "+name, authcode.BadAnswer, "par.expires_in", set("expires_in", value))
	}
	return append([]row{
		refused("no request_uri", authcode.BadAnswer, "par.request_uri", drop("request_uri")),
		refused("request_uri under another name", authcode.BadAnswer, "par.request_uri", authserver.Rename("request_uri", "requestUri")),
		refused("two of request_uri", authcode.BadAnswer, "par.form", authserver.Repeat("request_uri", `"`+word+`"`)),
		refused("two but for case", authcode.BadAnswer, "par.form", set("Request_URI", `"`+word+`"`)),
		uri("empty", `""`), uri("null", "null"), uri("a number", "12"), uri("a list", `["urn:x"]`), uri("an object", `{}`),
		uri("with a space", `"urn:x `+word+`"`), uri("with a newline", `"urn:x\n`+word+`"`), uri("with a NUL", `"urn:x\u0000"`),
		uri("not in ASCII", `"urn:é"`), uri("of 1,025 bytes", `"`+strings.Repeat("u", 1025)+`"`),
		refused("no expires_in", authcode.BadAnswer, "par.expires_in", drop("expires_in")),
		expires("null", "null"), expires("empty", `""`), expires("0", "0"), expires("0 as a text", `"0"`),
		expires("less than one", "0.4"), expires("negative", "-60"),
		expires("a word", `"`+word+`"`), expires("a list", "[60]"), expires("true", "true"),
		accepted("expires_in as a text", set("expires_in", `"60"`)),
		accepted("expires_in with a fraction", set("expires_in", "59.5")),
		accepted("expires_in beyond all bounds", set("expires_in", "1e300")),
		accepted("a member of no meaning", set("foo", "{}")),
		accepted("as a form", authserver.FormEncoded()),
		accepted("called text/plain", authserver.ContentType("text/plain")),
		refused("as a JWT", authcode.BadAnswer, "par.form", authserver.Answer(201, "application/jwt", "e30.e30."+word)),
		refused("every answer is an error", authcode.BadAnswer, "par.error", authserver.Every(1, authserver.HTMLError())),
	}, parErrors(in)...)
}

// parErrors are refusals: the codes of RFC 9126 section 2.3 and of whatever stands before the server.
func parErrors(in setup) []row {
	refused, _ := rowsAt(authserver.PAR, in)
	var rows []row
	for _, code := range []string{
		"invalid_request", "invalid_client", "invalid_request_object", "unauthorized_client", "invalid_scope", "invalid_target",
		"invalid_dpop_proof", "invalid_authorization_details", "unsupported_response_type", "access_denied", word,
	} {
		rows = append(rows, refused("400 "+code, authcode.Configuration, "par.configuration", authserver.Error(400, code, word)))
	}
	return append(rows,
		refused("401", authcode.Configuration, "par.configuration", authserver.Error(401, "invalid_client", word)),
		refused("403", authcode.Configuration, "par.configuration", authserver.Error(403, "unauthorized_client", word)),
		refused("404", authcode.BadAnswer, "par.error", authserver.Error(404, "", word)),
		refused("405", authcode.BadAnswer, "par.error", authserver.Error(405, "", word)),
		refused("413", authcode.BadAnswer, "par.error", authserver.Error(413, "invalid_request", word)),
		refused("429", authcode.Overloaded, "par.error", authserver.Error(429, "", word)),
		refused("500", authcode.BadAnswer, "par.error", authserver.Error(500, "server_error", word)),
		refused("503", authcode.Overloaded, "par.error", authserver.Error(503, "temporarily_unavailable", word)),
		refused("200 with an error", authcode.Configuration, "par.configuration", authserver.Error(200, "invalid_request", word)),
		refused("201 with an error", authcode.Configuration, "par.configuration", authserver.Error(201, "invalid_client", word)),
		refused("200 with server_error", authcode.BadAnswer, "par.error", authserver.Error(200, "server_error", word)),
		refused("an error beside a request_uri", authcode.Configuration, "par.configuration", authserver.Set("error", `"invalid_request"`)),
	)
}

// TestReferenceIsOneParameter: whatever the provider calls the pushed request, the browser carries it as
// request_uri, beside client_id and nothing else, to the authorization endpoint.
func TestReferenceIsOneParameter(t *testing.T) {
	for _, uri := range []string{
		"urn:x&redirect_uri=https://evil.example", "urn:x#fragment", "https://evil.example/?a=b",
		"urn:%26scope=all", "+", "../..", strings.Repeat("u", 1024),
	} {
		for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
			x := newWorld(t, setup{profile: profile})
			x.srv.SetFaults(authserver.PAR, authserver.Set("request_uri", `"`+uri+`"`))
			resp, err := x.browser.Get(x.app + "/login")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			to, err := url.Parse(resp.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			query := to.Query()
			if to.Host != strings.TrimPrefix(x.srv.URL, "https://") || to.Path != "/authorize" || to.Fragment != "" || len(query) != 2 ||
				query.Get("client_id") != clientID || query.Get("request_uri") != uri {
				t.Errorf("%q leads to %s", uri, to)
			}
		}
	}
}
