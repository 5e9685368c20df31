package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/weerklank/weerklank/prompts"
)

// lexiconName is the built-in scorer's name, and lexiconVersion says by which rules it counts.
const (
	lexiconName    = "lexicon"
	lexiconVersion = "1"
)

// What the texts of a tension weigh, and how much is taken off for what is said everywhere.
const (
	cueWeight      = 1.0
	bothWeight     = 1.3
	exampleWeight  = 0.7
	describeWeight = 0.5
	promptWeight   = 1.0

	lift   = 1.0  // κ
	shrink = 40.0 // A
)

// Lexicon is the built-in Scorer: a pure function of a text and a library. What a word says of a tension is how much more
// often the tension's definition has it than the library as a whole. It learns nothing and keeps nothing of what it reads.
type Lexicon struct {
	name     string
	tensions []prompts.TensionID
	in       map[prompts.Lang]*lexiconIn
}

// lexiconIn is the lexicon of one language.
type lexiconIn struct {
	lang prompts.Lang
	row  map[feature]int
	lift []float64 // by row and tension
	n    int       // tensions
	cues *cueBook
	open []bool
}

// NewLexicon reads a library's tensions and prompts.
func NewLexicon(l prompts.Library) *Lexicon {
	x := &Lexicon{name: lexiconOf(l.Tensions), in: map[prompts.Lang]*lexiconIn{}}
	for _, t := range l.Tensions {
		x.tensions = append(x.tensions, t.ID)
	}
	for _, lang := range prompts.Langs() {
		x.in[lang] = newLexiconIn(l, lang)
	}
	return x
}

// lexiconOf is the name of a lexicon of tensions: other definitions, another name.
func lexiconOf(tensions []prompts.Tension) string {
	sum := sha256.New()
	fmt.Fprintln(sum, lexiconVersion)
	for _, t := range tensions {
		fmt.Fprintln(sum, t.ID, t.Words())
	}
	return lexiconName + "/" + hex.EncodeToString(sum.Sum(nil)[:4])
}

// weighed are features with their weights in a set of texts.
type weighed struct {
	of    []float64 // by number
	total float64
}

// counting reads the texts that a lexicon is made of. Most of their words come many times, and are taken apart once.
type counting struct {
	lang     prompts.Lang
	features []feature
	number   map[feature]int
	words    map[string][]wordPart
	tf       []float64 // in the text that is read, by number
}

// parts are the features of a word by number.
func (c *counting) parts(form string) []wordPart {
	parts, ok := c.words[form]
	if !ok && content(form, c.lang) {
		wordFeatures(form, c.lang, func(f feature, weight float64) {
			n, ok := c.number[f]
			if !ok {
				n = len(c.features)
				c.number[f] = n
				c.features, c.tf = append(c.features, f), append(c.tf, 0)
			}
			parts = append(parts, wordPart{n, weight})
		})
	}
	c.words[form] = parts
	return parts
}

// read counts a text in sets of texts: what stands in it more than twice says no more than twice.
func (c *counting) read(text string, weight float64, sets ...*weighed) {
	var seen []int // in the order that they come first
	for _, w := range tokenise(text) {
		for _, p := range c.parts(w.form) {
			if c.tf[p.row] == 0 {
				seen = append(seen, p.row)
			}
			c.tf[p.row] += p.weight
		}
	}
	for _, n := range seen {
		v := weight * min(c.tf[n], 2)
		c.tf[n] = 0
		for _, set := range sets {
			if more := len(c.features) - len(set.of); more > 0 {
				set.of = append(set.of, make([]float64, more)...)
			}
			set.of[n] += v
			set.total += v
		}
	}
}

func newLexiconIn(l prompts.Library, lang prompts.Lang) *lexiconIn {
	x := &lexiconIn{lang: lang, row: map[feature]int{}, n: len(l.Tensions), cues: newCueBook(lang)}
	texts, all := counting{lang: lang, number: map[feature]int{}, words: map[string][]wordPart{}}, &weighed{}
	ordered := slices.Clone(l.Prompts)
	slices.SortFunc(ordered, func(a, b prompts.Prompt) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range ordered {
		if w, ok := p.Words[lang]; ok {
			texts.read(w.Title+". "+w.Text+" "+w.Question+" "+w.PoleA+". "+w.PoleB, promptWeight, all)
		}
	}
	own := make([]weighed, len(l.Tensions))
	id := 0
	for t, tension := range l.Tensions {
		d := tension.Definitions[lang]
		for _, list := range []struct {
			texts  []string
			weight float64
			cues   bool
		}{{d.CuesA, cueWeight, true}, {d.CuesB, cueWeight, true}, {d.CuesBoth, bothWeight, true}, {d.Examples, exampleWeight, false}, {[]string{d.Description}, describeWeight, false}} {
			for _, text := range list.texts {
				texts.read(text, list.weight, &own[t], all)
				if list.cues {
					x.cues.add(t, id, text, list.weight == bothWeight)
					id++
				}
			}
		}
	}
	x.open = x.cues.openWords()
	size := all.total + 0.5*float64(len(texts.features)+1)
	for n, f := range texts.features {
		for t := range own {
			o := &own[t]
			if n >= len(o.of) || o.of[n] == 0 {
				continue
			}
			row, ok := x.row[f]
			if !ok {
				row = len(x.row)
				x.row[f] = row
				x.lift = append(x.lift, make([]float64, x.n)...)
			}
			share := (all.of[n] + 0.5) / size
			x.lift[row*x.n+t] = math.Log(1 + lift*(o.of[n]/(o.total+shrink))/share)
		}
	}
	x.lift = slices.Clip(x.lift)
	return x
}

// Name implements Scorer.
func (x *Lexicon) Name() string { return x.name }

// Score implements Scorer.
func (x *Lexicon) Score(_ context.Context, text string, lang prompts.Lang) ([]Evidence, error) {
	words := tokenise(text)
	in := x.in[languageOf(words, lang)]
	read := in.read(words)
	found := make([]Evidence, len(x.tensions))
	for t, id := range x.tensions {
		found[t] = Evidence{Tension: id, Score: read.score(t), Reasons: read.reasons(t)}
	}
	rank(found)
	return found, nil
}

// A reading is one text as a lexicon sees it.
type reading struct {
	*lexiconIn
	words []token
	parts [][]wordPart // of each word, what the lexicon knows of it
	text  *frequencies
	cues  []found
}

// wordPart is a feature of a word by its row, or by its number while a lexicon is made, and its weight there.
type wordPart struct {
	row    int
	weight float64
}

func (x *lexiconIn) read(words []token) *reading {
	r := &reading{lexiconIn: x, words: words, parts: make([][]wordPart, len(words)), cues: x.cues.find(words, x.open)}
	r.text = &frequencies{place: make(map[feature]int, 10*len(words))}
	for i, w := range words {
		if !content(w.form, x.lang) {
			continue
		}
		wordFeatures(w.form, x.lang, func(f feature, weight float64) {
			r.text.add(f, weight)
			if row, ok := x.row[f]; ok {
				r.parts[i] = append(r.parts[i], wordPart{row, weight})
			}
		})
	}
	return r
}

func (r *reading) score(t int) float64 {
	var sum, matched float64
	for _, f := range r.text.list {
		if row, ok := r.row[f.feature]; ok {
			sum += min(f.tf, 2) * r.lift[row*r.n+t]
		}
	}
	for _, c := range r.cues {
		if c.tension == t {
			matched += c.value
		}
	}
	return sum/math.Sqrt(float64(r.text.count+8)) + 0.5*math.Log(1+matched)
}

// maxReasons is how many words an author is shown, and leastReason how much each must weigh.
const (
	maxReasons  = 3
	leastReason = 0.3
)

// reasons are the words and phrases that weigh most for a tension, in the order of the text. A phrase is shown whole, and what
// only repeats words of another is not.
func (r *reading) reasons(t int) []Range {
	type reason struct {
		from, to int // tokens
		weight   float64
	}
	words := r.words
	weights := make([]float64, len(words))
	var all []reason
	for i, parts := range r.parts {
		for _, p := range parts {
			weights[i] += p.weight * r.lift[p.row*r.n+t]
		}
		if weights[i] >= leastReason {
			all = append(all, reason{i, i + 1, weights[i]})
		}
	}
	for _, c := range r.cues {
		if c.tension == t && c.to-c.from > 1 {
			phrase := reason{c.from, c.to, c.value} // it may be made of function words
			for _, w := range weights[c.from:c.to] {
				phrase.weight += w
			}
			all = append(all, phrase)
		}
	}
	slices.SortStableFunc(all, func(a, b reason) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	var picked []reason
	for _, r := range all {
		if len(picked) == maxReasons {
			break
		}
		if !slices.ContainsFunc(picked, func(p reason) bool {
			return p.from < r.to && r.from < p.to || repeats(words[r.from:r.to], words[p.from:p.to])
		}) {
			picked = append(picked, r)
		}
	}
	slices.SortFunc(picked, func(a, b reason) int { return cmp.Compare(a.from, b.from) })
	var out []Range
	for _, r := range picked {
		out = append(out, Range{words[r.from].at.From, words[r.to-1].at.To})
	}
	return out
}

// repeats says whether all words are among those of another reason.
func repeats(words, of []token) bool {
	return !slices.ContainsFunc(words, func(w token) bool {
		return !slices.ContainsFunc(of, func(o token) bool { return o.form == w.form })
	})
}
