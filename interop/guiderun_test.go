package interop

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode/authtest"
	"github.com/aws/aws-lambda-go/events"
)

// guided is a guide's program, with its provider and a browser.
type guided struct {
	*testing.T
	srv     *authtest.Server
	base    string
	browser *http.Client
}

// runGuide starts the program of a guide.
func runGuide(t *testing.T, binary, name string) *guided {
	address := freeAddress(t)
	g := &guided{T: t, base: "http://" + address, browser: plainBrowser(t, "")}
	isSecure := name == "form_post" // its cookie is Secure
	if isSecure {
		g.base = https(t, address)
	}
	g.srv = authtest.NewServer(g.base + "/callback")
	t.Cleanup(g.srv.Close)
	g.srv.Register(authtest.Registration{
		ClientID: "app", ClientSecret: appSecret, RedirectURLs: []string{
			g.base + "/callback", g.base + "/auth/google/callback", g.base + "/auth/github/callback",
			g.base + "/auth/apple/callback",
		},
		PostLogoutRedirectURLs: []string{g.base + "/signed-out"},
	})
	env := []string{"GUIDE=" + name, "ADDRESS=" + address, "BASE=" + g.base, "ISSUER=" + g.srv.URL}
	if isSecure {
		env = append(env, "SSL_CERT_FILE="+trust(t, g.srv))
	}
	if name == "Lambda" {
		env = append(env, "AWS_LAMBDA_RUNTIME_API="+lambdaRuntime(t, address))
	}
	startProgram(t, binary, address, env...)
	return g
}

// invocation is an event on its way to a function, and what comes back.
type invocation struct {
	event  events.APIGatewayV2HTTPRequest
	answer chan events.APIGatewayV2HTTPResponse
}

// lambdaRuntime is the runtime API of AWS Lambda, from which a function takes its events. Requests to address become
// events, one at a time.
func lambdaRuntime(t *testing.T, address string) (api string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	waiting, running := make(chan invocation), make(chan invocation, 1)
	serveOn(t, l, functionURL(func(
		ctx context.Context, event events.APIGatewayV2HTTPRequest,
	) (resp events.APIGatewayV2HTTPResponse, err error) {
		i := invocation{event, make(chan events.APIGatewayV2HTTPResponse, 1)}
		select {
		case waiting <- i:
		case <-ctx.Done():
			return resp, ctx.Err()
		}
		return <-i.answer, nil
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case i := <-waiting:
			running <- i
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "9999999999999")
			json.NewEncoder(w).Encode(i.event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/", func(w http.ResponseWriter, r *http.Request) {
		var resp events.APIGatewayV2HTTPResponse
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasSuffix(r.URL.Path, "/response") || json.Unmarshal(body, &resp) != nil {
			t.Errorf("the function answers at %s: %s (%v)", r.URL.Path, body, err)
		}
		(<-running).answer <- resp
		w.WriteHeader(http.StatusAccepted)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func linkIdentities(g *guided) {
	g.wantAccount("account of alice")
	target, _ := g.ask("POST", "/link/it", nil, 303)
	g.srv.SetUser("bob")
	g.signIn(target)
	g.browser = plainBrowser(g.T, "")
	g.wantAccount("Bob Example account of alice")
	target, _ = g.ask("POST", "/link/it", nil, 303)
	g.srv.SetUser("carol")
	g.signIn("/login") // in another tab
	g.srv.SetUser("bob")
	resp, err := g.srv.SignIn(g.browser, target)
	if err != nil || resp.StatusCode != http.StatusConflict {
		g.Fatal(resp, err)
	}
	resp.Body.Close()
	target, _ = g.ask("POST", "/link/it", nil, 303)
	g.srv.SetConsent(authtest.Deny)
	resp, err = g.srv.SignIn(g.browser, target)
	if err != nil || resp.StatusCode != http.StatusForbidden {
		g.Fatal(resp, err)
	}
	defer resp.Body.Close()
	if page, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(page), `href="/account"`) {
		g.Errorf("the page of a linking that failed does not lead back: %s, %v", page, err)
	}
}
