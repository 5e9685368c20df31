//go:build race

package bot

// Raced says that the race detector looks along, which makes what only computes take ten times as long: then it computes less.
// CI runs such tests in full without it.
const Raced = true
