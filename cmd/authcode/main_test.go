package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestDispatch(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		want   string // on stdout if the status is 0, else on stderr
	}{
		{nil, 2, "authcode check ISSUER"},
		{[]string{"help"}, 0, "authcode check ISSUER"},
		{[]string{"-help"}, 0, "authcode check ISSUER"},
		{[]string{"bogus"}, 2, `there is no command "bogus"`},
		{[]string{"check"}, 2, "authcode check: ISSUER is missing"},
		{[]string{"check", "-help"}, 0, "-metadata-url"},
		{[]string{"try", "-bogus"}, 2, "authcode try: flag provided but not defined"},
		{[]string{"try", "-help"}, 0, "AUTHCODE_CLIENT_SECRET"},
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), test.args, func(string) string { return "" }, &stdout, &stderr)
		said := stderr.String()
		if test.status == 0 {
			said = stdout.String()
		}
		if status != test.status || !strings.Contains(said, test.want) {
			t.Errorf("%q: status %d, want %d, %s%s", test.args, status, test.status, &stdout, &stderr)
		}
	}
}
