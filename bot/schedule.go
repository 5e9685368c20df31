package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Step does everything that is due at now: closes and gives back first, then opens and reminds. It returns the next due
// moment, zero if there is none. What must be said is only queued.
func (b *Bot) Step(ctx context.Context, now time.Time) (time.Time, error) {
	return b.plan(ctx, now, 0)
}

// patience is how long the agenda waits for its tasks. One that takes longer hangs on a platform; the others go on.
const patience = longCall

// plan takes the steps that are due, and waits for them as long as patience says; zero: until they are done.
func (b *Bot) plan(ctx context.Context, now time.Time, patience time.Duration) (time.Time, error) {
	b.planning.Lock()
	defer b.planning.Unlock()
	const batch = 512
	var again time.Time
	for {
		tasks, next, err := b.o.Store.Due(ctx, now, batch+b.troubled())
		if err != nil {
			return now.Add(time.Second), err
		}
		due := slices.Clone(tasks)
		tasks = slices.DeleteFunc(tasks, func(t Task) bool {
			until, resting := b.resting(t, now)
			if resting && !until.IsZero() && (again.IsZero() || until.Before(again)) {
				again = until
			}
			return resting
		})
		if len(tasks) == 0 {
			b.recovered(func(t Task) bool { return !slices.ContainsFunc(due, func(d Task) bool { return of(d) == t }) })
			if err := b.forgetAudit(ctx, now); err != nil {
				b.o.Log.Warn("forget the old audit log", "err", err)
			}
			if err := b.tellOfProposals(ctx, now); err != nil {
				b.o.Log.Warn("tell editors that something waits", "err", err)
			}
			if err := b.tidy(ctx); err != nil {
				if !errors.Is(err, ErrBusy) {
					b.o.Log.Warn("tidy", "err", err)
				}
				again = earliest(again, now.Add(time.Second))
			}
			return earliest(next, again), nil
		}
		// Closing has no grace and goes before anything is asked (TRUST 9).
		var rounds, teams []Task
		for _, t := range tasks {
			if t.Round != "" {
				rounds = append(rounds, t)
			} else {
				teams = append(teams, t)
			}
		}
		b.each(ctx, rounds, now, patience, b.stepRound)
		if len(rounds) == 0 { // a round that was closed late is given back before its team is asked anew
			b.each(ctx, teams, now, patience, b.stepTeam)
		}
		b.wake(b.wakeSender)
		if ctx.Err() != nil {
			return now.Add(time.Second), ctx.Err()
		}
	}
}

// KeepAuditYears is how long the audit log keeps an act (TRUST 7: 24 months).
const KeepAuditYears = 2

// forgetAudit drops what the audit log has kept long enough, and who asked to be told of the library no more, once a day.
func (b *Bot) forgetAudit(ctx context.Context, now time.Time) error {
	b.mu.Lock()
	wait := now.Before(b.auditAt)
	b.mu.Unlock()
	if wait {
		return nil
	}
	b.untidy.Store(true)
	if err := errors.Join(b.o.Store.ForgetAudit(ctx, now.AddDate(-KeepAuditYears, 0, 0)), b.forgetWatchers(ctx, now)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.auditAt = now.AddDate(0, 0, 1)
	return nil
}

// begin puts right what a start may find: a store that was put back from a backup, whose past moments were asked already
// and which holds replies that were removed since, and open rounds whose key slot is gone, which nobody can open any more
// (TRUST 13, S12 and S17).
func (b *Bot) begin(ctx context.Context, now time.Time) error {
	if err := errors.Join(b.removeAgain(ctx, now), b.eraseAgain(ctx)); err != nil {
		return err
	}
	at, err := b.o.Store.Restored(ctx)
	if err != nil {
		return err
	}
	restored := !at.IsZero()
	teams, err := b.o.Store.Teams(ctx)
	if err != nil {
		return err
	}
	for _, t := range teams {
		for _, id := range t.Boxes() {
			if err := b.endKeyless(ctx, id, now); err != nil {
				return err
			}
		}
		if !restored || t.State != TeamOn || t.NextDue.After(now) {
			continue
		}
		cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
		if err != nil {
			return err
		}
		last, err := b.lastGiveBack(ctx, t.ID)
		if err != nil {
			return err
		}
		err = b.o.Store.UpdateTeam(ctx, t.ID, func(t *Team) (Also, error) {
			m := cal.Next(t.Since, now, last, t.HalfPace)
			t.NextDue, t.NextOpens, t.SkipNext = m.Due.UTC(), m.Opens.UTC(), false
			return Also{}, nil
		})
		if err != nil {
			return err
		}
	}
	if restored {
		return b.o.Store.ForgetRestored(ctx)
	}
	return nil
}

// endKeyless ends an open round as lost if its key slot is gone.
func (b *Bot) endKeyless(ctx context.Context, id RoundID, now time.Time) error {
	r, err := b.o.Store.Round(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && r.State != RoundOpen {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := b.o.Keys.Open(ctx, ballotSlot(id)); !errors.Is(err, ErrNotFound) {
		return err
	}
	b.o.Log.Warn("the key slot of an open round is gone: the round is lost", "round", id)
	err = b.closeRound(ctx, r, now)
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// each takes tasks side by side, so that one commit of the store carries many. Those that take longer than patience go on
// by themselves, and wake the agenda when they are done.
func (b *Bot) each(ctx context.Context, tasks []Task, now time.Time, patience time.Duration, do func(context.Context, Task, time.Time) error) {
	began := time.Now()
	var wg sync.WaitGroup
	for _, t := range tasks {
		leave := b.steps.enter()
		b.begins(t)
		if patience > 0 {
			b.behind.Add(1)
		}
		wg.Go(func() {
			defer leave()
			if b.contained("agenda", func() error { return do(ctx, t, now) }) {
				b.ends(t)
				b.wake(b.wakeSender) // what it queued does not wait for the others
			} else {
				b.rest(t, now.Add(time.Since(began)))
			}
			if patience > 0 {
				b.behind.Done()
				if time.Since(began) >= patience {
					b.wake(b.wakeAgenda)
				}
			}
		})
	}
	if patience == 0 || len(tasks) == 0 {
		wg.Wait()
		return
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case <-done:
	case <-enough.C:
	}
}

// trouble is a task that is under way, or that failed: how often, and when it is tried again.
type trouble struct {
	busy  bool
	times int
	until time.Time
}

// redAfter is how often a task must fail before the bot calls itself unwell.
const redAfter = 3

// Healthy says what keeps failing, without content: a ballot that does not open, a store that takes nothing, a platform
// that does not let the bot in. Nil: nothing.
func (b *Bot) Healthy() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, t := range b.resume {
		if t.times >= redAfter {
			n++
		}
	}
	errs := b.out.locked()
	if n > 0 {
		errs = append(errs, fmt.Errorf("%d tasks of the agenda keep failing; see the log", n))
	}
	return errors.Join(errs...)
}

// of is a task without its moment, which changes while a round's own step runs.
func of(t Task) Task { return Task{Team: t.Team, Round: t.Round} }

func (b *Bot) begins(t Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resume[of(t)] = trouble{busy: true, times: b.resume[of(t)].times}
}

func (b *Bot) ends(t Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.resume, of(t))
}

// rest puts a failed task aside for a while, at most a minute; it stays in the agenda and other teams go on.
func (b *Bot) rest(t Task, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.resume[of(t)].times
	b.resume[of(t)] = trouble{times: n + 1, until: now.Add(min(5*time.Second<<min(n, 4), time.Minute))}
}

// resting says whether a task is left alone now, and until when; zero: until it has ended.
func (b *Bot) resting(t Task, now time.Time) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bad, ok := b.resume[of(t)]
	return bad.until, ok && (bad.busy || now.Before(bad.until))
}

// troubled is how many tasks stay in the agenda although they are not taken.
func (b *Bot) troubled() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.resume)
}

// stepping says whether a step of that round is under way.
func (b *Bot) stepping(id RoundID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for t, bad := range b.resume {
		if t.Round == id && bad.busy {
			return true
		}
	}
	return false
}

// recovered forgets the trouble of tasks that are not due any more.
func (b *Bot) recovered(gone func(Task) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.resume, func(t Task, bad trouble) bool { return !bad.busy && gone(t) })
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (b *Bot) stepRound(ctx context.Context, t Task, now time.Time) error {
	r, err := b.o.Store.Round(ctx, t.Round)
	if err != nil {
		return err
	}
	switch {
	case r.Wake().IsZero() || r.Wake().After(now):
		return nil
	case !r.Owes.IsZero() && !r.Owes.After(now): // a season's end owes while its vote is open
		err = b.tellOverdue(ctx, r, now)
	case r.State == RoundOpen && now.Before(r.Closes):
		err = b.remind(ctx, r, now)
	case r.State == RoundOpen || r.State == RoundClosing:
		err = b.closeRound(ctx, r, now)
	case r.State == RoundClosed:
		err = b.giveBack(ctx, r, now)
	case !r.keeps().IsZero() && !r.Keep.After(now):
		err = b.forget(ctx, r)
	case !r.Asks.IsZero() && !r.Asks.After(now):
		err = b.askLater(ctx, r, now)
	case r.Then != "" && !later(r.GivesBack, r.ThenFrom).After(now): // first: it moves the opening until which a follow-up stands open
		err = b.openVote(ctx, r, now)
	case r.Second:
		err = b.openFollow(ctx, r, now)
	default:
		err = b.forgetCounts(ctx, r, now)
	}
	if err != nil && !errors.Is(err, errSame) {
		return err
	}
	after, err := b.o.Store.Round(ctx, t.Round)
	if err == nil && after.State == r.State && after.Wake().Equal(r.Wake()) && after.Then == r.Then && after.Second == r.Second &&
		after.ThenFrom.Equal(r.ThenFrom) && after.Asks.Equal(r.Asks) && after.Owes.Equal(r.Owes) && after.Keep.Equal(r.Keep) {
		err = errStuck
	}
	return err
}

// errStuck says that a task left its record as it was: it is put aside for a while instead of being tried at once.
var errStuck = errors.New("nothing moved")

// remind queues the one reminder, in the channel: a personal one would show who is silent.
func (b *Bot) remind(ctx context.Context, r Round, now time.Time) error {
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		r.Reminds = time.Time{}
		at := b.permitted(*t, now) // after downtime it may be night
		if r.Closes.Sub(at) < aDay-reminderSlack || t.State == TeamGone {
			return Also{}, nil
		}
		p := b.say(r.Team, stepPost(r.ID, "reminder"), b.reminderMessage(*r), at)
		p.Until = r.Closes.Add(-aDay + reminderSlack)
		return Also{Posts: []Post{p}}, nil
	})
}

// reminderSlack is how much nearer than a day to the closing a reminder may still leave, so that one of exactly a day is
// not lost to a late second.
const reminderSlack = time.Hour

// stepTeam opens the team's next round, or says why not and moves on to the one after.
func (b *Bot) stepTeam(ctx context.Context, task Task, now time.Time) error {
	t, err := b.o.Store.Team(ctx, task.Team)
	if err != nil {
		return err
	}
	if t.Wake().IsZero() || t.Wake().After(now) {
		return nil
	}
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return err
	}
	rounds, err := b.o.Store.Rounds(ctx, t.ID)
	if err != nil {
		return err
	}
	last := lastGiveBack(rounds)
	m, ask, next := cal.Missed(t.Since, t.NextDue, now, last, t.HalfPace)
	onward := func(t *Team) { t.NextDue, t.NextOpens = next.Due.UTC(), next.Opens.UTC() }
	switch {
	case t.SkipNext:
		err = b.skip(ctx, t, cal, now)
	case !ask && m.Opens.After(now): // not now, but later: at night, or on the day of a give-back
		err = b.updateTeam(ctx, t, func(t *Team) (Also, error) {
			t.NextDue, t.NextOpens = m.Due.UTC(), m.Opens.UTC()
			return Also{}, nil
		})
	case !ask:
		b.o.Log.Info("missed opening is not asked any more", "team", t.ID, "due", m.Due)
		err = b.updateTeam(ctx, t, func(t *Team) (Also, error) { onward(t); return Also{}, nil })
	case slices.ContainsFunc(t.asks(), b.stepping): // one is being closed or given back this moment
		return errWaits
	case t.Open != "": // the round before is not given back yet: one open round per team
		b.o.Log.Info("opening skipped: the round before is not given back", "team", t.ID, "due", m.Due)
		err = b.updateTeam(ctx, t, func(t *Team) (Also, error) { onward(t); return Also{}, nil })
	default:
		err = b.open(ctx, t, m, rounds, onward, now)
	}
	if err != nil {
		return err
	}
	after, err := b.o.Store.Team(ctx, t.ID)
	if err == nil && after.State == t.State && after.Wake().Equal(t.Wake()) {
		err = errStuck
	}
	return err
}

// skip leaves the next opening out, because somebody asked. The second time in a row the team is asked what fits.
func (b *Bot) skip(ctx context.Context, t Team, cal *Calendar, now time.Time) error {
	onward := func(t *Team) {
		next := cal.Next(t.Since, t.skipTo(cal), time.Time{}, t.HalfPace)
		t.SkipNext, t.Skipped = false, now.UTC()
		t.Thin++
		t.NextDue, t.NextOpens = next.Due.UTC(), next.Opens.UTC()
	}
	after := t
	onward(&after)
	if !now.Before(t.restsUntil(cal)) && // else nothing is posted, no vote either
		b.voteAfter(after, now) == RoundPace {
		return b.ask(ctx, t, RoundPace, t.NextDue, now, onward, b.paceMessage)
	}
	return b.updateTeam(ctx, t, func(t *Team) (Also, error) { onward(t); return Also{}, nil })
}

// restsUntil is the end of the two whole working days of rest after an incident; zero without one.
func (t Team) restsUntil(cal *Calendar) time.Time {
	if t.Incident.IsZero() {
		return time.Time{}
	}
	return cal.Quiet(t.Incident, 2)
}

// skipTo is the moment after which a paused team is asked again: after the opening it skips, and after an incident not
// before two whole working days have passed (PRACTICE 3.5).
func (t Team) skipTo(cal *Calendar) time.Time {
	if t.Incident.IsZero() {
		return t.NextDue
	}
	return later(t.NextDue, t.restsUntil(cal).Add(-time.Nanosecond))
}

// updateTeam changes a team unless somebody else moved its next opening meanwhile.
func (b *Bot) updateTeam(ctx context.Context, t Team, edit func(*Team) (Also, error)) error {
	err := b.o.Store.UpdateTeam(ctx, t.ID, func(now *Team) (Also, error) {
		if !now.NextDue.Equal(t.NextDue) || now.State != t.State {
			return Also{}, errSame
		}
		return edit(now)
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// open plans and opens one round: prompt chosen, key slot durable, then round, team and post in one transaction.
func (b *Bot) open(ctx context.Context, t Team, m Moments, rounds []Round, onward func(*Team), now time.Time) error {
	people, counted, err := b.countPeople(ctx, t.ID)
	if errors.Is(err, ErrGone) {
		return b.gone(ctx, t.ID, time.Time{})
	}
	if err != nil {
		return err
	}
	talk := m.TalkOnly || !counted || people < max(b.o.Limits.MinMembers, 6)
	lib, err := b.library(ctx)
	if err != nil {
		return err
	}
	choice, ok := prompts.Pick(lib, b.situation(t, m, rounds))
	if !ok {
		b.o.Log.Warn("the library has no prompt left for this team", "team", t.ID)
		return b.updateTeam(ctx, t, func(t *Team) (Also, error) {
			t.NoPrompt = true
			onward(t)
			return Also{}, nil
		})
	}
	r := Round{
		ID: RoundID(rand.Text()), Team: t.ID, Kind: RoundQuestion, State: RoundOpen,
		Number: t.Asked + 1, Season: max(t.Season, 1),
		Due: m.Due.UTC(), Opens: m.Opens.UTC(), Reminds: m.Reminds.UTC(), Closes: m.Closes.UTC(), GivesBack: m.GivesBack.UTC(),
		Prompt: choice.Prompt, Slot: m.Slot, Reasons: choice.Reasons, Flip: rand.Text()[0]%2 == 0,
		Lang: t.Settings.Lang, Zone: t.Settings.Zone, Rhythm: t.Settings.Rhythm,
		MinReplies: max(t.Settings.MinReplies, b.o.Limits.MinReplies, 3), Adviser: t.Settings.Adviser, Audience: t.Settings.Audience,
	}
	if talk {
		r.Kind, r.State = RoundTalk, RoundGivenBack
		r.Reminds, r.Closes, r.GivesBack = time.Time{}, r.Opens, r.Opens
		r.Owed = t.owed(now)
	} else if err := b.o.Keys.Create(ctx, newBallotSlot(r.ID)); err != nil {
		return err
	}
	if about, ok := dueLookBack(t, rounds, r.Opens); ok && r.Prompt.Kind == prompts.LookBack {
		r.lookBackOn(about)
	}
	r.Offers = r.offered(&lib)
	message := b.promptMessage(r, false)
	if talk {
		message = b.talkMessage(r)
	}
	err = b.o.Store.PlanRound(ctx, r, func(t *Team) (Also, error) {
		if t.State != TeamOn || t.Open != "" {
			return Also{}, errSame
		}
		t.Asked++
		t.SeasonRounds++
		if t.Season == 0 {
			t.Season, t.SeasonSince = 1, r.Opens
		}
		if t.SeasonSince.IsZero() {
			t.SeasonSince = r.Opens
		}
		t.NoPrompt = false
		if !talk {
			t.Open = r.ID
		}
		onward(t)
		ended := b.endAsking(t, r.Opens, now)
		t.asksAbout(r)
		p := b.say(r.Team, stepPost(r.ID, "prompt"), message, now)
		p.Until = r.Opens.Add(r.Closes.Sub(r.Opens) / 2) // later it is not asked any more (TRUST 9)
		if talk {                                        // next week's question is nearer
			p.Until = r.Opens.Add(7 * aDay)
			ended = append(ended, b.lookedBack(r, t, now)...)
		}
		return Also{Posts: append([]Post{p}, ended...)}, nil
	})
	if err != nil && !talk {
		err = errors.Join(err, b.o.Keys.Destroy(ctx, ballotSlot(r.ID)))
	}
	if errors.Is(err, ErrExists) { // this due moment was asked already, in another life of the process
		return b.updateTeam(ctx, t, func(t *Team) (Also, error) { onward(t); return Also{}, nil })
	}
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// situation gathers what the choice of a prompt looks at.
func (b *Bot) situation(t Team, m Moments, rounds []Round) prompts.Situation {
	s := prompts.Situation{
		Audience: t.Settings.Audience, Round: t.Asked + 1, Slot: m.Slot, At: m.Opens, MaxIntensity: 3,
		FirstSeason: t.Season <= 1, Seed: seed(t.ID, t.Asked+1), Recurring: comingBack(rounds),
	}
	_, s.LookBackDue = dueLookBack(t, rounds, m.Opens)
	if t.Settings.Rhythm == RhythmWeekly {
		s.MaxIntensity = 2
	}
	if !t.Incident.IsZero() && m.Opens.Before(t.Incident.AddDate(0, 0, 28)) {
		s.Periods = append(s.Periods, "after-incident")
	}
	for _, r := range rounds {
		if r.Kind != RoundQuestion && r.Kind != RoundTalk || r.State == RoundLapsed {
			continue
		}
		s.History = append(s.History, prompts.Asked{
			Prompt: r.Prompt.ID, Family: r.Prompt.Family, Kind: r.Prompt.Kind, Tensions: r.Prompt.Tensions,
			Intensity: r.Prompt.Intensity, At: r.Opens, Slot: r.Slot,
		})
	}
	if n := len(s.History); n > 0 {
		last := s.History[n-1]
		s.Rested = m.Opens.Sub(last.At) > 5*7*24*time.Hour // four weeks without a round, besides the usual one
		if m.Follow && len(last.Tensions) == 1 {
			s.SameTension = last.Tensions[0]
		}
	}
	return s
}

func seed(team TeamID, round int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(team))
	h.Write([]byte{byte(round >> 8), byte(round)})
	return h.Sum64()
}

// lastGiveBack is the latest give-back moment among a team's question rounds.
func lastGiveBack(rounds []Round) time.Time {
	var last time.Time
	for _, r := range rounds {
		if r.Kind == RoundQuestion && r.GivesBack.After(last) && r.State != RoundLapsed {
			last = r.GivesBack
		}
	}
	return last
}

// lastGiveBack is that of a team, also of a round that is still open.
func (b *Bot) lastGiveBack(ctx context.Context, id TeamID) (time.Time, error) {
	rounds, err := b.o.Store.Rounds(ctx, id)
	return lastGiveBack(rounds), err
}

// gone notes that a channel does not exist for us any more. Its open round ends unread at its closing moment. at is when
// the platform said so: what is older than the last act of a manager comes late and changes nothing. Zero: just now.
func (b *Bot) gone(ctx context.Context, id TeamID, at time.Time) error {
	err := b.o.Store.UpdateTeam(ctx, id, func(t *Team) (Also, error) {
		if t.State == "" || t.State == TeamGone || !at.IsZero() && !at.After(t.Steered) {
			return Also{}, errSame
		}
		t.State, t.NextOpens, t.NextDue, t.Vote = TeamGone, time.Time{}, time.Time{}, ""
		return Also{}, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// moved takes over what a channel is called now.
func (b *Bot) moved(ctx context.Context, e ChannelMoved) error {
	if e.To != "" && e.To != e.Team {
		err := b.o.Store.MoveTeam(ctx, e.Team, e.To)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrExists) { // else it is no team, or was moved
			return err
		}
		if t, err := b.o.Store.Team(ctx, e.To); err == nil {
			for _, id := range t.Boxes() {
				b.boxes.drop(id)
			}
		}
		b.wake(b.wakeAgenda)
		b.wake(b.wakeSender)
	}
	id := cmp.Or(e.To, e.Team)
	if t, err := b.o.Store.Team(ctx, id); e.Chan == "" || err != nil || t.Name == e.Chan {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	return b.o.Store.UpdateTeam(ctx, id, func(t *Team) (Also, error) {
		t.Name = e.Chan
		return Also{}, nil
	})
}

// Advance brings a team's next step forward to now: an open round closes and is given back, an open vote is counted;
// otherwise the next round opens, after the follow-up questions that stand open have closed. It is for trying the product
// out (`weerklank demo`); no manager can close a round early.
// ErrConflict: the team is not on. ErrNotFound: the library has no question left for it.
func (b *Bot) Advance(ctx context.Context, team TeamID, now time.Time) error {
	t, err := b.o.Store.Team(ctx, team)
	if err != nil {
		return err
	}
	over := t.Follows
	if open := cmp.Or(t.Open, t.Vote); open != "" {
		over = []RoundID{open}
	}
	for _, id := range over {
		err := b.o.Store.UpdateRound(ctx, id, func(r *Round, _ *Team) (Also, error) {
			r.Reminds = time.Time{}
			if r.State == RoundOpen {
				r.Closes = now.UTC()
			}
			if r.Kind.replies() {
				r.GivesBack = now.UTC()
			}
			return Also{}, nil
		})
		if err == nil {
			_, err = b.Step(ctx, now)
		}
		b.wake(b.wakeSender)
		if err != nil || cmp.Or(t.Open, t.Vote) != "" {
			return err
		}
	}
	if t.State != TeamOn {
		return ErrConflict
	}
	if len(over) > 0 {
		if t, err = b.o.Store.Team(ctx, team); err != nil {
			return err
		}
	}
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return err
	}
	rounds, err := b.o.Store.Rounds(ctx, t.ID)
	if err != nil {
		return err
	}
	m := cal.At(t.Since, now, time.Time{})
	m.Opens, m.Slot = now, prompts.SlotMain
	if (t.Asked+1)%4 == 0 && !m.TalkOnly { // counted by rounds: many may be asked in one week here
		m.Slot = prompts.SlotLight
	}
	next := cal.Next(t.Since, now, m.GivesBack, t.HalfPace)
	err = b.open(ctx, t, m, rounds, func(t *Team) { t.NextDue, t.NextOpens, t.SkipNext = next.Due.UTC(), next.Opens.UTC(), false }, now)
	b.wake(b.wakeSender)
	b.wake(b.wakeAgenda)
	if err != nil {
		return err
	}
	if t, err = b.o.Store.Team(ctx, team); err == nil && t.NoPrompt {
		err = ErrNotFound
	}
	return err
}
