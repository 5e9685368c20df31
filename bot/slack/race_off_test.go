//go:build !race

package slack

// Raced says whether the race detector looks along.
const Raced = false
