package smtp_test

import (
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// RFC 6409 section 6.1: Server.Domain completes what has no domain.
func TestDomainCompletes(t *testing.T) {
	const badFrom, badTo = "501 5.1.7 Malformed sender address", "501 5.1.3 Malformed recipient address"
	tests := []struct {
		domain, from, to string
		wantFrom, wantTo string // as replied if not taken
	}{
		{"example.com", "alice", "bob", "alice@example.com", "bob@example.com"},
		{"example.com", "alice@example.org", "bob@example.net", "alice@example.org", "bob@example.net"},
		{"example.com", "", "Postmaster", "", "postmaster"},
		{"example.com", "postmaster", `"postmaster"`, "postmaster@example.com", "postmaster@example.com"},
		{"example.com", `"a b"`, `"x> y"`, `"a b"@example.com`, `"x> y"@example.com`},
		{"example.com", "@one.example:alice", "@one.example,@two.example:bob", "alice@example.com", "bob@example.com"},
		{"[192.0.2.1]", "alice", "bob", "alice@[192.0.2.1]", "bob@[192.0.2.1]"},
		{"example.com", "a b", "", badFrom, ""},
		{"example.com", "alice@", "", badFrom, ""},
		{"example.com", "@one.example", "", badFrom, ""},
		{"example.com", "@one.example:", "", badFrom, ""},
		{"example.com", "alice@example..org", "", badFrom, ""},
		{"[x-tag:y]", "alice@[x-tag:y", "", badFrom, ""},
		{"example.com", "alice", "", "alice@example.com", badTo},
		{"example.com", "alice", "bob@-", "alice@example.com", badTo},
		{"example.com", "alice", ".bob", "alice@example.com", badTo},
		{"", "alice", "", badFrom, ""},
		{"", "alice@example.org", "bob", "alice@example.org", badTo},
		{"", "", "postmaster", "", "postmaster"},
	}
	for _, test := range tests {
		t.Run(test.domain+" "+test.from+" "+test.to, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, Domain: test.domain})
			c.play(t, "G: EHLO")
			c.send(t, "MAIL FROM:<"+test.from+">\r\n")
			if test.wantFrom == badFrom {
				c.play(t, "S: "+badFrom)
				return
			}
			c.play(t, "S: "+okMail)
			c.send(t, "RCPT TO:<"+test.to+">\r\n")
			if test.wantTo == badTo {
				c.play(t, "S: "+badTo)
				return
			}
			c.play(t, "S: "+okRcpt+"\nC: DATA\\r\\n.\nS: 354 ...\nS: 250 ...")
			if env := b.only(t).env; string(env.From) != test.wantFrom || string(env.To[0].Addr) != test.wantTo {
				t.Errorf("from %q to %q", env.From, env.To[0].Addr)
			}
		})
	}
}

func TestServeRefusesDomains(t *testing.T) {
	for _, domain := range []string{"bücher.example", "example..com", "@example.com", "example.com ", "a>\r\nQUIT", "[192.0.2"} {
		serveFails(t, &smtp.Server{Receiver: new(inbox), Domain: domain}, "Domain "+domain)
	}
}
