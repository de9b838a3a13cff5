package mailtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SmugglingVector is what a client sends in the hope that one server takes a part
// of it for the end of the message, and another does not: what follows is a second
// message, "smuggled" past the first server in the name of whomever it trusts (SEC
// Consult, "SMTP Smuggling", 2023). RFC 5321 section 4.1.1.4 knows one end of data,
// CRLF.CRLF, and section 2.3.8 forbids CR and LF alone.
type SmugglingVector struct {
	Name  string // "LF.CRLF"
	About string
	Kind  SmugglingKind
	Needs string // the EHLO keyword of the extension that it is about, "" for none

	// Begin is the command that is sent first, after RCPT was accepted, and answered
	// 354: "DATA"; "" for none. Octets follow it. A second message in them is from
	// smuggler@example.org to <postmaster>, whom every server knows, has the subject
	// "smuggled", and comes with the end of data that ends all.
	Begin, Octets string

	// End is the part of Octets that is or is not an end, "" where there is none.
	End string
	// Text is the message, if the server takes it: without Begin, dots of transparency
	// and commands. For a FalseEnd it has CR or LF alone, if Octets have them.
	Text string
	// Replies is how many replies Octets may have at the most, with one recipient.
	Replies int
}

// SmugglingKind says what a server must make of a vector.
type SmugglingKind int

const (
	// FalseEnd must not end the message. The server may refuse it, hang up, or take it
	// whole; but not with a CR or LF alone in it: these it may only make CRLF, or the
	// next server is smuggled to.
	FalseEnd SmugglingKind = iota
	// TrueEnd must end the message: who waits for another end loses what follows.
	TrueEnd
	// Content looks like an end and is none. The server must take it as it is.
	Content
	// Confusion mixes up DATA, chunks (RFC 3030) and commands. The server must refuse
	// it or hang up, and must not run a message as commands nor take one for another.
	Confusion
)

// String is the kind's name.
func (k SmugglingKind) String() string {
	return [...]string{"FalseEnd", "TrueEnd", "Content", "Confusion"}[k]
}

// SmugglingVectors is the list, in a new slice. [TestSmuggling] runs it against a
// server, [TestSmugglingRelay] against a client.
func SmugglingVectors() []SmugglingVector {
	return slices.Concat(lineEnds(), oddEnds(), lookalikes(), chunkVectors())
}

const (
	firstText    = "Subject: first\r\n\r\nfirst"
	smuggledText = "Subject: smuggled\r\n\r\nsmuggled\r\n"
	smuggledMail = "MAIL FROM:<smuggler@example.org>\r\nRCPT TO:<postmaster>\r\nDATA\r\n" + smuggledText
	trueEnd      = "\r\n.\r\n"
)

// octetNames are how names of vectors spell what does not print.
var octetNames = strings.NewReplacer("\r", "CR", "\n", "LF", "\x00", "NUL", " ", "SP", "\t", "TAB", "\v", "VT", "\f", "FF", "\x1a", "SUB")

// nameEnd is the name of a vector with this end.
func nameEnd(end string) string {
	name := octetNames.Replace(end)
	if quoted := strconv.QuoteToASCII(name); quoted != `"`+name+`"` {
		return strings.Trim(quoted, `"`)
	}
	return name
}

// falseEnd is a message with end in the middle. text is what stands for end in what
// is received.
func falseEnd(end, text, about string) SmugglingVector {
	return SmugglingVector{
		Name:    nameEnd(end),
		About:   about,
		Begin:   "DATA",
		End:     end,
		Octets:  firstText + end + smuggledMail + ".\r\n",
		Text:    firstText + text + smuggledMail,
		Replies: 1,
	}
}

// trueEndOf is a message that ends with end.
func trueEndOf(end, text, about string) SmugglingVector {
	return SmugglingVector{
		Name:    nameEnd(end),
		About:   about,
		Kind:    TrueEnd,
		Begin:   "DATA",
		End:     end,
		Octets:  firstText + end + "NOOP\r\n",
		Text:    firstText + text,
		Replies: 2,
	}
}

// knownEnds is what is on record of some.
var knownEnds = map[string]string{
	"\n.\n":       "what Unix programs end a message with: many a server took it from any client",
	"\n.\r\n":     "Postfix, Sendmail and Exim took it for an end (CVE-2023-51764, -51765, -51766)",
	"\r\n.\n":     "the end of a line reader that drops CR before LF, if there is one",
	"\r\n.\r":     "the end of a reader that looks at CR only",
	"\r.\r":       "SEC Consult 2023: a gateway made each CR a CRLF, and so an end of it",
	"\r\r\n.\r\n": "an end, after a CR alone that must not hide it",
	trueEnd:       "the end",
}

// lineEnds are all pairs of what someone may take for the end of a line.
func lineEnds() []SmugglingVector {
	ends := []string{"\n", "\r", "\r\n", "\n\r", "\n\n", "\r\r", "\r\r\n", "\r\n\r", "\n\r\n"}
	var vectors []SmugglingVector
	for _, before := range ends {
		for _, after := range ends {
			end := before + "." + after
			about := knownEnds[end]
			switch i := strings.Index(end, trueEnd); {
			case i < 0:
				if about == "" {
					about = "a dot between line ends of the wrong kind"
				}
				text := end
				if strings.HasSuffix(before, "\r\n") {
					text = before + after // the dot is one of transparency
				}
				vectors = append(vectors, falseEnd(end, text, about))
			case i+len(trueEnd) == len(end):
				if about == "" {
					about = "an end, after CR or LF alone that must not hide it"
				}
				vectors = append(vectors, trueEndOf(end, before, about))
			}
		}
	}
	return vectors
}

// oddEnds are false ends with something in them that a reader may drop, or take
// for something else.
func oddEnds() []SmugglingVector {
	var vectors []SmugglingVector
	add := func(about string, ends ...string) {
		for _, end := range ends {
			text := end
			if strings.HasPrefix(end, "\r\n.") {
				text = "\r\n" + end[3:]
			}
			vectors = append(vectors, falseEnd(end, text, about))
		}
	}
	add("an end to a reader that drops NUL, as strings in C do",
		"\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\x00\n.\r\x00\n", "\r\n.\r\x00\n", "\n.\x00\r\n", "\r\n.\x00\n")
	add("an end to a reader that trims white space", "\r\n. \r\n", "\r\n.\t\r\n", "\r\n .\r\n", "\r\n.\v\r\n", "\r\n.\f\r\n", "\r\n. \n", "\n. \r\n")
	add("an end to a reader of CP/M files", "\r\n.\x1a\r\n")
	add("an end to a reader that takes the dots of transparency out first", "\n..\n", "\n..\r\n", "\r..\r", "\r\n..\n", "\r\n..\r", "\r\n.\r.\r\n", "\r\n.\n.\n")
	add("an end to a reader that clears the eighth bit", "\x8d\x8a\xae\x8d\x8a", "\r\n\xae\r\n", "\x8d\n.\x8d\n")
	add("an end to a reader that knows the line ends of Unicode", "\u0085.\u0085", "\u2028.\u2028", "\r\n\uff0e\r\n", "\x85.\x85")
	for _, end := range []string{".\n", ".\r", ".\x00\r\n", ". \r\n"} { // with nothing before
		v := falseEnd(end, end[1:], "a false end at the start of the message")
		v.Name += " at the start"
		v.Octets, v.Text = strings.TrimPrefix(v.Octets, firstText), strings.TrimPrefix(v.Text, firstText)
		vectors = append(vectors, v)
	}
	return vectors
}

// lookalikes are legal.
func lookalikes() []SmugglingVector {
	var vectors []SmugglingVector
	add := func(about, end, text string) {
		v := falseEnd(end, text, about)
		v.Kind = Content
		vectors = append(vectors, v)
	}
	add("a line of one dot, as transparency has it", "\r\n..\r\n", "\r\n.\r\n")
	add("a line of two dots", "\r\n...\r\n", "\r\n..\r\n")
	add("a dot that nobody need have doubled", "\r\n.x\r\n", "\r\nx\r\n")
	add("a dot at the end of a line", "\r\nx.\r\n", "\r\nx.\r\n")
	add("a dot after white space", "\r\n\t.x\r\n", "\r\n\t.x\r\n")
	add("empty lines around a dot", "\r\n\r\n..\r\n\r\n", "\r\n\r\n.\r\n\r\n")
	add("a command of its own", "\r\nBDAT 10 LAST\r\n", "\r\nBDAT 10 LAST\r\n")
	add("QUIT", "\r\nQUIT\r\n", "\r\nQUIT\r\n")
	v := falseEnd("..\r\n", ".\r\n", "a line of one dot at the start of the message")
	v.Kind = Content
	v.Name += " at the start"
	v.Octets, v.Text = strings.TrimPrefix(v.Octets, firstText), strings.TrimPrefix(v.Text, firstText)
	empty := trueEndOf(".\r\n", "", "an empty message")
	empty.Name += " at the start"
	empty.Octets, empty.Text = strings.TrimPrefix(empty.Octets, firstText), ""
	return append(vectors, v, empty)
}

// chunk is a BDAT command and its chunk.
func chunk(text, last string) string { return fmt.Sprintf("BDAT %d%s\r\n%s", len(text), last, text) }

// chunkVectors are about CHUNKING: RFC 3030.
func chunkVectors() []SmugglingVector {
	const first = firstText + "\r\n"
	all := first + ".\r\n" + smuggledMail + ".\r\n"
	bare := first + ".\n" + smuggledMail
	vectors := []SmugglingVector{
		{Name: "end in a chunk", About: "an end of data is none in a chunk", Kind: Content, Octets: chunk(all, " LAST"), End: trueEnd, Text: all, Replies: 1},
		{Name: "CRLF across chunks", About: "a line end that two chunks share is one", Kind: Content,
			Octets: chunk(firstText+"\r", "") + chunk("\n.\r\n", " LAST"), Text: first + ".\r\n", Replies: 2},
		{Name: "last chunk of nothing", About: "an empty chunk ends the message", Kind: Content, Octets: chunk(first, "") + chunk("", " LAST"), Text: first, Replies: 2},
		{Name: "LF alone in a chunk", About: "a chunk makes LF alone no more legal, unless it is BINARYMIME", Octets: chunk(bare, " LAST"), End: "\r\n.\n", Text: bare, Replies: 1},
		{Name: "DATA after a chunk", About: "DATA does not mix with BDAT (RFC 3030 section 3)", Octets: chunk(first, "") + "DATA\r\n", Replies: 2},
		{Name: "chunk outside of a transaction", About: "a chunk that is refused is a chunk all the same", Octets: "RSET\r\n" + chunk(smuggledMail+".\r\n", " LAST"), Replies: 2},
		{Name: "chunk of a word too many", About: "a chunk of a malformed command is a chunk all the same", Octets: chunk(smuggledMail+".\r\n", " LAST NOW"), Replies: 1},
	}
	for _, size := range []struct{ name, text, about string }{
		{"2^32 and more", strconv.Itoa(1<<32 + len(first)), "a size that wraps in 32 bits"},
		{"2^64 and more", "184467440737095516" + strconv.Itoa(16+len(first)), "a size that wraps in 64 bits"},
		{"a negative size", "-1", "a size below zero"},
		{"a hexadecimal size", fmt.Sprintf("%#x", len(first)), "a size that one reads as hexadecimal, another as zero"},
		{"a size with a sign", "+" + strconv.Itoa(len(first)), "a size that one reads and another refuses"},
		{"no size", "LAST", "no size at all"},
	} {
		vectors = append(vectors, SmugglingVector{Name: "chunk of " + size.name, About: size.about, Kind: Confusion,
			Octets: "BDAT " + size.text + " LAST\r\n" + first + smuggledMail + ".\r\n", Replies: 1})
	}
	for i := range vectors {
		v := &vectors[i]
		v.Needs = "CHUNKING"
		if v.Text == "" {
			v.Kind = Confusion
		}
	}
	return vectors
}
