package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem makes everything on f's file system durable. Linux tells of a failed write since 5.8.
func syncFileSystem(f *os.File) error { return unix.Syncfs(int(f.Fd())) }
