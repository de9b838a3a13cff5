package queue

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// How much of the message a DSN returns.
const (
	maxReturnHead = 64 << 10  // of its header
	maxReturnFull = 256 << 10 // or all of it, with RET=FULL, if it has no more than this
)

// bounce tells the sender which recipients failed, where that is wanted and
// possible. The DSN is queued when it returns nil; then the entry may be finished.
// Its ID follows from what it tells, so that what a crash repeats is recognised.
func (q *Queue) bounce(ctx context.Context, e *Entry, failed []*result, now time.Time) error {
	var told []*result
	for _, r := range failed {
		if e.Env.From != "" && wantsFailure(r.to.Notify) {
			told = append(told, r)
		} else {
			r.kind = "dropped" // a bounce never bounces: RFC 5321 section 6.1
		}
	}
	if len(told) == 0 {
		return nil
	}
	to := make([]mailparts.Rcpt, len(told))
	for i, r := range told {
		to[i] = r.to
	}
	rep := &report{
		id: e.ID + ".dsn." + digest("", to), host: q.hostname(), date: now,
		entry: e, failed: told, original: q.original(ctx, e),
	}
	env, msg, err := rep.message()
	if err != nil {
		return err
	}
	var d mailparts.Deliverer = q
	if q.Bounces != nil {
		d = q.Bounces
	}
	err = mailparts.RcptError(q.handOver(ctx, d, env, bytes.NewReader(msg)), 0)
	if err != nil && mailparts.AsError(err).Temporary() {
		return err
	}
	if err != nil {
		q.logger().Warn("bounce is refused", "id", e.ID, "to", e.Env.From, "err", err)
		for _, r := range told {
			r.kind = "dropped"
		}
	}
	return nil
}

// wantsFailure applies RFC 3461 section 4.1: with no NOTIFY failures are told.
func wantsFailure(n mailparts.Notify) bool {
	return n == 0 || n&mailparts.NotifyFailure != 0
}

// original is what the DSN returns of a message.
type original struct {
	octets []byte
	full   bool // all of it, fit for message/rfc822; else its header
}

// original reads what there is to return. A message that cannot be read does not
// keep the sender from knowing.
func (q *Queue) original(ctx context.Context, e *Entry) original {
	msg, err := q.Spool.Open(ctx, e)
	if err != nil {
		q.logger().Error("queue cannot return a message", "id", e.ID, "err", err)
		return original{}
	}
	defer msg.Close()
	full := strings.EqualFold(e.Env.Ret, "FULL") && !e.Env.RequireTLS // RFC 8689 section 5
	limit := maxReturnHead
	if full {
		limit = maxReturnFull + 1
	}
	b, err := io.ReadAll(io.LimitReader(msg, int64(limit)))
	if err != nil {
		q.logger().Error("queue cannot return a message whole", "id", e.ID, "err", err)
		full = false
	}
	if full && len(b) <= maxReturnFull && isText(b) {
		return original{b, true}
	}
	return original{header(b), false}
}

// header returns the complete lines of b before the first empty one.
func header(b []byte) []byte {
	b = b[:min(len(b), maxReturnHead)]
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return nil
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return b[:i+2]
	}
	return b[:bytes.LastIndexByte(b, '\n')+1]
}

// isText reports whether b is lines of at most 998 octets that end in CRLF, with
// no NUL: what may stand in a MIME part as it is, 8bit if need be (RFC 2045
// section 2.8).
func isText(b []byte) bool {
	for line := range bytes.Lines(b) {
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok || len(text) > 998 || bytes.ContainsAny(text, "\r\x00") {
			return false
		}
	}
	return true
}
