package authcode

import (
	"net/http"
	"strings"
)

func checkNavigation(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return fail(WrongMethod, "login.method", "want GET or POST")
	}
	if isByScript(r) {
		return fail(NotNavigation, "login.navigation",
			"a script asked for the login: make it a plain link, or hand AuthCodeURL's URL to the script")
	}
	// A cross-site POST comes without the Lax cookies of logins under way, so they could not be
	// counted, and another site could fill the browser's jar with new ones.
	if new(http.CrossOriginProtection).Check(r) != nil {
		return fail(NotNavigation, "login.cross_origin", "another site's form asked for the login")
	}
	return nil
}

// checkReturn refuses a callback that is not a person's navigation. A prefetch is answered at once.
func checkReturn(w http.ResponseWriter, r *http.Request) error {
	if isPrefetch(r) {
		w.WriteHeader(http.StatusNoContent)
		return fail(Prefetch, "callback.prefetch", "the browser looked ahead")
	}
	if isByScript(r) {
		return fail(NotNavigation, "callback.navigation", "a script fetched the callback")
	}
	return nil
}

// isByScript reports that a request proves to be no navigation of a person's. A browser that says
// nothing gets the benefit of the doubt.
func isByScript(r *http.Request) bool {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 {
		return mode[0] != "navigate"
	}
	return len(r.Header["X-Requested-With"]) > 0 || len(r.Header["Hx-Request"]) > 0
}

// isPrefetch recognizes a browser that only looks ahead: the person may never follow.
func isPrefetch(r *http.Request) bool {
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Moz"} {
		if v := r.Header[name]; len(v) > 0 && strings.HasPrefix(strings.ToLower(v[0]), "prefetch") {
			return true
		}
	}
	return false
}

func setHeaders(w http.ResponseWriter, referrer string) {
	h := w.Header()
	values := []string{"no-store", "nosniff", "DENY", referrer} // one allocation for the four
	h["Cache-Control"] = values[0:1:1]
	h["X-Content-Type-Options"] = values[1:2:2]
	h["X-Frame-Options"] = values[2:3:3]
	h["Referrer-Policy"] = values[3:4:4]
}

// redirect answers 303: the browser follows with GET, whatever the request was (RFC 9700 section 4.12).
func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}
