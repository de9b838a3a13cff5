package smtp

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
)

// PasswordAuth is a Dialer's Auth with a password: by SCRAM-SHA-256, PLAIN or
// LOGIN, the first of them that the server offers and that may be used.
func PasswordAuth(user, password string) func(mechanisms []string) (gosasl.Client, error) {
	return func(mechanisms []string) (gosasl.Client, error) {
		has := func(name string) bool { return slices.Contains(mechanisms, name) }
		switch {
		case has(sasl.ScramSHA256):
			return sasl.NewScramClient(user, password)
		case has(gosasl.Plain):
			return gosasl.NewPlainClient("", user, password), nil
		case has(gosasl.Login):
			return gosasl.NewLoginClient(user, password), nil
		}
		return nil, errors.New("no mechanism in common that may be used on this connection")
	}
}

const (
	maxClientCommand  = 512 // RFC 5321 section 4.5.3.1.4, with its CRLF
	maxClientAuthStep = 16
)

// authenticate runs AUTH (RFC 4954).
func (c *Client) authenticate(pick func([]string) (gosasl.Client, error)) error {
	mech, err := pick(c.mechanisms())
	if err != nil {
		return c.noAuth(err)
	}
	name, ir, err := mech.Start()
	if err != nil {
		return c.noAuth(err)
	}
	cmd := "AUTH " + name
	if arg := cmd + " " + clientBase64(ir); ir != nil && len(arg)+2 <= maxClientCommand {
		cmd, ir = arg, nil
	}
	r, err := c.do("AUTH", cmd)
	for range maxClientAuthStep {
		if err != nil {
			return err
		}
		if r.code != 334 {
			return c.authenticated(mech, r)
		}
		response := ir
		if ir = nil; response == nil {
			if response, err = c.respond(mech, r); err != nil {
				c.do("AUTH", "*") // RFC 4954 section 4: cancelled
				return c.noAuth(err)
			}
		}
		r, err = c.do("AUTH", base64.StdEncoding.EncodeToString(response))
	}
	return c.unexpected("AUTH", r)
}

// mechanisms are those that the server offers and this connection is fit for.
func (c *Client) mechanisms() []string {
	params, _ := c.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(params))
	if c.secured != "" || c.conn.private() {
		return offered
	}
	return slices.DeleteFunc(offered, func(m string) bool { return slices.Contains(showingMechanisms, m) })
}

// showingMechanisms are those that show the secret itself.
var showingMechanisms = []string{gosasl.Plain, gosasl.Login, gosasl.OAuthBearer, "XOAUTH2"}

// respond answers a challenge.
func (c *Client) respond(mech gosasl.Client, r clientReply) ([]byte, error) {
	challenge, err := base64.StdEncoding.DecodeString(r.text)
	if err != nil {
		return nil, err
	}
	return mech.Next(challenge)
}

// authenticated judges the server's last word.
func (c *Client) authenticated(mech gosasl.Client, r clientReply) error {
	if err := c.positive("AUTH", r); err != nil {
		return err
	}
	if s, ok := mech.(*sasl.ScramClient); ok && !s.Verified() {
		return c.noAuth(errors.New("the server has not proved that it knows the password"))
	}
	c.loggedIn = true
	return nil
}

// appendAuth is AUTH= (RFC 4954 section 5), to a server that knows us. Mail of a
// peer that has not said who it is does not become our own there.
func (c *Client) appendAuth(b []byte, n *clientNeeds) ([]byte, error) {
	if !c.loggedIn {
		return b, nil
	}
	sender := n.env.AuthSender
	if sender == nil {
		if n.env.Peer == nil || n.env.Peer.User != "" {
			return b, nil
		}
		sender = new(mailparts.Address)
	}
	if *sender == "" {
		return append(b, " AUTH=<>"...), nil
	}
	return append(append(b, " AUTH="...), encodeXtext(string(*sender))...), nil
}

func (c *Client) noAuth(err error) error {
	return &mailparts.Error{Code: 451, Status: "4.7.0", Message: "Authentication with " + c.host + " is not possible", Err: err}
}

// clientBase64 is an initial response: an empty one is "=".
func clientBase64(ir []byte) string {
	if len(ir) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(ir)
}
