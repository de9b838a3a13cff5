package smtp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
)

// appendDSN is RET and ENVID (RFC 3461 sections 4.3 and 4.4).
func (c *Client) appendDSN(b []byte, n *clientNeeds) ([]byte, error) {
	if !c.offers("DSN") {
		return b, nil
	}
	switch ret := n.env.Ret; ret {
	case "":
	case "FULL", "HDRS":
		b = append(append(b, " RET="...), ret...)
	default:
		return b, errClientParam("RET")
	}
	if n.env.EnvID == "" {
		return b, nil
	}
	id := encodeXtext(n.env.EnvID)
	if !isPrintable(n.env.EnvID) || len(id) > maxEnvID {
		return b, errClientParam("ENVID")
	}
	return append(append(b, " ENVID="...), id...), nil
}

// appendNotify is NOTIFY and ORCPT (RFC 3461 sections 4.1 and 4.2).
func (c *Client) appendNotify(b []byte, to *mailparts.Rcpt, n *clientNeeds) ([]byte, error) {
	if !c.offers("DSN") {
		return b, nil
	}
	notify, ok := notifyValue(to.Notify, n.late)
	if !ok {
		return b, errClientParam("NOTIFY")
	}
	if notify != "" {
		b = append(append(b, " NOTIFY="...), notify...)
	}
	if to.ORcpt == "" {
		return b, nil
	}
	orcpt, ok := orcptValue(to.ORcpt, n.utf8)
	switch {
	case !ok || len(to.ORcpt) > maxORcpt:
		return b, errClientParam("ORCPT")
	case len(orcpt) > maxORcpt: // by our encoding alone: no reason to refuse the recipient
		return b, nil
	}
	return append(append(b, " ORCPT="...), orcpt...), nil
}

// notifyValue is the value of NOTIFY, "" for none. Where late is set a sender who
// wants to know anything is told of delays: RFC 2852 section 4.1.4.2.
func notifyValue(n mailparts.Notify, late bool) (value string, ok bool) {
	const all = mailparts.NotifySuccess | mailparts.NotifyFailure | mailparts.NotifyDelay
	switch {
	case n == mailparts.NotifyNever:
		return "NEVER", true
	case n&^all != 0:
		return "", false
	case late && n == 0:
		n = mailparts.NotifyFailure
		fallthrough
	case late:
		n |= mailparts.NotifyDelay
	}
	return notifyLists[n>>1], true
}

// notifyLists are by NotifySuccess, NotifyFailure and NotifyDelay as bits 0, 1
// and 2.
var notifyLists = [8]string{"", "SUCCESS", "FAILURE", "SUCCESS,FAILURE", "DELAY", "SUCCESS,DELAY", "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY"}

// orcptValue is the value of ORCPT for a Rcpt's ORcpt. An address beyond US-ASCII
// is of type utf-8 (RFC 6533 section 3).
func orcptValue(orcpt string, native bool) (value string, ok bool) {
	kind, addr, ok := strings.Cut(orcpt, ";")
	if !ok || !isAtom(kind) || strings.Contains(kind, "=") || addr == "" {
		return "", false
	}
	if strings.EqualFold(kind, "utf-8") || strings.EqualFold(kind, "rfc822") && !mailparts.Address(addr).IsASCII() {
		addr = decodeUnitext(addr)
		ok := utf8.ValidString(addr) && !strings.ContainsFunc(addr, unicode.IsControl)
		return "utf-8;" + encodeUnitext(addr, native), ok
	}
	return kind + ";" + encodeXtext(addr), isPrintable(addr)
}
