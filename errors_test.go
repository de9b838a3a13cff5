package mailparts_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

func TestAsError(t *testing.T) {
	own := &mailparts.Error{Code: 550, Status: "5.1.1", Message: "no such user"}
	for what, err := range map[string]error{
		"itself":       own,
		"wrapped":      fmt.Errorf("deliver: %w", own),
		"joined":       errors.Join(io.EOF, own),
		"as its cause": fmt.Errorf("a: %w", fmt.Errorf("b: %w", own)),
	} {
		if got := mailparts.AsError(err); got != own {
			t.Errorf("%s: AsError gives %v, want %v", what, got, own)
		}
	}
	if got := mailparts.AsError(nil); got != nil {
		t.Errorf("AsError(nil) = %v, want nil", got)
	}
}

// TestAsErrorTellsNothing: the peer hears no word of an error that was not made
// for it.
func TestAsErrorTellsNothing(t *testing.T) {
	secret := errors.New("open /var/secret: password hunter2 refused")
	e := mailparts.AsError(secret)
	if !e.Temporary() || e.Code != 451 || e.EnhancedStatus() != "4.3.0" {
		t.Errorf("an unknown error is %d %s, want the temporary 451 4.3.0", e.Code, e.EnhancedStatus())
	}
	if strings.Contains(e.Message, "secret") || strings.Contains(e.Message, "hunter2") {
		t.Errorf("the message to the peer is %q", e.Message)
	}
	if !errors.Is(e, secret) || !strings.Contains(e.Error(), "hunter2") {
		t.Errorf("the error for the log is %q, want the cause in it", e)
	}
	// What one recipient got is no answer for all.
	each := mailparts.RcptErrors{nil, &mailparts.Error{Code: 550, Message: "no such user"}}
	if got := mailparts.AsError(each); got.Code != 451 {
		t.Errorf("AsError of RcptErrors is %v, want a temporary error of its own", got)
	}
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err       mailparts.Error
		want      string
		temporary bool
	}{
		{mailparts.Error{Code: 550, Status: "5.1.1", Message: "no such user"}, "550 5.1.1 no such user", false},
		{mailparts.Error{Code: 421, Message: "too busy"}, "421 4.0.0 too busy", true},
		{mailparts.Error{Code: 554, Message: "two\nlines"}, "554 5.0.0 two / lines", false},
		{mailparts.Error{Code: 451, Message: "later", Host: "mx.example.org", Err: io.ErrUnexpectedEOF}, "mx.example.org: 451 4.0.0 later: unexpected EOF", true},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("the text is %q, want %q", got, c.want)
		}
		if got := c.err.Temporary(); got != c.temporary {
			t.Errorf("%q is temporary: %t, want %t", c.want, got, c.temporary)
		}
	}
}

func TestRcptErrors(t *testing.T) {
	no := &mailparts.Error{Code: 550, Message: "no"}
	later := errors.New("disk on fire")
	some := mailparts.RcptErrors{nil, no, later}
	for i, want := range []error{nil, no, later} {
		if got := mailparts.RcptError(some, i); got != want {
			t.Errorf("recipient %d got %v, want %v", i, got, want)
		}
		if got := mailparts.RcptError(later, i); got != later {
			t.Errorf("recipient %d got %v, want what everyone got", i, got)
		}
		if got := mailparts.RcptError(nil, i); got != nil {
			t.Errorf("recipient %d got %v, want nil", i, got)
		}
	}
	if err := mailparts.RcptError(some, 3); err == nil || !mailparts.AsError(err).Temporary() {
		t.Errorf("a recipient without a result got %v, want a temporary error", err)
	}
	wrapped := fmt.Errorf("queue: %w", some)
	if got := mailparts.RcptError(wrapped, 0); got != wrapped {
		t.Errorf("wrapped RcptErrors give recipient 0 %v, want the whole error: nobody knows whose it is", got)
	}
	if got := some.Error(); got != "delivery failed for 2 of 3 recipients, first: 550 5.0.0 no" {
		t.Errorf("the text is %q", got)
	}
	if err := some.Err(); err == nil {
		t.Error("Err of failures is nil")
	}
	for _, none := range []mailparts.RcptErrors{nil, {}, {nil, nil}} {
		if err := none.Err(); err != nil {
			t.Errorf("Err of %#v is %v, want nil", none, err)
		}
		if got := none.Error(); got != "no recipient failed" {
			t.Errorf("the text of %#v is %q", none, got)
		}
	}
	if errors.As(error(some), new(*mailparts.Error)) {
		t.Error("errors.As finds one recipient's refusal in everyone's error")
	}
}
