package provider_test

import (
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
)

// TestShopifyCallback: a callback that Shopify has not signed, as it is, gets nobody in, and its code is not redeemed.
func TestShopifyCallback(t *testing.T) {
	r, s, a := play(t, "Shopify")
	for claim, sign := range map[string]func(url.Values){
		"no hmac":                 func(url.Values) {},
		"an empty hmac":           func(v url.Values) { v.Set("hmac", "") },
		"another secret's hmac":   func(v url.Values) { v.Set("hmac", strings.Repeat("0", 64)) },
		"another code":            func(v url.Values) { shopifySigns(v); v.Set("code", "stolen") },
		"another shop":            func(v url.Values) { shopifySigns(v); v.Set("shop", "evil.myshopify.com") },
		"a parameter more":        func(v url.Values) { shopifySigns(v); v.Set("x", "y") },
		"a parameter less":        func(v url.Values) { shopifySigns(v); v.Del("timestamp") },
		"a hmac of half its size": func(v url.Values) { shopifySigns(v); v.Set("hmac", v.Get("hmac")[:32]) },
	} {
		t.Run(claim, func(t *testing.T) {
			forged := *r
			forged.sign = sign
			s.row = &forged
			s.reset(t)
			a.signIn(t)
			a.wantFailure(t, authcode.Forged, "callback.hmac")
			if n := s.seen(r.token); n != 0 {
				t.Errorf("%d token requests", n)
			}
		})
	}
}

// TestShopifyVector is the callback of shopify.dev's example, signed by openssl: what is signed is sorted.
func TestShopifyVector(t *testing.T) {
	callback, err := url.ParseQuery("code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com" +
		"&timestamp=1337178173&hmac=2fe4d807144ce4b76481a6e7bb5d948f681e4b2c866b1e936c452a1bf1ce2983")
	if err != nil {
		t.Fatal(err)
	}
	more, err := provider.Shopify("some-shop", "hush-hush-hush-hush").TokenParams(callback)
	if err != nil || len(more) != 0 {
		t.Errorf("refused: %v, or added %v", err, more)
	}
}

// TestShopNames: one shop has one issuer, however its name is written.
func TestShopNames(t *testing.T) {
	for _, name := range []string{"a-1", "A-1", "a-1.myshopify.com", "A-1.MyShopify.com"} {
		p := provider.Shopify(name, shopSecret)
		if p.Err != nil || p.TokenURL != "https://a-1.myshopify.com/admin/oauth/access_token" {
			t.Errorf("%s: %s, %v", name, p.TokenURL, p.Err)
		}
	}
}
