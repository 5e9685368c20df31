package mattermost

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// site is a server with a bot whose callbacks reach it.
type site struct {
	*testing.T
	s                       *mattermosttest.Server
	a                       *Adapter
	bot, ann, ben           string
	team, wing, other, post string
	token                   string // of the slash command
	log                     chattest.Log

	mu     sync.Mutex
	events []bot.Event
	answer func(bot.Event) (bot.Response, error)
}

var asked = bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Heading("De vraag"), {Kind: bot.BlockActions, Actions: []bot.Action{
	{Do: "answer", Round: "R", Label: "Antwoord"}, {Do: "why", Round: "R", Label: "Waarom?", Typed: "waarom"}, {Do: "vote", Round: "R", Arg: "yes", Label: "Ik doe mee"},
	{Do: "wake-up", Arg: "mattermost:x", Label: "Toch doorgaan", Typed: "aan"},
}}}}

func onSites(t *testing.T, f func(*site)) {
	for _, v := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		t.Run(v.String(), func(t *testing.T) { f(newSite(t, v)) })
	}
}

func newSite(t *testing.T, v mattermosttest.Version) *site {
	t.Helper()
	w := &site{T: t, s: mattermosttest.New(t, v)}
	var token string
	w.bot, token = w.s.AddBot("weerklank")
	w.ann = w.s.AddUser(mattermosttest.User{Name: "ann", First: "Ann", Locale: "nl", Zone: "Europe/Amsterdam", SystemAdmin: true})
	w.ben = w.s.AddUser(mattermosttest.User{Name: "ben", Locale: "en"})
	w.team = w.s.AddTeam("care", w.bot, w.ann, w.ben)
	w.wing = w.s.AddChannel(w.team, "wing", w.bot, w.ann, w.ben)
	w.other = w.s.AddChannel(w.team, "other", w.bot, w.ann, w.ben)
	var handler http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	base := "http://" + server.Listener.Addr().String() + "/unguessable-9"
	command, err := w.s.RegisterCommand(w.ann, w.team, "weerklank", base+"/command")
	if err != nil {
		t.Fatal(err)
	}
	w.token = command
	w.a, err = New(Config{
		URL: w.s.URL(), Token: token, CallbackURL: base, Secret: testSecret, CommandTokens: []string{strings.Repeat("z", 26), command},
		Mark:      func(context.Context) (time.Time, error) { return time.Time{}, nil },
		SetMark:   func(context.Context, time.Time) error { return nil },
		OpenSince: func(context.Context) (time.Time, error) { return time.Time{}, nil },
	}, slog.New(slog.NewTextHandler(&w.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	handler = w.a.Handler()
	server.Start()
	t.Cleanup(server.Close)
	w.a.calls.use(func(_ context.Context, e bot.Event) (bot.Response, error) {
		w.mu.Lock()
		w.events = append(w.events, e)
		answer := w.answer
		w.mu.Unlock()
		return answer(e)
	})
	w.says(bot.Response{}, nil)
	ref, err := w.a.Post(t.Context(), teamOf(w.wing), asked, "", "key1")
	if err != nil {
		t.Fatal(err)
	}
	w.post = string(ref)
	return w
}

// says makes the bot answer everything with r from now on.
func (w *site) says(r bot.Response, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = func(bot.Event) (bot.Response, error) { return r, err }
}

// heard takes what the bot heard since the last time.
func (w *site) heard() []bot.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.events
	w.events = nil
	return out
}

func (w *site) silent(what string) {
	w.Helper()
	if got := w.heard(); len(got) > 0 {
		w.Errorf("%s: the bot heard %T", what, got[0])
	}
}

// click presses the button with a label, and returns the dialog that it opened.
func (w *site) click(user, label string) *mattermosttest.Dialog {
	w.Helper()
	p, _ := w.s.Post(w.post)
	got := w.s.Click(user, w.post, p.Button(label))
	if got.Status != 200 || len(got.Opened) != 1 {
		w.Fatalf("click on %s: %+v", label, got)
	}
	return &got.Opened[0]
}

func (w *site) url(path string) string { return w.a.c.CallbackURL + path }

// send calls the listener directly, as anybody on the network might.
func (w *site) send(method, to, kind string, body io.Reader) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, to, body)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func (w *site) sendJSON(to string, v any) (int, string) {
	w.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	return w.send(http.MethodPost, to, "application/json", bytes.NewReader(raw))
}

var replyForm = bot.Form{
	Name: "reply", State: "R.1.aa", Lang: prompts.Dutch, Title: "Antwoord zonder naam", Submit: "Bewaren",
	Intro: []bot.Block{bot.Text(bot.Span{Text: "De vraag?"})},
	Fields: []bot.Field{
		{Name: "text", Kind: bot.FieldText, Label: "Jouw antwoord", Max: 1500},
		{Name: "share", Kind: bot.FieldOne, Label: "Delen?", Options: []bot.Option{{Value: "share", Label: "Delen"}, {Value: "count", Label: "Tellen"}}},
		{Name: "tags", Kind: bot.FieldMany, Label: "Waarover?", Options: []bot.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}, {Value: "c", Label: "C"}}},
	},
	Extra: []bot.Action{{Do: "withdraw", Round: "R", Label: "Trek in"}},
}

// The whole way of an answer: button, dialog, errors under their fields, the same dialog again, and closed without a word.
func TestAnswerByDialog(t *testing.T) {
	onSites(t, func(w *site) {
		w.says(bot.Response{Form: &replyForm}, nil)
		before := time.Now()
		d := w.click(w.ann, "Antwoord")
		press, _ := w.heard()[0].(bot.ActionPressed)
		if press.Action.Do != "answer" || press.Action.Round != "R" || press.User.Reveal() != w.ann || press.Team != teamOf(w.wing) || press.Lang != prompts.Dutch ||
			press.Post != "key1" || press.Ref != bot.Ref(w.post) || press.Zone != "Europe/Amsterdam" || press.At.Before(before) {
			w.Errorf("%+v of %+v", press.From, press.Action)
		}
		if d.User != w.ann || d.Title != "Antwoord zonder naam" || !strings.Contains(d.Intro, "De vraag?") || d.URL != w.url("/dialog") {
			w.Errorf("%+v", d)
		}
		w.says(bot.Response{Form: &replyForm, Errors: map[string]string{"share": "Kies nog.", "gone": "En dit."}}, nil)
		r := w.s.Submit(w.ann, d, map[string]any{"text": "mijn tekst", "tags": "b", "tags2": "a"})
		if r.Closed || r.Errors["share"] != "Kies nog." || r.Error != "En dit." {
			w.Errorf("with errors: %+v", r)
		}
		card := replyForm
		card.Notice = []bot.Block{bot.Text(bot.Span{Text: "Lees eerst dit.", Strong: true}), bot.Text(bot.Span{Text: "Bel 113."})}
		w.says(bot.Response{Form: &card, Errors: map[string]string{"share": "Kies opnieuw."}}, nil)
		if r = w.s.Submit(w.ann, d, map[string]any{"text": "mijn tekst"}); r.Closed || r.Error != "Lees eerst dit.\n\nBel 113." || r.Errors["share"] == "" {
			w.Errorf("with a card: %+v", r)
		}
		w.says(bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Deze ronde is dicht."})}}}, nil)
		if r = w.s.Submit(w.ann, d, map[string]any{"text": "mijn tekst"}); r.Closed || r.Error != "Deze ronde is dicht." {
			w.Errorf("not kept: %+v", r)
		}
		w.says(bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Bewaard."})}}, Kept: true}, nil)
		if r = w.s.Submit(w.ann, d, map[string]any{"text": "mijn tekst", "share": "share"}); !r.Closed || r.Status != 200 {
			w.Errorf("kept: %+v", r)
		}
		all := w.heard()
		if len(all) != 4 {
			w.Fatalf("%d events", len(all))
		}
		first, last := all[0].(bot.FormSubmitted), all[3].(bot.FormSubmitted)
		if first.Form != "reply" || first.State != "R.1.aa" || first.User.Reveal() != w.ann || first.Team != teamOf(w.wing) ||
			!slices.Equal(first.Values["tags"], []string{"b", "a"}) || first.Values["share"] != nil || !slices.Equal(last.Values["share"], []string{"share"}) {
			w.Errorf("%+v", first)
		}
		// Spent: the same dialog again does nothing, whatever it holds, and nobody is told anything.
		if r = w.s.Submit(w.ann, d, map[string]any{"text": "andere tekst", "share": "count"}); !r.Closed {
			w.Errorf("again: %+v", r)
		}
		w.silent("a spent dialog")
		if dms := w.s.DMs(w.ann); len(dms) > 0 {
			w.Errorf("a direct message after a reply form: %q", dms[0].Text)
		}
		if len(w.s.Ephemerals(w.ann)) > 0 {
			w.Error("something was shown in the channel")
		}
	})
}

func TestExtraActionOfAForm(t *testing.T) {
	onSites(t, func(w *site) {
		w.says(bot.Response{Form: &replyForm}, nil)
		d := w.click(w.ann, "Antwoord")
		w.heard()
		w.says(bot.Response{Kept: true}, nil)
		if r := w.s.Submit(w.ann, d, map[string]any{"do": "0"}); !r.Closed {
			w.Errorf("%+v", r)
		}
		if e, ok := w.heard()[0].(bot.FormSubmitted); !ok || e.Action != "withdraw" {
			w.Errorf("%+v", e)
		}
	})
}

// Only a manager's acts, which everybody may know of, are confirmed in private.
func TestKeptSettingsAreTold(t *testing.T) {
	onSites(t, func(w *site) {
		form := bot.Form{Name: "settings", State: "mattermost:x", Lang: prompts.Dutch, Title: "Instellingen", Submit: "Opslaan"}
		w.says(bot.Response{Form: &form}, nil)
		d := w.click(w.ann, "Antwoord")
		w.says(bot.Response{Kept: true, Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Opgeslagen."})}}}, nil)
		if r := w.s.Submit(w.ann, d, nil); !r.Closed {
			w.Errorf("%+v", r)
		}
		if dms := w.s.DMs(w.ann); len(dms) != 1 || dms[0].Text != "Opgeslagen." {
			w.Errorf("%+v", dms)
		}
	})
}

// What only shows something is shown in a dialog; what does something asks first, in a dialog for who pressed.
func TestButtonsAskFirst(t *testing.T) {
	onSites(t, func(w *site) {
		w.says(bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{
			bot.Text(bot.Span{Text: "Daarom."}), {Kind: bot.BlockActions, Actions: []bot.Action{{Do: "tag", Round: "R", Arg: "x", Label: "Een tag"}}}}}}, nil)
		d := w.click(w.ben, "Waarom?")
		w.heard()
		if d.User != w.ben || !strings.Contains(d.Intro, "Daarom.") || len(d.Elements) != 1 {
			w.Errorf("%+v", d)
		}
		if r := w.s.Submit(w.ben, d, nil); !r.Closed {
			w.Errorf("read and closed: %+v", r)
		}
		w.silent("a dialog that was read")
		d = w.click(w.ben, "Waarom?")
		w.heard()
		w.says(bot.Response{Kept: true}, nil)
		w.s.Submit(w.ben, d, map[string]any{"do": "0"})
		if e, ok := w.heard()[0].(bot.ActionPressed); !ok || e.Action.Do != "tag" || e.Action.Arg != "x" || e.User.Reveal() != w.ben {
			w.Errorf("%+v", e)
		}

		d = w.click(w.ann, "Ik doe mee")
		w.silent("a press that would do something")
		if !strings.Contains(d.Intro, "**Ik doe mee**") || d.User != w.ann {
			w.Errorf("%+v", d)
		}
		if r := w.s.SubmitTo(w.ben, w.wing, d.URL, d.State, d.CallbackID, nil); r.Status == 200 && r.Closed {
			w.Errorf("somebody else confirmed: %+v", r)
		}
		w.silent("somebody else's dialog")
		voted := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Genoteerd."})}}
		w.says(bot.Response{Message: &voted, Kept: true}, nil)
		for range 2 {
			if r := w.s.Submit(w.ann, d, nil); !r.Closed {
				w.Errorf("%+v", r)
			}
		}
		all := w.heard()
		e, ok := all[0].(bot.ActionPressed)
		if len(all) != 1 || !ok || e.Action.Do != "vote" || e.Action.Arg != "yes" || e.Action.Round != "R" || e.Post != "key1" || e.Ref != bot.Ref(w.post) || e.User.Reveal() != w.ann {
			w.Errorf("%d events, %+v", len(all), e)
		}
		if dms := w.s.DMs(w.ann); len(dms) > 0 {
			w.Errorf("a direct message about a vote: %q", dms[0].Text)
		}
		d = w.click(w.ann, "Toch doorgaan")
		w.s.Submit(w.ann, d, nil)
		if dms := w.s.DMs(w.ann); len(dms) != 1 || len(w.heard()) != 1 {
			w.Errorf("%d direct messages after a manager's act", len(dms))
		}
	})
}

// Nothing that did not come from us, or is not for who sends it, has an effect, an answer or a detail.
func TestForgedCallbacks(t *testing.T) {
	onSites(t, func(w *site) {
		form := replyForm
		w.says(bot.Response{Form: &form}, nil)
		d := w.click(w.ann, "Antwoord")
		w.heard()
		_, context := w.s.ContextOf(w.post, "a1")
		count := w.a.Refused()
		refused := func(what string, status int) {
			w.Helper()
			w.silent(what)
			now := w.a.Refused()
			if status != http.StatusUnauthorized || now != count+1 {
				w.Errorf("%s: status %d, counted %d", what, status, now-count)
			}
			count = now
		}
		press := model.PostActionIntegrationRequest{UserId: w.ann, ChannelId: w.wing, PostId: w.post, TriggerId: "x", Context: context}
		with := func(change func(*model.PostActionIntegrationRequest)) int {
			w.Helper()
			p := press
			p.Context = maps.Clone(context)
			change(&p)
			status, body := w.sendJSON(w.url("/press"), p)
			if strings.TrimSpace(body) != http.StatusText(status) {
				w.Errorf("the answer tells: %q", body)
			}
			return status
		}
		refused("no context", with(func(p *model.PostActionIntegrationRequest) { p.Context = nil }))
		refused("another's context", with(func(p *model.PostActionIntegrationRequest) { p.Context[contextKey] = "e30.e30" }))
		refused("a number for a context", with(func(p *model.PostActionIntegrationRequest) { p.Context[contextKey] = 7 }))
		refused("another channel", with(func(p *model.PostActionIntegrationRequest) { p.ChannelId = w.other }))
		refused("an unknown person", with(func(p *model.PostActionIntegrationRequest) { p.UserId = strings.Repeat("x", 26) }))
		refused("no person", with(func(p *model.PostActionIntegrationRequest) { p.UserId = "" }))
		refused("a post that is not there", with(func(p *model.PostActionIntegrationRequest) { p.PostId = strings.Repeat("x", 26) }))
		theirs := w.s.Forge(w.ben, w.wing, "Druk hier", mattermosttest.Forged{ID: "a1", Name: "Antwoord", URL: w.url("/press"), Context: context})
		if got := w.s.Click(w.ann, theirs, "a1"); got.Status == 200 || len(got.Opened) > 0 {
			w.Errorf("a stolen context on another's post: %+v", got)
		}
		refused("a stolen context", http.StatusUnauthorized)

		submit := func(user, state string, fields map[string]any) int {
			w.Helper()
			status, body := w.sendJSON(w.url("/dialog"), model.SubmitDialogRequest{UserId: user, ChannelId: w.wing, TeamId: w.team, State: state, Submission: fields})
			if status != 200 && strings.TrimSpace(body) != http.StatusText(status) {
				w.Errorf("the answer tells: %q", body)
			}
			return status
		}
		refused("no state", submit(w.ann, "", nil))
		refused("a changed state", submit(w.ann, d.State[1:], nil))
		refused("somebody else", submit(w.ben, d.State, nil))
		refused("nobody", submit("", d.State, nil))
		refused("a press as a dialog", submit(w.ann, context[contextKey].(string), nil))
		old := w.a.calls.sign.signDialog(w.ann, dialogState{Version: signVersion, Step: stepForm, Nonce: "n", Until: time.Now().Unix() - 1})
		refused("an old dialog", submit(w.ann, old, nil))
		w.s.Leave(w.wing, w.ann)
		refused("somebody who left", submit(w.ann, d.State, nil))
		refused("a press of somebody who left", with(func(*model.PostActionIntegrationRequest) {}))
		w.s.Join(w.wing, w.ann)
		w.says(bot.Response{Kept: true}, nil)
		if status := submit(w.ann, d.State, map[string]any{"share": "stolen", "tags": "zz", "extra": "x", "do": "9", "text": "t"}); status != 200 {
			w.Fatal(status)
		}
		e := w.heard()[0].(bot.FormSubmitted)
		if len(e.Values) != 1 || e.Values["text"][0] != "t" || e.Action != "" {
			w.Errorf("what was never offered came through: %+v %q", e.Values, e.Action)
		}
		for _, account := range []string{w.ann, w.ben, "unguessable", "mijn tekst"} {
			if strings.Contains(w.log.String(), account) {
				w.Errorf("the log holds %q", account)
			}
		}
	})
}

// A bot, a deactivated account and an archived channel press nothing.
func TestWhoMayPress(t *testing.T) {
	onSites(t, func(w *site) {
		_, context := w.s.ContextOf(w.post, "a2")
		press := func(user string) int {
			status, _ := w.sendJSON(w.url("/press"), model.PostActionIntegrationRequest{UserId: user, ChannelId: w.wing, PostId: w.post, TriggerId: "x", Context: context})
			return status
		}
		if got := press(w.bot); got != http.StatusUnauthorized {
			w.Errorf("a bot: %d", got)
		}
		w.s.Deactivate(w.ben)
		if got := press(w.ben); got != http.StatusUnauthorized {
			w.Errorf("deactivated: %d", got)
		}
		w.s.Archive(w.wing)
		if got := press(w.ann); got != http.StatusUnauthorized {
			w.Errorf("archived: %d", got)
		}
		w.silent("nobody who may")
	})
}

func TestPlainRefusals(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/press", "", 405}, {"PUT", "/dialog", "{}", 405}, {"POST", "", "", 404}, {"POST", "/", "", 404}, {"POST", "/press/", "{}", 404}, {"POST", "/x", "{}", 404},
		{"POST", "/press", "no json", 400}, {"POST", "/dialog", "[", 400}, {"POST", "/probe", "", 400}, {"POST", "/command", "%zz", 400},
		{"POST", "/press", `{"a":"` + strings.Repeat("x", maxBody) + `"}`, 413}, {"POST", "/command", strings.Repeat("x", maxBody+1), 413},
	} {
		got, body := w.send(c.method, w.url(c.path), "application/json", strings.NewReader(c.body))
		if got != c.want || strings.TrimSpace(body) != http.StatusText(c.want) {
			w.Errorf("%s %s: %d %q, want %d", c.method, c.path, got, body, c.want)
		}
	}
	w.silent("no callback")
	if got, _ := w.send("POST", strings.TrimSuffix(w.url(""), "unguessable-9")+"press", "application/json", strings.NewReader("{}")); got != 404 {
		w.Errorf("outside the path: %d", got)
	}
}

// Somebody who sends slowly is given up after the time for a body.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	w := newSite(t, mattermosttest.V11)
	u, err := url.Parse(w.url("/press"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST "+u.Path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	c.SetReadDeadline(time.Now().Add(2 * bodyTime))
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		t.Errorf("%v, %q", err, answer)
	}
}

// The server is answered in its time also when the bot takes longer. Who was told that it is unknown whether it was done
// sends in once more, perhaps something else: that is what counts. After an answer in time it is spent.
func TestAnsweredInTime(t *testing.T) {
	onSites(t, func(w *site) {
		w.says(bot.Response{Form: &replyForm}, nil)
		d := w.click(w.ann, "Antwoord")
		w.heard()
		w.a.calls.within = 300 * time.Millisecond
		release := make(chan struct{})
		w.mu.Lock()
		w.answer = func(bot.Event) (bot.Response, error) { <-release; return bot.Response{Kept: true}, nil }
		w.mu.Unlock()
		if r := w.s.Submit(w.ann, d, map[string]any{"text": "x"}); r.Closed || !strings.Contains(r.Error, "langer") {
			w.Errorf("%+v", r)
		}
		close(release)
		w.a.calls.within = answerWithin
		for range 2 {
			if r := w.s.Submit(w.ann, d, map[string]any{"text": "y"}); !r.Closed {
				w.Errorf("%+v", r)
			}
		}
		got := w.heard()
		if len(got) != 2 || got[1].(bot.FormSubmitted).Values["text"][0] != "y" {
			w.Errorf("%d events", len(got))
		}
	})
}

// When the program stops, what is under way gets a moment and is then ended: it does not hold the program.
func TestCallbacksEnd(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	w.says(bot.Response{Form: &replyForm}, nil)
	d := w.click(w.ann, "Antwoord")
	began := make(chan struct{})
	w.a.calls.last = 100 * time.Millisecond
	w.a.calls.use(func(ctx context.Context, _ bot.Event) (bot.Response, error) {
		close(began)
		<-ctx.Done()
		return bot.Response{}, ctx.Err()
	})
	sent := make(chan mattermosttest.SubmitResult, 1)
	go func() { sent <- w.s.Submit(w.ann, d, map[string]any{"text": "x"}) }()
	<-began
	start := time.Now()
	w.a.calls.use(nil)
	if took := time.Since(start); took > workTime/2 {
		t.Errorf("it took %s", took)
	}
	if r := <-sent; r.Closed || r.Error == "" {
		t.Errorf("said to be done: %+v", r)
	}
}

// What cannot be asked of the server, or handled, is never said to be done; the dialog stays open.
func TestTroubleLeavesTheDialogOpen(t *testing.T) {
	onSites(t, func(w *site) {
		w.says(bot.Response{Form: &replyForm}, nil)
		d := w.click(w.ann, "Antwoord")
		w.heard()
		w.s.Fail(1, "GET", "/users/", mattermosttest.Broken(500, false))
		if r := w.s.Submit(w.ann, d, nil); r.Closed || r.Error == "" {
			w.Errorf("server in trouble: %+v", r)
		}
		w.silent("a person who was not asked for")
		w.says(bot.Response{}, errors.New("the store is full"))
		if r := w.s.Submit(w.ann, d, nil); r.Closed || r.Error == "" {
			w.Errorf("bot in trouble: %+v", r)
		}
		w.a.calls.use(nil)
		if r := w.s.Submit(w.ann, d, nil); r.Closed || r.Error == "" {
			w.Errorf("nobody handles: %+v", r)
		}
	})
}

func TestSlashCommand(t *testing.T) {
	onSites(t, func(w *site) {
		said := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Hallo <!channel> @all"}),
			{Kind: bot.BlockActions, Actions: []bot.Action{{Do: "vote", Label: "Ja"}, {Do: "why", Label: "Waarom?", Typed: "waarom"}}}}}
		w.says(bot.Response{Message: &said}, nil)
		r := w.s.Command(w.ann, w.wing, "/weerklank Status van de ronde")
		if r.Status != 200 || r.Public || !strings.Contains(r.Text, "Hallo") || !strings.Contains(r.Text, "**waarom**") || strings.Contains(r.Text, "<!channel>") {
			w.Errorf("%+v", r)
		}
		e, ok := w.heard()[0].(bot.Command)
		if !ok || e.Text != "Status van de ronde" || e.User.Reveal() != w.ann || e.Team != teamOf(w.wing) || e.Typed {
			w.Errorf("%+v", e)
		}
		dm := w.s.Direct(w.ann, w.bot)
		w.s.Command(w.ann, dm, "/weerklank help")
		if e, ok = w.heard()[0].(bot.Command); !ok || e.Team != "" || !e.Typed {
			w.Errorf("in a direct conversation: %+v", e)
		}
		if r := w.s.Command(w.ann, dm, "/weerklank status"); r.Status != 200 || !strings.Contains(r.Text, "zonder schuine streep") {
			w.Errorf("in a direct conversation: %+v", r)
		}
		w.silent("a command in a direct conversation")
		w.says(bot.Response{Form: &replyForm}, nil)
		if r = w.s.Command(w.ann, w.wing, "/weerklank verwijder"); r.Status != 200 || r.Text != "" {
			w.Errorf("with a form: %+v", r)
		}
		d := w.s.Dialog(w.ann)
		if d == nil || d.Title != replyForm.Title {
			w.Fatalf("%+v", d)
		}
		w.heard()
		w.says(bot.Response{Kept: true}, nil)
		if r := w.s.Submit(w.ann, d, nil); !r.Closed || len(w.heard()) != 1 {
			w.Errorf("%+v", r)
		}
		w.says(bot.Response{}, nil)
		if r = w.s.Command(w.ann, w.wing, "/weerklank"); r.Status != 200 {
			w.Errorf("nothing to say: %+v", r)
		}
		w.heard()
		private := w.s.AddPrivate(w.team, "closed", w.ann)
		if r = w.s.Command(w.ann, private, "/weerklank uit"); r.Status != 200 || !strings.Contains(r.Text, "niet in dit kanaal") {
			w.Errorf("where the bot is not: %+v", r)
		}
		w.silent("where the bot is not")
		form := url.Values{"token": {w.token}, "user_id": {w.ann}, "channel_id": {w.wing}, "text": {"uit"}, "trigger_id": {"x"}}
		for _, bad := range []string{"", "x", w.token[1:], w.token + "a"} {
			form.Set("token", bad)
			if status, _ := w.send("POST", w.url("/command"), "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); status != http.StatusUnauthorized {
				w.Errorf("token %q: %d", bad, status)
			}
		}
		w.silent("a wrong token")
		w.says(bot.Response{Form: &replyForm}, nil)
		form.Set("token", w.token)
		form.Set("text", "aan")
		form.Set("trigger_id", w.s.Trigger(w.ann, w.wing))
		w.s.Fail(1, "POST", "/actions/dialogs/open", mattermosttest.Broken(500, false))
		status, body := w.send("POST", w.url("/command"), "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
		if status != 200 || !strings.Contains(body, "ging niet open") {
			w.Errorf("a form that does not open: %d %q", status, body)
		}
	})
}

// The token of a command is known to whoever may register commands, and says nothing about a person. Without a trigger that
// the server made for the very person nothing happens; and what is somebody's own is never in the answer, but in a dialog.
func TestCommandIsProven(t *testing.T) {
	onSites(t, func(w *site) {
		secret := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "geheim van ben"})}}
		w.says(bot.Response{Message: &secret}, nil)
		give := func(user, text, trigger string) (int, string) {
			w.Helper()
			form := url.Values{"token": {w.token}, "user_id": {user}, "channel_id": {w.wing}, "text": {text}, "trigger_id": {trigger}}
			status, body := w.send("POST", w.url("/command"), "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
			if text != "help" && strings.Contains(body, "geheim") {
				w.Errorf("%s: the answer tells: %q", text, body)
			}
			return status, body
		}
		mine := w.s.Trigger(w.ann, w.wing)
		raw, err := base64.StdEncoding.DecodeString(w.s.Trigger(w.ben, w.wing))
		if err != nil {
			w.Fatal(err)
		}
		part := strings.Split(string(raw), ":")
		build := func(parts ...string) string {
			return base64.StdEncoding.EncodeToString([]byte(strings.Join(parts, ":")))
		}
		now := time.Now().UnixMilli()
		forged := build("x", w.ben, strconv.FormatInt(now, 10), part[3])
		old := build(part[0], w.ben, strconv.FormatInt(now-2*triggerLife.Milliseconds(), 10), part[3])
		for what, trigger := range map[string]string{
			"none": "", "no trigger": "x", "of who asks": mine, "made up": forged, "old": old, "too few parts": build("x", w.ben), "long": strings.Repeat("A", 4000),
			"no number": build("x", w.ben, "z", part[3]), "no signature": build("x", w.ben, strconv.FormatInt(now, 10), "!"),
		} {
			for _, text := range []string{"code", "trek in", "mij", "status", "help"} {
				if status, _ := give(w.ben, text, trigger); status != http.StatusUnauthorized {
					w.Errorf("%s, %s: %d", what, text, status)
				}
			}
		}
		_, context := w.s.ContextOf(w.post, "a1")
		press := model.PostActionIntegrationRequest{UserId: w.ben, ChannelId: w.wing, PostId: w.post, TriggerId: mine, Context: context}
		if status, _ := w.sendJSON(w.url("/press"), press); status != http.StatusUnauthorized {
			w.Errorf("a press with somebody else's trigger: %d", status)
		}
		w.silent("nobody proven")

		for _, text := range []string{"code", "mij", "wijzig 1"} { // their own: in a dialog for them
			if r := w.s.Command(w.ben, w.wing, "/weerklank "+text); r.Status != 200 || r.Text != "" {
				w.Errorf("%s: %+v", text, r)
			}
			if d := w.s.Dialog(w.ben); d == nil || d.User != w.ben || !strings.Contains(d.Intro, "geheim") {
				w.Errorf("%s: %+v", text, d)
			}
		}
		w.heard()
		for _, text := range []string{"trek in", "uit", "pauze na een incident", "verwijder ABCD-EFGH-JKMN-PQRS"} { // asked first
			if r := w.s.Command(w.ben, w.wing, "/weerklank "+text); r.Status != 200 || r.Text != "" {
				w.Errorf("%s: %+v", text, r)
			}
			w.silent(text)
			d := w.s.Dialog(w.ben)
			if d == nil || !strings.Contains(d.Intro, text) {
				w.Fatalf("%s: %+v", text, d)
			}
			w.says(bot.Response{Message: &secret, Kept: true}, nil)
			if r := w.s.Submit(w.ben, d, nil); !r.Closed {
				w.Errorf("%s: %+v", text, r)
			}
			if e, ok := w.heard()[0].(bot.Command); !ok || e.Text != text || e.User.Reveal() != w.ben || e.Team != teamOf(w.wing) {
				w.Errorf("%s: %+v", text, e)
			}
			if dms := w.s.DMs(w.ben); len(dms) > 0 {
				w.Errorf("%s: told in a direct message", text)
			}
		}
		w.says(bot.Response{Message: &secret}, nil)
		w.s.Command(w.ben, w.wing, "/weerklank season") // a trigger does not say for which channel it was made
		if d := w.s.Dialog(w.ben); d == nil || !strings.Contains(d.Intro, "geheim") {
			w.Errorf("what the channel may know: %+v", d)
		}
		again := w.s.Trigger(w.ben, w.wing)
		for i, events := range []int{2, 0} { // with the one of status
			if status, _ := give(w.ben, "help", again); status != 200 || len(w.heard()) != events {
				w.Errorf("time %d: %d", i, status)
			}
		}
	})
}

// What would ask with buttons says in a dialog what to type.
func TestChoicesInADialog(t *testing.T) {
	onSites(t, func(w *site) {
		w.s.Command(w.ann, w.wing, "/weerklank trek in")
		which := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{
			bot.Text(bot.Span{Text: "Bij welke?"}), bot.List("wing: De brug", "other: De cel"), {Kind: bot.BlockActions, Actions: []bot.Action{
				{Do: "withdraw", Round: "1", Label: "wing: De brug", Typed: "trek in 1"}, {Do: "withdraw", Round: "2", Label: "other: De cel", Typed: "trek in 2"},
			}},
		}}
		w.says(bot.Response{Message: &which}, nil)
		if r := w.s.Submit(w.ann, w.s.Dialog(w.ann), nil); r.Closed || !strings.Contains(r.Error, "trek in 2 (other: De cel)") {
			w.Errorf("%+v", r)
		}
	})
}

// A fault of ours or of the server's ends what was asked, and not the program.
func TestCallbackFaultIsContained(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	w.s.Fail(1, "GET", "/users/", mattermosttest.Fault{Lost: true, Status: 200, Type: "application/json", Body: "null"})
	if r := w.s.Command(w.ann, w.wing, "/weerklank help"); r.Status != 200 {
		t.Errorf("%+v", r)
	}
	w.a.calls.within = 200 * time.Millisecond
	w.a.calls.use(func(context.Context, bot.Event) (bot.Response, error) { panic("geheim") })
	w.s.Command(w.ann, w.wing, "/weerklank help")
	w.a.calls.within = answerWithin
	w.a.calls.use(func(context.Context, bot.Event) (bot.Response, error) {
		return bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Hallo."})}}}, nil
	})
	if r := w.s.Command(w.ann, w.wing, "/weerklank help"); !strings.Contains(r.Text, "Hallo.") {
		t.Errorf("%+v", r)
	}
	if strings.Contains(w.log.String(), "geheim") {
		t.Error("the log holds what it panicked with")
	}
}

// A server that does not tell its key is asked all the same by the dialog, which it opens for who gave the command alone.
func TestCommandWithoutKey(t *testing.T) {
	onSites(t, func(w *site) {
		w.s.Set(func(s *mattermosttest.Settings) { s.NoSigningKey = true })
		secret := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "geheim van ben"})}}
		w.says(bot.Response{Message: &secret}, nil)
		for text, open := range map[string]bool{"help": true, "status": false, "code": false} {
			r := w.s.Command(w.ben, w.wing, "/weerklank "+text)
			if strings.Contains(r.Text, "geheim") != open {
				w.Errorf("%s: %+v", text, r)
			}
			if d := w.s.Dialog(w.ben); !open && (d == nil || !strings.Contains(d.Intro, "geheim")) {
				w.Errorf("%s: %+v", text, d)
			}
		}
		forged := base64.StdEncoding.EncodeToString([]byte("x:" + w.ben + ":" + strconv.FormatInt(time.Now().UnixMilli(), 10) + ":QUFB"))
		form := url.Values{"token": {w.token}, "user_id": {w.ben}, "channel_id": {w.wing}, "text": {"code"}, "trigger_id": {forged}}
		status, body := w.send("POST", w.url("/command"), "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
		if status != 200 || !strings.Contains(body, "went not") && !strings.Contains(body, "did not open") {
			w.Errorf("%d %q", status, body)
		}
	})
}

// The server may get a new key: it is asked for once more, and not at every forgery.
func TestServersNewKey(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	w.says(bot.Response{Message: &bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Hallo."})}}}, nil)
	hello := func() bool { return strings.Contains(w.s.Command(w.ben, w.wing, "/weerklank help").Text, "Hallo.") }
	if !hello() {
		t.Fatal("not answered")
	}
	w.s.NewSigningKey()
	if hello() {
		t.Error("taken with a key that is not known")
	}
	w.a.calls.server.asked = time.Now().Add(-2 * askKeyEvery)
	if !hello() {
		t.Error("the new key was not asked for")
	}
}

func TestProbe(t *testing.T) {
	onSites(t, func(w *site) {
		if err := w.a.Probe(t.Context()); err != nil {
			w.Error(err)
		}
		p := w.a.calls.sign.signProbe(probe{Version: signVersion, Nonce: "once", Until: time.Now().Unix() + 60})
		for i, want := range []int{200, 401} {
			if got, _ := w.sendJSON(w.url("/probe"), model.SubmitDialogRequest{State: p}); got != want {
				w.Errorf("time %d: %d", i, got)
			}
		}
		if got, _ := w.sendJSON(w.url("/probe"), model.SubmitDialogRequest{State: "x"}); got != http.StatusUnauthorized {
			w.Errorf("forged: %d", got)
		}
		elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "{}") }))
		defer elsewhere.Close()
		w.a.calls.base = elsewhere.URL
		if err := w.a.Probe(t.Context()); !errors.Is(err, ErrUnreached) {
			w.Errorf("somebody else answers: %v", err)
		}
		elsewhere.Close()
		if err := w.a.Probe(t.Context()); !errors.Is(err, ErrUnreached) {
			w.Errorf("nobody answers: %v", err)
		}
		w.silent("a probe")
	})
}

func TestCheckCallback(t *testing.T) {
	for callback, ok := range map[string]bool{
		"http://127.0.0.1:8066/mm/x": true, "https://bot.example.org/plugins/x": true, "https://chat.example.org/weerklank/x": true,
		"https://chat.example.org/plugins/x": false, "https://CHAT.example.org:8443/plugins": false, "http://chat.example.org//plugins/x": false,
		"https://chat.example.org/%70lugins/x": false, "https://chat.example.org/Plugins/x": false, "https://chat.example.org/./plugins/x": false,
		"https://chat.example.org/sub/plugins/x": false, "chat.example.org/x": false, "/x": false, "ftp://x/y": false, "http://u:p@x/y": false, "http://x/y?z": false, "": false,
	} {
		if err := CheckCallback("https://chat.example.org/sub", callback); (err == nil) != ok {
			t.Errorf("%q: %v", callback, err)
		}
	}
}

// Where the server does not reach the listener there are no buttons and no forms, until it does again.
func TestNotReached(t *testing.T) {
	w := newSite(t, mattermosttest.V11)
	for _, reached := range []bool{false, true} {
		w.a.calls.closed.Store(!reached)
		p, err := w.a.render(asked, teamOf(w.wing), "k")
		if err != nil || w.a.Forms() != reached || (p.GetProp(model.PostPropsAttachments) != nil) != reached || strings.Contains(p.Message, "**waarom**") == reached {
			t.Errorf("reached %v: %v, %q", reached, err, p.Message)
		}
	}
}
