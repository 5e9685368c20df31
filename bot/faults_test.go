package bot_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// fault is one thing that goes wrong, and what must come of it for every kind of message.
type fault struct {
	name    string
	happens func(what string, n int, since time.Duration) chattest.Trouble // the n-th call, from 0, so long after it was due
	crash   crash
	all     bool    // for the whole platform; the neighbour is then a team of another one
	seeing  [4]cell // on a platform where own posts can be looked up, as on Mattermost
	blind   [4]cell // on one where they cannot, as on Slack
}

// crash is where the process dies.
type crash int

const (
	noCrash      crash = iota
	beforeMark         // before the row says that it is being sent
	beforeCall         // after that, before the platform hears of it
	duringCall         // the platform finishes it twenty seconds later
	afterTheCall       // it stands there, and nobody noted it
)

// cell is what must come of one kind of message. within is until it stands there, or until a person is asked or told.
type cell struct {
	class  class
	within time.Duration
}

type class string

const (
	once  class = "once"  // it stands there once; nobody had to do anything
	asked class = "asked" // a person was asked whether it stands there; after the answer it stands there once
	told  class = "told"  // it is not sent, and whoever switched the team on hears so
	gone  class = "gone"  // it is not sent, the team counts as gone, and status says so
	left  class = "left"  // it is given up: what stood there stays, or the person is not there any more
	maybe class = "maybe" // it is not repeated; status tells what it was about
	none  class = ""      // the fault cannot happen there
)

// what a cell says in the table.
func (c cell) String() string {
	within := map[time.Duration]string{
		time.Second: "a second", 30 * time.Second: "half a minute", time.Minute: "a minute", 2 * time.Minute: "two minutes",
		12 * time.Minute: "twelve minutes", 15 * time.Minute: "a quarter of an hour", 62 * time.Minute: "62 minutes", 75 * time.Minute: "75 minutes", 190 * time.Minute: "190 minutes",
	}[c.within]
	switch c.class {
	case once:
		return "stands once, within " + within
	case asked:
		return "a person is asked within " + within + "; then stands once"
	case told:
		return "not sent; a person is told within " + within
	case gone:
		return "not sent; the team is gone, status says so"
	case left:
		return "given up, logged"
	case maybe:
		return "not repeated; status shows what it was about"
	}
	return "does not happen"
}

var columns = [4]string{"question", "in a thread", "edit", "private, to a manager"}

// same is a row of the table whose cells are alike for both platforms.
func same(c, private cell) [4]cell { return [4]cell{c, c, c, private} }

func on(n int, t chattest.Trouble) func(string, int, time.Duration) chattest.Trouble {
	return func(what string, i int, _ time.Duration) chattest.Trouble {
		if what == "find" || i != n {
			return chattest.Trouble{}
		}
		return t
	}
}

// while makes trouble until so long after the message was due.
func while(d time.Duration, t chattest.Trouble) func(string, int, time.Duration) chattest.Trouble {
	return func(_ string, _ int, since time.Duration) chattest.Trouble {
		if since >= d {
			return chattest.Trouble{}
		}
		return t
	}
}

// lookUps lets the first attempt end in doubt and then makes trouble for look-ups.
func lookUps(d time.Duration, t chattest.Trouble) func(string, int, time.Duration) chattest.Trouble {
	return func(what string, n int, since time.Duration) chattest.Trouble {
		switch {
		case what == "find" && since < d:
			return t
		case what != "find" && n == 0:
			return chattest.Trouble{Hang: true}
		}
		return chattest.Trouble{}
	}
}

// faults is the promise, written by hand. TestFaults compares what really happens with it and writes docs/faults.md.
func faults() []fault {
	busy := func(after time.Duration) chattest.Trouble {
		return chattest.Trouble{Err: &bot.RetryError{After: after, Err: errors.New("later")}}
	}
	in := func(d time.Duration) cell { return cell{once, d} }
	unknown := cell{maybe, 0}
	doubt := [4]cell{{asked, 2 * time.Minute}, {asked, 2 * time.Minute}, in(2 * time.Minute), unknown}
	all := func(d time.Duration) [4]cell { return same(in(d), in(d)) }
	return []fault{
		{name: "nothing", happens: on(-1, chattest.Trouble{}), seeing: all(time.Second), blind: all(time.Second)},
		{name: "our timeout, nothing was posted", happens: on(0, chattest.Trouble{Hang: true}), seeing: same(in(2*time.Minute), unknown), blind: doubt},
		{name: "our timeout, it was posted", happens: on(0, chattest.Trouble{Hang: true, Done: true}),
			seeing: [4]cell{in(time.Second), in(time.Second), in(2 * time.Minute), unknown}, blind: doubt},
		{name: "our timeout, it lands 45 seconds after the start", happens: on(0, chattest.Trouble{Hang: true, Lands: 45 * time.Second}),
			seeing: [4]cell{in(time.Minute), in(time.Minute), in(2 * time.Minute), unknown}, blind: doubt},
		{name: "429, come back in 30 seconds", happens: on(0, busy(30*time.Second)), seeing: all(time.Minute), blind: all(time.Minute)},
		{name: "429 without a time, three times", happens: func(_ string, n int, _ time.Duration) chattest.Trouble {
			if n < 3 {
				return busy(0)
			}
			return chattest.Trouble{}
		}, seeing: all(30 * time.Second), blind: all(30 * time.Second)},
		{name: "5xx, nothing was posted", happens: on(0, chattest.Trouble{Err: bot.ErrUncertain}), seeing: same(in(2*time.Minute), unknown), blind: doubt},
		{name: "5xx, it was posted", happens: on(0, chattest.Trouble{Err: bot.ErrUncertain, Done: true}),
			seeing: [4]cell{in(time.Second), in(time.Second), in(2 * time.Minute), unknown}, blind: doubt},
		{name: "connection refused for ten minutes", happens: while(10*time.Minute, busy(0)), seeing: all(15 * time.Minute), blind: all(15 * time.Minute)},
		{name: "connection refused for longer than a question may wait", happens: while(3*time.Hour, busy(0)),
			seeing: [4]cell{{told, 190 * time.Minute}, in(190 * time.Minute), in(190 * time.Minute), in(190 * time.Minute)},
			blind:  [4]cell{{told, 190 * time.Minute}, in(190 * time.Minute), in(190 * time.Minute), in(190 * time.Minute)}},
		{name: "the platform refuses the message for good", happens: while(24*time.Hour, chattest.Trouble{Err: errors.New("invalid")}),
			seeing: [4]cell{{told, time.Second}, {told, time.Second}, {left, 0}, {left, 0}}, blind: [4]cell{{told, time.Second}, {told, time.Second}, {left, 0}, {left, 0}}},
		{name: "the channel is gone, or the person", happens: while(24*time.Hour, chattest.Trouble{Err: bot.ErrGone}),
			seeing: same(cell{gone, 0}, cell{left, 0}), blind: same(cell{gone, 0}, cell{left, 0})},
		{name: "the token is refused for an hour", happens: while(time.Hour, chattest.Trouble{Err: bot.ErrUnauthorised}), all: true,
			seeing: all(62 * time.Minute), blind: all(62 * time.Minute)},
		{name: "slow for a minute: twenty seconds a call", happens: while(time.Minute, chattest.Trouble{Slow: 20 * time.Second}),
			seeing: all(time.Minute), blind: all(time.Minute)},
		{name: "the adapter panics, nothing was posted", happens: on(0, chattest.Trouble{Panic: true}), seeing: same(in(2*time.Minute), unknown), blind: doubt},
		{name: "the adapter panics, it was posted", happens: on(0, chattest.Trouble{Panic: true, Done: true}),
			seeing: [4]cell{in(time.Second), in(time.Second), in(2 * time.Minute), unknown}, blind: doubt},
		{name: "crash before anything was sent", happens: on(-1, chattest.Trouble{}), crash: beforeMark, seeing: all(30 * time.Second), blind: all(30 * time.Second)},
		{name: "crash at the call, nothing was posted", happens: on(0, chattest.Trouble{Hang: true}), crash: beforeCall,
			seeing: same(in(2*time.Minute), unknown), blind: doubt},
		{name: "crash during the call, it lands 20 seconds after the start", happens: on(0, chattest.Trouble{Hang: true, Lands: 20 * time.Second}), crash: duringCall,
			seeing: [4]cell{in(30 * time.Second), in(30 * time.Second), in(2 * time.Minute), unknown}, blind: doubt},
		{name: "crash after it was posted, before that was noted", happens: on(0, chattest.Trouble{Hang: true, Done: true}), crash: afterTheCall,
			seeing: [4]cell{in(time.Second), in(time.Second), in(2 * time.Minute), unknown}, blind: doubt},
		{name: "in doubt, and the look-up fails for ten minutes", happens: lookUps(10*time.Minute, chattest.Trouble{Err: errors.New("500")}),
			seeing: [4]cell{in(15 * time.Minute), in(15 * time.Minute), in(2 * time.Minute), unknown}},
		{name: "in doubt, and the look-up hangs for ten minutes", happens: lookUps(10*time.Minute, chattest.Trouble{Hang: true}),
			seeing: [4]cell{in(15 * time.Minute), in(15 * time.Minute), in(2 * time.Minute), unknown}},
		{name: "in doubt, and the look-up fails for good", happens: lookUps(24*time.Hour, chattest.Trouble{Err: errors.New("500")}),
			seeing: [4]cell{{asked, 75 * time.Minute}, {asked, 75 * time.Minute}, in(2 * time.Minute), unknown}},
		{name: "in doubt, and the look-up cannot tell", happens: lookUps(24*time.Hour, chattest.Trouble{Err: bot.ErrUncertain}),
			seeing: [4]cell{{asked, 2 * time.Minute}, {asked, 2 * time.Minute}, in(2 * time.Minute), unknown}},
	}
}

// mortal is the real store until the process dies; then nothing is written any more.
type mortal struct {
	bot.Store
	dead  atomic.Bool
	first func() // before the first change of a post
}

func (m *mortal) UpdatePost(ctx context.Context, id bot.PostID, edit func(*bot.Post) (bot.Also, error)) error {
	if m.first != nil {
		m.first()
	}
	if m.dead.Load() {
		return errDied
	}
	return m.Store.UpdatePost(ctx, id, edit)
}

func (m *mortal) UpdateTeam(ctx context.Context, id bot.TeamID, edit func(*bot.Team) (bot.Also, error)) error {
	if m.dead.Load() {
		return errDied
	}
	return m.Store.UpdateTeam(ctx, id, edit)
}

const marked = "HET BERICHT"

// runCell lets one fault happen to one kind of message, on a real store, with time going by, and says what came of it.
func runCell(t *testing.T, f fault, kind int, blind bool) (got cell, failed string) {
	ctx := context.Background()
	start := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC) // Tuesday 10:00 in Amsterdam
	chattest.Until(start.Add(-time.Minute))
	w := newWorld(t, nil)
	defer w.close()
	w.fake.Forget(-1) // no platform drops a repeat for long
	two := chattest.New("two")
	chats := []bot.Chat{w.fake, two}
	if blind {
		chats[0] = chattest.NewBlind(w.fake)
	}
	neighbour := bot.TeamID("fake:neighbour")
	due := start
	if f.all {
		neighbour = "two:neighbour"
	}
	if f.crash != noCrash {
		due = start.Add(15 * time.Second)
	}
	for _, id := range []bot.TeamID{crew, neighbour} {
		err := w.db.UpdateTeam(ctx, id, func(t *bot.Team) (bot.Also, error) {
			t.State, t.Name, t.SwitchedOnBy, t.Settings = bot.TeamOn, "ploeg", "fake:p1", defaults()
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	say := func(text string) bot.Message {
		return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note(text)}}
	}
	root, err := w.fake.Post(ctx, crew, say("eerder"), "", "root")
	if err != nil {
		t.Fatal(err)
	}
	p := bot.Post{ID: "r/prompt", Key: "key", Team: crew, Message: say(marked), State: bot.PostQueued, After: start}
	what, rows := "post", []bot.Post{{ID: "root", Team: crew, State: bot.PostSent, Ref: root}}
	switch kind {
	case 0:
		p.Until = start.Add(2 * time.Hour)
	case 1:
		p.ID, p.ReplyTo = "r/guide", "root"
	case 2: // of two edits the later one must be the one that stays
		what = "edit"
		first := bot.Post{ID: "r/first", Key: "first", Team: crew, Message: say("tussendoor"), EditOf: "root", State: bot.PostQueued, After: start}
		rows = append(rows, first)
		p.ID, p.EditOf = "r/closed", "root"
	case 3:
		what = "direct"
		p.ID, p.To = "r/private", "fake:p1"
	}
	rows = append(rows, p, bot.Post{ID: "n/prompt", Key: "n", Team: neighbour, Message: say("van de buren"), State: bot.PostQueued, After: due})
	if err := w.db.Queue(ctx, rows...); err != nil {
		t.Fatal(err)
	}

	m := &mortal{Store: w.db}
	died := make(chan struct{})
	die := sync.OnceFunc(func() { m.dead.Store(true); close(died) })
	var calls, finds atomic.Int64
	w.fake.SetTrouble(func(did string, team bot.TeamID) chattest.Trouble {
		switch {
		case f.all:
			return f.happens(did, 0, time.Since(start))
		case did == "find" && team == crew:
			return f.happens("find", int(finds.Add(1))-1, time.Since(start))
		case did == what && (team == crew || kind == 3):
			trouble := f.happens(did, int(calls.Add(1))-1, time.Since(start))
			if f.crash > beforeMark {
				trouble.Unseen = die
			}
			return trouble
		}
		return chattest.Trouble{}
	})
	run := func(s bot.Store) (stop func()) {
		o := w.o
		o.Store, o.Keys, o.Chats = s, w.keys, chats
		var err error
		if w.bot, err = bot.New(o); err != nil {
			t.Fatal(err)
		}
		w.run()
		stop, w.stop = w.stop, nil
		return stop
	}
	if f.crash == beforeMark {
		m.first = func() {
			if !time.Now().Before(start) {
				die()
			}
		}
	}
	stop := run(m)
	if f.crash != noCrash {
		<-died
		stop()
		chattest.Until(start.Add(10 * time.Second))
		stop = run(w.db)
	}
	standing := func() (n int, at time.Time) {
		if kind == 3 {
			for _, told := range w.fake.Told() {
				if strings.Contains(told.Message.Plain(), marked) {
					n, at = n+1, told.At
				}
			}
			return n, at
		}
		for _, post := range w.fake.Posts(crew) {
			if strings.Contains(post.Message.Plain(), marked) {
				n, at = n+1, post.At
				if kind == 2 {
					at = post.Edited
				}
				if kind == 1 && post.Thread != root {
					failed += "not in its thread; "
				}
			}
		}
		return n, at
	}
	var askedAt, toldAt time.Time
	answered := false
	for time.Since(start) < 4*time.Hour {
		look := 10 * time.Second
		if time.Since(start) > 3*time.Minute {
			look = time.Minute
		}
		time.Sleep(look)
		synctest.Wait()
		for _, message := range w.fake.Told() {
			switch plain := message.Message.Plain(); {
			case strings.Contains(plain, "Ik weet niet zeker"):
				askedAt = message.At
			case strings.Contains(plain, "Ik kon een bericht niet"):
				toldAt = message.At
			}
		}
		if !askedAt.IsZero() && !answered { // the person looks, and presses what they see
			answered = true
			do := "not-there"
			if n, _ := standing(); n > 0 {
				do = "there"
			}
			for range 2 {
				if _, err := w.fake.Press(ctx, "p1", "", bot.Action{Do: do, Arg: string(p.ID)}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	stop()
	row, err := w.db.Post(ctx, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	team := w.team()
	n, at := standing()
	if n > 1 {
		failed += fmt.Sprintf("it stands there %d times; ", n)
	}
	if posts := append(w.fake.Posts(neighbour), two.Posts(neighbour)...); len(posts) != 1 || posts[0].At.Sub(due) > time.Second {
		failed += "another team was delayed; "
	}
	switch state := row.State; {
	case n == 1 && state == bot.PostSent && askedAt.IsZero() && toldAt.IsZero():
		got = cell{once, at.Sub(start)}
	case n == 1 && state == bot.PostSent && toldAt.IsZero():
		got = cell{asked, askedAt.Sub(start)}
	case n == 0 && state == bot.PostFailed && askedAt.IsZero() && !toldAt.IsZero():
		got = cell{told, toldAt.Sub(start)}
	case n == 0 && state == bot.PostFailed && team.State == bot.TeamGone:
		got = cell{gone, 0}
	case n == 0 && state == bot.PostFailed && askedAt.IsZero():
		got = cell{left, 0}
	case kind == 3 && state == bot.PostUncertain:
		got = cell{maybe, 0}
	default:
		failed += fmt.Sprintf("%d there, %s, asked %v, told %v; ", n, state, askedAt, toldAt)
	}
	return got, failed
}

// Every fault of a platform, for every kind of message: never twice, never lost without somebody hearing of it, and no
// other team waits (TRUST 8, D1 to D4). The table in docs is what really happened here.
func TestFaults(t *testing.T) {
	all := faults()
	got := make([][2][4]cell, len(all))
	t.Run("cells", func(t *testing.T) {
		for i, f := range all {
			for b, want := range [2][4]cell{f.seeing, f.blind} {
				for kind := range 4 {
					if want[kind].class == none {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%v", f.name, columns[kind], b == 1), func(t *testing.T) {
						chattest.Bubble(t, func(t *testing.T) {
							is, failed := runCell(t, f, kind, b == 1)
							if failed != "" {
								t.Error(failed)
							}
							if is.class != want[kind].class || is.within > want[kind].within {
								t.Errorf("%s after %v, promised: %s within %v", is.class, is.within, want[kind].class, want[kind].within)
							}
							got[i][b][kind] = cell{is.class, want[kind].within}
						})
					})
				}
			}
		}
	})
	if t.Failed() {
		return // no table is written of what was not promised
	}
	var out strings.Builder
	out.WriteString(`# What happens when the chat platform fails

This table is made by a test (` + "`go test ./bot -run TestFaults -update`" + `), which lets every fault happen to a real store and
compares what comes of it with what is promised. In no cell does a message stand in the channel twice, in none is one lost
without somebody hearing of it, and in none is another team delayed: its message, due at the same moment, leaves within a
second. (When a token is refused, that other team is one of another platform. After a crash its message is due five seconds
after the restart.)

- *A person is asked*: whoever switched the team on gets a private message with two buttons, "it is there" and "it is not
  there". ` + "`weerklank status`" + ` asks every manager the same.
- *A person is told*: whoever switched the team on gets a private message.
- *In doubt*: an attempt of which nobody knows whether it arrived. It may still land a minute after its start, so nothing is
  looked up, repeated or asked before that.
- A question waits for at most half of the time in which it can be answered; in the test that is two hours. A give-back
  waits as long as it takes.
- A refused token turns the health red (` + "`/healthz`" + `), is logged once, and is tried every minute.
- Of an edit, the last one is the one that stays, whatever happened to those before it.
`)
	for b, title := range [2]string{"Where own posts can be looked up (Mattermost)", "Where they cannot (Slack)"} {
		fmt.Fprintf(&out, "\n## %s\n\n| fault | %s |\n|---|---|---|---|---|\n", title, strings.Join(columns[:], " | "))
		for i, f := range all {
			if got[i][b] == ([4]cell{}) {
				continue
			}
			fmt.Fprintf(&out, "| %s |", f.name)
			for _, c := range got[i][b] {
				fmt.Fprintf(&out, " %s |", c)
			}
			out.WriteString("\n")
		}
	}
	path := filepath.Join("..", "docs", "faults.md")
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != out.String() {
		t.Errorf("%s is not what happens (%v); make it with -update, and read it", path, err)
	}
}
