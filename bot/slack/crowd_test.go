package slack_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// tiers are how often Slack takes a call in a minute.
var tiers = map[string]int{
	"conversations.list": 20, "users.list": 20, "chat.update": 50, "conversations.open": 50, "conversations.info": 50, "conversations.history": 50,
	"conversations.replies": 50, "users.conversations": 50, "chat.postEphemeral": 100, "views.update": 100, "views.publish": 100,
	"users.info": 100, "conversations.members": 100,
}

// crowded makes a crew of n people more.
func crowded(n int) func(*world) {
	return func(w *world) {
		for i := range n {
			w.people = append(w.people, w.s.AddUser(slacktest.User{Name: fmt.Sprintf("drukte%d", i), RealName: fmt.Sprintf("Drukte %d", i), Locale: "nl-NL", TZ: "Europe/Amsterdam"}))
		}
		w.crew = w.s.AddChannel(slacktest.Channel{Name: "buitendienst", Private: true, Members: append([]string{w.s.Bot(), w.boss}, w.people...)})
	}
}

// belowTiers holds that no method was called more often than Slack takes in a minute.
func (w *world) belowTiers() {
	w.t.Helper()
	for method, most := range tiers {
		var at []time.Time
		for _, e := range w.s.Journal() {
			if e.Kind == slacktest.KindRequest && e.Name == method {
				at = append(at, e.At)
			}
		}
		for i := most; i < len(at); i++ {
			if at[i].Sub(at[i-most]) < time.Minute {
				w.t.Errorf("%s was called %d times, too often in a minute", method, len(at))
				break
			}
		}
	}
}

// Two hundred people answer in a few seconds, with the form or by typing: each is heard in time and counts once.
func TestCrowd(t *testing.T) {
	for name, overHTTP := range transports() {
		for _, typed := range []bool{false, true} {
			if typed != overHTTP && !long() {
				continue
			}
			t.Run(fmt.Sprintf("%s typed %v", name, typed), func(t *testing.T) {
				w := newWorld(t, prompts.Dutch, overHTTP, crowded(192))
				defer w.end()
				w.switchOn()
				r := w.opens()
				say, quote := spoken(w.lang), locale.Say(w.lang, "reply.share-quote")
				var all sync.WaitGroup
				comes := time.NewTicker(15 * time.Millisecond) // seventy a second
				defer comes.Stop()
				for i, who := range w.people {
					<-comes.C
					all.Go(func() {
						if !typed {
							if got := w.fills(who, fmt.Sprintf("Ik kijk eerst wie er staat. %d", i), quote); !strings.Contains(got, say.kept) {
								t.Errorf("person %d: %s", i, got)
							}
							return
						}
						w.says(who, fmt.Sprintf("Ik kijk eerst wie er staat. %d", i))
						if got := w.says(who, say.typedShare); !strings.Contains(got.Seen(), say.kept) {
							t.Errorf("person %d: %s", i, got.Seen())
						}
					})
				}
				all.Wait()
				if box, err := w.db.Box(context.Background(), r.ID); err != nil || len(box) != len(w.people) {
					t.Errorf("%d of %d: %v", len(box), len(w.people), err)
				}
				if took := w.s.SlowestAck(); long() && took > 3*time.Second { // on a machine that does nothing else
					t.Errorf("an acknowledgement took %s", took)
				}
				if n := w.s.Count(slacktest.KindLost, "message"); n > 0 {
					t.Errorf("%d are lost", n)
				}
				w.belowTiers()
				// Who left the channel is refused at once.
				gone := w.people[5]
				w.s.Leave(w.crew, gone)
				w.s.Settle()
				if got := w.says(gone, "Nog een antwoord").Seen(); strings.Contains(got, quote) {
					t.Errorf("who left may answer: %s", got)
				}
			})
		}
	}
}

// At the pace that Slack takes, answers to many people wait for their turn, and all arrive; what they said is kept at once.
func TestCrowdAtPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prompts.Dutch, false, func(w *world) { w.second = 4 })
	defer w.end()
	w.switchOn()
	r := w.opens()
	for i, words := range []string{"Ik kijk eerst wie er staat.", "2"} {
		began := time.Now()
		for _, who := range w.people {
			w.s.TypeDirect(who, words)
		}
		w.s.Settle()
		if took := time.Since(began); took > time.Second {
			t.Logf("acknowledged after %s", took)
		}
		for _, who := range w.people {
			w.s.Await("an answer", func() bool { return len(slacktest.FromBot(w.s.DM(who))) > i })
		}
	}
	if box, err := w.db.Box(context.Background(), r.ID); err != nil || len(box) != len(w.people) {
		t.Errorf("%d of %d: %v", len(box), len(w.people), err)
	}
	var at []time.Time
	for _, e := range w.s.Journal() {
		if e.Kind == slacktest.KindRequest && e.Name == "chat.postMessage" {
			at = append(at, e.At)
		}
	}
	for i := 8; i < len(at); i++ {
		if at[i].Sub(at[i-8]) < 1500*time.Millisecond {
			t.Errorf("nine messages in %s", at[i].Sub(at[i-8]))
		}
	}
}

// Who comes and who leaves while it is asked who is in a channel: what was asked before is not believed afterwards.
func TestCrowdLeaving(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	gone := d.s.AddUser(slacktest.User{Name: "weg"})
	d.s.Join(d.crew, gone)
	var once sync.Once
	asked := make(chan struct{})
	d.s.Fault(func(r slacktest.Request) *slacktest.Fault {
		if r.Method != "conversations.members" {
			return nil
		}
		f := &slacktest.Fault{}
		once.Do(func() { f.Late = 300 * time.Millisecond; close(asked) })
		return f
	})
	first := make(chan int, 1)
	user := bot.Account("slack", "", gone)
	go func() {
		all, _ := d.a.Channels(ctx, user)
		first <- len(all)
	}()
	<-asked
	d.s.Await("the answer is on its way", func() bool { return d.s.Held() > 0 })
	d.s.Leave(d.crew, gone)
	d.a.Forget(d.crew) // as the event does
	<-first
	if all, err := d.a.Channels(ctx, user); err != nil || len(all) != 0 {
		t.Errorf("who left is in %d channels: %v", len(all), err)
	}
}
