package smtp

import (
	"encoding/base64"
	"io"
	"strconv"
	"strings"
)

const (
	maxReplyLine  = 512 // RFC 5321 section 4.5.3.1.5, with code and CRLF
	maxReplyText  = maxReplyLine - len("250 2.1.5 \r\n")
	maxReplies    = 4096 // held back at most, for a peer that pipelines and does not read
	smallReplies  = 512  // kept between commands
	maxReplyLines = 20   // of a Message that someone else wrote
)

// replies collects what the server says until the session must wait for the peer.
type replies struct {
	w   io.Writer
	buf []byte
	err error // of w, sticky
}

// reply adds a reply with an enhanced status (RFC 2034 section 4). Each "\n" in
// text begins another line.
func (r *replies) reply(code int, status, text string) { r.add(code, status+" ", text) }

// plain adds one without: the greeting, EHLO, and 3yz.
func (r *replies) plain(code int, text string) { r.add(code, "", text) }

// challenge adds the 334 of AUTH, which nothing but base64 follows (RFC 4954
// section 4); it is not a text and may be longer than one.
func (r *replies) challenge(c []byte) {
	r.buf = append(r.buf, "334 "...)
	r.buf = base64.StdEncoding.AppendEncode(r.buf, c)
	r.buf = append(r.buf, "\r\n"...)
}

// hello adds the reply to EHLO, whose lines are all to arrive (RFC 5321 section
// 4.1.1.1), however many a server has.
func (r *replies) hello(lines []string) {
	for i, l := range lines {
		lines[i] = strings.ReplaceAll(strings.Map(printable, l), "\n", "?")
	}
	r.write(250, "", lines)
}

// list adds a reply whose lines are an answer, to be kept whole: their number is as
// it is, and the caller has made each safe to write, of maxReplyText at most.
func (r *replies) list(code int, status string, lines []string) { r.write(code, status+" ", lines) }

func (r *replies) add(code int, prefix, text string) {
	max := maxReplyLine - len("250 \r\n") - len(prefix)
	if len(text) <= max && isASCII(text) && !hasControl(text) { // as nearly all of them are
		one := [1]string{text}
		r.write(code, prefix, one[:])
		return
	}
	r.write(code, prefix, splitReply(text, max))
}

func (r *replies) write(code int, prefix string, lines []string) {
	for i, l := range lines {
		r.buf = strconv.AppendInt(r.buf, int64(code), 10)
		if i < len(lines)-1 {
			r.buf = append(r.buf, '-')
		} else {
			r.buf = append(r.buf, ' ')
		}
		r.buf = append(r.buf, prefix...)
		r.buf = append(r.buf, l...)
		r.buf = append(r.buf, "\r\n"...)
		if len(r.buf) >= maxReplies {
			r.flush()
		}
	}
}

// splitReply makes lines of text that are safe to write: of printable US-ASCII,
// none longer than max.
func splitReply(text string, max int) []string {
	text = strings.Map(printable, text)
	if len(text) <= max && !strings.Contains(text, "\n") {
		return []string{text}
	}
	var lines []string
	for l := range strings.SplitSeq(text, "\n") {
		for len(l) > max {
			lines, l = append(lines, l[:max]), l[max:]
		}
		lines = append(lines, l)
	}
	return lines[:min(len(lines), maxReplyLines)]
}

// printable keeps a text from ending its line, or a peer from reading what it
// does not expect: replies are US-ASCII (RFC 6531 section 3.7.4; debugAddress has
// its exceptions).
func printable(r rune) rune {
	switch {
	case r == '\r':
		return -1
	case r == '\n':
		return r
	case r < ' ' || r > '~':
		return '?'
	}
	return r
}

// graphic is printable for one line, which may be in UTF-8.
func graphic(r rune) rune {
	if r < ' ' || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029' {
		return '?'
	}
	return r
}

// flush writes what is held back.
func (r *replies) flush() error {
	if len(r.buf) == 0 || r.err != nil {
		return r.err
	}
	_, r.err = r.w.Write(r.buf)
	r.buf = r.buf[:0]
	if cap(r.buf) > smallReplies {
		r.buf = nil
	}
	return r.err
}
