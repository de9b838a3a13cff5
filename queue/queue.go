package queue

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
)

// Queue takes responsibility for messages, keeps them in its Spool and delivers
// them through its Routes, again and again until each recipient has it or the
// sender has a bounce. Spool and Routes must be set; the zero value of every
// other field works. A Queue must not be copied or changed after first use.
//
// It is a Deliverer and a Receiver: it refuses at MAIL when full (452) and at
// RCPT what may not be relayed (550 5.7.1). Deliver checks both again, so a
// wrapper that hides Receiver costs politeness, not safety.
type Queue struct {
	Spool   Spool
	Routes  Router
	Bounces mailparts.Deliverer           // takes the DSNs, e.g. to sign them; nil: the queue itself
	Event   func(context.Context, *Event) // is told each turn in an entry's life, by many goroutines at once; nil: nobody
	Logger  *slog.Logger                  // nil: discard

	Hostname    string          // ours, in DSNs [os.Hostname]
	Retry       []time.Duration // the pause after the first, second, … attempt, each made up to a tenth longer; the last repeats [5m 10m 20m 40m 80m 160m 4h]
	Expire      time.Duration   // age at which an entry that cannot be delivered bounces [5 days]
	Concurrency int             // attempts at once [50]; negative: no limit
	PerDest     int             // attempts at once for one destination [10]; negative: no limit

	once    sync.Once
	wake    chan struct{}      // something may be due, or a slot free
	stop    chan struct{}      // closed by Shutdown
	idle    chan struct{}      // closed when Shutdown has nothing to wait for
	life    context.Context    // of every attempt
	endLife context.CancelFunc // cuts them off

	mu       sync.Mutex
	running  bool
	stopped  bool
	attempts int            // in flight
	perDest  map[string]int // the same by Dest
	fullTill time.Time      // Mail refuses before
}

// Event is a turn in an Entry's life.
type Event struct {
	// Kind is what happened:
	//
	//	queued     the entry is in the spool; there is no Rcpt
	//	delivered  to Rcpt; Receipt is what the far side said, if it is known
	//	deferred   Err is temporary; Entry.Due is the next attempt
	//	bounced    Err is lasting; the sender's DSN is on its way
	//	expired    Err is temporary, but it was the last attempt; so is the DSN
	//	dropped    Err is lasting or the last; nobody is told, because nobody may be or wants to
	Kind    string
	Entry   *Entry // as it is now; it must not be kept or changed
	Rcpt    mailparts.Rcpt
	Receipt mailparts.Receipt
	Err     error
}

var (
	_ mailparts.Deliverer = (*Queue)(nil)
	_ mailparts.Receiver  = (*Queue)(nil)
	_ Spool               = (*FileSpool)(nil)
	_ Router              = Routes(nil)
)

func (q *Queue) init() {
	q.once.Do(func() {
		q.wake = make(chan struct{}, 1)
		q.stop = make(chan struct{})
		q.idle = make(chan struct{})
		q.life, q.endLife = context.WithCancel(context.Background())
		q.perDest = map[string]int{}
	})
}

func (q *Queue) logger() *slog.Logger {
	if q.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return q.Logger
}

func (q *Queue) hostname() string {
	if q.Hostname != "" {
		return q.Hostname
	}
	if h, err := os.Hostname(); err == nil {
		return h
	}
	return "localhost"
}

// event logs what happened and tells Event.
func (q *Queue) event(ctx context.Context, ev *Event) {
	attrs := []slog.Attr{slog.String("id", ev.Entry.ID), slog.String("dest", ev.Entry.Dest)}
	if ev.Rcpt.Addr != "" {
		attrs = append(attrs, slog.String("to", string(ev.Rcpt.Addr)))
	}
	if ev.Receipt.Reply != "" {
		attrs = append(attrs, slog.String("host", ev.Receipt.Host), slog.String("reply", ev.Receipt.Reply))
	}
	if ev.Err != nil {
		attrs = append(attrs, slog.Any("err", ev.Err))
	}
	q.logger().LogAttrs(ctx, slog.LevelInfo, ev.Kind, attrs...)
	if q.Event != nil {
		q.Event(ctx, ev)
	}
}
