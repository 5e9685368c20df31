package bot_test

import (
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
