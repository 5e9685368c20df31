package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tableToken is a word as the word table reads it: no function word, and more than one letter.
type tableToken struct {
	at       Range  // in the text
	id       wordID // what it counts as
	use      *wordUse
	fold     string // without accents
	form     string // as written, in small letters
	sentence int    // of the text
	place    int    // among all words of the text
	inside   bool   // something of its sentence stands before it
	capital  bool   // its first letter is one
	barred   bool   // it may not be counted, wherever it stands
}

// tokens reads a text, in the language it seems to be in.
func (x *wordReader) tokens(text string) []tableToken {
	all := tokenise(text)
	lang := languageOf(all, x.rules.home)
	out := make([]tableToken, 0, len(all))
	sentence := 0
	for i, w := range all {
		if i > 0 && all[i-1].ends {
			sentence++
		}
		if !content(w.form, lang) {
			continue
		}
		first, _ := utf8.DecodeRuneInString(text[w.at.From:])
		t := tableToken{at: w.at, id: wordID{lang, x.stem(w.form, lang)}, fold: w.form, form: formOf(text[w.at.From:w.at.To]), sentence: sentence, place: i,
			capital: unicode.IsUpper(first)}
		// A capital tells of a name only where nothing else asks for one.
		t.inside = i > 0 && !strings.ContainsAny(text[all[i-1].at.To:w.at.From], ".?!:\n\"“”„‘()…–—•*/")
		out = append(out, t)
	}
	return out
}

// formOf is a word as it was written, in small letters.
func formOf(s string) string {
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
