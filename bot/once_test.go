package bot_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// Down over the reminder and the closing, and at the start a platform that counts slowly: the round's moment changes while
// its own step runs, and it is closed once all the same (TRUST S10).
func TestARoundIsClosedOnce(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
		w, r := openWorld(t, 8)
		w.six(r)
		if r.Reminds.IsZero() {
			t.Fatal("no reminder")
		}
		chattest.Until(r.Closes.Add(time.Hour))
		var counted atomic.Int32
		w.fake.SetHang(func(context.Context, string, bot.TeamID) { counted.Add(1); time.Sleep(1500 * time.Millisecond) })
		w.run()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		w.fake.SetHang(nil)
		if all := w.channel(crew); strings.Count(all, "quote van p2") == 0 || counted.Load() > 2 { // at the closing, and at the next opening
			t.Errorf("counted %d times; the channel:\n%s", counted.Load(), all)
		}
		w.close()
	})
}
