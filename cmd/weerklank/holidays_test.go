package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseHolidays(t *testing.T) {
	set, err := parseHolidays(strings.NewReader(`
name = "limburg"
easter = [-48, -47]
yearly = ["11-11", "02-29"]
days = [2026-09-15, 2027-09-21]
[[period]]
first = 2026-12-19
last = 2027-01-03
`))
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]bool{
		"2026-02-16": true, "2026-02-17": true, "2026-02-18": false, "2030-11-11": true, "2028-02-29": true, "2026-09-15": true, "2026-09-16": false,
		"2027-09-21": true, "2026-12-18": false, "2026-12-19": true, "2027-01-01": true, "2027-01-03": true, "2027-01-04": false,
	} {
		at, _ := time.Parse(time.DateOnly, day)
		if set.Has(at.Add(23*time.Hour)) != want {
			t.Errorf("%s: want %v", day, want)
		}
	}
	for _, tc := range []struct{ file, want string }{
		{"", "name is missing"},
		{"name = \"x\"\ncolour = 3", "row 2, column 1"},
		{"name = \"x\"\ndays = [2026-02-30]", "row 2"},
		{"\ufeffname = 3", "row 1, column 8: name cannot have a value of this kind"},
		{"name = \"x\"\n[[period]]\nfirst = \"monday\"", "row 3, column 9: period.first cannot have a value of this kind"},
		{"name = \"x\"\nyearly = [\"31-12\", \"soon\"]", "\"soon\""},
		{"name = \"x\"\neaster = [-300]", "-300"},
		{"name = \"x\"\n[[period]]\nfirst = 2026-02-03\nlast = 2026-02-01", "period 1"},
		{"name = \"x\"\n[[period]]\nfirst = 2026-02-03", "period 1"},
		{"name = \"x", "row 1"},
	} {
		if _, err := parseHolidays(strings.NewReader(tc.file)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.file, err, tc.want)
		}
	}
}
