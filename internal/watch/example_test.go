package watch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts/internal/watch"
)

func ExampleHub_Watch() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	woken := make(chan struct{}, 1)
	err = watch.Process.Watch(ctx, watch.Watcher{
		Paths: func(add func(watch.Path)) error {
			add(watch.Path{Name: dir})
			return nil
		},
		Wake: func() {
			select {
			case woken <- struct{}{}:
			default: // one is waiting
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "hello"), nil, 0o600); err != nil {
		fmt.Println(err)
		return
	}
	<-woken
	fmt.Println("something may have changed")
	// Output: something may have changed
}
