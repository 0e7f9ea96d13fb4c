package try

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// output prints what happens, one line for each event: for people, or as JSON.
// It is safe for concurrent use.
type output struct {
	mu   sync.Mutex
	w    io.Writer
	json bool
}

// event is one line. It holds no token and no code, because people copy such
// lines into bug reports.
type event struct {
	Event    string `json:"event"` // listening, register, note, signed_in, failed, signed_out or ended
	URL      string `json:"url,omitempty"`
	Provider string `json:"provider,omitempty"`
	Text     string `json:"text,omitempty"` // of a note

	*registered
	*signedIn
	*failure
}

// registered lists the addresses to register at the provider.
type registered struct {
	RedirectURI     string `json:"redirect_uri"`
	SignedOutURI    string `json:"post_logout_redirect_uri,omitempty"`
	BackChannelURI  string `json:"backchannel_logout_uri,omitempty"`
	FrontChannelURI string `json:"frontchannel_logout_uri,omitempty"`
	InitiateURI     string `json:"initiate_login_uri,omitempty"`
	where           string // the provider, in a sentence
}

// signedIn says who has signed in, and what protected the login.
type signedIn struct {
	Issuer      string       `json:"issuer,omitempty"`
	Subject     string       `json:"subject,omitempty"`
	Scopes      []string     `json:"scopes"`
	TokenType   string       `json:"token_type"`
	Protections []protection `json:"protections"`
}

// say prints one event.
func (o *output) say(e event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.json {
		if text := e.forPeople(); text != "" {
			fmt.Fprintln(o.w, text)
		}
		return
	}
	line, err := json.Marshal(e)
	// An event must not disappear: somebody may be waiting for it.
	if err != nil {
		line, _ = json.Marshal(event{Event: e.Event, Text: "this event cannot be written as JSON"})
	}
	o.w.Write(append(line, '\n'))
}

// forPeople returns the line for people. A failure is in the log instead. What
// a provider chose is quoted, because a terminal obeys control characters.
func (e event) forPeople() string {
	switch e.Event {
	case "listening":
		return "open " + e.URL
	case "register":
		return "register this redirect URI at " + e.where + ": " + e.RedirectURI
	case "note":
		return "note: " + e.Text
	case "signed_in":
		if e.Subject == "" {
			return "signed in with " + e.Provider + ", which does not say who it is"
		}
		return "signed in with " + e.Provider + ": " + strconv.QuoteToASCII(e.Subject) + " at " +
			strconv.QuoteToASCII(e.Issuer)
	case "signed_out":
		return "signed out of " + e.Provider
	}
	return ""
}
