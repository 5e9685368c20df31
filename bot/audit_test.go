package bot_test

import (
	"context"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// What a manager did is forgotten after two years, on its day (TRUST P6 and section 7), and leaves no page behind.
func TestAuditLogForgets(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, nil)
	ctx := context.Background()
	entries, err := w.db.Audit(ctx)
	if err != nil || len(entries) != 1 || entries[0].What != "on" {
		t.Fatal(entries, err)
	}
	made := entries[0].At
	w.editTeam(func(team *bot.Team) { team.State = bot.TeamOff })
	w.step(made.AddDate(2, 0, -1))
	if entries, err = w.db.Audit(ctx); err != nil || len(entries) != 1 {
		t.Errorf("the day before: %v %v", entries, err)
	}
	w.step(made.AddDate(2, 0, 1))
	if entries, err = w.db.Audit(ctx); err != nil || len(entries) != 0 {
		t.Errorf("the day after: %v %v", entries, err)
	}
}
