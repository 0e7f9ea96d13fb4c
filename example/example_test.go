package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode/authtest"
)

// start serves the app with the embedded provider, which asks nobody here.
func start(t *testing.T) (base string, browser *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	a := &app{base: "http://" + server.Listener.Addr().String(), key: []byte("32 random bytes, kept like a key")}
	provider := authtest.NewServer(a.base + "/auth/authtest/callback")
	t.Cleanup(provider.Close)
	if err := a.add(provider.Config()); err != nil {
		t.Fatal(err)
	}
	handler, err := a.handler(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.base, &http.Client{Jar: jar}
}

func get(t *testing.T, browser *http.Client, target string) (page, at string) {
	t.Helper()
	resp, err := browser.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp.Request.URL.RequestURI()
}

func TestSignInCallAPISignOut(t *testing.T) {
	base, browser := start(t)
	if page, _ := get(t, browser, base); !strings.Contains(page, `href="/auth/authtest">Sign in with authtest`) {
		t.Fatalf("no button: %s", page)
	}
	page, at := get(t, browser, base+"/api") // signs in on the way
	if at != "/api" || !strings.Contains(page, "200 OK") || !strings.Contains(page, "alice") {
		t.Fatalf("at %s: %s", at, page)
	}
	if page, _ = get(t, browser, base); !strings.Contains(page, `<strong id="who">Alice Example</strong>`) {
		t.Errorf("not signed in: %s", page)
	}
	resp, err := browser.PostForm(base+"/signout", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if page, _ = get(t, browser, base); !strings.Contains(page, "<h1>Sign in</h1>") {
		t.Errorf("still signed in: %s", page)
	}
}

func TestASessionEndsAtTheServer(t *testing.T) {
	base, browser := start(t)
	get(t, browser, base+"/auth/authtest")
	u, _ := url.Parse(base)
	kept := browser.Jar.Cookies(u) // as a thief would
	resp, err := browser.PostForm(base+"/signout", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	browser.Jar.SetCookies(u, kept)
	if page, _ := get(t, browser, base); !strings.Contains(page, "<h1>Sign in</h1>") {
		t.Errorf("a cookie of a session that has ended signs in: %s", page)
	}
}

func TestAnotherSiteSignsNobodyOut(t *testing.T) {
	base, browser := start(t)
	get(t, browser, base+"/auth/authtest")
	r, _ := http.NewRequest("POST", base+"/signout", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if page, _ := get(t, browser, base); resp.StatusCode != http.StatusForbidden || !strings.Contains(page, "You are signed in") {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestPresets: each preset is offered where the environment has its credentials, with what else it needs.
func TestPresets(t *testing.T) {
	for name := range presets {
		a := &app{base: "https://app.example", key: []byte("32 random bytes, kept like a key")}
		err := a.addProviders(func(v string) string {
			what, ok := strings.CutPrefix(v, name+"_")
			switch {
			case !ok:
				return ""
			case what == "ISSUER":
				return "https://id.example"
			}
			return "x"
		})
		if err != nil || len(a.logins) != 1 {
			t.Errorf("%s: %d logins, %v", name, len(a.logins), err)
		}
	}
	a := &app{base: "https://app.example", key: []byte("32 random bytes, kept like a key")}
	if err := a.addProviders(func(v string) string { return map[string]string{"GITHUB_CLIENT_ID": "x"}[v] }); err == nil ||
		!regexp.MustCompile(`github: .*empty Secret`).MatchString(err.Error()) {
		t.Errorf("a secret that is missing: %v", err)
	}
}

// TestSigningInAgainEndsTheFormerSession: its cookie signs nobody in any more.
func TestSigningInAgainEndsTheFormerSession(t *testing.T) {
	base, browser := start(t)
	get(t, browser, base+"/auth/authtest")
	u, _ := url.Parse(base)
	former := browser.Jar.Cookies(u)
	get(t, browser, base+"/auth/authtest")
	browser.Jar.SetCookies(u, former)
	if page, _ := get(t, browser, base); !strings.Contains(page, "<h1>Sign in</h1>") {
		t.Errorf("the former session goes on: %s", page)
	}
}
