package passwd_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl/passwd"
)

func TestOpenErrors(t *testing.T) {
	hash := func(old, new string) string { return "a:" + strings.Replace(argon2idHash, old, new, 1) }
	keys := func(old, new string) string { return "a:" + strings.Replace(scramKeys, old, new, 1) }
	const notArgon2id = "not of the form $argon2id$"
	const notBcrypt = "not of the form $2a$"
	const notScram = "not of the form {SCRAM-SHA-256}"
	const secret = "#secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, tt := range []struct{ name, line, want string }{
		{"no colon", "hunter2", `no ":"`},
		{"no name", ":" + bcryptHash, "a user name is"},
		{"space before the name", " a:" + bcryptHash, "a user name is"},
		{"space after the name", "a :" + bcryptHash, "a user name is"},
		{"control in the name", "a\tb:" + bcryptHash, "a user name is"},
		{"invalid UTF-8 in the name", "a\xff:" + bcryptHash, "a user name is"},
		{"overlong name", strings.Repeat("a", 256) + ":", "a user name is"},
		{"a name twice", "Alice:", `user "Alice" is on line 2 already`},
		{"password in the clear", "a:hunter2", "field 2: neither an argon2id"},
		{"password in the clear, Dovecot's", "a:{PLAIN}hunter2", "field 2: neither an argon2id"},
		{"Dovecot's other fields", "a:" + bcryptHash + ":1000:1000::/home/hunter2", "field 3: neither an argon2id"},
		{"two hashes", "a:" + bcryptHash + ":" + argon2idHash, "field 3: a second one of its kind"},
		{"two sets of keys", "a:" + scramKeys + ":" + scramKeys, "field 3: a second one of its kind"},

		{"argon2i", hash("argon2id", "argon2i"), "neither an argon2id"},
		{"argon2i after {ARGON2ID}", "a:{ARGON2ID}" + strings.Replace(argon2idHash, "argon2id", "argon2i", 1), notArgon2id},
		{"argon2 version 16", hash("v=19", "v=16"), notArgon2id},
		{"no version", hash("v=19$", ""), notArgon2id},
		{"another order", hash("m=256,t=2", "t=2,m=256"), notArgon2id},
		{"more parameters", hash("p=1", "p=1,keyid=x"), notArgon2id},
		{"fewer parameters", hash(",p=1", ""), notArgon2id},
		{"no number", hash("t=2", "t=x"), notArgon2id},
		{"negative", hash("t=2", "t=-2"), notArgon2id},
		{"no memory", hash("m=256", "m=0"), "argon2id m=0 is not within 1 and 262144"},
		{"too much memory", hash("m=256", "m=262145"), "argon2id m=262145 is not within 1 and 262144"},
		{"no pass", hash("t=2", "t=0"), "argon2id t=0 is not within 1 and 10"},
		{"too many passes", hash("t=2", "t=11"), "argon2id t=11 is not within 1 and 10"},
		{"no lane", hash("p=1", "p=0"), "argon2id p=0 is not within 1 and 16"},
		{"too many lanes", hash("p=1", "p=17"), "argon2id p=17 is not within 1 and 16"},
		{"a multiple of 2^32", hash("p=1", "p=4294967297"), notArgon2id},
		{"too little memory for the lanes", hash("m=256,t=2,p=1", "m=127,t=2,p=16"), "less than 8 times p"},
		{"no salt", hash("c29tZXNhbHQ", ""), "argon2id salt and hash"},
		{"salt not base64", hash("c29tZXNhbHQ", "c29tZXNhbHQ=="), "argon2id salt and hash"},
		{"short hash", "a:" + argon2idHash[:len(argon2idHash)-24], "argon2id salt and hash"},
		{"no hash", "a:" + argon2idHash[:len(argon2idHash)-44], notArgon2id},

		{"bcrypt's bug", "a:$2x" + bcryptHash[3:], notBcrypt},
		{"bcrypt cost", "a:" + strings.Replace(bcryptHash, "$05$", "$17$", 1), "bcrypt cost 17 is more than 16"},
		{"bcrypt cost too low", "a:" + strings.Replace(bcryptHash, "$05$", "$03$", 1), notBcrypt},
		{"bcrypt cost no number", "a:" + strings.Replace(bcryptHash, "$05$", "$xx$", 1), notBcrypt},
		{"short bcrypt", "a:" + bcryptHash[:59], notBcrypt},
		{"long bcrypt", "a:" + bcryptHash + "x", notBcrypt},
		{"bcrypt alphabet", "a:" + bcryptHash[:59] + "+", notBcrypt},

		{"too few iterations", keys("}4096", "}4095"), "4095 iterations are not within 4096 and 1000000"},
		{"too many iterations", keys("}4096", "}1000001"), "1000001 iterations are not within 4096 and 1000000"},
		{"no iterations", keys("}4096", "}"), notScram},
		{"no server key", "a:" + scramKeys[:strings.LastIndex(scramKeys, ",")], notScram},
		{"keys not base64", keys(",W", ",!"), notScram},
		{"short salt", keys("W22ZaJ0SNY7soEsUEjb6gQ==", "AAAA"), "a SCRAM-SHA-256 salt is"},
		{"short key", keys("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "AAAA"), "a SCRAM-SHA-256 salt is"},
		{"SCRAM-SHA-1", keys("256", "1"), "neither an argon2id"},

		{"short secret", "#secret=AAAA", "the secret is not 32 octets"},
		{"secret not base64", "#secret=hunter2", "the secret is not 32 octets"},
		{"a second secret", secret + "\n" + secret, "a second secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "users")
			write(t, file, "# a comment", "alice:", "", tt.line)
			_, err := passwd.Open(file)
			if err == nil {
				t.Fatal("no error")
			}
			where, what, _ := strings.Cut(strings.TrimPrefix(err.Error(), file+":"), ": ")
			if where != "4" && where != "5" || !strings.Contains(what, tt.want) {
				t.Errorf("%v\nwant %s:4: … %s", err, file, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes a password: %v", err)
			}
		})
	}
}

func TestOpenMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	if _, err := passwd.Open(file); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("Open: %v", err)
	}
	for range 2 {
		if _, err := passwd.OpenOrCreate(file); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Size() != 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("made %v, %v", info, err)
	}
	if _, err := passwd.OpenOrCreate(filepath.Join(file, "users")); err == nil {
		t.Error("made a file in what is not a folder")
	}
	write(t, file, "hunter2")
	if _, err := passwd.OpenOrCreate(file); err == nil {
		t.Error("a file with an error was opened")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"alice:" + argon2idHash + ":" + scramKeys + "\n", "bob:{BLF-CRYPT}" + bcryptHash + "\r\n# x\n\ncarol:::",
		"#secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "a:{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$$",
		"a:{SCRAM-SHA-256}4096,,,", "A:\na:\n", "a:$2b$10$", ":", "\xff:", "{argon2id}:{argon2id}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := passwd.Parse("users", data); err != nil && !strings.HasPrefix(err.Error(), "users:") {
			t.Errorf("the error does not name file and line: %v", err)
		}
	})
}
