package mattermost

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// roster is who is in a channel. It is kept for a moment, so that one message does not ask for every channel anew, and
// forgotten when the server tells of a change.
type roster struct {
	at     time.Time              // when it was complete
	people map[string]*model.User // without bots and deactivated accounts
}

// reading is a roster on its way, for all who wait for it. It goes on when the first of them gave up: a large channel takes
// longer than one message may, and its next try finds it there.
type reading struct {
	done   chan struct{}
	stale  bool // the server told of a change meanwhile
	roster *roster
	err    error
}

const (
	rosterTime  = time.Minute      // how long a roster is taken to be right if the server tells of no change
	countTime   = 10 * time.Second // as rosterTime, where it is counted: nothing tells that an account was deactivated
	readingTime = time.Minute      // bounds the reading of a roster
)

// largest is up to how many people a channel is counted; more makes no difference.
const largest = 2000

// roster returns who is in a channel, at most old before now.
func (a *Adapter) roster(ctx context.Context, channel string, old time.Duration) (*roster, error) {
	a.mu.Lock()
	if r := a.rosters[channel]; r != nil && time.Since(r.at) < old {
		a.mu.Unlock()
		return r, nil
	}
	reads := a.reads[channel]
	if reads == nil || reads.stale {
		reads = &reading{done: make(chan struct{})}
		a.reads[channel] = reads
		go a.read(context.WithoutCancel(ctx), channel, reads)
	}
	a.mu.Unlock()
	select {
	case <-reads.done:
		return reads.roster, reads.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read reads who is in a channel.
func (a *Adapter) read(ctx context.Context, channel string, reads *reading) {
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	people, err := a.everybody(ctx, channel)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reads[channel] == reads {
		delete(a.reads, channel)
	}
	reads.roster, reads.err = &roster{at: time.Now(), people: people}, err
	for c, r := range a.rosters {
		if time.Since(r.at) > rosterTime {
			delete(a.rosters, c)
		}
	}
	if err == nil && !reads.stale {
		a.rosters[channel] = reads.roster
	}
	close(reads.done)
}

func (a *Adapter) everybody(ctx context.Context, channel string) (map[string]*model.User, error) {
	people := map[string]*model.User{}
	for n := 0; n*page < largest; n++ {
		users, r, err := a.rest.GetUsersInChannel(ctx, channel, n, page, "")
		if err := failed(ctx, r, err); err != nil {
			if status(err) == http.StatusBadRequest { // no id of a channel
				return nil, bot.ErrGone
			}
			return nil, a.ofChannel(ctx, channel, err)
		}
		for _, u := range users {
			if !u.IsBot && u.DeleteAt == 0 {
				people[u.Id] = u
			}
		}
		if len(users) < page {
			break
		}
	}
	return people, nil
}

// forget drops what is known of who is in a channel; empty: in every channel.
func (a *Adapter) forget(channel string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mineAt = time.Time{}
	clear(a.found)
	for c, reads := range a.reads {
		reads.stale = reads.stale || channel == "" || channel == c
	}
	if channel == "" {
		clear(a.rosters)
	}
	delete(a.rosters, channel)
}

// Count implements bot.People.
func (a *Adapter) Count(ctx context.Context, team bot.TeamID) (int, error) {
	c, r, err := a.rest.GetChannel(ctx, channelOf(team))
	if err := failed(ctx, r, err); err != nil {
		if status(err) == http.StatusBadRequest {
			return 0, bot.ErrGone
		}
		return 0, a.ofChannel(ctx, channelOf(team), err)
	}
	if c.DeleteAt > 0 {
		return 0, bot.ErrGone
	}
	who, err := a.roster(ctx, c.Id, countTime)
	if err != nil {
		return 0, err
	}
	return len(who.people), nil
}

// ChannelName implements bot.Namer.
func (a *Adapter) ChannelName(ctx context.Context, team bot.TeamID) (string, error) {
	c, r, err := a.rest.GetChannel(ctx, channelOf(team))
	if err := failed(ctx, r, err); err != nil {
		return "", err
	}
	return c.DisplayName, nil
}

// Names implements bot.Roster: what people are called in the channel, each in every way.
func (a *Adapter) Names(ctx context.Context, team bot.TeamID) ([]string, error) {
	who, err := a.roster(ctx, channelOf(team), rosterTime)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, u := range who.people {
		for _, name := range []string{u.GetFullName(), u.Nickname, u.Username} {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all, nil
}

// membership is one person's part in a channel or a team of the server.
type membership struct{ place, user string }

// sideways is how many memberships are asked at once.
const sideways = 8

// Channels implements bot.People. A plain bot may not ask for another's channels, so that it asks for the person's part in each
// of its own: first in the teams of the server, then in the channels of those. What was found is kept for a moment, so that a
// next try goes on where one ran out of time.
func (a *Adapter) Channels(ctx context.Context, user bot.UserID) ([]bot.TeamID, error) {
	mine, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	id, teams := user.Reveal(), map[string]bool{}
	var all []string
	for _, c := range mine {
		if !teams[c.TeamId] {
			teams[c.TeamId] = true
			all = append(all, c.TeamId)
		}
	}
	in, err := a.memberOf(ctx, id, all, func(team string) (*model.Response, error) {
		_, r, err := a.rest.GetTeamMember(ctx, team, id, "")
		return r, err
	})
	if err != nil {
		return nil, err
	}
	all = nil
	for _, c := range mine {
		if slices.Contains(in, c.TeamId) {
			all = append(all, c.Id)
		}
	}
	in, err = a.memberOf(ctx, id, all, func(channel string) (*model.Response, error) {
		_, r, err := a.rest.GetChannelMember(ctx, channel, id, "")
		return r, err
	})
	if err != nil {
		return nil, err
	}
	var out []bot.TeamID
	for _, c := range in {
		out = append(out, teamOf(c))
	}
	return out, nil
}

// memberOf returns of these places those that somebody is a member of.
func (a *Adapter) memberOf(ctx context.Context, user string, places []string, ask func(string) (*model.Response, error)) ([]string, error) {
	in, errs := make([]bool, len(places)), make([]error, len(places))
	slot := make(chan struct{}, sideways)
	var asked sync.WaitGroup
	for i, place := range places {
		slot <- struct{}{}
		asked.Go(func() {
			defer func() { <-slot }()
			in[i], errs[i] = a.member(ctx, membership{place, user}, ask)
		})
	}
	asked.Wait()
	var out []string
	for i, place := range places {
		if in[i] {
			out = append(out, place)
		}
	}
	return out, errors.Join(errs...)
}

// member says whether somebody is a member of a place; not if it was left or archived meanwhile.
func (a *Adapter) member(ctx context.Context, m membership, ask func(string) (*model.Response, error)) (bool, error) {
	a.mu.Lock()
	known, ok := a.found[m]
	a.mu.Unlock()
	if ok && time.Since(known.at) < rosterTime {
		return known.in, nil
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	r, err := ask(m.place)
	err = failed(ctx, r, err)
	if err != nil && !refusal(err) {
		return false, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.found) >= maxFound {
		clear(a.found)
	}
	a.found[m] = found{time.Now(), err == nil}
	return err == nil, nil
}

// maxFound is how many memberships are kept.
const maxFound = 50_000

// found is what the server said of a membership.
type found struct {
	at time.Time
	in bool
}

// places returns the channels that the bot shares with more than one person, as a roster is kept.
func (a *Adapter) places(ctx context.Context) ([]*model.Channel, error) {
	a.mu.Lock()
	mine, fresh := a.mine, time.Since(a.mineAt) < rosterTime
	a.mu.Unlock()
	if fresh {
		return mine, nil
	}
	at := time.Now()
	all, err := a.channels(ctx)
	if err != nil {
		return nil, err
	}
	mine = slices.DeleteFunc(all, func(c *model.Channel) bool { return !ofTeam(c) || c.DeleteAt > 0 })
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mine, a.mineAt = mine, at
	return mine, nil
}

// channels returns the channels that the bot is in, direct conversations included.
func (a *Adapter) channels(ctx context.Context) ([]*model.Channel, error) {
	me, err := a.self(ctx)
	if err != nil {
		return nil, err
	}
	all, r, err := a.rest.GetChannelsForUserWithLastDeleteAt(ctx, me.Id, 0)
	return all, failed(ctx, r, err)
}

// inside says whether somebody is in a channel, as far as the bot may know.
func (a *Adapter) inside(ctx context.Context, channel, user string) (bool, error) {
	_, r, err := a.rest.GetChannelMember(ctx, channel, user, "")
	err = failed(ctx, r, err)
	if refusal(err) {
		return false, nil
	}
	return err == nil, err
}

// Manages implements bot.People. No event tells of a changed role, so that it is asked every time.
func (a *Adapter) Manages(ctx context.Context, user bot.UserID, team bot.TeamID) (bool, error) {
	channel, id := channelOf(team), user.Reveal()
	member, r, err := a.rest.GetChannelMember(ctx, channel, id, "")
	if err := failed(ctx, r, err); err != nil {
		if status(err) != 0 { // not there, not a member, or the bot is not
			return false, nil
		}
		return false, err
	}
	if member.SchemeAdmin {
		return true, nil
	}
	u, r, err := a.rest.GetUser(ctx, id, "")
	if err := failed(ctx, r, err); err != nil {
		return false, err
	}
	if slices.Contains(u.GetRoles(), model.SystemAdminRoleId) {
		return true, nil
	}
	c, r, err := a.rest.GetChannel(ctx, channel)
	if err := failed(ctx, r, err); err != nil {
		return false, err
	}
	in, r, err := a.rest.GetTeamMember(ctx, c.TeamId, id, "")
	if err := failed(ctx, r, err); err != nil {
		if status(err) != 0 {
			return false, nil
		}
		return false, err
	}
	return in.SchemeAdmin, nil
}

// person returns somebody's account: as a roster has it, or asked.
func (a *Adapter) person(ctx context.Context, id string) (*model.User, error) {
	a.mu.Lock()
	for _, r := range a.rosters {
		if u := r.people[id]; u != nil && time.Since(r.at) < rosterTime {
			a.mu.Unlock()
			return u, nil
		}
	}
	a.mu.Unlock()
	u, r, err := a.rest.GetUser(ctx, id, "")
	return u, failed(ctx, r, err)
}

// from is what every event of a person carries.
func from(u *model.User, key string, at int64) bot.From {
	lang := prompts.English
	if strings.HasPrefix(strings.ToLower(u.Locale), "nl") {
		lang = prompts.Dutch
	}
	return bot.From{
		Key: key, User: bot.Account(Platform, "", u.Id), Name: u.GetDisplayName(model.ShowNicknameFullName), Lang: lang,
		Zone: u.GetPreferredTimezone(), At: time.UnixMilli(at),
	}
}
