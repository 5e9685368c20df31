package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/workspace"
	"github.com/weerklank/weerklank/prompts"
)

const crew = bot.TeamID("workspace:buitendienst")

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

func config(root *os.Root) workspace.Config {
	return workspace.Config{Root: root, File: "chat.jsonl", Seed: workspace.DefaultSeed(), Zone: time.UTC}
}

func open(t *testing.T, dir string, log io.Writer) *workspace.Adapter {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	a, err := workspace.New(config(root), slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestContract(t *testing.T) {
	chattest.Run(t, func(t *testing.T) chattest.Harness {
		dir, log := t.TempDir(), &safeBuffer{}
		a := open(t, dir, log)
		last := func(person string) string { // the message just typed
			raw, err := os.ReadFile(filepath.Join(dir, "chat.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			ids := regexp.MustCompile(`"op":"say","id":"([A-Z0-9]+)","place":"@`+person+`","from":"`+person+`"`).FindAllSubmatch(raw, -1)
			if len(ids) == 0 {
				return ""
			}
			return string(ids[len(ids)-1][1])
		}
		return chattest.Harness{
			Chat: a, Team: crew, Gone: "workspace:nergens", Member: "fatima", Boss: "irma",
			Reopen: func(t *testing.T) bot.Chat { a.Close(); return open(t, dir, log) },
			Type: func(ctx context.Context, person, text string) (string, error) {
				_, err := a.Type(ctx, person, "@"+person, text, "")
				return last(person), err
			},
			Change: func(ctx context.Context, person, message, text string) error {
				_, err := a.Change(ctx, person, message, text)
				return err
			},
			Page: func(string) string {
				s := httptest.NewServer(a.Handler())
				defer s.Close()
				resp, err := http.Get(s.URL + "/c/buitendienst")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				raw, _ := io.ReadAll(resp.Body)
				return string(raw)
			},
			Log: log.String,
		}
	})
}

// A last line that was cut off is dropped; what was confirmed before it stays, and the file goes on.
func TestTornFile(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, io.Discard)
	for _, key := range []string{"a", "b"} {
		if _, err := a.Post(t.Context(), crew, bot.Message{Blocks: []bot.Block{bot.Heading("titel " + key)}}, "", key); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	file := filepath.Join(dir, "chat.jsonl")
	raw, _ := os.ReadFile(file)
	if err := os.WriteFile(file, raw[:len(raw)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	a = open(t, dir, io.Discard)
	if _, err := a.Find(t.Context(), crew, "a", time.Now()); err != nil {
		t.Error(err)
	}
	if _, err := a.Find(t.Context(), crew, "b", time.Now()); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("half a line was read: %v", err)
	}
	if _, err := a.Post(t.Context(), crew, bot.Message{}, "", "c"); err != nil {
		t.Fatal(err)
	}
	a.Close()
	a = open(t, dir, io.Discard)
	if _, err := a.Find(t.Context(), crew, "c", time.Now()); err != nil {
		t.Error(err)
	}
}

// visitor is a browser without script.
type visitor struct {
	t   *testing.T
	c   *http.Client
	url string
}

func visit(t *testing.T, a *workspace.Adapter) *visitor {
	s := httptest.NewServer(a.Handler())
	t.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar}, s.URL}
}

func (v *visitor) post(path string, values url.Values) (int, string) {
	v.t.Helper()
	resp, err := v.c.PostForm(v.url+path, values)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw)
}

func form() *bot.Form {
	return &bot.Form{Name: "reply", State: "R", Lang: prompts.Dutch, Title: "Titel", Submit: "Bewaren", Fields: []bot.Field{
		{Name: "text", Kind: bot.FieldText, Label: "Tekst"}, {Name: "share", Kind: bot.FieldOne, Label: "Delen", Options: []bot.Option{{Value: "share", Label: "Ja"}}},
	}}
}

// The whole path works without script: button, form, error with the text kept, last view.
func TestWithoutScript(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	var got bot.Event
	a.Use(func(_ context.Context, e bot.Event) (bot.Response, error) {
		got = e
		switch e := e.(type) {
		case bot.ActionPressed:
			return bot.Response{Form: form()}, nil
		case bot.FormSubmitted:
			if len(e.Values["share"]) == 0 {
				f := form()
				f.Fields[0].Value = e.Values["text"]
				return bot.Response{Form: f, Errors: map[string]string{"share": "Kies eerst"}}, nil
			}
			m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Bewaard"})}}
			return bot.Response{Message: &m}, nil
		}
		return bot.Response{}, nil
	})
	ref, err := a.Post(t.Context(), crew, bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{{Kind: bot.BlockActions, Actions: []bot.Action{{Do: "x", Label: "X"}, {Do: "answer", Round: "R", Label: "Antwoord"}}}}}, "", "k")
	if err != nil {
		t.Fatal(err)
	}
	v := visit(t, a)
	v.post("/act", url.Values{"person": {"dewi"}, "place": {"buitendienst"}})
	status, page := v.post("/press", url.Values{"place": {"buitendienst"}, "id": {string(ref)}, "n": {"1"}})
	if pressed, ok := got.(bot.ActionPressed); !ok || pressed.Action.Do != "answer" || pressed.Name != "Dewi" || pressed.Team != crew || status != 200 || !strings.Contains(page, `id="f-text"`) {
		t.Fatalf("%T %d", got, status)
	}
	_, page = v.post("/form", url.Values{"place": {"buitendienst"}, "f.text": {"mijn <b>woorden</b>"}})
	if !strings.Contains(page, "Kies eerst") || !strings.Contains(page, "mijn &lt;b&gt;woorden&lt;/b&gt;") {
		t.Error("the error or the words are missing")
	}
	_, page = v.post("/form", url.Values{"place": {"buitendienst"}, "f.text": {"x"}, "f.share": {"share"}})
	if !strings.Contains(page, "Bewaard") {
		t.Error("the last view is missing")
	}
	_, page = v.post("/close", url.Values{"place": {"buitendienst"}})
	if strings.Contains(page, `id="form"`) {
		t.Error("the form is still open")
	}
}

func TestHostileRequests(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	a.Use(func(context.Context, bot.Event) (bot.Response, error) { return bot.Response{}, nil })
	v := visit(t, a)
	if status, page := v.post("/say", url.Values{"place": {"buitendienst"}, "text": {strings.Repeat("x", 200<<10)}}); status != http.StatusRequestEntityTooLarge || !strings.Contains(page, "te lang") {
		t.Errorf("a huge message: %d", status)
	}
	if status, _ := v.post("/say", url.Values{"place": {"buitendienst"}, "text": {strings.Repeat("x", 2<<20)}}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: %d", status)
	}
	for _, values := range []url.Values{{"id": {"nothing"}, "n": {"0"}}, {"id": {""}, "n": {"-1"}}, {"n": {"x"}}} {
		if status, _ := v.post("/press", values); status != http.StatusNotFound {
			t.Errorf("%v: %d", values, status)
		}
	}
	if status, _ := v.post("/control", url.Values{"do": {"next"}}); status != http.StatusNotFound {
		t.Errorf("a control without a demo: %d", status)
	}
	for header, value := range map[string]string{"Host": "evil.example", "Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"} {
		req, err := http.NewRequest(http.MethodPost, v.url+"/say", strings.NewReader("place=buitendienst&text=hoi"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if header == "Host" {
			req.Host = value
		} else {
			req.Header.Set(header, value)
		}
		resp, err := v.c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s: %d", header, value, resp.StatusCode)
		}
	}
	resp, err := v.c.Get(v.url + "/c/buitendienst")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	raw, _ := io.ReadAll(resp.Body)
	if bytes.Contains(raw, []byte(strings.Repeat("x", 1000))) {
		t.Error("the refused message was kept")
	}
	// Somebody else's conversation with the bot cannot be read or written.
	a.Type(t.Context(), "cor", "@cor", "alleen voor Cor", "")
	status, page := v.post("/say", url.Values{"place": {"@cor"}, "text": {"stiekem"}})
	if strings.Contains(page, "alleen voor Cor") {
		t.Errorf("somebody else's conversation shows (%d)", status)
	}
	// While nobody handles events, what was typed comes back.
	a.Use(nil)
	if status, page := v.post("/say", url.Values{"place": {"bot"}, "text": {"nog even wachten"}}); status != http.StatusServiceUnavailable || !strings.Contains(page, "nog even wachten") {
		t.Errorf("while resting: %d", status)
	}
}
