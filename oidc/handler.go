package oidc

import (
	"net/http"

	"example.com/authcode"
)

// HandlerOption changes a handler of this package: see [Notify]. A nil HandlerOption changes nothing.
type HandlerOption interface{ apply(*handler) }

type handlerOption func(*handler)

func (o handlerOption) apply(h *handler) { o(h) }

// Notify calls f with the errors that no person is shown, for the log: a back- or front-channel logout
// that was refused, and a logout that could not go on to the provider. Many goroutines may call f. The
// error is an [*authcode.Error], which is safe to log.
func Notify(f func(*http.Request, error)) HandlerOption {
	return handlerOption(func(h *handler) {
		if f != nil {
			h.notify = f
		}
	})
}

// handler is what the handlers of this package have in common.
type handler struct {
	client *authcode.Client
	notify func(*http.Request, error)
}

// newHandler panics if the function called name was given no client: the compiler could not say so.
func newHandler(name string, client *authcode.Client, opts []HandlerOption) *handler {
	if client == nil {
		panic("oidc: " + name + " needs a Client")
	}
	h := &handler{client, func(*http.Request, error) {}}
	for _, o := range opts {
		if o != nil {
			o.apply(h)
		}
	}
	return h
}
