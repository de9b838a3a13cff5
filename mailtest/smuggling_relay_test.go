package mailtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	netsmtp "net/smtp"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/mailtest"
)

// looseClient sends what write makes of a message.
func looseClient(write func(p *mailtest.Player, msg string) error) func(context.Context, mailtest.DialFunc, string) error {
	return func(ctx context.Context, dial mailtest.DialFunc, msg string) error {
		nc, err := dial(ctx, "tcp", "mx.example.com:25")
		if err != nil {
			return err
		}
		defer nc.Close()
		p := &mailtest.Player{Conn: nc}
		if err := p.Play(ctx, "G: RCPT"); err != nil {
			return err
		}
		return write(p, msg)
	}
}

// byData sends the octets that encode makes of a message.
func byData(encode func(msg string) string) func(context.Context, mailtest.DialFunc, string) error {
	return looseClient(func(p *mailtest.Player, msg string) error {
		if err := p.Play(context.Background(), "G: DATA"); err != nil {
			return err
		}
		io.WriteString(p.Conn, encode(msg)+".\r\n")
		return p.Play(context.Background(), "S: 250 ...")
	})
}

// stuff doubles dots after CRLF, and normalize makes CR and LF alone CRLF.
func stuff(msg string) string { return strings.ReplaceAll("\r\n"+msg, "\r\n.", "\r\n..")[2:] }

func normalize(msg string) string {
	msg = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(msg)
	return strings.ReplaceAll(msg, "\n", "\r\n")
}

// trySend runs the vectors of these names, "" for all, and returns what is wrong by
// name.
func trySend(t *testing.T, send func(context.Context, mailtest.DialFunc, string) error) map[string]string {
	found := map[string]string{}
	for _, v := range mailtest.SmugglingVectors() {
		if v.Begin != "DATA" {
			continue
		}
		if err := v.TrySend(t.Context(), send); err != nil {
			found[v.Name] = err.Error()
		}
	}
	return found
}

func TestSmugglingRelayPassesWhatIsRight(t *testing.T) {
	mailtest.TestSmugglingRelay(t, byData(func(msg string) string { return stuff(normalize(msg)) }))
	refuses := byData(stuff)
	mailtest.TestSmugglingRelay(t, func(ctx context.Context, dial mailtest.DialFunc, msg string) error {
		if normalize(msg) != msg {
			return errors.New("refused")
		}
		return refuses(ctx, dial, msg)
	})
}

func TestSmugglingRelayBites(t *testing.T) {
	for name, test := range map[string]struct {
		send func(context.Context, mailtest.DialFunc, string) error
		want map[string]string
	}{
		"as it is": {byData(func(msg string) string { return msg }),
			map[string]string{"LF.LF": "CR or LF alone", "CR.CR": "CR or LF alone", "CRLF.CRLF": "came as a command", "CRLF..CRLF": "was changed"}},
		"with dots": {byData(stuff),
			map[string]string{"LF.LF": "CR or LF alone", "CR.CR": "CR or LF alone", "CRLF.LF": "CR or LF alone", "CRLF.CR": "CR or LF alone", "LF.CRLF": "CR or LF alone"}},
		"dots first": {byData(func(msg string) string { return normalize(stuff(msg)) }),
			map[string]string{"LF.LF": "came as a command", "CR.CR": "came as a command", "LF.CRLF": "came as a command"}},
		"in chunks as it is": {looseClient(func(p *mailtest.Player, msg string) error {
			fmt.Fprintf(p.Conn, "BDAT %d LAST\r\n%s", len(msg), msg)
			return p.Play(context.Background(), "S: 250 ...")
		}), map[string]string{"LF.LF": "CR or LF alone", "CR.CR": "CR or LF alone"}},
		"the first line": {byData(func(msg string) string { return stuff(normalize(strings.SplitAfter(msg, "\r\n")[0])) }),
			map[string]string{"CRLF..CRLF": "was changed", "LF.LF": "was cut"}},
		"nothing": {func(context.Context, mailtest.DialFunc, string) error { return nil },
			map[string]string{"CRLF..CRLF": "0 messages", "LF.LF": "0 messages"}},
		"never": {func(context.Context, mailtest.DialFunc, string) error { return errors.New("no") },
			map[string]string{"CRLF..CRLF": "a legal message was not sent"}},
		"it says not": {func(ctx context.Context, dial mailtest.DialFunc, msg string) error {
			byData(func(msg string) string { return stuff(normalize(msg)) })(ctx, dial, msg)
			return errors.New("no")
		}, map[string]string{"CRLF..CRLF": "said not to be", "LF.LF": "said not to be"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := trySend(t, test.send)
			for name, want := range test.want {
				if !strings.Contains(found[name], want) {
					t.Errorf("%s: found %q, want %q", name, found[name], want)
				}
			}
		})
	}
}

// The client of net/smtp makes LF alone CRLF, and lets CR alone pass.
func TestSmugglingRelayOfNetSMTP(t *testing.T) {
	found := trySend(t, func(ctx context.Context, dial mailtest.DialFunc, msg string) error {
		nc, err := dial(ctx, "", "")
		if err != nil {
			return err
		}
		c, err := netsmtp.NewClient(nc, "mx.example.com")
		if err != nil {
			return err
		}
		defer c.Close()
		if err := errors.Join(c.Mail("a@example.org"), c.Rcpt("b@example.com")); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		io.WriteString(w, msg)
		return w.Close()
	})
	if found["LF.LF"] != "" || found["CRLF..CRLF"] != "" || !strings.Contains(found["CR.CR"], "CR or LF alone") {
		t.Errorf("LF.LF: %q, CRLF..CRLF: %q, CR.CR: %q", found["LF.LF"], found["CRLF..CRLF"], found["CR.CR"])
	}
}
