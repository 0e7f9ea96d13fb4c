package interop

import (
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// customer is a tenant of the tests, with a provider that others wrote. All have
// an account of the same name.
type customer struct {
	key    string
	config authcode.Config // as an app's table has it

	// register registers the app's redirect URL, if that is not done yet.
	register func(t *testing.T, redirectURL string)

	// authenticate goes from the provider's first page to the end of the login.
	authenticate func(me *person, first *page) *page
}

// secondHTTPS is an oidc-provider beside that of sharedHTTPS.
var secondHTTPS = sync.OnceValues(func() (*oidcProvider, error) {
	c, err := runCertificate()
	if err != nil {
		return nil, err
	}
	return startOIDCProvider(c)
})

// realms returns customers with a realm each at one Keycloak. Client ID, secret,
// account and password are the same in each, so that only the realm tells them
// apart.
func realms(t *testing.T, k *keycloak, names ...string) (all []customer) {
	for _, name := range names {
		issuer := k.addRealm(t, name, "app")
		all = append(all, customer{
			key: name, authenticate: signInAtKeycloak, register: func(*testing.T, string) {},
			config: authcode.Config{
				Provider: oidc.Provider(issuer), ClientID: "app",
				ClientAuth: authcode.Secret(keycloakSecret),
			},
		})
	}
	return all
}

// nodes returns customers with an oidc-provider each.
func nodes(t *testing.T) (all []customer) {
	for key, o := range map[string]*oidcProvider{
		"node-1": secureProvider(t), "node-2": shared(t, secondHTTPS),
	} {
		p := peers[0]
		c := customer{key: key, config: authcode.Config{
			Provider: oidc.Provider(o.issuer), ClientID: clientID(t, p), ClientAuth: p.auth(),
		}}
		offline(&c.config)
		c.register = func(t *testing.T, redirectURL string) {
			o.register(t, p, redirectURL, func(r *registration) { r.ID = c.config.ClientID })
		}
		c.authenticate = func(me *person, first *page) *page {
			asked := me.press(first, "sign-in")
			return me.press(asked, "approve")
		}
		all = append(all, c)
	}
	return all
}
