package check

import (
	"errors"
	"net/url"
	"strings"

	"example.com/authcode/internal/urls"
)

const (
	openIDPlace = "/.well-known/openid-configuration"
	oauthPlace  = "/.well-known/oauth-authorization-server"
)

// target is the server that the command line names.
type target struct {
	given  string   // the argument
	issuer string   // empty if the argument is the address of a document
	places []string // where the document may be, in the order of package oidc
}

// newTarget reads the argument ISSUER. Its errors are for the person who typed
// it.
func newTarget(given, metadataURL string) (*target, error) {
	if err := checkAddress("ISSUER", given); err != nil {
		return nil, err
	}
	t := &target{given: given, issuer: given}
	// People paste the address of the document. It is read, and the issuer is
	// taken from it.
	if isMetadataURL(given) {
		t.issuer, t.places = "", []string{given}
	}
	if metadataURL != "" {
		if err := checkAddress("-metadata-url", metadataURL); err != nil {
			return nil, err
		}
		t.places = []string{metadataURL}
	}
	if t.places == nil {
		t.places = metadataPlaces(given)
	}
	return t, nil
}

// checkAddress says what is wrong with an address on the command line.
func checkAddress(name, address string) error {
	u, err := url.Parse(address)
	switch {
	case strings.ContainsFunc(address, isNotVisible):
		return errors.New(name + " has a space, a control character or a non-ASCII character: " +
			"percent-encode it")
	case err != nil:
		return errors.New(name + " is not a URL: write one such as https://id.example")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return errors.New(name + " must be an absolute URL, such as https://id.example")
	case u.User != nil:
		return errors.New(name + " has user information: leave it out")
	case name == "ISSUER" && strings.ContainsAny(address, "?#"):
		return errors.New(name + " has a query or a fragment, which an issuer must not have (RFC " +
			"8414 section 2): leave it out")
	}
	return nil
}

// isMetadataURL reports whether address belongs to a document and is not an
// issuer.
func isMetadataURL(address string) bool {
	return strings.Contains(address, openIDPlace) || strings.Contains(address, oauthPlace)
}

// metadataPlaces returns the addresses where the document of issuer may be.
func metadataPlaces(issuer string) []string {
	// OpenID Connect Discovery section 4: a terminating slash is removed before
	// appending. RFC 8414 section 3: the well-known part goes between host and
	// path.
	base := strings.TrimSuffix(issuer, "/")
	scheme, rest, _ := strings.Cut(base, "://")
	host, path, hasPath := strings.Cut(rest, "/")
	if hasPath {
		path = "/" + path
	}
	return []string{base + openIDPlace, scheme + "://" + host + oauthPlace + path}
}

// isPlain reports whether address is an http URL.
func isPlain(address string) bool {
	return len(address) > 5 && strings.EqualFold(address[:5], "http:")
}

// isLocal reports whether address is on this machine, or may be.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	return err == nil && urls.IsBrowserLoopback(u.Hostname())
}

// isLoopback reports whether address is one where package authcode allows http.
func isLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && urls.IsLoopback(u.Hostname())
}

// hostOf returns the host of address without its port, in lower case.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
