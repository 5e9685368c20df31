package bot_test

import (
	"context"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// That a prompt did not touch its team is the team's to hear first: between closing and give-back nobody else learns it.
func TestMissedIsNotToldBeforeTheGiveBack(t *testing.T) {
	ctx := context.Background()
	w, r := openWorld(t, 8)
	defer w.close()
	for i := range 8 {
		values := map[string][]string{"text": {"x"}, "share": {"count"}, "tags": {"quality-speed"}}
		if i < 4 {
			values["stance"] = []string{string(bot.StanceNotMe)}
		}
		w.answer("p"+string(rune('1'+i)), r.ID, values)
	}
	w.until(r.Closes)
	if _, err := w.bot.Step(ctx, r.Closes); err != nil {
		t.Fatal(err)
	}
	closed, err := w.db.Round(ctx, r.ID)
	if err != nil || closed.State != bot.RoundClosed || closed.Tally == nil {
		t.Fatalf("%s %v", closed.State, err)
	}
	w.restart() // what was looked up before is forgotten
	missed := func() int {
		t.Helper()
		e, err := w.bot.Entry(ctx, promptKey(string(r.Prompt.ID)))
		if err != nil {
			t.Fatal(err)
		}
		return e.Shown.Missed
	}
	if n := missed(); n != 0 {
		t.Errorf("told of %d rounds before the give-back", n)
	}
	w.until(r.GivesBack)
	if _, err := w.bot.Step(ctx, r.GivesBack); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if n := missed(); n != 1 {
		t.Errorf("told of %d rounds after the give-back", n)
	}
}
