package mattermost_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

// heard is an adapter that tells when it takes events, and how many it has handled.
type heard struct {
	*mattermost.Adapter
	*chattest.Ear
}

func (h *heard) Run(ctx context.Context, handle bot.Handler) error {
	return h.Ear.Run(ctx, h.Adapter, handle)
}

// after does something and waits until an event was handled. Nobody does two things in one millisecond, which is the clock of
// versions there.
func (h *heard) after(ctx context.Context, do func() string) (string, error) {
	return h.After(ctx, func() string { <-time.After(2 * time.Millisecond); return do() })
}

// openMarks are marks while a round is open.
func openMarks() *chattest.Marks {
	m := &chattest.Marks{}
	m.Opened(time.Now())
	return m
}

func open(t testing.TB, s server, token string, m *chattest.Marks, log *chattest.Log, edit ...func(*mattermost.Config)) *heard {
	t.Helper()
	h := &heard{Ear: chattest.NewEar()}
	c := mattermost.Config{
		URL: s.URL(), Token: token, Mark: m.Mark, SetMark: m.SetMark, OpenSince: m.OpenSince, Begun: func() { close(h.Begun) },
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
		m, log := openMarks(), &chattest.Log{}
		again := func(t *testing.T) *heard {
			h := open(t, s, token, m, log)
			h.Deaf = func(e bot.Event) bool { _, added := e.(bot.Invited); return added } // the contract is about what people say
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
