package imap_test

import (
	"fmt"
	"testing"
)

// BenchmarkList is LIST of 10,000 mailboxes, and of one among them.
func BenchmarkList(b *testing.B) {
	r := start(b, nil)
	for i := range 10000 {
		r.mailboxes(fmt.Sprintf("folder %d/sub/%d", i%100, i))
	}
	c := r.login()
	for _, command := range []string{
		`LIST "" *`,
		`LIST "" %`,
		`LIST "" "folder 7/sub/7"`,
		`LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (CHILDREN)`,
		`LIST "" * RETURN (STATUS (MESSAGES UIDNEXT UNSEEN SIZE))`,
	} {
		b.Run(command, func(b *testing.B) {
			c.t = b
			for b.Loop() {
				c.do(command)
			}
		})
	}
}
