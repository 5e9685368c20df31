package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// link is the program's end of Socket Mode, at a workspace for tests.
type link struct {
	t    *testing.T
	s    *slacktest.Server
	w    *wire
	k    *intake
	c    *sockets
	stop func() error
	log  *chattest.Log
	ann  string
	back chan time.Time

	release func() // of the gate

	mu   sync.Mutex
	seen []inbound
}

// linkTo makes the program's end; handle may be nil.
func linkTo(t *testing.T, s *slacktest.Server) *link {
	l := &link{t: t, s: s, log: &chattest.Log{}, ann: s.AddUser(slacktest.User{Name: "ann"}), back: make(chan time.Time, 100)}
	l.w = newWire(wireConfig{BotToken: s.BotToken(), AppToken: s.AppToken(), APIURL: s.URL(), PerSecond: 1000})
	log := slog.New(slog.NewTextHandler(l.log, nil))
	l.k = newIntake(nil, log)
	l.c = newSockets(l.w, l.k, log, func(since time.Time) { l.back <- since })
	return l
}

func (l *link) run(handle func(context.Context, inbound)) {
	l.stop = running(l.t, l.k, func(ctx context.Context, in inbound) {
		l.mu.Lock()
		l.seen = append(l.seen, in)
		l.mu.Unlock()
		if handle != nil {
			handle(ctx, in)
		}
	}, l.c.run)
	if l.release != nil {
		l.t.Cleanup(l.release)
	}
}

// hasten opens connections soon again. Without, a test of many would wait as long as Slack is left alone.
func (l *link) hasten() { carrierOf(l.w).opens.apart = []time.Duration{0, 10 * time.Millisecond} }

// up waits until n connections said hello.
func (l *link) up(n int) {
	l.t.Helper()
	await(l.t, fmt.Sprint(n, " connections"), func() bool {
		up := 0
		for _, c := range l.c.health().Sockets {
			if c.Connected {
				up++
			}
		}
		return up == n
	})
}

// typed counts how often each text came in.
func (l *link) typed() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]int{}
	for _, in := range l.seen {
		if in.Kind == kindEvent && in.Event.Message != nil {
			all[string(in.Event.Message.Text)]++
		}
	}
	return all
}

// sound looks at what must never go wrong.
func (l *link) sound() {
	l.t.Helper()
	if p := l.s.Problems(); len(p) > 0 {
		l.t.Error(p)
	}
	for _, secret := range []string{l.ann, "geheim", l.s.BotToken(), l.s.AppToken()} {
		if strings.Contains(l.log.String(), secret) {
			l.t.Errorf("the log holds %q", secret)
		}
	}
	if h := l.k.health(); h.Panics > 0 {
		l.t.Errorf("%+v", h)
	}
}

// gate holds handlers up until it is released, at the latest when the test ends.
func (l *link) gate() (free <-chan struct{}, release func()) {
	c := make(chan struct{})
	l.release = sync.OnceFunc(func() { close(c) })
	return c, l.release
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	look, limit := time.NewTicker(5*time.Millisecond), time.NewTimer(30*time.Second)
	defer look.Stop()
	defer limit.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-limit.C:
			t.Fatalf("never came: %s", what)
		}
	}
}

func modal(t *testing.T, l *link, in inbound) string {
	t.Helper()
	v, err := l.w.api.OpenViewContext(context.Background(), in.Interaction.Trigger, api.ModalViewRequest{
		Type: api.VTModal, Title: api.NewTextBlockObject("plain_text", "Reactie", false, false), Submit: api.NewTextBlockObject("plain_text", "Verstuur", false, false),
		Close: api.NewTextBlockObject("plain_text", "Sluit", false, false), CallbackID: "form",
		Blocks: api.Blocks{BlockSet: []api.Block{api.NewInputBlock("b", api.NewTextBlockObject("plain_text", "Tekst", false, false), nil, api.NewPlainTextInputBlockElement(nil, "a"))}},
	})
	if err != nil {
		t.Error(err)
		return ""
	}
	return v.ID
}

// Two connections, and all kinds of things by either.
func TestSocketsBringEverything(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	turn := 0
	s.Set(func(c *slacktest.Settings) {
		c.PingEvery = 20 * time.Millisecond
		c.Route = func([]*slacktest.Socket) int { turn++; return turn }
	})
	l := linkTo(t, s)
	l.run(func(_ context.Context, in inbound) {
		switch {
		case in.Kind == kindCommand:
			if err := in.Answer(json.RawMessage(`{"text":"hulp"}`)); err != nil {
				t.Error(err)
			}
		case in.Interaction.Type == interactShortcut:
			modal(t, l, in)
			if err := in.Answer(json.RawMessage(`{"text":"a press takes no body"}`)); err != nil {
				t.Error(err)
			}
		case in.Interaction.Type == interactSubmit:
			if !strings.Contains(string(in.Interaction.View.State), "lang") || in.Interaction.View.CallbackID != "form" {
				t.Error("the form is lost")
			}
			if err := in.Answer(json.RawMessage(`{"response_action":"errors","errors":{"b":"korter"}}`)); err != nil {
				t.Error(err)
			}
		}
	})
	l.up(2)
	wing := s.AddChannel(slacktest.Channel{Name: "wing", Members: []string{l.ann, s.Bot()}})
	if r := s.Command(l.ann, wing, "/weerklank help"); r.Err != "" || r.Response == nil || r.Response.Text != "hulp" {
		t.Errorf("%+v", r)
	}
	if r := s.GlobalShortcut(l.ann, "open"); r.Err != "" || r.Modal == nil {
		t.Errorf("%+v", r)
	}
	if r := s.SubmitModal(l.ann, map[string]any{"Tekst": "lang"}); r.Err != "" || r.Errors["Tekst"] != "korter" {
		t.Errorf("%+v", r)
	}
	ts := s.TypeDirect(l.ann, "geheim")
	s.Edit(s.Direct(l.ann), ts, "geheim 2")
	s.Delete(s.Direct(l.ann), ts)
	s.OpenHome(l.ann, "home")
	s.Settle()
	await(t, "a pong of both", func() bool {
		var by []int
		for _, e := range s.Journal() {
			if e.Kind == slacktest.KindPong && !slices.Contains(by, e.Socket) {
				by = append(by, e.Socket)
			}
		}
		return len(by) == 2
	})
	h := l.c.health()
	if len(h.Sockets) != 2 || h.Others != 0 || !h.Down.IsZero() || h.Fatal != nil || s.Opens() != 2 {
		t.Errorf("%+v, %d opened", h, s.Opens())
	}
	for _, c := range h.Sockets {
		if !c.Connected || c.Opens != 1 || c.LastError != "" || time.Since(c.Since) > time.Minute {
			t.Errorf("%+v", c)
		}
	}
	if since := <-l.back; !since.IsZero() || len(l.back) > 0 {
		t.Errorf("since %s", since)
	}
	if err := l.stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	kinds := map[string]int{}
	for _, in := range l.seen {
		if m := in.Event.Message; m != nil {
			kinds[m.Channel+m.Subtype]++
			if m.Channel != s.Direct(l.ann) {
				t.Error("another channel")
			}
		}
		kinds[string(in.Kind)]++
	}
	if d := s.Direct(l.ann); kinds["event"] != 5 && kinds["event"] != 4 || kinds[d] != 1 || kinds[d+"message_changed"] != 1 || kinds[d+"message_deleted"] != 1 || kinds["interaction"] != 2 || kinds["command"] != 1 {
		t.Error(kinds)
	}
	l.sound()
}

// H1: what the library cannot read is acknowledged all the same, and what a person typed counts, whatever stands beside it.
func TestUnknownThingsAreAcknowledged(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.run(nil)
	l.up(2)
	var ids []string
	for kind, payloads := range map[string][]string{
		"hologram": {`{}`, `null`},
		"events_api": {
			`{"type":"event_callback","event":{"type":"smell_changed"}}`, `{"type":"outer_unknown"}`, `7`, `[]`, `null`,
			`{"type":"event_callback","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","ts":"1.1","text":"een","blocks":[{"type":"hologram"}]}}`,
			`{"type":"event_callback","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","ts":"1.2","text":"twee","blocks":[{"type":"context","elements":[{"type":"smell"}]}]}}`,
			`{"type":"event_callback","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","ts":"1.3","text":"drie","attachments":[{"ts":{}}],"edited":"x"}}`,
		},
		"interactive": {
			`{"type":"block_actions","user":{"id":"U1"},"actions":[{"type":"hologram","action_id":"a"}]}`,
			`{"type":"block_actions","user":{"id":"U1"},"actions":[{"type":"button","action_id":"b"}],"message":{"ts":"1.1","blocks":[{"type":"input","element":{"type":"smell"}}],"attachments":[{"ts":{}}]}}`,
			`{"type":"unknown_interaction"}`, `{"type":"view_submission","user":{"id":"U1"},"view":{"id":"V1","state":{"values":{"b":{"a":{"type":"smell","value":[]}}}}}}`,
		},
		"slash_commands": {`{"command":"/weerklank","user_id":"U1","is_enterprise_install":{}}`, `[]`},
	} {
		for _, p := range payloads {
			ids = append(ids, s.Envelope(kind, json.RawMessage(p)))
		}
	}
	s.TypeWith(l.ann, s.Direct(l.ann), "", "geheim", map[string]any{"blocks": []any{map[string]any{"type": "hologram"}}, "metadata": 7})
	s.Settle()
	s.Await("all acknowledged", func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return !s.Acked(id) })
	})
	sent := map[string]time.Time{}
	for _, e := range s.Journal() {
		switch e.Kind {
		case slacktest.KindEnvelope:
			if e.Attempt > 0 {
				t.Error("something came again")
			}
			sent[e.Envelope] = e.At
		case slacktest.KindAck:
			if took := e.At.Sub(sent[e.Envelope]); took > 3*time.Second {
				t.Errorf("acknowledged after %s", took)
			}
		}
	}
	l.stop()
	for _, text := range []string{"een", "twee", "drie", "geheim"} {
		if l.typed()[text] != 1 {
			t.Errorf("%q came in %d times", text, l.typed()[text])
		}
	}
	var pressed []string
	for _, in := range l.seen {
		for _, a := range in.Interaction.Actions {
			pressed = append(pressed, a.ID)
		}
	}
	if slices.Sort(pressed); strings.Join(pressed, "") != "ab" {
		t.Error(pressed)
	}
	if s.Opens() != 2 {
		t.Errorf("%d opened", s.Opens())
	}
	l.sound()
}

// H7: frames that are nothing are counted, and a connection that they end is opened again. Nothing is lost.
func TestGarbageFrames(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.hasten()
	l.run(nil)
	l.up(2)
	for n, frame := range slacktest.Garbage() {
		all := s.Sockets()
		if len(all) == 0 {
			l.up(1)
			all = s.Sockets()
		}
		all[n%len(all)].Text(frame)
		s.TypeDirect(l.ann, fmt.Sprint("geheim ", n))
	}
	s.Settle()
	for _, id := range []string{"e-unknown", "e-null", "e-list", "e-text", "e-odd", "e-retry", "e-i0", "e-i1", "e-i2", "e-c0", "e-c1", "e-long"} {
		s.Await(id, func() bool { return s.Acked(id) })
	}
	for _, spoil := range []func(*slacktest.Socket){
		func(k *slacktest.Socket) { k.Text(slacktest.Huge()) }, func(k *slacktest.Socket) { k.CutFrame(`{"type":"hello"}`) },
		func(k *slacktest.Socket) { k.Bytes([]byte{0xff, 0xff, 0xff}) }, func(k *slacktest.Socket) { k.Drop() },
	} {
		l.up(2)
		before := s.Connections()
		s.Sockets()[0].Binary([]byte{0, 255})
		spoil(s.Sockets()[0])
		s.TypeDirect(l.ann, "geheim erna")
		await(t, "another connection", func() bool { return s.Connections() > before })
	}
	l.up(2)
	s.Lapse()
	s.Advance(2 * time.Minute) // what was lost in a connection that ended comes again
	s.Settle()
	l.stop()
	if typed := l.typed(); typed["geheim erna"] < 4 || len(typed) < len(slacktest.Garbage())+1 {
		t.Errorf("%d texts, %d after something was spoiled", len(typed), typed["geheim erna"])
	}
	garbage := int64(0)
	for _, c := range l.c.health().Sockets {
		garbage += c.Garbage
	}
	if garbage == 0 || garbage > 60 {
		t.Errorf("%d frames of garbage", garbage)
	}
	l.sound()
}

// H2: connections that are ended as soon as they are open are not opened at once again.
func TestStormOpensLittle(t *testing.T) {
	t.Parallel()
	var all []*link
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled", "too_many_websockets"} {
		s := slacktest.Start(t, slacktest.Options{})
		s.Set(func(c *slacktest.Settings) { c.OnHello = func(_ int, k *slacktest.Socket) { k.Disconnect(reason, 0) } })
		l := linkTo(t, s)
		l.run(nil)
		all = append(all, l)
	}
	storm := time.NewTimer(8 * time.Second)
	defer storm.Stop()
	<-storm.C
	for _, l := range all {
		if n := l.s.Opens(); n < 2 || n > 4 {
			t.Errorf("%d opened in 8 s", n)
		}
		l.stop()
		l.sound()
	}
}

// While one connection lives, nothing is lost, whatever happens to the other: every press gets its form.
func TestNoPressIsLostWhileOneLives(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	s.Set(func(c *slacktest.Settings) {
		c.OnHello = func(n int, k *slacktest.Socket) {
			if n > 1 {
				k.Disconnect("refresh_requested", 0)
			}
		}
	})
	l := linkTo(t, s)
	l.run(func(_ context.Context, in inbound) {
		if in.Interaction.Type == interactShortcut {
			modal(t, l, in)
		}
	})
	l.up(1)
	until := time.Now().Add(4 * time.Second)
	n := 0
	for ; time.Now().Before(until); n++ {
		if r := s.GlobalShortcut(l.ann, "open"); r.Err != "" || r.Modal == nil {
			t.Fatalf("%+v", r)
		}
		s.CloseAll(l.ann)
	}
	if n < 20 || s.Opens() < 3 {
		t.Errorf("%d presses, %d opened", n, s.Opens())
	}
	l.stop()
	l.sound()
}

// H3: an answer that makes trying again useless ends everything at once, and says what to do.
func TestFatalAnswersStop(t *testing.T) {
	t.Parallel()
	for _, code := range append(fatalCodes(), codeNotFound) {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := slacktest.Start(t, slacktest.Options{})
			if code == codeNotFound {
				s.Fail(-1, methodOpen, "", slacktest.Page(404))
			} else {
				s.FailCode(-1, methodOpen, code)
			}
			l := linkTo(t, s)
			err := l.k.serve(t.Context(), func(context.Context, inbound) {}, l.c.run)
			e, ok := errors.AsType[*signInError](err)
			if !ok || !errors.Is(err, bot.ErrUnauthorised) || e.Slot != slotApp || e.Code != code || !errors.Is(l.c.health().Fatal, err) {
				t.Errorf("%v", err)
			}
			if n := s.Calls(methodOpen); n > 2 {
				t.Errorf("tried %d times", n)
			}
			if !strings.Contains(l.log.String(), "app_token") || !strings.Contains(l.log.String(), code) {
				t.Error("the log does not say why")
			}
			l.sound()
		})
	}
}

// A token that is revoked while all is well ends everything too, once the connections end; other errors end nothing.
func TestRevokedLater(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	hits := s.Fail(1, methodOpen, "", slacktest.Code("internal_error"))
	s.Fail(1, methodOpen, "", slacktest.Page(502))
	s.Fail(1, "link", "", slacktest.Page(503))
	l := linkTo(t, s)
	l.hasten()
	ended := make(chan error, 1)
	go func() { ended <- l.k.serve(context.Background(), func(context.Context, inbound) {}, l.c.run) }()
	l.up(2)
	if hits() != 1 {
		t.Error("nothing went wrong")
	}
	s.RevokeToken(true, "token_revoked")
	s.Sockets()[0].Drop()
	select {
	case err := <-ended:
		if e, ok := errors.AsType[*signInError](err); !ok || e.Code != "token_revoked" {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
	for _, c := range l.c.health().Sockets {
		if c.Connected {
			t.Errorf("%+v", c)
		}
	}
	l.sound()
}

// H4: acknowledging without any connection ends, and says that it did not work.
func TestAcknowledgingWithoutConnection(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	free, release := l.gate()
	answered := make(chan error, 100)
	l.k.within = time.Minute
	l.run(func(_ context.Context, in inbound) {
		<-free
		answered <- in.Answer(nil)
	})
	l.up(2)
	for n := range 60 {
		s.Envelope("interactive", map[string]any{"type": "block_actions", "user": map[string]any{"id": fmt.Sprint("U", n)}})
	}
	await(t, "all of them", func() bool { return l.k.health().Waiting == 60 })
	s.Fail(-1, methodOpen, "", slacktest.Code("internal_error"))
	for _, k := range s.Sockets() {
		k.Drop()
	}
	l.up(0)
	release()
	began, bad := time.Now(), 0
	for range 60 {
		select {
		case err := <-answered:
			if err != nil {
				bad++
			}
		case <-time.After(15 * time.Second):
			t.Fatal("it blocks")
		}
	}
	if bad == 0 || time.Since(began) > 12*time.Second || l.k.health().Unsent == 0 {
		t.Errorf("%d failed after %s", bad, time.Since(began))
	}
	if down := l.c.health().Down; down.IsZero() || time.Since(down) > time.Minute {
		t.Errorf("down since %s", down)
	}
	l.stop()
	l.sound()
}

// H5: a handler that stands still loses nothing. Pings are answered, everything is acknowledged in time, and handled later,
// once.
func TestStalledHandlerLosesNothing(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	// The machine may be busy: what is acknowledged late by its clock would come again, which is not what is looked at here.
	s.Set(func(c *slacktest.Settings) { c.PingEvery, c.AckWithin = 100*time.Millisecond, time.Minute })
	l := linkTo(t, s)
	free, release := l.gate()
	l.k.within = time.Second
	l.run(func(context.Context, inbound) { <-free })
	l.up(2)
	const many = 400
	s.Burst(l.ann, many)
	for n := range 100 {
		other := s.AddUser(slacktest.User{Name: fmt.Sprint("bo", n)})
		s.TypeDirect(other, fmt.Sprint("geheim van bo ", n))
	}
	pongs := s.Count(slacktest.KindPong, "")
	s.Settle()
	if s.Count(slacktest.KindPong, "")-pongs < 10 {
		t.Error("pings are not answered")
	}
	await(t, "the count", func() bool { return l.k.health().Late == many+100 })
	if h := l.k.health(); h.Waiting != many+100 || h.Full > 0 || h.Unsent > 0 {
		t.Errorf("%+v", h)
	}
	release()
	l.stop()
	typed := l.typed()
	twice := 0
	for _, n := range typed {
		if n > 1 {
			twice++
		}
	}
	if len(typed) != many+100 || twice > 0 {
		t.Errorf("%d texts, %d more than once", len(typed), twice)
	}
	for _, e := range s.Journal() {
		if e.Attempt > 0 {
			t.Error("something came again")
			break
		}
	}
	if s.Opens() != 2 {
		t.Errorf("%d opened", s.Opens())
	}
	l.sound()
}

// What comes just before a connection is cut is not lost.
func TestLastFrameBeforeTheEnd(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.hasten()
	l.run(nil)
	for n := range 20 {
		l.up(2)
		before := s.Connections()
		k := s.Sockets()[n%2]
		k.Text(`{"type":"interactive","envelope_id":"e-last","payload":{"type":"block_actions","user":{"id":"U1"}}}`)
		k.CutFrame(`{"type":"hello"}`)
		await(t, "the press", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.seen) == n+1
		})
		await(t, "another connection", func() bool { return s.Connections() > before })
	}
	l.stop()
	l.sound()
}

// H6: a connection that says no hello, or no ping any more, is opened again.
func TestSilentConnections(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	s.Set(func(c *slacktest.Settings) { c.NoHello = true })
	l := linkTo(t, s)
	l.hasten()
	l.c.hello = 50 * time.Millisecond
	l.run(nil)
	await(t, "that both are given up", func() bool {
		h := l.c.health().Sockets
		return h[0].LastError == "no_hello" && h[1].LastError == "no_hello"
	})
	l.up(0)
	if len(l.back) > 0 {
		t.Error("there is a connection without a hello")
	}
	s.Set(func(c *slacktest.Settings) { c.NoHello = false })
	l.up(2)
	l.stop()
	l.sound()

	s = slacktest.Start(t, slacktest.Options{})
	s.Set(func(c *slacktest.Settings) { c.PingEvery = 50 * time.Millisecond })
	l = linkTo(t, s)
	l.hasten()
	l.w.ping = time.Second
	l.c = newSockets(l.w, l.k, quiet(), nil)
	l.run(nil)
	l.up(2)
	frozen := s.Sockets()[0]
	frozen.Freeze()
	s.Set(func(c *slacktest.Settings) { // what goes to the frozen one is lost
		c.Route = func(all []*slacktest.Socket) int { return slices.Index(all, frozen) }
	})
	s.TypeDirect(l.ann, "geheim")
	s.Set(func(c *slacktest.Settings) { c.Route = nil })
	await(t, "another connection", func() bool { return s.Connections() == 3 })
	s.Lapse()
	s.Settle()
	l.stop()
	if l.typed()["geheim"] != 1 || l.seen[0].Attempt != 1 || l.seen[0].Reason != "timeout" {
		t.Errorf("%v", l.typed())
	}
	l.sound()
}

// A connection that does not read takes no acknowledgements: what came by it comes again.
func TestConnectionThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.run(nil)
	l.up(2)
	deaf := s.Sockets()[0]
	s.Set(func(c *slacktest.Settings) {
		c.Route = func(all []*slacktest.Socket) int { return max(slices.Index(all, deaf), 0) }
	})
	deaf.Deafen()
	s.TypeDirect(l.ann, "geheim")
	await(t, "the text", func() bool { return l.typed()["geheim"] == 1 })
	s.Set(func(c *slacktest.Settings) { c.Route = nil })
	deaf.Drop()
	s.Lapse()
	s.Settle()
	l.stop()
	if l.typed()["geheim"] != 2 || l.seen[1].Attempt != 1 || l.seen[0].Event.ID != l.seen[1].Event.ID {
		t.Errorf("%v", l.typed())
	}
	l.sound()
}

// H8: what came by a connection that ended is acknowledged by the other one, in time.
func TestAcknowledgedByTheOther(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	free, release := l.gate()
	l.run(func(context.Context, inbound) { <-free })
	l.up(2)
	first := s.Sockets()[0]
	s.Set(func(c *slacktest.Settings) {
		c.Route = func(all []*slacktest.Socket) int { return max(slices.Index(all, first), 0) }
	})
	result := make(chan slacktest.Result, 1)
	s.TypeDirect(l.ann, "geheim")
	go func() { result <- s.GlobalShortcut(l.ann, "open") }()
	await(t, "both", func() bool { return l.k.health().Waiting == 2 })
	s.FailCode(-1, methodOpen, "internal_error") // the first does not come back
	first.Disconnect("refresh_requested", 0)
	l.up(1)
	release()
	if r := <-result; r.Err != "" {
		t.Errorf("%+v", r)
	}
	s.Settle()
	for _, e := range s.Journal() {
		if e.Kind == slacktest.KindAck && e.Socket == first.N || e.Attempt > 0 {
			t.Errorf("%+v", e)
		}
	}
	l.stop()
	l.sound()
}

// An acknowledgement that could not be written is sent once more, by the other connection.
func TestUnwrittenAcknowledgementIsSentAgain(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.run(nil)
	l.up(2)
	c := l.c.all[0]
	for range 3 {
		c.resend(&socketmode.Response{EnvelopeID: "e-unwritten"})
		c.resend(nil)
	}
	s.Await("it", func() bool { return s.Acked("e-unwritten") })
	l.stop()
	n := 0
	for _, e := range s.Journal() {
		if e.Kind == slacktest.KindAck {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d times", n)
	}
	for n := range maxResent + 10 {
		c.resend(&socketmode.Response{EnvelopeID: fmt.Sprint(n)})
	}
	if len(l.c.resent) > maxResent {
		t.Error("it remembers all")
	}
	l.c.sending.Wait()
}

// A connection that takes no more acknowledgements leaves them to the other one.
func TestFullConnectionLeavesItToTheOther(t *testing.T) {
	t.Parallel()
	l := linkTo(t, slacktest.Start(t, slacktest.Options{}))
	l.c.all[0].open, l.c.all[1].open = true, true
	for n := range 40 { // each has room for twenty
		if err := l.c.all[0].send(fmt.Sprint(n), nil); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		if n == 21 {
			l.c.all[0].open = false // as it is marked when a write fails
		}
	}
	if err := l.c.all[0].send("one more", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// H9: what Slack would drop is refused before it leaves.
func TestLargeAnswerBySocket(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.run(func(_ context.Context, in inbound) {
		text := func(n int) json.RawMessage { return json.RawMessage(`{"text":"` + strings.Repeat("x", n) + `"}`) }
		if err := in.Answer(text(20 << 10)); !errors.Is(err, errLarge) {
			t.Error(err)
		}
		if err := in.Answer(text(maxAnswer - 100)); err != nil {
			t.Error(err)
		}
	})
	l.up(2)
	wing := s.AddChannel(slacktest.Channel{Name: "wing", Members: []string{l.ann, s.Bot()}})
	if r := s.Command(l.ann, wing, "/weerklank help"); r.Err != "" || r.Response == nil || len(r.Response.Text) != maxAnswer-100 {
		t.Error(r.Err)
	}
	l.stop()
	l.sound()
}

// A form that is being kept says so, in time; what comes after is not shown.
func TestSlowHandlerBySocket(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.k.slow = func(in inbound) json.RawMessage {
		if in.Interaction.Type == interactSubmit {
			return json.RawMessage(`{"response_action":"errors","errors":{"b":"wacht"}}`)
		}
		return nil
	}
	free, release := l.gate()
	late := make(chan error, 1)
	l.run(func(_ context.Context, in inbound) {
		if in.Interaction.Type == interactShortcut {
			modal(t, l, in)
			return
		}
		<-free
		late <- in.Answer(json.RawMessage(`{"response_action":"clear"}`))
	})
	l.up(2)
	s.GlobalShortcut(l.ann, "open")
	began := time.Now()
	if r := s.SubmitModal(l.ann, map[string]any{"Tekst": "geheim"}); r.Err != "" || r.Errors["Tekst"] != "wacht" {
		t.Errorf("%+v", r)
	}
	if took := time.Since(began); took < answerWithin-100*time.Millisecond || took > 3*time.Second {
		t.Errorf("after %s", took)
	}
	release()
	if err := <-late; !errors.Is(err, errAnswered) {
		t.Error(err)
	}
	l.stop()
	l.sound()
}

// The second connection is renewed once at half its time, so that both do not end together later. Presses go on meanwhile.
func TestSecondConnectionIsRenewed(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	s.Set(func(c *slacktest.Settings) { c.Lifetime = 4 })
	l := linkTo(t, s)
	l.run(nil)
	l.up(2)
	both := s.Sockets()
	began := time.Now()
	more := time.NewTicker(330 * time.Millisecond)
	defer more.Stop()
	n := 0
	for time.Since(began) < 6*time.Second {
		<-more.C
		n++
		if r := s.GlobalShortcut(l.ann, "open"); r.Err != "" {
			t.Fatalf("%+v after %s", r, time.Since(began))
		}
	}
	if s.Connections() != 3 || n < 15 {
		t.Errorf("%d connections, %d presses", s.Connections(), n)
	}
	if both[0].Open() == both[1].Open() {
		t.Error("both were renewed")
	}
	if apart := l.c.all[1].since.Sub(l.c.all[0].since); apart < 2*time.Second {
		t.Errorf("%s apart", apart)
	}
	l.stop()
	l.sound()
}

// Nothing is under way when a connection is renewed, if there is such a moment.
func TestRenewalWaitsForQuiet(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	s.Set(func(c *slacktest.Settings) { c.Lifetime = 4 })
	l := linkTo(t, s)
	l.run(nil)
	l.up(2)
	await(t, "the renewal", func() bool { return s.Connections() == 3 })
	l.up(2)
	c := l.c.all[1]
	l.c.mu.Lock()
	c.since, c.lifetime, l.c.last = time.Now(), time.Hour, time.Now()
	l.c.mu.Unlock()
	is := func(want bool) {
		t.Helper()
		if again, ok := c.mayRenew(); ok != want || again != renewAgain {
			t.Errorf("%v, or in %s", ok, again)
		}
	}
	set := func(change func()) {
		l.c.mu.Lock()
		defer l.c.mu.Unlock()
		change()
	}
	is(false)
	set(func() { l.c.last = time.Now().Add(-3 * time.Second) })
	is(true)
	set(func() { c.waiting = 1 })
	is(false)
	set(func() { c.waiting, l.c.last = 0, time.Now().Add(-time.Second) })
	is(false)
	set(func() { c.since = time.Now().Add(-50 * time.Minute) })
	is(true)
	set(func() { l.c.all[0].open = false })
	is(false)
	set(func() { c.conn = nil })
	if c.leave() {
		t.Error("it left without a connection")
	}
	l.stop()
}

// Connections that are not ours are seen: what goes to them is lost to us.
func TestOtherConnectionsAreSeen(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	other := linkTo(t, s)
	other.run(nil)
	other.up(2)
	l := linkTo(t, s)
	l.hasten()
	l.run(nil)
	l.up(2)
	if h := l.c.health(); h.Others != 2 {
		t.Errorf("%+v", h)
	}
	if n := strings.Count(l.log.String(), "not ours"); n != 1 {
		t.Errorf("said %d times", n)
	}
	other.stop()
	s.Await("that the server knows", func() bool { return len(s.Sockets()) == 2 })
	s.Sockets()[0].Drop()
	await(t, "that they are gone", func() bool { return l.c.health().Others == 0 })
	l.stop()
}

// A gap without any connection is told when it ends, and things that happened in it come again.
func TestGapIsTold(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.hasten()
	l.run(nil)
	l.up(2)
	<-l.back
	before := time.Now()
	s.Fail(-1, methodOpen, "", slacktest.LostCut())
	for _, k := range s.Sockets() {
		k.Drop()
	}
	l.up(0)
	await(t, "what went wrong", func() bool {
		h := l.c.health().Sockets
		return h[0].LastError+h[1].LastError != ""
	})
	s.TypeDirect(l.ann, "geheim")
	s.NoFaults()
	if since := <-l.back; since.Before(before) || since.After(time.Now()) {
		t.Errorf("since %s", since)
	}
	s.Advance(2 * time.Minute)
	s.Settle()
	l.stop()
	if l.typed()["geheim"] != 1 {
		t.Errorf("%v", l.typed())
	}
	l.sound()
}

// What is being handled when the program stops is ended and acknowledged; nothing new is taken, and comes again later.
func TestStopping(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	begun := make(chan struct{})
	free, release := l.gate()
	l.run(func(ctx context.Context, in inbound) {
		close(begun)
		<-free
		if ctx.Err() != nil {
			t.Error("its context ended")
		}
	})
	l.up(2)
	s.TypeDirect(l.ann, "geheim 1")
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- l.stop() }()
	await(t, "the end of taking", func() bool {
		l.k.mu.RLock()
		defer l.k.mu.RUnlock()
		return l.k.handle == nil
	})
	s.TypeDirect(l.ann, "geheim 2")
	release()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := s.Underway(); n != 1 {
		t.Errorf("%d wait for the next start", n)
	}
	if typed := l.typed(); typed["geheim 1"] != 1 || typed["geheim 2"] != 0 {
		t.Error(typed)
	}
	await(t, "no connection", func() bool { return len(s.Sockets()) == 0 })
	l.sound()
}

// One connection says whether Socket Mode works.
func TestGreet(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	l.hasten()
	w := l.w
	if n, err := w.greet(t.Context()); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	s.Await("the end of it", func() bool { return len(s.Sockets()) == 0 })
	s.FailCode(1, methodOpen, "internal_error")
	if _, err := w.greet(t.Context()); err == nil || errors.Is(err, bot.ErrUnauthorised) || !strings.Contains(err.Error(), "internal_error") {
		t.Error(err)
	}
	for _, code := range []string{"token_revoked", "missing_scope"} {
		s.FailCode(1, methodOpen, code)
		if e, ok := errors.AsType[*signInError](second(w.greet(t.Context()))); !ok || e.Code != code {
			t.Errorf("%s: %v", code, e)
		}
	}
	s.Set(func(c *slacktest.Settings) { c.NoHello = true })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := w.greet(ctx); err == nil {
		t.Error("it works without a hello")
	}
	if n := len(s.Sockets()); n > 1 {
		t.Errorf("%d connections are left", n)
	}
}

func second[A, B any](_ A, b B) B { return b }
