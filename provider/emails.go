package provider

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// emailList is a second request, for the list of a person's e-mail addresses. Each element of the
// list is an object with the members email, primary and verified, under the provider's names.
type emailList struct {
	url                      string
	list                     string // the member that holds the list; if empty, the answer is the list
	email, primary, verified string
}

// primaryEmail adds the primary address to id. Without permission to read the list, which an app
// decides by its scopes, there is no address; any other failure refuses the login, so that
// an address does not come and go with the provider's health.
func (p profile) primaryEmail(ctx context.Context, answer *authcode.Answer, id *authcode.Identity) error {
	body, err := p.fetch(ctx, answer, http.MethodGet, p.emails.url)
	if e := (*authcode.Error)(nil); errors.As(err, &e) && e.Check == noPermission {
		return nil
	}
	if err != nil {
		return err
	}
	list, err := p.emails.elements(body)
	if err != nil {
		return refuse(authcode.IdentityRefused, "profile.emails")
	}
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

func (l *emailList) elements(body []byte) ([]wire.Object, error) {
	if l.list != "" {
		whole, err := wire.ParseObject(body)
		if err != nil {
			return nil, err
		}
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
