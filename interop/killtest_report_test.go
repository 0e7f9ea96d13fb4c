package interop

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
)

func seconds(n int64) float64 { return float64(n) / 1e9 }

func asAuthcode(err error, e **authcode.Error) bool { return errors.As(err, e) }

// report prints the figures of a run, and fails for each fault.
func (r *killRun) report(seed uint64, duration int) {
	t := r.t
	r.provider.mu.Lock()
	defer r.provider.mu.Unlock()
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	v := r.verdict()
	tokens := make(map[*killToken]bool)
	for _, u := range r.provider.uses {
		tokens[u.token] = true
	}
	t.Logf("%s, %d s, seed %d: %s; %d sends for %d tokens, %.3f each",
		r.store.name, duration, seed, r.log.latency(),
		len(r.provider.uses), len(tokens), float64(len(r.provider.uses))/float64(max(1, len(tokens))))
	v.print(t)
	for i, fault := range v.faults {
		if i == 10 {
			fault = fmt.Sprintf("and %d more", len(v.faults)-i)
		}
		if t.Log(fault); !r.store.loses {
			t.Fail()
		}
		if i == 10 {
			break
		}
	}
}

// latency says how long calls took.
func (l *killLog) latency() string {
	if len(l.calls) == 0 {
		return "no calls"
	}
	slices.Sort(l.calls)
	at := func(part float64) time.Duration {
		return l.calls[int(part*float64(len(l.calls)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("%d calls, p50 %s, p99 %s", len(l.calls), at(0.5), at(0.99))
}

// print prints what was counted.
func (v *killVerdict) print(t *testing.T) {
	troubles := make(map[string]int)
	for _, list := range v.log.troubles {
		for _, one := range list {
			troubles[one.kind]++
		}
	}
	for _, part := range []struct {
		name   string
		counts map[string]int
	}{
		{"results of calls", v.log.results}, {"outcomes", v.log.seen},
		{"troubles", troubles}, {"uses of access tokens", v.provider.api},
		{"renewals at the same time", v.parallel}, {"tokens sent again", v.repeated},
		{"people signed out", v.ended},
	} {
		t.Logf("%s: %s", part.name, countsOf(part.counts))
	}
	t.Logf("%d demands for a nonce, %d outages of the store", v.provider.nonces, len(v.log.outages))
	for _, note := range v.notes {
		t.Log(note)
	}
}

func countsOf(counts map[string]int) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%s %d; ", name, counts[name])
	}
	return cmp.Or(strings.TrimSuffix(b.String(), "; "), "none")
}

// events are what happened to a record and to those who used its tokens, in a
// time.
func (l *killLog) events(key grant.Key, uses []*killUse, from, to int64) (list []string) {
	add := func(begin, end int64, format string, args ...any) {
		if begin < to && from < end {
			when := fmt.Sprintf("%.3f–%.3f ", seconds(begin), seconds(end))
			list = append(list, when+fmt.Sprintf(format, args...))
		}
	}
	for _, u := range uses {
		for _, t := range l.troubles[u.instance] {
			if t.kind != storeless || t.key == key {
				add(t.from, t.to, "%s was %s %s", u.instance, t.kind, t.text)
			}
		}
	}
	for _, o := range l.outages {
		add(o.from, o.to, "the store was %s", o.text)
	}
	for _, c := range l.changes[key] {
		add(c.from, c.at, "%s: %s", c.instance, c.text)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
