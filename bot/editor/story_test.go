package editor_test

import (
	"bytes"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

func promptKey(id string) bot.EntryKey { return bot.EntryKey{Kind: bot.EntryPrompt, ID: id} }

func (w *world) entry(key bot.EntryKey) bot.Entry {
	w.t.Helper()
	e, err := w.bot.Entry(w.t.Context(), key)
	if err != nil {
		w.t.Fatalf("%s: %v", key, err)
	}
	return e
}

// The essentials without a script: write, check, send to review, return with a reason, activate by somebody else, look at
// the history, restore, retire and bring back.
func TestLifeOfAPromptWithoutAScript(t *testing.T) {
	w := served(t, nil)
	a, b := w.in(anna, prompts.Dutch), w.in(bob, prompts.English)
	a.get("/library/new/prompt?tension=policy-practice&audience=outdoor-crew")
	if !strings.Contains(a.last, `value="policy-practice" selected`) || !strings.Contains(a.last, `value="outdoor-crew" aria-describedby="s-f-audience" checked`) {
		t.Error("a gap of the coverage page is not filled in")
	}
	// Checking saves nothing, keeps what was typed and says what is wrong at its place.
	bad := with(dilemma("Het vakje dat er niet is"), "do", "check", "nl.question", "Vind je ook niet dat het moet!")
	if status := a.press("/library/new/prompt", bad); status != http.StatusOK {
		t.Fatalf("check: %d", status)
	}
	if !strings.Contains(a.last, "Vind je ook niet dat het moet!</textarea>") || !strings.Contains(a.last, `aria-describedby="h-f-nl-question s-f-nl-question" aria-invalid="true"`) {
		t.Error("what is wrong does not stand at its field")
	}
	id := "het-vakje-dat-er-niet-is"
	if _, err := w.bot.Entry(t.Context(), promptKey(id)); err == nil {
		t.Error("checking saved something")
	}
	if status := a.press("/library/new/prompt", with(dilemma("Het vakje dat er niet is"), "do", "submit")); status != http.StatusOK || !strings.Contains(a.last, "ter beoordeling") {
		t.Fatalf("submit: %d\n%s", status, a.main())
	}
	path := "/library/entry/prompt/" + id
	if e := w.entry(promptKey(id)); e.Prompt.Status != prompts.Review {
		t.Fatalf("%s", e.Prompt.Status)
	}
	// Its author cannot activate it.
	if a.get(path); a.field(path+"/activate", "t") != "" || !strings.Contains(a.last, "Je schreef hier zelf aan mee") {
		t.Errorf("its author may put it in use:\n%s", a.main())
	}
	if status := a.post(path+"/activate", a.form(path+"/return")); status == http.StatusOK || w.entry(promptKey(id)).Prompt.Status != prompts.Review {
		t.Errorf("its author put it in use: %d", status)
	}
	// The other one returns it, with a reason.
	b.get("/library/?todo=review")
	if !strings.Contains(b.last, "Het vakje dat er niet is (en)") {
		t.Error("it is not on the list of what waits")
	}
	b.get(path)
	if status := b.press(path+"/return", url.Values{"why": {"  "}}); status != http.StatusUnprocessableEntity || !strings.Contains(b.last, "Write what should be different") {
		t.Errorf("without a reason: %d", status)
	}
	if status := b.press(path+"/return", url.Values{"why": {"De rij mag eruit <b>"}}); status != http.StatusOK || !strings.Contains(b.last, "Returned.") {
		t.Fatalf("return: %d\n%s", status, b.main())
	}
	a.get(path)
	if !strings.Contains(a.last, "De rij mag eruit &lt;b&gt;") {
		t.Errorf("the reason is not there\n%s", a.main())
	}
	// The reason stays until it goes to review again.
	a.get("/library/edit/prompt/" + id)
	if status := a.press("/library/edit/prompt/"+id, with(dilemma("Het vakje"), "do", "save", "not_before", "2031-02-03")); status != http.StatusOK || !strings.Contains(a.last, "De rij mag eruit &lt;b&gt;") {
		t.Errorf("after a save the reason is gone: %d\n%s", status, a.main())
	}
	if !strings.Contains(a.last, "3 februari 2031") || w.entry(promptKey(id)).Prompt.NotBefore != "2031-02-03" {
		t.Error("the first day is not there")
	}
	a.get("/library/edit/prompt/" + id)
	if status := a.press("/library/edit/prompt/"+id, with(dilemma("Het vakje"), "do", "save", "not_before", "morgen")); status != http.StatusUnprocessableEntity || !strings.Contains(a.last, `value="morgen"`) || !strings.Contains(a.last, "Dit is geen dag") {
		t.Errorf("no day: %d", status)
	}
	if status := a.press("/library/edit/prompt/"+id, with(dilemma("Het vakje dat ontbreekt"), "do", "submit")); status != http.StatusOK {
		t.Fatalf("again: %d\n%s", status, a.main())
	}
	if w.entry(promptKey(id)).Prompt.NotBefore != "2031-02-03" {
		t.Error("a page without the field took the first day away")
	}
	b.get(path)
	if status := b.press(path+"/activate", nil); status != http.StatusOK || w.entry(promptKey(id)).Prompt.Status != prompts.Active {
		t.Fatalf("activate: %d\n%s", status, b.main())
	}
	// History, difference, restore.
	past, err := w.bot.EntryHistory(t.Context(), promptKey(id))
	if err != nil || len(past) < 4 {
		t.Fatalf("%d states, %v", len(past), err)
	}
	b.get("/library/history/prompt/" + id + "?a=0")
	if !strings.Contains(b.last, "<ins>ontbreekt</ins>") && !strings.Contains(b.last, "ontbreekt</ins>") || !strings.Contains(b.last, "<del>") || !strings.Contains(b.last, "another editor") {
		t.Errorf("the history does not show the difference\n%s", b.main())
	}
	if status := b.press("/library/history/prompt/"+id, nil); status != http.StatusOK {
		t.Fatalf("restore: %d", status)
	}
	e := w.entry(promptKey(id))
	if e.Prompt.In(prompts.Dutch).Title != "Het vakje dat er niet is" || e.Prompt.Status != prompts.Draft || e.InForce == nil || e.InForce.In(prompts.Dutch).Title != "Het vakje dat ontbreekt" {
		t.Errorf("restored: %q %s", e.Prompt.In(prompts.Dutch).Title, e.Prompt.Status)
	}
	b.get(path)
	if status := b.press(path+"/retire", nil); status != http.StatusOK || w.entry(promptKey(id)).Prompt.Status != prompts.Retired {
		t.Errorf("retire: %d", status)
	}
	if status := b.press(path+"/wake", nil); status != http.StatusOK || w.entry(promptKey(id)).Prompt.Status != prompts.Draft {
		t.Errorf("wake: %d", status)
	}
	// An ID is never used again, and what was typed stays.
	a.get("/library/new/prompt")
	if status := a.press("/library/new/prompt", with(dilemma("Iets anders"), "do", "save", "id", id)); status != http.StatusConflict || !strings.Contains(a.last, "al eens gebruikt") || !strings.Contains(a.last, `value="Iets anders"`) {
		t.Errorf("an ID used twice: %d", status)
	}
	if log := w.log.String(); strings.Contains(log, "vakje") || strings.Contains(log, "anna") || strings.Contains(log, "panic") {
		t.Errorf("the log holds what was written: %s", log)
	}
}

// Two editors at once: the second sees both versions, and loses nothing of either.
func TestTwoEditorsAtOnce(t *testing.T) {
	w := served(t, nil)
	a, b := w.in(anna, prompts.Dutch), w.in(bob, prompts.Dutch)
	for _, key := range []bot.EntryKey{
		{Kind: bot.EntryValue, ID: string(w.o.Library.Values[0].ID)}, {Kind: bot.EntryAudience, ID: string(w.o.Library.Audiences[0].ID)},
	} {
		path := "/library/edit/" + key.String()
		a.get(path)
		b.get(path)
		if status := a.press(path, url.Values{"do": {"save"}, "nl.name": {"Van Anna"}, "en.name": {"Anna's"}}); status != http.StatusOK {
			t.Fatalf("first: %d\n%s", status, a.main())
		}
		if status := b.press(path, url.Values{"do": {"save"}, "nl.name": {"Van Bob"}, "en.name": {"Bob's"}}); status != http.StatusConflict {
			t.Fatalf("second: %d", status)
		}
		for _, want := range []string{"Anna</del>", "Bob</ins>", `value="Van Bob"`, "Er zijn nu twee versies"} {
			if !strings.Contains(b.last, want) {
				t.Errorf("%s: the page does not show %s", key, want)
			}
		}
		if e := w.entry(key); nameIn(e) != "Van Anna" {
			t.Errorf("overwritten: %s", nameIn(e))
		}
		if status := b.press(path, url.Values{"do": {"save"}, "nl.name": {"Van beiden"}, "en.name": {"Both's"}}); status != http.StatusOK || nameIn(w.entry(key)) != "Van beiden" {
			t.Errorf("after looking: %d", status)
		}
		past, err := w.bot.EntryHistory(t.Context(), key)
		if err != nil || !slices.ContainsFunc(past, func(p bot.Past) bool { return nameIn(p.Entry) == "Van Anna" }) {
			t.Errorf("the first version is not in the history: %v", err)
		}
	}
	// The same for what is pressed on a page that is old.
	path := "/library/entry/prompt/" + w.firstPrompt()
	a.get(path)
	b.get(path)
	if status := a.press(path+"/retire", nil); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if status := b.press(path+"/retire", nil); status != http.StatusConflict || !strings.Contains(b.last, "Iemand anders paste dit intussen aan") {
		t.Errorf("an old page: %d", status)
	}
}

func nameIn(e bot.Entry) string {
	if e.Value != nil {
		return e.Value.Name.In(prompts.Dutch)
	}
	return e.Audience.Name.In(prompts.Dutch)
}

const script = `<script>x()</script>`

// Whatever is written in any field stands on every page as text, and runs nowhere.
func TestScriptsAreText(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	inert := func(where string, shown bool) {
		t.Helper()
		low := strings.ToLower(c.last)
		if strings.Contains(low, "<script>x") || strings.Contains(low, `"><img`) || strings.Contains(low, "onerror=x") && !strings.Contains(low, "onerror&#61;x") && strings.Contains(low, "<img") {
			t.Errorf("%s: a script stands on the page", where)
		}
		if shown && !strings.Contains(html.UnescapeString(c.last), script) {
			t.Errorf("%s: what was written is not shown", where)
		}
	}
	bad := dilemma(script)
	for name := range bad {
		switch name {
		case "type", "intensity", "cooldown_weeks", "phase", "source", "followup_kinds_1", "followup_kinds_2", "tensions", "audience", "family", "id":
		default:
			bad.Set(name, script)
		}
	}
	bad.Set("themes", script)
	bad.Set("licence", script)
	bad.Set("id", "evil")
	bad.Set("do", "save")
	c.get("/library/new/prompt")
	if status := c.press("/library/new/prompt", bad); status != http.StatusOK {
		t.Errorf("saved as a draft: %d\n%s", status, c.main())
	}
	inert("saved", true)
	// In the fields that are checked, too: refused, and shown again.
	for _, name := range []string{"type", "tensions", "audience", "intensity", "cooldown_weeks", "phase", "source", "followup_kinds_1", "family", "id", "values", "season", "avoid", "not_for", "tensions_more"} {
		c.get("/library/new/prompt")
		c.press("/library/new/prompt", with(dilemma("Gewoon"), "do", "save", "id", "evil-"+strings.ReplaceAll(name, "_", "-"), name, script))
		inert(name, false)
	}
	tension := url.Values{"do": {"save"}, "id": {"evil"}}
	for _, lang := range []string{"nl.", "en."} {
		for _, name := range []string{"label", "short", "a", "b", "protects_a", "protects_b", "examples", "description"} {
			tension.Set(lang+name, script)
		}
		for _, name := range []string{"cues_a", "cues_b", "cues_both"} {
			tension.Set(lang+name, "woord"+strings.ReplaceAll(name, "_", ""))
		}
	}
	c.get("/library/new/tension")
	if status := c.press("/library/new/tension", tension); status >= 500 {
		t.Errorf("tension: %d", status)
	}
	inert("tension", true)
	for _, kind := range []string{"value", "audience"} {
		c.get("/library/new/" + kind)
		if status := c.press("/library/new/"+kind, url.Values{"do": {"save"}, "id": {"evil"}, "nl.name": {script}, "en.name": {script}}); status != http.StatusOK {
			t.Errorf("%s: %d", kind, status)
		}
		inert(kind, true)
	}
	for _, p := range []string{
		"/library/", "/library/?q=" + url.QueryEscape(script), "/library/coverage", "/library/words", "/library/entry/prompt/evil", "/library/edit/prompt/evil",
		"/library/history/prompt/evil", "/library/entry/tension/evil", "/library/edit/tension/evil", "/library/edit/value/evil", "/library/entry/audience/evil", "/library/new/prompt",
		"/library/new/prompt?tension=" + url.QueryEscape(script) + "&audience=" + url.QueryEscape(script), "/library/history/value/evil",
	} {
		if status := c.get(p); status != http.StatusOK && !strings.Contains(p, "tension/evil") {
			t.Errorf("%s: %d", p, status)
		}
		inert(p, false)
	}
	// What the script asks for while one types, and imported files, also broken ones.
	c.get("/library/edit/prompt/evil")
	check := with(dilemma(script), "of", "evil")
	_, rest, _ := strings.Cut(c.last, `data-token="`)
	token, _, _ := strings.Cut(rest, `"`)
	check.Set("t", token)
	if status := c.post("/library/check/prompt", check); status != http.StatusOK {
		t.Errorf("check: %d", status)
	}
	inert("check", true)
	for name, file := range map[string]string{
		"a.toml": "schema = 1\n[library]\nname = {nl = '" + script + "'}\n[[value]]\nid = 'evil-two'\nnl = '" + script + "'\nen = '" + script + "'\n",
		"b.toml": "schema = 1\n'" + script + "' = 1\n", "c.toml": script, "d.csv": "id,'" + script + "'\n" + script + ",x\n", "e.csv": script + "," + script,
		"f.toml":         "schema = 1\n[library]\n[[prompt]]\nid = '" + script + "'\nrevision = 1\nintensity = 1\ncooldown_weeks = 52\nfamily = '" + script + "'\ntype = '" + script + "'\n",
		script + ".toml": "schema = 2",
	} {
		if status := c.upload(name, []byte(file)); status >= 500 {
			t.Errorf("%s: %d", name, status)
		}
		inert(name, false)
	}
	if log := w.log.String(); strings.Contains(log, "script") || strings.Contains(log, "panic") {
		t.Errorf("the log holds what was written: %s", log)
	}
}

// What a person reads when a file is not right, and what an import does and does not do.
func TestImportAndExport(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	for name, x := range map[string]struct{ file, want string }{
		"unknown.toml": {"schema = 1\n[library]\n[[prompt]]\nid = \"x\"\nsoort = \"dilemma\"\n", "soort is geen bekend onderdeel; kijk of het goed gespeld is"},
		"type.toml":    {"schema = 1\n[library]\n[[prompt]]\nid = 3\n", "hier staat een"},
		"half.csv":     {"id,title\n\"x,y\n", "aanhalingsteken"},
		"empty.csv":    {"  \n", "Er is niets om te lezen"},
		"column.csv":   {"id;kleur\nx;rood\n", "is niet bekend; exporteer de bibliotheek en houd de eerste rij"},
		"book.csv":     {"PK\x03\x04xxxx", "het eigen bestand van een spreadsheet"},
		"latin.csv":    {"id,title\nx,caf\xe9\n", "niet in UTF-8"},
		"many.toml":    {"schema = 1\n[library]\n" + strings.Repeat("[[value]]\n", 2001), "meer dan 2000 regels"},
		"bomb.toml":    {"schema = 1\nvalue = [" + strings.Repeat("{},", 100_000) + "{}]\n[library]\n", "meer dan 2000 regels"},
		"bomb.csv":     {"id;title\n" + strings.Repeat(";", 1<<20), "meer dan 1000000 cellen"},
	} {
		status := c.upload(name, []byte(x.file))
		if page := html.UnescapeString(c.last); status != http.StatusUnprocessableEntity || !strings.Contains(page, x.want) {
			_, said, _ := strings.Cut(page, `id="wrong"`)
			said, _, _ = strings.Cut(said, "</ul>")
			t.Errorf("%s: %d\n%s", name, status, said)
		}
	}
	before, err := w.bot.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// What is exported and imported unchanged changes nothing.
	for _, name := range []string{"library.toml", "library.csv"} {
		if status := c.get("/library/export/" + name); status != http.StatusOK {
			t.Fatalf("%s: %d", name, status)
		}
		file := c.last
		if status := c.upload(name, []byte(file)); status != http.StatusOK || !strings.Contains(c.last, "Nieuw: 0") || !strings.Contains(c.last, "Aangepast: 0") {
			t.Errorf("%s back: %d\n%s", name, status, c.last[:min(len(c.last), 5000)])
		}
	}
	if status := c.upload("own.toml", exported(t, w)); status != http.StatusOK || !strings.Contains(c.last, "Nieuw: 1") || !strings.Contains(c.last, "Aangepast: 1") || !strings.Contains(c.last, "heel-nieuw") {
		t.Fatalf("plan: %d\n%s", status, c.main())
	}
	if now, err := w.bot.Catalogue(t.Context()); err != nil || len(now.Entries) != len(before.Entries) {
		t.Errorf("looking changed something: %v", err)
	}
	plan := c.last
	// Meanwhile somebody else changes something: it is shown anew, and nothing is done.
	b := w.in(bob, prompts.Dutch)
	path := "/library/edit/value/" + string(w.o.Library.Values[0].ID)
	b.get(path)
	if status := b.press(path, url.Values{"do": {"save"}, "nl.name": {"Anders"}, "en.name": {"Other"}}); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if status := c.press("/library/import/apply", nil); status != http.StatusConflict || !strings.Contains(c.last, "veranderde intussen") {
		t.Fatalf("apply to what changed: %d", status)
	}
	if status := c.press("/library/import/apply", nil); status != http.StatusOK || !strings.Contains(c.last, "Geïmporteerd.") {
		t.Fatalf("apply: %d\n%s", status, c.main())
	}
	if e := w.entry(promptKey("heel-nieuw")); e.Prompt.Status == prompts.Active {
		t.Errorf("an import put something in use: %s", e.Prompt.Status)
	}
	c.last = plan
	if status := c.press("/library/import/apply", nil); status != http.StatusConflict {
		t.Errorf("applied twice: %d", status)
	}
}

// A release changes what was changed here: both are shown, and one is chosen.
func TestUpdateIsSettled(t *testing.T) {
	w := served(t, nil)
	w.release()
	a := w.in(anna, prompts.Dutch)
	a.get("/library/")
	if !strings.Contains(a.last, "?todo=update") {
		t.Error("the list does not tell")
	}
	path := "/library/update/value/" + w.updated
	if status := a.get(path); status != http.StatusOK {
		t.Fatalf("%d\n%s", status, a.main())
	}
	for _, want := range []string{"Van ons", "Van de uitgave", "Release", `value="merged"`} {
		if !strings.Contains(a.last, want) {
			t.Errorf("%s is not shown", want)
		}
	}
	if status := a.press(path, url.Values{"take": {"alles"}}); status != http.StatusBadRequest {
		t.Errorf("take what is not there: %d", status)
	}
	a.get(path)
	if status := a.press(path, url.Values{"take": {"merged"}}); status != http.StatusOK {
		t.Fatalf("settle: %d", status)
	}
	e := w.entry(bot.EntryKey{Kind: bot.EntryValue, ID: w.updated})
	if e.Update != nil || e.Value.Name[prompts.Dutch] != "Van ons" || e.Value.Name[prompts.English] != "Release" {
		t.Errorf("%v %v", e.Update, e.Value.Name)
	}
	if status := a.get(path); status != http.StatusNotFound {
		t.Errorf("nothing left: %d", status)
	}
}

// release changes a value here in Dutch, and then in a new release in both languages.
func (w *world) release() {
	w.t.Helper()
	value := w.o.Library.Values[0]
	key := bot.EntryKey{Kind: bot.EntryValue, ID: string(value.ID)}
	e := w.entry(key)
	mine := *e.Value
	mine.Name = prompts.Text{prompts.Dutch: "Van ons", prompts.English: value.Name[prompts.English]}
	e.Value = &mine
	if _, err := w.bot.SaveEntry(w.t.Context(), anna, bot.Change{Entry: e, Stamp: e.Stamp}); err != nil {
		w.t.Fatal(err)
	}
	w.o.Library.Values = slices.Clone(w.o.Library.Values)
	w.o.Library.Values[0].Name = prompts.Text{prompts.Dutch: "Van de uitgave", prompts.English: "Release"}
	w.restart()
	w.updated = key.ID
}

// Bad input: everything that is wrong at once, at the fields, with what was typed kept.
func TestEverythingWrongAtOnce(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.English)
	c.get("/library/new/tension")
	if status := c.press("/library/new/tension", url.Values{"do": {"save"}, "nl.label": {strings.Repeat("x", 90)}, "nl.short": {strings.Repeat("y", 30)}, "en.a": {"Kept as typed"}}); status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", status)
	}
	for _, want := range []string{`href="#f-nl-label"`, `href="#f-nl-short"`, `href="#f-en-label"`, `href="#f-nl-b"`, `value="Kept as typed"`, strings.Repeat("x", 90), `id="wrong"`, "Not right yet"} {
		if !strings.Contains(c.last, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
	c.get("/library/new/prompt")
	if status := c.press("/library/new/prompt", with(dilemma("Gewoon"), "do", "save", "intensity", "zwaar", "cooldown_weeks", "lang")); status != http.StatusUnprocessableEntity || !strings.Contains(c.last, `value="lang"`) || strings.Count(c.last, "A whole number goes here.") < 4 {
		t.Errorf("%d", status)
	}
	var sent bytes.Buffer
	sent.WriteString(c.last)
	if strings.Contains(sent.String(), "<strong>Error:</strong> is 0") {
		t.Error("what could not be read is judged all the same")
	}
}

// No page knows replies: nothing of a store that holds a team is on any.
func TestNoRepliesHere(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	for _, p := range []string{"/library/round/1", "/library/teams", "/library/replies", "/library/entry/reply/1", "/library/export/replies.csv"} {
		if status := c.get(p); status != http.StatusNotFound {
			t.Errorf("%s: %d", p, status)
		}
	}
}
