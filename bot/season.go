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
	symOther    = "·" // the tension was not on the list, or meant something else
)

// youngSeason is how many rounds with content a season needs before it says more than the one before.
const youngSeason = 4

// seasonShown is the season that a team's overview shows: the one it is in, and while that is young, the one before it.
func seasonShown(t Team, rounds []Round) int {
	season := max(t.Season, 1)
	now := ofSeason(rounds, season)
	content := 0
	for _, r := range now {
		if hasContent(r) {
			content++
		}
	}
	if content >= youngSeason || season == 1 || ends(now) && content > 0 { // a window that closed may have begun before it
		return season
	}
	return season - 1
}

// ofSeason are a season's questions.
func ofSeason(rounds []Round, season int) (out []Round) {
	for _, r := range rounds {
		if r.Kind == RoundQuestion && r.Season == season {
			out = append(out, r)
		}
	}
	return out
}

// seasonNow is the overview of a team. text and picture are what may be quoted of the season it is in.
func seasonNow(t Team, rounds []Round, lib *prompts.Library, lang prompts.Lang, text, picture leafQuotes) Message {
	season := seasonShown(t, rounds)
	shown := ofSeason(rounds, season)
	if season == max(t.Season, 1) {
		return pictured(overview(t, rounds, shown, lib, lang, text), t, rounds, shown, lib, picture)
	}
	m := pictured(overview(t, rounds, shown, lib, lang, nil), t, rounds, shown, lib, nil) // its quotes are gone by now, or soon
	m.Blocks = append([]Block{Text(Span{Text: sayer(lang)("season.before")})}, m.Blocks...)
	return m
}

// ends says whether a season's last give-back has been.
func ends(season []Round) bool {
	return slices.ContainsFunc(season, func(r Round) bool { return r.Ends })
}

// Season is the text version of a season's overview: per tension, in the one fixed order, one symbol a round and the word
// that its closed windows allow.
func Season(t Team, rounds []Round, lib *prompts.Library, lang prompts.Lang) Message {
	return overview(t, rounds, rounds, lib, lang, nil)
}

// overview is that of a season's rounds, which are among all of the team's: a window may have begun before.
func overview(t Team, all, rounds []Round, lib *prompts.Library, lang prompts.Lang, quotes leafQuotes) Message {
	say := sayer(lang)
	rounds = inOrder(rounds)
	content := 0
	for _, r := range rounds {
		if hasContent(r) {
			content++
		}
	}
	m := Message{Lang: lang, Blocks: []Block{Heading(say("season.title"))}}
	if content == 0 && slices.ContainsFunc(rounds, func(r Round) bool { return r.Counted }) {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.forgotten")}))
		return m
	}
	if content == 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.empty")}))
		return m
	}
	zone := zoneOf(t.Settings.Zone)
	first, last := rounds[0].Opens.In(zone), rounds[len(rounds)-1].Opens.In(zone)
	intro := "season.intro"
	if locale.Month(lang, first) == locale.Month(lang, last) {
		intro = "season.intro-month"
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: locale.Say(lang, intro, "from", locale.Month(lang, first), "to", locale.Month(lang, last),
		"rounds", locale.Capital(rounds2words(say, lang, len(rounds))), "content", locale.Number(lang, content))}))

	other := false // the sign that is in the legend only where it occurs
	strongest, changed, half := said(all, rounds, lib)
	var code []string
	var sentences []Block
	var asked, unseen []string // those that were named when they were asked, and those that were not
	for _, tension := range branches(rounds, lib) {
		var line []string
		named, unasked := 0, 0
		for _, r := range rounds {
			s := symbol(r, tension)
			line = append(line, s)
			other = other || s == symOther
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
		code = append(code, leafLines(tension, quotes[tension.ID], lang)...)
		switch {
		case statementTexts[s.Kind] != "":
			sentences = append(sentences, s.sentence(lang))
		case unasked > 0:
			sentences = append(sentences, Text(Rich(locale.Text(lang, "season.came-unasked"), "tension", inSentence(tension.Label.In(lang)),
				"times", locale.Number(lang, unasked), "rounds", locale.Number(lang, content))...))
		case named > 0:
			asked = append(asked, inSentence(tension.Label.In(lang)))
		case word == SaidUnseen:
			unseen = append(unseen, inSentence(tension.Label.In(lang)))
		}
	}
	code = append(code, "")
	code = append(code, strings.Split(say("season.legend"), "\n")...)
	if other {
		code = append(code, say("season.legend-other"))
	}
	m.Blocks = append(m.Blocks, Code(wrap(code)))
	if half.Kind != "" {
		m.Blocks = append(m.Blocks, half.sentence(lang))
	}
	if len(strongest) == 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.too-early")}))
	}
	if len(asked) > 0 {
		sentences = append(sentences, Text(Rich(locale.Text(lang, "season.came-asked"), "tensions", strings.Join(asked, "; "))...))
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

// branches are the tensions of a season's overview, in the one fixed order: those that are offered, and those that could be chosen in
// one of its rounds.
func branches(rounds []Round, lib *prompts.Library) []prompts.Tension {
	offered := lib.Offered()
	return slices.DeleteFunc(slices.Clone(lib.Tensions), func(t prompts.Tension) bool {
		return !slices.ContainsFunc(offered, func(o prompts.Tension) bool { return o.ID == t.ID }) &&
			!slices.ContainsFunc(rounds, func(r Round) bool { s := symbol(r, t); return s != symTooFew && s != symOther })
	})
}

// shown is the word beside a tension in an overview; named says that a symbol there shows it.
func (k StatementKind) shown(named bool) StatementKind {
	switch {
	case named && (k == "" || k == SaidUnseen): // in a window that is open
		return SaidMentioned
	case !named && k == SaidMentioned: // in a part of the window that another season shows
		return SaidUnseen
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

// symbol is what a round shows of a tension in its present sense. What was tagged in another is not shown, and neither called
// too few.
func symbol(r Round, t prompts.Tension) string {
	if !hasContent(r) {
		return symTooFew
	}
	if was, ok := senseIn(r.Tally, t.ID); !ok || was != "" && !t.Means(was) {
		return symOther
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
