package slack

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

const (
	personTime  = time.Minute      // for how long what an account says is taken to be right
	rosterTime  = 5 * time.Minute  // likewise who is in a channel, while Slack tells of changes
	listTime    = time.Minute      // likewise which channels the bot is in
	fewChannels = 40               // up to how many channels the bot asks who is in each, instead of where each person is
	fewPeople   = 30               // up to how many unknown accounts are asked for one by one
	factTime    = 6 * time.Hour    // for how long somebody is taken to be no bot
	pageSize    = 200              // what is asked for at once
	askTime     = 10 * time.Second // bounds what is asked for more than one event
)

// directory is what is known of people and channels, in memory only and for a short time.
type directory struct {
	w *wire

	mu      sync.Mutex
	people  map[string]*person
	rosters map[string]*roster
	mine    []place
	mineAt  time.Time
	places  map[string]*placeFact
	where   map[string]*whereabouts // of people, where the bot is in many channels
	asking  map[string]*call
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
	err  error
}

func newDirectory(w *wire) *directory {
	return &directory{
		w: w, people: map[string]*person{}, rosters: map[string]*roster{}, places: map[string]*placeFact{}, where: map[string]*whereabouts{}, asking: map[string]*call{},
	}
}

// forget drops what is known of who is in a channel; empty: everything but who people are.
func (d *directory) forget(channel string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mineAt = time.Time{}
	clear(d.where)
	if channel == "" {
		clear(d.rosters)
		clear(d.places)
		return
	}
	delete(d.rosters, channel)
	delete(d.places, channel)
}

// once does work for everybody who asks the same at the same time. It goes on when who began it gives up.
func (d *directory) once(ctx context.Context, what string, work func(context.Context) error) error {
	d.mu.Lock()
	c := d.asking[what]
	if c == nil {
		c = &call{done: make(chan struct{})}
		d.asking[what] = c
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
			defer cancel()
			c.err = work(ctx)
			d.mu.Lock()
			delete(d.asking, what)
			d.mu.Unlock()
			close(c.done)
		}()
	}
	d.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func personOf(u *api.User, team string, at time.Time) *person {
	p := &person{
		at: at, zone: u.TZ, lang: langOf(u.Locale), bot: u.IsBot || u.ID == "USLACKBOT" || u.IsWorkflowBot || u.IsConnectorBot, gone: u.Deleted,
		far:   u.IsStranger || team != "" && u.TeamID != "" && u.TeamID != team && !strings.HasPrefix(u.TeamID, "E"),
		admin: u.IsAdmin || u.IsOwner || u.IsPrimaryOwner,
	}
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

func langOf(locale string) prompts.Lang {
	if strings.HasPrefix(strings.ToLower(locale), "nl") {
		return prompts.Dutch
	}
	return prompts.English
}

// person asks who somebody is, or takes what was said at most old ago.
func (d *directory) person(ctx context.Context, id, team string, old time.Duration) (*person, error) {
	known := func() *person {
		d.mu.Lock()
		defer d.mu.Unlock()
		if p := d.people[id]; p != nil && time.Since(p.at) < old {
			return p
		}
		return nil
	}
	if p := known(); p != nil {
		return p, nil
	}
	err := d.once(ctx, "person "+id, func(ctx context.Context) error {
		var u *api.User
		at := time.Now()
		err := judged(d.w.call(ctx, "users.info", "", func(ctx context.Context) (err error) {
			u, err = d.w.api.GetUserInfoContext(ctx, id, api.GetUserInfoOptionIncludeLocale(true))
			return err
		}))
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.people[id] = personOf(u, team, at)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if p := known(); p != nil {
		return p, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.people[id]; p != nil {
		return p, nil
	}
	return nil, errAmbiguous
}

// fill makes sure that of all ids it is known who is a bot. Many are asked for as the whole list of the workspace.
func (d *directory) fill(ctx context.Context, ids []string, team string) error {
	var unknown []string
	d.mu.Lock()
	for _, id := range ids {
		if p := d.people[id]; p == nil || time.Since(p.at) > factTime {
			unknown = append(unknown, id)
		}
	}
	d.mu.Unlock()
	if len(unknown) > fewPeople {
		err := d.once(ctx, "everybody", func(ctx context.Context) error { return d.everybody(ctx, team) })
		if err != nil {
			return err
		}
	}
	for _, id := range unknown {
		if _, err := d.person(ctx, id, team, factTime); err != nil && code(err) == "" {
			return err
		}
	}
	return nil
}

func (d *directory) everybody(ctx context.Context, team string) error {
	at := time.Now()
	pages := d.w.api.GetUsersPaginated(api.GetUsersOptionLimit(pageSize))
	for {
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
		if err != nil || done {
			return err
		}
		d.mu.Lock()
		for i := range pages.Users {
			u := &pages.Users[i]
			p := personOf(u, team, at)
			if old := d.people[u.ID]; old != nil { // the list tells no language
				p.lang = old.lang
			}
			p.at = at.Add(personTime - factTime) // asked for again before it is greeted
			if old := d.people[u.ID]; old == nil || old.at.Before(p.at) {
				d.people[u.ID] = p
			}
		}
		d.mu.Unlock()
	}
}

// roster returns who is in a channel, bots included, as it was at most old ago.
func (d *directory) roster(ctx context.Context, channel string, old time.Duration) ([]string, error) {
	known := func() ([]string, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		r := d.rosters[channel]
		if r == nil || time.Since(r.at) > old {
			return nil, false
		}
		return r.ids, true
	}
	if ids, ok := known(); ok {
		return ids, nil
	}
	began := time.Now()
	err := d.once(ctx, "roster "+channel, func(ctx context.Context) error {
		var all []string
		at, cursor := time.Now(), ""
		for {
			var ids []string
			err := judged(d.w.call(ctx, "conversations.members", channel, func(ctx context.Context) (err error) {
				ids, cursor, err = d.w.api.GetUsersInConversationContext(ctx, &api.GetUsersInConversationParameters{ChannelID: channel, Cursor: cursor, Limit: pageSize})
				return err
			}))
			if err != nil {
				return ofChannel(err)
			}
			all = append(all, ids...)
			if cursor == "" {
				break
			}
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.rosters[channel] = &roster{at: at, ids: all}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.rosters[channel]; r != nil && !r.at.Before(began.Add(-askTime)) {
		return r.ids, nil
	}
	return nil, errAmbiguous // forgotten meanwhile
}

// place asks what a channel is. bot.ErrGone: the bot does not see it.
func (d *directory) place(ctx context.Context, channel string, old time.Duration) (placeFact, error) {
	d.mu.Lock()
	if f := d.places[channel]; f != nil && time.Since(f.at) < old {
		d.mu.Unlock()
		return *f, nil
	}
	d.mu.Unlock()
	var c *api.Channel
	at := time.Now()
	err := judged(d.w.call(ctx, "conversations.info", channel, func(ctx context.Context) (err error) {
		c, err = d.w.api.GetConversationInfoContext(ctx, &api.GetConversationInfoInput{ChannelID: channel})
		return err
	}))
	if err != nil {
		return placeFact{}, ofChannel(err)
	}
	f := &placeFact{place: placeOf(c), at: at, member: c.IsMember}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.places[channel] = f
	return *f, nil
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
				UserID: user, Cursor: cursor, Types: []string{"public_channel", "private_channel"}, Limit: pageSize, ExcludeArchived: true,
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
	d.mu.Unlock()
	err := d.once(ctx, "own", func(ctx context.Context) error {
		at := time.Now()
		all, err := d.conversations(ctx, "")
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.mine, d.mineAt = all, at
		return nil
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mine, err
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
	d.mu.Lock()
	w := d.where[user]
	d.mu.Unlock()
	if w == nil || time.Since(w.at) > listTime {
		w = &whereabouts{at: time.Now()}
		theirs, err := d.conversations(ctx, user)
		if err != nil {
			return nil, err
		}
		for _, p := range theirs {
			w.ids = append(w.ids, p.id)
		}
		d.mu.Lock()
		d.where[user] = w
		d.mu.Unlock()
	}
	for _, p := range mine {
		if slices.Contains(w.ids, p.id) {
			out = append(out, p.id)
		}
	}
	return out, nil
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
// is listed in the configuration (SLACK 10). It is asked every time.
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
	p, err := a.people.person(ctx, user.Reveal(), a.workspace(), 0)
	if err != nil {
		return false, err
	}
	return p.admin && p.human() && !p.far, nil
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
	p, err := a.people.person(ctx, user.Reveal(), a.workspace(), personTime)
	switch {
	case code(err) != "": // user_not_found, user_not_visible
		return bot.From{}, errOutside
	case err != nil:
		return bot.From{}, err
	case !p.human() || p.far:
		return bot.From{}, errOutside
	}
	return bot.From{Key: key, User: user, Name: p.name, Lang: cmp.Or(p.lang, prompts.English), Zone: p.zone, At: at}, nil
}
