package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// "What do you know about me?" lists what leads to the asker, each with its end, and nothing else; it is the same for
// those who answered and those who did not (TRUST A20).
func TestMe(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) {
		o.Editors = []bot.ActorID{"fake:p2"}
		o.Managers = []bot.ActorID{"fake:p3"}
	})
	defer w.close()
	w.switchOn(crew, nil)
	ask := func(person string) string {
		t.Helper()
		r, err := w.fake.Command(t.Context(), person, crew, "mij")
		if err != nil {
			t.Fatal(err)
		}
		return plain(r)
	}
	holds := func(who, said string, want ...string) {
		t.Helper()
		for _, s := range want {
			if !strings.Contains(said, s) {
				t.Errorf("%s is not told %q:\n%s", who, s, said)
			}
		}
	}
	const none, open = "is geen vraag open.", "er is een vraag open tot "
	quiet := ask("p4")
	holds("a member", quiet, none, "Verder staat je account nergens bij mij.", "Na 90 dagen")
	manager := ask("p1")
	amsterdam, err := time.LoadLocation("Europe/Amsterdam") // the team's day, wherever this runs
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().In(amsterdam).AddDate(2, 0, 0)
	holds("the manager", manager, "jij hebt mij hier aangezet", "1 keer wat jij", end.Format("2")+" ", end.Format("2006"))
	if strings.Contains(manager, "nergens") {
		t.Errorf("a manager is told to stand nowhere:\n%s", manager)
	}
	holds("an editor", ask("p2"), "als redacteur in de configuratie")
	holds("a manager by configuration", ask("p3"), "als leidinggevende in de configuratie")

	w.editTeam(func(team *bot.Team) { team.Managers = append(team.Managers, "fake:p5") })
	holds("a named manager", ask("p5"), "in de instellingen als leidinggevende")

	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	before := ask("p4")
	holds("a member of an open round", before, open, "Heb je geantwoord?")
	w.answer("p4", r.ID, map[string][]string{"text": {"GEHEIM"}, "share": {"share"}})
	if after := ask("p4"); after != before {
		t.Errorf("the answer shows that p4 answered:\n%s", after)
	}
	w.finish(r)
	if closed := ask("p4"); closed != quiet {
		t.Errorf("after closing something leads to p4:\n%s", closed)
	}
	// What the audit log has forgotten leads nowhere.
	w.editTeam(func(team *bot.Team) { team.State, team.SwitchedOnBy = bot.TeamOff, "" })
	w.step(end.AddDate(0, 0, 1))
	if forgotten := ask("p1"); forgotten != quiet {
		t.Errorf("after two years:\n%s", forgotten)
	}
}
