package editor_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

//go:embed testdata/axe.min.js
var axe string

// browser is one Chromium, in which all these tests look at pages.
type browser struct {
	t     *testing.T
	ctx   context.Context
	world *world
	n     int
	asked atomic.Int32 // how often a page asked whether to leave it
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium: CI must install it")
	}
	t.Skip("no Chromium is installed")
	return ""
}

func openBrowser(t *testing.T, w *world) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	b := &browser{t: t, ctx: ctx, world: w}
	chromedp.ListenTarget(ctx, func(event any) {
		if _, ok := event.(*page.EventJavascriptDialogOpening); ok { // something is not saved: it is left all the same
			b.asked.Add(1)
			go chromedp.Run(ctx, page.HandleJavaScriptDialog(true))
		}
	})
	return b
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.shot("failed")
		b.t.Fatalf("browser: %v\n%s", err, b.text())
	}
}

func (b *browser) text() string {
	var s string
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	chromedp.Run(ctx, chromedp.Evaluate(`location.pathname + "\n" + document.body.innerText.slice(0, 3000)`, &s))
	return s
}

func (b *browser) opens(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.world.server.URL + path))
}

// until waits until a line of JavaScript gives true; a page that is just being replaced is asked again.
func (b *browser) until(js string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	ok := false
	for {
		if err := chromedp.Run(ctx, chromedp.Evaluate(js, &ok)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			b.shot("missing")
			b.t.Fatalf("never true: %s\n%s", js, b.text())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *browser) sees(words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.includes(%q)`, words))
}

func (b *browser) width(px int) {
	b.do(emulation.SetDeviceMetricsOverride(int64(px), 900, 1, px < 600))
}

// shot keeps a picture of the whole page when WEERKLANK_SHOTS names a folder.
func (b *browser) shot(name string) {
	dir := os.Getenv("WEERKLANK_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		b.t.Logf("picture: %v", err)
		return
	}
	b.n++
	os.WriteFile(filepath.Join(dir, fmt.Sprintf("library-%02d-%s.png", b.n, name)), png, 0o644)
}

// looks says what axe finds on the page, and whether it must be scrolled sideways.
func (b *browser) looks(what string) {
	b.t.Helper()
	var raw string
	b.do(chromedp.Evaluate(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then((r) => JSON.stringify({
		wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		violations: r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + " " + n.failureSummary).join(" | "))}))`, &raw,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var found struct {
		Wide       int
		Violations []string
	}
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range found.Violations {
		b.t.Errorf("%s: %s", what, v)
	}
	if found.Wide > 0 {
		var widest string
		chromedp.Run(b.ctx, chromedp.Evaluate(`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 120)).join("\n")`, &widest))
		b.t.Errorf("%s: %d pixels too wide\n%s", what, found.Wide, widest)
	}
}

// signIn goes through the door as somebody with a link does.
func (b *browser) signIn(who bot.ActorID, lang prompts.Lang) {
	b.t.Helper()
	link, err := b.world.ed.Link(b.t.Context(), who, lang)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(link))
	b.until(`document.querySelector("#code-field").hidden && location.hash === ""`)
	b.do(chromedp.Click("#in button", chromedp.ByQuery))
	b.until(`location.pathname === "/library/" && document.readyState === "complete"`)
}

func TestPagesInABrowser(t *testing.T) {
	w := served(t, nil)
	b := openBrowser(t, w)
	w.release()
	first := string(w.o.Library.Prompts[0].ID)
	c := w.in(anna, prompts.Dutch)
	c.get("/library/new/prompt")
	if status := c.press("/library/new/prompt", with(dilemma("Het vakje dat er niet is"), "do", "submit")); status != 200 {
		t.Fatalf("write: %d\n%s", status, c.main())
	}
	pages := []struct{ name, path string }{
		{"list", "/library/"}, {"list-found", "/library/?q=boot&type=dilemma&status=active"}, {"list-none", "/library/?q=zzzzz"},
		{"coverage", "/library/coverage"}, {"words", "/library/words"},
		{"entry", "/library/entry/prompt/" + first}, {"entry-review", "/library/entry/prompt/het-vakje-dat-er-niet-is"},
		{"entry-tension", "/library/entry/tension/policy-practice"}, {"edit", "/library/edit/prompt/" + first}, {"new", "/library/new/prompt"},
		{"edit-tension", "/library/edit/tension/policy-practice"}, {"new-value", "/library/new/value"}, {"new-audience", "/library/new/audience"},
		{"history", "/library/history/prompt/het-vakje-dat-er-niet-is"}, {"exchange", "/library/exchange"}, {"gone", "/library/nergens"},
	}
	for _, lang := range prompts.Langs() {
		b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(w.server.URL+"/library/in?lang="+string(lang)))
		b.both("door-" + string(lang))
		b.signIn(anna, lang)
		for _, p := range pages {
			b.opens(p.path)
			b.both(p.name + "-" + string(lang))
		}
		// What is wrong, at its place.
		b.opens("/library/new/prompt")
		b.do(chromedp.Evaluate(`document.querySelector("[name=cooldown_weeks]").value = "veel"; document.querySelector("#entry button[value=save]").click()`, nil))
		b.until(`document.readyState === "complete" && document.querySelector("#wrong a") !== null && document.activeElement.id === "wrong"`)
		b.both("wrong-" + string(lang))
	}
	b.pagesOfOthers(c)
	if b.asked.Load() == 0 {
		t.Error("a page with what is not saved is left without a question")
	}
}

// By keyboard alone: sign in, find a prompt, change it, read what the check says, save it.
func TestKeyboardAlone(t *testing.T) {
	w := served(t, nil)
	b := openBrowser(t, w)
	first := w.o.Library.Prompts[0]
	link, err := w.ed.Link(t.Context(), anna, prompts.Dutch)
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(link))
	b.until(`document.querySelector("#code-field").hidden`)
	b.tabTo(`document.activeElement.closest("#in") && document.activeElement.nodeName === "BUTTON"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`location.pathname === "/library/"`)
	b.sees("Je bent ingelogd.")
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter)) // past the menu
	b.until(`location.hash === "#main"`)
	b.tabTo(`document.activeElement.id === "q"`)
	b.do(chromedp.KeyEvent(first.In(prompts.Dutch).Title), chromedp.KeyEvent(kb.Enter))
	b.until(`location.search.includes("q=")`)
	b.tabTo(fmt.Sprintf(`document.activeElement.textContent === %q`, first.In(prompts.Dutch).Title))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`location.pathname.startsWith("/library/entry/")`)
	b.tabTo(`document.activeElement.textContent === "Pas aan"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#entry") !== null && document.readyState === "complete"`)
	b.tabTo(`document.activeElement.name === "nl.text"`)
	b.do(chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(input.ModifierCtrl)), chromedp.KeyEvent(" Natuurlijk!"))
	b.until(`document.querySelector("#s-f-nl-text .say--error") !== null`) // while typing, without a press
	b.until(`document.activeElement.getAttribute("aria-invalid") === "true" && document.activeElement.getAttribute("aria-describedby").includes("s-f-nl-text")`)
	b.until(`document.querySelector("#live .channel__post").textContent.includes("Natuurlijk!")`)
	b.until(`document.querySelector("#checking").textContent.includes("Fouten")`)
	b.do(chromedp.KeyEvent(strings.Repeat(kb.Backspace, len(" Natuurlijk!"))), chromedp.KeyEvent(" Het is stil."))
	b.until(`document.querySelector("#s-f-nl-text .say--error") === null && document.querySelector("#live").textContent.includes("Het is stil.")`)
	b.tabTo(`document.activeElement.value === "save"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.sees("Bewaard.")
	entry, err := w.bot.Entry(t.Context(), bot.EntryKey{Kind: bot.EntryPrompt, ID: string(first.ID)})
	if err != nil || !strings.HasSuffix(entry.Prompt.In(prompts.Dutch).Text, "Het is stil.") {
		t.Errorf("%v %q", err, entry.Prompt.In(prompts.Dutch).Text)
	}
	// Focus is seen wherever it is.
	b.opens("/library/words")
	for range 25 {
		var unseen string
		b.do(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => { const e = document.activeElement, s = getComputedStyle(e); return s.outlineStyle === "none" && s.boxShadow === "none" ? e.outerHTML.slice(0, 120) : ""; })()`, &unseen))
		if unseen != "" {
			t.Errorf("focus is not seen on %s", unseen)
		}
	}
}

// At night the pages are dark, and read as well.
func TestDarkPages(t *testing.T) {
	w := served(t, nil)
	b := openBrowser(t, w)
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	b.signIn(anna, prompts.Dutch)
	for _, p := range []string{"/library/?status=active&audience=outdoor-crew", "/library/coverage", "/library/entry/prompt/" + w.firstPrompt(), "/library/new/prompt", "/library/exchange"} {
		b.opens(p)
		b.do(chromedp.Evaluate(axe+`;0`, nil))
		b.looks("dark " + p)
		b.shot("dark")
	}
}

// tabTo presses Tab until a line of JavaScript is true of where the focus is.
func (b *browser) tabTo(js string) {
	b.t.Helper()
	for range 150 {
		b.do(chromedp.KeyEvent(kb.Tab))
		ok := false
		b.do(chromedp.Evaluate("Boolean("+js+")", &ok))
		if ok {
			return
		}
	}
	b.t.Fatalf("no Tab leads to %s\n%s", js, b.text())
}

// pagesOfOthers looks at the pages that come of an act: a conflict, a plan, a broken file, an update.
func (b *browser) pagesOfOthers(c *client) {
	b.t.Helper()
	w := b.world
	for _, lang := range prompts.Langs() {
		b.signIn(bob, lang)
		path := "/library/edit/value/" + string(w.o.Library.Values[1].ID)
		b.opens(path)
		c.get(path)
		if status := c.press(path, url.Values{"do": {"save"}, "nl.name": {"Andere naam " + string(lang)}, "en.name": {"Other name"}}); status != 200 {
			b.t.Fatalf("save: %d", status)
		}
		b.do(chromedp.SetValue(`[name="nl.name"]`, "Mijn naam", chromedp.ByQuery), chromedp.Click(`button[value=save]`, chromedp.ByQuery))
		b.until(`document.readyState === "complete" && document.querySelector(".diff") !== null && document.querySelector('[name="nl.name"]').value === "Mijn naam"`)
		b.both("conflict-" + string(lang))
		for name, text := range map[string]string{
			"plan":    string(exported(b.t, w)),
			"broken":  "schema = 1\n[[prompt]]\nid = \"x\"\nsoort = \"dilemma\"\n",
			"refused": "schema = 1\n[library]\nname = {}\n[[prompt]]\nid = \"Niet Goed\"\nrevision = 1\nintensity = 9\ncooldown_weeks = 52\n",
		} {
			b.opens("/library/exchange")
			b.do(chromedp.SetValue("#text", text, chromedp.ByID), chromedp.Click(`form[action="/library/import"] button`, chromedp.ByQuery))
			b.until(`document.readyState === "complete" && location.pathname === "/library/import"`)
			b.both(name + "-" + string(lang))
		}
		b.opens("/library/entry/prompt/het-vakje-dat-er-niet-is")
		b.do(chromedp.Click(`form[action$="/return"] button`, chromedp.ByQuery))
		b.until(`document.querySelector("#e-why") !== null`)
		b.both("why-" + string(lang))
		if w.updated != "" {
			b.opens("/library/update/value/" + w.updated)
			b.both("update-" + string(lang))
		}
	}
}

// both looks at a page in both widths.
func (b *browser) both(what string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(axe+`;0`, nil))
	for _, width := range []int{320, 1280} {
		b.width(width)
		b.looks(fmt.Sprintf("%s %d", what, width))
		b.shot(fmt.Sprintf("%s-%d", what, width))
	}
}
