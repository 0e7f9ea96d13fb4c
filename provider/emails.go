package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// emailList describes a second request, for the list of a person's e-mail
// addresses. Each element of the list is an object. The fields email, primary
// and verified are the provider's names of its members.
type emailList struct {
	path                     string // below the profile: an app that changes UserInfoURL moves both
	list                     string // the member with the list; if empty, the answer is the list
	email, primary, verified string
}

// primaryEmail adds the primary address to id. There is no address if the app's
// scopes do not permit reading the list. Any other failure refuses the login,
// so that a person does not have an address today and none tomorrow, depending
// on whether the provider is well.
func (p profile) primaryEmail(
	ctx context.Context, resp *authcode.TokenResponse, id *authcode.Identity,
) error {
	// What is not a URL becomes "", which send refuses.
	target, _ := url.JoinPath(resp.Endpoints.UserInfoURL, p.emails.path)
	answer, err := p.send(ctx, resp, http.MethodGet, target)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if isForbidden(answer) {
		return nil
	}
	body, err := readBody(ctx, answer)
	if err != nil {
		return err
	}
	list, err := p.emails.elements(body)
	if err != nil {
		return refuse(authcode.IdentityRefused, "profile.emails")
	}
	// Use only the primary address. A person can add others, and an attacker
	// might have added one that belongs to somebody else.
	for _, obj := range list {
		if primary, _ := flag(obj[p.emails.primary]); primary {
			if verified, known := flag(obj[p.emails.verified]); known {
				id.Email, id.EmailVerified = address(obj[p.emails.email], verified)
			}
			return nil
		}
	}
	return nil
}

// elements reads the list. One malformed element spoils it, because it might be
// the primary address.
func (l *emailList) elements(body []byte) ([]wire.Object, error) {
	if l.list != "" {
		whole, _ := wire.ParseObject(body) // nil if it is malformed: then there is no list
		body = []byte(whole[l.list])
	}
	var elements []wire.Raw
	if err := json.Unmarshal(body, &elements); err != nil {
		return nil, err
	}
	list := make([]wire.Object, len(elements))
	for i, raw := range elements {
		obj, err := wire.ParseObject([]byte(raw))
		if err != nil {
			return nil, err
		}
		list[i] = obj
	}
	return list, nil
}
