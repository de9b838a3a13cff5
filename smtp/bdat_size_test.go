package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestBDATMessageSize(t *testing.T) {
	line := strings.Repeat("x", 98) + "\r\n"
	const tooBig = "552 5.3.4 The message is too big"
	for _, test := range []struct {
		name    string
		chunks  []int
		replies []string
	}{
		{"exactly the limit", []int{1000}, []string{"250 2.0.0 OK queued as ID"}},
		{"exactly the limit in two", []int{400, 600}, []string{"250 2.0.0 OK, 400 octets received", "250 2.0.0 OK queued as ID"}},
		{"one octet more", []int{1001}, []string{tooBig}},
		{"one octet more in the last of three", []int{500, 500, 1}, []string{"250 2.0.0 OK, 500 octets received", "250 2.0.0 OK, 500 octets received", tooBig}},
		{"far more", []int{500, 1000000, 500}, []string{"250 2.0.0 OK, 500 octets received", tooBig, tooBig}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, MaxMessageBytes: 1000})
			c.play(t, toBDAT)
			var all strings.Builder
			text := strings.Repeat(line, 10100)
			for i, n := range test.chunks {
				last := ""
				if i == len(test.chunks)-1 {
					last = " LAST"
				}
				fmt.Fprintf(&all, "BDAT %d%s\r\n%s", n, last, text[:n])
				text = text[n:]
			}
			go io.WriteString(c, all.String()+"NOOP\r\n")
			c.play(t, "S: "+strings.Join(test.replies, "\nS: ")+"\nS: 250 2.0.0 OK")
			if ok := test.replies[len(test.replies)-1] != tooBig; ok != (b.count() == 1) {
				t.Errorf("%d messages", b.count())
			}
		})
	}
}

// The CRLF that a text lacks counts.
func TestBDATMessageSizeWithCRLF(t *testing.T) {
	for n, reply := range map[int]string{998: "250 2.0.0 OK queued as ID", 999: "552 5.3.4 The message is too big"} {
		c := dialServer(t, &smtp.Server{Receiver: new(inbox), MaxMessageBytes: 1000})
		c.play(t, toBDAT)
		c.send(t, fmt.Sprintf("BDAT %d LAST\r\n%s", n, strings.Repeat("x", n)))
		c.play(t, "S: "+reply)
	}
}

// What is dropped has a bound, too, as one chunk and as many.
func TestBDATThatNeverEnds(t *testing.T) {
	const chunk = 1 << 20
	many := "BDAT 1048576\r\n" + strings.Repeat("x", chunk-2) + "\r\n"
	spam := &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}
	const tooBig = "552 5.3.4 The message is too big"
	for _, test := range []struct {
		name, script, send, reply string
		limit                     int64
		err                       error
	}{
		{"one chunk out of order", "G: EHLO", "BDAT 9223372036854775807\r\n", tooBig, 0, nil},
		{"one chunk", toBDAT, "BDAT 9223372036854775807\r\n", tooBig, 0, nil},
		{"one chunk without a limit, refused", toBDAT, "BDAT 9223372036854775807\r\n", "554 5.6.0 Spam", -1, spam},
		{"one chunk without a limit, accepted", toBDAT, "BDAT 9223372036854775807\r\n", tooBig, -1, nil},
		{"many chunks, refused", toBDAT, many, "554 5.6.0 Spam", 0, spam},
		{"many chunks, accepted", toBDAT, many, tooBig, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := deliver(func(context.Context, *mailparts.Envelope, io.Reader) error { return test.err })
			c := dialServer(t, &smtp.Server{Receiver: r, MaxMessageBytes: test.limit})
			c.play(t, test.script)
			go func() {
				for range 100 {
					if _, err := io.WriteString(c, test.send); err != nil {
						return
					}
				}
			}()
			var lines []string
			for {
				c.SetDeadline(time.Now().Add(c.wait))
				l, err := c.r.ReadString('\n')
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Errorf("the connection ends with %v", err)
					}
					break
				}
				lines = append(lines, strings.TrimSpace(l))
			}
			if strings.HasPrefix(lines[len(lines)-1], "421 4.5.0 A chunk") {
				lines = lines[:len(lines)-1]
			}
			if last := lines[len(lines)-1]; last != test.reply || len(lines) > 52 {
				t.Errorf("%d replies, the last %q", len(lines), last)
			}
		})
	}
}
