package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// spread calls f with every way to lay n answers over the cells.
func spread(n, cells int, f func([]int)) {
	all := make([]int, cells)
	var lay func(i, left int)
	lay = func(i, left int) {
		if i == cells-1 {
			all[i] = left
			f(all)
			return
		}
		for k := 0; k <= left; k++ {
			all[i] = k
			lay(i+1, left-k)
		}
	}
	lay(0, n)
}

// possible collects, for what somebody reads, the values that a number may have.
type possible map[string]map[string]map[int]bool // read, number's name, values

func (p possible) add(read, name string, value int) {
	if p[read] == nil {
		p[read] = map[string]map[int]bool{}
	}
	if p[read][name] == nil {
		p[read][name] = map[int]bool{}
	}
	p[read][name][value] = true
}

// exact finds numbers of which it can be told that they are nought, or that they are one or two: among them, nobody is
// alone. same asks for more: nought, one and two must look the same, as far as they are possible at all.
func (p possible) exact(t *testing.T, what string) {
	t.Helper()
	for read, numbers := range p {
		for name, values := range numbers {
			all := keysOf(values)
			if most := all[len(all)-1]; most == 0 || most <= 2 && !values[0] {
				t.Errorf("%s: %s is one of %v, by reading:\n%s", what, name, all, read)
				return
			}
		}
	}
}

func (p possible) same(t *testing.T, what string, few []int, names ...string) {
	t.Helper()
	for read, numbers := range p {
		for _, name := range names {
			seen := 0
			for _, v := range few {
				if numbers[name][v] {
					seen++
				}
			}
			if seen > 0 && seen < len(few) {
				t.Errorf("%s: %s is one of %v, by reading:\n%s", what, name, keysOf(numbers[name]), read)
				return
			}
		}
	}
}

func keysOf(m map[int]bool) (all []int) {
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// An attacker who knows every distribution that gives the same words, and how many people there are, cannot tell that a
// cell is empty, or that one or two stand in it; of the two sides they cannot tell nought, one and two apart, nor all from
// all but one or two. Every distribution of five to nine answers over the stances is tried, and of more answers over those
// that the words depend on (TRUST A31).
func TestNoStanceCanBeTold(t *testing.T) {
	lib := library(t)
	names := []string{"a", "b", "not-me", "counter", "depends", "both", "nothing"}
	sizes := []int{10, 12, 16, 18, 30}
	if bot.Raced {
		sizes = []int{10, 30}
	}
	for _, people := range sizes {
		seen := possible{}
		for n := 5; n <= min(people, 20); n++ {
			cells := 7
			if n >= 10 || people != 30 { // the last four make no difference to the words, as the smaller numbers show
				cells = 4
			}
			spread(n, cells, func(c []int) {
				cell := func(i int) int {
					if i < 3 || cells == 7 {
						return c[i]
					}
					return 0
				}
				tally := counts{a: cell(0), b: cell(1), notMe: cell(2), min: 5, people: people}
				if cells == 7 {
					tally.counter, tally.depends, tally.both = c[3], c[4], c[5]
				}
				given := bot.GiveBack(tally.round(lib, prompts.Dutch, verge, c[cells-1]), nil, lib, nil)
				read := given.Message.Plain() + given.Followup
				for i, name := range names {
					values := []int{cell(i)}
					if cells == 4 && i >= 3 {
						values = nil
						for k := range c[3] + 1 {
							values = append(values, k)
						}
					}
					for _, v := range values {
						seen.add(read, name, v)
						seen.add(read, "not "+name, n-v)
					}
				}
				seen.add(read, "neither side nor untouched", n-cell(0)-cell(1)-cell(2))
			})
		}
		what := fmt.Sprintf("%d people", people)
		if people == 30 && len(seen) < 7 {
			t.Errorf("only %d texts: the test looks in the wrong place", len(seen))
		}
		seen.exact(t, what)
		seen.same(t, what, []int{0, 1, 2}, "a", "b", "not a", "not b")
	}
}

// The same for tensions: how many named one that was asked, one that was not, something else; how many named anything,
// and the difference between these, which lie inside each other.
func TestNoTensionCanBeTold(t *testing.T) {
	lib := library(t)
	p, _ := lib.Prompt(verge)
	asked := p.Tensions[0]
	var unasked prompts.TensionID
	for _, tension := range lib.Tensions {
		if !slices.Contains(p.Tensions, tension.ID) {
			unasked = tension.ID
			break
		}
	}
	most := 13
	if bot.Raced {
		most = 8
	}
	for n := 5; n <= most; n++ {
		seen, inside := possible{}, possible{}
		for tagged := 0; tagged <= n; tagged++ {
			for x := 0; x <= tagged; x++ {
				for y := 0; y <= tagged; y++ {
					for _, other := range []int{0, 1, 2, 3, tagged} {
						if other > tagged {
							continue
						}
						r := counts{a: n, min: 5, people: 40, tags: map[prompts.TensionID]int{asked: x, unasked: y}, other: other}.round(lib, prompts.Dutch, verge, 0)
						r.Tally.Tagged = tagged
						read := bot.GiveBack(r, nil, lib, nil).Message.Plain() + bot.Season(bot.Team{Settings: defaults()}, []bot.Round{given(r)}, lib, prompts.Dutch).Plain()
						seen.add(read, "asked", x)
						seen.add(read, "unasked", y)
						seen.add(read, "tagged", tagged)
						if x >= 3 {
							inside.add(read, "tagged but not so", tagged-x)
						}
					}
				}
			}
		}
		what := fmt.Sprintf("%d answers", n)
		seen.same(t, what, []int{0, 1, 2}, "asked", "unasked", "tagged")
		seen.same(t, what, []int{n, n - 1, n - 2}, "asked", "unasked", "tagged")
		inside.same(t, what, []int{0, 1, 2}, "tagged but not so")
	}
}

func given(r bot.Round) bot.Round { r.State = bot.RoundGivenBack; return r }

// How many answered cannot be told more closely than to three numbers, nor that everybody or all but one did, to somebody
// who knows the minimum and how many people are in the channel: whatever the answers, the tensions and the wording.
func TestHowManyAnsweredCannotBeTold(t *testing.T) {
	lib := library(t)
	for _, min := range []int{3, 4, 5, 6, 7, 9, 14, 15, 17, 18, 20} {
		for people := max(6, min); people <= 60; people++ {
			if people > 24 && people%13 != 0 || bot.Raced && people%3 != 0 {
				continue
			}
			seen := possible{}
			for n := min; n <= people; n++ {
				for _, c := range []counts{
					{}, {a: n}, {a: n - n/2, b: n / 2}, {a: n - 3, b: 3}, {a: 3, b: 3, notMe: n - 6}, {a: n - 3, notMe: 3}, {notMe: n}, {a: n, tags: map[prompts.TensionID]int{"quality-speed": 3}}, {a: n, none: n, tags: map[prompts.TensionID]int{"quality-speed": 3}}, {tags: map[prompts.TensionID]int{"quality-speed": n}},
				} {
					c.min, c.people = min, people
					r := c.round(lib, prompts.Dutch, verge, n-c.respondents())
					g := bot.GiveBack(r, nil, lib, nil)
					seen.add(g.Message.Plain()+g.Followup+bot.Season(bot.Team{Settings: defaults()}, []bot.Round{given(r)}, lib, prompts.Dutch).Plain(), "answers", n)
				}
			}
			for read, numbers := range seen {
				values := keysOf(numbers["answers"])
				if len(values) < 3 && people-min >= 2 {
					t.Fatalf("at least %d of %d people: %v answered, by reading:\n%s", min, people, values, read)
				}
			}
			if people-min >= 2 {
				seen.same(t, fmt.Sprintf("at least %d of %d people", min, people), []int{people, people - 1, people - 2}, "answers")
			}
			if t.Failed() {
				return
			}
		}
	}
}

// A quote stands under a side only in a large round, and only where the side is a cell; nowhere else does the place of a
// quote say what its author chose between the two.
func TestQuotesTellNoSmallSide(t *testing.T) {
	lib := library(t)
	for n := 5; n <= 12; n++ {
		for a := 0; a <= n; a++ {
			var replies []bot.Reply
			for i := range n {
				s := bot.StanceB
				if i < a {
					s = bot.StanceA
				}
				replies = append(replies, bot.Reply{ID: bot.ReplyID(fmt.Sprintf("%02d", (i*7)%n)), Stance: s, Text: bot.ReplyText(fmt.Sprintf("woord%d", i))})
			}
			r := counts{a: a, b: n - a, min: 5, people: 30}.round(lib, prompts.Dutch, verge, 0)
			words := r.Prompt.In(prompts.Dutch)
			side := ""
			for _, b := range bot.GiveBack(r, replies, lib, nil).Message.Blocks {
				text := bot.Message{Blocks: []bot.Block{b}}.Plain()
				switch {
				case b.Kind != bot.BlockQuote && strings.Contains(text, words.PoleA):
					side = "a"
				case b.Kind != bot.BlockQuote && strings.Contains(text, words.PoleB):
					side = "b"
				case b.Kind != bot.BlockQuote:
					side = ""
				case side != "" && (n < 8 || side == "a" && a < 3 || side == "b" && n-a < 3):
					t.Errorf("%d answers, %d for a: a quote stands under %s", n, a, side)
				}
			}
		}
	}
}

// Below the minimum nothing that leaves the process differs, from nought answers to one below: every byte of every post
// and edit, and no private message (TRUST A10).
func TestBelowTheMinimumEveryByteIsTheSame(t *testing.T) {
	for _, min := range []int{5, 7} {
		first := ""
		for n := range min {
			w := newWorld(t, func(o *bot.Options) { o.Team.MinReplies = min })
			w.fake.Crew(crew, 9)
			w.switchOn(crew, nil)
			w.step(w.team().NextOpens)
			r := w.openRound(crew)
			for i := range n {
				w.answer(fmt.Sprintf("p%d", i+2), r.ID, map[string][]string{"text": {"GEHEIM"}, "share": {"share"}, "stance": {"counter"}, "tags": {"quality-speed"}})
			}
			w.finish(r)
			out := w.bytesOut(r.ID)
			if first == "" {
				first = out
			}
			if out != first || strings.Contains(out, "GEHEIM") {
				t.Errorf("%d answers of at least %d:\n%s", n, min, firstDifference(first, out))
			}
			w.close()
		}
	}
}

// bytesOut is everything that left for the channels, with a name of their own for some rounds.
func (w *world) bytesOut(rounds ...bot.RoundID) string {
	var out strings.Builder
	for _, p := range w.fake.Posts("") {
		m := fmt.Sprintf("%+v", p.Message)
		for i, id := range rounds {
			m = strings.ReplaceAll(m, string(id), fmt.Sprintf("ROUND %d", i))
		}
		fmt.Fprintf(&out, "%+v %+v %d\n", m, p.Thread, p.Edits)
	}
	fmt.Fprint(&out, len(w.fake.Told()))
	return out.String()
}

// The same for a follow-up, up to as many as its channel holds: as long as nobody shares, more answers look like fewer.
func TestOfAFollowUpEveryByteIsTheSame(t *testing.T) {
	first := ""
	for n := range 8 {
		cryptotest.SetGlobalRandom(t, 5) // one question's ID, which the choice of its follow-up is made by
		w := newWorld(t, nil)
		w.fake.Crew(crew, 9)
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		for i := range 5 {
			w.answer(fmt.Sprintf("p%d", i+2), r.ID, map[string][]string{"stance": {"counter"}})
		}
		w.finish(r)
		w.editTeam(func(t *bot.Team) { t.SkipNext = true })
		f := w.followUp()
		share := "share"
		if n >= 5 {
			share = "count"
		}
		for i := range n {
			w.answer(fmt.Sprintf("p%d", i+2), f.ID, map[string][]string{"text": {"GEHEIM"}, "share": {share}})
		}
		w.step(f.Closes)
		out := w.bytesOut(r.ID, f.ID)
		if first == "" {
			first = out
		}
		if out != first || strings.Contains(out, "GEHEIM") || !strings.Contains(out, noneOn) {
			t.Errorf("%d answers:\n%s", n, firstDifference(first, out))
		}
		w.close()
	}
}

// Whoever asks, by whatever command or button, at whatever moment: nobody's answer depends on who replied, and before the
// give-back nobody reads a word or a number of it; afterwards all roles read the same (TRUST A20, A21, A22).
func TestNoRoleSeesMore(t *testing.T) {
	type saw struct{ open, closed, given, follow, over map[string]string }
	run := func(people, further []string) saw {
		cryptotest.SetGlobalRandom(t, 5) // one round's ID, which a choice of words is made by
		w := newWorld(t, func(o *bot.Options) {
			o.Managers = []bot.ActorID{bot.Account("fake", "w", "operator").Actor()}
			o.Editors = []bot.ActorID{bot.Account("fake", "w", "editor").Actor()}
		})
		defer w.close()
		w.fake.Crew(crew, 12) // p1 manages the channel
		for _, id := range []string{"operator", "editor"} {
			w.fake.Add(chattest.Person{ID: id, Name: id, Lang: prompts.Dutch, Channels: []bot.TeamID{crew}})
		}
		w.fake.Add(chattest.Person{ID: "stranger", Lang: prompts.Dutch})
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		for i, p := range people {
			w.answer(p, r.ID, map[string][]string{"text": {fmt.Sprintf("GEHEIM nummer %d", i)}, "share": {"share"}, "stance": {"counter"}})
		}
		ctx := context.Background()
		names := []string{string(r.ID), "ROUND"}
		look := func(r bot.Round) map[string]string {
			all := map[string]string{"channel": quoted.ReplaceAllString(w.channel(crew), "> …"), "told": fmt.Sprint(len(w.fake.Told()))}
			for _, role := range []string{"p12", "p1", "operator", "editor", "stranger"} {
				note := func(what string, resp bot.Response, err error) {
					text := plain(resp)
					if resp.Form != nil {
						text += formText(resp.Form, resp.Errors)
					}
					if err != nil && !errors.Is(err, bot.ErrClosed) {
						t.Errorf("%s, %s: %v", role, what, err)
					}
					all[what+" by "+role] = strings.NewReplacer(names...).Replace(text)
				}
				for _, c := range []string{"status", "seizoen", "volgende", "mij", "waarom", "help", "instellingen", "aan", "bibliotheek", "wijzig", "trek in", "verwijder", "verwijder AAAA-BBBB-CCCC-DDDD"} {
					resp, err := w.fake.Command(ctx, role, crew, c)
					note(c, resp, err)
				}
				for _, a := range []bot.Action{{Do: "receipt", Round: r.ID}, {Do: "withdraw", Round: r.ID}, {Do: "vote", Round: r.ID, Arg: "stop"}, {Do: "why", Round: r.ID}, {Do: "answer", Round: r.ID}, {Do: "tag", Round: r.ID, Arg: "none"}} {
					resp, err := w.fake.Press(ctx, role, crew, a)
					note("press "+a.Do, resp, err)
				}
			}
			return all
		}
		var s saw
		s.open = look(r)
		w.step(r.Closes)
		s.closed = look(r)
		w.step(r.GivesBack.Add(-time.Second))
		if strings.Contains(w.channel(crew), "GEHEIM") {
			t.Error("it is given back before its time")
		}
		w.step(r.GivesBack)
		s.given = look(r)
		if len(w.team().Follows) == 0 {
			return s
		}
		w.editTeam(func(t *bot.Team) { t.SkipNext = true })
		f := w.followUp()
		names = append(names, string(f.ID), "FOLLOW")
		for i, p := range further {
			w.answer(p, f.ID, map[string][]string{"text": {fmt.Sprintf("GEHEIM vervolg %d", i)}, "share": {"share"}})
		}
		s.follow = look(f)
		w.step(f.Closes)
		s.over = look(f)
		return s
	}
	some, others := []string{"p2", "p3", "p4", "p5", "p6"}, []string{"p7", "p8", "p9", "p10", "p11"}
	one, other, few, quiet := run(some, some), run(others, others), run(some[:2], nil), run(some, some[:2])
	same := func(when string, a, b map[string]string) {
		t.Helper()
		for what, text := range a {
			if text != b[what] {
				t.Errorf("%s, %s: who answered shows:\n%s", when, what, firstDifference(text, b[what]))
			}
			if strings.Contains(text, "GEHEIM") {
				t.Errorf("%s, %s: words of somebody else", when, what)
			}
		}
	}
	same("open", one.open, other.open)
	same("closed", one.closed, other.closed)
	same("given back", one.given, other.given)
	same("open, fewer", one.open, few.open)
	same("closed, fewer", one.closed, few.closed)
	same("a follow-up open", one.follow, other.follow)
	same("a follow-up given back", one.over, other.over)
	same("a follow-up open, fewer", one.follow, quiet.follow)
	for what, text := range one.given {
		command, role, ok := strings.Cut(what, " by ")
		if ok && role != "stranger" && slices.Contains([]string{"status", "seizoen", "volgende", "waarom"}, command) && text != one.given[command+" by p12"] {
			t.Errorf("%s: %s reads something else than a member", command, role)
		}
	}
	if len(one.open) < 90 || len(one.follow) < 90 || !strings.Contains(one.given["channel"], "> …") || !strings.Contains(one.over["channel"], gaveOn) {
		t.Errorf("%d answers: the test looks in the wrong place", len(one.open))
	}
}

// A changed minimum holds from the next round, up and down, and is said in the channel; bots count neither for the six
// nor among the people (TRUST A12, A32).
func TestThresholdsHoldFromTheNextRound(t *testing.T) {
	for _, tc := range []struct {
		from, to, answers int
		said              string
		state             bot.RoundState
	}{{5, 7, 6, "zeven", bot.RoundGivenBack}, {7, 5, 6, "vijf", bot.RoundTooFew}} {
		w := newWorld(t, func(o *bot.Options) { o.Team.MinReplies = tc.from })
		w.fake.Crew(crew, 9)
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		form, err := w.fake.Command(context.Background(), "p1", crew, "instellingen")
		if err != nil || form.Form == nil {
			t.Fatal(err)
		}
		before := len(w.fake.Posts(crew))
		if resp, err := w.fake.Submit(context.Background(), "p1", crew, form.Form, map[string][]string{"min_replies": {fmt.Sprint(tc.to)}}); err != nil || len(resp.Errors) > 0 {
			t.Fatalf("%v %v", err, resp.Errors)
		}
		w.step(time.Now().Add(time.Minute))
		w.step(r.Opens.Add(48 * time.Hour))
		if said := w.fake.Posts(crew)[before].Message.Plain(); !strings.Contains(said, "vanaf de volgende ronde") || !strings.Contains(said, "als "+tc.said+" of meer mensen antwoorden") {
			t.Errorf("%d to %d is not said in the channel: %q", tc.from, tc.to, said)
		}
		for i := range tc.answers {
			w.answer(fmt.Sprintf("p%d", i+2), r.ID, map[string][]string{"text": {"x"}, "share": {"share"}})
		}
		if got := w.finish(r); got.MinReplies != tc.from || got.State != tc.state {
			t.Errorf("%d to %d: %s under %d", tc.from, tc.to, got.State, got.MinReplies)
		}
		w.step(w.team().NextOpens)
		if next := w.openRound(crew); next.ID == r.ID || next.MinReplies != tc.to {
			t.Errorf("the next round is under %d, want %d", next.MinReplies, tc.to)
		}
		w.close()
	}
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, nil)
	for i := range 3 {
		w.fake.Add(chattest.Person{ID: fmt.Sprint("robot", i), Bot: true, Channels: []bot.TeamID{crew}})
	}
	for _, id := range []string{"p6", "p7", "p8"} {
		w.fake.Add(chattest.Person{ID: id, Lang: prompts.Dutch}) // left
	}
	w.step(w.team().NextOpens)
	rounds, err := w.db.Rounds(context.Background(), crew)
	if err != nil || len(rounds) != 1 || rounds[0].Kind != bot.RoundTalk {
		t.Errorf("five people and three bots: %+v, %v", rounds, err)
	}
}
