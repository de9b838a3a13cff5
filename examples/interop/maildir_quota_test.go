package interop_test

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/maildir"
)

// quotaTree is a tree that Dovecot and we serve, with one quota.
type quotaTree struct {
	testing.TB
	dir     string // of all trees
	dovecot *dovecotServer
	doveadm string
	store   mailparts.Store
}

// newQuotaTree starts Dovecot with the quota plugin. Settings are the plugin's.
func newQuotaTree(t testing.TB, limits maildir.Limits, settings ...string) *quotaTree {
	t.Helper()
	x := &quotaTree{TB: t, doveadm: need(t, "doveadm")[0], dir: filepath.Join(folder(t), "mail")}
	b := &maildir.Backend{Root: x.dir, Quota: func(string) (maildir.Limits, error) { return limits, nil }}
	var err error
	x.store, err = b.Open(t.Context(), "alice")
	x.must(err)
	settings = append([]string{"quota = maildir:User quota"}, settings...)
	x.dovecot = dovecot(t, x.dir, "mail_plugins = quota", "plugin {\n "+strings.Join(settings, "\n ")+"\n}")
	return x
}

func (x *quotaTree) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// handOver makes what we wrote as root Dovecot's.
func (x *quotaTree) handOver() {
	x.Helper()
	run(x, "", "chown", "-R", "mail:mail", x.dir)
}

func (x *quotaTree) mailbox(name string) mailparts.Mailbox {
	x.Helper()
	mb, err := x.store.Mailbox(x.Context(), name)
	x.must(err)
	return mb
}

// append delivers a message of a size, on disk and on the wire.
func (x *quotaTree) append(name string, size int, flags ...mailparts.Flag) error {
	x.Helper()
	_, err := mailparts.Append(x.Context(), x.mailbox(name), mailparts.Incoming{Body: strings.NewReader(strings.Repeat("x", size)), Flags: flags})
	return err
}

// adm runs doveadm for alice.
func (x *quotaTree) adm(args ...string) string {
	x.Helper()
	x.handOver()
	words := strings.Fields(args[0])
	return run(x, "", x.doveadm, append(append([]string{"-c", x.dovecot.conf, "-f", "tab"}, words...), append([]string{"-u", "alice"}, args[1:]...)...)...)
}

// sum is what the file says.
func (x *quotaTree) sum() (octets, messages int) {
	x.Helper()
	text, err := os.ReadFile(filepath.Join(x.dir, "alice", "maildirsize"))
	x.must(err)
	_, rest, _ := strings.Cut(string(text), "\n")
	for line := range strings.Lines(rest) {
		var o, m int
		if _, err := fmt.Sscan(line, &o, &m); err != nil {
			x.Errorf("maildirsize has the line %q", line)
		}
		octets, messages = octets+o, messages+m
	}
	return octets, messages
}

// wantSum checks what the file says, what we say and what Dovecot says, and all of
// that again after Dovecot has counted the tree.
func (x *quotaTree) wantSum(octets, messages int) {
	x.Helper()
	for _, when := range []string{"as it was added up", "as Dovecot counted it"} {
		if o, m := x.sum(); o != octets || m != messages {
			x.Errorf("%s maildirsize says %d octets and %d messages, want %d and %d", when, o, m, octets, messages)
		}
		quotas, err := mailparts.QuotaOf(x.Context(), x.store, "INBOX")
		x.must(err)
		for _, q := range quotas {
			if want := map[string]int{mailparts.QuotaStorage: octets, mailparts.QuotaMessage: messages}[q.Resource]; q.Used != int64(want) {
				x.Errorf("%s we say %+v, want %d", when, q, want)
			}
		}
		theirs := x.adm("quota get")
		for _, want := range []string{fmt.Sprintf("STORAGE\t%d\t", (octets+1023)/1024), fmt.Sprintf("MESSAGE\t%d\t", messages)} {
			if !strings.Contains(theirs, want) {
				x.Errorf("%s Dovecot says, without %q:\n%s", when, want, theirs)
			}
		}
		x.adm("quota recalc")
	}
}

// Dovecot and we count the same, whoever does what, and both refuse what goes beyond
// a limit of ours.
func TestMaildirQuotaWithDovecot(t *testing.T) {
	t.Parallel()
	x := newQuotaTree(t, maildir.Limits{Storage: 20000, Messages: 6})
	x.must(x.store.(mailparts.Manager).Create(t.Context(), "Trash"))
	x.must(x.append("INBOX", 1000))
	x.must(x.append("INBOX", 200, mailparts.FlagDeleted))
	x.must(x.append("Trash", 30, mailparts.FlagSeen))
	x.wantSum(1230, 3)

	x.handOver()
	c := &lmtp.Client{Addr: x.dovecot.lmtp}
	x.must(c.Deliver(t.Context(), toAll("alice"), strings.NewReader("Subject: by Dovecot\r\n\r\n"+strings.Repeat("line\r\n", 1000))))
	theirs, _ := x.sum()
	if theirs -= 1230; theirs < 5000 {
		t.Fatalf("Dovecot wrote %d octets", theirs)
	}
	x.wantSum(1230+theirs, 4)

	long := strings.Repeat("x", 70) + "\r\n"
	err := c.Deliver(t.Context(), toAll("alice"), strings.NewReader("Subject: too long\r\n\r\n"+strings.Repeat(long, 300)))
	if e := mailparts.AsError(mailparts.RcptError(err, 0)); !strings.HasSuffix(e.Status, ".2.2") {
		t.Errorf("Dovecot does not refuse what is beyond the limit: %v", err)
	}
	if err := x.append("INBOX", 20001-1230-theirs); !errors.Is(err, mailparts.ErrQuota) {
		t.Errorf("we do not refuse what is beyond the limit: %v", err)
	}
	x.wantSum(1230+theirs, 4)
	x.must(x.append("INBOX", 20000-1230-theirs))
	x.wantSum(20000, 5)

	x.adm("expunge", "mailbox", "INBOX", "deleted")
	x.wantSum(19800, 4)
	x.must(x.mailbox("INBOX").Expunge(t.Context(), mailparts.UIDSet{{First: 1, Last: 1}}, ""))
	x.wantSum(18800, 3)
	x.adm("move", "Trash", "mailbox", "INBOX", "all")
	x.wantSum(18800, 3)
	x.must(x.store.(mailparts.Manager).Delete(t.Context(), "Trash"))
	x.wantSum(0, 0)
	x.must(x.append("INBOX", 10))
	x.wantSum(10, 1)
}

// We obey a limit that Dovecot sets.
func TestMaildirQuotaOfDovecot(t *testing.T) {
	t.Parallel()
	x := newQuotaTree(t, maildir.Limits{}, "quota_rule = *:storage=3k:messages=10")
	x.must(x.append("INBOX", 1000)) // there is no maildirsize yet
	x.adm("quota recalc")
	x.wantSum(1000, 1)
	if err := x.append("INBOX", 2073); !errors.Is(err, mailparts.ErrQuota) {
		t.Errorf("we do not refuse what is beyond Dovecot's limit: %v", err)
	}
	x.must(x.append("INBOX", 2072))
	x.wantSum(3072, 2)
}

// Dovecot and a process of ours deliver and expunge at once, each in a mailbox of its
// own: no line is lost.
func TestMaildirQuotaAtOnce(t *testing.T) {
	if tree := os.Getenv(quotaChild); tree != "" {
		deliverAndExpunge(t, tree)
		return
	}
	t.Parallel()
	x := newQuotaTree(t, maildir.Limits{Storage: 1 << 20})
	x.must(x.store.(mailparts.Manager).Create(t.Context(), "ours"))
	x.handOver()
	ours := asMail(t, "TestMaildirQuotaAtOnce", quotaChild+"="+x.dir)
	var out strings.Builder
	ours.Stdout, ours.Stderr = &out, &out
	x.must(ours.Start())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			c := &lmtp.Client{Addr: x.dovecot.lmtp}
			for range 40 {
				if err := c.Deliver(t.Context(), toAll("alice"), strings.NewReader(letter)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := ours.Wait(); err != nil {
		t.Fatalf("our process: %v\n%s", err, &out)
	}
	octets, messages := x.sum()
	if messages != 80+40 {
		t.Errorf("%d messages are in the quota, want %d", messages, 80+40)
	}
	x.wantSum(octets, messages)
}

// quotaChild is the environment variable that makes a process ours of
// TestMaildirQuotaAtOnce, with the folder of all trees in it.
const quotaChild = "MAILPARTS_QUOTA_CHILD"

func deliverAndExpunge(t *testing.T, dir string) {
	store, err := (&maildir.Backend{Root: dir}).Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mb, err := store.Mailbox(t.Context(), "ours")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 80 {
		placed, err := mailparts.Append(t.Context(), mb, mailparts.Incoming{Body: strings.NewReader(letter)})
		if err == nil && i%2 == 0 {
			err = mb.Expunge(t.Context(), placed.UIDs, "")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ownProgram is a copy of this test's program that everybody may run. Another process
// makes it: what this one has open for writing, a fork at that moment would keep open, and
// such a file cannot be run.
func ownProgram(t testing.TB) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder(t), "interop.test")
	run(t, "", "install", "-m", "755", own, name)
	return name
}

// credential is that of a user of the system.
func credential(t testing.TB, name string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uerr, gerr); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
