package grant

import (
	"encoding/binary"
	"testing"
)

// TestPassedIsBounded: the list of the store grows by those that cannot be taken
// up now, to a bound, and forgets those that are no longer listed.
func TestPassedIsBounded(t *testing.T) {
	s := sweeper{passed: make(map[Key]bool)}
	var keys []Key
	for n := range uint16(2000) {
		key := Key{Kind: "other"} // takeUp begins with none of these
		binary.BigEndian.PutUint16(key.ID[:], n)
		keys = append(keys, key)
		s.pass(key)
	}
	if got := s.limit(); got != 1200 {
		t.Errorf("the limit is %d, want 1200", got)
	}
	listed := keys[:10]
	more := s.takeUp(t.Context(), append(listed[:10:10], Key{Kind: "new"}))
	if len(s.passed) != len(listed) || s.limit() != 210 || more {
		t.Errorf("%d are left, the limit is %d, more: %v", len(s.passed), s.limit(), more)
	}
}
