package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// weights are programs, from an empty one up, and how many bytes they may add to
// that. Each handles a login as an app would, so that the linker keeps it. The
// limits leave room for Go 1.27, whose programs grow by a fifth more.
var weights = []struct {
	claim, imports, body string
	atMost               int64
}{
	{"an empty app", "", ``, 0},
	{"a login with a preset", `"example.com/authcode"; "example.com/authcode/provider"`,
		`mount(provider.GitHub())`, 2_600_000},
	{"a login with identity", `"example.com/authcode"; "example.com/authcode/oidc"`,
		`mount(oidc.Provider("https://id.example"))`, 3_200_000},
	{"sessions and grants in a database", `"database/sql"; "example.com/authcode"
		"example.com/authcode/grant"; "example.com/authcode/grant/sqlstore"
		"example.com/authcode/oidc"; "example.com/authcode/session"`,
		`client := mount(oidc.Provider("https://id.example"))
		db, _ := sql.Open("postgres", "")
		store := sqlstore.New(db, sqlstore.PostgreSQL)
		grants, _ := grant.New(grant.Config{Store: store, Clients: grant.Clients(client)})
		sessions, _ := session.New(session.Config{Store: store, LoginURL: "/login"})
		mux.Handle("/callback", sessions.SignIn(client))
		mux.Handle("/", sessions.Require(http.NotFoundHandler()))
		mux.Handle("POST /logout", sessions.SignOut())
		println(grants)`, 3_800_000},
}

const weightMount = `
func mount(p authcode.Provider) *authcode.Client {
	client, err := authcode.New(authcode.Config{Provider: p, ClientAuth: authcode.Secret("secret")})
	if err != nil {
		panic(err)
	}
	client.Mount(mux, http.NotFoundHandler())
	return client
}
`

// TestWeight: what this module adds to a program stays small.
func TestWeight(t *testing.T) {
	empty := int64(0)
	for _, row := range weights {
		text := "package main\n\nimport (\n\"net/http\"\n" + row.imports + "\n)\n\n" +
			"var mux = http.NewServeMux()\n\nfunc main() {\n" + row.body +
			"\nhttp.ListenAndServe(\":8080\", mux)\n}\n"
		if row.body != "" {
			text += weightMount
		}
		size := builtSize(t, text)
		if empty == 0 {
			empty = size
		}
		t.Logf("%s adds %.2f MB", row.claim, float64(size-empty)/1e6)
		if size-empty > row.atMost {
			t.Errorf("%s adds %d bytes, want at most %d", row.claim, size-empty, row.atMost)
		}
	}
}

// builtSize returns the size of a program without its symbols.
func builtSize(t *testing.T, text string) int64 {
	t.Helper()
	dir := t.TempDir()
	file, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// In the root's module, whose versions of everything are those that count.
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", program, file)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
