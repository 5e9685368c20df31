package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/slack"
)

// access is whether the server lets the bot in. While it does not, other platforms, the agenda and the operator's commands
// go on, and health says so.
type access struct{ shut atomic.Bool }

// errShut and errUnreached are what health says.
var (
	errShut      = errors.New("mattermost does not let the bot in: its token was revoked, or its account is disabled; weerklank doctor --online says more")
	errUnreached = errors.New("mattermost does not reach callback_url, so people answer by typing; weerklank doctor --online says more")
)

// mattermostHealthy says what somebody must look at between the program and the server.
func (p *parts) mattermostHealthy() error {
	var err error
	if p.access.shut.Load() {
		err = errShut
	}
	if p.mm != nil && p.c.Mattermost.CallbackURL != "" {
		if reached, tried := p.mm.Reached(); tried && !reached {
			err = errors.Join(err, errUnreached)
		}
	}
	return err
}

// watchAccess asks now and at every moment of again, until ctx ends. Without an answer all stays as it was.
func (p *parts) watchAccess(ctx context.Context, again time.Duration) {
	ticker := time.NewTicker(again)
	defer ticker.Stop()
	for {
		switch err := mattermost.Admitted(ctx, p.c.mattermostConfig()); {
		case err == nil:
			p.access.shut.Store(false)
		case errors.Is(err, bot.ErrUnauthorised) && !p.access.shut.Swap(true):
			p.log.Error(errShut.Error())
			fallthrough
		default:
			p.counted() // the others do not wait for it
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// mattermostConfig is what the adapter and the doctor get of the configuration.
func (c config) mattermostConfig() mattermost.Config {
	m := c.Mattermost
	return mattermost.Config{
		URL: m.URL, Token: m.Token.reveal(), CallbackURL: m.CallbackURL, Secret: signingKey(m.CallbackSecret), CommandTokens: reveal(m.CommandTokens),
	}
}

// buildMattermost makes the adapter of the configured server.
func (p *parts) buildMattermost() (*mattermost.Adapter, error) {
	c := p.c.mattermostConfig()
	c.Mark = func(ctx context.Context) (time.Time, error) { return p.db.Mark(ctx, mattermost.Platform) }
	c.SetMark = func(ctx context.Context, at time.Time) error { return p.db.SetMark(ctx, mattermost.Platform, at) }
	c.OpenSince = func(ctx context.Context) (time.Time, error) { return p.bot.OpenSince(ctx) }
	c.Begun = p.counted
	return mattermost.New(c, p.log)
}

// appoint gives people their rights who are listed by name, once the platform has said whose account that is.
func (p *parts) appoint(ctx context.Context, again time.Duration) {
	_, managers := named(p.c.Rights.Managers)
	_, editors := named(p.c.Rights.Editors)
	all := slices.Concat(managers, editors)
	if len(all) == 0 {
		return
	}
	for {
		ids, err := p.mm.Resolve(ctx, all)
		if err == nil {
			of := func(names []string) (out []bot.ActorID) {
				for _, name := range names {
					if id := ids[name]; id != "" {
						out = append(out, bot.Account(mattermost.Platform, "", id).Actor())
					}
				}
				return out
			}
			m, e := of(managers), of(editors)
			p.bot.Appoint(m, e)
			if lost := len(all) - len(m) - len(e); lost > 0 {
				p.log.Warn("listed people are not known to the server; weerklank doctor --online says who", "count", lost)
			}
			return
		}
		if ctx.Err() == nil {
			p.log.Warn("listed people could not be looked up; they have no rights yet")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// callbacks is what the http listener serves.
func (p *parts) callbacks() http.Handler {
	mux := http.NewServeMux()
	if p.mm != nil {
		mount(mux, p.c.callbackPath(), bounded(p.mm.Handler(), maxRequest))
	}
	if p.c.slackHTTP() {
		mount(mux, p.c.Slack.Path, bounded(p.slk.Handler(), maxSlackRequest))
	}
	if p.web != nil && !p.demo {
		mount(mux, libraryPath, p.web.Handler()) // it bounds what it takes itself: a form is small, a library is not
	}
	return mux
}

// lend serves the callbacks while no bot runs, for the doctor's probe: nothing of it is kept, and nobody is handed
// anything.
func lend(c config) (http.Handler, error) {
	never := func(context.Context) (time.Time, error) { return time.Time{}, nil }
	forget := func(context.Context, time.Time) error { return nil }
	mux, quiet := http.NewServeMux(), slog.New(slog.DiscardHandler)
	if at := c.callbackPath(); at != "" {
		m := c.mattermostConfig()
		m.Mark, m.SetMark, m.OpenSince = never, forget, never
		a, err := mattermost.New(m, quiet)
		if err != nil {
			return nil, err
		}
		mount(mux, at, bounded(a.Handler(), maxRequest))
	}
	if c.slackHTTP() {
		s := c.slackConfig()
		s.Mark, s.SetMark, s.OpenSince = never, forget, never
		a, err := slack.New(s, quiet)
		if err != nil {
			return nil, err
		}
		mount(mux, c.Slack.Path, bounded(a.Handler(), maxSlackRequest))
	}
	return mux, nil
}

// mount puts a handler below a path; without a path nowhere.
func mount(mux *http.ServeMux, at string, h http.Handler) {
	if at != "" {
		mux.Handle(at+"/", h)
	}
}

// What a request from outside may take.
const (
	maxRequest      = 64 << 10
	maxSlackRequest = 1 << 20 // with a whole form, or the message whose button was pressed
	readRequest     = 5 * time.Second
	wholeAnswer     = 15 * time.Second
)

// bounded limits what a request from outside may send, and for how long it may keep its connection busy.
func bounded(h http.Handler, size int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(time.Now().Add(readRequest)), c.SetWriteDeadline(time.Now().Add(wholeAnswer))); err != nil {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, size)
		h.ServeHTTP(w, r)
	})
}
