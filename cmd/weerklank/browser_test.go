package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser drives the demo as a person would. It skips where no Chromium is installed, except in CI.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string
	n   int
}

func findChromium(t *testing.T) string {
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

// startProgram runs the program inside the test and returns the URL it prints after the given words.
func startProgram(t *testing.T, announce string, args ...string) (url string, stop func() int) {
	t.Helper()
	return startLogged(t, testLog{t}, announce, args...)
}

// startLogged is startProgram with a place for what the program logs.
func startLogged(t *testing.T, log io.Writer, announce string, args ...string) (url string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args, unset, strings.NewReader(""), w, log)
		w.Close()
	}()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), announce+": "); ok {
			url = strings.TrimSuffix(rest, "/")
			break
		}
	}
	go io.Copy(io.Discard, r)
	if url == "" {
		t.Fatalf("the program said no address; exit code %d", <-done)
	}
	stopped := false
	stop = func() int {
		if stopped {
			return 0
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { stop() })
	return url, stop
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func newBrowser(t *testing.T, url string, width, height int) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(findChromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.WindowSize(width, height)) // its own temporary profile, removed when it ends
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it reports events newer than itself
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as the context of its first call
		t.Fatalf("start Chromium: %v", err)
	}
	b := &browser{t: t, ctx: ctx, url: url}
	b.do(chromedp.Navigate(url), chromedp.WaitVisible("#stream"))
	return b
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.shot("failed")
		b.t.Fatalf("browser: %v\n%s", err, b.end())
	}
}

// shot keeps a picture when WEERKLANK_SHOTS names a folder.
func (b *browser) shot(name string) {
	dir := os.Getenv("WEERKLANK_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.Sleep(250*time.Millisecond), chromedp.CaptureScreenshot(&png)); err != nil {
		b.t.Logf("picture: %v", err)
		return
	}
	b.n++
	os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", strings.ReplaceAll(b.t.Name(), "/", "-"), b.n, name)), png, 0o644)
}

func (b *browser) text(selector string) string {
	var s string
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	chromedp.Run(ctx, chromedp.Text(selector, &s, chromedp.ByQuery))
	return s
}

// end is the last part of what stands on the page: that is where things happen.
func (b *browser) end() string {
	text := []rune(b.text("body"))
	return string(text[max(0, len(text)-1500):])
}

// sees waits until the words stand on the page.
func (b *browser) sees(selector, words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q))`, selector, words))
}

// until waits until a line of JavaScript gives true; a page that is just being replaced is asked again.
func (b *browser) until(js string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 15*time.Second)
	defer cancel()
	ok := false
	for {
		err := chromedp.Run(ctx, chromedp.Evaluate(js, &ok))
		if err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			b.shot("missing")
			b.t.Fatalf("never true: %s\n%v\n%s", js, err, b.end())
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// goes does what brings another page, and waits until that has come in the place of this one.
func (b *browser) goes(js string) {
	b.t.Helper()
	b.until(`document.readyState === "complete" && (window.left = true, ` + js + `, true)`)
	b.until(`!window.left && document.readyState === "complete"`)
}

func (b *browser) actAs(person, place string) {
	b.t.Helper()
	b.goes(`document.querySelector('[data-person="` + person + `"]').click()`)
	b.goes(`document.querySelector('[data-place="` + place + `"]').click()`)
	b.until(`document.querySelector('[data-person="` + person + `"][aria-current]') && document.querySelector('[data-place="` + place + `"][aria-current]') !== null`)
}

func (b *browser) types(text string) {
	b.t.Helper()
	b.do(chromedp.SetValue("#text", text, chromedp.ByID), chromedp.Click("#composer button.main", chromedp.ByQuery))
	b.until(`document.querySelector("#text").value === "" && !document.querySelector("[aria-busy]")`)
}

func (b *browser) control(name string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(`document.querySelector("#demo details").open = true`, nil)) // folded where there is little room
	b.do(chromedp.Click(`[data-control="`+name+`"]`, chromedp.ByQuery))
	b.until(`!document.querySelector("[aria-busy]")`)
}

// answer fills in the form of the newest open question.
func (b *browser) answer(text, share string, tags ...string) {
	b.t.Helper()
	b.until(`(() => { const x = [...document.querySelectorAll('button[data-do="answer"].main')].at(-1); x?.click(); return Boolean(x) })()`)
	b.do(chromedp.WaitVisible("#f-text", chromedp.ByID))
	b.do(chromedp.SetValue("#f-text", text, chromedp.ByID))
	for _, v := range append(tags, share) {
		b.do(chromedp.Evaluate(`document.querySelector('#form input[value="`+v+`"]').click()`, nil))
	}
	b.do(chromedp.Click("#fields .ends .main", chromedp.ByQuery))
}

// openForm opens the form of the newest open question with the keyboard, and waits until it can be filled in.
func (b *browser) openForm() {
	b.t.Helper()
	b.until(`(() => { const x = [...document.querySelectorAll('button[data-do="answer"].main')].at(-1); if (!x) return false; x.focus(); return document.activeElement === x })()`)
	b.key(kb.Enter)
	b.until(`document.activeElement.id === "f-text" && document.querySelector("dialog#form").matches(":modal")`)
}

func (b *browser) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until what has the focus fits.
func (b *browser) tabTo(js string) {
	b.t.Helper()
	for range 60 {
		ok := false
		b.do(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`((e) => Boolean(`+js+`))(document.activeElement)`, &ok))
		if ok {
			return
		}
	}
	b.t.Fatalf("Tab never comes to %s", js)
}

func (b *browser) is(js, wrong string) {
	b.t.Helper()
	ok := false
	b.do(chromedp.Evaluate(js, &ok))
	if !ok {
		b.shot("wrong")
		b.t.Error(wrong)
	}
}

// window opens another window, with its own cookies: another person can sit behind it.
func (b *browser) window() *browser {
	b.t.Helper()
	return newBrowser(b.t, b.url, 1280, 800)
}

// anOpenQuestion turns the clock forward until a question is open.
func (b *browser) anOpenQuestion() {
	b.t.Helper()
	const open = `document.querySelector('button[data-do="answer"].main') !== null`
	for range 3 {
		ok := false
		b.do(chromedp.Evaluate(open, &ok))
		if ok {
			return
		}
		b.control("next")
	}
	b.until(open)
}

func (b *browser) closeDialog() {
	b.t.Helper()
	b.do(chromedp.Click("[data-close]", chromedp.ByQuery))
	b.until(`document.querySelector("dialog#form") === null`)
}

func TestBrowserWholeRound(t *testing.T) {
	findChromium(t)
	url, stop := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1400, 950)
	b.shot("start")

	// A newcomer sees what came back.
	b.types("/weerklank seizoen")
	b.sees("#stream .note", "drie of meer")
	b.shot("season")

	// The manager switches off and on again.
	b.actAs("irma", "buitendienst")
	b.types("/weerklank uit")
	b.sees("#stream .note", "stopt na de terugblik")
	b.control("close")
	b.types("/weerklank aan")
	b.do(chromedp.WaitVisible("#form"))
	b.do(chromedp.Click("#fields .ends .main", chromedp.ByQuery)) // the tick for working time is missing
	b.sees("#form", "Vink dit nog aan.")
	b.shot("on-missing")
	b.do(chromedp.Click(`[data-field="worktime"] input`, chromedp.ByQuery), chromedp.Click("#fields .ends .main", chromedp.ByQuery))
	b.sees("#form", "Weerklank staat aan")
	b.closeDialog()

	// Six people answer, by form and by typing.
	b.control("next")
	b.until(`[...document.querySelectorAll('button[data-do="answer"].main')].length > 0`)
	b.shot("asked")
	texts := []string{"Ik kijk eerst wie er staat", "Eerst de afspraak", "Hangt van de dag af", "Ik bel even"}
	for i, person := range []string{"fatima", "cor", "dewi", "emre"} {
		b.actAs(person, "buitendienst")
		b.answer(texts[i], "share", "quality-speed")
		b.sees("#form", "Bewaard, zonder naam")
		if i == 0 {
			b.shot("receipt")
		}
		b.closeDialog()
	}
	b.actAs("gerrit", "bot")
	b.types("Getypt vanaf de wagen")
	b.sees("#stream", "nog niet bewaard")
	b.shot("typed")
	b.do(chromedp.Evaluate(`[...document.querySelectorAll('button[data-do="share"][data-arg="share"]')].at(-1).click()`, nil))
	b.sees("#stream", "Waar ging je antwoord over?")
	b.actAs("lotte", "bot")
	b.types("Alleen om te tellen")
	b.types("1")
	b.sees("#stream", "Bewaard, zonder naam.")
	b.shot("typed-kept")

	// Closed and given back, with its quotes.
	b.actAs("fatima", "buitendienst")
	b.control("close")
	b.sees("#stream", "Terugblik:")
	for _, text := range append(texts, "Getypt vanaf de wagen") {
		b.sees("#stream", text)
	}
	if strings.Contains(b.text("#stream"), "Alleen om te tellen") {
		t.Error("a reply that only counts was quoted")
	}
	b.shot("given-back")

	// Below the threshold: nothing of what was said.
	b.control("next")
	b.until(`[...document.querySelectorAll('button[data-do="answer"].main')].length > 0`)
	b.answer("Dit mag niemand lezen", "share")
	b.sees("#form", "Bewaard, zonder naam")
	b.closeDialog()
	b.control("close")
	b.sees("#stream", "te weinig antwoorden om iets te delen")
	if strings.Contains(b.text("#stream"), "Dit mag niemand lezen") {
		t.Error("a reply below the threshold was shown")
	}
	b.shot("too-few")

	// English: the person's private texts, while the channel keeps its own.
	b.goes(`document.querySelector('.lang button[value="en"]').click()`)
	b.until(`document.documentElement.lang === "en"`)
	b.types("/weerklank me")
	b.sees("#stream .note", "What I do and do not keep about you")
	b.shot("english")
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestBrowserEnglishTeam(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0", "--lang", "en")
	b := newBrowser(t, url, 390, 844)
	b.sees("#stream", "Looking back:")
	b.shot("phone")
	b.anOpenQuestion()
	b.control("colleagues")
	b.answer("I look at who is there", "share")
	b.sees("#form", "Kept, without a name")
	b.shot("phone-receipt")
	b.closeDialog()
	b.control("close")
	b.sees("#stream", "I look at who is there")
	b.shot("phone-given-back")
}

// The whole way to an answer works with the keyboard alone, and the focus is always where one goes on.
func TestBrowserKeyboard(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1280, 800)
	b.anOpenQuestion()
	const back = `document.querySelector("dialog#form") === null && document.activeElement === [...document.querySelectorAll('button[data-do="answer"].main')].at(-1)`

	b.openForm()
	b.key(kb.Escape)
	b.until(back)

	b.openForm()
	b.key("Met het toetsenbord")
	b.tabTo(`e.matches("#fields .ends .main")`)
	b.key(kb.Enter)
	// The mistake has the focus, and is told with its field.
	b.until(`document.activeElement.name === "f.share"`)
	b.is(`document.activeElement.closest("fieldset").getAttribute("aria-describedby").split(" ").every((id) => document.getElementById(id)?.textContent)`, "the mistake is not told with its field")
	b.is(`document.querySelector("#f-text").value === "Met het toetsenbord"`, "the text is lost")
	b.key(" ")
	b.tabTo(`e.matches("#fields .ends .main")`)
	b.key(kb.Enter)
	b.sees("#form", "Bewaard, zonder naam")
	b.until(`document.activeElement.matches("dialog#form [data-close]")`)
	b.key(kb.Enter)
	b.until(back)

	// A command that opens nothing leaves the focus where one types; a note that is dismissed leaves it nearby.
	b.do(chromedp.Focus("#text", chromedp.ByID))
	b.key("/weerklank mij" + kb.Enter)
	b.sees("#stream .note", "Dit kunnen we niet beloven")
	b.until(`document.activeElement.id === "text" && document.activeElement.value === ""`)
	b.do(chromedp.Focus(`.note [action="/dismiss"] button, .note > form button`, chromedp.ByQuery))
	b.key(kb.Enter)
	b.until(`document.querySelector(".note") === null && document.activeElement !== document.body`)
}

// Two people at once: each sees what the other writes, a screen reader hears only that, and nobody loses focus, caret or
// an open form to it.
func TestBrowserTwoWindows(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1280, 800)
	b.anOpenQuestion()
	cor := b.window()
	cor.actAs("cor", "buitendienst")

	b.types("eigen bericht")
	cor.sees("#stream article", "eigen bericht")
	b.until(`(() => {
		const d = [...document.querySelectorAll("details.own")].at(-1), t = d.querySelector("textarea");
		d.open = true; t.focus(); t.value = "eigen bericht, beter"; t.setSelectionRange(3, 5);
		window.added = [];
		new MutationObserver((all) => all.forEach((m) => m.addedNodes.forEach((n) => n.nodeType === 1 && window.added.push(n.tagName + " " + n.textContent)))).observe(document.querySelector("#stream"), { childList: true, subtree: true });
		return document.activeElement === t })()`)
	cor.types("van Cor")
	b.sees("#stream article", "van Cor")
	b.is(`document.activeElement.value === "eigen bericht, beter" && document.activeElement.selectionStart === 3 && document.activeElement.selectionEnd === 5`, "somebody else's message takes the focus or the caret")
	b.is(`window.added.length === 1 && window.added[0].startsWith("ARTICLE") && window.added[0].includes("van Cor")`, "more is read out than what is new")
	b.do(chromedp.Evaluate(`document.activeElement.form.requestSubmit()`, nil))
	cor.sees("#stream article", "eigen bericht, beter")
	b.until(`document.activeElement.matches("details.own summary") && !document.activeElement.parentNode.open`)
	cor.actAs("cor", "bot") // what is not for this person changes nothing here
	b.do(chromedp.Evaluate(`window.added = []`, nil))
	cor.types("help")
	cor.sees("#stream article", "help")
	cor.actAs("cor", "buitendienst")
	cor.types("nog iets")
	b.sees("#stream article", "nog iets")
	b.is(`window.added.length === 1`, "a conversation of somebody else touches the page")

	// Another window of the same person closes the form there and opens another: here it stays as it is, and is sent as
	// what it is.
	b.openForm()
	b.key("mijn lange antwoord")
	b.until(`fetch("/close", { method: "POST", body: new URLSearchParams({ place: "buitendienst", form: document.querySelector("dialog#form").dataset.form }) }).then((r) => window.gone = r.ok), true`)
	b.until(`window.gone`)
	cor.types("en nog iets")
	b.sees("#stream article", "en nog iets")
	b.is(`document.querySelector("#f-text").value === "mijn lange antwoord" && document.activeElement.id === "f-text"`, "a form in which somebody types was taken away")
	b.do(chromedp.Click(`#form input[value="share"]`, chromedp.ByQuery), chromedp.Click("#fields .ends .main", chromedp.ByQuery))
	b.sees("#form", "Bewaard, zonder naam")
	b.closeDialog()

	// A form that the same person opens in another window does not take over this one.
	b.do(chromedp.Focus("#text", chromedp.ByID))
	b.window().openForm()
	cor.types("klaar")
	b.sees("#stream article", "klaar")
	b.is(`document.querySelector("dialog#form") === null && document.activeElement.id === "text"`, "a form of another window opened here")
}

// A form that is opened while the answer to closing the one before is still on its way stays, with what is typed in it.
func TestBrowserClosedLate(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1280, 800)
	b.anOpenQuestion()
	const late = `window.real = window.fetch; window.fetch = (u, o) => { const r = window.real(u, o); return u === "/close" ? new Promise((done) => { window.letGo = () => done(r) }) : r }`
	b.do(chromedp.Evaluate(late, nil))
	b.openForm()
	b.key(kb.Escape)
	b.until(`document.querySelector("dialog#form") === null && window.letGo !== undefined`)
	b.openForm()
	b.key("Niet kwijt")
	b.do(chromedp.Evaluate(`window.letGo()`, nil))
	b.until(`document.querySelector("form[aria-busy]") === null && window.real !== undefined`)
	b.until(`document.querySelector("#f-text")?.value === "Niet kwijt" && document.activeElement.id === "f-text"`)
	b.tabTo(`e.matches("#fields .ends .main")`)
	b.key(kb.Enter)
	b.until(`document.activeElement.name === "f.share"`)
	b.is(`document.querySelector("#f-text").value === "Niet kwijt"`, "the text is lost")
}

// When the program is gone, nothing is sent twice and nothing typed is lost; when it is back, the page goes on.
func TestBrowserUnreached(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1280, 800)
	b.anOpenQuestion()
	// From here on requests go nowhere, and are counted.
	const cut = `window.sent = 0; window.real = window.fetch; window.fetch = (u, o) => o?.method === "POST" ? (window.sent++, Promise.reject(new TypeError("cut"))) : window.real(u, o)`
	b.do(chromedp.Evaluate(cut, nil), chromedp.SetValue("#text", "niet kwijtraken", chromedp.ByID), chromedp.Click("#composer button.main", chromedp.ByQuery))
	b.sees("#failed [role=alert]", "Geen antwoord van het programma")
	b.is(`document.querySelector("#text").value === "niet kwijtraken" && window.sent === 1 && location.pathname === "/c/buitendienst"`, "the text is lost, or it was sent again")
	b.do(chromedp.Evaluate(`window.fetch = window.real`, nil))
	b.openForm()
	b.key("ook niet kwijtraken")
	b.do(chromedp.Evaluate(cut, nil), chromedp.Click("#fields .ends .main", chromedp.ByQuery))
	b.sees("#form [role=alert]", "Geen antwoord van het programma")
	b.is(`document.querySelector("#f-text").value === "ook niet kwijtraken" && window.sent === 1 && document.querySelector("#form").getAttribute("aria-describedby") === "e-form"`, "the form is lost, or it was sent again")
	b.do(chromedp.Evaluate(`window.fetch = window.real`, nil), chromedp.Click(`#form input[value="share"]`, chromedp.ByQuery), chromedp.Click("#fields .ends .main", chromedp.ByQuery))
	b.sees("#form", "Bewaard, zonder naam")
}

// Whoever writes something heavy sees first where to turn: it is in sight, has the focus and is read out, on the smallest
// phone too; and it stays until something is kept.
func TestBrowserHeavy(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	for person, size := range map[string][2]int{"fatima": {1280, 800}, "gerrit": {320, 640}} {
		b := newBrowser(t, url, 1280, 800)
		b.anOpenQuestion()
		b.actAs(person, "buitendienst")
		b.do(chromedp.EmulateViewport(int64(size[0]), int64(size[1])))
		b.answer("ik wil dood, en bel 06-12345678", "share")
		const seen = `(() => { const n = document.querySelector("#notice"); if (!n) return false; const r = n.getBoundingClientRect(); return document.activeElement === n && n.getAttribute("role") === "alert" && n.innerText.includes("0800-0113") && r.top >= 0 && r.top < innerHeight / 2 })()`
		b.until(seen)
		b.shot("heavy")
		b.is(`document.querySelector("#f-text").value.includes("ik wil dood") && !document.querySelector('#form input[name="f.share"]:checked')`, "the text is gone, or the choice stands")
		b.do(chromedp.Click("#fields .ends .main", chromedp.ByQuery))
		b.until(`!document.querySelector("[aria-busy]")`)
		b.until(seen)
		b.do(chromedp.Evaluate(`document.querySelector('#form button[data-do="strike"]').click()`, nil))
		b.until(`document.querySelector("#f-text")?.value.includes("[weggelaten]")`)
		b.do(chromedp.Evaluate(`document.querySelector('#form input[value="self"]').click()`, nil), chromedp.Click("#fields .ends .main", chromedp.ByQuery))
		b.sees("#form", "Niets bewaard")
		b.closeDialog()
	}
}

// On the smallest phone, and at 200 %, the channel with its open question is what one sees, and nothing has to be
// scrolled sideways.
func TestBrowserSmall(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1280, 800)
	b.anOpenQuestion()
	for _, size := range [][2]int64{{320, 640}, {390, 844}, {640, 400}} {
		b.do(chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate(url+"/c/buitendienst"), chromedp.WaitVisible("#stream"))
		at := fmt.Sprintf("%dx%d: ", size[0], size[1])
		const fits = `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll("#stream, dialog, main, #side")].every((e) => e.scrollWidth <= e.clientWidth + 1)`
		b.until(`document.readyState === "complete" && !document.querySelector("#demo details").open`)
		b.is(fits, at+"the page has to be scrolled sideways")
		b.is(`document.querySelector("#stream").clientHeight >= innerHeight * 0.55`, at+"the channel is pushed out of sight")
		b.is(`(() => { const r = [...document.querySelectorAll('article:has(button[data-do="answer"].main) h3')].at(-1).getBoundingClientRect(), s = document.querySelector("#stream").getBoundingClientRect(); return r.top >= s.top && r.bottom <= s.bottom })()`, at+"the open question is not in sight")
		b.is(`document.querySelector("#composer").getBoundingClientRect().bottom <= innerHeight`, at+"the input field is out of sight")
		b.shot("small")
		b.openForm()
		b.is(fits, at+"the form has to be scrolled sideways")
		b.shot("small-form")
		b.key(kb.Escape)
		b.until(`document.querySelector("dialog#form") === null`)
		b.do(chromedp.Click("#who summary", chromedp.ByQuery))
		b.until(`document.querySelector("#who").open`)
		b.is(fits, at+"the list of people has to be scrolled sideways")
	}
}

// A whole season of a team that was just switched on: twelve questions with their follow-ups, what the team agrees on, what
// it passes on and what its manager answers, a look back, and at the end what keeps coming back.
func TestBrowserSeason(t *testing.T) {
	findChromium(t)
	url, _ := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0")
	b := newBrowser(t, url, 1280, 900)
	b.actAs("irma", "wijkploeg")
	b.types("/weerklank aan")
	b.do(chromedp.WaitVisible("#form"), chromedp.Click(`[data-field="worktime"] input`, chromedp.ByQuery), chromedp.Click("#fields .ends .main", chromedp.ByQuery))
	b.sees("#form", "Weerklank staat aan")
	b.closeDialog()
	b.actAs("fatima", "wijkploeg")

	const last = `((do_, arg) => [...document.querySelectorAll('button[data-do="' + do_ + '"]')].filter((x) => !arg || x.dataset.arg === arg).at(-1))`
	press := func(do, arg string) {
		t.Helper()
		b.until(fmt.Sprintf(`(() => { const x = %s(%q, %q); x?.click(); return Boolean(x) })()`, last, do, arg))
	}
	fill := func(fields map[string]string) {
		t.Helper()
		for field, text := range fields {
			b.do(chromedp.WaitVisible("#f-"+field, chromedp.ByID), chromedp.SetValue("#f-"+field, text, chromedp.ByID))
		}
		b.do(chromedp.Click("#fields .ends .main", chromedp.ByQuery))
		b.until(`!document.querySelector("[aria-busy]")`)
	}
	looked := false
	for round := 1; round <= 12; round++ {
		b.control("next")
		b.until(fmt.Sprintf(`document.querySelectorAll('h3').length > 0 && %s("answer", "") !== undefined`, last))
		asks := false
		b.do(chromedp.Evaluate(`[...document.querySelectorAll('article:has(button[data-do="answer"].main)')].at(-1).textContent.includes("Eerst samen kijken")`, &asks))
		if asks {
			looked = true
			b.shot("look-back")
		}
		b.control("colleagues")
		b.control("close")
		b.sees("#stream", "Om verder te denken:")
		if round == 1 { // a question that a give-back ends with is answered without a name as well
			press("answer", "")
			b.do(chromedp.WaitVisible("#f-text", chromedp.ByID))
			b.shot("follow-up-form")
			b.do(chromedp.SetValue("#f-text", "Van mij mag dat vaker", chromedp.ByID), chromedp.Evaluate(`document.querySelector('#form input[value="share"]').click()`, nil),
				chromedp.Click("#fields .ends .main", chromedp.ByQuery))
			b.sees("#form", "Bewaard, zonder naam")
			b.closeDialog()
			b.control("colleagues")
			b.control("next")
			b.sees("#stream", "Van mij mag dat vaker")
			b.shot("follow-up")
			b.control("colleagues")
			b.control("close")
			round++
		}
		switch round {
		case 4: // something to try
			press("agree", "try")
			fill(map[string]string{"line": "Eerst samen kijken, dan pas beginnen"})
			b.closeDialog()
			b.sees("#stream", "Eerst samen kijken, dan pas beginnen")
			b.shot("agreed")
			b.control("look-back")
			b.sees("#stream", "Zes weken zijn om")
		}
	}
	if !looked {
		t.Error("nobody looked back on what was agreed")
	}
	// The overview at the end, and what the team chooses then.
	b.sees("#stream", "En volgend seizoen?")
	b.sees("#stream", "Eerst samen kijken, dan pas beginnen")
	b.is(`[...document.querySelectorAll('#stream img')].some((x) => x.alt.includes("ronde") && x.naturalWidth > 600)`, "the overview has no picture, or nothing to read for who does not see it")
	b.shot("overview")
	press("agree", "pass")
	fill(map[string]string{"line": "De bus staat vaak aan de andere kant van de wijk"})
	b.closeDialog()
	b.sees("#stream", "Doorgegeven aan Irma")
	b.actAs("irma", "wijkploeg")
	press("passed", "")
	b.do(chromedp.WaitVisible("#f-words", chromedp.ByID), chromedp.Evaluate(`document.querySelector('#form input[value="done"]').click()`, nil))
	b.shot("answer-form")
	fill(map[string]string{"words": "er komt een tweede bus"})
	b.closeDialog()
	b.sees("#stream", "er komt een tweede bus")
	b.shot("answered")
}
