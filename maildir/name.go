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

// folderOf returns the folder of a mailbox in its tree, "" for INBOX. Maildir++
// writes "a/b" as ".a.b", with modified UTF-7 in it: so a name with "." in it, or
// one that gets longer than 255 octets, is ErrBadName too.
func folderOf(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if name == inbox {
		return "", nil
	}
	folder := "." + strings.ReplaceAll(utf7.Encode(name), "/", ".")
	if strings.Contains(name, ".") || len(folder) > maxName {
		return "", mailparts.ErrBadName
	}
	return folder, nil
}

// nameOf returns the mailbox of a folder, or false: folderOf gives no mailbox
// that folder.
func nameOf(folder string) (string, bool) {
	encoded, ok := strings.CutPrefix(folder, ".")
	if !ok {
		return "", false
	}
	name, ok := utf7.Decode(strings.ReplaceAll(encoded, ".", "/"))
	if !ok || name == inbox {
		return "", false
	}
	back, err := folderOf(name)
	return name, err == nil && back == folder
}
