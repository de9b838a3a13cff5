package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// record is a line of the log: exactly one of Put, Set and End.
type record struct {
	Put  []entry `json:"put,omitempty"`  // the entries of the message that follows
	Size int64   `json:"size,omitempty"` // of its content, in octets
	Sum  uint32  `json:"sum,omitempty"`  // of its content, CRC-32C
	Big  string  `json:"big,omitempty"`  // the file in big/ that holds it, "": it follows the line
	Set  *entry  `json:"set,omitempty"`  // an entry's new state
	End  string  `json:"end,omitempty"`  // the ID of a finished entry
}

// inline is how many octets of content follow the line.
func (r *record) inline() int64 {
	if r.Put == nil || r.Big != "" {
		return 0
	}
	return r.Size
}

// entry is Entry as it stands in the log: what is zero is left out.
type entry struct {
	ID       string    `json:"id"`
	Dest     string    `json:"dest,omitempty"`
	To       []rcpt    `json:"to"`
	Env      envelope  `json:"env"`
	Queued   time.Time `json:"queued,omitzero"`
	Due      time.Time `json:"due,omitzero"`
	Held     bool      `json:"held,omitempty"`
	Attempts int       `json:"attempts,omitempty"`
	Last     []string  `json:"last,omitempty"`
	Warned   bool      `json:"warned,omitempty"`
}

// envelope and rcpt have the fields of their namesakes, or the conversions below
// do not compile.
type envelope struct {
	ID         string             `json:"id,omitempty"`
	From       mailparts.Address  `json:"from"`
	To         []mailparts.Rcpt   `json:"-"`
	Size       int64              `json:"size,omitempty"`
	Body       string             `json:"body,omitempty"`
	UTF8       bool               `json:"utf8,omitempty"`
	RequireTLS bool               `json:"requiretls,omitempty"`
	Ret        string             `json:"ret,omitempty"`
	EnvID      string             `json:"envid,omitempty"`
	AuthSender *mailparts.Address `json:"auth,omitempty"`
	Priority   int                `json:"priority,omitempty"`
	Hold       time.Time          `json:"hold,omitzero"`
	By         mailparts.Deadline `json:"by,omitzero"`
	Peer       *mailparts.Peer    `json:"peer,omitempty"`
	Attrs      map[string]string  `json:"attrs,omitempty"`
}

type rcpt struct {
	Addr          mailparts.Address `json:"addr"`
	Notify        mailparts.Notify  `json:"notify,omitempty"`
	ORcpt         string            `json:"orcpt,omitempty"`
	Since         time.Time         `json:"since,omitzero"`
	SinceOptional bool              `json:"sinceoptional,omitempty"`
}

func newEntry(e *Entry) entry {
	to := make([]rcpt, len(e.Env.To))
	for i, r := range e.Env.To {
		to[i] = rcpt(r)
	}
	return entry{e.ID, e.Dest, to, envelope(e.Env), e.Queued, e.Due, e.Held, e.Attempts, e.Last, e.Warned}
}

func (e *entry) entry() *Entry {
	env := mailparts.Envelope(e.Env)
	env.To = make([]mailparts.Rcpt, len(e.To))
	for i, r := range e.To {
		env.To[i] = mailparts.Rcpt(r)
	}
	return &Entry{e.ID, e.Dest, env, e.Queued, e.Due, e.Held, e.Attempts, e.Last, e.Warned}
}

// find returns the state of entry id that the record holds, or nil.
func (r *record) find(id string) *entry {
	if r.Set != nil && r.Set.ID == id {
		return r.Set
	}
	for i := range r.Put {
		if r.Put[i].ID == id {
			return &r.Put[i]
		}
	}
	return nil
}

// A line is the spool's mark, the CRC-32C of the JSON in hexadecimal, and the
// JSON, with one space between them. The mark is random, so that no message can
// hold a record that a search behind a broken range would find.
const (
	markSize = 16
	headSize = markSize + 1 + 8 + 1
	maxLine  = 16 << 20 // a message to some 40,000 destinations
)

var errLine = errors.New("queue: broken record")

// appendLine appends r as a line with its LF.
func appendLine(b []byte, mark string, r *record) ([]byte, error) {
	start := len(b)
	buf := bytes.NewBuffer(append(b, mark+" 00000000 "...))
	enc := json.NewEncoder(buf) // ends the line
	enc.SetEscapeHTML(false)    // legible: addresses have angle brackets
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	b = buf.Bytes()
	if len(b)-start > maxLine {
		return nil, errors.New("queue: too many entries for one message")
	}
	hex.Encode(b[start+markSize+1:], sumOf(b[start+headSize:len(b)-1]))
	return b, nil
}

// parseLine is the inverse of appendLine: line ends with its LF.
func parseLine(line []byte, mark string) (*record, error) {
	if !isLine(line, mark) || line[len(line)-1] != '\n' {
		return nil, errLine
	}
	text := line[headSize : len(line)-1]
	sum, err := hex.DecodeString(string(line[markSize+1 : headSize-1]))
	if err != nil || !bytes.Equal(sum, sumOf(text)) {
		return nil, errLine
	}
	r := new(record)
	if err := json.Unmarshal(text, r); err != nil || !r.valid() {
		return nil, errLine
	}
	return r, nil
}

// valid reports whether r can be one of ours.
func (r *record) valid() bool {
	kinds := 0
	for _, is := range []bool{r.Put != nil, r.Set != nil, r.End != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 || r.Put != nil && len(r.Put) == 0 {
		return false
	}
	return r.Size >= 0 && r.inline() <= maxInline && !strings.ContainsAny(r.Big, "/\x00") && r.Big != "." && r.Big != ".."
}

// isLine reports whether b begins as a line does.
func isLine(b []byte, mark string) bool {
	return len(b) > headSize && string(b[:markSize]) == mark && b[markSize] == ' ' && b[headSize-1] == ' '
}

func sumOf(b []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli)) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
