package maildir_test

import (
	"errors"
	"fmt"
	"io"
	"os"
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

const quotaFile = root + "/user/maildirsize"

// limited is a Backend whose users have a quota.
func limited(fsys disk.FS, octets, messages int64) *maildir.Backend {
	b := on(fsys)
	b.Quota = func(string) (maildir.Limits, error) { return maildir.Limits{Storage: octets, Messages: messages}, nil }
	return b
}

// wantQuota checks what a Store says, as "used/limit" of storage and messages.
func wantQuota(t testing.TB, s mailparts.Store, want string) {
	t.Helper()
	quotas, err := mailparts.QuotaOf(t.Context(), s, "INBOX")
	must(t, err)
	var got []string
	for _, q := range quotas {
		got = append(got, fmt.Sprintf("%.1s %d/%d", q.Resource, q.Used, q.Limit))
	}
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("quota is %q, want %q", s, want)
	}
}

func wantFile(t testing.TB, fsys disk.FS, want string) {
	t.Helper()
	if got := get(t, fsys, quotaFile); got != want {
		t.Errorf("maildirsize is %q, want %q", got, want)
	}
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a message that is refused was read")
	return 0, io.EOF
}

func batchOf(msgs ...mailparts.Incoming) func(func(mailparts.Incoming, error) bool) {
	return func(yield func(mailparts.Incoming, error) bool) {
		for _, m := range msgs {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// What goes beyond a limit is refused with all that came with it, and what does not
// is taken.
func TestQuotaRefuses(t *testing.T) {
	sized := func(n int) mailparts.Incoming {
		return mailparts.Incoming{Body: strings.NewReader(strings.Repeat("x", n)), Size: int64(n)}
	}
	unsized := func(n int) mailparts.Incoming {
		m := sized(n)
		m.Size = 0
		return m
	}
	replacing := func(m mailparts.Incoming) mailparts.Incoming {
		m.Replaces = 1
		return m
	}
	never := mailparts.Incoming{Body: unread{t}, Size: 91}
	lying := sized(91)
	lying.Size = 1
	for name, tc := range map[string]struct {
		octets, messages int64
		msgs             []mailparts.Incoming
		ok               bool
	}{
		"the last octet":                        {100, 0, []mailparts.Incoming{sized(90)}, true},
		"one octet more":                        {100, 0, []mailparts.Incoming{never}, false},
		"the last octet, of an unknown size":    {100, 0, []mailparts.Incoming{unsized(90)}, true},
		"one octet more, of an unknown size":    {100, 0, []mailparts.Incoming{unsized(91)}, false},
		"more than was said":                    {100, 0, []mailparts.Incoming{lying}, false},
		"an unknown size where nothing is left": {10, 0, []mailparts.Incoming{{Body: unread{t}}}, false},
		"the last message":                      {0, 2, []mailparts.Incoming{sized(9000)}, true},
		"one message more":                      {0, 1, []mailparts.Incoming{never}, false},
		"a batch that fits":                     {100, 3, []mailparts.Incoming{sized(45), unsized(45)}, true},
		"a batch of too many octets":            {100, 3, []mailparts.Incoming{sized(45), unsized(46)}, false},
		"a batch of too many octets, known":     {100, 3, []mailparts.Incoming{sized(45), {Body: unread{t}, Size: 46}}, false},
		"a batch of too many messages":          {100, 2, []mailparts.Incoming{sized(1), sized(1)}, false},
		"in the place of another":               {100, 1, []mailparts.Incoming{replacing(sized(100))}, true},
		"in the place of another, too large":    {100, 1, []mailparts.Incoming{replacing(unsized(101))}, false},
		"in the place of one that is not there": {100, 1, []mailparts.Incoming{{Body: unread{t}, Size: 1, Replaces: 7}}, false},
	} {
		fsys := disktest.New()
		deliver(t, openMailbox(t, on(fsys), "INBOX"), "0123456789")
		store := openStore(t, limited(fsys, tc.octets, tc.messages))
		mb, err := store.Mailbox(t.Context(), "INBOX")
		must(t, err)
		before, limits := get(t, fsys, quotaFile), strings.SplitAfter(get(t, fsys, quotaFile), "\n")[0]
		_, err = mb.Append(t.Context(), batchOf(tc.msgs...))
		if tc.ok {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, want := len(describe(t, mb)), 1+len(tc.msgs); got != want {
				t.Errorf("%s: %d messages, want %d", name, got, want)
			}
			if after := get(t, fsys, quotaFile); strings.Count(after, "\n") != strings.Count(before, "\n")+1 {
				t.Errorf("%s: maildirsize was %q and is %q, want one line more", name, before, after)
			}
			continue
		}
		if !errors.Is(err, mailparts.ErrQuota) {
			t.Errorf("%s: got error %v, want ErrQuota", name, err)
		}
		want(t, mb, "1 [] 0123456789")
		if left := in(fsys, "tmp/*"); len(left) > 0 {
			t.Errorf("%s: left in tmp: %q", name, left)
		}
		wantFile(t, fsys, limits+"10 1\n")
	}
}

// Each change is one line.
func TestQuotaLines(t *testing.T) {
	fsys := disktest.New()
	store := openStore(t, limited(fsys, 1000, 10))
	wantFile(t, fsys, "1000S,10C\n0 0\n")
	inbox, err := store.Mailbox(t.Context(), "INBOX")
	must(t, err)
	m := store.(mailparts.Manager)
	must(t, m.Create(t.Context(), "a"))
	a, err := store.Mailbox(t.Context(), "a")
	must(t, err)

	deliver(t, inbox, "1\r\n2\r\n", mailparts.FlagDeleted)
	deliver(t, a, "abc", mailparts.FlagDeleted)
	_, err = inbox.Append(t.Context(), batchOf(incoming("x"), incoming("yz")))
	must(t, err)
	wantFile(t, fsys, "1000S,10C\n0 0\n4 1\n3 1\n3 2\n")
	wantQuota(t, store, "S 10/1000, M 4/10")

	must(t, inbox.Expunge(t.Context(), uids(1, 2), ""))
	must(t, inbox.Expunge(t.Context(), uids(1, 2), ""))
	must(t, m.Rename(t.Context(), "a", "b"))
	must(t, m.Delete(t.Context(), "b"))
	wantFile(t, fsys, "1000S,10C\n0 0\n4 1\n3 1\n3 2\n-5 -2\n-3 -1\n")
	wantQuota(t, store, "S 2/1000, M 1/10")
}

// Everything that Dovecot counts is counted, in every folder, and nothing else.
func TestQuotaCounts(t *testing.T) {
	fsys := tree(t, "",
		"new/10.a,S=100", "cur/10.b,S=30,W=31:2,ST", "cur/noname:2,S", // 18 octets
		"cur/10.c,S=x:2,", "new/.hidden", "tmp/10.d,S=5000")
	put(t, fsys, root+"/user/cur/10.e,S=7,W=8:2,", strings.Repeat("x", 500)) // the name rules
	for _, folder := range []string{".Trash", ".not&a-mailbox", ".a.b", "other", "..mailparts-10.x"} {
		for _, sub := range []string{"", "/cur", "/new"} {
			must(t, fsys.Mkdir(root+"/user/"+folder+sub, 0o700))
		}
		put(t, fsys, root+"/user/"+folder+"/cur/10.x,S=1000:2,T", "")
	}
	must(t, fsys.Mkdir(root+"/user/.a/", 0o700))
	must(t, fsys.Mkdir(root+"/user/cur/folder", 0o700))
	put(t, fsys, root+"/user/.file", "")
	wantQuota(t, openStore(t, limited(fsys, 1e6, 100)), "S 3173/1000000, M 8/100")
}

// When what the file says stands, and when the tree is counted.
func TestQuotaStands(t *testing.T) {
	long := "1000S\n" + strings.Repeat("0 0\n", maildir.MaxSizeFile/4)
	for name, tc := range map[string]struct {
		file  string
		after time.Duration
		want  string // of the storage
	}{
		"a wrong sum with room":                  {"1000S\n990 5\n-10 1\n", time.Hour, "980/1000"},
		"a full one that was just counted":       {"1000S\n1000 5\n", 14 * time.Minute, "1000/1000"},
		"a full one that was counted long ago":   {"1000S\n1000 5\n", 16 * time.Minute, "6/1000"},
		"a full one that was added up":           {"1000S\n990 5\n10 1\n", 0, "6/1000"},
		"a full one with a torn line":            {"1000S\n1000 5\n1", 0, "6/1000"},
		"limits only":                            {"1000S\n", 0, "6/1000"},
		"limits only, without the end of a line": {"1000S", 0, "6/1000"},
		"a long one":                             {long, 0, "6/1000"},
		"one that is bad":                        {"1000S\n5 1\n<!-- \n", 0, "6/1000"},
		"a sum below zero":                       {"1000S\n5 1\n-7 0\n", 0, "6/1000"},
	} {
		synctest.Test(t, func(t *testing.T) {
			fsys := disktest.New()
			b := on(fsys)
			deliver(t, openMailbox(t, b, "INBOX"), "sixsix")
			put(t, fsys, quotaFile, tc.file)
			time.Sleep(tc.after)
			wantQuota(t, openStore(t, b), "S "+tc.want)
			if strings.HasPrefix(tc.want, "6/") {
				wantFile(t, fsys, "1000S\n6 1\n")
			} else {
				wantFile(t, fsys, tc.file)
			}
			_, err := mailparts.Append(t.Context(), openMailbox(t, b, "INBOX"), mailparts.Incoming{Body: strings.NewReader("x"), Size: 1})
			if full := tc.want == "1000/1000"; errors.Is(err, mailparts.ErrQuota) != full {
				t.Errorf("%s: Append: %v", name, err)
			}
		})
	}
}

// A line goes after a torn one, which is then bad and leads to a count.
func TestQuotaTornLine(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	mb := openMailbox(t, b, "INBOX")
	deliver(t, mb, "sixsix")
	put(t, fsys, quotaFile, "1000S\n6 1\n99")
	deliver(t, mb, "one")
	wantFile(t, fsys, "1000S\n6 1\n99\n3 1\n")
	wantQuota(t, openStore(t, b), "S 9/1000")
	wantFile(t, fsys, "1000S\n9 2\n")
}

// Where limits come from.
func TestQuotaLimits(t *testing.T) {
	fsys := disktest.New()
	inbox := openMailbox(t, on(fsys), "INBOX")
	deliver(t, inbox, "12345")
	wantQuota(t, openStore(t, on(fsys)), "")
	if left := append(in(fsys, "maildirsize*"), in(fsys, "mailparts-quota*")...); len(left) > 0 {
		t.Errorf("without a quota there is %q", left)
	}
	put(t, fsys, quotaFile, "")
	wantQuota(t, openStore(t, on(fsys)), "")
	wantFile(t, fsys, "")

	wantQuota(t, openStore(t, limited(fsys, 0, 7)), "M 1/7")
	wantFile(t, fsys, "7C\n5 1\n")
	wantQuota(t, openStore(t, limited(fsys, 100, 0)), "S 5/100")
	wantFile(t, fsys, "100S\n5 1\n")
	wantQuota(t, openStore(t, limited(fsys, 0, -5)), "S 5/100")
	wantQuota(t, openStore(t, on(fsys)), "S 5/100")
	put(t, fsys, quotaFile, "50S,8C,3X\n5 1\n")
	wantQuota(t, openStore(t, on(fsys)), "S 5/50, M 1/8")
	wantQuota(t, openStore(t, limited(fsys, 60, 9)), "S 5/60, M 1/9")
	wantFile(t, fsys, "60S,9C,3X\n5 1\n")
	put(t, fsys, quotaFile, "0S\n5 1\n")
	deliver(t, inbox, "6")
	wantQuota(t, openStore(t, on(fsys)), "")
	wantFile(t, fsys, "0S\n5 1\n1 1\n")

	unknown := errors.New("the database is away")
	b := on(fsys)
	b.Quota = func(string) (maildir.Limits, error) { return maildir.Limits{}, unknown }
	if _, err := b.Open(t.Context(), "user"); !errors.Is(err, unknown) {
		t.Errorf("Open: %v", err)
	}
}

// A file without limits is kept aside.
func TestQuotaAside(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	openStore(t, b)
	put(t, fsys, quotaFile, "garbage\n5 1\n")
	wantQuota(t, openStore(t, b), "")
	aside := in(fsys, "maildirsize*")
	if len(aside) != 1 || !strings.HasPrefix(aside[0], quotaFile+".bad-") || get(t, fsys, aside[0]) != "garbage\n5 1\n" {
		t.Errorf("there is %q", aside)
	}
	wantQuota(t, openStore(t, limited(fsys, 10, 0)), "S 0/10")
}

func TestQuotaOfNames(t *testing.T) {
	store := openStore(t, limited(disktest.New(), 10, 0))
	q := store.(mailparts.Quotaer)
	for name, want := range map[string]error{"INBOX": nil, "none": mailparts.ErrNoMailbox, "../x": mailparts.ErrBadName, "": mailparts.ErrBadName} {
		if _, err := q.Quota(t.Context(), name); !errors.Is(err, want) {
			t.Errorf("Quota of %q: %v, want %v", name, err, want)
		}
	}
}

// Without a quota a delivery looks once whether there is one, and that is all.
func TestQuotaCostsNothing(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	deliver(t, mb, "before")
	var ops []string
	fsys.Before = func(op disktest.Op) error {
		if strings.Contains(op.Path, "maildirsize") || strings.Contains(op.Path, "quota") {
			ops = append(ops, op.Name)
		}
		return nil
	}
	deliver(t, mb, "after")
	if !slices.Equal(ops, []string{"openfile"}) {
		t.Errorf("made %q", ops)
	}
}

// The messages that others deliver while the tree is counted are counted too, and once,
// whether their lines were in the old file or are in the new one.
func TestQuotaRecountSeesOthers(t *testing.T) {
	for name, at := range map[string]disktest.Op{
		"as the first is asked for": {Name: "openfile", Path: quotaFile},
		"before INBOX is read":      {Name: "readdir", Path: root + "/user/new"},
		"after INBOX was read":      {Name: "readdir", Path: root + "/user/cur"},
		"as the new file is made":   {Name: "openfile", Path: quotaFile + ".tmp"},
		"before it has its name":    {Name: "rename", Path: quotaFile + ".tmp"},
	} {
		fsys := disktest.New()
		b := on(fsys)
		mb := openMailbox(t, b, "INBOX")
		deliver(t, mb, "sixsix")
		put(t, fsys, quotaFile, "1000S\n5 1\nbad\n")
		busy := false
		fsys.Before = func(op disktest.Op) error {
			if op == at && !busy {
				busy = true
				put(t, fsys, root+"/user/new/10.foreign,S=100", "")
				f, err := fsys.OpenFile(quotaFile, os.O_WRONLY|os.O_APPEND, 0o600)
				must(t, err)
				io.WriteString(f, "100 1\n")
				must(t, f.Close())
			}
			return nil
		}
		store := openStore(t, b)
		wantQuota(t, store, "S 106/1000")
		wantQuota(t, store, "S 106/1000")
		if !busy {
			t.Errorf("%s: nothing was done", name)
		}
	}
}
