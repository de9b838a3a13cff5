package dns

import (
	"bufio"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	defaultResolvConf = "/etc/resolv.conf"
	defaultPort       = "53"

	maxServers    = 3        // MAXNS of resolv.conf(5): the rest is ignored
	maxResolvConf = 64 << 10 // octets of it that are read
)

// resolvConf is what was last read from a resolv.conf(5).
type resolvConf struct {
	mu   sync.Mutex
	file fs.FileInfo // as it was then; nil: not read yet
	list []string
}

// servers reads path again if it is not the file that it was. One that is gone
// or cannot be read, as it may be while it is replaced, leaves the last list.
func (r *resolvConf) servers(path string) []string {
	if path == "" {
		path = defaultResolvConf
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if info, err := os.Stat(path); err == nil && !r.unchanged(info) {
		if list, err := readServers(path); err == nil {
			r.file, r.list = info, list
		}
	}
	if len(r.list) == 0 {
		return []string{"127.0.0.1:" + defaultPort, "[::1]:" + defaultPort}
	}
	return r.list
}

func (r *resolvConf) unchanged(info fs.FileInfo) bool {
	return r.file != nil && os.SameFile(r.file, info) &&
		r.file.Size() == info.Size() && r.file.ModTime().Equal(info.ModTime()) &&
		// A change within the clock's grain of the last read shows in neither.
		time.Since(info.ModTime()) > time.Second
}

func readServers(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []string
	s := bufio.NewScanner(io.LimitReader(f, maxResolvConf))
	for s.Scan() && len(list) < maxServers {
		// A comment begins a line: fields[0] is then no keyword.
		fields := strings.Fields(s.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if ip, err := netip.ParseAddr(fields[1]); err == nil {
			list = append(list, net.JoinHostPort(ip.String(), defaultPort))
		}
	}
	return list, s.Err()
}

// withPort adds port 53 to a server without a port.
func withPort(server string) string {
	if ip, err := netip.ParseAddr(server); err == nil {
		return net.JoinHostPort(ip.String(), defaultPort)
	}
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(server, defaultPort)
}
