package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"example.com/authcode/interop/killtest"
)

// killChaos starts the instances and troubles them.
type killChaos struct {
	*killRun
	random *rand.Rand
	freeze time.Duration // the longest time for which an instance is stopped
	slots  []*killSlot
	busy   sync.WaitGroup
	outage chan struct{} // holds one value while the store is in trouble
}

// killSlot is a place for an instance, which gets a new one after a death.
type killSlot struct {
	name    string
	worker  bool
	starts  int
	cmd     *exec.Cmd
	current string        // the name of the instance
	done    chan struct{} // closed when it has ended
	down    bool          // dead or stopped; of the loop of rage
}

// start starts an instance in a slot.
func (c *killChaos) start(s *killSlot) {
	s.starts++
	s.current = fmt.Sprintf("%s.%d", s.name, s.starts)
	setup, _ := json.Marshal(killtest.Setup{
		Name: s.current, Worker: s.worker, People: killPeople, Provider: c.url,
		Store: c.store.of(), DSN: c.backend.dsn,
	})
	s.cmd = exec.Command(c.program)
	s.cmd.Env = append(os.Environ(), killtest.SetupVariable+"="+string(setup))
	if !c.store.ownClock {
		ahead := slices.Index(c.slots, s) * 30
		s.cmd.Env = append(s.cmd.Env, fmt.Sprint(killtest.AheadVariable, "=", ahead))
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	s.cmd.Stderr = io.Discard // drivers complain about the cut connections
	if err := s.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go c.read(s.cmd, out, s.current, s.done)
}

// read writes down what an instance reports.
func (c *killChaos) read(cmd *exec.Cmd, out io.Reader, name string, done chan struct{}) {
	defer close(done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var line killtest.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err == nil { // the last one may be cut off
			c.log.add(name, line)
		}
	}
	cmd.Wait()
}

// stop asks an instance to end.
func (c *killChaos) stop(s *killSlot) {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		c.t.Errorf("%s does not end", s.current)
		s.cmd.Process.Kill()
		<-s.done
	}
}

// rage makes trouble for a time, and ends what it has begun. Two instances are
// always there.
func (c *killChaos) rage(d time.Duration) {
	back := make(chan *killSlot, len(c.slots))
	c.outage = make(chan struct{}, 1)
	down := 0
	for end := time.After(d); ; {
		select {
		case <-end:
			c.busy.Wait()
			return
		case s := <-back:
			s.down = false
			down--
		case <-time.After(c.pause(200, 1200)):
			isDue := c.backend.due != nil && c.backend.due()
			if isDue || c.random.IntN(8) == 0 {
				c.troubleStore(isDue)
				continue
			}
			s := c.slots[c.random.IntN(len(c.slots))]
			if s.down || down >= len(c.slots)-2 {
				continue
			}
			s.down = true
			down++
			c.trouble(s, back)
		}
	}
}

// pause returns a random time between two numbers of milliseconds.
func (c *killChaos) pause(from, to int) time.Duration {
	return time.Duration(from+c.random.IntN(to-from)) * time.Millisecond
}

// trouble kills or stops an instance, and brings it back.
func (c *killChaos) trouble(s *killSlot, back chan *killSlot) {
	kill := c.random.IntN(2) == 0
	pause := c.pause(100, 2000)
	if !kill {
		pause = c.pause(1000, int(c.freeze/time.Millisecond))
	}
	c.busy.Go(func() {
		from := killtest.Now()
		if kill {
			c.log.trouble(s.current, killTrouble{kind: dead, from: from, to: 1 << 62})
			s.cmd.Process.Kill()
			<-s.done
			time.Sleep(pause)
			c.start(s)
		} else {
			s.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(pause)
			s.cmd.Process.Signal(syscall.SIGCONT)
			c.log.freeze(s.current, from, killtest.Now())
		}
		back <- s
	})
}

// troubleStore makes the store fail, if it does not do so already.
func (c *killChaos) troubleStore(isDue bool) {
	names := slices.Sorted(maps.Keys(c.backend.outages))
	name, d := names[c.random.IntN(len(names))], c.pause(500, 5000)
	select {
	case c.outage <- struct{}{}:
	default:
		return
	}
	outage := c.backend.outages[name]
	if isDue {
		name, outage = "due", func(time.Duration) error { return c.backend.once() }
	}
	c.busy.Go(func() {
		from := killtest.Now()
		if err := outage(d); err != nil {
			c.t.Errorf("the store does not come back: %v", err)
		}
		c.log.storeOutage(name, from, killtest.Now())
		<-c.outage
	})
}
