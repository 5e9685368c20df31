package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
)

// Kept is a closed round whose released replies are still on the shelf, for the operator: no content.
type Kept struct {
	Team   TeamID    `json:"team"`
	Name   string    `json:"name"`
	Number int       `json:"number"`
	Title  string    `json:"title"` // of the question, in the team's language
	Closed time.Time `json:"closed"`
	Until  time.Time `json:"until"` // when retention ends
	Held   bool      `json:"held"`
}

// KeptRounds lists the closed rounds whose replies are still on the shelf, by team and number.
func KeptRounds(ctx context.Context, s Store) ([]Kept, error) {
	teams, err := s.Teams(ctx)
	if err != nil {
		return nil, err
	}
	out := []Kept{}
	for _, t := range teams {
		rounds, err := s.Rounds(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range rounds {
			if !r.Keep.IsZero() {
				out = append(out, Kept{t.ID, t.Name, r.Number, r.title(r.Lang), r.Closes, r.Keep, r.Held})
			}
		}
	}
	slices.SortFunc(out, func(a, b Kept) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Number, b.Number), a.Closed.Compare(b.Closed))
	})
	return out, nil
}

// Hold keeps a closed round's replies, and those of its follow-up once that is closed too, beyond retention because the law asks for it, or ends that. It touches no ballot: an
// open round has nothing to hold. The channel is told, and the audit log keeps by (TRUST 7, P6). ErrNotFound: no such
// round, or nothing of it is on the shelf. Asked again it changes nothing.
func Hold(ctx context.Context, s Store, team TeamID, number int, on bool, by ActorID, now time.Time) error {
	rounds, err := s.Rounds(ctx, team)
	if err != nil {
		return err
	}
	rounds = slices.DeleteFunc(rounds, func(r Round) bool { return r.Number != number || r.Keep.IsZero() })
	if len(rounds) == 0 {
		return ErrNotFound
	}
	held := error(ErrNotFound)
	for _, r := range rounds { // the question, and the follow-up that belongs to it; one of them may be gone already
		err := holdOne(ctx, s, r.ID, on, by, now)
		if err == nil {
			held = nil
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return held
}

// heldPost tells a channel that a round's replies are kept longer, or no more.
func heldPost(r Round, t Team, now time.Time) Post {
	lang := t.Settings.Lang
	text := locale.Text(lang, "round.held")
	if !r.Held {
		text = locale.Text(lang, "round.held-no-more")
	}
	m := Message{Lang: lang, Blocks: []Block{Text(Rich(text, "title", locale.Capital(r.title(lang)), "date", locale.Day(lang, r.Keep.In(zoneOf(r.Zone))))...)}}
	return Post{ID: PostID(string(r.ID) + "/hold/" + newKey()), Key: newKey(), Team: t.ID, Message: m, State: PostQueued, After: now}
}

func holdOne(ctx context.Context, s Store, id RoundID, on bool, by ActorID, now time.Time) error {
	err := s.UpdateRound(ctx, id, func(r *Round, t *Team) (Also, error) {
		switch {
		case r.Keep.IsZero() || r.Forgets:
			return Also{}, ErrNotFound
		case r.Held == on:
			return Also{}, errSame
		}
		r.Held = on
		what := "hold"
		if !on {
			what = "hold ended"
		}
		return Also{
			Posts: []Post{heldPost(*r, *t, now)},
			Audit: []AuditEntry{{At: now.UTC(), By: by, Team: t.ID, What: what, How: strconv.Itoa(r.Number)}},
		}, nil
	})
	if err == errSame {
		return nil
	}
	return err
}

// Look has the bot look at the store at once, after something changed it from outside.
func (b *Bot) Look() {
	b.wake(b.wakeSender)
	b.wake(b.wakeAgenda)
}
