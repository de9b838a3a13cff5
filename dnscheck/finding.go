package dnscheck

import (
	"fmt"
	"net/netip"
)

// Severity says how much a finding matters.
type Severity int

const (
	Info    Severity = iota + 1 // as it may be
	Warning                     // some servers will refuse or delay mail for it
	Error                       // mail is lost or refused for it, or may be
)

var severityNames = map[Severity]string{Info: "info", Warning: "warning", Error: "error"}

// String is "info", "warning" or "error".
func (s Severity) String() string { return severityNames[s] }

// MarshalText is String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Severity) UnmarshalText(text []byte) error {
	for severity, name := range severityNames {
		if name == string(text) {
			*s = severity
			return nil
		}
	}
	return fmt.Errorf("dnscheck: unknown severity %q", text)
}

// Code names a kind of finding, for programs. It is stable.
type Code string

// The codes, as the package comment explains them.
const (
	NoDomain       Code = "no-domain"
	NullMX         Code = "null-mx"
	NullMXBeside   Code = "null-mx-beside"
	NoMX           Code = "no-mx"
	MXAlias        Code = "mx-alias"
	MXLiteral      Code = "mx-literal"
	MXNoAddress    Code = "mx-no-address"
	PrivateAddress Code = "private-address"
	NoPTR          Code = "no-ptr"
	PTRMismatch    Code = "ptr-mismatch"
	Unreachable    Code = "unreachable"
	Timeout        Code = "timeout"
	Not220         Code = "not-220"
	GreetingName   Code = "greeting-name"
	LookupFailed   Code = "lookup-failed"
	NotChecked     Code = "not-checked"
)

// Finding is one thing to know about a domain.
type Finding struct {
	Severity  Severity   `json:"severity"`
	Code      Code       `json:"code"`
	Host      string     `json:"host,omitempty"` // the MX that it is about; "": the domain
	Addr      netip.Addr `json:"addr,omitzero"`  // the address of Host; zero: Host itself
	Text      string     `json:"text"`           // a sentence
	Reference string     `json:"reference,omitempty"`
}

// rules are the severity and the reference of each code.
var rules = map[Code]struct {
	severity  Severity
	reference string
}{
	NoDomain:       {Error, "RFC 5321 section 5.1"},
	NullMX:         {Info, "RFC 7505 section 3"},
	NullMXBeside:   {Error, "RFC 7505 section 3"},
	NoMX:           {Info, "RFC 5321 section 5.1"},
	MXAlias:        {Error, "RFC 5321 section 5.1, RFC 2181 section 10.3"},
	MXLiteral:      {Error, "RFC 5321 section 5.1"},
	MXNoAddress:    {Error, "RFC 5321 section 5.1"},
	PrivateAddress: {Error, "RFC 6890 section 2.2"},
	NoPTR:          {Warning, "RFC 1912 section 2.1"},
	PTRMismatch:    {Warning, "RFC 8601 section 3"},
	Unreachable:    {Error, "RFC 5321 section 5.1"},
	Timeout:        {Error, "RFC 5321 section 4.5.3.2.1"},
	Not220:         {Error, "RFC 5321 section 4.3.1"},
	GreetingName:   {Warning, "RFC 5321 section 4.3.1"},
	LookupFailed:   {Warning, "RFC 5321 section 5.1"},
	NotChecked:     {Info, ""},
}

// subject collects the findings about one host, or one address of it.
type subject struct {
	host     string
	addr     netip.Addr
	findings []Finding
}

func (s *subject) find(code Code, format string, args ...any) {
	s.findings = append(s.findings, Finding{
		Severity: rules[code].severity, Code: code, Host: s.host, Addr: s.addr,
		Text: fmt.Sprintf(format, args...), Reference: rules[code].reference,
	})
}
