package imap_test

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// BODYSTRUCTURE of a multipart without parts is that of one text (RFC 9051 section 7.5.2
// wants one part at least).
func TestGoIMAPDefectEmptyMultipart(t *testing.T) {
	r := start(t, nil)
	for _, body := range []string{"", "--x--\r\n", "--x\r\n", "no boundary"} {
		r.fill("Content-Type: multipart/mixed; boundary=x\r\n\r\n" + body)
	}
	r.fill("Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\n--x--\r\n")
	c := r.selecting()
	for n := 1; n <= 5; n++ {
		got := c.do("FETCH " + strconv.Itoa(n) + " (BODYSTRUCTURE BODY BODY.PEEK[1] BODY.PEEK[1.MIME] BINARY.PEEK[1])")
		if len(got) != 2 || got[1] != "OK FETCH completed" || strings.Contains(got[0], `BODYSTRUCTURE ("mixed"`) || strings.Contains(got[0], `BODYSTRUCTURE ()`) {
			t.Errorf("message %d: %q", n, got)
		}
	}
}

// A line of the header without a colon takes nothing else away.
func TestGoIMAPDefectLineWithoutColon(t *testing.T) {
	r := start(t, nil)
	message := "From alice Mon Feb  7 1994\r\nSubject: x\r\nnonsense\r\nTo: bob@example.com\r\n\r\nbody\r\n"
	r.fill(message)
	c := r.selecting()
	size := strconv.Itoa(len(message))
	equal(t, c.do("FETCH 1 BODY.PEEK[]"), []string{"* 1 FETCH (BODY[] {" + size + "}\r\n" + message + ")", "OK FETCH completed"})
	equal(t, c.do("FETCH 1 (BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (TO)])"), []string{
		"* 1 FETCH (BODY[TEXT] {6}\r\nbody\r\n BODY[HEADER.FIELDS (TO)] {23}\r\nTo: bob@example.com\r\n\r\n)", "OK FETCH completed"})
	if got := c.do("FETCH 1 ENVELOPE"); !strings.Contains(got[0], `"x"`) || !strings.Contains(got[0], `"bob" "example.com"`) {
		t.Errorf("%q", got)
	}
}

// ENVELOPE tells what the header has: a date that is none, a Message-ID that is none, and
// groups as groups.
func TestGoIMAPDefectEnvelope(t *testing.T) {
	r := start(t, nil)
	r.fill("Date: yesterday, or so\r\nMessage-ID: odd id\r\nFrom: a@example.com\r\nTo: friends: b@example.com, c@example.com;, undisclosed:;\r\n\r\n")
	equal(t, r.selecting().do("FETCH 1 ENVELOPE"), []string{
		`* 1 FETCH (ENVELOPE ("yesterday, or so" NIL ((NIL NIL "a" "example.com")) ((NIL NIL "a" "example.com")) ((NIL NIL "a" "example.com")) ` +
			`((NIL NIL "friends" NIL)(NIL NIL "b" "example.com")(NIL NIL "c" "example.com")(NIL NIL NIL NIL)(NIL NIL "undisclosed" NIL)(NIL NIL NIL NIL)) NIL NIL NIL "odd id"))`,
		"OK FETCH completed"})
}

// writes counts what a listener's connections write.
type writes struct {
	net.Conn
	n *int
}

func (w writes) Write(p []byte) (int, error) { *w.n++; return w.Conn.Write(p) }

type countingListener struct {
	*mailtest.Listener
	n int
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return writes{c, &l.n}, err
}

// 2,000 responses of FETCH are few writes.
func TestGoIMAPDefectFlushes(t *testing.T) {
	r := start(t, nil)
	for range 2000 {
		r.fill("1\r\n")
	}
	l := &countingListener{Listener: mailtest.NewListener()}
	s := &imap.Server{Backend: r.Backend, Auth: password, AllowInsecureAuth: true}
	go s.Serve(l)
	defer s.Close()
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("a1 LOGIN alice \"open sesame\"\r\na2 EXAMINE INBOX\r\na3 FETCH 1:* (UID FLAGS)\r\na4 LOGOUT\r\n"))
	var all bytes.Buffer
	if _, err := all.ReadFrom(c); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(all.String(), " FETCH (UID "); got != 2000 {
		t.Errorf("%d responses", got)
	}
	if l.n > 10 {
		t.Errorf("%d writes for %d octets", l.n, all.Len())
	}
}
