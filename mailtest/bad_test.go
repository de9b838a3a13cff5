package mailtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/mailtest"
)

// sendLoosely is a client that looks at the first digit of each reply only, and
// does not mind where its line ends. Each reply has a minute.
func sendLoosely(ctx context.Context, dial mailtest.DialFunc) error {
	nc, err := dial(ctx, "", "")
	if err != nil {
		return err
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	for _, line := range []string{"", "HELO x\r\n", "MAIL FROM:<a@example.org>\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n", "hello\r\n.\r\n"} {
		nc.SetDeadline(time.Now().Add(time.Minute))
		io.WriteString(nc, line)
		if reply, _ := r.ReadSlice('\n'); len(reply) == 0 || reply[0] != '2' && reply[0] != '3' {
			return fmt.Errorf("refused with %q", reply)
		}
	}
	return nil
}

// Such a client is found.
func TestBadServersBite(t *testing.T) {
	var found []string
	for _, b := range mailtest.BadServers() {
		synctest.Test(t, func(t *testing.T) {
			if err := sendLoosely(t.Context(), b.Start(t).Dial); (err == nil) != b.Delivered {
				found = append(found, b.Name)
			}
		})
	}
	for _, name := range []string{"endless greeting", "MAIL without end", "end cut off", "end half a reply", "end of data", "end without end"} {
		if !slices.Contains(found, name) {
			t.Errorf("%q is not among those that find it: %q", name, found)
		}
	}
}

// A client that reads lines and replies of any length fails the test, and has an
// error rather than all of the memory: net/smtp is one.
func TestEndlessServersBite(t *testing.T) {
	for _, b := range mailtest.BadServers() {
		if b.Name != "endless line" && b.Name != "EHLO without end" {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeTB{TB: t}
				nc, err := b.Start(fake).Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				counted := &countingConn{Conn: nc}
				c, err := smtp.NewClient(counted, "mx.example.com")
				if err == nil {
					err = c.Hello("client.example.org")
				}
				if err == nil {
					t.Error("the client has a reply")
				}
				if n := counted.n; n < mailtest.MaxFlood || n > mailtest.MaxFlood+64<<10 {
					t.Errorf("%d octets, want %d", n, mailtest.MaxFlood)
				}
				if errs := fake.end(); len(errs) != 1 {
					t.Errorf("errors of the test: %q, want one", errs)
				}
			})
		})
	}
}

// countingConn counts what it reads.
type countingConn struct {
	net.Conn
	n int
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n += n
	return n, err
}

// A server without timeouts and limits is found by the clients that wait and flood.
func TestBadClientsBite(t *testing.T) {
	var forever, taken []string
	for _, b := range mailtest.BadClients() {
		synctest.Test(t, func(t *testing.T) {
			s := new(looseServer)
			kit := s.kit(t)
			ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
			defer cancel()
			switch b.Name {
			case "silent", "idle", "idle in a transaction", "half a command", "half a message", "no chunk", "message without a word", "browser":
			default:
				return // floods would never end here
			}
			nc, err := kit.Dial(ctx)
			if err != nil {
				t.Fatal(err)
			}
			(&mailtest.Player{Conn: nc}).Play(ctx, b.Script)
			nc.Close()
			if ctx.Err() != nil {
				forever = append(forever, b.Name)
			}
			if len(kit.Received()) > b.Taken {
				taken = append(taken, b.Name)
			}
		})
	}
	if want := []string{"silent", "half a command", "idle", "idle in a transaction", "message without a word", "half a message", "no chunk"}; !slices.Equal(forever, want) {
		t.Errorf("%q wait for ever, want %q", forever, want)
	}
	if want := []string{"browser"}; !slices.Equal(taken, want) {
		t.Errorf("too much is taken from %q, want %q", taken, want)
	}
}
