package fapi_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing/iotest"
	"time"

	"example.com/authcode"
	op "example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// outcome is what came of a step.
type outcome struct {
	err    *authcode.Error
	login  *authcode.Login
	info   *oidc.TokenInfo
	status int // of the API
}

func (x *world) welcome(_ http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	x.came = append(x.came, outcome{login: login})
}

func (x *world) refuse(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	x.came = append(x.came, outcome{err: err})
	authcode.ErrorPage(w, r, err)
}

// roundTrip is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newBrowser visits the app; for the provider's pages authserver has another.
func (x *world) newBrowser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Transport: roundTrip(func(sent *http.Request) (*http.Response, error) {
		r, page := httptest.NewRequest(sent.Method, sent.URL.String(), sent.Body), httptest.NewRecorder()
		r.Header = sent.Header
		x.pages.ServeHTTP(page, r)
		if page.Code >= 400 {
			page.Header().Write(&x.shown)
			x.shown.Write(page.Body.Bytes())
		}
		x.page = page.Result()
		x.page.Request = r
		return x.page, nil
	})}
}

// visit opens one of the app's pages.
func (x *world) visit(browser *http.Client, path string) {
	must(x.srv.Visit(browser, must(http.NewRequest("GET", appURL+path, nil))))
}

// signIn takes the browser through a whole login, to a login or an error.
func (x *world) signIn() outcome {
	x.came = nil
	_, err := x.srv.SignIn(x.browser, appURL+"/login")
	if len(x.came) != 1 {
		x.t.Fatalf("the app saw %d logins and errors: %v", len(x.came), err)
	}
	return x.came[0]
}

// startElsewhere starts a login in another browser and returns its state.
func (x *world) startElsewhere() string {
	x.visit(x.newBrowser(), "/login")
	return x.lastState()
}

// lastState is that of the login that was started last.
func (x *world) lastState() string {
	pushed := x.srv.Requests(op.PAR)
	last := pushed[len(pushed)-1]
	signed, _ := last.RequestObject().Claims["state"].(string)
	return cmp.Or(last.Form.Get("state"), signed)
}

// finishPending sends what a forged response should have been: the login is
// still pending. A signed response cannot be put right here.
func (x *world) finishPending() {
	code := x.page.Request.URL.Query().Get("code")
	if x.cfg.MessageSigning.SignedResponses || !slices.Contains(x.srv.Issued(), code) {
		return
	}
	x.came = nil
	response := url.Values{"code": {code}, "state": {x.lastState()}, "iss": {x.srv.URL}}
	x.visit(x.browser, "/callback?"+response.Encode())
	if len(x.came) != 1 || x.came[0].login == nil {
		x.t.Errorf("the pending login cannot be finished any more: status %d", x.page.StatusCode)
	}
}

// signedIn begins what comes after a login.
func (x *world) signedIn() { x.login = x.mustDo(op.Token).login }

func (x *world) mustDo(step op.Place) outcome {
	got := x.do(step)
	if got.err != nil {
		x.t.Fatal(got.err)
	}
	return got
}

// do is a whole login, or a request after one.
func (x *world) do(step op.Place) (got outcome) {
	var err error
	switch ctx := x.t.Context(); step {
	case op.Token:
		return x.signIn()
	case op.PAR: // the beginning of a login
		x.visit(x.browser, "/login")
	case op.Refresh:
		got.login = new(authcode.Login)
		got.login.Token, err = x.client.Refresh(ctx, x.login.Token)
	case op.Revocation:
		err = x.client.Revoke(ctx, x.login.Token)
	case op.Introspection:
		introspect := oidc.Introspect
		if x.in.has("signing") {
			introspect = oidc.IntrospectSigned
		}
		got.info, err = introspect(ctx, x.client, x.login.Token.AccessToken, "")
	case op.Resource:
		got.status, err = x.callAPI(x.login)
	}
	if err != nil && !errors.As(err, &got.err) {
		x.t.Fatalf("an error of another kind: %v", err)
	}
	return got
}

// callAPI asks the API that the token is for.
func (x *world) callAPI(login *authcode.Login) (int, error) {
	origin := x.srv.URL
	if x.in.has("bound") {
		origin = cmp.Or(x.srv.MTLSURL, origin)
	}
	api := must(x.client.TokenSource(login.Token, nil).APIClient(origin))
	resp, err := api.Get(origin + "/resource/accounts?of=1")
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// giveUp has the app give up requests to the path of slow: those that get no
// answer when the provider has seen them, others in the middle of the answer.
func (x *world) giveUp(base http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if x.slow != r.URL.Path || !x.in.has("silent") && !x.in.has("slow") {
			return base.RoundTrip(r)
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if seen := len(x.srv.Requests()); x.in.has("silent") {
			go func() {
				for ctx.Err() == nil && len(x.srv.Requests()) == seen {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
		}
		resp, err := base.RoundTrip(r.Clone(ctx))
		if err != nil {
			return nil, context.DeadlineExceeded
		}
		defer resp.Body.Close()
		begin := must(io.ReadAll(io.LimitReader(resp.Body, 1)))
		late := iotest.ErrReader(context.DeadlineExceeded)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(begin), late))
		return resp, nil
	})
}
