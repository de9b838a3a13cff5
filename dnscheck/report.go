package dnscheck

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Report is what was found about a domain. It is plain data, also as JSON.
type Report struct {
	Domain   string    `json:"domain"`             // lower case, no final dot
	Implicit bool      `json:"implicit,omitempty"` // it has no MX record: MX is the domain itself
	MX       []Host    `json:"mx,omitempty"`       // by preference
	Findings []Finding `json:"findings,omitempty"` // about the domain, then host by host
}

// Host is one MX of a domain.
type Host struct {
	Name       string    `json:"name"`
	Preference uint16    `json:"preference"`
	Alias      string    `json:"alias,omitempty"` // what Name is an alias of, as it must not be
	Addrs      []Address `json:"addrs,omitempty"` // IPv6 first
}

// Address is one address of a Host.
type Address struct {
	Addr      netip.Addr `json:"addr"`
	PTR       []string   `json:"ptr,omitempty"`       // its names in the reverse zone
	Confirmed bool       `json:"confirmed,omitempty"` // one of PTR has this address
	Greeting  string     `json:"greeting,omitempty"`  // what follows 220; not ASCII: "?"
}

// sortHosts puts hosts in order, the same one each time. One that is named twice
// has its first place only.
func sortHosts(hosts []Host) []Host {
	slices.SortFunc(hosts, func(a, b Host) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Name, b.Name))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(hosts, func(h Host) bool {
		again := seen[h.Name]
		seen[h.Name] = true
		return again
	})
}

// Worst is the greatest severity among the findings, 0 without any.
func (r *Report) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// String is the report for people: hosts and addresses with the findings below
// them.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.Domain)
	r.writeFindings(&b, "  ", "", netip.Addr{})
	for _, h := range r.MX {
		switch {
		case r.Implicit:
			fmt.Fprintf(&b, "  no MX: %s\n", h.Name)
		default:
			fmt.Fprintf(&b, "  MX %d %s\n", h.Preference, h.Name)
		}
		r.writeFindings(&b, "    ", h.Name, netip.Addr{})
		for _, a := range h.Addrs {
			fmt.Fprintf(&b, "    %s\n", a)
			r.writeFindings(&b, "      ", h.Name, a.Addr)
		}
	}
	b.WriteString(r.summary() + "\n")
	return b.String()
}

// WriteTo writes String to w.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, r.String())
	return int64(n), err
}

// String is one line: the address, its names, the greeting.
func (a Address) String() string {
	s := a.Addr.String()
	if len(a.PTR) > 0 {
		s += " is " + strings.Join(a.PTR, ", ")
	}
	if a.Greeting != "" {
		s += fmt.Sprintf(", says %q", a.Greeting)
	}
	return s
}

// String is one line: the severity, the sentence, the code and the reference.
func (f Finding) String() string {
	from := string(f.Code)
	if f.Reference != "" {
		from += ", " + f.Reference
	}
	return fmt.Sprintf("%s: %s (%s)", f.Severity, f.Text, from)
}

func (r *Report) writeFindings(b *strings.Builder, indent, host string, addr netip.Addr) {
	for _, f := range r.Findings {
		if f.Host == host && f.Addr == addr {
			fmt.Fprintf(b, "%s%s\n", indent, f)
		}
	}
}

func (r *Report) summary() string {
	counts := map[Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	if counts[Error]+counts[Warning] == 0 {
		return "clean"
	}
	return fmt.Sprintf("%s, %s", plural(counts[Error], "error"), plural(counts[Warning], "warning"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
