package serve

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// proxyTimeout is what a proxy may take for its header, which it sends at once:
// time for a lost packet or two (proxy-protocol.txt section 2).
const proxyTimeout = 5 * time.Second

// Limits of a header, in octets. That of version 1 is proxy-protocol.txt's, section
// 2.1; version 2 could have 64 KB, of which a client's certificate is most.
const (
	maxProxyV1 = 107
	maxProxyV2 = 8 << 10
)

// proxyHeader is what a proxy says of the connection that it passes on.
type proxyHeader struct {
	unknown       bool     // it says nothing: the connection is the proxy's own, or of an unknown kind
	remote, local net.Addr // *net.TCPAddr, or *net.UnixAddr
}

var (
	errNoProxy  = errors.New("no PROXY protocol header")
	errProxyBig = errors.New("PROXY protocol header is too long")
)

func badProxy(what string) error { return fmt.Errorf("bad PROXY protocol header: %s", what) }

// readProxy reads a header, and not an octet more: TLS or a greeting follows it.
func readProxy(r io.Reader) (proxyHeader, error) {
	var b []byte
	for {
		h, missing, err := parseProxy(b)
		if err != nil || missing == 0 {
			return h, err
		}
		n := len(b)
		b = append(b, make([]byte, missing)...)
		got, err := r.Read(b[n:])
		if b = b[:n+got]; got == 0 && err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return proxyHeader{}, err
		}
	}
}

// proxyV2 begins a header of version 2.
const proxyV2 = "\r\n\r\n\x00\r\nQUIT\n"

// parseProxy parses a header of the PROXY protocol (haproxy's proxy-protocol.txt).
// Of the beginning of one it tells how many octets are missing at least.
func parseProxy(b []byte) (h proxyHeader, missing int, err error) {
	n := min(len(b), len(proxyV2))
	switch {
	case string(b[:n]) == proxyV2[:n] && len(b) < len(proxyV2):
		return h, len(proxyV2) - len(b), nil // no header of version 1 is shorter
	case string(b[:n]) == proxyV2[:n]:
		return parseProxyV2(b)
	}
	return parseProxyV1(b)
}

const proxyV1 = "PROXY "

// parseProxyV1 is section 2.1: a line of text.
func parseProxyV1(b []byte) (h proxyHeader, missing int, err error) {
	n := min(len(b), len(proxyV1))
	switch {
	case string(b[:n]) != proxyV1[:n]:
		return h, 0, errNoProxy
	case len(b) < len(proxyV2):
		return h, len(proxyV2) - len(b), nil
	}
	line, rest, found := bytes.Cut(b, []byte("\r\n"))
	half := !found && bytes.HasSuffix(line, []byte("\r"))
	if half {
		line = line[:len(line)-1]
	}
	switch {
	case bytes.ContainsAny(line, "\r\n"):
		return h, 0, badProxy("CR or LF alone")
	case !found && len(b) >= maxProxyV1, len(line)+len("\r\n") > maxProxyV1:
		return h, 0, errProxyBig
	case half:
		return h, 1, nil
	case !found:
		return h, min(2, maxProxyV1-len(b)), nil
	case len(rest) > 0:
		return h, 0, badProxy("octets after its end")
	}
	h, err = parseProxyLine(string(line[len(proxyV1):]))
	return h, 0, err
}

// parseProxyLine parses "TCP4 source destination port port", "TCP6 …" and
// "UNKNOWN", after which anything may stand.
func parseProxyLine(line string) (proxyHeader, error) {
	family, rest, _ := strings.Cut(line, " ")
	if family == "UNKNOWN" {
		return proxyHeader{unknown: true}, nil
	}
	fields := strings.Split(rest, " ")
	if family != "TCP4" && family != "TCP6" || len(fields) != 4 {
		return proxyHeader{}, badProxy("neither TCP4 nor TCP6 with four fields, nor UNKNOWN")
	}
	var ends [2]net.Addr
	for i := range ends {
		addr, err := netip.ParseAddr(fields[i])
		if err != nil || addr.Is4() != (family == "TCP4") || addr.Zone() != "" {
			return proxyHeader{}, badProxy("not an address of " + family)
		}
		port, err := strconv.ParseUint(fields[i+2], 10, 16)
		if err != nil || strconv.FormatUint(port, 10) != fields[i+2] {
			return proxyHeader{}, badProxy("not a port")
		}
		ends[i] = net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port)))
	}
	return proxyHeader{remote: ends[0], local: ends[1]}, nil
}

// The second half of section 2.2's byte 13 is the command, and byte 14 a family
// and a transport. Datagrams cannot come by what we serve.
const (
	proxyLocal   = 0x20
	proxyProxy   = 0x21
	proxyUnspec  = 0x00
	proxyTCP4    = 0x11
	proxyTCP6    = 0x21
	proxyUnix    = 0x31
	proxyFixed   = 16   // octets before the addresses
	proxyCRC32C  = 0x03 // section 2.2.4
	proxyUnixLen = 108
)

// parseProxyV2 is section 2.2: binary.
func parseProxyV2(b []byte) (h proxyHeader, missing int, err error) {
	if len(b) < proxyFixed {
		return h, proxyFixed - len(b), nil
	}
	end := proxyFixed + int(binary.BigEndian.Uint16(b[14:]))
	switch command := b[12]; {
	case command != proxyLocal && command != proxyProxy:
		return h, 0, badProxy("unknown version or command")
	case end > maxProxyV2:
		return h, 0, errProxyBig
	case len(b) < end:
		return h, end - len(b), nil
	case len(b) > end:
		return h, 0, badProxy("octets after its end")
	case command == proxyLocal: // whatever else it says is ignored
		return proxyHeader{unknown: true}, 0, nil
	}
	h, tlvs, err := parseProxyAddrs(b[13], b[proxyFixed:])
	if err == nil {
		err = checkProxyTLVs(b, tlvs)
	}
	if err != nil {
		return proxyHeader{}, 0, err
	}
	return h, 0, nil
}

// parseProxyAddrs parses source and destination, and then their ports if they
// have some.
func parseProxyAddrs(family byte, b []byte) (h proxyHeader, tlvs []byte, err error) {
	size, ports := 0, 4
	switch family {
	case proxyUnspec:
		return proxyHeader{unknown: true}, b, nil
	case proxyTCP4:
		size = 4
	case proxyTCP6:
		size = 16
	case proxyUnix:
		size, ports = proxyUnixLen, 0
	default:
		return h, nil, badProxy("unknown address family or transport")
	}
	if len(b) < 2*size+ports {
		return h, nil, badProxy("too short for its addresses")
	}
	source, dest, b := b[:size], b[size:2*size], b[2*size:]
	if family == proxyUnix {
		return proxyHeader{remote: unixAddr(source), local: unixAddr(dest)}, b, nil
	}
	h.remote, h.local = tcpAddr(source, b[:2]), tcpAddr(dest, b[2:4])
	return h, b[4:], nil
}

func tcpAddr(ip, port []byte) net.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, binary.BigEndian.Uint16(port)))
}

// unixAddr is a path that is padded with NUL.
func unixAddr(path []byte) net.Addr {
	return &net.UnixAddr{Name: string(bytes.TrimRight(path, "\x00")), Net: "unix"}
}

// checkProxyTLVs walks over the extensions of section 2.2, of which only the
// checksum says anything to us: that of the whole header, itself taken for zero.
func checkProxyTLVs(header, tlvs []byte) error {
	summed := false
	for len(tlvs) > 0 {
		if len(tlvs) < 3 || len(tlvs)-3 < int(binary.BigEndian.Uint16(tlvs[1:])) {
			return badProxy("an extension is cut short")
		}
		kind, value := tlvs[0], tlvs[3:][:binary.BigEndian.Uint16(tlvs[1:])]
		tlvs = tlvs[3+len(value):]
		if kind != proxyCRC32C {
			continue
		}
		if len(value) != 4 || summed {
			return badProxy("malformed checksum")
		}
		summed = true
		at := len(header) - len(tlvs) - 4
		sum := crc32.Update(0, castagnoli, header[:at])
		sum = crc32.Update(sum, castagnoli, make([]byte, 4))
		sum = crc32.Update(sum, castagnoli, header[at+4:])
		if sum != binary.BigEndian.Uint32(value) {
			return badProxy("wrong checksum")
		}
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// proxied is a connection as ConnContext sees it: that of the client.
type proxied struct {
	net.Conn
	remote, local net.Addr
}

func (p *proxied) RemoteAddr() net.Addr { return p.remote }
func (p *proxied) LocalAddr() net.Addr  { return p.local }

// readProxy makes of a proxy's connection the client's: Remote, Local and what
// ConnContext gets. The proxy has no limit per address, its clients have.
func (c *Conn) readProxy() error {
	c.Within(proxyTimeout)
	c.Idle(true) // Shutdown does not wait for it
	h, err := readProxy(c)
	c.Idle(false)
	c.Rolling(handshakeTimeout)
	if c.unknown = h.unknown; err != nil || h.unknown {
		return err
	}
	c.remote, c.local = AddrPort(h.remote), AddrPort(h.local)
	c.shown = &proxied{c.raw, h.remote, h.local}
	c.network = networkOf(c.remote.Addr())
	return nil
}
