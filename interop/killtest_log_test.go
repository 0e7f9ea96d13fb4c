package interop

import (
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/interop/killtest"
)

// Kinds of trouble.
const (
	dead      = "dead"
	frozen    = "frozen"
	starved   = "starved" // the machine was busy
	storeless = "without its store"
)

// troubleKinds are in order of importance, the last one first.
var troubleKinds = []string{storeless, starved, frozen, dead}

// killTrouble is a time in which an instance could not do its work.
type killTrouble struct {
	kind     string
	from, to int64
	key      grant.Key // of the record; of storeless alone
	text     string
}

// killLog is what the test and the instances have seen.
type killLog struct {
	mu       sync.Mutex
	troubles map[string][]killTrouble // by instance
	freezes  map[string][][2]int64    // by instance
	outages  []killTrouble            // of the store
	byKey    map[grant.Key]*killFamily
	keys     map[*killFamily]grant.Key
	saves    map[killSaver][]int64
	changes  map[grant.Key][]killChange
	calls    []time.Duration
	results  map[string]int // of calls
	seen     map[string]int // outcomes
}

// killChange is what an instance did to a record.
type killChange struct {
	instance string
	from, at int64
	text     string
}

// killSaver is an instance that has saved a grant.
type killSaver struct {
	instance string
	key      grant.Key
}

func newKillLog() *killLog {
	return &killLog{
		troubles: make(map[string][]killTrouble), freezes: make(map[string][][2]int64),
		byKey: make(map[grant.Key]*killFamily), keys: make(map[*killFamily]grant.Key),
		saves: make(map[killSaver][]int64), changes: make(map[grant.Key][]killChange),
		results: make(map[string]int), seen: make(map[string]int),
	}
}

// add writes down a line of an instance.
func (l *killLog) add(instance string, line killtest.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch line.Kind {
	case killtest.Called:
		l.calls = append(l.calls, time.Duration(line.At-line.From))
		l.results[line.Text]++
	case killtest.Starved:
		l.troubles[instance] = append(l.troubles[instance],
			killTrouble{kind: starved, from: line.From, to: line.At})
	case killtest.Failed:
		l.troubles[instance] = append(l.troubles[instance], killTrouble{
			kind: storeless, from: line.From, to: line.At, key: line.Key, text: line.Text,
		})
	case killtest.Changed:
		l.changes[line.Key] = append(l.changes[line.Key],
			killChange{instance, line.From, line.At, line.Text})
	case killtest.Saved:
		saver := killSaver{instance, line.Key}
		l.saves[saver] = append(l.saves[saver], line.At)
	case killtest.Seen:
		outcome, _, _ := strings.Cut(line.Text, ":")
		l.seen[outcome]++
	}
}

func (l *killLog) trouble(instance string, t killTrouble) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.troubles[instance] = append(l.troubles[instance], t)
}

// freeze writes down that an instance was stopped. The instance says itself for
// how long it did not run.
func (l *killLog) freeze(instance string, from, to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.freezes[instance] = append(l.freezes[instance], [2]int64{from, to})
}

func (l *killLog) storeOutage(name string, from, to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outages = append(l.outages, killTrouble{kind: storeless, text: name, from: from, to: to})
}

func (l *killLog) families(key grant.Key, f *killFamily) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byKey[key], l.keys[f] = f, key
}

// finish tells the stopped instances from the starved ones, and notes when the
// answers of uses were saved.
func (l *killLog) finish(uses []*killUse) {
	for instance, troubles := range l.troubles {
		for i, t := range troubles {
			isFreeze := slices.ContainsFunc(l.freezes[instance],
				func(f [2]int64) bool { return f[0] < t.to && t.from < f[1] })
			if t.kind == starved && isFreeze {
				troubles[i].kind = frozen
			}
		}
	}
	for _, u := range uses {
		saves := l.saves[killSaver{u.instance, l.keys[u.token.family]}]
		i := slices.IndexFunc(saves, func(at int64) bool { return at > u.ended })
		if i >= 0 && u.result != "refused" && u.fate == "answered" {
			u.saved = saves[i]
		}
	}
}

// troubled returns the worst kind of trouble that an instance had with a record
// in a time, or "".
func (l *killLog) troubled(instance string, key grant.Key, from, to int64) string {
	worst := -1
	for _, t := range l.troubles[instance] {
		isOther := t.kind == storeless && t.key != key
		if t.from < to && from < t.to && !isOther {
			worst = max(worst, slices.Index(troubleKinds, t.kind))
		}
	}
	if worst < 0 {
		return ""
	}
	return troubleKinds[worst]
}
