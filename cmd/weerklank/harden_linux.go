package main

import "golang.org/x/sys/unix"

// hardenProcess makes sure that memory, which holds replies for moments, never lands in a core file and cannot be read
// by other processes of the same user (TRUST 3).
func hardenProcess() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
