package bot

import (
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// statementTexts are the catalogue's sentences for what is said of a tension. What a round shows by itself, or does not,
// has none here.
var statementTexts = map[StatementKind]string{
	SaidAsked:        "season.asked",
	SaidSmall:        "season.small",
	SaidRecurring:    "season.recurring",
	SaidOften:        "season.recurring",
	SaidMore:         "season.more",
	SaidLess:         "season.less",
	SaidSame:         "season.same",
	SaidIncomparable: "season.incomparable",
	SaidHalf:         "season.half-tagged",
}

// word is the status of a tension in one word: what the rule and the symbols both allow.
func (k StatementKind) word(say speech) string {
	switch k {
	case SaidUnseen:
		return say("season.word-unseen")
	case SaidMentioned, SaidAsked, SaidSmall:
		return say("season.word-mentioned")
	case SaidRecurring:
		return say("season.word-recurring")
	case SaidOften:
		return say("season.word-often")
	}
	return ""
}

// about fills a text about a tension: its label gets a capital where the text begins with it.
func about(lang prompts.Lang, key string, label prompts.Text, pairs ...string) []Span {
	text, name := locale.Text(lang, key), inSentence(label.In(lang))
	if strings.HasPrefix(strings.TrimLeft(text, "*"), "{tension}") {
		name = locale.Capital(name)
	}
	return Rich(text, append(pairs, "tension", name)...)
}

// sentence says a statement. Its only numbers are rounds.
func (s Statement) sentence(lang prompts.Lang) Block {
	return Text(about(lang, statementTexts[s.Kind], s.Label, "named", locale.Number(lang, s.Dots), "rounds", locale.Number(lang, s.Basis))...)
}

// changeWords says what a block's end has to say: what came back more or less, and of the others once for all of them.
func changeWords(lang prompts.Lang, said []Statement) (blocks []Block) {
	for _, s := range said {
		if s.Kind == SaidMore || s.Kind == SaidLess {
			blocks = append(blocks, s.sentence(lang))
		}
	}
	for _, kind := range []StatementKind{SaidSame, SaidIncomparable} {
		var labels []string
		others := false
		for _, s := range said {
			if s.Kind == kind {
				labels = append(labels, inSentence(s.Label.In(lang)))
			} else if !s.Kind.ofWindow() && s.Kind != SaidHalf {
				others = true
			}
		}
		if len(labels) == 0 {
			continue
		}
		var spans []Span
		if others {
			spans = []Span{{Text: locale.Capital(strings.Join(labels, "; ")) + ".", Strong: true}, {Text: " "}}
		}
		blocks = append(blocks, Text(append(spans, Rich(locale.Text(lang, statementTexts[kind]))...)...))
	}
	return blocks
}

// Told is what a team is told when a window or a block closes with a round. It is made of the round's statements alone, so
// that it stays the same to the letter.
func Told(r Round) Message {
	lang, say := r.Lang, sayer(r.Lang)
	m := Message{Lang: lang, Blocks: []Block{Heading(say("season.told-title"))}}
	of := 0
	for _, s := range r.Statements {
		if s.Kind.ofWindow() {
			of = max(of, s.Of)
		}
	}
	if of > 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("season.told-intro", "rounds", locale.Number(lang, of))}))
		strong := false
		for _, s := range r.Statements {
			if s.Kind == SaidHalf || s.Kind.ofWindow() && statementTexts[s.Kind] != "" {
				m.Blocks = append(m.Blocks, s.sentence(lang))
				strong = strong || s.Kind != SaidHalf
			}
		}
		if !strong {
			m.Blocks = append(m.Blocks, Text(Span{Text: say("season.told-none")}))
		}
	}
	m.Blocks = append(m.Blocks, changeWords(lang, r.Statements)...)
	m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{
		{Do: "why", Round: r.ID, Arg: whySaid, Label: say("season.why"), Typed: say("season.why-word")},
	}})
	return m
}

// untold is the post of what came back or changed at the end of a season whose overview did not come: nobody is asked whether to
// go on, since the team was switched off meanwhile, for instance.
func (b *Bot) untold(r Round, t Team, now time.Time) []Post {
	if !r.Ends || r.Then != RoundSeason || t.Vote != "" || t.State == TeamGone {
		return nil
	}
	r.Ends = false
	return b.told(r, stepPost(r.ID, "give-back"), b.permitted(t, now))
}

// whySaid asks why something was said, where a round alone asks why its question was chosen.
const whySaid = "said"

// WhyTold says what the statements of a round rest on: rounds, and who counted.
func WhyTold(lang prompts.Lang, said []Statement) []Block {
	say := sayer(lang)
	blocks := []Block{Text(Span{Text: say("season.why-head"), Strong: true})}
	for _, s := range said {
		var spans []Span
		add := func(key string, pairs ...string) {
			if len(spans) > 0 {
				spans = append(spans, Span{Text: " "})
			}
			spans = append(spans, about(lang, key, s.Label, pairs...)...)
		}
		rounds := locale.Number(lang, s.Basis)
		three := s.Dots
		switch s.Kind {
		case SaidSmall, SaidRecurring, SaidOften:
			add("season.why-chosen", "rounds", rounds)
		case SaidAsked:
			three += s.Diamonds
			add("season.why-chosen-asked", "rounds", rounds)
		case SaidMore, SaidLess, SaidSame:
			add("season.why-compared", "rounds", rounds, "before", locale.Number(lang, s.BasisBefore))
			blocks = append(blocks, Text(spans...))
			continue
		default:
			continue
		}
		switch three {
		case 0:
			add("season.why-none")
		case 1:
			add("season.why-one")
		default:
			add("season.why-some", "named", locale.Number(lang, three))
		}
		blocks = append(blocks, Text(spans...))
	}
	if len(blocks) == 1 {
		blocks = append(blocks, Text(Span{Text: say("season.why-nothing")}))
	}
	return append(blocks, Note(say("season.why-note")))
}

// lastSaid is the newest round with which something was said of what comes back.
func lastSaid(rounds []Round) (Round, bool) {
	for _, r := range slices.Backward(inOrder(rounds)) {
		if len(r.Statements) > 0 {
			return r, true
		}
	}
	return Round{}, false
}
