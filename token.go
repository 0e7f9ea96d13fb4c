package authcode

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// membersKey is where Token.Extra keeps the answer as it was, which x/oauth2 has no place for.
const membersKey = "authcode.members"

func withMembers(t *oauth2.Token, obj wire.Object) *oauth2.Token {
	extra := make(map[string]any, len(obj)+1)
	for name, raw := range obj {
		if v, ok := wire.Any(raw); ok {
			extra[name] = v
		}
	}
	extra[membersKey] = obj
	return t.WithExtra(extra)
}

func membersOf(t *oauth2.Token) wire.Object {
	obj, _ := t.Extra(membersKey).(wire.Object)
	return obj
}

// storedToken is the form of MarshalToken.
type storedToken struct {
	AccessToken  string      `json:"access_token"`
	TokenType    string      `json:"token_type,omitempty"`
	RefreshToken string      `json:"refresh_token,omitempty"`
	Expiry       time.Time   `json:"expiry,omitzero"`
	Answer       wire.Object `json:"answer,omitempty"`
}

// MarshalToken returns t as JSON with every member of the provider's answer, also those
// that encoding/json drops from an oauth2.Token. The bytes are secret: store them where nobody
// else reads, encrypted if they leave the server.
func MarshalToken(t *oauth2.Token) ([]byte, error) {
	if t == nil || t.AccessToken == "" {
		return nil, fail(Malformed, "token.none", "there is no token to marshal")
	}
	return json.Marshal(storedToken{t.AccessToken, t.TokenType, t.RefreshToken, t.Expiry, membersOf(t)})
}

// UnmarshalToken returns the token that [MarshalToken] was given. Its error is an [*Error] with
// Reason [Malformed].
func UnmarshalToken(b []byte) (*oauth2.Token, error) {
	var s storedToken
	if err := json.Unmarshal(b, &s); err != nil || s.AccessToken == "" {
		return nil, fail(Malformed, "token.stored", "the bytes are not a token of MarshalToken")
	}
	t := &oauth2.Token{AccessToken: s.AccessToken, TokenType: s.TokenType, RefreshToken: s.RefreshToken, Expiry: s.Expiry}
	if s.Answer == nil {
		return t, nil
	}
	return withMembers(t, s.Answer), nil
}

// Refresh redeems t's refresh token with one POST (RFC 6749 section 6) and returns the new
// token; t stays as it is. Without a new refresh token in the answer the old one is kept, and so
// are members of the old answer that the new one lacks. It takes ten seconds at most. Its error is an
// [*Error]; if that is [Error.Final], the person has to sign in again.
//
// Where refresh tokens rotate, two calls with the same t may end the grant, and so may a new token that cannot
// be checked at the moment and is not returned: a [TokenSource] takes care of both.
func (c *Client) Refresh(ctx context.Context, t *oauth2.Token) (*oauth2.Token, error) {
	ctx, cancel := withBudget(ctx)
	defer cancel()
	fresh, err := c.redeemRefresh(ctx, t)
	if err == nil {
		err = c.checkRefresh(ctx, t, fresh)
	}
	if err != nil {
		return nil, c.failed(err)
	}
	return fresh, nil
}

// redeemRefresh gets a new token, of which nobody has checked yet whose it is.
func (c *Client) redeemRefresh(ctx context.Context, t *oauth2.Token) (*oauth2.Token, error) {
	if t == nil || t.RefreshToken == "" {
		e := fail(GrantRejected, "refresh.none", "there is no refresh token: sign in again")
		e.Final = true
		return nil, e
	}
	ctx, cancel := withBudget(ctx)
	defer cancel()
	ends, err := c.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.request(ctx, ends, ends.TokenURL, refreshGrant, keyOf(t), url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {t.RefreshToken},
	})
	if err != nil {
		return nil, err
	}
	keepMembers(answer, t)
	fresh, _, err := c.readToken(answer, nil)
	return fresh, err
}

// keepMembers adds to a refresh's answer what it lacks and t has. The refresh token is t's field, which
// the app may have set, not the member that it once came in.
func keepMembers(answer wire.Object, t *oauth2.Token) {
	for name, raw := range membersOf(t) {
		switch _, sent := answer[name]; {
		case sent, name == "access_token", name == "token_type", name == "expires_in", name == "refresh_token":
		default:
			answer[name] = raw
		}
	}
	if next, ok := answer.Text("refresh_token"); ok && next == "" {
		answer["refresh_token"] = quote(t.RefreshToken)
	}
}

func quote(s string) wire.Raw {
	b, _ := json.Marshal(s) // of a string it cannot fail
	return wire.Raw(b)
}

// Revoke tells the provider that t is no longer wanted (RFC 7009): the refresh token if there is
// one, else the access token. Any status of success is one, whatever the answer says. It takes ten
// seconds at most. Its error is an [*Error], with [Configuration] if there is no RevocationURL.
func (c *Client) Revoke(ctx context.Context, t *oauth2.Token) error {
	if err := c.revoke(ctx, t); err != nil {
		return c.failed(err)
	}
	return nil
}

func (c *Client) revoke(ctx context.Context, t *oauth2.Token) error {
	if t == nil || t.RefreshToken == "" && t.AccessToken == "" {
		return fail(Malformed, "token.none", "there is no token to revoke")
	}
	ctx, cancel := withBudget(ctx)
	defer cancel()
	ends, err := c.endpoints(ctx)
	if err != nil {
		return err
	}
	if ends.RevocationURL == "" {
		return fail(Configuration, "revoke.endpoint", "Provider.RevocationURL is empty")
	}
	form := url.Values{"token": {t.AccessToken}, "token_type_hint": {"access_token"}}
	if t.RefreshToken != "" {
		form = url.Values{"token": {t.RefreshToken}, "token_type_hint": {"refresh_token"}}
	}
	req := c.newTokenRequest(ends, ends.RevocationURL, form)
	resp, sent, err := c.send(ctx, c.authenticating(), revocation, req, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return nil
	}
	rep, err := readReply(ctx, revocation, resp, sent)
	if err != nil {
		return err
	}
	obj, _ := rep.parse()
	return rep.refusal(obj)
}
