package bot

import (
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// talkGuide is the quarter of an hour that goes with a give-back (PRACTICE 7).
func talkGuide(lang prompts.Lang, aftercare bool) []Block {
	say := sayer(lang)
	steps := []string{say("guide.read"), say("guide.pairs"), say("guide.together"), say("guide.choose")}
	if aftercare {
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
	m := Message{Lang: r.Lang, Blocks: []Block{Heading(words.Title), Text(Span{Text: words.Text})}}
	if words.PoleA != "" && words.PoleB != "" {
		poles := []Span{{Text: words.PoleA}, {Text: words.PoleB}}
		if r.Flip {
			poles[0], poles[1] = poles[1], poles[0]
		}
		m.Blocks = append(m.Blocks, Block{Kind: BlockPoles, Spans: poles})
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: words.Question, Strong: true}), Text(Span{Text: say("guide.talk-only")}))
	m.Blocks = append(m.Blocks, talkGuide(r.Lang, r.Prompt.Aftercare)...)
	if r.Adviser != "" {
		m.Blocks = append(m.Blocks, Note(say("round.help-footer", "adviser", r.Adviser)))
	}
	return m
}
