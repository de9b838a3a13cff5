package main

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		args       []string
		want       string // of the error, FILE for the file's name; "": none
	}{
		{name: "defaults"},
		{name: "comments and blanks", file: "# a comment\n\n  \ndomain example.org\n"},
		{name: "unknown key", file: "domain example.org\n\ncolour red\n", want: `FILE:3: unknown key "colour"`},
		{name: "config in the file", file: "config other\n", want: `FILE:1: unknown key "config"`},
		{name: "no value", file: "# x\nsmtp\n", want: "FILE:2: smtp has no value"},
		{name: "no address", file: "smtp 25\n", want: `FILE:1: smtp: "25" is not host:port`},
		{name: "no port", file: "pop3 localhost:mail\n", want: `FILE:1: pop3: "mail" is no port number`},
		{name: "no domain", file: "domain -x-\n", want: `FILE:1: domain: "-x-" is not a domain`},
		{name: "no host name", file: "hostname mail server\n", want: `FILE:1: hostname: "mail server" is not a domain`},
		{name: "a host name of U-labels", file: "hostname bücher.example\n", want: `FILE:1: hostname: "bücher.example" is not ASCII: write its A-labels (xn--…)`},
		{name: "an empty host name", args: []string{"-hostname", ""}, want: `invalid value "" for flag -hostname: "" is not a domain`},
		{name: "no password", file: "user alice\n", want: "FILE:1: user: a user is NAME:PASSWORD"},
		{name: "half a certificate", file: "tls-cert a.pem\n", want: "tls-cert and tls-key go together"},
		{name: "bad flag", args: []string{"-smtp", "nowhere"}, want: `invalid value "nowhere" for flag -smtp: "nowhere" is not host:port`},
		{name: "stray argument", args: []string{"start"}, want: `unexpected argument "start"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			file := filepath.Join(t.TempDir(), "conf")
			if tt.file != "" {
				if err := os.WriteFile(file, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "-config", file)
			}
			_, err := parseConfig(args, io.Discard)
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), file, "FILE")
			}
			if got != tt.want {
				t.Errorf("got error %q, want %q", got, tt.want)
			}
		})
	}
}

func TestConfigCommandLineRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "conf")
	text := "domain a.example\ndomain \t b.example\nsmtp\toff\nuser alice:two words\npop3 127.0.0.1:1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig([]string{"-pop3", "127.0.0.1:2", "-config", file}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.domains.String(); got != "a.example b.example" {
		t.Errorf("domains: got %q", got)
	}
	if c.smtp.addr != "" {
		t.Errorf("smtp: got %q, want off", c.smtp.addr)
	}
	if c.pop3.addr != "127.0.0.1:2" {
		t.Errorf("pop3: got %q, want what the command line says", c.pop3.addr)
	}
	if len(c.users) != 1 || c.users[0].name != "alice" || c.users[0].password != "two words" {
		t.Errorf("users: got %v", c.users)
	}
}

// The file that we ship says the defaults, nothing unknown, and where each door is.
func TestShippedConfig(t *testing.T) {
	want, err := parseConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseConfig([]string{"-config", "mailserver.conf"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*config{got, want} {
		for _, a := range []*listenAddr{&c.smtp, &c.submission, &c.submissions, &c.lmtp, &c.pop3, &c.pop3s, &c.imap, &c.imaps} {
			if c == got && !a.given {
				t.Errorf("mailserver.conf does not say where %s is", a.addr)
			}
			a.given = false
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("mailserver.conf says\n%+v, the defaults are\n%+v", got, want)
	}
}
