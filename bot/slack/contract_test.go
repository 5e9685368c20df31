package slack_test

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
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
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
	*slack.Adapter
	begun chan struct{}

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

func open(t testing.TB, s *slacktest.Server, m *marks, log *safeBuffer, edit ...func(*slack.Config)) *heard {
	t.Helper()
	h := &heard{begun: make(chan struct{}), change: make(chan struct{})}
	c := slack.Config{
		BotToken: s.BotToken(), AppToken: s.AppToken(), SigningSecret: s.SigningSecret(), APIURL: s.URL(), PerSecond: 1000,
		Mark: m.get, SetMark: m.set, OpenSince: m.opened, Begun: func() { close(h.begun) },
	}
	for _, e := range edit {
		e(&c)
	}
	a, err := slack.New(c, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	h.Adapter = a
	return h
}

func TestContract(t *testing.T) {
	chattest.Run(t, func(t *testing.T) chattest.Harness {
		s := slacktest.Start(t, slacktest.Options{Scopes: slack.Scopes(), Events: slack.Events()})
		fatima := s.AddUser(slacktest.User{Name: "fatima", Locale: "nl-NL"})
		irma := s.AddUser(slacktest.User{Name: "irma", Locale: "nl-NL", Admin: true})
		crew := s.AddChannel(slacktest.Channel{Name: "buitendienst", Members: []string{s.Bot(), fatima, irma}})
		people := map[string]string{"fatima": fatima, "irma": irma}
		m, log := &marks{open: time.Now()}, &safeBuffer{}
		h := open(t, s, m, log)
		seen := func() (out strings.Builder) {
			for _, p := range s.Channel(crew) {
				out.WriteString(p.Seen() + "\n")
			}
			return out
		}
		if _, err := h.Self(t.Context()); err != nil { // the names of teams hold the workspace
			t.Fatal(err)
		}
		return chattest.Harness{
			Chat: h, Team: bot.TeamID("slack:" + s.Team() + "/" + crew), Gone: bot.TeamID("slack:" + s.Team() + "/C0000GONE"), Member: "fatima", Boss: "irma",
			Type: func(ctx context.Context, person, text string) (string, error) {
				return h.after(ctx, func() string { return s.TypeDirect(people[person], text) })
			},
			Change: func(ctx context.Context, person, message, text string) error {
				_, err := h.after(ctx, func() string {
					if text == "" {
						s.Delete(s.Direct(people[person]), message)
					} else {
						s.Edit(s.Direct(people[person]), message, text)
					}
					return ""
				})
				return err
			},
			Stands: func(text string) (n int) {
				out := seen()
				return strings.Count(out.String(), text)
			},
			Shows: func(png []byte) bool {
				for _, p := range s.Channel(crew) {
					if s.HoldsFile(p, png) {
						return true
					}
				}
				return false
			},
			Pass:   func(d time.Duration) { s.Advance(d) },
			Revoke: func(*testing.T) { s.RevokeToken(false, "token_revoked") },
			Log:    log.String,
		}
	})
}
