package slacktest_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// post calls a method without a client library.
func (w *world) post(method, contentType, token, body string) (*http.Response, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.s.URL()+method, strings.NewReader(body))
	w.ok(method, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	h := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := h.Do(r)
	w.ok(method, err)
	b, err := io.ReadAll(a.Body)
	w.ok(method, err)
	_ = a.Body.Close()
	return a, string(b)
}

func TestArgumentsAndTokens(t *testing.T) {
	w := build(t, slacktest.Options{})
	const form, js = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
	bot, app := w.s.BotToken(), w.s.AppToken()
	for _, c := range []struct{ name, method, kind, token, body, want string }{
		{"an unknown method", "chat.sing", form, bot, "", `"error":"unknown_method"`},
		{"no token", "auth.test", form, "", "", `"error":"not_authed"`},
		{"a wrong token", "auth.test", form, "xoxb-nothing", "", `"error":"invalid_auth"`},
		{"the token in the form", "auth.test", form, "", "token=" + bot, `"ok":true`},
		{"a token in JSON", "auth.test", js, "", `{"token":"` + bot + `"}`, `"error":"not_authed"`},
		{"the app token for the bot's", "auth.test", form, app, "", `"error":"not_allowed_token_type"`},
		{"the bot token for the app's", "apps.connections.open", form, bot, "", `"error":"not_allowed_token_type"`},
		{"a missing argument", "users.info", form, bot, "", "missing required field: user"},
		{"an unknown argument", "users.info", form, bot, "user=" + w.ann + "&usr=1", "unknown field: usr"},
		{"JSON where a form belongs", "users.info", js, bot, `{"user":"` + w.ann + `"}`, "missing required field: user"},
		{"JSON", "chat.postMessage", js, bot, `{"channel":"` + w.wing + `","text":"hoi"}`, `"ok":true`},
		{"JSON without a charset", "chat.postMessage", "application/json", bot, `{"channel":"` + w.wing + `","text":"hoi"}`, `"warning":"missing_charset"`},
		{"broken JSON", "chat.postMessage", js, bot, `{"channel"`, `"error":"invalid_json"`},
		{"JSON that is a list", "chat.postMessage", js, bot, `[]`, `"error":"json_not_object"`},
		{"another type", "chat.postMessage", "text/plain", bot, `x`, `"error":"invalid_post_type"`},
		{"no type", "chat.postMessage", "", bot, `x`, `"error":"missing_post_type"`},
		{"somebody's name", "chat.postMessage", form, bot, "channel=" + w.wing + "&text=x&username=chef", `"needed":"chat:write.customize"`},
	} {
		a, body := w.post(c.method, c.kind, c.token, c.body)
		if a.StatusCode != 200 || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.name, a.StatusCode, body)
		}
		if a.Header.Get("Date") == "" || strings.Contains(body, `"ok":true`) && a.Header.Get("X-OAuth-Scopes") != strings.Join(slacktest.DefaultScopes(), ",") {
			t.Errorf("%s: %v", c.name, a.Header)
		}
	}
	w.s.Skew(time.Hour)
	a, _ := w.post("auth.test", form, bot, "")
	if at, err := http.ParseTime(a.Header.Get("Date")); err != nil || time.Until(at) < 50*time.Minute {
		t.Errorf("%v %v", at, err)
	}
	for _, code := range []string{"token_revoked", "token_expired", "account_inactive"} {
		w.s.RevokeToken(false, code)
		_, err := w.c.AuthTestContext(w.ctx)
		w.is("a token that ended", err, code)
	}
	w.s.RevokeToken(false, "")
	w.s.SetScopes(false, "chat:write")
	_, err := w.c.GetUserInfoContext(w.ctx, w.ann)
	w.is("a scope", err, "missing_scope")
	if n := len(w.s.Leaks(bot, nil)); n > 0 {
		t.Errorf("%d entries hold the token", n)
	}
}

func TestFaults(t *testing.T) {
	w := build(t, slacktest.Options{})
	post := func(channel string) error {
		_, _, err := w.c.PostMessageContext(w.ctx, channel, slack.MsgOptionText("x", false))
		return err
	}
	there := func() int { return len(w.s.Channel(w.wing)) }
	for _, c := range []struct {
		name     string
		f        slacktest.Fault
		executed int
		is       func(error) bool
	}{
		{"cut before reading", slacktest.UnreadCut(), 0, func(e error) bool { return e != nil }},
		{"cut before executing", slacktest.LostCut(), 0, func(e error) bool { return errors.Is(e, io.EOF) }},
		{"cut after executing", slacktest.DoneCut(), 1, func(e error) bool { return errors.Is(e, io.EOF) }},
		{"cut in the answer", slacktest.DoneHalf(), 1, func(e error) bool { return errors.Is(e, io.ErrUnexpectedEOF) }},
		{"a 503", slacktest.Broken(503, false), 0, func(e error) bool { var s slack.StatusCodeError; return errors.As(e, &s) && s.Code == 503 }},
		{"a 500 after executing", slacktest.Broken(500, true), 1, func(e error) bool { var s slack.StatusCodeError; return errors.As(e, &s) }},
		{"HTML", slacktest.Page(200), 0, func(e error) bool { return e != nil }},
		{"a limit", slacktest.Limited("7"), 0, func(e error) bool {
			var l *slack.RateLimitedError
			return errors.As(e, &l) && l.RetryAfter == 7*time.Second
		}},
		{"a limit that says nothing", slacktest.Limited(""), 0, func(e error) bool { var s slack.StatusCodeError; return errors.As(e, &s) && s.Code == 429 }},
		{"a code", slacktest.Code("fatal_error"), 0, func(e error) bool { return e != nil && e.Error() == "fatal_error" }},
		{"a code after executing", slacktest.DoneCode("internal_error"), 1, func(e error) bool { return e != nil && e.Error() == "internal_error" }},
	} {
		before := there()
		hits := w.s.Fail(1, "chat.postMessage", "", c.f)
		if err := post(w.wing); !c.is(err) || there()-before != c.executed || hits() != 1 {
			t.Errorf("%s: %v, %d, %d", c.name, err, there()-before, hits())
		}
		w.ok("the next one", post(w.wing))
	}
	w.s.Fail(-1, "", w.dark, slacktest.Code("restricted_action"))
	for range 3 {
		w.is("one channel", post(w.dark), "restricted_action")
		w.ok("another", post(w.wing))
	}
	w.s.NoFaults()
	w.ok("no faults", post(w.dark))
	w.s.Fault(func(r slacktest.Request) *slacktest.Fault {
		if f := slacktest.DoneHang(); r.Method == "chat.postMessage" && strings.Contains(r.Args, "hang") {
			return &f
		}
		return nil
	})
	h := &http.Client{Transport: &http.Transport{}, Timeout: 50 * time.Millisecond}
	defer h.CloseIdleConnections()
	_, err := h.PostForm(w.s.URL()+"chat.postMessage", url.Values{"token": {w.s.BotToken()}, "channel": {w.wing}, "text": {"hang"}})
	var late interface{ Timeout() bool }
	if !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("%v", err)
	}
	w.s.Fault(nil)
	w.s.Set(func(s *slacktest.Settings) { s.PostEvery = time.Hour })
	w.ok("the first", post(w.wing))
	var l *slack.RateLimitedError
	if err := post(w.wing); !errors.As(err, &l) {
		t.Errorf("%v", err)
	}
	w.ok("elsewhere", post(w.dark))
	w.s.Stop()
	if err := post(w.wing); err == nil {
		t.Error("a server that stopped answers")
	}
	w.s.Resume()
	w.s.Set(func(s *slacktest.Settings) { s.PostEvery = 0 })
	w.ok("again", post(w.wing))
}

func TestPostingErrors(t *testing.T) {
	w := build(t, slacktest.Options{})
	post := func(o ...slack.MsgOption) error {
		_, _, err := w.c.PostMessageContext(w.ctx, w.wing, o...)
		return err
	}
	long := strings.Repeat("a", 2900)
	var many []slack.Block
	for range 5 {
		many = append(many, slack.NewSectionBlock(plain(long), nil, nil))
	}
	w.is("too much text", post(slack.MsgOptionText("x", false), slack.MsgOptionBlocks(many...)), "msg_blocks_too_long")
	w.is("bad blocks", post(slack.MsgOptionText("x", false), slack.MsgOptionBlocks(slack.NewHeaderBlock(plain(long)))), "invalid_blocks")
	err := post(slack.MsgOptionBlocks(slack.NewHeaderBlock(plain(long))))
	var e slack.SlackErrorResponse
	if !errors.As(err, &e) || len(e.ResponseMetadata.Messages) != 1 || !strings.Contains(e.ResponseMetadata.Messages[0], "[json-pointer:/blocks/0/text/text]") {
		t.Errorf("%+v", e)
	}
	w.is("no thread", post(slack.MsgOptionText("x", false), slack.MsgOptionTS("1.000001")), "thread_not_found")
	w.is("half metadata", post(slack.MsgOptionText("x", false), slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "prompt"})), "invalid_metadata_format")
	w.ok("metadata", post(slack.MsgOptionText("x", false), slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "prompt", EventPayload: map[string]any{"id": "p1"}})))
	w.ok("a text that is cut", post(slack.MsgOptionText(strings.Repeat("é", 50000), false)))
	if l := w.s.Channel(w.wing); len([]rune(l[len(l)-1].Text)) != 40000 {
		t.Errorf("%d", len(l[len(l)-1].Text))
	}
	_, ts, err := w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionText("x", false))
	w.ok("post", err)
	_, _, _, err = w.c.UpdateMessageContext(w.ctx, w.wing, ts, slack.MsgOptionText(strings.Repeat("a", 4001), false))
	w.is("an update that is too long", err, "msg_too_long")
	w.s.Set(func(s *slacktest.Settings) { s.MessagesOff, s.MessageLimit = true, true })
	_, _, err = w.c.PostMessageContext(w.ctx, w.s.Direct(w.ann), slack.MsgOptionText("x", false))
	w.is("no messages tab", err, "messages_tab_disabled")
	w.is("a full workspace", post(slack.MsgOptionText("x", false)), "message_limit_exceeded")
	w.s.DeleteChannel(w.wing)
	w.is("a deleted channel", post(slack.MsgOptionText("x", false)), "channel_not_found")
}

func TestUploads(t *testing.T) {
	w := build(t, slacktest.Options{})
	up := func(size int) error {
		_, err := w.c.UploadFileContext(w.ctx, slack.UploadFileParameters{
			Channel: w.wing, Filename: "seizoen.png", FileSize: size, Reader: strings.NewReader("picture"), Title: "Het seizoen", InitialComment: "Kijk", AltTxt: "Een grafiek",
		})
		return err
	}
	w.ok("an upload", up(7))
	l := w.s.Channel(w.wing)
	if len(l) != 1 || l[0].Files[0].Name != "seizoen.png" || string(l[0].Files[0].Data) != "picture" || l[0].Text != "Kijk" {
		t.Errorf("%+v", l)
	}
	if err := up(9); err == nil {
		t.Error("another length passed")
	}
	w.s.Fail(1, "upload", "", slacktest.Broken(500, false))
	if err := up(7); err == nil {
		t.Error("a fault passed")
	}
	w.s.Archive(w.wing)
	w.is("an archived channel", up(7), "is_archived")
}

func TestViews(t *testing.T) {
	w := build(t, slacktest.Options{})
	trigger := func() string { return w.trigger() }
	id := trigger()
	v, err := w.c.OpenViewContext(w.ctx, id, form("Een"))
	w.ok("views.open", err)
	_, err = w.c.OpenViewContext(w.ctx, id, form("Twee"))
	w.is("twice", err, "exchanged_trigger_id")
	_, err = w.c.OpenViewContext(w.ctx, "1.2.x", form("Twee"))
	w.is("never", err, "invalid_trigger_id")
	id = trigger()
	w.s.Advance(4 * time.Second)
	_, err = w.c.OpenViewContext(w.ctx, id, form("Twee"))
	w.is("late", err, "expired_trigger_id")
	bad := form("Een titel die langer is dan mag")
	_, err = w.c.OpenViewContext(w.ctx, trigger(), bad)
	w.is("a long title", err, "invalid_arguments")

	w.s.Fill(w.ann, map[string]any{"Jouw reactie": "half af", "b-share": "quote"})
	next := form("Nog eens")
	u, err := w.c.UpdateViewContext(w.ctx, next, "", v.Hash, v.View.ID)
	w.ok("views.update", err)
	if u.State.Values["b-text"]["text"].Value != "half af" || u.State.Values["b-share"]["share"].SelectedOption.Value != "quote" {
		t.Errorf("%+v", u.State)
	}
	_, err = w.c.UpdateViewContext(w.ctx, next, "", v.Hash, v.View.ID)
	w.is("an old hash", err, "hash_conflict")
	_, err = w.c.UpdateViewContext(w.ctx, next, "", "", "V0NOTHING0")
	w.is("no view", err, "not_found")
	next.ExternalID = "one"
	_, err = w.c.UpdateViewContext(w.ctx, next, "", "", v.View.ID)
	w.ok("an external id", err)
	_, err = w.c.UpdateViewContext(w.ctx, form("Via naam"), "one", "", "")
	w.ok("by external id", err)
	if m := w.s.Modal(w.ann); m.Title != "Via naam" || m.ID != v.View.ID {
		t.Errorf("%+v", m)
	}
	big := form("Groot")
	for range 95 {
		big.Blocks.BlockSet = append(big.Blocks.BlockSet, slack.NewSectionBlock(plain(strings.Repeat("a", 2900)), nil, nil))
	}
	_, err = w.c.UpdateViewContext(w.ctx, big, "", "", v.View.ID)
	w.is("250 kB", err, "view_too_large")

	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: prompt()}}
	h, err := w.c.PublishViewContext(w.ctx, slack.PublishViewContextRequest{UserID: w.ann, View: home})
	w.ok("views.publish", err)
	old := h.Hash
	_, err = w.c.PublishViewContext(w.ctx, slack.PublishViewContextRequest{UserID: w.ann, View: home, Hash: &old})
	w.ok("with a hash", err)
	_, err = w.c.PublishViewContext(w.ctx, slack.PublishViewContextRequest{UserID: w.ann, View: home, Hash: &old})
	w.is("with an old hash", err, "hash_conflict")
	if got := slacktest.Labels(*w.s.Home(w.ann)); len(got) != 1 || got[0] != "Reageer" || w.s.Home(w.ben) != nil {
		t.Errorf("%v", got)
	}
	w.s.Set(func(s *slacktest.Settings) { s.HomeOff = true })
	_, err = w.c.PublishViewContext(w.ctx, slack.PublishViewContextRequest{UserID: w.ann, View: home})
	w.is("no Home", err, "not_enabled")
	w.s.CloseModal(w.ann)
	_, err = w.c.UpdateViewContext(w.ctx, next, "", "", v.View.ID)
	w.is("a closed view", err, "not_found")
	shown, accepted := w.s.AllShown(), 0
	for _, x := range shown {
		if x.Accepted {
			accepted++
		}
	}
	if len(shown) != 16 || accepted != 6 {
		t.Errorf("%d shown, %d accepted", len(shown), accepted)
	}
}

// trigger is a fresh trigger of Ann's: a shortcut that nobody answers.
func (w *world) trigger() string {
	w.Helper()
	before := len(w.s.Journal())
	w.s.GlobalShortcut(w.ann, "open")
	for _, e := range w.s.Journal()[before:] {
		if _, rest, ok := strings.Cut(e.Body, `"trigger_id":"`); ok {
			id, _, _ := strings.Cut(rest, `"`)
			return id
		}
	}
	w.Fatal("no trigger")
	return ""
}

// Whatever a bot sends is answered.
func TestOddArguments(t *testing.T) {
	w := build(t, slacktest.Options{})
	w.s.SetScopes(false, append(slacktest.DefaultScopes(), "im:read", "channels:history", "groups:history")...)
	ts := w.s.Type(w.ann, w.wing, "hoi")
	for method, args := range map[string][]string{
		"chat.postMessage": {"channel", "text", "blocks", "attachments", "thread_ts", "metadata"}, "chat.update": {"channel", "ts", "text", "blocks"},
		"chat.delete": {"channel", "ts"}, "chat.postEphemeral": {"channel", "user", "text", "blocks"}, "views.open": {"trigger_id", "view"},
		"views.push": {"trigger_id", "view"}, "views.update": {"view_id", "hash", "view"}, "views.publish": {"user_id", "view", "hash"},
		"conversations.open": {"users", "channel", "return_im"}, "files.completeUploadExternal": {"files", "channel_id"}, "blocks.validate": {"view"},
		"apps.connections.open": {"x"}, "auth.test": {"x"},
	} {
		good := map[string]string{"channel": `"` + w.wing + `"`, "ts": `"` + ts + `"`, "user": `"` + w.ann + `"`, "user_id": `"` + w.ann + `"`, "text": `"x"`}
		for _, odd := range []string{`7`, `-1.5`, `true`, `null`, `[]`, `{}`, `[null]`, `[[7]]`, `{"type":7}`, `"["`, `"\u0000"`, `{"type":"modal","blocks":7}`, `{"type":"home","blocks":[{}]}`} {
			for _, at := range args {
				var parts []string
				for _, a := range args {
					v := good[a]
					if a == at {
						v = odd
					}
					if v != "" {
						parts = append(parts, `"`+a+`":`+v)
					}
				}
				a, body := w.post(method, "application/json; charset=utf-8", w.s.BotToken(), "{"+strings.Join(parts, ",")+"}")
				if a.StatusCode != 200 || !strings.Contains(body, `"ok":`) {
					t.Errorf("%s %s: %d %s", method, parts, a.StatusCode, body)
				}
			}
		}
	}
	for _, method := range []string{"users.info", "users.list", "conversations.list", "conversations.info", "conversations.members", "conversations.history", "conversations.replies", "users.conversations"} {
		for _, odd := range []string{"limit=x", "limit=-1", "limit=9999", "cursor=x", "cursor=bmV4dDo99=", "oldest=x", "latest=-", "types=x", "user=x", "channel=x", "ts=x"} {
			body := url.Values{"channel": {w.wing}, "ts": {ts}, "user": {w.ann}}
			name, v, _ := strings.Cut(odd, "=")
			body.Set(name, v)
			for _, n := range []string{"channel", "ts", "user"} {
				if n != name && (strings.HasPrefix(method, "users") == (n != "user") || n == "ts" && method != "conversations.replies" || strings.HasSuffix(method, ".list")) {
					body.Del(n)
				}
			}
			a, got := w.post(method, "application/x-www-form-urlencoded", w.s.BotToken(), body.Encode())
			if a.StatusCode != 200 || !strings.Contains(got, `"ok":false`) {
				t.Errorf("%s %s: %d %s", method, body, a.StatusCode, got)
			}
		}
	}
}
