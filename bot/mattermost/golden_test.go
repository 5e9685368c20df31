package mattermost

import (
	"fmt"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// What a team reads in the course of a round as the server gets it, without a listener and with one; and the dialogs.
func TestGoldenMessages(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 11)
			chattest.Bubble(t, func(t *testing.T) { goldenMessages(t, lang) })
		})
	}
}

func goldenMessages(t *testing.T, lang prompts.Lang) {
	h := newHouse(t, lang, true)
	var out strings.Builder
	show := func(what string, m bot.Message, direct bool) {
		t.Helper()
		text, err := renderText(m, false, direct)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		fmt.Fprintf(&out, "=== %s\n%s\n\n", what, shown(text))
		if with, err := renderText(m, true, false); err != nil {
			t.Errorf("%s with buttons: %v", what, err)
		} else if actions := actionsOf(m); !direct && len(actions) > 0 {
			var labels []string
			for _, a := range actions {
				labels = append(labels, "["+a.Label+"]")
			}
			fmt.Fprintf(&out, "=== %s, with buttons\n%s\n%s\n\n", what, shown(with), strings.Join(labels, " "))
		}
	}
	r := h.open()
	ctx := t.Context()
	heard := 0
	channel := func(what string) {
		synctest.Wait()
		for _, p := range h.fake.Posts(wing)[heard:] {
			show(what, p.First, false)
			heard++
		}
	}
	channel("in the channel")
	for _, word := range []string{"help", "mij", "status", "waarom"} {
		show("slash command: "+word, *h.command("p2", word).Message, false)
	}
	for _, word := range []string{"bibliotheek", "bibliotheek zoek brug", "bibliotheek toon bridge-one-more-boat"} {
		show("slash command of an editor: "+word, *h.command("p8", word).Message, false)
	}
	form := h.must(h.fake.Press(ctx, "p2", wing, bot.Action{Do: "answer", Round: r.ID})).Form
	for _, f := range []*bot.Form{form, h.command("p1", "instellingen").Form, h.command("p2", "verwijder").Form,
		h.command("p2", "voorstel").Form, h.command("p8", "bibliotheek wijzig bridge-one-more-boat nl").Form, h.command("p8", "bibliotheek wijzig bridge-one-more-boat").Form} {
		d, _, err := dialogOf(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "=== the dialog %s\n[%s]\n%s\n", f.Name, d.Title, shown(d.IntroductionText))
		for _, e := range d.Elements {
			fmt.Fprintf(&out, "- %s (%s %s) %s %s\n", e.DisplayName, e.Name, e.Type, e.Placeholder, e.HelpText)
		}
		fmt.Fprintf(&out, "[%s]\n\n", d.SubmitLabel)
	}
	answered := h.must(h.fake.Submit(ctx, "p2", wing, form, nil))
	fmt.Fprintf(&out, "=== sent in empty\n%v\n\n", submitAnswer(answered, []fieldSpec{{Name: "text"}}))
	typed := func(what, text string) {
		_, got, err := h.fake.Type(ctx, "p3", text)
		show("typed: "+what, *h.must(got, err).Message, true)
	}
	typed("a reply", "Ik bel @all eerst, op www.example.org.")
	typed("what may be done with it", "2")
	for i := 4; i <= 8; i++ {
		person := fmt.Sprintf("p%d", i)
		f := h.must(h.fake.Press(ctx, person, wing, bot.Action{Do: "answer", Round: r.ID})).Form
		if got := h.must(h.fake.Submit(ctx, person, wing, f, map[string][]string{"text": {fmt.Sprintf("#antwoord %d", i)}, "share": {"share"}})); !got.Kept {
			t.Fatalf("%+v", got)
		}
	}
	go h.bot.Run(ctx)
	chattest.Until(time.Date(2026, 9, 7, 13, 0, 1, 0, time.UTC))
	channel("later in the channel")
	team, err := h.db.Team(ctx, wing)
	if err != nil || len(team.Follows) != 1 {
		t.Fatal(team.Follows, err)
	}
	typed("a reply to the follow-up", "Bel @here nooit.")
	typed("what may be done with that", "2")
	for i := 4; i <= 7; i++ {
		person := fmt.Sprintf("p%d", i)
		f := h.must(h.fake.Press(ctx, person, wing, bot.Action{Do: "answer", Round: team.Follows[0]})).Form
		if i == 4 {
			d, _, err := dialogOf(f)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "=== the dialog of the follow-up\n[%s]\n%s\n", d.Title, shown(d.IntroductionText))
			for _, e := range d.Elements {
				fmt.Fprintf(&out, "- %s (%s %s) %s %s\n", e.DisplayName, e.Name, e.Type, e.Placeholder, e.HelpText)
			}
			fmt.Fprintf(&out, "[%s]\n\n", d.SubmitLabel)
		}
		if got := h.must(h.fake.Submit(ctx, person, wing, f, map[string][]string{"text": {fmt.Sprintf("#verder %d", i)}, "share": {"share"}})); !got.Kept {
			t.Fatalf("%+v", got)
		}
	}
	chattest.Until(time.Date(2026, 9, 8, 8, 0, 1, 0, time.UTC))
	channel("after the follow-up")
	for _, p := range h.fake.Posts(wing) {
		if p.Edits > 0 {
			show("after closing", p.Message, false)
		}
	}
	golden(t, "messages."+string(lang)+".md", out.String())
}
