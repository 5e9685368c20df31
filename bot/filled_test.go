package bot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// typedBlock is the lines of a form that somebody copies, changes and sends back.
func typedBlock(t *testing.T, r bot.Response) string {
	t.Helper()
	if r.Message == nil || r.Form != nil {
		t.Fatal("no form in words")
	}
	for _, b := range r.Message.Blocks {
		if b.Kind == bot.BlockCode {
			return b.Spans[0].Text
		}
	}
	t.Fatalf("no lines to copy in %s", r.Message.Plain())
	return ""
}

// Where no form can be shown, a team is switched on and set by words alone, and what is wrong is said with the lines as
// they were sent.
func TestFormsInWords(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) { o.PublicSector = true })
	defer w.close()
	ctx := context.Background()
	command := func(text string) bot.Response {
		t.Helper()
		f := w.fake.From("p1", crew)
		f.Typed = true
		r, err := w.fake.Send(ctx, bot.Command{From: f, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	typed := func(text string) bot.Response {
		t.Helper()
		f := w.fake.From("p1", "")
		f.Typed = true
		r, err := w.fake.Send(ctx, bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: "m" + f.Key})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	lines := typedBlock(t, command("aan"))
	r := typed(lines)
	if again := typedBlock(t, r); again != lines || !strings.Contains(r.Message.Plain(), "Nog niet goed") {
		t.Errorf("sent back as it was: %s", r.Message.Plain())
	}
	lines = strings.NewReplacer(
		"Bij wie kan iemand terecht?:", "Bij wie kan iemand terecht?: Noor, 06-12345678", "Meedoen mag in werktijd.: nee", "Meedoen mag in werktijd.: ja",
		"De ondernemingsraad is gehoord.: nee", "De ondernemingsraad is gehoord.: Ja", "De privacy officer is gehoord.: nee", "De privacy officer is gehoord.: ja",
		"Jouw woorden aan het team:", "Jouw woorden aan het team: Eerste regel.\nTweede regel.",
	).Replace(lines)
	r = typed("```\n" + lines + "\n```")
	if r.Message == nil || strings.Contains(r.Message.Plain(), "Nog niet goed") {
		t.Fatalf("%s", r.Message.Plain())
	}
	team, err := w.db.Team(ctx, crew)
	if err != nil || team.State != bot.TeamOn || team.Settings.Adviser != "Noor, 06-12345678" || !strings.HasPrefix(team.Settings.Statement, "Eerste regel.\nTweede regel.") {
		t.Errorf("%+v %v", team, err)
	}
	lines = typedBlock(t, command("instellingen"))
	r = typed(strings.Replace(lines, "Ritme: elke week", "Ritme: elke maand", 1))
	if !strings.Contains(r.Message.Plain(), "Nog niet goed") {
		t.Errorf("an unknown rhythm: %s", r.Message.Plain())
	}
	if r = command("verwijder"); r.Form != nil || !strings.Contains(r.Message.Plain(), "verwijder") {
		t.Errorf("remove: %s", r.Message.Plain())
	}
	// A line that only begins like a form is a reply.
	if r = typed("Weerklank aanzetten: dat durfde ik niet"); r.Message != nil && strings.Contains(r.Message.Plain(), "Nog niet goed") {
		t.Error("a reply was read as a form")
	}
}

// With two open rounds and nothing to press, the words about one's own answer name the round by its number.
func TestOwnAnswerByNumber(t *testing.T) {
	const other = bot.TeamID("fake:other")
	w, _ := openWorld(t, 8, other)
	defer w.close()
	ctx := context.Background()
	w.openRound(other)
	typed := func(text string) string {
		t.Helper()
		f := w.fake.From("p2", "")
		f.Typed = true
		r, err := w.fake.Send(ctx, bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: "m" + f.Key})
		if err != nil || r.Message == nil {
			t.Fatal(err)
		}
		return r.Message.Plain()
	}
	for _, n := range []string{"1", "2"} {
		typed("Antwoord op vraag " + n)
		typed(n)
		typed("2")
	}
	if r := typed("code"); !strings.Contains(r, "Van welke") {
		t.Error(r)
	}
	if r := typed("code 2"); !strings.Contains(r, "verwijder, met de code") {
		t.Error(r)
	}
	for _, ask := range []string{"trek in", "trek in 3", "code 9"} { // of a number that is not in the list none is taken
		if r := typed(ask); !strings.Contains(r, "Er staan meer vragen open") {
			t.Errorf("%s: %s", ask, r)
		}
	}
	if r := typed("trek in 1"); !strings.Contains(r, "Ingetrokken") {
		t.Error(r)
	}
	if r := typed("trek in 1"); !strings.Contains(r, "geen antwoord van jou in deze ronde") {
		t.Error(r)
	}
	if r := typed("code 2"); !strings.Contains(r, "verwijder, met de code") { // the numbers stayed
		t.Error(r)
	}
	if r := typed("trek in"); !strings.Contains(r, "Ingetrokken") { // there is one left
		t.Error(r)
	}
	if r := typed("wijzig 1"); !strings.Contains(r, "Pas je bericht aan") && !strings.Contains(r, "stuur") && !strings.Contains(r, "sturen") {
		t.Error(r)
	}
}
