package mbox

// Format is how the messages of a file are told apart.
type Format uint8

// The formats; their usual names are mboxrd, mboxo, mboxcl and mboxcl2.
const (
	RD  Format = iota // quotes lines of ">"s and "From ", and takes it off again
	O                 // quotes "From ", for good
	CL                // as RD, with a Content-Length that nobody needs
	CL2               // nothing is quoted: the Content-Length tells where a message ends
)

// String returns the usual name.
func (f Format) String() string {
	switch f {
	case RD:
		return "mboxrd"
	case O:
		return "mboxo"
	case CL:
		return "mboxcl"
	case CL2:
		return "mboxcl2"
	}
	return "no mbox format"
}

func (f Format) isKnown() bool { return f <= CL2 }

// hasLengths says that a message has a Content-Length.
func (f Format) hasLengths() bool { return f == CL || f == CL2 }

// fields are those that no message keeps.
func (f Format) fields() fieldSet {
	if f.hasLengths() {
		return 1 << fieldContentLength
	}
	return 0
}

// rules are how messages are written. A header has no length, so that CL2 quotes
// there too.
func (f Format) rules() textRules {
	r := textRules{take: f.fields(), header: quoteAll, body: quoteAll}
	switch f {
	case O:
		r.header, r.body = quoteFrom, quoteFrom
	case CL2:
		r.header, r.body = quoteFrom, quoteNone
	}
	return r
}

// unquotes is what becomes of the lines of a message on the way back.
func (f Format) unquotes() change {
	if f == RD || f == CL {
		return unquote
	}
	return quoteNone
}
