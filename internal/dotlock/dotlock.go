// Package dotlock is locks that are files: who makes name.lock has locked name.
// Dovecot, UW-IMAP, procmail and mutt know them.
package dotlock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// ErrLost is of a lock that another has taken for left behind.
var ErrLost = errors.New("the lock was taken over")

// Stale is when a lock is left behind, if neither it nor what it locks has changed:
// Dovecot's rule. UW-IMAP waits for five minutes, procmail for seventeen.
const Stale = 2 * time.Minute

// Maker makes locks. FS, Host, Log and Mode must be set.
type Maker struct {
	FS   disk.FS
	Host string       // the machine's own name: it knows the process IDs of this one
	Log  *slog.Logger // is told which locks were left behind
	Mode fs.FileMode
	// Stale is when a lock is left behind. Zero: Stale.
	Stale time.Duration
	// Empty is that for one with no process ID in it. Zero: as for others.
	Empty time.Duration
	// Of is a file on the same disk that only one caller of Try at a time uses, in any
	// process, while the others wait for another lock. Each lock is then a second name
	// of it, which takes a tenth of the time of a new file; and one that is there
	// already was left behind. Empty: none.
	Of string
}

// Lock is a lock that is held.
type Lock struct {
	fsys disk.FS
	name string
	made fs.FileInfo
}

// Try makes the file name.lock with the process ID and the host in it, as Dovecot
// does, or returns disk.ErrLocked while another has it. One that was left behind is
// removed first: if its process is gone from this machine, or nothing has changed
// for long. alone says that the caller holds another lock that every user of name in
// this process takes first, so that a lock with this process's ID is left behind
// too: process IDs come again, in a container at every start.
func (m *Maker) Try(name string, alone bool) (*Lock, error) {
	lock := name + ".lock"
	made, err := m.create(lock)
	if errors.Is(err, fs.ErrExist) {
		if !m.isOurs(lock) && !m.isStale(lock, name, alone) {
			return nil, disk.ErrLocked
		}
		m.Log.Warn("removed a lock that was left over", "lock", lock)
		if err := m.FS.Remove(lock); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		made, err = m.create(lock)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, disk.ErrLocked
	}
	if err != nil {
		return nil, err
	}
	return &Lock{fsys: m.FS, name: lock, made: made}, nil
}

// create makes the lock, which is held once the file is there: that its content
// cannot be written, on a full disk, does no harm.
func (m *Maker) create(lock string) (fs.FileInfo, error) {
	if m.Of != "" {
		if fi, err := m.link(lock); err == nil || errors.Is(err, fs.ErrExist) {
			return fi, err
		} // else the disk may know no links
	}
	f, err := m.FS.OpenFile(lock, os.O_WRONLY|os.O_CREATE|os.O_EXCL, m.Mode)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	io.WriteString(f, m.owner())
	fi, err := f.Stat()
	if err != nil {
		m.FS.Remove(lock)
	}
	return fi, err
}

// owner is the content of a lock.
func (m *Maker) owner() string { return fmt.Sprintf("%d:%s", os.Getpid(), m.Host) }

// rewriteAfter is how old Of may get: a lock must not look left behind.
const rewriteAfter = 10 * time.Second

// link makes Of what a lock of ours is, and the lock a name of it.
func (m *Maker) link(lock string) (fs.FileInfo, error) {
	fi, err := m.FS.Stat(m.Of)
	if err != nil {
		return nil, err
	}
	age := time.Since(fi.ModTime())
	content, err := disk.ReadFile(m.FS, m.Of)
	if err != nil {
		return nil, err
	}
	if owner := m.owner(); string(content) != owner || age < 0 || age > rewriteAfter {
		f, err := m.FS.OpenFile(m.Of, os.O_WRONLY|os.O_TRUNC, m.Mode)
		if err != nil {
			return nil, err
		}
		_, err = io.WriteString(f, owner)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	return fi, m.FS.Link(m.Of, lock)
}

// isOurs reports whether a lock is a name of Of.
func (m *Maker) isOurs(lock string) bool {
	if m.Of == "" {
		return false
	}
	fi, err := m.FS.Stat(lock)
	if err != nil {
		return false
	}
	of, err := m.FS.Stat(m.Of)
	return err == nil && disk.SameFile(fi, of)
}

// IsStale reports whether there is a lock on name that was left behind.
func (m *Maker) IsStale(name string) bool { return m.isStale(name+".lock", name, false) }

// isStale says that who made a lock has left it behind. A process ID without a host
// tells nothing: it may be of another machine.
func (m *Maker) isStale(lock, name string, alone bool) bool {
	stale := m.Stale
	if stale == 0 {
		stale = Stale
	}
	fi, err := m.FS.Stat(lock)
	if err != nil {
		return false // just gone: try again
	}
	changed := fi.ModTime()
	content, err := disk.ReadFile(m.FS, lock)
	if err != nil {
		return false
	}
	if len(content) == 0 && m.Empty != 0 {
		return time.Since(changed) > m.Empty
	}
	pid, host, _ := strings.Cut(strings.TrimSpace(string(content)), ":")
	if n, err := strconv.Atoi(pid); err == nil && n > 0 && host == m.Host {
		if n == os.Getpid() && alone || errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			return true
		}
	}
	if fi, err := m.FS.Stat(name); err == nil && fi.ModTime().After(changed) {
		changed = fi.ModTime()
	}
	return time.Since(changed) > stale
}

// Check returns ErrLost if the lock is not ours any more.
func (l *Lock) Check() error {
	fi, err := l.fsys.Stat(l.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !disk.SameFile(fi, l.made) {
		return fmt.Errorf("%s: %w", l.name, ErrLost)
	}
	return err
}

// Touch keeps the lock from looking left behind.
func (l *Lock) Touch() error {
	if err := l.Check(); err != nil {
		return err
	}
	return l.fsys.Chtimes(l.name, time.Now())
}

// Unlock removes the lock, if it is ours still.
func (l *Lock) Unlock() error {
	if err := l.Check(); err != nil {
		return err
	}
	return l.fsys.Remove(l.name)
}
