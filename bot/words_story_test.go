package bot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// Words that fewer than three replies share leave nothing: not in the store, a backup, the keys, the log or what was sent,
// in no form and no hash; nor do names, numbers and what the prompt said itself (TENSIONS 7.2).
func TestRareWordsLeaveNothing(t *testing.T) {
	var logs bytes.Buffer
	var mu sync.Mutex
	w := newWorld(t, func(o *bot.Options) {
		o.Log = slog.New(slog.NewJSONHandler(lockedWriter{&mu, &logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	defer w.close()
	w.fake.Crew(crew, 10)
	w.switchOn(crew, nil)
	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	asked := strings.Fields(strings.ToLower(strings.Trim(r.Prompt.In("nl").Question, "?")))
	echo := slices.MaxFunc(asked, func(a, b string) int { return len(a) - len(b) })
	for i, text := range []string{
		"Veel werkdruk met Fatimazahra in lokaal4711, zei " + echo + " daar.", "Die werkdruk kreeg Fatimazahra bij lokaal4711 of " + echo + ".",
		"Door werkdruk ging Fatimazahra naar lokaal4711 voor " + echo + ".", "Mijn kapstokken hangen scheef.", "Jouw kapstokken ook.", "Niets bijzonders verder.",
	} {
		share := "count" // what is only counted is gone at closing; what is shared lies sealed
		if i%2 == 0 {
			share = "share"
		}
		if got := w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {text}, "share": {share}}); got.Form != nil {
			t.Fatalf("refused: %v", got.Errors)
		}
	}
	w.step(r.Closes)
	w.step(r.GivesBack)
	f := newFinder()
	rare := map[string][]string{
		"two replies": {"kapstokken", "kapstok", "nl:kapstok", "kapstokken scheef", "hangen scheef"}, "one reply": {"bijzonders", "bijzonder", "nl:bijzonder"},
		"name": {"fatimazahra", "Fatimazahra", "nl:fatimazahra"}, "number": {"lokaal4711", "nl:lokaal4711"}, "may be there": {"werkdruk"},
	}
	for kind, words := range rare {
		for _, word := range words {
			f.text(kind, word)
			f.bytes(kind, sum(word))
		}
	}
	mu.Lock()
	logged := bytes.Clone(logs.Bytes())
	mu.Unlock()
	sent, err := json.Marshal(w.fake.Told())
	if err != nil {
		t.Fatal(err)
	}
	for place, parts := range map[string][][]byte{"store": dense(w.file()), "backup": dense(w.backedUp()), "keys": readFolder(t, filepath.Join(w.dir, "keys")), "log": {logged}, "sent": {sent}} {
		for kind := range f.search(parts...) {
			if kind != "may be there" {
				t.Errorf("%s: %s is found", place, kind)
			}
		}
	}
	if len(f.search(dense(w.file())...)) != 1 || len(f.search(dense(w.backedUp())...)) != 1 {
		t.Error("a word of three replies is not in the store and its backup: the test looks in the wrong place")
	}
	got, err := w.db.Round(context.Background(), r.ID)
	if err != nil || got.Tally == nil {
		t.Fatal(got.Tally, err)
	}
	for _, word := range got.Tally.Words {
		if word.Form == echo {
			t.Errorf("the prompt's own %q is counted", echo)
		}
	}
	if !slices.ContainsFunc(got.Tally.Words, func(x bot.TableWord) bool {
		return x == bot.TableWord{Key: "nl:werkdruk", Form: "werkdruk", Replies: 3, Shared: 2}
	}) {
		t.Errorf("%v", got.Tally.Words)
	}
}

// past puts rounds with content before a team's first: of each, the forms of words that three shared.
func past(w *world, rounds ...string) {
	w.t.Helper()
	ctx := context.Background()
	for i, words := range rounds {
		id, due := bot.RoundID(fmt.Sprintf("past%02d", i)), w.team().Since.AddDate(0, 0, 7*(i-len(rounds)))
		r := bot.Round{ID: id, Team: crew, Kind: bot.RoundQuestion, State: bot.RoundPlanned, Due: due, Opens: due, Closes: due, Lang: "nl", MinReplies: 5, Number: i - len(rounds), Season: 1}
		if err := w.db.PlanRound(ctx, r, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
			w.t.Fatal(err)
		}
		err := w.db.UpdateRound(ctx, id, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
			r.State, r.Tally = bot.RoundGivenBack, &bot.Tally{Respondents: 6, Words: bot.WordTable{}}
			for form := range strings.FieldsSeq(words) {
				r.Tally.Words = append(r.Tally.Words, bot.TableWord{Key: "nl:" + form, Form: form, Replies: 3, Shared: 3})
			}
			return bot.Also{}, nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// askAbout plays a round in which everybody writes the same words.
func askAbout(w *world, text string) bot.Round {
	w.t.Helper()
	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	for i := range 6 {
		w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {text}, "share": {"share"}})
	}
	w.step(r.Closes)
	w.step(r.GivesBack)
	return r
}

// A new word is given back once, below the give-back, with what may be decided about it; the newest decision stands, whoever
// made it, and a proposal reaches the editors.
func TestNewWordIsDecidedAbout(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) { o.Editors = []bot.ActorID{bot.Account("fake", "w", "p8").Actor()} })
	defer w.close()
	ctx := context.Background()
	w.switchOn(crew, nil)
	past(w, "", "", "", "", "", "werkdruk", "werkdruk", "werkdruk")
	r := askAbout(w, "Er is hier veel werkdruk.")
	words := func() []chattest.Posted {
		return slices.DeleteFunc(w.fake.Posts(crew), func(p chattest.Posted) bool { return !strings.Contains(p.First.Plain(), "Nieuw woord") })
	}
	posts := words()
	if len(posts) != 1 || posts[0].Thread == "" || !strings.Contains(posts[0].Message.Plain(), "Nieuw woord: werkdruk. In vier van de laatste vier rondes schreven drie of meer mensen het, daarvoor in geen van de vijf.") {
		t.Fatalf("%+v", posts)
	}
	if seen, err := w.bot.Export(ctx, crew); err != nil || !slices.ContainsFunc(seen, func(s bot.Seen) bool { return s.What == bot.SeenWords && s.Text == posts[0].First.Plain() }) {
		t.Errorf("the export misses it: %v", err)
	}
	var actions []bot.Action
	for _, b := range posts[0].Message.Blocks {
		actions = append(actions, b.Actions...)
	}
	if len(actions) != 3 {
		t.Fatalf("%v", actions)
	}
	now := r.GivesBack.Add(time.Hour)
	tell := func(what string, resp bot.Response, err error, want string) {
		t.Helper()
		if err != nil || !strings.Contains(plain(resp), want) {
			t.Errorf("%s: %v, %s", what, err, plain(resp))
		}
		now = now.Add(time.Minute)
		w.step(now)
	}
	w.fake.Add(chattest.Person{ID: "stranger", Lang: "nl"})
	resp, err := w.fake.Press(ctx, "stranger", crew, actions[2])
	tell("a stranger", resp, err, "kanaal")
	resp, err = w.fake.Press(ctx, "p3", crew, actions[2])
	tell("never mind", resp, err, "werkdruk blijft rusten")
	if got := words()[0]; !strings.Contains(got.Message.Plain(), "blijft rusten") || strings.Contains(got.Message.Plain(), "(Laat maar)") {
		t.Errorf("the channel does not see it: %s", got.Message.Plain())
	}
	resp, err = w.fake.Command(ctx, "p4", crew, actions[1].Typed)
	tell("belongs to", resp, err, "Bij welke spanning hoort werkdruk")
	var which []bot.Action
	for _, b := range resp.Message.Blocks {
		which = append(which, b.Actions...)
	}
	resp, err = w.fake.Command(ctx, "p4", crew, which[2].Typed)
	tell("the third", resp, err, "werkdruk hoort bij goed werk en vlot werk")
	older := w.fake.From("p5", crew)
	older.At = r.GivesBack
	resp, err = w.fake.Send(ctx, bot.ActionPressed{From: older, Action: actions[0]})
	tell("an older press", resp, err, "hoort bij")
	resp, err = w.fake.Press(ctx, "p6", crew, actions[0])
	tell("propose", resp, err, "voorgesteld")
	resp, err = w.fake.Command(ctx, "p8", crew, "bibliotheek")
	tell("the editor", resp, err, "Teams stelden dit voor als spanning:\n\nwerkdruk")
	if resp, err = w.fake.Command(ctx, "p2", crew, "woord koffie laat maar"); err != nil || !strings.Contains(plain(resp), "nu niets te kiezen") {
		t.Errorf("a word that was never shown: %v %s", err, plain(resp))
	}
	if notes := w.team().Words; len(notes) != 1 || notes[0].Decision != "propose" || notes[0].Form != "werkdruk" {
		t.Errorf("%+v", notes)
	}
	if seen, err := w.bot.Export(ctx, crew); err != nil || !slices.ContainsFunc(seen, func(s bot.Seen) bool { return s.What == bot.SeenWords && s.Text == words()[0].Message.Plain() }) {
		t.Errorf("the export misses what was decided: %v", err)
	}
	askAbout(w, "Er is hier veel werkdruk.")
	if posts := words(); len(posts) != 1 {
		t.Errorf("shown %d times", len(posts))
	}
}

// A sentence that begins as a decision about a word does is an answer, unless it is about a word that was given back.
func TestASentenceIsNoDecisionAboutAWord(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, nil)
	past(w, "", "", "", "", "", "werkdruk", "werkdruk", "werkdruk")
	askAbout(w, "Er is hier veel werkdruk.")
	w.step(w.team().NextOpens)
	w.openRound(crew)
	if got := w.types("p2", "Word ik ziek, dan moet ik me daar iets bij voorstellen"); !strings.Contains(got, "Ik lees dit als antwoord") {
		t.Errorf("no answer: %s", got)
	}
	if got := w.types("p3", "woord werkdruk laat maar"); !strings.Contains(got, "werkdruk blijft rusten") {
		t.Errorf("no decision: %s", got)
	}
}

// A name that many give to "something else" reaches the editors, from replies that were shared and are kept.
func TestNamesForSomethingElseReachTheEditors(t *testing.T) {
	for name, known := range map[string]bool{"names known": true, "names unknown": false} {
		t.Run(name, func(t *testing.T) { namesForSomethingElse(t, known) })
	}
}

// nameless is a platform that does not tell who is in a channel now.
type nameless struct{ *chattest.Fake }

func (nameless) Names(context.Context, bot.TeamID) ([]string, error) { return nil, errors.New("down") }

func namesForSomethingElse(t *testing.T, known bool) {
	w := newWorld(t, func(o *bot.Options) { o.Editors = []bot.ActorID{bot.Account("fake", "w", "p8").Actor()} })
	defer func() { w.close() }()
	ctx := context.Background()
	if !known {
		w.close()
		w.o.Chats = []bot.Chat{nameless{w.fake}}
		w.open()
	}
	w.switchOn(crew, nil)
	for n, named := range [][]string{{"te weinig mensen", "mensen te weinig", "Te weinig mensen", "te weinig mensen"}, {"te weinig mensen"}, {"te weinig mensen", "te weinig mensen", "mensen te weinig"}} {
		if got, err := w.fake.Command(ctx, "p8", crew, "bibliotheek"); err != nil || strings.Contains(plain(got), "bij iets anders:") {
			t.Errorf("before round %d: %v", n+1, err)
		}
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		for i := range 6 {
			values := map[string][]string{"text": {fmt.Sprintf("woorden nummer %d", i)}, "share": {"share"}}
			if i < len(named) {
				values["tags"], values["other"] = []string{"other"}, []string{named[i]}
			}
			w.answer(fmt.Sprintf("p%d", i+1), r.ID, values)
		}
		w.step(r.Closes)
		w.step(r.GivesBack)
	}
	got, err := w.fake.Command(ctx, "p8", crew, "bibliotheek")
	if err != nil || strings.Contains(plain(got), "bij iets anders:\n\nte weinig mensen") != known {
		t.Errorf("%v: %s", err, plain(got))
	}
}
