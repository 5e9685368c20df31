package bot

import (
	"context"
	"strings"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// The mirror: who does not know what a reply was about is shown one guess, once, with the words it rests on. Nobody else
// sees it, and it counts only if its author says so. A scorer that fails, says nothing or is slow means no mirror.

// mirrorTime is how long an author waits for a guess.
const mirrorTime = 800 * time.Millisecond

// guess asks the scorer; nil if it has no answer in time. What it cannot do is no trouble of the author's.
func (b *Bot) guess(ctx context.Context, s Scorer, text string, lang prompts.Lang) []Evidence {
	ctx, cancel := context.WithTimeout(ctx, mirrorTime)
	defer cancel()
	done := make(chan []Evidence, 1)
	go func() {
		var found []Evidence
		defer func() {
			if p := recover(); p != nil {
				b.panicked("mirror", p)
				found = nil
			}
			done <- found
		}()
		if all, err := s.Score(ctx, text, lang); err == nil && sound(text, all) { // an error may hold the text: it is not logged
			found = all
		}
	}()
	select {
	case found := <-done:
		return found
	case <-ctx.Done():
		return nil
	}
}

// sound says whether reasons are stretches of the text, in its order.
func sound(text string, found []Evidence) bool {
	for _, e := range found {
		end := 0
		for _, r := range e.Reasons {
			if r.From < end || r.To <= r.From || r.To > len(text) {
				return false
			}
			end = r.To
		}
	}
	return true
}

// mirror is what the author of a text may be shown; nil if nothing.
func (b *Bot) mirror(ctx context.Context, text string, r Round) *Evidence {
	if text == "" || r.Kind != RoundQuestion || len(FindHeavy(text, b.o.Heavy)) > 0 { // who writes something heavy is asked nothing more
		return nil
	}
	scorer := b.scorer(ctx)
	found := b.guess(ctx, scorer, text, r.Lang)
	if len(found) == 0 || r.order(found[0].Tension) < 0 {
		return nil
	}
	judged, err := b.o.Store.Judged(ctx, scorer.Name())
	if err != nil {
		return nil
	}
	if e, ok := Mirror(scorer.Name(), found, judged); ok {
		return &e
	}
	return nil
}

// mirrorWords says a guess, with the words as its author wrote them and without a score.
func (r Round) mirrorWords(key string, e Evidence, text string, lang prompts.Lang) string {
	var words []string
	for _, at := range e.Reasons {
		words = append(words, "'"+strings.Join(strings.Fields(at.In(text)), " ")+"'")
	}
	label := ""
	if i := r.order(e.Tension); i >= 0 {
		label = r.Offers[i].Label.In(lang)
	}
	return sayer(lang)(key, "tension", label, "words", strings.Join(words, ", "))
}

// mirrorBlocks asks whether a guess is right.
func (r Round) mirrorBlocks(e Evidence, text string, lang prompts.Lang) []Block {
	say := sayer(lang)
	return []Block{Text(Span{Text: r.mirrorWords("reply.mirror", e, text, lang)}), {Kind: BlockActions, Actions: []Action{
		{Do: "mirror", Round: r.ID, Arg: "yes", Label: say("reply.mirror-yes"), Typed: say("reply.mirror-yes-word")},
		{Do: "mirror", Round: r.ID, Arg: "no", Label: say("reply.mirror-no"), Typed: say("reply.mirror-no-word")},
	}}}
}

// asked says whether a ballot was shown that guess by the act of that version: the same act again is shown it again.
func (s *slip) asked(e *Evidence, at int64) bool {
	return e != nil && s != nil && s.Plain == plainUnknown && s.Guess == e.Tension && s.GuessAt == at
}

// mirrorForm is the mirror of a form that is gone once it is sent in: it comes back once, and asks in its own field. That it
// was shown lies at the author's address before it is: what is chosen next is an answer to it, whatever happens in between.
func (b *Bot) mirrorForm(ctx context.Context, s *seat, e FormSubmitted, guess *Evidence, text string, at int64) (wrong map[string]string, err error) {
	first := false
	_, err = b.write(ctx, s.box, s.at, func(h *hand) (err error) {
		first, err = h.look(guess.Tension, at)
		return err
	})
	if err != nil || !first {
		return nil, err
	}
	return map[string]string{"tags": s.round.mirrorWords("reply.mirror-form", *guess, text, e.Lang)}, nil
}

// look notes that a guess is shown before there is a reply. show is false if its author was shown one before, or if the act
// comes too late; the same act again is shown it again.
func (h *hand) look(guess prompts.TensionID, at int64) (show bool, err error) {
	if h.floor() >= at || h.ballot != nil && h.ballot.Version >= at {
		return false, errSame
	}
	if seen := h.seen(); seen != nil {
		return seen.Guess == guess && seen.GuessAt == at, errSame
	}
	d := h.newDraft()
	d.Guess, d.GuessAt = guess, at
	h.aside = d
	return true, nil
}

// seen is what knows of a guess that the mirror showed this person; nil if none. It outlives the reply that it was about.
func (h *hand) seen() *slip {
	for _, s := range []*slip{h.ballot, h.aside} {
		if s != nil && s.Guess != "" {
			return s
		}
	}
	return nil
}

// remind keeps what an older slip knows of a guess.
func (s *slip) remind(older *slip) {
	if older != nil && s.Guess == "" {
		s.Guess, s.GuessAt = older.Guess, older.GuessAt
	}
}

// reflected keeps over from what lay there before what its author was asked, and notes what is asked now.
func (s *slip) reflected(h *hand, guess *Evidence) {
	s.remind(h.seen())
	if before := h.ballot; before != nil && before.Wait == awaitMirror && s.Plain == plainUnknown { // the question still stands
		s.Wait = awaitMirror
	}
	if s.Guess == "" && guess != nil && s.Plain == plainUnknown {
		s.Guess, s.GuessAt, s.Wait = guess.Tension, s.Version, awaitMirror
	}
}

// mirrored says whether a tag is one that a mirror showed its author first, however it was chosen afterwards.
func (s *slip) mirrored(tag prompts.TensionID) bool { return tag == s.Guess || tag == s.Mirror }

// reflect takes the author's answer to the mirror.
func (h *hand) reflect(yes bool, at int64) error {
	if h.ballot == nil {
		return errNothing
	}
	if at < h.ballot.Version || at < h.ballot.TagsAt {
		return errSame
	}
	changed := h.ballot.reflect(yes, at)
	if h.draft() && h.aside.Wait == awaitShare {
		changed = h.aside.reflect(yes, at) || changed
	}
	if !changed {
		return errSame
	}
	return nil
}

func (s *slip) reflect(yes bool, at int64) (changed bool) {
	if s.Guess == "" || s.Plain != plainUnknown {
		return false
	}
	if yes {
		s.Tags, s.Plain, s.TagsAt, s.Mirror, changed = []prompts.TensionID{s.Guess}, "", at, s.Guess, true
	}
	if s.Wait == awaitMirror {
		s.Wait, changed = "", true
	}
	return changed
}

// answerMirror handles yes or no to a guess.
func (b *Bot) answerMirror(ctx context.Context, s *seat, f From, yes bool) (Response, error) {
	now, _, err := b.writeSeat(ctx, s, func(h *hand) error { return h.reflect(yes, version(f.At)) })
	if err != nil {
		return b.refused(err, f.Lang)
	}
	if r, ok := b.mirrorAnswered(now, yes, f.Lang); ok {
		return r, nil
	}
	return b.whereNow(ctx, s, f)
}

// mirrorAnswered says what the answer to a guess came to, as often as it comes.
func (b *Bot) mirrorAnswered(s *seat, yes bool, lang prompts.Lang) (Response, bool) {
	switch {
	case s.ballot == nil || s.ballot.Guess == "" || s.ballot.Wait != "" && s.ballot.Wait != awaitTags:
		return Response{}, false
	case yes && s.ballot.Mirror != "":
		return s.noted(lang), true
	case !yes && s.ballot.Plain == plainUnknown:
		return sayer(lang).message("reply.mirror-open"), true
	}
	return Response{}, false
}

// mirrorWord reads a short message as the answer to a guess.
func mirrorWord(word string) (yes, ok bool) {
	switch word {
	case "ja", "yes", "klopt", "ja klopt":
		return true, true
	case "nee", "no", "nee hoor":
		return false, true
	}
	return false, false
}

// JudgedBy are additions to the totals of one scorer.
type JudgedBy struct {
	Scorer   string
	Tensions map[prompts.TensionID]Modes
}

// judge works out, while the texts are open, how often the scorer would have been right about what authors tagged from
// the list. Of a guess that was shown the answer is anchored, so those are left out.
func (b *Bot) judge(ctx context.Context, r Round, slips []*slip) *JudgedBy {
	if r.Kind != RoundQuestion {
		return nil
	}
	totals := map[prompts.TensionID]Modes{}
	var scorer Scorer
	for _, s := range slips {
		text := s.text()
		if text == "" || s.Guess != "" || !s.tagged() || s.Plain == plainUnknown {
			continue
		}
		if scorer == nil { // nobody waits for one that has nothing to read
			scorer = b.scorer(ctx)
		}
		found := b.guess(ctx, scorer, text, r.Lang)
		if found == nil { // a scorer that is out of order holds up no closing
			break
		}
		if len(found) > 0 && r.order(found[0].Tension) < 0 { // it was not on the list
			continue
		}
		Judge(totals, found, s.Tags)
	}
	if len(totals) == 0 {
		return nil
	}
	return &JudgedBy{Scorer: scorer.Name(), Tensions: totals}
}
