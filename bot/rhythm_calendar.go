package bot

import (
	"iter"
	"slices"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Calendar computes the moments of one team's rounds, in the team's zone. It is pure: no clock, no I/O.
//
// The rounds of a named rhythm are numbered by weeks: its first due moment on or after the anchor lies in week 0, weeks
// start on Monday, every beat takes a fixed number of them, and the first due moment within a beat is its opening. So a
// round that is skipped shifts nothing, and a spec with several moments a week still opens once. A custom rhythm numbers
// its due moments, also those it skips. Every fourth round is light; at half pace every second one is left out, and of
// four-beat every second pair, since its light beat belongs to its dilemma.
type Calendar struct {
	custom   bool
	beats    []beat
	weeks    int // that one beat takes; 0: due moments are counted instead
	spec     *schedule
	zone     *time.Location
	quiet    [2]int // minutes of the day; equal: none
	workdays bool
	holidays []HolidaySet
}

// Moments are the moments of one round. A zero Opens says that the round cannot be held: the moment it may open is not
// before its closing, or, with a custom rhythm, the round before it is not given back when it is due.
type Moments struct {
	Due       time.Time // unmoved; what makes the round unique in its team
	Opens     time.Time
	Reminds   time.Time // zero: no reminder
	Closes    time.Time
	GivesBack time.Time
	Slot      prompts.Slot
	Follow    bool // four-beat's light round: stays in the tension of its dilemma
	TalkOnly  bool // collects nothing: closes and gives back as it opens
}

const (
	quietLimit  = 800            // days of rest in a row after which a calendar counts as always quiet
	searchLimit = 100_000        // due moments tried for one that can be held
	searchYears = 5              // and how far ahead
	talkGrace   = 24 * time.Hour // how late a question without a window may still be put
	aDay        = 24 * time.Hour // a reminder this close to the closing is dropped
	catchUp     = 2              // years that catching up looks back
)

// Next gives the first round whose due moment lies after the given one and that can be held. anchor is when the team
// was switched on, lastGiveBack that of the round before (zero: none), half whether the team goes at half pace. Zero
// Moments if there is none for years.
func (c *Calendar) Next(anchor, after, lastGiveBack time.Time, half bool) Moments {
	if c.custom && lastGiveBack.After(after) { // what is due meanwhile is skipped
		after = lastGiveBack.Add(-time.Nanosecond)
	}
	tried := 0
	for n, due := range c.turns(anchor, after, half) {
		m := c.moments(n, due, lastGiveBack, half)
		if !m.Opens.IsZero() {
			return m
		}
		if tried++; m.Closes.IsZero() || tried > searchLimit || due.After(after.AddDate(searchYears, 0, 0)) {
			break
		}
	}
	return Moments{}
}

// At gives the moments of a round that is due at the given moment, whether the rhythm has one there or not, at full
// pace. Closing and give-back are there even when Opens is zero, unless every day is quiet.
func (c *Calendar) At(anchor, due, lastGiveBack time.Time) Moments {
	return c.moments(c.number(anchor, due), due, lastGiveBack, false)
}

// Missed is for opening rounds, on time or late: due is the due moment that was planned. m is the newest round since
// then whose opening has come; ask says that it may open now: at least half of its window is left, and now is not quiet
// (TRUST 9). If it may not open now but will later, m.Opens lies after now: come back then. next is the round after m.
func (c *Calendar) Missed(anchor, due, now, lastGiveBack time.Time, half bool) (m Moments, ask bool, next Moments) {
	m = c.newest(anchor, due, now, lastGiveBack, half)
	if m.Opens.IsZero() {
		m = c.moments(c.number(anchor, due), due, lastGiveBack, half)
	}
	if !m.Opens.IsZero() && !m.Opens.After(now) {
		at, latest := c.move(now, true), m.Opens.Add(m.Closes.Sub(m.Opens)/2)
		if m.TalkOnly {
			latest = m.Opens.Add(talkGrace)
		}
		switch {
		case at.IsZero() || at.After(latest):
		case at.After(now):
			m.Opens = at
		default:
			ask = true
		}
	}
	if ask || m.Opens.After(now) {
		lastGiveBack = m.GivesBack
	}
	return m, ask, c.Next(anchor, m.Due, lastGiveBack, half)
}

// newest finds the newest round due from due until now whose opening has come. It looks back from now in growing
// steps: a rhythm of minutes may have missed thousands.
func (c *Calendar) newest(anchor, due, now, lastGiveBack time.Time, half bool) (found Moments) {
	if m := c.moments(c.number(anchor, due), due, lastGiveBack, half); !m.Opens.After(now) {
		found = m
	}
	if far := now.AddDate(-catchUp, 0, 0); due.Before(far) {
		due = far
	}
	for back := time.Hour; ; back *= 4 {
		from := now.Add(-back)
		if from.Before(due) {
			from = due
		}
		newer := false
		for n, d := range c.turns(anchor, from, half) {
			if d.After(now) {
				break
			}
			m := c.moments(n, d, lastGiveBack, half)
			if !m.Opens.IsZero() && !m.Opens.After(now) {
				found, newer = m, true
			}
			if m.Closes.IsZero() { // quiet for years from here
				break
			}
		}
		if newer || !from.After(due) {
			return found
		}
	}
}

// turns walks the due moments after a given one with their numbers, none before the anchor.
func (c *Calendar) turns(anchor, after time.Time, half bool) iter.Seq2[int, time.Time] {
	return func(yield func(int, time.Time) bool) {
		if after.Before(anchor) {
			after = anchor.Add(-time.Nanosecond)
		}
		first := c.due(anchor.Add(-time.Nanosecond))
		n, offset := -1, 0
		for due := c.due(after); !due.IsZero(); due = c.due(due) {
			if c.custom {
				n++
				// Due moments that the clocks skip fall together: count anew after every change of the clocks.
				if _, o := due.Zone(); n == 0 || o != offset {
					n, offset = c.number(anchor, due), o
				}
			} else {
				n = c.week(first, due) / c.weeks
				start := onClock(monday(first).AddDate(0, 0, n*c.weeks*7), c.zone)
				opening := c.due(later(start, anchor).Add(-time.Nanosecond))
				if due.After(opening) { // this beat has opened: on to the next one
					due = onClock(monday(first).AddDate(0, 0, (n+1)*c.weeks*7), c.zone).Add(-time.Nanosecond)
					continue
				}
			}
			if half && n/len(c.beats)%2 != 0 {
				continue
			}
			if !yield(n, due) {
				return
			}
		}
	}
}

// due gives the first moment after t that the cron spec names.
func (c *Calendar) due(t time.Time) time.Time { return nextOnClock(c.spec, t, c.zone) }

// number gives the place of a due moment in the rhythm, from 0; negative before the anchor's week.
func (c *Calendar) number(anchor, due time.Time) int {
	if c.custom {
		return countOnClock(c.spec, clockOf(anchor.In(c.zone)), clockOf(due.In(c.zone)))
	}
	week := c.week(c.due(anchor.Add(-time.Nanosecond)), due.In(c.zone))
	if week < 0 {
		week -= c.weeks - 1
	}
	return week / c.weeks
}

// week counts the weeks from that of first to that of t, both in the team's zone.
func (c *Calendar) week(first, t time.Time) int {
	return int((monday(t).Unix() - monday(first).Unix()) / (7 * 24 * 60 * 60)) // a Duration ends after 292 years
}

// monday is the start of t's week on the wall clock.
func monday(t time.Time) time.Time {
	back := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, time.UTC)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

// moments computes the round with number n. Everything but the opening follows from the unmoved due moment and is then
// moved, so that a late opening never extends the window.
func (c *Calendar) moments(n int, due, lastGiveBack time.Time, half bool) Moments {
	due = due.In(c.zone)
	b := c.beats[(n%len(c.beats)+len(c.beats))%len(c.beats)]
	m := Moments{Due: due, Opens: c.move(due, true), Slot: prompts.SlotMain, Follow: b.follow, TalkOnly: b.talk}
	if m.Opens.IsZero() { // always quiet: no other due moment helps either
		return m
	}
	if half {
		n /= 2
	}
	if b.light || len(c.beats) == 1 && !b.talk && n%4 == 3 {
		m.Slot = prompts.SlotLight
	}
	if !lastGiveBack.IsZero() {
		lastGiveBack = lastGiveBack.In(c.zone)
		if c.custom && due.Before(lastGiveBack) {
			m.Opens = time.Time{}
		}
		if !c.custom && (sameDay(m.Opens, lastGiveBack) || m.Opens.Before(lastGiveBack)) { // never on the day of a give-back
			clock, day := clockOf(due), clockOf(lastGiveBack)
			m.Opens = c.move(onClock(time.Date(day.Year(), day.Month(), day.Day()+1,
				clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC), c.zone), true)
		}
	}
	if b.talk {
		m.Closes, m.GivesBack = m.Opens, m.Opens
		return m
	}
	m.Closes, m.GivesBack = c.Move(c.apart(due, b.close)), c.Move(c.apart(due, b.giveBack))
	m.GivesBack = later(m.GivesBack, m.Closes)
	if !m.Opens.Before(m.Closes) {
		m.Opens = time.Time{}
	}
	if !b.silent {
		r := c.Move(c.apart(due, b.remind))
		if r.After(m.Opens) && m.Closes.Sub(r) >= aDay {
			m.Reminds = r
		}
	}
	return m
}

// apart gives the moment that lies an offset from due: hours and minutes alone are real time, so that a round of
// minutes keeps its length through a change of the clocks; with days it is all on the wall clock.
func (c *Calendar) apart(due time.Time, o offset) time.Time {
	if o.days == 0 && !o.fixed {
		return due.Add(o.clock)
	}
	clock := clockOf(due)
	if o.fixed {
		clock = clock.Truncate(24 * time.Hour)
	}
	return onClock(clock.AddDate(0, 0, o.days).Add(o.clock), c.zone)
}

// Move moves a moment to the next permitted one: quiet hours to their end, then a quiet day to the next working day,
// same hour. Zero if there is none for years.
func (c *Calendar) Move(t time.Time) time.Time { return c.move(t, false) }

// move also keeps off the days on which only openings rest.
func (c *Calendar) move(t time.Time, opening bool) time.Time {
	t = t.In(c.zone)
	for range 4 { // a change of the clocks may land it in quiet hours once more
		t = c.afterQuietHours(t)
		clock, days := clockOf(t), 0
		for c.quietDay(clock.AddDate(0, 0, days), opening) {
			if days++; days > quietLimit {
				return time.Time{}
			}
		}
		if days > 0 {
			t = onClock(clock.AddDate(0, 0, days), c.zone)
		}
		if c.afterQuietHours(t).Equal(t) {
			break
		}
	}
	return t
}

// quietDay says whether nothing is posted on the day of a wall clock time.
func (c *Calendar) quietDay(clock time.Time, opening bool) bool {
	if c.workdays && (clock.Weekday() == time.Saturday || clock.Weekday() == time.Sunday) {
		return true
	}
	return slices.ContainsFunc(c.holidays, func(s HolidaySet) bool { return (opening || !s.OpeningsOnly) && s.Has(clock) })
}

// afterQuietHours gives the end of the quiet hours around t, or t outside them.
func (c *Calendar) afterQuietHours(t time.Time) time.Time {
	from, to := c.quiet[0], c.quiet[1]
	clock := clockOf(t)
	minute := clock.Hour()*60 + clock.Minute()
	length, since := (to-from+1440)%1440, (minute-from+1440)%1440
	if since >= length {
		return t
	}
	end := clock.Truncate(time.Minute).Add(time.Duration(length-since) * time.Minute)
	if at := onClock(end, c.zone); at.After(t) {
		return at
	}
	return t.Add(end.Sub(clock)) // the hour is being repeated, and its first time is over
}

// Quiet gives the first permitted moment after n whole working days of rest. Zero if there is none for years.
func (c *Calendar) Quiet(t time.Time, n int) time.Time {
	t = t.In(c.zone)
	clock := clockOf(t)
	for days := 0; n > 0; n-- {
		clock = clock.AddDate(0, 0, 1)
		for c.quietDay(clock, false) {
			if days++; days > quietLimit {
				return time.Time{}
			}
			clock = clock.AddDate(0, 0, 1)
		}
	}
	return c.Move(onClock(clock, c.zone))
}
