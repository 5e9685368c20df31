package bot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// Held replies outlive retention, and go on their day once nothing holds them; the channel is told of both, an open round
// has nothing to hold (TRUST P6).
func TestHold(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	for i := range 5 {
		w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"blijft langer"}, "share": {"share"}})
	}
	const by = bot.ActorID("operator:console")
	if err := bot.Hold(ctx, w.db, crew, r.Number, true, by, r.Opens); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("an open round was held: %v", err)
	}
	got := w.finish(r)
	hold := func(on bool) {
		t.Helper()
		for range 2 { // the second changes nothing
			if err := bot.Hold(ctx, w.db, crew, r.Number, on, by, got.GivesBack); err != nil {
				t.Fatal(err)
			}
		}
	}
	shelf := func(days, want int) {
		t.Helper()
		if _, err := w.bot.Step(ctx, got.Closes.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
		if shelf, err := w.db.Shelf(ctx, r.ID); err != nil || len(shelf) != want {
			t.Errorf("after %d days: %d on the shelf, want %d, %v", days, len(shelf), want, err)
		}
		if _, err := w.keys.Open(ctx, string(r.ID)+".shelf"); (err == nil) != (want > 0) {
			t.Errorf("after %d days the key: %v", days, err)
		}
	}
	hold(true)
	if kept, err := bot.KeptRounds(ctx, w.db); err != nil || len(kept) != 1 || !kept[0].Held || kept[0].Number != r.Number {
		t.Errorf("%+v %v", kept, err)
	}
	shelf(91, 5)
	shelf(800, 5)
	hold(false)
	shelf(801, 0)
	if kept, err := bot.KeptRounds(ctx, w.db); err != nil || len(kept) != 0 {
		t.Errorf("%+v %v", kept, err)
	}
	if err := bot.Hold(ctx, w.db, crew, r.Number, true, by, got.Closes); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("what is erased was held: %v", err)
	}
	if _, err := w.bot.Send(ctx, got.Closes.AddDate(0, 0, 801)); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, p := range w.fake.Posts(crew) {
		if text := p.First.Plain(); strings.Contains(text, "De wet vraagt") || strings.Contains(text, "hoeven niet langer") {
			said = append(said, text)
		}
	}
	if len(said) != 2 || !strings.Contains(said[0], "De wet vraagt") {
		t.Errorf("the channel heard: %q", said)
	}
}
