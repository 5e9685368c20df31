package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// calls is when which calls were made, as a limit counts them.
type calls struct {
	mu  sync.Mutex
	all []time.Time
}

func (c *calls) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, time.Now())
}

// most is how many there were within some time at most.
func (c *calls) most(within time.Duration) int {
	slices.SortFunc(c.all, time.Time.Compare)
	most, from := 0, 0
	for i, at := range c.all {
		for at.Sub(c.all[from]) >= within {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// Ten thousand channels are due at one minute. All get their message, close to as fast as the limit allows, and no limit
// bites. Each comes back when it is told to, and none comes back often.
func TestPaceOfTenThousandChannels(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		const channels = 10_000
		p, done, began := newPace(0), &calls{}, time.Now()
		var mu sync.Mutex
		tries := map[int]int{}
		var all sync.WaitGroup
		for n := range channels {
			all.Go(func() {
				for {
					mu.Lock()
					tries[n]++
					mu.Unlock()
					leave, err := p.enter(t.Context(), methodPost, fmt.Sprint("C", n))
					var later *bot.RetryError
					if errors.As(err, &later) {
						time.Sleep(later.After + time.Duration(n%1000)*time.Millisecond) // an outbox is not exact
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					done.add()
					time.Sleep(time.Duration(50+n%100) * time.Millisecond)
					leave()
					return
				}
			})
		}
		all.Wait()
		took := time.Since(began)
		if rate := channels / took.Seconds(); rate < 0.95*defaultPerSecond {
			t.Errorf("%.2f messages per second", rate)
		}
		if most := done.most(time.Second); most > defaultPerSecond {
			t.Errorf("%d messages in a second", most)
		}
		often := 0
		for _, n := range tries {
			often = max(often, n)
		}
		if often > 4 {
			t.Errorf("one tried %d times", often)
		}
		if len(p.channels) > 10 || len(p.queues[""].turns) > 0 {
			t.Errorf("%d channels and %d turns are remembered", len(p.channels), len(p.queues[""].turns))
		}
	})
}

// After an hour in which nothing worked, those who come back together are not sent to the end of the line.
func TestPaceKeepsTurns(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		p := newPace(0)
		var last time.Duration
		after := map[int]time.Duration{}
		for n := range 1000 {
			ctx, cancel := context.WithCancel(t.Context())
			if n < 36 {
				go p.enter(ctx, methodPost, fmt.Sprint("C", n))
				time.Sleep(time.Millisecond)
			} else {
				_, err := p.enter(ctx, methodPost, fmt.Sprint("C", n))
				var later *bot.RetryError
				if !errors.As(err, &later) {
					t.Fatal(err)
				}
				after[n], last = later.After, later.After
			}
			defer cancel()
		}
		if last < 5*time.Minute {
			t.Errorf("the last comes back after %s", last)
		}
		time.Sleep(10 * time.Minute)
		var all sync.WaitGroup
		longest := time.Duration(0)
		var mu sync.Mutex
		for n := range after {
			all.Go(func() {
				began := time.Now()
				for {
					leave, err := p.enter(t.Context(), methodPost, fmt.Sprint("C", n))
					if err == nil {
						leave()
						break
					}
					var later *bot.RetryError
					if !errors.As(err, &later) {
						t.Error(err)
						return
					}
					time.Sleep(later.After)
				}
				mu.Lock()
				defer mu.Unlock()
				longest = max(longest, time.Since(began))
			})
		}
		all.Wait()
		if longest > 7*time.Minute {
			t.Errorf("the last waited %s", longest)
		}
	})
}

// One message a second in a channel, counted from the answer to the one before, in the order in which they came.
func TestPaceOfOneChannel(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		p := newPace(100)
		var last time.Time
		for n := range 5 {
			leave, err := p.enter(t.Context(), methodPost, "C1")
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 && time.Since(last) < time.Second {
				t.Errorf("%s apart", time.Since(last))
			}
			time.Sleep(300 * time.Millisecond)
			last = time.Now()
			leave()
		}
		// While one hangs, the others of the channel wait, and other channels do not.
		leave, err := p.enter(t.Context(), methodPost, "C1")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		other, err := p.enter(t.Context(), methodPost, "C2")
		if err != nil || time.Since(began) > 100*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		other()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.enter(ctx, methodPost, "C1"); !later(err) || ctx.Err() == nil && time.Since(began) < 900*time.Millisecond {
			t.Error(err)
		}
		leave()
	})
}

func later(err error) bool {
	var later *bot.RetryError
	return errors.As(err, &later) && later.After > 0
}

// Every method keeps below its tier in every minute, and comes close to it.
func TestPaceOfMethods(t *testing.T) {
	for method, want := range map[string]int{
		"conversations.list": 20, "users.list": 20, "chat.update": 50, "chat.delete": 50, "conversations.open": 50, "conversations.info": 50,
		"conversations.history": 50, "conversations.replies": 50, "users.conversations": 50, "chat.postEphemeral": 100,
		"views.update": 100, "views.push": 100, "views.publish": 100, "users.info": 100, "conversations.members": 100,
		"files.getUploadURLExternal": 100, "files.completeUploadExternal": 100,
	} {
		chattest.Bubble(t, func(t *testing.T) {
			p, done := newPace(1000), &calls{}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			began := time.Now()
			for n := range 10 * want {
				leave, err := p.enter(ctx, method, "")
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(n*7%100) * time.Millisecond / 10) // on its way
				done.add()
				leave()
			}
			if most := done.most(time.Minute); most > want {
				t.Errorf("%s: %d in a minute", method, most)
			}
			if took := time.Since(began); float64(10*want) < 0.95*float64(want)*(took.Minutes()) {
				t.Errorf("%s: %d took %s", method, 10*want, took)
			}
			if method == "views.update" && done.all[99].Sub(done.all[0]) > time.Second {
				t.Error("a form waits though there is room")
			}
		})
	}
}

// A limit of Slack's on one method or channel stops no other.
func TestLimitStopsNothingElse(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		p := newPace(1000)
		p.limited(methodPost, "C1", time.Minute)
		p.limited("users.info", "", 5*time.Second)
		at := func(method, channel string) (time.Duration, error) {
			began := time.Now()
			leave, err := p.enter(t.Context(), method, channel)
			if err == nil {
				leave()
			}
			return time.Since(began), err
		}
		if _, err := at(methodPost, "C1"); !later(err) {
			t.Error(err)
		} else if e, _ := errors.AsType[*bot.RetryError](err); e.After < 59*time.Second || e.After > time.Minute {
			t.Error(e.After)
		}
		for _, free := range []target{{methodPost, "C2"}, {"chat.update", "C1"}, {"views.open", ""}, {"conversations.members", "C1"}} {
			if took, err := at(free.method, free.channel); err != nil || took > 100*time.Millisecond {
				t.Errorf("%s in %s: %v after %s", free.method, free.channel, err, took)
			}
		}
		if took, err := at("users.info", ""); err != nil || took < 5*time.Second || took > 6*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		time.Sleep(time.Minute)
		if took, err := at(methodPost, "C1"); err != nil || took > 100*time.Millisecond {
			t.Errorf("%v after %s", err, took)
		}
		p.limited("x", "", time.Minute)
		if len(p.barred) != 1 {
			t.Errorf("%d limits are remembered", len(p.barred))
		}
	})
}

// A turn that nobody takes is given back.
func TestPaceGivesTurnsBack(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		p := newPace(0)
		wait := func(ctx context.Context, channel string) (took time.Duration, err error) {
			began := time.Now()
			leave, err := p.enter(ctx, methodPost, channel)
			if err == nil {
				leave()
			}
			return time.Since(began), err
		}
		if _, err := wait(t.Context(), "C1"); err != nil {
			t.Fatal(err)
		}
		for n := range 50 { // each in vain
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, err := wait(ctx, fmt.Sprint("D", n)); !later(err) {
				t.Fatal(err)
			}
		}
		if took, err := wait(t.Context(), "C2"); err != nil || took > time.Second {
			t.Errorf("%v after %s", err, took)
		}
		m := &minute{at: make([]time.Time, 2)}
		now := time.Now()
		_, giveBack := m.reserve(now)
		giveBack()
		m.reserve(now)
		if at, _ := m.reserve(now); !at.Equal(now) {
			t.Error("a turn that was given back is lost")
		}
		if at, _ := m.reserve(now); at.Sub(now) != perMinute {
			t.Error(at.Sub(now))
		}
	})
}
