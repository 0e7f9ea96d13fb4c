package interop

import (
	"io"
	"iter"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// person is a browser without script: a cookie jar, redirects followed, forms
// filled in and submitted by the id of a button.
type person struct {
	t      testing.TB
	client *http.Client
}

func newPerson(t testing.TB) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: theCertificate(t).transport(), Jar: escapedJar{jar}}
	t.Cleanup(client.CloseIdleConnections)
	return &person{t: t, client: client}
}

// escapedJar compares the paths of cookies with those of URLs as they are in
// the URLs, as browsers do. Go's jar decodes them first, so that a cookie for
// /acme%20staff/ would be lost.
type escapedJar struct{ http.CookieJar }

func (j escapedJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(escaped(u), cookies)
}

func (j escapedJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(escaped(u)) }

func escaped(u *url.URL) *url.URL {
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.EscapedPath()}
}

// page is what a person looks at.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
}

func (p *person) visit(address string) *page {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(req)
}

// redirect asks for address and returns where the answer leads, nil if it is a page.
func (p *person) redirect(address string) *url.URL {
	p.t.Helper()
	client := *p.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Get(address)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	to, err := res.Location()
	if err != nil {
		return nil
	}
	return to
}

func (p *person) do(req *http.Request) *page {
	p.t.Helper()
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		p.t.Fatal(err)
	}
	return &page{res.Request.URL, res.StatusCode, res.Header, string(body)}
}

// press submits the form of the button with this id, or the only form if id is empty, with
// the values of its fields as they stand.
func (p *person) press(on *page, id string) *page {
	p.t.Helper()
	form, fields := findForm(p.t, on, id)
	return p.submit(on, form, fields)
}

func (p *person) submit(on *page, form *html.Node, fields url.Values) *page {
	p.t.Helper()
	action, err := on.url.Parse(attribute(form, "action"))
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.EqualFold(attribute(form, "method"), "post") {
		p.t.Fatalf("the form on %s is not a POST", on.url)
	}
	req, err := http.NewRequest(http.MethodPost, action.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(req)
}

// fill submits the form that has all of these fields, with these values: of a hidden field, which
// tells this form from another, the value that it has; of any other, what the person types.
func (p *person) fill(on *page, values map[string]string) *page {
	p.t.Helper()
	for form := range forms(p.t, on) {
		fields, found := url.Values{}, 0
		for field := range form.Descendants() {
			name, value := attribute(field, "name"), attribute(field, "value")
			if field.DataAtom != atom.Input || name == "" {
				continue
			}
			if want, ok := values[name]; ok && (attribute(field, "type") != "hidden" || value == want) {
				value = want
				found++
			}
			fields.Add(name, value)
		}
		if found == len(values) {
			return p.submit(on, form, fields)
		}
	}
	p.t.Fatalf("no form with %q on %s (%d):\n%s", values, on.url, on.status, on.body)
	return nil
}

// forms are the forms of a page.
func forms(t testing.TB, on *page) iter.Seq[*html.Node] {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(on.body))
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*html.Node) bool) {
		for n := range doc.Descendants() {
			if n.DataAtom == atom.Form && !yield(n) {
				return
			}
		}
	}
}

func findForm(t testing.TB, on *page, id string) (form *html.Node, fields url.Values) {
	t.Helper()
	for n := range forms(t, on) {
		fields, found := url.Values{}, id == ""
		for field := range n.Descendants() {
			switch pressed := id != "" && attribute(field, "id") == id; {
			case field.DataAtom == atom.Input, field.DataAtom == atom.Button && pressed:
				found = found || pressed
				if name := attribute(field, "name"); name != "" {
					fields.Add(name, attribute(field, "value"))
				}
			}
		}
		if found {
			return n, fields
		}
	}
	t.Fatalf("no form with a button %q on %s (%d):\n%s", id, on.url, on.status, on.body)
	return nil, nil
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// signIn goes from the start of a login to the provider's consent page.
func (p *person) signIn(start string) *page {
	p.t.Helper()
	return p.press(p.visit(start), "sign-in")
}
