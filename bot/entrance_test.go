package bot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

type gate struct{ asked []bot.ActorID }

func (g *gate) Link(_ context.Context, editor bot.ActorID, _ prompts.Lang) (string, error) {
	g.asked = append(g.asked, editor)
	return "https://bot.example.org/library/in#CODE", nil
}

// The way to the library on the web goes to an editor, in the answer to their own command, and to nobody else.
func TestLibraryLinkIsForEditors(t *testing.T) {
	g := &gate{}
	w := newWorld(t, func(o *bot.Options) { o.Editors, o.Entrance = []bot.ActorID{"fake:ed"}, g })
	ask := func(who string) bot.Response {
		t.Helper()
		r, err := w.bot.Handle(t.Context(), bot.Command{From: bot.From{Key: who, User: bot.Account("fake", "", who), Lang: prompts.Dutch, Team: crew}, Text: "bibliotheek"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	links := func(r bot.Response) (n int) {
		for _, b := range r.Message.Blocks {
			if b.Kind == bot.BlockLink && b.URL == "https://bot.example.org/library/in#CODE" {
				n++
			}
		}
		return n
	}
	if r := ask("ed"); links(r) != 1 || len(g.asked) != 1 || g.asked[0] != "fake:ed" || !strings.Contains(r.Message.Plain(), "library/in#CODE") {
		t.Errorf("%d links, asked for %d", links(r), len(g.asked))
	}
	if r := ask("p1"); links(r) != 0 || len(g.asked) != 1 {
		t.Error("a member got a way in")
	}
}
