package imap

import "time"

// stillSearching is how often a client hears of a search that takes long.
const stillSearching = 10 * time.Second

// goesOn tells the client now and then that the search goes on, lest client and middleboxes
// give up; and that finds out whether it has. A client that has only nothing more to send
// gets its answer.
func (q *query) goesOn() error {
	if q.answers {
		return nil
	}
	now := time.Now()
	if q.told.IsZero() {
		q.told = q.now
	}
	if now.Sub(q.told) < stillSearching {
		return nil
	}
	q.told = now
	q.out.Print("* OK Still searching\r\n")
	if err := q.out.Flush(); err != nil {
		return &lostConnection{err}
	}
	return nil
}
