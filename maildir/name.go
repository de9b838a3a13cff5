package maildir

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/utf7"
)

// inbox is the one mailbox whose folder is the tree itself.
const inbox = "INBOX"

// checkName answers ErrBadName for a name that no mailbox can have: with an empty
// part, control characters or octets that are not UTF-8, or another spelling of
// INBOX, which no client could tell from it (RFC 9051 section 5.1).
func checkName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return mailparts.ErrBadName
	}
	parts := strings.Split(name, "/")
	if slices.Contains(parts, "") || parts[0] != inbox && strings.EqualFold(parts[0], inbox) {
		return mailparts.ErrBadName
	}
	return nil
}

// naming is how a tree writes the names of its mailboxes.
type naming struct {
	layout Layout
	utf8   bool
}

func (b *Backend) naming() naming { return naming{b.Layout, b.UTF8} }

func (n naming) encode(name string) string {
	if n.utf8 {
		return name
	}
	return utf7.Encode(name)
}

// decode reports false for what encode does not write.
func (n naming) decode(s string) (string, bool) {
	if n.utf8 {
		return s, utf8.ValidString(s)
	}
	return utf7.Decode(s)
}

// sep is what stands between the parts of a name in the path of its folder.
func (n naming) sep() string {
	if n.layout == Folders {
		return "/"
	}
	return "."
}

// maxFolder is how long the path of a folder below the tree may be, in octets, so
// that what is in it has paths that a system takes.
func (n naming) maxFolder() int {
	if n.layout == Folders {
		return 1024
	}
	return maxName
}

// folderOf returns the folder of a mailbox, as a path below its tree, "" for INBOX.
// What the layout cannot write is ErrBadName, and what is too long.
func (n naming) folderOf(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if name == inbox {
		return "", nil
	}
	folder, ok := n.encode(name), true
	if n.layout == Folders {
		for part := range strings.SplitSeq(folder, "/") {
			ok = ok && part[0] != '.' && len(part) <= maxName && !isReserved(part)
		}
	} else {
		folder, ok = "."+strings.ReplaceAll(folder, "/", "."), !strings.Contains(name, ".")
	}
	if !ok || len(folder) > n.maxFolder() {
		return "", mailparts.ErrBadName
	}
	return folder, nil
}

// nameOf returns the mailbox of a folder, or false: folderOf gives no mailbox
// that folder.
func (n naming) nameOf(folder string) (string, bool) {
	encoded := folder
	if n.layout != Folders {
		var ok bool
		if encoded, ok = strings.CutPrefix(folder, "."); !ok {
			return "", false
		}
		encoded = strings.ReplaceAll(encoded, ".", "/")
	}
	name, ok := n.decode(encoded)
	if !ok || name == inbox {
		return "", false
	}
	back, err := n.folderOf(name)
	return name, err == nil && back == folder
}

// isReserved reports whether the name is one of those that a mailbox's folder has
// for itself, or we, Dovecot or Courier may give a file there.
func isReserved(part string) bool {
	switch part {
	case "cur", "new", "tmp", folderMark, subscriptionsName, subscriptionsName + ".lock", subscriptionsName + ".tmp":
		return true
	}
	for _, prefix := range [...]string{"dovecot-", "dovecot.", "mailparts-", "mailparts.", "courierimap", "courierpop3", sizeName} {
		if strings.HasPrefix(part, prefix) {
			return true
		}
	}
	return false
}
