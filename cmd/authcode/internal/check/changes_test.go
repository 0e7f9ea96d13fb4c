package check

import (
	"crypto/rsa"
	"io"
	"math/big"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

func nothing(*site) {}

func both(changes ...func(*site)) func(*site) {
	return func(s *site) {
		for _, change := range changes {
			change(s)
		}
	}
}

func answeringText(path, text string) func(*site) {
	return func(s *site) {
		s.handlers[path] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, text)
		}
	}
}

// asType serves the document under another media type.
func asType(mediaType string) func(*site) {
	return func(s *site) {
		s.handlers[openIDPlace] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.Write(encode(s.doc))
		}
	}
}

// secondPlace serves the document where RFC 8414 puts it.
func secondPlace(s *site) {
	s.handlers[oauthPlace] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(encode(s.doc))
	}
}

// secondDocument serves the document there with another path in one member.
func secondDocument(name, path string) func(*site) {
	return func(s *site) {
		other := s.goodDocument()
		other[name] = s.URL + path
		s.handlers[oauthPlace] = func(w http.ResponseWriter, _ *http.Request) { w.Write(encode(other)) }
	}
}

// upperCase makes the issuer one on localhost, in capitals.
func upperCase(s *site) {
	s.doc["issuer"] = strings.Replace(s.URL, "https", "HTTPS", 1)
}

// certified makes the server bind tokens to certificates.
func certified(s *site) { s.doc["tls_client_certificate_bound_access_tokens"] = true }

func dropping(path string) func(*site) {
	return func(s *site) {
		s.handlers[path] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	}
}

func holding(keys ...any) func(*site) { return func(s *site) { s.keys = keys } }

func weakKey() jose.JSONWebKey {
	odd := new(big.Int).SetBit(big.NewInt(1), 1023, 1)
	return jose.JSONWebKey{Key: &rsa.PublicKey{N: odd, E: 65537}, KeyID: "weak"}
}

// answering makes a path answer with a status, and pairs of header names and values.
func answering(path string, status int, header ...string) func(*site) {
	return func(s *site) {
		s.handlers[path] = func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
		}
	}
}

// with sets a member of the document. In a text, SITE stands for the URL of the site.
func with(name string, value any) func(*site) {
	return func(s *site) {
		s.doc[name] = value
		if text, ok := value.(string); ok {
			s.doc[name] = strings.ReplaceAll(text, "SITE", s.URL)
		}
	}
}

// without drops members of the document.
func without(names ...string) func(*site) {
	return func(s *site) {
		for _, name := range names {
			delete(s.doc, name)
		}
	}
}
