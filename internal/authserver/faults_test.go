package authserver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

func TestFaultsThatStandInLeaveTheCodeUnused(t *testing.T) {
	x := newTester(t)
	code := x.code()
	x.srv.SetFaults(authserver.Token, authserver.Error(400, "invalid_grant", ""))
	x.wantError(x.post("/token", "basic:s3cret", redemption(code)), 400, "invalid_grant")
	x.srv.ClearFaults()
	if a := x.post("/token", "basic:s3cret", redemption(code)); a.status != 200 {
		t.Errorf("answered %s", a.raw)
	}
	if n := len(x.srv.TokenRequests()); n != 2 {
		t.Errorf("%d token requests recorded, want 2", n)
	}
}

func TestEchoes(t *testing.T) {
	x := newTester(t)
	form := redemption("the-code")
	const header = "Authorization: Basic YmFzaWM6czNjcmV0"
	x.srv.SetFaults(authserver.Token, authserver.EchoJSON())
	a := x.post("/token", "basic:s3cret", form)
	x.wantError(a, 400, "invalid_request")
	x.srv.SetFaults(authserver.Token, authserver.EchoText())
	b := x.post("/token", "basic:s3cret", form)
	for name, echo := range map[string]string{"JSON": a.text("error_description"), "text": b.raw} {
		if !strings.Contains(echo, header) || !strings.Contains(echo, form.Encode()) ||
			!strings.HasPrefix(echo, "POST /token ") {
			t.Errorf("%s: %s", name, echo)
		}
	}
}

// raw posts without reading the answer.
func (t *tester) raw(ctx context.Context, form string) (*http.Response, error) {
	req := t.request("/token", form).WithContext(ctx)
	req.SetBasicAuth("basic", "s3cret")
	req.Header.Set("Accept-Encoding", "identity") // or the transport would inflate unasked
	return t.http.Do(req)
}

func TestSizes(t *testing.T) {
	x := newTester(t)
	read := func(fault authserver.Fault, limit int64) []byte {
		t.Helper()
		x.srv.SetFaults(authserver.Token, fault)
		resp, err := x.raw(t.Context(), redemption(x.code()).Encode())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	if got := read(authserver.Big(), 20e6); len(got) < 10e6 || got[len(got)-1] != '}' {
		t.Errorf("Big sent %d bytes", len(got))
	}
	if got := read(authserver.Endless(), 20e6); len(got) != 20e6 {
		t.Errorf("Endless sent %d bytes", len(got))
	}
	bomb := read(authserver.GzipBomb(), 20e6)
	inflated, err := gzip.NewReader(bytes.NewReader(bomb))
	if err != nil {
		t.Fatal(err)
	}
	start := make([]byte, 12e6)
	if _, err := io.ReadFull(inflated, start); err != nil || len(bomb) > 2e6 {
		t.Errorf("GzipBomb sent %d bytes; after inflating: %v", len(bomb), err)
	}
	if !bytes.HasPrefix(start, []byte(`{"token_type":"Bearer","access_token":"AAAA`)) {
		t.Errorf("GzipBomb begins %q", start[:50])
	}
	x.srv.SetFaults(authserver.Token, authserver.HugeHeaders())
	if resp, err := x.raw(t.Context(), redemption(x.code()).Encode()); err == nil {
		t.Errorf("1 MiB of headers arrived within 64 KiB: %s", resp.Status)
	}
}

func TestBrokenConnections(t *testing.T) {
	x := newTester(t)
	x.srv.SetFaults(authserver.Token, authserver.Reset())
	// A connection that is closed instead ends in io.EOF, without a net.OpError.
	var reset *net.OpError
	if _, err := x.raw(t.Context(), ""); !errors.As(err, &reset) || reset.Op != "read" {
		t.Errorf("Reset: %v", err)
	}
	x.srv.SetFaults(authserver.Token, authserver.Truncated())
	resp, err := x.raw(t.Context(), redemption(x.code()).Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(got) == 0 {
		t.Errorf("Truncated: %d bytes, %v", len(got), err)
	}
}

func TestSilentAndSlow(t *testing.T) {
	x := newTester(t)
	x.srv.SetFaults(authserver.Token, authserver.Silent())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := x.raw(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Silent: %v", err)
	}
	x.srv.SetFaults(authserver.Token, authserver.Slow())
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	resp, err := x.raw(ctx, redemption(x.code()).Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	time.AfterFunc(100*time.Millisecond, cancel)
	if got, err := io.ReadAll(resp.Body); string(got) != "{" || !errors.Is(err, context.Canceled) {
		t.Errorf("Slow: %q, %v", got, err)
	}
}

func TestEveryAndDelay(t *testing.T) {
	x := newTester(t)
	x.srv.SetFaults(authserver.UserInfo, authserver.Every(3, authserver.Busy(503, "")))
	var got []int
	for range 6 {
		got = append(got, x.userinfo().status)
	}
	for i, status := range got {
		if want := map[bool]int{true: 503, false: 401}[i%3 == 2]; status != want {
			t.Errorf("answer %d is %d, want %d", i+1, status, want)
		}
	}
	x.srv.SetFaults(authserver.UserInfo, authserver.Delay(30*time.Millisecond))
	began := time.Now()
	if status := x.userinfo().status; status != 401 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("Delay: %d after %v", status, time.Since(began))
	}
}

func TestFaultsOfTheAuthorizationResponse(t *testing.T) {
	x := newTester(t)
	for name, row := range map[string]struct {
		fault authserver.Fault
		name  string
		want  []string
	}{
		"a wrong iss":    {authserver.Set("iss", "https://evil.example"), "iss", []string{"https://evil.example"}},
		"no iss":         {authserver.Drop("iss"), "iss", nil},
		"iss twice":      {authserver.Repeat("iss", ""), "iss", []string{x.srv.URL, x.srv.URL}},
		"a wrong state":  {authserver.Set("state", "x"), "state", []string{"x"}},
		"an empty state": {authserver.Set("state", ""), "state", []string{""}},
		"no state":       {authserver.Drop("state"), "state", nil},
		"state twice":    {authserver.Repeat("state", "x"), "state", []string{"st&te =", "x"}},
		"an error":       {authserver.Error(0, "server_error", "<b>"), "error", []string{"server_error"}},
		"HTML":           {authserver.Error(0, "x", "<b>"), "error_description", []string{"<b>"}},
		"no code":        {authserver.Error(0, "x", ""), "code", nil},
	} {
		t.Run(name, func(t *testing.T) {
			x.srv.SetFaults(authserver.Authorization, row.fault)
			defer x.srv.ClearFaults()
			resp, _ := x.authorize()
			if got := x.response(resp)[row.name]; strings.Join(got, "|") !=
				strings.Join(row.want, "|") || len(got) != len(row.want) {
				t.Errorf("%s is %q, want %q", row.name, got, row.want)
			}
			_, page := x.authorize("response_mode=form_post")
			if _, got := readForm(t, page); len(got[row.name]) != len(row.want) {
				t.Errorf("form_post: %s is %q", row.name, got[row.name])
			}
		})
	}
	x.srv.SetFaults(authserver.Authorization, authserver.Busy(503, "1"))
	if resp, _ := x.authorize(); resp.StatusCode != 503 {
		t.Errorf("answered %s", resp.Status)
	}
}

func TestOtherUsersCode(t *testing.T) {
	x := newTester(t)
	x.srv.SetFaults(authserver.Authorization, authserver.OtherUsersCode())
	code := x.code()
	x.srv.ClearFaults()
	// PKCE is what stops it: the code is good, but belongs to another verifier.
	x.wantError(x.post("/token", "basic:s3cret", redemption(code)), 400, "invalid_grant")
	if got := x.srv.Issued(); len(got) != 1 || got[0] != code {
		t.Errorf("issued %v, want the code alone", got)
	}
}

func TestFaultsElsewhere(t *testing.T) {
	x := newTester(t)
	a := x.redeem()
	x.srv.SetFaults(authserver.Refresh, authserver.NoRotation())
	for range 2 { // the old token stays good
		b := x.post("/token", "basic:s3cret", renewal(a.text("refresh_token")))
		if b.status != 200 || b.body["refresh_token"] != nil || !x.works(b.text("access_token")) {
			t.Errorf("NoRotation: %s", b.raw)
		}
	}
	x.srv.SetFaults(authserver.Refresh, authserver.Drop("access_token"))
	b := x.post("/token", "basic:s3cret", renewal(a.text("refresh_token")))
	if b.status != 200 || b.body["access_token"] != nil || b.body["refresh_token"] == nil {
		t.Errorf("no access_token: %s", b.raw)
	}
	x.srv.SetFaults(authserver.Revocation, authserver.Error(400, "unsupported_token_type", ""))
	form := redemption("x", "token=x")
	x.wantError(x.post("/revoke", "basic:s3cret", form), 400, "unsupported_token_type")
	x.srv.SetFaults(authserver.Discovery, authserver.Set("issuer", `"https://evil.example"`))
	if got := x.get("/.well-known/openid-configuration").text("issuer"); got != "https://evil.example" {
		t.Errorf("issuer %q", got)
	}
	x.srv.SetFaults(authserver.JWKS, authserver.Set("keys", "[]"))
	if got := x.get("/jwks").raw; got != `{"keys":[]}` {
		t.Errorf("keys %s", got)
	}
	x.srv.ClearFaults()
	x.srv.SetFaults(authserver.IDToken, authserver.Drop("nonce"), authserver.Set("sub", `"mallory"`))
	claims := x.claims(x.redeem().text("id_token"), "ES256")
	if claims["nonce"] != nil || claims["sub"] != "mallory" {
		t.Errorf("claims %v", claims)
	}
}
