package disktest

import (
	"fmt"
	"testing"
)

// Crash runs workload until it has crashed at each of its operations, and once to
// its end, and calls check in every Mode with what the crash left of the file
// system and with what workload returned, which is what it was promised before
// the crash. Each run begins with what setup made, all of it durable; setup may
// be nil. The run of workload that crashed must return, and workload must make
// no operation after that.
//
// A mode that leaves of a run just what an earlier one left of it is passed over:
// names, content, times, inodes' numbers and boot are the same, and so is promised,
// so that check would meet nothing that it has not met. Of two runs, no state is
// passed over, since their promises may differ. check must not change promised. One
// that takes a sample by the name of its test takes it of what is left.
//
// Checks are subtests named after the operation that crashed, its number and the
// mode. After the first operation with a failed check Crash stops.
func Crash[P any](t *testing.T, setup func(fsys *FS), workload func(fsys *FS) P, check func(t *testing.T, after *FS, promised P)) {
	t.Helper()
	base := prepare(setup)
	for n := 1; ; n++ {
		fsys := base.Reboot(Kept)
		fsys.CrashAt(n)
		promised := workload(fsys)
		done := fsys.Ops() < n
		seen := map[state]bool{}
		for _, mode := range Modes() {
			after := fsys.Reboot(mode)
			s := after.state()
			if seen[s] {
				continue
			}
			seen[s] = true
			t.Run(fmt.Sprintf("%s/%v", fsys.metEnd(n), mode), func(t *testing.T) {
				check(t, after, promised)
			})
		}
		if done || t.Failed() {
			return
		}
	}
}

// Fail runs workload until each of its operations has failed once with err, and
// calls check as Crash does, with the file system that the next start of the
// program finds (Kept) and that the next start of the machine finds (Strict).
func Fail[P any](t *testing.T, err error, setup func(fsys *FS), workload func(fsys *FS) P, check func(t *testing.T, after *FS, promised P)) {
	t.Helper()
	base := prepare(setup)
	for n := 1; ; n++ {
		fsys := base.Reboot(Kept)
		fsys.FailAt(n, err)
		promised := workload(fsys)
		if fsys.Ops() < n {
			return
		}
		for _, mode := range []Mode{Kept, Strict} {
			t.Run(fmt.Sprintf("%s/%v", fsys.metEnd(n), mode), func(t *testing.T) {
				check(t, fsys.Reboot(mode), promised)
			})
		}
		if t.Failed() {
			return
		}
	}
}

func prepare(setup func(*FS)) *FS {
	base := New()
	if setup != nil {
		setup(base)
	}
	return base
}

// metEnd names the n-th operation if it was reached.
func (f *FS) metEnd(n int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ops < n {
		return "done"
	}
	return fmt.Sprintf("%d-%s", n, f.last.Name)
}
