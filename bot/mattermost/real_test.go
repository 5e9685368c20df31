package mattermost_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// What points the tests to a real server.
const (
	urlVar   = "WEERKLANK_TEST_MATTERMOST_URL"
	adminVar = "WEERKLANK_TEST_MATTERMOST_ADMIN_TOKEN"
	hostVar  = "WEERKLANK_TEST_MATTERMOST_CALLBACK_HOST" // by which the server reaches us; empty: 127.0.0.1
)

// The limits of these tests.
const (
	mostPeople = 200              // a server with more active people is no server to try things on
	oneCall    = 30 * time.Second // of a call
	arrives    = 20 * time.Second // until what is waited for is there
	opens      = 2 * time.Second  // until a dialog that was opened is seen
	looks      = 50 * time.Millisecond
)

// realServer is a server that is only reached by its API: an admin makes what a test needs and takes it away, and each person
// is signed in. Everything has a random name, and no setting of the server is touched.
type realServer struct {
	t     *testing.T
	url   string
	host  string // by which the server reaches us
	admin *model.Client4
	me    *model.User // the admin
	pass  func(time.Duration)

	bot, botName string
	tokens       map[string]string // ids of tokens of bots
	people       map[string]*person
	authors      map[string]*person // of posts
	readers      map[string]*person // of channels
	teams        map[string]string  // of channels
}

// person is somebody who is signed in.
type person struct {
	*model.Client4
	id      string
	channel string // where they last did something
	events  *model.WebSocketClient

	mu     sync.Mutex
	dialog *mattermosttest.Dialog // the last one that was opened
	fresh  chan struct{}          // has something when it was opened since they last did something
}

// newReal refuses a server that people use.
func newReal(t *testing.T, url, token, host string) *realServer {
	t.Helper()
	if host == "" {
		host = "127.0.0.1"
	}
	r := &realServer{
		t: t, url: strings.TrimRight(url, "/"), host: host, tokens: map[string]string{}, people: map[string]*person{}, authors: map[string]*person{},
		readers: map[string]*person{}, teams: map[string]string{},
	}
	r.admin = r.client()
	r.admin.SetToken(token)
	r.do("signing in with "+adminVar, func(ctx context.Context) (err error) {
		r.me, _, err = r.admin.GetMe(ctx, "")
		return err
	})
	if !slices.Contains(r.me.GetRoles(), model.SystemAdminRoleId) {
		t.Fatalf("%s is not of a system admin", adminVar)
	}
	active := 0
	for page, more := 0, true; more; page++ {
		r.do("counting people", func(ctx context.Context) error {
			all, _, err := r.admin.GetUsersWithCustomQueryParameters(ctx, page, 200, "active=true", "")
			for _, u := range all {
				if !u.IsBot && u.DeleteAt == 0 {
					active++
				}
			}
			more = len(all) == 200
			return err
		})
		if active > mostPeople {
			t.Fatalf("the server of %s has more than %d active people: it is not a server to throw away", urlVar, mostPeople)
		}
	}
	return r
}

func (r *realServer) client() *model.Client4 {
	c := model.NewAPIv4Client(r.url)
	c.HTTPClient = &http.Client{Timeout: oneCall, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

// do ends the test when a call fails.
func (r *realServer) do(what string, call func(context.Context) error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), oneCall)
	defer cancel()
	if err := call(ctx); err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
}

// undo is done at the end of the test, however it ends.
func (r *realServer) undo(what string, call func(context.Context) error) {
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), oneCall)
		defer cancel()
		if err := call(ctx); err != nil {
			r.t.Errorf("%s: %v", what, err)
		}
	})
}

// off skips a part that the server's settings do not let happen.
func (r *realServer) off(setting string) {
	r.t.Helper()
	r.t.Skipf("this part is left out: the server's setting %s is off, or does not let it happen", setting)
}

func random(name string) string { return name + "-" + strings.ToLower(rand.Text()[:12]) }

func status(resp *model.Response) int {
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

func errorID(err error) string {
	if app, ok := errors.AsType[*model.AppError](err); ok && app != nil {
		return app.Id
	}
	return ""
}

func (r *realServer) URL() string { return r.url }

func (r *realServer) AddBot(name string) (id, token string) {
	r.t.Helper()
	r.do("making a bot", func(ctx context.Context) error {
		b, resp, err := r.admin.CreateBot(ctx, &model.Bot{Username: random(name), DisplayName: name, Description: "made by a test"})
		if status(resp) == http.StatusForbidden && errorID(err) == "api.bot.create_disabled" {
			r.off("ServiceSettings.EnableBotAccountCreation")
		}
		if err != nil {
			return err
		}
		r.bot, r.botName = b.UserId, b.Username
		r.undo("disabling the bot", func(ctx context.Context) error {
			_, _, err := r.admin.DisableBot(ctx, b.UserId)
			return err
		})
		made, _, err := r.admin.CreateUserAccessToken(ctx, b.UserId, "made by a test")
		if err != nil {
			return err
		}
		r.tokens[made.Token], token = made.Id, made.Token
		return nil
	})
	return r.bot, token
}

func (r *realServer) Revoke(token string) {
	r.t.Helper()
	r.do("revoking a token", func(ctx context.Context) error {
		_, err := r.admin.RevokeUserAccessToken(ctx, r.tokens[token])
		return err
	})
}

func (r *realServer) AddUser(u mattermosttest.User) string {
	r.t.Helper()
	name, password := random(u.Name), "Aa1!"+rand.Text()
	p := &person{Client4: r.client(), fresh: make(chan struct{}, 1)}
	r.do("making a person", func(ctx context.Context) error {
		zone := model.StringMap{"useAutomaticTimezone": "true", "automaticTimezone": u.Zone, "manualTimezone": ""}
		made, _, err := r.admin.CreateUser(ctx, &model.User{
			Username: name, Email: name + "@example.org", Password: password, Nickname: u.Nickname, FirstName: u.First, LastName: u.Last, Locale: u.Locale, Timezone: zone,
			EmailVerified: true, DisableWelcomeEmail: true,
		})
		if errorID(err) == "api.user.create_user.signup_email_disabled.app_error" {
			r.off("EmailSettings.EnableSignUpWithEmail or TeamSettings.EnableUserCreation")
		}
		if err != nil {
			return err
		}
		p.id = made.Id
		r.undo("deactivating a person", func(ctx context.Context) error {
			if p.events != nil {
				p.events.Close()
			}
			_, err := r.admin.DeleteUser(ctx, p.id)
			return err
		})
		_, resp, err := p.Login(ctx, name, password)
		if status(resp) == http.StatusUnauthorized {
			r.off("EmailSettings.EnableSignInWithUsername (on, with EmailSettings.RequireEmailVerification off)")
		}
		return err
	})
	r.people[p.id] = p
	return p.id
}

func (r *realServer) AddTeam(name string, members ...string) (id string) {
	r.t.Helper()
	r.do("making a team", func(ctx context.Context) error {
		made, _, err := r.admin.CreateTeam(ctx, &model.Team{Name: random(name), DisplayName: name, Type: model.TeamInvite})
		if err != nil {
			return err
		}
		id = made.Id
		r.undo("archiving the team", func(ctx context.Context) error {
			_, err := r.admin.SoftDeleteTeam(ctx, made.Id)
			return err
		})
		for _, m := range members {
			if _, _, err := r.admin.AddTeamMember(ctx, id, m); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

// AddChannel makes a channel in which the admin, who made it, does not stay.
func (r *realServer) AddChannel(team, name string, members ...string) (id string) {
	r.t.Helper()
	r.do("making a channel", func(ctx context.Context) error {
		made, _, err := r.admin.CreateChannel(ctx, &model.Channel{TeamId: team, Name: random(name), DisplayName: name, Type: model.ChannelTypeOpen})
		if err != nil {
			return err
		}
		id = made.Id
		r.undo("archiving the channel", func(ctx context.Context) error {
			_, err := r.admin.DeleteChannel(ctx, made.Id)
			return err
		})
		for _, m := range members {
			if _, _, err := r.admin.AddChannelMember(ctx, id, m); err != nil {
				return err
			}
			if p := r.people[m]; p != nil {
				r.readers[id] = p
			}
		}
		r.teams[id] = team
		_, err = r.admin.RemoveUserFromChannel(ctx, id, r.me.Id)
		return err
	})
	return id
}

func (r *realServer) SetChannelAdmin(channel, user string, admin bool) {
	r.t.Helper()
	r.do("a channel admin", func(ctx context.Context) error {
		_, err := r.admin.UpdateChannelMemberSchemeRoles(ctx, channel, user, &model.SchemeRoles{SchemeAdmin: admin, SchemeUser: true})
		return err
	})
}

func (r *realServer) SetTeamAdmin(team, user string, admin bool) {
	r.t.Helper()
	r.do("a team admin", func(ctx context.Context) error {
		_, err := r.admin.UpdateTeamMemberSchemeRoles(ctx, team, user, &model.SchemeRoles{SchemeAdmin: admin, SchemeUser: true})
		return err
	})
}

// RegisterCommand leaves the part out if the server has no commands, or does not reach what listens here. That is tried with
// a listener of its own, so that a defect of the bot's is never taken for it.
func (r *realServer) RegisterCommand(user, team, trigger, to string) (token string, err error) {
	r.t.Helper()
	var reached atomic.Bool
	probe := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Store(true)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"text":"ok"}`))
	}))
	r.listenOn(probe)
	probe.Start()
	defer probe.Close()
	word := random("bereik")
	_, err = r.register(user, team, word, "http://"+probe.Listener.Addr().String()+"/")
	if err != nil {
		return "", err
	}
	for channel, of := range r.teams {
		if of == team {
			r.Command(user, channel, "/"+word)
			break
		}
	}
	if !reached.Load() {
		r.off("ServiceSettings.AllowedUntrustedInternalConnections (it must hold " + r.host + ", see also " + hostVar + ")")
	}
	return r.register(user, team, trigger, to)
}

func (r *realServer) register(user, team, trigger, to string) (token string, err error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), oneCall)
	defer cancel()
	made, resp, err := r.people[user].CreateCommand(ctx, &model.Command{TeamId: team, Trigger: trigger, URL: to, Method: model.CommandMethodPost, DisplayName: "made by a test"})
	if status(resp) == http.StatusNotImplemented {
		r.off("ServiceSettings.EnableCommands")
	}
	if err != nil {
		return "", err
	}
	r.undo("removing the command", func(ctx context.Context) error {
		_, err := r.admin.DeleteCommand(ctx, made.Id)
		return err
	})
	return made.Token, nil
}

// reachable is a listener that says the address by which the server reaches it.
type reachable struct {
	net.Listener
	host string
}

func (l reachable) Addr() net.Addr { return publicAddr{l.Listener.Addr(), l.host} }

type publicAddr struct {
	net.Addr
	host string
}

func (a publicAddr) String() string {
	_, port, _ := net.SplitHostPort(a.Addr.String())
	return net.JoinHostPort(a.host, port)
}

// listenOn gives s a listener that the server reaches: on loopback, or on every address if it reaches us by another name.
func (r *realServer) listenOn(s *httptest.Server) {
	r.t.Helper()
	if r.host == "127.0.0.1" {
		return
	}
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		r.t.Fatal(err)
	}
	_ = s.Listener.Close()
	s.Listener = reachable{l, r.host}
}

func (r *realServer) post(user, channel, words string) (id string) {
	r.t.Helper()
	r.do("posting", func(ctx context.Context) error {
		p, _, err := r.people[user].CreatePost(ctx, &model.Post{ChannelId: channel, Message: words})
		if err != nil {
			return err
		}
		id = p.Id
		r.authors[id] = r.people[user]
		return nil
	})
	return id
}

func (r *realServer) direct(user string) (channel string) {
	r.t.Helper()
	r.do("opening a conversation", func(ctx context.Context) error {
		c, _, err := r.people[user].CreateDirectChannel(ctx, user, r.bot)
		if err != nil {
			return err
		}
		channel, r.readers[c.Id] = c.Id, r.people[user]
		return nil
	})
	return channel
}

func (r *realServer) DM(user, words string) string { return r.post(user, r.direct(user), words) }

func (r *realServer) Mention(user, channel, words string) string {
	return r.post(user, channel, "@"+r.botName+" "+words)
}

func (r *realServer) Edit(post, words string) {
	r.t.Helper()
	r.do("editing", func(ctx context.Context) error {
		_, _, err := r.authors[post].PatchPost(ctx, post, &model.PostPatch{Message: &words})
		return err
	})
}

func (r *realServer) Delete(post string) {
	r.t.Helper()
	r.do("deleting", func(ctx context.Context) error {
		_, err := r.authors[post].DeletePost(ctx, post)
		return err
	})
}

func (r *realServer) DMs(user string) []mattermosttest.Post { return r.Posts(r.direct(user)) }

// Posts is oldest first, without what the server itself says.
func (r *realServer) Posts(channel string) (all []mattermosttest.Post) {
	r.t.Helper()
	for page, more := 0, true; more; page++ {
		r.do("reading", func(ctx context.Context) error {
			list, _, err := r.readers[channel].GetPostsForChannel(ctx, channel, page, 200, "", false, false)
			if err != nil {
				return err
			}
			for _, p := range list.ToSlice() {
				if p.DeleteAt == 0 && !p.IsSystemMessage() && p.Type != "add_bot_teams_channels" {
					all = append(all, seen(p))
				}
			}
			more = len(list.Order) == 200
			return nil
		})
	}
	slices.SortStableFunc(all, func(a, b mattermosttest.Post) int { return int(a.Created - b.Created) })
	return all
}

func (r *realServer) Post(id string) (post mattermosttest.Post, ok bool) {
	r.t.Helper()
	r.do("reading", func(ctx context.Context) error {
		for _, reader := range r.people {
			p, resp, err := reader.GetPost(ctx, id, "")
			switch status(resp) {
			case http.StatusForbidden, http.StatusNotFound:
				continue
			}
			if err != nil {
				return err
			}
			post, ok = seen(p), true
			return nil
		}
		return nil
	})
	return post, ok
}

// seen is a post as people see it.
func seen(p *model.Post) mattermosttest.Post {
	v := mattermosttest.Post{
		ID: p.Id, User: p.UserId, Channel: p.ChannelId, Root: p.RootId, Text: p.Message, Type: p.Type, Props: p.GetProps(), Edited: p.EditAt > 0,
		Pinned: p.IsPinned, Created: p.CreateAt, Updated: p.UpdateAt,
	}
	for _, a := range p.Attachments() {
		n := mattermosttest.Attachment{Fallback: a.Fallback, Color: a.Color, Pretext: a.Pretext, Title: a.Title, Text: a.Text, Footer: a.Footer, ImageURL: a.ImageURL}
		for _, b := range a.Actions {
			act := mattermosttest.Action{ID: b.Id, Name: b.Name, Type: b.Type, Style: b.Style}
			for _, o := range b.Options {
				act.Options = append(act.Options, mattermosttest.Option{Text: o.Text, Value: o.Value})
			}
			n.Actions = append(n.Actions, act)
		}
		v.Attachments = append(v.Attachments, n)
	}
	return v
}

// acts is said before somebody does what may open a dialog: from then on they watch for it.
func (r *realServer) acts(user, channel string) *person {
	r.t.Helper()
	p := r.people[user]
	p.channel = channel
	if p.events != nil {
		select {
		case <-p.fresh:
		default:
		}
		return p
	}
	c, err := model.NewWebSocketClient4("ws"+strings.TrimPrefix(r.url, "http"), p.AuthToken)
	if err != nil {
		r.t.Fatal("the websocket of a person cannot be opened")
	}
	c.Listen()
	p.events = c
	hello := make(chan struct{})
	go p.watch(c, hello)
	select {
	case <-hello:
	case <-time.After(arrives):
		r.t.Fatal("the server does not say hello to a person")
	}
	return p
}

// watch keeps the last dialog, until the connection ends.
func (p *person) watch(c *model.WebSocketClient, hello chan<- struct{}) {
	for e := range c.EventChannel {
		switch e.EventType() {
		case model.WebsocketEventHello:
			close(hello)
		case model.WebsocketEventOpenDialog:
			var in struct {
				URL    string                `json:"url"`
				Dialog mattermosttest.Dialog `json:"dialog"`
			}
			words, _ := e.GetData()["dialog"].(string)
			if json.Unmarshal([]byte(words), &in) != nil {
				continue
			}
			in.Dialog.URL, in.Dialog.User = in.URL, p.id
			p.mu.Lock()
			p.dialog = &in.Dialog
			p.mu.Unlock()
			select {
			case p.fresh <- struct{}{}:
			default:
			}
		}
	}
}

// Dialog waits a moment for one that is being opened.
func (r *realServer) Dialog(user string) *mattermosttest.Dialog {
	p := r.people[user]
	select {
	case <-p.fresh:
	case <-time.After(opens):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dialog
}

func (r *realServer) Click(user, post, action string) mattermosttest.ClickResult {
	r.t.Helper()
	shown, ok := r.Post(post)
	if !ok {
		return mattermosttest.ClickResult{Status: http.StatusNotFound}
	}
	p := r.acts(user, shown.Channel)
	ctx, cancel := context.WithTimeout(context.Background(), oneCall)
	defer cancel()
	resp, err := p.DoPostAction(ctx, post, action)
	out := mattermosttest.ClickResult{Status: status(resp), Err: errorID(err)}
	if err == nil {
		select {
		case <-p.fresh:
			p.mu.Lock()
			out.Opened = []mattermosttest.Dialog{*p.dialog}
			p.mu.Unlock()
			p.fresh <- struct{}{}
		case <-time.After(opens):
		}
	}
	return out
}

func (r *realServer) Command(user, channel, line string) mattermosttest.CommandResult {
	r.t.Helper()
	p := r.acts(user, channel)
	ctx, cancel := context.WithTimeout(context.Background(), oneCall)
	defer cancel()
	got, resp, err := p.ExecuteCommand(ctx, channel, line)
	if err != nil {
		return mattermosttest.CommandResult{Status: status(resp), Err: errorID(err)}
	}
	return mattermosttest.CommandResult{Status: status(resp), Text: got.Text, Public: got.ResponseType == model.CommandResponseTypeInChannel}
}

func (r *realServer) Submit(user string, d *mattermosttest.Dialog, values map[string]any) mattermosttest.SubmitResult {
	r.t.Helper()
	filled, shown, err := d.Fill(values)
	if err != nil {
		r.t.Error(err)
	}
	if len(shown) > 0 {
		return mattermosttest.SubmitResult{Status: 200, Errors: shown}
	}
	p := r.people[user]
	ctx, cancel := context.WithTimeout(context.Background(), oneCall)
	defer cancel()
	got, resp, err := p.SubmitInteractiveDialog(ctx, model.SubmitDialogRequest{
		URL: d.URL, CallbackId: d.CallbackID, State: d.State, ChannelId: p.channel, TeamId: r.teams[p.channel], Submission: filled,
	})
	if err != nil {
		return mattermosttest.SubmitResult{Status: status(resp), Err: errorID(err)}
	}
	return mattermosttest.SubmitResult{Status: 200, Error: got.Error, Errors: got.Errors, Sent: true, Closed: got.Error == "" && len(got.Errors) == 0}
}

func (r *realServer) Await(what string, done func() bool) {
	r.t.Helper()
	limit, look := time.NewTimer(arrives), time.NewTicker(looks)
	defer limit.Stop()
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-limit.C:
			r.t.Fatalf("never came: %s", what)
		}
	}
}

// Advance waits, unless what is behind the API has a clock that can be moved.
func (r *realServer) Advance(d time.Duration) {
	if r.pass != nil {
		r.pass(d)
		return
	}
	<-time.After(d)
}

// realVars reads where the real server is. missing is the variable that is not set while the other one is.
func realVars(get func(string) string) (url, token, missing string) {
	url, token = get(urlVar), get(adminVar)
	switch {
	case url != "" && token == "":
		missing = adminVar
	case url == "" && token != "":
		missing = urlVar
	}
	return url, token, missing
}

// The stories of the server for tests play on a real one, if there is one. If there is none, the same code plays them by the API
// of the server for tests, which shows that this code works and takes away all that it makes.
func TestRealServer(t *testing.T) {
	url, token, missing := realVars(os.Getenv)
	if missing != "" {
		t.Skipf("%s is not set: a real server needs %s and %s", missing, urlVar, adminVar)
	}
	if url != "" {
		stories(t, func(t *testing.T) server { return newReal(t, url, token, os.Getenv(hostVar)) })
		return
	}
	t.Logf("without %s and %s this plays on the server for tests", urlVar, adminVar)
	for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		t.Run(version.String(), func(t *testing.T) {
			stories(t, func(t *testing.T) server {
				s := mattermosttest.New(t, version)
				url, token := administered(t, s)
				r := newReal(t, url, token, "")
				r.pass = s.Advance
				return r
			})
		})
	}
}

// administered adds an admin to s, and looks at the end whether anything that was made by them is left.
func administered(t *testing.T, s *mattermosttest.Server) (url, token string) {
	admin := s.AddUser(mattermosttest.User{Name: "beheer", SystemAdmin: true})
	t.Cleanup(func() {
		if left := s.Left(admin); len(left) > 0 {
			t.Errorf("left on the server: %v", left)
		}
	})
	return s.URL(), s.Token(admin)
}

// stories are those that play on any server.
func stories(t *testing.T, open func(*testing.T) server) {
	t.Run("contract", func(t *testing.T) { contract(t, open) })
	for _, lang := range []prompts.Lang{prompts.Dutch, prompts.English} {
		t.Run("words "+string(lang), func(t *testing.T) { roundInWords(t, open(t), lang) })
		t.Run("dialogs "+string(lang), func(t *testing.T) { roundInDialogs(t, open(t), lang) })
	}
}

// The variables do what CONTRIBUTING.md says, in a program of its own. The admin's token is in no output, and nothing stays.
func TestRealServerIsGivenByVariables(t *testing.T) {
	run := func(run string, vars ...string) (string, error) {
		cmd := exec.Command(os.Args[0], "-test.run", run, "-test.v", "-test.timeout", "2m")
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WEERKLANK_TEST_MATTERMOST_") })
		cmd.Env = append(cmd.Env, vars...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	s := mattermosttest.New(t, mattermosttest.V11)
	url, token := administered(t, s)
	for what, c := range map[string]struct{ set, missing string }{
		"no token": {urlVar + "=" + url, adminVar}, "no url": {adminVar + "=" + token, urlVar},
	} {
		out, err := run("^TestRealServer$", c.set)
		if err != nil || !strings.Contains(out, "--- SKIP: TestRealServer ") || !strings.Contains(out, c.missing+" is not set") || strings.Contains(out, token) {
			t.Errorf("%s: %v\n%s", what, err, strings.ReplaceAll(out, token, "TOKEN"))
		}
	}
	both := []string{urlVar + "=" + url, adminVar + "=" + token}
	part := "^TestRealServer$/^(words nl|dialogs en)$"
	out, err := run(part, both...)
	if err != nil || !strings.Contains(out, "--- PASS: TestRealServer/dialogs_en") || !strings.Contains(out, "--- PASS: TestRealServer/words_nl") {
		t.Errorf("%v\n%s", err, strings.ReplaceAll(out, token, "TOKEN"))
	}
	if strings.Contains(out, token) {
		t.Error("the admin's token is in the output")
	}
	for setting, change := range map[string]func(*mattermosttest.Settings){
		"ServiceSettings.EnableCommands":           func(c *mattermosttest.Settings) { c.CommandsDisabled = true },
		"ServiceSettings.EnableBotAccountCreation": func(c *mattermosttest.Settings) { c.CommandsDisabled, c.BotsDisabled = false, true },
	} {
		s.Set(change)
		out, err := run("^TestRealServer$/^dialogs nl$", both...)
		if err != nil || !strings.Contains(out, "--- SKIP: TestRealServer/dialogs_nl") || !strings.Contains(out, setting) || strings.Contains(out, token) {
			t.Errorf("%s off: %v\n%s", setting, err, strings.ReplaceAll(out, token, "TOKEN"))
		}
		s.Set(func(c *mattermosttest.Settings) { c.CommandsDisabled, c.BotsDisabled = false, false })
	}
	// A host at which nobody is found is one that the server does not reach.
	out, err = run("^TestRealServer$/^dialogs nl$", append(both, hostVar+"=nobody.invalid")...)
	if err != nil || !strings.Contains(out, "--- SKIP: TestRealServer/dialogs_nl") || !strings.Contains(out, "AllowedUntrustedInternalConnections") {
		t.Errorf("not reached: %v\n%s", err, strings.ReplaceAll(out, token, "TOKEN"))
	}

	// What was made is taken away when a test fails half way too; administered looks at it.
	s.Fail(1, http.MethodPut, "/schemeRoles", mattermosttest.Broken(http.StatusInternalServerError, false))
	out, err = run("^TestRealServer$/^words nl$", both...)
	if err == nil || !strings.Contains(out, "--- FAIL: TestRealServer/words_nl") || strings.Contains(out, token) || s.Count("POST /api/v4/teams") == 0 {
		t.Errorf("a test that fails: %v\n%s", err, strings.ReplaceAll(out, token, "TOKEN"))
	}

	full := mattermosttest.New(t, mattermosttest.V11)
	admin := full.AddUser(mattermosttest.User{Name: "beheer", SystemAdmin: true})
	for range mostPeople {
		full.AddUser(mattermosttest.User{Name: random("mens")})
	}
	out, err = run("^TestRealServer$/^words nl$", urlVar+"="+full.URL(), adminVar+"="+full.Token(admin))
	if err == nil || !strings.Contains(out, "more than 200 active people") || strings.Contains(out, full.Token(admin)) || full.Count("POST /api/v4/users") > 0 {
		t.Errorf("a server that people use is not refused: %v", err)
	}
}
