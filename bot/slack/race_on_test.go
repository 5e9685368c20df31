//go:build race

package slack

// Raced says that the race detector looks along, which makes what only renders take ten times as long: then it renders less.
// CI runs such tests in full without it.
const Raced = true
