package mattermosttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base32"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Version is whose behaviour a Server has.
type Version int

// The versions that were measured.
const (
	V9  Version = iota // 9.11.2
	V11                // 11.2.1
)

// String is the version as the server says it.
func (v Version) String() string {
	if v == V9 {
		return "9.11.2"
	}
	return "11.2.1"
}

// Settings are the switches of a server, and its clock: durations as they are on a real server, to be scaled down by tests.
type Settings struct {
	SiteURL          string // as the server says it; at first its own URL
	MaxPostSize      int    // in runes
	CommandsDisabled bool   // slash commands answer 501
	BotsDisabled     bool   // nobody makes a bot account
	UploadsDisabled  bool   // nobody puts files on the server
	ReadOnly         bool   // only admins post in the channels of teams
	RestrictDMs      bool   // only people of one team can open a DM
	NoSigningKey     bool   // clients are not told the key of triggers
	HideEmail        bool
	EditTimeLimit    int // seconds that posts can be edited for, as clients are told; 0: no limit
	CollapsedThreads bool
	RateLimit        float64 // calls per second by one token, 0: no limit
	RateBurst        int
	NoJoinLines      bool // the system does not say in a channel who joined it
	SinceOldest      bool // of more than a thousand changes the first are told, as by an index; else any

	PendingWindow      time.Duration // how long a pending_post_id is known
	PingEvery          time.Duration // of a socket; 0: never
	PongWait           time.Duration // a socket that is silent for longer is closed
	AuthWait           time.Duration // a socket that says no token for longer is closed
	IntegrationTimeout time.Duration // of calls to others, and the life of a trigger
	ResponseURLLife    time.Duration
	DisableLag         time.Duration // how long a disabled bot is still served
	StopLag            time.Duration // between refusing REST and closing the sockets in Restart; some 11 s on a real server
}

// Server is a Mattermost server on loopback. It stops by itself at the end of the test.
//
// The people of the server act by its methods, and reach it also while it is frozen or stopped: what they do is delivered, or
// caught up with, afterwards.
type Server struct {
	t       testing.TB
	version Version
	addr    string
	out     *http.Client      // calls to integrations
	signing *ecdsa.PrivateKey // signs triggers
	done    chan struct{}
	wg      sync.WaitGroup // of handlers and sockets

	mu       sync.Mutex // guards what follows; methods in lower case that touch it are called with it held
	settings Settings
	skew     time.Duration
	http     *http.Server
	gate     chan struct{} // not nil: frozen, until it is closed
	life     int           // counts restarts
	closed   bool
	changed  chan struct{} // closed and replaced whenever something happened

	users     map[string]*user
	order     []string // of users
	tokens    map[string]*token
	teams     map[string]*team
	channels  map[string]*channel
	files     map[string]*file
	posts     map[string]*post
	rows      []*post // of the database, in the order they were written
	threads   map[string][]*post
	pending   map[string]seen   // by pending_post_id
	triggers  map[string]place  // by the client's half of a trigger id
	commands  map[string]*cmd   // by token
	responses map[string]*reply // by the last part of a response_url
	dialogs   []Dialog
	private   []Ephemeral
	sockets   []*socket
	journal   []Entry
	rules     []*rule
	fault     func(Request) *Fault
	calls     int
	losing    int // events that nobody hears
	held      int // calls that wait, by a freeze or a delay
	buckets   map[string]*bucket
}

// New starts a server.
func New(t testing.TB, version Version) *Server {
	t.Helper()
	s := &Server{
		t: t, version: version, done: make(chan struct{}), changed: make(chan struct{}),
		out: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		settings: Settings{
			MaxPostSize: 16383, CollapsedThreads: version == V11,
			PendingWindow: 30 * time.Second, PingEvery: 60 * time.Second, PongWait: 100 * time.Second, AuthWait: 5 * time.Second,
			IntegrationTimeout: 30 * time.Second, ResponseURLLife: 30 * time.Minute, DisableLag: 100 * time.Millisecond,
		},
		users: map[string]*user{}, tokens: map[string]*token{}, teams: map[string]*team{}, channels: map[string]*channel{},
		files: map[string]*file{}, posts: map[string]*post{}, threads: map[string][]*post{}, pending: map[string]seen{}, triggers: map[string]place{},
		commands: map[string]*cmd{}, responses: map[string]*reply{}, buckets: map[string]*bucket{},
	}
	if version == V11 {
		s.settings.DisableLag = 0
	}
	var err error
	if s.signing, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.settings.SiteURL = s.URL()
	s.serve(l)
	t.Cleanup(s.close)
	return s
}

// URL is where the server is, without a slash at the end.
func (s *Server) URL() string { return "http://" + s.addr }

// Set changes settings.
func (s *Server) Set(change func(*Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.settings)
}

// Advance moves the clock of the server: what has a life on it grows older, and its Date header moves.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew += d
}

func (s *Server) clock() time.Time { return time.Now().Add(s.skew) }

func (s *Server) now() int64 { return s.clock().UnixMilli() }

// serve answers what comes in by l.
func (s *Server) serve(l net.Listener) {
	h := &http.Server{Handler: s.handler()}
	s.mu.Lock()
	s.http = h
	s.mu.Unlock()
	s.wg.Go(func() { _ = h.Serve(l) })
}

// Stop refuses connections and closes those of REST. Sockets stay, and are served: that is how a real server stops.
func (s *Server) Stop() {
	s.mu.Lock()
	h := s.http
	s.mu.Unlock()
	_ = h.Close()
}

// Start takes connections again, after Stop.
func (s *Server) Start() {
	for end := time.Now().Add(10 * time.Second); ; {
		l, err := net.Listen("tcp", s.addr)
		if err == nil {
			s.serve(l)
			return
		}
		if time.Now().After(end) {
			s.t.Errorf("the server cannot start again: %v", err)
			return
		}
		s.rest(time.Millisecond)
	}
}

// Restart is Stop, the end of all sockets after Settings.StopLag, and Start. Pending post ids, kept events and calls that were not
// executed yet are forgotten.
func (s *Server) Restart() {
	s.Stop()
	s.mu.Lock()
	lag := s.settings.StopLag
	s.mu.Unlock()
	s.rest(lag)
	s.CutSockets()
	s.mu.Lock()
	s.pending, s.sockets, s.life = map[string]seen{}, nil, s.life+1
	s.mu.Unlock()
	s.Start()
}

// Freeze makes the server answer nothing and send nothing, with everything open. What comes in meanwhile is executed by Thaw.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate == nil {
		s.gate = make(chan struct{})
	}
}

// Thaw ends Freeze.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate != nil {
		close(s.gate)
		s.gate = nil
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

// pass waits while the server is frozen; false: it closes.
func (s *Server) pass() bool {
	for {
		s.mu.Lock()
		gate := s.gate
		s.mu.Unlock()
		if gate == nil {
			return true
		}
		select {
		case <-gate:
		case <-s.done:
			return false
		}
	}
}

// rest waits for d, or for the end.
func (s *Server) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
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

// touch wakes Await.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) close() {
	close(s.done)
	s.mu.Lock()
	s.closed = true
	h := s.http
	s.mu.Unlock()
	_ = h.Close()
	s.CutSockets()
	s.wg.Wait()
	s.out.CloseIdleConnections()
}

var alphabet = base32.NewEncoding("ybndrfg8ejkmcpqxot1uwisza345h769").WithPadding(base32.NoPadding)

// newID is 26 small letters and digits.
func newID() string {
	b := make([]byte, 17)
	rand.Read(b)
	return alphabet.EncodeToString(b)[:26]
}
