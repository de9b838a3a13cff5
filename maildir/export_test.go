package maildir

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// SetFS gives b another disk.
func (b *Backend) SetFS(fsys disk.FS) { b.fsys = fsys }

// Boxes is how many mailboxes b knows.
func (b *Backend) Boxes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.boxes)
}

// ParseUIDList returns a uidlist as it is written, "" if it is none, and how many
// of its lines are bad.
func ParseUIDList(text string) (string, int) {
	head, lines, size, bad, err := parseList(text)
	if err != nil {
		return "", bad
	}
	if size < len(text) {
		bad++
	}
	out := head.append(nil)
	for _, l := range lines {
		out = l.append(out)
	}
	return string(out), bad
}

// Flags returns the flags of a file's name, and the name with others.
func Flags(name string, flags ...mailparts.Flag) ([]mailparts.Flag, string) {
	return flagLists[flagsIn(name)&systemFlags], withFlags(name, flagsIn(name)&^systemFlags|setOf(flags))
}

// Sizes returns what a file's name says, or -1.
func Sizes(name string) (disk, wire int64) {
	return sizeIn(baseOf(name), diskSize), sizeIn(baseOf(name), wireSize)
}

// Names of mailboxes, of folders and of files.
var (
	FolderOf = naming{}.folderOf
	NameOf   = naming{}.nameOf
	Arrival  = arrival
	SafeHost = safeHost
)

// FolderIn and NameIn are those of a layout.
func FolderIn(l Layout, utf8 bool, name string) (string, error) {
	return naming{l, utf8}.folderOf(name)
}
func NameIn(l Layout, utf8 bool, folder string) (string, bool) { return naming{l, utf8}.nameOf(folder) }

// ParseSizeFile returns a maildirsize as it is written when its lines are summed
// up, with "bad" or "no sum" for the sum if there is none, or "" if it has no limits.
func ParseSizeFile(text string) (string, Limits) {
	f, err := parseSizeFile(text)
	if err != nil {
		return "", f.Limits
	}
	out := string(f.appendLimits(nil))
	switch {
	case f.bad != nil:
		return out + "bad\n", f.Limits
	case f.lines == 0:
		return out + "no sum\n", f.Limits
	}
	return string(f.used.append([]byte(out))), f.Limits
}

// MaxSizeFile is how long a maildirsize may become, in octets.
const MaxSizeFile = maxSizeFile

// ParseAnnotations returns a file of annotations as it is written, and how many of its
// lines are bad.
func ParseAnnotations(text string) (string, int) {
	a := parseAnnotations(text)
	return a.String(), a.bad
}
