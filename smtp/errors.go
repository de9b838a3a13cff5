package smtp

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
	"github.com/mailparts/mailparts/internal/serve"
	"github.com/mailparts/mailparts/sasl"
)

// errNoTLSConfig is the caller's mistake, not a peer's.
var errNoTLSConfig = errors.New("smtp: TLS needs Server.TLSConfig")

// errLMTPPort keeps LMTP from where SMTP is expected (RFC 2033 section 5), as a
// server and as a client.
var errLMTPPort = errors.New("smtp: LMTP is not for TCP's port 25")

func isSMTPPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && (port == "25" || port == "smtp")
}

// What the server itself refuses. Codes are of RFC 5321 section 4.2, enhanced
// statuses of RFC 3463 as RFC 5248 pairs them.
var (
	errUnknownCommand   = refusal(500, "5.5.2", "Unknown command")
	errLineTooLong      = refusal(500, "5.5.2", "Line too long")
	errBareLine         = refusal(500, "5.5.2", "Lines end with CRLF: CR or LF alone")
	errBadOctets        = refusal(501, "5.5.2", "Octets that do not belong in this command")
	errMissingArgument  = refusal(501, "5.5.4", "An argument is missing")
	errUnwantedArgument = refusal(501, "5.5.4", "This command takes no argument")
	errNotImplemented   = refusal(502, "5.5.1", "Not implemented")
	errNoMail           = refusal(521, "5.3.2", "This host does not accept mail")
	errEarlyTalker      = refusal(554, "5.5.0", "You must not talk before you are greeted")
	errBarred           = refusal(503, "5.5.1", "You are not welcome here: QUIT")

	errUseLHLO    = refusal(500, "5.5.1", "This is LMTP: use LHLO")
	errUseEHLO    = refusal(500, "5.5.1", "This is SMTP: use EHLO")
	errBadHello   = refusal(501, "5.5.4", "A domain or an address literal is needed")
	errHelloFirst = refusal(503, "5.5.1", "Greet first")
	errEHLOFirst  = refusal(503, "5.5.1", "An extension needs EHLO first")

	errTLSNotOffered = refusal(502, "5.5.1", "STARTTLS is not offered")
	errAlreadyTLS    = refusal(503, "5.5.1", "TLS is active already")
	errTLSPipelined  = refusal(503, "5.5.1", "Nothing may be pipelined after STARTTLS")
	errTLSFirst      = refusal(530, "5.7.0", "Must issue a STARTTLS command first")

	errAuthNotOffered = refusal(502, "5.5.1", "AUTH is not offered")
	errAlreadyAuth    = refusal(503, "5.5.1", "Authenticated already")
	errAuthInMail     = refusal(503, "5.5.1", "AUTH is not permitted during a mail transaction")
	errNoMechanism    = refusal(504, "5.5.4", "This mechanism is not offered")
	errWeakMechanism  = refusal(538, "5.7.11", "This mechanism needs TLS")
	errAuthTooLong    = refusal(500, "5.5.6", "Authentication exchange line is too long")
	errBadBase64      = refusal(501, "5.5.2", "Invalid base64")
	errAuthCancelled  = refusal(501, "5.7.0", "Authentication cancelled")
	errAuthSyntax     = refusal(501, "5.5.2", "Not a message of this mechanism")
	errAuthInitial    = refusal(501, "5.7.0", "This mechanism takes no initial response")
	errAuthDenied     = refusal(535, "5.7.8", "Authentication credentials invalid")
	errAuthTemporary  = refusal(454, "4.7.0", "Temporary authentication failure")
	errAuthFirst      = refusal(530, "5.7.0", "Authentication required")

	errNotProxy   = refusal(550, "5.7.0", "You may not speak for others")
	errXAttribute = refusal(501, "5.5.4", "Syntax: attribute=value, each attribute once, of those that EHLO has")

	errNestedMail   = refusal(503, "5.5.1", "A mail transaction is open already")
	errMailFirst    = refusal(503, "5.5.1", "Need MAIL first")
	errMailSyntax   = refusal(501, "5.5.4", "Syntax: MAIL FROM:<address> [parameters]")
	errRcptSyntax   = refusal(501, "5.5.4", "Syntax: RCPT TO:<address> [parameters]")
	errBadSender    = refusal(501, "5.1.7", "Malformed sender address")
	errBadRecipient = refusal(501, "5.1.3", "Malformed recipient address")
	errSenderUTF8   = refusal(550, "5.6.7", "A non-ASCII address needs SMTPUTF8") // RFC 6531 section 3.5
	errNeedsUTF8    = refusal(553, "5.6.7", "A non-ASCII address needs SMTPUTF8")
	errParamSyntax  = refusal(501, "5.5.4", "Malformed parameter")
	errParamTwice   = refusal(501, "5.5.4", "A parameter is given twice")
	errUnknownParam = refusal(555, "5.5.4", "Unknown parameter")
	errHeldTwice    = refusal(501, "5.5.4", "HOLDFOR and HOLDUNTIL exclude each other")
	errHoldRange    = refusal(501, "5.5.4", "The message cannot be held until then")
	errHeldTooLong  = refusal(501, "5.5.4", "The message would be held for longer than BY gives it")
	errManyRcpts    = refusal(452, "4.5.3", "Too many recipients")
	errNoRcpts      = refusal(554, "5.5.1", "No valid recipients")
	errNoRcptsLMTP  = refusal(503, "5.5.1", "No valid recipients") // RFC 2033 section 4.2

	errShortSender    = refusal(554, "5.1.8", "The sender's domain is not fully qualified") // RFC 6409 section 4.2
	errShortRecipient = refusal(554, "5.1.2", "The recipient's domain is not fully qualified")
	errNotOwn         = refusal(550, "5.7.1", "You may not send as this address") // RFC 6409 sections 6.1 and 6.3
	errBadFrom        = refusal(554, "5.6.0", "The From field is missing or malformed")

	errChunkSyntax = refusal(501, "5.5.4", "Syntax: BDAT size [LAST]")
	errAmidChunks  = refusal(503, "5.5.1", "Not between two chunks of a message: need BDAT or RSET")
	errBinaryData  = refusal(503, "5.5.1", "A BINARYMIME message needs BDAT")

	errNoMembers  = refusal(550, "5.2.4", "Nobody is on this list")
	errETRNInMail = refusal(503, "5.5.1", "ETRN is not permitted during a mail transaction")
	errBadNode    = refusal(501, "5.5.4", "Syntax: ETRN domain, @domain or #queue")
	errNoTopic    = refusal(504, "5.5.4", "There is no help on that")

	errTooBig = refusal(552, "5.3.4", "The message is too big")
	errBare   = refusal(550, "5.6.0", "CR or LF alone in the message: lines end with CRLF (RFC 5321 section 2.3.8)")

	errTooManyErrors = refusal(421, "4.7.0", "Too many errors, closing the connection")
	errTooMuchJunk   = refusal(421, "4.7.0", "Too many commands that move no mail, closing the connection")
	errTimeout       = refusal(421, "4.4.2", "Timeout, closing the connection")
	errShutdown      = refusal(421, "4.3.2", "Shutting down, try again later")
	errPanic         = refusal(421, "4.3.0", "Internal error, closing the connection")
	errEndless       = refusal(421, "4.5.2", "Line without an end, closing the connection")
	errChunk         = refusal(421, "4.5.0", "A chunk without a known end, closing the connection")
	errHTTP          = refusal(421, "4.7.0", "This is no web server, closing the connection")
	errPipelined     = refusal(421, "4.5.0", "Data before its 354, closing the connection")
)

// refusal is an outcome that this host decides on, as a server or a client.
func refusal(code int, status, text string) *mailparts.Error {
	return &mailparts.Error{Code: code, Status: status, Message: text}
}

// refuse answers the command verb, or the connection if verb is "", with err.
func (s *session) refuse(verb string, err error) {
	e := s.failure(verb, err)
	s.out.reply(e.Code, e.Status, e.Message)
	s.count(verb, e)
}

// refusePlain is refuse without an enhanced status.
func (s *session) refusePlain(verb string, err error) {
	e := s.failure(verb, err)
	s.out.plain(e.Code, e.Message)
	s.count(verb, e)
}

// failure logs err and returns what the peer is told of it.
func (s *session) failure(verb string, err error) *mailparts.Error {
	level := slog.LevelInfo
	if severity(mailparts.AsError(err)) == ours {
		level = slog.LevelError
	}
	s.logger().Log(s.ctx, level, "refused", "command", verb, "err", err)
	s.tarpit.count()
	return told(err)
}

// told is what a peer is told of err: its *mailparts.Error, corrected where it
// would break the protocol, or nothing but "temporary". The 421 of a far side is
// about its connection with us, and not about the peer's.
func told(err error) *mailparts.Error {
	e := *mailparts.AsError(err)
	if !isRefusal(&e) {
		e = *mailparts.AsError(errors.New("not a refusal"))
	}
	if e.Code == 421 && e.Host != "" {
		e.Code = 451
	}
	if e.Status = e.EnhancedStatus(); !validStatus(e.Status, e.Code) {
		e.Status = ""
		e.Status = e.EnhancedStatus()
	}
	return &e
}

func isRefusal(e *mailparts.Error) bool { return 400 <= e.Code && e.Code <= 599 }

// What a refusal is about. Nothing that a stranger can do at will is ours.
const (
	permanent = iota
	temporary
	ours // something here is broken, or full
)

func severity(e *mailparts.Error) int {
	switch {
	case !e.Temporary():
		return permanent
	case e.Err == nil:
		return temporary
	}
	return ours // AsError's for an unknown error, too
}

// count counts a refusal. 421 closes the connection (RFC 5321 section 3.8), and
// so does one refusal too many. A temporary one is no mistake of the peer: what is
// full is ours, and it sends to a recipient over the limit in another transaction
// (RFC 5321 section 4.5.3.1.10). But it must not try passwords forever, nor stay
// where it is refused.
func (s *session) count(verb string, e *mailparts.Error) {
	if e.Code == 421 {
		s.over = true
	}
	if s.over || e.Temporary() && verb != "AUTH" && s.barred == nil {
		return
	}
	if s.refused++; s.maxErrors > 0 && s.refused >= s.maxErrors {
		s.refuse("", errTooManyErrors)
	}
}

// validStatus accepts class "." subject "." detail of RFC 3463 section 2, of
// code's class.
func validStatus(status string, code int) bool {
	part := strings.Split(status, ".")
	if len(part) != 3 || len(part[0]) != 1 || int(part[0][0]-'0') != code/100 {
		return false
	}
	for _, p := range part[1:] {
		if len(p) < 1 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

// badLine answers what went wrong when a command was read, of which start is what
// the reader gave.
func (s *session) badLine(start []byte, err error) {
	verb := verbOf(start)
	switch {
	case errors.Is(err, line.ErrBare):
		s.refuseCommand(verb, errBareLine)
	case errors.Is(err, line.ErrTooLong) && verb == "AUTH":
		s.refuseCommand(verb, errAuthTooLong) // RFC 4954 section 4
	case errors.Is(err, line.ErrTooLong):
		s.refuseCommand(verb, errLineTooLong)
	default:
		s.lost(err)
	}
}

// lost ends a session that can read no more, with a word to a peer that may
// still listen.
func (s *session) lost(err error) {
	s.over = true
	switch {
	case errors.Is(err, serve.ErrShutdown):
		s.refuse("", errShutdown)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.refuse("", errTimeout)
	case errors.Is(err, line.ErrEndless):
		s.refuse("", errEndless)
	case s.tx == nil && errors.Is(err, io.EOF):
		s.logger().Debug("connection closed without QUIT")
	default:
		s.logger().Info("connection lost", "err", err)
	}
}

// authError is RFC 4954 section 4's reply to what an exchange returned.
func authError(err error) error {
	if _, ok := errors.AsType[*mailparts.Error](err); ok {
		return err
	}
	e := *errAuthTemporary
	switch {
	case errors.Is(err, sasl.ErrDenied):
		return errAuthDenied
	case errors.Is(err, sasl.ErrMalformed):
		return errAuthSyntax
	}
	e.Err = err
	return &e
}

// overall is the one reply that SMTP has for the results of all n recipients.
// See Server.
func overall(err error, n int) error {
	if _, ok := err.(mailparts.RcptErrors); !ok {
		return err
	}
	var worst error
	failed := 0
	for i := range n {
		e := mailparts.RcptError(err, i)
		if e == nil {
			continue
		}
		failed++
		if worst == nil || severity(mailparts.AsError(e)) > severity(mailparts.AsError(worst)) {
			worst = e
		}
	}
	if worst == nil || failed == n {
		return worst
	}
	e := *mailparts.AsError(worst)
	e.Message += "\nNot all recipients failed, but SMTP has one reply for all"
	return &e
}
