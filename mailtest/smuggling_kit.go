package mailtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// TestSmuggling runs every vector against the server that dial connects to, a
// subtest for each, and judges by the replies alone. They tell whether something
// was taken for an end; not whether a CR or LF alone went on to the next server:
// for that, and for LMTP, use [SmugglingKit].
func TestSmuggling(t *testing.T, dial func(ctx context.Context) (net.Conn, error)) {
	SmugglingKit{Dial: dial}.Test(t)
}

// SmugglingKit is the test of a server with what it may know of it.
type SmugglingKit struct {
	// Dial connects to the server, whose greeting comes next. It must take mail of
	// From to To without AUTH, from a thousand connections one after the other, and
	// some commands that are none.
	Dial func(ctx context.Context) (net.Conn, error)
	// Received returns the messages that the server took since it was called last,
	// with CRLF line ends if it keeps them otherwise. One is there when its reply is.
	// nil: nobody looks.
	Received func() []string

	From, To mailparts.Address // [alice@example.org, bob@example.com]
	LMTP     bool
	Timeout  time.Duration // for a reply; one that never comes takes that long [5 s]
}

// Test runs every vector, a subtest for each.
func (k SmugglingKit) Test(t *testing.T) {
	for _, v := range SmugglingVectors() {
		t.Run(v.Kind.String()+"/"+v.Name, func(t *testing.T) {
			switch err := k.Try(t.Context(), v); {
			case errors.Is(err, errors.ErrUnsupported):
				t.Skip(err)
			case err != nil:
				t.Errorf("%s: %v", v.About, err)
			}
		})
	}
}

// Try runs v in each way in which its octets may come: at once, one by one around
// End, with End at the edge of a buffer, and without waiting for the reply to
// Begin. It returns what is wrong with what the server makes of it, or of the
// connection; errors.ErrUnsupported if the server does not offer what v is about.
func (k SmugglingKit) Try(ctx context.Context, v SmugglingVector) error {
	for _, w := range v.ways() {
		if err := k.try(ctx, v, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

// smugglingWay is how a vector is sent.
type smugglingWay struct {
	name   string
	eager  bool // no reply to Begin is waited for
	pieces []string
}

// edges are the sizes of buffers that readers of lines have.
var edges = []int{1 << 10, 4 << 10, 32 << 10}

func (v SmugglingVector) ways() []smugglingWay {
	at := strings.Index(v.Octets, v.End)
	from, to := max(at-2, 0), min(at+len(v.End)+2, len(v.Octets))
	if v.End == "" {
		from, to = 0, min(len(v.Octets), 100)
	}
	split := smugglingWay{name: "octet by octet", pieces: []string{v.Octets[:from]}}
	for i := from; i < to; i++ {
		split.pieces = append(split.pieces, v.Octets[i:i+1])
	}
	split.pieces = append(split.pieces, v.Octets[to:])
	ways := []smugglingWay{{name: "at once", pieces: []string{v.Octets}}, split}
	if v.Begin == "" {
		return ways
	}
	if v.Kind == FalseEnd {
		ways = append(ways, smugglingWay{name: "without waiting for 354", eager: true, pieces: []string{v.Begin + "\r\n" + v.Octets}})
	}
	for _, edge := range edges {
		for i := range len(v.End) {
			if pad := edge - at - i; at > 0 && pad >= 0 {
				ways = append(ways, smugglingWay{
					name:   fmt.Sprintf("%d octets before an edge at %d", i, edge),
					pieces: []string{v.Octets[:at] + padding(pad) + v.Octets[at:]},
				})
			}
		}
	}
	return ways
}

// padding is n octets of text that begin inside a line, and end there.
func padding(n int) string {
	b := []byte(strings.Repeat("x", n))
	for i := 70; i+10 < n; i += 72 {
		b[i], b[i+1] = '\r', '\n'
	}
	return string(b)
}

// try runs v once.
func (k SmugglingKit) try(ctx context.Context, v SmugglingVector, w smugglingWay) error {
	nc, err := k.Dial(ctx)
	if err != nil {
		return err
	}
	defer nc.Close()
	p := &Player{Conn: nc, From: k.From, To: k.To, LMTP: k.LMTP, Timeout: cmp.Or(k.Timeout, 5*time.Second)}
	if err := p.Play(ctx, "G: EHLO"); err != nil {
		return err
	}
	if !p.offers(v.Needs) {
		return fmt.Errorf("the server does not offer %s: %w", v.Needs, errors.ErrUnsupported)
	}
	script := Script("G: RCPT")
	if v.Begin == "DATA" && !w.eager {
		script = "G: DATA"
	}
	if err := p.Play(ctx, script); err != nil {
		return err
	}
	k.received()
	replies, hung := p.exchange(ctx, w.pieces)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if w.eager && len(replies) > 0 {
		replies = replies[1:] // to Begin
	}
	if err := v.judgeReplies(replies, hung); err != nil {
		return fmt.Errorf("%w: replies %q", err, replies)
	}
	return v.judgeMessages(k.received(), k.Received != nil && len(replies) > 0 && replies[0][0] == '2')
}

func (k SmugglingKit) received() []string {
	if k.Received == nil {
		return nil
	}
	return k.Received()
}

// offers reports whether the reply to EHLO had a keyword.
func (p *Player) offers(keyword string) bool {
	for _, l := range p.talk.reply {
		word, _, _ := strings.Cut(l[min(4, len(l)):], " ")
		if keyword == "" || strings.EqualFold(word, keyword) {
			return true
		}
	}
	return false
}

// exchange sends pieces and QUIT, and returns the last line of each reply but those
// that say goodbye. hung is how it ended: io.EOF, or no reply in time.
func (p *Player) exchange(ctx context.Context, pieces []string) (replies []string, hung error) {
	go func() { // the server need not read on before we read its replies
		for _, piece := range append(pieces, "QUIT\r\n") {
			if _, err := io.WriteString(p.Conn, piece); err != nil {
				return
			}
		}
	}()
	for {
		p.arm(ctx)
		l, err := p.r.ReadString('\n')
		switch l = strings.TrimRight(l, "\r\n"); {
		case err != nil:
			return replies, err
		case len(l) > 3 && l[3] == '-':
		case strings.HasPrefix(l, "221"):
			return replies, io.EOF
		case strings.HasPrefix(l, "421"):
		case l != "":
			replies = append(replies, l)
		}
	}
}

// judgeReplies tells what the replies to Octets say.
func (v SmugglingVector) judgeReplies(replies []string, hung error) error {
	silent := errors.Is(hung, os.ErrDeadlineExceeded)
	switch {
	case v.Kind == TrueEnd && len(replies) != v.Replies:
		return errors.New("the end of the message was not seen")
	case len(replies) > v.Replies && v.Kind == Confusion:
		return errors.New("a message was run as commands")
	case len(replies) > v.Replies:
		return errors.New("the message was ended, and what follows run as commands")
	case slices.ContainsFunc(replies, func(r string) bool { return strings.HasPrefix(r, "354") }):
		return errors.New("DATA was taken")
	case silent && v.Kind != Confusion:
		return errors.New("the true end of the message was not seen")
	case v.Kind == Content && (len(replies) != v.Replies || replies[len(replies)-1][0] != '2'):
		return errors.New("a legal message was refused")
	}
	return nil
}

// judgeMessages looks at what the server took. taken is whether it said so.
func (v SmugglingVector) judgeMessages(messages []string, taken bool) error {
	for _, m := range messages {
		if hasBare(m) {
			return fmt.Errorf("a message was taken with CR or LF alone in it: %.200q", m)
		}
	}
	switch {
	case len(messages) > 1 || v.Kind == Confusion && len(messages) > 0:
		return fmt.Errorf("%d messages were taken", len(messages))
	case !taken || v.Kind == Confusion:
		return nil
	case len(messages) == 0:
		return errors.New("a message was accepted and is not there")
	case v.Kind == FalseEnd && !strings.Contains(messages[0], "smuggled\r\n"):
		return fmt.Errorf("a message was cut: %.200q", messages[0])
	case v.Kind == Content && !strings.HasSuffix(messages[0], strings.TrimPrefix(v.Text, firstText)): // padding may be between
		return fmt.Errorf("a message was changed: got %.200q, want %.200q", messages[0], v.Text)
	}
	return nil
}

// hasBare reports whether text has CR or LF alone.
func hasBare(text string) bool {
	rest := strings.ReplaceAll(text, "\r\n", "")
	return strings.ContainsAny(rest, "\r\n")
}
