package authcode_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// TestMarshalTokenIsLossless: every member of the answer survives storage, as it was.
func TestMarshalTokenIsLossless(t *testing.T) {
	members := map[string]struct {
		json string
		want any
	}{
		"large":   {`12345678901234567890123`, json.Number("12345678901234567890123")},
		"precise": {`0.10000000000000000000001`, json.Number("0.10000000000000000000001")},
		"huge":    {`1e999`, json.Number("1e999")},
		"zeros":   {`"0012"`, "0012"},
		"flag":    {`true`, true},
		"nothing": {`null`, nil},
		"text":    {`"<é\u2028\"\\>&"`, "<é\u2028\"\\>&"},
		"nested": {`{"a":[1,9007199254740993,{"b":"c"}],"d":{}}`, map[string]any{
			"a": []any{json.Number("1"), json.Number("9007199254740993"), map[string]any{"b": "c"}}, "d": map[string]any{},
		}},
		"list":       {`[]`, []any{}},
		"Other-Case": {`"x"`, "x"},
	}
	var answer strings.Builder
	answer.WriteString(`{"access_token":"at-1","token_type":"bearer","refresh_token":"rt-1","expires_in":3600,"scope":"a b"`)
	for name, m := range members {
		answer.WriteString(`,"` + name + `":` + m.json)
	}
	answer.WriteString("}")
	c := hNew(t, hAnswering(200, answer.String()))
	token := hStart(t, c, nil).finish(t, c).Token

	b, err := authcode.MarshalToken(token)
	if err != nil {
		t.Fatal(err)
	}
	got, err := authcode.UnmarshalToken(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessToken != "at-1" || got.RefreshToken != "rt-1" || got.TokenType != "bearer" || !got.Expiry.Equal(token.Expiry) {
		t.Errorf("got %q, %q, %q until %v", got.AccessToken, got.RefreshToken, got.TokenType, got.Expiry)
	}
	for name, m := range members {
		for when, tok := range map[string]*oauth2.Token{"before": token, "after": got} {
			if v := tok.Extra(name); !reflect.DeepEqual(v, m.want) {
				t.Errorf("%s %s is %#v, want %#v", name, when, v, m.want)
			}
		}
	}
	if got.Extra("scope") != "a b" || got.Extra("missing") != nil {
		t.Errorf("scope is %v, missing is %v", got.Extra("scope"), got.Extra("missing"))
	}
	again, err := authcode.MarshalToken(got)
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("marshalled twice: %v\n%s\n%s", err, b, again)
	}
	// A refresh after storage carries the members over, as one before would.
	fresh, err := hNew(t, hAnswering(200, `{"access_token":"at-2"}`)).Refresh(t.Context(), got)
	if err != nil || fresh.RefreshToken != "rt-1" || fresh.Extra("large") != json.Number("12345678901234567890123") {
		t.Errorf("refreshed: %v, %v", fresh, err)
	}
}

// TestMarshalTokenOfOthers: a token that another library made keeps its four fields.
func TestMarshalTokenOfOthers(t *testing.T) {
	for claim, token := range map[string]oauth2.Token{
		"all fields": {AccessToken: "at", TokenType: "Bearer", RefreshToken: "rt", Expiry: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)},
		"one field":  {AccessToken: "at"},
	} {
		t.Run(claim, func(t *testing.T) {
			b, err := authcode.MarshalToken(&token)
			if err != nil {
				t.Fatal(err)
			}
			got, err := authcode.UnmarshalToken(b)
			if err != nil || !reflect.DeepEqual(*got, token) {
				t.Errorf("got %v, %v from %s", got, err, b)
			}
		})
	}
}

func TestMarshalTokenRefuses(t *testing.T) {
	for claim, token := range map[string]*oauth2.Token{"nil": nil, "a token without an access token": {RefreshToken: "rt"}} {
		t.Run(claim, func(t *testing.T) {
			_, err := authcode.MarshalToken(token)
			hWantError(t, err, authcode.Malformed, "token.none")
		})
	}
	for claim, text := range map[string]string{
		"nothing": ``, "null": `null`, "an empty object": `{}`, "a list": `[]`, "half a token": `{"access_token":"at"`,
		"two tokens": `{"access_token":"at"}{"access_token":"at"}`, "a number for a token": `{"access_token":1}`,
		"a broken expiry": `{"access_token":"at","expiry":"soon"}`, "an answer that is no object": `{"access_token":"at","answer":[1]}`,
	} {
		t.Run(claim, func(t *testing.T) {
			token, err := authcode.UnmarshalToken([]byte(text))
			e := hWantError(t, err, authcode.Malformed, "token.stored")
			if token != nil || text != "" && strings.Contains(e.Error(), text) {
				t.Errorf("got %v, %v", token, e)
			}
		})
	}
}

// TestUnmarshalTokenOwnsItsBytes: the caller may reuse the buffer.
func TestUnmarshalTokenOwnsItsBytes(t *testing.T) {
	b := []byte(`{"access_token":"at","answer":{"id_token":"id-1","n":17}}`)
	token, err := authcode.UnmarshalToken(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if again, err := authcode.MarshalToken(token); err != nil || !strings.Contains(string(again), `"n":17`) || token.Extra("id_token") != "id-1" {
		t.Errorf("got %s, %v", again, err)
	}
}

// hClosing tells whether a body was closed.
type hClosing struct {
	io.Reader
	closed bool
}

func (c *hClosing) Close() error {
	c.closed = true
	return nil
}

func TestRevoke(t *testing.T) {
	both := &oauth2.Token{AccessToken: "at", RefreshToken: "rt"}
	rows := []struct {
		claim      string
		token      *oauth2.Token
		status     int
		body       string
		sent, hint string
		reason     authcode.Reason // "": success
		check      string
	}{
		{"the refresh token goes first", both, 200, ``, "rt", "refresh_token", "", ""},
		{"without one the access token goes", &oauth2.Token{AccessToken: "at"}, 200, ``, "at", "access_token", "", ""},
		{"200 is success, whatever the answer", both, 200, `<html>`, "rt", "refresh_token", "", ""},
		{"200 is success, even with an error", both, 200, `{"error":"invalid_token"}`, "rt", "refresh_token", "", ""},
		{"any status of success is one", both, 204, ``, "rt", "refresh_token", "", ""},
		{"unsupported_token_type", both, 400, `{"error":"unsupported_token_type"}`, "rt", "refresh_token", authcode.BadAnswer, "answer.error"},
		{"an empty 400", both, 400, ``, "rt", "refresh_token", authcode.BadAnswer, "answer.error"},
		{"invalid_client", both, 401, `{"error":"invalid_client"}`, "rt", "refresh_token", authcode.Configuration, "answer.configuration"},
		{"a 503", both, 503, ``, "rt", "refresh_token", authcode.Overloaded, "answer.error"},
		{"a 500", both, 500, ``, "rt", "refresh_token", authcode.BadAnswer, "answer.error"},
		{"a redirect", both, 302, ``, "rt", "refresh_token", authcode.BadAnswer, "answer.redirect"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			body := &hClosing{Reader: strings.NewReader(row.body)}
			p := &hProvider{answer: func(*hRequest) (*http.Response, error) {
				resp := hReply(row.status, "")
				resp.Body = body
				return resp, nil
			}}
			err := hNew(t, p).Revoke(t.Context(), row.token)
			if row.reason == "" && err != nil {
				t.Error(err)
			} else if row.reason != "" {
				hWantError(t, err, row.reason, row.check)
			}
			p.wantRequests(t, 1)
			r := p.seen()[0]
			want := map[string][]string{"token": {row.sent}, "token_type_hint": {row.hint}}
			id, secret, _ := r.BasicAuth()
			if r.URL.String() != hRevokeURL || !reflect.DeepEqual(map[string][]string(r.form), want) || id != "client" || secret != hSecret {
				t.Errorf("sent %s %v as %q", r.URL, r.form, id)
			}
			if !body.closed {
				t.Error("the answer's body was not closed")
			}
		})
	}
}

func TestRevokeNeeds(t *testing.T) {
	p := &hProvider{}
	for claim, token := range map[string]*oauth2.Token{"nil": nil, "an empty token": {}} {
		t.Run(claim+" is refused", func(t *testing.T) {
			hWantError(t, hNew(t, p).Revoke(t.Context(), token), authcode.Malformed, "token.none")
		})
	}
	t.Run("no RevocationURL is refused", func(t *testing.T) {
		c := hNew(t, p, func(c *authcode.Config) { c.Provider.RevocationURL = "" })
		err := c.Revoke(t.Context(), &oauth2.Token{AccessToken: "at"})
		e := hWantError(t, err, authcode.Configuration, "revoke.endpoint")
		if !strings.Contains(e.Error(), "Provider.RevocationURL") {
			t.Errorf("%q does not name the field", e)
		}
	})
	p.wantRequests(t, 0)
}
