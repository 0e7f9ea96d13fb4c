package interop

import (
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
	_ "modernc.org/sqlite"
)

const (
	workers     = 3
	workerRuns  = 10
	workerCalls = 3 // for each run
	grantKey    = "a secret of the test, 32 bytes or more"
)

// strictProvider replaces refresh tokens, and ends the grant if one is used
// again. Its access tokens live for a second.
type strictProvider struct {
	*httptest.Server
	mu      sync.Mutex
	current int
	dead    bool
	reused  []string
}

func newStrictProvider(t *testing.T) *strictProvider {
	p := new(strictProvider)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize",
			"token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
		})
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *strictProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if got := r.FormValue("refresh_token"); p.dead || got != fmt.Sprint("rt-", p.current) {
		p.dead, p.reused = true, append(p.reused, got)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	p.current++
	fmt.Fprintf(w, `{"access_token":"at-%d","refresh_token":"rt-%[1]d","token_type":"Bearer","expires_in":1}`, p.current)
}

// trust writes the provider's certificate to a file for SSL_CERT_FILE.
func (p *strictProvider) trust(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
	if err := os.WriteFile(name, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// saveGrant makes the workers' table, with one grant. It returns its ID.
func (p *strictProvider) saveGrant(t *testing.T, file string) string {
	db, err := sql.Open("sqlite", "file:"+file+sqliteOptions) // the mode of the journal stays with the file
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := sqlstore.New(db, sqlstore.SQLite)
	if err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(p.Certificate())
	client, err := authcode.New(authcode.Config{
		Provider: oidc.Provider(p.URL), ClientID: "worker", ClientAuth: authcode.Secret("s3cret"), Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	grants, err := grant.New(grant.Config{Store: store, Keys: [][]byte{[]byte(grantKey)}, Clients: grant.Clients(client)})
	if err != nil {
		t.Fatal(err)
	}
	id, err := grants.Save(t.Context(), client, &authcode.Login{Provider: "x", Token: &oauth2.Token{
		AccessToken: "at-0", RefreshToken: "rt-0", TokenType: "Bearer", Expiry: time.Now().Add(time.Second),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestWorkersShareAGrant: three processes of the guide's program over one SQLite
// file, at a provider that replaces refresh tokens. All their calls are good.
func TestWorkersShareAGrant(t *testing.T) {
	p, dir := newStrictProvider(t), t.TempDir()
	binary, id := buildProgram(t, "grants.md", 30), p.saveGrant(t, filepath.Join(dir, "app.db"))
	env := append(os.Environ(), "ISSUER="+p.URL, "CLIENT_ID=worker", "CLIENT_SECRET=s3cret",
		"GRANT_KEY="+hex.EncodeToString([]byte(grantKey)), "SSL_CERT_FILE="+p.trust(t))
	good := regexp.MustCompile(`(?m) \d <nil>$`)
	for range workerRuns {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				cmd := exec.CommandContext(t.Context(), binary, slices.Repeat([]string{id}, workerCalls)...)
				cmd.Dir, cmd.Env = dir, env
				out, err := cmd.CombinedOutput()
				if n := len(good.FindAllString(string(out), -1)); err != nil || n != workerCalls {
					t.Errorf("%d of %d calls were good (%v): %s", n, workerCalls, err, out)
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Second) // the access token expires
	}
	if p.current < 2 || len(p.reused) > 0 {
		t.Errorf("%d renewals, and refresh tokens used again: %v", p.current, p.reused)
	}
}
