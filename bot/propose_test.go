package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// good is a proposal that nothing is to be said about.
func good() map[string][]string {
	return map[string][]string{
		"situation": {"Iemand staat bij het hek en wil nog naar binnen. Het is net te laat. De rij achter je wacht al een tijd. Je hoort iemand zuchten, en je kijkt nog eens op de klok."},
		"a":         {"Ik doe het hek nog een keer open."}, "b": {"Ik hou me aan de tijd die er staat."},
		"lost_a": {"de tijd van wie wacht"}, "lost_b": {"het geduld van wie ver kwam"},
	}
}

func with(values map[string][]string, field, text string) map[string][]string {
	values[field] = []string{text}
	return values
}

// opened is the form of somebody who brings something.
func (w *world) opened(person string) *bot.Form {
	w.t.Helper()
	r, err := w.fake.Command(context.Background(), person, crew, "voorstel")
	if err != nil || r.Form == nil {
		w.t.Fatalf("%v %s", err, plain(r))
	}
	return r.Form
}

// brings sends a form in at a moment.
func (w *world) brings(person string, form *bot.Form, at time.Time, values map[string][]string) bot.Response {
	w.t.Helper()
	f := w.fake.From(person, crew)
	f.At = at
	r, err := w.fake.Send(context.Background(), bot.FormSubmitted{From: f, Form: form.Name, State: form.State, Values: values})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// fromTeams are the prompts that members brought.
func (w *world) fromTeams() []prompts.Prompt {
	w.t.Helper()
	lib, err := w.bot.NewestLibrary(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(lib.Prompts), func(p prompts.Prompt) bool { return p.Source != prompts.SourceTeam })
}

// A proposal is kept for review without author, team or a time finer than a week; what came again is kept once.
func TestProposalIsKept(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, nil)
	form := w.opened("p3")
	now := time.Date(2026, 9, 3, 14, 12, 9, 0, time.UTC) // a Thursday
	first := w.brings("p3", form, now, good())
	if !strings.Contains(plain(first), "Ingebracht, zonder naam") || !first.Kept {
		t.Fatalf("%s %+v", plain(first), first.Errors)
	}
	w.close()
	w.open()
	if again := w.brings("p3", form, now, good()); plain(again) != plain(first) {
		t.Errorf("the same again: %s", plain(again))
	}
	all := w.fromTeams()
	if len(all) != 1 {
		t.Fatalf("%d kept", len(all))
	}
	p := all[0]
	if p.Status != prompts.Review || p.Author != prompts.ByTeam || p.NotBefore != "2026-10-05" || len(p.Words) != 1 {
		t.Errorf("%+v", p)
	}
	words := p.Words[prompts.Dutch]
	if words.PoleA != good()["a"][0] || words.ProtectsA != good()["lost_b"][0] || words.ProtectsB != good()["lost_a"][0] || words.Title == "" || words.Question != "Wat doe je?" {
		t.Errorf("%+v", words)
	}
	for day := range 7 { // all of one week are asked from the same day on
		id, err := w.bot.Propose(context.Background(), bot.Proposal{Code: fmt.Sprintf("AAAA-BBBB-CCCC-DDD%d", day+2), Lang: "nl", Situation: "x", A: "a", B: "b",
			At: time.Date(2026, 8, 31+day, 3, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range w.fromTeams() {
			if p.ID == id && p.NotBefore != "2026-10-05" {
				t.Errorf("day %d: %s", day, p.NotBefore)
			}
		}
	}
	log, err := w.db.Audit(context.Background())
	if err != nil || len(log) != 1 { // switching on
		t.Errorf("the audit log tells of it: %+v %v", log, err)
	}
}

// Nothing about who brought something is in a file, a backup, a key slot, a log or what was sent; nor is a moment.
func TestProposalTellsNobody(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 11)
	var logs bytes.Buffer
	var mu sync.Mutex
	w := newWorld(t, func(o *bot.Options) {
		o.Log = slog.New(slog.NewJSONHandler(lockedWriter{&mu, &logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	defer w.close()
	p := chattest.Person{ID: "U0GEHEIM9", Name: "Fatimazahra", Lang: "nl", Channels: []bot.TeamID{crew}}
	w.fake.Add(p)
	w.switchOn(crew, nil)
	form := w.opened(p.ID)
	at := time.Date(2026, 9, 3, 14, 12, 9, 0, time.UTC)
	refused := good()
	refused["situation"] = []string{"Bel kapstokkenmeester op 06-12345678."}
	w.brings(p.ID, form, at.Add(-time.Minute), refused)
	if r := w.brings(p.ID, form, at, good()); !strings.Contains(plain(r), "Ingebracht") {
		t.Fatalf("%s", plain(r))
	}
	if len(w.fromTeams()) != 1 {
		t.Fatal("not kept")
	}
	f := newFinder()
	_, code, _ := strings.Cut(form.State, ":")
	for kind, words := range map[string][]string{
		"account": {p.ID, strings.ToLower(p.ID)}, "name": {p.Name}, "code": {code, strings.ReplaceAll(code, "-", "")}, "refused": {"kapstokkenmeester", "06-12345678"},
		"moment": {"2026-09-03T14", "2026-09-03"}, "there": {"naar binnen"},
	} {
		for _, word := range words {
			f.text(kind, word)
		}
	}
	mu.Lock()
	logged := bytes.Clone(logs.Bytes())
	mu.Unlock()
	for place, parts := range map[string][][]byte{"store": dense(w.file()), "backup": dense(w.backedUp()), "keys": readFolder(t, filepath.Join(w.dir, "keys")), "log": {logged}} {
		found := f.search(parts...)
		for kind := range found {
			if kind != "there" {
				t.Errorf("%s: %s is found", place, kind)
			}
		}
		if _, there := found["there"]; there != (place == "store" || place == "backup") {
			t.Errorf("%s: the words of the proposal: %v", place, there)
		}
	}
}

// What leads to a person must go; what may be put otherwise is said once, at its field; and nothing that was written is
// lost or kept meanwhile.
func TestProposalIsLookedAtFirst(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.switchOn(crew, map[string][]string{"adviser": {"Sam de Wit"}})
	now := time.Date(2026, 9, 3, 14, 0, 0, 0, time.UTC)
	t.Run("missing", func(t *testing.T) {
		form := w.opened("p2")
		r := w.brings("p2", form, now, map[string][]string{"situation": {"Een man aan de balie."}, "a": {"ja"}, "b": {"Ja"}})
		if r.Form == nil || r.Errors["b"] == "" || r.Form.Fields[0].Value[0] != "Een man aan de balie." {
			t.Errorf("%+v", r)
		}
		r = w.brings("p2", form, now, map[string][]string{"a": {strings.Repeat("lang ", 40)}})
		if r.Errors["situation"] == "" || r.Errors["b"] == "" || !strings.Contains(r.Errors["a"], "te lang") {
			t.Errorf("not all at once: %+v", r.Errors)
		}
	})
	t.Run("personal data", func(t *testing.T) {
		form := w.opened("p2")
		for i, text := range []string{"Bel 06-12345678 maar.", "Mevrouw Jansen belt elke dag.", "Stuur het naar jan@voorbeeld.nl", "Person 4 zegt dat het mag.", "Hij woont op 1234 AB."} {
			for n := range 2 { // however often it is sent
				r := w.brings("p2", form, now.Add(time.Duration(10*i+n)*time.Second), with(good(), "situation", text))
				if r.Form == nil || !strings.Contains(r.Errors["situation"], "Haal het weg") || r.Form.Fields[0].Value[0] != text || notice(r.Form) == "" {
					t.Errorf("%s: %+v", text, r.Errors)
				}
			}
		}
	})
	t.Run("advice", func(t *testing.T) {
		form := w.opened("p2")
		values := with(good(), "situation", "Ze bellen altijd op dinsdag. Waarom doet de wethouder daar niets aan, en niet in Almelo?")
		first := w.brings("p2", form, now, values)
		if first.Form == nil {
			t.Fatalf("%s", plain(first))
		}
		for _, want := range []string{"'Ze'", "'altijd'", "'Waarom'", "'Almelo'"} {
			if !strings.Contains(first.Errors["situation"], want) {
				t.Errorf("no advice about %s: %s", want, first.Errors["situation"])
			}
		}
		if again := w.brings("p2", form, now, values); formText(again.Form, again.Errors) != formText(first.Form, first.Errors) {
			t.Error("the same again is answered otherwise")
		}
		if kept := w.brings("p2", form, now.Add(time.Minute), values); !strings.Contains(plain(kept), "Ingebracht") {
			t.Errorf("sent anyway: %+v", kept.Errors)
		}
	})
	t.Run("what is lost may stay open", func(t *testing.T) {
		form := w.opened("p2")
		values := good()
		delete(values, "lost_a")
		if r := w.brings("p2", form, now, values); r.Form == nil || r.Errors["lost_a"] == "" {
			t.Errorf("%+v", r)
		}
		if r := w.brings("p2", form, now.Add(time.Second), values); !r.Kept {
			t.Errorf("%+v", r.Errors)
		}
	})
	t.Run("heavy", func(t *testing.T) {
		form := w.opened("p2")
		values := with(good(), "situation", heavyWords)
		before := len(w.fromTeams())
		r := w.brings("p2", form, now, values)
		if r.Form == nil || !strings.Contains(notice(r.Form), "0800-0113") || !strings.Contains(notice(r.Form), "Sam de Wit") || len(w.fromTeams()) != before {
			t.Errorf("%+v", r)
		}
		if r = w.brings("p2", form, now.Add(time.Minute), values); !r.Kept || len(w.fromTeams()) != before+1 {
			t.Errorf("sent anyway: %+v", r)
		}
	})
}

// Only somebody of a team brings something; a channel never sees who does.
func TestWhoMayPropose(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	ctx := context.Background()
	if r, err := w.fake.Command(ctx, "p2", crew, "voorstel"); err != nil || r.Form != nil {
		t.Errorf("before any team is on: %v %+v", err, r)
	}
	w.switchOn(crew, nil)
	form := w.opened("p2")
	w.fake.Add(chattest.Person{ID: "stranger", Lang: "nl"})
	if r, err := w.fake.Press(ctx, "stranger", "", bot.Action{Do: "propose"}); err != nil || r.Form != nil {
		t.Errorf("a stranger: %v %+v", err, r)
	}
	if r := w.brings("stranger", form, time.Now(), good()); r.Kept || len(w.fromTeams()) != 0 {
		t.Errorf("a stranger's form: %s", plain(r))
	}
	f := w.fake.From("p2", crew)
	f.Typed = true
	if r, err := w.fake.Send(ctx, bot.Command{From: f, Text: "voorstel"}); err != nil || !strings.Contains(plain(r), "privébericht") {
		t.Errorf("in a channel, in words: %v %s", err, plain(r))
	}
	for i := range 6 {
		r := w.brings("p4", w.opened("p4"), time.Now(), with(good(), "situation", fmt.Sprintf("Iemand staat bij het hek en wil naar binnen. De rij is lang, met %d mensen.", i+2)))
		if r.Kept != (i < 5) || i == 5 && !strings.Contains(plain(r), "dit uur al 5") {
			t.Errorf("number %d of one person: %s %v", i+1, plain(r), r.Errors)
		}
	}
	for i := range 195 {
		code := fmt.Sprintf("AAAA-BBBB-CCCC-%c%cDD", 'A'+i/20, 'A'+i%20)
		if _, err := w.bot.Propose(ctx, bot.Proposal{Code: code, Lang: "nl", Situation: "x", A: "a", B: "b", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.brings("p2", form, time.Now(), good()); r.Kept || !strings.Contains(plain(r), "niet bewaard") {
		t.Errorf("when nobody could read it: %s", plain(r))
	}
}

// The form can be filled in with words, in either language; the bot repeats none of them in the conversation.
func TestProposalInWords(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	ctx := context.Background()
	w.switchOn(crew, nil)
	n := 0
	typed := func(text string) bot.Response {
		t.Helper()
		n++
		f := w.fake.From("p2", "")
		f.Typed, f.At = true, time.Date(2026, 9, 3, 14, 0, n, 0, time.UTC)
		r, err := w.fake.Send(ctx, bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: fmt.Sprintf("m%d", n)})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	lines := typedBlock(t, typed("voorstel"))
	filled := strings.NewReplacer(
		"Wat gebeurt er?:", "Wat gebeurt er?: Een man wil nog naar binnen.\nHij belt mij op 06-12345678.",
		"Wat kun je doen? (A):", "Wat kun je doen? (A): Ik doe open.", "Of doe je dit? (B):", "Of doe je dit? (B): Ik hou de tijd aan.",
	).Replace(lines)
	r := typed(filled)
	if !strings.Contains(plain(r), "een telefoonnummer") || strings.Contains(plain(r), "06-12345678") || strings.Contains(plain(r), "naar binnen") {
		t.Errorf("%s", plain(r))
	}
	filled = strings.Replace(filled, "op 06-12345678", "elke avond", 1)
	r = typed(filled) // what is lost was asked about already
	all := w.fromTeams()
	if !strings.Contains(plain(r), "Ingebracht") || !strings.Contains(plain(r), "bij je naam") || len(all) != 1 || all[0].Words["nl"].Text != "Een man wil nog naar binnen. Hij belt mij elke avond." {
		t.Errorf("%s\n%+v", plain(r), all)
	}
}

// A prompt from a team says so where it is asked, and not before its day.
func TestFromPractice(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	if strings.Contains(w.channel(crew), "Uit de praktijk") {
		t.Fatal("it says so of another prompt")
	}
	err := w.db.UpdateRound(context.Background(), r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.Prompt.Source = prompts.SourceTeam
		r.Reasons = []prompts.Reason{{Key: "from-team"}}
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.fake.Command(context.Background(), "p2", crew, "waarom")
	if err != nil || !strings.Contains(plain(resp), "uit de praktijk") {
		t.Errorf("%v %s", err, plain(resp))
	}
	w.step(r.Closes)
	if !strings.Contains(w.channel(crew), "Uit de praktijk") {
		t.Errorf("%s", w.channel(crew))
	}
}

// Within four weeks nothing that a team brought is chosen, however well it fits.
func TestNotBeforeFourWeeks(t *testing.T) {
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var p prompts.Prompt
	for _, q := range lib.Prompts {
		if q.Kind == prompts.Dilemma && q.Intensity == 1 {
			p = q
		}
	}
	p.NotBefore, p.Audience, p.NotFor, p.Season, p.Avoid = "2026-10-05", []prompts.AudienceID{prompts.Everyone}, nil, nil, nil
	lib.Prompts = []prompts.Prompt{p}
	for day, want := range map[int]bool{1: false, 30: false, 34: false, 35: true, 60: true} {
		at := time.Date(2026, 8, 31+day, 10, 0, 0, 0, time.UTC)
		if _, ok := prompts.Pick(lib, prompts.Situation{Round: 9, Slot: prompts.SlotMain, At: at}); ok != want {
			t.Errorf("%s: chosen %v", at, ok)
		}
	}
}

// What members brought breaks nothing while it waits: the library is valid, and goes out and in again.
func TestAWaitingProposalIsValid(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	w := good()
	_, err := d.bot.Propose(ctx, bot.Proposal{Code: "AAAA-BBBB-CCCC-DDDD", Lang: "nl", Situation: w["situation"][0] + " Dit moet altijd, dus waarom doet niemand het?", A: w["a"][0], B: w["b"][0],
		At: time.Date(2026, 9, 3, 14, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := d.bot.Catalogue(ctx)
	if err != nil || len(cat.Problems) != 0 {
		t.Errorf("%v %v", cat.Problems, err)
	}
	lib, err := d.bot.NewestLibrary(ctx)
	if err != nil || lib.Validate() != nil {
		t.Fatal(lib.Validate(), err)
	}
	p := d.fromTeams()[0].Tidy()
	p.ID, p.Family = "team-elders", "team-elders"
	plan, err := d.bot.PlanImport(ctx, prompts.Library{Prompts: []prompts.Prompt{p}})
	if err != nil || len(plan.New) != 1 || len(plan.Refused) != 0 {
		t.Errorf("%+v %v", plan, err)
	}
	p.Author = prompts.ByEditor // an editor's own work has no gaps in review
	if plan, err := d.bot.PlanImport(ctx, prompts.Library{Prompts: []prompts.Prompt{p}}); err != nil || len(plan.Refused) == 0 {
		t.Errorf("%+v %v", plan, err)
	}
	e := d.entry(promptKey(string(d.fromTeams()[0].ID)))
	if _, err := d.bot.ActivatePrompt(ctx, ed1, e.Prompt.ID, e.Stamp); err == nil {
		t.Error("in use with gaps")
	}
}

// No edit, import or restore lets a dilemma that a member brought be asked sooner, or hides that it came from a team; and no
// first day is put off or dropped in an active prompt without a second reader.
func TestTheFirstDayStays(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	id, err := d.bot.Propose(ctx, bot.Proposal{Code: "AAAA-BBBB-CCCC-DDDD", Lang: "nl", Situation: good()["situation"][0], A: good()["a"][0], B: good()["b"][0],
		LostA: good()["lost_a"][0], LostB: good()["lost_b"][0], At: time.Date(2026, 9, 3, 14, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	const floor = "2026-10-05"
	stands := func(what string, status prompts.Status, day string) bot.Entry {
		t.Helper()
		e := d.entry(promptKey(string(id)))
		if e.Prompt.NotBefore != day || e.Prompt.Source != prompts.SourceTeam || e.Prompt.Status != status {
			t.Errorf("%s: %s, %s, %s", what, e.Prompt.NotBefore, e.Prompt.Source, e.Prompt.Status)
		}
		if p := e.InForce; p != nil && (p.NotBefore < floor || p.Source != prompts.SourceTeam) {
			t.Errorf("%s: in force %s, %s", what, p.NotBefore, p.Source)
		}
		return e
	}
	loose := func(p prompts.Prompt, day string) prompts.Prompt {
		p = p.Tidy()
		p.NotBefore, p.Source, p.Author = day, prompts.SourceOriginal, "Redactie"
		return p
	}
	whole := func(p prompts.Prompt) prompts.Prompt {
		known, _ := d.o.Library.Prompt(known)
		p.Tensions, p.Words, p.FollowupKinds = []prompts.TensionID{"tailoring-equality"}, known.Words, known.FollowupKinds
		return p
	}
	edit := func(change func(*prompts.Prompt)) {
		t.Helper()
		e := d.entry(promptKey(string(id)))
		p := e.Prompt.Tidy()
		change(&p)
		e.Prompt = &p
		d.save(ed1, e, e.Stamp)
	}
	edit(func(p *prompts.Prompt) { *p = whole(loose(*p, "")) })
	e := stands("saved", prompts.Draft, floor)
	if e, err = d.bot.SubmitPrompt(ctx, ed1, id, e.Stamp); err != nil {
		t.Fatal(err)
	}
	if _, err = d.bot.ActivatePrompt(ctx, ed2, id, e.Stamp); err != nil {
		t.Fatal(err)
	}
	edit(func(p *prompts.Prompt) { *p = loose(*p, "2026-09-07") })
	e = stands("an active one, sooner", prompts.Active, floor)
	for i, plan := range []func(context.Context, prompts.Library) (bot.ImportPlan, error){d.bot.PlanImport, d.bot.PlanReviewedImport} {
		p := loose(*e.Prompt, "")
		dutch(func(w *prompts.Words) { w.Title = fmt.Sprintf("Uit het blad %d", i) })(&p)
		lib := prompts.Library{Prompts: []prompts.Prompt{p}}
		got, err := plan(ctx, lib)
		if err != nil || len(got.Changed) != 1 || got.Changed[0].After.Prompt.NotBefore != floor {
			t.Fatalf("%+v %v", got, err)
		}
		got.Changed[0].After.Prompt = new(loose(*got.Changed[0].After.Prompt, "")) // whoever made the plan
		if err := d.bot.ApplyImport(ctx, ed1, got); err != nil {
			t.Fatal(err)
		}
		stands("imported", got.Changed[0].After.Prompt.Status, floor)
		e = d.entry(promptKey(string(id)))
	}
	for n := range 3 {
		if e, err = d.bot.RestoreEntry(ctx, ed1, e.Key, n, e.Stamp); err != nil {
			t.Fatal(err)
		}
		stands("restored", prompts.Draft, floor)
	}
	later := d.entry(promptKey(known))
	p := later.Prompt.Tidy()
	p.NotBefore, later.Prompt = "2027-01-04", &p
	if got := d.save(ed1, later, later.Stamp); got.Prompt.Status != prompts.Draft || got.InForce == nil {
		t.Errorf("another first day is in force at once: %s", got.Prompt.Status)
	}
}

// Nobody sees a proposal before the week in which it came is over, so that the day of it says nothing.
func TestProposalIsSeenFromMonday(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	ids := map[string]prompts.ID{}
	for n, at := range map[string]time.Time{"this week": time.Now(), "last week": time.Now().AddDate(0, 0, -7)} {
		id, err := d.bot.Propose(ctx, bot.Proposal{Code: "AAAA-BBBB-CCCC-" + strings.ToUpper(n[:4]), Lang: "nl", Situation: "x", A: "a", B: "b", At: at})
		if err != nil {
			t.Fatal(err)
		}
		ids[n] = id
	}
	lib, err := d.bot.NewestLibrary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cat, err := d.bot.Catalogue(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for n, id := range ids {
		_, exported := lib.Prompt(id)
		_, counted := cat.Library.Prompt(id)
		listed := slices.ContainsFunc(cat.Entries, func(e bot.Entry) bool { return e.Key.ID == string(id) })
		found := slices.ContainsFunc(cat.Findings, func(f prompts.Finding) bool { return f.Prompt == id })
		_, one := d.bot.Entry(ctx, promptKey(string(id)))
		_, past := d.bot.EntryHistory(ctx, promptKey(string(id)))
		if want := n == "last week"; exported != want || listed != want || counted != want || found && !want || (one == nil) != want || (past == nil) != want {
			t.Errorf("%s: exported %v, listed %v, counted %v, found %v, %v, %v", n, exported, listed, counted, found, one, past)
		}
	}
}

// What is looked for in a draft, and what is not.
func TestAdvice(t *testing.T) {
	for text, want := range map[string]string{
		"Ze luisteren niet.": "they:Ze", "Ik zeg het en zij lopen door.": "they:zij", "Hij komt altijd te laat.": "always:altijd",
		"Dat mag nooit.": "always:nooit", "Waarom doet de chef daar niets aan? Dat weet ik niet.": "", "Waarom doet de chef dat niet?": "why-not:Waarom doet de chef dat niet",
		"Waarom geeft hij dat geen kans?": "why-not:Waarom geeft hij dat geen", "Ik weet niet waarom.": "", "Ik stond in Almelo bij de deur.": "place:Almelo",
		"Een vrouw uit Den Haag belt.": "place:Den Haag", "Het is druk. Almere bouwt.": "", "Ik zei: Kom maar.": "", "De CAO zegt iets.": "",
		"Op 12 maart kwam er iemand.": "date:12 maart", "Om 14.30 uur belde hij.": "date:14.30", "Gisteren stond hij er weer.": "date:Gisteren", "Vorige week dinsdag.": "date:Vorige week",
		"In 2024 was dat zo.": "date:2024", "Ik vroeg het de wethouder.": "role:wethouder", "De teamleider zegt van wel.": "role:teamleider",
		"Iemand wil nog naar binnen.": "", "Ik leg uit dat het zo is.": "", "Er staan 12 mensen voor de deur, en 3 ervan wachten 20 minuten.": "", "In Nederland mag dat.": "",
		"": "", "\xff\xfe ze": "they:ze",
	} {
		var got []string
		for _, a := range bot.FindAdvice(text, prompts.Dutch) {
			got = append(got, string(a.Kind)+":"+text[a.At:a.End])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"They never listen.": "they:They always:never", "Why doesn't he come?": "why-not:Why doesn't", "Why is that? I do not know.": "",
		"I stood in Leeds at a gate.": "place:Leeds", "I think I'm late on Monday.": "", "Last week he came.": "date:Last week", "It was yesterday.": "date:yesterday",
		"We met on 3 May at the door.": "date:3 May", "The mayor calls.": "role:mayor", "Somebody wants to come in.": "",
	} {
		var got []string
		for _, a := range bot.FindAdvice(text, prompts.English) {
			got = append(got, string(a.Kind)+":"+text[a.At:a.End])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
