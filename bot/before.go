package bot

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Before anything of a reply is sealed, its author is told what in it may lead to a person, and where to turn with
// something heavy (TRUST 5 and 6, PRACTICE 8). Both are looked for in memory. Nothing of a find is stored, logged, counted
// or passed on, and neither keeps anybody from answering.

// Help is who people can turn to besides the confidential adviser. A sentence with an empty one is left out.
type Help struct {
	Support string // to talk to: company welfare, a peer team
	Scheme  string // where aggression is reported
	Officer string // who knows the reporting code for somebody's safety
}

// glance is what an author was shown, and by which of their acts.
type glance struct {
	at    int64
	found []string
	shown time.Time
}

// glanceTime is how long something that was shown counts as shown.
const glanceTime = time.Hour

// firstLook says whether an author must still be shown what was found. The same act again is shown it again; another act
// is not, unless there is more to show. Clocks may differ, so that it need not be a later one.
func (bx *box) firstLook(a Address, what string, found []string, at int64) bool {
	bx.mu.Lock()
	defer bx.mu.Unlock()
	return firstGlance(bx.shown, string(a[:])+what, found, at)
}

// firstGlance is firstLook for whatever key something is shown under.
func firstGlance(shown map[string]glance, key string, found []string, at int64) bool {
	maps.DeleteFunc(shown, func(_ string, g glance) bool { return time.Since(g.shown) > glanceTime })
	was, ok := shown[key]
	if ok && at != was.at && !slices.ContainsFunc(found, func(f string) bool { return !slices.Contains(was.found, f) }) {
		return false
	}
	if !ok || at > was.at {
		shown[key] = glance{at, found, time.Now()}
	}
	return true
}

// namesTime is how long the names in a channel are taken to be the same.
const namesTime = time.Hour

// names brings the display names in a round's channel up to date. A platform that does not tell them keeps nobody from
// answering.
func (b *Bot) names(ctx context.Context, bx *box) {
	roster, ok := b.chatOf(bx.round.Team).(Roster)
	if !ok || !bx.round.Kind.replies() || bx.namesFresh() {
		return
	}
	bx.asking.Lock() // one asks, the others wait for it, no longer than one question may take
	defer bx.asking.Unlock()
	if bx.namesFresh() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	names, err := roster.Names(ctx, bx.round.Team) // a log line of what goes wrong would say when somebody answered
	if err != nil {
		names, err = roster.Names(ctx, bx.round.Team)
	}
	bx.mu.Lock()
	defer bx.mu.Unlock()
	bx.namesAt = time.Now()
	if err != nil {
		bx.namesAt = time.Now().Add(namesAgain - namesTime)
		return
	}
	if len(names) > maxNames { // a channel of that size is no team, and looking for thousands would hold up its replies
		names = nil
	}
	bx.look.Members = names
}

// maxNames is in how large a channel people's names are looked for.
const maxNames = 500

// namesAgain is when a platform that did not tell the names is asked again.
const namesAgain = time.Minute

func (bx *box) namesFresh() bool {
	bx.mu.Lock()
	defer bx.mu.Unlock()
	return time.Since(bx.namesAt) < namesTime
}

// glanced says whether somebody was shown a card and nothing was kept of what they wrote.
func (bx *box) glanced(a Address) bool {
	bx.mu.Lock()
	defer bx.mu.Unlock()
	g, ok := bx.shown[string(a[:])+"heavy"]
	return ok && time.Since(g.shown) < glanceTime
}

func (bx *box) lookFor() HintOptions {
	bx.mu.Lock()
	defer bx.mu.Unlock()
	return bx.look
}

// hints finds what in words may lead to a person.
func (bx *box) hints(text string) []Hint { return FindHints(text, bx.lookFor()) }

// strike puts a mark in the place of everything that may lead to a person.
func (bx *box) strike(text string, lang prompts.Lang) string {
	look := bx.lookFor()
	look.Name, look.Other = sayer(lang)("hint.mark-name"), sayer(lang)("hint.mark-other")
	return ReplaceHints(text, look)
}

// anyHard says whether there is something among hints that must never be quoted (TRUST P12).
func anyHard(hints []Hint) bool {
	return slices.ContainsFunc(hints, func(h Hint) bool { return h.Kind.Hard() })
}

// hard says whether a reply holds what must never be quoted.
func (bx *box) hard(text, other string) bool {
	return anyHard(bx.hints(text)) || anyHard(bx.hints(other))
}

// hintWords says to the author what was found and, in a form, where; empty without finds. A message of the bot repeats
// nothing: it would stay in the conversation when the author deletes their own.
func hintWords(text string, hints []Hint, lang prompts.Lang, where bool) string {
	if len(hints) == 0 {
		return ""
	}
	say := sayer(lang)
	var list []string
	for _, h := range hints {
		item := say(hintKey(h.Kind))
		if where {
			item += " (" + strings.Join(strings.Fields(text[h.At:h.End]), " ") + ")"
		}
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	key := "hint.found"
	if anyHard(hints) {
		key = "hint.found-hard"
	}
	return say(key, "list", strings.Join(list, ", "))
}

// heavyCard signposts. It does not judge, block or alert, and says so.
func (b *Bot) heavyCard(kinds []locale.HeavyKind, adviser string, lang prompts.Lang) []Block {
	say := sayer(lang)
	blocks := []Block{Text(Rich(locale.Text(lang, "heavy.first"))...)}
	for _, kind := range kinds {
		var lines []string
		for _, key := range heavyKeys(kind) {
			contact := map[string]string{"adviser": adviser, "support": cmp.Or(b.o.Help.Support, adviser), "scheme": b.o.Help.Scheme, "officer": b.o.Help.Officer}
			names := locale.Placeholders(locale.Text(lang, key))
			if len(names) > 0 && contact[names[0]] == "" {
				continue
			}
			var pairs []string
			for _, n := range names {
				pairs = append(pairs, n, contact[n])
			}
			lines = append(lines, say(key, pairs...))
		}
		if len(lines) > 0 {
			blocks = append(blocks, Text(Span{Text: strings.Join(lines, " ")}))
		}
	}
	return append(blocks, Text(Span{Text: say("heavy.nobody"), Strong: true}))
}

// heavyTyped is the card in a direct conversation, before a message is taken as a reply. ok is false when there is nothing
// to show (any more).
func (b *Bot) heavyTyped(s *seat, f From, text string) (r Response, ok bool) {
	kinds := FindHeavy(text, b.o.Heavy)
	if s.draft() { // it may be said over several messages
		before := s.aside.text()
		alone := FindHeavy(before, b.o.Heavy)
		kinds = slices.DeleteFunc(FindHeavy(before+"\n"+text, b.o.Heavy), func(k locale.HeavyKind) bool { return slices.Contains(alone, k) && !slices.Contains(kinds, k) })
	}
	if len(kinds) == 0 || !s.firstLook(s.at, "heavy", kindNames(kinds), version(f.At)) {
		return Response{}, false
	}
	m := Message{Lang: f.Lang, Blocks: append(b.heavyCard(kinds, s.round.Adviser, f.Lang), Text(Rich(locale.Text(f.Lang, "heavy.typed"), "platform", platformName(f.Lang, s.round.Team))...))}
	if s.ballot != nil {
		m.Blocks = append(m.Blocks, Text(Span{Text: sayer(f.Lang)("heavy.earlier")}))
	}
	return Response{Message: &m}, true
}

func hintNames(hints ...[]Hint) (out []string) {
	for _, some := range hints {
		for _, h := range some {
			out = append(out, string(h.Kind))
		}
	}
	return out
}

func kindNames(kinds []locale.HeavyKind) []string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

// heavyKeys are the sentences of a kind's card, in their order.
func heavyKeys(kind locale.HeavyKind) []string {
	switch kind {
	case locale.HeavySuicide:
		return []string{"heavy.suicide", "heavy.suicide-adviser"}
	case locale.HeavyDanger:
		return []string{"heavy.danger"}
	case locale.HeavyConduct:
		return []string{"heavy.conduct", "heavy.conduct-adviser", "heavy.conduct-nobody"}
	case locale.HeavyIntegrity:
		return []string{"heavy.integrity", "heavy.integrity-adviser", "heavy.integrity-outside"}
	case locale.HeavyAggression:
		return []string{"heavy.aggression", "heavy.aggression-scheme", "heavy.aggression-support"}
	case locale.HeavySafety:
		return []string{"heavy.safety", "heavy.safety-officer"}
	}
	return nil
}

func hintKey(kind HintKind) string {
	switch kind {
	case HintBSN:
		return "hint.bsn"
	case HintIBAN:
		return "hint.iban"
	case HintPhone:
		return "hint.phone"
	case HintEmail:
		return "hint.email"
	case HintAddress:
		return "hint.address"
	case HintPostcode:
		return "hint.postcode"
	case HintPlate:
		return "hint.plate"
	case HintMention:
		return "hint.mention"
	case HintCase:
		return "hint.case"
	case HintMember:
		return "hint.member"
	case HintName:
		return "hint.name"
	case HintHealth:
		return "hint.health"
	case HintUnion:
		return "hint.union"
	}
	return "hint.religion"
}
