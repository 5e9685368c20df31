// Package prompts knows what a dilemma and a tension are, keeps the built-in library and chooses the next prompt with
// its reasons; it does no input or output beyond the readers it is handed.
package prompts

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// ID is a prompt's slug. An ID is never used again for another prompt.
type ID string

// TensionID, ValueID and AudienceID are the slugs of the library's other entries.
type (
	TensionID  string
	ValueID    string
	AudienceID string
)

// Everyone is the audience of a prompt that fits any team.
const Everyone AudienceID = "all"

// Lang is a language the program speaks.
type Lang string

// The two languages. Dutch is the source language, English its equal.
const (
	Dutch   Lang = "nl"
	English Lang = "en"
)

// Langs lists the languages in their fixed order.
func Langs() []Lang { return []Lang{Dutch, English} }

// Text is one short text in every language.
type Text map[Lang]string

// In returns the text in lang, or the Dutch when lang has none.
func (t Text) In(lang Lang) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t[Dutch]
}

// Tension is a pull between two legitimate poles. Neither pole is named by its shadow. The order of tensions in a
// library is the one fixed order in which they are offered and shown.
type Tension struct {
	ID        TensionID
	Label     Text
	Short     Text // branch name in the season overview, at most 23 characters
	A, B      Text // canonical poles
	ProtectsA Text // completes "Dat beschermt …" / "That protects …"
	ProtectsB Text

	Definitions map[Lang]Definition // what a Scorer goes by; a tension without any is never suggested

	Formerly []string // earlier senses (see Sense) with which it means the same: what was tagged in them counts on
	Retired  bool     // not offered any more; what was tagged keeps its name
}

// Value is a public value a prompt may touch.
type Value struct {
	ID      ValueID
	Name    Text
	Retired bool // not offered any more
}

// Audience is a kind of front-line work.
type Audience struct {
	ID      AudienceID
	Name    Text
	Retired bool // not offered any more; teams that have it keep it
}

// Kind is what sort of question a prompt is; the file calls it `type`.
type Kind string

// The five kinds. Appreciative and practice prompts are the light ones.
const (
	Dilemma      Kind = "dilemma"
	Appreciative Kind = "appreciative"
	Practice     Kind = "practice"
	ValuePrompt  Kind = "value"
	LookBack     Kind = "look-back"
)

// Status is where a prompt stands in its editorial life; only an active one is posted.
type Status string

// The editorial states.
const (
	Draft   Status = "draft"
	Review  Status = "review"
	Active  Status = "active"
	Resting Status = "resting"
	Retired Status = "retired"
)

// Phase is the beat of a rhythm that a prompt fits.
type Phase string

// The beats.
const (
	PhaseOpen     Phase = "open"
	PhaseFollow   Phase = "follow"
	PhaseTalk     Phase = "talk"
	PhaseLookBack Phase = "look-back"
)

// Words is a prompt in one language. Dilemmas have poles in canonical order (a, b of their tension) and what each
// protects; the other kinds leave those empty.
type Words struct {
	Title     string
	Text      string
	Question  string
	PoleA     string
	PoleB     string
	ProtectsA string
	ProtectsB string
	Followups []string // exactly two, of the kinds in Prompt.FollowupKinds
}

// Image is a licensed picture that goes with a prompt.
type Image struct {
	Path    string
	Alt     Text
	Licence string
}

// Prompt is one entry of the library (PRACTICE 11).
type Prompt struct {
	ID            ID
	Revision      int
	Family        string // links costumes of one choice
	Kind          Kind
	Phase         Phase
	Status        Status
	Audience      []AudienceID
	NotFor        []AudienceID
	Tensions      []TensionID // a dilemma has exactly one
	Values        []ValueID
	Themes        []string
	Intensity     int // 1 to 3; 3 requires Aftercare
	Aftercare     bool
	Onboarding    bool
	CooldownWeeks int
	Season        []int    // months 1 to 12 in which it may be asked; empty: all
	Avoid         []string // named periods: "elections", "after-incident"
	NotBefore     string   `json:",omitempty"` // "2026-09-28": the first day on which it may be asked; empty: any
	FollowupKinds []string // two different ones
	Placeholders  []string // look-back only: "date", "agreement"
	Words         map[Lang]Words
	Image         *Image
	Author        string
	Reviewer      string
	Source        string // original, team or commissioned
	Licence       string
}

// Gaps says whether the prompt may lack what it will have, while what is there is right: a draft, and what a member of a team
// brought and no editor finished yet.
func (p Prompt) Gaps() bool {
	return p.Status == Draft || p.Status == Review && p.Source == SourceTeam && p.Author == ByTeam
}

// In returns the prompt's words in lang, or the Dutch when lang has none.
func (p Prompt) In(lang Lang) Words {
	if w, ok := p.Words[lang]; ok {
		return w
	}
	return p.Words[Dutch]
}

// Asks says whether the prompt itself asks about tension t.
func (p Prompt) Asks(t TensionID) bool {
	return slices.Contains(p.Tensions, t)
}

// Library is a set of prompts with the tensions, values and audiences they refer to.
type Library struct {
	ID        string
	Name      Text
	Version   string
	Licence   string
	Author    string
	Source    string
	Tensions  []Tension
	Values    []Value
	Audiences []Audience
	Prompts   []Prompt
}

// Tension finds a tension by its ID.
func (l *Library) Tension(id TensionID) (Tension, bool) {
	for _, t := range l.Tensions {
		if t.ID == id {
			return t, true
		}
	}
	return Tension{}, false
}

// Prompt finds a prompt by its ID.
func (l *Library) Prompt(id ID) (Prompt, bool) {
	for _, p := range l.Prompts {
		if p.ID == id {
			return p, true
		}
	}
	return Prompt{}, false
}

// Audience finds an audience by its ID.
func (l *Library) Audience(id AudienceID) (Audience, bool) {
	for _, a := range l.Audiences {
		if a.ID == id {
			return a, true
		}
	}
	return Audience{}, false
}

// With returns the library with prompts added, or put in the place of entries with the same ID.
func (l Library) With(own []Prompt) Library {
	l.Prompts = over(l.Prompts, own, func(p Prompt) ID { return p.ID })
	return l
}

// Over returns the library with the entries of another one added, or put in the place of those with the same ID.
func (l Library) Over(other Library) Library {
	l = l.With(other.Prompts).WithTensions(other.Tensions)
	l.Values = over(l.Values, other.Values, func(v Value) ValueID { return v.ID })
	l.Audiences = over(l.Audiences, other.Audiences, func(a Audience) AudienceID { return a.ID })
	return l
}

func over[E any, T comparable](base, other []E, id func(E) T) []E {
	if len(other) == 0 {
		return base
	}
	at := make(map[T]int, len(base))
	out := slices.Clone(base)
	for i, e := range base {
		at[id(e)] = i
	}
	for _, e := range other {
		if i, there := at[id(e)]; there {
			out[i] = e
		} else {
			at[id(e)] = len(out)
			out = append(out, e)
		}
	}
	return out
}

// Completed returns the library with the tensions, values and audiences of base where it has none of its own: a file of
// prompts alone refers to those in force.
func (l Library) Completed(base Library) Library {
	if len(l.Tensions) == 0 {
		l.Tensions = base.Tensions
	}
	if len(l.Values) == 0 {
		l.Values = base.Values
	}
	if len(l.Audiences) == 0 {
		l.Audiences = base.Audiences
	}
	return l
}

// Same says whether two revisions of a prompt are equal in everything.
func Same(a, b Prompt) bool { return sameJSON(a, b) }

// SameWords says whether two revisions of a prompt read the same.
func SameWords(a, b Prompt) bool { return sameJSON(a.Words, b.Words) }

// sameJSON compares what would be stored: an empty list and a missing one are equal to a reader, not to reflect.
func sameJSON(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && strings.ReplaceAll(string(x), "[]", "null") == strings.ReplaceAll(string(y), "[]", "null")
}

// SameLibrary says whether two libraries hold the same entries in the same order.
func SameLibrary(a, b Library) bool {
	return sameJSON([]any{a.Tensions, a.Values, a.Audiences, a.Prompts}, []any{b.Tensions, b.Values, b.Audiences, b.Prompts})
}
