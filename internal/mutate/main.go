// Command mutate finds the checks that no test would miss.
//
//	go run ./internal/mutate [-v] [packages]
//
// It takes each condition that refuses something, makes it false, and runs the
// tests. If they still pass, the condition is a survivor: either a test is
// missing, or the condition is not needed. Survivors are printed with their
// line, then the figures of the package. The packages are the root, oidc,
// clientauth, dpop, fapi and grant unless others are named. With -v, each is
// printed with the test that notices. The exit status is 1 if the tests notice
// less than 97 percent of a package.
//
// # What is a condition that refuses
//
// It is the condition of an if, or of a case in a switch without a tag, whose
// body refuses. The operands of || are conditions of their own, also in
// parentheses. A body refuses if it does one of these, in nested blocks too:
//
//   - it returns false; or an error that is not nil, as the function's last
//     result; or a text or a list of texts (a fault), as its only result;
//   - it assigns to something named err, fault, bad or malformed, or appends to
//     the list of texts that the function returns;
//   - it leaves out an element of a loop with continue;
//   - it panics, or calls something named refuse, addFault or WriteHeader.
//
// The rule reads syntax, not types. It also finds a few conditions that refuse
// nothing and, for example, choose between two texts. They count like the rest.
// It does not find what is written in another way: a comparison that is
// returned, an else branch, a case of a switch with a tag, a condition that
// accepts and stands before a refusal.
//
// # How it works
//
// All conditions are mutated in one build. An overlay (go test -overlay) puts
// each one into a call, mutated(17, cond), and an environment variable selects
// the one that is false. So each test binary is built once. First each test
// runs alone and records which conditions were true, because making one false
// can change nothing else. Then, for each condition, its tests run until one of
// them fails, twice in a row: those of the package itself, then those of
// ./test, ./grant/storetest, ./provider, ./session, ./tenants and the other
// packages. A run that hits its time limit has failed; -v shows these.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

const least = 97 // percent of a package

func main() {
	log.SetFlags(0)
	verbose := flag.Bool("v", false, "print each condition with the test that notices")
	flag.Parse()
	six := []string{".", "./oidc", "./clientauth", "./dpop", "./fapi", "./grant"}
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = six
	}
	dir, err := os.MkdirTemp("", "mutate")
	check(err)
	r := runner{dir: dir, verbose: *verbose, binaries: make(map[string]*binary)}
	packages := list(patterns)
	conditions := writeOverlay(packages, r.overlay())
	whole := []string{"./test", "./grant/storetest", "./provider", "./session", "./tenants"}
	others := list(append(whole, six...))
	status := 0
	for _, p := range packages {
		left, all := conditions[p.ImportPath], len(conditions[p.ImportPath])
		for _, tests := range append([]goPackage{p}, others...) {
			left = r.survivors(left, tests)
		}
		for _, c := range left {
			fmt.Println(c)
		}
		percent := 100 * float64(all-len(left)) / float64(max(all, 1))
		fmt.Printf("%s: %d of %d noticed, %.1f %%\n", p.ImportPath, all-len(left), all, percent)
		if percent < least {
			status = 1
		}
	}
	check(os.RemoveAll(dir))
	os.Exit(status)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
