package bot

import (
	"slices"
	"time"
)

// HolidaySet is a named set of days on which nothing is posted.
type HolidaySet struct {
	Name   string
	Easter []int // days from Easter Sunday: -2 is Good Friday
	Fixed  []MonthDay
	Kings  bool // 27 April, or the 26th if the 27th is a Sunday
	Ranges []DateRange
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

func findHolidays(name string, sets []HolidaySet) (HolidaySet, bool) {
	for _, s := range append(slices.Clone(sets), builtinHolidays()...) {
		if s.Name == name {
			return s, true
		}
	}
	return HolidaySet{}, false
}

// Has says whether t's day, in t's own zone, belongs to the set.
func (s HolidaySet) Has(t time.Time) bool {
	year, month, day := t.Date()
	if slices.Contains(s.Fixed, MonthDay{month, day}) {
		return true
	}
	if s.Kings && month == time.April {
		kings := 27
		if time.Date(year, time.April, 27, 0, 0, 0, 0, time.UTC).Weekday() == time.Sunday {
			kings = 26
		}
		if day == kings {
			return true
		}
	}
	today := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	for _, n := range s.Easter {
		if easter(year).AddDate(0, 0, n).Equal(today) {
			return true
		}
	}
	for _, r := range s.Ranges {
		if !today.Before(r.First) && !today.After(r.Last) {
			return true
		}
	}
	return false
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
