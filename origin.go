package authcode

import (
	"context"

	"example.com/authcode/internal/urls"
)

// Origin says where a token comes from. A refresh token goes only to the
// provider that issued it, even if the app's configuration has changed since.
type Origin struct {
	Issuer   string // Provider.Issuer of the Client; may be empty
	ClientID string
	TokenURL string // origin of the token endpoint, such as "https://idp.example"
	Tenant   string `json:",omitempty"` // its key in package tenants; empty elsewhere
}

// Origin says where tokens of a Client with this Connection come from.
func (c *Connection) Origin() Origin {
	return Origin{
		Issuer: c.Config.Provider.Issuer, ClientID: c.Config.ClientID,
		// Instances may reach the provider by different addresses.
		TokenURL: urls.OriginOf(urls.Outer(c.Config.InsecureInnerOrigins, c.Endpoints.TokenURL)),
		Tenant:   c.Config.tenant(),
	}
}

// tenant returns the key of the tenant that the Client belongs to.
func (cfg *Config) tenant() string {
	if cfg.Realm == nil {
		return ""
	}
	return cfg.Realm.Tenant
}

// ClientFor returns c if its tokens come from o or if o is zero, and nil if they
// come from elsewhere. It may look up the endpoints, for ten seconds at most. Its
// error is an [*Error]. Packages grant and session call it.
func (c *Client) ClientFor(ctx context.Context, o Origin) (*Client, error) {
	if o == (Origin{}) {
		return c, nil
	}
	if o.Tenant != c.tenant().Tenant {
		return nil, nil // without a look at the metadata
	}
	conn, err := c.Connection(ctx)
	if err != nil || conn.Origin() != o {
		return nil, err
	}
	return c, nil
}
