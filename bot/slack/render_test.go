package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

var stateOf = viewState{Team: "slack:T1/C1", Nonce: "n1"}

func said(kind bot.BlockKind, text string) bot.Message {
	return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{{Kind: kind, Spans: []bot.Span{{Text: text, Person: true}}}}}
}

func buttons(labels ...string) bot.Block {
	b := bot.Block{Kind: bot.BlockActions}
	for i, l := range labels {
		b.Actions = append(b.Actions, bot.Action{Do: "answer", Round: "R", Arg: fmt.Sprint(i), Label: l})
	}
	return b
}

// must renders a message that fits, with its pictures in their place.
func must(t testing.TB, what string, m bot.Message) (*rendered, *shape) {
	t.Helper()
	r, err := render(m, "key")
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return nil, &shape{}
	}
	for i := range r.Pictures {
		r.place(i, "F123")
	}
	if err := r.check(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	s := &shape{}
	s.message(t, r.Text, r.Blocks)
	s.fail(t, what)
	return r, s
}

// squeezed is a text without its blanks, to see that nothing but blanks got lost.
func squeezed(s string) string { return strings.Join(strings.Fields(visible(s)), "") }

// Every kind of block becomes what it is meant to be, whole.
func TestEveryKindOfBlock(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("Een zin van een aantal woorden. ", 120)) // some 3,800 characters
	for _, c := range []struct {
		name  string
		block bot.Block
		types string
	}{
		{"heading", bot.Heading("Terugblik"), "header"},
		{"long heading", bot.Heading(strings.Repeat("lang ", 40)), "rich_text"},
		{"text", bot.Text(bot.Span{Text: "Gewoon *niet* <!channel>"}), "section"},
		{"strong", bot.Text(bot.Rich("Zeg **{x}** en meer", "x", "dit")...), "rich_text"},
		{"long text", bot.Text(bot.Span{Text: long}), "section section"},
		{"long strong text", bot.Text(bot.Span{Text: long, Strong: true}), "rich_text rich_text"},
		{"quote", bot.Quote("regel een\n\nregel drie"), "rich_text"},
		{"long quote", bot.Quote(long), "rich_text rich_text"},
		{"poles", bot.Block{Kind: bot.BlockPoles, Spans: []bot.Span{{Text: "Altijd"}, {Text: "Nooit"}}}, "section"},
		{"long poles", bot.Block{Kind: bot.BlockPoles, Spans: []bot.Span{{Text: strings.Repeat("pool ", 420)}, {Text: "Nooit"}}}, "section section"},
		{"list", bot.List("een", "twee"), "rich_text"},
		{"long list", bot.List(strings.Repeat("a ", 1000), strings.Repeat("b ", 1000), "c"), "rich_text rich_text"},
		{"code", bot.Code("help   dit\n  dat"), "rich_text"},
		{"long code", bot.Code(strings.Repeat("een regel code\n", 300)), "rich_text rich_text"},
		{"link", bot.Link("Open de bibliotheek", "https://bot.example.org/library/in#CODE"), "rich_text"},
		{"note", bot.Note("kleine letters"), "context"},
		{"long note", bot.Note(long), "context context"},
		{"picture", bot.Block{Kind: bot.BlockPicture, PNG: []byte("png"), Spans: []bot.Span{{Text: "Een boom"}}}, "image"},
		{"picture of many words", bot.Block{Kind: bot.BlockPicture, PNG: []byte("png"), Spans: []bot.Span{{Text: long}}}, "context context image"},
		{"actions", buttons("Antwoord", "Waarom?"), "actions"},
		{"many actions", buttons(strings.Split(strings.Repeat("x", 60), "")...), "actions actions actions"},
		{"long label", buttons("Antwoord", strings.Repeat("lang ", 20)), "rich_text actions"},
	} {
		r, s := must(t, c.name, bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{c.block}})
		if r == nil {
			continue
		}
		var types []string
		for _, b := range r.Blocks {
			types = append(types, string(b.BlockType()))
		}
		if got := strings.Join(types, " "); got != c.types {
			t.Errorf("%s became %s, want %s", c.name, got, c.types)
		}
		all := squeezed(strings.Join(s.words, ""))
		for _, span := range c.block.Spans {
			if !strings.Contains(all, squeezed(span.Text)) {
				t.Errorf("%s lost words", c.name)
			}
		}
		for _, a := range c.block.Actions {
			if !strings.Contains(all, squeezed(a.Label)) {
				t.Errorf("%s lost %q", c.name, a.Label)
			}
		}
	}
}

// A text is cut at the end of a sentence or line where it can be, and never inside a word that fits.
func TestWhereTextIsCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"Een. Twee drie. Vier", 16, "Een. Twee drie.|Vier"},
		{"een twee drie vier", 10, "een twee|drie vier"},
		{"regel een\nregel twee is lang", 20, "regel een|regel twee is lang"},
		{"aaaaaaaaaaaa", 5, "aaaaa|aaaaa|aa"},
		{"x&x&x", 7, "x&x|&x"},
		{"abce\u0301fg", 4, "abc|e\u0301fg"},
		{"👍👍👍", 4, "👍👍|👍"},
		{"  \n ", 5, ""},
		{"Kort. Daarna een heel lange zin zonder einde", 30, "Kort. Daarna een heel lange|zin zonder einde"},
	} {
		var got []string
		for _, p := range pieces(c.text, c.limit) {
			got = append(got, c.text[p.from:p.to])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}

func TestEmptyAndTooLong(t *testing.T) {
	for _, m := range []bot.Message{{}, said(bot.BlockQuote, " \u200b\n"), said(bot.BlockText, "\u3164\u2003"), said(bot.BlockCode, "\n"), {Blocks: []bot.Block{{Kind: bot.BlockActions}}}} {
		if _, err := render(m, ""); !errors.Is(err, errEmpty) {
			t.Errorf("%+v: %v", m, err)
		}
		if _, err := messageView(m, stateOf); !errors.Is(err, errEmpty) {
			t.Errorf("%+v: %v", m, err)
		}
		if _, err := homeView(m, stateOf); !errors.Is(err, errEmpty) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	must(t, "as long as it may be", said(bot.BlockQuote, strings.Repeat("ë ", 5999)))
	if _, err := render(said(bot.BlockQuote, strings.Repeat("ë ", 6010)), ""); !errors.Is(err, errLong) {
		t.Error(err)
	}
	var many bot.Message
	for range maxBlocks + 1 {
		many.Blocks = append(many.Blocks, bot.Note("x"))
	}
	if _, err := render(many, ""); !errors.Is(err, errLong) {
		t.Error(err)
	}
	if _, err := messageView(many, stateOf); err != nil {
		t.Error(err)
	}
	many.Blocks = slices.Concat(many.Blocks, many.Blocks)
	if _, err := homeView(many, stateOf); !errors.Is(err, errLong) {
		t.Error(err)
	}
	if _, err := render(bot.Message{Blocks: []bot.Block{{Kind: bot.BlockPicture, PNG: []byte("png")}}}, ""); err == nil {
		t.Error("a picture without words")
	}
	if _, err := render(bot.Message{Blocks: []bot.Block{buttons("")}}, ""); err == nil {
		t.Error("a button without label")
	}
	if _, err := render(bot.Message{Blocks: []bot.Block{{Kind: bot.BlockActions, Actions: []bot.Action{{Do: "x", Arg: strings.Repeat("x", 2000), Label: "x"}}}}}, ""); err == nil {
		t.Error("a button that holds too much")
	}
}

// The text beside the blocks has the whole, also where Slack shows nothing else; only there it may be cut.
func TestTextBesideTheBlocks(t *testing.T) {
	m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{
		bot.Heading("De vraag"), bot.Text(bot.Rich("Wat doe je **eerst** & waarom?")...),
		{Kind: bot.BlockPoles, Spans: []bot.Span{{Text: "Altijd"}, {Text: "Nooit"}}},
		bot.Quote("een <!channel>\n> twee *vet* `x` :fire:"), bot.List("a", "b"), bot.Note("klein: 0 10 * * TUE, jan_de_vries"), buttons("Antwoord"),
	}}
	r, _ := must(t, "all", m)
	want := "De vraag\n\nWat doe je eerst &amp; waarom?\n\nAltijd\nof\nNooit\n\n&gt; een &lt;!channel&gt;\n&gt; › twee ∗vet∗ ˋxˋ ∶fire:\n\n1. a\n2. b\n\nklein: 0 10 * * TUE, jan_de_vries"
	if r.Text != want {
		t.Errorf("%q\nwant\n%q", r.Text, want)
	}
	if r, _ := must(t, "buttons alone", bot.Message{Blocks: []bot.Block{buttons("Ja", "Nee")}}); r.Text != "Ja\n\nNee" {
		t.Error(r.Text)
	}
	r, _ = must(t, "long", said(bot.BlockQuote, strings.Repeat("Dit is <een> zin. ", 400)))
	if n := units(r.Text); n < 3000 || n > maxTopText || !strings.HasSuffix(r.Text, "zin. …") {
		t.Errorf("%d %q", n, r.Text[len(r.Text)-30:])
	}
}

// A picture is in no message before its file is uploaded; without a file its words stand there.
func TestPictures(t *testing.T) {
	m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Zie"}), {Kind: bot.BlockPicture, PNG: []byte("png"), Spans: []bot.Span{{Text: "Een boom"}}}}}
	r, err := render(m, "")
	if err != nil || len(r.Pictures) != 1 || string(r.Pictures[0].PNG) != "png" || r.Pictures[0].Alt != "Een boom" {
		t.Fatal(r, err)
	}
	if r.check() == nil {
		t.Error("sent without its picture")
	}
	r.place(0, "F1")
	if b, ok := r.Blocks[1].(*api.ImageBlock); !ok || b.SlackFile.ID != "F1" || r.check() != nil {
		t.Errorf("%+v", r.Blocks[1])
	}
	r.place(0, "")
	if b, ok := r.Blocks[1].(*api.ContextBlock); !ok || r.check() != nil {
		t.Errorf("%+v", b)
	}
	v, err := messageView(m, stateOf)
	if err != nil || v.Blocks.BlockSet[1].BlockType() != api.MBTContext {
		t.Error("a modal has no time to upload", err)
	}
}

// A button tells what was offered and where, and nothing of anybody.
func TestButtons(t *testing.T) {
	a := bot.Action{Do: "vote", Round: "R<1>", Arg: "go&on", Label: "1. Verder \u202eén\u202c door", Main: true, Typed: "1"}
	r, _ := must(t, "button", bot.Message{Blocks: []bot.Block{{Kind: bot.BlockActions, Actions: []bot.Action{a, {Do: "why", Label: "Waarom?"}}}, buttons("x")}})
	var all []*api.ButtonBlockElement
	for _, b := range r.Blocks {
		for _, e := range b.(*api.ActionBlock).Elements.ElementSet {
			all = append(all, e.(*api.ButtonBlockElement))
		}
	}
	if len(all) != 3 || all[0].Style != api.StylePrimary || all[1].Style != api.StyleDefault || all[0].ActionID == all[2].ActionID {
		t.Fatalf("%+v", all)
	}
	p, err := readPress(all[0].Value)
	a.Main, a.Label = false, "1. Verder én door"
	if err != nil || p.action() != a || p.Key != "key" {
		t.Errorf("%+v %v", p, err)
	}
	for f := range reflect.TypeFor[press]().Fields() {
		if !slices.Contains([]string{"Version", "Do", "Round", "Arg", "Label", "Typed", "Key"}, f.Name) {
			t.Errorf("a button holds %s", f.Name)
		}
	}
	for _, value := range []string{
		"", "{}", "null", `{"v":1}`, `{"v":2,"d":"x"}`, `{"d":"x"}`, ` {"v":1,"d":"x"}`, `{"v":1,"d":"x"} `, `{"v":1,"d":"x"}{}`, `{"V":1,"d":"x"}`, `{"d":"x","v":1}`,
		`{"v":1,"d":"x","u":"U1"}`, `{"v":1,"d":"x","d":"y"}`, `{"v":1,"d":"x","r":7}`, `{"v":1,"d":"x","a":""}`, `[1]`, `{"v":1e0,"d":"x"}`, "{\"v\":1,\"d\":\"\xff\"}",
		strings.Repeat("[", 100_000),
	} {
		if p, err := readPress(value); err == nil || p != (press{}) {
			t.Errorf("%.40q was read as %+v", value, p)
		}
	}
}

// Whatever is sent too long or in another shape is refused by the table before the call.
func TestTable(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	section := func(text *api.TextBlockObject) []api.Block {
		return []api.Block{api.NewSectionBlock(text, nil, nil, api.SectionBlockOptionBlockID("b"))}
	}
	actions := func(b *api.ButtonBlockElement) []api.Block { return []api.Block{api.NewActionBlock("b", b)} }
	richly := func(e api.RichTextSectionElement) []api.Block {
		return []api.Block{api.NewRichTextBlock("b", api.NewRichTextSection(e))}
	}
	good := section(plainText("x"))
	if err := checkMessage("x", good); err != nil {
		t.Fatal(err)
	}
	for what, blocks := range map[string][]api.Block{
		"none":           {},
		"no id":          {api.NewSectionBlock(plainText("x"), nil, nil)},
		"twice":          {good[0], good[0]},
		"divider":        {api.NewDividerBlock()},
		"empty section":  {api.NewSectionBlock(nil, nil, nil, api.SectionBlockOptionBlockID("b"))},
		"empty text":     section(plainText("")),
		"long section":   section(plainText(long(maxText + 1))),
		"escaped":        section(plainText(strings.Repeat("&", maxText/5+1))),
		"emoji":          section(api.NewTextBlockObject(api.PlainTextType, "x", true, false)),
		"mrkdwn":         section(api.NewTextBlockObject(api.MarkdownType, "x", false, false)),
		"type":           section(&api.TextBlockObject{Type: "html", Text: "x"}),
		"header":         {api.NewHeaderBlock(plainText(long(maxHeader+1)), api.HeaderBlockOptionBlockID("b"))},
		"mrkdwn header":  {api.NewHeaderBlock(api.NewTextBlockObject(api.MarkdownType, "x", false, true), api.HeaderBlockOptionBlockID("b"))},
		"field":          {api.NewSectionBlock(nil, []*api.TextBlockObject{plainText(long(maxField + 1))}, nil, api.SectionBlockOptionBlockID("b"))},
		"fields":         {api.NewSectionBlock(nil, slices.Repeat([]*api.TextBlockObject{plainText("x")}, maxFields+1), nil, api.SectionBlockOptionBlockID("b"))},
		"context":        {api.NewContextBlock("b", slices.Repeat([]api.MixedElement{plainText("x")}, maxContext+1)...)},
		"context image":  {api.NewContextBlock("b", api.NewImageBlockElement("http://example.org", "x"))},
		"empty context":  {api.NewContextBlock("b")},
		"image address":  {api.NewImageBlock("http://example.org/x.png", "x", "b", nil)},
		"image no alt":   {api.NewImageBlockSlackFile(&api.SlackFileObject{ID: "F"}, "", "b", nil)},
		"empty actions":  {api.NewActionBlock("b")},
		"select":         {api.NewActionBlock("b", api.NewOptionsSelectBlockElement(api.OptTypeUser, nil, "a"))},
		"label":          actions(api.NewButtonBlockElement("a", "v", plainText(long(maxButton+1)))),
		"value":          actions(api.NewButtonBlockElement("a", long(maxValue+1), plainText("x"))),
		"no value":       actions(api.NewButtonBlockElement("a", "", plainText("x"))),
		"action id":      actions(api.NewButtonBlockElement(long(maxID+1), "v", plainText("x"))),
		"danger":         actions(api.NewButtonBlockElement("a", "v", plainText("x")).WithStyle(api.StyleDanger)),
		"link":           actions(api.NewButtonBlockElement("a", "v", plainText("x")).WithURL("http://example.org")),
		"user":           richly(api.NewRichTextSectionUserElement("U1", nil)),
		"everybody":      richly(api.NewRichTextSectionBroadcastElement("channel")),
		"rich link":      richly(api.NewRichTextSectionLinkElement("http://example.org", "x", nil)),
		"empty run":      richly(run("", false)),
		"long rich":      richly(run(long(maxText+1), false)),
		"empty rich":     {api.NewRichTextBlock("b")},
		"unknown":        {api.NewRichTextBlock("b", &api.RichTextUnknown{Type: "x", Raw: "{}"})},
		"empty list":     {api.NewRichTextBlock("b", api.NewRichTextList(api.RTEListOrdered, 0))},
		"list in a list": {api.NewRichTextBlock("b", api.NewRichTextList(api.RTEListOrdered, 0, api.NewRichTextList(api.RTEListOrdered, 0)))},
		"input":          {api.NewInputBlock("b", plainText("x"), nil, api.NewPlainTextInputBlockElement(nil, "a"))},
		"video":          {api.NewMarkdownBlock("b", "x")},
		"nothing":        {nil},
	} {
		func() {
			defer func() {
				if r := recover(); r != nil && what != "nothing" {
					t.Errorf("%s: %v", what, r)
				}
			}()
			if checkMessage("x", blocks) == nil {
				t.Errorf("%s was taken", what)
			}
		}()
	}
	if checkMessage("", good) == nil || checkMessage(long(maxTopText+1), good) == nil {
		t.Error("the text of a message is not held to the table")
	}
	one := []*api.OptionBlockObject{api.NewOptionBlockObject("a", plainText("A"), nil)}
	for what, e := range map[string]api.BlockElement{
		"text":      &api.PlainTextInputBlockElement{Type: api.METPlainTextInput, ActionID: "a", MaxLength: maxInput + 1},
		"unbounded": &api.PlainTextInputBlockElement{Type: api.METPlainTextInput, ActionID: "a"},
		"more":      &api.PlainTextInputBlockElement{Type: api.METPlainTextInput, ActionID: "a", MaxLength: 3, InitialValue: "abcd"},
		"none":      api.NewRadioButtonsBlockElement("a"),
		"eleven":    api.NewCheckboxGroupsBlockElement("a", slices.Repeat(one, 11)...),
		"the same":  api.NewCheckboxGroupsBlockElement("a", one[0], one[0]),
		"not there": &api.RadioButtonsBlockElement{Type: api.METRadioButtons, ActionID: "a", Options: one, InitialOption: api.NewOptionBlockObject("a", plainText("B"), nil)},
		"long":      api.NewRadioButtonsBlockElement("a", api.NewOptionBlockObject("a", plainText(long(maxOption+1)), nil)),
		"value":     api.NewRadioButtonsBlockElement("a", api.NewOptionBlockObject(long(maxOptionValue+1), plainText("A"), nil)),
		"people":    api.NewOptionsSelectBlockElement(api.OptTypeUser, plainText("x"), "a", one...),
		"file":      api.NewFileInputBlockElement("a"),
	} {
		v := &api.ModalViewRequest{Type: api.VTModal, Title: plainText("x"), Submit: plainText("x"), PrivateMetadata: "x", CallbackID: "x",
			Blocks: api.Blocks{BlockSet: []api.Block{api.NewInputBlock("b", plainText("x"), nil, e)}}}
		if checkModal(v) == nil {
			t.Errorf("%s was taken", what)
		}
		v.Blocks.BlockSet, v.Submit = []api.Block{api.NewInputBlock("b", plainText("x"), nil, api.NewRadioButtonsBlockElement("a", one...))}, nil
		if checkModal(v) == nil {
			t.Error("inputs without a submit button were taken")
		}
	}
	for what, v := range map[string]*api.ModalViewRequest{
		"no title":      {Type: api.VTModal, Blocks: api.Blocks{BlockSet: good}},
		"title":         {Type: api.VTModal, Title: plainText(long(maxTitle + 1)), Blocks: api.Blocks{BlockSet: good}},
		"close":         {Type: api.VTModal, Title: plainText("x"), Close: plainText(long(maxTitle + 1)), Blocks: api.Blocks{BlockSet: good}},
		"submit":        {Type: api.VTModal, Title: plainText("x"), Submit: plainText(long(maxTitle + 1)), Blocks: api.Blocks{BlockSet: good}},
		"metadata":      {Type: api.VTModal, Title: plainText("x"), PrivateMetadata: long(maxMetadata + 1), Blocks: api.Blocks{BlockSet: good}},
		"callback":      {Type: api.VTModal, Title: plainText("x"), CallbackID: long(maxID + 1), Blocks: api.Blocks{BlockSet: good}},
		"home as modal": {Type: api.VTHomeTab, Title: plainText("x"), Blocks: api.Blocks{BlockSet: good}},
	} {
		if checkModal(v) == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if checkHome(&api.HomeTabViewRequest{Type: api.VTModal, Blocks: api.Blocks{BlockSet: good}}) == nil {
		t.Error("a modal as home")
	}
}

// hostile is what people may write to do something else than say it.
var hostile = []string{
	"<!channel> <!here> <!everyone> <@U123> <#C123|town> <!subteam^S1> <http://example.org|klik> <!date^1^{date}|x>",
	"&lt;!channel&gt; &amp; &#60;!here&#62; <",
	"*vet* _schuin_ ~weg~ `code` ```hek``` > citaat\n> regel\n```\nhek\n```",
	"http://example.org www.example.org mailto:a@example.org tel:112 a@example.org",
	":fire: :+1: :no_entry_sign: 14:30:15",
	"\u202eomgekeerd\u202c \u2066x\u2069 a\u200bb\u00adc \ufeffd \u0007bel\u2028regel\u0085 \u115f\u3164",
	"\n\n\n  ingesprongen\n\n\n",
	"@channel @here @jan #kanaal /weerklank uit",
	`{"type":"section"} ","blocks":[{"type":"x"}]`,
	strings.Repeat("Een lange zin met <tekens> & meer. ", 290), // 10,000 characters
	strings.Repeat("👩‍👩‍👧‍👦🏽é", 200),
}

// What people write stands as they wrote it, in a quote or plain text, and does nothing.
func TestHostileWords(t *testing.T) {
	for i, text := range hostile {
		for _, kind := range []bot.BlockKind{bot.BlockQuote, bot.BlockText, bot.BlockNote, bot.BlockHeading, bot.BlockList, bot.BlockCode, bot.BlockPoles, bot.BlockPicture} {
			what := fmt.Sprintf("%s %d", kind, i)
			m := said(kind, text)
			m.Blocks[0].PNG = []byte("png")
			_, s := must(t, what, m)
			if want := squeezed(text); !strings.Contains(squeezed(strings.Join(s.words, "")), want) {
				t.Errorf("%s lost words", what)
			}
			if kind == bot.BlockQuote && squeezed(strings.Join(s.said, "")) != squeezed(text) {
				t.Errorf("%s is not whole in its quote", what)
			}
			for _, view := range []func() (any, error){
				func() (any, error) { return messageView(m, stateOf) }, func() (any, error) { return homeView(m, stateOf) },
				func() (any, error) {
					return formView(&bot.Form{Name: "f", Title: text, Submit: "Bewaar", Notice: m.Blocks, Intro: m.Blocks, Fields: []bot.Field{
						{Name: "a", Kind: bot.FieldText, Label: "x", Hint: "y", Value: []string{text}, Max: 1500},
						{Name: "b", Kind: bot.FieldOne, Label: "x", Options: []bot.Option{{Value: "1", Label: text}}}}}, stateOf)
				},
			} {
				v, err := view()
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				s := &shape{}
				s.view(t, v)
				s.fail(t, what)
			}
		}
	}
	r, err := render(bot.Message{Blocks: []bot.Block{bot.Quote("regel een\n\n  regel drie\u202e")}}, "")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(r.Blocks)
	if got := string(raw); !strings.Contains(got, `"rich_text_quote"`) || !strings.Contains(got, `regel een\n\n  regel drie"`) {
		t.Error(got)
	}
}

// Every text of the catalogue, with long names in its holes, is taken in every place where a text may stand.
func TestEveryTextOfTheCatalogue(t *testing.T) {
	for _, lang := range prompts.Langs() {
		for i, key := range locale.Keys() {
			if Raced && i%3 != 0 {
				continue
			}
			if strings.HasPrefix(key, "privacy.") || strings.HasPrefix(key, "cli.") { // pages, and what stands in a terminal
				continue
			}
			text := locale.Text(lang, key)
			for _, hole := range locale.Placeholders(text) {
				text = locale.Fill(text, hole, strings.Repeat("<Wëë&Ω> ", 10))
			}
			for _, kind := range []bot.BlockKind{bot.BlockHeading, bot.BlockText, bot.BlockNote, bot.BlockList, bot.BlockCode} {
				b := bot.Block{Kind: kind, Spans: bot.Rich(text)}
				if kind == bot.BlockCode || kind == bot.BlockNote {
					b.Spans = []bot.Span{{Text: text}}
				}
				what := fmt.Sprintf("%s %s as %s", lang, key, kind)
				_, s := must(t, what, bot.Message{Lang: lang, Blocks: []bot.Block{b, {Kind: bot.BlockActions, Actions: []bot.Action{{Do: "x", Label: text}}}}})
				for _, span := range b.Spans {
					if !strings.Contains(squeezed(strings.Join(s.words, "")), squeezed(span.Text)) {
						t.Errorf("%s lost words", what)
					}
				}
			}
		}
	}
}
