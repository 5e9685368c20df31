package mattermost

import (
	"net/http"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// clock is how far the server's clock is from ours. Messages carry the server's time and forms carry ours, and the later of
// two is what counts. Each answer of the server tells its time in whole seconds, and so bounds; all together, narrow ones.
type clock struct {
	mu          sync.Mutex
	least, most time.Duration // bounds of what is to be added to our clock
	seen        bool
	apart       time.Duration // what is added
}

// saw narrows the bounds by an answer with that time, to a question that was sent and answered at these times of ours.
func (c *clock) saw(date, sent, answered time.Time) {
	least, most := date.Sub(answered), date.Add(time.Second).Sub(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen && max(c.least, least) <= min(c.most, most) {
		least, most = max(c.least, least), min(c.most, most)
	} // else one of the clocks was set
	c.seen, c.least, c.most = true, least, most
	c.apart = min(max(c.apart, least), most)
}

// on is a moment of ours on the server's clock.
func (c *clock) on(ours time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ours.Round(0).Add(c.apart)
}

// before is not later than a past moment of ours on the server's clock, whether that was set since or not.
func (c *clock) before(ours time.Time) time.Time {
	if at := c.on(ours); at.Before(ours) {
		return at
	}
	return ours
}

// now is the time on the server's clock.
func (a *Adapter) now() time.Time { return a.clock.on(time.Now()) }

// dated looks at the time in the server's answers.
type dated struct {
	http.RoundTripper
	clock *clock
}

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := time.Now()
	resp, err := d.RoundTripper.RoundTrip(r)
	if err != nil || resp.Header.Get(model.HeaderVersionId) == "" { // something in front of the server has its own clock
		return resp, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		d.clock.saw(at, sent, time.Now())
	}
	return resp, nil
}
