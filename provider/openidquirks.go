package provider

import (
	"cmp"
	"context"

	"example.com/authcode"
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
