package test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestAPIClientRenewsOnce: requests that are refused together wait for one
// refresh. One that is refused later has none of its own.
func TestAPIClientRenewsOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := refusing(invalidToken, "at-0")
		answer := p.Answer
		p.On("/slow", func(r *world.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			return answer(r)
		})
		api := apiClient(t, world.Client(t, p), living(), apiURL)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				resp, err := api.Get(apiURL + map[bool]string{true: "/slow", false: "/x"}[i == 0])
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("got %v, %v", resp, err)
				}
			})
		}
		wg.Wait()
		p.WantRequests(t, 1, "/token")
		p.WantRequests(t, 2, "/slow")
		p.WantRequests(t, 198, "/x")
	})
}

// TestAPIClientGivesUp: an API that refuses new tokens, too, does not cost a
// refresh for each request. Other APIs of the source are not affected.
func TestAPIClientGivesUp(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := refusing(invalidToken, "all")
		source := world.Client(t, p).TokenSource(living(), nil)
		api, err := source.APIClient(apiURL)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if resp, err := api.Get(apiURL + "/x"); err != nil || resp.StatusCode != 401 {
				t.Errorf("got %v, %v", resp, err)
			}
		}
		p.WantRequests(t, 1, "/token")
		p.WantRequests(t, 4, "/x")
		other, err := source.APIClient(apiURL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Get(apiURL + "/x"); err != nil {
			t.Error(err)
		}
		p.WantRequests(t, 2, "/token")
	})
}

// TestAPIClientCannotRenew: the caller learns why, and the bodies are closed.
func TestAPIClientCannotRenew(t *testing.T) {
	refusal := &closing{Reader: strings.NewReader("no")}
	p := world.Answering(400, `{"error":"invalid_grant"}`)
	p.On("/x", func(*world.Request) (*http.Response, error) {
		resp := world.Reply(401, "", "WWW-Authenticate", invalidToken)
		resp.Body = refusal
		return resp, nil
	})
	api := apiClient(t, world.Client(t, p), living(), apiURL)
	first, second := &closing{Reader: strings.NewReader("a=b")}, &closing{}
	r, err := http.NewRequest("POST", apiURL+"/x", first)
	if err != nil {
		t.Fatal(err)
	}
	r.GetBody = func() (io.ReadCloser, error) { return second, nil }
	if _, err := api.Do(r); !errors.Is(err, authcode.GrantRejected) {
		t.Errorf("got %v", err)
	}
	if !refusal.closed || !first.closed || !second.closed {
		t.Errorf("closed: refusal %v, first body %v, second body %v", refusal.closed, first.closed,
			second.closed)
	}
	r.Body = io.NopCloser(strings.NewReader("a=b"))
	r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("the file is gone") }
	if resp, err := api.Do(r); err != nil || resp.StatusCode != 401 {
		t.Errorf("without a second body: %v, %v", resp, err)
	}
}

// TestAPIClientHasNoAnswer: where a RoundTripper returns an answer beside its
// error, the error counts, and no token is renewed.
func TestAPIClientHasNoAnswer(t *testing.T) {
	broken := errors.New("broken")
	p := &world.Provider{}
	p.On("/x", func(*world.Request) (*http.Response, error) {
		return world.Reply(401, "", "WWW-Authenticate", invalidToken), broken
	})
	api := apiClient(t, world.Client(t, p), living(), apiURL)
	r, err := http.NewRequest("GET", apiURL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	// http.Client would log it.
	if _, err := api.Transport.RoundTrip(r); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	p.WantRequests(t, 1)
}

// TestAPIClientGetsNoToken: a function of the app that returns neither a token nor
// an error sends nothing.
func TestAPIClientGetsNoToken(t *testing.T) {
	p := &world.Provider{}
	api, err := world.Client(t, p).APIClient(
		func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, nil }, apiURL)
	if err != nil {
		t.Fatal(err)
	}
	body := &closing{Reader: strings.NewReader("a=b")}
	_, err = api.Post(apiURL+"/x", formType, body)
	if !errors.Is(err, authcode.Configuration) || !body.closed {
		t.Errorf("got %v, closed: %v", err, body.closed)
	}
	p.WantRequests(t, 0)
}

// TestAPIClientRenewsBoundTokens: RFC 9449 section 7.1, with a fresh proof.
func TestAPIClientRenewsBoundTokens(t *testing.T) {
	b := &keyBinding{key: "k", tokenType: "DPoP"}
	p := world.Answering(200, `{"access_token":"at-1","token_type":"DPoP"}`)
	p.On("/x", func(r *world.Request) (*http.Response, error) {
		if r.Header.Get("Authorization") == "DPoP at-1" {
			return world.Reply(200, ""), nil
		}
		return world.Reply(401, "", "WWW-Authenticate", `DPoP error="invalid_token"`), nil
	})
	c := world.Client(t, p, func(c *config) { c.Binding = b.seam() })
	resp, err := apiClient(t, c, living(), apiURL).Get(apiURL + "/x")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v, %v", resp, err)
	}
	if len(b.proofs) != 3 || b.proofs[0] == b.proofs[2] {
		t.Errorf("proofs %q", b.proofs)
	}
}
