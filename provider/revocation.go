package provider

import (
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// githubRevocation is that of GitHub and GitHub Enterprise Server.
func githubRevocation() authcode.Revocation {
	return authcode.Revocation{Method: "DELETE", Member: "access_token", Read: statuses(204, 404)}
}

// statuses reads answers by their status alone.
func statuses(done, gone int) func(int, []byte) (revoked, unknown bool) {
	return func(status int, _ []byte) (revoked, unknown bool) {
		return status == done, status == gone
	}
}

// readSlackRevocation reads the answer of auth.revoke, whose status is always
// 200. invalid_auth is no proof: Slack also sends it if it does not like the
// address of the app.
func readSlackRevocation(_ int, body []byte) (revoked, unknown bool) {
	obj, _ := wire.ParseObject(body) // nil if it is malformed: then it says nothing
	code, _ := obj.Text("error")
	revoked = obj["ok"] == "true" && obj["revoked"] == "true"
	gone := []string{"token_revoked", "token_expired", "account_inactive"}
	return revoked, obj["ok"] == "false" && slices.Contains(gone, code)
}
