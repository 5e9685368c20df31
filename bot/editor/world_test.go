package editor_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/editor"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// The people of these tests.
const (
	anna  = bot.ActorID("fake:anna")
	bob   = bot.ActorID("fake:bob")
	crew  = bot.TeamID("fake:crew")
	quiet = "hush" // an account, and a part of what is written, that no log may hold
)

// world is a bot on a real store, with the library on the web.
type world struct {
	t       testing.TB
	o       bot.Options
	bot     *bot.Bot
	db      *store.DB
	ed      *editor.Editor
	log     *chattest.Log
	server  *httptest.Server
	updated string // a prompt that a release changed too
}

func newWorld(t testing.TB, change func(*bot.Options)) *world {
	t.Helper()
	w := &world{t: t, log: &chattest.Log{}}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	if err := root.Mkdir("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := root.OpenRoot("keys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	if w.db, err = store.Open(root, "weerklank.db", store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if w.ed, err = editor.New(log); err != nil {
		t.Fatal(err)
	}
	fake := chattest.New("fake")
	fake.Crew(crew, 8)
	w.o = bot.Options{
		Store: w.db, Keys: store.OpenKeys(keys), Chats: []bot.Chat{fake}, Log: log, Library: lib, Activation: "direct", KeepDays: 90,
		Team:   bot.Settings{Rhythm: bot.RhythmWeekly, Window: "6d", GiveBackAfter: "5h", Zone: "Europe/Amsterdam", Lang: prompts.Dutch, MinReplies: 5, QuietHours: "18:00-08:00", WorkdaysOnly: true},
		Limits: bot.Limits{MinReplies: 5, MinMembers: 6}, Editors: []bot.ActorID{anna, bob}, Entrance: w.ed,
	}
	if change != nil {
		change(&w.o)
	}
	w.restart()
	return w
}

// restart makes the bot anew on the same store, as a release with another library would.
func (w *world) restart() {
	w.t.Helper()
	var err error
	if w.bot, err = bot.New(w.o); err != nil {
		w.t.Fatal(err)
	}
	w.ed.Use(w.bot)
}

// serve puts the library on a loopback listener.
func (w *world) serve() {
	w.t.Helper()
	w.server = httptest.NewServer(w.ed.Handler())
	w.t.Cleanup(w.server.Close)
	if err := w.ed.At(w.server.URL); err != nil {
		w.t.Fatal(err)
	}
}

// served is a world whose library is on a loopback listener.
func served(t testing.TB, change func(*bot.Options)) *world {
	w := newWorld(t, change)
	w.serve()
	return w
}

// client is somebody's browser without JavaScript.
type client struct {
	w    *world
	http *http.Client
	head http.Header
	last string // the page it is on
}

func (w *world) client() *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &client{w: w, http: &http.Client{Jar: jar}, head: http.Header{}}
}

// in is a client that signed in.
func (w *world) in(who bot.ActorID, lang prompts.Lang) *client {
	w.t.Helper()
	c := w.client()
	if status := c.enter(w.code(who, lang)); status != http.StatusOK {
		w.t.Fatalf("sign in: %d\n%s", status, c.main())
	}
	return c
}

// code is what stands behind the # of a new link.
func (w *world) code(who bot.ActorID, lang prompts.Lang) string {
	w.t.Helper()
	link, err := w.ed.Link(w.t.Context(), who, lang)
	if err != nil {
		w.t.Fatal(err)
	}
	_, code, ok := strings.Cut(link, "#")
	if !ok {
		w.t.Fatal("a link without a code")
	}
	return code
}

func (c *client) enter(code string) int {
	return c.post("/library/in", url.Values{"code": {code}})
}

func (c *client) send(r *http.Request) (int, string, *http.Response) {
	c.w.t.Helper()
	for name, values := range c.head {
		if name == "Host" {
			r.Host = values[0]
			continue
		}
		r.Header[name] = values
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.w.t.Fatal(err)
	}
	c.last = string(raw)
	return resp.StatusCode, string(raw), resp
}

func (c *client) get(path string) int {
	c.w.t.Helper()
	r, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodGet, c.w.server.URL+path, nil)
	if err != nil {
		c.w.t.Fatal(err)
	}
	status, _, _ := c.send(r)
	return status
}

func (c *client) post(path string, values url.Values) int {
	c.w.t.Helper()
	r, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodPost, c.w.server.URL+path, strings.NewReader(values.Encode()))
	if err != nil {
		c.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, _, _ := c.send(r)
	return status
}

// upload sends a file to the import, with the token of the page that it was chosen on.
func (c *client) upload(name string, content []byte) int {
	c.w.t.Helper()
	c.get("/library/exchange")
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	err := m.WriteField("t", c.field("/library/import", "t"))
	f, err2 := m.CreateFormFile("file", name)
	if err := errors.Join(err, err2); err != nil {
		c.w.t.Fatal(err)
	}
	f.Write(content)
	m.Close()
	r, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodPost, c.w.server.URL+"/library/import", &body)
	if err != nil {
		c.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", m.FormDataContentType())
	status, _, _ := c.send(r)
	return status
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// form is the hidden fields of the page's form with an address.
func (c *client) form(action string) url.Values {
	_, rest, ok := strings.Cut(c.last, `method="post" action="`+action+`"`)
	if !ok {
		return url.Values{}
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	out := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(rest, -1) {
		out.Set(m[1], m[2])
	}
	return out
}

func (c *client) field(action, name string) string { return c.form(action).Get(name) }

// press sends the page's form with an address, with what is filled in besides its hidden fields.
func (c *client) press(action string, more url.Values) int {
	c.w.t.Helper()
	values := c.form(action)
	if values.Get("t") == "" {
		c.w.t.Fatalf("the page has no form for %s\n%s", action, c.last)
	}
	maps.Copy(values, more)
	return c.post(action, values)
}

// dilemma is a whole prompt as the form sends it, without an error of the lint.
func dilemma(title string) url.Values {
	return url.Values{
		"type": {"dilemma"}, "tensions": {"policy-practice"}, "audience": {"all"}, "intensity": {"1"}, "cooldown_weeks": {"52"}, "phase": {"open"}, "source": {"original"},
		"followup_kinds_1": {"perspective"}, "followup_kinds_2": {"own-experience"}, "id": {""}, "family": {""},
		"nl.title":    {title},
		"nl.text":     {"Een bewoner vraagt om een uitzondering. Het formulier heeft daar geen vakje voor. Je ziet dat zijn verhaal klopt. De rij achter hem wordt langer. Een collega kijkt op van zijn werk en wacht af wat je doet."},
		"nl.question": {"Wat doe je op dat moment?"},
		"nl.pole_a":   {"Je houdt je aan wat we samen afspraken"}, "nl.protects_a": {"wie op ons rekent"},
		"nl.pole_b": {"Je doet wat hier en nu nodig is"}, "nl.protects_b": {"wie nu voor je staat"},
		"nl.followups_1": {"Hoe kijkt de rij daarnaar?"}, "nl.followups_2": {"Wanneer maakte je dit zelf mee?"},
		"en.title":    {title + " (en)"},
		"en.text":     {"A resident asks for an exception. The form has no box for it. You see that his story is right. The line behind him grows longer. A colleague looks up from his work and waits for what you do."},
		"en.question": {"What do you do at that moment?"},
		"en.pole_a":   {"You keep to what we agreed together"}, "en.protects_a": {"those who count on us"},
		"en.pole_b": {"You do what is needed here and now"}, "en.protects_b": {"who stands before you now"},
		"en.followups_1": {"How does the line look at that?"}, "en.followups_2": {"When did you live through this yourself?"},
	}
}

func with(v url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// exported is the library as a file, with one prompt of it in other words.
func exported(t testing.TB, w *world) []byte {
	t.Helper()
	l := w.o.Library
	p := l.Prompts[1]
	words := p.Words[prompts.Dutch]
	words.Title = "Een andere titel"
	p.Words = map[prompts.Lang]prompts.Words{prompts.Dutch: words, prompts.English: p.Words[prompts.English]}
	q := p
	q.ID, q.Status = "heel-nieuw", prompts.Draft
	l.Prompts = []prompts.Prompt{l.Prompts[0], p, q}
	var out bytes.Buffer
	if err := prompts.Encode(&out, l); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// main is what the page says, without what every page has.
func (c *client) main() string {
	_, rest, _ := strings.Cut(c.last, "<main")
	rest, _, _ = strings.Cut(rest, "</main>")
	return rest[:min(len(rest), 2500)]
}
