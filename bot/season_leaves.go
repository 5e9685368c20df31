package bot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/seasonpic"
	"github.com/weerklank/weerklank/prompts"
)

// The leaves of a season's overview: each pole of a tension in words that somebody shared, or in what it protects. They are made
// when the message leaves, and again when a reply is taken away.

// What a leaf holds: a whole quote, or none.
const (
	leafWords = 8
	leafRunes = 60
)

// leafQuotes are the quotes on the leaves of tensions, one for each pole; empty where there is none.
type leafQuotes map[prompts.TensionID][2]string

// pickLeaves picks them from the replies of a season's rounds. A quote stands under a pole only if its round asked about that
// tension and shows its sign, its author named the tension and stood there, and three or more stood there. Which one it is
// follows from the random IDs alone.
func pickLeaves(rounds []Round, lib *prompts.Library, replies func(Round) ([]Reply, error)) (leafQuotes, error) {
	out, best := leafQuotes{}, map[string][]byte{}
	for _, r := range rounds {
		t, ok := leafTension(r, lib)
		if !ok {
			continue
		}
		all, err := replies(r)
		if err != nil {
			return nil, err
		}
		for _, q := range quotable(all) {
			side := slices.Index([]Stance{StanceA, StanceB}, q.Stance)
			if side < 0 || r.Tally.Stances[q.Stance] < minCell || !slices.Contains(q.Tags, t.ID) || !leafy(string(q.Text)) {
				continue
			}
			place := string(t.ID) + "/" + string(q.Stance)
			mark := sha256.Sum256([]byte(place + "/" + string(q.ID)))
			if had := best[place]; had == nil || bytes.Compare(mark[:], had) < 0 {
				best[place] = mark[:]
				both := out[t.ID]
				both[side] = string(q.Text)
				out[t.ID] = both
			}
		}
	}
	return out, nil
}

// leafTension is the tension whose leaves a round's replies may stand on, if there is one.
func leafTension(r Round, lib *prompts.Library) (prompts.Tension, bool) {
	if r.Prompt.Kind != prompts.Dilemma || len(r.Prompt.Tensions) != 1 || r.Keep.IsZero() {
		return prompts.Tension{}, false
	}
	t, ok := lib.Tension(r.Prompt.Tensions[0])
	return t, ok && symbol(r, t) == symAsked && large(r.Tally, r.MinReplies)
}

// leafy says whether a text fits on a leaf whole, on one line, without signs that mean something in a block of code.
func leafy(text string) bool {
	words := strings.Fields(text)
	return len(words) <= leafWords && utf8.RuneCountInString(text) <= leafRunes && !strings.ContainsAny(text, "\n`@") &&
		!slices.ContainsFunc(words, func(w string) bool { return utf8.RuneCountInString(w) > lineRunes-8 })
}

// leavesOf are the leaves of a tension in a picture.
func leavesOf(t prompts.Tension, quotes [2]string, lang prompts.Lang) []seasonpic.Leaf {
	out := []seasonpic.Leaf{{Pole: t.A.In(lang), Text: t.ProtectsA.In(lang)}, {Pole: t.B.In(lang), Text: t.ProtectsB.In(lang)}}
	for i := range out {
		if quotes[i] != "" {
			out[i].Text, out[i].Quote = quotes[i], true
		} else {
			out[i].Text = locale.Say(lang, "season.leaf-protects", "protects", out[i].Text)
		}
	}
	return out
}

// leafLines are a tension's quotes in the text version, under the names of its poles.
func leafLines(t prompts.Tension, quotes [2]string, lang prompts.Lang) (lines []string) {
	a, b, ok := strings.Cut(t.Short.In(lang), "↔")
	if !ok {
		a, b = t.A.In(lang), t.B.In(lang)
	}
	for i, pole := range []string{a, b} {
		if quotes[i] == "" {
			continue
		}
		line := " "
		for w := range strings.FieldsSeq(strings.TrimSpace(pole) + `: "` + quotes[i] + `"`) {
			if utf8.RuneCountInString(line+" "+w) > lineRunes {
				lines, line = append(lines, line), "   "
			}
			line += " " + w
		}
		lines = append(lines, line)
	}
	return lines
}

// Painter is what a chat can do besides: with an edit its pictures are new. Elsewhere a picture stays as it was posted, so that
// none there holds anybody's words.
type Painter interface {
	Repaints() bool
}

// leaves gathers what the overview of a team may quote: of all its rounds, of which each season takes its own.
func (b *Bot) leaves(ctx context.Context, t Team, rounds []Round, lib *prompts.Library) (text, picture leafQuotes, err error) {
	rounds = slices.DeleteFunc(slices.Clone(rounds), func(r Round) bool { return r.Season != max(t.Season, 1) })
	text, err = pickLeaves(rounds, lib, func(r Round) ([]Reply, error) { return b.released(ctx, r) })
	if p, ok := b.chatOf(t.ID).(Painter); ok && p.Repaints() {
		picture = text
	}
	return text, picture, err
}

// overviewsWith finds the overviews that may quote the reply with a receipt: that of its season if it fits on a leaf, and all
// from then on if its round looked back. The others stay as they are: what is made anew loses the quotes whose own time is over.
func (b *Bot) overviewsWith(ctx context.Context, receipt [32]byte) (votes []RoundID, err error) {
	var of Round
	var t Team
	err = b.o.Store.Unshelve(ctx, receipt, func(r *Round, team *Team) (Also, error) {
		of, t = *r, *team
		return Also{}, errSame // only looked
	})
	if err != errSame {
		return nil, err
	}
	if of.Kind != RoundQuestion {
		return nil, nil
	}
	lib, err := b.library(ctx)
	if err != nil {
		return nil, err
	}
	_, onLeaf := leafTension(of, &lib)
	if onLeaf {
		if onLeaf, err = b.mayBeLeaf(ctx, of, receipt); err != nil {
			return nil, err
		}
	}
	lookedBack := slices.ContainsFunc(t.Agreements, func(a Agreement) bool { return a.LookBack == of.ID })
	rounds, err := b.o.Store.Rounds(ctx, of.Team)
	for _, r := range rounds {
		if r.Kind == RoundSeason && (onLeaf && r.Season == of.Season || lookedBack && r.Season >= of.Season) {
			votes = append(votes, r.ID)
		}
	}
	return votes, err
}

// mayBeLeaf says whether the reply with a receipt fits on a leaf; one that does not open might.
func (b *Bot) mayBeLeaf(ctx context.Context, of Round, receipt [32]byte) (bool, error) {
	sealed, err := b.o.Store.Shelf(ctx, of.ID)
	if err != nil {
		return false, err
	}
	replies, err := b.released(ctx, of)
	if err != nil {
		return false, err
	}
	for _, s := range sealed {
		if i := slices.IndexFunc(replies, func(q Reply) bool { return q.ID == s.ID }); s.Receipt == receipt && i >= 0 {
			return leafy(string(replies[i].Text)), nil
		}
	}
	return true, nil
}

// repaint edits overviews after a reply was taken away.
func (b *Bot) repaint(team TeamID, votes []RoundID, now time.Time) (posts []Post) {
	for _, id := range votes {
		of := stepPost(id, "prompt")
		p := b.say(team, PostID(string(of)+"/"+newKey()), Message{}, now)
		p.EditOf, p.Round, p.Part = of, id, PartSeason
		posts = append(posts, p)
	}
	return posts
}
