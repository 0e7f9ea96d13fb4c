package oidc

import (
	"cmp"
	"context"
	"maps"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// UserInfoURL returns the provider's userinfo endpoint, for an app that asks it later, with
// [authcode.TokenSource.APIClient]. Its error is an [*authcode.Error], with Check
// "userinfo.endpoint" if the provider has none. It takes ten seconds at most, and uses the client of
// [HTTPClient] if nobody has loaded the metadata yet.
func (i *Issuer) UserInfoURL(ctx context.Context) (string, error) {
	m, err := i.withUserInfo(ctx)
	if err != nil {
		return "", err
	}
	return m.userInfoURL, nil
}

// UserInfoAlias is UserInfoURL for a token that is bound to a certificate (RFC 8705 section 5).
func (i *Issuer) UserInfoAlias(ctx context.Context) (string, error) {
	m, err := i.withUserInfo(ctx)
	if err != nil {
		return "", err
	}
	return cmp.Or(m.userInfoAlias, m.userInfoURL), nil
}

func (i *Issuer) withUserInfo(ctx context.Context) (*metadata, *authcode.Error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	m, err := i.metadata(ctx, i.client, &i.handlers)
	if err == nil && m.userInfoURL == "" {
		err = failed(authcode.BadAnswer, "userinfo.endpoint", nil)
	}
	return m, err
}

// fetchUserInfo returns the claims of the userinfo endpoint (OpenID Connect Core section 5.3) about
// the subject of the ID token.
func (i *Issuer) fetchUserInfo(ctx context.Context, m *metadata, a *authcode.Answer, idToken wire.Object) (wire.Object, *authcode.Error) {
	url := m.userInfoURL
	if a.MTLS && m.userInfoAlias != "" {
		url = m.userInfoAlias // RFC 8705 section 5: the token is bound to a certificate
	}
	doc, err := fetch(ctx, a.Do, "userinfo", url, maxDocument)
	if err != nil {
		return nil, err
	}
	var info wire.Object
	if doc.kind == "application/jwt" {
		info, err = i.readSignedInfo(ctx, m, a, string(doc.body))
		if err != nil {
			return nil, err
		}
	} else {
		var bad error
		if info, bad = wire.ParseObject(doc.body); bad != nil {
			return nil, failed(authcode.BadAnswer, "userinfo.form", nil)
		}
	}
	// Section 5.3.2: or an access token that was swapped would bring somebody else's claims.
	if text(info, "sub") != text(idToken, "sub") {
		return nil, refused("userinfo.sub")
	}
	return info, nil
}

// readSignedInfo verifies a userinfo answer that is a JWT; see [UserInfo] for what it may lack.
func (i *Issuer) readSignedInfo(ctx context.Context, m *metadata, a *authcode.Answer, text string) (wire.Object, *authcode.Error) {
	v := &verifier{"userinfo", m.infoAlgs, m, a.HTTP, &i.logins}
	t, err := v.verify(ctx, text)
	if err != nil {
		return nil, err
	}
	if _, present := t.Object["iss"]; present {
		if err := i.checkIssuer(t, "userinfo"); err != nil {
			return nil, err
		}
	}
	if _, present := t.Object["aud"]; present {
		if err := i.checkAudience(t, "userinfo", a.ClientID); err != nil {
			return nil, err
		}
	}
	if raw, present := t.Object["exp"]; present {
		if exp, ok := date(raw); !ok || exp+leeway <= seconds(time.Now()) {
			return nil, refused("userinfo.exp")
		}
	}
	return t.Object, nil
}

// merge adds to the ID token's claims those of info that it lacks. An e-mail address keeps the
// email_verified of its own document: the other's may be about another address.
func merge(idToken, info wire.Object) wire.Object {
	all := make(wire.Object, len(idToken)+len(info))
	maps.Copy(all, info)
	maps.Copy(all, idToken)
	owner := idToken
	if text(idToken, "email") == "" && text(info, "email") != "" {
		owner = info
	}
	for _, name := range []string{"email", "email_verified"} {
		delete(all, name)
		if raw, present := owner[name]; present {
			all[name] = raw
		}
	}
	return all
}
