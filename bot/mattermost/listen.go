package mattermost

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
)

// The callback listener. The server calls it when somebody presses a button, sends a dialog in or gives the slash command,
// and proves nothing by that: whoever is signed in can have it send any content. So:
//
//   - what comes back must be signed by us, a dialog for the very person who sends it in;
//   - a press or command must carry a trigger that the server made for that person;
//   - no button acts by itself: it shows something to who pressed it, or opens a dialog that asks;
//   - who somebody is, whether they are in the channel and whether the post is ours is asked when it is needed;
//   - a dialog acts once.

const (
	contextKey   = "weerklank" // of a button's context
	maxBody      = 64 << 10
	bodyTime     = 5 * time.Second
	answerWithin = 2700 * time.Millisecond // the server shows an error soon after 3 s
	workTime     = 15 * time.Second        // of one callback; what it does is done also if nobody waits any more
	lastTime     = 4 * time.Second         // of what is under way when the program stops
	maxNonces    = 20_000
)

// callbacks is the listener's part of an Adapter.
type callbacks struct {
	a      *Adapter
	sign   *signer // nil: there is no listener
	base   string  // Config.CallbackURL without a slash at the end
	path   string  // of base
	tokens []string
	within time.Duration
	last   time.Duration

	closed  atomic.Bool // the server does not reach us
	tried   atomic.Bool // whether it does
	refused atomic.Int64
	working sync.WaitGroup
	server  serverKey

	mu      sync.Mutex
	handler bot.Handler
	life    context.Context // of what is under way
	end     context.CancelFunc
	nonces  map[string]*nonce
}

// nonce is a dialog that was sent in, or a probe. It holds nobody's name.
type nonce struct {
	until time.Time
	turn  sync.Mutex // one at a time
	spent bool
	slow  atomic.Bool // who sent it in was told that it is unknown whether it was done: then it may be sent in once more
}

func newCallbacks(a *Adapter) (*callbacks, error) {
	c := a.c
	l := &callbacks{a: a, tokens: c.CommandTokens, within: answerWithin, last: lastTime, nonces: map[string]*nonce{}}
	l.life, l.end = context.WithCancel(context.Background())
	if c.CallbackURL == "" {
		return l, nil
	}
	if err := CheckCallback(c.URL, c.CallbackURL); err != nil {
		return nil, err
	}
	l.base = strings.TrimRight(c.CallbackURL, "/")
	u, err := url.Parse(l.base)
	if err != nil {
		return nil, errors.New("mattermost: callback_url is no URL")
	}
	l.path = u.Path
	l.sign, err = newSigner(c.Secret)
	return l, err
}

// CheckCallback refuses a callback URL that cannot be used. One below /plugins on the server's own host would make the server
// hand us the login of everybody who presses a button.
func CheckCallback(serverURL, callbackURL string) error {
	u, err := url.Parse(callbackURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("mattermost: callback_url must be a plain http or https address")
	}
	server, err := url.Parse(serverURL)
	if err != nil || server.Host == "" {
		return errors.New("mattermost: the server's url is no address")
	}
	path := strings.ToLower(strings.TrimLeft(u.Path, "/."))
	below := strings.ToLower(strings.Trim(server.Path, "/"))
	if rest, ok := strings.CutPrefix(path, below); ok {
		path = strings.TrimLeft(rest, "/.")
	}
	if strings.EqualFold(u.Hostname(), server.Hostname()) && strings.HasPrefix(path, "plugins") {
		return errors.New("mattermost: callback_url is below /plugins of the server; choose another path, else the server sends people's logins along")
	}
	return nil
}

// now is our own time, by which our own tokens live.
func (l *callbacks) now() time.Time { return time.Now() }

// open says whether buttons and dialogs may be offered.
func (l *callbacks) open() bool { return l.sign != nil && !l.closed.Load() }

// use hands what people do to h from now on; nil: to nobody, and waits for what is being handled.
func (l *callbacks) use(h bot.Handler) {
	l.mu.Lock()
	l.handler = h
	if h != nil {
		l.life, l.end = context.WithCancel(context.Background())
	}
	end := l.end
	l.mu.Unlock()
	if h == nil {
		last := time.AfterFunc(l.last, end)
		defer last.Stop()
		l.working.Wait()
		end()
	}
}

// Shuts implements bot.Shutter: a dialog is gone once it is sent in.
func (a *Adapter) Shuts() bool { return true }

var _ bot.Shutter = (*Adapter)(nil)

// Refused counts the callbacks that did not come from this program, or not for who sent them.
func (a *Adapter) Refused() int64 { return a.calls.refused.Load() }

// ServeHTTP serves the callbacks below the path of Config.CallbackURL. It answers what it refuses with a status and nothing else.
func (l *callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rest, ok := strings.CutPrefix(r.URL.Path, l.path)
	serve := map[string]func(http.ResponseWriter, []byte, time.Time){
		"/press": l.press, "/dialog": l.dialog, "/command": l.command, "/probe": l.probed,
	}[rest]
	if l.sign == nil || !ok || serve == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	// Without deadlines (a server of another kind) the body's size still bounds it.
	http.NewResponseController(w).SetReadDeadline(start.Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		refuse(w, http.StatusRequestEntityTooLarge)
	case err != nil:
		refuse(w, http.StatusBadRequest)
	default:
		serve(w, body, start)
	}
}

func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

func (l *callbacks) forged(w http.ResponseWriter) {
	l.refused.Add(1)
	refuse(w, http.StatusUnauthorized)
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // to somebody who may be gone
}

// within runs work, which goes on by itself when the server cannot wait any longer. The result is not sent after that.
func within[T any](l *callbacks, start time.Time, work func(context.Context) T) (result T, done bool) {
	l.mu.Lock()
	life, counted := l.life, l.handler != nil
	if counted {
		l.working.Add(1) // while there is a handler: use waits
	}
	l.mu.Unlock()
	out := make(chan T, 1)
	go func() {
		if counted {
			defer l.working.Done()
		}
		defer func() {
			if p := recover(); p != nil { // what it says may hold people's words; who waits is answered that it is unknown
				l.a.log.Error("mattermost: handling a callback failed", "type", fmt.Sprintf("%T", p))
			}
		}()
		ctx, cancel := context.WithTimeout(life, workTime)
		defer cancel()
		out <- work(ctx)
	}()
	limit := time.NewTimer(time.Until(start.Add(l.within)))
	defer limit.Stop()
	select {
	case result = <-out:
		return result, true
	case <-limit.C:
		return result, false
	}
}

// ---- who and where

var (
	errOutside = errors.New("mattermost: not somebody in that channel")
	errResting = errors.New("mattermost: the program is starting or stopping")
)

// from asks the server who somebody is, and whether they are in a channel; empty: none. errOutside if they are not.
func (l *callbacks) from(ctx context.Context, user, channel string, at time.Time) (bot.From, error) {
	u, r, err := l.a.rest.GetUser(ctx, user, "")
	if err := failed(ctx, r, err); err != nil {
		return bot.From{}, outside(err)
	}
	if u == nil || u.Id != user || u.IsBot || u.DeleteAt > 0 {
		return bot.From{}, errOutside
	}
	f := from(u, rand.Text(), 0)
	f.At = l.a.clock.on(at) // messages have the time of the server
	if channel == "" {
		f.Typed = true
		return f, nil
	}
	c, r, err := l.a.rest.GetChannel(ctx, channel)
	if err := failed(ctx, r, err); err != nil {
		return f, outside(err)
	}
	if c.DeleteAt > 0 {
		return f, errOutside
	}
	if c.Type != model.ChannelTypeOpen && c.Type != model.ChannelTypePrivate {
		f.Typed = true // a conversation is no team, and it cannot be counted on that a dialog opens there
		return f, nil
	}
	_, r, err = l.a.rest.GetChannelMember(ctx, channel, user, "")
	if err := failed(ctx, r, err); err != nil {
		return f, outside(err)
	}
	f.Team, f.Chan = teamOf(c.Id), c.DisplayName
	return f, nil
}

// outside says what it means that the server does not tell about somebody or a channel.
func outside(err error) error {
	switch status(err) {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return errOutside
	}
	return err
}

// own says whether a post is the bot's, has that key and stands in that channel.
func (l *callbacks) own(ctx context.Context, post, channel, key string) (bool, error) {
	if _, err := l.a.self(ctx); err != nil {
		return false, err
	}
	p, r, err := l.a.rest.GetPost(ctx, post, "")
	if err := failed(ctx, r, err); err != nil {
		if errors.Is(outside(err), errOutside) {
			return false, nil
		}
		return false, err
	}
	has, _ := p.GetProp(keyProp).(string)
	return l.a.ours(p) && p.ChannelId == channel && p.DeleteAt == 0 && has == key, nil
}

func (l *callbacks) handle(ctx context.Context, e bot.Event) (bot.Response, error) {
	l.mu.Lock()
	h := l.handler
	l.mu.Unlock()
	if h == nil {
		return bot.Response{}, errResting
	}
	return h(ctx, e)
}

// ---- buttons

// shows are the verbs that only show something to who pressed: they need no question first.
var shows = []string{"answer", "why", "me", "help", "remove", "on", "settings", "agree", "passed", "propose", "desk", "desk-form"}

// press takes a button. It never acts: what changes anything is asked in a dialog, which opens for who pressed alone.
func (l *callbacks) press(w http.ResponseWriter, body []byte, start time.Time) {
	var p model.PostActionIntegrationRequest
	if json.Unmarshal(body, &p) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	token, _ := p.Context[contextKey].(string)
	c, err := l.sign.readPress(token, start)
	if err != nil || string(c.Team) != Platform+":"+p.ChannelId || p.UserId == "" {
		l.forged(w)
		return
	}
	status, done := within(l, start, func(ctx context.Context) int { return l.pressed(ctx, p, c, start) })
	switch {
	case !done: // the dialog comes a moment later
		answerJSON(w, struct{}{})
	case status == http.StatusUnauthorized:
		l.forged(w)
	case status != http.StatusOK:
		refuse(w, status)
	default:
		answerJSON(w, struct{}{})
	}
}

func (l *callbacks) pressed(ctx context.Context, p model.PostActionIntegrationRequest, c pressContext, at time.Time) int {
	f, err := l.from(ctx, p.UserId, p.ChannelId, at)
	if err == nil && f.Team != c.Team {
		err = errOutside
	}
	var own bool
	if err == nil {
		own, err = l.own(ctx, p.PostId, p.ChannelId, c.Key)
	}
	switch {
	case errors.Is(err, errOutside), err == nil && !own:
		return http.StatusUnauthorized
	case err != nil:
		return http.StatusServiceUnavailable
	}
	t, err := l.triggered(ctx, p.TriggerId, p.UserId)
	switch {
	case err != nil:
		return http.StatusUnauthorized
	case !l.first(t):
		return http.StatusOK
	}
	state := dialogState{Channel: p.ChannelId, Lang: f.Lang, Post: p.PostId, Key: c.Key}
	if !slices.Contains(shows, c.Offer.Do) {
		err = l.confirm(ctx, p.UserId, p.TriggerId, state, c.Offer)
	} else {
		var r bot.Response
		r, err = l.handle(ctx, bot.ActionPressed{From: f, Action: c.Offer.action(), Post: c.Key, Ref: bot.Ref(p.PostId)})
		if err == nil || r.Message != nil {
			err = l.show(ctx, p.UserId, p.TriggerId, state, r)
		}
	}
	if err != nil {
		l.a.log.Warn("mattermost: a button had no answer", "err", err)
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// confirm asks in a dialog whether a button was meant.
func (l *callbacks) confirm(ctx context.Context, user, trigger string, state dialogState, o offer) error {
	say := sayer(state.Lang)
	state.Step, state.Offers = stepConfirm, []offer{o}
	d := model.Dialog{
		Title: say("mm.confirm-title"), SubmitLabel: say("mm.confirm-submit"),
		IntroductionText: renderBlock(bot.Text(bot.Rich(say("mm.confirm"), "choice", o.Label)...)),
	}
	return l.openDialog(ctx, user, trigger, state, d)
}

// show opens what the bot answers to who pressed or gave the command.
func (l *callbacks) show(ctx context.Context, user, trigger string, state dialogState, r bot.Response) error {
	switch {
	case r.Form != nil:
		d, specs, err := dialogOf(r.Form)
		if err != nil {
			return err
		}
		state.Step, state.Form, state.State, state.Fields, state.Lang = stepForm, r.Form.Name, r.Form.State, specs, r.Form.Lang
		for _, a := range r.Form.Extra {
			state.Offers = append(state.Offers, offerOf(a))
		}
		return l.openDialog(ctx, user, trigger, state, d)
	case r.Message != nil:
		state.Step, state.Lang, state.Offers = stepMessage, r.Message.Lang, actionsOf(*r.Message)
		return l.openDialog(ctx, user, trigger, state, messageDialog(*r.Message, state.Offers))
	}
	return nil
}

// messageDialog shows a message in a dialog without fields; an answer in the channel would hide in a thread.
func messageDialog(m bot.Message, offers []offer) model.Dialog {
	d := model.Dialog{Title: "Weerklank", SubmitLabel: sayer(m.Lang)("mm.close")}
	var parts []string
	for _, b := range m.Blocks {
		if part := renderBlock(b); part != "" && b.Kind != bot.BlockActions {
			parts = append(parts, part)
		}
	}
	d.IntroductionText = strings.Join(parts, "\n\n")
	if len(offers) > 0 {
		d.Elements = []model.DialogElement{choice(offers, m.Lang)}
	}
	return d
}

func (l *callbacks) openDialog(ctx context.Context, user, trigger string, state dialogState, d model.Dialog) error {
	state.Version, state.Nonce, state.Until = signVersion, rand.Text(), l.now().Add(dialogLife).Unix()
	d.CallbackId, d.State = "weerklank", l.sign.signDialog(user, state)
	if err := checkDialog(d); err != nil {
		return err
	}
	r, err := l.a.rest.OpenInteractiveDialog(ctx, model.OpenDialogRequest{TriggerId: trigger, URL: l.base + "/dialog", Dialog: d})
	return failed(ctx, r, err)
}

// ---- dialogs

// dialog takes a dialog that was sent in. The nonce is spent once its sender saw that it did what it was sent for; until then
// it may be sent in again, with other content, and replaces itself.
func (l *callbacks) dialog(w http.ResponseWriter, body []byte, start time.Time) {
	var s model.SubmitDialogRequest
	if json.Unmarshal(body, &s) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	state, err := l.sign.readDialog(s.UserId, s.State, start)
	if err != nil || s.UserId == "" {
		l.forged(w)
		return
	}
	if s.Cancelled {
		answerJSON(w, struct{}{})
		return
	}
	n := l.nonce(state.Nonce, time.Unix(state.Until, 0))
	if n == nil {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	type result struct {
		answer model.SubmitDialogResponse
		status int
	}
	got, done := within(l, start, func(ctx context.Context) result {
		n.turn.Lock()
		defer n.turn.Unlock()
		if n.spent && !n.slow.Load() { // the same again
			return result{status: http.StatusOK}
		}
		n.slow.Store(false)
		answer, status := l.submitted(ctx, s, state, start)
		n.spent = status == http.StatusOK && answer.Error == "" && len(answer.Errors) == 0
		return result{answer, status}
	})
	switch {
	case !done:
		n.slow.Store(true)
		answerJSON(w, model.SubmitDialogResponse{Error: locale.Say(state.Lang, "mm.slow")})
	case got.status == http.StatusUnauthorized:
		l.forged(w)
	case got.status != http.StatusOK:
		refuse(w, got.status)
	default:
		answerJSON(w, got.answer)
	}
}

func (l *callbacks) submitted(ctx context.Context, s model.SubmitDialogRequest, state dialogState, at time.Time) (model.SubmitDialogResponse, int) {
	say := sayer(state.Lang)
	wrong := func(key string, pairs ...string) (model.SubmitDialogResponse, int) {
		return model.SubmitDialogResponse{Error: say(key, pairs...)}, http.StatusOK
	}
	// Where it was opened is in the state: the channel that is sent along is what the client happened to show.
	f, err := l.from(ctx, s.UserId, state.Channel, at)
	if err == nil && state.Channel != "" && f.Team == "" {
		err = errOutside
	}
	switch {
	case errors.Is(err, errOutside):
		return model.SubmitDialogResponse{}, http.StatusUnauthorized
	case err != nil:
		return wrong("mm.later")
	}
	fields, picked := values(state.Fields, len(state.Offers), s.Submission)
	var e bot.Event
	var what string // a form's name, or a button's verb
	switch {
	case state.Step == stepForm:
		submit := bot.FormSubmitted{From: f, Form: state.Form, State: state.State, Values: fields}
		if picked >= 0 {
			submit.Action = state.Offers[picked].Do
		}
		e, what = submit, state.Form
	case state.Step == stepConfirm && len(state.Offers) == 1:
		picked = 0
		fallthrough
	case state.Step == stepMessage && picked >= 0:
		o := state.Offers[picked]
		if what = o.Do; what == doCommand {
			e = bot.Command{From: f, Text: o.Arg}
			break
		}
		f.Typed = o.Do != "answer" // a dialog cannot follow a dialog: what asks for more does it in words
		e = bot.ActionPressed{From: f, Action: o.action(), Post: state.Key, Ref: bot.Ref(state.Post)}
	default:
		return model.SubmitDialogResponse{}, http.StatusOK // it was read and closed
	}
	r, err := l.handle(ctx, e)
	switch {
	case errors.Is(err, errResting):
		return wrong("mm.later")
	case err != nil && r.Message == nil:
		return wrong("mm.later")
	}
	if r.Kept && err == nil && r.Message != nil && told(what) {
		// It is done; if the message does not arrive, the channel tells.
		_ = l.a.Direct(ctx, f.User, *r.Message, rand.Text())
	}
	answer := submitAnswer(r, state.Fields)
	if !r.Kept && answer.Error == "" && len(answer.Errors) == 0 && r.Form != nil {
		for _, o := range state.Offers {
			if o.Do == what && o.Typed != "" {
				return wrong("mm.then-type", "word", o.Typed)
			}
		}
		return wrong("mm.spent")
	}
	return answer, http.StatusOK
}

// told says whether what a form or button did is told in private afterwards. Only what everybody may know of who did it:
// never that somebody answered, voted, withdrew or brought a dilemma.
func told(what string) bool {
	return slices.Contains([]string{"on", "settings", "wake-up", "desk-act", "desk-words", "desk-facts", "desk-return"}, what)
}

// nonce finds or begins what is known of a nonce; nil if there are too many.
func (l *callbacks) nonce(id string, until time.Time) *nonce {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.nonces[id]; n != nil {
		return n
	}
	if len(l.nonces) >= maxNonces {
		for old, n := range l.nonces {
			if n.until.Before(l.now()) {
				delete(l.nonces, old)
			}
		}
		if len(l.nonces) >= maxNonces {
			return nil
		}
	}
	n := &nonce{until: until}
	l.nonces[id] = n
	return n
}
