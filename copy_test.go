package mailparts_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// plain is a Mailbox without its optional interfaces.
type plain struct{ mailparts.Mailbox }

// unsupported is one whose optional methods say so.
type unsupported struct{ plain }

func (unsupported) Copy(context.Context, mailparts.UIDSet, mailparts.Mailbox) (mailparts.Copied, error) {
	return mailparts.Copied{}, errors.ErrUnsupported
}

func (unsupported) Vanished(context.Context, mailparts.ModSeq) (mailparts.UIDSet, error) {
	return nil, errors.ErrUnsupported
}

// inboxOf opens a user's INBOX in memory.
func inboxOf(t *testing.T, m *mailtest.Memory, user string) mailparts.Mailbox {
	t.Helper()
	s, err := m.Open(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	mb, err := s.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return mb
}

// fill appends messages with these bodies.
func fill(t *testing.T, mb mailparts.Mailbox, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		_, err := mailparts.Append(t.Context(), mb, mailparts.Incoming{
			Body: strings.NewReader(b), Flags: []mailparts.Flag{mailparts.FlagSeen, "Work"}, Received: time.Unix(1e9, 0),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// contents lists a mailbox.
func contents(t *testing.T, mb mailparts.Mailbox) (msgs []mailparts.Message, bodies []string) {
	t.Helper()
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize | mailparts.WantDates | mailparts.WantIDs}) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := mb.Body(t.Context(), m.UID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		msgs, bodies = append(msgs, m), append(bodies, string(b))
	}
	return msgs, bodies
}

func TestCopyFallback(t *testing.T) {
	for what, wrap := range map[string]func(mailparts.Mailbox) mailparts.Mailbox{
		"a Copier":                      func(mb mailparts.Mailbox) mailparts.Mailbox { return mb },
		"no Copier":                     func(mb mailparts.Mailbox) mailparts.Mailbox { return plain{mb} },
		"a Copier that cannot do it":    func(mb mailparts.Mailbox) mailparts.Mailbox { return unsupported{plain{mb}} },
		"a Copier, to another's inbox":  func(mb mailparts.Mailbox) mailparts.Mailbox { return mb },
		"no Copier, to another's inbox": func(mb mailparts.Mailbox) mailparts.Mailbox { return plain{mb} },
	} {
		t.Run(what, func(t *testing.T) {
			var m, other mailtest.Memory
			src := inboxOf(t, &m, "alice")
			fill(t, src, "a\r\n", "b\r\n", "c\r\n", "d\r\n")
			if err := src.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, ""); err != nil {
				t.Fatal(err)
			}
			dst := inboxOf(t, &m, "bob")
			if strings.Contains(what, "another's") {
				dst = inboxOf(t, &other, "bob")
			}
			fill(t, dst, "there before\r\n")
			c, err := mailparts.Copy(t.Context(), wrap(src), mailparts.UIDSet{{First: 1, Last: 3}}, dst)
			if err != nil {
				t.Fatal(err)
			}
			if c.From.String() != "1,3" || c.To.UIDs.String() != "2:3" || c.To.UIDValidity != 1 {
				t.Errorf("copied %v to %+v, want 1,3 to 2:3", c.From, c.To)
			}
			from, _ := contents(t, src)
			to, bodies := contents(t, dst)
			if want := []string{"there before\r\n", "a\r\n", "c\r\n"}; !slices.Equal(bodies, want) {
				t.Errorf("the mailbox holds %q, want %q", bodies, want)
			}
			for i, m := range to[1:] {
				if !slices.Equal(m.Flags, from[i].Flags) || !m.Received.Equal(from[i].Received) || m.ID != from[i].ID || m.Size != from[i].Size {
					t.Errorf("the copy is %+v, want Flags, Received, ID and Size of %+v", m, from[i])
				}
			}
		})
	}
}

// vanishing is a mailbox whose second message is expunged between its listing
// and its reading.
type vanishing struct{ plain }

func (b vanishing) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if uid == 2 {
		return nil, mailparts.ErrNoMessage
	}
	return b.plain.Body(ctx, uid)
}

// failing is a mailbox whose second message cannot be read to its end.
type failing struct{ plain }

func (b failing) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if uid == 2 {
		return io.NopCloser(cutOff(3)), nil
	}
	return b.plain.Body(ctx, uid)
}

func TestCopyFallbackAllOrNone(t *testing.T) {
	var m mailtest.Memory
	src, dst := inboxOf(t, &m, "alice"), inboxOf(t, &m, "bob")
	fill(t, src, "a", "b", "c")
	c, err := mailparts.Copy(t.Context(), failing{plain{src}}, mailparts.AllUIDs(), dst)
	if !errors.Is(err, errRead) || len(c.From) != 0 || len(c.To.UIDs) != 0 {
		t.Errorf("a source that cannot be read: copied %+v, %v, want nothing and the read error", c, err)
	}
	if _, bodies := contents(t, dst); len(bodies) != 0 {
		t.Errorf("a source that cannot be read left %q", bodies)
	}
	c, err = mailparts.Copy(t.Context(), vanishing{plain{src}}, mailparts.AllUIDs(), dst)
	if err != nil || c.From.String() != "1,3" || c.To.UIDs.Len() != 2 {
		t.Errorf("a message that vanishes meanwhile: copied %+v, %v, want 1 and 3", c, err)
	}
	_, err = mailparts.Copy(t.Context(), plain{src}, mailparts.AllUIDs(), struct {
		mailparts.ReadOnly
		readable
	}{readable: plain{dst}})
	if !errors.Is(err, mailparts.ErrReadOnly) {
		t.Errorf("Copy to a read-only mailbox: %v, want ErrReadOnly", err)
	}
}

// readable is a Mailbox but for what ReadOnly has.
type readable interface {
	Status(context.Context) (mailparts.Status, error)
	Messages(context.Context, mailparts.UIDSet, mailparts.Query) iter.Seq2[mailparts.Message, error]
	Body(context.Context, mailparts.UID) (io.ReadCloser, error)
}

func TestReadOnly(t *testing.T) {
	var r mailparts.ReadOnly
	if _, err := r.Append(t.Context(), nil); err != mailparts.ErrReadOnly {
		t.Errorf("Append: %v", err)
	}
	if _, _, err := r.SetFlags(t.Context(), nil, mailparts.FlagChange{}); err != mailparts.ErrReadOnly {
		t.Errorf("SetFlags: %v", err)
	}
	if err := r.Expunge(t.Context(), nil, ""); err != mailparts.ErrReadOnly {
		t.Errorf("Expunge: %v", err)
	}
}

func TestVanishedFallback(t *testing.T) {
	var m mailtest.Memory
	mb := inboxOf(t, &m, "alice")
	vanished := func(mb mailparts.Mailbox, since mailparts.ModSeq) string {
		t.Helper()
		s, err := mailparts.Vanished(t.Context(), mb, since)
		if err != nil {
			t.Fatal(err)
		}
		return s.String()
	}
	if got := vanished(plain{mb}, 0); got != "" {
		t.Errorf("of a new mailbox %q vanished, want nothing", got)
	}
	fill(t, mb, "1", "2", "3", "4")
	mb.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, "")
	st, err := mb.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mb.Expunge(t.Context(), mailparts.UIDSet{{First: 4, Last: 4}}, "")
	for _, c := range []struct {
		what string
		mb   mailparts.Mailbox
		want string
	}{
		{"a VanishedLister", mb, "4"},
		{"no VanishedLister", plain{mb}, "2,4"},
		{"one that cannot do it", unsupported{plain{mb}}, "2,4"},
	} {
		if got := vanished(c.mb, st.HighestModSeq); got != c.want {
			t.Errorf("%s: since the first Expunge %q vanished, want %q", c.what, got, c.want)
		}
	}
}
