package gosmtp

import (
	"sync"

	"github.com/mailparts/mailparts"
)

// collector is a gosmtp.StatusCollector. A recipient may have been given more
// than once, and gets a status as often, in their order.
type collector struct {
	mu   sync.Mutex
	todo map[string][]int // indexes of a recipient without a status
	errs mailparts.RcptErrors
}

func newCollector(given []string) *collector {
	c := &collector{todo: map[string][]int{}, errs: make(mailparts.RcptErrors, len(given))}
	for i, to := range given {
		c.todo[to] = append(c.todo[to], i)
	}
	return c
}

// SetStatus implements gosmtp.StatusCollector. It panics where go-smtp's does.
func (c *collector) SetStatus(to string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	indexes := c.todo[to]
	if len(indexes) == 0 {
		panic("SetStatus for a recipient that was not given, or has all its statuses: " + to)
	}
	c.errs[indexes[0]] = convertError(err)
	c.todo[to] = indexes[1:]
}

// results are the statuses that were set, and err for those who got none.
func (c *collector) results(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, indexes := range c.todo {
		for _, i := range indexes {
			c.errs[i] = convertError(err)
		}
	}
	return c.errs
}
