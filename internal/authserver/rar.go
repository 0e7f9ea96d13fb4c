package authserver

import (
	"encoding/json"
	"net/url"
	"slices"

	"example.com/authcode/internal/wire"
)

// parseRights reads what a token may be used for, and by which key:
// authorization_details (RFC 9396 section 2), resource (RFC 8707 section 2) and
// dpop_jkt (RFC 9449 section 10).
func (req *authRequest) parseRights(form url.Values) (refusal *failure) {
	if form.Has("authorization_details") {
		req.details = form.Get("authorization_details")
		if _, ok := parseDetails(req.details); !ok {
			return refuse("invalid_authorization_details", "it is not an array of objects with a type")
		}
	}
	if req.resources, refusal = parseResources(form); refusal != nil {
		return refusal
	}
	if req.jkt = form.Get("dpop_jkt"); form.Has("dpop_jkt") &&
		(len(req.jkt) != 43 || !onlyURLSafe(req.jkt, "-_")) {
		return refuse("invalid_request", "dpop_jkt is not the base64url of a SHA-256 hash")
	}
	return nil
}

// parseDetails returns the elements of authorization_details, in compact form.
func parseDetails(text string) (details []string, ok bool) {
	var list []wire.Raw
	if json.Unmarshal([]byte(text), &list) != nil || len(list) == 0 {
		return nil, false
	}
	for _, element := range list {
		members, err := wire.ParseObject([]byte(element))
		if kind, ok := wire.Text(members["type"]); err != nil || !ok || kind == "" {
			return nil, false
		}
		details = append(details, canonical(members))
	}
	return details, true
}

// canonical returns an object with its members in order, so that two equal
// objects become the same text.
func canonical(members wire.Object) string {
	var value map[string]any
	text, err := json.Marshal(members)
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err == nil {
		text, err = json.Marshal(value)
	}
	if err != nil {
		panic("authserver: " + err.Error()) // it was JSON before
	}
	return string(text)
}

// parseResources returns the values of resource (RFC 8707 section 2), which
// must be absolute URIs without a fragment.
func parseResources(form url.Values) ([]string, *failure) {
	for _, resource := range form["resource"] {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || u.Fragment != "" ||
			u.ForceQuery || resource[len(resource)-1] == '#' {
			return nil, refuse("invalid_target", "resource is not an absolute URI without fragment")
		}
	}
	return slices.Clone(form["resource"]), nil
}

// narrow returns what the tokens for a token request may be used for. That is
// the part of the grant that the request names, or all of it (RFC 8707 section
// 2.2, RFC 9396 section 6). A request must not widen the grant: nobody has
// approved that.
func (g *grant) narrow(form url.Values) (resources []string, details string, refusal *failure) {
	resources, refusal = parseResources(form)
	if refusal != nil {
		return nil, "", refusal
	}
	if len(resources) == 0 {
		resources = g.resources
	}
	// RFC 8707 section 2.2: only resources that the person has approved.
	for _, resource := range resources {
		if !slices.Contains(g.resources, resource) {
			return nil, "", refuse("invalid_target", "more than was granted")
		}
	}
	details = g.details
	if form.Has("authorization_details") {
		details = form.Get("authorization_details")
		asked, ok := parseDetails(details)
		granted, _ := parseDetails(g.details)
		// RFC 9396 section 6.1 leaves the comparison to the server. This one
		// compares whole elements.
		more := func(d string) bool { return !slices.Contains(granted, d) }
		if !ok || slices.ContainsFunc(asked, more) {
			return nil, "", refuse("invalid_authorization_details", "more than was granted")
		}
	}
	return resources, details, nil
}
