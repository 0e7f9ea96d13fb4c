package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const patience = 20 * time.Second // for anything that a slow machine may keep waiting

// need ends the test when something that it needs is not installed: a skip that says
// how to get it, or a failure where CI promises that it is there.
func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

func installed(program, hint string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: %s", program, hint)
	}
	return path, nil
}

// process is a child that reports on its standard output, line by line.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
	log   *logBuffer // its standard error
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

func startProcess(cmd *exec.Cmd, name string) (*process, error) {
	p := &process{
		name: name, cmd: cmd, log: new(logBuffer),
		lines: make(chan string, 64), ended: make(chan struct{}),
	}
	cmd.Stderr = p.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			select {
			case p.lines <- s.Text():
			default: // nobody reads on; the child must not block
			}
		}
		close(p.lines)
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// line returns the rest of the next output line that begins with prefix.
func (p *process) line(prefix string) (string, error) {
	return p.lineWithin(prefix, patience)
}

func (p *process) lineWithin(prefix string, d time.Duration) (string, error) {
	timeout, seen := time.After(d), ""
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				<-p.ended
				return "", fmt.Errorf("%s ended (%v) before it said %q:\n%s%s",
					p.name, p.err, prefix, seen, p.log)
			}
			seen += line + "\n"
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return rest, nil
			}
		case <-timeout:
			return "", fmt.Errorf("%s did not say %q:\n%s%s", p.name, prefix, seen, p.log)
		}
	}
}

// stop asks the child to end, by the end of its input and by SIGTERM, and returns how it did.
func (p *process) stop() error {
	p.stdin.Close()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not end when asked to", p.name)
	}
}

// logBuffer is written by a child's copying goroutine while tests read it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
