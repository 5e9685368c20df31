package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Definition says in one language what people say when they speak of a tension. Its makers write it from the tension's
// meaning, before they see any reply: a list fitted to replies knows the anecdotes and not the tension.
type Definition struct {
	CuesA       []string // words and phrases that go with pole A; a closing * makes a prefix
	CuesB       []string // those that go with pole B
	CuesBoth    []string // the pull itself
	Examples    []string // whole sentences that name the tension: four in Dutch, three in English
	Description string   // one line
}

// empty says whether nothing is written.
func (d Definition) empty() bool {
	return len(d.CuesA)+len(d.CuesB)+len(d.CuesBoth)+len(d.Examples) == 0 && d.Description == ""
}

// enoughExamples is how many sentences a definition has in a language. Dutch has one more: its words join and bend more.
func enoughExamples(lang Lang) int {
	if lang == Dutch {
		return 4
	}
	return 3
}

// Sense is a hash of what people choose when they tag: label, poles and what each protects, in every language. Counts
// belong to a sense.
func (t Tension) Sense() string {
	var parts []string
	for _, lang := range Langs() {
		parts = append(parts, t.Label[lang], t.A[lang], t.B[lang], t.ProtectsA[lang], t.ProtectsB[lang])
	}
	return hashOf(parts)
}

// Means says whether what was tagged in a sense counts for the tension as it is now.
func (t Tension) Means(sense string) bool {
	return slices.Contains(t.Formerly, sense) || sense == t.Sense()
}

// After returns the tension as an edit of before that means the same: what counted for before counts on. Without it an edit of
// the sense starts anew.
func (t Tension) After(before Tension) Tension {
	now := t.Sense()
	var formerly []string
	for _, sense := range append(slices.Concat(t.Formerly, before.Formerly), before.Sense()) {
		if sense != now && !slices.Contains(formerly, sense) {
			formerly = append(formerly, sense)
		}
	}
	slices.Sort(formerly) // a set: whatever the way that led here
	t.Formerly = formerly
	return t
}

// Offered are the tensions that may be tagged in a round that opens now, in the one fixed order: those that are not retired, at
// most seven. What the round's question is about comes before what is left over.
func (l Library) Offered(asked ...TensionID) []Tension {
	var out []Tension
	for _, t := range l.Tensions {
		if !t.Retired {
			out = append(out, t)
		}
	}
	for i := len(out) - 1; i >= 0 && len(out) > MaxOffered; i-- {
		if !slices.Contains(asked, out[i].ID) {
			out = slices.Delete(out, i, i+1)
		}
	}
	return out[:min(len(out), MaxOffered)]
}

// Words is a hash of what a Scorer goes by: cues, examples and description. Editing them changes no count.
func (t Tension) Words() string {
	parts := [][]string{} // an empty list and a missing one are the same to a reader
	for _, lang := range Langs() {
		d := t.Definitions[lang]
		for _, list := range [][]string{d.CuesA, d.CuesB, d.CuesBoth, d.Examples, {d.Description}} {
			parts = append(parts, append([]string{}, list...))
		}
	}
	return hashOf(parts)
}

// hashOf is short enough to be read aloud and long enough that no two of a library are the same.
func hashOf(parts any) string {
	raw, err := json.Marshal(parts)
	if err != nil { // lists of text always can be written
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// MaxOffered is how many tensions a team can choose from at most: more are a test, not an answer.
const MaxOffered = 7

// senseHash is how Sense writes a sense.
var senseHash = regexp.MustCompile(`^[0-9a-f]{16}$`)

// maxFormerly is how many earlier senses a tension may have.
const maxFormerly = 100

// formerly judges the earlier senses that count on.
func (v *validator) formerly(t Tension) {
	if n := len(t.Formerly); n > maxFormerly {
		v.note("formerly", "has %d senses; at most %d", n, maxFormerly)
	}
	for i, sense := range t.Formerly {
		switch {
		case !senseHash.MatchString(sense):
			v.note("formerly", "%q is no sense; copy it from `weerklank tensions list`", sense)
		case slices.Contains(t.Formerly[:i], sense):
			v.note("formerly", "%q stands here twice; once is enough", sense)
		}
	}
}

// WithTensions returns the library with tensions added behind its own, or put in the place of those with the same ID.
func (l Library) WithTensions(own []Tension) Library {
	l.Tensions = over(l.Tensions, own, func(t Tension) TensionID { return t.ID })
	return l
}

// What a definition may hold. The bounds keep one tension from weighing down a scorer and every reply it reads.
const (
	maxCues     = 400 // in one list
	maxCue      = 60  // characters
	maxCueWords = 6
	maxExamples = 12
	maxExample  = 300 // characters
	maxDescribe = 200 // characters
)

// definitions judges what a tension's definitions hold. A tension may have none; half of one would let one pole, or one
// language, speak for both.
func (v *validator) definitions(t Tension) {
	if len(t.Definitions) == 0 {
		return
	}
	for _, lang := range Langs() {
		d, prefix := t.Definitions[lang], string(lang)+"."
		seen := map[string]string{}
		for _, list := range d.lists() {
			field := prefix + list.field
			if len(list.cues) == 0 && list.field != "cues_both" {
				v.note(field, "is missing; write what people say, for both poles and in both languages")
			}
			if n := len(list.cues); n > maxCues {
				v.note(field, "has %d cues; at most %d", n, maxCues)
			}
			for _, cue := range list.cues {
				v.cue(field, cue)
				key := strings.ToLower(cue)
				if where := seen[key]; where != "" {
					v.note(field, "%q stands in %s already; once is enough", cue, where)
				}
				seen[key] = list.field
			}
		}
		if n := len(d.Examples); n > maxExamples {
			v.note(prefix+"examples", "has %d; at most %d", n, maxExamples)
		}
		for _, e := range d.Examples {
			v.filled(prefix+"examples", e)
			v.printable(prefix+"examples", e)
			if n := utf8.RuneCountInString(e); n > maxExample {
				v.note(prefix+"examples", "one has %d characters; at most %d", n, maxExample)
			}
		}
		v.printable(prefix+"description", d.Description)
		if n := utf8.RuneCountInString(d.Description); n > maxDescribe {
			v.note(prefix+"description", "has %d characters; at most %d", n, maxDescribe)
		}
	}
}

// cue judges one cue: words, and perhaps a * behind the last.
func (v *validator) cue(field, cue string) {
	v.printable(field, cue)
	bare := strings.TrimSuffix(cue, "*")
	words := strings.Fields(bare)
	switch {
	case len(words) == 0:
		v.note(field, "holds an empty cue; take it out")
	case len(words) > maxCueWords || utf8.RuneCountInString(cue) > maxCue:
		v.note(field, "%q is long; a cue is at most %d words and %d characters, a sentence is an example", cue, maxCueWords, maxCue)
	case strings.Contains(bare, "*") || strings.HasSuffix(bare, " "):
		v.note(field, "%q has a * inside; it stands behind the last letter only", cue)
	case strings.ContainsFunc(bare, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(" '’-", r)
	}):
		v.note(field, "%q holds more than words; letters, digits, apostrophes and dashes only", cue)
	case !strings.ContainsFunc(bare, func(r rune) bool { return unicode.In(r, unicode.L, unicode.Nd) }):
		v.note(field, "%q holds no word", cue)
	}
}

// cueList is one list of cues under its name in the file.
type cueList struct {
	field string
	cues  []string
}

func (d Definition) lists() []cueList {
	return []cueList{{"cues_a", d.CuesA}, {"cues_b", d.CuesB}, {"cues_both", d.CuesBoth}}
}

// lintTensions says what an editor would say about tensions and their definitions.
func lintTensions(l Library) []Finding {
	var out []Finding
	owners := map[Lang]map[string]TensionID{Dutch: {}, English: {}}
	offered := l.Offered()
	for _, t := range l.Tensions {
		x := &linter{t: t.ID, p: Prompt{Kind: Dilemma}}
		if !t.Retired && !slices.ContainsFunc(offered, func(o Tension) bool { return o.ID == t.ID }) {
			x.add(Warn, "retired", "not-offered", "Teams kiezen uit hoogstens zeven spanningen; deze komt alleen mee als de vraag erover gaat. Laat er een rusten.",
				"Teams choose from seven tensions at most; this one comes along only when the question is about it. Retire one.")
		}
		if len(t.Definitions) == 0 {
			x.add(Warn, "cues_a", "no-cues", "Zonder woorden en voorbeelden stelt geen programma deze spanning voor. Schrijf ze, of laat het zo.",
				"Without cues and examples no program suggests this tension. Write them, or leave it so.")
		}
		for _, lang := range Langs() {
			x.lang = lang
			for _, part := range []part{
				{field: "label", text: t.Label[lang]}, {field: "a", text: t.A[lang]}, {field: "b", text: t.B[lang]},
				{field: "protects_a", text: t.ProtectsA[lang]}, {field: "protects_b", text: t.ProtectsB[lang]},
			} {
				x.wording(part.field, part.text)
			}
			x.poles(Words{PoleA: t.A[lang], PoleB: t.B[lang]})
			if len(t.Definitions) > 0 {
				x.definition(t.Definitions[lang], owners[lang])
			}
		}
		out = append(out, x.out...)
	}
	return out
}

// definition holds the rules for one language's cues and examples; owners are the cues of the tensions before.
func (x *linter) definition(d Definition, owners map[string]TensionID) {
	for _, list := range d.lists() {
		for _, cue := range list.cues {
			letters := utf8.RuneCountInString(strings.TrimSuffix(cue, "*"))
			switch open := strings.HasSuffix(cue, "*"); {
			case open && letters < 4:
				x.add(Error, list.field, "short-prefix", "'"+cue+"' past op te veel woorden. Minstens vier letters voor het sterretje.",
					"'"+cue+"' fits too many words. At least four letters before the star.")
			case letters < 3:
				x.add(Error, list.field, "short-cue", "'"+cue+"' is te kort om iets te zeggen. Neem een langer woord.",
					"'"+cue+"' is too short to say anything. Take a longer word.")
			}
			key := strings.ToLower(cue)
			if other := owners[key]; other != "" && other != x.t {
				x.add(Warn, list.field, "cue-elsewhere", "'"+cue+"' staat ook bij "+string(other)+" en trekt dan naar geen van beide. Kies.",
					"'"+cue+"' also stands with "+string(other)+" and so pulls to neither. Choose.")
			}
			owners[key] = x.t
		}
	}
	if a, b := len(d.CuesA), len(d.CuesB); max(a, b) > 2*min(a, b) {
		x.add(Warn, "cues_a", "lopsided-cues", "De ene kant heeft meer dan twee keer zoveel woorden en klinkt dus eerder. Vul de andere aan.",
			"One side has more than twice as many cues and so is heard sooner. Add to the other.")
	}
	if n, want := len(d.Examples), enoughExamples(x.lang); n < want {
		x.add(Warn, "examples", "few-examples", fmt.Sprintf("%d van de %d voorbeelden. Schrijf zinnen die de spanning noemen.", n, want),
			fmt.Sprintf("%d of %d examples. Write sentences that name the tension.", n, want))
	}
	if strings.TrimSpace(d.Description) == "" {
		x.add(Warn, "description", "no-description", "Zeg in één regel waartussen het trekt.", "Say in one line what it pulls between.")
	}
	for _, part := range append([]part{{field: "description", text: d.Description}}, examples(d)...) {
		x.plain(part.field, part.text)
	}
}

func examples(d Definition) (out []part) {
	for _, e := range d.Examples {
		out = append(out, part{field: "examples", text: e})
	}
	return out
}
