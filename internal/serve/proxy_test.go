package serve_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/internal/serve"
)

const (
	v2Local = 0x20
	v2Proxy = 0x21
	v2TCP4  = 0x11
	v2TCP6  = 0x21
	v2Unix  = 0x31
)

// v2 is a header of version 2.
func v2(command, family byte, parts ...string) string {
	body := strings.Join(parts, "")
	h := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family)
	h = binary.BigEndian.AppendUint16(h, uint16(len(body)))
	return string(h) + body
}

// tlv is an extension of version 2.
func tlv(kind byte, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))) + value
}

// summed fills in the checksum, which is tlv(3, "\0\0\0\0") so far.
func summed(header string) string {
	b := []byte(header)
	at := bytes.LastIndex(b, []byte(noSum)) + 3
	binary.BigEndian.PutUint32(b[at:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return string(b)
}

const noSum = "\x03\x00\x04\x00\x00\x00\x00"

// Addresses of version 2: 192.168.0.1:56324 to 192.168.0.11:443, and of IPv6
// 2001:db8::1 to ::2 with the same ports.
var (
	ports  = "\xdc\x04\x01\xbb"
	addrs4 = "\xc0\xa8\x00\x01\xc0\xa8\x00\x0b" + ports
	addrs6 = "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x02" + ports
	paths  = padded("/run/client") + padded("/run/lmtp")
)

func padded(path string) string { return path + strings.Repeat("\x00", 108-len(path)) }

const allOnes = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

// goodHeaders are whole headers and what they tell, "" for nothing.
var goodHeaders = []struct{ name, header, want string }{
	// The examples of proxy-protocol.txt, section 2.1.
	{"the longest TCP4", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535 to 255.255.255.255:65535"},
	{"the longest TCP6", "PROXY TCP6 " + allOnes + " " + allOnes + " 65535 65535\r\n", "[" + allOnes + "]:65535 to [" + allOnes + "]:65535"},
	{"UNKNOWN", "PROXY UNKNOWN\r\n", ""},
	{"the longest UNKNOWN", "PROXY UNKNOWN " + allOnes + " " + allOnes + " 65535 65535\r\n", ""},
	{"TCP4", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324 to 192.168.0.11:443"},

	{"the shortest", "PROXY TCP4 1.1.1.1 1.1.1.1 0 0\r\n", "1.1.1.1:0 to 1.1.1.1:0"},
	{"TCP6", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1 to [::1]:2"},
	{"IPv4 in IPv6", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1:1 to [::1]:2"},
	{"anything after UNKNOWN", "PROXY UNKNOWN \x00 you may ignore this\r\n", ""},

	{"v2 TCP4", v2(v2Proxy, v2TCP4, addrs4), "192.168.0.1:56324 to 192.168.0.11:443"},
	{"v2 TCP6", v2(v2Proxy, v2TCP6, addrs6), "[2001:db8::1]:56324 to [2001:db8::2]:443"},
	{"v2 unix", v2(v2Proxy, v2Unix, paths), "/run/client to /run/lmtp"},
	{"v2 LOCAL", v2(v2Local, 0), ""},
	{"v2 LOCAL of whatever family and content", v2(v2Local, 0x77, "whatever"), ""},
	{"v2 LOCAL with the addresses of a check", v2(v2Local, v2TCP4, addrs4), ""},
	{"v2 unspecified", v2(v2Proxy, 0), ""},
	{"v2 unspecified with an extension", v2(v2Proxy, 0, tlv(4, "")), ""},
	{"v2 extensions", v2(v2Proxy, v2TCP4, addrs4, tlv(1, "h2"), tlv(4, strings.Repeat("x", 300)), tlv(0x20, "\x01")), "192.168.0.1:56324 to 192.168.0.11:443"},
	{"v2 checksum", summed(v2(v2Proxy, v2TCP4, addrs4, tlv(4, "pad"), noSum)), "192.168.0.1:56324 to 192.168.0.11:443"},
	{"v2 checksum in the middle", summed(v2(v2Proxy, v2TCP6, addrs6, noSum, tlv(4, "pad"))), "[2001:db8::1]:56324 to [2001:db8::2]:443"},
	{"v2 checksum of nothing known", summed(v2(v2Proxy, 0, noSum)), ""},
	{"v2 as long as may be", v2(v2Proxy, v2TCP4, addrs4, tlv(4, strings.Repeat("x", serve.MaxProxyV2-16-12-3))), "192.168.0.1:56324 to 192.168.0.11:443"},
}

// badHeaders are refused, each at the latest when all of it is read.
var badHeaders = []struct{ name, header string }{
	{"SMTP", "EHLO client.example.org\r\n"},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00"},
	{"HTTP", "GET / HTTP/1.1\r\n"},
	{"lower case", "proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n"},
	{"no family", "PROXY \r\nEHLO x\r\n"},
	{"lower case family", "PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n"},
	{"unknown family", "PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n"},
	{"not quite UNKNOWN", "PROXY UNKNOWNS\r\n"},
	{"IPv6 as TCP4", "PROXY TCP4 ::1 ::1 1 1\r\n"},
	{"IPv4 as TCP6", "PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n"},
	{"a zone", "PROXY TCP6 fe80::1%eth0 fe80::2 1 1\r\n"},
	{"a leading zero in an address", "PROXY TCP4 1.1.1.01 1.1.1.1 1 1\r\n"},
	{"an octet too big", "PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n"},
	{"brackets", "PROXY TCP6 [::1] [::1] 1 1\r\n"},
	{"a name", "PROXY TCP4 localhost 1.1.1.1 1 1\r\n"},
	{"a port too big", "PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n"},
	{"a leading zero in a port", "PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n"},
	{"a sign in a port", "PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n"},
	{"a negative port", "PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n"},
	{"three fields", "PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n"},
	{"five fields", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n"},
	{"two spaces", "PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n"},
	{"a space at the end", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n"},
	{"a tab", "PROXY TCP4 1.1.1.1\t1.1.1.1 1 1\r\n"},
	{"LF alone", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n"},
	{"CR alone", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\rx"},
	{"two CRs", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\r\n"},
	{"one octet too long", "PROXY UNKNOWN " + strings.Repeat("x", 107-14-2+1) + "\r\n"},
	{"without an end", "PROXY UNKNOWN " + strings.Repeat("x", 1000)},

	{"v2 signature spoilt", "\r\n\r\n\x00\r\nQUIT\r\x21\x11\x00\x0c" + addrs4},
	{"v2 version 1", v2(0x11, v2TCP4, addrs4)},
	{"v2 version 3", v2(0x31, v2TCP4, addrs4)},
	{"v2 unknown command", v2(0x22, v2TCP4, addrs4)},
	{"v2 datagrams", v2(v2Proxy, 0x12, addrs4)},
	{"v2 unknown family", v2(v2Proxy, 0x41, addrs4)},
	{"v2 unknown transport", v2(v2Proxy, 0x13, addrs4)},
	{"v2 stream of no family", v2(v2Proxy, 0x01)},
	{"v2 without addresses", v2(v2Proxy, v2TCP4)},
	{"v2 TCP4 cut short", v2(v2Proxy, v2TCP4, addrs4[:11])},
	{"v2 TCP6 cut short", v2(v2Proxy, v2TCP6, addrs6[:35])},
	{"v2 unix cut short", v2(v2Proxy, v2Unix, paths[:215])},
	{"v2 extension without a length", v2(v2Proxy, v2TCP4, addrs4, "\x04\x00")},
	{"v2 extension cut short", v2(v2Proxy, v2TCP4, addrs4, "\x04\x00\x02x")},
	{"v2 wrong checksum", v2(v2Proxy, v2TCP4, addrs4, noSum)},
	{"v2 checksum of another header", strings.Replace(summed(v2(v2Proxy, v2TCP4, addrs4, noSum)), "\xc0\xa8", "\x0a\xa8", 1)},
	{"v2 short checksum", v2(v2Proxy, v2TCP4, addrs4, tlv(3, "\x00\x00"))},
	{"v2 two checksums", summed(v2(v2Proxy, v2TCP4, addrs4, noSum, noSum))},
	{"v2 too long", v2(v2Proxy, v2TCP4, addrs4, tlv(4, strings.Repeat("x", serve.MaxProxyV2-16-12-3+1)))},
}

// told is what a header tells.
func told(r io.Reader) (string, error) {
	remote, local, err := serve.ReadProxy(r)
	if err != nil || remote == nil {
		return "", err
	}
	return remote.String() + " to " + local.String(), nil
}

func TestGoodProxyHeaders(t *testing.T) {
	for _, test := range goodHeaders {
		t.Run(test.name, func(t *testing.T) {
			for _, how := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader} {
				r := strings.NewReader(test.header + "EHLO")
				got, err := told(how(r))
				if got != test.want || err != nil {
					t.Fatalf("got %q, %v, want %q", got, err, test.want)
				}
				if rest, _ := io.ReadAll(r); string(rest) != "EHLO" {
					t.Fatalf("left %q, want EHLO", rest)
				}
			}
			for n := range test.header {
				if _, err := told(strings.NewReader(test.header[:n])); err != io.ErrUnexpectedEOF {
					t.Fatalf("cut to %d octets: %v", n, err)
				}
			}
		})
	}
}

func TestBadProxyHeaders(t *testing.T) {
	for _, test := range badHeaders {
		t.Run(test.name, func(t *testing.T) {
			// What follows is not needed to see that it is bad: nobody may wait for it.
			wait := errors.New("waits for more")
			got, err := told(io.MultiReader(strings.NewReader(test.header), iotest.ErrReader(wait)))
			if err == nil || errors.Is(err, wait) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func FuzzProxyHeader(f *testing.F) {
	for _, test := range goodHeaders {
		f.Add([]byte(test.header))
	}
	for _, test := range badHeaders {
		f.Add([]byte(test.header))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r := bytes.NewReader(input)
		got, err := told(r)
		slow := bytes.NewReader(input)
		if again, slowErr := told(iotest.OneByteReader(slow)); got != again || fmt.Sprint(err) != fmt.Sprint(slowErr) {
			t.Fatalf("at once %q, %v, octet by octet %q, %v", got, err, again, slowErr)
		}
		if err != nil {
			return
		}
		header := input[:len(input)-r.Len()]
		if slow.Len() != r.Len() {
			t.Fatalf("left %d octets, and octet by octet %d", r.Len(), slow.Len())
		}
		if header[0] == 'P' {
			if i := bytes.Index(input, []byte("\r\n")); len(header) > 107 || i+2 != len(header) {
				t.Fatalf("header %q", header)
			}
		} else if len(header) > serve.MaxProxyV2 || len(header) != 16+int(binary.BigEndian.Uint16(header[14:])) {
			t.Fatalf("header %q", header)
		}
	})
}

func BenchmarkProxyHeader(b *testing.B) {
	for _, test := range []struct{ name, header string }{
		{"v1", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"},
		{"v2", v2(v2Proxy, v2TCP4, addrs4)},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			r := new(strings.Reader)
			for b.Loop() {
				r.Reset(test.header)
				if _, err := told(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var anyProxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}

func TestContains(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1": true, "192.0.2.1": false, "fe80::1": true, "fe80::1%eth0": true, "::1": false} {
		if got := serve.Contains(anyProxy, netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if serve.Contains([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), {}}, netip.Addr{}) {
		t.Error("no address is in everything")
	}
}
