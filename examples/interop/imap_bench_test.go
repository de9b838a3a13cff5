package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// BenchmarkIMAP is what people wait for at an IMAP server, ours and Dovecot in turns, on
// twins of a Maildir, by one client over one plain connection. "ms" and "dovecot-ms" are
// medians, "of-dovecot" is our speed as a multiple of its. Cold is without any index; a
// server that is restarted has one, and has not looked at it.
//
//	MAILPARTS_BENCH_MESSAGES=10000,100000 go test ./examples/interop -run '^$' -bench 'IMAP$' -benchtime 5x -timeout 3h
//
// SELECT of a million is BenchmarkIMAP/messages=1000000/select.
func BenchmarkIMAP(b *testing.B) {
	for _, n := range benchSizes() {
		b.Run(fmt.Sprint("messages=", n), func(b *testing.B) {
			ours, theirs := imapTwins(b, n)
			p := &imapPair{ours, theirs}
			p.benchSelect(b)
			if n > 200_000 {
				return
			}
			p.benchFetch(b)
			p.benchSearch(b)
			p.benchChange(b)
			p.benchQuiet(b)
			p.benchAppend(b)
			p.benchBig(b)
			p.benchStalled(b)
			p.benchIdle(b)
		})
	}
}

// imapPair takes turns.
type imapPair struct{ ours, theirs *imapTwin }

// row times do for both, after before of each.
func (p *imapPair) row(b *testing.B, name string, before, do func(*imapTwin)) {
	p.rowOf(b, name, before, func(t *imapTwin) time.Duration {
		start := time.Now()
		do(t)
		return time.Since(start)
	})
}

// rowOf is row for what times itself.
func (p *imapPair) rowOf(b *testing.B, name string, before func(*imapTwin), do func(*imapTwin) time.Duration) {
	b.Run(name, func(b *testing.B) {
		var took [2][]time.Duration
		var octets int64
		for b.Loop() {
			for i, t := range []*imapTwin{p.ours, p.theirs} {
				t.TB = b
				if before != nil {
					before(t)
				}
				if t.c != nil {
					t.c.TB, t.c.octets = b, 0
				}
				runtime.GC() // what one left is none of the other's
				took[i] = append(took[i], do(t))
				if i == 0 && t.c != nil {
					octets = t.c.octets
				}
			}
		}
		we, they := median(took[0]), median(took[1])
		b.ReportMetric(we, "ms")
		b.ReportMetric(they, "dovecot-ms")
		b.ReportMetric(they/we, "of-dovecot")
		if octets > 1<<20 {
			b.ReportMetric(float64(octets)/we/1000, "MB/s")
		}
		b.ReportMetric(0, "ns/op")
	})
}

// command is a row of one command.
func (p *imapPair) command(b *testing.B, name, text string) {
	p.row(b, name, (*imapTwin).ready, func(t *imapTwin) { t.c.do(text) })
}

// cold is a row of a command on a mailbox that was never looked at but by SELECT.
func (p *imapPair) cold(b *testing.B, name, text string) {
	p.row(b, name, func(t *imapTwin) { t.forget(); t.ready() }, func(t *imapTwin) { t.c.do(text) })
}

// ready has INBOX selected.
func (t *imapTwin) ready() {
	if t.c == nil {
		t.open()
		t.c.do("SELECT INBOX")
	}
}

func (p *imapPair) benchSelect(b *testing.B) {
	first := func(t *imapTwin) { t.open(); t.c.do("SELECT INBOX") }
	p.row(b, "select/cold", (*imapTwin).forget, first)
	p.row(b, "select/restarted", (*imapTwin).begin, first)
	p.row(b, "select/login", (*imapTwin).hangUp, first)
	p.row(b, "select/again", (*imapTwin).ready, func(t *imapTwin) { t.c.do("SELECT INBOX") })
}

func (p *imapPair) benchFetch(b *testing.B) {
	p.command(b, "fetch/flags", "FETCH 1:* FLAGS")
	p.cold(b, "fetch/listing-cold", "FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)")
	p.command(b, "fetch/listing", "FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)")
	p.cold(b, "fetch/envelope-cold", "FETCH 1:* ENVELOPE")
	p.command(b, "fetch/envelope", "FETCH 1:* ENVELOPE")
	p.cold(b, "fetch/bodystructure-cold", "FETCH 1:* BODYSTRUCTURE")
	p.command(b, "fetch/bodystructure", "FETCH 1:* BODYSTRUCTURE")
	p.command(b, "fetch/header-fields", "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT FROM DATE MESSAGE-ID)])")
	p.command(b, "fetch/bodies", "FETCH 1:* BODY.PEEK[]")
}

func (p *imapPair) benchSearch(b *testing.B) {
	p.command(b, "search/flags", "UID SEARCH UNSEEN")
	p.command(b, "search/header", `UID SEARCH SUBJECT "topic 49"`)
	p.command(b, "search/body", `UID SEARCH BODY "distant hosts and"`)
	p.cold(b, "sort/date-cold", "SORT (DATE) UTF-8 ALL")
	p.command(b, "sort/date", "SORT (DATE) UTF-8 ALL")
	p.command(b, "sort/subject", "SORT (SUBJECT) UTF-8 ALL")
	p.cold(b, "thread/references-cold", "THREAD REFERENCES UTF-8 ALL")
	p.command(b, "thread/references", "THREAD REFERENCES UTF-8 ALL")
}

// benchChange adds and takes away the same flag, in turns.
func (p *imapPair) benchChange(b *testing.B) {
	for _, silent := range []string{".SILENT", ""} {
		sign := map[*imapTwin]string{}
		p.row(b, "store/flags"+strings.ToLower(silent), func(t *imapTwin) {
			t.ready()
			if sign[t] != "+" {
				sign[t] = "+"
			} else {
				sign[t] = "-"
			}
		}, func(t *imapTwin) { t.c.do("STORE 1:* " + sign[t] + "FLAGS" + silent + ` (\Flagged)`) })
	}
	const changes = 100
	again := map[*imapTwin]string{}
	n := 0
	p.row(b, "qresync-after-100", func(t *imapTwin) {
		t.hangUp()
		t.open()
		t.c.do("ENABLE QRESYNC")
		validity := number(t, t.c.do("SELECT INBOX", "[UIDVALIDITY "))
		modseq := number(t, t.c.do("SELECT INBOX", "[HIGHESTMODSEQ "))
		n++
		for i := range changes { // one after the other, as people do
			t.c.do(fmt.Sprintf(`STORE %d %cFLAGS.SILENT (\Answered)`, 7+i*90, "+-"[n/2%2]))
		}
		t.hangUp()
		t.open()
		t.c.do("ENABLE QRESYNC")
		again[t] = fmt.Sprintf("SELECT INBOX (QRESYNC (%s %s))", validity, modseq)
	}, func(t *imapTwin) { t.c.do(again[t]) })
}

var numberIn = regexp.MustCompile(`[0-9]+`)

// number is the first one in a line.
func number(t testing.TB, line string) string {
	t.Helper()
	n := numberIn.FindString(line)
	if n == "" {
		t.Fatalf("no number in %q", line)
	}
	return n
}

// benchQuiet is what clients ask for all day when nothing has changed, 200 times.
func (p *imapPair) benchQuiet(b *testing.B) {
	times := func(command string) func(*imapTwin) {
		return func(t *imapTwin) {
			for range 200 {
				t.c.do(command)
			}
		}
	}
	p.row(b, "noop-200", (*imapTwin).ready, times("NOOP"))
	closed := func(t *imapTwin) { t.hangUp(); t.open(); t.c.do("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)") }
	p.row(b, "status-200", closed, times("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"))
	for _, t := range []*imapTwin{p.ours, p.theirs} {
		t.hangUp()
	}
}

func (p *imapPair) benchAppend(b *testing.B) {
	text := strings.ReplaceAll(string(imapMessage(1)), "\n", "\r\n")
	p.row(b, "append-100", func(t *imapTwin) { t.fresh("appended") }, func(t *imapTwin) {
		for range 100 {
			t.c.appendTo("appended", text)
		}
	})
}

// fresh has a mailbox without messages, which is not selected.
func (t *imapTwin) fresh(name string) {
	t.hangUp()
	t.open()
	if t.c.do(`LIST "" `+name, name) != "" {
		t.c.do("DELETE " + name)
	}
	t.c.do("CREATE " + name)
}

// benchBig fetches a message of 50 MB in pieces, from the first to the last.
func (p *imapPair) benchBig(b *testing.B) {
	const size, piece = 50 << 20, 128 << 10
	text := "Subject: big\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", size/78)
	p.row(b, "fetch/partial-50MB", func(t *imapTwin) {
		t.fresh("big")
		t.c.appendTo("big", text)
		t.c.do("SELECT big")
	}, func(t *imapTwin) {
		for at := 0; at < size; at += piece {
			t.c.do(fmt.Sprintf("FETCH 1 BODY.PEEK[]<%d.%d>", at, piece))
		}
	})
	for _, t := range []*imapTwin{p.ours, p.theirs} {
		t.hangUp()
	}
}

// benchStalled appends to INBOX, while a client that fetches it all does not read.
func (p *imapPair) benchStalled(b *testing.B) {
	text := strings.ReplaceAll(string(imapMessage(1)), "\n", "\r\n")
	stalled := map[*imapTwin]*imapConn{}
	p.row(b, "append-50-while-a-fetch-stalls", func(t *imapTwin) {
		if stalled[t] != nil {
			return
		}
		c := dialTwin(t)
		c.do("SELECT INBOX")
		c.send("a FETCH 1:* BODY.PEEK[]\r\n")
		c.line()
		stalled[t] = c
		t.open()
	}, func(t *imapTwin) {
		for range 50 {
			t.c.appendTo("INBOX", text)
		}
	})
	for t, c := range stalled {
		c.conn.Close()
		t.hangUp()
	}
}

// benchIdle is the time from a delivery to a Maildir, by a rename to new/, to EXISTS.
func (p *imapPair) benchIdle(b *testing.B) {
	text := imapMessage(1)
	n := 0
	p.rowOf(b, "idle-exists", func(t *imapTwin) {
		t.hangUp()
		t.open()
		t.c.do("SELECT INBOX")
		t.c.send("a IDLE\r\n")
		t.c.awaitLine("+ ")
		time.Sleep(100 * time.Millisecond) // a server may watch a little later than it says
	}, func(t *imapTwin) time.Duration {
		n++
		name := fmt.Sprintf("%d.M%dP4711Q%d.mail.example.org", time.Now().Unix(), n, n)
		tmp := filepath.Join(t.tree, "tmp", name)
		if err := os.WriteFile(tmp, text, 0o644); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := os.Rename(tmp, filepath.Join(t.tree, "new", name)); err != nil {
			t.Fatal(err)
		}
		t.c.awaitLine(" EXISTS")
		took := time.Since(start)
		t.c.send("DONE\r\n")
		t.c.wait("IDLE")
		return took
	})
}
