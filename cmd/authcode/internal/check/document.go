package check

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"example.com/authcode/internal/wire"
)

// document is the answer from one of the addresses where the metadata may be.
type document struct {
	place string
	*reply
	obj wire.Object // nil if the answer is not a document
}

// readDocument reads from one address.
func (c *client) readDocument(ctx context.Context, place string) document {
	d := document{place: place, reply: c.get(ctx, place, maxDocument)}
	// The same strict reader as in package oidc.
	if d.err == nil && d.status == http.StatusOK && !d.tooLong {
		d.obj, _ = wire.ParseObject(d.body)
	}
	return d
}

// isMissing reports whether there is nothing at the address. Package oidc then
// tries the next one.
func (d *document) isMissing() bool { return d.err == nil && d.status == http.StatusNotFound }

// readDocuments reads from all addresses and says what is wrong with the
// answers. It returns the document that the rest of the check is about, or nil
// if there is none.
func (c *checker) readDocuments(ctx context.Context) *document {
	for _, place := range c.target.places {
		c.documents = append(c.documents, c.client.readDocument(ctx, place))
	}
	// All addresses are read, although package oidc stops at the first that is
	// not 404: a document at a later one explains what is wrong.
	found := slices.IndexFunc(c.documents, func(d document) bool { return d.obj != nil })
	first := slices.IndexFunc(c.documents, func(d document) bool { return !d.isMissing() })
	if first < 0 {
		c.wrong("document.missing", "there is no metadata document at %s. Check the spelling of "+
			"the issuer. If the provider publishes the document elsewhere, name that address "+
			"with -metadata-url.", showPlaces(c.target.places))
		return nil
	}
	if d := &c.documents[first]; d.obj == nil {
		c.reportUnreadable(d, found)
	}
	if found < 0 {
		return nil
	}
	d := &c.documents[found]
	if d.mediaType != "application/json" {
		c.wrong("document.type", "the document is served as %s. The provider has to serve it as "+
			"application/json (RFC 8414 section 3.2).", quote(d.mediaType))
	}
	c.reportContradictions(d, c.documents[found+1:])
	return d
}

// showPlaces joins addresses for a message.
func showPlaces(places []string) string {
	var shown []string
	for _, p := range places {
		shown = append(shown, show(p))
	}
	return strings.Join(shown, ", nor at ")
}

// reportUnreadable says why d, the first answer that is not 404, is not a
// document. found is the index of a later address with a document, or negative.
func (c *checker) reportUnreadable(d *document, found int) {
	cure := ""
	if found >= 0 {
		// Only 404 makes package oidc try the next address. Any other answer
		// may be an attack or an outage.
		cure = " Package oidc does not look any further. There is a document at " +
			show(c.documents[found].place) +
			": name that address with -metadata-url here, and with oidc.MetadataURL in the app."
	}
	at := show(d.place)
	switch {
	case d.err != nil && isCertificateFault(d.err):
		c.wrong("document.certificate", "the server at %s cannot be trusted: %s.%s", at,
			d.summary(), cure)
	case d.err != nil:
		c.wrong("document.unreachable", "nothing was read from %s: %s.%s", at, d.summary(), cure)
	case d.redirects():
		c.wrong("document.redirect", "%s answers %s and leads to %s. Package oidc follows no "+
			"redirect to metadata, since it could lead to another server.%s", at,
			d.summary(), showLocation(d.location),
			cmp.Or(cure, " If that is the provider's own address, name it with -metadata-url "+
				"here, and with oidc.MetadataURL in the app. If only the issuer was misspelled, "+
				"correct it."))
	case d.status != http.StatusOK:
		c.wrong("document.status", "%s answers %s, not 200.%s", at, d.summary(), cure)
	case d.tooLong:
		c.wrong("document.size", "the document at %s is larger than %d KiB, which is the limit "+
			"of package oidc.%s", at, maxDocument>>10, cure)
	default:
		c.wrong("document.form", "the answer from %s is not a JSON object with distinct member "+
			"names in UTF-8 (it came as %s).%s", at, quote(d.mediaType), cure)
	}
}

// showLocation returns where a redirect leads.
func showLocation(location string) string {
	if location == "" {
		return "nowhere: it has no Location"
	}
	return show(location)
}

// reportContradictions says where further documents of the same server
// contradict d. Programs that read different documents would treat the server
// differently.
func (c *checker) reportContradictions(d *document, others []document) {
	for i := range others {
		other := &others[i]
		if other.obj == nil {
			continue
		}
		var differ []string
		for _, name := range slices.Sorted(maps.Keys(d.obj)) {
			if value, present := other.obj[name]; present && !sameValue(value, d.obj[name]) {
				differ = append(differ, name)
			}
		}
		if len(differ) > 0 {
			c.wrong("document.contradiction", "the documents at %s and %s contradict each other "+
				"in %s. This check and package oidc use the first one. Report it to the "+
				"provider.", show(d.place), show(other.place), list(differ))
		}
	}
}

// sameValue compares two JSON values. The order of a list of texts does not
// matter.
func sameValue(a, b wire.Raw) bool {
	first, isList := wire.Strings(a)
	second, isAlsoList := wire.Strings(b)
	if isList && isAlsoList {
		slices.Sort(first)
		slices.Sort(second)
		return slices.Equal(first, second)
	}
	one, ok := wire.Any(a)
	two, alsoOK := wire.Any(b)
	return ok && alsoOK && equalJSON(one, two)
}
