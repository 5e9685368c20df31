package bot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// tagged makes a team's given-back rounds, a week apart, each of which asked one of the tensions or none (-1), with the
// tags of each tension in the fixed order.
func tagged(lib *prompts.Library, lang prompts.Lang, asked []int, tags [][]int) []bot.Round {
	var rounds []bot.Round
	for i, a := range asked {
		t := &bot.Tally{Respondents: 9, People: 14, Tagged: 7, Tags: map[prompts.TensionID]int{}, Senses: map[prompts.TensionID]string{}}
		if a >= 0 {
			t.Asked = []prompts.TensionID{lib.Tensions[a].ID}
		}
		for k, tension := range lib.Tensions {
			t.Senses[tension.ID] = tension.Sense()
			if k < len(tags) {
				t.Tags[tension.ID] = tags[k][i]
			}
		}
		p, _ := lib.Prompt(verge)
		due := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, 7*i)
		rounds = append(rounds, bot.Round{
			ID: bot.RoundID(fmt.Sprintf("R%02d", i)), Kind: bot.RoundQuestion, State: bot.RoundGivenBack, Number: i + 1, Season: 1, Prompt: p, MinReplies: 5,
			Due: due, Opens: due, Closes: due.AddDate(0, 0, 6), Lang: lang, Zone: "Europe/Amsterdam", Tally: t,
		})
	}
	return rounds
}

// spoken is a round with what was said at its give-back.
func spoken(lib *prompts.Library, lang prompts.Lang, said ...bot.Statement) bot.Round {
	for i := range said {
		if said[i].Kind != bot.SaidHalf {
			tension := lib.Tensions[i%len(lib.Tensions)]
			said[i].Tension, said[i].Label = tension.ID, tension.Label
		}
	}
	return bot.Round{ID: "R", Kind: bot.RoundQuestion, State: bot.RoundGivenBack, Lang: lang, Statements: said}
}

// Every state has its words in both languages, as people read them.
func TestGoldenTensions(t *testing.T) {
	lib := library(t)
	window := func(kind bot.StatementKind, dots, diamonds int) bot.Statement {
		return bot.Statement{Kind: kind, Of: 6, Basis: 5, Dots: dots, Diamonds: diamonds}
	}
	block := func(kind bot.StatementKind) bot.Statement {
		return bot.Statement{Kind: kind, Of: 12, Basis: 10, BasisBefore: 9}
	}
	team := bot.Team{Settings: defaults(), Season: 1}
	for _, lang := range prompts.Langs() {
		var s script
		for _, c := range []struct {
			name string
			said []bot.Statement
		}{
			{"a window with every answer", []bot.Statement{window(bot.SaidOften, 3, 0), window(bot.SaidRecurring, 1, 2), window(bot.SaidSmall, 1, 0), window(bot.SaidAsked, 0, 2), window(bot.SaidUnseen, 0, 0)}},
			{"nothing to say of a window", []bot.Statement{window(bot.SaidMentioned, 1, 0), window(bot.SaidUnseen, 0, 0)}},
			{"fewer than half tagged, said first", []bot.Statement{{Kind: bot.SaidHalf, Of: 6, Basis: 6}, window(bot.SaidSmall, 0, 0)}},
			{"a block: more, less, no difference, not comparable", []bot.Statement{block(bot.SaidMore), block(bot.SaidLess), block(bot.SaidSame), block(bot.SaidSame), block(bot.SaidIncomparable)}},
			{"a block without a difference", []bot.Statement{block(bot.SaidSame), block(bot.SaidSame)}},
			{"a block that cannot be compared", []bot.Statement{block(bot.SaidIncomparable), block(bot.SaidIncomparable)}},
			{"window and block", []bot.Statement{window(bot.SaidOften, 4, 0), window(bot.SaidUnseen, 0, 0), block(bot.SaidMore), block(bot.SaidSame)}},
		} {
			r := spoken(lib, lang, c.said...)
			s.say(c.name, bot.Told(r).Plain())
			s.say("why", bot.Message{Blocks: bot.WhyTold(lang, r.Statements)}.Plain())
		}
		none := []int{0, 0, 0, 0, 0, 0}
		six := tagged(lib, lang, []int{-1, 1, -1, 3, -1, 3}, [][]int{{4, 3, 0, 3, 2, 2}, {1, 4, 2, 3, 2, 2}, {1, 2, 1, 1, 2, 1}, {0, 0, 0, 4, 0, 4}, none})
		s.say("a season whose first window is open", bot.Season(team, six[:5], lib, lang).Plain())
		s.say("a season with a window", bot.Season(team, six, lib, lang).Plain())
		few := tagged(lib, lang, []int{-1, -1, -1, -1, -1, -1}, [][]int{none, none, none, none, none})
		for i := range few {
			few[i].Tally.Tagged = 3
		}
		s.say("a season in which nothing is visible, and few tagged", bot.Season(team, few, lib, lang).Plain())
		changed := tagged(lib, lang, []int{-1, -1, -1, -1, -1, -1}, [][]int{{3, 3, 3, 0, 0, 0}, none, none, none, none})
		changed[5].Statements = spoken(lib, lang, block(bot.SaidMore), block(bot.SaidSame)).Statements
		s.say("a season with the end of a block", bot.Season(team, changed, lib, lang).Plain())
		if strings.Contains(s.String(), "%") || strings.Contains(s.String(), "{") {
			t.Errorf("%s: a percentage or an open placeholder:\n%s", lang, s.String())
		}
		golden(t, "tensions."+string(lang), s.String())
	}
}

// The overview's table fits the narrowest screen whatever tensions are called, the rest within 300 words, and its only
// numbers are rounds.
func TestOverviewIsNarrowAndShort(t *testing.T) {
	lib := *library(t)
	lib.Tensions = slices.Clone(lib.Tensions)
	for i := range lib.Tensions {
		lib.Tensions[i].Short = prompts.Text{prompts.Dutch: strings.Repeat("m", 23), prompts.English: strings.Repeat("w", 23-2*i)}
	}
	random := rand.New(rand.NewPCG(15, 0))
	faults := func(code string) (wrong []string) {
		for line := range strings.SplitSeq(code, "\n") {
			if utf8.RuneCountInString(line) > 38 {
				wrong = append(wrong, line)
			}
		}
		return wrong
	}
	for range 200 {
		n := 6 + random.IntN(20)
		asked, tags := make([]int, n), make([][]int, len(lib.Tensions))
		for i := range asked {
			asked[i] = random.IntN(6) - 1
		}
		for k := range tags {
			for range n {
				tags[k] = append(tags[k], random.IntN(7))
			}
		}
		for _, lang := range prompts.Langs() {
			rounds := tagged(&lib, lang, asked, tags)
			words := 0
			for _, b := range bot.Season(bot.Team{Settings: defaults(), Season: 1}, rounds, &lib, lang).Blocks {
				text := bot.Message{Blocks: []bot.Block{b}}.Plain()
				if b.Kind == bot.BlockCode {
					for _, line := range faults(b.Spans[0].Text) {
						t.Errorf("too wide: %q", line)
					}
					continue
				}
				words += len(strings.Fields(text))
				if strings.ContainsAny(text, "%0123456789") && n <= 20 { // from twenty-one on numbers are not words
					t.Errorf("a figure in %q", text)
				}
			}
			if words > 300 {
				t.Errorf("%d words", words)
			}
		}
	}
	if len(faults(strings.Repeat("m", 23)+": keeps coming back")) != 1 {
		t.Error("planted violation passed: a long line")
	}
	for _, lang := range prompts.Langs() {
		for _, line := range faults(locale.Text(lang, "season.legend") + "\n" + locale.Text(lang, "season.legend-other")) {
			t.Errorf("legend: %q", line)
		}
	}
}

// What a team reads, in the overview, at the closing, in every give-back and on asking why, is the same for none, one and
// two who named a tension, and for three and more: it follows from the symbols, and from whether the rule holds and may be
// told, alone.
func TestNoneOneAndTwoReadTheSame(t *testing.T) {
	lib := library(t)
	random := rand.New(rand.NewPCG(19, 0))
	team := bot.Team{Settings: defaults(), Season: 1}
	faults := func(read func(rounds []bot.Round) string) (wrong, same int) {
		type shown struct {
			text string
			many bool
		}
		for range 15 {
			n := 4 + random.IntN(3)
			asked := make([]int, n)
			for i := range asked {
				asked[i] = random.IntN(3) - 1
			}
			seen := map[string]*shown{}
			for range 50 {
				y := make([]int, n)
				for i := range y {
					y[i] = []int{0, 1, 2, 2, 3, 5, 7}[random.IntN(7)]
				}
				rounds := tagged(lib, prompts.Dutch, asked, [][]int{y})
				rounds[n-1].Ends = true
				var key strings.Builder
				for _, k := range y {
					key.WriteString(fmt.Sprint(min(max(k, 2), 3)))
				}
				said := bot.Statements("team", rounds, rounds[n-1].ID, lib)
				key.WriteString(string(said[0].Kind))
				rounds[n-1].Statements = said
				text := read(rounds)
				if was := seen[key.String()]; was == nil {
					seen[key.String()] = &shown{text: text}
				} else if was.many = true; was.text != text {
					wrong++
				}
			}
			for _, s := range seen {
				if s.many {
					same++
				}
			}
		}
		return wrong, same
	}
	all := func(rounds []bot.Round) string {
		last := rounds[len(rounds)-1]
		var out strings.Builder
		out.WriteString(bot.Season(team, rounds, lib, prompts.Dutch).Plain() + bot.Told(last).Plain() + bot.Message{Blocks: bot.WhyTold(prompts.Dutch, last.Statements)}.Plain())
		for _, r := range rounds {
			out.WriteString(bot.GiveBack(r, nil, lib, nil).Message.Plain())
		}
		return out.String()
	}
	if wrong, same := faults(all); wrong > 0 || same < 15 {
		t.Errorf("%d texts differ by what no symbol shows; %d kinds were compared", wrong, same)
	}
	if wrong, _ := faults(func(rounds []bot.Round) string {
		return all(rounds) + fmt.Sprint(rounds[0].Tally.Tags[lib.Tensions[0].ID])
	}); wrong == 0 {
		t.Error("planted violation passed: a number of people")
	}
}

// Under five answers no tension is named anywhere, whatever the minimum; such rounds are in no window.
func TestNoTensionUnderFive(t *testing.T) {
	lib := library(t)
	rounds := tagged(lib, prompts.Dutch, []int{-1, -1, -1, -1, -1, -1}, [][]int{{4, 4, 4, 4, 4, 4}})
	for i := range rounds {
		rounds[i].MinReplies, rounds[i].Tally.Respondents, rounds[i].Tally.Tagged = 3, 4, 4
	}
	if said := bot.Statements("team", rounds, rounds[5].ID, lib); len(said) > 0 {
		t.Errorf("%+v", said)
	}
	text := bot.Season(bot.Team{Settings: defaults(), Season: 1}, rounds, lib, prompts.Dutch).Plain()
	if !strings.Contains(text, "nog geen ronde met genoeg antwoorden") {
		t.Errorf("%s", text)
	}
	for i := range rounds {
		rounds[i].MinReplies, rounds[i].Tally.Respondents = 5, 5
	}
	if said := bot.Statements("team", rounds, rounds[5].ID, lib); len(said) == 0 || said[0].Kind != bot.SaidOften {
		t.Errorf("planted violation passed: with five answers the same says %+v", said)
	}
}

// BenchmarkTensions is what a closing of window and block takes, for five tensions and 24 rounds, beside adding up the
// same tallies and no more.
func BenchmarkTensions(b *testing.B) {
	lib := library(b)
	random := rand.New(rand.NewPCG(1, 0))
	asked, tags := make([]int, 24), make([][]int, 5)
	for i := range asked {
		asked[i] = i%8 - 3
	}
	for k := range tags {
		for i := range asked {
			tags[k] = append(tags[k], random.IntN(3)+4*(i/12))
		}
	}
	rounds := tagged(lib, prompts.Dutch, asked, tags)
	b.Run("sums", func(b *testing.B) {
		for b.Loop() {
			total := 0
			for _, t := range lib.Tensions {
				for _, r := range rounds {
					if !slices.Contains(r.Tally.Asked, t.ID) {
						total += r.Tally.Tags[t.ID] + r.Tally.Tagged
					}
				}
			}
			if total == 0 {
				b.Fatal("nothing")
			}
		}
	})
	b.Run("closing", func(b *testing.B) {
		for b.Loop() {
			if len(bot.Statements("team", rounds, rounds[23].ID, lib)) != 10 {
				b.Fatal("nothing was said")
			}
		}
	})
	b.Run("overview", func(b *testing.B) {
		for b.Loop() {
			bot.Season(bot.Team{Settings: defaults(), Season: 1}, rounds, lib, prompts.Dutch)
		}
	})
}
