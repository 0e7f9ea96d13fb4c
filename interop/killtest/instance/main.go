// Command instance is one instance of an app with grants. The kill test starts
// several, and stops, kills and starts them again.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/interop/killtest"
)

func main() {
	log.SetFlags(0)
	var setup killtest.Setup
	if err := json.Unmarshal([]byte(os.Getenv(killtest.SetupVariable)), &setup); err != nil {
		log.Fatal(err)
	}
	if err := run(setup); err != nil {
		log.Fatal(setup.Name, ": ", err)
	}
}

// run works until the process is asked to end.
func run(setup killtest.Setup) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var out output
	go out.starvation(ctx)
	store, err := killtest.Open(setup.Store, setup.DSN)
	// The store may be away just now.
	for ; err != nil && ctx.Err() == nil; store, err = killtest.Open(setup.Store, setup.DSN) {
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	clients, err := killtest.Clients(setup.Provider, setup.Name)
	if err != nil {
		return err
	}
	grants, err := killtest.Grants(&watched{store, &out}, clients,
		func(_ context.Context, e grant.Event) {
			line := killtest.Line{Kind: killtest.Seen, Text: string(e.Outcome)}
			if e.Err != nil {
				line.Text += ": " + e.Err.Error()
			}
			out.write(line)
		})
	if err != nil {
		return err
	}
	a := &app{setup: setup, grants: grants, out: &out, ids: make(map[int]string)}
	var busy sync.WaitGroup
	busy.Go(func() { grants.Run(ctx) })
	for range a.callers() {
		busy.Go(func() { a.call(ctx) })
	}
	busy.Wait()
	end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return grants.Close(end)
}

// output writes lines to standard output. Each is written at once, since the
// process may be killed.
type output struct{ mu sync.Mutex }

func (o *output) write(line killtest.Line) {
	if line.At == 0 {
		line.At = killtest.Now()
	}
	text, err := json.Marshal(line)
	if err != nil {
		log.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

// starvedAfter is a third of the time of a lease: a holder that does not run for
// longer may be unable to extend it.
const starvedAfter = time.Second

// starvation reports when this process did not run, because it was stopped or
// the machine was busy.
func (o *output) starvation(ctx context.Context) {
	for last := killtest.Now(); ctx.Err() == nil; {
		time.Sleep(starvedAfter / 20)
		now := killtest.Now()
		if now-last > int64(starvedAfter) {
			o.write(killtest.Line{Kind: killtest.Starved, From: last, At: now})
		}
		last = now
	}
}
