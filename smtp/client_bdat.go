package smtp

import (
	"bytes"
	"io"
	"strconv"
	"sync"
)

const (
	clientChunkSize = 128 << 10
	// clientWindow is how many chunks may be under way to a server that pipelines.
	// Their replies fit into any connection's buffers, so that the two sides cannot
	// wait for each other (RFC 2920 section 3.1).
	clientWindow = 8
)

// clientChunk is a chunk with its command before it, so that both are one write.
type clientChunk [clientChunkHead + clientChunkSize + len("\r\n")]byte

const clientChunkHead = len("BDAT 1234567890 LAST\r\n")

var clientChunks = sync.Pool{New: func() any { return new(clientChunk) }}

// chunks reports whether a message goes by BDAT: wherever it may, as no content can
// end it early. A BINARYMIME message can go by nothing else (RFC 3030 section 3).
func (c *Client) chunks(n *clientNeeds) bool {
	return n.body == "BINARYMIME" || c.chunking && c.offers("CHUNKING")
}

// chunkWriter sends one message by BDAT (RFC 3030 section 2).
type chunkWriter struct {
	c       *Client
	window  int
	pending int // chunks whose replies are still to come
}

// sendChunks writes msg, and leaves the reply to its last chunk to be read. The
// connection is of use after anything but a lost one: RSET voids what was sent.
func (c *Client) sendChunks(msg io.Reader) (bad, failed error) {
	chunk := clientChunks.Get().(*clientChunk)
	defer clientChunks.Put(chunk)
	w := chunkWriter{c: c, window: 1}
	if c.offers("PIPELINING") {
		w.window = clientWindow
	}
	var ends lineEnds
	for {
		n, err := fillChunk(msg, chunk[clientChunkHead:][:clientChunkSize])
		last := err == io.EOF
		if err != nil && !last {
			w.leave()
			return err, nil
		}
		if c.needs.body != "BINARYMIME" {
			if ends.alone(chunk[clientChunkHead:][:n], last) {
				w.leave()
				return errClientBare, nil
			}
			if last && ends.inner { // as DATA ends it
				n += copy(chunk[clientChunkHead+n:], "\r\n")
			}
		}
		if err := w.write(chunk, n, last); err != nil || last {
			return nil, err
		}
	}
}

var errClientBare = refusal(554, "5.6.0", "Message has a CR or LF alone")

// fillChunk reads until p is full. Its error is msg's own: io.EOF is the end.
func fillChunk(msg io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = msg.Read(p[n:])
		n += m
	}
	return n, err
}

// write sends a chunk of n octets. The replies to all before it have come when the
// last one is sent in LMTP, where nobody could tell from each other the replies to
// a refused one and to it (RFC 2033 section 4.3); in SMTP when it is.
func (w *chunkWriter) write(chunk *clientChunk, n int, last bool) error {
	if last && w.c.lmtp {
		if err := w.await(0, false); err != nil {
			return err
		}
	}
	if err := w.await(w.window-1, false); err != nil {
		return err
	}
	var room [clientChunkHead]byte
	head := strconv.AppendInt(append(room[:0], "BDAT "...), int64(n), 10)
	if last {
		head = append(head, " LAST"...)
	}
	head = append(head, "\r\n"...)
	start := clientChunkHead - len(head)
	copy(chunk[start:], head)
	w.c.w.Write(chunk[start : clientChunkHead+n])
	if err := w.c.flush("message"); err != nil {
		return err
	}
	if last {
		return w.await(0, true)
	}
	w.pending++
	return nil
}

// await reads replies until no more than left are to come. A refusal is the
// message's: no chunk may follow it, those under way are refused too, and with them
// the last one, if it was sent.
func (w *chunkWriter) await(left int, lastSent bool) error {
	for w.pending > left {
		w.pending--
		r, err := w.c.reply("BDAT", w.c.replyIn)
		if err == nil {
			err = w.c.positive("BDAT", r)
		}
		if err != nil {
			w.leave()
			if lastSent {
				w.refuseLast()
			}
			return err
		}
	}
	return nil
}

// leave reads the replies to chunks that are of no more use.
func (w *chunkWriter) leave() {
	for ; w.pending > 0 && w.c.err == nil; w.pending-- {
		w.c.reply("BDAT", w.c.replyIn)
	}
}

// refuseLast reads the reply to a last chunk after one that was refused. Where it
// is a good one nobody knows what the server has made of the message.
func (w *chunkWriter) refuseLast() {
	if w.c.err != nil {
		return
	}
	if r, err := w.c.reply("BDAT LAST", w.c.resultIn); err == nil && r.code/100 < 4 {
		w.c.unexpected("BDAT LAST", r)
	}
}

// lineEnds checks that the lines of a message end with CRLF, and that there is no
// CR or LF beside.
type lineEnds struct {
	cr    bool // the last octet was CR
	inner bool // not at the start of a line
}

// alone reports whether p, which goes on from the octets before it, has a CR or LF
// alone.
func (e *lineEnds) alone(p []byte, last bool) bool {
	crs := bytes.Count(p, []byte{'\r'})
	if e.cr {
		crs++
	}
	after := e.cr // the octet before p[i] is CR
	for i := 0; ; i++ {
		j := bytes.IndexByte(p[i:], '\n')
		if j < 0 {
			break
		}
		if i += j; i > 0 {
			after = p[i-1] == '\r'
		}
		if !after {
			return true
		}
		crs--
	}
	if len(p) > 0 {
		end := p[len(p)-1]
		e.cr, e.inner = end == '\r', end != '\n'
	}
	if e.cr && !last {
		crs--
	}
	return crs != 0
}
