package interop_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/queue"
)

var kills = flag.Int("kills", 8, "how often TestKill kills the mail server")

// The mail server is killed at random moments under load, again and again on the
// same data. Every message that was answered 250 is in the queue or in the store
// afterwards, whole, and nothing on disk is broken.
func TestKill(t *testing.T) {
	data := folder(t)
	acked := map[string]int{} // body by its name, as its length
	for range *kills {
		s := startMailserverIn(t, data)
		load := startLoad(s.addrs["smtp"], s.addrs["lmtp"])
		// Somewhere between the first message and a few hundred.
		for range rand.IntN(200) {
			<-load.progress
		}
		time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond) // and anywhere between two: a random moment, not a wait
		s.kill()
		for name, size := range load.wait() {
			acked[name] = size
		}
		for line := range strings.Lines(s.log.String()) {
			if strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
				t.Errorf("after a kill, the server says: %s", line)
			}
		}
	}
	s := startMailserverIn(t, data) // recovery runs once more, and stops in peace
	s.stop()

	found := map[string]int{}
	readStore(t, filepath.Join(data, "mail"), found)
	readSpool(t, filepath.Join(data, "spool"), found)
	lost := 0
	for name, size := range acked {
		if found[name] != size {
			if lost++; lost < 10 {
				t.Errorf("message %s of %d octets was answered 250, and %d of them are there", name, size, found[name])
			}
		}
	}
	// What a kill may leave is the torn end of a write, and a content without its record.
	bad, _ := filepath.Glob(filepath.Join(data, "spool", "bad", "*.log.*"))
	for _, name := range bad {
		if !strings.HasSuffix(name, ".torn") {
			t.Errorf("the spool has set aside %q as broken", name)
		}
	}
	t.Logf("%d kills, %d messages answered 250, %d lost", *kills, len(acked), lost)
	if len(acked) == 0 {
		t.Error("no message was answered 250: this test has shown nothing")
	}
}

// load is several senders at once, over SMTP into the queue and over LMTP into
// the store, until their server dies.
type load struct {
	progress chan struct{}
	group    sync.WaitGroup
	mu       sync.Mutex
	acked    map[string]int
}

func startLoad(smtp, lmtp string) *load {
	l := &load{progress: make(chan struct{}, 1<<16), acked: map[string]int{}}
	for i := range 8 {
		hello, addr := "EHLO", smtp
		if i%4 == 3 {
			hello, addr = "LHLO", lmtp
		}
		l.group.Go(func() { l.send(addr, hello) })
	}
	go func() {
		l.group.Wait()
		close(l.progress) // a server that dies by itself must not keep the test waiting
	}()
	return l
}

func (l *load) wait() map[string]int {
	l.group.Wait()
	return l.acked
}

// send sends messages until the connection breaks.
func (l *load) send(addr, hello string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer c.Close()
	r := bufio.NewReader(c)
	ask := func(command, want string) bool {
		if _, err := io.WriteString(c, command); err != nil {
			return false
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil || !strings.HasPrefix(line, want) {
				return false
			}
			if line[3] == ' ' {
				return true
			}
		}
	}
	if !ask("", "220") || !ask(hello+" client.example\r\n", "250") {
		return
	}
	for {
		name := fmt.Sprintf("%016x", rand.Uint64())
		body := letterOf(name, rand.IntN(16<<10))
		if rand.IntN(50) == 0 {
			body = letterOf(name, 300<<10) // too big for the queue's log
		}
		if !ask("MAIL FROM:<a@example.net>\r\n", "250") || !ask("RCPT TO:<alice@example.test>\r\n", "250") ||
			!ask("DATA\r\n", "354") || !ask(body+".\r\n", "250") {
			return
		}
		l.mu.Lock()
		l.acked[name] = len(body)
		l.mu.Unlock()
		l.progress <- struct{}{}
	}
}

// letterOf is a message that names itself first and last, so that one cut short
// is seen, and whose length is known.
func letterOf(name string, size int) string {
	const line = "the quick brown fox jumps over the lazy dog, and so on, until it is far away\r\n"
	return "X-Name: " + name + "\r\n\r\n" + strings.Repeat(line, size/len(line)) + "end of " + name + "\r\n"
}

// read adds a message as found, if it is whole.
func read(found map[string]int, msg io.Reader) error {
	b, err := io.ReadAll(msg)
	if err != nil {
		return err
	}
	_, own, ok := bytes.Cut(b, []byte("X-Name: "))
	name, _, _ := bytes.Cut(own, []byte("\r\n"))
	if !ok || !bytes.HasSuffix(b, []byte("end of "+string(name)+"\r\n")) {
		return fmt.Errorf("a message of %d octets is not whole", len(b))
	}
	found[string(name)] = len("X-Name: ") + len(own)
	return nil
}

func readStore(t *testing.T, root string, found map[string]int) {
	t.Helper()
	store, err := (&maildir.Backend{Root: root}).Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	inbox, err := store.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	for m, err := range inbox.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		body, err := inbox.Body(t.Context(), m.UID)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(read(found, body), body.Close()); err != nil {
			t.Errorf("UID %d: %v", m.UID, err)
		}
	}
}

func readSpool(t *testing.T, dir string, found map[string]int) {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	spool, err := queue.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	for e, err := range spool.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e, err = spool.Lease(t.Context(), e.ID); err != nil {
			t.Fatal(err)
		}
		body, err := spool.Open(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(read(found, body), body.Close()); err != nil {
			t.Errorf("queue entry %s: %v", e.ID, err)
		}
	}
}
