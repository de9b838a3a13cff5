package mbox

// Format is how the messages of a file are told apart.
type Format uint8

// The formats, by their usual names mboxrd, mboxo, mboxcl and mboxcl2.
const (
	RD  Format = iota // quotes lines of ">"s and "From ", and takes it off again
	O                 // quotes "From ", for good
	CL                // as RD, with a Content-Length
	CL2               // with a Content-Length, and nothing quoted
)

var formatNames = [...]string{"mboxrd", "mboxo", "mboxcl", "mboxcl2"}

// String returns the usual name.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return "no mbox format"
}

// measured says that a Content-Length tells where a message ends.
func (f Format) measured() bool { return f == CL || f == CL2 }

// quotes is how the format changes a line on the way out.
func (f Format) quotes() change { return [...]change{quoteAll, quoteFrom, quoteAll, quoteNone}[f] }

// unquotes is how it changes it back.
func (f Format) unquotes() change { return [...]change{unquote, quoteNone, unquote, quoteNone}[f] }
