package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/prompts"
)

// leafRound is a large round whose dilemma asked about the first tension, with what its authors shared.
func leafRound(lib *prompts.Library) (Round, []Reply) {
	i := slices.IndexFunc(lib.Prompts, func(p prompts.Prompt) bool {
		return p.Kind == prompts.Dilemma && p.Tensions[0] == lib.Tensions[0].ID
	})
	id, at := lib.Tensions[0].ID, time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	r := Round{
		ID: "r", Number: 1, Kind: RoundQuestion, State: RoundGivenBack, Season: 1, MinReplies: 5, Prompt: lib.Prompts[i], Due: at, Opens: at, Keep: at.AddDate(0, 0, 90),
		Tally: &Tally{
			Respondents: 12, People: 20, Tagged: 12, Tags: map[prompts.TensionID]int{id: 9}, Asked: lib.Prompts[i].Tensions, Senses: sensesOf(offersOf(lib.Tensions)),
			Stances: map[Stance]int{StanceA: 5, StanceB: 4},
		},
	}
	tags := []prompts.TensionID{id}
	return r, []Reply{
		{ID: "1", Text: "dan is het helder", Stance: StanceA, Tags: tags},
		{ID: "2", Text: "zo weet ik waar ik sta", Stance: StanceA, Tags: tags},
		{ID: "3", Text: "dit past nergens in", Stance: StanceB, Tags: tags},
		{ID: "4", Text: "een heel lang antwoord dat met al zijn woorden op geen leaf past", Stance: StanceB, Tags: tags},
		{ID: "5", Text: "niet over deze spanning", Stance: StanceA},
		{ID: "6", Text: "aan geen kant", Stance: StanceBoth, Tags: tags},
		{ID: "7", Text: "van `code` en @namen", Stance: StanceB, Tags: tags},
	}
}

// A leaf holds a whole quote, of who named the tension and stood at that pole, from a round that shows its sign; else none.
func TestLeavesQuoteOnlyWhereTheyMay(t *testing.T) {
	lib := builtin(t)
	id := lib.Tensions[0].ID
	faults := func(pick func([]Round, *prompts.Library, func(Round) ([]Reply, error)) (leafQuotes, error)) (wrong []string) {
		for name, c := range map[string]struct {
			change func(*Round)
			want   bool
		}{
			"as it is":               {func(*Round) {}, true},
			"two tags":               {func(r *Round) { r.Tally.Tags[id] = 2 }, false},
			"not asked":              {func(r *Round) { r.Tally.Asked = nil }, false},
			"another meaning":        {func(r *Round) { r.Tally.Senses[id] = "0123456789abcdef" }, false},
			"a small round":          {func(r *Round) { r.Tally.Respondents = 7 }, false},
			"two at each pole":       {func(r *Round) { r.Tally.Stances = map[Stance]int{StanceA: 2, StanceB: 2} }, false},
			"a light prompt":         {func(r *Round) { r.Prompt.Kind = prompts.Practice }, false},
			"not given back":         {func(r *Round) { r.State = RoundClosed }, false},
			"erased after retention": {func(r *Round) { r.Keep = time.Time{} }, false},
			"counts forgotten":       {func(r *Round) { *r = forgetting(*r) }, false},
		} {
			r, replies := leafRound(lib)
			c.change(&r)
			got, err := pick([]Round{r}, lib, func(Round) ([]Reply, error) { return replies, nil })
			if err != nil {
				t.Fatal(err)
			}
			both := got[id]
			if (both != [2]string{}) != c.want || len(got) > 1 {
				wrong = append(wrong, fmt.Sprintf("%s: %q", name, got))
			}
			if c.want && (both[0] != "dan is het helder" && both[0] != "zo weet ik waar ik sta" || both[1] != "dit past nergens in") {
				wrong = append(wrong, fmt.Sprintf("%s: %q", name, both))
			}
		}
		return wrong
	}
	for _, w := range faults(pickLeaves) {
		t.Error(w)
	}
	if len(faults(func(rounds []Round, lib *prompts.Library, replies func(Round) ([]Reply, error)) (leafQuotes, error) {
		for i := range rounds { // whatever its numbers
			if tally := rounds[i].Tally; tally != nil {
				tally.Tags[id], tally.Respondents = 9, 12
			}
		}
		return pickLeaves(rounds, lib, replies)
	})) == 0 {
		t.Error("planted violation passed: small numbers are quoted")
	}
	// Whatever the order replies and rounds come in: the same quotes. Taken away: another, or none.
	r, replies := leafRound(lib)
	pick := func(all []Reply) [2]string {
		got, err := pickLeaves([]Round{r}, lib, func(Round) ([]Reply, error) { return all, nil })
		if err != nil {
			t.Fatal(err)
		}
		return got[id]
	}
	whole := pick(replies)
	turned := slices.Clone(replies)
	slices.Reverse(turned)
	if pick(turned) != whole {
		t.Error("the order of replies shows")
	}
	rest := slices.DeleteFunc(slices.Clone(replies), func(q Reply) bool { return string(q.Text) == whole[0] })
	if now := pick(rest); now[0] == whole[0] || now[0] == "" || now[1] != whole[1] {
		t.Errorf("after one was taken away: %q, before %q", now, whole)
	}
}

// In the text version a quote stands whole below its tension, on lines that fit a telephone; in the picture and its words too.
func TestLeavesInTextAndPicture(t *testing.T) {
	lib := builtin(t)
	id := lib.Tensions[0].ID
	r, _ := leafRound(lib)
	team := Team{Season: 1, Settings: Settings{Zone: "UTC", Purpose: "Iedereen veilig thuis"}}
	quotes := leafQuotes{id: {"wie het langste heeft gewacht gaat bij ons altijd voor", "onafgebrokenverantwoordelijkhe telt"}}
	for _, lang := range prompts.Langs() {
		plain := overview(team, []Round{r}, []Round{r}, lib, lang, nil)
		m := seasonNow(team, []Round{r}, lib, lang, quotes, quotes)
		var code string
		for _, b := range m.Blocks {
			if b.Kind == BlockCode {
				code = spansText(b.Spans)
			}
		}
		flat := strings.Join(strings.Fields(code), " ")
		for _, q := range quotes[id] {
			if !strings.Contains(flat, `: "`+q+`"`) {
				t.Errorf("%s: %q is not there whole:\n%s", lang, q, code)
			}
			if strings.Contains(plain.Plain(), q) {
				t.Error("quoted without being asked")
			}
		}
		for line := range strings.SplitSeq(code, "\n") {
			if utf8.RuneCountInString(line) > lineRunes {
				t.Errorf("%s: %q is too long", lang, line)
			}
		}
		alt := spansText(pictureIn(m).Spans)
		if !strings.Contains(alt, "Iedereen veilig thuis") || !strings.Contains(alt, quotes[id][0]) || !strings.Contains(alt, lib.Tensions[0].A.In(lang)+": ") {
			t.Errorf("%s: who hears the picture hears\n%s", lang, alt)
		}
		without := seasonNow(team, []Round{r}, lib, lang, quotes, nil)
		if alt := spansText(pictureIn(without).Spans); strings.Contains(alt, quotes[id][0]) || !strings.Contains(alt, lib.Tensions[0].ProtectsA.In(lang)) {
			t.Errorf("%s: where pictures stay as they are, this one says\n%s", lang, alt)
		}
	}
}
