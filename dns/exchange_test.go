package dns_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
)

// script is a name server of the test's own: it sends these messages in reply to
// the nth query. None is silence.
type script func(n int, network string, q dnsmessage.Message) [][]byte

// client asks s through pipes, which keep the borders of messages as UDP does.
func (s script) client(t *testing.T) *dns.Client {
	n := 0
	return &dns.Client{Servers: []string{"192.0.2.53"}, Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		query := n
		n++
		go func() {
			defer theirs.Close()
			buf := make([]byte, 4096)
			size, err := theirs.Read(buf)
			if err != nil {
				return
			}
			buf = buf[:size]
			if network == "tcp" {
				buf = buf[2:]
			}
			var q dnsmessage.Message
			if err := q.Unpack(buf); err != nil {
				t.Errorf("query: %v", err)
			}
			for _, reply := range s(query, network, q) {
				if _, err := theirs.Write(reply); err != nil {
					return
				}
			}
			theirs.Read(buf) // until the client closes
		}()
		return ours, nil
	}}
}

// reply is a good reply to q, with changes.
func reply(q dnsmessage.Message, changes ...func(*dnsmessage.Message)) []byte {
	r := dnsmessage.Message{Header: q.Header, Questions: q.Questions}
	r.Response, r.RecursionAvailable, r.AuthenticData = true, true, false
	for _, change := range changes {
		change(&r)
	}
	b, err := r.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func header(owner string, ttl uint32) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(owner + "."), Class: dnsmessage.ClassINET, TTL: ttl}
}

func withMX(owner, host string) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header(owner, 60),
			Body: &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(host + ".")}})
	}
}

func withCNAME(owner, target string) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header(owner, 60),
			Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(target + ".")}})
	}
}

func withRCode(rcode dnsmessage.RCode) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) { m.RCode = rcode }
}

func frame(msg []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
}

// good is what every script below ends in, if the Lookup is to succeed.
func good(q dnsmessage.Message) []byte { return reply(q, withMX("example.org", "mx.example.org")) }

func TestReplies(t *testing.T) {
	const (
		found     = "mx.example.org"
		noRecords = "no such records"
		noDomain  = "no such domain"
		timeout   = "i/o timeout"
		malformed = "malformed reply"
	)
	class := func(c dnsmessage.Class) func(*dnsmessage.Message) {
		return func(m *dnsmessage.Message) { m.Answers[0].Header.Class = c }
	}
	for _, c := range []struct {
		what    string
		want    string // the host found, or a part of the error
		queries int    // 0: 1
		answer  script
	}{
		{what: "as it should be", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{good(q)}
		}},
		{what: "first another ID", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "evil.example"), func(m *dnsmessage.Message) { m.ID++ }), good(q)}
		}},
		{what: "first another name", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "evil.example"), func(m *dnsmessage.Message) {
				m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("example.com."), Type: dnsmessage.TypeMX, Class: dnsmessage.ClassINET}}
			}), good(q)}
		}},
		{what: "first another type", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, func(m *dnsmessage.Message) {
				m.Questions = []dnsmessage.Question{{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
			}), good(q)}
		}},
		{what: "first no question", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, func(m *dnsmessage.Message) { m.Questions = nil }), good(q)}
		}},
		{what: "first two questions", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), good(q)}
		}},
		{what: "first the query itself", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			b, _ := q.Pack()
			return [][]byte{b, good(q)}
		}},
		{what: "first garbage", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{{0}, make([]byte, 12), []byte(strings.Repeat("\xff", 600)), good(q)[:20], good(q)}
		}},
		{what: "the question in capitals", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "mx.example.org"), func(m *dnsmessage.Message) {
				m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("EXAMPLE.ORG."), Type: dnsmessage.TypeMX, Class: dnsmessage.ClassINET}}
			})}
		}},
		{what: "never ours", want: timeout, queries: 2, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "evil.example"), func(m *dnsmessage.Message) { m.ID++ })}
		}},
		{what: "silence", want: timeout, queries: 2, answer: func(int, string, dnsmessage.Message) [][]byte { return nil }},
		{what: "silence, then the reply", want: found, queries: 2, answer: func(n int, _ string, q dnsmessage.Message) [][]byte {
			if n == 0 {
				return nil
			}
			return [][]byte{good(q)}
		}},
		{what: "SERVFAIL, then the reply", want: found, queries: 2, answer: func(n int, _ string, q dnsmessage.Message) [][]byte {
			if n == 0 {
				return [][]byte{reply(q, withRCode(dnsmessage.RCodeServerFailure))}
			}
			return [][]byte{good(q)}
		}},
		{what: "REFUSED", want: "Refused", queries: 2, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withRCode(dnsmessage.RCodeRefused))}
		}},
		{what: "cut short inside", want: malformed, queries: 2, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			b := good(q)
			return [][]byte{b[:len(b)-5]}
		}},
		{what: "an answer too few", want: malformed, queries: 2, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			b := reply(q, withMX("example.org", "mx.example.org"), func(m *dnsmessage.Message) { m.Additionals = nil })
			b[7]++ // ANCOUNT
			return [][]byte{b}
		}},
		{what: "NXDOMAIN", want: noDomain, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withRCode(dnsmessage.RCodeNameError))}
		}},
		{what: "NODATA", want: noRecords, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q)}
		}},
		{what: "a referral is not NODATA", want: "neither knows", queries: 2, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, func(m *dnsmessage.Message) { m.RecursionAvailable = false })}
		}},
		{what: "records of another name are not NODATA", want: malformed, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.com", "evil.example"))}
		}},
		{what: "records of another class", want: noRecords, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "evil.example"), class(dnsmessage.ClassCHAOS))}
		}},
		{what: "a target that is no name", want: "a name that is none", answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "evil\r\n250 ok"))}
		}},
		{what: "a target that is no name, and a good one", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("example.org", "evil\x00"), withMX("example.org", "mx.example.org"))}
		}},
		{what: "aliases in any order", want: found, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withMX("c.example", "mx.example.org"), withCNAME("b.example", "c.example"), withCNAME("example.org", "b.example"))}
		}},
		{what: "an alias without its target", want: found, queries: 2, answer: func(n int, _ string, q dnsmessage.Message) [][]byte {
			if n == 0 {
				return [][]byte{reply(q, withCNAME("example.org", "b.example"))}
			}
			return [][]byte{reply(q, withMX("b.example", "mx.example.org"))}
		}},
		{what: "an alias that leads to NODATA", want: noRecords, queries: 2, answer: func(n int, _ string, q dnsmessage.Message) [][]byte {
			if n == 0 {
				return [][]byte{reply(q, withCNAME("example.org", "b.example"))}
			}
			return [][]byte{reply(q)}
		}},
		{what: "an alias that leads nowhere", want: noDomain, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withCNAME("example.org", "b.example"), withRCode(dnsmessage.RCodeNameError))}
		}},
		{what: "a loop of aliases", want: "too many aliases", answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withCNAME("example.org", "b.example"), withCNAME("b.example", "example.org"))}
		}},
		{what: "a loop of aliases, one a reply", want: "too many aliases", queries: 17, answer: func(n int, _ string, q dnsmessage.Message) [][]byte {
			name := strings.TrimSuffix(q.Questions[0].Name.String(), ".")
			return [][]byte{reply(q, withCNAME(name, fmt.Sprintf("%d.example", n%3)))}
		}},
		{what: "an alias of no name", want: "a name that is none", answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withCNAME("example.org", "a b.example"))}
		}},
		{what: "an alias of the root", want: "a name that is none", answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			return [][]byte{reply(q, withCNAME("example.org", ""))}
		}},
		{what: "a server without EDNS", want: found, queries: 2, answer: func(_ int, _ string, q dnsmessage.Message) [][]byte {
			if len(q.Additionals) > 0 {
				return [][]byte{reply(q, withRCode(dnsmessage.RCodeFormatError), func(m *dnsmessage.Message) { m.Questions = nil })}
			}
			return [][]byte{good(q)}
		}},
		{what: "truncated, then TCP", want: found, queries: 2, answer: func(_ int, network string, q dnsmessage.Message) [][]byte {
			if network == "udp" {
				return [][]byte{reply(q, withMX("example.org", "half.example"), func(m *dnsmessage.Message) { m.Truncated = true })}
			}
			return [][]byte{frame(good(q))}
		}},
		{what: "truncated by TCP too", want: malformed, queries: 4, answer: func(_ int, network string, q dnsmessage.Message) [][]byte {
			b := reply(q, func(m *dnsmessage.Message) { m.Truncated = true })
			if network == "tcp" {
				b = frame(b)
			}
			return [][]byte{b}
		}},
		{what: "truncated, and TCP cut short", want: "i/o timeout", queries: 4, answer: func(_ int, network string, q dnsmessage.Message) [][]byte {
			if network == "udp" {
				return [][]byte{reply(q, func(m *dnsmessage.Message) { m.Truncated = true })}
			}
			return [][]byte{frame(good(q))[:30]}
		}},
		{what: "truncated, and TCP of another ID", want: "another query", queries: 4, answer: func(_ int, network string, q dnsmessage.Message) [][]byte {
			if network == "udp" {
				return [][]byte{reply(q, func(m *dnsmessage.Message) { m.Truncated = true })}
			}
			return [][]byte{frame(reply(q, func(m *dnsmessage.Message) { m.ID++ }))}
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var queries atomic.Int32
				client := script(func(n int, network string, q dnsmessage.Message) [][]byte {
					queries.Add(1)
					return c.answer(n, network, q)
				}).client(t)
				ans, err := client.Lookup(t.Context(), "example.org", mailparts.TypeMX)
				got := fmt.Sprint(err)
				if err == nil && len(ans.Records) == 1 {
					got = ans.Records[0].Name
				}
				if !strings.Contains(got, c.want) || lasting(err) != (c.want == noRecords || c.want == noDomain) {
					t.Errorf("Lookup = %v, %v; want %s", ans.Records, err, c.want)
				}
				if n := int(queries.Load()); n != max(1, c.queries) {
					t.Errorf("%d queries, want %d", n, max(1, c.queries))
				}
			})
		})
	}
}

func TestBadAddresses(t *testing.T) {
	for _, size := range []int{0, 3, 5, 16} {
		synctest.Test(t, func(t *testing.T) {
			c := script(func(_ int, _ string, q dnsmessage.Message) [][]byte {
				return [][]byte{reply(q, func(m *dnsmessage.Message) {
					m.Answers = []dnsmessage.Resource{{Header: header("example.org", 0),
						Body: &dnsmessage.UnknownResource{Type: dnsmessage.TypeA, Data: make([]byte, size)}}}
				})}
			}).client(t)
			if ans, err := c.Lookup(t.Context(), "example.org", mailparts.TypeA); err == nil || lasting(err) {
				t.Errorf("an A record of %d octets: %v, %v", size, ans, err)
			}
		})
	}
}

// RFC 2181 section 8: a TTL with the top bit set is zero.
func TestHugeTTL(t *testing.T) {
	for ttl, want := range map[uint32]time.Duration{
		1<<31 - 1: (1<<31 - 1) * time.Second,
		1 << 31:   0,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := script(func(_ int, _ string, q dnsmessage.Message) [][]byte {
				return [][]byte{reply(q, withMX("example.org", "mx.example.org"), func(m *dnsmessage.Message) { m.Answers[0].Header.TTL = ttl })}
			}).client(t)
			ans, err := c.Lookup(t.Context(), "example.org", mailparts.TypeMX)
			if err != nil || ans.Records[0].TTL != want {
				t.Errorf("TTL %d: %v, %v", ttl, ans.Records, err)
			}
		})
	}
}

func TestQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := map[uint16]bool{}
		c := script(func(_ int, _ string, q dnsmessage.Message) [][]byte {
			ids[q.ID] = true
			if !q.RecursionDesired || !q.AuthenticData || q.CheckingDisabled || q.Response || len(q.Questions) != 1 ||
				q.Questions[0].Name.String() != "example.org." || len(q.Additionals) != 1 {
				t.Errorf("query: %+v", q)
			} else if opt := q.Additionals[0].Header; opt.Type != dnsmessage.TypeOPT || opt.Class != 1232 || opt.DNSSECAllowed() {
				t.Errorf("OPT: %+v", opt)
			}
			return [][]byte{reply(q, withMX("example.org", "mx.example.org"), func(m *dnsmessage.Message) { m.AuthenticData = true })}
		}).client(t)
		for range 20 {
			ans, err := c.Lookup(t.Context(), "Example.Org.", mailparts.TypeMX)
			if err != nil || !ans.Authenticated {
				t.Fatalf("Lookup = %v, %v", ans, err)
			}
		}
		if len(ids) < 15 {
			t.Errorf("%d IDs in 20 queries", len(ids))
		}
	})
}
