package gosmtp

import (
	"strings"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
)

func mailOptions(env *mailparts.Envelope) *gosmtp.MailOptions {
	o := &gosmtp.MailOptions{
		Body:       gosmtp.BodyType(env.Body),
		Size:       env.Size,
		RequireTLS: env.RequireTLS,
		UTF8:       env.UTF8,
		Return:     gosmtp.DSNReturn(env.Ret),
		EnvelopeID: env.EnvID,
	}
	if env.AuthSender != nil {
		sender := string(*env.AuthSender)
		o.Auth = &sender
	}
	return o
}

func rcptOptions(env *mailparts.Envelope, to *mailparts.Rcpt) *gosmtp.RcptOptions {
	o := &gosmtp.RcptOptions{
		Notify:                     notify(to.Notify),
		RequireRecipientValidSince: to.Since,
	}
	if kind, addr, ok := strings.Cut(to.ORcpt, ";"); ok {
		o.OriginalRecipientType = gosmtp.DSNAddressType(strings.ToUpper(kind))
		o.OriginalRecipient = addr
	}
	if !env.By.Time.IsZero() {
		o.DeliverBy = deliverBy(env.By)
	}
	if env.Priority != 0 {
		priority := env.Priority
		o.MTPriority = &priority
	}
	return o
}

func deliverBy(d mailparts.Deadline) *gosmtp.DeliverByOptions {
	o := &gosmtp.DeliverByOptions{Time: time.Until(d.Time).Round(time.Second), Mode: gosmtp.DeliverByNotify, Trace: d.Trace}
	if d.Return {
		o.Mode = gosmtp.DeliverByReturn
	}
	return o
}

func notify(n mailparts.Notify) []gosmtp.DSNNotify {
	var names []gosmtp.DSNNotify
	for _, m := range []struct {
		bit  mailparts.Notify
		name gosmtp.DSNNotify
	}{
		{mailparts.NotifyNever, gosmtp.DSNNotifyNever},
		{mailparts.NotifySuccess, gosmtp.DSNNotifySuccess},
		{mailparts.NotifyFailure, gosmtp.DSNNotifyFailure},
		{mailparts.NotifyDelay, gosmtp.DSNNotifyDelayed},
	} {
		if n&m.bit != 0 {
			names = append(names, m.name)
		}
	}
	return names
}
