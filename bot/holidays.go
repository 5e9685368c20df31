package bot

import (
	"slices"
	"time"
)

// HolidaySet is a named set of days on which nothing is posted.
type HolidaySet struct {
	Name         string
	Easter       []int // days from Easter Sunday: -2 is Good Friday
	Fixed        []MonthDay
	Kings        bool // 27 April, or the 26th if the 27th is a Sunday
	Ranges       []DateRange
	OpeningsOnly bool // rounds that are open go on; only no new one begins (school holidays, PRACTICE 17)
}

// MonthDay is a day that returns every year.
type MonthDay struct {
	Month time.Month
	Day   int
}

// DateRange is a stretch of days, first and last included (midnight UTC): school holidays, a carnival week.
type DateRange struct{ First, Last time.Time }

// builtinHolidays are the Dutch days (PRACTICE 17), with and without Good Friday.
func builtinHolidays() []HolidaySet {
	fixed := []MonthDay{{time.January, 1}, {time.May, 5}, {time.December, 25}, {time.December, 26}}
	return []HolidaySet{
		{Name: "nl", Easter: []int{-2, 1, 39, 50}, Fixed: fixed, Kings: true},
		{Name: "nl-without-good-friday", Easter: []int{1, 39, 50}, Fixed: fixed, Kings: true},
	}
}

// Has says whether t's day, in t's own zone, belongs to the set.
func (s HolidaySet) Has(t time.Time) bool {
	year, month, day := t.Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if slices.Contains(s.Fixed, MonthDay{month, day}) || s.Kings && today.Equal(kingsDay(year)) {
		return true
	}
	if len(s.Easter) > 0 {
		if n := today.Sub(easter(year)) / (24 * time.Hour); slices.Contains(s.Easter, int(n)) {
			return true
		}
	}
	return slices.ContainsFunc(s.Ranges, func(r DateRange) bool { return !today.Before(r.First) && !today.After(r.Last) })
}

func kingsDay(year int) time.Time {
	day := time.Date(year, time.April, 27, 0, 0, 0, 0, time.UTC)
	if day.Weekday() == time.Sunday {
		return day.AddDate(0, 0, -1)
	}
	return day
}

// easter gives Easter Sunday of the Gregorian calendar (the anonymous algorithm published in Nature, 1876).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month := (h + l - 7*m + 114) / 31
	day := (h+l-7*m+114)%31 + 1
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}
