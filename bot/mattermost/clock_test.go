package mattermost_test

import (
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

// Whatever our own clock says, what the adapter dates has the server's time, by which messages are dated.
func TestClockOfTheServer(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	for _, apart := range []time.Duration{0, -90 * time.Minute, 90 * time.Minute, 3 * time.Second} { // from where it was
		d.s.Advance(apart)
		d.start()
		post, _ := d.s.Post(d.s.DM(d.fatima, "nu"))
		if off := time.UnixMilli(post.Created).Sub(d.a.Now()).Abs(); off > 1500*time.Millisecond {
			t.Errorf("moved by %s: %s off", apart, off)
		}
		d.stop()
	}
}

// The more answers, the nearer.
func TestClockNarrows(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Advance(-1234567 * time.Millisecond)
	a := d.open()
	for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		_, _ = a.Count(t.Context(), bot.TeamID("mattermost:"+d.crew))
	}
	post, _ := d.s.Post(d.s.DM(d.fatima, "nu"))
	if off := time.UnixMilli(post.Created).Sub(a.Now()).Abs(); off > 200*time.Millisecond {
		t.Errorf("%s off", off)
	}
}
