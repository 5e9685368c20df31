package mattermost

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
)

const (
	dialTime    = 10 * time.Second
	helloTime   = 10 * time.Second
	readLimit   = 2 << 20
	lookEvery   = 60 * time.Second // at whether the token is still taken: a disabled bot keeps a silent open socket
	markEvery   = 30 * time.Second
	readEvery   = time.Hour // what happened, also if nothing seems to be missing: the server may lose an event without a gap
	tellEvery   = time.Hour // what messages waited for: seldom, so that it does not tell when somebody wrote
	firstPause  = time.Second
	longPause   = time.Minute
	signInAgain = time.Minute
)

// Run implements bot.Chat.
func (a *Adapter) Run(ctx context.Context, h bot.Handler) error {
	lanes := newLanes(a.log)
	a.track.restart()
	defer a.keepMark(context.WithoutCancel(ctx))
	defer a.tellTrouble()
	defer lanes.wait()
	a.calls.use(h)
	defer a.calls.use(nil)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { a.calls.watch(ctx) })
	watching.Go(func() {
		tell := time.NewTicker(a.wait.tell)
		defer tell.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tell.C:
				a.tellTrouble()
			}
		}
	})
	pause := a.wait.pause
	for {
		start := time.Now()
		err := a.connected(ctx, h, lanes)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(start) > a.wait.longPause {
			pause = a.wait.pause
		}
		wait := pause/2 + rand.N(pause)
		if errors.Is(err, bot.ErrUnauthorised) {
			wait = a.wait.signIn
		}
		a.log.Warn("mattermost: not connected", "err", err, "again_in", wait.Round(time.Millisecond).String())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause = min(2*pause, a.wait.longPause)
	}
}

// connected is one connection: sign in, dial, hello, catch up, then events until something is wrong. A new client each
// time: the library's own way to connect again is unsafe.
func (a *Adapter) connected(ctx context.Context, h bot.Handler, lanes *lanes) error {
	if _, err := a.signIn(ctx); err != nil {
		return err
	}
	a.measure(ctx)
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.hello(ctx); err != nil {
		return err
	}
	a.turn()
	defer a.turn()
	a.forget("")
	if err := a.catchUp(ctx, h, lanes, s.over); err != nil {
		return fmt.Errorf("catching up: %w", err)
	}
	a.log.Info("mattermost: connected")
	if !a.begun {
		a.begun = true
		if a.c.Begun != nil {
			a.c.Begun()
		}
	}
	look, keep, read := time.NewTicker(a.wait.look), time.NewTicker(a.wait.keep), time.NewTicker(a.wait.read)
	defer look.Stop()
	defer keep.Stop()
	defer read.Stop()
	looked := make(chan error, 1)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.more:
			events, err := s.take()
			for _, e := range events {
				a.event(ctx, h, lanes, e)
			}
			if err != nil {
				return err
			}
		case <-look.C:
			go func() {
				_, err := a.signIn(ctx)
				looked <- err
			}()
		case err := <-looked:
			if err != nil {
				return fmt.Errorf("looking whether the server is there: %w", err)
			}
		case <-keep.C:
			a.keepMark(ctx)
		case <-read.C:
			a.keepMark(ctx)
			if err := a.catchUp(ctx, h, lanes, s.over); err != nil {
				return fmt.Errorf("catching up: %w", err)
			}
		}
	}
}

// measure asks how long a post may be. A server that does not say it leaves what was known.
func (a *Adapter) measure(ctx context.Context) {
	all, status, err := settings(ctx, a.rest)
	if n, e := strconv.Atoi(all["MaxPostSize"]); status == http.StatusOK && err == nil && e == nil && n > 0 {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.longest = n
	}
}

// turn says that a connection was made, or that it ended.
func (a *Adapter) turn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.epoch++
}

// socket is a connection whose channels are always read, into a queue with a limit: unread, they would stop the pings.
type socket struct {
	client *model.WebSocketClient
	more   chan struct{}
	most   int // events that may wait

	mu    sync.Mutex
	queue []*model.WebSocketEvent
	ended error
	next  int64 // sequence of the next event
}

// queueLimit is how many events may wait. More are caught up with instead.
const queueLimit = 10_000

func (a *Adapter) dial(ctx context.Context) (*socket, error) {
	dialer := &websocket.Dialer{HandshakeTimeout: dialTime, Proxy: http.ProxyFromEnvironment}
	made := make(chan *socket, 1)
	fail := make(chan error, 1)
	url := "ws" + strings.TrimPrefix(a.c.URL, "http")
	go func() { // the library's dialling takes no context
		c, err := model.NewWebSocketClientWithDialer(dialer, url, a.c.Token)
		if err != nil {
			fail <- errors.New("mattermost: the websocket cannot be opened")
			return
		}
		c.Conn.SetReadLimit(readLimit)
		s := &socket{client: c, more: make(chan struct{}, 1), most: a.wait.queue}
		c.Listen()
		go s.pump()
		made <- s
	}()
	select {
	case s := <-made:
		return s, nil
	case err := <-fail:
		return nil, err
	case <-ctx.Done():
		go func() {
			select {
			case s := <-made:
				s.close()
			case <-fail:
			}
		}()
		return nil, ctx.Err()
	}
}

// close ends the connection by cutting the wire: the library's reader then cleans up by itself, as long as its channels are
// read until they are closed. Its own Close can hang on a writer that hangs, and panics when a ping comes at that moment.
func (s *socket) close() { s.client.Conn.Close() }

// The ways a connection ends.
var (
	errCut   = errors.New("mattermost: the connection was cut")
	errSilen = errors.New("mattermost: the server is silent")
	errGap   = errors.New("mattermost: events are missing")
	errFull  = errors.New("mattermost: too many events wait")
)

func (s *socket) pump() {
	for {
		select {
		case e, ok := <-s.client.EventChannel:
			if !ok {
				s.put(nil, errCut)
				return
			}
			s.put(e, nil)
		case <-s.client.ResponseChannel: // closed too, when the other one is
		case <-s.client.PingTimeoutChannel:
			s.put(nil, errSilen)
		}
	}
}

// put queues an event, or says why the connection ends. What comes twice is dropped, what is missing ends it.
func (s *socket) put(e *model.WebSocketEvent, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
		return
	case err != nil:
		s.ended = err
	case e.GetSequence() < s.next:
		return
	case e.GetSequence() > s.next:
		s.ended = errGap
	case len(s.queue) >= s.most:
		s.ended = errFull
	default:
		s.next++
		s.queue = append(s.queue, e)
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// take returns what waits, and why the connection ends if it does.
func (s *socket) take() ([]*model.WebSocketEvent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue = nil
	return all, s.ended
}

// over says why the connection ended, if it did.
func (s *socket) over() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// hello waits for the server's first words. Other events that came already stay in the queue.
func (s *socket) hello(ctx context.Context) error {
	limit := time.NewTimer(helloTime)
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return errors.New("mattermost: the server does not say hello")
		case <-s.more:
			s.mu.Lock()
			said, err := len(s.queue) > 0, s.ended
			said = said && s.queue[0].EventType() == model.WebsocketEventHello
			s.mu.Unlock()
			if said {
				select { // what came with it is looked at after catching up
				case s.more <- struct{}{}:
				default:
				}
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}
