package smtp_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// paramTest is what a Deliver asks of a server that offers these extensions, at
// the time at which every bubble of synctest begins, 2000-01-01T00:00:00Z.
type paramTest struct {
	name       string
	extensions []string
	env        func(*mailparts.Envelope) // it is to b@example.com
	mail, rcpt string                    // parameters, from their space on
	refused    string                    // or code and status
}

func (test *paramTest) run(t *testing.T) {
	c, nc := cannedClient(t, "250 ok\r\n550 stop\r\n", test.extensions...)
	env := letter("b@example.com")
	test.env(env)
	err := c.Deliver(t.Context(), env, text("hello\r\n"))
	want, code := "", test.refused
	if code == "" {
		want = "MAIL FROM:<" + string(env.From) + ">" + test.mail + "\r\nRCPT TO:<b@example.com>" + test.rcpt + "\r\n"
		code = "550"
	}
	if got := nc.written.String(); got != want || codes(err, 1) != code {
		t.Errorf("%v, sent\n     %q\nwant %q and %s", err, got, want, code)
	}
}

func bubbles(t *testing.T, tests []paramTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { synctest.Test(t, test.run) })
	}
}

func TestDSNParameters(t *testing.T) {
	rcpt := func(notify mailparts.Notify, orcpt string) func(*mailparts.Envelope) {
		return func(e *mailparts.Envelope) { e.To[0].Notify, e.To[0].ORcpt = notify, orcpt }
	}
	envID := func(id string) func(*mailparts.Envelope) {
		return func(e *mailparts.Envelope) { e.EnvID = id }
	}
	all := mailparts.NotifySuccess | mailparts.NotifyFailure | mailparts.NotifyDelay
	dsn, both := []string{"DSN"}, []string{"DSN", "SMTPUTF8"}
	bubbles(t, []paramTest{
		// RFC 3461 section 10.
		{name: "the RFC's example", extensions: dsn, env: func(e *mailparts.Envelope) {
			e.Ret, e.EnvID = "HDRS", "QQ314159"
			e.To[0].Notify, e.To[0].ORcpt = mailparts.NotifySuccess|mailparts.NotifyFailure, "rfc822;Dana@Ivory.EDU"
		}, mail: " RET=HDRS ENVID=QQ314159", rcpt: " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Dana@Ivory.EDU"},
		{name: "not offered", env: func(e *mailparts.Envelope) { // section 5.2.2 (a)
			e.Ret, e.EnvID = "HDRS", "QQ314159"
			e.To[0].Notify, e.To[0].ORcpt = mailparts.NotifyNever, "rfc822;Dana@Ivory.EDU"
		}},
		{name: "nothing asked for", extensions: dsn, env: func(*mailparts.Envelope) {}}, // section 5.2.1

		{name: "RET=FULL", extensions: dsn, env: func(e *mailparts.Envelope) { e.Ret = "FULL" }, mail: " RET=FULL"},
		{name: "another RET", extensions: dsn, env: func(e *mailparts.Envelope) { e.Ret = "FULL SIZE=1" }, refused: "501 5.5.4"},
		{name: "ENVID in xtext", extensions: dsn, env: envID("a+b=c d"), mail: " ENVID=a+2Bb+3Dc+20d"},
		{name: "ENVID of 100", extensions: dsn, env: envID(strings.Repeat("x", 100)), mail: " ENVID=" + strings.Repeat("x", 100)},
		{name: "ENVID of 101", extensions: dsn, env: envID(strings.Repeat("x", 101)), refused: "501 5.5.4"},
		{name: "ENVID of two lines", extensions: dsn, env: envID("a\r\nQUIT"), refused: "501 5.5.4"},
		{name: "ENVID of 8 bits", extensions: dsn, env: envID("\u00e9"), refused: "501 5.5.4"},

		{name: "NEVER", extensions: dsn, env: rcpt(mailparts.NotifyNever, ""), rcpt: " NOTIFY=NEVER"},
		{name: "all", extensions: dsn, env: rcpt(all, ""), rcpt: " NOTIFY=SUCCESS,FAILURE,DELAY"},
		{name: "DELAY", extensions: dsn, env: rcpt(mailparts.NotifyDelay, ""), rcpt: " NOTIFY=DELAY"},
		{name: "NEVER with another", extensions: dsn, env: rcpt(mailparts.NotifyNever|mailparts.NotifyDelay, ""), refused: "501 5.5.4"},
		{name: "unknown", extensions: dsn, env: rcpt(128, ""), refused: "501 5.5.4"},

		{name: "ORCPT of another kind", extensions: dsn, env: rcpt(0, "x400;/C=de/PN=+1/"), rcpt: " ORCPT=x400;/C+3Dde/PN+3D+2B1/"},
		{name: "ORCPT without a type", extensions: dsn, env: rcpt(0, "b@example.com"), refused: "501 5.5.4"},
		{name: "ORCPT of no type", extensions: dsn, env: rcpt(0, ";b@example.com"), refused: "501 5.5.4"},
		{name: "ORCPT of an injected type", extensions: dsn, env: rcpt(0, "x NOTIFY=NEVER;b@example.com"), refused: "501 5.5.4"},
		{name: "ORCPT of nobody", extensions: dsn, env: rcpt(0, "rfc822;"), refused: "501 5.5.4"},
		{name: "ORCPT of two lines", extensions: dsn, env: rcpt(0, "rfc822;b\r\nQUIT"), refused: "501 5.5.4"},
		{name: "ORCPT of 501", extensions: dsn, env: rcpt(0, "rfc822;"+strings.Repeat("x", 494)), refused: "501 5.5.4"},

		// RFC 6533 section 3.
		{name: "utf-8 to a server without", extensions: dsn, env: rcpt(0, "utf-8;jos\u00e9@example.com"), rcpt: ` ORCPT=utf-8;jos\x{E9}@example.com`},
		{name: "utf-8 that only our encoding makes too long", extensions: dsn, env: rcpt(0, "utf-8;"+strings.Repeat("\u00e9", 150)+"@example.com"), rcpt: ""},
		{name: "utf-8 as it came, in ASCII", extensions: dsn, env: rcpt(0, `utf-8;"a\x{5C}\x{20}b"@example.com`), rcpt: ` ORCPT=utf-8;"a\x{5C}\x{20}b"@example.com`},
		{name: "utf-8 with what xtext encodes", extensions: dsn, env: rcpt(0, "UTF-8;a+b=c@example.com"), rcpt: ` ORCPT=utf-8;a\x{2B}b\x{3D}c@example.com`},
		{name: "a wrong type", extensions: dsn, env: rcpt(0, "rfc822;jos\u00e9@example.com"), rcpt: ` ORCPT=utf-8;jos\x{E9}@example.com`},
		{name: "utf-8 that is not", extensions: dsn, env: rcpt(0, "utf-8;\xff@example.com"), refused: "501 5.5.4"},
		{name: "utf-8 of two lines", extensions: dsn, env: rcpt(0, `utf-8;\x{0D}\x{0A}QUIT`), refused: "501 5.5.4"},
		{name: "native only with SMTPUTF8 in use", extensions: both, env: rcpt(0, "utf-8;jos\u00e9@example.com"), rcpt: ` ORCPT=utf-8;jos\x{E9}@example.com`},
		{name: "native", extensions: both, env: func(e *mailparts.Envelope) {
			e.UTF8, e.To[0].ORcpt = true, `utf-8;jos\x{E9}@example.com`
		}, mail: " SMTPUTF8", rcpt: " ORCPT=utf-8;jos\u00e9@example.com"},
	})
}

func TestTimeParameters(t *testing.T) {
	at := func(s float64) time.Time {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
	}
	by := func(s float64, ret, trace bool) func(*mailparts.Envelope) {
		return func(e *mailparts.Envelope) { e.By = mailparts.Deadline{Time: at(s), Return: ret, Trace: trace} }
	}
	hold := func(s float64) func(*mailparts.Envelope) {
		return func(e *mailparts.Envelope) { e.Hold = at(s) }
	}
	const future = "FUTURERELEASE 86400 2000-01-02T00:00:00Z"
	bubbles(t, []paramTest{
		// RFC 2852 section 6.
		{name: "BY with the seconds that are left", extensions: []string{"DELIVERBY 30"}, env: by(98.9, true, false), mail: " BY=98;R"},
		{name: "BY with Return, and DELIVERBY has a greater minimum", extensions: []string{"DELIVERBY 240"}, env: by(98, true, false), refused: "550 5.3.3"},
		{name: "the minimum itself", extensions: []string{"DELIVERBY 98,more"}, env: by(98, true, true), mail: " BY=98;RT"},
		{name: "BY with Return where nobody watches it", env: by(98, true, false), refused: "550 5.3.3"},
		{name: "BY with Return, too late", extensions: []string{"DELIVERBY"}, env: by(0.9, true, false), refused: "550 5.4.7"},
		{name: "the minimum is not for Notify", extensions: []string{"DELIVERBY 240"}, env: by(98, false, false), mail: " BY=98;N"},
		{name: "BY with Notify, late", extensions: []string{"DELIVERBY"}, env: by(-22, false, true), mail: " BY=-22;NT"},
		{name: "BY in a hundred years", extensions: []string{"DELIVERBY"}, env: by(3e9, false, false), mail: " BY=999999999;N"},
		{name: "BY a hundred years ago", extensions: []string{"DELIVERBY"}, env: by(-3e9, false, false), mail: " BY=-999999999;N"},
		{name: "BY with Notify where nobody watches it", env: by(98, false, false)},
		// Section 4.1.4.2.
		{name: "but DSN tells of delays", extensions: []string{"DSN"}, env: by(98, false, false), rcpt: " NOTIFY=FAILURE,DELAY"},
		{name: "to who wants to hear", extensions: []string{"DSN"}, env: func(e *mailparts.Envelope) {
			by(98, false, false)(e)
			e.To[0].Notify = mailparts.NotifySuccess
		}, rcpt: " NOTIFY=SUCCESS,DELAY"},
		{name: "and not to who does not", extensions: []string{"DSN"}, env: func(e *mailparts.Envelope) {
			by(98, false, false)(e)
			e.To[0].Notify = mailparts.NotifyNever
		}, rcpt: " NOTIFY=NEVER"},
		{name: "nor once it is late", extensions: []string{"DSN"}, env: by(-1, false, false)},

		// RFC 4865.
		{name: "held long enough", extensions: []string{future}, env: hold(-1)},
		{name: "to be held", extensions: []string{future}, env: hold(3600.5), mail: " HOLDUNTIL=2000-01-01T01:00:01Z"},
		{name: "to the limit", extensions: []string{future}, env: hold(86400), mail: " HOLDUNTIL=2000-01-02T00:00:00Z"},
		{name: "over the limit", extensions: []string{future}, env: hold(86401), refused: "451 4.3.3"},
		{name: "where nobody holds it", env: hold(1), refused: "451 4.3.3"},
		{name: "where the limit is nonsense", extensions: []string{"FUTURERELEASE 86400 tomorrow"}, env: hold(1), refused: "451 4.3.3"},
		{name: "a bounce", extensions: []string{future}, env: func(e *mailparts.Envelope) { // section 5.1.1
			hold(1)(e)
			e.From = ""
		}, refused: "451 4.3.3"},
		{name: "held until before it is late", extensions: []string{future, "DELIVERBY"}, env: func(e *mailparts.Envelope) {
			hold(1)(e)
			by(98, true, false)(e)
		}, mail: " HOLDUNTIL=2000-01-01T00:00:01Z BY=98;R"},
		{name: "held until it is late", extensions: []string{future, "DELIVERBY"}, env: func(e *mailparts.Envelope) { // section 5.2.1
			hold(98)(e)
			by(98, true, false)(e)
		}, refused: "501 5.5.4"},

		// RFC 7293 sections 5.1.1 and 12.1.
		{name: "RRVS", extensions: []string{"RRVS"}, env: func(e *mailparts.Envelope) {
			e.To[0].Since = time.Date(2014, 4, 4, 1, 1, 0, 5e8, time.FixedZone("", 7200))
		}, rcpt: " RRVS=2014-04-03T23:01:00Z"},
		{name: "RRVS not offered", env: func(e *mailparts.Envelope) { e.To[0].Since = at(0) }, refused: "550 5.7.19"},
		{name: "RRVS and continue", extensions: []string{"RRVS"}, env: func(e *mailparts.Envelope) {
			e.To[0].Since, e.To[0].SinceOptional = at(0), true
		}, rcpt: " RRVS=2000-01-01T00:00:00Z;C"},
		{name: "RRVS not offered, and continue", env: func(e *mailparts.Envelope) {
			e.To[0].Since, e.To[0].SinceOptional = at(0), true
		}},
	})
}

func TestPriorityParameter(t *testing.T) {
	priority := func(p int) func(*mailparts.Envelope) {
		return func(e *mailparts.Envelope) { e.Priority = p }
	}
	profile := []string{"MT-PRIORITY STANAG4406"}
	bubbles(t, []paramTest{
		{name: "passed on", extensions: profile, env: priority(3), mail: " MT-PRIORITY=3"},
		{name: "low", extensions: profile, env: priority(-9), mail: " MT-PRIORITY=-9"},
		{name: "normal", extensions: profile, env: priority(0), mail: " MT-PRIORITY=0"},
		{name: "too high", extensions: profile, env: priority(10), refused: "501 5.5.4"},
		{name: "not offered", env: priority(3)}, // RFC 6710 section 4.3
		{name: "the RFC's example", extensions: []string{"DSN", "DELIVERBY", "MT-PRIORITY STANAG4406"}, env: func(e *mailparts.Envelope) {
			e.Priority, e.EnvID = 3, "QQ314159"
			e.By = mailparts.Deadline{Time: time.Now().Add(2 * time.Minute), Return: true}
		}, mail: " ENVID=QQ314159 MT-PRIORITY=3 BY=120;R"},
	})
}

// RFC 8689 section 4.2.1.
func TestRequireTLS(t *testing.T) {
	const start = "C: STARTTLS\nS: 220 go\nT:\nC: EHLO client.example\nS: 250-mx.example.com\n"
	require := func(e *mailparts.Envelope) { e.RequireTLS = true }
	tests := []struct {
		name, script string
		trusted      bool
		env          func(*mailparts.Envelope)
		want         string
	}{
		{"offered under TLS", ready("STARTTLS") + start + "S: 250 REQUIRETLS\nC: MAIL FROM:<a@example.org> REQUIRETLS\nS: 550 stop", true, require, "550"},
		{"not offered under TLS", ready("STARTTLS", "REQUIRETLS") + start + "S: 250 SIZE\nC!", true, require, "550 5.7.30"},
		{"a certificate of nobody's", ready("STARTTLS") + start + "S: 250 REQUIRETLS\nC!", false, require, "550 5.7.10"},
		{"offered without TLS", ready("REQUIRETLS") + "C!", true, require, "550 5.7.10"},
		{"not required", ready("STARTTLS") + start + "S: 250 REQUIRETLS\nC: MAIL FROM:<a@example.org>\nS: 550 stop", true, func(*mailparts.Envelope) {}, "550"},
		{"a bounce", ready("STARTTLS") + start + "S: 250 REQUIRETLS\nC: MAIL FROM:<> REQUIRETLS\nS: 550 stop", true, func(e *mailparts.Envelope) {
			require(e)
			e.From = ""
		}, "550"},
		{"a bounce goes all the same (section 5)", ready() + "C: MAIL FROM:<>\nS: 550 stop", true, func(e *mailparts.Envelope) {
			require(e)
			e.From = ""
		}, "550"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, test.script)
			d := f.dialer()
			if test.trusted {
				d.TLSConfig = &tls.Config{RootCAs: testCA()}
			}
			c := f.connect(d)
			env := letter("b@example.com")
			test.env(env)
			if err := c.Deliver(t.Context(), env, text("hello\r\n")); codes(err, 1) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			c.Close()
			f.wait()
		})
	}
}

// RFC 4954 section 5.
func TestClientAuthParameter(t *testing.T) {
	const login = "C: AUTH PLAIN AHRpbQBzZWNyZXQ=\nS: 235 welcome\n"
	user, nobody := mailparts.Address("e=mc2@example.com"), mailparts.Address("")
	tests := []struct {
		name   string
		login  bool
		sender *mailparts.Address
		peer   *mailparts.Peer
		want   string
	}{
		{"named", true, &user, nil, " AUTH=e+3Dmc2@example.com"},
		{"nobody", true, &nobody, nil, " AUTH=<>"},
		{"not said", true, nil, nil, ""},
		{"not said by a user of ours", true, nil, &mailparts.Peer{User: "tim"}, ""},
		{"not said by a stranger", true, nil, &mailparts.Peer{}, " AUTH=<>"},
		{"named to who does not know us", false, &user, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			script := ready("AUTH PLAIN")
			if test.login {
				script += login
			}
			f := newFake(t, script+"C: MAIL FROM:<a@example.org>"+test.want+"\nS: 550 stop")
			d := f.dialer()
			if test.login {
				d.Auth = smtp.PasswordAuth("tim", "secret")
			}
			env := letter("b@example.com")
			env.AuthSender, env.Peer = test.sender, test.peer
			f.connect(d).Deliver(t.Context(), env, text("hello\r\n"))
			f.wait()
		})
	}
}

// A recipient that cannot be served as the sender wants is refused, the others are
// not.
func TestRefusedRecipients(t *testing.T) {
	f := newFake(t, ready("PIPELINING", "DSN")+`
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go
		C: hello
		C: .
		S: 250 ok`)
	env := letter("r@example.com", "jos\u00e9@example.com", "b@example.com", "o@example.com", "n@example.com")
	env.To[0].Since = time.Unix(1e9, 0)
	env.To[3].ORcpt = "who?"
	env.To[4].Notify = 128
	err := f.connect(nil).Deliver(t.Context(), env, text("hello\r\n"))
	if got, want := codes(err, 5), "550 5.7.19, 553 5.6.7, ok, 501 5.5.4, 501 5.5.4"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Receipts tell who owes notifications: RFC 3461 section 5.2, RFC 2852 section
// 4.1.4.
func TestReceiptsTellWhoOwes(t *testing.T) {
	for _, test := range []struct {
		extensions string
		by         bool
		dsn, byNow bool
	}{
		{"SIZE", true, false, false},
		{"DSN", true, true, false},
		{"DELIVERBY", true, false, true},
		{"DELIVERBY", false, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, ready(test.extensions)+`
				C: MAIL FROM:...
				S: 250 ok
				C: RCPT TO:...
				S: 250 ok
				C: DATA
				S: 354 go
				C: hello
				C: .
				S: 250 ok`)
			env := letter("b@example.com")
			if test.by {
				env.By.Time = time.Now().Add(time.Hour)
			}
			told := 0
			ctx := mailparts.WithReceipts(t.Context(), func(_ mailparts.Rcpt, r mailparts.Receipt) {
				if told++; r.DSN != test.dsn || r.By != test.byNow {
					t.Errorf("%+v: got %+v", test, r)
				}
			})
			if err := f.connect(nil).Deliver(ctx, env, text("hello\r\n")); err != nil || told != 1 {
				t.Errorf("%v, told %d times", err, told)
			}
			f.wait()
		})
	}
}
