package mattermosttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

func TestFaults(t *testing.T) {
	each(t, func(w *world) {
		send := func(m string) (*model.Response, error) {
			_, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: m})
			return r, err
		}
		landed := func(m string) bool {
			return slices.ContainsFunc(w.s.Posts(w.chan1), func(p mattermosttest.Post) bool { return p.Text == m })
		}
		cases := []struct {
			fault  mattermosttest.Fault
			status int // 0: no answer
			landed bool
		}{
			{mattermosttest.LostCut(), 0, false},
			{mattermosttest.DoneCut(), 0, true},
			{mattermosttest.Broken(502, false), 502, false},
			{mattermosttest.Broken(500, true), 500, true},
			{mattermosttest.Page(503), 503, false},
			{mattermosttest.Limited("2"), 429, false},
			{mattermosttest.Limited(""), 429, false},
			{mattermosttest.Fault{Lost: true, Status: 200, Type: "text/html", Body: "<html>"}, 200, false},
		}
		for i, c := range cases {
			text := fmt.Sprintf("case %d", i)
			hits := w.s.Fail(1, "POST", "/posts", c.fault)
			r, err := send(text)
			if err == nil || hits() != 1 {
				w.Errorf("%d: no error, %d hits", i, hits())
			}
			status := 0
			if r != nil {
				status = r.StatusCode
			}
			if status != c.status || landed(text) != c.landed {
				w.Errorf("%d: status %d, landed %v", i, status, landed(text))
			}
			if c.status == 429 && r.Header.Get("Retry-After") != c.fault.Header["Retry-After"] {
				w.Errorf("%d: %v", i, r.Header)
			}
			var app *model.AppError
			if isApp := errors.As(err, &app); isApp != (c.status == 502 || c.status == 500) {
				w.Errorf("%d: %T %v", i, err, err)
			}
		}
		// Half an answer: the status came, the rest did not.
		w.s.Fail(1, "POST", "/posts", mattermosttest.DoneHalf())
		if _, err := send("half"); err == nil {
			w.Error("half an answer is an answer")
		}
		// What hangs was executed, and what is slow is, after the client is gone.
		w.s.Fail(1, "POST", "/posts", mattermosttest.DoneHang())
		if err := w.giveUp("hangs", func() bool { return landed("hangs") }); !errors.Is(err, context.Canceled) {
			w.Errorf("hangs: %v", err)
		}
		w.s.Fail(1, "POST", "/posts", mattermosttest.Fault{Delay: 100 * time.Millisecond})
		if err := w.giveUp("slow", func() bool { return w.s.Held() == 1 }); !errors.Is(err, context.Canceled) {
			w.Errorf("slow: %v", err)
		}
		w.s.Await("the slow post", func() bool { return landed("slow") })
		var n atomic.Int64
		w.s.Fault(func(r mattermosttest.Request) *mattermosttest.Fault {
			if r.User != w.bot || r.Method != "POST" || !strings.Contains(string(r.Body), "marked") {
				return nil
			}
			n.Add(1)
			return new(mattermosttest.Broken(503, false))
		})
		_, _ = send("marked")
		w.s.NoFaults()
		if _, err := send("marked"); err != nil || n.Load() != 1 {
			w.Errorf("%v after %d", err, n.Load())
		}
		if w.s.Count("POST /api/v4/posts") != len(cases)+5 {
			w.Errorf("%d in the journal", w.s.Count("POST /api/v4/posts"))
		}
	})
}

// giveUp posts, and hangs up once when is true.
func (w *world) giveUp(message string, when func() bool) error {
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() {
		_, _, err := w.c.CreatePost(ctx, &model.Post{ChannelId: w.chan1, Message: message})
		ended <- err
	}()
	w.s.Await("the moment to hang up", when)
	cancel()
	return <-ended
}

func TestFreeze(t *testing.T) {
	each(t, func(w *world) {
		w.s.Set(func(s *mattermosttest.Settings) { s.PingEvery, s.PongWait = 20*time.Millisecond, 10*time.Second })
		k := w.socket(w.token)
		w.next(k, model.WebsocketEventHello)
		w.s.Freeze()
		w.s.DM(w.ann, "meanwhile")
		if err := w.giveUp("late", func() bool { return w.s.Held() == 1 }); !errors.Is(err, context.Canceled) {
			w.Errorf("a frozen server answers: %v", err)
		}
		select {
		case e := <-k.EventChannel:
			w.Errorf("a frozen server says %s", e.EventType())
		default:
		}
		w.s.Thaw()
		w.next(k, model.WebsocketEventPosted)
		w.s.Await("what was sent to the frozen server", func() bool { return len(w.s.Posts(w.chan1)) == 1 })
		w.next(k, model.WebsocketEventPosted)
		if w.s.Sockets(w.bot) != 1 {
			w.Error("the socket is gone")
		}
	})
}

func TestRestart(t *testing.T) {
	each(t, func(w *world) {
		w.s.Set(func(s *mattermosttest.Settings) { s.StopLag = 100 * time.Millisecond })
		k := w.socket(w.token)
		id := w.next(k, model.WebsocketEventHello).GetData()["connection_id"]
		key := &model.Post{ChannelId: w.chan1, Message: "once", PendingPostId: w.bot + ":k"}
		first, r, err := w.c.CreatePost(w.ctx, key)
		w.is("post", r, err, 201, "")
		w.next(k, model.WebsocketEventPosted)

		w.s.Stop()
		if _, _, err := w.c.GetMe(w.ctx, ""); err == nil {
			w.Error("a stopping server answers")
		}
		w.s.Type(w.ann, w.chan1, "still heard")
		w.next(k, model.WebsocketEventPosted)
		w.s.Start()
		w.s.Restart()
		for range k.EventChannel {
		}
		if k.ListenError == nil || !strings.Contains(k.ListenError.Error(), "1006") {
			w.Errorf("the end: %v", k.ListenError)
		}
		k = w.socket(w.token)
		if again := w.next(k, model.WebsocketEventHello).GetData()["connection_id"]; again == id {
			w.Error("the connection id survived")
		}
		second, r, err := w.c.CreatePost(w.ctx, key)
		w.is("post again", r, err, 201, "")
		if second.Id == first.Id {
			w.Error("the pending id survived")
		}
	})
}

// resume dials as a client that knows a connection.
func (w *world) resume(id string, seq int) *model.WebSocketClient {
	w.Helper()
	k, err := model.NewReliableWebSocketClientWithDialer(websocket.DefaultDialer, strings.Replace(w.s.URL(), "http", "ws", 1), w.token, id, seq, true)
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

func TestResume(t *testing.T) {
	each(t, func(w *world) {
		k := w.socket(w.token)
		id := w.next(k, model.WebsocketEventHello).GetData()["connection_id"].(string)
		dm := w.s.Direct(w.ann, w.bot)
		w.next(k, model.WebsocketEventDirectAdded)
		w.s.Type(w.ann, dm, "zero")
		last := w.next(k, model.WebsocketEventPosted).GetSequence()
		w.s.CutSockets()
		w.s.Burst(w.ann, dm, 100)
		w.s.Await("the socket to be gone", func() bool { return w.s.Sockets(w.bot) == 0 })
		k = w.resume(id, int(last)+1)
		for i := range 100 {
			if e := w.next(k, model.WebsocketEventPosted); e.GetSequence() != last+1+int64(i) {
				w.Fatalf("%d is numbered %d", i, e.GetSequence())
			}
		}
		w.s.CutSockets()
		w.s.Burst(w.ann, dm, 200)
		k = w.resume(id, int(last)+101)
		if e := <-k.EventChannel; e.EventType() != model.WebsocketEventHello || e.GetData()["connection_id"] == id || e.GetSequence() != 0 {
			w.Errorf("after a loss: %s %v", e.EventType(), e.GetData())
		}
	})
}

func TestStrangeEvents(t *testing.T) {
	each(t, func(w *world) {
		k := w.socket(w.token)
		w.next(k, model.WebsocketEventHello)
		w.s.Garbage(w.bot, "{not json")
		w.s.Emit(w.bot, "from_the_future", map[string]any{"x": 1})
		if e := w.next(k, "from_the_future"); e.GetSequence() != 1 {
			w.Errorf("numbered %d", e.GetSequence())
		}
		w.s.Type(w.ann, w.chan1, "a")
		first := inner(w, w.next(k, model.WebsocketEventPosted))
		w.s.Repeat(w.bot, false)
		if e := w.next(k, model.WebsocketEventPosted); inner(w, e).Id != first.Id || e.GetSequence() != 2 {
			w.Errorf("repeated: %d", e.GetSequence())
		}
		w.s.Repeat(w.bot, true)
		if e := w.next(k, model.WebsocketEventPosted); inner(w, e).Id != first.Id || e.GetSequence() != 3 {
			w.Errorf("repeated: %d", e.GetSequence())
		}
		w.s.Skip(w.bot, 2)
		w.s.Type(w.ann, w.chan1, "b")
		if e := w.next(k, model.WebsocketEventPosted); e.GetSequence() != 6 {
			w.Errorf("after a gap: %d", e.GetSequence())
		}
		w.s.Burst(w.ann, w.chan1, 1500)
		for range 1500 {
			w.next(k, model.WebsocketEventPosted)
		}
	})
}

func TestDisabledAndRevoked(t *testing.T) {
	each(t, func(w *world) {
		k := w.socket(w.token)
		w.next(k, model.WebsocketEventHello)
		if w.version == mattermosttest.V9 {
			w.s.Set(func(s *mattermosttest.Settings) { s.DisableLag = time.Minute })
		}
		w.s.Disable(w.bot)
		_, r, err := w.c.GetMe(w.ctx, "")
		if w.version == mattermosttest.V9 {
			w.is("for a moment", r, err, 200, "")
			w.s.Set(func(s *mattermosttest.Settings) { s.DisableLag = 0 })
			w.s.Disable(w.bot)
			_, r, err = w.c.GetMe(w.ctx, "")
		}
		w.is("disabled", r, err, 401, "api.context.session_expired.app_error")
		w.s.Type(w.ann, w.chan1, "unheard")
		if w.s.Sockets(w.bot) != 1 {
			w.Error("the socket of a disabled bot closed")
		}
		w.s.Enable(w.bot)
		w.s.Type(w.ann, w.chan1, "heard")
		if p := inner(w, w.next(k, model.WebsocketEventPosted)); p.Message != "heard" {
			w.Errorf("heard %q", p.Message)
		}
		w.s.Revoke(w.token)
		_, r, err = w.c.GetMe(w.ctx, "")
		w.is("revoked", r, err, 401, "")
		if w.s.Renew(w.bot) == w.token {
			w.Error("renewed to the same")
		}
		w.s.Deactivate(w.ann)
		if u, _, _ := w.client(w.s.Token(w.ben)).GetUser(w.ctx, w.ann, ""); u == nil || u.DeleteAt == 0 {
			w.Errorf("deactivated: %+v", u)
		}
		if _, err := w.s.Try(w.ann, w.chan1, "x", nil); err == nil {
			w.Error("a deactivated person posts")
		}
	})
}

func TestVersionsDiffer(t *testing.T) {
	each(t, func(w *world) {
		old := w.version == mattermosttest.V9
		_, r, err := w.c.GetClientConfig(w.ctx, "")
		w.is("config without format", r, err, map[bool]int{true: 501, false: 200}[old], "api.config.client.old_format.app_error")
		raw, err := w.c.DoAPIGet(w.ctx, "/config/client?format=old", "")
		if err != nil {
			w.Fatal(err)
		}
		b, _ := io.ReadAll(raw.Body)
		_ = raw.Body.Close()
		if !strings.Contains(string(b), `"MaxPostSize":"16383"`) {
			w.Errorf("config: %s", b)
		}
		if status, _, err := w.c.GetPing(w.ctx); err != nil || status != "OK" {
			w.Errorf("ping: %s %v", status, err)
		}
		stranger := w.s.AddUser(mattermosttest.User{Name: "stranger"})
		before := w.s.Direct(w.bot, stranger)
		w.s.Set(func(s *mattermosttest.Settings) { s.RestrictDMs = true })
		_, r, err = w.c.CreateDirectChannel(w.ctx, w.bot, stranger)
		w.is("restricted opening", r, err, map[bool]int{true: 201, false: 403}[old], "api.channel.create_channel.direct_channel.team_restricted_error")
		_, r, err = w.c.CreatePost(w.ctx, &model.Post{ChannelId: before, Message: "x"})
		w.is("restricted posting", r, err, map[bool]int{true: 201, false: 400}[old], "api.post.create_post.can_not_post_in_restricted_dm.error")
		_, r, err = w.c.CreateDirectChannel(w.ctx, w.bot, w.ann)
		w.is("a team mate", r, err, 201, "")

		boss := w.s.AddUser(mattermosttest.User{Name: "boss", SystemAdmin: true})
		_, r, err = w.client(w.s.Token(boss)).GetPostsSince(w.ctx, before, 1, false)
		w.is("an admin reads a foreign DM", r, err, map[bool]int{true: 403, false: 200}[old], "")

		p := w.post("x")
		r, err = w.c.DeletePost(w.ctx, p.Id)
		w.is("delete", r, err, 200, "")
		_, r, err = w.c.PatchPost(w.ctx, p.Id, &model.PostPatch{Message: new("y")})
		w.is("patch of a deleted post", r, err, 403, "")
		r, err = w.c.DeletePost(w.ctx, p.Id)
		w.is("delete of a deleted post", r, err, map[bool]int{true: 403, false: 404}[old], "")
	})
}

func TestRateLimit(t *testing.T) {
	each(t, func(w *world) {
		w.s.Set(func(s *mattermosttest.Settings) { s.RateLimit, s.RateBurst = 0.001, 3 })
		for range 3 {
			_, r, err := w.c.GetMe(w.ctx, "")
			w.is("within", r, err, 200, "")
			if r.Header.Get("X-Ratelimit-Limit") != "3" || r.Header.Get("X-Ratelimit-Remaining") == "" {
				w.Errorf("headers: %v", r.Header)
			}
		}
		_, r, err := w.c.GetMe(w.ctx, "")
		var app *model.AppError
		if r == nil || r.StatusCode != http.StatusTooManyRequests || errors.As(err, &app) || r.Header.Get("Retry-After") == "" {
			w.Errorf("over: %+v %v", r, err)
		}
	})
}

func TestFiles(t *testing.T) {
	each(t, func(w *world) {
		png := []byte("\x89PNG\r\n\x1a\nrest")
		up, r, err := w.c.UploadFile(w.ctx, png, w.chan1, "card.png")
		w.is("upload", r, err, 201, "")
		raw, r, err := w.c.UploadFileAsRequestBody(w.ctx, png, w.chan1, "raw.png")
		w.is("upload as the body", r, err, 201, "")
		if f := up.FileInfos[0]; f.Name != "card.png" || f.MimeType != "image/png" || f.Extension != "png" || raw.FileInfos[0].Name != "raw.png" {
			w.Errorf("uploaded: %+v", f)
		}
		p, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, Message: "alt", FileIds: []string{up.FileInfos[0].Id}})
		w.is("post", r, err, 201, "")
		if len(p.FileIds) != 1 || p.Metadata == nil || len(p.Metadata.Files) != 1 {
			w.Errorf("post: %+v", p)
		}
		got, _, err := w.annAPI.GetFile(w.ctx, p.FileIds[0])
		if err != nil || string(got) != string(png) {
			w.Errorf("%q %v", got, err)
		}
		if v := w.s.Posts(w.chan1)[0]; len(v.Files) != 1 || v.Files[0].Name != "card.png" {
			w.Errorf("seen: %+v", v)
		}
		twice, _, _ := w.c.CreatePost(w.ctx, &model.Post{ChannelId: w.chan1, FileIds: p.FileIds})
		if len(twice.FileIds) != 0 {
			w.Error("a file hangs on two posts")
		}
		_, r, err = w.client(w.s.Token(w.s.AddUser(mattermosttest.User{Name: "out"}))).UploadFile(w.ctx, png, w.chan1, "x.png")
		w.is("outsider", r, err, 403, "")
	})
}

func TestForgery(t *testing.T) {
	each(t, func(w *world) {
		var bodies []string
		url := w.integration(func(_ string, b []byte) (int, string) {
			bodies = append(bodies, string(b))
			return 200, "{}"
		})
		real := w.buttons(url+"/click", "answer")
		_, stolen := w.s.ContextOf(real.Id, "answer")
		forged := w.s.Forge(w.ann, w.chan1, "press me", mattermosttest.Forged{ID: "x", Name: "Press", URL: url + "/click", Context: stolen})
		if res := w.s.Click(w.ben, forged, "x"); res.Status != 200 || len(bodies) != 1 {
			w.Fatalf("forged: %+v %v", res, bodies)
		}
		if !strings.Contains(bodies[0], `"signed"`) || !strings.Contains(bodies[0], w.ben) || !strings.Contains(bodies[0], forged) {
			w.Error(bodies[0])
		}
		if _, err := w.s.Try(w.ann, w.chan1, "I am a bot", map[string]any{"from_bot": "true", "from_webhook": "true"}); err != nil {
			w.Error(err)
		}
		all := w.s.Posts(w.chan1)
		if last := all[len(all)-1]; last.Props["from_bot"] != "true" || last.User != w.ann {
			w.Errorf("faked props: %+v", last)
		}
		if _, err := w.s.Try(w.s.AddUser(mattermosttest.User{Name: "out"}), w.chan1, "x", nil); err == nil || !strings.HasPrefix(err.Error(), "403") {
			w.Errorf("outsider: %v", err)
		}
		if e := w.s.Journal(); len(e) == 0 || w.s.Count(url+"/click") != 1 {
			w.Error("the journal misses the callback")
		}
	})
}

func TestMentionsAndMembers(t *testing.T) {
	each(t, func(w *world) {
		k := w.socket(w.token)
		w.next(k, model.WebsocketEventHello)
		for words, hit := range map[string]bool{
			"@weerklank": true, "hey @Weerklank, you": true, "@weerklankje": false, "`@weerklank`": false, "weerklank": false,
			"@channel": true, "@\u200bweerklank": false, "mail@weerklank.example": false,
		} {
			w.s.Type(w.ann, w.chan1, words)
			if e := w.next(k, model.WebsocketEventPosted); (e.GetData()["mentions"] != nil) != hit {
				w.Errorf("%q: %v", words, e.GetData()["mentions"])
			}
		}
		if _, err := w.s.Try(w.ann, w.chan1, "", map[string]any{"attachments": []any{map[string]any{"text": "@weerklank"}}}); err != nil {
			w.Fatal(err)
		}
		if e := w.next(k, model.WebsocketEventPosted); e.GetData()["mentions"] == nil {
			w.Error("no mention by attachment")
		}
		w.s.Group(w.bot, w.ann, w.ben)
		w.next(k, "group_added")

		// A person adds the bot by REST; the server makes it write to its owner.
		w.s.SetOwner(w.bot, w.ben)
		other := w.s.AddTeam("other", w.ann)
		c := w.s.AddPrivate(other, "den", w.ann)
		_, r, err := w.annAPI.AddChannelMember(w.ctx, c, w.bot)
		w.is("not in the team", r, err, 404, "")
		w.s.JoinTeam(other, w.bot)
		_, r, err = w.annAPI.AddChannelMember(w.ctx, c, w.bot)
		w.is("added", r, err, 201, "")
		w.next(k, model.WebsocketEventUserAdded)
		if p := inner(w, w.next(k, model.WebsocketEventPosted)); p.Type != model.PostTypeAddBotTeamsChannels || p.UserId != w.bot {
			w.Errorf("to the owner: %+v", p)
		}
		w.s.Set(func(s *mattermosttest.Settings) { s.HideEmail = true })
		if u, _, _ := w.c.GetUser(w.ctx, w.ann, ""); u.Email != "" {
			w.Error("the e-mail shows")
		}
		w.s.LeaveTeam(other, w.bot)
		_, r, err = w.c.GetTeamMember(w.ctx, other, w.ann, "")
		w.is("not a member", r, err, 403, "")
	})
}

func TestTouchedPosts(t *testing.T) {
	each(t, func(w *world) {
		k := w.socket(w.token)
		w.next(k, model.WebsocketEventHello)
		id := w.s.DM(w.ann, "mine")
		w.next(k, model.WebsocketEventPosted)
		dm := w.s.Direct(w.ann, w.bot)
		changed := func(what string, since int64) *model.Post {
			w.Helper()
			w.s.Advance(5 * time.Millisecond)
			list, r, err := w.c.GetPostsSince(w.ctx, dm, since, false)
			w.is("since", r, err, 200, "")
			p := list.Posts[id]
			if p == nil || p.Message != "mine" || p.EditAt != 0 {
				w.Fatalf("%s: %+v", what, p)
			}
			return p
		}
		p := changed("new", 1)
		w.s.React(w.ann, id, "thumbsup")
		w.next(k, model.WebsocketEventReactionAdded)
		p = changed("a reaction", p.UpdateAt)
		w.s.Pin(id)
		if e := inner(w, w.next(k, model.WebsocketEventPostEdited)); e.Message != "mine" || e.EditAt != 0 || !e.IsPinned {
			w.Errorf("pinned: %+v", e)
		}
		p = changed("a pin", p.UpdateAt)
		_, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: dm, RootId: id, Message: "receipt"})
		w.is("reply", r, err, 201, "")
		if p = changed("a reply under it", p.UpdateAt); p.ReplyCount != 1 {
			w.Errorf("%d replies", p.ReplyCount)
		}
		w.s.Delete(id)
		list, _, _ := w.c.GetPostsSince(w.ctx, dm, 1, true)
		if len(list.Posts) != 0 {
			w.Errorf("collapsed: %d", len(list.Posts))
		}
	})
}

func TestCallbacksInTrouble(t *testing.T) {
	each(t, func(w *world) {
		status, answer := 200, "{}"
		var body string
		url := w.integration(func(_ string, b []byte) (int, string) {
			body = string(b)
			return status, answer
		})
		p := w.buttons(url, "answer")
		for _, c := range []struct {
			status int
			answer string
			want   int
		}{{200, "", 200}, {200, "not json", 400}, {201, "{}", 400}, {500, "{}", 400}, {401, "", 400}} {
			status, answer = c.status, c.answer
			if got := w.s.Click(w.ann, p.Id, "answer"); got.Status != c.want {
				w.Errorf("%+v: %+v", c, got)
			}
		}
		status, answer = 200, `{"ephemeral_text":"only you"}`
		w.s.Click(w.ann, p.Id, "answer")
		if e := w.s.Ephemerals(w.ann); len(e) != 1 || e[0].Text != "only you" {
			w.Errorf("ephemeral: %v", e)
		}
		answer = "{}"
		w.s.Set(func(s *mattermosttest.Settings) { s.IntegrationTimeout = 50 * time.Millisecond })
		mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			<-r.Context().Done()
		}))
		w.Cleanup(mute.Close)
		if got := w.s.Click(w.ann, w.buttons(mute.URL, "answer").Id, "answer"); got.Status != 400 {
			w.Errorf("too late: %+v", got)
		}
		w.s.Set(func(s *mattermosttest.Settings) { s.IntegrationTimeout = 30 * time.Second })

		// In a direct channel there is no team, and a dialog from there cannot be sent.
		dm := w.s.Direct(w.ann, w.bot)
		d, r, err := w.c.CreatePost(w.ctx, &model.Post{ChannelId: dm, Props: model.StringInterface{"attachments": []*model.MessageAttachment{{
			Text: "t", Actions: []*model.PostAction{{Id: "go", Name: "Go", Type: "button", Integration: &model.PostActionIntegration{URL: url}}},
		}}}})
		w.is("buttons by DM", r, err, 201, "")
		if got := w.s.Click(w.ann, d.Id, "go"); got.Status != 200 {
			w.Fatalf("by DM: %+v", got)
		}
		var in model.PostActionIntegrationRequest
		if err := json.Unmarshal([]byte(body), &in); err != nil || in.TeamId != "" || in.ChannelId != dm {
			w.Errorf("by DM: %s", body)
		}
		r, err = w.c.OpenInteractiveDialog(w.ctx, model.OpenDialogRequest{TriggerId: in.TriggerId, URL: url, Dialog: model.Dialog{Title: "x"}})
		w.is("open", r, err, 200, "")
		if got := w.s.Submit(w.ann, w.s.Dialog(w.ann), nil); got.Status != 403 || got.Sent {
			w.Errorf("a dialog from a DM: %+v", got)
		}
		r, err = w.c.DeletePost(w.ctx, d.Id)
		w.is("delete", r, err, 200, "")
		if got := w.s.Click(w.ann, d.Id, "go"); got.Status != 404 {
			w.Errorf("a button of a deleted post: %+v", got)
		}
	})
}

func TestSocketByHand(t *testing.T) {
	each(t, func(w *world) {
		// A token in the header serves at once; without any token the socket ends.
		u := strings.Replace(w.s.URL(), "http", "ws", 1) + "/api/v4/websocket"
		c, _, err := websocket.DefaultDialer.DialContext(w.ctx, u, http.Header{"Authorization": {"Bearer " + w.token}})
		if err != nil {
			w.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, b, err := c.ReadMessage(); err != nil || !strings.Contains(string(b), `"hello"`) {
			w.Errorf("%s %v", b, err)
		}
		w.s.Set(func(s *mattermosttest.Settings) { s.AuthWait = 10 * time.Millisecond })
		mute, _, err := websocket.DefaultDialer.DialContext(w.ctx, u, nil)
		if err != nil {
			w.Fatal(err)
		}
		defer func() { _ = mute.Close() }()
		if _, _, err := mute.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseAbnormalClosure) {
			w.Errorf("without a token: %v", err)
		}
		hits := w.s.Fail(1, "GET", "/websocket", mattermosttest.Page(502))
		if _, r, err := websocket.DefaultDialer.DialContext(w.ctx, u, nil); err == nil || r == nil || r.StatusCode != 502 || hits() != 1 {
			w.Errorf("refused: %v %v", r, err)
		}
	})
}

func TestPings(t *testing.T) {
	each(t, func(w *world) {
		w.s.Set(func(s *mattermosttest.Settings) { s.PingEvery, s.PongWait = 20*time.Millisecond, 5*time.Second })
		good := w.socket(w.token)
		w.next(good, model.WebsocketEventHello)
		// A client that never reads answers no ping, and is dropped.
		w.s.Set(func(s *mattermosttest.Settings) { s.PongWait = 50 * time.Millisecond })
		u := strings.Replace(w.s.URL(), "http", "ws", 1) + "/api/v4/websocket"
		deaf, _, err := websocket.DefaultDialer.DialContext(w.ctx, u, http.Header{"Authorization": {"Bearer " + w.s.Token(w.ann)}})
		if err != nil {
			w.Fatal(err)
		}
		defer func() { _ = deaf.Close() }()
		if _, _, err := deaf.ReadMessage(); err != nil { // hello
			w.Fatal(err)
		}
		w.s.Await("the deaf one to be dropped", func() bool { return w.s.Sockets(w.ann) == 0 })
		if w.s.Sockets(w.bot) != 1 {
			w.Error("the one that answers was dropped too")
		}
	})
}
