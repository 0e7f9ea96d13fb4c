package interop

import (
	"net/http"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"github.com/chromedp/chromedp"
)

// subrequests are scripts that ask for the login link, with its answer.
var subrequests = []struct {
	name, script string
	status       int64
}{
	{"fetch", `fetch("/login").then(() => {})`, http.StatusForbidden},
	{"fetch without cors", `fetch("/login", {mode: "no-cors"}).then(() => {})`, http.StatusForbidden},
	{"image", `{
		const image = document.createElement("img");
		image.src = "/login";
		document.body.append(image);
	}`, http.StatusForbidden},
	{"prefetch", `{
		const link = document.createElement("link");
		link.rel = "prefetch";
		link.href = "/login";
		document.head.append(link);
	}`, http.StatusNoContent},
	{"speculation rules", `{
		const rules = document.createElement("script");
		rules.type = "speculationrules";
		rules.text = JSON.stringify({prefetch: [{urls: ["/login"], eagerness: "immediate"}]});
		document.head.append(rules);
	}`, http.StatusNoContent},
}

// Only a person's navigation starts a login, going by the headers that Chromium really sends:
// what a script or a prefetch asks for leaves no cookie and reaches no provider.
func TestOnlyNavigationStartsLogin(t *testing.T) {
	srv := authserver.NewServer()
	t.Cleanup(srv.Close)
	a := serveApp(t, false, srv.Config)
	for _, c := range subrequests {
		t.Run(c.name, func(t *testing.T) {
			b := openTab(t)
			b.open(a.url + "/page")
			in(b, chromedp.Evaluate[any](c.script+"; 0"))
			if got := b.answered(t, a.url+"/login").status; got != c.status {
				t.Errorf("answered %d, want %d", got, c.status)
			}
			if logins := b.jar("login-"); len(logins) != 0 {
				t.Errorf("a login was started: %v", names(logins))
			}
			if n := len(srv.Requests(authserver.Authorization)); n != 0 {
				t.Errorf("%d authorization requests, want 0", n)
			}
		})
	}
	t.Run("form", func(t *testing.T) {
		b := openTab(t)
		b.open(a.url + "/page")
		in(b, chromedp.Evaluate[any](`{
			const form = document.createElement("form");
			form.method = "post";
			form.action = "/login?next=/end";
			document.body.append(form);
			form.submit();
		}; 0`))
		if got := b.answered(t, a.url+"/end").status; got != http.StatusOK {
			t.Errorf("answered %d, want 200", got)
		}
	})
}

// answered waits for the answer to a request for address.
func (b *tab) answered(t *testing.T, address string) message {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(patience); ; {
		for _, m := range b.all(address) {
			if m.status != 0 {
				return m
			}
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("nobody asked for %s", address)
		}
	}
}
