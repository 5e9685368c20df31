package bot_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// world is a bot on a real store with a fake platform.
type world struct {
	t    testing.TB
	dir  string
	fake *chattest.Fake
	db   *store.DB
	keys *store.Keys
	bot  *bot.Bot
	o    bot.Options
	stop func()
}

const crew = bot.TeamID("fake:crew")

func defaults() bot.Settings {
	return bot.Settings{
		Rhythm: bot.RhythmWeekly, Cron: "", Window: "6d", GiveBackAfter: "5h", Zone: "Europe/Amsterdam", Lang: prompts.Dutch,
		MinReplies: 5, QuietHours: "18:00-08:00", WorkdaysOnly: true, Holidays: []string{"nl"},
	}
}

// newWorld builds the parts without starting anything.
func newWorld(t testing.TB, change func(*bot.Options)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), fake: chattest.New("fake")}
	w.fake.Crew(crew, 8)
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	w.o = bot.Options{
		Library: lib, Team: defaults(), Activation: "direct", Limits: bot.Limits{MinReplies: 5, MinMembers: 6}, KeepDays: 90,
		Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if change != nil {
		change(&w.o)
	}
	w.open()
	return w
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (w *world) open() {
	w.t.Helper()
	root, err := os.OpenRoot(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := root.Mkdir("keys", 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		w.t.Fatal(err)
	}
	keyRoot, err := root.OpenRoot("keys")
	if err != nil {
		w.t.Fatal(err)
	}
	w.db, err = store.Open(root, "weerklank.db", store.Options{MaxSize: 2 << 30})
	if err != nil {
		w.t.Fatal(err)
	}
	w.keys = store.OpenKeys(keyRoot)
	o := w.o
	o.Store, o.Keys = w.db, w.keys
	if o.Chats == nil {
		o.Chats = []bot.Chat{w.fake}
	}
	w.bot, err = bot.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.fake.Use(w.bot.Handle)
}

// run starts the bot; close stops it and closes the store.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.bot.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
	}
}

func (w *world) close() {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
	if err := w.db.Check(context.Background()); err != nil {
		w.t.Error(err)
	}
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
}

// until lets the platform's clock come to a moment, if it is not there yet: what people do next is done then.
func (w *world) until(at time.Time) {
	if at.After(w.fake.Now()) {
		w.fake.SetNow(at)
	}
}

// switchOn has the manager fill in the form.
func (w *world) switchOn(team bot.TeamID, values map[string][]string) bot.Response {
	w.t.Helper()
	ctx := context.Background()
	r, err := w.fake.Command(ctx, "p1", team, "aan")
	if err != nil || r.Form == nil {
		w.t.Fatalf("on: %v, form %v", err, r.Form)
	}
	all := map[string][]string{"adviser": {"Sam de Wit (tst 12)"}, "worktime": {"yes"}}
	maps.Copy(all, values)
	r, err = w.fake.Submit(ctx, "p1", team, r.Form, all)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(r.Errors) > 0 {
		w.t.Fatalf("on: %v", r.Errors)
	}
	return r
}

// answer fills in the form of the open round.
func (w *world) answer(person string, round bot.RoundID, values map[string][]string) bot.Response {
	w.t.Helper()
	ctx := context.Background()
	r, err := w.fake.Press(ctx, person, crew, bot.Action{Do: "answer", Round: round})
	if err != nil || r.Form == nil {
		w.t.Fatalf("answer: %v, %s", err, plain(r))
	}
	r, err = w.fake.Submit(ctx, person, crew, r.Form, values)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func plain(r bot.Response) string {
	if r.Message == nil {
		return ""
	}
	return r.Message.Plain()
}

// openRound is the team's open round.
func (w *world) openRound(team bot.TeamID) bot.Round {
	w.t.Helper()
	t, err := w.db.Team(context.Background(), team)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.db.Round(context.Background(), t.Open)
	if err != nil {
		w.close()
		w.t.Fatalf("open round %q: %v", t.Open, err)
	}
	return r
}

func TestWeeklyRound(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC)) // Tuesday 08:00 in Amsterdam
		w := newWorld(t, nil)
		w.run()
		defer w.close()
		w.switchOn(crew, nil)
		synctest.Wait()
		chattest.Until(time.Date(2026, 9, 1, 8, 0, 1, 0, time.UTC))
		synctest.Wait()
		r := w.openRound(crew)
		if got, want := r.Closes, time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC); !got.Equal(want) {
			t.Errorf("closes %v, want %v", got, want)
		}
		posts := w.fake.Posts(crew)
		if len(posts) != 2 {
			t.Fatalf("%d posts, want announcement and question", len(posts))
		}
		for _, p := range posts {
			t.Log(p.Message.Plain())
		}
		for i, person := range []string{"p1", "p2", "p3", "p4", "p5"} {
			r := w.answer(person, r.ID, map[string][]string{"text": {"antwoord " + string(rune('a'+i))}, "share": {"share"}, "tags": {"quality-speed"}})
			if i == 0 {
				t.Log(plain(r))
			}
		}
		_, typed, err := w.fake.Type(context.Background(), "p6", "ook iets getypt")
		if err != nil {
			t.Fatal(err)
		}
		t.Log(plain(typed))
		_, typed, err = w.fake.Type(context.Background(), "p6", "2")
		if err != nil {
			t.Fatal(err)
		}
		t.Log(plain(typed))
		_, typed, _ = w.fake.Type(context.Background(), "p6", "3 4")
		t.Log(plain(typed))
		chattest.Until(time.Date(2026, 9, 7, 13, 0, 1, 0, time.UTC))
		synctest.Wait()
		for _, p := range w.fake.Posts(crew)[1:] {
			t.Logf("%s thread=%q edits=%d\n%s", p.At.UTC(), p.Thread, p.Edits, p.Message.Plain())
		}
		got, err := w.db.Round(context.Background(), r.ID)
		if err != nil || got.State != bot.RoundGivenBack || got.Tally.Respondents != 6 {
			t.Fatalf("round %+v, %v", got, err)
		}
		slots, _ := w.keys.Slots(context.Background())
		if len(slots) != 2 || slots[0] == string(r.ID)+".ballot" || slots[1] == string(r.ID)+".ballot" {
			t.Errorf("slots %v, want the shelf's and that of the follow-up", slots)
		}
	})
}
