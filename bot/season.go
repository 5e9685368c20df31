package bot

import (
	"slices"
	"strings"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// The symbols of a season, one per round, old to new (TENSIONS 3.3). A dot means three or more people.
const (
	symNotAsked = "●" // three or more, not asked
	symAsked    = "◆" // three or more, asked
	symSilent   = "◇" // asked, fewer than three
	symBelow    = "○" // fewer than three
	symTooFew   = "–" // no round with content
)

// youngSeason is how many rounds with content a season needs before it says more than the one before.
const youngSeason = 4

// seasonNow is the season a team is in; while that is young, the one before it.
func seasonNow(t Team, rounds []Round, lib *prompts.Library, lang prompts.Lang) Message {
	of := func(season int) (out []Round, content int) {
		for _, r := range rounds {
			if r.Kind == RoundQuestion && r.Season == season {
				out = append(out, r)
				if hasContent(r) {
					content++
				}
			}
		}
		return out, content
	}
	season := max(t.Season, 1)
	now, content := of(season)
	if content >= youngSeason || season == 1 {
		return pictured(Season(t, now, lib, lang), t, now, lib)
	}
	before, _ := of(season - 1)
	m := pictured(Season(t, before, lib, lang), t, before, lib)
	m.Blocks = append([]Block{Text(Span{Text: sayer(lang)("season.before")})}, m.Blocks...)
	return m
}

// Season is the text version of a season's overview: plain counts of rounds per tension, in the one fixed order. It
// claims nothing about what keeps coming back beyond what the symbols show.
func Season(t Team, rounds []Round, lib *prompts.Library, lang prompts.Lang) Message {
	say := sayer(lang)
	rounds = slices.DeleteFunc(slices.Clone(rounds), func(r Round) bool {
		return r.State != RoundGivenBack && r.State != RoundTooFew && r.State != RoundLost
	})
	content := 0
	for _, r := range rounds {
		if hasContent(r) {
			content++
		}
	}
	m := Message{Lang: lang, Blocks: []Block{Heading(say("season.title"))}}
	if content == 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.empty")}))
		return m
	}
	zone := zoneOf(t.Settings.Zone)
	first, last := rounds[0].Opens.In(zone), rounds[len(rounds)-1].Opens.In(zone)
	m.Blocks = append(m.Blocks, Text(Span{Text: say("season.intro", "from", locale.Month(lang, first), "to", locale.Month(lang, last),
		"rounds", locale.Capital(rounds2words(say, lang, len(rounds))), "content", locale.Number(lang, content))}))

	var code []string
	var sentences []Block
	unseen := true
	for _, tension := range lib.Tensions {
		var line []string
		named, unasked := 0, 0
		for _, r := range rounds {
			s := symbol(r, tension.ID)
			line = append(line, s)
			switch s {
			case symNotAsked:
				named++
				unasked++
			case symAsked:
				named++
			}
		}
		code = append(code, tension.Short.In(lang), "  "+strings.Join(line, " "))
		if unasked > 0 {
			unseen = false
			sentences = append(sentences, Text(Rich(locale.Text(lang, "season.came-unasked"), "tension", inSentence(tension.Label.In(lang)),
				"times", locale.Number(lang, unasked), "rounds", locale.Number(lang, content))...))
		} else if named > 0 {
			unseen = false
			sentences = append(sentences, Text(Rich(locale.Text(lang, "season.came-asked"), "tension", inSentence(tension.Label.In(lang)))...))
		}
	}
	code = append(code, "")
	code = append(code, strings.Split(say("season.legend"), "\n")...)
	m.Blocks = append(m.Blocks, Code(wrap(code)))
	if unseen {
		sentences = append(sentences, Text(Span{Text: say("season.none-seen")}))
	}
	m.Blocks = append(m.Blocks, sentences...)
	m.Blocks = append(m.Blocks, Note(say("season.note")))
	return m
}

func rounds2words(say speech, lang prompts.Lang, n int) string {
	if n == 1 {
		return say("season.one-round")
	}
	return say("season.rounds", "count", locale.Number(lang, n))
}

// wrap keeps lines of symbols within 38 characters: two symbols' width a round, at most eighteen rounds a line.
func wrap(lines []string) string {
	var out []string
	for _, line := range lines {
		for r := []rune(line); ; r = append([]rune("  "), r[36:]...) {
			if len(r) <= 38 {
				out = append(out, strings.TrimRight(string(r), " "))
				break
			}
			out = append(out, strings.TrimRight(string(r[:36]), " "))
		}
	}
	return strings.Join(out, "\n")
}

// hasContent says whether a round counts: at least five people, whatever a lower minimum allows (TENSIONS 2), and no sooner
// than its give-back told of tensions.
func hasContent(r Round) bool {
	return r.State == RoundGivenBack && r.Tally != nil && telling(r.Tally, r.MinReplies)
}

func symbol(r Round, t prompts.TensionID) string {
	if !hasContent(r) {
		return symTooFew
	}
	asked, named := slices.Contains(r.Tally.Asked, t), r.Tally.Tags[t] >= minCell
	switch {
	case asked && named:
		return symAsked
	case asked:
		return symSilent
	case named:
		return symNotAsked
	}
	return symBelow
}
