package bot

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// RhythmName is one of the rhythms a team can keep (DESIGN 3, PRACTICE 3.2 and 3.3).
type RhythmName string

// The rhythms.
const (
	RhythmWeekly      RhythmName = "weekly"
	RhythmFourBeat    RhythmName = "four-beat"
	RhythmFortnightly RhythmName = "fortnightly"
	RhythmMonthly     RhythmName = "monthly"
	RhythmTalkOnly    RhythmName = "talk-only"
	RhythmCustom      RhythmName = "custom"
)

// Length is a stretch of time in a setting: whole days, counted on the calendar ("6d"), or hours and minutes ("90m").
type Length string

// parse splits a length into calendar days and clock time.
func (l Length) parse() (days int, clock time.Duration, err error) {
	s := strings.TrimSpace(string(l))
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if days, err = strconv.Atoi(n); err == nil && (days < 0 || days > 366) {
			err = errors.New("out of range")
		}
		return days, 0, err
	}
	if s == "0" {
		return 0, 0, nil
	}
	clock, err = time.ParseDuration(s)
	if err == nil && (clock < 0 || clock > 366*24*time.Hour) {
		err = errors.New("out of range")
	}
	return 0, clock, err
}

// Problem is a setting that cannot be used. Key and Pairs give its text in the catalogue; Error gives the English.
type Problem struct {
	Field string // the setting's name, as in the configuration
	Key   string
	Pairs []string
}

// Error says in English what is wrong and what to do.
func (p *Problem) Error() string {
	return p.Field + ": " + locale.Say(prompts.English, p.Key, p.Pairs...)
}

// Moments are the moments of one round. Zero Opens: this round cannot be held.
type Moments struct {
	Due       time.Time // unmoved; what makes the round unique in its team
	Opens     time.Time
	Reminds   time.Time // zero: no reminder
	Closes    time.Time
	GivesBack time.Time
	Slot      prompts.Slot
	Follow    bool // four-beat's light round: stays in the tension of its dilemma
	TalkOnly  bool
}

// beat is one kind of round inside a rhythm's cycle: when it is due, and how far its other moments lie from that.
type beat struct {
	week      int    // of the cycle, from 0
	spec      string // five-field cron of the due moment
	remind    offset
	close     offset
	giveBack  offset
	light     bool
	follow    bool
	talk      bool
	noRemind  bool
	pureClock bool // custom: no next-day rule
}

// offset is calendar days, then a clock time of that day, or a plain length after the due moment.
type offset struct {
	days         int
	hour, minute int // -1: keep the clock time and add clock
	clock        time.Duration
}

// Calendar computes the moments of one team's rounds. It is pure: no clock, no I/O.
type Calendar struct {
	name   RhythmName
	weeks  int // length of the cycle
	beats  []beat
	lightN int // every so many rounds one is light; 0: never
	zone   *time.Location
	specs  []cron.Schedule // of beats
	quiet  [2]int          // minutes of the day; equal: none
	work   bool
	days   []HolidaySet
}

const tuesdayTen = "0 10 * * TUE"

// ParseCalendar reads a team's settings. The error joins a *Problem for everything that cannot be used.
func ParseCalendar(s Settings, sets ...HolidaySet) (*Calendar, error) {
	c := &Calendar{name: s.Rhythm, weeks: 1, work: s.WorkdaysOnly}
	var problems []error
	wrong := func(field, key string, pairs ...string) {
		problems = append(problems, &Problem{Field: field, Key: key, Pairs: pairs})
	}
	at := func(days, hour int) offset { return offset{days: days, hour: hour} }
	weekly := beat{spec: tuesdayTen, remind: at(3, 10), close: at(6, 10), giveBack: at(6, 15)}
	eight := beat{spec: tuesdayTen, remind: at(6, 10), close: at(8, 12), giveBack: at(9, 10)}
	switch s.Rhythm {
	case RhythmWeekly:
		c.beats, c.lightN = []beat{weekly}, 4
	case RhythmFourBeat:
		light := weekly
		light.week, light.light, light.follow = 2, true, true
		c.weeks, c.beats = 4, []beat{eight, light}
	case RhythmFortnightly:
		c.weeks, c.beats, c.lightN = 2, []beat{eight}, 4
	case RhythmMonthly:
		c.weeks, c.beats, c.lightN = 4, []beat{eight}, 4
	case RhythmTalkOnly:
		c.weeks, c.beats = 2, []beat{{spec: tuesdayTen, talk: true, noRemind: true}}
	case RhythmCustom:
		days, clock, err := s.Window.parse()
		if err != nil || days == 0 && clock < time.Minute {
			wrong("window", "rhythm.window", "value", string(s.Window))
		}
		afterDays, afterClock, err := s.GiveBackAfter.parse()
		if err != nil {
			wrong("give_back_after", "rhythm.give-back-after", "value", string(s.GiveBackAfter))
		}
		b := beat{spec: s.Cron, pureClock: true}
		b.close = offset{days: days, hour: -1, clock: clock}
		b.giveBack = offset{days: days + afterDays, hour: -1, clock: clock + afterClock}
		b.noRemind = days < 2 && clock < 48*time.Hour
		b.remind = offset{hour: -1, clock: (time.Duration(days)*24*time.Hour + clock) / 2}
		c.beats, c.lightN = []beat{b}, 4
		if s.Cron == "" {
			wrong("cron", "rhythm.cron-missing")
		}
	default:
		wrong("rhythm", "rhythm.unknown", "value", string(s.Rhythm))
	}
	if s.Cron != "" && s.Rhythm != RhythmCustom { // only the opening moves; the distances stay
		for i := range c.beats {
			c.beats[i] = c.beats[i].from(s.Cron)
		}
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil || s.Zone == "" || s.Zone == "Local" {
		wrong("zone", "rhythm.zone", "value", s.Zone)
		zone = time.UTC
	}
	c.zone = zone
	if c.quiet, err = parseQuiet(s.QuietHours); err != nil {
		wrong("quiet_hours", "rhythm.quiet-hours", "value", s.QuietHours)
	}
	for _, name := range s.Holidays {
		set, ok := findHolidays(name, sets)
		if !ok {
			wrong("holidays", "rhythm.holidays", "value", name)
			continue
		}
		c.days = append(c.days, set)
	}
	for _, b := range c.beats {
		if b.spec == "" {
			continue
		}
		spec, problem := parseSpec(b.spec, zone)
		if problem != nil {
			problems = append(problems, problem)
			break
		}
		c.specs = append(c.specs, spec)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return c, nil
}

// from moves a beat to another opening moment: clock times of the day become distances.
func (b beat) from(spec string) beat {
	relative := func(o offset) offset {
		if o.hour < 0 {
			return o
		}
		return offset{days: o.days, hour: -1, clock: time.Duration(o.hour-10)*time.Hour + time.Duration(o.minute)*time.Minute}
	}
	b.spec, b.remind, b.close, b.giveBack = spec, relative(b.remind), relative(b.close), relative(b.giveBack)
	return b
}

// parseSpec is the one place that touches the cron library. Its parser panics on some zone prefixes, accepts days that
// never come, and joins day of month and weekday with "or"; all of that is refused before or after (TRUST 9).
func parseSpec(spec string, zone *time.Location) (schedule cron.Schedule, problem *Problem) {
	bad := func(key string) *Problem {
		return &Problem{Field: "cron", Key: key, Pairs: []string{"value", shorten(spec)}}
	}
	defer func() {
		if recover() != nil {
			schedule, problem = nil, bad("rhythm.cron-unreadable")
		}
	}()
	fields := strings.Fields(spec)
	switch {
	case strings.Contains(spec, "="):
		return nil, bad("rhythm.cron-zone")
	case strings.HasPrefix(strings.TrimSpace(spec), "@"):
		return nil, bad("rhythm.cron-word")
	case len(fields) != 5 || len(spec) > 200:
		return nil, bad("rhythm.cron-fields")
	case !free(fields[2]) && !free(fields[4]):
		return nil, bad("rhythm.cron-either")
	}
	for hour := range strings.SplitSeq(fields[1], ",") {
		if i := strings.IndexAny(hour, "-/"); i >= 0 {
			hour = hour[:i]
		}
		if n, err := strconv.Atoi(hour); err == nil && n == 2 { // skipped on one night of the year, twice on another
			return nil, bad("rhythm.cron-two")
		}
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(spec)
	if err != nil {
		return nil, bad("rhythm.cron-unreadable")
	}
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, zone) // no leap year comes soon
	if next := parsed.Next(from); next.IsZero() || next.After(from.AddDate(1, 0, 1)) {
		return nil, bad("rhythm.cron-never")
	}
	return parsed, nil
}

func free(field string) bool { return field == "*" || field == "?" }

func shorten(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func parseQuiet(s string) ([2]int, error) {
	if strings.TrimSpace(s) == "" {
		return [2]int{}, nil
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return [2]int{}, errors.New("want from-to")
	}
	var out [2]int
	for i, part := range []string{from, to} {
		t, err := time.Parse("15:04", strings.TrimSpace(part))
		if err != nil {
			return [2]int{}, err
		}
		out[i] = t.Hour()*60 + t.Minute()
	}
	if out[0] == out[1] {
		return [2]int{}, errors.New("no hours left")
	}
	return out, nil
}

// apply gives the moment at o from due, on the wall clock of the team's zone.
func (c *Calendar) apply(due time.Time, o offset) time.Time {
	d := due.In(c.zone)
	if o.hour < 0 {
		return d.AddDate(0, 0, o.days).Add(o.clock)
	}
	return time.Date(d.Year(), d.Month(), d.Day()+o.days, o.hour, o.minute, 0, 0, c.zone)
}

// quietDay says whether nothing is posted that day.
func (c *Calendar) quietDay(t time.Time) bool {
	t = t.In(c.zone)
	if c.work && (t.Weekday() == time.Saturday || t.Weekday() == time.Sunday) {
		return true
	}
	return slices.ContainsFunc(c.days, func(s HolidaySet) bool { return s.Has(t) })
}

// quietFor says how long the quiet hours around t still last; zero outside them.
func (c *Calendar) quietFor(t time.Time) time.Duration {
	if c.quiet[0] == c.quiet[1] {
		return 0
	}
	t = t.In(c.zone)
	now := t.Hour()*60 + t.Minute()
	inside := now >= c.quiet[0] && now < c.quiet[1]
	if c.quiet[0] > c.quiet[1] {
		inside = now >= c.quiet[0] || now < c.quiet[1]
	}
	if !inside {
		return 0
	}
	end := time.Date(t.Year(), t.Month(), t.Day(), c.quiet[1]/60, c.quiet[1]%60, 0, 0, c.zone)
	if !end.After(t) {
		end = time.Date(t.Year(), t.Month(), t.Day()+1, c.quiet[1]/60, c.quiet[1]%60, 0, 0, c.zone)
	}
	return end.Sub(t)
}

// Move moves a moment to the next permitted one: a quiet day to the next working day at the same hour, quiet hours to
// their end. Zero if there is none within a year and a half.
func (c *Calendar) Move(t time.Time) time.Time {
	t = t.In(c.zone)
	for range 1200 {
		if c.quietDay(t) {
			t = time.Date(t.Year(), t.Month(), t.Day()+1, t.Hour(), t.Minute(), t.Second(), 0, c.zone)
			continue
		}
		if d := c.quietFor(t); d > 0 {
			t = t.Add(d)
			continue
		}
		return t
	}
	return time.Time{}
}

// Quiet gives the first permitted moment after n whole working days of rest.
func (c *Calendar) Quiet(t time.Time, n int) time.Time {
	for range n {
		t = c.Move(t.In(c.zone).AddDate(0, 0, 1))
	}
	return c.Move(t)
}

// At gives the moments of a round that is due at the given moment, whether the rhythm has one there or not. lastGiveBack is that
// of the round before; zero: none.
func (c *Calendar) At(anchor, due, lastGiveBack time.Time) Moments {
	return c.moments(c.beatAt(anchor, due), anchor, due, lastGiveBack)
}

func (c *Calendar) moments(b beat, anchor, due, lastGiveBack time.Time) Moments {
	due = due.In(c.zone)
	m := Moments{Due: due, Opens: c.Move(due), Slot: prompts.SlotMain, Follow: b.follow, TalkOnly: b.talk}
	if m.Opens.IsZero() {
		return m
	}
	if !b.pureClock && !lastGiveBack.IsZero() {
		if lastGiveBack = lastGiveBack.In(c.zone); !m.Opens.After(lastGiveBack) {
			m.Opens = c.Move(lastGiveBack)
		}
		if sameDay(m.Opens, lastGiveBack) { // never ask on the day of a give-back
			m.Opens = c.Move(time.Date(m.Opens.Year(), m.Opens.Month(), m.Opens.Day()+1, due.Hour(), due.Minute(), 0, 0, c.zone))
		}
	}
	if c.light(b, anchor, due) {
		m.Slot = prompts.SlotLight
	}
	if b.talk {
		m.Closes, m.GivesBack = m.Opens, m.Opens
		return m
	}
	m.Closes, m.GivesBack = c.Move(c.apply(due, b.close)), c.Move(c.apply(due, b.giveBack))
	if m.Closes.IsZero() || !m.Opens.Before(m.Closes) {
		m.Opens = time.Time{} // moved past its own closing
		return m
	}
	if m.GivesBack.Before(m.Closes) {
		m.GivesBack = m.Closes
	}
	if !b.noRemind {
		r := c.Move(c.apply(due, b.remind))
		if r.After(m.Opens) && m.Closes.Sub(r) >= 24*time.Hour {
			m.Reminds = r
		}
	}
	return m
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

// Next gives the first round whose unmoved due moment lies after the given one. anchor is when the team was switched
// on; rhythms of several weeks count from the week of their first opening. half: every second round only. Zero if the
// rhythm never comes to a round.
func (c *Calendar) Next(anchor, after, lastGiveBack time.Time, half bool) Moments {
	for range 600 {
		b, due := c.nextDue(anchor, after, half)
		if due.IsZero() {
			return Moments{}
		}
		if m := c.moments(b, anchor, due, lastGiveBack); !m.Opens.IsZero() {
			return m
		}
		after = due
	}
	return Moments{}
}

// nextDue walks the grid of a rhythm.
func (c *Calendar) nextDue(anchor, after time.Time, half bool) (beat, time.Time) {
	if after.Before(anchor) {
		after = anchor.Add(-time.Second)
	}
	var best time.Time
	var of beat
	for i, b := range c.beats {
		t := after.In(c.zone)
		for range 2000 {
			t = c.specs[i].Next(t)
			if t.IsZero() || !best.IsZero() && !t.Before(best) {
				break
			}
			if c.onGrid(b, i, anchor, t, half) {
				best, of = t, b
				break
			}
		}
	}
	return of, best
}

// onGrid says whether a due moment lies in the beat's week of the cycle. Weeks count from the Monday of the rhythm's
// first due moment after the anchor.
func (c *Calendar) onGrid(b beat, i int, anchor, due time.Time, half bool) bool {
	if c.weeks == 1 && !half {
		return true
	}
	if c.name == RhythmCustom { // half pace of a rhythm without weeks: every second due moment
		return c.countDue(anchor, due)%2 == 0
	}
	week, cycle := c.weekOf(anchor, due), c.weeks
	at := week % cycle
	if at < 0 || at != b.week {
		return false
	}
	if c.specs[i].Next(due.AddDate(0, 0, -7)).Before(due) && sameWeek(c.specs[i].Next(due.AddDate(0, 0, -7)), due) {
		return false // a spec with several moments a week opens at the first only
	}
	return !half || (week/cycle)%2 == 0
}

func monday(t time.Time) time.Time {
	back := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 12, 0, 0, 0, t.Location())
}

func sameWeek(a, b time.Time) bool { return monday(a).Equal(monday(b)) }

// weekOf counts whole weeks between the anchor's first due moment and due.
func (c *Calendar) weekOf(anchor, due time.Time) int {
	first := c.specs[0].Next(anchor.In(c.zone).Add(-time.Second))
	days := monday(due.In(c.zone)).Sub(monday(first)).Hours() / 24
	return int(days+0.5) / 7
}

// countDue numbers the due moments since the anchor, from 0. Bounded: rhythms of minutes use it only at half pace and
// for their light rounds, where a number that jumps after a long life does no harm.
func (c *Calendar) countDue(anchor, due time.Time) int {
	gap := c.specs[0].Next(due.In(c.zone)).Sub(due)
	if gap <= 0 {
		gap = time.Minute
	}
	return int((due.Sub(c.specs[0].Next(anchor.In(c.zone).Add(-time.Second))) + gap/2) / gap)
}

// light says whether a round takes a light prompt: the last of every four.
func (c *Calendar) light(b beat, anchor, due time.Time) bool {
	if b.light || c.lightN == 0 {
		return b.light
	}
	n := 0
	if c.name == RhythmCustom {
		n = c.countDue(anchor, due)
	} else {
		n = c.weekOf(anchor, due) / c.weeks
	}
	return n%c.lightN == c.lightN-1
}

// beatAt finds the beat a due moment belongs to; the first one for a moment outside the grid.
func (c *Calendar) beatAt(anchor, due time.Time) beat {
	if len(c.beats) > 1 && c.weeks > 1 {
		week := ((c.weekOf(anchor, due) % c.weeks) + c.weeks) % c.weeks
		for _, b := range c.beats[1:] {
			if b.week == week {
				return b
			}
		}
	}
	return c.beats[0]
}

// Missed looks back from now at the round that was due and those after it. It gives the newest of them whose opening
// has come, whether it may still be asked, and the round after it. It may be asked while at least half of its window is
// left, and never in quiet hours or on a quiet day (TRUST 9).
func (c *Calendar) Missed(anchor, due, now, lastGiveBack time.Time, half bool) (m Moments, ask bool, next Moments) {
	m = c.At(anchor, due, lastGiveBack)
	next = c.Next(anchor, due, m.GivesBack, half)
	// Straight to the newest: a rhythm of minutes may have missed thousands.
	for i := 0; !next.Opens.IsZero() && !next.Opens.After(now); i++ {
		if i > 64 {
			if b, d := c.nextDue(anchor, now.AddDate(0, -1, 0), half); d.After(m.Due) && !d.After(now) {
				m = c.moments(b, anchor, d, lastGiveBack)
				next = c.Next(anchor, d, m.GivesBack, half)
				i = -2000 // a month of minutes at most from here
				continue
			}
		}
		m = c.At(anchor, next.Due, lastGiveBack)
		next = c.Next(anchor, m.Due, m.GivesBack, half)
	}
	if next.Opens.IsZero() {
		next = c.Next(anchor, now, time.Time{}, half)
	}
	if m.Opens.IsZero() || m.Opens.After(now) {
		return m, false, next
	}
	if c.quietDay(now) || c.quietFor(now) > 0 {
		return m, false, next
	}
	if m.TalkOnly {
		return m, now.Sub(m.Opens) < 24*time.Hour, next
	}
	return m, !now.After(m.Opens.Add(m.Closes.Sub(m.Opens) / 2)), next
}
