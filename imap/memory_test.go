package imap_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap"
)

// allocated is how many octets a command has the server allocate, with responses that are
// short, and what comes of it.
func (c *client) allocated(command string) (octets uint64, outcome string) {
	c.t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	responses := c.do(command)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, responses[len(responses)-1]
}

// longHeader is a header of so many megabytes, in lines that are short or in one field.
func longHeader(megabytes int, field string) string {
	line := field + strings.Repeat("x", 98-len(field)) + "\r\n"
	return "From: a@example.com\r\nX-Long: 1\r\n" + strings.Repeat(line, megabytes<<20/100) + "Subject: last\r\n\r\n"
}

// A header costs no memory that grows with it, whatever is asked of it.
func TestHeaderMemory(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = new(costlyBackend) }) // which cannot search
	r.put(time.Time{}, longHeader(20, "X-Other: ")+"body\r\n")
	r.put(time.Time{}, longHeader(20, " folded ")+"body\r\n")
	r.put(time.Time{}, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"+longHeader(20, "X-Other: ")+"body\r\n--b--\r\n")
	c := r.selecting()
	c.do("FETCH 1:* BODYSTRUCTURE")
	for _, command := range []string{
		"FETCH 1:2 BODY.PEEK[HEADER]<20000000.10>",
		"FETCH 1:2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
		"FETCH 1:2 BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]<20000000.10>",
		"FETCH 1:2 (" + strings.Repeat("BODY.PEEK[HEADER.FIELDS.NOT (A)]<0.10> ", 5) + "FLAGS)",
		"FETCH 3 BODY.PEEK[1.HEADER.FIELDS.NOT (SUBJECT)]<20000000.10>",
		"SEARCH 1 HEADER X-NONE x",
		"SEARCH 1 HEADER SUBJECT none",
	} {
		got, outcome := c.allocated(command)
		if verb, _, _ := strings.Cut(command, " "); outcome != "OK "+verb+" completed" {
			t.Errorf("%s: %s", command, outcome)
		}
		if got > 30<<20 {
			t.Errorf("%s: %d octets were allocated for headers of 20 MB", command, got)
		}
	}
}

// What is looked at of many parts costs what they are, not room for each, nor their structure
// for each item.
func TestManyPartsMemory(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = new(costlyBackend) })
	r.put(time.Time{}, "Content-Type: multipart/mixed; boundary=b\r\n\r\n"+strings.Repeat("--b\r\n\r\nx\r\n", 2000)+"--b--\r\n")
	c := r.selecting()
	c.do("FETCH 1 BODYSTRUCTURE")
	for _, test := range []struct {
		command string
		most    uint64
	}{
		{"SEARCH TEXT none", 60 << 20},
		{"FETCH 1 (FLAGS" + strings.Repeat(" BINARY.SIZE[2000]", 150) + ")", 60 << 20},
	} {
		if got, outcome := c.allocated(test.command); !strings.HasPrefix(outcome, "OK") || got > test.most {
			t.Errorf("%.30s: %s, %d octets were allocated", test.command, outcome, got)
		}
	}
}

// What is read of a header is the same whether or not it is kept in memory.
func TestLongHeaders(t *testing.T) {
	r := start(t, nil)
	c := r.selecting()
	literal := func(s string) string {
		return fmt.Sprintf("{%d}\r\n%s", len(s), strings.ReplaceAll(s, "\x00", "\x80"))
	}
	for _, size := range []int{100, 64 << 10, 256<<10 - 1, 256 << 10, 256<<10 + 1, 300_000, 1 << 20} {
		for _, end := range []string{"\r\n\r\nbody\r\n\r\nX: y\r\n\r\n", "\r\n\r\n", "\r\n", ""} {
			header := "A: 1\r\nX: \x00" + strings.Repeat("\r\n "+strings.Repeat("x", 97), max(0, size-200)/100) + "\r\nA: 2\r\nB: "
			header += strings.Repeat("z", max(30, size-len(header)-4))
			r.put(time.Time{}, header+end)
			c.do("NOOP")
			header += end[:min(4, len(end))]
			fields := header[strings.Index(header, "A: 2"):]
			for !strings.HasSuffix(fields, "\r\n\r\n") {
				fields += "\r\n"
			}
			want := "BODY[HEADER] " + literal(header) + " BODY[HEADER]<3> " + literal(header[3:min(len(header), 90_003)]) +
				" BODY[HEADER.FIELDS (a b)] " + literal("A: 1\r\n"+fields) + " BODY[HEADER.FIELDS (B)]<1> " + literal(fields[7:27]) +
				" BODY[HEADER.FIELDS.NOT (x)]<2> " + literal(("A: 1\r\n" + fields)[2:12])
			got := c.do("FETCH * (BODY.PEEK[HEADER] BODY.PEEK[HEADER]<3.90000> BODY.PEEK[HEADER.FIELDS (a b)] BODY.PEEK[HEADER.FIELDS (B)]<1.20> BODY.PEEK[HEADER.FIELDS.NOT (x)]<2.10>)")
			if len(got) != 2 || !strings.HasSuffix(got[0], "("+want+")") {
				t.Errorf("header of %d octets before %q: got %.200q, want %.200q", size, end, got, want)
			}
			equal(t, c.do("SEARCH * HEADER B z"), []string{"* SEARCH " + strings.Fields(got[0])[1], "OK SEARCH completed"})
			equal(t, c.do("SEARCH * HEADER X y"), []string{"* SEARCH", "OK SEARCH completed"})
		}
	}
}
