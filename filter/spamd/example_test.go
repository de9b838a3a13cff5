package spamd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/spamd"
)

func ExampleClient_Wrap() {
	// Stands for the spamd of this machine.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for r, line := bufio.NewReader(conn), ""; line != "Click here.\r\n" && err == nil; {
			line, err = r.ReadString('\n')
		}
		io.WriteString(conn, response("True ; 7.3 / 5.0", "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.3 required=5.0\r\n\r\n"))
	}()

	// Whatever takes the mail, here: standard output.
	inbox := mailparts.DelivererFunc(func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
		fmt.Println("score:", env.Attrs[spamd.AttrScore])
		text, err := io.ReadAll(msg)
		fmt.Print(strings.ReplaceAll(string(text), "\r\n", "\n"))
		return err
	})
	spam := &spamd.Client{Addr: l.Addr().String(), RejectAt: 10}
	receiver := mailparts.Chain(mailparts.AsReceiver(inbox), mailparts.OnData(spam.Wrap))

	ctx := context.Background()
	tx, err := receiver.Mail(ctx, &mailparts.Envelope{From: "win@example.net"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tx.Close()
	err = tx.Data(ctx, strings.NewReader("Subject: you have won\r\nX-Spam-Flag: NO\r\n\r\nClick here.\r\n"))
	fmt.Println(err)
	// Output:
	// score: 7.3
	// X-Spam-Flag: YES
	// X-Spam-Status: Yes, score=7.3 required=5.0
	// Subject: you have won
	//
	// Click here.
	// <nil>
}
