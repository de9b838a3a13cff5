package imap_test

import (
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// every returns a function that says true at each nth call.
func every(n int32) func() bool {
	var calls atomic.Int32
	return func() bool { return calls.Add(1)%n == 0 }
}

// The stress finds what a store does wrong.
func TestStressFindsFaultOfStore(t *testing.T) {
	second, tenth := every(2), every(10)
	for name, fault := range map[string]tampering{
		"an expunge is not told": {vanished: func(_ mailparts.Mailbox, list func() mailparts.UIDSet) mailparts.UIDSet {
			gone := list()
			if len(gone) > 0 && second() {
				return gone[:len(gone)-1]
			}
			return gone
		}},
		"a change is not told": {messages: func(_ *mailparts.Message, q mailparts.Query) bool {
			return q.Since != 0 && tenth()
		}},
		"a change is not made": {setFlags: func(_ mailparts.Mailbox, uids mailparts.UIDSet, _ mailparts.FlagChange) mailparts.UIDSet {
			if second() {
				return nil
			}
			return uids
		}},
		"too much is expunged": {expunge: func(uids mailparts.UIDSet, having mailparts.Flag) (mailparts.UIDSet, mailparts.Flag) {
			return uids, ""
		}},
		"the body is another message's": {body: func(uid mailparts.UID) mailparts.UID {
			if uid > 1 && tenth() {
				return uid - 1
			}
			return uid
		}},
	} {
		t.Run(name, func(t *testing.T) {
			findsFault(t, func(memory *mailtest.Memory) stress {
				return stress{backend: tamperedBackend{memory, &fault}, truth: memory}
			})
		})
	}
}

// findsFault runs the stress until it finds something. A short run by chance may not: which
// sessions meet is not the seed's alone to say.
func findsFault(t *testing.T, of func(memory *mailtest.Memory) stress) {
	t.Helper()
	for seed := *stressSeed; seed < *stressSeed+10; seed++ {
		run := of(new(mailtest.Memory))
		run.seed = seed
		if broken := run.run(t); broken != "" {
			headline, _, _ := strings.Cut(broken, "\n")
			t.Log(headline)
			return
		}
	}
	t.Error("nothing was found")
}

// The stress finds responses that are wrong.
func TestStressFindsFaultOfServer(t *testing.T) {
	fifth := every(5)
	for name, alter := range map[string]func(response string) string{
		"EXISTS that is one too many": replace(` (\d+) EXISTS$`, func(n int) string {
			return " " + strconv.Itoa(n+1) + " EXISTS"
		}),
		"EXPUNGE of the message before": replace(` (\d+) EXPUNGE$`, func(n int) string {
			return " " + strconv.Itoa(max(n-1, 1)) + " EXPUNGE"
		}),
		"no EXPUNGE": replace(` (\d+) EXPUNGE$`, func(n int) string {
			return " OK"
		}),
		"VANISHED with another": replace(`^\* VANISHED (\d+)$`, func(n int) string {
			return "* VANISHED " + strconv.Itoa(n+1)
		}),
		"FETCH of the message after": replace(`^\* (\d+) FETCH `, func(n int) string {
			if fifth() {
				n++
			}
			return "* " + strconv.Itoa(n) + " FETCH "
		}),
		"COPYUID of another": replace(`\[COPYUID (\d+) `, func(n int) string {
			return "[COPYUID " + strconv.Itoa(n) + " 1000000,"
		}),
		"no keyword": func(response string) string { return strings.Replace(response, "k1", "", 1) },
		"MODSEQ that sinks": replace(`MODSEQ \((\d+)\)`, func(n int) string {
			if fifth() {
				n = 1
			}
			return "MODSEQ (" + strconv.Itoa(n) + ")"
		}),
	} {
		t.Run(name, func(t *testing.T) {
			findsFault(t, func(memory *mailtest.Memory) stress {
				return stress{backend: memory, truth: memory, alter: alter}
			})
		})
	}
}

// replace alters the number in what matches.
func replace(pattern string, f func(n int) string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(response string) string {
		m := re.FindStringSubmatchIndex(response)
		if m == nil {
			return response
		}
		n, err := strconv.Atoi(response[m[2]:m[3]])
		if err != nil {
			return response
		}
		return response[:m[0]] + f(n) + response[m[1]:]
	}
}
