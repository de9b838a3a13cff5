// Command mailserver is a whole mail system in one process: MTA (port 25's
// rules), MSA (submission), queue, MDA (LMTP) and a POP3 server, wired from this
// module's packages. Without any flag it runs on this machine only, on
// unprivileged ports, with a self-signed certificate and two demo users:
//
//	go run ./examples/mailserver
//
// -h lists the flags; each is a key of the -config file too (mailserver.conf).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	c, err := parseConfig(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends it at once
		err = run(ctx, c, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mailserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then stops gracefully: sessions finish their
// message, attempts in flight end, the rest waits on disk.
func run(ctx context.Context, c *config, out io.Writer, log *slog.Logger) error {
	sys, err := newSystem(ctx, c, out, log)
	if err != nil {
		return err
	}
	defer sys.spool.Close()
	if err := sys.listen(); err != nil {
		return err
	}
	failed := make(chan error, len(sys.servers)+1)
	for _, s := range sys.servers {
		go func() { failed <- fmt.Errorf("%s: %w", s.name, s.serve(s.listener)) }()
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx)) // that ctx ends is no failure of the queue
	defer stop()
	go func() { failed <- fmt.Errorf("queue: %w", sys.queue.Run(running)) }()
	log.Info("ready", sys.addresses()...)
	sys.howToTry(out)

	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-failed:
	}
	stop()
	bye, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var sessions sync.WaitGroup
	for _, s := range sys.servers {
		sessions.Go(func() {
			if err := s.Shutdown(bye); err != nil {
				log.Warn("sessions were cut off", "server", s.name, "err", err)
			}
		})
	}
	sessions.Wait()
	if err := sys.queue.Shutdown(bye); err != nil {
		log.Warn("deliveries were cut off", "err", err)
	}
	sys.relay.Close()
	return err
}
