package bot

import (
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// This is the one file that touches the cron library, and it uses only its parser and Next (TRUST 9). Schedules run on
// a wall clock that never changes: UTC stands for the local time of any zone, and onClock finds the instant. So the
// library meets no change of the clocks, at which it skips one night and fires twice on another.

// schedule is a cron spec on such a wall clock.
type schedule struct{ *cron.SpecSchedule }

const maxSpec = 100 // bytes; longer than any sensible five fields

// parseSpec reads a five-field cron spec, or gives the key of what is wrong with it. The parser panics on some zone
// prefixes, takes days that never come and joins day of month and weekday with "or": all of that is refused.
func parseSpec(spec string) (s *schedule, wrong string) {
	defer func() {
		if recover() != nil {
			s, wrong = nil, "rhythm.cron-unreadable"
		}
	}()
	fields := strings.Fields(spec)
	switch {
	case len(fields) == 0:
		return nil, "rhythm.cron-missing"
	case strings.Contains(spec, "="):
		return nil, "rhythm.cron-zone"
	case strings.HasPrefix(fields[0], "@"):
		return nil, "rhythm.cron-word"
	case len(fields) != 5 || len(spec) > maxSpec:
		return nil, "rhythm.cron-fields"
	case !anyDay(fields[2]) && !anyDay(fields[4]):
		return nil, "rhythm.cron-either"
	case namesTwo(fields[1]):
		return nil, "rhythm.cron-two"
	}
	for _, f := range fields {
		if strings.Trim(f, ",") == "" { // the parser takes it for "never" and searches five years of minutes
			return nil, "rhythm.cron-unreadable"
		}
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(spec)
	if err != nil {
		return nil, "rhythm.cron-unreadable"
	}
	s = &schedule{parsed.(*cron.SpecSchedule)}
	s.Location = time.UTC
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) // no leap day within the year: 29 February alone is too rare
	if next := s.Next(from.Add(-time.Second)); next.IsZero() || next.Year() != from.Year() {
		return nil, "rhythm.cron-never"
	}
	return s, ""
}

// Cron is a schedule that belongs to no team: five fields on the clock of a zone.
type Cron struct {
	spec *schedule
	zone *time.Location
}

// ParseCron reads a schedule and refuses what a team's rhythm refuses. The error is a *Problem with the given field.
func ParseCron(field, spec string, zone *time.Location) (Cron, error) {
	s, wrong := parseSpec(spec)
	if wrong != "" {
		return Cron{}, &Problem{Field: field, Key: wrong, Pairs: []string{"value", shorten(spec)}}
	}
	return Cron{s, zone}, nil
}

// Next gives the first moment after t at which the schedule is due. A time that the clocks skip counts once, just after
// the gap, and one that they repeat once (TRUST 9).
func (c Cron) Next(t time.Time) time.Time { return nextOnClock(c.spec, t, c.zone) }

func anyDay(field string) bool { return field == "*" || field == "?" }

// namesTwo says whether an hour field names the hour that clocks skip in spring and repeat in autumn.
func namesTwo(field string) bool {
	for part := range strings.SplitSeq(field, ",") {
		part, _, _ = strings.Cut(part, "/")
		from, to, _ := strings.Cut(part, "-")
		for _, hour := range []string{from, to} {
			if n, err := strconv.Atoi(hour); err == nil && n == 2 {
				return true
			}
		}
	}
	return false
}

// nextOnClock gives the first instant after t at which the schedule is due in zone. A time that the clocks skip gives
// the first instant after the gap; one that they repeat counts once, the first time. Zero if it is never due.
func nextOnClock(s *schedule, t time.Time, zone *time.Location) time.Time {
	for clock := clockOf(t.In(zone)); ; {
		if clock = s.Next(clock); clock.IsZero() {
			return time.Time{}
		}
		if due := onClock(clock, zone); due.After(t) {
			return due
		}
	}
}

// clockOf is what the clock on the wall says at t, written as if it were UTC.
func clockOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// onClock gives the first instant at which the wall clock of zone shows clock; the end of the gap if it never does.
func onClock(clock time.Time, zone *time.Location) time.Time {
	_, before := clock.Add(-24 * time.Hour).In(zone).Zone()
	_, after := clock.Add(24 * time.Hour).In(zone).Zone()
	t := clock.Add(-time.Duration(before) * time.Second).In(zone)
	if before == after || clockOf(t).Equal(clock) {
		return t
	}
	if u := clock.Add(-time.Duration(after) * time.Second).In(zone); clockOf(u).Equal(clock) {
		return u
	}
	gapEnd, _ := t.ZoneBounds()
	return gapEnd
}

// countOnClock numbers a moment among the schedule's due moments: how many come before it, from an anchor on. Both are
// wall clock times.
func countOnClock(s *schedule, anchor, clock time.Time) int {
	perDay := bits.OnesCount64(s.Hour&(1<<24-1)) * bits.OnesCount64(s.Minute&(1<<60-1))
	count := 0
	for day := anchor.Truncate(24 * time.Hour); day.Before(clock); day = day.AddDate(0, 0, 1) {
		if s.Month&(1<<day.Month()) == 0 || s.Dom&(1<<day.Day()) == 0 || s.Dow&(1<<day.Weekday()) == 0 {
			continue // one of the two day fields is always free
		}
		count += perDay
		if clock.Sub(day) < 24*time.Hour {
			count -= perDay - beforeOnDay(s, clock.Sub(day))
		}
		if anchor.After(day) {
			count -= beforeOnDay(s, anchor.Sub(day))
		}
	}
	return max(count, 0)
}

// beforeOnDay counts the due moments of a day that lie before a time of that day.
func beforeOnDay(s *schedule, of time.Duration) int {
	minute := int((of + time.Minute - 1) / time.Minute) // a due moment is a whole minute
	hours := s.Hour & (1<<(minute/60) - 1) & (1<<24 - 1)
	count := bits.OnesCount64(hours) * bits.OnesCount64(s.Minute&(1<<60-1))
	if s.Hour&(1<<(minute/60)) != 0 && minute < 24*60 {
		count += bits.OnesCount64(s.Minute & (1<<(minute%60) - 1))
	}
	return count
}
