package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

func TestStepUp(t *testing.T) {
	p := newMemOP("RS256")
	c := newMemLogin(t, p, oidc.Provider(memIssuer))
	for claim, row := range map[string]struct {
		status      int
		field       string
		ok          bool
		acr, maxAge string
	}{
		"the RFC's own":      {401, `Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="myACR"`, true, "myACR", ""},
		"and its other":      {401, `Bearer error="insufficient_user_authentication", max_age="5"`, true, "", "5"},
		"DPoP, both":         {401, `DPoP algs="ES256", error="insufficient_user_authentication", acr_values="a b", max_age=0`, true, "a b", "0"},
		"neither":            {401, `bearer error="insufficient_user_authentication"`, true, "", ""},
		"max_age of words":   {401, `Bearer error="insufficient_user_authentication", max_age="soon"`, true, "", ""},
		"a negative max_age": {401, `Bearer error="insufficient_user_authentication", max_age="-1"`, true, "", ""},
		"another status":     {403, `Bearer error="insufficient_user_authentication", max_age="5"`, false, "", ""},
		"another error":      {401, `Bearer error="invalid_token", max_age="5"`, false, "", ""},
		"another scheme":     {401, `Basic error="insufficient_user_authentication"`, false, "", ""},
		"nothing":            {401, ``, false, "", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			opts, ok := oidc.StepUp(&http.Response{StatusCode: row.status, Header: http.Header{"Www-Authenticate": {`Basic realm="x"`, row.field}}})
			if ok != row.ok {
				t.Fatalf("ok is %t", ok)
			}
			target, err := c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil), opts...)
			if err != nil {
				t.Fatal(err)
			}
			u, _ := url.Parse(target)
			if q := u.Query(); q.Get("acr_values") != row.acr || q.Get("max_age") != row.maxAge {
				t.Errorf("asks for acr_values %q, max_age %q", q.Get("acr_values"), q.Get("max_age"))
			}
		})
	}
	if _, ok := oidc.StepUp(nil); ok {
		t.Error("no answer is a challenge")
	}
}

func TestAuthenticationOf(t *testing.T) {
	got := oidc.AuthenticationOf(&authcode.Identity{Claims: map[string]any{
		"acr": "phr", "amr": []any{"hwk", 7, "pin"}, "auth_time": json.Number("1311280969"),
	}})
	if got.Context != "phr" || strings.Join(got.Methods, " ") != "hwk pin" || got.Time != 1311280969 {
		t.Errorf("got %+v", got)
	}
	for _, claims := range []map[string]any{nil, {"acr": 1, "amr": "pin", "auth_time": "x"}, {"auth_time": json.Number("-1")}, {"auth_time": json.Number("1e300")}} {
		if got := oidc.AuthenticationOf(&authcode.Identity{Claims: claims}); got.Context != "" || got.Methods != nil || got.Time != 0 {
			t.Errorf("%v: got %+v", claims, got)
		}
	}
	if got := oidc.AuthenticationOf(nil); got.Time != 0 {
		t.Errorf("nobody: got %+v", got)
	}
}
