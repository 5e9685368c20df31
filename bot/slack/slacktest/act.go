package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Result is what came of an act, up to the answer of the bot, as the person sees it. What the bot does later is awaited.
type Result struct {
	Err        string            // what went wrong: operation_timeout, dispatch_failed, or why the answer is none; empty: nothing
	Response   *Message          // the answer to a command
	Ephemerals []Message         // shown to this person meanwhile
	Modal      *View             // on the screen now; nil: none
	Errors     map[string]string // of the bot, by the label of the field
	Refused    map[string]string // of the app itself, by label: the form was not sent
	Closed     bool              // the form that was sent is gone
}

// Type posts in a conversation, as a person.
func (s *Server) Type(user, channel, words string) (ts string) {
	s.t.Helper()
	return s.TypeWith(user, channel, "", words, nil)
}

// TypeDirect types to the bot.
func (s *Server) TypeDirect(user, words string) (ts string) {
	s.t.Helper()
	return s.Type(user, s.Direct(user), words)
}

// ThreadReply replies to a message.
func (s *Server) ThreadReply(user, channel, root, words string) (ts string) {
	s.t.Helper()
	return s.TypeWith(user, channel, root, words, nil)
}

// TypeWith posts with anything more in the message as the bot gets it: blocks of an unknown kind, odd attachments. root may be
// empty.
func (s *Server) TypeWith(user, channel, root, words string, extra map[string]any) (ts string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.typed(user, channel, words)
	if m == nil {
		return ""
	}
	m.thread, m.extra = root, extra
	s.write(m)
	return m.ts
}

// typed is a message as the clients of people send it.
func (s *Server) typed(user, channel, words string) *message {
	s.t.Helper()
	c, u := s.channels[channel], s.users[user]
	switch {
	case c == nil || u == nil || u.Deleted || !c.has(user) || c.Archived || c.deleted:
		s.t.Errorf("%s cannot type in %s", user, channel)
		return nil
	case c.im && s.settings.MessagesOff:
		s.t.Errorf("the app takes no messages")
		return nil
	}
	m := &message{ch: c, user: user, client: strings.ToLower(random(8) + "-" + random(4) + "-" + random(4) + "-" + random(12))}
	m.say(words)
	return m
}

// say is the text of a person: escaped, and once more as rich text.
func (m *message) say(words string) {
	m.text = escape(words)
	if words != "" {
		m.blocks = []any{obj{"type": "rich_text", "block_id": random(5), "elements": []any{
			obj{"type": "rich_text_section", "elements": []any{obj{"type": "text", "text": words}}},
		}}}
	}
}

// SendFiles posts files, voice clips too, with or without words.
func (s *Server) SendFiles(user, channel, words string, files ...File) (ts string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.typed(user, channel, words)
	if m == nil {
		return ""
	}
	m.subtype = "file_share"
	for _, f := range files {
		x := &file{id: newID("F"), name: f.Name, title: f.Title, mime: f.Mime, owner: user, size: len(f.Data), data: f.Data, audio: f.Audio, done: true}
		s.files[x.id] = x
		m.files = append(m.files, x)
	}
	s.write(m)
	return m.ts
}

// Burst types n messages to the bot, as fast as it goes.
func (s *Server) Burst(user string, n int) (stamps []string) {
	s.t.Helper()
	for i := range n {
		stamps = append(stamps, s.TypeDirect(user, fmt.Sprintf("burst %d", i)))
	}
	return stamps
}

// Edit changes the text of a message, as its author.
func (s *Server) Edit(channel, ts, words string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.channels[channel].find(ts)
	if m == nil || m.bot {
		s.t.Error("editing: there is no such message")
		return
	}
	before := s.messageJSON(m, false)
	m.say(words)
	m.edited = s.ts()
	s.change(m, before)
}

// Unfurl adds a preview of a link to a message: that changes it, and is no edit.
func (s *Server) Unfurl(channel, ts string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.channels[channel].find(ts)
	if m == nil {
		s.t.Error("unfurling: there is no such message")
		return
	}
	before := s.messageJSON(m, false)
	m.attachments = []any{obj{"id": 1, "from_url": "https://example.org/", "title": "Example", "fallback": "Example", "service_name": "example.org"}}
	s.change(m, before)
}

// Decorate adds anything to a message as the bot gets it from now on, also in a press on it; nil: nothing any more.
func (s *Server) Decorate(channel, ts string, extra map[string]any) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.channels[channel].find(ts)
	if m == nil {
		s.t.Error("decorating: there is no such message")
		return
	}
	m.extra = extra
}

// Delete takes a message away, as its author.
func (s *Server) Delete(channel, ts string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.channels[channel].find(ts)
	if m == nil {
		s.t.Error("deleting: there is no such message")
		return
	}
	s.remove(m)
}

// OpenHome opens the app on a tab: "home" or "messages".
func (s *Server) OpenHome(user, tab string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := obj{"user": user, "channel": s.direct(user).ID, "tab": tab}
	if v := s.homes[user]; v != nil && tab == "home" {
		e["view"] = s.viewJSON(v)
	}
	s.event("app_home_opened", e)
}

// person is a user as interactions have it.
func (s *Server) person(user string) obj {
	return obj{"id": user, "username": s.users[user].Name, "name": s.users[user].Name, "team_id": s.opts.Team}
}

func (s *Server) place(c *channel) obj {
	name := c.Name
	switch c.kind() {
	case "im":
		name = "directmessage"
	case "group":
		name = "privategroup"
	}
	return obj{"id": c.ID, "name": name}
}

// interaction is what every interaction has.
func (s *Server) interaction(kind, user string) obj {
	o := obj{
		"type": kind, "token": "verification", "team": obj{"id": s.opts.Team, "domain": "zorggroep"}, "user": s.person(user), "api_app_id": s.app,
		"is_enterprise_install": false, "enterprise": nil,
	}
	if id := s.opts.Enterprise; id != "" {
		o["enterprise"] = obj{"id": id, "name": "Zorgkoepel"}
		o["team"].(obj)["enterprise_id"], o["team"].(obj)["enterprise_name"] = id, "Zorgkoepel"
	}
	return o
}

// interact sends an interaction and waits for the answer.
func (s *Server) interact(d *delivery) {
	d.once = true
	s.dispatch(d)
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-d.wait:
	case <-s.done:
	}
}

// interacted sends an interaction that takes no answer, and says what the person sees.
func (s *Server) interacted(user string, payload obj) Result {
	from := len(s.ephemeral)
	d := &delivery{kind: "interactive", name: str(payload["type"]), payload: text(payload), form: "payload", url: interactionsURL}
	s.interact(d)
	return Result{Err: d.err, Ephemerals: s.whispers(user, from), Modal: s.modal(user)}
}

// Press presses a button on a message or view that the person sees. name is its label, action id or value.
func (s *Server) Press(user string, on Surface, name string) Result {
	s.t.Helper()
	return s.act(user, on, name, nil)
}

// Choose takes options of a menu, radio buttons or checkboxes, by their labels or values; or a user, channel or date.
func (s *Server) Choose(user string, on Surface, name string, options ...string) Result {
	s.t.Helper()
	return s.act(user, on, name, options)
}

func (s *Server) act(user string, on Surface, name string, options []string) Result {
	s.t.Helper()
	if v, ok := on.(*View); ok {
		on = *v
	}
	c := Find(on, name)
	if c == nil {
		s.t.Errorf("there is no %q to press in:\n%s", name, on.Seen())
		return Result{Err: "no such control"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.interaction("block_actions", user)
	a := obj{"type": c.Type, "block_id": c.BlockID, "action_id": c.ActionID, "action_ts": s.ts()}
	var held map[string]map[string]obj
	var v *view
	switch on := on.(type) {
	case Message:
		ch := s.channels[on.Channel]
		if ch == nil || ch.deleted {
			s.t.Errorf("there is no channel %s", on.Channel)
			return Result{Err: "no such channel"}
		}
		m := s.find(on)
		where := obj{"type": "message", "message_ts": on.TS, "channel_id": ch.ID, "is_ephemeral": on.Only != ""}
		if on.Thread != "" {
			where["thread_ts"] = on.Thread
		}
		p["container"], p["channel"] = where, s.place(ch)
		if m != nil && m.only == "" {
			p["message"] = s.messageJSON(m, true)
		}
		p["response_url"] = s.responseURL("actions", user, ch, m)
		held = s.heldIn(on.Channel + on.TS + user)
	case View:
		if v = s.views[on.ID]; v == nil || v.gone {
			s.t.Errorf("the view is not there any more")
			return Result{Err: "no such view"}
		}
		p["container"] = obj{"type": "view", "view_id": v.id}
		held = v.values
	}
	switch c.Type {
	case "button", "workflow_button":
		a["text"] = c.json["text"]
		for _, n := range []string{"value", "style"} {
			if c.json[n] != nil {
				a[n] = c.json[n]
			}
		}
	default:
		x, why := c.holds(options)
		if why != "" {
			s.t.Errorf("%s: %s", name, why)
			return Result{Err: why}
		}
		maps.Copy(a, x)
		if c.Type != "overflow" {
			hold(held, c, x)
		}
	}
	if !c.acts { // an input tells the app when it is sent
		return Result{Modal: s.modal(user)}
	}
	p["trigger_id"] = s.newTrigger(user, v)
	p["actions"] = []any{a}
	if v != nil {
		p["view"] = s.viewJSON(v)
	} else {
		p["state"] = obj{"values": held}
	}
	return s.interacted(user, p)
}

func (s *Server) find(on Message) *message {
	if on.Only == "" {
		return s.channels[on.Channel].find(on.TS)
	}
	i := slices.IndexFunc(s.ephemeral, func(m *message) bool { return m.ts == on.TS })
	if i < 0 {
		return nil
	}
	return s.ephemeral[i]
}

// heldIn is what was chosen on a message.
func (s *Server) heldIn(key string) map[string]map[string]obj {
	if s.chosen[key] == nil {
		s.chosen[key] = map[string]map[string]obj{}
	}
	return s.chosen[key]
}

func hold(held map[string]map[string]obj, c *Control, x obj) {
	if held[c.BlockID] == nil {
		held[c.BlockID] = map[string]obj{}
	}
	held[c.BlockID][c.ActionID] = x
}

// holds is the value of a control when these were chosen or typed; why not, if that cannot be.
func (c Control) holds(choice []string) (x obj, why string) {
	var picked []any
	if strings.HasPrefix(c.slot(), "selected_option") {
		for _, w := range choice {
			i := slices.IndexFunc(c.Options, func(o Option) bool { return o.Text == w })
			if i < 0 {
				i = slices.IndexFunc(c.Options, func(o Option) bool { return o.Value == w })
			}
			if i < 0 {
				return nil, fmt.Sprintf("%q is no option", w)
			}
			picked = append(picked, c.raw()[i])
		}
	} else {
		for _, w := range choice {
			picked = append(picked, w)
		}
	}
	x = obj{"type": c.Type, c.slot(): nil}
	switch {
	case strings.HasSuffix(c.slot(), "s"):
		x[c.slot()] = append([]any{}, picked...)
	case len(picked) > 1:
		return nil, "takes one choice"
	case len(picked) == 0:
	case c.slot() == "selected_date_time":
		n, err := strconv.Atoi(choice[0])
		if err != nil {
			return nil, "takes a time"
		}
		x[c.slot()] = n
	case c.slot() == "rich_text_value":
		x[c.slot()] = obj{"type": "rich_text", "elements": []any{obj{"type": "rich_text_section", "elements": []any{obj{"type": "text", "text": choice[0]}}}}}
	case c.slot() == "value" && choice[0] == "":
	default:
		x[c.slot()] = picked[0]
	}
	return x, ""
}

// Fill fills in fields of the modal that a person has on the screen, without sending it. Names are labels, action ids or block
// ids; values are texts, or labels or values of options, as string or []string.
func (s *Server) Fill(user string, values map[string]any) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(user, values)
}

func (s *Server) fill(user string, values map[string]any) bool {
	s.t.Helper()
	v := s.top(user)
	if v == nil {
		s.t.Error("there is no modal to fill in")
		return false
	}
	on := *s.asView(v)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		c := Find(on, name)
		if c == nil || c.slot() == "" {
			s.t.Errorf("there is no field %q in:\n%s", name, on.Seen())
			return false
		}
		var choice []string
		switch x := values[name].(type) {
		case string:
			choice = []string{x}
		case []string:
			choice = x
		}
		x, why := c.holds(choice)
		if why != "" {
			s.t.Errorf("%s: %s", name, why)
			return false
		}
		hold(v.values, c, x)
	}
	return true
}

// SubmitModal fills in the modal that a person has on the screen, as Fill, and sends it. What the app itself refuses (empty
// fields that are required, texts that are too short or too long) is not sent.
func (s *Server) SubmitModal(user string, values map[string]any) Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fill(user, values) {
		return Result{Err: "not filled in"}
	}
	v := s.top(user)
	if v.json["submit"] == nil {
		s.t.Error("the modal cannot be sent")
		return Result{Err: "no submit"}
	}
	if refused := s.refused(v); len(refused) > 0 {
		return Result{Refused: refused, Modal: s.modal(user)}
	}
	return s.submit(user, v)
}

// Resubmit sends the modal of that id once more, as a second window or an impatient person can; also one that is gone.
func (s *Server) Resubmit(user, id string) Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[id]
	if v == nil {
		s.t.Error("there never was that modal")
		return Result{Err: "no such view"}
	}
	return s.submit(user, v)
}

func (s *Server) submit(user string, v *view) Result {
	from := len(s.ephemeral)
	p := s.interaction("view_submission", user)
	p["trigger_id"], p["view"], p["response_urls"] = s.newTrigger(user, v), s.viewJSON(v), []any{}
	d := &delivery{kind: "interactive", name: "view_submission", payload: text(p), form: "payload", url: interactionsURL, accepts: true}
	s.interact(d)
	r := Result{Err: d.err}
	if d.err == "" {
		r.Err, r.Errors = s.answered(v, d)
	}
	r.Closed, r.Ephemerals, r.Modal = v.gone, s.whispers(user, from), s.modal(user)
	return r
}

// refused is what the app itself says under fields.
func (s *Server) refused(v *view) map[string]string {
	out := map[string]string{}
	for _, c := range controls(v.json["blocks"]) {
		if !c.Input {
			continue
		}
		x := v.values[c.BlockID][c.ActionID]
		if x == nil {
			x = c.atFirst()
		}
		value := x[c.slot()]
		list, isList := value.([]any)
		t := str(value)
		most := c.Max
		if most == 0 {
			most = 3000
		}
		switch {
		case value == nil || isList && len(list) == 0:
			if c.Required {
				out[c.Label] = "Please complete this required field."
			}
		case c.slot() == "value" && size(t) < c.Min:
			out[c.Label] = "too short"
		case c.slot() == "value" && size(t) > most:
			out[c.Label] = "too long"
		}
	}
	return out
}

// answered does what the answer to a form asks for.
func (s *Server) answered(v *view, d *delivery) (wrong string, errors map[string]string) {
	broken := func(format string, a ...any) (string, map[string]string) {
		s.problem("the answer to a form: "+format, a...)
		return "trouble connecting", nil
	}
	raw := strings.TrimSpace(string(d.answer))
	if raw == "" || raw == "null" || raw == "{}" {
		s.closeView(v)
		return "", nil
	}
	var in struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   any               `json:"view"`
	}
	if err := json.Unmarshal(d.answer, &in); err != nil {
		return broken("is not JSON as it must be")
	}
	switch in.Action {
	case "errors":
		labels := map[string]string{}
		for _, c := range controls(v.json["blocks"]) {
			if c.Input {
				labels[c.BlockID] = c.Label
			}
		}
		errors = map[string]string{}
		for id, words := range in.Errors {
			if labels[id] == "" {
				return broken("errors names %q, which is no input block", id)
			}
			errors[labels[id]] = words
		}
		if len(errors) == 0 {
			return broken("errors without any")
		}
		return "", errors
	case "clear":
		for _, x := range s.stacks[v.user] {
			x.gone = true
		}
		delete(s.stacks, v.user)
		return "", nil
	case "update", "push":
		into := v
		if in.Action == "push" {
			into = nil
		}
		o, e := s.accept(in.View, onModal, into)
		s.showView("view_submission", v.user, in.View, e)
		switch {
		case e != nil:
			return broken("its view: %s %v", e.code, e.extra)
		case v.gone:
			return broken("the form is gone")
		case in.Action == "push" && len(s.stacks[v.user]) >= stackCap:
			return broken("a fourth view on the stack")
		case in.Action == "push":
			s.put(s.newView(v.user, o), true)
		default:
			s.swap(v, o)
		}
		return "", nil
	}
	return broken("unknown response_action %q", in.Action)
}

func (s *Server) closeView(v *view) {
	v.gone = true
	s.stacks[v.user] = slices.DeleteFunc(s.stacks[v.user], func(x *view) bool { return x == v })
}

// CloseModal closes the modal on top, which shows the one below it. Only a modal that asks for it tells the bot.
func (s *Server) CloseModal(user string) Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.top(user)
	if v == nil {
		s.t.Error("there is no modal to close")
		return Result{}
	}
	if v.json["clear_on_close"] == true {
		return s.closeAll(user)
	}
	return s.shut(user, false, v)
}

// CloseAll closes all modals of a person at once.
func (s *Server) CloseAll(user string) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeAll(user)
}

func (s *Server) closeAll(user string) Result {
	return s.shut(user, true, slices.Clone(s.stacks[user])...)
}

// shut closes modals, and tells the bot of those that ask for it.
func (s *Server) shut(user string, all bool, list ...*view) (r Result) {
	for _, v := range slices.Backward(list) {
		s.closeView(v)
	}
	for _, v := range slices.Backward(list) {
		if v.json["notify_on_close"] == true {
			p := s.interaction("view_closed", user)
			p["view"], p["is_cleared"] = s.viewJSON(v), all
			r = s.interacted(user, p)
		}
	}
	r.Closed, r.Modal = true, s.modal(user)
	return r
}

func (s *Server) shortcut(id string) bool {
	if s.opts.Shortcuts != nil && !slices.Contains(s.opts.Shortcuts, id) {
		s.t.Errorf("the app has no shortcut %q", id)
		return false
	}
	return true
}

// GlobalShortcut uses a shortcut of the app, which is at hand everywhere.
func (s *Server) GlobalShortcut(user, callbackID string) Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shortcut(callbackID) {
		return Result{Err: "no such shortcut"}
	}
	p := s.interaction("shortcut", user)
	p["callback_id"], p["action_ts"], p["trigger_id"] = callbackID, s.ts(), s.newTrigger(user, nil)
	return s.interacted(user, p)
}

// MessageShortcut uses a shortcut of the app on a message, of anybody, in any channel of the person.
func (s *Server) MessageShortcut(user string, m Message, callbackID string) Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shortcut(callbackID) {
		return Result{Err: "no such shortcut"}
	}
	ch := s.channels[m.Channel]
	x := ch.find(m.TS)
	if x == nil {
		s.t.Error("there is no such message")
		return Result{Err: "no such message"}
	}
	p := s.interaction("message_action", user)
	p["callback_id"], p["action_ts"], p["trigger_id"] = callbackID, s.ts(), s.newTrigger(user, nil)
	p["channel"], p["message"], p["message_ts"] = s.place(ch), s.messageJSON(x, true), x.ts
	p["response_url"] = s.responseURL("actions", user, ch, nil)
	return s.interacted(user, p)
}

// Command types a slash command: "/weerklank help". @name and #name become <@U…|name> and <#C…|name>.
func (s *Server) Command(user, channel, line string) Result {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, u := s.channels[channel], s.users[user]
	name, rest, _ := strings.Cut(line, " ")
	if c == nil || !c.has(user) && !c.im || u.Deleted {
		s.t.Errorf("%s cannot type in %s", user, channel)
		return Result{Err: "no such channel"}
	}
	if !slices.Contains(s.opts.Commands, name) {
		return Result{Err: "not a valid command"}
	}
	place := s.place(c)
	url := s.responseURL("commands", user, c, nil)
	p := obj{
		"token": "verification", "team_id": s.opts.Team, "team_domain": "zorggroep", "channel_id": c.ID, "channel_name": place["name"], "user_id": user,
		"user_name": u.Name, "command": name, "text": s.named(strings.TrimSpace(rest)), "api_app_id": s.app, "is_enterprise_install": "false",
		"response_url": url, "trigger_id": s.newTrigger(user, nil),
	}
	if id := s.opts.Enterprise; id != "" {
		p["enterprise_id"], p["enterprise_name"] = id, "Zorgkoepel"
	}
	from := len(s.ephemeral)
	d := &delivery{kind: "slash_commands", name: name, payload: text(p), form: "fields", url: commandsURL, accepts: true}
	s.interact(d)
	r := Result{Err: d.err}
	raw := strings.TrimSpace(string(d.answer))
	if d.err == "" && raw != "" && raw != "null" && raw != "{}" {
		in := obj{"text": raw}
		if !d.plain {
			in = asObject(raw)
		}
		m, e := s.respond(name, s.replies[url[strings.LastIndex(url, "/")+1:]], in)
		if e != nil {
			s.problem("the answer to a command: %s %v", e.code, e.extra)
			r.Err = "dispatch_unknown_error"
		} else if m != nil {
			v := s.message(m)
			r.Response = &v
		}
	}
	r.Ephemerals, r.Modal = s.whispers(user, from), s.modal(user)
	return r
}

// named is what people type, with names as the bot gets them.
func (s *Server) named(line string) string {
	list := strings.Split(line, " ")
	for i, w := range list {
		if len(w) < 2 {
			continue
		}
		switch w[0] {
		case '@':
			for _, u := range s.users {
				if u.Name == w[1:] {
					list[i] = "<@" + u.ID + "|" + u.Name + ">"
				}
			}
		case '#':
			for _, c := range s.channels {
				if c.Name == w[1:] {
					list[i] = "<#" + c.ID + "|" + c.Name + ">"
				}
			}
		}
	}
	return strings.Join(list, " ")
}
