package interop

import (
	"context"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/session"
	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/labstack/echo/v4"
)

// routed are the handlers that the guide about routers mounts.
type routed struct {
	login, callback, account, logout http.Handler
	require                          func(http.Handler) http.Handler
}

// own is what a handler in a router's own style answers behind a guard.
func own(ctx context.Context) string {
	return "own " + session.FromContext(ctx).Identity().Subject
}

func ownHandler(w http.ResponseWriter, r *http.Request) { io.WriteString(w, own(r.Context())) }

// routers mount them as the guide says. TestGuides runs what the guide shows.
var routers = []struct {
	name  string
	serve func(t *testing.T, l net.Listener, h routed)
}{
	{"net/http", func(t *testing.T, l net.Listener, h routed) {
		mux := http.NewServeMux()
		mux.Handle("/login", h.login)
		mux.Handle("/callback", h.callback)
		mux.Handle("GET /account", h.account)
		mux.Handle("GET /own", h.require(http.HandlerFunc(ownHandler)))
		mux.Handle("POST /logout", h.logout)
		serveOn(t, l, mux)
	}},
	{"chi", func(t *testing.T, l net.Listener, h routed) {
		r := chi.NewRouter()
		r.Handle("/login", h.login)
		r.Handle("/callback", h.callback)
		r.Method("GET", "/account", h.account)
		r.With(h.require).HandleFunc("/own", ownHandler)
		r.Method("POST", "/logout", h.logout)
		serveOn(t, l, r)
	}},
	{"gin", func(t *testing.T, l net.Listener, h routed) {
		gin.SetMode(gin.ReleaseMode)
		r := gin.New()
		r.GET("/login", gin.WrapH(h.login))
		r.GET("/callback", gin.WrapH(h.callback))
		r.GET("/account", gin.WrapH(h.account))
		r.Group("/", ginGuard(h.require)).GET("/own", func(c *gin.Context) {
			c.String(http.StatusOK, own(c.Request.Context()))
		})
		r.POST("/logout", gin.WrapH(h.logout))
		serveOn(t, l, r)
	}},
	{"echo", func(t *testing.T, l net.Listener, h routed) {
		e := echo.New()
		e.GET("/login", echo.WrapHandler(h.login))
		e.GET("/callback", echo.WrapHandler(h.callback))
		e.GET("/account", echo.WrapHandler(h.account))
		e.Group("", echo.WrapMiddleware(h.require)).GET("/own", func(c echo.Context) error {
			return c.String(http.StatusOK, own(c.Request().Context()))
		})
		e.POST("/logout", echo.WrapHandler(h.logout))
		serveOn(t, l, e)
	}},
	{"fiber", func(t *testing.T, l net.Listener, h routed) {
		app := fiber.New(fiber.Config{ReadTimeout: 10 * time.Second})
		app.Get("/login", adaptor.HTTPHandler(h.login))
		app.Get("/callback", adaptor.HTTPHandler(h.callback))
		app.Get("/account", adaptor.HTTPHandler(h.account))
		app.Get("/own", adaptor.HTTPMiddleware(h.require), func(c fiber.Ctx) error {
			return c.SendString(own(c.RequestCtx()))
		})
		app.Post("/logout", adaptor.HTTPHandler(h.logout))
		go app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
		t.Cleanup(func() { app.Shutdown() })
	}},
	{"Lambda", func(t *testing.T, l net.Listener, h routed) {
		mux := http.NewServeMux()
		mux.Handle("/login", h.login)
		mux.Handle("/callback", h.callback)
		mux.Handle("GET /account", h.account)
		mux.Handle("GET /own", h.require(http.HandlerFunc(ownHandler)))
		mux.Handle("POST /logout", h.logout)
		serveOn(t, l, functionURL(httpadapter.NewV2(mux).ProxyWithContext))
	}},
}

func ginGuard(require func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		signedIn := false
		require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			signedIn, c.Request = true, r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !signedIn {
			c.Abort()
		}
	}
}

func serveOn(t *testing.T, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
}

// functionURL turns requests into the events of a function URL, as AWS does, and
// answers back into answers.
func functionURL(
	invoke func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error),
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event := events.APIGatewayV2HTTPRequest{
			RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Headers: map[string]string{"host": r.Host},
			Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true,
		}
		for name, values := range r.Header {
			if name == "Cookie" {
				event.Cookies = strings.Split(strings.Join(values, "; "), "; ")
			} else {
				event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
			}
		}
		event.RequestContext.HTTP.Method = r.Method
		event.RequestContext.HTTP.Path = r.URL.Path
		event.RequestContext.DomainName = r.Host
		resp, err := invoke(r.Context(), event)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for name, value := range resp.Headers {
			w.Header().Set(name, value)
		}
		for _, cookie := range resp.Cookies {
			w.Header().Add("Set-Cookie", cookie)
		}
		w.WriteHeader(resp.StatusCode)
		io.WriteString(w, resp.Body)
	})
}

// TestRouters signs in and out behind each router: a guarded page leads to the
// provider and back to itself.
func TestRouters(t *testing.T) {
	for _, row := range routers {
		t.Run(row.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			base := "http://" + l.Addr().String()
			srv := authtest.NewServer(base + "/callback")
			defer srv.Close()
			row.serve(t, l, newRouted(t, srv))
			keepsOut(t, base)
			throughRouter(t, srv, base)
		})
	}
}

func newRouted(t *testing.T, srv *authtest.Server) routed {
	cfg := srv.Config()
	cfg.LoginURL = "/login"
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New(session.Config{Keys: cfg.CookieKeys, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	account := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "signed in as "+session.FromContext(r.Context()).Identity().Subject+r.URL.RawQuery)
	})
	return routed{
		login: client.LoginHandler(), callback: client.CallbackHandler(sessions.SignIn(client)),
		account: sessions.Require(account), logout: sessions.SignOut(), require: sessions.Require,
	}
}

// keepsOut: the guard answers in place of the handler.
func keepsOut(t *testing.T, base string) {
	stranger := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := stranger.Get(base + "/own")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Location") != "/login?next=%2Fown" || strings.Contains(string(body), "own ") {
		t.Errorf("a stranger gets %d %q %q, %v", resp.StatusCode, resp.Header.Get("Location"), body, err)
	}
}

func throughRouter(t *testing.T, srv *authtest.Server, base string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), srv.URL+"/logout") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	ask := func(method, path string) (int, string) {
		r := httptest.NewRequest(method, base+path, nil)
		r.RequestURI = ""
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if status, body := ask("GET", "/account?x=1"); status != 200 || !strings.HasPrefix(body, "signed in as ") ||
		!strings.HasSuffix(body, "x=1") {
		t.Fatalf("the guarded page answers %d %q", status, body)
	}
	if status, body := ask("GET", "/own"); status != 200 || !strings.HasPrefix(body, "own ") || body == "own " {
		t.Errorf("the router's own handler answers %d %q", status, body)
	}
	logins := len(srv.Requests("/authorize"))
	if status, _ := ask("POST", "/logout"); status != http.StatusSeeOther {
		t.Errorf("the sign-out answers %d", status)
	}
	ask("GET", "/account")
	if n := len(srv.Requests("/authorize")); n != logins+1 {
		t.Errorf("after the sign-out the provider was asked %d times, want once", n-logins)
	}
}
