package imap_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
)

// RFC 4978 section 3: what is compressed is then encrypted. COMPRESS is offered after
// log-in. Compression is never active via TLS, so nothing is refused with
// COMPRESSIONACTIVE; of a second COMPRESS the outcome is BAD.
func TestRFC4978(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	r := start(t, func(s *imap.Server) {
		s.TLSConfig, s.AllowInsecureAuth = &tls.Config{Certificates: https.TLS.Certificates}, false
	})
	body := strings.Repeat("The quick brown fox jumps over the lazy dog.\r\n", 1000)
	r.fill("\r\n" + body)
	c := r.dial()
	c.play(`
		C: a starttls
		S: a OK Begin TLS
	`)
	tc := tls.Client(c.Conn, &tls.Config{RootCAs: roots, ServerName: "example.com"})
	c.Conn, c.r = tc, bufio.NewReader(tc)
	c.play(`
		C: b login alice "open sesame"
		S: b OK [CAPABILITY ...
		C: c compress deflate
		S: c OK DEFLATE active
	`)
	c.compress()
	c.play(`
		C: d compress deflate
		S: d BAD DEFLATE is active
	`)
	c.do("SELECT INBOX")
	if got := c.do("FETCH 1 BODY.PEEK[TEXT]"); !strings.HasSuffix(got[0], body+")") {
		t.Errorf("a body of %d octets is %d", len(body), len(got[0]))
	}
	c.play(`
		C: e LOGOUT
		S: * BYE ...
		S: e OK LOGOUT completed
	`)
}
