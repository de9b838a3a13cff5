// Package watch tells when something in files and folders may have changed, for
// mailparts.Watcher of the stores.
//
// A watcher names paths and has a function that is to be woken. The system tells
// of changes where it can, by inotify; elsewhere a look at the paths every few
// seconds must do:
//
//	where                                   how
//	local file systems on Linux             inotify, by fsnotify
//	network file systems, FUSE, unknown     looks: of what other hosts do there
//	                                        inotify tells nothing
//	no inotify instance left (EMFILE), no   looks, and a warning
//	watch left (ENOSPC)
//	a path that does not exist              looks, until it does
//	other systems                           looks: kqueue would need a descriptor
//	                                        for each message of a maildir
//	a disk.FS other than disk.OS, or if     looks
//	asked for
//
// A wake tells that something may have changed, and no more. The promises:
//   - After any change that comes after [Hub.Watch] returned, the watcher is woken
//     at least once, and whoever reads then finds the change done. More often does
//     no harm, and happens.
//   - Many changes within a few milliseconds are one wake.
//   - It is woken from several goroutines, perhaps at once; wake must not block.
//   - Once its context is done it is woken no more, but a call that is under way
//     then may still be.
//   - When events were lost because there were too many, everyone is woken.
//
// Nobody has a goroutine of his own: a Hub has one that reads events and one that
// looks, for as long as there is something to watch in that way.
package watch
