package mattermost_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// words are what people type and read in a language.
type words struct {
	on, open, heard, share, kept, withdraw, gone, wrong string
	fill                                                []string
}

var spoken = map[prompts.Lang]words{
	prompts.Dutch: {
		on: "aan", open: "Antwoord", heard: "Terugblik", share: "2", kept: "Bewaard", withdraw: "trek in", gone: "ingetrokken", wrong: "Nog niet goed",
		fill: []string{"Bij wie kan iemand terecht?:", "Bij wie kan iemand terecht?: Noor", "Meedoen mag in werktijd.: nee", "Meedoen mag in werktijd.: ja"},
	},
	prompts.English: {
		on: "on", open: "Answer", heard: "Looking back", share: "2", kept: "Kept", withdraw: "withdraw", gone: "withdrawn", wrong: "Not right yet",
		fill: []string{"Who can someone turn to?:", "Who can someone turn to?: Noor", "Taking part is allowed in working time.: no", "Taking part is allowed in working time.: yes"},
	},
}

func block(text string) string {
	_, rest, _ := strings.Cut(text, "```\n")
	lines, _, _ := strings.Cut(rest, "\n```")
	return lines
}

// switchOn switches the crew on by words.
func (w *world) switchOn() {
	w.t.Helper()
	ctx, say := context.Background(), spoken[w.lang]
	if _, err := w.chat.after(ctx, func() string { return w.s.Mention(w.boss, w.crew, say.on) }); err != nil {
		w.t.Fatal(err)
	}
	form := w.answer(w.boss, 0)
	lines := strings.NewReplacer(say.fill...).Replace(block(form))
	if r := w.says(w.boss, "```\n"+lines+"\n```"); strings.Contains(r, say.wrong) || r == form {
		w.t.Fatalf("switching on: %s", r)
	}
	team, err := w.db.Team(ctx, bot.TeamID("mattermost:"+w.crew))
	if err != nil || team.State != bot.TeamOn {
		w.t.Fatal(team.State, err)
	}
}

// A whole round by typed words alone, as it is without a callback listener: switching on, asking, answering, changing,
// withdrawing, closing and giving back.
func TestRoundInWords(t *testing.T) {
	for lang := range spoken {
		for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
			t.Run(string(lang)+" "+version.String(), func(t *testing.T) { roundInWords(t, mattermosttest.New(t, version), lang) })
		}
	}
}

func roundInWords(t *testing.T, on server, lang prompts.Lang) {
	say := spoken[lang]
	w := newWorldOn(t, on, lang, false)
	defer func() { w.stop() }()
	ctx := context.Background()
	if _, err := w.chat.after(ctx, func() string { return w.on.Mention(w.boss, w.crew, say.on) }); err != nil {
		t.Fatal(err)
	}
	form := w.answer(w.boss, 0)
	lines := strings.NewReplacer(say.fill...).Replace(block(form))
	if r := w.says(w.boss, "```\n"+lines+"\n```"); strings.Contains(r, say.wrong) || r == form {
		t.Fatalf("switching on: %s", r)
	}
	team, err := w.db.Team(ctx, bot.TeamID("mattermost:"+w.crew))
	if err != nil || team.State != bot.TeamOn {
		t.Fatal(team.State, err)
	}
	w.opens()
	asked := w.on.Posts(w.crew)
	prompt := asked[len(asked)-1]
	if prompt.User != w.me || len(prompt.Buttons()) > 0 {
		t.Fatalf("no question without buttons: %s", prompt.Text)
	}
	for i, who := range w.people[:7] {
		w.says(who, "Ik kijk eerst wie er staat, en dan pas naar de regel. Nummer "+string(rune('A'+i)))
		w.says(who, say.share)
	}
	w.says(w.people[6], say.withdraw)
	// An edit counts until closing.
	last := w.on.DMs(w.people[5])
	for _, p := range last {
		if p.User == w.people[5] && strings.Contains(p.Text, "Nummer F") {
			if _, err := w.chat.after(ctx, func() string { w.on.Edit(p.ID, "Gewijzigd woord voor woord"); return "" }); err != nil {
				t.Fatal(err)
			}
		}
	}
	team, _ = w.db.Team(ctx, team.ID)
	round, err := w.db.Round(ctx, team.Open)
	if err != nil {
		t.Fatal(err)
	}
	w.until(round.Closes)
	w.until(round.GivesBack)
	w.until(round.GivesBack)
	round, _ = w.db.Round(ctx, round.ID)
	if round.State != bot.RoundGivenBack {
		t.Errorf("the round is %s", round.State)
	}
	all := w.on.Posts(w.crew)
	var text strings.Builder
	for _, p := range all {
		text.WriteString(p.Text + "\n\n")
	}
	for what, want := range map[string]bool{"Gewijzigd": true, "Nummer A": true, "Nummer F": false, "Nummer G": false} {
		if strings.Contains(text.String(), what) != want {
			t.Errorf("%q given back: %v", what, !want)
		}
	}
	if t.Failed() {
		for _, p := range w.on.DMs(w.people[0]) {
			t.Log(p.Text)
		}
		t.Log(w.log.String())
		t.Log(text.String())
	}
}

// dialogWords are what people press and read where the server reaches the bot.
type dialogWords struct{ on, answer, remove, kept string }

var pressed = map[prompts.Lang]dialogWords{
	prompts.Dutch:   {"aan", "Antwoord zonder naam", "verwijder", "verwijderd"},
	prompts.English: {"on", "Answer without your name", "remove", "removed"},
}

// A whole round by the slash command, buttons and dialogs: nothing of an answer becomes a post, mistakes are shown in the
// dialog, the receipt code stands on it, and the buttons are gone when the round is closed.
func TestRoundInDialogs(t *testing.T) {
	for lang := range pressed {
		for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
			t.Run(string(lang)+" "+version.String(), func(t *testing.T) { roundInDialogs(t, mattermosttest.New(t, version), lang) })
		}
	}
}

func roundInDialogs(t *testing.T, on server, lang prompts.Lang) {
	say := pressed[lang]
	w := newWorldOn(t, on, lang, true)
	defer func() { w.stop() }()
	ctx := context.Background()
	r := w.on.Command(w.people[0], w.crew, "/weerklank "+say.on)
	if refusal := w.on.Dialog(w.people[0]); r.Status != 200 || r.Text != "" || refusal == nil || len(refusal.Elements) > 0 || !strings.Contains(refusal.Intro, locale.Say(lang, "team.managers-only")) {
		t.Errorf("a member is asked to switch on: %+v %+v", r, refusal)
	}
	if r := w.on.Command(w.boss, w.crew, "/weerklank "+say.on); r.Status != 200 {
		t.Fatalf("%+v", r)
	}
	d := w.on.Dialog(w.boss)
	if d == nil {
		t.Fatal("no dialog to switch on")
	}
	if r := w.on.Submit(w.boss, d, map[string]any{"adviser": "Noor", "worktime": false}); r.Closed || r.Errors["worktime"] == "" {
		t.Errorf("a tick that is missing: %+v", r)
	}
	if r := w.on.Submit(w.boss, d, map[string]any{"adviser": "Noor", "worktime": true}); !r.Closed {
		t.Fatalf("%+v", r)
	}
	team, err := w.db.Team(ctx, bot.TeamID("mattermost:"+w.crew))
	if err != nil || team.State != bot.TeamOn {
		t.Fatal(team.State, err)
	}
	round := w.opens()
	all := w.on.Posts(w.crew)
	prompt := all[len(all)-1]
	button := prompt.Button(say.answer)
	if button == "" {
		t.Fatalf("%+v", prompt.Buttons())
	}
	var codes []string
	for i, who := range w.people[:7] {
		had := len(w.on.DMs(who))
		if r := w.on.Click(who, prompt.ID, button); r.Status != 200 || len(r.Opened) != 1 {
			t.Fatalf("%+v", r)
		}
		d := w.on.Dialog(who)
		values := map[string]any{"text": "Ik kijk eerst wie er staat. Nummer " + string(rune('A'+i))}
		if r := w.on.Submit(who, d, values); r.Closed || r.Errors["share"] == "" {
			t.Errorf("without a choice: %+v", r)
		}
		values["share"] = string(bot.ShareQuote)
		if r := w.on.Submit(who, d, values); !r.Closed || r.Error != "" {
			t.Fatalf("%+v", r)
		}
		if r := w.on.Submit(who, d, values); r.Status != 200 {
			t.Errorf("the same again: %+v", r)
		}
		codes = append(codes, code(t, d.Intro))
		if now := w.on.DMs(who); len(now) != had {
			t.Errorf("a message tells that somebody took part: %s", now[len(now)-1].Text)
		}
	}
	w.until(round.Closes)
	if p, _ := w.on.Post(prompt.ID); len(p.Buttons()) > 0 {
		t.Error("the question still has buttons")
	}
	if r := w.on.Click(w.people[0], prompt.ID, button); r.Status == 200 {
		t.Error("a button that is gone was pressed")
	}
	w.until(round.GivesBack)
	w.until(round.GivesBack)
	text := func() (all string) {
		for _, p := range w.on.Posts(w.crew) {
			all += p.Text + "\n"
		}
		return all
	}
	given := text()
	i := strings.Index(given, "Nummer ")
	if i < 0 {
		t.Fatalf("nothing was given back: %s", given)
	}
	who := int(given[i+len("Nummer ")] - 'A')
	if r := w.on.Command(w.people[who], w.crew, "/weerklank "+say.remove); r.Status != 200 {
		t.Fatalf("%+v", r)
	}
	if r := w.on.Submit(w.people[who], w.on.Dialog(w.people[who]), map[string]any{"code": codes[who]}); r.Status != 200 || r.Error == "" {
		t.Errorf("removing: %+v", r)
	}
	w.until(round.GivesBack)
	if strings.Contains(text(), "Nummer "+string(rune('A'+who))) {
		t.Error("what was removed still stands there")
	}
	if t.Failed() {
		t.Log(w.log.String())
	}
}

// code is the receipt code in a dialog's introduction.
func code(t *testing.T, intro string) string {
	t.Helper()
	c := regexp.MustCompile(`[A-Z0-9]{4}(-[A-Z0-9]{4})+`).FindString(strings.ReplaceAll(intro, `\-`, "-"))
	if c == "" {
		t.Fatalf("no code in %s", intro)
	}
	return c
}
