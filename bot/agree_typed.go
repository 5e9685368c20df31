package bot

import (
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// What is typed about an agreement, in either language. It is read from the text as it was typed, since it holds people's
// words; and only where it can be nothing else: "afspraak is afspraak" is a reply.

// typedAgreement is a line, or the wish to write one.
type typedAgreement struct {
	choice AgreementChoice // empty: how does it stand?
	to     string          // whom it is passed on to; empty: who switched on
	line   string
}

// typedAnswer is a manager's answer, or the wish to give one.
type typedAnswer struct {
	made   string     // which line its form showed; empty: typed
	number int        // of what was passed on; zero: the only one
	kind   AnswerKind // empty: which answers are there?
	day    string     // of "later"
	words  string
}

// called cuts the bot's name and a command's mark off.
func called(text string) string {
	text = strings.TrimLeft(strings.TrimSpace(text), "/")
	for _, name := range []string{"@weerklank", "weerklank"} {
		if rest, ok := cutWord(text, name); ok {
			return rest
		}
	}
	return text
}

// cutWord cuts words off the beginning, in any case, if a space, a colon or nothing follows.
func cutWord(text, word string) (rest string, ok bool) {
	rest, ok = cutFold(text, word)
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != ':' {
		return text, false
	}
	return strings.TrimLeft(rest, " "), true
}

// parseAgreement reads "afspraak", what is chosen, and behind a colon the line.
func parseAgreement(text string) (a typedAgreement, ok bool) {
	text = called(oneSpace(text))
	rest, ok := cutWord(text, "afspraak")
	if !ok {
		if rest, ok = cutWord(text, "agreement"); !ok {
			return a, false
		}
	}
	head, line, colon := strings.Cut(rest, ":")
	head, a.line = strings.Trim(head, " ."), strings.TrimSpace(line)
	if head == "" {
		return a, !colon
	}
	for _, w := range []struct {
		word   string
		choice AgreementChoice
	}{{"proberen", AgreeTry}, {"try", AgreeTry}, {"zo laten", AgreeLeave}, {"leave it", AgreeLeave}, {"leave", AgreeLeave}, {"doorgeven", AgreePass}, {"pass on", AgreePass}} {
		behind, found := cutWord(head, w.word)
		if !found {
			continue
		}
		a.choice = w.choice
		if w.choice == AgreePass && behind != "" && colon { // without a colon it may be any sentence
			for _, to := range []string{"aan", "to"} {
				if name, ok := cutWord(behind, to); ok {
					a.to = name
				}
			}
			return a, a.to != ""
		}
		return a, behind == "" && (!colon || w.choice != AgreeLeave)
	}
	return typedAgreement{}, false
}

// parseAnswer reads "antwoord leiding", a number if there are several, what became of it, and behind a colon more words.
func parseAnswer(text string) (a typedAnswer, ok bool) {
	text = called(oneSpace(text))
	rest, ok := cutWord(text, "antwoord leiding")
	if !ok {
		if rest, ok = cutWord(text, "manager answer"); !ok {
			return a, false
		}
	}
	head, words, colon := strings.Cut(rest, ":")
	head, a.words = strings.Trim(head, " ."), strings.TrimSpace(words)
	if n, behind, _ := strings.Cut(head, " "); n != "" {
		if number, err := strconv.Atoi(n); err == nil && number > 0 && number < 1000 {
			a.number, head = number, behind
		}
	}
	if head == "" {
		return a, !colon
	}
	for _, w := range []struct {
		word string
		kind AnswerKind
	}{{"gedaan", AnswerDone}, {"done", AnswerDone}, {"niet gedaan", AnswerNot}, {"not done", AnswerNot}, {"later", AnswerLater}} {
		behind, found := cutWord(head, w.word)
		if !found || behind != "" && w.kind != AnswerLater {
			continue
		}
		a.kind, a.day = w.kind, behind
		if a.kind == AnswerLater && a.day != "" && !colon { // "later" and a sentence is no date
			_, isDay := dayIn(a.day, time.Time{}, time.UTC)
			return a, isDay
		}
		return a, true
	}
	return typedAnswer{}, false
}

func oneSpace(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// agreementVerb says which of the two a text is, for who reads commands.
func agreementVerb(text string) string {
	if _, ok := parseAgreement(text); ok {
		return "agreement"
	}
	if _, ok := parseAnswer(text); ok {
		return "passed"
	}
	return ""
}

// dayIn reads a day to come: "2027-01-15", "15-1-2027", "15 januari", "15 January 2027". Without a year it is the next one. The
// moment is ten o'clock of that day.
func dayIn(text string, now time.Time, zone *time.Location) (time.Time, bool) {
	text = strings.ToLower(strings.Trim(oneSpace(text), " ."))
	text = strings.TrimPrefix(strings.TrimPrefix(text, "op "), "on ")
	now = now.In(zone)
	year, month, day := 0, 0, 0
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		year, month, day = t.Year(), int(t.Month()), t.Day()
	} else {
		parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" -/.", r) })
		if len(parts) != 2 && len(parts) != 3 {
			return time.Time{}, false
		}
		day, _ = strconv.Atoi(parts[0])
		if month, _ = strconv.Atoi(parts[1]); month == 0 {
			month = monthIn(parts[1])
		}
		if len(parts) == 3 {
			if year, _ = strconv.Atoi(parts[2]); year < 1000 {
				return time.Time{}, false
			}
		}
	}
	at := func(year int) (time.Time, bool) {
		t := time.Date(year, time.Month(month), day, 10, 0, 0, 0, zone)
		return t, month >= 1 && month <= 12 && day >= 1 && t.Day() == day
	}
	if year > 0 {
		return at(year)
	}
	t, ok := at(now.Year())
	if ok && t.Before(dayAfter(now, zone)) {
		return at(now.Year() + 1)
	}
	return t, ok
}

// monthIn reads the name of a month, or its first three letters.
func monthIn(word string) int {
	for m := time.January; m <= time.December; m++ {
		for _, lang := range prompts.Langs() {
			name := strings.ToLower(locale.Month(lang, time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC)))
			if word == name || len(word) == 3 && strings.HasPrefix(name, word) || word == "mrt" && m == time.March {
				return int(m)
			}
		}
	}
	return 0
}
