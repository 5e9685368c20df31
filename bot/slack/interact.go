package slack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// What people press and send in. A trigger lives three seconds and opens one view, so that a view that waits is opened before
// anything else is asked; what there is to show takes its place.

// opens are the verbs whose answer is a form; in a direct conversation everything else is answered with a message.
var opens = []string{"answer", "on", "settings", "remove"}

// What the callback ids of the shortcuts begin with.
const shortcutAnswer = "weerklank-answer"

func (a *Adapter) interact(ctx context.Context, in inbound) {
	i := in.Interaction
	switch i.Type {
	case interactPress:
		a.pressed(ctx, in)
	case interactSubmit:
		a.submitted(ctx, in)
	case interactShortcut, interactMessage:
		if strings.HasPrefix(i.CallbackID, shortcutAnswer) { // of a message with something behind it
			a.shortcut(ctx, in)
		}
	}
}

// channel says whether an id is that of a channel, and no conversation.
func isChannel(id string) bool { return strings.HasPrefix(id, "C") || strings.HasPrefix(id, "G") }

// lang is the language of who did something, before it is asked.
func (a *Adapter) lang(u bot.UserID) prompts.Lang {
	a.people.mu.Lock()
	defer a.people.mu.Unlock()
	if p := a.people.people[u.Reveal()]; p != nil && p.lang != "" {
		return p.lang
	}
	return prompts.Dutch
}

// pressed deals with a button in a message, a form or the Home tab.
func (a *Adapter) pressed(ctx context.Context, in inbound) {
	i := in.Interaction
	if len(i.Actions) == 0 || i.Trigger != "" && !a.seen.first("trigger "+i.Trigger) {
		return
	}
	p, err := readPress(i.Actions[0].Value)
	if err != nil {
		return // a link, or something of another program
	}
	if i.View != nil && i.View.Type == "modal" {
		a.pressedInModal(ctx, in, p)
		return
	}
	direct := i.View == nil && !isChannel(i.Channel)
	e := bot.ActionPressed{Action: p.action(), Post: p.Key}
	if i.View == nil && p.Key != "" {
		e.Ref = bot.Ref(i.MessageTS)
	}
	var where bot.TeamID
	if isChannel(i.Channel) {
		where = a.teamOf(i.Channel)
	}
	if direct && !slices.Contains(opens, p.Do) {
		in.Answer(nil)
		e.From, err = a.from(ctx, i.User, i.Trigger, a.pressedAt(in))
		if err != nil {
			return
		}
		e.From.Typed = true
		r, err := a.once(ctx, e)
		if r.Message == nil && err != nil {
			r = laterFor(e.From.Lang)
		}
		if r.Message != nil {
			a.told(ctx, i.Channel, *r.Message)
		}
		return
	}
	a.opening(ctx, in, where, p.Key, func(f bot.From) bot.Event { e.From = f; return e })
}

// opening opens a view that waits, hands an event to the bot and shows the answer in that view.
func (a *Adapter) opening(ctx context.Context, in inbound, where bot.TeamID, key string, event func(bot.From) bot.Event) {
	i := in.Interaction
	st := viewState{Team: where, Key: key, Nonce: rand.Text()}
	v, err := a.open(ctx, i.Trigger, a.lang(i.User), st)
	in.Answer(nil)
	if err != nil {
		if isChannel(i.Channel) {
			a.whisper(ctx, i.Channel, i.User, noForm(a.lang(i.User)))
		}
		return
	}
	f, err := a.from(ctx, i.User, i.Trigger, a.pressedAt(in))
	var r bot.Response
	switch {
	case errors.Is(err, errOutside):
		r = bot.Response{Message: words(a.lang(i.User), locale.Say(a.lang(i.User), "slack.not-you"))}
	case err != nil:
		r = laterFor(a.lang(i.User))
	default:
		a.locate(ctx, &f, where)
		if r, err = a.once(ctx, event(f)); err != nil && r.Message == nil && r.Form == nil {
			r = laterFor(f.Lang)
		}
	}
	a.show(ctx, v, st, r, f.Lang)
}

// locate says in which channel something was done.
func (a *Adapter) locate(ctx context.Context, f *bot.From, where bot.TeamID) {
	f.Team = where
	if where == "" {
		return
	}
	if place, err := a.people.place(ctx, channelOf(where), rosterTime); err == nil {
		f.Chan = place.name
	}
}

// once hands an event to the bot, once: who did it sees what came of it, and does it again.
func (a *Adapter) once(ctx context.Context, e bot.Event) (bot.Response, error) {
	h := a.hands()
	if h == nil {
		return bot.Response{}, errResting
	}
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	return h(ctx, e)
}

// pressedAt is when something was done, on Slack's clock.
func (a *Adapter) pressedAt(in inbound) time.Time {
	if at := tsTime(in.Interaction.TS); !at.IsZero() {
		a.clock.saw(at, a.now())
		return at
	}
	return a.clock.after(a.now().Add(-time.Since(in.At)))
}

func words(lang prompts.Lang, text string) *bot.Message {
	return &bot.Message{Lang: lang, Blocks: []bot.Block{bot.Text(bot.Span{Text: text})}}
}

func laterFor(lang prompts.Lang) bot.Response {
	return bot.Response{Message: words(lang, locale.Say(lang, "slack.later"))}
}

func noForm(lang prompts.Lang) bot.Message { return *words(lang, locale.Say(lang, "slack.no-form")) }

// open opens a view that waits.
func (a *Adapter) open(ctx context.Context, trigger string, lang prompts.Lang, st viewState) (id string, err error) {
	v, err := waitingView(lang, st)
	if err != nil {
		return "", err
	}
	return a.openView(ctx, trigger, v)
}

// openView opens a view; it is tried once: a trigger works once.
func (a *Adapter) openView(ctx context.Context, trigger string, v *api.ModalViewRequest) (id string, err error) {
	var got *api.ViewResponse
	err = judged(a.wire.call(ctx, "views.open", "", func(ctx context.Context) (err error) {
		got, err = a.wire.api.OpenViewContext(ctx, trigger, *v)
		return err
	}))
	if err != nil {
		return "", err
	}
	return got.ID, nil
}

// show puts what the bot answers in the place of a view. Who closed it meanwhile has seen enough.
func (a *Adapter) show(ctx context.Context, id string, st viewState, r bot.Response, lang prompts.Lang) {
	if r.Form == nil && r.Message == nil && len(r.Errors) == 0 {
		r.Message = words(lang, locale.Say(lang, "slack.done"))
	}
	v, err := answerView(r, st)
	if err != nil {
		a.log.Error("slack: an answer does not fit in a view", "err", err)
		v, err = messageView(*laterFor(lang).Message, st)
	}
	if err == nil {
		a.update(ctx, id, v)
	}
}

func (a *Adapter) update(ctx context.Context, id string, v *api.ModalViewRequest) {
	for range 2 { // the same view once more does no harm
		err := judged(a.wire.call(ctx, "views.update", "", func(ctx context.Context) error {
			_, err := a.wire.api.UpdateViewContext(ctx, *v, "", "", id)
			return err
		}))
		if !errors.Is(err, errAmbiguous) {
			if c := code(err); c != "" && c != "not_found" && c != "hash_conflict" {
				a.log.Warn("slack: a view was not shown", "err", err)
			}
			return
		}
	}
}

// pressedInModal deals with a button of a form, which sends the form with it, or of a view that shows something.
func (a *Adapter) pressedInModal(ctx context.Context, in inbound, p press) {
	i := in.Interaction
	in.Answer(nil)
	st, err := readState(i.View.Metadata)
	if err != nil {
		return
	}
	f, err := a.from(ctx, i.User, i.Trigger, a.pressedAt(in))
	if err != nil {
		a.show(ctx, i.View.ID, st, laterFor(st.Lang), st.Lang)
		return
	}
	a.locate(ctx, &f, st.Team)
	var e bot.Event = bot.ActionPressed{From: f, Action: p.action()}
	if st.Step == stepForm {
		e = bot.FormSubmitted{From: f, Form: st.Form, State: st.State, Values: st.values(i.View.State), Action: p.Do}
	}
	r, err := a.once(ctx, e)
	if err != nil && r.Message == nil && r.Form == nil {
		r = laterFor(st.Lang)
	}
	a.show(ctx, i.View.ID, st, r, st.Lang)
}

// saving is what stands in the place of a form whose handling takes longer than Slack waits.
func (a *Adapter) saving(in inbound) json.RawMessage {
	i := in.Interaction
	if in.Kind != kindInteraction || i.Type != interactSubmit || i.View == nil {
		return nil
	}
	st, err := readState(i.View.Metadata)
	if err != nil {
		return nil
	}
	v, err := savingView(st.Lang, st)
	if err != nil {
		return nil
	}
	raw, err := json.Marshal(api.NewUpdateViewSubmissionResponse(v))
	if err != nil {
		return nil
	}
	return raw
}

// submitted deals with a form that was sent in.
func (a *Adapter) submitted(ctx context.Context, in inbound) {
	i := in.Interaction
	if i.View == nil {
		return
	}
	st, err := readState(i.View.Metadata)
	if err != nil || st.Step != stepForm {
		return
	}
	f, err := a.from(ctx, i.User, i.View.ID, a.pressedAt(in))
	var r bot.Response
	switch {
	case errors.Is(err, errOutside):
		r = bot.Response{Message: words(st.Lang, locale.Say(st.Lang, "slack.not-you"))}
	case err != nil:
		a.stays(ctx, in, st)
		return
	default:
		a.locate(ctx, &f, st.Team)
		r, err = a.once(ctx, bot.FormSubmitted{From: f, Form: st.Form, State: st.State, Values: st.values(i.View.State)})
		if err != nil && r.Message == nil && r.Form == nil {
			a.stays(ctx, in, st)
			return
		}
	}
	answer, err := submitAnswer(r, st)
	var raw json.RawMessage
	if err == nil {
		raw, err = json.Marshal(answer)
	}
	if err == nil {
		err = in.Answer(raw)
	}
	if err == nil {
		return
	}
	if errors.Is(err, errLarge) {
		in.Answer(a.saving(in))
	}
	a.show(ctx, i.View.ID, st, r, st.Lang)
}

// stays leaves a form open with what was filled in: it could not be handled now.
func (a *Adapter) stays(ctx context.Context, in inbound, st viewState) {
	if len(st.Fields) > 0 {
		say := locale.Say(st.Lang, "slack.later")
		raw, err := json.Marshal(api.NewErrorsViewSubmissionResponse(map[string]string{st.block(st.Fields[0].Name): say}))
		if err == nil && in.Answer(raw) == nil {
			return
		}
	}
	a.show(ctx, in.Interaction.View.ID, st, laterFor(st.Lang), st.Lang)
}

// shortcut opens the form of the open round: of the channel whose message it was used on, else of all that the person has.
// Of the message nothing is read.
func (a *Adapter) shortcut(ctx context.Context, in inbound) {
	i := in.Interaction
	var where bot.TeamID
	if i.Type == interactMessage && isChannel(i.Channel) {
		where = a.teamOf(i.Channel)
	}
	a.opening(ctx, in, where, "", func(f bot.From) bot.Event {
		return bot.ActionPressed{From: f, Action: bot.Action{Do: "answer"}}
	})
}

// commanded deals with the slash command. Its answer is seen by who gave it alone.
func (a *Adapter) commanded(ctx context.Context, in inbound) {
	c := in.Command
	if c.User.IsZero() || c.Trigger != "" && !a.seen.first("trigger "+c.Trigger) {
		return
	}
	f, err := a.from(ctx, c.User, c.Trigger, a.pressedAt(in))
	if err != nil {
		a.reply(ctx, in, *laterFor(a.lang(c.User)).Message)
		return
	}
	if isChannel(c.Channel) {
		place, err := a.people.place(ctx, c.Channel, listTime)
		switch {
		case err == nil && place.member:
			f.Team, f.Chan = a.teamOf(c.Channel), place.name
		case bot.ReachOf(c.Text) != bot.ReachAll && bot.ReachOf(c.Text) != bot.ReachOwn:
			a.reply(ctx, in, *words(f.Lang, locale.Say(f.Lang, "slack.not-here")))
			return
		}
	}
	var e bot.Event = bot.Command{From: f, Text: c.Text}
	if strings.TrimSpace(c.Text) == "" { // the form, or how things stand
		e = bot.ActionPressed{From: f, Action: bot.Action{Do: "answer"}}
	}
	r, err := a.once(ctx, e)
	switch {
	case r.Form != nil:
		st := viewState{Team: f.Team, Nonce: rand.Text()}
		v, err := formView(withErrors(r.Form, r.Errors), st)
		if err == nil {
			_, err = a.openView(ctx, c.Trigger, v)
		}
		if err != nil {
			a.reply(ctx, in, noForm(f.Lang))
		}
	case r.Message != nil:
		a.reply(ctx, in, *r.Message)
	case err != nil:
		a.reply(ctx, in, *laterFor(f.Lang).Message)
	}
}

// reply answers a command, so that only who gave it sees it.
func (a *Adapter) reply(ctx context.Context, in inbound, m bot.Message) {
	r, err := render(m, "")
	if err != nil {
		return
	}
	for i := range r.Pictures {
		r.place(i, "")
	}
	raw, err := json.Marshal(struct {
		Type   string      `json:"response_type"`
		Text   string      `json:"text"`
		Blocks []api.Block `json:"blocks"`
	}{"ephemeral", r.Text, r.Blocks})
	if err == nil && in.Answer(raw) == nil {
		return
	}
	if isChannel(in.Command.Channel) {
		a.whisper(ctx, in.Command.Channel, in.Command.User, m)
	}
}

// whisper shows something in a channel to one person, if it arrives.
func (a *Adapter) whisper(ctx context.Context, channel string, to bot.UserID, m bot.Message) {
	r, err := render(m, "")
	if err != nil {
		return
	}
	for i := range r.Pictures {
		r.place(i, "")
	}
	err = judged(a.wire.call(ctx, "chat.postEphemeral", channel, func(ctx context.Context) error {
		_, err := a.wire.api.PostEphemeralContext(ctx, channel, to.Reveal(), optionsFor(r)...)
		return err
	}))
	if err != nil {
		a.log.Warn("slack: an answer did not arrive", "err", err)
	}
}

// told says something in a direct conversation.
func (a *Adapter) told(ctx context.Context, channel string, m bot.Message) {
	if _, err := a.post(ctx, channel, "", m, ""); err != nil {
		a.log.Warn("slack: an answer did not arrive", "err", err)
	}
}

// home shows a person's page. It starts no conversation.
func (a *Adapter) home(ctx context.Context, in inbound) {
	e := in.Event
	in.Answer(nil)
	f, err := a.from(ctx, e.User, e.ID, a.now())
	if err != nil {
		return
	}
	r, err := a.once(ctx, bot.HomeOpened{From: f})
	if r.Message == nil {
		if err == nil {
			return
		}
		r = laterFor(f.Lang)
	}
	v, err := homeView(*r.Message, viewState{Nonce: rand.Text()})
	if err != nil {
		a.log.Error("slack: the home page does not fit", "err", err)
		return
	}
	for range 2 {
		err = judged(a.wire.call(ctx, "views.publish", "", func(ctx context.Context) error {
			_, err := a.wire.api.PublishViewContext(ctx, api.PublishViewContextRequest{UserID: e.User.Reveal(), View: *v})
			return err
		}))
		if !errors.Is(err, errAmbiguous) {
			break
		}
	}
	if err != nil {
		a.log.Warn("slack: the home page was not shown", "err", err)
	}
}
