package session

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

const maxLabel = 80 // characters

// labelOf names the browser of r.
func (s *Sessions) labelOf(r *http.Request) string {
	label := shortAgent(r.UserAgent())
	if s.cfg.Label != nil {
		label = s.cfg.Label(r)
	}
	label = strings.ToValidUTF8(label, "")
	if utf8.RuneCountInString(label) > maxLabel {
		label = string([]rune(label)[:maxLabel])
	}
	return label
}

// shortAgent says which browser a User-Agent names. Many name several, so the
// order counts: everybody claims to be Safari.
func shortAgent(agent string) string {
	name := firstOf(agent, "Edg/", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet",
		"Firefox/", "Firefox", "FxiOS/", "Firefox", "Chrome/", "Chrome", "CriOS/", "Chrome",
		"Safari/", "Safari")
	system := firstOf(agent, "Android", "Android", "iPhone", "iPhone", "iPad", "iPad",
		"CrOS", "ChromeOS", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case name != "" && system != "":
		return name + " on " + system
	case name+system != "":
		return name + system
	}
	return "Unknown browser"
}

// firstOf returns the name of the first sign in text, or "".
func firstOf(text string, signsAndNames ...string) string {
	for i := 0; i < len(signsAndNames); i += 2 {
		if strings.Contains(text, signsAndNames[i]) {
			return signsAndNames[i+1]
		}
	}
	return ""
}
