package interop

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser may drop the callback's request and send it again (D21). Here
// Chromium does, and its network stack decides when the server sees what.

// TestDroppedCallbackInChromium: wherever the login is by then, the second
// callback signs the person in, once, and the code is sent once.
func TestDroppedCallbackInChromium(t *testing.T) {
	eachWorld(t, func(t *testing.T, http2, formPost bool) {
		for _, at := range []place{callbackCame, tokenWanted, tokenAsked, tokenAnswered} {
			t.Run(string(at)+", stopped first", func(t *testing.T) {
				l := holdLogin(t, http2, formPost, at)
				l.drop()
				l.again()
				l.app.gate.open()
				l.signsIn()
			})
			t.Run(string(at)+", replaced", func(t *testing.T) {
				l := holdLogin(t, http2, formPost, at)
				l.again()
				await(t, l.first.gone, "the server sees that the first request is gone")
				l.app.gate.open()
				l.signsIn()
			})
		}
		t.Run("sent again after the end of the first", func(t *testing.T) {
			l := holdLogin(t, http2, formPost, tokenAsked)
			l.drop()
			l.app.gate.open()
			await(t, l.first.ended, "the first request has ended")
			l.again()
			l.signsIn()
		})
	})
}

// TestLoginThatChromiumNeverSaw: the app has the login, but the browser dropped
// the answer. The page lets the person go on, or start again.
func TestLoginThatChromiumNeverSaw(t *testing.T) {
	eachWorld(t, func(t *testing.T, http2, formPost bool) {
		l := holdLogin(t, http2, formPost, loginHandled)
		l.drop()
		l.again()
		l.app.gate.open()
		l.tab.finishedBefore(l.callback)
		l.countsOne()
		l.tab.click("login", "signed-in")
	})
}

// TestDroppedFormPostInChromium: the same for the POST of a form_post login.
// The page of the provider sends it again.
func TestDroppedFormPostInChromium(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, at := range []place{postCame, postAnswered, tokenWanted, tokenAsked, tokenAnswered} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", at, http2), func(t *testing.T) {
				l := holdLogin(t, http2, true, at)
				l.tab.run(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
				l.app.next(t, http.MethodPost)
				// The outcome may still go to a GET whose end the server has not
				// noticed. The end of a POST whose body is unread goes unnoticed.
				if l.first.r.Method == http.MethodGet {
					await(t, l.first.gone, "the server sees that the GET is gone")
				}
				l.app.gate.open()
				l.callback = l.app.next(t, http.MethodGet).url
				l.signsIn()
			})
		}
	}
}

// TestTwoTabsWithOneCallback: neither tab drops its request. One signs in, and
// the page of the other leads on to the app.
func TestTwoTabsWithOneCallback(t *testing.T) {
	eachWorld(t, func(t *testing.T, http2, formPost bool) {
		// The cache of Chromium may hold back the second request for a URL
		// until the first has its answer. So either tab may sign in.
		t.Run("as Chromium sends them", func(t *testing.T) {
			l := holdLogin(t, http2, formPost, tokenAsked)
			l.openOther()
			l.other.asks(l.callback)
			l.app.gate.open()
			if l.other.answered(t, l.callback).status == http.StatusSeeOther {
				l.tab, l.other = l.other, l.tab
			}
			l.signsInOneTab()
		})
		t.Run("at once", func(t *testing.T) {
			l := holdLogin(t, http2, formPost, tokenAsked)
			l.openOther()
			if _, err := chromedp.Call(l.other.ctx, network.SetCacheDisabled,
				network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
				t.Fatal(err)
			}
			l.other.asks(l.callback)
			l.app.next(t, http.MethodGet)
			waitsForOutcome(t)
			l.app.gate.open()
			l.tab, l.other = l.other, l.tab
			l.signsInOneTab()
		})
	})
}

// eachWorld runs test with each version of HTTP, and with both response modes.
func eachWorld(t *testing.T, test func(t *testing.T, http2, formPost bool)) {
	for _, http2 := range []bool{false, true} {
		for _, formPost := range []bool{false, true} {
			t.Run(fmt.Sprintf("HTTP/2 %t, form_post %t", http2, formPost), func(t *testing.T) {
				test(t, http2, formPost)
			})
		}
	}
}

// heldLogin is a login whose callback is held at a gate.
type heldLogin struct {
	t        *testing.T
	tab      *tab
	other    *tab // set by openOther
	app      *slowApp
	first    *delivery
	callback string
}

// holdLogin starts a login, and returns when it is held at a place.
func holdLogin(t *testing.T, http2, formPost bool, at place) *heldLogin {
	t.Helper()
	l := &heldLogin{t: t, tab: openTab(t), app: serveSlowApp(t, http2, formPost, at)}
	l.tab.open(l.app.url + "/start")
	l.tab.asks(l.app.url + "/login")
	method := http.MethodGet
	if at == postCame || at == postAnswered {
		method = http.MethodPost
	}
	l.first = l.app.next(t, method)
	l.callback = l.first.url
	await(t, l.app.gate.reached, "the login is "+string(at))
	if got := l.first.r.ProtoMajor == 2; got != http2 {
		t.Fatalf("the callback came over %s", l.first.r.Proto)
	}
	return l
}

// drop stops the callback, and returns when the server has noticed.
func (l *heldLogin) drop() {
	l.t.Helper()
	l.tab.run(chromedp.Stop())
	await(l.t, l.first.gone, "the server sees that the request is gone")
}

// again sends the callback again, and returns when the app has it.
func (l *heldLogin) again() {
	l.t.Helper()
	l.tab.asks(l.callback)
	l.app.next(l.t, http.MethodGet)
}

// openOther opens a second tab of the same browser at the app.
func (l *heldLogin) openOther() {
	l.t.Helper()
	l.other = l.tab.another()
	l.other.open(l.app.url + "/start")
}

// signsIn expects the tab to end on the signed-in page, by the one login.
func (l *heldLogin) signsIn() {
	l.t.Helper()
	l.tab.shows("signed-in")
	if got := l.tab.answered(l.t, l.callback).status; got != http.StatusSeeOther {
		l.t.Errorf("the callback was answered with %d, want 303", got)
	}
	l.countsOne()
	if logins := l.tab.jar("login-"); len(logins) > 0 {
		l.t.Errorf("left in the jar: %v", names(logins))
	}
}

// signsInOneTab expects that the other tab's page leads on to the app.
func (l *heldLogin) signsInOneTab() {
	l.t.Helper()
	l.signsIn()
	l.other.finishedBefore(l.callback)
	l.other.click("continue", "signed-in")
	l.countsOne()
}

// countsOne expects one token request and one session.
func (l *heldLogin) countsOne() {
	l.t.Helper()
	asked, sessions := len(l.app.srv.TokenRequests()), l.app.signedIn()
	if asked != 1 || sessions != 1 {
		l.t.Errorf("%d token requests and %d sessions, want one each", asked, sessions)
	}
}

// finishedBefore expects the page that offers to go on first, then to start
// again.
func (b *tab) finishedBefore(callback string) {
	b.t.Helper()
	if got := b.answered(b.t, callback).status; got != http.StatusConflict {
		b.t.Errorf("the callback was answered with %d, want 409", got)
	}
	b.shows("login")
	links := in(b, chromedp.Evaluate[[]string](
		`[...document.querySelectorAll("nav a")].map(a => a.id)`))
	if !slices.Equal(links, []string{"continue", "login"}) {
		b.t.Errorf("the page offers %v, want continue before login:\n%s", links, b.text("main"))
	}
}

// asks makes the tab go to address, and does not wait for an answer, as
// Page.navigate does. A script cannot do it: Chromium keeps a debugger's
// scripts waiting while a page of another site may be on its way.
func (b *tab) asks(address string) {
	go chromedp.Call(b.ctx, cdppage.Navigate, cdppage.NavigateParams{URL: address})
}

// waitsForOutcome waits until a request waits for the outcome of another.
func waitsForOutcome(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(patience); ; {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			state, _, _ := strings.Cut(stack, "\n")
			if strings.Contains(state, "[select") && strings.Contains(stack, "once.(*Handover") {
				return
			}
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("no request waits for the outcome")
		}
	}
}
