package maildir_test

import (
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// problems are what Check or Repair says, without the tree's path. It checks that
// Check changes nothing.
func problems(t *testing.T, fsys *disktest.FS, list func(b *maildir.Backend) iter.Seq2[maildir.Problem, error]) (said []string) {
	t.Helper()
	for p, err := range list(on(fsys)) {
		must(t, err)
		if p.File == "" || p.What == "" || p.Err != nil {
			t.Errorf("a problem: %+v", p)
		}
		said = append(said, strings.TrimSpace(p.Mailbox+" "+strings.TrimPrefix(p.String(), root+"/user")))
	}
	return said
}

func checked(t *testing.T, fsys *disktest.FS) []string {
	t.Helper()
	before := fsys.Files()
	fsys.Before = func(op disktest.Op) error {
		if !slices.Contains([]string{"openfile", "stat", "read", "readat", "readdir", "close"}, op.Name) {
			t.Errorf("Check does %s %s", op.Name, op.Path)
		}
		return nil
	}
	said := problems(t, fsys, func(b *maildir.Backend) iter.Seq2[maildir.Problem, error] { return b.Check(t.Context(), "user") })
	fsys.Before = nil
	if !maps.Equal(before, fsys.Files()) {
		t.Error("Check has changed files")
	}
	return said
}

func repaired(t *testing.T, fsys *disktest.FS) []string {
	t.Helper()
	return problems(t, fsys, func(b *maildir.Backend) iter.Seq2[maildir.Problem, error] { return b.Repair(t.Context(), "user") })
}

// lived is a tree that was used: INBOX has messages 1 to 4 with keywords, "box" one.
func lived(t *testing.T) *disktest.FS {
	fsys := disktest.New()
	put(t, fsys, "/other", "")
	must(t, disk.MkdirAll(fsys, root+"/user", 0o700))
	put(t, fsys, root+"/user/maildirsize", "1000000S\n0 0\n")
	s := openStore(t, on(fsys))
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	for i := range 6 {
		deliver(t, mb, fmt.Sprintf("body %d\r\n", i+1), [][]mailparts.Flag{{"Work"}, nil, {mailparts.FlagSeen, "$Forwarded"}}[i%3]...)
	}
	must(t, mb.Expunge(t.Context(), uids(2, 5), ""))
	must(t, s.(mailparts.Manager).Create(t.Context(), "box"))
	box, err := s.Mailbox(t.Context(), "box")
	must(t, err)
	deliver(t, box, "in the box\r\n")
	status(t, mb)
	return fsys
}

// first returns the first file that matches a pattern below the user's tree.
func first(t *testing.T, fsys *disktest.FS, pattern string) string {
	t.Helper()
	names := in(fsys, pattern)
	if len(names) == 0 {
		t.Fatalf("no file is %s", pattern)
	}
	return names[0]
}

func TestCheckOfGoodTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := lived(t)
		if said := checked(t, fsys); len(said) > 0 {
			t.Errorf("Check of what nothing is wrong with: %q", said)
		}
		put(t, fsys, root+"/user/new/foreign", "x")
		must(t, disk.WriteFile(fsys, root+"/user/maildirsize", []byte("9S\n"+quotaOf(fsys)), 0o600))
		if said := checked(t, fsys); len(said) > 0 {
			t.Errorf("Check of mail without a UID: %q", said)
		}
		before := fsys.Files()
		if said := repaired(t, fsys); len(said) > 0 {
			t.Errorf("Repair of what nothing is wrong with: %q", said)
		}
		after := fsys.Files()
		for _, files := range []map[string]string{before, after} {
			maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasSuffix(name, ".lock") })
		}
		if !maps.Equal(before, after) {
			t.Error("Repair of what nothing is wrong with has changed files")
		}
	})
}

// quotaOf is the line of the quota that is right.
func quotaOf(fsys *disktest.FS) string {
	octets, n := 0, 0
	for name, content := range fsys.Files() {
		if dir := filepath.Base(filepath.Dir(name)); dir == "new" || dir == "cur" {
			octets += len(content)
			n++
		}
	}
	return fmt.Sprintf("%d %d\n", octets, n)
}

// Every kind of damage is found and repaired, or left to a person. Everything else is
// as it was.
func TestCheck(t *testing.T) {
	const user = root + "/user"
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, fsys *disktest.FS)
		want   []string // problems begin so
		stays  int      // of them after Repair
	}{
		{"missing folder", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Remove(user+"/.box/tmp"))
			must(t, fsys.Remove(user+"/.box/cur"))
		}, []string{"box /.box/tmp: is missing (make it)", "box /.box/cur: is missing (make it)"}, 0},
		{"empty folder", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Mkdir(user+"/.cache", 0o700))
		}, []string{"cache /.cache: has a mailbox's name, and nothing of"}, 1},
		{"name in UTF-8", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Rename(user+"/.box", user+"/.bäh.b"))
		}, []string{"/.bäh.b: has its name in UTF-8, as Courier writes it, and nobody sees it (rename it to .b&AOQ-h.b)"}, 0},
		{"name of no mailbox", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Mkdir(user+"/.a..b", 0o700))
			must(t, fsys.Mkdir(user+"/.a..b/cur", 0o700))
			must(t, fsys.Mkdir(user+"/.x..y", 0o700)) // has nothing of a mailbox
		}, []string{"/.a..b: has no name of a mailbox"}, 1},
		{"rest of a mailbox", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Mkdir(user+"/..mailparts-1", 0o700))
			put(t, fsys, user+"/..mailparts-1/x", "")
		}, []string{"/..mailparts-1: is left of a mailbox that was deleted (remove it)"}, 0},
		{"stale locks", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/subscriptions.lock", "1:elsewhere")
			put(t, fsys, user+"/.box/dovecot-uidlist.lock", "1:elsewhere")
			time.Sleep(time.Hour)
			put(t, fsys, user+"/dovecot-uidlist.lock", "1:elsewhere") // perhaps held
			time.Sleep(time.Minute)
		}, []string{"/subscriptions.lock: was left behind", "box /.box/dovecot-uidlist.lock: was left behind"}, 0},
		{"temporary files", func(t *testing.T, fsys *disktest.FS) {
			for _, name := range []string{"/tmp/1.x", "/dovecot-uidlist.tmp", "/.box/dovecot-keywords.tmp", "/maildirsize.tmp", "/mine.tmp"} {
				put(t, fsys, user+name, "x")
			}
			time.Sleep(36 * time.Hour)
			put(t, fsys, user+"/tmp/2.x", "x")
		}, []string{"/maildirsize.tmp: was left by a crash", "INBOX /dovecot-uidlist.tmp: was left", "INBOX /tmp/1.x: was left", "box /.box/dovecot-keywords.tmp: was left"}, 0},
		{"counter of UIDVALIDITYs", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Remove(first(t, fsys, "dovecot-uidvalidity.*")))
			put(t, fsys, user+"/dovecot-uidvalidity.00000007", "")
		}, []string{": has a mailbox with the UIDVALIDITY"}, 0},
		{"sum of the quota", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/maildirsize", "1000000S\n1 1\n")
		}, []string{"/maildirsize: counts 1 octets in 1 messages, there are 39 in 5 (count anew)"}, 0},
		{"bad line of the quota", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/maildirsize", "1000000S\n"+quotaOf(fsys)+"x\n")
		}, []string{"/maildirsize: counts"}, 0},
		{"no quota", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/maildirsize", "x\n1 1\n")
		}, []string{"/maildirsize: has no limits"}, 1},
		{"message beside the folders", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/1795374075.M1P1.x", "stray\n")
			put(t, fsys, user+"/.box/1795374075.M2P1.x:2,S", "stray\n")
			must(t, disk.WriteFile(fsys, user+"/maildirsize", []byte("9S\n51 7\n"), 0o600))
		}, []string{"/maildirsize: counts", "INBOX /1795374075.M1P1.x: looks like a message, and is in no folder of messages (move it to new)", "box /.box/1795374075.M2P1.x:2,S: looks like a message, and is in no folder of messages (move it to cur)"}, 0},
		{"what is no message", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Mkdir(user+"/cur/folder", 0o700))
			put(t, fsys, user+"/cur/.nfs123", "x")
		}, []string{"INBOX /cur/.nfs123: is hidden", "INBOX /cur/folder: is no file"}, 2},
		{"bad name", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/new/:2,S", "abc")
			put(t, fsys, user+"/maildirsize", "9S\n"+quotaOf(fsys))
		}, []string{"/maildirsize: counts", "INBOX /new/:2,S: has a name that no message can have (give it another name)"}, 0},
		{"wrong size on disk", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/new/1.x,S=9,W=4", "ab\n")
			put(t, fsys, user+"/maildirsize", "9S\n48 6\n")
		}, []string{"INBOX /new/1.x,S=9,W=4: has 3 octets, and 4 on the wire"}, 0},
		{"wrong size on the wire", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/cur/1.x,S=3,W=3:2,S", "ab\n")
			put(t, fsys, user+"/maildirsize", "9S\n42 6\n")
		}, []string{"INBOX /cur/1.x,S=3,W=3:2,S: has 3 octets, and 4 on the wire"}, 0},
		{"wrong size in the list", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/.box/new/1.x", "ab\n")
			put(t, fsys, user+"/maildirsize", "9S\n42 6\n")
			list := user + "/.box/dovecot-uidlist"
			put(t, fsys, list, get(t, fsys, list)+"9 W8 :1.x\n")
		}, []string{"box /.box/new/1.x: has 3 octets, and 4 on the wire"}, 0},
		{"two files with one base", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/.box/new/1.x", "ab\n")
			put(t, fsys, user+"/.box/cur/1.x:2,S", "cd\n")
			put(t, fsys, user+"/maildirsize", "9S\n45 7\n")
		}, []string{"box /.box/cur/1.x:2,S: is a second message with the base of 1.x"}, 0},
		{"one file with two names", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/.box/new/1.x", "ab\n")
			must(t, fsys.Link(user+"/.box/new/1.x", user+"/.box/cur/1.x:2,S"))
			put(t, fsys, user+"/maildirsize", "9S\n42 6\n")
		}, []string{"/maildirsize: counts", "box /.box/cur/1.x:2,S: is a second name of 1.x (remove one of them)"}, 0},
		{"letters without names", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/dovecot-keywords", "1 $Forwarded\n")
		}, []string{"INBOX /dovecot-keywords: has no names for letters in names of files: a, now unknown-0 (give them these)"}, 0},
		{"broken keywords", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/dovecot-keywords", "0 Work\n\x00\n")
		}, []string{"INBOX /dovecot-keywords: has 1 bad lines (set", "INBOX /dovecot-keywords: has no names for letters in names of files: b, now"}, 0},
		{"broken index", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/mailparts-index", strings.Replace(get(t, fsys, user+"/mailparts-index"), "host", "h\x00st", 1))
		}, []string{"INBOX /mailparts-index: "}, 0},
		{"torn uidlist", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, listFile, get(t, fsys, listFile)+"90 :x")
		}, []string{"INBOX /dovecot-uidlist: has 1 lines that are none"}, 0},
		{"lines of the uidlist", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, listFile, get(t, fsys, listFile)+"x\n\n")
		}, []string{"INBOX /dovecot-uidlist: has 2 lines that are none"}, 0},
		{"lines of what is gone", func(t *testing.T, fsys *disktest.FS) {
			list := get(t, fsys, listFile)
			for i := range 300 {
				list += fmt.Sprintf("%d :%d.x\n", i+100, i)
			}
			put(t, fsys, listFile, list)
		}, []string{"INBOX /dovecot-uidlist: has 302 lines of messages that are gone (write it anew)"}, 0},
		{"no header", func(t *testing.T, fsys *disktest.FS) {
			put(t, fsys, user+"/.box/dovecot-uidlist", "\x00\x00\x00\n")
		}, []string{"box /.box/dovecot-uidlist: has no header"}, 0},
		{"Courier's mailbox", func(t *testing.T, fsys *disktest.FS) {
			must(t, fsys.Remove(user+"/.box/dovecot-uidlist"))
			put(t, fsys, user+"/.box/courierimapuiddb", "1 7 2\n1 x\n")
		}, []string{"box /.box/courierimapuiddb: is Courier's, and was not taken over yet (take it over)"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := lived(t)
				tc.damage(t, fsys)
				before := bodiesIn(fsys)
				begin := func(said []string, want []string) bool {
					said = slices.Sorted(slices.Values(said))
					return slices.EqualFunc(said, slices.Sorted(slices.Values(want)), strings.HasPrefix)
				}
				if said := checked(t, fsys); !begin(said, tc.want) {
					t.Errorf("Check says %q, want %q", said, tc.want)
				}
				if said := repaired(t, fsys); !begin(slices.DeleteFunc(said, aboutQuota), slices.DeleteFunc(slices.Clone(tc.want), aboutQuota)) {
					t.Errorf("Repair says %q, want %q", said, tc.want)
				}
				if said := checked(t, fsys); len(said) != tc.stays {
					t.Errorf("after Repair Check says %q, want %d problems", said, tc.stays)
				}
				if after := bodiesIn(fsys); !maps.Equal(before, after) {
					t.Errorf("messages were %v, are %v", before, after)
				}
				describe(t, openMailbox(t, on(fsys), "INBOX"))
			})
		})
	}
}

// aboutQuota leaves out the sum, which a repair of something else may make wrong or
// right.
func aboutQuota(said string) bool { return strings.HasPrefix(said, "/maildirsize: counts") }

// bodiesIn is every message of a tree by its content: how many files it has in it.
func bodiesIn(fsys *disktest.FS) map[string]bool {
	all := map[string]bool{}
	for name, content := range fsys.Files() {
		dir := filepath.Base(filepath.Dir(name))
		if dir == "new" || dir == "cur" || content == "stray\n" {
			all[content] = true
		}
	}
	return all
}
