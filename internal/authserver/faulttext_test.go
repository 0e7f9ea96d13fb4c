package authserver_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

// TestParseFault: texts, and what the place they are set at then says.
func TestParseFault(t *testing.T) {
	s := authserver.NewServer()
	defer s.Close()
	for text, want := range map[string]string{
		"Set issuer " + `"a b"`:                         `"issuer":"a b"`,
		"Answer 418 text/plain no tea":                  "no tea",
		"First 1 Set issuer 1":                          `"issuer":1`,
		"ContentType text/plain":                        `"issuer":`,
		"AnswerHeader X-A one & two":                    "one,two",
		"AnswerHeader X-A " + `""`:                      `"issuer":`,
		"Every 1 Rename issuer Issuer":                  `"Issuer":`,
		"Answer 200 application/json " + `{"a & b":""}`: `{"a & b":""}`,
	} {
		fault, err := authserver.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		s.SetFaults(authserver.Discovery, fault)
		resp, err := http.Get(s.URL + "/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		body := new(strings.Builder)
		resp.Write(body)
		said := body.String() + strings.Join(resp.Header.Values("X-A"), ",")
		if !strings.Contains(said, want) {
			t.Errorf("%s: got %s, want %s", text, said, want)
		}
	}
	for _, text := range []string{"", "Sets a b", "Error x y z", "Header Sets a b"} {
		if _, err := authserver.ParseFault(text); err == nil {
			t.Errorf("%q is a fault", text)
		}
	}
}
