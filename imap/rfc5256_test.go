package imap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// RFC 5256, section 3, SORT.
func TestRFC5256Sort(t *testing.T) {
	r := start(t, nil)
	received := map[int]string{2: "A", 84: "re: b", 882: "C (fwd)"}
	for i := 1; i <= 882; i++ {
		at := time.Date(1994, 1, 31, 12, 0, 0, 0, time.UTC)
		if received[i] != "" {
			at = at.AddDate(0, 0, 1)
		}
		r.put(at, "Subject: "+received[i]+"\r\n\r\n")
	}
	r.selecting().play(`
		C: A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994
		S: * SORT 2 84 882
		S: A282 OK SORT completed
	`)
	r = start(t, nil)
	for _, m := range []struct {
		subject string
		day     int
	}{{"c", 5}, {"Re: c", 4}, {"b", 2}, {"[x] B", 1}, {"Fwd: a", 3}} {
		r.fill(fmt.Sprintf("Subject: %s\r\nDate: %d Feb 1994 21:52:25 -0800\r\n\r\n", m.subject, m.day))
	}
	r.selecting().play(`
		C: A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL
		S: * SORT 5 3 4 1 2
		S: A283 OK SORT completed
		C: A284 SORT (SUBJECT) US-ASCII TEXT "not in mailbox"
		S: * SORT
		S: A284 OK SORT completed
	`)
}

// RFC 5256 section 2.2: sent dates are compared in UTC; those that are equal by number.
// What of a date is invalid is UTC, or midnight; what is none is the date of receipt.
func TestRFC5256SentDate(t *testing.T) {
	r := start(t, nil)
	received := time.Date(2001, 1, 1, 0, 1, 32, 0, time.UTC)
	for _, date := range []string{
		"1 Jan 2001 00:01:33 +0000", "31 Dec 2000 16:01:33 -0800", "31 Dec 2000 23:59:59 +0000", "1 Jan 2001 00:01:34 (nowhere)",
		"1 Jan 2001 77:77:77 +0000", "yesterday",
	} {
		r.put(received, "Date: "+date+"\r\n\r\n")
	}
	r.selecting().play(`
		C: a1 SORT (DATE) UTF-8 ALL
		S: * SORT 3 5 6 1 2 4
		S: a1 OK SORT completed
	`)
}

// The examples of RFC 5256 section 3, THREAD.
const (
	orderedSubject = "(166)(167)(168)(169)(172)(170)(171)" +
		"(173)(174 (175)(176)(178)(181)(180))(179)(177" +
		" (183)(182)(188)(184)(185)(186)(187)(189))(190)" +
		"(191)(192)(193)(194 195)(196 (197)(198))(199)" +
		"(200 202)(201)(203)(204)(205)(206 207)(208)"
	references = "(166)(167)(168)(169)(172)((170)(179))" +
		"(171)(173)((174)(175)(176)(178)(181)(180))" +
		"((177)(183)(182)(188 (184)(189))(185 186)(187))" +
		"(190)(191)(192)(193)((194)(195 196))(197 198)" +
		"(199)(200 202)(201)(203)(204)(205 206 207)(208)"
)

// members calls f for each message of a THREAD response, with the one that it is a reply
// to: 0 for none, and below 0 for one that is not there. first is that of its thread.
func members(threads string, f func(n, parent, first int)) {
	at, first, missing := 0, 0, 0
	var above []int
	for i := 0; i < len(threads); i++ {
		switch c := threads[i]; c {
		case ' ':
		case ')':
			at, above = above[len(above)-1], above[:len(above)-1]
		case '(':
			if above = append(above, at); len(above) == 1 {
				first = 0
			}
			if threads[i+1] == '(' {
				missing--
				at = missing
			}
		default:
			n := 0
			for ; '0' <= threads[i] && threads[i] <= '9'; i++ {
				n = 10*n + int(threads[i]-'0')
			}
			i--
			if first == 0 {
				first = n
			}
			f(n, at, first)
			at = n
		}
	}
}

// fillThreads appends messages up to the highest one in threads, with references that make
// these of them. They were sent in the order given; the others are neither in threads nor
// found SINCE 5-Mar-2000. Those of one subject have the same number in subjects.
func (r *rig) fillThreads(threads string, sent []int, subjects map[int]int) {
	r.t.Helper()
	parents, last := map[int]int{}, 0
	members(threads, func(n, parent, _ int) {
		parents[n] = parent
		last = max(last, n)
	})
	day := time.Date(2000, 3, 5, 12, 0, 0, 0, time.UTC)
	for n := 1; n <= last; n++ {
		at, received := slices.Index(sent, n), day
		if at < 0 {
			received = day.AddDate(0, 0, -1)
		}
		subject := n
		if of := subjects[n]; of != 0 {
			subject = of
		}
		head := fmt.Sprintf("Message-ID: <%d@x>\nSubject: about %d\nDate: %s\n", n, subject, day.Add(time.Duration(at)*time.Minute).Format(time.RFC1123Z))
		if parent := parents[n]; parent != 0 {
			head += fmt.Sprintf("References: <%d@x>\n", parent)
		}
		r.put(received, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n")
	}
}

// RFC 5256 section 3, THREAD, with subjects and references that make such threads.
func TestRFC5256Thread(t *testing.T) {
	subjects := map[int]int{}
	var sent []int
	members(orderedSubject, func(n, _, first int) {
		subjects[n] = first
		sent = append(sent, n)
	})
	r := start(t, nil)
	r.fillThreads(references, sent, subjects)
	r.selecting().play(`
		C: A283 THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000
		S: * THREAD ` + orderedSubject + `
		S: A283 OK THREAD completed
		C: A284 THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"
		S: * THREAD
		S: A284 OK THREAD completed
		C: A285 THREAD REFERENCES UTF-8 SINCE 5-MAR-2000
		S: * THREAD ` + references + `
		S: A285 OK THREAD completed
	`)
}

// RFC 5256 section 4, THREAD response.
func TestRFC5256ThreadResponse(t *testing.T) {
	r := start(t, nil)
	r.fillThreads("(2)(3 6 (4 23)(44 7 96))", []int{2, 3, 6, 4, 23, 44, 7, 96}, nil)
	r.selecting().play(`
		C: a1 THREAD REFERENCES UTF-8 SINCE 5-MAR-2000
		S: * THREAD (2)(3 6 (4 23)(44 7 96))
		S: a1 OK THREAD completed
	`)
	r = start(t, nil)
	r.fillThreads("(1 (3)(5))", []int{1, 3, 5}, nil)
	r.selecting().play(`
		C: a2 THREAD REFERENCES UTF-8 3,5
		S: * THREAD ((3)(5))
		S: a2 OK THREAD completed
		C: a3 THREAD REFERENCES UTF-8 1,3,5
		S: * THREAD (1 (3)(5))
		S: a3 OK THREAD completed
	`)
}

// RFC 5256 section 3, THREAD: message IDs that differ in quoting only are the same.
func TestRFC5256MessageID(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: a\r\nMessage-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>\r\n\r\n",
		"Subject: b\r\nMessage-ID: <2@x>\r\nReferences: <01KF8JCEOCBS0045PS@xxx.yyy.com>\r\n\r\n",
		"Subject: c\r\nIn-Reply-To: your mail <\"2\"@x> <3@x>\r\n\r\n")
	r.selecting().play(`
		C: a1 THREAD REFERENCES UTF-8 ALL
		S: * THREAD (1 2 3)
		S: a1 OK THREAD completed
	`)
}
