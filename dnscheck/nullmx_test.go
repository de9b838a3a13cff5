package dnscheck_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dnscheck"
	"github.com/mailparts/mailparts/mailtest"
)

func TestRefuseNullMX(t *testing.T) {
	dns := mailtest.NewDNS(
		"null.example           MX  0 .",
		"xn--bcher-kva.example  MX  0 .",
		"beside.example         MX  0 .",
		"beside.example         MX  10 mx.example.org",
		"example.org            MX  10 mx.example.org",
		"implicit.example       A   192.0.2.1",
		"broken.example         SERVFAIL",
		"alias.example          CNAME null.example",
	)
	check := dnscheck.RefuseNullMX(dns)
	for from, refused := range map[mailparts.Address]bool{
		"a@null.example":               true,
		"a@NULL.example":               true,
		"a@bücher.example":             true,
		"a@alias.example":              true,
		"a@beside.example":             false, // says nothing
		"a@example.org":                false,
		"a@implicit.example":           false,
		"a@broken.example":             false, // nobody can tell now
		"a@nowhere.example":            false,
		"a@[192.0.2.1]":                false,
		"a@[IPv6:2001:db8::1]":         false,
		"":                             false,
		`"a@null.example"@x.org`:       false,
		"a@sub.null.example":           false,
		"a@xn--bcher-kva.example":      true,
		`"b@example.org"@null.example`: true,
	} {
		err := check(t.Context(), &mailparts.Envelope{From: from})
		e, ok := errors.AsType[*mailparts.Error](err)
		if refused != (err != nil) || ok && (e.Code != 550 || e.Status != "5.7.27" || !errors.Is(e, mailparts.ErrNullMX)) {
			t.Errorf("from %q: %v, want refused: %v", from, err, refused)
		}
	}
}

// A name server that is silent does not stop mail.
func TestRefuseNullMXWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := mailtest.NewDNS("slow.example TIMEOUT")
		if err := dnscheck.RefuseNullMX(dns)(t.Context(), &mailparts.Envelope{From: "a@slow.example"}); err != nil {
			t.Errorf("refused: %v", err)
		}
	})
}

func ExampleRefuseNullMX() {
	dns := mailtest.NewDNS("noreply.example MX 0 .")
	var inbox mailparts.Receiver // what takes the mail
	r := mailparts.Chain(inbox, mailparts.OnMail(dnscheck.RefuseNullMX(dns)))

	_, err := r.Mail(context.Background(), &mailparts.Envelope{From: "shop@noreply.example"})
	fmt.Println(err)
	// Output:
	// 550 5.7.27 The sender's domain accepts no mail: domain accepts no mail
}
