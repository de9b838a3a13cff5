package maildir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// keywordsName is a mailbox's file that says which keyword a letter in the names
// of its files stands for:
//
//	0 $Forwarded
//	1 Work
//
// 0 is the letter "a", and 25 "z". Letters are given once and for all. The file is
// Dovecot's, and as there it is protected by the lock of the uidlist: who writes it,
// or gives letters by what it says, holds that one's dotlock.
const keywordsName = "dovecot-keywords"

// maxKeywords is how many a mailbox can have: one for each letter.
const maxKeywords = 26

// maxKeyword is how long a keyword may be, in octets.
const maxKeyword = 255

// maxKeywordsFile is above what any file that is one has, in octets.
const maxKeywordsFile = 1 << 20

// keywords are those of a mailbox by their numbers. The zero value has none.
type keywords struct {
	list [maxKeywords]mailparts.Flag // "": a number that is not given
	rest []string                    // lines with other numbers, which stay as they are
	bad  int                         // lines that are none
}

// checkKeyword answers ErrLimit for what no mailbox can keep as a keyword: anything
// but an atom of IMAP (RFC 9051 section 9: flag-keyword) of at most 255 octets.
// Append and SetFlags refuse such with this error. A flag with a backslash is no
// keyword: those that are no system flags are left out before.
func checkKeyword(f mailparts.Flag) error {
	ok := f != "" && len(f) <= maxKeyword
	for i := range len(f) {
		ok = ok && f[i] > ' ' && f[i] < 0x7f && strings.IndexByte(`(){%*"\]`, f[i]) < 0
	}
	if !ok {
		return fmt.Errorf("%w: no keyword of IMAP: %.64q", mailparts.ErrLimit, f)
	}
	return nil
}

// parseKeywords reads a file. Lines that are none are left out and counted, and of
// two with one number the later counts. A number whose name is none, or one that
// another number has, stays taken: it gets a name as claim gives it.
func parseKeywords(text string) keywords {
	var k keywords
	var lost uint32
	for line := range strings.SplitSeq(text, "\n") {
		digits, name, _ := strings.Cut(strings.TrimSuffix(line, "\r"), " ")
		n, err := strconv.ParseUint(digits, 10, 32)
		switch {
		case digits == "" && name == "":
		case err != nil:
			k.bad++
		case n >= maxKeywords:
			k.rest = append(k.rest, strings.Clone(line)) // or it would keep all of the text
		default:
			f := mailparts.Flag(strings.Clone(name))
			if k.list[n] != "" {
				k.bad++
			}
			if bit, used := k.find(f); checkKeyword(f) != nil || used && bit != int(n) {
				k.bad++
				k.list[n] = ""
				lost |= 1 << n
				continue
			}
			k.list[n] = f
			lost &^= 1 << n
		}
	}
	k.claim(lost)
	return k
}

// append adds the file's text to b.
func (k *keywords) append(b []byte) []byte {
	for n, f := range k.list {
		if f != "" {
			b = strconv.AppendInt(b, int64(n), 10)
			b = append(append(append(b, ' '), f...), '\n')
		}
	}
	for _, line := range k.rest {
		b = append(append(b, line...), '\n')
	}
	return b
}

// names are the keywords of the letters a to z, "" for one that stands for none.
func (k *keywords) names() [maxKeywords]mailparts.Flag { return k.list }

// find returns a keyword's number, without regard to ASCII case.
func (k *keywords) find(f mailparts.Flag) (bit int, ok bool) {
	for n, name := range k.list {
		if name != "" && equalFlag(name, f) {
			return n, true
		}
	}
	return 0, false
}

// equalFlag compares without regard to ASCII case.
func equalFlag(a, b mailparts.Flag) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// add gives the lowest free numbers to those of flags that have none. If that
// cannot be for all of them, nothing has changed and the error is ErrLimit.
func (k *keywords) add(flags ...mailparts.Flag) (changed bool, err error) {
	list := k.list
	for _, f := range flags {
		if _, ok := k.find(f); ok {
			continue
		}
		if err = checkKeyword(f); err == nil {
			err = k.take(f)
		}
		if err != nil {
			k.list = list
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func (k *keywords) take(f mailparts.Flag) error {
	for n, name := range k.list {
		if name == "" {
			k.list[n] = f
			return nil
		}
	}
	return fmt.Errorf("%w: a mailbox has at most %d keywords", mailparts.ErrLimit, maxKeywords)
}

// claim gives names to numbers that messages carry and whose own names are lost, as
// Dovecot does: "unknown-0". Bit n of used is number n.
func (k *keywords) claim(used uint32) (changed bool) {
	for n := range k.list {
		if used&(1<<n) == 0 || k.list[n] != "" {
			continue
		}
		name := mailparts.Flag("unknown-" + strconv.Itoa(n))
		for {
			if _, taken := k.find(name); !taken {
				break
			}
			name += "?"
		}
		k.list[n] = name
		changed = true
	}
	return changed
}

// readKeywords reads the file of the mailbox at dir. If there is none, fi is nil.
func (b *Backend) readKeywords(dir string) (k keywords, fi fs.FileInfo, err error) {
	f, err := b.fsys.OpenFile(filepath.Join(dir, keywordsName), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil, nil
	}
	if err != nil {
		return k, nil, err
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return k, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeywordsFile+1))
	if err != nil {
		return k, nil, err
	}
	k = parseKeywords(string(text))
	if len(text) > maxKeywordsFile {
		k.rest = nil
		k.bad++
	}
	return k, fi, nil
}

// writeKeywords replaces the file, durably. The caller holds the dotlock of the
// uidlist since it has read what it changes. A file with bad lines is kept under
// another name, and its lines that are good stay: what messages carry does not get
// other names.
func (b *Backend) writeKeywords(dir string, k keywords) error {
	name := filepath.Join(dir, keywordsName)
	if k.bad > 0 {
		bad, err := b.keepAside(name)
		b.log.Error("keywords file set aside, what is good in it stays", "keywords", bad, "lines", k.bad)
		if err != nil {
			return err
		}
	}
	return disk.WriteFile(b.fsys, name, k.append(nil), fileMode)
}

// keepAside gives a file that is to be replaced another name too, so that there is one
// at any time.
func (b *Backend) keepAside(name string) (bad string, err error) {
	bad = badName(name)
	err = b.fsys.Link(name, bad)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		err = b.fsys.Rename(name, bad)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) && b.sameFile(name, bad) {
		err = nil
	}
	return bad, err
}

// sameFile reports whether two names are of one file, as a crash leaves them.
func (b *Backend) sameFile(x, y string) bool {
	xInfo, err := b.fsys.Stat(x)
	if err != nil {
		return false
	}
	yInfo, err := b.fsys.Stat(y)
	return err == nil && disk.SameFile(xInfo, yInfo)
}

// badName is the other name of a file that is set aside.
func badName(name string) string {
	return name + time.Now().UTC().Format(".bad-20060102T150405.000000")
}
