package interop_test

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// tbPrefs keep Thunderbird to itself: nobody is asked anything, web requests go to a
// proxy that is not there, and only IDLE tells what is new.
const tbPrefs = `
user_pref("app.donation.eoy.version.viewed", 999);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.rights.version", 1);
user_pref("mail.server.default.autosync_offline_stores", false);
user_pref("mail.server.default.check_new_mail", false);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("mailnews.database.global.indexer.enabled", false);
user_pref("mailnews.mark_message_read.delay", false);
user_pref("mailnews.start_page.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.type", 1);
user_pref("toolkit.telemetry.enabled", false);
`

// tbPrelude makes "tb" for the scripts: what they do with an account.
const tbPrelude = `
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

// done waits for what begin starts and tells a listener of.
const done = begin => new Promise((resolve, reject) => {
	const end = status => status ? reject(new Error("it ended with 0x" + status.toString(16))) : resolve();
	begin({
		QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener"]),
		OnStartRunningUrl() {}, OnStopRunningUrl(url, status) { end(status); },
		onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; }, onStopCopy(status) { end(status); },
	});
});

const until = async (what, f) => {
	for (const late = Date.now() + 60000;;) {
		const result = f();
		if (result) return result;
		if (Date.now() > late) throw new Error("in vain for " + what());
		await new Promise(resolve => setTimeout(resolve, 20));
	}
};

const folder = path => path.split("/").reduce((f, name) => f.getChildNamed(name), tb.server.rootFolder);

const list = path => [...folder(path).messages].map(h => h.mime2DecodedSubject + ":" + (h.isRead ? " read" : "") +
	(h.isFlagged ? " flagged" : "") + (h.getStringProperty("keywords") ? " " + h.getStringProperty("keywords") : "")).sort();

globalThis.tb = {
	MailServices, done, until, folder, list,

	window: await until(() => "the window", () => {
		const w = Services.wm.getMostRecentWindow("mail:3pane");
		return w?.gTabmail?.currentAbout3Pane?.folderTree && w;
	}),

	// account does what the dialog for a new account does in the end.
	async account(host, port, socketType, password, certificate) {
		const cert = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).constructX509FromBase64(certificate);
		Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
			.rememberValidityOverride(host, port, {}, cert, true);
		const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
		login.init("imap://" + host, null, "imap://" + host, "alice", password, "", "");
		await Services.logins.addLoginAsync(login);
		tb.server = MailServices.accounts.createIncomingServer("alice", host, "imap");
		tb.server.port = port;
		tb.server.socketType = socketType;
		tb.server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
		const account = MailServices.accounts.createAccount();
		account.incomingServer = tb.server;
		const identity = MailServices.accounts.createIdentity();
		identity.email = "alice@example.test";
		account.addIdentity(identity);
		await done(l => folder("INBOX").getNewMessages(tb.window.msgWindow, l));
	},

	paths: () => tb.server.rootFolder.descendants.map(f => {
		const names = [];
		for (; !f.isServer; f = f.parent) names.unshift(f.localizedName);
		return names.join("/");
	}).sort(),

	// become waits until a folder is listed as what is wanted.
	become: (path, want) => until(() => path + " to be " + want + ", it is " + list(path), () => list(path).join() == want.join()),

	find: (path, subject) => [...folder(path).messages].find(h => h.mime2DecodedSubject == subject),

	// read selects a message in the window and returns what is shown of it.
	async read(path, subject) {
		const pane = tb.window.gTabmail.currentAbout3Pane;
		pane.displayFolder(folder(path));
		pane.threadTree.selectedIndex = (await until(() => subject + " in the window", () => {
			for (let row = 0; pane.gFolder == folder(path) && row < pane.gDBView?.rowCount; row++) {
				if (pane.gDBView.getMsgHdrAt(row).mime2DecodedSubject == subject) return { row };
			}
		})).row;
		return until(() => "the text of " + subject, () => {
			const text = pane.messageBrowser.contentDocument.getElementById("messagepane")?.contentDocument?.body?.textContent;
			return text?.includes("Subject: " + subject) && text;
		});
	},
};
`

// thunderbird is a Thunderbird without a screen, and its log of IMAP.
func thunderbird(t testing.TB) (m *marionette, log func() string) {
	t.Helper()
	program := need(t, "thunderbird")[0]
	home, addr := folder(t), freeAddr(t)
	profile := filepath.Join(home, "profile")
	write(t, filepath.Join(profile, "user.js"), 0o600, tbPrefs, `user_pref("marionette.port", `+port(addr)+`);`)
	log = func() string {
		b, err := os.ReadFile(filepath.Join(home, "imap.moz_log"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return string(b)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Thunderbird's log of IMAP:\n%s", log())
		}
	})
	start(t, "env", "HOME="+home, "TMPDIR="+home, "MOZ_LOG=sync,IMAP:4", "MOZ_LOG_FILE="+filepath.Join(home, "imap"),
		program, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile)
	m = dialMarionette(t, addr)
	m.script(nil, tbPrelude)
	return m, log
}

// Thunderbird lists, reads, flags, tags, moves and deletes over IMAP with TLS from the first
// octet, and by STARTTLS; it sees what others do while it IDLEs.
func TestIMAPWithThunderbird(t *testing.T) {
	t.Parallel()
	m, log := thunderbird(t)
	certPEM, _ := keyPair()
	block, _ := pem.Decode(certPEM)
	certificate := base64.StdEncoding.EncodeToString(block.Bytes)
	for _, account := range []struct {
		name, host string
		addr       func(*imapServer) string
		socketType int
	}{
		{"STARTTLS", "127.0.0.1", func(s *imapServer) string { return s.addr }, 2},
		{"TLS", "localhost", func(s *imapServer) string { return s.tlsAddr }, 3},
	} {
		ok := t.Run(account.name, func(t *testing.T) {
			s := startIMAP(t)
			tb := &tbAccount{marionette: m.of(t), s: s, log: log}
			inbox := s.numbered("INBOX", "one", "two", "three", "four")
			s.numbered("Work/Past", "old")
			s.mailbox("Größe")
			for _, name := range []string{"Work", "Work/Past", "Größe"} { // it lists no others
				if err := mailparts.Subscribe(t.Context(), s.store, name, true); err != nil {
					t.Fatal(err)
				}
			}
			number, _ := strconv.Atoi(port(account.addr(s)))
			tb.script(nil, `await tb.account(...args)`, account.host, number, account.socketType, password, certificate)
			tb.script(nil, `await tb.until(() => "the folders, there are " + tb.paths(), () => tb.paths().join() == args[0].join())`,
				[]string{"Größe", "Inbox", "Trash", "Work", "Work/Past"})
			tb.become("INBOX", "four:", "one:", "three:", "two:")

			var text string
			tb.script(&text, `return tb.read("INBOX", "two")`)
			wantText(t, text, "Carol <carol@example.net>", "this is two")
			tb.store("INBOX", "one:", `two: \Seen`, "three:", "four:")
			tb.script(nil, `
				tb.folder("INBOX").markMessagesFlagged([tb.find("INBOX", "one")], true);
				tb.folder("INBOX").addKeywordsToMessages([tb.find("INBOX", "one")], "$label1");`)
			tb.store("INBOX", `one: $label1 \Flagged`, `two: \Seen`, "three:", "four:")

			tb.script(nil, `await tb.done(l => tb.MailServices.copy.copyMessages(tb.folder("INBOX"), [tb.find("INBOX", "four")],
				tb.folder("Work/Past"), true, l, tb.window.msgWindow, false))`)
			tb.store("Work/Past", "old:", "four:")
			tb.script(nil, `await tb.done(l => tb.folder("INBOX").deleteMessages([tb.find("INBOX", "three")], tb.window.msgWindow, false, true, l, false))`)
			tb.store("Trash", "three:")
			tb.store("INBOX", `one: $label1 \Flagged`, `two: \Seen`)
			tb.become("INBOX", "one: flagged $label1", "two: read")

			tb.awaitIDLE()
			appendTo(t, inbox, letterNamed("fresh"))
			tb.become("INBOX", "fresh:", "one: flagged $label1", "two: read")
		})
		if !ok {
			return
		}
	}
}

// tbAccount is Thunderbird with an account on a server of ours.
type tbAccount struct {
	*marionette
	s   *imapServer
	log func() string
}

// become waits until Thunderbird lists a mailbox so.
func (tb *tbAccount) become(path string, want ...string) {
	tb.Helper()
	tb.script(nil, `await tb.become(...args)`, path, want)
}

// store waits until our mailbox is so: Thunderbird does not tell when all is done.
func (tb *tbAccount) store(name string, want ...string) {
	tb.Helper()
	slices.Sort(want)
	mb := tb.s.mailbox(name)
	retry(tb, name, func() error {
		got := flagsAndSubjects(tb, mb)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("the mailbox has %q, want %q", got, want)
		}
		return nil
	})
}

// awaitIDLE waits until IDLE is the last that Thunderbird has said of its INBOX.
func (tb *tbAccount) awaitIDLE() {
	tb.Helper()
	retry(tb, "waiting for IDLE", func() error {
		log := tb.log()
		last, _, _ := strings.Cut(log[max(0, strings.LastIndex(log, "S-INBOX:SendData: ")):], "\n")
		if !strings.Contains(last, " IDLE") {
			return errNotYet
		}
		return nil
	})
}
