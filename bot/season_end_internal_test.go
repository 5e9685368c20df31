package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// What a window comes to that closes at a season's end is told there, however few rounds of that season had content.
func TestAnEndingSeasonIsShown(t *testing.T) {
	lib := builtin(t)
	rounds := tag(past(lib, "fffffffffccc!fffffffffccc!", week), lib.Tensions[0].ID, 4)
	if kind := kindOf(Statements("t", rounds, "R024", lib), lib.Tensions[0].ID); kind != SaidOften {
		t.Fatalf("the window says %q", kind)
	}
	for season, young := range map[int]bool{2: false, 3: true} { // at its end, and while the next is young
		got := seasonNow(Team{Season: season, Settings: Settings{Zone: "Europe/Amsterdam"}}, rounds, lib, prompts.Dutch, nil, nil).Plain()
		if !strings.Contains(got, "Beleid en praktijk. Dit kwam ook terug") || strings.Contains(got, "nog jong") != young {
			t.Errorf("season %d:\n%s", season, got)
		}
	}
	rounds = past(lib, "cccc!fff!", week) // nothing to show
	if got := seasonNow(Team{Season: 2, Settings: Settings{Zone: "Europe/Amsterdam"}}, rounds, lib, prompts.Dutch, nil, nil).Plain(); !strings.Contains(got, "nog jong") {
		t.Error(got)
	}
}

// Where nobody is asked whether to go on, there is no overview: what came back is told below the give-back after all.
func TestToldWithoutAnOverview(t *testing.T) {
	lib := builtin(t)
	said := Statements("t", tag(past(lib, "cccccc!", week), lib.Tensions[0].ID, 4), "R006", lib)
	b := &Bot{}
	for name, c := range map[string]struct {
		round Round
		team  Team
		told  bool
	}{
		"switched off":     {Round{Ends: true, Then: RoundSeason, Statements: said}, Team{State: TeamOff}, true},
		"the vote is open": {Round{Ends: true, Then: RoundSeason, Statements: said}, Team{State: TeamOn, Vote: "V"}, false},
		"gone":             {Round{Ends: true, Then: RoundSeason, Statements: said}, Team{State: TeamGone}, false},
		"told already":     {Round{Then: RoundPace, Statements: said}, Team{State: TeamOff}, false},
		"nothing to tell":  {Round{Ends: true, Then: RoundSeason}, Team{State: TeamOff}, false},
	} {
		c.round.ID, c.round.Lang = "R006", prompts.Dutch
		posts := b.untold(c.round, c.team, time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC))
		if len(posts) > 0 != c.told || c.told && (posts[0].ReplyTo != "R006/give-back" || !strings.Contains(posts[0].Message.Plain(), "Dit kwam ook terug")) {
			t.Errorf("%s: %+v", name, posts)
		}
	}
}

// A word of a window that began in the season before is not said above a row that shows nothing of it.
func TestAWindowOfTwoSeasons(t *testing.T) {
	lib := builtin(t)
	rounds := tag(past(lib, "ccc!ccc", week), lib.Tensions[0].ID, 3, 0, 0, 0, 0, 0)
	if kind := kindOf(Statements("t", rounds, "R006", lib), lib.Tensions[0].ID); kind != SaidMentioned {
		t.Fatalf("the window says %q", kind)
	}
	got := overview(Team{Season: 2, Settings: Settings{Zone: "Europe/Amsterdam"}}, rounds, ofSeason(rounds, 2), lib, prompts.Dutch, nil).Plain()
	if strings.Contains(got, ": genoemd") || !strings.Contains(got, "Nog geen spanning werd door drie of meer mensen genoemd.") {
		t.Error(got)
	}
	data := seasonData(Team{}, rounds, ofSeason(rounds, 2), lib, prompts.Dutch, nil)
	if data.Rows[0].Status != "niet zichtbaar" {
		t.Errorf("the picture says %q", data.Rows[0].Status)
	}
}

// A round that tagged a tension in another sense, or not at all, is not called one with too few answers.
func TestAnotherSenseHasItsSign(t *testing.T) {
	lib := builtin(t)
	id, team := lib.Tensions[0].ID, Team{Season: 1, Settings: Settings{Zone: "Europe/Amsterdam"}}
	rounds := past(lib, "ccfcc", week)
	if got := Season(team, rounds, lib, prompts.Dutch).Plain(); strings.Contains(got, "·") {
		t.Errorf("a sign that does not occur is in the legend:\n%s", got)
	}
	rounds[0].Tally.Senses[id] = "another"
	delete(rounds[1].Tally.Senses, id)
	for lang, legend := range map[prompts.Lang]string{prompts.Dutch: "· toen anders, of niet op de lijst", prompts.English: "· different then, or not on the list"} {
		got := Season(team, rounds, lib, lang).Plain()
		if strings.Count(got, "  · · – ○ ○") != 1 || strings.Count(got, "  ○ ○ – ○ ○") != len(lib.Tensions)-1 || !strings.Contains(got, legend) {
			t.Error(got)
		}
		alt := spansText(pictureIn(seasonNow(team, rounds, lib, lang, nil, nil)).Spans)
		if !strings.Contains(alt, strings.TrimPrefix(legend, "· ")) || !strings.Contains(alt, "1, 2.") || strings.Contains(alt, "1–3") {
			t.Error(alt)
		}
	}
}
