package bot

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weerklank/weerklank/prompts"
)

// cueBook finds cues in a text. Each word of a cue stands in it once, with the ways a word of a text can match it.
type cueBook struct {
	lang    prompts.Lang
	words   map[cueWord]int
	equal   map[string][]int // by the word as it is
	stems   map[string][]int
	starts  map[string][]int // prefixes, and words that others may be built on
	endings map[string][]int
	byFirst map[int][]cue // by their first word
}

type cueWord struct {
	form string
	open bool // every word with that beginning
}

type cue struct {
	tension int
	id      int
	value   float64
	words   []int
}

// found is a cue in a text, from its first word up to its last.
type found struct {
	cue
	from, to int // tokens
}

func newCueBook(lang prompts.Lang) *cueBook {
	return &cueBook{
		lang: lang, words: map[cueWord]int{}, equal: map[string][]int{}, stems: map[string][]int{}, starts: map[string][]int{},
		endings: map[string][]int{}, byFirst: map[int][]cue{},
	}
}

// add puts a tension's cue in the book. Both gives cues of the pull itself their weight.
func (b *cueBook) add(tension, id int, text string, both bool) {
	open := strings.HasSuffix(text, "*")
	tokens := tokenise(strings.TrimSuffix(text, "*"))
	if len(tokens) == 0 {
		return
	}
	c := cue{tension: tension, id: id, value: 1}
	if both {
		c.value = 1.3
	}
	if len(tokens) > 1 {
		c.value *= 1.4
	}
	for i, t := range tokens {
		c.words = append(c.words, b.word(cueWord{t.form, open && i == len(tokens)-1}))
	}
	b.byFirst[c.words[0]] = append(b.byFirst[c.words[0]], c)
}

// longWord is from how many letters a cue is found inside a longer word, and longerBy how much longer that must be.
const (
	longWord = 5
	longerBy = 3
)

func (b *cueBook) word(w cueWord) int {
	if n, ok := b.words[w]; ok {
		return n
	}
	n := len(b.words)
	b.words[w] = n
	b.equal[w.form] = append(b.equal[w.form], n)
	if s := stem(w.form, b.lang); s != "" {
		b.stems[s] = append(b.stems[s], n)
	}
	long := utf8.RuneCountInString(w.form) >= longWord
	if long || w.open {
		b.starts[w.form] = append(b.starts[w.form], n)
	}
	if long {
		b.endings[w.form] = append(b.endings[w.form], n)
	}
	return n
}

// matches appends the cue words that a word of a text matches.
func (b *cueBook) matches(form string, into []int, open []bool) []int {
	into = append(into, b.equal[form]...)
	if !isFunctionWord(form, b.lang) { // "met" is no bent "meten"
		into = append(into, b.stems[stem(form, b.lang)]...)
	}
	letters := utf8.RuneCountInString(form)
	n := 0
	for i := range form { // form[:i] has n letters, form[i:] the rest
		if i > 0 {
			for _, w := range b.starts[form[:i]] {
				if open[w] || n >= longWord && letters >= n+longerBy {
					into = append(into, w)
				}
			}
			if rest := letters - n; rest >= longWord && n >= longerBy {
				into = append(into, b.endings[form[i:]]...)
			}
		}
		n++
	}
	slices.Sort(into)
	return slices.Compact(into)
}

// openWords says by number which cue words are prefixes.
func (b *cueBook) openWords() []bool {
	open := make([]bool, len(b.words))
	for w, n := range b.words {
		open[n] = w.open
	}
	return open
}

// find returns every cue in a text, each once, in the order of the text. Words of a phrase follow each other in one
// sentence.
func (b *cueBook) find(words []token, open []bool) []found {
	matched := make([][]int, len(words))
	for i, w := range words {
		matched[i] = b.matches(w.form, nil, open)
	}
	var out []found
	seen := map[int]bool{}
	for i := range words {
		for _, first := range matched[i] {
			for _, c := range b.byFirst[first] {
				if !seen[c.id] && follows(c, words, matched, i) {
					seen[c.id] = true
					out = append(out, found{c, i, i + len(c.words)})
				}
			}
		}
	}
	return out
}

func follows(c cue, words []token, matched [][]int, at int) bool {
	if at+len(c.words) > len(words) {
		return false
	}
	for k, w := range c.words[1:] {
		if words[at+k].ends {
			return false
		}
		if _, ok := slices.BinarySearch(matched[at+k+1], w); !ok {
			return false
		}
	}
	return true
}
