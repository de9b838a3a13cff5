package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
)

const braked = "error: 454 4.7.0 Too many failed logins from your network, try again later"

// connFrom is a connection from addr, "" for a unix socket.
func connFrom(addr string) *sasl.Conn {
	c := &sasl.Conn{Protocol: "smtp"}
	if addr != "" {
		c.Remote = netip.AddrPortFrom(netip.MustParseAddr(addr), 1111)
	}
	return c
}

// login tries a password by PLAIN from addr.
func login(t *testing.T, a sasl.Authenticator, addr, password string) string {
	t.Helper()
	x := mechanism(t, a, "PLAIN").New(t.Context(), connFrom(addr))
	return answer(x, []byte("\x00tim\x00"+password))
}

// guess has n wrong passwords denied.
func guess(t *testing.T, a sasl.Authenticator, addr string, n int) {
	t.Helper()
	for range n {
		if got := login(t, a, addr, "wrong"); got != "denied" {
			t.Fatalf("%s: %s", addr, got)
		}
	}
}

func wantLogin(t *testing.T, a sasl.Authenticator, addr, want string) {
	t.Helper()
	if got := login(t, a, addr, "tanstaaf"); got != want {
		t.Errorf("from %q: %s, want %s", addr, got, want)
	}
}

var tim = users{"tim": "tanstaaf"}

func TestBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &sasl.Brake{Auth: tim}
		guess(t, b, "192.0.2.1", 9)
		wantLogin(t, b, "192.0.2.1", "OK tim")
		time.Sleep(5 * time.Minute)
		guess(t, b, "192.0.2.1", 1) // having logged in does not make up for it
		wantLogin(t, b, "192.0.2.1", braked)
		wantLogin(t, b, "::ffff:192.0.2.1", braked)
		// The user is not locked out.
		wantLogin(t, b, "192.0.2.2", "OK tim")
		wantLogin(t, b, "", "OK tim")
		// What is not asked is not counted: the Window does not begin anew.
		time.Sleep(10*time.Minute - time.Second)
		wantLogin(t, b, "192.0.2.1", braked)
		time.Sleep(time.Second)
		wantLogin(t, b, "192.0.2.1", "OK tim")
		guess(t, b, "192.0.2.1", 10)
		wantLogin(t, b, "192.0.2.1", braked)
	})
}

func TestBrakeSlowFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &sasl.Brake{Auth: tim, Failures: 2, Window: time.Hour}
		for range 10 {
			guess(t, b, "192.0.2.1", 1)
			time.Sleep(time.Hour)
		}
		wantLogin(t, b, "192.0.2.1", "OK tim")
	})
}

func TestBrakeOfNetworks(t *testing.T) {
	b := &sasl.Brake{Auth: tim, Failures: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}}
	for _, addr := range []string{"192.0.2.1", "2001:db8::1"} {
		guess(t, b, addr, 1)
	}
	wantLogin(t, b, "2001:db8::ffff:ffff:ffff:ffff", braked) // the same network
	wantLogin(t, b, "2001:db8:0:1::1", "OK tim")
	for _, addr := range []string{"10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", ""} {
		guess(t, b, addr, 20)
		wantLogin(t, b, addr, "OK tim")
	}
	off := &sasl.Brake{Auth: tim, Failures: -1}
	guess(t, off, "192.0.2.1", 50)
	wantLogin(t, off, "192.0.2.1", "OK tim")
}

// All mechanisms have the brake, and a command with a password: they count together.
func TestBrakeOfMechanisms(t *testing.T) {
	b := &sasl.Brake{Auth: tim, Failures: 4}
	c := connFrom("192.0.2.1")
	talk(t, mechanism(t, b, "PLAIN").New(t.Context(), c), "C-", "S: ", "C: \x00tim\x00wrong", "denied", "C: \x00tim\x00tanstaaf", "malformed")
	talk(t, mechanism(t, b, "LOGIN").New(t.Context(), c), "C: tim", "S: Password:", "C: wrong", "denied")
	pass := sasl.Credentials{Mechanism: "USER", User: "tim", Password: "wrong", Conn: c}
	if _, err := sasl.CheckPassword(t.Context(), b, pass); !errors.Is(err, sasl.ErrDenied) {
		t.Errorf("CheckPassword: %v", err)
	}
	late := mechanism(t, b, "PLAIN").New(t.Context(), c)
	talk(t, late, "C-", "S: ")
	scramDenied(t, b, c)

	// Who has begun before is not faster.
	talk(t, late, "C: \x00tim\x00tanstaaf", braked, "C: \x00tim\x00tanstaaf", "malformed")
	for _, name := range []string{"SCRAM-SHA-256", "PLAIN", "LOGIN"} {
		x := mechanism(t, b, name).New(t.Context(), c)
		talk(t, x, "C-", braked, "C-", "malformed")
	}
	pass.Password = "tanstaaf"
	_, err := sasl.CheckPassword(t.Context(), b, pass)
	if e, ok := errors.AsType[*mailparts.Error](err); !ok || e.Code != 454 || !e.Temporary() || errors.Is(err, sasl.ErrDenied) {
		t.Errorf("CheckPassword: %v", err)
	}
	pass.Conn = nil
	if user, err := sasl.CheckPassword(t.Context(), b, pass); user != "tim" || err != nil {
		t.Errorf("CheckPassword without a connection: %q, %v", user, err)
	}
}

// scramDenied runs SCRAM with a proof that is wrong.
func scramDenied(t *testing.T, a sasl.Authenticator, c *sasl.Conn) {
	t.Helper()
	x := mechanism(t, a, "SCRAM-SHA-256").New(t.Context(), c)
	challenge := answer(x, []byte("n,,n=tim,r=client"))
	nonce, _, ok := strings.Cut(strings.TrimPrefix(challenge, "S: r="), ",")
	if !ok {
		t.Fatal(challenge)
	}
	proof := strings.Repeat("A", 43) + "="
	if got := answer(x, []byte("c=biws,r="+nonce+",p="+proof)); got != "denied" {
		t.Fatal(got)
	}
}

// What proves nothing about a password is not counted.
func TestBrakeCountsDenialsOnly(t *testing.T) {
	b := &sasl.Brake{Auth: users{"tim": "tanstaaf"}, Failures: 1}
	c := connFrom("192.0.2.1")
	for range 5 {
		talk(t, mechanism(t, b, "PLAIN").New(t.Context(), c), "C: nonsense", "malformed")
		talk(t, mechanism(t, b, "PLAIN").New(t.Context(), c), "C: \x00down\x00x", "error: the database is down")
	}
	wantLogin(t, b, "192.0.2.1", "OK tim")
	wrapped := sasl.AuthenticatorFunc(func(context.Context, *sasl.Credentials) (string, error) {
		return "", fmt.Errorf("policy: %w", sasl.ErrDenied)
	})
	b = &sasl.Brake{Auth: wrapped, Failures: 1}
	guess(t, b, "192.0.2.1", 1)
	wantLogin(t, b, "192.0.2.1", braked)
}

// keyless is a KeyStore without keys.
type keyless struct{ users }

func (keyless) HasKeys(string) bool { return false }

func TestBrakeOffersWhatAuthOffers(t *testing.T) {
	names := func(a sasl.Authenticator) (names []string) {
		for _, m := range sasl.Mechanisms(a) {
			names = append(names, fmt.Sprint(m.Name, m.Plaintext))
		}
		return names
	}
	password := sasl.AuthenticatorFunc(tim.Authenticate)
	for _, a := range []sasl.Authenticator{nil, tim, keyless{tim}, password, &sasl.Brake{Auth: tim}} {
		if got, want := names(&sasl.Brake{Auth: a}), names(a); !slices.Equal(got, want) {
			t.Errorf("%T: got %q, want %q", a, got, want)
		}
	}
	if _, err := new(sasl.Brake).Authenticate(t.Context(), new(sasl.Credentials)); err != sasl.ErrDenied {
		t.Errorf("nobody's Authenticate: %v", err)
	}
}

func TestBrakeHasBoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &sasl.Brake{Auth: tim, Failures: 1, MaxNetworks: 2, Window: time.Minute}
		guess(t, b, "192.0.2.1", 1)
		time.Sleep(time.Second)
		guess(t, b, "192.0.2.2", 1)
		wantLogin(t, b, "192.0.2.1", braked)
		guess(t, b, "192.0.2.3", 1)
		wantLogin(t, b, "192.0.2.1", "OK tim") // forgotten
		wantLogin(t, b, "192.0.2.2", braked)
		wantLogin(t, b, "192.0.2.3", braked)
		time.Sleep(time.Minute)
		guess(t, b, "192.0.2.4", 1)
		guess(t, b, "192.0.2.5", 1) // in the places of those whose time is over
		wantLogin(t, b, "192.0.2.4", braked)
	})
}

func TestBrakeOfManyAtOnce(t *testing.T) {
	b := &sasl.Brake{Auth: tim, MaxNetworks: 3}
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for n := range 200 {
				login(t, b, fmt.Sprintf("192.0.2.%d", (i+n)%5), "wrong")
			}
		})
	}
	clients.Wait()
	wantLogin(t, b, "198.51.100.1", "OK tim")
}

func ExampleBrake() {
	passwords := sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
		if c.User == "tim" && c.Password == "tanstaaf" {
			return "tim", nil
		}
		return "", sasl.ErrDenied
	})
	brake := &sasl.Brake{Auth: passwords, Failures: 3}
	stranger := &sasl.Conn{Remote: netip.MustParseAddrPort("192.0.2.1:1111")}
	for _, guess := range []string{"sesame", "12345", "letmein", "tanstaaf"} {
		c := sasl.Credentials{User: "tim", Password: guess, Conn: stranger}
		_, err := sasl.CheckPassword(context.Background(), brake, c)
		fmt.Println(err)
	}
	// Output:
	// sasl: authentication failed
	// sasl: authentication failed
	// sasl: authentication failed
	// 454 4.7.0 Too many failed logins from your network, try again later
}
