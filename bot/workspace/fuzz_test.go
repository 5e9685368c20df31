package workspace_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/workspace"
)

var tags = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)

// Whatever somebody writes, in every position a page has: the page's own elements are the same as with plain words.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"gewoon", "<script>alert(1)</script>", `" onmouseover="x`, "</textarea><b>", "{{.}}", "\u202e", "\x00", "<!--", "&lt;"} {
		f.Add(s)
	}
	dir := f.TempDir()
	page := func(t testing.TB, text string) (string, bool) {
		os.Remove(filepath.Join(dir, "chat.jsonl"))
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		a, err := workspace.New(config(root), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		a.Use(func(_ context.Context, e bot.Event) (bot.Response, error) {
			form := form()
			form.Fields[0].Value, form.Fields[0].Label, form.Title = []string{text}, text, text
			return bot.Response{Form: form, Errors: map[string]string{"text": text}, Message: &bot.Message{Blocks: []bot.Block{bot.Quote(text)}}}, nil
		})
		blocks := []bot.Block{bot.Heading(text), bot.Text(bot.Span{Text: text, Strong: true}), bot.Quote(text), {Kind: bot.BlockPoles, Spans: []bot.Span{{Text: text}, {Text: text}}},
			bot.List(text), bot.Code(text), bot.Note(text), {Kind: bot.BlockActions, Actions: []bot.Action{{Do: text, Arg: text, Label: text}}}}
		ref, err := a.Post(t.Context(), crew, bot.Message{Blocks: blocks}, "", "k")
		if err != nil {
			return "", false
		}
		body := url.Values{"place": {"buitendienst"}, "id": {string(ref)}, "n": {"0"}}.Encode()
		r := httptest.NewRequest("POST", "http://127.0.0.1/press", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		h := a.Handler()
		if w := httptest.NewRecorder(); true {
			h.ServeHTTP(w, r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/c/buitendienst", nil))
		return w.Body.String(), w.Code == 200
	}
	skeleton := func(html string) string {
		var names []string
		for _, tag := range tags.FindAllString(html, -1) {
			name, _, _ := strings.Cut(strings.Trim(tag, "<>"), " ")
			names = append(names, name)
		}
		return strings.Join(names, " ")
	}
	plain, _ := page(f, "gewoon")
	want := skeleton(plain)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(text) == "" {
			return // an empty label or error has no element
		}
		if got, ok := page(t, text); ok && skeleton(got) != want {
			t.Errorf("%q changes the page", text)
		}
	})
}

// Whatever stands in the chat's file: it is read, or refused with an error.
func FuzzChatFile(f *testing.F) {
	f.Add(`{"op":"say","id":"A","place":"buitendienst","from":"cor","text":"hoi"}` + "\n" + `{"op":"edit","id":"A","text":"hallo"}` + "\n" + `{"op":"dele`)
	f.Add("{}\n[]\nnull\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, "chat.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		a, err := workspace.New(config(root), slog.New(slog.DiscardHandler))
		if err != nil {
			return
		}
		defer a.Close()
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/c/buitendienst", nil))
		if w.Code != 200 {
			t.Errorf("the page gives %d", w.Code)
		}
	})
}
