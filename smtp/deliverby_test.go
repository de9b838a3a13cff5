package smtp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 2852 section 6, as acme.net and as mail.other.com.
func TestDeliverByDialogues(t *testing.T) {
	for _, test := range []struct{ promise, params, by, reply string }{
		{"DELIVERBY", "", "BY=120;R", "250 2.1.0 OK"},
		{"DELIVERBY 240", "240", "BY=120;R", "555 5.5.4 BY is less than the 240 seconds that delivery may take here"},
		{"DELIVERBY 30", "30", "BY=98;R", "250 2.1.0 OK"},
	} {
		c := dialServer(t, &smtp.Server{Receiver: new(inbox), Extensions: []string{test.promise}})
		c.play(t, "S: 220 ...")
		if params, ok := c.offered(t, "EHLO")["DELIVERBY"]; !ok || params != test.params {
			t.Errorf("EHLO shows DELIVERBY %q, %v", params, ok)
		}
		c.play(t, "C: MAIL FROM:<eljefe@bigbiz.com> "+test.by+"\nS: "+test.reply)
	}
}

func TestDeliverByValues(t *testing.T) {
	const short = "555 5.5.4 BY is less than the 240 seconds that delivery may take here"
	server := func() *smtp.Server { return promising(new(inbox), "DELIVERBY 240") }
	replies(t, server, toMail, []paramReply{
		{"BY=240;R", okMail},
		{"BY=239;R", short},
		{"BY=239;N", okMail}, // the minimum is for R
		{"BY=+240;RT", okMail},
		{"BY=000000240;r", okMail},
		{"BY=999999999;R", okMail},
		{"BY=1000000000;R", bad},
		{"BY=-999999999;N", okMail},
		{"BY=-1000000000;N", bad},
		{"BY=0;N", okMail},
		{"BY=-1;nt", okMail},
		{"BY=0;R", bad}, // RFC 2852 section 4
		{"BY=-240;R", bad},
		{"BY=-0;R", bad},
		{"BY=240", bad},
		{"BY=240;", bad},
		{"BY=240;T", bad},
		{"BY=240;X", bad},
		{"BY=240;RN", bad},
		{"BY=240;TR", bad},
		{"BY=240;RTT", bad},
		{"BY=;R", bad},
		{"BY=-;N", bad},
		{"BY=+-240;N", bad},
		{"BY=-+240;N", bad},
		{"BY=--240;N", bad},
		{"BY=2.5;R", bad},
		{"BY=0x240;R", bad},
		{"BY=R;240", bad},
	})
}

// The by-time runs from MAIL.
func TestDeliverByDeadline(t *testing.T) {
	for by, want := range map[string]mailparts.Deadline{
		"120;R":  {Return: true},
		"120;NT": {Trace: true},
		"-120;N": {},
		"0;N":    {},
	} {
		synctest.Test(t, func(t *testing.T) {
			delta, _ := time.ParseDuration(by[:len(by)-len(map[bool]string{true: ";NT", false: ";N"}[want.Trace])] + "s")
			want.Time = time.Now().Add(time.Minute + delta).Round(0)
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, Extensions: []string{"DELIVERBY"}})
			c.play(t, "G: EHLO")
			time.Sleep(time.Minute)
			c.play(t, "C: MAIL FROM:<a@example.org> BY="+by+"\nS: 250 2.1.0 OK")
			time.Sleep(time.Minute)
			c.play(t, "C: RCPT TO:<b@example.com>\nS: 250 2.1.5 OK\nC: DATA\\r\\n.\nS: 354 ...\nS: 250 ...")
			if got := b.only(t).env.By; got != want {
				t.Errorf("BY=%s is %v, want %v", by, got, want)
			}
		})
	}
}
