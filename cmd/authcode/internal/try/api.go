package try

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

const apiLimit = 64 << 10 // how much of an API's answer is read

// userinfo returns where the API is that the app calls with a person's token: the userinfo
// endpoint, or the provider's own API about a person, unless -userinfo-url names another.
// It is empty where nobody knows.
func (s *signIn) userinfo(ctx context.Context) string {
	if s.userinfoURL != "" {
		return s.userinfoURL
	}
	conn, err := s.client.Connection(ctx)
	if err != nil {
		return ""
	}
	return conn.Endpoints.UserInfoURL
}

// apiAnswer is what the page shows of the API call.
type apiAnswer struct {
	Status string         // "200 OK", or what went wrong
	Claims map[string]any // nil if there is no usable answer
	StepUp bool           // the API asks for a better or a more recent sign-in
}

// callAPI asks the provider who the token belongs to. The client from APIClient sends the
// token to that origin only, and renews it first if it has expired.
func (a *app) callAPI(ctx context.Context, who *account, source *authcode.TokenSource,
	address string) apiAnswer {
	if address == "" {
		return apiAnswer{Status: "no userinfo endpoint is known"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return apiAnswer{Status: "the userinfo endpoint is not a URL"}
	}
	req.Header.Set("Accept", "application/json")
	client, err := source.APIClient(req.URL.Scheme + "://" + req.URL.Host)
	if err != nil {
		return a.apiFailed(who, err)
	}
	res, err := client.Do(req)
	if err != nil {
		return a.apiFailed(who, err)
	}
	defer res.Body.Close()
	answer := apiAnswer{Status: res.Status}
	var opts []authcode.AuthOption
	if found, ok := oidc.StepUp(res); ok {
		answer.StepUp, opts = true, append([]authcode.AuthOption{},
			found...) // not nil, if it names nothing
	}
	who.stepUp = opts
	decoder := json.NewDecoder(io.LimitReader(res.Body, apiLimit))
	decoder.UseNumber()
	if res.StatusCode != http.StatusOK {
		return answer
	}
	if err := decoder.Decode(&answer.Claims); err != nil {
		answer = apiAnswer{Status: res.Status + ", but no JSON of a usable size"}
	}
	return answer
}

func (a *app) apiFailed(who *account, err error) apiAnswer {
	a.log.Warn("api call failed", "provider", who.signIn.name, "error", err)
	var e *authcode.Error
	if errors.As(err, &e) && e.Final {
		return apiAnswer{Status: "the token has expired and cannot be renewed: sign in again"}
	}
	return apiAnswer{Status: "no usable answer from the provider"}
}
