package check

import (
	"fmt"
	"io"
	"strings"
)

const width = 100 // columns of the text

// report is the result of a check.
type report struct {
	Given     string         `json:"given"`
	Issuer    string         `json:"issuer"`
	Documents []place        `json:"documents"`
	Offers    map[string]any `json:"offers,omitempty"`
	Keys      []key          `json:"keys,omitempty"`
	Answers   []answer       `json:"answers,omitempty"`
	Lacks     *lacks         `json:"fapi_lacks,omitempty"`
	Problems  []finding      `json:"problems"`
	Notes     []finding      `json:"notes"`
	Program   string         `json:"program,omitempty"`
	NoProgram string         `json:"no_program,omitempty"` // why there is none

	meta       *metadata
	identifies bool // see checker.identifies
}

// place is an address where the metadata may be, and what is there.
type place struct {
	URL      string `json:"url"`
	Says     string `json:"says"`
	Location string `json:"location,omitempty"`
	Bytes    int    `json:"bytes,omitempty"`
}

// lacks holds the rules of FAPI 2.0 that the server does not meet, according to
// its metadata.
type lacks struct {
	Security       []finding `json:"security_profile"`
	MessageSigning []finding `json:"message_signing"` // in addition
}

// newReport begins a report with the documents.
func (c *checker) newReport() *report {
	r := &report{Given: c.target.given, Issuer: c.target.issuer}
	for _, d := range c.documents {
		p := place{URL: d.place, Says: d.summary(), Bytes: len(d.body)}
		if d.redirects() {
			p.Location = d.location
		}
		r.Documents = append(r.Documents, p)
	}
	return r
}

// describe adds what the document and the endpoints say.
func (r *report) describe(c *checker) {
	r.meta, r.identifies = c.meta, c.identifies()
	r.Issuer, r.Offers, r.Keys, r.Answers = c.issuer(), c.meta.offers(), c.keys, c.answers
	r.Lacks = &lacks{c.lacks(securityRules), c.lacks(signingRules)}
	// Without -fapi, what is lacking is information and not a problem.
	if c.options.fapi != "" {
		for _, f := range r.Lacks.Security {
			c.wrong("fapi."+f.ID, "FAPI 2.0 Security Profile: the server lacks %s.", f.Text)
		}
	}
	if c.options.fapi == fapiSigning {
		for _, f := range r.Lacks.MessageSigning {
			c.wrong("fapi."+f.ID, "FAPI 2.0 Message Signing: the server lacks %s.", f.Text)
		}
	}
}

// finish adds the findings, and why there is no program. JSON readers get an
// empty list in place of null.
func (r *report) finish(c *checker, noProgram string) *report {
	r.Problems, r.Notes = append([]finding{}, c.problems...), append([]finding{}, c.notes...)
	r.NoProgram = noProgram
	return r
}

// print writes the report for people.
func (r *report) print(w io.Writer) error {
	var out strings.Builder
	name := r.Issuer
	if name == "" {
		name = r.Given
	}
	fmt.Fprintf(&out, "%s\n\n", show(name))
	for _, d := range r.Documents {
		line := show(d.URL) + ": " + d.Says
		if d.Location != "" {
			line += ", leads to " + show(d.Location)
		}
		fmt.Fprintf(&out, "  %s\n", wrap(line, 4, width))
	}
	if r.meta != nil {
		fmt.Fprint(&out, "\nWHAT IT OFFERS\n")
		r.printOffers(&out)
		r.printLacks(&out)
	}
	printFindings(&out, "WHAT LOOKS WRONG", r.Problems)
	if len(r.Problems) == 0 {
		fmt.Fprint(&out, "\nNOTHING LOOKS WRONG\n")
	}
	printFindings(&out, "GOOD TO KNOW", r.Notes)
	if r.Program != "" {
		fmt.Fprintf(&out, "\nA PROGRAM TO START FROM\n\n%s", r.Program)
		fmt.Fprintf(&out, "\nTo sign in there without writing anything:\n\n"+
			"authcode try -issuer %s -client-id ID%s\n", argument(r.Issuer), r.tryScopes())
	} else {
		fmt.Fprintf(&out, "\nThere is no program to start from: %s.\n", r.NoProgram)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// tryScopes returns the flag of authcode try for a login without identity. By
// default, authcode try asks for an ID token.
func (r *report) tryScopes() string {
	if r.identifies {
		return ""
	}
	return " -scopes SCOPES"
}

// printFindings writes findings under a title. It writes nothing if there are
// none.
func printFindings(out *strings.Builder, title string, findings []finding) {
	if len(findings) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n\n", title)
	for _, f := range findings {
		fmt.Fprintf(out, "  - %s [%s]\n", wrap(f.Text, 4, width), f.ID)
	}
}

// printLacks writes what the server lacks for FAPI 2.0.
func (r *report) printLacks(out *strings.Builder) {
	fmt.Fprint(out, "\nWHAT IT LACKS FOR FAPI 2.0, AS FAR AS THE METADATA SHOWS\n")
	for _, p := range []struct {
		title string
		lacks []finding
	}{{"Security Profile", r.Lacks.Security}, {"Message Signing, besides that",
		r.Lacks.MessageSigning}} {
		if len(p.lacks) == 0 {
			fmt.Fprintf(out, "\n  %s: nothing\n", p.title)
			continue
		}
		fmt.Fprintf(out, "\n  %s:\n", p.title)
		for _, f := range p.lacks {
			fmt.Fprintf(out, "  - %s\n", wrap(f.Text, 4, width))
		}
	}
}
