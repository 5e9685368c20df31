package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// forgetting takes what it counted from a round, as the agenda does.
func forgetting(r Round) Round {
	r.Counted = r.had()
	r.Tally, r.Statements, r.News = nil, nil, nil
	return r
}

// cuts writes down which rounds share a window or a block.
func cuts(rounds []Round) string {
	var out []string
	for _, w := range windows(rounds) {
		out = append(out, fmt.Sprint(numbersOf(w.rounds, func(Round) bool { return true }), "@", w.by.Number))
	}
	for _, b := range blocks(rounds) {
		out = append(out, fmt.Sprint(numbersOf(b, func(Round) bool { return true })))
	}
	return strings.Join(out, " ")
}

// Whatever is forgotten, no round comes into another window or block: else a season that is told of again would give single
// rounds away. Of a window or block that is not whole nothing is said.
func TestForgettingCutsNoWindowAnew(t *testing.T) {
	lib := builtin(t)
	row := "ccfcccc!ccclcc|ccccccfccccc!cccccccccccccc"
	faults := func(forget func(Round) Round) (wrong []string) {
		whole := tag(past(lib, row, week), lib.Tensions[1].ID, 4)
		want := cuts(whole)
		for n := range whole {
			rounds := slices.Clone(whole)
			for i := range n {
				rounds[i] = forget(rounds[i])
			}
			if got := cuts(rounds); got != want {
				wrong = append(wrong, fmt.Sprintf("with %d forgotten: %s\nwant %s", n, got, want))
			}
			for _, r := range rounds {
				for _, s := range Statements("t", rounds, r.ID, lib) {
					if len(s.Rounds) > 0 && s.Rounds[0] <= n {
						wrong = append(wrong, fmt.Sprintf("with %d forgotten something is said of rounds %v", n, s.Rounds))
					}
				}
			}
			for _, season := range []int{1, 2, 3} {
				of := slices.DeleteFunc(slices.Clone(rounds), func(r Round) bool { return r.Season != season })
				text := overview(Team{Settings: Settings{Zone: "UTC"}}, rounds, of, lib, prompts.Dutch, nil).Plain()
				if of[len(of)-1].Tally == nil && !strings.Contains(text, "gewist") {
					wrong = append(wrong, fmt.Sprintf("season %d with all forgotten: %s", season, text))
				}
			}
		}
		return wrong
	}
	for _, w := range faults(forgetting) {
		t.Error(w)
	}
	if len(faults(func(r Round) Round { r.Tally, r.Statements = nil, nil; return r })) == 0 {
		t.Error("planted violation passed: a forgotten round leaves its window")
	}
}

// A season's counts go a year after its last give-back: until then only the moment of looking moves.
func TestCountsHaveTheirYear(t *testing.T) {
	lib := builtin(t)
	rounds := past(lib, "ccc!ccl", week)
	if end := seasonEnd(rounds, 1); !end.Equal(rounds[2].GivesBack) {
		t.Errorf("the first season ended %v", end)
	}
	lapsed := append(slices.Clone(rounds), Round{Kind: RoundQuestion, State: RoundLapsed, Season: 2, GivesBack: rounds[5].GivesBack.AddDate(1, 0, 0)})
	if end := seasonEnd(lapsed, 2); !end.Equal(rounds[5].GivesBack) {
		t.Errorf("a round that never was ended the season at %v", end)
	}
	year := func(at time.Time) time.Time { return at.AddDate(1, 0, 0) }
	for name, c := range map[string]struct {
		change func(*Round)
		want   time.Time
	}{
		"as it is":        {func(*Round) {}, year(rounds[0].GivesBack)},
		"looked at":       {func(r *Round) { r.Counts = year(rounds[2].GivesBack) }, year(rounds[2].GivesBack)},
		"replies first":   {func(r *Round) { r.Keep = r.Closes.AddDate(0, 0, 90) }, rounds[0].Closes.AddDate(0, 0, 90)},
		"held":            {func(r *Round) { r.Held, r.Keep = true, r.Closes.AddDate(0, 0, 90) }, time.Time{}},
		"forgotten":       {func(r *Round) { *r = forgetting(*r) }, time.Time{}},
		"statements only": {func(r *Round) { *r = forgetting(*r); r.State, r.Statements = RoundTooFew, []Statement{{}} }, year(rounds[0].GivesBack)},
		"a vote":          {func(r *Round) { r.Kind = RoundSeason }, time.Time{}},
		"a vote to open":  {func(r *Round) { r.Then = RoundSeason }, rounds[0].GivesBack},
	} {
		r := rounds[0]
		c.change(&r)
		if got := r.Wake(); !got.Equal(c.want) {
			t.Errorf("%s: the agenda looks at %v, want %v", name, got, c.want)
		}
	}
}

// Senses that were said to mean the same share windows, blocks, words and signs; others never do, whatever the way there.
func TestSensesThatMeanTheSameCountTogether(t *testing.T) {
	lib := builtin(t)
	first := lib.Tensions[2]
	named := func(label string) prompts.Tension {
		x := first
		x.Label = prompts.Text{prompts.Dutch: label, prompts.English: label}
		return x
	}
	second := named("Twee").After(first)
	third := named("Drie").After(second)
	history := []prompts.Tension{first, second, third}
	in := func(now prompts.Tension) *prompts.Library {
		l := *lib
		l.Tensions = slices.Clone(lib.Tensions)
		l.Tensions[2] = now
		return &l
	}
	// A year in which the tension was edited again and again; each round was tagged by four in the sense of its day.
	year := func(senses ...prompts.Tension) []Round {
		rounds := tag(past(lib, strings.Repeat("c", 24), week), first.ID, 4)
		for i := range rounds {
			rounds[i].Tally.Senses[first.ID] = senses[i*len(senses)/len(rounds)].Sense()
		}
		return rounds
	}
	for name, c := range map[string]struct {
		now   prompts.Tension
		year  []Round
		kind  StatementKind // of the second window
		block StatementKind
		signs int // rounds that show a sign
	}{
		"one sense":                      {first, year(first), SaidOften, SaidSame, 24},
		"a chain of edits":               {third, year(history...), SaidOften, SaidSame, 24},
		"the same, written back":         {first.After(third), year(third, second, first), SaidOften, SaidSame, 24},
		"two meanings":                   {named("Drie"), year(first, named("Drie")), "", SaidIncomparable, 12},
		"only the last edit is the same": {named("Drie").After(named("Twee")), year(first, second, third), SaidOften, SaidIncomparable, 16},
	} {
		l := in(c.now)
		said := Statements("t", c.year, "R012", l)
		if got := kindOf(said, first.ID); got != c.kind {
			t.Errorf("%s: the window says %q, want %q", name, got, c.kind)
		}
		all := Statements("t", c.year, "R024", l)
		var block StatementKind
		for _, s := range all {
			if s.Tension == first.ID && !s.Kind.ofWindow() {
				block = s.Kind
			}
		}
		if block != c.block {
			t.Errorf("%s: the block says %q, want %q", name, block, c.block)
		}
		signs := 0
		for _, r := range c.year {
			if symbol(r, c.now) == symNotAsked {
				signs++
			}
		}
		if signs != c.signs {
			t.Errorf("%s: %d signs, want %d", name, signs, c.signs)
		}
	}
	// What was said in an earlier sense is told on in a season's overview only where it means the same.
	rounds := year(first)
	for i := range rounds {
		rounds[i].Statements = Statements("t", rounds[:i+1], rounds[i].ID, lib)
	}
	for label, now := range map[string]prompts.Tension{"Twee": second, "Anders": named("Anders")} {
		strongest, changed, _ := said(rounds, rounds, in(now))
		_, there := strongest[first.ID]
		mine := slices.ContainsFunc(changed, func(s Statement) bool { return s.Tension == first.ID })
		if want := label == "Twee"; there != want || mine != want {
			t.Errorf("%s: told of windows %v, of blocks %v, want %v", label, there, mine, want)
		}
	}
	// Planted: whoever compares with the present sense alone loses the chain; whoever compares nothing mixes two meanings.
	bare := third
	bare.Formerly = nil
	if kindOf(Statements("t", year(history...), "R012", in(bare)), first.ID) != "" {
		t.Error("planted violation passed: a chain counts although nothing says that it means the same")
	}
}

// A tension that is retired keeps its rounds and its name, and nothing is said of it where it was not on the list.
func TestARetiredTensionKeepsItsName(t *testing.T) {
	lib := builtin(t)
	l := *lib
	l.Tensions = slices.Clone(lib.Tensions)
	l.Tensions[1].Retired = true
	id := lib.Tensions[1].ID
	rounds := tag(past(lib, strings.Repeat("c", 30), week), id, 4)
	team := Team{Settings: Settings{Zone: "UTC"}}
	short := lib.Tensions[1].Short.In(prompts.Dutch)
	if text := overview(team, rounds, rounds, &l, prompts.Dutch, nil).Plain(); !strings.Contains(text, short) {
		t.Errorf("a season in which it was tagged does not name it:\n%s", text)
	}
	for i := range rounds[12:] {
		delete(rounds[12+i].Tally.Senses, id)
	}
	season := rounds[12:]
	if text := overview(team, rounds, season, &l, prompts.Dutch, nil).Plain(); strings.Contains(text, short) {
		t.Errorf("a season after it was retired shows it:\n%s", text)
	}
	if d := seasonData(team, rounds, season, &l, prompts.Dutch, nil); len(d.Rows) != len(lib.Tensions)-1 {
		t.Errorf("the picture has %d rows", len(d.Rows))
	}
	for _, s := range Statements("t", rounds[:24], "R024", &l) {
		if s.Tension == id {
			t.Errorf("said of a retired tension: %+v", s)
		}
	}
}
