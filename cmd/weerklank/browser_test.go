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
		done <- run(ctx, args, func(string) string { return "" }, strings.NewReader(""), w, log)
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
		b.t.Fatalf("browser: %v\n%s", err, b.text("body"))
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
			b.t.Fatalf("never true: %s\n%v\n%s", js, err, b.text("main"))
		case <-time.After(30 * time.Millisecond):
		}
	}
}

func (b *browser) actAs(person, place string) {
	b.t.Helper()
	b.until(`document.readyState === "complete" && (document.querySelector("[data-person=` + person + `]").click(), true)`)
	b.until(`document.querySelector('[data-person="` + person + `"][aria-current]') !== null`)
	b.until(`document.readyState === "complete" && (document.querySelector('[data-place="` + place + `"]').click(), true)`)
	b.until(`document.querySelector('[data-place="` + place + `"][aria-current]') !== null`)
}

func (b *browser) types(text string) {
	b.t.Helper()
	b.do(chromedp.SetValue("#text", text, chromedp.ByID), chromedp.Click("#composer button.main", chromedp.ByQuery))
	b.until(`document.querySelector("#text").value === "" && !document.querySelector("[aria-busy]")`)
}

func (b *browser) control(name string) {
	b.t.Helper()
	b.do(chromedp.Click(`[data-control="`+name+`"]`, chromedp.ByQuery))
	b.until(`!document.querySelector("[aria-busy]")`)
}

// answer fills in the form of the newest open question.
func (b *browser) answer(text, share string, tags ...string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(`[...document.querySelectorAll('button[data-do="answer"].main')].at(-1).click()`, nil), chromedp.WaitVisible("#f-text", chromedp.ByID))
	b.do(chromedp.SetValue("#f-text", text, chromedp.ByID))
	for _, v := range append(tags, share) {
		b.do(chromedp.Evaluate(`document.querySelector('#form input[value="`+v+`"]').click()`, nil))
	}
	b.do(chromedp.Click("#fields .ends .main", chromedp.ByQuery))
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
	b.sees("#form", "Vul dit nog in.")
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
	b.do(chromedp.Click(`.lang button[value="en"]`, chromedp.ByQuery))
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
	b.control("next")
	b.control("colleagues")
	b.answer("I look at who is there", "share")
	b.sees("#form", "Kept, without a name")
	b.shot("phone-receipt")
	b.closeDialog()
	b.control("close")
	b.sees("#stream", "I look at who is there")
	b.shot("phone-given-back")
}
