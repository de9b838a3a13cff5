package mailtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts/mailtest"
)

// looseServer is a server with faults; the zero value has none.
type looseServer struct {
	ends       []string // taken for an end of data beside CRLF.CRLF
	deaf       string   // hides an end of data that follows it
	bare       bool     // lets CR and LF alone pass
	strict     bool     // refuses dots at the start of a line
	cuts       bool     // drops what follows an end of its own
	unstuffed  bool     // leaves the dots of transparency in
	bits       int      // of the size of a chunk
	runs       bool     // runs a chunk that it refuses as commands
	mixes      bool     // takes DATA after a chunk
	dots       bool     // looks for an end of data in chunks
	noChunking bool

	mu       sync.Mutex
	messages []string
}

func (s *looseServer) kit(t *testing.T) mailtest.SmugglingKit {
	l := mailtest.NewListener()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				s.serve(&loosePeer{nc, bufio.NewReader(nc)})
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return mailtest.SmugglingKit{
		Dial:    func(ctx context.Context) (net.Conn, error) { return l.Dial(ctx, "", "") },
		Timeout: 5 * time.Second,
		Received: func() []string {
			s.mu.Lock()
			defer s.mu.Unlock()
			defer func() { s.messages = nil }()
			return s.messages
		},
	}
}

type loosePeer struct {
	net.Conn
	r *bufio.Reader
}

func (p *loosePeer) say(line string) { io.WriteString(p, line+"\r\n") }

func (s *looseServer) serve(p *loosePeer) {
	p.say("220 loose")
	var mail, rcpt bool
	var chunks strings.Builder
	for {
		l, err := p.r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(l, "\r\n"), " ")
		switch {
		case verb == "EHLO" && s.noChunking:
			p.say("250 loose")
		case verb == "EHLO":
			p.say("250-loose\r\n250 CHUNKING")
		case verb == "MAIL" && !mail, verb == "RCPT" && mail, verb == "NOOP":
			mail, rcpt = mail || verb == "MAIL", rcpt || verb == "RCPT"
			p.say("250 OK")
		case verb == "RSET":
			mail, rcpt = false, false
			chunks.Reset()
			p.say("250 OK")
		case verb == "DATA" && rcpt && (chunks.Len() == 0 || s.mixes):
			p.say("354 go")
			text, ok := s.content(p)
			if !ok {
				return
			}
			s.take(p, text)
			mail, rcpt = false, false
		case verb == "BDAT":
			size, last, err := s.size(arg)
			if (err != nil || !rcpt) && s.runs {
				p.say("503 no")
				continue
			}
			if err != nil || !rcpt {
				p.say("421 no")
				return
			}
			if _, err := io.CopyN(&chunks, p.r, int64(size)); err != nil {
				return
			}
			if !last {
				p.say("250 OK")
				continue
			}
			text := chunks.String()
			chunks.Reset()
			mail, rcpt = false, false
			if first, rest, found := strings.Cut(text, "\r\n.\r\n"); s.dots && found {
				text = first + "\r\n"
				p.r = bufio.NewReader(io.MultiReader(strings.NewReader(rest), p.r))
			}
			s.take(p, text)
		case verb == "QUIT":
			p.say("221 bye")
			return
		default:
			p.say("500 what?")
		}
	}
}

// size is that of a chunk.
func (s *looseServer) size(arg string) (size uint64, last bool, err error) {
	number, word, _ := strings.Cut(arg, " ")
	if last = word == "LAST"; !last && word != "" {
		return 0, false, errors.New("a word too many")
	}
	if s.bits == 0 {
		if strings.ContainsAny(number, "+-x") {
			return 0, false, errors.New("no number")
		}
		size, err = strconv.ParseUint(number, 10, 31)
		return size, last, err
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return 0, false, errors.New("no number")
		}
		size = size*10 + uint64(c-'0')
	}
	return size & (1<<s.bits - 1), last, nil
}

// content reads a message up to what s takes for its end.
func (s *looseServer) content(p *loosePeer) (string, bool) {
	text := []byte("\r\n") // the end of DATA
	for {
		c, err := p.r.ReadByte()
		if err != nil {
			return "", false
		}
		text = append(text, c)
		for _, end := range append(s.ends, "\r\n.\r\n") {
			tail := string(text[max(0, len(text)-20):])
			if !strings.HasSuffix(tail, end) || s.deaf != "" && strings.HasSuffix(tail, s.deaf+end) {
				continue
			}
			got := string(text[2:max(2, len(text)-len(end))]) + "\r\n"
			if end != "\r\n.\r\n" && s.cuts {
				s.skip(p)
			}
			if !s.unstuffed {
				got = strings.ReplaceAll("\r\n"+got, "\r\n.", "\r\n")[2:]
			}
			return got, true
		}
	}
}

// skip reads on to the end of data.
func (s *looseServer) skip(p *loosePeer) {
	for l, err := p.r.ReadString('\n'); l != ".\r\n" && err == nil; l, err = p.r.ReadString('\n') {
	}
}

// take answers a message.
func (s *looseServer) take(p *loosePeer, text string) {
	rest := strings.ReplaceAll(text, "\r\n", "")
	switch {
	case !s.bare && strings.ContainsAny(rest, "\r\n"):
		p.say("550 CR or LF alone")
		return
	case s.strict && strings.Contains(text, "\r\n."):
		p.say("550 a dot")
		return
	}
	s.mu.Lock()
	s.messages = append(s.messages, text)
	s.mu.Unlock()
	p.say("250 OK")
}

func TestSmugglingKitPassesWhatIsRight(t *testing.T) {
	new(looseServer).kit(t).Test(t)
}

// Whoever takes a false end for an end is found, for each of them: by what follows
// that is run, or by what is missing.
func TestSmugglingKitBites(t *testing.T) {
	for _, v := range mailtest.SmugglingVectors() {
		if v.Begin != "DATA" || v.Kind == mailtest.TrueEnd {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			end := v.End
			if strings.HasPrefix(v.Octets, end) {
				end = "\r\n" + end
			}
			for _, s := range []*looseServer{{ends: []string{end}}, {ends: []string{end}, cuts: true}} {
				if err := s.kit(t).Try(t.Context(), v); err == nil {
					t.Errorf("%q is taken for an end (what follows is cut: %v), and not found", v.End, s.cuts)
				}
			}
			s := &looseServer{ends: []string{end}}
			kit := s.kit(t)
			kit.Received = nil
			if err := kit.Try(t.Context(), v); err == nil {
				t.Errorf("%q is taken for an end, and not found by replies", v.End)
			}
		})
	}
}

// Each other fault is found by the vectors that are about it.
func TestSmugglingKitBitesOtherFaults(t *testing.T) {
	for name, test := range map[string]struct {
		server *looseServer
		by     []string // names of vectors
		want   string
	}{
		"CR alone hides an end":     {&looseServer{deaf: "\r"}, []string{"CRCRLF.CRLF"}, "the end of the message was not seen"},
		"LF alone hides an end":     {&looseServer{deaf: "\n"}, []string{"LFCRLF.CRLF"}, "the end of the message was not seen"},
		"bare octets pass":          {&looseServer{bare: true}, []string{"LF.LF", "CR.CR", "LF.CRLF", "CRCRLF.CRLF", "LF alone in a chunk"}, "CR or LF alone in it"},
		"dots are refused":          {&looseServer{strict: true}, []string{"CRLF..CRLF"}, "a legal message was refused"},
		"dots are left in":          {&looseServer{unstuffed: true}, []string{"CRLF..CRLF", "CRLF.xCRLF"}, "a message was changed"},
		"sizes wrap at 32 bits":     {&looseServer{bits: 32}, []string{"chunk of 2^32 and more"}, "run as commands"},
		"sizes wrap at 64 bits":     {&looseServer{bits: 63}, []string{"chunk of 2^64 and more"}, "run as commands"},
		"refused chunks are run":    {&looseServer{runs: true}, []string{"chunk outside of a transaction", "chunk of a word too many", "chunk of 2^32 and more", "chunk of 2^64 and more", "chunk of a negative size", "chunk of a hexadecimal size", "chunk of a size with a sign", "chunk of no size"}, "run as commands"},
		"DATA mixes with chunks":    {&looseServer{mixes: true}, []string{"DATA after a chunk"}, "DATA was taken"},
		"chunks have an end inside": {&looseServer{dots: true}, []string{"end in a chunk"}, "run as commands"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kit := test.server.kit(t)
				for _, v := range mailtest.SmugglingVectors() {
					if !slices.Contains(test.by, v.Name) {
						continue
					}
					test.by = slices.DeleteFunc(test.by, func(name string) bool { return name == v.Name })
					if err := kit.Try(t.Context(), v); err == nil || !strings.Contains(err.Error(), test.want) {
						t.Errorf("%s: got %v, want %q", v.Name, err, test.want)
					}
				}
				if len(test.by) > 0 {
					t.Errorf("there are no vectors %q", test.by)
				}
			})
		})
	}
}

// What is not offered cannot be tested.
func TestSmugglingKitSkips(t *testing.T) {
	kit := (&looseServer{noChunking: true}).kit(t)
	for _, v := range mailtest.SmugglingVectors() {
		if v.Needs == "" {
			continue
		}
		if err := kit.Try(t.Context(), v); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

// The vectors can be told apart, and are what they say.
func TestSmugglingVectors(t *testing.T) {
	names := map[string]bool{}
	for _, v := range mailtest.SmugglingVectors() {
		if v.About == "" || names[v.Name] {
			t.Errorf("%q: nothing about it, or its name again", v.Name)
		}
		names[v.Name] = true
		ends := strings.Count("\r\n"+v.Octets, "\r\n.\r\n")
		if want := 1; v.Begin == "DATA" && ends != want {
			t.Errorf("%q has %d ends of data", v.Name, ends)
		}
	}
	for _, name := range []string{"LF.LF", "LF.CRLF", "CR.CR", "CRLF.LF", "CRLF.CR", "CR.CRLF", "LF.CR", "CRCRLF.CRLF", "CRLFNUL.CRLF", "CRLF.NULCRLF", "CRLF.CRLF"} {
		if !names[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// go-smtp's server lets CR and LF alone pass, does not see CRLF.CRLF after a CR,
// and runs a chunk whose size it cannot read.
func TestSmugglingFindsTheDefectsOfGoSMTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mailtest.NewListener()
		b := new(goBackend)
		s := gosmtp.NewServer(b)
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
		kit := mailtest.SmugglingKit{
			Dial:     func(ctx context.Context) (net.Conn, error) { return l.Dial(ctx, "", "") },
			Received: b.taken,
		}
		found := map[string]string{}
		for _, v := range mailtest.SmugglingVectors() {
			if err := kit.Try(t.Context(), v); err != nil {
				found[v.Name] = err.Error()
			}
		}
		for name, want := range map[string]string{
			"LF.LF":                  "CR or LF alone",
			"CR.CR":                  "CR or LF alone",
			"CRCRLF.CRLF":            "the end of the message was not seen",
			"chunk of 2^32 and more": "run as commands",
		} {
			if !strings.Contains(found[name], want) {
				t.Errorf("%s: found %q, want %q", name, found[name], want)
			}
		}
		for _, name := range []string{"CRLF.CRLF", "CRLF..CRLF", "end in a chunk"} {
			if found[name] != "" {
				t.Errorf("%s: %s", name, found[name])
			}
		}
	})
}

// goBackend is a Backend of go-smtp that keeps what it takes.
type goBackend struct {
	mu       sync.Mutex
	messages []string
}

func (b *goBackend) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return b, nil }
func (b *goBackend) Mail(string, *gosmtp.MailOptions) error          { return nil }
func (b *goBackend) Rcpt(string, *gosmtp.RcptOptions) error          { return nil }
func (b *goBackend) Reset()                                          {}
func (b *goBackend) Logout() error                                   { return nil }

func (b *goBackend) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, string(text))
	return nil
}

func (b *goBackend) taken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.messages = nil }()
	return b.messages
}

// Any server's author can run the vectors: here one that stops at LF.CRLF.
func ExampleSmugglingVectors() {
	t := new(testing.T) // the test's own
	kit := (&looseServer{ends: []string{"\n.\r\n"}}).kit(t)
	for _, v := range mailtest.SmugglingVectors() {
		if v.Name != "LF.CRLF" && v.Name != "LF.LF" {
			continue
		}
		if err := kit.Try(context.Background(), v); err != nil {
			fmt.Println(v.Name, "smuggles:", v.About)
		}
	}
	// Output: LF.CRLF smuggles: Postfix, Sendmail and Exim took it for an end (CVE-2023-51764, -51765, -51766)
}
