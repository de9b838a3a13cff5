package disktest_test

import (
	"os"
	"testing"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// Crash passes over the modes that leave the same, and none that differs in
// content, name, time or boot.
func TestCrashOncePerState(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     func(fsys *disktest.FS) error
		checks int // of the run that is not cut off
	}{
		{"nothing", func(fsys *disktest.FS) error { return nil }, 2},
		{"time", func(fsys *disktest.FS) error { return fsys.Chtimes("f", time.Unix(1, 0)) }, 3},
		{"name", func(fsys *disktest.FS) error { return fsys.Remove("f") }, 4},
		{"content", func(fsys *disktest.FS) error {
			f, err := fsys.OpenFile("f", os.O_WRONLY, 0)
			if err == nil {
				_, err = f.Write([]byte("1234"))
			}
			return err
		}, 5}, // NamesOnly leaves what Strict does, and of one write Reordered what ContentOnly does
	} {
		t.Run(tc.name, func(t *testing.T) {
			checks := 0
			disktest.Crash(t, func(fsys *disktest.FS) {
				must(t, disk.WriteFile(fsys, "f", []byte("abcd"), 0o600))
			}, func(fsys *disktest.FS) bool {
				return tc.do(fsys) == nil
			}, func(t *testing.T, after *disktest.FS, done bool) {
				if done {
					checks++
				}
			})
			if checks != tc.checks {
				t.Errorf("%d checks, want %d", checks, tc.checks)
			}
		})
	}
}
