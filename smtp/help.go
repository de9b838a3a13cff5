package smtp

import "strings"

// helpExtension is RFC 5321 section 4.1.1.8: EHLO may name what is always there.
var helpExtension = extension{keyword: "HELP"}

// topic is what HELP knows of a command.
type topic struct {
	verb, text string
	there      func(s *session) bool // whether this server has the command; nil: always
}

// topics are the commands, in the order in which HELP shows them.
var topics = []topic{
	{"LHLO", "LHLO domain\nGreet, and be told what this server can do (RFC 2033)", isLMTP},
	{"EHLO", "EHLO domain\nGreet, and be told what this server can do (RFC 5321 section 4.1.1.1)", isSMTP},
	{"HELO", "HELO domain\nGreet, and be told nothing (RFC 5321 section 4.1.1.1)", isSMTP},
	{"STARTTLS", "STARTTLS\nGo on under TLS (RFC 3207)", func(s *session) bool { return s.TLSConfig != nil }},
	{"AUTH", "AUTH mechanism [initial-response]\nSay who you are (RFC 4954)", func(s *session) bool { return len(s.mechanisms()) > 0 }},
	{"MAIL", "MAIL FROM:<sender> [parameters]\nBegin a message (RFC 5321 section 4.1.1.2)", nil},
	{"RCPT", "RCPT TO:<recipient> [parameters]\nAdd a recipient to it (RFC 5321 section 4.1.1.3)", nil},
	{"DATA", "DATA\nSend the message, and a dot alone on a line behind it (RFC 5321 section 4.1.1.4)", nil},
	{"BDAT", "BDAT size [LAST]\nSend a chunk of the message, which follows at once (RFC 3030)", nil},
	{"RSET", "RSET\nForget the message (RFC 5321 section 4.1.1.5)", nil},
	{"VRFY", "VRFY name [SMTPUTF8]\nAsk whose mailbox that is (RFC 5321 section 4.1.1.6)", nil},
	{"EXPN", "EXPN list [SMTPUTF8]\nAsk who is on it (RFC 5321 section 4.1.1.7)", func(s *session) bool { return s.Expand != nil }},
	{"ETRN", "ETRN domain | @domain | #queue\nHave the mail sent that waits for it (RFC 1985)", func(s *session) bool { return s.Flush != nil }},
	{"XCLIENT", "XCLIENT name=value [name=value...]\nSay who the client is that this one speaks for (Postfix's XCLIENT_README)", (*session).mayProxy},
	{"XFORWARD", "XFORWARD name=value [name=value...]\nSay who the message comes from, for the log (Postfix's XFORWARD_README)", (*session).mayProxy},
	{"NOOP", "NOOP [anything]\nDo nothing (RFC 5321 section 4.1.1.9)", nil},
	{"HELP", "HELP [command]\nAsk what it does (RFC 5321 section 4.1.1.8)", nil},
	{"QUIT", "QUIT\nSay goodbye (RFC 5321 section 4.1.1.10)", nil},
}

func isLMTP(s *session) bool { return s.LMTP }
func isSMTP(s *session) bool { return !s.LMTP }

// help is RFC 5321 section 4.1.1.8.
func help(s *session, arg string) error {
	var verbs []string
	for _, t := range topics {
		switch {
		case t.there != nil && !t.there(s):
		case strings.EqualFold(arg, t.verb):
			s.out.reply(214, "2.0.0", t.text)
			return nil
		default:
			verbs = append(verbs, t.verb)
		}
	}
	if arg != "" {
		return errNoTopic
	}
	s.out.reply(214, "2.0.0", "Commands:\n"+strings.Join(verbs, " "))
	return nil
}
