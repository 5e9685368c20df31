package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

const (
	// sendTimeout bounds one attempt, so that a hanging platform holds nothing but its own team.
	sendTimeout = 30 * time.Second
	// stopGrace is how long a call that is under way may still take when the program stops.
	stopGrace = time.Second
	// signInAgain is how often a platform that does not let the bot in is tried.
	signInAgain = time.Minute
	// lookUpLimit is how long an attempt is looked up for in vain before a person is asked.
	lookUpLimit = time.Hour
)

// outstanding is which teams' posts are being sent right now. A team's posts leave one after the other, in their order;
// teams do not wait for each other.
type outstanding struct {
	mu      sync.Mutex
	teams   map[TeamID]bool
	rest    map[TeamID]time.Time // after a failure, a team is left alone until then
	lanes   map[string]*lanes    // by platform
	refused map[string]*refusal  // platforms that do not let the bot in
	wg      sync.WaitGroup
}

func newOutstanding() *outstanding {
	return &outstanding{teams: map[TeamID]bool{}, rest: map[TeamID]time.Time{}, lanes: map[string]*lanes{}, refused: map[string]*refusal{}}
}

func (o *outstanding) take(team TeamID, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.teams[team] || now.Before(o.rest[team]) {
		return false
	}
	o.teams[team] = true
	delete(o.rest, team)
	return true
}

func (o *outstanding) done(team TeamID, rest time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.teams, team)
	if !rest.IsZero() {
		o.rest[team] = rest
	}
}

func (o *outstanding) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.teams)
}

func (o *outstanding) lanesOf(platform string) *lanes {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lanes[platform] == nil {
		o.lanes[platform] = newLanes()
	}
	return o.lanes[platform]
}

// lanes bound how many things are under way at once. One that takes long leaves its lane to others and goes on beside
// them, so that what hangs holds up nobody but itself.
type lanes struct{ quick, all chan struct{} }

const (
	quickLanes = 64
	allLanes   = 512
	longCall   = 250 * time.Millisecond
)

func newLanes() *lanes {
	return &lanes{quick: make(chan struct{}, quickLanes), all: make(chan struct{}, allLanes)}
}

// enter waits for a lane; leave gives it back.
func (l *lanes) enter() (leave func()) {
	l.all <- struct{}{}
	l.quick <- struct{}{}
	left, gone := make(chan struct{}), make(chan struct{})
	go func() { // not time.AfterFunc: with it, the race detector falls over in a synctest bubble (Go 1.26)
		defer close(gone)
		long := time.NewTimer(longCall)
		defer long.Stop()
		select {
		case <-long.C:
		case <-left:
		}
		<-l.quick
	}()
	return func() {
		close(left)
		<-gone
		<-l.all
	}
}

// refusal is a platform that does not let the bot in: since when, when it last said so, and when it is tried again.
type refusal struct{ since, last, again time.Time }

// closedFor says how long a platform that does not let the bot in is left alone. Zero: it is tried, by one caller at a
// time.
func (o *outstanding) closedFor(platform string) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.refused[platform]
	if r == nil {
		return 0
	}
	now := time.Now()
	if wait := r.again.Sub(now); wait > 0 && wait <= signInAgain { // a clock that was set back closes nothing for long
		return wait
	}
	r.again = now.Add(signInAgain)
	return 0
}

// refuse notes that a platform does not let the bot in; first says that it did before.
func (o *outstanding) refuse(platform string) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	r := o.refused[platform]
	if r == nil {
		r, first = &refusal{since: now}, true
		o.refused[platform] = r
	}
	r.last, r.again = now, now.Add(signInAgain)
	return first
}

// admit notes that a platform let a call in that began at some moment, and says whether it did not before.
func (o *outstanding) admit(platform string, began time.Time) (again bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.refused[platform]
	if r == nil || !began.After(r.last) { // it was still open then
		return false
	}
	delete(o.refused, platform)
	return true
}

// locked says which platforms do not let the bot in.
func (o *outstanding) locked() (errs []error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, platform := range slices.Sorted(maps.Keys(o.refused)) {
		errs = append(errs, fmt.Errorf("%s does not let the bot in since %s: look at its token; what must be said waits",
			platform, o.refused[platform].since.UTC().Format(time.RFC3339)))
	}
	return errs
}

// shutOut notes that a platform does not let the bot in: it is said once, and turns the health red.
func (b *Bot) shutOut(platform string) {
	if b.out.refuse(platform) {
		b.o.Log.Error("the platform does not let the bot in; what must be said waits until it does", "platform", platform)
	}
}

// letIn notes that a platform let in a call that began at some moment.
func (b *Bot) letIn(platform string, began time.Time) {
	if b.out.admit(platform, began) {
		b.o.Log.Warn("the platform lets the bot in again", "platform", platform)
	}
}

// errWaits says that a post waits for something that was told already.
var errWaits = errors.New("waits")

// Send carries the queued posts that may leave at now and waits for them. It returns when the next one may leave; zero
// if there is none.
func (b *Bot) Send(ctx context.Context, now time.Time) (time.Time, error) {
	for {
		started, next, err := b.dispatch(ctx, now)
		b.out.wg.Wait()
		if err != nil || !started {
			return next, err
		}
	}
}

// dispatch starts sending what is pending and does not wait.
func (b *Bot) dispatch(ctx context.Context, now time.Time) (started bool, next time.Time, err error) {
	posts, next, err := b.o.Store.Pending(ctx, now, 256+16*b.out.count())
	if err != nil {
		return false, now.Add(time.Second), err
	}
	began := time.Now()
	clock := func() time.Time { return now.Add(time.Since(began)) } // a post that waited for its turn starts later than it was taken
	byTeam := map[TeamID][]Post{}
	var order []TeamID
	for _, p := range posts {
		if _, ok := byTeam[p.Team]; !ok {
			order = append(order, p.Team)
		}
		byTeam[p.Team] = append(byTeam[p.Team], p)
	}
	for _, team := range order {
		if !b.out.take(team, now) {
			if again := now.Add(time.Second); next.IsZero() || again.Before(next) {
				next = again
			}
			continue
		}
		started = true
		b.out.wg.Go(func() {
			var rest time.Time
			defer func() {
				b.out.done(team, rest)
				b.wake(b.wakeSender)
			}()
			lanes := b.out.lanesOf(platformOf(team))
			for i, p := range byTeam[team] {
				leave := lanes.enter()
				ok := ctx.Err() == nil && b.contained("send", func() error { return b.sendOne(ctx, p, clock) })
				leave()
				if ok {
					continue
				}
				// Order within a team is kept: what follows waits for this one, and makes room for other teams.
				rest = b.holdBack(ctx, p, byTeam[team][i+1:], clock())
				return
			}
		})
	}
	return started, next, nil
}

// holdBack moves a team's posts behind the one that could not leave, and says until when the team rests.
func (b *Bot) holdBack(ctx context.Context, failed Post, behind []Post, now time.Time) time.Time {
	rest := now.Add(time.Second)
	p, err := b.o.Store.Post(ctx, failed.ID)
	waits := err == nil && (p.State == PostQueued || p.State == PostSending)
	if waits && !p.After.After(now) && ctx.Err() == nil { // it got nowhere, not even to a later moment
		p.After = now.Add(backoff(max(p.Attempt, 1)))
		b.contained("hold back", func() error {
			return b.settle(ctx, p.ID, func(row *Post) {
				row.After = p.After
				if row.Attempt == failed.Attempt {
					row.Attempt++
				}
			})
		})
	}
	if waits && p.After.After(rest) {
		rest = p.After
	}
	for _, p := range behind {
		if ctx.Err() != nil {
			break
		}
		b.contained("hold back", func() error {
			return b.settle(ctx, p.ID, func(p *Post) {
				if p.After.Before(rest) {
					p.After = rest
				}
			})
		})
	}
	return rest
}

// late is how long after its moment a post may leave without another look at the clock on the wall.
const late = 5 * time.Minute

// quietUntil says until when a post that is late must wait: nothing is posted at night or on a quiet day (PRACTICE 10, 8).
// Zero: it may leave.
func (b *Bot) quietUntil(ctx context.Context, p Post, now time.Time) (time.Time, error) {
	if p.To != "" || p.EditOf != "" || p.Attempt == 0 && now.Sub(p.After) < late {
		return time.Time{}, nil
	}
	t, err := b.o.Store.Team(ctx, p.Team)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if at := b.permitted(t, now); at.After(now) {
		return at, nil
	}
	return time.Time{}, nil
}

// permitted is the first moment from now on at which something may be posted in a team's channel: not at night, not on a
// quiet day, and not in the two working days after an incident (PRACTICE 3.5).
func (b *Bot) permitted(t Team, now time.Time) time.Time {
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return now // settings are checked before they are stored
	}
	if until := t.restsUntil(cal); until.After(now) {
		return until.UTC()
	}
	if at := cal.Move(now); !at.IsZero() {
		return at.UTC()
	}
	return now
}

// call bounds one call to a platform. One that is under way when the program stops may still end well. (With a timer of
// context's own, the race detector of Go 1.26 falls over in a synctest bubble.)
func (b *Bot) call(ctx context.Context) (context.Context, context.CancelFunc) {
	call, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		limit, grace := time.NewTimer(sendTimeout), make(<-chan time.Time)
		defer limit.Stop()
		stopping := ctx.Done()
		for {
			select {
			case <-stopping:
				short := time.NewTimer(stopGrace)
				defer short.Stop()
				stopping, grace = nil, short.C
			case <-limit.C:
				cancel()
			case <-grace:
				cancel()
			case <-call.Done():
				return
			}
		}
	}()
	return call, cancel
}

// sendOne carries one post. What it does to the row is stored before and after the call (TRUST 8). An error means that
// the team's next posts must wait.
func (b *Bot) sendOne(ctx context.Context, p Post, clock func() time.Time) error {
	now := clock()
	p, err := b.o.Store.Post(ctx, p.ID) // it may have left since it was seen to be pending
	if err != nil || p.State != PostQueued && p.State != PostSending || p.After.After(now) {
		return err
	}
	chat := b.chatOf(p.Team)
	if chat == nil {
		return b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(10 * time.Minute) })
	}
	if wait := b.out.closedFor(chat.Platform()); wait > 0 {
		return cmp.Or(b.settle(ctx, p.ID, func(p *Post) { p.After = later(p.After, now.Add(wait)) }), errWaits)
	}
	if p.State == PostSending { // left over from a crash or an unanswered call: it may stand there already
		done, err := b.lookUp(ctx, chat, p, clock)
		if done || err != nil {
			return err
		}
		now = clock()
	}
	if !p.Until.IsZero() && now.After(p.Until) {
		b.o.Log.Warn("a post came too late to be sent", "post", p.ID)
		return b.fail(ctx, p, now)
	}
	thread, target, wait, err := b.refs(ctx, p, now)
	if err != nil {
		return err
	}
	if wait.IsZero() {
		wait, err = b.quietUntil(ctx, p, now)
	}
	if err != nil {
		return err
	}
	if !wait.IsZero() {
		return b.settle(ctx, p.ID, func(p *Post) { p.State, p.After = PostQueued, later(wait, now.Add(time.Second)) })
	}
	if p.Part != "" {
		if p.Message, err = b.compose(ctx, p); err != nil {
			return err
		}
	}
	editor, edits := chat.(Editor)
	if p.EditOf != "" && (!edits || target == "") {
		return b.fail(ctx, p, now)
	}
	p.State, p.At, p.Attempt = PostSending, now, p.Attempt+1
	if err := b.settle(ctx, p.ID, func(row *Post) { row.State, row.At, row.Attempt = p.State, p.At, p.Attempt }); err != nil {
		return err
	}
	call, cancel := b.call(ctx)
	defer cancel()
	began := time.Now()
	ref, err := b.guarded("send", func() (Ref, error) {
		switch {
		case p.EditOf != "":
			return target, editor.Edit(call, p.Team, target, p.Message)
		case p.To != "":
			return "", chat.Direct(call, p.To, p.Message, p.Key)
		}
		return chat.Post(call, p.Team, p.Message, thread, p.Key)
	})
	return b.settled(ctx, chat, p, began, clock(), ref, err)
}

// errPanic says that an adapter failed in the middle of a call.
var errPanic = errors.New("the adapter failed")

// guarded makes an error of a panic in an adapter: what became of the call is unknown.
func (b *Bot) guarded(what string, call func() (Ref, error)) (ref Ref, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.panicked(what, p)
			err = errPanic
		}
	}()
	return call()
}

// settled stores what became of an attempt. began is on the wall clock.
func (b *Bot) settled(ctx context.Context, chat Chat, p Post, began, now time.Time, ref Ref, err error) error {
	ctx = context.WithoutCancel(ctx) // the outcome is known and must not be lost to a shutdown
	var retry *RetryError
	switch {
	case err == nil:
		b.letIn(chat.Platform(), began)
		return b.settle(ctx, p.ID, func(p *Post) { p.State, p.Ref, p.Message = PostSent, ref, Message{} })
	case errors.As(err, &retry):
		wait := max(retry.After, backoff(p.Attempt))
		b.o.Log.Info("post later", "post", p.ID, "after", wait)
		return errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.State, p.After = PostQueued, now.Add(wait) }))
	case errors.Is(err, ErrUnauthorised):
		b.shutOut(chat.Platform())
		return cmp.Or(b.settle(ctx, p.ID, func(p *Post) { p.State, p.After = PostQueued, now.Add(signInAgain) }), errWaits)
	case errors.Is(err, ErrGone) && p.To == "": // a person who left is no channel that is gone
		b.o.Log.Warn("channel is gone", "team", p.Team)
		return errors.Join(b.settle(ctx, p.ID, func(p *Post) { p.State, p.Message = PostFailed, Message{} }), b.gone(ctx, p.Team, time.Time{}))
	case errors.Is(err, ErrUncertain), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, errPanic):
		b.o.Log.Warn("it is unknown whether a post arrived", "post", p.ID)
		if p.To != "" { // nobody can look it up, and one message too few does less harm than one too many
			return b.uncertain(ctx, p)
		}
		// It stays sending: looked up once it is settled, never repeated blindly.
		return cmp.Or(b.settle(ctx, p.ID, func(p *Post) { p.After = p.At.Add(settles(chat)) }), errWaits)
	case p.EditOf != "" && errors.Is(err, ErrNotFound): // somebody took it away
		return b.settle(ctx, p.ID, func(p *Post) { p.State, p.Message = PostFailed, Message{} })
	}
	b.o.Log.Error("post failed", "post", p.ID, "err", err)
	return b.fail(ctx, p, now)
}

// settles is how long after its start an attempt may still land.
func settles(chat Chat) time.Duration {
	if finder, ok := chat.(Finder); ok {
		return finder.Settles()
	}
	return SettleWindow
}

// lookUp settles a post of which it is unknown whether it arrived. done says that nothing is left to send.
func (b *Bot) lookUp(ctx context.Context, chat Chat, p Post, clock func() time.Time) (done bool, err error) {
	now := clock()
	if p.To != "" {
		return true, b.uncertain(ctx, p)
	}
	if p.At.After(now) { // the clock was set back: the window begins anew
		p.At = now
	}
	if until := p.At.Add(settles(chat)); now.Before(until) {
		return true, cmp.Or(b.settle(ctx, p.ID, func(row *Post) { row.At, row.After = p.At, until }), errWaits)
	}
	if p.EditOf != "" { // doing it twice does no harm, now that the first cannot come after the second
		return false, nil
	}
	finder, ok := chat.(Finder)
	if !ok {
		return true, b.uncertain(ctx, p)
	}
	call, cancel := b.call(ctx)
	defer cancel()
	began := time.Now()
	ref, err := b.guarded("look-up", func() (Ref, error) { return finder.Find(call, p.Team, p.Key, p.At) })
	ctx, now = context.WithoutCancel(ctx), clock()
	again := func(wait time.Duration) (bool, error) {
		return true, errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(max(wait, time.Second)) }))
	}
	var retry *RetryError
	switch {
	case err == nil:
		b.letIn(chat.Platform(), began)
		return true, b.settle(ctx, p.ID, func(p *Post) { p.State, p.Ref, p.Message = PostSent, ref, Message{} })
	case errors.As(err, &retry): // also one that holds ErrNotFound: it is too early to tell
		return again(retry.After)
	case errors.Is(err, ErrNotFound):
		b.letIn(chat.Platform(), began)
		return false, nil
	case errors.Is(err, ErrUnauthorised):
		b.shutOut(chat.Platform())
		return true, cmp.Or(b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(signInAgain) }), errWaits)
	case errors.Is(err, ErrGone):
		b.o.Log.Warn("channel is gone", "team", p.Team)
		return true, errors.Join(b.settle(ctx, p.ID, func(p *Post) { p.State, p.Message = PostFailed, Message{} }), b.gone(ctx, p.Team, time.Time{}))
	case errors.Is(err, ErrUncertain), now.Sub(p.At) > lookUpLimit:
		return true, b.uncertain(ctx, p)
	}
	// A failing look-up postpones, it never posts (TRUST D4).
	return again(min(now.Sub(p.At)/2, 5*time.Minute))
}

// fail ends a post that will not be sent, and tells whoever switched the team on, in the same transaction: nothing is
// lost without somebody hearing of it.
func (b *Bot) fail(ctx context.Context, p Post, now time.Time) error {
	key := "team.not-posted"
	tell := p.To == "" && p.EditOf == "" && !strings.HasSuffix(string(p.ID), "/reminder") // one that is too late is no news
	if p.EditOf != "" && p.Part != "" {                                                   // words that were taken back still stand there
		of, err := b.o.Store.Post(ctx, p.EditOf)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		key, tell = "team.not-edited", of.State == PostSent
	}
	var also Also
	if tell {
		t, err := b.o.Store.Team(ctx, p.Team)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if t.SwitchedOnBy != "" {
			m := Message{Lang: t.Settings.Lang, Blocks: []Block{Text(Rich(locale.Text(t.Settings.Lang, key), "team", t.Name)...)}}
			also.Posts = []Post{{ID: p.ID + "/failed", Key: newKey(), Team: p.Team, To: t.SwitchedOnBy, Message: m, State: PostQueued, After: now}}
		}
	}
	return b.o.Store.UpdatePost(ctx, p.ID, func(p *Post) (Also, error) {
		p.State, p.Message = PostFailed, Message{}
		p.forget()
		return also, nil
	})
}

// uncertain marks a post that nobody can look up, and asks whoever switched the team on in the same transaction. A
// private message is not asked about: status tells what it was about.
func (b *Bot) uncertain(ctx context.Context, p Post) error {
	b.o.Log.Warn("post is uncertain", "post", p.ID)
	var also Also
	if p.To == "" {
		t, err := b.o.Store.Team(ctx, p.Team)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if t.SwitchedOnBy != "" {
			also.Posts = []Post{{
				ID: PostID(fmt.Sprintf("%s/ask/%d", p.ID, p.Attempt)), Key: newKey(), Team: p.Team, To: t.SwitchedOnBy,
				Message: Message{Lang: t.Settings.Lang, Blocks: askWhether(t.Settings.Lang, t.Name, p.ID)}, State: PostQueued, After: p.After,
			}}
		}
	}
	return b.o.Store.UpdatePost(ctx, p.ID, func(p *Post) (Also, error) {
		p.State = PostUncertain
		return also, nil
	})
}

// askWhether asks a manager whether a post stands in the channel.
func askWhether(lang prompts.Lang, team string, id PostID) []Block {
	say := sayer(lang)
	return []Block{
		Text(Rich(say("team.uncertain"), "team", team)...),
		{Kind: BlockActions, Actions: []Action{
			{Do: "there", Arg: string(id), Label: say("team.uncertain-there"), Typed: say("team.uncertain-there-word")},
			{Do: "not-there", Arg: string(id), Label: say("team.uncertain-not"), Typed: say("team.uncertain-not-word")},
		}},
	}
}

// resolve settles an uncertain post by what a manager saw.
func (b *Bot) resolve(ctx context.Context, f From, id PostID, there bool) (Response, error) {
	say := sayer(f.Lang)
	p, err := b.o.Store.Post(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return say.kept("team.uncertain-settled"), nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	t, err := b.o.Store.Team(ctx, p.Team)
	if err != nil {
		return say.message("common.later"), err
	}
	if ok, err := b.manages(ctx, f, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	key := newKey()
	err = b.o.Store.UpdatePost(ctx, id, func(p *Post) (Also, error) {
		switch {
		case p.State != PostUncertain || f.At.Before(p.At) || !f.At.After(p.Settled): // settled, or an answer about an earlier attempt
			return Also{}, errSame
		case there:
			p.State, p.Message = PostSent, Message{}
		default:
			p.State, p.Key, p.After = PostQueued, key, f.At
		}
		p.Settled = f.At.UTC()
		return Also{}, nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return say.message("common.later"), err
	}
	b.wake(b.wakeSender)
	return say.kept("team.uncertain-settled"), nil
}

// refs finds the posts that p hangs on. While one of them is still on its way, wait is when that one may leave.
func (b *Bot) refs(ctx context.Context, p Post, now time.Time) (thread, target Ref, wait time.Time, err error) {
	find := func(id PostID) (Ref, error) {
		if id == "" {
			return "", nil
		}
		on, err := b.o.Store.Post(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			return "", nil
		case err != nil:
			return "", err
		case on.State == PostQueued || on.State == PostSending:
			wait = later(wait, on.After)
		case on.State == PostUncertain: // a manager is being asked
			wait = later(wait, now.Add(askAgain))
		}
		return on.Ref, nil
	}
	if thread, err = find(p.ReplyTo); err != nil {
		return "", "", wait, err
	}
	target, err = find(p.EditOf)
	return thread, target, wait, err
}

// askAgain is how often a post looks whether the uncertain one it hangs on has been settled.
const askAgain = 10 * time.Minute

// forget drops from a post that is over what would tell of a person: whom a private message was for; and when a give-back
// was edited, since that is when somebody took a reply away (TRUST 2.6).
func (p *Post) forget() {
	if p.State != PostSent && p.State != PostFailed {
		return
	}
	p.To = ""
	if p.Part != "" && p.EditOf != "" {
		p.After, p.At = time.Time{}, time.Time{}
	}
}

func (b *Bot) settle(ctx context.Context, id PostID, edit func(*Post)) error {
	return b.o.Store.UpdatePost(ctx, id, func(p *Post) (Also, error) {
		edit(p)
		p.forget()
		return Also{}, nil
	})
}

// backoff doubles from a second to five minutes, with full jitter.
func backoff(attempt int) time.Duration {
	ceiling := min(time.Second<<min(attempt, 9), 5*time.Minute)
	return ceiling/2 + rand.N(ceiling/2+1)
}

func platformOf(team TeamID) string {
	platform, _, _ := strings.Cut(string(team), ":")
	return platform
}

func (b *Bot) chatOf(team TeamID) Chat { return b.platform(platformOf(team)) }
