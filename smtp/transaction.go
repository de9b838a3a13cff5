package smtp

import (
	"sync"

	"github.com/mailparts/mailparts"
)

// transaction is a mail transaction from MAIL to its end, which is reset.
type transaction struct {
	mailparts.Transaction
	env      *mailparts.Envelope
	given    []mailparts.Address // what RCPT was accepted for; a filter may change env.To
	receipts receipts
}

// receipts is what Deliverers report, maybe from goroutines of their own.
type receipts struct {
	mu   sync.Mutex
	said map[mailparts.Address]string
}

func (r *receipts) add(to mailparts.Rcpt, receipt mailparts.Receipt) {
	text := receipt.Reply
	if receipt.Host != "" {
		text = receipt.Host + " said: " + text
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == nil {
		r.said = map[mailparts.Address]string{}
	}
	r.said[to.Addr] = text
}

// of is what was said to a recipient.
func (r *receipts) of(to mailparts.Address) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said[to]
}
