package mattermost

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

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

// Adapter is a Mattermost server as a bot.Chat.
type Adapter struct {
	c    Config
	log  *slog.Logger
	rest *model.Client4

	mu      sync.Mutex
	me      string // the bot's own user id, once known
	handler bot.Handler

	calls *callbacks
}

// New checks the configuration; it does not connect.
func New(c Config, log *slog.Logger) (*Adapter, error) {
	if c.URL == "" || c.Token == "" || log == nil || c.Mark == nil || c.SetMark == nil || c.OpenSince == nil {
		return nil, errors.New("mattermost: url, token, marks and log are required")
	}
	a := &Adapter{c: c, log: log, rest: model.NewAPIv4Client(c.URL)}
	var err error
	a.calls, err = newCallbacks(c, a.rest, nil)
	return a, err
}

// Handler serves the callbacks below the path of Config.CallbackURL.
func (a *Adapter) Handler() http.Handler { return a.calls }
