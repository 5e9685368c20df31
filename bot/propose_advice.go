package bot

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weerklank/weerklank/prompts"
)

// Advice is what makes a first draft of a dilemma hard to recognise for others, or easy to trace (PRACTICE 3.6): first
// drafts carry frustration or a norm. It is a suggestion, never a refusal.
type Advice string

// The kinds of advice, in the order in which they are given.
const (
	AdviceThey   Advice = "they"    // ze: who stands on the other side
	AdviceAlways Advice = "always"  // altijd, nooit, iedereen
	AdviceWhyNot Advice = "why-not" // waarom doet … niet: a reproach in the shape of a question
	AdvicePlace  Advice = "place"   // a capital inside a sentence: a place or a name
	AdviceDate   Advice = "date"    // a day, a month, an hour
	AdviceRole   Advice = "role"    // somebody of whom there is one
)

// Advised is one place in a text that advice is about: the bytes from At up to End.
type Advised struct {
	Kind    Advice
	At, End int
}

// draftWords is what is looked for in one language.
type draftWords struct {
	they, always, why, not, roles map[string]bool
	months, ago, days             map[string]bool
	known                         map[string]bool // words with a capital that lead to nobody
}

var draftLexicon = map[prompts.Lang]draftWords{
	prompts.Dutch: {
		they: setOf("ze zij hullie"), always: setOf("altijd nooit iedereen niemand"), why: setOf("waarom"), not: setOf("niet geen nooit"),
		roles: setOf("teamleider afdelingshoofd teammanager directeur directrice burgemeester wethouder gemeentesecretaris griffier locatiehoofd " +
			"ploegbaas ploegleider voorman voorvrouw opzichter havenmeester stagiair stagiaire trainee secretaresse receptioniste " +
			"jurist planner roostermaker bode coordinator rayonhoofd vestigingsdirecteur geestelijk"),
		months: setOf("januari februari maart april juni juli augustus september oktober november december"),
		ago:    setOf("gisteren eergisteren vandaag vanochtend vanmiddag vannacht gisteravond vorige afgelopen"),
		days:   setOf("maandag dinsdag woensdag donderdag vrijdag zaterdag zondag week maand jaar zomer winter nacht weekend"),
		known: setOf("nederland nederlands nederlandse nederlanders europa europees europese engels engelse duits duitse frans franse turks turkse " +
			"arabisch arabische pools poolse kerst pasen god internet ik"),
	},
	prompts.English: {
		they: setOf("they"), always: setOf("always never everyone everybody nobody"), why: setOf("why"),
		not: setOf("not never no cannot dont doesnt didnt isnt arent wont cant couldnt wouldnt"),
		roles: setOf("director mayor alderman foreman forewoman supervisor trainee intern secretary receptionist lawyer planner coordinator " +
			"chaplain harbourmaster"),
		months: setOf("january february april june july august september october november december"),
		ago:    setOf("yesterday today tonight last"),
		days:   setOf("monday tuesday wednesday thursday friday saturday sunday week month year summer winter night weekend"),
		known: setOf("i im ive id ill dutch english european german french turkish arabic polish christmas easter god internet monday tuesday " +
			"wednesday thursday friday saturday sunday mr mrs ms"),
	},
}

var (
	dayNumber = regexp.MustCompile(`\b(?:[0-3]?\d[-/][01]?\d(?:[-/](?:19|20)?\d\d)?|[0-3]?\d (?:jan|feb|mrt|maart|apr|april|mei|may|jun|juni|jul|juli|aug|sept?|okt|oct|nov|dec)[a-z]*|(?:march|may) [0-3]?\d|(?:19|20)\d\d)\b`)
	hour      = regexp.MustCompile(`\b[0-2]?\d[.:][0-5]\d\b`)
)

// FindAdvice gives what could be put otherwise in a draft, in the order of the text. It keeps and logs nothing, and reads
// any bytes.
func FindAdvice(text string, lang prompts.Lang) []Advised {
	s := scan(text)
	s.unite()
	var found []Advised
	taken := func(at, end int) bool {
		return slices.ContainsFunc(found, func(a Advised) bool { return at < a.End && a.At < end })
	}
	add := func(kind Advice, at, end int) {
		if !taken(at, end) {
			found = append(found, Advised{kind, at, end})
		}
	}
	for _, shape := range []*regexp.Regexp{dayNumber, hour} {
		for _, m := range shape.FindAllStringIndex(s.low, -1) {
			add(AdviceDate, m[0], m[1])
		}
	}
	lex, ends := draftLexicon[lang], s.sentences()
	for i, w := range s.words {
		next := word{}
		if i+1 < ends[i] {
			next = s.words[i+1]
		}
		switch {
		case lex.they[w.fold]:
			add(AdviceThey, w.at, w.end)
		case lex.always[w.fold]:
			add(AdviceAlways, w.at, w.end)
		case lex.why[w.fold]:
			for _, later := range s.words[i+1 : ends[i]] {
				if lex.not[later.fold] {
					add(AdviceWhyNot, w.at, later.end)
					break
				}
			}
		case lex.months[w.fold]:
			add(AdviceDate, w.at, w.end)
		case lex.ago[w.fold] && lex.days[next.fold]:
			add(AdviceDate, w.at, next.end)
		case lex.ago[w.fold] && w.fold != "vorige" && w.fold != "afgelopen" && w.fold != "last":
			add(AdviceDate, w.at, w.end)
		case lex.roles[w.fold]:
			add(AdviceRole, w.at, w.end)
		case s.named(i) && !lex.known[w.fold]:
			end := w.end
			for _, more := range s.words[i+1 : ends[i]] { // Den Haag is one place
				if first, _ := utf8.DecodeRuneInString(s.text[more.at:]); !unicode.IsUpper(first) || s.text[end:more.at] != " " {
					break
				}
				end = more.end
			}
			add(AdvicePlace, w.at, end)
		}
	}
	slices.SortFunc(found, func(a, b Advised) int { return a.At - b.At })
	for i, a := range found {
		found[i].At, found[i].End = s.original(a.At, a.End)
	}
	return found
}

// named says whether word i has a capital that nothing explains: it does not begin a sentence, a line or a quotation, and
// is no abbreviation.
func (s *scanned) named(i int) bool {
	w := s.words[i]
	first, size := utf8.DecodeRuneInString(s.text[w.at:])
	if i == 0 || !unicode.IsUpper(first) || w.end-w.at == size {
		return false
	}
	between := s.text[s.words[i-1].end:w.at]
	return !strings.ContainsAny(between, ".?!:\n\"“„‘…•*/") && !strings.HasSuffix(between, "'") && strings.ToUpper(s.text[w.at:w.end]) != s.text[w.at:w.end]
}
