package slack

import (
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Templates are what the bot may send to Slack, in every shape that it makes and with as much in it as there may be: a question
// with the longest of the library, a give-back, a form with every kind of field, the views between, and Home. None holds anything
// of people.
func Templates(lang prompts.Lang) (all []Template, err error) {
	s := example{lang: lang}
	add := func(name, kind string, payload any, problem error) {
		if problem != nil && err == nil {
			err = problem
		}
		all = append(all, Template{name, kind, payload})
	}
	lib, err := prompts.Builtin()
	if err != nil {
		return nil, err
	}
	for name, m := range map[string]bot.Message{"question": s.question(longest(lib, lang)), "give-back": s.giveBack()} {
		r, problem := render(m, "key")
		if problem == nil {
			problem = r.check()
		}
		if problem != nil {
			return nil, problem
		}
		add(name, "blocks", r.Blocks, nil)
	}
	st := viewState{Team: "slack:T0123456789/C0123456789", Key: "key", Nonce: strings.Repeat("N", 26)}
	form, problem := formView(s.form(), st)
	add("form", "view", form, problem)
	shown, problem := messageView(s.giveBack(), st)
	add("message view", "view", shown, problem)
	waits, problem := waitingView(lang, st)
	add("waiting view", "view", waits, problem)
	saves, problem := savingView(lang, st)
	add("saving view", "view", saves, problem)
	home, problem := homeView(s.giveBack(), st)
	add("home", "view", home, problem)
	return all, err
}

// longest is the prompt of a library with the most to read.
func longest(lib prompts.Library, lang prompts.Lang) (most prompts.Words) {
	size := 0
	for _, p := range lib.Prompts {
		if w := p.Words[lang]; len(w.Text)+len(w.Question) > size && w.PoleA != "" {
			most, size = w, len(w.Text)+len(w.Question)
		}
	}
	return most
}

// example makes messages and forms of words that are in the catalogue anyway.
type example struct{ lang prompts.Lang }

// words are n characters.
func (s example) words(n int) string {
	text := locale.Say(s.lang, "slack.app-long") + " "
	return string([]rune(strings.Repeat(text, n/len([]rune(text))+1))[:n-1]) + "."
}

func (s example) spans(n int) []bot.Span { return []bot.Span{{Text: s.words(n)}} }

func (s example) actions(n int) (all []bot.Action) {
	for i := range n {
		all = append(all, bot.Action{Do: "answer", Round: bot.RoundID(strings.Repeat("r", 26)), Arg: strconv.Itoa(i), Label: s.words(30), Main: i == 0})
	}
	return all
}

func (s example) question(w prompts.Words) bot.Message {
	return bot.Message{Lang: s.lang, Blocks: []bot.Block{
		{Kind: bot.BlockHeading, Spans: []bot.Span{{Text: w.Title}}}, {Kind: bot.BlockText, Spans: []bot.Span{{Text: w.Text}}},
		{Kind: bot.BlockText, Spans: []bot.Span{{Text: w.Question, Strong: true}}}, {Kind: bot.BlockPoles, Spans: []bot.Span{{Text: w.PoleA}, {Text: w.PoleB}}},
		{Kind: bot.BlockNote, Spans: s.spans(300)}, {Kind: bot.BlockActions, Actions: s.actions(3)},
	}}
}

func (s example) giveBack() bot.Message {
	m := bot.Message{Lang: s.lang, Blocks: []bot.Block{
		{Kind: bot.BlockHeading, Spans: s.spans(140)}, {Kind: bot.BlockText, Spans: []bot.Span{{Text: s.words(1400)}, {Text: " " + s.words(100), Strong: true}}},
		{Kind: bot.BlockPoles, Spans: []bot.Span{{Text: s.words(300)}, {Text: s.words(300)}}}, {Kind: bot.BlockCode, Spans: s.spans(600)},
		{Kind: bot.BlockList, Spans: []bot.Span{{Text: s.words(200)}, {Text: s.words(200)}, {Text: s.words(200)}}},
	}}
	for range 3 {
		m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockQuote, Spans: []bot.Span{{Text: s.words(bot.MaxReplyRunes), Person: true}}})
	}
	m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockNote, Spans: s.spans(300)}, bot.Block{Kind: bot.BlockActions, Actions: s.actions(5)})
	return m
}

func (s example) form() *bot.Form {
	var few, many []bot.Option
	for i := range 30 {
		o := bot.Option{Value: strconv.Itoa(i), Label: strconv.Itoa(i) + " " + s.words(70)}
		if many = append(many, o); i < 3 {
			few = append(few, o)
		}
	}
	f := &bot.Form{
		Name: "reply", State: strings.Repeat("s", 64), Lang: s.lang, Title: s.words(24), Submit: s.words(24), Notice: []bot.Block{{Kind: bot.BlockText, Spans: s.spans(400)}},
		Intro: []bot.Block{{Kind: bot.BlockText, Spans: s.spans(1500)}, {Kind: bot.BlockNote, Spans: s.spans(300)}}, Extra: s.actions(3),
	}
	for i, field := range []bot.Field{
		{Kind: bot.FieldText, Max: bot.MaxReplyRunes}, {Kind: bot.FieldText, Max: bot.MaxReplyRunes, Value: []string{s.words(bot.MaxReplyRunes)}}, {Kind: bot.FieldLine, Max: 75},
		{Kind: bot.FieldOne, Options: few, Required: true}, {Kind: bot.FieldOne, Options: many, Value: []string{"7"}}, {Kind: bot.FieldMany, Options: few},
		{Kind: bot.FieldMany, Options: many, Value: []string{"1", "2"}}, {Kind: bot.FieldTick}, {Kind: bot.FieldTick, Value: []string{"yes"}},
	} {
		field.Name, field.Label, field.Hint = "f"+strconv.Itoa(i), s.words(60), s.words(200)
		f.Fields = append(f.Fields, field)
	}
	return f
}
