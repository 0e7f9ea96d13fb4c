package test

import (
	"net/http"
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
	{"without an Issuer iss is ignored",
		[]authserver.Fault{authserver.Set("iss", "https://evil.example")},
		func(c *config) { c.Provider.RequireIss, c.Provider.Issuer = false, "" }, ""},
	{"another issuer's error is not looked at",
		[]authserver.Fault{authserver.Error(0, "access_denied", ""),
			authserver.Set("iss", "https://evil.example")}, nil, "iss"},
}

func TestIssIsChecked(t *testing.T) {
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
