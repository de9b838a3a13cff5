package mailtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenMail breaks what is promised of messages in a mailbox.
func brokenMail() map[string]breakage {
	oneByOne := breakage{hooks: hooks{append: appendOneByOne}}
	lf := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }
	body := func(f func([]byte) []byte) breakage { return breakage{hooks: hooks{body: f}} }
	message := func(f func(m *mailparts.Message)) breakage { return breakage{hooks: hooks{message: f}} }
	query := func(f func(uids *mailparts.UIDSet, q *mailparts.Query)) breakage {
		return breakage{hooks: hooks{query: f}}
	}
	flags := func(f func(mb fullMailbox, uids *mailparts.UIDSet, c *mailparts.FlagChange)) breakage {
		return breakage{hooks: hooks{flags: f}}
	}
	expunge := func(f func(uids *mailparts.UIDSet, having *mailparts.Flag)) breakage {
		return breakage{hooks: hooks{expunge: f}}
	}
	reader := func(f func(mb fullMailbox, uid mailparts.UID, r io.ReadCloser) io.ReadCloser) breakage {
		return breakage{hooks: hooks{reader: f}}
	}
	given := func(f func(m *mailparts.Incoming)) breakage { return breakage{hooks: hooks{incoming: f}} }
	lock := func(during string) breakage { return breakage{mailbox: lockingIn(during)} }
	readings, listings := 0, 0

	return map[string]breakage{
		"append/keeps body, flags and date":                          message(func(m *mailparts.Message) { m.Received = time.Time{} }),
		"append/keeps dates of any age and zone to the second":       message(func(m *mailparts.Message) { m.Received = m.Received.Truncate(24 * time.Hour) }),
		"append/dates a message now if it has no date":               given(func(m *mailparts.Incoming) { m.Received = time.Unix(0, 0) }),
		"append/leaves nothing after a read error":                   {hooks: ending(func(err error) bool { return err != io.EOF })},
		"append/leaves nothing of a batch after a read error":        oneByOne,
		"append/takes nothing but io.EOF for the end":                {hooks: ending(func(err error) bool { return err != io.EOF && errors.Is(err, io.EOF) })},
		"append/leaves nothing after an error of its iterator":       oneByOne,
		"append/adds a batch or none of it":                          oneByOne,
		"append/adds nothing for an empty batch":                     {hooks: hooks{placed: func(p *mailparts.Placed) { p.UIDValidity *= min(1, p.UIDs.Len()) }}},
		"append/reads each body before it asks for the next message": {hooks: hooks{append: readAtTheEnd}},
		"append/takes octets however a reader gives them":            given(func(m *mailparts.Incoming) { m.Body = hasty{m.Body} }),
		"append/holds no lock while it reads":                        lock("append"),
		"append/holds no lock while it waits for a message":          lock("append"),
		"append/shows a message only when it is whole":               oneByOne,
		"append/is all or nothing when its context ends": {hooks: hooks{append: func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
			placed, err := mb.Append(context.WithoutCancel(ctx), msgs)
			return placed, errors.Join(err, ctx.Err())
		}}},
		"append/gives each message an id and keeps the one it brings": message(func(m *mailparts.Message) { m.ID = "M" }),
		"append/leaves the caller's flags alone":                      given(func(m *mailparts.Incoming) { m.Flags[0] = "mine" }),

		"octets/are kept but for a bare LF, which becomes CRLF": body(lf),
		"octets/are right in any mixture":                       body(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\r\n"), []byte("\r\n")) }),
		"octets/are as many as Size says":                       message(func(m *mailparts.Message) { m.Size++ }),
		"octets/of a large message are all there":               body(func(b []byte) []byte { return b[:min(len(b), 1<<16)] }),
		"octets/of a huge message are all there":                body(func(b []byte) []byte { return b[:min(len(b), 1<<24)] }),
		"octets/that look like a mailbox's own are the message's": body(func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("\r\nFrom "), []byte("\r\n>From "))
		}),
		"octets/of header fields are kept but for the store's own": body(func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("Status: RO\r\n"), nil)
		}),

		"body/is the same at every reading":                                       body(func(b []byte) []byte { readings++; return b[:len(b)-readings/3] }),
		"body/may be left unread":                                                 reader(func(_ fullMailbox, _ mailparts.UID, r io.ReadCloser) io.ReadCloser { return tillTheEnd{r} }),
		"body/is read in place by ReadAt as from start to end":                    reader(func(_ fullMailbox, _ mailparts.UID, r io.ReadCloser) io.ReadCloser { return offByOne{r} }),
		"body/of a message that does not exist is ErrNoMessage":                   {hooks: hooks{bodyOf: func(_ fullMailbox, uid *mailparts.UID) { *uid = 2 }}},
		"body/is whole or an error when the message is expunged meanwhile":        reader(whileSame),
		"body/is whole or an error when it is read slowly while its message goes": reader(whileSame),
		"body/is whole or an error when its flags change meanwhile":               reader(whileSame),
		"body/holds no lock while it is read":                                     lock("body"),

		"messages/come in ascending order, each once, those asked for": query(func(uids *mailparts.UIDSet, _ *mailparts.Query) { *uids = hull(*uids) }),
		"messages/of an empty set are none":                            query(func(uids *mailparts.UIDSet, _ *mailparts.Query) { allOfNone(uids) }),
		"messages/of AllUIDs are all":                                  {hooks: hooks{hide: func(m mailparts.Message) bool { return m.UID > 100 }}},
		"messages/stop when told":                                      lock("stop"),
		"messages/hold no lock while they are yielded":                 lock("yield"),
		"messages/let others in while their reader stalls":             lock("yield"),
		"messages/leave out none that exists throughout":               {mailbox: func(mb fullMailbox) mailparts.Mailbox { return byIndex{mb} }},
		"messages/that came before are not changed by what comes after": {mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return leaky{mb, new([]mailparts.Flag)}
		}},

		"flags/are added, removed and replaced": flags(func(_ fullMailbox, _ *mailparts.UIDSet, c *mailparts.FlagChange) { c.Op %= mailparts.ReplaceFlags }),
		"flags/are compared without regard to ASCII case": flags(func(_ fullMailbox, _ *mailparts.UIDSet, c *mailparts.FlagChange) {
			c.Flags = dropFlags(c.Flags, `\SEEN`)
		}),
		"flags/are yielded in the spelling seen first":     message(func(m *mailparts.Message) { m.Flags = []mailparts.Flag{"work"} }),
		"flags/are each there once":                        message(func(m *mailparts.Message) { m.Flags = slices.Concat(m.Flags, m.Flags) }),
		"flags/are skipped for messages that do not exist": flags(func(_ fullMailbox, uids *mailparts.UIDSet, _ *mailparts.FlagChange) { *uids = mailparts.AllUIDs() }),
		"flags/are changed nowhere by an empty set":        flags(func(_ fullMailbox, uids *mailparts.UIDSet, _ *mailparts.FlagChange) { allOfNone(uids) }),
		"flags/are changed everywhere by AllUIDs": flags(func(_ fullMailbox, uids *mailparts.UIDSet, _ *mailparts.FlagChange) {
			*uids = uids.Intersect(mailparts.UIDSet{{First: 1, Last: 2}})
		}),
		"flags/never include Recent":         message(func(m *mailparts.Message) { m.Flags = append(slices.Clone(m.Flags), `\Recent`) }),
		"flags/keep what other sessions set": flags(func(_ fullMailbox, _ *mailparts.UIDSet, c *mailparts.FlagChange) { c.Op = mailparts.ReplaceFlags }),
		"flags/take keywords up to ErrLimit": message(func(m *mailparts.Message) { m.Flags = dropFlags(m.Flags, "keyword64") }),
		"flags/beyond ErrLimit are set all or none": {hooks: hooks{flagged: func(c mailparts.FlagChange, _ *mailparts.ModSeq, err *error) {
			if len(c.Flags) > 100 {
				*err = mailparts.ErrLimit
			}
		}}},
		"flags/beyond ErrLimit refuse a message before it is read": {hooks: hooks{append: func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
			for m := range msgs {
				io.Copy(io.Discard, m.Body)
			}
			return mailparts.Placed{}, mailparts.ErrLimit
		}}},

		"expunge/removes those that carry the flag":              expunge(func(_ *mailparts.UIDSet, having *mailparts.Flag) { *having = "" }),
		"expunge/removes all of the set if no flag is asked for": expunge(func(_ *mailparts.UIDSet, having *mailparts.Flag) { *having = mailparts.FlagDeleted }),
		"expunge/removes nothing of an empty set":                expunge(func(uids *mailparts.UIDSet, _ *mailparts.Flag) { allOfNone(uids) }),
		"expunge/skips messages that do not exist": expunge(func(uids *mailparts.UIDSet, _ *mailparts.Flag) {
			if hull(*uids)[0].First > 2 {
				*uids = mailparts.AllUIDs()
			}
		}),
		"expunge/goes by the flags of the moment": expunge(func(_ *mailparts.UIDSet, having *mailparts.Flag) { *having = "" }),

		"cache/keeps bytes for their own message, the last of several": message(func(m *mailparts.Message) { m.Derived = []byte("of a") }),
		"cache/gives nothing to a new message":                         message(func(m *mailparts.Message) { m.Derived = []byte("of a") }),
		"cache/holds no lock while it waits for what is derived":       lock("cache"),

		"saved/is when a message came into its mailbox, whatever its date": message(func(m *mailparts.Message) { m.Saved = m.Received }),
		"id/has the syntax of an objectid":                                 message(func(m *mailparts.Message) { m.ID += "@here" }),
		"id/of a message is no other's, and stays":                         message(func(m *mailparts.Message) { m.ID = "M" }),
		"id/of a message is that of its copies":                            message(func(m *mailparts.Message) { m.ID = fmt.Sprint("M", m.UID, "-", m.Saved.UnixNano()) }),

		"search/finds every message that matches":            {hooks: hooks{search: func(found *mailparts.UIDSet, _ *bool) { *found = nil }}},
		"search/is exact if it says so":                      {hooks: hooks{search: func(_ *mailparts.UIDSet, exact *bool) { *exact = true }}},
		"search/looks for what is asked among what is asked": {hooks: hooks{search: func(found *mailparts.UIDSet, _ *bool) { *found = mailparts.AllUIDs() }}},
		"search/follows what changes": {hooks: hooks{search: func(found *mailparts.UIDSet, _ *bool) {
			*found = found.Intersect(mailparts.UIDSet{{First: 1, Last: 1}})
		}}},

		"uidl/is a message's own and has the syntax of POP3": {hooks: hooks{uidl: func(u *mailparts.UIDL) { u.ID = "same" }}},
		"uidl/stays while messages come and go":              {hooks: hooks{uidl: func(u *mailparts.UIDL) { listings++; u.ID += strings.Repeat("x", listings%5) }}},
		"uidl/holds no lock while it is yielded":             lock("uidl"),

		"uid/stays a message's own": {hooks: hooks{bodyOf: func(mb fullMailbox, uid *mailparts.UID) {
			n := 0
			for m := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{}) {
				if n++; n == int(*uid) {
					*uid = m.UID
					return
				}
			}
		}}},
		"uid/never comes back after expunge": {hooks: hooks{expunged: func(mb fullMailbox) { mailtest.ReuseUIDs(mb) }}},
	}
}

func appendOneByOne(ctx context.Context, mb fullMailbox, msgs incoming) (all mailparts.Placed, err error) {
	for m, err := range msgs {
		if err != nil {
			return all, err
		}
		one, err := mailparts.Append(ctx, mb, m)
		if err != nil {
			return all, err
		}
		all.UIDValidity = one.UIDValidity
		all.UIDs.Add(one.UIDs[0].First, one.UIDs[0].Last)
	}
	return all, nil
}

func readAtTheEnd(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
	var all []mailparts.Incoming
	for m, err := range msgs {
		if err != nil {
			return mailparts.Placed{}, err
		}
		all = append(all, m)
	}
	return mb.Append(ctx, func(yield func(mailparts.Incoming, error) bool) {
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	})
}

// hull is all from the first to the last.
func hull(uids mailparts.UIDSet) (all mailparts.UIDSet) {
	if len(uids) > 0 {
		all.Add(uids[0].First, uids[len(uids)-1].Last)
	}
	return all
}

// allOfNone takes an empty set for everything.
func allOfNone(uids *mailparts.UIDSet) {
	if len(*uids) == 0 {
		*uids = mailparts.AllUIDs()
	}
}

func dropFlags(flags []mailparts.Flag, drop mailparts.Flag) []mailparts.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f mailparts.Flag) bool { return f == drop })
}

// tillTheEnd is a body that must be read before it is closed.
type tillTheEnd struct{ io.ReadCloser }

func (r tillTheEnd) Close() error {
	if n, _ := io.Copy(io.Discard, r.ReadCloser); n > 0 {
		return errors.New("not all was read")
	}
	return nil
}

// offByOne is a body whose ReadAt is.
type offByOne struct{ io.ReadCloser }

func (r offByOne) ReadAt(p []byte, off int64) (int, error) {
	return r.ReadCloser.(io.ReaderAt).ReadAt(p, off+1)
}
