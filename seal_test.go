package authcode

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// parts splits a sealed value, without securecookie, into its date, its
// ciphertext and its MAC.
func parts(value string) (date uint64, data, mac []byte, ok bool) {
	if packed, isPacked := strings.CutPrefix(value, "~"); isPacked {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(packed)
		if err != nil || len(raw) < 5+32 {
			return 0, nil, nil, false
		}
		for _, b := range raw[:5] {
			date = date<<8 | uint64(b)
		}
		return date, raw[5+32:], raw[5 : 5+32], true
	}
	raw, err := base64.URLEncoding.Strict().DecodeString(value)
	fields := bytes.SplitN(raw, []byte("|"), 3)
	if err != nil || len(fields) != 3 {
		return 0, nil, nil, false
	}
	date, err = strconv.ParseUint(string(fields[0]), 10, 64)
	data, fault := base64.URLEncoding.DecodeString(string(fields[1]))
	return date, data, fields[2], err == nil && fault == nil
}

// sealedBy reports, without securecookie, that value is authenticated for name
// with hashKey.
func sealedBy(hashKey []byte, name, value string) bool {
	date, data, sent, ok := parts(value)
	mac := hmac.New(sha256.New, hashKey)
	fmt.Fprintf(mac, "%s|%d|%s", strings.TrimPrefix(name, "__Host-login-"), date, base64.URLEncoding.EncodeToString(data))
	return ok && hmac.Equal(mac.Sum(nil), sent)
}

// decrypted returns what AES-CTR with blockKey makes of value's ciphertext.
func decrypted(t *testing.T, blockKey []byte, value string) []byte {
	t.Helper()
	_, data, _, ok := parts(value)
	block, errKey := aes.NewCipher(blockKey)
	if !ok || errKey != nil || len(data) < aes.BlockSize {
		t.Fatal(errKey, len(data))
	}
	plain := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCTR(block, data[:aes.BlockSize]).XORKeyStream(plain, data[aes.BlockSize:])
	return plain
}

// TestSealedCookie: a sealed cookie is date, MAC and ciphertext: all of it is
// authenticated, none readable. A long one is packed.
func TestSealedCookie(t *testing.T) {
	c := stateClient(t, nil)
	hashKey, blockKey, _ := derived(t, stateKey)
	for returnTo, isPacked := range map[string]bool{
		"/": false, "/" + strings.Repeat("x", 200): true,
	} {
		a := stateAttempt(c, time.Now())
		a.returnTo = returnTo
		name, want := c.cookieName(a.started, a.id), a.marshal(nil)
		value, err := c.sealers[0].seal(name, want)
		if err != nil || strings.HasPrefix(value, "~") != isPacked {
			t.Fatal(value, err)
		}
		got, err := c.sealers[0].open(name, value)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %x, %v; want %x", got, err, want)
		}
		if !sealedBy(hashKey, name, value) {
			t.Error("the cookie is not authenticated with the first key")
		}
		if got := decrypted(t, blockKey, value); !bytes.Equal(got, want) {
			t.Errorf("the second key decrypts it to %x, want %x", got, want)
		}
		checkChanged(t, c.sealers[0], name, value)
	}
}

// checkChanged checks that value opens neither with one bit of a character
// turned over nor cut short.
func checkChanged(t *testing.T, k *sealer, name, value string) {
	for i := range value {
		for bit := range 7 {
			forged := []byte(value)
			forged[i] ^= 1 << bit
			if _, err := k.open(name, string(forged)); err == nil {
				t.Fatalf("the cookie opens with bit %d of byte %d turned over", bit, i)
			}
		}
		if _, err := k.open(name, value[:i]); err == nil {
			t.Errorf("the first %d bytes of the cookie open", i)
		}
	}
}

// TestLongCookieIsNotOpened: nothing longer than our cookies is decoded, even
// if the app's own key has sealed it.
func TestLongCookieIsNotOpened(t *testing.T) {
	k := stateClient(t, nil).sealers[0]
	for size, opens := range map[int]bool{1200: true, maxAnswerCookie: false} {
		plain := make([]byte, size)
		value, err := k.seal("name", plain)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.open("name", value); (err == nil) != opens {
			t.Errorf("%d bytes in a value of %d: %v", size, len(value), err)
		}
	}
}

// TestPackRefuses: only what has the form of securecookie's values is packed.
func TestPackRefuses(t *testing.T) {
	const mac = "|0123456789abcdef0123456789abcdef"
	outer := func(text string) string { return base64.URLEncoding.EncodeToString([]byte(text)) }
	for value, fault := range map[string]error{
		outer("1|AAAA" + mac): nil, outer("1|AAAA"+mac) + "!": errCookie,
		outer("|AAAA" + mac): errCookie, outer("now|AAAA" + mac): errCookie,
		outer("1|AAAA"): errCookie, outer("1|A!AA" + mac): errCookie,
	} {
		if _, err := pack(value); err != fault {
			t.Errorf("%s: %v, want %v", value, err, fault)
		}
	}
}

// TestOneSpelling: a sealed value with something behind it does not open, not
// even where base64 has no unfinished group, nor one that ends otherwise.
func TestOneSpelling(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	k := stateClient(t, nil).sealers[0]
	for _, size := range []int{100, 101, 102, 300, 301, 302} {
		plain := make([]byte, size)
		value, err := k.seal("name", plain)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimRight(value, "=")
		others := []string{value + "=", value + "\n", value[:9] + "\r" + value[9:]}
		for _, c := range alphabet {
			others = append(others, text[:len(text)-1]+string(c)+value[len(text):])
		}
		for _, other := range others {
			if _, err := k.open("name", other); err == nil && other != value {
				t.Errorf("%q opens in place of %q", other, value)
			}
		}
	}
}

// TestSealedForOneName: a value opens under the name that it was sealed for, and
// under no other: not where a provider's name begins with the prefix that the
// signature leaves out, and not with or without the mark of an answer.
func TestSealedForOneName(t *testing.T) {
	k := stateClient(t, nil).sealers[0]
	a := stateAttempt(stateClient(t, nil), time.Now())
	var names []string
	for _, provider := range []string{"x", "login-x", "login-login-x", "x-login-x", "login"} {
		c := stateClient(t, func(c *Config) { c.Provider.Name = provider })
		name := c.cookieName(a.started, a.id)
		names = append(names, name, name+answerMark)
	}
	for _, name := range names {
		value, err := k.seal(name, []byte("plain"))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range names {
			if _, err := k.open(other, value); (err == nil) != (other == name) {
				t.Errorf("sealed for %s, opened as %s: %v", name, other, err)
			}
		}
	}
}

// TestWorkspacesKeepNoSecret: what was sealed or opened is not kept for the next
// login, which would get it if its own cookie does not open.
func TestWorkspacesKeepNoSecret(t *testing.T) {
	k := stateClient(t, nil).sealers[0]
	secret := []byte(strings.Repeat("secret", 9))
	for range 100 { // the pool may give away another workspace
		value, err := k.seal("name", secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.open("name", value); err != nil {
			t.Fatal(err)
		}
		if plain, err := k.open("other", value); err == nil || plain != nil {
			t.Fatalf("got %q, %v", plain, err)
		}
		w := k.workspaces.Get().(*workspace)
		if bytes.Contains(w.in[:cap(w.in)], secret[:6]) || w.out != nil {
			t.Fatalf("the workspace has %q and %q", w.in, w.out)
		}
		k.workspaces.Put(w)
	}
}

// TestCookiesAtOnce: requests that seal and open at the same time share nothing,
// also after they have given their workspaces back.
func TestCookiesAtOnce(t *testing.T) {
	const requests, cookies = 8, 100
	k := stateClient(t, nil).sealers[0]
	var all sync.WaitGroup
	for n := range requests {
		all.Go(func() {
			var opened [cookies][]byte
			want := func(i int) []byte { return bytes.Repeat([]byte{byte(n*cookies + i)}, 1+(i*37)%900) }
			for i := range opened {
				name := fmt.Sprint(n, "-", i)
				value, err := k.seal(name, want(i))
				if err != nil {
					t.Error(err)
				}
				if opened[i], err = k.open(name, value); err != nil {
					t.Error(err)
				}
			}
			for i, got := range opened {
				if !bytes.Equal(got, want(i)) {
					t.Errorf("cookie %d-%d holds another one's %x", n, i, got)
				}
			}
		})
	}
	all.Wait()
}
