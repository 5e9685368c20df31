package prompts

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// What a field may hold (PRACTICE 11).
var (
	kinds         = []Kind{Dilemma, Appreciative, Practice, ValuePrompt, LookBack}
	phases        = []Phase{PhaseOpen, PhaseFollow, PhaseTalk, PhaseLookBack}
	statuses      = []Status{Draft, Review, Active, Resting, Retired}
	periods       = []string{PeriodElections, PeriodIncident}
	sources       = []string{SourceOriginal, SourceTeam, SourceCommissioned}
	blanks        = []string{"date", "agreement"}
	followupKinds = []string{
		"perspective", "harm", "value", "own-experience", "tipping-point", "alternative", "appreciative", "agreement",
		"transparency", "wish", "try-out", "open-question",
	}
)

// The named periods in which a prompt may ask to be left alone.
const (
	PeriodElections = "elections"
	PeriodIncident  = "after-incident"
)

// Where a prompt came from.
const (
	SourceOriginal     = "original"
	SourceTeam         = "team"
	SourceCommissioned = "commissioned"
)

// What stands as author and reviewer of what editors make with the program: who they are stays in the history.
const (
	ByEditor   = "editor"
	ByTeam     = "team" // a member of a team, nobody knows who
	BySecond   = "second editor"
	Unreviewed = "unreviewed" // the only editor activated an own prompt after a clean lint (DESIGN 11)
)

const (
	maxSlug  = 60   // bytes: an ID is part of keys and addresses
	maxShort = 23   // characters: a branch name in the season overview
	maxLine  = 75   // characters: the tightest platform's limit for a choice in a form
	maxText  = 1500 // characters
)

// Problem is one rule of the library format that an entry breaks.
type Problem struct {
	Table string // "library", "tension", "value", "audience" or "prompt"
	ID    string // of the entry; empty for the library itself
	Field string // as it is called in the file, "nl.title" for one language
	Text  string // what is wrong and what to do, in English
	Dutch string
}

// NewProblem is a Problem in both languages; format is one that this package says in Dutch too.
func NewProblem(table, id, field, format string, args ...any) Problem {
	nl := dutch[format]
	if nl == "" {
		nl = format
	}
	return Problem{table, id, field, fmt.Sprintf(format, args...), fmt.Sprintf(nl, args...)}
}

// In says what is wrong in a language, without the place.
func (p Problem) In(lang Lang) string {
	if lang == Dutch && p.Dutch != "" {
		return p.Dutch
	}
	return p.Text
}

// Line is one line for a reader in a language: the entry, the field, what to do.
func (p Problem) Line(lang Lang) string {
	return strings.TrimSpace(p.Table+" "+p.ID) + ": " + p.Field + ": " + p.In(lang)
}

// Error is one line: the entry, the field, what to do.
func (p Problem) Error() string { return p.Line(English) }

// Validate says everything that makes the library unusable, all at once and in file order: an error that joins a
// Problem for each broken rule. How well a prompt reads is for Lint.
func (l *Library) Validate() error {
	v := validator{lib: l, seen: map[string]bool{}}
	v.at("library", "")
	if l.ID != "" { // a file of prompts alone needs no name
		v.slug("id", l.ID)
		v.both("name", l.Name)
	}
	for _, t := range l.Tensions {
		v.entry("tension", string(t.ID))
		v.both("label", t.Label)
		v.both("short", t.Short)
		v.both("a", t.A)
		v.both("b", t.B)
		v.both("protects_a", t.ProtectsA)
		v.both("protects_b", t.ProtectsB)
		for _, lang := range Langs() {
			if n := utf8.RuneCountInString(t.Short[lang]); n > maxShort {
				v.note(string(lang)+".short", "has %d characters; at most %d", n, maxShort)
			}
			v.line(string(lang)+".label", t.Label[lang])
			v.line(string(lang)+".a", t.A[lang])
			v.line(string(lang)+".b", t.B[lang])
		}
		v.definitions(t)
		v.formerly(t)
	}
	for _, value := range l.Values {
		v.entry("value", string(value.ID))
		v.both("name", value.Name)
	}
	for _, a := range l.Audiences {
		v.entry("audience", string(a.ID))
		if a.ID == Everyone {
			v.note("id", "%q is every team; give this audience another name", Everyone)
		}
		v.both("name", a.Name)
	}
	for _, p := range l.Prompts {
		v.entry("prompt", string(p.ID))
		v.prompt(p)
	}
	return errors.Join(v.problems...)
}

// validator gathers the problems of the entry it is at.
type validator struct {
	lib      *Library
	seen     map[string]bool
	table    string
	id       string
	problems []error
}

func (v *validator) at(table, id string) { v.table, v.id = table, id }

func (v *validator) note(field, format string, args ...any) {
	v.problems = append(v.problems, NewProblem(v.table, v.id, field, format, args...))
}

// entry starts the next entry and judges its ID.
func (v *validator) entry(table, id string) {
	v.at(table, id)
	v.slug("id", id)
	key := table + " " + id
	if v.seen[key] {
		v.note("id", "is used twice; an id is never used again")
	}
	v.seen[key] = true
}

func (v *validator) slug(field, s string) {
	if len(s) > maxSlug || !slug.MatchString(s) {
		v.note(field, "%q is no slug; use lower-case letters, digits and single dashes, at most %d", s, maxSlug)
	}
}

func (v *validator) both(field string, t Text) {
	for _, lang := range Langs() {
		v.filled(string(lang)+"."+field, t[lang])
	}
}

func (v *validator) filled(field, s string) {
	if strings.TrimSpace(s) == "" {
		v.note(field, "is missing; write it")
	}
}

// line holds what stands in a button or a choice: short, and on one line.
func (v *validator) line(field, s string) {
	if n := utf8.RuneCountInString(s); n > maxLine {
		v.note(field, "has %d characters; at most %d", n, maxLine)
	}
	v.printable(field, s)
}

// printable refuses what no editor types on purpose: control characters, and marks that hide or turn text around.
func (v *validator) printable(field, s string) {
	for _, r := range s {
		if r >= ' ' && r <= '~' {
			continue
		}
		if r == utf8.RuneError || !unicode.IsGraphic(r) && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			v.note(field, "holds the invisible character %U; take it out", r)
			return
		}
	}
}

func oneOf[T ~string](v *validator, field string, got T, known []T) {
	if !slices.Contains(known, got) {
		v.note(field, "%q is unknown; choose one of %s", got, list(known))
	}
}

// each judges a list whose entries must be known and different.
func each[T ~string](v *validator, field string, got, known []T) {
	for i, one := range got {
		if slices.Contains(got[:i], one) {
			v.note(field, "%q stands here twice; once is enough", one)
		} else {
			oneOf(v, field, one, known)
		}
	}
}

func list[T ~string](known []T) string {
	parts := make([]string, len(known))
	for i, one := range known {
		parts[i] = string(one)
	}
	return strings.Join(parts, ", ")
}

func (v *validator) prompt(p Prompt) {
	if p.Revision < 1 {
		v.note("revision", "is %d; count from 1", p.Revision)
	}
	v.slug("family", p.Family)
	oneOf(v, "type", p.Kind, kinds)
	oneOf(v, "phase", p.Phase, phases)
	oneOf(v, "status", p.Status, statuses)
	oneOf(v, "source", p.Source, sources)
	v.audience(p)
	each(v, "tensions", p.Tensions, ids(v.lib.Tensions, func(t Tension) TensionID { return t.ID }))
	gaps := p.Gaps()
	if p.Kind == Dilemma && len(p.Tensions) != 1 && !(gaps && len(p.Tensions) == 0) {
		v.note("tensions", "has %d; a dilemma has exactly one", len(p.Tensions))
	}
	each(v, "values", p.Values, ids(v.lib.Values, func(value Value) ValueID { return value.ID }))
	for _, theme := range p.Themes {
		v.printable("themes", theme)
		if strings.ContainsAny(theme, ",;") {
			v.note("themes", "%q holds a comma or semicolon; make it two themes", theme)
		}
	}
	v.weight(p)
	v.calendar(p)
	each(v, "followup_kinds", p.FollowupKinds, followupKinds)
	if n := len(p.FollowupKinds); n != 2 && !(gaps && n < 2) {
		v.note("followup_kinds", "has %d; name two different kinds, in the order of followups", len(p.FollowupKinds))
	}
	if len(p.Placeholders) > 0 && p.Kind != LookBack {
		v.note("placeholders", "stand only in a look-back; write the sentence out")
	} else {
		each(v, "placeholders", p.Placeholders, blanks)
	}
	for _, lang := range Langs() {
		if w, ok := p.Words[lang]; ok {
			v.words(p, string(lang)+".", w)
		} else if p.Status == Active {
			v.note(string(lang), "is missing; an active prompt speaks both languages")
		}
	}
	v.image(p.Image)
	v.printable("author", p.Author)
	v.printable("reviewer", p.Reviewer)
	v.printable("licence", p.Licence)
	v.review(p)
}

func (v *validator) audience(p Prompt) {
	known := ids(v.lib.Audiences, func(a Audience) AudienceID { return a.ID })
	if len(p.Audience) == 0 && !p.Gaps() {
		v.note("audience", "is empty; name one, or %q", Everyone)
	}
	each(v, "audience", p.Audience, append(known, Everyone))
	each(v, "not_for", p.NotFor, known)
	for _, a := range p.NotFor {
		if slices.Contains(p.Audience, a) {
			v.note("not_for", "%q is also in audience; choose", a)
		}
	}
}

// weight judges how heavy the prompt is and what that asks for.
func (v *validator) weight(p Prompt) {
	if p.Intensity < 1 || p.Intensity > 3 {
		v.note("intensity", "is %d; choose 1, 2 or 3", p.Intensity)
	}
	if p.Intensity == 3 && !p.Aftercare {
		v.note("aftercare", "is missing; intensity 3 requires it")
	}
	if p.Onboarding && p.Intensity != 1 {
		v.note("onboarding", "goes with intensity 1 only; lower the intensity or take it out")
	}
}

func (v *validator) calendar(p Prompt) {
	switch {
	case p.CooldownWeeks < 0 || p.CooldownWeeks > 520:
		v.note("cooldown_weeks", "is %d; choose 0 to 520", p.CooldownWeeks)
	case p.Kind == LookBack && p.CooldownWeeks != 0:
		v.note("cooldown_weeks", "is %d; a look-back comes with each agreement and has 0", p.CooldownWeeks)
	case p.Kind != LookBack && p.CooldownWeeks == 0 && slices.Contains(kinds, p.Kind):
		v.note("cooldown_weeks", "is 0; the same question needs rest, usually 52 weeks")
	}
	for i, m := range p.Season {
		if m < 1 || m > 12 || slices.Contains(p.Season[:i], m) {
			v.note("season", "%d is no month or stands here twice; use each of 1 to 12 once", m)
		}
	}
	each(v, "avoid", p.Avoid, periods)
	if _, err := time.Parse(time.DateOnly, p.NotBefore); err != nil && p.NotBefore != "" {
		v.note("not_before", "%q is no day; write it as 2026-09-28", p.NotBefore)
	}
}

func (v *validator) words(p Prompt, prefix string, w Words) {
	if n := len(w.Followups); n != 2 && !(p.Gaps() && n < 2) {
		v.note(prefix+"followups", "has %d; write exactly two", len(w.Followups))
	}
	used := map[string]bool{}
	for _, part := range w.parts() {
		field, long := prefix+part.field, part.field == "text" || part.field == "question" || part.field == "followups"
		switch {
		case part.ofDilemma && p.Kind != Dilemma:
			if part.text != "" {
				v.note(field, "belongs to a dilemma; take it out")
			}
			continue
		case p.Status == Active || p.Status == Resting: // a draft may have gaps; what is posted may not
			v.filled(field, part.text)
		}
		if !long {
			v.line(field, part.text)
		} else {
			v.printable(field, part.text)
			if n := utf8.RuneCountInString(part.text); n > maxText {
				v.note(field, "has %d characters; at most %d", n, maxText)
			}
		}
		for _, blank := range placeholders(part.text) {
			used[blank] = true
			if !slices.Contains(p.Placeholders, blank) {
				v.note(field, "{%s} is not declared; name it in placeholders or write the word", blank)
			}
		}
	}
	for _, blank := range p.Placeholders {
		if !used[blank] {
			v.note(prefix+"text", "{%s} is declared and not used; use it or take it out of placeholders", blank)
		}
	}
}

func (v *validator) image(image *Image) {
	if image == nil {
		return
	}
	v.filled("image.path", image.Path)
	v.filled("image.licence", image.Licence)
	v.both("image.alt", image.Alt)
	v.printable("image.path", image.Path)
	v.printable("image.licence", image.Licence)
	for _, lang := range Langs() {
		v.printable(string(lang)+".image.alt", image.Alt[lang])
	}
}

// review holds that an active prompt was read by somebody else. The built-in prompts are reviewed together, in the
// repository they come from; the rule is for what is added later.
func (v *validator) review(p Prompt) {
	if p.Status != Active {
		return
	}
	v.filled("author", p.Author)
	if p.Reviewer == p.Author && p.Author != "" {
		v.note("reviewer", "is the author; somebody else reads it before it is active")
	}
	if p.Reviewer == "" && !asBuiltin(p) {
		v.note("reviewer", "is missing; somebody else than the author reads it before it is active")
	}
}

// asBuiltin says whether the prompt reads as the built-in one of the same ID.
func asBuiltin(p Prompt) bool {
	l, err := readBuiltin()
	if err != nil {
		return false
	}
	own, ok := l.Prompt(p.ID)
	return ok && SameWords(own, p)
}

func ids[E any, T ~string](entries []E, id func(E) T) []T {
	out := make([]T, len(entries))
	for i, e := range entries {
		out[i] = id(e)
	}
	return out
}

// part is one text of a prompt, under its name in the file.
type part struct {
	field, text string
	ofDilemma   bool
}

// parts are the texts of a prompt in the order of the file; each follow-up question is one.
func (w Words) parts() []part {
	out := []part{
		{"title", w.Title, false}, {"text", w.Text, false}, {"question", w.Question, false},
		{"pole_a", w.PoleA, true}, {"pole_b", w.PoleB, true},
		{"protects_a", w.ProtectsA, true}, {"protects_b", w.ProtectsB, true},
	}
	for _, f := range w.Followups {
		out = append(out, part{"followups", f, false})
	}
	return out
}

// complete says whether the prompt has all its parts in lang.
func (p Prompt) complete(lang Lang) bool {
	w, ok := p.Words[lang]
	return ok && len(w.Followups) == 2 && !slices.ContainsFunc(w.parts(), func(part part) bool {
		return strings.TrimSpace(part.text) == "" && (p.Kind == Dilemma || !part.ofDilemma)
	})
}

// placeholders returns the names between braces, in order.
func placeholders(s string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return names
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		names, s = append(names, name), after
	}
}
