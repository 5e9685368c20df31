package slacktest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are what a workspace and its app are from the beginning. Empty ones get a value.
type Options struct {
	Team, TeamName string
	Enterprise     string   // id of the organisation that the workspace is part of; empty: none
	BotName        string   // of the app's bot user
	Scopes         []string // of the bot token; nil: DefaultScopes
	Events         []string // that the app gets; nil: DefaultEvents
	Commands       []string // that the app has; nil: "/weerklank"
	Shortcuts      []string // callback ids of its global and message shortcuts; nil: any
}

// DefaultScopes are those of the bot token.
func DefaultScopes() []string {
	return strings.Fields("chat:write commands im:write im:history channels:read groups:read users:read files:write")
}

// DefaultEvents are those that the app gets.
func DefaultEvents() []string {
	return strings.Fields("app_home_opened message.im member_joined_channel member_left_channel channel_left channel_archive " +
		"channel_unarchive channel_deleted channel_rename channel_id_changed channel_shared channel_unshared group_left group_archive " +
		"group_unarchive group_deleted group_rename app_uninstalled tokens_revoked")
}

// Settings are the switches of a server and its durations, as they are on the real one.
type Settings struct {
	AckWithin       time.Duration   // for envelopes and HTTP requests
	Redeliver       []time.Duration // since the event
	TriggerLife     time.Duration
	ResponseURLLife time.Duration
	TicketLife      time.Duration // of a socket's address
	PingEvery       time.Duration // 0: never
	Lifetime        int           // of a socket, in seconds, as hello announces it
	MaxSockets      int
	NoHello         bool                        // sockets open and say nothing
	OnHello         func(n int, k *Socket)      // asked after the hello of the nth socket, before anything else is sent to it
	Route           func(sockets []*Socket) int // which socket gets an envelope; nil: any. It must not call the server

	Ghosts int // sockets of the same app elsewhere: hello counts them, and they get their share of envelopes and answer

	MaxPage   int           // most items of a page; 0: what was asked for
	PostEvery time.Duration // less between two messages in a channel is a 429; 0: no limit
	NewBlocks bool          // kinds of blocks that are rolled out by and by are there: alert, table, data_visualization and so on

	HomeOff      bool // the app has no Home
	MessagesOff  bool // the app takes no messages
	MessageLimit bool // the workspace is full: message_limit_exceeded
}

// Server is a Slack workspace with one app, on loopback. It stops by itself at the end of the test.
type Server struct {
	t    testing.TB
	addr string
	opts Options
	out  *http.Client
	done chan struct{}
	wg   sync.WaitGroup // of handlers, sockets and requests
	http *http.Server

	app, bot, botID string // app id, and user and bot id of the bot

	mu       sync.Mutex // guards what follows; methods in lower case that touch it are called with it held
	closed   bool
	changed  chan struct{} // closed and replaced whenever something happened
	settings Settings
	skew     time.Duration // of the time that the server says
	ahead    time.Duration // of the time that lives pass in
	lastTS   int64
	timers   map[*timer]bool

	tokens   map[string]*token
	bots, ap string // the tokens of the bot and the app
	secret   string

	users     map[string]*User
	order     []string // of users
	channels  map[string]*channel
	chanOrder []string
	views     map[string]*view
	stacks    map[string][]*view // of modals, by user
	homes     map[string]*view   // by user
	triggers  map[string]*trigger
	replies   map[string]*reply // response URLs
	files     map[string]*file
	ephemeral []*message
	lastPost  map[string]time.Time

	tickets map[string]time.Time
	opens   int
	sockets []*Socket
	hellos  int
	pending map[string]*delivery // by envelope id
	past    map[string]string    // envelope ids that are over, and how they ended
	open    map[*delivery]bool   // events that are on their way
	hold    []*delivery          // held back for Reorder
	holding bool
	last    *delivery // the last event
	target  *Target
	sent    []request

	journal  []Entry
	problems []string
	shown    []Shown
	rules    []*rule
	fault    func(Request) *Fault
	calls    int
	held     int
	chosen   map[string]map[string]map[string]obj // on messages, by message and person
}

// Start starts a server.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{
		t: t, opts: o, done: make(chan struct{}), changed: make(chan struct{}), secret: "secret-" + random(24),
		out: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		settings: Settings{
			AckWithin: 3 * time.Second, Redeliver: []time.Duration{0, time.Minute, 5 * time.Minute}, TriggerLife: 3 * time.Second,
			ResponseURLLife: 30 * time.Minute, TicketLife: 30 * time.Second, PingEvery: 10 * time.Second, Lifetime: 18060, MaxSockets: 10,
		},
		timers: map[*timer]bool{}, tokens: map[string]*token{}, users: map[string]*User{}, channels: map[string]*channel{},
		views: map[string]*view{}, stacks: map[string][]*view{}, homes: map[string]*view{}, triggers: map[string]*trigger{},
		replies: map[string]*reply{}, files: map[string]*file{}, lastPost: map[string]time.Time{}, tickets: map[string]time.Time{},
		pending: map[string]*delivery{}, past: map[string]string{}, open: map[*delivery]bool{}, chosen: map[string]map[string]map[string]obj{},
	}
	o = s.opts
	if o.Team == "" {
		o.Team = newID("T")
	}
	if o.TeamName == "" {
		o.TeamName = "Zorggroep"
	}
	if o.BotName == "" {
		o.BotName = "weerklank"
	}
	if o.Scopes == nil {
		o.Scopes = DefaultScopes()
	}
	if o.Events == nil {
		o.Events = DefaultEvents()
	}
	if o.Commands == nil {
		o.Commands = []string{"/weerklank"}
	}
	s.opts = o
	s.app, s.botID = newID("A"), newID("B")
	s.bot = s.AddUser(User{Name: o.BotName, Bot: true})
	s.bots, s.ap = "xoxb-"+random(11)+"-"+random(13)+"-"+random(24), "xapp-1-"+s.app+"-"+random(13)+"-"+random(64)
	s.tokens[s.bots] = &token{value: s.bots, scopes: o.Scopes}
	s.tokens[s.ap] = &token{value: s.ap, app: true, scopes: []string{"connections:write"}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.http = &http.Server{Handler: s.handler()}
	h := s.http // Resume takes another
	s.wg.Go(func() { _ = h.Serve(l) })
	t.Cleanup(s.close)
	return s
}

// Stop refuses connections and ends those of calls. Sockets stay.
func (s *Server) Stop() {
	s.mu.Lock()
	h := s.http
	s.mu.Unlock()
	_ = h.Close()
}

// Resume takes connections again, after Stop.
func (s *Server) Resume() {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		l, err := net.Listen("tcp", s.addr)
		if err == nil {
			h := &http.Server{Handler: s.handler()}
			s.mu.Lock()
			s.http = h
			s.start(func() { _ = h.Serve(l) })
			s.mu.Unlock()
			return
		}
		if time.Now().After(end) {
			s.t.Errorf("the server cannot start again: %v", err)
			return
		}
		s.rest(time.Millisecond)
	}
}

// URL is where the Web API is; it ends in /api/.
func (s *Server) URL() string { return "http://" + s.addr + "/api/" }

// BotToken is the bot token (xoxb-).
func (s *Server) BotToken() string { return s.bots }

// AppToken is the app token (xapp-), for Socket Mode.
func (s *Server) AppToken() string { return s.ap }

// SigningSecret is what HTTP requests are signed with.
func (s *Server) SigningSecret() string { return s.secret }

// Team is the id of the workspace.
func (s *Server) Team() string { return s.opts.Team }

// App is the id of the app.
func (s *Server) App() string { return s.app }

// Bot is the user id of the bot.
func (s *Server) Bot() string { return s.bot }

// BotID is the bot id (B…) of the bot.
func (s *Server) BotID() string { return s.botID }

// Set changes settings.
func (s *Server) Set(change func(*Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.settings)
}

// Skew moves the time that the server says: its Date header, the ts of messages and the timestamps of signatures.
func (s *Server) Skew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew += d
}

// said is the time that the server says.
func (s *Server) said() time.Time { return time.Now().Add(s.skew) }

// clock is the time that lives pass in.
func (s *Server) clock() time.Time { return time.Now().Add(s.ahead) }

type timer struct {
	due  time.Time // by clock, or in real time
	real bool      // Advance leaves it alone, Lapse ends it
	f    func()
	run  *time.Timer
}

// after runs f, with the lock held, after d of the clock; real: of real time.
func (s *Server) after(d time.Duration, real bool, f func()) *timer {
	x := &timer{due: s.clock().Add(d), real: real, f: f}
	if s.closed {
		x.run = time.NewTimer(d)
		x.run.Stop()
		return x
	}
	s.timers[x] = true
	x.run = time.AfterFunc(max(d, 0), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fire(x)
	})
	return x
}

func (s *Server) fire(x *timer) {
	if s.timers[x] && !s.closed {
		s.stop(x)
		x.f()
		s.touch()
	}
}

func (s *Server) stop(x *timer) {
	if x != nil {
		x.run.Stop()
		delete(s.timers, x)
	}
}

// Advance lets time pass without waiting: redeliveries come due, and triggers, tickets and response URLs grow old. What the bot
// has to answer now is not overdue by it: see Lapse.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
	s.due(func(x *timer) bool { return !x.real && !x.due.After(s.clock()) })
	for x := range s.timers {
		if !x.real {
			x.run.Reset(x.due.Sub(s.clock()))
		}
	}
}

// Lapse ends the time that the bot has to answer all that was sent to it.
func (s *Server) Lapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due(func(x *timer) bool { return x.real })
}

// Unanswered is how much the bot was asked and may still answer.
func (s *Server) Unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for x := range s.timers {
		if x.real {
			n++
		}
	}
	return n
}

// due fires those timers, in their order.
func (s *Server) due(which func(*timer) bool) {
	var list []*timer
	for x := range s.timers {
		if which(x) {
			list = append(list, x)
		}
	}
	sortBy(list, func(a, b *timer) bool { return a.due.Before(b.due) })
	for _, x := range list {
		s.fire(x)
	}
}

// enter is the beginning of a handler, whose end is s.wg.Done.
func (s *Server) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		panic(http.ErrAbortHandler)
	}
	s.wg.Add(1)
}

// start runs f unless the server is closing.
func (s *Server) start(f func()) {
	if !s.closed {
		s.wg.Go(f)
	}
}

// rest waits for d, or for the end.
func (s *Server) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	x := time.NewTimer(d)
	defer x.Stop()
	select {
	case <-x.C:
	case <-s.done:
	}
}

// Await waits until done, which is asked after everything that happens on the server; it gives up after half a minute.
// What done calls is any method that looks.
func (s *Server) Await(what string, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if done() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.t.Fatalf("never came: %s", what)
		}
	}
}

// Settle waits until every event was acknowledged or given up. It does not let time pass.
func (s *Server) Settle() {
	s.t.Helper()
	s.Await("the end of all events", func() bool { return s.Underway() == 0 })
}

// Underway is how many events were not acknowledged yet and will come, or come again.
func (s *Server) Underway() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// touch wakes Await.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) close() {
	close(s.done)
	s.mu.Lock()
	s.closed = true
	for x := range s.timers {
		s.stop(x)
	}
	for _, k := range s.sockets {
		k.drop()
	}
	h := s.http
	s.mu.Unlock()
	_ = h.Close()
	s.wg.Wait()
	s.out.CloseIdleConnections()
}

// ts is the next timestamp of a message: later than any before.
func (s *Server) ts() string {
	s.lastTS = max(s.lastTS+1, s.said().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// random is n capitals and digits.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// newID is an id as Slack writes it: a letter for what it is, and ten more.
func newID(kind string) string { return kind + "0" + random(9) }
