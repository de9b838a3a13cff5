package interop_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mbox"
)

func ourInbox(b testing.TB, backend mailparts.Backend) mailparts.Mailbox {
	b.Helper()
	store, err := backend.Open(context.Background(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	mb, err := store.Mailbox(context.Background(), "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	return mb
}

// benchSizes are how many messages the mailboxes of BenchmarkMailbox have:
// MAILPARTS_BENCH_MESSAGES, or 10,000.
func benchSizes() (sizes []int) {
	for s := range strings.SplitSeq(cmp.Or(os.Getenv("MAILPARTS_BENCH_MESSAGES"), "10000"), ",") {
		n, _ := strconv.Atoi(s)
		sizes = append(sizes, n)
	}
	return sizes
}

// BenchmarkMailbox is what people wait for in a Maildir of very many messages, by our
// store and by Dovecot's IMAP server on a twin of it. Ours has no wire: an IMAP server
// will add what it takes to write the lines. Cold is without any index; warm is a new
// process's first look, or a new session's, with one.
//
//	MAILPARTS_BENCH_MESSAGES=10000,100000,1000000 go test ./examples/interop -run '^$' -bench Mailbox -benchtime 3x -timeout 2h
func BenchmarkMailbox(b *testing.B) {
	for _, n := range benchSizes() {
		b.Run(fmt.Sprint("messages=", n), func(b *testing.B) {
			b.Run("mailparts", func(b *testing.B) { benchOurs(b, n) })
			b.Run("dovecot", func(b *testing.B) { benchDovecot(b, n) })
		})
	}
}

// fill makes the files of a Maildir as a server would have left it.
func fill(b testing.TB, tree string, n int) {
	b.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(tree, sub), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		text := fmt.Sprintf("From: a%d@example.test\nSubject: message %d\n\nText\n", i, i)
		name := fmt.Sprintf("%d.M%dP4711Q%d.mail.example.org,S=%d,W=%d:2,S", 1700000000+i, i%1000000, i, len(text), len(text)+4)
		if err := os.WriteFile(filepath.Join(tree, "cur", name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	hourAgo := time.Now().Add(-time.Hour)
	for _, sub := range []string{"cur", "new", "tmp"} { // nobody changed it just now
		if err := os.Chtimes(filepath.Join(tree, sub), hourAgo, hourAgo); err != nil {
			b.Fatal(err)
		}
	}
}

// row is one thing that people wait for.
func row(b *testing.B, name string, before, do func()) {
	b.Run(name, func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			if before != nil {
				before()
			}
			b.StartTimer()
			do()
		}
		b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
		b.ReportMetric(0, "ns/op")
	})
}

func benchOurs(b *testing.B, n int) {
	ctx := context.Background()
	root := folder(b)
	tree := filepath.Join(root, "alice")
	fill(b, tree, n)
	var mb mailparts.Mailbox
	list := func(want mailparts.Field) {
		got := 0
		for _, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: want}) {
			if err != nil {
				b.Fatal(err)
			}
			got++
		}
		if got != n {
			b.Fatalf("%d messages, want %d", got, n)
		}
	}
	sel := func() {
		mb = ourInbox(b, &maildir.Backend{Root: root})
		if _, err := mb.(mailparts.RecentClaimer).ClaimRecent(ctx); err != nil {
			b.Fatal(err)
		}
		if st, err := mb.Status(ctx); err != nil || int(st.Messages) != n {
			b.Fatalf("%+v, %v", st, err)
		}
		list(0)
	}
	forget := func() {
		mb = nil
		for _, pattern := range []string{"dovecot*", "mailparts*"} {
			files, _ := filepath.Glob(filepath.Join(tree, pattern))
			for _, f := range files {
				os.Remove(f)
			}
		}
	}
	row(b, "select-cold", forget, sel)
	sel()
	time.Sleep(3 * time.Second) // so that no folder was changed just now
	sel()
	row(b, "select-warm", func() { mb = nil; runtime.GC() }, sel)
	row(b, "fetch-flags", nil, func() { list(0) })
	row(b, "fetch-dates-first", func() { forget(); sel() }, func() { list(mailparts.WantSize | mailparts.WantDates) })
	row(b, "fetch-dates-again", nil, func() { list(mailparts.WantSize | mailparts.WantDates) })
	op := mailparts.FlagOp(0)
	row(b, "store-flag", nil, func() {
		if _, _, err := mb.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Op: op, Flags: []mailparts.Flag{mailparts.FlagFlagged}}); err != nil {
			b.Fatal(err)
		}
		op = 1 - op
	})
	row(b, "status", nil, func() { mb.Status(ctx) })
	row(b, "append-expunge", nil, func() {
		placed, err := mailparts.Append(ctx, mb, mailparts.Incoming{Body: strings.NewReader("Subject: x\r\n\r\n")})
		if err == nil {
			err = mb.Expunge(ctx, placed.UIDs, "")
		}
		if err != nil {
			b.Fatal(err)
		}
	})
	mb = nil
	runtime.GC()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sel()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.Run("memory", func(b *testing.B) {
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		b.ReportMetric(0, "ns/op")
	})
	runtime.KeepAlive(mb)
}

// rawIMAP is a client that looks at nothing but the end of a reply.
type rawIMAP struct {
	testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func dialIMAP(t testing.TB, addr string) *rawIMAP {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &rawIMAP{t, conn, bufio.NewReaderSize(conn, 1<<20)}
	if _, err := c.r.ReadSlice('\n'); err != nil {
		t.Fatal(err)
	}
	c.do("LOGIN alice secret")
	return c
}

func (c *rawIMAP) do(command string) {
	c.Helper()
	fmt.Fprintf(c.conn, "a %s\r\n", command)
	for {
		line, err := c.r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			c.Fatalf("%s: %v", command, err)
		}
		if bytes.HasPrefix(line, []byte("a ")) {
			if !bytes.HasPrefix(line, []byte("a OK")) {
				c.Fatalf("%s: %s", command, line)
			}
			return
		}
	}
}

func benchDovecot(b *testing.B, n int) {
	mail := folder(b)
	tree := filepath.Join(mail, "alice")
	fill(b, tree, n)
	d := dovecot(b, mail)
	var c *rawIMAP
	open := func() {
		if c != nil {
			c.conn.Close()
		}
		c = dialIMAP(b, d.imapAddr)
	}
	forget := func() {
		if c != nil {
			c.do("LOGOUT")
		}
		files, _ := filepath.Glob(filepath.Join(tree, "dovecot*"))
		for _, f := range files {
			os.Remove(f)
		}
		open()
	}
	sel := func() { c.do("SELECT INBOX"); c.do("FETCH 1:* FLAGS") }
	row(b, "select-cold", forget, sel)
	row(b, "select-warm", open, sel)
	row(b, "fetch-flags", nil, func() { c.do("FETCH 1:* FLAGS") })
	row(b, "fetch-dates-first", func() { forget(); sel() }, func() { c.do("FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)") })
	row(b, "fetch-dates-again", nil, func() { c.do("FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)") })
	sign := "+"
	row(b, "store-flag", nil, func() {
		c.do("STORE 1:* " + sign + `FLAGS.SILENT (\Flagged)`)
		sign = map[string]string{"+": "-", "-": "+"}[sign]
	})
	row(b, "status", nil, func() { c.do("NOOP") })
	row(b, "append-expunge", nil, func() {
		fmt.Fprintf(c.conn, "a APPEND INBOX (\\Deleted) {14+}\r\nSubject: x\r\n\r\n\r\n")
		for line := ""; !strings.HasPrefix(line, "a "); {
			line, _ = c.r.ReadString('\n')
		}
		c.do("EXPUNGE")
	})
	b.Run("memory", func(b *testing.B) {
		open()
		sel()
		out, _ := try("", "ps", "-C", "imap", "-o", "rss=")
		kb := 0
		for f := range strings.FieldsSeq(out) {
			n, _ := strconv.Atoi(f)
			kb = max(kb, n)
		}
		b.ReportMetric(float64(kb)/1e3, "MB")
		b.ReportMetric(0, "ns/op")
	})
}

// BenchmarkStatusOfMany is the status of 1,000 mailboxes of 20 messages each.
//
//	go test ./examples/interop -run '^$' -bench StatusOfMany -benchtime 5x
func BenchmarkStatusOfMany(b *testing.B) {
	const mailboxes = 1000
	many := func(b *testing.B) (root string) {
		root = folder(b)
		fill(b, filepath.Join(root, "alice"), 20)
		for i := range mailboxes - 1 {
			dir := filepath.Join(root, "alice", fmt.Sprintf(".box%03d", i))
			fill(b, dir, 20)
			write(b, filepath.Join(dir, "maildirfolder"), 0o600)
		}
		return root
	}
	b.Run("mailparts", func(b *testing.B) {
		root := many(b)
		var store mailparts.Store
		open := func() { store, _ = (&maildir.Backend{Root: root}).Open(b.Context(), "alice") }
		all := func() {
			n := 0
			for info, err := range mailparts.ListStatus(b.Context(), store) {
				if err != nil || info.Status == nil || info.Status.Messages != 20 {
					b.Fatalf("%+v, %v", info, err)
				}
				n++
			}
			if n != mailboxes {
				b.Fatalf("%d mailboxes", n)
			}
		}
		open()
		all()
		time.Sleep(3 * time.Second)
		open()
		all()
		row(b, "first", open, all)
		row(b, "again", nil, all)
	})
	b.Run("dovecot", func(b *testing.B) {
		d := dovecot(b, many(b))
		c := dialIMAP(b, d.imapAddr)
		all := func() { c.do(`LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT UNSEEN UIDVALIDITY HIGHESTMODSEQ))`) }
		all()
		row(b, "first", func() { c = dialIMAP(b, d.imapAddr) }, all)
		row(b, "again", nil, all)
	})
}

// BenchmarkMbox is an mbox of 1 GB in 10,000 messages, opened without an index and with
// one, and messages of 4 KB appended to an mbox, by us and by Dovecot.
//
//	go test ./examples/interop -run '^$' -bench Mbox -benchtime 3x
func BenchmarkMbox(b *testing.B) {
	const messages = 10_000
	// big makes the file as others leave it, and nothing beside it.
	big := func(b *testing.B, root string) {
		dir := filepath.Join(root, "alice")
		if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(filepath.Join(root, "index")), os.Mkdir(dir, 0o755)); err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, "inbox"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		w := bufio.NewWriterSize(f, 1<<20)
		body := strings.Repeat("a line of a message that is quite as long as such lines are, by and by\n", 1400)
		for i := range messages {
			fmt.Fprintf(w, "From a@example.test Thu Jan  2 03:04:05 2020\nFrom: a@example.test\nSubject: %d\nStatus: RO\n\n%s\n", i, body)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	ours := func(root string) *mbox.Backend {
		return &mbox.Backend{Root: root, Inbox: func(user string) (string, error) { return filepath.Join(root, user, "inbox"), nil }}
	}
	b.Run("mailparts", func(b *testing.B) {
		root := folder(b)
		var mb mailparts.Mailbox
		sel := func() {
			mb = ourInbox(b, ours(root))
			n := 0
			for _, err := range mb.Messages(b.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != messages {
				b.Fatalf("%d messages", n)
			}
		}
		row(b, "first", func() { big(b, root) }, sel)
		row(b, "warm", nil, sel)
		row(b, "store-one", nil, func() {
			if _, _, err := mb.SetFlags(b.Context(), oneUID(messages/2), mailparts.FlagChange{Op: mailparts.FlagOp(b.N % 2), Flags: []mailparts.Flag{mailparts.FlagFlagged}}); err != nil {
				b.Fatal(err)
			}
		})
		small := ourInbox(b, ours(folder(b)))
		row(b, "append-100", nil, func() {
			for range 100 {
				if _, err := mailparts.Append(b.Context(), small, mailparts.Incoming{Body: strings.NewReader(strings.Repeat("x", 4094) + "\r\n")}); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("dovecot", func(b *testing.B) {
		mail := folder(b)
		d := dovecot(b, mail, "mail_location = mbox:"+mail+"/%n/mail:INBOX="+mail+"/%n/inbox:INDEX="+mail+"/index/%n", "mbox_write_locks = fcntl")
		var c *rawIMAP
		open := func() {
			if c != nil {
				c.conn.Close()
			}
			c = dialIMAP(b, d.imapAddr)
		}
		sel := func() { c.do("SELECT INBOX"); c.do("FETCH 1:* (UID FLAGS RFC822.SIZE)") }
		row(b, "first", func() {
			big(b, mail)
			run(b, "", "chown", "-R", "mail:mail", mail)
			open()
		}, sel)
		row(b, "warm", open, sel)
		row(b, "store-one", nil, func() { c.do(fmt.Sprintf(`STORE %d FLAGS.SILENT (\Flagged)`, messages/2)); c.do("CHECK") })
		c.do("CREATE small")
		row(b, "append-100", nil, func() {
			for range 100 {
				fmt.Fprintf(c.conn, "a APPEND small {4096+}\r\n%s\r\n\r\n", strings.Repeat("x", 4094))
				for line := ""; !strings.HasPrefix(line, "a "); {
					line, _ = c.r.ReadString('\n')
				}
			}
		})
	})
}
