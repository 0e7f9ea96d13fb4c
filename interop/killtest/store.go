package killtest

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/redisstore"
)

// stores open each kind of store by its DSN.
var stores = map[string]func(dsn string) (grant.Store, error){
	"SQLite":     inDatabase("sqlite", sqlstore.SQLite),
	"PostgreSQL": inDatabase("pgx", sqlstore.PostgreSQL),
	"MariaDB":    inDatabase("mysql", sqlstore.MySQL),
	"Redis":      inRedis(redisstore.Options{}),

	// A failover must not lose what was saved, even if the new replica is slow.
	"Redis, waiting": inRedis(redisstore.Options{WaitReplicas: 1, WaitTimeout: 2 * time.Second}),
}

// Open opens a store, which ends with the process.
func Open(name, dsn string) (grant.Store, error) {
	open := stores[name]
	if open == nil {
		return nil, fmt.Errorf("there is no store %q", name)
	}
	return open(dsn)
}

func inDatabase(driver string, d sqlstore.Dialect) func(string) (grant.Store, error) {
	return func(dsn string) (grant.Store, error) {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(8)
		db.SetMaxIdleConns(8)
		s := sqlstore.New(db, d)
		return s, s.CreateTable(context.Background())
	}
}

// inRedis opens a store whose DSN is an address.
func inRedis(o redisstore.Options) func(address string) (grant.Store, error) {
	return func(address string) (grant.Store, error) {
		return redisstore.New(redis.NewClient(&redis.Options{
			Addr: address, PoolSize: 16, MaxRetryBackoff: 100 * time.Millisecond,
		}), o)
	}
}
