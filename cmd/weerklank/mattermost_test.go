package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// town is a Mattermost server with a crew and a bot, and a configuration for it.
type town struct {
	*mattermosttest.Server
	c            config
	bot, channel string
	irma         string
}

func newTown(t *testing.T) *town {
	t.Helper()
	s := mattermosttest.New(t, mattermosttest.V11)
	w := &town{Server: s, c: defaultConfig()}
	var token string
	w.bot, token = s.AddBot("weerklank")
	crew := []string{w.bot}
	for _, name := range []string{"irma", "jo", "fatima", "kees", "ans", "piet"} {
		crew = append(crew, s.AddUser(mattermosttest.User{Name: name}))
	}
	w.irma = crew[1]
	w.channel = s.AddChannel(s.AddTeam("buiten", crew...), "ploeg", crew...)
	w.c.DataDir, w.c.Admin.Listen, w.c.HTTP.Listen = t.TempDir(), "", free(t)
	w.c.Help.Adviser = "Jo"
	w.c.Mattermost.URL, w.c.Mattermost.Token = s.URL(), newSecret(token)
	w.c.Mattermost.CallbackURL = "http://" + w.c.HTTP.Listen + "/f00dbabef00dbabe"
	w.c.Mattermost.CallbackSecret = newSecret(aSecret)
	w.c.Mattermost.CommandTokens = []secret{newSecret(aCommand)}
	return w
}

// free is an address that nothing listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start builds and serves the program on the town's server.
func (w *town) start(t *testing.T, log io.Writer) (p *parts, stop func() error) {
	t.Helper()
	e := &env{lookup: unset, stdout: io.Discard, stderr: io.Discard, lang: prompts.English}
	p, err := build(t.Context(), e, w.c, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
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
	case <-time.After(20 * time.Second):
		t.Fatal("it never took events")
	}
	return p, stop
}

// until waits for what another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatal("never came: " + what)
		}
	}
}

func health(p *parts, path string) (int, string) {
	w := httptest.NewRecorder()
	p.admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// The program lives on a Mattermost server: people's words come in, its answers go out, the server reaches its listener and
// nothing else on it, and a mark stays in the store. No log line holds a secret, an account or a word.
func TestRunOnMattermost(t *testing.T) {
	w := newTown(t)
	w.c.Rights.Managers = []string{"mattermost:irma", "mattermost:nobody"}
	var log chattest.Log
	p, stop := w.start(t, &log)
	w.DM(w.irma, "help")
	w.Await("an answer to help", func() bool { return len(w.DMs(w.irma)) > 1 })
	until(t, "the round trip", func() bool { reached, tried := p.mm.Reached(); return reached && tried })
	if code, said := health(p, "/healthz"); code != http.StatusOK {
		t.Errorf("health: %d %s", code, said)
	}
	until(t, "the listed manager", func() bool { return strings.Contains(log.String(), "listed people are not known") })
	for path, want := range map[string]int{"/": 404, "/metrics": 404, "/f00dbabef00dbabe/": 404, "/f00dbabef00dbabe/probe": 401, "/f00dbabef00dbabe/press": 401} {
		resp, err := http.Post("http://"+w.c.HTTP.Listen+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	resp, err := http.Post("http://"+w.c.HTTP.Listen+"/f00dbabef00dbabe/probe", "application/x-www-form-urlencoded", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest { // what the doctor tells to try by hand
		t.Errorf("by hand: %d", resp.StatusCode)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	silent(t, "the log", log.String())
	for _, s := range []string{w.c.Mattermost.Token.reveal(), w.irma, "irma", "nobody", "help"} {
		if strings.Contains(log.String(), s) {
			t.Errorf("the log holds %q:\n%s", s, log.String())
		}
	}
}

// A token that is refused, at the start or later, ends nothing: health says so, and says when it is over.
func TestRefusedTokenEndsNothing(t *testing.T) {
	w := newTown(t)
	w.Disable(w.bot)
	w.c.Workspace.Enabled, w.c.Workspace.Listen = true, "127.0.0.1:0"
	var log chattest.Log
	p, stop := w.start(t, &log)
	code, said := health(p, "/healthz")
	if code != http.StatusServiceUnavailable || !strings.Contains(said, "does not let the bot in") {
		t.Errorf("health: %d %s", code, said)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if code, said := health(p, path); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, said)
		}
	}
	if _, err := p.ws.Type(t.Context(), "fatima", "@fatima", "help", ""); err != nil {
		t.Errorf("another platform: %v", err)
	}
	w.Enable(w.bot)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.watchAccess(ctx, 5*time.Millisecond); close(ended) }()
	until(t, "health", func() bool { return p.healthy() == nil })
	cancel()
	<-ended
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "token was revoked"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A listener that the server does not reach is told, and people go on by typing.
func TestCallbacksThatAreNotReached(t *testing.T) {
	w := newTown(t)
	w.c.Mattermost.CallbackURL = "http://" + free(t) + "/f00dbabef00dbabe"
	var log chattest.Log
	p, stop := w.start(t, &log)
	until(t, "health", func() bool { return errors.Is(p.healthy(), errUnreached) })
	if p.mm.Forms() {
		t.Error("forms are offered that nobody can send in")
	}
	if code, said := health(p, "/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(said, "callback_url") {
		t.Errorf("health: %d %s", code, said)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// What comes from outside is bounded: a body that is too large or never ends keeps nothing busy.
func TestCallbacksAreBounded(t *testing.T) {
	l := newListeners(t.Context(), slog.New(slog.DiscardHandler), func(error) {})
	read := make(chan error, 1)
	addr, err := l.add("http", "tcp", "127.0.0.1:0", bounded(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	}), maxRequest))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Post("http://"+addr, "text/plain", strings.NewReader(strings.Repeat("x", maxRequest+1))); err == nil {
		resp.Body.Close()
	}
	if err := <-read; err == nil {
		t.Error("a large body was read whole")
	}
	l.closeIntake(t.Context())
	if err := l.close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The doctor looks while no bot runs and beside one, ends with 0 only if nothing has to be fixed, and says no secret.
func TestDoctorOnline(t *testing.T) {
	w := newTown(t)
	file := filepath.Join(t.TempDir(), "c.toml")
	write := func() {
		t.Helper()
		text := "data_dir = \"" + w.c.DataDir + "\"\n[help]\nadviser = \"Jo\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"" + w.c.HTTP.Listen +
			"\"\n[mattermost]\nurl = \"" + w.URL() + "\"\ntoken = \"" + w.c.Mattermost.Token.reveal() + "\"\ncallback_url = \"" + w.c.Mattermost.CallbackURL +
			"\"\ncallback_secret = \"" + aSecret + "\"\ncommand_tokens = [\"" + aCommand + "\"]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doctor := func(lang string) (code int, said string) {
		t.Helper()
		var out bytes.Buffer
		lookup := func(name string) (string, bool) { return lang, name == "LANG" }
		code = run(t.Context(), []string{"doctor", "--config", file, "--online"}, lookup, strings.NewReader(""), &out, &out)
		silent(t, "the doctor", out.String())
		if strings.Contains(out.String(), w.c.Mattermost.Token.reveal()) {
			t.Errorf("the doctor shows the token:\n%s", &out)
		}
		return code, out.String()
	}
	write()
	if code, said := doctor("C"); code != exitOK || !strings.Contains(said, "right: The server reaches the bot") || !strings.Contains(said, "Nothing has to be fixed. To look at: 0.") {
		t.Errorf("without a bot: %d\n%s", code, said)
	}
	p, stop := w.start(t, io.Discard)
	err := p.db.UpdateTeam(t.Context(), bot.TeamID("mattermost:"+w.channel), func(team *bot.Team) (bot.Also, error) { team.State = bot.TeamOn; return bot.Also{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	if code, said := doctor("nl_NL.UTF-8"); code != exitOK || !strings.Contains(said, "de bot draait") || !strings.Contains(said, "in orde: De server bereikt de bot") {
		t.Errorf("beside a bot: %d\n%s", code, said)
	}
	w.Archive(w.channel)
	if code, said := doctor("C"); code != exitFailure || !strings.Contains(said, ": ploeg is archived") || !strings.Contains(said, "to be fixed: ") {
		t.Errorf("an archived channel: %d\n%s", code, said)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
