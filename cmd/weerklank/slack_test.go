package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// village is a Slack workspace with a crew and a bot, and a configuration for it.
type village struct {
	*slacktest.Server
	c             config
	channel, irma string
}

func newVillage(t *testing.T) *village {
	t.Helper()
	s := slacktest.Start(t, slacktest.Options{Scopes: slack.Scopes()})
	w := &village{Server: s, c: defaultConfig()}
	crew := []string{s.Bot()}
	for _, name := range []string{"irma", "jo", "fatima", "kees", "ans", "piet"} {
		crew = append(crew, s.AddUser(slacktest.User{Name: name}))
	}
	w.irma = crew[1]
	w.channel = s.AddChannel(slacktest.Channel{Name: "ploeg", Members: crew})
	w.c.DataDir, w.c.Admin.Listen, w.c.HTTP.Listen = t.TempDir(), "", free(t)
	w.c.Help.Adviser = "Jo"
	w.c.Slack.BotToken, w.c.Slack.AppToken, w.c.Slack.SigningSecret = newSecret(s.BotToken()), newSecret(s.AppToken()), newSecret(s.SigningSecret())
	w.c.Slack.APIURL, w.c.Slack.PerSecond = s.URL(), 20
	return w
}

// start builds and serves the program of a configuration.
func start(t *testing.T, c config, log io.Writer) (p *parts, stop func() error) {
	t.Helper()
	e := &env{lookup: unset, stdout: io.Discard, stderr: io.Discard, lang: prompts.English}
	p, err := build(t.Context(), e, c, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, e, "x") }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { stop() })
	select {
	case <-p.taking:
	case err := <-done:
		t.Fatal(err)
	case <-time.After(30 * time.Second):
		t.Fatal("it never took events")
	}
	return p, stop
}

// quiet holds a log to what it may hold.
func (w *village) quiet(t *testing.T, log string) {
	t.Helper()
	for _, s := range []string{w.BotToken(), w.AppToken(), w.SigningSecret(), w.irma, "irma", "TYPED-WORDS"} {
		if strings.Contains(log, s) {
			t.Errorf("the log holds %q:\n%s", s, log)
		}
	}
}

// The program lives in a Slack workspace, over both transports: people's words come in and its answers go out, and of the listener
// nothing else can be reached.
func TestRunOnSlack(t *testing.T) {
	for _, transport := range []string{transportSocket, transportHTTP} {
		t.Run(transport, func(t *testing.T) {
			w := newVillage(t)
			w.c.Slack.Transport = transport
			var log chattest.Log
			p, stop := start(t, w.c, &log)
			if transport == transportHTTP {
				base := "http://" + w.c.HTTP.Listen + w.c.Slack.Path
				w.Deliver(&slacktest.Target{Events: base + "/events", Interactions: base + "/interactive", Commands: base + "/commands"})
				if !w.Verify(base + "/events") {
					t.Error("the challenge did not come back")
				}
			}
			w.TypeDirect(w.irma, "help TYPED-WORDS")
			w.Await("an answer", func() bool { return len(w.DM(w.irma)) > 1 })
			app, err := slack.Manifest("Weerklank", prompts.Dutch, "")
			if err != nil {
				t.Fatal(err)
			}
			said, _ := w.Message(w.channel, w.Type(w.irma, w.channel, "TYPED-WORDS"))
			for _, s := range app.Features.Shortcuts {
				got := w.GlobalShortcut(w.irma, s.Callback)
				if s.Type == "message" {
					got = w.MessageShortcut(w.irma, said, s.Callback)
				}
				if got.Err != "" || got.Modal == nil {
					t.Errorf("%s: %+v", s.Callback, got)
				}
			}
			if code, said := health(p, "/healthz"); code != http.StatusOK {
				t.Errorf("health: %d %s", code, said)
			}
			for path, want := range map[string]int{"/": 404, "/events": 404, "/slackevents": 404, "/slack/events": map[string]int{transportSocket: 404, transportHTTP: 401}[transport]} {
				resp, err := http.Post("http://"+w.c.HTTP.Listen+path, "application/json", strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != want {
					t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
				}
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			w.quiet(t, log.String())
		})
	}
}

// A workspace, a Mattermost server and Slack at once; whichever is refused stops no other, and health says which.
func TestSeveralPlatforms(t *testing.T) {
	for refused, spoil := range map[string]func(*village, *town){
		"none":          func(*village, *town) {},
		"the bot token": func(w *village, _ *town) { w.RevokeToken(false, "account_inactive") },
		"the app token": func(w *village, _ *town) { w.RevokeToken(true, "token_revoked") },
		"mattermost":    func(_ *village, m *town) { m.Disable(m.bot) },
	} {
		t.Run(refused, func(t *testing.T) {
			w, m := newVillage(t), newTown(t)
			c := m.c
			c.Slack = w.c.Slack
			c.Workspace.Enabled, c.Workspace.Listen = true, "127.0.0.1:0"
			spoil(w, m)
			var log chattest.Log
			p, stop := start(t, c, &log)
			if _, err := p.ws.Type(t.Context(), "fatima", "@fatima", "help", ""); err != nil {
				t.Errorf("the workspace: %v", err)
			}
			if refused != "mattermost" {
				m.DM(m.irma, "help")
				m.Await("an answer to help", func() bool { return len(m.DMs(m.irma)) > 1 })
			}
			if refused == "none" || refused == "mattermost" {
				w.TypeDirect(w.irma, "help")
				w.Await("an answer", func() bool { return len(w.DM(w.irma)) > 1 })
			}
			code, said := health(p, "/healthz")
			want := map[string]string{
				"the bot token": "bot_token is not accepted (account_inactive)", "the app token": "app_token is not accepted (token_revoked)",
				"mattermost": "mattermost does not let the bot in",
			}[refused]
			if refused != "none" && (code != http.StatusServiceUnavailable || !strings.Contains(said, want)) || refused == "none" && code != http.StatusOK {
				t.Errorf("health: %d %s", code, said)
			}
			for _, path := range []string{"/livez", "/readyz"} {
				if code, said := health(p, path); code != http.StatusOK {
					t.Errorf("%s: %d %s", path, code, said)
				}
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			w.quiet(t, log.String())
		})
	}
}

// A Slack that gives no answer holds nobody up, and is found when it does.
func TestSlackThatComesBack(t *testing.T) {
	w := newVillage(t)
	w.c.Workspace.Enabled, w.c.Workspace.Listen = true, "127.0.0.1:0"
	w.Stop()
	p, stop := start(t, w.c, io.Discard)
	if err := p.healthy(); !errors.Is(err, errAbsent) {
		t.Errorf("health: %v", err)
	}
	if _, err := p.ws.Type(t.Context(), "fatima", "@fatima", "help", ""); err != nil {
		t.Errorf("another platform: %v", err)
	}
	w.Resume()
	until(t, "health", func() bool { return p.healthy() == nil })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// The doctor looks at Slack while no bot runs and beside one, and says no secret.
func TestDoctorOnSlack(t *testing.T) {
	w := newVillage(t)
	file := filepath.Join(t.TempDir(), "c.toml")
	text := "data_dir = \"" + w.c.DataDir + "\"\n[help]\nadviser = \"Jo\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[slack]\nbot_token = \"" + w.BotToken() +
		"\"\napp_token = \"" + w.AppToken() + "\"\napi_url = \"" + w.URL() + "\"\n[rights]\nmanagers = [\"slack:" + w.irma + "\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	doctor := func(lang string) (code int, said string) {
		t.Helper()
		var out bytes.Buffer
		lookup := func(name string) (string, bool) { return lang, name == "LANG" }
		code = run(t.Context(), []string{"doctor", "--config", file, "--online"}, lookup, strings.NewReader(""), &out, &out)
		for _, s := range []string{w.BotToken(), w.AppToken()} {
			if strings.Contains(out.String(), s) {
				t.Errorf("the doctor shows a token:\n%s", &out)
			}
		}
		return code, out.String()
	}
	if code, said := doctor("C"); code != exitOK || !strings.Contains(said, "right: A connection opens") || !strings.Contains(said, "Nothing has to be fixed. To look at: 0.") {
		t.Errorf("without a bot: %d\n%s", code, said)
	}
	p, stop := start(t, w.c, io.Discard)
	err := p.db.UpdateTeam(t.Context(), bot.TeamID("slack:"+w.Team()+"/"+w.channel), func(team *bot.Team) (bot.Also, error) { team.State = bot.TeamOn; return bot.Also{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	if code, said := doctor("nl_NL.UTF-8"); code != exitOK || !strings.Contains(said, "in orde: De bot draait, en Slack neemt het app-token aan") {
		t.Errorf("beside a bot: %d\n%s", code, said)
	}
	w.Archive(w.channel)
	if code, said := doctor("C"); code != exitFailure || !strings.Contains(said, ": ploeg is archived") {
		t.Errorf("an archived channel: %d\n%s", code, said)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Over requests the doctor takes the way from the outside, to the bot or while none runs to itself.
func TestDoctorOnSlackOverHTTP(t *testing.T) {
	w := newVillage(t)
	w.c.Slack.Transport, w.c.Slack.SigningSecret = transportHTTP, newSecret(aSigning)
	file := filepath.Join(t.TempDir(), "c.toml")
	text := "data_dir = \"" + w.c.DataDir + "\"\n[help]\nadviser = \"Jo\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"" + w.c.HTTP.Listen + "\"\npublic_url = \"http://" +
		w.c.HTTP.Listen + "\"\n[slack]\ntransport = \"http\"\nbot_token = \"" + w.BotToken() + "\"\nsigning_secret = \"" + aSigning + "\"\napi_url = \"" + w.URL() + "\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	doctor := func() (code int, said string) {
		var out bytes.Buffer
		code = run(t.Context(), []string{"doctor", "--config", file, "--online"}, unset, strings.NewReader(""), &out, &out)
		silent(t, "the doctor", out.String())
		return code, out.String()
	}
	if code, said := doctor(); code != exitOK || !strings.Contains(said, "right: From here, what is sent to http://"+w.c.HTTP.Listen+"/slack arrives") {
		t.Errorf("without a bot: %d\n%s", code, said)
	}
	_, stop := start(t, w.c, io.Discard)
	if code, said := doctor(); code != exitOK || !strings.Contains(said, "right: From here, what is sent") {
		t.Errorf("beside a bot: %d\n%s", code, said)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
