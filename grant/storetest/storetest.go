// Package storetest tests any [grant.Store].
package storetest

import (
	"sync"
	"testing"

	"example.com/authcode/grant"
)

// Test tests a store against the comments of [grant.Store]. It calls open a few
// times, and each call returns a handle on the same data, as the instances of
// an app have them: the same value, or better another one with connections of
// its own. Operations alternate between these handles. Whatever a handle needs
// to be closed belongs into t.Cleanup.
//
// The data may be that of other tests, too: keys are random, and Test deletes
// its records at the end. It calls Sweep, though, and whatever else calls it
// meanwhile may get abandoned records of Test.
//
// Since all time is the store's, Test waits a few seconds for short leases to
// run out. It compares what the store's clock says with its own measurements,
// and gives a clock 50 ms of tolerance, so a slow machine fails nothing.
//
// Two faults have no effect that Test could see in one process. A store that
// uses the clock of its instance looks right as long as the handles agree, so
// run Test once with a handle whose clock differs. And what a Sweep has deleted
// was not found before either, so count the rows in a test of your own.
func Test(t *testing.T, open func(t *testing.T) grant.Store) {
	handles := []grant.Store{open(t), open(t), open(t)}
	var wg sync.WaitGroup
	slots := make(chan struct{}, racers)
	for _, c := range waiting() {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.Run(c.name, func(t *testing.T) { c.run(newTrial(t, handles)) })
		})
	}
	wg.Wait()
	for _, c := range busy() {
		t.Run(c.name, func(t *testing.T) { c.run(newTrial(t, handles)) })
	}
}

// check is one part of the test. Its name is a claim.
type check struct {
	name string
	run  func(c *trial)
}

// waiting returns the checks that mostly wait. They run at the same time,
// without t.Parallel, which allows no more than one for each core.
func waiting() []check {
	return []check{
		{"Create adds what Load returns", createsAll},
		{"Create overwrites nothing", createsOnce},
		{"a key is a kind and an ID", separatesKeys},
		{"a missing record stays missing", createsNothing},
		{"nobody shares memory with the store", sharesNothing},
		{"Delete removes a version", deletes},
		{"a record expires by Expires", expiresByExpires},
		{"a record expires by Idle", expiresByIdle},
		{"an expired record is not found", findsNothingExpired},
		{"touching restarts Idle", touches},
		{"touching keeps a record alive", touchesAlive},
		{"touching does not change Expires", touchesWithinExpires},
		{"only touching touches", touchesByLoadOnly},
		{"a lease has one holder", holdsLease},
		{"a lease runs out", runsOut},
		{"a lease that has run out is its holder's until another takes it", returnsToHolder},
		{"a late holder is refused", refusesLateHolder},
		{"Wait keeps everybody off", waits},
		{"Tries and Since count one version's leases", counts},
		{"owners differ in each character", separatesOwners},
		{"Content replaces everything", replaces},
		{"Content needs the version", needsVersion},
		{"a repeated operation is harmless", repeats},
		{"Find returns pages in order", findsPages},
		{"Find looks at kind, index and digest", findsExactly},
		{"Find follows each change", findsChanges},
		{"a context ends an operation", endsWithContext},
	}
}

// busy returns the checks that run one after another, because they keep the
// store busy, or count what is in it.
func busy() []check {
	return []check{
		{"Sweep spares what is alive", sweepsExpired},
		{"Sweep lists abandoned leases", listsAbandoned},
		{"Sweep is bounded", sweepsBounded},
		{"one of many creates", raceToCreate},
		{"one of many takes the lease", raceToTake},
		{"one of many takes over a lease", raceToTakeOver},
		{"one of many replaces a version", raceToReplace},
		{"either Delete or Swap wins a version", raceToDelete},
		{"nothing brings back a deleted record", staysDeleted},
		{"a finished write is seen", seesWrites},
		{"Find sees a record while it changes", findsWhileChanging},
		{"stopped and repeated changes are made once", changesOnce},
	}
}
