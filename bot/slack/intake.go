package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// The intake is what both transports bring things to. It acknowledges in time whatever the handler does, so that Slack shows
// nobody an error and sends nothing again that is being handled.

const (
	answerWithin = 2500 * time.Millisecond // Slack's limit is 3 s
	ackTime      = 2 * time.Second         // of handing an acknowledgement to a connection
	maxAnswer    = 19 << 10                // Slack drops one of 20 KiB silently, the envelope's ID included
	queueLimit   = 10_000                  // of each pool
	poolWorkers  = 32                      // of each pool
)

// intake holds what came in until it is handled. What people press and send in does not wait behind what they type.
type intake struct {
	slow   func(inbound) json.RawMessage // what is acknowledged with when answerWithin is over; may be nil
	log    *slog.Logger
	within time.Duration

	mu     sync.RWMutex
	handle func(context.Context, inbound) // nil: nothing is taken
	quick  *pool
	events *pool

	unknown, late, full, panics, unsent atomic.Int64
}

// intakeHealth is how an intake is doing.
type intakeHealth struct {
	Waiting int   // what is not handled yet
	Unknown int64 // acknowledged and left alone
	Late    int64 // acknowledged before the handler was done
	Full    int64 // not taken and not acknowledged: Slack sends it again, if it is an event
	Panics  int64 // of handlers
	Unsent  int64 // acknowledgements that no connection took
}

// newIntake makes an intake. slow makes what is shown to whom the handler did not answer in time, a form that waits for
// instance; it must not block.
func newIntake(slow func(inbound) json.RawMessage, log *slog.Logger) *intake {
	return &intake{slow: slow, log: log, within: answerWithin}
}

// serve hands what comes in to handle, while carry brings it: until that returns, and then waits for what is being handled.
// The context of handle does not end with ctx: what was begun is ended. carry calls shut when nothing is to be taken any more.
func (k *intake) serve(ctx context.Context, handle func(context.Context, inbound), carry func(context.Context) error) error {
	quick, events := newPool(), newPool()
	k.mu.Lock()
	k.handle, k.quick, k.events = handle, quick, events
	k.mu.Unlock()
	work := context.WithoutCancel(ctx)
	quick.start(work)
	events.start(work)
	err := carry(ctx)
	k.shut()
	quick.wait()
	events.wait()
	return err
}

// shut takes nothing more. idle is closed when everything that was taken is handled.
func (k *intake) shut() (idle <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.handle = nil
	done := make(chan struct{})
	quick, events := k.quick, k.events
	go func() {
		defer close(done)
		if quick != nil {
			quick.close()
			events.close()
			quick.wait()
			events.wait()
		}
	}()
	return done
}

// put takes what came in; ack acknowledges it, once. It does not block. False: it was not taken, and must not be
// acknowledged.
func (k *intake) put(in inbound, ack func(json.RawMessage) error) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.handle == nil {
		return false
	}
	in.At = time.Now()
	a := &answer{ack: ack}
	in.answer = func(body json.RawMessage) error {
		err := a.give(body)
		if err != nil && err != errAnswered && err != errLarge {
			k.unsent.Add(1)
		}
		return err
	}
	handle, lane, to := k.handle, laneOf(in), k.events
	switch in.Kind {
	case kindUnknown:
		handle = func(context.Context, inbound) { k.unknown.Add(1) }
	case kindInteraction, kindCommand:
		to = k.quick
	}
	taken := to.put(lane, func(ctx context.Context) {
		defer in.answer(nil)
		defer k.survive()
		handle(ctx, in)
	})
	if !taken {
		k.full.Add(1)
		return false
	}
	a.after(k.within, func() { k.force(in) })
	return true
}

// survive ends a panic, so that one thing that came in stops no other.
func (k *intake) survive() {
	if p := recover(); p != nil { // what it says may hold people's words
		k.panics.Add(1)
		k.log.Error("slack: a handler failed", "type", fmt.Sprintf("%T", p))
	}
}

// force acknowledges what the handler did not answer in time.
func (k *intake) force(in inbound) {
	var body json.RawMessage
	if k.slow != nil && in.Kind != kindUnknown {
		func() {
			defer k.survive()
			body = k.slow(in)
		}()
	}
	err := in.answer(body)
	if err == errLarge {
		err = in.answer(nil)
	}
	if err != errAnswered {
		k.late.Add(1)
	}
}

// health says how the intake is doing.
func (k *intake) health() intakeHealth {
	k.mu.RLock()
	defer k.mu.RUnlock()
	h := intakeHealth{Unknown: k.unknown.Load(), Late: k.late.Load(), Full: k.full.Load(), Panics: k.panics.Load(), Unsent: k.unsent.Load()}
	if k.quick != nil {
		h.Waiting = k.quick.waiting() + k.events.waiting()
	}
	return h
}

// laneOf is what must be handled in its order: what one person does, and what happens in one channel.
func laneOf(in inbound) string {
	switch in.Kind {
	case kindInteraction:
		return in.Interaction.User.Reveal()
	case kindCommand:
		return in.Command.User.Reveal()
	case kindEvent:
		if m := in.Event.Message; m != nil && m.Channel != "" {
			return m.Channel
		}
		if in.Event.Channel != "" {
			return in.Event.Channel
		}
		return in.Event.User.Reveal()
	}
	return ""
}

// answer is an acknowledgement, which is given once.
type answer struct {
	ack func(json.RawMessage) error

	mu    sync.Mutex
	given bool
	timer *time.Timer
}

func (a *answer) give(body json.RawMessage) error {
	if len(body) > maxAnswer {
		return errLarge
	}
	a.mu.Lock()
	given := a.given
	a.given = true
	a.mu.Unlock()
	if given {
		return errAnswered
	}
	a.stop()
	return a.ack(body)
}

// after does force unless the answer is given before.
func (a *answer) after(wait time.Duration, force func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.given {
		a.timer = time.AfterFunc(wait, force)
	}
}

func (a *answer) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
}

// pool is a queue with a limit and a fixed number of workers. What is in one lane is done one after the other.
type pool struct {
	limit int
	work  sync.WaitGroup

	mu     sync.Mutex
	more   sync.Cond
	ready  []*lane          // with something to do, and nobody at it
	lanes  map[string]*lane // all that have a name
	queued int
	closed bool
}

type lane struct {
	name string
	jobs []func(context.Context)
}

func newPool() *pool {
	p := &pool{limit: queueLimit, lanes: map[string]*lane{}}
	p.more.L = &p.mu
	return p
}

func (p *pool) start(ctx context.Context) {
	for range poolWorkers {
		p.work.Go(func() {
			for l, job := p.next(); l != nil; l, job = p.next() {
				job(ctx)
				p.done(l)
			}
		})
	}
}

// put queues a job; without a lane's name it waits for no other. False: there are too many, or the pool is closed.
func (p *pool) put(name string, job func(context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.queued >= p.limit {
		return false
	}
	p.queued++
	if l := p.lanes[name]; l != nil {
		l.jobs = append(l.jobs, job)
		return true
	}
	l := &lane{name: name, jobs: []func(context.Context){job}}
	if name != "" {
		p.lanes[name] = l
	}
	p.ready = append(p.ready, l)
	p.more.Signal()
	return true
}

// next waits for a lane with something to do; nil when the pool is closed and there is none.
func (p *pool) next() (*lane, func(context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) == 0 {
		if p.closed {
			return nil, nil
		}
		p.more.Wait()
	}
	l := p.ready[0]
	p.ready = p.ready[1:]
	return l, l.jobs[0]
}

// done puts a lane back whose first job is done; behind the others, so that one that is full holds up nobody.
func (p *pool) done(l *lane) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queued--
	l.jobs[0] = nil
	l.jobs = l.jobs[1:]
	if len(l.jobs) == 0 {
		delete(p.lanes, l.name)
		return
	}
	p.ready = append(p.ready, l)
	p.more.Signal()
}

func (p *pool) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queued
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.more.Broadcast()
}

func (p *pool) wait() { p.work.Wait() }
