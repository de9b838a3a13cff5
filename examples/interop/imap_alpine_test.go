package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Alpine, with UW-IMAP's client, flags, deletes, expunges and saves.
func TestIMAPWithAlpine(t *testing.T) {
	t.Parallel()
	programs := need(t, "alpine", "script")
	s := startIMAP(t)
	s.numbered("INBOX", "one", "two", "three", "four")
	s.numbered("Work", "old")
	home := folder(t)
	if err := os.Mkdir(filepath.Join(home, "mail"), 0o700); err != nil { // else it says for four seconds that it makes it
		t.Fatal(err)
	}
	server := fmt.Sprintf("{localhost:%s/ssl/novalidate-cert/user=alice}", port(s.tlsAddr))
	rc := write(t, filepath.Join(home, "pinerc"), 0o600,
		"inbox-path="+server+"INBOX", "personal-name=Alice", "user-domain=example.test", "sort-key=arrival", "last-version-used=9.99",
		"feature-list=disable-password-file-saving,enable-flag-cmd,enable-jump-shortcut,expunge-without-confirm,expunge-without-confirm-everywhere,quit-without-confirm")
	// The first message flagged, the second deleted, the third saved to the other mailbox,
	// which deletes it.
	keys := `i,j,1,CR,*,*,j,2,CR,d,j,3,CR,s,^U,"` + server + `Work",CR,x,q`
	command := fmt.Sprintf("stty rows 24 cols 100; TERM=vt100 HOME=%s timeout --foreground 25 %s -p %s -I '%s'", home, programs[0], rc, keys)
	stdin, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	a := startOn(t, stdin, programs[1], "-qec", command, "/dev/null")
	retry(t, "waiting for alpine to ask", func() error {
		if !strings.Contains(a.log.String(), "ENTER PASSWORD") {
			return errNotYet
		}
		return nil
	})
	if _, err := answers.WriteString(password + "\r"); err != nil {
		t.Fatal(err)
	}
	<-a.done
	s.want("alpine", "INBOX", `one: \Flagged`, `four:`)
	s.want("alpine", "Work", "old:", "three:")
}
