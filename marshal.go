package authcode

import (
	"encoding/json"
	"time"

	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

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
