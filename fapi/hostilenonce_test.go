package fapi_test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// TestHostileNonces: demands for nonces (RFC 9449 sections 8 and 9), which are met once.
func TestHostileNonces(t *testing.T) { run(t, nonceRows()) }

// demands are those that no client can meet, with the number of requests that show it.
var demands = []struct {
	name   string
	nonces []string
	asked  int
}{
	{"the same one", []string{"n-1"}, 2}, // the second proof has it
	{"none", nil, 1},
	{"an empty one", []string{""}, 1},
	{"two", []string{"n-1", "n-2"}, 1},
	{"the same twice", []string{"n-1", "n-1"}, 1},
	{"one with a quote", []string{`n"` + word}, 1},
	{"one with a backslash", []string{`n\` + word}, 1},
	{"one with a space", []string{"n " + word}, 1},
	{"one not in ASCII", []string{"né"}, 1},
	{"one of 1,025 bytes", []string{strings.Repeat("n", 1025)}, 1},
}

func nonceRows() (rows []row) {
	for _, at := range []authserver.Place{authserver.PAR, authserver.Token, authserver.Refresh} {
		check := "answer.dpop_nonce"
		if at == authserver.PAR {
			check = "par.dpop_nonce"
		}
		refused, accepted := rowsAt(at, setup{})
		deny := func(name string, asked int, faults ...authserver.Fault) row {
			return refused(string(at)+" demands "+name, authcode.BadAnswer, check, faults...).times(asked)
		}
		rows = append(rows,
			deny("another one each time", 2, authserver.DemandFreshNonce()),
			deny("another one by 401", 2, authserver.Error(401, "use_dpop_nonce", word), authserver.AnswerHeader("DPoP-Nonce", "n-1")),
			deny("one by 403", 1, authserver.Error(403, "use_dpop_nonce", word), authserver.AnswerHeader("DPoP-Nonce", "n-1")),
			deny("one with success", 1, authserver.Error(200, "use_dpop_nonce", word), authserver.AnswerHeader("DPoP-Nonce", "n-1")),
			accepted(string(at)+" demands one once", authserver.First(1, authserver.DemandFreshNonce())).times(2),
			accepted(string(at)+" names two with success", authserver.AnswerHeader("DPoP-Nonce", "n-1", "n-2")),
			accepted(string(at)+" names an odd one with success", authserver.AnswerHeader("DPoP-Nonce", `"`)),
		)
		list := demands
		if at == authserver.Refresh { // the token endpoint too
			list = demands[:3]
		}
		for _, d := range list {
			rows = append(rows, deny(d.name, d.asked, authserver.DemandNonce(d.nonces...)))
		}
		for _, code := range []string{"invalid_dpop_proof", "invalid_request", "Use_DPoP_Nonce"} {
			r := refused(string(at)+" has another error beside a nonce: "+code, reasonOf(at, code), "answer.error",
				authserver.Error(400, code, word), authserver.AnswerHeader("DPoP-Nonce", "n-1"))
			if r.reason == authcode.Configuration {
				r.check = strings.Replace(check, "dpop_nonce", "configuration", 1)
			}
			rows = append(rows, r)
		}
	}
	return append(rows, resourceNonceRows()...)
}

// reasonOf is why a 400 with this code is refused.
func reasonOf(at authserver.Place, code string) authcode.Reason {
	switch {
	case code == "invalid_dpop_proof" || at == authserver.PAR:
		return authcode.Configuration
	case at == authserver.Refresh:
		return authcode.GrantRejected
	}
	return authcode.GrantRejected
}

// resourceNonceRows: UserInfo refuses the login, and an API's 401 comes back.
func resourceNonceRows() (rows []row) {
	for _, at := range []authserver.Place{authserver.UserInfo, authserver.Resource} {
		refused, accepted := rowsAt(at, setup{userInfo: at == authserver.UserInfo})
		deny := func(name string, asked int, faults ...authserver.Fault) row {
			name = string(at) + " demands " + name
			if at == authserver.UserInfo {
				return refused(name, authcode.BadAnswer, "userinfo.status", faults...).times(asked)
			}
			return accepted(name, faults...).times(asked).answered(401)
		}
		challenge := func(value string) []authserver.Fault {
			return []authserver.Fault{authserver.DemandFreshNonce(), authserver.AnswerHeader("WWW-Authenticate", value)}
		}
		rows = append(rows,
			deny("another one each time", 2, authserver.DemandFreshNonce()),
			deny("one as Bearer", 1, challenge(`Bearer error="use_dpop_nonce"`)...),
			deny("one in another parameter", 1, challenge(`DPoP algs="ES256", error_description="use_dpop_nonce"`)...),
			deny("one for another reason", 1, challenge(`DPoP error="invalid_token"`)...),
			deny("one in no words", 1, challenge(`DPoP`)...),
			deny("one, without a challenge", 1, authserver.DemandFreshNonce(), authserver.AnswerHeader("WWW-Authenticate")),
			deny("one by 403", 1, authserver.Error(403, "use_dpop_nonce", word), authserver.AnswerHeader("DPoP-Nonce", "n-1"),
				authserver.AnswerHeader("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)).answered(403),
			deny("none, in a challenge", 1, authserver.Challenge(`DPoP error="use_dpop_nonce"`)),
			deny("one beside another scheme", 2, challenge(`Basic realm="x", DPoP error=use_dpop_nonce`)...),
			accepted(string(at)+" demands one once", authserver.First(1, authserver.DemandFreshNonce())).times(2).answered(statusAt(at)),
		)
		for _, d := range demands {
			rows = append(rows, deny(d.name, d.asked, authserver.DemandNonce(d.nonces...)))
		}
	}
	return rows
}

// statusAt is that of a good answer of the API; 0 where no status comes back.
func statusAt(at authserver.Place) int {
	if at == authserver.Resource {
		return 200
	}
	return 0
}

// TestSameNonceAgain: a proof that had the nonce already is not made again.
func TestSameNonceAgain(t *testing.T) {
	for _, at := range []authserver.Place{authserver.PAR, authserver.Token, authserver.Refresh, authserver.UserInfo, authserver.Resource} {
		r := row{at: at, in: setup{userInfo: at == authserver.UserInfo}}
		x := newWorld(t, r.in)
		x.prepare(r.step())
		x.srv.SetFaults(at, authserver.DemandNonce("n-1"))
		for _, want := range []int{2, 1} {
			before := x.counts()[at]
			x.do(r.step())
			if n := x.counts()[at] - before; n != want {
				t.Errorf("%s was asked %d times, want %d", at, n, want)
			}
		}
	}
}

// TestNonces: what servers demand is used for that server and role alone, and a stale one is replaced by one
// more request, with a proof and an assertion of its own.
func TestNonces(t *testing.T) {
	for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
		for name, want := range map[authserver.Nonces][2]int{
			authserver.FixedNonces:    {2, 2}, // first demanded, then stale
			authserver.RotatingNonces: {2, 2},
			authserver.NoNonces:       {1, 1},
		} {
			x := newWorld(t, setup{profile: profile})
			x.srv.SetNonces(name, name)
			for round, demanded := range want {
				before := x.counts()
				got := x.do(authserver.Token)
				if got.err != nil {
					t.Fatalf("%v, round %d: %v", name, round, got.err)
				}
				if n := x.counts()[authserver.PAR] - before[authserver.PAR]; n != demanded {
					t.Errorf("%v, round %d: %d pushed requests, want %d", name, round, n, demanded)
				}
				if n := x.counts()[authserver.Token] - before[authserver.Token]; n != 1 {
					t.Errorf("%v, round %d: %d token requests: the nonce was known", name, round, n)
				}
				if status, err := x.callAPI(got.login); status != 200 || err != nil {
					t.Errorf("%v, round %d: the API answered %d, %v", name, round, status, err)
				}
				x.srv.RotateNonces()
			}
			x.wantFresh()
		}
	}
}
