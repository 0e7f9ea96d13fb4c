package provider_test

import (
	"strings"
	"testing"

	"example.com/authcode"
)

// TestSlackTeams: equal user ids of two teams are two users, and no team and id
// can be written so that they are a third one's.
func TestSlackTeams(t *testing.T) {
	const team = `"https://slack.com/team_id":"T0RR"`
	_, s, a := play(t, "Slack")
	for _, other := range []string{"T0RR2", "t0rr", "E0RR"} {
		s.reset(t)
		s.rewrite(t, team, strings.Replace(team, "T0RR", other, 1))
		a.signIn(t)
		a.wantLogin(t, slackUser(other+"/u-1"))
	}
	s.reset(t)
	s.rewrite(t, `"sub":"u-1"`, `"sub":"a/u-1"`)
	a.signIn(t)
	a.wantLogin(t, slackUser("T0RR/a/u-1"))
	for claim, members := range map[string]string{
		"no team": `"x":1`, "null": `"https://slack.com/team_id":null`,
		"an empty team": `"https://slack.com/team_id":""`,
		"a number":      `"https://slack.com/team_id":12`,
		"a list":        `"https://slack.com/team_id":["T0RR"]`,
		"blanks":        `"https://slack.com/team_id":" "`,
		"a slash":       `"https://slack.com/team_id":"T0RR/a"`,
		"beyond ASCII":  `"https://slack.com/team_id":"Té"`,
		"too long":      `"https://slack.com/team_id":"` + strings.Repeat("T", 252) + `"`,
	} {
		t.Run(claim, func(t *testing.T) {
			s.reset(t)
			s.rewrite(t, team, members)
			a.signIn(t)
			a.wantFailure(t, authcode.IdentityRefused, "id_token.team")
		})
	}
}
