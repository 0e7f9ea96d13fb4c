package main

import (
	"slices"
	"testing"
)

// TestFind has one function for each part of the rule in the package
// documentation.
func TestFind(t *testing.T) {
	const source = `package p
func errors(a, b, c bool) (int, error) {
	if a { return 0, nil }
	if b || c && (x || y) { return 0, err }
	return 0, nil
}
func truth(a, b bool) bool { if a { return true }; if b { return false }; return true }
func text(a, b bool) string { if a { return "" }; if b { return "a fault" }; return "" }
func other(a bool) (int, string) { if a { return 0, "no fault" }; return 0, "" }
func append(a bool) (list []string) { if a { list = append(list, "a fault") }; return list }
func assign(a, b bool) { if a { x.Err = f() }; if b { err = nil } }
func call(a, b, c bool) { if a { panic(1) }; if b { x.refuse(2) }; if c { refused() } }
func loop(a, b bool) { for { if a { continue }; if b { break } } }
func nested(a, b bool) { if a { if b { panic(1) } } }
func inner(a, b bool) { if a { f = func() error { if b { return err }; return nil } } }
func switches(a, b, c bool) error {
	switch { case a, b: return err; case c: return nil; default: return err }
	switch a { case b: return err }
	return nil
}
`
	want := []string{
		"b", "x", "y", "b", "b", "a", "a", "a", "b", "a", "a", "b", "b", "a", "b",
	}
	found, err := find("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range found {
		got = append(got, c.text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the conditions are %q, want %q", got, want)
	}
}

func TestMutate(t *testing.T) {
	const source = "package p\nfunc f() error { if a || b { return err }; return nil }\n"
	const want = "package p\n" +
		"func f() error { if mutated(1, a) || mutated(2, b) { return err }; return nil }\n"
	found, err := find("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range found {
		c.id = i + 1
	}
	if got := string(mutate([]byte(source), found)); got != want {
		t.Errorf("the source is %q, want %q", got, want)
	}
}
