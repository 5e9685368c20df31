package bot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// atDesk is a world with two editors, p7 and p8, and one dilemma that a member brought.
func atDesk(t *testing.T, lang prompts.Lang) *deskWorld {
	t.Helper()
	w := newWorld(t, func(o *bot.Options) {
		o.Team.Lang = lang
		o.Library.Prompts = slices.DeleteFunc(slices.Clone(o.Library.Prompts), func(p prompts.Prompt) bool { // a library of this size is read aloud in no time
			return p.Kind != prompts.LookBack && !slices.Contains(p.Audience, "bridge-keepers")
		})
		o.Editors = []bot.ActorID{bot.Account("fake", "w", "p7").Actor(), bot.Account("fake", "w", "p8").Actor()}
	})
	for i := range 8 {
		p := chattest.Person{ID: fmt.Sprintf("p%d", i+1), Name: fmt.Sprintf("Person %d", i+1), Lang: lang, Channels: []bot.TeamID{crew}}
		if i == 0 {
			p.Manages = []bot.TeamID{crew}
		}
		w.fake.Add(p)
	}
	w.switchOn(crew, nil)
	return &deskWorld{world: w, now: time.Date(2026, 9, 3, 12, 0, 0, 0, time.UTC)}
}

type deskWorld struct {
	*world
	now time.Time
}

// from is a person a moment later.
func (d *deskWorld) from(person string, team bot.TeamID) bot.From {
	d.now = d.now.Add(time.Second)
	f := d.fake.From(person, team)
	f.At = d.now
	return f
}

func (d *deskWorld) send(e bot.Event) bot.Response {
	d.t.Helper()
	r, err := d.fake.Send(context.Background(), e)
	if err != nil {
		d.t.Fatalf("%T: %v", e, err)
	}
	return r
}

func (d *deskWorld) command(person, text string) bot.Response {
	d.t.Helper()
	return d.send(bot.Command{From: d.from(person, crew), Text: text})
}

// typed is a direct message where no form can be shown.
func (d *deskWorld) typed(person, text string) bot.Response {
	d.t.Helper()
	f := d.from(person, "")
	f.Typed = true
	return d.send(bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: f.Key})
}

// press presses the button with that label.
func (d *deskWorld) press(person string, r bot.Response, label string) bot.Response {
	d.t.Helper()
	return d.send(bot.ActionPressed{From: d.from(person, ""), Action: action(d.t, r, label)})
}

func action(t testing.TB, r bot.Response, label string) bot.Action {
	t.Helper()
	var all []string
	for _, b := range r.Message.Blocks {
		for _, a := range b.Actions {
			if a.Label == label {
				return a
			}
			all = append(all, a.Label)
		}
	}
	t.Fatalf("no button %q in %q\n%s", label, all, plain(r))
	return bot.Action{}
}

// fill sends a form in with some fields changed.
func (d *deskWorld) fill(person string, form *bot.Form, values map[string][]string) bot.Response {
	d.t.Helper()
	if form == nil {
		d.t.Fatal("no form")
	}
	all := map[string][]string{}
	for _, f := range form.Fields {
		all[f.Name] = f.Value
		if v, ok := values[f.Name]; ok {
			all[f.Name] = v
		}
	}
	return d.send(bot.FormSubmitted{From: d.from(person, crew), Form: form.Name, State: form.State, Values: all})
}

// proposal brings a dilemma and gives its ID.
func (d *deskWorld) proposal(person string, values map[string][]string) string {
	d.t.Helper()
	r := d.command(person, "voorstel")
	if kept := d.fill(person, r.Form, values); !kept.Kept {
		d.t.Fatalf("%+v", kept)
	}
	cat, err := d.bot.Catalogue(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range cat.Entries {
		if e.Prompt != nil && e.Prompt.Source == prompts.SourceTeam && slices.ContainsFunc(prompts.Langs(), func(l prompts.Lang) bool { return e.Prompt.Words[l].PoleA == values["a"][0] }) {
			return e.Key.ID
		}
	}
	d.t.Fatal("not kept")
	return ""
}

func (d *deskWorld) entry(kind bot.EntryKind, id string) bot.Entry {
	d.t.Helper()
	e, err := d.bot.Entry(context.Background(), bot.EntryKey{Kind: kind, ID: id})
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

// english are the words of the other language.
func english() map[string][]string {
	return map[string][]string{
		"title": {"One more time"}, "text": {"Somebody stands at the gate and still wants to come in. It is just too late. The line behind you has been waiting for a while. You hear a sigh, and you look at the clock."},
		"question": {"What do you do?"}, "pole_a": {"I open the gate once more."}, "pole_b": {"I keep to the time that was set."},
		"protects_a": {"the patience of who came far"}, "protects_b": {"the time of who waits"},
		"followup_1": {"What does the side you did not choose protect?"}, "followup_2": {"What would you like to agree on together?"},
	}
}

// From a member's dilemma to a question in use, in buttons and forms: nobody learns whose it was, and who wrote any of it
// does not approve it.
func TestDeskFromProposalToUse(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	id := d.proposal("p3", good())
	overview := d.command("p8", "bibliotheek")
	if !strings.Contains(plain(overview), "Wacht op beoordeling: 1") || !strings.Contains(plain(overview), id) {
		t.Fatalf("%s", plain(overview))
	}
	view := d.press("p8", overview, d.entry(bot.EntryPrompt, id).Prompt.In("nl").Title)
	for _, want := range []string{"wacht op beoordeling", "Uit de praktijk: niemand weet van wie", "Op zijn vroegst gesteld op 5 oktober 2026", "English", good()["a"][0]} {
		if !strings.Contains(plain(view), want) {
			t.Errorf("it does not say %q:\n%s", want, plain(view))
		}
	}
	refused := d.press("p8", view, "Neem in gebruik")
	if e := d.entry(bot.EntryPrompt, id); e.Prompt.Status != prompts.Review || refused.Kept {
		t.Errorf("with gaps it is in use: %s", plain(refused))
	}
	facts := d.press("p8", view, "Kenmerken").Form
	wrong := d.fill("p8", facts, map[string][]string{"tensions": nil, "audience": nil, "intensity": {"3"}, "cooldown_weeks": {"veel"}, "not_before": {"morgen"}})
	for _, field := range []string{"tensions", "audience", "aftercare", "cooldown_weeks", "not_before"} {
		if wrong.Form == nil || wrong.Errors[field] == "" {
			t.Errorf("nothing at %s: %v", field, wrong.Errors)
		}
	}
	if r := d.fill("p8", facts, map[string][]string{"tensions": {"tailoring-equality"}}); !r.Kept {
		t.Fatalf("%v", r.Errors)
	}
	view = d.command("p8", "bibliotheek toon "+id)
	if r := d.fill("p8", d.press("p8", view, "Wijzig: English").Form, english()); !r.Kept {
		t.Fatalf("%v", r.Errors)
	}
	view = d.command("p8", "bibliotheek toon "+id)
	if d.entry(bot.EntryPrompt, id).Prompt.Status == prompts.Draft {
		if r := d.press("p8", view, "Dien in"); !r.Kept {
			t.Fatalf("%s", plain(r))
		}
	}
	old := d.command("p8", "bibliotheek toon "+id)
	if r := d.press("p8", old, "Neem in gebruik"); r.Kept || !strings.Contains(plain(r), "zelf") {
		t.Errorf("who wrote it approves it: %s", plain(r))
	}
	back := d.press("p7", old, "Terug naar de schrijver")
	if r := d.fill("p7", back.Form, nil); r.Errors["why"] == "" {
		t.Errorf("without a reason: %s", plain(r))
	}
	if r := d.fill("p7", back.Form, map[string][]string{"why": {"De titel mag korter."}}); !r.Kept || d.entry(bot.EntryPrompt, id).Prompt.Status != prompts.Draft {
		t.Errorf("%s", plain(r))
	}
	if r := d.press("p7", old, "Neem in gebruik"); r.Kept || !strings.Contains(plain(r), "Er is niets veranderd") {
		t.Errorf("a button of before: %s", plain(r))
	}
	view = d.command("p8", "bibliotheek toon "+id)
	d.press("p8", view, "Dien in")
	view = d.command("p7", "bibliotheek toon "+id)
	press := bot.ActionPressed{From: d.from("p7", ""), Action: action(t, view, "Neem in gebruik")}
	first := d.send(press)
	if e := d.entry(bot.EntryPrompt, id); !first.Kept || e.Prompt.Status != prompts.Active || e.Prompt.NotBefore != "2026-10-05" {
		t.Fatalf("%s %+v", plain(first), e.Prompt)
	}
	if again := d.send(press); plain(again) != plain(first) {
		t.Errorf("the same press: %s", plain(again))
	}
	view = d.command("p7", "library show "+id)
	if r := d.press("p7", view, "Stop ermee"); !r.Kept || d.entry(bot.EntryPrompt, id).Prompt.Status != prompts.Retired {
		t.Errorf("%s", plain(r))
	}
	if r := d.send(press); d.entry(bot.EntryPrompt, id).Prompt.Status != prompts.Retired {
		t.Errorf("the old press undid what is newer: %s", plain(r))
	}
	view = d.command("p7", "bibliotheek toon "+id)
	if r := d.press("p7", view, "Wek"); !r.Kept || d.entry(bot.EntryPrompt, id).Prompt.Status != prompts.Draft {
		t.Errorf("%s", plain(r))
	}
}

// The same in words alone.
func TestDeskInWords(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	id := d.proposal("p3", good())
	view := d.typed("p8", "bibliotheek toon "+id)
	lines := typedBlock(t, d.typed("p8", action(t, view, "Kenmerken").Typed))
	if r := d.typed("p8", strings.Replace(lines, "Spanning:", "Spanning: bestaat niet", 1)); !strings.Contains(plain(r), "Nog niet goed") {
		t.Errorf("%s", plain(r))
	}
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	tension, _ := lib.Tension("tailoring-equality")
	if r := d.typed("p8", strings.Replace(lines, "Spanning:", "Spanning: "+tension.Label["nl"], 1)); !r.Kept {
		t.Fatalf("%s", plain(r))
	}
	view = d.typed("p8", "bibliotheek toon "+id)
	lines = typedBlock(t, d.typed("p8", action(t, view, "Wijzig: English").Typed))
	for label, field := range map[string]string{"Titel:": "title", "Situatie:": "text", "Vraag:": "question", "Kant A:": "pole_a", "Kant B:": "pole_b",
		"A beschermt:": "protects_a", "B beschermt:": "protects_b", "Doorpraten, vraag 1:": "followup_1", "Doorpraten, vraag 2:": "followup_2"} {
		lines = strings.Replace(lines, "\n"+label, "\n"+label+" "+english()[field][0], 1)
	}
	if r := d.typed("p8", lines); !r.Kept {
		t.Fatalf("%s", plain(r))
	}
	if d.entry(bot.EntryPrompt, id).Prompt.Status == prompts.Draft {
		view = d.typed("p8", "bibliotheek toon "+id)
		if r := d.typed("p8", "bibliotheek indienen "+id); r.Kept || !strings.Contains(plain(r), "Kijk eerst") {
			t.Errorf("without the version that was seen: %s", plain(r))
		}
		if r := d.typed("p8", action(t, view, "Dien in").Typed); !r.Kept {
			t.Fatalf("%s", plain(r))
		}
	}
	view = d.typed("p7", "bibliotheek toon "+id)
	stale := action(t, view, "Neem in gebruik").Typed
	d.typed("p7", action(t, view, "Terug naar de schrijver").Typed+" Maak de titel korter.")
	if e := d.entry(bot.EntryPrompt, id); e.Prompt.Status != prompts.Draft {
		t.Fatalf("%+v", e.Prompt)
	}
	if r := d.typed("p7", stale); r.Kept || !strings.Contains(plain(r), "Er is niets veranderd") {
		t.Errorf("an old version: %s", plain(r))
	}
	past, err := d.bot.EntryHistory(context.Background(), bot.EntryKey{Kind: bot.EntryPrompt, ID: id})
	if err != nil || past[0].By != "" || !past[0].At.IsZero() {
		t.Errorf("the history says who or when: %+v %v", past, err)
	}
}

// Two editors at once: what the other changed is shown and stays, what was filled in stays, and nothing is overwritten
// before it was seen.
func TestDeskTwoEditors(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	id := d.proposal("p3", good())
	view := d.command("p8", "bibliotheek toon "+id)
	mine, theirs := d.press("p8", view, "Wijzig: Nederlands").Form, d.press("p7", view, "Wijzig: Nederlands").Form
	if r := d.fill("p7", theirs, map[string][]string{"pole_a": {"Ik doe open, één keer."}, "title": {"Hun titel"}}); !r.Kept {
		t.Fatalf("%v", r.Errors)
	}
	values := map[string][]string{"title": {"Mijn titel"}, "question": {"Wat doe jij dan?"}}
	e := bot.FormSubmitted{From: d.from("p8", crew), Form: mine.Name, State: mine.State, Values: map[string][]string{}}
	for _, f := range mine.Fields {
		e.Values[f.Name] = f.Value
		if v, ok := values[f.Name]; ok {
			e.Values[f.Name] = v
		}
	}
	for range 2 { // it comes again
		r := d.send(e)
		if r.Form == nil || !strings.Contains(notice(r.Form), "Hun titel") || !strings.Contains(notice(r.Form), "Ik doe open, één keer.") || field(t, r.Form, "title").Value[0] != "Mijn titel" {
			t.Fatalf("%s %v", notice(r.Form), r.Errors)
		}
		if got := d.entry(bot.EntryPrompt, id).Prompt.Words["nl"].Title; got != "Hun titel" {
			t.Fatalf("overwritten: %s", got)
		}
	}
	e.From = d.from("p8", crew)
	r := d.send(e)
	got := d.entry(bot.EntryPrompt, id).Prompt.Words["nl"]
	if !r.Kept || got.Title != "Mijn titel" || got.Question != "Wat doe jij dan?" || got.PoleA != "Ik doe open, één keer." {
		t.Errorf("%s %+v", plain(r), got)
	}
	if again := d.send(e); plain(again) != plain(r) {
		t.Errorf("the same again: %s %v", plain(again), again.Errors)
	}
}

// A form that was opened before a release changed the built-in words shows what keeping it would undo, and keeps nothing before that
// was seen.
func TestDeskFormOverARelease(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	form := d.command("p8", "bibliotheek wijzig "+known+" nl").Form
	if form == nil {
		t.Fatal("no form")
	}
	for i, p := range d.o.Library.Prompts {
		if p.ID == known {
			p = p.Tidy()
			dutch(func(w *prompts.Words) { w.Question = "Wat doe jij bij de tweede sluis?" })(&p)
			p.Revision, p.Reviewer = p.Revision+1, "Lezer"
			d.o.Library.Prompts[i] = p
		}
	}
	d.restart()
	values := map[string][]string{"title": {"Mijn titel"}}
	r := d.fill("p8", form, values)
	if r.Form == nil || !strings.Contains(notice(r.Form), "tweede sluis") || !strings.Contains(notice(r.Form), "Mijn titel") || r.Errors["conflict"] == "" {
		t.Fatalf("%s %v", plain(r), r.Errors)
	}
	if e := d.entry(bot.EntryPrompt, known); e.Origin != bot.OriginBuiltin {
		t.Error("kept before it was seen")
	}
	if r := d.fill("p8", form, values); !r.Kept || d.entry(bot.EntryPrompt, known).Prompt.Words["nl"].Title != "Mijn titel" {
		t.Errorf("%s %v", plain(r), r.Errors)
	}
}

// A long list comes in pages, narrowed down by words of either language, and every page fits every platform.
func TestDeskSearch(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	seen := map[string]bool{}
	r := d.command("p8", "bibliotheek zoek")
	for pages := 0; ; pages++ {
		n := 0
		for _, b := range r.Message.Blocks {
			if len(b.Actions) > 8 {
				t.Errorf("%d buttons", len(b.Actions))
			}
			for _, a := range b.Actions {
				if strings.HasPrefix(a.Arg, "show ") {
					seen[a.Arg] = true
				} else if a.Label == "Volgende" {
					n++
				}
				if a.Typed == "" {
					t.Errorf("%s cannot be typed", a.Label)
				}
			}
		}
		if n == 0 || pages > 50 {
			break
		}
		r = d.press("p8", r, "Volgende")
	}
	if len(seen) != len(d.o.Library.Prompts) {
		t.Errorf("%d of %d", len(seen), len(d.o.Library.Prompts))
	}
	for words, want := range map[string]string{"spanningen": "tension/quality-speed", "tensions": "tension/quality-speed", "doelgroepen": "audience/permits", "terugblik": "· in gebruik", "brug": "bridge-"} {
		if got := plain(d.command("p8", "bibliotheek zoek "+words)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", words, got)
		}
	}
	if got := plain(d.command("p8", "bibliotheek zoek zzzz")); !strings.Contains(got, "Niets gevonden") {
		t.Errorf("%s", got)
	}
	for _, e := range []string{"bibliotheek toon tension/quality-speed", "bibliotheek toon value/integrity", "bibliotheek toon audience/permits"} {
		if got := d.command("p8", e); got.Message == nil || !strings.Contains(plain(got), "Nederlands, ") {
			t.Errorf("%s: %s", e, plain(got))
		}
	}
}

// Who is no editor gets nothing of it and changes nothing, whatever they send; a message to the bot that only begins like it
// stays a reply.
func TestDeskIsForEditors(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	id := d.proposal("p3", good())
	view := d.command("p8", "bibliotheek toon "+id)
	form := d.press("p8", view, "Wijzig: Nederlands").Form
	back := d.press("p8", view, "Terug naar de schrijver").Form
	var actions []bot.Action
	for _, r := range []bot.Response{view, d.command("p8", "bibliotheek"), d.command("p8", "bibliotheek zoek")} {
		for _, b := range r.Message.Blocks {
			actions = append(actions, b.Actions...)
		}
	}
	before := d.entry(bot.EntryPrompt, id)
	store := &watched{Store: d.db}
	o := d.o
	o.Store, o.Keys, o.Chats = store, d.keys, []bot.Chat{d.fake}
	b, err := bot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	d.fake.Use(b.Handle)
	d.fake.Add(chattest.Person{ID: "stranger", Lang: "nl"})
	for _, who := range []string{"p1", "p2", "stranger"} {
		denied := func(what string, r bot.Response) {
			t.Helper()
			if r.Form != nil || r.Kept || strings.Contains(plain(r), good()["a"][0]) || !strings.Contains(plain(r), "voor redacteuren") {
				t.Errorf("%s, %s: %s", who, what, plain(r))
			}
		}
		for _, a := range actions {
			denied(a.Do+" "+a.Arg, d.send(bot.ActionPressed{From: d.from(who, ""), Action: a}))
			denied(a.Typed, d.command(who, a.Typed))
			if r := d.typed(who, a.Typed); strings.Contains(plain(r), good()["a"][0]) || r.Kept {
				t.Errorf("%s types %s: %s", who, a.Typed, plain(r))
			}
		}
		for _, what := range []string{"bibliotheek help", "bibliotheek toon x", "bibliotheek meld", "bibliotheek woord x laat maar", "library"} {
			denied(what, d.command(who, what))
		}
		denied("the form", d.fill(who, form, map[string][]string{"title": {"Gekaapt"}}))
		denied("the reason", d.fill(who, back, map[string][]string{"why": {"Daarom"}}))
	}
	for _, strange := range []string{"", "fake", "fake:", "fake:prompt/" + id, "fake:prompt/" + id + "@@@", "fake:prompt/../../x@1@nl@m", "fake:tension/nieuw@@nl@m", "fake:prompt/" + id + "@1@xx@m"} {
		for _, name := range []string{"desk-words", "desk-facts", "desk-return"} {
			r := d.send(bot.FormSubmitted{From: d.from("p8", crew), Form: name, State: strange, Values: map[string][]string{"title": {"x"}, "why": {""}}})
			if r.Kept {
				t.Errorf("%s %q: %s", name, strange, plain(r))
			}
		}
	}
	if n := store.writes.Load(); n != 0 || d.entry(bot.EntryPrompt, id).Stamp != before.Stamp {
		t.Errorf("%d writes", n)
	}
	if strings.Contains(plain(d.command("p2", "help")), "Voor redacteuren") || !strings.Contains(plain(d.command("p8", "help")), "bibliotheek help") {
		t.Error("help shows the verbs of others")
	}
}

// Whoever asked hears that something waits: of an editor's work the next working morning, of what a member brought at the
// beginning of the next week, once a day, without a name, and not of their own.
func TestEditorsAreTold(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	ctx := context.Background()
	told := func() (out []string) {
		for _, m := range d.fake.Told() {
			if strings.Contains(m.Message.Plain(), "wacht op beoordeling") || strings.Contains(m.Message.Plain(), "op beoordeling wacht") {
				out = append(out, fmt.Sprint(m.To))
			}
		}
		return out
	}
	watch := action(t, d.command("p7", "bibliotheek"), "Laat het me weten")
	if r := d.typed("p7", watch.Typed); !r.Kept {
		t.Fatalf("%s", plain(r))
	}
	if !strings.Contains(plain(d.command("p7", "mij")), "in de bibliotheek wacht") || strings.Contains(plain(d.command("p8", "mij")), "in de bibliotheek wacht") {
		t.Error("what is known about somebody does not say so")
	}
	d.command("p8", "bibliotheek meld")
	d.command("p8", "bibliotheek meld niet")
	if got := d.command("p7", "bibliotheek"); !strings.Contains(plain(got), "niet meer weten") {
		t.Errorf("%s", plain(got))
	}
	id := d.proposal("p3", good()) // Thursday 3 September
	d.proposal("p4", with(good(), "a", "Ik bel eerst iemand die het weet."))
	if posts, next, err := d.db.Pending(ctx, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), 100); err != nil || slices.ContainsFunc(posts, func(p bot.Post) bool { return p.To != "" }) {
		t.Errorf("a proposal takes a place in the queue: %+v %v %v", posts, next, err)
	}
	step := func(at time.Time) {
		t.Helper()
		if _, err := d.bot.Step(ctx, at); err != nil {
			t.Fatal(err)
		}
		if _, err := d.bot.Send(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	step(time.Date(2026, 9, 7, 6, 59, 0, 0, time.UTC)) // Monday, just before nine in Amsterdam
	if len(told()) != 0 {
		t.Fatalf("before the week began: %v", told())
	}
	step(time.Date(2026, 9, 7, 7, 0, 0, 0, time.UTC))
	if len(told()) != 1 {
		t.Fatalf("%v", told())
	}
	d.close()
	d.open() // it does not remember what it told
	step(time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC))
	if len(told()) != 1 {
		t.Fatalf("again: %v", told())
	}
	d.now = time.Date(2026, 9, 8, 9, 0, 0, 0, time.UTC)
	view := d.command("p8", "bibliotheek toon "+id)
	d.fill("p7", d.press("p7", view, "Terug naar de schrijver").Form, map[string][]string{"why": {"Nog iets anders."}})
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+id).Form, map[string][]string{"tensions": {"tailoring-equality"}})
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+id+" en").Form, english())
	view = d.command("p8", "bibliotheek toon "+id)
	if r := d.press("p8", view, "Dien in"); !r.Kept {
		t.Fatalf("%s", plain(r))
	}
	step(time.Date(2026, 9, 9, 7, 0, 0, 0, time.UTC))
	if len(told()) != 2 {
		t.Errorf("the next morning: %v", told())
	}
	if all, err := d.db.Watchers(ctx); err != nil || len(all) != 1 || !all[0].On {
		t.Errorf("who wants to hear of it no more is kept: %+v %v", all, err)
	}
	for _, m := range d.fake.Told() {
		if text := fmt.Sprintf("%+v", m.Message); strings.Contains(text, id) || strings.Contains(text, "p3") {
			t.Errorf("it says more than that: %s", text)
		}
	}
}

// They are told too of what somebody sends in or imports elsewhere than in the chat.
func TestEditorsAreToldOfTheWeb(t *testing.T) {
	ctx, by := context.Background(), bot.Account("fake", "w", "p8").Actor()
	changed := func(d *deskWorld) bot.Entry {
		t.Helper()
		e, err := d.bot.Entry(ctx, promptKey(known))
		if err != nil {
			t.Fatal(err)
		}
		return retitled(e, "Nog één schip")
	}
	for name, act := range map[string]func(d *deskWorld) error{
		"sent in": func(d *deskWorld) error {
			e, err := d.bot.SaveEntry(ctx, by, bot.Change{Entry: changed(d), Stamp: changed(d).Stamp})
			if err == nil {
				_, err = d.bot.SubmitPrompt(ctx, by, known, e.Stamp)
			}
			return err
		},
		"imported": func(d *deskWorld) error {
			plan, err := d.bot.PlanImport(ctx, prompts.Library{Prompts: []prompts.Prompt{*changed(d).Prompt}})
			if err == nil {
				err = d.bot.ApplyImport(ctx, by, plan)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := atDesk(t, "nl")
			defer d.close()
			d.command("p7", "bibliotheek meld")
			d.command("p8", "bibliotheek meld")
			if err := act(d); err != nil {
				t.Fatal(err)
			}
			if _, err := d.bot.Send(ctx, time.Now().AddDate(0, 0, 4)); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, m := range d.fake.Told() {
				if strings.Contains(m.Message.Plain(), "op beoordeling") {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d were told", n)
			}
		})
	}
}

// What teams wish for is settled by editors, for every team that has it and once: it belongs to a tension, it is let be, or
// it becomes a tension that is kept out of use.
func TestWishesAreSettled(t *testing.T) {
	const other = bot.TeamID("fake:other")
	d := atDesk(t, "nl")
	defer d.close()
	ctx := context.Background()
	d.fake.Crew(other, 8)
	d.world.switchOn(other, nil)
	for _, team := range []bot.TeamID{crew, other} {
		err := d.db.UpdateTeam(ctx, team, func(t *bot.Team) (bot.Also, error) {
			t.Words = []bot.WordNote{{Key: "nl:werkdruk", Form: "werkdruk", WordDecision: bot.WordDecision{Decision: "propose"}}, {Key: "nl:fiets", Form: "fiets", WordDecision: bot.WordDecision{Decision: "never"}}}
			t.Labels = []bot.LabelNote{{Key: "mens weinig", Form: "weinig mensen"}, {Key: "rooster", Form: "het rooster"}}
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	overview := d.command("p8", "bibliotheek")
	for word, want := range map[string]bool{"werkdruk": true, "weinig mensen": true, "het rooster": true, "fiets": false, "fake:other": false} {
		if strings.Contains(plain(overview), word) != want {
			t.Errorf("%s: %v\n%s", word, !want, plain(overview))
		}
	}
	audits := func() int {
		log, err := d.db.Audit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range log {
			if e.What == "word" {
				n++
			}
		}
		return n
	}
	which := d.typed("p8", "bibliotheek woord werkdruk hoort bij")
	third := which.Message.Blocks[1].Actions[2]
	settle := bot.ActionPressed{From: d.from("p8", ""), Action: third}
	first := d.send(settle)
	if again := d.send(settle); plain(again) != plain(first) || !first.Kept || !strings.Contains(plain(first), "hoort bij") {
		t.Errorf("%s, then %s", plain(first), plain(again))
	}
	if n := audits(); n != 2 { // once for each team
		t.Errorf("%d in the audit log", n)
	}
	if r := d.typed("p7", "bibliotheek woord het rooster laat maar"); !r.Kept {
		t.Errorf("%s", plain(r))
	}
	form := d.command("p8", "bibliotheek woord weinig mensen spanning").Form
	if form == nil {
		t.Fatal("no form")
	}
	if r := d.fill("p8", form, nil); r.Errors["label_en"] == "" || r.Errors["a_nl"] == "" || r.Errors["label_nl"] != "" {
		t.Errorf("%v", r.Errors)
	}
	values := map[string][]string{}
	for _, f := range form.Fields {
		values[f.Name] = []string{"Iets dat erbij past " + f.Name}
	}
	values["short_nl"], values["short_en"] = []string{"Met te weinig"}, []string{"With too few"}
	if r := d.fill("p8", form, values); !r.Kept {
		t.Fatalf("%v %s", r.Errors, plain(r))
	}
	if again := d.fill("p8", form, values); again.Form != nil {
		t.Errorf("the same form again: %v", again.Errors)
	}
	e := d.entry(bot.EntryTension, "weinig-mensen")
	lib, err := d.bot.Catalogue(ctx)
	if err != nil || !e.Retired {
		t.Errorf("it is in use at once: %+v %v", e, err)
	}
	if _, there := lib.Library.Tension("weinig-mensen"); !there {
		t.Error("it is not in the library")
	}
	if got := d.command("p8", "bibliotheek"); strings.Contains(plain(got), "werkdruk") || strings.Contains(plain(got), "weinig mensen") || strings.Contains(plain(got), "het rooster") {
		t.Errorf("still on the list:\n%s", plain(got))
	}
	if r := d.command("p8", "bibliotheek woord fiets laat maar"); !strings.Contains(plain(r), "valt nu niets te kiezen") {
		t.Errorf("a word nobody wished for: %s", plain(r))
	}
	late := bot.ActionPressed{From: settle.From, Action: which.Message.Blocks[1].Actions[0]}
	late.At = late.At.Add(-time.Minute)
	d.send(late)
	if got := d.team().Words[0].Desk; got.Decision != "belongs" || !strings.Contains(third.Arg, string(got.Tension)) {
		t.Errorf("an older press changed it: %+v", got)
	}
}

// What an editor does comes once, however often and in whatever order it is delivered.
func TestDeskMayComeAgain(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	id := d.proposal("p3", good())
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+id).Form, map[string][]string{"tensions": {"tailoring-equality"}})
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+id+" en").Form, english())
	store := &watched{Store: d.db}
	restart := func() {
		o := d.o
		o.Store, o.Keys, o.Chats = store, d.keys, []bot.Chat{d.fake}
		b, err := bot.New(o)
		if err != nil {
			t.Fatal(err)
		}
		d.bot = b
		d.fake.Use(b.Handle)
	}
	restart()
	type made struct {
		name  string
		event bot.Event
	}
	var all []made
	do := func(name string, e bot.Event) {
		t.Helper()
		first := d.send(e)
		if !first.Kept {
			t.Errorf("%s: %s", name, plain(first))
		}
		for _, when := range []string{"again", "after a restart"} {
			before := store.writes.Load()
			if again := d.send(e); answered(again) != answered(first) {
				t.Errorf("%s, %s: %s\nat first %s", name, when, answered(again), answered(first))
			}
			if n := store.writes.Load() - before; n != 0 {
				t.Errorf("%s, %s: %d writes", name, when, n)
			}
			restart()
		}
		all = append(all, made{name, e})
	}
	press := func(person, label string) bot.Event {
		t.Helper()
		return bot.ActionPressed{From: d.from(person, ""), Action: action(t, d.command(person, "bibliotheek toon "+id), label)}
	}
	words := d.command("p8", "bibliotheek wijzig "+id+" nl").Form
	sent := bot.FormSubmitted{Form: words.Name, State: words.State, Values: map[string][]string{}}
	for _, f := range words.Fields {
		sent.Values[f.Name] = f.Value
	}
	sent.Values["title"] = []string{"Nog één keer"}
	sent.From = d.from("p8", crew)
	do("words", sent)
	do("submit", press("p8", "Dien in"))
	back := d.send(press("p7", "Terug naar de schrijver")).Form
	do("return", bot.FormSubmitted{From: d.from("p7", crew), Form: back.Name, State: back.State, Values: map[string][]string{"why": {"Korter."}}})
	if got := plain(d.command("p8", "bibliotheek toon "+id)); !strings.Contains(got, "Korter.") {
		t.Errorf("the reason is not shown: %s", got)
	}
	do("submit", press("p8", "Dien in"))
	do("activate", press("p7", "Neem in gebruik"))
	do("notify", bot.Command{From: d.from("p7", crew), Text: "bibliotheek meld"})
	do("no more", bot.Command{From: d.from("p7", crew), Text: "bibliotheek meld niet"})
	do("retire", press("p7", "Stop ermee"))
	stamp := d.entry(bot.EntryPrompt, id).Stamp
	for _, m := range all {
		before := store.writes.Load()
		d.send(m.event)
		if n := store.writes.Load() - before; n != 0 {
			t.Errorf("%s, after all else: %d writes", m.name, n)
		}
	}
	if d.entry(bot.EntryPrompt, id).Stamp != stamp {
		t.Error("something older changed something newer")
	}
}

// With its code a proposal is taken back, until it is in use: its words are nowhere any more, and the form brings it no
// second time.
func TestProposalIsTakenBack(t *testing.T) {
	d := atDesk(t, "nl")
	defer d.close()
	form := d.command("p3", "voorstel").Form
	event := bot.FormSubmitted{From: d.from("p3", crew), Form: form.Name, State: form.State, Values: good()}
	kept := plain(d.send(event))
	_, code, _ := strings.Cut(form.State, ":")
	if !strings.Contains(kept, "verwijder "+code) {
		t.Fatalf("%s", kept)
	}
	id := d.fromTeams()[0].ID
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+string(id)+" nl").Form, map[string][]string{"title": {"Door een redacteur"}})
	if r := d.typed("p5", "verwijder AAAA-BBBB-CCCC-DDDD"); !strings.Contains(plain(r), "kan ik niets weghalen") {
		t.Errorf("another code: %s", plain(r))
	}
	for range 2 {
		if r := d.typed("p3", "verwijder "+strings.ToLower(code)); !strings.Contains(plain(r), "Teruggenomen") {
			t.Fatalf("%s", plain(r))
		}
	}
	if r := d.send(event); !strings.Contains(plain(r), "Teruggenomen") || len(d.fromTeams()) != 0 {
		t.Errorf("the form again: %s", plain(r))
	}
	if err := d.db.Erase(context.Background()); err != nil {
		t.Fatal(err)
	}
	f := newFinder()
	f.text("words", "zuchten")
	f.text("words", "Ik doe het hek nog een keer open")
	f.text("editor", "Door een redacteur")
	if found := f.search(dense(d.file())...); len(found) != 0 {
		t.Errorf("%v is found", found)
	}
	id = prompts.ID(d.proposal("p3", with(good(), "b", "Ik wacht nog even.")))
	form = d.command("p3", "voorstel").Form
	_, code, _ = strings.Cut(form.State, ":")
	d.fill("p3", form, with(good(), "b", "Ik wacht nog heel even."))
	for _, p := range d.fromTeams() {
		if p.ID != id {
			id = p.ID
			break
		}
	}
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+string(id)).Form, map[string][]string{"tensions": {"tailoring-equality"}})
	d.fill("p8", d.command("p8", "bibliotheek wijzig "+string(id)+" en").Form, english())
	d.press("p8", d.command("p8", "bibliotheek toon "+string(id)), "Dien in")
	if r := d.press("p7", d.command("p7", "bibliotheek toon "+string(id)), "Neem in gebruik"); !r.Kept {
		t.Fatalf("%s", plain(r))
	}
	if r := d.typed("p3", "verwijder "+code); !strings.Contains(plain(r), "al in gebruik") {
		t.Errorf("in use: %s", plain(r))
	}
}

// What was laid aside without ever being asked can be taken back too; and what was taken back stays away when an older
// backup is put back.
func TestTakenBackStaysAway(t *testing.T) {
	d := atDesk(t, "nl")
	event := func() (bot.FormSubmitted, string) {
		form := d.command("p3", "voorstel").Form
		_, code, _ := strings.Cut(form.State, ":")
		return bot.FormSubmitted{From: d.from("p3", crew), Form: form.Name, State: form.State, Values: good()}, code
	}
	brought, code := event()
	d.send(brought)
	d.press("p8", d.command("p8", "bibliotheek toon "+string(d.fromTeams()[0].ID)), "Stop ermee")
	if got := d.fromTeams(); len(got) != 1 || got[0].Status != prompts.Retired {
		t.Fatalf("%+v", got)
	}
	k := d.backup()
	if r := d.typed("p3", "verwijder "+code); !strings.Contains(plain(r), "Teruggenomen") {
		t.Errorf("%s", plain(r))
	}
	if len(d.fromTeams()) != 0 {
		t.Error("its words are kept")
	}
	d.run()
	d.close()
	again := d.restore(k, true)
	if len(again.fromTeams()) != 1 {
		t.Fatal("it is not in the backup: the test shows nothing")
	}
	again.run()
	for deadline := time.Now().Add(10 * time.Second); len(again.fromTeams()) != 0; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the backup brought it back")
		}
	}
	if r := (&deskWorld{again, d.now}).typed("p3", "verwijder "+code); !strings.Contains(plain(r), "Teruggenomen") {
		t.Errorf("%s", plain(r))
	}
	again.close()
}

// Everything that is said on the way from a dilemma to a question, in both languages.
func TestGoldenDesk(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 7)
			goldenDesk(t, lang)
		})
	}
}

func goldenDesk(t *testing.T, lang prompts.Lang) {
	d := atDesk(t, lang)
	defer d.close()
	say := func(nl, en string) string {
		if lang == prompts.Dutch {
			return nl
		}
		return en
	}
	library, show, edit := say("bibliotheek", "library"), say("bibliotheek toon ", "library show "), say("bibliotheek wijzig ", "library edit ")
	var s script
	form := d.command("p3", say("voorstel", "propose"))
	s.response("a member brings a dilemma", form)
	s.response("nothing in it", d.fill("p3", form.Form, nil))
	values := good()
	if lang == prompts.English {
		values = map[string][]string{"situation": english()["text"], "a": english()["pole_a"], "b": english()["pole_b"]}
	}
	raw := map[string][]string{
		"situation": {say("Ze bellen altijd op dinsdag. Mevrouw Jansen is op 06-12345678 te bereiken.", "They always call on Tuesday. Mrs Jansen can be reached on 06-12345678.")},
		"a":         {say("Waarom doet de wethouder dit niet?", "Why does the alderman not do this?")}, "b": values["b"], "lost_a": {say("de rust in Almelo", "the peace in Almelo")},
	}
	s.response("what leads to a person", d.fill("p3", form.Form, raw))
	raw["situation"] = []string{say("Ze bellen altijd als iemand ziek is, gisteren nog.", "They always call when somebody is ill, and yesterday too.")}
	s.response("what is heavy", d.fill("p3", d.command("p3", say("voorstel", "propose")).Form, with(raw, "b", say("Ik wil dood.", "I want to kill myself."))))
	s.response("kept", d.fill("p3", form.Form, values))
	s.response("the same form once more", d.fill("p3", form.Form, values))
	s.response("in words", d.typed("p3", say("voorstel", "propose")))
	wrong := say("Dilemma inbrengen:", "Bring a dilemma:") + " fake:ABCD-EFGH-IJKL-MNOP\n" + say("Wat gebeurt er?:", "What happens?:") + " 06-12345678"
	s.response("in words, wrongly", d.typed("p3", wrong))
	id := string(d.fromTeams()[0].ID)
	s.response("an editor's overview", d.command("p8", library))
	s.response("help", d.command("p8", say("bibliotheek help", "library help")))
	s.response("search", d.command("p8", say("bibliotheek zoek praktijk wachten", "library search team review")))
	s.response("search, nothing", d.command("p8", say("bibliotheek zoek zzz", "library search zzz")))
	s.response("what came", d.command("p8", show+id))
	s.response("in use, too early", d.press("p8", d.command("p8", show+id), say("Neem in gebruik", "Bring into use")))
	facts := d.command("p8", edit+id)
	s.response("the facts", facts)
	s.response("the facts, wrong", d.fill("p8", facts.Form, map[string][]string{"audience": nil, "intensity": {"3"}, "cooldown_weeks": {"x"}, "not_before": {"x"}}))
	s.response("the facts, kept", d.fill("p8", facts.Form, map[string][]string{"tensions": {"tailoring-equality"}}))
	both := english()
	first, second := d.command("p8", edit+id+" en"), d.command("p7", edit+id+" en")
	s.response("the words", first)
	s.response("the words, kept", d.fill("p8", first.Form, both))
	s.response("another at the same moment", d.fill("p7", second.Form, map[string][]string{"title": {"A gate"}}))
	if lang == prompts.English {
		nl := map[string][]string{"title": {"Nog een keer"}, "question": {"Wat doe je?"}, "followup_1": {"Wat beschermt de kant die jij niet koos?"}, "followup_2": {"Wat wil je hierover afspreken?"},
			"text": good()["situation"], "pole_a": good()["a"], "pole_b": good()["b"], "protects_a": good()["lost_b"], "protects_b": good()["lost_a"]}
		d.fill("p8", d.command("p8", edit+id+" nl").Form, nl)
	}
	s.response("to review", d.press("p8", d.command("p8", show+id), say("Dien in", "Send to review")))
	s.response("one's own", d.press("p8", d.command("p8", show+id), say("Neem in gebruik", "Bring into use")))
	back := d.press("p7", d.command("p7", show+id), say("Terug naar de schrijver", "Back to its writer"))
	s.response("back", back)
	stale := d.command("p7", show+id)
	s.response("back, with a reason", d.fill("p7", back.Form, map[string][]string{"why": {say("De titel mag korter.", "The title may be shorter.")}}))
	s.response("an old button", d.press("p7", stale, say("Neem in gebruik", "Bring into use")))
	d.press("p8", d.command("p8", show+id), say("Dien in", "Send to review"))
	s.response("in use", d.press("p7", d.command("p7", show+id), say("Neem in gebruik", "Bring into use")))
	s.response("a question in use", d.command("p7", show+id))
	s.response("a change to it", d.fill("p8", d.command("p8", edit+id+" en").Form, map[string][]string{"title": {"The gate"}}))
	s.response("beside what is in force", d.command("p7", show+id))
	s.response("out of use", d.press("p7", d.command("p7", show+id), say("Stop ermee", "Stop using it")))
	s.response("awake", d.press("p7", d.command("p7", show+id), say("Wek", "Wake it")))
	s.response("typed without a version", d.command("p7", say("bibliotheek stop ", "library retire ")+id))
	s.response("a tension", d.command("p7", show+"tension/quality-speed"))
	s.response("a tension's words", d.command("p7", edit+"tension/quality-speed nl"))
	s.response("let me know", d.command("p7", say("bibliotheek meld", "library notify")))
	s.response("no more", d.command("p7", say("bibliotheek meld niet", "library notify off")))
	s.response("unknown", d.command("p7", show+"iets-anders"))
	s.response("who is no editor", d.command("p2", show+id))
	d.editTeam(func(t *bot.Team) {
		t.Words = []bot.WordNote{{Key: "nl:werkdruk", Form: "werkdruk", WordDecision: bot.WordDecision{Decision: "propose"}}}
		t.Labels = []bot.LabelNote{{Key: "rooster", Form: "het rooster"}}
	})
	s.response("what teams wish for", d.command("p7", library))
	s.response("belongs to", d.press("p7", d.command("p7", library), say("Hoort bij …", "Belongs to …")))
	s.response("a tension of it", d.press("p7", d.command("p7", library), say("Maak er een spanning van", "Make a tension of it")))
	s.response("never mind", d.command("p7", say("bibliotheek woord werkdruk laat maar", "library word werkdruk never mind")))
	golden(t, "desk."+string(lang), s.String())
}
