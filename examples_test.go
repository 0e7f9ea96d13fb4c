package authcode_test

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// The examples sign in at a test server. An app names its provider and keeps
// its secrets elsewhere.

func ExampleNew() {
	_, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Name: "example",
			Endpoints: authcode.Endpoints{AuthURL: "https://provider.example/authorize",
				TokenURL: "http://provider.example/token"},
		},
		ClientID:    "client",
		ClientAuth:  authcode.Secret("the client secret"),
		RedirectURL: "https://app.example/auth/callback",
		CookieKeys:  [][]byte{make([]byte, 16)},
	})
	fmt.Println(err)
	// Output:
	// authcode: Provider.TokenURL must be https; http is for loopback (localhost, 127.0.0.0/8, ::1) only
	// authcode: Config.CookieKeys[0] has 16 bytes, want 32 or more: use random bytes, such as those of "openssl rand -hex 32"
}

// A single-page app asks for the URL as JSON and navigates there by itself.
func ExampleClient_AuthCodeURL() {
	client := exampleClient()
	start := func(w http.ResponseWriter, r *http.Request) {
		target, err := client.AuthCodeURL(w, r, authcode.ReturnTo("/cart"))
		if err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"url": target})
	}

	w := httptest.NewRecorder()
	start(w, httptest.NewRequest("POST", "https://app.example/api/login", nil))
	var answer struct{ URL string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		fmt.Println(err)
	}
	u, _ := url.Parse(answer.URL)
	fmt.Println(u.Host, u.Query().Get("code_challenge_method"))
	fmt.Println(w.Header().Get("Cache-Control"), len(w.Result().Cookies()))
	// Output:
	// provider.example S256
	// no-store 1
}

func ExampleParam() {
	target, err := exampleClient().AuthCodeURL(
		httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/auth", nil),
		authcode.Param("prompt", "login"),
		authcode.Param("resource", "https://a.example", "https://b.example"))
	if err != nil {
		fmt.Println(err)
		return
	}
	u, _ := url.Parse(target)
	fmt.Println(u.Query()["prompt"], u.Query()["resource"])
	// Output: [login] [https://a.example https://b.example]
}

// What the protocol sets itself cannot be replaced.
func ExampleParam_reserved() {
	_, err := exampleClient().AuthCodeURL(
		httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/auth", nil),
		authcode.Param("code_challenge_method", "plain"))
	fmt.Println(errors.Is(err, authcode.Configuration))
	// Output: true
}

// The link /auth?next=/cart brings people back to their cart. A link to
// anywhere else does not.
func ExampleConfig_returnToParam() {
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(mux)
	defer app.Close()
	provider := authtest.NewServer(app.URL + "/auth/callback")
	defer provider.Close()
	cfg := provider.Config()
	cfg.LoginURL = "/auth"
	client, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Mount(mux, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, _ := authcode.FromContext(r.Context())
		login.Redirect(w, r)
	}))

	for _, next := range []string{"/cart?page=2", "https://evil.example/", "//evil.example/"} {
		browser := app.Client()
		browser.Jar, _ = cookiejar.New(nil)
		resp, err := provider.SignIn(browser, app.URL+"/auth?next="+url.QueryEscape(next))
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.Header.Get("Location"))
	}
	// Output:
	// /cart?page=2
	// /
	// /
}

// One source for each stored token keeps it alive and stores it whenever it
// changes.
func ExampleClient_TokenSource() {
	client := exampleClient()
	stored := []byte(`{"access_token":"one","refresh_token":"r1","expiry":"2020-01-01T00:00:00Z"}`)

	token, err := authcode.UnmarshalToken(stored)
	if err != nil {
		fmt.Println(err)
		return
	}
	source := client.TokenSource(token, func(_ context.Context, t *oauth2.Token) error {
		b, err := authcode.MarshalToken(t)
		if err != nil {
			return err
		}
		stored = b // an app encrypts it and writes it to its database
		return nil
	})

	ctx := context.Background()
	for range 2 { // the second call has nothing to refresh
		token, err := source.Token(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(token.AccessToken, token.RefreshToken)
	}
	again, _ := authcode.UnmarshalToken(stored)
	fmt.Println("stored", again.AccessToken)
	// Output:
	// two r2
	// two r2
	// stored two
}

// A caller acts on the reason of a failure.
func ExampleReason() {
	_, err := exampleClient().Exchange(httptest.NewRecorder(),
		httptest.NewRequest("GET", "https://app.example/auth/callback?code=c&state=made-up", nil))
	switch {
	case errors.Is(err, authcode.Denied):
		fmt.Println("the person said no")
	case errors.Is(err, authcode.Forged):
		var e *authcode.Error
		errors.As(err, &e)
		fmt.Println(e.Reason.Status(), e.Check)
	default:
		fmt.Println(err)
	}
	// Output: 400 state.form
}

// OnError is the place to log failed logins and to count them. The error is
// safe to log.
func ExampleConfig_onError() {
	cfg := exampleConfig()
	logger := slog.New(slog.NewTextHandler(os.Stdout,
		&slog.HandlerOptions{ReplaceAttr: withoutTimes}))
	cfg.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
		logger.Warn("login failed", "error", err)
		authcode.ErrorPage(w, r, err)
	}
	client, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}

	w := httptest.NewRecorder()
	client.CallbackHandler(http.NotFoundHandler()).ServeHTTP(w,
		httptest.NewRequest("GET", "https://app.example/auth/callback?code=c", nil))
	fmt.Println(w.Code)
	// Output:
	// level=WARN msg="login failed" error.reason=malformed error.check=callback.state error.provider=example error.text="authcode: example: malformed (callback.state): the callback has no state, so it is forged or incomplete: ignore it, unless every login fails"
	// 400
}

// Observe counts what a Client does, here with expvar. A time of each operation is
// what a histogram of Prometheus needs, too.
func ExampleConfig_observe() {
	var counts, seconds expvar.Map // an app publishes them with expvar.NewMap
	cfg := exampleConfig()
	cfg.Observe = func(
		ctx context.Context, op authcode.Operation,
	) (context.Context, func(*authcode.Error)) {
		name, began := op.Provider+" "+string(op.Kind), time.Now()
		return ctx, func(e *authcode.Error) {
			seconds.AddFloat(name, time.Since(began).Seconds())
			outcome := "ok"
			if e != nil {
				outcome = string(e.Reason)
			}
			counts.Add(name+" "+outcome, 1)
		}
	}
	client, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}

	mux := http.NewServeMux()
	mux.Handle("/auth", client.LoginHandler())
	mux.Handle("/auth/callback", client.CallbackHandler(http.NotFoundHandler()))
	for _, path := range []string{"/auth", "/auth", "/auth/callback?error=access_denied&state=made-up"} {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example"+path, nil))
	}
	fmt.Println(counts.String())
	// Output: {"example callback forged": 1, "example start ok": 2}
}

// withoutTimes drops what differs from run to run.
func withoutTimes(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func exampleConfig() authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{
			Name: "example",
			Endpoints: authcode.Endpoints{AuthURL: "https://provider.example/authorize",
				TokenURL: "https://provider.example/token"},
		},
		ClientID:    "client",
		ClientAuth:  authcode.Secret("the client secret"),
		RedirectURL: "https://app.example/auth/callback",
		CookieKeys:  [][]byte{[]byte("32 random bytes, kept like a password")},
		Wrap: world.Through(world.Answering(200,
			`{"access_token":"two","refresh_token":"r2","token_type":"Bearer","expires_in":3600}`)),
	}
}

func exampleClient() *authcode.Client {
	client, err := authcode.New(exampleConfig())
	if err != nil {
		panic(err)
	}
	return client
}
