package slack_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// transports are both ways in which Slack brings things.
func transports() map[string]bool { return map[string]bool{"socket": false, "http": true} }

// world is the whole bot, on a real store, with a workspace for tests: people act there, and see what comes of it.
type world struct {
	t       testing.TB
	s       *slacktest.Server
	dir     string
	lang    prompts.Lang
	crew    string // the channel
	people  []string
	boss    string
	http    bool
	m       *chattest.Marks
	log     *chattest.Log
	limits  bot.Limits
	tempo   slack.Tempo
	second  float64                         // messages per second
	unpaced bool                            // only Slack limits it
	strict  bool                            // an answer must come within three seconds; else the machine may be busy
	wrap    func(bot.Handler) bot.Handler   // what is between the adapter and the bot
	front   func(http.Handler) http.Handler // what is between Slack and the adapter

	db   *store.DB
	bot  *bot.Bot
	chat *heard
	stop func()
}

// newWorld makes a crew of eight and their manager in a workspace, and starts the bot.
func newWorld(t testing.TB, lang prompts.Lang, overHTTP bool, options ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, s: slacktest.Start(t, slacktest.Options{Scopes: slack.Scopes(), Events: slack.Events()}), dir: t.TempDir(), lang: lang, http: overHTTP, m: &chattest.Marks{}, log: &chattest.Log{}}
	w.limits = bot.Limits{MinReplies: 5, MinMembers: 6}
	locale := map[prompts.Lang]string{prompts.Dutch: "nl-NL", prompts.English: "en-GB"}[lang]
	for i := range 8 {
		w.people = append(w.people, w.s.AddUser(slacktest.User{Name: fmt.Sprintf("mens%d", i), RealName: fmt.Sprintf("Voornaam%d Achternaam%d", i, i), Locale: locale, TZ: "Europe/Amsterdam"}))
	}
	w.boss = w.s.AddUser(slacktest.User{Name: "irma", RealName: "Irma", Locale: locale, TZ: "Europe/Amsterdam", Admin: true})
	w.crew = w.s.AddChannel(slacktest.Channel{Name: "buitendienst", Private: true, Members: append([]string{w.s.Bot(), w.boss}, w.people...)})
	for _, o := range options {
		o(w)
	}
	if !w.strict {
		w.tempo.Within = 30 * time.Second
		w.s.Set(func(c *slacktest.Settings) { c.AckWithin, c.TriggerLife = time.Minute, time.Minute })
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
	w.chat = open(w.t, w.s, w.m, w.log, func(c *slack.Config) {
		c.HTTP = w.http
		if w.second > 0 {
			c.PerSecond = w.second
		}
	})
	w.chat.Hurry(w.tempo)
	if w.unpaced {
		w.chat.Unpaced()
	}
	var listen *httptest.Server
	if w.http {
		h := w.chat.Handler()
		if w.front != nil {
			h = w.front(h)
		}
		listen = httptest.NewServer(h)
		w.s.Deliver(&slacktest.Target{Events: listen.URL, Interactions: listen.URL, Commands: listen.URL})
	}
	lib, err := prompts.Builtin()
	if err != nil {
		w.t.Fatal(err)
	}
	w.bot, err = bot.New(bot.Options{
		Store: w.db, Keys: store.OpenKeys(keyRoot), Chats: []bot.Chat{w.chat}, Library: lib, Activation: "direct", KeepDays: 90,
		Limits: w.limits, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
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
	handle := bot.Handler(w.bot.Handle)
	if w.wrap != nil {
		handle = w.wrap(handle)
	}
	go func() { w.chat.Run(ctx, handle); close(ended) }()
	w.stop = func() {
		cancel()
		<-ended
		if listen != nil {
			listen.Close()
		}
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

// end stops the bot, and holds what must be true at the end of every story.
func (w *world) end() {
	w.t.Helper()
	w.stop()
	if w.t.Failed() {
		w.t.Log(w.log.String())
	}
	for _, p := range w.s.Problems() {
		w.t.Errorf("a real workspace would have shown: %s", p)
	}
	for _, who := range append([]string{w.boss}, w.people...) {
		if strings.Contains(w.log.String(), who) {
			w.t.Errorf("the log holds an account")
		}
	}
}

// until does what is due up to a moment.
func (w *world) until(at time.Time) {
	w.t.Helper()
	ctx := context.Background()
	for range 5 {
		if _, err := w.bot.Step(ctx, at); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.bot.Send(ctx, at); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) id() bot.TeamID { return bot.TeamID("slack:" + w.s.Team() + "/" + w.crew) }

func (w *world) team() bot.Team {
	w.t.Helper()
	team, err := w.db.Team(context.Background(), w.id())
	if err != nil {
		w.t.Fatal(err)
	}
	return team
}

// opens lets the next round open now, whatever its rhythm says.
func (w *world) opens() bot.Round {
	w.t.Helper()
	ctx, now := context.Background(), time.Now()
	err := w.db.UpdateTeam(ctx, w.id(), func(t *bot.Team) (bot.Also, error) {
		t.NextDue, t.NextOpens = now, now
		return bot.Also{}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.until(now.Add(time.Millisecond))
	r, err := w.db.Round(ctx, w.team().Open)
	if err != nil {
		w.t.Fatal("no round opened", err)
	}
	w.m.Opened(r.Opens)
	return r
}

// says types to the bot and returns its answer.
func (w *world) says(who, words string) slacktest.Message {
	w.t.Helper()
	had := len(w.s.DM(who))
	w.s.TypeDirect(who, words)
	return w.answer(who, had+1)
}

// answer waits for what the bot says in private after n messages.
func (w *world) answer(who string, n int) slacktest.Message {
	w.t.Helper()
	w.s.Await("an answer", func() bool {
		all := w.s.DM(who)
		return len(all) > n && all[len(all)-1].Bot
	})
	all := w.s.DM(who)
	return all[len(all)-1]
}

// modal waits until somebody sees a modal that holds a text.
func (w *world) modal(who, text string) *slacktest.View {
	w.t.Helper()
	w.s.Await("a modal with "+text, func() bool {
		v := w.s.Modal(who)
		return v != nil && strings.Contains(v.Title+"\n"+v.Seen(), text)
	})
	return w.s.Modal(who)
}

// prompt is the question in the channel.
func (w *world) prompt(label string) slacktest.Message {
	w.t.Helper()
	for _, m := range w.s.Channel(w.crew) {
		if slacktest.Find(m, label) != nil {
			return m
		}
	}
	w.t.Fatalf("no message with %q", label)
	return slacktest.Message{}
}

func (w *world) channel() string {
	var out strings.Builder
	for _, m := range w.s.Channel(w.crew) {
		out.WriteString(m.Seen() + "\n----\n")
	}
	return out.String()
}
