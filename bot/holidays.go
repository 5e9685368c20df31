package bot

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"
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

// ParseHolidays reads one set of days from TOML: name; openings_only; easter, days counted from Easter Sunday; yearly,
// months and days as "11-11"; days, dates as 2026-09-15; and [[period]] tables with first and last. Unknown keys are
// refused. The error names what is wrong, with row and column where the file itself is.
func ParseHolidays(r io.Reader) (HolidaySet, error) {
	var file struct {
		Name         string           `toml:"name"`
		OpeningsOnly bool             `toml:"openings_only"`
		Easter       []int            `toml:"easter"`
		Yearly       []string         `toml:"yearly"`
		Days         []toml.LocalDate `toml:"days"`
		Period       []struct {
			First toml.LocalDate `toml:"first"`
			Last  toml.LocalDate `toml:"last"`
		} `toml:"period"`
	}
	if err := toml.NewDecoder(r).DisallowUnknownFields().Decode(&file); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
			row, column := strict.Errors[0].Position()
			return HolidaySet{}, fmt.Errorf("read holidays: row %d, column %d: unknown key %v", row, column, strict.Errors[0].Key())
		}
		if decode, ok := errors.AsType[*toml.DecodeError](err); ok {
			row, column := decode.Position()
			return HolidaySet{}, fmt.Errorf("read holidays: row %d, column %d: %w", row, column, err)
		}
		return HolidaySet{}, fmt.Errorf("read holidays: %w", err)
	}
	if file.Name == "" {
		return HolidaySet{}, errors.New("read holidays: name is missing; the settings refer to the set by it")
	}
	set := HolidaySet{Name: file.Name, Easter: file.Easter, OpeningsOnly: file.OpeningsOnly}
	var problems []error
	for _, n := range file.Easter {
		if n < -80 || n > 250 { // it would leave the year that it is looked up in
			problems = append(problems, fmt.Errorf("holidays %s: easter: %d lies outside -80 to 250", file.Name, n))
		}
	}
	for _, s := range file.Yearly {
		t, err := time.Parse("2006-01-02", "2024-"+s) // a leap year: 02-29 is a day
		if err != nil {
			problems = append(problems, fmt.Errorf("holidays %s: yearly: %q is no month and day such as \"11-11\"", file.Name, s))
			continue
		}
		set.Fixed = append(set.Fixed, MonthDay{t.Month(), t.Day()})
	}
	for _, d := range file.Days {
		set.Ranges = append(set.Ranges, DateRange{d.AsTime(time.UTC), d.AsTime(time.UTC)})
	}
	for i, p := range file.Period {
		first, last := p.First.AsTime(time.UTC), p.Last.AsTime(time.UTC)
		if p.First.Year == 0 || p.Last.Year == 0 || last.Before(first) {
			problems = append(problems, fmt.Errorf("holidays %s: period %d needs a first day and a last one not before it", file.Name, i+1))
		}
		set.Ranges = append(set.Ranges, DateRange{first, last})
	}
	if len(problems) > 0 {
		return HolidaySet{}, errors.Join(problems...)
	}
	return set, nil
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
