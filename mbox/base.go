package mbox

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// base is what stands in the first message of a mailbox for all of it, as in Dovecot
// and UW-IMAP: its UIDVALIDITY, the last UID that was given out, and the keywords.
//
//	X-IMAPbase: 1795374077 0000000042 $Forwarded Work
//
// In a mailbox without mail it is the field X-IMAP of a message that is none.
type base struct {
	validity uint32
	last     uint32
	keywords []string
	pseudo   bool  // the message is none
	damaged  bool  // last is not there: a crash has left something else
	start    int64 // of the field in the file
	end      int64 // 0: there is no field
}

// baseDigits is how many digits each number has in a field that append has made.
const baseDigits = 10

// maxBase is how long the field may be.
const maxBase = 64 << 10

// baseOf is the base in a message, or false if there is none that can be believed.
func baseOf(f io.ReaderAt, m *span) (b base, ok bool, err error) {
	for _, id := range []int{fieldXIMAPbase, fieldXIMAP} {
		if at := &m.fields[id]; at.has() && !ok && err == nil {
			b, ok, err = readBase(f, at, id == fieldXIMAP)
		}
	}
	return b, ok, err
}

// readBase reads the field, or is false if it cannot be believed.
func readBase(f io.ReaderAt, at *field, pseudo bool) (b base, ok bool, err error) {
	if at.end-at.start > maxBase {
		return b, false, nil
	}
	text := make([]byte, at.end-at.start)
	if _, err := f.ReadAt(text, at.start); err != nil && err != io.EOF {
		return b, false, err
	}
	_, value, _ := bytes.Cut(text, []byte{':'})
	words := bytes.Fields(value)
	if len(words) < 1 {
		return b, false, nil
	}
	validity, err := strconv.ParseUint(string(words[0]), 10, 32)
	if err != nil || validity == 0 {
		return b, false, nil
	}
	b = base{validity: uint32(validity), pseudo: pseudo, start: at.start, end: at.end}
	if len(words) > 1 {
		last, err := strconv.ParseUint(string(words[1]), 10, 32)
		b.last, b.damaged = uint32(last), err != nil
		for _, w := range words[2:] {
			if isKeyword(string(w)) {
				b.keywords = append(b.keywords, string(w))
			}
		}
	}
	return b, true, nil
}

// lastDigits is where the last UID stands in a field that append has made, and its
// size.
func (b *base) lastDigits() (off int64, size int) {
	name := "X-IMAPbase: "
	if b.pseudo {
		name = "X-IMAP: "
	}
	return b.start + int64(len(name)+baseDigits+1), baseDigits
}

// append appends the field, with room for more keywords, or of the size of the one
// that is there if it fits.
func (b *base) append(to []byte) []byte {
	const room = 64
	name := "X-IMAPbase"
	if b.pseudo {
		name = "X-IMAP"
	}
	at := len(to)
	to = fmt.Appendf(to, "%s: %010d %010d", name, b.validity, b.last)
	for _, k := range b.keywords {
		to = append(append(to, ' '), k...)
	}
	size := int64(len(to) - at + room)
	if have := b.size() - 1; have >= int64(len(to)-at) {
		size = have
	}
	return append(to, strings.Repeat(" ", int(size)-(len(to)-at))+"\n"...)
}

const pseudoSubject = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"

// size is that of the field.
func (b *base) size() int64 { return b.end - b.start }

// fresh is b for another place.
func (b base) fresh(pseudo bool) base {
	b.pseudo, b.start, b.end = pseudo, 0, 0
	return b
}

// pseudoMessage is what UW-IMAP and Alpine write for an empty mailbox.
func pseudoMessage(b base, now time.Time) []byte {
	b = b.fresh(true)
	text := appendFrom(nil, "", now, time.Local)
	text = append(text, "Subject: "+pseudoSubject+"\n"...)
	text = b.append(text)
	return append(text, "Status: RO\n\n"+
		"This text is part of the internal format of your mail folder, and is not\n"+
		"a real message.  It is created automatically by the mail system software.\n"+
		"If deleted, important folder data will be lost, and it will be re-created\n"+
		"with the data reset to initial values.\n\n"...)
}
