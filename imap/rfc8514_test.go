package imap_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// RFC 8514 sections 4.2 and 4.3: the day on which a message came into this mailbox, by
// COPY too, whenever it was received.
func TestRFC8514(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil) // at midnight of 1 January 2000
		received := time.Date(2014, 12, 28, 18, 50, 53, 0, time.FixedZone("", 3600))
		r.put(received, "Subject: 1\r\n\r\n")
		time.Sleep(24 * time.Hour)
		r.put(received, "Subject: 2\r\n\r\n")
		time.Sleep(24 * time.Hour)
		c := r.selecting()
		c.do("COPY 1 INBOX")
		c.play(`
			C: A101 FETCH 1:3 (SAVEDATE INTERNALDATE)
			S: * 1 FETCH (SAVEDATE " 1-Jan-2000 00:00:00 +0000" INTERNALDATE "28-Dec-2014 18:50:53 +0100")
			S: * 2 FETCH (SAVEDATE " 2-Jan-2000 00:00:00 +0000" INTERNALDATE "28-Dec-2014 18:50:53 +0100")
			S: * 3 FETCH (SAVEDATE " 3-Jan-2000 00:00:00 +0000" INTERNALDATE "28-Dec-2014 18:50:53 +0100")
			S: A101 OK FETCH completed
			C: A102 SEARCH SAVEDON 2-Jan-2000
			S: * SEARCH 2
			S: A102 OK SEARCH completed
			C: A103 SEARCH SAVEDSINCE 2-Jan-2000
			S: * SEARCH 2 3
			S: A103 OK SEARCH completed
			C: A104 SEARCH SAVEDBEFORE 2-Jan-2000
			S: * SEARCH 1
			S: A104 OK SEARCH completed
			C: A105 SEARCH SAVEDATESUPPORTED
			S: * SEARCH 1 2 3
			S: A105 OK SEARCH completed
		`)
		r.Close()
	})
}
