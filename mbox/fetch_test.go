package mbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mbox"
)

// bulky is a message of several pieces that tells its number in every line.
func bulky(n, lines int) string {
	return fmt.Sprintf("Subject: %d\r\n\r\n", n) + strings.Repeat(fmt.Sprintf("this is a line of message number %d\r\n", n), lines)
}

// While one process reads slowly, others move every message about: what comes is the
// message or an error, never a part of another.
func TestBodyWhileOthersRewrite(t *testing.T) {
	const messages, lines = 6, 9000
	root := t.TempDir()
	reader := openMailbox(t, &mbox.Backend{Root: root}, "INBOX")
	writer := openMailbox(t, &mbox.Backend{Root: root}, "INBOX")
	var mu sync.Mutex
	want := map[mailparts.UID]string{}
	add := func(n int) {
		placed, err := mailparts.Append(t.Context(), writer, incoming(bulky(n, lines)))
		must(t, err)
		mu.Lock()
		want[placed.UIDs[0].First] = bulky(n, lines)
		mu.Unlock()
	}
	for i := range messages {
		add(i)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		for i := range 25 {
			st, err := writer.Status(t.Context())
			must(t, err)
			all := mailparts.UIDSet{{First: 1, Last: st.UIDNext - 1}}
			key := mailparts.Flag(fmt.Sprintf("keyword-that-is-long-enough-to-need-more-room-than-there-is-%d", i%8))
			_, _, err = writer.SetFlags(t.Context(), all, mailparts.FlagChange{Op: mailparts.FlagOp(i % 2), Flags: []mailparts.Flag{key, mailparts.FlagSeen}})
			must(t, err)
			add(messages + i)
			must(t, writer.Expunge(t.Context(), uids(st.UIDNext-messages), ""))
		}
	})
	read, gone := 0, 0
	for done := false; !done; {
		select {
		case <-stop:
			done = true
		default:
		}
		for m, err := range reader.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			must(t, err)
			body, err := readSlowly(reader, m.UID)
			if errors.Is(err, mailparts.ErrNoMessage) {
				gone++
				continue
			}
			must(t, err)
			read++
			mu.Lock()
			text := want[m.UID]
			mu.Unlock()
			if body != text || int64(len(body)) != m.Size {
				t.Fatalf("UID %d: %d octets, want %d and Size %d; they begin with %.60q and %.60q", m.UID, len(body), len(text), m.Size, body, text)
			}
		}
	}
	wg.Wait()
	t.Logf("%d messages read, %d were gone", read, gone)
}

// readSlowly reads in pieces of odd sizes.
func readSlowly(mb mailparts.Mailbox, uid mailparts.UID) (string, error) {
	r, err := mb.Body(context.Background(), uid)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var b strings.Builder
	for {
		_, err := io.CopyN(&b, r, 1+rand.Int64N(50_000))
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
	}
}

// A message whose fields another program writes anew while its header is read.
func TestBodyWhileItsHeaderChanges(t *testing.T) {
	root := t.TempDir()
	mb := openMailbox(t, &mbox.Backend{Root: root}, "INBOX")
	other := openMailbox(t, &mbox.Backend{Root: root}, "INBOX")
	text := strings.Repeat("X-Header: of many lines that are all the same\r\n", 9000) + "\r\nbody\r\n"
	placed, err := mailparts.Append(t.Context(), mb, incoming(text))
	must(t, err)
	r, err := mb.Body(t.Context(), placed.UIDs[0].First)
	must(t, err)
	defer r.Close()
	var b strings.Builder
	for i := 0; ; i++ {
		_, err := io.CopyN(&b, r, 60_001)
		if err == io.EOF {
			break
		}
		must(t, err)
		_, _, err = other.SetFlags(t.Context(), placed.UIDs, mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.Flag(fmt.Sprintf("keyword-number-%d-that-needs-room", i))}})
		must(t, err)
	}
	if b.String() != text {
		t.Errorf("read %d octets, want %d", b.Len(), len(text))
	}
}
