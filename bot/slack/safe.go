package slack

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// escaper makes the three signs that start something in a text literal. Slack asks for no other escapes, and knows none.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escape(s string) string { return escaper.Replace(s) }

// units is how long a text is for the table of limits: in UTF-16 units, which are never fewer than characters.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// weight is units after escaping. Slack does not say whether it counts before or after that, so that a text that is sent
// unescaped is measured like this too.
func weight(s string) int {
	return units(s) + 4*strings.Count(s, "&") + 3*strings.Count(s, "<") + 3*strings.Count(s, ">")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// visible drops what is not seen: control signs, what turns the direction of text round, signs without width.
func visible(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Noncharacter_Code_Point, r):
			return -1
		case strings.ContainsRune("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0", r): // letters and marks that are blank
			return -1
		}
		return r
	}, s)
}

// alike are the signs that Slack reads as marks in a message's text, and what stands for them there: they cannot be escaped.
var alike = map[rune]rune{'*': '∗', '_': '＿', '~': '∼', '`': '\u02cb'}

// codeName is an emoji's name between colons.
var codeName = regexp.MustCompile(`:([0-9_+'-]*[a-zA-Z][a-zA-Z0-9_+'-]*:)`)

// inert is a text for where Slack reads marks: the text of a message, which is shown where its blocks are not. A mark
// between spaces, or inside a word, does nothing and stays.
func inert(s string) string {
	var out strings.Builder
	runes := []rune(codeName.ReplaceAllString(codeName.ReplaceAllString(s, "∶$1"), "∶$1"))
	first := true // of its line, spaces aside
	for i, r := range runes {
		before, after := ' ', ' '
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		as, mark := alike[r]
		apart := unicode.IsSpace(before) && unicode.IsSpace(after)
		inside := isWord(before) && isWord(after)
		switch {
		case mark && (r == '`' || !apart && !inside):
			out.WriteRune(as)
		case r == '>' && first:
			out.WriteRune('›')
		default:
			out.WriteRune(r)
		}
		first = r == '\n' || first && unicode.IsSpace(r)
	}
	return out.String()
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// stretch is a part of a text, in bytes.
type stretch struct{ from, to int }

// pieces cuts a text where it may be cut, each piece at most limit long: at the end of a line or a sentence, else between
// words, else anywhere. Only blanks between two pieces get lost.
func pieces(s string, limit int) []stretch {
	var out []stretch
	for at := 0; ; {
		for at < len(s) && (s[at] == ' ' || s[at] == '\n') {
			at++
		}
		if at == len(s) {
			return out
		}
		end := at + reach(s[at:], limit)
		if end < len(s) {
			end = at + lastEnd(s[at:], end-at)
		}
		out = append(out, stretch{at, at + len(strings.TrimRight(s[at:end], " \n"))})
		at = end
	}
}

// lines cuts a text at line ends only, and lines that are longer than limit where they get too long. Blanks stay.
func lines(s string, limit int) []stretch {
	var out []stretch
	for at := 0; at < len(s); {
		end := at + reach(s[at:], limit)
		next := end
		if end < len(s) {
			if i := strings.LastIndexByte(s[at:end], '\n'); s[end] == '\n' {
				next = end + 1
			} else if i > 0 {
				end, next = at+i, at+i+1
			}
		}
		out = append(out, stretch{at, end})
		at = next
	}
	return out
}

// reach is how many bytes of s fit in limit; at least one character.
func reach(s string, limit int) int {
	n := 0
	for i, r := range s {
		n += weight(string(r))
		if n > limit && i > 0 {
			return i
		}
	}
	return len(s)
}

// lastEnd is where to end the first piece of s, which may be to bytes long and is not the last.
func lastEnd(s string, to int) int {
	sentence, word, letter := 0, 0, 0
	for i, r := range s[:to] {
		end := i + utf8.RuneLen(r)
		next, _ := utf8.DecodeRuneInString(s[end:])
		switch {
		case r == '\n', strings.ContainsRune(".!?…", r) && unicode.IsSpace(next):
			sentence = end
		case unicode.IsSpace(next):
			word = end
		}
		if !unicode.Is(unicode.M, next) && !unicode.Is(unicode.Sk, next) { // a sign and its accents stay together
			letter = end
		}
	}
	switch {
	case sentence > to/4: // else the piece would be one short sentence, and the next one be cut inside a sentence all the same
		return sentence
	case word > 0:
		return word
	case letter > 0:
		return letter
	}
	return to
}

// shorten cuts a label at a word, and says whether it did.
func shorten(s string, limit int) (string, bool) {
	s = oneLine(visible(s))
	if weight(s) <= limit {
		return s, false
	}
	const dots = "…"
	p := pieces(s, limit-units(dots))[0]
	end := p.to
	if i := strings.LastIndexByte(s[:end], ' '); i > 0 && end < len(s) && s[end] != ' ' {
		end = i
	}
	return strings.TrimRight(s[:end], " ") + dots, true
}
