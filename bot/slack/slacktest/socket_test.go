package slacktest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// envelope is what comes by socket.
type envelope struct {
	Type           string `json:"type"`
	ID             string `json:"envelope_id"`
	Reason         string `json:"reason"`
	Attempt        int    `json:"retry_attempt"`
	RetryReason    string `json:"retry_reason"`
	NumConnections int    `json:"num_connections"`
	Payload        struct {
		EventID string `json:"event_id"`
		Event   struct {
			Type, Text string
		}
		Type string
	}
}

// raw is a socket without the library, past hello.
func (w *world) raw() *websocket.Conn {
	w.Helper()
	k, e := w.dial()
	if e.Type != "hello" {
		w.Fatalf("%+v", e)
	}
	return k
}

func (w *world) dial() (*websocket.Conn, envelope) {
	w.Helper()
	_, url, err := w.c.StartSocketModeContext(w.ctx)
	w.ok("apps.connections.open", err)
	k, _, err := websocket.DefaultDialer.DialContext(w.ctx, url, nil)
	w.ok("a socket", err)
	w.Cleanup(func() { _ = k.Close() })
	return k, w.next(k)
}

func (w *world) next(k *websocket.Conn) (e envelope) {
	w.Helper()
	_ = k.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, b, err := k.ReadMessage()
	w.ok("reading", err)
	w.ok("an envelope", json.Unmarshal(b, &e))
	return e
}

func (w *world) ack(k *websocket.Conn, id string) {
	w.Helper()
	w.ok("ack", k.WriteMessage(websocket.TextMessage, []byte(`{"envelope_id":"`+id+`"}`)))
}

func TestRedelivery(t *testing.T) {
	w := build(t, slacktest.Options{})
	w.s.TypeDirect(w.ann, "zonder socket") // at once and once more without a socket
	w.s.Await("the second attempt", func() bool { return w.s.Count(slacktest.KindEnvelope, "message") == 2 })
	k := w.raw()
	w.s.Advance(time.Minute)
	e := w.next(k)
	if e.Attempt != 2 || e.RetryReason != "timeout" || e.Payload.Event.Text != "zonder socket" {
		t.Errorf("%+v", e)
	}
	id := e.Payload.EventID
	w.s.Lapse()
	w.s.Advance(4 * time.Minute)
	if e = w.next(k); e.Attempt != 3 || e.Payload.EventID != id {
		t.Errorf("%+v", e)
	}
	w.ack(k, e.ID)
	w.s.Settle()
	w.ack(k, e.ID) // twice
	w.s.TypeDirect(w.ann, "verloren")
	for i := range 4 {
		if e = w.next(k); e.Attempt != i {
			t.Errorf("%+v", e)
		}
		w.s.Lapse()
		w.s.Advance(5 * time.Minute)
	}
	w.s.Settle()
	w.ack(k, e.ID) // late
	w.ack(k, "e-unknown")
	w.s.Await("the acks", func() bool { return w.s.Acked("e-unknown") })
	var errs []string
	for _, x := range w.s.Journal() {
		if x.Kind == slacktest.KindAck {
			errs = append(errs, x.Err)
		}
	}
	if !slices.Equal(errs, []string{"", "again", "too late", "unknown envelope"}) || w.s.Count(slacktest.KindLost, "message") != 1 {
		t.Errorf("%q", errs)
	}

	// Interactions and commands come once; who waits too long sees an error.
	var wg sync.WaitGroup
	wg.Go(func() {
		if r := w.s.Command(w.ann, w.wing, "/weerklank"); r.Err != "operation_timeout" {
			t.Errorf("%+v", r)
		}
	})
	e = w.next(k)
	w.s.Lapse()
	wg.Wait()
	w.ack(k, e.ID)
	// An answer by another socket counts.
	other := w.raw()
	w.s.Set(func(s *slacktest.Settings) {
		s.Route = func(l []*slacktest.Socket) int {
			return slices.IndexFunc(l, func(x *slacktest.Socket) bool { return x.N == 1 })
		}
	})
	wg.Go(func() {
		if r := w.s.Command(w.ann, w.wing, "/weerklank"); r.Err != "" {
			t.Errorf("%+v", r)
		}
	})
	e = w.next(k)
	w.ok("a large ack", other.WriteMessage(websocket.TextMessage, []byte(`{"envelope_id":"`+e.ID+`","payload":{"text":"`+strings.Repeat("a", 20<<10)+`"}}`)))
	w.ack(other, e.ID)
	wg.Wait()
	if p := w.s.Problems(); len(p) != 1 || !strings.Contains(p[0], "not heard") {
		t.Error(p)
	}
	w.s.Sockets()[0].Drop()
	w.s.Sockets()[0].Drop()
	if r := w.s.GlobalShortcut(w.ann, "x"); r.Err != "dispatch_failed" {
		t.Errorf("%+v", r)
	}
	// Real time.
	w.s.Set(func(s *slacktest.Settings) {
		s.Route, s.AckWithin, s.Redeliver = nil, 30*time.Millisecond, []time.Duration{0, 60 * time.Millisecond}
	})
	k = w.raw()
	w.s.TypeDirect(w.ann, "vanzelf")
	for i := range 3 {
		if e = w.next(k); e.Attempt != i {
			t.Errorf("%+v", e)
		}
	}
	w.s.Settle()
}

func TestSockets(t *testing.T) {
	w := build(t, slacktest.Options{})
	_, url, err := w.c.StartSocketModeContext(w.ctx)
	w.ok("open", err)
	k, _, err := websocket.DefaultDialer.DialContext(w.ctx, url, nil)
	w.ok("dial", err)
	defer func() { _ = k.Close() }()
	_, a, err := websocket.DefaultDialer.DialContext(w.ctx, url, nil)
	if err == nil || a.StatusCode != 403 {
		t.Errorf("a ticket was used twice: %v", err)
	}
	_, url, err = w.c.StartSocketModeContext(w.ctx)
	w.ok("open", err)
	w.s.Advance(time.Minute)
	if _, _, err = websocket.DefaultDialer.DialContext(w.ctx, url, nil); err == nil {
		t.Error("an old ticket was used")
	}
	for i := 2; i <= 10; i++ {
		if _, e := w.dial(); e.Type != "hello" || e.NumConnections != i {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if _, e := w.dial(); e.Type != "disconnect" || e.Reason != "too_many_websockets" {
		t.Errorf("%+v", e)
	}
	if w.s.Opens() != 12 || w.s.Calls("apps.connections.open") != 12 {
		t.Errorf("%d", w.s.Opens())
	}
	w.s.Await("ten sockets", func() bool { return len(w.s.Sockets()) == 10 })
	// Every socket gets its part.
	for range 200 {
		w.s.Envelope("events_api", map[string]any{"type": "event_callback"})
	}
	got := map[int]bool{}
	for _, e := range w.s.Journal() {
		if e.Kind == slacktest.KindEnvelope {
			got[e.Socket] = true
		}
	}
	if len(got) != 10 {
		t.Errorf("%d sockets got anything", len(got))
	}
}

func TestDisconnects(t *testing.T) {
	w := build(t, slacktest.Options{})
	k := w.raw()
	one := w.s.Sockets()[0]
	one.Warn()
	if e := w.next(k); e.Type != "disconnect" || e.Reason != "warning" {
		t.Errorf("%+v", e)
	}
	id := w.s.Envelope("events_api", map[string]any{})
	if e := w.next(k); e.ID != id {
		t.Errorf("%+v", e)
	}
	one.Disconnect("refresh_requested", 10*time.Second)
	if e := w.next(k); e.Reason != "refresh_requested" {
		t.Errorf("%+v", e)
	}
	w.ack(k, id)
	w.s.Await("the ack", func() bool { return w.s.Acked(id) })
	w.s.Advance(10 * time.Second)
	if _, _, err := k.ReadMessage(); err == nil {
		t.Error("open after the time")
	}
	k = w.raw()
	w.s.Sockets()[0].Close(1008, "bye")
	if _, _, err := k.ReadMessage(); !websocket.IsCloseError(err, 1008) {
		t.Errorf("%v", err)
	}
	k = w.raw()
	w.s.Sockets()[0].CutFrame(`{"type":"hello"}`)
	if _, _, err := k.ReadMessage(); err == nil {
		t.Error("a cut frame was read")
	}
	k = w.raw()
	one = w.s.Sockets()[0]
	one.Fragments(`{"type":`, `"events_api",`, `"envelope_id":"e-parts"}`)
	if e := w.next(k); e.ID != "e-parts" {
		t.Errorf("%+v", e)
	}
	one.Binary([]byte{1, 2})
	if op, b, err := k.ReadMessage(); op != websocket.BinaryMessage || len(b) != 2 || err != nil {
		t.Errorf("%d %v %v", op, b, err)
	}
	// Half-open: nothing comes, nothing is heard, and the server thinks that it is there.
	one.Freeze()
	id = w.s.Envelope("events_api", map[string]any{})
	w.ack(k, "e-frozen")
	if len(w.s.Sockets()) != 1 || w.s.Acked("e-frozen") {
		t.Error("a frozen socket is not frozen")
	}
	one.Thaw()
	if e := w.next(k); e.ID != id {
		t.Errorf("%+v", e)
	}
	w.s.Await("what was said", func() bool { return w.s.Acked("e-frozen") })
	one.Deafen()
	id = w.s.Envelope("events_api", map[string]any{})
	if e := w.next(k); e.ID != id {
		t.Errorf("%+v", e)
	}
	w.ack(k, id)
	one.Hear()
	w.s.Await("what was said", func() bool { return w.s.Acked(id) })
	// Pings.
	pings := make(chan string, 10)
	k.SetPingHandler(func(m string) error {
		pings <- m
		return k.WriteControl(websocket.PongMessage, []byte(m), time.Now().Add(time.Second))
	})
	w.s.Advance(10 * time.Second)
	one.Text(`{}`)
	w.next(k)
	if len(pings) != 1 {
		t.Errorf("%d pings", len(pings))
	}
	one.Pings(false)
	w.s.Advance(20 * time.Second)
	one.Text(`{}`)
	w.next(k)
	if len(pings) != 1 {
		t.Errorf("%d pings", len(pings))
	}
	w.s.Await("a pong", func() bool { return w.s.Count(slacktest.KindPong, "") == 1 })
	// hello and at once disconnect.
	w.s.Set(func(s *slacktest.Settings) {
		s.OnHello = func(_ int, k *slacktest.Socket) { k.Disconnect("link_disabled", 0) }
	})
	k = w.raw()
	if e := w.next(k); e.Reason != "link_disabled" {
		t.Errorf("%+v", e)
	}
	w.s.Fail(1, "link", "", slacktest.Broken(502, false))
	_, url, err := w.c.StartSocketModeContext(w.ctx)
	w.ok("open", err)
	if _, a, err := websocket.DefaultDialer.DialContext(w.ctx, url, nil); err == nil || a.StatusCode != 502 {
		t.Errorf("%v", err)
	}
	w.s.FailCode(1, "apps.connections.open", "internal_error")
	_, _, err = w.c.StartSocketModeContext(w.ctx)
	w.is("open", err, "internal_error")
}

func TestEventsInAnyOrder(t *testing.T) {
	w := build(t, slacktest.Options{})
	k := w.raw()
	dm := w.s.Direct(w.ann)
	w.s.Hold()
	ts := w.s.TypeDirect(w.ann, "een")
	w.s.Edit(dm, ts, "twee")
	w.s.Delete(dm, ts)
	w.s.Reorder()
	var events []map[string]any
	read := func() map[string]any {
		_, b, err := k.ReadMessage()
		w.ok("read", err)
		var e struct {
			ID      string         `json:"envelope_id"`
			Payload map[string]any `json:"payload"`
		}
		w.ok("json", json.Unmarshal(b, &e))
		w.ack(k, e.ID)
		return e.Payload
	}
	for range 3 {
		events = append(events, read()["event"].(map[string]any))
	}
	if events[0]["deleted_ts"] != ts || events[1]["subtype"] != "message_changed" || events[1]["message"].(map[string]any)["text"] != "twee" || events[2]["text"] != "een" {
		t.Errorf("%v", events)
	}
	if events[2]["client_msg_id"] == nil || events[2]["channel_type"] != "im" || events[2]["blocks"] == nil || events[1]["user"] != nil || events[1]["text"] != nil {
		t.Errorf("%v", events)
	}
	w.s.TypeDirect(w.ann, "nog een")
	first := read()
	w.s.Repeat(false)
	w.s.Repeat(true)
	again, other := read(), read()
	if first["event_id"] != again["event_id"] || first["event_id"] == other["event_id"] || fmt.Sprint(first["event"]) != fmt.Sprint(other["event"]) {
		t.Errorf("%v %v %v", first, again, other)
	}
	w.s.SendFiles(w.ann, dm, "", slacktest.File{Name: "stem.webm", Mime: "audio/webm", Data: []byte("a"), Audio: true})
	e := read()["event"].(map[string]any)
	if e["subtype"] != "file_share" || e["files"].([]any)[0].(map[string]any)["subtype"] != "slack_audio" {
		t.Errorf("%v", e)
	}
	_, _, err := w.c.PostMessageContext(w.ctx, dm, slack.MsgOptionText("echo", false))
	w.ok("post", err)
	if e := read()["event"].(map[string]any); e["bot_id"] != w.s.BotID() || e["user"] != w.s.Bot() {
		t.Errorf("%v", e)
	}
	w.s.Join(w.wing, w.s.AddUser(slacktest.User{Name: "cas"}))
	w.s.ChangeID(w.wing)
	w.s.Share(w.dark)
	w.s.Archive(w.dark)
	w.s.Leave(w.dark, w.s.Bot())
	w.s.OpenHome(w.ann, "messages")
	w.s.RateLimitEvents()
	w.s.Uninstall()
	var kinds []string
	for range 9 + 1 {
		p := read()
		in, _ := p["event"].(map[string]any)
		kinds = append(kinds, fmt.Sprint(p["type"], ":", in["type"]))
	}
	want := "event_callback:member_joined_channel event_callback:channel_id_changed event_callback:channel_shared event_callback:group_archive " +
		"event_callback:member_left_channel event_callback:group_left event_callback:app_home_opened app_rate_limited:<nil> event_callback:tokens_revoked event_callback:app_uninstalled"
	if s := strings.Join(kinds, " "); s != want {
		t.Errorf("%s", s)
	}
	w.s.Burst(w.ann, 1000)
	for range 1000 {
		read()
	}
	w.s.Settle()
}

// The library survives what the server can do to a socket, or it does what is known of it.
func TestLibraryAgainstGarbage(t *testing.T) {
	w := build(t, slacktest.Options{})
	bad := make(chan struct{}, 10000)
	w.bot(func(evt *socketmode.Event, ack func(any)) {
		switch {
		case evt.Type == socketmode.EventTypeErrorBadMessage:
			bad <- struct{}{}
			var e struct {
				ID string `json:"envelope_id"`
			}
			if json.Unmarshal(evt.Data.(*socketmode.ErrorBadMessage).Message, &e) == nil && e.ID != "" {
				evt.Request = &socketmode.Request{EnvelopeID: e.ID}
				ack(nil)
			}
		case evt.Request != nil && evt.Request.EnvelopeID != "":
			ack(nil)
		}
	})
	for _, g := range slacktest.Garbage() {
		w.s.Await("a socket", func() bool { return len(w.s.Sockets()) > 0 })
		w.s.Sockets()[0].Text(g)
	}
	w.s.Await("the last of it", func() bool { return w.s.Acked("e-long") })
	w.s.Await("a socket", func() bool { return len(w.s.Sockets()) > 0 })
	counted := 0
	for _, o := range w.s.Odds(w.ann) {
		if err := w.s.SendOdd(o); err != "" {
			t.Errorf("%s: %s", o.Name, err)
		}
		w.s.Settle()
		if o.Counts != "" {
			counted++
		}
	}
	if len(bad) < 20 || counted < 10 {
		t.Errorf("%d were odd, %d count", len(bad), counted)
	}
	n := w.s.Connections()
	w.s.Sockets()[0].Text(slacktest.Huge())
	w.s.Await("another socket, or none needed", func() bool { return w.s.Connections() > n || len(w.s.Sockets()) > 0 })
}
