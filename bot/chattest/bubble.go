package chattest

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// Bubble runs f as [synctest.Test] does, with a clock of its own, on one processor: with more, two timers of one bubble
// that end at the same moment can end side by side, which Go's race detector does not survive (golang/go#78156, seen with
// Go 1.26; it crashes, whatever the test). What races is found on one processor as well: the detector looks at the order
// that is promised, not at what ran together. Tests that call it are not parallel.
func Bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	synctest.Test(t, f)
}

// Until waits until a moment on the clock of a bubble, which goes on at once when everything in it waits. Outside a bubble it
// would really wait.
func Until(moment time.Time) { <-time.After(time.Until(moment)) }
