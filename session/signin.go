package session

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/wire"
)

// Signer signs people in: an [authcode.Client], or the registry of package
// tenants.
type Signer interface {
	// RedirectURL is an absolute URL of the handler that gets the logins. It is
	// empty if nobody can sign in.
	RedirectURL() string

	// Refuse answers a request whose login was refused.
	Refuse(w http.ResponseWriter, r *http.Request, err error)

	// ClientFor returns the Client whose tokens come from o, or nil if it has
	// none. If o is zero, it returns the only Client. If its error is
	// GrantRejected and Final, the grants from there end. It is called for each
	// renewal, and if o has a Tenant for each request.
	ClientFor(ctx context.Context, o authcode.Origin) (*authcode.Client, error)
}

// SignIn returns the handler for [authcode.Client.Mount] and CallbackHandler: it
// starts a session after each login of by, and sends the person back to where
// the login began. It does what [Sessions.Start] does; failures go to
// [authcode.Client.Refuse]. It panics if by is nil or a worker's.
func (s *Sessions) SignIn(by Signer) http.Handler {
	if by == nil || by.RedirectURL() == "" {
		panic("session: SignIn needs a Client that signs people in: look at the error of authcode.New")
	}
	s.know(by)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, ok := authcode.FromContext(r.Context())
		if !ok {
			by.Refuse(w, r, authcode.NewError(authcode.Configuration, "session.sign_in",
				"SignIn was called without a login: pass it to Client.Mount or CallbackHandler", nil))
			return
		}
		client := login.Client()
		err := s.Start(w, r, client, login)
		notice, isNotice := errors.AsType[*noticeError](err)
		switch {
		case err == nil:
			login.Redirect(w, r)
		case isNotice:
			s.showRefused(w, r, login, notice)
		default:
			client.Refuse(w, r, err)
		}
	})
}

// Start starts a session after a login of client, for frameworks with other
// handlers. It stores the grant and the session, ends the one that this browser
// had, and sets the cookie: __Host-Http-session if the Client's RedirectURL is
// https, else session. A second cookie, which lives for 30 seconds, tells
// Require that somebody has just signed in. On http, the cookies count once
// SignIn or Start got a Client of http: call SignIn when the app starts, even if
// nothing serves the handler, and sessions outlive a restart. Start writes no
// body. A login whose claims and scopes have about 1 MiB is refused with
// [authcode.BadAnswer]. If it returns an error, there is no new session, and the
// former one stays as it was.
func (s *Sessions) Start(
	w http.ResponseWriter, r *http.Request, client *authcode.Client, login *authcode.Login,
) error {
	setHeaders(w)
	s.knowScheme(client.RedirectURL())
	ctx := r.Context()
	former, err := s.find(r, 0)
	if err == nil {
		err = s.start(ctx, w, r, client, login, former)
	}
	if err != nil {
		s.observe(ctx, Event{Kind: Refused, Provider: login.Provider, Err: err})
	}
	return err
}

func (s *Sessions) start(
	ctx context.Context, w http.ResponseWriter, r *http.Request, client *authcode.Client,
	login *authcode.Login, former *opened,
) error {
	conn, err := client.Connection(ctx)
	if err != nil {
		return err
	}
	c, life, err := s.newContent(r, conn, login)
	if err != nil {
		return err
	}
	if err := s.accept(r, login, c); err != nil {
		return err
	}
	// A new id always: somebody else may know one that the browser had before.
	id := newID()
	// Grant and session are stored before the person goes on: the next request
	// may arrive at another instance.
	if c.Grant, err = s.grants.Save(ctx, client, login); err != nil {
		return err
	}
	// Of the monotonic clock, so that it stays true while the store works.
	began := time.Now().Add(-conn.Config.Clock.Now().Sub(login.Started))
	if err := s.create(ctx, keyOf(id), c, life, began, former); err != nil {
		return err
	}
	if err := s.keepGrant(ctx, keyOf(id), c, client, login); err != nil {
		return err
	}
	if former != nil {
		// If this fails, the session ends with time. The browser loses it now.
		s.end(ctx, former, BySignIn)
	}
	s.giveCookies(w, id, strings.HasPrefix(conn.Config.RedirectURL, "https:"))
	s.observe(ctx, Event{Kind: SignedIn, Provider: login.Provider})
	return nil
}

// maxContent leaves room for Account and Values in the 1 MiB that a Store takes.
const maxContent = 1<<20 - 16<<10

// accept asks what the login was begun for, and the app.
func (s *Sessions) accept(r *http.Request, login *authcode.Login, c *content) (err error) {
	if len(c.encode()) > maxContent {
		return authcode.NewError(authcode.BadAnswer, "session.size",
			"the claims and scopes of one person have about 1 MiB: report it to the provider", nil)
	}
	if err := s.checkFresh(login, c); err != nil || s.cfg.SignedIn == nil {
		return err
	}
	c.Account, err = s.cfg.SignedIn(r, login)
	return err
}

// keepGrant saves the grant of a new session again if that has ended meanwhile.
// Where logins share a grant, another browser's sign-out ends it until the
// session is stored.
func (s *Sessions) keepGrant(
	ctx context.Context, key grant.Key, c *content, client *authcode.Client, login *authcode.Login,
) error {
	_, err := s.grants.Open(ctx, c.Grant)
	if err == nil || !errors.Is(err, authcode.GrantRejected) || isSealed(err) {
		return nil // a grant that cannot be read now may be there
	}
	o := &opened{content: c, record: grant.Record{Key: key}}
	id, err := s.grants.Save(ctx, client, login)
	if err != nil {
		s.remove(ctx, o, false)
		return err
	}
	if id != c.Grant {
		// Nobody shares it, so it has ended with the session.
		return s.detached(ctx, s.grants.Handle(id).Delete)
	}
	// If the session has ended, too, nobody else ends the grant.
	if now, err := s.load(ctx, key, 0); now == nil && err == nil {
		return s.remove(ctx, o, false)
	}
	return nil
}

// newContent reads what a session keeps of a login, and how long it can last.
func (s *Sessions) newContent(
	r *http.Request, conn *authcode.Connection, login *authcode.Login,
) (*content, time.Duration, error) {
	c := &content{
		Origin: conn.Origin(), Handle: newID()[:22], Provider: login.Provider,
		Scopes: strings.Join(login.Scopes, " "), AuthAge: -1, Issuer: conn.Config.Provider.Issuer,
		Label: s.labelOf(r),
	}
	life, now := s.cfg.Lifetime, conn.Config.Clock.Now()
	if id := login.Identity; id != nil {
		c.Issuer, c.Subject = id.Issuer, id.Subject
		c.SID, _ = id.Claims["sid"].(string)
		c.ACR, _ = id.Claims["acr"].(string)
		if at, ok := claimTime(id.Claims["auth_time"]); ok {
			c.AuthAge = max(now.Sub(at), 0).Milliseconds()
		}
		// IPSIE SL1: the session ends by then, whatever the app's own rules.
		if raw, present := id.Claims["session_expiry"]; present {
			at, ok := claimTime(raw)
			if !ok {
				return nil, 0, errExpiry()
			}
			life = min(life, at.Sub(now))
		}
		who, err := wire.Marshal(id)
		if err != nil {
			return nil, 0, authcode.NewError(authcode.Configuration, "session.claims",
				"an Identity has claims that cannot be stored: keep what JSON can express", nil)
		}
		c.Identity = string(who)
	}
	if life <= 0 {
		return nil, 0, authcode.NewError(authcode.Expired, "session.expired", "by session_expiry the "+
			"session has ended already: start again, and compare this host's clock with the provider's", nil)
	}
	// Millisecond by millisecond, as a store may count.
	life = max(life.Truncate(time.Millisecond), time.Millisecond)
	c.Life = life.Milliseconds()
	return c, life, nil
}

// errExpiry is the error of a session_expiry that cannot be read.
func errExpiry() error {
	return authcode.NewError(authcode.IdentityRefused, "session.expiry",
		"session_expiry is not a number of seconds: report it to the provider", nil)
}

// claimTime reads a time in seconds since 1970.
func claimTime(claim any) (time.Time, bool) {
	var seconds float64
	switch v := claim.(type) {
	case json.Number:
		seconds, _ = v.Float64() // what is not a number is out of range, too
	case float64: // an app's own Identity
		seconds = v
	default:
		return time.Time{}, false
	}
	// A number beyond 2^38 seconds (the year 10680) is not a time, and a
	// time.Duration could not hold the difference.
	if !(seconds > 0 && seconds < 1<<38) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// create stores a new session whose login began at that time. If it fails,
// nothing is left of the session and its grant.
func (s *Sessions) create(
	ctx context.Context, key grant.Key, c *content, life time.Duration, began time.Time,
	former *opened,
) error {
	r := grant.Record{Key: key, Version: newVersion()}
	r.Content = s.sealed(key, r.Version, c, life)
	o := &opened{content: c, record: r, asked: time.Now()}
	err := s.cfg.Store.Create(ctx, r)
	if err != nil {
		err = s.storeFailed(ctx, err)
	} else {
		err = s.admit(ctx, o, began, former)
	}
	if err != nil {
		// The store may have executed what it reported as failed.
		s.remove(ctx, o, false)
	}
	return err
}

// admit refuses a session that is stored already: if End was called since the
// login began, or if the person has too many. Only a stored session can be found
// by an End that comes now.
func (s *Sessions) admit(ctx context.Context, o *opened, began time.Time, former *opened) error {
	marked, err := s.isMarked(ctx, o.content, began.Add(-skew))
	switch {
	case err != nil:
		return err
	case marked:
		return &noticeError{
			authcode.NewError(authcode.Expired, "session.ended_meanwhile",
				"the person's sessions were ended while this login was under way: start again", nil),
			"You were signed out",
			"Your sessions on this site were ended a moment ago, and this sign-in with them. Please " +
				"wait for a minute and start again.",
		}
	case s.cfg.MaxSessions == 0 || o.Subject == "":
		return nil
	}
	return s.takePlace(ctx, o, former)
}
