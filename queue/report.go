package queue

import (
	"bytes"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	gomessage "github.com/emersion/go-message/textproto"
	"github.com/mailparts/mailparts"
)

// report is a delivery status notification: RFC 3464 in a multipart/report of
// RFC 6522, with the media types of RFC 6533 where ASCII is not enough.
type report struct {
	id       string
	host     string
	date     time.Time
	entry    *Entry
	failed   []*result
	original original
}

// dateFormat is date-time of RFC 5322.
const dateFormat = time.RFC1123Z

// message returns the notification and its envelope.
func (r *report) message() (*mailparts.Envelope, []byte, error) {
	env := &mailparts.Envelope{ID: r.id, To: []mailparts.Rcpt{{Addr: r.entry.Env.From}}, UTF8: !r.entry.Env.From.IsASCII(),
		RequireTLS: r.entry.Env.RequireTLS} // RFC 8689 section 5
	if r.utf8() || !isASCII(r.original.octets) && r.original.full {
		env.Body = "8BITMIME"
	}
	var b bytes.Buffer
	mw := gomessage.NewMultipartWriter(&b)
	err := gomessage.WriteHeader(&b, r.header(mw.Boundary(), env))
	for _, part := range []func(*gomessage.MultipartWriter) error{r.writeText, r.writeStatus, r.writeOriginal} {
		if err == nil {
			err = part(mw)
		}
	}
	if err == nil {
		err = mw.Close()
	}
	return env, b.Bytes(), err
}

func (r *report) header(boundary string, env *mailparts.Envelope) gomessage.Header {
	encoding := "7bit"
	if env.Body != "" {
		encoding = "8bit"
	}
	return fields(
		"Date", r.date.Format(dateFormat),
		"From", "Mail Delivery System <MAILER-DAEMON@"+r.host+">",
		"To", "<"+oneLine(string(r.entry.Env.From))+">",
		"Subject", "Undelivered mail returned to sender",
		"Message-ID", "<"+token(r.id)+"@"+r.host+">",
		"Auto-Submitted", "auto-replied", // RFC 3834 section 5
		"MIME-Version", "1.0",
		"Content-Type", `multipart/report; report-type=delivery-status; boundary="`+boundary+`"`,
		"Content-Transfer-Encoding", encoding,
	)
}

// utf8 reports whether an address needs the UTF-8 forms of RFC 6533.
func (r *report) utf8() bool {
	for _, f := range r.failed {
		if !f.to.Addr.IsASCII() || !isASCII([]byte(f.to.ORcpt)) {
			return true
		}
	}
	return false
}

func (r *report) writeText(mw *gomessage.MultipartWriter) error {
	typ, encoding := "text/plain; charset=us-ascii", "7bit"
	if r.utf8() {
		typ, encoding = "text/plain; charset=utf-8", "8bit"
	}
	w, err := mw.CreatePart(fields("Content-Type", typ, "Content-Transfer-Encoding", encoding))
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "This is the mail system at %s.\r\n\r\n", r.host)
	b.WriteString("Your message could not be delivered to the recipients below, and no further\r\n" +
		"attempt will be made.\r\n")
	for _, f := range r.failed {
		e := mailparts.AsError(f.err)
		fmt.Fprintf(&b, "\r\n<%s>:\r\n", oneLine(string(f.to.Addr)))
		if f.kind == "expired" {
			fmt.Fprintf(&b, "    It was tried since %s. The last answer was:\r\n", r.entry.Queued.Format(dateFormat))
		}
		if e.Host != "" {
			fmt.Fprintf(&b, "    %s said:\r\n", ascii(e.Host))
		}
		fmt.Fprintf(&b, "    %s\r\n", reply(e))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// writeStatus writes the part for programs: RFC 3464 section 2.
func (r *report) writeStatus(mw *gomessage.MultipartWriter) error {
	head := fields("Content-Type", "message/delivery-status")
	if r.utf8() {
		head = fields("Content-Type", "message/global-delivery-status", "Content-Transfer-Encoding", "8bit")
	}
	w, err := mw.CreatePart(head)
	if err != nil {
		return err
	}
	err = gomessage.WriteHeader(w, fields(
		"Original-Envelope-Id", ascii(r.entry.Env.EnvID),
		"Reporting-MTA", "dns; "+r.host,
		"Arrival-Date", r.entry.Queued.Format(dateFormat),
	))
	for _, f := range r.failed {
		if err == nil {
			err = gomessage.WriteHeader(w, r.status(f))
		}
	}
	return err
}

// status is the fields about one recipient: RFC 3464 section 2.3.
func (r *report) status(f *result) gomessage.Header {
	e := mailparts.AsError(f.err)
	typ, remote, status := "rfc822; ", "", e.EnhancedStatus()
	if !f.to.Addr.IsASCII() {
		typ = "utf-8; " // RFC 6533 section 3
	}
	if e.Host != "" {
		remote = "dns; " + ascii(mtaName(e.Host))
	}
	if f.kind == "expired" {
		status = "4.4.7" // delivery time expired: RFC 3463 section 3.5
	}
	return fields(
		"Original-Recipient", oneLine(f.to.ORcpt),
		"Final-Recipient", typ+oneLine(string(f.to.Addr)),
		"Action", "failed",
		"Status", ascii(status),
		"Remote-MTA", remote,
		"Diagnostic-Code", "smtp; "+reply(e),
		"Last-Attempt-Date", r.date.Format(dateFormat),
	)
}

// mtaName is a host as RFC 3464 section 2.1.1 has it: an address is in brackets.
func mtaName(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case ip.Is4():
		return "[" + host + "]"
	}
	return "[IPv6:" + host + "]"
}

// writeOriginal writes what is returned of the message, if it could be read.
func (r *report) writeOriginal(mw *gomessage.MultipartWriter) error {
	o := r.original
	if len(o.octets) == 0 {
		return nil
	}
	typ, encoding := "text/rfc822-headers", "7bit"
	switch {
	case o.full && r.entry.Env.UTF8:
		typ = "message/global"
	case o.full:
		typ = "message/rfc822"
	case r.entry.Env.UTF8:
		typ = "message/global-headers"
	}
	switch {
	case o.full && !isASCII(o.octets):
		encoding = "8bit" // no other is allowed: RFC 2046 section 5.2.1
	case !isASCII(o.octets) || !isText(o.octets):
		encoding = "quoted-printable" // RFC 6522 section 4, RFC 6533 section 6.3
	}
	w, err := mw.CreatePart(fields("Content-Type", typ, "Content-Transfer-Encoding", encoding))
	if err != nil || encoding != "quoted-printable" {
		if err == nil {
			_, err = w.Write(o.octets)
		}
		return err
	}
	qp := quotedprintable.NewWriter(w)
	if _, err := qp.Write(o.octets); err != nil {
		return err
	}
	return qp.Close()
}

// fields is a header in the order of its names and values, without those that
// have no value.
func fields(namesAndValues ...string) gomessage.Header {
	var h gomessage.Header
	for i := len(namesAndValues) - 2; i >= 0; i -= 2 { // AddRaw puts on top
		name, value := namesAndValues[i], namesAndValues[i+1]
		if value != "" {
			h.AddRaw([]byte(name + ": " + value + "\r\n"))
		}
	}
	return h
}

// reply is what an SMTP server would have said, on one line of bounded length.
func reply(e *mailparts.Error) string {
	return ascii(fmt.Sprintf("%d %s %s", e.Code, e.EnhancedStatus(), e.Message))
}

// maxText bounds each text from elsewhere, so that no line comes near the 998
// octets of RFC 5322 section 2.1.1.
const maxText = 800

// ascii is s on one line, with "?" for what is not printable ASCII.
func ascii(s string) string {
	return strings.Map(func(c rune) rune {
		if c > '~' {
			return '?'
		}
		return c
	}, oneLine(s))
}

// oneLine is s on one line, with spaces for control characters.
func oneLine(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return ' '
		}
		return c
	}, s[:min(len(s), maxText)])
	return strings.TrimSpace(s)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
