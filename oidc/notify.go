package oidc

import (
	"net/http"

	"example.com/authcode"
)

// HandlerOption changes a handler of this package: see [Notify]. A nil
// HandlerOption changes nothing.
type HandlerOption interface{ apply(*logoutHandler) }

type handlerOption func(*logoutHandler)

func (o handlerOption) apply(h *logoutHandler) { o(h) }

// Notify calls f with each error that no person sees, for the log: a
// back-channel or front-channel logout that was refused, or a logout that could
// not continue at the provider. Many goroutines may call f. The error is an
// [*authcode.Error], which is safe to log.
func Notify(f func(*http.Request, error)) HandlerOption {
	return handlerOption(func(h *logoutHandler) {
		if f != nil {
			h.notify = f
		}
	})
}

// logoutHandler is what the handlers for logouts have in common.
type logoutHandler struct {
	client *authcode.Client
	notify func(*http.Request, error)
}

// newLogoutHandler panics without a client: the compiler cannot report that.
// name is the function that the app has called.
func newLogoutHandler(name string, client *authcode.Client, opts []HandlerOption) *logoutHandler {
	if client == nil {
		panic("oidc: " + name + " needs a Client")
	}
	// Without Notify, nobody is told. A log line for each bad request would let
	// strangers fill the log.
	h := &logoutHandler{client, func(*http.Request, error) {}}
	for _, o := range opts {
		if o != nil {
			o.apply(h)
		}
	}
	return h
}
