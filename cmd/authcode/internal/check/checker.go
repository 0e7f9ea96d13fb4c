package check

import (
	"context"
	"fmt"
	"strings"
)

// checker collects what is found out about one server.
type checker struct {
	options options
	target  *target
	client  *client

	documents []document
	meta      *metadata
	keys      []key
	keysRead  bool
	answers   []answer

	problems, notes []finding
}

// finding is something to know about the server. Programs may rely on the ID.
type finding struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

func (c *checker) wrong(id, format string, args ...any) {
	c.problems = append(c.problems, newFinding(id, format, args))
}

func (c *checker) note(id, format string, args ...any) {
	c.notes = append(c.notes, newFinding(id, format, args))
}

func newFinding(id, format string, args []any) finding {
	return finding{id, strings.TrimSpace(fmt.Sprintf(format, args...))}
}

// run asks the server and judges its answers.
func (c *checker) run(ctx context.Context) *report {
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	if c.target.issuer == "" {
		c.wrong("issuer.metadata_url", "%s is the address of a metadata document and not an "+
			"issuer. The issuer is the text that the document has under issuer.", show(c.target.given))
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
