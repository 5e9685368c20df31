package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

const (
	personTime  = 10 * time.Minute // for how long somebody is taken to be nobody who can be answered
	rightTime   = time.Minute      // likewise that somebody runs no workspace
	adminTime   = 10 * time.Second // likewise that somebody does
	rosterTime  = 5 * time.Minute  // likewise who is in a channel, while Slack tells of changes
	listTime    = time.Minute      // likewise which channels the bot is in
	fewChannels = 40               // up to how many channels the bot asks who is in each, instead of where each person is
	fewPeople   = 30               // up to how many accounts are asked for one by one, in a minute
	factTime    = 6 * time.Hour    // for how long what else an account says is taken to be right
	pageSize    = 200              // what is asked for at once
	listSize    = 1000             // likewise of people and channels
	mostListed  = 20               // pages of a workspace's people; who is on none is asked for alone
	askTime     = 10 * time.Second // bounds what is asked for more than one event
)

// directory is what is known of people and channels, in memory only and for a short time.
type directory struct {
	w *wire

	mu       sync.Mutex
	people   map[string]*person
	rosters  map[string]*roster
	mine     []place
	mineAt   time.Time
	places   map[string]*placeFact
	where    map[string]*whereabouts // of people, where the bot is in many channels
	asking   map[string]*call
	changes  map[string]int // how often a channel was forgotten: what was asked before that is not kept
	listed   time.Time      // when everybody was asked for
	minute   time.Time      // since when alone counts
	alone    int            // accounts that were asked for one by one
	grouping string         // the organisation that the workspace is part of; empty: none
}

// person is what an account says.
type person struct {
	at                    time.Time
	name, zone            string
	names                 []string
	lang                  prompts.Lang
	bot, gone, far, admin bool // far: of another workspace
}

func (p *person) human() bool { return !p.bot && !p.gone }

type roster struct {
	at  time.Time
	ids []string
}

type whereabouts struct {
	at  time.Time
	ids []string
}

// place is a channel that the bot is in.
type place struct {
	id, name         string
	shared, archived bool
}

type placeFact struct {
	place
	at     time.Time
	member bool
}

// call is one that is under way, for everybody who wants to know the same.
type call struct {
	done chan struct{}
	got  any
	err  error
}

func newDirectory(w *wire) *directory {
	return &directory{
		w: w, people: map[string]*person{}, rosters: map[string]*roster{}, places: map[string]*placeFact{}, where: map[string]*whereabouts{},
		asking: map[string]*call{}, changes: map[string]int{},
	}
}

// forget drops what is known of who is in a channel; empty: everything but who people are.
func (d *directory) forget(channel string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mineAt = time.Time{}
	d.changes[""]++
	clear(d.where)
	if channel == "" {
		for c := range d.changes {
			d.changes[c]++
		}
		clear(d.rosters)
		clear(d.places)
		return
	}
	d.changes[channel]++
	delete(d.rosters, channel)
	delete(d.places, channel)
}

// organisation notes which one the workspace is part of.
func (d *directory) organisation(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.grouping = id
}

// change says how often a channel was forgotten; empty: any. d.mu is held.
func (d *directory) change(channel string) int {
	n, ok := d.changes[channel]
	if !ok {
		d.changes[channel] = 0
	}
	return n
}

// together does work for everybody who asks the same at the same time. It goes on when who began it gives up.
func together[T any](ctx context.Context, d *directory, what string, work func(context.Context) (T, error)) (got T, err error) {
	d.mu.Lock()
	c := d.asking[what]
	if c == nil {
		c = &call{done: make(chan struct{})}
		d.asking[what] = c
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
			defer cancel()
			c.got, c.err = work(ctx)
			d.mu.Lock()
			delete(d.asking, what)
			d.mu.Unlock()
			close(c.done)
		}()
	}
	d.mu.Unlock()
	select {
	case <-c.done:
		got, _ = c.got.(T)
		return got, c.err
	case <-ctx.Done():
		return got, ctx.Err()
	}
}

// personOf reads an account. organisation is the one that the workspace is part of; empty: none.
func personOf(u *api.User, team, organisation string, at time.Time) *person {
	p := &person{
		at: at, zone: u.TZ, lang: langOf(u.Locale), bot: u.IsBot || u.ID == "USLACKBOT" || u.IsWorkflowBot || u.IsConnectorBot, gone: u.Deleted,
		admin: u.IsAdmin || u.IsOwner || u.IsPrimaryOwner,
	}
	// In an organisation an account belongs to another of its workspaces, or to none.
	own := team == "" || u.TeamID == "" || u.TeamID == team || strings.HasPrefix(u.TeamID, "E")
	p.far = u.IsStranger || !own && (organisation == "" || u.Enterprise.EnterpriseID != organisation)
	for _, name := range []string{u.Profile.DisplayName, u.Profile.RealName, u.RealName, u.Name} {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(p.names, name) {
			p.names = append(p.names, name)
		}
	}
	if len(p.names) > 0 {
		p.name = p.names[0]
	}
	return p
}

// langOf is the language of an account; empty: it says none.
func langOf(locale string) prompts.Lang {
	switch {
	case locale == "":
		return ""
	case strings.HasPrefix(strings.ToLower(locale), "nl"):
		return prompts.Dutch
	}
	return prompts.English
}

// person asks who somebody is, or takes what was said at most old ago. What is older than that is better than nothing where
// not only the last minutes count.
func (d *directory) person(ctx context.Context, id, team string, old time.Duration) (*person, error) {
	known := func(old time.Duration) *person {
		d.mu.Lock()
		defer d.mu.Unlock()
		if p := d.people[id]; p != nil && time.Since(p.at) < old {
			return p
		}
		return nil
	}
	if p := known(old); p != nil {
		return p, nil
	}
	if d.crowd() {
		_, err := together(ctx, d, "everybody", func(ctx context.Context) (bool, error) { return true, d.everybody(ctx, team) })
		if p := known(old); err == nil && p != nil {
			return p, nil
		}
	}
	p, err := together(ctx, d, "person "+id, func(ctx context.Context) (*person, error) {
		var u *api.User
		at := time.Now()
		err := judged(d.w.call(ctx, "users.info", "", func(ctx context.Context) (err error) {
			u, err = d.w.api.GetUserInfoContext(ctx, id, api.GetUserInfoOptionIncludeLocale(true))
			return err
		}))
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		p := personOf(u, team, d.grouping, at)
		d.people[id] = p
		return p, nil
	})
	if err != nil && code(err) == "" && old >= personTime {
		if p := known(factTime); p != nil {
			return p, nil
		}
	}
	return p, err
}

// crowd notes that somebody is asked for alone, and says whether there are so many that it is better to ask for everybody.
func (d *directory) crowd() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if now.Sub(d.minute) > time.Minute {
		d.minute, d.alone = now, 0
	}
	d.alone++
	return d.alone > fewPeople && (now.Sub(d.listed) > time.Minute || d.asking["everybody"] != nil)
}

// fill makes sure that of all ids it is known who is a bot. Many are asked for as the whole list of the workspace.
func (d *directory) fill(ctx context.Context, ids []string, team string) error {
	unknown := func() (some []string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, id := range ids {
			if p := d.people[id]; p == nil || time.Since(p.at) > factTime {
				some = append(some, id)
			}
		}
		return some
	}
	if len(unknown()) > fewPeople {
		_, err := together(ctx, d, "everybody", func(ctx context.Context) (bool, error) { return true, d.everybody(ctx, team) })
		if err != nil {
			return err
		}
	}
	for _, id := range unknown() {
		if _, err := d.person(ctx, id, team, factTime); err != nil && code(err) == "" {
			return err
		}
	}
	return nil
}

func (d *directory) everybody(ctx context.Context, team string) error {
	at := time.Now()
	pages := d.w.api.GetUsersPaginated(api.GetUsersOptionLimit(listSize))
	for range mostListed {
		var done bool
		err := judged(d.w.call(ctx, "users.list", "", func(ctx context.Context) error {
			next, err := pages.Next(ctx)
			if done = pages.Done(err); done {
				return nil
			}
			if err == nil {
				pages = next
			}
			return err
		}))
		if err != nil {
			return err
		}
		if done {
			break
		}
		d.mu.Lock()
		for i := range pages.Users {
			u := &pages.Users[i]
			p := personOf(u, team, d.grouping, at)
			old := d.people[u.ID]
			if old != nil && p.lang == "" {
				p.lang = old.lang
			}
			if old == nil || old.at.Before(p.at) {
				d.people[u.ID] = p
			}
		}
		d.mu.Unlock()
		if pages.Cursor == "" {
			break
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listed = at
	return nil
}

// roster returns who is in a channel, bots included, as it was at most old ago.
func (d *directory) roster(ctx context.Context, channel string, old time.Duration) ([]string, error) {
	d.mu.Lock()
	if r := d.rosters[channel]; r != nil && time.Since(r.at) <= old {
		defer d.mu.Unlock()
		return r.ids, nil
	}
	change := d.change(channel)
	d.mu.Unlock()
	return together(ctx, d, fmt.Sprint("roster ", channel, change), func(ctx context.Context) ([]string, error) {
		var all []string
		at, cursor := time.Now(), ""
		for {
			var ids []string
			err := judged(d.w.call(ctx, "conversations.members", channel, func(ctx context.Context) (err error) {
				ids, cursor, err = d.w.api.GetUsersInConversationContext(ctx, &api.GetUsersInConversationParameters{ChannelID: channel, Cursor: cursor, Limit: listSize})
				return err
			}))
			if err != nil {
				return nil, ofChannel(err)
			}
			all = append(all, ids...)
			if cursor == "" {
				break
			}
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.change(channel) == change { // else somebody came or left meanwhile
			d.rosters[channel] = &roster{at: at, ids: all}
		}
		return all, nil
	})
}

// place asks what a channel is. bot.ErrGone: the bot does not see it.
func (d *directory) place(ctx context.Context, channel string, old time.Duration) (placeFact, error) {
	d.mu.Lock()
	if f := d.places[channel]; f != nil && time.Since(f.at) < old {
		defer d.mu.Unlock()
		return *f, nil
	}
	change := d.change(channel)
	d.mu.Unlock()
	return together(ctx, d, fmt.Sprint("place ", channel, change), func(ctx context.Context) (placeFact, error) {
		var c *api.Channel
		at := time.Now()
		err := judged(d.w.call(ctx, "conversations.info", channel, func(ctx context.Context) (err error) {
			c, err = d.w.api.GetConversationInfoContext(ctx, &api.GetConversationInfoInput{ChannelID: channel})
			return err
		}))
		if err != nil {
			return placeFact{}, ofChannel(err)
		}
		f := placeFact{place: placeOf(c), at: at, member: c.IsMember}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.change(channel) == change {
			d.places[channel] = &f
		}
		return f, nil
	})
}

func placeOf(c *api.Channel) place {
	return place{id: c.ID, name: c.Name, shared: c.IsExtShared || c.IsPendingExtShared, archived: c.IsArchived}
}

// conversations lists channels: those of a person, or with an empty user those that the bot is in.
func (d *directory) conversations(ctx context.Context, user string) (all []place, err error) {
	cursor := ""
	for {
		var some []api.Channel
		err := judged(d.w.call(ctx, "users.conversations", "", func(ctx context.Context) (err error) {
			some, cursor, err = d.w.api.GetConversationsForUserContext(ctx, &api.GetConversationsForUserParameters{
				UserID: user, Cursor: cursor, Types: []string{"public_channel", "private_channel"}, Limit: listSize, ExcludeArchived: true,
			})
			return err
		}))
		if err != nil {
			return nil, err
		}
		for i := range some {
			all = append(all, placeOf(&some[i]))
		}
		if cursor == "" {
			return all, nil
		}
	}
}

// own are the channels that the bot is in.
func (d *directory) own(ctx context.Context) ([]place, error) {
	d.mu.Lock()
	if !d.mineAt.IsZero() && time.Since(d.mineAt) < listTime {
		defer d.mu.Unlock()
		return d.mine, nil
	}
	change := d.change("")
	d.mu.Unlock()
	return together(ctx, d, fmt.Sprint("own ", change), func(ctx context.Context) ([]place, error) {
		at := time.Now()
		all, err := d.conversations(ctx, "")
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.change("") == change {
			d.mine, d.mineAt = all, at
		}
		return all, nil
	})
}

// with are the channels that a person is in together with the bot.
func (d *directory) with(ctx context.Context, user string) ([]string, error) {
	mine, err := d.own(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	if len(mine) <= fewChannels {
		for _, p := range mine {
			ids, err := d.roster(ctx, p.id, rosterTime)
			if err != nil && !errors.Is(err, bot.ErrGone) {
				return nil, err
			}
			if slices.Contains(ids, user) {
				out = append(out, p.id)
			}
		}
		return out, nil
	}
	theirs, err := d.placesOf(ctx, user)
	if err != nil {
		return nil, err
	}
	for _, p := range mine {
		if slices.Contains(theirs, p.id) {
			out = append(out, p.id)
		}
	}
	return out, nil
}

// placesOf are the channels that a person is in.
func (d *directory) placesOf(ctx context.Context, user string) ([]string, error) {
	d.mu.Lock()
	if w := d.where[user]; w != nil && time.Since(w.at) <= listTime {
		defer d.mu.Unlock()
		return w.ids, nil
	}
	change := d.change("")
	d.mu.Unlock()
	return together(ctx, d, fmt.Sprint("where ", user, change), func(ctx context.Context) ([]string, error) {
		w := &whereabouts{at: time.Now()}
		theirs, err := d.conversations(ctx, user)
		if err != nil {
			return nil, err
		}
		for _, p := range theirs {
			w.ids = append(w.ids, p.id)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.change("") == change {
			maps.DeleteFunc(d.where, func(_ string, w *whereabouts) bool { return time.Since(w.at) > listTime })
			d.where[user] = w
		}
		return w.ids, nil
	})
}

// ---- the port

// Count implements bot.People.
func (a *Adapter) Count(ctx context.Context, team bot.TeamID) (int, error) {
	channel := channelOf(team)
	f, err := a.people.place(ctx, channel, 0)
	switch {
	case err != nil:
		return 0, nothing(err)
	case f.archived || !f.member:
		return 0, bot.ErrGone
	case f.shared:
		return 0, bot.ErrForeign
	}
	ids, err := a.people.roster(ctx, channel, 0)
	if err == nil {
		err = a.people.fill(ctx, ids, a.workspace())
	}
	if err != nil {
		return 0, nothing(err)
	}
	return len(a.people.humans(ids)), nil
}

// humans are those of ids who are known to be people.
func (d *directory) humans(ids []string) (all []*person) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if p := d.people[id]; p != nil && p.human() {
			all = append(all, p)
		}
	}
	return all
}

// Channels implements bot.People.
func (a *Adapter) Channels(ctx context.Context, user bot.UserID) ([]bot.TeamID, error) {
	ids, err := a.people.with(ctx, user.Reveal())
	if err != nil {
		return nil, err
	}
	var out []bot.TeamID
	for _, id := range ids {
		out = append(out, a.teamOf(id))
	}
	return out, nil
}

// Manages implements bot.People. Slack tells bots of no managers of a channel, so that it is who runs the workspace, and who
// is listed in the configuration (SLACK 10). Who does is asked again each time.
func (a *Adapter) Manages(ctx context.Context, user bot.UserID, team bot.TeamID) (bool, error) {
	ids, err := a.people.roster(ctx, channelOf(team), rosterTime)
	if errors.Is(err, bot.ErrGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !slices.Contains(ids, user.Reveal()) {
		return false, nil
	}
	p, err := a.people.person(ctx, user.Reveal(), a.workspace(), rightTime)
	if err == nil && p.admin {
		p, err = a.people.person(ctx, user.Reveal(), a.workspace(), adminTime)
	}
	if err != nil {
		return false, err
	}
	return p.admin && p.human() && !p.far, nil
}

// ChannelName implements bot.Namer.
func (a *Adapter) ChannelName(ctx context.Context, team bot.TeamID) (string, error) {
	f, err := a.people.place(ctx, channelOf(team), listTime)
	return f.name, err
}

// Names implements bot.Roster: what people are called in the channel, each in every way.
func (a *Adapter) Names(ctx context.Context, team bot.TeamID) ([]string, error) {
	ids, err := a.people.roster(ctx, channelOf(team), rosterTime)
	if err == nil {
		err = a.people.fill(ctx, ids, a.workspace())
	}
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range a.people.humans(ids) {
		all = append(all, p.names...)
	}
	return all, nil
}

var errOutside = errors.New("slack: not somebody who can be answered")

// from is what every event of a person carries. errOutside: a bot, somebody whose account is closed, or of another workspace.
func (a *Adapter) from(ctx context.Context, user bot.UserID, key string, at time.Time) (bot.From, error) {
	p, err := a.people.person(ctx, user.Reveal(), a.workspace(), factTime)
	if err == nil && (!p.human() || p.far) {
		p, err = a.people.person(ctx, user.Reveal(), a.workspace(), personTime)
	}
	switch {
	case slices.Contains(nobodyCodes, code(err)):
		return bot.From{}, errOutside
	case err != nil:
		return bot.From{}, err
	case !p.human() || p.far:
		return bot.From{}, errOutside
	}
	return bot.From{Key: key, User: user, Name: p.name, Lang: cmp.Or(p.lang, prompts.English), Zone: p.zone, At: at}, nil
}
