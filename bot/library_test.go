package bot_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// desk is the library of a fresh store, with two editors.
type desk struct {
	t *testing.T
	*world
}

const (
	ed1 bot.ActorID = "test:ed1"
	ed2 bot.ActorID = "test:ed2"
)

func newDesk(t *testing.T, editors ...bot.ActorID) *desk {
	t.Helper()
	w := newWorld(t, nil)
	d := &desk{t, w}
	if editors == nil {
		editors = []bot.ActorID{ed1, ed2}
	}
	w.o.Editors = editors
	w.restart()
	t.Cleanup(w.close)
	return d
}

func key(kind bot.EntryKind, id string) bot.EntryKey { return bot.EntryKey{Kind: kind, ID: id} }

func promptKey(id string) bot.EntryKey { return key(bot.EntryPrompt, id) }

func (d *desk) entry(k bot.EntryKey) bot.Entry {
	d.t.Helper()
	e, err := d.bot.Entry(context.Background(), k)
	if err != nil {
		d.t.Fatalf("%s: %v", k, err)
	}
	return e
}

// retitled is an entry with another Dutch title.
func retitled(e bot.Entry, title string) bot.Entry {
	p := e.Prompt.Tidy()
	w := p.Words[prompts.Dutch]
	w.Title = title
	p.Words[prompts.Dutch] = w
	e.Prompt = &p
	return e
}

func (d *desk) save(by bot.ActorID, e bot.Entry, stamp string) bot.Entry {
	d.t.Helper()
	got, err := d.bot.SaveEntry(context.Background(), by, bot.Change{Entry: e, Stamp: stamp})
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// asked is a prompt as rounds would ask it.
func (d *desk) asked(id string) (prompts.Prompt, bool) {
	d.t.Helper()
	lib, err := d.bot.InForce(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	p, ok := lib.Prompt(prompts.ID(id))
	return p, ok && p.Status == prompts.Active
}

const known = "bridge-one-more-boat"

// A change of what is asked is read by somebody else first; until then the last active revision is asked. Its author may
// not let it through, another editor may, and the history says who did what.
func TestAChangeIsReviewedBeforeItIsAsked(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	before := d.entry(promptKey(known))
	if before.Origin != bot.OriginBuiltin || before.Local || before.Stamp == "" || before.InForce != nil {
		t.Fatalf("%+v", before)
	}
	e := d.save(ed1, retitled(before, "Nog één schip"), before.Stamp)
	if e.Prompt.Status != prompts.Draft || !e.Local || e.Origin != bot.OriginOwn || e.Prompt.Revision != before.Prompt.Revision+1 ||
		e.InForce == nil || e.InForce.In(prompts.Dutch).Title != before.Prompt.In(prompts.Dutch).Title {
		t.Errorf("saved as %+v", e)
	}
	still := func(title string) {
		t.Helper()
		if p, active := d.asked(known); !active || p.In(prompts.Dutch).Title != title {
			t.Errorf("asked as %q (active: %v)", p.In(prompts.Dutch).Title, active)
		}
	}
	old := before.Prompt.In(prompts.Dutch).Title
	still(old)
	if _, err := d.bot.ActivatePrompt(ctx, ed2, known, e.Stamp); refusal(t, err) != 1 {
		t.Errorf("a draft was activated: %v", err)
	}
	e, err := d.bot.SubmitPrompt(ctx, ed1, known, e.Stamp)
	if err != nil || e.Prompt.Status != prompts.Review {
		t.Fatalf("%+v %v", e.Prompt.Status, err)
	}
	still(old)
	if _, err := d.bot.ActivatePrompt(ctx, ed1, known, e.Stamp); !errors.Is(err, bot.ErrSelfReview) {
		t.Errorf("its author let it through: %v", err)
	}
	e, err = d.bot.ReturnPrompt(ctx, ed2, known, e.Stamp, "De titel klopt niet.")
	if err != nil || e.Prompt.Status != prompts.Draft {
		t.Fatal(err)
	}
	e = d.save(ed2, retitled(e, "Eén schip erbij"), e.Stamp) // now both have written it
	if e, err = d.bot.SubmitPrompt(ctx, ed2, known, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if _, err := d.bot.ActivatePrompt(ctx, ed1, known, e.Stamp); !errors.Is(err, bot.ErrSelfReview) {
		t.Errorf("one of its authors let it through: %v", err)
	}
	still(old)
	if e, err = d.bot.ActivatePrompt(ctx, "test:ed3", known, e.Stamp); err != nil || e.Prompt.Status != prompts.Active || e.InForce != nil ||
		e.Prompt.Reviewer != prompts.BySecond || strings.Contains(e.Prompt.Reviewer+e.Prompt.Author, "test:") {
		t.Fatalf("%+v %v", e.Prompt, err)
	}
	still("Eén schip erbij")
	history, err := d.bot.EntryHistory(ctx, promptKey(known))
	var acts []string
	for _, p := range history {
		acts = append(acts, p.What)
	}
	if err != nil || !slices.Equal(acts, []string{"built-in", "change", "submit", "return", "change", "submit", "activate"}) || history[1].By != ed1 ||
		history[3].Why != "De titel klopt niet." || history[6].By != "test:ed3" || history[1].At.IsZero() {
		t.Errorf("history %q %v", acts, err)
	}
	audit, err := d.db.Audit(ctx)
	if err != nil || len(audit) != 6 {
		t.Fatalf("%d acts in the log (%v)", len(audit), err)
	}
	for _, a := range audit {
		if a.By == "" || a.What != "library" || !strings.HasSuffix(a.How, " prompt/"+known) || strings.Contains(a.How, "schip") || strings.Contains(a.How, "titel") {
			t.Errorf("%+v", a)
		}
	}
	// What readers do not see needs nobody else.
	p := e.Prompt.Tidy()
	p.Themes, p.CooldownWeeks = []string{"schepen"}, 40
	light := d.save(ed1, bot.Entry{Prompt: &p}, e.Stamp)
	if light.Prompt.Status != prompts.Active || light.Prompt.Revision != e.Prompt.Revision+1 || light.Prompt.CooldownWeeks != 40 {
		t.Errorf("%+v", light.Prompt)
	}
	if same := d.save(ed1, light, light.Stamp); same.Stamp != light.Stamp {
		t.Error("a change that changes nothing made a new version")
	}
}

// refusal counts what a *Refused holds.
func refusal(t *testing.T, err error) int {
	t.Helper()
	r, ok := errors.AsType[*bot.Refused](err)
	if !ok {
		t.Errorf("not refused: %v", err)
		return 0
	}
	if r.Error() == "" {
		t.Error("a refusal without a word")
	}
	return len(r.Problems) + len(r.Findings)
}

// The only editor may let a prompt through that is without lint errors, and that nobody else read it is recorded.
func TestTheOnlyEditor(t *testing.T) {
	d, ctx := newDesk(t, ed1), context.Background()
	before := d.entry(promptKey(known))
	e := d.save(ed1, retitled(before, "Nog één schip"), before.Stamp)
	e, err := d.bot.SubmitPrompt(ctx, ed1, known, e.Stamp)
	if err != nil {
		t.Fatal(err)
	}
	e, err = d.bot.ActivatePrompt(ctx, ed1, known, e.Stamp)
	if err != nil || e.Prompt.Reviewer != prompts.Unreviewed {
		t.Fatalf("%+v %v", e.Prompt, err)
	}
	history, err := d.bot.EntryHistory(ctx, promptKey(known))
	if err != nil || history[len(history)-1].What != "activate-unreviewed" {
		t.Errorf("%+v %v", history[len(history)-1], err)
	}
	// The lint is not passed over.
	p := e.Prompt.Tidy()
	w := p.Words[prompts.Dutch]
	w.Question = "Vind je ook niet dat dit moet?"
	p.Words[prompts.Dutch] = w
	e = d.save(ed1, bot.Entry{Prompt: &p}, e.Stamp)
	if _, err := d.bot.SubmitPrompt(ctx, ed1, known, e.Stamp); refusal(t, err) == 0 {
		t.Error("submitted with lint errors")
	}
}

// A new prompt begins with next to nothing, and lands nowhere near a team until it is whole.
func TestANewPrompt(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	e := d.save(ed1, bot.Entry{Prompt: &prompts.Prompt{ID: "onze-eerste"}}, "")
	if e.Prompt.Status != prompts.Draft || e.Prompt.Kind != prompts.Dilemma || e.Prompt.Revision != 1 || e.Prompt.Author != prompts.ByEditor || e.Local {
		t.Errorf("%+v", e.Prompt)
	}
	if _, err := d.bot.SubmitPrompt(ctx, ed1, "onze-eerste", e.Stamp); refusal(t, err) < 3 {
		t.Errorf("submitted with gaps: %v", err)
	}
	p := d.entry(promptKey(known)).Prompt.Tidy()
	p.ID, p.Family = "onze-eerste", "onze-eerste"
	e = d.save(ed1, bot.Entry{Prompt: &p}, e.Stamp)
	for name, err := range map[string]error{
		"the same new one":  saveErr(d, bot.Change{Entry: e}),
		"a built-in one":    saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: known}}}),
		"one of its family": saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: known}}, Stamp: ""}),
	} {
		if !errors.Is(err, bot.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: "nooit-gemaakt"}}, Stamp: "1-x"}); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	if err := saveErr(d, bot.Change{}); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("nothing at all: %v", err)
	}
	if err := saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: "Met Hoofdletter"}}}); refusal(t, err) == 0 {
		t.Error("an ID that is none")
	}
	if _, active := d.asked("onze-eerste"); active {
		t.Error("a draft is asked")
	}
	if e, err := d.bot.SubmitPrompt(ctx, ed1, "onze-eerste", e.Stamp); err != nil {
		t.Error(err)
	} else if _, err := d.bot.ActivatePrompt(ctx, ed2, "onze-eerste", e.Stamp); err != nil {
		t.Error(err)
	}
	if _, active := d.asked("onze-eerste"); !active {
		t.Error("a reviewed prompt is not asked")
	}
}

func saveErr(d *desk, c bot.Change) error {
	_, err := d.bot.SaveEntry(context.Background(), ed1, c)
	return err
}

// Of editors who change the same version at once one succeeds; the others get what is there now, and nothing is lost.
func TestEditorsAtOnce(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	before := d.entry(promptKey(known))
	other := d.entry(promptKey("value-your-promise"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, lost := 0, 0
	for _, title := range []string{"Een", "Twee", "Drie", "Vier", "Vijf", "Zes"} {
		wg.Go(func() {
			got, err := d.bot.SaveEntry(ctx, ed1, bot.Change{Entry: retitled(before, title), Stamp: before.Stamp})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, bot.ErrConflict) && got.Prompt != nil && got.Stamp != before.Stamp && got.Prompt.Status == prompts.Draft:
				lost++
			default:
				t.Errorf("%v %+v", err, got)
			}
		})
	}
	wg.Go(func() { // another entry is another matter
		if _, err := d.bot.SaveEntry(ctx, ed2, bot.Change{Entry: retitled(other, "Anders"), Stamp: other.Stamp}); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if won != 1 || lost != 5 {
		t.Errorf("%d won, %d lost", won, lost)
	}
	if history, err := d.bot.EntryHistory(ctx, promptKey(known)); err != nil || len(history) != 2 {
		t.Errorf("%d states, %v", len(history), err)
	}
	for name, err := range map[string]error{
		"submit": second(d.bot.SubmitPrompt(ctx, ed1, known, before.Stamp)), "retire": second(d.bot.RetireEntry(ctx, ed1, promptKey(known), before.Stamp)),
		"without a version": second(d.bot.RetireEntry(ctx, ed1, promptKey(known), "")), "restore": second(d.bot.RestoreEntry(ctx, ed1, promptKey(known), 0, before.Stamp)),
		"settle": second(d.bot.SettleUpdate(ctx, ed1, promptKey(known), bot.TakeNew, before.Stamp)),
	} {
		if !errors.Is(err, bot.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Nothing is deleted: what is retired is asked no more, keeps its ID and its history, and comes back as it went.
func TestRetiringAndWaking(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	e := d.entry(promptKey(known))
	e, err := d.bot.RetireEntry(ctx, ed1, e.Key, e.Stamp)
	if err != nil || !e.Retired || e.Prompt.Status != prompts.Retired {
		t.Fatalf("%+v %v", e, err)
	}
	if _, active := d.asked(known); active {
		t.Error("a retired prompt is asked")
	}
	if err := saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: known}}}); !errors.Is(err, bot.ErrExists) {
		t.Errorf("its ID was used again: %v", err)
	}
	if err := saveErr(d, bot.Change{Entry: retitled(e, "Anders"), Stamp: e.Stamp}); refusal(t, err) != 1 {
		t.Error("a retired prompt was edited")
	}
	if e, err = d.bot.WakeEntry(ctx, ed1, e.Key, e.Stamp); err != nil || e.Origin != bot.OriginBuiltin || e.Prompt.Status != prompts.Active {
		t.Errorf("as it is built in, and yet %+v %v", e, err)
	}
	// One that was changed is a draft again, and while it was one, retiring took away what was in force.
	e = d.save(ed1, retitled(e, "Nog één schip"), e.Stamp)
	if e, err = d.bot.RetireEntry(ctx, ed1, e.Key, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if _, active := d.asked(known); active {
		t.Error("what was in force under a retired draft is asked")
	}
	if e, err = d.bot.WakeEntry(ctx, ed2, e.Key, e.Stamp); err != nil || e.Prompt.Status != prompts.Draft || e.Prompt.In(prompts.Dutch).Title != "Nog één schip" {
		t.Errorf("%+v %v", e.Prompt, err)
	}
	for _, k := range []bot.EntryKey{key(bot.EntryTension, string(d.o.Library.Tensions[0].ID)), key(bot.EntryValue, string(d.o.Library.Values[0].ID)),
		key(bot.EntryAudience, string(d.o.Library.Audiences[0].ID))} {
		e := d.entry(k)
		if e, err = d.bot.RetireEntry(ctx, ed1, k, e.Stamp); err != nil || !e.Retired {
			t.Errorf("%s: %v", k, err)
		}
		if again, err := d.bot.RetireEntry(ctx, ed1, k, e.Stamp); err != nil || again.Stamp != e.Stamp {
			t.Errorf("%s twice: %v", k, err)
		}
		c, err := d.bot.Catalogue(ctx)
		if err != nil || len(c.Problems) > 0 {
			t.Errorf("%v %v", c.Problems, err)
		}
		if e, err = d.bot.WakeEntry(ctx, ed1, k, e.Stamp); err != nil || e.Retired || e.Origin != bot.OriginBuiltin {
			t.Errorf("%s: %v %+v", k, err, e)
		}
	}
}

// What was comes back by the rules of an edit: a draft that somebody else reads, or at once for what needs no review.
func TestRestoring(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	e := d.entry(promptKey(known))
	for _, title := range []string{"Een", "Twee"} {
		e = d.save(ed1, retitled(e, title), e.Stamp)
	}
	e, err := d.bot.RestoreEntry(ctx, ed2, e.Key, 1, e.Stamp)
	if err != nil || e.Prompt.In(prompts.Dutch).Title != "Een" || e.Prompt.Status != prompts.Draft || e.Prompt.Revision != d.o.Library.Prompts[0].Revision+3 {
		t.Errorf("%+v %v", e.Prompt, err)
	}
	for _, n := range []int{-1, 99} {
		if _, err := d.bot.RestoreEntry(ctx, ed2, e.Key, n, e.Stamp); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("state %d: %v", n, err)
		}
	}
	// Back to what is built in, reviewed: then it is no local change any more.
	if e, err = d.bot.RestoreEntry(ctx, ed1, e.Key, 0, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if e, err = d.bot.SubmitPrompt(ctx, ed1, known, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if e, err = d.bot.ActivatePrompt(ctx, "test:ed3", known, e.Stamp); err != nil || e.Local || e.Origin != bot.OriginBuiltin {
		t.Errorf("%+v %v", e, err)
	}
}

// Tensions, values and audiences are in force at once. Another sense counts anew, unless the editor says it means the same.
func TestTensionsAreEdited(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	k := key(bot.EntryTension, "tailoring-equality")
	first := d.entry(k)
	renamed := func(e bot.Entry, label string) bot.Entry {
		w := e.Tension.Tidy()
		w.Label = prompts.Text{prompts.Dutch: label, prompts.English: label}
		e.Tension = &w
		return e
	}
	same, err := d.bot.SaveEntry(ctx, ed1, bot.Change{Entry: renamed(first, "Maat houden"), Stamp: first.Stamp, SameMeaning: true})
	if err != nil || !same.Tension.Means(first.Tension.Sense()) || same.Tension.Label[prompts.Dutch] != "Maat houden" {
		t.Fatalf("%+v %v", same.Tension, err)
	}
	c, err := d.bot.Catalogue(ctx)
	if now, _ := c.Library.Tension("tailoring-equality"); err != nil || now.Label[prompts.Dutch] != "Maat houden" {
		t.Errorf("not in force: %v %v", now.Label, err)
	}
	other := d.save(ed1, renamed(same, "Iets anders"), same.Stamp)
	if other.Tension.Means(first.Tension.Sense()) || len(other.Tension.Formerly) > 0 {
		t.Errorf("another meaning counts on: %v", other.Tension.Formerly)
	}
	back, err := d.bot.RestoreEntry(ctx, ed1, k, 1, other.Stamp)
	if err != nil || back.Tension.Label[prompts.Dutch] != "Maat houden" {
		t.Errorf("%+v %v", back.Tension, err)
	}
	// Cues change no count and no sense.
	w := same.Tension.Tidy()
	nl := w.Definitions[prompts.Dutch]
	nl.Examples = append(slices.Clone(nl.Examples), "Dit is een zin over maatwerk die nog niet in de lijst stond.")
	w.Definitions = map[prompts.Lang]prompts.Definition{prompts.Dutch: nl, prompts.English: w.Definitions[prompts.English]}
	if got := d.save(ed1, bot.Entry{Tension: &w}, back.Stamp); !got.Tension.Means(same.Tension.Sense()) {
		t.Error("other cues, another sense")
	}
	value := d.save(ed1, bot.Entry{Value: &prompts.Value{ID: "geduld", Name: prompts.Text{prompts.Dutch: " geduld ", prompts.English: "patience"}}}, "")
	if value.Value.Name[prompts.Dutch] != "geduld" {
		t.Errorf("%+v", value.Value)
	}
	for name, e := range map[string]bot.Entry{
		"a value in one language": {Value: &prompts.Value{ID: "moed", Name: prompts.Text{prompts.Dutch: "moed"}}},
		"an audience for all":     {Audience: &prompts.Audience{ID: "all", Name: prompts.Text{prompts.Dutch: "a", prompts.English: "b"}}},
		"half a tension":          {Tension: &prompts.Tension{ID: "half", Label: prompts.Text{prompts.Dutch: "half"}}},
	} {
		if refusal(t, saveErr(d, bot.Change{Entry: e})) == 0 {
			t.Error(name)
		}
	}
}

// An open round keeps the words it was asked with, whatever editors do meanwhile.
func TestAnOpenRoundKeepsItsWords(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.o.Editors = []bot.ActorID{ed1}
	w.restart()
	ctx := context.Background()
	e, err := w.bot.Entry(ctx, promptKey(string(r.Prompt.ID)))
	if err != nil {
		t.Fatal(err)
	}
	said := r.Prompt.In(prompts.Dutch).Title
	if e, err = w.bot.SaveEntry(ctx, ed1, bot.Change{Entry: retitled(e, "Heel anders"), Stamp: e.Stamp}); err != nil {
		t.Fatal(err)
	}
	if e, err = w.bot.SubmitPrompt(ctx, ed1, r.Prompt.ID, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if e, err = w.bot.ActivatePrompt(ctx, ed1, r.Prompt.ID, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bot.RetireEntry(ctx, ed1, e.Key, e.Stamp); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		w.answer("p"+string(rune('1'+i)), r.ID, map[string][]string{"text": {"een antwoord"}, "share": {"count"}, "tags": {"quality-speed"}})
	}
	got := w.finish(r)
	if got.Prompt.In(prompts.Dutch).Title != said || got.Prompt.Revision != r.Prompt.Revision || strings.Contains(w.channel(crew), "Heel anders") {
		t.Errorf("asked %q, given back %q", said, got.Prompt.In(prompts.Dutch).Title)
	}
	shown, err := w.bot.Entry(ctx, e.Key)
	if err != nil || shown.Shown.Rounds != 1 || shown.Shown.Teams != 1 || !shown.Shown.Last.Equal(r.Opens) || shown.Shown.Rests.IsZero() || shown.Shown.Missed != 0 {
		t.Errorf("%+v %v", shown.Shown, err)
	}
}

// A round counts as missed from three people on; fewer are never told.
func TestMissedIsToldFromThreeOn(t *testing.T) {
	for missed, want := range map[int]int{2: 0, 3: 1} {
		w, r := openWorld(t, 8)
		for i := range 8 {
			values := map[string][]string{"text": {"x"}, "share": {"count"}, "tags": {"quality-speed"}}
			if i < missed {
				values["stance"] = []string{string(bot.StanceNotMe)}
			}
			w.answer("p"+string(rune('1'+i)), r.ID, values)
		}
		got := w.finish(r)
		e, err := w.bot.Entry(context.Background(), promptKey(string(r.Prompt.ID)))
		if err != nil || e.Shown.Missed != want {
			t.Errorf("%d said so: %+v %v; %s %+v", missed, e.Shown, err, got.State, got.Tally)
		}
		w.close()
	}
}

// release is the same store under a program whose built-in library is another.
func (d *desk) release(change func(*prompts.Library)) {
	d.t.Helper()
	lib := d.o.Library
	lib.Prompts, lib.Tensions, lib.Values = slices.Clone(lib.Prompts), slices.Clone(lib.Tensions), slices.Clone(lib.Values)
	change(&lib)
	d.o.Library = lib
	d.restart()
}

// inRelease changes one prompt of a release.
func inRelease(id string, change func(*prompts.Prompt)) func(*prompts.Library) {
	return func(l *prompts.Library) {
		for i := range l.Prompts {
			if l.Prompts[i].ID == prompts.ID(id) {
				p := l.Prompts[i].Tidy()
				change(&p)
				p.Revision, p.Reviewer = p.Revision+1, "Lezer"
				l.Prompts[i] = p
			}
		}
	}
}

func dutch(change func(*prompts.Words)) func(*prompts.Prompt) {
	return func(p *prompts.Prompt) {
		w := p.Words[prompts.Dutch]
		change(&w)
		p.Words[prompts.Dutch] = w
	}
}

// A new release changes nothing of what the organisation changed: both are shown, mine stays in force until an editor
// decides, and what the organisation left alone follows the release.
func TestAReleaseKeepsLocalChanges(t *testing.T) {
	mine := dutch(func(w *prompts.Words) { w.Title = "Mijn titel" })
	theirText := dutch(func(w *prompts.Words) { w.Text += " Er is een tweede sluis." })
	theirTitle := dutch(func(w *prompts.Words) { w.Title = "Hun titel" })
	for _, c := range []struct {
		name   string
		mine   func(*prompts.Prompt) // nil: left alone
		theirs func(*prompts.Prompt)
		shown  bool
		clash  []string
		merged string // title, and whether their text is in it
		text   bool
	}{
		{"left alone", nil, theirTitle, false, nil, "", false},
		{"only mine", mine, func(*prompts.Prompt) {}, false, nil, "", false},
		{"another field", mine, theirText, true, nil, "Mijn titel", true},
		{"the same field", mine, theirTitle, true, []string{"nl.title"}, "Mijn titel", false},
		{"the same words", mine, mine, true, nil, "Mijn titel", false},
	} {
		for _, take := range []string{bot.TakeMine, bot.TakeNew, bot.TakeMerged} {
			t.Run(c.name+", "+take, func(t *testing.T) {
				d, ctx := newDesk(t), context.Background()
				k := promptKey(known)
				e := d.entry(k)
				if c.mine != nil {
					p := e.Prompt.Tidy()
					c.mine(&p)
					e = d.save(ed1, bot.Entry{Prompt: &p}, e.Stamp)
					var err error
					if e, err = d.bot.SubmitPrompt(ctx, ed1, known, e.Stamp); err != nil {
						t.Fatal(err)
					}
					if e, err = d.bot.ActivatePrompt(ctx, ed2, known, e.Stamp); err != nil {
						t.Fatal(err)
					}
				}
				stale := e.Stamp
				d.release(inRelease(known, c.theirs))
				e = d.entry(k)
				title := e.Prompt.In(prompts.Dutch).Title
				if asked, active := d.asked(known); !active || asked.In(prompts.Dutch).Title != title || c.mine != nil && title != "Mijn titel" {
					t.Errorf("asked as %q", asked.In(prompts.Dutch).Title)
				}
				if c.mine == nil && title != "Hun titel" {
					t.Errorf("left alone, and yet %q", title)
				}
				if (e.Update != nil) != c.shown {
					t.Fatalf("shown: %v", e.Update != nil)
				}
				if !c.shown {
					if _, err := d.bot.SettleUpdate(ctx, ed1, k, take, e.Stamp); !errors.Is(err, bot.ErrNotFound) {
						t.Errorf("nothing to decide: %v", err)
					}
					return
				}
				u := e.Update
				if !slices.Equal(u.Clash, c.clash) || u.Merged.Prompt.In(prompts.Dutch).Title != c.merged || u.Base.Prompt == nil ||
					strings.Contains(u.Merged.Prompt.In(prompts.Dutch).Text, "tweede sluis") != c.text {
					t.Errorf("clash %v, merged %+v", u.Clash, u.Merged.Prompt)
				}
				if _, err := d.bot.SettleUpdate(ctx, ed1, k, take, stale); !errors.Is(err, bot.ErrConflict) {
					t.Errorf("decided without having seen it: %v", err)
				}
				got, err := d.bot.SettleUpdate(ctx, ed1, k, take, e.Stamp)
				if err != nil || got.Update != nil {
					t.Fatalf("%v %+v", err, got.Update)
				}
				asked, active := d.asked(known)
				switch take {
				case bot.TakeMine:
					if asked.In(prompts.Dutch).Title != "Mijn titel" || !got.Local && c.name != "the same words" {
						t.Errorf("%+v", got)
					}
				case bot.TakeNew:
					now, _ := d.o.Library.Prompt(known)
					if !active || asked.In(prompts.Dutch).Title != now.In(prompts.Dutch).Title || got.Local || got.Origin != bot.OriginBuiltin {
						t.Errorf("%+v", got)
					}
				case bot.TakeMerged:
					if !active || asked.In(prompts.Dutch).Title != "Mijn titel" { // reviewed before it is asked
						t.Errorf("asked as %q", asked.In(prompts.Dutch).Title)
					}
					if c.text && (got.Prompt.Status != prompts.Draft || !strings.Contains(got.Prompt.In(prompts.Dutch).Text, "tweede sluis")) {
						t.Errorf("%+v", got.Prompt)
					}
				}
				d.release(func(*prompts.Library) {}) // decided once
				if e := d.entry(k); e.Update != nil {
					t.Error("asked again after a restart")
				}
			})
		}
	}
}

// An ID that a release drops is not used again, one that it brings and the organisation had is shown, and a draft of a
// retired one goes.
func TestAReleaseAndIDs(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	old := d.o.Library
	d.save(ed1, bot.Entry{Prompt: &prompts.Prompt{ID: "later-ook-ingebouwd"}}, "")
	d.release(func(l *prompts.Library) {
		l.Prompts = slices.DeleteFunc(l.Prompts, func(p prompts.Prompt) bool { return p.ID == known })
		p := old.Prompts[1].Tidy()
		p.ID, p.Family, p.Reviewer = "later-ook-ingebouwd", "later-ook-ingebouwd", "Lezer"
		l.Prompts = append(l.Prompts, p)
	})
	if _, err := d.bot.Entry(ctx, promptKey(known)); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("dropped, and yet %v", err)
	}
	if err := saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: known}}}); !errors.Is(err, bot.ErrExists) {
		t.Errorf("the ID of a dropped prompt was used again: %v", err)
	}
	e := d.entry(promptKey("later-ook-ingebouwd"))
	if e.Update == nil || e.Update.Base.Prompt != nil || e.Update.New.Prompt == nil || e.Prompt.Status != prompts.Draft || len(e.Update.Clash) == 0 {
		t.Errorf("%+v", e.Update)
	}
	if _, active := d.asked("later-ook-ingebouwd"); active {
		t.Error("what the release brings is asked before anybody decided")
	}
	if e, err := d.bot.SettleUpdate(ctx, ed1, e.Key, bot.TakeNew, e.Stamp); err != nil || e.Origin != bot.OriginBuiltin || e.Prompt.Status != prompts.Active {
		t.Errorf("%+v %v", e, err)
	}
}

// What goes out comes back unchanged, as TOML and as a table: the whole library, with drafts, retired entries and own ones.
func TestImportedNothingLost(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	e := d.entry(promptKey(known))
	d.save(ed1, retitled(e, "=SOM(1;2)"), e.Stamp)
	d.save(ed1, bot.Entry{Prompt: &prompts.Prompt{ID: "half-af", Words: map[prompts.Lang]prompts.Words{prompts.Dutch: {Title: "@ons", Followups: []string{"Een?"}}}}}, "")
	v := d.entry(key(bot.EntryValue, string(d.o.Library.Values[0].ID)))
	if _, err := d.bot.RetireEntry(ctx, ed1, v.Key, v.Stamp); err != nil {
		t.Fatal(err)
	}
	lib, err := d.bot.NewestLibrary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		out func(*bytes.Buffer) error
		in  func(*bytes.Buffer) (prompts.Library, error)
	}{
		"TOML":    {func(b *bytes.Buffer) error { return prompts.Encode(b, lib) }, func(b *bytes.Buffer) (prompts.Library, error) { return prompts.Decode(b) }},
		"a table": {func(b *bytes.Buffer) error { return prompts.EncodeCSV(b, lib) }, func(b *bytes.Buffer) (prompts.Library, error) { return prompts.DecodeCSV(b) }},
	} {
		var file bytes.Buffer
		if err := c.out(&file); err != nil {
			t.Fatal(err)
		}
		in, err := c.in(&file)
		if err != nil {
			t.Fatal(name, err)
		}
		plan, err := d.bot.PlanImport(ctx, in)
		if err != nil || len(plan.New)+len(plan.Changed)+len(plan.Refused) > 0 || plan.Same < len(lib.Prompts) {
			t.Errorf("%s: %d new, %d changed %+v, %d the same, refused %+v (%v)", name, len(plan.New), len(plan.Changed), plan.Changed, plan.Same, plan.Refused, err)
		}
		if err := d.bot.ApplyImport(ctx, ed1, plan); err != nil {
			t.Error(err)
		}
	}
	after, err := d.bot.NewestLibrary(ctx)
	if err != nil || !prompts.SameLibrary(lib, after) {
		t.Errorf("the library changed (%v)", err)
	}
	// Into an empty installation everything comes, and comes to the same.
	fresh := newDesk(t)
	var file bytes.Buffer
	if err := prompts.Encode(&file, lib); err != nil {
		t.Fatal(err)
	}
	in, err := prompts.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := fresh.bot.PlanReviewedImport(ctx, in)
	if err != nil || len(plan.New) != 1 || len(plan.Changed) != 2 {
		t.Fatalf("%d new, %d changed (%v) %+v", len(plan.New), len(plan.Changed), err, plan.Refused)
	}
	if err := fresh.bot.ApplyImport(ctx, ed1, plan); err != nil {
		t.Fatal(err)
	}
	if got, err := fresh.bot.NewestLibrary(ctx); err != nil || !prompts.SameLibrary(lib, got) {
		t.Errorf("not the same library (%v)", err)
	}
}

// An import says beforehand what it does, is done whole or not at all, and undoes nothing that changed meanwhile.
func TestImports(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	built, _ := d.o.Library.Prompt(known)
	fresh := built.Tidy()
	fresh.ID, fresh.Family, fresh.Reviewer = "van-buiten", "van-buiten", "Lezer"
	changed := built.Tidy()
	dutch(func(w *prompts.Words) { w.Title = "Uit het blad" })(&changed)
	lib := prompts.Library{Prompts: []prompts.Prompt{fresh, changed, d.o.Library.Prompts[3]}}
	plan, err := d.bot.PlanImport(ctx, lib)
	if err != nil || len(plan.New) != 1 || len(plan.Changed) != 1 || plan.Same != 1 || len(plan.Refused) > 0 {
		t.Fatalf("%+v %v", plan, err)
	}
	fields := map[string]bot.FieldChange{}
	for _, f := range plan.Changed[0].Fields {
		fields[f.Field] = f
	}
	if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, []string{"nl.title", "revision", "status"}) || fields["nl.title"].After != "Uit het blad" {
		t.Errorf("%v", plan.Changed[0].Fields)
	}
	// Somebody edits something in between.
	v := d.entry(key(bot.EntryValue, string(d.o.Library.Values[0].ID)))
	if _, err := d.bot.RetireEntry(ctx, ed2, v.Key, v.Stamp); err != nil {
		t.Fatal(err)
	}
	if err := d.bot.ApplyImport(ctx, ed1, plan); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("applied to another library: %v", err)
	}
	if plan, err = d.bot.PlanImport(ctx, lib); err != nil {
		t.Fatal(err)
	}
	if err := d.bot.ApplyImport(ctx, ed1, plan); err != nil {
		t.Fatal(err)
	}
	e := d.entry(promptKey(known))
	if e.Prompt.Status != prompts.Review || e.InForce == nil || e.Prompt.Revision != built.Revision+1 || e.Prompt.In(prompts.Dutch).Title != "Uit het blad" {
		t.Errorf("%+v", e)
	}
	if asked, active := d.asked(known); !active || asked.In(prompts.Dutch).Title != built.In(prompts.Dutch).Title {
		t.Errorf("asked as %q before anybody read it", asked.In(prompts.Dutch).Title)
	}
	if _, err := d.bot.ActivatePrompt(ctx, ed1, "van-buiten", d.entry(promptKey("van-buiten")).Stamp); !errors.Is(err, bot.ErrSelfReview) {
		t.Errorf("who brought it in let it through: %v", err)
	}
	// The same file again is older than the library now; so are other ways to be wrong.
	retired := d.entry(v.Key)
	for name, c := range map[string]struct {
		lib   prompts.Library
		field string
	}{
		"an older revision": {prompts.Library{Prompts: []prompts.Prompt{built}}, "revision"},
		"one id twice":      {prompts.Library{Prompts: []prompts.Prompt{fresh, fresh}}, "id"},
		"no audience":       {prompts.Library{Prompts: []prompts.Prompt{alone(fresh, func(p *prompts.Prompt) { p.Audience = nil })}}, "audience"},
		"leading": {prompts.Library{Prompts: []prompts.Prompt{alone(fresh, dutch(func(w *prompts.Words) { w.Question = "Wat is natuurlijk het beste?" }))}},
			"nl.question"},
		"half a value": {prompts.Library{Values: []prompts.Value{{ID: "moed", Name: prompts.Text{prompts.Dutch: "moed"}}}}, "en.name"},
	} {
		plan, err := d.bot.PlanImport(ctx, c.lib)
		if err != nil || len(plan.Refused) == 0 || plan.Refused[0].Field != c.field || plan.Refused[0].Text[prompts.Dutch] == "" || plan.Refused[0].Text[prompts.English] == "" {
			t.Errorf("%s: %+v %v", name, plan.Refused, err)
		}
		if err := d.bot.ApplyImport(ctx, ed1, plan); refusal(t, err) == 0 {
			t.Errorf("%s was applied", name)
		}
	}
	_ = retired
	// The operator answers for what the file says.
	fresh.Words = map[prompts.Lang]prompts.Words{prompts.Dutch: fresh.Words[prompts.Dutch], prompts.English: fresh.Words[prompts.English]}
	dutch(func(w *prompts.Words) { w.Title = "Weer uit het blad" })(&fresh)
	fresh.Revision = 9
	if plan, err = d.bot.PlanReviewedImport(ctx, prompts.Library{Prompts: []prompts.Prompt{fresh}}); err != nil || len(plan.Refused) > 0 {
		t.Fatalf("%+v %v", plan.Refused, err)
	}
	if err := d.bot.ApplyImport(ctx, "operator:local", plan); err != nil {
		t.Fatal(err)
	}
	if p, active := d.asked("van-buiten"); !active || p.Revision != 9 {
		t.Errorf("%+v", p)
	}
}

// alone is a copy of a prompt with a change.
func alone(p prompts.Prompt, change func(*prompts.Prompt)) prompts.Prompt {
	p = p.Tidy()
	p.Revision = 50
	change(&p)
	return p
}

// The catalogue is the whole library in a fixed order, with what a page needs.
func TestTheCatalogue(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	c, err := d.bot.Catalogue(ctx)
	lib := d.o.Library
	if err != nil || len(c.Entries) != len(lib.Tensions)+len(lib.Values)+len(lib.Audiences)+len(lib.Prompts) || c.Editors != 2 || c.Files != nil ||
		len(c.Coverage) != len(lib.Audiences) || len(c.Problems) > 0 || c.Stamp == "" {
		t.Fatalf("%d entries, %d editors, %v", len(c.Entries), c.Editors, err)
	}
	if !slices.IsSortedFunc(c.Entries[len(c.Entries)-len(lib.Prompts):], func(a, b bot.Entry) int { return strings.Compare(a.Key.ID, b.Key.ID) }) ||
		c.Entries[0].Key.ID != string(lib.Tensions[0].ID) {
		t.Error("in another order")
	}
	for _, e := range c.Entries {
		if e.Key.Kind == bot.EntryPrompt && (e.Prompt == nil || e.Tension != nil) || e.Stamp == "" || e.Origin != bot.OriginBuiltin {
			t.Errorf("%+v", e)
		}
	}
	// What is handed out is nobody else's.
	last := c.Entries[len(c.Entries)-1]
	last.Prompt.Words[prompts.Dutch] = prompts.Words{Title: "aangeraakt"}
	if again := d.entry(last.Key); again.Prompt.In(prompts.Dutch).Title == "aangeraakt" {
		t.Error("an entry shares its words with the library")
	}
	if !d.bot.MayEdit(ed1) || d.bot.MayEdit("test:p1") {
		t.Error("who may edit")
	}
	p := d.entry(promptKey(known)).Prompt
	m := d.bot.Preview(*p, prompts.English)
	if text := plain(bot.Response{Message: &m}); !strings.Contains(text, p.In(prompts.English).Question) || !strings.Contains(text, p.In(prompts.English).PoleA) {
		t.Errorf("preview\n%s", text)
	}
	if got := d.bot.Diff(d.entry(promptKey(known)), retitled(d.entry(promptKey(known)), "Anders")); len(got) != 1 || got[0].Field != "nl.title" || got[0].After != "Anders" {
		t.Errorf("%+v", got)
	}
}

// fileState is a directory of files with these prompts.
func fileState(hash string, list ...prompts.Prompt) bot.FileState {
	return bot.FileState{At: time.Now(), Hash: hash, Library: prompts.Library{Prompts: list}, Where: func(k bot.EntryKey, field string) string {
		return "een.toml:12"
	}}
}

// The directory of files stands between the built-in library and the organisation's own. It is taken whole or refused
// whole, and the last good state stays, also over a restart.
func TestTheDirectoryOfFiles(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	built, _ := d.o.Library.Prompt(known)
	one := built.Tidy()
	one.ID, one.Family, one.Reviewer = "uit-git", "uit-git", "Lezer"
	over := built.Tidy()
	dutch(func(w *prompts.Words) { w.Title = "Uit git" })(&over)
	over.Revision, over.Reviewer = 9, "Lezer"
	if err := d.bot.TakeFiles(ctx, fileState("1", one, over)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"uit-git", known} {
		e := d.entry(promptKey(id))
		if _, active := d.asked(id); !active || e.Origin != bot.OriginFiles || !e.ReadOnly || e.Local {
			t.Errorf("%s: %+v", id, e)
		}
		for name, err := range map[string]error{
			"save": saveErr(d, bot.Change{Entry: retitled(e, "Anders"), Stamp: e.Stamp}), "retire": second(d.bot.RetireEntry(ctx, ed1, e.Key, e.Stamp)),
		} {
			if !errors.Is(err, bot.ErrReadOnly) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	own := d.save(ed1, bot.Entry{Prompt: &prompts.Prompt{ID: "van-ons"}}, "")
	mine := one.Tidy()
	mine.ID = "van-ons"
	broken := one.Tidy()
	broken.Audience = []prompts.AudienceID{"astronauts"}
	loud := one.Tidy()
	dutch(func(w *prompts.Words) { w.Question = "Wat is natuurlijk het beste?" })(&loud)
	for name, c := range map[string]struct {
		state bot.FileState
		want  string
	}{
		"an own entry's id": {fileState("2", one, mine), "een.toml:12: prompt van-ons: id: is an entry that editors made here"},
		"one id twice":      {fileState("2", one, one), "een.toml:12: prompt uit-git: id: is used twice"},
		"a broken rule":     {fileState("2", broken), `audience: "astronauts" is unknown`},
		"a lint error":      {fileState("2", loud), "nl.question: "},
		"unreadable":        {bot.FileState{At: time.Now(), Wrong: []string{"een.toml:3: unknown key"}}, "een.toml:3: unknown key"},
	} {
		c.state.Hash = name
		err := d.bot.TakeFiles(ctx, c.state)
		refused, ok := errors.AsType[*bot.FilesRefused](err)
		if !ok || !strings.Contains(strings.Join(refused.Problems, "\n"), c.want) {
			t.Errorf("%s: %v %+v", name, err, refused)
		}
		cat, err := d.bot.Catalogue(ctx)
		if err != nil || cat.Files == nil || !strings.Contains(strings.Join(cat.Files.Problems, "\n"), c.want) {
			t.Errorf("%s: not told: %+v %v", name, cat.Files, err)
		}
		if p, active := d.asked(known); !active || p.In(prompts.Dutch).Title != "Uit git" {
			t.Errorf("%s: the last good state is gone: %q", name, p.In(prompts.Dutch).Title)
		}
	}
	d.restart()
	if p, active := d.asked("uit-git"); !active || p.Reviewer != "Lezer" {
		t.Error("the last good state did not survive a restart")
	}
	if err := d.bot.TakeFiles(ctx, fileState("3", over)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.bot.Entry(ctx, promptKey("uit-git")); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("taken out of the directory, and yet %v", err)
	}
	if err := saveErr(d, bot.Change{Entry: bot.Entry{Prompt: &prompts.Prompt{ID: "uit-git"}}}); !errors.Is(err, bot.ErrExists) {
		t.Errorf("its ID was used again: %v", err)
	}
	if err := d.bot.TakeFiles(ctx, fileState("4", one)); err != nil { // git brings it back
		t.Error(err)
	}
	if some, err := d.bot.ForgetFiles(ctx); err != nil || !some {
		t.Error(some, err)
	}
	if p, active := d.asked(known); !active || p.In(prompts.Dutch).Title != built.In(prompts.Dutch).Title {
		t.Errorf("without the directory: %q", p.In(prompts.Dutch).Title)
	}
	if some, err := d.bot.ForgetFiles(ctx); err != nil || some {
		t.Error(some, err)
	}
	if e := d.entry(own.Key); e.Prompt.Status != prompts.Draft {
		t.Errorf("%+v", e)
	}
}

// What came in before the library kept bases and names counts as made from what is built in now.
func TestAnOlderStoresChangesHaveABase(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	fresh := newWorld(t, nil)
	defer fresh.close()
	p := d.o.Library.Prompts[0].Tidy()
	dutch(func(w *prompts.Words) { w.Title = "Mijn titel" })(&p)
	k := promptKey(string(p.ID))
	err := fresh.db.UpdateOwn(ctx, func(own *bot.Own) (bot.Also, error) {
		own.Entries[k] = bot.OwnEntry{Now: bot.Content{Prompt: &p}, Serial: 1, Last: bot.Act{What: "before"}}
		clear(own.Used)
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := fresh.bot.Entry(ctx, k)
	if err != nil || !e.Local || e.Prompt.In(prompts.Dutch).Title != "Mijn titel" {
		t.Fatalf("%+v %v", e, err)
	}
}

// A kept copy of the directory that this program cannot read stops nothing: the rest of the library works, it is told, and
// the directory as it stands is taken again, also when it is still the same.
func TestAKeptCopyThatCannotBeRead(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	built, _ := d.o.Library.Prompt(known)
	one := built.Tidy()
	one.ID, one.Family, one.Reviewer = "uit-git", "uit-git", "Lezer"
	state := fileState("1", one)
	if err := d.bot.TakeFiles(ctx, state); err != nil {
		t.Fatal(err)
	}
	spoil := func() {
		t.Helper()
		err := d.db.UpdateOwn(ctx, func(own *bot.Own) (bot.Also, error) {
			own.Files.TOML = "schema = 1\n[later]\nkey = 1\n"
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		d.restart()
	}
	spoil()
	d.run()
	d.save(ed1, bot.Entry{Prompt: &prompts.Prompt{ID: "van-ons"}}, "")
	if c, err := d.bot.Catalogue(ctx); err != nil || c.Files == nil || len(c.Files.Problems) != 1 {
		t.Errorf("not told: %+v %v", c.Files, err)
	}
	state.At = state.At.Add(time.Minute)
	if err := d.bot.TakeFiles(ctx, state); err != nil {
		t.Fatal(err)
	}
	if c, err := d.bot.Catalogue(ctx); err != nil || c.Files != nil {
		t.Errorf("taken, and yet %+v %v", c.Files, err)
	}
	if _, active := d.asked("uit-git"); !active {
		t.Error("the directory was not taken again")
	}
	spoil()
	if _, err := d.bot.ForgetFiles(ctx); err != nil {
		t.Error(err)
	}
	if c, err := d.bot.Catalogue(ctx); err != nil || c.Files != nil {
		t.Errorf("no directory, and yet %+v %v", c.Files, err)
	}
	// As one file it is larger than a file may be.
	large := built.Tidy()
	large.ID, large.Family, large.Reviewer, large.Status = "groot", "groot", "Lezer", prompts.Draft
	large.Themes = []string{strings.Repeat("a", prompts.MaxFile)}
	err := d.bot.TakeFiles(ctx, fileState("2", large))
	if refused, ok := errors.AsType[*bot.FilesRefused](err); !ok || !strings.Contains(strings.Join(refused.Problems, ""), "larger than 8 MiB") {
		t.Errorf("too large to be read again: %.200v", err)
	}
}

// A file says nothing of what tensions meant before. What counts goes on counting when one comes in, and a file that is older
// than what an editor did since, or says something else, is refused.
func TestImportingATensionKeepsItsCounts(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	k := key(bot.EntryTension, "tailoring-equality")
	first := d.entry(k)
	labelled := func(e bot.Entry, label string) *prompts.Tension {
		w := e.Tension.Tidy()
		w.Label = prompts.Text{prompts.Dutch: label, prompts.English: label}
		return &w
	}
	now, err := d.bot.SaveEntry(ctx, ed1, bot.Change{Entry: bot.Entry{Tension: labelled(first, "Maat houden")}, Stamp: first.Stamp, SameMeaning: true})
	if err != nil {
		t.Fatal(err)
	}
	counts := func() {
		t.Helper()
		if e := d.entry(k); !e.Tension.Means(first.Tension.Sense()) || e.Tension.Label[prompts.Dutch] != "Maat houden" {
			t.Errorf("%v counts for %v", e.Tension.Label, e.Tension.Formerly)
		}
	}
	without := now.Tension.Tidy()
	without.Formerly = nil
	short := without.Tidy()
	short.Short = prompts.Text{prompts.Dutch: "Maat", prompts.English: "Measure"}
	for name, c := range map[string]struct {
		t       *prompts.Tension
		refused string
		same    int
	}{
		"older than the last edit":     {first.Tension, "veranderd sinds", 0},
		"other words":                  {labelled(first, "Iets anders"), "andere woorden", 0},
		"the same, without its senses": {&without, "", 1},
	} {
		plan, err := d.bot.PlanImport(ctx, prompts.Library{Tensions: []prompts.Tension{*c.t}})
		if err != nil || plan.Same != c.same || len(plan.Refused) != 1-c.same || c.refused != "" && !strings.Contains(plan.Refused[0].Text[prompts.Dutch], c.refused) {
			t.Errorf("%s: %+v %v", name, plan, err)
		}
	}
	plan, err := d.bot.PlanImport(ctx, prompts.Library{Tensions: []prompts.Tension{short}})
	if err != nil || len(plan.Changed) != 1 || len(plan.Refused) > 0 {
		t.Fatalf("%+v %v", plan, err)
	}
	if err := d.bot.ApplyImport(ctx, ed1, plan); err != nil {
		t.Fatal(err)
	}
	counts()
	if got := d.entry(k).Tension.Short[prompts.Dutch]; got != "Maat" {
		t.Errorf("short: %q", got)
	}
	// A file that names the sense of now among its earlier ones says that it means the same.
	later := labelled(first, "Maat en regel").After(*d.entry(k).Tension)
	if plan, err = d.bot.PlanImport(ctx, prompts.Library{Tensions: []prompts.Tension{later}}); err != nil || len(plan.Refused) > 0 {
		t.Fatalf("%+v %v", plan.Refused, err)
	}
	if err := d.bot.ApplyImport(ctx, ed1, plan); err != nil {
		t.Fatal(err)
	}
	if e := d.entry(k); !e.Tension.Means(first.Tension.Sense()) || !e.Tension.Means(now.Tension.Sense()) || e.Tension.Label[prompts.Dutch] != "Maat en regel" {
		t.Errorf("%v counts for %v", e.Tension.Label, e.Tension.Formerly)
	}
}

// Taking a prompt out and waking it again makes its author no reader of it, whichever way it went out; nor does forgetting
// who did what.
func TestNobodyReviewsTheirOwnByADetour(t *testing.T) {
	submitted := func(d *desk) bot.Entry {
		t.Helper()
		e := d.entry(promptKey(known))
		e = d.save(ed1, retitled(e, "Nog één schip"), e.Stamp)
		e, err := d.bot.SubmitPrompt(context.Background(), ed1, known, e.Stamp)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	woken := func(d *desk) {
		t.Helper()
		ctx := context.Background()
		e, err := d.bot.WakeEntry(ctx, ed2, promptKey(known), d.entry(promptKey(known)).Stamp)
		if err == nil {
			_, err = d.bot.SubmitPrompt(ctx, ed2, known, e.Stamp)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, detour := range map[string]func(*desk, bot.Entry){
		"an import that retires": func(d *desk, e bot.Entry) {
			out := alone(*e.Prompt, func(p *prompts.Prompt) { p.Status = prompts.Retired })
			plan, err := d.bot.PlanImport(context.Background(), prompts.Library{Prompts: []prompts.Prompt{out}})
			if err == nil {
				err = d.bot.ApplyImport(context.Background(), ed2, plan)
			}
			if err != nil {
				t.Fatal(err)
			}
			woken(d)
		},
		"a release that retires": func(d *desk, _ bot.Entry) {
			d.release(inRelease(known, func(p *prompts.Prompt) { p.Status = prompts.Retired }))
			k := promptKey(known)
			if _, err := d.bot.SettleUpdate(context.Background(), ed2, k, bot.TakeMerged, d.entry(k).Stamp); err != nil {
				t.Fatal(err)
			}
			woken(d)
		},
		"a year": func(d *desk, _ bot.Entry) {
			if err := d.db.ForgetAudit(context.Background(), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, ctx := newDesk(t), context.Background()
			detour(d, submitted(d))
			e := d.entry(promptKey(known))
			if _, err := d.bot.ActivatePrompt(ctx, ed1, known, e.Stamp); !errors.Is(err, bot.ErrSelfReview) {
				t.Errorf("its author let it through: %v", err)
			}
			if _, err := d.bot.ActivatePrompt(ctx, "test:ed3", known, e.Stamp); err != nil {
				t.Error(err)
			}
		})
	}
}

// What a release says of a tension reaches a local change with it: that it is retired, and what it meant before.
func TestAReleasesTensionIsMerged(t *testing.T) {
	const id = "tailoring-equality"
	label := func(to string) func(*prompts.Tension) {
		return func(t *prompts.Tension) {
			t.Label = prompts.Text{prompts.Dutch: to, prompts.English: to}
		}
	}
	other := func(t *prompts.Tension) {
		t.A = prompts.Text{prompts.Dutch: "Anders", prompts.English: "Different"}
	}
	for _, c := range []struct {
		name         string
		mine, theirs func(*prompts.Tension)
		take         string
		same         bool // what mine and theirs changed means what it meant
		retired      bool
		counts       bool // what counted for mine counts on
	}{
		{"retired", label("Maat houden"), func(t *prompts.Tension) { t.Retired = true }, bot.TakeMerged, true, true, true},
		{"both reworded", label("Maat houden"), other, bot.TakeMerged, true, false, true},
		{"theirs reworded", label("Maat houden"), other, bot.TakeNew, true, false, true},
		{"another meaning", label("Maat houden"), other, bot.TakeMerged, false, false, false},
		{"theirs, another meaning", label("Maat houden"), other, bot.TakeNew, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, ctx := newDesk(t), context.Background()
			k := key(bot.EntryTension, id)
			first := d.entry(k)
			mine := first.Tension.Tidy()
			c.mine(&mine)
			now, err := d.bot.SaveEntry(ctx, ed1, bot.Change{Entry: bot.Entry{Tension: &mine}, Stamp: first.Stamp, SameMeaning: true})
			if err != nil {
				t.Fatal(err)
			}
			d.release(func(l *prompts.Library) {
				i := slices.IndexFunc(l.Tensions, func(t prompts.Tension) bool { return t.ID == id })
				theirs := l.Tensions[i].Tidy()
				c.theirs(&theirs)
				if c.same {
					theirs = theirs.After(*first.Tension)
				}
				l.Tensions[i] = theirs
			})
			got, err := d.bot.SettleUpdate(ctx, ed1, k, c.take, d.entry(k).Stamp)
			if err != nil || got.Update != nil {
				t.Fatalf("%+v %v", got.Update, err)
			}
			if got.Retired != c.retired || got.Tension.Means(now.Tension.Sense()) != c.counts || got.Tension.Means(first.Tension.Sense()) != c.counts {
				t.Errorf("retired: %v; counts for %v", got.Retired, got.Tension.Formerly)
			}
		})
	}
}

// A prompt that comes in as resting is not asked any more, in no revision.
func TestAnImportLetsAPromptRest(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	built, _ := d.o.Library.Prompt(known)
	rest := alone(built, func(p *prompts.Prompt) { p.Status = prompts.Resting })
	plan, err := d.bot.PlanImport(ctx, prompts.Library{Prompts: []prompts.Prompt{rest}})
	if err != nil || len(plan.Changed) != 1 || len(plan.Refused) > 0 {
		t.Fatalf("%+v %v", plan, err)
	}
	if err := d.bot.ApplyImport(ctx, ed1, plan); err != nil {
		t.Fatal(err)
	}
	if p, active := d.asked(known); active || p.Status != prompts.Resting {
		t.Errorf("asked as %q", p.Status)
	}
}

// A state of the directory is judged once for what stands beside it: again after an edit, and after a release.
func TestTheDirectoryIsJudgedOnce(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	built, _ := d.o.Library.Prompt(known)
	one := built.Tidy()
	one.ID, one.Family, one.Reviewer = "uit-git", "uit-git", "Lezer"
	wrong := one.Tidy()
	wrong.Audience = []prompts.AudienceID{"bakkers"}
	for range 2 {
		if _, ok := errors.AsType[*bot.FilesRefused](d.bot.TakeFiles(ctx, fileState("1", wrong))); !ok {
			t.Fatal("an unknown audience was taken")
		}
	}
	if err := d.bot.TakeFiles(ctx, fileState("1", one)); err == nil { // a hash is of one state only: this cannot be
		t.Error("judged again")
	}
	d.save(ed1, bot.Entry{Audience: &prompts.Audience{ID: "bakkers", Name: prompts.Text{prompts.Dutch: "bakkers", prompts.English: "bakers"}}}, "")
	taken := func(moved bool) {
		t.Helper()
		before, err := d.db.Own(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.bot.TakeFiles(ctx, fileState("1", wrong)); err != nil {
			t.Fatal(err)
		}
		if after, err := d.db.Own(ctx); err != nil || after.Files.At.Equal(before.Files.At) == moved {
			t.Errorf("taken at %v, then %v: %v", before.Files.At, after.Files.At, err)
		}
	}
	taken(true)
	taken(false)
	d.release(inRelease(known, dutch(func(w *prompts.Words) { w.Title = "Hun titel" })))
	taken(true)
	taken(false)
}
