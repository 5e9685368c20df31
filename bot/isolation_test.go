package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// Two hundred teams go through a week. Twenty of them fail in every way there is, at every moment that matters; the other
// hundred and eighty get their question, the closing and the give-back within a quarter of a second (TRUST 8, 14).
func TestFailingTeamsDelayNobody(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 5, 0, 0, 0, time.UTC)) // Tuesday 07:00 in Amsterdam
		w := newWorld(t, func(o *bot.Options) { o.Log = slog.New(slog.DiscardHandler) })
		ctx := context.Background()
		const teams, failing, longest = 200, 20, 250 * time.Millisecond
		fails := map[bot.TeamID]int{}
		var ids []bot.TeamID
		for i := range teams {
			id := bot.TeamID(fmt.Sprintf("fake:t%03d", i))
			ids = append(ids, id)
			w.fake.Crew(id, 8)
			w.switchOn(id, nil)
			err := w.db.UpdateTeam(ctx, id, func(t *bot.Team) (bot.Also, error) {
				switch {
				case i%(teams/failing) == 0:
					fails[id] = i / (teams / failing) % 10
				case i%3 == 1: // not all at one moment
					t.Settings.Zone, t.NextOpens, t.NextDue = "Europe/Lisbon", t.NextOpens.Add(time.Hour), t.NextDue.Add(time.Hour)
				case i%3 == 2:
					t.Settings.Zone, t.NextOpens, t.NextDue = "Europe/Helsinki", t.NextOpens.Add(-time.Hour), t.NextDue.Add(-time.Hour)
				}
				return bot.Also{}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(fails) != failing {
			t.Fatalf("%d teams fail", len(fails))
		}
		bad := func() bool { // around what matters, in whatever zone
			now := time.Now()
			for _, at := range []time.Time{time.Date(2026, 9, 1, 7, 0, 0, 0, time.UTC), time.Date(2026, 9, 7, 7, 0, 0, 0, time.UTC), time.Date(2026, 9, 7, 12, 0, 0, 0, time.UTC)} {
				if now.After(at.Add(-30*time.Minute)) && now.Before(at.Add(150*time.Minute)) {
					return true
				}
			}
			return false
		}
		w.fake.SetTrouble(func(what string, team bot.TeamID) chattest.Trouble {
			how, ok := fails[team]
			if !ok || !bad() || what == "count" {
				return chattest.Trouble{}
			}
			switch how {
			case 0:
				return chattest.Trouble{Hang: true}
			case 1:
				return chattest.Trouble{Err: &bot.RetryError{Err: errors.New("429")}}
			case 2:
				return chattest.Trouble{Err: &bot.RetryError{After: 10 * time.Minute, Err: errors.New("429")}}
			case 3:
				return chattest.Trouble{Err: bot.ErrUncertain}
			case 4:
				return chattest.Trouble{Panic: true}
			case 5:
				return chattest.Trouble{Slow: 25 * time.Second}
			case 6:
				return chattest.Trouble{Err: bot.ErrGone}
			case 7:
				return chattest.Trouble{Err: errors.New("invalid")}
			}
			return chattest.Trouble{}
		})
		w.fake.SetHang(func(ctx context.Context, _ string, team bot.TeamID) {
			switch how, ok := fails[team]; {
			case ok && how == 8 && bad():
				<-ctx.Done()
			case ok && how == 9 && bad():
				panic("counting fails")
			}
		})
		w.run()
		defer w.close()
		chattest.Until(time.Date(2026, 9, 8, 5, 0, 0, 0, time.UTC))
		synctest.Wait()
		var most time.Duration
		for _, id := range ids {
			if _, ok := fails[id]; ok {
				continue
			}
			rounds, err := w.db.Rounds(ctx, id)
			if err != nil || len(rounds) != 1 {
				t.Errorf("%s: %d rounds, %v", id, len(rounds), err)
				continue
			}
			r, posts := rounds[0], w.fake.Posts(id)
			last := posts[len(posts)-1]
			if len(posts) != 4 || !strings.Contains(last.Message.Plain(), "Terugblik") || !strings.Contains(posts[1].Message.Plain(), "Deze ronde is dicht") {
				t.Errorf("%s: %d posts", id, len(posts))
				continue
			}
			for what, late := range map[string]time.Duration{"question": posts[1].At.Sub(r.Opens), "closing": posts[1].Edited.Sub(r.Closes), "give-back": last.At.Sub(r.GivesBack)} {
				if most = max(most, late); late < 0 || late > longest {
					t.Errorf("%s: the %s came %v late", id, what, late)
				}
			}
		}
		t.Logf("at most %v late", most)
		for id, how := range fails { // and each has its own fate, once the platform is well again
			rounds, err := w.db.Rounds(ctx, id)
			if err != nil || how != 6 && len(rounds) != 1 {
				t.Errorf("%s, failing in way %d: %d rounds, %v", id, how, len(rounds), err)
			}
			asked := map[string]int{}
			for _, p := range w.fake.Posts(id) {
				if asked[p.Key]++; asked[p.Key] > 1 {
					t.Errorf("%s, failing in way %d: posted twice", id, how)
				}
			}
		}
	})
}

// However many teams of a platform hang, the posts of the others leave: every one of 300 calls ends only with our timeout,
// and so do their look-ups.
func TestHangingTeamsStarveNobody(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, func(o *bot.Options) { o.Log = slog.New(slog.DiscardHandler) })
		ctx := context.Background()
		start := time.Now().Add(time.Minute)
		m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note("x")}}
		var posts []bot.Post
		for i := range 300 {
			id := fmt.Sprintf("hang%d", i)
			posts = append(posts, bot.Post{ID: bot.PostID(id + "/x"), Key: id, Team: bot.TeamID("fake:" + id), Message: m, State: bot.PostQueued, After: start})
		}
		due := map[string]time.Time{}
		for i := range 60 { // first at the same moment, then every ten seconds
			id := fmt.Sprintf("well%d", i)
			due[id] = start.Add(time.Duration(max(0, i-20)) * 10 * time.Second)
			posts = append(posts, bot.Post{ID: bot.PostID(id + "/x"), Key: id, Team: bot.TeamID("fake:" + id), Message: m, State: bot.PostQueued, After: due[id]})
		}
		if err := w.db.Queue(ctx, posts...); err != nil {
			t.Fatal(err)
		}
		w.fake.SetTrouble(func(_ string, team bot.TeamID) chattest.Trouble {
			return chattest.Trouble{Hang: strings.HasPrefix(string(team), "fake:hang")}
		})
		w.run()
		defer w.close()
		chattest.Until(start.Add(10 * time.Minute))
		var most time.Duration
		left := 0
		for _, p := range w.fake.Posts("") {
			if at, ok := due[p.Key]; ok {
				left++
				most = max(most, p.At.Sub(at))
			}
		}
		if left != len(due) || most > 1500*time.Millisecond {
			t.Errorf("%d of %d posts left, one of them %v late", left, len(due), most)
		}
		t.Logf("at most %v late", most)
	})
}

// A platform that does not let the bot in makes what must be said wait, turns the health red with a reason, and says so
// in the log once; another platform goes on. Nothing is given up.
func TestRefusedToken(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 5, 0, 0, 0, time.UTC))
		var mu sync.Mutex
		var log bytes.Buffer
		w := newWorld(t, func(o *bot.Options) { o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil)) })
		two := chattest.New("two")
		two.Crew("two:a", 8)
		w.o.Chats = []bot.Chat{w.fake, two}
		w.close()
		w.open()
		ctx := context.Background()
		var ids []bot.TeamID
		for i := range 30 {
			id := bot.TeamID(fmt.Sprintf("fake:t%d", i))
			ids = append(ids, id)
			w.fake.Crew(id, 8)
			w.switchOn(id, nil)
		}
		w.run()
		defer w.close()
		synctest.Wait()
		calls := 0
		w.fake.SetTrouble(func(string, bot.TeamID) chattest.Trouble {
			mu.Lock()
			defer mu.Unlock()
			calls++
			return chattest.Trouble{Err: bot.ErrUnauthorised}
		})
		chattest.Until(time.Date(2026, 9, 1, 9, 30, 0, 0, time.UTC)) // an hour and a half after the questions were due
		err := w.bot.Healthy()
		if err == nil || !strings.Contains(err.Error(), "fake does not let the bot in") {
			t.Errorf("healthy: %v", err)
		}
		mu.Lock()
		if n := strings.Count(log.String(), "does not let the bot in"); n != 1 || strings.Count(log.String(), "level=WARN")+strings.Count(log.String(), "level=ERROR") > 1 {
			t.Errorf("told %d times:\n%s", n, log.String())
		}
		if calls > 30+90+5 { // each team once, and then one of them a minute
			t.Errorf("%d calls in ninety minutes", calls)
		}
		mu.Unlock()
		err = w.db.Queue(ctx, bot.Post{ID: "two/x", Key: "x", Team: "two:a", Message: bot.Message{Blocks: []bot.Block{bot.Note("x")}}, State: bot.PostQueued, After: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if len(two.Posts("")) != 1 {
			t.Error("another platform waits too")
		}
		w.fake.SetTrouble(nil)
		again := time.Now()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		for _, id := range ids {
			posts := w.fake.Posts(id)
			if len(posts) != 2 || posts[1].At.Sub(again) > 2*time.Minute+10*time.Second {
				t.Errorf("%s: %d posts", id, len(posts))
			}
		}
		if err := w.bot.Healthy(); err != nil {
			t.Errorf("still unwell: %v", err)
		}
	})
}

// A panic in a step, a send or a handler is contained and logged without what it says, and the same runs next time (D12).
func TestPanicsAreContained(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 5, 0, 0, 0, time.UTC))
		var mu sync.Mutex
		var log bytes.Buffer
		w := newWorld(t, func(o *bot.Options) { o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil)) })
		ctx := context.Background()
		const secret = "GEHEIM-91"
		s := &planted{Store: w.db, panics: map[string]int{}}
		o := w.o
		o.Store, o.Keys, o.Chats = s, w.keys, []bot.Chat{w.fake}
		var err error
		if w.bot, err = bot.New(o); err != nil {
			t.Fatal(err)
		}
		w.fake.Use(w.bot.Handle)
		w.switchOn(crew, nil)
		plant := func(what string, n int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.panics[what], s.secret = n, secret
		}
		plant("Due", 2)       // the agenda's loop
		plant("Pending", 2)   // the sender's
		plant("PlanRound", 2) // a step
		tries := 0
		w.fake.SetTrouble(func(what string, _ bot.TeamID) chattest.Trouble { // an adapter, once its call
			if what == "post" {
				tries++
			}
			return chattest.Trouble{Panic: what == "post" && tries == 1}
		})
		w.run()
		defer w.close()
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		r := w.openRound(crew)
		if n := len(w.fake.Posts(crew)); n != 2 {
			t.Errorf("%d posts, want announcement and question", n)
		}
		plant("Slip", 1) // a handler
		if _, resp, err := w.fake.Type(ctx, "p2", "een"); err == nil || resp.Message != nil {
			t.Errorf("a handler that panicked answered %q", plain(resp))
		}
		if _, resp, err := w.fake.Type(ctx, "p2", "een"); err != nil || !strings.Contains(plain(resp), "nog niet bewaard") {
			t.Errorf("the next time: %q %v", plain(resp), err)
		}
		plant("Release", 1) // closing
		chattest.Until(r.Closes.Add(time.Minute))
		synctest.Wait()
		if got, err := w.db.Round(ctx, r.ID); err != nil || got.State != bot.RoundClosed {
			t.Errorf("%s %v", got.State, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if n := strings.Count(log.String(), "msg=panic"); n != 9 || strings.Contains(log.String(), secret) {
			t.Errorf("%d panics logged:\n%s", n, log.String())
		}
		if !strings.Contains(log.String(), "isolation_test.go") {
			t.Errorf("the log does not say where:\n%s", log.String())
		}
	})
}

// planted is the real store, and panics as often as it was told to.
type planted struct {
	bot.Store
	mu     sync.Mutex
	panics map[string]int
	secret string
}

func (p *planted) hit(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.panics[what] > 0 {
		p.panics[what]--
		panic(p.secret)
	}
}

func (p *planted) Due(ctx context.Context, now time.Time, limit int) ([]bot.Task, time.Time, error) {
	p.hit("Due")
	return p.Store.Due(ctx, now, limit)
}

func (p *planted) Pending(ctx context.Context, now time.Time, limit int) ([]bot.Post, time.Time, error) {
	p.hit("Pending")
	return p.Store.Pending(ctx, now, limit)
}

func (p *planted) PlanRound(ctx context.Context, r bot.Round, edit func(*bot.Team) (bot.Also, error)) error {
	p.hit("PlanRound")
	return p.Store.PlanRound(ctx, r, edit)
}

func (p *planted) Slip(ctx context.Context, id bot.RoundID, at bot.Address) (bot.Slip, error) {
	p.hit("Slip")
	return p.Store.Slip(ctx, id, at)
}

func (p *planted) Release(ctx context.Context, id bot.RoundID, replies []bot.SealedReply, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	p.hit("Release")
	return p.Store.Release(ctx, id, replies, edit)
}
