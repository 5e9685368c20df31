// Package workspace is a small chat platform in the browser, for trying the product out, for writing prompts and for
// development: channels, people one can act as, direct messages, buttons and forms, live by server-sent events.
//
// It goes through the same ports as the real platforms. It keeps its chat in a file of its own, as a platform does, and
// like a platform it knows who typed what.
package workspace

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// Platform is the prefix of the workspace's TeamIDs.
const Platform = "workspace"

// Role is what a person of the workspace may do.
type Role string

// The roles. A manager manages every channel they are in.
const (
	Member  Role = "member"
	Manager Role = "manager"
	Editor  Role = "editor"
)

// Person is somebody one can act as.
type Person struct {
	ID   string
	Name string
	Role Role
	Lang prompts.Lang
}

// Channel is a channel with its members, by person ID.
type Channel struct {
	ID      string
	Title   prompts.Text // what it is for
	Members []string
}

// Seed is who and what a new workspace starts with.
type Seed struct {
	People   []Person
	Channels []Channel
}

// DefaultSeed is a crew of ten that works outside, a channel to switch on, and one that is too small to be nameless in.
func DefaultSeed() Seed {
	nl, en := prompts.Dutch, prompts.English
	s := Seed{People: []Person{
		{"fatima", "Fatima", Member, nl}, {"cor", "Cor", Member, nl}, {"dewi", "Dewi", Member, nl}, {"emre", "Emre", Member, nl},
		{"gerrit", "Gerrit", Member, nl}, {"lotte", "Lotte", Member, nl}, {"marek", "Marek", Member, en}, {"samira", "Samira", Member, nl},
		{"hanna", "Hanna", Editor, nl}, {"irma", "Irma", Manager, nl},
	}}
	all := Channel{ID: "buitendienst", Title: prompts.Text{nl: "Groen, wegen en afval", en: "Green, roads and waste"}}
	for _, p := range s.People {
		all.Members = append(all.Members, p.ID)
	}
	s.Channels = []Channel{all, { // to switch on oneself
		ID: "wijkploeg", Title: prompts.Text{nl: "De ploeg van de wijk", en: "The neighbourhood crew"},
		Members: []string{"fatima", "dewi", "gerrit", "marek", "samira", "hanna", "irma"},
	}, { // too small for answers without a name
		ID: "werkplaats", Title: prompts.Text{nl: "Een klein team", en: "A small team"}, Members: []string{"cor", "emre", "lotte", "irma"},
	}}
	return s
}

// Controls are what the demo can do besides chatting. Each returns the catalogue's key of what there is to say to whoever
// pressed; empty: the channel shows it.
type Controls struct {
	Next       func(ctx context.Context, team bot.TeamID) (string, error) // post the next prompt now
	Colleagues func(ctx context.Context, team bot.TeamID) (string, error) // let colleagues answer
	Close      func(ctx context.Context, team bot.TeamID) (string, error) // close and give back
	LookBack   func(ctx context.Context, team bot.TeamID) (string, error) // six weeks pass since the last agreement
}

// Config is what an Adapter needs.
type Config struct {
	Root     *os.Root // of the data directory
	File     string   // name of the chat's own file
	Seed     Seed
	Zone     *time.Location // in which times are shown
	Controls *Controls      // nil: no demo panel
}

// line is one entry of the chat's file. The file is append-only: an edit or deletion is a later line.
//
// What a person says, edits or deletes in the conversation with the bot carries an event key, and a "handled" line with
// that key follows once the bot has dealt with it. What has a key and no such line is told to the bot again after a
// restart. Lines from before there were keys have none and are left alone.
type line struct {
	Op      string       `json:"op"` // "say", "edit", "delete", "lang", "handled"
	ID      string       `json:"id,omitempty"`
	Place   string       `json:"place,omitempty"`   // channel, or "@person" for the conversation with the bot
	From    string       `json:"from,omitempty"`    // person; empty: the bot
	Text    string       `json:"text,omitempty"`    // of a person
	Message *bot.Message `json:"message,omitempty"` // of the bot
	Thread  string       `json:"thread,omitempty"`
	Key     string       `json:"key,omitempty"`
	Event   string       `json:"event,omitempty"`
	At      time.Time    `json:"at"`
}

// said is a message as it stands.
type said struct {
	line
	Edited bool
}

// note is a private answer, shown to one person below what they pressed until they dismiss it.
type note struct {
	ID      string
	Place   string
	Below   string // message; empty: at the end
	Message bot.Message
}

// opened is the form somebody has open, or its last view. Its ID comes back with what the page sends, so that nothing
// filled in for one form is ever sent as another.
type opened struct {
	ID     string
	Form   *bot.Form
	Errors map[string]string
	Last   *bot.Message
	Place  string
}

// refill puts what was sent into the fields, so that it is not typed twice, and says what was wrong.
func (o *opened) refill(values map[string][]string, wrong string) {
	for i, f := range o.Form.Fields {
		if v, ok := values[f.Name]; ok {
			o.Form.Fields[i].Value = v
		}
	}
	o.Errors = map[string]string{"": wrong}
}

// Adapter is the workspace as a bot.Chat.
type Adapter struct {
	c   Config
	log *slog.Logger

	mu       sync.Mutex
	file     *os.File
	messages []*said
	byID     map[string]*said
	byKey    map[string]*said
	unheard  []line                 // told to the bot, or still to be told, and not yet handled; oldest first
	failed   map[string]bool        // events the bot could not handle
	turns    map[string]*sync.Mutex // by person: what one person says is handled in order
	langs    map[string]prompts.Lang
	backdate time.Time
	notes    map[string][]note
	forms    map[string]*opened
	seen     map[string]map[string]int // person, place -> number of messages seen
	watchers map[chan struct{}]bool
	handler  bot.Handler
	handling sync.WaitGroup
}

var (
	_ bot.Chat   = (*Adapter)(nil)
	_ bot.Editor = (*Adapter)(nil)
	_ bot.Finder = (*Adapter)(nil)
	_ bot.Former = (*Adapter)(nil)
	_ bot.People = (*Adapter)(nil)
	_ bot.Roster = (*Adapter)(nil)
)

// New opens the chat's file and reads it back. A last line that was cut off is dropped.
func New(c Config, log *slog.Logger) (*Adapter, error) {
	if c.Root == nil || c.File == "" || log == nil || len(c.Seed.Channels) == 0 || len(c.Seed.People) == 0 {
		return nil, errors.New("workspace: directory, file, log, channels and people are required")
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	a := &Adapter{
		c: c, log: log, byID: map[string]*said{}, byKey: map[string]*said{}, failed: map[string]bool{}, turns: map[string]*sync.Mutex{}, langs: map[string]prompts.Lang{}, notes: map[string][]note{},
		forms: map[string]*opened{}, seen: map[string]map[string]int{}, watchers: map[chan struct{}]bool{},
	}
	f, err := c.Root.OpenFile(c.File, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("workspace: open chat: %w", err)
	}
	if err := a.read(f); err != nil {
		return nil, errors.Join(fmt.Errorf("workspace: read chat: %w", err), f.Close())
	}
	a.file = f
	return a, nil
}

func (a *Adapter) read(f *os.File) error {
	r := bufio.NewReader(f)
	var whole int64
	for {
		raw, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // what stands after the last line break was never confirmed
		}
		if err != nil {
			return err
		}
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("line at byte %d: %w", whole, err)
		}
		whole += int64(len(raw))
		a.apply(l)
	}
	for _, l := range a.unheard { // nobody is handling them any more
		a.failed[l.Event] = true
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	_, err := f.Seek(whole, io.SeekStart)
	return err
}

// Close closes the chat's file.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file.Close()
}

// write makes a line durable, then lets it show. Callers hold mu.
func (a *Adapter) write(l line) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	at, err := a.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := a.file.Write(append(raw, '\n')); err == nil {
		err = a.file.Sync()
		if err == nil {
			a.apply(l)
			a.changed()
			return nil
		}
	}
	// Take half a line away again, so that the next one starts clean.
	if terr := a.file.Truncate(at); terr == nil {
		_, terr = a.file.Seek(at, io.SeekStart)
		return errors.Join(errors.New("workspace: the chat's file takes nothing"), terr)
	}
	return errors.New("workspace: the chat's file takes nothing")
}

func (a *Adapter) apply(l line) {
	switch l.Op {
	case "say":
		s := &said{line: l}
		a.messages = append(a.messages, s)
		a.byID[l.ID] = s
		if l.Key != "" {
			a.byKey[l.Key] = s
		}
	case "edit":
		if s := a.byID[l.ID]; s != nil {
			s.Text, s.Edited = l.Text, s.From != ""
			if l.Message != nil {
				s.Message = l.Message
			}
		}
	case "delete":
		if s := a.byID[l.ID]; s != nil {
			delete(a.byID, l.ID)
			a.messages = slices.DeleteFunc(a.messages, func(m *said) bool { return m == s })
		}
	case "lang":
		a.langs[l.From] = prompts.Lang(l.Text)
	case "handled":
		delete(a.failed, l.Event)
		a.unheard = slices.DeleteFunc(a.unheard, func(u line) bool { return u.Event == l.Event })
		return
	}
	if l.Event != "" {
		a.unheard = append(a.unheard, l)
	}
}

// changed tells every open page. Callers hold mu.
func (a *Adapter) changed() {
	for w := range a.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// Backdate makes the following messages carry t; a zero t, the time they are posted. It is only for laying a past
// season before anyone watches.
func (a *Adapter) Backdate(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.backdate = t
}

func (a *Adapter) now() time.Time {
	if !a.backdate.IsZero() {
		return a.backdate
	}
	return time.Now()
}

// ---- the ports

// Platform implements bot.Chat.
func (a *Adapter) Platform() string { return Platform }

// Forms implements bot.Former.
func (a *Adapter) Forms() bool { return true }

func (a *Adapter) channel(team bot.TeamID) (Channel, bool) {
	_, id, _ := strings.Cut(string(team), ":")
	for _, c := range a.c.Seed.Channels {
		if c.ID == id {
			return c, true
		}
	}
	return Channel{}, false
}

func teamOf(channel string) bot.TeamID { return bot.TeamID(Platform + ":" + channel) }

// Post implements bot.Chat. A key that was posted before gives the same ref and no second message, for ever.
func (a *Adapter) Post(ctx context.Context, team bot.TeamID, m bot.Message, thread bot.Ref, key string) (bot.Ref, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	c, ok := a.channel(team)
	if !ok {
		return "", bot.ErrGone
	}
	return a.botSays(c.ID, m, string(thread), key)
}

func (a *Adapter) botSays(place string, m bot.Message, thread, key string) (bot.Ref, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.byKey[key]; old != nil && key != "" {
		return bot.Ref(old.ID), nil
	}
	l := line{Op: "say", ID: rand.Text(), Place: place, Message: &m, Thread: thread, Key: key, At: a.now()}
	if err := a.write(l); err != nil {
		return "", &bot.RetryError{After: time.Second, Err: err}
	}
	return bot.Ref(l.ID), nil
}

// Repaints implements bot.Painter.
func (a *Adapter) Repaints() bool { return true }

// Edit implements bot.Editor.
func (a *Adapter) Edit(ctx context.Context, team bot.TeamID, ref bot.Ref, m bot.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.byID[string(ref)]; s == nil || teamOf(s.Place) != team {
		return bot.ErrNotFound
	}
	if err := a.write(line{Op: "edit", ID: string(ref), Message: &m, At: a.now()}); err != nil {
		return &bot.RetryError{After: time.Second, Err: err}
	}
	return nil
}

// Find implements bot.Finder.
func (a *Adapter) Find(_ context.Context, team bot.TeamID, key string, _ time.Time) (bot.Ref, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.byKey[key]; s != nil && teamOf(s.Place) == team {
		return bot.Ref(s.ID), nil
	}
	return "", bot.ErrNotFound
}

// Settles implements bot.Finder. A line is durable or not when the call comes back, and nothing lands after the process
// ended, so there is nothing to wait for.
func (a *Adapter) Settles() time.Duration { return 0 }

// Direct implements bot.Chat.
func (a *Adapter) Direct(ctx context.Context, to bot.Recipient, m bot.Message, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var id string
	switch to := to.(type) {
	case bot.UserID:
		id = to.Reveal()
	case bot.ActorID:
		id = to.User()
	}
	if _, ok := a.person(id); !ok {
		return bot.ErrNotFound
	}
	_, err := a.botSays("@"+id, m, "", key)
	return err
}

// Count implements bot.People.
func (a *Adapter) Count(_ context.Context, team bot.TeamID) (int, error) {
	c, ok := a.channel(team)
	if !ok {
		return 0, bot.ErrGone
	}
	return len(c.Members), nil
}

// Names implements bot.Roster.
func (a *Adapter) Names(_ context.Context, team bot.TeamID) ([]string, error) {
	c, ok := a.channel(team)
	if !ok {
		return nil, bot.ErrGone
	}
	var names []string
	for _, id := range c.Members {
		if p, ok := a.person(id); ok {
			names = append(names, p.Name)
		}
	}
	return names, nil
}

// Channels implements bot.People.
func (a *Adapter) Channels(_ context.Context, u bot.UserID) ([]bot.TeamID, error) {
	var out []bot.TeamID
	for _, c := range a.c.Seed.Channels {
		if slices.Contains(c.Members, u.Reveal()) {
			out = append(out, teamOf(c.ID))
		}
	}
	return out, nil
}

// Manages implements bot.People.
func (a *Adapter) Manages(_ context.Context, u bot.UserID, team bot.TeamID) (bool, error) {
	p, ok := a.person(u.Reveal())
	c, known := a.channel(team)
	return ok && known && p.Role == Manager && slices.Contains(c.Members, p.ID), nil
}

// Editors are the people of the workspace who keep the library.
func (a *Adapter) Editors() []bot.ActorID {
	var out []bot.ActorID
	for _, p := range a.c.Seed.People {
		if p.Role == Editor {
			out = append(out, bot.ActorID(Platform+":"+p.ID))
		}
	}
	return out
}

// Run implements bot.Chat. What was said before and never handled is told first, and what fails now is told again.
func (a *Adapter) Run(ctx context.Context, h bot.Handler) error {
	a.catchUp(ctx, h)
	a.Use(h)
	again := time.NewTicker(againTime)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			a.catchUp(ctx, h)
		case <-ctx.Done():
			a.Use(nil)
			a.handling.Wait()
			return ctx.Err()
		}
	}
}

// againTime is how long what could not be handled waits for the next try, if its writer does nothing before.
const againTime = time.Minute

// catchUp tells the bot everything that it could not handle, in the order in which it was said.
func (a *Adapter) catchUp(ctx context.Context, h bot.Handler) {
	a.mu.Lock()
	missed := slices.DeleteFunc(slices.Clone(a.unheard), func(l line) bool { return !a.failed[l.Event] })
	a.mu.Unlock()
	for _, l := range missed {
		p, ok := a.person(l.From)
		if !ok || ctx.Err() != nil {
			continue
		}
		turn := a.turn(p)
		turn.Lock()
		a.mu.Lock()
		still := a.failed[l.Event]
		a.mu.Unlock()
		if still {
			a.tellLate(ctx, h, p, l)
		}
		turn.Unlock()
	}
}

// Use hands what people do to h from now on; nil: to nobody.
func (a *Adapter) Use(h bot.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handler = h
}

// ---- what people do

// errResting says that nobody handles events now; what somebody typed is not lost.
var errResting = errors.New("workspace: the program is starting or stopping")

func (a *Adapter) person(id string) (Person, bool) {
	for _, p := range a.c.Seed.People {
		if p.ID == id {
			return p, true
		}
	}
	return Person{}, false
}

func (a *Adapter) lang(p Person) prompts.Lang {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, ok := a.langs[p.ID]; ok {
		return l
	}
	return p.Lang
}

// from is what every event of a person carries. place is where they are.
func (a *Adapter) from(p Person, place string) bot.From {
	f := bot.From{
		Key: rand.Text(), User: bot.Account(Platform, "", p.ID), Name: p.Name, Lang: a.lang(p), Zone: a.c.Zone.String(), At: a.clock(),
	}
	if f.Zone == "Local" {
		f.Zone = ""
	}
	if place != "" && !strings.HasPrefix(place, "@") {
		f.Team, f.Chan = teamOf(place), place
	}
	return f
}

func (a *Adapter) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now()
}

// listening returns who handles events now, and what to call when that is no longer needed: until then Run waits.
// It is asked before anything is written, so that nothing stands in the chat that nobody hears.
func (a *Adapter) listening() (bot.Handler, func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.handler == nil {
		return nil, nil, errResting
	}
	a.handling.Add(1)
	return a.handler, a.handling.Done, nil
}

// handleTime bounds one event. It is below the time that a clean end of the program may take.
const handleTime = 8 * time.Second

// send hands an event that nothing is kept of to the bot.
func (a *Adapter) send(ctx context.Context, e bot.Event) (bot.Response, error) {
	h, done, err := a.listening()
	if err != nil {
		return bot.Response{}, err
	}
	defer done()
	return handle(ctx, h, e)
}

func handle(ctx context.Context, h bot.Handler, e bot.Event) (bot.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	return h(ctx, e)
}

// unheardError says that something stands in the chat which the bot could not handle yet. It is told again.
type unheardError struct{ err error }

func (e *unheardError) Error() string { return "said and not yet handled: " + e.err.Error() }
func (e *unheardError) Unwrap() error { return e.err }

// turn is held while something that a person said is told: the bot hears one thing at a time, in order.
func (a *Adapter) turn(p Person) *sync.Mutex {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turns[p.ID] == nil {
		a.turns[p.ID] = &sync.Mutex{}
	}
	return a.turns[p.ID]
}

// hear tells the bot what a person said, up to and including one event, and returns the answer to that one. What could
// not be handled earlier comes first, and does not stand in the way of the rest.
func (a *Adapter) hear(ctx context.Context, h bot.Handler, p Person, event string) (bot.Response, error) {
	turn := a.turn(p)
	turn.Lock()
	defer turn.Unlock()
	a.mu.Lock()
	waiting := slices.Clone(a.unheard)
	a.mu.Unlock()
	for _, l := range waiting {
		switch {
		case l.From != p.ID:
		case l.Event == event:
			return a.tell(ctx, h, p, l)
		default:
			a.tellLate(ctx, h, p, l)
		}
	}
	return bot.Response{}, nil // handled by whoever had the turn before
}

// tellLate tells what nobody waits for any more.
func (a *Adapter) tellLate(ctx context.Context, h bot.Handler, p Person, l line) {
	r, err := a.tell(ctx, h, p, l)
	if err == nil {
		err = a.answer(p, l.Place, l.ID, r)
	}
	if err != nil {
		a.log.Warn("workspace: a message waits", "err", err)
	}
}

// tell tells the bot one thing that was said, and keeps that it did once the answer stands in the conversation. The
// answer has a key of the event: if only the mark is lost, it does not stand there twice.
func (a *Adapter) tell(ctx context.Context, h bot.Handler, p Person, l line) (bot.Response, error) {
	f := a.from(p, l.Place)
	f.Key, f.At = l.Event, l.At
	var e bot.Event = bot.DirectReply{From: f, Text: bot.ReplyText(l.Text), Message: l.ID, Edited: l.Op == "edit"}
	if l.Op == "delete" {
		e = bot.ReplyWithdrawn{From: f, Message: l.ID}
	}
	// What was said is said: it is handled also when the page that sent it is gone.
	r, err := handle(context.WithoutCancel(ctx), h, e)
	if err == nil && r.Message != nil {
		_, err = a.botSays(l.Place, *r.Message, "", "answer-"+l.Event)
		r.Message = nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		err = a.write(line{Op: "handled", Event: l.Event, At: a.now()})
	}
	if err != nil {
		a.failed[l.Event] = true
		a.changed()
		return r, &unheardError{err}
	}
	return r, nil
}

// addressed cuts the name that somebody addresses the bot by off what they typed. Only the whole name counts, in any
// case; what follows keeps its own.
func addressed(text, name string) (rest string, ok bool) {
	if len(text) < len(name) || !strings.EqualFold(text[:len(name)], name) {
		return "", false
	}
	rest = text[len(name):]
	if next, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(next) {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// Type types a message as a person. In a channel it is a command if it addresses the bot; in the conversation with the
// bot ("@" and the person's ID) everything is for the bot, and its answer stands in that conversation.
func (a *Adapter) Type(ctx context.Context, person, place, text, thread string) (bot.Response, error) {
	p, ok := a.person(person)
	if !ok || strings.TrimSpace(text) == "" || !a.mayBe(p, place) {
		return bot.Response{}, bot.ErrNotFound
	}
	if command, ok := addressed(text, "/weerklank"); ok {
		return a.send(ctx, bot.Command{From: a.from(p, place), Text: command})
	}
	f := a.from(p, place)
	command, isMention := addressed(text, "@weerklank")
	l := line{Op: "say", ID: rand.Text(), Place: place, From: p.ID, Text: text, Thread: thread, At: f.At}
	if f.Team != "" && !isMention { // people talking to each other
		return bot.Response{}, a.personSays(l)
	}
	h, done, err := a.listening()
	if err != nil {
		return bot.Response{}, err
	}
	defer done()
	if f.Team == "" {
		l.Event = f.Key
	}
	if err := a.personSays(l); err != nil {
		return bot.Response{}, err
	}
	if isMention && f.Team != "" {
		return handle(ctx, h, bot.Command{From: f, Text: command})
	}
	return a.hear(ctx, h, p, l.Event)
}

func (a *Adapter) personSays(l line) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.Thread != "" && (a.byID[l.Thread] == nil || a.byID[l.Thread].Place != l.Place) {
		l.Thread = ""
	}
	return a.write(l)
}

// mayBe says whether a person can be in a place.
func (a *Adapter) mayBe(p Person, place string) bool {
	if place == "@"+p.ID {
		return true
	}
	c, ok := a.channel(teamOf(place))
	return ok && slices.Contains(c.Members, p.ID)
}

// Change edits a person's own message; with empty text it deletes it. What was typed to the bot is told to the bot.
func (a *Adapter) Change(ctx context.Context, person, id, text string) (bot.Response, error) {
	p, ok := a.person(person)
	a.mu.Lock()
	s := a.byID[id]
	if !ok || s == nil || s.From != p.ID {
		a.mu.Unlock()
		return bot.Response{}, bot.ErrNotFound
	}
	l := line{Op: "edit", ID: id, Place: s.Place, From: p.ID, Text: text}
	a.mu.Unlock()
	if strings.TrimSpace(text) == "" {
		l.Op, l.Text = "delete", ""
	}
	var h bot.Handler
	if strings.HasPrefix(l.Place, "@") {
		listens, done, err := a.listening()
		if err != nil {
			return bot.Response{}, err
		}
		defer done()
		h, l.Event = listens, rand.Text()
	}
	a.mu.Lock()
	l.At = a.now()
	var err error = bot.ErrNotFound
	if a.byID[id] != nil { // not deleted meanwhile in another window
		err = a.write(l)
	}
	a.mu.Unlock()
	if err != nil || h == nil {
		return bot.Response{}, err
	}
	return a.hear(ctx, h, p, l.Event)
}

// Again tells the bot once more what a person said with one of their messages and it could not handle.
func (a *Adapter) Again(ctx context.Context, person, id string) (bot.Response, error) {
	p, ok := a.person(person)
	h, done, err := a.listening()
	if err != nil {
		return bot.Response{}, err
	}
	defer done()
	a.mu.Lock()
	var event string
	for _, l := range a.unheard {
		if l.ID == id && l.From == p.ID {
			event = l.Event // up to its latest version
		}
	}
	a.mu.Unlock()
	if !ok || event == "" {
		return bot.Response{}, nil // it was handled meanwhile
	}
	return a.hear(ctx, h, p, event)
}

// Press presses a button.
func (a *Adapter) Press(ctx context.Context, person, place string, action bot.Action) (bot.Response, error) {
	p, ok := a.person(person)
	if !ok || !a.mayBe(p, place) {
		return bot.Response{}, bot.ErrNotFound
	}
	r, err := a.send(ctx, bot.ActionPressed{From: a.from(p, place), Action: action})
	if err == nil && r.Message != nil && strings.HasPrefix(place, "@") { // at the end of that conversation, as an answer to typed words
		_, err = a.botSays(place, *r.Message, "", "")
		r.Message = nil
	}
	return r, err
}

// Submit sends a form in. action is the verb of an extra button pressed instead of sending.
func (a *Adapter) Submit(ctx context.Context, person, place string, form *bot.Form, values map[string][]string, action string) (bot.Response, error) {
	p, ok := a.person(person)
	if !ok || form == nil || !a.mayBe(p, place) {
		return bot.Response{}, bot.ErrNotFound
	}
	return a.send(ctx, bot.FormSubmitted{From: a.from(p, place), Form: form.Name, State: form.State, Values: values, Action: action})
}

// SetLang changes the language a person reads.
func (a *Adapter) SetLang(person string, lang prompts.Lang) error {
	if _, ok := a.person(person); !ok || !slices.Contains(prompts.Langs(), lang) {
		return bot.ErrNotFound
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.write(line{Op: "lang", From: person, Text: string(lang), At: a.now()})
}

// Empty says whether nothing was ever said.
func (a *Adapter) Empty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.messages) == 0
}
