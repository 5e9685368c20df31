package bot_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// panicking is a platform that falls over what it is asked, with the words it was given.
type panicking struct {
	*chattest.Fake
	mu   sync.Mutex
	left int
}

func (p *panicking) fall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left > 0 {
		p.left--
		panic("SECRET words of a reply")
	}
}

func (p *panicking) Channels(ctx context.Context, u bot.UserID) ([]bot.TeamID, error) {
	p.fall()
	return p.Fake.Channels(ctx, u)
}

func (p *panicking) Count(ctx context.Context, team bot.TeamID) (int, error) {
	p.fall()
	return p.Fake.Count(ctx, team)
}

// A panic in a handler or in a step of the agenda stops nothing else; the log says where and of what type it was, not what
// it said; and the next time the same goes well (TRUST D12).
func TestPanicsAreContained(t *testing.T) {
	var out bytes.Buffer
	var mu sync.Mutex
	var p *panicking
	w := newWorld(t, func(o *bot.Options) {
		o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &out}, nil))
		p = &panicking{}
		o.Chats = []bot.Chat{p}
	})
	defer w.close()
	p.Fake = w.fake
	w.switchOn(crew, nil)
	due := w.team().NextOpens
	p.left = 1
	w.step(due)
	if w.team().Open == "" { // put aside for a while, and taken again
		w.step(due.Add(2 * 60e9))
	}
	r := w.openRound(crew)
	p.left = 1
	f := w.fake.From("p2", "")
	f.At = r.Opens.Add(1)
	event := bot.DirectReply{From: f, Text: "SECRET", Message: "m1"}
	if _, err := w.bot.Handle(context.Background(), event); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%v", err)
	}
	if resp, err := w.bot.Handle(context.Background(), event); err != nil || !strings.Contains(plain(resp), "Wat mag ik ermee doen?") {
		t.Errorf("%s %v", plain(resp), err)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(out.String(), "level=ERROR msg=panic"); n != 2 || strings.Contains(out.String(), "SECRET") || !strings.Contains(out.String(), "at=panic_test.go:") {
		t.Errorf("%d panics told:\n%s", n, &out)
	}
}
