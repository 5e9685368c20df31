package slack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// The decoder. Slack adds fields, types and elements all the time, and sends some fields now as this and then as that. So
// nothing is read into fixed types as a whole: each known field is taken by itself, and is empty when it is something else.

// kind is what sort of thing came in.
type kind string

const (
	kindEvent       kind = "event"       // of the Events API
	kindInteraction kind = "interaction" // a button, form or shortcut
	kindCommand     kind = "command"     // a slash command
	kindUnknown     kind = "unknown"     // acknowledged, counted and left alone
	kindChallenge   kind = "challenge"   // HTTP only: Slack asks whether the address is ours
	kindCheck       kind = "check"       // HTTP only: Slack looks at the certificate
)

// inbound is one thing that Slack sent, by either transport.
type inbound struct {
	shy
	Kind        kind
	Event       event       // of kindEvent
	Interaction interaction // of kindInteraction
	Command     command     // of kindCommand
	Attempt     int         // how often it was sent before; what was not acknowledged comes again
	Reason      string      // why it comes again
	At          time.Time   // when it came in
	answer      func(json.RawMessage) error
}

// Answer acknowledges, with what a form or command shows; nil says nothing. It never blocks for longer than ackTime.
// errAnswered: it was acknowledged before, by an earlier Answer or because answerWithin was over, and the body is not shown.
// errLarge: the body is too large for an acknowledgement, and nothing was acknowledged yet. Anything else: no connection
// took it. What is not answered when the handler returns is acknowledged without a body.
func (in inbound) Answer(body json.RawMessage) error {
	if in.answer == nil {
		return nil
	}
	return in.answer(body)
}

var (
	errAnswered = errors.New("slack: acknowledged already")
	errLarge    = errors.New("slack: too large to acknowledge with")
)

// shy makes what it is embedded in print as a mark: it holds accounts, people's words and addresses that are secrets.
type shy struct{}

const shyMark = "[from slack]"

// Format prints a mark for every verb.
func (shy) Format(s fmt.State, _ rune) { io.WriteString(s, shyMark) }

// LogValue logs a mark.
func (shy) LogValue() slog.Value { return slog.StringValue(shyMark) }

// MarshalJSON refuses: what Slack sent is never stored.
func (shy) MarshalJSON() ([]byte, error) {
	return nil, errors.New("slack: what came in is never stored")
}

// envelope is a frame of Socket Mode.
type envelope struct {
	shy
	Type        string
	ID          string
	Payload     json.RawMessage
	Accepts     bool // the acknowledgement may have a body
	Attempt     int
	RetryReason string
	Reason      string        // of a disconnect
	Connections int           // of a hello: how many connections the app has
	Lifetime    time.Duration // of a hello: about how long this one lasts; zero: not said
}

// maxLifetime is how many seconds of a connection are believed.
const maxLifetime = 7 * 24 * 60 * 60

// The types of envelopes.
const (
	envelopeHello      = "hello"
	envelopeDisconnect = "disconnect"
	envelopeEvents     = "events_api"
	envelopeCommand    = "slash_commands"
	envelopeInteract   = "interactive"
)

// event is one of the Events API, with what its wrapper says of it.
type event struct {
	shy
	ID         string // the same when it comes again
	Type       string
	Team       string
	Enterprise string
	AppID      string
	OrgWide    bool      // the app is installed for the whole organisation
	At         time.Time // when it happened, at the latest; zero: not said
	Shared     bool      // it happened in a channel that another organisation is in

	Message *message // of type message

	User       bot.UserID // whom or what it is about
	Channel    string
	Name       string // of channel_rename and group_rename: the new name
	OldChannel string // of channel_id_changed; Channel is the new one
	Tab        string // of app_home_opened
	View       *view  // of app_home_opened: what the person saw there; may be nil
	Bots       []bot.UserID
}

// message is a message event, or a message inside one.
type message struct {
	shy
	Subtype     string // looked at first: with one, the other fields are about something else
	Channel     string
	ChannelType string
	User        bot.UserID
	BotID       string
	Text        bot.ReplyText
	TS          string
	ThreadTS    string
	EditedTS    string
	DeletedTS   string   // of message_deleted
	Files       int      // files, pictures and recordings
	Inner       *message // of message_changed: the message as it is now
	Previous    *message // of message_changed and message_deleted: as it was
}

// interaction is what somebody did with a button, form or shortcut.
type interaction struct {
	shy
	Type        string
	User        bot.UserID
	Lang        string // of the account, if said
	Team        string // of the workspace; of the person where it is not said
	Enterprise  string
	OrgWide     bool
	Trigger     string // opens a form, once, within 3 s
	CallbackID  string // of a shortcut; of a form see View
	Channel     string
	MessageTS   string // of the message that was pressed on or that a shortcut was used on
	ThreadTS    string
	Container   string // message, view, …
	Ephemeral   bool   // the message was shown to this person only
	Actions     []action
	View        *view
	Cleared     bool   // of view_closed: all forms were closed at once
	ResponseURL string // a secret
	TS          string // when it was done, as messages are dated; empty for forms
}

// The types of interactions.
const (
	interactPress    = "block_actions"
	interactSubmit   = "view_submission"
	interactClose    = "view_closed"
	interactShortcut = "shortcut"
	interactMessage  = "message_action"
)

// action is one element that somebody used.
type action struct {
	shy
	ID     string
	Block  string
	Type   string
	Value  string   // of a button, a text or the chosen option
	Values []string // of the chosen options
}

// view is a form or the Home tab, as it came back.
type view struct {
	shy
	ID         string
	Root       string // the first form of the stack
	Previous   string
	Type       string
	Hash       string
	CallbackID string
	ExternalID string
	Metadata   string
	State      json.RawMessage // as it came, the object with "values"; nil: none
}

// command is a slash command.
type command struct {
	shy
	Name        string
	Text        string
	User        bot.UserID
	Team        string
	Enterprise  string
	OrgWide     bool
	Channel     string
	ChannelName string
	Trigger     string
	ResponseURL string // a secret
}

// eventTypes are the events that the bot takes.
func eventTypes() []string {
	return []string{
		"message", "app_home_opened", "member_joined_channel", "member_left_channel", "channel_left", "channel_archive",
		"channel_unarchive", "channel_deleted", "channel_rename", "channel_id_changed", "channel_shared", "channel_unshared",
		"group_left", "group_archive", "group_unarchive", "group_deleted", "group_rename", "app_uninstalled", "tokens_revoked",
		"app_rate_limited",
	}
}

// decodeEnvelope reads a frame. It never fails: what is no object has no type.
func decodeEnvelope(frame []byte) envelope {
	f := objectOf(frame)
	return envelope{
		Type: f.text("type"), ID: f.text("envelope_id"), Payload: f["payload"], Accepts: f.yes("accepts_response_payload"),
		Attempt: f.number("retry_attempt"), RetryReason: f.text("retry_reason"), Reason: f.text("reason"), Connections: f.number("num_connections"),
		Lifetime: time.Duration(min(f.object("debug_info").number("approximate_connection_time"), maxLifetime)) * time.Second,
	}
}

// inbound reads what is in an envelope. kindUnknown: nothing that the bot takes.
func (e envelope) inbound() inbound {
	var in inbound
	switch payload := inner(e.Payload); e.Type {
	case envelopeEvents:
		in = decodeEvent(payload)
	case envelopeInteract:
		in = decodeInteraction(payload)
	case envelopeCommand:
		f := objectOf(payload)
		in = commandOf(f.text)
	default:
		in = inbound{Kind: kindUnknown}
	}
	in.Attempt, in.Reason = e.Attempt, e.RetryReason
	return in
}

// inner undoes a payload that is text with JSON in it.
func inner(payload json.RawMessage) []byte {
	var text string
	if b := bytes.TrimSpace(payload); len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &text) == nil {
		return []byte(text)
	}
	return payload
}

// decodeHTTP reads the body of a request. challenge is what a kindChallenge is answered with. ok: it is something that Slack
// sends, be it unknown.
func decodeHTTP(contentType string, body []byte) (in inbound, challenge string, ok bool) {
	if media, _, err := mime.ParseMediaType(contentType); err == nil && media == "application/x-www-form-urlencoded" {
		return decodeForm(body)
	}
	f := objectOf(body)
	if f == nil {
		return inbound{Kind: kindUnknown}, "", false
	}
	if f.text("type") == "url_verification" {
		return inbound{Kind: kindChallenge}, f.text("challenge"), true
	}
	return decodeEvent(body), "", true
}

// decodeForm reads a form: an interaction, a command, or Slack's look at the certificate. What is there twice is nothing
// that Slack sends.
func decodeForm(body []byte) (in inbound, challenge string, ok bool) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return inbound{Kind: kindUnknown}, "", false
	}
	for _, v := range values {
		if len(v) != 1 {
			return inbound{Kind: kindUnknown}, "", false
		}
	}
	switch {
	case values.Has("payload"):
		payload := []byte(values.Get("payload"))
		return decodeInteraction(payload), "", objectOf(payload) != nil
	case values.Has("command"):
		return commandOf(values.Get), "", true
	case values.Has("ssl_check"):
		return inbound{Kind: kindCheck}, "", true
	}
	return inbound{Kind: kindUnknown}, "", false
}

func decodeEvent(payload []byte) inbound {
	w := objectOf(payload)
	f := w.object("event")
	e := event{
		ID: w.text("event_id"), Type: f.text("type"), Team: w.text("team_id"), Enterprise: w.text("enterprise_id"), AppID: w.text("api_app_id"),
		At: seconds(w.number("event_time")), Shared: w.yes("is_ext_shared_channel"),
	}
	for _, a := range w.list("authorizations") {
		e.OrgWide = e.OrgWide || objectOf(a).yes("is_enterprise_install")
	}
	if e.Type == "" {
		e.Type = w.text("type") // app_rate_limited has no event inside
	}
	if !slices.Contains(eventTypes(), e.Type) {
		return inbound{Kind: kindUnknown}
	}
	if at := tsTime(f.text("event_ts")); !at.IsZero() {
		e.At = at
	} else if !e.At.IsZero() { // to the second: what a manager did in that very second came before
		e.At = e.At.Add(time.Second - 1)
	}
	e.User, e.Channel, e.Tab = f.user("user"), f.text("channel"), f.text("tab")
	if c := f.object("channel"); c != nil {
		e.Channel, e.Name = c.text("id"), c.text("name")
	}
	e.View = viewOf(f.object("view"))
	switch e.Type {
	case "message":
		e.Message = messageOf(f, 1)
	case "channel_id_changed":
		e.OldChannel, e.Channel = f.text("old_channel_id"), f.text("new_channel_id")
	case "tokens_revoked":
		for _, raw := range f.object("tokens").list("bot") {
			if id := text(raw); id != "" {
				e.Bots = append(e.Bots, bot.Account(Platform, "", id))
			}
		}
	}
	return inbound{Kind: kindEvent, Event: e}
}

// messageOf reads a message, and deeper messages inside it as far as that.
func messageOf(f fields, deeper int) *message {
	if f == nil {
		return nil
	}
	m := &message{
		Subtype: f.text("subtype"), Channel: f.text("channel"), ChannelType: f.text("channel_type"), User: f.user("user"), BotID: f.text("bot_id"),
		Text: bot.ReplyText(f.text("text")), TS: f.text("ts"), ThreadTS: f.text("thread_ts"), EditedTS: f.object("edited").text("ts"),
		DeletedTS: f.text("deleted_ts"), Files: len(f.list("files")),
	}
	if deeper > 0 {
		m.Inner, m.Previous = messageOf(f.object("message"), deeper-1), messageOf(f.object("previous_message"), deeper-1)
	}
	return m
}

func decodeInteraction(payload []byte) inbound {
	f := objectOf(payload)
	user, container, channel, msg := f.object("user"), f.object("container"), f.object("channel"), f.object("message")
	i := interaction{
		Type: f.text("type"), User: user.user("id"), Lang: user.text("locale"),
		Team: cmp.Or(f.object("team").text("id"), user.text("team_id"), f.text("team")), Enterprise: cmp.Or(f.object("enterprise").text("id"), f.object("team").text("enterprise_id")),
		OrgWide: f.yes("is_enterprise_install"), Trigger: f.text("trigger_id"), CallbackID: f.text("callback_id"),
		Channel:   cmp.Or(channel.text("id"), container.text("channel_id"), f.text("channel")),
		MessageTS: cmp.Or(msg.text("ts"), container.text("message_ts"), f.text("message_ts")), ThreadTS: cmp.Or(msg.text("thread_ts"), container.text("thread_ts")),
		Container: container.text("type"), Ephemeral: container.yes("is_ephemeral"), View: viewOf(f.object("view")), Cleared: f.yes("is_cleared"),
		ResponseURL: f.text("response_url"),
	}
	switch i.Type {
	case interactPress, interactSubmit, interactClose, interactShortcut, interactMessage:
	default:
		return inbound{Kind: kindUnknown}
	}
	if i.User.IsZero() && f.text("user") != "" {
		i.User = f.user("user")
	}
	i.TS = f.text("action_ts")
	for _, raw := range f.list("actions") {
		if a := objectOf(raw); a != nil {
			i.TS = cmp.Or(a.text("action_ts"), i.TS)
			i.Actions = append(i.Actions, actionOf(a))
		}
	}
	return inbound{Kind: kindInteraction, Interaction: i}
}

func actionOf(f fields) action {
	a := action{
		ID: f.text("action_id"), Block: f.text("block_id"), Type: f.text("type"),
		Value: cmp.Or(f.text("value"), f.object("selected_option").text("value")),
	}
	for _, raw := range f.list("selected_options") {
		if v := objectOf(raw).text("value"); v != "" {
			a.Values = append(a.Values, v)
		}
	}
	return a
}

func viewOf(f fields) *view {
	if f == nil {
		return nil
	}
	v := &view{
		ID: f.text("id"), Root: f.text("root_view_id"), Previous: f.text("previous_view_id"), Type: f.text("type"), Hash: f.text("hash"),
		CallbackID: f.text("callback_id"), ExternalID: f.text("external_id"), Metadata: f.text("private_metadata"),
	}
	if f.object("state") != nil {
		v.State = f["state"]
	}
	return v
}

// commandOf reads a command from the fields of an object or of a form.
func commandOf(get func(string) string) inbound {
	c := command{
		Name: get("command"), Text: get("text"), Team: get("team_id"), Enterprise: get("enterprise_id"), OrgWide: truth(get("is_enterprise_install")),
		Channel: get("channel_id"), ChannelName: get("channel_name"), Trigger: get("trigger_id"), ResponseURL: get("response_url"),
	}
	if id := get("user_id"); id != "" {
		c.User = bot.Account(Platform, "", id)
	}
	if c.Name == "" {
		return inbound{Kind: kindUnknown}
	}
	return inbound{Kind: kindCommand, Command: c}
}

// fields is an object whose fields are read one by one. A nil fields is one without any.
type fields map[string]json.RawMessage

// objectOf reads an object; nil if it is none.
func objectOf(raw []byte) fields {
	var f fields
	if json.Unmarshal(raw, &f) != nil {
		return nil
	}
	return f
}

func (f fields) object(name string) fields {
	if raw := f[name]; raw != nil {
		return objectOf(raw)
	}
	return nil
}

func (f fields) list(name string) (all []json.RawMessage) {
	if raw := f[name]; raw != nil && json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

func (f fields) text(name string) string { return text(f[name]) }

// user reads an account; the zero UserID if there is none.
func (f fields) user(name string) bot.UserID {
	if id := f.text(name); id != "" {
		return bot.Account(Platform, "", id)
	}
	return bot.UserID{}
}

// text reads text; numbers and booleans as they are written, so that an odd type of an ID or a timestamp loses nothing.
func text(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case c == '-', c >= '0' && c <= '9', c == 't', c == 'f':
		return string(raw)
	}
	return ""
}

// maxNumber bounds what is read as a number: seconds of it are still a time.
const maxNumber = 1 << 40

// number reads a whole number that is not negative, also one in text; zero if there is none.
func (f fields) number(name string) int {
	n, err := strconv.ParseFloat(strings.TrimSpace(f.text(name)), 64)
	if err != nil || math.IsNaN(n) || n < 0 || n > maxNumber {
		return 0
	}
	return int(n)
}

// yes reads a boolean, also one in text.
func (f fields) yes(name string) bool { return truth(f.text(name)) }

func truth(s string) bool { return s == "true" || s == "1" }

func seconds(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
