package maildir

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// messages examines new/ and then cur/.
func (b *boxChecker) messages() {
	listed := b.listedSizes()
	bases := map[string]item{}
	for i, shelf := range shelfNames {
		dir := filepath.Join(b.dir, shelf)
		if fi, err := b.backend.fsys.Stat(dir); err == nil {
			b.mode(dir, fi)
		}
		names, err := b.backend.fsys.ReadDir(dir)
		if err != nil {
			b.unreadable(b.name, dir, err)
		}
		slices.Sort(names)
		for _, name := range names {
			if b.ctx.Err() != nil {
				return
			}
			it := item{name, uint8(i)}
			if !b.message(it, listed) {
				continue
			}
			b.files = append(b.files, it)
			b.letters |= uint32(flagsIn(name) >> firstKeyword)
			if twin, ok := bases[baseOf(name)]; ok {
				b.twins(twin, it)
			}
			bases[baseOf(name)] = it
		}
	}
}

// listedSizes are what the uidlist says of messages whose names do not.
func (b *boxChecker) listedSizes() map[string]int64 {
	text, err := disk.ReadFile(b.backend.fsys, filepath.Join(b.dir, listName))
	if err != nil {
		return nil
	}
	_, lines, _, _, _ := parseList(string(text))
	sizes := map[string]int64{}
	for _, l := range lines {
		if n := l.wire(); n >= 0 {
			sizes[l.base] = n
		}
	}
	return sizes
}

// message examines one file, and says whether it is a message that keeps its name.
func (b *boxChecker) message(it item, listed map[string]int64) bool {
	path := filepath.Join(b.dir, shelfNames[it.shelf], it.name)
	fi, err := b.backend.fsys.Stat(path)
	switch {
	case err != nil:
		b.unreadable(b.name, path, err)
		return false
	case it.name[0] == '.':
		b.note(path, "is hidden, and so is no message")
		return false
	case !fi.Mode().IsRegular():
		b.note(path, "is no file, and so is no message")
		return false
	case !validName(it.name):
		b.mend(path, "has a name that no message can have", "give it another name", func() error { return b.rename(it, "") })
		return false
	}
	b.mode(path, fi)
	wire, err := b.measure(path)
	if err != nil {
		b.unreadable(b.name, path, err)
		return true
	}
	base := baseOf(it.name)
	told := sizeIn(base, wireSize)
	if n, ok := listed[base]; told < 0 && ok {
		told = n
	}
	onDisk := sizeIn(base, diskSize)
	if (onDisk < 0 || onDisk == fi.Size()) && (told < 0 || told == wire) {
		return true
	}
	what := fmt.Sprintf("has %d octets, and %d on the wire: its name or the uidlist says something else", fi.Size(), wire)
	b.mend(path, what, "give it another name, and so a new UID", func() error { return b.rename(it, it.name[len(base):]) })
	return !b.repair
}

func (b *boxChecker) measure(path string) (int64, error) {
	return (&box{Backend: b.backend}).measure(path)
}

// rename gives a file a base of its own.
func (b *boxChecker) rename(it item, info string) error {
	shelf := filepath.Join(b.dir, shelfNames[it.shelf])
	return b.locked(func() error {
		return b.backend.moveDurably(filepath.Join(shelf, it.name), filepath.Join(shelf, b.backend.names.unique(time.Now())+info))
	})
}

// twins are two names with one base. Of one that was renamed meanwhile the first is
// gone.
func (b *boxChecker) twins(x, y item) {
	xPath := filepath.Join(b.dir, shelfNames[x.shelf], x.name)
	yPath := filepath.Join(b.dir, shelfNames[y.shelf], y.name)
	xInfo, err := b.backend.fsys.Stat(xPath)
	if err != nil {
		return
	}
	yInfo, err := b.backend.fsys.Stat(yPath)
	if err != nil {
		return
	}
	what, remedy := "is a second message with the base of "+x.name, "give one of them another name, and so a new UID"
	if disk.SameFile(xInfo, yInfo) {
		what, remedy = "is a second name of "+x.name, "remove one of them"
	}
	b.mend(yPath, what, remedy, func() error {
		_, err := b.box.part(b.dir, x, y)
		return err
	})
}

// mode looks at who may do what with a file or folder.
func (b *boxChecker) mode(path string, fi fs.FileInfo) {
	own := fs.FileMode(0o400)
	if fi.IsDir() {
		own = 0o700
	}
	if fi.Mode()&own != own {
		b.note(path, fmt.Sprintf("keeps its owner out, its mode is %v", fi.Mode()))
	}
	if fi.Mode()&0o002 != 0 {
		b.note(path, fmt.Sprintf("may be written by everybody, its mode is %v", fi.Mode()))
	}
	theirs, ok1 := userOf(fi)
	ours, ok2 := userOf(b.owner)
	if ok1 && ok2 && ours != theirs {
		b.note(path, fmt.Sprintf("belongs to the user with ID %d, the tree to %d", theirs, ours))
	}
}

// userOf is the owner's ID, where there is one.
func userOf(fi fs.FileInfo) (uint32, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Uid, true
}
