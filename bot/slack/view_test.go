package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// entered is the state that Slack sends if nothing in a view is changed.
func entered(t testing.TB, v any) json.RawMessage {
	t.Helper()
	out := object{}
	for _, b := range list(sent(t, v)["blocks"]) {
		block, _ := b.(object)
		if block["type"] != "input" {
			continue
		}
		e, _ := block["element"].(object)
		value := object{"type": e["type"]}
		switch e["type"] {
		case "plain_text_input":
			value["value"] = e["initial_value"]
		case "radio_buttons", "static_select":
			value["selected_option"] = e["initial_option"]
		default:
			value["selected_options"] = append([]any{}, list(e["initial_options"])...)
		}
		out[block["block_id"].(string)] = object{e["action_id"].(string): value}
	}
	raw, err := json.Marshal(object{"values": out})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// full is a text of n characters with signs that need room.
func full(n int) string {
	return string([]rune(strings.Repeat("Wëët & <ruimte> 👍. ", n/18+1))[:n-1]) + "."
}

// stretched is the library with everything in its prompts as long as it may be.
func stretched(t testing.TB) prompts.Library {
	t.Helper()
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	lib.Tensions = slices.Clone(lib.Tensions)
	for i, tension := range lib.Tensions {
		tension.Label = maps.Clone(tension.Label)
		for _, lang := range prompts.Langs() {
			tension.Label[lang] = fmt.Sprint(i) + full(74)
		}
		lib.Tensions[i] = tension
	}
	lib.Prompts = slices.Clone(lib.Prompts)
	for i, p := range lib.Prompts {
		if len(p.Placeholders) > 0 {
			continue
		}
		p.Words, p.Reviewer = maps.Clone(p.Words), "Reader"
		for lang, w := range p.Words {
			w.Title, w.Text, w.Question, w.Followups = full(75), full(1500), full(1500), []string{full(1500), full(1500)}
			if p.Kind == prompts.Dilemma {
				w.PoleA, w.PoleB, w.ProtectsA, w.ProtectsB = "A"+full(74), "B"+full(74), full(75), full(75)
			}
			p.Words[lang] = w
		}
		lib.Prompts[i] = p
	}
	if err := lib.Validate(); err != nil {
		t.Fatal(err)
	}
	return lib
}

// A whole story with the longest that the library may hold: nothing is refused, and nothing gets lost.
func TestLongestLegalContent(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			chattest.Bubble(t, func(t *testing.T) {
				chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
				firstWeeks(newTheatre(t, lang, func(o *bot.Options) { o.Library = stretched(t) }))
			})
			lives := []string{map[prompts.Lang]string{prompts.Dutch: "fortnightly", prompts.English: "talk-only"}[lang]} // with dilemmas, and with the guide
			switch {
			case os.Getenv("WEERKLANK_LONG") != "":
				lives = []string{"fortnightly", "talk-only"}
			case Raced:
				lives = nil
			}
			for _, rhythm := range lives {
				chattest.Bubble(t, func(t *testing.T) {
					longRun(t, lang, rhythm, 60, func(o *bot.Options) { o.Library = stretched(t) })
				})
			}
		})
	}
}

// filledUp is a form with as much in it as goes in.
func filledUp(form *bot.Form) *bot.Form {
	for i := range form.Fields {
		f := &form.Fields[i]
		if f.Max > 0 {
			f.Value = []string{strings.Repeat("👍", f.Max)} // two units each
		}
		if f.Kind == bot.FieldMany {
			f.Value = nil
			for _, o := range f.Options {
				f.Value = append(f.Value, o.Value)
			}
		}
	}
	return form
}

// Every form of the bot in both languages, for every built-in question and the longest ones, with all that may be in it, is a
// modal that Slack takes and that comes back as it was filled in.
func TestEveryFormIsAModal(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			chattest.Bubble(t, func(t *testing.T) {
				chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
				h := newTheatre(t, lang, nil)
				h.on1("weekly")
				chattest.Until(time.Date(2026, 9, 1, 8, 0, 1, 0, time.UTC))
				r := h.open()
				settings := h.command("p1", h.says("instellingen", "settings")).Form
				checkForm(t, "settings, full", filledUp(settings))
				checkForm(t, "propose", filledUp(h.command("p2", h.says("voorstel", "propose")).Form))
				for _, what := range []string{"bridge-one-more-boat nl", "bridge-one-more-boat", "tension/quality-speed en", "value/integrity nl", "audience/permits nl"} {
					checkForm(t, what, filledUp(h.command("p8", h.says("bibliotheek wijzig ", "library edit ")+what).Form))
				}
				for _, lib := range []prompts.Library{h.o.Library, stretched(t)} {
					if lib.Prompts[0].In(lang).Title != h.o.Library.Prompts[0].In(lang).Title { // they are as long as each other
						lib.Prompts = slices.DeleteFunc(lib.Prompts, func(p prompts.Prompt) bool { return p.Kind != prompts.Dilemma })[:1]
					}
					for i, p := range lib.Prompts {
						if Raced && i%3 != 0 {
							continue
						}
						if err := h.db.UpdateRound(h.ctx, r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
							r.Prompt, r.Adviser = p, strings.Repeat("ë", 150)
							return bot.Also{}, nil
						}); err != nil {
							t.Fatal(err)
						}
						o := h.o
						o.Library = lib
						o.Library.Prompts = []prompts.Prompt{p} // a whole library is looked through for each bot
						o.Library.Tensions = slices.Clone(lib.Tensions)
						for i := range o.Library.Tensions {
							o.Library.Tensions[i].Definitions = nil
						}
						b, err := bot.New(o)
						if err != nil {
							t.Fatal(err)
						}
						got, err := b.Handle(h.ctx, bot.ActionPressed{From: h.fake.From("p2", crew), Action: bot.Action{Do: "answer", Round: r.ID}})
						if err != nil || got.Form == nil {
							t.Fatal(got, err)
						}
						checkForm(t, string(p.ID), got.Form)
						got.Form.Fields[0].Value = []string{strings.TrimSpace(strings.Repeat("👍 ", 750))}
						checkForm(t, string(p.ID)+", long answer", got.Form)
						got.Form.Fields[0].Value = []string{strings.TrimSpace(strings.Repeat("woordje ë ", 400))}
						checkForm(t, string(p.ID)+", more than a field takes", got.Form)
					}
				}
			})
		})
	}
}

// sayKey finds the texts that the bot takes for titles and submit buttons.
var sayKey = regexp.MustCompile(`say\("([a-z.-]+)"`)

// What stands in the bar of a modal and on its buttons has 24 characters; Dutch is tight.
func TestTitlesAndSubmitsFit(t *testing.T) {
	keys := []string{"slack.title", "slack.close"}
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			if strings.HasSuffix(name, "_test.go") || !regexp.MustCompile(`\b(Title|Submit)\b`).MatchString(line) {
				continue
			}
			for _, m := range sayKey.FindAllStringSubmatch(line, -1) {
				if !strings.HasPrefix(m[1], "giveback.") { // headings of messages
					keys = append(keys, m[1])
				}
			}
		}
	}
	if len(keys) < 11 {
		t.Errorf("only %v", keys)
	}
	for _, key := range keys {
		for _, lang := range prompts.Langs() {
			if text := locale.Text(lang, key); weight(text) > maxTitle || text == key {
				t.Errorf("%s %s: %q", lang, key, text)
			}
		}
	}
}

func sample() *bot.Form {
	ab := []bot.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}
	return &bot.Form{Name: "x", State: "s", Lang: prompts.Dutch, Title: "Titel", Submit: "Ja",
		Notice: []bot.Block{bot.Text(bot.Span{Text: "Eerst dit"}), buttons("weg")}, Intro: []bot.Block{bot.Note("inleiding"), buttons("ook weg")},
		Fields: []bot.Field{
			{Name: "text", Kind: bot.FieldText, Label: "Tekst", Hint: "uitleg", Max: 1500}, {Name: "line", Kind: bot.FieldLine, Label: "Regel", Required: true},
			{Name: "one", Kind: bot.FieldOne, Label: "Een", Options: ab}, {Name: "many", Kind: bot.FieldMany, Label: "Meer", Options: ab},
			{Name: "tick", Kind: bot.FieldTick, Label: "Vink", Required: true},
		}, Extra: []bot.Action{{Do: "withdraw", Round: "R", Label: "Trek in"}}}
}

func stateFor(t testing.TB, v *api.ModalViewRequest) viewState {
	t.Helper()
	st, err := readState(v.PrivateMetadata)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A form has its notice first, one input for each field, nothing chosen beforehand, and its extra actions last.
func TestForm(t *testing.T) {
	v, err := formView(sample(), stateOf)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := viewText(t, v), "[Titel]\nEerst dit\n---\n~ inleiding\n? Tekst (uitleg) <plain_text_input 1500>\n? Regel * <plain_text_input 3000>\n"+
		"? Een <radio_buttons>\n  o A\n  o B\n? Meer <checkboxes>\n  o A\n  o B\n? Vink * <checkboxes>\n  o Ja\n[Trek in] \n[Sluiten] [Ja]\n"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	raw, _ := json.Marshal(v)
	for _, sign := range []string{"initial_", `"verbatim":false`, `"mrkdwn"`, `"emoji":true`} {
		if strings.Contains(string(raw), sign) {
			t.Errorf("%s in %s", sign, raw)
		}
	}
	if !strings.Contains(string(raw), `"multiline":true`) || strings.Count(string(raw), `"optional":true`) != 3 {
		t.Errorf("%s", raw)
	}
	f := sample()
	f.Fields[0].Value, f.Fields[2].Value, f.Fields[3].Value, f.Fields[4].Value = []string{"een\ntwee"}, []string{"b"}, []string{"b", "a", "z"}, []string{"yes"}
	checkForm(t, "filled", f)
	f.Fields[2].Value = []string{"z"}
	checkForm(t, "chosen and not offered", f)
	var many []bot.Option
	for i := range 101 {
		many = append(many, bot.Option{Value: fmt.Sprint(i), Label: fmt.Sprintf("Keuze %d", i)})
	}
	for _, n := range []int{1, 10, 11, 100, 101} {
		for _, kind := range []bot.FieldKind{bot.FieldOne, bot.FieldMany} {
			f := &bot.Form{Name: "x", Lang: prompts.English, Title: "Title", Submit: "Yes", Fields: []bot.Field{{Name: "f", Kind: kind, Label: "F", Options: many[:n], Value: []string{"0"}}}}
			v, err := formView(f, stateOf)
			if (err != nil) != (n > maxSelect) {
				t.Errorf("%d of %s: %v", n, kind, err)
			}
			element := string(v.Blocks.BlockSet[0].(*api.InputBlock).Element.ElementType())
			if want := map[bool]string{true: "select", false: "o"}[n > maxPicks]; !strings.Contains(element, want) || n <= maxPicks && strings.Contains(element, "select") {
				t.Errorf("%d of %s is %s", n, kind, element)
			}
			if err == nil {
				checkForm(t, fmt.Sprint(n), f)
			}
		}
	}
	long := &bot.Form{Name: "x", Lang: prompts.English, Title: strings.Repeat("long ", 10), Submit: "Yes", Fields: []bot.Field{
		{Name: "f", Kind: bot.FieldOne, Label: "F", Options: []bot.Option{{Value: "a", Label: strings.Repeat("first ", 15)}, {Value: "b", Label: strings.Repeat("second ", 15)}}}}}
	if v, err = formView(long, stateOf); err != nil {
		t.Fatal(err)
	}
	got := viewText(t, v)
	for _, want := range []string{"[long long long long…]", strings.TrimSpace(long.Title), "1. " + strings.TrimSpace(strings.Repeat("first ", 15)), "o 1. first first", "<static_select>", "…\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for what, f := range map[string]*bot.Form{
		"kind":  {Name: "x", Title: "T", Submit: "S", Fields: []bot.Field{{Name: "f", Kind: "date", Label: "F"}}},
		"label": {Name: "x", Title: "T", Submit: "S", Fields: []bot.Field{{Name: "f", Kind: bot.FieldText}}},
		"name":  {Name: "x", Title: "T", Submit: "S", Fields: []bot.Field{{Kind: bot.FieldText, Label: "F"}}},
		"twice": {Name: "x", Title: "T", Submit: "S", Fields: []bot.Field{{Name: "f", Kind: bot.FieldText, Label: "F"}, {Name: "f", Kind: bot.FieldLine, Label: "F"}}},
		"title": {Name: "x", Submit: "S", Fields: []bot.Field{{Name: "f", Kind: bot.FieldText, Label: "F"}}},
		"none":  {Name: "x", Title: "T", Fields: []bot.Field{{Name: "f", Kind: bot.FieldText, Label: "F"}}},
		"state": {Name: "x", Title: "T", Submit: "S", State: strings.Repeat("s", 3000), Fields: []bot.Field{{Name: "f", Kind: bot.FieldText, Label: "F"}}},
		"one":   {Name: "x", Title: "T", Submit: "S", Fields: []bot.Field{{Name: "f", Kind: bot.FieldOne, Label: "F"}}},
	} {
		if _, err := formView(f, stateOf); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

// A submission is read by what its form had; what is none of it is dropped, whatever it looks like.
func TestValues(t *testing.T) {
	v, err := formView(sample(), stateOf)
	if err != nil {
		t.Fatal(err)
	}
	st := stateFor(t, v)
	at := func(field, value string) string {
		return fmt.Sprintf(`"field-0-%s":{"value-0-%s":%s}`, field, field, value)
	}
	none := map[string][]string{"text": {""}, "line": {""}}
	for _, c := range []struct {
		name, sent string
		want       map[string][]string
	}{
		{"all", "{" + strings.Join([]string{
			at("text", `{"type":"plain_text_input","value":"een\ntwee"}`), at("line", `{"value":" a \n b "}`), at("one", `{"selected_option":{"text":{"type":"plain_text","text":"B"},"value":"b"}}`),
			at("many", `{"selected_options":[{"value":"b"},{"value":"a"},{"value":"b"}]}`), at("tick", `{"selected_options":[{"value":"yes"}]}`)}, ",") + "}",
			map[string][]string{"text": {"een\ntwee"}, "line": {"a b"}, "one": {"b"}, "many": {"b", "a"}, "tick": {"yes"}}},
		{"nothing", "", none}, {"no values", `{"value":{}}`, none}, {"odd values", `{"values":[7]}`, none}, {"null", "null", none}, {"no object", "[1]", none}, {"empty", "{}", none},
		{"nulls", "{" + at("text", `{"value":null}`) + "," + at("one", `{"selected_option":null}`) + "," + at("many", `{"selected_options":null}`) + "}", none},
		{"other types", "{" + at("text", `{"value":7}`) + "," + at("one", `{"selected_option":"a"}`) + "," + at("many", `{"selected_options":{"value":"a"}}`) + "," + at("tick", `true`) + "}", none},
		{"other ids", `{"field-1-text":{"value-0-text":{"value":"x"}},"field-0-text":{"value-1-text":{"value":"x"}},"text":{"text":{"value":"x"}}}`, none},
		{"no tick", "{" + at("tick", `{"selected_options":[{"value":"no"}]}`) + "}", none},
		{"more than the form had", "{" + at("other", `{"value":"x"}`) + "}", none},
	} {
		if strings.HasPrefix(c.sent, "{") && !strings.HasPrefix(c.sent, `{"value`) {
			c.sent = `{"values":` + c.sent + `}`
		}
		if got := st.values(json.RawMessage(c.sent)); !maps.EqualFunc(got, c.want, slices.Equal[[]string]) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What comes after a form: errors at their fields, another view where there is more to say, nothing where all is said.
func TestAfterSubmitting(t *testing.T) {
	v, err := formView(sample(), stateOf)
	if err != nil {
		t.Fatal(err)
	}
	st := stateFor(t, v)
	again := sample()
	again.Notice = nil
	struck := sample()
	struck.Notice, struck.Extra = nil, append(struck.Extra, bot.Action{Do: "strike", Label: "Streep weg"})
	message := &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Heading("Bewaard, zonder naam"), bot.Text(bot.Span{Text: "Dank"})}}
	for _, c := range []struct {
		name string
		r    bot.Response
		want string
	}{
		{"errors", bot.Response{Errors: map[string]string{"text": "leeg", "one": "kies"}}, "errors map[field-0-one:kies field-0-text:leeg]"},
		{"the same form with errors", bot.Response{Form: again, Errors: map[string]string{"text": "leeg"}}, "errors map[field-0-text:leeg]"},
		{"with another button", bot.Response{Form: struck, Errors: map[string]string{"text": "leeg"}}, "update [Titel]"},
		{"with a notice", bot.Response{Form: sample(), Errors: map[string]string{"text": "leeg"}}, "update [Titel]"},
		{"with an error of no field", bot.Response{Form: again, Errors: map[string]string{"text": "leeg", "who": "x"}}, "update [Titel]"},
		{"another form", bot.Response{Form: &bot.Form{Name: "y", Title: "Ander", Submit: "Ja", Intro: []bot.Block{bot.Note("x")}}}, "update [Ander]"},
		{"a message", bot.Response{Message: message, Kept: true}, "update [Bewaard, zonder naam]"},
		{"only an error of no field", bot.Response{Errors: map[string]string{"who": "x"}}, "update [Weerklank]"},
		{"nothing", bot.Response{Kept: true}, "clear"},
	} {
		a, err := submitAnswer(c.r, st)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := string(a.ResponseAction)
		switch {
		case a.View != nil:
			got += " [" + a.View.Title.Text + "]"
			if next := stateFor(t, a.View); next.Turn != 1 || next.Team != st.Team || next.Nonce != st.Nonce {
				t.Errorf("%s: %+v", c.name, next)
			}
		case a.Errors != nil:
			got += " " + fmt.Sprint(a.Errors)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if raw, err := json.Marshal(a); err != nil || len(raw) >= 20<<10 {
			t.Errorf("%s: an acknowledgement of %d bytes %v", c.name, len(raw), err)
		}
	}
	if v, err := answerView(bot.Response{}, st); v != nil || err != nil {
		t.Error(v, err)
	}
	next, err := answerView(bot.Response{Form: struck, Errors: map[string]string{"text": "leeg", "who": "wie"}}, st)
	if err != nil {
		t.Fatal(err)
	}
	if got := viewText(t, next); !strings.HasPrefix(got, "[Titel]\n**Nog niet goed:**\n1. Tekst: leeg\n2. wie\n---\n") {
		t.Error(got)
	}
	if next.Blocks.BlockSet[4].ID() != stateFor(t, next).block("text") {
		t.Error("a new turn has the blocks of the old one")
	}
}

// What stands in a modal before there is something to show, and as App Home.
func TestGoldenViews(t *testing.T) {
	var out strings.Builder
	for _, lang := range prompts.Langs() {
		for _, view := range []func(prompts.Lang, viewState) (*api.ModalViewRequest, error){waitingView, savingView} {
			v, err := view(lang, stateOf)
			if err != nil {
				t.Fatal(err)
			}
			s := &shape{}
			s.view(t, v)
			s.fail(t, "waiting")
			out.WriteString(viewText(t, v) + "\n")
		}
		m := bot.Message{Lang: lang, Blocks: []bot.Block{bot.Heading("Weerklank"), bot.Text(bot.Rich("Een **open** vraag")...), buttons("Antwoord zonder naam"),
			{Kind: bot.BlockPicture, PNG: []byte("png"), Spans: []bot.Span{{Text: "Een boom"}}}}}
		h, err := homeView(m, stateOf)
		if err != nil {
			t.Fatal(err)
		}
		s := &shape{}
		s.view(t, h)
		s.fail(t, "home")
		out.WriteString("home\n" + drawn(list(sent(t, h)["blocks"])) + "\n")
		v, err := messageView(m, stateOf)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(viewText(t, v) + "\n")
		if p, err := readPress(h.Blocks.BlockSet[2].(*api.ActionBlock).Elements.ElementSet[0].(*api.ButtonBlockElement).Value); err != nil || p.Do != "answer" {
			t.Error(p, err)
		}
	}
	golden(t, "views.md", out.String())
}

// A view tells what it is about, and nothing of whom it is for; what was not written by us is not read.
func TestState(t *testing.T) {
	for f := range reflect.TypeFor[viewState]().Fields() {
		if !slices.Contains(strings.Fields("Version Step Team Lang Form State Fields Extra Turn Key Nonce"), f.Name) {
			t.Errorf("a view holds %s", f.Name)
		}
	}
	good := compact(viewState{Version: 1, Step: stepForm, Lang: "nl", Nonce: "n", Form: "reply"})
	if st, err := readState(good); err != nil || st.Form != "reply" {
		t.Fatal(st, err)
	}
	for _, bad := range []string{
		"", "{}", "null", good + " ", strings.Replace(good, `"v":1`, `"v":2`, 1), strings.Replace(good, "form", "other", 1), strings.Replace(good, `"n":"n"`, `"n":""`, 1),
		strings.Replace(good, `{`, `{"u":"U1",`, 1), strings.ToUpper(good), strings.Replace(good, `"n":"n"`, `"c":-1,"n":"n"`, 1), strings.Repeat("{", 100_000),
	} {
		if st, err := readState(bad); !errors.Is(err, errValue) || !reflect.DeepEqual(st, viewState{}) {
			t.Errorf("%.40q was read as %+v", bad, st)
		}
	}
}

// Many quotes share blocks where each would not get its own.
func TestManyQuotes(t *testing.T) {
	m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Heading("Alles")}}
	for i := range 150 {
		m.Blocks = append(m.Blocks, bot.Quote(fmt.Sprintf("Antwoord %d met een aantal woorden erin.", i)))
	}
	m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockPicture, PNG: []byte("png"), Spans: []bot.Span{{Text: "Een boom"}}})
	r, s := must(t, "150 quotes", m)
	if len(s.said) != 150 {
		t.Errorf("%d quotes", len(s.said))
	}
	if b, ok := r.Blocks[len(r.Blocks)-1].(*api.ImageBlock); !ok || b.SlackFile.ID != "F123" {
		t.Error("the picture lost its place")
	}
}

var kinds = []bot.BlockKind{bot.BlockHeading, bot.BlockText, bot.BlockQuote, bot.BlockPoles, bot.BlockList, bot.BlockCode, bot.BlockNote, bot.BlockActions, bot.BlockPicture, "new"}

// anything makes a message of some bytes: a kind, a style and a text for each piece.
func anything(raw string) bot.Message {
	m := bot.Message{Lang: prompts.English}
	for part := range strings.SplitSeq(raw, "\x00") {
		if len(part) < 2 {
			continue
		}
		b := bot.Block{Kind: kinds[int(part[0])%len(kinds)]}
		style, text := part[1], part[2:]
		for i, s := range strings.Split(text, "\x01") {
			b.Spans = append(b.Spans, bot.Span{Text: s, Strong: style>>(i%3)&1 == 1, Person: style>>(i%3+3)&1 == 1})
			if b.Kind == bot.BlockActions {
				b.Actions = append(b.Actions, bot.Action{Do: "x", Arg: s, Label: s, Main: style&1 == 1})
			}
		}
		if b.Kind == bot.BlockActions {
			b.Spans = nil
		}
		if b.Kind == bot.BlockPicture && style&1 == 1 {
			b.PNG = []byte(text)
		}
		m.Blocks = append(m.Blocks, b)
	}
	return m
}

// FuzzRender: any message is refused, or taken by the table and the shape of Block Kit, whole and without anything alive.
func FuzzRender(f *testing.F) {
	for i := range kinds {
		for _, text := range hostile[:9] {
			f.Add(fmt.Sprintf("%c\x09%s\x01%s\x00%c\x02%s", rune('0'+i), text, text, rune('1'+i), text))
		}
	}
	f.Add(strings.Repeat("2\x08<&> e\u0301 👍", 300))
	f.Fuzz(func(t *testing.T, raw string) {
		m := anything(raw)
		if r, err := render(m, "key"); err == nil {
			for i := range r.Pictures {
				r.place(i, "F1")
			}
			s := &shape{}
			s.message(t, r.Text, r.Blocks)
			s.fail(t, "message")
			if err := r.check(); err != nil {
				t.Error(err)
			}
			all := squeezed(strings.Join(s.words, ""))
			for _, b := range m.Blocks {
				for _, span := range b.Spans {
					if !strings.Contains(all, squeezed(span.Text)) && b.Kind != bot.BlockPoles {
						t.Errorf("%q is lost", span.Text)
					}
				}
			}
		}
		if v, err := messageView(m, stateOf); err == nil {
			s := &shape{}
			s.view(t, v)
			s.fail(t, "modal")
		}
		if v, err := homeView(m, stateOf); err == nil {
			s := &shape{}
			s.view(t, v)
			s.fail(t, "home")
		}
		text := strings.ReplaceAll(raw, "\x00", "")
		form := &bot.Form{Name: "f", State: text, Lang: prompts.Dutch, Title: text, Submit: text, Notice: m.Blocks, Intro: m.Blocks, Fields: []bot.Field{
			{Name: "a", Kind: bot.FieldText, Label: text, Hint: text, Value: []string{text}, Max: len(raw) % 4000},
			{Name: text, Kind: bot.FieldOne, Label: "x", Options: []bot.Option{{Value: "1", Label: text}, {Value: text, Label: "x"}}, Value: []string{text}},
			{Name: "b", Kind: bot.FieldMany, Label: "x", Options: []bot.Option{{Value: "1", Label: text}}, Value: []string{"1", text}}},
			Extra: []bot.Action{{Do: "x", Label: text}}}
		if v, err := formView(form, stateOf); err == nil {
			s := &shape{}
			s.view(t, v)
			s.fail(t, "form")
			st := stateFor(t, v)
			if got := st.values(entered(t, v)); form.Fields[0].Name != form.Fields[1].Name && !slices.Equal(got["b"], []string{"1"}) {
				t.Errorf("%v", got)
			}
		}
	})
}

// FuzzReadValue: a button's value of any bytes is refused, or is what this program would write.
func FuzzReadValue(f *testing.F) {
	for _, s := range []string{`{"v":1,"d":"answer","r":"R","a":"x","l":"L","w":"1","k":"key"}`, `{"v":1}`, `{"v":1,"d":"x","d":"y"}`, "null", `{"v":1,"d":"\ud800"}`, "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, err := readPress(value)
		if err != nil {
			if p != (press{}) {
				t.Errorf("%+v", p)
			}
			return
		}
		if p.Do == "" || p.Version != valueVersion || compact(p) != value || !utf8.ValidString(value) {
			t.Errorf("%q was read as %+v", value, p)
		}
	})
}

// FuzzReadState: private_metadata of any bytes is refused, or is what this program would write.
func FuzzReadState(f *testing.F) {
	f.Add(compact(viewState{Version: 1, Step: stepForm, Lang: "nl", Nonce: "n", Fields: []fieldSpec{{"a", bot.FieldText}}, Extra: []string{"x"}, Turn: 3}), "{}")
	f.Add(`{"v":1,"s":"home","l":"nl","n":"x"}`, `{"values":{"field-0-a":{"value-0-a":{"value":"x","selected_option":{"value":"y"}}}}}`)
	f.Add("null", "[[[")
	f.Fuzz(func(t *testing.T, metadata, values string) {
		st, err := readState(metadata)
		if err == nil && (compact(st) != metadata || st.Nonce == "" || st.Turn < 0) {
			t.Errorf("%q was read as %+v", metadata, st)
		}
		st.Fields = append(st.Fields, fieldSpec{"a", bot.FieldText}, fieldSpec{"b", bot.FieldOne}, fieldSpec{"c", bot.FieldMany}, fieldSpec{"d", bot.FieldTick}, fieldSpec{"e", "new"})
		got := st.values(json.RawMessage(values))
		if len(got["a"]) != 1 || len(got["b"]) > 1 || len(got["d"]) > 1 || len(got["e"]) > 0 {
			t.Errorf("%q gave %v", values, got)
		}
	})
}
