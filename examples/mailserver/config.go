package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// config is what the flags and the file say.
type config struct {
	data     string
	hostname hostname
	domains  domains
	users    users
	dnsbl    domains
	greylist bool

	smtp, submission, submissions, lmtp, pop3, pop3s, imap, imaps listenAddr

	tlsCert, tlsKey            string
	smarthost, resolver, spamd hostPort
}

// flags binds every field to its flag, whose name is the key in the file too.
func (c *config) flags() *flag.FlagSet {
	c.hostname = "localhost"
	c.smtp.addr, c.submission.addr, c.submissions.addr = "127.0.0.1:2525", "127.0.0.1:2587", "127.0.0.1:2465"
	c.lmtp.addr, c.pop3.addr, c.pop3s.addr = "127.0.0.1:2024", "127.0.0.1:2110", "127.0.0.1:2995"
	c.imap.addr, c.imaps.addr = "127.0.0.1:2143", "127.0.0.1:2993"
	fs := flag.NewFlagSet("mailserver", flag.ContinueOnError)
	fs.StringVar(&c.data, "data", "mailserver-data", "`folder` of users, mail, queue and certificate, made if need be")
	fs.Var(&c.hostname, "hostname", "`name` of this server in greetings and Received fields")
	fs.Var(&c.domains, "domain", "a `name` whose mail is ours; may be repeated (default example.test)")
	fs.Var(&c.users, "user", "`NAME:PASSWORD` to add or change; may be repeated (default: alice and bob, made at the first start)")
	fs.Var(&c.smtp, "smtp", "`address` for other mail servers (MTA), or off")
	fs.Var(&c.submission, "submission", "`address` for users' mail with STARTTLS (MSA), or off")
	fs.Var(&c.submissions, "submissions", "`address` for users' mail over TLS (MSA), or off")
	fs.Var(&c.lmtp, "lmtp", "`address` for a mail server in front of this one (MDA), or off; it asks for no password")
	fs.Var(&c.pop3, "pop3", "`address` for POP3 with STLS, or off")
	fs.Var(&c.pop3s, "pop3s", "`address` for POP3 over TLS, or off")
	fs.Var(&c.imap, "imap", "`address` for IMAP with STARTTLS, or off")
	fs.Var(&c.imaps, "imaps", "`address` for IMAP over TLS, or off")
	fs.StringVar(&c.tlsCert, "tls-cert", "", "PEM `file` with the certificate (default: self-signed, made in the data folder)")
	fs.StringVar(&c.tlsKey, "tls-key", "", "PEM `file` with the certificate's key")
	fs.Var(&c.smarthost, "smarthost", "`HOST:PORT` that takes all outgoing mail (default: the MX of each domain)")
	fs.Var(&c.resolver, "resolver", "`HOST:PORT` of the DNS resolver (default: the system's)")
	fs.Var(&c.dnsbl, "dnsbl", "a `zone` of the DNS with addresses whose mail is refused; may be repeated")
	fs.BoolVar(&c.greylist, "greylist", false, "make strangers send again")
	fs.Var(&c.spamd, "spamd", "`HOST:PORT` of SpamAssassin's spamd (default: no spam filter)")
	return fs
}

// parseConfig reads the command line, and the file that -config names. The
// command line rules where both speak.
func parseConfig(args []string, out io.Writer) (*config, error) {
	c := new(config)
	fs := c.flags()
	fs.SetOutput(out)
	file := fs.String("config", "", "`file` with a line \"key value\" for any of these flags")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if *file != "" {
		if err := readConfig(fs, *file); err != nil {
			return nil, err
		}
	}
	if len(c.domains) == 0 {
		c.domains = domains{"example.test"}
	}
	if (c.tlsCert == "") != (c.tlsKey == "") {
		return nil, errors.New("tls-cert and tls-key go together")
	}
	return c, nil
}

// readConfig sets from the file what the command line did not.
func readConfig(fs *flag.FlagSet, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, value := line, ""
		if i := strings.IndexAny(line, " \t"); i > 0 {
			key, value = line[:i], strings.TrimSpace(line[i:])
		}
		if fs.Lookup(key) == nil || key == "config" {
			return fmt.Errorf("%s:%d: unknown key %q", name, n, key)
		}
		if value == "" {
			return fmt.Errorf("%s:%d: %s has no value", name, n, key)
		}
		if given[key] {
			continue
		}
		if err := fs.Set(key, value); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", name, n, key, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// listenAddr is where to listen.
type listenAddr struct {
	addr  string // "host:port", or "" for off
	given bool   // not the default
}

func (a *listenAddr) String() string { return a.addr }

func (a *listenAddr) Set(s string) error {
	if s == "off" {
		*a = listenAddr{given: true}
		return nil
	}
	*a = listenAddr{s, true}
	return checkHostPort(s)
}

// hostPort is another server's "host:port".
type hostPort string

func (h *hostPort) String() string     { return string(*h) }
func (h *hostPort) Set(s string) error { *h = hostPort(s); return checkHostPort(s) }

func checkHostPort(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not host:port", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no port number", port)
	}
	return nil
}

// hostname is what the server calls itself, to clients without SMTPUTF8 too and
// in its certificate: A-labels only.
type hostname string

func (h *hostname) String() string { return string(*h) }

func (h *hostname) Set(s string) error {
	*h = hostname(s)
	if !mailparts.Address(s).IsASCII() {
		return fmt.Errorf("%q is not ASCII: write its A-labels (xn--…)", s)
	}
	return checkDomain(s)
}

func checkDomain(s string) error {
	if _, err := mailparts.ParseAddress("postmaster@" + s); err != nil {
		return fmt.Errorf("%q is not a domain", s)
	}
	return nil
}

// domains are the names whose mail is ours.
type domains []string

func (d *domains) String() string { return strings.Join(*d, " ") }

func (d *domains) Set(s string) error {
	*d = append(*d, strings.ToLower(s))
	return checkDomain(s)
}

// users are names and passwords to add.
type users []struct{ name, password string }

// String does not tell the passwords.
func (u *users) String() string { return "" }

func (u *users) Set(s string) error {
	name, password, ok := strings.Cut(s, ":")
	if !ok || name == "" || password == "" {
		return errors.New("a user is NAME:PASSWORD")
	}
	*u = append(*u, struct{ name, password string }{name, password})
	return nil
}
