package mailtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

func ExampleMemory() {
	ctx := context.Background()
	var backend mailtest.Memory // whatever takes a mailparts.Backend takes &backend
	store, err := backend.Open(ctx, "alice")
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := store.Mailbox(ctx, "INBOX")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := mailparts.Append(ctx, inbox, mailparts.Incoming{Body: strings.NewReader("Subject: hello\n\nalice\n")}); err != nil {
		log.Fatal(err)
	}
	for m, err := range inbox.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			log.Fatal(err)
		}
		body, err := inbox.Body(ctx, m.UID)
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(body)
		body.Close()
		fmt.Printf("UID %d, %d octets, %q, %v\n", m.UID, m.Size, text, err)
	}
	// Output: UID 1, 25 octets, "Subject: hello\r\n\r\nalice\r\n", <nil>
}

func TestMemoryUsers(t *testing.T) {
	for _, c := range []struct {
		users []string
		name  string
		want  error
	}{
		{nil, "anyone", nil},
		{nil, "", mailparts.ErrNoUser},
		{[]string{"alice"}, "alice", nil},
		{[]string{"alice"}, "Alice", mailparts.ErrNoUser},
		{[]string{}, "alice", mailparts.ErrNoUser},
	} {
		m := mailtest.Memory{Users: c.users}
		if _, err := m.Open(t.Context(), c.name); !errors.Is(err, c.want) {
			t.Errorf("with the users %q Open(%q) says %v, want %v", c.users, c.name, err, c.want)
		}
	}
}

// TestMemoryMoveAcross: two Memories share no lock, so neither Copy nor Move can
// be one step, and the helper's fallback does it.
func TestMemoryMoveAcross(t *testing.T) {
	var a, b mailtest.Memory
	src, dst := memoryInbox(t, &a), memoryInbox(t, &b)
	if _, err := src.(mailparts.Mover).Move(t.Context(), mailparts.AllUIDs(), dst); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Move to another Memory: %v, want ErrUnsupported", err)
	}
	if _, err := mailparts.Append(t.Context(), src, mailparts.Incoming{Body: strings.NewReader("m")}); err != nil {
		t.Fatal(err)
	}
	if c, err := mailparts.Copy(t.Context(), src, mailparts.AllUIDs(), dst); err != nil || c.To.UIDs.Len() != 1 {
		t.Errorf("Copy to another Memory: %+v, %v, want one message", c, err)
	}
}

// TestMemoryVanishedIsExact: what other stores may round up, Memory does not.
func TestMemoryVanishedIsExact(t *testing.T) {
	mb := memoryInbox(t, new(mailtest.Memory))
	for range 3 {
		if _, err := mailparts.Append(t.Context(), mb, mailparts.Incoming{Body: strings.NewReader("m")}); err != nil {
			t.Fatal(err)
		}
	}
	mb.Expunge(t.Context(), mailparts.UIDSet{{First: 1, Last: 1}}, "")
	st, err := mb.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mb.Expunge(t.Context(), mailparts.UIDSet{{First: 3, Last: 3}}, "")
	if got, err := mailparts.Vanished(t.Context(), mb, st.HighestModSeq); err != nil || got.String() != "3" {
		t.Errorf("since the first Expunge %v vanished, %v, want 3", got, err)
	}
}

func memoryInbox(t *testing.T, m *mailtest.Memory) mailparts.Mailbox {
	t.Helper()
	s, err := m.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mb, err := s.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return mb
}
