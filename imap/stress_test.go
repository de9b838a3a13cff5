package imap_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/mbox"
)

var (
	stressTime = flag.Duration("stress", 0, "how long TestStress runs in each store; 0: until each session has run a few commands")
	stressSeed = flag.Uint64("stressseed", 1, "of the random commands of TestStress")
)

// Twenty sessions at once run random commands. What each is told obeys the laws of the
// protocol, and in the end all agree.
func TestStress(t *testing.T) {
	for name, backend := range map[string]func(*testing.T) mailparts.Backend{
		"memory":  func(*testing.T) mailparts.Backend { return new(mailtest.Memory) },
		"maildir": func(t *testing.T) mailparts.Backend { return &maildir.Backend{Root: t.TempDir()} },
		"mbox":    func(t *testing.T) mailparts.Backend { return &mbox.Backend{Root: t.TempDir()} },
	} {
		t.Run(name, func(t *testing.T) {
			b := backend(t)
			run := stress{backend: b, truth: b, seed: *stressSeed, long: *stressTime}
			if broken := run.run(t); broken != "" {
				t.Errorf("seed %d: %s", *stressSeed, broken)
			}
		})
	}
}

const stressSessions = 20

// other is the mailbox that copies go to.
func other(box string) string {
	if box == "INBOX" {
		return "Other"
	}
	return "INBOX"
}

// stress is sessions of random commands.
type stress struct {
	backend mailparts.Backend            // what is served
	truth   mailparts.Backend            // of what is in its mailboxes
	alter   func(response string) string // what clients are told instead; nil: the same
	seed    uint64
	long    time.Duration // 0: until each session has run a few commands
}

// run returns the first law that was broken.
func (st stress) run(t *testing.T) string {
	store, err := st.truth.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.(mailparts.Manager).Create(t.Context(), "Other"); err != nil {
		t.Fatal(err)
	}
	r := start(t, func(s *imap.Server) { s.Backend = st.backend })
	j := &judge{TB: t}
	g := newLedger()
	end := time.Now().Add(st.long)
	sessions := make([]*witness, stressSessions)
	inParallel(sessions, func(i int) {
		w := r.witness(j, g, i, st.alter)
		sessions[i] = w
		rng := rand.New(rand.NewPCG(st.seed, uint64(i)))
		w.reselect([]string{"INBOX", "Other"}[i%2])
		for n := 0; (n < 30 || time.Now().Before(end)) && j.verdict() == ""; n++ {
			w.step(rng)
			w.ask()
		}
	})
	for _, box := range []string{"INBOX", "Other"} {
		var there map[uint32]string
		if j.verdict() == "" {
			there = contents(t, store, box)
		}
		inParallel(sessions, func(i int) {
			if w := sessions[i]; j.verdict() == "" && w.box == box {
				w.run("NOOP")
				w.ask()
				w.agrees(there)
			}
		})
		inParallel(sessions[:1], func(int) {
			if j.verdict() == "" {
				g.agree(j, box, there)
				w := r.witness(j, g, stressSessions, st.alter)
				w.reselect(box)
				w.agrees(there)
			}
		})
	}
	return j.verdict()
}

func inParallel(sessions []*witness, f func(i int)) {
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// contents is what is in a mailbox: the flags of each message.
func contents(t *testing.T, store mailparts.Store, box string) map[uint32]string {
	mb, err := store.Mailbox(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	there := map[uint32]string{}
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		var flags []string
		for _, f := range m.Flags {
			flags = append(flags, string(f))
		}
		there[uint32(m.UID)] = plainFlags(strings.Join(flags, " "))
	}
	return there
}

// agrees compares the view with the truth, when nothing happens.
func (w *witness) agrees(there map[uint32]string) {
	if len(w.view) != len(there) {
		w.fail("%d messages are known, and %d there", len(w.view), len(there))
	}
	for i, s := range w.view {
		if flags, ok := there[s.uid]; !ok || flags != s.flags {
			w.fail("message %d, UID %d, is known with flags %q, and has %q (it is there: %t)", i+1, s.uid, s.flags, flags, ok)
		}
	}
}

// witness logs in: every third without extensions, every third with CONDSTORE, every third
// with QRESYNC.
func (r *rig) witness(j *judge, g *ledger, i int, alter func(string) string) *witness {
	nc, err := r.l.Dial(context.Background(), "", "")
	if err != nil {
		j.Fatal(err)
	}
	j.TB.Cleanup(func() { nc.Close() })
	w := &witness{client: &client{Conn: nc, t: j, r: bufio.NewReader(nc)}, name: fmt.Sprint("session ", i), ledger: g, alter: alter}
	w.SetDeadline(time.Now().Add(time.Minute))
	w.response()
	w.run(`LOGIN alice "open sesame"`)
	switch i % 3 {
	case 1:
		w.run("ENABLE CONDSTORE")
	case 2:
		w.run("ENABLE QRESYNC")
		w.qresync = true
	}
	return w
}

// reselect selects a mailbox of which the client has kept nothing.
func (w *witness) reselect(box string) {
	w.box, w.view, w.highest = box, nil, 0
	w.selects("SELECT " + box)
	w.ask()
}

// selects runs SELECT, and notes what it says of the mailbox.
func (w *witness) selects(command string) {
	w.n++
	tag := "t" + fmt.Sprint(w.n)
	w.send(tag + " " + command)
	var was []slot
	was, w.view = w.view, nil
	resumed := false
	resume := func() {
		if !resumed {
			w.resume(was)
		}
		resumed = true
	}
	for {
		l := w.response()
		earlier, ok := strings.CutPrefix(l, "* VANISHED (EARLIER) ")
		switch m, v := codeMod.FindStringSubmatch(l), codeValid.FindStringSubmatch(l); {
		case strings.HasPrefix(l, tag+" OK"):
			w.note("S: " + l)
			resume()
			return
		case strings.HasPrefix(l, tag):
			w.fail("%s: %s", command, l)
		case ok:
			w.note("S: " + l)
			gone := numbers(earlier)
			was = slices.DeleteFunc(was, func(s slot) bool { return slices.Contains(gone, s.uid) })
		case m != nil:
			fmt.Sscan(m[1], &w.highest)
		case v != nil:
			w.validity = v[1]
		case strings.HasPrefix(l, "* VANISHED "): // after what the client has missed
			resume()
			fallthrough
		default:
			w.learn(command, l)
		}
	}
}

// resume puts what the client has kept, and what SELECT told of it, together.
func (w *witness) resume(was []slot) {
	was = slices.DeleteFunc(was, func(s slot) bool { return s.uid == 0 })
	if len(was) > len(w.view) {
		w.fail("of %d messages %d are there, and it was not told which", len(was), len(w.view))
	}
	for i, s := range was {
		if told := w.view[i]; told.uid == 0 {
			w.view[i] = s
		} else if told.uid != s.uid {
			w.fail("message %d is UID %d, where %d is left", i+1, told.uid, s.uid)
		}
	}
	w.ascending()
}

// reopen leaves the mailbox and selects it again with QRESYNC.
func (w *witness) reopen() {
	w.run("UNSELECT")
	w.selects(fmt.Sprintf("SELECT %s (QRESYNC (%s %d))", w.box, w.validity, w.highest))
	// All is told but what went meanwhile. To ask for all of it checks it.
	for i := range w.view {
		w.view[i].asked = w.view[i].flags != "" || i%2 == 0 && w.view[i].uid != 0
	}
	if n := len(w.view); n > 0 {
		w.run(fmt.Sprintf("FETCH 1:%d UID", n))
	}
}
