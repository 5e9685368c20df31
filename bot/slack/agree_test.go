package slack

import (
	"fmt"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// What a team chooses after a round, as Slack gets it: every message and view keeps Slack's rules, and reads as the file says.
func TestGoldenAgreements(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 11)
			chattest.Bubble(t, func(t *testing.T) { goldenAgreements(t, lang) })
		})
	}
}

func goldenAgreements(t *testing.T, lang prompts.Lang) {
	chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
	h := newTheatre(t, lang, nil)
	h.on1("weekly")
	chattest.Until(time.Date(2026, 9, 1, 8, 0, 1, 0, time.UTC))
	r := h.open()
	if err := h.db.UpdateRound(h.ctx, r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.Slot = prompts.SlotLight
		return bot.Also{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= 7; i++ {
		who := fmt.Sprintf("p%d", i)
		h.submit(who, h.press(who, bot.Action{Do: "answer", Round: r.ID}).Form, map[string][]string{"text": {"x"}, "share": {"count"}})
	}
	chattest.Until(time.Date(2026, 9, 7, 13, 0, 1, 0, time.UTC))
	out := record{seen: map[string]bool{}}
	buttons := func(what string) (all []bot.Action) {
		t.Helper()
		synctest.Wait()
		for _, p := range h.fake.Posts(crew) {
			if len(p.First.Blocks) == 2 && len(p.First.Blocks[1].Actions) == 3 && p.First.Blocks[1].Actions[0].Do == "agree" {
				h.on.l.message(&out, what, p.Message, "k")
				for _, b := range p.Message.Blocks {
					all = append(all, b.Actions...)
				}
			}
		}
		if len(all) == 0 {
			t.Fatalf("%s: nothing is asked", what)
		}
		return all
	}
	view := func(what string, r bot.Response) *bot.Form {
		t.Helper()
		if r.Form == nil {
			t.Fatalf("%s: no form", what)
		}
		out.show(what, checkForm(t, what, r.Form))
		return r.Form
	}
	all := buttons("asked")
	h.press("p3", all[1])
	time.Sleep(time.Second)
	f := view("to try", h.press("p3", buttons("left")[0]))
	line := map[string][]string{"line": {"bel *eerst* <!channel> @here, :tada: op www.example.org"}}
	h.submit("p3", f, line)
	time.Sleep(time.Second)
	f = view("to pass on", h.press("p3", buttons("tried")[2]))
	h.submit("p3", f, map[string][]string{"line": {"de bloktijden"}})
	time.Sleep(time.Second)
	f = view("to answer", h.press("p1", buttons("passed on")[0]))
	h.submit("p1", f, map[string][]string{"answer": {"later"}, "day": {"2026-10-01"}})
	buttons("answered")
	posts := h.fake.Posts(crew)
	h.on.l.message(&out, "in the channel", posts[len(posts)-1].Message, "k")
	golden(t, "agreements."+string(lang)+".md", out.out.String())
}
