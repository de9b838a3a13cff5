package imap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

var errDisk = errors.New("secret: disk on fire")

// faults has one call of a store fail: the one after the next left.
type faults struct {
	mu   sync.Mutex
	left int // -1: none
	hit  string
}

func (f *faults) arm(after int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.hit = after, ""
}

// disarm tells which call has failed, if any has.
func (f *faults) disarm() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = -1
	return f.hit
}

func (f *faults) at(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left--
	if f.left != -1 {
		return nil
	}
	f.hit = call
	return errDisk
}

// faultyBackend has stores whose calls may fail.
type faultyBackend struct {
	mailparts.Backend
	*faults
}

func (b faultyBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	if err := b.at("Open"); err != nil {
		return nil, err
	}
	s, err := b.Backend.Open(ctx, user)
	return faultyStore{s, b.faults}, err
}

type faultyStore struct {
	mailparts.Store
	*faults
}

func (s faultyStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if err := s.at("Mailbox"); err != nil {
		return nil, err
	}
	mb, err := s.Store.Mailbox(ctx, name)
	return faultyMailbox{mb, s.faults}, err
}

func (s faultyStore) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return breaking(s.Store.List(ctx), s.faults, "List")
}

// breaking fails at the beginning of a listing or after its first entry.
func breaking[T any](list iter.Seq2[T, error], f *faults, call string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := f.at(call); err != nil {
			yield(none, err)
			return
		}
		first := true
		for v, err := range list {
			if !yield(v, err) {
				return
			}
			if err := f.at(call + ", later"); first && err != nil {
				yield(none, err)
				return
			}
		}
	}
}

type faultyMailbox struct {
	mailparts.Mailbox
	*faults
}

func (b faultyMailbox) Status(ctx context.Context) (mailparts.Status, error) {
	if err := b.at("Status"); err != nil {
		return mailparts.Status{}, err
	}
	return b.Mailbox.Status(ctx)
}

func (b faultyMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return breaking(b.Mailbox.Messages(ctx, uids, q), b.faults, "Messages")
}

func (b faultyMailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if err := b.at("Body"); err != nil {
		return nil, err
	}
	return b.Mailbox.Body(ctx, uid)
}

// Append fails before the first message, or after all of them. Its errors are wrapped.
func (b faultyMailbox) Append(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) (mailparts.Placed, error) {
	if err := b.at("Append"); err != nil {
		return mailparts.Placed{}, err
	}
	placed, err := b.Mailbox.Append(ctx, func(yield func(mailparts.Incoming, error) bool) {
		for m, err := range msgs {
			if !yield(m, err) {
				return
			}
		}
		if err := b.at("Append, later"); err != nil {
			yield(mailparts.Incoming{}, err)
		}
	})
	if err != nil {
		err = fmt.Errorf("appending: %w", err)
	}
	return placed, err
}

func (b faultyMailbox) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	if err := b.at("SetFlags"); err != nil {
		return 0, nil, err
	}
	return b.Mailbox.SetFlags(ctx, uids, c)
}

func (b faultyMailbox) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	if err := b.at("Expunge"); err != nil {
		return err
	}
	return b.Mailbox.Expunge(ctx, uids, having)
}

func (b faultyMailbox) Vanished(ctx context.Context, since mailparts.ModSeq) (mailparts.UIDSet, error) {
	if err := b.at("Vanished"); err != nil {
		return nil, err
	}
	return mailparts.Vanished(ctx, b.Mailbox, since)
}

func (b faultyMailbox) ClaimRecent(ctx context.Context) (mailparts.UIDRange, error) {
	if err := b.at("ClaimRecent"); err != nil {
		return mailparts.UIDRange{}, err
	}
	return mailparts.ClaimRecent(ctx, b.Mailbox)
}

func (b faultyMailbox) Cache(ctx context.Context, derived iter.Seq2[mailparts.UID, []byte]) error {
	if err := b.at("Cache"); err != nil {
		return err
	}
	return mailparts.Cache(ctx, b.Mailbox, derived)
}

// watcher is a client that keeps count, and finds what no server may say.
type watcher struct {
	*client
	messages int
}

var numbered = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE|FETCH)`)

// do is client.do with an eye on what is told.
func (w *watcher) do(command string) []string {
	w.t.Helper()
	all := w.client.do(command)
	verb, _, _ := strings.Cut(command, " ")
	for _, l := range all {
		m := numbered.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[1])
		switch {
		case m[2] == "EXISTS":
			if n < w.messages && verb != "SELECT" {
				w.t.Errorf("after %q of %d messages: %q", command, w.messages, l)
			}
			w.messages = n
		case n < 1 || n > w.messages:
			w.t.Errorf("after %q of %d messages: %q", command, w.messages, l)
		case m[2] == "EXPUNGE":
			if verb == "FETCH" || verb == "STORE" || verb == "SEARCH" {
				w.t.Errorf("after %q: %q", command, l)
			}
			w.messages--
		}
	}
	return all
}

const faultyMail = "From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n"

// Whichever call of the store fails, each command is answered, what it tells adds up, and
// the next look of the session finds all that has happened.
func TestFaults(t *testing.T) {
	script := []string{
		"SELECT INBOX",
		"FETCH 1:* (UID FLAGS BODY[])",
		"deliver", "flag", "FETCH 1 FLAGS",
		"expunge", "SEARCH BODY body",
		"NOOP",
		"deliver", "expunge", "NOOP",
		`STORE 1 +FLAGS (\Deleted)`,
		"EXPUNGE",
		"deliver", `UID STORE 1:* +FLAGS.SILENT (\Flagged)`,
		"COPY 1 INBOX",
		"UID COPY 1:* Other",
		"MOVE 1 Other",
		"deliver", "REPLACE 1 INBOX {10+}\r\n\r\nreplaced",
		"APPEND INBOX {5+}\r\n\r\nyou",
		"APPEND INBOX {5+}\r\n\r\nyou {5+}\r\n\r\nme.",
		"STATUS INBOX (MESSAGES UNSEEN RECENT)",
		`LIST "" * RETURN (STATUS (MESSAGES))`,
		"FETCH 1:* (ENVELOPE BODYSTRUCTURE)",
		"flag", "UNSELECT", "SELECT INBOX", "deliver",
		"NOOP", "expunge", "CHECK",
	}
	for name, configure := range map[string]func(mailparts.Backend) mailparts.Backend{
		"mod-sequences": func(b mailparts.Backend) mailparts.Backend { return b },
		"none":          func(b mailparts.Backend) mailparts.Backend { return plainBackend{b} },
	} {
		t.Run(name, func(t *testing.T) {
			for after := 0; ; after++ {
				f := &faults{left: -1}
				memory := new(mailtest.Memory)
				r := start(t, func(s *imap.Server) { s.Backend = faultyBackend{configure(memory), f} })
				hit := r.playFaulty(memory, f, after, script)
				r.Close()
				if hit == "" {
					if after < 100 {
						t.Errorf("only %d calls", after)
					}
					return
				}
				if t.Failed() {
					t.Fatalf("call %d failed: %s", after, hit)
				}
			}
		})
	}
}

// playFaulty runs the script with a fault, and compares what the client knows then with
// what is there. It tells which call has failed.
func (r *rig) playFaulty(memory *mailtest.Memory, f *faults, after int, script []string) (hit string) {
	t := r.t
	store, err := memory.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.(mailparts.Manager).Create(t.Context(), "Other"); err != nil {
		t.Fatal(err)
	}
	inbox, err := store.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	r.fill(faultyMail, faultyMail, faultyMail)
	w := &watcher{client: r.login()}
	f.arm(after)
	for _, command := range script {
		switch command {
		case "deliver", "flag", "expunge":
			r.others(inbox, command)
		default:
			all := w.do(command)
			last := all[len(all)-1]
			if !strings.HasPrefix(last, "OK ") && !strings.HasPrefix(last, "NO [") && last != "BAD Not permitted in this state" && last != "BAD No such message" {
				t.Errorf("%q: %q", command, last)
			}
			if strings.Contains(strings.Join(all, ""), "secret") {
				t.Errorf("%q: %q", command, all)
			}
		}
	}
	hit = f.disarm()
	w.do("NOOP")
	if all := w.do("FETCH 1:* UID"); all[len(all)-1] == "BAD Not permitted in this state" {
		w.do("SELECT INBOX")
	}
	var want []string
	for m, err := range inbox.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("* %d FETCH (UID %d)", len(want)+1, m.UID))
	}
	equal(t, w.do("FETCH 1:* UID"), append(want, "OK FETCH completed"))
	if w.messages != len(want) {
		t.Errorf("the client knows of %d messages, want %d", w.messages, len(want))
	}
	return hit
}

// others does what other sessions might.
func (r *rig) others(inbox mailparts.Mailbox, what string) {
	ctx := r.t.Context()
	switch what {
	case "deliver":
		mailparts.Append(ctx, inbox, mailparts.Incoming{Body: strings.NewReader(faultyMail)})
	case "flag":
		inbox.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{"Work"}})
		inbox.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Op: mailparts.RemoveFlags, Flags: []mailparts.Flag{mailparts.FlagSeen}})
	case "expunge":
		for m := range inbox.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
			inbox.Expunge(ctx, mailparts.UIDSet{{First: m.UID, Last: m.UID}}, "")
			break
		}
	}
}
