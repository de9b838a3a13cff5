package imap_test

import (
	"strings"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailparts/mailparts/mailtest"
)

func limitedMemory() *mailtest.Memory { return &mailtest.Memory{MaxMessages: 100} }

func one(n uint32) goimap.SeqSet { return goimap.SeqSetNum(n) }

// found checks what SEARCH finds, by sequence numbers.
func (p peer) found(want []uint32, c goimap.SearchCriteria) {
	p.t.Helper()
	got, err := p.Search(&c, nil).Wait()
	p.ok(err)
	if len(got.AllSeqNums()) != 0 || len(want) != 0 {
		same(p, "found", got.AllSeqNums(), want)
	}
}

// deleted marks messages as such.
func (p peer) deleted(set goimap.NumSet) {
	p.t.Helper()
	p.ok(p.Store(set, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
}

func day(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }

var imapclientMessageMethods = map[string]func(p peer){
	"Select": func(p peer) {
		got, err := p.Select("INBOX", &goimap.SelectOptions{CondStore: true}).Wait()
		p.ok(err)
		if got.NumMessages != 3 || got.UIDNext != 4 || got.UIDValidity != 1 || got.HighestModSeq == 0 || len(got.Flags) != 5 || len(got.PermanentFlags) != 6 {
			p.t.Errorf("%+v", got)
		}
		got, err = p.Select("INBOX", &goimap.SelectOptions{ReadOnly: true}).Wait()
		p.ok(err)
		same(p, "permanent flags of EXAMINE", len(got.PermanentFlags), 0)
		p.refused(p.Expunge().Close(), "NOPERM")
		_, err = p.Select("none", nil).Wait()
		p.refused(err, "NONEXISTENT")
	},
	"Mailbox": func(p peer) {
		same(p, "mailbox", p.Mailbox().NumMessages, 3)
	},
	"Unselect": func(p peer) {
		p.deleted(one(1))
		p.ok(p.Unselect().Wait())
		got, err := p.Select("INBOX", nil).Wait()
		p.ok(err)
		same(p, "messages", got.NumMessages, 3)
	},
	"UnselectAndExpunge": func(p peer) {
		p.deleted(one(1))
		p.ok(p.UnselectAndExpunge().Wait())
		got, err := p.Select("INBOX", nil).Wait()
		p.ok(err)
		same(p, "messages", got.NumMessages, 2)
	},
	"Append": func(p peer) {
		const message = "Subject: new\r\n\r\nnew\r\n"
		cmd := p.Append("INBOX", int64(len(message)), &goimap.AppendOptions{Flags: []goimap.Flag{goimap.FlagSeen, "Work"}, Time: day(7)})
		_, err := cmd.Write([]byte(message))
		p.ok(err)
		p.ok(cmd.Close())
		got, err := cmd.Wait()
		p.ok(err)
		same(p, "APPENDUID", *got, goimap.AppendData{UID: 4, UIDValidity: 1})
		m, err := p.Fetch(goimap.UIDSetNum(4), &goimap.FetchOptions{Flags: true, InternalDate: true, BodySection: []*goimap.FetchItemBodySection{{Peek: true}}}).Collect()
		p.ok(err)
		if len(m) != 1 || !m[0].InternalDate.Equal(day(7)) || string(m[0].BodySection[0].Bytes) != message || len(m[0].Flags) < 2 {
			p.t.Errorf("%+v", m)
		}
	},
	"Fetch": fetchAll,
	"Store": func(p peer) {
		got, err := p.Store(one(1), &goimap.StoreFlags{Op: goimap.StoreFlagsSet, Flags: []goimap.Flag{goimap.FlagFlagged}}, nil).Collect()
		p.ok(err)
		if len(got) != 1 || got[0].SeqNum != 1 || got[0].Flags[0] != goimap.FlagFlagged {
			p.t.Errorf("%+v", got)
		}
		p.ok(p.Store(goimap.UIDSetNum(1), &goimap.StoreFlags{Op: goimap.StoreFlagsDel, Silent: true, Flags: []goimap.Flag{goimap.FlagFlagged}}, &goimap.StoreOptions{UnchangedSince: 1}).Close())
		p.found([]uint32{1}, goimap.SearchCriteria{Flag: []goimap.Flag{goimap.FlagFlagged}}) // it was changed since
	},
	"Copy": func(p peer) {
		p.ok(p.Create("Other", nil).Wait())
		got, err := p.Copy(goimap.SeqSet{{Start: 1, Stop: 2}}, "Other").Wait()
		p.ok(err)
		same(p, "from", got.SourceUIDs.String(), "1:2")
		same(p, "to", got.DestUIDs.String(), "1:2")
		_, err = p.Copy(one(1), "none").Wait()
		p.refused(err, "TRYCREATE")
	},
	"Move": func(p peer) {
		p.ok(p.Create("Other", nil).Wait())
		got, err := p.Move(goimap.UIDSetNum(2), "Other").Wait()
		p.ok(err)
		same(p, "from", got.SourceUIDs.String(), "2")
		same(p, "left", p.Mailbox().NumMessages, 2)
	},
	"Expunge": func(p peer) {
		p.deleted(goimap.SeqSet{{Start: 2, Stop: 3}})
		got, err := p.Expunge().Collect()
		p.ok(err)
		same(p, "expunged", got, []uint32{3, 2})
	},
	"UIDExpunge": func(p peer) {
		p.deleted(goimap.SeqSet{{Start: 1, Stop: 3}})
		got, err := p.UIDExpunge(goimap.UIDSetNum(2)).Collect()
		p.ok(err)
		same(p, "expunged", got, []uint32{2})
	},
	"Idle": func(p peer) {
		idle, err := p.Idle()
		p.ok(err)
		p.ok(idle.Close())
		p.ok(idle.Wait())
	},
	"Search": searchAll,
	"UIDSearch": func(p peer) {
		p.deleted(one(1))
		p.ok(p.Expunge().Close())
		got, err := p.UIDSearch(&goimap.SearchCriteria{Text: []string{"naïve"}}, &goimap.SearchOptions{ReturnMin: true, ReturnMax: true, ReturnAll: true, ReturnCount: true}).Wait()
		p.ok(err)
		if got.Min != 2 || got.Max != 2 || got.Count != 1 || got.All.String() != "2" {
			p.t.Errorf("%+v", got)
		}
	},
	"Sort": func(p peer) {
		for key, want := range map[imapclient.SortKey][]uint32{
			imapclient.SortKeyArrival: {1, 2, 3}, imapclient.SortKeyDate: {3, 1, 2}, imapclient.SortKeyFrom: {1, 2, 3}, imapclient.SortKeyTo: {3, 2, 1},
			imapclient.SortKeySubject: {3, 1, 2}, imapclient.SortKeyCc: {2, 3, 1}, imapclient.SortKeySize: {1, 2, 3},
		} {
			got, err := p.Sort(&imapclient.SortOptions{SearchCriteria: &goimap.SearchCriteria{}, SortCriteria: []imapclient.SortCriterion{{Key: key}}}).Wait()
			p.ok(err)
			same(p, string(key), got, want)
		}
	},
	"UIDSort": func(p peer) {
		p.deleted(one(1))
		p.ok(p.Expunge().Close())
		got, err := p.UIDSort(&imapclient.SortOptions{SearchCriteria: &goimap.SearchCriteria{}, SortCriteria: []imapclient.SortCriterion{{Key: imapclient.SortKeyDate, Reverse: true}}}).Wait()
		p.ok(err)
		same(p, "sorted", got, []uint32{2, 3})
	},
	"Thread": func(p peer) {
		for _, algorithm := range []goimap.ThreadAlgorithm{goimap.ThreadReferences, goimap.ThreadOrderedSubject} {
			got, err := p.Thread(&imapclient.ThreadOptions{Algorithm: algorithm, SearchCriteria: &goimap.SearchCriteria{}}).Wait()
			p.ok(err)
			same(p, string(algorithm), got, []imapclient.ThreadData{{Chain: []uint32{3}}, {Chain: []uint32{1, 2}}})
		}
	},
	"UIDThread": func(p peer) {
		p.deleted(one(1))
		p.ok(p.Expunge().Close())
		got, err := p.UIDThread(&imapclient.ThreadOptions{Algorithm: goimap.ThreadReferences, SearchCriteria: &goimap.SearchCriteria{}}).Wait()
		p.ok(err)
		same(p, "threads", got, []imapclient.ThreadData{{Chain: []uint32{3}}, {Chain: []uint32{2}}})
	},
}

// searchAll searches with each criterion. SAVE is never sent by this client.
func searchAll(p peer) {
	p.ok(p.Store(one(2), &goimap.StoreFlags{Op: goimap.StoreFlagsSet, Flags: []goimap.Flag{goimap.FlagSeen, "Work"}}, nil).Close())
	p.found([]uint32{1, 2, 3}, goimap.SearchCriteria{})
	p.found([]uint32{2, 3}, goimap.SearchCriteria{SeqNum: []goimap.SeqSet{{{Start: 2, Stop: 3}}}})
	p.found([]uint32{3}, goimap.SearchCriteria{UID: []goimap.UIDSet{{{Start: 3, Stop: 0}}}})
	p.found([]uint32{1, 2, 3}, goimap.SearchCriteria{Since: day(1).AddDate(-10, 0, 0)})
	p.found(nil, goimap.SearchCriteria{Before: day(1).AddDate(-10, 0, 0)})
	p.found([]uint32{1, 2}, goimap.SearchCriteria{SentSince: day(2)})
	p.found([]uint32{3}, goimap.SearchCriteria{SentBefore: day(2)})
	p.found([]uint32{1}, goimap.SearchCriteria{SentSince: day(2), SentBefore: day(3)}) // SENTON
	p.found([]uint32{1}, goimap.SearchCriteria{Header: []goimap.SearchCriteriaHeaderField{{Key: "From", Value: "ann"}, {Key: "Message-ID", Value: "1@x"}}})
	p.found([]uint32{1}, goimap.SearchCriteria{Body: []string{"tea"}})
	p.found([]uint32{2}, goimap.SearchCriteria{Text: []string{"NAÏVE"}})
	p.found([]uint32{2}, goimap.SearchCriteria{Flag: []goimap.Flag{goimap.FlagSeen, "Work"}})
	p.found([]uint32{1, 3}, goimap.SearchCriteria{NotFlag: []goimap.Flag{goimap.FlagSeen, "Work", goimap.FlagDeleted}})
	p.found([]uint32{3}, goimap.SearchCriteria{Larger: int64(len(peerMessages[1]))})
	p.found([]uint32{1}, goimap.SearchCriteria{Smaller: int64(len(peerMessages[0]) + 1)})
	p.found([]uint32{1, 3}, goimap.SearchCriteria{Not: []goimap.SearchCriteria{{Flag: []goimap.Flag{goimap.FlagSeen}}}})
	p.found([]uint32{1, 2}, goimap.SearchCriteria{Or: [][2]goimap.SearchCriteria{{{Body: []string{"tea"}}, {Body: []string{"five"}}}}})
	got, err := p.Search(&goimap.SearchCriteria{ModSeq: &goimap.SearchCriteriaModSeq{ModSeq: 5}}, nil).Wait()
	p.ok(err)
	same(p, "changed", got.AllSeqNums(), []uint32{2})
	if got.ModSeq < 5 {
		p.t.Errorf("MODSEQ %d", got.ModSeq)
	}
}

// fetchAll fetches with each field of FetchOptions.
func fetchAll(p peer) {
	got, err := p.Fetch(one(3), &goimap.FetchOptions{
		BodyStructure: &goimap.FetchItemBodyStructure{Extended: true}, Envelope: true, Flags: true, InternalDate: true, RFC822Size: true, UID: true, ModSeq: true,
		BodySection: []*goimap.FetchItemBodySection{
			{Peek: true}, {Part: []int{2}, Peek: true}, {Part: []int{2}, Specifier: goimap.PartSpecifierMIME, Peek: true},
			{Specifier: goimap.PartSpecifierHeader, HeaderFields: []string{"Subject"}, Peek: true},
			{Specifier: goimap.PartSpecifierText, Partial: &goimap.SectionPartial{Offset: 2, Size: 1}, Peek: true},
		},
		BinarySection:     []*goimap.FetchItemBinarySection{{Part: []int{2}, Peek: true}},
		BinarySectionSize: []*goimap.FetchItemBinarySectionSize{{Part: []int{2}}},
	}).Collect()
	p.ok(err)
	if len(got) != 1 {
		p.t.Fatalf("%+v", got)
	}
	m := got[0]
	same(p, "UID", m.UID, 3)
	same(p, "size", m.RFC822Size, int64(len(peerMessages[2])))
	same(p, "subject", m.Envelope.Subject, "A file")
	same(p, "from", m.Envelope.From, []goimap.Address{{Mailbox: "cy", Host: "example.com"}})
	same(p, "date", m.Envelope.Date.UTC(), day(1).Add(10*time.Hour))
	same(p, "type", m.BodyStructure.MediaType(), "multipart/mixed")
	if file, ok := m.BodyStructure.(*goimap.BodyStructureMultiPart).Children[1].(*goimap.BodyStructureSinglePart); !ok || file.Filename() != "a.csv" {
		p.t.Errorf("%+v", file)
	}
	if m.InternalDate.IsZero() || m.ModSeq == 0 {
		p.t.Errorf("date %v, MODSEQ %d", m.InternalDate, m.ModSeq)
	}
	for i, want := range []string{peerMessages[2], "MSwy", "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n", "Subject: A file\r\n\r\n", "x"} {
		same(p, "section", string(m.BodySection[i].Bytes), want)
	}
	same(p, "binary", string(m.BinarySection[0].Bytes), "1,2")
	same(p, "size of binary", m.BinarySectionSize[0].Size, 3)

	got, err = p.Fetch(goimap.UIDSetNum(1), &goimap.FetchOptions{BodySection: []*goimap.FetchItemBodySection{{Specifier: goimap.PartSpecifierHeader, HeaderFieldsNot: []string{"Date", "From", "To", "Cc", "Message-ID"}}}}).Collect()
	p.ok(err)
	same(p, "other fields", string(got[0].BodySection[0].Bytes), "Subject: Plans\r\n\r\n")
	got, err = p.Fetch(goimap.SeqSet{{Start: 1, Stop: 0}}, &goimap.FetchOptions{Flags: true, ChangedSince: m.ModSeq}).Collect()
	p.ok(err)
	if len(got) != 1 || got[0].SeqNum != 1 || !strings.EqualFold(string(got[0].Flags[0]), `\Seen`) {
		p.t.Errorf("%+v", got)
	}
}
