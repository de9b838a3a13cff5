package watch

import "golang.org/x/sys/unix"

// identify returns the inode of a path, if it can.
func identify(name string) (id fileID, ok bool) {
	var st unix.Stat_t
	err := ignoringEINTR(func() error { return unix.Stat(name, &st) })
	return fileID{uint64(st.Dev), st.Ino}, err == nil
}

// tells reports whether inotify tells of all changes in the file system that has
// the path: nobody else than this kernel makes any.
func tells(name string) bool {
	var st unix.Statfs_t
	if err := ignoringEINTR(func() error { return unix.Statfs(name, &st) }); err != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, // and ext2, ext3
		unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC,
		unix.REISERFS_SUPER_MAGIC, unix.NILFS_SUPER_MAGIC, unix.UDF_SUPER_MAGIC,
		unix.ECRYPTFS_SUPER_MAGIC, unix.BCACHEFS_SUPER_MAGIC,
		0x2fc12fc1, // ZFS
		0x3153464a: // JFS
		return true
	}
	return false
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
