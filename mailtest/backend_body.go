package mailtest

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/mailparts/mailparts"
)

func bodyPromises() []promise {
	return []promise{
		{"is the same at every reading", bodyTwice},
		{"may be left unread", bodyUnread},
		{"is read in place by ReadAt as from start to end", bodyReadAt},
		{"of a message that does not exist is ErrNoMessage", bodyMissing},
		{"is whole or an error when the message is expunged meanwhile", bodyExpunged},
		{"is whole or an error when it is read slowly while its message goes", bodySlowly},
		{"is whole or an error when its flags change meanwhile", bodyFlags},
		{"holds no lock while it is read", bodyNoLock},
	}
}

func bodyTwice(x *trial) {
	const body = "Subject: twice\n\nline\r\n\x80\x00"
	uid := x.addTexts(x.inbox, body)[0]
	for i := range 3 {
		if got := x.body(x.inbox, uid); got != crlf(body) {
			x.Errorf("reading number %d: %q, want %q", i+1, got, crlf(body))
		}
	}
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, mailparts.FlagSeen)
	if got := x.body(x.inbox, uid); got != crlf(body) {
		x.Errorf("reading after a flag was set: %q, want %q", got, crlf(body))
	}
}

func bodyUnread(x *trial) {
	uid := x.addTexts(x.inbox, "some\r\nlines\r\n")[0]
	r, err := x.inbox.Body(x.Context(), uid)
	x.must("Body", err)
	_, err = io.ReadFull(r, make([]byte, 3))
	x.must("reading three octets", err)
	x.must("Close in the middle", r.Close())
	if got, want := x.body(x.inbox, uid), "some\r\nlines\r\n"; got != want {
		x.Errorf("after that Body is %q, want %q", got, want)
	}
}

func bodyReadAt(x *trial) {
	const body = "Subject: parts\n\none\r\ntwo\r\r\nthree\n"
	want := crlf(body)
	uid := x.addTexts(x.inbox, body)[0]
	r, err := x.inbox.Body(x.Context(), uid)
	x.must("Body", err)
	defer r.Close()
	at, ok := r.(io.ReaderAt)
	if !ok {
		x.Skipf("%T is no io.ReaderAt", r)
	}
	for off := range len(want) {
		for n := range len(want) - off {
			p := make([]byte, n)
			if got, err := at.ReadAt(p, int64(off)); got != n || err != nil || string(p) != want[off:off+n] {
				x.Fatalf("ReadAt of %d octets at %d: %d, %v, %q, want %q", n, off, got, err, p, want[off:off+n])
			}
		}
	}
	if n, err := at.ReadAt(make([]byte, 4), int64(len(want)-2)); n != 2 || err != io.EOF {
		x.Errorf("ReadAt over the end: %d, %v, want 2 and io.EOF", n, err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != want {
		x.Errorf("Read after ReadAt: %q, %v, want %q", got, err, want)
	}
}

func bodyMissing(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	x.expunge(x.inbox, set(uids[0]), "")
	next := x.status(x.inbox).UIDNext
	for what, uid := range map[string]mailparts.UID{"expunged": uids[0], "zero": 0, "UIDNext": next, "the largest": 1<<32 - 1} {
		r, err := x.inbox.Body(x.Context(), uid)
		x.wantError("Body of a UID that is "+what, err, mailparts.ErrNoMessage)
		if err == nil {
			r.Close()
		}
	}
}

func bodyExpunged(x *trial) {
	want := string(bytes.Repeat([]byte("a line of some length\r\n"), 10_000))
	uid := x.addTexts(x.inbox, want)[0]
	r, err := x.inbox.Body(x.Context(), uid)
	x.must("Body", err)
	defer r.Close()
	x.within("Expunge of a message that is being read", func() error { return x.inbox.Expunge(x.Context(), set(uid), "") })
	if got, err := io.ReadAll(r); err == nil && string(got) != want {
		x.Errorf("the message was expunged while it was read: got %d octets and no error, want all %d or an error", len(got), len(want))
	}
}

func bodyNoLock(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	r, err := x.inbox.Body(x.Context(), uids[0])
	x.must("Body", err)
	defer r.Close()
	x.within("the mailbox, called while a Body is open", func() error {
		_, err := io.ReadFull(r, make([]byte, 1))
		return errors.Join(err, x.callAll(uids[0], uids[1]))
	})
}

// slowly reads a body of which half is read when something happens.
func (x *trial) slowly(what string, uid mailparts.UID, want string, happens func() error) {
	x.Helper()
	r, err := x.inbox.Body(x.Context(), uid)
	x.must("Body", err)
	defer r.Close()
	half := make([]byte, len(want)/2)
	_, err = io.ReadFull(r, half)
	x.must("reading the first half", err)
	x.within(what, happens)
	rest, err := io.ReadAll(r)
	if got := string(half) + string(rest); err == nil && got != want {
		x.Errorf("%s while it was read: got %d octets and no error, want all %d or an error; they differ first at %d", what, len(got), len(want), firstDifference(got, want))
	}
}

func bodySlowly(x *trial) {
	want := octets(300_000)
	uid := x.addTexts(x.inbox, want)[0]
	x.slowly("Expunge of the message, and others appended", uid, want, func() error {
		if err := x.inbox.Expunge(x.Context(), set(uid), ""); err != nil {
			return err
		}
		for range 3 {
			if _, err := mailparts.Append(x.Context(), x.inbox, text(strings.Repeat("another\r\n", 30_000))); err != nil {
				return err
			}
		}
		return nil
	})
}

func bodyFlags(x *trial) {
	want := octets(300_000)
	uids := x.addTexts(x.inbox, "before it", want)
	x.slowly("flags set, and the message before it expunged", uids[1], want, func() error {
		_, _, err := x.inbox.SetFlags(x.Context(), set(uids...), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagFlagged}})
		return errors.Join(err, x.inbox.Expunge(x.Context(), set(uids[0]), ""))
	})
	x.wantFlags("set while it was read", x.inbox, uids[1], mailparts.FlagSeen, mailparts.FlagFlagged)
}
