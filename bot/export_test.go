package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// An export is what the team has seen, word for word, and nothing else (TRUST P11): each piece of it stands in the channel.
func TestExport(t *testing.T) {
	for _, replies := range []int{6, 2} {
		w, r := openWorld(t, 8)
		ctx := context.Background()
		before, err := w.bot.Export(ctx, crew)
		if err != nil || len(before) != 1 || before[0].What != bot.SeenQuestion {
			t.Fatalf("while open: %+v %v", before, err)
		}
		for i := range replies {
			w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {fmt.Sprintf("woorden %d", i)}, "share": {"share"}})
		}
		if _, err := w.bot.Step(ctx, r.Closes); err != nil {
			t.Fatal(err)
		}
		if _, err := w.bot.Step(ctx, r.GivesBack); err != nil {
			t.Fatal(err)
		}
		if waiting, err := w.bot.Export(ctx, crew); err != nil || len(waiting) != 1 {
			t.Errorf("while the give-back waits: %+v %v", waiting, err)
		}
		if _, err := w.bot.Send(ctx, r.GivesBack.AddDate(0, 0, 1)); err != nil {
			t.Fatal(err)
		}
		seen, err := w.bot.Export(ctx, crew)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []bot.SeenKind
		for _, s := range seen {
			kinds = append(kinds, s.What)
			if !slices.ContainsFunc(w.fake.Posts(crew), func(p chattest.Posted) bool { return p.Message.Plain() == s.Text || p.First.Plain() == s.Text }) {
				t.Errorf("the team never saw this %s:\n%s", s.What, s.Text)
			}
		}
		want := []bot.SeenKind{bot.SeenQuestion, bot.SeenGiveBack, bot.SeenQuotes, bot.SeenGuide}
		if replies < 5 {
			want = []bot.SeenKind{bot.SeenQuestion, bot.SeenTooFew}
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("%d replies: %v, want %v", replies, kinds, want)
		}
		if _, err := w.bot.Export(ctx, "fake:nowhere"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("another team: %v", err)
		}
		w.close()
	}
}
