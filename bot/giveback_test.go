package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// counts is what a round came to: stances, tags and what stood apart.
type counts struct {
	a, both, b, depends, notMe, counter int
	tags                                map[prompts.TensionID]int
	other, none, unknown                int
	people                              int // in the channel
	min                                 int
}

func (c counts) respondents() int { return c.a + c.both + c.b + c.depends + c.notMe + c.counter }

func library(t testing.TB) *prompts.Library {
	t.Helper()
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return &lib
}

// round makes the closed round with those counts; extra people answered without a stance.
func (c counts) round(lib *prompts.Library, lang prompts.Lang, prompt prompts.ID, extra int) bot.Round {
	p, ok := lib.Prompt(prompt)
	if !ok {
		panic(prompt)
	}
	tally := &bot.Tally{
		Respondents: c.respondents() + extra, People: c.people, Asked: p.Tensions, Tags: c.tags, Other: c.other, None: c.none, Unknown: c.unknown,
		Stances: map[bot.Stance]int{bot.StanceA: c.a, bot.StanceBoth: c.both, bot.StanceB: c.b, bot.StanceDepends: c.depends, bot.StanceNotMe: c.notMe, bot.StanceCounter: c.counter},
	}
	most := c.other + c.none
	for _, n := range c.tags {
		most += n
	}
	tally.Tagged = min(most, tally.Respondents)
	return bot.Round{
		ID: "ROUND", Team: crew, Kind: bot.RoundQuestion, State: bot.RoundClosed, Prompt: p, Lang: lang, Zone: "Europe/Amsterdam",
		MinReplies: max(c.min, 3), Adviser: "Sam de Wit (tst 12)", Tally: tally,
	}
}

// shared are released replies with the given stances, in a fixed order.
func shared(stances ...bot.Stance) []bot.Reply {
	var out []bot.Reply
	for i, s := range stances {
		out = append(out, bot.Reply{ID: bot.ReplyID(fmt.Sprintf("ID%02d", i)), Stance: s, Text: bot.ReplyText(fmt.Sprintf("Quote %d of %s.", i, s))})
	}
	return out
}

const verge = prompts.ID("outdoor-verge")

// The wordings of PRACTICE 14.3 and 15, one round each, as people read them.
func TestGoldenGiveBacks(t *testing.T) {
	lib := library(t)
	all := shared(bot.StanceA, bot.StanceB, bot.StanceA, bot.StanceBoth, bot.StanceCounter, bot.StanceNotMe)
	cases := []struct {
		name  string
		c     counts
		extra int
	}{
		{"five to seven: both poles, no leaning, quotes not sorted", counts{a: 3, b: 1, counter: 1, min: 5, people: 10}, 0},
		{"eight and more, both sides heard", counts{a: 4, b: 3, both: 1, notMe: 1, counter: 1, min: 5, people: 14, tags: map[prompts.TensionID]int{"quality-speed": 5, "policy-practice": 3, "tailoring-equality": 2}}, 0},
		{"most leaned one way", counts{a: 12, b: 3, min: 5, people: 20}, 0},
		{"unanimous but for none, one or two", counts{a: 8, b: 2, min: 5, people: 12}, 0},
		{"diverged", counts{a: 3, b: 2, both: 3, depends: 2, min: 5, people: 12}, 0},
		{"twenty or more, under forty per cent, fewer than half tagged, named by no tension", counts{a: 10, b: 11, min: 5, people: 60, other: 3, tags: map[prompts.TensionID]int{"craft-communication": 4}}, 0},
		{"a lowered minimum names no tension", counts{a: 2, b: 2, min: 3, people: 8, tags: map[prompts.TensionID]int{"quality-speed": 4}}, 0},
	}
	for _, lang := range prompts.Langs() {
		var s script
		for _, tc := range cases {
			given := bot.GiveBack(tc.c.round(lib, lang, verge, tc.extra), all, lib, nil)
			s.say(tc.name, given.Message.Plain())
		}
		light := counts{notMe: 0, counter: 1, min: 5, people: 10}.round(lib, lang, "practice-no-and-stay", 6)
		given := bot.GiveBack(light, shared("", "", bot.StanceCounter), lib, nil)
		s.say("a light prompt has no poles", given.Message.Plain())
		s.say("and its thread", given.Thread[0].Plain())
		s.say("and its guide", given.Guide.Plain())
		s.say("too few", bot.TooFew(light, lib, false).Plain())
		s.say("too few again", bot.TooFew(counts{}.round(lib, lang, verge, 0), lib, true).Plain())
		s.say("lost", bot.Lost(light).Plain())
		s.say("talk only", bot.TalkOnly(light, lib).Plain())
		s.say("a season", bot.Season(bot.Team{Settings: defaults()}, season(lib, lang), lib, lang).Plain())
		s.say("an empty season", bot.Season(bot.Team{Settings: defaults()}, nil, lib, lang).Plain())
		golden(t, "give-backs."+string(lang), s.String())
	}
}

// season is twelve rounds of which one had too few answers.
func season(lib *prompts.Library, lang prompts.Lang) []bot.Round {
	var rounds []bot.Round
	for i := range 12 {
		tags := map[prompts.TensionID]int{"quality-speed": i % 5, "policy-practice": (i * 3) % 7}
		r := counts{a: 5, b: 3, min: 5, tags: tags}.round(lib, lang, verge, 0)
		r.State, r.Opens = bot.RoundGivenBack, r.Opens.AddDate(2025, 8, 7*i)
		if i == 5 {
			r.State, r.Tally = bot.RoundTooFew, nil
		}
		rounds = append(rounds, r)
	}
	return rounds
}

// Nobody can tell "all" from "all but one or two" (PRACTICE 10, 23): the whole message is the same to the letter.
func TestUnanimousLooksLikeNearlyAll(t *testing.T) {
	lib := library(t)
	for _, n := range []int{8, 9, 12, 19, 20, 40} {
		for _, lang := range prompts.Langs() {
			var said []string
			for _, against := range []int{0, 1, 2} {
				if 4*(n-against) < 3*n {
					continue
				}
				c := counts{a: n - against, b: against, min: 5, people: n + 2}
				said = append(said, bot.GiveBack(c.round(lib, lang, verge, 0), shared(bot.StanceA), lib, nil).Message.Plain())
			}
			for _, s := range said[1:] {
				if s != said[0] {
					t.Errorf("%d people, %s:\n%s\nbeside\n%s", n, lang, s, said[0])
				}
			}
			if !strings.Contains(said[0], map[prompts.Lang]string{prompts.Dutch: "veel herkenning voor", prompts.English: "Many recognised"}[lang]) {
				t.Errorf("%d people: %s", n, said[0])
			}
		}
	}
}

// A tension that one or two named looks like one that nobody named; no count, percentage or share leaves the round.
func TestSmallCellsAreSilent(t *testing.T) {
	lib := library(t)
	for n := 5; n <= 30; n++ {
		for _, lang := range prompts.Langs() {
			say := func(tags map[prompts.TensionID]int, other int) string {
				c := counts{a: n - 3, b: 3, min: 5, people: n, tags: tags, other: other, none: n} // all tagged, so that "fewer than half" stays out
				return bot.GiveBack(c.round(lib, lang, verge, 0), nil, lib, nil).Message.Plain()
			}
			silent := say(nil, 0)
			for cell := 1; cell < 3; cell++ {
				if got := say(map[prompts.TensionID]int{"policy-practice": cell, "quality-speed": cell}, cell); got != silent {
					t.Errorf("%d people, a cell of %d shows:\n%s", n, cell, got)
				}
			}
			if got := say(map[prompts.TensionID]int{"policy-practice": 3}, 0); got == silent {
				t.Errorf("%d people: three who named a tension are not heard", n)
			}
			if strings.ContainsFunc(strings.ReplaceAll(silent, "(tst 12)", ""), func(r rune) bool { return r >= '0' && r <= '9' || r == '%' }) {
				t.Errorf("a number leaves the round:\n%s", silent)
			}
		}
	}
}

// Below eight replies nothing depends on who leaned where: no leaning, the same deepening question, quotes in one heap.
func TestFewRepliesShowNoLeaning(t *testing.T) {
	lib := library(t)
	quotes := shared(bot.StanceA, bot.StanceB)
	for n := 5; n < 8; n++ {
		want := ""
		for a := 0; a <= n; a++ {
			got := bot.GiveBack(counts{a: a, b: n - a, min: 5}.round(lib, prompts.Dutch, verge, 0), quotes, lib, nil).Message.Plain()
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("%d of %d shows:\n%s", a, n, got)
			}
		}
	}
}

// A round's give-back stays within 200 words in both languages, for every prompt and however long the quotes are
// (PRACTICE 14.1); every shareable quote stands whole in the thread, none twice above.
func TestGiveBackIsShortAndWhole(t *testing.T) {
	lib := library(t)
	long := strings.TrimSpace(strings.Repeat("dit is een lang antwoord ", 12))
	for _, p := range lib.Prompts {
		for _, lang := range prompts.Langs() {
			var quotes []bot.Reply
			for i := range 24 {
				text := fmt.Sprintf("%s %d", strings.Join(strings.Fields(long)[:1+2*i], " "), i)
				quotes = append(quotes, bot.Reply{ID: bot.ReplyID(fmt.Sprintf("%02d", i)), Stance: []bot.Stance{bot.StanceA, bot.StanceB, bot.StanceNotMe, bot.StanceCounter}[i%4], Text: bot.ReplyText(text)})
			}
			tags := map[prompts.TensionID]int{}
			for _, tension := range lib.Tensions {
				tags[tension.ID] = 6
			}
			r := counts{a: 6, b: 6, notMe: 6, counter: 6, min: 5, people: 100, tags: tags, other: 6}.round(lib, lang, p.ID, 0)
			r.Chooses = p.Light()
			for i := range 4 { // what waits for an answer, as long as may be
				r.Owed = append(r.Owed, bot.Owed{Item: strings.TrimSpace(strings.Repeat("een twee ", 16)) + fmt.Sprint(i), Manager: "Kim de Baas", On: r.GivesBack, Promise: r.GivesBack})
			}
			given := bot.GiveBack(r, quotes, lib, nil)
			text := given.Message.Plain()
			if !strings.Contains(text, "1 januari.") && !strings.Contains(text, "1 January.") {
				t.Errorf("what waits for an answer is not told:\n%s", text)
			}
			if n := len(strings.Fields(text)); n > 200 {
				t.Errorf("%s in %s: %d words\n%s", p.ID, lang, n, text)
			}
			thread := given.Thread[0].Plain()
			for _, q := range quotes {
				whole := "> " + string([]byte(q.Text)) + "\n"
				if strings.Count(thread, whole) != 1 || strings.Count(text, whole) > 1 {
					t.Errorf("%s: a quote stands %d times in the thread and %d times above", p.ID, strings.Count(thread, whole), strings.Count(text, whole))
				}
			}
			if given.Followup == "" || given.Guide == nil {
				t.Errorf("%s: no deepening question or no guide", p.ID)
			}
		}
	}
}

// Quotes stand in the order of random IDs, without emoji or signature. What must not be quoted is on no shelf (TestHintsForm).
func TestQuotes(t *testing.T) {
	lib := library(t)
	replies := []bot.Reply{
		{ID: "C", Text: "derde 👍🏽"}, {ID: "A", Text: "eerste\nGroet, Jan"}, {ID: "D", Text: "🙂"},
		{ID: "E", Text: "Groeten van de nachtdienst, die hoor ik zelden."},
	}
	given := bot.GiveBack(counts{a: 5, min: 5}.round(lib, prompts.Dutch, verge, 0), replies, lib, nil)
	var got []string
	for _, b := range given.Thread[0].Blocks {
		if b.Kind == bot.BlockQuote {
			got = append(got, b.Spans[0].Text)
			if !b.Spans[0].Person {
				t.Error("a quote is not marked as a person's words")
			}
		}
	}
	if want := []string{"eerste", "derde", "Groeten van de nachtdienst, die hoor ik zelden."}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A signature is how colleagues know each other: it goes, and what only looks like one stays.
func TestSignatures(t *testing.T) {
	lib := library(t)
	for text, want := range map[string]string{
		"Het is te druk.\nMet vriendelijke groet, Jan de Boer":   "Het is te druk.",
		"Het is te druk.\n\nMvg\nJan":                            "Het is te druk.",
		"Het is te druk.\nGroetjes,\nPiet":                       "Het is te druk.",
		"In de cel is het 30 °C. Groetjes Piet":                  "In de cel is het 30 °C.",
		"It is too busy. Kind regards, Mary O'Brien":             "It is too busy.",
		"Ik zeg het gewoon. gr. Ahmed el Amrani":                 "Ik zeg het gewoon.",
		"Groeten is bij ons geen gewoonte":                       "Groeten is bij ons geen gewoonte",
		"Wij wisselen geen groeten van de nachtdienst uit.":      "Wij wisselen geen groeten van de nachtdienst uit.",
		"Ze doen de groeten aan elkaar.\nDaarna werken ze door.": "Ze doen de groeten aan elkaar.\nDaarna werken ze door.",
		"Zonder groet vertrekken, dat doe ik niet.":              "Zonder groet vertrekken, dat doe ik niet.",
		"Een halve meter² 👍🏽":                                    "Een halve meter²",
	} {
		given := bot.GiveBack(counts{a: 5, min: 5}.round(lib, prompts.Dutch, verge, 0), []bot.Reply{{ID: "1", Text: bot.ReplyText(text)}}, lib, nil)
		if got := given.Thread[0].Blocks[1].Spans[0].Text; got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Respondents are given in bands that never say how many, whatever the minimum is.
func TestBands(t *testing.T) {
	lib := library(t)
	for _, tc := range []struct {
		n, min int
		want   string
	}{
		{3, 3, "Drie tot zeven mensen"}, {5, 5, "Vijf tot zeven mensen"}, {7, 5, "Vijf tot zeven mensen"}, {8, 5, "Acht tot negentien mensen"}, {19, 5, "Acht tot negentien mensen"},
		{20, 5, "Twintig of meer mensen"}, {6, 6, "Minder dan twintig mensen"}, {7, 7, "Minder dan twintig mensen"}, {9, 7, "Minder dan twintig mensen"}, // else "minder dan twintig" would be seven exactly
		{10, 7, "Acht tot negentien mensen"}, {15, 15, "Acht tot negentien mensen"}, {18, 15, "Achttien of meer mensen"}, {25, 25, "Twintig of meer mensen"},
	} {
		got := bot.GiveBack(counts{a: tc.n, min: tc.min}.round(lib, prompts.Dutch, verge, 0), nil, lib, nil).Message.Plain()
		if !strings.Contains(got, tc.want) {
			t.Errorf("%d of at least %d: want %q\n%s", tc.n, tc.min, tc.want, got)
		}
	}
}

// The deepening question from eight replies on: the first match of PRACTICE 3.6.
func TestFollowup(t *testing.T) {
	lib := library(t)
	own := func(id prompts.ID, kind string) string {
		p, _ := lib.Prompt(id)
		if i := slices.Index(p.FollowupKinds, kind); i >= 0 {
			return p.In(prompts.Dutch).Followups[i]
		}
		return ""
	}
	or := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	for name, tc := range map[string]struct {
		prompt    prompts.ID
		c         counts
		recurring bool
		want      string
	}{
		"three are not touched": {verge, counts{a: 5, notMe: 3, min: 5}, true, or(own(verge, "appreciative"), "Wanneer ging dit juist goed?")},
		"it keeps coming back":  {verge, counts{a: 8, min: 5}, true, or(own(verge, "alternative"), "Wat kunnen we doen zonder extra geld of toestemming?")},
		"nearly one voice":      {verge, counts{a: 6, b: 2, min: 5}, false, or(own(verge, "perspective"), "Wat beschermt de kant die jij niet koos?")},
		"two voices":            {verge, counts{a: 4, b: 4, min: 5}, false, or(or(or(own(verge, "agreement"), own(verge, "value")), own(verge, "tipping-point")), "Wat wil je hierover met elkaar afspreken?")},
	} {
		r := tc.c.round(lib, prompts.Dutch, tc.prompt, 0)
		recurring := map[prompts.TensionID]bool{}
		if tc.recurring {
			recurring[r.Prompt.Tensions[0]] = true
		}
		if got := bot.GiveBack(r, nil, lib, recurring).Followup; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	after := counts{a: 4, notMe: 4, min: 5}.round(lib, prompts.Dutch, verge, 0)
	after.Prompt.Aftercare = true
	if got := bot.GiveBack(after, nil, lib, nil).Followup; got != or(own(verge, "agreement"), "Wat wil je hierover met elkaar afspreken?") {
		t.Errorf("after a heavy prompt: %q", got)
	}
}
