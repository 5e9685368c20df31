// Package chattest has the contract that every chat adapter keeps, and a fake platform for tests of the use cases.
package chattest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// Person is somebody on the fake platform.
type Person struct {
	ID       string
	Name     string
	Lang     prompts.Lang
	Zone     string
	Bot      bool
	Channels []bot.TeamID
	Manages  []bot.TeamID
}

// Posted is one message that stands in a channel.
type Posted struct {
	Ref     bot.Ref
	Team    bot.TeamID
	Message bot.Message // as it stands now
	First   bot.Message // as it was posted
	Thread  bot.Ref
	Key     string
	At      time.Time
	Edits   int
	Edited  time.Time // the last time
}

// Told is one private message.
type Told struct {
	To      bot.Recipient
	Message bot.Message
	Key     string
	At      time.Time
}

// Trouble is what goes wrong with one call. The zero Trouble is none: the call has its effect and comes back at once.
type Trouble struct {
	Err    error         // what comes back; the effect does not happen
	Done   bool          // with Err, Hang or Panic: the effect happens all the same, at once
	Lands  time.Duration // it happens this long after the call began, whether anybody still waits or not
	Slow   time.Duration // the call takes this long; given up before, nothing happens
	Hang   bool          // no answer comes: the call ends with its context
	Panic  bool          // the adapter fails in the middle of the call
	Unseen func()        // called before anything else, with no lock held: where a process may die
}

// Fake is a platform in memory with every capability. It may be used inside a synctest bubble: it has no sockets and
// knows no time but time.Now.
type Fake struct {
	name string

	mu      sync.Mutex
	people  map[string]Person
	members map[bot.TeamID]map[string]bool
	posts   []*Posted
	told    []Told
	byKey   map[string]*Posted
	handler bot.Handler
	ready   chan struct{}
	message int
	landing sync.WaitGroup // what was given up and still comes
	forgets time.Duration
	ahead   time.Duration
	trouble func(what string, team bot.TeamID) Trouble

	// Fault is asked before every Post, Edit and Direct. An error comes back to the sender; posted says that the
	// message stands there all the same. It may block. Nil: no faults.
	Fault func(what string, team bot.TeamID) (err error, posted bool)
	hang  func(ctx context.Context, what string, team bot.TeamID)
}

// New makes a platform with the given name.
func New(name string) *Fake {
	return &Fake{name: name, people: map[string]Person{}, members: map[bot.TeamID]map[string]bool{}, byKey: map[string]*Posted{}, ready: make(chan struct{}), forgets: 1 << 62}
}

// Forget makes the platform drop a repeat of a key only within this time after the first: real platforms remember for half
// a minute or not at all. A Fake remembers for ever.
func (f *Fake) Forget(after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgets = after
}

// Now is the platform's clock. It runs like any other, from where SetNow put it.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead)
}

// SetNow sets the platform's clock: what people do from here on happens at that time and later. Posts carry the time of
// the process.
func (f *Fake) SetNow(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead = time.Until(t)
}

// SetTrouble makes trouble for every call while the bot runs: what is "post", "edit", "direct", "find" or "count". Nil: none.
func (f *Fake) SetTrouble(trouble func(what string, team bot.TeamID) Trouble) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = trouble
}

// call lets one call have its effect, or makes the trouble it was given.
func (f *Fake) call(ctx context.Context, what string, team bot.TeamID, effect func() (bot.Ref, error)) (bot.Ref, error) {
	f.mu.Lock()
	trouble := f.trouble
	f.mu.Unlock()
	var t Trouble
	if trouble != nil {
		t = trouble(what, team)
	}
	if t.Unseen != nil {
		t.Unseen()
	}
	if t.Slow > 0 {
		select {
		case <-time.After(t.Slow):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	if t.Lands > 0 {
		f.landing.Go(func() {
			<-time.After(t.Lands)
			effect()
		})
	}
	if t.Done {
		effect()
	}
	if t.Panic {
		panic("the adapter fails")
	}
	if t.Hang {
		<-ctx.Done()
		return "", ctx.Err()
	}
	if t.Err != nil {
		return "", t.Err
	}
	err, done := f.fault(what, team)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && done:
		effect()
	case err == nil:
		return effect()
	}
	return "", err
}

var (
	_ bot.Chat   = (*Fake)(nil)
	_ bot.Editor = (*Fake)(nil)
	_ bot.Finder = (*Fake)(nil)
	_ bot.Former = (*Fake)(nil)
	_ bot.People = (*Fake)(nil)
	_ bot.Roster = (*Fake)(nil)
)

// Add adds or replaces people.
func (f *Fake) Add(people ...Person) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range people {
		for _, team := range f.people[p.ID].Channels {
			delete(f.members[team], p.ID)
		}
		f.people[p.ID] = p
		for _, team := range p.Channels {
			if f.members[team] == nil {
				f.members[team] = map[string]bool{}
			}
			f.members[team][p.ID] = true
		}
	}
}

// Crew adds n members of a channel, "p1" to "pn"; the first manages it.
func (f *Fake) Crew(team bot.TeamID, n int) {
	for i := range n {
		p := Person{ID: "p" + strconv.Itoa(i+1), Name: "Person " + strconv.Itoa(i+1), Lang: prompts.Dutch, Channels: []bot.TeamID{team}}
		f.mu.Lock()
		if old, ok := f.people[p.ID]; ok {
			p.Channels = append(slices.DeleteFunc(slices.Clone(old.Channels), func(id bot.TeamID) bool { return id == team }), team)
			p.Manages = slices.DeleteFunc(slices.Clone(old.Manages), func(id bot.TeamID) bool { return id == team })
		}
		f.mu.Unlock()
		if i == 0 {
			p.Manages = append(p.Manages, team)
		}
		f.Add(p)
	}
}

// Landed waits until nothing that was given up can still come.
func (f *Fake) Landed() { f.landing.Wait() }

// Posts returns what stands in a channel, oldest first; every channel if team is empty.
func (f *Fake) Posts(team bot.TeamID) []Posted {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Posted
	for _, p := range f.posts {
		if team == "" || p.Team == team {
			out = append(out, *p)
		}
	}
	return out
}

// Told returns the private messages that the bot sent by itself.
func (f *Fake) Told() []Told {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.told)
}

// Platform implements bot.Chat.
func (f *Fake) Platform() string { return f.name }

func (f *Fake) fault(what string, team bot.TeamID) (error, bool) {
	f.mu.Lock()
	fault := f.Fault
	f.mu.Unlock()
	if fault == nil {
		return nil, true
	}
	return fault(what, team)
}

// SetHang makes Count wait in hang, which returns when the call may go on or its context ended.
func (f *Fake) SetHang(hang func(ctx context.Context, what string, team bot.TeamID)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = hang
}

// SetFault replaces Fault while the bot runs.
func (f *Fake) SetFault(fault func(what string, team bot.TeamID) (error, bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Fault = fault
}

// Post implements bot.Chat. A key that was posted before gives the same ref and no second message, until it is forgotten.
func (f *Fake) Post(ctx context.Context, team bot.TeamID, m bot.Message, thread bot.Ref, key string) (bot.Ref, error) {
	return f.call(ctx, "post", team, func() (bot.Ref, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if old := f.byKey[key]; old != nil && time.Since(old.At) <= f.forgets {
			return old.Ref, nil
		}
		p := &Posted{Ref: bot.Ref("m" + strconv.Itoa(len(f.posts)+1)), Team: team, Message: m, First: m, Thread: thread, Key: key, At: time.Now()}
		f.posts = append(f.posts, p)
		f.byKey[key] = p
		return p.Ref, nil
	})
}

// Repaints implements bot.Painter.
func (f *Fake) Repaints() bool { return true }

// Edit implements bot.Editor.
func (f *Fake) Edit(ctx context.Context, team bot.TeamID, ref bot.Ref, m bot.Message) error {
	_, err := f.call(ctx, "edit", team, func() (bot.Ref, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, p := range f.posts {
			if p.Ref == ref && p.Team == team {
				p.Message, p.Edits, p.Edited = m, p.Edits+1, time.Now()
				return ref, nil
			}
		}
		return "", bot.ErrNotFound
	})
	return err
}

// Find implements bot.Finder.
func (f *Fake) Find(ctx context.Context, team bot.TeamID, key string, _ time.Time) (bot.Ref, error) {
	return f.call(ctx, "find", team, func() (bot.Ref, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if p := f.byKey[key]; p != nil {
			return p.Ref, nil
		}
		return "", bot.ErrNotFound
	})
}

// Settles implements bot.Finder.
func (f *Fake) Settles() time.Duration { return bot.SettleWindow }

// Forms implements bot.Former.
func (f *Fake) Forms() bool { return true }

// Direct implements bot.Chat.
func (f *Fake) Direct(ctx context.Context, to bot.Recipient, m bot.Message, key string) error {
	_, err := f.call(ctx, "direct", "", func() (bot.Ref, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.told = append(f.told, Told{To: to, Message: m, Key: key, At: time.Now()})
		return "", nil
	})
	return err
}

// Count implements bot.People.
func (f *Fake) Count(ctx context.Context, team bot.TeamID) (int, error) {
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		if hang(ctx, "count", team); ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	n := 0
	_, err := f.call(ctx, "count", team, func() (bot.Ref, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		n = 0
		for id := range f.members[team] {
			if !f.people[id].Bot {
				n++
			}
		}
		return "", nil
	})
	return n, err
}

// Names implements bot.Roster.
func (f *Fake) Names(_ context.Context, team bot.TeamID) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for id := range f.members[team] {
		names = append(names, f.people[id].Name)
	}
	return names, nil
}

// Channels implements bot.People.
func (f *Fake) Channels(_ context.Context, u bot.UserID) ([]bot.TeamID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.people[u.Reveal()].Channels), nil
}

// Manages implements bot.People.
func (f *Fake) Manages(_ context.Context, u bot.UserID, team bot.TeamID) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.people[u.Reveal()].Manages, team), nil
}

// Run implements bot.Chat.
func (f *Fake) Run(ctx context.Context, h bot.Handler) error {
	f.mu.Lock()
	f.handler = h
	close(f.ready)
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.handler, f.ready = nil, make(chan struct{})
	f.mu.Unlock()
	return ctx.Err()
}

// Use hands events straight to h, for tests that do not call Run.
func (f *Fake) Use(h bot.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handler = h
}

// From is what an event of a person carries now.
func (f *Fake) From(person string, team bot.TeamID) bot.From {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.people[person]
	f.message++
	return bot.From{
		Key: "e" + strconv.Itoa(f.message), User: bot.Account(f.name, "w", person), Name: p.Name, Lang: p.Lang, Zone: p.Zone,
		Team: team, Chan: string(team), At: time.Now().Add(f.ahead),
	}
}

// Send hands an event to the bot and returns its answer.
func (f *Fake) Send(ctx context.Context, e bot.Event) (bot.Response, error) {
	f.mu.Lock()
	h := f.handler
	f.mu.Unlock()
	if h == nil {
		return bot.Response{}, fmt.Errorf("%s: nobody handles events", f.name)
	}
	return h(ctx, e)
}

// Type sends a direct message and returns its ID and the answer.
func (f *Fake) Type(ctx context.Context, person, text string) (string, bot.Response, error) {
	from := f.From(person, "")
	r, err := f.Send(ctx, bot.DirectReply{From: from, Text: bot.ReplyText(text), Message: "m" + from.Key})
	return "m" + from.Key, r, err
}

// Press presses a button.
func (f *Fake) Press(ctx context.Context, person string, team bot.TeamID, a bot.Action) (bot.Response, error) {
	return f.Send(ctx, bot.ActionPressed{From: f.From(person, team), Action: a})
}

// Command gives a command in a channel.
func (f *Fake) Command(ctx context.Context, person string, team bot.TeamID, text string) (bot.Response, error) {
	return f.Send(ctx, bot.Command{From: f.From(person, team), Text: text})
}

// Submit sends a form in, with the values it was shown with replaced by those given.
func (f *Fake) Submit(ctx context.Context, person string, team bot.TeamID, form *bot.Form, values map[string][]string) (bot.Response, error) {
	if form == nil {
		return bot.Response{}, fmt.Errorf("%s: no form is open", f.name)
	}
	all := map[string][]string{}
	for _, field := range form.Fields {
		all[field.Name] = field.Value
	}
	maps.Copy(all, values)
	return f.Send(ctx, bot.FormSubmitted{From: f.From(person, team), Form: form.Name, State: form.State, Values: all})
}

// Plain hides every optional capability of a chat.
type Plain struct{ bot.Chat }

// Blind hides that a platform can look up its own posts, and leaves the rest.
type Blind struct {
	bot.Chat
	bot.Editor
	bot.Former
	bot.People
}

// NewBlind makes a Fake blind.
func NewBlind(f *Fake) Blind { return Blind{f, f, f, f} }
