// Package mailtest is to mailparts what net/http/httptest and testing/fstest are
// to the standard library: what the tests of a mail system need.
//
// [Memory] is a Backend that keeps mail in memory and honours every contract,
// optional ones too. [TestBackend] is the conformance kit for anyone's Backend:
// a store is right when it passes, and each subtest has the name of the promise
// that it checks.
//
//	func TestBackend(t *testing.T) {
//		mailtest.TestBackend(t, func(t *testing.T) mailparts.Backend {
//			return &mystore.Backend{Root: t.TempDir()}
//		})
//	}
package mailtest
