package smtp_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 1985 section 7.
func TestETRNDialogue(t *testing.T) {
	var nodes []string
	flush := func(_ context.Context, p *mailparts.Peer, node string) error {
		if p.Hello != "ymir.claremont.edu" {
			t.Errorf("peer %+v", p)
		}
		nodes = append(nodes, node)
		said := func(code int, text string) error { return &mailparts.Error{Code: code, Message: text} }
		switch node {
		case "uu.net":
			return said(458, "Unable to queue messages for node uu.net")
		case "foo.bar":
			return said(459, "Node foo.bar not allowed: Unable to resolve name.")
		case "sigurd.innosoft.com":
			return said(251, "OK, no messages waiting for node sigurd.innosoft.com")
		case "pending.innosoft.com":
			return said(252, "OK, pending messages for node pending.innosoft.com started")
		case "mysoft.com":
			return said(253, "OK, 14 pending messages for node mysoft.com started")
		case "broken.example":
			return errors.New("database is down, see host db1")
		}
		return nil
	}
	play(t, &smtp.Server{Receiver: new(inbox), Hostname: "sigurd.innosoft.com", Flush: flush}, `
		S: 220 sigurd.innosoft.com ESMTP
		C: ETRN innosoft.com
		S: 503 5.5.1 Greet first
		C: EHLO ymir.claremont.edu
		S: 250-sigurd.innosoft.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-LIMITS RCPTMAX=1000
		S: 250-ETRN
		S: 250 HELP
		C: ETRN
		S: 501 5.5.4 An argument is missing
		C: ETRN localname
		S: 501 5.5.4 Syntax: ETRN domain, @domain or #queue
		C: ETRN uu.net
		S: 458 4.0.0 Unable to queue messages for node uu.net
		C: ETRN innosoft.com
		S: 250 2.0.0 OK, queuing for node innosoft.com started
		C: ETRN sigurd.innosoft.com
		S: 251 2.0.0 OK, no messages waiting for node sigurd.innosoft.com
		C: etrn pending.innosoft.com
		S: 252 2.0.0 OK, pending messages for node pending.innosoft.com started
		C: ETRN mysoft.com
		S: 253 2.0.0 OK, 14 pending messages for node mysoft.com started
		C: ETRN foo.bar
		S: 459 4.0.0 Node foo.bar not allowed: Unable to resolve name.
		C: ETRN broken.example
		S: 451 4.3.0 Temporary failure, please try again later
		# Section 5.3.
		C: ETRN @foo.com
		S: 250 2.0.0 OK, queuing for node @foo.com started
		C: ETRN #uucp
		S: 250 2.0.0 OK, queuing for node #uucp started
		# Section 5: not in a transaction.
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: ETRN innosoft.com
		S: 503 5.5.1 ETRN is not permitted during a mail transaction
		C: RSET
		S: 250 2.0.0 OK
		C: ETRN innosoft.com
		S: 250 ...
	`)
	want := "uu.net innosoft.com sigurd.innosoft.com pending.innosoft.com mysoft.com foo.bar broken.example @foo.com #uucp innosoft.com"
	if got := strings.Join(nodes, " "); got != want {
		t.Errorf("flushed %s\nwant %s", got, want)
	}
}

func TestETRNArguments(t *testing.T) {
	flush := func(_ context.Context, _ *mailparts.Peer, node string) error {
		t.Errorf("flushed %q", node)
		return nil
	}
	for _, node := range []string{
		"localname", "@", "#", "@localname", "@@foo.com", "#a b", "foo.com bar.com", "foo..com", "-foo.com", "[192.0.2.1]", "@[192.0.2.1]",
		"a@foo.com", "foo.com.", strings.Repeat("x.", 127) + "com",
	} {
		play(t, &smtp.Server{Receiver: new(inbox), Flush: flush}, "G: EHLO\nC: ETRN "+node+"\nS: 501 5.5.4 Syntax: ...")
	}
	play(t, &smtp.Server{Receiver: new(inbox), Flush: flush}, "G: EHLO\nC: ETRN bücher.example\nS: 501 5.5.2 Octets ...")
	play(t, &smtp.Server{Receiver: new(inbox)}, "G: EHLO\nC: ETRN foo.com\nS: 502 5.5.1 Not implemented")
}
