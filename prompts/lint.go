package prompts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Level says how bad a finding is. An error keeps a prompt from being activated; a warning asks for a second look.
type Level string

// The levels.
const (
	Error Level = "error"
	Warn  Level = "warn"
)

// Finding is one thing the editorial lint noticed (PRACTICE 13), with the reason and what to do.
type Finding struct {
	Prompt  ID
	Tension TensionID // set instead of Prompt
	Lang    Lang      // of the text; empty: both
	Field   string    // as it is called in the file: "text", "question", "followups", …
	Rule    string
	Level   Level
	Text    Text // what is wrong and what to do, in both languages
}

// String is one line in English.
func (f Finding) String() string { return f.Line(English) }

// Line is one line for a terminal in the reader's language.
func (f Finding) Line(lang Lang) string {
	where := string(f.Prompt)
	if f.Tension != "" {
		where = "tension " + string(f.Tension)
	}
	if f.Lang != "" {
		where += "." + string(f.Lang)
	}
	return fmt.Sprintf("%s: %s.%s: %s [%s]", f.Level, where, f.Field, f.Text.In(lang), f.Rule)
}

// Lint says what an editor would say about every tension, and about the wording of every prompt that is not retired, in
// file order. It is a hint
// from a machine; what it cannot ask, a reviewer does.
func Lint(l Library) []Finding {
	twins := nearDuplicates(l)
	out := lintTensions(l)
	for i, p := range l.Prompts {
		if p.Status == Retired {
			continue
		}
		x := &linter{p: p}
		for _, lang := range Langs() {
			x.lang = lang
			x.language(p.Words[lang])
		}
		x.lang = ""
		x.sameSentences()
		out = append(append(out, x.out...), twins[i]...)
	}
	return out
}

// A lexicon holds what the rules look for in one language.
type lexicon struct {
	openers, prepositions, shortForms, passive            []string
	leading, judging, jargon, absolutes, office, idealism phrases
	official, formal, negations, values                   phrases
}

// phrases are words or rows of words to look for; a last word that is open stands for every word with that beginning.
type phrases []struct {
	row  []string
	open bool
}

var lexicons = map[Lang]lexicon{
	Dutch: {
		openers:      split("wat|hoe|welke|welk|waar|waaraan|waarmee|waarop|waarvan|wie|wanneer"),
		prepositions: split("aan|op"),
		leading: look("toch niet|natuurlijk|uiteraard|eigenlijk|gewoon|helaas|gelukkig|zou je niet|vind je ook|" +
			"moet je niet|nietwaar"),
		judging: look("dom|domme|lui|luie|onzin|belachelijk|belachelijke|terecht|terechte|onterecht|onterechte|" +
			"lastige burger*|zeurder*|bureaucratisch*"),
		jargon: look("borgen|borgt|geborgd|borging|uitrol*|uitgerold|stakeholder*|synergie*|kpi*|draagvlak|faciliteer*|" +
			"faciliter*|gefaciliteerd|opgavegericht*|governance|mindset*|implementer*|implementeer*|geïmplementeerd|" +
			"implementatie*"),
		shortForms: split("bijv.|enz.|etc.|evt.|nr.|resp.|incl.|excl.|max.|min."),
		absolutes:  look("altijd|nooit|iedereen|niemand"),
		office:     look("bureau|kantoor|laptop|vergaderzaal|maandagochtend"),
		idealism:   look("mooier nederland|missie|impact"),
		official:   look("ambt*"),
		formal:     look("u|uw|uzelf"),
		negations:  look("niet|geen|nooit|niets|niemand|zonder"),
		values: look("eerlijk*|zorgvuldig*|netjes|rechtvaardig*|menselijk*|integer|integere|verantwoord*|professione*|" +
			"moedig*|fatsoenlijk*"),
		passive: split("wordt|worden|werd|werden"),
	},
	English: {
		openers:      split("what|how|which|where|who|whom|when"),
		prepositions: split("to"),
		leading: look("surely|of course|naturally|obviously|actually|simply|unfortunately|sadly|luckily|fortunately|" +
			"wouldn't you|don't you think|don't you agree|shouldn't you|isn't it"),
		judging: look("stupid|dumb|lazy|nonsense|ridiculous|rightly|wrongly|difficult citizen*|moaner*|whiner*|" +
			"bureaucratic"),
		jargon: look("roll out|roll-out*|rollout*|stakeholder*|synerg*|kpi*|buy-in|facilitat*|governance|mindset*|" +
			"implement*|leverag*|mission-driven"),
		shortForms: split("etc.|approx.|incl.|excl.|max.|min."),
		absolutes:  look("always|never|everyone|everybody|nobody|no one|no-one"),
		office:     look("desk|office|laptop|meeting room|boardroom|monday morning"),
		idealism:   look("better world|mission|impact"),
		official:   look("civil servant*|bureaucrat|bureaucrats"),
		negations:  look("not|no|never|nothing|nobody|without|don't|doesn't|won't|can't|cannot"),
		values: look("fair|fairly|honest*|careful*|decent*|just|humane|responsib*|professional*|brave*|tidy|" +
			"conscientious*"),
		passive: split("am|is|are|was|were|be|been|being"),
	},
}

func split(s string) []string { return strings.Split(s, "|") }

// look reads phrases as they are written above: parted by |, with * after an open word.
func look(s string) phrases {
	var out phrases
	for _, entry := range split(s) {
		row := strings.Fields(strings.TrimSuffix(entry, "*"))
		out = append(out, struct {
			row  []string
			open bool
		}{row, strings.HasSuffix(entry, "*")})
	}
	return out
}

// in returns the first of the phrases that stands in the words, as it is written there.
func (all phrases) in(words []string) string {
	for i := range words {
		for _, one := range all {
			if i+len(one.row) > len(words) {
				continue
			}
			here, last := words[i:i+len(one.row)], len(one.row)-1
			if slices.Equal(here[:last], one.row[:last]) &&
				(here[last] == one.row[last] || one.open && strings.HasPrefix(here[last], one.row[last])) {
				return strings.Join(here, " ")
			}
		}
	}
	return ""
}

// linter gathers what it finds in one prompt.
type linter struct {
	p    Prompt
	t    TensionID
	lang Lang
	out  []Finding
}

func (x *linter) add(level Level, field, rule, nl, en string) {
	x.out = append(x.out, Finding{
		Prompt: x.p.ID, Tension: x.t, Lang: x.lang, Field: field, Rule: rule, Level: level, Text: Text{Dutch: nl, English: en},
	})
}

func (x *linter) language(w Words) {
	parts := w.parts()
	for len(w.Followups) < 2 {
		w.Followups = append(slices.Clip(w.Followups), "")
		parts = append(parts, part{field: "followups"})
	}
	poles := true
	for _, part := range parts {
		if part.ofDilemma && x.p.Kind != Dilemma {
			continue
		}
		if strings.TrimSpace(part.text) != "" {
			x.wording(part.field, part.text)
			continue
		}
		if part.field == "pole_a" || part.field == "pole_b" {
			poles = false
			x.add(Error, part.field, "both-poles", "Deze kant ontbreekt. Een dilemma heeft er twee; schrijf ze allebei.",
				"This side is missing. A dilemma has two; write both.")
			continue
		}
		x.add(Error, part.field, "both-languages", "Dit ontbreekt. Elke tekst staat er in beide talen; schrijf hem.",
			"This is missing. Every text is there in both languages; write it.")
	}
	x.question("question", w.Question, 10)
	for _, f := range w.Followups {
		x.question("followups", f, 14)
	}
	x.situation(w.Text)
	if x.p.Kind == Dilemma && poles {
		x.poles(w)
	}
	x.readable(w)
}

var (
	nineDigits = regexp.MustCompile(`(?:^|[^\d])(\d(?:[ .-]?\d){8})(?:[^\d]|$)`)
	mobile     = regexp.MustCompile(`(?:^|[^\d])(?:\+31|0031|0)[ -]?6(?:[ -]?\d){8}(?:[^\d]|$)`)
	mailbox    = regexp.MustCompile(`[\w.+-]+@[\w-]+\.\w+`)
	postcode   = regexp.MustCompile(`\b[1-9]\d{3} ?[A-Z]{2}\b`)
	capitals   = regexp.MustCompile(`\b[A-Z][A-Z0-9]*[A-Z]\b`)
	dotted     = regexp.MustCompile(`(?i)\b(?:[a-z]\.){2,}`)
)

// wording holds the rules for every text of a prompt.
func (x *linter) wording(field, text string) {
	words, lex := tokens(text), lexicons[x.lang]
	if strings.Contains(text, "!") {
		x.add(Error, field, "no-exclamation", "Een uitroepteken roept. Zet een punt.", "An exclamation mark shouts. Use a full stop.")
	}
	if s := lex.leading.in(words); s != "" {
		x.add(Error, field, "leading", "'"+s+"' stuurt het antwoord. Laat het weg.", "'"+s+"' steers the answer. Leave it out.")
	}
	if s := lex.judging.in(words); s != "" {
		x.add(Error, field, "judging", "'"+s+"' oordeelt. Beschrijf wat iemand doet.", "'"+s+"' judges. Describe what somebody does.")
	}
	if s := lex.jargon.in(words); s != "" {
		x.add(Error, field, "jargon", "'"+s+"' is vergadertaal. Schrijf het zoals je het zegt.",
			"'"+s+"' is meeting talk. Write it as you would say it.")
	}
	if s := abbreviation(text, lex.shortForms); s != "" {
		x.add(Error, field, "abbreviation", "De afkorting "+s+" kent niet elke collega. Schrijf haar uit.",
			"Not every colleague knows the abbreviation "+s+". Write it out.")
	}
	if s := lex.absolutes.in(words); s != "" {
		x.add(Warn, field, "absolute", "'"+s+"' laat geen uitzondering toe en nodigt uit tot tegenspraak. Maak het kleiner.",
			"'"+s+"' leaves no exception and invites contradiction. Make it smaller.")
	}
	if s := lex.office.in(words); s != "" {
		x.add(Warn, field, "office", "'"+s+"' hoort bij kantoorwerk. Kies iets dat ook buiten herkend wordt.",
			"'"+s+"' belongs to office work. Choose something known outside too.")
	}
	if s := lex.official.in(words); s != "" {
		x.add(Warn, field, "official", "'"+s+"' zet mensen op afstand. Noem het werk of het vak.",
			"'"+s+"' puts people off. Name the work or the craft.")
	}
	if s := lex.idealism.in(words); s != "" {
		x.add(Warn, field, "idealism", "'"+s+"' veronderstelt idealen. Gewone redenen zijn goed genoeg; laat het weg.",
			"'"+s+"' presumes ideals. Plain reasons are good enough; leave it out.")
	}
	x.plain(field, text)
}

// plain holds the rules for whatever people will read, quoted speech included.
func (x *linter) plain(field, text string) {
	if lexicons[x.lang].formal.in(tokens(text)) != "" {
		x.add(Error, field, "u-form", "Hier staat u. Collega's spreek je aan met je en jij.",
			"This uses the formal u. Colleagues are addressed with je and jij.")
	}
	if personal(text) {
		x.add(Error, field, "personal-data", "Dit lijkt op een nummer of adres van iemand. Haal het weg.",
			"This looks like somebody's number or address. Take it out.")
	}
	if s := name(text, x.lang); s != "" {
		x.add(Warn, field, "capital", "'"+s+"' lijkt een naam, en een naam maakt herkenbaar. Schrijf 'een collega' of 'een straat'.",
			"'"+s+"' looks like a name, and a name makes recognisable. Write 'a colleague' or 'a street'.")
	}
}

// abbreviation returns the first one in text that the same text does not explain between brackets.
func abbreviation(text string, shortForms []string) string {
	for _, at := range capitals.FindAllStringIndex(text, -1) {
		s := text[at[0]:at[1]]
		bracketed := strings.HasSuffix(text[:at[0]], "(") || strings.HasPrefix(text[at[1]:], " (")
		explained := strings.Contains(text, "("+s+")") || strings.Contains(text, s+" (")
		if !bracketed && !explained && !slices.Contains([]string{"NL", "EU", "IJ"}, s) {
			return s
		}
	}
	if s := dotted.FindString(text); s != "" {
		return s
	}
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		// A plain word that ends a sentence is no short form: "min." is one only before more text.
		if slices.Contains(shortForms, word) && !strings.HasSuffix(strings.ToLower(strings.TrimSpace(text)), word) {
			return word
		}
	}
	return ""
}

// personal says whether text holds what could be a citizen's number, a mobile number, a mail address or a postcode.
func personal(text string) bool {
	if !strings.ContainsAny(text, "0123456789@") { // as in nearly every text
		return false
	}
	for _, m := range nineDigits.FindAllStringSubmatch(text, -1) {
		if elevenTest(m[1]) {
			return true
		}
	}
	return mobile.MatchString(text) || mailbox.MatchString(text) || postcode.MatchString(text)
}

// elevenTest says whether nine digits could be a citizen's number.
func elevenTest(s string) bool {
	var digits []int
	for _, r := range s {
		if r >= '0' && r <= '9' {
			digits = append(digits, int(r-'0'))
		}
	}
	if len(digits) != 9 {
		return false
	}
	sum := -digits[8]
	for i, d := range digits[:8] {
		sum += d * (9 - i)
	}
	return sum%11 == 0 && sum != 0
}

// capitalised are English words that have a capital by rule and name nobody.
var capitalised = split("i|i'm|i've|i'd|i'll|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|" +
	"march|april|may|june|july|august|september|october|november|december|dutch|english|christmas|easter")

// name returns the first word with a capital inside a sentence. The first word of a sentence or of a quotation is none.
func name(text string, lang Lang) string {
	for _, sentence := range sentences(text) {
		words := strings.Fields(sentence)
		for i, word := range words {
			bare := strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
			first, size := utf8.DecodeRuneInString(bare)
			switch {
			case i == 0, !unicode.IsUpper(first):
			case strings.HasSuffix(words[i-1], ":"):
			case i == 1 && strings.HasPrefix(words[0], "'"): // 's Ochtends
			case lang == English && slices.Contains(capitalised, strings.ToLower(bare)):
			case size < len(bare) && strings.ToUpper(bare) == bare: // an abbreviation has its own rule
			default:
				return bare
			}
		}
	}
	return ""
}

// question holds the rules for the question and the follow-ups; a question above comfortable words draws a warning.
func (x *linter) question(field, q string, comfortable int) {
	words, lex := tokens(q), lexicons[x.lang]
	if len(words) == 0 {
		return
	}
	if strings.Count(q, "?") != 1 || !strings.HasSuffix(strings.TrimSpace(q), "?") {
		x.add(Error, field, "one-question", "Wie twee dingen vraagt, krijgt half antwoord. Stel één vraag, met het vraagteken aan het eind.",
			"Two questions get half an answer. Ask one, with its mark at the end.")
	}
	open := slices.Contains(lex.openers, words[0]) ||
		len(words) > 1 && slices.Contains(lex.prepositions, words[0]) && slices.Contains(lex.openers, words[1])
	if !open {
		x.add(Error, field, "open-question", "Zo begint geen open vraag; waarom klinkt als een verwijt. Begin met wat, hoe, welke, waar, wie of wanneer.",
			"No open question starts so; why sounds like blame. Start with what, how, which, where, who or when.")
	}
	switch n := len(words); {
	case n > 14:
		x.add(Error, field, "question-length", fmt.Sprintf("%d woorden zijn te veel om te onthouden. Hooguit 14.", n),
			fmt.Sprintf("%d words are too many to remember. At most 14.", n))
	case n > comfortable:
		x.add(Warn, field, "question-length", fmt.Sprintf("%d woorden is lang. Liefst hooguit %d.", n, comfortable),
			fmt.Sprintf("%d words is long. Preferably at most %d.", n, comfortable))
	}
}

// situation holds the rules for the text before the question.
func (x *linter) situation(text string) {
	words := tokens(text)
	if len(words) == 0 {
		return
	}
	if strings.Contains(text, "?") {
		x.add(Error, "text", "question-in-text", "De vraag staat apart. Maak hier een gewone zin van.",
			"The question stands apart. Make this a plain sentence.")
	}
	least, most := 18, 60
	if x.p.Kind == Dilemma {
		least, most = 30, 70
	}
	if n := len(words); n < least || n > most {
		x.add(Error, "text", "text-length", fmt.Sprintf("%d woorden; een halve minuut lezen is %d tot %d.", n, least, most),
			fmt.Sprintf("%d words; half a minute's reading is %d to %d.", n, least, most))
	}
	for _, s := range sentences(text) {
		if n := len(tokens(s)); n > 18 {
			x.add(Error, "text", "sentence-length", fmt.Sprintf("Een zin van %d woorden leest zwaar; hooguit 18. Knip hem.", n),
				fmt.Sprintf("A sentence of %d words reads heavily; at most 18. Cut it.", n))
		}
	}
	if passives(words, x.lang) > 2 {
		x.add(Warn, "text", "passive", "Met zoveel wordt en werd is niemand aan zet. Zeg wie iets doet.",
			"With so much passive voice nobody acts. Say who does it.")
	}
}

// irregular are English participles that do not end in -ed.
var irregular = split("done|made|given|taken|told|said|seen|known|kept|held|left|put|sent|set|brought|bought|built|found|" +
	"heard|written|shown|chosen|broken|spoken|asked|paid|meant|led|lost|caught|taught|thrown|drawn|driven")

// passives counts passive verbs: in Dutch by the auxiliary, in English by an auxiliary before a participle.
func passives(words []string, lang Lang) int {
	n, auxiliaries := 0, lexicons[lang].passive
	for i, word := range words {
		if !slices.Contains(auxiliaries, word) {
			continue
		}
		if lang == Dutch || i+1 < len(words) &&
			(strings.HasSuffix(words[i+1], "ed") || slices.Contains(irregular, words[i+1])) {
			n++
		}
	}
	return n
}

func (x *linter) poles(w Words) {
	lex := lexicons[x.lang]
	a, b := tokens(w.PoleA), tokens(w.PoleB)
	long, short := utf8.RuneCountInString(w.PoleA), utf8.RuneCountInString(w.PoleB)
	if long < short {
		long, short = short, long
	}
	if long > 2*short {
		x.add(Warn, "pole_a", "pole-length", "De ene kant is meer dan twee keer zo lang en weegt dus zwaarder. Geef beide evenveel ruimte.",
			"One side is more than twice as long and so weighs more. Give both the same room.")
	}
	if (lex.negations.in(a) == "") != (lex.negations.in(b) == "") {
		x.add(Warn, "pole_a", "pole-negation", "Alleen één kant ontkent, en klinkt zo als de mindere. Zeg wat je daar wel doet.",
			"Only one side negates, and so sounds the lesser. Say what one does there.")
	}
	if (lex.values.in(a) == "") != (lex.values.in(b) == "") {
		x.add(Warn, "pole_a", "pole-value", "Alleen één kant krijgt een mooi woord. Maak ze even aantrekkelijk.",
			"Only one side gets a fine word. Make them equally attractive.")
	}
}

func (x *linter) sameSentences() {
	a, b := len(sentences(x.p.Words[Dutch].Text)), len(sentences(x.p.Words[English].Text))
	if a != b && a > 0 && b > 0 {
		x.add(Warn, "text", "same-sentences", fmt.Sprintf("Nederlands heeft %d zinnen, Engels %d. Leg ze naast elkaar.", a, b),
			fmt.Sprintf("Dutch has %d sentences, English %d. Put them side by side.", a, b))
	}
}

// readable judges the reading level of text, question and follow-ups together. The measure was made for Dutch; English
// has its own older sister, which is milder, so that it only warns.
func (x *linter) readable(w Words) {
	all := strings.Join(append([]string{w.Text, w.Question}, w.Followups...), " ")
	score, perSentence := readingEase(all, x.lang)
	switch {
	case len(tokens(all)) == 0:
	case score < 60 && x.lang == Dutch:
		x.add(Error, "text", "reading-ease", fmt.Sprintf("Leest zwaar: %.0f, en 70 is goed te doen. Neem kortere woorden en zinnen.", score),
			fmt.Sprintf("Reads heavily: %.0f, where 70 is comfortable. Take shorter words and sentences.", score))
	case score < 70:
		x.add(Warn, "text", "reading-ease", fmt.Sprintf("Leest wat zwaar: %.0f, en 70 is goed te doen. Kan een woord korter?", score),
			fmt.Sprintf("Reads a little heavily: %.0f, where 70 is comfortable. Can a word be shorter?", score))
	case x.lang == Dutch && (score > 105 || perSentence < 6.5):
		x.add(Warn, "text", "choppy", "Leest hortend: heel korte zinnen of woorden. Voeg er een paar samen.",
			"Reads choppily: very short sentences or words. Join a few.")
	}
}

// readingEase is Flesch-Douma for Dutch and Flesch for English: about 100 is very easy, under 60 is hard. It also
// returns the words per sentence.
func readingEase(text string, lang Lang) (score, perSentence float64) {
	words, sentences := tokens(text), sentences(text)
	if len(words) == 0 || len(sentences) == 0 {
		return 0, 0
	}
	syllables := 0
	for _, word := range words {
		syllables += countSyllables(word, lang)
	}
	perSentence = float64(len(words)) / float64(len(sentences))
	perWord := float64(syllables) / float64(len(words))
	if lang == Dutch {
		return 206.84 - 0.93*perSentence - 77*perWord, perSentence
	}
	return 206.835 - 1.015*perSentence - 84.6*perWord, perSentence
}

// dutchSounds are the vowel letters that sound as one, longest first.
var dutchSounds = split("aai|ooi|oei|eeu|ieu|aa|ee|oo|uu|ie|oe|eu|ui|ei|ij|au|ou|ai|oi")

const vowels = "aeiouyáàäâéèëêíìïîóòöôúùüû"

// countSyllables counts sounds: by PRACTICE 13 in Dutch, by groups of vowels without a silent e in English.
func countSyllables(word string, lang Lang) int {
	n := 0
	if lang == English {
		in := false
		for _, r := range word {
			vowel := strings.ContainsRune(vowels, r)
			if vowel && !in {
				n++
			}
			in = vowel
		}
		silent := strings.HasSuffix(word, "e") && !strings.HasSuffix(word, "le") ||
			strings.HasSuffix(word, "ed") && !strings.HasSuffix(word, "ted") && !strings.HasSuffix(word, "ded")
		if silent && n > 1 {
			n--
		}
		return max(n, 1)
	}
	for word != "" {
		if i := slices.IndexFunc(dutchSounds, func(s string) bool { return strings.HasPrefix(word, s) }); i >= 0 {
			n++
			word = word[len(dutchSounds[i]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(word)
		if strings.ContainsRune(vowels, r) {
			n++
		}
		word = word[size:]
	}
	return max(n, 1)
}

// tokens are the words of a text in lower case; an apostrophe or dash inside a word stays.
func tokens(s string) []string {
	var out []string
	s = strings.ToLower(strings.ReplaceAll(s, "’", "'"))
	for _, f := range strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-'
	}) {
		if f = strings.Trim(f, "'-"); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// sentences splits after a full stop, question or exclamation mark that ends a word, quotation marks included.
func sentences(s string) []string {
	var out []string
	start := 0
	for i, r := range s {
		if !strings.ContainsRune(".?!…", r) {
			continue
		}
		end := i + utf8.RuneLen(r)
		end += len(s[end:]) - len(strings.TrimLeft(s[end:], `'"’”)`))
		if next, _ := utf8.DecodeRuneInString(s[end:]); end == len(s) || unicode.IsSpace(next) {
			if one := strings.TrimSpace(s[start:end]); len(tokens(one)) > 0 {
				out = append(out, one)
			}
			start = end
		}
	}
	if rest := strings.TrimSpace(s[start:]); len(tokens(rest)) > 0 {
		out = append(out, rest)
	}
	return out
}

// What bounds the comparison of a library whose texts are all alike.
const (
	maxHolders = 100
	maxTwins   = 5
)

// nearDuplicates compares the word trigrams of every two texts and files what it finds under the later prompt. It
// walks from trigram to prompts, so that a library of thousands costs no more than what its texts share; three words that
// are in a hundred texts already are compared with those only, and a text is told of a few others that are much like it.
func nearDuplicates(l Library) map[int][]Finding {
	out := map[int][]Finding{}
	for _, lang := range Langs() {
		size := make([]int, len(l.Prompts))
		holders := map[string][]int{}
		for i, p := range l.Prompts {
			if p.Status == Retired {
				continue
			}
			grams := trigrams(p.Words[lang].Text)
			size[i] = len(grams)
			shared := map[int]int{}
			for gram := range grams {
				for _, j := range holders[gram] {
					shared[j]++
				}
				if len(holders[gram]) < maxHolders {
					holders[gram] = append(holders[gram], i)
				}
			}
			told := 0
			for j, q := range l.Prompts[:i] {
				if n := shared[j]; n > 0 && float64(n)/float64(size[i]+size[j]-n) > 0.25 && told < maxTwins {
					told++
					out[i] = append(out[i], Finding{
						Prompt: p.ID, Lang: lang, Field: "text", Rule: "near-duplicate", Level: Warn, Text: Text{
							Dutch:   "Lijkt veel op " + string(q.ID) + "; wie beide krijgt, voelt zich niet gehoord. Geef het een eigen situatie.",
							English: "Much like " + string(q.ID) + "; who gets both feels unheard. Give it a situation of its own.",
						},
					})
				}
			}
		}
	}
	return out
}

func trigrams(s string) map[string]bool {
	words := tokens(s)
	out := map[string]bool{}
	for i := 0; i+2 < len(words); i++ {
		out[strings.Join(words[i:i+3], " ")] = true
	}
	return out
}
