package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 3461 section 10.1, where the message comes to Pure-Heart.EDU.
func TestDSNDialogue(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, Hostname: "Pure-Heart.EDU", Extensions: []string{"DSN"}}
	c := dialServer(t, s)
	c.play(t, "S: 220 Pure-Heart.EDU ESMTP")
	if params, ok := c.offered(t, "EHLO")["DSN"]; !ok || params != "" {
		t.Errorf("EHLO shows DSN %q, %v", params, ok)
	}
	c.play(t, `
		C: MAIL FROM:<Alice@Example.ORG> RET=HDRS ENVID=QQ314159
		S: 250 2.1.0 OK
		C: RCPT TO:<Bob@Example.COM> NOTIFY=SUCCESS ORCPT=rfc822;Bob@Example.COM
		S: 250 2.1.5 OK
		C: RCPT TO:<Carol@Ivory.EDU> NOTIFY=FAILURE ORCPT=rfc822;Carol@Ivory.EDU
		S: 250 2.1.5 OK
		C: RCPT TO:<Dana@Ivory.EDU> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Dana@Ivory.EDU
		S: 250 2.1.5 OK
		C: RCPT TO:<Eric@Bombs.AF.MIL> NOTIFY=FAILURE ORCPT=rfc822;Eric@Bombs.AF.MIL
		S: 250 2.1.5 OK
		C: RCPT TO:<Fred@Bombs.AF.MIL> NOTIFY=NEVER
		S: 250 2.1.5 OK
		C: RCPT TO:<George@Tax-ME.GOV> NOTIFY=FAILURE ORCPT=rfc822;George@Tax-ME.GOV
		S: 250 2.1.5 OK
		C: DATA
		S: 354 ...
		C: .
		S: 250 2.0.0 OK queued as ID
		# The next transaction has nothing of it.
		C: MAIL FROM:<Alice@Example.ORG>
		S: 250 2.1.0 OK
	`)
	env := b.only(t).env
	if env.Ret != "HDRS" || env.EnvID != "QQ314159" {
		t.Errorf("RET %q, ENVID %q", env.Ret, env.EnvID)
	}
	want := []mailparts.Rcpt{
		{Addr: "Bob@Example.COM", Notify: mailparts.NotifySuccess, ORcpt: "rfc822;Bob@Example.COM"},
		{Addr: "Carol@Ivory.EDU", Notify: mailparts.NotifyFailure, ORcpt: "rfc822;Carol@Ivory.EDU"},
		{Addr: "Dana@Ivory.EDU", Notify: mailparts.NotifySuccess | mailparts.NotifyFailure, ORcpt: "rfc822;Dana@Ivory.EDU"},
		{Addr: "Eric@Bombs.AF.MIL", Notify: mailparts.NotifyFailure, ORcpt: "rfc822;Eric@Bombs.AF.MIL"},
		{Addr: "Fred@Bombs.AF.MIL", Notify: mailparts.NotifyNever},
		{Addr: "George@Tax-ME.GOV", Notify: mailparts.NotifyFailure, ORcpt: "rfc822;George@Tax-ME.GOV"},
	}
	for i := range want {
		if len(env.To) != len(want) || env.To[i] != want[i] {
			t.Fatalf("to %+v\nwant %+v", env.To, want)
		}
	}
}

func TestDSNOfMail(t *testing.T) {
	server := func() *smtp.Server { return promising(new(inbox), "DSN") }
	replies(t, server, toMail, []paramReply{
		{"RET=FULL", okMail},
		{"RET=hDrS", okMail},
		{"RET=BODY", bad},
		{"RET=FULL,HDRS", bad},
		{"RET=FULL RET=HDRS", twice}, // RFC 3461 section 4.5
		{"ENVID=a+2Bb+20c", okMail},
		{"ENVID=" + strings.Repeat("x", 100), okMail},
		{"ENVID=" + strings.Repeat("x", 101), bad},
		{"ENVID=a+b", bad},
		{"ENVID=a+2b", bad}, // hexchar is in upper case
		{"ENVID=a+", bad},
		{"ENVID=a+0D+0AENVID", bad}, // not printable: RFC 3461 section 4.4
		{"ENVID=a+00", bad},
		{"ENVID=a+7F", bad},
		{"ENVID=a+C3+BC", bad},
		{"ENVID=a+09b", okMail}, // white space is
		{"ENVID=ü SMTPUTF8", bad},
		{"ENVID=a ENVID=a", twice},
	})
}

func TestDSNOfRcpt(t *testing.T) {
	server := func() *smtp.Server { return promising(new(inbox), "DSN") }
	replies(t, server, toRcpt, []paramReply{
		{"NOTIFY=never", okRcpt},
		{"NOTIFY=Success,failure,DELAY", okRcpt},
		{"NOTIFY=DELAY,DELAY", okRcpt},
		{"NOTIFY=NEVER,DELAY", bad}, // NEVER stands alone
		{"NOTIFY=DELAY,NEVER", bad},
		{"NOTIFY=NEVER,NEVER", bad},
		{"NOTIFY=SUCCESS,", bad},
		{"NOTIFY=,", bad},
		{"NOTIFY=SUCCESS;FAILURE", bad},
		{"NOTIFY=ALWAYS", bad},
		{"NOTIFY=SUCCESS NOTIFY=FAILURE", twice},

		{"ORCPT=rfc822;a+2Bb@example.com", okRcpt},
		{"ORCPT=rfc822;+20@", okRcpt}, // it need not be of its type's syntax: RFC 3461 section 4.2
		{"ORCPT=rfc822;", okRcpt},
		{"ORCPT=x400;/S+3DSmith/", okRcpt},
		{"ORCPT=rfc822", bad},
		{"ORCPT=;a@example.com", bad},
		{"ORCPT=a@b;c", bad},
		{"ORCPT=rfc822;a+b@example.com", bad},
		{"ORCPT=rfc822;a+2b@example.com", bad},
		{"ORCPT=rfc822;a+0D+0Ab@example.com", bad},
		{"ORCPT=rfc822;+C3+BC@example.com", bad}, // US-ASCII only
		{"ORCPT=rfc822;a b@example.com", bad},
		{"ORCPT=rfc822;" + strings.Repeat("x", 493), okRcpt},
		{"ORCPT=rfc822;" + strings.Repeat("x", 494), bad},
		{"ORCPT=rfc822;a@example.com ORCPT=rfc822;a@example.com", twice},
	})
}

// RFC 6533 section 3. Its 7-bit form needs no SMTPUTF8.
func TestDSNOfUTF8Addresses(t *testing.T) {
	tests := []struct{ address, ascii, utf8 string }{
		{`j\x{F6}rg@b\x{FC}cher.example`, okRcpt, okRcpt},
		{`\x{10FFFF}\x{4E2D}\x{1F600}@example.com`, okRcpt, okRcpt},
		{`"a\x{20}b\x{5C}\x{2B}\x{3D}"@example.com`, okRcpt, okRcpt},
		{`a@example.com`, okRcpt, okRcpt},
		{`jörg@bücher.example`, "553 5.6.7 ...", okRcpt},
		{`jörg@b\x{fc}cher.example`, "553 5.6.7 ...", okRcpt},
		{``, bad, bad},
		{`a+2Bb@example.com`, bad, bad}, // not xtext
		{`a\x{}@example.com`, bad, bad},
		{`a\x{FC@example.com`, bad, bad},
		{`a\xFC@example.com`, bad, bad},
		{`a\@example.com`, bad, bad},
		{`a\x{41}@example.com`, bad, bad}, // stands for itself
		{`a\x{0A}@example.com`, bad, bad}, // is in no address
		{`a\x{7F}@example.com`, bad, bad},
		{`a\x{85}@example.com`, bad, bad},
		{"a\u0085@example.com", bad, bad},
		{`a\x{D800}@example.com`, bad, bad},
		{`a\x{110000}@example.com`, bad, bad},
		{`a\x{0000FC}@example.com`, bad, bad},
		{`a\x{+FC}@example.com`, bad, bad},
	}
	for _, test := range tests {
		for utf8, reply := range map[string]string{"": test.ascii, " SMTPUTF8": test.utf8} {
			t.Run(test.address+utf8, func(t *testing.T) {
				c := dialServer(t, promising(new(inbox), "DSN"))
				c.play(t, "G: EHLO")
				c.send(t, "MAIL FROM:<a@example.org>"+utf8+"\r\nRCPT TO:<b@example.com> ORCPT=utf-8;"+test.address+"\r\n")
				c.play(t, "S: "+okMail+"\nS: "+reply)
			})
		}
	}
}

// What the envelope holds is what the root's comments say.
func TestDSNAsReceived(t *testing.T) {
	for given, want := range map[string]string{
		"rfc822;a+2Bb@example.com":    "rfc822;a+b@example.com",
		"RFC822;Bob@Example.COM":      "RFC822;Bob@Example.COM",
		"x400;/S+3DJo+20Smith/":       "x400;/S=Jo Smith/",
		"rfc822;+41@example.com":      "rfc822;A@example.com",
		"utf-8;J\u00f6rg@example.com": "utf-8;J\u00f6rg@example.com",
		`UTF-8;j\x{f6}rg@example.com`: `UTF-8;j\x{f6}rg@example.com`,
		"rfc822;":                     "",
	} {
		b := new(inbox)
		c := dialServer(t, promising(b, "DSN"))
		c.play(t, "G: EHLO")
		c.send(t, "MAIL FROM:<a@example.org> SMTPUTF8 ENVID=+2B1+20+3D RET=full\r\nRCPT TO:<b@example.com> ORCPT="+given+"\r\nDATA\r\n.\r\n")
		c.play(t, "S: "+okMail+"\nS: "+okRcpt+"\nS: 354 ...\nS: 250 ...")
		env := b.only(t).env
		if env.To[0].ORcpt != want || env.EnvID != "+1 =" || env.Ret != "FULL" {
			t.Errorf("ORCPT=%s is %q, want %q; ENVID is %q, RET %q", given, env.To[0].ORcpt, want, env.EnvID, env.Ret)
		}
	}
}
