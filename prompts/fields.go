package prompts

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Field is one thing that an entry says, under its name in the file: "status", "nl.title". A list is joined by commas, or
// by line breaks where its parts are sentences.
type Field struct{ Name, Value string }

// field reads and writes one field of an entry as text. One table of them serves comparing, merging and spreadsheets.
type field[E any] struct {
	name string
	get  func(E) string
	set  func(*E, string) error
}

// text is a field that is plain text.
func text[E any](name string, at func(*E) *string) field[E] {
	return field[E]{name, func(e E) string { return *at(&e) }, func(e *E, s string) error { *at(e) = strings.TrimSpace(s); return nil }}
}

// word is a field that is one word of a set, or a slug.
func word[E any, T ~string](name string, at func(*E) *T) field[E] {
	return field[E]{name, func(e E) string { return string(*at(&e)) }, func(e *E, s string) error { *at(e) = T(strings.TrimSpace(s)); return nil }}
}

// inText is a field that has one text per language; in is the language's part of it.
func inText[E any](name string, lang Lang, at func(*E) *Text) field[E] {
	return field[E]{name, func(e E) string { return (*at(&e))[lang] }, func(e *E, s string) error {
		own := Text{} // the map may be another entry's too
		maps.Copy(own, *at(e))
		if own[lang] = strings.TrimSpace(s); own[lang] == "" {
			delete(own, lang)
		}
		if *at(e) = own; len(own) == 0 {
			*at(e) = nil
		}
		return nil
	}}
}

func number[E any](name string, at func(*E) *int) field[E] {
	return field[E]{name, func(e E) string { return strconv.Itoa(*at(&e)) }, func(e *E, s string) error {
		n, err := whole(s)
		*at(e) = n
		return err
	}}
}

func whole(s string) (int, error) {
	if s = strings.TrimSpace(s); s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, syntax(1, 1, "%.20q is no whole number", s)
	}
	return n, nil
}

// yes are the words for true, no those for false; a Dutch spreadsheet writes WAAR and ONWAAR.
var (
	yes = []string{"true", "yes", "ja", "waar", "1", "x"}
	no  = []string{"", "false", "no", "nee", "onwaar", "0"}
)

func truth[E any](name string, at func(*E) *bool) field[E] {
	return field[E]{name, func(e E) string {
		if *at(&e) {
			return "true"
		}
		return ""
	}, func(e *E, s string) error {
		s = strings.ToLower(strings.TrimSpace(s))
		*at(e) = slices.Contains(yes, s)
		if !*at(e) && !slices.Contains(no, s) {
			return syntax(1, 1, "%.20q is neither true nor false", s)
		}
		return nil
	}}
}

// slugs is a list of words between commas; an empty part is dropped.
func slugs[E any, T ~string](name string, at func(*E) *[]T) field[E] {
	return field[E]{name, func(e E) string { return list(*at(&e)) }, func(e *E, s string) error {
		*at(e) = nil
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
			if part = strings.TrimSpace(part); part != "" {
				*at(e) = append(*at(e), T(part))
			}
		}
		return nil
	}}
}

func numbers[E any](name string, at func(*E) *[]int) field[E] {
	words := slugs(name, func(s *[]string) *[]string { return s })
	return field[E]{name, func(e E) string {
		var parts []string
		for _, n := range *at(&e) {
			parts = append(parts, strconv.Itoa(n))
		}
		return list(parts)
	}, func(e *E, s string) error {
		var parts []string
		if err := words.set(&parts, s); err != nil {
			return err
		}
		*at(e) = nil
		for _, part := range parts {
			n, err := whole(part)
			if err != nil {
				return err
			}
			*at(e) = append(*at(e), n)
		}
		return nil
	}}
}

// lines is a list of sentences, one a line. Empty ones at the end are dropped.
func lines[E any](name string, at func(*E) *[]string) field[E] {
	return field[E]{name, func(e E) string { return strings.Join(*at(&e), "\n") }, func(e *E, s string) error {
		var out []string
		for part := range strings.SplitSeq(s, "\n") {
			out = append(out, strings.TrimSpace(part))
		}
		*at(e) = trimmed(out)
		return nil
	}}
}

// trimmed is a list without the empty parts at its end; nil when nothing is left.
func trimmed(list []string) []string {
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return some(list)
}

// inWords is a field of the prompt's words in one language. Without any words left the prompt does not speak it.
func inWords(lang Lang, f field[Words]) field[Prompt] {
	return field[Prompt]{string(lang) + "." + f.name, func(p Prompt) string { return f.get(p.Words[lang]) }, func(p *Prompt, s string) error {
		own := map[Lang]Words{}
		maps.Copy(own, p.Words)
		w := own[lang]
		err := f.set(&w, s)
		if own[lang] = w; w.empty() {
			delete(own, lang)
		}
		if p.Words = own; len(own) == 0 {
			p.Words = nil
		}
		return err
	}}
}

func (w Words) empty() bool {
	return w.Title+w.Text+w.Question+w.PoleA+w.PoleB+w.ProtectsA+w.ProtectsB == "" && len(w.Followups) == 0
}

// inImage is a field of the prompt's picture. Without anything left there is no picture.
func inImage(f field[Image]) field[Prompt] {
	return field[Prompt]{f.name, func(p Prompt) string {
		if p.Image == nil {
			return ""
		}
		return f.get(*p.Image)
	}, func(p *Prompt, s string) error {
		var own Image
		if p.Image != nil {
			own = *p.Image
		}
		err := f.set(&own, s)
		if p.Image = &own; own.Path+own.Licence == "" && len(own.Alt) == 0 {
			p.Image = nil
		}
		return err
	}}
}

func promptFields() []field[Prompt] {
	out := []field[Prompt]{
		word("id", func(p *Prompt) *ID { return &p.ID }),
		number("revision", func(p *Prompt) *int { return &p.Revision }),
		text("family", func(p *Prompt) *string { return &p.Family }),
		word("type", func(p *Prompt) *Kind { return &p.Kind }),
		word("phase", func(p *Prompt) *Phase { return &p.Phase }),
		word("status", func(p *Prompt) *Status { return &p.Status }),
		slugs("tensions", func(p *Prompt) *[]TensionID { return &p.Tensions }),
		slugs("audience", func(p *Prompt) *[]AudienceID { return &p.Audience }),
		slugs("not_for", func(p *Prompt) *[]AudienceID { return &p.NotFor }),
	}
	for _, lang := range Langs() {
		for _, f := range []field[Words]{
			text("title", func(w *Words) *string { return &w.Title }), text("text", func(w *Words) *string { return &w.Text }),
			text("question", func(w *Words) *string { return &w.Question }),
			text("pole_a", func(w *Words) *string { return &w.PoleA }), text("pole_b", func(w *Words) *string { return &w.PoleB }),
			text("protects_a", func(w *Words) *string { return &w.ProtectsA }), text("protects_b", func(w *Words) *string { return &w.ProtectsB }),
			lines("followups", func(w *Words) *[]string { return &w.Followups }),
		} {
			out = append(out, inWords(lang, f))
		}
	}
	out = append(out,
		slugs("followup_kinds", func(p *Prompt) *[]string { return &p.FollowupKinds }),
		slugs("values", func(p *Prompt) *[]ValueID { return &p.Values }),
		slugs("themes", func(p *Prompt) *[]string { return &p.Themes }),
		number("intensity", func(p *Prompt) *int { return &p.Intensity }),
		truth("aftercare", func(p *Prompt) *bool { return &p.Aftercare }),
		truth("onboarding", func(p *Prompt) *bool { return &p.Onboarding }),
		number("cooldown_weeks", func(p *Prompt) *int { return &p.CooldownWeeks }),
		numbers("season", func(p *Prompt) *[]int { return &p.Season }),
		slugs("avoid", func(p *Prompt) *[]string { return &p.Avoid }),
		text("not_before", func(p *Prompt) *string { return &p.NotBefore }),
		slugs("placeholders", func(p *Prompt) *[]string { return &p.Placeholders }),
		text("author", func(p *Prompt) *string { return &p.Author }),
		text("reviewer", func(p *Prompt) *string { return &p.Reviewer }),
		text("source", func(p *Prompt) *string { return &p.Source }),
		text("licence", func(p *Prompt) *string { return &p.Licence }),
		inImage(text("image.path", func(i *Image) *string { return &i.Path })),
		inImage(text("image.licence", func(i *Image) *string { return &i.Licence })),
	)
	for _, lang := range Langs() {
		out = append(out, inImage(inText(string(lang)+".image.alt", lang, func(i *Image) *Text { return &i.Alt })))
	}
	return out
}

func tensionFields() []field[Tension] {
	out := []field[Tension]{word("id", func(t *Tension) *TensionID { return &t.ID })}
	for _, lang := range Langs() {
		for _, f := range []struct {
			name string
			at   func(*Tension) *Text
		}{
			{"label", func(t *Tension) *Text { return &t.Label }}, {"short", func(t *Tension) *Text { return &t.Short }},
			{"a", func(t *Tension) *Text { return &t.A }}, {"b", func(t *Tension) *Text { return &t.B }},
			{"protects_a", func(t *Tension) *Text { return &t.ProtectsA }}, {"protects_b", func(t *Tension) *Text { return &t.ProtectsB }},
		} {
			out = append(out, inText(string(lang)+"."+f.name, lang, f.at))
		}
		for _, f := range []field[Definition]{
			lines("cues_a", func(d *Definition) *[]string { return &d.CuesA }), lines("cues_b", func(d *Definition) *[]string { return &d.CuesB }),
			lines("cues_both", func(d *Definition) *[]string { return &d.CuesBoth }), lines("examples", func(d *Definition) *[]string { return &d.Examples }),
			text("description", func(d *Definition) *string { return &d.Description }),
		} {
			out = append(out, field[Tension]{string(lang) + "." + f.name, func(t Tension) string { return f.get(t.Definitions[lang]) },
				func(t *Tension, s string) error {
					own := map[Lang]Definition{}
					maps.Copy(own, t.Definitions)
					d := own[lang]
					err := f.set(&d, s)
					if own[lang] = d; d.empty() {
						delete(own, lang)
					}
					if t.Definitions = own; len(own) == 0 {
						t.Definitions = nil
					}
					return err
				}})
		}
	}
	return append(out, slugs("formerly", func(t *Tension) *[]string { return &t.Formerly }), truth("retired", func(t *Tension) *bool { return &t.Retired }))
}

func valueFields() []field[Value] {
	out := []field[Value]{word("id", func(v *Value) *ValueID { return &v.ID })}
	for _, lang := range Langs() {
		out = append(out, inText(string(lang)+".name", lang, func(v *Value) *Text { return &v.Name }))
	}
	return append(out, truth("retired", func(v *Value) *bool { return &v.Retired }))
}

func audienceFields() []field[Audience] {
	out := []field[Audience]{word("id", func(a *Audience) *AudienceID { return &a.ID })}
	for _, lang := range Langs() {
		out = append(out, inText(string(lang)+".name", lang, func(a *Audience) *Text { return &a.Name }))
	}
	return append(out, truth("retired", func(a *Audience) *bool { return &a.Retired }))
}

func read[E any](table []field[E], e E) []Field {
	out := make([]Field, len(table))
	for i, f := range table {
		out[i] = Field{f.name, f.get(e)}
	}
	return out
}

// tidy writes every field back as it reads: spaces around texts, empty ends of lists and empty languages go.
func tidy[E any](table []field[E], e E) E {
	for _, f := range table {
		_ = f.set(&e, f.get(e)) // what a field reads, it takes
	}
	return e
}

// Fields lists everything the prompt says, in one fixed order.
func (p Prompt) Fields() []Field { return read(promptFields(), p) }

// Fields lists everything the tension says, in one fixed order.
func (t Tension) Fields() []Field { return read(tensionFields(), t) }

// Fields lists everything the value says, in one fixed order.
func (v Value) Fields() []Field { return read(valueFields(), v) }

// Fields lists everything the audience says, in one fixed order.
func (a Audience) Fields() []Field { return read(audienceFields(), a) }

// Tidy returns the prompt without spaces around its texts, empty ends of its lists and languages in which it says
// nothing. It shares nothing with p that a later change could reach.
func (p Prompt) Tidy() Prompt { return tidy(promptFields(), p) }

// Tidy is Prompt.Tidy for a tension.
func (t Tension) Tidy() Tension { return tidy(tensionFields(), t) }

// Tidy is Prompt.Tidy for a value.
func (v Value) Tidy() Value { return tidy(valueFields(), v) }

// Tidy is Prompt.Tidy for an audience.
func (a Audience) Tidy() Audience { return tidy(audienceFields(), a) }

// merge is a three-way merge: what only one side changed comes from that side, what both changed alike too; where they
// differ it is mine, and the field is named. Fields in keep are always mine.
func merge[E any](table []field[E], base, mine, theirs E, keep ...string) (merged E, clash []string) {
	merged = mine
	var errs []error
	for _, f := range table {
		was, own, new := f.get(base), f.get(mine), f.get(theirs)
		switch {
		case slices.Contains(keep, f.name), new == was, new == own:
		case own == was:
			errs = append(errs, f.set(&merged, new))
		default:
			clash = append(clash, f.name)
		}
	}
	if errors.Join(errs...) != nil { // what one entry's field says, another's takes
		return mine, clash
	}
	return merged, clash
}

// Merge is a three-way merge of a prompt. What editors do not write (revision, status, reviewer) stays mine, except that
// a prompt that the other side retired, and mine did not touch so, is retired.
func Merge(base, mine, theirs Prompt) (merged Prompt, clash []string) {
	merged, clash = merge(promptFields(), base, mine, theirs, "revision", "status", "reviewer")
	if theirs.Status == Retired && base.Status != Retired {
		merged.Status = Retired
	}
	return merged, clash
}

// MergeTension is Merge for a tension. Senses it had before stay.
func MergeTension(base, mine, theirs Tension) (merged Tension, clash []string) {
	merged, clash = merge(tensionFields(), base, mine, theirs, "formerly")
	for _, sense := range theirs.Formerly {
		if !slices.Contains(merged.Formerly, sense) {
			merged.Formerly = append(slices.Clone(merged.Formerly), sense)
		}
	}
	return merged, clash
}

// MergeValue is Merge for a value.
func MergeValue(base, mine, theirs Value) (merged Value, clash []string) {
	return merge(valueFields(), base, mine, theirs)
}

// MergeAudience is Merge for an audience.
func MergeAudience(base, mine, theirs Audience) (merged Audience, clash []string) {
	return merge(audienceFields(), base, mine, theirs)
}
