package lmtp_test

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
)

func TestLocalAtRCPT(t *testing.T) {
	l := lmtp.Local{Backend: &mailtest.Memory{Users: []string{"bob"}}, Domains: []string{"example.com", "müller.example", "xn--bcher-kva.example"}}
	tx, err := l.Mail(t.Context(), letter())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	for _, tt := range []struct {
		to          mailparts.Address
		check, rcpt string
	}{
		{"bob@example.com", "ok", "ok"},
		{"bob+x@example.com", "ok", "ok"},
		{"nobody@example.com", "550 5.1.1", "550 5.1.1"},
		{"nobody@example.net", "ok", "550 5.1.2"}, // the next one's, if there is one
		{"postmaster", "550 5.1.1", "550 5.1.1"},
		{"bob@xn--mller-kva.example", "ok", "ok"},
		{"bob@Bücher.example", "ok", "ok"},
		{"nobody@ｅxample。com", "550 5.1.1", "550 5.1.1"}, // another spelling of ours
	} {
		to := mailparts.Rcpt{Addr: tt.to}
		if got := codes(l.Check(t.Context(), letter(), &to), 1); got != tt.check {
			t.Errorf("Check(%s): got %s, want %s", tt.to, got, tt.check)
		}
		if got := codes(tx.Rcpt(t.Context(), &to), 1); got != tt.rcpt {
			t.Errorf("Rcpt(%s): got %s, want %s", tt.to, got, tt.rcpt)
		}
	}
}
