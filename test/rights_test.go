package test

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

func resource(uris ...string) authcode.AuthOption { return authcode.Param("resource", uris...) }

const serviceA, serviceB = "https://a.example/x?y", "urn:b"

// resources are the services that a login names (RFC 8707).
var resources = []struct {
	claim  string
	static string // in Provider.AuthParams
	opts   options
	asked  string
	token  string // in the token request
}{
	{"none", "", nil, "", ""},
	{"one", "", options{resource(serviceA)}, serviceA, serviceA},
	{"two", "", options{resource(serviceA, serviceB)}, serviceA + " " + serviceB, ""},
	{"two, one by one", "", options{resource(serviceA), resource(serviceB)},
		serviceA + " " + serviceB, ""},
	{"of every login", serviceB, nil, serviceB, serviceB},
	{"of this one", serviceB, options{resource(serviceA)}, serviceA, serviceA},
	{"two of this login", serviceB, options{resource(serviceA, serviceA)},
		serviceA + " " + serviceA, ""},
}

// TestResource: services are named as often as there are, and a single one in
// the token request too.
func TestResource(t *testing.T) {
	for _, row := range resources {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{}
			c := world.Client(t, p, func(c *config) {
				if row.static != "" {
					c.Provider.AuthParams = map[string]string{"resource": row.static}
				}
			})
			l := world.Begin(t, c, nil, row.opts...)
			l.Finish(t, c)
			if got := strings.Join(l.Query["resource"], " "); got != row.asked {
				t.Errorf("asked for %q", got)
			}
			if got := strings.Join(p.Requests()[0].Form["resource"], " "); got != row.token {
				t.Errorf("the token request names %q", got)
			}
		})
	}
	for _, bad := range []string{
		"", "relative", "https://a.example/#x", "https://a.example#", "%zz:",
	} {
		c := world.Client(t, &world.Provider{})
		_, _, err := world.Start(c, resource(serviceA, bad))
		world.WantError(t, err, authcode.Configuration, "param.resource")
	}
}

const details = `[{"type":"payment","amount":"1.00"},{"type":"account"}]`

// badDetails are values of authorization_details that no login begins with.
var badDetails = map[string][]string{
	"an empty list":           {"[]"},
	"no type":                 {`[{}]`},
	"an empty type":           {`[{"type":""}]`},
	"a type that is a number": {`[{"type":7}]`},
	"a text":                  {`["payment"]`},
	"not JSON":                {"x"},
	"one of two":              {`[{"type":"a"},null]`},
	"an object":               {`{"type":"a"}`},
	"two lists":               {details, details},
}

// TestAuthorizationDetails: they go out as they are (RFC 9396 section 2); what
// was granted comes back.
func TestAuthorizationDetails(t *testing.T) {
	const limit = "12345678901234567890"
	c := world.Client(t, world.Answering(200, `{"access_token":"a",`+
		`"authorization_details":[{"type":"payment","limit":`+limit+`}]}`))
	l := world.Begin(t, c, nil, authcode.Param("authorization_details", details))
	if got := l.Query.Get("authorization_details"); got != details {
		t.Errorf("asked for %s", got)
	}
	granted, _ := l.Finish(t, c).Token.Extra("authorization_details").([]any)
	if len(granted) != 1 || granted[0].(map[string]any)["limit"] != json.Number(limit) {
		t.Errorf("granted %v", granted)
	}
	for claim, values := range badDetails {
		t.Run(claim, func(t *testing.T) {
			_, _, err := world.Start(c, authcode.Param("authorization_details", values...))
			world.WantError(t, err, authcode.Configuration, "param.authorization_details")
		})
	}
}
