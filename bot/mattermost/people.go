package mattermost

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// roster is who is in a channel. It is kept for a moment, so that one message does not ask for every channel anew, and
// forgotten when the server tells of a change.
type roster struct {
	at     time.Time
	people map[string]*model.User // without bots and deactivated accounts
}

// rosterTime is how long a roster is taken to be right if the server tells of no change.
const rosterTime = time.Minute

// largest is up to how many people a channel is counted; more makes no difference.
const largest = 2000

// roster returns who is in a channel, at most old before now.
func (a *Adapter) roster(ctx context.Context, channel string, old time.Duration) (*roster, error) {
	a.mu.Lock()
	r := a.rosters[channel]
	a.mu.Unlock()
	if r != nil && time.Since(r.at) < old {
		return r, nil
	}
	r = &roster{at: time.Now(), people: map[string]*model.User{}}
	for n := 0; n*page < largest; n++ {
		users, resp, err := a.rest.GetUsersInChannel(ctx, channel, n, page, "")
		if err := failed(ctx, resp, err); err != nil {
			if status(err) == http.StatusBadRequest { // no id of a channel
				return nil, bot.ErrGone
			}
			return nil, a.ofChannel(ctx, channel, err)
		}
		for _, u := range users {
			if !u.IsBot && u.DeleteAt == 0 {
				r.people[u.Id] = u
			}
		}
		if len(users) < page {
			break
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rosters[channel] = r
	return r, nil
}

// forget drops what is known of who is in a channel; empty: in every channel.
func (a *Adapter) forget(channel string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if channel == "" {
		clear(a.rosters)
	}
	a.mineAt = time.Time{}
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
	who, err := a.roster(ctx, c.Id, 0)
	if err != nil {
		return 0, err
	}
	return len(who.people), nil
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

// Channels implements bot.People. A plain bot may not ask for another's channels, so that its own are gone through.
func (a *Adapter) Channels(ctx context.Context, user bot.UserID) ([]bot.TeamID, error) {
	mine, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	var out []bot.TeamID
	for _, c := range mine {
		who, err := a.roster(ctx, c, rosterTime)
		if err != nil {
			if status(err) == 0 && !errors.Is(err, bot.ErrGone) {
				return nil, err
			}
			continue // left or archived meanwhile
		}
		if who.people[user.Reveal()] != nil {
			out = append(out, teamOf(c))
		}
	}
	return out, nil
}

// places returns the channels that the bot shares with more than one person, as a roster is kept.
func (a *Adapter) places(ctx context.Context) ([]string, error) {
	a.mu.Lock()
	ids, fresh := a.mine, time.Since(a.mineAt) < rosterTime
	a.mu.Unlock()
	if fresh {
		return ids, nil
	}
	at := time.Now()
	all, err := a.channels(ctx)
	if err != nil {
		return nil, err
	}
	ids = nil
	for _, c := range all {
		if ofTeam(c) && c.DeleteAt == 0 {
			ids = append(ids, c.Id)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mine, a.mineAt = ids, at
	return ids, nil
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
