package killtest

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
)

// stores open each kind of store by its DSN.
var stores = map[string]func(dsn string) (grant.Store, error){
	"SQLite":     inDatabase("sqlite", sqlstore.SQLite),
	"PostgreSQL": inDatabase("pgx", sqlstore.PostgreSQL),
	"MariaDB":    inDatabase("mysql", sqlstore.MySQL),
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
