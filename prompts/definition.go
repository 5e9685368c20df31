package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
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

// WithTensions returns the library with tensions added behind its own, or put in the place of those with the same ID.
func (l Library) WithTensions(own []Tension) Library {
	l.Tensions = slices.Clone(l.Tensions)
	for _, t := range own {
		if i := slices.IndexFunc(l.Tensions, func(u Tension) bool { return u.ID == t.ID }); i >= 0 {
			l.Tensions[i] = t
		} else {
			l.Tensions = append(l.Tensions, t)
		}
	}
	return l
}
