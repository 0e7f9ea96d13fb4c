// Package try is the command authcode try: a small web app that signs people in
// at any server, which flags and environment variables describe. It shows what
// protected the login. Without flags it starts a server of its own on loopback.
package try

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/authcode/internal/urls"
)

// Run runs the command until ctx ends and returns its exit status.
func Run(
	ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer,
) int {
	o, err := parseOptions(args, getenv, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "authcode try: %v\nauthcode try: -help lists the options\n", err)
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if o.json {
		log = slog.New(slog.NewJSONHandler(stderr, nil))
	}
	if err := start(ctx, o, stdout, log); err != nil {
		fmt.Fprintf(stderr, "authcode try: %v\n", err)
		return 1
	}
	return 0
}

// start serves the app until ctx ends.
func start(ctx context.Context, o *options, stdout io.Writer, log *slog.Logger) error {
	tlsConfig, err := o.tls()
	if err != nil {
		return err
	}
	listener, err := o.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	// The base URL needs the port, so the listener comes first.
	app := newApp(o.base(listener.Addr().(*net.TCPAddr).Port), log)
	app.out = &output{w: stdout, json: o.json}
	keys, err := o.keysOrRandom()
	if err != nil {
		return err
	}
	if err := o.addProviders(app, keys); err != nil {
		return err
	}
	if o.demo {
		demo, err := o.addDemo(app, keys)
		if err != nil {
			return err
		}
		defer demo.Close()
		o.demoNotes(demo)
	}
	app.introduce(o.notes)
	return serve(ctx, listener, tlsConfig, app.handler(), log)
}

// introduce prints where the app is, what to register at the providers, and the
// notes.
func (a *app) introduce(notes []string) {
	a.out.say(event{Event: "listening", URL: a.base})
	for _, s := range a.signIns {
		if s.name == demoName {
			continue // the app is registered there already
		}
		uris := &registered{RedirectURI: redirectURL(a.base, s.name),
			where: strings.TrimPrefix(s.place, "at ")}
		if s.isOpenID {
			path := a.base + loginPath(s.name)
			uris.SignedOutURI, uris.InitiateURI = signedOutURL(a.base, s.name), path+"/initiate"
			uris.BackChannelURI, uris.FrontChannelURI = path+"/backchannel-logout",
				path+"/frontchannel-logout"
		}
		a.out.say(event{Event: "register", Provider: s.name, registered: uris})
	}
	for _, note := range notes {
		a.out.say(event{Event: "note", Text: note})
	}
}

// addProviders adds the providers that the flags and the environment describe.
// It only reads files, and makes no request.
func (o *options) addProviders(app *app, keys [][]byte) error {
	base, err := providerTransport(o.caFile)
	if err != nil {
		return err
	}
	if o.configured() {
		if err := o.addProvider(app, keys, base); err != nil {
			return err
		}
	}
	for _, p := range o.presets {
		if err := p.add(app, keys, base); err != nil {
			return err
		}
	}
	return nil
}

// note keeps a line for the operator, which is printed after the first ones.
func (o *options) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

// keysOrRandom returns the cookie keys, or a random one. -base-url demands a
// key unless the app is on localhost.
func (o *options) keysOrRandom() ([][]byte, error) {
	keys, err := o.keys()
	if err != nil || len(keys) > 0 {
		return keys, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	o.note("the cookie key is random, so a login that is under way during a restart fails: set " +
		"-cookie-key to avoid that")
	return [][]byte{key}, nil
}

// listen opens the address. If the default address is not free, it chooses a free
// port. If the operator has named an address, it fails, because that address is
// registered at a provider.
func (o *options) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", o.addr)
	// Any error: Windows says that an address is taken, or reserved, with numbers
	// of its own.
	if err != nil && !o.given["addr"] && o.baseURL == "" {
		o.note("%s is not free, so this app uses another port", o.addr)
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		o.note("other machines can reach this app, at %s: use -addr localhost:8080 to prevent that",
			listener.Addr())
	}
	return listener, nil
}

// base returns the app's URL, without a slash at the end.
func (o *options) base(port int) string {
	if o.baseURL != "" {
		return strings.TrimSuffix(o.baseURL, "/")
	}
	scheme, host := "http://", "localhost"
	if o.tlsCert != "" || o.ownHTTPS() {
		scheme = "https://"
	}
	if given, _, _ := net.SplitHostPort(o.addr); o.given["addr"] && urls.IsBrowserLoopback(given) {
		host = given
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(port))
}

// tls returns the TLS configuration of the app, or nil for http.
func (o *options) tls() (*tls.Config, error) {
	if o.tlsCert == "" && !o.ownHTTPS() {
		return nil, nil
	}
	if o.ownHTTPS() {
		o.note("FAPI 2.0 demands https: the browser will warn of this app's certificate, which " +
			"was made for this run; set another one with -tls-cert and -tls-key")
		pair, err := localCertificate()
		return &tls.Config{Certificates: []tls.Certificate{pair}}, err
	}
	pair, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("-tls-cert, -tls-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}

// serve answers requests until ctx ends, and then lets running requests finish.
func serve(ctx context.Context, listener net.Listener, tlsConfig *tls.Config, app http.Handler,
	log *slog.Logger) error {
	// The limits keep slow or hostile clients from holding all connections.
	server := &http.Server{
		Handler:           app,
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * tokenTime, // a page may wait for the provider
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	go func() {
		if tlsConfig != nil {
			stopped <- server.ServeTLS(listener, "", "")
		} else {
			stopped <- server.Serve(listener)
		}
	}()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	// A refresh that is cut off could lose the only valid refresh token.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTime)
	defer cancel()
	return server.Shutdown(grace)
}
