package bot

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

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
// At most 366 days.
type Length string

// parse splits a length into calendar days and clock time; one of the two is zero.
func (l Length) parse() (days int, clock time.Duration, err error) {
	s := strings.TrimSpace(string(l))
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err = strconv.Atoi(n)
	} else {
		clock, err = time.ParseDuration(s)
	}
	if err == nil && (days < 0 || days > 366 || clock < 0 || clock > 366*24*time.Hour) {
		err = errors.New("out of range")
	}
	return days, clock, err
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

// beat is one kind of round of a rhythm: how far its moments lie from the due moment.
type beat struct {
	remind   offset
	close    offset
	giveBack offset
	silent   bool // no reminder
	light    bool
	follow   bool
	talk     bool
}

// offset is how far a moment lies from the due moment, on the wall clock.
type offset struct {
	days  int
	clock time.Duration
	fixed bool // clock is the time of day, whatever that of the due moment
}

// tuesdayTen is when rounds open unless a cron spec says otherwise: not the start of the week, not its end.
const tuesdayTen = "0 10 * * TUE"

// beats gives a rhythm's rounds in their order and the weeks that each of them takes (PRACTICE 3.2 and 3.3). The two
// lengths are those of the custom rhythm, which counts due moments instead of weeks.
func beats(name RhythmName, window, giveBackAfter Length) ([]beat, int) {
	at := func(days, hour int) offset {
		return offset{days: days, clock: time.Duration(hour) * time.Hour, fixed: true}
	}
	six := beat{remind: at(3, 10), close: at(6, 10), giveBack: at(6, 15)}
	eight := beat{remind: at(6, 10), close: at(8, 12), giveBack: at(9, 10)}
	switch name {
	case RhythmWeekly:
		return []beat{six}, 1
	case RhythmFourBeat:
		light := six
		light.light, light.follow = true, true
		return []beat{eight, light}, 2
	case RhythmFortnightly:
		return []beat{eight}, 2
	case RhythmMonthly:
		return []beat{eight}, 4
	case RhythmTalkOnly:
		return []beat{{talk: true, silent: true}}, 2
	case RhythmCustom:
		days, clock, _ := window.parse()
		more, after, _ := giveBackAfter.parse()
		halfDay := time.Duration(days%2) * 12 * time.Hour
		return []beat{{
			remind:   offset{days: days / 2, clock: halfDay + clock/2},
			close:    offset{days: days, clock: clock},
			giveBack: offset{days: days + more, clock: clock + after},
			silent:   days < 2 && clock < 48*time.Hour,
		}}, 0
	}
	return nil, 0
}

// from moves a rhythm's opening to another moment and keeps the distances: clock times of the day become clock time
// since ten, the hour they were meant for.
func (b beat) from() beat {
	for _, o := range []*offset{&b.remind, &b.close, &b.giveBack} {
		if o.fixed {
			*o = offset{days: o.days, clock: o.clock - 10*time.Hour}
		}
	}
	return b
}

// ParseCalendar reads a team's settings; sets are holidays it may name besides the built-in ones. The error joins a
// *Problem for everything that cannot be used.
func ParseCalendar(s Settings, sets ...HolidaySet) (*Calendar, error) {
	c := &Calendar{custom: s.Rhythm == RhythmCustom, workdays: s.WorkdaysOnly}
	var problems []error
	wrong := func(field, key, value string, more ...string) {
		pairs := append([]string{"value", shorten(value)}, more...)
		problems = append(problems, &Problem{Field: field, Key: key, Pairs: pairs})
	}
	c.beats, c.weeks = beats(s.Rhythm, s.Window, s.GiveBackAfter)
	if len(c.beats) == 0 {
		wrong("rhythm", "rhythm.unknown", string(s.Rhythm))
	}
	spec := tuesdayTen
	if own := strings.TrimSpace(s.Cron); own != "" || c.custom {
		spec = own
		for i, b := range c.beats {
			c.beats[i] = b.from()
		}
	}
	if c.custom {
		if days, clock, err := s.Window.parse(); err != nil || days == 0 && clock < time.Minute {
			wrong("window", "rhythm.window", string(s.Window))
		}
		if _, _, err := s.GiveBackAfter.parse(); err != nil {
			wrong("give_back_after", "rhythm.give-back-after", string(s.GiveBackAfter))
		}
	}
	var key string
	if c.spec, key = parseSpec(spec); key != "" {
		wrong("cron", key, spec)
	}
	var err error
	if c.zone, err = time.LoadLocation(s.Zone); err != nil || s.Zone == "" || s.Zone == "Local" {
		wrong("zone", "rhythm.zone", s.Zone)
	}
	if c.quiet, err = parseQuiet(s.QuietHours); err != nil {
		wrong("quiet_hours", "rhythm.quiet-hours", s.QuietHours)
	}
	sets = append(slices.Clone(sets), builtinHolidays()...) // a loaded set may stand in for a built-in one
	for _, name := range s.Holidays {
		i := slices.IndexFunc(sets, func(h HolidaySet) bool { return h.Name == name })
		if i < 0 {
			var known []string
			for _, h := range sets {
				known = append(known, h.Name)
			}
			wrong("holidays", "rhythm.holidays", name, "known", strings.Join(known, ", "))
			continue
		}
		c.holidays = append(c.holidays, sets[i])
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	// Holidays pass; a round that quiet hours or weekends always swallow never comes.
	plain := *c
	plain.holidays = nil
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	if plain.Next(start, start, time.Time{}, false).Opens.IsZero() {
		wrong("cron", "rhythm.swallowed", spec)
		return nil, errors.Join(problems...)
	}
	return c, nil
}

// parseQuiet reads "18:00-08:00" as minutes of the day; two equal numbers mean none.
func parseQuiet(s string) ([2]int, error) {
	if strings.TrimSpace(s) == "" {
		return [2]int{}, nil
	}
	var out [2]int
	from, to, _ := strings.Cut(s, "-")
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

// shorten keeps a value that somebody typed short enough to say back.
func shorten(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strings.ToValidUTF8(s, "")
}
