package grant

import (
	"context"
	"time"
)

// Sweep implements [Store].
func (m *Memory) Sweep(ctx context.Context, limit int) (abandoned []Key, more bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	now := time.Now()
	more = m.sweep(now, limit)
	for key, s := range m.leased {
		if len(abandoned) < limit && s.expires().After(now) &&
			!s.leased.After(now) && !s.wait.After(now) {
			abandoned = append(abandoned, key)
		}
	}
	return abandoned, more, nil
}

// sweep deletes up to limit records that have expired, which bounds how long
// other operations wait. It reports whether there are more.
func (m *Memory) sweep(now time.Time, limit int) (more bool) {
	for len(m.expiring) > 0 && !m.expiring[0].expires().After(now) {
		if limit--; limit < 0 {
			return true
		}
		m.remove(m.expiring[0])
	}
	return false
}

// queue is a heap of records. The one that expires first is at index 0.
type queue []*stored

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].expires().Before(q[j].expires()) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push implements [heap.Interface].
func (q *queue) Push(s any) {
	s.(*stored).place = len(*q)
	*q = append(*q, s.(*stored))
}

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return s
}
