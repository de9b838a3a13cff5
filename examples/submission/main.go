// Command submission takes the mail of its users and sends it to where it belongs:
// on port 587 with STARTTLS and on port 465 with TLS from the start. A user may
// send as the address that is its name, to 500 recipients an hour. It needs in its
// folder a certificate (cert.pem, key.pem) and a password file, which package
// sasl/passwd describes:
//
//	htpasswd -nB alice@example.org >users
//	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/throttle"
	"github.com/mailparts/mailparts/queue"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/sasl/passwd"
	"github.com/mailparts/mailparts/smtp"
)

func main() {
	cert, err1 := tls.LoadX509KeyPair("cert.pem", "key.pem")
	users, err2 := passwd.Open("users")
	spool, err3 := queue.Open("spool")
	starttls, err4 := net.Listen("tcp", ":587")
	implicit, err5 := net.Listen("tcp", ":465")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		log.Fatal(err)
	}
	q := &queue.Queue{Spool: spool, Routes: queue.Routes{"*": &smtp.Relay{}}}
	s := newServer(cert, users, q)
	go func() { log.Fatal(q.Run(context.Background())) }()
	go func() { log.Fatal(s.Serve(starttls)) }()
	log.Fatal(s.ServeTLS(implicit))
}

func newServer(cert tls.Certificate, users sasl.Authenticator, d mailparts.Deliverer) *smtp.Server {
	rules := &smtp.Submission{Own: own, CheckFrom: true}
	limit := &throttle.Limiter{Events: 500, Per: time.Hour, By: throttle.User}
	return &smtp.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		Auth:      users, RequireAuth: true, RequireTLS: true, NormalizeLines: true,
		Receiver: mailparts.Chain(mailparts.AsReceiver(d), rules.Filter, mailparts.OnRcpt(limit.Rcpt)),
	}
}

func own(_ context.Context, user string, a mailparts.Address) (bool, error) {
	return strings.EqualFold(user, string(a)), nil
}
