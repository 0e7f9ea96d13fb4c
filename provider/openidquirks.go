package provider

import (
	"cmp"
	"context"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// identity is the type of [authcode.Provider.Identity].
type identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error)

// metadata is the type of [authcode.Provider.Metadata].
type metadata = func(context.Context, *authcode.Connection) (authcode.Endpoints, error)

// adjusted returns an identity function for an OpenID provider that puts facts
// about a person into places other than the standard claims. adjust reads them,
// after the tokens have been checked.
func adjusted(
	standard identity, adjust func(*authcode.Identity, *authcode.TokenResponse),
) identity {
	return func(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
		id, err := standard(ctx, resp)
		if err == nil && id != nil { // nil: a refresh without a new ID token
			adjust(id, resp)
		}
		return id, err
	}
}

// preferredUsername fills in a missing name. Both are for display only.
func preferredUsername(id *authcode.Identity, _ *authcode.TokenResponse) {
	username, _ := id.Claims["preferred_username"].(string)
	id.Name = cmp.Or(id.Name, username)
}

// withinTeam returns an identity function for a provider whose user ids are
// only unique together with the id of a team, which is the claim team. Without
// it, two people of two teams could have one key.
func withinTeam(standard identity, team string) identity {
	return func(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
		id, err := standard(ctx, resp)
		if id == nil { // it was refused, or a refresh brought no new ID token
			return nil, err
		}
		text, _ := id.Claims[team].(string)
		// After a refresh, an ID token may have fewer claims (OpenID Connect Core
		// section 12.2). Its sub is that of the login.
		if text == "" && resp.Previous != nil {
			return nil, nil
		}
		if id.Subject = teamKey(text, id.Subject); id.Subject == "" {
			return nil, refuse(authcode.IdentityRefused, "id_token.team")
		}
		return id, nil
	}
}

// teamKey joins the ids of a team and of a user, or returns "".
func teamKey(team, user string) string {
	// A slash in the id of a team would let two pairs have one key.
	key := team + "/" + user
	if !wire.IsSubject(team) || strings.Contains(team, "/") || !wire.IsSubject(key) {
		return ""
	}
	return key
}

// revocable returns a metadata function that adds a revocation endpoint, where
// the provider documents one that is missing in its metadata.
func revocable(standard metadata, revocationURL string) metadata {
	return func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		found, err := standard(ctx, conn)
		if err == nil {
			found.RevocationURL = cmp.Or(found.RevocationURL, revocationURL)
		}
		return found, err
	}
}

// irrevocable returns a metadata function that drops the revocation endpoint,
// where the provider's is not one of RFC 7009.
func irrevocable(standard metadata) metadata {
	return func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		found, err := standard(ctx, conn)
		found.RevocationURL = ""
		return found, err
	}
}
