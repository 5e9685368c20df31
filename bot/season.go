package bot

import (
	"slices"
	"strings"
	"unicode/utf8"

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
		return pictured(overview(t, rounds, now, lib, lang), t, rounds, now, lib)
	}
	before, _ := of(season - 1)
	m := pictured(overview(t, rounds, before, lib, lang), t, rounds, before, lib)
	m.Blocks = append([]Block{Text(Span{Text: sayer(lang)("season.before")})}, m.Blocks...)
	return m
}

// Season is the text version of a season's overview: per tension, in the one fixed order, one symbol a round and the word
// that its closed windows allow.
func Season(t Team, rounds []Round, lib *prompts.Library, lang prompts.Lang) Message {
	return overview(t, rounds, rounds, lib, lang)
}

// overview is that of a season's rounds, which are among all of the team's: a window may have begun before.
func overview(t Team, all, rounds []Round, lib *prompts.Library, lang prompts.Lang) Message {
	say := sayer(lang)
	rounds = inOrder(rounds)
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

	strongest, changed, half := said(all, rounds, lib)
	var code []string
	var sentences []Block
	var unseen []string
	for _, tension := range lib.Tensions {
		var line []string
		named, unasked := 0, 0
		for _, r := range rounds {
			s := symbol(r, tension)
			line = append(line, s)
			switch s {
			case symNotAsked:
				named++
				unasked++
			case symAsked:
				named++
			}
		}
		s := strongest[tension.ID]
		word := s.Kind.shown(named > 0)
		code = append(code, branch(tension.Short.In(lang), word.word(say))...)
		code = append(code, "  "+strings.Join(line, " "))
		switch {
		case statementTexts[s.Kind] != "":
			sentences = append(sentences, s.sentence(lang))
		case unasked > 0:
			sentences = append(sentences, Text(Rich(locale.Text(lang, "season.came-unasked"), "tension", inSentence(tension.Label.In(lang)),
				"times", locale.Number(lang, unasked), "rounds", locale.Number(lang, content))...))
		case named > 0:
			sentences = append(sentences, Text(Rich(locale.Text(lang, "season.came-asked"), "tension", inSentence(tension.Label.In(lang)))...))
		case word == SaidUnseen:
			unseen = append(unseen, inSentence(tension.Label.In(lang)))
		}
	}
	code = append(code, "")
	code = append(code, strings.Split(say("season.legend"), "\n")...)
	m.Blocks = append(m.Blocks, Code(wrap(code)))
	if half.Kind != "" {
		m.Blocks = append(m.Blocks, half.sentence(lang))
	}
	if len(strongest) == 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.too-early")}))
	}
	m.Blocks = append(m.Blocks, sentences...)
	switch {
	case len(sentences) == 0:
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.none-seen")}))
	case len(unseen) > 0:
		m.Blocks = append(m.Blocks, Text(Rich(locale.Text(lang, "season.unseen"), "tensions", strings.Join(unseen, "; "))...))
	}
	m.Blocks = append(m.Blocks, changeWords(lang, changed)...)
	m.Blocks = append(m.Blocks, Note(say("season.note")))
	return m
}

// shown is the word beside a tension in an overview; named says that a symbol there shows it.
func (k StatementKind) shown(named bool) StatementKind {
	if named && (k == "" || k == SaidUnseen) { // in a window that is open
		return SaidMentioned
	}
	return k
}

// said gathers what was said of a season, whose rounds are among all of the team's: of each tension the strongest of its
// windows, the newest of equals; what changed; and whether fewer than half chose a tension in the last window. What closed
// before such things were kept is worked out from the tallies. What was said of another sense of a tension is left out.
func said(all, season []Round, lib *prompts.Library) (strongest map[prompts.TensionID]Statement, changed []Statement, half Statement) {
	strongest = map[prompts.TensionID]Statement{}
	means := func(s Statement) bool {
		t, ok := lib.Tension(s.Tension)
		return s.Sense == "" || ok && t.Means(s.Sense)
	}
	for _, w := range windows(all) {
		last := w.rounds[len(w.rounds)-1].ID
		if !slices.ContainsFunc(season, func(r Round) bool { return r.ID == last }) {
			continue
		}
		then := w.by.Statements
		if !slices.ContainsFunc(then, func(s Statement) bool { return s.Kind.ofWindow() }) {
			then = conclude(w, lib)
		}
		half = Statement{}
		for _, s := range then {
			if s.Kind == SaidHalf {
				half = s
			}
			if s.Kind.ofWindow() && means(s) && slices.Index(strength, s.Kind) >= slices.Index(strength, strongest[s.Tension].Kind) {
				strongest[s.Tension] = s
			}
		}
	}
	for _, r := range season {
		for _, s := range r.Statements {
			if !s.Kind.ofWindow() && s.Kind != SaidHalf && means(s) {
				changed = append(changed, s)
			}
		}
	}
	return strongest, changed, half
}

// branch is a tension's name with its word, on two lines where one is too narrow.
func branch(short, word string) []string {
	switch {
	case word == "":
		return []string{short}
	case utf8.RuneCountInString(short+": "+word) <= lineRunes:
		return []string{short + ": " + word}
	}
	return []string{short + ":", "  " + word}
}

func rounds2words(say speech, lang prompts.Lang, n int) string {
	if n == 1 {
		return say("season.one-round")
	}
	return say("season.rounds", "count", locale.Number(lang, n))
}

// lineRunes is what fits on a narrow phone.
const lineRunes = 38

// wrap keeps lines of symbols within 38 characters: two symbols' width a round, at most eighteen rounds a line.
func wrap(lines []string) string {
	var out []string
	for _, line := range lines {
		for r := []rune(line); ; r = append([]rune("  "), r[lineRunes-2:]...) {
			if len(r) <= lineRunes {
				out = append(out, strings.TrimRight(string(r), " "))
				break
			}
			out = append(out, strings.TrimRight(string(r[:lineRunes-2]), " "))
		}
	}
	return strings.Join(out, "\n")
}

// hasContent says whether a round counts: at least five people, whatever a lower minimum allows (TENSIONS 2), and no sooner
// than its give-back told of tensions.
func hasContent(r Round) bool {
	return r.State == RoundGivenBack && r.Tally != nil && telling(r.Tally, r.MinReplies)
}

// symbol is what a round shows of a tension in its present sense. What was tagged in another shows nothing.
func symbol(r Round, t prompts.Tension) string {
	if !hasContent(r) {
		return symTooFew
	}
	if was, ok := senseIn(r.Tally, t.ID); !ok || was != "" && !t.Means(was) {
		return symTooFew
	}
	asked, named := slices.Contains(r.Tally.Asked, t.ID), r.Tally.Tags[t.ID] >= minCell
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
