package bot_test

import (
	"syscall"
	"time"
)

// cpuTime is what this thread has taken of a processor: a machine that is busy with something else does not count.
func cpuTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
