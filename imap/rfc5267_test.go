package imap_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// RFC 5267 section 3.3: UIDs that descend are no range (section 3.2). The UIDs are lower.
func TestRFC5267(t *testing.T) {
	r := start(t, nil)
	for day := 1; day <= 6; day++ {
		var flags []mailparts.Flag
		switch day {
		case 2:
			flags = append(flags, "$Junk")
		case 6:
			flags = append(flags, mailparts.FlagDeleted)
		}
		r.put(time.Time{}, fmt.Sprintf("Date: %d Feb 1994 21:52:25 -0800\r\n\r\n", day), flags...)
	}
	r.selecting().play(`
		C: E01 UID SORT RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "E01") UID ALL 5,4,3,1
		S: E01 OK SORT completed
		C: E02 UID SORT RETURN (ALL MIN MAX COUNT) (DATE) UTF-8 UNDELETED UNKEYWORD $Junk
		S: * ESEARCH (TAG "E02") UID MIN 1 MAX 5 ALL 1,3:5 COUNT 4
		S: E02 OK SORT completed
	`)
}
