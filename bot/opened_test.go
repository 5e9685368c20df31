package bot_test

import (
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// The oldest open round says how far back an adapter looks that was away; without one it looks back nowhere.
func TestOpenSince(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, nil)
	since := func() (at string) {
		t.Helper()
		got, err := w.bot.OpenSince(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.IsZero() {
			return ""
		}
		return got.UTC().String()
	}
	if got := since(); got != "" {
		t.Errorf("nothing is open: %s", got)
	}
	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	if got := since(); got != r.Opens.UTC().String() {
		t.Errorf("%s, want %v", got, r.Opens)
	}
	w.finish(r)
	if got := since(); got != "" {
		t.Errorf("after closing: %s", got)
	}
}

// Whoever's account became known after the start has the listed rights from then on, and loses them when the list says so.
func TestAppoint(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, nil)
	ask := func(person, what string) string {
		t.Helper()
		r, err := w.fake.Command(t.Context(), person, crew, what)
		if err != nil {
			t.Fatal(err)
		}
		return plain(r)
	}
	before := ask("p2", "bibliotheek")
	w.bot.Appoint([]bot.ActorID{"fake:p3"}, []bot.ActorID{"fake:p2"})
	if got := ask("p2", "bibliotheek"); got == before {
		t.Error("an appointed editor is none")
	}
	if got := ask("p3", "mij"); !strings.Contains(got, "als leidinggevende in de configuratie") {
		t.Errorf("an appointed manager is told nothing of it:\n%s", got)
	}
	w.bot.Appoint(nil, nil)
	if got := ask("p2", "bibliotheek"); got != before {
		t.Error("the right stayed")
	}
}
