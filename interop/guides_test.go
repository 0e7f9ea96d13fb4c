package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guide is a part of a program that a guide shows. The test runs it with what
// the guide takes for granted: testdata/guide.go.txt.
type guide struct {
	page, heading string   // the first block of Go after this heading
	changes       []string // pairs of a text and what takes its place
	before, after string   // statements around the block
}

// withAccount is a page for people who are signed in.
const withAccount = "mux.Handle(\"GET /account\", sessions.Require(http.HandlerFunc(account)))\n"

const mounted = "client.Mount(mux, sessions.SignIn(client))\n" + withAccount

const usedStates = "CREATE TABLE used_states (id text PRIMARY KEY, until timestamp NOT NULL);"

// guides are run by this name.
var guides = map[string]guide{
	"README": {"../README.md", "# authcode", []string{
		"provider.GitHub()", "github", `"https://app.example/auth/github/callback"`, `base + "/callback"`,
		`os.Getenv("GITHUB_CLIENT_ID")`, `"app"`, `os.Getenv("GITHUB_CLIENT_SECRET")`, "string(key)", `"/auth/github"`, `"/login"`,
	}, "", "serve(handler)"},
	"net/http": {"routers.md", "## The standard library", nil, "", "serve(handler)"},
	"chi":      {"routers.md", "## chi", nil, "", "serve(r)"},
	"gin":      {"routers.md", "## gin", nil, "", "serve(handler)"},
	"echo":     {"routers.md", "## echo", nil, "", "serve(handler)"},
	"Lambda":   {"routers.md", "## AWS Lambda", nil, "", ""},
	"fiber":    {"routers.md", "## fiber", nil, "", "log.Fatal(app.Listen(address))"},
	"own style": {"routers.md", "## A handler in the framework's own style", nil,
		"r := gin.New()\nr.GET(\"/login\", gin.WrapH(client.LoginHandler()))\n", "serve(r)"},
	"several providers": {"several-providers.md", "# Several", []string{
		`"https://app.example/auth/"`, `base + "/auth/"`,
	}, "", withAccount + "serve(mux)"},
	"single-page server": {"single-page-apps.md", "## The server", nil, "", "serve(handler)"},
	"single-page app":    {"single-page-apps.md", "## When the script", nil, mounted, "serve(mux)"},
	"accounts":           {"sessions.md", "## An account of your own", nil, "", "must(sessions, err)\n" + mounted + "serve(mux)"},
	"devices": {"sessions.md", "## Your devices", nil,
		"", mounted + "devicePages(mux)\nserve(mux)"},
	"everywhere": {"sessions.md", "`sessions.End` with an empty sid", nil, "", mounted + "keepPages()\n" +
		"mux.Handle(\"POST /everywhere\", sessions.Require(http.HandlerFunc(everywhere)))\nserve(mux)"},
	"linking": {"accounts.md", "## Linking", nil, `cfg := config("/login", "/callback")
cfg.OnError = loginFailed
client := must(authcode.New(cfg))
`, withAccount + "mountWithLink(mux, sessions, client, \"it\")\nserve(mux)"},
	"logout": {"logout.md", "## With package session", []string{"https://app.example/signed-out", "\" + base + \"/signed-out"},
		"", withAccount + "serve(mux)"},
	"used states": {"instances.md", usedStates, nil, "", `db := must(sql.Open("sqlite", "app.db"))
must(db.Exec("` + usedStates + `"))
for _, want := range []bool{true, false} {
	if fresh := must(used{db}.Use(ctx, "id", time.Now())); fresh != want {
		log.Fatal("fresh: ", fresh)
	}
}
cfg := config("/login", "/callback")
cfg.UsedStates = used{db}
client := must(authcode.New(cfg))
` + mounted + "serve(mux)"},
	"form_post": {"form-post.md", "# form_post", nil, `cfg := config("/login", "/auth/apple/callback")
cfg.Provider.FormPost = true
client := must(authcode.New(cfg))
` + mounted, "serve(handler)"},
}

// source is the function that runs a guide, with its changes.
func (g guide) source(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("../docs", g.page))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n"+g.heading)
	if strings.HasPrefix(string(page), g.heading) {
		text, found = string(page), true
	}
	block := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(text)
	if !found || block == nil {
		t.Fatalf("%s has no block of Go after %q", g.page, g.heading)
	}
	part := block[1]
	for i := 0; i < len(g.changes); i += 2 {
		if !strings.Contains(part, g.changes[i]) {
			t.Fatalf("%s, %s does not have %s", g.page, g.heading, g.changes[i])
		}
		part = strings.ReplaceAll(part, g.changes[i], g.changes[i+1])
	}
	if strings.HasPrefix(part, "func ") || strings.HasPrefix(part, "type ") { // they stand beside the function that runs them
		return part + fmt.Sprintf("func %s() {\n%s%s\n}\n", name, g.before, g.after)
	}
	return fmt.Sprintf("func %s() {\n%s%s%s\n}\n", name, g.before, part, g.after)
}

// buildGuides builds one program of all guides. GUIDE says which one runs.
func buildGuides(t *testing.T) (binary string) {
	t.Helper()
	dir, err := os.MkdirTemp(".", "snippets-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	rest, err := os.ReadFile("testdata/guide.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"main.go": string(rest)}
	list := "package main\n\nvar guides = map[string]func(){\n"
	for i, name := range slices.Sorted(maps.Keys(guides)) {
		function := fmt.Sprintf("guide%02d", i)
		list += fmt.Sprintf("%q: %s,\n", name, function)
		files[function+".go"] = withImports("package main\n", guides[name].source(t, function))
	}
	files["list.go"] = list + "}\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary = filepath.Join(t.TempDir(), "guides")
	cmd := exec.Command("go", "build", "-o", binary, "./"+dir)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// ask sends a request of the app's own page, and wants this status. It returns where the person is sent, and the text.
func (g *guided) ask(method, path string, form url.Values, status int) (location, text string) {
	g.Helper()
	r, err := http.NewRequest(method, g.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := g.browser.Do(r)
	if err != nil {
		g.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		g.Fatalf("%s %s: %d %s (%v), want %d", method, path, resp.StatusCode, body, err, status)
	}
	return resp.Header.Get("Location"), string(body)
}

// signIn takes the browser through a login that begins at a path of the app, or at a URL.
func (g *guided) signIn(start string) {
	g.Helper()
	if strings.HasPrefix(start, "/") {
		start = g.base + start
	}
	signIn(g.T, g.srv, g.browser, start)
}

// wantAccount signs in by a page that needs it, and finds this text there.
func (g *guided) wantAccount(text string) {
	g.Helper()
	g.signIn("/account")
	if _, got := g.ask("GET", "/account", nil, 200); !strings.Contains(got, text) {
		g.Errorf("the page says %q, want %q", got, text)
	}
}

// wantSignedOut finds that the guarded page leads to the login.
func (g *guided) wantSignedOut() {
	g.Helper()
	if location, _ := g.ask("GET", "/account", nil, 303); !strings.HasPrefix(location, "/login?next=") {
		g.Errorf("without a session, the page leads to %s", location)
	}
}

// inAndOut signs in and out.
func inAndOut(g *guided) {
	g.wantSignedOut()
	g.wantAccount("Alice")
	g.ask("POST", "/logout", nil, 303)
	g.wantSignedOut()
}

// flows are what people do with the programs.
var flows = map[string]func(*guided){
	"README": inAndOut, "net/http": inAndOut, "chi": inAndOut, "gin": inAndOut, "echo": inAndOut, "fiber": inAndOut,
	"Lambda":    func(g *guided) { g.wantAccount("Alice") },
	"own style": func(g *guided) { g.signIn("/login") },
	"accounts":  func(g *guided) { g.wantAccount("account of alice") },
	"several providers": func(g *guided) {
		for _, name := range []string{"google", "github"} {
			g.browser = plainBrowser(g.T, "")
			location, _ := g.ask("GET", "/account", nil, 303)
			if _, page := g.ask("GET", location, nil, 200); !strings.Contains(page, "/auth/"+name+"?next=%2Faccount") {
				g.Errorf("the page %s has no link to %s: %s", location, name, page)
			}
			g.signIn("/auth/" + name + "?next=/account")
			g.ask("GET", "/account", nil, 200)
		}
	},
	"single-page app": func(g *guided) {
		_, answer := g.ask("POST", "/api/login", nil, 200)
		var to struct{ URL string }
		if err := json.Unmarshal([]byte(answer), &to); err != nil {
			g.Fatal(err, answer)
		}
		g.signIn(to.URL)
		g.ask("GET", "/account", nil, 200)
	},
	"single-page server": func(g *guided) {
		g.signIn("/login")
		if _, me := g.ask("GET", "/api/me", nil, 200); !strings.Contains(me, "Alice") {
			g.Errorf("the API says %q", me)
		}
		g.ask("POST", "/logout", nil, 303)
		g.ask("GET", "/api/me", nil, 303)
	},
	"everywhere": func(g *guided) {
		g.wantAccount("Alice")
		g.ask("POST", "/keep", nil, 200)
		g.ask("GET", "/worker", nil, 200)
		g.ask("POST", "/everywhere", nil, 303)
		g.ask("GET", "/account", nil, 401) // as for devices
		g.ask("GET", "/worker", nil, 410)
	},
	"devices": func(g *guided) {
		g.signIn("/devices")
		g.signIn("/devices") // the first login did not ask when the person signed in
		_, list := g.ask("GET", "/devices", nil, 200)
		handle, _, _ := strings.Cut(list, " ")
		if !strings.HasSuffix(list, "true\n") {
			g.Errorf("this browser's session is not in the list %q", list)
		}
		g.ask("POST", "/devices/end", url.Values{"handle": {handle}}, 303)
		g.ask("GET", "/account", nil, 401) // the page for a session that ended so soon after a login
	},
	"linking": linkIdentities,
	"logout": func(g *guided) {
		g.wantAccount("Alice")
		if location, _ := g.ask("POST", "/logout", nil, 303); !strings.HasPrefix(location, g.srv.URL) {
			g.Errorf("the sign-out leads to %s, not to the provider", location)
		}
		g.wantSignedOut()
		g.wantAccount("Alice")
		g.ask("POST", "/backchannel-logout", url.Values{"logout_token": {g.srv.LogoutToken("app", "alice", "")}}, 200)
		g.ask("GET", "/account", nil, 401)
	},
	"used states": func(g *guided) { g.wantAccount("Alice") },
	"form_post": func(g *guided) {
		callback, err := g.srv.Callback(g.browser, g.base+"/login?next=/account")
		if err != nil {
			g.Fatal(err)
		}
		callback.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := g.browser.Do(callback)
		if err != nil || resp.StatusCode != 303 {
			g.Fatal(resp, err)
		}
		resp.Body.Close()
		g.ask("GET", callback.URL.Path+resp.Header.Get("Location"), nil, 303)
		g.ask("GET", "/account", nil, 200)
	},
}

// TestGuides: what the guides show signs in at authtest, as they show it.
func TestGuides(t *testing.T) {
	binary := buildGuides(t)
	for name := range guides {
		t.Run(name, func(t *testing.T) { flows[name](runGuide(t, binary, name)) })
	}
}
