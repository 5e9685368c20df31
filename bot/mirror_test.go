package bot_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// nearlySaid names its tension so plainly that the strict mirror speaks.
const nearlySaid = "Volgens de regels moest ik wachten op het stadhuis, in de praktijk ging het anders."

const hears = "Ik hoor iets van 'Beleid en praktijk', door de woorden 'Volgens de regels', 'stadhuis', 'praktijk'. Klopt dat?"

// a scorer for tests: it answers as it is told.
type scriptedScorer struct {
	name string
	say  func(ctx context.Context, text string) ([]bot.Evidence, error)
}

func (s scriptedScorer) Name() string { return s.name }
func (s scriptedScorer) Score(ctx context.Context, text string, _ prompts.Lang) ([]bot.Evidence, error) {
	return s.say(ctx, text)
}

// pressing gives the answer to a button.
func (w *world) pressing(person string, a bot.Action) bot.Response {
	w.t.Helper()
	r, err := w.fake.Press(context.Background(), person, crew, a)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) typing(person, text string) string {
	w.t.Helper()
	_, r, err := w.fake.Type(context.Background(), person, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return plain(r)
}

// unsure fills in the form and does not know what it was about.
func unsure(text string) map[string][]string {
	return map[string][]string{"text": {text}, "share": {"share"}, "tags": {"unknown"}}
}

// After "weet ik niet" the author, and nobody else, is shown one guess with its words; it counts after yes only.
func TestMirrorInTheForm(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	yes, no := bot.Action{Do: "mirror", Round: r.ID, Arg: "yes"}, bot.Action{Do: "mirror", Round: r.ID, Arg: "no"}

	if got := plain(w.answer("p1", r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) || !strings.Contains(got, "Bewaard") {
		t.Fatal(got)
	}
	if got := plain(w.pressing("p1", yes)); !strings.Contains(got, "Genoteerd: Beleid en praktijk.") {
		t.Error(got)
	}
	if got := plain(w.pressing("p1", yes)); !strings.Contains(got, "Genoteerd: Beleid en praktijk.") { // pressed again
		t.Error(got)
	}
	if got := plain(w.answer("p2", r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) {
		t.Error(got)
	}
	if got := plain(w.pressing("p2", no)); strings.TrimSpace(got) != "Goed, ik laat het open." {
		t.Error(got)
	}
	if got := plain(w.answer("p2", r.ID, unsure(nearlySaid+" Nog iets."))); strings.Contains(got, "Ik hoor") { // once
		t.Error(got)
	}
	if got := plain(w.answer("p3", r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) { // never answered
		t.Error(got)
	}
	if got := plain(w.answer("p4", r.ID, unsure("Er zat een zwaan."))); strings.Contains(got, "Ik hoor") {
		t.Error(got)
	}
	heavy := unsure(nearlySaid + " Soms wil ik dood.")
	w.answer("p8", r.ID, heavy) // the card comes first
	if got := plain(w.answer("p8", r.ID, heavy)); strings.Contains(got, "Ik hoor") || !strings.Contains(got, "Bewaard") {
		t.Error(got)
	}
	tagged := unsure(nearlySaid)
	tagged["tags"] = []string{"policy-practice"} // from the list
	if got := plain(w.answer("p5", r.ID, tagged)); strings.Contains(got, "Ik hoor") {
		t.Error(got)
	}
	stance := map[string][]string{"stance": {"not-me"}, "tags": {"unknown"}}
	if got := plain(w.answer("p6", r.ID, stance)); strings.Contains(got, "Ik hoor") {
		t.Error(got)
	}
	if got := plain(w.pressing("p7", yes)); !strings.Contains(got, "geen antwoord") { // who has no reply confirms nothing
		t.Error(got)
	}
	if got := plain(w.pressing("p6", yes)); strings.Contains(got, "Genoteerd") { // who was shown nothing neither
		t.Error(got)
	}
	tally := w.finish(r).Tally
	if tally.Tags["policy-practice"] != 2 || tally.Mirror["policy-practice"] != 1 || tally.Unknown != 5 || tally.Tagged != 2 || tally.Respondents != 7 {
		t.Errorf("%+v", tally)
	}
	if all := w.channel(crew); strings.Contains(all, "Ik hoor") || strings.Contains(all, "door de woorden") {
		t.Errorf("the channel saw a guess:\n%s", all)
	}
}

func TestMirrorInWords(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	for i, c := range []struct{ person, answer, want string }{
		{"p1", "ja", "Genoteerd: Beleid en praktijk."}, {"p2", "Nee.", "Goed, ik laat het open."}, {"p3", "yes", "Genoteerd: Beleid en praktijk."},
	} {
		w.typing(c.person, nearlySaid)
		w.typing(c.person, "2")
		if got := w.typing(c.person, "weet ik niet"); !strings.Contains(got, "Genoteerd: Weet ik niet.") || !strings.Contains(got, hears) {
			t.Fatal(got)
		}
		id, resp, err := w.fake.Type(context.Background(), c.person, c.answer)
		if err != nil || strings.TrimSpace(plain(resp)) != c.want {
			t.Errorf("%d: %v %q", i, err, plain(resp))
		}
		resp, err = w.fake.Send(context.Background(), bot.DirectReply{From: w.fake.From(c.person, ""), Text: bot.ReplyText(c.answer), Message: id}) // again
		if err != nil || strings.TrimSpace(plain(resp)) != c.want {
			t.Errorf("%d again: %v %q", i, err, plain(resp))
		}
		if got := w.typing(c.person, c.answer); !strings.Contains(got, "erbij, of in de plaats") { // nothing waits any more: words of a reply
			t.Errorf("%d later: %q", i, got)
		}
		w.typing(c.person, "erbij")
		w.typing(c.person, "2")
	}
	// Who ignores the question goes on answering, and may still tag from the list.
	w.typing("p4", nearlySaid)
	w.typing("p4", "1")
	w.typing("p4", "weet ik niet")
	if got := w.typing("p4", "Goed werk en vlot werk"); !strings.Contains(got, "Genoteerd: Goed werk en vlot werk.") {
		t.Error(got)
	}
	w.typing("p5", nearlySaid)
	w.typing("p5", "1")
	if got := plain(w.pressing("p5", bot.Action{Do: "tag", Round: r.ID, Arg: "unknown"})); !strings.Contains(got, hears) {
		t.Error(got)
	}
	if got := w.typing("p5", "ja"); !strings.Contains(got, "Beleid en praktijk") {
		t.Error(got)
	}
	if got := plain(w.pressing("p5", bot.Action{Do: "tag", Round: r.ID, Arg: "unknown"})); strings.Contains(got, "Ik hoor") { // once, and what was confirmed is taken back
		t.Error(got)
	}
	tally := w.finish(r).Tally
	if tally.Tags["policy-practice"] != 2 || tally.Mirror["policy-practice"] != 2 || tally.Unknown != 2 || tally.Tags["quality-speed"] != 1 {
		t.Errorf("%+v", tally)
	}
}

// Where a form is gone once it is sent in, it comes back once with the guess in its field.
func TestMirrorWhereFormsShut(t *testing.T) {
	w, r := shutWorld(t)
	defer w.close()
	for i, person := range []string{"p1", "p2", "p3", "p4", "p5"} {
		resp := w.answer(person, r.ID, unsure(nearlySaid))
		if resp.Kept || !strings.Contains(resp.Errors["tags"], "Nog niet bewaard. Ik hoor iets van 'Beleid en praktijk', door de woorden 'Volgens de regels'") {
			t.Fatalf("%d: %+v", i, resp)
		}
		if w.ballots(r) != i {
			t.Error("kept before it was sent in again")
		}
		values := unsure(nearlySaid)
		if i > 0 {
			values["tags"] = []string{"policy-practice"}
		}
		if i == 4 {
			values["tags"] = []string{"quality-speed"}
		}
		resp, err := w.fake.Submit(context.Background(), person, crew, resp.Form, values)
		if err != nil || !resp.Kept || strings.Contains(plain(resp), "Ik hoor") {
			t.Errorf("%d: %v %+v %s", i, err, resp.Errors, plain(resp))
		}
	}
	if resp := w.answer("p1", r.ID, unsure(nearlySaid)); !resp.Kept { // asked once
		t.Errorf("%+v", resp.Errors)
	}
	tally := w.finish(r).Tally
	if tally.Tags["policy-practice"] != 3 || tally.Mirror["policy-practice"] != 3 || tally.Unknown != 1 || tally.Mirror["quality-speed"] != 0 {
		t.Errorf("%+v", tally)
	}
}

// Who was shown a guess and then chooses that tension counts as having had it from the mirror, whichever way it is chosen
// and whatever happened in between.
func TestAfterTheMirrorNothingIsFromTheList(t *testing.T) {
	listed := unsure(nearlySaid)
	listed["tags"] = []string{"policy-practice"}
	send := func(t *testing.T, w *world, person string, form *bot.Form, values map[string][]string) bot.Response {
		t.Helper()
		r, err := w.fake.Submit(t.Context(), person, crew, form, values)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	restart := func(w *world) {
		w.close()
		w.open()
	}
	t.Run("open forms", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer func() { w.close() }()
		for _, person := range []string{"p1", "p2", "p3", "p4", "p5", "p6"} {
			if got := plain(w.answer(person, r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) {
				t.Fatal(got)
			}
		}
		if got := w.typing("p1", "Beleid en praktijk"); !strings.Contains(got, "Genoteerd: Beleid en praktijk.") {
			t.Error(got)
		}
		w.pressing("p2", bot.Action{Do: "tag", Round: r.ID, Arg: "policy-practice"})
		w.answer("p3", r.ID, listed)
		w.typing("p4", "stop")
		w.answer("p4", r.ID, listed) // withdrawn and sent in anew
		restart(w)
		w.answer("p5", r.ID, listed)
		w.typing("p6", "En in de praktijk bleef het zo.")
		w.typing("p6", "vervangen")
		w.typing("p6", "1")
		w.typing("p6", "Beleid en praktijk")
		if tally := w.finish(r).Tally; tally.Tags["policy-practice"] != 6 || tally.Mirror["policy-practice"] != 6 {
			t.Errorf("%+v", tally)
		}
	})
	t.Run("forms that shut", func(t *testing.T) {
		w, r := shutWorld(t)
		defer func() { w.close() }()
		shown := map[string]*bot.Form{}
		for _, person := range []string{"p1", "p2", "p3", "p4", "p5"} {
			resp := w.answer(person, r.ID, unsure(nearlySaid))
			if shown[person] = resp.Form; resp.Kept || resp.Errors["tags"] == "" {
				t.Fatalf("%+v", resp)
			}
		}
		if w.ballots(r) != 0 {
			t.Error("a form that was not sent in counts")
		}
		restart(w)
		send(t, w, "p1", shown["p1"], listed)
		send(t, w, "p2", shown["p2"], listed)
		w.answer("p2", r.ID, listed) // changed afterwards
		w.answer("p3", r.ID, listed) // the first form was left, another was opened
		w.typing("p4", nearlySaid)
		w.typing("p4", "1")
		w.typing("p4", "Beleid en praktijk")
		send(t, w, "p5", shown["p5"], unsure(nearlySaid))
		w.typing("p5", "stop")
		w.answer("p5", r.ID, listed)
		if tally := w.finish(r).Tally; tally.Tags["policy-practice"] != 5 || tally.Mirror["policy-practice"] != 5 {
			t.Errorf("%+v", tally)
		}
	})
}

// What the form asks can be answered in words too, as its buttons are pressed.
func TestMirrorOfTheFormInWords(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	for _, c := range []struct{ person, answer, want string }{
		{"p1", "ja", "Genoteerd: Beleid en praktijk."}, {"p2", "nee", "Goed, ik laat het open."}, {"p3", "klopt", "Genoteerd: Beleid en praktijk."},
	} {
		if got := plain(w.answer(c.person, r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) {
			t.Fatal(got)
		}
		if c.person == "p3" { // the question stands until it is answered
			w.answer(c.person, r.ID, unsure(nearlySaid+" Nog iets."))
		}
		if got := w.typing(c.person, c.answer); strings.TrimSpace(got) != c.want {
			t.Errorf("%s: %q", c.answer, got)
		}
	}
	w.answer("p4", r.ID, unsure(nearlySaid))
	w.answer("p5", r.ID, unsure("Er zat een zwaan."))
	if got := w.typing("p5", "ja"); strings.Contains(got, "Genoteerd") { // was asked nothing
		t.Error(got)
	}
	if tally := w.finish(r).Tally; tally.Tags["policy-practice"] != 2 || tally.Mirror["policy-practice"] != 2 || tally.Unknown != 3 {
		t.Errorf("%+v", tally)
	}
}

// A scorer that fails, panics, hangs, points outside the text or is new means no mirror, and no word of it to the author.
func TestNoMirror(t *testing.T) {
	sure := func(reasons ...bot.Range) []bot.Evidence {
		return []bot.Evidence{{Tension: "policy-practice", Score: 9, Reasons: reasons}, {Tension: "quality-speed"}}
	}
	for name, s := range map[string]scriptedScorer{
		"an error": {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) {
			return sure(bot.Range{To: 8}), errors.New("SECRET")
		}},
		"a panic":  {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) { panic("SECRET") }},
		"too slow": {"lexicon/x", func(ctx context.Context, _ string) ([]bot.Evidence, error) { <-ctx.Done(); return nil, ctx.Err() }},
		"slow and deaf": {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) {
			time.Sleep(time.Second)
			return sure(bot.Range{To: 8}), nil
		}},
		"no reason": {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) { return sure(), nil }},
		"outside":   {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) { return sure(bot.Range{To: 9999}), nil }},
		"backwards": {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) { return sure(bot.Range{From: 8, To: 2}), nil }},
		"nothing":   {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) { return nil, nil }},
		"no tension of ours": {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) {
			return []bot.Evidence{{Tension: "tea", Score: 9, Reasons: []bot.Range{{To: 8}}}}, nil
		}},
		"another, new scorer": {"model/x", func(context.Context, string) ([]bot.Evidence, error) { return sure(bot.Range{To: 8}), nil }},
		"in time, for control": {"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) {
			time.Sleep(700 * time.Millisecond)
			return sure(bot.Range{To: 8}), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, r := openWorld(t, 8)
				defer w.close()
				w.close()
				w.o.Scorer = s
				w.open()
				began := time.Now()
				got := plain(w.answer("p1", r.ID, unsure(nearlySaid)))
				if took := time.Since(began); took > 800*time.Millisecond {
					t.Errorf("the author waited %v", took)
				}
				if strings.Contains(got, "Ik hoor") != strings.Contains(name, "control") || !strings.Contains(got, "Bewaard") || strings.Contains(got, "SECRET") {
					t.Error(got)
				}
				time.Sleep(2 * time.Second) // what hangs ends
			})
		})
	}
}

// At closing, what a mode would have said is laid beside what authors chose from the list. Totals alone are kept, and they
// close or open the gate.
func TestMirrorIsJudged(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	from := func(tags ...string) map[string][]string {
		return map[string][]string{"text": {nearlySaid}, "share": {"count"}, "tags": tags}
	}
	w.answer("p1", r.ID, from("policy-practice", "quality-speed")) // right
	w.answer("p2", r.ID, from("quality-speed"))                    // wrong
	w.answer("p3", r.ID, from("none"))                             // wrong
	w.answer("p4", r.ID, from("unknown"))                          // shown a mirror, so not judged
	w.pressing("p4", bot.Action{Do: "mirror", Round: r.ID, Arg: "yes"})
	w.answer("p5", r.ID, from())                                                                                     // not tagged
	w.answer("p6", r.ID, map[string][]string{"stance": {"not-me"}, "share": {"count"}, "tags": {"policy-practice"}}) // no words
	name := bot.NewLexicon(w.o.Library).Name()
	if before, err := w.db.Judged(t.Context(), name); err != nil || len(before) != 0 {
		t.Errorf("%v %v", before, err)
	}
	w.finish(r)
	want := bot.Judged{Spoke: 3, Right: 1}
	got, err := w.db.Judged(t.Context(), name)
	if err != nil || !maps.Equal(got, map[prompts.TensionID]bot.Modes{"policy-practice": {Strict: want, Relaxed: want}}) {
		t.Errorf("%+v %v", got, err)
	}
	if other, err := w.db.Judged(t.Context(), "lexicon/other"); err != nil || len(other) != 0 {
		t.Errorf("of another name: %v %v", other, err)
	}
}

// However slow a scorer is, a closing waits for it once, not once for every reply.
func TestJudgingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer func() { w.close() }()
		w.close()
		var asked atomic.Int32 // what hangs may ask on
		w.o.Scorer = scriptedScorer{"lexicon/x", func(context.Context, string) ([]bot.Evidence, error) {
			asked.Add(1)
			time.Sleep(700 * time.Millisecond)
			return []bot.Evidence{{Tension: "policy-practice"}}, nil
		}}
		w.open()
		for i := range 8 {
			values := unsure(nearlySaid)
			values["tags"] = []string{"policy-practice"}
			w.answer(fmt.Sprintf("p%d", i+1), r.ID, values)
		}
		if tally := w.finish(r).Tally; tally.Tags["policy-practice"] != 8 || asked.Load() > 5 {
			t.Errorf("asked %d times, %+v", asked.Load(), tally)
		}
		time.Sleep(time.Second) // what hangs ends
	})
}

// Once it was wrong too often about a tension, the mirror is silent about it.
func TestMirrorClosesItsGate(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	name := bot.NewLexicon(w.o.Library).Name()
	doubt := func(right, spoke int) {
		t.Helper()
		err := w.db.UpdateTeam(t.Context(), crew, func(*bot.Team) (bot.Also, error) {
			return bot.Also{Judged: &bot.JudgedBy{Scorer: name, Tensions: map[prompts.TensionID]bot.Modes{"policy-practice": {Strict: bot.Judged{Spoke: spoke, Right: right}}}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	doubt(13, 19)
	if got := plain(w.answer("p1", r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) {
		t.Error(got)
	}
	doubt(0, 1) // 13 of 20
	if got := plain(w.answer("p2", r.ID, unsure(nearlySaid))); strings.Contains(got, "Ik hoor") {
		t.Error(got)
	}
	doubt(1, 1)
	doubt(3, 3) // 17 of 24
	if got := plain(w.answer("p3", r.ID, unsure(nearlySaid))); !strings.Contains(got, hears) {
		t.Error(got)
	}
}
