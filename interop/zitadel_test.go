package interop

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// An account of zitadel's example server, and its password.
const zitadelAccount, zitadelPassword = "test-user2", "verysecure"

// runZitadel serves zitadel's OpenID Provider library, as its own example does, until the test ends.
// Clients can only be added before that example serves, so each test has a server of its own.
func runZitadel(t *testing.T) (string, func(string)) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	issuer := "http://" + server.Listener.Addr().String()
	return issuer, func(redirectURL string) {
		id := clientID(t, peers[0])
		store := storage.NewStorageWithClients(storage.NewUserStore(issuer), map[string]*storage.Client{
			id: storage.WebClient(id, peers[0].secret, redirectURL),
		})
		// This logger becomes that of the whole process, which has no other use for one.
		server.Config.Handler = exampleop.SetupServer(issuer, store, slog.New(slog.DiscardHandler), false)
		server.Start()
	}
}

func signInAtZitadel(me *person, first *page) *page {
	return me.fill(first, map[string]string{"username": zitadelAccount, "password": zitadelPassword})
}
