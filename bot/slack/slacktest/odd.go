package slacktest

import (
	"fmt"
	"maps"
	"strings"
)

// Odd is a payload that Slack may send one day, and that no client knows now.
type Odd struct {
	Name    string // what is odd about it
	Kind    string // of the envelope: events_api, interactive, slash_commands
	Payload map[string]any
	Counts  string // not empty: it is an ordinary message to the bot all the same, with this text
}

// SendOdd sends it, as an event that comes again or as an interaction that does not, by what the app uses. It returns the error
// that a person would see.
func (s *Server) SendOdd(o Odd) (err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &delivery{kind: o.Kind, name: o.Name, payload: text(o.Payload), url: eventsURL}
	switch o.Kind {
	case "interactive":
		d.form, d.url, d.accepts = "payload", interactionsURL, true
	case "slash_commands":
		d.form, d.url, d.accepts = "fields", commandsURL, true
	default:
		s.dispatch(d)
		return ""
	}
	s.interact(d)
	return d.err
}

// Odds is every kind of payload with something unknown or odd in it, around a direct message or a button of this person.
func (s *Server) Odds(user string) []Odd {
	dm := s.Direct(user)
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Odd
	event := func(name string, inner obj, counts string) {
		list = append(list, Odd{Name: name, Kind: "events_api", Payload: s.outer("Ev"+newID("")[1:], inner), Counts: counts})
	}
	typed := func(name string, more obj) {
		words := "odd " + name
		m := obj{
			"type": "message", "channel": dm, "channel_type": "im", "user": user, "text": words, "ts": s.ts(), "event_ts": s.ts(), "team": s.opts.Team,
			"client_msg_id": random(12),
		}
		maps.Copy(m, more)
		event("message with "+name, m, words)
	}
	rich := func(e ...any) []any {
		return []any{obj{"type": "rich_text", "block_id": "r", "elements": []any{obj{"type": "rich_text_section", "elements": e}}}}
	}
	typed("an unknown block", obj{"blocks": []any{obj{"type": "hologram", "block_id": "h", "depth": 3}}})
	typed("a block that is text", obj{"blocks": []any{"block"}})
	typed("blocks that are an object", obj{"blocks": obj{"type": "section"}})
	typed("blocks that are null", obj{"blocks": nil})
	typed("an unknown rich text part", obj{"blocks": rich(obj{"type": "smell", "of": "coffee"}, obj{"type": "text", "text": "x"})})
	typed("an unknown element in actions", obj{"blocks": []any{obj{"type": "actions", "elements": []any{obj{"type": "joystick", "action_id": "j"}}}}})
	typed("an unknown element in input", obj{"blocks": []any{obj{"type": "input", "label": obj{"type": "plain_text", "text": "x"}, "element": obj{"type": "joystick"}}}})
	typed("an unknown element in context", obj{"blocks": []any{obj{"type": "context", "elements": []any{obj{"type": "joystick"}}}}})
	typed("an unknown accessory", obj{"blocks": []any{obj{"type": "section", "text": obj{"type": "mrkdwn", "text": "x"}, "accessory": obj{"type": "joystick"}}}})
	typed("an attachment with odd fields", obj{"attachments": []any{obj{"id": "one", "ts": obj{"at": 1}, "fields": "none", "actions": 7}}})
	typed("an attachment that is a number", obj{"attachments": []any{7}})
	typed("odd metadata", obj{"metadata": "none"})
	typed("odd reactions", obj{"reactions": obj{"name": "thumbsup"}, "pinned_to": 7, "edited": false})
	typed("an app context", obj{"app_context": obj{"entities": []any{obj{"type": "slack#/types/new", "value": 7}}}})
	typed("a bot profile that is null", obj{"bot_profile": nil, "bot_id": nil, "app_id": nil})
	for _, sub := range []string{"unknown_one", "channel_join", "bot_message", "reminder_add", "huddle_thread", "me_message", "assistant_app_thread", "message_replied"} {
		event("subtype "+sub, obj{"type": "message", "subtype": sub, "channel": dm, "channel_type": "im", "user": user, "text": "odd", "ts": s.ts()}, "")
	}
	event("message_changed without a message", obj{"type": "message", "subtype": "message_changed", "channel": dm, "channel_type": "im", "ts": s.ts()}, "")
	event("message_changed with a text for a message", obj{"type": "message", "subtype": "message_changed", "channel": dm, "channel_type": "im", "message": "x", "ts": s.ts()}, "")
	event("message_deleted of something unknown", obj{"type": "message", "subtype": "message_deleted", "channel": dm, "channel_type": "im", "deleted_ts": "1.000001", "ts": s.ts()}, "")
	event("message with a text that is a number", obj{"type": "message", "channel": dm, "channel_type": "im", "user": user, "text": 7, "ts": s.ts()}, "")
	event("message with a ts that is a number", obj{"type": "message", "channel": dm, "channel_type": "im", "user": user, "text": "odd", "ts": 1.5}, "")
	event("message with a user that is an object", obj{"type": "message", "channel": dm, "channel_type": "im", "user": obj{"id": user}, "text": "odd", "ts": s.ts()}, "")
	event("message in an unknown kind of channel", obj{"type": "message", "channel": "X0UNKNOWN", "channel_type": "planet", "user": user, "text": "odd", "ts": s.ts()}, "")
	event("message of nobody", obj{"type": "message", "channel": dm, "channel_type": "im", "text": "odd", "ts": s.ts()}, "")
	event("an unknown event", obj{"type": "coffee_ready", "user": user, "cups": []any{1, 2}}, "")
	event("an event without a type", obj{"user": user}, "")
	event("an event with a type that is a number", obj{"type": 7}, "")
	event("a Home of an unknown tab", obj{"type": "app_home_opened", "user": user, "channel": dm, "tab": "about", "event_ts": s.ts()}, "")
	event("a Home with odd fields", obj{"type": "app_home_opened", "user": user, "channel": dm, "tab": 7, "view": "none"}, "")
	event("a rename that is text", obj{"type": "channel_rename", "channel": "name"}, "")
	event("a member without a channel", obj{"type": "member_joined_channel", "user": user}, "")
	event("tokens that are a list", obj{"type": "tokens_revoked", "tokens": []any{"x"}}, "")
	for i, outer := range []obj{
		{"type": "unknown_outer", "team_id": s.opts.Team}, {"type": "event_callback", "team_id": s.opts.Team, "event": nil, "event_id": "Ev1ODD"}, {"type": nil}, {},
		{"type": "event_callback", "event_id": 7, "event_time": "now", "authorizations": obj{}, "event": obj{"type": "coffee_ready"}},
		{"type": "event_callback", "team_id": "T0OTHERTEAM", "event_id": "Ev2ODD", "event": obj{"type": "message", "channel": dm, "channel_type": "im", "user": user, "text": "odd", "ts": s.ts()}},
	} {
		list = append(list, Odd{Name: fmt.Sprintf("outer %d", i), Kind: "events_api", Payload: outer})
	}
	press := func(name string, more obj) {
		p := s.interaction("block_actions", user)
		p["trigger_id"], p["container"] = s.newTrigger(user, nil), obj{"type": "message", "message_ts": "1.000001", "channel_id": dm}
		p["channel"], p["message"] = obj{"id": dm, "name": "directmessage"}, obj{"type": "message", "ts": "1.000001", "user": s.bot, "text": "x"}
		p["actions"] = []any{obj{"type": "button", "action_id": "odd", "block_id": "odd", "value": "odd", "action_ts": s.ts()}}
		maps.Copy(p, more)
		list = append(list, Odd{Name: "press with " + name, Kind: "interactive", Payload: p})
	}
	press("an unknown action", obj{"actions": []any{obj{"type": "joystick", "action_id": "j", "block_id": "b", "position": []any{1, 2}}}})
	press("actions that are null", obj{"actions": nil})
	press("no actions", obj{"actions": []any{}})
	press("an action without a block", obj{"actions": []any{obj{"type": "button", "name": "x", "value": "y"}}})
	press("a value that is an object", obj{"actions": []any{obj{"type": "button", "action_id": "a", "block_id": "b", "value": obj{}}}})
	press("an unknown block in the message", obj{"message": obj{"type": "message", "ts": "1.000001", "text": "x", "blocks": []any{obj{"type": "hologram"}}}})
	press("a message with odd attachments", obj{"message": obj{"type": "message", "ts": "1.000001", "attachments": []any{obj{"id": "one", "fields": 7}}}})
	press("an unknown container", obj{"container": obj{"type": "planet"}, "message": nil, "channel": nil})
	press("a state that is text", obj{"state": "none"})
	press("a person without a team", obj{"user": obj{"id": user}, "team": nil})
	for _, kind := range []string{"coffee_break", "block_suggestion", "interactive_message", "workflow_step_edit", "dialog_submission"} {
		p := s.interaction(kind, user)
		p["trigger_id"] = s.newTrigger(user, nil)
		list = append(list, Odd{Name: "interaction " + kind, Kind: "interactive", Payload: p})
	}
	for name, v := range map[string]any{
		"of an unknown callback": obj{"id": "V0ODD", "type": "modal", "callback_id": "unknown", "state": obj{"values": obj{}}, "blocks": []any{}},
		"with odd values":        obj{"id": "V1ODD", "type": "modal", "callback_id": "reply", "state": obj{"values": obj{"b": obj{"a": obj{"type": "joystick", "position": 7}}}}, "blocks": []any{obj{"type": "hologram"}}},
		"with values of text":    obj{"id": "V2ODD", "type": "modal", "callback_id": "reply", "state": obj{"values": "none"}},
		"without a view":         nil,
	} {
		p := s.interaction("view_submission", user)
		p["trigger_id"], p["view"] = s.newTrigger(user, nil), v
		list = append(list, Odd{Name: "form " + name, Kind: "interactive", Payload: p})
	}
	for name, more := range map[string]obj{
		"with a bool": {"is_enterprise_install": true}, "of an unknown name": {"command": "/unknown"}, "without a text": {"text": nil}, "of nobody": {"user_id": nil},
	} {
		p := obj{
			"token": "verification", "team_id": s.opts.Team, "channel_id": dm, "channel_name": "directmessage", "user_id": user, "user_name": "x",
			"command": strings.Join(s.opts.Commands, ""), "text": "odd", "api_app_id": s.app, "is_enterprise_install": "false", "trigger_id": s.newTrigger(user, nil),
			"response_url": "",
		}
		maps.Copy(p, more)
		list = append(list, Odd{Name: "command " + name, Kind: "slash_commands", Payload: p})
	}
	return list
}
