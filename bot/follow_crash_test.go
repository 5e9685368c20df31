package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// cutStore is the real store with the real key slots, of a process that dies before or after its left-th write: nothing it does
// from then on reaches them. Seen from outside a call that was under way may have happened or not; both are tried.
type cutStore struct {
	bot.Store
	keys   bot.Keys
	left   int
	after  bool // the last write still happens
	writes int
}

var errCut = errors.New("cut off")

func (d *cutStore) do(write func() error) error {
	d.writes++
	d.left--
	switch {
	case d.left > 0:
		return write()
	case d.left == 0 && d.after:
		return errors.Join(write(), errCut)
	}
	return errCut
}

func (d *cutStore) PlanRound(ctx context.Context, r bot.Round, edit func(*bot.Team) (bot.Also, error)) error {
	return d.do(func() error { return d.Store.PlanRound(ctx, r, edit) })
}

func (d *cutStore) UpdateRound(ctx context.Context, id bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return d.do(func() error { return d.Store.UpdateRound(ctx, id, edit) })
}

func (d *cutStore) UpdateTeam(ctx context.Context, id bot.TeamID, edit func(*bot.Team) (bot.Also, error)) error {
	return d.do(func() error { return d.Store.UpdateTeam(ctx, id, edit) })
}

func (d *cutStore) Release(ctx context.Context, id bot.RoundID, replies []bot.SealedReply, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return d.do(func() error { return d.Store.Release(ctx, id, replies, edit) })
}

func (d *cutStore) UpdatePost(ctx context.Context, id bot.PostID, edit func(*bot.Post) (bot.Also, error)) error {
	return d.do(func() error { return d.Store.UpdatePost(ctx, id, edit) })
}

func (d *cutStore) Erase(ctx context.Context) error {
	return d.do(func() error { return d.Store.Erase(ctx) })
}

// cutKeys is the other side of cutStore.
type cutKeys struct {
	bot.Keys
	d *cutStore
}

func (k cutKeys) Create(ctx context.Context, slots ...bot.KeySlot) error {
	return k.d.do(func() error { return k.Keys.Create(ctx, slots...) })
}

func (k cutKeys) Destroy(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	return k.d.do(func() error { return k.Keys.Destroy(ctx, names...) })
}

// The process dies at every write of a follow-up's way, and mostly once more soon after: while its box is opened, and while it is closed and
// given back. Each time the next process brings it to the same end: one box, one invitation, one give-back with everything
// that was shared, and no key that is not needed.
func TestFollowUpCutAnywhere(t *testing.T) {
	for _, part := range []string{"opening", "closing"} {
		for n, done := 1, false; !done; n++ {
			chattest.Bubble(t, func(t *testing.T) {
				if cutFollowUp(t, part, n, n%3).left > 0 { // nothing is left to cut
					done = true
					if n < 5 {
						t.Errorf("%s has %d writes: the test looks in the wrong place", part, n)
					}
				}
			})
		}
	}
}

func cutFollowUp(t *testing.T, part string, n, again int) (first *cutStore) {
	w, q := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	w.six(q)
	die := func(at bot.Round, n int, after bool) *cutStore {
		d := &cutStore{Store: w.db, keys: w.keys, left: n, after: after}
		o := w.o
		o.Store, o.Keys, o.Chats = d, cutKeys{w.keys, d}, []bot.Chat{w.fake}
		b, err := bot.New(o)
		if err != nil {
			t.Fatal(err)
		}
		w.until(at.GivesBack)
		b.Step(ctx, at.GivesBack)
		return d
	}
	cut := func(at bot.Round) {
		first = die(at, n, n%2 == 0)
		if again > 0 {
			die(at, again, again == 1)
		}
	}
	w.step(q.Closes)
	if part == "opening" {
		cut(q)
	}
	w.step(q.GivesBack)
	f := w.followUp()
	w.shares(f, 5)
	w.editTeam(func(t *bot.Team) { t.SkipNext = true })
	if part == "closing" {
		cut(f)
	}
	w.step(f.Closes)
	w.close() // a start looks through the slots
	w.open()
	w.run()
	synctest.Wait()
	w.stop()
	w.stop = nil
	rounds, err := w.db.Rounds(ctx, crew)
	if err != nil || len(rounds) != 2 || len(w.said(shut)) != 1 || len(w.said("Terugblik")) != 1 {
		t.Errorf("%s, cut at %d and %d: %d rounds, %v\n%s", part, n, again, len(rounds), err, w.channel(crew))
	}
	given := w.said(gaveOn)
	if len(given) != 1 {
		t.Fatalf("%s, cut at %d and %d: given back %d times\n%s", part, n, again, len(given), w.channel(crew))
	}
	for i := 2; i < 7; i++ {
		if words := fmt.Sprintf("verder volgens p%d", i); strings.Count(given[0].Message.Plain(), words) != 1 {
			t.Errorf("%s, cut at %d and %d: %q in\n%s", part, n, again, words, given[0].Message.Plain())
		}
	}
	slots, err := w.keys.Slots(ctx)
	want := []string{string(q.ID) + ".shelf", string(f.ID) + ".shelf"}
	slices.Sort(want)
	if slices.Sort(slots); err != nil || !slices.Equal(slots, want) {
		t.Errorf("%s, cut at %d and %d: slots %v, want %v", part, n, again, slots, want)
	}
	return first
}
