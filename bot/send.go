package bot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// sendTimeout bounds one attempt, so that a hanging platform holds nothing but its own channel.
const sendTimeout = 30 * time.Second

// outstanding is which teams' posts are being sent right now. A team's posts leave one after the other, in their order;
// teams do not wait for each other.
type outstanding struct {
	mu    sync.Mutex
	teams map[TeamID]bool
	rest  map[TeamID]time.Time // after a failure, a team is left alone until then
	slots chan struct{}        // how many teams at once
	wg    sync.WaitGroup
}

func newOutstanding() *outstanding {
	return &outstanding{teams: map[TeamID]bool{}, rest: map[TeamID]time.Time{}, slots: make(chan struct{}, 32)}
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
			b.out.slots <- struct{}{}
			var rest time.Time
			defer func() {
				<-b.out.slots
				b.out.done(team, rest)
				b.wake(b.wakeSender)
			}()
			for i, p := range byTeam[team] {
				if ctx.Err() == nil && b.contained("send", func() error { return b.sendOne(ctx, p, now) }) {
					continue
				}
				// Order within a team is kept: what follows waits for this one, and makes room for other teams.
				rest = b.holdBack(ctx, p.ID, byTeam[team][i+1:], now)
				return
			}
		})
	}
	return started, next, nil
}

// holdBack moves a team's posts behind the one that could not leave, and says until when the team rests.
func (b *Bot) holdBack(ctx context.Context, failed PostID, behind []Post, now time.Time) time.Time {
	rest := now.Add(time.Second)
	if p, err := b.o.Store.Post(ctx, failed); err == nil && p.After.After(rest) && (p.State == PostQueued || p.State == PostSending) {
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

// permitted is the first moment from now on at which something may be posted in a team's channel.
func (b *Bot) permitted(t Team, now time.Time) time.Time {
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return now // settings are checked before they are stored
	}
	if at := cal.Move(now); !at.IsZero() {
		return at.UTC()
	}
	return now
}

// sendOne carries one post. What it does to the row is stored before and after the call (TRUST 8). An error means that
// the team's next posts must wait.
func (b *Bot) sendOne(ctx context.Context, p Post, now time.Time) error {
	chat := b.chatOf(p.Team)
	if chat == nil {
		return b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(10 * time.Minute) })
	}
	if p.State == PostSending { // left over from a crash or an unanswered call: it may stand there already
		done, err := b.lookUp(ctx, chat, p, now)
		if done || err != nil {
			return err
		}
	}
	if !p.Until.IsZero() && now.After(p.Until) {
		return b.settle(ctx, p.ID, func(p *Post) { p.State = PostFailed; p.Message = Message{} })
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
	if p.EditOf != "" {
		editor, ok := chat.(Editor)
		if !ok || target == "" {
			return b.settle(ctx, p.ID, func(p *Post) { p.State = PostFailed; p.Message = Message{} })
		}
		if err := b.settle(ctx, p.ID, func(p *Post) { p.State, p.At, p.Attempt = PostQueued, now, p.Attempt+1 }); err != nil {
			return err
		}
		call, cancel := context.WithTimeout(ctx, sendTimeout)
		defer cancel()
		return b.settled(ctx, p, now, target, editor.Edit(call, p.Team, target, p.Message), true)
	}
	if err := b.settle(ctx, p.ID, func(p *Post) { p.State, p.At, p.Attempt = PostSending, now, p.Attempt+1 }); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var ref Ref
	if p.To != "" {
		err = chat.Direct(call, p.To, p.Message, p.Key)
	} else {
		ref, err = chat.Post(call, p.Team, p.Message, thread, p.Key)
	}
	return b.settled(ctx, p, now, ref, err, false)
}

// settled stores what became of an attempt. repeatable says that doing it twice does no harm (an edit).
func (b *Bot) settled(ctx context.Context, p Post, now time.Time, ref Ref, err error, repeatable bool) error {
	ctx = context.WithoutCancel(ctx) // the outcome is known and must not be lost to a shutdown
	var retry *RetryError
	switch {
	case err == nil:
		return b.settle(ctx, p.ID, func(p *Post) { p.State, p.Ref, p.Message = PostSent, ref, Message{} })
	case errors.As(err, &retry):
		wait := max(retry.After, backoff(p.Attempt))
		b.o.Log.Warn("post later", "post", p.ID, "after", wait, "err", err)
		return errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.State, p.After = PostQueued, now.Add(wait) }))
	case errors.Is(err, ErrGone) && p.To == "": // a person who left is no channel that is gone
		b.o.Log.Warn("channel is gone", "team", p.Team)
		return errors.Join(b.settle(ctx, p.ID, func(p *Post) { p.State = PostFailed; p.Message = Message{} }), b.gone(ctx, p.Team))
	case repeatable && (errors.Is(err, ErrUncertain) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(backoff(p.Attempt)) }))
	case errors.Is(err, ErrUncertain), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		b.o.Log.Warn("it is unknown whether a post arrived", "post", p.ID)
		return errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(time.Second) })) // stays sending: looked up, never repeated blindly
	}
	b.o.Log.Error("post failed", "post", p.ID, "err", err)
	return b.settle(ctx, p.ID, func(p *Post) { p.State = PostFailed; p.Message = Message{} })
}

// lookUp settles a post of which it is unknown whether it arrived. done says that nothing is left to send.
func (b *Bot) lookUp(ctx context.Context, chat Chat, p Post, now time.Time) (done bool, err error) {
	finder, ok := chat.(Finder)
	if !ok || p.To != "" {
		b.o.Log.Warn("post is uncertain; a manager is asked", "post", p.ID)
		return true, b.uncertain(ctx, p, now)
	}
	ref, err := finder.Find(ctx, p.Team, p.Key, p.At)
	var retry *RetryError
	switch {
	case err == nil:
		return true, b.settle(ctx, p.ID, func(p *Post) { p.State, p.Ref, p.Message = PostSent, ref, Message{} })
	case errors.Is(err, ErrNotFound):
		return false, nil
	case errors.As(err, &retry):
		return true, errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(max(retry.After, time.Second)) }))
	default: // a failing look-up postpones, it never posts (TRUST D4)
		return true, errors.Join(err, b.settle(ctx, p.ID, func(p *Post) { p.After = now.Add(backoff(p.Attempt)) }))
	}
}

// uncertain marks a post that nobody can look up and asks whoever switched the team on, once.
func (b *Bot) uncertain(ctx context.Context, p Post, now time.Time) error {
	if err := b.settle(ctx, p.ID, func(p *Post) { p.State = PostUncertain }); err != nil || p.To != "" {
		return err
	}
	t, err := b.o.Store.Team(ctx, p.Team)
	if errors.Is(err, ErrNotFound) || err == nil && t.SwitchedOnBy == "" {
		return nil
	}
	if err != nil {
		return err
	}
	say := sayer(t.Settings.Lang)
	ask := Message{Lang: t.Settings.Lang, Blocks: []Block{
		Text(Rich(say("team.uncertain"), "team", t.Name)...),
		{Kind: BlockActions, Actions: []Action{
			{Do: "there", Arg: string(p.ID), Label: say("team.uncertain-there"), Typed: say("team.uncertain-there-word")},
			{Do: "not-there", Arg: string(p.ID), Label: say("team.uncertain-not"), Typed: say("team.uncertain-not-word")},
		}},
	}}
	return b.o.Store.Queue(ctx, Post{ID: PostID(fmt.Sprintf("%s/ask/%d", p.ID, p.Attempt)), Key: newKey(), Team: p.Team, To: t.SwitchedOnBy, Message: ask, State: PostQueued, After: now})
}

// resolve settles an uncertain post by what a manager saw.
func (b *Bot) resolve(ctx context.Context, f From, id PostID, there bool) (Response, error) {
	say := sayer(f.Lang)
	p, err := b.o.Store.Post(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return say.message("team.uncertain-settled"), nil
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
	err = b.o.Store.UpdatePost(ctx, id, func(p *Post) error {
		switch {
		case p.State != PostUncertain:
			return errSame
		case there:
			p.State, p.Message = PostSent, Message{}
		default:
			p.State, p.Key, p.After = PostQueued, key, f.At
		}
		return nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return say.message("common.later"), err
	}
	b.wake(b.wakeSender)
	return say.message("team.uncertain-settled"), nil
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

func (b *Bot) settle(ctx context.Context, id PostID, edit func(*Post)) error {
	return b.o.Store.UpdatePost(ctx, id, func(p *Post) error {
		edit(p)
		// A give-back is edited because one person took a reply away: once that is done, nothing says when (TRUST 2.6).
		if p.Part != "" && p.EditOf != "" && (p.State == PostSent || p.State == PostFailed) {
			p.After, p.At = time.Time{}, time.Time{}
		}
		return nil
	})
}

// backoff doubles from a second to five minutes, with full jitter.
func backoff(attempt int) time.Duration {
	ceiling := min(time.Second<<min(attempt, 9), 5*time.Minute)
	return ceiling/2 + rand.N(ceiling/2+1)
}

func (b *Bot) chatOf(team TeamID) Chat {
	platform, _, _ := strings.Cut(string(team), ":")
	for _, c := range b.o.Chats {
		if c.Platform() == platform {
			return c
		}
	}
	return nil
}
