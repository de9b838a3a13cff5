// Command mailconvert copies a user's mail from Maildir to mbox or the other way: mailboxes
// and subscriptions, messages with flags, keywords and dates. UIDs are new.
//
//	go run ./examples/mailconvert -from mbox:mail:INBOX=/var/mail/alice -to maildir:Maildir
//
// It may be stopped at any time: the next run goes on. A mailbox at the destination
// must have the first messages of its source, by their dates, and no others.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"log"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mbox"
)

func main() {
	from := flag.String("from", "mbox:mail", "maildir:FOLDER or mbox:FOLDER[:INBOX=FILE]")
	to := flag.String("to", "maildir:Maildir", "the same")
	flag.Parse()
	if err := convert(context.Background(), open(*from), open(*to)); err != nil {
		log.Fatal(err)
	}
}

// open makes a Backend of one user, of a location as Dovecot's mail_location has it.
func open(location string) mailparts.Backend {
	kind, folder, _ := strings.Cut(location, ":")
	folder, inbox, _ := strings.Cut(folder, ":INBOX=")
	path := func(string) (string, error) { return folder, nil }
	if kind == "mbox" {
		return &mbox.Backend{Path: path, Inbox: func(string) (string, error) { return cmp.Or(inbox, folder+"/inbox"), nil }}
	}
	return &maildir.Backend{Path: path}
}

func convert(ctx context.Context, from, to mailparts.Backend) error {
	src, err := from.Open(ctx, "user")
	dst, derr := to.Open(ctx, "user")
	if err := errors.Join(err, derr); err != nil {
		return err
	}
	names, err := mailparts.Subscribed(ctx, src)
	for _, name := range names {
		err = errors.Join(err, mailparts.Subscribe(ctx, dst, name, true))
	}
	for info, lerr := range src.List(ctx) {
		if err = errors.Join(err, lerr); err == nil && !info.NoSelect {
			err = convertMailbox(ctx, src, dst, info.Name)
		}
	}
	return err
}

func convertMailbox(ctx context.Context, src, dst mailparts.Store, name string) error {
	from, all, err := list(ctx, src, name)
	if err != nil {
		return err
	}
	to, done, err := list(ctx, dst, name)
	if m, ok := dst.(mailparts.Manager); ok && errors.Is(err, mailparts.ErrNoMailbox) {
		if err = m.Create(ctx, name); err == nil {
			to, done, err = list(ctx, dst, name)
		}
	}
	if err != nil {
		return err
	}
	for i, m := range done {
		if i >= len(all) || m.Received.Unix() != all[i].Received.Unix() {
			return errors.New(name + ": other mail at the destination")
		}
	}
	for batch := range slices.Chunk(all[len(done):], 100) { // all or none of it is copied
		var uids mailparts.UIDSet
		uids.Add(batch[0].UID, batch[len(batch)-1].UID)
		if _, err := mailparts.Copy(ctx, from, uids, to); err != nil {
			return err
		}
		log.Printf("%s: %d messages, up to UID %d", name, len(batch), batch[len(batch)-1].UID)
	}
	return nil
}

func list(ctx context.Context, s mailparts.Store, name string) (mb mailparts.Mailbox, msgs []mailparts.Message, err error) {
	if mb, err = s.Mailbox(ctx, name); err != nil {
		return nil, nil, err
	}
	for m, merr := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantDates}) {
		msgs, err = append(msgs, m), errors.Join(err, merr)
	}
	return mb, msgs, err
}
