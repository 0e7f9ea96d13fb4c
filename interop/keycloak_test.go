package interop

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	keycloakVersion  = "26.7.3"
	keycloakArtifact = "org.keycloak:keycloak-quarkus-dist:" + keycloakVersion + ":zip"
	mavenUnpack      = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
)

// keycloakPatience is how long Keycloak may take to start: a minute on two busy
// cores, most of which is the schema of its empty database.
const keycloakPatience = 5 * time.Minute

// keycloak is Keycloak in a Java process of its own, with one realm. Its
// database is in memory, so every run begins with the realm file. It serves two
// origins: https for browsers, and http for the apps beside it.
type keycloak struct {
	*process
	keycloakRealm
	outer, inner string
	adminSecret  string // of the client that manages realms
}

var sharedKeycloak = sync.OnceValues(startKeycloak)

// theKeycloak returns the server that tests share.
func theKeycloak(t testing.TB) *keycloak {
	t.Helper()
	k, err := sharedKeycloak()
	if missing := (missingError{}); errors.As(err, &missing) {
		need(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Keycloak says:\n%s", k.log)
		}
	})
	return k
}

func startKeycloak() (*keycloak, error) {
	java, err := installed("java", "apt-get install default-jre-headless, or any Java 17 or later")
	if err != nil {
		return nil, missingError{err}
	}
	built, err := installKeycloak(java)
	if err != nil {
		return nil, missingError{err}
	}
	home, err := os.MkdirTemp("", "authcode-keycloak-")
	if err != nil {
		return nil, err
	}
	whenDone(func() { os.RemoveAll(home) })
	k := &keycloak{adminSecret: rand.Text()}
	k.outer, k.inner = "https://127.0.0.1:"+freePort(), "http://127.0.0.1:"+freePort()
	if err := k.fillHome(home, built); err != nil {
		return nil, err
	}
	k.process, err = startJava(java, built, home, k.options(home)...)
	if err != nil {
		return nil, err
	}
	whenDone(func() { k.stop() })
	if _, err = k.lineWithin("INFO Keycloak "+keycloakVersion+" ", keycloakPatience); err != nil {
		return nil, err
	}
	go func() {
		for line := range k.lines {
			fmt.Fprintln(k.log, line)
		}
	}()
	return k, nil
}

// options are those of Keycloak's command line.
func (k *keycloak) options(home string) []string {
	file := func(option, name string) string { return option + "=" + filepath.Join(home, name) }
	return []string{
		"start", "--optimized", "--import-realm", "--cache=local",
		"--log-console-format=%p %s%e%n",
		"--hostname=" + k.outer, "--hostname-backchannel-dynamic=true",
		"--bootstrap-admin-client-id=" + keycloakAdmin,
		"--bootstrap-admin-client-secret=" + k.adminSecret,
		"--http-enabled=true", "--http-host=127.0.0.1",
		"--http-port=" + strings.TrimPrefix(k.inner, "http://127.0.0.1:"),
		"--https-port=" + strings.TrimPrefix(k.outer, "https://127.0.0.1:"),
		file("--https-certificate-file", "cert.pem"),
		file("--https-certificate-key-file", "key.pem"),
		// Clients that show a certificate, and the servers that Keycloak tells of
		// logouts.
		"--https-client-auth=request", file("--https-trust-store-file", "ca.pem"),
		file("--truststore-paths", "ca.pem"),
	}
}

// fillHome makes the folder that Keycloak runs in: the program by links, and
// this run's realm, keys and certificates.
func (k *keycloak) fillHome(home, built string) error {
	for _, name := range []string{"lib", "conf", "providers", "themes"} {
		if err := os.Symlink(filepath.Join(built, name), filepath.Join(home, name)); err != nil {
			return err
		}
	}
	authority, err := runCertificate()
	if err != nil {
		return err
	}
	server, err := fapiCertificate()
	if err != nil {
		return err
	}
	realm, err := k.newRealm()
	if err != nil {
		return err
	}
	imports := filepath.Join(home, "data", "import")
	if err := os.MkdirAll(imports, 0o700); err != nil {
		return err
	}
	for path, content := range map[string][]byte{
		filepath.Join(home, "cert.pem"):      []byte(server.Cert),
		filepath.Join(home, "key.pem"):       []byte(server.Key),
		filepath.Join(home, "ca.pem"):        authority.certPEM,
		filepath.Join(imports, "realm.json"): realm,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// untilInputEnds runs a command that ends with the input of this script, so
// that it does not outlive a test process that was killed.
const untilInputEnds = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat; kill $child; } <&3 >/dev/null 2>&1 &
wait $child`

// startJava runs the Keycloak that is in the folder built with the given home.
func startJava(java, built, home string, args ...string) (*process, error) {
	const module = "--add-opens=java.base/"
	command := append([]string{
		"-c", untilInputEnds, "sh", java,
		// It runs for a minute or two: what starts fast is better than what
		// would run fast later.
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		module + "java.util=ALL-UNNAMED", module + "java.util.concurrent=ALL-UNNAMED",
		module + "java.security=ALL-UNNAMED", module + "java.lang=ALL-UNNAMED",
		"-Dfile.encoding=UTF-8", "-Duser.language=en", "-Duser.country=US",
		"-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
		"-Djava.util.concurrent.ForkJoinPool.common.threadFactory=" +
			"io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
		"-Dpicocli.disable.closures=true", "-Dkc.config.built=true", "-Dkc.home.dir=" + home,
		"-cp", filepath.Join(built, "lib", "quarkus-run.jar"),
		"io.quarkus.bootstrap.runner.QuarkusEntryPoint",
	}, args...)
	return startProcess(exec.Command("sh", command...), "Keycloak")
}

// installKeycloak returns the folder with Keycloak. It is in the user's cache,
// where the first run puts it.
func installKeycloak(java string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "authcode-interop")
	ready := filepath.Join(cache, "keycloak-"+keycloakVersion)
	if _, err := os.Stat(ready); err == nil {
		return ready, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	// An interrupted run leaves nothing that looks complete.
	folder, err := os.MkdirTemp(cache, "unfinished-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	unpacked, err := buildKeycloak(java, folder)
	if err != nil {
		return "", err
	}
	// Another run may have been faster.
	if err := os.Rename(unpacked, ready); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return ready, nil
}

// buildKeycloak has Maven download Keycloak (177 MB), and prepares it for the
// options that cannot be given at its start.
func buildKeycloak(java, folder string) (unpacked string, err error) {
	mvn, err := installed("mvn", "apt-get install maven")
	if err != nil {
		return "", err
	}
	unpacked = filepath.Join(folder, "keycloak-"+keycloakVersion)
	for _, cmd := range []*exec.Cmd{
		exec.Command(mvn, "-B", "-q", mavenUnpack,
			"-Dartifact="+keycloakArtifact, "-DoutputDirectory="+folder),
		exec.Command(filepath.Join(unpacked, "bin", "kc.sh"), "build", "--db=dev-mem",
			"--https-client-auth=request"),
	} {
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "JAVA="+java)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	}
	return unpacked, nil
}

// freePort returns a port of loopback that was free just now. Keycloak has to
// know its own address before it listens.
func freePort() string {
	l := httptest.NewUnstartedServer(http.NotFoundHandler()).Listener
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
