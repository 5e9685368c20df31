package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// cutOff is the real store that fails once at each of two places: before the counts go, and before their pages are wiped.
type cutOff struct {
	bot.Store
	clear, erase atomic.Int32 // how often each still fails; rounds are taken side by side
}

func (s *cutOff) ClearShelf(ctx context.Context, id bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	if s.clear.Add(-1) >= 0 {
		return errCut
	}
	return s.Store.ClearShelf(ctx, id, edit)
}

func (s *cutOff) Erase(ctx context.Context) error {
	if s.erase.Add(-1) >= 0 {
		return errCut
	}
	return s.Store.Erase(ctx)
}

// A year after its season a round's counts go, with its words, from the file as well as from its free pages, however often that is
// cut off. That it was asked stays: the question keeps its rest, and everything that looks back goes on working.
func TestCountsAreForgotten(t *testing.T) {
	const word = "sluisdeurtje"
	w, r := openWorld(t, 8)
	defer func() { w.close() }()
	ctx := context.Background()
	for i := range 6 {
		w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"wij keken naar het " + word}, "share": {"share"}, "tags": {"quality-speed"}})
	}
	w.finish(r)
	holds := func(what string) bool { return bytes.Contains(w.file(), []byte(what)) }
	note := bot.WordNote{Key: "nl:" + word, Form: word, Round: r.ID, Shown: r.Number}
	w.editTeam(func(t *bot.Team) {
		t.Words = append(t.Words, note, bot.WordNote{Key: "nl:ander", Form: "ander", Round: "another", Shown: 9})
		t.State, t.NextDue, t.NextOpens = bot.TeamOff, time.Time{}, time.Time{}
	})
	if err := w.db.UpdateRound(ctx, r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.Reasons = append(r.Reasons, prompts.Reason{Key: "recurring", Tension: "quality-speed"})
		return bot.Also{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	until := r.GivesBack.AddDate(1, 0, 0)
	w.step(until.Add(-time.Hour))
	if got, err := w.db.Round(ctx, r.ID); err != nil || got.Tally == nil || !holds(`"respondents":6`) || !holds(word) {
		t.Fatalf("gone before its year was over, or never there: %+v %v", got.Tally, err)
	}

	cut := &cutOff{Store: w.db}
	cut.clear.Store(1)
	cut.erase.Store(1)
	w.through(cut, w.fake)
	if _, err := w.bot.Step(ctx, until); err != nil {
		t.Fatal(err)
	}
	if got, err := w.db.Round(ctx, r.ID); err != nil || got.Tally == nil || len(got.Reasons) == 0 {
		t.Fatalf("cut off before: %+v %v", got, err)
	}
	if _, err := w.bot.Step(ctx, until.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	got, err := w.db.Round(ctx, r.ID)
	if err != nil || got.Tally != nil || !got.Counted || !got.Wake().IsZero() {
		t.Fatalf("not forgotten: %+v %v", got, err)
	}
	if cut.clear.Load() > 0 || cut.erase.Load() > 0 {
		t.Error("the cuts did not happen")
	}
	w.restart() // killed before the pages were wiped
	w.step(until.Add(time.Hour))
	for _, what := range []string{`"respondents":`, word, `"senses":`} {
		if holds(what) {
			t.Errorf("the file still holds %s", what)
		}
	}
	if words := w.team().Words; len(words) != 1 || words[0].Round != "another" {
		t.Errorf("words that were shown: %+v", words)
	}

	for _, why := range got.Reasons {
		if why.Key == "recurring" {
			t.Error("why it was asked still tells what came back")
		}
	}
	if got.Prompt.ID != r.Prompt.ID || got.Prompt.Family != r.Prompt.Family || got.Prompt.Kind != r.Prompt.Kind || len(got.Prompt.Tensions) != len(r.Prompt.Tensions) || !got.Opens.Equal(r.Opens) {
		t.Errorf("what was asked is gone: %+v", got.Prompt)
	}
	if seen, err := w.bot.Export(ctx, crew); err != nil || len(seen) == 0 || seen[0].What != bot.SeenQuestion {
		t.Errorf("export: %+v %v", seen, err)
	}
	if said := plain(w.at(w.fake.Now(), command("seizoen"))); !strings.Contains(said, "gewist") {
		t.Errorf("the season: %s", said)
	}
	if said := plain(w.at(w.fake.Now(), command("waarom"))); said == "" {
		t.Error("why says nothing")
	}
	// The question keeps its rest: what was asked a while ago does not come again while another is there.
	w.editTeam(func(t *bot.Team) { t.State = bot.TeamOn })
	if err := w.bot.Advance(ctx, crew, w.fake.Now()); err != nil {
		t.Fatal(err)
	}
	if next := w.openRound(crew); next.Prompt.ID == r.Prompt.ID || next.Number != r.Number+1 {
		t.Errorf("asked again: %s", next.Prompt.ID)
	}
}

// While its season goes on, an old round keeps its counts; a round that the law holds keeps all it has.
func TestCountsOfASeasonStayTogether(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	w.six(r)
	w.finish(r)
	later := r.GivesBack.AddDate(0, 5, 0)
	second := r
	second.ID, second.Number, second.State = "second", 2, bot.RoundGivenBack
	second.Due, second.Opens, second.Closes, second.GivesBack = later, later, later, later
	if err := w.db.PlanRound(ctx, second, func(t *bot.Team) (bot.Also, error) {
		t.State, t.NextDue, t.NextOpens = bot.TeamOff, time.Time{}, time.Time{}
		return bot.Also{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	has := func() bool {
		got, err := w.db.Round(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Tally != nil
	}
	if err := bot.Hold(ctx, w.db, crew, r.Number, true, "operator", w.fake.Now()); err != nil {
		t.Fatal(err)
	}
	w.step(r.GivesBack.AddDate(3, 0, 0))
	if !has() {
		t.Fatal("a round that is held lost its counts")
	}
	if err := bot.Hold(ctx, w.db, crew, r.Number, false, "operator", w.fake.Now()); err != nil {
		t.Fatal(err)
	}
	now := later.AddDate(1, 0, 0)
	if _, err := w.bot.Step(ctx, now.Add(-time.Minute)); err != nil || !has() {
		t.Errorf("before the season is a year over: %v, there %v", err, has())
	}
	if _, err := w.bot.Step(ctx, now); err != nil || has() {
		t.Errorf("after: %v, there %v", err, has())
	}
}
