package tenants_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// nameServer is a name server of the test's own, on a socket.
type nameServer struct {
	conn net.PacketConn

	mu    sync.Mutex
	names map[string][]string // addresses, separated by spaces, for each lookup in turn
	other string              // addresses of all other names
	asked map[string]int      // lookups of A records
}

func newNameServer(t *testing.T, other string) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, names: make(map[string][]string), asked: make(map[string]int), other: other}
	var done sync.WaitGroup
	done.Go(s.serve)
	t.Cleanup(func() {
		conn.Close()
		done.Wait()
	})
	return s
}

// set names the addresses of a host. With several texts, each lookup gets the next one.
func (s *nameServer) set(name string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[name] = addresses
}

// lookups says how often a host was looked up.
func (s *nameServer) lookups(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

// resolver asks this server, whatever the machine's configuration says.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

func (s *nameServer) serve() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := s.answer(buffer[:n]); answer != nil {
			s.conn.WriteTo(answer, from)
		}
	}
}

// answer answers one question for A or AAAA records (RFC 1035 section 4).
func (s *nameServer) answer(query []byte) []byte {
	if len(query) < 17 {
		return nil
	}
	var labels []string
	at := 12
	for query[at] != 0 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
		at += 1 + int(query[at])
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	question := query[12 : at+5]
	records, count := s.records(strings.Join(labels, "."), kind), uint16(0)
	answer := append([]byte(nil), query[:2]...)
	answer = append(answer, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	answer = append(answer, question...)
	for _, addr := range records {
		bytes := addr.AsSlice()
		answer = append(answer, 0xc0, 12)                           // the name of the question
		answer = binary.BigEndian.AppendUint16(answer, kind)        // its type
		answer = append(answer, 0, 1, 0, 0, 0, 0, 0)                // class IN, no time to live
		answer = append(append(answer, byte(len(bytes))), bytes...) // the address
		count++
	}
	binary.BigEndian.PutUint16(answer[6:], count)
	return answer
}

// records returns the addresses of a name: kind 1 is A, 28 is AAAA.
func (s *nameServer) records(name string, kind uint16) (list []netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = strings.ToLower(name)
	turns, known := s.names[name]
	if !known {
		turns = []string{s.other}
	}
	// Both questions of a lookup get the same turn: that for AAAA counts nothing.
	turn := min(s.asked[name], len(turns)-1)
	if kind == 1 {
		s.asked[name]++
	}
	for _, text := range strings.Fields(turns[turn]) {
		if addr := netip.MustParseAddr(text); addr.Is4() == (kind == 1) && (kind == 1 || kind == 28) {
			list = append(list, addr)
		}
	}
	return list
}
