package authcode

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/once"
	pages "example.com/authcode/internal/page"
)

// With form_post the provider's page makes the browser post the answer from
// another site. Browsers leave the app's Lax cookies out of such a request, so
// the app would not see its own session. So the POST is checked and its answer
// kept in the login's cookie, and a request of the app's own origin finishes the
// login: a GET, or the POST of a page if the answer does not fit.

const (
	answerLifetime  = time.Minute
	maxAnswerCookie = 4000 // bytes of name and value; browsers keep 4,096

	// answerParam is the query parameter of the finishing request.
	answerParam = "login"

	// answerMark begins the value of a cookie with an answer. Base64 does not
	// use it, so the value of a pending login never begins with it.
	answerMark = "."

	// answerVersion differs from cookieVersion, so that neither can be read as
	// the other.
	answerVersion = 0x81
)

// isFirstPost reports whether r is the provider's form, and not the app's own.
func (c *Client) isFirstPost(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	// Another site may post to this URL, too, and would not bring the app's
	// session.
	return !r.URL.Query().Has(answerParam) || isOfAnotherSite(r)
}

// isAnswered reports whether the answer to the state param is kept already, or
// may be. Then the finishing request decides.
func (c *Client) isAnswered(r *http.Request, param string) (name string, ok bool) {
	if !c.cfg.Provider.FormPost {
		return "", false
	}
	s, _ := parseState(param)
	k, id := c.sealerFor(&s)
	if k == nil {
		return "", false
	}
	name = c.cookieName(s.started(), id)
	switch value, count := headers.Cookie(r, name); count {
	case 1:
		return name, strings.HasPrefix(value, answerMark)
	case 0:
		// After a double click, the browser has the cookie of the first POST. It
		// is Lax, so it does not come with the second. The second POST may have
		// made the browser drop the request that redeems the code.
		before := redeemed.Used.Outcome(id)
		return name, c.isFirstPost(r) && c.isFresh(&s) && !s.onOtherHost() &&
			(before == once.Unused || before == once.Running)
	}
	return "", false
}

// keepAnswer puts params into the login's cookie and sends the browser to
// finish the login.
func (c *Client) keepAnswer(
	w http.ResponseWriter, r *http.Request, a *attempt, params url.Values,
) error {
	name := a.name
	value, ok := c.sealWithin(maxAnswerCookie, name+answerMark, c.marshalAnswer(a, params))
	if !ok {
		return c.answerPage(w, r, name)
	}
	// Under its own name, so that it replaces the cookie that a cross-site POST
	// could bring. Lax: from now on no other site can send it.
	setCookie(w, nil, cookieText(name, answerMark+value, answerLifetime, attributesLax))
	return c.toAnswer(w, name)
}

// toAnswer redirects to the request that finishes the login.
func (c *Client) toAnswer(w http.ResponseWriter, name string) error {
	redirect(w, c.answerURL(name))
	return errorf(Continued, "callback.form_post", "the login goes on with a GET of this origin")
}

// answerURL is relative, so that the path is the one that the browser knows,
// whatever a proxy makes of it. It has no state and no code.
func (c *Client) answerURL(name string) string {
	redirect, _ := url.Parse(c.cfg.RedirectURL) // New has checked it
	query := "?"
	// Not the request's query: anybody may have added to it.
	if redirect.RawQuery != "" {
		query += redirect.RawQuery + "&"
	}
	return query + answerParam + "=" + nameID(name)
}

// marshalAnswer returns version, time, attempt and parameters.
func (c *Client) marshalAnswer(a *attempt, params url.Values) []byte {
	b := []byte{answerVersion}
	b = binary.AppendVarint(b, c.cfg.Clock.Now().Unix())
	b = appendText(b, string(a.marshal(nil)))
	for _, key := range slices.Sorted(maps.Keys(params)) {
		b = appendText(appendText(b, key), params.Get(key))
	}
	return b
}

// unmarshalAnswer reads what marshalAnswer wrote.
func (c *Client) unmarshalAnswer(b []byte) (*attempt, url.Values, time.Time, error) {
	if len(b) == 0 || b[0] != answerVersion {
		return nil, nil, time.Time{}, errCookie
	}
	r := reader{rest: b[1:]}
	kept := time.Unix(r.varint(), 0)
	a, err := unmarshalAttempt([]byte(r.text()), c.scopes)
	params := url.Values{}
	for len(r.rest) > 0 && !r.bad {
		key := r.text()
		params.Set(key, r.text())
	}
	if r.bad || err != nil {
		return nil, nil, kept, errCookie
	}
	return a, params, kept, nil
}

// openAnswer opens the answer that the login parameter of query names.
func (c *Client) openAnswer(r *http.Request, query url.Values) (*attempt, url.Values, error) {
	if err := checkAnswerQuery(query); err != nil {
		return nil, nil, err
	}
	cookie, err := c.answerCookie(r, query.Get(answerParam))
	if err != nil {
		return nil, nil, err
	}
	value := strings.TrimPrefix(cookie.Value, answerMark)
	for _, k := range c.sealers {
		// The signature covers name and mark: a cookie of another login, or one
		// without an answer, cannot pass for this one.
		plain, err := k.open(cookie.Name+answerMark, value)
		if err != nil {
			continue
		}
		a, params, kept, err := c.unmarshalAnswer(plain)
		if err != nil {
			break
		}
		a.name = cookie.Name
		a.started, a.id, _ = c.parseCookieName(cookie.Name) // answerCookie has checked it
		if err := c.checkTenant(a); err != nil {
			return nil, nil, err
		}
		// Max-Age does not bind a thief. The POST has checked the login's age.
		if c.cfg.Clock.Now().Sub(kept) > answerLifetime+clockSkew {
			return a, nil, errorf(Expired, "login.age", "the provider's answer waited for more than "+
				"a minute: start again")
		}
		return a, params, nil
	}
	return nil, nil, errorf(Forged, "cookie.seal", "the cookie with the provider's answer was "+
		"changed, or sealed with another key: check whether CookieKeys changed")
}

// checkAnswerQuery refuses parameters of an answer in the finishing request. The
// kept answer has passed the checks, and another one must not come beside it.
func checkAnswerQuery(query url.Values) error {
	for key := range query {
		if isReserved(key) || key == "response" {
			return errorf(Malformed, "callback.login", "the request has both a kept answer and "+
				"parameters of another one, so this app did not redirect here: start again")
		}
	}
	return checkRepeats(query)
}

// answerCookie finds the cookie whose name ends with id.
func (c *Client) answerCookie(r *http.Request, id string) (found *http.Cookie, err error) {
	for _, cookie := range c.loginCookies(r) {
		if !c.isOwn(cookie.Name) || nameID(cookie.Name) != id {
			continue
		}
		if found != nil {
			return nil, errorf(Malformed, "cookie.repeated", "the login cookie came more than once: "+
				"see what else sets cookies for this host")
		}
		found = cookie
	}
	if found == nil {
		// The page of the finishing request was reloaded. The id is of no use
		// without the cookie, so it may choose the words of the error.
		if before := redeemed.Used.Outcome(parseID(id)); before != once.Unused {
			return nil, c.usedError(before)
		}
		return nil, errorf(NoLogin, "cookie.missing", "this browser has no such login, as it has ended, "+
			"cookies are blocked or the link came from another browser: start again, with cookies")
	}
	if !strings.HasPrefix(found.Value, answerMark) {
		return nil, errorf(Malformed, "callback.login",
			"the provider has not answered this login yet: start again")
	}
	return found, nil
}

// formPostHTML is a page with a form, with names in braces for what answerPage
// fills in.
//
//go:embed formpost.html
var formPostHTML string

// formPostPolicy allows the page's own style and script, and nothing else.
var formPostPolicy = sync.OnceValue(func() string {
	hash := func(element string) string {
		_, text, _ := strings.Cut(formPostHTML, "<"+element+">")
		text, _, _ = strings.Cut(text, "</"+element+">")
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	// Browsers apply form-action to the redirects after the form, too. Where the
	// app sends people after a login is its own affair.
	return "default-src 'none'; style-src " + hash("style") + "; script-src " + hash("script") +
		"; base-uri 'none'; form-action 'self' https:; frame-ancestors 'none'"
})

// answerPage answers with a page that posts the same form again, from the app's
// own origin.
func (c *Client) answerPage(w http.ResponseWriter, r *http.Request, name string) error {
	var fields strings.Builder
	for _, key := range slices.Sorted(maps.Keys(r.PostForm)) {
		fields.WriteString(`<input type="hidden" name="` + pages.Escape(key) + `" value="` +
			pages.Escape(r.PostForm.Get(key)) + `">`)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", formPostPolicy())
	h.Set("Content-Type", "text/html; charset=utf-8")
	// With no-referrer the form would come with "Origin: null".
	h.Set("Referrer-Policy", "same-origin")
	strings.NewReplacer("{action}", pages.Escape(c.answerURL(name)),
		"{fields}", fields.String()).WriteString(w, formPostHTML)
	return errorf(Continued, "callback.form_post", "the login goes on with a form of this origin")
}
