package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// weights are programs, from an empty one up. Each handles a login as an app
// would, so that the linker keeps it. atMost bounds what a program adds to the
// empty one, beside what the handwritten login adds: each release of Go makes all
// of them larger, or smaller.
var weights = []struct {
	claim, imports, body string
	atMost               float64
}{
	{"an empty app", "", ``, 0},
	{"a login by x/oauth2 and securecookie", `"github.com/gorilla/securecookie"; "golang.org/x/oauth2"`,
		weightByHand, 1},
	{"a login with a preset", `"example.com/authcode"; "example.com/authcode/provider"`,
		`mount(provider.GitHub())`, 1.6},
	{"a login with identity", `"example.com/authcode"; "example.com/authcode/oidc"`,
		`mount(oidc.Provider("https://id.example"))`, 2},
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
		println(grants)`, 2.5},
}

const weightByHand = `
config := oauth2.Config{ClientID: "id", ClientSecret: "secret", RedirectURL: "https://app.example/callback"}
cookies := securecookie.New([]byte("key"), []byte("0123456789abcdef"))
mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
	p := map[string]string{"state": oauth2.GenerateVerifier(), "verifier": oauth2.GenerateVerifier()}
	value, _ := cookies.Encode("oauth", p)
	http.SetCookie(w, &http.Cookie{Name: "oauth", Value: value})
	http.Redirect(w, r, config.AuthCodeURL(p["state"], oauth2.S256ChallengeOption(p["verifier"])), 303)
})
mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
	var p map[string]string
	cookie, err := r.Cookie("oauth")
	if err != nil || cookies.Decode("oauth", cookie.Value, &p) != nil || p["state"] != r.FormValue("state") {
		return
	}
	token, err := config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(p["verifier"]))
	println(token, err)
})
`

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
	var empty, byHand int64
	for _, row := range weights {
		text := "package main\n\nimport (\n\"net/http\"\n" + row.imports + "\n)\n\n" +
			"var mux = http.NewServeMux()\n\nfunc main() {\n" + row.body +
			"\nhttp.ListenAndServe(\":8080\", mux)\n}\n"
		if strings.Contains(row.body, "mount(") {
			text += weightMount
		}
		size := builtSize(t, text)
		switch {
		case empty == 0:
			empty = size
			continue
		case byHand == 0:
			byHand = size - empty
		}
		times := float64(size-empty) / float64(byHand)
		t.Logf("%s adds %.2f MB, %.2f of the handwritten one", row.claim, float64(size-empty)/1e6, times)
		if times > row.atMost {
			t.Errorf("%s adds %.2f of what the handwritten login adds, want at most %.1f", row.claim, times,
				row.atMost)
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
