package mattermost_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

// Who asked for the people of a large channel and could not wait finds them at the next try: nothing is read twice.
func TestLargeChannel(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	for n := range 450 {
		who := d.s.AddUser(mattermosttest.User{Name: fmt.Sprintf("mens%d", n)})
		d.s.JoinTeam(d.team, who)
		d.s.Join(d.crew, who)
	}
	d.start()
	d.s.Fault(func(r mattermosttest.Request) *mattermosttest.Fault {
		if r.Method == http.MethodGet && r.Path == "/api/v4/users" {
			return &mattermosttest.Fault{Delay: 100 * time.Millisecond}
		}
		return nil
	})
	team := bot.TeamID("mattermost:" + d.crew)
	short, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	if n, err := d.a.Count(short, team); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d people at once: %v", n, err)
	}
	if n, err := d.a.Count(t.Context(), team); n != 452 || err != nil {
		t.Errorf("%d people: %v", n, err)
	}
	if names, err := d.a.Names(t.Context(), team); len(names) < 452 || err != nil {
		t.Errorf("%d names: %v", len(names), err)
	}
	if n := d.s.Count("GET /api/v4/users"); n != 3 {
		t.Errorf("%d pages of people", n)
	}
	d.s.Leave(d.crew, d.omar)
	d.s.DM(d.fatima, "een") // behind the event
	d.hears("een")
	if n, err := d.a.Count(t.Context(), team); n != 451 || err != nil {
		t.Errorf("%d people after one left: %v", n, err)
	}
}

// In which channels somebody is costs one small question for each channel of their own teams, whatever else the bot is in
// and however many people are there; and what was found before time ran out is not asked again.
func TestChannelsOfAPerson(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	want := []bot.TeamID{bot.TeamID("mattermost:" + d.crew)}
	for n := range 150 {
		c := d.s.AddChannel(d.team, fmt.Sprintf("ploeg%d", n), d.me, d.omar)
		if n%50 == 0 {
			d.s.Join(c, d.fatima)
			want = append(want, bot.TeamID("mattermost:"+c))
		}
	}
	elsewhere := d.s.AddTeam("elders", d.me, d.omar)
	for n := range 100 {
		d.s.AddChannel(elsewhere, fmt.Sprintf("ploeg%d", n), d.me, d.omar)
	}
	d.start()
	slow := func(r mattermosttest.Request) *mattermosttest.Fault {
		if strings.Contains(r.Path, "/members/") {
			return &mattermosttest.Fault{Delay: 10 * time.Millisecond}
		}
		return nil
	}
	d.s.Fault(slow)
	user := bot.Account("mattermost", "", d.fatima)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got, err := d.a.Channels(short, user); err == nil {
		t.Errorf("%d channels at once", len(got))
	}
	asked := func() (n int) {
		for _, e := range d.s.Journal() {
			if e.Kind == mattermosttest.KindRequest && strings.Contains(e.Name, "/members/"+d.fatima) && e.Status > 0 {
				n++
			}
		}
		return n
	}
	for range 2 {
		got, err := d.a.Channels(t.Context(), user)
		slices.Sort(got)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d channels, not %d: %v", len(got), len(want), err)
		}
	}
	if n := asked(); n > 153+8 || n < 153 { // some were under way when time ran out
		t.Errorf("%d questions", n)
	}
	if n := d.s.Count("GET /api/v4/users"); n != 0 {
		t.Errorf("%d pages of people", n)
	}
	d.s.Leave(d.crew, d.fatima)
	d.s.DM(d.omar, "een") // behind the event
	d.hears("een")
	if got, err := d.a.Channels(t.Context(), user); err != nil || len(got) != len(want)-1 {
		t.Errorf("%d channels after leaving one: %v", len(got), err)
	}
}
