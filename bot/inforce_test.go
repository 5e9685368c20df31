package bot_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// byEditors is the built-in library after an organisation's editors: the first tension is retired, the second has another name and
// sense, and one of their own comes behind.
func byEditors(t testing.TB) prompts.Library {
	lib := *library(t)
	lib.Tensions = slices.Clone(lib.Tensions)
	lib.Tensions[0].Retired = true
	lib.Tensions[1].Label = prompts.Text{prompts.Dutch: "Heel anders", prompts.English: "Quite different"}
	own := lib.Tensions[2]
	own.ID, own.Label, own.Definitions = "rest-reach", prompts.Text{prompts.Dutch: "Rust en bereikbaarheid", prompts.English: "Rest and reach"}, nil
	return lib.WithTensions([]prompts.Tension{own})
}

// labelsIn are the tensions on a reply form.
func (w *world) labelsIn(r bot.Round, person string) (labels []string) {
	w.t.Helper()
	resp, err := w.fake.Press(context.Background(), person, crew, bot.Action{Do: "answer", Round: r.ID})
	if err != nil || resp.Form == nil {
		w.t.Fatal(err, plain(resp))
	}
	for _, f := range resp.Form.Fields {
		if f.Name == "tags" {
			for _, o := range f.Options {
				labels = append(labels, o.Label)
			}
		}
	}
	return labels[:len(labels)-3] // without the three other answers
}

// Whoever is answering when the editors change the tensions notices nothing: the same list in the same order, in the form and by
// number, counted in the sense it was asked in and given back under the name it had. The next round has the new list.
func TestAnEditReachesNoOpenRound(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	before := w.labelsIn(r, "p2")
	old := w.o.Library
	w.answer("p1", r.ID, map[string][]string{"text": {"een antwoord"}, "share": {"count"}, "tags": {string(old.Tensions[0].ID)}})
	w.o.Library = byEditors(t)
	w.restart()
	if after := w.labelsIn(r, "p2"); !slices.Equal(before, after) || len(before) != 5 {
		t.Errorf("before %q, after %q", before, after)
	}
	for _, person := range []string{"p2", "p3", "p4"} {
		w.answer(person, r.ID, map[string][]string{"text": {"een antwoord"}, "share": {"count"}, "tags": {string(old.Tensions[0].ID), string(old.Tensions[1].ID)}})
	}
	w.typing("p5", "een antwoord dat getypt is")
	w.typing("p5", "1")
	if got := w.typing("p5", "2"); !strings.Contains(got, old.Tensions[1].Label[prompts.Dutch]) {
		t.Errorf("the second of the list: %s", got)
	}
	if got := w.answer("p6", r.ID, map[string][]string{"text": {"een antwoord"}, "share": {"count"}, "tags": {"rest-reach"}}); got.Errors["tags"] == "" {
		t.Errorf("a tension that was not on the list was taken: %s", plain(got))
	}
	got := w.finish(r)
	if got.Tally == nil || got.Tally.Tags[old.Tensions[0].ID] != 4 || got.Tally.Tags[old.Tensions[1].ID] != 4 || len(got.Tally.Senses) != 5 ||
		got.Tally.Senses[old.Tensions[1].ID] != old.Tensions[1].Sense() {
		t.Fatalf("%+v", got.Tally)
	}
	if said := w.channel(crew); !strings.Contains(said, strings.ToLower(old.Tensions[0].Label[prompts.Dutch])) || strings.Contains(said, "eel anders") {
		t.Errorf("given back as\n%s", said)
	}
	if err := w.bot.Advance(context.Background(), crew, w.fake.Now()); err != nil {
		t.Fatal(err)
	}
	next := w.openRound(crew)
	if labels := w.labelsIn(next, "p2"); len(labels) != 5 || labels[0] != "Heel anders" || labels[4] != "Rust en bereikbaarheid" {
		t.Errorf("the next round offers %q", labels)
	}
}

// libraryReads counts how often the library is read.
type libraryReads struct {
	bot.Store
	whole, stamps atomic.Int64
}

func (s *libraryReads) Own(ctx context.Context) (bot.Own, error) {
	s.whole.Add(1)
	return s.Store.Own(ctx)
}

func (s *libraryReads) LibraryStamp(ctx context.Context) (string, error) {
	s.stamps.Add(1)
	return s.Store.LibraryStamp(ctx)
}

// What people type and fill in reads no library, and a change of it is seen at once.
func TestAReplyReadsNoLibrary(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	reads := &libraryReads{Store: w.db}
	w.through(reads, w.fake)
	for _, person := range []string{"p2", "p3"} {
		w.typing(person, "een antwoord dat getypt is")
		w.typing(person, "1")
		w.typing(person, "1")
		w.answer(person, r.ID, map[string][]string{"text": {"een antwoord"}, "share": {"count"}, "tags": {"quality-speed"}})
	}
	if n, m := reads.whole.Load(), reads.stamps.Load(); n != 0 || m != 0 {
		t.Errorf("replies read the library %d times, its stamp %d times", n, m)
	}
	listed := func(want bool) {
		t.Helper()
		resp, err := w.fake.Command(context.Background(), "p1", crew, "bibliotheek")
		if err != nil || strings.Contains(plain(resp), "eigen-vraag") != want {
			t.Errorf("the own prompt is shown: %v, want %v (%v)", !want, want, err)
		}
	}
	w.o.Editors = []bot.ActorID{w.fake.From("p1", crew).User.Actor()}
	w.through(reads, w.fake)
	listed(false)
	listed(false)
	if n := reads.whole.Load(); n != 1 {
		t.Errorf("read %d times without a change", n)
	}
	own := w.o.Library.Prompts[0]
	own.ID = "eigen-vraag"
	err := w.db.UpdateOwn(context.Background(), func(all *bot.Own) (bot.Also, error) {
		all.Entries[bot.EntryKey{Kind: bot.EntryPrompt, ID: string(own.ID)}] = bot.OwnEntry{Now: bot.Content{Prompt: &own}, Serial: 1}
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed(true)
	if n := reads.whole.Load(); n != 2 {
		t.Errorf("read %d times after a change", n)
	}
}

// A tension that is retired is suggested to nobody, and one that is not on a round's list neither.
func TestNoMirrorOfWhatIsNotOffered(t *testing.T) {
	for name, edit := range map[string]func(*prompts.Tension){
		"as it is": func(*prompts.Tension) {},
		"retired":  func(x *prompts.Tension) { x.Retired = true },
	} {
		w, _ := openWorld(t, 8)
		lib := w.o.Library
		lib.Tensions = slices.Clone(lib.Tensions)
		i := slices.IndexFunc(lib.Tensions, func(x prompts.Tension) bool { return x.ID == "policy-practice" })
		edit(&lib.Tensions[i])
		w.o.Library = lib
		w.restart()
		w.finish(w.openRound(crew))
		if err := w.bot.Advance(context.Background(), crew, w.fake.Now()); err != nil {
			t.Fatal(err)
		}
		next := w.openRound(crew)
		got := plain(w.answer("p2", next.ID, unsure(nearlySaid)))
		if strings.Contains(got, hears) != (name == "as it is") {
			t.Errorf("%s: %s", name, got)
		}
		w.close()
	}
}
