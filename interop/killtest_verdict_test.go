package interop

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const killLease = int64(3 * time.Second)

// killVerdict judges a run by the log of the provider.
//
// What must not happen is in faults. What may happen, since its cause is not in
// this program, is counted by its cause: a holder that was killed, stopped or
// starved for longer than a second, or without its store, until it had saved; an
// answer that did not arrive, or was a 502. Nobody can tell these from a renewal
// that has not happened, so the token is sent again. A strict provider then
// revokes it.
type killVerdict struct {
	log      *killLog
	provider *killProvider
	faults   []string
	notes    []string
	parallel map[string]int // renewals of one grant at the same time
	repeated map[string]int // refresh tokens that were sent again
	ended    map[string]int // people signed out
}

func (r *killRun) verdict() *killVerdict {
	v := &killVerdict{
		log: r.log, provider: r.provider, faults: r.provider.wrong,
		parallel: make(map[string]int), repeated: make(map[string]int), ended: make(map[string]int),
	}
	r.log.finish(r.provider.uses)
	byFamily := make(map[*killFamily][]*killUse)
	for _, u := range r.provider.uses {
		byFamily[u.token.family] = append(byFamily[u.token.family], u)
	}
	for f, uses := range byFamily {
		slices.SortFunc(uses, func(a, b *killUse) int { return cmp.Compare(a.arrived, b.arrived) })
		v.judgeUses(uses)
		if f.revoked != 0 || f.ended != 0 {
			v.judgeEnd(f, uses)
		}
	}
	for _, f := range r.provider.families {
		if f.ended != 0 && byFamily[f] == nil {
			v.fault("signed out", "without a renewal", nil)
		}
	}
	return v
}

// judgeUses looks for renewals at the same time, and for tokens that are sent
// again.
func (v *killVerdict) judgeUses(uses []*killUse) {
	for i, b := range uses {
		for _, a := range uses[:i] {
			if a.ended > b.arrived {
				v.count(v.parallel, "two renewals at a time", v.cause(a, b), a, b)
			}
		}
		before := slices.Index(b.token.uses, b)
		if before <= 0 {
			continue
		}
		a := b.token.uses[before-1]
		v.count(v.repeated, "a token was sent again", cmp.Or(unanswered(a), v.cause(a, b)), a, b)
	}
}

// unanswered says why nobody has the answer to a use, or returns "".
func unanswered(u *killUse) string {
	switch u.fate {
	case "lost", "gone":
		return "the answer did not arrive"
	case "502":
		return "502"
	}
	return ""
}

// cause says why b was sent after a, although nobody had failed: a's holder was in
// trouble until it had saved, or b's holder was between taking the lease and
// sending.
func (v *killVerdict) cause(a, b *killUse) string {
	until := b.arrived
	if a.saved != 0 && a.saved < until {
		until = a.saved
	}
	key := v.log.keys[a.token.family]
	if kind := v.log.troubled(a.instance, key, a.arrived-killLease, until); kind != "" {
		return kind
	}
	if kind := v.log.troubled(b.instance, key, a.arrived-killLease, b.arrived); kind != "" {
		return kind + ", the later one"
	}
	return ""
}

// judgeEnd says why a person was signed out.
func (v *killVerdict) judgeEnd(f *killFamily, uses []*killUse) {
	last := f.by
	if last == nil {
		v.fault("signed out", fmt.Sprintf("%s by %s at %.3f, although the provider has refused nothing",
			f.kind, f.endedBy, seconds(f.ended)), uses)
		return
	}
	var cause string
	for i, b := range last.token.uses[1:] {
		a := last.token.uses[i]
		cause = cmp.Or(cause, unanswered(a), v.cause(a, b))
	}
	if strings.HasPrefix(f.kind, "reuse") {
		cause = v.lateness(last)
	}
	v.count(v.ended, "signed out", cause, last.token.uses...)
}

// lateness says why a token was not sent again within the time for which the
// provider takes it.
func (v *killVerdict) lateness(last *killUse) string {
	from, to := last.token.rotated, last.arrived
	for _, o := range v.log.outages {
		if o.from < to && from < o.to {
			return storeless
		}
	}
	key := v.log.keys[last.token.family]
	if kind := v.log.troubled(last.instance, key, to-killLease, to); kind != "" {
		return kind + ", the later one"
	}
	for instance := range v.log.troubles {
		kind := v.log.troubled(instance, key, from, to)
		if kind == starved || kind == storeless {
			return kind
		}
	}
	return ""
}

// count counts what has happened by its cause. Without one, it is a fault.
func (v *killVerdict) count(counts map[string]int, what, cause string, uses ...*killUse) {
	if cause == "" {
		v.fault(what, "without need", uses)
		cause = "WITHOUT NEED"
	} else if os.Getenv("KILLTEST_TRACE") != "" {
		v.notes = append(v.notes, v.trace(what, cause, uses))
	}
	counts[cause]++
}

// fault adds a fault.
func (v *killVerdict) fault(what, why string, uses []*killUse) {
	v.faults = append(v.faults, v.trace(what, why, uses))
}

// trace says what happened around some uses.
func (v *killVerdict) trace(what, why string, uses []*killUse) string {
	text := fmt.Sprintf("%s %s:", what, why)
	for _, u := range uses {
		text += fmt.Sprintf("\n  person %d (%s), token %d: %s",
			u.token.family.person, u.token.family.kind, u.token.number, u)
	}
	if len(uses) == 0 {
		return text
	}
	from, to := uses[0].arrived-int64(5*time.Second), uses[len(uses)-1].ended+int64(time.Second)
	for _, event := range v.log.events(v.log.keys[uses[0].token.family], uses, from, to) {
		text += "\n  " + event
	}
	return text
}
