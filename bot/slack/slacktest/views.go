package slacktest

import (
	"maps"
	"time"
)

const stackCap = 3 // views of one modal

// view is a modal or a Home.
type view struct {
	id, hash, user string
	json           obj // as the bot sent it, with ids
	home           bool
	root, previous string
	values         map[string]map[string]obj // what was filled in, by block and action
	gone           bool
}

func (v *view) kind() string {
	if v.home {
		return onHome
	}
	return onModal
}

// viewJSON is a view as the API and interactions show it.
func (s *Server) viewJSON(v *view) obj {
	o := obj{
		"id": v.id, "team_id": s.opts.Team, "type": v.kind(), "blocks": v.json["blocks"], "private_metadata": str(v.json["private_metadata"]),
		"callback_id": str(v.json["callback_id"]), "state": obj{"values": s.values(v)}, "hash": v.hash, "title": v.json["title"],
		"clear_on_close": v.json["clear_on_close"] == true, "notify_on_close": v.json["notify_on_close"] == true, "close": v.json["close"],
		"submit": v.json["submit"], "previous_view_id": nil, "root_view_id": v.root, "app_id": s.app, "external_id": str(v.json["external_id"]),
		"app_installed_team_id": s.opts.Team, "bot_id": s.botID,
	}
	if v.previous != "" {
		o["previous_view_id"] = v.previous
	}
	if v.home {
		o["title"] = obj{"type": "plain_text", "text": "View Title", "emoji": true}
	}
	return o
}

// values is the state of a view: every element that holds something, also if nobody touched it.
func (s *Server) values(v *view) obj {
	out := obj{}
	for _, c := range controls(v.json["blocks"]) {
		if c.Type == "button" || c.Type == "overflow" || c.Type == "workflow_button" {
			continue
		}
		x := v.values[c.BlockID][c.ActionID]
		if x == nil {
			x = c.atFirst()
		}
		b, _ := out[c.BlockID].(obj)
		if b == nil {
			b = obj{}
			out[c.BlockID] = b
		}
		b[c.ActionID] = x
	}
	return out
}

// newHash is a hash: rising, as Slack's.
func (s *Server) newHash() string { return s.ts()[:10] + "." + random(8) }

// accept is a view that a call or an answer names, checked; into is the view that it replaces.
func (s *Server) accept(v any, kind string, into *view) (obj, *fail) {
	o, ok := v.(obj)
	if !ok {
		return nil, detailed("invalid_arguments", "[ERROR] view must be an object [json-pointer:/view]")
	}
	if len(text(o)) > viewCap {
		return nil, no("view_too_large")
	}
	if list := checkView(o, s.settings.NewBlocks); len(list) > 0 {
		return nil, detailed("invalid_arguments", lines(list)...)
	}
	if str(o["type"]) != kind {
		return nil, detailed("invalid_arguments", "[ERROR] must be a "+kind+" [json-pointer:/view/type]")
	}
	if id := str(o["external_id"]); id != "" {
		for _, x := range s.views {
			if !x.gone && x != into && str(x.json["external_id"]) == id {
				return nil, no("duplicate_external_id")
			}
		}
	}
	o = maps.Clone(o)
	blocks, _ := o["blocks"].([]any)
	o["blocks"] = finishBlocks(blocks)
	for _, name := range []string{"title", "submit", "close"} {
		if o[name] != nil {
			o[name] = finish(o[name])
		}
	}
	return o, nil
}

// trigger is what a person's act allows once.
type trigger struct {
	user string
	at   time.Time // by the clock
	used bool
	view *view // where it was made, if in a modal
}

func (s *Server) newTrigger(user string, v *view) string {
	id := random(12) + "." + random(12) + "." + random(32)
	s.triggers[id] = &trigger{user: user, at: s.clock(), view: v}
	return id
}

// triggered is the trigger that a call names, if it can still be used.
func (s *Server) triggered(c *call) (*trigger, *fail) {
	id := c.str("trigger_id")
	if id == "" {
		id = c.str("interactivity_pointer")
	}
	t := s.triggers[id]
	switch {
	case id == "":
		return nil, detailed("invalid_arguments", "[ERROR] missing required field: trigger_id")
	case t == nil:
		return nil, no("invalid_trigger_id")
	case t.used:
		return nil, no("exchanged_trigger_id")
	case s.clock().Sub(t.at) > s.settings.TriggerLife:
		return nil, no("expired_trigger_id")
	}
	return t, nil
}

func (s *Server) showView(by, user string, v any, e *fail) {
	s.shown = append(s.shown, Shown{By: by, User: user, Accepted: e == nil, JSON: text(v)})
}

func (s *Server) newView(user string, o obj) *view {
	v := &view{id: newID("V"), user: user, json: o, hash: s.newHash(), values: map[string]map[string]obj{}}
	s.views[v.id] = v
	return v
}

func viewsOpen(s *Server, c *call) (obj, *fail) { return s.raise(c, false) }

func viewsPush(s *Server, c *call) (obj, *fail) { return s.raise(c, true) }

// raise opens or pushes a modal.
func (s *Server) raise(c *call, push bool) (out obj, e *fail) {
	raw, ok := c.json("view")
	user := ""
	defer func() { s.showView(c.method, user, raw, e) }()
	if !ok {
		return nil, detailed("invalid_arguments", "[ERROR] view is no JSON")
	}
	o, e := s.accept(raw, onModal, nil)
	if e != nil {
		return nil, e
	}
	t, e := s.triggered(c)
	if e != nil {
		return nil, e
	}
	user = t.user
	if push {
		switch {
		case t.view == nil || t.view.gone || t.view.home:
			return nil, no("not_found")
		case len(s.stacks[t.user]) >= stackCap:
			return nil, no("push_limit_reached")
		}
	}
	t.used = true
	v := s.newView(t.user, o)
	s.put(v, push)
	return obj{"view": s.viewJSON(v)}, nil
}

// put shows a modal: on top of the others, or in their place.
func (s *Server) put(v *view, push bool) {
	stack := s.stacks[v.user]
	if !push {
		for _, x := range stack {
			x.gone = true
		}
		stack = nil
	}
	v.root = v.id
	if len(stack) > 0 {
		v.root, v.previous = stack[0].id, stack[len(stack)-1].id
	}
	s.stacks[v.user] = append(stack, v)
}

// swap changes what a view shows. What was filled in stays where block and action are the same.
func (s *Server) swap(v *view, o obj) {
	v.json, v.hash = o, s.newHash()
	kept := map[string]map[string]obj{}
	for _, c := range controls(o["blocks"]) {
		if x := v.values[c.BlockID][c.ActionID]; x != nil && str(x["type"]) == c.Type {
			if kept[c.BlockID] == nil {
				kept[c.BlockID] = map[string]obj{}
			}
			kept[c.BlockID][c.ActionID] = x
		}
	}
	v.values = kept
}

func viewsUpdate(s *Server, c *call) (out obj, e *fail) {
	raw, ok := c.json("view")
	user := ""
	defer func() { s.showView(c.method, user, raw, e) }()
	if !ok {
		return nil, detailed("invalid_arguments", "[ERROR] view is no JSON")
	}
	if (c.str("view_id") == "") == (c.str("external_id") == "") {
		return nil, detailed("invalid_arguments", "[ERROR] one of view_id and external_id")
	}
	v := s.views[c.str("view_id")]
	if id := c.str("external_id"); id != "" {
		for _, x := range s.views {
			if !x.gone && str(x.json["external_id"]) == id {
				v = x
			}
		}
	}
	if v == nil || v.gone {
		return nil, no("not_found")
	}
	user = v.user
	o, e := s.accept(raw, v.kind(), v)
	if e != nil {
		return nil, e
	}
	if h := c.str("hash"); h != "" && h != v.hash {
		return nil, no("hash_conflict")
	}
	s.swap(v, o)
	return obj{"view": s.viewJSON(v)}, nil
}

func viewsPublish(s *Server, c *call) (out obj, e *fail) {
	raw, ok := c.json("view")
	user := c.str("user_id")
	defer func() { s.showView(c.method, user, raw, e) }()
	u := s.users[user]
	switch {
	case !ok:
		return nil, detailed("invalid_arguments", "[ERROR] view is no JSON")
	case u == nil || u.Deleted || u.Bot:
		return nil, detailed("invalid_arguments", "[ERROR] no such user [json-pointer:/user_id]")
	case s.settings.HomeOff:
		return nil, no("not_enabled")
	}
	v := s.homes[user]
	o, e := s.accept(raw, onHome, v)
	if e != nil {
		return nil, e
	}
	if h := c.str("hash"); h != "" && (v == nil || h != v.hash) {
		return nil, no("hash_conflict")
	}
	if v == nil {
		v = s.newView(user, o)
		v.home, v.root = true, v.id
		s.homes[user] = v
	} else {
		s.swap(v, o)
	}
	return obj{"view": s.viewJSON(v)}, nil
}
