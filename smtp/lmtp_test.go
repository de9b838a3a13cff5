package smtp_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 2033 section 4.2's example, on our replies.
func TestLMTPSession(t *testing.T) {
	full := &mailparts.Error{Code: 452, Status: "4.2.2", Message: "pat's mailbox is over quota"}
	var got []mailparts.Rcpt
	r := deliver(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		if err != nil {
			return err
		}
		got = env.To
		mailparts.Report(ctx, env.To[1], mailparts.Receipt{Reply: "stored as UID 7"})
		return mailparts.RcptErrors{full, nil, errors.New("secret"), nil}
	})
	unknown := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		if to.Addr == "jones@foo.edu" {
			return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user here"}
		}
		return nil
	})
	play(t, &smtp.Server{LMTP: true, Hostname: "foo.edu", Receiver: mailparts.Chain(r, unknown)}, `
		S: 220 foo.edu LMTP
		C: EHLO foo.edu
		S: 500 This is LMTP: use LHLO
		C: HELO foo.edu
		S: 500 This is LMTP: use LHLO
		C: LHLO foo.edu
		S: 250-foo.edu
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: MAIL FROM:<chris@bar.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<pat@foo.edu>
		S: 250 2.1.5 OK
		C: RCPT TO:<jones@foo.edu>
		S: 550 5.1.1 No such user here
		C: RCPT TO:<green@foo.edu>
		S: 250 2.1.5 OK
		C: RCPT TO:<green@foo.edu>
		S: 250 2.1.5 OK
		C: RCPT TO:<white@foo.edu>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: Blah blah blah...
		C: .
		S: 452 4.2.2 pat's mailbox is over quota
		S: 250 2.0.0 OK ID stored as UID 7
		S: 451 4.3.0 Temporary failure, please try again later
		S: 250 2.0.0 OK queued as ID
		C: HELP
		S: 214-2.0.0 Commands:
		S: 214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET VRFY NOOP HELP QUIT
		C: QUIT
		S: 221 2.0.0 foo.edu closing the connection
		S!
	`)
	if len(got) != 4 || got[1].Addr != "green@foo.edu" || got[2].Addr != "green@foo.edu" {
		t.Errorf("to %v", got)
	}
}

// RFC 2033 section 4.2: DATA without recipients is 503.
func TestLMTPWithoutRecipients(t *testing.T) {
	play(t, &smtp.Server{LMTP: true, Receiver: new(inbox)}, `
		G: LHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<unknown@example.com>\r\nDATA
		S: 250 2.1.0 OK
		S: 550 5.1.1 No such user
		S: 503 5.5.1 No valid recipients
	`)
}

// One reply for each recipient, whatever the Deliverer says and whatever it makes
// of env.To.
func TestLMTPCountsReplies(t *testing.T) {
	no := &mailparts.Error{Code: 554, Message: "No"}
	for _, test := range []struct {
		name, script string
		deliver      mailparts.DelivererFunc
	}{
		{"one error for all", `
			S: 354 ...
			S: 554 5.0.0 No
			S: 554 5.0.0 No`,
			func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				io.Copy(io.Discard, msg)
				return no
			}},
		{"too few results", `
			S: 354 ...
			S: 250 2.0.0 OK queued as ID
			S: 451 4.3.0 Temporary failure, please try again later`,
			func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				io.Copy(io.Discard, msg)
				return mailparts.RcptErrors{nil}
			}},
		{"too many results", `
			S: 354 ...
			S: 554 5.0.0 No
			S: 250 2.0.0 OK queued as ID`,
			func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				io.Copy(io.Discard, msg)
				return mailparts.RcptErrors{no, nil, no}
			}},
		{"fewer recipients", `
			S: 354 ...
			S: 250 2.0.0 OK queued as ID
			S: 250 2.0.0 OK queued as ID`,
			func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
				env.To = env.To[:0]
				_, err := io.Copy(io.Discard, msg)
				return err
			}},
		{"refused before 354", `
			S: 554 5.0.0 No`,
			func(context.Context, *mailparts.Envelope, io.Reader) error { return no }},
		{"results before 354", `
			S: 354 ...
			S: 554 5.0.0 No
			S: 250 2.0.0 OK queued as ID`,
			func(context.Context, *mailparts.Envelope, io.Reader) error { return mailparts.RcptErrors{no, nil} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dialServer(t, &smtp.Server{LMTP: true, Receiver: deliver(test.deliver)})
			c.play(t, `
				G: LHLO
				C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				S: 250 2.1.5 OK
			`)
			first, rest, _ := strings.Cut(strings.TrimSpace(test.script), "\n")
			c.play(t, first)
			if rest != "" {
				c.play(t, "C: .\n"+rest)
			}
			c.play(t, "C: NOOP\nS: 250 2.0.0 OK")
		})
	}
}

// Too many refused recipients are too many errors after the last of them.
func TestLMTPErrorsAreCountedAfterTheReplies(t *testing.T) {
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		io.Copy(io.Discard, msg)
		return &mailparts.Error{Code: 421, Status: "4.3.2", Message: "Going down"}
	})
	play(t, &smtp.Server{LMTP: true, Receiver: r, MaxErrors: 1}, `
		G: LHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 421 4.3.2 Going down
		S: 421 4.3.2 Going down
		S!
	`)
}

// SMTP has one reply: see Server.
func TestMixedResultsOnSMTP(t *testing.T) {
	permanent := &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
	temporary := &mailparts.Error{Code: 452, Status: "4.2.2", Message: "Over quota"}
	const mixed = "Not all recipients failed, but SMTP has one reply for all"
	for _, test := range []struct {
		name, reply string
		errs        mailparts.RcptErrors
	}{
		{"none failed", "S: 250 2.0.0 OK queued as ID", mailparts.RcptErrors{nil, nil}},
		{"all failed for good", "S: 550 5.1.1 No such user", mailparts.RcptErrors{permanent, permanent}},
		{"all failed, one for now", "S: 452 4.2.2 Over quota", mailparts.RcptErrors{permanent, temporary}},
		{"one failed for now", "S: 452-4.2.2 Over quota\nS: 452 4.2.2 " + mixed, mailparts.RcptErrors{nil, temporary}},
		{"one failed for good", "S: 550-5.1.1 No such user\nS: 550 5.1.1 " + mixed, mailparts.RcptErrors{permanent, nil}},
		{"one is missing", "S: 451-4.3.0 Temporary failure, please try again later\nS: 451 4.3.0 " + mixed, mailparts.RcptErrors{nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				io.Copy(io.Discard, msg)
				return test.errs
			})
			play(t, &smtp.Server{Receiver: r}, `
				G: EHLO
				C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n.
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				S: 250 2.1.5 OK
				S: 354 ...
				`+test.reply)
		})
	}
}

// RFC 2033 section 4.3: one reply for each recipient to BDAT LAST, one to any other
// BDAT.
func TestLMTPBDAT(t *testing.T) {
	full := &mailparts.Error{Code: 452, Status: "4.2.2", Message: "Over quota"}
	spam := &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}
	const mail = `C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<unknown@example.com>\r\nRCPT TO:<b@example.com>
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 550 5.1.1 No such user
		S: 250 2.1.5 OK
	`
	for _, test := range []struct {
		name   string
		early  bool // returns before it has read
		err    error
		script string
	}{
		{"accepted", false, nil, `
			C: BDAT 7\r\nhello\r\nBDAT 0 LAST
			S: 250 2.0.0 OK, 7 octets received
			S: 250 2.0.0 OK queued as ID
			S: 250 2.0.0 OK queued as ID`},
		{"for one", false, mailparts.RcptErrors{nil, full}, `
			C: BDAT 7\r\nhello\r\nBDAT 0 LAST
			S: 250 2.0.0 OK, 7 octets received
			S: 250 2.0.0 OK queued as ID
			S: 452 4.2.2 Over quota`},
		{"for one, early", true, mailparts.RcptErrors{nil, full}, `
			C: BDAT 7\r\nhello\r\nBDAT 7\r\nhello\r\nBDAT 0 LAST
			S: 250 2.0.0 OK, 7 octets received
			S: 250 2.0.0 OK, 7 octets received
			S: 250 2.0.0 OK queued as ID
			S: 452 4.2.2 Over quota`},
		{"for none, early", true, mailparts.RcptErrors{spam, full}, `
			C: BDAT 7\r\nhello\r\nBDAT 7\r\nhello\r\nBDAT 0 LAST
			S: 452 4.2.2 Over quota
			S: 452 4.2.2 Over quota
			S: 554 5.6.0 Spam
			S: 452 4.2.2 Over quota`},
		{"refused", false, spam, `
			C: BDAT 7 LAST\r\nhello
			S: 554 5.6.0 Spam
			S: 554 5.6.0 Spam`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := mailparts.Chain(new(inbox), mailparts.OnData(func(mailparts.Deliverer) mailparts.Deliverer {
				return mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
					if !test.early {
						io.Copy(io.Discard, msg)
					}
					return test.err
				})
			}))
			play(t, &smtp.Server{LMTP: true, Receiver: r}, "G: LHLO\n"+mail+test.script+`
				C: NOOP
				S: 250 2.0.0 OK
			`)
		})
	}
}

// RFC 2033 section 4.3: without a recipient, BDAT LAST has no reply.
func TestLMTPBDATWithoutRecipients(t *testing.T) {
	play(t, &smtp.Server{LMTP: true, Receiver: new(inbox)}, `
		G: LHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<unknown@example.com>\r\nBDAT 7\r\nhello\r\nBDAT 7 LAST\r\nhello\r\nRSET\r\nBDAT 7 LAST\r\nhello\r\nNOOP
		S: 250 2.1.0 OK
		S: 550 5.1.1 No such user
		S: 503 5.5.1 No valid recipients
		S: 250 2.0.0 OK
		S: 250 2.0.0 OK
	`)
	// It is an error all the same.
	play(t, &smtp.Server{LMTP: true, Receiver: new(inbox), MaxErrors: 2}, `
		G: LHLO
		C: BDAT 0 LAST\r\nBDAT 0 LAST
		S: 421 4.7.0 Too many errors, closing the connection
		S!
	`)
}

// RFC 2033 section 5: LMTP must not be used on TCP's port 25.
func TestLMTPIsNotForPort25(t *testing.T) {
	const why = "LMTP is not for TCP's port 25"
	for _, port := range []string{"25", "smtp"} {
		addr := "127.0.0.1:" + port
		s := &smtp.Server{Addr: addr, LMTP: true, Receiver: new(inbox)}
		s.Close() // it would return at once
		if err := s.ListenAndServe(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ListenAndServe on %s: %v", addr, err)
		}
		_, err := (&smtp.Dialer{LMTP: true}).Dial(t.Context(), addr)
		if e := mailparts.AsError(err); !e.Temporary() || e.Err == nil || !strings.Contains(e.Err.Error(), why) {
			t.Errorf("Dial of %s: %v", addr, err)
		}
	}
}

// 421 ends the connection, whichever recipient it is for.
func TestLMTPGoesAwayForOneRecipient(t *testing.T) {
	away := &mailparts.Error{Code: 421, Status: "4.3.2", Message: "Restarting"}
	no := &mailparts.Error{Code: 554, Message: "No"}
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		io.Copy(io.Discard, msg)
		return mailparts.RcptErrors{away, no}
	})
	play(t, &smtp.Server{LMTP: true, Receiver: r}, `
		G: LHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 421 4.3.2 Restarting
		S: 554 5.0.0 No
		S!
	`)
}
