package interop_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// marionette is a connection to a program of Mozilla's that is driven by its Marionette
// protocol: JSON arrays, each after its length and a colon, over TCP.
type marionette struct {
	testing.TB
	conn   net.Conn
	r      *bufio.Reader
	number int
}

// marionettePatience is how long such a program may take, which is slow to start on a busy
// machine.
const marionettePatience = 3 * patience

// dialMarionette opens a session in which scripts have the program's own rights.
func dialMarionette(t testing.TB, addr string) *marionette {
	t.Helper()
	m := &marionette{TB: t}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(marionettePatience); ; <-tick.C {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			m.conn = conn
			break
		}
		if time.Now().After(late) {
			t.Fatalf("waiting for marionette: %v", err)
		}
	}
	t.Cleanup(func() { m.conn.Close() })
	m.r = bufio.NewReader(m.conn)
	if _, err := m.receive(); err != nil { // its greeting
		t.Fatalf("marionette's greeting: %v", err)
	}
	m.command("WebDriver:NewSession", map[string]any{})
	m.command("Marionette:SetContext", map[string]any{"value": "chrome"})
	m.command("WebDriver:SetTimeouts", map[string]any{"script": marionettePatience.Milliseconds()})
	return m
}

// of is the same session for a subtest.
func (m *marionette) of(t testing.TB) *marionette {
	other := *m
	other.TB = t
	return &other
}

// command sends one and returns its result. An error of the program fails the test.
func (m *marionette) command(name string, params map[string]any) json.RawMessage {
	m.Helper()
	m.number++
	request, err := json.Marshal([]any{0, m.number, name, params})
	if err != nil {
		m.Fatal(err)
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(request), request); err != nil {
		m.Fatalf("%s: %v", name, err)
	}
	b, err := m.receive()
	if err != nil {
		m.Fatalf("%s: %v", name, err)
	}
	var kind, number int
	var problem *struct{ Error, Message, Stacktrace string }
	var result json.RawMessage
	if err := json.Unmarshal(b, &[]any{&kind, &number, &problem, &result}); err != nil || number != m.number {
		m.Fatalf("%s: command %d was answered with %s (%v)", name, m.number, b, err)
	}
	if problem != nil {
		m.Fatalf("%s: %s: %s\n%s", name, problem.Error, problem.Message, problem.Stacktrace)
	}
	return result
}

// receive reads what the program says next. A script has a shorter time.
func (m *marionette) receive() ([]byte, error) {
	m.conn.SetReadDeadline(time.Now().Add(marionettePatience + patience))
	length, err := m.r.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil || n < 0 || n > 1<<24 {
		return nil, fmt.Errorf("a length of %q", length)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(m.r, b)
	return b, err
}

// script runs the body of an async function in the program and decodes what it returns
// into result, if that is not nil. What it throws fails the test.
func (m *marionette) script(result any, body string, args ...any) {
	m.Helper()
	if args == nil {
		args = []any{}
	}
	b := m.command("WebDriver:ExecuteScript", map[string]any{
		"script": "return (async (...args) => {" + body + "})(...arguments)", "args": args, "newSandbox": false, "sandbox": "system",
	})
	var answer struct{ Value json.RawMessage }
	err := json.Unmarshal(b, &answer)
	if err == nil && result != nil {
		err = json.Unmarshal(answer.Value, result)
	}
	if err != nil {
		m.Fatalf("a script returned %s: %v", b, err)
	}
}
