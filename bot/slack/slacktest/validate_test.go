package slacktest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// TestLimits holds every limit: what is at the limit passes, one more does not.
func TestLimits(t *testing.T) {
	t.Parallel()
	a := func(n int) string { return strings.Repeat("a", n) }
	text := func(n int) string { return `{"type":"plain_text","text":"` + a(n) + `"}` }
	list := func(n int, one func(i int) string) string {
		var out []string
		for i := range n {
			out = append(out, one(i))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	button := func(more string) string {
		return `[{"type":"actions","elements":[{"type":"button","text":` + text(1) + more + `}]}]`
	}
	input := func(element string) string {
		return `[{"type":"input","label":` + text(1) + `,"element":` + element + `}]`
	}
	option := func(i int) string { return fmt.Sprintf(`{"text":%s,"value":"v%d"}`, text(5), i) }
	confirm := func(title, body, yes int) string {
		return `,"confirm":{"title":` + text(title) + `,"text":` + text(body) + `,"confirm":` + text(yes) + `,"deny":` + text(yes) + `}`
	}
	for name, c := range map[string]struct {
		most int
		json func(n int) string
	}{
		"section": {3000, func(n int) string { return `[{"type":"section","text":` + text(n) + `}]` }},
		"field":   {2000, func(n int) string { return `[{"type":"section","fields":[` + text(n) + `]}]` }},
		"fields": {10, func(n int) string {
			return `[{"type":"section","fields":` + list(n, func(int) string { return text(1) }) + `}]`
		}},
		"header": {150, func(n int) string { return `[{"type":"header","text":` + text(n) + `}]` }},
		"context": {10, func(n int) string {
			return `[{"type":"context","elements":` + list(n, func(int) string { return text(1) }) + `}]`
		}},
		"block_id": {255, func(n int) string { return `[{"type":"divider","block_id":"` + a(n) + `"}]` }},
		"actions": {25, func(n int) string {
			return `[{"type":"actions","elements":` + list(n, func(int) string { return `{"type":"button","text":` + text(1) + `}` }) + `}]`
		}},
		"button": {75, func(n int) string {
			return `[{"type":"actions","elements":[{"type":"button","text":` + text(n) + `}]}]`
		}},
		"action_id":     {255, func(n int) string { return button(`,"action_id":"` + a(n) + `"`) }},
		"value":         {2000, func(n int) string { return button(`,"value":"` + a(n) + `"`) }},
		"url":           {3000, func(n int) string { return button(`,"url":"` + a(n) + `"`) }},
		"label":         {75, func(n int) string { return button(`,"accessibility_label":"` + a(n) + `"`) }},
		"confirm title": {100, func(n int) string { return button(confirm(n, 1, 1)) }},
		"confirm text":  {300, func(n int) string { return button(confirm(1, n, 1)) }},
		"confirm yes":   {30, func(n int) string { return button(confirm(1, 1, n)) }},
		"select":        {100, func(n int) string { return input(`{"type":"static_select","options":` + list(n, option) + `}`) }},
		"radio":         {10, func(n int) string { return input(`{"type":"radio_buttons","options":` + list(n, option) + `}`) }},
		"checkboxes":    {10, func(n int) string { return input(`{"type":"checkboxes","options":` + list(n, option) + `}`) }},
		"overflow": {5, func(n int) string {
			return `[{"type":"section","text":` + text(1) + `,"accessory":{"type":"overflow","options":` + list(n, option) + `}}]`
		}},
		"option": {75, func(n int) string {
			return input(`{"type":"radio_buttons","options":[{"text":` + text(n) + `,"value":"v"}]}`)
		}},
		"option value": {150, func(n int) string {
			return input(`{"type":"radio_buttons","options":[{"text":` + text(1) + `,"value":"` + a(n) + `"}]}`)
		}},
		"description": {75, func(n int) string {
			return input(`{"type":"radio_buttons","options":[{"text":` + text(1) + `,"value":"v","description":` + text(n) + `}]}`)
		}},
		"placeholder": {150, func(n int) string { return input(`{"type":"plain_text_input","placeholder":` + text(n) + `}`) }},
		"max_length":  {3000, func(n int) string { return input(fmt.Sprintf(`{"type":"plain_text_input","max_length":%d}`, n)) }},
		"initial": {10, func(n int) string {
			return input(`{"type":"plain_text_input","max_length":10,"initial_value":"` + a(n) + `"}`)
		}},
		"input label": {2000, func(n int) string {
			return `[{"type":"input","label":` + text(n) + `,"element":{"type":"plain_text_input"}}]`
		}},
		"hint": {2000, func(n int) string {
			return `[{"type":"input","label":` + text(1) + `,"hint":` + text(n) + `,"element":{"type":"plain_text_input"}}]`
		}},
		"alt_text": {2000, func(n int) string { return `[{"type":"image","image_url":"https://x","alt_text":"` + a(n) + `"}]` }},
		"blocks":   {50, func(n int) string { return list(n, func(int) string { return `{"type":"divider"}` }) }},
	} {
		if p := slacktest.CheckBlocks("message", c.json(c.most)); len(p) > 0 {
			t.Errorf("%s of %d: %v", name, c.most, p)
		}
		if p := slacktest.CheckBlocks("message", c.json(c.most+1)); len(p) == 0 {
			t.Errorf("%s of %d passed", name, c.most+1)
		}
	}
	for surface, most := range map[string]int{"modal": 100, "home": 100} {
		blocks := func(n int) string { return list(n, func(int) string { return `{"type":"divider"}` }) }
		if len(slacktest.CheckBlocks(surface, blocks(most))) > 0 || len(slacktest.CheckBlocks(surface, blocks(most+1))) == 0 {
			t.Errorf("blocks of a %s", surface)
		}
	}
	view := func(title, submit, close, meta, id int) string {
		return `{"type":"modal","title":` + text(title) + `,"submit":` + text(submit) + `,"close":` + text(close) + `,"private_metadata":"` + a(meta) +
			`","callback_id":"` + a(id) + `","external_id":"` + a(id) + `","blocks":[]}`
	}
	if p := slacktest.CheckView(view(24, 24, 24, 3000, 255)); len(p) > 0 {
		t.Error(p)
	}
	if p := slacktest.CheckView(view(25, 25, 25, 3001, 256)); len(p) != 6 {
		t.Error(p)
	}
	if p := slacktest.CheckMessage(`{"text":"` + a(40001) + `"}`); len(p) != 1 {
		t.Error(p)
	}
	long := list(5, func(int) string { return `{"type":"section","text":` + text(2700) + `}` })
	if p := slacktest.CheckMessage(`{"blocks":` + long + `}`); len(p) != 1 || p[0].Code != "msg_blocks_too_long" {
		t.Error(p)
	}
	if p := slacktest.CheckBlocks("message", `[{"type":"header","text":{"type":"plain_text","text":"`+strings.Repeat("😀", 76)+`"}}]`); len(p) != 1 {
		t.Errorf("in UTF-16 units: %v", p)
	}
}

// TestShapes holds what is refused whatever its size.
func TestShapes(t *testing.T) {
	t.Parallel()
	const label = `"label":{"type":"plain_text","text":"x"}`
	const txt = `{"type":"plain_text","text":"x"}`
	for _, bad := range []string{
		`{}`, `[7]`, `[{}]`, `[{"type":"hologram"}]`, `[{"type":"section"}]`, `[{"type":"section","text":"x"}]`, `[{"type":"section","text":{"type":"html","text":"x"}}]`,
		`[{"type":"section","text":{"type":"plain_text","text":""}}]`, `[{"type":"section","text":{"type":"plain_text","text":"x","verbatim":true}}]`,
		`[{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}]`, `[{"type":"section","text":` + txt + `,"color":"red"}]`,
		`[{"type":"section","fields":[]}]`, `[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`, `[{"type":"actions","elements":[]}]`,
		`[{"type":"actions","elements":[{"type":"button"}]}]`, `[{"type":"actions","elements":[{"type":"plain_text_input"}]}]`,
		`[{"type":"actions","elements":[{"type":"button","text":` + txt + `,"style":"blue"}]}]`,
		`[{"type":"actions","elements":[{"type":"button","text":{"type":"mrkdwn","text":"x"}}]}]`,
		`[{"type":"actions","elements":[{"type":"button","text":` + txt + `,"action_id":"a"},{"type":"button","text":` + txt + `,"action_id":"a"}]}]`,
		`[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, `[{"type":"context","elements":[{"type":"button","text":` + txt + `}]}]`,
		`[{"type":"input","element":{"type":"plain_text_input"}}]`, `[{"type":"input",` + label + `}]`, `[{"type":"input",` + label + `,"element":{"type":"button","text":` + txt + `}}]`,
		`[{"type":"input",` + label + `,"element":{"type":"radio_buttons","options":[]}}]`,
		`[{"type":"input",` + label + `,"element":{"type":"radio_buttons","options":[{"text":` + txt + `,"value":"a"},{"text":` + txt + `,"value":"a"}]}}]`,
		`[{"type":"input",` + label + `,"element":{"type":"radio_buttons","options":[{"text":` + txt + `,"value":"a"}],"initial_option":{"text":` + txt + `,"value":"b"}}}]`,
		`[{"type":"input",` + label + `,"element":{"type":"static_select","options":[{"text":{"type":"mrkdwn","text":"x"},"value":"a"}]}}]`,
		`[{"type":"input",` + label + `,"element":{"type":"static_select"}}]`, `[{"type":"input",` + label + `,"element":{"type":"plain_text_input","min_length":5,"max_length":4}}]`,
		`[{"type":"input",` + label + `,"element":{"type":"plain_text_input","multiline":"yes"}}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_poem","elements":[]}]}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_quote","elements":[{"type":"text","text":""}]}]}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_list","elements":[]}]}]`, `[{"type":"image","alt_text":"x"}]`, `[{"type":"image","image_url":"https://x"}]`,
		`[{"type":"alert","text":` + txt + `}]`, `[{"type":"table","rows":[]}]`,
	} {
		if p := slacktest.CheckBlocks("message", bad); len(p) == 0 {
			t.Errorf("passed: %s", bad)
		}
	}
	for _, good := range []string{
		`[]`, `[{"type":"section","text":{"type":"mrkdwn","text":"*x*","verbatim":true}}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_quote","elements":[{"type":"text","text":"x","style":{"bold":true}}]},{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"emoji","name":"x"}]}]}]}]`,
		`[{"type":"input",` + label + `,"element":{"type":"radio_buttons","options":[{"text":` + txt + `,"value":"a"}],"initial_option":{"text":` + txt + `,"value":"a"}}}]`,
		`[{"type":"section","text":` + txt + `,"accessory":{"type":"image","image_url":"https://x","alt_text":"x"}}]`,
	} {
		if p := slacktest.CheckBlocks("message", good); len(p) > 0 {
			t.Errorf("%v: %s", p, good)
		}
	}
	for _, bad := range []string{
		`[]`, `{"type":"modal","blocks":[]}`, `{"type":"modal","title":` + txt + `}`, `{"type":"page","title":` + txt + `,"blocks":[]}`,
		`{"type":"home","title":` + txt + `,"blocks":[]}`, `{"type":"modal","title":` + txt + `,"blocks":[{"type":"input",` + label + `,"element":{"type":"plain_text_input"}}]}`,
		`{"type":"modal","title":` + txt + `,"blocks":[],"channel":"C1"}`, `{"type":"modal","title":{"type":"mrkdwn","text":"x"},"blocks":[]}`,
	} {
		if p := slacktest.CheckView(bad); len(p) == 0 {
			t.Errorf("passed: %s", bad)
		}
	}
	for _, bad := range []string{`{}`, `[]`, `{"text":7}`, `{"text":"x","metadata":{"event_type":"a"}}`, `{"text":"x","attachments":[{"colour":"red"}]}`} {
		if p := slacktest.CheckMessage(bad); len(p) == 0 {
			t.Errorf("passed: %s", bad)
		}
	}
}

func TestBlocksValidate(t *testing.T) {
	w := build(t, slacktest.Options{Scopes: []string{}})
	view, err := json.Marshal(form("Goed"))
	w.ok("json", err)
	_, body := w.post("blocks.validate", "application/json; charset=utf-8", w.s.BotToken(), `{"view":`+string(view)+`}`)
	if !strings.Contains(body, `"ok":true`) {
		t.Error(body)
	}
	_, body = w.post("blocks.validate", "application/json; charset=utf-8", w.s.BotToken(), `{"view":`+strings.Replace(string(view), "Goed", strings.Repeat("a", 25), 1)+`}`)
	if !strings.Contains(body, `"errors":[{"pointer":"/view/title/text","code":"too_long","message":"must be less than 25 characters"}]`) {
		t.Error(body)
	}
	_, body = w.post("blocks.validate", "application/json; charset=utf-8", w.s.BotToken(), `{"blocks":[{"type":"divider"}],"message":{}}`)
	if !strings.Contains(body, "invalid_arguments") {
		t.Error(body)
	}
}

// What the library builds passes.
func TestLibraryBlocksPass(t *testing.T) {
	t.Parallel()
	quote := slack.NewRichTextBlock("q", &slack.RichTextQuote{Type: slack.RTEQuote, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement("woorden", nil)}})
	b, err := json.Marshal(append(prompt(), quote, slack.NewContextBlock("", mrkdwn("x")), slack.NewHeaderBlock(plain("Kop")), slack.NewDividerBlock()))
	if err != nil {
		t.Fatal(err)
	}
	if p := slacktest.CheckBlocks("message", string(b)); len(p) > 0 {
		t.Errorf("%v in %s", p, b)
	}
	if b, err = json.Marshal(form("Goed")); err != nil {
		t.Fatal(err)
	}
	if p := slacktest.CheckView(string(b)); len(p) > 0 {
		t.Errorf("%v in %s", p, b)
	}
}

// FuzzCheck holds that nothing that a bot sends can break the server.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"},"confirm":7}]}]`, `[null]`, `{"blocks":[{"type":7}]}`,
		`[{"type":"input","label":7,"element":{"type":"static_select","options":[7,{}],"initial_option":[]}}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_list","elements":[{"type":"rich_text_section","elements":[7,{}]}]}]}]`,
		`{"type":"modal","title":7,"blocks":{"a":[]}}`, `{"text":[],"attachments":[{"blocks":[[]]}],"metadata":[]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, in string) {
		slacktest.CheckBlocks("modal", in)
		slacktest.CheckView(in)
		slacktest.CheckMessage(in)
		var m slacktest.Message
		if json.Unmarshal([]byte(in), &m.Blocks) == nil {
			m.Seen()
			slacktest.Controls(m)
			slacktest.Live(m)
		}
	})
}
