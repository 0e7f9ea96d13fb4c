package interop

import (
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/internal/redisserver"
	"example.com/authcode/provider"
	"example.com/authcode/redisstore"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"
)

// BenchmarkToken is what a valid token costs: one statement or script of each
// store, and nothing but the opening of the record where the store is in memory.
func BenchmarkToken(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchmarkToken(b, grant.NewMemory(0)) })
	for _, d := range sqlDatabases {
		b.Run(d.name, func(b *testing.B) {
			store := sqlstore.New(openDB(b, d.driver, d.create(b)), d.dialect)
			if err := store.CreateTable(b.Context()); err != nil {
				b.Fatal(err)
			}
			benchmarkToken(b, store)
		})
	}
	b.Run("Redis", func(b *testing.B) {
		program, err := redisserver.Find()
		need(b, err)
		server, err := program.Start(b.TempDir(), "--appendonly", "yes")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(server.Stop)
		client := redis.NewClient(&redis.Options{Addr: server.Addr})
		b.Cleanup(func() { client.Close() })
		store, err := redisstore.New(client, redisstore.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchmarkToken(b, store)
	})
}

// benchmarkToken asks for a token that does not expire.
func benchmarkToken(b *testing.B, store grant.Store) {
	client, err := authcode.New(authcode.Config{
		Provider: provider.Discord(), ClientID: "worker", ClientAuth: authcode.Secret("s3cret"),
	})
	if err != nil {
		b.Fatal(err)
	}
	grants, err := grant.New(grant.Config{
		Store: store, Keys: [][]byte{[]byte(grantKey)}, Clients: grant.Clients(client),
	})
	if err != nil {
		b.Fatal(err)
	}
	id, err := grants.Save(b.Context(), client, &authcode.Login{Provider: "discord", Token: &oauth2.Token{
		AccessToken: "at", RefreshToken: "rt", TokenType: "Bearer",
	}})
	if err != nil {
		b.Fatal(err)
	}
	g := grants.Handle(id)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Token(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
