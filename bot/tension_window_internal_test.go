package bot

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

func builtin(t testing.TB) *prompts.Library {
	t.Helper()
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return &lib
}

// past writes down a team's rounds, one letter each: c with content, f with too few answers, l lost, a content round that
// asked the first tension; | is a new season without a last give-back, ! ends the season with the round before it.
func past(lib *prompts.Library, row string, every time.Duration) (rounds []Round) {
	at, season := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), 1
	for _, c := range row {
		switch c {
		case '|':
			season++
			continue
		case '!':
			rounds[len(rounds)-1].Ends = true
			season++
			continue
		}
		r := Round{
			ID: RoundID(fmt.Sprintf("R%03d", len(rounds)+1)), Kind: RoundQuestion, State: RoundGivenBack, Number: len(rounds) + 1, Season: season, MinReplies: 5,
			Due: at, Opens: at, Closes: at.AddDate(0, 0, 6), GivesBack: at.AddDate(0, 0, 6), Lang: prompts.Dutch, Zone: "Europe/Amsterdam",
		}
		switch c {
		case 'f':
			r.State = RoundTooFew
		case 'l':
			r.State = RoundLost
		default:
			r.Tally = &Tally{Respondents: 9, Tagged: 8, Tags: map[prompts.TensionID]int{}, Senses: sensesOf(offersOf(lib.Tensions))}
			if c == 'a' {
				r.Tally.Asked = []prompts.TensionID{lib.Tensions[0].ID}
			}
		}
		rounds = append(rounds, r)
		at = at.Add(every)
	}
	return rounds
}

const week = 7 * 24 * time.Hour

// shape writes windows down: the numbers of their rounds, and at whose give-back they closed.
func shape(ws []window) string {
	var out []string
	for _, w := range ws {
		var in []string
		for _, r := range w.rounds {
			in = append(in, fmt.Sprint(r.Number))
		}
		out = append(out, fmt.Sprintf("%s@%d", strings.Join(in, " "), w.by.Number))
	}
	return strings.Join(out, ", ")
}

// A window closes with its sixth content round, at a season's end with four or more; with fewer it runs on, at most forty
// weeks. Each round is in one at most.
func TestWindows(t *testing.T) {
	lib := builtin(t)
	for _, c := range []struct {
		name, row string
		every     time.Duration
		want      string
	}{
		{"five rounds are none", "ccccc", week, ""},
		{"six are one", "cccccc", week, "1 2 3 4 5 6@6"},
		{"rounds without content are in none", "cfcclcffccc", week, "1 3 4 6 9 10@10"},
		{"each round is in one", "ccccccccccccc", week, "1 2 3 4 5 6@6, 7 8 9 10 11 12@12"},
		{"a season ends with four", "ccccf!cccccc", week, "1 2 3 4@5, 6 7 8 9 10 11@11"},
		{"with five, the last has content", "ccccc!c", week, "1 2 3 4 5@5"},
		{"with three it runs on", "ccc!cccc", week, "1 2 3 4 5 6@6"},
		{"with three and a window before", "ccccccccc!ccc", week, "1 2 3 4 5 6@6, 7 8 9 10 11 12@12"},
		{"a season that ended without a last give-back", "cccc|ccc", week, "1 2 3 4@5"},
		{"the same with three", "ccc|ccc", week, "1 2 3 4 5 6@6"},
		{"the same, and the next round is lost", "cccc|lfc", week, "1 2 3 4@6"},
		{"forty weeks with four", "ccccc", 10 * week, "1 2 3 4@5"},
		{"forty weeks with three", "ccccccc", 13 * week, "1 2 3 4@5"},
		{"forty weeks with fewer are dropped", "ccfff" + "cccccc", 9 * week, "6 7 8 9 10@11"},
		{"six rounds within forty weeks", "cccccc", 7 * week, "1 2 3 4 5 6@6"},
		{"the sixth is a day too late", "cccccc", 55 * 24 * time.Hour, "1 2 3 4 5@6"},
	} {
		if got := shape(windows(past(lib, c.row, c.every))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	random := rand.New(rand.NewPCG(2, 0))
	for range 500 {
		var row strings.Builder
		for range random.IntN(60) {
			row.WriteString([]string{"c", "c", "c", "c", "a", "f", "l", "c|", "c!", "f!"}[random.IntN(10)])
		}
		rounds := past(lib, row.String(), time.Duration(1+random.IntN(60))*24*time.Hour)
		in := map[RoundID]bool{}
		for _, w := range windows(rounds) {
			if len(w.rounds) < minBasis || len(w.rounds) > windowRounds || w.rounds[len(w.rounds)-1].Closes.Sub(w.rounds[0].Opens) > 40*week {
				t.Fatalf("%s: %s", row.String(), shape([]window{w}))
			}
			for _, r := range w.rounds {
				if in[r.ID] {
					t.Fatalf("%s: round %d is in two windows", row.String(), r.Number)
				}
				in[r.ID] = true
			}
		}
	}
}

// A round has content from five answers on, whatever a lower minimum allows, and from the minimum if that is higher.
func TestContentRounds(t *testing.T) {
	for _, c := range []struct {
		respondents, min int
		want             bool
	}{{5, 5, true}, {4, 3, false}, {8, 8, true}, {7, 3, false}, {8, 3, true}} {
		r := Round{State: RoundGivenBack, MinReplies: c.min, Tally: &Tally{Respondents: c.respondents}}
		if hasContent(r) != c.want {
			t.Errorf("%d answers of at least %d: %v", c.respondents, c.min, !c.want)
		}
	}
}

// Statements come with the rounds that close a window or a block and with no other; what was counted before never changes
// by what comes after.
func TestStatementsOnlyAtClosings(t *testing.T) {
	lib := builtin(t)
	random := rand.New(rand.NewPCG(4, 0))
	for range 60 {
		var row strings.Builder
		for range 40 {
			row.WriteString([]string{"c", "c", "c", "c", "a", "a", "f", "l", "c!", "f!"}[random.IntN(10)])
		}
		rounds := past(lib, row.String(), week)
		for _, r := range rounds {
			if r.Tally != nil {
				for _, tension := range lib.Tensions {
					r.Tally.Tags[tension.ID] = random.IntN(5)
				}
			}
		}
		content := 0
		said := map[RoundID][]Statement{}
		for i, r := range rounds {
			now := slices.Clone(rounds[:i+1])
			got := Statements("team", now, r.ID, lib)
			said[r.ID] = got
			closes := slices.ContainsFunc(windows(now), func(w window) bool { return w.by.ID == r.ID })
			block := false
			if hasContent(r) {
				content++
				block = content%blockRounds == 0 && content > blockRounds
			}
			for _, s := range got {
				if s.Kind.ofWindow() && !closes || !s.Kind.ofWindow() && s.Kind != SaidHalf && !block {
					t.Fatalf("%s: round %d said %s", row.String(), r.Number, s.Kind)
				}
			}
			if closes && !slices.ContainsFunc(got, func(s Statement) bool { return s.Kind.ofWindow() }) || block && !slices.ContainsFunc(got, func(s Statement) bool {
				return s.Kind == SaidSame || s.Kind == SaidMore || s.Kind == SaidLess || s.Kind == SaidIncomparable
			}) {
				t.Fatalf("%s: round %d says nothing", row.String(), r.Number)
			}
		}
		for _, r := range rounds { // looked at again with all that came after
			again := Statements("team", rounds, r.ID, lib)
			if i := slices.IndexFunc(again, func(s Statement) bool { return !s.Kind.ofWindow() && s.Kind != SaidHalf }); i >= 0 {
				again = again[:i]
			}
			was := said[r.ID]
			if i := slices.IndexFunc(was, func(s Statement) bool { return !s.Kind.ofWindow() && s.Kind != SaidHalf }); i >= 0 {
				was = was[:i]
			}
			if !reflect.DeepEqual(again, was) && len(again)+len(was) > 0 {
				t.Fatalf("%s: round %d says another thing later", row.String(), r.Number)
			}
		}
	}
}

// comparing gives a closed row whose first tension is tagged by y of eight in each round.
func tag(rounds []Round, id prompts.TensionID, y ...int) []Round {
	for i := range rounds {
		if rounds[i].Tally != nil {
			rounds[i].Tally.Tags[id] = y[i%len(y)]
		}
	}
	return rounds
}

func kindOf(said []Statement, id prompts.TensionID) StatementKind {
	for _, s := range said {
		if s.Tension == id {
			return s.Kind
		}
	}
	return ""
}

// What a tension means is never mixed: after an edit its count starts anew, of a new one nothing is said of the time before,
// and nothing is said under a name that means something else by now.
func TestSensesAreNotMixed(t *testing.T) {
	lib := builtin(t)
	id := lib.Tensions[2].ID
	faults := func(look func(rounds []Round, tension prompts.Tension) ([]Round, string)) (wrong []string) {
		for edited, want := range []int{6, 5, 4, 3, 2, 1} { // the first rounds had another sense
			rounds := past(lib, "cccccc", week)
			for _, r := range rounds[:edited] {
				r.Tally.Senses[id] = "another"
			}
			if of, _ := look(rounds, lib.Tensions[2]); len(of) != want {
				wrong = append(wrong, fmt.Sprintf("%d rounds of another sense: %d count", edited, len(of)))
			}
		}
		return wrong
	}
	for _, w := range faults(ofSense) {
		t.Error(w)
	}
	if len(faults(func(r []Round, _ prompts.Tension) ([]Round, string) { return r, "" })) == 0 {
		t.Error("planted violation passed: senses are mixed")
	}
	rounds := tag(past(lib, "cccccc", week), id, 4)
	if kind := kindOf(Statements("t", rounds, "R006", lib), id); kind != SaidOften {
		t.Fatalf("%q", kind)
	}
	for name, change := range map[string]func(*Round){
		"edited since":    func(r *Round) { r.Tally.Senses[id] = "another" },
		"not on the list": func(r *Round) { delete(r.Tally.Senses, id) },
	} {
		rounds := tag(past(lib, "cccccc", week), id, 4)
		for i := range rounds {
			change(&rounds[i])
		}
		if kind := kindOf(Statements("t", rounds, "R006", lib), id); kind != "" {
			t.Errorf("%s: %q", name, kind)
		}
	}
	for name, c := range map[string]struct {
		edited int
		want   StatementKind
	}{"two rounds": {2, SaidOften}, "three rounds": {3, ""}} {
		rounds := tag(past(lib, "cccccc", week), id, 4)
		for i := range c.edited {
			rounds[i].Tally.Senses[id] = "another"
		}
		if kind := kindOf(Statements("t", rounds, "R006", lib), id); kind != c.want {
			t.Errorf("%s of another sense: %q, want %q", name, kind, c.want)
		}
	}
	// Tallies from before senses were kept count with each other, and not with later ones.
	old := tag(past(lib, "cccccc", week), id, 4)
	for i := range old {
		old[i].Tally.Senses = nil
	}
	if kind := kindOf(Statements("t", old, "R006", lib), id); kind != SaidOften {
		t.Errorf("old tallies: %q", kind)
	}
	old[5].Tally.Senses = sensesOf(offersOf(lib.Tensions))
	if kind := kindOf(Statements("t", old, "R006", lib), id); kind != "" {
		t.Errorf("old tallies and a new one: %q", kind)
	}
	both := tag(past(lib, strings.Repeat("c", 24), week), id, 0)
	for i, r := range both {
		if i >= 12 {
			r.Tally.Tags[id] = 4
		}
	}
	if kind := kindOf(Statements("t", both, "R024", lib)[len(lib.Tensions):], id); kind != SaidMore {
		t.Errorf("blocks: %q", kind)
	}
	for i := range 12 {
		both[i].Tally.Senses[id] = "another"
	}
	if kind := kindOf(Statements("t", both, "R024", lib)[len(lib.Tensions):], id); kind != SaidIncomparable {
		t.Errorf("blocks of two senses: %q", kind)
	}
}

// Only a block that closes is compared, with the one before, across seasons.
func TestBlocks(t *testing.T) {
	lib := builtin(t)
	rounds := past(lib, "ccccccfccccc!cccccclcccccc|cccccccccccccc", week)
	var closed []int
	for i, r := range rounds {
		for _, s := range Statements("team", rounds[:i+1], r.ID, lib) {
			if s.Kind == SaidSame {
				closed = append(closed, r.Number)
				break
			}
		}
	}
	if want := []int{26, 38}; !slices.Equal(closed, want) {
		t.Errorf("compared at %v, want %v", closed, want)
	}
}

// The same rounds, in whatever order they and their tallies come, give the same statements, overview and explanation, to
// the byte.
func TestSameBytes(t *testing.T) {
	lib := builtin(t)
	random := rand.New(rand.NewPCG(6, 0))
	make := func() []Round {
		rounds := past(lib, "cacccfccacccc!ccccccaccccccc", week)
		fill := rand.New(rand.NewPCG(8, 0))
		for _, r := range rounds {
			if r.Tally == nil {
				continue
			}
			tags := map[prompts.TensionID]int{}
			for _, tension := range lib.Tensions {
				tags[tension.ID] = fill.IntN(6)
			}
			r.Tally.Tags = map[prompts.TensionID]int{} // made anew in another order
			for _, i := range random.Perm(len(lib.Tensions)) {
				r.Tally.Tags[lib.Tensions[i].ID] = tags[lib.Tensions[i].ID]
			}
		}
		for i := range rounds {
			rounds[i].Statements = Statements("team", rounds[:i+1], rounds[i].ID, lib)
		}
		return rounds
	}
	bytes := func(rounds []Round, drawn bool) string {
		var out strings.Builder
		for _, r := range inOrder(rounds) {
			raw, err := json.Marshal(Statements("team", rounds, r.ID, lib))
			if err != nil {
				t.Fatal(err)
			}
			out.Write(raw)
			out.WriteString(Told(r).Plain() + Message{Blocks: WhyTold(r.Lang, r.Statements)}.Plain())
		}
		for season := 1; season <= 2 && !drawn; season++ {
			out.WriteString(overview(Team{Settings: Settings{Zone: "Europe/Amsterdam"}}, rounds, ofSeason(rounds, season), lib, prompts.Dutch, nil).Plain())
		}
		for season := 1; season <= 2 && drawn; season++ {
			out.WriteString(seasonNow(Team{Season: season, Settings: Settings{Zone: "Europe/Amsterdam"}}, rounds, lib, prompts.Dutch, nil, nil).Plain())
		}
		out.WriteString(fmt.Sprint(comingBack(rounds)))
		return out.String()
	}
	want, picture := bytes(make(), false), bytes(make(), true)
	if !strings.Contains(want, "twaalf ervoor") || !strings.Contains(want, "●") {
		t.Fatal("nothing is said")
	}
	runs := 100
	if Raced {
		runs = 10
	}
	for run := range runs {
		rounds := make()
		random.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
		if got := bytes(rounds, false); got != want {
			t.Fatalf("run %d gives other bytes", run)
		}
		if run%20 == 0 && bytes(rounds, true) != picture {
			t.Fatalf("run %d gives another picture", run)
		}
	}
	other := make()
	other[3].Tally.Tags[lib.Tensions[0].ID] += 6
	if bytes(other, false) == want || bytes(other, true) == picture {
		t.Error("planted violation passed: another tally gives the same bytes")
	}
}

// A statement is final: through the store and back, and whatever becomes of library and tallies, its words are the same.
func TestStatementsAreFinal(t *testing.T) {
	lib := builtin(t)
	rounds := tag(past(lib, strings.Repeat("c", 24), week), lib.Tensions[0].ID, 0, 1, 2, 3, 4)
	for i := range rounds {
		if i > 12 {
			tag(rounds[i:i+1], lib.Tensions[1].ID, 5)
		}
		rounds[i].Statements = Statements("team", rounds[:i+1], rounds[i].ID, lib)
	}
	last := rounds[23]
	if len(last.Statements) != 2*len(lib.Tensions) {
		t.Fatalf("%d statements", len(last.Statements))
	}
	want := Told(last).Plain() + Message{Blocks: WhyTold(last.Lang, last.Statements)}.Plain()
	raw, err := json.Marshal(last)
	if err != nil {
		t.Fatal(err)
	}
	var back Round
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	edited := *lib
	edited.Tensions = slices.Clone(lib.Tensions)
	edited.Tensions[0].Label = prompts.Text{prompts.Dutch: "Iets anders", prompts.English: "Another thing"}
	back.Tally.Tags = nil
	if got := Told(back).Plain() + (Message{Blocks: WhyTold(back.Lang, back.Statements)}).Plain(); got != want {
		t.Errorf("from the record:\n%s\nwant\n%s", got, want)
	}
	rounds[23] = back
	got := seasonNow(Team{Season: 1, Settings: Settings{Zone: "Europe/Amsterdam"}}, rounds, &edited, prompts.Dutch, nil, nil).Plain()
	if strings.Contains(got, "Iets anders.") || !strings.Contains(got, lib.Tensions[0].Short.In(prompts.Dutch)+"\n  · ·") {
		t.Errorf("something was told under another name:\n%s", got)
	}
	for _, s := range last.Statements {
		if s.Rule != ruleVersion || s.Library != libraryHash(lib) || s.Sense == "" || len(s.Rounds) == 0 || s.Of == 0 {
			t.Errorf("the record lacks something: %+v", s)
		}
	}
	if libraryHash(lib) == libraryHash(&edited) || lib.Tensions[0].Sense() == edited.Tensions[0].Sense() {
		t.Error("another label has the same hash")
	}
}

// "Fewer than half" is said of a window only where at least two more may have chosen something than its symbols show.
func TestHalfTaggedProvesNothing(t *testing.T) {
	lib := builtin(t)
	a, b := lib.Tensions[0].ID, lib.Tensions[1].ID
	said, truth := 0, 0
	random := rand.New(rand.NewPCG(12, 0))
	runs := 20_000
	if Raced {
		runs = 6_000
	}
	for range runs {
		rounds := past(lib, "cccccc"[:4+random.IntN(3)], week)
		tagged, all, least, shown := 0, 0, 0, 0
		for _, r := range rounds {
			r.Tally.Respondents = 5 + random.IntN(9)
			r.Tally.Tagged = random.IntN(r.Tally.Respondents + 1)
			r.Tally.Tags = map[prompts.TensionID]int{a: random.IntN(r.Tally.Tagged + 1), b: random.IntN(r.Tally.Tagged + 1)}
			tagged, all = tagged+r.Tally.Tagged, all+r.Tally.Respondents
			least += map[bool]int{true: 8, false: 5}[r.Tally.Respondents >= 8]
			if max(r.Tally.Tags[a], r.Tally.Tags[b]) >= 3 {
				shown += 3
			}
		}
		got := halfTagged(rounds, lib)
		if got && (2*tagged >= all || (least-1)/2 < shown+2) {
			t.Fatalf("%d of %d, %d shown", tagged, all, shown)
		}
		if got {
			said++
		}
		if 2*tagged < all {
			truth++
		}
	}
	if said == 0 || said == truth {
		t.Errorf("said %d times, true %d times", said, truth)
	}
}

// A tally that was kept before reads as it was, and a new one through the store as it is.
func TestOldTallies(t *testing.T) {
	old := `{"respondents":9,"people":12,"tagged":7,"tags":{"quality-speed":4},"asked":["quality-speed"],"none":1,"stances":{"a":5}}`
	var tally Tally
	if err := json.Unmarshal([]byte(old), &tally); err != nil {
		t.Fatal(err)
	}
	want := Tally{Respondents: 9, People: 12, Tagged: 7, Tags: map[prompts.TensionID]int{"quality-speed": 4}, Asked: []prompts.TensionID{"quality-speed"}, None: 1, Stances: map[Stance]int{StanceA: 5}}
	if !reflect.DeepEqual(tally, want) {
		t.Errorf("%+v", tally)
	}
	lib := builtin(t)
	p := lib.Prompts[0]
	fresh := newTally(Round{Kind: RoundQuestion, Prompt: p, Offers: offersOf(lib.Tensions)})
	if fresh.Prompt != p.ID || fresh.Revision != p.Revision || len(fresh.Senses) != len(lib.Tensions) {
		t.Errorf("%+v", fresh)
	}
	raw, err := json.Marshal(fresh)
	if err != nil {
		t.Fatal(err)
	}
	var back Tally
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(&back, fresh) {
		t.Errorf("%s: %+v, %v", raw, back, err)
	}
	if vote := newTally(Round{Kind: RoundSeason, Prompt: p}); !reflect.DeepEqual(vote, &Tally{}) {
		t.Errorf("of a vote: %+v", vote)
	}
}

// What a mirror suggested counts once its author confirmed it, and is kept apart; without that, "I do not know" is an
// answer and no more.
func TestTallyKnowsTheMirror(t *testing.T) {
	lib := builtin(t)
	tally := newTally(Round{Kind: RoundQuestion})
	a, b := lib.Tensions[0].ID, lib.Tensions[1].ID
	for _, s := range []slip{
		{Tags: []prompts.TensionID{a, b}},
		{Tags: []prompts.TensionID{a}, Mirror: a},
		{Tags: []prompts.TensionID{b}, Mirror: a}, // chose another from the list since
		{Tags: []prompts.TensionID{a}, Guess: a},  // was shown it, and chose it from the list
		{Tags: []prompts.TensionID{b}, Guess: a},  // and chose another
		{Plain: "unknown"},
		{Plain: "none"},
		{},
	} {
		tally.add(&s)
	}
	if tally.Respondents != 8 || tally.Tagged != 6 || tally.Unknown != 1 || tally.Tags[a] != 3 || tally.Tags[b] != 3 || tally.Mirror[a] != 2 || len(tally.Mirror) != 1 {
		t.Errorf("%+v", tally)
	}
}
