package interop

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"golang.org/x/net/http2"
)

// nginxConfig takes the folder, the backend, the address, the files of the
// certificate and its key, and more settings of the server.
const nginxConfig = `
	daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
	events { worker_connections 1024; }
	http {
		access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
		fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
		upstream app { server %[2]s; keepalive 200; keepalive_requests 1000000; }
		server {
			listen %[3]s ssl http2; ssl_certificate %[4]s; ssl_certificate_key %[5]s; %[6]s
			location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
		}
	}`

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// nginx serves HTTP/2 in front of backend, and returns its address. It stops
// when the test ends.
func nginx(t *testing.T, backend, settings string, cert tls.Certificate) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Fatal("nginx is not installed: apt-get install nginx")
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, certFile, "CERTIFICATE", cert.Certificate[0])
	writePEM(t, keyFile, "PRIVATE KEY", key)
	address := freeAddress(t)
	config := fmt.Sprintf(nginxConfig, dir, backend, address, certFile, keyFile, settings)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nginx does not listen: %s", said.String())
	return ""
}

// TestNginxGOAWAY: nginx closes an HTTP/2 connection after keepalive_requests
// requests. No login is lost, and no code is processed twice.
func TestNginxGOAWAY(t *testing.T) {
	for name, row := range map[string]struct {
		settings       string
		logins, atOnce int
	}{
		"default keepalive_requests, 30 at a time": {"", 20000, 30},
		"keepalive_requests 100, 100 at a time":    {"keepalive_requests 100;", 20000, 100},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			processed := make(map[string]int)
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				code := r.PostFormValue("code")
				mu.Lock()
				processed[code]++
				mu.Unlock()
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"access_token":"at","token_type":"Bearer","expires_in":3600}`)
			}))
			defer backend.Close()
			cert := authserver.SelfSigned("127.0.0.1")
			address := nginx(t, backend.Listener.Addr().String(), row.settings, cert)
			lost := loginsAt(t, "https://"+address, trusting(cert), row.logins, row.atOnce)
			if lost > 0 {
				t.Errorf("%d of %d logins were lost", lost, row.logins)
			}
			twice := 0
			for _, n := range processed {
				if n > 1 {
					twice++
				}
			}
			if twice > 0 || len(processed) != row.logins {
				t.Errorf("%d codes were processed, %d of them twice; want %d", len(processed), twice, row.logins)
			}
		})
	}
}

// trusting is a transport that takes cert for a server's, whatever its name.
func trusting(cert tls.Certificate) *http.Transport {
	return &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || string(raw[0]) != string(cert.Certificate[0]) {
				return fmt.Errorf("another certificate")
			}
			return nil
		}},
	}
}

// loginsAt finishes so many logins at a token endpoint, and counts those that fail.
func loginsAt(t *testing.T, base string, transport *http.Transport, logins, atOnce int) int64 {
	t.Helper()
	defer transport.CloseIdleConnections()
	client, err := authcode.New(authcode.Config{
		Provider:    authcode.Provider{Name: "p", Endpoints: authcode.Endpoints{AuthURL: base + "/a", TokenURL: base + "/t"}},
		ClientID:    "app",
		ClientAuth:  authcode.Secret("s3cret"),
		RedirectURL: "https://app.example/callback",
		CookieKeys:  [][]byte{[]byte("a key of 32 bytes for this test!")},
		Transport:   transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	var lost atomic.Int64
	var wg sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for n := range logins {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			if err := finishLogin(client, fmt.Sprintf("code-%d", n)); err != nil && lost.Add(1) < 4 {
				t.Logf("lost: %v", err)
			}
		})
	}
	wg.Wait()
	return lost.Load()
}

func finishLogin(client *authcode.Client, code string) error {
	rec := httptest.NewRecorder()
	target, err := client.AuthCodeURL(rec, httptest.NewRequest("GET", "https://app.example/login", nil))
	if err != nil {
		return err
	}
	_, state, _ := strings.Cut(target, "&state=")
	r := httptest.NewRequest("GET", "https://app.example/callback?code="+code+"&state="+state, nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(c)
	}
	_, err = client.Exchange(httptest.NewRecorder(), r)
	return err
}

// TestServerThatRefusesEveryStream: RST_STREAM with REFUSED_STREAM, for ever. The
// server sees a request three times, the last time on a connection of its own.
func TestServerThatRefusesEveryStream(t *testing.T) {
	cert := authserver.SelfSigned("127.0.0.1")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var requests, connections atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go refuseStreams(conn, &requests)
		}
	}()
	began := time.Now()
	if lost := loginsAt(t, "https://"+listener.Addr().String(), trusting(cert), 1, 1); lost != 1 {
		t.Error("a login succeeded at a server that answers nothing")
	}
	if n, c := requests.Load(), connections.Load(); n != 3 || c != 2 {
		t.Errorf("the server saw %d requests on %d connections, want 3 on 2", n, c)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// refuseStreams speaks just enough HTTP/2 to refuse every request.
func refuseStreams(conn net.Conn, requests *atomic.Int64) {
	defer conn.Close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	framer.WriteSettings()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				framer.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			requests.Add(1)
			framer.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
		}
	}
}
