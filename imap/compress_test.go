package imap_test

import (
	"bufio"
	"compress/flate"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// compressedConn is a client's end below DEFLATE.
type compressedConn struct {
	net.Conn
	r io.Reader
	w *flate.Writer
}

func (c *compressedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *compressedConn) Write(p []byte) (int, error) {
	if _, err := c.w.Write(p); err != nil {
		return 0, err
	}
	return len(p), c.w.Flush()
}

// compress goes on in a session that has been told to.
func (c *client) compress() {
	c.t.Helper()
	w, err := flate.NewWriter(c.Conn, flate.DefaultCompression)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Conn = &compressedConn{c.Conn, flate.NewReader(c.r), w}
	c.r = bufio.NewReader(c.Conn)
}

// RFC 4978 section 3.
func TestCompress(t *testing.T) {
	r := start(t, nil)
	body := strings.Repeat("The quick brown fox jumps over the lazy dog.\r\n", 5000)
	r.fill(body)
	r.dial().play(`
		C: a1 COMPRESS DEFLATE
		S: a1 BAD Not permitted in this state
	`)
	c := r.login()
	c.play(`
		C: a1 COMPRESS
		S: a1 BAD Missing argument
		C: a2 COMPRESS ZSTD
		S: a2 BAD Unknown compression mechanism
		C: a3 compress deflate
		S: a3 OK DEFLATE active
	`)
	c.compress()
	if offered := c.do("CAPABILITY")[0]; strings.Contains(offered, "COMPRESS") || strings.Contains(offered, "UNAUTHENTICATE") {
		t.Errorf("offered: %s", offered)
	}
	c.play(`
		C: b1 COMPRESS DEFLATE
		S: b1 BAD DEFLATE is active
		C: b2 UNAUTHENTICATE
		S: b2 BAD Not available in a compressed session
		C: b3 STATUS {5}
		S: + OK
		C: INBOX (MESSAGES)
		S: * STATUS INBOX (MESSAGES 1)
		S: b3 OK STATUS completed
	`)
	c.do("SELECT INBOX")
	if got := c.do("FETCH 1 BODY.PEEK[]"); !strings.Contains(got[0], body) {
		t.Errorf("a message of %d octets is %d", len(body), len(got[0]))
	}
	// IDLE below compression.
	c.play(`
		C: c1 IDLE
		S: + idling
	`)
	for range 3 {
		if err := mailparts.Subscribe(t.Context(), r.store, "x", true); err != nil {
			t.Fatal(err)
		}
		r.fill("x\r\n")
		for !strings.HasSuffix(c.response(), " RECENT") {
		}
	}
	c.play(`
		C: DONE
		S: c1 OK IDLE completed
		C: c2 LOGOUT
		S: * BYE Logging out
		S: c2 OK LOGOUT completed
	`)
}

// What is no DEFLATE ends the session, and nothing else.
func TestCompressCorrupt(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.do("COMPRESS DEFLATE")
	io.WriteString(c, "a1 NOOP\r\na2 NOOP\r\n")
	if rest, err := io.ReadAll(c.r); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
	r.login().play(`
		C: a1 NOOP
		S: a1 OK NOOP completed
	`)
}

// A little that stands for a lot is bounded by what may stand in a command.
func TestCompressBomb(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.do("COMPRESS DEFLATE")
	c.compress()
	go io.WriteString(c, "a1 NOOP "+strings.Repeat(" ", 20<<20)+"\r\n")
	if got := c.response(); got != "* BYE [LIMIT] Too much input" {
		t.Errorf("got %q", got)
	}
}
