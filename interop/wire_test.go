package interop

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// message is one request of a tab and its answer: what Chromium really sent and stored,
// as its network stack reports it (the ExtraInfo events), not what the page may see.
type message struct {
	method, url string                      // empty for what the browser fetched on its own (icons)
	host        string                      // the Host header
	sent        []*network.Cookie           // cookies in the request
	withheld    []*network.AssociatedCookie // cookies of that site that were left out, and why
	status      int64
	setCookie   []string                              // the Set-Cookie lines of the answer
	refused     []*network.BlockedSetCookieWithReason // those that were not stored, and why
}

// wire collects messages in the order of their requests.
type wire struct {
	mu       sync.Mutex
	messages []*message
	byID     map[network.RequestID]*hops
}

// hops are the messages of one request id: it stays the same over redirects. The plain
// and the ExtraInfo events each come in order, but in no order between each other.
type hops struct {
	requests, sent, received int
	messages                 []*message
}

func newWire() *wire { return &wire{byID: make(map[network.RequestID]*hops)} }

func (w *wire) event(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		h := w.hops(ev.RequestID)
		m := w.message(h, h.requests)
		h.requests++
		m.method, m.url = ev.Request.Method, ev.Request.URL
	case *network.EventRequestWillBeSentExtraInfo:
		h := w.hops(ev.RequestID)
		m := w.message(h, h.sent)
		h.sent++
		for key, value := range ev.Headers {
			if strings.EqualFold(key, "Host") {
				m.host, _ = value.(string)
			}
		}
		for _, c := range ev.AssociatedCookies {
			if len(c.BlockedReasons) == 0 {
				m.sent = append(m.sent, c.Cookie)
			} else {
				m.withheld = append(m.withheld, c)
			}
		}
	case *network.EventResponseReceivedExtraInfo:
		h := w.hops(ev.RequestID)
		m := w.message(h, h.received)
		h.received++
		m.status, m.refused = ev.StatusCode, ev.BlockedCookies
		for key, value := range ev.Headers {
			if lines, ok := value.(string); ok && strings.EqualFold(key, "Set-Cookie") {
				m.setCookie = strings.Split(lines, "\n")
			}
		}
	}
}

func (w *wire) hops(id network.RequestID) *hops {
	if w.byID[id] == nil {
		w.byID[id] = new(hops)
	}
	return w.byID[id]
}

func (w *wire) message(h *hops, i int) *message {
	for len(h.messages) <= i {
		m := new(message)
		h.messages = append(h.messages, m)
		w.messages = append(w.messages, m)
	}
	return h.messages[i]
}

// origin is where the request went.
func (m message) origin() string {
	if u, err := url.Parse(m.url); err == nil && m.url != "" {
		return u.Scheme + "://" + u.Host
	}
	return "http://" + m.host
}

// all returns copies of the messages whose URL begins with prefix.
func (w *wire) all(prefix string) (found []message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.messages {
		if strings.HasPrefix(m.url, prefix) {
			found = append(found, *m)
		}
	}
	return found
}

// last returns the last answered request for address, whatever its query.
func (w *wire) last(t testing.TB, address string) message {
	t.Helper()
	var found message
	for _, m := range w.all(address) {
		path, _, _ := strings.Cut(m.url, "?")
		if path == address && m.status != 0 {
			found = m
		}
	}
	if found.status == 0 {
		t.Fatalf("nobody asked for %s", address)
	}
	return found
}
