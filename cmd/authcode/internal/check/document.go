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

// document is what came from one place where the metadata may be.
type document struct {
	place string
	*reply
	obj wire.Object // nil if the answer is not a document
}

// readDocument reads from one place.
func (c *client) readDocument(ctx context.Context, place string) document {
	d := document{place: place, reply: c.get(ctx, place, maxDocument)}
	if d.err == nil && d.status == http.StatusOK && !d.tooLong {
		d.obj, _ = wire.ParseObject(d.body)
	}
	return d
}

// isMissing reports that there is nothing at the place: package oidc then looks at the
// next one.
func (d *document) isMissing() bool { return d.err == nil && d.status == http.StatusNotFound }

// readDocuments reads from all places, says what is wrong with the answers, and returns
// the document that the rest of the check is about; nil if there is none.
func (c *checker) readDocuments(ctx context.Context) *document {
	for _, place := range c.target.places {
		c.documents = append(c.documents, c.client.readDocument(ctx, place))
	}
	found := slices.IndexFunc(c.documents, func(d document) bool { return d.obj != nil })
	first := slices.IndexFunc(c.documents, func(d document) bool { return !d.isMissing() })
	if first < 0 {
		c.wrong("document.missing", "there is no metadata document at %s. Check the spelling of "+
			"the issuer; if the provider publishes the document elsewhere, name that address "+
			"with -metadata-url.",
			showPlaces(c.target.places))
		return nil
	}
	if d := &c.documents[first]; d.obj == nil {
		c.unreadable(d, found)
	}
	if found < 0 {
		return nil
	}
	d := &c.documents[found]
	if d.mediaType != "application/json" {
		c.wrong("document.type", "the document is served as %s. It must be application/json (RFC "+
			"8414 section 3.2).",
			quote(d.mediaType))
	}
	c.compare(d, c.documents[found+1:])
	return d
}

func showPlaces(places []string) string {
	var shown []string
	for _, p := range places {
		shown = append(shown, show(p))
	}
	return strings.Join(shown, ", nor at ")
}

// unreadable says why d, the first answer that is not 404, is not a document. found is the
// index of a later place that has one, or negative.
func (c *checker) unreadable(d *document, found int) {
	cure := ""
	if found >= 0 {
		cure = " Package oidc does not look any further. There is a document at " +
			show(c.documents[found].place) +
			": name that address with -metadata-url here, and with oidc.MetadataURL in the app."
	}
	at := show(d.place)
	switch {
	case d.err != nil && isCertificateFault(d.err):
		c.wrong("document.certificate", "the server at %s cannot be trusted: %s.%s", at, d.says(), cure)
	case d.err != nil:
		c.wrong("document.unreachable", "nothing was read from %s: %s.%s", at, d.says(), cure)
	case d.redirects():
		c.wrong("document.redirect", "%s answers %s and leads to %s. Nothing follows a redirect "+
			"in front of the metadata: whoever can set one could name another server.%s", at,
			d.says(), showLocation(d.location),
			cmp.Or(cure, " If that is the provider's own address, name it with -metadata-url "+
				"here, and with oidc.MetadataURL in the app; if only the issuer was misspelled, "+
				"correct it."))
	case d.status != http.StatusOK:
		c.wrong("document.status", "%s answers %s, not 200.%s", at, d.says(), cure)
	case d.tooLong:
		c.wrong("document.size", "the document at %s has more than %d KiB, which is more than "+
			"package oidc reads.%s",
			at, maxDocument>>10, cure)
	default:
		c.wrong("document.form", "the answer from %s is not a JSON object with distinct member "+
			"names in UTF-8 (it came as %s).%s", at, quote(d.mediaType), cure)
	}
}

func showLocation(location string) string {
	if location == "" {
		return "nowhere: it has no Location"
	}
	return show(location)
}

// compare says where further documents of the same server contradict d.
func (c *checker) compare(d *document, others []document) {
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
				"in %s. The first one is used here, and by package oidc.", show(d.place),
				show(other.place), list(differ))
		}
	}
}

// sameValue compares two JSON values. The order of a list of texts says nothing.
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
