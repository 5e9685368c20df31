package slacktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// world is a workspace with people and channels, and the real client library on it.
type world struct {
	*testing.T
	s          *slacktest.Server
	ctx        context.Context
	c          *slack.Client
	ann, ben   string
	wing, dark string // a public and a private channel
}

func build(t *testing.T, o slacktest.Options) *world {
	t.Parallel()
	w := &world{T: t, s: slacktest.Start(t, o)}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	w.ctx = ctx
	w.ann = w.s.AddUser(slacktest.User{Name: "ann", TZ: "Europe/Amsterdam", Locale: "nl-NL", Admin: true})
	w.ben = w.s.AddUser(slacktest.User{Name: "ben", Guest: true})
	w.wing = w.s.AddChannel(slacktest.Channel{Name: "wing", Members: []string{w.s.Bot(), w.ann, w.ben}})
	w.dark = w.s.AddChannel(slacktest.Channel{Name: "dark", Private: true, Members: []string{w.s.Bot(), w.ann}})
	w.c = w.client(w.s.BotToken(), w.s.AppToken())
	return w
}

func (w *world) client(bot, app string) *slack.Client {
	h := &http.Client{Transport: &http.Transport{}, Timeout: 15 * time.Second}
	w.Cleanup(h.CloseIdleConnections)
	return slack.New(bot, slack.OptionAppLevelToken(app), slack.OptionAPIURL(w.s.URL()), slack.OptionHTTPClient(h),
		slack.OptionLog(log.New(io.Discard, "", 0)))
}

func (w *world) ok(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

// is fails unless the call answered this code.
func (w *world) is(what string, err error, code string) {
	w.Helper()
	var e slack.SlackErrorResponse
	if !errors.As(err, &e) || e.Err != code {
		w.Fatalf("%s: %v, not %s", what, err, code)
	}
}

func plain(t string) *slack.TextBlockObject {
	return slack.NewTextBlockObject("plain_text", t, false, false)
}

func mrkdwn(t string) *slack.TextBlockObject {
	return slack.NewTextBlockObject("mrkdwn", t, false, false)
}

// prompt is a message with a button.
func prompt() []slack.Block {
	return []slack.Block{
		slack.NewSectionBlock(mrkdwn("Wat zou jij doen?"), nil, nil),
		slack.NewActionBlock("ask", slack.NewButtonBlockElement("reply", "round-1", plain("Reageer"))),
	}
}

// form is a modal with a text, a choice and a box.
func form(title string) slack.ModalViewRequest {
	text := slack.NewPlainTextInputBlockElement(plain("Typ hier"), "text")
	text.Multiline, text.MaxLength = true, 1500
	share := slack.NewRadioButtonsBlockElement("share", slack.NewOptionBlockObject("count", plain("Alleen meetellen"), nil),
		slack.NewOptionBlockObject("quote", plain("Citeren zonder naam"), nil))
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain(title), Submit: plain("Versturen"), Close: plain("Annuleren"), CallbackID: "reply", PrivateMetadata: "step-1",
		NotifyOnClose: true, Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("b-text", plain("Jouw reactie"), nil, text), slack.NewInputBlock("b-share", plain("Delen"), nil, share),
		}},
	}
}

// bot is the real socket client: what it gets goes to handle, which answers.
func (w *world) bot(handle func(evt *socketmode.Event, ack func(payload any))) *socketmode.Client {
	w.Helper()
	c := socketmode.New(w.c, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.RunContext(ctx)
	}()
	go func() {
		for {
			select {
			case evt := <-c.Events:
				handle(&evt, func(payload any) { _ = c.AckCtx(ctx, evt.Request.EnvelopeID, payload) })
			case <-ctx.Done():
				return
			}
		}
	}()
	before := w.s.Connections()
	w.Cleanup(func() { cancel(); <-done })
	w.s.Await("a socket", func() bool { return w.s.Connections() > before || len(w.s.Sockets()) > 0 })
	return c
}

func TestPeopleAndChannels(t *testing.T) {
	w := build(t, slacktest.Options{})
	me, err := w.c.AuthTestContext(w.ctx)
	w.ok("auth.test", err)
	if me.UserID != w.s.Bot() || me.BotID != w.s.BotID() || me.TeamID != w.s.Team() || !strings.Contains(me.Header.Get("X-OAuth-Scopes"), "chat:write") {
		t.Errorf("%+v", me)
	}
	u, err := w.c.GetUserInfoContext(w.ctx, w.ann)
	w.ok("users.info", err)
	if u.TZ != "Europe/Amsterdam" || u.Locale != "nl-NL" || !u.IsAdmin || u.IsBot || u.TeamID != w.s.Team() {
		t.Errorf("%+v", u)
	}
	u, err = w.c.GetUserInfoContext(w.ctx, w.ann, slack.GetUserInfoOptionIncludeLocale(false))
	w.ok("users.info", err)
	guest, _ := w.c.GetUserInfoContext(w.ctx, w.ben)
	if u.Locale != "" || !guest.IsRestricted {
		t.Errorf("%+v %+v", u, guest)
	}
	_, err = w.c.GetUserInfoContext(w.ctx, "U0NOBODY00")
	w.is("nobody", err, "user_not_found")

	info, err := w.c.GetConversationInfoContext(w.ctx, &slack.GetConversationInfoInput{ChannelID: w.dark, IncludeNumMembers: true})
	w.ok("conversations.info", err)
	if !info.IsPrivate || info.Name != "dark" || info.NumMembers != 2 || !info.IsMember {
		t.Errorf("%+v", info)
	}
	w.s.Set(func(s *slacktest.Settings) { s.MaxPage = 2 })
	members, cursor, err := w.c.GetUsersInConversationContext(w.ctx, &slack.GetUsersInConversationParameters{ChannelID: w.wing, Limit: 100})
	w.ok("conversations.members", err)
	more, end, err := w.c.GetUsersInConversationContext(w.ctx, &slack.GetUsersInConversationParameters{ChannelID: w.wing, Cursor: cursor})
	w.ok("conversations.members", err)
	if len(members) != 2 || len(more) != 1 || end != "" {
		t.Errorf("%v %v %q", members, more, end)
	}
	list, _, err := w.c.GetConversationsForUserContext(w.ctx, &slack.GetConversationsForUserParameters{Types: []string{"public_channel", "private_channel"}})
	w.ok("users.conversations", err)
	all, _, err := w.c.GetConversationsContext(w.ctx, &slack.GetConversationsParameters{})
	w.ok("conversations.list", err)
	if len(list) != 2 || len(all) != 1 {
		t.Errorf("%d %d", len(list), len(all))
	}
	_, _, err = w.c.GetConversationsContext(w.ctx, &slack.GetConversationsParameters{Types: []string{"im"}})
	w.is("im:read", err, "missing_scope")
	var e slack.SlackErrorResponse
	if errors.As(err, &e); e.Needed != "im:read" || !strings.Contains(e.Provided, "chat:write") {
		t.Errorf("%+v", e)
	}

	ch, _, open, err := w.c.OpenConversationContext(w.ctx, &slack.OpenConversationParameters{Users: []string{w.ann}, ReturnIM: true})
	w.ok("conversations.open", err)
	again, _, known, err := w.c.OpenConversationContext(w.ctx, &slack.OpenConversationParameters{Users: []string{w.ann}})
	w.ok("conversations.open", err)
	if ch.ID != again.ID || open || !known || !ch.IsIM || ch.User != w.ann {
		t.Errorf("%+v %v %v", ch, open, known)
	}
	w.s.ChangeUser(w.ben, func(u *slacktest.User) { u.Deleted = true })
	_, _, _, err = w.c.OpenConversationContext(w.ctx, &slack.OpenConversationParameters{Users: []string{w.ben}})
	w.is("a deactivated one", err, "user_disabled")
	_, _, _, err = w.c.OpenConversationContext(w.ctx, &slack.OpenConversationParameters{Users: []string{w.s.Bot()}})
	w.is("a bot", err, "cannot_dm_bot")
}

func TestMessages(t *testing.T) {
	w := build(t, slacktest.Options{})
	_, ts, err := w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionText("De vraag", false), slack.MsgOptionBlocks(prompt()...), slack.MsgOptionDisableLinkUnfurl())
	w.ok("chat.postMessage", err)
	_, reply, err := w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionText("Terug", false), slack.MsgOptionTS(ts))
	w.ok("a reply", err)
	if reply <= ts {
		t.Errorf("%s is not after %s", reply, ts)
	}
	seen := w.s.Channel(w.wing)
	if len(seen) != 2 || seen[0].Seen() != "Wat zou jij doen?\n[Reageer]" || seen[1].Thread != ts || !seen[0].Bot {
		t.Errorf("%+v", seen)
	}
	_, _, _, err = w.c.UpdateMessageContext(w.ctx, w.wing, ts, slack.MsgOptionText("Gesloten", false), slack.MsgOptionBlocks(slack.NewDividerBlock()))
	w.ok("chat.update", err)
	if m, _ := w.s.Message(w.wing, ts); !m.Edited || len(slacktest.Labels(m)) != 0 {
		t.Errorf("%+v", m)
	}
	link, err := w.c.GetPermalinkContext(w.ctx, &slack.PermalinkParameters{Channel: w.wing, Ts: ts})
	w.ok("chat.getPermalink", err)
	if !strings.Contains(link, w.wing) {
		t.Error(link)
	}
	own := w.s.Type(w.ann, w.wing, "hallo")
	_, _, err = w.c.DeleteMessageContext(w.ctx, w.wing, own)
	w.is("another's", err, "cant_delete_message")
	_, _, _, err = w.c.UpdateMessageContext(w.ctx, w.wing, own, slack.MsgOptionText("x", false))
	w.is("another's", err, "cant_update_message")
	_, _, err = w.c.DeleteMessageContext(w.ctx, w.wing, reply)
	w.ok("chat.delete", err)
	_, _, err = w.c.DeleteMessageContext(w.ctx, w.wing, reply)
	w.is("twice", err, "message_not_found")

	_, err = w.c.PostEphemeralContext(w.ctx, w.wing, w.ann, slack.MsgOptionText("Alleen jij", false))
	w.ok("chat.postEphemeral", err)
	if e := w.s.Ephemerals(w.ann); len(e) != 1 || e[0].Seen() != "Alleen jij" {
		t.Errorf("%+v", e)
	}
	_, err = w.c.PostEphemeralContext(w.ctx, w.dark, w.ben, slack.MsgOptionText("x", false))
	w.is("not there", err, "user_not_in_channel")

	dm := w.s.Direct(w.ann)
	first := w.s.TypeDirect(w.ann, "een < twee")
	_, _, err = w.c.PostMessageContext(w.ctx, w.ann, slack.MsgOptionText("Dank je", false))
	w.ok("to a person", err)
	h, err := w.c.GetConversationHistoryContext(w.ctx, &slack.GetConversationHistoryParameters{ChannelID: dm})
	w.ok("conversations.history", err)
	if len(h.Messages) != 2 || h.Messages[1].Timestamp != first || h.Messages[1].Text != "een &lt; twee" || h.Messages[0].BotID != w.s.BotID() {
		t.Errorf("%+v", h.Messages)
	}
	w.s.ThreadReply(w.ann, dm, first, "nog iets")
	msgs, _, _, err := w.c.GetConversationRepliesContext(w.ctx, &slack.GetConversationRepliesParameters{ChannelID: dm, Timestamp: first})
	w.ok("conversations.replies", err)
	if len(msgs) != 2 || msgs[0].ReplyCount != 1 {
		t.Errorf("%+v", msgs)
	}
	_, err = w.c.GetConversationHistoryContext(w.ctx, &slack.GetConversationHistoryParameters{ChannelID: w.wing})
	w.is("the channel", err, "missing_scope")

	for code, f := range map[string]func() string{
		"is_archived":       func() string { w.s.Archive(w.wing); return w.wing },
		"not_in_channel":    func() string { return w.s.AddChannel(slacktest.Channel{Name: "other"}) },
		"channel_not_found": func() string { w.s.Leave(w.dark, w.s.Bot()); return w.dark },
		"no_text":           func() string { return dm },
	} {
		text := "x"
		if code == "no_text" {
			text = ""
		}
		_, _, err = w.c.PostMessageContext(w.ctx, f(), slack.MsgOptionText(text, false))
		w.is(code, err, code)
	}
}

func TestSocketMode(t *testing.T) {
	w := build(t, slacktest.Options{})
	got := make(chan socketmode.Event, 100)
	w.bot(func(evt *socketmode.Event, ack func(any)) {
		switch evt.Type {
		case socketmode.EventTypeEventsAPI:
			ack(nil)
		case socketmode.EventTypeInteractive:
			in := evt.Data.(slack.InteractionCallback)
			switch in.Type {
			case slack.InteractionTypeBlockActions:
				if in.View.ID == "" {
					_, err := w.c.OpenViewContext(w.ctx, in.TriggerID, form("Jouw reactie"))
					if err != nil {
						t.Errorf("views.open: %v", err)
					}
				}
				ack(nil)
			case slack.InteractionTypeViewSubmission:
				text := in.View.State.Values["b-text"]["text"].Value
				switch {
				case text == "kort":
					ack(slack.NewErrorsViewSubmissionResponse(map[string]string{"b-text": "Iets langer graag"}))
				case in.View.PrivateMetadata == "step-1":
					next := form("Spanning")
					next.PrivateMetadata = "step-2"
					ack(slack.NewUpdateViewSubmissionResponse(&next))
				default:
					ack(nil)
				}
			default:
				ack(nil)
			}
		case socketmode.EventTypeSlashCommand:
			ack(map[string]any{"text": "Hulp voor " + evt.Data.(slack.SlashCommand).Text})
		}
		got <- *evt
	})
	_, ts, err := w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionText("De vraag", false), slack.MsgOptionBlocks(prompt()...))
	w.ok("chat.postMessage", err)
	m, _ := w.s.Message(w.wing, ts)
	r := w.s.Press(w.ben, m, "Reageer")
	if r.Err != "" || r.Modal == nil || r.Modal.Title != "Jouw reactie" {
		t.Fatalf("%+v", r)
	}
	if r := w.s.SubmitModal(w.ben, nil); len(r.Refused) != 2 {
		t.Errorf("%+v", r)
	}
	r = w.s.SubmitModal(w.ben, map[string]any{"Jouw reactie": "kort", "Delen": "Alleen meetellen"})
	if r.Errors["Jouw reactie"] != "Iets langer graag" || r.Closed {
		t.Errorf("%+v", r)
	}
	r = w.s.SubmitModal(w.ben, map[string]any{"Jouw reactie": "een langer antwoord"})
	if r.Closed || r.Modal.Title != "Spanning" || r.Modal.PrivateMetadata != "step-2" {
		t.Errorf("%+v", r)
	}
	if r = w.s.SubmitModal(w.ben, nil); !r.Closed || r.Modal != nil {
		t.Errorf("%+v", r)
	}
	if r := w.s.Command(w.ben, w.wing, "/weerklank help @ann"); r.Response == nil || r.Response.Text != "Hulp voor help <@"+w.ann+"|ann>" || r.Response.Only != w.ben {
		t.Errorf("%+v", r)
	}
	w.s.GlobalShortcut(w.ben, "open")
	w.s.MessageShortcut(w.ben, m, "about")
	dm := w.s.Direct(w.ann)
	first := w.s.TypeDirect(w.ann, "hallo")
	w.s.Edit(dm, first, "hallo allemaal")
	w.s.Delete(dm, first)
	w.s.OpenHome(w.ann, "home")
	w.s.Rename(w.wing, "vleugel")
	w.s.Settle()
	if p := w.s.Problems(); len(p) > 0 {
		t.Error(p)
	}
	var kinds []string
	for len(got) > 0 {
		evt := <-got
		switch evt.Type {
		case socketmode.EventTypeErrorBadMessage:
			t.Errorf("the library does not read %s: %v", evt.Data.(*socketmode.ErrorBadMessage).Message, evt.Data)
		case socketmode.EventTypeEventsAPI:
			var p struct {
				Event struct{ Type, Subtype, Tab string }
			}
			w.ok("event", json.Unmarshal(evt.Request.Payload, &p))
			kinds = append(kinds, p.Event.Type+p.Event.Subtype+p.Event.Tab)
		case socketmode.EventTypeInteractive:
			in := evt.Data.(slack.InteractionCallback)
			if in.User.ID != w.ben || in.Team.ID != w.s.Team() || in.TriggerID == "" {
				t.Errorf("%+v", in)
			}
			kinds = append(kinds, string(in.Type))
			if in.Type == slack.InteractionTypeBlockActions {
				a := in.ActionCallback.BlockActions[0]
				if a.ActionID != "reply" || a.Value != "round-1" || in.Container.MessageTs != ts || in.Channel.ID != w.wing || in.Message.Timestamp != ts || in.ResponseURL == "" {
					t.Errorf("%+v", in)
				}
			}
		}
	}
	want := "block_actions view_submission view_submission view_submission shortcut message_action message messagemessage_changed messagemessage_deleted app_home_openedhome channel_rename"
	if s := strings.Join(kinds, " "); s != want {
		t.Errorf("%s\nnot %s", s, want)
	}
}
