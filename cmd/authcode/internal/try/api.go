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

const apiLimit = 64 << 10 // bytes of an API's answer: a page shows no more

// userinfo returns the address of the API that the app calls with a person's
// token. That is -userinfo-url, or the userinfo endpoint, or the provider's own
// API about a person. It returns "" if none is known.
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

// apiAnswer is the part of the API's answer that the page shows.
type apiAnswer struct {
	Status string         // "200 OK", or what went wrong
	Claims map[string]any // nil if there is no usable answer
	StepUp bool           // the API demands a stronger or more recent sign-in
}

// callAPI asks the provider about the person to whom the token belongs. The
// client from APIClient sends the token to that origin only. It renews the
// token first if it has expired.
func (a *app) callAPI(ctx context.Context, who *account, source *authcode.TokenSource,
	address string) apiAnswer {
	if address == "" {
		return apiAnswer{Status: "no userinfo endpoint is known: set -userinfo-url"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return apiAnswer{Status: "the userinfo endpoint is not a URL: set -userinfo-url"}
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
	// RFC 9470 section 3. A challenge without parameters still asks for a new
	// login, so the options must not be nil.
	if found, ok := oidc.StepUp(res); ok {
		answer.StepUp, opts = true, append([]authcode.AuthOption{}, found...)
	}
	who.stepUp = opts
	// Numbers stay exact: as a float64, a long user id would be shown wrongly.
	decoder := json.NewDecoder(io.LimitReader(res.Body, apiLimit))
	decoder.UseNumber()
	if res.StatusCode != http.StatusOK {
		return answer
	}
	if err := decoder.Decode(&answer.Claims); err != nil {
		answer = apiAnswer{Status: res.Status + ", but the answer is not valid JSON, or too long"}
	}
	return answer
}

// apiFailed logs why there was no answer, and says what a person can do.
func (a *app) apiFailed(who *account, err error) apiAnswer {
	a.log.Warn("api call failed", "provider", who.signIn.name, "error", err)
	// Final: the refresh token is refused as well, so only a new login helps.
	var e *authcode.Error
	if errors.As(err, &e) && e.Final {
		return apiAnswer{Status: "the token has expired and cannot be renewed: sign in again"}
	}
	return apiAnswer{Status: "no usable answer from the provider"}
}
