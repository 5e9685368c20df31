package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/workspace"
)

// ---- what was confirmed

// held is what may lie at one person's address in one round.
type held struct {
	texts []string  // typed messages or the form's text, one after the other
	some  []string  // set: it is not known which of texts, but each at most once and one of these at least
	share bot.Share // empty: nothing lies there
	code  string    // of its receipt, if its author saw one
}

func (h held) text() string { return strings.Join(h.texts, "\n") }
func (h held) none() bool   { return h.share == "" }
func (h held) is(o held) bool {
	return h.share == o.share && slices.Equal(h.texts, o.texts) && slices.Equal(h.some, o.some)
}

// reads says whether a text is this: the same lines, each once. Their order is by the time they were typed, and drafts
// that waited in another round join late.
func (h held) reads(text string) bool {
	lines := strings.Split(text, "\n")
	if text == "" {
		lines = nil
	}
	for i, line := range lines {
		if !slices.Contains(h.texts, line) || slices.Contains(lines[:i], line) {
			return false
		}
	}
	if h.some != nil {
		return slices.ContainsFunc(lines, func(line string) bool { return slices.Contains(h.some, line) })
	}
	return len(lines) == len(h.texts)
}

// place is one person in one round.
type place struct {
	person string
	round  bot.RoundID
}

// entry is everything that may be so at a place: one thing when every request was answered, more when some were cut off.
type entry struct {
	can  []held
	gone goneness
}

// goneness says whether a released reply was taken away with its code.
type goneness int

const (
	stays goneness = iota
	mayBeGone
	isGone
)

// ledger is what the test knows to be so, from the answers that people got.
type ledger struct {
	mu        sync.Mutex
	entries   map[place]*entry
	confirmed int // answers that said "kept", "changed" or "withdrawn"
	unknown   int // requests without an answer
	removals  int
	notes     []string
}

func (l *ledger) at(at place) *entry {
	e := l.entries[at]
	if e == nil {
		e = &entry{can: []held{{}}}
		l.entries[at] = e
	}
	return e
}

// begin says that one of these may come to lie there. undo says that it did not.
func (l *ledger) begin(at place, coming ...held) (undo func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.at(at)
	before := slices.Clone(e.can)
	l.note("%v begin %+v", at, coming)
	for _, h := range coming {
		if !slices.ContainsFunc(e.can, h.is) {
			e.can = append(e.can, h)
		}
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		e.can = before
		l.note("%v undone: %+v", at, before)
	}
}

// note keeps what happened, for when something is wrong. Callers hold mu.
func (l *ledger) note(format string, args ...any) {
	l.notes = append(l.notes, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

// about is everything that a person did. Callers hold mu.
func (l *ledger) about(person string) string {
	all := slices.DeleteFunc(slices.Clone(l.notes), func(n string) bool { return !strings.Contains(n, person) })
	return strings.Join(all[max(0, len(all)-40):], "\n")
}

// story is everything that is known of a text.
func (l *ledger) story(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, n := range l.notes {
		if slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return strings.Contains(n, line) }) {
			all = append(all, n)
		}
	}
	return strings.Join(all, "\n")
}

// confirm says that one of these lies there now.
func (l *ledger) confirm(at place, now ...held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(now) == 0 {
		panic("a place must hold something, if only nothing")
	}
	l.at(at).can = now
	l.confirmed++
	l.note("%v confirmed %+v", at, now)
}

// saw takes in what its author read back, and says if that cannot be.
func (l *ledger) saw(at place, text string, there bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.at(at)
	var still []held
	for _, h := range e.can {
		if h.reads(text) && h.none() != there {
			if h.some != nil {
				h.texts, h.some = strings.Split(text, "\n"), nil
			}
			still = append(still, h)
		}
	}
	l.note("%v reads %q", at, text)
	if len(still) == 0 {
		return fmt.Errorf("%s in round %s reads back %q (something there: %v), and it can only be %+v\n%s", at.person, at.round, text, there, e.can, l.about(at.person))
	}
	e.can = still
	return nil
}

// only is what lies at a place, if that is sure.
func (l *ledger) only(at place) (held, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.at(at)
	return e.can[0], len(e.can) == 1 && e.can[0].some == nil
}

func (l *ledger) all(at place) []held {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.at(at).can)
}

// removable finds a shared reply of a person whose code they saw, and that nobody took away yet.
func (l *ledger) removable(person string, visible func(text string) bool) (place, string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, e := range l.entries {
		if at.person == person && e.gone == stays && len(e.can) == 1 && e.can[0].some == nil && e.can[0].share == bot.ShareQuote && e.can[0].code != "" && visible(e.can[0].text()) {
			return at, e.can[0].code, true
		}
	}
	return place{}, "", false
}

func (l *ledger) setGone(at place, g goneness) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[at].gone = g
	if g == isGone {
		l.removals++
	}
}

// ---- the chat

// message is a message of the workspace's own file, as it stands and as it first was.
type message struct {
	id, place, from, text, thread, key string
	first, now                         bot.Message
	event                              string // of its latest version
	deleted                            bool
}

// action finds the first button with that verb; n is its place among the message's buttons.
func (m *message) action(do string, arg string) (a bot.Action, n int, ok bool) {
	for _, b := range m.now.Blocks {
		for _, a := range b.Actions {
			if a.Do == do && (arg == "" || a.Arg == arg) {
				return a, n, true
			}
			n++
		}
	}
	return bot.Action{}, 0, false
}

// chat reads the workspace's file along. It is what the platform shows: append-only, so that a reader needs no lock.
type chat struct {
	mu       sync.Mutex
	path     string
	off      int64
	messages []*message
	byID     map[string]*message
	keys     map[string]int
	handled  map[string]int
	waiting  map[string]string // event -> person, not handled yet
}

func newChat(path string) *chat {
	return &chat{path: path, byID: map[string]*message{}, keys: map[string]int{}, handled: map[string]int{}, waiting: map[string]string{}}
}

// poll reads what was added. Half a line stays for the next time.
func (c *chat) poll() error {
	f, err := os.Open(c.path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.NewSectionReader(f, c.off, 1<<40))
	if err != nil {
		return err
	}
	for {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			return nil
		}
		var l struct {
			Op, ID, Place, From, Text, Thread, Key, Event string
			Message                                       *bot.Message
		}
		if err := json.Unmarshal(raw[:end], &l); err != nil {
			return fmt.Errorf("the chat's file, byte %d: %w", c.off, err)
		}
		raw, c.off = raw[end+1:], c.off+int64(end)+1
		switch l.Op {
		case "say":
			m := &message{id: l.ID, place: l.Place, from: l.From, text: l.Text, thread: l.Thread, key: l.Key}
			if l.Message != nil {
				m.first, m.now = *l.Message, *l.Message
			}
			c.messages, c.byID[l.ID] = append(c.messages, m), m
			if l.Key != "" {
				c.keys[l.Key]++
			}
		case "edit":
			if m := c.byID[l.ID]; m != nil && l.Message != nil {
				m.now = *l.Message
			} else if m != nil {
				m.text = l.Text
			}
		case "delete":
			if m := c.byID[l.ID]; m != nil {
				m.deleted = true
			}
		case "handled":
			c.handled[l.Event]++
			delete(c.waiting, l.Event)
		}
		if l.Op != "handled" && l.Event != "" {
			c.waiting[l.Event] = l.From
			if m := c.byID[l.ID]; m != nil {
				m.event = l.Event
			}
		}
	}
}

// last finds the newest message that is wanted.
func (c *chat) last(place string, want func(*message) bool) (message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.poll(); err != nil {
		return message{}, false
	}
	for _, m := range slices.Backward(c.messages) {
		if m.place == place && !m.deleted && want(m) {
			return *m, true
		}
	}
	return message{}, false
}

// prompt is the question that stands open in a channel.
func (c *chat) prompt(channel string) (message, bool) {
	return c.last(channel, func(m *message) bool { a, _, ok := m.action("answer", ""); return ok && a.Main })
}

func (c *chat) waits(person string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.poll(); err != nil {
		return true
	}
	for _, p := range c.waiting {
		if p == person {
			return true
		}
	}
	return false
}

// answerTo is what the bot answered to the latest version of a person's message.
func (c *chat) answerTo(event string) (message, bool) {
	return c.find(func(m *message) bool { return m.key == "answer-"+event })
}

// find is last in whatever place, deleted or not.
func (c *chat) find(want func(*message) bool) (message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.poll(); err != nil {
		return message{}, false
	}
	for _, m := range slices.Backward(c.messages) {
		if want(m) {
			return *m, true
		}
	}
	return message{}, false
}

// quoted says whether a text stands in a thread of a channel now.
func (c *chat) quoted(text string) bool {
	_, ok := c.find(func(m *message) bool { return m.thread != "" && slices.Contains(quotes(m.now), text) })
	return ok
}

func quotes(m bot.Message) (all []string) {
	for _, b := range m.Blocks {
		if b.Kind == bot.BlockQuote {
			var text strings.Builder
			for _, s := range b.Spans {
				text.WriteString(s.Text)
			}
			all = append(all, text.String())
		}
	}
	return all
}

func plainText(m bot.Message) string {
	var all []string
	for _, b := range m.Blocks {
		var text strings.Builder
		for _, s := range b.Spans {
			text.WriteString(s.Text)
		}
		all = append(all, text.String())
	}
	return strings.Join(all, "\n")
}

// ---- people

// caller speaks HTTP as one person.
type caller struct {
	c    *http.Client
	base string
	gone *atomic.Bool // the program does not answer any more
}

// post sends one request and follows where it leads. ok: a whole page came back that says it went well.
func (c caller) post(ctx context.Context, person, path string, values url.Values) (page string, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(values.Encode()))
	if err != nil {
		return "", false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "acting", Value: person})
	resp, err := c.c.Do(req)
	if err != nil {
		c.gone.Store(true)
		return "", false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.gone.Store(true)
	}
	return string(raw), err == nil && resp.StatusCode == http.StatusOK
}

// inhabitant is a person of the workspace who answers, changes their mind, and is cut off.
type inhabitant struct {
	workspace.Person
	channels []string
	random   *rand.Rand
	drafts   []string // typed and not kept yet, as far as the person knows
	choice   bot.Share
	unsure   bool   // a request got no answer
	form     string // the last one that was opened
	voted    map[string]bool
}

func (p *inhabitant) say(key string) string { return locale.Text(p.Lang, key) }
func (p *inhabitant) direct() string        { return "@" + p.ID }

// words are unlike any other words of this run, and hold no digit.
func (w *world) words() string {
	n := w.texts.Add(1)
	var b strings.Builder
	for ; n > 0; n /= 70 {
		b.WriteByte("bdfghklmnprstv"[n%14])
		b.WriteByte("aeiou"[n/14%5])
	}
	return "Bij " + b.String() + "x twijfel ik, en ik wil het erover hebben."
}

var (
	formText  = regexp.MustCompile(`name="f\.text"[^>]*>([^<]*)</textarea>`)
	codeShape = regexp.MustCompile(`[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}`)
)

// shownForm is the reply form on a page.
type shownForm struct {
	round  bot.RoundID
	text   string
	there  bool
	taps   bool // a stance may be chosen: it is no follow-up
	hidden url.Values
}

func readForm(page string) (f shownForm, ok bool) {
	_, form, ok := strings.Cut(page, `action="/form"`)
	if !ok {
		return f, false
	}
	form, _, _ = strings.Cut(form, "</form>")
	f.hidden = url.Values{}
	for _, h := range hidden.FindAllStringSubmatch(form, -1) {
		f.hidden.Set(h[1], html.UnescapeString(h[2]))
	}
	if m := formText.FindStringSubmatch(form); m != nil {
		f.text = html.UnescapeString(m[1])
	}
	f.round, f.there = bot.RoundID(f.hidden.Get("state")), strings.Contains(form, `value="withdraw"`)
	f.taps = strings.Contains(form, `name="f.stance"`)
	return f, f.hidden.Get("name") == "reply"
}

// dialog is what the last view of a form says.
func dialog(page string) string {
	_, rest, _ := strings.Cut(page, `<dialog id="form"`)
	return html.UnescapeString(rest)
}

// openForm presses the button of the question that is open in a channel, and reads back what lies there.
func (p *inhabitant) openForm(ctx context.Context, w *world, channel string) (f shownForm, ok bool) {
	m, ok := w.chat.prompt(channel)
	if !ok {
		return f, false
	}
	_, n, _ := m.action("answer", "")
	page, ok := w.call.post(ctx, p.ID, "/press", url.Values{"place": {channel}, "id": {m.id}, "n": {strconv.Itoa(n)}})
	if !ok {
		return f, false
	}
	if f, ok = readForm(page); !ok || f.hidden.Get("form") == p.form { // the round was closed: an older form stands there still
		return f, false
	}
	p.form = f.hidden.Get("form")
	if err := w.ledger.saw(place{p.ID, f.round}, f.text, f.there); err != nil {
		w.wrong("%v", err)
	}
	p.drafts = slices.DeleteFunc(p.drafts, func(d string) bool { return strings.Contains(f.text, d) }) // kept now
	p.drafts = p.drafts[max(0, len(p.drafts)-12):]
	return f, true
}

// replyByForm answers, changes or withdraws by form.
func (p *inhabitant) replyByForm(ctx context.Context, w *world, channel string) {
	f, ok := p.openForm(ctx, w, channel)
	if !ok {
		return
	}
	at := place{p.ID, f.round}
	values := url.Values{}
	maps.Copy(values, f.hidden)
	var now held
	switch dice := p.random.IntN(100); {
	case dice < 12 && f.there:
		values.Set("action", "withdraw")
	case dice < 18:
		values.Set("f.text", w.words())
		values.Set("f.share", string(bot.ShareMyself))
	case dice < 24 && f.taps:
		values.Set("f.stance", string(bot.StanceNotMe))
		now = held{share: bot.ShareCount}
	default:
		now = held{texts: []string{w.words()}, share: bot.ShareQuote}
		if p.random.IntN(3) == 0 {
			now.share = bot.ShareCount
		}
		values.Set("f.text", now.text())
		values.Set("f.share", string(now.share))
	}
	undo := w.ledger.begin(at, now)
	page, ok := w.call.post(ctx, p.ID, "/form", values)
	if !ok {
		p.cut(w)
		return
	}
	switch said := dialog(page); {
	case strings.Contains(said, p.say("reply.kept")), strings.Contains(said, p.say("reply.for-myself")), strings.Contains(said, p.say("reply.withdrawn")):
		if now.share == bot.ShareQuote {
			now.code = codeShape.FindString(said)
		}
		w.ledger.confirm(at, now)
	case strings.Contains(said, p.say("reply.late")), strings.Contains(said, p.say("ws.resting")): // it ends, and took no more: nothing of it may be there
		undo()
	case strings.Contains(said, p.say("reply.newer")), strings.Contains(said, p.say("reply.nothing-to-withdraw")):
		p.unsure = true
	default:
		p.unsure = true
		w.wrong("%s sent a form and read neither that it was kept nor that it was not: %.2000q", p.ID, said)
	}
}

// cut says that a request of this person got no answer.
func (p *inhabitant) cut(w *world) {
	p.unsure = true
	w.ledger.mu.Lock()
	w.ledger.note("%s cut off, drafts %q", p.ID, p.drafts)
	w.ledger.unknown++
	w.ledger.mu.Unlock()
}

// question is what the bot last asked a person in their conversation, if it still stands open there.
func (p *inhabitant) question(w *world) (m message, do string) {
	m, ok := w.chat.last(p.direct(), func(m *message) bool { return m.from == "" })
	if !ok {
		return m, ""
	}
	for _, do := range []string{"round", "merge", "share"} {
		if _, _, ok := m.action(do, ""); ok {
			return m, do
		}
	}
	return m, ""
}

// pressIn presses a button of the conversation and returns what the bot said to it.
func (p *inhabitant) pressIn(ctx context.Context, w *world, id string, n int) (message, bool) {
	if _, ok := w.call.post(ctx, p.ID, "/press", url.Values{"place": {"bot"}, "id": {id}, "n": {strconv.Itoa(n)}}); !ok {
		p.cut(w)
		return message{}, false
	}
	defer p.heard(w, "pressed "+strconv.Itoa(n))
	return w.chat.last(p.direct(), func(m *message) bool { return m.from == "" })
}

// heard notes what the bot said last in the conversation.
func (p *inhabitant) heard(w *world, what string) {
	m, _ := w.chat.last(p.direct(), func(m *message) bool { return m.from == "" })
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	a := []bot.RoundID{}
	for _, do := range []string{"round", "merge", "share", "receipt"} {
		if action, _, ok := m.action(do, ""); ok {
			a = append(a, action.Round)
		}
	}
	w.ledger.note("%s %s, hears %.60q %v", p.ID, what, plainText(m.now), a)
}

// draft is what a draft may become: some of what was typed, alone or with what lies there.
func (p *inhabitant) draft(w *world, at place) held {
	h := held{texts: slices.Clone(p.drafts), some: slices.Clone(p.drafts), share: p.choice}
	for _, old := range w.ledger.all(at) {
		for _, line := range old.texts {
			if !slices.Contains(h.texts, line) {
				h.texts = append(h.texts, line)
			}
		}
	}
	return h
}

// answerQuestions goes on with a typed reply until it is kept or there is nothing to keep.
func (p *inhabitant) answerQuestions(ctx context.Context, w *world) {
	for range 8 {
		m, do := p.question(w)
		switch do {
		case "":
			return
		case "round", "merge":
			n := p.random.IntN(2)
			if _, ok := p.pressIn(ctx, w, m.id, n); !ok {
				return
			}
			continue
		}
		if p.choice == "" {
			p.choice = []bot.Share{bot.ShareQuote, bot.ShareQuote, bot.ShareQuote, bot.ShareCount, bot.ShareMyself}[p.random.IntN(5)]
		}
		a, n, _ := m.action("share", string(p.choice))
		at := place{p.ID, a.Round}
		coming := []held{{}}
		if p.choice != bot.ShareMyself {
			coming = []held{p.draft(w, at)}
		}
		undo := w.ledger.begin(at, coming...)
		said, ok := p.pressIn(ctx, w, m.id, n)
		if !ok {
			return
		}
		text := plainText(said.now)
		switch _, _, kept := said.action("receipt", ""); {
		case kept: // which words it holds, its author reads back
			w.ledger.confirm(at, slices.DeleteFunc(w.ledger.all(at), held.none)...)
			p.choice = ""
			p.look(ctx, w, at)
			p.askCode(ctx, w, at, said)
			return
		case text == p.say("reply.for-myself"):
			if p.choice == bot.ShareMyself {
				w.ledger.confirm(at, held{})
			} else {
				p.unsure = true
			}
			p.choice = ""
			return
		case text == p.say("reply.late"):
			undo()
			p.choice = ""
			return
		}
		if _, again := p.question(w); again == "" {
			w.wrong("%s pressed %q and read %q", p.ID, p.choice, text)
			return
		}
		undo()
	}
}

// look reads back what lies in one round.
func (p *inhabitant) look(ctx context.Context, w *world, at place) {
	for _, channel := range p.channels {
		if m, ok := w.chat.prompt(channel); ok {
			if a, _, _ := m.action("answer", ""); a.Round == at.round {
				p.openForm(ctx, w, channel)
			}
		}
	}
}

// askCode asks for the code of a typed reply, now and then.
func (p *inhabitant) askCode(ctx context.Context, w *world, at place, kept message) {
	now, sure := w.ledger.only(at)
	if !sure || now.share != bot.ShareQuote || p.random.IntN(3) > 0 {
		return
	}
	_, n, _ := kept.action("receipt", "")
	said, ok := p.pressIn(ctx, w, kept.id, n)
	if !ok {
		return
	}
	if code := codeShape.FindString(plainText(said.now)); code != "" {
		now.code = code
		w.ledger.confirm(at, now)
	}
}

// replyByTyping types a reply and answers what the bot asks about it.
func (p *inhabitant) replyByTyping(ctx context.Context, w *world) {
	text := w.words()
	p.drafts = append(p.drafts, text)
	if _, ok := w.call.post(ctx, p.ID, "/say", url.Values{"place": {"bot"}, "text": {text}}); !ok {
		p.cut(w)
		return
	}
	p.heard(w, "typed "+text)
	p.answerQuestions(ctx, w)
}

// changeTyped edits or deletes the last typed message of a reply.
func (p *inhabitant) changeTyped(ctx context.Context, w *world, channel string) {
	m, ok := w.chat.prompt(channel)
	if !ok {
		return
	}
	a, _, _ := m.action("answer", "")
	at := place{p.ID, a.Round}
	now, sure := w.ledger.only(at)
	if !sure || len(now.texts) == 0 {
		return
	}
	last := now.texts[len(now.texts)-1]
	typed, ok := w.chat.last(p.direct(), func(m *message) bool { return m.from == p.ID && m.text == last })
	if !ok {
		return
	}
	values := url.Values{"place": {"bot"}, "id": {typed.id}}
	coming := []held{{texts: slices.Clone(now.texts), share: now.share, code: now.code}}
	if len(now.texts) == 1 && p.random.IntN(4) == 0 {
		values.Set("delete", "1")
		coming = []held{{}, {share: bot.ShareCount}} // a stance that was given beside the words stays
	} else {
		text := w.words()
		coming[0].texts[len(now.texts)-1] = text
		values.Set("text", text)
	}
	undo := w.ledger.begin(at, coming...)
	if _, ok := w.call.post(ctx, p.ID, "/change", values); !ok {
		p.drafts = append(p.drafts, coming[0].texts...) // if the round has closed meanwhile, it is a new message
		p.cut(w)
		return
	}
	p.heard(w, "changed "+typed.text+" to "+values.Get("text"))
	w.chat.mu.Lock()
	event := w.chat.byID[typed.id].event
	w.chat.mu.Unlock()
	said, answered := w.chat.answerTo(event)
	text := plainText(said.now)
	switch {
	case answered && (text == p.say("reply.edited") || text == p.say("reply.part-removed")):
		w.ledger.confirm(at, coming...)
		if len(coming) > 1 {
			p.look(ctx, w, at)
		}
	default:
		undo()
		if values.Has("text") {
			p.drafts = append(p.drafts, values.Get("text"))
		}
		p.answerQuestions(ctx, w)
	}
}

// takeAway removes a released reply by its code.
func (p *inhabitant) takeAway(ctx context.Context, w *world) {
	at, code, ok := w.ledger.removable(p.ID, w.chat.quoted)
	if !ok {
		return
	}
	w.ledger.setGone(at, mayBeGone)
	if _, ok := w.call.post(ctx, p.ID, "/say", url.Values{"place": {"bot"}, "text": {"verwijder " + code}}); !ok {
		p.cut(w)
		return
	}
	said, _ := w.chat.last(p.direct(), func(m *message) bool { return m.from == "" })
	switch text := plainText(said.now); text {
	case p.say("reply.removed"):
		w.ledger.setGone(at, isGone)
	default:
		w.wrong("%s took a shared reply of round %s away by its code and read %q", p.ID, at.round, text)
	}
}

// vote taps a choice that lets the team go on.
func (p *inhabitant) vote(ctx context.Context, w *world, channel string) bool {
	m, ok := w.chat.last(channel, func(m *message) bool { _, _, ok := m.action("vote", ""); return ok })
	if !ok || p.voted[m.id] {
		return false
	}
	p.voted[m.id] = true
	for _, choice := range []string{"go-on", "other", "yes"} {
		if _, n, ok := m.action("vote", choice); ok {
			w.call.post(ctx, p.ID, "/press", url.Values{"place": {channel}, "id": {m.id}, "n": {strconv.Itoa(n)}})
		}
	}
	return true
}

// settle finds out what became of requests that got no answer.
func (p *inhabitant) settle(ctx context.Context, w *world) {
	again := 0
	for began := time.Now(); w.chat.waits(p.ID); {
		if time.Since(began) > 8*time.Second {
			w.wrong("%s said something that is never handled", p.ID)
			return
		}
		if again++; again%100 == 0 { // as its writer would: press "again"
			if m, ok := w.chat.find(func(m *message) bool { return m.from == p.ID && w.chat.waiting[m.event] != "" }); ok {
				w.call.post(ctx, p.ID, "/again", url.Values{"place": {"bot"}, "id": {m.id}})
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	if w.call.gone.Load() {
		return
	}
	p.unsure = false
	p.answerQuestions(ctx, w)
	for _, channel := range p.channels {
		p.openForm(ctx, w, channel)
	}
}

// live does one thing after the other until the program is gone.
func (p *inhabitant) live(ctx context.Context, w *world) {
	for ctx.Err() == nil && !w.call.gone.Load() {
		if p.unsure {
			p.settle(ctx, w)
			if p.unsure {
				return
			}
		}
		channel := p.channels[p.random.IntN(len(p.channels))]
		switch dice := p.random.IntN(100); {
		case p.vote(ctx, w, channel):
		case dice < 50:
			p.replyByForm(ctx, w, channel)
		case dice < 75:
			p.replyByTyping(ctx, w)
		case dice < 90:
			p.changeTyped(ctx, w, channel)
		default:
			p.takeAway(ctx, w)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(p.random.IntN(30)) * time.Millisecond):
		}
	}
}
