package prompts

import (
	"fmt"
	"math"
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
	Prompt ID
	Lang   Lang   // of the text; empty: both
	Field  string // "text", "question", "followups", …
	Rule   string
	Level  Level
	Text   Text // what is wrong and what to do, in both languages
}

// String is one line in English.
func (f Finding) String() string { return f.Line(English) }

// Line is one line for a terminal in the reader's language.
func (f Finding) Line(lang Lang) string {
	where := string(f.Prompt)
	if f.Lang != "" {
		where += "." + string(f.Lang)
	}
	return fmt.Sprintf("%s: %s.%s: %s [%s]", f.Level, where, f.Field, f.Text.In(lang), f.Rule)
}

var (
	starters = map[Lang][]string{
		Dutch:   words("wat hoe welke welk waar waaraan waarmee waarop waarvan wie wanneer aan op"),
		English: words("what how which where who whom when to"),
	}
	leading    = words("natuurlijk uiteraard eigenlijk gewoon helaas gelukkig nietwaar obviously surely unfortunately luckily")
	leadingTwo = []string{"toch niet", "zou je niet", "vind je ook", "moet je niet", "wouldn't you", "don't you think", "shouldn't you"}
	judging    = words("dom lui onzin belachelijk terecht onterecht zeurder zeurders bureaucratisch stupid lazy nonsense ridiculous moaner moaners bureaucratic")
	judgingTwo = []string{"lastige burger", "lastige burgers", "difficult citizen", "difficult citizens"}
	jargon     = words("borgen uitrollen stakeholder stakeholders synergie kpi kpi's draagvlak faciliteren opgavegericht governance mindset implementeren synergy facilitate implement roll-out")
	absolutes  = map[Lang][]string{Dutch: words("altijd nooit iedereen niemand"), English: words("always never everyone nobody")}
	office     = words("bureau kantoor laptop vergaderzaal desk office laptop boardroom")
	idealism   = words("missie impact mission")
	negations  = map[Lang][]string{Dutch: words("niet geen nooit niets zonder"), English: words("not no never nothing without don't won't")}
	valueWords = map[Lang][]string{Dutch: words("eerlijk zorgvuldig netjes rechtvaardig menselijk"), English: words("fair careful decent just humane")}
	passives   = words("wordt worden werd werden")
	knownCaps  = words("nl eu")

	nineDigits = regexp.MustCompile(`\b\d[\d. ]{7,12}\d\b`)
	mobile     = regexp.MustCompile(`\b06[- ]?\d{8}\b|\b06(?:[- ]?\d{2}){4}\b`)
	mailbox    = regexp.MustCompile(`[\w.+-]+@[\w-]+\.\w+`)
	postcode   = regexp.MustCompile(`\b[1-9]\d{3} ?[A-Z]{2}\b`)
	abbrev     = regexp.MustCompile(`\b[A-Z]{2,}\b`)
)

func words(s string) []string { return strings.Fields(s) }

// Lint says what an editor would say about the wording, on every prompt that is not retired. It is a hint from a
// machine; what it cannot ask, a reviewer does.
func Lint(l Library) []Finding {
	var out []Finding
	for _, p := range l.Prompts {
		if p.Status == Retired {
			continue
		}
		out = append(out, lintPrompt(p)...)
	}
	out = append(out, nearDuplicates(l)...)
	return out
}

type linter struct {
	p    Prompt
	lang Lang
	out  []Finding
}

func (x *linter) add(level Level, field, rule, nl, en string) {
	x.out = append(x.out, Finding{Prompt: x.p.ID, Lang: x.lang, Field: field, Rule: rule, Level: level, Text: Text{Dutch: nl, English: en}})
}

func lintPrompt(p Prompt) []Finding {
	x := &linter{p: p}
	for _, lang := range Langs() {
		x.lang = lang
		w, ok := p.Words[lang]
		if !ok {
			x.add(Error, "words", "both-languages", "Deze taal ontbreekt. Schrijf de tekst ook hierin.", "This language is missing. Write the text in it too.")
			continue
		}
		x.language(w)
	}
	x.lang = ""
	nl, en := p.Words[Dutch], p.Words[English]
	if a, b := len(sentences(nl.Text)), len(sentences(en.Text)); a != b && nl.Text != "" && en.Text != "" {
		x.add(Warn, "text", "same-sentences", fmt.Sprintf("Nederlands heeft %d zinnen, Engels %d. Houd ze naast elkaar.", a, b),
			fmt.Sprintf("Dutch has %d sentences, English %d. Put them side by side.", a, b))
	}
	return x.out
}

func (x *linter) language(w Words) {
	fields := []struct{ name, text string }{
		{"title", w.Title}, {"text", w.Text}, {"question", w.Question}, {"pole_a", w.PoleA}, {"pole_b", w.PoleB},
		{"protects_a", w.ProtectsA}, {"protects_b", w.ProtectsB},
	}
	for _, f := range w.Followups {
		fields = append(fields, struct{ name, text string }{"followups", f})
	}
	for _, f := range fields {
		x.wording(f.name, f.text)
	}
	x.question(w)
	x.text(w.Text)
	if x.p.Kind == Dilemma {
		x.poles(w)
	}
	if x.lang == Dutch {
		x.readable(w)
	}
}

// wording holds for every field.
func (x *linter) wording(field, text string) {
	tokens := tokens(text)
	low := strings.ToLower(text)
	hit := func(list []string) string {
		for _, t := range tokens {
			if slices.Contains(list, t) {
				return t
			}
		}
		return ""
	}
	phrase := func(list []string) string {
		for _, s := range list {
			if strings.Contains(low, s) {
				return s
			}
		}
		return ""
	}
	if strings.Contains(text, "!") {
		x.add(Error, field, "no-exclamation", "Geen uitroepteken. Zet een punt.", "No exclamation mark. Use a full stop.")
	}
	if s := hit(leading); s != "" || phrase(leadingTwo) != "" {
		s = or(s, phrase(leadingTwo))
		x.add(Error, field, "leading", "'"+s+"' stuurt het antwoord. Laat het weg.", "'"+s+"' steers the answer. Leave it out.")
	}
	if s := or(hit(judging), phrase(judgingTwo)); s != "" {
		x.add(Error, field, "judging", "'"+s+"' oordeelt. Beschrijf wat iemand doet.", "'"+s+"' judges. Describe what somebody does.")
	}
	if s := hit(jargon); s != "" {
		x.add(Error, field, "jargon", "'"+s+"' is kantoortaal. Zeg het gewoon.", "'"+s+"' is jargon. Say it plainly.")
	}
	for _, s := range abbrev.FindAllString(text, -1) {
		if !slices.Contains(knownCaps, strings.ToLower(s)) {
			x.add(Error, field, "abbreviation", "Leg de afkorting "+s+" uit of vermijd haar.", "Explain the abbreviation "+s+" or avoid it.")
		}
	}
	if s := hit(absolutes[x.lang]); s != "" {
		x.add(Warn, field, "absolute", "'"+s+"' sluit uitzonderingen uit. Kan het kleiner?", "'"+s+"' leaves no exceptions. Can it be smaller?")
	}
	if s := hit(office); s != "" {
		x.add(Warn, field, "office", "'"+s+"' past bij kantoormensen. Herkent een buitenploeg dit?", "'"+s+"' is for office people. Would an outdoor crew know this?")
	}
	for _, t := range tokens {
		if strings.HasPrefix(t, "ambt") {
			x.add(Warn, field, "ambt", "'"+t+"' zet mensen op afstand. Spreek vanuit het werk.", "'"+t+"' puts people off. Speak from the work.")
		}
	}
	if s := or(hit(idealism), phrase([]string{"mooier nederland"})); s != "" {
		x.add(Warn, field, "idealism", "'"+s+"' veronderstelt idealen. Gewone redenen zijn goed genoeg.", "'"+s+"' presumes ideals. Plain reasons are fine.")
	}
	if bsn := nineDigits.FindString(text); bsn != "" && elevenTest(bsn) || mobile.MatchString(text) || mailbox.MatchString(text) {
		x.add(Error, field, "personal-data", "Hier staat iets dat op een nummer of adres van iemand lijkt. Haal het weg.", "This looks like somebody's number or address. Take it out.")
	}
	if postcode.MatchString(text) {
		x.add(Warn, field, "postcode", "Hier staat een postcode. Maak de plek onherkenbaar.", "There is a postcode here. Make the place unrecognisable.")
	}
	for _, s := range sentences(text) {
		for i, word := range strings.Fields(s) {
			r, _ := utf8.DecodeRuneInString(word)
			if i > 0 && unicode.IsUpper(r) && word != "I" && !strings.HasPrefix(word, "I'") && !weekday(word) && !abbrev.MatchString(word) {
				x.add(Warn, field, "capital", "'"+word+"' lijkt een naam. Mag die weg?", "'"+word+"' looks like a name. Can it go?")
			}
		}
	}
	if x.lang == Dutch {
		for _, t := range tokens {
			if t == "u" || t == "uw" {
				x.add(Error, field, "u-form", "Schrijf je en jij, niet u.", "Write je and jij, not u.")
				break
			}
		}
	}
}

func weekday(s string) bool {
	s = strings.ToLower(strings.Trim(s, ".,;:?'\""))
	return slices.Contains(words("monday tuesday wednesday thursday friday saturday sunday dutch english"), s)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (x *linter) question(w Words) {
	if strings.Count(w.Question, "?") != 1 || !strings.HasSuffix(strings.TrimSpace(w.Question), "?") {
		x.add(Error, "question", "one-question", "Stel precies één vraag, met het vraagteken aan het eind.", "Ask exactly one question, with its mark at the end.")
	}
	if strings.Contains(w.Text, "?") {
		x.add(Error, "text", "question-in-text", "De vraag staat apart. Maak van deze zin een gewone zin.", "The question stands apart. Make this a plain sentence.")
	}
	check := func(field, q string, warn, most int) {
		t := tokens(q)
		if len(t) == 0 {
			return
		}
		if !slices.Contains(starters[x.lang], t[0]) {
			x.add(Error, field, "open-question", "Begin open, zoals met wat, hoe of wanneer; niet met waarom of een werkwoord.",
				"Start open, such as with what, how or when; not with why or a verb.")
		}
		switch {
		case len(t) > most:
			x.add(Error, field, "question-length", fmt.Sprintf("%d woorden; hooguit %d.", len(t), most), fmt.Sprintf("%d words; at most %d.", len(t), most))
		case warn > 0 && len(t) > warn:
			x.add(Warn, field, "question-length", fmt.Sprintf("%d woorden; liefst hooguit %d.", len(t), warn), fmt.Sprintf("%d words; preferably at most %d.", len(t), warn))
		}
	}
	check("question", w.Question, 10, 14)
	for _, f := range w.Followups {
		check("followups", f, 0, 14)
	}
}

func (x *linter) text(text string) {
	n := len(tokens(text))
	least, most := 18, 60
	if x.p.Kind == Dilemma {
		least, most = 30, 70
	}
	if n < least || n > most {
		x.add(Error, "text", "text-length", fmt.Sprintf("%d woorden; tussen %d en %d.", n, least, most), fmt.Sprintf("%d words; between %d and %d.", n, least, most))
	}
	for _, s := range sentences(text) {
		if n := len(tokens(s)); n > 18 {
			x.add(Error, "text", "sentence-length", fmt.Sprintf("Een zin van %d woorden; hooguit 18. Knip hem.", n), fmt.Sprintf("A sentence of %d words; at most 18. Cut it.", n))
		}
	}
	if x.lang == Dutch {
		n := 0
		for _, t := range tokens(text) {
			if slices.Contains(passives, t) {
				n++
			}
		}
		if n > 2 {
			x.add(Warn, "text", "passive", "Veel wordt en worden. Zeg wie iets doet.", "Much passive voice. Say who does it.")
		}
	}
}

func (x *linter) poles(w Words) {
	if strings.TrimSpace(w.PoleA) == "" || strings.TrimSpace(w.PoleB) == "" {
		x.add(Error, "pole_a", "both-poles", "Een dilemma heeft twee kanten. Schrijf ze allebei.", "A dilemma has two sides. Write both.")
		return
	}
	a, b := float64(len(w.PoleA)), float64(len(w.PoleB))
	if a/b < 0.5 || a/b > 2 {
		x.add(Warn, "pole_a", "pole-length", "De ene kant is veel langer. Geef beide evenveel ruimte.", "One side is much longer. Give both the same room.")
	}
	has := func(s string, list []string) bool {
		return slices.ContainsFunc(tokens(s), func(t string) bool { return slices.Contains(list, t) })
	}
	if has(w.PoleA, negations[x.lang]) != has(w.PoleB, negations[x.lang]) {
		x.add(Warn, "pole_a", "pole-negation", "Eén kant heeft een ontkenning. Zeg wat je wél doet.", "One side has a negation. Say what one does do.")
	}
	if has(w.PoleA, valueWords[x.lang]) != has(w.PoleB, valueWords[x.lang]) {
		x.add(Warn, "pole_a", "pole-value", "Eén kant krijgt een mooi woord. Maak ze even aantrekkelijk.", "One side gets a fine word. Make them equally attractive.")
	}
}

// readable is the Flesch-Douma reading ease over text, question and follow-ups.
func (x *linter) readable(w Words) {
	all := strings.Join(append([]string{w.Text, w.Question}, w.Followups...), " ")
	score, perSentence := flesch(all)
	switch {
	case math.IsNaN(score):
	case score < 60:
		x.add(Error, "text", "reading-ease", fmt.Sprintf("Lastig te lezen (%.0f). Kortere woorden en zinnen.", score), fmt.Sprintf("Hard to read (%.0f). Shorter words and sentences.", score))
	case score < 70:
		x.add(Warn, "text", "reading-ease", fmt.Sprintf("Wat lastig te lezen (%.0f).", score), fmt.Sprintf("A little hard to read (%.0f).", score))
	case score > 105 || perSentence < 6.5:
		x.add(Warn, "text", "choppy", "Hakkelig: erg korte zinnen of woorden. Verbind er een paar.", "Choppy: very short sentences or words. Join a few.")
	}
}

func flesch(text string) (score, perSentence float64) {
	t, s := tokens(text), sentences(text)
	if len(t) == 0 || len(s) == 0 {
		return math.NaN(), 0
	}
	syllables := 0
	for _, word := range t {
		syllables += syllablesNL(word)
	}
	perSentence = float64(len(t)) / float64(len(s))
	return 206.84 - 0.93*perSentence - 77*float64(syllables)/float64(len(t)), perSentence
}

var vowelGroups = words("aai ooi oei eeu ieu aa ee oo uu ie oe eu ui ei ij au ou ai oi")

func syllablesNL(word string) int {
	n := 0
	for word != "" {
		if i := slices.IndexFunc(vowelGroups, func(g string) bool { return strings.HasPrefix(word, g) }); i >= 0 {
			n++
			word = word[len(vowelGroups[i]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(word)
		if strings.ContainsRune("aeiouyáàäâéèëêíìïîóòöôúùüû", r) {
			n++
		}
		word = word[size:]
	}
	return max(n, 1)
}

// tokens are the words of a text in lower case; an apostrophe inside stays.
func tokens(s string) []string {
	var out []string
	for _, f := range strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(s, "’", "'")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-'
	}) {
		if f = strings.Trim(f, "'-"); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// sentences splits at full stops and marks that end a word.
func sentences(s string) []string {
	var out []string
	start := 0
	for i, r := range s {
		if (r == '.' || r == '?' || r == '!') && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '\n') {
			out = append(out, strings.TrimSpace(s[start:i+1]))
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(s[start:]); rest != "" {
		out = append(out, rest)
	}
	return out
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

// nearDuplicates compares word trigrams of every two texts.
func nearDuplicates(l Library) []Finding {
	var out []Finding
	for _, lang := range Langs() {
		grams := make([]map[string]bool, len(l.Prompts))
		for i, p := range l.Prompts {
			grams[i] = trigrams(p.Words[lang].Text)
		}
		for i := range l.Prompts {
			for j := range i {
				if l.Prompts[i].Status == Retired || l.Prompts[j].Status == Retired {
					continue
				}
				if jaccard(grams[i], grams[j]) > 0.25 {
					out = append(out, Finding{Prompt: l.Prompts[i].ID, Lang: lang, Field: "text", Rule: "near-duplicate", Level: Warn, Text: Text{
						Dutch:   "Lijkt veel op " + string(l.Prompts[j].ID) + ". Geef het een eigen situatie.",
						English: "Much like " + string(l.Prompts[j].ID) + ". Give it a situation of its own.",
					}})
				}
			}
		}
	}
	return out
}

func trigrams(s string) map[string]bool {
	t := tokens(s)
	out := map[string]bool{}
	for i := 0; i+2 < len(t); i++ {
		out[strings.Join(t[i:i+3], " ")] = true
	}
	return out
}

func jaccard(a, b map[string]bool) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	shared := 0
	for g := range a {
		if b[g] {
			shared++
		}
	}
	return float64(shared) / float64(len(a)+len(b)-shared)
}

// Coverage is how many active dilemmas a library has for one audience, its own and those for everyone.
type Coverage struct {
	Audience AudienceID
	Dilemmas int
	Tensions map[TensionID]int
}

// EnoughDilemmas is what a season of a weekly rhythm asks (PRACTICE 19).
const EnoughDilemmas = 6

// Cover counts the active dilemmas per audience, in the library's order.
func Cover(l Library) []Coverage {
	var out []Coverage
	for _, a := range l.Audiences {
		c := Coverage{Audience: a.ID, Tensions: map[TensionID]int{}}
		for _, p := range l.Prompts {
			if p.Kind != Dilemma || p.Status != Active {
				continue
			}
			if _, fits := p.fits([]AudienceID{a.ID}); fits {
				c.Dilemmas++
				for _, t := range p.Tensions {
					c.Tensions[t]++
				}
			}
		}
		out = append(out, c)
	}
	return out
}
