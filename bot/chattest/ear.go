package chattest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// Log is what was logged. It is read while something still writes.
type Log struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

// String is all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}

// Marks keeps an adapter's mark over its restarts, as the store does, and since when a round is open.
type Marks struct {
	mu       sync.Mutex
	at, open time.Time
}

// Mark is the mark that was set last.
func (m *Marks) Mark(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at, nil
}

// SetMark sets the mark.
func (m *Marks) SetMark(_ context.Context, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = at
	return nil
}

// OpenSince is since when a round is open; zero: none is.
func (m *Marks) OpenSince(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open, nil
}

// Opened says that a round is open since then.
func (m *Marks) Opened(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = at
}

// Ear stands between an adapter and the bot: it tells when the adapter takes events, and how many were handled.
type Ear struct {
	Begun chan struct{}        // closed by who makes the adapter, when that takes events
	Deaf  func(bot.Event) bool // which events are kept from the handler; nil: none

	mu      sync.Mutex
	handled int
	ended   bool
	change  chan struct{}
}

// NewEar makes an Ear.
func NewEar() *Ear { return &Ear{Begun: make(chan struct{}), change: make(chan struct{})} }

// Run runs an adapter with a handler that is listened to.
func (h *Ear) Run(ctx context.Context, chat bot.Chat, handle bot.Handler) error {
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = true
	}()
	return chat.Run(ctx, func(ctx context.Context, e bot.Event) (bot.Response, error) {
		if h.Deaf != nil && h.Deaf(e) {
			return bot.Response{}, nil
		}
		r, err := handle(ctx, e)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.handled++
		close(h.change)
		h.change = make(chan struct{})
		return r, err
	})
}

// After does something and waits until an event was handled. An error: nobody listens, or the bot did not hear it.
func (h *Ear) After(ctx context.Context, do func() string) (string, error) {
	select {
	case <-h.Begun:
	default:
		return "", errors.New("nobody listens yet")
	}
	h.mu.Lock()
	had, change, ended := h.handled, h.change, h.ended
	h.mu.Unlock()
	if ended {
		return "", errors.New("nobody listens any more")
	}
	id := do()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		select {
		case <-change:
		case <-ctx.Done():
			return id, ctx.Err()
		case <-limit.C:
			return id, errors.New("the bot did not hear it")
		}
		h.mu.Lock()
		now := h.handled
		change = h.change
		h.mu.Unlock()
		if now > had {
			return id, nil
		}
	}
}
