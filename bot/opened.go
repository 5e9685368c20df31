package bot

import (
	"context"
	"errors"
	"time"
)

// OpenSince is when the oldest round opened that still takes replies or votes; zero: there is none. An adapter that was
// away asks a platform for nothing older.
func (b *Bot) OpenSince(ctx context.Context) (time.Time, error) {
	teams, err := b.o.Store.Teams(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var since time.Time
	for _, t := range teams {
		for _, id := range t.Boxes() {
			r, err := b.o.Store.Round(ctx, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return time.Time{}, err
			}
			if r.State == RoundOpen && (since.IsZero() || r.Opens.Before(since)) {
				since = r.Opens
			}
		}
	}
	return since, nil
}
