package mattermost

import (
	"strconv"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// Hurry lets an Adapter wait a part of what it waits otherwise.
func (a *Adapter) Hurry(part time.Duration) {
	w := &a.wait
	for _, d := range []*time.Duration{&w.look, &w.keep, &w.read, &w.tell, &w.pause, &w.longPause, &w.signIn, &w.again, &w.againWithin, &w.handle, &w.handleLongest} {
		*d /= part
	}
}

// CallTime bounds a call.
func (a *Adapter) CallTime(d time.Duration) { a.rest.HTTPClient.Timeout = d }

// Look sets how often the adapter looks whether the server is there.
func (a *Adapter) Look(every time.Duration) { a.wait.look = every }

// Read sets how often the adapter reads what happened though nothing seems to be missing.
func (a *Adapter) Read(every time.Duration) { a.wait.read = every }

// AgainWithin is how long after the first try of a post another may begin.
func (a *Adapter) AgainWithin(d time.Duration) { a.wait.againWithin = d }

// Now is what the adapter takes the server's time to be.
func (a *Adapter) Now() time.Time { return a.now() }

// AllTries is how long a post is tried, unless a test says otherwise.
func AllTries() time.Duration { return againWithin + callTime }

// Remembered is how much a tracker remembers of n things that were handled, and whether it would take the last one again.
func Remembered(n int) (remembered int, again bool) {
	t := newTracker()
	t.begin("held", 1)
	for i := range n {
		t.begin(strconv.Itoa(i), int64(i+2))
		t.end(strconv.Itoa(i))
	}
	return len(t.done), t.begin(strconv.Itoa(n-1), int64(n+1))
}

// Queue is how many events may wait.
func (a *Adapter) Queue(most int) { a.wait.queue = most }

// Silence is what becomes of a connection on which the library misses two pings, and misses them again.
func Silence() (err error, read bool) {
	s := &socket{more: make(chan struct{}, 1), client: &model.WebSocketClient{
		EventChannel: make(chan *model.WebSocketEvent), ResponseChannel: make(chan *model.WebSocketResponse), PingTimeoutChannel: make(chan bool),
	}}
	done := make(chan struct{})
	go func() { s.pump(); close(done) }()
	limit := time.After(10 * time.Second)
	for range 3 { // unread, the second would hold up the library's reader
		select {
		case s.client.PingTimeoutChannel <- true:
		case <-limit:
			return nil, false
		}
	}
	<-s.more
	_, err = s.take()
	close(s.client.EventChannel)
	<-done
	return err, true
}
