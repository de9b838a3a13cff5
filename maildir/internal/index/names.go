package index

import "strings"

// nameStore keeps short texts together in large pieces of memory. A strings.Builder
// does not change what it has, so that all its Strings may share it.
type nameStore struct {
	most int // octets that may come, so that for one text there is no large piece
	b    *strings.Builder
}

const namesEach = 64 << 10 // octets in one piece of memory

func (n *nameStore) keep(text []byte) string {
	if len(text) >= namesEach/2 {
		return string(text)
	}
	from := n.room(len(text))
	n.b.Write(text)
	return n.b.String()[from:]
}

// join keeps a + b.
func (n *nameStore) join(a, b string) string {
	from := n.room(len(a) + len(b))
	n.b.WriteString(a)
	n.b.WriteString(b)
	return n.b.String()[from:]
}

// room makes room, and says where in the piece it is.
func (n *nameStore) room(size int) (from int) {
	if n.b == nil || n.b.Cap()-n.b.Len() < size {
		n.b = &strings.Builder{}
		n.b.Grow(max(size, min(n.most, namesEach)))
	}
	n.most -= size
	return n.b.Len()
}
