package bot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

func note(text string) bot.Message {
	return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note(text)}}
}

// inDoubt makes a round's question one of which nobody knows whether it stands there.
func (w *world) inDoubt(id bot.PostID) bot.Post {
	w.t.Helper()
	var row bot.Post
	err := w.db.UpdatePost(context.Background(), id, func(p *bot.Post) (bot.Also, error) {
		p.State, p.Ref, p.Message = bot.PostUncertain, "", note("in twijfel")
		row = *p
		return bot.Also{}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// dying is the real store until a post has become uncertain: then the process dies.
type dying struct{ mortal }

func (d *dying) UpdatePost(ctx context.Context, id bot.PostID, edit func(*bot.Post) (bot.Also, error)) error {
	err := d.mortal.UpdatePost(ctx, id, edit)
	if p, perr := d.Store.Post(ctx, id); perr == nil && p.State == bot.PostUncertain {
		d.dead.Store(true)
	}
	return err
}

func (d *dying) Queue(ctx context.Context, posts ...bot.Post) error {
	if d.dead.Load() {
		return errDied
	}
	return d.Store.Queue(ctx, posts...)
}

// A post becomes uncertain and a person is asked in one step: a crash right after leaves nobody unasked.
func TestAPersonIsAskedWhateverCrashes(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	at := r.Opens.Add(time.Hour)
	err := w.db.Queue(ctx, bot.Post{ID: "x/prompt", Key: "x", Team: crew, Message: note("x"), State: bot.PostSending, At: at, After: at})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []bot.Store{&dying{mortal{Store: w.db}}, w.db} {
		o := w.o
		o.Store, o.Keys, o.Chats = s, w.keys, []bot.Chat{chattest.NewBlind(w.fake)}
		if w.bot, err = bot.New(o); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			w.bot.Send(ctx, at.Add(time.Duration(i)*time.Minute))
		}
	}
	p, err := w.db.Post(ctx, "x/prompt")
	if err != nil || p.State != bot.PostUncertain || len(w.fake.Told()) != 1 {
		t.Errorf("%s, asked %d times, %v", p.State, len(w.fake.Told()), err)
	}
}

// Each pause that changes something is told once, also a second one for the same opening.
func TestEachPauseIsTold(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.at(r.Opens.Add(time.Hour), command("pauze"))
	w.at(r.Opens.Add(2*time.Hour), command("uit"))
	form := w.at(r.Opens.Add(3*time.Hour), command("aan")).Form
	w.submitted(r.Opens.Add(3*time.Hour), form, map[string][]string{"worktime": {"yes"}})
	w.at(r.Opens.Add(4*time.Hour), command("pauze"))
	w.at(r.Opens.Add(5*time.Hour), command("pauze"))
	w.step(r.Opens.Add(6 * time.Hour))
	if n := strings.Count(w.channel(crew), "Een collega vroeg om rust"); n != 2 || !w.team().SkipNext {
		t.Errorf("two pauses were told %d times", n)
	}
}

// After an incident no vote is opened or counted aloud for two whole working days, and a skipped question asks for none.
func TestVotesRestAfterAnIncident(t *testing.T) {
	quiet := func(w *world, incident time.Time) time.Time { return calendar(w.t, nil).Quiet(incident, 2) }
	t.Run("the vote that a give-back led to", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		w.editTeam(func(t *bot.Team) { t.Thin = 1 })
		o := w.o
		s := &planFails{w.db, true}
		o.Store, o.Keys, o.Chats = s, w.keys, []bot.Chat{w.fake}
		var err error
		if w.bot, err = bot.New(o); err != nil {
			t.Fatal(err)
		}
		w.step(r.Closes)
		w.step(r.GivesBack) // the process dies before the vote is planned
		s.fail = false
		incident := r.GivesBack.Add(10 * time.Second)
		w.at(incident, command("pauze na een incident"))
		before := len(w.fake.Posts(crew))
		until := quiet(w, incident)
		for at := incident.Add(time.Minute); at.Before(until); at = at.Add(3 * time.Hour) {
			w.step(at)
		}
		if len(w.votes(bot.RoundPace)) != 0 || len(w.fake.Posts(crew)) != before {
			t.Errorf("%d votes in the days of rest:\n%s", len(w.votes(bot.RoundPace)), w.channel(crew))
		}
		w.step(until)
		if votes := w.votes(bot.RoundPace); len(votes) != 1 || !votes[0].Opens.Equal(until) || !strings.Contains(w.channel(crew), "Wat past bij jullie?") {
			t.Errorf("%d votes after the rest\n%s", len(votes), w.channel(crew))
		}
	})
	t.Run("what a vote decided", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
		w.six(r)
		w.finish(r)
		vote := w.votes(bot.RoundSeason)[0]
		incident := vote.Closes.Add(-time.Hour)
		w.at(incident, command("pauze na een incident"))
		before := len(w.fake.Posts(crew))
		w.step(vote.Closes)
		w.step(quiet(w, incident).Add(-time.Minute))
		if n := len(w.fake.Posts(crew)); n != before {
			t.Errorf("%d posts in the days of rest:\n%s", n-before, w.channel(crew))
		}
		w.step(quiet(w, incident))
		if w.team().State != bot.TeamResting || len(w.fake.Posts(crew)) == before {
			t.Errorf("%s\n%s", w.team().State, w.channel(crew))
		}
	})
	t.Run("a question that is skipped", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		w.six(r)
		w.finish(r)
		w.editTeam(func(t *bot.Team) { t.Thin = 1 })
		next := w.team().NextOpens
		w.at(next.Add(-time.Hour), command("pauze na een incident"))
		w.step(next)
		if team := w.team(); len(w.votes(bot.RoundPace)) != 0 || team.Open != "" || team.Thin != 2 || team.SkipNext || team.NextOpens.Before(quiet(w, next.Add(-time.Hour))) {
			t.Errorf("%d votes, %+v", len(w.votes(bot.RoundPace)), team)
		}
		w.step(w.team().NextOpens)
		if w.team().Open == "" {
			t.Error("and no question after the rest")
		}
	})
}

// A team that is woken is asked its next question, whatever was paused before it went to rest.
func TestWakingForgetsThePause(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
	w.six(r)
	w.finish(r)
	vote := w.votes(bot.RoundSeason)[0]
	pause := vote.Closes.Add(-time.Hour)
	w.at(pause, command("pauze"))
	w.step(vote.Closes) // nobody voted
	if team := w.team(); team.State != bot.TeamResting || !team.SkipNext {
		t.Fatalf("%+v", team)
	}
	w.at(vote.Closes.Add(time.Hour), func(f bot.From) bot.Event {
		return bot.ActionPressed{From: f, Action: bot.Action{Do: "wake-up", Arg: string(crew)}}
	})
	w.at(pause, command("pauze")) // it comes again
	w.step(w.team().NextOpens)
	if w.team().Open == "" {
		t.Errorf("the first question after the rest was skipped: %+v", w.team())
	}
}

// Status tells every manager of a post of which nobody knows whether it stands there, and nobody else; a question that
// could not be posted is told to all.
func TestStatusTellsOfPosts(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	prompt := bot.PostID(r.ID) + "/prompt"
	w.inDoubt(prompt)
	for person, want := range map[string]bool{"p1": true, "p2": false} {
		resp, err := w.fake.Command(ctx, person, crew, "status")
		if err != nil || strings.Contains(plain(resp), "Ik weet niet zeker") != want {
			t.Errorf("%s: %q %v", person, plain(resp), err)
		}
	}
	_, resp, err := w.fake.Type(ctx, "p1", "staat er")
	if p, perr := w.db.Post(ctx, prompt); err != nil || perr != nil || p.State != bot.PostSent || !strings.Contains(plain(resp), "dan weet ik genoeg") {
		t.Errorf("%q %s %v %v", plain(resp), p.State, err, perr)
	}
	err = w.db.UpdatePost(ctx, prompt, func(p *bot.Post) (bot.Also, error) { p.State = bot.PostFailed; return bot.Also{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := w.fake.Command(ctx, "p2", crew, "status"); err != nil || !strings.Contains(plain(resp), "kon ik niet in het kanaal zetten") || strings.Contains(plain(resp), "Er is een vraag open") {
		t.Errorf("%q %v", plain(resp), err)
	}
	// The announcement of a switching-on may be in doubt too.
	var on bot.PostID
	team := w.team()
	on = bot.PostID(fmt.Sprintf("%s/on/%d", crew, team.Steered.UnixMicro()))
	w.inDoubt(on)
	if resp, err := w.fake.Command(ctx, "p1", crew, "status"); err != nil || !strings.Contains(plain(resp), "Ik weet niet zeker") {
		t.Errorf("%q %v", plain(resp), err)
	}
}

// Who presses a button of a post proves that it stands there: nobody has to be asked any more, and it can be edited (D5).
func TestAPressProvesAPost(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	prompt := bot.PostID(r.ID) + "/prompt"
	posts := w.fake.Posts(crew)
	stands := posts[len(posts)-1]
	row := w.inDoubt(prompt)
	press := func(key string, ref bot.Ref) bot.Post {
		t.Helper()
		_, err := w.fake.Send(ctx, bot.ActionPressed{From: w.fake.From("p3", crew), Action: bot.Action{Do: "answer", Round: r.ID}, Post: key, Ref: ref})
		p, perr := w.db.Post(ctx, prompt)
		if err != nil || perr != nil {
			t.Fatal(err, perr)
		}
		return p
	}
	if p := press("another post's key", stands.Ref); p.State != bot.PostUncertain {
		t.Errorf("another post's button made it %s", p.State)
	}
	if p := press(row.Key, stands.Ref); p.State != bot.PostSent || p.Ref != stands.Ref {
		t.Errorf("%s %q", p.State, p.Ref)
	}
	w.step(r.Closes)
	if all := w.channel(crew); !strings.Contains(all, "Deze ronde is dicht") {
		t.Errorf("it was not edited at the closing:\n%s", all)
	}
}

// Words that were taken back and cannot be taken out of the channel: whoever switched the team on hears that they still
// stand there.
func TestAnEditThatFailsIsTold(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	codes := w.six(r)
	w.finish(r)
	w.fake.SetTrouble(func(what string, _ bot.TeamID) chattest.Trouble {
		if what == "edit" {
			return chattest.Trouble{Err: errors.New("too old to edit")}
		}
		return chattest.Trouble{}
	})
	if _, _, err := w.fake.Type(context.Background(), "p3", "verwijder "+codes["p3"]); err != nil {
		t.Fatal(err)
	}
	w.step(r.GivesBack.Add(time.Hour))
	w.step(r.GivesBack.Add(2 * time.Hour))
	told := w.fake.Told()
	if len(told) == 0 || !strings.Contains(told[0].Message.Plain(), "Misschien staat er nog een antwoord in dat is weggehaald") {
		t.Errorf("%d were told", len(told))
	}
}

// A question waits for at most half of the time in which it can be answered (TRUST 9); a give-back as long as it takes.
func TestHowLongPostsWait(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	p, err := w.db.Post(ctx, bot.PostID(r.ID)+"/prompt")
	if err != nil || !p.Until.Equal(r.Opens.Add(r.Closes.Sub(r.Opens)/2)) {
		t.Errorf("%v, open from %v to %v, %v", p.Until, r.Opens, r.Closes, err)
	}
	w.six(r)
	w.step(r.Closes)
	w.fake.SetTrouble(func(what string, _ bot.TeamID) chattest.Trouble {
		return chattest.Trouble{Err: &bot.RetryError{Err: errors.New("away")}}
	})
	w.step(r.GivesBack)
	w.fake.SetTrouble(nil)
	w.step(r.GivesBack.AddDate(0, 0, 9))
	w.step(r.GivesBack.AddDate(0, 0, 9).Add(time.Minute))
	if !strings.Contains(w.channel(crew), "Terugblik") {
		t.Errorf("after nine days the give-back did not come:\n%s", w.channel(crew))
	}
}

// A call that is under way when the program stops may still end well: nothing is left in doubt (D17).
func TestStoppingLetsACallEnd(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, nil)
		ctx := context.Background()
		if err := w.db.Queue(ctx, bot.Post{ID: "x/prompt", Key: "x", Team: crew, Message: note("x"), State: bot.PostQueued, After: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		w.fake.SetTrouble(func(string, bot.TeamID) chattest.Trouble { return chattest.Trouble{Slow: 800 * time.Millisecond} })
		w.run()
		time.Sleep(time.Minute + 100*time.Millisecond)
		began := time.Now()
		w.stop()
		w.stop = nil
		if p, err := w.db.Post(ctx, "x/prompt"); err != nil || p.State != bot.PostSent || time.Since(began) > 2*time.Second {
			t.Errorf("%s after %v, %v", p.State, time.Since(began), err)
		}
		w.close()
	})
}

// A clock that was set back while an attempt was in doubt makes nobody wait for days, and doubles nothing.
func TestClockSetBackInDoubt(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	ctx := context.Background()
	now := time.Now()
	err := w.db.Queue(ctx, bot.Post{ID: "x/prompt", Key: "x", Team: crew, Message: note("x"), State: bot.PostSending, At: now.AddDate(0, 0, 3), After: now})
	if err != nil {
		t.Fatal(err)
	}
	w.bot.Send(ctx, now)
	w.bot.Send(ctx, now.Add(30*time.Second))
	if n := len(w.fake.Posts(crew)); n != 0 {
		t.Errorf("%d posts before the window has passed", n)
	}
	w.bot.Send(ctx, now.Add(bot.SettleWindow+time.Second))
	if n := len(w.fake.Posts(crew)); n != 1 {
		t.Errorf("%d posts after it", n)
	}
}
