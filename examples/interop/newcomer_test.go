package interop_test

import (
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What the mail server tells a newcomer to type works as it stands: mail from
// outside, mail from a user, and reading it.
func TestWhatToType(t *testing.T) {
	need(t, "curl")
	s := startMailserver(t)
	s.log.await(t, "Stop: Ctrl-C.")
	var commands []string
	for line := range strings.Lines(s.log.String()) {
		if command, ok := strings.CutPrefix(line, "  curl "); ok {
			// The password is what curl asks a person for.
			commands = append(commands, "curl -s -S "+strings.Replace(strings.TrimSpace(command), "-u alice ", "-u alice:"+password+" ", 1))
		}
	}
	if len(commands) != 4 {
		t.Fatalf("%d commands to type, want 4:\n%s", len(commands), s.log)
	}
	for i, command := range commands {
		reads := i >= 2 // by IMAP, and by POP3
		if i == 2 {
			s.awaitMail(t, "alice", 1)
			s.awaitMail(t, "bob", 1)
		}
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = "../.." // where README.md is
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		if reads && !strings.Contains(string(out), "# mailparts") {
			t.Errorf("%s: alice reads\n%s", command, out)
		}
	}
}

// The first signal lets a session finish its message, the second one ends the
// mail server whatever it is doing.
func TestSecondSignal(t *testing.T) {
	s := startMailserver(t)
	nc, err := net.Dial("tcp", s.addrs["smtp"])
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := textproto.NewConn(nc)
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	dialogue(t, c, "HELO client.example", 250)
	dialogue(t, c, "MAIL FROM:<carol@example.net>", 250)
	dialogue(t, c, "RCPT TO:<alice@example.test>", 250)
	dialogue(t, c, "DATA", 354)

	s.cmd.Process.Signal(os.Interrupt)
	s.log.await(t, "msg=stopping")
	again := time.NewTicker(50 * time.Millisecond) // the first "second" one may come a moment too early
	defer again.Stop()
	late := time.After(patience / 2)
	for {
		select {
		case <-s.done:
			if got := s.cmd.ProcessState.String(); got != "signal: interrupt" {
				t.Errorf("the mail server ended by %q", got)
			}
			return
		case <-again.C:
			s.cmd.Process.Signal(os.Interrupt)
		case <-late:
			t.Fatal("it still runs")
		}
	}
}

// dialogue sends a command and wants a reply with that code.
func dialogue(t *testing.T, c *textproto.Conn, command string, code int) {
	t.Helper()
	if err := c.PrintfLine("%s", command); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadResponse(code); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
}
