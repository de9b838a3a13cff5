package greylist

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// Filter is a mailparts.Filter. It has its say on each RCPT before next has, so a
// filter that knows the users belongs before it: an address that does not exist
// should be refused at once.
func (g *Greylist) Filter(next mailparts.Receiver) mailparts.Receiver { return receiver{next, g} }

type receiver struct {
	mailparts.Receiver
	g *Greylist
}

func (r receiver) Mail(ctx context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	tx, err := r.Receiver.Mail(ctx, env)
	if err != nil {
		return nil, err
	}
	client, ok := r.g.stranger(env)
	if !ok {
		return tx, nil
	}
	return &transaction{Transaction: tx, g: r.g, env: env, client: client}, nil
}

// stranger is the client that env comes from, if that may have to wait.
func (g *Greylist) stranger(env *mailparts.Envelope) (client netip.Addr, ok bool) {
	if env.MayRelay() {
		return client, false
	}
	client = env.Peer.Client()
	if !client.IsValid() { // a unix socket
		return client, false
	}
	exempt := slices.ContainsFunc(g.Exempt, func(p netip.Prefix) bool { return p.Contains(client) })
	return client, !exempt
}

type transaction struct {
	mailparts.Transaction
	g      *Greylist
	env    *mailparts.Envelope
	client netip.Addr
	passed bool              // a recipient has
	first  mailparts.Address // that has no answer yet, of a message from the null sender
}

// Rcpt implements mailparts.Transaction.
func (t *transaction) Rcpt(ctx context.Context, to *mailparts.Rcpt) error {
	addr := to.Addr
	asks := !t.passed && !strings.EqualFold(addr.Local(), "postmaster")
	if asks && t.env.From != "" {
		if err := t.g.check(ctx, t.client, t.env.From, addr); err != nil {
			return err
		}
		t.passed = true
	}
	err := t.Transaction.Rcpt(ctx, to)
	if err == nil && asks && t.env.From == "" && t.first == "" {
		t.first = addr
	}
	return err
}

// Data implements mailparts.Transaction.
func (t *transaction) Data(ctx context.Context, msg io.Reader) error {
	if t.first != "" {
		if err := t.g.check(ctx, t.client, "", t.first); err != nil {
			return err
		}
	}
	return t.Transaction.Data(ctx, msg)
}
