package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// Socket Mode. Two connections, since the library drops one before it opens the next: with one, every refresh would lose what
// people press for good. Slack sends each thing to one of them.

const (
	helloTime     = 10 * time.Second
	stopGrace     = 2 * time.Second        // for what is being handled when the program stops
	flushTime     = 25 * time.Millisecond  // for an acknowledgement to leave
	usualLifetime = 18_060 * time.Second   // of a connection, where it is not said
	renewQuiet    = 2 * time.Second        // without anything coming in, before a connection is renewed
	renewMoment   = 100 * time.Millisecond // the same, when that did not come for long
	renewAgain    = 10 * time.Second       // before looking again whether it is quiet
	leaveTime     = 5 * time.Second        // for the other side to end a connection that we leave
	maxResent     = 1000                   // envelopes of which is remembered that their acknowledgement was sent again
)

// sockets are the connections of Socket Mode.
type sockets struct {
	in    *intake
	log   *slog.Logger
	back  func(since time.Time)
	hello time.Duration

	mu      sync.Mutex
	all     []*socket
	last    time.Time // when something came in
	sent    time.Time // when something was last acknowledged
	down    time.Time // since when there is no connection; zero: there is one, or there never was
	others  int       // connections that are not ours, as of the last hello
	fatal   error
	resent  map[string]bool
	sending sync.WaitGroup
}

// socket is one of the connections, over all times that it is opened again.
type socket struct {
	of     *sockets
	client *socketmode.Client
	replan chan struct{} // a hello came, of any of them

	// Below of.mu.
	conn     net.Conn
	open     bool      // it can send
	since    time.Time // its hello; zero: none yet
	lifetime time.Duration
	waiting  int // envelopes that are not acknowledged yet
	state    socketState
}

// socketState is how a connection is doing.
type socketState struct {
	Connected bool      // it said hello
	Since     time.Time // since then
	Opens     int64     // how often it was opened
	Garbage   int64     // frames that are no envelope
	LastError string    // what sort of thing went wrong last; empty: nothing
	ErrorAt   time.Time
}

// socketHealth is how Socket Mode is doing.
type socketHealth struct {
	Sockets []socketState
	Down    time.Time // since when there is no connection; zero: there is one, or there never was
	Others  int       // connections of the app that are not ours: what goes to them is lost to us
	Fatal   error     // why it stopped for good
}

// newSockets makes the connections; they are opened by run. back is told when there is a connection again, and since when there
// was none; a zero time: since we began. It must not block.
func newSockets(w *wire, in *intake, log *slog.Logger, back func(since time.Time)) *sockets {
	s := &sockets{in: in, log: log, back: back, hello: helloTime, resent: map[string]bool{}}
	for range 2 {
		c := &socket{of: s, replan: make(chan struct{}, 1)}
		c.client = w.socket(c.dialed, c.ended)
		s.all = append(s.all, c)
	}
	return s
}

// run keeps the connections until ctx ends. A *signInError: Slack does not let the bot in, and it is no use to try again. When it
// ends, nothing more is taken, and what is being handled may still be acknowledged for a moment.
func (s *sockets) run(ctx context.Context) error {
	s.mu.Lock()
	s.fatal = nil
	s.mu.Unlock()
	live, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	failed := make(chan error, len(s.all))
	var running sync.WaitGroup
	for _, c := range s.all {
		running.Go(func() {
			if err := c.keep(live); err != nil && live.Err() == nil {
				failed <- err
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
		idle := s.in.shut()
		grace := time.NewTimer(stopGrace)
		defer grace.Stop()
		select {
		case <-idle:
			s.flush()
		case <-grace.C:
		}
	case err = <-failed:
		s.mu.Lock()
		s.fatal = err
		s.mu.Unlock()
		s.log.Error("slack: stopped", "err", err)
	}
	cut()
	running.Wait()
	s.sending.Wait()
	return err
}

// flush waits until the last acknowledgement left. The library does not say when.
func (s *sockets) flush() {
	s.mu.Lock()
	at := s.sent.Add(flushTime)
	s.mu.Unlock()
	sleep(context.Background(), time.Until(at))
}

// health says how the connections are doing.
func (s *sockets) health() socketHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := socketHealth{Down: s.down, Others: s.others, Fatal: s.fatal}
	for _, c := range s.all {
		state := c.state
		state.Connected, state.Since = !c.since.IsZero(), c.since
		h.Sockets = append(h.Sockets, state)
	}
	return h
}

// keep opens the connection again and again. The carrier spaces that.
func (c *socket) keep(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := c.once(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// once runs the library's client until it gives up or must begin anew. An error: trying again is no use.
func (c *socket) once(ctx context.Context) (ends error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.client.RunContext(ctx) }()
	limit, renew := stopped(), stopped()
	defer limit.Stop()
	defer renew.Stop()
	for {
		select {
		case e := <-c.client.Events:
			if err := c.event(e, limit); err != nil {
				ends = err
				cancel()
			}
		case <-limit.C:
			c.overdue()
			cancel()
		case <-c.replan:
			renew.Stop()
			if wait, ok := c.renewIn(); ok {
				renew.Reset(wait)
			}
		case <-renew.C:
			if again, ok := c.mayRenew(); !ok {
				renew.Reset(again)
			} else if c.leave() {
				limit.Reset(leaveTime)
			} else {
				cancel()
			}
		case err := <-done:
			for range len(c.client.Events) { // what came before the end
				if err := c.event(<-c.client.Events, limit); err != nil {
					ends = err
				}
			}
			c.closed()
			if ctx.Err() == nil {
				c.trouble(short(err))
			}
			if ends == nil {
				ends = fatal(slotApp, err)
			}
			return ends
		}
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// event takes what the library says; limit ends the connection unless it gets further before. It must not block: unread, the
// library would answer no pings and lose what came.
func (c *socket) event(e socketmode.Event, limit *time.Timer) error {
	switch data := e.Data.(type) {
	case *api.ConnectionErrorEvent:
		if !errors.Is(data.ErrorObj, context.Canceled) { // by us
			c.trouble(short(data.ErrorObj))
		}
		return fatal(slotApp, data.ErrorObj)
	case *api.IncomingEventError:
		if _, ok := errors.AsType[*json.SyntaxError](data.ErrorObj); ok { // else it is how a connection ended
			c.garbage()
		}
		return nil
	case *socketmode.ErrorWriteFailed:
		c.resend(data.Response)
		return nil
	case *socketmode.ErrorBadMessage: // the library could not read it; that says nothing
		c.envelope(decodeEnvelope(data.Message), limit)
		return nil
	}
	switch e.Type {
	case socketmode.EventTypeConnecting:
		limit.Stop()
		c.opening()
	case socketmode.EventTypeConnected:
		limit.Reset(c.of.hello)
		c.connected()
	}
	if r := e.Request; r != nil {
		c.envelope(envelope{
			Type: r.Type, ID: r.EnvelopeID, Payload: r.Payload, Accepts: r.AcceptsResponsePayload,
			Attempt: max(r.RetryAttempt, 0), RetryReason: r.RetryReason, Connections: r.NumConnections,
			Lifetime: time.Duration(min(max(r.DebugInfo.ApproximateConnectionTime, 0), maxLifetime)) * time.Second,
		}, limit)
	}
	return nil
}

// envelope takes a frame.
func (c *socket) envelope(e envelope, limit *time.Timer) {
	switch {
	case e.Type == envelopeHello:
		limit.Stop()
		c.greeted(e)
		return
	case e.ID == "":
		c.garbage()
		return
	}
	c.came()
	if !c.of.in.put(e.inbound(), func(body json.RawMessage) error {
		defer c.count(-1)
		return c.ack(e, body)
	}) {
		c.count(-1)
	}
}

// ack acknowledges an envelope: on the connection that it came by if there still is one that takes it, else on the other.
// Without any it may leave when there is one again, which may be too late: what was not acknowledged comes again.
func (c *socket) ack(e envelope, body json.RawMessage) error {
	var payload any
	if e.Accepts && len(body) > 0 {
		payload = body
	}
	return c.send(e.ID, payload)
}

func (c *socket) send(id string, payload any) error {
	ctx, cancel := context.WithTimeout(context.Background(), ackTime)
	defer cancel()
	senders := c.of.senders(c)
	for _, full := range senders[:len(senders)-1] {
		short, cancel := context.WithTimeout(ctx, ackTime/4)
		err := full.AckCtx(short, id, payload)
		cancel()
		if err == nil {
			return nil
		}
	}
	return senders[len(senders)-1].AckCtx(ctx, id, payload)
}

// senders are the clients that can send, c's first; if there is none, c's.
func (s *sockets) senders(c *socket) []*socketmode.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = time.Now()
	var open []*socketmode.Client
	if c.open {
		open = append(open, c.client)
	}
	for _, other := range s.all {
		if other != c && other.open {
			open = append(open, other.client)
		}
	}
	if len(open) == 0 {
		open = append(open, c.client)
	}
	return open
}

// resend sends an acknowledgement once more, which could not be written.
func (c *socket) resend(r *socketmode.Response) {
	s := c.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == nil || s.resent[r.EnvelopeID] {
		return
	}
	if len(s.resent) >= maxResent {
		clear(s.resent)
	}
	s.resent[r.EnvelopeID] = true
	c.open = false // until it is opened again
	s.sending.Go(func() {
		if c.send(r.EnvelopeID, r.Payload) != nil {
			s.in.unsent.Add(1)
		}
	})
}

// opening notes that the connection is being opened: there is none meanwhile.
func (c *socket) opening() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.state.Opens++
	c.fall()
}

func (c *socket) connected() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.open = true
}

func (c *socket) closed() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.fall()
}

// fall notes that there is no connection.
func (c *socket) fall() {
	was := !c.since.IsZero()
	c.open, c.since = false, time.Time{}
	if was && c.of.none() {
		c.of.down = time.Now()
	}
}

func (s *sockets) none() bool {
	for _, c := range s.all {
		if !c.since.IsZero() {
			return false
		}
	}
	return true
}

// greeted notes a hello.
func (c *socket) greeted(e envelope) {
	s := c.of
	s.mu.Lock()
	first, down := s.none(), s.down
	c.open, c.since, c.lifetime = true, time.Now(), e.Lifetime
	if c.lifetime == 0 {
		c.lifetime = usualLifetime
	}
	s.down = time.Time{}
	ours := 0
	for _, other := range s.all {
		if !other.since.IsZero() {
			ours++
		}
		select {
		case other.replan <- struct{}{}:
		default:
		}
	}
	before := s.others
	s.others = max(e.Connections-ours, 0)
	others := s.others
	s.mu.Unlock()
	if others > 0 && before == 0 {
		s.log.Warn("slack: the app has connections that are not ours; what goes to them does not arrive here", "connections", others)
	}
	if first && s.back != nil {
		s.back(down)
	}
}

// renewIn says whether the connection is to be renewed before its time, and when: the last one if it is about as old as the
// others, so that they are not renewed together later.
func (c *socket) renewIn() (time.Duration, bool) {
	s := c.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if c != s.all[len(s.all)-1] || c.since.IsZero() {
		return 0, false
	}
	for _, other := range s.all {
		if other != c && !other.since.IsZero() && c.since.Sub(other.since).Abs() < c.lifetime/4 {
			return time.Until(c.since.Add(c.lifetime / 2)), true
		}
	}
	return 0, false
}

// mayRenew says whether the others can take over, and nothing is under way that could be lost; or else when to look again.
func (c *socket) mayRenew() (again time.Duration, ok bool) {
	s := c.of
	s.mu.Lock()
	defer s.mu.Unlock()
	again = min(renewAgain, c.lifetime/20)
	for _, other := range s.all {
		if other != c && !other.open {
			return again, false
		}
	}
	quiet := renewQuiet
	if time.Since(c.since) > 3*c.lifetime/4 {
		quiet = renewMoment
	}
	return again, c.waiting == 0 && time.Since(s.last) > quiet
}

// leave says to the other side that nothing more will be sent, which then ends the connection; what it sent already still
// arrives. False: that cannot be said.
func (c *socket) leave() bool {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return false
	}
	c.open = false
	return true
}

func (c *socket) dialed(conn net.Conn) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.conn = conn
}

// ended notes that nothing can be sent any more, before the library knows.
func (c *socket) ended(conn net.Conn) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.conn == conn {
		c.open = false
	}
}

// overdue notes that a connection did not get further in time.
func (c *socket) overdue() {
	c.of.mu.Lock()
	silent := c.since.IsZero()
	c.of.mu.Unlock()
	if silent {
		c.trouble("no_hello")
	}
}

func (c *socket) came() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.waiting++
	c.of.last = time.Now()
}

func (c *socket) count(n int) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.waiting += n
}

func (c *socket) garbage() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.state.Garbage++
}

// trouble notes what sort of thing went wrong.
func (c *socket) trouble(what string) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.state.LastError, c.state.ErrorAt = what, time.Now()
}

// greet opens one connection, waits for its hello and ends it: whether Socket Mode works, and how many connections the app then
// has. What Slack sends to that connection meanwhile is not acknowledged: an event comes again, a press is lost.
func (w *wire) greet(ctx context.Context) (connections int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := w.socket(func(net.Conn) {}, func(net.Conn) {})
	done := make(chan error, 1)
	go func() { done <- client.RunContext(ctx) }()
	defer func() {
		cancel()
		<-done
	}()
	limit := time.NewTimer(dialTime + helloTime)
	defer limit.Stop()
	for {
		select {
		case e := <-client.Events:
			switch data := e.Data.(type) {
			case *api.ConnectionErrorEvent:
				return 0, cmp.Or(fatal(slotApp, data.ErrorObj), fmt.Errorf("slack: no connection of Socket Mode: %s", short(data.ErrorObj)))
			case *socketmode.ErrorBadMessage:
				if h := decodeEnvelope(data.Message); h.Type == envelopeHello {
					return h.Connections, nil
				}
			}
			if e.Type == socketmode.EventTypeHello {
				return e.Request.NumConnections, nil
			}
		case err := <-done:
			done <- err
			return 0, cmp.Or(fatal(slotApp, err), err, errNoHello)
		case <-limit.C:
			return 0, errNoHello
		}
	}
}

var errNoHello = errors.New("slack: the connection of Socket Mode says no hello")
