package lmtp

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/mailparts/mailparts"
)

// place is a mailbox that gets a message, once.
type place struct {
	user  string
	store mailparts.Store
	name  string // of the mailbox
	rcpts []int  // the recipients that it is for, as indexes into Envelope.To
}

const inbox = "INBOX"

// find is the place for mail to a.
func (l *Local) find(ctx context.Context, a mailparts.Address) (*place, error) {
	if a == "" || strings.ContainsFunc(string(a), isControl) {
		return nil, &mailparts.Error{Code: 553, Status: "5.1.3", Message: "Malformed address"}
	}
	if !l.isOurs(a) {
		return nil, &mailparts.Error{Code: 550, Status: "5.1.2", Message: "Domain is not local"}
	}
	base, detail := l.cutDetail(a)
	p, err := l.open(ctx, a, base)
	if errors.Is(err, mailparts.ErrNoUser) && l.Postmaster != "" && strings.EqualFold(base.Local(), "postmaster") {
		p, err = l.openUser(ctx, l.Postmaster)
	}
	if err != nil {
		return nil, err
	}
	if l.FileDetail && detail != "" && !strings.EqualFold(detail, inbox) {
		err = p.file(ctx, detail)
	}
	return p, err
}

// open asks who has the address a, which is base without its detail.
func (l *Local) open(ctx context.Context, a, base mailparts.Address) (*place, error) {
	if l.Lookup == nil {
		return l.openUser(ctx, userOf(base))
	}
	user, err := l.Lookup(ctx, a)
	if errors.Is(err, mailparts.ErrNoUser) && base != a {
		user, err = l.Lookup(ctx, base)
	}
	if err != nil {
		return nil, err
	}
	return l.openUser(ctx, user)
}

func (l *Local) openUser(ctx context.Context, user string) (*place, error) {
	if user == "" {
		return nil, mailparts.ErrNoUser
	}
	s, err := l.Backend.Open(ctx, user)
	return &place{user: user, store: s, name: inbox}, err
}

// userOf is the user of a by the rule that stands for a nil Lookup. A local part
// may hold anything; what is a path to some Backend is nobody here.
func userOf(a mailparts.Address) string {
	user := strings.ToLower(a.Local())
	if user == "." || user == ".." || strings.ContainsAny(user, `/\`) || strings.ContainsFunc(user, isControl) {
		return ""
	}
	return user
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// cutDetail splits a sub-address (RFC 5233 section 4).
func (l *Local) cutDetail(a mailparts.Address) (base mailparts.Address, detail string) {
	user, detail, ok := strings.Cut(a.Local(), cmp.Or(l.Delimiter, "+"))
	if !ok || user == "" {
		return a, ""
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(user)
	base, err := mailparts.ParseAddress(`"` + quoted + `"@` + a.Domain())
	if err != nil {
		return a, ""
	}
	return base, detail
}

// file moves p to the mailbox of that name, if there is one.
func (p *place) file(ctx context.Context, name string) error {
	_, err := p.store.Mailbox(ctx, name)
	switch {
	case err == nil:
		p.name = name
	case !isUnfit(err):
		return err
	}
	return nil
}

// isUnfit reports whether err means that a mailbox will not take mail, whenever.
func isUnfit(err error) bool {
	for _, unfit := range []error{mailparts.ErrNoMailbox, mailparts.ErrBadName, mailparts.ErrReadOnly, mailparts.ErrPermission} {
		if errors.Is(err, unfit) {
			return true
		}
	}
	return false
}

// join adds recipient i, whose place is p, to places.
func (p *place) join(places []*place, i int) []*place {
	for _, q := range places {
		if q.user == p.user && q.name == p.name {
			q.rcpts = append(q.rcpts, i)
			return places
		}
	}
	p.rcpts = []int{i}
	return append(places, p)
}

// append stores m with its trace on top, in INBOX if p's own mailbox will not
// have it.
func (p *place) append(ctx context.Context, m *message, trace string) error {
	err := p.appendTo(ctx, p.name, m, trace)
	if isUnfit(err) && p.name != inbox {
		err = p.appendTo(ctx, inbox, m, trace)
	}
	return err
}

func (p *place) appendTo(ctx context.Context, name string, m *message, trace string) error {
	mb, err := p.store.Mailbox(ctx, name)
	if err != nil {
		return err
	}
	body, err := m.withTrace(trace)
	if err != nil {
		return err
	}
	_, err = mailparts.Append(ctx, mb, mailparts.Incoming{Body: body, Size: m.size + int64(len(trace))})
	return err
}
