package mime_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// addresses are lists, and what of an ENVELOPE they become.
var addresses = []struct{ list, want string }{
	{"a@b", `((NIL NIL "a" "b"))`},
	{"", "NIL"},
	{" , ,", "NIL"},
	{"user@domain (Real Name)", `(("Real Name" NIL "user" "domain"))`},
	{"<@route:user@domain>", `((NIL "@route" "user" "domain"))`},
	{"<@r1,@r2:x@y>", `((NIL "@r1,@r2" "x" "y"))`},
	{`"a\"b" <"q w"@z>`, `(("a\"b" NIL "q w" "z"))`},
	{`"" <e@f>`, `((NIL NIL "e" "f"))`},
	{`Foo "Bar" Baz <i@j>`, `(("Foo Bar Baz" NIL "i" "j"))`},
	{"Foo (cmt) <k@l>", `(("Foo" NIL "k" "l"))`},
	{"m@n (c1) (c2)", `(("c2" NIL "m" "n"))`},
	{"a.b.c <o@p>, John Q. Public <q@r>", `(("a.b.c" NIL "o" "p")("John Q. Public" NIL "q" "r"))`},
	{"x@[1.2.3.4]", `((NIL NIL "x" "[1.2.3.4]"))`},
	{"group: g1@d1.org, g2@d2.org;, group2: g3@d3.org;",
		`((NIL NIL "group" NIL)(NIL NIL "g1" "d1.org")(NIL NIL "g2" "d2.org")(NIL NIL NIL NIL)(NIL NIL "group2" NIL)(NIL NIL "g3" "d3.org")(NIL NIL NIL NIL))`},
	{"group:;, group2: (foo) ;", `((NIL NIL "group" NIL)(NIL NIL NIL NIL)(NIL NIL "group2" NIL)(NIL NIL NIL NIL))`},
	{"undisclosed-recipients:;", `((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))`},
	{"g: a@b, c@d", `((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL))`},
	{":a@b;", `((NIL NIL "" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL))`},
	{"foo", `((NIL NIL "foo" "MISSING_DOMAIN"))`},
	{"foo bar", `(("foo bar" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))`},
	{"<>", `((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))`},
	{"a@", `((NIL NIL "a" "MISSING_DOMAIN"))`},
	{"@b", `((NIL NIL "MISSING_MAILBOX" "b"))`},
	{"(only comment)", "NIL"},
	// In what follows Dovecot has SYNTAX_ERROR and loses the rest.
	{"<s@t, u@v>; w@x", `((NIL NIL "s" "t")(NIL NIL "u" "v")(NIL NIL "w" "x"))`},
	{"a@b c@d", `((NIL NIL "a" "b")(NIL NIL "c" "d"))`},
	{"A <a@b> B <c@d>", `(("A" NIL "a" "b")("B" NIL "c" "d"))`},
	{"garbage <x@y> trailing", `(("garbage trailing" NIL "x" "y"))`},
	{"a b <c d@e f>", `(("a b" NIL "c d" "e f"))`},
	{"<user-from (comment)@ (comment) domain.org>", `(("comment" NIL "user-from" "domain.org"))`},
	{"joe . x @ example . org", `((NIL NIL "joe.x" "example.org"))`},
	{`"a b"@c`, `((NIL NIL "a b" "c"))`},
	{"é <é@b>", "((\"=?utf-8?b?w6k=?=\" NIL {2}\r\né \"b\"))"},
	{"\xff <a@b>", "(({1}\r\n\xff NIL \"a\" \"b\"))"},
	{"a\x00b <a@b>", "(({3}\r\na\x80b NIL \"a\" \"b\"))"},
}

// toField returns the list To of an ENVELOPE.
func toField(t *testing.T, list string) string {
	t.Helper()
	msg := "To: " + list + "\r\n\r\n"
	env := string(mime.AppendEnvelope(nil, scan(t, msg).Envelope, false))
	env = strings.TrimPrefix(env, "(NIL NIL NIL NIL NIL ")
	return strings.TrimSuffix(env, " NIL NIL NIL NIL)")
}

func TestAddresses(t *testing.T) {
	for _, a := range addresses {
		if got := toField(t, a.list); got != a.want {
			t.Errorf("%q is\n%s\nwant\n%s", a.list, got, a.want)
		}
	}
}

// TestAddressesOfOthers reads the lists of mail-parser. Where it leaves out what is
// missing, we do not, so only what it found is wanted.
func TestAddressesOfOthers(t *testing.T) {
	b, err := os.ReadFile(vectors(t, "headers/address.json"))
	if err != nil {
		t.Fatal(err)
	}
	type address struct{ Name, Address string }
	var tests []struct {
		Header   string
		Expected struct {
			List  []address
			Group []struct {
				Name      string
				Addresses []address
			}
		}
	}
	if err := json.Unmarshal(b, &tests); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		found := map[string]bool{}
		p := scan(t, "To: "+strings.TrimRight(crlf(strings.ReplaceAll(tt.Header, "\r", "")), "\r\n")+"\r\n\r\n")
		list, _ := p.Envelope.Get(mime.To)
		mime.Addresses(list, func(a *mime.Address) bool {
			found[a.Mailbox+"@"+a.Host] = true
			found[a.Route+":"+a.Mailbox+"@"+a.Host] = true
			found[a.Mailbox] = true
			found[mime.DecodeHeader(a.Name)] = true
			if a.Kind == mime.GroupStart {
				found[mime.DecodeHeader(a.Mailbox)] = true
			}
			return true
		})
		want := tt.Expected.List
		for _, g := range tt.Expected.Group {
			want = append(append(want, address{Name: g.Name}), g.Addresses...)
		}
		for _, a := range want {
			if strings.Contains(a.Name, "(") { // comments beside a name
				a.Name = ""
			}
			a.Address = strings.ReplaceAll(a.Address, " ", "")
			if a.Address == "" && strings.Contains(tt.Header, "("+a.Name+")") { // a comment alone
				continue
			}
			if a.Address != "" && !found[a.Address] || !found[a.Name] && a.Name != "" {
				t.Errorf("%q: no %q <%s> in %v", tt.Header, a.Name, a.Address, found)
			}
		}
	}
}
