package authserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// field is a parameter of an authorization response, with its plain value, or a member of a JSON
// object, with its value as JSON text. A list of them keeps order and repetitions.
type field struct{ name, value string }

// member returns a member of a JSON object.
func member(name string, value any) field {
	text, err := json.Marshal(value)
	if err != nil {
		panic("authserver: " + err.Error()) // only our own types come here
	}
	return field{name, string(text)}
}

// object joins fields to a JSON object.
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

func refuse(code, description string) *failure {
	return &failure{status: http.StatusBadRequest, code: code, description: description}
}

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

func wrongMethod(allow string) *failure {
	return &failure{status: http.StatusMethodNotAllowed, code: "invalid_request", allow: allow}
}

func newReply(fields ...field) *reply {
	rep := &reply{status: http.StatusOK, header: http.Header{}, fields: fields}
	rep.header.Set("Content-Type", "application/json")
	// RFC 6749 section 5.1: whatever carries a token is not stored.
	rep.header.Set("Cache-Control", "no-store")
	rep.header.Set("X-Content-Type-Options", "nosniff")
	return rep
}

// answer sends what process returns, as far as the faults of at let it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, at Place, body []byte,
	process func([]Fault) *reply) {
	faults := s.visit(at)
	if s.standIn(w, r, faults, body) {
		return
	}
	rep := failing(at, faults)
	if rep == nil {
		rep = process(faults)
		s.announce(rep, at)
	}
	if rep.status == http.StatusOK || rep.status == http.StatusCreated {
		s.finish(rep, faults)
	}
	for _, f := range faults {
		if f.shape != nil {
			f.shape(rep)
		}
	}
	rep.write(s, w, r)
}

// finish changes the members of a successful answer as faults say, and signs it where it is to be
// signed.
func (s *Server) finish(rep *reply, faults []Fault) {
	rep.fields = edited(rep.fields, faults)
	if rep.seal != nil {
		rep.text = rep.seal(rep.fields)
	}
	if slices.ContainsFunc(faults, asJWT) {
		s.mu.Lock()
		rep.text = s.signed("JWT", rep.fields, faults)
		s.mu.Unlock()
		rep.header.Set("Content-Type", "application/jwt")
	}
}

// standIn waits as faults ask and reports whether one of them took the answer over.
func (s *Server) standIn(w http.ResponseWriter, r *http.Request, faults []Fault,
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

// failing returns the failure that stands in for the answer of at; nil if there is none.
func failing(at Place, faults []Fault) *reply {
	for _, f := range faults {
		switch {
		case f.fail != nil:
			return f.fail.reply()
		case f.demand != nil:
			return nonceDemand(at, f.demand())
		}
	}
	return nil
}

func edited(fields []field, faults []Fault) []field {
	for _, f := range faults {
		if f.edit != nil {
			fields = f.edit(fields)
		}
	}
	return fields
}

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

// asForm encodes JSON members as a form: strings as they are, anything else as its JSON text.
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
