package editor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// formView is the page on which an entry is written.
type formView struct {
	Key     bot.EntryKey
	New     bool
	Kind    string
	Name    string
	Stamp   string
	Active  bool // what readers see goes to review again
	ID      *field
	Pairs   []pair
	Groups  []group
	Senses  bool // the tension can go on counting under other words
	Same    bool
	Live    live
	Theirs  []change // what somebody else made of it meanwhile, against what is typed here
	Back    []string
	Action  []string
	CanSend bool // a prompt can go to review from here
	Unsaved bool // what stands here was typed, and is nowhere else
}

// pair is a text in both languages, side by side.
type pair struct {
	Label, Hint string
	Fields      []field
}

// group is fields that belong together.
type group struct {
	Legend string
	Open   bool
	Fields []field
}

// field is one field of the form, named as in the file.
type field struct {
	Name, Label, Hint string
	Kind              string // "line", "text", "one", "many", "tick"
	Value             string
	Options           []option
	Rows              int
	Lang              prompts.Lang
	Says              []said
}

// HTMLID is the field's name where no dots may stand.
func (f field) HTMLID() string { return fieldID(f.Name) }

func fieldID(name string) string {
	return "f-" + strings.NewReplacer(".", "-", "_", "-").Replace(name)
}

// Wrong says whether something must be changed before it is taken.
func (f field) Wrong() bool { return slices.ContainsFunc(f.Says, func(s said) bool { return s.Error }) }

// live is what changes while somebody types.
type live struct {
	Previews []preview
	Says     []said // all of it, the worst first
	Errors   int
	Warnings int
	Checked  bool
}

const maxList = 400 // entries of one list, and lines of one field: far more than the format takes

// edit shows the form.
func (e *Editor) edit(v *visit) error {
	key, err := v.formKey()
	if err != nil {
		return err
	}
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	entry := v.blank(key)
	if key.ID != "" {
		if entry, err = v.bot.Entry(v.r.Context(), key); err != nil {
			return err
		}
		if entry.ReadOnly {
			return bot.ErrReadOnly
		}
	}
	return v.form(http.StatusOK, c, entry, entry.Stamp, formState{check: key.ID != "", quick: true})
}

func (v *visit) formKey() (bot.EntryKey, error) {
	if v.r.PathValue("id") == "" {
		v.r.SetPathValue("id", "")
	}
	return v.key()
}

// blank is what a new entry begins as.
func (v *visit) blank(key bot.EntryKey) bot.Entry {
	entry := bot.Entry{Key: key}
	switch key.Kind {
	case bot.EntryTension:
		entry.Tension = &prompts.Tension{}
	case bot.EntryValue:
		entry.Value = &prompts.Value{}
	case bot.EntryAudience:
		entry.Audience = &prompts.Audience{}
	default:
		q := v.r.URL.Query() // a gap of the coverage page is filled in already
		p := prompts.Prompt{
			Kind: prompts.Dilemma, Phase: prompts.PhaseOpen, Status: prompts.Draft, Intensity: 1, CooldownWeeks: 52, Source: prompts.SourceOriginal,
			FollowupKinds: []string{"perspective", "own-experience"}, Words: map[prompts.Lang]prompts.Words{},
		}
		if t := q.Get("tension"); t != "" {
			p.Tensions = []prompts.TensionID{prompts.TensionID(t)}
		}
		if a := q.Get("audience"); a != "" {
			p.Audience = []prompts.AudienceID{prompts.AudienceID(a)}
		}
		entry.Prompt = &p
	}
	return entry
}

// formState is what happened to a form before it is shown.
type formState struct {
	problems []prompts.Problem
	findings []prompts.Finding
	wrong    []wrong
	theirs   *bot.Entry // somebody else saved this meanwhile
	same     bool
	saved    bool // what is shown was saved just now
	check    bool
	quick    bool // without what only a look at all others finds
}

// form shows an entry as it is typed, with everything that there is to say about it at its fields.
func (v *visit) form(status int, c bot.Catalogue, entry bot.Entry, stamp string, s formState) error {
	d := v.build(c, entry, stamp, s)
	title := v.say("web.edit-new", "kind", v.kindName(entry.Key.Kind))
	if !d.New {
		title = v.say("web.edit-entry", "name", d.Name)
	}
	nav := "list"
	if entry.Prompt == nil {
		nav = "words"
	}
	wrongs := slices.Clone(s.wrong)
	for _, x := range v.say2(s.problems, s.findings) { // what it was refused for; what else there is to say stands at the fields
		if x.Error {
			wrongs = append(wrongs, wrong{d.place(x.Field), x.Label, x.Text})
		}
	}
	v.show(status, "form", page{Title: title, Nav: nav, Wrong: wrongs, D: d})
	return nil
}

func (v *visit) build(c bot.Catalogue, entry bot.Entry, stamp string, s formState) formView {
	key := entry.Key
	d := formView{
		Key: key, New: key.ID == "", Kind: v.kindName(key.Kind), Name: nameOf(entry, v.lang), Stamp: stamp, Same: s.same,
		Active: entry.Prompt != nil && (entry.Prompt.Status == prompts.Active || entry.InForce != nil), CanSend: entry.Prompt != nil,
		Unsaved: v.r.Method == http.MethodPost && !s.saved,
	}
	d.Action, d.Back = []string{"edit", string(key.Kind), key.ID}, []string{"entry", string(key.Kind), key.ID}
	if d.New {
		d.Action, d.Back = []string{"new", string(key.Kind)}, []string{""}
		if key.Kind != bot.EntryPrompt {
			d.Back = []string{"words"}
		}
		d.ID = &field{Name: "id", Label: v.say("web.field-id"), Hint: v.say("web.hint-id"), Kind: "line", Value: idOf(entry)}
	}
	if s.check {
		if len(s.problems)+len(s.findings) == 0 {
			s.problems, s.findings = v.look(c, entry, s.quick)
		}
		d.Live.Checked = true
	}
	d.Live.Says = v.say2(s.problems, s.findings)
	if entry.Prompt != nil {
		d.spread(*entry.Prompt)
	}
	d.Live.Says = slices.DeleteFunc(d.Live.Says, func(x said) bool { // of what could not be read nothing more is known
		return slices.ContainsFunc(s.wrong, func(w wrong) bool { return w.Field != "" && w.Field == x.Field })
	})
	for _, x := range d.Live.Says {
		if x.Error {
			d.Live.Errors++
		} else {
			d.Live.Warnings++
		}
	}
	if entry.Prompt != nil {
		d.Live.Previews = v.previews(*entry.Prompt)
		d.Pairs, d.Groups = v.promptPairs(*entry.Prompt), v.promptGroups(c, *entry.Prompt)
	} else {
		nl, en := v.wordFields(entry, prompts.Dutch), v.wordFields(entry, prompts.English)
		for i := range nl {
			hint := nl[i].Hint
			nl[i].Hint, en[i].Hint = "", ""
			d.Pairs = append(d.Pairs, pair{nl[i].Label, hint, []field{nl[i], en[i]}})
		}
		d.Senses = entry.Tension != nil && !d.New
	}
	d.each(func(f *field) {
		for _, x := range s.wrong { // what could not be read stays as it was typed
			if x.Field == f.Name {
				f.Value = v.r.PostFormValue(f.Name)
				f.Says = []said{{Field: f.Name, Label: x.Label, Level: levelName(v.lang, prompts.Error), Error: true, Text: x.Text}}
				return
			}
		}
		for _, x := range d.Live.Says {
			if d.place(x.Field) == f.Name {
				f.Says = append(f.Says, x)
			}
		}
	})
	for i, g := range d.Groups { // what is wrong is not folded away
		d.Groups[i].Open = g.Open || slices.ContainsFunc(g.Fields, func(f field) bool { return len(f.Says) > 0 })
	}
	if s.theirs != nil {
		d.Theirs = v.changes(v.bot.Diff(*s.theirs, entry))
	}
	return d
}

// spread lays what is said of a missing follow-up question at the one that is missing: the lint says it of both alike.
func (d *formView) spread(p prompts.Prompt) {
	for _, lang := range prompts.Langs() {
		name := string(lang) + ".followups"
		var empty []string
		for i, f := range append(slices.Clone(p.Words[lang].Followups), "", "")[:2] {
			if strings.TrimSpace(f) == "" {
				empty = append(empty, name+"_"+strconv.Itoa(i+1))
			}
		}
		for i, x := range d.Live.Says {
			if x.Field == name && len(empty) > 0 {
				d.Live.Says[i].Field, empty = empty[0], empty[1:]
			}
		}
	}
}

func (d *formView) each(do func(*field)) {
	if d.ID != nil {
		do(d.ID)
	}
	for i := range d.Pairs {
		for j := range d.Pairs[i].Fields {
			do(&d.Pairs[i].Fields[j])
		}
	}
	for i := range d.Groups {
		for j := range d.Groups[i].Fields {
			do(&d.Groups[i].Fields[j])
		}
	}
}

// Place is place for the pages.
func (d formView) Place(name string) string { return d.place(name) }

// Said are all fields, with what there is to say at them.
func (d formView) Said() []field {
	var out []field
	d.each(func(f *field) { out = append(out, *f) })
	return out
}

// place is the field of the form at which something stands that is said of a field of the file; empty: at none.
func (d *formView) place(name string) string {
	names := map[string]bool{}
	d.each(func(f *field) { names[f.Name] = true })
	lang, rest, _ := strings.Cut(name, ".")
	for _, try := range []string{name, name + "_1", "nl." + name, "nl." + name + "_1", lang + "." + rest, lang + ".text", lang + ".name", lang + ".label"} {
		if names[try] {
			return try
		}
	}
	return ""
}

// look asks the format's rules and the lint what they say of one entry among the others. quick leaves the other prompts out:
// then nothing is said of texts that are much alike, and the answer comes while somebody types.
func (v *visit) look(c bot.Catalogue, entry bot.Entry, quick bool) ([]prompts.Problem, []prompts.Finding) {
	l, id := c.Library, idOf(entry)
	if quick {
		l.Prompts = nil
	}
	switch {
	case entry.Prompt != nil:
		p := *entry.Prompt
		p.ID, p.Revision, p.Status = prompts.ID(id), max(p.Revision, 1), prompts.Draft // as it is saved
		p.Family = cmp.Or(p.Family, id)
		l = l.With([]prompts.Prompt{p})
	case entry.Tension != nil:
		t := *entry.Tension
		t.ID = prompts.TensionID(id)
		l = l.WithTensions([]prompts.Tension{t})
	default:
		return nil, nil
	}
	var problems []prompts.Problem
	for _, p := range problemsOf(l.Validate()) {
		if p.Table == string(entry.Key.Kind) && p.ID == id && (id != "" || p.Field != "id" && p.Field != "family") {
			problems = append(problems, p)
		}
	}
	var found []prompts.Finding
	for _, f := range prompts.Lint(l) {
		if entry.Prompt != nil && f.Tension == "" && string(f.Prompt) == id || entry.Tension != nil && f.Tension != "" && string(f.Tension) == id {
			found = append(found, f)
		}
	}
	return problems, found
}

// problemsOf takes apart what Validate joins.
func problemsOf(err error) []prompts.Problem {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[prompts.Problem](err); ok {
		if all, joined := err.(interface{ Unwrap() []error }); joined {
			var out []prompts.Problem
			for _, one := range all.Unwrap() {
				out = append(out, problemsOf(one)...)
			}
			return out
		}
		return []prompts.Problem{p}
	}
	return nil
}

// save takes the form in: checks it, saves it, or saves it and sends it to review.
func (e *Editor) save(v *visit) error {
	key, err := v.formKey()
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	c, err := v.bot.Catalogue(ctx)
	if err != nil {
		return err
	}
	base := v.blank(key)
	if key.ID != "" {
		if base, err = v.bot.Entry(ctx, key); err != nil {
			return err
		}
	}
	entry, unread, err := v.typed(base)
	if err != nil {
		return err
	}
	stamp, do := v.r.PostFormValue("stamp"), v.r.PostFormValue("do")
	s := formState{same: v.r.PostFormValue("same") == "yes", check: true, wrong: unread}
	if do == "check" || len(unread) > 0 {
		status := http.StatusOK
		if len(unread) > 0 {
			status = http.StatusUnprocessableEntity
		}
		return v.form(status, c, entry, stamp, s)
	}
	toSave := entry
	if key.ID == "" {
		stamp = ""
		toSave.Key.ID = idOf(entry)
		setID(&toSave)
	}
	saved, err := v.bot.SaveEntry(ctx, v.s.editor, bot.Change{Entry: toSave, Stamp: stamp, SameMeaning: s.same})
	var refused *bot.Refused
	switch {
	case err == nil:
	case errors.Is(err, bot.ErrConflict):
		s.theirs = &saved
		s.wrong = []wrong{{"", "", v.say("web.conflict")}}
		return v.form(http.StatusConflict, c, entry, saved.Stamp, s)
	case errors.Is(err, bot.ErrExists):
		s.problems = []prompts.Problem{{Table: string(key.Kind), ID: toSave.Key.ID, Field: "id", Text: locale.Text(prompts.English, "web.id-taken"), Dutch: locale.Text(prompts.Dutch, "web.id-taken")}}
		return v.form(http.StatusConflict, c, entry, stamp, s)
	case errors.As(err, &refused):
		s.problems, s.findings = refused.Problems, refused.Findings
		if entry.Prompt != nil || entry.Tension != nil {
			_, all := v.look(c, entry, false)
			for _, f := range all { // what is no reason to refuse is still said
				if !slices.ContainsFunc(s.findings, func(g prompts.Finding) bool { return g.Rule == f.Rule && g.Field == f.Field && g.Lang == f.Lang }) {
					s.findings = append(s.findings, f)
				}
			}
		}
		return v.form(http.StatusUnprocessableEntity, c, entry, stamp, s)
	default:
		return err
	}
	if do != "submit" || saved.Prompt == nil || saved.Prompt.Status != prompts.Draft {
		return v.back("saved", "entry", string(saved.Key.Kind), saved.Key.ID)
	}
	_, err = v.bot.SubmitPrompt(ctx, v.s.editor, prompts.ID(saved.Key.ID), saved.Stamp)
	if err != nil { // it is saved as a draft; what keeps it from review is said at its fields
		v.r.SetPathValue("id", saved.Key.ID)
		s.saved = true
		if errors.As(err, &refused) {
			s.problems, s.findings, s.wrong = refused.Problems, refused.Findings, []wrong{{"", "", v.say("web.saved-not-sent")}}
			return v.form(http.StatusUnprocessableEntity, c, saved, saved.Stamp, s)
		}
		v.e.log.Warn("library page", "page", v.r.Pattern, "type", fmt.Sprintf("%T", err))
		s.wrong = []wrong{{"", "", v.say("web.saved-only")}}
		return v.form(http.StatusConflict, c, saved, saved.Stamp, s)
	}
	return v.back("submit", "entry", string(saved.Key.Kind), saved.Key.ID)
}

// writes says whether the request sends in the form of an entry, which holds what somebody typed.
func (v *visit) writes() bool {
	steps := strings.Split(strings.TrimPrefix(v.r.URL.Path, "/library/"), "/")
	_, err := v.key()
	return v.r.Method == http.MethodPost && err == nil && (steps[0] == "edit" || steps[0] == "new")
}

// keep shows the form again with what was typed and why it was not taken, so that nothing of it is lost. Nothing is saved:
// its reader sends it in once more. False: there is no form to show.
func (v *visit) keep(status int, why string) bool {
	key, err := v.formKey()
	if err != nil {
		return false
	}
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return false
	}
	base := v.blank(key)
	if key.ID != "" {
		base, err = v.bot.Entry(v.r.Context(), key)
	}
	stamp := v.r.PostFormValue("stamp")
	if errors.Is(err, bot.ErrNotFound) { // it is not there any more, but can be made anew
		v.r.SetPathValue("id", "")
		base, stamp, err = v.blank(bot.EntryKey{Kind: key.Kind}), "", nil
	}
	if err != nil {
		return false
	}
	entry, unread, err := v.typed(base)
	if err != nil {
		return false
	}
	if why == "web.sorry-form" { // the page is of an earlier session
		why = "web.kept-form"
	}
	wrongs := append([]wrong{{"", "", v.say(why)}, {"", "", v.say("web.kept")}}, unread...)
	return v.form(status, c, entry, stamp, formState{wrong: wrongs, same: v.r.PostFormValue("same") == "yes"}) == nil
}

// texts are what was typed in the form that was sent in, to copy.
func (v *visit) texts() string {
	key, err := v.key()
	if err != nil {
		return ""
	}
	var fields []field
	if entry := v.blank(key); entry.Prompt != nil {
		for _, pair := range v.promptPairs(*entry.Prompt) {
			fields = append(fields, pair.Fields...)
		}
	} else {
		for _, lang := range prompts.Langs() {
			fields = append(fields, v.wordFields(entry, lang)...)
		}
	}
	var out strings.Builder
	for _, f := range fields {
		if text := strings.TrimSpace(strings.ReplaceAll(v.r.PostFormValue(f.Name), "\r\n", "\n")); text != "" {
			out.WriteString(f.Label + " (" + v.langName(f.Lang) + ")\n" + text + "\n\n")
		}
	}
	return strings.TrimSpace(out.String())
}

// check answers the script while somebody types: the preview, and what there is to say at each field.
func (e *Editor) check(v *visit) error {
	key, err := v.formKey()
	if err != nil {
		return err
	}
	key.ID = v.r.PostFormValue("of")
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	base := v.blank(key)
	if key.ID != "" {
		if base, err = v.bot.Entry(v.r.Context(), key); err != nil {
			return err
		}
	}
	entry, _, err := v.typed(base)
	if err != nil {
		return err
	}
	d := v.build(c, entry, "", formState{check: true, quick: true})
	var out bytes.Buffer
	p := page{D: d, Lang: v.lang, Base: v.at.base, v: v}
	if err := v.e.pages["form"].ExecuteTemplate(&out, "checked", p); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Write(out.Bytes())
	return nil
}

// idOf is the ID of an entry; a new one that was given none gets it from its Dutch name.
func idOf(entry bot.Entry) string {
	if entry.Key.ID != "" {
		return entry.Key.ID
	}
	id := ""
	switch {
	case entry.Prompt != nil:
		id = string(entry.Prompt.ID)
	case entry.Tension != nil:
		id = string(entry.Tension.ID)
	case entry.Value != nil:
		id = string(entry.Value.ID)
	case entry.Audience != nil:
		id = string(entry.Audience.ID)
	}
	if id != "" {
		return id
	}
	name := nameOf(entry, prompts.Dutch)
	return slugOf(name)
}

// slugOf makes an ID of a name: letters and digits, with dashes between words.
func slugOf(name string) string {
	var out strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		if plain, ok := map[rune]rune{'é': 'e', 'è': 'e', 'ê': 'e', 'ë': 'e', 'á': 'a', 'à': 'a', 'ä': 'a', 'ó': 'o', 'ö': 'o', 'ï': 'i', 'í': 'i', 'ü': 'u', 'ú': 'u', 'ç': 'c'}[r]; ok {
			r = plain
		}
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			dash = out.Len() > 0
			continue
		}
		if out.Len() >= 50 {
			break
		}
		if dash {
			out.WriteByte('-')
			dash = false
		}
		out.WriteRune(r)
	}
	return out.String()
}

func setID(entry *bot.Entry) {
	switch id := entry.Key.ID; {
	case entry.Prompt != nil:
		p := *entry.Prompt
		p.ID = prompts.ID(id)
		if p.Family == "" {
			p.Family = id
		}
		entry.Prompt = &p
	case entry.Tension != nil:
		t := *entry.Tension
		t.ID = prompts.TensionID(id)
		entry.Tension = &t
	case entry.Value != nil:
		entry.Value = &prompts.Value{ID: prompts.ValueID(id), Name: entry.Value.Name, Retired: entry.Value.Retired}
	case entry.Audience != nil:
		entry.Audience = &prompts.Audience{ID: prompts.AudienceID(id), Name: entry.Audience.Name, Retired: entry.Audience.Retired}
	}
}

// ---- prompts

func (v *visit) promptPairs(p prompts.Prompt) []pair {
	one := func(name, key, hint, kind string, rows int, get func(prompts.Words) string) pair {
		out := pair{Label: v.say(key), Hint: hint}
		for _, lang := range prompts.Langs() {
			out.Fields = append(out.Fields, field{Name: string(lang) + "." + name, Label: v.say(key), Kind: kind, Rows: rows, Lang: lang, Value: get(p.Words[lang])})
		}
		return out
	}
	followup := func(n int) func(prompts.Words) string {
		return func(w prompts.Words) string {
			if n < len(w.Followups) {
				return w.Followups[n]
			}
			return ""
		}
	}
	return []pair{
		one("title", "web.field-title", v.say("web.hint-title"), "line", 0, func(w prompts.Words) string { return w.Title }),
		one("text", "web.field-text", v.say("web.hint-text"), "text", 6, func(w prompts.Words) string { return w.Text }),
		one("question", "web.field-question", v.say("web.hint-question"), "text", 2, func(w prompts.Words) string { return w.Question }),
		one("pole_a", "web.field-pole-a", v.say("web.hint-poles"), "line", 0, func(w prompts.Words) string { return w.PoleA }),
		one("protects_a", "web.field-protects-a", v.say("web.hint-protects"), "line", 0, func(w prompts.Words) string { return w.ProtectsA }),
		one("pole_b", "web.field-pole-b", v.say("web.hint-poles"), "line", 0, func(w prompts.Words) string { return w.PoleB }),
		one("protects_b", "web.field-protects-b", v.say("web.hint-protects"), "line", 0, func(w prompts.Words) string { return w.ProtectsB }),
		one("followups_1", "web.field-followup-1", v.say("web.hint-followup"), "text", 2, followup(0)),
		one("followups_2", "web.field-followup-2", v.say("web.hint-followup"), "text", 2, followup(1)),
	}
}

func (v *visit) promptGroups(c bot.Catalogue, p prompts.Prompt) []group {
	var types, tensions, values, audiences []option
	for _, k := range []prompts.Kind{prompts.Dilemma, prompts.Appreciative, prompts.Practice, prompts.ValuePrompt, prompts.LookBack} {
		types = append(types, option{string(k), v.typeName(k), false})
	}
	tensions = append(tensions, option{"", v.say("web.none"), false})
	for _, entry := range c.Entries {
		if entry.Retired {
			continue
		}
		o := option{entry.Key.ID, nameOf(entry, v.lang), false}
		switch entry.Key.Kind {
		case bot.EntryTension:
			tensions = append(tensions, o)
		case bot.EntryValue:
			values = append(values, o)
		case bot.EntryAudience:
			audiences = append(audiences, o)
		}
	}
	everyone := slices.Concat([]option{{string(prompts.Everyone), v.say("web.everyone"), false}}, audiences)
	var phases, sources []option
	for _, ph := range []prompts.Phase{prompts.PhaseOpen, prompts.PhaseFollow, prompts.PhaseTalk, prompts.PhaseLookBack} {
		phases = append(phases, option{string(ph), v.phaseName(ph), false})
	}
	for _, s := range []string{prompts.SourceOriginal, prompts.SourceTeam, prompts.SourceCommissioned} {
		sources = append(sources, option{s, v.sourceName(s), false})
	}
	weights := []option{{"1", v.intensityName(1), false}, {"2", v.intensityName(2), false}, {"3", v.intensityName(3), false}}
	var season []string
	for _, m := range p.Season {
		season = append(season, strconv.Itoa(m))
	}
	kind := func(n int) string {
		if n < len(p.FollowupKinds) {
			return p.FollowupKinds[n]
		}
		return ""
	}
	tick := func(on bool) string {
		if on {
			return "yes"
		}
		return ""
	}
	var tension string
	var more []string // a light prompt may name several
	for i, t := range p.Tensions {
		if i == 0 {
			tension = string(t)
		} else {
			more = append(more, string(t))
		}
	}
	return []group{
		{v.say("web.group-what"), true, []field{
			{Name: "type", Label: v.say("web.field-type"), Hint: v.say("web.hint-type"), Kind: "one", Options: chosen(types, string(p.Kind))},
			{Name: "tensions", Label: v.say("web.field-tension"), Hint: v.say("web.hint-tension"), Kind: "one", Options: chosen(tensions, tension)},
			{Name: "tensions_more", Label: v.say("web.field-tensions-more"), Kind: "many", Options: chosen(tensions[1:], more...)},
			{Name: "values", Label: v.say("web.field-values"), Kind: "many", Options: chosen(values, texts(p.Values)...)},
			{Name: "followup_kinds_1", Label: v.say("web.field-followup-kind-1"), Kind: "one", Options: chosen(v.followupKinds(), kind(0))},
			{Name: "followup_kinds_2", Label: v.say("web.field-followup-kind-2"), Kind: "one", Options: chosen(v.followupKinds(), kind(1))},
		}},
		{v.say("web.group-whom"), true, []field{
			{Name: "audience", Label: v.say("web.field-audience"), Kind: "many", Options: chosen(everyone, texts(p.Audience)...)},
			{Name: "not_for", Label: v.say("web.field-not-for"), Kind: "many", Options: chosen(audiences, texts(p.NotFor)...)},
			{Name: "intensity", Label: v.say("web.field-intensity"), Hint: v.say("web.hint-intensity"), Kind: "one", Options: chosen(weights, strconv.Itoa(p.Intensity))},
			{Name: "aftercare", Label: v.say("web.field-aftercare"), Hint: v.say("web.hint-aftercare"), Kind: "tick", Value: tick(p.Aftercare)},
			{Name: "onboarding", Label: v.say("web.field-onboarding"), Kind: "tick", Value: tick(p.Onboarding)},
		}},
		{v.say("web.group-when"), false, []field{
			{Name: "phase", Label: v.say("web.field-phase"), Kind: "one", Options: chosen(phases, string(p.Phase))},
			{Name: "cooldown_weeks", Label: v.say("web.field-cooldown"), Hint: v.say("web.hint-cooldown"), Kind: "line", Value: strconv.Itoa(p.CooldownWeeks)},
			{Name: "not_before", Label: v.say("web.field-not-before"), Hint: v.say("web.hint-not-before"), Kind: "line", Value: p.NotBefore},
			{Name: "season", Label: v.say("web.field-season"), Hint: v.say("web.hint-season"), Kind: "many", Options: chosen(v.months(), season...)},
			{Name: "avoid", Label: v.say("web.field-avoid"), Kind: "many", Options: chosen(v.periods(), p.Avoid...)},
		}},
		{v.say("web.group-more"), false, []field{
			{Name: "family", Label: v.say("web.field-family"), Hint: v.say("web.hint-family"), Kind: "line", Value: p.Family},
			{Name: "themes", Label: v.say("web.field-themes"), Hint: v.say("web.hint-themes"), Kind: "line", Value: strings.Join(p.Themes, ", ")},
			{Name: "source", Label: v.say("web.field-source"), Kind: "one", Options: chosen(sources, p.Source)},
			{Name: "licence", Label: v.say("web.field-licence"), Hint: v.say("web.hint-licence"), Kind: "line", Value: p.Licence},
		}},
	}
}

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = string(x)
	}
	return out
}

func named[T ~string](all []string) []T {
	var out []T
	for _, x := range all[:min(len(all), maxList)] {
		if x != "" {
			out = append(out, T(x))
		}
	}
	return out
}

// typed is the entry as it stands on the form that was sent in. What the form does not have stays as in base.
func (v *visit) typed(base bot.Entry) (bot.Entry, []wrong, error) {
	sent := v.r.PostForm
	get := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(sent.Get(name), "\r\n", "\n"))
	}
	entry := base
	var unread []wrong
	id := get("id")
	if base.Key.ID != "" {
		id = base.Key.ID
	}
	switch {
	case base.Prompt != nil:
		p := *base.Prompt
		p.ID = prompts.ID(id)
		p.Kind, p.Phase, p.Source, p.Licence = prompts.Kind(get("type")), prompts.Phase(get("phase")), get("source"), get("licence")
		p.Tensions = named[prompts.TensionID](append([]string{get("tensions")}, sent["tensions_more"]...))
		p.Values, p.Audience, p.NotFor = named[prompts.ValueID](sent["values"]), named[prompts.AudienceID](sent["audience"]), named[prompts.AudienceID](sent["not_for"])
		p.Avoid, p.Family, p.Themes = named[string](sent["avoid"]), cmp.Or(get("family"), id), split(get("themes"), ",")
		if sent.Has("not_before") { // a page from before it had the field says nothing of it
			p.NotBefore = get("not_before")
			if _, err := time.Parse(time.DateOnly, p.NotBefore); err != nil && p.NotBefore != "" {
				unread = append(unread, wrong{"not_before", v.fieldName("not_before"), v.say("web.not-a-day")})
			}
		}
		p.Aftercare, p.Onboarding = get("aftercare") == "yes", get("onboarding") == "yes"
		p.FollowupKinds = named[string]([]string{get("followup_kinds_1"), get("followup_kinds_2")})
		number := func(name string) int {
			n, err := strconv.Atoi(get(name))
			if err != nil {
				unread = append(unread, wrong{name, v.fieldName(name), v.say("web.not-a-number")})
			}
			return n
		}
		p.Intensity, p.CooldownWeeks = number("intensity"), number("cooldown_weeks")
		p.Season = nil
		for _, m := range sent["season"] {
			if n, err := strconv.Atoi(m); err == nil && n >= 1 && n <= 12 && !slices.Contains(p.Season, n) {
				p.Season = append(p.Season, n)
			}
		}
		p.Words = map[prompts.Lang]prompts.Words{}
		for _, lang := range prompts.Langs() {
			l := string(lang) + "."
			w := prompts.Words{
				Title: get(l + "title"), Text: get(l + "text"), Question: get(l + "question"), PoleA: get(l + "pole_a"), PoleB: get(l + "pole_b"),
				ProtectsA: get(l + "protects_a"), ProtectsB: get(l + "protects_b"),
			}
			first, second := get(l+"followups_1"), get(l+"followups_2")
			if w.Title+w.Text+w.Question+w.PoleA+w.PoleB+w.ProtectsA+w.ProtectsB+first+second == "" {
				continue // not in this language yet
			}
			w.Followups = []string{first, second}
			p.Words[lang] = w
		}
		entry.Prompt = &p
	case base.Tension != nil:
		t := *base.Tension
		t.ID = prompts.TensionID(id)
		t.Label, t.Short, t.A, t.B = prompts.Text{}, prompts.Text{}, prompts.Text{}, prompts.Text{}
		t.ProtectsA, t.ProtectsB, t.Definitions = prompts.Text{}, prompts.Text{}, nil
		for _, lang := range prompts.Langs() {
			l := string(lang) + "."
			t.Label[lang], t.Short[lang], t.A[lang], t.B[lang] = get(l+"label"), get(l+"short"), get(l+"a"), get(l+"b")
			t.ProtectsA[lang], t.ProtectsB[lang] = get(l+"protects_a"), get(l+"protects_b")
			def := prompts.Definition{
				CuesA: split(get(l+"cues_a"), "\n"), CuesB: split(get(l+"cues_b"), "\n"), CuesBoth: split(get(l+"cues_both"), "\n"),
				Examples: split(get(l+"examples"), "\n"), Description: get(l + "description"),
			}
			if len(def.CuesA)+len(def.CuesB)+len(def.CuesBoth)+len(def.Examples) > 0 || def.Description != "" {
				if t.Definitions == nil {
					t.Definitions = map[prompts.Lang]prompts.Definition{}
				}
				t.Definitions[lang] = def
			}
		}
		entry.Tension = &t
	case base.Value != nil:
		entry.Value = &prompts.Value{ID: prompts.ValueID(id), Name: prompts.Text{prompts.Dutch: get("nl.name"), prompts.English: get("en.name")}, Retired: base.Value.Retired}
	case base.Audience != nil:
		entry.Audience = &prompts.Audience{ID: prompts.AudienceID(id), Name: prompts.Text{prompts.Dutch: get("nl.name"), prompts.English: get("en.name")}, Retired: base.Audience.Retired}
	default:
		return entry, nil, errBadForm
	}
	return entry, unread, nil
}

// split reads a list as people type it.
func split(s, by string) []string {
	var out []string
	for x := range strings.SplitSeq(s, by) {
		if x = strings.TrimSpace(x); x != "" && len(out) <= maxList {
			out = append(out, x)
		}
	}
	return out
}

// ---- tensions, values and audiences

// wordFields are the fields of an entry that is no prompt, in one language.
func (v *visit) wordFields(entry bot.Entry, lang prompts.Lang) []field {
	l := string(lang) + "."
	if t := entry.Tension; t != nil {
		def := t.Definitions[lang]
		lines := func(all []string) string { return strings.Join(all, "\n") }
		return []field{
			{Name: l + "label", Label: v.say("web.field-label"), Hint: v.say("web.hint-label"), Kind: "line", Lang: lang, Value: t.Label[lang]},
			{Name: l + "short", Label: v.say("web.field-short"), Hint: v.say("web.hint-short"), Kind: "line", Lang: lang, Value: t.Short[lang]},
			{Name: l + "a", Label: v.say("web.field-pole-a"), Hint: v.say("web.hint-tension-poles"), Kind: "line", Lang: lang, Value: t.A[lang]},
			{Name: l + "protects_a", Label: v.say("web.field-protects-a"), Hint: v.say("web.hint-protects"), Kind: "line", Lang: lang, Value: t.ProtectsA[lang]},
			{Name: l + "b", Label: v.say("web.field-pole-b"), Hint: v.say("web.hint-tension-poles"), Kind: "line", Lang: lang, Value: t.B[lang]},
			{Name: l + "protects_b", Label: v.say("web.field-protects-b"), Hint: v.say("web.hint-protects"), Kind: "line", Lang: lang, Value: t.ProtectsB[lang]},
			{Name: l + "cues_a", Label: v.say("web.field-cues-a"), Hint: v.say("web.hint-cues"), Kind: "text", Rows: 5, Lang: lang, Value: lines(def.CuesA)},
			{Name: l + "cues_b", Label: v.say("web.field-cues-b"), Hint: v.say("web.hint-cues"), Kind: "text", Rows: 5, Lang: lang, Value: lines(def.CuesB)},
			{Name: l + "cues_both", Label: v.say("web.field-cues-both"), Hint: v.say("web.hint-cues-both"), Kind: "text", Rows: 3, Lang: lang, Value: lines(def.CuesBoth)},
			{Name: l + "examples", Label: v.say("web.field-examples"), Hint: v.say("web.hint-examples"), Kind: "text", Rows: 5, Lang: lang, Value: lines(def.Examples)},
			{Name: l + "description", Label: v.say("web.field-description"), Hint: v.say("web.hint-description"), Kind: "line", Lang: lang, Value: def.Description},
		}
	}
	name, hint := "", v.say("web.hint-value")
	if entry.Value != nil {
		name = entry.Value.Name[lang]
	}
	if entry.Audience != nil {
		name, hint = entry.Audience.Name[lang], v.say("web.hint-audience")
	}
	return []field{{Name: l + "name", Label: v.say("web.field-name"), Hint: hint, Kind: "line", Lang: lang, Value: name}}
}
