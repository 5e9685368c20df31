package bot_test

import (
	"errors"
	"math/rand/v2"
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

// Over ten years and random settings: moments keep their order, fall on permitted days and hours, and never repeat.
func TestMomentsKeepTheirOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	zones := []string{"Europe/Amsterdam", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "America/Curacao"}
	rhythms := []bot.RhythmName{bot.RhythmWeekly, bot.RhythmFourBeat, bot.RhythmFortnightly, bot.RhythmMonthly, bot.RhythmTalkOnly, bot.RhythmCustom}
	crons := []string{"", "0 10 * * TUE", "30 15 * * THU", "0 9 * * MON", "45 23 * * SUN", "0 12 15 * *"}
	for range 60 {
		rhythm, name := rhythms[random.IntN(len(rhythms))], zones[random.IntN(len(zones))]
		cron := crons[random.IntN(len(crons))]
		if rhythm == bot.RhythmCustom && cron == "" || rhythm != bot.RhythmCustom && strings.Contains(cron, "15 *") {
			cron = "0 10 * * TUE"
		}
		half := random.IntN(3) == 0
		c := calendar(t, func(s *bot.Settings) { s.Rhythm, s.Zone, s.Cron = rhythm, name, cron })
		loc := zone(t, name)
		anchor := time.Date(2025, 1, 1+random.IntN(300), random.IntN(24), 0, 0, 0, loc)
		after, last := anchor, time.Time{}
		n := 0
		for after.Before(anchor.AddDate(10, 0, 0)) {
			m := c.Next(anchor, after, last, half)
			if m.Opens.IsZero() {
				t.Fatalf("%s %s %q: no round after %v", rhythm, name, cron, after)
			}
			if !m.Due.After(after) || m.Opens.Before(m.Due) || m.Opens.After(m.Closes) || m.GivesBack.Before(m.Closes) {
				t.Fatalf("%s %s %q: out of order %+v", rhythm, name, cron, m)
			}
			if !m.Reminds.IsZero() && (!m.Reminds.After(m.Opens) || m.Closes.Sub(m.Reminds) < 24*time.Hour) {
				t.Fatalf("%s: reminder %+v", rhythm, m)
			}
			for _, at := range []time.Time{m.Opens, m.Closes, m.GivesBack} {
				if local := at.In(loc); !c.Move(local).Equal(local) || local.Hour() < 8 || local.Hour() > 18 || local.Weekday()%6 == 0 {
					t.Fatalf("%s %s %q: %v is quiet", rhythm, name, cron, local)
				}
			}
			if !last.IsZero() && rhythm != bot.RhythmCustom && rhythm != bot.RhythmTalkOnly && !m.Opens.After(last) {
				t.Fatalf("%s: opens %v before the give-back of %v", rhythm, m.Opens, last)
			}
			after, last = m.Due, m.GivesBack
			n++
		}
		if n < 50 && rhythm == bot.RhythmWeekly && !half {
			t.Errorf("%s %s %q: only %d rounds in ten years", rhythm, name, cron, n)
		}
	}
}

func TestNeverDueEndsCleanly(t *testing.T) {
	always := bot.HolidaySet{Name: "always", Ranges: []bot.DateRange{{First: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}}}
	s := defaults()
	s.Holidays = []string{"always"}
	c, err := bot.ParseCalendar(s, always)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if m := c.Next(now, now, time.Time{}, false); !m.Opens.IsZero() {
		t.Errorf("a round in a life of holidays: %+v", m)
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

func FuzzParseCalendar(f *testing.F) {
	for _, s := range []string{"0 10 * * TUE", "TZ=", "CRON_TZ=Europe/Amsterdam", "0 9 31 2 *", "@every 1s", "*/5 * * * *", "0 10 1 * TUE", "30 2 * * *", "0-59/7 8-17 * 1,6 MON-FRI"} {
		f.Add(s, "Europe/Amsterdam", "18:00-08:00", "6d")
	}
	f.Fuzz(func(t *testing.T, cron, zone, quiet, window string) {
		s := defaults()
		s.Rhythm, s.Cron, s.Zone, s.QuietHours, s.Window = bot.RhythmCustom, cron, zone, quiet, bot.Length(window)
		s.WorkdaysOnly, s.Holidays = false, nil
		c, err := bot.ParseCalendar(s)
		if err != nil {
			return
		}
		now := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
		m := c.Next(now, now, time.Time{}, false)
		if !m.Opens.IsZero() && (!m.Due.After(now) || m.Due.After(now.AddDate(1, 0, 2))) {
			t.Fatalf("%q: due %v", cron, m.Due)
		}
	})
}
