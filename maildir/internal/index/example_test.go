package index_test

import (
	"fmt"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

func Example() {
	fsys := disktest.New() // or disk.OS{}
	writer := index.Of(fsys, "mailparts-index", index.Head{Validity: 7, Next: 1}, nil, nil)
	fmt.Println("make:", writer.Rewrite(true))

	reader := index.New(fsys, "mailparts-index")
	fmt.Println("load:", reader.Load(), len(reader.Entries), "messages")

	e := index.Entry{UID: 1, Name: "1795374075.M1.host:2,S", Base: 18, ModSeq: 9, Size: 4196, Flags: index.Seen, Shelf: 1}
	h := writer.Head
	h.Next, h.HighestModSeq = 2, 9
	h.Counts.Add(e)
	c := index.Change{Put: []index.Entry{e}}
	fmt.Println("write:", writer.Write(h, c, false))
	writer.Apply(h, c)

	changes, head, replaced, err := reader.Tail()
	fmt.Println("tail:", replaced, err)
	reader.Apply(head, changes...)
	fmt.Println(reader.Entries[0].Name, reader.Counts.Messages)
	// Output:
	// make: <nil>
	// load: <nil> 0 messages
	// write: <nil>
	// tail: false <nil>
	// 1795374075.M1.host:2,S 1
}
