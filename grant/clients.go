package grant

import (
	"context"
	"errors"
	"sync"

	"example.com/authcode"
)

// Clients returns the function of [Config] for a fixed list of Clients.
func Clients(list ...*authcode.Client) func(context.Context, Origin) (*authcode.Client, error) {
	var known sync.Map // from Origin to *authcode.Client
	return func(ctx context.Context, want Origin) (*authcode.Client, error) {
		// A provider whose metadata is out of reach may take ten seconds to say
		// so. The grants of the others must not wait for that each time.
		if client, ok := known.Load(want); ok {
			client := client.(*authcode.Client)
			if conn, err := client.Connection(ctx); err != nil || conn.Origin() == want {
				return client, err
			}
		}
		var failed error
		for _, client := range list {
			// The metadata of one provider may be out of reach. This must not
			// fail the grants of the others.
			conn, err := client.Connection(ctx)
			if err != nil {
				failed = err
			} else if conn.Origin() == want {
				known.Store(want, client)
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

// HasEnded reports whether err says that a grant has ended for good.
func HasEnded(err error) bool {
	e, ok := errors.AsType[*authcode.Error](err)
	return ok && e.Final && e.Reason == authcode.GrantRejected
}

// client returns the Client of a grant.
func (g *Grants) client(ctx context.Context, from Origin) (*authcode.Client, error) {
	client, err := g.cfg.Clients(ctx, from)
	_, isOwn := errors.AsType[*authcode.Error](err)
	switch {
	case isOwn:
		return nil, err
	case err != nil:
		return nil, authcode.NewError(authcode.Configuration, checkClient,
			"Config.Clients failed: check why; the grant is kept and tried again", err)
	case client == nil:
		return nil, authcode.NewError(authcode.Configuration, checkClient,
			"Config.Clients returned neither a Client nor an error: return one of them", nil)
	}
	return client, nil
}

// connectionFor returns the Connection of client, if it is the one that grants
// from this Origin belong to.
func connectionFor(
	ctx context.Context, client *authcode.Client, from Origin,
) (*authcode.Connection, error) {
	conn, err := client.Connection(ctx)
	if err != nil {
		return nil, err
	}
	// The refresh token must not go to another server, or by another client, than
	// the one that it was issued to: the metadata may have changed since, or the
	// app's function may return a Client by its name alone.
	if conn.Origin() != from {
		return nil, authcode.NewError(authcode.Configuration, checkClient,
			"Config.Clients returned a Client whose issuer, client ID or token endpoint differs "+
				"from the grant's: return the Client of the Origin that it gets", nil)
	}
	return conn, nil
}
