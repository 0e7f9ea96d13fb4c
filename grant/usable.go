package grant

import (
	"encoding/binary"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// How good a token is.
type tokenState int

const (
	useless tokenState = iota // there is none, it has expired, or it was refused
	ageing                    // it is valid, and it is time to renew it
	good
)

// usable returns the token for w if it can be used now.
func (o *opened) usable(w want, refused string) (*oauth2.Token, tokenState) {
	e := o.find(w)
	if e == nil || len(e.Token) == 0 {
		return nil, useless
	}
	age := o.age()
	left := e.left(age)
	// A request needs some time, and x/oauth2 treats a token as expired ten
	// seconds before its end. A short-lived one would then never be valid.
	margin := min(10*time.Second, e.life()/10)
	if e.Life > 0 && left <= margin {
		return nil, useless
	}
	t, err := e.token(age)
	if err != nil || t.AccessToken == refused {
		return nil, useless
	}
	if e.Life > 0 && left <= margin+o.lead(e.life()) {
		return t, ageing
	}
	return t, good
}

// lead is how long before its end a token is renewed: between a twentieth and
// three twentieths of its life. It differs from grant to grant, so that a
// thousand of one minute are not renewed in one second, and is the same at all
// instances.
func (o *opened) lead(life time.Duration) time.Duration {
	spread := time.Duration(binary.BigEndian.Uint16(o.record.ID[:2])) // 0 to 65,535
	return life/20 + life/10*spread/65536
}

// accessToken returns the access token for w, or "".
func (o *opened) accessToken(w want) string {
	e := o.find(w)
	if e == nil || len(e.Token) == 0 {
		return ""
	}
	t, err := e.token(0)
	if err != nil {
		return ""
	}
	return t.AccessToken
}

// cannotRenew returns the error for a token for w that no renewal can bring, or
// nil.
func (o *opened) cannotRenew(w want) error {
	var e *authcode.Error
	switch {
	// The answer to a renewal would be like that to the login. To read it as a
	// failure would lose its refresh token.
	case w == (want{}) && o.accessToken(w) == "":
		e = authcode.NewError(authcode.Configuration, checkNone, "the provider issued no access "+
			"token, only an ID token: request a scope of the API that the app calls", nil)
	case o.Refresh == "":
		e = authcode.NewError(authcode.InteractionRequired, checkNone, "the access token has expired "+
			"and there is no refresh token: send the person to sign in again, or request a scope "+
			"such as offline_access at the login", nil)
	default:
		return nil
	}
	e.Provider = o.Provider
	return e
}
