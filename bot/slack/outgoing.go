package slack

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weerklank/weerklank/bot"
)

const (
	sayTime     = 5 * time.Minute // for how long an answer waits for its turn; later nobody waits for it
	mostWaiting = 10_000          // answers that wait
	sayGrace    = time.Second / 2 // for what is being said when the program stops; what is not said then is said after it starts
)

// outgoing is what is said in answer to people. It waits for its turn below Slack's limits without holding up what comes in.
// What is in one lane leaves one after the other.
type outgoing struct {
	grace time.Duration // for what waits when the program stops

	mu      sync.Mutex
	base    context.Context // ends when nothing more may leave; nil: not yet begun
	lanes   map[string][]func(context.Context)
	waiting int
	work    sync.WaitGroup
}

// begin lets things leave, until the returned function was called.
func (o *outgoing) begin(ctx context.Context) (end func()) {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	o.mu.Lock()
	o.base = base
	o.mu.Unlock()
	return func() {
		idle := make(chan struct{})
		go func() { o.work.Wait(); close(idle) }()
		limit := time.NewTimer(o.grace)
		defer limit.Stop()
		select {
		case <-idle:
		case <-limit.C:
		}
		o.mu.Lock()
		o.base = nil
		o.mu.Unlock()
		cut()
		<-idle
	}
}

// put lets job do its work behind what is in the lane. False: there is too much, or nothing leaves any more.
func (o *outgoing) put(lane string, job func(context.Context)) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.base == nil || o.waiting >= mostWaiting {
		return false
	}
	o.waiting++
	jobs, busy := o.lanes[lane]
	o.lanes[lane] = append(jobs, job)
	if !busy {
		base := o.base
		o.work.Go(func() { o.serve(base, lane) })
	}
	return true
}

func (o *outgoing) serve(base context.Context, lane string) {
	for {
		o.mu.Lock()
		jobs := o.lanes[lane]
		if len(jobs) == 0 {
			delete(o.lanes, lane)
			o.mu.Unlock()
			return
		}
		job := jobs[0]
		jobs[0] = nil
		o.lanes[lane] = jobs[1:]
		o.mu.Unlock()
		func() {
			ctx, cancel := context.WithTimeout(base, sayTime)
			defer cancel()
			job(ctx)
		}()
		o.mu.Lock()
		o.waiting--
		o.mu.Unlock()
	}
}

// patiently makes a call again as long as nothing came of it and Slack says to come back, until ctx ends.
func patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		later, ok := errors.AsType[*bot.RetryError](err)
		if !ok || sleep(ctx, later.After) != nil {
			return err
		}
	}
}
