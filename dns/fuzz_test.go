package dns_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
)

// echo is a connection on which every query is answered by its own ID and then
// rest, once.
type echo struct {
	net.Conn
	rest  []byte
	reply *bytes.Reader
}

func (e *echo) Write(query []byte) (int, error) {
	e.reply = bytes.NewReader(append(bytes.Clone(query[:2]), e.rest...))
	return len(query), nil
}

func (e *echo) Read(b []byte) (int, error) {
	n, err := e.reply.Read(b)
	if err != nil {
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}

func (e *echo) SetDeadline(time.Time) error { return nil }
func (e *echo) Close() error                { return nil }

// FuzzReply feeds the reader of replies all that may follow the right ID.
func FuzzReply(f *testing.F) {
	types := []mailparts.RRType{mailparts.TypeMX, mailparts.TypeA, mailparts.TypeAAAA, mailparts.TypeTXT, mailparts.TypePTR, mailparts.TypeTLSA, mailparts.TypeCNAME}
	for i, typ := range types {
		q := dnsmessage.Message{Questions: []dnsmessage.Question{{
			Name: dnsmessage.MustNewName("example.org."), Type: dnsmessage.Type(typ), Class: dnsmessage.ClassINET}}}
		name := dnsmessage.MustNewName("mx.example.org.")
		body := map[mailparts.RRType]dnsmessage.ResourceBody{
			mailparts.TypeMX:    &dnsmessage.MXResource{Pref: 10, MX: name},
			mailparts.TypeA:     &dnsmessage.AResource{},
			mailparts.TypeAAAA:  &dnsmessage.AAAAResource{},
			mailparts.TypeTXT:   &dnsmessage.TXTResource{TXT: []string{"a", "b"}},
			mailparts.TypePTR:   &dnsmessage.PTRResource{PTR: name},
			mailparts.TypeTLSA:  &dnsmessage.UnknownResource{Type: 52, Data: []byte{3, 1, 1}},
			mailparts.TypeCNAME: &dnsmessage.CNAMEResource{CNAME: name},
		}[typ]
		f.Add(uint8(i), reply(q, func(m *dnsmessage.Message) {
			m.Answers = []dnsmessage.Resource{{Header: header("example.org", 60), Body: body}}
		})[2:])
		f.Add(uint8(i), reply(q, withCNAME("example.org", "b.example"), withCNAME("b.example", "example.org"))[2:])
		f.Add(uint8(i), reply(q, withCNAME("example.org", "b.example"), func(m *dnsmessage.Message) {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header("b.example", 60), Body: body})
		})[2:])
		f.Add(uint8(i), reply(q, withRCode(dnsmessage.RCodeNameError))[2:])
	}
	f.Fuzz(func(t *testing.T, i uint8, rest []byte) {
		typ := types[int(i)%len(types)]
		c := &dns.Client{Servers: []string{"192.0.2.53"}, Dial: func(context.Context, string, string) (net.Conn, error) {
			return &echo{rest: rest}, nil
		}}
		ans, err := c.Lookup(t.Context(), "example.org", typ)
		if (err == nil) != (len(ans.Records) > 0) {
			t.Errorf("%d records and error %v", len(ans.Records), err)
		}
		for _, r := range ans.Records {
			if strings.ContainsFunc(r.Name, func(c rune) bool { return c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' }) || strings.HasSuffix(r.Name, ".") {
				t.Errorf("name %q", r.Name)
			}
			if r.TTL < 0 {
				t.Errorf("TTL %v", r.TTL)
			}
			switch typ {
			case mailparts.TypeA:
				if !r.Addr.Is4() {
					t.Errorf("address %v", r.Addr)
				}
			case mailparts.TypeAAAA:
				if !r.Addr.Is6() {
					t.Errorf("address %v", r.Addr)
				}
			}
		}
	})
}
