package bot_test

import (
	"slices"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

func TestWhy(t *testing.T) {
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		reasons []prompts.Reason
		nl, en  string
	}{
		{"the model sentence",
			[]prompts.Reason{{Key: "audience", Audience: "permits"}, {Key: "tension-rest", Tension: "tailoring-equality", Rounds: 3}, {Key: "never-asked"}},
			"Gekozen omdat: past bij team vergunningen; maatwerk en gelijke behandeling kwam drie rondes niet aan bod; nog niet gesteld.",
			"Chosen because: fits permit team; tailoring and equal treatment was not asked for three rounds; not asked before."},
		{"one round", []prompts.Reason{{Key: "tension-rest", Tension: "quality-speed", Rounds: 1}},
			"Gekozen omdat: goed werk en vlot werk kwam één ronde niet aan bod.",
			"Chosen because: good work and quick work was not asked for one round."},
		{"many rounds", []prompts.Reason{{Key: "tension-rest", Tension: "quality-speed", Rounds: 23}},
			"Gekozen omdat: goed werk en vlot werk kwam 23 rondes niet aan bod.",
			"Chosen because: good work and quick work was not asked for 23 rounds."},
		{"written for others", []prompts.Reason{{Key: "other-work", Audience: "outdoor-crew"}, {Key: "asked-before"}},
			"Gekozen omdat: geschreven voor buitendienst, want voor jullie werk was er even geen vraag over; lang geleden al eens gesteld.",
			"Chosen because: written for outdoor crew, as no question for your work was left for now; asked a long time ago."},
		{"a tension that went away", []prompts.Reason{{Key: "tension-new", Tension: "gone"}, {Key: "everyone"}},
			"Gekozen omdat: past bij elk team.", "Chosen because: fits any team."},
		{"a reason of a later version", []prompts.Reason{{Key: "moon"}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := bot.Why(prompts.Dutch, c.reasons, &lib); got != c.nl {
				t.Errorf("nl:\n%s\nwant\n%s", got, c.nl)
			}
			if got := bot.Why(prompts.English, c.reasons, &lib); got != c.en {
				t.Errorf("en:\n%s\nwant\n%s", got, c.en)
			}
		})
	}
}

// Whatever Pick chooses, each of its reasons has words.
func TestWhySaysEveryReason(t *testing.T) {
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []prompts.Situation{
		{Round: 1, FirstSeason: true, Slot: prompts.SlotMain},
		{Round: 9, Slot: prompts.SlotMain, LookBackDue: true},
		{Round: 9, Slot: prompts.SlotLight, Recurring: []prompts.TensionID{"quality-speed"}},
		{Round: 9, Slot: prompts.SlotMain},
		{Round: 9, Slot: prompts.SlotMain, Audience: []prompts.AudienceID{"permits"}},
	} {
		choice, ok := prompts.Pick(lib, s)
		if !ok {
			t.Fatalf("%+v: nothing chosen", s)
		}
		for _, r := range choice.Reasons {
			for _, lang := range prompts.Langs() {
				if bot.Why(lang, []prompts.Reason{r}, &lib) == "" {
					t.Errorf("%s: no words for %+v", lang, r)
				}
			}
		}
		if !slices.ContainsFunc(choice.Reasons, func(r prompts.Reason) bool { return r.Key == "never-asked" }) {
			t.Errorf("%v: new to the team, and that is no reason", choice.Reasons)
		}
	}
}
