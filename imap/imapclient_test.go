package imap_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts/imap"
)

// peer is go-imap's client on a server with three messages.
type peer struct {
	*imapclient.Client
	*rig
	t *testing.T
}

// peerMessages are a thread of two, and one with an attachment.
var peerMessages = []string{
	"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nFrom: Ann <ann@example.com>\r\nTo: bob@example.com\r\nCc: cy@example.com\r\nSubject: Plans\r\nMessage-ID: <1@x>\r\n\r\nTea at four\r\n",
	"Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nFrom: Bob <bob@example.com>\r\nTo: ann@example.com\r\nBcc: dan@example.com\r\nSubject: Re: Plans\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\nAt five, na\xc3\xafve\r\n",
	"Date: Sun, 1 Mar 2026 10:00:00 +0000\r\nFrom: cy@example.com\r\nSubject: A file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee there\r\n--x\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nMSwy\r\n--x--\r\n",
}

func newPeer(t *testing.T, options *imapclient.Options, configure func(*imap.Server)) peer {
	r := start(t, configure)
	r.fill(peerMessages...)
	nc, err := r.l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := imapclient.New(nc, options)
	t.Cleanup(func() { c.Close() })
	return peer{c, r, t}
}

func (p peer) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// inState checks the client's state, which it notes only after it has told of the response
// that made it so: once it has told of another, that is done.
func (p peer) inState(want goimap.ConnState) {
	p.t.Helper()
	p.ok(p.Noop().Wait())
	same(p, "state", p.State(), want)
}

// same fails unless got is want.
func same[T any](p peer, what string, got, want T) {
	p.t.Helper()
	if !reflect.DeepEqual(got, want) {
		p.t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// refused fails unless err is of this type, or of this code.
func (p peer) refused(err error, want string) {
	p.t.Helper()
	e, ok := errors.AsType[*goimap.Error](err)
	if !ok || string(e.Type) != want && string(e.Code) != want {
		p.t.Errorf("got %v, want %s", err, want)
	}
}

func (p peer) names(options *goimap.ListOptions) (names []string) {
	p.t.Helper()
	list, err := p.List("", "*", options).Collect()
	p.ok(err)
	for _, l := range list {
		names = append(names, l.Mailbox)
	}
	return names
}

// imapclientMethods are the methods of Client, each with what shows that it does against us
// what it should. Before those in notLoggedIn nobody has logged in; before the others INBOX
// is selected.
var imapclientMethods = map[string]func(p peer){
	"WaitGreeting": func(p peer) { p.ok(p.WaitGreeting()); same(p, "state", p.State(), goimap.ConnStateNotAuthenticated) },
	"Login": func(p peer) {
		p.refused(p.Login("alice", "wrong").Wait(), "AUTHENTICATIONFAILED")
		p.ok(p.Login("alice", "open sesame").Wait())
	},
	"Authenticate": func(p peer) {
		p.ok(p.Authenticate(gosasl.NewPlainClient("", "alice", "open sesame")))
		p.inState(goimap.ConnStateAuthenticated)
	},
	"Unauthenticate": func(p peer) {
		p.ok(p.Unauthenticate().Wait())
		p.inState(goimap.ConnStateNotAuthenticated)
		p.ok(p.Login("bob", "open sesame").Wait())
		st, err := p.Status("INBOX", &goimap.StatusOptions{NumMessages: true}).Wait()
		p.ok(err)
		same(p, "messages of bob's", *st.NumMessages, 0)
	},
	"Capability": func(p peer) {
		caps, err := p.Capability().Wait()
		p.ok(err)
		same(p, "capabilities", caps, p.Caps())
	},
	"Caps": func(p peer) {
		for _, want := range []goimap.Cap{goimap.CapIMAP4rev1, goimap.CapIMAP4rev2, goimap.CapMove, goimap.CapCondStore, goimap.CapSort, goimap.CapLiteralPlus} {
			if !p.Caps().Has(want) {
				p.t.Errorf("%s is not offered", want)
			}
		}
		for _, not := range []goimap.Cap{goimap.CapACL, goimap.CapMetadata, goimap.CapLiteralMinus} {
			if _, ok := p.Caps()[not]; ok {
				p.t.Errorf("%s is offered", not)
			}
		}
	},
	"State":  func(p peer) { p.inState(goimap.ConnStateSelected) },
	"Logout": func(p peer) { p.ok(p.Logout().Wait()); <-p.Closed() },
	"Close":  func(p peer) { p.ok(p.Client.Close()); <-p.Closed() },
	"Closed": func(p peer) {
		select {
		case <-p.Closed():
			p.t.Error("closed")
		default:
		}
	},
	"Noop": func(p peer) { p.ok(p.Noop().Wait()) },
	"ID": func(p peer) {
		if _, err := p.ID(&goimap.IDData{Name: "test", Version: "1"}).Wait(); err != nil {
			p.t.Error(err)
		}
	},
	"Enable": func(p peer) {
		p.ok(p.Unselect().Wait())
		got, err := p.Enable(goimap.CapIMAP4rev2, goimap.CapUTF8Accept).Wait()
		p.ok(err)
		same(p, "enabled", got.Caps, goimap.CapSet{goimap.CapIMAP4rev2: {}, goimap.CapUTF8Accept: {}})
		p.ok(p.Create("Entwürfe", nil).Wait())
		same(p, "names", p.names(nil), []string{"INBOX", "Entwürfe"})
	},
	"Namespace": func(p peer) {
		got, err := p.Namespace().Wait()
		p.ok(err)
		same(p, "personal", got.Personal, []goimap.NamespaceDescriptor{{Delim: '/'}})
	},
	"Create": func(p peer) {
		p.ok(p.Create("Jürgen", &goimap.CreateOptions{SpecialUse: []goimap.MailboxAttr{goimap.MailboxAttrDrafts}}).Wait())
		p.refused(p.Create("Jürgen", nil).Wait(), "ALREADYEXISTS")
		same(p, "special", p.names(&goimap.ListOptions{SelectSpecialUse: true}), []string{"Jürgen"})
	},
	"Delete": func(p peer) {
		p.ok(p.Create("Old", nil).Wait())
		p.ok(p.Delete("Old").Wait())
		p.refused(p.Delete("Old").Wait(), "NONEXISTENT")
	},
	"Rename": func(p peer) {
		p.ok(p.Create("Old", nil).Wait())
		p.ok(p.Rename("Old", "New", nil).Wait())
		same(p, "names", p.names(nil), []string{"INBOX", "New"})
	},
	"Subscribe": func(p peer) {
		p.ok(p.Subscribe("INBOX").Wait())
		same(p, "subscribed", p.names(&goimap.ListOptions{SelectSubscribed: true}), []string{"INBOX"})
	},
	"Unsubscribe": func(p peer) {
		p.ok(p.Subscribe("INBOX").Wait())
		p.ok(p.Unsubscribe("INBOX").Wait())
		same(p, "subscribed", p.names(&goimap.ListOptions{SelectSubscribed: true}), nil)
	},
	"List": func(p peer) {
		p.ok(p.Create("A/B", nil).Wait())
		p.ok(p.Subscribe("A/B").Wait())
		same(p, "recursive", p.names(&goimap.ListOptions{SelectSubscribed: true, SelectRemote: true, SelectRecursiveMatch: true}), []string{"A/B"})
		got, err := p.List("", "A%", &goimap.ListOptions{ReturnSubscribed: true, ReturnChildren: true, ReturnSpecialUse: true}).Collect()
		p.ok(err)
		if len(got) != 1 || got[0].Delim != '/' || !slices.Contains(got[0].Attrs, goimap.MailboxAttrHasChildren) {
			p.t.Errorf("%+v", got)
		}
		got, err = p.List("", "INBOX", &goimap.ListOptions{ReturnStatus: &goimap.StatusOptions{NumMessages: true, UIDNext: true}}).Collect()
		p.ok(err)
		if len(got) != 1 || got[0].Status == nil || *got[0].Status.NumMessages != 3 || got[0].Status.UIDNext != 4 {
			p.t.Errorf("%+v", got)
		}
	},
	"Status": func(p peer) {
		st, err := p.Status("INBOX", &goimap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true, NumUnseen: true, NumDeleted: true, Size: true, AppendLimit: true, DeletedStorage: true, HighestModSeq: true}).Wait()
		p.ok(err)
		size := len(strings.Join(peerMessages, ""))
		if *st.NumMessages != 3 || st.UIDNext != 4 || st.UIDValidity != 1 || *st.NumUnseen != 3 || *st.NumDeleted != 0 || *st.Size != int64(size) || *st.DeletedStorage != 0 || st.HighestModSeq == 0 || st.AppendLimit == nil {
			p.t.Errorf("%+v", st)
		}
	},
	"GetQuota": func(p peer) {
		root, err := p.GetQuotaRoot("INBOX").Wait()
		p.ok(err)
		if len(root) != 1 {
			p.t.Fatalf("%+v", root)
		}
		got, err := p.GetQuota(root[0].Root).Wait()
		p.ok(err)
		same(p, "quota", *got, root[0])
	},
	"GetQuotaRoot": func(p peer) {
		got, err := p.GetQuotaRoot("INBOX").Wait()
		p.ok(err)
		if len(got) != 1 || got[0].Resources[goimap.QuotaResourceMessage] != (imapclient.QuotaResourceData{Usage: 3, Limit: 100}) {
			p.t.Errorf("%+v", got)
		}
	},
	"SetQuota": func(p peer) {
		p.refused(p.SetQuota("", map[goimap.QuotaResourceType]int64{goimap.QuotaResourceMessage: 5}).Wait(), "NO")
	},
	// A later part of the server has these; until then it says that it does not know them.
	"GetACL": func(p peer) { _, err := p.GetACL("INBOX").Wait(); p.refused(err, "BAD") },
	"SetACL": func(p peer) {
		p.refused(p.SetACL("INBOX", "bob", goimap.RightModificationReplace, goimap.RightSet("lr")).Wait(), "BAD")
	},
	"MyRights": func(p peer) { _, err := p.MyRights("INBOX").Wait(); p.refused(err, "BAD") },
	"GetMetadata": func(p peer) {
		_, err := p.GetMetadata("INBOX", []string{"/private/comment"}, nil).Wait()
		p.refused(err, "BAD")
	},
	"SetMetadata": func(p peer) {
		value := []byte("x")
		p.refused(p.SetMetadata("INBOX", map[string]*[]byte{"/private/comment": &value}).Wait(), "BAD")
	},
}

var notLoggedIn = []string{"WaitGreeting", "Login", "Authenticate"}

// Every method of go-imap's client works against the server.
func TestIMAPClient(t *testing.T) {
	client := reflect.TypeFor[*imapclient.Client]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		test := imapclientMethods[name]
		if test == nil {
			test = imapclientMessageMethods[name]
		}
		if test == nil {
			t.Errorf("nobody tests Client.%s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, nil, func(s *imap.Server) { s.Backend = limitedMemory() })
			if !slices.Contains(notLoggedIn, name) {
				p.ok(p.Login("alice", "open sesame").Wait())
				_, err := p.Select("INBOX", nil).Wait()
				p.ok(err)
				p.inState(goimap.ConnStateSelected)
			}
			test(p)
			if p.State() != goimap.ConnStateLogout {
				p.ok(p.Noop().Wait())
			}
		})
	}
}

// STARTTLS is done by a constructor.
func TestIMAPClientStartTLS(t *testing.T) {
	https := httptest.NewTLSServer(nil)
	defer https.Close()
	r := start(t, func(s *imap.Server) {
		s.TLSConfig, s.AllowInsecureAuth = &tls.Config{Certificates: https.TLS.Certificates}, false
	})
	nc, err := r.l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	debug := new(logBuffer) // the client writes to it from two goroutines
	c, err := imapclient.NewStartTLS(nc, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}, DebugWriter: debug})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login("alice", "open sesame").Wait(); err != nil {
		t.Error(err)
	}
	c.Close()
	if !strings.Contains(debug.String(), "LOGINDISABLED") {
		t.Error("no LOGINDISABLED before STARTTLS")
	}
}

// A delivery in IDLE reaches the handler.
func TestIMAPClientIdleTells(t *testing.T) {
	told := make(chan uint32, 10)
	p := newPeer(t, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
		if d.NumMessages != nil {
			told <- *d.NumMessages
		}
	}}}, nil)
	p.ok(p.Login("alice", "open sesame").Wait())
	_, err := p.Select("INBOX", nil).Wait()
	p.ok(err)
	idle, err := p.Idle()
	p.ok(err)
	p.fill("4\r\n")
	select {
	case n := <-told:
		same(p, "EXISTS", n, 4)
	case <-time.After(20 * time.Second):
		t.Error("nothing was told")
	}
	p.ok(idle.Close())
	p.ok(idle.Wait())
}
