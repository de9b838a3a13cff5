package mbox

import (
	"encoding/binary"

	"github.com/mailparts/mailparts/internal/disk"
)

// SetFS makes b use another file system.
func (b *Backend) SetFS(fsys disk.FS) { b.fsys = fsys }

// SumIndex writes into an index the sums that its octets have.
func SumIndex(index []byte) {
	le := binary.LittleEndian
	var x indexInfo
	n := len(indexMagic) + 8*len(x.fields())
	if len(index) < indexPages {
		return
	}
	words := min(le.Uint64(index[n-16:]), indexPages-indexHead)
	le.PutUint64(index[n-16:], words)
	le.PutUint64(index[n-8:], uint64(checksum(index[indexHead:indexHead+words])))
	var sums uint64
	for at := indexPages; at+indexPage <= len(index); at += indexPage {
		sum := checksum(index[at+4 : at+indexPage])
		le.PutUint32(index[at:], sum)
		sums += uint64(sum)
	}
	le.PutUint64(index[n-24:], sums)
	copy(index, indexMagic)
	le.PutUint32(index[n:], checksum(index[:n]))
}

// SumJournal does so for a journal's slots and what follows them.
func SumJournal(journal []byte) {
	le := binary.LittleEndian
	if len(journal) < payloadStart {
		return
	}
	for i := range 2 {
		slot := journal[i*slotSize : (i+1)*slotSize]
		copy(slot, slotMagic)
		payload := min(le.Uint64(slot[recordPayload:]), uint64(len(journal)-payloadStart))
		le.PutUint64(slot[recordPayload:], payload)
		le.PutUint32(slot[recordPayload+8:], checksum(journal[payloadStart:payloadStart+payload]))
		le.PutUint32(slot[recordSize:], checksum(slot[:recordSize]))
	}
}
