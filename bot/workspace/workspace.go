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

// DefaultSeed is a crew of ten that works outside, and a channel that is too small to be nameless in.
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
	s.Channels = []Channel{all, {
		ID: "werkplaats", Title: prompts.Text{nl: "Een klein clubje", en: "A small group"}, Members: []string{"cor", "emre", "lotte", "irma"},
	}}
	return s
}

// Controls are what the demo can do besides chatting. Nil fields are not shown.
type Controls struct {
	Next       func(ctx context.Context, team bot.TeamID) error // post the next prompt now
	Colleagues func(ctx context.Context, team bot.TeamID) error // let colleagues answer
	Close      func(ctx context.Context, team bot.TeamID) error // close and give back
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
type line struct {
	Op      string       `json:"op"` // "say", "edit", "delete", "lang"
	ID      string       `json:"id"`
	Place   string       `json:"place,omitempty"`   // channel, or "@person" for the conversation with the bot
	From    string       `json:"from,omitempty"`    // person; empty: the bot
	Text    string       `json:"text,omitempty"`    // of a person
	Message *bot.Message `json:"message,omitempty"` // of the bot
	Thread  string       `json:"thread,omitempty"`
	Key     string       `json:"key,omitempty"`
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

// opened is the form somebody has open, or its last view.
type opened struct {
	Form   *bot.Form
	Errors map[string]string
	Last   *bot.Message
	Team   bot.TeamID
	Place  string
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
	langs    map[string]prompts.Lang
	backdate time.Time
	notes    map[string][]note
	forms    map[string]*opened
	seen     map[string]map[string]int // person, place -> number of messages seen
	version  int
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
		c: c, log: log, byID: map[string]*said{}, byKey: map[string]*said{}, langs: map[string]prompts.Lang{}, notes: map[string][]note{},
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
	}
}

// changed tells every open page. Callers hold mu.
func (a *Adapter) changed() {
	a.version++
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

// Run implements bot.Chat.
func (a *Adapter) Run(ctx context.Context, h bot.Handler) error {
	a.Use(h)
	<-ctx.Done()
	a.Use(nil)
	a.handling.Wait()
	return ctx.Err()
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

// send hands an event to the bot.
func (a *Adapter) send(ctx context.Context, e bot.Event) (bot.Response, error) {
	a.mu.Lock()
	h := a.handler
	if h != nil {
		a.handling.Add(1)
	}
	a.mu.Unlock()
	if h == nil {
		return bot.Response{}, errResting
	}
	defer a.handling.Done()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return h(ctx, e)
}

// Type types a message as a person. In a channel it is a command if it addresses the bot; in the conversation with the
// bot ("@" and the person's ID) everything is for the bot, and its answer stands in that conversation.
func (a *Adapter) Type(ctx context.Context, person, place, text, thread string) (bot.Response, error) {
	p, ok := a.person(person)
	if !ok || strings.TrimSpace(text) == "" || !a.mayBe(p, place) {
		return bot.Response{}, bot.ErrNotFound
	}
	slash, isSlash := strings.CutPrefix(text, "/weerklank")
	mention, isMention := strings.CutPrefix(strings.ToLower(text), "@weerklank")
	if isSlash {
		return a.send(ctx, bot.Command{From: a.from(p, place), Text: strings.TrimSpace(slash)})
	}
	f := a.from(p, place)
	if f.Team == "" && a.resting() { // not half: said here and never heard
		return bot.Response{}, errResting
	}
	id, err := a.personSays(p, place, text, thread, f.At)
	if err != nil {
		return bot.Response{}, err
	}
	if isMention && f.Team != "" {
		return a.send(ctx, bot.Command{From: f, Text: strings.TrimSpace(mention)})
	}
	if f.Team != "" {
		return bot.Response{}, nil // people talking to each other
	}
	r, err := a.send(ctx, bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: id})
	return a.answerDirect(place, r, err)
}

func (a *Adapter) resting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.handler == nil
}

func (a *Adapter) personSays(p Person, place, text, thread string, at time.Time) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if thread != "" && (a.byID[thread] == nil || a.byID[thread].Place != place) {
		thread = ""
	}
	l := line{Op: "say", ID: rand.Text(), Place: place, From: p.ID, Text: text, Thread: thread, At: at}
	return l.ID, a.write(l)
}

// answerDirect lets an answer stand in the conversation it belongs to.
func (a *Adapter) answerDirect(place string, r bot.Response, err error) (bot.Response, error) {
	if r.Message != nil {
		if _, werr := a.botSays(place, *r.Message, "", ""); werr != nil {
			return r, errors.Join(err, werr)
		}
		r.Message = nil
	}
	return r, err
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
	place := s.Place
	op := line{Op: "edit", ID: id, Text: text, At: a.now()}
	if strings.TrimSpace(text) == "" {
		op.Op = "delete"
	}
	err := a.write(op)
	a.mu.Unlock()
	if err != nil || !strings.HasPrefix(place, "@") {
		return bot.Response{}, err
	}
	f := a.from(p, place)
	var r bot.Response
	if op.Op == "delete" {
		r, err = a.send(ctx, bot.ReplyWithdrawn{From: f, Message: id})
	} else {
		r, err = a.send(ctx, bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: id, Edited: true})
	}
	return a.answerDirect(place, r, err)
}

// Press presses a button.
func (a *Adapter) Press(ctx context.Context, person, place string, action bot.Action) (bot.Response, error) {
	p, ok := a.person(person)
	if !ok || !a.mayBe(p, place) {
		return bot.Response{}, bot.ErrNotFound
	}
	return a.send(ctx, bot.ActionPressed{From: a.from(p, place), Action: action})
}

// Submit sends a form in. action is the verb of an extra button pressed instead of sending.
func (a *Adapter) Submit(ctx context.Context, person, place string, form *bot.Form, values map[string][]string, action string) (bot.Response, error) {
	p, ok := a.person(person)
	if !ok || form == nil {
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
