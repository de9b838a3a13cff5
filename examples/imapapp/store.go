package main

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// app is the articles of each folder; the number of one is its place, from 1.
type app map[string]folder

type folder struct {
	mailparts.ReadOnly
	articles []article
}

type article struct {
	title, text string
	at          time.Time
}

func (a article) message() string {
	return "Date: " + a.at.Format(time.RFC1123Z) + "\r\nFrom: app@example.com\r\nSubject: " + a.title + "\r\n\r\n" + a.text + "\r\n"
}

// Open implements mailparts.Backend: all users see the same.
func (a app) Open(context.Context, string) (mailparts.Store, error) { return a, nil }

func (a app) List(context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		for name := range a {
			if !yield(mailparts.MailboxInfo{Name: name}, nil) {
				return
			}
		}
	}
}

func (a app) Mailbox(_ context.Context, name string) (mailparts.Mailbox, error) {
	if f, ok := a[name]; ok {
		return f, nil
	}
	return nil, mailparts.ErrNoMailbox
}

func (f folder) Status(context.Context) (mailparts.Status, error) {
	n := uint32(len(f.articles))
	return mailparts.Status{UIDValidity: 1, UIDNext: mailparts.UID(n + 1), Messages: n, ReadOnly: true}, nil
}

func (f folder) Messages(_ context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		for i, a := range f.articles {
			m := mailparts.Message{UID: mailparts.UID(i + 1), Size: int64(len(a.message())), Received: a.at}
			if q.Since == 0 && uids.Contains(m.UID) && !yield(m, nil) { // articles do not change
				return
			}
		}
	}
}

func (f folder) Body(_ context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if uid == 0 || int(uid) > len(f.articles) {
		return nil, mailparts.ErrNoMessage
	}
	return io.NopCloser(strings.NewReader(f.articles[uid-1].message())), nil
}
