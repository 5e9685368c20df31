package bot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// atDesk is a world with two editors, p7 and p8, and one dilemma that a member brought.
func atDesk(t *testing.T, lang prompts.Lang) *desk {
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
	return &desk{world: w, now: time.Date(2026, 9, 3, 12, 0, 0, 0, time.UTC)}
}

type desk struct {
	*world
	now time.Time
}

// from is a person a moment later.
func (d *desk) from(person string, team bot.TeamID) bot.From {
	d.now = d.now.Add(time.Second)
	f := d.fake.From(person, team)
	f.At = d.now
	return f
}

func (d *desk) send(e bot.Event) bot.Response {
	d.t.Helper()
	r, err := d.fake.Send(context.Background(), e)
	if err != nil {
		d.t.Fatalf("%T: %v", e, err)
	}
	return r
}

func (d *desk) command(person, text string) bot.Response {
	d.t.Helper()
	return d.send(bot.Command{From: d.from(person, crew), Text: text})
}

// typed is a direct message where no form can be shown.
func (d *desk) typed(person, text string) bot.Response {
	d.t.Helper()
	f := d.from(person, "")
	f.Typed = true
	return d.send(bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: f.Key})
}

// press presses the button with that label.
func (d *desk) press(person string, r bot.Response, label string) bot.Response {
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
func (d *desk) fill(person string, form *bot.Form, values map[string][]string) bot.Response {
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
func (d *desk) proposal(person string, values map[string][]string) string {
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

func (d *desk) entry(kind bot.EntryKind, id string) bot.Entry {
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
	d.command("p8", "bibliotheek meld")
	d.command("p8", "bibliotheek meld niet")
	if got := d.command("p7", "bibliotheek"); !strings.Contains(plain(got), "niet meer weten") {
		t.Errorf("%s", plain(got))
	}
	id := d.proposal("p3", good()) // Thursday 3 September
	d.proposal("p4", with(good(), "a", "Ik bel eerst iemand die het weet."))
	step := func(at time.Time) {
		t.Helper()
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
	for _, m := range d.fake.Told() {
		if text := fmt.Sprintf("%+v", m.Message); strings.Contains(text, id) || strings.Contains(text, "p3") {
			t.Errorf("it says more than that: %s", text)
		}
	}
}
