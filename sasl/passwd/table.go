package passwd

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts/sasl"
)

// secretPrefix begins the line that holds the secret; it is a comment to others.
const secretPrefix = "#secret="

const secretSize = 32 // octets

// table is the content of a file.
type table struct {
	users  map[string]*user // by matchKey of the name
	secret []byte           // nil: the file has none

	// What decoys look like: one of each kind that the file has, in a fixed order.
	hashes      []credential
	keyShapes   []keyShape
	allHaveKeys bool // of those who can log in
}

// user is one line.
type user struct {
	name string     // as the file spells it
	line int        // from 1
	hash credential // nil: none
	keys *scramKeys // nil: none
}

// password is what a password is checked against, or nil.
func (u *user) password() credential {
	switch {
	case u.hash != nil:
		return u.hash
	case u.keys != nil:
		return u.keys
	}
	return nil
}

// matchKey is the form in which names are compared: prepared, with ASCII letters
// in lower case.
func matchKey(name string) (string, error) {
	name, err := sasl.Prepare(name)
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, name), err
}

// find returns nil for a name that no line has.
func (t *table) find(name string) *user {
	key, err := matchKey(name)
	if err != nil {
		return nil
	}
	return t.users[key]
}

// parse reads a password file. Its errors name file and line, and quote nothing
// but names: the rest may be a password in a wrong place.
func parse(file string, data []byte) (*table, error) {
	t := &table{users: make(map[string]*user), allHaveKeys: true}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		if err := t.add(number, text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
	}
	t.collectDecoys()
	return t, nil
}

func (t *table) add(number int, line string) error {
	switch {
	case strings.HasPrefix(line, secretPrefix):
		return t.setSecret(strings.TrimPrefix(line, secretPrefix))
	case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		return nil
	}
	u, err := parseUser(line)
	if err != nil {
		return err
	}
	u.line = number
	key, err := matchKey(u.name)
	if err != nil {
		return err
	}
	if other := t.users[key]; other != nil {
		return fmt.Errorf("user %q is on line %d already", u.name, other.line)
	}
	t.users[key] = u
	return nil
}

func (t *table) setSecret(text string) error {
	if t.secret != nil {
		return errors.New("a second secret")
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) < secretSize {
		return fmt.Errorf("the secret is not %d octets or more in base64", secretSize)
	}
	t.secret = secret
	return nil
}

func parseUser(line string) (*user, error) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok {
		return nil, errors.New(`no ":" after the user name`)
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	u := &user{name: name}
	for i, field := range strings.Split(rest, ":") {
		if field == "" {
			continue
		}
		c, err := parseCredential(field)
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", i+2, err)
		}
		keys, isKeys := c.(*scramKeys)
		switch {
		case isKeys && u.keys == nil:
			u.keys = keys
		case !isKeys && u.hash == nil:
			u.hash = c
		default:
			return nil, fmt.Errorf("field %d: a second one of its kind", i+2)
		}
	}
	return u, nil
}

const maxName = 255 // octets

var errName = errors.New(`a user name is 1 to 255 octets that SASLprep allows, without ":", ` +
	`"#" at its begin, or space at either end`)

func checkName(name string) error {
	_, err := matchKey(name)
	if err != nil || len(name) > maxName || strings.Contains(name, ":") ||
		strings.HasPrefix(name, "#") || strings.TrimSpace(name) != name {
		return errName
	}
	return nil
}

// collectDecoys notes which costs and which shapes of keys the file has.
func (t *table) collectDecoys() {
	hashes := make(map[string]credential)
	shapes := make(map[keyShape]bool)
	for _, u := range t.users {
		p := u.password()
		if p == nil {
			continue
		}
		hashes[p.cost()] = p
		if u.keys == nil {
			t.allHaveKeys = false
			continue
		}
		shapes[keyShape{salt: len(u.keys.Salt), iterations: u.keys.Iterations}] = true
	}
	for _, cost := range slices.Sorted(maps.Keys(hashes)) {
		t.hashes = append(t.hashes, hashes[cost])
	}
	t.keyShapes = slices.SortedFunc(maps.Keys(shapes), keyShape.compare)
}
