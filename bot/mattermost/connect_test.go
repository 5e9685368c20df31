package mattermost_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// desk is an adapter alone: a server, and what the bot would hear.
type desk struct {
	t                       *testing.T
	s                       *mattermosttest.Server
	me, token, fatima, omar string
	team, crew              string
	old                     string // a post
	m                       *chattest.Marks
	log                     *chattest.Log
	a                       *mattermost.Adapter
	stop                    func()
	handle                  func(bot.Event) error // before anything is noted; may be nil
	silent                  bool                  // nothing is answered

	mu     sync.Mutex
	heard  []string
	change chan struct{}
}

func newDesk(t *testing.T, version mattermosttest.Version) *desk {
	t.Helper()
	d := &desk{t: t, s: mattermosttest.New(t, version), m: openMarks(), log: &chattest.Log{}, change: make(chan struct{})}
	d.me, d.token = d.s.AddBot("weerklank")
	d.fatima = d.s.AddUser(mattermosttest.User{Name: "fatima", Locale: "nl"})
	d.omar = d.s.AddUser(mattermosttest.User{Name: "omar", Locale: "nl"})
	d.team = d.s.AddTeam("gemeente", d.me, d.fatima, d.omar)
	d.crew = d.s.AddChannel(d.team, "buitendienst", d.me, d.fatima, d.omar)
	return d
}

func (d *desk) open() *mattermost.Adapter {
	return open(d.t, d.s, d.token, d.m, d.log).Adapter
}

// begin runs a new adapter that waits a fiftieth of what it waits otherwise.
func (d *desk) begin(edit ...func(*mattermost.Adapter)) (begun <-chan struct{}) {
	d.t.Helper()
	began := make(chan struct{})
	a, err := mattermost.New(mattermost.Config{
		URL: d.s.URL(), Token: d.token, Mark: d.m.Mark, SetMark: d.m.SetMark, OpenSince: d.m.OpenSince, Begun: func() { close(began) },
	}, slog.New(slog.NewTextHandler(d.log, nil)))
	if err != nil {
		d.t.Fatal(err)
	}
	a.Hurry(50)
	for _, e := range edit {
		e(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { a.Run(ctx, d.hear); close(ended) }()
	d.a, d.stop = a, sync.OnceFunc(func() { cancel(); <-ended })
	d.t.Cleanup(d.stop)
	return began
}

func (d *desk) start(edit ...func(*mattermost.Adapter)) {
	d.t.Helper()
	select {
	case <-d.begin(edit...):
	case <-time.After(10 * time.Second):
		d.t.Fatalf("the chat does not take events:\n%s", d.log)
	}
}

// then lets every later post be refused, once one was tried.
func (d *desk) then(status int) {
	var mu sync.Mutex
	n := 0
	d.s.Fault(func(r mattermosttest.Request) *mattermosttest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if r.Method != "POST" || !strings.HasSuffix(r.Path, "/posts") {
			return nil
		}
		n++
		f := mattermosttest.Broken(status, false)
		return &f
	})
}

func (d *desk) hear(ctx context.Context, e bot.Event) (bot.Response, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		d.t.Errorf("%T may take for ever", e)
	}
	if d.handle != nil {
		if err := d.handle(e); err != nil {
			return bot.Response{}, err
		}
	}
	line := ""
	switch e := e.(type) {
	case bot.DirectReply:
		line = string(e.Text)
		if e.Edited {
			line = "changed: " + line
		}
	case bot.ReplyWithdrawn:
		line = "withdrawn"
	case bot.Command:
		line = "command: " + e.Text
	case bot.ChannelGone:
		line = "gone"
	case bot.Invited:
		line = "invited to " + e.Chan + " by " + e.Name
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, line)
	close(d.change)
	d.change = make(chan struct{})
	if _, asked := e.(bot.Invited); d.silent || asked || line == "gone" {
		return bot.Response{}, nil
	}
	m := plain("gehoord: " + line)
	return bot.Response{Message: &m}, nil
}

// lines is what was heard so far.
func (d *desk) lines() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.heard)
}

// hears waits until that was heard, in that order, and checks that nothing else was.
func (d *desk) hears(want ...string) {
	d.t.Helper()
	limit := time.After(15 * time.Second)
	for {
		d.mu.Lock()
		got, change := slices.Clone(d.heard), d.change
		d.mu.Unlock()
		if len(got) >= len(want) {
			if !slices.Equal(got, want) {
				d.t.Fatalf("heard %q\nnot   %q\n%s", got, want, d.log)
			}
			return
		}
		select {
		case <-change:
		case <-limit:
			d.t.Fatalf("heard %q\nnot   %q\n%s", got, want, d.log)
		}
	}
}

// settle lets the millisecond pass that is the clock of versions.
func settle() { <-time.After(3 * time.Millisecond) }

func (d *desk) connected() { d.s.Await("a connection", func() bool { return d.s.Sockets(d.me) == 1 }) }

// answers counts what the bot said to somebody.
func (d *desk) answers(who string) map[string]int {
	n := map[string]int{}
	for _, p := range d.s.DMs(who) {
		if p.User == d.me {
			n[p.Text]++
		}
	}
	return n
}

// once waits until each line was answered, and checks that none was twice.
func (d *desk) once(who string, lines ...string) {
	d.t.Helper()
	d.s.Await("the answers", func() bool { return len(d.answers(who)) >= len(lines) })
	for text, n := range d.answers(who) {
		if n != 1 {
			d.t.Errorf("%q was said %d times", text, n)
		}
	}
}

func TestConnectionBadToken(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Revoke(d.token)
	d.begin(func(a *mattermost.Adapter) { a.Hurry(2) }) // 600 ms between tries of the token
	<-time.After(400 * time.Millisecond)
	if _, err := d.a.Post(context.Background(), bot.TeamID("mattermost:"+d.crew), plain("x"), "", "k"); !errors.Is(err, bot.ErrUnauthorised) {
		t.Error(err)
	}
	if n := d.s.Count("GET /api/v4/users/me"); n > 4 {
		t.Errorf("%d tries", n)
	}
	if n := d.s.Count("GET /api/v4/websocket"); n != 0 {
		t.Errorf("%d sockets with a bad token", n)
	}
}

func TestConnectionDisabledAndBack(t *testing.T) {
	for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		d := newDesk(t, version)
		d.start(func(a *mattermost.Adapter) { a.Look(20 * time.Millisecond) })
		d.s.DM(d.fatima, "een")
		d.hears("een")
		d.once(d.fatima, "een")
		d.s.Disable(d.me)
		d.s.Await("the end of the silent socket", func() bool { return d.s.Sockets(d.me) == 0 })
		settle()
		d.s.DM(d.fatima, "twee")
		d.s.Enable(d.me)
		d.hears("een", "twee")
		d.once(d.fatima, "een", "twee")
		d.stop()
	}
}

func TestConnectionFrozen(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start(func(a *mattermost.Adapter) { a.Look(50 * time.Millisecond); a.CallTime(100 * time.Millisecond) })
	d.s.Freeze()
	d.s.DM(d.fatima, "bevroren")
	for end := time.Now().Add(10 * time.Second); !strings.Contains(d.log.String(), "looking whether the server is there"); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody noticed")
		}
	}
	d.s.Thaw()
	d.hears("bevroren")
	d.once(d.fatima, "bevroren")
}

// A connection on which the server's pings stop is ended by that alone, whatever the server answers otherwise; and that they
// stay away is read on until then.
func TestConnectionSilent(t *testing.T) {
	if err, read := mattermost.Silence(); !read || err == nil || !strings.Contains(err.Error(), "silent") {
		t.Errorf("%v, %v", err, read)
	}
}

// More events than may wait while it is caught up are not lost: they are caught up with, by another connection.
func TestConnectionOverflow(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	few := func(a *mattermost.Adapter) { a.Queue(20) }
	d.start(few)
	d.s.DM(d.fatima, "een")
	d.once(d.fatima, "een")
	d.stop()
	d.s.DM(d.omar, "twee")
	asked := make(chan struct{}, 10)
	d.s.Fault(func(r mattermosttest.Request) *mattermosttest.Fault {
		if r.Method == "GET" && strings.HasSuffix(r.Path, d.s.Direct(d.fatima, d.me)+"/posts") {
			asked <- struct{}{}
			return &mattermosttest.Fault{Late: 300 * time.Millisecond}
		}
		return nil
	})
	d.silent = true
	d.begin(few)
	<-asked
	settle()
	d.s.Burst(d.fatima, d.s.Direct(d.fatima, d.me), 50)
	d.s.NoFaults()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(d.log.String(), "too many events wait"); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not overflow:\n%s", d.log)
		}
	}
	limit := time.After(10 * time.Second)
	for len(d.lines()) < 52 {
		select {
		case <-limit:
			t.Fatalf("%d of 52", len(d.lines()))
		case <-time.After(5 * time.Millisecond):
		}
	}
	said := map[string]int{}
	for _, l := range d.lines() {
		if said[l]++; said[l] > 1 {
			t.Errorf("%q was heard %d times", l, said[l])
		}
	}
}

// Whatever else comes by the socket, what people say is heard once.
func TestConnectionNoise(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	d.s.Garbage(d.me, "{{{")
	d.s.Garbage(d.me, `{"event":"posted","data":{"post":17},"seq":"x"}`)
	d.s.Emit(d.me, "never_heard_of", map[string]any{"a": 1})
	d.s.Emit(d.me, "posted", map[string]any{"post": "{", "channel_type": "D"})
	d.s.Emit(d.me, "posted", map[string]any{"channel_type": 3})
	d.s.DM(d.fatima, "een")
	d.s.Repeat(d.me, false)
	d.hears("een")
	d.once(d.fatima, "een")
	settle()
	d.s.Skip(d.me, 3)
	d.s.DM(d.fatima, "na een gat")
	d.hears("een", "na een gat")
	d.once(d.fatima, "een", "na een gat")
	d.connected()
	settle()
	d.silent = true
	post := d.s.DM(d.fatima, "twee")
	d.s.Repeat(d.me, true)
	d.hears("een", "na een gat", "twee")
	settle()
	d.s.Delete(post)
	d.s.Repeat(d.me, true)
	d.hears("een", "na een gat", "twee", "withdrawn")
	d.s.CutSockets()
	settle()
	d.s.DM(d.fatima, "drie")
	d.hears("een", "na een gat", "twee", "withdrawn", "drie")
}

func TestConnectionBurst(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Set(func(s *mattermosttest.Settings) { s.PingEvery = 20 * time.Millisecond; s.PongWait = 2 * time.Second })
	d.silent = true
	slow := make(chan struct{})
	d.handle = func(bot.Event) error { <-slow; return nil }
	d.start()
	d.s.Burst(d.fatima, d.s.Direct(d.fatima, d.me), 750)
	d.s.Burst(d.omar, d.s.Direct(d.omar, d.me), 750)
	<-time.After(2500 * time.Millisecond) // longer than a socket may be silent
	if n := d.s.Sockets(d.me); n != 1 {
		t.Error("the server dropped us")
	}
	close(slow)
	limit := time.After(20 * time.Second)
	for len(d.lines()) < 1500 {
		select {
		case <-limit:
			t.Fatalf("%d of 1500", len(d.lines()))
		case <-time.After(5 * time.Millisecond):
		}
	}
	n := map[string]int{}
	for _, l := range d.lines() {
		n[l]++
	}
	for i := range 750 {
		if l := fmt.Sprintf("burst %d", i); n[l] != 2 {
			t.Errorf("%s: %d", l, n[l])
		}
	}
}

func TestConnectionBackoff(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Fail(1000, "GET", "/websocket", mattermosttest.LostCut())
	d.begin(func(a *mattermost.Adapter) { a.Hurry(2) }) // 10 ms, 20 ms … 600 ms
	<-time.After(1500 * time.Millisecond)
	d.stop()
	if n := d.s.Count("GET /api/v4/websocket"); n < 4 || n > 12 {
		t.Errorf("%d tries in 1.5 s", n)
	}
}

func TestConnectionNoLeaks(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	d.stop()
	d.s.Await("the end", func() bool { return d.s.Sockets(d.me) == 0 })
	before := runtime.NumGoroutine()
	for range 8 {
		d.start()
		d.s.CutSockets()
		d.connected()
		d.stop()
	}
	var now int
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		if now = runtime.NumGoroutine(); now <= before+4 {
			return
		}
	}
	t.Errorf("%d goroutines, %d before", now, before)
}

// ---- catching up

// Whatever happened while nobody listened is heard once, in its last version, in order and before anything new.
func TestCatchUp(t *testing.T) {
	outages := map[string]func(d *desk) (back func()){
		"ours": func(d *desk) func() { d.stop(); return func() { d.start() } },
		"socket": func(d *desk) func() {
			d.s.Fail(3, "GET", "/websocket", mattermosttest.LostCut())
			d.s.CutSockets()
			return func() {}
		},
		"server": func(d *desk) func() { d.s.Stop(); d.s.CutSockets(); return d.s.Restart },
	}
	for name, outage := range outages {
		for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
			t.Run(name+" "+version.String(), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, version)
				d.start()
				kept := d.s.DM(d.fatima, "een")
				d.hears("een")
				settle()
				gone := d.s.DM(d.fatima, "twee")
				d.hears("een", "twee")
				d.once(d.fatima, "een", "twee")
				back := outage(d)
				settle()
				d.s.Edit(kept, "een, anders")
				settle()
				d.s.Delete(gone)
				settle()
				again := d.s.DM(d.fatima, "drie")
				settle()
				d.s.Edit(again, "drie, anders")
				settle()
				both := d.s.DM(d.fatima, "vier")
				settle()
				d.s.Edit(both, "vier, anders")
				settle()
				d.s.Delete(both)
				settle()
				d.s.Reply(d.fatima, kept, "in de draad")
				settle()
				d.s.Type(d.fatima, d.crew, "aan iedereen")
				other := d.s.Group(d.fatima, d.omar, d.me)
				d.s.Type(d.fatima, other, "aan ons drieën")
				for _, mark := range []string{"from_webhook", "from_bot", "from_plugin"} { // another integration, under her account
					if _, err := d.s.Try(d.fatima, d.s.Direct(d.fatima, d.me), "van een ander programma", map[string]any{mark: "true"}); err != nil {
						t.Fatal(err)
					}
				}
				robot, _ := d.s.AddBot("robot")
				d.s.Type(robot, d.s.Direct(robot, d.me), "van een robot")
				back()
				want := []string{"een", "twee", "changed: een, anders", "withdrawn", "changed: drie, anders", "withdrawn", "in de draad"}
				if name == "socket" { // it may be back in the middle
					d.s.Await("everything", func() bool { return d.answers(d.fatima)["gehoord: in de draad"] == 1 })
					got := d.lines()
					for _, w := range want[:4] {
						if !slices.Contains(got, w) {
							t.Errorf("not heard: %s in %q", w, got)
						}
					}
					for _, l := range []string{"aan iedereen", "aan ons drieën", "van een robot", "van een ander programma"} {
						if slices.Contains(got, l) {
							t.Errorf("heard: %s", l)
						}
					}
				} else {
					d.hears(want...)
				}
				d.s.DM(d.omar, "nieuw")
				d.s.Await("an answer", func() bool { return d.answers(d.omar)["gehoord: nieuw"] == 1 })
				for text, n := range d.answers(d.fatima) {
					if n != 1 && text != "gehoord: withdrawn" {
						t.Errorf("%q was said %d times", text, n)
					}
				}
			})
		}
	}
}

// More was said than the server tells at once, by somebody who never spoke to the bot before.
func TestCatchUpManyMessages(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.silent = true
	d.start()
	d.stop()
	d.s.Burst(d.fatima, d.s.Direct(d.fatima, d.me), 1203)
	d.start()
	want := make([]string, 1203)
	for i := range want {
		want[i] = fmt.Sprintf("burst %d", i)
	}
	got := d.lines()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d of %d", len(got), len(want))
	}
}

// What was changed and taken away before so much was said is found too: what was changed wherever the server's thousand rows
// come from, what was taken away if they are those that changed first.
func TestCatchUpBehindManyMessages(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Set(func(s *mattermosttest.Settings) { s.SinceOldest = true })
	d.start()
	kept := d.s.DM(d.fatima, "een")
	settle()
	gone := d.s.DM(d.fatima, "twee")
	d.hears("een", "twee")
	d.once(d.fatima, "een", "twee")
	d.s.Advance(10 * time.Minute)
	d.s.DM(d.omar, "later")
	d.hears("een", "twee", "later")
	d.stop()
	d.silent = true
	d.s.Edit(kept, "een, anders")
	d.s.Delete(gone)
	d.s.Burst(d.fatima, d.s.Direct(d.fatima, d.me), 2400)
	d.start()
	for _, want := range []string{"changed: een, anders", "withdrawn", "burst 0", "burst 1111", "burst 2399"} {
		if !slices.Contains(d.lines(), want) {
			t.Errorf("not heard: %s", want)
		}
	}
	d.stop()
	d.s.Set(func(s *mattermosttest.Settings) { s.SinceOldest = false })
	d.s.Edit(kept, "een, nog anders")
	d.start()
	if !slices.Contains(d.lines(), "changed: een, nog anders") {
		t.Error("an old message is behind a thousand rows")
	}
}

// An edit that was not handled yet is told, also if the message was taken away meanwhile.
func TestEditBeforeDeletion(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	slow, first := make(chan struct{}), make(chan struct{})
	d.handle = func(bot.Event) error {
		select {
		case <-first:
		default:
			close(first)
		}
		<-slow
		return nil
	}
	d.start()
	post := d.s.DM(d.fatima, "een")
	<-first
	settle()
	d.s.Edit(post, "een, anders")
	settle()
	d.s.Delete(post)
	close(slow)
	d.hears("een", "changed: een, anders", "withdrawn")
}

// Where nobody says anything the mark goes on too: nothing is read again for ever, and it does not tell when somebody wrote.
func TestCatchUpQuiet(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	d.s.Advance(10 * time.Minute)
	d.stop()
	d.start()
	if !d.past(8 * time.Minute) {
		t.Error("the mark stays where it was")
	}
}

// An event that the server loses without a gap is missed by nobody.
func TestCatchUpLostEvent(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start(func(a *mattermost.Adapter) { a.Read(100 * time.Millisecond) })
	d.s.DM(d.fatima, "een")
	d.s.Lose(2)
	d.s.DM(d.fatima, "twee")
	d.s.Mention(d.omar, d.crew, "help")
	d.once(d.omar, "command: help")
	d.once(d.fatima, "een", "twee")
	if n := d.s.Count("GET /api/v4/websocket"); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// An old message of an open round is changed: nothing else tells that there is something new in that conversation.
func TestCatchUpOldConversation(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	post := d.s.DM(d.fatima, "een")
	d.hears("een")
	d.once(d.fatima, "een")
	d.stop()
	d.m.SetMark(d.t.Context(), time.Now().Add(10*time.Minute))
	d.s.Advance(9 * time.Minute)
	d.s.Edit(post, "een, anders")
	d.start()
	d.hears("een", "changed: een, anders")
}

// What was said after the first start is caught up with, also on a server whose clock is behind ours, or was set back.
func TestCatchUpClockBehind(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Advance(-20 * time.Minute)
	d.start()
	d.stop()
	d.s.DM(d.fatima, "een")
	d.start()
	d.hears("een")
	d.once(d.fatima, "een")
	d.stop()
	d.m.SetMark(d.t.Context(), time.Now())
	d.s.DM(d.fatima, "twee")
	d.start()
	d.hears("een", "twee")
}

// What cannot be handled for a while is kept, others do not wait for it, and the mark stays before it.
func TestCatchUpFailingHandler(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	var mu sync.Mutex
	broken := true
	d.handle = func(e bot.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if r, ok := e.(bot.DirectReply); ok && broken && r.Text == "een" {
			return &bot.RetryError{Err: bot.ErrNotFound}
		}
		return nil
	}
	d.start()
	d.s.DM(d.fatima, "een")
	d.s.Advance(10 * time.Minute)
	d.s.DM(d.omar, "twee")
	d.hears("twee")
	d.once(d.omar, "twee")
	if strings.Contains(d.log.String(), "wait") {
		t.Error("the log tells when somebody wrote")
	}
	if d.past(0) {
		t.Error("the mark went past what failed")
	}
	if !strings.Contains(d.log.String(), "some messages had to wait") {
		t.Error("nobody is told that something failed")
	}
	d.start()
	d.s.CutSockets()
	d.connected()
	mu.Lock()
	broken = false
	mu.Unlock()
	d.hears("twee", "een")
	d.once(d.fatima, "een")
}

// past says whether the mark is past what was said before a while, once the chat is stopped.
func (d *desk) past(a time.Duration) bool {
	d.stop()
	at, _ := d.m.Mark(d.t.Context())
	return time.Until(at) > a
}

// Of what was deleted for good the server tells nothing any more: it is withdrawn all the same, and holds nothing up.
func TestDeletedForGood(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	post := d.s.DM(d.fatima, "een")
	d.hears("een")
	settle()
	d.s.Purge(post)
	d.hears("een", "withdrawn")
	d.once(d.fatima, "een", "withdrawn")
	d.s.Advance(10 * time.Minute)
	d.s.DM(d.omar, "twee")
	d.hears("een", "withdrawn", "twee")
	d.once(d.omar, "twee")
	if !d.past(8 * time.Minute) {
		t.Error("it holds the mark")
	}
}

// With a message its thread is deleted, and no event tells of the answers in it: they are withdrawn too, and that is said
// where it can be read.
func TestDeletedThread(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	root := d.s.DM(d.fatima, "een")
	d.hears("een")
	settle()
	d.s.Reply(d.fatima, root, "twee")
	d.hears("een", "twee")
	settle()
	d.s.Delete(root)
	d.hears("een", "twee", "withdrawn", "withdrawn")
	d.s.Await("the answers", func() bool { return d.answers(d.fatima)["gehoord: withdrawn"] == 2 })
}

// What somebody said is not dropped for an answer of the server about something else, and holds nothing up for ever.
func TestRefusedOnTheWay(t *testing.T) {
	for _, call := range []string{"/users/", "/channels/"} {
		d := newDesk(t, mattermosttest.V11)
		d.start()
		for _, code := range []int{400, 403, 404} {
			d.s.Fail(1, "GET", call, mattermosttest.Broken(code, false))
		}
		d.s.DM(d.fatima, "een")
		settle()
		d.s.Mention(d.omar, d.crew, "help") // asks for the channel and the person
		d.s.Await("both answers", func() bool { return len(d.answers(d.fatima)) == 1 && len(d.answers(d.omar)) == 1 })
		d.once(d.fatima, "een")
		d.once(d.omar, "command: help")
		d.stop()
	}
	d := newDesk(t, mattermosttest.V11)
	d.start(func(a *mattermost.Adapter) { a.Hurry(20) })
	d.s.Fail(1000, "GET", "/users/"+d.fatima, mattermosttest.Broken(404, false))
	d.s.DM(d.fatima, "een")
	d.s.Advance(10 * time.Minute)
	d.s.DM(d.omar, "twee")
	d.once(d.omar, "twee")
	for end := time.Now().Add(10 * time.Second); ; <-time.After(20 * time.Millisecond) {
		if at, _ := d.m.Mark(t.Context()); time.Until(at) > 8*time.Minute {
			break
		}
		if time.Now().After(end) {
			t.Fatal("who is not there any more holds the mark for ever")
		}
	}
}

// A conversation that cannot be read yet holds the mark, and nobody else. What is said there later waits for what was missed.
func TestCatchUpHalfway(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	d.s.DM(d.fatima, "een")
	d.once(d.fatima, "een")
	d.stop()
	settle()
	d.s.DM(d.fatima, "twee")
	d.s.Advance(20 * time.Minute)
	d.s.DM(d.omar, "drie")
	broken := "/channels/" + d.s.Direct(d.fatima, d.me) + "/posts"
	d.s.Fail(1000, "GET", broken, mattermosttest.Broken(502, false))
	d.start()
	d.once(d.omar, "drie")
	if !strings.Contains(d.log.String(), "not every conversation can be caught up with") {
		t.Error("nobody is told")
	}
	if d.past(10 * time.Minute) {
		t.Error("the mark went past what was not read")
	}
	d.start()
	d.once(d.omar, "drie")
	d.s.DM(d.fatima, "vier")
	d.s.CutSockets()
	settle()
	d.s.DM(d.fatima, "vijf")
	d.connected()
	d.s.DM(d.omar, "zes")
	d.once(d.omar, "drie", "zes")
	d.s.NoFaults()
	d.hears("een", "drie", "zes", "twee", "vier", "vijf")
	d.once(d.fatima, "een", "twee", "vier", "vijf")
	if !d.past(10 * time.Minute) {
		t.Error("the mark stays for ever")
	}
}

// That the bot was added to a channel is told once, with who did it, also if it happened while nobody listened or before the
// very first start; of the channels that everybody is put in it is not told.
func TestInvited(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	var mu sync.Mutex
	keys := map[string]int{}
	d.handle = func(e bot.Event) error {
		if i, ok := e.(bot.Invited); ok {
			mu.Lock()
			defer mu.Unlock()
			if keys[i.Key]++; i.Team == "" || i.At.IsZero() || i.Name != "" && i.Lang != prompts.Dutch {
				t.Errorf("%+v", i)
			}
		}
		return nil
	}
	d.s.SetUser(d.fatima, func(u *mattermosttest.User) { u.First, u.Last = "Fatima", "B" })
	last := ""
	add := func(name string) {
		last = d.s.AddChannel(d.team, name, d.fatima)
		d.s.Add(d.fatima, last, d.me)
	}
	all := []string{}
	hears := func(name string) {
		t.Helper()
		all = append(all, "invited to "+name+" by Fatima B")
		d.hears(all...)
	}
	add("vooraf")
	add("off-topic")
	d.start()
	hears("vooraf")
	add("meteen")
	hears("meteen")
	d.s.CutSockets()
	d.connected()
	for _, words := range []string{"er wordt weer geluisterd", "de mark gaat verder"} {
		d.s.DM(d.omar, words)
		all = append(all, words)
		d.hears(all...)
		d.s.Advance(10 * time.Minute)
	}
	d.once(d.omar, all[2:]...)
	d.stop()
	add("intussen")
	d.start()
	hears("intussen")
	d.s.Fail(1, "GET", "/channels/", mattermosttest.Broken(403, false))
	add("daarna")
	hears("daarna")
	d.s.DM(d.fatima, "een")
	all = append(all, "een")
	d.hears(all...)
	d.s.Set(func(s *mattermosttest.Settings) { s.NoJoinLines = true })
	d.s.Leave(last, d.me)
	d.s.Join(last, d.me) // the line of before is none of now
	all = append(all, "gone", "invited to daarna by ")
	d.hears(all...)
	mu.Lock()
	defer mu.Unlock()
	if len(keys) != 5 {
		t.Errorf("%d invitations", len(keys))
	}
	if log := d.log.String(); strings.Contains(log, "Fatima") || strings.Contains(log, d.fatima) {
		t.Error("the log tells who")
	}
}

// What was said to the bot in a channel while nobody listened is heard once; what was said there otherwise is not.
func TestCatchUpMentions(t *testing.T) {
	for _, many := range []int{0, 1100} {
		d := newDesk(t, mattermosttest.V11)
		d.start()
		d.s.Mention(d.omar, d.crew, "status")
		d.hears("command: status")
		d.once(d.omar, "command: status")
		d.stop()
		settle()
		d.s.Mention(d.fatima, d.crew, "help")
		settle()
		d.s.Edit(d.s.Mention(d.omar, d.crew, "aan"), "@weerklank uit")
		settle()
		d.s.Delete(d.s.Mention(d.omar, d.crew, "pauze"))
		d.s.Type(d.omar, d.crew, "vraag het aan @weerklank")
		robot, _ := d.s.AddBot("robot")
		d.s.JoinTeam(d.team, robot)
		d.s.Join(d.crew, robot)
		d.s.Mention(robot, d.crew, "status")
		d.s.Burst(d.omar, d.crew, many)
		d.start()
		d.hears("command: status", "command: help", "command: uit")
		d.once(d.fatima, "command: help")
		d.once(d.omar, "command: status", "command: uit")
		d.stop()
		d.start()
		d.s.DM(d.fatima, "een")
		d.hears("command: status", "command: help", "command: uit", "een")
	}
}

// Each time that the bot is out of a channel is told, until it was heard; a second one is no repeat of the first.
func TestChannelGone(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	var mu sync.Mutex
	tries, keys := 0, map[string]int{}
	d.handle = func(e bot.Event) error {
		g, ok := e.(bot.ChannelGone)
		if !ok {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if g.Team != bot.TeamID("mattermost:"+d.crew) || time.Since(g.At).Abs() > 2*time.Second {
			t.Errorf("%+v", g)
		}
		keys[g.Key]++
		if tries++; tries < 3 {
			return errors.New("not now")
		}
		return nil
	}
	d.start()
	d.s.Leave(d.crew, d.me)
	d.s.Join(d.crew, d.me)
	const back = "invited to buitendienst by "
	d.hears("gone", back)
	settle()
	d.s.Leave(d.crew, d.me)
	d.s.Join(d.crew, d.me)
	d.hears("gone", back, "gone", back)
	settle()
	d.s.Archive(d.crew)
	d.hears("gone", back, "gone", back, "gone")
	mu.Lock()
	defer mu.Unlock()
	if len(keys) != 3 || tries != 5 {
		t.Errorf("%d tries of %v", tries, keys)
	}
}

// What is handled while something holds the mark is not remembered without end.
func TestTrackerIsBounded(t *testing.T) {
	if n, again := mattermost.Remembered(35_000); n > 10_001 || again {
		t.Errorf("%d are remembered; the last one is new: %v", n, again)
	}
}

// An answer whose fate is unknown is not given again when the server forgot its key.
func TestCatchUpAnswerOnce(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	d.s.Fail(1, "POST", "/posts", mattermosttest.DoneCut())
	d.s.DM(d.fatima, "een")
	d.s.Await("the answer", func() bool { return len(d.answers(d.fatima)) == 1 })
	d.s.Restart()
	d.connected()
	d.s.Mention(d.omar, d.crew, "help")
	d.hears("een", "command: help")
	d.once(d.omar, "command: help")
	d.once(d.fatima, "een")
}
