package provider

import (
	"cmp"
	"context"
	"net/http"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// adjusted is an OpenID provider's Identifier with what that provider says elsewhere than in the
// standard claims. The tokens are checked before.
type adjusted struct {
	authcode.Identifier
	adjust func(*authcode.Identity, *authcode.Answer)
}

// Identify implements [authcode.Identifier].
func (a adjusted) Identify(ctx context.Context, answer *authcode.Answer) (*authcode.Identity, error) {
	id, err := a.Identifier.Identify(ctx, answer)
	if err == nil {
		a.adjust(id, answer)
	}
	return id, err
}

// CheckRefresh implements [authcode.RefreshChecker]: wrapping must not lose the check.
func (a adjusted) CheckRefresh(ctx context.Context, old *oauth2.Token, answer *authcode.Answer) error {
	if checker, ok := a.Identifier.(authcode.RefreshChecker); ok {
		return checker.CheckRefresh(ctx, old, answer)
	}
	return nil
}

// preferredUsername stands in for a missing name.
func preferredUsername(id *authcode.Identity, _ *authcode.Answer) {
	username, _ := id.Claims["preferred_username"].(string)
	id.Name = cmp.Or(id.Name, username)
}

// revocable adds a revocation endpoint that is documented but missing in the provider's metadata.
type revocable struct {
	authcode.Metadata
	revocationURL string
}

// Load implements [authcode.Metadata].
func (r revocable) Load(ctx context.Context, client *http.Client) (authcode.Endpoints, error) {
	found, err := r.Metadata.Load(ctx, client)
	if err == nil {
		found.RevocationURL = cmp.Or(found.RevocationURL, r.revocationURL)
	}
	return found, err
}
