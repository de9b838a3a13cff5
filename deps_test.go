package mailparts_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/mailparts/mailparts"

// mayImport says what each package may import beside the standard library, on
// every platform. A package without an entry fails TestImports: think of who may
// import what, add it here and to the table of ARCHITECTURE.md. Tests may import
// anything but examples. A path without a dot in its first part is of this
// module; one that ends in "/..." stands for all below it too.
var mayImport = map[string]string{
	"mailparts": "", // the vocabulary, for everyone

	"internal/crlf":          "",
	"internal/disk":          "golang.org/x/sys/unix",
	"internal/disk/disktest": "internal/disk",
	"internal/dotlock":       "mailparts internal/disk",
	"internal/idn":           "golang.org/x/net/idna",
	"internal/line":          "",
	"internal/serve":         "mailparts",
	"internal/utf7":          "",
	"internal/watch":         "internal/disk github.com/fsnotify/fsnotify golang.org/x/sys/unix",

	"dns":         "mailparts golang.org/x/net/dns/dnsmessage golang.org/x/net/idna",
	"sasl":        "mailparts github.com/emersion/go-sasl github.com/xdg-go/scram github.com/xdg-go/stringprep",
	"sasl/passwd": "mailparts sasl internal/disk golang.org/x/crypto/argon2 golang.org/x/crypto/bcrypt",

	// Stores and the queue: never a protocol.
	"maildir": "mailparts internal/crlf internal/disk internal/dotlock internal/utf7 internal/watch maildir/internal/courier maildir/internal/index",
	"mbox":    "mailparts internal/crlf internal/disk internal/dotlock internal/utf7 internal/watch",
	"queue":   "mailparts internal/disk internal/idn github.com/emersion/go-message/...",

	"maildir/internal/courier": "mailparts",
	"maildir/internal/index":   "mailparts internal/disk",

	"imap/internal/mime": "imap/internal/wire golang.org/x/text/...",

	// Protocols: never a store, and of each other only lmtp the engine of smtp.
	"smtp": "mailparts sasl dns internal/serve internal/line github.com/emersion/go-sasl golang.org/x/net/idna",
	"lmtp": "mailparts smtp sasl dns internal/serve internal/line internal/idn github.com/emersion/go-sasl",
	"pop3": "mailparts sasl internal/serve internal/line github.com/emersion/go-sasl",
	"imap": "mailparts sasl imap/internal/... internal/serve internal/utf7 golang.org/x/text/... github.com/emersion/go-imap/v2 github.com/emersion/go-sasl",

	"imap/internal/inflate": "",
	"imap/internal/thread":  "imap/internal/mime golang.org/x/text/...",
	"imap/internal/wire":    "internal/line",

	"smtp/gosmtp": "mailparts smtp sasl github.com/emersion/go-sasl github.com/emersion/go-smtp",

	"dnscheck":     "mailparts dns",
	"filter/spamd": "mailparts",

	"filter/dnsbl":    "mailparts dns",
	"filter/greylist": "mailparts internal/disk",
	"filter/throttle": "mailparts",

	// All but the stores. Only tests and examples import it, so no entry has it.
	"mailtest": "mailparts smtp lmtp pop3 imap queue sasl/... dns internal/... github.com/emersion/go-sasl golang.org/x/net/...",

	"examples/gosmtp":       anything,
	"examples/imapapp":      anything,
	"examples/interop":      anything,
	"examples/mailconvert":  anything,
	"examples/mailserver":   anything,
	"examples/notes":        anything,
	"examples/receive":      anything,
	"examples/submission":   anything,
	"examples/greylist":     anything,
	"examples/smarthost":    anything,
	"examples/maildircheck": anything,
}

const anything = "..."

// mayReach says which modules a package may bring into a program through all
// that it imports: who imports smtp to receive mail gets no composer of
// messages, no hash functions and no driver of anything.
var mayReach = map[string]string{
	"mailparts":    "",
	"smtp":         "github.com/emersion/go-sasl github.com/xdg-go/scram github.com/xdg-go/stringprep golang.org/x/net golang.org/x/text",
	"lmtp":         "github.com/emersion/go-sasl github.com/xdg-go/scram github.com/xdg-go/stringprep golang.org/x/net golang.org/x/text",
	"pop3":         "github.com/emersion/go-sasl github.com/xdg-go/scram github.com/xdg-go/stringprep golang.org/x/text",
	"imap":         "github.com/emersion/go-imap/v2 github.com/emersion/go-message github.com/emersion/go-sasl github.com/xdg-go/scram github.com/xdg-go/stringprep golang.org/x/text",
	"dns":          "golang.org/x/net golang.org/x/text",
	"dnscheck":     "golang.org/x/net golang.org/x/text",
	"filter/spamd": "",
	"maildir":      "github.com/fsnotify/fsnotify golang.org/x/sys",
	"mbox":         "github.com/fsnotify/fsnotify golang.org/x/sys",
	"queue":        "github.com/emersion/go-message golang.org/x/net golang.org/x/sys golang.org/x/text",
	"sasl":         "github.com/emersion/go-sasl github.com/xdg-go/scram github.com/xdg-go/stringprep golang.org/x/text",

	"filter/dnsbl":    "golang.org/x/net golang.org/x/text",
	"filter/greylist": "golang.org/x/sys",
	"filter/throttle": "",
}

// unwelcome are parts of the standard library that a library of mail has no use
// for, and that weigh on programs or belong to tests.
var unwelcome = []string{"database/sql", "flag", "go/...", "html/...", "net/http/...", "plugin", "testing/..."}

// welcomeAfterAll are the packages that may have them all the same.
var welcomeAfterAll = []string{"mailtest", "internal/disk/disktest", "examples/..."}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		allowed, ok := mayImport[p.name]
		if !ok {
			t.Errorf("package %s has no entry in mayImport", p.name)
		}
		for _, f := range p.files {
			for _, imp := range f.imports() {
				switch {
				case covers("examples/...", imp):
					t.Errorf("%s imports %s: nothing imports the examples", f.name, imp)
				case f.isTest() || allowed == anything:
				case isStandard(imp):
					if covers(strings.Join(unwelcome, " "), imp) && !covers(strings.Join(welcomeAfterAll, " "), p.name) {
						t.Errorf("%s imports %s", f.name, imp)
					}
				case !covers(allowed, imp):
					t.Errorf("%s imports %s: package %s may import %q", f.name, imp, p.name, allowed)
				}
			}
		}
	}
}

func TestReach(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	for name, allowed := range mayReach {
		if _, err := os.Stat(dir(name)); err != nil {
			continue
		}
		cmd := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{.Module.Path}}{{end}}", "./"+dir(name))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		for _, m := range slices.Compact(slices.Sorted(strings.FieldsSeq(string(out)))) {
			if m != module && !covers(allowed, m) {
				t.Errorf("who imports %s gets %s with it: it may bring %q", name, m, allowed)
			}
		}
	}
}

// covers reports whether a space-separated list has name.
func covers(list, name string) bool {
	for p := range strings.FieldsSeq(list) {
		if below, ok := strings.CutSuffix(p, "/..."); ok && strings.HasPrefix(name, below+"/") || name == strings.TrimSuffix(p, "/...") {
			return true
		}
	}
	return false
}

// isStandard reports whether an import of file.imports is of the standard
// library. All names in use for this module are in mayImport.
func isStandard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	_, ours := mayImport[imp]
	return !ours && !strings.Contains(first, ".")
}

// pkg is the Go files of a folder, tests and all platforms included.
type pkg struct {
	name  string // path below the module, "mailparts" for its root
	files []file
}

type file struct {
	*ast.File
	name string
	src  []byte
	set  *token.FileSet
}

func (f file) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// imports are the paths that f imports, those of this module as in mayImport.
func (f file) imports() (paths []string) {
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if p == module {
			p = "mailparts"
		}
		paths = append(paths, strings.TrimPrefix(p, module+"/"))
	}
	return paths
}

func dir(name string) string {
	if name == "mailparts" {
		return "."
	}
	return name
}

// packages parses the module.
func packages(t *testing.T) (all []*pkg) {
	t.Helper()
	byName := map[string]*pkg{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(set, name, src, parser.ParseComments)
		if err != nil {
			return err
		}
		folder := path.Dir(filepath.ToSlash(name))
		if folder == "." {
			folder = "mailparts"
		}
		p := byName[folder]
		if p == nil {
			p = &pkg{name: folder}
			byName[folder] = p
			all = append(all, p)
		}
		p.files = append(p.files, file{f, filepath.ToSlash(name), src, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFilesAreSmall(t *testing.T) {
	const most = 600
	for _, p := range packages(t) {
		for _, f := range p.files {
			if n := bytes.Count(f.src, []byte("\n")); n > most && !f.isTest() {
				t.Errorf("%s has %d lines, want at most %d", f.name, n, most)
			}
		}
	}
}
