package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

func (w *world) sendAll(at time.Time) {
	w.t.Helper()
	if _, err := w.bot.Send(context.Background(), at); err != nil {
		w.t.Fatal(err)
	}
}

// The bot introduces itself once in a channel that it was added to, in the language of who did it; nothing else happens
// until a manager switches it on. Once it is on it says nothing, and it does when it comes back after it was removed.
func TestInvited(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	ctx := context.Background()
	invite := func(lang prompts.Lang) {
		t.Helper()
		f := w.fake.From("p3", crew)
		f.Lang, f.Chan = lang, "De werf"
		if r, err := w.fake.Send(ctx, bot.Invited{From: f}); err != nil || r.Message != nil || r.Form != nil {
			t.Fatalf("%v %+v", err, r)
		}
		w.sendAll(f.At)
	}
	invite(prompts.English)
	invite(prompts.Dutch)
	if posts := w.fake.Posts(crew); len(posts) != 1 || !strings.Contains(posts[0].Message.Plain(), "Nothing happens yet") {
		t.Fatalf("%s", w.channel(crew))
	}
	if r, err := w.fake.Press(ctx, "p3", crew, bot.Action{Do: "on"}); err != nil || !strings.Contains(plain(r), "wie dit kanaal beheert") {
		t.Errorf("%v %s", err, plain(r))
	}
	r, err := w.fake.Press(ctx, "p1", crew, bot.Action{Do: "on"})
	if err != nil || r.Form == nil || r.Form.Fields[0].Value[0] != "nl" { // their own language, not who added the bot
		t.Fatalf("%v %+v", err, r)
	}
	for _, text := range []string{"status", "volgende", "seizoen", "pauze", "waarom", "mij", "help"} {
		if r, err := w.fake.Command(ctx, "p1", crew, text); err != nil || plain(r) == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
	// In a direct conversation it is the only channel that can be meant.
	f := w.fake.From("p1", "")
	r, err = w.fake.Send(ctx, bot.DirectReply{From: f, Text: "aan", Message: "m1"})
	if err != nil || r.Form == nil || r.Form.State != string(crew) {
		t.Fatalf("%v %+v", err, r)
	}
	w.switchOn(crew, nil)
	if got := w.team(); got.State != bot.TeamOn || got.Settings.Lang != prompts.Dutch {
		t.Errorf("%+v", got)
	}
	invite(prompts.Dutch)
	n := len(w.fake.Posts(crew))
	gone := w.fake.From("p1", crew).At.Add(time.Second)
	if _, err := w.fake.Send(ctx, bot.ChannelGone{Key: "g1", Team: crew, At: gone}); err != nil {
		t.Fatal(err)
	}
	w.until(gone.Add(time.Second))
	invite(prompts.Dutch)
	invite(prompts.Dutch)
	if posts := w.fake.Posts(crew); len(posts) != n+1 || !strings.Contains(posts[n].Message.Plain(), "Er gebeurt nog niets") {
		t.Errorf("%s", w.channel(crew))
	}
	if got := w.team(); got.State != bot.TeamOff {
		t.Errorf("%s", got.State)
	}
}

// A person's own page shows what is open, and is the same whether they answered or not; who manages a channel sees how it
// stands, and nobody else does.
func TestHome(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	home := func(person string) string {
		t.Helper()
		r, err := w.fake.Send(ctx, bot.HomeOpened{From: w.fake.From(person, "")})
		if err != nil || r.Message == nil {
			t.Fatal(err)
		}
		return r.Message.Plain()
	}
	before := home("p2")
	for _, part := range []string{r.Prompt.In("nl").Title, "Of je al antwoordde, staat hier niet", "Antwoord zonder naam", "Wat bewaar je?"} {
		if !strings.Contains(before, part) {
			t.Errorf("no %q in\n%s", part, before)
		}
	}
	w.answer("p2", r.ID, map[string][]string{"text": {"eigen woorden"}, "share": {"share"}})
	if after := home("p2"); after != before || after != home("p3") {
		t.Errorf("it tells who answered:\n%s", after)
	}
	manager := home("p1")
	if !strings.Contains(manager, "Instellingen") || strings.Contains(before, "Instellingen") {
		t.Errorf("%s", manager)
	}
	resp, err := w.fake.Press(ctx, "p1", "", bot.Action{Do: "settings", Arg: string(crew)})
	if err != nil || resp.Form == nil || resp.Form.Name != "settings" {
		t.Errorf("%v %s", err, plain(resp))
	}
	if resp, err := w.fake.Press(ctx, "p2", "", bot.Action{Do: "settings", Arg: string(crew)}); err != nil || resp.Form != nil {
		t.Errorf("%v %+v", err, resp.Form)
	}
	w.until(r.Closes.Add(time.Minute))
	if closed := home("p2"); !strings.Contains(closed, "geen vraag voor je open") {
		t.Error(closed)
	}
}

// What may be answered where it is not certain who asks.
func TestReach(t *testing.T) {
	for text, want := range map[string]bot.Reach{
		"": bot.ReachAll, "help": bot.ReachAll, "wat is dit": bot.ReachAll,
		"status": bot.ReachTeam, "waarom": bot.ReachTeam, "volgende": bot.ReachTeam, "seizoen": bot.ReachTeam, "bibliotheek": bot.ReachOwn,
		"mij": bot.ReachOwn, "code": bot.ReachOwn, "code 2": bot.ReachOwn, "wijzig": bot.ReachOwn, "aan": bot.ReachTeam, "instellingen": bot.ReachTeam, "verwijder": bot.ReachOwn,
		"trek in": bot.ReachAct, "trek in 1": bot.ReachAct, "uit": bot.ReachAct, "pauze": bot.ReachAct, "pauze na een incident": bot.ReachAct,
		"voorstel": bot.ReachOwn, "propose": bot.ReachOwn, "voorstel voor het rooster": bot.ReachAll, "bibliotheek help": bot.ReachOwn,
		"bibliotheek zoek wachten": bot.ReachOwn, "library show bridge-one-more-boat": bot.ReachOwn, "bibliotheek wijzig tension/quality-speed nl": bot.ReachOwn,
		"bibliotheek activeer x": bot.ReachOwn, "bibliotheek activeer x abc123": bot.ReachAct, "library retire x abc123": bot.ReachAct, "bibliotheek indienen x abc123": bot.ReachAct,
		"bibliotheek terug x abc123": bot.ReachOwn, "bibliotheek terug x abc123 te lang": bot.ReachAct, "bibliotheek wek x abc123": bot.ReachAct, "bibliotheek houd x abc123": bot.ReachAct,
		"bibliotheek meld": bot.ReachAct, "library notify off": bot.ReachAct, "bibliotheek woord werkdruk laat maar": bot.ReachAct, "bibliotheek woord werkdruk spanning": bot.ReachOwn,
		"bibliotheek is dicht":          bot.ReachAll,
		"verwijder ABCD-EFGH-JKMN-PQRS": bot.ReachAct, "staat er": bot.ReachAct, "staat er niet": bot.ReachAct,
	} {
		if got := bot.ReachOf(text); got != want {
			t.Errorf("%q: %d, not %d", text, got, want)
		}
	}
}

// A channel that has another ID or name keeps its round: who answered before may change their answer after.
func TestChannelMoved(t *testing.T) {
	const moved = bot.TeamID("fake:elsewhere")
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	w.answer("p2", r.ID, map[string][]string{"text": {"eigen woorden"}, "share": {"share"}})
	w.fake.Crew(moved, 8)
	for range 2 {
		if _, err := w.fake.Send(ctx, bot.ChannelMoved{Key: "m1", Team: crew, To: moved, Chan: "Nieuwe naam"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.fake.Send(ctx, bot.ChannelMoved{Key: "m2", Team: "fake:unknown", To: "fake:other", Chan: "x"}); err != nil {
		t.Fatal(err)
	}
	team, err := w.db.Team(ctx, moved)
	if err != nil || team.Name != "Nieuwe naam" || team.Open != r.ID {
		t.Fatalf("%+v %v", team, err)
	}
	resp, err := w.fake.Press(ctx, "p2", moved, bot.Action{Do: "answer"})
	if err != nil || resp.Form == nil || !strings.HasPrefix(resp.Form.State, string(r.ID)) {
		t.Fatalf("%v %s", err, plain(resp))
	}
	if resp, err := w.fake.Submit(ctx, "p2", moved, resp.Form, map[string][]string{"text": {"andere woorden"}, "share": {"share"}}); err != nil || !strings.Contains(plain(resp), "Bewaard") {
		t.Errorf("%v %s", err, plain(resp))
	}
	if n := w.ballots(r); n != 1 {
		t.Errorf("%d ballots", n)
	}
}

// A wish to answer that names no round opens the form of the only one, that of the channel, or asks.
func TestAnswerWithoutRound(t *testing.T) {
	const other = bot.TeamID("fake:other")
	w, r := openWorld(t, 8, other)
	defer w.close()
	ctx := context.Background()
	second := w.openRound(other)
	for team, want := range map[bot.TeamID]bot.RoundID{crew: r.ID, other: second.ID} {
		if resp, err := w.fake.Press(ctx, "p2", team, bot.Action{Do: "answer"}); err != nil || resp.Form == nil || !strings.HasPrefix(resp.Form.State, string(want)) {
			t.Errorf("%s: %v %s", team, err, plain(resp))
		}
	}
	if resp, err := w.fake.Press(ctx, "p2", "", bot.Action{Do: "answer"}); err != nil || resp.Form != nil || !strings.Contains(plain(resp), "Welke wil je beantwoorden") {
		t.Errorf("%v %s", err, plain(resp))
	}
	w.until(r.Closes.Add(time.Hour))
	w.step(r.Closes.Add(time.Hour))
	if resp, err := w.fake.Press(ctx, "p2", "", bot.Action{Do: "answer"}); err != nil || resp.Form != nil || plain(resp) == "" {
		t.Errorf("%v %s", err, plain(resp))
	}
}
