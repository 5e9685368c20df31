package bot

import (
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"golang.org/x/text/unicode/norm"

	"github.com/weerklank/weerklank/prompts"
)

// maxWord is how many letters a word has at most; what is longer is no word.
const maxWord = 64

// token is one word of a text.
type token struct {
	form string // without marks, in lower case, apostrophes straight
	at   Range  // the word as it was written
	ends bool   // a full stop, question or exclamation mark stands behind it
}

// tokenise cuts a text, whatever its bytes, into words: runs of letters and digits. An apostrophe goes on with a word.
func tokenise(text string) []token {
	out := make([]token, 0, len(text)/6)
	var form []byte
	letters, pending, start, end := 0, 0, 0, 0 // pending: apostrophes that belong to the word if it goes on
	flush := func() {
		if letters > 0 && letters <= maxWord {
			out = append(out, token{form: string(form), at: Range{start, end}})
		}
		form, letters, pending = form[:0], 0, 0
	}
	letter := func(r rune) {
		for ; pending > 0; pending-- {
			form = append(form, '\'')
		}
		if letters <= maxWord { // a row of letters without end need not be kept
			form = utf8.AppendRune(form, unicode.ToLower(r))
		}
		letters++
	}
	var decomposed [8]byte
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		from := i
		i += size
		switch {
		case r == '\'' || r == '’' || r == '‘' || r == 'ʼ' || r == '＇':
			if letters > 0 {
				pending++
			}
			continue
		case r < utf8.RuneSelf:
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				if letters == 0 {
					start = from
				}
				letter(r)
				end = i
				continue
			}
		case r == utf8.RuneError && size == 1:
		case unicode.Is(unicode.Mn, r): // a mark that was written apart belongs to the letter before it
			if letters > 0 && pending == 0 {
				end = i
				continue
			}
			if letters > 0 {
				continue
			}
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if letters == 0 {
				start = from
			}
			for _, d := range string(norm.NFD.AppendString(decomposed[:0], text[from:i])) {
				if !unicode.Is(unicode.Mn, d) {
					letter(d)
				}
			}
			end = i
			continue
		}
		ended := letters > 0 && pending == 0 && (r == '.' || r == '!' || r == '?')
		before := len(out)
		flush()
		if ended && len(out) > before {
			out[len(out)-1].ends = true
		}
	}
	flush()
	return out
}

// stem cuts the endings off a word.
func stem(word string, lang prompts.Lang) string {
	env := snowballstem.NewEnv(word)
	if lang == prompts.English {
		english.Stem(env)
	} else {
		dutch.Stem(env)
	}
	return env.Current()
}

// A feature is a stem, or four neighbouring letters of a word with its borders: these know compounds and forgive typing
// errors. A word weighs one for its stem and one for all its letters together.
type feature struct {
	stem string // or
	gram [4]rune
}

// wordFeatures gives the features of one word and their weights, in their order.
func wordFeatures(word string, lang prompts.Lang, yield func(feature, float64)) {
	yield(feature{stem: stem(word, lang)}, 1)
	var room [maxWord + 2]rune
	runes := append(room[:0], '^')
	for _, r := range word {
		runes = append(runes, r)
	}
	if len(runes) < 5 {
		return
	}
	runes = append(runes, '$')
	n := len(runes) - 3
	for i := range n {
		yield(feature{gram: [4]rune(runes[i : i+4])}, 1/float64(n))
	}
}

// frequencies are a text's features with how often each stands there, in the order they come first.
type frequencies struct {
	place map[feature]int
	list  []frequency
	count int // of all features, one for each time
}

type frequency struct {
	feature
	tf float64
}

func (f *frequencies) add(x feature, weight float64) {
	i, ok := f.place[x]
	if !ok {
		i = len(f.list)
		f.place[x] = i
		f.list = append(f.list, frequency{feature: x})
	}
	f.list[i].tf += weight
	f.count++
}

// content says whether a word is kept: longer than a letter and no function word.
func content(form string, lang prompts.Lang) bool {
	return utf8.RuneCountInString(form) > 1 && !isFunctionWord(form, lang)
}
