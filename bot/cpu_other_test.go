//go:build !linux

package bot_test

import "time"

func cpuTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
