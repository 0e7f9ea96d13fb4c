package test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

var issIsChecked = []struct {
	name   string
	fault  []authserver.Fault
	change func(*config)
	check  string // empty: the login succeeds
}{
	{name: "the right issuer passes"},
	{"another issuer is refused",
		[]authserver.Fault{authserver.Set("iss", "https://evil.example")}, nil, "iss"},
	{"an issuer with a slash more is refused", nil,
		func(c *config) { c.Provider.Issuer += "/" }, "iss"},
	{"an empty iss is refused", []authserver.Fault{authserver.Set("iss", "")}, nil, "iss"},
	{"a missing iss is refused where it was promised",
		[]authserver.Fault{authserver.Drop("iss")}, nil, "iss.missing"},
	{"a missing iss passes where nothing was promised",
		[]authserver.Fault{authserver.Drop("iss")},
		func(c *config) { c.Provider.RequireIss = false }, ""},
	{"another issuer is refused also where nothing was promised",
		[]authserver.Fault{authserver.Set("iss", "https://evil.example")},
		func(c *config) { c.Provider.RequireIss = false }, "iss"},
	{"without an Issuer an iss of AuthURL's origin passes", nil, withoutIssuer, ""},
	{"without an Issuer a missing iss passes",
		[]authserver.Fault{authserver.Drop("iss")}, withoutIssuer, ""},
	{"without an Issuer an iss of another host is refused",
		[]authserver.Fault{authserver.Set("iss", "https://evil.example")}, withoutIssuer,
		"iss.origin"},
	{"without an Issuer an iss of another port is refused",
		[]authserver.Fault{authserver.Set("iss", "https://127.0.0.1:1")}, withoutIssuer,
		"iss.origin"},
	{"without an Issuer an empty iss is refused",
		[]authserver.Fault{authserver.Set("iss", "")}, withoutIssuer, "iss.origin"},
	{"without an Issuer an iss that is no URL is refused",
		[]authserver.Fault{authserver.Set("iss", "https://%zz")}, withoutIssuer, "iss.origin"},
	{"without an Issuer another origin's error is not looked at",
		[]authserver.Fault{authserver.Error(0, "access_denied", ""),
			authserver.Set("iss", "https://evil.example")}, withoutIssuer, "iss.origin"},
	{"another issuer's error is not looked at",
		[]authserver.Fault{authserver.Error(0, "access_denied", ""),
			authserver.Set("iss", "https://evil.example")}, nil, "iss"},
}

func withoutIssuer(c *config) { c.Provider.RequireIss, c.Provider.Issuer = false, "" }

func TestIssIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range issIsChecked {
		t.Run(c.name, func(t *testing.T) {
			w := world.New(t)
			if c.change != nil {
				w.Configure(c.change)
			}
			b := w.Browser()
			target := b.Start("")
			w.Server.SetFaults(authserver.Authorization, c.fault...)
			resp := b.Get(b.Approve(target))
			if c.check == "" {
				w.WantStatus(resp, http.StatusSeeOther)
				return
			}
			w.WantFailure(resp, authcode.Forged, c.check)
			w.WantTokenRequests(0)
			if len(b.LoginCookies()) != 1 {
				t.Error("another server's answer ended the login")
			}
		})
	}
}

// TestIssOfAnotherOrigin: how far an iss is compared where there is no Issuer,
// and what the operator reads.
func TestIssOfAnotherOrigin(t *testing.T) {
	for _, iss := range []string{
		"http://provider.example", "https://provider.example:8443", "https://provider.example.",
		"https://provider.example.evil.example", "https://provider.example@evil.example",
		"//provider.example", "provider.example", "https:provider.example", "https://",
		"https://sub.provider.example", "https://prov\u0130der.example", "null", " ",
	} {
		p := &world.Provider{}
		c := world.Client(t, p, withoutIssuer)
		_, err := world.Begin(t, c, nil).Exchange(c, "iss", iss)
		e := world.WantError(t, err, authcode.Forged, "iss.origin")
		if text := e.Error(); !strings.Contains(text, "Provider.Issuer") ||
			strings.Contains(text, "evil") {
			t.Errorf("%q does not name the cure, or repeats what came", text)
		}
		p.WantRequests(t, 0)
	}
	for _, iss := range []string{
		world.Issuer, world.Issuer + "/", world.Issuer + ":443", "HTTPS://Provider.Example/tenant",
	} {
		c := world.Client(t, &world.Provider{}, withoutIssuer)
		world.Begin(t, c, nil).Finish(t, c, "iss", iss)
	}
}

// TestIssOfAnotherOriginWithMetadata: AuthURL is the one that the lookup finds.
func TestIssOfAnotherOriginWithMetadata(t *testing.T) {
	p := &world.Provider{}
	found := world.Endpoints()
	found.AuthURL = "https://login.example/authorize"
	c := world.Client(t, p, withoutIssuer, world.LookedUp(world.Finds(found)))
	_, err := world.Begin(t, c, nil).Exchange(c, "iss", world.Issuer)
	world.WantError(t, err, authcode.Forged, "iss.origin")
	p.WantRequests(t, 0)
	world.Begin(t, c, nil).Finish(t, c, "iss", "https://login.example")
}
