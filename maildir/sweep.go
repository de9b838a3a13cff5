package maildir

import (
	"path/filepath"
	"time"
)

const (
	// leftAfter is the age at which a file in tmp/ is a crash's or a dead
	// program's: the maildir specification's 36 hours.
	leftAfter = 36 * time.Hour
	sweepEach = 8 * time.Hour
)

// sweep removes what was left in tmp/, now and then. A message that is being
// written may have its date already, which is why the time in a name counts too.
func (b *box) sweep() {
	now := time.Now()
	b.mu.Lock()
	due := now.Sub(b.swept) >= sweepEach
	if due {
		b.swept = now
	}
	dir := filepath.Join(b.dir, "tmp")
	b.mu.Unlock()
	if !due {
		return
	}
	names, err := b.fsys.ReadDir(dir)
	if err != nil {
		return
	}
	for _, name := range names {
		sec, _ := stamp(name)
		if now.Sub(time.Unix(int64(min(sec, 1<<40)), 0)) < leftAfter {
			continue
		}
		path := filepath.Join(dir, name)
		fi, err := b.fsys.Stat(path)
		if err == nil && !fi.IsDir() && now.Sub(fi.ModTime()) >= leftAfter {
			b.fsys.Remove(path)
		}
	}
}
