package mattermost_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// marks keeps an adapter's mark over its restarts, as the store does.
type marks struct {
	mu   sync.Mutex
	at   time.Time
	open time.Time // since when a round is open
}

func (m *marks) get(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at, nil
}

func (m *marks) set(_ context.Context, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = at
	return nil
}

func (m *marks) opened(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open, nil
}

// heard is an adapter that tells when it takes events, and how many it has handled.
type heard struct {
	*mattermost.Adapter
	begun chan struct{}
	quiet bool // that the bot was added somewhere is kept from the handler

	mu      sync.Mutex
	handled int
	ended   bool
	change  chan struct{}
}

func (h *heard) Run(ctx context.Context, handle bot.Handler) error {
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = true
	}()
	return h.Adapter.Run(ctx, func(ctx context.Context, e bot.Event) (bot.Response, error) {
		if _, added := e.(bot.Invited); added && h.quiet {
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

// after does something and waits until an event was handled.
func (h *heard) after(ctx context.Context, do func() string) (string, error) {
	select {
	case <-h.begun:
	default:
		return "", errors.New("nobody listens yet")
	}
	h.mu.Lock()
	had, change, ended := h.handled, h.change, h.ended
	h.mu.Unlock()
	if ended {
		return "", errors.New("nobody listens any more")
	}
	<-time.After(2 * time.Millisecond) // nobody does two things in one millisecond, which is the clock of versions there
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

func open(t testing.TB, s server, token string, m *marks, log *safeBuffer, edit ...func(*mattermost.Config)) *heard {
	t.Helper()
	h := &heard{begun: make(chan struct{}), change: make(chan struct{})}
	c := mattermost.Config{
		URL: s.URL(), Token: token, Mark: m.get, SetMark: m.set, OpenSince: m.opened, Begun: func() { close(h.begun) },
	}
	for _, e := range edit {
		e(&c)
	}
	a, err := mattermost.New(c, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	h.Adapter = a
	return h
}

func TestContract(t *testing.T) {
	for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		t.Run(version.String(), func(t *testing.T) {
			contract(t, func(t *testing.T) server { return mattermosttest.New(t, version) })
		})
	}
}

func contract(t *testing.T, on func(*testing.T) server) {
	chattest.Run(t, func(t *testing.T) chattest.Harness {
		s := on(t)
		me, token := s.AddBot("weerklank")
		fatima := s.AddUser(mattermosttest.User{Name: "fatima", Locale: "nl"})
		irma := s.AddUser(mattermosttest.User{Name: "irma", Locale: "nl"})
		team := s.AddTeam("gemeente", me, fatima, irma)
		crew := s.AddChannel(team, "buitendienst", me, fatima, irma)
		s.SetChannelAdmin(crew, irma, true)
		people := map[string]string{"fatima": fatima, "irma": irma}
		m, log := &marks{open: time.Now()}, &safeBuffer{}
		again := func(t *testing.T) *heard {
			h := open(t, s, token, m, log)
			h.quiet = true // the contract is about what people say
			return h
		}
		h := again(t)
		harness := chattest.Harness{
			Chat: h, Team: bot.TeamID("mattermost:" + crew), Gone: "mattermost:abcdefghijklmnopqrstuvwxyz", Member: "fatima", Boss: "irma",
			Reopen: func(t *testing.T) bot.Chat { h = again(t); return h }, Missed: true,
			Type: func(ctx context.Context, person, text string) (string, error) {
				return h.after(ctx, func() string { return s.DM(people[person], text) })
			},
			Change: func(ctx context.Context, person, message, text string) error {
				_, err := h.after(ctx, func() string {
					if text == "" {
						s.Delete(message)
					} else {
						s.Edit(message, text)
					}
					return ""
				})
				return err
			},
			Stands: func(text string) (n int) {
				for _, p := range s.Posts(crew) {
					n += strings.Count(p.Text, text)
				}
				return n
			},
			Pass:   func(d time.Duration) { s.Advance(d) },
			Revoke: func(*testing.T) { s.Revoke(token) },
			Log:    log.String,
		}
		if fake, ok := s.(*mattermosttest.Server); ok {
			harness.Shows = func(png []byte) bool {
				for _, p := range fake.Posts(crew) {
					for _, f := range p.Files {
						if bytes.Equal(f.Data, png) && strings.HasSuffix(f.Name, ".png") {
							return true
						}
					}
				}
				return false
			}
			harness.Late = func(t *testing.T) {
				if _, err := h.Find(t.Context(), bot.TeamID("mattermost:"+crew), "none", time.Now()); !errors.Is(err, bot.ErrNotFound) { // it was connected
					t.Fatal(err)
				}
				fake.Freeze()
				time.AfterFunc(100*time.Millisecond, fake.Thaw)
			}
		}
		return harness
	})
}
