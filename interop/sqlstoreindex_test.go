package interop

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
)

// plans are how a database says whether it reads a whole table or index.
var plans = map[sqlstore.Dialect]struct {
	explain string
	options string   // of the driver
	prepare []string // statements before
	bad     []string
	primary string // what it calls the primary key
}{
	// Parameters of EXPLAIN have to be in its text.
	sqlstore.PostgreSQL: {"EXPLAIN ", "&default_query_exec_mode=simple_protocol", []string{
		"ANALYZE authcode_records", "SET enable_seqscan = off", "SET enable_bitmapscan = off",
	}, []string{"Seq Scan on authcode_records"}, "authcode_records_pkey"},
	sqlstore.MySQL: {"EXPLAIN FORMAT=JSON ", "", []string{"ANALYZE TABLE authcode_records"}, []string{
		`"access_type": "ALL"`, `"access_type": "index"`,
	}, "PRIMARY"},
	sqlstore.SQLite: {"EXPLAIN QUERY PLAN ", "", []string{"ANALYZE"}, []string{"SCAN authcode_records"}, "sqlite_autoindex_authcode_records_1"},
}

// TestSQLIndexes: every statement finds its rows by an index.
func TestSQLIndexes(t *testing.T) {
	inEachDialect(t, func(t *testing.T, d sqlDatabase, dsn string, _ *sql.DB) {
		plan := plans[d.dialect]
		db, log := openLogged(t, d.driver, dsn+plan.options)
		store := sqlstore.New(db, d.dialect)
		fillTable(t, store)
		for _, text := range plan.prepare {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range allStatements(t, store, log) {
			text := explain(t, db, plan.explain, s)
			for _, bad := range plan.bad {
				if strings.Contains(text, bad) {
					t.Errorf("%s\nhas this plan:\n%s", s.text, text)
				}
			}
			// MariaDB looks a row up while it plans.
			text = strings.ReplaceAll(text, "after reading const tables", plan.primary)
			if index := wantIndex(s.text); !strings.Contains(text, cmp.Or(index, plan.primary)) {
				t.Errorf("%s\ndoes not use %s:\n%s", s.text, cmp.Or(index, plan.primary), text)
			}
		}
	})
}

// wantIndex returns the index that a statement is to use, or nothing for the
// primary key.
func wantIndex(text string) string {
	_, where, _ := strings.Cut(text, "WHERE ")
	for _, column := range []string{"by_issuer", "by_person", "by_session", "by_grant"} {
		if strings.Contains(where, column+" = ") {
			return "authcode_records_" + column
		}
	}
	if _, order, ok := strings.Cut(text, "ORDER BY "); ok && !strings.HasPrefix(order, "id ") {
		column, _, _ := strings.Cut(order, " ")
		return "authcode_records_" + column
	}
	return ""
}

// fillTable adds records, so that the database has a reason to use indexes.
func fillTable(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	for range 500 {
		r := testRecord()
		r.Data = r.Data[:8]
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// allStatements returns one of each, INSERT aside.
func allStatements(t *testing.T, s *sqlstore.Store, log *statementLog) []sentStatement {
	t.Helper()
	log.take()
	r := testRecord()
	for _, op := range sqlOperations {
		if err := op.run(t.Context(), s, r); err != nil && op.want == nil {
			t.Fatalf("%s: %v", op.name, err)
		}
	}
	for i := range r.Digests {
		if _, err := s.Find(t.Context(), "grant", grant.Index(i), r.Digests[i], grant.ID{}, 10); err != nil {
			t.Fatal(err)
		}
	}
	expired := testRecord()
	expired.Expires = 1
	if err := s.Create(t.Context(), expired); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Sweep(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	sent := slices.DeleteFunc(log.take(), func(s sentStatement) bool {
		return strings.HasPrefix(s.text, "INSERT")
	})
	slices.SortFunc(sent, func(a, b sentStatement) int { return strings.Compare(a.text, b.text) })
	return slices.CompactFunc(sent, func(a, b sentStatement) bool { return a.text == b.text })
}

// explain returns the database's plan.
func explain(t *testing.T, db *sql.DB, how string, s sentStatement) string {
	t.Helper()
	rows, err := db.Query(how+s.text, s.args...)
	if err != nil {
		t.Fatalf("%s: %v", s.text, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.NullString)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			fmt.Fprint(&plan, v.(*sql.NullString).String, " ")
		}
		plan.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
