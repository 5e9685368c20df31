package bot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// The overview at a season's end quotes on its leaves what was shared, is stored without a word of it, and loses it when its author
// takes it away; the question whether to go on stays.
func TestTheOverviewLosesWhatIsTakenAway(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) {
		o.Library.Prompts = slices.DeleteFunc(slices.Clone(o.Library.Prompts), func(p prompts.Prompt) bool {
			return p.Kind != prompts.Dilemma || p.Tensions[0] != "policy-practice"
		})
	})
	defer w.close()
	ctx := context.Background()
	w.fake.Crew(crew, 20)
	w.switchOn(crew, nil)
	w.editTeam(func(t *bot.Team) { t.Settings.Purpose = "Iedereen veilig over het water" })
	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	const quote = "dan weet iedereen het"
	code, longCode := "", ""
	for i := range 12 {
		values := map[string][]string{"text": {fmt.Sprintf("een antwoord dat veel te lang is om ergens op te staan, nummer %d", i)}, "share": {"share"}, "stance": {"a"}, "tags": {"policy-practice"}}
		if i == 4 {
			values["text"] = []string{quote}
		}
		out := plain(w.answer(fmt.Sprintf("p%d", i+1), r.ID, values))
		if _, after, ok := strings.Cut(out, "deze code: "); ok && i == 4 {
			code = after[:19]
		} else if ok {
			longCode = after[:19]
		}
	}
	w.step(r.Closes)
	if err := w.db.UpdateRound(ctx, r.ID, func(_ *bot.Round, t *bot.Team) (bot.Also, error) { // the season's last
		t.SeasonRounds = 12
		return bot.Also{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bot.Step(ctx, r.GivesBack); err != nil {
		t.Fatal(err)
	}
	vote := w.votes(bot.RoundSeason)[0]
	row := w.row(bot.PostID(vote.ID) + "/prompt")
	if row.Part != bot.PartSeason || len(row.Message.Blocks) != 0 {
		t.Errorf("the outbox holds %+v", row)
	}
	w.step(r.GivesBack)
	overview := func() chattest.Posted {
		t.Helper()
		for _, p := range w.fake.Posts(crew) {
			if p.Ref == w.row(bot.PostID(vote.ID)+"/prompt").Ref {
				return p
			}
		}
		t.Fatal("no overview was posted")
		return chattest.Posted{}
	}
	shows := func(p chattest.Posted) (text, alt string) {
		for _, b := range p.Message.Blocks {
			for _, s := range b.Spans {
				if b.Kind == bot.BlockPicture {
					alt += s.Text
				} else {
					text += s.Text
				}
			}
		}
		return text, alt
	}
	text, alt := shows(overview())
	if flat := strings.Join(strings.Fields(text), " "); !strings.Contains(flat, `beleid: "`+quote+`"`) || !strings.Contains(alt, quote) || !strings.Contains(alt, "Iedereen veilig over het water") {
		t.Fatalf("before: %s\n%s", text, alt)
	}
	if got := plain(w.at(w.fake.Now(), command("verwijder "+longCode))); !strings.Contains(got, "Weggehaald") { // no leaf holds it
		t.Fatal(got)
	}
	w.step(w.fake.Now())
	if got := overview(); got.Edits != 0 {
		t.Errorf("made anew %d times for a reply that is not in it", got.Edits)
	}
	if got := plain(w.at(w.fake.Now(), command("verwijder "+code))); !strings.Contains(got, "Weggehaald") {
		t.Fatal(got)
	}
	w.step(w.fake.Now())
	after := overview()
	text, alt = shows(after)
	if strings.Contains(text+alt, quote) || after.Edits != 1 {
		t.Errorf("after %d edits: %s\n%s", after.Edits, text, alt)
	}
	if !slices.ContainsFunc(after.Message.Blocks, func(b bot.Block) bool { return b.Kind == bot.BlockActions && b.Actions[0].Do == "vote" }) {
		t.Error("the question whether to go on is gone")
	}
}

// The team's own words for its work are set in the settings, told to the channel, and bounded.
func TestPurposeInTheSettings(t *testing.T) {
	w, _ := openWorld(t, 8)
	defer w.close()
	set := func(words string) bot.Response {
		t.Helper()
		at := w.fake.Now().Add(1)
		w.fake.SetNow(at)
		form := w.at(at, command("instellingen")).Form
		return w.submitted(at, form, map[string][]string{"purpose": {words}})
	}
	if r := set(strings.Repeat("x", 61)); r.Errors["purpose"] == "" {
		t.Error("sixty-one characters were taken")
	}
	for words, told := range map[string]string{"  Iedereen   veilig ": "staat nu: Iedereen veilig", "": "geen eigen woorden"} {
		if words == "" {
			set("iets")
		}
		if r := set(words); len(r.Errors) > 0 {
			t.Fatalf("%q: %v", words, r.Errors)
		}
		w.step(w.fake.Now())
		if got := w.team().Settings.Purpose; got != strings.Join(strings.Fields(words), " ") {
			t.Errorf("%q became %q", words, got)
		}
		if said := w.channel(crew); !strings.Contains(said, told) {
			t.Errorf("the channel does not hear %q:\n%s", told, said)
		}
	}
}
