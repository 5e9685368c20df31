package slack

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
)

// Config is what an Adapter needs.
type Config struct {
	BotToken      string  // xoxb-…
	AppToken      string  // xapp-…, of Socket Mode
	SigningSecret string  // of the HTTP transport
	APIURL        string  // ends in /api/; empty: Slack's
	HTTP          bool    // events come as signed requests to Handler, and not over Socket Mode
	PerSecond     float64 // messages per second over all channels; zero: 3
	// Mark and SetMark keep up to when everything was handled, over restarts; a zero time: never.
	Mark    func(context.Context) (time.Time, error)
	SetMark func(context.Context, time.Time) error
	// OpenSince is when the oldest round that still takes replies opened; a zero time: there is none.
	OpenSince func(context.Context) (time.Time, error)
	Begun     func() // called once, when the adapter takes events; may be nil
}

const (
	signInAgain = time.Minute      // before a token is tried again that was not taken
	signInSlow  = 30 * time.Second // at most, while Slack gives no answer
	doubtEvery  = 10 * time.Second // at most that often it is asked whether a token is still taken
	handleTime  = 8 * time.Second  // bounds one event; below the time that a clean end of the program may take
	markEvery   = time.Minute
)

// Adapter is a Slack workspace as a bot.Chat.
type Adapter struct {
	c      Config
	log    *slog.Logger
	wire   *wire
	people *directory
	intake *intake
	hooks  *hooks
	sent   remembered
	seen   seen
	clock  clock
	out    outgoing
	plain  atomic.Int64 // messages whose blocks Slack did not take
	again  time.Duration
	signIn time.Duration // signInAgain

	mu      sync.Mutex
	me      *api.AuthTestResponse
	handler bot.Handler
	sockets *sockets
	refused error // why Slack does not let the bot in
	begun   bool
	since   time.Time               // when Run began
	cut     context.CancelCauseFunc // ends the run
	doubted time.Time               // when it was last asked whether the token is still taken
	gaps    chan gap
}

// gap is a time in which things may have been said that nobody heard.
type gap struct {
	since time.Time // zero: since the mark
	sure  bool      // something was: also a short one is read
}

var (
	_ bot.Chat   = (*Adapter)(nil)
	_ bot.Editor = (*Adapter)(nil)
	_ bot.Former = (*Adapter)(nil)
	_ bot.People = (*Adapter)(nil)
	_ bot.Roster = (*Adapter)(nil)
)

// New checks the configuration; it does not connect.
func New(c Config, log *slog.Logger) (*Adapter, error) {
	if c.BotToken == "" || log == nil || c.Mark == nil || c.SetMark == nil || c.OpenSince == nil {
		return nil, errors.New("slack: a bot token, marks and a log are required")
	}
	if c.HTTP && c.SigningSecret == "" || !c.HTTP && c.AppToken == "" {
		return nil, errors.New("slack: an app token is required, or for requests over HTTP a signing secret")
	}
	a := &Adapter{c: c, log: log, again: time.Second, signIn: signInAgain, gaps: make(chan gap, 1)}
	a.out = outgoing{grace: sayGrace, lanes: map[string][]func(context.Context){}}
	a.wire = newWire(wireConfig{BotToken: c.BotToken, AppToken: c.AppToken, APIURL: c.APIURL, PerSecond: c.PerSecond})
	a.wire.refused = func(code string) { a.doubt(&signInError{slotBot, code}) }
	a.people = newDirectory(a.wire)
	a.intake = newIntake(a.saving, log)
	a.hooks = newHooks(c.SigningSecret, a.intake)
	a.sent = remembered{refs: map[string]bot.Ref{}, keys: map[string]string{}}
	a.seen = seen{key: []byte(rand.Text()), at: map[[16]byte]time.Time{}}
	return a, nil
}

// Platform implements bot.Chat.
func (a *Adapter) Platform() string { return Platform }

// Forms implements bot.Former.
func (a *Adapter) Forms() bool { return true }

// Handler takes what Slack sends over HTTP: events, what people press and send in, and commands. Without Config.HTTP it takes
// nothing.
func (a *Adapter) Handler() http.Handler {
	if !a.c.HTTP {
		return http.NotFoundHandler()
	}
	return a.hooks
}

// self asks who the bot is, once.
func (a *Adapter) self(ctx context.Context) (*api.AuthTestResponse, error) {
	a.mu.Lock()
	me := a.me
	a.mu.Unlock()
	if me != nil {
		return me, nil
	}
	err := judged(a.wire.call(ctx, "auth.test", "", func(ctx context.Context) (err error) {
		me, err = a.wire.api.AuthTestContext(ctx)
		return err
	}))
	if c := code(err); c != "" {
		err = &signInError{slotBot, c}
	}
	if err == nil && (me.TeamID == "" || me.UserID == "") {
		err = errAmbiguous
	}
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.me = me
	if a.people != nil {
		a.people.organisation(me.EnterpriseID)
	}
	return me, nil
}

// workspace is the id of the workspace, once it is known.
func (a *Adapter) workspace() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.me == nil {
		return ""
	}
	return a.me.TeamID
}

// teamOf names a channel of the workspace.
func (a *Adapter) teamOf(channel string) bot.TeamID {
	return bot.TeamID(Platform + ":" + a.workspace() + "/" + channel)
}

// channelOf is the channel that a TeamID names.
func channelOf(team bot.TeamID) string {
	return string(team)[strings.LastIndexAny(string(team), ":/")+1:]
}

// Run implements bot.Chat. While Slack does not let the bot in, it asks again now and then.
func (a *Adapter) Run(ctx context.Context, h bot.Handler) error {
	a.use(h)
	defer a.use(nil)
	a.mu.Lock()
	a.since = time.Now()
	a.mu.Unlock()
	for ctx.Err() == nil {
		err := a.run(ctx)
		if err == nil || ctx.Err() != nil {
			break
		}
		a.refuse(err)
		if sleep(ctx, a.signIn) != nil {
			break
		}
	}
	return nil
}

func (a *Adapter) use(h bot.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handler = h
}

func (a *Adapter) hands() bot.Handler {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.handler
}

// run takes events until ctx ends, or Slack does not let the bot in.
func (a *Adapter) run(ctx context.Context) error {
	for try := 0; ; try++ {
		_, err := a.self(ctx)
		if err == nil {
			break
		}
		if errors.Is(err, bot.ErrUnauthorised) || ctx.Err() != nil {
			return err
		}
		if try == 0 {
			a.log.Warn("slack: not signed in yet", "err", err)
		}
		if err := sleep(ctx, min(a.again<<min(try, 6), signInSlow)); err != nil {
			return err
		}
	}
	a.people.forget("")
	live, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	var carry func(context.Context) error
	sockets := (*sockets)(nil)
	if a.c.HTTP {
		carry = func(ctx context.Context) error {
			a.ready(time.Time{})
			<-ctx.Done()
			return ctx.Err()
		}
	} else {
		sockets = newSockets(a.wire, a.intake, a.log, a.ready)
		carry = sockets.run
	}
	a.mu.Lock()
	a.sockets, a.refused, a.cut = sockets, nil, cut
	a.mu.Unlock()
	end := a.out.begin(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { a.keepUp(live) })
	err := a.intake.serve(live, a.handle, carry)
	cut(nil)
	beside.Wait()
	end()
	switch out, ok := errors.AsType[*signInError](context.Cause(live)); {
	case ctx.Err() != nil:
		return nil
	case ok:
		return out
	}
	return err
}

// doubt asks whether the token is still taken, after something that says it is not, and ends the run if it is not.
func (a *Adapter) doubt(why *signInError) {
	a.mu.Lock()
	cut := a.cut
	now := time.Now()
	if cut == nil || now.Sub(a.doubted) < doubtEvery && a.me != nil {
		a.mu.Unlock()
		return
	}
	a.doubted = now
	a.mu.Unlock()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), callTime)
		defer cancel()
		_, err := a.wire.api.AuthTestContext(ctx)
		if errors.Is(judged(err), bot.ErrUnauthorised) {
			cut(why)
		}
	}()
}

// ready is told that events come in, and since when none did.
func (a *Adapter) ready(since time.Time) {
	a.mu.Lock()
	first := !a.begun
	a.begun = true
	a.mu.Unlock()
	if first && a.c.Begun != nil {
		a.c.Begun()
	}
	a.people.forget("") // nobody told of changes meanwhile
	a.missed(gap{since: since})
}

// missed lets a gap be caught up with.
func (a *Adapter) missed(g gap) {
	select {
	case a.gaps <- g:
	default: // there is one to catch up with already, which is older
	}
}

// refuse notes why Slack does not let the bot in.
func (a *Adapter) refuse(err error) {
	a.mu.Lock()
	first := a.refused == nil
	a.refused = err
	a.me = nil
	a.mu.Unlock()
	if first {
		a.log.Error("slack: the bot is not let in; weerklank doctor --online says more", "err", err)
	}
}

// Health says what somebody must look at; nil: nothing.
func (a *Adapter) Health() error {
	a.mu.Lock()
	refused, sockets, begun, since := a.refused, a.sockets, a.begun, a.since
	a.mu.Unlock()
	var h socketHealth
	if sockets != nil {
		h = sockets.health()
	}
	switch {
	case refused != nil:
		return refused
	case h.Fatal != nil:
		return h.Fatal
	case !begun && !since.IsZero() && time.Since(since) > healthy:
		return errors.New("slack: no connection since the program began; weerklank doctor --online says more")
	case !h.Down.IsZero() && time.Since(h.Down) > healthy:
		return errors.New("slack: no connection for more than a minute")
	case h.Others > 0:
		return errors.New("slack: another program is connected with the same app token, so that part of what people do is lost; stop it, or make a token of its own")
	}
	return nil
}

// healthy is for how long there may be no connection.
const healthy = time.Minute

// Admitted asks Slack whether it lets the bot in. bot.ErrUnauthorised: it does not. Another error: it gave no answer.
func Admitted(ctx context.Context, c Config) error {
	a := &Adapter{wire: newWire(wireConfig{BotToken: c.BotToken, AppToken: c.AppToken, APIURL: c.APIURL})}
	_, err := a.self(ctx)
	return err
}

// now is the time on Slack's clock, by which messages are dated. What Slack says of it is right to a second or so: our own clock
// counts unless it is off by more.
func (a *Adapter) now() time.Time {
	offset, _ := a.wire.clock()
	if offset.Abs() < clockSlack {
		offset = 0
	}
	return time.Now().Add(offset)
}

const clockSlack = 2 * time.Second

// clock keeps what Slack dates and what we date in the order in which it came: a form is never older than the message before it.
type clock struct {
	mu     sync.Mutex
	latest time.Time
}

// saw notes a time that Slack gave. One that is far from now is no measure.
func (c *clock) saw(at, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.latest) && at.Sub(now) < time.Minute {
		c.latest = at
	}
}

// after is at, or just after the latest that Slack gave.
func (c *clock) after(at time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !at.After(c.latest) {
		at = c.latest.Add(time.Microsecond)
	}
	c.latest = at
	return at
}

// remembered is which posts were sent with which key, while the program runs.
type remembered struct {
	mu    sync.Mutex
	refs  map[string]bot.Ref
	keys  map[string]string // by team and ref: a ref is a channel's own
	order [][2]string
}

func (r *remembered) ref(key string) bot.Ref {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refs[key]
}

func (r *remembered) key(team bot.TeamID, ref bot.Ref) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[string(team)+" "+string(ref)]
}

// keep remembers a post; without a team it is a private one.
func (r *remembered) keep(key string, team bot.TeamID, ref bot.Ref) {
	if key == "" {
		return
	}
	at := string(team) + " " + string(ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refs[key] = ref
	if team != "" {
		r.keys[at] = key
	}
	if r.order = append(r.order, [2]string{key, at}); len(r.order) > mostKeys {
		delete(r.refs, r.order[0][0])
		delete(r.keys, r.order[0][1])
		r.order = r.order[1:]
	}
}

// seen is which events were taken lately, as keyed hashes that no other run of the program can make.
type seen struct {
	key []byte

	mu    sync.Mutex
	at    map[[16]byte]time.Time
	swept time.Time
}

const (
	seenTime = 15 * time.Minute // Slack sends an event again until six minutes after it happened
	mostSeen = 50_000
)

// first says whether an event comes for the first time, and notes it.
func (s *seen) first(what string) bool {
	id := s.id(what)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.swept) > time.Minute || len(s.at) >= mostSeen {
		for old, at := range s.at {
			if now.Sub(at) > seenTime || len(s.at) >= mostSeen {
				delete(s.at, old)
			}
		}
		s.swept = now
	}
	if at, ok := s.at[id]; ok && now.Sub(at) < seenTime {
		return false
	}
	s.at[id] = now
	return true
}

// forget lets an event be taken when it comes again: nothing came of it.
func (s *seen) forget(what string) {
	id := s.id(what)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.at, id)
}

func (s *seen) id(what string) [16]byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(what))
	return [16]byte(mac.Sum(nil))
}
