package once

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"example.com/authcode/test/measure"
)

// BenchmarkUsed: what marking a login as used costs, after so many others that
// have not expired. The bound is that of the root package.
func BenchmarkUsed(b *testing.B) {
	for _, before := range []int{0, 1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(before), func(b *testing.B) {
			s, next := &Set{Max: 1 << 18}, uint64(0)
			now := time.Now()
			use := func() {
				var id ID
				next++
				binary.BigEndian.PutUint64(id[:], next)
				s.Begin(id, now, now.Add(11*time.Minute))
				s.End(id, Done)
			}
			empty := measure.Heap()
			for range before {
				use()
			}
			held := measure.Heap() - empty
			const uses = 1000
			cost := func() time.Duration {
				return measure.CPU(func() {
					for range uses {
						use()
					}
				}) / uses
			}
			b.ReportMetric(measure.Medians(b.N, cost)[0], "CPU-ns/use")
			b.ReportMetric(float64(held)/1e6, "MB-held")
			b.ReportMetric(0, "ns/op")
			runtime.KeepAlive(s)
		})
	}
}
