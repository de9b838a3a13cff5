package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// ednsPayload is the size of a UDP reply that we ask for: no larger one
	// passes every path in one piece (the DNS flag day of 2020).
	ednsPayload = 1232
	// maxUDP is what we take, from a server that does not keep to it.
	maxUDP = 4096
)

var (
	errMalformed = errors.New("malformed reply")
	errLame      = errors.New("server neither knows nor asks others")
)

type question struct {
	name string // canonical
	typ  dnsmessage.Type
}

// ask gets one server's answer: NOERROR or NXDOMAIN, all else is an error.
func (c *Client) ask(ctx context.Context, server string, q question) (*reply, error) {
	r, err := c.askEDNS(ctx, server, q, true)
	if err == nil && r.rcode == dnsmessage.RCodeFormatError {
		// RFC 6891 section 7: a server that does not know EDNS.
		r, err = c.askEDNS(ctx, server, q, false)
	}
	switch {
	case err != nil:
		return nil, err
	case r.rcode != dnsmessage.RCodeSuccess && r.rcode != dnsmessage.RCodeNameError:
		return nil, errors.New(strings.TrimPrefix(r.rcode.String(), "RCode"))
	case r.lame:
		return nil, errLame
	}
	return r, nil
}

func (c *Client) askEDNS(ctx context.Context, server string, q question, edns bool) (*reply, error) {
	r, err := c.exchange(ctx, "udp", server, q, edns)
	if err == nil && r.truncated {
		// RFC 7766 section 5: what a truncated reply holds is worth nothing.
		r, err = c.exchange(ctx, "tcp", server, q, edns)
		if err == nil && r.truncated {
			return nil, errMalformed
		}
	}
	return r, err
}

// exchange sends one query and waits for its reply.
func (c *Client) exchange(ctx context.Context, network, server string, q question, edns bool) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, orDefault(c.Timeout, defaultTimeout))
	defer cancel()
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	id := newID()
	msg, err := pack(id, q, edns)
	if err != nil {
		return nil, err
	}
	if network == "tcp" {
		return exchangeTCP(conn, id, q, msg)
	}
	return exchangeUDP(conn, id, q, msg)
}

// exchangeUDP passes over every datagram that does not answer q: it may be late,
// or a guess of somebody else's (RFC 5452 section 9.1).
func exchangeUDP(conn net.Conn, id uint16, q question, msg []byte) (*reply, error) {
	if _, err := conn.Write(msg); err != nil {
		return nil, err
	}
	buf := make([]byte, maxUDP)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		r, err := parse(buf[:n], id, q)
		if !errors.Is(err, errNotOurs) {
			return r, err
		}
	}
}

// exchangeTCP frames messages by their length (RFC 7766 section 8).
func exchangeTCP(conn net.Conn, id uint16, q question, msg []byte) (*reply, error) {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(msg)), uint16(len(msg)))
	if _, err := conn.Write(append(framed, msg...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, fmt.Errorf("no reply: %w", err)
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, fmt.Errorf("reply cut short: %w", err)
	}
	return parse(buf, id, q)
}

// pack builds the query: RD, and AD to have AD in the reply (RFC 6840 section
// 5.7) without the DNSSEC records that DO would bring.
func pack(id uint16, q question, edns bool) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name + ".")
	if err != nil {
		return nil, err
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true, AuthenticData: true},
		Questions: []dnsmessage.Question{{Name: name, Type: q.typ, Class: dnsmessage.ClassINET}},
	}
	if edns {
		opt := dnsmessage.Resource{Body: new(dnsmessage.OPTResource)}
		if err := opt.Header.SetEDNS0(ednsPayload, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, err
		}
		m.Additionals = append(m.Additionals, opt)
	}
	return m.Pack()
}

// newID is as hard to guess as 16 bits can be (RFC 5452 section 9.2).
func newID() uint16 {
	var b [2]byte
	rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint16(b[:])
}
