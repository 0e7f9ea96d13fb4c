package interop

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/authcode/interop/killtest"
)

const (
	killTokenLife = 2 * time.Second
	killReuse     = 10 * time.Second // of the clients whose kind begins with "reuse"
)

// killProvider is the provider of the kill test. It rotates refresh tokens, and
// writes down each use of one. A client of the kind strict that uses one again
// has its family of tokens revoked; one of the kind reuse may, for ten seconds
// from the moment when the first answer goes out.
type killProvider struct {
	signIn func(person int, ended, instance string) (id string, err error)

	mu       sync.Mutex
	random   *rand.Rand
	calm     bool                   // answers at once, and loses nothing
	refresh  map[string]*killToken  // by refresh token
	access   map[string]*killAccess // by access token
	families []*killFamily
	uses     []*killUse
	api      map[string]int // uses of access tokens, by result
	nonces   int            // answers that demand one
	wrong    []string       // what must not happen
}

// killFamily is what came from one sign-in.
type killFamily struct {
	person  int
	kind    string
	revoked int64 // when
	by      *killUse
	ended   int64 // when an instance said so
	endedBy string
}

// killToken is a refresh token.
type killToken struct {
	family  *killFamily
	number  int
	rotated int64 // when its first answer went out
	uses    []*killUse
}

// killAccess is an access token.
type killAccess struct {
	family *killFamily
	until  int64
}

// killUse is one use of a refresh token.
type killUse struct {
	token          *killToken
	instance       string
	arrived, ended int64
	delay          time.Duration
	result         string // rotated, reused or refused
	fate           string // of the answer: answered, lost, 502 or gone
	saved          int64  // when its instance had stored what it got
}

func (u *killUse) String() string {
	return fmt.Sprintf("%.3f–%.3f %s %s %s (delay %s, saved %.3f)",
		seconds(u.arrived), seconds(u.ended), u.instance, u.result, u.fate, u.delay, seconds(u.saved))
}

func newKillProvider(seed uint64) *killProvider {
	return &killProvider{
		random:  rand.New(rand.NewPCG(seed, 1)),
		refresh: make(map[string]*killToken), access: make(map[string]*killAccess),
		api: make(map[string]int),
	}
}

func (p *killProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/token":
		p.serveToken(w, r)
	case "/api":
		p.serveAPI(w, r)
	case "/revoke":
		p.serveRevoke(w, r)
	case "/signin":
		person, _ := strconv.Atoi(r.FormValue("person"))
		id, err := p.signIn(person, r.FormValue("ended"), r.FormValue("instance"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, id)
	}
}

// newFamily is a sign-in.
func (p *killProvider) newFamily(person int) (f *killFamily, access, refresh string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f = &killFamily{person: person, kind: killtest.KindOf(person)}
	p.families = append(p.families, f)
	access, refresh = p.issue(f, 0)
	return f, access, refresh
}

// issue makes tokens. The caller holds p.mu.
func (p *killProvider) issue(f *killFamily, number int) (access, refresh string) {
	access = fmt.Sprintf("at.%d.%016x", f.person, p.random.Uint64())
	refresh = fmt.Sprintf("rt.%d.%d.%016x", f.person, number, p.random.Uint64())
	p.refresh[refresh] = &killToken{family: f, number: number}
	p.access[access] = &killAccess{f, killtest.Now() + int64(killTokenLife)}
	return access, refresh
}

// serveAPI says whose access token it got.
func (p *killProvider) serveAPI(w http.ResponseWriter, r *http.Request) {
	_, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.access[text]
	result := "ok"
	switch {
	case a == nil:
		result = "unknown"
		p.wrong = append(p.wrong, "an access token that was never issued")
	case strconv.Itoa(a.family.person) != r.Header.Get(killtest.PersonHeader):
		result = "of somebody else"
		p.wrong = append(p.wrong, fmt.Sprintf("%s used the token of %d for %s",
			r.Header.Get(killtest.InstanceHeader), a.family.person, r.Header.Get(killtest.PersonHeader)))
	case a.until < killtest.Now():
		result = "expired"
	}
	p.api[result]++
}

// serveRevoke revokes a family (RFC 7009). Nobody deletes a grant in this test.
// So it must have been revoked before: then a renewal comes back to a grant that
// has ended.
func (p *killProvider) serveRevoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.refresh[r.FormValue("token")]
	if t == nil || t.family.revoked == 0 {
		p.wrong = append(p.wrong, r.Header.Get(killtest.InstanceHeader)+" revoked a grant that was good")
	}
	if t != nil && t.family.revoked == 0 {
		t.family.revoked = killtest.Now()
	}
}

// serveToken renews (RFC 6749 section 6).
func (p *killProvider) serveToken(w http.ResponseWriter, r *http.Request) {
	now := killtest.Now()
	text := r.PostFormValue("refresh_token")
	if p.demandNonce(w, r, now) {
		return
	}
	p.mu.Lock()
	t := p.refresh[text]
	if t == nil || t.family.kind != r.PostFormValue("client_id") {
		p.wrong = append(p.wrong, fmt.Sprintf("a refresh token %.10q that this client never got", text))
		p.mu.Unlock()
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	u := &killUse{token: t, arrived: now, instance: r.Header.Get(killtest.InstanceHeader)}
	u.delay, u.fate = p.chance()
	t.uses, p.uses = append(t.uses, u), append(p.uses, u)
	p.mu.Unlock()

	gone := r.Context().Done()
	left := int64(0)
	select {
	case <-time.After(u.delay):
	case <-gone:
		left = killtest.Now()
		time.Sleep(u.delay - time.Duration(left-now)) // it does not notice
	}
	p.answer(w, u, left)
}

// demandNonce refuses a proof whose nonce is not that of this second (RFC
// 9449 section 8).
func (p *killProvider) demandNonce(w http.ResponseWriter, r *http.Request, now int64) bool {
	proof := r.Header.Get("DPoP")
	if proof == "" {
		return false
	}
	nonce := fmt.Sprint("nonce-", now/int64(4*time.Second))
	w.Header().Set("DPoP-Nonce", nonce)
	var claims struct{ Nonce string }
	parts := strings.Split(proof, ".")
	if body, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)]); err == nil {
		json.Unmarshal(body, &claims)
	}
	if claims.Nonce == nonce {
		return false
	}
	p.mu.Lock()
	p.nonces++
	p.mu.Unlock()
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprint(w, `{"error":"use_dpop_nonce"}`)
	return true
}

// chance returns what happens to an answer. The caller holds p.mu.
func (p *killProvider) chance() (delay time.Duration, fate string) {
	n, quick := p.random.IntN(1000), time.Duration(p.random.IntN(40))*time.Millisecond
	switch {
	case p.calm:
		return 0, "answered"
	case n < 10:
		return quick, "lost"
	case n < 20:
		return quick, "502"
	case n < 30:
		return 4 * time.Second, "answered"
	case n < 34:
		return 12 * time.Second, "answered"
	}
	return quick, "answered"
}

// answer rotates, and sends what u is answered with.
func (p *killProvider) answer(w http.ResponseWriter, u *killUse, left int64) {
	p.mu.Lock()
	now := killtest.Now()
	status, body := p.redeem(u, now)
	u.ended = now
	if left != 0 {
		u.ended, u.fate = left, "gone"
	}
	if u.result == "refused" {
		u.fate = "answered"
	}
	fate := u.fate
	p.mu.Unlock()
	switch fate {
	case "lost", "gone":
		panic(http.ErrAbortHandler)
	case "502":
		status, body = http.StatusBadGateway, "<h1>Bad Gateway</h1>"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// redeem decides about a use, at the moment when the answer goes out. The caller
// holds p.mu.
func (p *killProvider) redeem(u *killUse, now int64) (status int, body string) {
	t, f := u.token, u.token.family
	mayReuse := strings.HasPrefix(f.kind, "reuse") && u.arrived <= t.rotated+int64(killReuse)
	switch {
	case f.revoked != 0:
		u.result = "refused"
	case t.rotated == 0:
		u.result, t.rotated = "rotated", now
	case mayReuse:
		u.result = "reused"
	default:
		u.result, f.revoked, f.by = "refused", now, u
	}
	if u.result == "refused" {
		return http.StatusBadRequest, `{"error":"invalid_grant"}`
	}
	access, refresh := p.issue(f, t.number+1)
	answer, _ := json.Marshal(map[string]any{
		"access_token": access, "refresh_token": refresh,
		"token_type": killtest.TokenType(f.kind), "expires_in": int(killTokenLife / time.Second),
	})
	return http.StatusOK, string(answer)
}
