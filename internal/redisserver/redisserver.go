// Signals freeze and thaw the servers, and only Unix has those.

//go:build unix

// Package redisserver runs Redis or Valkey for our own tests: servers on
// loopback with folders of their own, which tests stop, freeze, kill and start
// again, replicas that take over, and a Cluster.
package redisserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// patience is for anything that a slow machine may keep waiting.
const patience = 30 * time.Second

// Program is the server's program, and that of its command line client.
type Program struct{ server, cli string }

// Find returns what is installed. Redis goes before Valkey; set
// AUTHCODE_REDIS=valkey to test with the latter.
func Find() (Program, error) {
	for _, name := range []string{"redis", "valkey"} {
		if want := os.Getenv("AUTHCODE_REDIS"); want != "" && want != name {
			continue
		}
		server, err := exec.LookPath(name + "-server")
		if err != nil {
			continue
		}
		cli, err := exec.LookPath(name + "-cli")
		if err == nil {
			return Program{server, cli}, nil
		}
	}
	return Program{}, errors.New("neither Redis nor Valkey is installed: apt-get install redis-server")
}

// Server is one server, which may be running or not.
type Server struct {
	Addr string // host and port, which stay the same when it starts again

	program  Program
	dir      string
	settings []string
	cmd      *exec.Cmd
	ended    chan struct{}
}

// Start starts a server that keeps its data in dir and has an append-only file.
// Settings are command line options, such as "--appendonly", "no".
func (p Program) Start(dir string, settings ...string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: "127.0.0.1:" + port, program: p, dir: dir}
	s.settings = append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--daemonize", "no",
		"--appendonly", "yes", "--save", "", "--logfile", "log",
		"--repl-diskless-sync-delay", "0",
	}, settings...)
	return s, s.Start()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// Start starts a server again that has ended, with the data that it has kept.
func (s *Server) Start() error {
	s.cmd = exec.Command(s.program.server, s.settings...)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() { cmd.Wait(); close(ended) }()
	return s.until("PONG", "ping")
}

// until waits for a command whose answer contains a text.
func (s *Server) until(text string, command ...string) error {
	var answer string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-s.ended:
			log, _ := os.ReadFile(s.dir + "/log")
			return fmt.Errorf("%s ended: %v\n%s", s.program.server, s.cmd.ProcessState, log)
		case <-time.After(10 * time.Millisecond):
		}
		if answer, _ = s.Do(command...); strings.Contains(answer, text) {
			return nil
		}
	}
	return fmt.Errorf("%s does not answer %q to %q but %q", s.Addr, text, command, answer)
}

// Do sends a command and returns the answer.
func (s *Server) Do(command ...string) (string, error) {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return "", err
	}
	args := append([]string{"-h", host, "-p", port}, command...)
	out, err := exec.Command(s.program.cli, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Stop ends the server in order.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server as a crash does.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(sig syscall.Signal) {
	s.cmd.Process.Signal(sig)
	s.cmd.Process.Signal(syscall.SIGCONT)
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.cmd.Process.Kill()
		<-s.ended
	}
}

// Freeze stops the server in the middle of what it does. It keeps its
// connections.
func (s *Server) Freeze() { s.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw makes a frozen server go on.
func (s *Server) Thaw() { s.cmd.Process.Signal(syscall.SIGCONT) }

// StartReplica starts a replica of s and waits until it has all data.
func (s *Server) StartReplica(dir string, settings ...string) (*Server, error) {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return nil, err
	}
	r, err := s.program.Start(dir, append(settings, "--replicaof", host+" "+port)...)
	if err != nil {
		return r, err
	}
	return r, r.until("master_link_status:up", "info", "replication")
}

// Promote makes a replica a server of its own, with the data that had reached
// it. Clients must be sent there: this is a failover without Sentinel.
func (s *Server) Promote() error {
	return s.until("OK", "replicaof", "no", "one")
}

// StartCluster starts the servers of a Cluster, each in a folder of dir.
func (p Program) StartCluster(dir string, n int) (servers []*Server, err error) {
	defer func() {
		if err != nil {
			for _, s := range servers {
				s.Kill()
			}
		}
	}()
	create := []string{"--cluster", "create"}
	for i := range n {
		folder := fmt.Sprintf("%s/%d", dir, i)
		if err := os.Mkdir(folder, 0o700); err != nil {
			return servers, err
		}
		bus, err := freePort()
		if err != nil {
			return servers, err
		}
		s, err := p.Start(folder, "--cluster-enabled", "yes", "--cluster-port", bus)
		if err != nil {
			return servers, err
		}
		servers, create = append(servers, s), append(create, s.Addr)
	}
	out, err := exec.Command(p.cli, append(create, "--cluster-yes")...).CombinedOutput()
	if err != nil {
		return servers, fmt.Errorf("%v: %s", err, out)
	}
	for _, s := range servers {
		if err := s.until("cluster_state:ok", "cluster", "info"); err != nil {
			return servers, err
		}
	}
	return servers, nil
}
