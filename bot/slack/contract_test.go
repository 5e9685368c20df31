package slack_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// heard is an adapter that tells when it takes events, and how many it has handled.
type heard struct {
	*slack.Adapter
	*chattest.Ear
}

func (h *heard) Run(ctx context.Context, handle bot.Handler) error {
	return h.Ear.Run(ctx, h.Adapter, handle)
}

// openMarks are marks while a round is open.
func openMarks() *chattest.Marks {
	m := &chattest.Marks{}
	m.Opened(time.Now())
	return m
}

func open(t testing.TB, s *slacktest.Server, m *chattest.Marks, log *chattest.Log, edit ...func(*slack.Config)) *heard {
	t.Helper()
	h := &heard{Ear: chattest.NewEar()}
	c := slack.Config{
		BotToken: s.BotToken(), AppToken: s.AppToken(), SigningSecret: s.SigningSecret(), APIURL: s.URL(), PerSecond: 1000,
		Mark: m.Mark, SetMark: m.SetMark, OpenSince: m.OpenSince, Begun: func() { close(h.Begun) },
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
		m, log := openMarks(), &chattest.Log{}
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
				return h.After(ctx, func() string { return s.TypeDirect(people[person], text) })
			},
			Change: func(ctx context.Context, person, message, text string) error {
				_, err := h.After(ctx, func() string {
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
