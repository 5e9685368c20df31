package bot

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// dayOf writes the day of a moment in a team's zone, with its year where that is another than of the moment it is read at.
func dayOf(lang prompts.Lang, t, read time.Time, zone *time.Location) string {
	t = t.In(zone)
	if t.Year() != read.In(zone).Year() {
		return locale.Day(lang, t)
	}
	return strconv.Itoa(t.Day()) + " " + locale.Month(lang, t)
}

// ended leaves out the full stop behind a placeholder whose words end in a mark of their own.
func ended(template, name, words string) string {
	if last, _ := utf8.DecodeLastRuneInString(words); strings.ContainsRune("?!…", last) {
		return strings.Replace(template, "{"+name+"}.", "{"+name+"}", 1)
	}
	return template
}

// richWords is Rich for a text that holds people's words: a value whose name begins with a colon (":item") stands behind its
// placeholder as a run of its own, which the adapter makes inert.
func richWords(template string, pairs ...string) []Span {
	var spans []Span
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := strings.CutPrefix(pairs[i], ":"); ok {
			template = ended(template, name, pairs[i+1])
		}
	}
	for i, piece := range strings.Split(template, "**") {
		add := func(text string, person bool) {
			if text != "" {
				spans = append(spans, Span{Text: text, Strong: i%2 == 1 && !person, Person: person})
			}
		}
		for piece != "" {
			at, end, words := len(piece), len(piece), ""
			for k := 0; k+1 < len(pairs); k += 2 {
				if name, ok := strings.CutPrefix(pairs[k], ":"); ok {
					if n := strings.Index(piece, "{"+name+"}"); n >= 0 && n < at {
						at, end, words = n, n+len(name)+2, pairs[k+1]
					}
				}
			}
			add(locale.Fill(piece[:at], pairs...), false)
			add(words, true)
			piece = piece[end:]
		}
	}
	return spans
}

// choiceWord is a choice as its button has it.
func choiceWord(lang prompts.Lang, c AgreementChoice) string {
	say := sayer(lang)
	switch c {
	case AgreeTry:
		return say("agree.try")
	case AgreePass:
		return say("agree.pass")
	}
	return say("agree.leave")
}

// choiceTyped is what is typed instead of that button.
func choiceTyped(lang prompts.Lang, c AgreementChoice) string {
	say := sayer(lang)
	switch c {
	case AgreeTry:
		return say("agree.try-typed")
	case AgreePass:
		return say("agree.pass-typed")
	}
	return say("agree.leave-typed")
}

// agreeActions are the buttons under the question what a team chooses, equal in weight.
func agreeActions(round RoundID, lang prompts.Lang) Block {
	var actions []Action
	for _, c := range []AgreementChoice{AgreeTry, AgreeLeave, AgreePass} {
		do := doAgree
		if c == AgreeLeave { // it takes no line
			do = doLeave
		}
		actions = append(actions, Action{Do: do, Round: round, Arg: string(c), Label: choiceWord(lang, c), Typed: choiceTyped(lang, c)})
	}
	return Block{Kind: BlockActions, Actions: actions}
}

// answerAction is the button for who manages the team.
func answerAction(round RoundID, lang prompts.Lang) Block {
	say := sayer(lang)
	return Block{Kind: BlockActions, Actions: []Action{{Do: doPassed, Round: round, Label: say("agree.answer"), Typed: say("agree.answer-typed")}}}
}

// agreementMessage is how an agreement stands, as its message in the channel says it.
func agreementMessage(a Agreement, zone *time.Location, now time.Time) Message {
	say := sayer(a.Lang)
	m := Message{Lang: a.Lang}
	open := a.Closed.IsZero() && a.takes(now) && !a.settled(now, zone)
	switch {
	case a.Choice != "":
		m.Blocks = append(m.Blocks, agreementLine(a, a.Lang, zone, now))
	case open:
		m.Blocks = append(m.Blocks, Text(Rich(say("agree.ask"))...))
	default:
		m.Blocks = append(m.Blocks, Note(say("agree.none")))
	}
	if a.Choice == AgreeTry && a.LookBack == "" {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("agree.tried-note")}))
	}
	if a.Answer != nil {
		m.Blocks = append(m.Blocks, Text(answerLine(a, a.Lang, zone, now)...))
	}
	if !a.LookedBack.IsZero() {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("agree.looked-back", "date", dayOf(a.Lang, a.LookedBack, now, zone))}))
	}
	if a.waits() {
		m.Blocks = append(m.Blocks, answerAction(a.Round, a.Lang))
	}
	if open {
		if a.Choice != "" {
			m.Blocks = append(m.Blocks, Note(say("agree.again")))
		}
		m.Blocks = append(m.Blocks, agreeActions(a.Round, a.Lang))
	}
	return m
}

// managerName is what people call who something was passed on to.
func managerName(name string, lang prompts.Lang) string {
	if name == "" {
		return sayer(lang)("agree.manager")
	}
	return name
}

// agreementLine says what was chosen.
func agreementLine(a Agreement, lang prompts.Lang, zone *time.Location, now time.Time) Block {
	on := dayOf(lang, a.Made, now, zone)
	switch a.Choice {
	case AgreeTry:
		return Text(richWords(locale.Text(lang, "agree.tried"), ":item", a.Line, "date", on)...)
	case AgreePass:
		return Text(passedLine(Owed{Item: a.Line, Manager: a.Manager, On: a.Made, Promise: a.Promise}, lang, zone, now)...)
	}
	return Text(Rich(locale.Text(lang, "agree.left"), "date", on)...)
}

// passedLine says of something that was passed on to whom and until when, or that the answer is late.
func passedLine(o Owed, lang prompts.Lang, zone *time.Location, now time.Time) []Span {
	due := dayOf(lang, o.Promise, now, zone)
	if o.Late {
		return richWords(locale.Text(lang, "agree.overdue"), ":item", o.Item, "due", due)
	}
	return richWords(locale.Text(lang, "agree.passed"), ":item", o.Item, ":manager", managerName(o.Manager, lang), "date", dayOf(lang, o.On, now, zone), "due", due)
}

// answerLine is what a manager answered.
func answerLine(a Agreement, lang prompts.Lang, zone *time.Location, now time.Time) []Span {
	text := locale.Text(lang, "agree.answered")
	before, after, _ := strings.Cut(text, "{answer}")
	said := answerWords(a, lang, zone, now)
	if a.Answer.Words != "" {
		after = strings.TrimPrefix(ended("{w}"+after, "w", a.Answer.Words), "{w}")
	}
	spans := append(Rich(before, "date", dayOf(lang, a.Answer.At, now, zone)), said...)
	return append(spans, Rich(after)...)
}

func answerWords(a Agreement, lang prompts.Lang, zone *time.Location, now time.Time) []Span {
	say := sayer(lang)
	var said string
	switch a.Answer.Kind {
	case AnswerDone:
		said = say("agree.said-done")
	case AnswerNot:
		said = say("agree.said-not")
	default:
		said = say("agree.said-later", "due", dayOf(lang, a.Promise, now, zone))
	}
	if a.Answer.Words == "" {
		return []Span{{Text: said}}
	}
	return []Span{{Text: said + ", "}, {Text: a.Answer.Words, Person: true}}
}

// answerMessage tells the channel what a manager answered.
func answerMessage(t Team, a Agreement, now time.Time) Message {
	zone := zoneOf(t.Settings.Zone)
	m := Message{Lang: a.Lang, Blocks: []Block{Text(append(passedOn(a, a.Lang, zone, now), answerLine(a, a.Lang, zone, now)...)...)}}
	if a.waits() {
		m.Blocks = append(m.Blocks, answerAction(a.Round, a.Lang))
	}
	return m
}

// passedOn begins a line about something that was passed on.
func passedOn(a Agreement, lang prompts.Lang, zone *time.Location, now time.Time) []Span {
	return append(richWords(locale.Text(lang, "agree.passed-on"), ":item", a.Line, "date", dayOf(lang, a.Made, now, zone)), Span{Text: " "})
}

// overdueMessage tells the channel that an answer is late.
func overdueMessage(t Team, a Agreement) Message {
	o := Owed{Item: a.Line, Manager: a.Manager, On: a.Made, Promise: a.Promise, Late: true}
	return Message{Lang: a.Lang, Blocks: []Block{Text(passedLine(o, a.Lang, zoneOf(t.Settings.Zone), a.Promise)...), answerAction(a.Round, a.Lang)}}
}

// owedRoom is how many words a give-back has for what waits for an answer, owedMore how many of them say how much more there is.
const (
	owedRoom = 60
	owedMore = 12
)

// owes is what a round's message tells of what waits for an answer, within a number of words.
func (r Round) owes(room int) []Block {
	if len(r.Owed) == 0 { // and no zone is looked up
		return nil
	}
	return owedBlocks(r.Owed, r.Lang, zoneOf(r.Zone), r.GivesBack, room)
}

// owedBlocks tell of what waits for an answer, within a number of words: with the day of the oldest in any case, without its
// own words if they are too many, and how many more there are.
func owedBlocks(owed []Owed, lang prompts.Lang, zone *time.Location, read time.Time, room int) (blocks []Block) {
	say := sayer(lang)
	words := 0
	for i, o := range owed {
		line := Text(passedLine(o, lang, zone, read)...)
		more := 0
		if i+1 < len(owed) {
			more = owedMore
		}
		words += len(strings.Fields(spansText(line.Spans)))
		if words+more > room && i == 0 {
			key, due := "agree.owed-short", o.Promise
			late := false
			for _, o := range owed { // an answer of "later" moved some behind others
				due, late = earliest(due, o.Promise), late || o.Late
			}
			switch {
			case len(owed) > 1 && late:
				key = "agree.owed-first-late"
			case len(owed) > 1:
				key = "agree.owed-first"
			case o.Late:
				key = "agree.owed-late"
			}
			return []Block{Text(Span{Text: locale.Capital(say(key, "count", locale.Number(lang, len(owed)), "due", dayOf(lang, due, read, zone)))})}
		}
		if words+more > room {
			key := "agree.owed-more"
			if i+1 == len(owed) {
				key = "agree.owed-one"
			}
			return append(blocks, Text(Span{Text: locale.Capital(say(key, "count", locale.Number(lang, len(owed)-i)))}))
		}
		blocks = append(blocks, line)
	}
	return blocks
}

// promptText is a round's situation. The agreement that it looks back on is people's words.
func promptText(r Round, lang prompts.Lang) Block {
	text := r.Prompt.In(lang).Text
	if r.About == nil || r.About.Line == "" {
		return Text(Span{Text: text})
	}
	before, after, ok := strings.Cut(text, r.About.Line)
	if !ok {
		return Text(Span{Text: text})
	}
	return Text(Span{Text: before}, Span{Text: r.About.Line, Person: true}, Span{Text: after})
}

// The overview of a season holds at most three hundred words besides its map (PRACTICE 14.1), and short quotes.
const (
	seasonWords     = 300
	shortQuoteWords = 12
	lookBackQuotes  = 2
)

// seasonAgreements are the lines of a season's overview about what the team chose and what became of it: what waits for an
// answer, and of the rest the newest, as many as there is room for. quotes gives what may be quoted of a look-back.
func seasonAgreements(t Team, rounds []Round, from, to int, lang prompts.Lang, now time.Time, room int, quotes func(RoundID) []Reply) (blocks []Block) {
	type line struct {
		spans []Span
		words int
		back  *Round
	}
	zone := zoneOf(t.Settings.Zone)
	within := func(season int) bool { return season >= from && season <= to }
	var lines []line
	for _, a := range t.Agreements {
		var back *Round
		for i := range rounds {
			if rounds[i].ID == a.LookBack && !a.LookedBack.IsZero() {
				back = &rounds[i]
			}
		}
		if a.Choice == "" || a.waits() || !within(a.Season) && (back == nil || !within(back.Season)) {
			continue
		}
		var l line
		switch a.Choice {
		case AgreeTry:
			l.spans = triedLine(a, back, lang, zone, now)
			l.back = back
		case AgreePass:
			l.spans = append(passedOn(a, lang, zone, now), answerLine(a, lang, zone, now)...)
		default:
			l.spans = agreementLine(a, lang, zone, now).Spans
		}
		l.words = len(strings.Fields(spansText(l.spans)))
		lines = append(lines, l)
	}
	blocks = owedBlocks(t.owed(now), lang, zone, now, room)
	room -= wordsOf(Message{Blocks: blocks})
	keep := make([]bool, len(lines))
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].words <= room {
			keep[i], room = true, room-lines[i].words
		}
	}
	for i, l := range lines {
		if !keep[i] {
			continue
		}
		switch {
		case l.back == nil || l.back.State == RoundTooFew:
		case l.back.Tally == nil:
			l.spans = append(l.spans, Span{Text: "."})
		default:
			l.spans, room = quoted(l.spans, quotes(l.back.ID), lang, room)
		}
		blocks = append(blocks, Text(l.spans...))
	}
	return blocks
}

// triedLine says what was tried, and whether it was looked back on.
func triedLine(a Agreement, back *Round, lang prompts.Lang, zone *time.Location, now time.Time) []Span {
	pairs := []string{":item", a.Line, "date", dayOf(lang, a.Made, now, zone)}
	switch {
	case back == nil && a.LookBackFrom.Before(now):
		return richWords(locale.Text(lang, "agree.season-tried-yet"), pairs...)
	case back == nil:
		return richWords(locale.Text(lang, "agree.season-tried"), append(pairs, "from", dayOf(lang, a.LookBackFrom, now, zone))...)
	case back.State == RoundTooFew:
		return richWords(locale.Text(lang, "agree.season-few"), append(pairs, "round", strconv.Itoa(back.Number))...)
	}
	return richWords(locale.Text(lang, "agree.season-looked"), append(pairs, "round", strconv.Itoa(back.Number))...)
}

// quoted puts up to two short quotes behind a line, as far as there is room.
func quoted(spans []Span, replies []Reply, lang prompts.Lang, room int) ([]Span, int) {
	n := 0
	for _, q := range quotable(replies) {
		words := len(strings.Fields(string(q.Text))) + n
		if n == lookBackQuotes || words > shortQuoteWords || words > room || strings.Contains(string(q.Text), "\n") || !answers(q) {
			continue
		}
		before := ": \""
		if n > 0 {
			before = "\" " + sayer(lang)("agree.season-and") + " \""
		}
		spans = append(spans, Span{Text: before}, Span{Text: string(q.Text), Person: true})
		room -= words
		n++
	}
	if n == 0 {
		return append(spans, Span{Text: "."}), room
	}
	return append(spans, Span{Text: "\""}), room
}
