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

// target is what the command line names.
type target struct {
	given  string   // the argument
	issuer string   // empty if the argument is the address of a document: then the document says it
	places []string // where the document may be, in the order in which package oidc tries them
}

// newTarget reads the argument ISSUER. Its errors are for somebody who typed it.
func newTarget(given, metadataURL string) (*target, error) {
	if err := checkAddress("ISSUER", given); err != nil {
		return nil, err
	}
	t := &target{given: given, issuer: given}
	if isPlace(given) {
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

func checkAddress(name, address string) error {
	u, err := url.Parse(address)
	switch {
	case strings.ContainsFunc(address, isNotVisible):
		return errors.New(name + " has a space, a control character or a non-ASCII one: " +
			"percent-encode it")
	case err != nil:
		return errors.New(name + " is not a URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return errors.New(name + " must be an absolute URL, such as https://id.example")
	case u.User != nil:
		return errors.New(name + " has user information: leave it away")
	case name == "ISSUER" && strings.ContainsAny(address, "?#"):
		return errors.New(name + " has a query or a fragment, which no issuer has (RFC 8414 section 2)")
	}
	return nil
}

// isPlace reports that address is that of a document and not an issuer.
func isPlace(address string) bool {
	return strings.Contains(address, openIDPlace) || strings.Contains(address, oauthPlace)
}

// metadataPlaces are where the document of issuer may be.
func metadataPlaces(issuer string) []string {
	// OpenID Connect Discovery section 4: a terminating slash is removed before appending.
	// RFC 8414 section 3: the well-known part goes between host and path.
	base := strings.TrimSuffix(issuer, "/")
	scheme, rest, _ := strings.Cut(base, "://")
	host, path, hasPath := strings.Cut(rest, "/")
	if hasPath {
		path = "/" + path
	}
	return []string{base + openIDPlace, scheme + "://" + host + oauthPlace + path}
}

// isPlain reports that address is an http URL.
func isPlain(address string) bool {
	return len(address) > 5 && strings.EqualFold(address[:5], "http:")
}

// isLocal reports that address is on this machine.
func isLocal(address string) bool {
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
