package slack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
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
var opens = []string{"answer", "on", "settings", "remove", "agree", "passed", "propose", "desk-form"}

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

// isChannel says whether an id is that of a channel, and no conversation.
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
		r, _ := a.outcome(ctx, in, "", func(f bot.From) bot.Event {
			f.Typed = true
			e.From = f
			return e
		})
		if r.Message != nil {
			a.out.put(i.Channel, func(ctx context.Context) { a.told(ctx, i.Channel, i.ThreadTS, *r.Message) })
		}
		return
	}
	a.opening(ctx, in, where, p.Key, func(f bot.From) bot.Event { e.From = f; return e })
}

// directly is how long the bot may take for the first view to show its answer, and not that it takes a moment.
const directly = time.Second

// opening opens a view, hands an event to the bot and shows the answer in that view. A view that waits stands there until then,
// if the bot takes long or Slack must be asked first who somebody is and where.
func (a *Adapter) opening(ctx context.Context, in inbound, where bot.TeamID, key string, event func(bot.From) bot.Event) {
	i := in.Interaction
	st := viewState{Team: where, Key: key, Nonce: rand.Text()}
	lang := a.lang(i.User)
	got := make(chan bot.Response, 1)
	work := func() {
		r := laterFor(lang)
		defer func() { got <- r }()
		defer a.intake.survive()
		r, _ = a.outcome(ctx, in, where, event)
	}
	if a.known(i.User, where) {
		ended := make(chan struct{})
		defer func() { <-ended }()
		go func() { defer close(ended); work() }()
		limit := time.NewTimer(directly)
		defer limit.Stop()
		select {
		case r := <-got:
			on, err := a.openView(ctx, i.Trigger, a.viewOf(r, st, lang))
			in.Answer(nil)
			a.opened(in, on, err, nil)
			return
		case <-limit.C:
		}
	} else {
		defer work()
	}
	var on shown
	v, err := waitingView(lang, st)
	if err == nil {
		on, err = a.openView(ctx, i.Trigger, v)
	}
	in.Answer(nil)
	a.opened(in, on, err, func() *api.ModalViewRequest { return a.viewOf(<-got, st, lang) })
}

// shown is a view that was opened.
type shown struct {
	id   string
	name string // our own, where it is not known whether it was opened
	view *api.ModalViewRequest
}

// opened shows in an opened view what there is to show; now is asked for that, and may be nil if it stands there already. Who got
// no view is told what to do.
func (a *Adapter) opened(in inbound, on shown, err error, now func() *api.ModalViewRequest) {
	i := in.Interaction
	a.out.put("view "+on.name, func(ctx context.Context) {
		var v *api.ModalViewRequest
		if now != nil {
			v = now()
		}
		unsure := errors.Is(err, errAmbiguous)
		if unsure && v == nil {
			v = on.view
		}
		if (err == nil || unsure) && v != nil {
			gone := a.update(ctx, on, v)
			if !unsure || !gone {
				return
			}
		}
		if err != nil {
			a.sorry(ctx, i, noForm(a.lang(i.User)))
		}
	})
}

// outcome is what the bot answers to something that was done, or why it is not done. With an error it is that too.
func (a *Adapter) outcome(ctx context.Context, in inbound, where bot.TeamID, event func(bot.From) bot.Event) (bot.Response, error) {
	i := in.Interaction
	lang := a.lang(i.User)
	f, err := a.from(ctx, i.User, i.Trigger, a.pressedAt(in))
	switch {
	case errors.Is(err, errOutside):
		return bot.Response{Message: words(lang, locale.Say(lang, "slack.not-you"))}, nil
	case err != nil:
		return laterFor(lang), err
	}
	a.locate(ctx, &f, where)
	r, err := a.once(ctx, event(f))
	if err != nil && r.Message == nil && r.Form == nil {
		r = laterFor(f.Lang)
	}
	return r, err
}

// known says whether everything is known of a person that Slack must else be asked for: who they are, and who is in the bot's
// channels.
func (a *Adapter) known(u bot.UserID, where bot.TeamID) bool {
	d := a.people
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.people[u.Reveal()]
	if p == nil || time.Since(p.at) >= factTime || !p.human() || p.far || time.Since(d.mineAt) >= listTime || len(d.mine) > fewChannels {
		return false
	}
	for _, c := range d.mine {
		if r := d.rosters[c.id]; r == nil || time.Since(r.at) > rosterTime {
			return false
		}
	}
	if where == "" {
		return true
	}
	f := d.places[channelOf(where)]
	return f != nil && time.Since(f.at) < rosterTime
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

// openView opens a view; it is tried once: a trigger works once, and not for long.
func (a *Adapter) openView(ctx context.Context, trigger string, v *api.ModalViewRequest) (shown, error) {
	on := shown{name: rand.Text(), view: v}
	if v == nil || trigger == "" {
		return on, errEmpty
	}
	named := *v
	named.ExternalID = on.name
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	err := judged(a.wire.call(ctx, "views.open", "", func(ctx context.Context) error {
		got, err := a.wire.api.OpenViewContext(ctx, trigger, named)
		if err == nil {
			on.id = got.ID
		}
		return err
	}))
	if err == nil && on.id == "" {
		err = errAmbiguous
	}
	return on, err
}

// openTime bounds the opening of a view: half of it for its turn.
const openTime = 5 * time.Second

// viewOf is the view of an answer; nil: there is none, not even of an excuse.
func (a *Adapter) viewOf(r bot.Response, st viewState, lang prompts.Lang) *api.ModalViewRequest {
	switch {
	case r.Message != nil:
		lang = r.Message.Lang
	case r.Form != nil:
		lang = r.Form.Lang
	}
	st.Lang = lang
	if r.Form == nil && r.Message == nil && len(r.Errors) == 0 {
		r.Message = words(lang, locale.Say(lang, "slack.done"))
	}
	v, err := answerView(r, st)
	if err != nil {
		a.log.Error("slack: an answer does not fit in a view", "err", err)
		v, err = messageView(*laterFor(lang).Message, st)
	}
	if err != nil {
		return nil
	}
	return v
}

// show puts what the bot answers in the place of a view. Who closed it meanwhile has seen enough.
func (a *Adapter) show(id string, st viewState, r bot.Response) {
	v := a.viewOf(r, st, st.Lang)
	if v == nil {
		return
	}
	a.out.put("view "+id, func(ctx context.Context) { a.update(ctx, shown{id: id}, v) })
}

// update changes a view, and says whether there is none.
func (a *Adapter) update(ctx context.Context, on shown, v *api.ModalViewRequest) (gone bool) {
	name := ""
	if on.id == "" {
		name = on.name
	}
	for range 2 { // the same view once more does no harm
		err := patiently(ctx, func() error {
			return judged(a.wire.call(ctx, "views.update", "", func(ctx context.Context) error {
				_, err := a.wire.api.UpdateViewContext(ctx, *v, name, "", on.id)
				return err
			}))
		})
		if !errors.Is(err, errAmbiguous) {
			c := code(err)
			if err != nil && c != "not_found" && c != "hash_conflict" {
				a.log.Warn("slack: a view was not shown", "err", err)
			}
			return c == "not_found"
		}
	}
	return false
}

// sorry tells somebody who got no view what to do, where they are.
func (a *Adapter) sorry(ctx context.Context, i interaction, m bot.Message) {
	switch {
	case i.ResponseURL != "" && a.respond(ctx, i.ResponseURL, m) == nil:
	case isChannel(i.Channel):
		a.whisper(ctx, i.Channel, i.User, m)
	case strings.HasPrefix(i.Channel, "D"):
		a.told(ctx, i.Channel, i.ThreadTS, m)
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
	r, err := a.outcome(ctx, in, st.Team, func(f bot.From) bot.Event {
		if st.Step == stepForm {
			return bot.FormSubmitted{From: f, Form: st.Form, State: st.State, Values: st.values(i.View.State), Action: p.Do}
		}
		return bot.ActionPressed{From: f, Action: p.action()}
	})
	if err != nil && st.Step == stepForm && r.Form == nil { // what was written must not be lost
		r = a.kept(st, i.View.State)
	}
	a.show(i.View.ID, st, r)
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
		a.stays(in, st)
		return
	default:
		a.locate(ctx, &f, st.Team)
		r, err = a.once(ctx, bot.FormSubmitted{From: f, Form: st.Form, State: st.State, Values: st.values(i.View.State)})
		if err != nil && r.Form == nil {
			a.stays(in, st)
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
	a.show(i.View.ID, st, r)
}

// stays leaves a form open with what was filled in: it could not be handled now. Where another view stands in its place already,
// that shows what was written.
func (a *Adapter) stays(in inbound, st viewState) {
	if len(st.Fields) > 0 {
		say := locale.Say(st.Lang, "slack.later")
		raw, err := json.Marshal(api.NewErrorsViewSubmissionResponse(map[string]string{st.block(st.Fields[0].Name): say}))
		if err == nil && in.Answer(raw) == nil {
			return
		}
	}
	a.show(in.Interaction.View.ID, st, a.kept(st, in.Interaction.View.State))
}

// kept is an excuse with what was written in a form, to copy.
func (a *Adapter) kept(st viewState, state json.RawMessage) bot.Response {
	r := laterFor(st.Lang)
	values := st.values(state)
	for _, f := range st.Fields {
		if f.Kind != bot.FieldText && f.Kind != bot.FieldLine {
			continue
		}
		for _, v := range values[f.Name] {
			if strings.TrimSpace(v) != "" {
				r.Message.Blocks = append(r.Message.Blocks, bot.Quote(v))
			}
		}
	}
	return r
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
	switch {
	case errors.Is(err, errOutside):
		lang := a.lang(c.User)
		a.reply(in, *words(lang, locale.Say(lang, "slack.not-you")))
		return
	case err != nil:
		a.reply(in, *laterFor(a.lang(c.User)).Message)
		return
	}
	if isChannel(c.Channel) {
		place, err := a.people.place(ctx, c.Channel, listTime)
		switch {
		case err == nil && place.member:
			f.Team, f.Chan = a.teamOf(c.Channel), place.name
		case bot.ReachOf(c.Text) != bot.ReachAll && bot.ReachOf(c.Text) != bot.ReachOwn:
			a.reply(in, *words(f.Lang, locale.Say(f.Lang, "slack.not-here")))
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
		if err != nil && !errors.Is(err, errAmbiguous) { // what is unknown is probably on the screen
			a.reply(in, noForm(f.Lang))
		}
	case r.Message != nil:
		a.reply(in, *r.Message)
	case err != nil:
		a.reply(in, *laterFor(f.Lang).Message)
	}
}

// reply answers a command, so that only who gave it sees it.
func (a *Adapter) reply(in inbound, m bot.Message) {
	raw, err := ephemeral(m)
	if err != nil {
		a.log.Error("slack: an answer to a command does not fit", "err", err)
		return
	}
	if in.Answer(raw) == nil {
		return
	}
	c := in.Command // too late, or too large
	in.Answer(nil)
	a.out.put("command "+c.Channel, func(ctx context.Context) {
		if (c.ResponseURL == "" || a.respond(ctx, c.ResponseURL, m) != nil) && isChannel(c.Channel) {
			a.whisper(ctx, c.Channel, c.User, m)
		}
	})
}

// ephemeral is a message that one person sees, as the answer to what that person did.
func ephemeral(m bot.Message) (json.RawMessage, error) {
	r, err := render(m, "")
	if err != nil {
		return nil, err
	}
	for i := range r.Pictures {
		r.place(i, "")
	}
	return json.Marshal(struct {
		Type    string      `json:"response_type"`
		Replace bool        `json:"replace_original"`
		Text    string      `json:"text"`
		Blocks  []api.Block `json:"blocks"`
	}{"ephemeral", false, r.Text, r.Blocks})
}

var errNoResponse = errors.New("slack: the address to answer at does not take it")

// respond answers at the address that came with a command or a press. The address is a secret: no error tells it.
func (a *Adapter) respond(ctx context.Context, to string, m bot.Message) error {
	raw, err := ephemeral(m)
	if err != nil {
		return err
	}
	return patiently(ctx, func() error {
		err := a.wire.call(ctx, "response_url", "", func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(raw))
			if err != nil {
				return errNoResponse
			}
			req.Header.Set("Content-Type", "application/json; charset=utf-8")
			got, err := a.wire.plain.Do(req)
			if err != nil {
				return err
			}
			got.Body.Close()
			if got.StatusCode != http.StatusOK {
				return errNoResponse
			}
			return nil
		})
		if _, ok := errors.AsType[*bot.RetryError](err); ok || err == nil {
			return err
		}
		return errNoResponse
	})
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
func (a *Adapter) told(ctx context.Context, channel, thread string, m bot.Message, more ...api.MsgOption) {
	err := patiently(ctx, func() error {
		_, err := a.post(ctx, channel, thread, m, "", more...)
		return err
	})
	if err != nil {
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
	var hash *string
	if e.View != nil && e.View.Hash != "" { // a page that was made meanwhile is newer
		hash = &e.View.Hash
	}
	a.out.put("home "+e.User.Reveal(), func(ctx context.Context) {
		var err error
		for range 2 {
			err = patiently(ctx, func() error {
				return judged(a.wire.call(ctx, "views.publish", "", func(ctx context.Context) error {
					_, err := a.wire.api.PublishViewContext(ctx, api.PublishViewContextRequest{UserID: e.User.Reveal(), View: *v, Hash: hash})
					return err
				}))
			})
			if !errors.Is(err, errAmbiguous) {
				break
			}
		}
		if err != nil && code(err) != "hash_conflict" {
			a.log.Warn("slack: the home page was not shown", "err", err)
		}
	})
}
