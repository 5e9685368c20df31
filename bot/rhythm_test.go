package bot_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func calendar(t testing.TB, change func(*bot.Settings)) *bot.Calendar {
	t.Helper()
	s := defaults()
	if change != nil {
		change(&s)
	}
	c, err := bot.ParseCalendar(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The movable days that PRACTICE 17 lists, and the fixed ones.
func TestDutchHolidays(t *testing.T) {
	free := []string{
		"2026-01-01", "2026-04-03", "2026-04-06", "2026-04-27", "2026-05-05", "2026-05-14", "2026-05-25", "2026-12-25", "2026-12-26",
		"2027-03-26", "2027-03-29", "2027-05-06", "2027-05-17", "2028-04-14", "2028-04-17", "2028-05-25", "2028-06-05",
		"2025-04-26", // the 27th is a Sunday
	}
	c := calendar(t, func(s *bot.Settings) { s.WorkdaysOnly, s.QuietHours = false, "" })
	for _, day := range free {
		at, _ := time.ParseInLocation("2006-01-02 15:04", day+" 10:00", zone(t, "Europe/Amsterdam"))
		if c.Move(at).Equal(at) {
			t.Errorf("%s is a quiet day", day)
		}
	}
	for _, day := range []string{"2026-04-28", "2025-04-27", "2026-05-04", "2026-12-24", "2026-04-26"} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", day+" 10:00", zone(t, "Europe/Amsterdam"))
		if !c.Move(at).Equal(at) {
			t.Errorf("%s is an ordinary day", day)
		}
	}
	without := calendar(t, func(s *bot.Settings) { s.Holidays = []string{"nl-without-good-friday"} })
	goodFriday := time.Date(2026, 4, 3, 10, 0, 0, 0, zone(t, "Europe/Amsterdam"))
	if !without.Move(goodFriday).Equal(goodFriday) {
		t.Error("Good Friday can be switched off")
	}
}

// The example of PRACTICE 3.5: Easter Monday 6 April 2026.
func TestEasterMovesCloseGiveBackAndOpening(t *testing.T) {
	c := calendar(t, nil)
	ams := zone(t, "Europe/Amsterdam")
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, ams)
	}
	before := c.At(at(3, 1, 9), at(3, 31, 10), time.Time{})
	if !before.Closes.Equal(at(4, 7, 10)) || !before.GivesBack.Equal(at(4, 7, 15)) {
		t.Errorf("closes %v, gives back %v", before.Closes, before.GivesBack)
	}
	if !before.Reminds.IsZero() && before.Closes.Sub(before.Reminds) < 24*time.Hour {
		t.Errorf("reminder %v within a day of closing", before.Reminds)
	}
	next := c.Next(at(3, 1, 9), before.Due, before.GivesBack, false)
	if !next.Due.Equal(at(4, 7, 10)) || !next.Opens.Equal(at(4, 8, 10)) || !next.Closes.Equal(at(4, 13, 10)) {
		t.Errorf("next: due %v, opens %v, closes %v", next.Due, next.Opens, next.Closes)
	}
}

func TestRhythms(t *testing.T) {
	ams := zone(t, "Europe/Amsterdam")
	anchor := time.Date(2026, 9, 1, 9, 0, 0, 0, ams) // a Tuesday
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, ams)
	}
	for _, tc := range []struct {
		name   bot.RhythmName
		opens  []time.Time
		closes time.Time // of the first
		gives  time.Time
		slots  string // m, l
	}{
		{bot.RhythmWeekly, []time.Time{at(9, 1, 10), at(9, 8, 10), at(9, 15, 10), at(9, 22, 10), at(9, 29, 10)}, at(9, 7, 10), at(9, 7, 15), "mmmlm"},
		{bot.RhythmFourBeat, []time.Time{at(9, 1, 10), at(9, 15, 10), at(9, 29, 10), at(10, 13, 10)}, at(9, 9, 12), at(9, 10, 10), "mlml"},
		{bot.RhythmFortnightly, []time.Time{at(9, 1, 10), at(9, 15, 10), at(9, 29, 10), at(10, 13, 10)}, at(9, 9, 12), at(9, 10, 10), "mmml"},
		{bot.RhythmMonthly, []time.Time{at(9, 1, 10), at(9, 29, 10), at(10, 27, 10)}, at(9, 9, 12), at(9, 10, 10), "mmm"},
		{bot.RhythmTalkOnly, []time.Time{at(9, 1, 10), at(9, 15, 10)}, at(9, 1, 10), at(9, 1, 10), "mm"},
	} {
		c := calendar(t, func(s *bot.Settings) { s.Rhythm = tc.name })
		after, last := anchor, time.Time{}
		for i, want := range tc.opens {
			m := c.Next(anchor, after, last, false)
			if !m.Opens.Equal(want) {
				t.Errorf("%s: opening %d is %v, want %v", tc.name, i, m.Opens, want)
			}
			if i == 0 && (!m.Closes.Equal(tc.closes) || !m.GivesBack.Equal(tc.gives)) {
				t.Errorf("%s: closes %v, gives back %v", tc.name, m.Closes, m.GivesBack)
			}
			if light := tc.slots[i] == 'l'; light != (m.Slot == prompts.SlotLight) {
				t.Errorf("%s: round %d has slot %s", tc.name, i, m.Slot)
			}
			after, last = m.Due, m.GivesBack
		}
	}
}

func TestCustomRhythmOfMinutes(t *testing.T) {
	c := calendar(t, func(s *bot.Settings) {
		s.Rhythm, s.Cron, s.Window, s.GiveBackAfter, s.QuietHours, s.WorkdaysOnly, s.Holidays = bot.RhythmCustom, "*/5 * * * *", "2m", "1m", "", false, nil
	})
	now := time.Date(2026, 11, 28, 23, 1, 0, 0, time.UTC) // a Saturday night
	m := c.Next(now, now, time.Time{}, false)
	if got := m.Opens.UTC().Format("15:04"); got != "23:05" {
		t.Errorf("opens %s", got)
	}
	if m.Closes.Sub(m.Opens) != 2*time.Minute || m.GivesBack.Sub(m.Closes) != time.Minute || !m.Reminds.IsZero() {
		t.Errorf("%+v", m)
	}
	long := calendar(t, func(s *bot.Settings) {
		s.Rhythm, s.Cron, s.Window, s.GiveBackAfter, s.QuietHours, s.WorkdaysOnly, s.Holidays = bot.RhythmCustom, "0 9 1 * *", "4d", "0", "", false, nil
	})
	m = long.Next(now, now, time.Time{}, false)
	if m.Reminds.Sub(m.Opens) != 48*time.Hour {
		t.Errorf("reminds %v after opening", m.Reminds.Sub(m.Opens))
	}
}

func TestRefusedSettings(t *testing.T) {
	for _, tc := range []struct{ field, key, value string }{
		{"cron", "rhythm.cron-zone", "TZ= 0 10 * * *"}, {"cron", "rhythm.cron-zone", "CRON_TZ=Europe/Amsterdam"}, {"cron", "rhythm.cron-zone", "TZ=0"},
		{"cron", "rhythm.cron-word", "@every -1s"}, {"cron", "rhythm.cron-word", "@daily"}, {"cron", "rhythm.cron-fields", "0 0 10 * * *"},
		{"cron", "rhythm.cron-fields", "x"}, {"cron", "rhythm.cron-either", "0 10 1 * TUE"}, {"cron", "rhythm.cron-never", "0 9 31 2 *"},
		{"cron", "rhythm.cron-never", "0 9 29 2 *"}, {"cron", "rhythm.cron-two", "30 2 * * *"}, {"cron", "rhythm.cron-two", "30 02,9 * * *"}, {"cron", "rhythm.cron-unreadable", "0 10 * * 7"},
		{"cron", "rhythm.cron-unreadable", "99 10 * * *"}, {"zone", "rhythm.zone", "Europe/Nergens"}, {"zone", "rhythm.zone", "Local"}, {"zone", "rhythm.zone", ""},
		{"quiet_hours", "rhythm.quiet-hours", "18-8"}, {"quiet_hours", "rhythm.quiet-hours", "10:00-10:00"}, {"holidays", "rhythm.holidays", "mars"},
		{"rhythm", "rhythm.unknown", "daily"}, {"window", "rhythm.window", "30s"}, {"window", "rhythm.window", "-1d"}, {"give_back_after", "rhythm.give-back-after", "soon"},
	} {
		s := defaults()
		switch tc.field {
		case "cron":
			s.Cron = tc.value
		case "zone":
			s.Zone = tc.value
		case "quiet_hours":
			s.QuietHours = tc.value
		case "holidays":
			s.Holidays = []string{tc.value}
		case "rhythm":
			s.Rhythm = bot.RhythmName(tc.value)
		case "window":
			s.Rhythm, s.Cron, s.Window = bot.RhythmCustom, "0 10 * * *", bot.Length(tc.value)
		case "give_back_after":
			s.Rhythm, s.Cron, s.GiveBackAfter = bot.RhythmCustom, "0 10 * * *", bot.Length(tc.value)
		}
		_, err := bot.ParseCalendar(s)
		var p *bot.Problem
		if !errors.As(err, &p) || p.Field != tc.field || p.Key != tc.key {
			t.Errorf("%s = %q: %v, want %s", tc.field, tc.value, err, tc.key)
		}
	}
}

// minutes makes settings under which nothing rests: whole rounds in minutes.
func minutes(cron, window, giveBackAfter string) func(*bot.Settings) {
	return func(s *bot.Settings) {
		s.Rhythm, s.Cron, s.Window, s.GiveBackAfter = bot.RhythmCustom, cron, bot.Length(window), bot.Length(giveBackAfter)
		s.QuietHours, s.WorkdaysOnly, s.Holidays = "", false, nil
	}
}

// Over ten years and random settings: moments keep their order, fall on permitted days and hours, are never due twice,
// and there is always a next one.
func TestMomentsKeepTheirOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	school := bot.HolidaySet{Name: "school", OpeningsOnly: true}
	for year := 2025; year < 2037; year++ {
		day := func(m time.Month, d int) time.Time { return time.Date(year, m, d, 0, 0, 0, 0, time.UTC) }
		school.Ranges = append(school.Ranges, bot.DateRange{First: day(7, 15), Last: day(8, 28)}, bot.DateRange{First: day(12, 21), Last: day(12, 31)})
	}
	rhythms := []string{"weekly", "four-beat", "fortnightly", "monthly", "talk-only", "custom"}
	swallowed := 0
	for i := range 150 {
		s := defaults()
		s.Rhythm = bot.RhythmName(rhythms[i%len(rhythms)])
		s.Zone = pick("Europe/Amsterdam", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "America/Curacao", "America/Santiago")
		s.Cron = pick("", "0 10 * * TUE", "30 15 * * THU", "0 9 * * MON", "45 23 * * SUN", "0 16 * * MON", "0 0 * * SAT", "0 12 15 * *", "*/20 9-11 * * MON,WED", "0 10 29 * ?", "0 6 * 9-12,1-5 FRI")
		s.QuietHours = pick("18:00-08:00", "", "12:00-13:00", "07:30-22:00", "00:00-23:59", "11:00-10:00", "01:00-03:00")
		s.WorkdaysOnly = random.IntN(3) > 0
		s.Holidays = [][]string{nil, {"nl"}, {"nl", "school"}}[random.IntN(3)]
		s.Window, s.GiveBackAfter = bot.Length(pick("6d", "8d", "50h", "2d", "26h")), bot.Length(pick("5h", "0", "1d"))
		if s.Rhythm == bot.RhythmCustom && s.Cron == "" {
			s.Cron = "0 10 * * TUE"
		}
		half := random.IntN(3) == 0
		c, err := bot.ParseCalendar(s, school)
		if p, ok := errors.AsType[*bot.Problem](err); ok && p.Key == "rhythm.swallowed" && s.Rhythm == bot.RhythmCustom {
			swallowed++
			continue
		}
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		name := fmt.Sprintf("%s %s %q quiet %q workdays %v holidays %v window %s+%s half %v", s.Rhythm, s.Zone, s.Cron, s.QuietHours, s.WorkdaysOnly, s.Holidays, s.Window, s.GiveBackAfter, half)
		loc := zone(t, s.Zone)
		anchor := time.Date(2025, 1, 1+random.IntN(300), random.IntN(24), 0, 0, 0, loc)
		after, last, n := anchor, time.Time{}, 0
		for after.Before(anchor.AddDate(10, 0, 0)) {
			m := c.Next(anchor, after, last, half)
			if m.Opens.IsZero() {
				t.Fatalf("%s: no round after %v", name, after)
			}
			if !m.Due.After(after) || m.Opens.Before(m.Due) || m.GivesBack.Before(m.Closes) {
				t.Fatalf("%s: out of order %+v", name, m)
			}
			if m.TalkOnly != (s.Rhythm == bot.RhythmTalkOnly) || !m.TalkOnly && !m.Opens.Before(m.Closes) {
				t.Fatalf("%s: opens %v, closes %v", name, m.Opens, m.Closes)
			}
			if !m.Reminds.IsZero() && (!m.Reminds.After(m.Opens) || m.Closes.Sub(m.Reminds) < 24*time.Hour) {
				t.Fatalf("%s: reminder %+v", name, m)
			}
			for what, at := range map[string]time.Time{"opening": m.Opens, "reminder": m.Reminds, "closing": m.Closes, "give-back": m.GivesBack} {
				if !at.IsZero() && resting(s, school, at.In(loc), what == "opening") {
					t.Fatalf("%s: %s %v is quiet", name, what, at.In(loc))
				}
			}
			if !last.IsZero() && m.Opens.Before(last) {
				t.Fatalf("%s: opens %v before the give-back of %v", name, m.Opens, last)
			}
			if !last.IsZero() && s.Rhythm != bot.RhythmCustom && m.Opens.In(loc).Format(time.DateOnly) == last.In(loc).Format(time.DateOnly) {
				t.Fatalf("%s: opens %v on the day of a give-back", name, m.Opens)
			}
			if again := c.At(anchor, m.Due, last); !half && (!again.Opens.Equal(m.Opens) || !again.Closes.Equal(m.Closes) || again.Slot != m.Slot || again.Follow != m.Follow) {
				t.Fatalf("%s: At gives %+v, Next %+v", name, again, m)
			}
			after, last = m.Due, m.GivesBack
			n++
		}
		if n < 5 {
			t.Errorf("%s: only %d rounds in ten years", name, n)
		}
	}
	if swallowed > 10 {
		t.Errorf("%d of the random settings never come to a round", swallowed)
	}
}

// resting says in plain words, apart from the code under test, whether nothing may be posted at a moment.
func resting(s bot.Settings, school bot.HolidaySet, at time.Time, opening bool) bool {
	if s.WorkdaysOnly && (at.Weekday() == time.Saturday || at.Weekday() == time.Sunday) {
		return true
	}
	if slices.Contains(s.Holidays, "nl") && slices.Contains([]string{"01-01", "05-05", "12-25", "12-26"}, at.Format("01-02")) {
		return true
	}
	if opening && slices.Contains(s.Holidays, "school") && school.Has(at) {
		return true
	}
	from, to, ok := strings.Cut(s.QuietHours, "-")
	clock := at.Format("15:04")
	if from < to {
		return ok && clock >= from && clock < to
	}
	return ok && (clock >= from || clock < to)
}

// A year of rounds by the minute: quiet nights and weekends end it never, and every round keeps its length.
func TestMinutesThroughQuietTimes(t *testing.T) {
	for _, window := range []string{"2m", "45m", "12h"} {
		c := calendar(t, func(s *bot.Settings) {
			s.Rhythm, s.Cron, s.Window, s.GiveBackAfter = bot.RhythmCustom, "*/5 * * * *", bot.Length(window), "1m"
		})
		anchor := time.Date(2026, 4, 2, 17, 30, 0, 0, zone(t, "Europe/Amsterdam")) // before Easter
		after, last := anchor, time.Time{}
		for i := range 100 {
			m := c.Next(anchor, after, last, false)
			if m.Opens.IsZero() {
				t.Fatalf("window %s: no round %d after %v", window, i, after)
			}
			if m.Due.Before(last) {
				t.Fatalf("window %s: due %v before the give-back of %v", window, m.Due, last)
			}
			after, last = m.Due, m.GivesBack
		}
	}
}

func TestNeverDueEndsCleanly(t *testing.T) {
	day := func(year int, m time.Month, d int) time.Time { return time.Date(year, m, d, 0, 0, 0, 0, time.UTC) }
	start, now := time.Now(), day(2026, 1, 1)
	for _, openings := range []bool{false, true} {
		always := bot.HolidaySet{Name: "always", OpeningsOnly: openings, Ranges: []bot.DateRange{{First: day(2000, 1, 1), Last: day(2100, 1, 1)}}}
		for _, rhythm := range []bot.RhythmName{bot.RhythmWeekly, bot.RhythmFourBeat, bot.RhythmTalkOnly, bot.RhythmCustom} {
			s := defaults()
			s.Rhythm, s.Holidays = rhythm, []string{"always"}
			if rhythm == bot.RhythmCustom {
				s.Cron, s.Window = "* * * * *", "5m"
			}
			c, err := bot.ParseCalendar(s, always)
			if err != nil {
				t.Fatal(err)
			}
			if m := c.Next(now, now, time.Time{}, false); !m.Opens.IsZero() {
				t.Errorf("a round in a life of holidays: %+v", m)
			}
			if m := c.At(now, now, time.Time{}); !m.Opens.IsZero() {
				t.Errorf("a round in a life of holidays: %+v", m)
			}
			if _, ask, next := c.Missed(now, now, now.AddDate(0, 3, 0), time.Time{}, false); ask || !next.Opens.IsZero() {
				t.Errorf("asked in a life of holidays: %+v", next)
			}
		}
	}
	s := defaults()
	s.Holidays = []string{"long"}
	long := bot.HolidaySet{Name: "long", Ranges: []bot.DateRange{{First: day(2026, 1, 1), Last: day(2027, 8, 31)}}}
	c, err := bot.ParseCalendar(s, long)
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Next(now, now, time.Time{}, false); m.Opens.Format(time.DateOnly) < "2027-09-01" || m.Opens.Format(time.DateOnly) > "2027-09-07" {
		t.Errorf("after twenty months of rest: %+v", m)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// An anchor that is missing, far away or in the future does no harm.
func TestOddAnchors(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for _, rhythm := range []bot.RhythmName{bot.RhythmWeekly, bot.RhythmFourBeat, bot.RhythmMonthly, bot.RhythmCustom} {
		c := calendar(t, func(s *bot.Settings) { s.Rhythm, s.Cron = rhythm, "0 10 * * TUE" })
		for _, anchor := range []time.Time{{}, now.AddDate(-400, 0, 0), now.AddDate(40, 0, 0)} {
			m := c.Next(anchor, now, time.Time{}, true)
			if m.Opens.IsZero() || !m.Due.After(now) || m.Due.Before(anchor) {
				t.Errorf("%s from %v: %+v", rhythm, anchor, m)
			}
			if at := c.At(anchor, now, time.Time{}); at.Closes.IsZero() {
				t.Errorf("%s from %v: %+v", rhythm, anchor, at)
			}
		}
	}
}

func TestMissedAsksTheNewestOnly(t *testing.T) {
	c := calendar(t, nil)
	ams := zone(t, "Europe/Amsterdam")
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, ams)
	}
	anchor, due := at(9, 1, 9), at(9, 8, 10)
	for _, tc := range []struct {
		now  time.Time
		due  time.Time
		ask  bool
		next time.Time
	}{
		{at(9, 8, 10), at(9, 8, 10), true, at(9, 15, 10)},
		{at(9, 10, 12), at(9, 8, 10), true, at(9, 15, 10)},   // half of the window is left
		{at(9, 11, 14), at(9, 8, 10), false, at(9, 15, 10)},  // less than half
		{at(9, 9, 23), at(9, 8, 10), false, at(9, 15, 10)},   // at night
		{at(9, 30, 11), at(9, 29, 10), true, at(10, 6, 10)},  // three weeks down: once, the newest
		{at(10, 3, 11), at(9, 29, 10), false, at(10, 6, 10)}, // a Saturday
	} {
		m, ask, next := c.Missed(anchor, due, tc.now, time.Time{}, false)
		if !m.Due.Equal(tc.due) || ask != tc.ask || !next.Due.Equal(tc.next) {
			t.Errorf("now %v: due %v ask %v next %v", tc.now, m.Due, ask, next.Due)
		}
	}
	minutes := calendar(t, func(s *bot.Settings) {
		s.Rhythm, s.Cron, s.Window, s.GiveBackAfter, s.QuietHours, s.WorkdaysOnly, s.Holidays = bot.RhythmCustom, "* * * * *", "1m", "0", "", false, nil
	})
	start := time.Now()
	now := at(12, 1, 12).Add(20 * time.Second)
	m, ask, next := minutes.Missed(anchor, anchor, now, time.Time{}, false)
	if !ask || now.Sub(m.Due) > time.Minute || next.Due.Sub(now) > time.Minute {
		t.Errorf("due %v ask %v next %v", m.Due, ask, next.Due)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("three months of minutes took %v", d)
	}
}

// Settings are refused, or the first round is due within a year and keeps its order. Never a panic.
func FuzzParseCalendar(f *testing.F) {
	for _, s := range []string{"0 10 * * TUE", "TZ=", "CRON_TZ=Europe/Amsterdam", "0 9 31 2 *", "@every 1s", "*/5 * * * *", "0 10 1 * TUE", "30 2 * * *", "0-59/7 8-17 * 1,6 MON-FRI", ""} {
		for _, rhythm := range []string{"custom", "weekly", "four-beat"} {
			f.Add(rhythm, s, "Europe/Amsterdam", "18:00-08:00", "6d", "5h")
		}
	}
	f.Add("custom", "* * * * *", "Local", "23:59-00:00", "-1d", "9999999h")
	f.Add("monthly", "0 0 * * *", "../../etc/passwd", "24:00-1", "1.5h", "0")
	f.Fuzz(func(t *testing.T, rhythm, cron, zone, quiet, window, after string) {
		s := defaults()
		s.Rhythm, s.Cron, s.Zone, s.QuietHours = bot.RhythmName(rhythm), cron, zone, quiet
		s.Window, s.GiveBackAfter, s.WorkdaysOnly, s.Holidays = bot.Length(window), bot.Length(after), false, nil
		c, err := bot.ParseCalendar(s)
		if err != nil {
			return
		}
		now := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
		m := c.Next(now, now, time.Time{}, false)
		if m.Opens.IsZero() || !m.Due.After(now) || m.Due.After(now.AddDate(1, 1, 2)) || m.Opens.Before(m.Due) || m.Closes.Before(m.Opens) || m.GivesBack.Before(m.Closes) {
			t.Fatalf("%+v: %+v", s, m)
		}
	})
}

// What a calendar costs: it is read anew for every team whose moment has come.
func BenchmarkParseAndNext(b *testing.B) {
	s := defaults()
	anchor := time.Date(2026, 1, 6, 9, 0, 0, 0, time.UTC)
	for b.Loop() {
		c, err := bot.ParseCalendar(s)
		if err != nil {
			b.Fatal(err)
		}
		if _, ask, _ := c.Missed(anchor, time.Date(2026, 9, 8, 8, 0, 0, 0, time.UTC), time.Date(2026, 9, 8, 8, 0, 0, 0, time.UTC), time.Time{}, false); !ask {
			b.Fatal("not asked")
		}
	}
}
