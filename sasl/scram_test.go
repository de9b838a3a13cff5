package sasl_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
	"github.com/xdg-go/scram"
)

// oneKey is a KeyStore in which everyone has the same keys.
type oneKey struct {
	users
	keys sasl.Keys
}

func (s oneKey) Keys(context.Context, string, string) (sasl.Keys, error) { return s.keys, nil }

func (s oneKey) Authorize(_ context.Context, c *sasl.Credentials) (string, error) { return c.User, nil }

func unbase64(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// RFC 7677 section 3.
const (
	rfcFirst  = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	rfcNonce  = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	rfcServer = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	rfcFinal  = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
		"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	rfcVerifier = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func rfcExchange(t *testing.T) sasl.Exchange {
	t.Helper()
	store := oneKey{keys: keysOf("pencil", unbase64(t, "W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)}
	return sasl.ScramMechanism(store, func() string { return rfcNonce }).New(t.Context(), nil)
}

func TestScramRFC7677(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
	}{
		{"as in the RFC", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + rfcFinal, "S: " + rfcVerifier, "C: ", "OK user"}},
		{"no initial response", []string{"C-", "S: ", "C: " + rfcFirst, "S: " + rfcServer, "C: " + rfcFinal, "S: " + rfcVerifier, "C-", "OK user"}},
		{"a message after the last one", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + rfcFinal, "S: " + rfcVerifier, "C: x", "malformed"}},
		{"another proof", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + strings.Replace(rfcFinal, "p=d", "p=e", 1), "denied"}},
		{"a short proof", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + strings.Replace(rfcFinal, "p=dHzb", "p=", 1), "denied"}},
		{"another nonce", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + strings.Replace(rfcFinal, "%hv", "%hw", 1), "denied"}},
		{"the client's nonce alone", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + strings.Replace(rfcFinal, rfcNonce, "", 1), "denied"}},
		{"another gs2 header", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + strings.Replace(rfcFinal, "biws", "eSws", 1), "denied"}},
		{"no proof", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: c=biws,r=x", "malformed"}},
		{"proof not base64", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: c=biws,r=x,p=!", "malformed"}},
		{"empty final", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: ", "malformed"}},
		{"overlong final", []string{"C: " + rfcFirst, "S: " + rfcServer, "C: " + rfcFinal + strings.Repeat("x", 4096), "malformed"}},
	} {
		t.Run(tt.name, func(t *testing.T) { talk(t, rfcExchange(t), tt.lines...) })
	}
}

func TestScramFirstMessage(t *testing.T) {
	m := mechanism(t, users{"alice": "secret"}, "SCRAM-SHA-256")
	for _, tt := range []struct{ name, message, want string }{
		{"empty initial response", "", "malformed"},
		{"no gs2 header", "n=alice,r=abc", "malformed"},
		{"channel binding that we do not offer", "p=tls-exporter,,n=alice,r=abc", "malformed"},
		{"channel binding that no one knows", "p=x,,n=alice,r=abc", "malformed"},
		{"mandatory extension", "n,,m=x,n=alice,r=abc", "malformed"},
		{"no nonce", "n,,n=alice", "malformed"},
		{"escape that is none", "n,,n=al=ice,r=abc", "malformed"},
		{"escape that is none in the authzid", "n,a=al=ice,n=alice,r=abc", "malformed"},
		{"NUL in the name", "n,,n=al\x00ice,r=abc", "malformed"},
		{"NUL in the authzid", "n,a=al\x00ice,n=alice,r=abc", "malformed"},
		{"invalid UTF-8", "n,,n=al\xffice,r=abc", "malformed"},
		{"overlong name", "n,,n=x" + long + ",r=abc", "malformed"},
		{"overlong message", "n,,n=alice,r=" + strings.Repeat("x", 4096), "malformed"},
		{"empty name", "n,,n=,r=abc", "denied"},
		{"nothing left of the name", "n,,n=\u00ad,r=abc", "denied"},
		{"prohibited in the name", "n,,n=al\x07ice,r=abc", "denied"},
		{"the back end fails", "n,,n=down,r=abc", "error: the database is down"},
	} {
		t.Run(tt.name, func(t *testing.T) { talk(t, m.New(t.Context(), nil), "C: "+tt.message, tt.want) })
	}
}

// Keys that are not fit for the mechanism are an error of the store.
func TestScramBadKeys(t *testing.T) {
	good := keysOf("secret", "salt", 4096)
	for name, spoil := range map[string]func(*sasl.Keys){
		"no salt":              func(k *sasl.Keys) { k.Salt = nil },
		"too few iterations":   func(k *sasl.Keys) { k.Iterations = 4095 },
		"short stored key":     func(k *sasl.Keys) { k.StoredKey = k.StoredKey[:20] },
		"no server key at all": func(k *sasl.Keys) { k.ServerKey = nil },
	} {
		k := good
		spoil(&k)
		x := mechanism(t, oneKey{keys: k}, "SCRAM-SHA-256").New(t.Context(), nil)
		t.Run(name, func(t *testing.T) {
			talk(t, x, "C: n,,n=alice,r=abc", "error: sasl: the key store's keys are not fit for SCRAM-SHA-256")
		})
	}
}

// scramPeer runs xdg-go/scram's client against x.
func scramPeer(client *scram.ClientConversation, x sasl.Exchange) error {
	message, err := client.Step("")
	if err != nil {
		return err
	}
	for {
		challenge, done, err := x.Next([]byte(message))
		if err != nil || done {
			return err
		}
		if message, err = client.Step(string(challenge)); err != nil {
			return err
		}
	}
}

func TestScramPeer(t *testing.T) {
	u := users{"alice": "secret", "admin": "root", "a,b=c": "secret", "Iß": "pa,ss=word"}
	for _, tt := range []struct {
		name, user, pass, authzid string
		offered                   bool // the client could do channel binding: "y"
		want                      string
		err                       error
	}{
		{name: "right", user: "alice", pass: "secret", want: "alice"},
		{name: "y flag", user: "alice", pass: "secret", offered: true, want: "alice"},
		{name: "escaped name", user: "a,b=c", pass: "secret", want: "a,b=c"},
		{name: "prepared name", user: "al\u00adice", pass: "secret", want: "alice"},
		{name: "escapes", user: "Iß", pass: "pa,ss=word", want: "Iß"},
		{name: "authzid is the user", user: "alice", pass: "secret", authzid: "alice", want: "alice"},
		{name: "authzid is another, allowed", user: "admin", pass: "root", authzid: "alice", want: "alice"},
		{name: "authzid is another", user: "alice", pass: "secret", authzid: "admin", err: sasl.ErrDenied},
		{name: "wrong password", user: "alice", pass: "Secret", err: sasl.ErrDenied},
		{name: "unknown user", user: "bob", pass: "secret", err: sasl.ErrDenied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, err := scram.SHA256.NewClient(tt.user, tt.pass, tt.authzid)
			if err != nil {
				t.Fatal(err)
			}
			conv := client.NewConversation()
			if tt.offered {
				conv = client.NewConversationAdvertisingChannelBinding()
			}
			x := mechanism(t, u, "SCRAM-SHA-256").New(t.Context(), nil)
			if err := scramPeer(conv, x); err != tt.err {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if x.User() != tt.want || conv.Valid() != (tt.err == nil) {
				t.Errorf("user %q, want %q; the client accepted the server: %v", x.User(), tt.want, conv.Valid())
			}
		})
	}
}

// Every exchange has a nonce of its own.
func TestScramNonce(t *testing.T) {
	m := mechanism(t, users{}, "SCRAM-SHA-256")
	seen := make(map[string]bool)
	for range 100 {
		challenge := answer(m.New(t.Context(), nil), []byte("n,,n=alice,r=abc"))
		nonce, _, _ := strings.Cut(strings.TrimPrefix(challenge, "S: r=abc"), ",")
		if len(nonce) < 24 || seen[nonce] {
			t.Fatalf("nonce %q is short or came before", nonce)
		}
		seen[nonce] = true
	}
}

// The server's side of the third-party dialogues of ../shared/vectors/scram.
func TestScramVectors(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "vectors", "scram")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the third-party vectors are not here: %v", err)
	}
	ran := 0
	for _, kind := range []string{"good", "bad-client"} {
		files, _ := filepath.Glob(filepath.Join(dir, kind, "*.json"))
		for _, file := range files {
			ran += runVector(t, file)
		}
	}
	if ran == 0 {
		t.Error("no vector applies: the folder is not what it was")
	}
}

// runVector runs one dialogue, if it is of our mechanism, and returns how many.
func runVector(t *testing.T, file string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Label, Digest, User, Pass, Salt64, ServerNonce string
		SkipSASLprep, Valid                            bool
		Iters                                          int
		Steps                                          []string
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if v.Digest != "SHA-256" {
		return 0
	}
	t.Run(v.Label, func(t *testing.T) {
		if !v.SkipSASLprep {
			if v.Pass, err = sasl.Prepare(v.Pass); err != nil {
				t.Fatal(err)
			}
		}
		store := oneKey{keys: keysOf(v.Pass, unbase64(t, v.Salt64), v.Iters)}
		x := sasl.ScramMechanism(store, func() string { return v.ServerNonce }).New(t.Context(), nil)
		lines := []string{"C: " + v.Steps[0], "S: " + v.Steps[1], "C: " + v.Steps[2]}
		if v.Valid {
			user, err := sasl.Prepare(v.User)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, "S: "+v.Steps[3], "C: ", "OK "+user)
		} else {
			lines = append(lines, "denied")
		}
		talk(t, x, lines...)
	})
	return 1
}
