package provider_test

import (
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// providersPage is the page about every preset.
const providersPage = "../docs/providers.md"

const providersHead = `# Providers

Each preset is a function of package ` + "`provider`" + ` that returns an ` + "`authcode.Provider`" + `. This page is made from the code
by ` + "`UPDATE_PROVIDERS=1 go test -run TestProviders ./provider`" + `. Each fact below names its source: a document of the
provider, its code, or the code or an issue of a project that works with it. Where none was found, the fact is marked
"unconfirmed". A test signs in with each preset at a simulator, which refuses what these sources do not ask for. Issuer
is Identity.Issuer. If the preset has arguments, the Issuer is an example.

- **Identity**: *ID token* is OpenID Connect; *and userinfo* says that the userinfo endpoint is asked as well. *Profile*
  is one request to the provider's API. *Token answer* needs no request.
- **E-mail**: *verified* means that the provider says whether the address is the person's own, and EmailVerified
  repeats that. *Unverified* means that EmailVerified is never true. Without an address, it may still be in
  Identity.Claims.
- **Client secret**: where the token request has the client's id and secret.
- **PKCE** is sent to all of them. *Documented* means that the provider says that it knows it.
- **Refresh token**: what the app has to do to get one.
- **Revocation**: what Client.Revoke does. At a provider without revocation, it returns an error with the Reason
  unsupported.

| Provider | Function | Identity | E-mail | Scopes | Client secret | PKCE | Refresh token | Revocation |
|---|---|---|---|---|---|---|---|---|
`

// TestProviders: docs/providers.md has every preset with its facts, as the code has them.
func TestProviders(t *testing.T) {
	set, files := source(t)
	found := presets(files)
	slices.SortFunc(found, func(a, b *ast.FuncDecl) int {
		return strings.Compare(strings.ToLower(a.Name.Name), strings.ToLower(b.Name.Name))
	})
	var table, details strings.Builder
	var shared *facts // those of Microsoft
	for _, f := range found {
		i := slices.IndexFunc(rows(), func(r *row) bool { return r.fn == f.Name.Name })
		facts := newFacts(rows()[i], f.Doc.Text())
		if f.Name.Name == "Microsoft" {
			shared = facts
		}
		if len(facts.list) == 0 { // as TestPresetsAreData has it
			facts.list = shared.list
		}
		table.WriteString(facts.row(f.Name.Name))
		details.WriteString(facts.details(signature(t, set, f)))
	}
	got := providersHead + table.String() + details.String()
	if os.Getenv("UPDATE_PROVIDERS") != "" {
		if err := os.WriteFile(providersPage, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(providersPage)
	if err != nil || got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%s is not what the code says (%v): if the change is meant, run "+
			"UPDATE_PROVIDERS=1 go test -run TestProviders ./provider", providersPage, err)
	}
}

// TestReadmeNamesPresets: the README has the name of every preset, and no other.
func TestReadmeNamesPresets(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)has these presets: (.*?)\n\[Every`).FindStringSubmatch(string(readme))
	if list == nil {
		t.Fatal("the README has no list of presets")
	}
	_, files := source(t)
	var want []string
	for _, f := range presets(files) {
		want = append(want, f.Name.Name)
	}
	other := []string{"Forgejo", "Entra", "ID"} // what the presets are also called
	got := slices.DeleteFunc(regexp.MustCompile(`\b[A-Z]\w*`).FindAllString(list[1], -1), func(name string) bool {
		return slices.Contains(other, name)
	})
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the README has %q, want %q", got, want)
	}
}

// facts are those of one preset.
type facts struct {
	r    *row
	p    authcode.Provider
	text string   // above the list
	list []string // of facts and their sources, each on one line
}

func newFacts(r *row, doc string) *facts {
	text, list, _ := strings.Cut(doc, "\n  - ")
	f := &facts{r: r, p: r.provider(), text: strings.TrimSpace(text)}
	for item := range strings.SplitSeq(list, "\n  - ") {
		if item != "" {
			f.list = append(f.list, strings.Join(strings.Fields(item), " "))
		}
	}
	return f
}

func (f *facts) row(name string) string {
	scopes := "those of the registration"
	if len(f.p.Scopes) > 0 {
		scopes = "`" + strings.Join(f.p.Scopes, "` `") + "`"
	}
	return fmt.Sprintf("| %s | [%s](#%s) | %s | %s | %s | %s | %s | %s | %s |\n", f.p.Title, name, strings.ToLower(name),
		f.identity(), f.email(), scopes, f.secret(), f.pkce(), f.refresh(), f.revocation())
}

func (f *facts) identity() string {
	switch r := f.r; {
	case isOpenID(r) && asksUserInfo(r):
		return "ID token and userinfo"
	case isOpenID(r):
		return "ID token"
	case hasProfile(r):
		return "profile"
	}
	return "token answer"
}

func (f *facts) email() string {
	switch want := f.r.want; {
	case want.EmailVerified:
		return "verified"
	case want.Email != "":
		return "unverified"
	}
	return "no"
}

func (f *facts) secret() string {
	switch {
	case f.r.clientAuth.Authenticate != nil && f.r.clientAuth.SecretKind == "":
		return "none"
	case f.p.SecretKind != "":
		return "body, `" + f.p.SecretKind + "`"
	case f.p.AuthStyle == oauth2.AuthStyleInParams:
		return "body"
	}
	return "Basic"
}

func (f *facts) pkce() string {
	said := "sent"
	if f.r.noVerifier {
		said = "the challenge alone"
	}
	for _, fact := range f.list {
		switch {
		case !strings.Contains(fact, "PKCE"):
		case strings.Contains(fact, "unconfirmed"):
			return "unconfirmed"
		default:
			said = "documented"
		}
	}
	return said
}

var (
	refreshItem  = regexp.MustCompile(`^refresh tokens: ([^.:]+)`)
	refreshParam = regexp.MustCompile(`([^,:]+) for a refresh token`)
)

func (f *facts) refresh() string {
	for _, fact := range f.list {
		if m := refreshItem.FindStringSubmatch(fact); m != nil {
			return strings.Replace(m[1], "; no parameter", "", 1)
		}
		if strings.Contains(fact, "refresh tokens without a parameter") {
			return "always"
		}
		if m := refreshParam.FindStringSubmatch(fact); m != nil {
			return "`" + strings.TrimSpace(m[1]) + "`, which the preset sends"
		}
	}
	return "see below"
}

func (f *facts) revocation() string {
	switch r := f.r; {
	case r.revoke == "":
		return "no"
	case r.ownRevoke != nil:
		return "its own, of the access token"
	}
	return "RFC 7009"
}

// link is a doc link of a comment, such as [authcode.New].
var link = regexp.MustCompile(`\[([A-Za-z.]+)\](\.[A-Za-z]+)?`)

func (f *facts) details(signature string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n", f.r.fn)
	fmt.Fprintf(&b, "- Call: `%s`\n- Name: `%s`, on buttons: %s\n- Issuer: `%s`\n\n",
		signature, f.p.Name, f.p.Title, f.r.want.Issuer)
	b.WriteString(link.ReplaceAllString(f.text, "`$1$2`") + "\n")
	for i, fact := range f.list {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString("- " + wrapped(link.ReplaceAllString(fact, "`$1$2`")) + "\n")
	}
	return b.String()
}

// wrapped breaks the lines of an item of a list. A source is not broken.
func wrapped(item string) string {
	var b strings.Builder
	width := 2
	for word := range strings.FieldsSeq(item) {
		if width+len(word) > 118 && width > 2 {
			b.WriteString("\n ")
			width = 2
		}
		if b.Len() > 0 {
			b.WriteString(" ")
		}
		b.WriteString(word)
		width += len(word) + 1
	}
	return b.String()
}

// signature is how a preset is called.
func signature(t *testing.T, set *token.FileSet, f *ast.FuncDecl) string {
	t.Helper()
	var b strings.Builder
	if err := printer.Fprint(&b, set, f.Type); err != nil {
		t.Fatal(err)
	}
	call := strings.TrimSuffix(strings.TrimPrefix(b.String(), "func"), " authcode.Provider")
	return "provider." + f.Name.Name + strings.TrimPrefix(call, " "+f.Name.Name)
}
