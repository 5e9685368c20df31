package slack

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/weerklank/weerklank/bot"
)

// The pace keeps calls below Slack's limits, so that none of them bites. A limit holds up what falls under it and nothing
// else.

const (
	defaultPerSecond = 3 // messages over all channels; Slack names no figure
	// below keeps a little under a limit, since calls do not arrive as far apart as they left.
	below      = 0.97
	perChannel = time.Second // between messages in a channel, from the answer to the first
	perMinute  = 62 * time.Second
	// patience is how long a call waits for its turn if nobody says how long; lead is how much earlier than its turn one
	// comes back that was sent away, so that there is always one waiting.
	patience  = 12 * time.Second
	lead      = 3 * time.Second
	leastWait = time.Second
	turnKept  = 10 * time.Minute // for who does not come back
)

// pace is when which call may be made.
type pace struct {
	mu       sync.Mutex
	posts    *rate.Limiter
	channels map[string]*turn
	used     []string // channels that were posted in, the oldest first
	minutes  map[string]*minute
	queues   map[string]*queue
	barred   map[target]time.Time
	unpaced  bool // only Slack's own limits count: to measure
}

// target is what a limit of Slack's is about: a method, and the channel where it counts for each by itself.
type target struct{ method, channel string }

func targetOf(method, channel string) target {
	if method != methodPost {
		channel = ""
	}
	return target{method, channel}
}

const methodPost = "chat.postMessage"

func newPace(perSecond float64) *pace {
	if perSecond <= 0 {
		perSecond = defaultPerSecond
	}
	return &pace{
		posts: rate.NewLimiter(rate.Limit(below*perSecond), 1), channels: map[string]*turn{}, minutes: map[string]*minute{},
		queues: map[string]*queue{}, barred: map[target]time.Time{},
	}
}

// tier is how often a method may be called in a minute; zero: it has no limit of its own. To open a view there are three
// seconds: it is tried whatever its limit.
func tier(method string) int {
	switch method {
	case "conversations.list", "users.list":
		return 20
	case "chat.update", "chat.delete", "conversations.open", "conversations.info", "conversations.history",
		"conversations.replies", "users.conversations":
		return 50
	case "chat.postEphemeral", "views.update", "views.push", "views.publish", "users.info", "conversations.members",
		"files.getUploadURLExternal", "files.completeUploadExternal":
		return 100
	}
	return 0
}

// posts says whether a method puts a message in a channel.
func posts(method string) bool {
	return method == methodPost || method == "chat.postEphemeral" || method == "files.completeUploadExternal"
}

// errPaced says that a call must wait for its turn for longer than it can.
var errPaced = errors.New("slack: waits for its turn")

// enter waits until a call may be made; leave says that it was answered. It waits until ctx would end, or for patience if
// ctx has no deadline. A *bot.RetryError: the turn comes later, and nothing was done.
func (p *pace) enter(ctx context.Context, method, channel string) (leave func(), err error) {
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(patience)
	}
	if err := p.unbarred(ctx, targetOf(method, channel), until); err != nil {
		return nil, err
	}
	end := func(bool) {}
	if p.unpaced {
		return func() {}, nil
	}
	if method == methodPost && channel != "" {
		if end, err = p.turnIn(ctx, channel, until); err != nil {
			return nil, err
		}
		err = p.unbarred(ctx, targetOf(method, channel), until) // by the one before it
	}
	if err == nil && posts(method) {
		err = p.slot(ctx, "", channel, until)
	}
	if err == nil && tier(method) > 0 {
		err = p.slot(ctx, method, channel, until)
	}
	if err != nil {
		end(false)
		return nil, err
	}
	return func() { end(true) }, nil
}

// limited notes that Slack wants no call of a method for a while, in that channel if there is one.
func (p *pace) limited(method, channel string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for t, until := range p.barred {
		if until.Before(now) {
			delete(p.barred, t)
		}
	}
	if t := targetOf(method, channel); p.barred[t].Before(now.Add(wait)) {
		p.barred[t] = now.Add(wait)
	}
}

// unbarred waits until Slack's own limit is over.
func (p *pace) unbarred(ctx context.Context, t target, until time.Time) error {
	p.mu.Lock()
	at := p.barred[t]
	p.mu.Unlock()
	if at.After(until) {
		return &bot.RetryError{After: max(time.Until(at), leastWait), Err: errLimited}
	}
	return paced(sleep(ctx, time.Until(at)))
}

func paced(err error) error {
	if err != nil {
		return &bot.RetryError{After: leastWait, Err: errPaced}
	}
	return nil
}

// turn is a channel in which a message is being posted, or was a moment ago.
type turn struct {
	mine  chan struct{}
	users int
	free  time.Time
}

// turnIn waits until a message may be posted in a channel: one at a time, and perChannel after the answer to the one before,
// since what is sent apart may arrive together.
func (p *pace) turnIn(ctx context.Context, channel string, until time.Time) (end func(used bool), err error) {
	p.mu.Lock()
	t := p.channels[channel]
	if t == nil {
		t = &turn{mine: make(chan struct{}, 1)}
		p.channels[channel] = t
	}
	t.users++
	p.mu.Unlock()
	limit := time.NewTimer(time.Until(until))
	defer limit.Stop()
	select {
	case t.mine <- struct{}{}:
	case <-ctx.Done():
		p.gone(channel, false)
		return nil, paced(ctx.Err())
	case <-limit.C:
		p.gone(channel, false)
		return nil, paced(errPaced)
	}
	end = func(used bool) {
		p.gone(channel, used)
		<-t.mine
	}
	p.mu.Lock()
	free := t.free
	p.mu.Unlock()
	if free.After(until) {
		err = errPaced
	} else {
		err = sleep(ctx, time.Until(free))
	}
	if err != nil {
		end(false)
		return nil, paced(err)
	}
	return end, nil
}

// gone notes that somebody is done with a channel, and forgets the channels in which nothing happens.
func (p *pace) gone(channel string, used bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	t := p.channels[channel]
	t.users--
	if used {
		t.free = now.Add(perChannel)
		p.used = append(p.used, channel)
	} else if t.users == 0 && !t.free.After(now) {
		delete(p.channels, channel)
	}
	for len(p.used) > 0 {
		t := p.channels[p.used[0]]
		if t != nil && t.free.After(now) {
			return
		}
		if t != nil && t.users == 0 {
			delete(p.channels, p.used[0])
		}
		p.used = p.used[1:]
	}
}

// minute is the last calls of a method: as many at once as its tier allows, and never more within a minute. It is a little
// longer than a minute, since calls do not arrive as far apart as they left. (A token bucket that allows as many at once
// would allow twice as many in the first minute.)
type minute struct {
	at   []time.Time // when the last calls were made or will be, the oldest at next
	next int
}

// reserve takes the next turn, and says when it is; cancel gives it back.
func (m *minute) reserve(now time.Time) (at time.Time, cancel func()) {
	old := m.at[m.next]
	at = old.Add(perMinute)
	if at.Before(now) {
		at = now
	}
	mine := m.next
	m.at[mine] = at
	m.next = (mine + 1) % len(m.at)
	return at, func() {
		if m.next == (mine+1)%len(m.at) && m.at[mine].Equal(at) { // nobody came after it
			m.at[mine], m.next = old, mine
		}
	}
}

// queue is who was sent away from a limit, and when their turn comes.
type queue struct {
	apart time.Duration
	end   time.Time
	swept time.Time
	turns map[string]time.Time
}

// later says when somebody who cannot wait until at should come back. Everybody gets a turn of their own, so that they do
// not all come back at once, and keeps it: who comes back and is still too early waits a little longer, not behind everybody.
func (q *queue) later(now, at time.Time, who string) time.Duration {
	if mine, ok := q.turns[who]; ok {
		if mine.After(at) {
			at = mine
		}
		return max(at.Sub(now)-lead, leastWait)
	}
	if q.end.Before(at) {
		q.end = at
	}
	q.end = q.end.Add(q.apart)
	if who != "" {
		if now.Sub(q.swept) > turnKept {
			q.swept = now
			maps.DeleteFunc(q.turns, func(_ string, at time.Time) bool { return now.Sub(at) > turnKept })
		}
		q.turns[who] = q.end
	}
	return max(q.end.Sub(now)-lead, leastWait)
}

// slot takes a turn under the limit of a method, or of all messages if that is empty, and waits for it.
func (p *pace) slot(ctx context.Context, method, channel string, until time.Time) error {
	p.mu.Lock()
	now := time.Now()
	at, cancel := p.reserve(method, now)
	q := p.queueOf(method)
	if at.After(until) {
		cancel()
		after := q.later(now, at, channel)
		p.mu.Unlock()
		return &bot.RetryError{After: after, Err: errPaced}
	}
	delete(q.turns, channel)
	p.mu.Unlock()
	if err := sleep(ctx, time.Until(at)); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		cancel()
		return paced(err)
	}
	return nil
}

func (p *pace) reserve(method string, now time.Time) (at time.Time, cancel func()) {
	if method == "" {
		r := p.posts.ReserveN(now, 1)
		return now.Add(r.DelayFrom(now)), r.Cancel
	}
	m := p.minutes[method]
	if m == nil {
		m = &minute{at: make([]time.Time, tier(method))}
		p.minutes[method] = m
	}
	return m.reserve(now)
}

func (p *pace) queueOf(method string) *queue {
	q := p.queues[method]
	if q == nil {
		apart := perMinute / time.Duration(max(tier(method), 1))
		if method == "" {
			apart = time.Duration(float64(time.Second) / float64(p.posts.Limit()))
		}
		q = &queue{apart: apart, turns: map[string]time.Time{}}
		p.queues[method] = q
	}
	return q
}
