package slacktest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// User is an account.
type User struct {
	ID, Name, RealName string // RealName is at first Name
	TZ, Locale         string // as Europe/Amsterdam, nl-NL; may be empty

	Bot, Deleted, Admin, Owner bool
	Guest, SingleGuest         bool
	Stranger                   bool // of another workspace
}

// Channel is a channel, not a direct one.
type Channel struct {
	ID, Name string
	Private  bool
	Archived bool
	Shared   bool // with another workspace
	Members  []string
}

// channel is any conversation.
type channel struct {
	Channel
	created  int64
	im, mpim bool
	user     string // the person of a direct channel with the bot
	deleted  bool
	messages []*message
	names    []string // that it had
}

// AddUser makes an account. An ID is made up if it has none.
func (s *Server) AddUser(u User) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		u.ID = newID("U")
	}
	if u.Name == "" {
		u.Name = strings.ToLower(u.ID)
	}
	if u.RealName == "" {
		u.RealName = u.Name
	}
	s.users[u.ID] = &u
	s.order = append(s.order, u.ID)
	return u.ID
}

// ChangeUser changes an account: deactivates it, makes it a guest, moves it.
func (s *Server) ChangeUser(id string, change func(*User)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.users[id])
}

// AddChannel makes a channel. It says nothing to the bot, also if that is a member.
func (s *Server) AddChannel(c Channel) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.ID == "" {
		c.ID = newID("C")
	}
	c.Members = slices.Clone(c.Members)
	s.add(&channel{Channel: c, created: s.said().Unix()})
	return c.ID
}

func (s *Server) add(c *channel) {
	s.channels[c.ID] = c
	s.chanOrder = append(s.chanOrder, c.ID)
}

// direct is the direct channel of a person with the bot.
func (s *Server) direct(user string) *channel {
	for _, id := range s.chanOrder {
		if c := s.channels[id]; c.im && c.user == user {
			return c
		}
	}
	c := &channel{Channel: Channel{ID: newID("D"), Members: []string{s.bot, user}}, created: s.said().Unix(), im: true, user: user}
	s.add(c)
	return c
}

// Direct is the id of a person's direct channel with the bot.
func (s *Server) Direct(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.direct(user).ID
}

func (c *channel) has(user string) bool { return slices.Contains(c.Members, user) }

func (c *channel) kind() string {
	switch {
	case c.im:
		return "im"
	case c.mpim:
		return "mpim"
	case c.Private:
		return "group"
	}
	return "channel"
}

// letter is what events call the kind of a channel.
func (c *channel) letter() string {
	if c.Private {
		return "G"
	}
	return "C"
}

// scope is what a call needs for a conversation of that kind: "channels:read", "im:history".
func (c *channel) scope(what string) string {
	switch c.kind() {
	case "im":
		return "im:" + what
	case "mpim":
		return "mpim:" + what
	case "group":
		return "groups:" + what
	}
	return "channels:" + what
}

// prefix is how the events of a channel begin.
func (c *channel) prefix() string {
	if c.Private {
		return "group_"
	}
	return "channel_"
}

// Join makes a person a member of a channel; the bot too.
func (s *Server) Join(channel, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	if c.has(user) {
		return
	}
	c.Members = append(c.Members, user)
	s.write(&message{ch: c, user: user, text: "<@" + user + "> has joined the channel", subtype: "channel_join"})
	if c.has(s.bot) {
		s.event("member_joined_channel", obj{"user": user, "channel": c.ID, "channel_type": c.letter(), "team": s.opts.Team})
	}
}

// Leave takes a member away. If it is the bot, somebody removed it.
func (s *Server) Leave(channel, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	if !c.has(user) {
		return
	}
	had := c.has(s.bot)
	c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return m == user })
	s.write(&message{ch: c, user: user, text: "<@" + user + "> has left the channel", subtype: "channel_leave"})
	if had {
		s.event("member_left_channel", obj{"user": user, "channel": c.ID, "channel_type": c.letter(), "team": s.opts.Team})
	}
	if user == s.bot {
		s.event(c.prefix()+"left", obj{"channel": c.ID, "actor_id": "USLACKUSER"})
	}
}

// Archive archives a channel.
func (s *Server) Archive(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.Archived = true
	s.tell(c, c.prefix()+"archive", obj{"channel": c.ID, "user": "USLACKUSER", "is_moved": 0})
}

// Unarchive ends Archive. The members stay, as of a public channel; Leave removes the bot.
func (s *Server) Unarchive(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.Archived = false
	s.tell(c, c.prefix()+"unarchive", obj{"channel": c.ID, "user": "USLACKUSER"})
}

// DeleteChannel deletes a channel for good.
func (s *Server) DeleteChannel(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.deleted = true
	s.tell(c, c.prefix()+"deleted", obj{"channel": c.ID, "actor_id": "USLACKUSER"})
}

// Rename renames a channel.
func (s *Server) Rename(channel, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.names = append(c.names, c.Name)
	c.Name = name
	s.tell(c, c.prefix()+"rename", obj{"channel": obj{"id": c.ID, "name": name, "name_normalized": name, "created": c.created, "is_channel": !c.Private, "is_mpim": false}})
}

// ChangeID gives a channel another id, as sharing it can.
func (s *Server) ChangeID(channel string) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	old := c.ID
	delete(s.channels, old)
	c.ID = newID("C")
	s.channels[c.ID] = c
	s.chanOrder[slices.Index(s.chanOrder, old)] = c.ID
	s.tell(c, "channel_id_changed", obj{"old_channel_id": old, "new_channel_id": c.ID})
	return c.ID
}

// Share shares a channel with another workspace.
func (s *Server) Share(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.Shared = true
	s.tell(c, "channel_shared", obj{"connected_team_id": "T0OTHERTEAM", "channel": c.ID})
}

// Unshare ends Share.
func (s *Server) Unshare(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channel]
	c.Shared = false
	s.tell(c, "channel_unshared", obj{"previously_connected_team_id": "T0OTHERTEAM", "channel": c.ID, "is_ext_shared": false})
}

// tell is an event about a channel, which the app gets as a member.
func (s *Server) tell(c *channel, name string, inner obj) {
	if c.has(s.bot) {
		s.event(name, inner)
	}
}

// Revoke revokes the bot token and says so.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token(false).state = "token_revoked"
	s.event("tokens_revoked", obj{"tokens": obj{"oauth": []string{}, "bot": []string{s.bot}}})
}

// RevokeOther says that the token of somebody else was revoked.
func (s *Server) RevokeOther(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.event("tokens_revoked", obj{"tokens": obj{"oauth": []string{user}, "bot": []string{}}})
}

// Uninstall removes the app: its tokens end and it is told.
func (s *Server) Uninstall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token(false).state = "account_inactive"
	s.event("tokens_revoked", obj{"tokens": obj{"oauth": []string{}, "bot": []string{s.bot}}})
	s.event("app_uninstalled", obj{})
}

// RateLimitEvents says that events were withheld, as the outer kind of event that Slack has for it.
func (s *Server) RateLimitEvents() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch(&delivery{kind: "events_api", name: "app_rate_limited", url: eventsURL, payload: text(obj{
		"token": "verification", "type": "app_rate_limited", "team_id": s.opts.Team, "minute_rate_limited": s.said().Unix() / 60 * 60, "api_app_id": s.app,
	})})
}

// subscription is what an app subscribes to for an event.
func subscription(name string, inner obj) string {
	if name != "message" {
		return name
	}
	return map[string]string{"im": "message.im", "mpim": "message.mpim", "group": "message.groups", "channel": "message.channels"}[str(inner["channel_type"])]
}

// event sends an event, if the app wants it.
func (s *Server) event(name string, inner obj) {
	if !slices.Contains(s.opts.Events, subscription(name, inner)) {
		return
	}
	if scope := eventScope(name, inner); scope != "" && !slices.Contains(s.token(false).scopes, scope) {
		return
	}
	inner = maps.Clone(inner)
	inner["type"] = name
	if s.opts.Enterprise != "" && name == "message" {
		inner["user_team"] = s.opts.Team
	}
	if inner["event_ts"] == nil {
		inner["event_ts"] = s.ts()
	}
	s.dispatch(&delivery{kind: "events_api", name: name, url: eventsURL, payload: text(s.outer("Ev"+newID("")[1:], inner))})
}

func eventScope(name string, inner obj) string {
	switch {
	case name == "message":
		return map[string]string{"im": "im:history", "mpim": "mpim:history", "group": "groups:history", "channel": "channels:history"}[str(inner["channel_type"])]
	case strings.HasPrefix(name, "channel_"):
		return "channels:read"
	case strings.HasPrefix(name, "group_"):
		return "groups:read"
	}
	return ""
}

func (s *Server) outer(id string, inner any) obj {
	o := obj{
		"token": "verification", "team_id": s.opts.Team, "api_app_id": s.app, "event": inner, "type": "event_callback", "event_id": id,
		"event_time": s.said().Unix(), "is_ext_shared_channel": false, "event_context": "4-" + strings.ToLower(random(20)),
		"authorizations": []obj{{"enterprise_id": nil, "team_id": s.opts.Team, "user_id": s.bot, "is_bot": true, "is_enterprise_install": false}},
	}
	if s.opts.Enterprise != "" {
		o["enterprise_id"] = s.opts.Enterprise
	}
	return o
}

// Emit sends any event, whatever the app wants; inner has its type. It comes again like others. A second one with the same id is
// the same event for the bot.
func (s *Server) Emit(id string, inner any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := "event"
	if o, ok := inner.(obj); ok && str(o["type"]) != "" {
		name = str(o["type"])
	}
	if id == "" {
		id = "Ev" + newID("")[1:]
	}
	s.dispatch(&delivery{kind: "events_api", name: name, url: eventsURL, payload: text(s.outer(id, inner))})
}

// EmitOuter sends any payload as an event, as an unknown outer type.
func (s *Server) EmitOuter(payload any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch(&delivery{kind: "events_api", name: "outer", url: eventsURL, payload: text(payload)})
}

// Hold keeps events back until Reorder.
func (s *Server) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = true
}

// Reorder sends what Hold kept back, the last first.
func (s *Server) Reorder() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = false
	for _, d := range slices.Backward(s.hold) {
		s.transmit(d)
	}
	s.hold = nil
}

// Repeat sends the last event again, as it was; newID: under another event id.
func (s *Server) Repeat(otherID bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.last
	if d == nil {
		s.t.Error("there was no event to repeat")
		return
	}
	payload := d.payload
	if otherID {
		o := asObject(payload)
		o["event_id"] = "Ev" + newID("")[1:]
		payload = text(o)
	}
	s.dispatch(&delivery{kind: d.kind, name: d.name, url: d.url, payload: payload})
	s.last = d
}

// userJSON is an account as the API shows it.
func (s *Server) userJSON(u *User, locale bool) obj {
	o := obj{
		"id": u.ID, "team_id": s.opts.Team, "name": u.Name, "deleted": u.Deleted, "color": "9f69e7", "real_name": u.RealName,
		"profile": obj{
			"real_name": u.RealName, "real_name_normalized": u.RealName, "display_name": u.Name, "display_name_normalized": u.Name,
			"avatar_hash": "g1234567890", "team": s.opts.Team, "fields": nil, "status_text": "", "status_emoji": "", "title": "", "phone": "",
		},
		"is_bot": u.Bot, "is_app_user": false, "updated": s.said().Unix(), "who_can_share_contact_card": "EVERYONE",
	}
	if u.Deleted {
		return o // a deactivated account has no roles and no zone
	}
	o["is_admin"], o["is_owner"], o["is_primary_owner"] = u.Admin || u.Owner, u.Owner, false
	o["is_restricted"], o["is_ultra_restricted"] = u.Guest || u.SingleGuest, u.SingleGuest
	o["is_email_confirmed"] = true
	if u.Stranger {
		o["is_stranger"], o["team_id"] = true, "T0OTHERTEAM"
	}
	if u.TZ != "" {
		o["tz"], o["tz_label"], o["tz_offset"] = u.TZ, u.TZ, 0
		if l, err := time.LoadLocation(u.TZ); err == nil {
			label, offset := s.said().In(l).Zone()
			o["tz_label"], o["tz_offset"] = label, offset
		}
	}
	if locale && u.Locale != "" {
		o["locale"] = u.Locale
	}
	return o
}

// channelJSON is a conversation as the API shows it to the bot.
func (s *Server) channelJSON(c *channel) obj {
	if c.im {
		return obj{
			"id": c.ID, "created": c.created, "is_im": true, "is_org_shared": false, "user": c.user, "is_user_deleted": s.users[c.user].Deleted,
			"is_archived": false, "is_open": true, "priority": 0, "context_team_id": s.opts.Team,
		}
	}
	o := obj{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "created": c.created, "creator": "USLACKUSER", "unlinked": 0,
		"is_channel": !c.Private, "is_group": c.Private, "is_private": c.Private, "is_im": false, "is_mpim": c.mpim, "is_archived": c.Archived,
		"is_general": false, "is_shared": c.Shared, "is_ext_shared": c.Shared, "is_org_shared": false, "is_pending_ext_shared": false,
		"pending_shared": []string{}, "pending_connected_team_ids": []string{}, "parent_conversation": nil, "context_team_id": s.opts.Team,
		"shared_team_ids": []string{s.opts.Team}, "is_member": c.has(s.bot), "topic": obj{"value": "", "creator": "", "last_set": 0},
		"purpose": obj{"value": "", "creator": "", "last_set": 0}, "previous_names": append([]string{}, c.names...), "updated": c.created * 1000,
	}
	if c.Shared {
		o["shared_team_ids"] = []string{s.opts.Team, "T0OTHERTEAM"}
	}
	return o
}
