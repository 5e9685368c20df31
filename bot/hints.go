package bot

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// HintKind says what a piece of a reply looks like (TRUST 5).
type HintKind string

// The kinds of hints. The hard ones stand first; where two lie over each other, the first of this order names both.
const (
	HintEmail    HintKind = "email"    // an e-mail address
	HintMention  HintKind = "mention"  // <@U…>, @name
	HintIBAN     HintKind = "iban"     // an account number that passes its check
	HintPhone    HintKind = "phone"    // a Dutch or an international phone number
	HintBSN      HintKind = "bsn"      // a number that passes the check of citizen service numbers
	HintCase     HintKind = "case"     // a case number, ours or the organisation's own
	HintPlate    HintKind = "plate"    // a Dutch licence plate, with dashes
	HintAddress  HintKind = "address"  // a postcode with a house number
	HintMember   HintKind = "member"   // somebody in this channel
	HintName     HintKind = "name"     // a name behind a title: mevrouw, wethouder
	HintPostcode HintKind = "postcode" // a postcode alone
	HintHealth   HintKind = "health"   // a word about somebody's health
	HintUnion    HintKind = "union"    // a word about a trade union
	HintReligion HintKind = "religion" // a word about what somebody believes
)

// HintKinds returns all kinds, the hard ones first.
func HintKinds() []HintKind {
	return []HintKind{HintEmail, HintMention, HintIBAN, HintPhone, HintBSN, HintCase, HintPlate, HintAddress, HintMember,
		HintName, HintPostcode, HintHealth, HintUnion, HintReligion}
}

// Hard says whether a reply that still holds such a piece counts and is never quoted (TRUST P12).
func (k HintKind) Hard() bool {
	switch k {
	case HintName, HintPostcode, HintHealth, HintUnion, HintReligion:
		return false
	}
	return true
}

// person says whether the piece names somebody, so that a name's mark takes its place.
func (k HintKind) person() bool { return k == HintMention || k == HintMember || k == HintName }

// Hint is a piece of a reply that looks like personal data: the bytes from At up to End. It holds none of the words.
type Hint struct {
	Kind    HintKind
	At, End int
}

// HintOptions is what the check knows besides the text.
type HintOptions struct {
	Members []string         // display names of the people in the channel; read for this call, never kept
	Cases   []*regexp.Regexp // the organisation's own case numbers; they see every space as a space, every dash as a dash
	Name    string           // the mark for a name, in the reader's language: "[naam]"; never a hint itself
	Other   string           // the mark for all else: "[weggelaten]"
}

// FindHints gives the pieces of text that look like personal data, in the order of the text; they never overlap and lie
// on borders of characters. It rather misses a piece than cries wolf: a hint never blocks (TRUST P3, P4). It keeps and
// logs nothing, and reads any bytes.
func FindHints(text string, o HintOptions) []Hint { return scan(text).hints(o) }

func (s *scanned) hints(o HintOptions) []Hint {
	var found []Hint // places in s.text
	add := func(kind HintKind, at, end int) { found = append(found, Hint{kind, at, end}) }
	s.numbers(add)
	s.mails(add)
	s.names(o.Members, add)
	for _, own := range o.Cases {
		for _, m := range own.FindAllStringIndex(s.text, -1) {
			if m[0] < m[1] {
				add(HintCase, m[0], m[1])
			}
		}
	}
	found = slices.DeleteFunc(found, s.marked(o.Name, o.Other))
	return s.places(merge(found))
}

// ReplaceHints puts a mark of o in the place of every hint, until none is left.
func ReplaceHints(text string, o HintOptions) string {
	for range 8 { // what was glued to a number may look like another once that is gone; a pattern that never ends, ends here
		hints := FindHints(text, o)
		if len(hints) == 0 {
			break
		}
		var out strings.Builder
		done := 0
		for _, h := range hints {
			out.WriteString(text[done:h.At])
			if h.Kind.person() {
				out.WriteString(o.Name)
			} else {
				out.WriteString(o.Other)
			}
			done = h.End
		}
		out.WriteString(text[done:])
		text = out.String()
	}
	return text
}

// merge makes one hint of those that overlap: what lies under two of them has to go as a whole.
func merge(found []Hint) []Hint {
	rank := HintKinds()
	slices.SortFunc(found, func(a, b Hint) int { return cmp.Or(a.At-b.At, b.End-a.End) })
	var out []Hint
	for _, h := range found {
		if n := len(out); n > 0 && h.At < out[n-1].End {
			last := &out[n-1]
			last.End = max(last.End, h.End)
			if slices.Index(rank, h.Kind) < slices.Index(rank, last.Kind) {
				last.Kind = h.Kind
			}
			continue
		}
		out = append(out, h)
	}
	return out
}

// scanned is a text as the detectors read it: every kind of space a space, every kind of dash a dash, digits plain, nothing
// that hides between characters. low is the same in small letters, byte for byte as long as text.
type scanned struct {
	text, low string
	at, end   []int // for each byte of text, where its character begins and ends in the original; nil: where it is
	words     []word
}

// word is a run of letters and digits; fold is it in small letters without accents.
type word struct {
	at, end int
	fold    string
}

func scan(original string) *scanned {
	if plainText(original) {
		return &scanned{text: original, low: strings.ToLower(original), words: words(original)}
	}
	s := &scanned{at: make([]int, 0, len(original)), end: make([]int, 0, len(original))}
	var text, low strings.Builder
	text.Grow(len(original))
	low.Grow(len(original))
	for i := 0; i < len(original); {
		if c := original[i]; c == '\n' || c < utf8.RuneSelf && c >= ' ' && c != 0x7f {
			text.WriteByte(c)
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			low.WriteByte(c)
			s.at, s.end = append(s.at, i), append(s.end, i+1)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(original[i:])
		switch {
		case r == '\n' || r < utf8.RuneSelf && r > ' ':
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
			i += size
			continue
		case unicode.IsSpace(r):
			r = ' '
		case unicode.Is(unicode.Pd, r) || r == '\u2212':
			r = '-'
		case r >= '０' && r <= '９':
			r = '0' + r - '０'
		case r == '’' || r == 'ʼ':
			r = '\''
		}
		text.WriteRune(r)
		small := unicode.ToLower(r)
		if utf8.RuneLen(small) != utf8.RuneLen(r) {
			small = r
		}
		low.WriteRune(small)
		for range utf8.RuneLen(r) {
			s.at, s.end = append(s.at, i), append(s.end, i+size)
		}
		i += size
	}
	s.text, s.low = text.String(), low.String()
	s.words = words(s.text)
	return s
}

// plainText says whether a text is read as it is: letters, digits and signs of ASCII, spaces and line breaks.
func plainText(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '\n' && (c < ' ' || c >= 0x7f) {
			return false
		}
	}
	return true
}

// words cuts text into its words.
func words(text string) []word {
	out := make([]word, 0, len(text)/5)
	start := -1
	for i, r := range text {
		switch {
		case wordRune(r):
			if start < 0 {
				start = i
			}
		case start >= 0:
			out = append(out, word{start, i, fold(text[start:i])})
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, word{start, len(text), fold(text[start:])})
	}
	return out
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// fold writes a word in small letters without accents, so that Zoë and zoe are one.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z')
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'ı':
			return 'i'
		case r == 'ø' || r == 'Ø':
			return 'o'
		case r == 'ł' || r == 'Ł':
			return 'l'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}

// original gives where a part of s.text lies in the original.
func (s *scanned) original(at, end int) (int, int) {
	if s.at == nil {
		return at, end
	}
	return s.at[at], s.end[end-1]
}

// places turns places in s.text into those of the original.
func (s *scanned) places(hints []Hint) []Hint {
	for i, h := range hints {
		hints[i].At, hints[i].End = s.original(h.At, h.End)
	}
	return hints
}

// marked says of a hint whether it is part of a mark that stands in the text already.
func (s *scanned) marked(marks ...string) func(Hint) bool {
	var spans []Hint
	for _, m := range marks {
		for i := 0; m != ""; {
			n := strings.Index(s.text[i:], m)
			if n < 0 {
				break
			}
			spans = append(spans, Hint{At: i + n, End: i + n + len(m)})
			i += n + len(m)
		}
	}
	return func(h Hint) bool {
		return slices.ContainsFunc(spans, func(m Hint) bool { return m.At <= h.At && h.End <= m.End })
	}
}

// before gives the character before i, or 0; after the one at i.
func (s *scanned) before(i int) rune {
	if i == 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(s.text[:i])
	return r
}

func (s *scanned) after(i int) rune {
	if i >= len(s.text) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s.text[i:])
	return r
}

// byteAt gives the byte at i, or 0 outside of the text.
func (s *scanned) byteAt(i int) byte {
	if i < 0 || i >= len(s.text) {
		return 0
	}
	return s.text[i]
}

func (s *scanned) digit(i int) bool { c := s.byteAt(i); return c >= '0' && c <= '9' }

// digits counts the digits from i, at most one more than most.
func (s *scanned) digits(i, most int) int {
	n := 0
	for n <= most && s.digit(i+n) {
		n++
	}
	return n
}

// setOf makes a set of the words between spaces.
func setOf(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}
