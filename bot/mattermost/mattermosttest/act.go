package mattermosttest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Action is a button or menu as people see it.
type Action struct {
	ID, Name, Type, Style string
	Options               []Option
}

// Field is of an Attachment.
type Field struct{ Title, Value string }

// Attachment is a block under a post.
type Attachment struct {
	Fallback, Color, Pretext, Title, Text, Footer, ImageURL string

	Fields  []Field
	Actions []Action
}

// File is what hangs on a post.
type File struct {
	Name string
	Data []byte
}

// Post is a post as people see it.
type Post struct {
	ID, User, Channel, Root, Text, Type string

	Props       map[string]any
	Attachments []Attachment
	Files       []File
	Edited      bool
	Pinned      bool
	Created     int64 // in milliseconds
	Updated     int64
}

// Buttons is every button and menu of the post.
func (p Post) Buttons() []Action {
	var all []Action
	for _, a := range p.Attachments {
		all = append(all, a.Actions...)
	}
	return all
}

// Button is the id of the button or menu with this label; empty: there is none.
func (p Post) Button(label string) string {
	for _, a := range p.Buttons() {
		if a.Name == label {
			return a.ID
		}
	}
	return ""
}

// Seen is all the words of the post, also of what hangs under it, as the phone shows them too.
func (p Post) Seen() string {
	lines := []string{p.Text}
	for _, a := range p.Attachments {
		lines = append(lines, a.Pretext, a.Title, a.Text)
		for _, f := range a.Fields {
			lines = append(lines, f.Title, f.Value)
		}
		for _, b := range a.Actions {
			lines = append(lines, "["+b.Name+"]")
		}
		lines = append(lines, a.Footer)
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

// view is a post as a client draws it.
func (s *Server) view(p *post) Post {
	p = s.clean(p)
	v := Post{
		ID: p.ID, User: p.UserID, Channel: p.ChannelID, Root: p.RootID, Text: p.Message, Type: p.Type, Props: p.Props, Edited: p.EditAt > 0,
		Pinned: p.IsPinned, Created: p.CreateAt, Updated: p.UpdateAt,
	}
	attachments, _ := p.Props["attachments"].([]any)
	for _, x := range attachments {
		a, _ := x.(map[string]any)
		n := Attachment{
			Fallback: str(a["fallback"]), Color: str(a["color"]), Pretext: str(a["pretext"]), Title: str(a["title"]), Text: str(a["text"]),
			Footer: str(a["footer"]), ImageURL: str(a["image_url"]),
		}
		fields, _ := a["fields"].([]any)
		for _, x := range fields {
			f, _ := x.(map[string]any)
			n.Fields = append(n.Fields, Field{str(f["title"]), fmt.Sprint(f["value"])})
		}
		list, _ := a["actions"].([]any)
		for _, x := range list {
			b, _ := x.(map[string]any)
			act := Action{ID: str(b["id"]), Name: str(b["name"]), Type: str(b["type"]), Style: str(b["style"])}
			options, _ := b["options"].([]any)
			for _, x := range options {
				o, _ := x.(map[string]any)
				act.Options = append(act.Options, Option{str(o["text"]), str(o["value"])})
			}
			n.Actions = append(n.Actions, act)
		}
		v.Attachments = append(v.Attachments, n)
	}
	for _, f := range p.FileIDs {
		v.Files = append(v.Files, File{s.files[f].name, s.files[f].data})
	}
	return v
}

// Posts is what stands in a channel, oldest first, without what the server itself says.
func (s *Server) Posts(channel string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look(channel)
}

func (s *Server) look(channel string) []Post {
	var list []Post
	for _, r := range s.rows {
		if r.ChannelID == channel && r.DeleteAt == 0 && !strings.HasPrefix(r.Type, "system_") && r.Type != "add_bot_teams_channels" {
			list = append(list, s.view(r))
		}
	}
	return list
}

// DMs is what stands between a person and the bot, oldest first.
func (s *Server) DMs(user string) []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.between(user, s.theBot()); c != nil {
		return s.look(c.id)
	}
	return nil
}

// Post is one post that was not deleted.
func (s *Server) Post(id string) (Post, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.alive(id)
	if p == nil {
		return Post{}, false
	}
	return s.view(p), true
}

// Ephemerals is what was shown to one person only.
func (s *Server) Ephemerals(user string) []Ephemeral {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.private), func(e Ephemeral) bool { return e.User != user })
}

// Type posts in a channel, as a person.
func (s *Server) Type(user, channel, words string) (post string) {
	s.t.Helper()
	return s.must(s.Try(user, channel, words, nil))
}

// Mention posts in a channel and calls the bot by its name.
func (s *Server) Mention(user, channel, words string) (post string) {
	s.t.Helper()
	s.mu.Lock()
	name := s.users[s.theBot()].Name
	s.mu.Unlock()
	return s.Type(user, channel, "@"+name+" "+words)
}

// DM types to the bot.
func (s *Server) DM(user, words string) (post string) {
	s.t.Helper()
	s.mu.Lock()
	bot := s.theBot()
	s.mu.Unlock()
	return s.Type(user, s.Direct(user, bot), words)
}

// Reply types in the thread of a post.
func (s *Server) Reply(user, root, words string) (id string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	made, err := s.create(user, &post{ChannelID: s.posts[root].ChannelID, RootID: root, Message: words})
	return s.must(idOf(made), asError(err))
}

// Try posts with any props, as an ordinary user may.
func (s *Server) Try(user, channel, words string, props map[string]any) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[user].deleted > 0 {
		return "", errors.New("401 api.context.session_expired.app_error")
	}
	made, bad := s.create(user, &post{ChannelID: channel, Message: words, Props: copied(props)})
	return idOf(made), asError(bad)
}

func idOf(p *post) string {
	if p == nil {
		return ""
	}
	return p.ID
}

func asError(e *apiError) error {
	if e == nil {
		return nil
	}
	return fmt.Errorf("%d %s", e.status, e.id)
}

func (s *Server) must(id string, err error) string {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("posting: %v", err)
	}
	return id
}

// Burst posts n times, as fast as it goes.
func (s *Server) Burst(user, channel string, n int) (posts []string) {
	s.t.Helper()
	for i := range n {
		posts = append(posts, s.Type(user, channel, fmt.Sprintf("burst %d", i)))
	}
	return posts
}

// Edit changes the text of a post, as its author does.
func (s *Server) Edit(post, words string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.alive(post)
	if p == nil {
		s.t.Error("editing: there is no such post")
		return
	}
	n := copied(*p)
	n.Message = words
	if _, err := s.replace(p, &n); err != nil {
		s.t.Errorf("editing: %s", err.id)
	}
}

// Delete takes a post away, as its author does.
func (s *Server) Delete(post string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.alive(post)
	if p == nil {
		s.t.Error("deleting: there is no such post")
		return
	}
	if err := s.remove(p.UserID, post); err != nil {
		s.t.Errorf("deleting: %s", err.id)
	}
}

// Purge takes a post away for good: of its rows nothing is left, only the event tells.
func (s *Server) Purge(id string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.alive(id)
	if p == nil {
		s.t.Error("purging: there is no such post")
		return
	}
	old := s.clean(p)
	s.rows = slices.DeleteFunc(s.rows, func(r *post) bool { return r.ID == id || r.OriginalID == id })
	delete(s.posts, id)
	s.publish(event{name: "post_deleted", channel: p.ChannelID, data: map[string]any{"post": text(old), "delete_by": p.UserID}})
}

// Pin pins a post, as any member may. It counts as an edit that leaves the text alone.
func (s *Server) Pin(post string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.alive(post)
	if p == nil {
		s.t.Error("pinning: there is no such post")
		return
	}
	n := copied(*p)
	n.IsPinned = true
	if _, err := s.replace(p, &n); err != nil {
		s.t.Errorf("pinning: %s", err.id)
	}
}

// React puts a reaction under a post: that touches the post, and is no edit.
func (s *Server) React(user, post, emoji string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.alive(post)
	if p == nil {
		s.t.Error("reacting: there is no such post")
		return
	}
	p.Reactions, p.UpdateAt = true, s.now()
	s.publish(event{name: "reaction_added", channel: p.ChannelID, data: map[string]any{
		"reaction": text(map[string]any{"user_id": user, "post_id": p.ID, "emoji_name": emoji, "create_at": s.now()}),
	}})
}

// ClickResult is what came of a click.
type ClickResult struct {
	Status int      // 200, or the error that is shown
	Err    string   // its id
	Opened []Dialog // what was opened before the click was answered
}

// Click presses a button, as a person.
func (s *Server) Click(user, post, action string) ClickResult {
	return s.Choose(user, post, action, "")
}

// Choose takes an option of a menu. One that was never offered is delivered too.
func (s *Server) Choose(user, post, action, option string) ClickResult {
	client, err := s.click(user, post, action, option)
	if err != nil {
		return ClickResult{Status: err.status, Err: err.id}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := ClickResult{Status: 200}
	for _, d := range s.dialogs {
		if d.trigger == client {
			r.Opened = append(r.Opened, d)
		}
	}
	return r
}

// Dialog is what was last opened for a person; nil: nothing.
func (s *Server) Dialog(user string) *Dialog {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range slices.Backward(s.dialogs) {
		if d.User == user {
			return &d
		}
	}
	return nil
}

// SubmitResult is what came of sending a dialog.
type SubmitResult struct {
	Status int
	Err    string            // id of the error of the server
	Error  string            // above the form
	Errors map[string]string // under its fields
	Sent   bool              // it reached the integration
	Closed bool              // the form is gone
}

// Fill is what the app makes of values that somebody filled in: what it sends, the fields that are not filled in empty, or what it
// shows under fields and does not send. An error is what nobody can fill in.
func (d *Dialog) Fill(values map[string]any) (filled map[string]any, shown map[string]string, err error) {
	shown, filled = map[string]string{}, map[string]any{}
	var wrong []error
	for _, e := range d.Elements {
		v, given := values[e.Name]
		if !given {
			v = nil
			if e.Default != "" {
				v = e.Default
				if e.Type == "bool" {
					v = e.Default == "true"
				}
			}
		}
		filled[e.Name] = v
		t := str(v)
		switch {
		case t == "" && e.Type != "bool" && !e.Optional:
			shown[e.Name] = "This field is required."
		case t == "":
		case e.Type == "select" && e.DataSource == "" && !slices.ContainsFunc(e.Options, func(o Option) bool { return o.Value == t }):
			wrong = append(wrong, fmt.Errorf("%q is no option of %s", t, e.Name))
		case (e.Type == "text" || e.Type == "textarea") && utf8.RuneCountInString(t) < e.MinLength:
			shown[e.Name] = "Too short."
		case e.Type == "textarea" && e.MaxLength > 0 && utf8.RuneCountInString(t) > e.MaxLength:
			wrong = append(wrong, fmt.Errorf("%s takes %d characters, not %d", e.Name, e.MaxLength, utf8.RuneCountInString(t)))
		}
	}
	for name := range values {
		if d.Element(name) == nil {
			wrong = append(wrong, fmt.Errorf("the dialog has no field %s", name))
		}
	}
	return filled, shown, errors.Join(wrong...)
}

// Submit sends a dialog with these values, as the app does it: what is required and missing, or not one of the options, is shown
// in the form and not sent. The others are sent empty.
func (s *Server) Submit(user string, d *Dialog, values map[string]any) SubmitResult {
	s.t.Helper()
	filled, shown, err := d.Fill(values)
	if err != nil {
		s.t.Error(err)
	}
	if len(shown) > 0 {
		return SubmitResult{Status: 200, Errors: shown}
	}
	return s.deliver(user, submission{
		URL: d.URL, CallbackID: d.CallbackID, State: d.State, Channel: d.place.channel, Team: d.place.team, Values: filled,
	})
}

func (s *Server) deliver(user string, in submission) SubmitResult {
	got, err := s.submit(user, in)
	if err != nil {
		return SubmitResult{Status: err.status, Err: err.id}
	}
	return SubmitResult{Status: 200, Error: got.Error, Errors: got.Errors, Sent: true, Closed: got.Error == "" && len(got.Errors) == 0}
}

// Cancel closes a dialog without sending it. Only a dialog that asks for it tells the integration.
func (s *Server) Cancel(user string, d *Dialog) SubmitResult {
	if !d.NotifyOnCancel {
		return SubmitResult{Status: 200, Closed: true}
	}
	r := s.deliver(user, submission{
		URL: d.URL, CallbackID: d.CallbackID, State: d.State, Channel: d.place.channel, Team: d.place.team, Cancelled: true,
	})
	r.Closed = true
	return r
}

// SubmitTo lets the server send a dialog that never was, as any signed-in user can. channel is one the user is in.
func (s *Server) SubmitTo(user, channel, to, state, callbackID string, fields map[string]any) SubmitResult {
	s.mu.Lock()
	team := s.teamOf(user, s.channels[channel])
	s.mu.Unlock()
	return s.deliver(user, submission{URL: to, CallbackID: callbackID, State: state, Channel: channel, Team: team, Values: fields})
}

// Forged is a button that somebody made.
type Forged struct {
	ID, Name, URL string
	Options       []Option // not empty: a menu
	Context       map[string]any
}

// Forge posts buttons, as any user can: to any URL, with any context.
func (s *Server) Forge(user, channel, words string, buttons ...Forged) (post string) {
	s.t.Helper()
	var list []any
	for _, b := range buttons {
		a := map[string]any{"id": b.ID, "name": b.Name, "type": "button", "integration": map[string]any{"url": b.URL, "context": b.Context}}
		if len(b.Options) > 0 {
			a["type"], a["options"] = "select", b.Options
		}
		list = append(list, a)
	}
	return s.must(s.Try(user, channel, words, map[string]any{"attachments": []any{map[string]any{"fallback": words, "actions": list}}}))
}

// ContextOf is what stands in the database behind a button: its URL and context; nil: there is no such button.
func (s *Server) ContextOf(post, action string) (url string, context map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts[post]
	if p == nil || p.action(action) == nil {
		return "", nil
	}
	in := copied(p.action(action)["integration"].(map[string]any))
	context, _ = in["context"].(map[string]any)
	return str(in["url"]), context
}

// RegisterCommand registers a slash command for a team.
func (s *Server) RegisterCommand(user, team, trigger, to string) (token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.register(user, team, trigger, to)
	if bad != nil {
		return "", asError(bad)
	}
	return c.token, nil
}

// Command types a slash command in a channel.
func (s *Server) Command(user, channel, line string) CommandResult {
	s.mu.Lock()
	team := s.teamOf(user, s.channels[channel])
	s.mu.Unlock()
	j, err := s.run(user, channel, team, line)
	if err != nil {
		return CommandResult{Status: err.status, Err: err.id}
	}
	return CommandResult{Status: 200, Text: str(j["text"]), Public: j["response_type"] == "in_channel"}
}

// Channels is every channel of a user, by id.
func (s *Server) Channels(user string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.channels)), func(id string) bool { return s.channels[id].members[user] == nil })
}
