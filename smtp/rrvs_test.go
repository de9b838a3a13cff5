package smtp_test

import (
	"context"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 7293 section 12.1, with a Receiver who keeps the promise.
func TestRRVSDialogue(t *testing.T) {
	since := time.Date(2014, 5, 1, 0, 0, 0, 0, time.UTC)
	check := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		if !to.Since.IsZero() && to.Since.Before(since) {
			return &mailparts.Error{Code: 550, Status: "5.7.17", Message: string(to.Addr) + " is no longer valid"}
		}
		return nil
	})
	c := dialServer(t, &smtp.Server{Receiver: mailparts.Chain(new(inbox), check), Extensions: []string{"RRVS"}})
	c.play(t, "S: 220 ...")
	if params, ok := c.offered(t, "EHLO")["RRVS"]; !ok || params != "" {
		t.Errorf("EHLO shows RRVS %q, %v", params, ok)
	}
	c.play(t, `
		C: MAIL FROM:<sender@example.net>
		S: 250 2.1.0 OK
		C: RCPT TO:<receiver@example.com> RRVS=2014-04-03T23:01:00Z
		S: 550 5.7.17 receiver@example.com is no longer valid
		C: RCPT TO:<receiver@example.com> RRVS=2014-05-03T23:01:00Z
		S: 250 2.1.5 OK
		C: QUIT
		S: 221 ...
	`)
}

func TestRRVSValues(t *testing.T) {
	server := func() *smtp.Server { return promising(new(inbox), "RRVS") }
	replies(t, server, toRcpt, []paramReply{
		{"RRVS=2014-04-03T23:01:00.5Z", bad}, // no time-secfrac: RFC 7293 section 3.1
		{"RRVS=2014-04-03T23:01:00,5Z", bad},
		{"RRVS=2014-04-03T23:01:00", bad},
		{"RRVS=2014-04-03", bad},
		{"RRVS=2014-04-03T23:01Z", bad},
		{"RRVS=2014-04-31T23:01:00Z", bad},
		{"RRVS=2014-04-03T24:01:00Z", bad},
		{"RRVS=2014-04-03T23:01:00+25:00", bad},
		{"RRVS=0001-01-01T00:00:00Z", bad},
		{"RRVS=2014-04-03T23:01:00Z;", bad},
		{"RRVS=2014-04-03T23:01:00Z;X", bad},
		{"RRVS=2014-04-03T23:01:00Z;CR", bad},
		{"RRVS=2014-04-03T23:01:00Z;C;R", bad},
		{"RRVS=;C", bad},
		{"RRVS=C", bad},
	})
}

func TestRRVSEnvelope(t *testing.T) {
	for param, optional := range map[string]bool{
		"RRVS=2014-04-03T23:01:00Z": false, "RRVS=2014-04-03T23:01:00Z;R": false, "RRVS=2014-04-03T23:01:00Z;C": true,
		"rrvs=2014-04-03t23:01:00z;c": true, "RRVS=2014-04-04T01:01:00+02:00;c": true,
	} {
		b := new(inbox)
		to := envelopeWith(t, promising(b, "RRVS"), b, "", param).To[0]
		if !to.Since.Equal(time.Date(2014, 4, 3, 23, 1, 0, 0, time.UTC)) || to.SinceOptional != optional {
			t.Errorf("%s: since %v, optional %v", param, to.Since, to.SinceOptional)
		}
	}
}
