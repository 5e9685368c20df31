package bot

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// How a new word is found (TENSIONS 7.3).
const (
	wordWindow  = 4  // the last rounds with content
	wordBefore  = 48 // the most rounds before them that it is held against
	wordRounds  = 3  // of the window that hold it
	wordChance  = 0.01
	wordsShown  = 3  // at most in one give-back
	wordAbsence = 12 // rounds without a word that was shown, before it may be "back again"
)

// NewWord is a word that was given back as new, with the numbers behind it: the statement can be made again from it.
type NewWord struct {
	Key    string `json:"key"`
	Form   string `json:"form"`
	Rounds int    `json:"rounds"`         // of the window that hold it
	Before int    `json:"before"`         // of the rounds before that hold it
	Of     int    `json:"of"`             // the rounds before
	From   int    `json:"from,omitempty"` // replies that it takes to hold it, where a table asks for more than three
	Again  bool   `json:"again,omitempty"`
}

// WordNote is a new word that a team was shown, and what it decided about it.
type WordNote struct {
	Key   string  `json:"key"`
	Form  string  `json:"form"`
	Round RoundID `json:"round"`  // that gave it back last
	Shown int     `json:"number"` // of that round
	WordDecision
	Desk WordDecision `json:"desk,omitzero"` // what the editors decided about a word that was proposed
}

// WordDecision is what a team decided about a word: propose it as a tension, it belongs to one, or never mind. The newest
// stands.
type WordDecision struct {
	Decision string            `json:"decision,omitempty"` // "propose", "belongs", "never"; empty: none yet
	Tension  prompts.TensionID `json:"tension,omitempty"`  // that it belongs to
	Decided  time.Time         `json:"decided,omitzero"`   // version: what is not newer is a redelivery
}

// LabelNote is what several people called "something else" by one name, for the editors.
type LabelNote struct {
	Key    string       `json:"key"`
	Form   string       `json:"form"`
	Rounds []RoundID    `json:"rounds,omitempty"` // that it rests on: it goes with the last of their replies
	Desk   WordDecision `json:"desk,omitzero"`    // what the editors decided about it
}

// chanceOf is how likely it is that of the rounds with a word, k in the window and K among M before it, as many or more
// fall into the window by chance: the tail of the hypergeometric distribution.
func chanceOf(k, K, M int) float64 {
	p := 0.0
	for x := k; x <= min(wordWindow, k+K); x++ {
		p += choose(wordWindow, x) * choose(M, k+K-x) / choose(M+wordWindow, k+K)
	}
	return p
}

// choose is n over k.
func choose(n, k int) float64 {
	if k < 0 || k > n {
		return 0
	}
	out := 1.0
	for i := range min(k, n-k) {
		out = math.Round(out * float64(n-i) / float64(i+1))
	}
	return out
}

// newWords finds the words that are new in a team's last rounds with content, the newest of them last. Rounds are counted,
// never people. A round whose table was never made tells nothing, so that counting begins after it. What was shown is not
// shown again, unless it stayed away for long and nobody decided about it.
func newWords(rounds []Round, notes []WordNote) []NewWord {
	rounds = slices.DeleteFunc(slices.Clone(rounds), func(r Round) bool { return r.Kind != RoundQuestion || !hasContent(r) })
	for i, r := range slices.Backward(rounds) {
		if r.Tally.Words == nil {
			rounds = rounds[i+1:]
			break
		}
	}
	if len(rounds) <= wordWindow {
		return nil
	}
	window := rounds[len(rounds)-wordWindow:]
	before := rounds[max(0, len(rounds)-wordWindow-wordBefore) : len(rounds)-wordWindow]
	from := leastOf(slices.Concat(before, window))
	type find struct {
		NewWord
		p float64
	}
	var found []find
	hidden := map[string]bool{}
	for _, key := range keysOf(window) {
		f := find{NewWord: NewWord{Key: key, Of: len(before), From: from}}
		for _, r := range window {
			if w, ok := r.Tally.Words.find(key); ok && w.Replies >= from {
				f.Rounds++
				if w.Shared >= minCell {
					f.Form = w.Form
				}
			}
		}
		for _, r := range before {
			if w, ok := r.Tally.Words.find(key); ok && w.Replies >= from {
				f.Before++
			}
		}
		f.p = chanceOf(f.Rounds, f.Before, f.Of)
		if f.Form == "" || f.Rounds < wordRounds || f.p > wordChance {
			continue
		}
		for _, part := range partsOf(key) {
			hidden[part] = true
		}
		found = append(found, f)
	}
	found = slices.DeleteFunc(found, func(f find) bool {
		i := slices.IndexFunc(notes, func(n WordNote) bool { return n.Key == f.Key })
		return hidden[f.Key] || i >= 0 && !notes[i].returns(rounds)
	})
	slices.SortFunc(found, func(a, b find) int { return cmp.Or(cmp.Compare(a.p, b.p), cmp.Compare(a.Key, b.Key)) })
	var out []NewWord
	for _, f := range found[:min(len(found), wordsShown)] {
		f.Again = slices.ContainsFunc(notes, func(n WordNote) bool { return n.Key == f.Key })
		out = append(out, f.NewWord)
	}
	return out
}

// leastOf is how many replies must hold a word for all these rounds to tell whether they have it: a table that was too large
// asks for more than three, and says nothing of the words that fewer have. 0: three.
func leastOf(rounds []Round) (least int) {
	for _, r := range rounds {
		least = max(least, r.Tally.WordsFrom)
	}
	return least
}

// keysOf gives the words of some rounds, in the order of the alphabet.
func keysOf(rounds []Round) []string {
	var keys []string
	for _, r := range rounds {
		for _, w := range r.Tally.Words {
			keys = append(keys, w.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// partsOf gives the keys of a pair's two words; none for a single word.
func partsOf(key string) []string {
	lang, stems, _ := strings.Cut(key, ":")
	a, b, ok := strings.Cut(stems, " ")
	if !ok {
		return nil
	}
	return []string{lang + ":" + a, lang + ":" + b}
}

// returns says whether a word that was shown may be told to be back: for twelve rounds running no table held it, and
// nobody decided about it.
func (n WordNote) returns(rounds []Round) bool {
	if n.Decision != "" {
		return false
	}
	absent := 0
	for _, r := range rounds {
		if r.Number <= n.Shown {
			continue
		}
		if _, ok := r.Tally.Words.find(n.Key); ok {
			absent = 0
		} else if r.Tally.WordsFrom == 0 { // else a few may have written it
			if absent++; absent == wordAbsence {
				return true
			}
		}
	}
	return false
}

// maxNotes is how many shown words a team remembers, a year of them and more.
const maxNotes = 200

// noteWords keeps that words were shown.
func (t *Team) noteWords(r Round) {
	for _, w := range r.News {
		t.Words = slices.DeleteFunc(t.Words, func(n WordNote) bool { return n.Key == w.Key })
		t.Words = append(t.Words, WordNote{Key: w.Key, Form: w.Form, Round: r.ID, Shown: r.Number})
	}
	t.Words = t.Words[max(0, len(t.Words)-maxNotes):]
}
