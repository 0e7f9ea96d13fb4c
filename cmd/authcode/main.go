// Command authcode helps people who build an app with package authcode.
//
//	authcode check ISSUER
//
// reads what a server publishes about itself, and prints what it offers, what
// it lacks for FAPI 2.0, what looks wrong, and a program to start from.
//
//	authcode try
//
// runs a small web app that signs people in at any server, by flags and
// environment variables, and shows what protected the login. Without options it
// brings its own server.
//
// authcode COMMAND -help lists the options of a command.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"example.com/authcode/cmd/authcode/internal/check"
	"example.com/authcode/cmd/authcode/internal/try"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

const usage = `authcode helps you to build an app that signs people in.

  authcode check ISSUER   read what a server publishes about itself, and print what it offers, what
                          looks wrong, and a program to start from
  authcode try            run a small web app that signs people in at any server, and see what
                          protected the login; without options, at a test server of its own

authcode COMMAND -help lists the options of a command.
`

// run is the program, apart from its process. It returns the exit status.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer,
) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch args[0] {
	case "check":
		return check.Run(ctx, args[1:], stdout, stderr)
	case "try":
		return try.Run(ctx, args[1:], getenv, stdout, stderr)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	fmt.Fprintf(stderr, "authcode: there is no command %q\n\n%s", args[0], usage)
	return 2
}
