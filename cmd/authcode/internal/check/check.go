// Package check is the command authcode check. It reads what a server publishes
// about itself, and says what that means for an app.
package check

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// options holds the flags of the command.
type options struct {
	metadataURL, caFile string
	clientAuth, fapi    string
	json                bool
}

const help = `authcode check ISSUER [options]

reads what the server ISSUER publishes about itself (OpenID Connect Discovery, RFC 8414). It prints
what the server offers, what it lacks for FAPI 2.0, what looks wrong, and a program to start from.

It reads the metadata and the key set. It also sends one empty request, without any credential, to
each endpoint, to see whether something answers there. It follows no redirect.

The exit status is 0 if nothing looks wrong, 1 if something does, and 2 if the command line is
wrong.

`

// Run runs the command and returns its exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // or flag would print the whole help after an error
	o.register(flags)
	issuer, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		printHelp(flags, stdout)
		return 0
	}
	c := &checker{options: o}
	if err == nil {
		err = o.check()
	}
	if err == nil {
		c.target, err = newTarget(issuer, o.metadataURL)
	}
	if err == nil {
		c.client, err = newClient(o.caFile)
	}
	if err != nil {
		fmt.Fprintf(stderr, "authcode check: %v\nauthcode check: -help lists the options\n", err)
		return 2
	}
	defer c.client.transport.CloseIdleConnections()
	report := c.run(ctx)
	if o.json {
		err = writeJSON(stdout, report)
	} else {
		err = report.print(stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "authcode check: %v\n", err)
		return 1
	}
	if len(report.Problems) > 0 {
		return 1
	}
	return 0
}

// register defines the flags.
func (o *options) register(f *flag.FlagSet) {
	f.StringVar(&o.metadataURL, "metadata-url", "",
		"read the metadata from this `URL` and from nowhere else")
	f.StringVar(&o.caFile, "ca-file", "",
		"also trust the authorities in this `file` (PEM)")
	f.StringVar(&o.clientAuth, "client-auth", "", "write the program for this `method` of client "+
		"authentication: "+strings.Join(methodFlags(), ", ")+
		"; default: the simplest one that the server accepts")
	f.StringVar(&o.fapi, "fapi", "", "write the program for this `profile` of FAPI 2.0, security "+
		"or message-signing, and report what the server lacks for it as wrong")
	f.BoolVar(&o.json, "json", false, "print JSON")
}

// check says what is wrong with the flags.
func (o *options) check() error {
	if o.clientAuth != "" && !slices.Contains(methodFlags(), o.clientAuth) {
		return fmt.Errorf("-client-auth must be one of %s", strings.Join(methodFlags(), ", "))
	}
	if !slices.Contains([]string{"", fapiSecurity, fapiSigning}, o.fapi) {
		return fmt.Errorf("-fapi must be %s or %s", fapiSecurity, fapiSigning)
	}
	if o.fapi != "" && !slices.Contains([]string{"", "private_key_jwt", "tls"}, o.clientAuth) {
		// FAPI 2.0 Security Profile section 5.3.3.1.
		return errors.New("-fapi needs -client-auth private_key_jwt or tls: FAPI 2.0 forbids " +
			"all other methods")
	}
	return nil
}

// parse reads the flags and the issuer. Package flag stops at the first
// argument that is not a flag. This goes on, so that flags may also stand after
// the issuer.
func parse(flags *flag.FlagSet, args []string) (issuer string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return "", err
		}
		if flags.NArg() == 0 {
			break
		}
		if issuer != "" {
			return "", fmt.Errorf("unexpected argument %s: want one ISSUER", quote(flags.Arg(0)))
		}
		issuer, args = flags.Arg(0), flags.Args()[1:]
	}
	if issuer == "" {
		return "", errors.New("ISSUER is missing: name the server to check, such as https://id.example")
	}
	return issuer, nil
}

// printHelp prints all flags. Package flag would print them in one long line
// each.
func printHelp(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, help)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  %s\n      %s\n", strings.TrimSpace("-"+f.Name+" "+value),
			wrap(usage, 6, 100))
	})
}
