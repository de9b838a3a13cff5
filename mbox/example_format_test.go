package mbox_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mailparts/mailparts/mbox"
)

func ExampleReader() {
	file := strings.NewReader(`From alice@example.com Mon Jan  1 09:00:00 2024
Subject: hello

>From here it is quiet.

From bob@example.com Tue Jan  2 10:00:00 2024
Subject: re: hello

Not here.
`)
	r := mbox.NewReader(file, mbox.RD)
	for {
		msg, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := io.ReadAll(msg)
		fmt.Printf("%s %q %v\n", msg.From, text, err)
	}
	// Output:
	// alice@example.com "Subject: hello\r\n\r\nFrom here it is quiet.\r\n" <nil>
	// bob@example.com "Subject: re: hello\r\n\r\nNot here.\r\n" <nil>
}

func ExampleWriter() {
	w := mbox.NewWriter(os.Stdout, mbox.CL)
	w.Location = time.UTC
	err := w.WriteMessage("alice@example.com", time.Unix(1704099600, 0), strings.NewReader(
		"Subject: hello\r\n\r\nFrom here it is quiet.\r\n"))
	fmt.Println(err)
	// Output:
	// From alice@example.com Mon Jan  1 09:00:00 2024 +0000
	// Subject: hello
	// Content-Length: 24
	//
	// >From here it is quiet.
	//
	// <nil>
}

func ExampleDetect() {
	f, err := mbox.Detect(strings.NewReader("From a Mon Jan  1 09:00:00 2024\n\n>>From: who quotes this?\n>>From here\n"))
	fmt.Println(f, err)
	// Output:
	// mboxrd <nil>
}
