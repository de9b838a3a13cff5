package smtp_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mailparts/mailparts/smtp"
)

// Nothing that XCLIENT tells ends a line or a token where it is written.
func FuzzXCLIENT(f *testing.F) {
	for _, arg := range []string{
		"NAME=spike.porcupine.org ADDR=168.100.189.2", "ADDR=IPV6:2001:db8::1 PORT=25", "addr=[UNAVAILABLE] PORT=[unavailable]",
		"HELO=a+20b+0D+0A(c) LOGIN=user+40example.com", "LOGIN=b+C3+BCcher", "NAME=[TEMPUNAVAIL] REVERSE_NAME=+FF+00", "ADDR=1.2.3.4 ADDR=1.2.3.4", "=", "ADDR=", "PROTO=+2",
	} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		client, words, login, err := smtp.ParseX(arg)
		if err != nil {
			return
		}
		if a := client.Addr(); a.Zone() != "" || a.Is4In6() || !a.IsValid() && client.Port() != 0 {
			t.Errorf("client %v", client)
		}
		for _, w := range words {
			if strings.ContainsFunc(w, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`()<>;"`, c) }) || len(w) > 255 {
				t.Errorf("word %q", w)
			}
		}
		if !utf8.ValidString(login) || len(login) > 255 || strings.ContainsFunc(login, func(c rune) bool { return c < 0x80 && unicode.IsControl(c) }) {
			t.Errorf("login %q", login)
		}
	})
}
