package authserver

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Place is a part of the server that can misbehave.
type Place string

// The places.
const (
	Authorization Place = "authorization" // the authorization response
	PAR           Place = "par"           // the endpoint for pushed authorization requests
	Token         Place = "token"         // the token endpoint, for every grant but Refresh
	Refresh       Place = "refresh"       // the token endpoint, for grant_type=refresh_token
	Revocation    Place = "revocation"
	Introspection Place = "introspection"
	UserInfo      Place = "userinfo"
	Resource      Place = "resource" // the API that [Server] protects, at /resource
	Discovery     Place = "discovery"
	JWKS          Place = "jwks"
	EndSession    Place = "end_session" // the logout endpoint; values are plain, as at Authorization

	// JARM is the JWT in a signed authorization response. IntrospectionJWT is
	// the JWT that answers an introspection. Both take the faults of IDToken.
	JARM             Place = "jarm"
	IntrospectionJWT Place = "introspection_jwt"

	// IDToken is the ID token. Set, Drop, Repeat and Rename change its claims
	// before they are signed. [Header], [OtherKey], [EmbeddedKey], [SignAs],
	// [Tampered] and [Encrypted] change the rest.
	IDToken Place = "id_token"
)

// Fault is one way in which the server misbehaves. The functions of this
// package that return a Fault make one. There are two kinds. Some replace the
// answer: the server does not look at the request, and a code or a refresh
// token in it stays unused. The others change the correct answer after it has
// been made, so that a code in the request is used up.
type Fault struct {
	every int // 0: every answer
	first int // 0: no limit
	delay time.Duration

	// One of these replaces the answer.
	whole  func(s *Server, w http.ResponseWriter, r *http.Request, body []byte)
	fail   *failure
	demand func() []string // use_dpop_nonce, with these nonces

	// These change the answer.
	edit       func([]field) []field // the fields of a successful answer
	shape      func(*reply)          // status, headers and the way of sending
	token      func(*Server, *jws)   // a signed token, after edit
	asJWT      bool
	noRotation bool
	otherCode  bool

	// These say whether an answer is signed: see Plain, PlainBeside and Signed.
	plain, beside, signed bool
}

// SetFaults makes a place misbehave from now on in the given ways, which
// replace those set before. All of them apply, in order. Without faults the
// place behaves again.
func (s *Server) SetFaults(at Place, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[at] = slices.Clone(faults)
	s.visits[at] = 0
}

// ClearFaults makes every place behave again.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
	clear(s.visits)
}

// visit counts an answer of a place and returns the faults that apply to it.
func (s *Server) visit(at Place) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visitLocked(at)
}

// visitLocked is visit for a caller that holds s.mu.
func (s *Server) visitLocked(at Place) []Fault {
	s.visits[at]++
	var out []Fault
	for _, f := range s.faults[at] {
		if (f.every == 0 || s.visits[at]%f.every == 0) && (f.first == 0 || s.visits[at] <= f.first) {
			out = append(out, f)
		}
	}
	return out
}

// Every limits f to each nth answer since [Server.SetFaults]: the nth, the 2nth
// and so on.
func Every(n int, f Fault) Fault {
	f.every = n
	return f
}

// First limits f to the first n answers since [Server.SetFaults].
func First(n int, f Fault) Fault {
	f.first = n
	return f
}

// Without limits f, which is [Set], [Drop], [Repeat] or [Rename], to objects
// without a member of this name. At [IDToken], Set("sub",
// `"x"`).Without("nonce") changes only the ID tokens of refreshes, which have
// no nonce.
func (f Fault) Without(name string) Fault {
	edit := f.edit
	f.edit = func(fields []field) []field {
		if slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			return fields
		}
		return edit(fields)
	}
	return f
}

// Delay answers correctly, but d later.
func Delay(d time.Duration) Fault { return Fault{delay: d} }

// Set gives a parameter or member another value, and adds it if it is missing.
// At [Authorization] and [EndSession], value is the plain value. Elsewhere it
// is JSON: Set("expires_in", `"3600"`) sends a string, and Set("scope",
// `["a","b"]`) an array.
func Set(name, value string) Fault {
	return Fault{edit: func(fields []field) []field {
		for i := range fields {
			if fields[i].name == name {
				fields[i].value = value
				return fields
			}
		}
		return append(fields, field{name, value})
	}}
}

// Drop leaves out a parameter or member.
func Drop(name string) Fault {
	return Fault{edit: func(fields []field) []field {
		return slices.DeleteFunc(fields, func(f field) bool { return f.name == name })
	}}
}

// Repeat sends a parameter or member a second time, after all others. The value
// is as in [Set]. If it is empty, the same value is sent again.
func Repeat(name, value string) Fault {
	return Fault{edit: func(fields []field) []field {
		again := field{name, value}
		for _, f := range fields {
			if f.name == name && value == "" {
				again = f
			}
		}
		return append(fields, again)
	}}
}

// Rename sends a parameter or member under another name, such as
// "Access_Token".
func Rename(name, to string) Fault {
	return Fault{edit: func(fields []field) []field {
		for i := range fields {
			if fields[i].name == name {
				fields[i].name = to
			}
		}
		return fields
	}}
}

// Error replaces the answer with an OAuth error that has this code and
// description, such as Error(401, "invalid_client", ""). GitHub sends its
// errors with status 200. At [Authorization], the error goes to the app with
// state and iss, and the status does not matter.
func Error(status int, code, description string) Fault {
	// RFC 6749 section 5.2: a 401 names the scheme of the authentication.
	f := &failure{status: status, code: code, description: description}
	if status == http.StatusUnauthorized {
		f.challenge = basicChallenge
	}
	return Fault{fail: f}
}

// OtherUsersCode puts a fresh code of another user into the authorization
// response. The code was made for the same client, and for the verifier of
// another login. This is code injection (RFC 9700 section 4.5).
func OtherUsersCode() Fault { return Fault{otherCode: true} }

// NoRotation answers a refresh without a new refresh token. The old one stays
// valid.
func NoRotation() Fault { return Fault{noRotation: true} }

// FormEncoded sends the members as application/x-www-form-urlencoded. GitHub
// does so unless it is asked for JSON.
func FormEncoded() Fault {
	return Fault{shape: func(a *reply) {
		a.form = true
		a.header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}}
}

// ContentType sends the correct body under another content type, such as
// "text/plain".
func ContentType(value string) Fault {
	return Fault{shape: func(a *reply) { a.header.Set("Content-Type", value) }}
}

// AnswerHeader replaces a header of the correct answer. Each value becomes a
// line of its own. Without values the header is left out.
// AnswerHeader("DPoP-Nonce", "a", "b") sends two nonces.
func AnswerHeader(name string, values ...string) Fault {
	return Fault{shape: func(a *reply) { a.header[http.CanonicalHeaderKey(name)] = values }}
}

// Challenge replaces the answer of a resource with status 401 and these values
// of WWW-Authenticate.
func Challenge(values ...string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header()["Www-Authenticate"] = values
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	}}
}

// Slow sends the correct body at one byte a second.
func Slow() Fault { return Fault{shape: func(a *reply) { a.send = sendSlowly }} }

// Truncated closes the connection in the middle of the correct body.
func Truncated() Fault { return Fault{shape: func(a *reply) { a.send = sendHalf }} }

// HugeHeaders adds 1 MiB of headers to the correct answer.
func HugeHeaders() Fault {
	return Fault{shape: func(a *reply) {
		for range 128 {
			a.header.Add("X-Filler", strings.Repeat("x", 8<<10))
		}
	}}
}
