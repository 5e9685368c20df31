//go:build !race

package bot

// Raced says whether the race detector looks along.
const Raced = false
