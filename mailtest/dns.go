package mailtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"github.com/mailparts/mailparts"
)

// DNS is a whole DNS in memory: a mailparts.Resolver and, with Serve or Start, a
// real name server. The zero value is empty: no name exists. It may be changed
// while it is in use.
//
// It is written as lines, much like a master file (RFC 1035 section 5.1):
//
//	example.org       MX    10 mx.example.org   ; a final dot changes nothing
//	example.org  300  TXT   "v=spf1 mx -all"    ; a TTL in seconds; 0 if not given
//	note.example.org  TXT   one string, spaces and all
//	mx.example.org    A     192.0.2.1
//	mx.example.org    AAAA  2001:db8::1
//	192.0.2.1         PTR   mx.example.org      ; in the reverse zone
//	www.example.org   CNAME mx.example.org
//	_25._tcp.mx.example.org TLSA 3 1 1 0123abcd
//	none.example      MX    0 .                 ; the root: here a null MX
//	bad.example       SERVFAIL                  ; every type
//	mx.example.org    TLSA SERVFAIL             ; that type only
//	slow.example      TIMEOUT                   ; no answer, ever
//	example.org       SECURE                    ; it and all below have the AD bit
//
// A name without a line exists if there is one below it, as in the DNS: asking
// it is NODATA, not NXDOMAIN.
type DNS struct {
	mu     sync.Mutex
	names  map[string]*dnsName
	counts map[dnsQuestion]int
}

// dnsTimeout is how long Lookup is silent, for want of an earlier end of its
// context, where the zone says TIMEOUT.
const dnsTimeout = 10 * time.Second

// maxDNSAliases is how many CNAMEs are followed: it ends a loop of them.
const maxDNSAliases = 16

var errDNSServFail = errors.New("server failure")

type dnsQuestion struct {
	name string
	typ  mailparts.RRType
}

// dnsName is what the zone holds of one name.
type dnsName struct {
	records  []dnsRecord
	failures map[mailparts.RRType]dnsFailure // dnsEveryType: of all
	secure   bool
}

type dnsRecord struct {
	owner string
	typ   mailparts.RRType
	mailparts.Record
}

type dnsFailure string

const (
	dnsServFail dnsFailure = "SERVFAIL"
	dnsSilence  dnsFailure = "TIMEOUT"

	dnsEveryType mailparts.RRType = 0
)

var _ mailparts.Resolver = (*DNS)(nil)

// NewDNS returns a DNS of these lines; an argument may hold many. It panics on
// one that it cannot read.
func NewDNS(lines ...string) *DNS {
	d := new(DNS)
	d.Add(lines...)
	return d
}

// Add adds lines to what is there. It panics on one that it cannot read.
func (d *DNS) Add(lines ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, arg := range lines {
		for line := range strings.Lines(arg) {
			if err := d.add(line); err != nil {
				panic(fmt.Sprintf("mailtest: DNS line %q: %v", strings.TrimSpace(line), err))
			}
		}
	}
}

// Remove takes away all lines of these names. An address stands for its name in
// the reverse zone, as it does in a line.
func (d *DNS) Remove(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		delete(d.names, dnsOwner(name))
	}
}

// Count is how often name was asked for type typ, by Lookup or on the wire.
// Aliases followed do not count. An address stands for its name in the reverse
// zone.
func (d *DNS) Count(name string, typ mailparts.RRType) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts[dnsQuestion{dnsOwner(name), typ}]
}

// Lookup implements mailparts.Resolver. A TIMEOUT lasts until ctx ends, or ten
// seconds.
func (d *DNS) Lookup(ctx context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	if err := ctx.Err(); err != nil {
		return mailparts.Answer{}, err
	}
	a := d.find(name, typ)
	err := a.err
	switch {
	case a.failure == dnsSilence:
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(dnsTimeout):
			err = os.ErrDeadlineExceeded
		}
	case a.failure != "":
		err = errDNSServFail
	}
	if err != nil {
		return mailparts.Answer{}, fmt.Errorf("mailtest: DNS lookup of %q: %w", name, err)
	}
	ans := mailparts.Answer{Authenticated: a.secure}
	for _, r := range a.records {
		ans.Records = append(ans.Records, r.Record)
	}
	return ans, nil
}

// dnsAnswer is what the zone says to one question: a failure, an err of the
// Resolver's contract, or records.
type dnsAnswer struct {
	failure dnsFailure
	err     error
	aliases []dnsRecord
	records []dnsRecord
	secure  bool
}

func (d *DNS) find(name string, typ mailparts.RRType) dnsAnswer {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = dnsKey(name)
	if d.counts == nil {
		d.counts = map[dnsQuestion]int{}
	}
	d.counts[dnsQuestion{name, typ}]++

	a := dnsAnswer{secure: true}
	for len(a.aliases) <= maxDNSAliases {
		a.secure = a.secure && d.secure(name)
		n := d.names[name]
		if n == nil {
			a.err = mailparts.ErrNoDomain
			if d.hasBelow(name) {
				a.err = mailparts.ErrNoRecords
			}
			return a
		}
		if a.failure = n.failure(typ); a.failure != "" {
			return a
		}
		if a.records = n.ofType(typ); len(a.records) > 0 {
			return a
		}
		cname := n.ofType(mailparts.TypeCNAME)
		if len(cname) == 0 {
			a.err = mailparts.ErrNoRecords
			return a
		}
		a.aliases = append(a.aliases, cname[0])
		name = dnsKey(cname[0].Name)
	}
	a.failure = dnsServFail
	return a
}

// secure reports whether name or one above it is SECURE.
func (d *DNS) secure(name string) bool {
	for {
		if n := d.names[name]; n != nil && n.secure {
			return true
		}
		_, parent, ok := strings.Cut(name, ".")
		if !ok {
			return false
		}
		name = parent
	}
}

func (d *DNS) hasBelow(name string) bool {
	for other := range d.names {
		if strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	return false
}

func (n *dnsName) failure(typ mailparts.RRType) dnsFailure {
	if f := n.failures[typ]; f != "" {
		return f
	}
	return n.failures[dnsEveryType]
}

func (n *dnsName) ofType(typ mailparts.RRType) []dnsRecord {
	var records []dnsRecord
	for _, r := range n.records {
		if r.typ == typ {
			records = append(records, r)
		}
	}
	return records
}

// dnsKey is name as the zone's map has it: lower case, A-labels, no final dot.
func dnsKey(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ascii, err := idna.Punycode.ToASCII(name); err == nil {
		return ascii
	}
	return name
}
