package tenants_test

import (
	"net/http"
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// orders are those in which a browser begins logins with two tenants.
var orders = [][]string{{"hostile", "honest"}, {"honest", "hostile"}}

// TestAnswersInOtherLogins is D33 in every order: two logins are under way in one
// browser, and the answer of each arrives with the state of the other. No code is
// sent anywhere, and both logins still end.
func TestAnswersInOtherLogins(t *testing.T) {
	t.Parallel()
	for claim, row := range map[string]struct {
		own, withoutIss bool
		check           string
	}{
		"both share the URL":                     {false, false, "iss"},
		"both share the URL, and iss is cut off": {false, true, "iss.missing"},
		"both have a path, and send iss":         {true, false, "tenants.path"},
		"both have a path, and send no iss":      {true, true, "tenants.path"},
	} {
		for _, order := range orders {
			t.Run(claim+", "+order[0]+" first", func(t *testing.T) {
				a := newApp(t, 1)
				servers := make(map[string]*authserver.Server)
				for _, key := range order {
					servers[key] = a.provider()
					if row.own && row.withoutIss {
						silent(servers[key])
					}
					a.tenant(key, servers[key], func(cfg *authcode.Config) {
						if row.own {
							a.ownPath(cfg)
						}
					})
				}
				a.answersInOtherLogins(order, servers, row.withoutIss, row.check)
			})
		}
	}
}

func (a *app) answersInOtherLogins(
	order []string, servers map[string]*authserver.Server, withoutIss bool, check string,
) {
	a.t.Helper()
	b, answers := a.browser(), make(map[string]*http.Request)
	for _, key := range order {
		answers[key] = b.callback(key, servers[key])
	}
	for _, of := range order {
		for _, at := range order {
			if of == at {
				continue
			}
			r := answers[of].Clone(a.t.Context())
			query := r.URL.Query()
			query.Set("state", answers[at].URL.Query().Get("state"))
			if withoutIss {
				query.Del("iss")
			}
			r.URL.RawQuery = query.Encode()
			status, _ := b.deliver(servers[of], r)
			a.wantRefusal(status, authcode.Forged, check)
			wantNothingSent(a.t, servers[of], servers[at])
		}
	}
	for _, key := range slices.Backward(order) {
		status, text := b.deliver(servers[key], answers[key])
		if status != http.StatusOK || text != "alice of "+key {
			a.t.Errorf("%s ends with %d %s, %v", key, status, text, a.lastError())
		}
	}
}
