package imap_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// quotas is a Backend of stores whose mailboxes have these roots.
type quotas struct {
	mailparts.Backend
	of map[string][]mailparts.Quota
}

func (b quotas) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return quotasStore{s, b.of}, err
}

type quotasStore struct {
	mailparts.Store
	of map[string][]mailparts.Quota
}

func (s quotasStore) Quota(_ context.Context, name string) ([]mailparts.Quota, error) {
	return s.of[name], nil
}

// RFC 9208 sections 4.1.1, 4.1.2, 4.2.1 and 4.2.2. Limits cannot be set, and QUOTASET is not
// offered.
func TestRFC9208Roots(t *testing.T) {
	const k = 1024
	quota := func(root, resource string, used, limit int64) mailparts.Quota {
		return mailparts.Quota{Root: root, Resource: resource, Used: used, Limit: limit}
	}
	memory := new(mailtest.Memory)
	start(t, func(s *imap.Server) { s.Backend = memory }).mailboxes("none", "archive")
	r := start(t, func(s *imap.Server) {
		s.Backend = quotas{memory, map[string][]mailparts.Quota{
			"INBOX":   {quota("#user/alice", mailparts.QuotaMessage, 42, 1000), quota("!partition/sda4", mailparts.QuotaStorage, 104*k, 10923847*k)},
			"archive": {quota("", mailparts.QuotaStorage, 9*k+1, 512*k+1)},
		}}
	})
	c := r.login()
	if offered := c.do("CAPABILITY")[0]; !strings.Contains(offered, " QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE ") || strings.Contains(offered, "QUOTASET") {
		t.Errorf("offered: %s", offered)
	}
	c.play(`
		C: G0001 GETQUOTA "!partition/sda4"
		S: * QUOTA !partition/sda4 (STORAGE 104 10923847)
		S: G0001 OK GETQUOTA completed
		C: G0002 GETQUOTAROOT INBOX
		S: * QUOTAROOT INBOX #user/alice !partition/sda4
		S: * QUOTA #user/alice (MESSAGE 42 1000)
		S: * QUOTA !partition/sda4 (STORAGE 104 10923847)
		S: G0002 OK GETQUOTAROOT completed
		C: G0003 GETQUOTAROOT archive
		S: * QUOTAROOT archive ""
		S: * QUOTA "" (STORAGE 10 512)
		S: G0003 OK GETQUOTAROOT completed
		C: G0004 GETQUOTA ""
		S: * QUOTA "" (STORAGE 10 512)
		S: G0004 OK GETQUOTA completed
		C: G0005 GETQUOTAROOT none
		S: * QUOTAROOT none
		S: G0005 OK GETQUOTAROOT completed
		C: S0001 SETQUOTA "#user/alice" (STORAGE 510)
		S: S0001 NO [NOPERM] Quotas cannot be set here
		C: S0002 SETQUOTA "!partition/sda4" (STORAGE 99999999 MESSAGE 1)
		S: S0002 NO [NOPERM] Quotas cannot be set here
		C: S0003 SETQUOTA "#user/alice" ()
		S: S0003 NO [NOPERM] Quotas cannot be set here
	`)
}

// RFC 9208 section 4.1.4.
func TestRFC9208Deleted(t *testing.T) {
	r := start(t, nil)
	for range 12 {
		r.fill("\r\n")
	}
	c := r.selecting()
	c.do(`STORE 2,5,7:8 +FLAGS.SILENT (\Deleted)`)
	c.play(`
		C: S0003 STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)
		S: * STATUS INBOX (MESSAGES 12 DELETED 4 DELETED-STORAGE 8)
		S: S0003 OK STATUS completed
	`)
}

// RFC 9208 section 4.3.1, example 1: the message is refused before it is sent, or when it
// is there. No quota is soft, as in examples 2 and 3.
func TestRFC9208OverQuota(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = &mailtest.Memory{MaxStorage: 1000} })
	r.fill(strings.Repeat("x", 498) + "\r\n")
	r.mailboxes("saved-messages", "MEETING")
	message := "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n" +
		"From: Fred Foobar <foobar@Blurdybloop.example>\r\n" +
		"Subject: afternoon meeting\r\n" +
		"To: mooch@owatagu.siam.edu.example\r\n" +
		"Message-Id: <B27397-0100000@Blurdybloop.example>\r\n" +
		"MIME-Version: 1.0\r\n" +
		"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n" +
		"\r\n" +
		"Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n"
	c := r.selecting()
	announced := fmt.Sprintf("{%d}", len(message))
	c.play(`
		C: A002 APPEND saved-messages (\Seen) ` + announced + `
		S: + OK
	`)
	io.WriteString(c, message+"\r\n")
	c.play(`
		S: A002 OK [APPENDUID ...
		C: A003 APPEND saved-messages (\Seen) ` + announced + `
		S: A003 NO [OVERQUOTA] Over quota
		C: A004 COPY 1 MEETING
		S: A004 NO [OVERQUOTA] Over quota
		C: A005 MOVE 1 MEETING
		S: * OK [COPYUID 3 1 1] Moved
		S: * 1 EXPUNGE
		S: A005 OK MOVE completed
	`)
}
