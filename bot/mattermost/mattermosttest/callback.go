package mattermosttest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const answerCap = 1 << 20 // of what an integration answers

// Option is a choice of a menu.
type Option struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// Element is a field of a dialog.
type Element struct {
	Label       string   `json:"display_name"`
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Subtype     string   `json:"subtype"`
	Default     string   `json:"default"`
	Placeholder string   `json:"placeholder"`
	Help        string   `json:"help_text"`
	Optional    bool     `json:"optional"`
	MinLength   int      `json:"min_length"`
	MaxLength   int      `json:"max_length"`
	DataSource  string   `json:"data_source"`
	Options     []Option `json:"options"`
}

// Dialog is a form that was opened for somebody.
type Dialog struct {
	CallbackID     string    `json:"callback_id"`
	Title          string    `json:"title"`
	Intro          string    `json:"introduction_text"`
	Elements       []Element `json:"elements"`
	SubmitLabel    string    `json:"submit_label"`
	NotifyOnCancel bool      `json:"notify_on_cancel"`
	State          string    `json:"state"`

	URL  string `json:"-"` // where it will be sent
	User string `json:"-"` // who sees it

	trigger string
	place   place // where the person was when it was opened
}

// Element is the field of this name; nil: there is none.
func (d *Dialog) Element(name string) *Element {
	for i := range d.Elements {
		if d.Elements[i].Name == name {
			return &d.Elements[i]
		}
	}
	return nil
}

// Ephemeral is what only one person sees.
type Ephemeral struct{ User, Channel, Text string }

// tell shows something to one person.
func (s *Server) tell(user, channel, words string) {
	s.private = append(s.private, Ephemeral{user, channel, words})
	p := &post{ID: newID(), ChannelID: channel, UserID: user, Message: words, Type: "system_ephemeral", CreateAt: s.now(), UpdateAt: s.now()}
	s.publish(event{name: "ephemeral_message", user: user, data: map[string]any{"post": text(p)}})
}

// trigger makes a trigger id for a user, who is somewhere.
func (s *Server) trigger(user string, where place) (client, id string) {
	client = newID()
	s.triggers[client] = where
	data := client + ":" + user + ":" + strconv.FormatInt(s.now(), 10) + ":"
	return client, base64.StdEncoding.EncodeToString([]byte(data + base64.StdEncoding.EncodeToString(s.sign(data))))
}

// Trigger makes a trigger of a user in a channel, as who runs an integration gets it with a click.
func (s *Server) Trigger(user, channelID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, id := s.trigger(user, place{channelID, s.channels[channelID].team})
	return id
}

// NewSigningKey gives the server another key for its triggers.
func (s *Server) NewSigningKey() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signing = key
}

func (s *Server) sign(data string) []byte {
	sum := sha256.Sum256([]byte(data))
	sig, err := ecdsa.SignASN1(rand.Reader, s.signing, sum[:])
	if err != nil {
		panic(err) // of a key that was just made
	}
	return sig
}

// triggered is whose trigger this is. It may be used again, while it lives.
func (s *Server) triggered(id string) (client, user string, err *apiError) {
	b, bad := base64.StdEncoding.DecodeString(id)
	if bad != nil {
		return "", "", fail(400, "interactive_message.decode_trigger_id.base64_decode_failed")
	}
	parts := strings.Split(string(b), ":")
	if len(parts) != 4 {
		return "", "", fail(400, "interactive_message.decode_trigger_id.missing_data")
	}
	ms, _ := strconv.ParseInt(parts[2], 10, 64)
	if s.clock().Sub(time.UnixMilli(ms)) > s.settings.IntegrationTimeout {
		return "", "", fail(400, "interactive_message.decode_trigger_id.expired")
	}
	sig, bad := base64.StdEncoding.DecodeString(parts[3])
	if bad != nil {
		return "", "", fail(400, "interactive_message.decode_trigger_id.base64_decode_failed_signature")
	}
	sum := sha256.Sum256([]byte(strings.Join(parts[:3], ":") + ":"))
	if !ecdsa.VerifyASN1(&s.signing.PublicKey, sum[:], sig) {
		return "", "", fail(400, "interactive_message.decode_trigger_id.verify_signature_failed")
	}
	return parts[0], parts[1], nil
}

// send calls an integration, without the lock held. status 0: it cannot be reached, or not in time.
func (s *Server) send(to, kind string, body []byte, by string, header map[string]string) (status int, typ string, answer []byte) {
	s.mu.Lock()
	limit, site := s.settings.IntegrationTimeout, s.settings.SiteURL
	tok := s.users[by].tokenOf
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s.wg.Go(func() {
		select {
		case <-s.done:
			cancel()
		case <-ctx.Done():
		}
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Accept", "application/json")
		r.Header.Set("User-Agent", "Mattermost-Bot/1.1")
		for k, v := range header {
			r.Header.Set(k, v)
		}
		// What lies under the server's own plugins gets the login of the one who clicked.
		if u, bad := url.Parse(site); bad == nil && u.Hostname() == r.URL.Hostname() && strings.HasPrefix(r.URL.Path, "/plugins") {
			r.Header.Set("Authorization", "Bearer "+tok)
		}
		var a *http.Response
		if a, err = s.out.Do(r); err == nil {
			status, typ = a.StatusCode, a.Header.Get("Content-Type")
			if answer, err = io.ReadAll(io.LimitReader(a.Body, answerCap)); err != nil {
				status = 0
			}
			_ = a.Body.Close()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(Entry{Kind: KindCallback, Name: to, User: by, Status: status, Body: string(body) + "\n" + string(answer)})
	return status, typ, answer
}

func unreachable() *apiError { return fail(400, "api.post.do_action.action_integration.app_error") }

// action is a button or menu of a post, with its integration; nil: there is none that works.
func (p *post) action(id string) map[string]any {
	var hit map[string]any
	actions(p.Props, func(a map[string]any) {
		if str(a["id"]) == id && hit == nil {
			hit = a
		}
	})
	if hit == nil {
		return nil
	}
	if in, _ := hit["integration"].(map[string]any); in == nil {
		return nil
	}
	return hit
}

var actionID = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// click does what a press of a button or a choice from a menu does.
func (s *Server) click(by, postID, id, option string) (client string, err *apiError) {
	s.mu.Lock()
	if !actionID.MatchString(id) {
		s.mu.Unlock()
		return "", fail(404, "api.context.404.app_error")
	}
	p := s.posts[postID]
	if p == nil || s.channels[p.ChannelID].members[by] == nil && !s.admin(by) {
		s.mu.Unlock()
		return "", forbidden()
	}
	if p.DeleteAt > 0 {
		s.mu.Unlock()
		return "", fail(404, "app.post.get.app_error")
	}
	a := p.action(id)
	if a == nil {
		s.mu.Unlock()
		return "", fail(404, "api.post.do_action.action_id.app_error")
	}
	c := s.channels[p.ChannelID]
	in := copied(a["integration"].(map[string]any))
	values, _ := in["context"].(map[string]any)
	source := ""
	if str(a["type"]) == "select" && option != "" {
		values = with(values, "selected_option", option)
		source = str(a["data_source"])
	}
	client, trigger := s.trigger(by, place{c.id, c.team})
	body := map[string]any{
		"user_id": by, "user_name": s.users[by].Name, "channel_id": c.id, "channel_name": c.name, "team_id": c.team, "team_domain": "",
		"post_id": p.ID, "trigger_id": trigger, "type": str(a["type"]), "data_source": source,
	}
	if t := s.teams[c.team]; t != nil {
		body["team_domain"] = t.name
	}
	if len(values) > 0 {
		body["context"] = values
	}
	s.mu.Unlock()

	status, _, answer := s.send(str(in["url"]), "application/json", []byte(text(body)), by, nil)
	var got struct {
		Update        *post  `json:"update"`
		EphemeralText string `json:"ephemeral_text"`
	}
	if status != http.StatusOK || len(answer) > 0 && json.Unmarshal(answer, &got) != nil {
		return "", unreachable()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if got.Update != nil {
		if p = s.alive(postID); p == nil {
			return "", fail(400, "api.post.update_post.find.app_error")
		}
		if got.Update.Props == nil {
			got.Update.Props = p.Props
		}
		for _, key := range []string{"from_webhook", "override_username", "override_icon_url"} {
			if old, ok := p.Props[key]; ok {
				got.Update.Props[key] = old
			} else {
				delete(got.Update.Props, key)
			}
		}
		got.Update.IsPinned = p.IsPinned // and reactions stay by themselves
		if _, err := s.replace(p, got.Update); err != nil {
			return "", err
		}
	}
	if got.EphemeralText != "" {
		s.tell(by, c.id, got.EphemeralText)
	}
	return client, nil
}

func doAction(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Option string `json:"selected_option"`
	}
	_ = json.Unmarshal(c.body, &in) // an empty body is usual
	client, err := s.click(c.by, c.PathValue("post"), c.PathValue("action"), in.Option)
	return 200, map[string]string{"status": "OK", "trigger_id": client}, err
}

// openDialog needs no login: the trigger says for whom.
func openDialog(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Trigger string `json:"trigger_id"`
		URL     string `json:"url"`
		Dialog  Dialog `json:"dialog"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.URL == "" {
		return 0, nil, badBody()
	}
	client, user, err := s.triggered(in.Trigger)
	if err != nil {
		return 0, nil, err
	}
	d := in.Dialog
	d.URL, d.User, d.trigger, d.place = in.URL, user, client, s.triggers[client]
	s.dialogs = append(s.dialogs, d)
	s.publish(event{name: "open_dialog", user: user, data: map[string]any{
		"dialog": text(map[string]any{"trigger_id": client, "url": in.URL, "dialog": in.Dialog}),
	}})
	return 200, statusOK, nil
}

// submission is a dialog as it is sent: to any URL, with anything in it but the user.
type submission struct {
	Type       string         `json:"type"`
	URL        string         `json:"url,omitempty"`
	CallbackID string         `json:"callback_id"`
	State      string         `json:"state"`
	User       string         `json:"user_id"`
	Channel    string         `json:"channel_id"`
	Team       string         `json:"team_id"`
	Values     map[string]any `json:"submission"`
	Cancelled  bool           `json:"cancelled"`
}

type submitAnswer struct {
	Error  string            `json:"error,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
}

func (s *Server) submit(by string, in submission) (*submitAnswer, *apiError) {
	s.mu.Lock()
	c, t := s.channels[in.Channel], s.teams[in.Team]
	var err *apiError
	switch {
	case in.URL == "":
		err = badBody()
	case c == nil || c.members[by] == nil && !s.admin(by), t == nil || t.members[by] == nil && !s.admin(by):
		err = forbidden()
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	to := in.URL
	in.URL, in.User, in.Type = "", by, "dialog_submission"
	status, _, answer := s.send(to, "application/json", []byte(text(in)), by, nil)
	if status != http.StatusOK {
		return nil, unreachable()
	}
	var got submitAnswer
	_ = json.Unmarshal(answer, &got) // anything else is an empty answer
	return &got, nil
}

func submitDialog(s *Server, c *call) (int, any, *apiError) {
	var in submission
	if json.Unmarshal(c.body, &in) != nil {
		return 0, nil, badBody()
	}
	got, err := s.submit(c.by, in)
	return 200, got, err
}

type cmd struct {
	id, token, creator, team, trigger, url string
	created                                int64
}

// reply is a response_url.
type reply struct {
	user, channel string
	used          int
	until         time.Time
}

func (s *Server) register(by, team, trigger, to string) (*cmd, *apiError) {
	if s.settings.CommandsDisabled {
		return nil, fail(501, "api.command.disabled.app_error")
	}
	t := s.teams[team]
	if t == nil || !s.admin(by) && (t.members[by] == nil || !t.members[by].admin) {
		return nil, forbidden()
	}
	if trigger == "" || strings.HasPrefix(trigger, "/") || strings.Contains(trigger, " ") || len(trigger) > 128 {
		return nil, fail(400, "model.command.is_valid.trigger.app_error")
	}
	if u, err := url.Parse(to); err != nil || u.Host == "" || len(to) > 1024 {
		return nil, fail(400, "model.command.is_valid.url_http.app_error")
	}
	for _, c := range s.commands {
		if c.team == team && c.trigger == trigger {
			return nil, fail(400, "api.command.duplicate_trigger.app_error")
		}
	}
	c := &cmd{id: newID(), token: newID(), creator: by, team: team, trigger: trigger, url: to, created: s.now()}
	s.commands[c.token] = c
	return c, nil
}

func createCommand(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Team    string `json:"team_id"`
		Trigger string `json:"trigger"`
		URL     string `json:"url"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return 0, nil, badBody()
	}
	made, err := s.register(c.by, in.Team, in.Trigger, in.URL)
	if err != nil {
		return 0, nil, err
	}
	return 201, commandJSON(made), nil
}

// CommandResult is what a person sees of a slash command.
type CommandResult struct {
	Status int
	Err    string // id of the error that is shown
	Text   string // the answer
	Public bool   // everybody in the channel sees it
}

// run does what typing a slash command does.
func (s *Server) run(by, channelID, teamID, line string) (map[string]any, *apiError) {
	s.mu.Lock()
	c := s.channels[channelID]
	if s.settings.CommandsDisabled {
		s.mu.Unlock()
		return nil, fail(501, "api.command.disabled.app_error")
	}
	if c == nil || c.members[by] == nil {
		s.mu.Unlock()
		return nil, forbidden()
	}
	if c.team != "" {
		teamID = c.team
	}
	word, rest, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	var to *cmd
	for _, x := range s.commands {
		if x.team == teamID && x.trigger == word {
			to = x
		}
	}
	if to == nil || s.teams[teamID].members[by] == nil {
		s.mu.Unlock()
		return nil, fail(404, "api.command.execute_command.not_found.app_error")
	}
	hook := newID()
	s.responses[hook] = &reply{user: by, channel: c.id, until: s.clock().Add(s.settings.ResponseURLLife)}
	client, trigger := s.trigger(by, place{c.id, teamID})
	form := url.Values{
		"token": {to.token}, "team_id": {teamID}, "team_domain": {s.teams[teamID].name}, "channel_id": {c.id}, "channel_name": {c.name},
		"user_id": {by}, "user_name": {s.users[by].Name}, "command": {"/" + word}, "text": {rest}, "trigger_id": {trigger},
		"response_url": {s.settings.SiteURL + "/hooks/commands/" + hook},
	}
	for _, m := range at.FindAllString(rest, -1) {
		for id, u := range s.users {
			if u.Name == strings.ToLower(m[1:]) {
				form.Add("user_mentions", u.Name)
				form.Add("user_mentions_ids", id)
			}
		}
	}
	s.mu.Unlock()

	proof := map[string]string{"Authorization": "Token " + to.token}
	status, typ, answer := s.send(to.url, "application/x-www-form-urlencoded", []byte(form.Encode()), by, proof)
	switch {
	case status == 0:
		return nil, fail(500, "api.command.execute_command.failed.app_error")
	case status != http.StatusOK:
		return nil, fail(500, "api.command.execute_command.failed_resp.app_error")
	case len(answer) == 0:
		return nil, fail(500, "api.command.execute_command.failed_empty.app_error")
	}
	got := struct {
		Type string `json:"response_type"`
		Text string `json:"text"`
		Goto string `json:"goto_location"`
	}{Text: string(answer)}
	if strings.TrimSpace(strings.Split(typ, ";")[0]) == "application/json" {
		got.Text = ""
		if json.Unmarshal(answer, &got) != nil {
			return nil, fail(500, "api.command.execute_command.failed.app_error")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond(by, c, got.Type, got.Text)
	return map[string]any{"response_type": got.Type, "text": got.Text, "goto_location": got.Goto, "trigger_id": client}, nil
}

// respond shows the answer of a command: under the name of the person who typed it.
func (s *Server) respond(by string, c *channel, kind, words string) {
	switch {
	case words == "":
	case kind == "in_channel":
		s.write(&post{UserID: by, ChannelID: c.id, Message: words, Props: map[string]any{"from_webhook": "true"}})
	default:
		s.tell(by, c.id, words)
	}
}

func executeCommand(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Channel string `json:"channel_id"`
		Team    string `json:"team_id"`
		Command string `json:"command"`
	}
	if json.Unmarshal(c.body, &in) != nil || len(in.Command) < 2 || in.Command[0] != '/' {
		return 0, nil, badBody()
	}
	j, err := s.run(c.by, in.Channel, in.Team, in.Command)
	return 200, j, err
}

// useResponseURL needs no login: five times within half an hour, who has the URL may answer.
func useResponseURL(s *Server, c *call) (int, any, *apiError) {
	r := s.responses[c.PathValue("hook")]
	if r == nil || s.clock().After(r.until) || r.used >= 5 {
		if s.version == V9 {
			return 0, nil, fail(400, "web.command_webhook.invalid.app_error")
		}
		return 0, nil, fail(400, "web.command_webhook.general.app_error")
	}
	var in struct {
		Type string `json:"response_type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return 0, nil, fail(400, "web.command_webhook.parse.app_error")
	}
	r.used++
	s.respond(r.user, s.channels[r.channel], in.Type, in.Text)
	c.plain = []byte("ok")
	return 200, nil, nil
}

// teamOf is the team a person has before them: that of the channel, or the first one they are in.
func (s *Server) teamOf(user string, c *channel) string {
	if c != nil && c.team != "" {
		return c.team
	}
	for _, id := range slices.Sorted(maps.Keys(s.teams)) {
		if s.teams[id].members[user] != nil {
			return id
		}
	}
	return ""
}
