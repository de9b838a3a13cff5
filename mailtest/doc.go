// Package mailtest is to mailparts what net/http/httptest and testing/fstest are
// to the standard library: what the tests of a mail system need.
//
// [Memory] is a Backend that keeps mail in memory and honours every contract,
// optional ones too. [NewServer] starts a whole mail system in the process,
// [DNS] is a name server with the zones that a test gives it, and [Listener] a
// network of one host for the fake time of testing/synctest.
//
// [TestBackend] is the conformance kit for anyone's Backend: a store is right
// when it passes, and each subtest has the name of the promise that it checks.
//
//	func TestBackend(t *testing.T) {
//		mailtest.TestBackend(t, func(t *testing.T) mailparts.Backend {
//			return &mystore.Backend{Root: t.TempDir()}
//		})
//	}
package mailtest
