package test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

func attackD10(t *testing.T) {
	t.Run("reload and back after success", reloadAfterSuccess)
	t.Run("reload after a failure offers to start again, not to go on", reloadAfterFailure)
	t.Run("a double click redeems once", doubleClick)
}

func reloadAfterSuccess(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	w.WantStatus(b.Get(callback), http.StatusSeeOther)
	for range 3 {
		resp := b.Get(callback)
		w.WantFailure(resp, authcode.AlreadyUsed, "state.used")
		if !strings.Contains(resp.Text, `href="/home"`) {
			t.Error("no way on after a login that succeeded")
		}
	}
	w.WantTokenRequests(1)
	w.WantStatus(b.Get(w.App.URL+"/home"), http.StatusOK)
}

func reloadAfterFailure(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	w.Server.SetFaults(authserver.Token, authserver.HTMLError())
	w.WantFailure(b.Get(callback), authcode.BadAnswer, "answer.error")
	w.Server.ClearFaults()
	resp := b.Get(callback)
	w.WantFailure(resp, authcode.AlreadyUsed, "state.failed")
	if strings.Contains(resp.Text, `href="/home"`) {
		t.Error("the page offers to go on without a login")
	}
	w.WantTokenRequests(1)
}

func doubleClick(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	w.Server.SetFaults(authserver.Token, authserver.Delay(150*time.Millisecond))
	cookie := b.LoginCookies()[0] // goes with every click, as a browser sends it
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := make(map[int]int)
	for range 16 {
		wg.Go(func() {
			r := b.Request("GET", callback, "", "Cookie", cookie.Name+"="+cookie.Value)
			resp, err := w.App.Client().Transport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			count[resp.StatusCode]++
		})
	}
	wg.Wait()
	if count[http.StatusSeeOther] != 1 || count[http.StatusConflict] != 15 {
		t.Errorf("statuses %v, want one 303 and fifteen 409", count)
	}
	w.WantTokenRequests(1)
}

func attackD13(t *testing.T) {
	w := world.New(t)
	for _, bad := range []string{
		"//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example/",
		"javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example",
		"\t//evil.example", " //evil.example", "///evil.example", "evil.example", "?a", "#a", "",
		"/.//evil.example", "/a/..//evil.example", `/./\evil.example`, "/%2e%2E//evil.example",
		"/a\r\nSet-Cookie: x=y", "/a\x00b", "/" + strings.Repeat("a", 4096), "http:/evil.example",
		"/ ",
	} {
		resp := w.Browser().SignIn("?next=" + url.QueryEscape(bad))
		w.WantStatus(resp, http.StatusSeeOther)
		if got := resp.Header["Location"]; len(got) != 1 || got[0] != "/" {
			t.Errorf("return path %q went to %q, want /", bad, got)
		}
	}
	for _, good := range []string{
		"/", "/a", "/a/b/?q=1&r=%20+x#frag", "/a//b", "/a/../b", "/%2F%2Fevil",
		"/a?next=//evil.example", "/a#//evil.example", "/ü/€?ö", "/a b", "/@evil.example", "/:80",
		`/a\b`, "/a;b=c,d", "/" + strings.Repeat("a", 999), "/?redirect=https://other.example/",
	} {
		resp := w.Browser().SignIn("?next=" + url.QueryEscape(good))
		if got := resp.Header["Location"]; len(got) != 1 || got[0] != good {
			t.Errorf("return path %q went to %q", good, got)
		}
	}
	resp := w.Browser().SignIn("?next=/a&next=/b")
	if got := resp.Header.Get("Location"); got != "/" {
		t.Errorf("a repeated return path went to %q, want /", got)
	}
}
