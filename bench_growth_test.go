package authcode_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkForeignCookies: what a site's own cookies, of 1 kB each, add to a
// start and to a finish.
func BenchmarkForeignCookies(b *testing.B) {
	for _, n := range []int{0, 5, 20} {
		foreign := ""
		for i := range n {
			foreign += fmt.Sprintf("; site%d=%s", i, strings.Repeat("x", 1000))
		}
		s := newModule(b)
		b.Run(fmt.Sprintf("start/%d", n), func(b *testing.B) {
			r := startRequest()
			r.Header.Set("Cookie", "a=b"+foreign)
			b.ReportAllocs()
			for b.Loop() {
				s.start(&discard{header: make(http.Header, 8)}, r)
			}
		})
		b.Run(fmt.Sprintf("finish/%d", n), func(b *testing.B) {
			var callbacks []*http.Request
			for range b.N {
				rec := httptest.NewRecorder()
				r := callbackFor(s.start(rec, startRequest()), rec)
				r.Header.Set("Cookie", r.Header.Get("Cookie")+foreign)
				callbacks = append(callbacks, r)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, r := range callbacks {
				if _, _, err := s.finish(&discard{header: make(http.Header, 8)}, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
