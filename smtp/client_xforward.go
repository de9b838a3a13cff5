package smtp

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// XClient tells the server that the client is p from now on, and not we, so that p
// has its own rights there and no others: Postfix's XCLIENT. It says p's Addr,
// Local, Hello and User and whether it speaks ESMTP, as far as the server takes
// that. The session begins anew, with an EHLO by the name in p.Hello, and what the
// server offers may be other things than before: hardly ever XCLIENT.
//
// It ends a transaction that Mail began. Where the server does not offer XCLIENT
// to us, errors.Is(err, errors.ErrUnsupported), and nothing has been said.
func (c *Client) XClient(ctx context.Context, p *mailparts.Peer) error {
	release, offered, err := c.beginX(ctx, "XCLIENT")
	if err != nil {
		return err
	}
	defer release()
	attrs := slices.DeleteFunc(xclientOf(p), func(a clientXattribute) bool { return !slices.Contains(offered, a.name) })
	cmds := packX("XCLIENT", attrs)
	if len(cmds) > 1 { // EHLO will say it, and a second XCLIENT may not be allowed
		attrs = slices.DeleteFunc(attrs, func(a clientXattribute) bool { return a.name == "HELO" })
		cmds = packX("XCLIENT", attrs)
	}
	switch {
	case len(cmds) == 0:
		return c.noX("XCLIENT")
	case len(cmds) > 1 || len(cmds[0])+len("\r\n") > maxClientCommand:
		return refusal(554, "5.5.4", "A user's name is too long for XCLIENT")
	}
	r, err := c.do("XCLIENT", cmds[0])
	if err == nil {
		err = c.positive("XCLIENT", r)
	}
	if err != nil {
		return err
	}
	c.loggedIn = p.User != "" && slices.Contains(offered, "LOGIN")
	name := c.name
	if validHello(p.Hello) {
		name = p.Hello
	}
	return c.hello(name)
}

// XForward tells the server whom we had the next message from, for its logs and
// filters: Postfix's XFORWARD, which a server forgets when the transaction ends, so
// it is for each message anew, before Mail or Deliver. It says p's Addr and Hello
// and whether it spoke ESMTP, as far as the server takes that.
//
// It ends a transaction that Mail began. Where the server does not offer XFORWARD
// to us, errors.Is(err, errors.ErrUnsupported), and nothing has been said.
func (c *Client) XForward(ctx context.Context, p *mailparts.Peer) error {
	release, offered, err := c.beginX(ctx, "XFORWARD")
	if err != nil {
		return err
	}
	defer release()
	attrs := slices.DeleteFunc(xforwardOf(p), func(a clientXattribute) bool { return !slices.Contains(offered, a.name) })
	cmds := packX("XFORWARD", attrs)
	if len(cmds) == 0 {
		return c.noX("XFORWARD")
	}
	for _, cmd := range cmds {
		r, err := c.do("XFORWARD", cmd)
		if err == nil {
			err = c.positive("XFORWARD", r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// beginX starts a call that is not for the middle of a transaction, and returns
// the attributes that the server takes.
func (c *Client) beginX(ctx context.Context, verb string) (release func(), offered []string, err error) {
	params, ok := c.Extension(verb)
	switch {
	case c.err != nil:
		return nil, nil, c.err
	case !ok:
		return nil, nil, c.noX(verb)
	}
	if c.inMail {
		if err := c.Reset(ctx); err != nil {
			return nil, nil, err
		}
	}
	release, err = c.begin(ctx)
	return release, strings.Fields(strings.ToUpper(params)), err
}

// noX is temporary: it is the wiring that is wrong, not the mail.
func (c *Client) noX(verb string) error {
	return &mailparts.Error{Code: 451, Status: "4.3.5", Message: c.host + " does not offer " + verb, Err: errors.ErrUnsupported}
}

// clientXattribute is one of XCLIENT or XFORWARD, with its value before the xtext.
type clientXattribute struct{ name, value string }

// notAvailable stands for what is not known. It is said where the server would
// else take ours.
const notAvailable = "[UNAVAILABLE]"

func xclientOf(p *mailparts.Peer) []clientXattribute {
	attrs := append(endpointOf(p.Addr, "ADDR", "PORT"),
		clientXattribute{"NAME", notAvailable},
		clientXattribute{"REVERSE_NAME", notAvailable})
	if p.Local.IsValid() {
		attrs = append(attrs, endpointOf(p.Local, "DESTADDR", "DESTPORT")...)
	}
	login := p.User
	if login == "" {
		login = notAvailable
	}
	return append(append(attrs, clientXattribute{"LOGIN", login}), greetingOf(p)...)
}

func xforwardOf(p *mailparts.Peer) []clientXattribute {
	source := "REMOTE"
	if !p.Addr.IsValid() {
		source = "LOCAL" // a unix socket or a pipe
	}
	attrs := append(endpointOf(p.Addr, "ADDR", "PORT"),
		clientXattribute{"NAME", notAvailable},
		clientXattribute{"SOURCE", source})
	return append(attrs, greetingOf(p)...)
}

func endpointOf(a netip.AddrPort, addr, port string) []clientXattribute {
	ip, number := a.Addr().Unmap().WithZone(""), notAvailable
	text := ip.String()
	switch {
	case !ip.IsValid():
		text = notAvailable
	case ip.Is6():
		text = ipv6Prefix + text
	}
	if a.Port() != 0 {
		number = strconv.Itoa(int(a.Port()))
	}
	return []clientXattribute{{addr, text}, {port, number}}
}

// greetingOf is how p has greeted, if it has. Postfix knows no other protocols.
func greetingOf(p *mailparts.Peer) (attrs []clientXattribute) {
	switch p.Protocol {
	case "":
	case "SMTP":
		attrs = append(attrs, clientXattribute{"PROTO", "SMTP"})
	default:
		attrs = append(attrs, clientXattribute{"PROTO", "ESMTP"})
	}
	if p.Hello != "" && len(encodeXtext(p.Hello)) <= maxXName {
		attrs = append(attrs, clientXattribute{"HELO", p.Hello})
	}
	return attrs
}

// packX makes of attributes the commands that have room for them.
func packX(verb string, attrs []clientXattribute) []string {
	var cmds []string
	for _, a := range attrs {
		field := " " + a.name + "=" + encodeXtext(a.value)
		if n := len(cmds) - 1; n >= 0 && len(cmds[n])+len(field)+len("\r\n") <= maxClientCommand {
			cmds[n] += field
		} else {
			cmds = append(cmds, verb+field)
		}
	}
	return cmds
}
