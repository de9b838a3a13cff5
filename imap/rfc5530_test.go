package imap_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/sasl"
)

// failing is a Backend and its Store, whose calls give one error.
type failing struct {
	mailparts.Backend
	mailparts.Store
	open, call error
}

func (f failing) Open(ctx context.Context, user string) (s mailparts.Store, err error) {
	if f.Store, err = f.Backend.Open(ctx, user); f.open != nil {
		err = f.open
	}
	return f, err
}

func (f failing) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if f.call != nil && name != "INBOX" {
		return nil, f.call
	}
	return f.Store.Mailbox(ctx, name)
}

// The response codes of RFC 5530 section 3, by what a store or an Authenticator says.
// What the vocabulary has no error for we never send: AUTHORIZATIONFAILED and EXPIRED,
// which would tell a stranger that his guess was good; CORRUPTION and SERVERBUG, which
// are UNAVAILABLE until somebody looks into the log; CLIENTBUG.
func TestRFC5530(t *testing.T) {
	for _, test := range []struct {
		code, command string
		auth          error
		failing
	}{
		{code: "UNAVAILABLE", command: `LOGIN "fred" "foo"`, auth: errors.New("database down")},
		{code: "UNAVAILABLE", command: `LOGIN "fred" "foo"`, failing: failing{open: errors.New("database down")}},
		{code: "AUTHENTICATIONFAILED", command: `LOGIN "fred" "foo"`, auth: sasl.ErrDenied},
		{code: "AUTHENTICATIONFAILED", command: `LOGIN "fred" "foo"`, auth: fmt.Errorf("expired: %w", sasl.ErrDenied)},
		{code: "CONTACTADMIN", command: `LOGIN "fred" "foo"`, failing: failing{open: mailparts.ErrNoUser}},
		{code: "CONTACTADMIN", command: "SELECT x", failing: failing{call: &mailparts.Error{Code: 550, Message: "Your mail is being moved"}}},
		{code: "UNAVAILABLE", command: "SELECT x", failing: failing{call: &mailparts.Error{Code: 450, Message: "Your mail is being moved"}}},
		{code: "NOPERM", command: "SELECT x", failing: failing{call: mailparts.ErrPermission}},
		{code: "INUSE", command: "SELECT x", failing: failing{call: mailparts.ErrLocked}},
		{code: "UNAVAILABLE", command: "SELECT x", failing: failing{call: errors.New("corrupt")}},
		{code: "CANNOT", command: "SELECT x", failing: failing{call: mailparts.ErrBadName}},
		{code: "CANNOT", command: "SELECT x", failing: failing{call: errors.ErrUnsupported}},
		{code: "LIMIT", command: "SELECT x", failing: failing{call: mailparts.ErrLimit}},
		{code: "OVERQUOTA", command: "SELECT x", failing: failing{call: fmt.Errorf("inbox: %w", mailparts.ErrQuota)}},
		{code: "ALREADYEXISTS", command: "SELECT x", failing: failing{call: mailparts.ErrExists}},
		{code: "NONEXISTENT", command: "SELECT x"},
	} {
		f := test.failing
		f.Backend = new(mailtest.Memory)
		r := start(t, nil)
		srv := &imap.Server{
			Backend:           f,
			Auth:              sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) { return c.User, test.auth }),
			AllowInsecureAuth: true,
		}
		r.l = mailtest.NewListener()
		go srv.Serve(r.l)
		t.Cleanup(func() { srv.Close() })
		c := r.dial()
		if !strings.HasPrefix(test.command, "LOGIN") {
			c.do("LOGIN fred foo")
		}
		got := c.do(test.command)
		if last := got[len(got)-1]; !strings.HasPrefix(last, "NO ["+test.code+"] ") || strings.Contains(last, "database") {
			t.Errorf("%s, %v, %v, %v: %q, want NO [%s]", test.command, test.auth, test.open, test.call, last, test.code)
		}
	}
	r := start(t, func(s *imap.Server) { s.AllowInsecureAuth = false })
	equal(t, r.dial().do("LOGIN fred foo"), []string{"NO [PRIVACYREQUIRED] TLS is needed first"})
}
