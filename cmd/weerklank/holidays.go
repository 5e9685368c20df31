package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/weerklank/weerklank/bot"
)

// loadHolidays reads the organisation's own days; file names count from the folder of the configuration.
func (c *config) loadHolidays(folder string) error {
	for _, name := range c.Organisation.HolidayFiles {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		set, err := parseHolidays(io.LimitReader(f, 1<<20))
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.holidays = append(c.holidays, set)
	}
	return nil
}

// parseHolidays reads one set of days from TOML: name; openings_only; easter, days counted from Easter Sunday; yearly,
// months and days as "11-11"; days, dates as 2026-09-15; and [[period]] tables with first and last. Unknown keys are
// refused. The error names what is wrong, with row and column where the file itself is.
func parseHolidays(r io.Reader) (bot.HolidaySet, error) {
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
	raw, err := io.ReadAll(r)
	if err != nil {
		return bot.HolidaySet{}, fmt.Errorf("read holidays: %w", err)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // some editors put a mark before the text
	if err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(&file); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
			row, column := strict.Errors[0].Position()
			return bot.HolidaySet{}, fmt.Errorf("read holidays: row %d, column %d: unknown key %v", row, column, strict.Errors[0].Key())
		}
		if decode, ok := errors.AsType[*toml.DecodeError](err); ok {
			row, column := decode.Position()
			if toml.Unmarshal(raw, new(map[string]any)) == nil { // it is TOML, so that the value is of another kind
				return bot.HolidaySet{}, fmt.Errorf("read holidays: row %d, column %d: %s cannot have a value of this kind", row, column, strings.Join(decode.Key(), "."))
			}
			return bot.HolidaySet{}, fmt.Errorf("read holidays: row %d, column %d: %w", row, column, err)
		}
		return bot.HolidaySet{}, fmt.Errorf("read holidays: %w", err)
	}
	if file.Name == "" {
		return bot.HolidaySet{}, errors.New("read holidays: name is missing; the settings refer to the set by it")
	}
	set := bot.HolidaySet{Name: file.Name, Easter: file.Easter, OpeningsOnly: file.OpeningsOnly}
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
		set.Fixed = append(set.Fixed, bot.MonthDay{Month: t.Month(), Day: t.Day()})
	}
	for _, d := range file.Days {
		set.Ranges = append(set.Ranges, bot.DateRange{First: d.AsTime(time.UTC), Last: d.AsTime(time.UTC)})
	}
	for i, p := range file.Period {
		first, last := p.First.AsTime(time.UTC), p.Last.AsTime(time.UTC)
		if p.First.Year == 0 || p.Last.Year == 0 || last.Before(first) {
			problems = append(problems, fmt.Errorf("holidays %s: period %d needs a first day and a last one not before it", file.Name, i+1))
		}
		set.Ranges = append(set.Ranges, bot.DateRange{First: first, Last: last})
	}
	if len(problems) > 0 {
		return bot.HolidaySet{}, errors.Join(problems...)
	}
	return set, nil
}
