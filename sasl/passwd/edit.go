package passwd

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/sasl"
)

// ErrNoUser is Delete's answer for a name that the file does not have.
var ErrNoUser = errors.New("passwd: no such user")

var errPassword = errors.New("passwd: a password is not empty, and has no character that SASLprep prohibits")

// perm is for the owner only, whatever the file had before.
const perm = 0o600

// Set gives a user a password, and makes the user if the file does not name one
// that matches. When it returns, the change is on stable storage. The file is
// replaced wholly or not at all; the other lines, comments and their order stay.
// It fails for a name or password that the file cannot hold, and while the file
// has an error.
func (f *File) Set(name, password string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("passwd: %w", err)
	}
	password, err := sasl.Prepare(password)
	if err != nil {
		return errPassword
	}
	fields, err := f.hash(password)
	if err != nil {
		return fmt.Errorf("passwd: %w", err)
	}
	return f.rewrite(func(lines []string, users *table) ([]string, error) {
		u := users.find(name)
		if u == nil {
			return append(lines, name+":"+fields), nil
		}
		lines[u.line-1] = u.name + ":" + fields
		return lines, nil
	})
}

// hash makes the fields that stand for a password.
func (f *File) hash(password string) (fields string, err error) {
	var keys *scramKeys
	var keysErr error
	err = f.work.do(context.Background(), defaultArgon2id.String(), func() {
		keys, keysErr = newScramKeys(password)
		fields = newArgon2id(password).String()
	})
	if err = errors.Join(err, keysErr); err != nil {
		return "", err
	}
	return fields + ":" + keys.String(), nil
}

// Delete removes a user, as durably as Set sets one. It returns ErrNoUser if there
// is none, and fails while the file has an error.
func (f *File) Delete(name string) error {
	return f.rewrite(func(lines []string, users *table) ([]string, error) {
		u := users.find(name)
		if u == nil {
			return nil, ErrNoUser
		}
		return append(lines[:u.line-1], lines[u.line:]...), nil
	})
}

// rewrite replaces the file by what change makes of its lines, which have no line
// ends. It reads the file anew: what stands there counts, not what was read last.
func (f *File) rewrite(change func(lines []string, users *table) ([]string, error)) error {
	f.edit.Lock()
	defer f.edit.Unlock()
	name, err := filepath.EvalSymlinks(f.name) // a rename would replace the link
	if err != nil {
		return fmt.Errorf("passwd: %w", err)
	}
	data, _, err := readFile(name)
	if err != nil {
		return fmt.Errorf("passwd: %w", err)
	}
	users, err := parse(f.name, data)
	if err != nil {
		return err
	}
	lines, err := change(splitLines(data), users)
	if err != nil {
		return err
	}
	if users.secret == nil {
		lines = append([]string{secretPrefix + base64.StdEncoding.EncodeToString(f.secret)}, lines...)
	}
	if err := disk.WriteFile(disk.OS{}, name, []byte(strings.Join(lines, "\n")+"\n"), perm); err != nil {
		return fmt.Errorf("passwd: %w", err)
	}
	f.current()
	return nil
}

func splitLines(data []byte) []string {
	var lines []string
	for line := range bytes.Lines(data) {
		lines = append(lines, strings.TrimSuffix(string(line), "\n"))
	}
	return lines
}
