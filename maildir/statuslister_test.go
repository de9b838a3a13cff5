package maildir_test

import (
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// ListStatus agrees with Status however much is known: of mailboxes that are open,
// that are not and have an index, whose index is old, and that have none.
func TestListStatus(t *testing.T) {
	fsys := disktest.New()
	writer := on(fsys)
	open := openMailbox(t, writer, "INBOX")
	for i, use := range [][]string{nil, {`\Sent`}, {`\Junk`, `\Trash`}, nil} {
		name := fmt.Sprint("box", i)
		must(t, openStore(t, writer).(mailparts.Manager).Create(t.Context(), name, use...))
		mb := openMailbox(t, writer, name)
		uid := deliver(t, mb, "m\r\n")
		_, _, err := mb.SetFlags(t.Context(), uids(uid), mailparts.FlagChange{Flags: []mailparts.Flag{"$kw", mailparts.FlagSeen}})
		must(t, err)
	}
	deliver(t, open, "m\r\n")
	agree := func(what string, b *maildir.Backend, total uint32) {
		t.Helper()
		var sum uint32
		infos := map[string]mailparts.MailboxInfo{}
		for info, err := range openStore(t, b).List(context.Background()) {
			must(t, err)
			infos[info.Name] = info
		}
		for info, err := range mailparts.ListStatus(context.Background(), openStore(t, b)) {
			must(t, err)
			another := on(fsys)
			another.Index = b.Index
			want := status(t, openMailbox(t, another, info.Name))
			if !reflect.DeepEqual(*info.Status, want) || info.ID != want.ID {
				t.Errorf("%s: ListStatus says of %s %+v, Status says %+v", what, info.Name, *info.Status, want)
			}
			sum += info.Status.Messages
			info.Status = nil
			if !reflect.DeepEqual(info, infos[info.Name]) {
				t.Errorf("%s: ListStatus yields %+v, List %+v", what, info, infos[info.Name])
			}
		}
		if sum != total {
			t.Errorf("%s: %d messages, want %d", what, sum, total)
		}
	}
	agree("opened by ourselves", writer, 5)
	agree("with an index", on(fsys), 5)
	put(t, fsys, root+"/user/.box1/new/1700000000.other", "m\n")
	agree("changed by others", on(fsys), 6)
	must(t, fsys.Remove(root+"/user/.box2/mailparts-index"))
	agree("without an index", on(fsys), 6)
	put(t, fsys, root+"/user/.box3/mailparts-index", "nothing of sense")
	agree("with a damaged index", on(fsys), 6)
	elsewhere := func() *maildir.Backend {
		b := on(fsys)
		b.Index = "/index"
		return b
	}
	agree("without an index elsewhere", elsewhere(), 6)
	agree("with an index elsewhere", elsewhere(), 6)
	runtime.KeepAlive(open)
}

// counting is a disk that counts what is opened.
type counting struct {
	disk.FS
	opened atomic.Int64
}

func (c *counting) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	c.opened.Add(1)
	return c.FS.OpenFile(name, flag, perm)
}

// Of a mailbox that has not changed only the index is opened.
func TestListStatusReads(t *testing.T) {
	const mailboxes = 20
	fsys := &counting{FS: disk.OS{}}
	b := &maildir.Backend{Root: t.TempDir()}
	b.SetFS(fsys)
	s := openStore(t, b)
	for i := range mailboxes - 1 {
		must(t, s.(mailparts.Manager).Create(t.Context(), fmt.Sprint("box", i)))
	}
	list := func(b *maildir.Backend) {
		for _, err := range mailparts.ListStatus(context.Background(), openStore(t, b)) {
			must(t, err)
		}
	}
	for range 10000 { // until nothing can have been missed in a tick of the clock
		b = &maildir.Backend{Root: b.Root}
		b.SetFS(fsys)
		fsys.opened.Store(0)
		if list(b); fsys.opened.Load() < 2*mailboxes {
			return
		}
	}
	t.Errorf("%d files are opened for %d mailboxes, want one for each", fsys.opened.Load(), mailboxes)
}
