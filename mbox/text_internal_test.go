package mbox

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

func roundTrip(t *testing.T, msgs ...string) {
	t.Helper()
	var file bytes.Buffer
	for _, msg := range msgs {
		var text bytes.Buffer
		var w textWriter
		if err := w.copy(t.Context(), &text, strings.NewReader(msg)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "From x Mon Jan  1 00:00:00 2024\nX-UID: 1\nStatus: RO\nContent-Length: %d\n", w.body)
		if w.added != 0 {
			fmt.Fprintf(&file, "X-Mbox-Added: %s\n", w.added.append(nil))
		}
		fmt.Fprintf(&file, "%s\n", &text)
	}
	for _, lengths := range []bool{true, false} {
		var s scanner
		r := bytes.NewReader(file.Bytes())
		s.scan(r, 0)
		s.lengths = lengths
		for _, msg := range msgs {
			var m span
			if err := s.next(&m); err != nil {
				t.Fatalf("%q: %v", file.String(), err)
			}
			var tr textReader
			tr.reset(r, &m)
			got, err := io.ReadAll(&tr)
			want := strings.ReplaceAll(strings.ReplaceAll(msg, "\r\n", "\n"), "\n", "\r\n")
			if string(got) != want || err != nil {
				t.Fatalf("%q: got %q want %q, %v", file.String(), got, want, err)
			}
		}
		if err := s.next(&span{}); err != io.EOF {
			t.Fatal(err)
		}
	}
}

func TestX(t *testing.T) {
	roundTrip(t, "", "\n", "a", "Subject: x", "Subject: x\n", "Subject: x\n\n", "Subject: x\n\n\n", "Subject: x\n\nabc", "S: x\n\nabc\r", "\r", " x\n", " x\n y\n\n>From \nFrom \n>>From x Mon Jan  1 00:00:00 2024\n",
		"From x Mon Jan  1 00:00:00 2024\nFrom x Mon Jan  1 00:00:00 2024\nX: y\n\nFrom", "S: x\n\n>", "\n\nFrom x Mon Jan  1 00:00:00 2024\n\n")
}
