package bot

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// What a round counted is forgotten a year after its season ended: the tally with its words, and what was said of it. That it
// was asked stays, so that a question keeps its rest; that it had content stays too, so that no window or block is ever cut
// another way.

// KeepCountsYears is how long after the end of a season its counts are kept.
const KeepCountsYears = 1

// counts says whether a round holds anything that it counted.
func (r Round) counts() bool {
	return r.Kind == RoundQuestion && (r.State == RoundGivenBack || r.State == RoundTooFew) &&
		(r.Tally != nil || len(r.Statements) > 0 || len(r.News) > 0)
}

// countsUntil is the moment at which it is looked at whether a round's counts must be forgotten; zero: it has none.
func (r Round) countsUntil() time.Time {
	switch {
	case !r.counts():
		return time.Time{}
	case r.Counts.IsZero():
		return later(r.GivesBack, r.Closes).AddDate(KeepCountsYears, 0, 0)
	}
	return r.Counts
}

// had says whether a round counted once, also if what it counted is forgotten.
func (r Round) had() bool { return r.Counted || hasContent(r) }

// forgotten says whether what one of some rounds counted is gone: of them together nothing can be said any more.
func forgotten(rounds []Round) bool {
	return slices.ContainsFunc(rounds, func(r Round) bool { return r.Tally == nil })
}

// seasonEnd is the last give-back of a season.
func seasonEnd(rounds []Round, season int) (end time.Time) {
	for _, r := range rounds {
		if r.Kind == RoundQuestion && r.Season == season && r.State != RoundLapsed {
			end = later(end, later(r.GivesBack, r.Closes))
		}
	}
	return end
}

// forgetCounts ends the retention of what a round counted, in one transaction; the freed pages are erased behind it. While the
// season is not a year over it only says when to look again.
func (b *Bot) forgetCounts(ctx context.Context, r Round, now time.Time) error {
	rounds, err := b.o.Store.Rounds(ctx, r.Team)
	if err != nil {
		return err
	}
	if until := seasonEnd(rounds, r.Season).AddDate(KeepCountsYears, 0, 0); until.After(now) {
		return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, _ *Team) (Also, error) {
			r.Counts = until.UTC()
			return Also{}, nil
		})
	}
	err = b.o.Store.ClearShelf(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		if r.Held || !r.Keep.IsZero() || !r.counts() { // replies go first, and the law may ask for them
			return Also{}, errSame
		}
		r.Counted = r.had()
		r.Tally, r.Statements, r.News, r.Counts = nil, nil, nil, time.Time{}
		r.Reasons = slices.DeleteFunc(slices.Clone(r.Reasons), func(why prompts.Reason) bool { return why.Key == "recurring" })
		t.Words = slices.DeleteFunc(slices.Clone(t.Words), func(n WordNote) bool { return n.Round == r.ID })
		return Also{}, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	b.tidyLater()
	return err
}
