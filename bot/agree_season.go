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
	from := season
	if young(rounds, season) { // then it is the one before that is shown
		from = max(season-1, 1)
	}
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

// young says whether a season has too few rounds with content to say more than the one before.
func young(rounds []Round, season int) bool {
	content := 0
	for _, r := range rounds {
		if r.Kind == RoundQuestion && r.Season == season && hasContent(r) {
			content++
		}
	}
	return content < youngSeason
}

// wordsOf is how many words a message has, besides the map of a season.
func wordsOf(m Message) int {
	n := 0
	for _, b := range m.Blocks {
		if b.Kind != BlockCode && b.Kind != BlockPicture {
			n += len(strings.Fields(spansText(b.Spans)))
		}
		for _, a := range b.Actions {
			n += len(strings.Fields(a.Label))
		}
	}
	return n
}

// endSeason notes what belongs to a season's end besides the vote: the question what the team chooses, and which look-backs
// its overview quotes.
func (t *Team) endSeason(vote Round, rounds []Round, at time.Time) {
	if asksAtSeasonEnd(vote.Season, vote.Due, rounds, t.Agreements, zoneOf(vote.Zone)) {
		t.ask(vote, at, false)
	}
	t.Agreements = slices.Clone(t.Agreements)
	for i, a := range t.Agreements {
		if a.LookBack != "" {
			t.Agreements[i].Overviews = append(slices.Clone(a.Overviews), vote.ID)
		}
	}
}

// seasonEnd is the overview at a season's end with what it asks: what the team chooses, and whether it goes on. It is made anew
// whenever it is changed, of the season it was about.
func (b *Bot) seasonEnd(ctx context.Context, vote Round) (Message, error) {
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
	rounds = slices.DeleteFunc(rounds, func(r Round) bool { return r.Opens.After(vote.Opens) })
	t.Season = vote.Season
	t.Agreements = slices.DeleteFunc(slices.Clone(t.Agreements), func(a Agreement) bool { return a.Round != vote.ID && a.Asked.After(vote.Opens) })
	return b.seasonVote(ctx, seasonNow(t, rounds, &lib, vote.Lang), t, rounds, vote)
}

// seasonVote puts what came back over the season before what the team is asked at its end.
func (b *Bot) seasonVote(ctx context.Context, overview Message, t Team, rounds []Round, vote Round) (Message, error) {
	say := sayer(vote.Lang)
	var asks []Block
	if t.agreementAfter(vote.ID) != nil {
		asks = append(asks, Text(Rich(say("agree.ask-season"))...), agreeActions(vote.ID, vote.Lang))
	}
	asks = append(asks, Text(Rich(say("vote.season-ask"), "closing", locale.Moment(vote.Lang, vote.Closes.In(zoneOf(vote.Zone))))...), voteActions(vote))
	m, err := b.withAgreements(ctx, overview, t, rounds, vote.Opens, wordsOf(Message{Blocks: asks}))
	m.Blocks = append(m.Blocks, asks...)
	return m, err
}

// shortName is what people call a manager, on one line.
func shortName(name string) string {
	s := []rune(strings.Join(strings.Fields(clean(name)), " "))
	return string(s[:min(len(s), managerRunes)])
}
