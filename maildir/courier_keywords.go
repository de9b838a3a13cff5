package maildir

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/courier"
)

// takeKeywords puts the keywords that messages had under Courier into
// dovecot-keywords and the names of their files, durably. Courier has no limit: of
// more than 26 the rarest are left out. If the mailbox came back, what the names of
// files say is of before, and counts no more.
func (b *Backend) takeKeywords(dir string, back bool) error {
	folder := filepath.Join(dir, courier.KeywordsFolder)
	files, err := b.fsys.ReadDir(folder)
	if err != nil && (!back || !errors.Is(err, fs.ErrNotExist)) {
		return ifExists(err)
	}
	for range maxLooks {
		there, err := b.files(dir)
		if err != nil {
			return err
		}
		words, err := b.courierKeywords(folder, files, there)
		if err != nil || len(words) == 0 && !back {
			return err
		}
		k, err := b.giveLetters(dir, words, there)
		if err != nil {
			return err
		}
		if again, err := b.writeLetters(dir, words, there, &k, back); !again || err != nil {
			return err
		}
	}
	return errMoving
}

// files returns the messages in both shelves by base. Of those that are there twice
// one will do: both will be looked at when the mailbox is.
func (b *Backend) files(dir string) (map[string]item, error) {
	there := map[string]item{}
	for i, shelf := range shelfNames {
		names, err := b.fsys.ReadDir(filepath.Join(dir, shelf))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if validName(name) {
				there[baseOf(name)] = item{name, uint8(i)}
			}
		}
	}
	return there, nil
}

// courierKeywords returns the keywords of those messages that are there and have
// some.
func (b *Backend) courierKeywords(folder string, files []string, there map[string]item) (map[string][]string, error) {
	text, err := disk.ReadFile(b.fsys, filepath.Join(folder, courier.KeywordsList))
	if err := ifExists(err); err != nil {
		return nil, err
	}
	words, bad := courier.ParseKeywords(string(text))
	for base, file := range courier.Latest(files) {
		if _, ok := there[base]; !ok {
			continue
		}
		text, err := disk.ReadFile(b.fsys, filepath.Join(folder, file))
		if err != nil {
			return nil, err
		}
		words[base] = courier.ParseMessageKeywords(string(text))
	}
	if bad > 0 {
		b.log.Warn("Courier's list of keywords has lines that are none", "folder", folder, "lines", bad)
	}
	maps.DeleteFunc(words, func(base string, of []string) bool {
		_, ok := there[base]
		return !ok || len(of) == 0
	})
	return words, nil
}

// giveLetters gives letters to as many of the keywords as can have one.
func (b *Backend) giveLetters(dir string, words map[string][]string, there map[string]item) (keywords, error) {
	k, _, err := b.readKeywords(dir)
	if err != nil {
		return k, err
	}
	var used uint32
	for _, it := range there {
		used |= uint32(flagsIn(it.name) >> firstKeyword)
	}
	changed := k.claim(used) // these stand for something else
	count := map[string]int{}
	for _, of := range words {
		for _, word := range of {
			count[word]++
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(x, y string) int {
		return cmp.Or(cmp.Compare(count[y], count[x]), cmp.Compare(x, y))
	})
	for _, word := range all {
		added, err := k.add(mailparts.Flag(word))
		if err != nil {
			b.log.Warn("a keyword of Courier's cannot be kept", "mailbox", dir, "messages", count[word], "error", err)
		}
		changed = changed || added
	}
	if changed || k.bad > 0 {
		err = b.writeKeywords(dir, k)
	}
	return k, err
}

// writeLetters gives to the names of files what their messages have, beside what they
// have there or in its place. It says again if one was no longer there.
func (b *Backend) writeLetters(dir string, words map[string][]string, there map[string]item, k *keywords, replace bool) (again bool, err error) {
	for base, it := range there {
		had := flagsIn(it.name)
		has := had
		if replace {
			has &= systemFlags
		}
		if has |= k.bits(words[base]); has == had {
			continue
		}
		name := withFlags(it.name, has)
		if len(name) > maxName {
			b.log.Warn("a file's name has no room for keywords", "mailbox", dir, "file", it.name)
			continue
		}
		shelf := filepath.Join(dir, shelfNames[it.shelf])
		err := b.fsys.Rename(filepath.Join(shelf, it.name), filepath.Join(shelf, name))
		if errors.Is(err, fs.ErrNotExist) {
			again = true
			continue
		}
		if err != nil {
			return false, err
		}
	}
	for _, shelf := range shelfNames { // also if all was done before a crash: it may not be durable
		if err := b.fsys.SyncDir(filepath.Join(dir, shelf)); err != nil {
			return false, err
		}
	}
	return again, nil
}

// bits is those words that have a letter.
func (k *keywords) bits(words []string) (bits flagSet) {
	for _, word := range words {
		if n, ok := k.find(mailparts.Flag(word)); ok {
			bits |= 1 << (firstKeyword + n)
		}
	}
	return bits
}
