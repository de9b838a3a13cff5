package queue

import (
	"reflect"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/idn"
)

// Router says what delivers to a recipient, and whether the domain is ours. To
// what is not ours, only a Peer that is authenticated or trusted, and mail made
// here, may send. A nil Deliverer means that there is no way to it.
type Router interface {
	Route(to mailparts.Address) (d mailparts.Deliverer, ours bool)
}

// Routes is a Router by name. The first of these that it has decides:
//
//	"bob@example.org"    one recipient
//	"example.org"        a domain
//	".example.org"       its subdomains, the longest match first
//	"*"                  all others, which are not ours
//
// Domains are in lower case, as A-labels or U-labels; those of recipients may be
// in any case and either form. The recipient without a domain is "postmaster"
// (RFC 5321 section 4.5.1).
type Routes map[string]mailparts.Deliverer

// Route implements Router.
func (r Routes) Route(to mailparts.Address) (d mailparts.Deliverer, ours bool) {
	key := r.match(to)
	return r[key], key != "*"
}

// match returns the key that decides.
func (r Routes) match(to mailparts.Address) string {
	domain := to.Domain()
	if domain == "" {
		return r.first(strings.ToLower(string(to)), "*")
	}
	local := string(to[:strings.LastIndexByte(string(to), '@')+1])
	for _, d := range []string{domain, idn.ASCII(domain), idn.Unicode(domain)} {
		keys := []string{local + d, d}
		for _, sub, ok := strings.Cut(d, "."); ok; _, sub, ok = strings.Cut(sub, ".") {
			keys = append(keys, "."+sub)
		}
		if key := r.first(keys...); key != "" {
			return key
		}
	}
	return "*"
}

// first returns the first of keys that r has, or "".
func (r Routes) first(keys ...string) string {
	for _, k := range keys {
		if _, ok := r[k]; ok {
			return k
		}
	}
	return ""
}

// destOf is Entry.Dest of a recipient.
func destOf(to mailparts.Address) string { return idn.ASCII(to.Domain()) }

// route is the way to a recipient.
type route struct {
	to   mailparts.Deliverer
	ours bool
	same any // equal for recipients of one Deliverer
}

func (q *Queue) route(to mailparts.Address) route {
	if q.Routes == nil {
		return route{}
	}
	d, ours := q.Routes.Route(to)
	r := route{to: d, ours: ours}
	switch routes, byName := q.Routes.(Routes); {
	case d == nil || reflect.ValueOf(d).Comparable():
		r.same = d
	case byName: // a function cannot be compared, but its name can
		r.same = routes.match(to)
	default:
		r.same = new(byte)
	}
	return r
}

// group is recipients that are delivered together: their Rcpts, and where in
// Envelope.To they stand.
type group struct {
	route route
	dest  string
	to    []mailparts.Rcpt
	index []int
}

// groups sorts recipients by Deliverer and destination, those left out for which
// admit returns false.
func (q *Queue) groups(to []mailparts.Rcpt, admit func(i int, r route) bool) []*group {
	type key struct {
		same any
		dest string
	}
	var groups []*group
	byKey := map[key]*group{}
	for i, rcpt := range to {
		r := q.route(rcpt.Addr)
		if !admit(i, r) {
			continue
		}
		k := key{r.same, destOf(rcpt.Addr)}
		g := byKey[k]
		if g == nil {
			g = &group{route: r, dest: k.dest}
			byKey[k] = g
			groups = append(groups, g)
		}
		g.to = append(g.to, rcpt)
		g.index = append(g.index, i)
	}
	return groups
}
