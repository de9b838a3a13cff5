package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 5321 section 3.5.1.
func TestExpand(t *testing.T) {
	expand := func(_ context.Context, p *mailparts.Peer, list string) ([]string, error) {
		if p.Addr.Addr().String() != "127.0.0.1" {
			t.Errorf("peer %+v", p)
		}
		switch list {
		case "Example-People":
			return []string{"Jon Postel <Postel@isi.edu>", "Fred Fonebone <Fonebone@physics.foo-u.edu>", "Sam Q. Smith <SQSmith@specific.generic.com>"}, nil
		case "Executive-Washroom-List":
			return nil, &mailparts.Error{Code: 550, Message: "Access Denied to You."}
		case "one":
			return []string{"<one@example.com>"}, nil
		case "none":
			return nil, nil
		case "hidden":
			return nil, &mailparts.Error{Code: 252, Message: "Unable to verify members of mailing list"}
		case "jörg":
			return []string{"a@example.com", "jörg@example.com"}, nil
		case "broken":
			return nil, errors.New("database is down, see host db1")
		case "long":
			return []string{"a@example.com", strings.Repeat("x", 501)}, nil
		case "evil":
			return []string{"a\r\n250 FOO", "b\x00"}, nil
		}
		return nil, &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such list: " + list}
	}
	play(t, &smtp.Server{Receiver: new(inbox), Expand: expand}, `
		S: 220 ...
		# RFC 5321 section 4.1.4: it needs no EHLO
		C: EXPN Example-People
		S: 250-2.1.5 Jon Postel <Postel@isi.edu>
		S: 250-2.1.5 Fred Fonebone <Fonebone@physics.foo-u.edu>
		S: 250 2.1.5 Sam Q. Smith <SQSmith@specific.generic.com>
		C: EXPN Executive-Washroom-List
		S: 550 5.0.0 Access Denied to You.
		C: expn one
		S: 250 2.1.5 <one@example.com>
		C: EXPN none
		S: 550 5.2.4 Nobody is on this list
		C: EXPN hidden
		S: 252 2.0.0 Unable to verify members of mailing list
		C: EXPN jörg
		S: 252 2.6.8 The reply needs SMTPUTF8 behind the name
		C: EXPN broken
		S: 451 4.3.0 Temporary failure, please try again later
		C: EXPN long
		S: 451 4.3.0 Temporary failure, please try again later
		C: EXPN evil
		S: 250-2.1.5 a?
		S: 250-2.1.5 250 FOO
		S: 250 2.1.5 b?
		C: EXPN
		S: 501 5.5.4 An argument is missing
		C: EXPN a\xff
		S: 501 5.5.2 Octets that do not belong in this command
		G: EHLO
		C: EXPN jörg SMTPUTF8
		S: 250-2.1.5 a@example.com
		S: 250 2.1.5 jörg@example.com
		# It does nothing to a transaction.
		C: MAIL FROM:<a@example.org>\r\nEXPN one\r\nRCPT TO:<b@example.com>
		S: 250 2.1.0 OK
		S: 250 2.1.5 <one@example.com>
		S: 250 2.1.5 OK
	`)
}

func TestExpandWithoutExpand(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox)}, `
		S: 220 ...
		C: EXPN Example-People
		S: 502 5.5.1 Not implemented
	`)
}

// Each member is told, however many there are, and none is cut.
func TestExpandLargeList(t *testing.T) {
	var members []string
	for i := range 5000 {
		members = append(members, fmt.Sprintf("Member %d <%s%d@example.com>", i, strings.Repeat("x", 60), i))
	}
	members[7] = strings.Repeat("y", 500)
	expand := func(context.Context, *mailparts.Peer, string) ([]string, error) { return members, nil }
	c := dialServer(t, &smtp.Server{Receiver: new(inbox), Expand: expand})
	c.play(t, "S: 220 ...\nC: EXPN all")
	for i, m := range members {
		sep := "-"
		if i == len(members)-1 {
			sep = " "
		}
		if l := c.line(t); l != "250"+sep+"2.1.5 "+m {
			t.Fatalf("member %d: %q", i, l)
		}
	}
	c.play(t, "C: NOOP\nS: 250 2.0.0 OK")
}
