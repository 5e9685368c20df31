package bot

import (
	"cmp"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Small-number rules of a give-back (PRACTICE 14, TRUST 4).
const (
	minCell    = 3   // smallest cell of a tension or leaning
	leanFrom   = 8   // below it no leaning is shown (see large)
	manyFrom   = 20  // "twenty or more"
	quoteRunes = 140 // what is longer stands in the thread only, whole
	quoteWords = 60  // of quotes in the message itself
	roundWords = 200 // in the message, quotes included (PRACTICE 14.1)
	leadWords  = 8   // of the lines that introduce quotes
)

// Given is what goes back to the team after a round with enough replies.
type Given struct {
	Message  Message
	Thread   []Message // every quote that may be shared, in random order, in as many messages as they need; none: nobody shared
	Guide    *Message
	Followup string
}

// GiveBack turns a closed round into words. It is pure. replies are the released ones: their authors chose to share
// them. recurring names the tensions that keep coming back, if any are known; once the round was given back, its Followup stands.
func GiveBack(r Round, replies []Reply, lib *prompts.Library, recurring map[prompts.TensionID]bool) Given {
	lang := r.Lang
	quotes := quotable(replies)
	follow := cmp.Or(r.Followup, followup(r, recurring)) // once it was asked, it is that
	// Once without a quote, to see how many words are left for quotes.
	owed := owedRoom
	m := heard(r, quotes, lib, follow, &quotePicker{owed: owed})
	if over := len(strings.Fields(m.Plain())) - roundWords; over > 0 && len(r.Owed) > 0 {
		owed = wordsOf(Message{Blocks: r.owes(owed)}) - over
		m = heard(r, quotes, lib, follow, &quotePicker{owed: owed})
	}
	m = heard(r, quotes, lib, follow, &quotePicker{owed: owed, words: min(quoteWords, roundWords-leadWords-len(strings.Fields(m.Plain())))})
	given := Given{Message: m, Followup: follow, Guide: &Message{Lang: lang, Blocks: talkGuide(r, true)}}
	given.Thread = pagesOf(lang, Text(Span{Text: sayer(lang)("giveback.thread")}), quotes)
	return given
}

// pagesOf puts quotes below a line that introduces them, in as many messages as they need; none without quotes.
func pagesOf(lang prompts.Lang, lead Block, quotes []Reply) (pages []Message) {
	size := 0
	for _, q := range quotes {
		n := quoteSize(string(q.Text))
		if size += n; len(pages) == 0 || size > threadSize {
			size = n
			pages = append(pages, Message{Lang: lang})
			if len(pages) == 1 {
				pages[0].Blocks = []Block{lead}
			}
		}
		page := &pages[len(pages)-1]
		page.Blocks = append(page.Blocks, Quote(string(q.Text)))
	}
	return pages
}

// threadSize is how much of quotes one message takes on every platform: Slack takes some 12,000 characters in all, Mattermost
// 16,383 with its marks.
const threadSize = 9000

// quoteSize is what a quote takes in a message at most: every line of it has marks of its own, and a sign that a platform could
// read as a mark takes up to three characters.
func quoteSize(text string) int {
	size := 4
	for _, r := range text {
		switch {
		case r == '\n':
			size += 5
		case r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && r != ',' && r != '\'':
			size += 3
		default:
			size += max(1, utf16.RuneLen(r))
		}
	}
	return size
}

// heard is the give-back's main message, in the order of PRACTICE 14.1.
func heard(r Round, quotes []Reply, lib *prompts.Library, follow string, pick *quotePicker) Message {
	lang, t := r.Lang, r.Tally
	say := sayer(lang)
	words := r.Prompt.In(lang)
	m := Message{Lang: lang, Blocks: []Block{
		Heading(say("giveback.title", "title", words.Title)),
		Text(Rich(locale.Text(lang, "giveback.opening"), "question", words.Question, "band", locale.Capital(band(lang, t, r.MinReplies)),
			"impression", impression(say, t, r.MinReplies))...),
	}}
	poles := words.PoleA != "" && words.PoleB != ""
	// Quotes are sorted by pole in a large round, if at least one side is a cell.
	sorted := large(t, r.MinReplies) && max(t.Stances[StanceA], t.Stances[StanceB]) >= minCell
	if poles {
		aFirst := []Stance{StanceA, StanceB}
		if r.Flip {
			aFirst = []Stance{StanceB, StanceA}
		}
		for i, side := range aFirst {
			pole, protects := words.PoleA, words.ProtectsA
			if side == StanceB {
				pole, protects = words.PoleB, words.ProtectsB
			}
			m.Blocks = append(m.Blocks, Text(Rich(locale.Text(lang, "giveback.pole"), "pole", pole, "protects", protects)...))
			if sorted {
				m.Blocks = append(m.Blocks, pick.take(quotes, 1, func(q Reply) bool { return q.Stance == side && t.Stances[side] >= minCell })...)
			} else if i == 1 { // not sorted by pole, and not looking as if they were
				if some := pick.take(quotes, 3, answers); len(some) > 0 {
					m.Blocks = append(m.Blocks, Text(Span{Text: say("giveback.some-quotes")}))
					m.Blocks = append(m.Blocks, some...)
				}
			}
		}
		if large(t, r.MinReplies) {
			m.Blocks = append(m.Blocks, Text(Span{Text: leaning(say, words, t)}))
		}
	} else {
		m.Blocks = append(m.Blocks, pick.take(quotes, 3, answers)...)
	}
	m.Blocks = append(m.Blocks, named(say, lang, r, lib)...)
	if also := pick.take(quotes, 2, func(q Reply) bool { return !answers(q) }); len(also) > 0 {
		m.Blocks = append(m.Blocks, Text(Rich(locale.Text(lang, "giveback.also-heard"))...))
		m.Blocks = append(m.Blocks, also...)
	}
	m.Blocks = append(m.Blocks, Text(Rich(locale.Text(lang, "giveback.followup"), "question", follow)...))
	now := "giveback.now"
	if len(quotes) > 0 {
		now = "giveback.now-thread"
	}
	m.Blocks = append(m.Blocks, r.owes(pick.owed)...)
	m.Blocks = append(m.Blocks, Text(Rich(locale.Text(lang, now))...))
	if r.Chooses {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("agree.in-thread")}))
	}
	if r.Adviser != "" {
		m.Blocks = append(m.Blocks, Note(say("round.help-footer", "adviser", r.Adviser)))
	}
	return m
}

// answers says whether a reply answers the question, instead of turning it down or back.
func answers(q Reply) bool { return q.Stance != StanceNotMe && q.Stance != StanceCounter }

// TooFew says that too few answered to share anything; never a number (PRACTICE 15.2).
func TooFew(r Round, lib *prompts.Library, askPace bool) Message {
	lang := r.Lang
	say := sayer(lang)
	words := r.Prompt.In(lang)
	own := words.Question
	for i, kind := range r.Prompt.FollowupKinds { // something to talk about: own experience, if the prompt has it
		if (kind == "own-experience" || kind == "appreciative") && i < len(words.Followups) {
			own = words.Followups[i]
			break
		}
	}
	m := Message{Lang: lang, Blocks: []Block{
		Heading(say("giveback.title", "title", words.Title)),
		Text(Span{Text: say("giveback.too-few")}),
		Text(Span{Text: say("giveback.too-few-reasons")}),
		Text(Rich(locale.Text(lang, "giveback.too-few-talk"), "question", own)...),
	}}
	m.Blocks = append(m.Blocks, r.owes(owedRoom)...)
	if askPace {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("giveback.too-few-again")}))
	}
	if r.Adviser != "" {
		m.Blocks = append(m.Blocks, Note(say("round.help-footer", "adviser", r.Adviser)))
	}
	return m
}

// Lost says that a round's answers cannot be opened any more and were destroyed unread.
func Lost(r Round) Message {
	say := sayer(r.Lang)
	if r.Kind == RoundFollow {
		return Message{Lang: r.Lang, Blocks: []Block{followLine(r, locale.Text(r.Lang, "follow.lost"))}}
	}
	return Message{Lang: r.Lang, Blocks: append([]Block{
		Heading(say("giveback.title", "title", r.Prompt.In(r.Lang).Title)), Text(Span{Text: say("giveback.lost")}),
	}, r.owes(owedRoom)...)}
}

// steps are the numbers of answers from which on a give-back may read differently: the minimum, eight and twenty. Between
// two steps lie at least three numbers, and no step comes so near to the size of the channel that reaching it would say
// that everybody, or all but one, answered: all, one fewer and two fewer look the same.
func steps(t *Tally, min int) []int {
	all := []int{min}
	for _, step := range []int{max(leanFrom, min+minCell), manyFrom} {
		if step >= all[len(all)-1]+minCell && spacious(t, step) {
			all = append(all, step)
		}
	}
	return all
}

// spacious says whether a channel has two people more than a number. A channel that could not be counted has.
func spacious(t *Tally, n int) bool { return t.People == 0 || t.People >= n+minCell-1 }

// large says whether so many answered that leanings may be told: eight, or three more than the minimum.
func large(t *Tally, min int) bool {
	for _, step := range steps(t, min)[1:] {
		if t.Respondents >= step {
			return true
		}
	}
	return false
}

// telling says whether a round had so many answers that its tensions may be told: five, and where the minimum is lower, a
// large round, so that naming one narrows nothing down.
func telling(t *Tally, min int) bool { return min >= 5 || large(t, min) }

// between gives the least and the most that may have answered, as far as may be told; most is 0 where nothing bounds it.
func between(t *Tally, min int) (least, most int) {
	least, most = min, t.People
	for _, step := range steps(t, min)[1:] {
		if t.Respondents < step {
			return least, step - 1
		}
		least = step
	}
	if t.Respondents > most { // somebody left since
		most = 0
	}
	return least, most
}

// band names how many answered, in words that never narrow to a person, to somebody who knows the minimum and the channel
// (DESIGN 11).
func band(lang prompts.Lang, t *Tally, min int) string {
	say := sayer(lang)
	least, most := between(t, min)
	switch {
	case least >= manyFrom:
		return say("giveback.band-twenty")
	case most == 0 || most >= manyFrom, least <= 5 && most >= leanFrom:
		return say("giveback.band-least", "from", locale.Number(lang, least))
	case least >= leanFrom:
		return say("giveback.band-eight")
	case least > 5:
		return say("giveback.band-under")
	case least < 5:
		return say("giveback.band-from", "from", locale.Number(lang, least))
	}
	return say("giveback.band-five")
}

// impression says whose impression it is. Where less than 40 % of the channel answered, it is not "the team". It looks at
// the least that may have answered, and from twenty on at tens: the size of the channel is known, so that the exact share
// would say how many answered.
func impression(say speech, t *Tally, min int) string {
	least, _ := between(t, min)
	if least == manyFrom {
		least = t.Respondents / 10 * 10
	}
	if t.People > 0 && 10*least < 4*t.People {
		return say("giveback.impression-some")
	}
	return say("giveback.impression-team")
}

// lean is how the answers lay between the two sides.
type lean int

const (
	leanDiverged   lean = iota // no clear side
	leanBoth                   // both sides are cells
	leanRecognised             // one side has three quarters, the other is no cell
	leanMost                   // one side has three quarters, the other is a cell
)

// leanOf follows the table of PRACTICE 14.3. Shares are of all who answered: an answer that chose no side is no support.
// The conditions do not look at a side below the cell, so that zero, one and two give the same. Three on one side and
// three quarters on the other take at least twelve, and sixteen to leave room for another answer: that is not told in a
// channel where it would say that everybody answered, or that nobody answered otherwise.
func leanOf(t *Tally) lean {
	a, b := t.Stances[StanceA], t.Stances[StanceB]
	strong := 4*max(a, b) >= 3*t.Respondents
	few := min(a, b)
	switch {
	case strong && few < minCell:
		return leanRecognised
	case strong && spacious(t, 4*(minCell+1)):
		return leanMost
	case few >= minCell:
		return leanBoth
	}
	return leanDiverged
}

// leaning says it; shares are never given.
func leaning(say speech, words prompts.Words, t *Tally) string {
	pole := words.PoleA
	if t.Stances[StanceB] > t.Stances[StanceA] {
		pole = words.PoleB
	}
	switch leanOf(t) {
	case leanMost:
		return say("giveback.lean-most", "pole", inSentence(pole))
	case leanRecognised:
		return say("giveback.lean-recognised", "pole", inSentence(pole))
	case leanBoth:
		return say("giveback.lean-both")
	}
	return say("giveback.lean-diverged")
}

// untouched says whether it is told that the question does not touch some: not beside a clear lean, where hardly any other
// answer would be left, nor beside two sides in a channel that they would fill.
func untouched(t *Tally) bool {
	side := leanOf(t)
	return t.Stances[StanceNotMe] >= minCell && (side == leanDiverged || side == leanBoth && spacious(t, 3*minCell))
}

// halfFrom is from how many answers it may be told that fewer than half chose a tension.
const halfFrom = 2*(minCell+minCell-1) + 1

// named says what the authors said it was about, asked and unasked apart; only what three or more named.
func named(say speech, lang prompts.Lang, r Round, lib *prompts.Library) []Block {
	t := r.Tally
	if !telling(t, r.MinReplies) { // a named tension would mean that everyone named it
		return nil
	}
	var asked, unasked []string
	for _, tension := range r.named(lib) {
		if t.Tags[tension.ID] < minCell {
			continue
		}
		label := inSentence(tension.Label.In(lang))
		if slices.Contains(t.Asked, tension.ID) {
			asked = append(asked, label)
		} else {
			unasked = append(unasked, label)
		}
	}
	var blocks []Block
	// Fewer than half, of whom three named a tension: among fewer than eleven answers it would follow that all or all but
	// one of those who chose anything chose that.
	if 2*t.Tagged < t.Respondents && t.Respondents >= halfFrom && spacious(t, halfFrom) && large(t, r.MinReplies) && len(asked)+len(unasked) > 0 {
		blocks = append(blocks, Text(Span{Text: say("giveback.half-tagged")}))
	}
	if len(asked) > 0 {
		blocks = append(blocks, Text(Rich(locale.Text(lang, "giveback.named-asked"), "tensions", strings.Join(asked, "; "))...))
	}
	if len(unasked) > 0 {
		blocks = append(blocks, Text(Rich(locale.Text(lang, "giveback.named-unasked"), "tensions", strings.Join(unasked, "; "))...))
	}
	if t.Other >= minCell {
		blocks = append(blocks, Text(Span{Text: say("giveback.other")}))
	}
	return blocks
}

// quotePicker puts whole quotes into the main message, within a number of words, none twice.
type quotePicker struct {
	words int
	owed  int // what it leaves for what waits for an answer
	used  map[ReplyID]bool
}

func (p *quotePicker) take(quotes []Reply, n int, fits func(Reply) bool) []Block {
	var blocks []Block
	for _, q := range quotes {
		size := 1 + len(strings.Fields(string(q.Text))) // and its mark
		if len(blocks) == n || p.used[q.ID] || !fits(q) || utf8.RuneCountInString(string(q.Text)) > quoteRunes || size > p.words {
			continue
		}
		if p.used == nil {
			p.used = map[ReplyID]bool{}
		}
		p.used[q.ID] = true
		p.words -= size
		blocks = append(blocks, Quote(string(q.Text)))
	}
	return blocks
}

// quotable are the replies that may be quoted, by random ID: an order that tells nothing. Emoji and signatures go: they
// are how colleagues know each other.
func quotable(replies []Reply) []Reply {
	var out []Reply
	for _, r := range replies {
		if text := unsigned(string(r.Text)); text != "" {
			r.Text = ReplyText(text)
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Reply) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// The ways people end a message in both languages. As a line of its own a greeting takes the line with it, and the name
// below it; behind other words it goes only where a name follows, so that "groeten van de nachtdienst" stays.
var (
	greeting     = `(?:(?:met )?(?:vriendelijke|hartelijke|warme) groet(?:en)?|groet(?:en|jes)?|m\.?v\.?g\.?|gr\.?|(?:kind|best|warm) regards|regards|cheers|greetings)`
	greetingLine = regexp.MustCompile(`(?i)^\s*` + greeting + `\s*[,.]?(?:\s+(?:van )?[\p{L}'’.-]+){0,3}\s*[.]?$`)
	greetingEnd  = regexp.MustCompile(`(?i:[\s,.;–-]+` + greeting + `)\s*[,.]?\s+\p{Lu}[\p{L}'’-]*(?:\s+(?:de|van|der|den|el|al|ten|\p{Lu}[\p{L}'’.-]*)){0,4}\s*[.]?$`)
)

// signatureSize is how many bytes of a line a signature takes at most.
const signatureSize = 240

// unsigned strips emoji and a closing signature ("Met vriendelijke groet, Jan de Boer").
func unsigned(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\u200d' || r == '\ufe0f' || r > 0xff && (unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r)) || r >= 0x1f000 {
			return -1
		}
		return r
	}, s)
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i := max(len(lines)-3, 1); i < len(lines); i++ { // a first line is what somebody came to say
		if greetingLine.MatchString(lines[i]) {
			lines = lines[:i]
		}
	}
	last := len(lines) - 1
	from := max(0, len(lines[last])-signatureSize)
	for ; from > 0 && !utf8.RuneStart(lines[last][from]); from-- {
	}
	if cut := greetingEnd.FindStringIndex(lines[last][from:]); cut != nil && from+cut[0] > 0 {
		end := from + cut[0]
		if c := lines[last][end]; c == '.' { // the full stop belongs to what was said
			end++
		}
		lines[last] = lines[last][:end]
	}
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// followup chooses the deepening question (PRACTICE 3.6). No text is read for it. In a round that is not large it is one
// of the prompt's own two, by seed, so that the choice leaks nothing.
func followup(r Round, recurring map[prompts.TensionID]bool) string {
	words, t := r.Prompt.In(r.Lang), r.Tally
	say := sayer(r.Lang)
	h := fnv.New32a()
	h.Write([]byte(r.ID))
	bySeed := ""
	if len(words.Followups) > 0 {
		bySeed = words.Followups[int(h.Sum32())%len(words.Followups)]
	}
	if !large(t, r.MinReplies) {
		return bySeed
	}
	own := func(kinds ...string) string {
		for _, kind := range kinds {
			if i := slices.Index(r.Prompt.FollowupKinds, kind); i >= 0 && i < len(words.Followups) {
				return words.Followups[i]
			}
		}
		switch kinds[0] {
		case "perspective":
			return say("giveback.ask-perspective")
		case "alternative":
			return say("giveback.ask-alternative")
		case "appreciative":
			return say("giveback.ask-appreciative")
		}
		return say("giveback.ask-agreement")
	}
	side := leanOf(t)
	back := slices.ContainsFunc(r.Prompt.Tensions, func(id prompts.TensionID) bool { return recurring[id] })
	switch {
	case r.Prompt.Aftercare:
		return own("agreement")
	case untouched(t):
		return own("appreciative")
	case back:
		return own("alternative")
	case side == leanMost || side == leanRecognised:
		return own("perspective")
	case side == leanBoth:
		return own("agreement", "value", "tipping-point")
	}
	return bySeed
}
