package slack

import (
	"cmp"
	"context"
	"errors"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
)

const handleTries = 4 // of an event that could not be handled; each waits twice as long as the one before

// handle deals with one thing that came in, by whatever transport.
func (a *Adapter) handle(ctx context.Context, in inbound) {
	ctx, cancel := context.WithTimeout(ctx, 4*handleTime)
	defer cancel()
	switch in.Kind {
	case kindEvent:
		a.event(ctx, in)
	case kindInteraction:
		a.interact(ctx, in)
	case kindCommand:
		a.commanded(ctx, in)
	}
}

func (a *Adapter) event(ctx context.Context, in inbound) {
	e := in.Event
	switch e.Type {
	case "message":
		a.message(ctx, in, e.Message)
	case "app_home_opened":
		if e.Tab == "home" {
			a.home(ctx, in)
		}
	case "member_joined_channel":
		a.people.forget(e.Channel)
		if a.isSelf(e.User) && a.seen.first("event "+e.ID) {
			a.invited(ctx, in)
		}
	case "member_left_channel":
		a.people.forget(e.Channel)
		if a.isSelf(e.User) {
			a.gone(ctx, in, e.Channel)
		}
	case "channel_left", "group_left", "channel_archive", "group_archive", "channel_deleted", "group_deleted":
		a.people.forget(e.Channel)
		a.gone(ctx, in, e.Channel)
	case "channel_shared": // with another organisation: its people would read along
		a.people.forget(e.Channel)
		if f, err := a.placeAgain(ctx, e.Channel); err != nil || f.shared { // what is not known is no reason to go on
			a.gone(ctx, in, e.Channel)
		}
	case "channel_rename", "group_rename", "channel_id_changed":
		a.people.forget(e.Channel)
		a.moved(ctx, in)
	case "app_uninstalled", "tokens_revoked":
		if e.Type == "app_uninstalled" || slices.ContainsFunc(e.Bots, a.isSelf) {
			a.doubt(&signInError{slotBot, cmp.Or(map[string]string{"tokens_revoked": "token_revoked"}[e.Type], e.Type)})
		}
	case "app_rate_limited": // something was not told
		a.people.forget("")
		a.missed(gap{since: a.now(), sure: true})
	default: // channel_unarchive and channel_unshared wake nothing up
		a.people.forget(e.Channel)
	}
}

func (a *Adapter) isSelf(u bot.UserID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.me != nil && !u.IsZero() && u.Reveal() == a.me.UserID
}

// retried does what must not be lost, and tries again what failed. What a handler says of its last failure is the answer.
func (a *Adapter) retried(ctx context.Context, e bot.Event) (r bot.Response, err error) {
	h := a.hands()
	if h == nil {
		return r, errResting
	}
	for try := range handleTries {
		one, cancel := context.WithTimeout(ctx, handleTime)
		r, err = h(one, e)
		cancel()
		if err == nil {
			return r, nil
		}
		a.log.Warn("slack: something that was said waits", "err", err)
		if try < handleTries-1 && sleep(ctx, a.again<<try) != nil {
			break
		}
	}
	return r, err
}

var errResting = errors.New("slack: the program is starting or stopping")

func (a *Adapter) gone(ctx context.Context, in inbound, channel string) {
	if channel == "" || !strings.HasPrefix(channel, "C") && !strings.HasPrefix(channel, "G") {
		return
	}
	at := in.Event.At
	if at.IsZero() {
		at = a.now()
	}
	a.retried(ctx, bot.ChannelGone{Key: in.Event.ID, Team: a.teamOf(channel), At: at}) // what is posted there later fails the same way
}

func (a *Adapter) invited(ctx context.Context, in inbound) {
	f, err := a.placeAgain(ctx, in.Event.Channel)
	if err != nil || f.shared || f.archived { // who switches it on hears why not
		return
	}
	at := in.Event.At
	if at.IsZero() {
		at = a.now()
	}
	a.retried(ctx, bot.Invited{From: bot.From{Key: in.Event.ID, Team: a.teamOf(f.id), Chan: f.name, At: at}})
}

// placeAgain asks what a channel is, a few times.
func (a *Adapter) placeAgain(ctx context.Context, channel string) (f placeFact, err error) {
	for try := range handleTries {
		if f, err = a.people.place(ctx, channel, 0); err == nil || errors.Is(err, bot.ErrGone) || code(err) != "" {
			return f, err
		}
		if sleep(ctx, a.again<<try) != nil {
			break
		}
	}
	return f, err
}

func (a *Adapter) moved(ctx context.Context, in inbound) {
	e := in.Event
	from := e.Channel
	if e.OldChannel != "" {
		from = e.OldChannel
	}
	name := e.Name // as it was then; an event that comes again is older than what it is called now
	if f, err := a.people.place(ctx, e.Channel, 0); err == nil {
		name = f.name
	}
	a.retried(ctx, bot.ChannelMoved{Key: e.ID, Team: a.teamOf(from), To: a.teamOf(e.Channel), Chan: name})
}

// ---- direct messages

// tsTime is the time that a message's ts says; zero: it is none.
func tsTime(ts string) time.Time {
	whole, part, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || s <= 0 || s > 1<<40 {
		return time.Time{}
	}
	part = (part + "000000000")[:9]
	n, err := strconv.ParseInt(part, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}
	}
	return time.Unix(s, n)
}

// heard is something that a person typed to the bot, or a later version of it.
type heard struct {
	user    bot.UserID
	channel string
	ts      string    // of the message: its name
	thread  string    // it was typed in
	at      time.Time // its version
	since   time.Time // what was answered from then on was answered to this version; zero: at
	text    bot.ReplyText
	edited  bool
	deleted bool
	files   bool
	again   bool // it may have been answered before
	caught  bool // it was read, and not told
	silent  bool // it was answered before
}

func (s heard) key() string {
	return s.channel + " " + s.ts + " " + strconv.FormatInt(s.at.UnixNano(), 10)
}

// saidOf reads a message event; false: it is not something that a person said to the bot.
func (a *Adapter) saidOf(m *message) (heard, bool) {
	if m == nil || m.ChannelType != "im" && !strings.HasPrefix(m.Channel, "D") {
		return heard{}, false
	}
	s := heard{user: m.User, channel: m.Channel, ts: m.TS, thread: m.ThreadTS, at: tsTime(m.TS), text: m.Text, files: m.Files > 0}
	who, was := m, m.Previous
	if was == nil {
		was = &message{}
	}
	switch subtype := m.Subtype; {
	case subtype == "message_deleted", subtype == "message_changed" && m.Inner != nil && m.Inner.Subtype == "tombstone": // with replies below it
		who = was
		s.user, s.ts, s.thread, s.text, s.deleted, s.files = was.User, cmp.Or(m.DeletedTS, was.TS), was.ThreadTS, "", true, false
		if s.ts == "" && m.Inner != nil {
			s.ts = m.Inner.TS
		}
	case subtype == "message_changed":
		if who = m.Inner; who == nil || who.EditedTS == "" || who.EditedTS == was.EditedTS && who.Text == was.Text { // a link was looked up
			return heard{}, false
		}
		s.user, s.ts, s.thread, s.text, s.edited, s.files = who.User, who.TS, who.ThreadTS, who.Text, true, who.Files > 0
	case slices.Contains([]string{"", "file_share", "me_message", "thread_broadcast"}, subtype):
	default:
		return heard{}, false
	}
	if who.BotID != "" || who.Subtype == "bot_message" || a.isSelf(s.user) || s.ts == "" || s.at.IsZero() {
		return heard{}, false
	}
	if s.thread == s.ts {
		s.thread = ""
	}
	return s, !s.user.IsZero() || s.deleted
}

func (a *Adapter) message(ctx context.Context, in inbound, m *message) {
	s, ok := a.saidOf(m)
	if !ok {
		return
	}
	if s.user.IsZero() { // a deletion that does not say of whose message
		if s.user = a.partner(ctx, s.channel); s.user.IsZero() {
			return
		}
	}
	s.again = in.Attempt > 0
	a.clock.saw(s.at, a.now())
	if a.hear(ctx, s, func() { in.Answer(nil) }) != nil {
		a.missed(gap{since: a.now(), sure: true})
	}
}

// partner is with whom a direct conversation is; the zero UserID: it cannot be told.
func (a *Adapter) partner(ctx context.Context, channel string) bot.UserID {
	var c *api.Channel
	err := judged(a.wire.call(ctx, "conversations.info", channel, func(ctx context.Context) (err error) {
		c, err = a.wire.api.GetConversationInfoContext(ctx, &api.GetConversationInfoInput{ChannelID: channel})
		return err
	}))
	if err != nil || c.User == "" {
		return bot.UserID{}
	}
	return bot.Account(Platform, "", c.User)
}

// hear hands what was said to the bot, once, and gives the answer; kept is called between the two. An error: nothing came of it,
// and nobody was told.
func (a *Adapter) hear(ctx context.Context, s heard, kept func()) error {
	if !a.seen.first(s.key()) {
		return nil
	}
	f, err := a.from(ctx, s.user, s.key(), s.at)
	if err != nil && !errors.Is(err, errOutside) {
		// Without knowing who it is nothing can be kept; that is rare.
		a.log.Warn("slack: something that was said waits", "err", err)
		f, err = a.fromAgain(ctx, s)
	}
	switch {
	case errors.Is(err, errOutside):
		return nil
	case err != nil:
		a.seen.forget(s.key())
		return err
	}
	f.Typed = true // no form opens in answer to what is typed
	var e bot.Event = bot.DirectReply{From: f, Text: bot.ReplyText(typed(string(s.text))), Message: s.channel + "/" + s.ts, Edited: s.edited}
	if s.deleted {
		e = bot.ReplyWithdrawn{From: f, Message: s.channel + "/" + s.ts}
	}
	wordless := s.files && strings.TrimSpace(string(s.text)) == ""
	var r bot.Response
	if wordless && !s.edited { // a voice or a face would tell who it is
		r = bot.Response{Message: &bot.Message{Lang: f.Lang, Blocks: []bot.Block{bot.Text(bot.Span{Text: locale.Say(f.Lang, "slack.no-files")})}}}
	} else {
		r, err = a.retried(ctx, e)
	}
	if err != nil { // when it comes again it may succeed
		a.seen.forget(s.key())
	}
	if kept != nil {
		kept()
	}
	if r.Message == nil || s.silent || s.caught && err != nil {
		return err
	}
	m := *r.Message
	if s.files && !wordless {
		m.Blocks = append([]bot.Block{bot.Note(locale.Say(f.Lang, "slack.files-left"))}, m.Blocks...)
	}
	a.out.put(s.channel, func(ctx context.Context) {
		if s.again && a.answered(ctx, s) {
			return
		}
		a.told(ctx, s.channel, s.thread, m, answering(s))
	})
	return nil
}

// fromAgain asks once more who somebody is, a few times.
func (a *Adapter) fromAgain(ctx context.Context, s heard) (f bot.From, err error) {
	for try := range handleTries {
		if err := sleep(ctx, a.again<<try); err != nil {
			return f, err
		}
		if f, err = a.from(ctx, s.user, s.key(), s.at); err == nil || errors.Is(err, errOutside) {
			return f, err
		}
	}
	return f, err
}

// answering marks a message as the answer to another one in that conversation, so that it is not given twice. It names what
// both its readers see.
func answering(s heard) api.MsgOption {
	return api.MsgOptionMetadata(api.SlackMetadata{EventType: answerEvent, EventPayload: map[string]any{"to": s.ts, "at": s.at.UnixNano()}})
}

// answered looks whether something was answered before, by this program before it was started anew.
func (a *Adapter) answered(ctx context.Context, s heard) bool {
	var all []api.Message
	method := "conversations.history"
	if s.thread != "" {
		method = "conversations.replies"
	}
	err := judged(a.wire.call(ctx, method, s.channel, func(ctx context.Context) error {
		if s.thread != "" {
			some, _, _, err := a.wire.api.GetConversationRepliesContext(ctx, &api.GetConversationRepliesParameters{
				ChannelID: s.channel, Timestamp: s.thread, Oldest: s.ts, Limit: pageSize, IncludeAllMetadata: true,
			})
			all = some
			return err
		}
		h, err := a.wire.api.GetConversationHistoryContext(ctx, &api.GetConversationHistoryParameters{
			ChannelID: s.channel, Oldest: s.ts, Limit: pageSize, IncludeAllMetadata: true,
		})
		if err == nil {
			all = h.Messages
		}
		return err
	}))
	return err == nil && answeredIn(all, s)
}

// answeredIn says whether an answer to something is among these messages.
func answeredIn(all []api.Message, s heard) bool {
	since := s.at
	if !s.since.IsZero() {
		since = s.since
	}
	for _, m := range all {
		at, _ := m.Metadata.EventPayload["at"].(float64)
		to, _ := m.Metadata.EventPayload["to"].(string)
		// The number went through a float: it is right to a microsecond.
		if m.Metadata.EventType == answerEvent && to == s.ts && !time.Unix(0, int64(at)).Before(since.Add(-time.Millisecond)) {
			return true
		}
	}
	return false
}

var reference = regexp.MustCompile(`<([^<>]*)>`)

// typed is what somebody typed, as they saw it: Slack escapes three signs, and writes links and names in its own way.
func typed(text string) string {
	text = reference.ReplaceAllStringFunc(text, func(s string) string {
		target, label, labelled := strings.Cut(s[1:len(s)-1], "|")
		switch {
		case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
			if labelled && label != "" {
				return target[:1] + strings.TrimPrefix(label, target[:1])
			}
			return target[:1] + "…" // nobody types an account
		case strings.HasPrefix(target, "!"):
			name := strings.TrimPrefix(target, "!")
			if labelled && label != "" {
				return label
			}
			name, _, _ = strings.Cut(name, "^")
			return "@" + name
		case labelled && label != "" && !strings.HasSuffix(target, label):
			return label + " (" + target + ")"
		case labelled && label != "":
			return label
		}
		return target
	})
	return html.UnescapeString(text)
}
