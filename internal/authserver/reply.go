package authserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// field is a parameter of an authorization response with its plain value, or a
// member of a JSON object with its value as JSON. Faults can repeat a field or
// change the order, which a map could not express.
type field struct{ name, value string }

// member returns a member of a JSON object. It encodes value.
func member(name string, value any) field {
	text, err := json.Marshal(value)
	if err != nil {
		panic("authserver: " + err.Error()) // only our own types come here
	}
	return field{name, string(text)}
}

// object writes fields as a JSON object.
func object(fields []field) []byte {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(member("", f.name).value)
		b.WriteByte(':')
		b.WriteString(f.value)
	}
	b.WriteByte('}')
	return []byte(b.String())
}

// reply is an answer before it is sent, so that faults can change it.
type reply struct {
	status int
	header http.Header
	fields []field              // nil: no body
	form   bool                 // encode the fields as a form
	text   string               // sent instead of the fields, unless empty
	demand bool                 // asks for a nonce
	seal   func([]field) string // makes text of the fields, unless nil
	send   func(s *Server, w http.ResponseWriter, r *http.Request, status int, body []byte)
}

// failure is an OAuth error (RFC 6749 sections 4.1.2.1 and 5.2).
type failure struct {
	status            int
	code, description string
	challenge, allow  string // WWW-Authenticate, Allow
}

// refuse makes an OAuth error with status 400.
func refuse(code, description string) *failure {
	return &failure{status: http.StatusBadRequest, code: code, description: description}
}

// reply makes the answer of an endpoint that apps call (RFC 6749 section 5.2).
func (f *failure) reply() *reply {
	rep := newReply(member("error", f.code))
	rep.demand = f.code == "use_dpop_nonce"
	if f.description != "" {
		rep.fields = append(rep.fields, member("error_description", f.description))
	}
	rep.status = f.status
	if f.challenge != "" {
		rep.header.Set("WWW-Authenticate", f.challenge)
	}
	if f.allow != "" {
		rep.header.Set("Allow", f.allow)
	}
	return rep
}

// wrongMethod makes the answer to a method that is not allowed (RFC 9110
// section 15.5.6).
func wrongMethod(allow string) *failure {
	return &failure{status: http.StatusMethodNotAllowed, code: "invalid_request", allow: allow}
}

// newReply makes a successful answer with a JSON object.
func newReply(fields ...field) *reply {
	rep := &reply{status: http.StatusOK, header: http.Header{}, fields: fields}
	rep.header.Set("Content-Type", "application/json")
	// RFC 6749 section 5.1: an answer with a token must not be stored.
	rep.header.Set("Cache-Control", "no-store")
	rep.header.Set("X-Content-Type-Options", "nosniff")
	return rep
}

// serveReply sends the reply that process makes. The faults of the place may
// replace the reply, without calling process, or change it.
func (s *Server) serveReply(w http.ResponseWriter, r *http.Request, at Place, body []byte,
	process func([]Fault) *reply) {
	faults := s.visit(at)
	if s.replaced(w, r, faults, body) {
		return
	}
	// Without process, a code or a refresh token in the request stays unused.
	rep := s.failureFrom(at, faults)
	if rep == nil {
		rep = process(faults)
		s.addNonce(rep, at)
	}
	if rep.status == http.StatusOK || rep.status == http.StatusCreated {
		s.editAndSign(rep, faults)
	}
	for _, f := range faults {
		if f.shape != nil {
			f.shape(rep)
		}
	}
	rep.write(s, w, r)
}

// editAndSign applies faults to the members of a successful answer. It then
// signs the answer, if it is one that is signed.
func (s *Server) editAndSign(rep *reply, faults []Fault) {
	rep.fields = applyEdits(rep.fields, faults)
	if rep.seal != nil {
		rep.text = rep.seal(rep.fields)
	}
	if slices.ContainsFunc(faults, asJWT) {
		s.mu.Lock()
		rep.text = s.signed("", "JWT", rep.fields, faults)
		s.mu.Unlock()
		rep.header.Set("Content-Type", "application/jwt")
	}
}

// replaced waits if a fault says so, and sends the answer of a fault that
// replaces the whole answer. It reports whether the answer has been sent.
func (s *Server) replaced(w http.ResponseWriter, r *http.Request, faults []Fault,
	body []byte) bool {
	for _, f := range faults {
		if f.delay > 0 && !s.pause(r.Context(), f.delay) {
			return true
		}
	}
	for _, f := range faults {
		if f.whole != nil {
			f.whole(s, w, r, body)
			return true
		}
	}
	return false
}

// failureFrom returns the OAuth error with which a fault replaces the answer of
// a place. It returns nil if there is none.
func (s *Server) failureFrom(at Place, faults []Fault) *reply {
	for _, f := range faults {
		switch {
		case f.fail != nil:
			return f.fail.reply()
		case f.demand != nil:
			return s.nonceDemand(at, f.demand())
		}
	}
	return nil
}

// applyEdits changes fields by those faults that edit fields, in order.
func applyEdits(fields []field, faults []Fault) []field {
	for _, f := range faults {
		if f.edit != nil {
			fields = f.edit(fields)
		}
	}
	return fields
}

// write sends the answer. A fault may have replaced the way of sending.
func (a *reply) write(s *Server, w http.ResponseWriter, r *http.Request) {
	var body []byte
	switch {
	case a.fields == nil:
		a.header.Del("Content-Type")
	case a.text != "":
		body = []byte(a.text)
	case a.form:
		body = asForm(a.fields)
	default:
		body = object(a.fields)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.send != nil {
		a.send(s, w, r, a.status, body)
		return
	}
	w.WriteHeader(a.status)
	w.Write(body)
}

// asForm encodes JSON members as a form. A string becomes its text, anything
// else its JSON.
func asForm(fields []field) []byte {
	var pairs []string
	for _, f := range fields {
		var text string
		if json.Unmarshal([]byte(f.value), &text) != nil {
			text = f.value
		}
		pairs = append(pairs, url.QueryEscape(f.name)+"="+url.QueryEscape(text))
	}
	return []byte(strings.Join(pairs, "&"))
}
