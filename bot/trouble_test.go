package bot_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// step does what is due at a moment and sends it.
func (w *world) step(at time.Time) {
	w.t.Helper()
	w.until(at)
	if _, err := w.bot.Step(context.Background(), at); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.bot.Send(context.Background(), at); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) team() bot.Team {
	w.t.Helper()
	t, err := w.db.Team(context.Background(), crew)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) editTeam(edit func(*bot.Team)) {
	w.t.Helper()
	err := w.db.UpdateTeam(context.Background(), crew, func(t *bot.Team) (bot.Also, error) { edit(t); return bot.Also{}, nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

// votes are the team's vote rounds of a kind, oldest first.
func (w *world) votes(kind bot.RoundKind) (out []bot.Round) {
	w.t.Helper()
	all, err := w.db.Rounds(context.Background(), crew)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range all {
		if r.Kind == kind {
			out = append(out, r)
		}
	}
	return out
}

// six people share an answer; their codes come back by person.
func (w *world) six(r bot.Round) map[string]string {
	w.t.Helper()
	codes := map[string]string{}
	for i := 2; i <= 7; i++ {
		p := fmt.Sprintf("p%d", i)
		out := plain(w.answer(p, r.ID, map[string][]string{"text": {"quote van " + p}, "share": {"share"}}))
		_, after, _ := strings.Cut(out, "deze code: ")
		codes[p] = after[:19]
	}
	return codes
}

// at sends an event of the manager at a moment.
func (w *world) at(at time.Time, event func(bot.From) bot.Event) bot.Response {
	w.t.Helper()
	f := w.fake.From("p1", crew)
	f.At = at
	r, err := w.fake.Send(context.Background(), event(f))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func command(text string) func(bot.From) bot.Event {
	return func(f bot.From) bot.Event { return bot.Command{From: f, Text: text} }
}

// submitted fills in a form with what stands in it and the given values.
func (w *world) submitted(at time.Time, form *bot.Form, values map[string][]string) bot.Response {
	all := map[string][]string{}
	for _, f := range form.Fields {
		all[f.Name] = f.Value
	}
	maps.Copy(all, values)
	return w.at(at, func(f bot.From) bot.Event {
		return bot.FormSubmitted{From: f, Form: form.Name, State: form.State, Values: all}
	})
}

// failing makes posts fail as often as left says, with an error that says to come back.
func (w *world) failing(what string, left *int, after time.Duration) {
	var mu sync.Mutex // teams post side by side
	w.fake.SetFault(func(did string, _ bot.TeamID) (error, bool) {
		mu.Lock()
		defer mu.Unlock()
		if did == what && *left > 0 {
			*left--
			return &bot.RetryError{After: after, Err: errors.New("429")}, false
		}
		return nil, true
	})
}

// One refusal of a give-back delays it and what hangs on it, and no more; nor does one over the closing moment.
func TestOneRefusalDelaysAndNoMore(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.six(r)
	w.step(r.Closes)
	left := 1
	w.failing("post", &left, 2*time.Second)
	w.step(r.GivesBack)
	for i := range 6 {
		w.step(r.GivesBack.Add(time.Duration(i+1) * 10 * time.Second))
	}
	posts := w.fake.Posts(crew)
	last := posts[len(posts)-4:]
	if !strings.Contains(last[0].Message.Plain(), "Terugblik") || last[1].Thread != last[0].Ref || last[2].Thread != last[0].Ref || !strings.Contains(last[2].Message.Plain(), "Een kwartier") || last[3].Thread != last[0].Ref {
		t.Errorf("after one refusal:\n%s", w.channel(crew))
	}

	w2 := newWorld(t, nil)
	defer w2.close()
	w2.switchOn(crew, nil)
	w2.step(time.Now())
	left = 1 << 30
	w2.failing("post", &left, 3*time.Minute)
	next := w2.team().NextOpens
	w2.step(next)
	r = w2.openRound(crew)
	w2.six(r)
	w2.step(next.Add(time.Hour))
	w2.step(r.Closes.Add(-time.Second))
	left = 0
	w2.step(r.Closes)
	for i := range 6 {
		w2.step(r.Closes.Add(time.Duration(i) * 10 * time.Minute))
	}
	w2.step(r.GivesBack)
	w2.step(r.GivesBack.Add(time.Minute))
	if !strings.Contains(w2.channel(crew), "Terugblik") {
		t.Errorf("after an outage over the closing:\n%s", w2.channel(crew))
	}
}

// Many teams whose platform is away hold up nobody on another.
func TestAFailingPlatformStarvesNobody(t *testing.T) {
	w := newWorld(t, nil)
	two := chattest.New("two")
	w.o.Chats = []bot.Chat{w.fake, two}
	w.close()
	w.open()
	defer w.close()
	now := time.Now()
	ctx := context.Background()
	m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note("x")}}
	queue := func(p bot.Post) {
		p.Key, p.Message, p.State = string(p.ID), m, bot.PostQueued
		if err := w.db.Queue(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 130 {
		id := fmt.Sprintf("r%d", i)
		team := bot.TeamID("fake:t" + id)
		root := bot.PostID(id + "/give-back")
		queue(bot.Post{ID: root, Team: team, After: now})
		queue(bot.Post{ID: bot.PostID(id + "/guide"), Team: team, After: now, ReplyTo: root})
		queue(bot.Post{ID: bot.PostID(id + "/thread"), Team: team, After: now, ReplyTo: root})
	}
	queue(bot.Post{ID: "m/give-back", Team: "two:a", After: now.Add(time.Second)})
	left := 1 << 30
	w.failing("post", &left, time.Hour)
	for i := range 5 {
		if _, err := w.bot.Send(ctx, now.Add(time.Duration(i)*2*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if len(two.Posts("")) != 1 {
		t.Error("another platform's post was not sent within ten seconds")
	}
	left = 0
	for i := range 5 {
		if _, err := w.bot.Send(ctx, now.Add(2*time.Hour+time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.fake.Posts("")); n != 3*130 {
		t.Errorf("%d of %d posts after the outage", n, 3*130)
	}
}

// A reply that was taken back is in no give-back, whenever that happened: before it was queued, while it waits, while an
// edit is refused, or when the process dies in between.
func TestTakenBackIsNowhere(t *testing.T) {
	removed := func(w *world, person, code string) {
		t.Helper()
		_, resp, err := w.fake.Type(context.Background(), person, "verwijder "+code)
		if err != nil || !strings.Contains(plain(resp), "Weggehaald") {
			t.Errorf("%q %v", plain(resp), err)
		}
	}
	t.Run("while the give-back waits", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		codes := w.six(r)
		w.step(r.Closes)
		if _, err := w.bot.Step(context.Background(), r.GivesBack); err != nil { // queued, and the platform is away
			t.Fatal(err)
		}
		removed(w, "p6", codes["p6"])
		w.step(r.GivesBack.Add(time.Minute))
		for _, p := range w.fake.Posts(crew) {
			if strings.Contains(p.First.Plain()+p.Message.Plain(), "quote van p6") {
				t.Errorf("it was posted:\n%s", p.First.Plain())
			}
		}
		if !strings.Contains(w.channel(crew), "quote van p5") {
			t.Error("the others are missing")
		}
	})
	t.Run("an older edit does not put it back", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		codes := w.six(r)
		w.finish(r)
		removed(w, "p2", codes["p2"])
		now := time.Now().AddDate(0, 1, 0)
		left := 2
		w.failing("edit", &left, time.Minute)
		w.step(now)
		removed(w, "p3", codes["p3"])
		w.step(now.Add(6 * time.Second))
		w.step(now.Add(10 * time.Minute))
		w.step(now.Add(20 * time.Minute))
		if all := w.channel(crew); strings.Contains(all, "quote van p3") || strings.Contains(all, "quote van p2") || !strings.Contains(all, "quote van p4") {
			t.Errorf("\n%s", all)
		}
	})
	t.Run("no row of the outbox holds people's words", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		w.six(r)
		w.step(r.Closes)
		if _, err := w.bot.Step(context.Background(), r.GivesBack); err != nil {
			t.Fatal(err)
		}
		posts, _, err := w.db.Pending(context.Background(), r.GivesBack, 100)
		if err != nil || len(posts) != 4 {
			t.Fatalf("%d posts, %v", len(posts), err)
		}
		for _, p := range posts {
			if strings.Contains(p.Message.Plain(), "quote van") {
				t.Errorf("%s holds a quote", p.ID)
			}
		}
	})
}

// Nothing is posted at night or on a quiet day, also not after downtime (PRACTICE 10, 8).
func TestNothingAtNight(t *testing.T) {
	amsterdam := zone(t, "Europe/Amsterdam")
	for name, run := range map[string]func(w *world, r bot.Round) time.Time{
		"a give-back, back at two in the morning": func(w *world, r bot.Round) time.Time { return r.Closes.Add(16 * time.Hour) },
		"a reminder, back on Saturday at three":   func(w *world, r bot.Round) time.Time { return r.Reminds.Add(17 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w, r := openWorld(t, 8)
			defer w.close()
			w.six(r)
			before := len(w.fake.Posts(crew))
			night := run(w, r)
			w.step(night)
			if n := len(w.fake.Posts(crew)) - before; n != 0 {
				t.Errorf("%d posts at %v", n, night.In(amsterdam))
			}
			morning := night.In(amsterdam)
			for range 4 {
				morning = morning.Add(24 * time.Hour)
				w.step(time.Date(morning.Year(), morning.Month(), morning.Day(), 9, 0, 0, 0, amsterdam))
			}
			if strings.HasPrefix(name, "a give-back") && !strings.Contains(w.channel(crew), "Terugblik") {
				t.Error("and it never came")
			}
		})
	}
	t.Run("a question, after an outage of the platform", func(t *testing.T) {
		w := newWorld(t, nil)
		defer w.close()
		w.switchOn(crew, nil)
		w.step(time.Now())
		left := 1
		w.failing("post", &left, time.Minute)
		opens := w.team().NextOpens
		w.step(opens)
		before := len(w.fake.Posts(crew))
		w.step(opens.Add(13 * time.Hour))
		if n := len(w.fake.Posts(crew)); n != before {
			t.Error("a question at eleven in the evening")
		}
		w.step(opens.Add(23 * time.Hour))
		if n := len(w.fake.Posts(crew)); n != before+1 {
			t.Error("and none the next morning")
		}
	})
	t.Run("an opening, back in the evening", func(t *testing.T) {
		w := newWorld(t, nil)
		defer w.close()
		w.switchOn(crew, nil)
		opens := w.team().NextOpens
		w.step(opens.Add(10 * time.Hour)) // 20:00
		if w.team().Open != "" || w.team().NextOpens.In(amsterdam).Hour() != 8 {
			t.Errorf("%+v", w.team())
		}
		w.step(w.team().NextOpens)
		if w.team().Open == "" {
			t.Error("the question was lost")
		}
	})
}

// planFails is the real store, but planning votes is cut off.
type planFails struct {
	bot.Store
	fail bool
}

func (p *planFails) PlanRound(ctx context.Context, r bot.Round, edit func(*bot.Team) (bot.Also, error)) error {
	if p.fail && (r.Kind == bot.RoundPace || r.Kind == bot.RoundSeason) {
		return errors.New("cut off")
	}
	return p.Store.PlanRound(ctx, r, edit)
}

// What a give-back promises comes, also when the process died before the vote was planned.
func TestThePromisedVoteComes(t *testing.T) {
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
	w.step(r.GivesBack)
	if len(w.votes(bot.RoundPace)) != 0 {
		t.Fatal("the vote was not cut off")
	}
	s.fail = false
	w.step(r.GivesBack.Add(time.Minute))
	w.step(r.GivesBack.Add(2 * time.Minute))
	if n := len(w.votes(bot.RoundPace)); n != 1 || !strings.Contains(w.channel(crew), "Wat past bij jullie?") {
		t.Errorf("%d votes\n%s", n, w.channel(crew))
	}
}

// A vote that was asked before a team was switched off and on again decides nothing.
func TestAnOldVoteDecidesNothing(t *testing.T) {
	t.Run("joining", func(t *testing.T) {
		w := newWorld(t, func(o *bot.Options) { o.Activation = "announced" })
		defer w.close()
		ctx := context.Background()
		w.switchOn(crew, nil)
		first := w.votes(bot.RoundJoin)[0]
		w.fake.Command(ctx, "p1", crew, "uit")
		w.switchOn(crew, nil)
		second := w.votes(bot.RoundJoin)[1]
		for i := range 6 {
			if _, err := w.fake.Press(ctx, fmt.Sprintf("p%d", i+1), crew, bot.Action{Do: "vote", Round: second.ID, Arg: "yes"}); err != nil {
				t.Fatal(err)
			}
		}
		w.step(first.Closes)
		w.step(second.Closes.Add(time.Hour))
		if w.team().State != bot.TeamOn {
			t.Errorf("six said yes: %s", w.team().State)
		}
	})
	t.Run("the season", func(t *testing.T) {
		w, r := openWorld(t, 8)
		defer w.close()
		w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
		w.six(r)
		w.finish(r)
		vote := w.votes(bot.RoundSeason)[0]
		w.at(r.GivesBack.Add(time.Hour), command("uit"))
		form := w.at(r.GivesBack.Add(2*time.Hour), command("aan")).Form
		w.submitted(r.GivesBack.Add(2*time.Hour), form, map[string][]string{"worktime": {"yes"}})
		w.step(vote.Closes)
		if w.team().State != bot.TeamOn {
			t.Errorf("%s", w.team().State)
		}
	})
}

// After a rest a new season begins, and it lasts; the button does nothing for a team that was switched off.
func TestWakingUp(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	wake := func(f bot.From) bot.Event {
		return bot.ActionPressed{From: f, Action: bot.Action{Do: "wake-up", Arg: string(crew)}}
	}
	w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
	w.six(r)
	w.finish(r)
	w.step(w.team().NextOpens) // nobody voted
	if w.team().State != bot.TeamResting {
		t.Fatal(w.team().State)
	}
	woken := r.GivesBack.AddDate(0, 0, 30)
	w.at(woken, wake)
	w.step(woken)
	if team := w.team(); team.State != bot.TeamOn || team.Season != 2 || team.SeasonRounds != 0 || !strings.Contains(w.channel(crew), "Ik ben er weer.") {
		t.Errorf("%+v\n%s", team, w.channel(crew))
	}
	w.step(w.team().NextOpens)
	r = w.openRound(crew)
	w.six(r)
	w.finish(r)
	if n := len(w.votes(bot.RoundSeason)); n != 1 {
		t.Errorf("%d season votes", n)
	}
	w.at(r.GivesBack, command("uit"))
	if resp := w.at(r.GivesBack.Add(time.Hour), wake); resp.Form == nil || w.team().State != bot.TeamOff {
		t.Errorf("%s %s", plain(resp), w.team().State)
	}
}

// Two pauses in a row lead to the question what fits, as two thin rounds do; one person cannot silence a team for good.
func TestTwoPausesAskWhatFits(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.six(r)
	w.finish(r)
	for range 2 {
		next := w.team().NextOpens
		w.at(next.Add(-time.Hour), command("pauze"))
		w.step(next)
	}
	if n := len(w.votes(bot.RoundPace)); n != 1 || w.team().Open != "" {
		t.Errorf("%d votes after two pauses, open %q", n, w.team().Open)
	}
	vote := w.votes(bot.RoundPace)[0]
	w.step(vote.Closes)
	if team := w.team(); !team.HalfPace || team.State != bot.TeamOn {
		t.Errorf("%+v", team)
	}
}

// A private message to somebody who left is no channel that is gone.
func TestALostConversationIsNoLostChannel(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	err := w.db.Queue(ctx, bot.Post{ID: "ask", Key: "ask", Team: crew, To: "fake:p1", State: bot.PostQueued, After: r.Opens})
	if err != nil {
		t.Fatal(err)
	}
	w.fake.SetFault(func(what string, _ bot.TeamID) (error, bool) {
		if what == "direct" {
			return bot.ErrGone, false
		}
		return nil, true
	})
	w.step(r.Opens)
	if p, err := w.db.Post(ctx, "ask"); err != nil || p.State != bot.PostFailed || w.team().State != bot.TeamOn {
		t.Errorf("%s %s %v", p.State, w.team().State, err)
	}
}

// A vote of a rhythm that counts no weeks lasts at least as long as one of its rounds.
func TestVotesOfOwnRhythmsLast(t *testing.T) {
	for _, tc := range []struct{ cron, window, after string }{{"0 10 * * *", "23h", "55m"}, {"*/5 * * * *", "3m", "1m"}} {
		w := newWorld(t, func(o *bot.Options) {
			o.Team.Rhythm, o.Team.Cron, o.Team.Window, o.Team.GiveBackAfter = bot.RhythmCustom, tc.cron, bot.Length(tc.window), bot.Length(tc.after)
			o.Team.QuietHours, o.Team.WorkdaysOnly, o.Team.Holidays = "", false, nil
		})
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
		w.six(r)
		w.step(r.Closes)
		w.step(r.GivesBack.Add(59 * time.Second)) // a minute late
		vote := w.votes(bot.RoundSeason)[0]
		if lasts, window := vote.Closes.Sub(vote.Opens), r.Closes.Sub(r.Opens); lasts < window {
			t.Errorf("%s: %v to vote, %v to answer", tc.cron, lasts, window)
		}
		w.close()
	}
}

// After an incident nothing is posted for two whole working days, whatever the rhythm; the receipt tells the moved
// give-back.
func TestRestAfterAnIncident(t *testing.T) { chattest.Bubble(t, restAfterAnIncident) }

func restAfterAnIncident(t *testing.T) {
	chattest.Until(time.Date(2026, 9, 1, 5, 0, 0, 0, time.UTC)) // an hour before an opening is not before the switching on
	w := newWorld(t, func(o *bot.Options) {
		o.Team.Rhythm, o.Team.Cron, o.Team.Window, o.Team.GiveBackAfter = bot.RhythmCustom, "0 10 * * *", "6h", "1h"
	})
	defer w.close()
	w.switchOn(crew, nil)
	next := w.team().NextOpens
	incident := next.Add(-time.Hour)
	w.at(incident, command("pauze na een incident"))
	for range 10 {
		if w.team().Open != "" {
			break
		}
		w.step(w.team().NextOpens)
	}
	r := w.openRound(crew)
	days := 0
	for d := incident; d.Before(r.Opens); d = d.AddDate(0, 0, 1) {
		if local := d.In(zone(t, "Europe/Amsterdam")); local.Weekday() != time.Saturday && local.Weekday() != time.Sunday {
			days++
		}
	}
	if days < 3 { // the day itself, and two
		t.Errorf("an incident at %v, a question at %v", incident, r.Opens)
	}
	w2, r2 := openWorld(t, 8)
	defer w2.close()
	w2.answer("p3", r2.ID, map[string][]string{"text": {"x"}, "share": {"share"}})
	w2.at(r2.Opens.Add(time.Hour), command("pauze na een incident"))
	moved, err := w2.db.Round(context.Background(), r2.ID)
	if err != nil || !moved.GivesBack.After(r2.GivesBack) {
		t.Fatalf("%v %v", moved.GivesBack, err)
	}
	out := plain(w2.answer("p4", r2.ID, map[string][]string{"text": {"x"}, "share": {"share"}}))
	if day := fmt.Sprint(moved.GivesBack.Day()); !strings.Contains(out, " "+day+" ") {
		t.Errorf("the give-back moved to day %s:\n%s", day, out)
	}
}

// A change of the settings while a round is open announces an opening that comes.
func TestAnnouncedOpeningComes(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	form := w.at(r.Opens.Add(time.Hour), command("instellingen")).Form
	w.submitted(r.Opens.Add(time.Hour), form, map[string][]string{"cron": {"0 10 * * FRI"}})
	promised := w.team().NextOpens
	w.finish(r)
	w.step(promised)
	if w.team().Open == "" {
		t.Errorf("%v was announced, then it became %v", promised, w.team().NextOpens)
	}
}

// An act of a manager or a pause that comes again undoes nothing newer and does nothing twice.
func TestRedeliveredActs(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	at := r.Opens.Add(time.Hour)
	w.at(at, command("uit"))
	form := w.at(at.Add(time.Minute), command("aan")).Form
	on := func() string {
		return plain(w.submitted(at.Add(time.Minute), form, map[string][]string{"worktime": {"yes"}}))
	}
	first := on()
	if again := on(); again != first {
		t.Errorf("the same form got %q, then %q", first, again)
	}
	w.at(at, command("uit"))
	if w.team().State != bot.TeamOn {
		t.Error("an old 'uit' switched the team off")
	}
	settings := w.at(at.Add(2*time.Minute), command("instellingen")).Form
	w.submitted(at.Add(2*time.Minute), settings, map[string][]string{"min_replies": {"7"}})
	w.submitted(at.Add(3*time.Minute), settings, map[string][]string{"min_replies": {"9"}})
	w.submitted(at.Add(2*time.Minute), settings, map[string][]string{"min_replies": {"7"}})
	if n := w.team().Settings.MinReplies; n != 9 {
		t.Errorf("an old form set the minimum to %d", n)
	}
	w.six(r)
	w.finish(r)
	next := w.team().NextOpens
	w.at(next.Add(-time.Minute), command("pauze"))
	w.step(next)
	w.at(next.Add(-time.Minute), command("pauze"))
	if w.team().SkipNext {
		t.Error("an old pause skips another question")
	}
	w.at(next.Add(time.Hour), command("uit"))
	w.submitted(at.Add(time.Minute), form, map[string][]string{"worktime": {"yes"}})
	if w.team().State != bot.TeamOff {
		t.Error("an old form switched the team on")
	}
}

// A ballot that does not open stops its own round, is never deleted by itself, and turns the health red (TRUST 2.4).
func TestABallotThatDoesNotOpen(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	w.six(r)
	box, err := w.db.Box(ctx, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	whole := box[0].Sealed
	spoil := func(sealed []byte) {
		err := w.db.Cast(ctx, r.ID, box[0].Address, func(bot.Slip) (bot.Slip, error) { return bot.Slip{Ballot: sealed}, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	spoil(append([]byte{whole[0] ^ 1}, whole[1:]...))
	for i := range 4 {
		if _, err := w.bot.Step(ctx, r.Closes.Add(time.Duration(i)*10*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	left, err := w.db.Box(ctx, r.ID)
	if err != nil || len(left) != 6 || w.bot.Healthy() == nil {
		t.Errorf("%d ballots left, healthy: %v, %v", len(left), w.bot.Healthy(), err)
	}
	if got, err := w.db.Round(ctx, r.ID); err != nil || got.State != bot.RoundClosing {
		t.Errorf("%s %v", got.State, err)
	}
}

// One hanging call to a platform holds up nobody else's closing and give-back.
func TestAHangingPlatformHoldsNobodyUp(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
		w := newWorld(t, nil)
		const other = bot.TeamID("fake:other")
		w.fake.Crew(other, 8)
		w.run()
		defer w.close()
		w.switchOn(crew, nil)
		w.switchOn(other, nil)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		first, second := w.openRound(crew), w.openRound(other)
		w.six(first)
		w.fake.SetHang(func(ctx context.Context, what string, team bot.TeamID) {
			if what == "count" && team == crew {
				<-ctx.Done()
			}
		})
		chattest.Until(first.GivesBack.Add(time.Minute))
		synctest.Wait()
		for _, r := range []bot.Round{first, second} {
			got, err := w.db.Round(context.Background(), r.ID)
			if err != nil || got.State != bot.RoundGivenBack && got.State != bot.RoundTooFew {
				t.Errorf("%s: %s %v", r.Team, got.State, err)
			}
		}
	})
}
