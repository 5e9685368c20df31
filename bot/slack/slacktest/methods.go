package slacktest

import (
	"slices"
	"strings"
)

func authTest(s *Server, c *call) (obj, *fail) {
	o := obj{
		"url": "https://zorggroep.slack.com/", "team": s.opts.TeamName, "user": s.users[s.bot].Name, "team_id": s.opts.Team, "user_id": s.bot,
		"bot_id": s.botID, "is_enterprise_install": false,
	}
	if s.opts.Enterprise != "" {
		o["enterprise_id"] = s.opts.Enterprise
	}
	return o, nil
}

func usersInfo(s *Server, c *call) (obj, *fail) {
	u := s.users[c.str("user")]
	if u == nil {
		return nil, no("user_not_found")
	}
	return obj{"user": s.userJSON(u, c.flag("include_locale"))}, nil
}

func usersList(s *Server, c *call) (obj, *fail) {
	part, cursor, e := page(s, c, s.order, 1000, 1000)
	if e != nil {
		return nil, e
	}
	var list []obj
	for _, id := range part {
		list = append(list, s.userJSON(s.users[id], c.flag("include_locale")))
	}
	return obj{"members": list, "cache_ts": s.said().Unix(), "response_metadata": obj{"next_cursor": cursor}}, nil
}

// lookUp is a conversation that a call names, as far as the bot sees it.
func (s *Server) lookUp(c *call, what string) (*channel, *fail) {
	ch := s.channels[c.str("channel")]
	if ch == nil || ch.deleted || !ch.has(s.bot) && (ch.Private || ch.im || ch.mpim) {
		return nil, no("channel_not_found")
	}
	return ch, s.scoped(c, ch.scope(what))
}

// listed is the conversations of the kinds that a call names.
func (s *Server) listed(c *call, keep func(*channel) bool) (obj, *fail) {
	kinds := strings.Split(c.str("types"), ",")
	if c.str("types") == "" {
		kinds = []string{"public_channel"}
	}
	scopes := map[string]string{"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}
	want := map[string]bool{}
	for _, k := range kinds {
		k = strings.TrimSpace(k)
		if scopes[k] == "" {
			return nil, no("invalid_types")
		}
		if e := s.scoped(c, scopes[k]); e != nil {
			return nil, e
		}
		want[k] = true
	}
	var all []obj
	for _, id := range s.chanOrder {
		ch := s.channels[id]
		kind := map[string]string{"channel": "public_channel", "group": "private_channel", "im": "im", "mpim": "mpim"}[ch.kind()]
		if !want[kind] || ch.deleted || ch.Archived && c.flag("exclude_archived") || !keep(ch) {
			continue
		}
		all = append(all, s.channelJSON(ch))
	}
	part, cursor, e := page(s, c, all, 100, 1000)
	if e != nil {
		return nil, e
	}
	if part == nil {
		part = []obj{}
	}
	return obj{"channels": part, "response_metadata": obj{"next_cursor": cursor}}, nil
}

func conversationsList(s *Server, c *call) (obj, *fail) {
	return s.listed(c, func(ch *channel) bool { return ch.kind() == "channel" || ch.has(s.bot) })
}

func usersConversations(s *Server, c *call) (obj, *fail) {
	user := c.str("user")
	if user == "" {
		user = s.bot
	}
	if s.users[user] == nil {
		return nil, no("user_not_found")
	}
	return s.listed(c, func(ch *channel) bool { return ch.has(user) && (ch.kind() == "channel" || ch.has(s.bot)) })
}

func conversationsInfo(s *Server, c *call) (obj, *fail) {
	ch, e := s.lookUp(c, "read")
	if e != nil {
		return nil, e
	}
	o := s.channelJSON(ch)
	if c.flag("include_num_members") && !ch.im {
		o["num_members"] = len(ch.Members)
	}
	if c.flag("include_locale") {
		o["locale"] = "en-US"
	}
	return obj{"channel": o}, nil
}

func conversationsMembers(s *Server, c *call) (obj, *fail) {
	ch, e := s.lookUp(c, "read")
	if e != nil {
		return nil, e
	}
	part, cursor, e := page(s, c, ch.Members, 100, 1000)
	if e != nil {
		return nil, e
	}
	return obj{"members": append([]string{}, part...), "response_metadata": obj{"next_cursor": cursor}}, nil
}

func conversationsOpen(s *Server, c *call) (obj, *fail) {
	var ids []string
	if list := c.str("users"); list != "" {
		ids = strings.Split(list, ",")
	}
	var ch *channel
	switch {
	case c.str("channel") != "" && len(ids) > 0, c.str("channel") == "" && len(ids) == 0:
		return nil, no("users_list_not_supplied")
	case len(ids) > 8:
		return nil, no("too_many_users")
	case c.str("channel") != "":
		if ch = s.channels[c.str("channel")]; ch == nil || !ch.has(s.bot) || !ch.im && !ch.mpim {
			return nil, no("channel_not_found")
		}
	}
	scope := "im:write"
	if len(ids) > 1 || ch != nil && ch.mpim {
		scope = "mpim:write"
	}
	if e := s.scoped(c, scope); e != nil {
		return nil, e
	}
	for _, id := range ids {
		u := s.users[id]
		switch {
		case u == nil:
			return nil, no("user_not_found")
		case u.Deleted:
			return nil, no("user_disabled")
		case u.Bot:
			return nil, no("cannot_dm_bot")
		}
	}
	was := true
	switch {
	case len(ids) == 1:
		n := len(s.channels)
		ch = s.direct(ids[0])
		was = len(s.channels) == n
	case len(ids) > 1:
		members := append([]string{s.bot}, ids...)
		slices.Sort(members)
		for _, x := range s.channels {
			if x.mpim && slices.Equal(x.Members, members) {
				ch = x
			}
		}
		if ch == nil {
			was = false
			ch = &channel{Channel: Channel{ID: newID("G"), Name: "mpdm-" + strings.ToLower(random(6)), Private: true, Members: members}, created: s.said().Unix(), mpim: true}
			s.add(ch)
		}
	}
	o := obj{"id": ch.ID}
	if c.flag("return_im") {
		o = s.channelJSON(ch)
	}
	return obj{"no_op": was, "already_open": was, "channel": o}, nil
}

// ranged is the messages of a list between the times that a call names.
func (s *Server) ranged(c *call, list []*message) ([]*message, *fail) {
	for _, n := range []string{"oldest", "latest"} {
		if v := c.str(n); v != "" && v != "0" && v != "now" {
			if _, ok := stamp(v); !ok {
				return nil, no("invalid_ts_" + n)
			}
		}
	}
	in := c.flag("inclusive")
	oldest, latest := c.str("oldest"), c.str("latest")
	var out []*message
	for _, m := range list {
		t, _ := stamp(m.ts)
		if o, ok := stamp(oldest); ok && oldest != "" && (t.Before(o) || t.Equal(o) && !in) {
			continue
		}
		if l, ok := stamp(latest); ok && latest != "" && (t.After(l) || t.Equal(l) && !in) {
			continue
		}
		out = append(out, m)
	}
	return out, nil
}

func (s *Server) paged(c *call, list []*message, most int) (obj, *fail) {
	list, e := s.ranged(c, list)
	if e != nil {
		return nil, e
	}
	part, cursor, e := page(s, c, list, min(100, most), most)
	if e != nil {
		return nil, e
	}
	messages := []obj{}
	for _, m := range part {
		messages = append(messages, s.messageJSON(m, c.flag("include_all_metadata")))
	}
	o := obj{"messages": messages, "has_more": cursor != ""}
	if cursor != "" {
		o["response_metadata"] = obj{"next_cursor": cursor}
	}
	return o, nil
}

func conversationsHistory(s *Server, c *call) (obj, *fail) {
	ch, e := s.lookUp(c, "history")
	if e != nil {
		return nil, e
	}
	if !ch.has(s.bot) {
		return nil, no("not_in_channel")
	}
	var list []*message
	for _, m := range slices.Backward(ch.messages) {
		if m.there() && (m.thread == "" || m.thread == m.ts || m.broadcast) {
			list = append(list, m)
		}
	}
	o, e := s.paged(c, list, 999)
	if e != nil {
		return nil, e
	}
	o["pin_count"], o["channel_actions_ts"], o["channel_actions_count"] = 0, nil, 0
	return o, nil
}

func conversationsReplies(s *Server, c *call) (obj, *fail) {
	ch, e := s.lookUp(c, "history")
	if e != nil {
		return nil, e
	}
	if !ch.has(s.bot) {
		return nil, no("not_in_channel")
	}
	root := ch.find(c.str("ts"))
	if root == nil {
		return nil, no("thread_not_found")
	}
	list := []*message{root}
	for _, m := range ch.messages {
		if m != root && m.there() && m.thread == root.ts {
			list = append(list, m)
		}
	}
	return s.paged(c, list, 1000)
}
