package interop_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// keyPair is a certificate that signs itself, for whatever server needs one, and
// its key, as PEM. It is of RSA, as OpenSMTPD 6.8 cannot use another with OpenSSL 3.
var keyPair = sync.OnceValues(func() (cert, key []byte) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "localhost"}, // curl and offlineimap want a name
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		DNSNames:              []string{"localhost", "mx.example.test"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
})

// certificate makes files of keyPair, the key readable for its owner only, who is
// root or the user of that name.
func certificate(t testing.TB, owner string) (cert, key string) {
	t.Helper()
	dir := folder(t)
	certPEM, keyPEM := keyPair()
	cert = write(t, filepath.Join(dir, "cert.pem"), 0o644, string(certPEM))
	key = write(t, filepath.Join(dir, "key.pem"), 0o600, string(keyPEM))
	if os.Geteuid() == 0 { // nobody else can start a peer that is another user
		run(t, "", "chown", owner, key)
	}
	return cert, key
}

// serverTLS is keyPair for a server of ours.
func serverTLS() *tls.Config {
	pair, err := tls.X509KeyPair(keyPair())
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// clientTLS trusts keyPair.
func clientTLS() *tls.Config {
	roots := x509.NewCertPool()
	certPEM, _ := keyPair()
	roots.AppendCertsFromPEM(certPEM)
	return &tls.Config{RootCAs: roots}
}
