package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weerklank/weerklank/prompts"
)

// tableToken is a word as the word table reads it: no function word, and more than one letter.
type tableToken struct {
	at       Range     // in the text
	stem     *wordStem // what it counts as
	form     string    // as written, in small letters
	sentence int32     // of the text
	place    int32     // among all words of the text
	inside   bool      // something of its sentence stands before it
	capital  bool      // its first letter is one
	barred   bool      // it may not be counted, wherever it stands
}

// tokens reads a text, in the language it seems to be in.
func (x *wordReader) tokens(text string) []tableToken {
	all := tokenise(text)
	known := make([]*wordKnown, len(all))
	var nl, en float64
	for i, w := range all {
		known[i] = x.know(w.form)
		nl, en = nl+known[i].nl, en+known[i].en
	}
	lang := elected(nl, en, x.rules.home)
	out := make([]tableToken, 0, len(all))
	sentence := int32(0)
	for i, w := range all {
		if i > 0 && all[i-1].ends {
			sentence++
		}
		if known[i].short || known[i].tie.in(lang) {
			continue
		}
		first, _ := utf8.DecodeRuneInString(text[w.at.From:])
		t := tableToken{at: w.at, stem: known[i].stemIn(w.form, lang), form: formOf(text[w.at.From:w.at.To]), sentence: sentence, place: int32(i),
			capital: unicode.IsUpper(first)}
		// A capital tells of a name only where nothing else asks for one.
		t.inside = i > 0 && !strings.ContainsAny(text[all[i-1].at.To:w.at.From], ".?!:\n\"“”„‘()…–—•*/")
		out = append(out, t)
	}
	return out
}

// wordKnown is what a reader knows of a word, so that it is worked out once.
type wordKnown struct {
	tie    tie
	short  bool        // a letter
	nl, en float64     // its votes
	stems  [2]wordStem // Dutch, English
}

// wordStem is what a word counts as in a language.
type wordStem struct {
	id     wordID
	counts bool // a table may hold it
	use    *wordUse
}

func (x *wordReader) know(form string) *wordKnown {
	k := x.words[form]
	if k == nil {
		k = &wordKnown{tie: functionWords()[form], short: utf8.RuneCountInString(form) <= 1}
		k.nl, k.en = vote(form, k.tie)
		x.words[form] = k
	}
	return k
}

// stemIn is what the word counts as in a language.
func (k *wordKnown) stemIn(form string, lang prompts.Lang) *wordStem {
	s := &k.stems[0]
	if lang == prompts.English {
		s = &k.stems[1]
	}
	if s.id.lang == "" {
		s.id = wordID{lang, stem(form, lang)}
		s.counts = countable(form) && countable(s.id.stem)
	}
	return s
}

// formOf is a word as it was written, in small letters.
func formOf(s string) string {
	small := true
	for i := range len(s) {
		small = small && s[i] >= 'a' && s[i] <= 'z'
	}
	if small {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '’' || r == 'ʼ' || r == '‘':
			return '\''
		case r == '|' || r == ';' || unicode.Is(unicode.Cf, r):
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
