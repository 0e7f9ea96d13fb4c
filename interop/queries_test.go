package interop

import (
	"os"
	"regexp"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
)

// TestQueries: each query of docs/metrics.md can be parsed. MetricsQL has all of
// PromQL, and its parser needs a few small modules in place of all of Prometheus.
func TestQueries(t *testing.T) {
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	queries := regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(queries) < 6 {
		t.Fatalf("the page has %d queries", len(queries))
	}
	for _, q := range queries {
		if _, err := metricsql.Parse(q[1]); err != nil {
			t.Errorf("%v in\n%s", err, q[1])
		}
	}
}
