package bot

import (
	"context"
	"errors"
	"time"
)

// Seen is one thing that a team was told about a round, made again from what is kept now: words whose retention ended, or
// that their author took away, are not in it.
type Seen struct {
	Round int       `json:"round"` // number in the team's life
	What  SeenKind  `json:"what"`
	At    time.Time `json:"at"` // when it was due
	Text  string    `json:"text"`
}

// SeenKind is what a team was told.
type SeenKind string

// The kinds of what a team was told about a round.
const (
	SeenQuestion SeenKind = "question"
	SeenGiveBack SeenKind = "give-back"
	SeenQuotes   SeenKind = "quotes"
	SeenWords    SeenKind = "new words"
	SeenGuide    SeenKind = "guide"
	SeenTold     SeenKind = "what comes back"
	SeenTooFew   SeenKind = "too few"
	SeenLost     SeenKind = "lost"
	SeenChoice   SeenKind = "agreement"
	SeenFollow   SeenKind = "follow-up"
)

// Export returns what a team has seen of its rounds, oldest first: nothing that was not posted in its channel (TRUST 7,
// P11). Errors: ErrNotFound.
func (b *Bot) Export(ctx context.Context, team TeamID) ([]Seen, error) {
	t, err := b.o.Store.Team(ctx, team)
	if err != nil {
		return nil, err
	}
	rounds, err := b.o.Store.Rounds(ctx, team)
	if err != nil {
		return nil, err
	}
	lib, err := b.library(ctx)
	if err != nil {
		return nil, err
	}
	out := []Seen{}
	for _, r := range rounds {
		var broken error
		add := func(what SeenKind, step string, at time.Time, m Message) {
			p, err := b.o.Store.Post(ctx, stepPost(r.ID, step))
			if err != nil && !errors.Is(err, ErrNotFound) {
				broken = err
			}
			if err == nil && p.State == PostSent { // what waits, or never left, nobody has seen
				out = append(out, Seen{r.Number, what, at, m.Plain()})
			}
		}
		choice := func() { // whatever became of the round: what a team chose is its own
			if a := t.agreementAfter(r.ID); a != nil {
				add(SeenChoice, stepAgree, a.Asked, agreementMessage(*a, zoneOf(t.Settings.Zone), a.Asked.AddDate(0, 0, agreeEvery)))
			}
		}
		switch {
		case r.State == RoundPlanned || r.State == RoundLapsed:
			continue
		case r.Kind == RoundTalk:
			add(SeenQuestion, "prompt", r.Opens, b.talkMessage(r))
			continue
		case r.Kind == RoundFollow:
			add(SeenFollow, "prompt", r.Opens, Invitation(r, false))
			switch r.State {
			case RoundTooFew:
				add(SeenTooFew, "give-back", r.GivesBack, FollowedTooFew(r))
			case RoundLost:
				add(SeenLost, "lost", r.Closes, Lost(r))
			case RoundGivenBack:
				replies, err := b.released(ctx, r)
				if err != nil {
					return nil, err
				}
				for page, quotes := range Followed(r, replies) {
					add(SeenQuotes, threadStep(page), r.GivesBack, quotes)
				}
			}
			if broken != nil {
				return nil, broken
			}
			continue
		case r.Kind != RoundQuestion:
			if choice(); broken != nil { // of a season's end
				return nil, broken
			}
			continue
		}
		asked := r
		asked.State = RoundOpen
		add(SeenQuestion, "prompt", r.Opens, b.promptMessage(asked, false))
		switch r.State {
		case RoundTooFew:
			add(SeenTooFew, "give-back", r.GivesBack, TooFew(r, &lib, r.Then == RoundPace))
			add(SeenTold, "told", r.GivesBack, Told(r))
		case RoundLost:
			add(SeenLost, "lost", r.Closes, Lost(r))
		case RoundGivenBack:
			if r.Tally == nil { // what it counted is forgotten
				break
			}
			replies, err := b.released(ctx, r)
			if err != nil {
				return nil, err
			}
			given := GiveBack(r, replies, &lib, nil)
			add(SeenGiveBack, "give-back", r.GivesBack, given.Message)
			for page, quotes := range given.Thread {
				add(SeenQuotes, threadStep(page), r.GivesBack, quotes)
			}
			if len(r.News) > 0 {
				add(SeenWords, "words", r.GivesBack, newsMessage(r, t.notesOf(r.ID), &lib))
			}
			add(SeenTold, "told", r.GivesBack, Told(r))
			if given.Guide != nil {
				add(SeenGuide, "guide", r.GivesBack, *given.Guide)
			}
		}
		choice()
		if broken != nil {
			return nil, broken
		}
	}
	return out, nil
}
