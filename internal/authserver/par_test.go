package authserver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// push sends an authorization request of client basic to the PAR endpoint.
func (t *tester) push(edits ...string) answer {
	t.Helper()
	return t.post("/par", "basic:s3cret", authParams(edits...))
}

// open sends a browser to the authorization endpoint with these parameters alone.
func (t *tester) open(params ...string) (*http.Response, string) {
	t.Helper()
	resp, err := t.http.Get(t.srv.URL + "/authorize?" + change(url.Values{}, params...).Encode())
	return t.read(resp, err)
}

func TestPushedRequest(t *testing.T) {
	x := newTester(t)
	a := x.push()
	uri := a.text("request_uri")
	if a.status != http.StatusCreated || a.body["expires_in"] != 60.0 ||
		!strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") ||
		a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("answered %d %s", a.status, a.raw)
	}
	resp, _ := x.open("client_id=basic", "request_uri="+uri)
	got := x.response(resp)
	if got.Get("state") != "st&te =" || got.Get("iss") != x.srv.URL {
		t.Errorf("response %v", got)
	}
	if b := x.post("/token", "basic:s3cret", redemption(got.Get("code"))); b.status != 200 {
		t.Errorf("the code is refused: %s", b.raw)
	}
	// One use only, and no redirect for one that is used up.
	if resp, _ := x.open("client_id=basic", "request_uri="+uri); resp.StatusCode != 400 {
		t.Errorf("the second use is answered %s", resp.Status)
	}
	seen := x.srv.Requests(authserver.PAR)
	if len(seen) != 1 || seen[0].ClientAuth != authserver.Basic || seen[0].Form.Get("state") != "st&te =" {
		t.Errorf("recorded %+v", seen)
	}
}

func TestPushedRequestsThatAreRefused(t *testing.T) {
	x := newTester(t)
	for name, row := range map[string]struct{ edit, want string }{
		"another client_id":          {"client_id=post", "invalid_request"},
		"no client_id":               {"-client_id", "invalid_request"},
		"a request_uri":              {"request_uri=urn:x", "invalid_request"},
		"another redirect URI":       {"redirect_uri=https://evil.example", "invalid_request"},
		"no challenge":               {"-code_challenge", "invalid_request"},
		"another response type":      {"response_type=token", "unsupported_response_type"},
		"a malformed scope":          {"scope=a\"b", "invalid_scope"},
		"a repeated parameter":       {"scope+=x", "invalid_request"},
		"a malformed dpop_jkt":       {"dpop_jkt=x", "invalid_request"},
		"details that are no array":  {`authorization_details={"type":"a"}`, "invalid_authorization_details"},
		"details without type":       {`authorization_details=[{"x":1}]`, "invalid_authorization_details"},
		"details with members twice": {`authorization_details=[{"type":"a","type":"b"}]`, "invalid_authorization_details"},
		"no details":                 {`authorization_details=[]`, "invalid_authorization_details"},
		"a relative resource":        {"resource=/api", "invalid_target"},
		"a resource with fragment":   {"resource=https://a.example/#x", "invalid_target"},
		"an empty resource":          {"resource=", "invalid_target"},
		"a request object":           {"request=x", "request_not_supported"},
	} {
		t.Run(name, func(t *testing.T) {
			x.wantError(x.push(row.edit), http.StatusBadRequest, row.want)
		})
	}
	x.wantError(x.post("/par", "basic:wrong", authParams()), 401, "invalid_client")
	if a := x.do(mustRequest(t, http.MethodGet, x.srv.URL+"/par")); a.status != 405 {
		t.Errorf("GET is answered %d", a.status)
	}
}

func mustRequest(t *testing.T, method, target string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestReferencesThatAreRefused(t *testing.T) {
	x := newTester(t, authserver.PARLifetime(90*time.Second))
	for name, row := range map[string]struct {
		edit string
		wait time.Duration
	}{
		"another client":        {"client_id=post", 0},
		"a parameter beside it": {"state=x", 0},
		"a second reference":    {"request_uri+=urn:ietf:params:oauth:request_uri:x", 0},
		"an unknown reference":  {"request_uri=urn:ietf:params:oauth:request_uri:x", 0},
		"a reference too old":   {"client_id=basic", 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			a := x.push()
			if a.body["expires_in"] != 90.0 {
				t.Errorf("expires_in is %v", a.body["expires_in"])
			}
			x.srv.Advance(row.wait)
			resp, body := x.open("client_id=basic", "request_uri="+a.text("request_uri"), row.edit)
			if resp.StatusCode != 400 || resp.Header.Get("Location") != "" ||
				!strings.Contains(body, `<p id="reason">`) {
				t.Errorf("answered %s to %q", resp.Status, resp.Header.Get("Location"))
			}
		})
	}
}

var parRequirements = []struct {
	name      string
	opts      []authserver.Option
	reg       bool
	told, all bool
}{
	{"nobody", nil, false, false, false},
	{"offered", []authserver.Option{authserver.OfferPAR()}, false, true, false},
	{"all clients", []authserver.Option{authserver.RequirePAR()}, false, true, true},
	{"one client", nil, true, true, false},
}

func TestRequiredPAR(t *testing.T) {
	for _, row := range parRequirements {
		t.Run(row.name, func(t *testing.T) {
			x := newTester(t, row.opts...)
			reg := authserver.ClientRegistration{
				ID: "pusher", Secret: "s3cret", RequirePAR: row.reg, RedirectURIs: []string{redirectURI},
			}
			cfg := x.srv.Register(reg)
			must := row.reg || row.all
			if got := cfg.Provider.PARURL != ""; got != row.told || cfg.Provider.RequirePAR != must {
				t.Errorf("Register: PARURL %q, RequirePAR %t", cfg.Provider.PARURL, cfg.Provider.RequirePAR)
			}
			p := x.srv.Provider()
			if got := p.PARURL != ""; got != (len(row.opts) > 0) || p.RequirePAR != row.all {
				t.Errorf("Provider: PARURL %q, RequirePAR %t", p.PARURL, p.RequirePAR)
			}
			doc := x.get("/.well-known/openid-configuration")
			endpoint := doc.text("pushed_authorization_request_endpoint")
			if required, _ := doc.body["require_pushed_authorization_requests"].(bool); required != row.all ||
				(endpoint == x.srv.URL+"/par") != row.told {
				t.Errorf("discovery: %q, required %t", endpoint, required)
			}
			resp, _ := x.authorize("client_id=pusher")
			if got := x.response(resp); (got.Get("error") == "invalid_request") != must {
				t.Errorf("a plain request is answered %v", got)
			}
			a := x.post("/par", "pusher:s3cret", authParams("client_id=pusher"))
			resp, _ = x.open("client_id=pusher", "request_uri="+a.text("request_uri"))
			if x.response(resp).Get("code") == "" {
				t.Errorf("a pushed request is refused")
			}
		})
	}
}

func TestFaultsOfPAR(t *testing.T) {
	x := newTester(t)
	for name, row := range map[string]struct {
		fault  authserver.Fault
		member string
		want   any
	}{
		"no request_uri":      {authserver.Drop("request_uri"), "request_uri", nil},
		"another request_uri": {authserver.Set("request_uri", `"https://evil.example"`), "request_uri", "https://evil.example"},
		"no expires_in":       {authserver.Drop("expires_in"), "expires_in", nil},
		"expires_in 0":        {authserver.Set("expires_in", "0"), "expires_in", 0.0},
		"expires_in negative": {authserver.Set("expires_in", "-60"), "expires_in", -60.0},
	} {
		x.srv.SetFaults(authserver.PAR, row.fault)
		if a := x.push(); a.status != 201 || a.body[row.member] != row.want {
			t.Errorf("%s: answered %d %s", name, a.status, a.raw)
		}
	}
	x.srv.SetFaults(authserver.PAR, authserver.Error(400, "invalid_request_uri", "x"))
	x.wantError(x.push(), 400, "invalid_request_uri")
	x.srv.SetFaults(authserver.PAR, authserver.First(2, authserver.HTMLError()))
	for i, want := range []int{500, 500, 201} {
		if a := x.push(); a.status != want {
			t.Errorf("answer %d has status %d, want %d", i, a.status, want)
		}
	}
}
