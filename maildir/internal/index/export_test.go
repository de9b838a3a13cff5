package index

// Record is one of a file. A content of nil is made: that of a begin or a commit.
type Record struct {
	Letter  byte
	Content []byte
}

// FileOf is a file of any records, with the right checksums.
func FileOf(h Head, records ...Record) []byte {
	p := position{id: 7}
	b := builder{}
	for _, r := range records {
		switch {
		case r.Content == nil && r.Letter == beginRecord:
			b.startOf(p.id)
			continue
		case r.Content == nil && r.Letter == commitRecord:
			b.commit(h)
			if p.start == 0 {
				p.start = headSize + int64(len(b.buf))
			}
			continue
		}
		b.begin(r.Letter)
		b.buf = append(b.buf, r.Content...)
		b.end()
	}
	p.end, p.sum = headSize+int64(len(b.buf)), b.sum
	if p.start == 0 {
		p.start = p.end
	}
	return append(encodeHead(h, p), b.buf...)
}

// Puts is a record of messages.
func Puts(put ...Entry) Record {
	var b builder
	b.puts(put)
	return Record{putRecord, b.buf[frame:]}
}

// Commit is a record of another head than the file's.
func Commit(h Head) Record {
	var b builder
	b.commit(h)
	return Record{commitRecord, b.buf[frame:]}
}
