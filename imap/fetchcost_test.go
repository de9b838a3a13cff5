package imap_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap"
)

// What a list of messages is made of costs the store one reading of each message, once.
func TestFetchCost(t *testing.T) {
	backend := new(costlyBackend)
	r := start(t, func(s *imap.Server) { s.Backend = backend })
	r.put(time.Time{}, "Subject: small\r\nX-Y: z\r\n\r\nbody\r\n")
	r.put(time.Time{}, "Subject: large\r\n\r\n"+strings.Repeat("body\r\n", 20_000))
	c := r.selecting()
	for _, test := range []struct {
		items  string
		bodies int
	}{
		{"BODY.PEEK[HEADER.FIELDS (SUBJECT LIST-ID)]", 2}, // what is derived of the large one would cost too much
		{"BODY.PEEK[HEADER.FIELDS (SUBJECT LIST-ID)]", 1},
		{"ENVELOPE", 1},
		{"(ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (subject x-priority)])", 0},
		{"BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.7>", 0},
		{"BODY.PEEK[HEADER.FIELDS (SUBJECT X-Y)]", 2},
		{"BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]", 2},
		{"BODY.PEEK[HEADER]", 2},
	} {
		backend.box.bodies.Store(0)
		c.do("FETCH 1:* " + test.items)
		if got := int(backend.box.bodies.Load()); got != test.bodies {
			t.Errorf("FETCH %s reads %d messages, want %d", test.items, got, test.bodies)
		}
	}
}
