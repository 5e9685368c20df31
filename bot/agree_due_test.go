package bot_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// seasonEnds is a team in a rhythm whose season has ended: its vote is open, and with it the agreement of the season's end.
func seasonEnds(t *testing.T, rhythm bot.RhythmName) *agreeing {
	t.Helper()
	w := newWorld(t, func(o *bot.Options) { o.Team.Rhythm = rhythm })
	t.Cleanup(w.close)
	w.fake.Crew(crew, 8)
	w.switchOn(crew, nil)
	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	w.six(r)
	w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
	r = w.finish(r)
	w.step(r.GivesBack.Add(time.Second))
	votes := w.votes(bot.RoundSeason)
	if len(votes) != 1 || votes[0].State != bot.RoundOpen || len(w.team().Agreements) != 1 || w.team().Agreements[0].Round != votes[0].ID {
		t.Fatalf("%+v %+v", votes, w.team().Agreements)
	}
	return &agreeing{w, t, votes[0], r.GivesBack.Add(time.Hour)}
}

// began counts the messages in the channel that began with a text.
func (a *agreeing) began(text string) (n int) {
	for _, p := range a.fake.Posts(crew) {
		if strings.HasPrefix(p.First.Plain(), text) {
			n++
		}
	}
	return n
}

// A promise of a season's end passes while its vote is open: the channel hears it then, and the vote goes on.
func TestSilenceIsMentionedWhileAVoteIsOpen(t *testing.T) {
	a := seasonEnds(t, bot.RhythmMonthly)
	a.send("p2", 0, a.line(bot.AgreePass, "de bloktijden", ""))
	promise := a.now().Promise
	if !a.r.Closes.After(promise.AddDate(0, 0, 3)) {
		t.Fatalf("the vote closes %v, the answer is promised for %v", a.r.Closes, promise)
	}
	a.step(promise.Add(2 * time.Hour))
	if n := a.began("Nog zonder antwoord"); n != 0 {
		t.Error("told before the day is over")
	}
	for d := range 4 {
		a.step(promise.AddDate(0, 0, 1+d))
	}
	if n := a.began("Nog zonder antwoord, toegezegd voor"); n != 1 || a.round(a.r.ID).State != bot.RoundOpen {
		t.Errorf("told %d times, the vote is %s:\n%s", n, a.round(a.r.ID).State, a.channel(crew))
	}
	a.step(a.r.Closes)
	if got := a.round(a.r.ID); got.State != bot.RoundGivenBack {
		t.Errorf("the vote is %s", got.State)
	}
}

// A manager answers what they saw: where another line came in its place, the form comes again with that one, filled in as it was.
func TestAnAnswerIsToTheLineThatWasSeen(t *testing.T) {
	a := newAgreeing(t)
	a.send("p2", 0, a.line(bot.AgreePass, "de bloktijden", ""))
	form := a.send("p1", 10, func(f bot.From) bot.Event {
		return bot.ActionPressed{From: f, Action: bot.Action{Do: "passed", Round: a.r.ID}}
	}).Form
	a.send("p3", 20, a.line(bot.AgreePass, "de sleutels", ""))
	submits := func(form *bot.Form) func(bot.From) bot.Event {
		return func(f bot.From) bot.Event {
			return bot.FormSubmitted{From: f, Form: form.Name, State: form.State, Values: map[string][]string{"answer": {"not"}, "words": {"geen geld"}}}
		}
	}
	r := a.send("p1", 30, submits(form))
	if r.Form == nil || r.Errors["answer"] == "" || a.now().Answer != nil || r.Form.Fields[2].Value[0] != "geen geld" ||
		!strings.Contains(bot.Message{Blocks: r.Form.Intro}.Plain(), "de sleutels") {
		t.Fatalf("%s %+v %+v", plain(r), r.Errors, a.now())
	}
	if got := plain(a.send("p1", 40, submits(r.Form))); !strings.Contains(got, "staat in het kanaal") || a.now().Answer == nil {
		t.Errorf("%s %+v", got, a.now())
	}
}

// A promise runs from when it was made: the same line again moves nothing. Once it was answered, with "later" too, or its day has
// passed, no other line takes it away; before that one may.
func TestWhatWasPassedOnStays(t *testing.T) {
	pass := func(a *agreeing) func(bot.From) bot.Event { return a.line(bot.AgreePass, "de bloktijden", "") }
	a := newAgreeing(t)
	a.send("p2", 0, pass(a))
	made := a.now()
	if got := plain(a.send("p3", 3600, pass(a))); !strings.Contains(got, "Opgeschreven") || !reflect.DeepEqual(a.now(), made) {
		t.Errorf("%s %+v", got, a.now())
	}
	if a.send("p3", 3700, a.line(bot.AgreePass, "de bloktijden", "Robin")); a.now().Manager != "Robin" {
		t.Errorf("%+v", a.now())
	}
	if a.send("p3", 3800, a.line(bot.AgreeTry, "zelf doen", "")); a.now().Choice != bot.AgreeTry {
		t.Errorf("%+v", a.now())
	}
	for name, tc := range map[string]struct {
		act  func(a *agreeing)
		wait int
	}{
		"later":  {func(a *agreeing) { a.send("p1", 10, a.answers(bot.AnswerLater, "2026-12-20", "")) }, 20},
		"done":   {func(a *agreeing) { a.send("p1", 10, a.answers(bot.AnswerDone, "", "")) }, 20},
		"passed": {func(a *agreeing) { a.says("p1", 10, "uit") }, 15 * 24 * 3600},
	} {
		a := newAgreeing(t)
		a.send("p2", 0, pass(a))
		tc.act(a)
		before := a.now()
		leave := func(f bot.From) bot.Event {
			return bot.ActionPressed{From: f, Action: bot.Action{Do: "leave", Round: a.r.ID, Arg: "leave"}}
		}
		for i, event := range []func(bot.From) bot.Event{leave, a.line(bot.AgreeTry, "iets anders", ""), command("afspraak proberen")} {
			if got := plain(a.send("p3", tc.wait+i, event)); !strings.Contains(got, "Daarom blijft deze regel staan") || !reflect.DeepEqual(a.now(), before) {
				t.Errorf("%s, %d: %s %+v", name, i, got, a.now())
			}
		}
		if name != "passed" && strings.Contains(a.shown(), "(Proberen)") {
			t.Errorf("%s: buttons that do nothing:\n%s", name, a.shown())
		}
	}
}

// Once a season's vote is closed its overview asks nothing any more, and is otherwise as it was.
func TestTheOverviewOfAClosedVote(t *testing.T) {
	a := seasonEnds(t, bot.RhythmWeekly)
	overview := func() bot.Message {
		for _, p := range a.fake.Posts(crew) {
			if p.Ref == a.row(bot.PostID(a.r.ID)+"/prompt").Ref {
				return p.Message
			}
		}
		t.Fatal("no overview")
		return bot.Message{}
	}
	before := overview().Plain()
	a.step(a.r.Closes)
	after := overview()
	if len(actions(after)) != 0 || a.round(a.r.ID).State != bot.RoundGivenBack {
		t.Errorf("the vote is closed:\n%s", after.Plain())
	}
	if !strings.HasPrefix(before, strings.TrimSpace(after.Plain())) || strings.Contains(after.Plain(), "En volgend seizoen") {
		t.Errorf("before:\n%s\nafter:\n%s", before, after.Plain())
	}
}

// Retention ends on its day, whatever else a round still has to do then.
func TestRetentionWaitsForNothing(t *testing.T) {
	for name, waits := range map[string]func(*bot.Round, time.Time){
		"a vote":       func(r *bot.Round, keep time.Time) { r.Then, r.ThenFrom = bot.RoundPace, keep.AddDate(1, 0, 0) },
		"a follow-up":  func(r *bot.Round, _ time.Time) { r.Second = true },
		"an agreement": func(r *bot.Round, keep time.Time) { r.Asks = keep },
	} {
		a := newAgreeing(t)
		a.editTeam(func(t *bot.Team) { t.State, t.NextOpens, t.NextDue = bot.TeamResting, time.Time{}, time.Time{} })
		keep := a.round(a.r.ID).Keep
		err := a.db.UpdateRound(context.Background(), a.r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
			waits(r, keep)
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.round(a.r.ID).Wake(); got.After(keep) {
			t.Errorf("%s: looked at %v, kept until %v", name, got, keep)
		}
		a.step(keep)
		shelf, err := a.db.Shelf(context.Background(), a.r.ID)
		if err != nil || len(shelf) != 0 || !a.round(a.r.ID).Keep.IsZero() {
			t.Errorf("%s: %d replies are kept, %v", name, len(shelf), err)
		}
	}
}

// Who exports a team's channel finds what was chosen at a season's end, and what was chosen after a round whose counts are
// forgotten.
func TestTheExportHoldsWhatWasChosen(t *testing.T) {
	finds := func(a *agreeing) {
		t.Helper()
		a.send("p2", 0, a.line(bot.AgreeTry, "eerst bellen", ""))
		seen, err := a.bot.Export(context.Background(), crew)
		n := 0
		for _, s := range seen {
			if s.What == bot.SeenChoice && strings.Contains(s.Text, "eerst bellen") {
				n++
			}
		}
		if err != nil || n != 1 {
			t.Errorf("found %d times, %v", n, err)
		}
	}
	finds(seasonEnds(t, bot.RhythmWeekly))
	a := newAgreeing(t)
	err := a.db.UpdateRound(context.Background(), a.r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.Tally, r.Counted = nil, true
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	finds(a)
}

// A hold on a question's replies covers those of its follow-up that closes later: they are held from the start, and the channel
// hears it.
func TestAHoldCoversTheFollowUp(t *testing.T) {
	w, q, f := openFollow(t)
	defer w.close()
	if err := bot.Hold(context.Background(), w.db, crew, q.Number, true, "operator:console", w.fake.Now()); err != nil {
		t.Fatal(err)
	}
	w.shares(f, 5)
	w.step(f.Closes)
	got, said := w.round(f.ID), 0
	for _, p := range w.fake.Posts(crew) {
		if strings.Contains(p.First.Plain(), "De wet vraagt") {
			said++
		}
	}
	if !got.Held || got.Keep.IsZero() || said != 2 {
		t.Errorf("said %d times: %+v", said, got)
	}
	w.step(got.Keep.AddDate(0, 0, 1))
	if shelf, err := w.db.Shelf(context.Background(), f.ID); err != nil || len(shelf) == 0 {
		t.Errorf("%d on the shelf, %v", len(shelf), err)
	}
}
