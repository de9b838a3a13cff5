package mime_test

import (
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

var words = []struct{ in, want string }{
	{"plain", "plain"},
	{"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"},
	{"=?ISO-8859-1?Q?a?=  \r\n =?ISO-8859-2?Q?_b?=", "a b"},
	{"x =?utf-8?q?=C3=A9?= y", "x é y"},
	{"=?utf-8?B?w6k=?=", "é"},
	{"=?utf-8?B?w6k?=", "é"},                              // no padding
	{"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"},              // a character in two words
	{"=?utf-8?Q?a b?=", "a b"},                            // white space in a word
	{"\"=?utf-8?q?=C3=A9?=\"", "\"é\""},                   // in quotes
	{"=?utf-8*en?q?=C3=A9?=", "é"},                        // RFC 2231 section 5
	{"=?utf-8?q?a?=b", "ab"},                              // no space after it
	{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},          // a charset of x/text
	{"=?gb2312?B?xOO6ww==?=", "你好"},                       //
	{"=?utf-7?Q?Hi_Mom_+Jjo-!?=", "Hi Mom ☺!"},            // RFC 2152
	{"=?cp850?q?=82?=", "é"},                              // one that HTML does not know
	{"=?utf-7?q?=D3M?=", "\ufffdM"},                       // not US-ASCII
	{"=?x-unknown?q?abc?=", "=?x-unknown?q?abc?="},        //
	{"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},                //
	{"=?utf-8?q?abc", "=?utf-8?q?abc"},                    //
	{"=?utf-8?q?=ZZ?=", "=ZZ"},                            //
	{"=? =?utf-8?q?a?=", "=? a"},                          //
	{"caf\xe9", "café"},                                   // bare octets
	{"=?utf-8?q??= x", " x"},                              // an empty word
	{"Re: =?us-ascii?q?a?= =?x?q?b?=", "Re: a =?x?q?b?="}, //
}

func TestDecodeHeader(t *testing.T) {
	for _, w := range words {
		if got := mime.DecodeHeader(w.in); got != w.want {
			t.Errorf("%q is %q, want %q", w.in, got, w.want)
		}
	}
}

// TestEncodedSubject has what goes out to a client that reads no UTF-8, and that it is
// decoded to the same.
func TestEncodedSubject(t *testing.T) {
	for _, tt := range []struct{ subject, want string }{
		{"plain", "plain"},
		{"é", "=?utf-8?b?w6k=?="},
		{"a café b", "a =?utf-8?b?Y2Fmw6k=?= b"},
		{"a decaféiné b", "a =?utf-8?b?ZGVjYWbDqWluw6k=?= b"},
		{"a Müllerstrasse b", "a =?utf-8?q?M=C3=BCllerstrasse?= b"},
		{"é  è x", "=?utf-8?b?w6kgIMOo?= x"},
		{"é x è", "=?utf-8?b?w6k=?= x =?utf-8?b?w6g=?="},
		{"=?utf-8?q?x?= é", "=?utf-8?q?x?= =?utf-8?b?IMOp?="},
		{"é =?utf-8?q?x?=", "=?utf-8?b?w6kg?= =?utf-8?q?x?="},
		{"é \xff", "é \xff"},
	} {
		got := envelopeOf(t, "Subject: "+tt.subject+"\r\n\r\n")
		if got != tt.want {
			t.Errorf("%q goes out as %q, want %q", tt.subject, got, tt.want)
		}
		if back, want := mime.DecodeHeader(got), mime.DecodeHeader(tt.subject); back != want {
			t.Errorf("%q comes back as %q, want %q", tt.subject, back, want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		text, charset, want string
		ok                  bool
	}{
		{"abc", "US-ASCII", "abc", true},
		{"\xc3\xa4", "us-ascii", "", false},
		{"\xc3\xa4", "UTF-8", "ä", true},
		{"\xe4", "utf-8", "\xe4", false},
		{"\xe4", "ISO-8859-1", "ä", true},
		{"\xcb\xcf", "KOI8-R", "ко", true},
		{"", "x-nobody", "", false},
	} {
		if got, ok := mime.Decode([]byte(test.text), test.charset); got != test.want || ok != test.ok {
			t.Errorf("%q in %s is %q, %v; want %q, %v", test.text, test.charset, got, ok, test.want, test.ok)
		}
	}
}
