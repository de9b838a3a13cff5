package disktest

import (
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/mailparts/mailparts/internal/disk"
)

// lockTable has the locks of one kind, by file and by who holds them.
type lockTable map[*node]map[any]disk.LockMode

func (t lockTable) set(n *node, owner any, m disk.LockMode) error {
	for other, held := range t[n] {
		if other != owner && m != disk.Unlocked && (m == disk.Exclusive || held == disk.Exclusive) {
			return disk.ErrLocked
		}
	}
	if m == disk.Unlocked {
		delete(t[n], owner)
		return nil
	}
	if t[n] == nil {
		t[n] = map[any]disk.LockMode{}
	}
	t[n][owner] = m
	return nil
}

// Fcntl implements disk.File, as on Linux.
func (f *file) Fcntl(m disk.LockMode) error {
	access := [...]int{disk.Unlocked: anyAccess, disk.Shared: readAccess, disk.Exclusive: writeAccess}[m]
	err := f.begin("fcntl", access)
	defer f.fsys.mu.Unlock()
	if err != nil {
		return err
	}
	return f.fsys.fcntls.set(f.node, f, m)
}

// Flock implements disk.File.
func (f *file) Flock(m disk.LockMode) error {
	err := f.begin("flock", anyAccess)
	defer f.fsys.mu.Unlock()
	if err != nil {
		return err
	}
	return f.fsys.flocks.set(f.node, f, m)
}

// Lock implements disk.FS, by a flock as OS does.
func (f *FS) Lock(name string) (io.Closer, error) {
	err := f.begin("lock", name)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	n, err := f.open(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, pathError("lock", name, err)
	}
	l := &lock{fsys: f, node: n}
	if err := f.flocks.set(n, l, disk.Exclusive); err != nil {
		return nil, err
	}
	return l, nil
}

type lock struct {
	fsys *FS
	node *node
	once sync.Once
}

// Close is no operation: the lock goes in any case.
func (l *lock) Close() error {
	err := fs.ErrClosed
	l.once.Do(func() {
		l.fsys.mu.Lock()
		defer l.fsys.mu.Unlock()
		l.fsys.flocks.set(l.node, l, disk.Unlocked)
		err = nil
	})
	return err
}
