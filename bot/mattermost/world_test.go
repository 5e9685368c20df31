package mattermost_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// world is the whole bot, on a real store, with a server for tests: people act there, and see what comes of it.
type world struct {
	t      testing.TB
	s      *mattermosttest.Server // the server, if it is the one for tests
	on     server
	dir    string
	lang   prompts.Lang
	me     string // the bot
	token  string
	team   string // of the server
	crew   string // the channel
	people []string
	boss   string
	m      *chattest.Marks
	log    *chattest.Log
	listen *httptest.Server // nil: the server does not reach us
	serve  atomic.Pointer[http.Handler]
	tokens []string
	at     time.Time     // up to when everything due was done, if that is later than now
	ahead  time.Duration // of the server's clock, by opens
	hurry  time.Duration // the part of its times that the adapter waits; zero: all

	db   *store.DB
	bot  *bot.Bot
	chat *heard
	stop func()
}

// newWorld is newWorldOn a server for tests.
func newWorld(t testing.TB, version mattermosttest.Version, lang prompts.Lang, callbacks bool) *world {
	t.Helper()
	return newWorldOn(t, mattermosttest.New(t, version), lang, callbacks)
}

// newWorldOn adds a crew of eight and their manager to a server, and starts the bot. callbacks: the server reaches it.
func newWorldOn(t testing.TB, on server, lang prompts.Lang, callbacks bool) *world {
	t.Helper()
	w := &world{t: t, on: on, dir: t.TempDir(), lang: lang, m: &chattest.Marks{}, log: &chattest.Log{}}
	w.s, _ = on.(*mattermosttest.Server)
	w.me, w.token = w.on.AddBot("weerklank")
	for i := range 8 {
		w.people = append(w.people, w.on.AddUser(mattermosttest.User{Name: fmt.Sprintf("mens%d", i), First: fmt.Sprintf("Voornaam%d", i), Locale: string(lang), Zone: "Europe/Amsterdam"}))
	}
	w.boss = w.on.AddUser(mattermosttest.User{Name: "irma", First: "Irma", Locale: string(lang), Zone: "Europe/Amsterdam"})
	all := append([]string{w.me, w.boss}, w.people...)
	w.team = w.on.AddTeam("gemeente", all...)
	w.crew = w.on.AddChannel(w.team, "buitendienst", all...)
	w.on.SetChannelAdmin(w.crew, w.boss, true)
	w.on.SetTeamAdmin(w.team, w.boss, true)
	if callbacks {
		w.listen = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if serve := w.serve.Load(); serve != nil {
				(*serve).ServeHTTP(rw, r)
				return
			}
			http.Error(rw, "", http.StatusBadGateway) // as a proxy says it while the program is not there
		}))
		if r, ok := on.(*realServer); ok {
			r.listenOn(w.listen)
		}
		w.listen.Start()
		token, err := w.on.RegisterCommand(w.boss, w.team, "weerklank", "http://"+w.listen.Listener.Addr().String()+"/terug/command")
		if err != nil {
			t.Fatal(err)
		}
		w.tokens = []string{token}
		t.Cleanup(w.listen.Close)
	}
	w.start()
	return w
}

// start builds the bot on what is stored, and runs its chat. Its clock is moved by hand.
func (w *world) start() {
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
	if w.db, err = store.Open(root, "weerklank.db", store.Options{}); err != nil {
		w.t.Fatal(err)
	}
	w.chat = open(w.t, w.on, w.token, w.m, w.log, func(c *mattermost.Config) {
		if w.listen != nil {
			c.CallbackURL, c.Secret, c.CommandTokens = "http://"+w.listen.Listener.Addr().String()+"/terug", []byte(strings.Repeat("geheim! ", 4)), w.tokens
		}
	})
	if w.hurry > 0 {
		w.chat.Hurry(w.hurry)
	}
	if w.listen != nil {
		serve := w.chat.Handler()
		w.serve.Store(&serve)
	}
	lib, err := prompts.Builtin()
	if err != nil {
		w.t.Fatal(err)
	}
	w.bot, err = bot.New(bot.Options{
		Store: w.db, Keys: store.OpenKeys(keyRoot), Chats: []bot.Chat{w.chat}, Library: lib, Activation: "direct", KeepDays: 90,
		Limits: bot.Limits{MinReplies: 5, MinMembers: 6}, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Team: bot.Settings{
			Rhythm: bot.RhythmWeekly, Window: "6d", GiveBackAfter: "5h", Zone: "Europe/Amsterdam", Lang: w.lang, MinReplies: 5,
			QuietHours: "", WorkdaysOnly: false,
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { w.chat.Run(ctx, w.bot.Handle); close(ended) }()
	w.stop = func() {
		cancel()
		<-ended
		if err := w.db.Check(context.Background()); err != nil {
			w.t.Error(err)
		}
		if err := w.db.Close(); err != nil {
			w.t.Error(err)
		}
		keyRoot.Close()
		root.Close()
	}
	select {
	case <-w.chat.Begun:
	case <-time.After(20 * time.Second):
		w.t.Fatalf("the chat does not take events:\n%s", w.log)
	}
}

// until does what is due up to a moment.
func (w *world) until(at time.Time) {
	w.t.Helper()
	ctx := context.Background()
	if at.After(w.at) {
		w.at = at
	}
	for range 5 {
		if _, err := w.bot.Step(ctx, at); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.bot.Send(ctx, at); err != nil {
			w.t.Fatal(err)
		}
	}
}

// opens lets the next round open now, whatever its rhythm says; after one that was given back, two days later: none opens on
// the day of a give-back, which the clock of the world has come to.
func (w *world) opens() bot.Round {
	w.t.Helper()
	ctx, id, now := context.Background(), bot.TeamID("mattermost:"+w.crew), time.Now()
	if !w.at.IsZero() && w.at.After(now) {
		now = w.at.AddDate(0, 0, 2)
		w.on.Advance(time.Until(now) - w.ahead) // else what people say is older than the round
		w.ahead = time.Until(now)
	}
	err := w.db.UpdateTeam(ctx, id, func(t *bot.Team) (bot.Also, error) {
		t.NextDue, t.NextOpens = now, now
		return bot.Also{}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.until(now.Add(time.Millisecond))
	team, err := w.db.Team(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.db.Round(ctx, team.Open)
	if err != nil {
		w.t.Fatal("no round opened", err)
	}
	return r
}

// says types to the bot and returns its answer.
func (w *world) says(who, words string) string {
	w.t.Helper()
	had := len(w.on.DMs(who))
	if _, err := w.chat.after(context.Background(), func() string { return w.on.DM(who, words) }); err != nil {
		w.t.Fatal(err)
	}
	return w.answer(who, had+1)
}

// answer waits for what the bot says in private after n messages.
func (w *world) answer(who string, n int) string {
	w.t.Helper()
	w.on.Await("an answer", func() bool {
		all := w.on.DMs(who)
		return len(all) > n && all[len(all)-1].User == w.me
	})
	all := w.on.DMs(who)
	return all[len(all)-1].Text
}
