package dns

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
)

// maxTTL is the largest there is (RFC 2181 section 8).
const maxTTL = math.MaxInt32 * time.Second

var (
	errNotOurs = errors.New("reply to another query")
	errBadName = errors.New("reply with a name that is none")
	errAliases = errors.New("too many aliases")
)

// reply is what one message of a server says to one question.
type reply struct {
	rcode     dnsmessage.RCode
	truncated bool
	authentic bool
	lame      bool // a referral: the server is no recursive one
	aliases   map[string]alias
	records   []record
}

type alias struct {
	target string
	ttl    time.Duration
}

type record struct {
	owner string
	bad   bool // it names what cannot be shown or written
	mailparts.Record
}

// parse reads the reply to q. errNotOurs means that msg is none, any other error
// that it is one which cannot be read.
func parse(msg []byte, id uint16, q question) (*reply, error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil || h.ID != id || !h.Response || h.OpCode != 0 {
		return nil, errNotOurs
	}
	questions, err := p.AllQuestions()
	if err != nil || !echoes(questions, q, h.RCode) {
		return nil, errNotOurs
	}
	r := &reply{
		rcode:     h.RCode,
		truncated: h.Truncated,
		authentic: h.AuthenticData,
		aliases:   map[string]alias{},
	}
	if r.truncated {
		return r, nil
	}
	for {
		rec, err := p.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err == nil {
			err = r.add(&p, rec, q.typ)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMalformed, err)
		}
	}
	r.lame = r.rcode == dnsmessage.RCodeSuccess && !h.Authoritative && !h.RecursionAvailable &&
		len(r.records) == 0 && len(r.aliases) == 0
	return r, nil
}

// echoes reports whether a reply with these questions answers q. Only a server
// that could not read the query may leave it out.
func echoes(questions []dnsmessage.Question, q question, rcode dnsmessage.RCode) bool {
	if len(questions) == 0 {
		return rcode == dnsmessage.RCodeFormatError
	}
	name, _ := text(questions[0].Name)
	return len(questions) == 1 && name == q.name && questions[0].Type == q.typ &&
		questions[0].Class == dnsmessage.ClassINET
}

// add takes the record that p stands at, if it is of use.
func (r *reply) add(p *dnsmessage.Parser, h dnsmessage.ResourceHeader, typ dnsmessage.Type) error {
	owner, _ := text(h.Name)
	ttl := time.Duration(h.TTL) * time.Second
	if ttl > maxTTL { // RFC 2181 section 8
		ttl = 0
	}
	switch {
	case h.Class == dnsmessage.ClassINET && h.Type == typ:
		rec := record{owner: owner, Record: mailparts.Record{TTL: ttl}}
		if err := rec.decode(p, h); err != nil {
			return err
		}
		r.records = append(r.records, rec)
		return nil
	case h.Class == dnsmessage.ClassINET && h.Type == dnsmessage.TypeCNAME:
		cname, err := p.CNAMEResource()
		if err != nil {
			return err
		}
		if _, ok := r.aliases[owner]; !ok {
			target, _ := text(cname.CNAME)
			r.aliases[owner] = alias{target, ttl}
		}
		return nil
	}
	return p.SkipAnswer()
}

func (rec *record) decode(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) error {
	target := func(n dnsmessage.Name) {
		name, ok := text(n)
		rec.Name, rec.bad = name, !ok
	}
	switch h.Type {
	case dnsmessage.TypeMX:
		r, err := p.MXResource()
		rec.Preference = r.Pref
		target(r.MX)
		return err
	case dnsmessage.TypePTR:
		r, err := p.PTRResource()
		target(r.PTR)
		return err
	case dnsmessage.TypeCNAME:
		r, err := p.CNAMEResource()
		target(r.CNAME)
		return err
	case dnsmessage.TypeTXT:
		r, err := p.TXTResource()
		rec.Text = r.TXT
		return err
	}
	r, err := p.UnknownResource()
	if err != nil || h.Type != dnsmessage.TypeA && h.Type != dnsmessage.TypeAAAA {
		rec.Data = r.Data
		return err
	}
	addr, ok := netip.AddrFromSlice(r.Data)
	if rec.Addr = addr; !ok || addr.Is4() != (h.Type == dnsmessage.TypeA) {
		return errMalformed
	}
	return nil
}

// chain is the way from the name that was asked for to the one that has records.
type chain struct {
	name    string
	aliases int
	ttl     time.Duration // the smallest so far
}

// follow goes along r's aliases as far as they lead and returns the records
// there.
func (c *chain) follow(r *reply) ([]mailparts.Record, error) {
	for {
		records, err := c.recordsHere(r)
		next, ok := r.aliases[c.name]
		if err != nil || len(records) > 0 || !ok {
			return records, err
		}
		if c.aliases++; c.aliases > maxAliases {
			return nil, errAliases
		}
		if next.target == "" || malformed(next.target) != "" {
			return nil, errBadName
		}
		c.name, c.ttl = next.target, min(c.ttl, next.ttl)
	}
}

// recordsHere is r's records of c.name. It passes over bad ones, but where there
// are no others that is an error: none is not what the DNS said.
func (c *chain) recordsHere(r *reply) ([]mailparts.Record, error) {
	var bad bool
	var records []mailparts.Record
	for _, rec := range r.records {
		if rec.owner != c.name {
			continue
		}
		if bad = bad || rec.bad; !rec.bad {
			rec.TTL = min(rec.TTL, c.ttl)
			records = append(records, rec.Record)
		}
	}
	if bad && len(records) == 0 {
		return nil, errBadName
	}
	return records, nil
}
