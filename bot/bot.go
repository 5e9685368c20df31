package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Options are the parts and the policy a Bot is built from.
type Options struct {
	Store   Store
	Keys    Keys
	Chats   []Chat
	Log     *slog.Logger
	Library prompts.Library // the built-in one; the store adds the organisation's own

	Team         Settings     // what a team gets when it is switched on
	Activation   string       // "direct" or "announced"
	Limits       Limits       // floors for managers
	Holidays     []HolidaySet // sets that Settings.Holidays may name, besides the built-in ones
	KeepDays     int          // days a shared reply is kept after closing: 14 to 365
	PublicSector bool         // ask for works council and privacy officer when switching on
	Managers     []ActorID
	Editors      []ActorID

	Help        Help                // who to turn to besides the confidential adviser
	Heavy       []locale.HeavyWords // what brings up a card with whom to turn to; nil: the built-in list
	CaseNumbers []*regexp.Regexp    // the organisation's own case numbers

	Entrance Entrance // the library on the web; nil: none

	Scorer Scorer // guesses what a reply is about, for its author alone; nil: the built-in lexicon of Library
}

// Limits are the operator's floors for what managers may choose.
type Limits struct {
	MinReplies int // never below 3
	MinMembers int // never below 6
}

// Bot is the use cases with their parts.
type Bot struct {
	o         Options
	boxes     boxCache
	appointed appointed
	out       *outstanding
	inForce   inForce
	shelves   shelves
	editing   sync.Mutex // one edit of the library at a time
	shown     shownCache
	trouble   atomic.Pointer[FileTrouble] // why the newest state of the directory of files is refused
	lexicons  lexicons
	proposing proposing

	wakeAgenda chan struct{}
	wakeSender chan struct{}
	warned     warned
	untidy     atomic.Bool // key slots or freed pages wait to be destroyed

	planning sync.Mutex // one plan at a time: two that close one round would each make a key for its shelf
	steps    *lanes
	behind   sync.WaitGroup // tasks that the agenda went on without

	judging judging

	mu      sync.Mutex
	resume  map[Task]trouble // tasks that are under way or failed
	closing map[RoundID]bool // rounds that are being closed now
	auditAt time.Time        // when the audit log is looked through again
	toldAt  time.Time        // when editors may be told of proposals again
}

// New checks that every required part is there and that the policy keeps to the floors.
func New(o Options) (*Bot, error) {
	if o.Store == nil || o.Keys == nil || o.Log == nil || len(o.Chats) == 0 {
		return nil, errors.New("bot: store, keys, log and at least one chat are required")
	}
	if err := errors.Join(locale.Check(), o.Library.Validate()); err != nil {
		return nil, err
	}
	if o.Limits.MinReplies < 3 || o.Limits.MinMembers < 6 {
		return nil, errors.New("bot: min_replies is never below 3 and min_members never below 6")
	}
	if o.KeepDays < 14 || o.KeepDays > 365 {
		return nil, errors.New("bot: replies are kept for 14 to 365 days")
	}
	if _, err := ParseCalendar(o.Team, o.Holidays...); err != nil {
		return nil, fmt.Errorf("bot: team defaults: %w", err)
	}
	if o.Heavy == nil {
		var err error
		if o.Heavy, err = locale.Heavy(); err != nil {
			return nil, err
		}
	}
	b := &Bot{
		o: o, out: newOutstanding(), steps: newLanes(), resume: map[Task]trouble{}, closing: map[RoundID]bool{},
		boxes:      boxCache{open: map[RoundID]*box{}},
		wakeAgenda: make(chan struct{}, 1), wakeSender: make(chan struct{}, 1),
	}
	b.inForce.stamp, b.inForce.read = o.Store.LibraryStamp, b.readLibrary
	return b, nil
}

// ForLibrary is a Bot that keeps the library and does nothing else: for commands while no bot runs.
func ForLibrary(store Store, builtin prompts.Library, log *slog.Logger) (*Bot, error) {
	if store == nil || log == nil {
		return nil, errors.New("bot: store and log are required")
	}
	b := &Bot{o: Options{Store: store, Library: builtin, Log: log}}
	b.inForce.stamp, b.inForce.read = store.LibraryStamp, b.readLibrary
	return b, builtin.Validate()
}

// Run plans, posts, closes and gives back, and handles events, until ctx ends. It stops taking events in first, waits
// for the handlers, then stops the loops.
func (b *Bot) Run(ctx context.Context) error {
	if len(b.o.Chats) == 0 {
		return errors.New("bot: without a chat there is nothing to run")
	}
	loops, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoops()
	var looping, chatting sync.WaitGroup
	if err := b.sweep(ctx, true); err != nil && ctx.Err() == nil {
		return fmt.Errorf("look through the key slots: %w", err)
	}
	if err := b.noteLibrary(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("look through the library: %w", err)
	}
	if err := b.begin(ctx, time.Now()); err != nil && ctx.Err() == nil {
		return fmt.Errorf("look through the rounds: %w", err)
	}
	b.tidyLater()
	looping.Go(func() {
		b.loop(loops, b.wakeAgenda, func(ctx context.Context, now time.Time) (time.Time, error) { return b.plan(ctx, now, patience) })
	})
	looping.Go(func() {
		b.loop(loops, b.wakeSender, func(ctx context.Context, now time.Time) (time.Time, error) {
			_, next, err := b.dispatch(ctx, now)
			return next, err
		})
	})
	errs := make([]error, len(b.o.Chats))
	chats, stopChats := context.WithCancel(ctx)
	defer stopChats()
	for i, c := range b.o.Chats {
		chatting.Go(func() {
			defer stopChats() // a platform that ends by itself ends the program: it cannot do its work
			if err := c.Run(chats, b.Handle); err != nil && !errors.Is(err, context.Canceled) {
				errs[i] = fmt.Errorf("%s: %w", c.Platform(), err)
			}
		})
	}
	chatting.Wait()
	stopLoops()
	looping.Wait()
	b.behind.Wait()
	b.out.wg.Wait()
	return errors.Join(errs...)
}

// loop calls do now, at the moment it returns, and whenever it is woken.
func (b *Bot) loop(ctx context.Context, woken <-chan struct{}, do func(context.Context, time.Time) (time.Time, error)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-woken:
		}
		var next time.Time
		err := errors.New("a step failed")
		b.contained("loop", func() error {
			next, err = do(ctx, time.Now())
			return nil
		})
		if err != nil && ctx.Err() == nil {
			b.o.Log.Error("loop", "err", err)
		}
		wait := time.Hour // a long timer is looked at again: clocks get set
		if !next.IsZero() {
			wait = min(wait, max(time.Until(next), 0))
		}
		if err != nil {
			wait = max(min(wait, 10*time.Second), time.Second)
		}
		timer.Reset(wait)
	}
}

func (b *Bot) wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// contained runs one step, logs what goes wrong without content, and survives a panic: one bad record stops no other.
func (b *Bot) contained(what string, step func() error) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			b.panicked(what, p)
			ok = false
		}
	}()
	if err := step(); err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, errWaits) && !errors.Is(err, ErrUnauthorised) { // told once, not each time
			b.o.Log.Warn("step", "step", what, "err", err)
		}
		return false
	}
	return true
}

// panicked logs where a panic came from and of what type, and nothing of what it says: it may hold people's words.
func (b *Bot) panicked(what string, p any) {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)]) // below this function and the deferred one
	at := "unknown"
	for {
		f, more := frames.Next()
		if f.File != "" && !strings.HasPrefix(f.Function, "runtime.") {
			at = fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
			break
		}
		if !more {
			break
		}
	}
	b.o.Log.Error("panic", "step", what, "type", fmt.Sprintf("%T", p), "at", at)
}

// Handle handles one event and returns the answer to its sender.
func (b *Bot) Handle(ctx context.Context, e Event) (r Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.panicked("handle", p)
			err = errors.New("bot: a handler failed")
		}
	}()
	r, err = b.handle(ctx, e)
	if f, ok := whose(e); ok && r.Form != nil && b.mustType(f) {
		r = Response{Message: b.inWords(r.Form, r.Errors)}
	}
	return r, err
}

// mustType says whether what answers an event cannot be a form.
func (b *Bot) mustType(f From) bool {
	former, ok := b.platform(f.User.platform).(Former)
	return f.Typed || !ok || !former.Forms()
}

// whose is what an event of a person carries that a form can answer.
func whose(e Event) (f From, ok bool) {
	switch e := e.(type) {
	case DirectReply:
		return e.From, true
	case Command:
		return e.From, true
	case ActionPressed:
		return e.From, true
	}
	return From{}, false
}

func (b *Bot) handle(ctx context.Context, e Event) (Response, error) {
	switch e := e.(type) {
	case DirectReply:
		return b.direct(ctx, e)
	case ReplyWithdrawn:
		return b.deleted(ctx, e)
	case Command:
		return b.command(ctx, e.From, e.Text)
	case ActionPressed:
		return b.pressed(ctx, e)
	case FormSubmitted:
		return b.submitted(ctx, e)
	case ChannelGone:
		return Response{}, b.gone(ctx, e.Team, e.At)
	case Invited:
		return Response{}, b.invited(ctx, e)
	case ChannelMoved:
		return Response{}, b.moved(ctx, e)
	case HomeOpened:
		return b.home(ctx, e.From)
	}
	return Response{}, fmt.Errorf("bot: unknown event %T", e)
}

// ---- who is who

// askTimeout bounds one question to a platform, so that one that hangs stops nobody else.
const askTimeout = 5 * time.Second

func (b *Bot) channelsOf(ctx context.Context, u UserID) ([]TeamID, error) {
	people, ok := b.platform(u.platform).(People)
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	all, err := people.Channels(ctx, u)
	slices.Sort(all)
	return slices.Compact(all), err
}

func (b *Bot) platform(name string) Chat {
	for _, c := range b.o.Chats {
		if c.Platform() == name {
			return c
		}
	}
	return nil
}

// manages says whether a person may steer a team: the platform says so now, the config lists them, or a manager of
// the team named them.
func (b *Bot) manages(ctx context.Context, f From, t Team) (bool, error) {
	who := f.User.Actor()
	if b.listedManager(who) || slices.Contains(t.Managers, who) {
		return true, nil
	}
	people, ok := b.platform(f.User.platform).(People)
	if !ok {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return people.Manages(ctx, f.User, t.ID)
}

// countPeople counts the humans in a channel; ok is false when the platform cannot tell.
func (b *Bot) countPeople(ctx context.Context, team TeamID) (n int, ok bool, err error) {
	people, can := b.chatOf(team).(People)
	if !can {
		return 0, false, nil
	}
	if b.out.closedFor(platformOf(team)) > 0 {
		return 0, false, ErrUnauthorised
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	began := time.Now()
	n, err = people.Count(ctx, team)
	switch {
	case err == nil:
		b.letIn(platformOf(team), began)
	case errors.Is(err, ErrUnauthorised):
		b.shutOut(platformOf(team))
	}
	return n, err == nil, err
}

// ---- small parts

// boxCache keeps the keys of open rounds at hand, so that a reply costs no file read.
type boxCache struct {
	mu   sync.RWMutex
	open map[RoundID]*box
}

func (c *boxCache) get(id RoundID) *box {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.open[id]
}

func (c *boxCache) put(id RoundID, bx *box) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[id] = bx
}

func (c *boxCache) drop(id RoundID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, id)
}

// speech says catalogue texts in one language. Without pairs a text comes back with its placeholders.
type speech func(key string, pairs ...string) string

func sayer(lang prompts.Lang) speech {
	return func(key string, pairs ...string) string { return locale.Say(lang, key, pairs...) }
}

// message is a private answer of one paragraph.
func (say speech) message(key string, pairs ...string) Response {
	return Response{Message: &Message{
		Lang:   prompts.Lang(say("common.lang")),
		Blocks: []Block{Text(Rich(say(key), pairs...)...)},
	}}
}

// kept is message, after what was sent in is done.
func (say speech) kept(key string, pairs ...string) Response {
	r := say.message(key, pairs...)
	r.Kept = true
	return r
}

func newKey() string { return rand.Text() }

// zoneOf loads a zone that was checked when it was set.
func zoneOf(name string) *time.Location {
	if loc, err := time.LoadLocation(name); err == nil {
		return loc
	}
	return time.UTC
}

// platformName is what people call the platform of a team.
func platformName(lang prompts.Lang, team TeamID) string {
	say := sayer(lang)
	switch platform, _, _ := strings.Cut(string(team), ":"); platform {
	case "slack":
		return "Slack"
	case "mattermost":
		return "Mattermost"
	}
	return say("common.this-chat")
}
