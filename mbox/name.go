package mbox

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/utf7"
)

const (
	inbox     = "INBOX" // the mailbox
	inboxFile = "inbox" // its file in a tree, as Dovecot and Pine have it

	// sideFolder has what is kept beside the mail. Dovecot takes all but .imap,
	// where its own indexes are, for mailboxes.
	sideFolder = ".imap/.mailparts"

	maxName = 255  // octets of a file's name
	maxPath = 2048 // octets of a mailbox's path in its tree

	// lockSuffix ends the name of a dotlock.
	lockSuffix = ".lock"

	// subSuffix ends the name of the folder that has the children of a mailbox: no
	// folder can have the name of a file. Thunderbird does the same.
	subSuffix = ".sbd"
)

// partsOf returns the names of the folders and of the file of a mailbox, in
// modified UTF-7, or ErrBadName for a name that no mailbox can have: with an empty
// part, control characters or octets that are not UTF-8, or another spelling of
// INBOX, which no client could tell from it (RFC 9051 section 5.1), or that is not
// possible for a file: too long, hidden or another program's.
func partsOf(name string) ([]string, error) {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, mailparts.ErrBadName
	}
	parts := strings.Split(name, "/")
	if parts[0] != inbox && strings.EqualFold(parts[0], inbox) || len(name) > maxPath {
		return nil, mailparts.ErrBadName
	}
	for i, p := range parts {
		parts[i] = utf7.Encode(p)
		if isHidden(parts[i]) || strings.HasSuffix(p, subSuffix) || len(parts[i]) > maxName-len(subSuffix)-len(lockSuffix) {
			return nil, mailparts.ErrBadName
		}
	}
	return parts, nil
}

// partOf returns the part of a mailbox's name that a file or folder stands for.
func partOf(file string) (string, bool) {
	part, ok := utf7.Decode(strings.TrimSuffix(file, subSuffix))
	if !ok || part == "" || strings.Contains(part, "/") {
		return "", false
	}
	back, err := partsOf("x/" + part)
	return part, err == nil && len(back) == 2 && back[1] == strings.TrimSuffix(file, subSuffix)
}

// isHidden says that a file or folder is none of the tree: subscriptions, locks, our
// own things.
func isHidden(file string) bool {
	return file == "" || file[0] == '.' || file == "~" || strings.HasSuffix(file, lockSuffix) || strings.HasSuffix(file, ".tmp")
}

// sortNames puts INBOX first.
func sortNames(names []string) {
	slices.SortFunc(names, func(a, b string) int {
		if (a == inbox) != (b == inbox) {
			if a == inbox {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
}
