package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// listeners are the program's servers, which stop together: nothing new comes in, pages that stay open end at once, and
// requests under way may finish for as long as the deadline allows.
type listeners struct {
	ctx  context.Context // ends when stopping begins
	fail context.CancelCauseFunc
	log  *slog.Logger

	requests    context.Context // ends when the bot has ended
	endRequests context.CancelFunc
	servers     map[string]*http.Server
	group       sync.WaitGroup
	shut        sync.WaitGroup
}

func newListeners(ctx context.Context, log *slog.Logger, fail context.CancelCauseFunc) *listeners {
	l := &listeners{ctx: ctx, fail: fail, log: log, servers: map[string]*http.Server{}}
	l.requests, l.endRequests = context.WithCancel(context.WithoutCancel(ctx))
	return l
}

// How long a request from outside may come in, and how long its answer may take, whatever serves it. What a handler knows to
// be shorter it bounds itself.
const (
	outsideRead  = 30 * time.Second
	outsideWrite = 2 * time.Minute
)

// outside bounds a server that anybody reaches: no connection of it is held for ever.
func outside(s *http.Server) { s.ReadTimeout, s.WriteTimeout = outsideRead, outsideWrite }

// add opens a listener and serves it, with what else is set on its server. It returns the address that was taken.
func (l *listeners) add(name, network, addr string, h http.Handler, set ...func(*http.Server)) (string, error) {
	listener, err := net.Listen(network, addr)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	// Bounded, but without a write timeout unless it is set: live pages stay open.
	s := &http.Server{Handler: l.endingStreams(h), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: serverLog(l.log), BaseContext: func(net.Listener) context.Context { return l.requests }}
	for _, f := range set {
		f(s)
	}
	l.servers[name] = s
	l.group.Go(func() {
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			l.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
	return listener.Addr().String(), nil
}

// endingStreams ends a stream of events when stopping begins. It would never end by itself.
func (l *listeners) endingStreams(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(l.ctx, cancel)()
			r = r.WithContext(ctx)
		}
		h.ServeHTTP(w, r)
	})
}

// closeIntake lets nothing new in. It does not wait for what is under way.
func (l *listeners) closeIntake(stop context.Context) {
	for name, s := range l.servers {
		l.shut.Go(func() {
			if err := s.Shutdown(stop); err != nil {
				l.log.Warn("requests did not end in time", "listener", name)
				s.Close()
			}
		})
	}
}

// close ends what is still under way, and waits for it until the deadline.
func (l *listeners) close(stop context.Context) error {
	l.endRequests()
	ended := make(chan struct{})
	go func() {
		l.shut.Wait()
		l.group.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-stop.Done():
		return errors.New("listeners: requests did not end in time")
	}
}
