package smtp_test

import (
	"context"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestHelp(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), MaxConnsPerAddr: -1}, `
		S: 220 ...
		C: HELP
		S: 214-2.0.0 Commands:
		S: 214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET VRFY NOOP HELP QUIT
		C: HELP MAIL
		S: 214-2.0.0 MAIL FROM:<sender> [parameters]
		S: 214 2.0.0 Begin a message (RFC 5321 section 4.1.1.2)
		C: help quit
		S: 214-2.0.0 QUIT
		S: 214 2.0.0 Say goodbye (RFC 5321 section 4.1.1.10)
		C: HELP EXPN
		S: 504 5.5.4 There is no help on that
		C: HELP LHLO
		S: 504 5.5.4 There is no help on that
		C: HELP me
		S: 504 5.5.4 There is no help on that
		C: HELP MAIL RCPT
		S: 504 5.5.4 There is no help on that
	`)
}

// HELP knows each command that is there, and none that is not.
func TestHelpKnowsTheCommands(t *testing.T) {
	all := &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{}, MaxConnsPerAddr: -1, XFrom: prefixes("127.0.0.0/8"),
		Verify: func(context.Context, *mailparts.Peer, string) (string, error) { return "", nil },
		Expand: func(context.Context, *mailparts.Peer, string) ([]string, error) {
			return []string{"a@example.com"}, nil
		},
		Flush: func(context.Context, *mailparts.Peer, string) error { return nil },
	}
	for name, s := range map[string]*smtp.Server{
		"all":     all,
		"minimal": {Receiver: new(inbox), MaxConnsPerAddr: -1},
		"LMTP":    {Receiver: new(inbox), LMTP: true, MaxConnsPerAddr: -1},
	} {
		for _, verb := range smtp.Verbs() {
			c := dialServer(t, s)
			c.play(t, "S: 220 ...\nC: HELP "+verb)
			known := c.line(t)[:3] == "214"
			if known {
				c.line(t)
			}
			command := verb + " x"
			switch verb {
			case "DATA", "RSET", "QUIT", "STARTTLS":
				command = verb
			}
			c.play(t, "C: "+command)
			code := c.line(t)[:3]
			// 421 is for HTTP, which is hung up on, 550 for who is not in XFrom.
			there := code != "502" && code != "500" && code != "421" && code != "550"
			if known != there {
				t.Errorf("%s: HELP %s is known: %v, but the command gets %s", name, verb, known, code)
			}
		}
	}
}
