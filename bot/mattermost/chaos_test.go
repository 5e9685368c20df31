package mattermost_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
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
	w      *world
	rng    *rand.Rand
	prompt string // the question's post
	stop   chan struct{}
	ended  sync.WaitGroup
	time   bool // the clock of the bot is moved: what would land late in real time would seem to be certain
}

// strike lets something go wrong, some ten times a second, until the end.
func (c *chaos) strike() {
	s := c.w.s
	tick := time.NewTicker(70 * time.Millisecond)
	defer tick.Stop()
	faults := []mattermosttest.Fault{
		mattermosttest.Limited("0"), mattermosttest.Limited("1"), mattermosttest.Broken(502, true), mattermosttest.Broken(502, false),
		mattermosttest.DoneCut(), mattermosttest.LostCut(), mattermosttest.DoneHalf(), mattermosttest.Page(502), mattermosttest.Page(404),
	}
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		switch c.rng.IntN(9) {
		case 0:
			s.CutSockets()
		case 1:
			if c.time {
				continue
			}
			s.Freeze()
			time.AfterFunc(time.Duration(20+c.rng.IntN(150))*time.Millisecond, s.Thaw)
		case 2:
			if c.rng.IntN(3) == 0 {
				s.Restart()
			}
		case 3:
			if !c.time && c.rng.IntN(3) == 0 {
				c.w.stop()
				c.w.start()
			}
		case 4:
			s.Repeat(c.w.me, c.rng.IntN(2) == 0)
		case 5, 6:
			s.Fail(1+c.rng.IntN(2), "POST", "/posts", faults[c.rng.IntN(len(faults))])
		case 7:
			s.Fail(1+c.rng.IntN(3), "GET", "/", faults[c.rng.IntN(len(faults))])
		case 8:
			c.forge(c.w.people[c.rng.IntN(len(c.w.people))])
		}
	}
}

// forge tries what a member could: none of it may have an effect.
func (c *chaos) forge(thief string) {
	s, base := c.w.s, "http://"+c.w.listen.Listener.Addr().String()+"/terug"
	post := func(path, kind, body string) {
		r, err := http.Post(base+path, kind, strings.NewReader(body))
		if err != nil {
			c.w.t.Error(err)
			return
		}
		r.Body.Close()
		if r.StatusCode < 400 {
			c.w.t.Errorf("%s took what was forged: %d", path, r.StatusCode)
		}
	}
	button := ""
	if p, ok := s.Post(c.prompt); ok {
		button = p.Button(pressed[prompts.Dutch].answer)
	}
	switch c.rng.IntN(6) {
	case 0:
		post("/press", "application/json", `{"user_id":"`+thief+`","channel_id":"`+c.w.crew+`","context":{"weerklank":"VALS"}}`)
	case 1:
		post("/command", "application/x-www-form-urlencoded", "token=abcdefghijklmnopqrstuvwxyz&user_id="+c.w.boss+"&channel_id="+c.w.crew+"&text=uit")
	case 2: // the state of somebody else
		other := c.w.people[c.rng.IntN(len(c.w.people))]
		if d := s.Dialog(other); d != nil && other != thief {
			if r := s.SubmitTo(thief, c.w.crew, d.URL, d.State, d.CallbackID, map[string]any{"text": "VALS", "share": string(bot.ShareQuote)}); r.Status == 200 {
				c.w.t.Errorf("somebody else's dialog was taken: %+v", r)
			}
		}
	case 3: // a stolen context behind an own button opens a dialog for who presses it at most
		if _, context := s.ContextOf(c.prompt, button); context != nil {
			fake := s.Forge(thief, c.w.crew, "VALS", mattermosttest.Forged{ID: "vals", Name: "vals", URL: base + "/press", Context: context})
			if r := s.Click(thief, fake, "vals"); r.Status == 200 && len(r.Opened) > 0 {
				c.w.t.Errorf("a button of somebody else's post was taken: %+v", r)
			}
		}
	case 4:
		s.Choose(thief, c.prompt, button, "VALS")
	case 5:
		if r := s.SubmitTo(thief, c.w.crew, base+"/dialog", "VALS", "weerklank", map[string]any{"text": "VALS"}); r.Status == 200 {
			c.w.t.Errorf("a dialog that never was: %+v", r)
		}
	}
}

// fill answers by the dialog until the server says that it took it.
func (c *chaos) fill(who, text string, limit time.Time) bool {
	for time.Now().Before(limit) {
		p, ok := c.w.s.Post(c.prompt)
		if !ok {
			return false
		}
		r := c.w.s.Click(who, c.prompt, p.Button(pressed[prompts.Dutch].answer))
		if r.Status == 200 && len(r.Opened) == 1 && r.Opened[0].Element("text") != nil { // else it says that it cannot be now
			for d := &r.Opened[0]; time.Now().Before(limit); <-time.After(30 * time.Millisecond) {
				got := c.w.s.Submit(who, d, map[string]any{"text": text, "share": string(bot.ShareQuote)})
				if got.Status == 200 && got.Closed {
					return true
				}
				if got.Status == 200 && len(got.Errors) > 0 {
					break
				}
			}
		}
		<-time.After(30 * time.Millisecond)
	}
	return false
}

// say types and waits for an answer that holds one of these.
func (c *chaos) say(who, words string, limit time.Time, want ...string) (post string, ok bool) {
	had := len(c.answers(who))
	settle()
	post = c.w.s.DM(who, words)
	for time.Now().Before(limit) {
		for _, a := range c.answers(who)[had:] {
			for _, x := range want {
				if strings.Contains(a, x) {
					return post, true
				}
			}
		}
		<-time.After(5 * time.Millisecond)
	}
	return post, false
}

func (c *chaos) answers(who string) (all []string) {
	for _, p := range c.w.s.DMs(who) {
		if p.User == c.w.me {
			all = append(all, p.Text)
		}
	}
	return all
}

// lives lets one person answer in one of the ways there are.
func (c *chaos) lives(n, way int, limit time.Time) (o outcomeOf) {
	who, word := c.w.people[n], func(v string) string { return fmt.Sprintf("Ik kijk eerst wie er staat. Nummer %c%s.", 'A'+n, v) }
	by := func(text string) (string, bool) {
		post, ok := c.say(who, text, limit, "Terugblik", "1 ", "tel mee")
		if ok {
			_, ok = c.say(who, "2", limit, "Bewaard")
		}
		return post, ok
	}
	o.text = word("een")
	switch way {
	case 0, 1:
		o.known = c.fill(who, o.text, limit)
		o.in = o.known
		if way == 1 && o.known {
			o.gone, o.text = append(o.gone, o.text), word("twee")
			o.known = c.fill(who, o.text, limit)
		}
	case 2:
		_, o.known = by(o.text)
		o.in = o.known
	case 3, 4:
		post, ok := by(o.text)
		if o.known, o.in = ok, ok; !ok {
			return o
		}
		o.gone = append(o.gone, o.text)
		settle()
		if way == 3 {
			o.text = word("twee")
			c.w.s.Edit(post, o.text)
			settle()
			o.gone, o.text = append(o.gone, o.text), word("drie")
			c.w.s.Edit(post, o.text)
		} else {
			o.in = false
			c.w.s.Delete(post)
		}
	case 5:
		if _, ok := by(o.text); ok {
			_, o.known = c.say(who, "trek in", limit, "Ingetrokken")
			o.gone = append(o.gone, o.text)
		}
	}
	return o
}

// drive does what is due until done, or an hour is over.
func (w *world) drive(from time.Time, done func() bool) time.Time {
	w.t.Helper()
	for i := range 60 {
		at := from.Add(time.Duration(i) * time.Minute)
		w.until(at)
		if done() {
			return at
		}
	}
	w.t.Fatalf("it never comes:\n%s", w.log)
	return from
}

// A day on which everything goes wrong, on which people nevertheless say what they have to say: each answer that was confirmed
// counts once, in its last version; nothing that was withdrawn or forged does; and the bot repeats itself nowhere.
func TestDayOfChaos(t *testing.T) {
	rounds := 1
	if n, err := strconv.Atoi(os.Getenv("WEERKLANK_CHAOS")); err == nil && n > 0 {
		rounds = n
	}
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("WEERKLANK_CHAOS_SEED"), 10, 64); err == nil {
		seed = n
	}
	for i := range 2 * rounds {
		version := []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11}[i%2]
		t.Run(fmt.Sprint(version, " ", i/2), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			defer func() {
				if t.Failed() {
					t.Logf("WEERKLANK_CHAOS_SEED=%d", seed)
				}
			}()
			w := newWorld(t, version, prompts.Dutch, true)
			w.hurry = 50
			for n := range 6 {
				who := w.s.AddUser(mattermosttest.User{Name: fmt.Sprintf("extra%d", n), First: "Extra", Locale: "nl", Zone: "Europe/Amsterdam"})
				w.s.JoinTeam(w.team, who)
				w.s.Join(w.crew, who)
				w.people = append(w.people, who)
			}
			w.stop()
			w.start()
			defer func() { w.stop() }()
			if r := w.s.Command(w.boss, w.crew, "/weerklank aan"); r.Status != 200 {
				t.Fatalf("%+v", r)
			}
			if r := w.s.Submit(w.boss, w.s.Dialog(w.boss), map[string]any{"adviser": "Noor", "worktime": true}); !r.Closed {
				t.Fatalf("%+v", r)
			}
			for range 2 {
				chaosRound(t, w, rng)
			}
			for _, secret := range append([]string{w.token, w.tokens[0], w.boss, "Ik kijk eerst", "VALS", "mens1", "Voornaam"}, w.people...) {
				if strings.Contains(w.log.String(), secret) {
					t.Errorf("the log holds %q", secret)
				}
			}
		})
	}
}

func chaosRound(t *testing.T, w *world, rng *rand.Rand) {
	ctx := context.Background()
	round := w.opens()
	seen := map[string]bool{}
	for _, p := range w.s.Posts(w.crew) {
		seen[p.ID] = true
	}
	prompt := ""
	w.drive(w.at, func() bool {
		for _, p := range w.s.Posts(w.crew) {
			if p.User == w.me && p.Button(pressed[prompts.Dutch].answer) != "" {
				prompt = p.ID
			}
		}
		return prompt != ""
	})
	c := &chaos{w: w, rng: rand.New(rand.NewPCG(rng.Uint64(), 2)), prompt: prompt, stop: make(chan struct{})}
	c.ended.Go(c.strike)
	limit := time.Now().Add(12 * time.Second)
	all := make([]outcomeOf, len(w.people))
	var people sync.WaitGroup
	for n := range w.people {
		way := (n + rng.IntN(2)*6) % 6
		people.Go(func() { all[n] = c.lives(n, way, limit) })
	}
	people.Wait()
	close(c.stop)
	c.ended.Wait()
	<-time.After(200 * time.Millisecond) // the last frost is over
	w.s.NoFaults()
	w.stop() // what is not handled yet is caught up with
	w.start()

	in, unknown := 0, 0
	for n, o := range all {
		if !o.known {
			unknown++
			t.Errorf("nobody told person %d what became of %q: %q", n, o.text, c.answers(w.people[n]))
		}
		if o.in {
			in++
		}
	}
	box, err := w.db.Box(ctx, round.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(box) != in {
		t.Errorf("%d ballots, %d confirmed, %d unknown", len(box), in, unknown)
	}
	again := &chaos{w: w, rng: rand.New(rand.NewPCG(rng.Uint64(), 3)), prompt: prompt, stop: make(chan struct{}), time: true}
	again.ended.Go(again.strike)
	w.drive(round.Closes, func() bool {
		p, _ := w.s.Post(prompt)
		return len(p.Buttons()) == 0
	})
	stands := func(words string) bool {
		for _, p := range w.s.Posts(w.crew) {
			if p.User == w.me && !seen[p.ID] && strings.Contains(p.Text, words) {
				return true
			}
		}
		return false
	}
	at := w.drive(round.GivesBack, func() bool {
		r, err := w.db.Round(ctx, round.ID)
		return err == nil && r.State == bot.RoundGivenBack && stands("Terugblik") && stands("door elkaar:") && stands("Een kwartier over")
	})
	close(again.stop)
	again.ended.Wait()
	w.s.NoFaults()
	for i := range 5 {
		w.until(at.Add(time.Duration(i) * time.Minute))
	}
	round, err = w.db.Round(ctx, round.ID)
	if err != nil || round.Tally == nil || round.Tally.Respondents != in {
		t.Errorf("the tally is %+v, not of %d: %v", round.Tally, in, err)
	}
	said, text := map[string]int{}, ""
	for _, p := range w.s.Posts(w.crew) {
		if p.User == w.me {
			if p.ID == prompt && len(p.Buttons()) > 0 {
				t.Error("the question still has buttons")
			}
			if said[p.Text]++; !seen[p.ID] || p.ID == prompt {
				text += p.Text + "\n"
			}
		}
	}
	for words, n := range said {
		if n > 1 {
			t.Errorf("%d times in the channel: %s", n, words)
		}
	}
	text = strings.ReplaceAll(text, `\.`, ".")
	_, thread, _ := strings.Cut(text, "Alle antwoorden die gedeeld mogen worden, door elkaar:")
	for n, o := range all {
		if got := strings.Count(thread, o.text); o.in && got != 1 || !o.in && strings.Contains(text, o.text) {
			t.Errorf("%q is given back %d times (counts: %v)", o.text, got, o.in)
		}
		for _, old := range o.gone {
			if strings.Contains(text, old) {
				t.Errorf("an old version is given back: %q", old)
			}
		}
		keys := map[string]int{}
		for _, p := range w.s.DMs(w.people[n]) {
			if key, ok := p.Props["weerklank"].(string); ok && p.User == w.me {
				if keys[key]++; keys[key] > 1 {
					t.Errorf("answered twice: %s", p.Text)
				}
			}
		}
	}
	if strings.Contains(text, "VALS") {
		t.Error("something forged was given back")
	}
	if t.Failed() {
		t.Log(text)
		t.Log(w.log)
	}
}
