package workspace_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/workspace"
	"github.com/weerklank/weerklank/prompts"
)

const crew = bot.TeamID("workspace:buitendienst")

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
		dir, log := t.TempDir(), &chattest.Log{}
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
			Reopen: func(t *testing.T) bot.Chat { a.Close(); a = open(t, dir, log); return a }, Missed: true,
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
			Stands: func(text string) int {
				raw, err := os.ReadFile(filepath.Join(dir, "chat.jsonl"))
				if err != nil {
					t.Fatal(err)
				}
				return strings.Count(string(raw), text)
			},
			Shows: func(png []byte) bool {
				s := httptest.NewServer(a.Handler())
				defer s.Close()
				resp, err := http.Get(s.URL + "/c/buitendienst")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				raw, _ := io.ReadAll(resp.Body)
				return strings.Contains(html.UnescapeString(string(raw)), `<img class="picture" src="data:image/png;base64,`+base64.StdEncoding.EncodeToString(png)+`" alt="`)
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

// shown returns what the form on a page would send, with values for its fields.
func (v *visitor) shown(page string, fields url.Values) url.Values {
	v.t.Helper()
	_, inside, ok := strings.Cut(page, `id="fields"`)
	if !ok {
		v.t.Fatal("no form is open")
	}
	inside, _, _ = strings.Cut(inside, "</form>")
	values := maps.Clone(fields)
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`).FindAllStringSubmatch(inside, -1) {
		values.Set(m[1], html.UnescapeString(m[2]))
	}
	return values
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
	_, page = v.post("/form", v.shown(page, url.Values{"f.text": {"mijn <b>woorden</b>"}}))
	if !strings.Contains(page, "Kies eerst") || !strings.Contains(page, "mijn &lt;b&gt;woorden&lt;/b&gt;") {
		t.Error("the error or the words are missing")
	}
	if !strings.Contains(page, `role="radiogroup" aria-describedby="e-share" aria-invalid="true"`) || !strings.Contains(page, `id="e-share">Kies eerst`) {
		t.Error("the error does not belong to its field for who cannot see the page")
	}
	_, page = v.post("/form", v.shown(page, url.Values{"f.text": {"x"}, "f.share": {"share"}}))
	if !strings.Contains(page, "Bewaard") {
		t.Error("the last view is missing")
	}
	_, page = v.post("/close", url.Values{"place": {"buitendienst"}, "form": {formID(page)}})
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

func formID(page string) string {
	if m := regexp.MustCompile(`data-form="([A-Z0-9]+)"`).FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return ""
}

// heard keeps the events that the bot was told.
type heard struct {
	mu     sync.Mutex
	events []bot.Event
	err    error // what it answers
}

func (h *heard) handle(_ context.Context, e bot.Event) (bot.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	if _, ok := e.(bot.DirectReply); ok && h.err == nil {
		return bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note("het antwoord van het programma")}}}, nil
	}
	return bot.Response{}, h.err
}

func (h *heard) since(n int) []bot.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events[n:])
}

// While nobody handles events, an edit or a deletion is refused as a message is: what stands in the conversation and
// what the bot knows stay the same.
func TestChangeWhileResting(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	h := &heard{}
	a.Use(h.handle)
	if _, err := a.Type(t.Context(), "fatima", "@fatima", "mijn antwoord", ""); err != nil {
		t.Fatal(err)
	}
	id := h.since(0)[0].(bot.DirectReply).Message
	a.Use(nil)
	v := visit(t, a)
	for _, values := range []url.Values{{"text": {"heel anders"}}, {"text": {"mijn antwoord"}, "delete": {"1"}}} {
		values.Set("place", "bot")
		values.Set("id", id)
		status, page := v.post("/change", values)
		if status != http.StatusServiceUnavailable || !strings.Contains(page, `dir="auto">mijn antwoord<`) || !strings.Contains(page, values.Get("text")+"</textarea>") {
			t.Errorf("%v: %d; the message is gone, or what was typed", values, status)
		}
	}
	a.Use(h.handle)
	if _, err := a.Change(t.Context(), "fatima", id, ""); err != nil {
		t.Error(err)
	}
	if e := h.since(1); len(e) != 1 {
		t.Errorf("%d events", len(e))
	} else if gone, ok := e[0].(bot.ReplyWithdrawn); !ok || gone.Message != id {
		t.Errorf("%T", e[0])
	}
}

// What the bot could not handle stands in the conversation with a button to try again; nobody types it twice.
func TestUnheard(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	h := &heard{err: errors.New("the store takes nothing")}
	a.Use(h.handle)
	v := visit(t, a)
	status, page := v.post("/say", url.Values{"place": {"bot"}, "text": {"mijn antwoord"}})
	if status != http.StatusInternalServerError || !strings.Contains(page, `class="unheard"`) || !strings.Contains(page, `dir="auto">mijn antwoord<`) {
		t.Errorf("%d; the message is not there, or not marked", status)
	}
	if !strings.Contains(page, `dir="auto"></textarea>`) {
		t.Error("the message stands in the conversation and in the input field")
	}
	first := h.since(0)[0].(bot.DirectReply)
	h.err = nil
	status, page = v.post("/again", url.Values{"place": {"bot"}, "id": {first.Message}})
	if status != http.StatusOK || strings.Contains(page, `class="unheard"`) || !strings.Contains(page, "het antwoord van het programma") {
		t.Errorf("%d; still marked, or without an answer", status)
	}
	v.post("/again", url.Values{"place": {"bot"}, "id": {first.Message}}) // a second press
	if e := h.since(1); len(e) != 1 || e[0].(bot.DirectReply).Key != first.Key || e[0].(bot.DirectReply).Message != first.Message {
		t.Errorf("told %d times after it could be handled", len(e))
	}
	// What came before is told first, and a page that is closed at once takes nothing back.
	h.err = errors.New("the store takes nothing")
	v.post("/say", url.Values{"place": {"bot"}, "text": {"een"}})
	h.err = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := len(h.since(0))
	if _, err := a.Type(ctx, "fatima", "@fatima", "twee", ""); err != nil {
		t.Error(err)
	}
	if e := h.since(n); len(e) != 2 || e[0].(bot.DirectReply).Text != "een" || e[1].(bot.DirectReply).Text != "twee" {
		t.Errorf("%d events, or in another order", len(e))
	}
}

// What could not be handled is told again by itself, also a deletion, which leaves nothing to press a button on.
func TestToldAgain(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		a := open(t, t.TempDir(), io.Discard)
		h := &heard{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx, h.handle) }()
		synctest.Wait()
		if _, err := a.Type(t.Context(), "fatima", "@fatima", "mijn antwoord", ""); err != nil {
			t.Fatal(err)
		}
		h.err = errors.New("the store takes nothing")
		if _, err := a.Change(t.Context(), "fatima", h.since(0)[0].(bot.DirectReply).Message, ""); err == nil {
			t.Error("it was handled")
		}
		time.Sleep(2 * time.Minute)
		h.mu.Lock()
		h.err = nil
		h.mu.Unlock()
		n := len(h.since(0))
		time.Sleep(10 * time.Minute)
		if e := h.since(n); len(e) != 1 || e[0].(bot.ReplyWithdrawn).Key != h.since(1)[0].(bot.ReplyWithdrawn).Key {
			t.Errorf("told %d times once it could be handled", len(e))
		}
		cancel()
		<-done
	})
}

// A crash between the answer and the mark that the message was handled: the bot hears it again, and its answer does not
// stand there twice. What was typed before there were marks is left alone.
func TestOnlyTheMarkIsLost(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "chat.jsonl")
	if err := os.WriteFile(file, []byte(`{"op":"say","id":"OUD","place":"@fatima","from":"fatima","text":"van vroeger","at":"2026-01-05T10:00:00Z"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := open(t, dir, io.Discard)
	h := &heard{}
	a.Use(h.handle)
	if _, err := a.Type(t.Context(), "fatima", "@fatima", "mijn antwoord", ""); err != nil {
		t.Fatal(err)
	}
	a.Close()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndexByte(raw[:len(raw)-1], '\n') + 1
	if !bytes.Contains(raw[at:], []byte(`"op":"handled"`)) {
		t.Fatalf("the last line is %s", raw[at:])
	}
	if err := os.WriteFile(file, raw[:at], 0o600); err != nil {
		t.Fatal(err)
	}
	a = open(t, dir, io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, h.handle) }()
	for { // running once it takes a message
		if _, err := a.Type(t.Context(), "cor", "@cor", "hallo", ""); err == nil {
			break
		}
		runtime.Gosched()
	}
	e := h.since(0)
	if len(e) != 3 || e[1].(bot.DirectReply).Key != e[0].(bot.DirectReply).Key || e[2].(bot.DirectReply).Name != "Cor" {
		t.Errorf("%d events", len(e))
	}
	_, page := visit(t, a).post("/act", url.Values{"person": {"fatima"}, "place": {"bot"}})
	if n := strings.Count(page, "het antwoord van het programma"); n != 1 {
		t.Errorf("the answer stands there %d times", n)
	}
	cancel()
	<-done
}

// Only the whole name addresses the bot, and what follows keeps its capitals.
func TestAddressed(t *testing.T) {
	for text, want := range map[string]string{
		"/weerklank":  "command \"\"",
		"@weerklank ": "command \"\"",
		"@Weerklank Afspraak Wij bellen eerst Jan":     "command \"Afspraak Wij bellen eerst Jan\"",
		"/weerklank\tAfspraak Wij bellen eerst Jan":    "command \"Afspraak Wij bellen eerst Jan\"",
		"/weerklankje is leuk":                         "",
		"@weerklankje is leuk":                         "",
		"/weerklan":                                    "",
		"Zie @weerklank":                               "",
		"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5": "",
	} {
		a := open(t, t.TempDir(), io.Discard)
		got := ""
		a.Use(func(_ context.Context, e bot.Event) (bot.Response, error) {
			got = fmt.Sprintf("%T", e)
			if c, ok := e.(bot.Command); ok {
				got = fmt.Sprintf("command %q", c.Text)
			}
			return bot.Response{}, nil
		})
		if _, err := a.Type(t.Context(), "irma", "buitendienst", text, ""); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got != want {
			t.Errorf("%q gives %s, want %s", text, got, want)
		}
	}
}

// rounds answers every command with the form of a new round, and keeps what is sent in.
type rounds struct {
	n    int
	sent []bot.FormSubmitted
	err  error
}

func (r *rounds) handle(_ context.Context, e bot.Event) (bot.Response, error) {
	if s, ok := e.(bot.FormSubmitted); ok {
		r.sent = append(r.sent, s)
		return bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note("Bewaard")}}}, r.err
	}
	r.n++
	f := form()
	f.State = fmt.Sprintf("ROUND-%d", r.n)
	return bot.Response{Form: f}, nil
}

// Two windows, two forms: what was filled in for one is never sent as the other.
func TestTwoForms(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	r := &rounds{}
	a.Use(r.handle)
	v := visit(t, a)
	_, one := v.post("/say", url.Values{"place": {"buitendienst"}, "text": {"/weerklank een"}})
	_, two := v.post("/say", url.Values{"place": {"buitendienst"}, "text": {"/weerklank twee"}})
	_, page := v.post("/close", url.Values{"place": {"buitendienst"}, "form": {formID(one)}})
	if formID(page) != formID(two) || formID(one) == formID(two) {
		t.Error("closing the first form closes the second")
	}
	_, page = v.post("/form", v.shown(one, url.Values{"f.text": {"voor de eerste"}, "f.share": {"share"}}))
	if len(r.sent) > 0 {
		t.Errorf("%q was sent for %s", r.sent[0].Values["text"], r.sent[0].State)
	}
	if !strings.Contains(page, "ROUND-2") || !strings.Contains(page, ">voor de eerste</textarea>") || !strings.Contains(page, `value="share" checked`) || !strings.Contains(page, `id="e-form"`) {
		t.Error("the open form does not come back with what was typed")
	}
	_, page = v.post("/form", v.shown(page, url.Values{"f.text": {"voor de tweede"}, "f.share": {"share"}}))
	if len(r.sent) != 1 || r.sent[0].State != "ROUND-2" || !strings.Contains(page, "Bewaard") {
		t.Errorf("%d forms were sent", len(r.sent))
	}
	// The first is still on somebody's screen, and now none is open: it goes where it belongs.
	v.post("/close", url.Values{"place": {"buitendienst"}, "form": {formID(page)}})
	if _, page = v.post("/form", v.shown(one, url.Values{"f.text": {"voor de eerste"}})); len(r.sent) != 2 || r.sent[1].State != "ROUND-1" || !strings.Contains(page, "Bewaard") {
		t.Errorf("%d forms were sent", len(r.sent))
	}
}

// A form that was open when the program was started again is sent as what it was, and when that fails every word is
// still on the page.
func TestFormAfterRestart(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, io.Discard)
	r := &rounds{}
	a.Use(r.handle)
	v := visit(t, a)
	_, page := v.post("/say", url.Values{"place": {"buitendienst"}, "text": {"/weerklank een"}})
	sent := v.shown(page, url.Values{"f.text": {"een lang <antwoord>"}, "f.other": {"iets anders"}})
	a.Close()
	a = open(t, dir, io.Discard)
	v = visit(t, a)
	kept := func(status int, page string) {
		t.Helper()
		for _, word := range []string{"een lang &lt;antwoord&gt;", "iets anders"} {
			if !strings.Contains(page, ">"+word+"</textarea>") {
				t.Errorf("%d; %q is lost", status, word)
			}
		}
	}
	status, page := v.post("/form", sent) // still starting
	if status != http.StatusServiceUnavailable {
		t.Errorf("while resting: %d", status)
	}
	kept(status, page)
	a.Use(r.handle)
	for name, value := range map[string]string{"name": "", "at": "werkplaats"} { // a page from long ago, a place the person is not in
		wrong := maps.Clone(sent)
		wrong.Set(name, value)
		if status, page = v.post("/form", wrong); status != http.StatusNotFound {
			t.Errorf("%s %q: %d", name, value, status)
		}
		kept(status, page)
	}
	r.err = errors.New("the store takes nothing")
	status, page = v.post("/form", sent)
	if status != http.StatusInternalServerError {
		t.Errorf("a failing handler: %d", status)
	}
	kept(status, page)
	r.err = nil
	if status, page = v.post("/form", sent); status != http.StatusOK || !strings.Contains(page, "Bewaard") {
		t.Errorf("after a restart: %d", status)
	}
	last := r.sent[len(r.sent)-1]
	if last.Form != "reply" || last.State != "ROUND-1" || last.Team != crew || last.Values["text"][0] != "een lang <antwoord>" {
		t.Errorf("%s %s in %s", last.Form, last.State, last.Team)
	}
}

// When the handler fails while the form is known, the form stays open with everything in it.
func TestFormStaysOpen(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	r := &rounds{err: errors.New("the store takes nothing")}
	a.Use(r.handle)
	v := visit(t, a)
	_, page := v.post("/say", url.Values{"place": {"buitendienst"}, "text": {"/weerklank een"}})
	_, page = v.post("/form", v.shown(page, url.Values{"f.text": {"alles"}, "f.share": {"share"}}))
	if !strings.Contains(page, ">alles</textarea>") || !strings.Contains(page, `value="share" checked`) || !strings.Contains(page, `id="e-form"`) {
		t.Error("something is lost, or nothing is said")
	}
}

// A page speaks only for the person it was shown to, and only where they are; what was typed comes back.
func TestPageOfSomebodyElse(t *testing.T) {
	a := open(t, t.TempDir(), io.Discard)
	h := &heard{}
	a.Use(h.handle)
	v := visit(t, a)
	v.post("/act", url.Values{"person": {"cor"}, "place": {"bot"}}) // in another window
	for path, field := range map[string]string{"/say": "text", "/form": "f.text", "/change": "text"} {
		status, page := v.post(path, url.Values{"place": {"bot"}, "as": {"fatima"}, "name": {"reply"}, "id": {"X"}, field: {"van Fatima"}})
		if status != http.StatusConflict || !strings.Contains(page, ">van Fatima</textarea>") {
			t.Errorf("%s: %d, or the text is lost", path, status)
		}
	}
	v.post("/act", url.Values{"person": {"fatima"}, "place": {"bot"}})
	if status, page := v.post("/say", url.Values{"place": {"werkplaats"}, "text": {"voor de werkplaats"}}); status != http.StatusNotFound || !strings.Contains(page, ">voor de werkplaats</textarea>") {
		t.Errorf("a channel the person is not in: %d", status)
	}
	if e := h.since(0); len(e) > 0 {
		t.Errorf("the bot heard %T", e[0])
	}
	if _, page := v.post("/act", url.Values{"person": {"irma"}, "place": {"werkplaats"}}); strings.Contains(page, "werkplaats</div>") {
		t.Error("it was said elsewhere")
	}
}
