package editor_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// Whatever keeps a form from being saved, what was typed in it comes back.
func TestNothingTypedIsLost(t *testing.T) {
	w := served(t, nil)
	title := "Het <b>lange</b> verhaal"
	back := `value="Het &lt;b&gt;lange&lt;/b&gt; verhaal"`
	path := "/library/new/prompt"
	t.Run("signed in again elsewhere", func(t *testing.T) {
		old := w.in(anna, prompts.Dutch)
		old.get(path)
		old.http.Jar = w.in(anna, prompts.Dutch).http.Jar // the same browser, another tab
		if status := old.press(path, with(dilemma(title), "do", "save")); status != http.StatusForbidden || !strings.Contains(old.last, back) || !strings.Contains(old.last, "eerdere sessie") {
			t.Fatalf("%d\n%s", status, old.main())
		}
		if !strings.Contains(old.last, " data-unsaved ") {
			t.Error("leaving the page would lose it without a word")
		}
		if _, err := w.bot.Entry(t.Context(), promptKey("het-b-lange-b-verhaal")); err == nil {
			t.Error("saved without a token")
		}
		if status := old.press(path, with(dilemma(title), "do", "save")); status != http.StatusOK || !strings.Contains(old.last, "concept") {
			t.Errorf("once more: %d\n%s", status, old.main())
		}
	})
	t.Run("the session is over", func(t *testing.T) {
		c := w.in(anna, prompts.Dutch)
		c.get("/library/new/tension")
		form := c.form("/library/new/tension")
		c.press("/library/out", nil)
		for name, values := range map[string]url.Values{
			path: with(dilemma(title), "t", form.Get("t")), "/library/new/tension": {"t": form["t"], "nl.cues_a": {"een </textarea><script>\r\ntwee"}},
		} {
			if status := c.post(name, values); status != http.StatusUnauthorized || !strings.Contains(c.last, "Je tekst staat hieronder") {
				t.Errorf("%s: %d\n%s", name, status, c.main())
			}
			if !strings.Contains(c.last, "Het &lt;b&gt;lange&lt;/b&gt; verhaal\n") && !strings.Contains(c.last, "een &lt;/textarea&gt;&lt;script&gt;\ntwee") {
				t.Errorf("%s: the text is gone\n%s", name, c.main())
			}
		}
		for name, values := range map[string]url.Values{path: {"nl.title": {strings.Repeat("x", 200_000)}}, "/library/import": {"nl.title": {"x"}}, "/library/new/round": {"nl.title": {"x"}}} {
			if status := c.post(name, values); status != http.StatusUnauthorized || strings.Contains(c.last, `id="typed"`) {
				t.Errorf("%s: %d", name, status)
			}
		}
	})
	t.Run("too fast", func(t *testing.T) {
		c := w.in(anna, prompts.Dutch)
		c.get(path)
		form := c.last
		for status := http.StatusOK; status != http.StatusTooManyRequests; {
			status = c.get("/library/exchange")
		}
		c.last = form
		if status := c.press(path, with(dilemma(title), "do", "save")); status != http.StatusTooManyRequests || !strings.Contains(c.last, back) {
			t.Errorf("%d\n%s", status, c.main())
		}
	})
	t.Run("not there any more", func(t *testing.T) {
		c := w.in(anna, prompts.Dutch)
		gone := "/library/edit/prompt/" + w.firstPrompt()
		c.get(gone)
		w.o.Library.Prompts = w.o.Library.Prompts[1:]
		w.restart() // a release without it
		if status := c.press(gone, with(dilemma(title), "do", "save")); status != http.StatusNotFound || !strings.Contains(c.last, back) || c.field(path, "t") == "" {
			t.Errorf("%d\n%s", status, c.main())
		}
	})
	t.Run("the store is shut", func(t *testing.T) {
		c := w.in(anna, prompts.Dutch)
		c.get(path)
		w.db.Close()
		if status := c.press(path, with(dilemma(title), "do", "save")); status != http.StatusInternalServerError || !strings.Contains(c.last, "Het &lt;b&gt;lange&lt;/b&gt; verhaal") {
			t.Errorf("%d\n%s", status, c.main())
		}
	})
	if log := w.log.String(); strings.Contains(log, "verhaal") || strings.Contains(log, "panic") {
		t.Error("the log holds what was typed, or a panic")
	}
}
