package mailtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailparts/mailparts"
)

const (
	dnsMaxUDP  = 512              // without EDNS: RFC 1035 section 4.2.1
	dnsMaxEDNS = 1232             // with it, however much the client would take
	dnsIdle    = 10 * time.Second // for the next query of a TCP connection
)

// Serve answers from d, over UDP and TCP on one free port of 127.0.0.1, until t
// ends: for what finds its name server by address, as Postfix and dns.Client do.
// It returns HOST:PORT.
func (d *DNS) Serve(t testing.TB) string {
	t.Helper()
	addr, stop, err := d.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return addr
}

// Start is Serve for a program: the caller stops the server, and stop returns
// when nothing of it is left.
//
// The server takes itself for a recursive one with authority for everything. It
// knows EDNS (RFC 6891), truncates what is too long for UDP, gives negative
// answers with an SOA record of TTL 0, has no other types than DNS's lines, and
// refuses ANY and zone transfers.
func (d *DNS) Start() (addr string, stop func(), err error) {
	udp, tcp, err := listenDNS()
	if err != nil {
		return "", nil, fmt.Errorf("mailtest: DNS server: %w", err)
	}
	s := &dnsServer{dns: d, conns: map[io.Closer]bool{udp: true, tcp: true}}
	s.running.Go(func() { s.serveUDP(udp) })
	s.running.Go(func() { s.serveTCP(tcp) })
	return udp.LocalAddr().String(), s.stop, nil
}

// listenDNS finds a port that is free for both.
func listenDNS() (udp net.PacketConn, tcp net.Listener, err error) {
	for range 20 {
		udp, err = net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		if tcp, err = net.Listen("tcp", udp.LocalAddr().String()); err == nil {
			return udp, tcp, nil
		}
		udp.Close()
	}
	return nil, nil, err
}

type dnsServer struct {
	dns     *DNS
	running sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	conns   map[io.Closer]bool
}

func (s *dnsServer) stop() {
	s.mu.Lock()
	s.stopped = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *dnsServer) serveUDP(conn net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // a client's port that is gone, as some systems tell
			continue
		}
		if reply := s.dns.reply(buf[:n], "udp"); reply != nil {
			conn.WriteTo(reply, from)
		}
	}
}

func (s *dnsServer) serveTCP(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.stopped {
			conn.Close()
		} else {
			s.conns[conn] = true
			s.running.Go(func() { s.serveConn(conn) })
		}
		s.mu.Unlock()
	}
}

func (s *dnsServer) serveConn(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		conn.Close()
	}()
	for {
		conn.SetDeadline(time.Now().Add(dnsIdle))
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		if reply := s.dns.reply(query, "tcp"); reply != nil {
			framed := binary.BigEndian.AppendUint16(nil, uint16(len(reply)))
			if _, err := conn.Write(append(framed, reply...)); err != nil {
				return
			}
		}
	}
}

// reply answers one query; nil is silence.
func (d *DNS) reply(query []byte, network string) []byte {
	var q dnsmessage.Message
	if err := q.Unpack(query); err != nil || q.Response {
		return nil
	}
	r := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: q.ID, Response: true, OpCode: q.OpCode, Authoritative: true,
			RecursionDesired: q.RecursionDesired, RecursionAvailable: true,
		},
		Questions: q.Questions,
	}
	limit, opt := dnsLimit(&q, network)
	if opt != nil {
		r.Additionals = append(r.Additionals, *opt)
	}
	switch {
	case q.OpCode != 0:
		r.RCode = dnsmessage.RCodeNotImplemented
	case len(q.Questions) != 1:
		r.RCode = dnsmessage.RCodeFormatError
	case q.Questions[0].Class != dnsmessage.ClassINET, q.Questions[0].Type > 127 && q.Questions[0].Type <= 255:
		r.RCode = dnsmessage.RCodeRefused // meta-types: RFC 6895 section 3.1
	default:
		if !d.answer(&r, q.Questions[0]) {
			return nil
		}
		// RFC 6840 section 5.8: AD for those who ask for it.
		r.AuthenticData = r.AuthenticData && (q.AuthenticData || opt != nil && opt.Header.DNSSECAllowed())
	}
	packed, err := r.Pack()
	if err == nil && len(packed) > limit {
		r.Truncated, r.Answers, r.Authorities = true, nil, nil
		packed, err = r.Pack()
	}
	if err != nil {
		return nil
	}
	return packed
}

// dnsLimit is how long a reply to q may be, and the OPT record that it has then.
func dnsLimit(q *dnsmessage.Message, network string) (limit int, opt *dnsmessage.Resource) {
	limit = dnsMaxUDP
	for _, r := range q.Additionals {
		if r.Header.Type == dnsmessage.TypeOPT {
			limit = max(limit, min(dnsMaxEDNS, int(r.Header.Class)))
			opt = &dnsmessage.Resource{Body: new(dnsmessage.OPTResource)}
			opt.Header.SetEDNS0(dnsMaxEDNS, dnsmessage.RCodeSuccess, r.Header.DNSSECAllowed())
		}
	}
	if network == "tcp" {
		limit = 1<<16 - 1
	}
	return limit, opt
}

// answer fills r, and reports whether there is to be a reply.
func (d *DNS) answer(r *dnsmessage.Message, q dnsmessage.Question) bool {
	a := d.find(q.Name.String(), mailparts.RRType(q.Type))
	if a.failure == dnsSilence {
		return false
	}
	r.AuthenticData = a.secure
	for _, rec := range append(a.aliases, a.records...) {
		r.Answers = append(r.Answers, rec.resource())
	}
	switch {
	case a.failure != "":
		r.RCode = dnsmessage.RCodeServerFailure
		r.Answers, r.AuthenticData = nil, false
	case errors.Is(a.err, mailparts.ErrNoDomain) && q.Name.String() != ".": // the root exists
		r.RCode = dnsmessage.RCodeNameError
		r.Authorities = []dnsmessage.Resource{dnsSOA()}
	case a.err != nil:
		r.Authorities = []dnsmessage.Resource{dnsSOA()}
	}
	return true
}

func (r dnsRecord) resource() dnsmessage.Resource {
	h := dnsmessage.ResourceHeader{
		Name:  dnsmessage.MustNewName(r.owner + "."),
		Class: dnsmessage.ClassINET,
		TTL:   uint32(r.TTL / time.Second),
	}
	target := dnsmessage.Name{}
	if r.typ == mailparts.TypeMX || r.typ == mailparts.TypePTR || r.typ == mailparts.TypeCNAME {
		target = dnsmessage.MustNewName(r.Name + ".")
	}
	var body dnsmessage.ResourceBody
	switch r.typ {
	case mailparts.TypeA:
		body = &dnsmessage.AResource{A: r.Addr.As4()}
	case mailparts.TypeAAAA:
		body = &dnsmessage.AAAAResource{AAAA: r.Addr.As16()}
	case mailparts.TypeCNAME:
		body = &dnsmessage.CNAMEResource{CNAME: target}
	case mailparts.TypePTR:
		body = &dnsmessage.PTRResource{PTR: target}
	case mailparts.TypeMX:
		body = &dnsmessage.MXResource{Pref: r.Preference, MX: target}
	case mailparts.TypeTXT:
		body = &dnsmessage.TXTResource{TXT: r.Text}
	default:
		h.Type = dnsmessage.Type(r.typ)
		body = &dnsmessage.UnknownResource{Type: h.Type, Data: r.Data}
	}
	return dnsmessage.Resource{Header: h, Body: body}
}

// dnsSOA goes with negative answers (RFC 2308 section 3). Its zone is the root,
// and its TTL is 0: the answer may be another one next time.
func dnsSOA() dnsmessage.Resource {
	root := dnsmessage.MustNewName(".")
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: root, Class: dnsmessage.ClassINET},
		Body:   &dnsmessage.SOAResource{NS: root, MBox: root, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400},
	}
}
