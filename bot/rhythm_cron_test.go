package bot

import (
	"math/rand/v2"
	"testing"
	"time"
)

func place(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func mustParse(t testing.TB, layout, s string) time.Time {
	t.Helper()
	at, err := time.Parse(layout, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

const clockLayout = "2006-01-02 15:04"

// A time on the wall gives one instant: the end of the gap when the clocks skip it, the first time when they repeat it.
func TestOnClock(t *testing.T) {
	for _, tc := range []struct{ zone, clock, want string }{
		{"Europe/Amsterdam", "2026-03-29 01:59", "2026-03-29T01:59:00+01:00"},
		{"Europe/Amsterdam", "2026-03-29 02:00", "2026-03-29T03:00:00+02:00"},
		{"Europe/Amsterdam", "2026-03-29 02:30", "2026-03-29T03:00:00+02:00"},
		{"Europe/Amsterdam", "2026-03-29 03:00", "2026-03-29T03:00:00+02:00"},
		{"Europe/Amsterdam", "2026-03-29 10:00", "2026-03-29T10:00:00+02:00"},
		{"Europe/Amsterdam", "2026-03-28 10:00", "2026-03-28T10:00:00+01:00"},
		{"Europe/Amsterdam", "2026-10-25 01:59", "2026-10-25T01:59:00+02:00"},
		{"Europe/Amsterdam", "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"},
		{"Europe/Amsterdam", "2026-10-25 03:00", "2026-10-25T03:00:00+01:00"},
		{"America/New_York", "2026-03-08 02:30", "2026-03-08T03:00:00-04:00"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T01:30:00-04:00"},
		{"America/New_York", "2026-11-01 02:00", "2026-11-01T02:00:00-05:00"},
		{"Pacific/Auckland", "2026-09-27 02:15", "2026-09-27T03:00:00+13:00"},
		{"Pacific/Auckland", "2026-04-05 02:15", "2026-04-05T02:15:00+13:00"},
		{"Pacific/Auckland", "2026-04-05 03:00", "2026-04-05T03:00:00+12:00"},
		{"America/Santiago", "2026-09-06 00:00", "2026-09-06T01:00:00-03:00"}, // a day without midnight
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-04T02:30:00+11:00"},
		{"Pacific/Apia", "2011-12-30 12:00", "2011-12-31T00:00:00+14:00"}, // a day that was not there
		{"Asia/Kolkata", "2026-03-29 02:30", "2026-03-29T02:30:00+05:30"},
		{"America/Curacao", "2026-10-25 02:30", "2026-10-25T02:30:00-04:00"},
		{"UTC", "2026-10-25 02:30", "2026-10-25T02:30:00Z"},
	} {
		got := onClock(mustParse(t, clockLayout, tc.clock), place(t, tc.zone))
		if got.Format(time.RFC3339) != tc.want {
			t.Errorf("%s %s: %s, want %s", tc.zone, tc.clock, got.Format(time.RFC3339), tc.want)
		}
	}
}

// Through both changes of the clocks every spec goes forward, misses no day and fires once in the hour that comes twice.
func TestDueThroughChangesOfTheClocks(t *testing.T) {
	for _, tc := range []struct {
		zone, from string
		spec       string
		want       []string
	}{
		{"Europe/Amsterdam", "2026-03-29 01:10", "*/20 * * * *", []string{"01:20 +01", "01:40 +01", "03:00 +02", "03:20 +02"}},
		{"Europe/Amsterdam", "2026-10-25 01:30", "30 * * * *", []string{"02:30 +02", "03:30 +01", "04:30 +01"}},
		{"Europe/Amsterdam", "2026-03-28 12:00", "30 3 * * *", []string{"03:30 +02", "03:30 +02"}},
		{"Europe/Amsterdam", "2026-03-28 12:00", "0 */2 * * *", []string{"14:00 +01", "16:00 +01", "18:00 +01", "20:00 +01", "22:00 +01", "00:00 +01", "03:00 +02", "04:00 +02"}},
		{"America/New_York", "2026-10-31 12:00", "30 1 * * *", []string{"01:30 EDT", "01:30 EST"}},
		{"America/Santiago", "2026-09-05 12:00", "0 0 * * *", []string{"01:00 -03", "00:00 -03"}},
		{"Pacific/Auckland", "2026-04-03 12:00", "0 10 * * *", []string{"10:00 NZDT", "10:00 NZST", "10:00 NZST"}},
	} {
		spec, wrong := parseSpec(tc.spec)
		if wrong != "" {
			t.Fatal(tc.spec, wrong)
		}
		zone := place(t, tc.zone)
		at := onClock(mustParse(t, clockLayout, tc.from), zone)
		for i, want := range tc.want {
			next := nextOnClock(spec, at, zone)
			got := next.Format("15:04 MST")
			if tc.zone == "Europe/Amsterdam" {
				got = next.Format("15:04 -07")
			}
			if got != want || !next.After(at) {
				t.Errorf("%s %q: due moment %d is %v, want %s", tc.zone, tc.spec, i, next, want)
			}
			at = next
		}
	}
}

// From an instant inside the repeated hour, or after the clock of the machine was set back, a moment that was due
// before it does not come again.
func TestTheRepeatedHourIsNotDueTwice(t *testing.T) {
	zone := place(t, "Europe/Amsterdam")
	spec, _ := parseSpec("*/15 * * * *")
	second := time.Date(2026, 10, 25, 1, 10, 0, 0, time.UTC) // 02:10 in winter time
	if got := nextOnClock(spec, second, zone); !got.Equal(time.Date(2026, 10, 25, 2, 0, 0, 0, time.UTC)) {
		t.Errorf("due %v", got)
	}
	seen := map[string]bool{}
	end := time.Date(2026, 10, 25, 6, 0, 0, 0, time.UTC)
	for at := time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC); at.Before(end); {
		at = nextOnClock(spec, at, zone)
		if clock := at.Format(clockLayout); seen[clock] {
			t.Errorf("%s twice", clock)
		} else {
			seen[clock] = true
		}
	}
}

// The number of a due moment is what counting one by one gives.
func TestCountOnClock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, text := range []string{"* * * * *", "*/7 8-17/3 * * MON,THU", "0 10 * * TUE", "30 9 1,15 * *", "0 0 31 * *", "5,10 23 * 2,7 *", "59 23 ? * SUN"} {
		spec, wrong := parseSpec(text)
		if wrong != "" {
			t.Fatal(text, wrong)
		}
		for range 20 {
			anchor := time.Date(2026, time.Month(1+random.IntN(12)), 1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(2)*30, 0, time.UTC)
			want, clock := 0, spec.Next(anchor.Add(-time.Nanosecond))
			for range random.IntN(3000) {
				clock = spec.Next(clock)
				want++
			}
			if got := countOnClock(spec, anchor, clock); got != want {
				t.Errorf("%q from %v to %v: %d, want %d", text, anchor, clock, got, want)
			}
		}
	}
}

// A spec is refused or due within a year, and never panics or runs for long.
func FuzzCron(f *testing.F) {
	for _, s := range []string{"0 10 * * TUE", "TZ=", "TZ=0", "CRON_TZ=Europe/Amsterdam", "CRON_TZ= * * * * *", "0 9 31 2 *", "0 9 29 2 *", "@every -1s", "*/5 * * * *",
		"0 10 1 * TUE", "30 2 * * *", "0-59/7 8-17 * 1,6 MON-FRI", ", * * * *", "* , * * *", "* * , * *", "*/9223372036854775807 * * * *", "? ? ? ? ?", "\x00 * * * *", "0 10 * * 7"} {
		f.Add(s)
	}
	zone := place(f, "Europe/Amsterdam")
	f.Fuzz(func(t *testing.T, text string) {
		spec, wrong := parseSpec(text)
		if (spec == nil) == (wrong == "") {
			t.Fatalf("%q: %v %q", text, spec, wrong)
		}
		if spec == nil {
			return
		}
		for _, from := range []time.Time{time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC), time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)} {
			if due := nextOnClock(spec, from, zone); !due.After(from) || due.After(from.AddDate(1, 0, 1)) {
				t.Fatalf("%q: after %v due %v", text, from, due)
			}
		}
	})
}
