// Package disktest is a disk.FS in memory that can fail at any operation, and
// crash at any operation with what was not synced dropped.
//
// A kill -9 cannot find a missing fsync: the kernel keeps the cache. So every
// file here has its content twice, as programs see it and as it is on the
// platter, and so has every folder its entries. Sync and Datasync carry over a
// file's content and SyncDir a folder's entries, and nothing else does: a synced
// file under a name that was never synced is lost, as POSIX allows.
//
// [Crash] and [Fail] run a workload again and again, until it has met its end at
// each of its operations:
//
//	disktest.Crash(t, nil, func(fsys *disktest.FS) (acked []string) {
//		q := open(fsys)
//		for _, id := range []string{"a", "b"} {
//			if q.Put(id) == nil {
//				acked = append(acked, id)
//			}
//		}
//		return acked
//	}, func(t *testing.T, after *disktest.FS, acked []string) {
//		q := open(after) // recovers
//		for _, id := range acked {
//			if !q.Has(id) {
//				t.Errorf("%s was acknowledged and is lost", id)
//			}
//		}
//	})
//
// What the model leaves out: permissions (kept, never checked), symbolic links
// and the access time. A rename within one folder is atomic in a crash; of one
// between two folders either half may be lost alone, but a folder, which has one ".."
// only, is never left in both. After a Sync that failed,
// what it should have written stays visible and never becomes durable by another
// Sync, as on Linux.
package disktest
