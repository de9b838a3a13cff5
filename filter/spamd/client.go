package spamd

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"strconv"
	"time"

	"github.com/mailparts/mailparts"
)

// The values that zero fields of a Client stand for.
const (
	defaultAddr    = "localhost:783"
	defaultMaxSize = 500 << 10 // that of spamc -s
	defaultTimeout = time.Minute
)

// The attributes that a scanned message's Envelope has.
const (
	AttrScore = "spam.score" // "7.3"
	AttrFlag  = "spam.flag"  // spamd's own verdict: "YES" or "NO"
)

// Client filters messages by what spamd says of them. The zero value asks the
// spamd of this machine and never refuses anything.
type Client struct {
	// Addr is where spamd listens: HOST:PORT, or "unix:" and a path. "":
	// localhost:783.
	Addr string
	// User is the user whose preferences spamd applies. "": those of the site.
	User string
	// RejectAt is the score from which on a message is refused. 0: none is, each is
	// marked.
	RejectAt float64
	// MaxSize is how many octets a message may have to be scanned; spam is small,
	// and time is dear. 0: 512000. Less: no limit.
	MaxSize int64
	// Timeout is how long spamd has for a message, connection and all. 0: one
	// minute.
	Timeout time.Duration
	// FailClosed makes messages wait, by 451, while spamd does not answer. False:
	// they pass unmarked.
	FailClosed bool
	// Logger hears of what was refused and of what spamd failed to do. Nil:
	// discard.
	Logger *slog.Logger
	// Dial connects to spamd; network is "tcp" or "unix". Nil: a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Wrap puts the filter before next: it is for mailparts.OnData. It keeps the
// message in a mailparts.Buffer while spamd thinks.
func (c *Client) Wrap(next mailparts.Deliverer) mailparts.Deliverer {
	return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		buf, err := mailparts.Buffer(&stripper{fields: fields{r: newReader(msg)}})
		if err != nil {
			return err
		}
		defer buf.Close()
		return c.deliver(ctx, next, env, buf)
	})
}

func (c *Client) deliver(ctx context.Context, next mailparts.Deliverer, env *mailparts.Envelope, msg io.ReadSeeker) error {
	log := cmp.Or(c.Logger, slog.New(slog.DiscardHandler)).With("id", env.ID)
	size, err := msg.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = msg.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	if limit := cmp.Or(c.MaxSize, defaultMaxSize); limit > 0 && size > limit {
		log.Debug("message too big for spamd", "size", size)
		return next.Deliver(ctx, env, msg)
	}

	v, err := c.scan(ctx, env, msg, size)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil && c.FailClosed:
		log.Warn("spamd failed, message deferred", "err", err)
		return &mailparts.Error{Code: 451, Status: "4.3.0", Message: "Message could not be checked for spam, please try again later", Err: err}
	case err != nil:
		log.Warn("spamd failed, message passed unmarked", "err", err)
	case c.RejectAt > 0 && v.score >= c.RejectAt:
		log.Info("message refused as spam", "score", v.score, "from", string(env.From))
		return &mailparts.Error{Code: 550, Status: "5.7.1", Message: "Message refused, it looks like spam"}
	default:
		log.Debug("message scanned", "score", v.score, "spam", v.spam)
		env = v.mark(env)
	}
	if _, err := msg.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return next.Deliver(ctx, env, mailparts.Prepend(msg, v.fields))
}

// verdict is what spamd said. The zero value is nothing.
type verdict struct {
	score  float64
	spam   bool
	fields string // X-Spam fields, complete lines
}

// mark is env with the verdict; env itself stays as it is.
func (v verdict) mark(env *mailparts.Envelope) *mailparts.Envelope {
	marked := *env
	marked.Attrs = maps.Clone(env.Attrs)
	if marked.Attrs == nil {
		marked.Attrs = map[string]string{}
	}
	marked.Attrs[AttrScore] = strconv.FormatFloat(v.score, 'f', -1, 64)
	marked.Attrs[AttrFlag] = "NO"
	if v.spam {
		marked.Attrs[AttrFlag] = "YES"
	}
	return &marked
}
