// Command maildircheck looks for what is wrong in Maildir++ trees, and repairs it if
// it is told to. Each argument is a tree, or a user if -root is given:
//
//	go run ./examples/maildircheck [-repair] /home/alice/Maildir /home/bob/Maildir
//	go run ./examples/maildircheck [-repair] -root /var/mail alice bob
//
// The trees may be in use. With -courier in the place of -repair it gives them to
// Courier instead, and then nobody else may use them: whatever opens one again, but
// this command without -repair, takes it back. Who runs it owns the new files.
//
// The exit status is 0 if nothing is wrong any more, 1 if something is, and 2 if a tree
// could not be examined or given.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/mailparts/mailparts/maildir"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errs io.Writer) (status int) {
	flags := flag.NewFlagSet("maildircheck", flag.ContinueOnError)
	flags.SetOutput(errs)
	repair := flags.Bool("repair", false, "repair what can be repaired")
	courier := flags.Bool("courier", false, "give the trees to Courier")
	utf8 := flags.Bool("utf8", false, "the names of folders are in UTF-8, as Courier has them from version 5 on")
	root := flags.String("root", "", "the folder of all users' trees")
	index := flags.String("index", "", "the folder of the mailboxes' indexes, if they are not in the trees")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() == 0 || *repair && *courier {
		flags.Usage()
		return 2
	}
	b := &maildir.Backend{Root: *root, Index: *index, UTF8: *utf8}
	if *root == "" {
		b.Path = func(tree string) (string, error) { return tree, nil }
	}
	if *courier {
		for _, user := range flags.Args() {
			if err := b.ToCourier(ctx, user); err != nil {
				fmt.Fprintf(errs, "%s: %v\n", user, err)
				status = 2
			}
		}
		return status
	}
	look := b.Check
	if *repair {
		look = b.Repair
	}
	for _, user := range flags.Args() {
		for problem, err := range look(ctx, user) {
			if err != nil {
				fmt.Fprintf(errs, "%s: %v\n", user, err)
				status = 2
				continue
			}
			done := *repair && problem.Remedy != "" && problem.Err == nil
			if done {
				fmt.Fprint(out, "repaired: ")
			} else {
				status = max(status, 1)
			}
			fmt.Fprintln(out, problem)
		}
	}
	return status
}
