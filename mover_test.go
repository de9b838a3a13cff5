package mailparts_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

func (unsupported) Move(context.Context, mailparts.UIDSet, mailparts.Mailbox) (mailparts.Copied, error) {
	return mailparts.Copied{}, errors.ErrUnsupported
}

func TestMoveFallback(t *testing.T) {
	for what, wrap := range map[string]func(mailparts.Mailbox) mailparts.Mailbox{
		"a Mover":                   func(mb mailparts.Mailbox) mailparts.Mailbox { return mb },
		"no Mover":                  func(mb mailparts.Mailbox) mailparts.Mailbox { return plain{mb} },
		"a Mover that cannot do it": func(mb mailparts.Mailbox) mailparts.Mailbox { return unsupported{plain{mb}} },
	} {
		t.Run(what, func(t *testing.T) {
			var m mailtest.Memory
			src, dst := inboxOf(t, &m, "alice"), inboxOf(t, &m, "bob")
			fill(t, src, "a", "b", "c", "d")
			if err := src.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, ""); err != nil {
				t.Fatal(err)
			}
			c, err := mailparts.Move(t.Context(), wrap(src), mailparts.UIDSet{{First: 1, Last: 3}}, dst)
			if err != nil || c.From.String() != "1,3" || c.To.UIDs.String() != "1:2" {
				t.Errorf("moved %+v, %v, want 1,3 to 1:2", c, err)
			}
			if _, left := contents(t, src); len(left) != 1 || left[0] != "d" {
				t.Errorf("the source holds %q, want d", left)
			}
			if _, got := contents(t, dst); len(got) != 2 {
				t.Errorf("the destination holds %q, want a and c", got)
			}
			c, err = mailparts.Move(t.Context(), wrap(dst), mailparts.AllUIDs(), dst)
			if err != nil || c.From.String() != "1:2" || c.To.UIDs.String() != "3:4" {
				t.Errorf("moved within one mailbox %+v, %v, want 1:2 to 3:4", c, err)
			}
		})
	}
}

// stubborn is a mailbox from which nothing can be removed.
type stubborn struct {
	plain
	asked *mailparts.UIDSet
	err   error
}

func (b stubborn) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	if *b.asked = uids; having != "" || ctx.Err() != nil {
		return errors.Join(errors.New("with the flag "+string(having)), ctx.Err())
	}
	return b.err
}

func TestMoveFallbackFails(t *testing.T) {
	var m mailtest.Memory
	src, dst := inboxOf(t, &m, "alice"), inboxOf(t, &m, "bob")
	fill(t, src, "a", "b", "c")
	var asked mailparts.UIDSet
	c, err := mailparts.Move(t.Context(), stubborn{plain{vanishing{plain{src}}}, &asked, errRead}, mailparts.AllUIDs(), dst)
	if !errors.Is(err, errRead) || c.From.String() != "1,3" || c.To.UIDs.String() != "1:2" {
		t.Errorf("the Expunge failed: moved %+v, %v, want what was copied and the error", c, err)
	}
	if asked.String() != "1,3" {
		t.Errorf("expunged %v, want what was copied, 1,3", asked)
	}
	asked = nil
	c, err = mailparts.Move(t.Context(), stubborn{plain{failing{plain{src}}}, &asked, nil}, mailparts.AllUIDs(), dst)
	if !errors.Is(err, errRead) || c.From != nil || asked != nil {
		t.Errorf("the Copy failed: moved %+v, %v and expunged %v, want nothing and the error", c, err, asked)
	}
	if c, err := mailparts.Move(t.Context(), stubborn{plain{src}, &asked, errRead}, mailparts.UIDSet{{First: 77, Last: 99}}, dst); err != nil || asked != nil {
		t.Errorf("moved nothing: %+v, %v and expunged %v", c, err, asked)
	}
}

// TestMoveFallbackCancelled: a context that ends between the two halves must not
// leave every message twice.
func TestMoveFallbackCancelled(t *testing.T) {
	var m mailtest.Memory
	src, dst := inboxOf(t, &m, "alice"), inboxOf(t, &m, "bob")
	fill(t, src, "a")
	ctx, cancel := context.WithCancel(t.Context())
	var asked mailparts.UIDSet
	_, err := mailparts.Move(ctx, cancelling{stubborn{plain{src}, &asked, nil}, cancel}, mailparts.AllUIDs(), dst)
	if err != nil || asked.String() != "1" {
		t.Errorf("Move with its context over after Copy: %v and expunged %v, want 1", err, asked)
	}
}

// cancelling ends a context when it has copied.
type cancelling struct {
	stubborn
	cancel context.CancelFunc
}

func (b cancelling) Copy(ctx context.Context, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
	defer b.cancel()
	return mailparts.Copy(ctx, b.plain, uids, dst)
}
