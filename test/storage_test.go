package test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// members are those of a token answer beside the usual ones, and what
// Token.Extra makes of them.
var members = map[string]struct {
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
		"a": []any{json.Number("1"), json.Number("9007199254740993"), map[string]any{"b": "c"}},
		"d": map[string]any{},
	}},
	"list":       {`[]`, []any{}},
	"Other-Case": {`"x"`, "x"},
}

// TestMarshalTokenIsLossless: every member of the answer survives storage, as
// it was.
func TestMarshalTokenIsLossless(t *testing.T) {
	answer := `{"access_token":"at-1","token_type":"bearer","refresh_token":"rt-1",` +
		`"expires_in":3600,"scope":"a b"`
	for name, m := range members {
		answer += `,"` + name + `":` + m.json
	}
	c := world.Client(t, world.Answering(200, answer+"}"))
	token := world.Begin(t, c, nil).Finish(t, c).Token
	got := stored(t, token)
	if got.AccessToken != "at-1" || got.RefreshToken != "rt-1" || got.TokenType != "bearer" ||
		!got.Expiry.Equal(token.Expiry) {
		t.Errorf("got %q, %q, %q until %v", got.AccessToken, got.RefreshToken, got.TokenType,
			got.Expiry)
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
	// A refresh after storage carries the members over, as one before would.
	p := world.Answering(200, `{"access_token":"at-2"}`)
	fresh, err := world.Client(t, p).Refresh(t.Context(), got)
	if err != nil || fresh.RefreshToken != "rt-1" || fresh.Extra("large") != members["large"].want {
		t.Errorf("refreshed: %v, %v", fresh, err)
	}
}

// TestMarshalTokenTwice: what was stored is stored in the same bytes again.
func TestMarshalTokenTwice(t *testing.T) {
	c := world.Client(t, world.Answering(200,
		`{"z":1,"access_token":"at-1","a":{"c":1e999,"b":[]},"expires_in":3600}`))
	token := world.Begin(t, c, nil).Finish(t, c).Token
	first, err := authcode.MarshalToken(token)
	if err != nil {
		t.Fatal(err)
	}
	again, err := authcode.MarshalToken(stored(t, token))
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("marshalled twice: %v\n%s\n%s", err, first, again)
	}
}

// TestMarshalTokenOfOthers: a token that another library made keeps its four
// fields.
func TestMarshalTokenOfOthers(t *testing.T) {
	for claim, token := range map[string]oauth2.Token{
		"all fields": {AccessToken: "at", TokenType: "Bearer", RefreshToken: "rt",
			Expiry: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)},
		"one field":             {AccessToken: "at"},
		"a refresh token alone": {RefreshToken: "rt"},
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
	for claim, token := range map[string]*oauth2.Token{
		"nil": nil, "a token without both tokens": {TokenType: "Bearer"},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := authcode.MarshalToken(token)
			world.WantError(t, err, authcode.Malformed, "token.none")
		})
	}
	for claim, text := range map[string]string{
		"nothing": ``, "null": `null`, "an empty object": `{}`, "a list": `[]`,
		"half a token":                    `{"access_token":"at"`,
		"two tokens":                      `{"access_token":"at"}{"access_token":"at"}`,
		"a number for a token":            `{"access_token":1}`,
		"a broken expiry":                 `{"access_token":"at","expiry":"soon"}`,
		"an answer that is not an object": `{"access_token":"at","answer":[1]}`,
	} {
		t.Run(claim, func(t *testing.T) {
			token, err := authcode.UnmarshalToken([]byte(text))
			e := world.WantError(t, err, authcode.Malformed, "token.stored")
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
	again, err := authcode.MarshalToken(token)
	if err != nil || !strings.Contains(string(again), `"n":17`) ||
		token.Extra("id_token") != "id-1" {
		t.Errorf("got %s, %v", again, err)
	}
}
