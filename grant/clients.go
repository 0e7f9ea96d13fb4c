package grant

import (
	"context"

	"example.com/authcode"
)

// Clients returns the function of [Config] for a fixed list of Clients.
func Clients(list ...*authcode.Client) func(context.Context, Origin) (*authcode.Client, error) {
	return func(ctx context.Context, want Origin) (*authcode.Client, error) {
		var failed error
		for _, client := range list {
			// The metadata of one provider may be out of reach. This must not
			// fail the grants of the others.
			conn, err := client.Connection(ctx)
			if err != nil {
				failed = err
			} else if originOf(conn) == want {
				return client, nil
			}
		}
		if failed != nil {
			return nil, failed
		}
		return nil, authcode.NewError(authcode.Configuration, checkClient, "no Client has the "+
			"issuer, client ID and token endpoint of this grant: add it to grant.Clients, or "+
			"delete the grants of a provider that is no longer used", nil)
	}
}
