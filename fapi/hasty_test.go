package fapi_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// patience is how long a hasty client waits.
const patience = 100 * time.Millisecond

// hasty gives up requests to one path soon, until its world is patient again.
type hasty struct {
	base    http.RoundTripper
	path    string
	patient *atomic.Bool
}

func (h *hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == h.path && !h.patient.Load() {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		context.AfterFunc(ctx, cancel)
		resp, err := h.base.RoundTrip(r.Clone(ctx))
		if err == nil {
			resp.Body = &hastyBody{resp.Body, ctx}
		}
		return resp, err
	}
	return h.base.RoundTrip(r)
}

// hastyBody ends with its context: net/http reports a body that ends as the deadline fires as whole.
type hastyBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *hastyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.ctx.Err() != nil {
		err = b.ctx.Err()
	}
	return n, err
}
