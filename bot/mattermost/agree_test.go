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

// What a team chooses after a round, as the server gets it: with the words to type, with buttons, and as dialogs.
func TestGoldenAgreements(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 11)
			chattest.Bubble(t, func(t *testing.T) { goldenAgreements(t, lang) })
		})
	}
}

func goldenAgreements(t *testing.T, lang prompts.Lang) {
	h := newHouse(t, lang, true)
	var out strings.Builder
	show := func(what string, m bot.Message) {
		t.Helper()
		text, err := renderText(m, false, false)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		fmt.Fprintf(&out, "=== %s\n%s\n\n", what, shown(text))
		if with, err := renderText(m, true, false); err != nil {
			t.Errorf("%s with buttons: %v", what, err)
		} else if offers := actionsOf(m); len(offers) > 0 {
			var labels []string
			for _, o := range offers {
				labels = append(labels, "["+o.Label+"]")
			}
			fmt.Fprintf(&out, "=== %s, with buttons\n%s\n%s\n\n", what, shown(with), strings.Join(labels, " "))
		}
	}
	dialog := func(f *bot.Form) *bot.Form {
		t.Helper()
		d, _, err := dialogOf(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "=== the dialog %s\n[%s]\n%s\n", f.Name, d.Title, shown(d.IntroductionText))
		for _, e := range d.Elements {
			fmt.Fprintf(&out, "- %s (%s %s) %s %s\n", e.DisplayName, e.Name, e.Type, e.Placeholder, e.HelpText)
		}
		fmt.Fprintf(&out, "[%s]\n\n", d.SubmitLabel)
		return f
	}
	ctx := t.Context()
	r := h.open()
	if err := h.db.UpdateRound(ctx, r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.Slot = prompts.SlotLight
		return bot.Also{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= 7; i++ {
		person := fmt.Sprintf("p%d", i)
		f := h.must(h.fake.Press(ctx, person, wing, bot.Action{Do: "answer", Round: r.ID})).Form
		h.must(h.fake.Submit(ctx, person, wing, f, map[string][]string{"text": {"x"}, "share": {"count"}}))
	}
	go h.bot.Run(ctx)
	chattest.Until(time.Date(2026, 9, 7, 13, 0, 1, 0, time.UTC))
	synctest.Wait()
	agreement := func() (m bot.Message) {
		synctest.Wait()
		for _, p := range h.fake.Posts(wing) {
			if acts := actionsOf(p.First); len(acts) == 3 && acts[0].Do == "agree" {
				m = p.Message
			}
		}
		return m
	}
	show("asked", agreement())
	press := func(person string, o offer) bot.Response {
		return h.must(h.fake.Press(ctx, person, wing, o.action()))
	}
	press("p3", actionsOf(agreement())[1])
	show("left", agreement())
	time.Sleep(time.Second)
	form := dialog(press("p3", actionsOf(agreement())[0]).Form)
	line := map[string][]string{"line": {"bel **eerst** @all, #1 op www.example.org"}}
	h.must(h.fake.Submit(ctx, "p3", wing, form, line))
	time.Sleep(time.Second)
	h.must(h.fake.Submit(ctx, "p3", wing, form, line))
	show("tried", agreement())
	time.Sleep(time.Second)
	form = dialog(press("p3", actionsOf(agreement())[2]).Form)
	h.must(h.fake.Submit(ctx, "p3", wing, form, map[string][]string{"line": {"de bloktijden"}}))
	time.Sleep(time.Second)
	show("passed on", agreement())
	form = dialog(press("p1", actionsOf(agreement())[0]).Form)
	h.must(h.fake.Submit(ctx, "p1", wing, form, map[string][]string{"answer": {"later"}, "day": {"2026-10-01"}}))
	show("answered", agreement())
	posts := h.fake.Posts(wing)
	show("in the channel", posts[len(posts)-1].Message)
	if n := len(posts[len(posts)-1].Message.Blocks); n != 2 {
		t.Errorf("%d blocks", n)
	}
	golden(t, "agreements."+string(lang)+".md", out.String())
}
