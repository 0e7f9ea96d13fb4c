package oidc

import (
	"cmp"
	"context"
	"maps"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// fetchUserInfo returns the claims of the userinfo endpoint about subject
// (OpenID Connect Core section 5.3).
func (i *issuer) fetchUserInfo(
	ctx context.Context, resp *authcode.TokenResponse, subject string,
) (wire.Object, error) {
	url, err := i.userInfoURL(ctx, resp.Connection)
	// OpenID Connect Discovery section 3 only recommends userinfo_endpoint, and
	// Dex had none for years. Then the ID token says everything.
	if url == "" { // with an error, too
		return nil, err
	}
	// resp.Do sends the access token as a bearer token, or with its proof of
	// possession (section 5.3.1).
	a, err := fetch(ctx, resp.Do, "userinfo", url)
	if err != nil {
		return nil, err
	}
	var info wire.Object
	// Section 5.3.2: a signed answer has this media type. Any other is read as
	// JSON, because some providers send JSON as text.
	if a.mediaType == "application/jwt" {
		info, err = i.verifyUserInfo(ctx, resp.Connection, string(a.body))
		if err != nil {
			return nil, err
		}
	} else if info, _, err = wire.ParseClaims(a.body, false); err != nil {
		return nil, newError(authcode.BadAnswer, "userinfo.form", nil)
	}
	// Section 5.3.2: sub must be exactly that of the ID token. Otherwise an
	// access token that was swapped would bring another person's claims.
	if sub, _ := info.Text("sub"); sub != subject {
		return nil, userInfo.refuse(".sub")
	}
	return info, nil
}

// userInfoURL returns the endpoint of the Connection, or else the one of the
// metadata. It is empty if the provider has none.
func (i *issuer) userInfoURL(ctx context.Context, conn *authcode.Connection) (string, error) {
	if conn.Endpoints.UserInfoURL != "" {
		return conn.Endpoints.UserInfoURL, nil
	}
	// An app that has replaced Provider.Metadata may have left it out.
	docs, err := i.documentsFor(conn)
	if err != nil {
		return "", err
	}
	m, err := docs.metadata.get(ctx, &docs.allowances[userInfo.purpose])
	if err != nil {
		return "", err
	}
	if m.badUserInfo {
		return "", newError(authcode.BadAnswer, "userinfo.endpoint", nil)
	}
	url := m.endpoints.UserInfoURL
	// RFC 8705 section 5: a token that is bound to a certificate goes to the
	// endpoint that asks for the certificate.
	if alias := m.endpoints.MTLS; alias != nil && conn.Config.Binding.Certificate {
		url = cmp.Or(alias.UserInfoURL, url)
	}
	return url, nil
}

// verifyUserInfo returns the claims of a signed answer. See [UserInfo] for what
// may be missing.
func (i *issuer) verifyUserInfo(
	ctx context.Context, conn *authcode.Connection, text string,
) (wire.Object, error) {
	t, err := i.open(ctx, conn, userInfo, text)
	if err != nil {
		return nil, err
	}
	// Section 5.3.2 only recommends iss and aud, and many providers leave them
	// out. The fresh access token and TLS already tie the answer to this login.
	// But a claim that is there and wrong shows that something was mixed up.
	// And a key that names an issuer signs for that issuer alone, so the answer
	// must then name it too.
	if _, present := t.Object["iss"]; present || t.signer.issuer != "" {
		if err := t.checkIssuer(); err != nil {
			return nil, err
		}
	}
	if _, present := t.Object["aud"]; present {
		if err := t.checkAudience(); err != nil {
			return nil, err
		}
	}
	// Section 5.3.2 does not mention exp. An answer that says it has expired
	// was not made for this request.
	if raw, present := t.Object["exp"]; present {
		if exp, ok := numericDate(raw); !ok || exp+leeway <= t.now {
			return nil, t.refuse(".exp")
		}
	}
	return t.Object, nil
}

// merge returns the claims of the ID token and those that only info has.
func merge(token, info wire.Object) wire.Object {
	all := make(wire.Object, len(token)+len(info))
	info.Detach() // some of it may be left out
	maps.Copy(all, info)
	// The ID token wins. Its claims are signed, and were checked for this
	// login.
	maps.Copy(all, token)
	// email and email_verified must come from one document. The email_verified
	// of the other may be about another address.
	owner := token
	inToken, _ := token.Text("email")
	inInfo, _ := info.Text("email")
	if inToken == "" && inInfo != "" {
		owner = info
	}
	// Delete first: if the owner lacks one of the two, it stays out.
	for _, name := range []string{"email", "email_verified"} {
		delete(all, name)
		if raw, present := owner[name]; present {
			all[name] = raw
		}
	}
	return all
}
