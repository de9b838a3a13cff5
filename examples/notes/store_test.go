package main

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// What IMAP and POP3 need of a store, the app has.
func TestApp(t *testing.T) {
	mailtest.BackendKit{
		New:      func(*testing.T) mailparts.Backend { return NewApp("alice", "bob") },
		Stranger: "mallory",
	}.Test(t)
}

// An edited note is a new message, and the old one is gone.
func TestEdit(t *testing.T) {
	app := NewApp("alice")
	app.Edit("alice", 1<<63, "first\r\n")
	app.Edit("alice", 7, "second\r\n")
	store, _ := app.Open(t.Context(), "alice")
	inbox, _ := store.Mailbox(t.Context(), "INBOX")
	uids := func() (uids mailparts.UIDSet) {
		for m := range inbox.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
			uids.Add(m.UID, m.UID)
		}
		return uids
	}
	if got := uids().String(); got != "1:2" {
		t.Errorf("two notes have UIDs %s", got)
	}
	app.Edit("alice", 7, "second, edited\r\n")
	if got := uids().String(); got != "1,3" && got != "2:3" {
		t.Errorf("after an edit the UIDs are %s", got)
	}
}
