package mbox_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// others opens a mailbox's file as other programs do.
func (m *model) others(name string) disk.File {
	f, err := m.fsys.OpenFile(m.path(name), os.O_RDWR, 0)
	must(m.t, err)
	must(m.t, f.Fcntl(disk.Exclusive))
	return f
}

func (m *model) deliver(name string) {
	b := m.boxes[name]
	m.serial++
	body := fmt.Sprint("delivered ", m.serial)
	m.log("a delivery to %s", name)
	f := m.others(name)
	defer f.Close()
	fi, err := f.Stat()
	must(m.t, err)
	_, err = f.WriteAt([]byte(foreignMessage(body)), fi.Size())
	must(m.t, err)
	b.messages = append(b.messages, modelMessage{b.next, foreignBody(body), map[mailparts.Flag]bool{}})
	b.next++
}

var (
	modelFrom   = regexp.MustCompile(`(?m)^From (them|MAILER)`)
	modelBase   = regexp.MustCompile(`(?m)^X-IMAPbase: .*\n`)
	modelUID    = regexp.MustCompile(`(?m)^X-UID: (\d+) *\n`)
	modelStatus = regexp.MustCompile(`(?m)^(Status|X-Status): .*\n`)
)

// foreign rewrites a mailbox as Alpine does: with other flags of a message, or without
// one. The numbers stay with the first.
func (m *model) foreign(name, what string) {
	b := m.boxes[name]
	if len(b.messages) < 2 {
		return
	}
	f := m.others(name)
	defer f.Close()
	text := m.fsys.Files()[m.path(name)]
	var mails []string
	at := modelFrom.FindAllStringIndex(text, -1)
	for i, from := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		mails = append(mails, text[from[0]:end])
	}
	n := m.IntN(len(b.messages))
	pick := len(mails) - len(b.messages) + n // the first may be none
	if !modelUID.MatchString(mails[pick]) {
		m.t.Fatalf("message %d has no UID: %q", n, mails[pick])
	}
	m.log("others %s %d of %s", what, b.messages[n].uid, name)
	if what == "remove" {
		if base := modelBase.FindString(mails[pick]); base != "" && pick == 0 {
			from, rest, _ := strings.Cut(mails[1], "\n")
			mails[1] = from + "\n" + base + rest
		}
		mails = slices.Delete(mails, pick, pick+1)
		b.messages = slices.Delete(b.messages, n, n+1)
	} else {
		x := &b.messages[n]
		status, flags := "", m.newFlags()
		for i, f := range modelFlags[:5] {
			if delete(x.flags, f); flags[f] {
				x.flags[f] = true
				status += string(" AFDT"[i])
			}
		}
		head, body, _ := strings.Cut(mails[pick], "\n\n")
		head = modelStatus.ReplaceAllString(head+"\n", "")
		read := "O"
		if x.flags[mailparts.FlagSeen] {
			read = "RO"
		}
		mails[pick] = fmt.Sprintf("%sStatus: %s\nX-Status: %s\n\n%s", head, read, strings.TrimSpace(status), body)
	}
	text = strings.Join(mails, "")
	must(m.t, f.Truncate(int64(len(text))))
	_, err := f.WriteAt([]byte(text), 0)
	must(m.t, err)
}
