// Package mailtest is to mailparts what net/http/httptest and testing/fstest are
// to the standard library: what the tests of a mail system need.
//
//   - [NewServer] starts a whole mail system in the process, in one line.
//   - [Memory] is a Backend that keeps mail in memory and honours every contract,
//     optional ones too.
//   - [TestBackend] is the conformance kit for anyone's Backend.
//   - [DNS] is a name server, and a mailparts.Resolver, with the zones that a test
//     gives it.
//   - [Sink] is an SMTP or LMTP server that takes all mail and keeps it, or fails as
//     the test asks for.
//   - [Script] is a dialogue of SMTP as in RFCs, which a [Player] plays as a client or
//     a server, and a [ScriptServer] to all who connect.
//   - [BadServers] and [BadClients] are catalogues of misbehaviour, for the tests of
//     anyone's client and server.
//   - [SmugglingVectors] is the list of messages that one server ends where another
//     does not: [TestSmuggling] runs it against anyone's server, [TestSmugglingRelay]
//     against anyone's client.
//   - [Listener] is a network of one host for the fake time of testing/synctest.
//
// A test of a program that sends mail:
//
//	func TestReceipt(t *testing.T) {
//		s := mailtest.NewSink(t)
//		shop := &Shop{MailServer: s.Addr()}
//		shop.Sell("alice@example.net", "a kettle")
//		m, err := s.Next(t.Context()) // waits for it
//		if err != nil {
//			t.Fatal(err)
//		}
//		if m.Header("Subject") != "Your kettle" {
//			t.Errorf("got %s", m.Data)
//		}
//	}
//
// A test of a program whose mail goes through a whole mail system:
//
//	func TestWelcome(t *testing.T) {
//		s := mailtest.NewServer(t, "alice")
//		err := smtp.SendMail(s.SMTPAddr, nil, "app@example.net", []string{"alice@example.test"}, welcome) // net/smtp's
//		if err != nil {
//			t.Fatal(err)
//		}
//		got := s.Messages(t, "alice", 1) // waits for it
//		…
//	}
//
// A test of a store, which is right when it passes; each subtest has the name of
// the promise that it checks:
//
//	func TestBackend(t *testing.T) {
//		mailtest.TestBackend(t, func(t *testing.T) mailparts.Backend {
//			return &mystore.Backend{Root: t.TempDir()}
//		})
//	}
package mailtest
