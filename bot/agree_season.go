package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
)

// withAgreements puts into a season's overview what the team chose and what became of it. What people wrote is read now, so
// that what was taken away is not in it. spent is how many words the message has besides.
func (b *Bot) withAgreements(ctx context.Context, m Message, t Team, rounds []Round, now time.Time, spent int) (Message, error) {
	season := max(t.Season, 1)
	from := seasonShown(t, rounds)
	quotes := map[RoundID][]Reply{}
	for _, a := range t.Agreements {
		for _, r := range rounds {
			if r.ID != a.LookBack || r.State != RoundGivenBack {
				continue
			}
			replies, err := b.released(ctx, r)
			if err != nil {
				return Message{}, err
			}
			quotes[r.ID] = replies
		}
	}
	room := seasonWords - spent - wordsOf(m)
	blocks := seasonAgreements(t, rounds, from, season, m.Lang, now, room, func(id RoundID) []Reply { return quotes[id] })
	at := len(m.Blocks)
	if at > 0 && m.Blocks[at-1].Kind == BlockNote {
		at--
	}
	m.Blocks = slices.Insert(slices.Clone(m.Blocks), at, blocks...)
	return m, nil
}

// wordsOf is how many words a message has, besides the map of a season.
func wordsOf(m Message) int {
	n := 0
	for _, b := range m.Blocks {
		if b.Kind != BlockCode && b.Kind != BlockPicture {
			n += len(strings.Fields(Message{Blocks: []Block{b}}.Plain()))
		}
	}
	return n
}

// composeSeason makes the post at a season's end when it leaves, and again when a reply is taken away: the overview of the
// season it is about, and while people may choose, what the team is asked.
func (b *Bot) composeSeason(ctx context.Context, vote Round) (Message, error) {
	t, err := b.o.Store.Team(ctx, vote.Team)
	if err != nil {
		return Message{}, err
	}
	lib, err := b.library(ctx)
	if err != nil {
		return Message{}, err
	}
	rounds, err := b.o.Store.Rounds(ctx, vote.Team)
	if err != nil {
		return Message{}, err
	}
	// As it was then: the team may have gone on since.
	rounds = slices.DeleteFunc(rounds, func(r Round) bool { return r.Opens.After(vote.Opens) })
	t.Season = vote.Season
	t.Agreements = slices.DeleteFunc(slices.Clone(t.Agreements), func(a Agreement) bool { return a.Round != vote.ID && a.Asked.After(vote.Opens) })
	text, picture, err := b.leaves(ctx, t, rounds, &lib)
	if err != nil {
		return Message{}, err
	}
	asked := seasonAsks(t, vote) // it keeps their room when they go, so that nothing else changes then
	var asks []Block
	if vote.State == RoundOpen {
		asks = asked
	}
	m, err := b.withAgreements(ctx, seasonNow(t, rounds, &lib, vote.Lang, text, picture), t, rounds, vote.Opens, wordsOf(Message{Blocks: asked}))
	m.Blocks = append(m.Blocks, asks...)
	return m, err
}

// seasonAsks are what a team is asked at a season's end: what it does with what came back, and
// whether it goes on.
func seasonAsks(t Team, vote Round) (asks []Block) {
	say := sayer(vote.Lang)
	if t.agreementAfter(vote.ID) != nil {
		asks = append(asks, Text(Rich(say("agree.ask-season"))...), agreeActions(vote.ID, vote.Lang))
	}
	return append(asks, Text(Rich(say("vote.season-ask"), "closing", locale.Moment(vote.Lang, vote.Closes.In(zoneOf(vote.Zone))))...), voteActions(vote))
}

// shortName is what people call a manager, on one line.
func shortName(name string) string {
	s := []rune(strings.Join(strings.Fields(clean(name)), " "))
	return string(s[:min(len(s), managerRunes)])
}
