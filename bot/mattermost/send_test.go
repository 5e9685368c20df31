package mattermost

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// What the bot changes in its own post leaves what people did with it.
func TestEditLeavesPins(t *testing.T) {
	onSites(t, func(w *site) {
		w.s.Pin(w.post)
		closed := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "gesloten"})}}
		if err := w.a.Edit(w.Context(), teamOf(w.wing), bot.Ref(w.post), closed); err != nil {
			w.Fatal(err)
		}
		if p, _ := w.s.Post(w.post); !p.Pinned || p.Text != "gesloten" {
			w.Errorf("%+v", p)
		}
	})
}

// Who waits for an answer does not wait behind what many channels are told.
func TestAnswersGoFirst(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	herd, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	began := make(chan struct{}, 400)
	for i := range 400 {
		go func() {
			began <- struct{}{}
			_, _ = w.a.Post(herd, teamOf(w.wing), asked, "", fmt.Sprintf("herd%d", i))
		}()
	}
	for range 400 {
		<-began
	}
	w.s.Await("the herd", func() bool { return len(w.s.Posts(w.wing)) > burst/2 })
	ctx, end := context.WithTimeout(t.Context(), handleTime)
	defer end()
	got := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "ontvangen"})}}
	if _, err := w.a.say(ctx, w.s.Direct(w.ann, w.bot), "", got, "answer"); err != nil {
		t.Error(err)
	}
}

// Who is in a channel is not kept for longer than it is believed.
func TestRostersAreDropped(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	for i := range 20 {
		c := w.s.AddChannel(w.team, fmt.Sprintf("c%d", i), w.bot, w.ann, w.ben)
		if _, err := w.a.Count(t.Context(), teamOf(c)); err != nil {
			t.Fatal(err)
		}
	}
	w.a.mu.Lock()
	for _, r := range w.a.rosters {
		r.at = r.at.Add(-2 * rosterTime)
	}
	w.a.mu.Unlock()
	if _, err := w.a.Count(t.Context(), teamOf(w.wing)); err != nil {
		t.Fatal(err)
	}
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	if len(w.a.rosters) != 1 {
		t.Errorf("%d are kept", len(w.a.rosters))
	}
}
