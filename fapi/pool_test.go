package fapi_test

import (
	"fmt"
	"sync"
)

// pool keeps the providers of rows that are over, for rows whose app has the same registration. All of the
// app is new each time: see begin.
type pool struct {
	mu   sync.Mutex
	all  []*world
	idle map[string][]*world
}

// kind tells which worlds can take each other's place; "" for those that cannot.
func (s setup) kind() string {
	if s.reg != nil || s.cfg != nil || s.make != nil || s.options != nil {
		return ""
	}
	return fmt.Sprint("like ", s.showsCertificate(), s.listeners)
}

func (p *pool) take(in setup) *world {
	if x := p.pop(in.kind()); x != nil {
		return x
	}
	x := openWorld(in)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, x)
	return x
}

func (p *pool) pop(kind string) *world {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[kind]
	if len(list) == 0 || kind == "" {
		return nil
	}
	p.idle[kind] = list[:len(list)-1]
	return list[len(list)-1]
}

func (p *pool) put(x *world) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.idle = make(map[string][]*world)
	}
	x.srv.ClearFaults()
	p.idle[x.in.kind()] = append(p.idle[x.in.kind()], x)
}

func (p *pool) close() {
	for _, x := range p.all {
		x.close()
	}
}
