package slack_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// outcomeOf is what somebody's answer must be at closing.
type outcomeOf struct {
	text  string // as it stands last
	in    bool   // it counts
	gone  []string
	known bool // the bot said what became of it
}

// chaos is what goes wrong on such a day.
type chaos struct {
	w     *world
	rng   *rand.Rand
	stop  chan struct{}
	ended sync.WaitGroup
}

// strike lets something go wrong, some ten times a second, until the end.
func (c *chaos) strike() {
	s := c.w.s
	tick := time.NewTicker(80 * time.Millisecond)
	defer tick.Stop()
	// What is lost on its way to a person, nobody says again: these are the faults after which it stands there, or nothing was done.
	said := []slacktest.Fault{slacktest.Limited("1"), slacktest.Limited("0"), slacktest.DoneCut(), slacktest.DoneHalf(), slacktest.Broken(502, true), slacktest.DoneCode("internal_error")}
	any := append([]slacktest.Fault{slacktest.LostCut(), slacktest.Broken(502, false), slacktest.Page(502), slacktest.Page(200), slacktest.Code("fatal_error")}, said...)
	garbage := slacktest.Garbage()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		all := s.Sockets()
		var k *slacktest.Socket
		if len(all) > 0 {
			k = all[c.rng.IntN(len(all))]
		}
		switch n := c.rng.IntN(10); {
		case n == 0 && k != nil && c.rng.IntN(3) == 0: // the more often, the longer it waits before it connects again
			k.Drop()
		case n == 1 && k != nil && c.rng.IntN(3) == 0:
			k.Disconnect("refresh_requested", 0)
		case n == 2 && k != nil:
			k.Freeze()
			time.AfterFunc(time.Duration(20+c.rng.IntN(200))*time.Millisecond, k.Thaw)
		case n == 3 && k != nil:
			k.Text(garbage[c.rng.IntN(len(garbage))])
		case n == 4:
			s.Repeat(c.rng.IntN(2) == 0)
		case n == 5:
			s.Hold()
			time.AfterFunc(time.Duration(20+c.rng.IntN(100))*time.Millisecond, s.Reorder)
		case n == 6 && c.rng.IntN(4) == 0:
			c.w.stop()
			c.w.start()
		case n == 7:
			s.Fail(1, "chat.postMessage", "", said[c.rng.IntN(len(said))])
		case n == 8:
			method := []string{"views.open", "views.update", "conversations.info", "users.info", "conversations.members", "conversations.history", "users.conversations"}[c.rng.IntN(7)]
			s.Fail(1, method, "", any[c.rng.IntN(len(any))])
		case n == 9 && c.rng.IntN(4) == 0:
			s.Stop()
			s.Resume()
		}
	}
}

// fill answers with the form until it says that it was kept.
func (c *chaos) fill(who, text string, limit time.Time) bool {
	s, lang := c.w.s, c.w.lang
	say, field := spoken(lang), locale.Say(lang, "reply.field-text")
	for ; time.Now().Before(limit); <-time.After(50 * time.Millisecond) {
		s.CloseAll(who)
		s.Press(who, c.w.prompt(say.answer), say.answer)
		form := func(until time.Time, want ...string) (v *slacktest.View) {
			for ; time.Now().Before(until); <-time.After(10 * time.Millisecond) {
				if v = s.Modal(who); v != nil {
					for _, x := range want {
						if strings.Contains(v.Title+"\n"+v.Seen(), x) {
							return v
						}
					}
				}
			}
			return nil
		}
		if v := form(time.Now().Add(time.Second), field); v == nil || slacktest.Find(v, field) == nil {
			continue
		}
		r := s.SubmitModal(who, map[string]any{field: text, locale.Say(lang, "reply.field-share"): locale.Say(lang, "reply.share-quote")})
		if r.Err == "" && len(r.Errors) == 0 && form(time.Now().Add(3*time.Second), say.kept) != nil {
			return true
		}
	}
	return false
}

// say types and waits for an answer that holds one of these.
func (c *chaos) say(who, words string, limit time.Time, want ...string) (ts string, ok bool) {
	had := len(slacktest.FromBot(c.w.s.DM(who)))
	ts = c.w.s.TypeDirect(who, words)
	for ; time.Now().Before(limit); <-time.After(10 * time.Millisecond) {
		for _, m := range slacktest.FromBot(c.w.s.DM(who))[had:] {
			for _, x := range want {
				if strings.Contains(m.Seen(), x) {
					return ts, true
				}
			}
		}
	}
	return ts, false
}

// lives lets one person answer in one of the ways there are.
func (c *chaos) lives(n, way int, limit time.Time) (o outcomeOf) {
	who, word := c.w.people[n], func(v string) string { return fmt.Sprintf("Ik kijk eerst wie er staat. Nummer %c%s.", 'A'+n, v) }
	dm := c.w.s.Direct(who)
	o.text = word("een")
	if way < 2 {
		o.known = c.fill(who, o.text, limit)
		o.in = o.known
		if way == 1 && o.known {
			o.gone, o.text = append(o.gone, o.text), word("twee")
			o.known = c.fill(who, o.text, limit)
		}
		return o
	}
	ts, ok := c.say(who, o.text, limit, locale.Say(c.w.lang, "reply.share-quote"))
	if ok {
		_, ok = c.say(who, "2", limit, "Bewaard")
	}
	if o.known, o.in = ok, ok; !ok {
		return o
	}
	switch way {
	case 3:
		o.gone, o.text = append(o.gone, o.text), word("twee")
		c.w.s.Edit(dm, ts, o.text)
		o.gone, o.text = append(o.gone, o.text), word("drie")
		c.w.s.Edit(dm, ts, o.text)
	case 4:
		o.gone, o.in = append(o.gone, o.text), false
		c.w.s.Delete(dm, ts)
	case 5:
		o.gone, o.in = append(o.gone, o.text), false
		_, o.known = c.say(who, "trek in", limit, "Ingetrokken")
	}
	return o
}

// A day on which everything goes wrong, on which people nevertheless say what they have to say: each answer that was confirmed counts
// once, in its last version; nothing that was withdrawn does; and the bot repeats itself nowhere.
func TestDayOfChaos(t *testing.T) {
	rounds := 1
	if n, err := strconv.Atoi(os.Getenv("WEERKLANK_CHAOS")); err == nil && n > 0 {
		rounds = n
	}
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("WEERKLANK_CHAOS_SEED"), 10, 64); err == nil {
		seed = n
	}
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("WEERKLANK_CHAOS_SEED=%d", seed)
				}
			}()
			chaosRound(t, rand.New(rand.NewPCG(seed, uint64(i))))
		})
	}
}

func chaosRound(t *testing.T, rng *rand.Rand) {
	ctx := context.Background()
	w := newWorld(t, prompts.Dutch, false, func(w *world) {
		w.strict = true // what is not acknowledged comes again
		crowded(4)(w)
		w.tempo = slack.Tempo{Again: 50 * time.Millisecond, SignIn: 200 * time.Millisecond, CallTime: 2 * time.Second}
	})
	defer func() { w.end() }()
	w.switchOn()
	round := w.opens()
	w.until(time.Now().Add(time.Second))
	c := &chaos{w: w, rng: rand.New(rand.NewPCG(rng.Uint64(), 2)), stop: make(chan struct{})}
	c.ended.Go(c.strike)
	limit := time.Now().Add(25 * time.Second)
	all := make([]outcomeOf, len(w.people))
	var people sync.WaitGroup
	for n := range w.people {
		people.Go(func() { all[n] = c.lives(n, n%6, limit) })
	}
	people.Wait()
	close(c.stop)
	c.ended.Wait()
	<-time.After(300 * time.Millisecond) // the last frost is over
	w.s.NoFaults()
	w.stop() // what is not handled yet is caught up with
	w.start()
	w.s.Advance(6 * time.Minute)
	w.s.Settle()
	in := 0
	for n, o := range all {
		if !o.known {
			t.Errorf("nobody told person %d what became of %q", n, o.text)
		}
		if o.in {
			in++
		}
	}
	box, err := w.db.Box(ctx, round.ID)
	for end := time.Now().Add(5 * time.Second); err == nil && len(box) != in && time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		box, err = w.db.Box(ctx, round.ID)
	}
	if err != nil || len(box) != in {
		t.Errorf("%d ballots, %d confirmed: %v", len(box), in, err)
	}
	w.until(round.Closes)
	w.until(round.GivesBack)
	w.until(round.GivesBack.Add(time.Minute))
	if round, err = w.db.Round(ctx, round.ID); err != nil || round.State != bot.RoundGivenBack || round.Tally == nil || round.Tally.Respondents != in {
		t.Errorf("%s, the tally is %+v, not of %d: %v", round.State, round.Tally, in, err)
	}
	said, text := map[string]int{}, ""
	for _, m := range slacktest.FromBot(w.s.Channel(w.crew)) {
		said[m.Seen()]++
		text += m.Seen() + "\n"
	}
	for words, n := range said {
		if n > 1 {
			t.Errorf("%d times in the channel: %s", n, words)
		}
	}
	for n, o := range all {
		if got := strings.Contains(text, o.text); got != o.in {
			t.Errorf("%q is given back: %v", o.text, got)
		}
		for _, old := range o.gone {
			if strings.Contains(text, old) {
				t.Errorf("an old version is given back: %q", old)
			}
		}
		answers := map[string]int{}
		for _, m := range slacktest.FromBot(w.s.DM(w.people[n])) {
			if of, ok := m.Metadata.(map[string]any); ok {
				if key := fmt.Sprint(of["event_payload"]); answers[key] > 0 {
					t.Errorf("answered twice: %s", m.Seen())
				} else {
					answers[key]++
				}
			}
		}
	}
}
