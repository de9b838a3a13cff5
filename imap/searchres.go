package imap

import "github.com/mailparts/mailparts"

// The result of SEARCH RETURN (SAVE), which "$" stands for (RFC 5182): see
// session.savedUIDs, selected.saved.

// notSaved has a search with SAVE that is answered by NO save nothing (RFC 5182 section
// 2.1).
func (s *session) notSaved(ret searchReturn, err error) error {
	if outcome, _, _ := replyTo(err); ret.save && outcome == "NO" {
		s.box.saved = nil
	}
	return err
}

// saved is what is saved of a result (RFC 5182 section 2.4, RFC 9394 section 3.2).
func (ret *searchReturn) saved(found mailparts.UIDSet) (saved mailparts.UIDSet) {
	if ret.all || ret.count || !ret.min && !ret.max && ret.partial == nil {
		return found
	}
	if len(found) == 0 {
		return nil
	}
	if ret.partial != nil {
		saved = ret.partial.of(found)
	}
	if ret.min {
		saved.Add(found[0].First, found[0].First)
	}
	if ret.max {
		last := found[len(found)-1].Last
		saved.Add(last, last)
	}
	return saved
}
