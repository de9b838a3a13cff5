package interop_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailparts/mailparts"
)

// storedMessage is what two servers of one mailbox must agree on.
type storedMessage struct {
	UID   uint32
	Flags string // sorted, without \Recent
	Date  int64
	Body  string
}

// storeView is one mailbox as a server shows it.
type storeView struct {
	UIDValidity uint32
	Messages    []storedMessage
}

// other is v without the messages that w has too.
func (v storeView) other(w storeView) storeView {
	v.Messages = slices.DeleteFunc(slices.Clone(v.Messages), func(m storedMessage) bool { return slices.Contains(w.Messages, m) })
	return v
}

// imapStore is a mail store behind an IMAP server of others.
type imapStore struct {
	testing.TB
	client *imapclient.Client
	prefix string // of all names but INBOX
	slash  bool   // it has "/" between the parts of a name, not "."
}

func newIMAPStore(t testing.TB, addr, user, password string) *imapStore {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &imapStore{TB: t, client: imapclient.New(nc, nil)}
	t.Cleanup(func() { s.client.Close() })
	s.must("LOGIN", s.client.Login(user, password).Wait())
	return s
}

// serverName is how the server writes a mailbox's name.
func (s *imapStore) serverName(name string) string {
	if name == "INBOX" {
		return name
	}
	if !s.slash {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return s.prefix + name
}

func (s *imapStore) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// open selects a mailbox anew, so that all is looked at.
func (s *imapStore) open(name string) *goimap.SelectData {
	s.Helper()
	data, err := s.client.Select(s.serverName(name), nil).Wait()
	s.must("SELECT", err)
	return data
}

func (s *imapStore) view(name string) (v storeView) {
	s.Helper()
	v.UIDValidity = s.open(name).UIDValidity
	msgs, err := s.client.Fetch(goimap.UIDSet{{Start: 1, Stop: 0}}, &goimap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, BodySection: []*goimap.FetchItemBodySection{{Peek: true}},
	}).Collect()
	s.must("FETCH", err)
	for _, m := range msgs {
		var flags []string
		for _, f := range m.Flags {
			if !strings.EqualFold(string(f), `\Recent`) {
				flags = append(flags, string(f))
			}
		}
		slices.Sort(flags)
		v.Messages = append(v.Messages, storedMessage{uint32(m.UID), strings.Join(flags, " "), m.InternalDate.Unix(), string(m.BodySection[0].Bytes)})
	}
	return v
}

func (s *imapStore) append(name, body string, date time.Time, flags []mailparts.Flag) {
	s.Helper()
	c := s.client.Append(s.serverName(name), int64(len(body)), &goimap.AppendOptions{Flags: imapFlags(flags), Time: date})
	_, err := c.Write([]byte(body))
	s.must("APPEND", err)
	s.must("APPEND", c.Close())
	_, err = c.Wait()
	s.must("APPEND", err)
}

func imapFlags(flags []mailparts.Flag) (out []goimap.Flag) {
	for _, f := range flags {
		out = append(out, goimap.Flag(f))
	}
	return out
}

func (s *imapStore) flag(name string, uid uint32, op mailparts.FlagOp, flags []mailparts.Flag) {
	s.Helper()
	s.open(name)
	ops := [...]goimap.StoreFlagsOp{goimap.StoreFlagsAdd, goimap.StoreFlagsDel, goimap.StoreFlagsSet}
	s.must("STORE", s.client.Store(goimap.UIDSetNum(goimap.UID(uid)), &goimap.StoreFlags{Op: ops[op], Flags: imapFlags(flags), Silent: true}, nil).Close())
}

func (s *imapStore) expunge(name string, uid uint32) {
	s.Helper()
	s.flag(name, uid, mailparts.AddFlags, []mailparts.Flag{mailparts.FlagDeleted})
	if s.client.Caps().Has(goimap.CapUIDPlus) {
		s.must("UID EXPUNGE", s.client.UIDExpunge(goimap.UIDSetNum(goimap.UID(uid))).Close())
	} else {
		s.must("EXPUNGE", s.client.Expunge().Close())
	}
}

func (s *imapStore) copy(name string, uid uint32, to string) {
	s.Helper()
	s.open(name)
	_, err := s.client.Copy(goimap.UIDSetNum(goimap.UID(uid)), s.serverName(to)).Wait()
	s.must("COPY", err)
}

// ourStore is the same by a Backend of ours. Each call opens the mailbox anew, in a
// Backend of its own if fresh says so, and then hands all files over to the others'
// user.
type ourStore struct {
	testing.TB
	backend  func() mailparts.Backend
	handOver func()
}

func (s *ourStore) mailbox(name string) mailparts.Mailbox {
	s.Helper()
	store, err := s.backend().Open(s.Context(), "alice")
	s.must("Open", err)
	mb, err := store.Mailbox(s.Context(), name)
	s.must("Mailbox", err)
	return mb
}

func (s *ourStore) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("our %s: %v", what, err)
	}
}

func (s *ourStore) view(name string) (v storeView) {
	s.Helper()
	defer s.handOver()
	mb := s.mailbox(name)
	st, err := mb.Status(s.Context())
	s.must("Status", err)
	v.UIDValidity = st.UIDValidity
	for m, err := range mb.Messages(s.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantDates | mailparts.WantSize}) {
		s.must("Messages", err)
		var flags []string
		for _, f := range m.Flags {
			flags = append(flags, string(f))
		}
		slices.Sort(flags)
		body := bodyOf(s, mb, m)
		v.Messages = append(v.Messages, storedMessage{uint32(m.UID), strings.Join(flags, " "), m.Received.Unix(), body})
	}
	return v
}

func bodyOf(t testing.TB, mb mailparts.Mailbox, m mailparts.Message) string {
	t.Helper()
	r, err := mb.Body(t.Context(), m.UID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, r); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != m.Size {
		t.Errorf("UID %d has %d octets, and its Size is %d", m.UID, b.Len(), m.Size)
	}
	return b.String()
}

func (s *ourStore) append(name, body string, date time.Time, flags []mailparts.Flag) {
	s.Helper()
	defer s.handOver()
	_, err := mailparts.Append(s.Context(), s.mailbox(name), mailparts.Incoming{Body: strings.NewReader(body), Received: date, Flags: flags})
	s.must("Append", err)
}

func (s *ourStore) flag(name string, uid uint32, op mailparts.FlagOp, flags []mailparts.Flag) {
	s.Helper()
	defer s.handOver()
	_, _, err := s.mailbox(name).SetFlags(s.Context(), oneUID(uid), mailparts.FlagChange{Op: op, Flags: flags})
	s.must("SetFlags", err)
}

func oneUID(uid uint32) mailparts.UIDSet {
	return mailparts.UIDSet{{First: mailparts.UID(uid), Last: mailparts.UID(uid)}}
}

func (s *ourStore) expunge(name string, uid uint32) {
	s.Helper()
	defer s.handOver()
	s.must("Expunge", s.mailbox(name).Expunge(s.Context(), oneUID(uid), ""))
}

func (s *ourStore) copy(name string, uid uint32, to string) {
	s.Helper()
	defer s.handOver()
	backend := s.backend()
	store, err := backend.Open(s.Context(), "alice")
	s.must("Open", err)
	src, err := store.Mailbox(s.Context(), name)
	s.must("Mailbox", err)
	dst, err := store.Mailbox(s.Context(), to)
	s.must("Mailbox", err)
	_, err = mailparts.Copy(s.Context(), src, oneUID(uid), dst)
	s.must("Copy", err)
}

// anyStore is either of the two.
type anyStore interface {
	view(name string) storeView
	append(name, body string, date time.Time, flags []mailparts.Flag)
	flag(name string, uid uint32, op mailparts.FlagOp, flags []mailparts.Flag)
	expunge(name string, uid uint32)
	copy(name string, uid uint32, to string)
}

// takeTurns makes random changes through one store and the other, and compares what
// both show after each.
func takeTurns(t testing.TB, ours, theirs anyStore, mailboxes []string, rounds int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	all := []mailparts.Flag{`\Seen`, `\Answered`, `\Flagged`, `\Draft`, "$Forwarded", "Work", "NonJunk"}
	for round := range rounds {
		name := mailboxes[random.IntN(len(mailboxes))]
		actor, who := ours, "we"
		if random.IntN(2) == 0 {
			actor, who = theirs, "they"
		}
		var flags []mailparts.Flag
		for _, f := range all {
			if random.IntN(4) == 0 {
				flags = append(flags, f)
			}
		}
		before := ours.view(name)
		what := fmt.Sprintf("%s append to %s with %v", who, name, flags)
		if op := random.IntN(6); op < 2 || len(before.Messages) == 0 {
			date := time.Date(2020, 1, 1+round, 2, 3, 4, 0, time.UTC)
			actor.append(name, fmt.Sprintf("Subject: %d\r\n\r\nFrom here\r\n%s\r\n", round, strings.Repeat("line\r\n", random.IntN(50))), date, flags)
		} else {
			uid := before.Messages[random.IntN(len(before.Messages))].UID
			switch op {
			case 2, 3:
				change := mailparts.FlagOp(random.IntN(3))
				what = fmt.Sprintf("%s change flags of UID %d in %s: %d %v", who, uid, name, change, flags)
				actor.flag(name, uid, change, flags)
			case 4:
				what = fmt.Sprintf("%s expunge UID %d of %s", who, uid, name)
				actor.expunge(name, uid)
			case 5:
				to := mailboxes[random.IntN(len(mailboxes))]
				what = fmt.Sprintf("%s copy UID %d of %s to %s", who, uid, name, to)
				actor.copy(name, uid, to)
			}
		}
		for _, name := range mailboxes {
			first, second := ours, theirs
			if round%2 == 0 {
				first, second = theirs, ours
			}
			a, b := first.view(name), second.view(name)
			if a.UIDValidity != b.UIDValidity || !slices.Equal(a.Messages, b.Messages) {
				t.Fatalf("seed %d, round %d: %s; then of %s (ours first: %v)\n%+v\n%+v", seed, round, what, name, round%2 != 0, a.other(b), b.other(a))
			}
		}
	}
}
