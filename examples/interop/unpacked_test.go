package interop_test

import (
	"os"
	"os/user"
	"path/filepath"
	"testing"
)

// peers is where .ci/peers unpacks what cannot be installed beside Postfix and
// Dovecot, each package in a folder of the peer's name.
const peers = "/opt/mailparts-peers"

// unpacked returns the path of a program below peers, or skips the test. users
// are those that it wants to become.
func unpacked(t testing.TB, peer, program string, users ...string) string {
	t.Helper()
	needRoot(t)
	path := filepath.Join(peers, peer, program)
	if _, err := os.Stat(path); err != nil {
		missing(t, peer+" is not unpacked in "+peers+", as .ci/peers does")
	}
	for _, name := range users {
		if _, err := user.Lookup(name); err != nil {
			missing(t, peer+" has no user "+name+", as .ci/peers makes")
		}
	}
	return path
}

// startIn is start for a program that looks for files, or for its own name, where
// it cannot be told otherwise: it gets a view of the system of its own, with that
// host name, folders and files of ours mounted in pairs over those that it
// wants, and no DNS.
func startIn(t testing.TB, hostname string, mounts []string, program string, args ...string) *daemon {
	t.Helper()
	dir := folder(t)
	mounts = append(mounts,
		write(t, filepath.Join(dir, "hosts"), 0o644, "127.0.0.1 localhost "+hostname), "/etc/hosts",
		write(t, filepath.Join(dir, "nsswitch.conf"), 0o644, "passwd: files", "group: files", "shadow: files", "hosts: files"), "/etc/nsswitch.conf",
		write(t, filepath.Join(dir, "resolv.conf"), 0o644, "nameserver 127.0.0.1"), "/etc/resolv.conf")
	const enter = `hostname "$1"; shift; while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"`
	unshare := need(t, "unshare")[0]
	if out, err := try("", unshare, "--mount", "--uts", "sh", "-ec", `hostname probe; mount --bind "$0" "$0"`, dir); err != nil {
		t.Skip("this machine allows no namespaces of one's own, which is nothing to install: ", out)
	}
	all := append([]string{"--mount", "--uts", "sh", "-ec", enter, "sh", hostname}, mounts...)
	return start(t, unshare, append(append(all, "--", program), args...)...)
}
