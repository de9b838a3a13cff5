package mailtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Script is a dialogue of SMTP or LMTP, as it is written in RFCs. A [Player] plays
// one side of it and holds the other side to the rest. Each line is
//
//	C: text    the client sends a line, to which CRLF is added
//	C> text    the client sends text, to which nothing is added
//	C* text    the client sends text again and again, until the connection is gone
//	C. 1s text the client sends a line, an octet each second
//	C! how     the client ends the connection: "close", which may be left out,
//	           "half-close" (it says no more, but listens) or "reset"
//	S: S> S* S. S!  the same, by the server; S* fails after [MaxFlood] octets
//	G: RCPT    both go on as they should, up to RCPT: see below
//	T:         a TLS handshake follows, which succeeds
//	T!         a TLS handshake follows, which fails because of the server
//	T?         a TLS handshake follows, which fails because of the client
//	W: 1m30s   who plays waits; without a time, until the playing is stopped
//
// Empty lines and those that begin with # are for the reader, and so is white
// space before a line. In a text \r, \n, \t, \0, \\ and \xff (two digits) are what
// they are in Go; a \ before anything else is itself.
//
// Of the side that is not played a line must come exactly as it stands, but for
// "...", which is anything, nothing included. Its text of ">" must come to the
// octet. Of "*" anything may come, and is dropped until it ends. "." is as ":", and
// "!" says that the connection must be at its end: how does not matter.
//
// G: goes on to the command that it names, one of EHLO, MAIL, RCPT, DATA, "." (the
// end of a message) and QUIT. A Player that is the client says all that comes
// before and the command itself, and wants a positive reply to each; LHLO is EHLO.
// One that is the server answers whatever comes before, and has then read the
// command, and not answered it; HELO and LHLO are EHLO. It may name any verb.
type Script string

// step is one line of a Script.
type step struct {
	source string // the line, for errors
	number int    // of the line, from 1
	who    byte   // C, S, G, T or W
	how    byte   // one of : > * . ! ?
	text   string
	wait   time.Duration // W, and between the octets of "."; forever for none given
}

const forever = time.Duration(-1)

// parse returns the script's steps.
func (s Script) parse() ([]step, error) {
	var steps []step
	for n, l := range strings.Split(string(s), "\n") {
		l = strings.TrimLeft(strings.TrimSuffix(l, "\r"), " \t")
		if l == "" || l[0] == '#' {
			continue
		}
		st := step{source: l, number: n + 1}
		if err := st.parse(); err != nil {
			return nil, st.wrong(err)
		}
		steps = append(steps, st)
	}
	return steps, nil
}

var errStep = errors.New("no such line")

// parse fills the step from its source.
func (st *step) parse() (err error) {
	if len(st.source) < 2 {
		return errStep
	}
	st.who, st.how = st.source[0], st.source[1]
	st.text = strings.TrimPrefix(st.source[2:], " ")
	switch string(st.source[:2]) {
	case "C:", "C>", "C*", "S:", "S>", "S*":
	case "C.", "S.":
		every, text, _ := strings.Cut(st.text, " ")
		st.text = text
		if st.wait, err = time.ParseDuration(every); err != nil {
			return err
		}
	case "C!", "S!":
		switch st.text {
		case "", "close", "half-close", "reset":
		default:
			return errors.New("not close, half-close or reset")
		}
	case "G:":
		if st.text == "" {
			return errStep
		}
	case "T:", "T!", "T?":
	case "W:":
		if st.wait = forever; st.text != "" {
			st.wait, err = time.ParseDuration(st.text)
		}
		return err
	default:
		return errStep
	}
	st.text, err = unescapeStep(st.text)
	return err
}

// wrong says which line of the script err is about.
func (st *step) wrong(err error) error {
	return fmt.Errorf("mailtest: line %d of the script, %q: %w", st.number, st.source, err)
}

// unescapeStep is the text of a step as octets.
func unescapeStep(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		n := 1 // octets of after that belong to the backslash
		switch c := after[:min(1, len(after))]; c {
		case "r":
			b.WriteByte('\r')
		case "n":
			b.WriteByte('\n')
		case "t":
			b.WriteByte('\t')
		case "0":
			b.WriteByte(0)
		case `\`:
			b.WriteByte('\\')
		case "x":
			octet, err := strconv.ParseUint(after[1:min(3, len(after))], 16, 8)
			if err != nil || len(after) < 3 {
				return "", errors.New(`\x without two digits`)
			}
			b.WriteByte(byte(octet))
			n = 3
		default:
			b.WriteByte('\\')
			n = 0
		}
		s = after[n:]
	}
}

// matchLine reports whether a line is as pattern, with "..." for anything.
func matchLine(line, pattern string) bool {
	parts := strings.Split(pattern, "...")
	if len(parts) == 1 {
		return line == pattern
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(line, first) {
		return false
	}
	line = line[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(line, part)
		if i < 0 {
			return false
		}
		line = line[i+len(part):]
	}
	return strings.HasSuffix(line, last)
}
