package interop_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/mailtest"
)

// MUAs submit to a local user.
func TestSubmissionToLocalUser(t *testing.T) {
	for _, by := range submitters {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			program := need(t, by.name)[0]
			s := startMailserver(t)
			by.submit(t, program, s, "bob@example.test")
			for _, got := range s.awaitMail(t, "bob", 2) {
				wantSubmitted(t, got, by.name)
			}
		})
	}
}

// MUAs submit to a remote domain, whose MX in a test DNS is Postfix's smtp-sink.
func TestSubmissionToRemoteDomain(t *testing.T) {
	for i, by := range submitters {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			needRoot(t)
			paths := need(t, by.name, "smtp-sink")
			mx := fmt.Sprintf("127.0.0.%d", 25+i) // another host than the mail server, so that it may have port 25
			if l, err := net.Listen("tcp", mx+":25"); err != nil {
				missing(t, "port 25 cannot be had: "+err.Error())
			} else {
				l.Close()
			}
			dumps := folder(t)
			run(t, "", "chown", "postfix", dumps)
			start(t, paths[1], "-u", "postfix", "-8", "-h", "mx.example.net", "-d", filepath.Join(dumps, "message-"), mx+":25", "100")
			awaitPort(t, mx+":25")
			dns := mailtest.NewDNS("example.net MX 10 mx.example.net", "mx.example.net A "+mx).Serve(t)
			s := startMailserver(t, "-resolver", dns)
			by.submit(t, paths[0], s, "carol@example.net")
			retry(t, "waiting for the sink", func() error {
				files, err := filepath.Glob(filepath.Join(dumps, "message-*"))
				if err != nil || len(files) < 2 {
					return fmt.Errorf("%w: %d messages", errNotYet, len(files))
				}
				for _, file := range files {
					b, err := os.ReadFile(file)
					if err != nil || !strings.Contains(string(b), "\ntwo") {
						return errNotYet // still being written
					}
					wantSubmitted(t, string(b), by.name)
				}
				return nil
			})
		})
	}
}

// A message for a domain that is not ours is refused from who has not logged in,
// at the MTA and at the MSA.
func TestNoOpenRelay(t *testing.T) {
	swaks := need(t, "swaks")[0]
	s := startMailserver(t)
	for listener, reply := range map[string]string{"smtp": "550 5.7.1", "submission": "530 5.7.0"} {
		out, err := try("", swaks, "--server", "127.0.0.1", "--port", port(s.addrs[listener]), "--from", "a@example.org", "--to", "b@example.com")
		if err == nil || !strings.Contains(out, reply) {
			t.Errorf("%s: want %s, got %v:\n%s", listener, reply, err, out)
		}
	}
}

func wantSubmitted(t *testing.T, got, by string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\r\n", "\n")
	for _, want := range []string{"Subject: by " + by + "\n", "with ESMTPSA id", "\nDate: ", "\nMessage-I", "\none\n", "\ntwo\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}
