//go:build !linux

package main

// failSyncsOnSignal does nothing here: only Linux lets a test break its own syncs.
func failSyncsOnSignal() {}
