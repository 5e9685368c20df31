//go:build !linux

package store

import (
	"errors"
	"os"
)

// syncFileSystem is not to be had here: each file is synced by itself.
func syncFileSystem(*os.File) error { return errors.ErrUnsupported }
