package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// mutt and its sibling list, read, flag, delete and save over IMAP: in Maildirs by STARTTLS,
// and in mboxes with TLS from the first octet.
func TestIMAPWithMutt(t *testing.T) {
	for _, name := range []string{"mutt", "neomutt"} {
		for scheme, kind := range map[string]string{"imap": "maildir", "imaps": "mbox"} {
			t.Run(name+", "+scheme+", "+kind, func(t *testing.T) {
				t.Parallel()
				programs := need(t, name, "script")
				s := serveIMAP(t, imapStores[kind](filepath.Join(folder(t), "mail")))
				s.numbered("INBOX", "one", "two", "three", "four")
				s.numbered("Work/Past", "old")
				home := folder(t)
				read, listed := filepath.Join(home, "read"), filepath.Join(home, "listed")
				addr := map[string]string{"imap": s.addr, "imaps": s.tlsAddr}[scheme]
				// Flag "one", pipe what it has found of "two" to a file, delete "three", save "four" to
				// a mailbox; then read what is in another one.
				keys := `<jump>1<enter><flag-message><jump>2<enter><display-message><exit><limit>~b 'is two'<enter><pipe-message>cat > ` + read + `<enter><limit>all<enter>` +
					`<jump>3<enter><delete-message><jump>4<enter><save-message>=Work/Past<enter><sync-mailbox>` +
					`<change-folder>=Work/Past<enter><tag-pattern>~A<enter><tag-prefix><pipe-message>cat > ` + listed + `<enter>`
				rc := write(t, filepath.Join(home, "muttrc"), 0o600,
					"set mark_old=no delete=yes quit=yes sort=mailbox-order wait_key=no sleep_time=0 pipe_decode=no pipe_sep=''",
					"set header_cache="+home+" tmpdir="+home+" move=no timeout=1 use_envelope_from=no mail_check=1",
					"unset confirmappend", "unset confirmcreate", "unset mail_check_stats",
					"set imap_user=alice imap_pass="+password+" imap_condstore=yes imap_qresync=yes imap_idle=yes",
					"set ssl_starttls=yes ssl_force_tls=yes certificate_file="+s.certificate,
					fmt.Sprintf("set folder=%s://localhost:%s/ spoolfile=+INBOX", scheme, port(addr)),
					`push "`+keys+`<quit>"`)
				command := fmt.Sprintf("stty rows 24 cols 100; TERM=xterm HOME=%s timeout --foreground 25 %s -n -F %s", home, programs[0], rc)
				screen := run(t, "", programs[1], "-qec", command, "/dev/null")
				for file, subjects := range map[string][]string{read: {"two"}, listed: {"old", "four"}} {
					b, _ := os.ReadFile(file)
					for _, subject := range subjects {
						wantText(t, string(b), "Subject: "+subject, "this is "+subject)
					}
				}
				s.want(name, "INBOX", `one: \Flagged`, `two: \Seen`)
				s.want(name, "Work/Past", "old:", "four:")
				if t.Failed() {
					t.Logf("the screen: %q", screen)
				}
			})
		}
	}
}
