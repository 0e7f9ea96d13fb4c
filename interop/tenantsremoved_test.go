package interop

import "testing"

// aRealmIsRemoved, while two of its people are signed in. The first person belongs to
// that realm, and the second of a realm that is made anew. The others do not
// notice.
func aRealmIsRemoved(t *testing.T, k *keycloak, a *tenantsApp, people []*visitorOf) {
	north := []*visitorOf{people[0], {person: newPerson(t), customer: people[0].customer}}
	north[1].begin(a)
	north[1].finish(a)
	south, others := people[1], people[2:]

	// Keycloak answers 404, as a proxy in front of it might for a minute. So this
	// alone ends no session, but there are no new tokens either.
	k.removeRealm(t, north[0].key)
	north[0].wantRenewal(a, "answer.error")
	if status, text := a.get(north[0].person, "/t/"+north[0].key+"/account"); text != north[0].account {
		t.Errorf("before the app removes the tenant: %d %s", status, text)
	}
	a.remove(north[0].key)
	for _, v := range north {
		v.wantOut(a)
	}

	// The issuer is the same, and so are the account, the client ID and its
	// secret. The person is another one.
	k.addRealm(t, south.key, south.config.ClientID)
	south.wantRenewal(a, "answer.error")
	south.wantOut(a)
	anew := &visitorOf{person: newPerson(t), customer: south.customer}
	anew.begin(a)
	anew.finish(a)
	if anew.account == south.account {
		t.Error("the new realm has the same person")
	}
	for _, v := range append(others, anew) {
		v.wantIn(a)
	}
}

// wantRenewal checks how a renewal ends: with the Check of an error, or "<nil>".
func (v *visitorOf) wantRenewal(a *tenantsApp, check string) {
	v.t.Helper()
	if status, text := a.get(v.person, "/t/"+v.key+"/renew"); text != check {
		v.t.Errorf("the renewal at %s: %d %s, want %s", v.key, status, text, check)
	}
}

// wantOut checks that a visitor's session has ended.
func (v *visitorOf) wantOut(a *tenantsApp) {
	v.t.Helper()
	if status, text := a.get(v.person, "/t/"+v.key+"/account"); status < 300 {
		v.t.Errorf("%s is still signed in: %d %s", v.key, status, text)
	}
}
