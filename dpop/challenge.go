package dpop

import (
	"slices"
	"strings"

	"example.com/authcode/internal/web"
)

// asksNonce reports whether a resource server demands a nonce (RFC 9449 section 9). It may challenge for other
// schemes in the same field, or in others of the same name.
func asksNonce(fields []string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		return slices.ContainsFunc(web.ParseChallenges(field), func(c web.Challenge) bool {
			return strings.EqualFold(c.Scheme, "DPoP") && c.Params["error"] == useNonce
		})
	})
}
