package lmtp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"syscall"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/idn"
	"github.com/mailparts/mailparts/internal/serve"
)

// Local is a Deliverer that puts mail into its users' mailboxes: the last hop. It
// is a Receiver too, which refuses at RCPT whom it would not find. It
// adds Return-Path (RFC 5321 section 4.4) and Delivered-To, and changes nothing
// else. A message for several addresses of one mailbox is stored there once.
//
// A recipient's failure is one of
//
//	no such user                              550 5.1.1
//	a domain that is not ours                 550 5.1.2
//	over quota                                552 5.2.2, as Dovecot answers
//	delivered to this very address before     554 5.4.6
//	a full disk                               452 4.3.1
//	a *mailparts.Error of Lookup or Backend   itself
//	anything else                             temporary
type Local struct {
	Backend mailparts.Backend // where the users' mail is

	// Lookup finds the user that an address belongs to, or says ErrNoUser; another
	// error is temporary. It is asked for the whole address and, if that is no
	// user's, once more without its detail. Whether case counts is up to it. Nil:
	// the user is the local part without detail, in lower case.
	Lookup func(ctx context.Context, to mailparts.Address) (user string, err error)

	// Domains are ours, as A-labels or U-labels; nil: every domain is. An address without a domain
	// (postmaster) always is ours.
	Domains []string

	// Postmaster is the user who gets the mail for postmaster that is nobody
	// else's: RFC 5321 section 4.5.1 wants somebody there.
	Postmaster string

	// Delimiter stands between a user and the detail of a sub-address (RFC 5233)
	// ["+"].
	Delimiter string

	// FileDetail puts mail for user+detail into the user's mailbox of the name
	// detail, if there is one that takes it, instead of INBOX.
	FileDetail bool

	Logger *slog.Logger // nil: discard
}

var _ mailparts.Deliverer = (*Local)(nil)

// Check is for mailparts.OnRcpt before a queue: it refuses an address of ours that
// no user has, so that nobody need bounce it later. What is not ours passes.
func (l *Local) Check(ctx context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
	if !l.isOurs(to.Addr) {
		return nil
	}
	_, err := l.find(ctx, to.Addr)
	return outcome(err)
}

// Deliver implements mailparts.Deliverer. It finds all recipients before it reads
// msg; one that cannot seek is read to its end before it is stored for the first.
func (l *Local) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	if strings.ContainsFunc(string(env.From), isControl) {
		return &mailparts.Error{Code: 553, Status: "5.1.7", Message: "Malformed sender address"}
	}
	errs := make(mailparts.RcptErrors, len(env.To))
	var places []*place
	for i, to := range env.To {
		p, err := l.find(ctx, to.Addr)
		if err != nil {
			errs[i] = outcome(err)
			continue
		}
		places = p.join(places, i)
	}
	if places == nil {
		return errs.Err()
	}
	m, err := readMessage(msg)
	if err != nil {
		return err
	}
	defer m.Close()
	for _, p := range places {
		l.store(ctx, env, m, p, errs)
	}
	return errs.Err()
}

// store puts m into p for those of p's recipients who do not have it yet.
func (l *Local) store(ctx context.Context, env *mailparts.Envelope, m *message, p *place, errs mailparts.RcptErrors) {
	var to []int
	trace := "Return-Path: <" + string(env.From) + ">\r\n"
	for _, i := range p.rcpts {
		addr := env.To[i].Addr
		if m.wasDeliveredTo(addr) {
			errs[i] = &mailparts.Error{Code: 554, Status: "5.4.6", Message: "Mail loop: delivered to this address before"}
			continue
		}
		to = append(to, i)
		trace += "Delivered-To: " + string(addr) + "\r\n"
	}
	if to == nil {
		return
	}
	err := p.append(ctx, m, trace)
	log := serve.Logger(l.Logger).With("id", env.ID, "user", p.user, "mailbox", p.name)
	if err != nil {
		log.WarnContext(ctx, "not delivered", "err", err)
	} else {
		log.InfoContext(ctx, "delivered", "from", env.From, "size", m.size)
	}
	for _, i := range to {
		errs[i] = outcome(err)
	}
}

// outcome is err as a recipient's result: what it means of the mail.
func outcome(err error) error {
	if _, ok := errors.AsType[*mailparts.Error](err); ok || err == nil {
		return err
	}
	e := &mailparts.Error{Err: err}
	switch {
	case errors.Is(err, mailparts.ErrNoUser):
		e.Code, e.Status, e.Message = 550, "5.1.1", "No such user here"
	case errors.Is(err, mailparts.ErrQuota):
		e.Code, e.Status, e.Message = 552, "5.2.2", "Mailbox is full"
	case errors.Is(err, syscall.ENOSPC):
		e.Code, e.Status, e.Message = 452, "4.3.1", "Insufficient system storage"
	default:
		return err
	}
	return e
}

// isOurs reports whether l delivers to a's domain.
func (l *Local) isOurs(a mailparts.Address) bool {
	domain := idn.ASCII(a.Domain())
	if l.Domains == nil || domain == "" {
		return true
	}
	for _, d := range l.Domains {
		if idn.ASCII(d) == domain {
			return true
		}
	}
	return false
}
