package oidc

import (
	"cmp"
	"context"
	"maps"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// fetchUserInfo returns the claims of the userinfo endpoint (OpenID Connect Core section 5.3) about
// the subject of the ID token with these claims.
func (i *issuer) fetchUserInfo(ctx context.Context, resp *authcode.TokenResponse, claims wire.Object) (wire.Object, error) {
	url, err := i.userInfoURL(ctx, resp.Connection)
	if err != nil {
		return nil, err
	}
	doc, err := fetch(ctx, resp.Do, "userinfo", url, maxDocument)
	if err != nil {
		return nil, err
	}
	var info wire.Object
	if doc.kind == "application/jwt" {
		info, err = i.readSignedInfo(ctx, resp.Connection, string(doc.body))
		if err != nil {
			return nil, err
		}
	} else {
		var bad error
		if info, bad = wire.ParseObject(doc.body); bad != nil {
			return nil, failed(authcode.BadAnswer, "userinfo.form", nil)
		}
	}
	// Section 5.3.2: otherwise an access token that was swapped would bring somebody else's claims.
	if text(info, "sub") != text(claims, "sub") {
		return nil, userInfo.refuse(".sub")
	}
	return info, nil
}

// userInfoURL is the endpoint of the Connection, or else the one of the metadata: an app may have
// given the other endpoints itself.
func (i *issuer) userInfoURL(ctx context.Context, conn *authcode.Connection) (string, error) {
	if conn.Endpoints.UserInfoURL != "" {
		return conn.Endpoints.UserInfoURL, nil
	}
	m, err := i.metadata(ctx, conn, userInfo.by)
	if err != nil {
		return "", err
	}
	url := m.endpoints.UserInfoURL
	if alias := m.endpoints.MTLS; alias != nil && conn.Config.Binding.Certificate {
		url = cmp.Or(alias.UserInfoURL, url) // RFC 8705 section 5: the token is bound to a certificate
	}
	if url == "" {
		return "", failed(authcode.BadAnswer, "userinfo.endpoint", nil)
	}
	return url, nil
}

// readSignedInfo verifies a userinfo answer that is a JWT. See [UserInfo] for what it may lack.
func (i *issuer) readSignedInfo(ctx context.Context, conn *authcode.Connection, text string) (wire.Object, error) {
	t, err := i.open(ctx, conn, userInfo, text)
	if err != nil {
		return nil, err
	}
	if _, present := t.Object["iss"]; present {
		if err := i.checkIssuer(t); err != nil {
			return nil, err
		}
	}
	if _, present := t.Object["aud"]; present {
		if err := i.checkAudience(t, conn.Config.ClientID); err != nil {
			return nil, err
		}
	}
	if raw, present := t.Object["exp"]; present {
		if exp, ok := date(raw); !ok || exp+leeway <= seconds(conn.Config.Clock.Now()) {
			return nil, t.refuse(".exp")
		}
	}
	return t.Object, nil
}

// merge adds the claims of info that the ID token lacks. An e-mail address keeps the
// email_verified of its own document: the one of the other document may be about another address.
func merge(token, info wire.Object) wire.Object {
	all := make(wire.Object, len(token)+len(info))
	maps.Copy(all, info)
	maps.Copy(all, token)
	owner := token
	if text(token, "email") == "" && text(info, "email") != "" {
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
