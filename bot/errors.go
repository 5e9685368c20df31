package bot

import (
	"errors"
	"fmt"
	"time"
)

// The errors that ports return and use cases act on. They are compared with errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("exists already")
	ErrClosed       = errors.New("the round is closed")
	ErrDenied       = errors.New("not allowed")
	ErrConflict     = errors.New("changed meanwhile")
	ErrGone         = errors.New("the channel is gone")
	ErrUncertain    = errors.New("it is unknown whether the message was posted")
	ErrForeign      = fmt.Errorf("people of another organisation are in the channel: %w", ErrGone)
	ErrUnauthorised = errors.New("the platform does not let the bot in")
	ErrBusy         = errors.New("busy, try again")
	ErrFull         = errors.New("no space left to store anything")
)

// RetryError says that nothing was posted and when to come back. Err is the cause.
type RetryError struct {
	After time.Duration
	Err   error
}

// Error returns the cause's text.
func (e *RetryError) Error() string {
	if e.Err == nil {
		return "retry later"
	}
	return "retry later: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }
