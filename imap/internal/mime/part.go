package mime

import "strings"

// Range is a stretch of a message's octets.
type Range struct{ Offset, Size int64 }

// End is the offset of the octet after the last.
func (r Range) End() int64 { return r.Offset + r.Size }

// Part is an entity of a message: the message itself, or what is in it. Octets are
// those of the stored message with CRLF line ends.
type Part struct {
	Header      Range // with the empty line at its end, if there is one
	Body        Range // without the CRLF that belongs to a delimiter after it
	HeaderLines int64 // line ends in Header
	Lines       int64 // line ends in Body

	Type, Subtype string // as spelled by the sender; never empty
	Params        []Param

	// Values without folding and comments, empty if there are none.
	ID, MD5, Location string
	Description       string // text of RFC 2047
	Encoding          string // content-transfer-encoding; "7bit" if there is none
	Disposition       string
	DispositionParams []Param
	Language          []string

	Envelope *Envelope // of a message: the outermost Part, and the child of a message/rfc822
	Children []*Part   // a multipart has one at least, a message/rfc822 its message

	lead      []byte // the first octets of leadPart's body, in the outermost Part
	leadPart  *Part
	leadWhole bool
	eightBit  bool // some value is beyond US-ASCII, in the outermost Part
	common    []byte
	allCommon bool // common is all of the commonFields, as they stand, in the outermost Part
}

// Param is a parameter of a Content-Type or Content-Disposition. The pieces of RFC
// 2231 section 3 are joined under one name, which ends in "*" if the value is encoded
// (section 4); [Lookup] decodes it.
type Param struct{ Name, Value string }

// Is reports whether the part is of a type, both words in lower case.
func (p *Part) Is(typ, subtype string) bool {
	return strings.EqualFold(p.Type, typ) && strings.EqualFold(p.Subtype, subtype)
}

// IsText reports whether the part is of type text.
func (p *Part) IsText() bool { return strings.EqualFold(p.Type, "text") }

// IsMultipart reports whether the part has its Children side by side.
func (p *Part) IsMultipart() bool { return strings.EqualFold(p.Type, "multipart") }

// IsMessage reports whether the part is a message/rfc822 or, by RFC 6532, a
// message/global, which has a message for its one child.
func (p *Part) IsMessage() bool {
	return strings.EqualFold(p.Type, "message") && (strings.EqualFold(p.Subtype, "rfc822") || strings.EqualFold(p.Subtype, "global"))
}

// Charset is what the part says that its text is written in, US-ASCII if nothing.
func (p *Part) Charset() string {
	if cs, ok := Lookup(p.Params, "charset"); ok && cs != "" {
		return cs
	}
	return "us-ascii"
}

// setContent takes the values of an entity's Content fields.
func (p *Part) setContent(v *values, digest bool) {
	typ, params, ok := parseParams(v.get(fieldContentType))
	p.Type, p.Subtype, _ = strings.Cut(typ, "/")
	switch {
	case ok && p.Type != "" && p.Subtype != "":
		p.Params = params
	case digest:
		p.Type, p.Subtype = "message", "rfc822"
	default:
		p.Type, p.Subtype = "text", "plain"
	}
	if _, ok := Lookup(p.Params, "charset"); !ok && p.IsText() {
		p.Params = append(p.Params, Param{"charset", "us-ascii"})
	}
	p.ID = v.get(fieldContentID)
	p.Description = v.get(fieldContentDescription)
	p.MD5 = v.get(fieldContentMD5)
	p.Location = v.get(fieldContentLocation)
	if p.Encoding = firstToken(v.get(fieldContentEncoding)); p.Encoding == "" {
		p.Encoding = "7bit"
	}
	if d, params, ok := parseParams(v.get(fieldContentDisposition)); ok && d != "" {
		p.Disposition, p.DispositionParams = d, params
	}
	p.Language = tokens(v.get(fieldContentLanguage))
}

// makeOpaque is for what nests too deep: nobody is told of a structure in it.
func (p *Part) makeOpaque() { p.Type, p.Subtype, p.Params = "application", "octet-stream", nil }

// needsChild reports whether a part has to have a child, and has none.
func (p *Part) needsChild() bool { return len(p.Children) == 0 && (p.IsMultipart() || p.IsMessage()) }

// addEmptyChild gives it an empty one, which RFC 9051 section 9 (body-type-mpart and
// body-type-msg) requires. Dovecot does the same.
func (p *Part) addEmptyChild() {
	c := &Part{Header: Range{Offset: p.Body.Offset}, Body: Range{Offset: p.Body.Offset}}
	c.setContent(new(values), false)
	if p.IsMessage() {
		c.Envelope = new(Envelope)
	}
	p.Children = append(p.Children, c)
}
