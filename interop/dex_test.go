package interop

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"

	dex "github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
)

// The one account of dex's mock connector, and its password.
const dexAccount, dexPassword = "kilgore", "trout"

// dexServer is dex in this process. Tests share it: each registers a client of its own.
type dexServer struct {
	issuer  string
	storage storage.Storage
}

var sharedDex = sync.OnceValues(startDex)

func startDex() (*dexServer, error) {
	listener := httptest.NewUnstartedServer(nil)
	// A path, since an issuer is more than an origin.
	issuer := "http://" + listener.Listener.Addr().String() + "/dex"
	logger := slog.New(slog.DiscardHandler)
	d := &dexServer{issuer, memory.New(logger)}
	ctx, cancel := context.WithCancel(context.Background())
	whenDone(cancel)
	account, err := json.Marshal(map[string]string{"username": dexAccount, "password": dexPassword})
	if err != nil {
		return nil, err
	}
	if err := d.storage.CreateConnector(ctx, storage.Connector{
		ID: "mock", Type: "mockPassword", Name: "Mock", Config: account,
	}); err != nil {
		return nil, err
	}
	policy, err := dex.NewRefreshTokenPolicy(logger, false, "", "", "") // each is used once
	if err != nil {
		return nil, err
	}
	handler, err := dex.NewServer(ctx, dex.Config{
		Issuer: issuer, Storage: d.storage, Logger: logger, RefreshTokenPolicy: policy,
	})
	if err != nil {
		return nil, err
	}
	listener.Config.Handler = handler
	listener.Start()
	whenDone(listener.Close)
	return d, nil
}

func runDex(t *testing.T) (string, func(string)) {
	t.Helper()
	d, err := sharedDex()
	if err != nil {
		t.Fatal(err)
	}
	return d.issuer, func(redirectURL string) {
		client := storage.Client{
			ID: clientID(t, peers[0]), Secret: peers[0].secret, Name: "interop",
			RedirectURIs: []string{redirectURL},
		}
		if err := d.storage.CreateClient(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.storage.DeleteClient(client.ID) })
	}
}

// signInAtDex goes from dex's first page to the end of the login. dex has no error for the app
// when the person says no: it shows a page of its own.
func signInAtDex(me *person, first *page) *page {
	consent := me.fill(first, map[string]string{"login": dexAccount, "password": dexPassword})
	return me.fill(consent, map[string]string{"approval": "approve"})
}
