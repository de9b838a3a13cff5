package smtp

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// Submission is what a submission server does with the mail of its users beside
// taking it (RFC 6409): Filter goes into the chain of a [Server] with RequireAuth.
//
//	section 4.2  a domain of one label in the envelope is refused: 554. An address
//	             without a domain is up to Server.Domain
//	section 6.1  a sender that is not the user's own is refused: 550, see Own
//	section 6.3  a message with From or Sender that are not, too, see CheckFrom
//	section 8.2  Date is added, see [FixUp]
//	section 8.3  Message-ID is added
//	             Bcc is taken out, see KeepBcc
//
// Everything else in the message stays as it is. Sender is not added (section
// 8.1). A Date or Message-ID that is there is not corrected, since the client
// knows the message by it. Addresses in header fields are not completed: what a
// name without a domain stands for only its author knows (section 8 warns of it),
// so a client has to write them out.
//
// The zero value works: it has no rule for senders.
type Submission struct {
	// Own reports whether user may send as a: it is asked about MAIL's address once
	// user is authenticated, and never about the null sender, which notifications of
	// having read a message have (RFC 8098 section 3). Its error refuses the sender
	// for now. Nil: everyone may send as anyone.
	Own func(ctx context.Context, user string, a mailparts.Address) (bool, error)

	// CheckFrom asks Own about every address of the fields From and Sender as well.
	// A message of which that cannot be told, as From is missing or malformed, is
	// refused: 554. So is one that a user sends on as it came (RFC 5322 section
	// 3.6.6), since its author is another.
	CheckFrom bool

	// KeepBcc leaves Bcc in: for a client that writes each recipient's copy of its
	// own (RFC 5322 section 3.6.3).
	KeepBcc bool

	// SingleLabel takes domains of one label, such as "localhost".
	SingleLabel bool

	// Hostname is the domain of a new Message-ID if that of the sender cannot be, as
	// it has none or is not ASCII. "": os.Hostname.
	Hostname string
}

// Filter is a mailparts.Filter.
func (s *Submission) Filter(next mailparts.Receiver) mailparts.Receiver {
	return mailparts.Chain(next, mailparts.OnMail(s.mail), mailparts.OnRcpt(s.rcpt), mailparts.OnData(s.fixUp))
}

func (s *Submission) mail(ctx context.Context, env *mailparts.Envelope) error {
	if !s.qualified(env.From) {
		return errShortSender
	}
	if env.From == "" {
		return nil
	}
	return s.owns(ctx, env, env.From)
}

func (s *Submission) rcpt(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
	if !s.qualified(to.Addr) {
		return errShortRecipient
	}
	return nil
}

// qualified reports whether a's domain, if it has one, is fully qualified.
func (s *Submission) qualified(a mailparts.Address) bool {
	d := a.Domain()
	return s.SingleLabel || d == "" || d[0] == '[' || strings.Contains(d, ".")
}

// owns refuses a if it is not of the user who sends env.
func (s *Submission) owns(ctx context.Context, env *mailparts.Envelope, a mailparts.Address) error {
	if !s.asks(env) {
		return nil
	}
	switch own, err := s.Own(ctx, env.Peer.User, a); {
	case err != nil:
		return err
	case !own:
		return errNotOwn
	}
	return nil
}

// asks reports whether there is a user whose addresses matter.
func (s *Submission) asks(env *mailparts.Envelope) bool {
	return s.Own != nil && env.Peer != nil && env.Peer.User != ""
}

// fixUp is FixUp with s's choices, and the check of From.
func (s *Submission) fixUp(next mailparts.Deliverer) mailparts.Deliverer {
	return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		f := &fixUp{src: bufio.NewReader(msg), domain: env.From.Domain(), keepBcc: s.KeepBcc}
		if f.domain == "" || !env.From.IsASCII() {
			f.domain = serve.Hostname(s.Hostname)
		}
		if s.CheckFrom && s.asks(env) {
			f.authors = &authors{owns: func(a mailparts.Address) error { return s.owns(ctx, env, a) }}
		}
		err := next.Deliver(ctx, env, f)
		if f.authors != nil && f.authors.refused != nil {
			return f.authors.refused // whatever next made of the read error
		}
		return err
	})
}
