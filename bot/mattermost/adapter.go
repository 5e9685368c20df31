package mattermost

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"golang.org/x/time/rate"

	"github.com/weerklank/weerklank/bot"
)

// Platform is the prefix of this platform's TeamIDs and ActorIDs: "mattermost:<channel id>", "mattermost:<user id>".
const Platform = "mattermost"

// Config is what an Adapter needs.
type Config struct {
	URL           string   // of the server, without a slash at the end
	Token         string   // of the bot account
	CallbackURL   string   // where the server reaches Handler; empty: no buttons, dialogs or command
	Secret        []byte   // signs what comes back by CallbackURL; at least 32 bytes
	CommandTokens []string // of the slash command, one for each Mattermost team
	// Mark and SetMark keep up to when everything was handled, over restarts; a zero time: never.
	Mark    func(context.Context) (time.Time, error)
	SetMark func(context.Context, time.Time) error
	// OpenSince is when the oldest round that still takes replies opened; a zero time: there is none.
	OpenSince func(context.Context) (time.Time, error)
	Begun     func() // called once, when the adapter takes events; may be nil
}

// The pace of a client that shares a server with people. A frozen server holds a call for callTime, an upload for
// uploadTime at most.
const (
	callTime   = 15 * time.Second
	uploadTime = 60 * time.Second
	perSecond  = 10 // posts, as a server with its limits on allows at first
	// What somebody waits for does not queue behind what many channels are told (TRUST 11.1).
	answersPerSecond = 5
	burst            = 50 // posts at once; such a server allows a hundred calls
)

// times is how long an Adapter waits for what, and how much may wait; tests wait for less.
type times struct {
	look, keep, read      time.Duration // between looks at the token, at the mark, and at what happened
	tell                  time.Duration // between lines about what had to wait
	pause, longPause      time.Duration // before connecting again: the first, and the longest
	signIn                time.Duration // before trying a token again that is not taken
	again, againWithin    time.Duration // between the tries of a post, and how long it is tried
	queue                 int           // how many events may wait
	handle, handleLongest time.Duration // before handling something again that failed: the first, and the longest
}

// Adapter is a Mattermost server as a bot.Chat.
type Adapter struct {
	c       Config
	log     *slog.Logger
	rest    *model.Client4
	uploads *model.Client4 // as rest, and waits longer
	pace    *rate.Limiter  // of posts in channels
	answers *rate.Limiter  // of posts to who waits for one
	wait    times
	clock   clock // the server's

	mu      sync.Mutex
	me      *model.User // the bot itself, once known
	longest int         // how many characters a post of this server may have
	epoch   int         // how often a connection was made or ended; odd: there is one
	rosters map[string]*roster
	reads   map[string]*reading // rosters on their way
	found   map[membership]found
	mine    []*model.Channel // channels that the bot shares with more than one person, as of mineAt
	mineAt  time.Time
	shared  map[string]bool // channels that are no conversation with one person
	begun   bool

	track tracker
	calls *callbacks
}

var (
	_ bot.Chat   = (*Adapter)(nil)
	_ bot.Editor = (*Adapter)(nil)
	_ bot.Finder = (*Adapter)(nil)
	_ bot.Former = (*Adapter)(nil)
	_ bot.People = (*Adapter)(nil)
	_ bot.Roster = (*Adapter)(nil)
)

// New checks the configuration; it does not connect.
func New(c Config, log *slog.Logger) (*Adapter, error) {
	c.URL = strings.TrimRight(c.URL, "/")
	if c.URL == "" || c.Token == "" || log == nil || c.Mark == nil || c.SetMark == nil || c.OpenSince == nil {
		return nil, errors.New("mattermost: url, token, marks and log are required")
	}
	a := &Adapter{
		c: c, log: log, rest: client(c, callTime), uploads: client(c, uploadTime), pace: rate.NewLimiter(perSecond-answersPerSecond, burst/2), answers: rate.NewLimiter(answersPerSecond, burst/2), longest: maxPost,
		rosters: map[string]*roster{}, reads: map[string]*reading{}, found: map[membership]found{}, shared: map[string]bool{}, track: newTracker(),
		wait: times{
			look: lookEvery, keep: markEvery, read: readEvery, tell: tellEvery, queue: queueLimit, pause: firstPause, longPause: longPause, signIn: signInAgain, again: againAfter, againWithin: againWithin,
			handle: handleAgain, handleLongest: longPause,
		},
	}
	for _, c := range []*model.Client4{a.rest, a.uploads} {
		c.HTTPClient.Transport = dated{http.DefaultTransport, &a.clock}
	}
	var err error
	a.calls, err = newCallbacks(a)
	return a, err
}

// Handler serves the callbacks below the path of Config.CallbackURL.
func (a *Adapter) Handler() http.Handler { return a.calls }

// Platform implements bot.Chat.
func (a *Adapter) Platform() string { return Platform }

// Forms implements bot.Former: dialogs need the server to reach us.
func (a *Adapter) Forms() bool { return a.calls.open() }

// channelOf and teamOf go between a TeamID and the server's id of the channel.
func channelOf(team bot.TeamID) string {
	id, ok := strings.CutPrefix(string(team), Platform+":")
	if !ok || id == "" {
		return "-" // no id of any channel
	}
	return id
}

func teamOf(channel string) bot.TeamID { return bot.TeamID(Platform + ":" + channel) }

// self returns the bot's own account; it is asked once.
func (a *Adapter) self(ctx context.Context) (*model.User, error) {
	a.mu.Lock()
	me := a.me
	a.mu.Unlock()
	if me != nil {
		return me, nil
	}
	return a.signIn(ctx)
}

// signIn asks who we are, which also says whether the token is taken: dialling with a bad one succeeds.
func (a *Adapter) signIn(ctx context.Context) (*model.User, error) {
	me, r, err := a.rest.GetMe(ctx, "")
	if err := failed(ctx, r, err); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.me = me
	return me, nil
}

// ours says whether a post is the bot's own.
func (a *Adapter) ours(p *model.Post) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.me != nil && p.UserId == a.me.Id
}
