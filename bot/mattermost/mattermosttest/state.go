package mattermosttest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// User is somebody to add.
type User struct {
	Name        string // of the account, in small letters
	Nickname    string
	First, Last string
	Locale      string // empty: "en"
	Zone        string // empty: the person never said
	SystemAdmin bool
	ZoneByHand  bool // set by hand, not taken from the browser
	Password    string
}

type user struct {
	User
	id       string
	bot      bool
	owner    string // of a bot
	created  int64
	deleted  int64
	tokenOf  string // a session or bot token that works
	disabled time.Time
}

type token struct {
	id, user string
	revoked  bool
}

type member struct {
	admin  bool
	joined int64
}

type team struct {
	id, name string
	created  int64
	members  map[string]*member
}

type channel struct {
	id, team, kind, name, title string
	created, updated, deleted   int64
	lastPost, lastRoot          int64
	msgs, roots                 int64
	members                     map[string]*member
}

// place is where somebody was when something began.
type place struct{ channel, team string }

// AddUser adds a person.
func (s *Server) AddUser(u User) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u, false).id
}

func (s *Server) addUser(u User, bot bool) *user {
	if u.Locale == "" {
		u.Locale = "en"
	}
	n := &user{User: u, id: newID(), bot: bot, created: s.now(), tokenOf: newID()}
	s.users[n.id] = n
	s.order = append(s.order, n.id)
	s.tokens[n.tokenOf] = &token{id: newID(), user: n.id}
	s.touch()
	return n
}

// AddBot adds a bot account and a token for it.
func (s *Server) AddBot(name string) (id, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.addUser(User{Name: name, First: name}, true)
	return u.id, u.tokenOf
}

// SetOwner gives a bot an owner: the server then makes the bot write to them when it is added somewhere.
func (s *Server) SetOwner(bot, owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[bot].owner = owner
}

// Token is a session token of a person, or the token of a bot.
func (s *Server) Token(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[user].tokenOf
}

// SetUser changes a user.
func (s *Server) SetUser(id string, change func(*User)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.users[id].User)
	s.touch()
}

// AddTeam adds a team with members.
func (s *Server) AddTeam(name string, members ...string) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.addTeam(name)
	for _, m := range members {
		t.members[m] = &member{joined: s.now()}
	}
	return t.id
}

func (s *Server) addTeam(name string) *team {
	t := &team{id: newID(), name: name, created: s.now(), members: map[string]*member{}}
	s.teams[t.id] = t
	return t
}

// JoinTeam adds users to a team.
func (s *Server) JoinTeam(team string, users ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range users {
		s.joinTeam(s.teams[team], u)
	}
}

func (s *Server) joinTeam(t *team, u string) {
	if t.members[u] == nil {
		t.members[u] = &member{joined: s.now()}
		s.publish(event{name: "added_to_team", user: u, data: map[string]any{"team_id": t.id, "user_id": u}})
	}
}

// LeaveTeam takes a user out of a team and its channels.
func (s *Server) LeaveTeam(team, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveTeam(s.teams[team], user)
}

func (s *Server) leaveTeam(t *team, user string) {
	for _, c := range s.channels {
		if c.team == t.id && c.members[user] != nil {
			s.leave(c, user)
		}
	}
	delete(t.members, user)
	s.publish(event{name: "leave_team", user: user, data: map[string]any{"team_id": t.id, "user_id": user}})
}

// AddChannel adds a public channel with members, who join without a word.
func (s *Server) AddChannel(team, name string, members ...string) (id string) {
	return s.addChannel(team, name, "O", members)
}

// AddPrivate adds a private channel with members.
func (s *Server) AddPrivate(team, name string, members ...string) (id string) {
	return s.addChannel(team, name, "P", members)
}

// Group opens a group message.
func (s *Server) Group(members ...string) (id string) {
	return s.addChannel("", newID()+newID(), "G", members)
}

func (s *Server) addChannel(team, name, kind string, members []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.newChannel(team, kind, name, name)
	for _, m := range members {
		if team != "" && s.teams[team].members[m] == nil {
			s.t.Errorf("%s is not in the team of channel %s", s.users[m].Name, name)
			continue
		}
		c.members[m] = &member{joined: s.now()}
	}
	if kind == "G" {
		s.publish(event{name: "group_added", channel: c.id, data: map[string]any{"teammate_ids": quoted(slices.Sorted(maps.Keys(c.members)))}})
	}
	return c.id
}

func (s *Server) newChannel(team, kind, name, title string) *channel {
	c := &channel{id: newID(), team: team, kind: kind, name: name, title: title, created: s.now(), updated: s.now(), members: map[string]*member{}}
	s.channels[c.id] = c
	return c
}

// Join adds users to a channel, of whose team they must be.
func (s *Server) Join(channel string, users ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range users {
		if err := s.join(s.channels[channel], u, u); err != nil {
			s.t.Errorf("joining: %s", err.id)
		}
	}
}

// Add lets a member of a channel add somebody, of whose team they must be.
func (s *Server) Add(by, channel, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.join(s.channels[channel], user, by); err != nil {
		s.t.Errorf("adding: %s", err.id)
	}
}

func (s *Server) join(c *channel, u, by string) *apiError {
	if s.teams[c.team] == nil || s.teams[c.team].members[u] == nil {
		return fail(404, "app.team.get_member.missing.app_error")
	}
	if c.members[u] != nil {
		return nil
	}
	c.members[u] = &member{joined: s.now()}
	kind, props := "system_join_channel", map[string]any{"username": s.users[u].Name}
	if by != u || s.users[u].bot {
		kind, props = "system_add_to_channel", map[string]any{"addedUserId": u, "addedUsername": s.users[u].Name, "username": s.users[by].Name}
	}
	if !s.settings.NoJoinLines {
		s.write(&post{UserID: by, ChannelID: c.id, Type: kind, Message: s.users[u].Name + " joined the channel.", Props: props})
	}
	s.publish(event{name: "user_added", channel: c.id, data: map[string]any{"user_id": u, "team_id": c.team}})
	if owner := s.users[u].owner; owner != "" {
		s.write(&post{
			UserID: u, ChannelID: s.direct(u, owner).id, Type: "add_bot_teams_channels", Message: "Where should I be? Add me there.",
			Props: map[string]any{"from_bot": "true"},
		})
	}
	return nil
}

// Leave takes a user out of a channel.
func (s *Server) Leave(channel, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(s.channels[channel], user)
}

func (s *Server) leave(c *channel, u string) {
	if c.members[u] == nil {
		return
	}
	delete(c.members, u)
	s.write(&post{
		UserID: u, ChannelID: c.id, Type: "system_remove_from_channel", Message: s.users[u].Name + " was removed from the channel.",
		Props: map[string]any{"removedUserId": u, "removedUsername": s.users[u].Name},
	})
	s.publish(event{name: "user_removed", channel: c.id, data: map[string]any{"user_id": u, "remover_id": u}})
	s.publish(event{name: "user_removed", user: u, data: map[string]any{"channel_id": c.id, "remover_id": u}})
}

// SetChannelAdmin makes a member an admin of the channel, or not.
func (s *Server) SetChannelAdmin(channel, user string, admin bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[channel].members[user].admin = admin
	s.touch()
}

// SetTeamAdmin makes a member an admin of the team, or not.
func (s *Server) SetTeamAdmin(team, user string, admin bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.teams[team].members[user].admin = admin
	s.touch()
}

// Archive archives a channel.
func (s *Server) Archive(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.archive(s.channels[channel])
}

func (s *Server) archive(c *channel) {
	s.write(&post{UserID: s.anyone(c), ChannelID: c.id, Type: "system_channel_deleted", Message: "archived the channel."})
	c.deleted, c.updated = s.now(), s.now()
	s.publish(s.aboutChannel(c, "channel_deleted", map[string]any{"channel_id": c.id, "delete_at": c.deleted}))
}

// Restore undoes Archive.
func (s *Server) Restore(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restore(s.channels[channel])
}

func (s *Server) restore(c *channel) {
	c.deleted, c.updated = 0, s.now()
	s.publish(s.aboutChannel(c, "channel_restored", map[string]any{"channel_id": c.id}))
	s.write(&post{UserID: s.anyone(c), ChannelID: c.id, Type: "system_channel_restored", Message: "unarchived the channel."})
}

// aboutChannel is an event for the team of a public channel, or the members of a private one.
func (s *Server) aboutChannel(c *channel, name string, data map[string]any) event {
	if c.kind == "O" {
		return event{name: name, team: c.team, data: data}
	}
	return event{name: name, channel: c.id, data: data}
}

// Rename changes the title of a channel.
func (s *Server) Rename(channel, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rename(s.channels[channel], title)
}

func (s *Server) rename(c *channel, title string) {
	c.title, c.updated = title, s.now()
	s.write(&post{UserID: s.anyone(c), ChannelID: c.id, Type: "system_displayname_change", Message: "updated the channel display name."})
	s.publish(event{name: "channel_updated", channel: c.id, data: map[string]any{"channel": text(s.channelJSON(c))}})
}

// anyone is a member of the channel, the same one every time.
func (s *Server) anyone(c *channel) string {
	for _, u := range s.order {
		if c.members[u] != nil && !s.users[u].bot {
			return u
		}
	}
	return s.order[0]
}

// Deactivate ends the account of a person; the memberships stay.
func (s *Server) Deactivate(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[user].deleted = s.now()
	s.touch()
}

// Reactivate undoes Deactivate.
func (s *Server) Reactivate(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[user].deleted = 0
	s.touch()
}

// Disable switches a bot off. Its sockets stay open and say nothing more; an older server serves it a little longer.
func (s *Server) Disable(bot string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disable(s.users[bot])
	s.touch()
}

func (s *Server) disable(u *user) {
	u.deleted, u.disabled = s.now(), time.Now().Add(s.settings.DisableLag)
}

// Enable undoes Disable: its tokens work again.
func (s *Server) Enable(bot string) { s.Reactivate(bot) }

// Revoke ends a token.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token].revoked = true
	s.touch()
}

// Renew gives a user a new token; the old ones stay as they are.
func (s *Server) Renew(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := newID()
	s.users[user].tokenOf, s.tokens[fresh] = fresh, &token{id: newID(), user: user}
	return fresh
}

// account is who may act by this token.
func (s *Server) account(tok string) *user {
	t := s.tokens[tok]
	if t == nil || t.revoked {
		return nil
	}
	u := s.users[t.user]
	if u.deleted > 0 && (!u.bot || time.Now().After(u.disabled)) {
		return nil
	}
	return u
}

// Direct is the direct channel of two users, opened if need be.
func (s *Server) Direct(a, b string) (channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.direct(a, b).id
}

// between is the direct channel of two users; nil: nobody opened it.
func (s *Server) between(a, b string) *channel {
	for _, c := range s.channels {
		if c.name == directName(a, b) {
			return c
		}
	}
	return nil
}

func directName(a, b string) string { return min(a, b) + "__" + max(a, b) }

func (s *Server) direct(a, b string) *channel {
	if c := s.between(a, b); c != nil {
		return c
	}
	c := s.newChannel("", "D", directName(a, b), "")
	c.members[a], c.members[b] = &member{}, &member{}
	s.publish(event{name: "direct_added", channel: c.id, data: map[string]any{"creator_id": a, "teammate_id": b}})
	return c
}

// apart: the setting for DMs keeps these two from each other.
func (s *Server) apart(a, b string) bool {
	if !s.settings.RestrictDMs || a == b || s.version == V9 && (s.users[a].bot || s.users[b].bot) {
		return false
	}
	for _, t := range s.teams {
		if t.members[a] != nil && t.members[b] != nil {
			return false
		}
	}
	return true
}

func (s *Server) admin(u string) bool { return s.users[u].SystemAdmin }

// reads: may u read this channel.
func (s *Server) reads(u string, c *channel) bool {
	switch {
	case c == nil:
		return false
	case c.members[u] != nil:
		return true
	case s.admin(u):
		return s.version == V11 || c.kind != "D" && c.kind != "G"
	}
	return c.kind == "O" && s.teams[c.team].members[u] != nil
}

// theBot is the first bot.
func (s *Server) theBot() string {
	for _, u := range s.order {
		if s.users[u].bot {
			return u
		}
	}
	s.t.Error("there is no bot")
	return ""
}

func (s *Server) userJSON(u *user, asker string) map[string]any {
	roles, email := "system_user", u.Name+"@example.org"
	if u.SystemAdmin {
		roles = "system_admin system_user"
	}
	if u.bot {
		email = u.Name + "@localhost"
	}
	if s.settings.HideEmail && asker != u.id && !s.admin(asker) {
		email = ""
	}
	zone := map[string]string{"useAutomaticTimezone": "true", "automaticTimezone": u.Zone, "manualTimezone": ""}
	if u.ZoneByHand {
		zone = map[string]string{"useAutomaticTimezone": "false", "automaticTimezone": "", "manualTimezone": u.Zone}
	}
	j := map[string]any{
		"id": u.id, "create_at": u.created, "update_at": u.created, "delete_at": u.deleted, "username": u.Name, "auth_data": "", "auth_service": "",
		"email": email, "nickname": u.Nickname, "first_name": u.First, "last_name": u.Last, "position": "", "roles": roles, "locale": u.Locale,
		"timezone": zone, "disable_welcome_email": false,
	}
	if u.bot {
		j["is_bot"], j["bot_description"] = true, ""
	}
	return j
}

func (s *Server) channelJSON(c *channel) map[string]any {
	return map[string]any{
		"id": c.id, "create_at": c.created, "update_at": c.updated, "delete_at": c.deleted, "team_id": c.team, "type": c.kind, "display_name": c.title,
		"name": c.name, "header": "", "purpose": "", "last_post_at": c.lastPost, "last_root_post_at": c.lastRoot, "total_msg_count": c.msgs,
		"total_msg_count_root": c.roots, "extra_update_at": 0, "creator_id": "", "scheme_id": nil, "props": nil, "group_constrained": nil, "shared": nil,
	}
}

func (s *Server) teamJSON(t *team) map[string]any {
	return map[string]any{
		"id": t.id, "create_at": t.created, "update_at": t.created, "delete_at": 0, "display_name": t.name, "name": t.name, "description": "",
		"email": "", "type": "O", "company_name": "", "allowed_domains": "", "invite_id": "", "allow_open_invite": false, "scheme_id": nil,
	}
}

func memberJSON(m *member, what, id, user string) map[string]any {
	roles := what + "_user"
	if m.admin {
		roles += " " + what + "_admin"
	}
	j := map[string]any{
		what + "_id": id, "user_id": user, "roles": roles, "scheme_guest": false, "scheme_user": true, "scheme_admin": m.admin, "explicit_roles": "",
		"delete_at": 0,
	}
	if what == "channel" {
		delete(j, "delete_at")
		j["last_viewed_at"], j["msg_count"], j["mention_count"], j["last_update_at"], j["notify_props"] = 0, 0, 0, m.joined, map[string]string{}
	}
	return j
}

// named orders users as the server lists them.
func (s *Server) named(members map[string]*member) []*user {
	var all []*user
	for id := range members {
		all = append(all, s.users[id])
	}
	slices.SortFunc(all, func(a, b *user) int { return strings.Compare(a.Name, b.Name) })
	return all
}
