package mailtest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
)

var dnsTypes = map[string]mailparts.RRType{
	"A":     mailparts.TypeA,
	"AAAA":  mailparts.TypeAAAA,
	"CNAME": mailparts.TypeCNAME,
	"MX":    mailparts.TypeMX,
	"PTR":   mailparts.TypePTR,
	"TLSA":  mailparts.TypeTLSA,
	"TXT":   mailparts.TypeTXT,
}

// add reads one line: NAME [TTL] TYPE DATA, or one of the words that DNS's
// comment has. The caller holds d.mu.
func (d *DNS) add(line string) error {
	line = strings.TrimSpace(cutDNSComment(line))
	if line == "" {
		return nil
	}
	name, rest := cutWord(line)
	word, data := cutWord(rest)
	var ttl time.Duration
	if s, err := strconv.ParseUint(word, 10, 31); err == nil {
		ttl = time.Duration(s) * time.Second
		word, data = cutWord(data)
	}
	n := d.name(name)
	switch word = strings.ToUpper(word); word {
	case "SECURE":
		n.secure = true
		return nil
	case string(dnsServFail), string(dnsSilence):
		n.failures[dnsEveryType] = dnsFailure(word)
		return nil
	}
	typ, ok := dnsTypes[word]
	if !ok {
		return fmt.Errorf("unknown type %q", word)
	}
	switch f := dnsFailure(strings.ToUpper(data)); f {
	case dnsServFail, dnsSilence:
		n.failures[typ] = f
		return nil
	}
	rec, err := parseDNSData(typ, data)
	if err != nil {
		return err
	}
	rec.TTL = ttl
	r := dnsRecord{dnsOwner(name), typ, rec}
	if err := r.check(); err != nil {
		return err
	}
	n.records = append(n.records, r)
	return nil
}

// check refuses what has no form on the wire: bad names above all.
func (r dnsRecord) check() error {
	for _, name := range []string{r.owner, r.Name} {
		if _, err := dnsmessage.NewName(name + "."); err != nil {
			return err
		}
	}
	m := dnsmessage.Message{Answers: []dnsmessage.Resource{r.resource()}}
	_, err := m.Pack()
	return err
}

// dnsOwner is the name that a line is about: that of the reverse zone if it
// begins with an address.
func dnsOwner(name string) string {
	if addr, err := netip.ParseAddr(name); err == nil {
		return mailparts.ReverseName(addr)
	}
	return dnsKey(name)
}

func (d *DNS) name(name string) *dnsName {
	key := dnsOwner(name)
	if d.names == nil {
		d.names = map[string]*dnsName{}
	}
	if d.names[key] == nil {
		d.names[key] = &dnsName{failures: map[mailparts.RRType]dnsFailure{}}
	}
	return d.names[key]
}

func parseDNSData(typ mailparts.RRType, data string) (rec mailparts.Record, err error) {
	if data == "" {
		return rec, errors.New("no data")
	}
	switch typ {
	case mailparts.TypeA, mailparts.TypeAAAA:
		rec.Addr, err = netip.ParseAddr(data)
		if err == nil && rec.Addr.Is4() != (typ == mailparts.TypeA) {
			err = errors.New("address of the other family")
		}
	case mailparts.TypeCNAME, mailparts.TypePTR:
		rec.Name = dnsKey(data)
	case mailparts.TypeMX:
		pref, host := cutWord(data)
		var n uint64
		n, err = strconv.ParseUint(pref, 10, 16)
		rec.Preference, rec.Name = uint16(n), dnsKey(host)
		if err == nil && host == "" {
			err = errors.New("no host")
		}
	case mailparts.TypeTXT:
		rec.Text, err = parseDNSText(data)
	case mailparts.TypeTLSA:
		rec.Data, err = parseTLSA(data)
	}
	return rec, err
}

// parseDNSText reads quoted character-strings, or takes an unquoted rest for one;
// what is longer than 255 octets becomes several.
func parseDNSText(data string) ([]string, error) {
	if data[0] != '"' {
		return splitDNSText(nil, data), nil
	}
	var texts []string
	for data != "" {
		quoted, err := strconv.QuotedPrefix(data)
		if err != nil {
			return nil, err
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		texts = splitDNSText(texts, text)
		data = strings.TrimSpace(data[len(quoted):])
	}
	return texts, nil
}

func splitDNSText(texts []string, s string) []string {
	const limit = 255 // RFC 1035 section 3.3
	for len(s) > limit {
		texts, s = append(texts, s[:limit]), s[limit:]
	}
	return append(texts, s)
}

// parseTLSA reads the presentation format of RFC 6698 section 2.2.
func parseTLSA(data string) ([]byte, error) {
	fields := strings.Fields(data)
	if len(fields) < 4 {
		return nil, errors.New("a TLSA record has four fields")
	}
	var rdata []byte
	for _, f := range fields[:3] {
		n, err := strconv.ParseUint(f, 10, 8)
		if err != nil {
			return nil, err
		}
		rdata = append(rdata, byte(n))
	}
	cert, err := hex.DecodeString(strings.Join(fields[3:], ""))
	return append(rdata, cert...), err
}

// cutDNSComment cuts at a ";" outside of quotes.
func cutDNSComment(line string) string {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return line[:i]
			}
		}
	}
	return line
}

func cutWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}
