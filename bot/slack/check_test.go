package slack_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// ward is a workspace on which nothing is wrong.
type ward struct {
	*slacktest.Server
	c       slack.Config
	want    slack.Expected
	crew    []string
	channel string
}

func newWard(t *testing.T) *ward {
	t.Helper()
	s := slacktest.Start(t, slacktest.Options{Scopes: slack.Scopes()})
	w := &ward{Server: s}
	for _, name := range []string{"irma", "jo", "fatima", "kees", "ans", "piet"} {
		w.crew = append(w.crew, s.AddUser(slacktest.User{Name: name}))
	}
	w.channel = s.AddChannel(slacktest.Channel{Name: "ploeg", Members: append([]string{s.Bot()}, w.crew...)})
	w.c = slack.Config{BotToken: s.BotToken(), AppToken: s.AppToken(), SigningSecret: s.SigningSecret(), APIURL: s.URL()}
	w.want = slack.Expected{Teams: []bot.TeamID{w.team(w.channel), "workspace:elders", "mattermost:x"}, Members: []string{w.crew[0]}, Templates: few}
	return w
}

func (w *ward) team(channel string) bot.TeamID {
	return bot.TeamID("slack:" + w.Team() + "/" + channel)
}

// few are templates of which nothing is wrong, as small as can be.
func few(prompts.Lang) ([]slack.Template, error) {
	divider := &api.DividerBlock{Type: api.MBTDivider, BlockID: "b1"}
	return []slack.Template{{Name: "line", Kind: "blocks", Payload: []api.Block{divider}}}, nil
}

// keys are the findings of these levels.
func keys(found []bot.Finding, levels ...bot.Level) (out []string) {
	for _, f := range found {
		if slices.Contains(levels, f.Level) {
			out = append(out, strings.TrimPrefix(strings.TrimPrefix(f.Key, "cli.doctor-"), "slack-"))
		}
	}
	return out
}

// served is the adapter's handler on an address of its own.
func (w *ward) served(t *testing.T, secret string) string {
	t.Helper()
	c := w.c
	c.HTTP, c.SigningSecret = true, secret
	c.Mark = func(context.Context) (time.Time, error) { return time.Time{}, nil }
	c.SetMark = func(context.Context, time.Time) error { return nil }
	c.OpenSince = c.Mark
	a, err := slack.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(a.Handler())
	t.Cleanup(front.Close)
	return front.URL
}

// Nothing is found where nothing is wrong, and Slack takes all that the bot may send; nothing is left behind.
func TestCheckFindsNothing(t *testing.T) {
	w := newWard(t)
	w.want.Templates = nil // all of them
	found := slack.Check(t.Context(), w.c, w.want)
	if bad := keys(found, bot.Must, bot.Should); len(bad) > 0 {
		t.Errorf("found where nothing is wrong: %v", found)
	}
	if good := keys(found, bot.Good); !slices.Equal(good, []string{"account", "scopes", "socket-good", "templates", "where"}) {
		t.Errorf("what is right: %v", good)
	}
	w.c.HTTP, w.want.Base = true, w.served(t, w.SigningSecret())
	found = slack.Check(t.Context(), w.c, w.want)
	if bad := keys(found, bot.Must, bot.Should); len(bad) > 0 || !slices.Contains(keys(found, bot.Good), "requests-good") {
		t.Errorf("over HTTP: %v", found)
	}
	if len(w.Channel(w.channel)) > 0 || w.Calls("conversations.history") > 0 {
		t.Error("the check left or read messages")
	}
	if found := slack.CheckOffline(); len(keys(found, bot.Must)) > 0 {
		t.Errorf("offline: %v", found)
	}
}

// Beside a running bot no connection is opened: what people do might come to it.
func TestCheckBesideARunningBot(t *testing.T) {
	w := newWard(t)
	w.want.Running = true
	found := slack.Check(t.Context(), w.c, w.want)
	if bad := keys(found, bot.Must, bot.Should); len(bad) > 0 || !slices.Contains(keys(found, bot.Good), "socket-busy") || len(w.Sockets()) > 0 {
		t.Errorf("%v, %d sockets", found, len(w.Sockets()))
	}
}

// Every planted fault is found, alone, with one thing to do.
func TestCheckFindsEachFault(t *testing.T) {
	scopes := func(change func([]string) []string) func(*testing.T, *ward) {
		return func(_ *testing.T, w *ward) { w.SetScopes(false, change(slack.Scopes())...) }
	}
	code := func(method, code string) func(*testing.T, *ward) {
		return func(_ *testing.T, w *ward) { w.FailCode(1000, method, code) }
	}
	for want, plant := range map[string]func(*testing.T, *ward){
		"must unreachable":       func(_ *testing.T, w *ward) { w.Stop() },
		"must no-slack":          func(_ *testing.T, w *ward) { w.Fail(1000, "", "", slacktest.Page(200)) },
		"must no-slack (status)": func(_ *testing.T, w *ward) { w.Fail(1000, "", "", slacktest.Page(502)) },
		"must no-slack (redirect)": func(_ *testing.T, w *ward) {
			w.Fail(1000, "", "", slacktest.Redirected("https://elsewhere.example.org/"))
		},
		"must bot-token":                 func(_ *testing.T, w *ward) { w.RevokeToken(false, "token_revoked") },
		"must bot-token (another kind)":  func(_ *testing.T, w *ward) { w.c.BotToken = "xoxb-nobody" },
		"must admin":                     code("auth.test", "team_access_not_granted"),
		"should unwell":                  code("auth.test", "internal_error"),
		"must app-token":                 func(_ *testing.T, w *ward) { w.RevokeToken(true, "token_revoked") },
		"must app-token (a bot token)":   func(_ *testing.T, w *ward) { w.c.AppToken = w.c.BotToken },
		"must app-token (without scope)": func(_ *testing.T, w *ward) { w.SetScopes(true) },
		"must clock":                     func(_ *testing.T, w *ward) { w.Skew(90 * time.Second) },
		"must clock (behind)":            func(_ *testing.T, w *ward) { w.Skew(-90 * time.Second) },
		"must scopes-missing": scopes(func(all []string) []string {
			return slices.DeleteFunc(all, func(s string) bool { return s == "files:write" })
		}),
		"should scopes-more": scopes(func(all []string) []string { return append(all, "channels:history") }),
		"must socket": func(_ *testing.T, w *ward) {
			w.Fail(1000, "apps.connections.open", "", slacktest.Fault{Lost: true, Status: 200, Body: `{"ok":true,"url":"ws://127.0.0.1:1/link"}`})
		},
		"must socket-others":             func(_ *testing.T, w *ward) { w.Set(func(s *slacktest.Settings) { s.Ghosts = 2 }) },
		"must socket-full":               func(_ *testing.T, w *ward) { w.Set(func(s *slacktest.Settings) { s.Ghosts = 9 }) },
		"must no-public":                 func(_ *testing.T, w *ward) { w.c.HTTP = true },
		"must requests":                  func(_ *testing.T, w *ward) { w.c.HTTP, w.want.Base = true, "http://127.0.0.1:1/slack" },
		"must requests (something else)": func(t *testing.T, w *ward) { w.c.HTTP, w.want.Base = true, somethingElse(t) },
		"must requests-secret":           func(t *testing.T, w *ward) { w.c.HTTP, w.want.Base = true, w.served(t, "another") },
		"must template":                  func(_ *testing.T, w *ward) { w.want.Templates = broken },
		"must template (not made)":       func(_ *testing.T, w *ward) { w.want.Templates = unmade },
		"should no-templates":            code("blocks.validate", "unknown_method"),
		"should no-templates (limited)":  code("blocks.validate", "fatal_error"),
		"must no-channel":                func(_ *testing.T, w *ward) { w.want.Teams = nil; w.Leave(w.channel, w.Bot()) },
		"must out":                       func(_ *testing.T, w *ward) { w.another(); w.Leave(w.channel, w.Bot()) },
		"must out (not there)":           func(_ *testing.T, w *ward) { w.want.Teams = []bot.TeamID{w.team("C0000GONE")} },
		"should out (gone before)":       func(_ *testing.T, w *ward) { w.want.Teams, w.want.Gone = nil, []bot.TeamID{w.team("C0000GONE")} },
		"must archived":                  func(_ *testing.T, w *ward) { w.another(); w.Archive(w.channel) },
		"must shared":                    func(_ *testing.T, w *ward) { w.Share(w.channel) },
		"must other":                     func(_ *testing.T, w *ward) { w.want.Teams = []bot.TeamID{"slack:TELSEWHERE/C1"} },
		"should few":                     func(_ *testing.T, w *ward) { w.ChangeUser(w.crew[5], func(u *slacktest.User) { u.Deleted = true }) },
		"should few (a bot among them)":  func(_ *testing.T, w *ward) { w.ChangeUser(w.crew[5], func(u *slacktest.User) { u.Bot = true }) },
		"must member":                    func(_ *testing.T, w *ward) { w.want.Members = append(w.want.Members, "U0NOBODY") },
		"should member-gone": func(_ *testing.T, w *ward) {
			w.want.Members = []string{w.AddUser(slacktest.User{Name: "gone", Deleted: true})}
		},
		"should unwell (of one channel)":  code("conversations.info", "internal_error"),
		"should unwell (of all channels)": code("users.conversations", "internal_error"),
	} {
		t.Run(want, func(t *testing.T) {
			w := newWard(t)
			plant(t, w)
			found := slack.Check(t.Context(), w.c, w.want)
			level, key, _ := strings.Cut(strings.SplitN(want, " (", 2)[0], " ")
			if bad := keys(found, bot.Must, bot.Should); !slices.Equal(bad, []string{key}) || !slices.Contains(keys(found, bot.Level(level)), key) {
				t.Fatalf("found %v, want %s", found, want)
			}
			for _, f := range found {
				for _, lang := range prompts.Langs() {
					text := locale.Say(lang, f.Key, f.Pairs...)
					if strings.Contains(text, "{") || strings.Contains(text, w.BotToken()) || strings.Contains(text, w.AppToken()) || strings.Contains(text, w.SigningSecret()) {
						t.Errorf("%s: %s", lang, text)
					}
				}
			}
		})
	}
}

// A limit is waited for.
func TestCheckWaitsForALimit(t *testing.T) {
	w := newWard(t)
	hits := w.Fail(1, "blocks.validate", "", slacktest.Limited("1"))
	found := slack.Check(t.Context(), w.c, w.want)
	if bad := keys(found, bot.Must, bot.Should); len(bad) > 0 || hits() != 1 {
		t.Errorf("%v", found)
	}
}

// another is a channel with the bot besides.
func (w *ward) another() {
	w.AddChannel(slacktest.Channel{Name: "ander", Members: []string{w.Bot()}})
}

func broken(lang prompts.Lang) ([]slack.Template, error) {
	if lang == prompts.English {
		return few(lang)
	}
	return []slack.Template{{Name: "line", Kind: "blocks", Payload: []map[string]any{{"type": "section"}}}}, nil
}

func unmade(prompts.Lang) ([]slack.Template, error) { return nil, errors.New("too long") }

// somethingElse is a web server that knows nothing of Slack.
func somethingElse(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.URL
}
