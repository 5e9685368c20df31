package mattermosttest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

// world is a server with a bot, people and a channel, and the real client library on it.
type world struct {
	*testing.T
	s           *mattermosttest.Server
	version     mattermosttest.Version
	ctx         context.Context
	bot, token  string
	ann, ben    string
	team, chan1 string
	c, annAPI   *model.Client4
}

func each(t *testing.T, f func(w *world)) {
	for _, v := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			f(build(t, v))
		})
	}
}

func build(t *testing.T, v mattermosttest.Version) *world {
	w := &world{T: t, s: mattermosttest.New(t, v), version: v}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	w.ctx = ctx
	w.bot, w.token = w.s.AddBot("weerklank")
	w.ann = w.s.AddUser(mattermosttest.User{Name: "ann", Locale: "nl", Zone: "Europe/Amsterdam"})
	w.ben = w.s.AddUser(mattermosttest.User{Name: "ben"})
	w.team = w.s.AddTeam("care", w.bot, w.ann, w.ben)
	w.chan1 = w.s.AddChannel(w.team, "wing", w.bot, w.ann, w.ben)
	w.c = w.client(w.token)
	w.annAPI = w.client(w.s.Token(w.ann))
	return w
}

func (w *world) client(token string) *model.Client4 {
	c := model.NewAPIv4Client(w.s.URL())
	c.HTTPClient = &http.Client{Transport: &http.Transport{}}
	c.SetToken(token)
	w.Cleanup(c.HTTPClient.CloseIdleConnections)
	return c
}

// is fails unless the call had this status and error id.
func (w *world) is(what string, r *model.Response, err error, status int, id string) {
	w.Helper()
	if r == nil {
		w.Fatalf("%s: %v", what, err)
	}
	if r.StatusCode != status {
		w.Fatalf("%s: status %d, not %d: %v", what, r.StatusCode, status, err)
	}
	if status < 300 {
		if err != nil {
			w.Fatalf("%s: %v", what, err)
		}
		return
	}
	if e, ok := err.(*model.AppError); id != "" && (!ok || e.Id != id) {
		w.Fatalf("%s: %v, not %s", what, err, id)
	}
}

func (w *world) post(message string) *model.Post {
	w.Helper()
	p, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: message})
	w.is("post", r, err, 201, "")
	return p
}

// socket is the real websocket client, past hello.
func (w *world) socket(token string) *model.WebSocketClient {
	w.Helper()
	k, err := model.NewWebSocketClient4(strings.Replace(w.s.URL(), "http", "ws", 1), token)
	if err != nil {
		w.Fatal(err)
	}
	k.Listen()
	w.Cleanup(func() { _ = k.Conn.Close() }) // Close itself races with an incoming ping
	go func() {
		for range k.ResponseChannel {
		}
	}()
	return k
}

func (w *world) next(k *model.WebSocketClient, event model.WebsocketEventType) *model.WebSocketEvent {
	w.Helper()
	for {
		select {
		case e, ok := <-k.EventChannel:
			if !ok {
				w.Fatalf("closed, waiting for %s: %v", event, k.ListenError)
			}
			if e.EventType() == event {
				return e
			}
		case <-w.ctx.Done():
			w.Fatalf("no %s", event)
		}
	}
}

func inner(t testing.TB, e *model.WebSocketEvent) *model.Post {
	t.Helper()
	var p model.Post
	if err := json.Unmarshal([]byte(e.GetData()["post"].(string)), &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func TestPeopleAndChannels(t *testing.T) {
	each(t, func(w *world) {
		me, r, err := w.c.GetMe(w.ctx, "")
		w.is("me", r, err, 200, "")
		if me.Id != w.bot || !me.IsBot || me.Roles != "system_user" {
			w.Errorf("me: %+v", me)
		}
		if !strings.HasPrefix(r.ServerVersion, w.version.String()) || r.Header.Get("Date") == "" {
			w.Errorf("version %q, date %q", r.ServerVersion, r.Header.Get("Date"))
		}
		ann, _, _ := w.c.GetUser(w.ctx, w.ann, "")
		if ann.GetPreferredTimezone() != "Europe/Amsterdam" || ann.Locale != "nl" || ann.IsBot {
			w.Errorf("ann: %+v", ann)
		}
		ben, _, _ := w.c.GetUserByUsername(w.ctx, "ben", "")
		if ben.Id != w.ben || ben.GetPreferredTimezone() != "" {
			w.Errorf("ben: %+v", ben)
		}
		in, _, _ := w.c.GetUsersInChannel(w.ctx, w.chan1, 0, 200, "")
		if len(in) != 3 || in[0].Username != "ann" {
			w.Errorf("in the channel: %d", len(in))
		}
		byID, _, _ := w.c.GetUsersByIds(w.ctx, []string{w.ann, w.ben})
		teams, _, _ := w.c.GetTeamsForUser(w.ctx, w.bot, "")
		if len(byID) != 2 || len(teams) != 1 || teams[0].Id != w.team {
			w.Errorf("%d users, %d teams", len(byID), len(teams))
		}
		if m, _, _ := w.c.GetChannelMember(w.ctx, w.chan1, w.ann, ""); m == nil || m.SchemeAdmin {
			w.Errorf("member: %+v", m)
		}
		w.s.SetChannelAdmin(w.chan1, w.ann, true)
		w.s.SetTeamAdmin(w.team, w.ben, true)
		if m, _, _ := w.c.GetChannelMember(w.ctx, w.chan1, w.ann, ""); m == nil || !m.SchemeAdmin {
			w.Errorf("member: %+v", m)
		}
		if m, _, _ := w.c.GetTeamMember(w.ctx, w.team, w.ben, ""); m == nil || !m.SchemeAdmin {
			w.Errorf("team member: %+v", m)
		}
		w.s.Leave(w.chan1, w.ben)
		_, r, err = w.c.GetChannelMember(w.ctx, w.chan1, w.ben, "")
		w.is("gone member", r, err, 404, "app.channel.get_member.missing.app_error")

		d1, r, err := w.c.CreateDirectChannel(w.ctx, w.bot, w.ann)
		w.is("direct", r, err, 201, "")
		d2, _, _ := w.c.CreateDirectChannel(w.ctx, w.ann, w.bot)
		if d1.Id != d2.Id || d1.Type != model.ChannelTypeDirect || d1.TeamId != "" {
			w.Errorf("direct: %+v %+v", d1, d2)
		}
		_, r, err = w.c.CreateDirectChannel(w.ctx, w.ben, w.ann)
		w.is("a foreign direct channel", r, err, 403, "")
		all, _, err := w.c.GetChannelsForUserWithLastDeleteAt(w.ctx, w.bot, 0)
		if err != nil || len(all) != 2 {
			w.Errorf("channels: %d %v", len(all), err)
		}
		w.s.Archive(w.chan1)
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: "x"})
		w.is("archived", r, err, 400, "api.post.create_post.can_not_post_to_deleted.error")
		w.s.Restore(w.chan1)
		w.post("x")
		w.s.Leave(w.chan1, w.bot)
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: "x"})
		w.is("removed", r, err, 403, "")
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: model.NewId(), Message: "x"})
		w.is("unknown", r, err, 403, "")
	})
}

func TestPosts(t *testing.T) {
	each(t, func(w *world) {
		p, r, err := w.c.CreatePost(w.ctx, &model.Post{
			ChannelId: w.chan1, Message: "hello", CreateAt: 5, PendingPostId: w.bot + ":1", Props: model.StringInterface{"key": "opaque"},
		})
		w.is("create", r, err, 201, "")
		if p.CreateAt == 5 || p.Props["key"] != "opaque" || p.Props["from_bot"] != "true" || p.PendingPostId != w.bot+":1" {
			w.Errorf("created: %+v", p)
		}
		same, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: "other", PendingPostId: w.bot + ":1"})
		w.is("again", r, err, 201, "")
		if same.Id != p.Id || same.Message != "hello" {
			w.Errorf("again: %+v", same)
		}
		w.s.Advance(31 * time.Second)
		other, _, _ := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: "other", PendingPostId: w.bot + ":1"})
		if other.Id == p.Id {
			w.Error("the pending id lives too long")
		}
		edited, r, err := w.c.PatchPost(w.ctx, p.Id, &model.PostPatch{Message: new("bye")})
		w.is("patch", r, err, 200, "")
		if edited.Message != "bye" || edited.EditAt == 0 || edited.UpdateAt <= p.UpdateAt || edited.Props["key"] != "opaque" {
			w.Errorf("edited: %+v", edited)
		}
		reply, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, RootId: p.Id, Message: "reply"})
		w.is("reply", r, err, 201, "")
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, RootId: reply.Id, Message: "reply"})
		w.is("not a root", r, err, 400, "api.post.create_post.root_id.app_error")
		dm := w.s.Direct(w.bot, w.ann)
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: dm, RootId: p.Id, Message: "reply"})
		w.is("another channel", r, err, 400, "")

		id := map[mattermosttest.Version]string{
			mattermosttest.V9: "model.post.is_valid.msg.app_error", mattermosttest.V11: "model.post.is_valid.message_length.app_error",
		}[w.version]
		w.post(strings.Repeat("ë", 16383))
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: strings.Repeat("ë", 16384)})
		w.is("too long", r, err, 400, id)

		r, err = w.c.DeletePost(w.ctx, p.Id)
		w.is("delete", r, err, 200, "")
		_, r, err = w.c.GetPost(w.ctx, p.Id, "")
		w.is("get deleted", r, err, 404, "")
		_, r, err = w.c.GetPost(w.ctx, reply.Id, "")
		w.is("the reply goes with it", r, err, 404, "")
		theirs := w.s.DM(w.ann, "mine")
		_, r, err = w.c.PatchPost(w.ctx, theirs, &model.PostPatch{Message: new("x")})
		w.is("edit of another", r, err, 403, "")
		r, err = w.c.DeletePost(w.ctx, theirs)
		w.is("delete of another", r, err, 403, "")
		_, r, err = w.c.CreatePostEphemeral(w.ctx, &model.PostEphemeral{UserID: w.ann, Post: &model.Post{ChannelId: w.chan1, Message: "x"}})
		w.is("ephemeral", r, err, 403, "")
	})
}

func TestSince(t *testing.T) {
	each(t, func(w *world) {
		dm := w.s.Direct(w.bot, w.ann)
		first := w.s.DM(w.ann, "one")
		second := w.s.DM(w.ann, "two")
		before, _, _ := w.c.GetPost(w.ctx, second, "")
		w.s.Advance(10 * time.Millisecond)
		last := func() int64 {
			all, _, _ := w.c.GetChannelsForUserWithLastDeleteAt(w.ctx, w.bot, 0)
			for _, c := range all {
				if c.Id == dm {
					return c.LastPostAt
				}
			}
			return 0
		}
		at := last()
		w.s.Edit(first, "one, better")
		w.s.Delete(second)
		if last() != at {
			w.Error("last_post_at moved")
		}
		list, r, err := w.c.GetPostsSince(w.ctx, dm, before.UpdateAt, false)
		w.is("since", r, err, 200, "")
		var history, live, gone int
		for _, p := range list.Posts {
			switch {
			case p.OriginalId != "":
				history++
			case p.DeleteAt > 0:
				gone++
				if p.Message != "" || p.Id != second {
					w.Errorf("deleted: %+v", p)
				}
			default:
				live++
				if p.Message != "one, better" {
					w.Errorf("edited: %+v", p)
				}
			}
		}
		if history != 1 || gone != 1 || live != 1 {
			w.Errorf("history %d, gone %d, live %d", history, gone, live)
		}
		newest := int64(0)
		for _, p := range list.Posts {
			newest = max(newest, p.UpdateAt)
		}
		if list, _, _ = w.c.GetPostsSince(w.ctx, dm, newest, false); len(list.Posts) != 0 {
			w.Error("since is not strict")
		}
		w.s.Burst(w.ann, dm, 1050)
		list, _, _ = w.c.GetPostsSince(w.ctx, dm, 1, false)
		if len(list.Order) != 1000 {
			w.Errorf("%d at the cap", len(list.Order))
		}
		seen, after := map[string]bool{}, first
		for page := 0; ; page++ {
			list, r, err = w.c.GetPostsAfter(w.ctx, dm, after, page, 500, "", false, false)
			w.is("after", r, err, 200, "")
			for _, id := range list.Order {
				seen[id] = true
			}
			if len(list.Order) < 200 {
				break
			}
		}
		if len(seen) != 1050 {
			w.Errorf("%d by pages", len(seen))
		}
		_, r, err = w.c.GetPostsAfter(w.ctx, dm, after, 0, 200, "", false, true)
		w.is("include_deleted", r, err, 403, "")
	})
}

func TestSocket(t *testing.T) {
	each(t, func(w *world) {
		k, two := w.socket(w.token), w.socket(w.token)
		hello := w.next(k, model.WebsocketEventHello)
		w.next(two, model.WebsocketEventHello)
		if hello.GetSequence() != 0 || hello.GetData()["connection_id"] == "" || !strings.HasPrefix(hello.GetData()["server_version"].(string), w.version.String()) {
			w.Errorf("hello: %v", hello.GetData())
		}
		id := w.s.Mention(w.ann, w.chan1, "aan")
		for _, k := range []*model.WebSocketClient{k, two} {
			e := w.next(k, model.WebsocketEventPosted)
			if p := inner(w, e); p.Id != id || e.GetData()["mentions"] != `["`+w.bot+`"]` || e.GetData()["channel_type"] != "O" {
				w.Errorf("posted: %v", e.GetData())
			}
		}
		w.s.Type(w.ann, w.chan1, "without")
		if e := w.next(k, model.WebsocketEventPosted); e.GetData()["mentions"] != nil {
			w.Errorf("posted: %v", e.GetData())
		}
		mine := w.s.DM(w.ben, "secret")
		if e := w.next(k, model.WebsocketEventDirectAdded); e.GetBroadcast().ChannelId == "" {
			w.Errorf("direct: %+v", e.GetBroadcast())
		}
		if e := w.next(k, model.WebsocketEventPosted); e.GetData()["channel_type"] != "D" {
			w.Errorf("posted: %v", e.GetData())
		}
		w.s.Edit(mine, "changed")
		if p := inner(w, w.next(k, model.WebsocketEventPostEdited)); p.Id != mine || p.Message != "changed" || p.EditAt == 0 {
			w.Errorf("edited: %+v", p)
		}
		w.s.Delete(mine)
		if p := inner(w, w.next(k, model.WebsocketEventPostDeleted)); p.Id != mine || p.Message != "changed" || p.DeleteAt != 0 {
			w.Errorf("deleted: %+v", p)
		}
		fresh := w.s.AddChannel(w.team, "fresh", w.ann)
		w.s.Join(fresh, w.bot)
		if e := w.next(k, model.WebsocketEventUserAdded); e.GetData()["user_id"] != w.bot || e.GetBroadcast().ChannelId != fresh {
			w.Errorf("added: %v", e.GetData())
		}
		w.s.Rename(fresh, "Fresher")
		w.next(k, model.WebsocketEventChannelUpdated)
		w.s.Archive(fresh)
		if e := w.next(k, model.WebsocketEventChannelDeleted); e.GetData()["channel_id"] != fresh {
			w.Errorf("archived: %v", e.GetData())
		}
		w.s.Leave(w.chan1, w.bot)
		if e := w.next(k, model.WebsocketEventUserRemoved); e.GetData()["channel_id"] != w.chan1 || e.GetBroadcast().UserId != w.bot {
			w.Errorf("removed: %v", e.GetData())
		}
		w.s.CutSockets()
		for range k.EventChannel {
		}
		if k.ListenError == nil {
			w.Error("no abnormal end")
		}
		bad := w.socket("wrong")
		for range bad.EventChannel {
			w.Error("an event for a wrong token")
		}
	})
}

// integration is a listener of ours: what f says is answered.
func (w *world) integration(f func(path string, body []byte) (int, string)) string {
	h := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		status, answer := f(r.URL.Path, b)
		if strings.HasPrefix(answer, "{") {
			rw.Header().Set("Content-Type", "application/json")
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, answer)
	}))
	w.Cleanup(h.Close)
	return h.URL
}

func (w *world) buttons(url string, id string) *model.Post {
	w.Helper()
	p, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: "prompt", Props: model.StringInterface{
		"attachments": []*model.MessageAttachment{{Fallback: "f", Text: "t", Actions: []*model.PostAction{
			{Id: id, Name: "Answer", Type: "button", Integration: &model.PostActionIntegration{URL: url, Context: map[string]any{"v": "signed"}}},
			{Id: "menu", Name: "Choose", Type: "select", Options: []*model.PostActionOptions{{Text: "A", Value: "a"}}, Integration: &model.PostActionIntegration{URL: url}},
		}}},
	}})
	w.is("buttons", r, err, 201, "")
	return p
}

func TestButtonsAndDialogs(t *testing.T) {
	each(t, func(w *world) {
		var got model.PostActionIntegrationRequest
		var sent model.SubmitDialogRequest
		var answers []string
		next := func(otherwise string) string {
			if len(answers) == 0 {
				return otherwise
			}
			a := answers[0]
			answers = answers[1:]
			return a
		}
		var url string
		open := func(trigger string) {
			anyone := model.NewAPIv4Client(w.s.URL()) // no login
			r, err := anyone.OpenInteractiveDialog(w.ctx, model.OpenDialogRequest{TriggerId: trigger, URL: url + "/dialog", Dialog: model.Dialog{
				CallbackId: "cb", Title: "Reply", State: "st", NotifyOnCancel: true, Elements: []model.DialogElement{
					{DisplayName: "Words", Name: "words", Type: "textarea", MaxLength: 1500},
					{DisplayName: "Share", Name: "share", Type: "select", Options: []*model.PostActionOptions{{Text: "Count", Value: "count"}}},
					{DisplayName: "More", Name: "more", Type: "textarea", Optional: true, MaxLength: 10},
				},
			}})
			if err != nil || r.StatusCode != 200 {
				w.Errorf("open: %v", err)
			}
		}
		url = w.integration(func(path string, body []byte) (int, string) {
			if path == "/dialog" {
				sent = model.SubmitDialogRequest{}
				_ = json.Unmarshal(body, &sent)
				return 200, next("{}")
			}
			_ = json.Unmarshal(body, &got)
			if got.Context["selected_option"] == nil {
				open(got.TriggerId)
			}
			return 200, next("{}")
		})
		k := w.socket(w.s.Token(w.ann))
		w.next(k, model.WebsocketEventHello)
		p := w.buttons(url+"/click", "answer")
		if text := mustJSON(p); strings.Contains(text, "signed") || strings.Contains(text, url) {
			w.Error("the answer shows the integration")
		}
		if e := w.next(k, model.WebsocketEventPosted); strings.Contains(mustJSON(e.GetData()), "signed") {
			w.Error("the event shows the integration")
		}
		if u, context := w.s.ContextOf(p.Id, "answer"); u != url+"/click" || context["v"] != "signed" {
			w.Errorf("in the database: %s %v", u, context)
		}
		res := w.s.Click(w.ann, p.Id, "answer")
		if res.Status != 200 || len(res.Opened) != 1 || got.UserId != w.ann || got.Context["v"] != "signed" || got.TeamId != w.team || got.PostId != p.Id {
			w.Fatalf("click: %+v %+v", res, got)
		}
		w.next(k, model.WebsocketEventOpenDialog)
		if r, err := w.annAPI.DoPostActionWithCookie(w.ctx, p.Id, "answer", "", ""); err != nil || r.StatusCode != 200 {
			w.Errorf("click by REST: %v", err)
		}
		d := w.s.Dialog(w.ann)
		if d == nil || d.Title != "Reply" || d.User != w.ann {
			w.Fatalf("dialog: %+v", d)
		}
		if res := w.s.Submit(w.ann, d, map[string]any{"words": "mine"}); res.Sent || res.Errors["share"] == "" {
			w.Errorf("what is required: %+v", res)
		}
		answers = []string{`{"errors":{"share":"no"}}`}
		if res := w.s.Submit(w.ann, d, map[string]any{"words": "mine", "share": "count"}); res.Closed || res.Errors["share"] != "no" {
			w.Errorf("errors: %+v", res)
		}
		if res := w.s.Submit(w.ann, d, map[string]any{"words": "mine", "share": "count"}); !res.Closed {
			w.Errorf("submit: %+v", res)
		}
		if sent.UserId != w.ann || sent.State != "st" || sent.CallbackId != "cb" || sent.Submission["words"] != "mine" || sent.URL != "" || sent.TeamId != w.team {
			w.Errorf("sent: %+v", sent)
		}
		if w.s.Cancel(w.ann, d); !sent.Cancelled {
			w.Errorf("cancelled: %+v", sent)
		}
		w.s.Choose(w.ann, p.Id, "menu", "never offered")
		if got.Context["selected_option"] != "never offered" {
			w.Errorf("menu: %+v", got)
		}
		// Another's state by any signed-in user, to any URL: the user is the server's.
		w.s.SubmitTo(w.ben, w.chan1, url+"/dialog", "stolen", "x", map[string]any{"y": 1})
		if sent.UserId != w.ben || sent.State != "stolen" {
			w.Errorf("forged: %+v", sent)
		}
		_, r, err := w.annAPI.SubmitInteractiveDialog(w.ctx, model.SubmitDialogRequest{URL: url + "/dialog", ChannelId: w.chan1})
		w.is("no team", r, err, 403, "")
		old := got.TriggerId
		w.s.Advance(31 * time.Second)
		r, err = w.c.OpenInteractiveDialog(w.ctx, model.OpenDialogRequest{TriggerId: old, URL: url, Dialog: model.Dialog{Title: "x"}})
		w.is("expired", r, err, 400, "interactive_message.decode_trigger_id.expired")
		r, err = w.c.OpenInteractiveDialog(w.ctx, model.OpenDialogRequest{TriggerId: "x", URL: url, Dialog: model.Dialog{Title: "x"}})
		w.is("forged", r, err, 400, "")

		outsider := w.s.AddUser(mattermosttest.User{Name: "out"})
		if res := w.s.Click(outsider, p.Id, "answer"); res.Status != 403 {
			w.Errorf("outsider: %+v", res)
		}
		// A patch of the message keeps the buttons; saving back what was read kills them.
		_, r, err = w.c.PatchPost(w.ctx, p.Id, &model.PostPatch{Message: new("changed")})
		w.is("patch", r, err, 200, "")
		if res := w.s.Click(w.ann, p.Id, "answer"); res.Status != 200 {
			w.Errorf("after a patch: %+v", res)
		}
		answers = []string{`{"update":{"message":"updated"}}`}
		if res := w.s.Click(w.ann, p.Id, "answer"); res.Status != 200 {
			w.Errorf("update: %+v", res)
		}
		if v, _ := w.s.Post(p.Id); v.Text != "updated" || v.Button("Answer") != "answer" || len(v.Buttons()) != 2 {
			w.Errorf("updated: %+v", v)
		}
		read, _, _ := w.c.GetPost(w.ctx, p.Id, "")
		_, r, err = w.c.UpdatePost(w.ctx, p.Id, read)
		w.is("save", r, err, 200, "")
		if res := w.s.Click(w.ann, p.Id, "answer"); res.Status != 404 || res.Err != "api.post.do_action.action_id.app_error" {
			w.Errorf("after a naive save: %+v", res)
		}
		if res := w.s.Click(w.ann, w.buttons(url, "a-b").Id, "a-b"); res.Status != 404 {
			w.Errorf("hyphen: %+v", res)
		}
		if res := w.s.Click(w.ann, w.buttons("http://127.0.0.1:1/", "dead").Id, "dead"); res.Status != 400 {
			w.Errorf("unreachable: %+v", res)
		}
	})
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestCommands(t *testing.T) {
	each(t, func(w *world) {
		status, answer, form := 200, `{"text":"hello"}`, ""
		url := w.integration(func(_ string, body []byte) (int, string) {
			form = string(body)
			return status, answer
		})
		if _, err := w.s.RegisterCommand(w.bot, w.team, "weerklank", url); err == nil {
			w.Error("a plain bot registered a command")
		}
		w.s.SetTeamAdmin(w.team, w.ben, true)
		token, err := w.s.RegisterCommand(w.ben, w.team, "weerklank", url)
		if err != nil || len(token) != 26 {
			w.Fatal(token, err)
		}
		if _, err := w.s.RegisterCommand(w.ben, w.team, "weerklank", url); err == nil {
			w.Error("twice")
		}
		if got := w.s.Command(w.ann, w.chan1, "/weerklank help me"); got.Status != 200 || got.Text != "hello" || got.Public {
			w.Errorf("command: %+v", got)
		}
		if !strings.Contains(form, "token="+token) || !strings.Contains(form, "text=help+me") || !strings.Contains(form, "user_id="+w.ann) {
			w.Error(form)
		}
		for _, c := range []struct {
			status int
			answer string
			want   int
		}{{200, "", 500}, {201, "x", 500}, {500, "x", 500}, {200, "{}", 200}, {200, "plain", 200}} {
			status, answer = c.status, c.answer
			if got := w.s.Command(w.ann, w.chan1, "/weerklank x"); got.Status != c.want {
				w.Errorf("%+v: %+v", c, got)
			}
		}
		i := strings.Index(form, "response_url=") + len("response_url=")
		back := strings.NewReplacer("%3A", ":", "%2F", "/").Replace(strings.SplitN(form[i:], "&", 2)[0])
		for n := range 6 {
			r, err := http.Post(back, "application/json", strings.NewReader(`{"text":"later"}`))
			if err != nil {
				w.Fatal(err)
			}
			_ = r.Body.Close()
			if want := map[bool]int{true: 200, false: 400}[n < 5]; r.StatusCode != want {
				w.Errorf("use %d of a response_url: %d", n, r.StatusCode)
			}
		}
		w.s.Set(func(s *mattermosttest.Settings) { s.CommandsDisabled = true })
		if got := w.s.Command(w.ann, w.chan1, "/weerklank x"); got.Status != 501 {
			w.Errorf("disabled: %+v", got)
		}
	})
}
