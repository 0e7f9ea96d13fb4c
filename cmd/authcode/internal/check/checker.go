package check

import (
	"context"
	"fmt"
	"strings"
)

// checker collects the findings about one server.
type checker struct {
	options options
	target  *target
	client  *client

	documents []document
	meta      *metadata
	keys      []key
	keysRead  bool // the key set was readable, so a missing key is a finding
	answers   []answer

	problems, notes []finding
}

// finding is a fact about the server. Programs may rely on its ID, and not on
// its text.
type finding struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// wrong adds a problem: something that keeps people from signing in, weakens a
// login, or contradicts a standard.
func (c *checker) wrong(id, format string, args ...any) {
	c.problems = append(c.problems, newFinding(id, format, args))
}

// note adds something that is good to know.
func (c *checker) note(id, format string, args ...any) {
	c.notes = append(c.notes, newFinding(id, format, args))
}

// newFinding makes a finding. The text may end with an optional cure, which is
// empty where there is none.
func newFinding(id, format string, args []any) finding {
	return finding{id, strings.TrimSpace(fmt.Sprintf(format, args...))}
}

// run asks the server and looks at its answers.
func (c *checker) run(ctx context.Context) *report {
	// A server that answers slowly, again and again, must not keep this program
	// running.
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	if c.target.issuer == "" {
		c.wrong("issuer.metadata_url", "%s is the address of a metadata document and not an "+
			"issuer. Name the issuer: it is the value of the member issuer in that document.",
			show(c.target.given))
	}
	found := c.readDocuments(ctx)
	r := c.newReport()
	if found == nil {
		return r.finish(c, "there is no metadata to make it from")
	}
	c.meta = newMetadata(found.obj)
	c.checkIssuer()
	c.checkMembers()
	c.checkEndpoints()
	c.checkLogin()
	c.checkClientAuth()
	c.readKeys(ctx)
	c.checkAlgorithms()
	c.checkTLS(found)
	c.callEndpoints(ctx)
	r.describe(c)
	program, err := c.program()
	if err != nil {
		return r.finish(c, err.Error())
	}
	r.Program = program
	return r.finish(c, "")
}
