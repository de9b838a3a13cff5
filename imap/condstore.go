package imap

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// enableCondstore is what every CONDSTORE enabling command does (RFC 7162 section 3.1):
// the client hears of mod-sequences from now on, and of the highest at once.
func (s *session) enableCondstore() {
	if s.enabled.condstore {
		return
	}
	s.enabled.condstore = true
	if s.box != nil {
		s.tellModSeq(s.box.seen)
	}
}

// needModSeq refuses what asks for mod-sequences where there are none (RFC 7162 section
// 3.1.2.2).
func (s *session) needModSeq(asked bool) error {
	if asked && s.box.told.HighestModSeq == 0 {
		return errNoModSeq
	}
	return nil
}

// tellModSeq sends HIGHESTMODSEQ, or NOMODSEQ (RFC 7162 section 3.1.2).
func (s *session) tellModSeq(highest mailparts.ModSeq) {
	if highest == 0 {
		s.out.Print("* OK [NOMODSEQ] No mod-sequences here\r\n")
		return
	}
	s.out.Print("* OK [HIGHESTMODSEQ ")
	s.out.Uint(uint64(highest))
	s.out.Print("] The highest mod-sequence\r\n")
}

// tellVanishedEarlier tells which messages of a set are gone since a mod-sequence (RFC
// 7162 section 3.2.6).
func (s *session) tellVanishedEarlier(set wire.Set, since mailparts.ModSeq) error {
	vanished, err := mailparts.Vanished(s.ctx, s.box.mb, since)
	if err != nil {
		return err
	}
	asked := uidRanges(set.Resolve(uint32(max(s.box.told.UIDNext, 1) - 1)))
	if gone := vanished.Intersect(asked).Subtract(s.box.view.uids); len(gone) > 0 {
		s.out.Print("* VANISHED (EARLIER) ", gone.String(), "\r\n")
	}
	return nil
}
