package spamd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mailparts/mailparts"
)

// The limits of a response.
const (
	maxResponseHeaders = 32        // lines after the first one
	maxGrowth          = 256 << 10 // octets of a header beyond those of the message
	maxFields          = 64 << 10  // octets of X-Spam fields
	maxFieldLine       = 998       // RFC 5322 section 2.1.1
)

// errGarbage means that what answered is no spamd, or one gone mad.
var errGarbage = errors.New("malformed response")

// scan has spamd look at the size octets of msg.
func (c *Client) scan(ctx context.Context, env *mailparts.Envelope, msg io.Reader, size int64) (verdict, error) {
	if strings.ContainsFunc(c.User, unicode.IsControl) {
		return verdict{}, errors.New("control character in User")
	}
	timeout := cmp.Or(c.Timeout, defaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return verdict{}, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	trace := returnPath(env)
	if err := c.send(conn, trace, msg, size); err != nil {
		return verdict{}, err
	}
	return readResponse(newReader(conn), size+int64(len(trace))+maxGrowth)
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	addr := cmp.Or(c.Addr, defaultAddr)
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return dial(ctx, "unix", path)
	}
	return dial(ctx, "tcp", addr)
}

// returnPath tells spamd the sender, which its SPF and whitelist rules want. It is
// for spamd's eyes only: who delivers the message for good adds the field to it.
func returnPath(env *mailparts.Envelope) string {
	if strings.ContainsFunc(string(env.From), unicode.IsControl) {
		return ""
	}
	return "Return-Path: <" + string(env.From) + ">\r\n"
}

// send writes the request. HEADERS has spamd do what PROCESS does, without
// sending the body back.
func (c *Client) send(conn net.Conn, trace string, msg io.Reader, size int64) error {
	var head strings.Builder
	fmt.Fprintf(&head, "HEADERS SPAMC/1.5\r\nContent-length: %d\r\n", int64(len(trace))+size)
	if c.User != "" {
		fmt.Fprintf(&head, "User: %s\r\n", c.User)
	}
	head.WriteString("\r\n" + trace)
	n, err := io.Copy(conn, io.MultiReader(strings.NewReader(head.String()), msg))
	if err != nil {
		return err
	}
	if n != int64(head.Len())+size {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// readResponse reads all of a response whose body has at most limit octets.
func readResponse(r *bufio.Reader, limit int64) (verdict, error) {
	if err := readStatus(r); err != nil {
		return verdict{}, err
	}
	v, length, err := readHeaders(r)
	if err != nil {
		return verdict{}, err
	}
	if length < 0 || length > limit {
		return verdict{}, fmt.Errorf("%w: length of the header", errGarbage)
	}
	body := &io.LimitedReader{R: r, N: length}
	if v.fields, err = collect(body); err != nil {
		return verdict{}, err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return verdict{}, err
	}
	if body.N > 0 {
		return verdict{}, io.ErrUnexpectedEOF
	}
	return v, nil
}

// readStatus reads the first line, "SPAMD/1.1 0 EX_OK": the code is one of
// sysexits.h.
func readStatus(r *bufio.Reader) error {
	line, err := readLine(r)
	if err != nil {
		return err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, word, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	switch {
	case !strings.HasPrefix(version, "SPAMD/") || err != nil:
		return fmt.Errorf("%w: %q", errGarbage, line)
	case n != 0:
		return fmt.Errorf("spamd says %q", code+" "+word)
	}
	return nil
}

// readHeaders reads the lines up to the empty one: Content-length and Spam count.
func readHeaders(r *bufio.Reader) (v verdict, length int64, err error) {
	length = -1
	judged := false
	for range maxResponseHeaders {
		line, err := readLine(r)
		if err != nil {
			return v, 0, err
		}
		if line == "" {
			if !judged {
				return v, 0, fmt.Errorf("%w: no verdict", errGarbage)
			}
			return v, length, nil
		}
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "content-length":
			length, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		case "spam":
			judged = true
			err = v.parse(value)
		}
		if err != nil {
			return v, 0, fmt.Errorf("%w: %q", errGarbage, line)
		}
	}
	return v, 0, fmt.Errorf("%w: too many lines", errGarbage)
}

// parse reads "True ; 15.0 / 5.0".
func (v *verdict) parse(s string) (err error) {
	word, scores, _ := strings.Cut(s, ";")
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "true", "yes":
		v.spam = true
	case "false", "no":
		v.spam = false
	default:
		return errGarbage
	}
	score, _, _ := strings.Cut(scores, "/")
	v.score, err = strconv.ParseFloat(strings.TrimSpace(score), 64)
	if math.IsNaN(v.score) || math.IsInf(v.score, 0) {
		return errGarbage
	}
	return err
}

// readLine reads a line of the protocol without its end.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case err == io.EOF:
		return "", io.ErrUnexpectedEOF
	case err == bufio.ErrBufferFull:
		return "", fmt.Errorf("%w: line too long", errGarbage)
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// collect returns the X-Spam fields of a header as lines that may stand on top of
// any message. It leaves out what may not, so that the verdict still counts.
func collect(header io.Reader) (string, error) {
	var b strings.Builder
	f := fields{r: newReader(header)}
	keep := false // the field that the line belongs to
	for !f.done {
		rest := f.mid
		piece, spam, err := f.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if !spam || rest {
			continue
		}
		line := strings.TrimRight(string(piece), "\r\n")
		fits := len(line) <= maxFieldLine && strings.TrimSpace(line) != ""
		if line[0] != ' ' && line[0] != '\t' {
			keep = fits && namesField(line)
		}
		if keep && fits {
			b.WriteString(ascii(line) + "\r\n")
		}
		if b.Len() > maxFields {
			return "", fmt.Errorf("%w: too many X-Spam fields", errGarbage)
		}
	}
	return b.String(), nil
}

// namesField accepts a line that begins a field (RFC 5322 section 2.2).
func namesField(line string) bool {
	name, _, ok := strings.Cut(line, ":")
	return ok && len(name) > len(prefix) && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}

// ascii has a "?" for what no field may hold: control characters (a tab is none
// here), and octets beyond ASCII, for which the message may not be declared.
func ascii(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' && c != '\t' || c >= 0x7f {
			b[i] = '?'
		}
	}
	return string(b)
}
