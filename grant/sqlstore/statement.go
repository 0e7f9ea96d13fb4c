package sqlstore

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// The statements. $now, $begun and $seen are expressions of the dialect, each
// other $name is a parameter.
//
// MySQL assigns from left to right, so a column that other assignments read is
// assigned after them. PostgreSQL takes the type of a parameter from its first
// use, so that use is next to a column or an expression, never to a constant.
const (
	// columns are what scan reads.
	columns = `version, data, by_issuer, by_person, by_session, by_grant,
		written_at, seen_at, ends_at, idle, expires_at,
		owner, tries, taken_at, free_at, $now`

	whereKey = ` WHERE kind = $kind AND id = $id`
	live     = whereKey + ` AND expires_at > $now`
	ofIts    = ` AND version = COALESCE($version, version)`

	insert = `INSERT INTO authcode_records
		(kind, id, version, data, by_issuer, by_person, by_session, by_grant,
			written_at, seen_at, ends_at, idle, expires_at)
		VALUES ($kind, $id, $version, $data, $issuer, $person, $session, $grant,
			$begun, $begun, $begun + $expires, $idle, $begun + $left)`

	// upsert replaces an expired record.
	upsert = ` ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, data = excluded.data,
		by_issuer = excluded.by_issuer, by_person = excluded.by_person,
		by_session = excluded.by_session, by_grant = excluded.by_grant,
		written_at = excluded.written_at, seen_at = excluded.seen_at, ends_at = excluded.ends_at,
		idle = excluded.idle, expires_at = excluded.expires_at,
		owner = '', tries = 0, taken_at = NULL, free_at = NULL
		WHERE authcode_records.expires_at <= $now`

	load = `SELECT ` + columns + ` FROM authcode_records` + live

	touch = `UPDATE authcode_records SET seen_at = $now,
		expires_at = CASE WHEN $now + idle < ends_at THEN $now + idle ELSE ends_at END` +
		live + ` AND seen_at <= $now - $touch`

	take = `UPDATE authcode_records SET
		tries = CASE WHEN owner = $owner AND $owner <> '' THEN tries ELSE tries + 1 END,
		taken_at = CASE WHEN owner = $owner AND $owner <> '' THEN taken_at
			ELSE COALESCE(taken_at, $now) END,
		free_at = $now + $lease, owner = $owner` +
		live + ofIts + ` AND (owner = $owner AND $owner <> '' OR free_at IS NULL OR free_at <= $now)`

	giveUp = `UPDATE authcode_records SET
		owner = '', free_at = $now + $wait` +
		live + ofIts + ` AND owner = $owner AND $owner <> ''`

	save = `UPDATE authcode_records SET version = version + 1, data = $data,
		by_issuer = $issuer, by_person = $person, by_session = $session, by_grant = $grant,
		written_at = $now, ends_at = $now + $expires, idle = $idle,
		expires_at = CASE WHEN seen_at + $idle < $now + $expires
			THEN seen_at + $idle ELSE $now + $expires END,
		owner = $holder, free_at = $now + $lease,
		tries = $seen, taken_at = NULL` +
		live + ` AND version = $version`

	remove = `DELETE FROM authcode_records` + whereKey + ofIts

	// find is followed by the name of a digest's column, and findRest.
	find     = `SELECT id, ` + columns + ` FROM authcode_records WHERE kind = $kind AND `
	findRest = ` = $digest AND id > $after AND expires_at > $now ORDER BY id LIMIT $limit`

	expired = `SELECT kind, id FROM authcode_records
		WHERE expires_at <= $begun ORDER BY expires_at LIMIT $limit`

	removeExpired = `DELETE FROM authcode_records
		WHERE kind = $kind AND expires_at <= $begun AND id IN `

	abandoned = `SELECT kind, id FROM authcode_records
		WHERE free_at <= $begun AND expires_at > $begun ORDER BY free_at LIMIT $limit`
)

// kept is the LastInsertId of an INSERT that finds a record which has not
// expired, in MySQL.
const kept = 2

// onDuplicateKey is upsert in MySQL, where each assignment has the condition.
// expires_at, which the condition reads, is the last.
func onDuplicateKey() string {
	const isExpired = `expires_at <= $begun`
	b := new(strings.Builder)
	b.WriteString(` ON DUPLICATE KEY UPDATE version =
		IF(LAST_INSERT_ID(IF(` + isExpired + `, 1, ` + strconv.Itoa(kept) + `)) = 1,
			VALUES(version), version)`)
	for _, column := range []string{
		"data", "by_issuer", "by_person", "by_session", "by_grant", "written_at", "seen_at",
		"ends_at", "idle", "owner", "tries", "taken_at", "free_at", "expires_at",
	} {
		b.WriteString(`, ` + column + ` = IF(` + isExpired + `, VALUES(` + column + `), ` + column + `)`)
	}
	return b.String()
}

// args are the values of parameters by name.
type args map[string]any

// statement is a text as the database takes it.
type statement struct {
	text  string
	names []string // of its parameters, in order
}

// args returns the values in the order of the parameters.
func (s statement) args(values args) []any {
	list := make([]any, len(s.names))
	for i, name := range s.names {
		list[i] = values[name]
	}
	return list
}

// compile makes a statement of a text.
func (d dialect) compile(text string) statement {
	expressions := strings.NewReplacer("$now", d.now, "$begun", d.begun)
	text = expressions.Replace(strings.ReplaceAll(text, "$seen", d.seen))
	var s statement
	s.text = os.Expand(text, func(name string) string {
		if !d.numbered {
			s.names = append(s.names, name)
			return "?"
		}
		i := slices.Index(s.names, name)
		if i < 0 {
			i = len(s.names)
			s.names = append(s.names, name)
		}
		return "$" + strconv.Itoa(i+1)
	})
	return s
}
