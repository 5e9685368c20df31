package bot_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// meetingKeys are the real key slots. The second who closes comes just after the first has made its key, and lets it go
// first with that.
type meetingKeys struct {
	bot.Keys
	clears, makers atomic.Int32
	first, second  chan struct{}
}

func (k *meetingKeys) wait(c <-chan struct{}) {
	select {
	case <-c:
	case <-time.After(200 * time.Millisecond):
	}
}

func (k *meetingKeys) Destroy(ctx context.Context, names ...string) error {
	if slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".shelf") }) && k.clears.Add(1) == 2 {
		k.wait(k.first)
	}
	return k.Keys.Destroy(ctx, names...)
}

func (k *meetingKeys) Create(ctx context.Context, slots ...bot.KeySlot) error {
	err := k.Keys.Create(ctx, slots...)
	switch k.makers.Add(1) {
	case 1:
		close(k.first)
		k.wait(k.second)
	case 2:
		close(k.second)
		k.wait(nil)
	}
	return err
}

// Two who close one round at the same moment (the loop, and the demo's panel): its replies open with the key that stays.
func TestTwoCloseOneRound(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.six(r)
	o := w.o
	o.Store, o.Keys, o.Chats = w.db, &meetingKeys{Keys: w.keys, first: make(chan struct{}), second: make(chan struct{})}, []bot.Chat{w.fake}
	both, err := bot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var closing sync.WaitGroup
	for range 2 {
		closing.Go(func() { both.Step(context.Background(), r.Closes) })
	}
	closing.Wait()
	w.step(r.GivesBack)
	for i := 2; i <= 7; i++ {
		if quote := fmt.Sprintf("quote van p%d", i); !strings.Contains(w.channel(crew), quote) {
			t.Errorf("%q was confirmed and is not given back", quote)
		}
	}
}

// closingStore is the real store, but the round closes as soon as somebody's reply is in the box.
type closingStore struct {
	bot.Store
	after func()
}

func (s *closingStore) Cast(ctx context.Context, id bot.RoundID, at bot.Address, edit func(bot.Slip) (bot.Slip, error)) error {
	err := s.Store.Cast(ctx, id, at, edit)
	s.after()
	return err
}

// A reply that was kept in the last moment is not called refused: it is counted and given back.
func TestKeptAtTheLastMoment(t *testing.T) {
	var typed string
	for name, act := range map[string]func(*world, bot.Round) string{
		"share": func(w *world, r bot.Round) string {
			said, err := w.fake.Press(context.Background(), "p8", "", bot.Action{Do: "share", Round: r.ID, Arg: string(bot.ShareQuote)})
			if err != nil {
				w.t.Error(err)
			}
			return plain(said)
		},
		"stance": func(w *world, _ bot.Round) string {
			_, said, err := w.fake.Type(context.Background(), "p8", "Raakt mij niet")
			if err != nil {
				w.t.Error(err)
			}
			return plain(said)
		},
		"edit": func(w *world, r bot.Round) string {
			said, err := w.fake.Send(context.Background(), bot.DirectReply{From: w.fake.From("p8", ""), Text: "Op het nippertje verbeterd.", Message: typed, Edited: true})
			if err != nil {
				w.t.Error(err)
			}
			return plain(said)
		},
		"withdraw": func(w *world, r bot.Round) string {
			said, err := w.fake.Press(context.Background(), "p8", "", bot.Action{Do: "withdraw", Round: r.ID})
			if err != nil {
				w.t.Error(err)
			}
			return plain(said)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := openWorld(t, 8)
			defer w.close()
			w.six(r)
			if name != "stance" {
				var err error
				if typed, _, err = w.fake.Type(context.Background(), "p8", "Op het nippertje getypt."); err != nil {
					t.Fatal(err)
				}
			}
			if name == "edit" || name == "withdraw" {
				if _, err := w.fake.Press(context.Background(), "p8", "", bot.Action{Do: "share", Round: r.ID, Arg: string(bot.ShareQuote)}); err != nil {
					t.Fatal(err)
				}
			}
			o := w.o
			o.Keys, o.Chats = w.keys, []bot.Chat{w.fake}
			closed := false
			o.Store = &closingStore{w.db, func() {
				if !closed {
					closed = true
					err := w.db.UpdateRound(context.Background(), r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) { r.State = bot.RoundClosing; return bot.Also{}, nil })
					if err != nil {
						t.Error(err)
					}
				}
			}}
			var err error
			if w.bot, err = bot.New(o); err != nil {
				t.Fatal(err)
			}
			w.fake.Use(w.bot.Handle)
			said := act(w, r)
			box, err := w.db.Box(context.Background(), r.ID)
			left, want := 7, map[string]string{"edit": "Aangepast", "withdraw": "Ingetrokken"}[name]
			if name == "withdraw" {
				left = 6
			}
			if err != nil || len(box) != left || !closed {
				t.Fatalf("%d ballots, %v", len(box), err)
			}
			if !strings.Contains(said, cmp.Or(want, "Bewaard, zonder naam")) {
				t.Errorf("it was done, and its author reads %q", said)
			}
		})
	}
}
