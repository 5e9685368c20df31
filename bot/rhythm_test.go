package bot_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
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

// The beats of every rhythm, reminder included, and what half pace and a spec of one's own change.
func TestMomentsOfEveryRhythm(t *testing.T) {
	const tue = "2026-09-01 09:00" // a Tuesday, an hour before opening
	for _, tc := range []struct {
		name   string
		change func(*bot.Settings)
		anchor string
		half   bool
		want   []string // due > opens reminds closes gives back slot
	}{
		{"weekly", nil, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Fri 04-09 10:00 Mon 07-09 10:00 Mon 07-09 15:00 main",
			"Tue 08-09 10:00 > Tue 08-09 10:00 Fri 11-09 10:00 Mon 14-09 10:00 Mon 14-09 15:00 main",
			"Tue 15-09 10:00 > Tue 15-09 10:00 Fri 18-09 10:00 Mon 21-09 10:00 Mon 21-09 15:00 main",
			"Tue 22-09 10:00 > Tue 22-09 10:00 Fri 25-09 10:00 Mon 28-09 10:00 Mon 28-09 15:00 light"}},
		{"weekly from a Thursday: weeks count from the first opening", nil, "2026-09-03 12:00", false, []string{
			"Tue 08-09 10:00 > Tue 08-09 10:00 Fri 11-09 10:00 Mon 14-09 10:00 Mon 14-09 15:00 main",
			"Tue 15-09 10:00 > Tue 15-09 10:00 Fri 18-09 10:00 Mon 21-09 10:00 Mon 21-09 15:00 main",
			"Tue 22-09 10:00 > Tue 22-09 10:00 Fri 25-09 10:00 Mon 28-09 10:00 Mon 28-09 15:00 main",
			"Tue 29-09 10:00 > Tue 29-09 10:00 Fri 02-10 10:00 Mon 05-10 10:00 Mon 05-10 15:00 light"}},
		{"weekly at half pace still has its light rounds", nil, tue, true, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Fri 04-09 10:00 Mon 07-09 10:00 Mon 07-09 15:00 main",
			"Tue 15-09 10:00 > Tue 15-09 10:00 Fri 18-09 10:00 Mon 21-09 10:00 Mon 21-09 15:00 main",
			"Tue 29-09 10:00 > Tue 29-09 10:00 Fri 02-10 10:00 Mon 05-10 10:00 Mon 05-10 15:00 main",
			"Tue 13-10 10:00 > Tue 13-10 10:00 Fri 16-10 10:00 Mon 19-10 10:00 Mon 19-10 15:00 light"}},
		{"weekly at another moment keeps its distances", func(s *bot.Settings) { s.Cron = "30 13 * * WED" }, tue, false, []string{
			"Wed 02-09 13:30 > Wed 02-09 13:30 Mon 07-09 13:30 Tue 08-09 13:30 Wed 09-09 08:00 main",
			"Wed 09-09 13:30 > Thu 10-09 13:30 Mon 14-09 13:30 Tue 15-09 13:30 Wed 16-09 08:00 main"}},
		{"several moments a week: the first opens", func(s *bot.Settings) { s.Cron = "0 9,15 * * MON,THU" }, tue, false, []string{
			"Thu 03-09 09:00 > Thu 03-09 09:00 Mon 07-09 09:00 Wed 09-09 09:00 Wed 09-09 14:00 main",
			"Mon 07-09 09:00 > Thu 10-09 09:00 - Mon 14-09 09:00 Mon 14-09 14:00 main"}},
		{"four-beat", func(s *bot.Settings) { s.Rhythm = bot.RhythmFourBeat }, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Mon 07-09 10:00 Wed 09-09 12:00 Thu 10-09 10:00 main",
			"Tue 15-09 10:00 > Tue 15-09 10:00 Fri 18-09 10:00 Mon 21-09 10:00 Mon 21-09 15:00 light follow",
			"Tue 29-09 10:00 > Tue 29-09 10:00 Mon 05-10 10:00 Wed 07-10 12:00 Thu 08-10 10:00 main",
			"Tue 13-10 10:00 > Tue 13-10 10:00 Fri 16-10 10:00 Mon 19-10 10:00 Mon 19-10 15:00 light follow"}},
		{"four-beat at half pace keeps each light beat with its dilemma", func(s *bot.Settings) { s.Rhythm = bot.RhythmFourBeat }, tue, true, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Mon 07-09 10:00 Wed 09-09 12:00 Thu 10-09 10:00 main",
			"Tue 15-09 10:00 > Tue 15-09 10:00 Fri 18-09 10:00 Mon 21-09 10:00 Mon 21-09 15:00 light follow",
			"Tue 27-10 10:00 > Tue 27-10 10:00 Mon 02-11 10:00 Wed 04-11 12:00 Thu 05-11 10:00 main"}},
		{"fortnightly", func(s *bot.Settings) { s.Rhythm = bot.RhythmFortnightly }, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Mon 07-09 10:00 Wed 09-09 12:00 Thu 10-09 10:00 main",
			"Tue 15-09 10:00 > Tue 15-09 10:00 Mon 21-09 10:00 Wed 23-09 12:00 Thu 24-09 10:00 main",
			"Tue 29-09 10:00 > Tue 29-09 10:00 Mon 05-10 10:00 Wed 07-10 12:00 Thu 08-10 10:00 main",
			"Tue 13-10 10:00 > Tue 13-10 10:00 Mon 19-10 10:00 Wed 21-10 12:00 Thu 22-10 10:00 light"}},
		{"monthly", func(s *bot.Settings) { s.Rhythm = bot.RhythmMonthly }, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Mon 07-09 10:00 Wed 09-09 12:00 Thu 10-09 10:00 main",
			"Tue 29-09 10:00 > Tue 29-09 10:00 Mon 05-10 10:00 Wed 07-10 12:00 Thu 08-10 10:00 main"}},
		{"monthly on a day of the month", func(s *bot.Settings) { s.Rhythm, s.Cron = bot.RhythmMonthly, "0 10 10 * *" }, tue, false, []string{
			"Thu 10-09 10:00 > Thu 10-09 10:00 Wed 16-09 10:00 Fri 18-09 12:00 Mon 21-09 10:00 main",
			"Sat 10-10 10:00 > Mon 12-10 10:00 Fri 16-10 10:00 Mon 19-10 12:00 Mon 19-10 12:00 main"}},
		{"talk-only", func(s *bot.Settings) { s.Rhythm = bot.RhythmTalkOnly }, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 - Tue 01-09 10:00 Tue 01-09 10:00 main talk",
			"Tue 15-09 10:00 > Tue 15-09 10:00 - Tue 15-09 10:00 Tue 15-09 10:00 main talk"}},
		{"custom, a week", func(s *bot.Settings) { s.Rhythm, s.Cron = bot.RhythmCustom, "0 10 * * TUE" }, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 10:00 Fri 04-09 10:00 Mon 07-09 10:00 Mon 07-09 15:00 main",
			"Tue 08-09 10:00 > Tue 08-09 10:00 Fri 11-09 10:00 Mon 14-09 10:00 Mon 14-09 15:00 main"}},
		{"custom knows no next-day rule", func(s *bot.Settings) { s.Rhythm, s.Cron, s.Window = bot.RhythmCustom, "0 16 * * *", "1d" }, tue, false, []string{
			"Tue 01-09 16:00 > Tue 01-09 16:00 - Wed 02-09 16:00 Thu 03-09 08:00 main",
			"Thu 03-09 16:00 > Thu 03-09 16:00 - Fri 04-09 16:00 Mon 07-09 08:00 main"}},
		{"custom at half pace", func(s *bot.Settings) { s.Rhythm, s.Cron, s.Window = bot.RhythmCustom, "0 9 * * MON,THU", "4h" }, tue, true, []string{
			"Thu 03-09 09:00 > Thu 03-09 09:00 - Thu 03-09 13:00 Fri 04-09 08:00 main",
			"Thu 10-09 09:00 > Thu 10-09 09:00 - Thu 10-09 13:00 Fri 11-09 08:00 main"}},
		{"custom, three days through the spring change", minutes("0 12 * * FRI", "3d", "0"), "2026-03-26 09:00", false, []string{
			"Fri 27-03 12:00 > Fri 27-03 12:00 Sun 29-03 00:00 Mon 30-03 12:00 Mon 30-03 12:00 main"}},
		{"custom, 47 hours: no reminder", minutes("0 12 * * *", "47h", "0"), tue, false, []string{
			"Tue 01-09 12:00 > Tue 01-09 12:00 - Thu 03-09 11:00 Thu 03-09 11:00 main",
			"Thu 03-09 12:00 > Thu 03-09 12:00 - Sat 05-09 11:00 Sat 05-09 11:00 main"}},
		{"custom, minutes: what is due before the give-back is skipped", minutes("*/5 * * * *", "9m", "1m"), tue, false, []string{
			"Tue 01-09 09:05 > Tue 01-09 09:05 - Tue 01-09 09:14 Tue 01-09 09:15 main",
			"Tue 01-09 09:15 > Tue 01-09 09:15 - Tue 01-09 09:24 Tue 01-09 09:25 light"}},
		{"custom, an hour in the night that comes twice", minutes("30 1 * * *", "1h", "0"), "2026-10-24 12:00", false, []string{
			"Sun 25-10 01:30 > Sun 25-10 01:30 - Sun 25-10 02:30 Sun 25-10 02:30 main",
			"Mon 26-10 01:30 > Mon 26-10 01:30 - Mon 26-10 02:30 Mon 26-10 02:30 main"}},
		{"a public holiday the opening falls on", nil, "2026-05-04 12:00", false, []string{
			"Tue 05-05 10:00 > Wed 06-05 10:00 Fri 08-05 10:00 Mon 11-05 10:00 Mon 11-05 15:00 main"}},
		{"closing on King's Day", nil, "2026-04-20 12:00", false, []string{
			"Tue 21-04 10:00 > Tue 21-04 10:00 Fri 24-04 10:00 Tue 28-04 10:00 Tue 28-04 15:00 main",
			"Tue 28-04 10:00 > Wed 29-04 10:00 Fri 01-05 10:00 Mon 04-05 10:00 Mon 04-05 15:00 main"}},
		{"quiet until eleven", func(s *bot.Settings) { s.QuietHours = "14:00-11:00" }, tue, false, []string{
			"Tue 01-09 10:00 > Tue 01-09 11:00 Fri 04-09 11:00 Mon 07-09 11:00 Tue 08-09 11:00 main",
			"Tue 08-09 10:00 > Wed 09-09 11:00 Fri 11-09 11:00 Mon 14-09 11:00 Tue 15-09 11:00 main"}},
	} {
		c := calendar(t, tc.change)
		loc := zone(t, "Europe/Amsterdam")
		anchor, err := time.ParseInLocation("2006-01-02 15:04", tc.anchor, loc)
		if err != nil {
			t.Fatal(err)
		}
		after, last := anchor, time.Time{}
		for i, want := range tc.want {
			m := c.Next(anchor, after, last, tc.half)
			if got := written(m, loc); got != want {
				t.Errorf("%s, round %d:\n got %s\nwant %s", tc.name, i, got, want)
			}
			after, last = m.Due, m.GivesBack
		}
	}
}

func written(m bot.Moments, loc *time.Location) string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.In(loc).Format("Mon 02-01 15:04")
	}
	out := fmt.Sprintf("%s > %s %s %s %s %s", at(m.Due), at(m.Opens), at(m.Reminds), at(m.Closes), at(m.GivesBack), m.Slot)
	if m.Follow {
		out += " follow"
	}
	if m.TalkOnly {
		out += " talk"
	}
	return out
}

// A year of Tuesdays at ten, on the clocks of six zones: 52 or 53 rounds, never at another hour, whatever the clocks do.
func TestWeeklyKeepsLocalTime(t *testing.T) {
	for _, name := range []string{"Europe/Amsterdam", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "America/Curacao", "UTC"} {
		c := calendar(t, func(s *bot.Settings) { s.Zone, s.Holidays = name, nil })
		loc := zone(t, name)
		anchor := time.Date(2026, 1, 1, 0, 0, 0, 0, loc)
		n := 0
		after, last := anchor, time.Time{}
		for {
			m := c.Next(anchor, after, last, false)
			if !m.Due.Before(anchor.AddDate(1, 0, 0)) {
				break
			}
			week := m.Due.AddDate(0, 0, 6)
			if got := m.Opens.In(loc).Format("Mon 15:04"); got != "Tue 10:00" || m.Closes.In(loc).Format("2006-01-02 15:04") != week.Format("2006-01-02 15:04") || m.GivesBack.Sub(m.Closes) != 5*time.Hour {
				t.Errorf("%s: %s", name, written(m, loc))
			}
			after, last = m.Due, m.GivesBack
			n++
		}
		if n != 52 && n != 53 {
			t.Errorf("%s: %d rounds in a year", name, n)
		}
	}
}

// School holidays keep new rounds away and let the open one go on.
func TestOpeningsOnlyHolidays(t *testing.T) {
	autumn := bot.DateRange{First: time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC), Last: time.Date(2026, 10, 18, 0, 0, 0, 0, time.UTC)}
	set := bot.HolidaySet{Name: "autumn", OpeningsOnly: true, Ranges: []bot.DateRange{autumn}}
	s := defaults()
	s.Holidays = []string{"nl", "autumn"}
	c, err := bot.ParseCalendar(s, set)
	if err != nil {
		t.Fatal(err)
	}
	loc := zone(t, "Europe/Amsterdam")
	anchor := time.Date(2026, 10, 1, 9, 0, 0, 0, loc)
	first := c.Next(anchor, anchor, time.Time{}, false)
	if got := written(first, loc); got != "Tue 06-10 10:00 > Tue 06-10 10:00 Fri 09-10 10:00 Mon 12-10 10:00 Mon 12-10 15:00 main" {
		t.Error(got)
	}
	// The Tuesday within would open on the Monday after, when its round closes: no round.
	next := c.Next(anchor, first.Due, first.GivesBack, false)
	if got := written(next, loc); got != "Tue 20-10 10:00 > Tue 20-10 10:00 Fri 23-10 10:00 Mon 26-10 10:00 Mon 26-10 15:00 main" {
		t.Error(got)
	}
	within := c.At(anchor, time.Date(2026, 10, 13, 10, 0, 0, 0, loc), first.GivesBack)
	if !within.Opens.IsZero() || within.Closes.IsZero() {
		t.Errorf("%+v", within)
	}
}

// Easter, and with it every movable day, over four centuries' hardest years (published dates).
func TestEasterDays(t *testing.T) {
	monday := bot.HolidaySet{Easter: []int{1}}
	for _, sunday := range []string{"1818-03-22", "1943-04-25", "1954-04-18", "1981-04-19", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31",
		"2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21", "2035-03-25", "2038-04-25", "2049-04-18", "2076-04-19"} {
		at, _ := time.Parse(time.DateOnly, sunday)
		if !monday.Has(at.AddDate(0, 0, 1)) || monday.Has(at) || monday.Has(at.AddDate(0, 0, 2)) {
			t.Errorf("Easter is not %s", sunday)
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
		{"rhythm", "rhythm.unknown", "daily"}, {"rhythm", "rhythm.unknown", ""}, {"cron", "rhythm.cron-two", "0 0-2 * * *"}, {"cron", "rhythm.cron-two", "0 2/3 * * *"},
		{"cron", "rhythm.cron-unreadable", ", 10 * * *"}, {"cron", "rhythm.cron-fields", "0 10 * *"}, {"cron", "rhythm.cron-fields", strings.Repeat("0,", 60) + "0 10 * * *"}, {"window", "rhythm.window", "400d"},
		{"give_back_after", "rhythm.give-back-after", "-1m"}, {"give_back_after", "rhythm.give-back-after", ""}, {"quiet_hours", "rhythm.quiet-hours", "18:00"}, {"quiet_hours", "rhythm.quiet-hours", "18:00-24:00"}, {"window", "rhythm.window", "30s"}, {"window", "rhythm.window", "-1d"}, {"give_back_after", "rhythm.give-back-after", "soon"},
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
	swallowed, runs := 0, 150
	if bot.Raced {
		runs = 30
	}
	for i := range runs {
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

// Opening on time and after downtime: the newest missed round only, while half of its window is left, never when it is
// quiet; then it waits for the first permitted moment.
func TestMissedAsksTheNewestOnly(t *testing.T) {
	loc := zone(t, "Europe/Amsterdam")
	at := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		when, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	const anchor, due = "2026-09-01 09:00", "2026-09-08 10:00"
	for _, tc := range []struct {
		name           string
		now            string
		last           string
		half           bool
		due            string
		ask            bool
		opens          string // when not asked now: later, if at all
		next, nextOpen string
	}{
		{"to the minute", "2026-09-08 10:00", "", false, due, true, due, "2026-09-15 10:00", "2026-09-15 10:00"},
		{"half of the window left", "2026-09-11 10:00", "", false, due, true, due, "2026-09-15 10:00", "2026-09-15 10:00"},
		{"less than half", "2026-09-11 10:01", "", false, due, false, due, "2026-09-15 10:00", "2026-09-15 10:00"},
		{"at night, in time: the next morning", "2026-09-09 23:00", "", false, due, false, "2026-09-10 08:00", "2026-09-15 10:00", "2026-09-15 10:00"},
		{"at night, the morning is too late", "2026-09-11 19:00", "", false, due, false, due, "2026-09-15 10:00", "2026-09-15 10:00"},
		{"three weeks down: the newest", "2026-09-30 11:00", "", false, "2026-09-29 10:00", true, "2026-09-29 10:00", "2026-10-06 10:00", "2026-10-06 10:00"},
		{"three weeks down: none", "2026-10-03 11:00", "", false, "2026-09-29 10:00", false, "2026-09-29 10:00", "2026-10-06 10:00", "2026-10-06 10:00"},
		{"three weeks down at half pace", "2026-09-30 11:00", "", true, "2026-09-29 10:00", true, "2026-09-29 10:00", "2026-10-13 10:00", "2026-10-13 10:00"},
		{"the clock of the machine went back an hour", "2026-09-08 09:00", "", false, due, false, due, "2026-09-15 10:00", "2026-09-15 10:00"},
		{"the round before is given back late: the day after", "2026-09-08 10:00", "2026-09-09 15:00", false, due, false, "2026-09-10 10:00", "2026-09-15 10:00", "2026-09-15 10:00"},
		{"the round before is given back too late for this one", "2026-09-08 10:00", "2026-09-14 15:00", false, due, false, "", "2026-09-15 10:00", "2026-09-15 10:00"},
	} {
		m, ask, next := calendar(t, nil).Missed(at(anchor), at(due), at(tc.now), at(tc.last), tc.half)
		if !m.Due.Equal(at(tc.due)) || ask != tc.ask || !m.Opens.Equal(at(tc.opens)) || !next.Due.Equal(at(tc.next)) || !next.Opens.Equal(at(tc.nextOpen)) {
			t.Errorf("%s: due %v opens %v ask %v next %v %v", tc.name, m.Due, m.Opens, ask, next.Due, next.Opens)
		}
		if !ask && m.Opens.After(at(tc.now)) { // coming back at that moment does it
			if again, ask, _ := calendar(t, nil).Missed(at(anchor), m.Due, m.Opens, at(tc.last), tc.half); !ask || !again.Due.Equal(m.Due) || !again.Closes.Equal(m.Closes) {
				t.Errorf("%s: back at %v: %+v %v", tc.name, m.Opens, again, ask)
			}
		}
	}
	// A round that is not asked gives nothing back: the one after opens on its own day.
	c := calendar(t, nil)
	m, ask, next := c.Missed(at("2026-03-01 09:00"), at("2026-03-31 10:00"), at("2026-04-04 10:00"), time.Time{}, false)
	if ask || !m.Closes.Equal(at("2026-04-07 10:00")) || !next.Opens.Equal(at("2026-04-07 10:00")) {
		t.Errorf("asked %v, closes %v, next opens %v", ask, m.Closes, next.Opens)
	}
}

// A question without a window may be put a day late, and custom rounds that fall due while one is open do not exist.
func TestMissedTalkAndOverlap(t *testing.T) {
	loc := zone(t, "Europe/Amsterdam")
	at := func(day, hour int) time.Time { return time.Date(2026, 9, day, hour, 0, 0, 0, loc) }
	talk := calendar(t, func(s *bot.Settings) { s.Rhythm = bot.RhythmTalkOnly })
	for now, want := range map[time.Time]bool{at(1, 10): true, at(1, 17): true, at(2, 9): true, at(2, 11): false} {
		if m, ask, next := talk.Missed(at(1, 9), at(1, 10), now, time.Time{}, false); ask != want || !m.Due.Equal(at(1, 10)) || !next.Opens.Equal(at(15, 10)) {
			t.Errorf("%v: asked %v, next %v", now, ask, next.Opens)
		}
	}
	custom := calendar(t, func(s *bot.Settings) { s.Rhythm, s.Cron, s.Window = bot.RhythmCustom, "0 10 * * *", "3d" })
	m, ask, next := custom.Missed(at(1, 9), at(2, 10), at(2, 10), at(4, 15), false)
	if ask || !m.Opens.IsZero() || !next.Due.Equal(at(5, 10)) {
		t.Errorf("asked %v, opens %v, next due %v", ask, m.Opens, next.Due)
	}
}

// Quiet hours end on the clock of the day they end on, also in the nights that are an hour short or long.
func TestQuietHoursThroughChangesOfTheClocks(t *testing.T) {
	for _, tc := range []struct{ quiet, zone, at, want string }{
		{"18:00-08:00", "Europe/Amsterdam", "2026-03-28T18:00:00+01:00", "2026-03-29T08:00:00+02:00"},
		{"18:00-08:00", "Europe/Amsterdam", "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"},
		{"18:00-08:00", "Europe/Amsterdam", "2026-10-24T17:59:59+02:00", "2026-10-24T17:59:59+02:00"},
		{"18:00-08:00", "Europe/Amsterdam", "2026-10-25T08:00:00+01:00", "2026-10-25T08:00:00+01:00"},
		{"23:00-02:30", "Europe/Amsterdam", "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"}, // ends in the gap
		{"23:00-02:30", "Europe/Amsterdam", "2026-10-25T01:00:00+02:00", "2026-10-25T02:30:00+02:00"}, // comes twice: the first
		{"23:00-02:30", "Europe/Amsterdam", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"}, // and if that is over, the second
		{"12:00-13:00", "Asia/Kolkata", "2026-10-24T12:15:30+05:30", "2026-10-24T13:00:00+05:30"},
		{"22:00-06:00", "Pacific/Auckland", "2026-09-26T23:00:00+12:00", "2026-09-27T06:00:00+13:00"},
	} {
		c := calendar(t, func(s *bot.Settings) {
			s.QuietHours, s.Zone, s.WorkdaysOnly, s.Holidays = tc.quiet, tc.zone, false, nil
		})
		at, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Move(at).Format(time.RFC3339); got != tc.want {
			t.Errorf("%s in %s: %s moves to %s, want %s", tc.quiet, tc.zone, tc.at, got, tc.want)
		}
	}
}

// After an incident two whole working days pass.
func TestQuietRestsWorkingDays(t *testing.T) {
	c, loc := calendar(t, nil), zone(t, "Europe/Amsterdam")
	for from, want := range map[string]string{
		"2026-09-01 11:00": "2026-09-03 11:00", "2026-09-03 11:00": "2026-09-07 11:00", "2026-09-04 20:00": "2026-09-09 08:00",
		"2026-04-02 11:00": "2026-04-08 11:00", // Good Friday, a weekend, Easter Monday
	} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", from, loc)
		if got := c.Quiet(at, 2).Format("2006-01-02 15:04"); got != want {
			t.Errorf("from %s: %s, want %s", from, got, want)
		}
	}
}

// Three months down with a round every minute is looked through in no time.
func TestMissedMinutes(t *testing.T) {
	start := time.Now()
	for _, change := range []func(*bot.Settings){minutes("* * * * *", "1m", "0"), minutes("* * * * *", "3m", "1m"), minutes("*/7 * * * *", "2m", "0")} {
		c := calendar(t, change)
		anchor := time.Date(2026, 9, 1, 7, 0, 0, 0, time.UTC)
		now := time.Date(2026, 12, 1, 11, 0, 20, 0, time.UTC)
		m, ask, next := c.Missed(anchor, anchor, now, time.Time{}, false)
		if now.Sub(m.Due) > 7*time.Minute || next.Due.Sub(now) > 7*time.Minute || !ask && now.Sub(m.Due) < 30*time.Second {
			t.Errorf("due %v ask %v next %v", m.Due, ask, next.Due)
		}
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("three months of minutes took %v", d)
	}
}

// However long and often the process is down, however the clock jumps: no due moment is asked twice, nothing is asked
// when it is quiet or past half of its window, and the team always gets a next moment.
func TestMissedAtRandomPoints(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for i, rhythm := range []bot.RhythmName{bot.RhythmWeekly, bot.RhythmFourBeat, bot.RhythmFortnightly, bot.RhythmMonthly, bot.RhythmCustom} {
		c := calendar(t, func(s *bot.Settings) {
			if s.Rhythm = rhythm; rhythm == bot.RhythmCustom {
				s.Cron, s.Window, s.GiveBackAfter = "0 9 * * MON,WED,SAT", "2d", "2h"
			}
		})
		anchor := time.Date(2026, 1, 5+i, 12, 0, 0, 0, time.UTC)
		now, last := anchor, time.Time{}
		planned := c.Next(anchor, now, last, false)
		asked := map[int64]bool{}
		for range 2000 {
			if now = now.Add(time.Duration(random.IntN(100)) * time.Hour); random.IntN(10) == 0 {
				now = now.Add(-time.Hour)
			}
			if random.IntN(4) == 0 {
				now = planned.Opens
			}
			if planned.Opens.After(now) {
				continue
			}
			m, ask, next := c.Missed(anchor, planned.Due, now, last, false)
			if next.Opens.IsZero() || !next.Due.After(m.Due) || m.Due.Before(planned.Due) {
				t.Fatalf("%s at %v: %+v then %+v", rhythm, now, m, next)
			}
			switch {
			case ask:
				if asked[m.Due.Unix()] || !c.Move(now).Equal(now) || m.Closes.Sub(now) < m.Closes.Sub(m.Opens)/2 || now.Before(last) {
					t.Fatalf("%s at %v: asked %+v", rhythm, now, m)
				}
				asked[m.Due.Unix()] = true
				planned, last = next, m.GivesBack
			case m.Opens.After(now):
				planned = m
			default:
				if !next.Opens.After(now) {
					t.Fatalf("%s at %v: next opens %v", rhythm, now, next.Opens)
				}
				planned = next
			}
		}
		if len(asked) < 20 {
			t.Errorf("%s: asked %d times", rhythm, len(asked))
		}
	}
}

// Every problem has its text in both languages, with the value and a next step in it.
func TestProblemsSayWhatToDo(t *testing.T) {
	s := defaults()
	s.Rhythm, s.Zone, s.QuietHours, s.Holidays, s.Cron = "daily", "Europe/Nergens", "laat", []string{"mars"}, "@daily"
	_, err := bot.ParseCalendar(s)
	many, ok := err.(interface{ Unwrap() []error })
	if !ok || len(many.Unwrap()) != 5 {
		t.Fatalf("all problems at once: %v", err)
	}
	for _, lang := range prompts.Langs() {
		for _, err := range many.Unwrap() {
			p, _ := errors.AsType[*bot.Problem](err)
			text := locale.Say(lang, p.Key, p.Pairs...)
			if text == p.Key || strings.ContainsAny(text, "{}") || strings.Count(text, ".") < 2 || !strings.Contains(text, p.Pairs[1]) {
				t.Errorf("%s %s: %q", lang, p.Key, text)
			}
		}
	}
	s = defaults()
	s.Zone = strings.Repeat("é", 5000)
	if _, err = bot.ParseCalendar(s); err == nil || len(err.Error()) > 300 || !utf8.ValidString(err.Error()) {
		t.Errorf("a long value is shortened: %d bytes", len(err.Error()))
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
