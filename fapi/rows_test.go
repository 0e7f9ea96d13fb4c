package fapi_test

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	op "example.com/authcode/internal/authserver"
)

// word is part of every text that the tables make the provider say.
const word = "canary-5e1f"

// tableRow is a line of a table, with one of its heads.
type tableRow struct{ head, cells []string }

// readTable reads paragraphs of lines of cells that | parts. Their first lines,
// with @, are heads: each line below stands for one row for each head. Words of
// a head such as $name=text are put into the second cell.
func readTable(file string) (all []tableRow) {
	var heads []string
	for line := range strings.Lines(string(must(os.ReadFile(file)))) {
		switch line = strings.TrimSpace(line); {
		case line == "":
			heads = nil
		case line[0] == '@':
			heads = append(heads, line[2:])
		case line[0] != '#':
			for _, head := range heads {
				all = append(all, newTableRow(head, line))
			}
		}
	}
	return all
}

func newTableRow(head, line string) (row tableRow) {
	row.cells = append(regexp.MustCompile(` *\| *`).Split(line, -1), "", "", "")
	for _, word := range strings.Fields(head) {
		if name, text, _ := strings.Cut(word, "="); name[0] == '$' {
			row.cells[1] = strings.ReplaceAll(row.cells[1], name, text)
		} else {
			row.head = append(row.head, word)
		}
	}
	return row
}

// testRow is a login, or a request after one, at a provider with faults: a line
//
//	name | want | faults with ; between them | options
//
// of a file in testdata/faults, below heads of a place and options. A fault is a
// function of authserver with its arguments; "discovery: Drop iss" has a place.
type testRow struct {
	name   string
	want   string // reason:check of a refusal; else "ok", or the status of an API's answer
	at     op.Place
	faults map[op.Place][]string
	given  []op.Fault // beside these at the row's place
	in     options
}

// faultTables are the rows of all files, by the name of the file.
func faultTables() map[string][]testRow {
	all := make(map[string][]testRow)
	for _, file := range must(filepath.Glob("testdata/faults/*.txt")) {
		for _, row := range readTable(file) {
			all[file] = append(all[file], newRow(row.head, row.cells))
		}
	}
	return all
}

func newRow(head, cells []string) testRow {
	r := testRow{want: cells[1], at: op.Place(head[0]), in: options{}, faults: map[op.Place][]string{}}
	for _, word := range append(head[1:], strings.Fields(cells[3])...) {
		name, value, _ := strings.Cut(word, "=")
		r.in[name] = value
	}
	name := slices.DeleteFunc(head, func(word string) bool { return strings.Contains(word, "=") })
	r.name = strings.Join(name, " ") + ": " + cells[0]
	for fault := range strings.SplitSeq(cells[2], " ; ") {
		if at, there, ok := strings.Cut(fault, ": "); ok {
			r.faults[op.Place(at)] = append(r.faults[op.Place(at)], there)
		} else if fault != "" {
			r.faults[r.at] = append(r.faults[r.at], fault)
		}
	}
	if r.in.has("signed") {
		r.given = []op.Fault{op.SignedUserInfo()}
	}
	for _, test := range op.FAPI2ClientTests(clientID) {
		if r.at == "suite" && test.Name == cells[0] && test.Accept != r.isRefused() {
			r.at, r.given = test.Place, test.Faults
		}
	}
	return r
}

func (r testRow) isRefused() bool { return strings.Contains(r.want, ":") }

// isHarmless: what is no answer, or not yet, leaves the login as it is.
func (r testRow) isHarmless() bool {
	return regexp.MustCompile(`^(malformed|forged|no_login):`).MatchString(r.want)
}

// step is what meets the fault: a login or a request after one.
func (r testRow) step() op.Place {
	if slices.Contains([]op.Place{op.Refresh, op.Revocation, op.Introspection, op.Resource}, r.at) {
		return r.at
	}
	return op.Place(cmp.Or(r.in["step"], "token"))
}

// requests are those that the row has to cause, and no others: a retry or a
// step too many shows here. Metadata and keys, which are cached, do not count.
func (r testRow) requests() string {
	all := []string{"discovery", "par", "authorization", "token", "userinfo"}
	if r.step() != op.Token {
		all = strings.Fields(string(r.step()) + map[bool]string{true: " refresh resource"}[r.in.has("renews")])
	} else if !r.in.has("userinfo") {
		all = all[:4]
	}
	last := cmp.Or(r.in["until"], all[len(all)-1])
	var path []string
	for _, place := range all {
		times := 1
		if place == last {
			times = must(strconv.Atoi(cmp.Or(r.in["times"], "1")))
		}
		if place != "discovery" && (place != "par" || !r.in.has("nopar")) {
			path = append(path, slices.Repeat([]string{place}, times)...)
		}
		if place == last && r.isRefused() {
			break
		}
	}
	return strings.Join(path, " ")
}

// TestEverySwitchHasARow: each place, fault and suite test of authserver is in
// the tables, but for signing out, which is no part of the profiles.
func TestEverySwitchHasARow(t *testing.T) {
	var used, source string
	for _, file := range must(filepath.Glob("testdata/faults/*.txt")) {
		used += regexp.MustCompile(`(?m)^#.*`).ReplaceAllString(string(must(os.ReadFile(file))), "")
	}
	for _, file := range must(filepath.Glob("../internal/authserver/*.go")) {
		source += string(must(os.ReadFile(file)))
	}
	n := 0
	for pattern, before := range map[string]string{
		`\n\t\w+ +Place = "(\w+)"`: "\n@ ", `\nfunc ([A-Z]\w*)\(.*\) Fault \{`: " ",
		`(?:refused|accepted)\(\w+, "(.+?)"`: "\n",
	} {
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(source, -1) {
			row := regexp.MustCompile(before + found[1] + `\b`)
			if n++; !row.MatchString(used) && found[1] != "end_session" {
				t.Errorf("there is no row for %s", found[1])
			}
		}
	}
	if n < 14+40+25 {
		t.Errorf("authserver has %d switches: are they found?", n)
	}
}
