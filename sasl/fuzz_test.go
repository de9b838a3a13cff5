package sasl_test

import (
	"bytes"
	"testing"

	"github.com/mailparts/mailparts/sasl"
)

// fuzzExchange gives the lines of script to an exchange, one message each, goes on
// after errors, and checks what every exchange promises.
func fuzzExchange(t *testing.T, x sasl.Exchange, script []byte, initial bool) {
	if initial {
		x.Next(nil)
	}
	over := false
	for i, message := range append(bytes.Split(script, []byte("\n")), nil, []byte{}) {
		challenge, done, err := x.Next(message)
		switch {
		case over && (err == nil || done):
			t.Fatalf("message %d after the end: challenge %q, done %v, %v", i, challenge, done, err)
		case err != nil && (done || challenge != nil):
			t.Fatalf("message %d: an error with challenge %q, done %v", i, challenge, done)
		case done && (x.User() == "" || challenge != nil):
			t.Fatalf("message %d: done with user %q, challenge %q", i, x.User(), challenge)
		case err == nil && !done && challenge == nil:
			t.Fatalf("message %d: neither challenge nor end", i)
		}
		over = over || done || err != nil
	}
}

var fuzzUsers = users{"alice": "secret", "user": "pencil", "nobody": "x"}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"\x00alice\x00secret", "alice\x00alice\x00secret", "\x00\x00", "", "\n", "\x00down\x00x\n\x00alice\x00secret"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	m := mechanism(f, fuzzUsers, "PLAIN")
	f.Fuzz(func(t *testing.T, script []byte, initial bool) {
		fuzzExchange(t, m.New(t.Context(), nil), script, initial)
	})
}

func FuzzLogin(f *testing.F) {
	for _, s := range []string{"alice\nsecret", "alice\n", "\nsecret", "alice\nwrong\nalice\nsecret"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	m := mechanism(f, fuzzUsers, "LOGIN")
	f.Fuzz(func(t *testing.T, script []byte, initial bool) {
		fuzzExchange(t, m.New(t.Context(), nil), script, initial)
	})
}

func FuzzScram(f *testing.F) {
	for _, s := range []string{
		rfcFirst + "\n" + rfcFinal + "\n", rfcFirst + "\nc=biws,r=,p=", rfcFirst + "\n\n" + rfcFinal,
		"y,a=x,n=a=2Cb,r=q,x=1\nc=,r=,p=AA==", "p=tls-exporter,,n=a,r=b", "n,,m=1,n=a,r=b",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	store := oneKey{keys: keysOf("pencil", unbase64(f, "W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)}
	m := sasl.ScramMechanism(store, func() string { return rfcNonce })
	f.Fuzz(func(t *testing.T, script []byte, initial bool) {
		fuzzExchange(t, m.New(t.Context(), nil), script, initial)
	})
}
