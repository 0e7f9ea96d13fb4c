package session

import (
	"encoding/json"
	"net/http"
	"time"
)

// status is what StatusHandler answers.
type status struct {
	SignedIn bool   `json:"signed_in"`
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
	Ends     string `json:"ends,omitempty"` // if the session is not used again
}

// StatusHandler tells a page's script whether somebody is signed in, who, and
// when the session ends, as JSON: signed_in, name, email and ends (RFC 3339). It
// is no activity, so a page may ask as often as it likes. It sets Cache-Control.
func (s *Sessions) StatusHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := s.loadFor(r, 0)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		var st status
		if session != nil {
			st = status{SignedIn: true, Ends: session.Ends().UTC().Format(time.RFC3339)}
			if id := session.Identity(); id != nil {
				st.Name, st.Email = id.Name, id.Email
			}
		}
		setHeaders(w)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(st)
	})
}
