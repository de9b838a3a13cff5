package queue_test

import (
	"context"
	"io"
	"testing"

	"github.com/mailparts/mailparts"
	. "github.com/mailparts/mailparts/queue"
)

// named is a Deliverer that takes all, told apart by its name.
type named string

func (named) Deliver(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
	_, err := io.Copy(io.Discard, msg)
	return err
}

func TestRoutes(t *testing.T) {
	routes := Routes{}
	for _, key := range []string{
		"bob@example.org", "\"a b\"@example.org", "example.org", ".example.org", ".deep.example.org",
		"xn--bcher-kva.example", "zürich.example", "[192.0.2.1]", "postmaster", "*",
	} {
		routes[key] = named(key)
	}
	routes["nowhere.example"] = nil
	for _, tc := range []struct {
		to   mailparts.Address
		key  string
		ours bool
	}{
		{"bob@example.org", "bob@example.org", true},
		{"bob@EXAMPLE.org", "bob@example.org", true},
		{"Bob@example.org", "example.org", true}, // a local part is not ours to fold: RFC 5321 section 2.4
		{"\"a b\"@example.org", "\"a b\"@example.org", true},
		{"carol@example.org", "example.org", true},
		{"carol@a.example.org", ".example.org", true},
		{"carol@a.b.Example.Org", ".example.org", true},
		{"carol@a.deep.example.org", ".deep.example.org", true},
		{"carol@deep.example.org", ".example.org", true},
		{"carol@badexample.org", "*", false},
		{"carol@org", "*", false},
		{"carol@bücher.example", "xn--bcher-kva.example", true},
		{"carol@BÜCHER.example", "xn--bcher-kva.example", true},
		{"carol@zürich.example", "zürich.example", true},
		{"carol@xn--zrich-kva.example", "zürich.example", true},
		{"carol@ｅxample。org", "example.org", true}, // what IDNA maps to it
		{"carol@[192.0.2.1]", "[192.0.2.1]", true},
		{"carol@[192.0.2.2]", "*", false},
		{"postmaster", "postmaster", true},
		{"PostMaster", "postmaster", true},
		{"postmaster@example.com", "*", false},
		{"carol@nowhere.example", "", true},
	} {
		d, ours := routes.Route(tc.to)
		if key, _ := d.(named); string(key) != tc.key || ours != tc.ours {
			t.Errorf("Route(%s) = %q, %v, want %q, %v", tc.to, key, ours, tc.key, tc.ours)
		}
	}
	if d, ours := (Routes{}).Route("bob@example.org"); d != nil || ours {
		t.Errorf("no routes: %v, %v", d, ours)
	}
}
