package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/prompts"
)

// The forms of the desk. Their state is the entry, the version they were made from, the language, and a mark of their own.
const (
	formWords  = "desk-words"  // what people read, in one language
	formFacts  = "desk-facts"  // what a prompt is about and for whom
	formReturn = "desk-return" // why a prompt goes back to its writer
)

// deskState is the state of a form of the desk.
type deskState struct {
	key   EntryKey
	stamp string
	lang  prompts.Lang
	mark  string
}

func (s deskState) String() string {
	return strings.Join([]string{s.key.String(), s.stamp, string(s.lang), s.mark}, "@")
}

// readDeskState reads what stands behind the platform in a form's state.
func readDeskState(state string) (s deskState, ok bool) {
	_, state, _ = strings.Cut(state, ":")
	parts := strings.Split(state, "@")
	if len(parts) != 4 || !looksLikeID(parts[0]) {
		return s, false
	}
	kind, id, _ := strings.Cut(parts[0], "/")
	return deskState{EntryKey{EntryKind(kind), id}, parts[1], prompts.Lang(parts[2]), parts[3]}, true
}

// The limits of the fields, in characters: those of the library for what stands on one line, and room for what does not.
const (
	deskLine = 75
	deskText = 1500
)

// wordFields are the words of an entry in one language, as fields for a reader of another.
func wordFields(e Entry, l, reader prompts.Lang) []Field {
	say := sayer(reader)
	line := func(name, label, v string) Field {
		return Field{Name: name, Kind: FieldLine, Label: label, Value: value(v), Max: deskLine}
	}
	text := func(name, label, v string) Field {
		return Field{Name: name, Kind: FieldText, Label: label, Value: value(v), Max: deskText}
	}
	switch {
	case e.Tension != nil:
		t := e.Tension
		return []Field{
			line("label", say("desk.field-label"), t.Label[l]), {Name: "short", Kind: FieldLine, Label: say("desk.field-short"), Value: value(t.Short[l]), Max: 23},
			line("a", say("desk.field-a"), t.A[l]), line("b", say("desk.field-b"), t.B[l]),
			line("protects_a", say("desk.field-protects-a"), t.ProtectsA[l]), line("protects_b", say("desk.field-protects-b"), t.ProtectsB[l]),
		}
	case e.Value != nil:
		return []Field{line("name", say("desk.field-name"), e.Value.Name[l])}
	case e.Audience != nil:
		return []Field{line("name", say("desk.field-name"), e.Audience.Name[l])}
	}
	p := e.Prompt
	w := p.Words[l]
	followups := append(slices.Clone(w.Followups), "", "")
	fields := []Field{
		line("title", say("desk.field-title"), w.Title), text("text", say("desk.field-text"), w.Text),
		{Name: "question", Kind: FieldLine, Label: say("desk.field-question"), Value: value(w.Question), Max: 150},
	}
	if p.Kind == prompts.Dilemma {
		fields = append(fields, line("pole_a", say("desk.field-pole-a"), w.PoleA), line("pole_b", say("desk.field-pole-b"), w.PoleB),
			line("protects_a", say("desk.field-protects-a"), w.ProtectsA), line("protects_b", say("desk.field-protects-b"), w.ProtectsB))
	}
	return append(fields, Field{Name: "followup_1", Kind: FieldLine, Label: say("desk.field-followup-1"), Value: value(followups[0]), Max: 150},
		Field{Name: "followup_2", Kind: FieldLine, Label: say("desk.field-followup-2"), Value: value(followups[1]), Max: 150})
}

// factFields are what a prompt is about, for whom, and how heavy it is.
func factFields(e Entry, lib prompts.Library, lang prompts.Lang) []Field {
	say := sayer(lang)
	p := e.Prompt
	var tensions, hadTensions, hadAudience []Option
	audience := []Option{{string(prompts.Everyone), say("desk.everyone")}}
	for _, t := range lib.Tensions {
		if !t.Retired || slices.Contains(p.Tensions, t.ID) {
			tensions = append(tensions, Option{string(t.ID), t.Label.In(lang)})
		}
	}
	for _, a := range lib.Audiences {
		if !a.Retired || slices.Contains(p.Audience, a.ID) {
			audience = append(audience, Option{string(a.ID), a.Name.In(lang)})
		}
	}
	chosen := func(all []Option) (values []string) {
		for _, o := range all {
			values = append(values, o.Value)
		}
		return values
	}
	for _, id := range p.Tensions {
		hadTensions = append(hadTensions, Option{Value: string(id)})
	}
	for _, id := range p.Audience {
		hadAudience = append(hadAudience, Option{Value: string(id)})
	}
	var aftercare []string
	if p.Aftercare {
		aftercare = []string{"yes"}
	}
	return []Field{
		{Name: "tensions", Kind: FieldMany, Label: say("desk.field-tensions"), Hint: say("desk.field-tensions-hint"), Options: tensions, Value: chosen(hadTensions)},
		{Name: "audience", Kind: FieldMany, Label: say("desk.field-audience"), Options: audience, Value: chosen(hadAudience)},
		{Name: "intensity", Kind: FieldOne, Label: say("desk.field-intensity"), Options: []Option{
			{"1", say("desk.intensity-1")}, {"2", say("desk.intensity-2")}, {"3", say("desk.intensity-3")}}, Value: value(strconv.Itoa(p.Intensity)), Required: true},
		{Name: "aftercare", Kind: FieldTick, Label: say("desk.field-aftercare"), Value: aftercare},
		{Name: "cooldown_weeks", Kind: FieldLine, Label: say("desk.field-cooldown"), Value: value(strconv.Itoa(p.CooldownWeeks)), Max: 3, Required: true},
		{Name: "not_before", Kind: FieldLine, Label: say("desk.field-not-before"), Hint: say("desk.field-not-before-hint"), Value: value(p.NotBefore), Max: 10},
	}
}

// deskForm opens the form of an entry: its words in a language, or without one what it is about.
func (b *Bot) deskForm(f From, e Entry, cat Catalogue, lang prompts.Lang) (Response, error) {
	say := sayer(f.Lang)
	if e.ReadOnly {
		return say.message("desk.read-only"), nil
	}
	if lang == "" && e.Prompt == nil {
		lang = f.Lang
	}
	s := deskState{e.Key, e.Stamp, lang, rand.Text()[:8]}
	return Response{Form: b.deskFormOf(f, e, cat.Library, s)}, nil
}

// deskFormOf is the form that a state belongs to, with what an entry says now.
func (b *Bot) deskFormOf(f From, e Entry, lib prompts.Library, s deskState) *Form {
	say := sayer(f.Lang)
	form := &Form{Name: formWords, State: f.User.platform + ":" + s.String(), Lang: f.Lang, Submit: say("desk.form-submit"), Title: say("desk.words-title"),
		Intro: []Block{Text(Span{Text: e.title(f.Lang), Strong: true})}}
	opens := formWords + ":" + string(s.lang)
	if s.lang == "" {
		form.Name, form.Title, form.Fields, opens = formFacts, say("desk.facts-title"), factFields(e, lib, f.Lang), formFacts
	} else {
		form.Intro = []Block{Text(Span{Text: e.title(f.Lang), Strong: true}, Span{Text: " · " + langName(s.lang)})}
		form.Fields = wordFields(e, s.lang, f.Lang)
	}
	form.Opener = Action{Do: "desk-form", Arg: opens + " " + e.Key.String() + " " + e.Stamp, Label: form.Title}
	switch {
	case e.Tension != nil:
		form.Intro = append(form.Intro, Note(say("desk.tension-note")))
		form.Fields = append(form.Fields, Field{Name: "same_meaning", Kind: FieldTick, Label: say("desk.field-same-meaning")})
	case e.Prompt != nil && e.Prompt.Status == prompts.Active && s.lang != "":
		form.Intro = append(form.Intro, Note(say("desk.stays-in-force")))
	}
	return form
}

func (b *Bot) returnForm(f From, e Entry) *Form {
	say := sayer(f.Lang)
	s := deskState{e.Key, e.Stamp, "", rand.Text()[:8]}
	return &Form{
		Name: formReturn, State: f.User.platform + ":" + s.String(), Lang: f.Lang, Title: say("desk.return-title"), Submit: say("desk.return-submit"),
		Intro:  []Block{Text(Span{Text: e.title(f.Lang), Strong: true})},
		Opener: Action{Do: "desk-form", Arg: formReturn + " " + e.Key.String() + " " + e.Stamp, Label: say("desk.return")},
		Fields: []Field{{Name: "why", Kind: FieldText, Label: say("desk.field-why"), Hint: say("desk.field-why-hint"), Max: 600, Required: true}},
	}
}

// deskFields are all the fields that a form of the desk may have in a language, to read it in words.
func (b *Bot) deskFields(ctx context.Context, form string, lang prompts.Lang) ([]Field, error) {
	lib, err := b.library(ctx)
	if err != nil {
		return nil, err
	}
	switch form {
	case formReturn:
		return b.returnForm(From{Lang: lang}, Entry{}).Fields, nil
	case formFacts:
		all := &prompts.Prompt{}
		for _, t := range lib.Tensions {
			all.Tensions = append(all.Tensions, t.ID)
		}
		for _, a := range lib.Audiences {
			all.Audience = append(all.Audience, a.ID)
		}
		return factFields(Entry{Prompt: all}, lib, lang), nil
	}
	var fields []Field
	for _, e := range []Entry{{Prompt: &prompts.Prompt{Kind: prompts.Dilemma}}, {Tension: &prompts.Tension{}}, {Value: &prompts.Value{}}} {
		fields = append(fields, wordFields(e, lang, lang)...)
	}
	return append(fields, Field{Name: "same_meaning", Kind: FieldTick, Label: sayer(lang)("desk.field-same-meaning")}), nil
}

// edited is an entry with the fields of a form over what it says; what is wrong with them goes into wrong. A field that did
// not come along stays as it is.
func (e Entry) edited(fields []Field, values map[string][]string, s deskState, lang prompts.Lang, wrong map[string]string) Entry {
	say := sayer(lang)
	get := map[string]string{}
	for _, f := range fields {
		sent, ok := values[f.Name]
		v := clean(first(sent))
		if f.Kind == FieldLine {
			v = strings.Join(strings.Fields(v), " ")
		}
		if !ok && (f.Kind == FieldLine || f.Kind == FieldText) {
			v = first(f.Value)
		}
		if over := utf8.RuneCountInString(v) - f.Max; f.Max > 0 && over > 0 {
			wrong[f.Name] = say("propose.too-long", "over", strconv.Itoa(over), "max", strconv.Itoa(f.Max))
		}
		get[f.Name] = v
	}
	text := func(t prompts.Text, field string) prompts.Text {
		t = maps.Clone(t)
		if t == nil {
			t = prompts.Text{}
		}
		t[s.lang] = get[field]
		return t
	}
	switch {
	case e.Tension != nil:
		t := *e.Tension
		t.Label, t.Short = text(t.Label, "label"), text(t.Short, "short")
		t.A, t.B = text(t.A, "a"), text(t.B, "b")
		t.ProtectsA, t.ProtectsB = text(t.ProtectsA, "protects_a"), text(t.ProtectsB, "protects_b")
		e.Tension = &t
	case e.Value != nil:
		v := *e.Value
		v.Name = text(v.Name, "name")
		e.Value = &v
	case e.Audience != nil:
		a := *e.Audience
		a.Name = text(a.Name, "name")
		e.Audience = &a
	case s.lang != "":
		p := *e.Prompt
		p.Words = maps.Clone(p.Words)
		if p.Words == nil {
			p.Words = map[prompts.Lang]prompts.Words{}
		}
		w := prompts.Words{Title: get["title"], Text: get["text"], Question: get["question"], PoleA: get["pole_a"], PoleB: get["pole_b"],
			ProtectsA: get["protects_a"], ProtectsB: get["protects_b"]}
		if get["followup_1"]+get["followup_2"] != "" {
			w.Followups = []string{get["followup_1"], get["followup_2"]}
		}
		if p.Words[s.lang] = w; w.Title+w.Text+w.Question+w.PoleA+w.PoleB+w.ProtectsA+w.ProtectsB == "" && w.Followups == nil {
			delete(p.Words, s.lang)
		}
		e.Prompt = &p
	default:
		p := *e.Prompt
		p.Tensions, p.Audience = nil, nil
		for _, f := range fields {
			for _, o := range f.Options {
				switch {
				case f.Name == "tensions" && slices.Contains(values["tensions"], o.Value):
					p.Tensions = append(p.Tensions, prompts.TensionID(o.Value))
				case f.Name == "audience" && slices.Contains(values["audience"], o.Value):
					p.Audience = append(p.Audience, prompts.AudienceID(o.Value))
				}
			}
			for _, v := range values[f.Name] {
				if f.Kind == FieldMany && !known(f.Options, v) && v != "" {
					wrong[f.Name] = say("reply.pick-again")
				}
			}
		}
		number := func(field string, least, most int) int {
			n, err := strconv.Atoi(get[field])
			if err != nil || n < least || n > most {
				wrong[field] = say("desk.number", "least", strconv.Itoa(least), "most", strconv.Itoa(most))
			}
			return n
		}
		p.Intensity, p.CooldownWeeks = number("intensity", 1, 3), number("cooldown_weeks", 0, 520)
		p.Aftercare = get["aftercare"] == "yes"
		if p.NotBefore = get["not_before"]; p.NotBefore != "" {
			if _, err := time.Parse(time.DateOnly, p.NotBefore); err != nil {
				wrong["not_before"] = say("desk.problem-not-before")
			}
		}
		if p.Kind == prompts.Dilemma && len(p.Tensions) != 1 && wrong["tensions"] == "" {
			wrong["tensions"] = say("desk.problem-tensions")
		}
		if len(p.Audience) == 0 && wrong["audience"] == "" {
			wrong["audience"] = say("desk.problem-audience")
		}
		if p.Intensity == 3 && !p.Aftercare {
			wrong["aftercare"] = say("desk.problem-aftercare")
		}
		e.Prompt = &p
	}
	return e
}

// submitDesk handles a form of the desk. Everything that is wrong is said at once, at its field; a change that somebody
// else made meanwhile is shown, and kept unless the same field was changed here too.
func (b *Bot) submitDesk(ctx context.Context, e FormSubmitted) (Response, error) {
	say := sayer(e.Lang)
	if !b.MayEdit(e.User.Actor()) {
		return say.message("cmd.editors-only"), nil
	}
	s, ok := readDeskState(e.State)
	if !ok {
		return say.message("reply.pick-again"), nil
	}
	now, cat, err := b.deskEntry(ctx, s.key.String())
	if errors.Is(err, ErrNotFound) && s.key.Kind == EntryTension && s.stamp == "" {
		return b.submitTension(ctx, e, s)
	}
	if err != nil {
		return b.deskRefused(err, e.Lang)
	}
	if e.Form == formReturn {
		why := clean(first(e.Values["why"]))
		if why == "" {
			return Response{Form: b.returnAgain(e, now, s, why), Errors: map[string]string{"why": say("desk.why-needed")}}, nil
		}
		return b.deskAct(ctx, e.From, s.key, deskReturn, s.stamp, why)
	}
	if now.ReadOnly {
		return say.message("desk.read-only"), nil
	}
	if (e.Form == formFacts) != (s.lang == "") || s.lang == "" && now.Prompt == nil || s.lang != "" && !slices.Contains(prompts.Langs(), s.lang) {
		return say.message("reply.pick-again"), nil
	}
	form := b.deskFormOf(e.From, now, cat.Library, s)
	wrong := map[string]string{}
	mine := now.edited(form.Fields, e.Values, s, e.Lang, wrong)
	again := func(notice []Block) Response {
		for i, f := range form.Fields {
			if v, sent := e.Values[f.Name]; sent || f.Kind == FieldTick || f.Kind == FieldMany {
				form.Fields[i].Value = v
			}
		}
		form.Notice = notice
		return Response{Form: form, Errors: wrong}
	}
	if len(wrong) > 0 {
		return again(nil), nil
	}
	var theirs []FieldChange
	conflict, keepAgain := say("desk.conflict"), say("desk.conflict-again")
	if now.Stamp != s.stamp { // somebody else was here: what they changed stays, unless it was changed here too
		base, found, err := b.versionOf(ctx, s.key, s.stamp)
		if err != nil {
			return b.deskRefused(err, e.Lang)
		}
		if found {
			asked := base.edited(b.deskFormOf(e.From, base, cat.Library, s).Fields, e.Values, s, e.Lang, map[string]string{})
			mine, theirs = merged(base, now, asked, s), b.Diff(base, now)
		} else { // who changed what cannot be told: everything that keeping it would change is shown
			theirs, conflict, keepAgain = b.Diff(now, mine), say("desk.conflict-all"), say("desk.conflict-all-again")
		}
	}
	if len(b.Diff(now, mine)) == 0 { // it came again, or nothing was changed
		return b.saved(now, e.Lang), nil
	}
	if now.Stamp != s.stamp && b.proposing.first("desk "+s.String(), []string{now.Stamp}, version(e.At)) {
		wrong["conflict"] = keepAgain
		form = b.deskFormOf(e.From, mine, cat.Library, s)
		form.Notice = append([]Block{Text(Span{Text: conflict, Strong: true})}, changeBlocks(theirs, e.Lang)...)
		return Response{Form: form, Errors: wrong}, nil
	}
	saved, err := b.SaveEntry(ctx, e.User.Actor(), Change{Entry: mine, Stamp: now.Stamp, SameMeaning: first(e.Values["same_meaning"]) == "yes"})
	switch refused, isRefused := errors.AsType[*Refused](err); {
	case errors.Is(err, ErrConflict): // in the very moment
		wrong["conflict"] = say("desk.conflict-again")
		return again([]Block{Text(Span{Text: say("desk.conflict"), Strong: true})}), nil
	case isRefused:
		for _, p := range refused.Problems {
			atField(form, p.Field, p.In(e.Lang), e.Lang, wrong)
		}
		for _, f := range refused.Findings {
			field := f.Field
			if f.Lang != "" {
				field = string(f.Lang) + "." + field
			}
			atField(form, field, f.Text.In(e.Lang), e.Lang, wrong)
		}
		return again(nil), nil
	case err != nil:
		return b.deskRefused(err, e.Lang)
	}
	return b.saved(saved, e.Lang), nil
}

// returnAgain is the form for a reason, with what was written.
func (b *Bot) returnAgain(e FormSubmitted, now Entry, s deskState, why string) *Form {
	form := b.returnForm(e.From, now)
	form.State, form.Fields[0].Value = e.User.platform+":"+s.String(), value(why)
	return form
}

// saved says that an entry stands as its editor wants it.
func (b *Bot) saved(e Entry, lang prompts.Lang) Response {
	say := sayer(lang)
	switch {
	case e.Prompt != nil && e.InForce != nil:
		return doneAt(e, say("desk.saved-beside"), lang)
	case e.Prompt != nil && e.Prompt.Status == prompts.Draft:
		return doneAt(e, say("desk.saved-draft"), lang)
	}
	return doneAt(e, say("desk.saved"), lang)
}

// atField puts what is wrong at its field, or above all if the form has none.
func atField(form *Form, field, text string, lang prompts.Lang, wrong map[string]string) {
	name := field
	if l, rest, ok := strings.Cut(field, "."); ok && slices.Contains(prompts.Langs(), prompts.Lang(l)) {
		name = rest
		if s, ok := readDeskState(form.State); ok && string(s.lang) != l {
			name = ""
		}
	}
	if name == "followups" {
		name = "followup_1"
	}
	if !slices.ContainsFunc(form.Fields, func(f Field) bool { return f.Name == name }) {
		name, text = "other", fieldName(field, lang)+": "+text
	}
	wrong[name] = strings.TrimSpace(wrong[name] + " " + text)
}

// versionOf finds the version of an entry that a form was made from: a version says how often it was changed here, and
// what lay below. What a release took away since is not found.
func (b *Bot) versionOf(ctx context.Context, key EntryKey, stamp string) (Entry, bool, error) {
	past, err := b.EntryHistory(ctx, key)
	if err != nil {
		return Entry{}, false, err
	}
	below := slices.DeleteFunc(slices.Clone(past), func(p Past) bool { return p.What != string(OriginBuiltin) })
	mine := slices.DeleteFunc(past, func(p Past) bool { return p.What == string(OriginBuiltin) || p.What == string(OriginFiles) })
	serial, hash, _ := strings.Cut(stamp, "-")
	n, err := strconv.Atoi(serial)
	if err != nil || n < 0 || n > len(mine) {
		return Entry{}, false, nil
	}
	asBuiltin := n == 0
	for _, p := range below { // an own version with nothing of its own shows what is built in
		if n == 0 || len(changedFields(mine[n-1].Entry.content(), p.Entry.content(), counted...)) == 0 {
			if asBuiltin = true; p.Entry.content().hash() == hash {
				return p.Entry, true, nil
			}
		}
	}
	if asBuiltin {
		return Entry{}, false, nil
	}
	return mine[n-1].Entry, true, nil
}

// merged is what an entry says now, with what was changed here since base over it.
func merged(base, now, mine Entry, s deskState) Entry {
	take := func(base, now, mine string) string {
		if mine == base {
			return now
		}
		return mine
	}
	text := func(base, now, mine prompts.Text) prompts.Text {
		out := maps.Clone(now)
		out[s.lang] = take(base[s.lang], now[s.lang], mine[s.lang])
		return out
	}
	switch {
	case now.Tension != nil && base.Tension != nil && mine.Tension != nil:
		b, n, m := base.Tension, *now.Tension, mine.Tension
		n.Label, n.Short = text(b.Label, n.Label, m.Label), text(b.Short, n.Short, m.Short)
		n.A, n.B = text(b.A, n.A, m.A), text(b.B, n.B, m.B)
		n.ProtectsA, n.ProtectsB = text(b.ProtectsA, n.ProtectsA, m.ProtectsA), text(b.ProtectsB, n.ProtectsB, m.ProtectsB)
		now.Tension = &n
	case now.Prompt != nil && base.Prompt != nil && mine.Prompt != nil && s.lang != "":
		b, n, m := base.Prompt.Words[s.lang], now.Prompt.Words[s.lang], mine.Prompt.Words[s.lang]
		w := prompts.Words{
			Title: take(b.Title, n.Title, m.Title), Text: take(b.Text, n.Text, m.Text), Question: take(b.Question, n.Question, m.Question),
			PoleA: take(b.PoleA, n.PoleA, m.PoleA), PoleB: take(b.PoleB, n.PoleB, m.PoleB),
			ProtectsA: take(b.ProtectsA, n.ProtectsA, m.ProtectsA), ProtectsB: take(b.ProtectsB, n.ProtectsB, m.ProtectsB), Followups: m.Followups,
		}
		if slices.Equal(b.Followups, m.Followups) {
			w.Followups = n.Followups
		}
		p := *now.Prompt
		p.Words = maps.Clone(p.Words)
		if p.Words == nil {
			p.Words = map[prompts.Lang]prompts.Words{}
		}
		p.Words[s.lang] = w
		now.Prompt = &p
	case now.Prompt != nil && base.Prompt != nil && mine.Prompt != nil:
		b, p, m := base.Prompt, *now.Prompt, mine.Prompt
		if !slices.Equal(b.Tensions, m.Tensions) {
			p.Tensions = m.Tensions
		}
		if !slices.Equal(b.Audience, m.Audience) {
			p.Audience = m.Audience
		}
		if b.Intensity != m.Intensity {
			p.Intensity = m.Intensity
		}
		if b.Aftercare != m.Aftercare {
			p.Aftercare = m.Aftercare
		}
		if b.CooldownWeeks != m.CooldownWeeks {
			p.CooldownWeeks = m.CooldownWeeks
		}
		p.NotBefore = take(b.NotBefore, p.NotBefore, m.NotBefore)
		now.Prompt = &p
	case now.Value != nil && base.Value != nil && mine.Value != nil:
		v := *now.Value
		v.Name = text(base.Value.Name, v.Name, mine.Value.Name)
		now.Value = &v
	case now.Audience != nil && base.Audience != nil && mine.Audience != nil:
		a := *now.Audience
		a.Name = text(base.Audience.Name, a.Name, mine.Audience.Name)
		now.Audience = &a
	}
	return now
}

// fieldName is what an editor calls a field of the file.
func fieldName(field string, lang prompts.Lang) string {
	say := sayer(lang)
	l, name, both := strings.Cut(field, ".")
	if !both {
		l, name = "", field
	}
	known := map[string]string{
		"title": say("desk.field-title"), "text": say("desk.field-text"), "question": say("desk.field-question"),
		"pole_a": say("desk.field-pole-a"), "pole_b": say("desk.field-pole-b"), "protects_a": say("desk.field-protects-a"),
		"protects_b": say("desk.field-protects-b"), "followups": say("desk.field-followups"), "tensions": say("desk.field-tensions"),
		"audience": say("desk.field-audience"), "intensity": say("desk.field-intensity"), "aftercare": say("desk.field-aftercare"),
		"cooldown_weeks": say("desk.field-cooldown"), "not_before": say("desk.field-not-before"), "label": say("desk.field-label"),
		"short": say("desk.field-short"), "a": say("desk.field-a"), "b": say("desk.field-b"), "name": say("desk.field-name"),
	}
	switch {
	case slices.Contains(prompts.Langs(), prompts.Lang(field)):
		return langName(prompts.Lang(field))
	case known[name] == "":
		return field
	}
	if l == "" {
		return known[name]
	}
	return langName(prompts.Lang(l)) + ", " + known[name]
}
