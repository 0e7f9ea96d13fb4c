package try

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode"
)

// seen is what travelled through the browser at a login: names, and no values but those
// that say how a message is protected. The zero value is a login that nobody saw begin.
type seen struct {
	Carried      []string `json:"carried"`       // parameters of the address that the browser was sent to
	RequestAlg   string   `json:"request_alg"`   // of a signed request in that address
	PKCE         string   `json:"pkce"`          // code_challenge_method, where the address shows it
	Answered     []string `json:"answered"`      // parameters that came back
	ResponseAlg  string   `json:"response_alg"`  // of a signed response
	ResponseFrom string   `json:"response_from"` // its iss
}

// request reads the address that a login sends the browser to.
func (s *seen) request(query url.Values) {
	s.Carried = slices.Sorted(maps.Keys(query))
	s.PKCE = query.Get("code_challenge_method")
	if object := query.Get("request"); object != "" {
		s.RequestAlg = jwtText(object, 0, "alg")
		s.PKCE = jwtText(object, 1, "code_challenge_method")
	}
}

// response reads a callback that has passed every check.
func (s *seen) response(params url.Values) {
	s.Answered = slices.Sorted(maps.Keys(params))
	s.ResponseFrom = params.Get("iss")
	if response := params.Get("response"); response != "" {
		s.ResponseAlg = jwtText(response, 0, "alg")
		s.ResponseFrom = jwtText(response, 1, "iss")
	}
}

// jwtText returns a member of the header (0) or the claims (1) of a JWT, "" if there is
// none. It verifies nothing: the JWTs here are the app's own, or package oidc has verified
// them.
func jwtText(jwt string, part int, member string) string {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[part])
	var members map[string]any
	if err != nil || json.Unmarshal(text, &members) != nil {
		return ""
	}
	value, _ := members[member].(string)
	return value
}

const (
	valueStart    = "start" // authcode.Value: the id of a login in starts
	startLifetime = 10 * time.Minute
	maxStarts     = 1 << 14 // whoever opens more logins gets no table, and no memory
)

// starts keeps what was seen of logins under way. The zero value is empty.
type starts struct {
	mu    sync.Mutex
	byID  map[string]begun
	sweep time.Time // when to look for expired ones
}

type begun struct {
	seen
	expires time.Time
}

func (s *starts) put(id string, what seen) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]begun{}
	}
	if now.After(s.sweep) {
		s.sweep = now.Add(time.Minute)
		maps.DeleteFunc(s.byID, func(_ string, b begun) bool { return now.After(b.expires) })
	}
	if len(s.byID) < maxStarts {
		s.byID[id] = begun{what, now.Add(startLifetime)}
	}
}

// take returns what was seen and forgets it.
func (s *starts) take(id string) seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := s.byID[id].seen
	delete(s.byID, id)
	return what
}

// starting watches a handler that starts a login with s: it looks at the address in the answer.
func (a *app) starting(s *signIn, handler func(...authcode.AuthOption) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		opts := append(slices.Clone(s.options), authcode.Value(valueStart, id))
		handler(opts...).ServeHTTP(w, r)
		if to, err := url.Parse(w.Header().Get("Location")); err == nil && to.IsAbs() {
			var what seen
			what.request(to.Query())
			a.starts.put(id, what)
		}
	})
}

// callback finishes logins with s, and keeps what came back of those that pass every check.
func (a *app) callback(s *signIn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := new(bytes.Buffer)
		if s.formPost { // package authcode reads the body, and 16 KiB at most
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, form), r.Body}
		}
		s.client.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			params := r.URL.Query()
			if s.formPost {
				params, _ = url.ParseQuery(form.String()) // it has been read once
			}
			a.welcome(w, r, s, params)
		})).ServeHTTP(w, r)
	})
}
