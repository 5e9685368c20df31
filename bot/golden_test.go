package bot_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares what people would read with the file that somebody read aloud.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update, and read it aloud)", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Errorf("%s, line %d:\n got %s\nwant %s", path, i+1, g[i], w[i])
			return
		}
	}
	t.Errorf("%s: %d lines, want %d", path, len(g), len(w))
}

// script collects what is said.
type script struct{ strings.Builder }

func (s *script) say(what, text string) {
	fmt.Fprintf(s, "=== %s\n%s\n\n", what, strings.TrimRight(text, "\n"))
}

func (s *script) response(what string, r bot.Response) {
	switch {
	case r.Form != nil:
		s.say(what, formText(r.Form, r.Errors))
	case r.Message != nil:
		s.say(what, r.Message.Plain())
	default:
		s.say(what, "(nothing)")
	}
}

func formText(f *bot.Form, wrong map[string]string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "[%s]\n%s", f.Title, bot.Message{Blocks: f.Intro}.Plain())
	for _, field := range f.Fields {
		fmt.Fprintf(&out, "- %s", field.Label)
		if field.Hint != "" {
			fmt.Fprintf(&out, " (%s)", field.Hint)
		}
		if v := strings.Join(field.Value, ", "); v != "" {
			fmt.Fprintf(&out, ": %s", v)
		}
		out.WriteString("\n")
		if wrong[field.Name] != "" {
			fmt.Fprintf(&out, "    ! %s\n", wrong[field.Name])
		}
		for _, o := range field.Options {
			fmt.Fprintf(&out, "    o %s\n", o.Label)
		}
	}
	fmt.Fprintf(&out, "[%s]", f.Submit)
	for _, a := range f.Extra {
		fmt.Fprintf(&out, " [%s]", a.Label)
	}
	return out.String()
}

// Everything that is said in two rounds, one with enough answers and one without, in the team's and the reader's
// language.
func TestGoldenStory(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 7)
			chattest.Bubble(t, func(t *testing.T) { goldenStory(t, lang) })
		})
	}
}

func goldenStory(t *testing.T, lang prompts.Lang) {
	chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC)) // Tuesday 08:00 in Amsterdam
	w := newWorld(t, func(o *bot.Options) { o.Team.Lang, o.PublicSector = lang, true })
	for i := range 8 {
		p := chattest.Person{ID: fmt.Sprintf("p%d", i+1), Name: fmt.Sprintf("Person %d", i+1), Lang: lang, Channels: []bot.TeamID{crew}}
		if i == 0 {
			p.Manages = []bot.TeamID{crew}
		}
		w.fake.Add(p)
	}
	w.run()
	defer w.close()
	ctx := context.Background()
	var s script
	must := func(r bot.Response, err error) bot.Response {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	command := func(person, text string) bot.Response { return must(w.fake.Command(ctx, person, crew, text)) }
	typed := func(person, text string) bot.Response {
		_, r, err := w.fake.Type(ctx, person, text)
		return must(r, err)
	}
	nl := lang == prompts.Dutch
	word := func(dutch, english string) string {
		if nl {
			return dutch
		}
		return english
	}
	heard := 0
	channel := func() {
		synctest.Wait()
		posts := w.fake.Posts(crew)
		for _, p := range posts[heard:] {
			where := "the channel"
			if p.Thread != "" {
				where = "a thread"
			}
			s.say(p.At.UTC().Format("Mon 15:04")+", in "+where, p.First.Plain())
		}
		heard = len(posts)
	}

	s.response("a member asks for help before it is on", command("p2", "help"))
	s.response("a member tries to switch on", command("p2", word("aan", "on")))
	form := command("p1", word("aan", "on"))
	s.response("the manager's form", form)
	wrong := must(w.fake.Submit(ctx, "p1", crew, form.Form, map[string][]string{"lang": {string(lang)}, "rhythm": {"custom"}, "statement": {""}}))
	s.response("the form with everything missing", wrong)
	s.response("switched on", must(w.fake.Submit(ctx, "p1", crew, form.Form, map[string][]string{
		"adviser": {"Sam de Wit (tst 12)"}, "worktime": {"yes"}, "works_council": {"yes"}, "privacy_officer": {"yes"}})))
	channel()
	s.response("typed while nothing is open", typed("p3", word("wanneer begint het", "when does it start")))

	chattest.Until(time.Date(2026, 9, 1, 8, 0, 1, 0, time.UTC))
	channel()
	r := w.openRound(crew)
	for _, v := range []struct{ nl, en string }{{"waarom", "why"}, {"status", "status"}, {"volgende", "next"}, {"seizoen", "season"}, {"mij", "me"}, {"help", "help"}, {"koffie", "coffee"}} {
		s.response("command: "+word(v.nl, v.en), command("p2", word(v.nl, v.en)))
	}
	s.response("the manager's help", command("p1", "help"))
	answer := must(w.fake.Press(ctx, "p1", crew, bot.Action{Do: "answer", Round: r.ID}))
	s.response("the form to answer", answer)
	s.response("answered wrongly", must(w.fake.Submit(ctx, "p1", crew, answer.Form, map[string][]string{
		"text": {strings.Repeat("woord ", 300)}, "tags": {"none", "unknown", "other"}})))
	s.response("nothing answered", must(w.fake.Submit(ctx, "p1", crew, answer.Form, nil)))
	s.response("answered, shared", must(w.fake.Submit(ctx, "p1", crew, answer.Form, map[string][]string{
		"text": {word("Ik kijk eerst wie er staat.", "I look first at who is there.")}, "share": {"share"}, "tags": {"tailoring-equality"}})))
	s.response("answered, only counted", must(w.fake.Submit(ctx, "p2", crew, answer.Form, map[string][]string{"text": {"x"}, "share": {"count"}})))
	s.response("for myself", must(w.fake.Submit(ctx, "p2", crew, answer.Form, map[string][]string{"text": {"x"}, "share": {"self"}})))
	s.response("the form again, read back", must(w.fake.Press(ctx, "p1", crew, bot.Action{Do: "answer", Round: r.ID})))
	s.response("typed", typed("p3", word("Eerst de afspraak.", "The agreement first.")))
	s.response("a second message", typed("p3", word("En dan pas de rest.", "Only then the rest.")))
	s.response("share choice", typed("p3", "2"))
	s.response("tags", typed("p3", "1 3"))
	s.response("typed once more", typed("p3", word("Nog iets.", "One more thing.")))
	s.response("added", typed("p3", word("erbij", "add")))
	s.response("share choice again", typed("p3", word("deel", "share")))
	s.response("code asked for", must(w.fake.Press(ctx, "p3", "", bot.Action{Do: "receipt", Round: r.ID})))
	s.response("nothing but signs", typed("p4", "\u200b\u200b"))
	s.response("too long", typed("p4", strings.Repeat("woord ", 400)))
	s.response("typed by another", typed("p4", word("Ik bel even.", "I make a call.")))
	s.response("for myself, typed", typed("p4", "3"))
	s.response("withdrawn without an answer", typed("p4", word("trek in", "withdraw")))
	for i := 4; i <= 6; i++ {
		typed(fmt.Sprintf("p%d", i), fmt.Sprintf(word("Antwoord %d.", "Answer %d."), i))
		typed(fmt.Sprintf("p%d", i), "2")
	}
	s.response("change", typed("p5", word("wijzig", "change")))
	s.response("withdraw", typed("p7", word("trek in", "withdraw")))
	s.response("a code too early", typed("p7", word("verwijder", "remove")+" AAAA-BBBB-CCCC-DDDD"))
	s.response("the form to remove", typed("p7", word("verwijder", "remove")))
	s.response("pause", command("p6", word("pauze", "pause")))
	time.Sleep(time.Second)
	s.response("pause again", command("p7", word("overslaan", "skip")))
	s.response("next", command("p7", word("volgende", "next")))
	settings := command("p1", word("instellingen", "settings"))
	s.response("settings", settings)
	s.response("settings refused", must(w.fake.Submit(ctx, "p1", crew, settings.Form, map[string][]string{
		"min_replies": {"2"}, "cron": {"TZ=UTC 0 10 * * *"}, "zone": {"Europe/Nergens"}, "quiet_hours": {"late"}})))
	s.response("settings changed", must(w.fake.Submit(ctx, "p1", crew, settings.Form, map[string][]string{"min_replies": {"6"}, "audience": {"outdoor-crew"}})))
	channel()
	chattest.Until(time.Date(2026, 9, 7, 13, 0, 1, 0, time.UTC))
	channel()
	s.response("typed too late", typed("p8", word("Ik was te laat.", "I was late.")))
	f := w.followUp()
	further := must(w.fake.Press(ctx, "p2", crew, bot.Action{Do: "answer", Round: f.ID}))
	s.response("the form of the follow-up", further)
	s.response("nothing answered to the follow-up", must(w.fake.Submit(ctx, "p2", crew, further.Form, nil)))
	s.response("the follow-up, shared", must(w.fake.Submit(ctx, "p2", crew, further.Form, map[string][]string{
		"text": {word("Ik wil meer tijd voor het praatje.", "I want more time for the chat.")}, "share": {"share"}})))
	s.response("the follow-up, only counted", must(w.fake.Submit(ctx, "p3", crew, further.Form, map[string][]string{"text": {"x"}, "share": {"count"}})))
	s.response("the follow-up, share choice typed", typed("p8", "2"))
	for i := 4; i <= 6; i++ {
		w.answer(fmt.Sprintf("p%d", i), f.ID, map[string][]string{"text": {fmt.Sprintf(word("Vervolg %d.", "More %d."), i)}, "share": {"share"}})
	}
	s.response("status of the follow-up", command("p2", "status"))
	s.say("a follow-up with too few", bot.FollowedTooFew(f).Plain())
	s.say("a follow-up that is lost", bot.Lost(f).Plain())
	if got, err := w.db.Round(ctx, r.ID); err != nil || got.State != bot.RoundGivenBack {
		t.Fatalf("%s, %v", got.State, err)
	}

	chattest.Until(time.Date(2026, 9, 15, 8, 0, 1, 0, time.UTC)) // the pause is over
	channel()
	r = w.openRound(crew)
	w.answer("p1", r.ID, map[string][]string{"text": {"x"}, "share": {"share"}})
	s.response("off while a round is open", command("p1", word("uit", "off")))
	chattest.Until(time.Date(2026, 9, 21, 13, 0, 1, 0, time.UTC))
	channel()
	s.response("status when off", command("p2", "status"))
	for _, p := range w.fake.Posts(crew) {
		if p.Edits > 0 {
			s.say("after closing, the question of "+p.At.UTC().Format("Mon 2 Jan"), p.Message.Plain())
		}
	}
	golden(t, "story."+string(lang), s.String())
}
