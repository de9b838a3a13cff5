package pop3_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/mailparts/mailparts/pop3"
)

// certificate returns a server's TLS configuration and a client's that trusts it.
func certificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"pop.example.com"},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots, ServerName: "pop.example.com"}
}

// startTLS is a server that shows no password in the clear.
func startTLS(t *testing.T) (*rig, *tls.Config) {
	server, client := certificate(t)
	return start(t, func(s *pop3.Server) { s.TLSConfig, s.AllowInsecureAuth = server, false }), client
}

func TestSTLS(t *testing.T) {
	r, trust := startTLS(t)
	c := r.dial()
	c.talk(`
		C: CAPA
		` + capabilities + `
		S: STLS
		S: .
		C: USER alice
		S: -ERR Not permitted without TLS
		C: PASS open sesame
		S: -ERR Send USER first
		C: AUTH PLAIN AGFsaWNlAG9wZW4gc2VzYW1l
		S: -ERR Not permitted without TLS
		C: AUTH LOGIN
		S: -ERR Not permitted without TLS
		C: STLS now
		S: -ERR Wrong number of arguments
		C: STLS
		S: +OK Begin TLS`)
	c.upgrade(trust)
	const all = `
		C: CAPA
		` + capabilities + `
		S: USER
		S: SASL PLAIN LOGIN
		S: .`
	c.talk(all)
	c.talk("C: STLS\nS: -ERR TLS is not available")
	c.login("alice")
	c.talk(all)
	c.talk("C: STLS\nS: -ERR Not permitted in this state\nC: QUIT\nS: +OK ...\nS: EOF")
}

// TestInjection sends commands behind STLS in plaintext, as an attacker in the
// middle would. They are not run, before TLS or within.
func TestInjection(t *testing.T) {
	r, trust := startTLS(t)
	c := r.dial()
	c.talk("C: STLS\nC: USER mallory\nC: CAPA\nS: +OK Begin TLS")
	c.upgrade(trust)
	c.talk("C: PASS open sesame\nS: -ERR Send USER first")
	c.login("alice")
}

func TestUserIsForgottenByTLS(t *testing.T) {
	server, trust := certificate(t)
	r := start(t, func(s *pop3.Server) { s.TLSConfig = server })
	c := r.dial()
	c.talk("C: USER alice\nS: +OK Send PASS\nC: STLS\nS: +OK Begin TLS")
	c.upgrade(trust)
	c.talk("C: PASS open sesame\nS: -ERR Send USER first")
}

// TestListOfSTLS is as long as it is permitted (RFC 2595 section 4).
func TestListOfSTLS(t *testing.T) {
	server, _ := certificate(t)
	r := start(t, func(s *pop3.Server) { s.TLSConfig = server })
	const common = "C: CAPA\n" + capabilities + "\nS: USER\nS: SASL PLAIN LOGIN\n"
	c := r.dial()
	c.talk(common + "S: STLS\nS: .")
	c.login("alice")
	c.talk(common + "S: .\nC: STLS\nS: -ERR Not permitted in this state")
}

// TestFailedHandshake ends the session: it does not go on in plaintext.
func TestFailedHandshake(t *testing.T) {
	r, _ := startTLS(t)
	c := r.dial()
	c.talk("C: STLS\nS: +OK Begin TLS")
	c.send("USER alice\r\nPASS open sesame\r\n")
	for b := make([]byte, 512); ; {
		n, err := c.r.Read(b)
		if n > 0 && b[0] == '+' {
			t.Fatalf("answered in plaintext: %q", b[:n])
		}
		if err != nil {
			return
		}
	}
}

func TestImplicitTLS(t *testing.T) {
	server, trust := certificate(t)
	r := newRig(t, func(s *pop3.Server) { s.TLSConfig, s.AllowInsecureAuth = server, false })
	r.serve(r.listen(), r.ServeTLS)
	c := r.open()
	c.upgrade(trust)
	c.talk("S: +OK pop.example.com POP3 server ready\nC: STLS\nS: -ERR TLS is not available")
	c.login("alice")
}

func TestTLSNeedsConfig(t *testing.T) {
	s := new(pop3.Server)
	if err := s.ListenAndServeTLS(); err == nil {
		t.Error("ListenAndServeTLS without TLSConfig works")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ServeTLS(l); err == nil {
		t.Error("ServeTLS without TLSConfig works")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("ServeTLS leaves the listener open")
	}
}

func TestNoTLS(t *testing.T) {
	start(t, nil).dial().talk("C: STLS\nS: -ERR TLS is not available")
}
