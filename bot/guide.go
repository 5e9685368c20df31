package bot

import (
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// talkGuide is the quarter of an hour that goes with a give-back (PRACTICE 7), or with a question that is only talked
// about. Where a prompt has no poles there are no two sides to weigh.
func talkGuide(r Round, givenBack bool) []Block {
	lang := r.Lang
	say := sayer(lang)
	words := r.Prompt.In(lang)
	steps := []string{say("guide.read"), say("guide.pairs"), say("guide.together"), say("guide.choose")}
	if !givenBack {
		steps[0] = say("guide.read-question")
	}
	if words.PoleA == "" || words.PoleB == "" {
		steps[2] = say("guide.together-light")
	}
	if r.Prompt.Aftercare {
		steps = append(steps, say("guide.aftercare"))
	}
	return []Block{
		Text(Rich(locale.Text(lang, "guide.intro"))...),
		List(steps...),
		Text(Span{Text: say("guide.close")}),
	}
}

// TalkOnly is a question to talk about, with the guide and without a button: it collects nothing.
func TalkOnly(r Round, lib *prompts.Library) Message {
	words := r.Prompt.In(r.Lang)
	say := sayer(r.Lang)
	m := Message{Lang: r.Lang, Blocks: []Block{Heading(words.Title), promptText(r, r.Lang)}}
	if words.PoleA != "" && words.PoleB != "" {
		poles := []Span{{Text: words.PoleA}, {Text: words.PoleB}}
		if r.Flip {
			poles[0], poles[1] = poles[1], poles[0]
		}
		m.Blocks = append(m.Blocks, Block{Kind: BlockPoles, Spans: poles})
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: words.Question, Strong: true}))
	if r.Prompt.Source == prompts.SourceTeam {
		m.Blocks = append(m.Blocks, Note(say("round.from-team")))
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: say("guide.talk-only")}))
	m.Blocks = append(m.Blocks, talkGuide(r, false)...)
	m.Blocks = append(m.Blocks, r.owes(owedRoom)...) // no give-back will say it
	if r.Adviser != "" {
		m.Blocks = append(m.Blocks, Note(say("round.help-footer", "adviser", r.Adviser)))
	}
	return m
}
