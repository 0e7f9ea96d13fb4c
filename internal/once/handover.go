package once

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Handover runs something once for each id, and hands its outcome to exactly
// one of the requests that ask for it: the newest one whose client is still
// there. A browser may drop a request and send it again. The answer then
// belongs to the second request.
//
// It is safe for concurrent use. Set the fields before the first use.
type Handover[T any] struct {
	Used *Set // what became of each id

	// KeepFor is how long an outcome is kept that no request has taken. MaxKept
	// bounds the number of these outcomes, and MaxBytes their size together.
	KeepFor  time.Duration
	MaxKept  int
	MaxBytes int
	Size     func(T) int // of an outcome, roughly, in bytes

	mu      sync.Mutex
	flights map[ID]*flight[T]
	kept    []*flight[T] // the oldest first
	bytes   int          // of kept
}

// Try is one attempt at an id.
type Try[T any] struct {
	ID    ID
	Key   [32]byte // what the attempt uses up, such as a code: each is tried once
	Now   time.Time
	Until time.Time // until when ID must be remembered

	// Deadline is how long to wait for the Do of another request. If zero, only
	// ctx ends it.
	Deadline time.Time

	// Do makes the outcome, on the goroutine of the request that begins. again
	// reports whether another Key was tried before.
	Do func(again bool) Result[T]
}

// Result is the outcome of an attempt.
type Result[T any] struct {
	Value T
	Done  bool // if false, the attempt failed
	Again bool // after a failure, another Key may be tried
}

// maxTries bounds the keys that are tried for one id.
const maxTries = 3

// flight is an id whose outcome is being made, or is waiting to be taken.
type flight[T any] struct {
	id       ID
	running  bool
	has      bool          // result is waiting to be taken
	changed  chan struct{} // closed when running ends; nil if nobody waits
	requests []*waiting    // the oldest first
	room     [2]*waiting   // for requests: most outcomes have one,
	first    waiting       // and this is it
	tried    [maxTries][32]byte
	tries    int
	result   Result[T]
	size     int         // of the result; zero until it is counted
	ended    Outcome     // set when the outcome can no longer be taken
	expire   *time.Timer // set while the outcome is kept
}

// waiting is a request that wants the outcome.
type waiting struct{ ctx context.Context }

// Get returns the outcome and Unused if this request gets the outcome.
// Otherwise it says what became of the id: Done or Failed if another request
// has got the outcome or is about to get it, and else Running. ctx is the
// context of the request. A request whose ctx has ended gets nothing.
func (h *Handover[T]) Get(ctx context.Context, try Try[T]) (value T, before Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.flights[try.ID]
	if f == nil {
		if before = h.Used.Begin(try.ID, try.Now, try.Until); before != Unused {
			return value, before
		}
		f = h.begin(try.ID)
	}
	me := f.join(ctx)
	defer func() { f.leave(me) }()
	for {
		switch {
		case h.flights[try.ID] != f: // a newer request has taken it
			return value, f.ended
		case f.running:
			if h.wait(ctx, try.Deadline, f); f.running {
				return value, Running
			}
		case !f.has:
			h.run(ctx, f, try)
		case f.newest() == nil: // all browsers have gone
			h.keep(f) // for the next request
			return value, Running
		case f.newest() != me: // it wakes up as well, and takes the outcome
			return value, f.forOlder()
		case f.mayTry(try.Key):
			h.run(ctx, f, try)
		default:
			value = f.result.Value
			h.end(f)
			return value, Unused
		}
	}
}

// begin adds a flight for id. The caller holds h.mu.
func (h *Handover[T]) begin(id ID) *flight[T] {
	f := &flight[T]{id: id}
	f.requests = f.room[:0]
	if h.flights == nil {
		h.flights = make(map[ID]*flight[T])
	}
	h.flights[id] = f
	return f
}

// join adds a request.
func (f *flight[T]) join(ctx context.Context) *waiting {
	me := &f.first
	if me.ctx != nil {
		me = new(waiting)
	}
	me.ctx = ctx
	f.requests = append(f.requests, me)
	return me
}

// run makes the outcome. The caller holds h.mu, which run releases while Do
// runs. If Do panics, run panics as well, and the id has failed.
func (h *Handover[T]) run(ctx context.Context, f *flight[T], try Try[T]) {
	h.unkeep(f)
	f.running, f.has = true, false
	again := f.tries > 0
	f.tried[f.tries] = try.Key
	f.tries++
	finished := false
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		f.running = false
		if f.changed != nil {
			close(f.changed)
			f.changed = nil
		}
		if !finished {
			h.end(f) // Do panicked, and the zero Result is a failure
		}
	}()
	f.result = Result[T]{}
	result, size := try.Do(again), 0
	// It will be kept, unless another request waits for it. A provider may have
	// sent much, so count it while nobody has to wait for the lock.
	if ctx.Err() != nil {
		size = h.Size(result.Value)
	}
	f.result, f.size, f.has, finished = result, size, true, true
}

// wait waits until f no longer runs, the deadline passes or ctx ends.
func (h *Handover[T]) wait(ctx context.Context, deadline time.Time, f *flight[T]) {
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	changed := f.changed
	h.mu.Unlock()
	defer h.mu.Lock()
	// Both may have happened. Get looks at f and ctx again, while it holds the
	// lock.
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// newest returns the newest request whose client is still there, or nil.
func (f *flight[T]) newest() *waiting {
	for _, w := range slices.Backward(f.requests) {
		if w.ctx.Err() == nil {
			return w
		}
	}
	return nil
}

// mayTry reports whether a failed attempt may be followed by one with key.
func (f *flight[T]) mayTry(key [32]byte) bool {
	return f.result.Again && f.tries < maxTries && !slices.Contains(f.tried[:f.tries], key)
}

// forOlder returns what a request is told when a newer one takes the outcome.
// A person who sees this answer must not be sent to start again if the other
// request has signed them in.
func (f *flight[T]) forOlder() Outcome {
	switch {
	case f.result.Done:
		return Done
	case f.result.Again: // the newer one may try another Key
		return Running
	}
	return Failed
}

// leave removes a request that has got its answer, or has given up.
func (f *flight[T]) leave(me *waiting) {
	f.requests = slices.DeleteFunc(f.requests, func(w *waiting) bool { return w == me })
}

// end records how f ended. From then on nobody can take its outcome. The caller
// holds h.mu.
func (h *Handover[T]) end(f *flight[T]) {
	h.unkeep(f)
	delete(h.flights, f.id)
	f.ended = Failed
	if f.result.Done {
		f.ended = Done
	}
	h.Used.End(f.id, f.ended)
	f.result, f.has = Result[T]{}, false
}

// keep keeps an outcome that nobody has taken, for the time KeepFor. The caller
// holds h.mu.
func (h *Handover[T]) keep(f *flight[T]) {
	if f.expire != nil {
		return
	}
	f.expire = time.AfterFunc(h.KeepFor, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.flights[f.id] == f && f.has && f.expire != nil {
			h.end(f)
		}
	})
	h.kept = append(h.kept, f)
	if f.size == 0 { // the request went away just now
		f.size = h.Size(f.result.Value)
	}
	h.bytes += f.size
	for h.bytes > h.MaxBytes && len(h.kept) > 0 {
		h.end(h.largest())
	}
	for len(h.kept) > h.MaxKept {
		h.end(h.oldest())
	}
}

// largest returns the largest outcome that is kept. Otherwise a few large ones,
// which one provider may cause, would push out those of all the others.
func (h *Handover[T]) largest() *flight[T] {
	return slices.MaxFunc(h.kept, func(a, b *flight[T]) int {
		return cmp.Compare(a.size, b.size)
	})
}

// oldest returns the oldest failure that is kept, or else the oldest outcome. A
// failed login costs an attacker nothing; see [Set].
func (h *Handover[T]) oldest() *flight[T] {
	isFailed := func(f *flight[T]) bool { return !f.result.Done }
	return h.kept[max(0, slices.IndexFunc(h.kept, isFailed))]
}

// unkeep removes f from the outcomes that are kept. The caller holds h.mu.
func (h *Handover[T]) unkeep(f *flight[T]) {
	if f.expire == nil {
		return
	}
	f.expire.Stop()
	f.expire = nil
	h.bytes -= f.size
	h.kept = slices.DeleteFunc(h.kept, func(k *flight[T]) bool { return k == f })
}
