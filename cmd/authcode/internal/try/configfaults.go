package try

import (
	"errors"
	"strings"

	"example.com/authcode"
)

// flagsOfFields says which flags set the fields of a Config. Package authcode
// names a field in each fault.
var flagsOfFields = []struct{ field, flags string }{
	{"Provider.Name", "-name"},
	{"Provider.Issuer", "-issuer"},
	{"Provider.AuthURL", "-auth-url"},
	{"Provider.TokenURL", "-token-url"},
	{"Provider.RevocationURL", "-revocation-url"},
	{"Provider.PARURL", "-par-url"},
	{"Provider.RequirePAR", "-par"},
	{"Provider.AuthParams", "-login-params"},
	{"Provider.Scopes", "-scopes"},
	{"Provider.FormPost", "-form-post"},
	{"Provider.Algorithms", "-algorithms"},
	{"Config.RedirectURL", "-base-url, -tls-cert and -tls-key"},
	{"Config.ClientID", "-client-id"},
	{"Config.ClientAuth", "-client-auth, -client-secret and -client-key"},
	{"Config.Certificate", "-client-cert and -client-cert-key"},
	{"Config.Binding", "-bind"},
	{"Config.MessageSigning", "-sign-requests and -signed-responses"},
	{"Config.Transport", "-ca-file"},
}

// byFlag explains an error of authcode.New to somebody who has written flags
// and no Config. It has one line for each fault, with the flags of the field.
func byFlag(err error) error {
	var e *authcode.Error
	if !errors.As(err, &e) || len(e.Faults) == 0 {
		return err
	}
	var lines []string
	for _, fault := range e.Faults {
		lines = append(lines, fault+flagsOf(fault))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// flagsOf returns the flags of the first field in a fault.
func flagsOf(fault string) (flags string) {
	// The faulty field comes first. Later fields in the text belong to the
	// cure.
	first := len(fault)
	for _, known := range flagsOfFields {
		if at := strings.Index(fault, known.field); at >= 0 && at < first {
			first, flags = at, " (by "+known.flags+")"
		}
	}
	return flags
}
