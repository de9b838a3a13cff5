package imap_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
)

// RFC 7889 sections 2, 3.1, 3.2 and 4.
func TestRFC7889(t *testing.T) {
	for _, test := range []struct {
		limit             int64
		capability, value string
	}{
		{257890, "APPENDLIMIT=257890", "257890"},
		{-1, "APPENDLIMIT", "NIL"},
		{1 << 40, "APPENDLIMIT=4294967295", "4294967295"}, // the highest that can be told
	} {
		c := start(t, func(s *imap.Server) { s.MaxMessageSize = test.limit }).login()
		if got := c.do("CAPABILITY")[0]; !slices.Contains(strings.Fields(got), test.capability) {
			t.Errorf("%s is not offered: %s", test.capability, got)
		}
		c.play(`
			C: t1 STATUS INBOX (APPENDLIMIT)
			S: * STATUS INBOX (APPENDLIMIT ` + test.value + `)
			S: t1 OK STATUS completed
			C: t1 LIST "" % RETURN (STATUS (APPENDLIMIT))
			S: * LIST () "/" INBOX
			S: * STATUS INBOX (APPENDLIMIT ` + test.value + `)
			S: t1 OK LIST completed
		`)
		if test.limit == 257890 {
			c.play(`
				C: t2 APPEND INBOX {257891}
				S: t2 NO [TOOBIG] The message is too large
			`)
		}
	}
}
