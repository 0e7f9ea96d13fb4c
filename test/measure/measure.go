// Package measure is for what tests and benchmarks hold of time and memory. It
// compares costs on a machine that has other work, too: as CPU time, in short
// rounds of one subject after the other. A slow moment then slows all of them,
// and the medians leave it out.
package measure

import (
	"runtime"
	"slices"
	"time"
)

// CPU returns the CPU time of this process while do runs. It collects the
// garbage first: that of a preparation is not the subject's.
func CPU(do func()) time.Duration {
	runtime.GC()
	before := Used()
	do()
	return Used() - before
}

// Medians calls all functions in turn, so many rounds, and returns the median
// of the costs that each of them has returned.
func Medians(rounds int, costs ...func() time.Duration) []float64 {
	all := make([][]time.Duration, len(costs))
	for range rounds {
		for i, cost := range costs {
			all[i] = append(all[i], cost())
		}
	}
	medians := make([]float64, len(costs))
	for i := range all {
		slices.Sort(all[i])
		medians[i] = float64(all[i][rounds/2])
	}
	return medians
}

// Heap returns how many bytes the heap holds without its garbage.
func Heap() int64 {
	runtime.GC()
	runtime.GC() // a sync.Pool gives back what it holds in two
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
