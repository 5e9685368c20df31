package prompts

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// table is the built-in library as a table, and its rows.
func table(t testing.TB, l Library) string {
	t.Helper()
	var out bytes.Buffer
	if err := EncodeCSV(&out, l); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What goes out to a spreadsheet comes back unchanged: the whole built-in library, and texts that a spreadsheet would
// calculate, split or trim.
func TestTableKeepsEverything(t *testing.T) {
	l := builtinLibrary(t)
	for i, title := range []string{"=1+1", "+31", "-nee", "@iedereen", "'s ochtends", "'=al een", "''@", "a;b,c\td", `"ja"`, "'"} {
		p := aDilemma(t)
		p.ID = ID("own-" + string(rune('a'+i)))
		p.NotFor, p.Season, p.Avoid, p.Onboarding, p.Image = []AudienceID{"permits"}, []int{1, 12}, []string{"elections"}, true,
			&Image{Path: "a.png", Alt: Text{Dutch: "-brug", English: "a bridge"}, Licence: "CC0-1.0"}
		words(func(w *Words) { w.Title, w.Followups = title, []string{title, "-x"} })(&p)
		l.Prompts = append(l.Prompts, p)
	}
	out := table(t, l)
	if !strings.HasPrefix(out, "\ufeffid;revision;") || !strings.Contains(out, "\r\n") {
		t.Errorf("begins with %.40q", out)
	}
	for line := range strings.SplitSeq(out, "\r\n") { // nothing that is calculated begins a cell
		for cell := range strings.SplitSeq(line, ";") {
			if strings.HasPrefix(strings.TrimPrefix(cell, `"`), "=") {
				t.Errorf("live: %.60s", cell)
			}
		}
	}
	got, places, err := ReadCSV(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Prompts) != len(l.Prompts) {
		t.Fatalf("%d of %d prompts", len(got.Prompts), len(l.Prompts))
	}
	for i := range got.Prompts {
		if !reflect.DeepEqual(got.Prompts[i], l.Prompts[i].Tidy()) || !Same(got.Prompts[i], l.Prompts[i]) {
			t.Errorf("%s changed:\n%+v\n%+v", l.Prompts[i].ID, got.Prompts[i], l.Prompts[i])
		}
	}
	if at, ok := places.Of("prompt", string(l.Prompts[2].ID), "nl.title"); !ok || at.Row != 4 || at.Column != 10 {
		t.Errorf("%+v", at)
	}
	if err := EncodeCSV(full{}, l); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// What spreadsheets make of a table is read as it was meant.
func TestTablesOfSpreadsheets(t *testing.T) {
	one := Library{Prompts: []Prompt{aDilemma(t).Tidy()}}
	plain := strings.TrimPrefix(table(t, one), "\ufeff")
	names, row, _ := strings.Cut(plain, "\r\n")
	columns := strings.Split(names, ";")
	for name, made := range map[string]string{
		"no mark, other line ends": strings.ReplaceAll(plain, "\r\n", "\n"), "empty rows behind": plain + strings.Repeat(";", len(columns)-1) + "\r\n\r\n",
		"names in capitals": strings.ToUpper(names) + "\r\n" + row,
		"a Dutch truth":     strings.Replace(plain, ";52;", ";52;", 1), "spaces": names + "\r\n " + row,
	} {
		got, err := DecodeCSV(strings.NewReader(made))
		if err != nil || len(got.Prompts) != 1 || !Same(got.Prompts[0], one.Prompts[0]) {
			t.Errorf("%s: %v %+v", name, err, got.Prompts)
		}
	}
	for _, separator := range []string{",", "\t"} {
		var parts []string
		for _, f := range promptFields() {
			parts = append(parts, `"`+f.get(one.Prompts[0])+`"`)
		}
		made := strings.Join(columns, separator) + "\n" + strings.Join(parts, separator)
		if got, err := DecodeCSV(strings.NewReader(made)); err != nil || !Same(got.Prompts[0], one.Prompts[0]) {
			t.Errorf("%q between cells: %v", separator, err)
		}
	}
	broken := one.Prompts[0].Tidy()
	words(func(w *Words) { w.Text = "Een regel\nen nog een." })(&broken)
	broken.Aftercare = true
	got, err := DecodeCSV(strings.NewReader(strings.Replace(table(t, Library{Prompts: []Prompt{broken}}), ";true;", ";WAAR;", 1)))
	if err != nil || got.Prompts[0].In(Dutch).Text != "Een regel en nog een." || !got.Prompts[0].Aftercare {
		t.Errorf("%v %+v", err, got)
	}
}

func TestTableRefuses(t *testing.T) {
	plain := table(t, Library{Prompts: []Prompt{aDilemma(t)}})
	names, row, _ := strings.Cut(plain, "\r\n")
	for name, c := range map[string]struct {
		raw         string
		row, column int
		want        string
	}{
		"nothing":           {"", 1, 1, "the first row names the columns"},
		"another table":     {"naam;leeftijd\nJan;12\n", 1, 1, `the column "naam" is unknown`},
		"a column missing":  {strings.Replace(names, ";themes", "", 1) + "\r\n", 1, 43, "the column themes is missing"},
		"a column twice":    {names + ";id\r\n", 1, 45, "the column id stands there twice"},
		"no number":         {strings.Replace(plain, ";52;", ";een jaar;", 1), 2, 32, `cooldown_weeks: "een jaar" is no whole number`},
		"neither":           {strings.Replace(plain, ";;;52;", ";;misschien;52;", 1), 2, 31, `onboarding: "misschien" is neither`},
		"the same id twice": {plain + row, 3, 1, "stands in row 2 too"},
		"behind the last":   {names + "\r\n" + strings.TrimRight(row, "\r\n") + ";;x\r\n", 2, 46, "behind the last column"},
		"a quotation mark":  {names + "\r\na;\"b\r\n", 2, 1, "a quotation mark is missing"},
		"other letters":     {"\xff\xfei\x00d\x00", 1, 1, "not in UTF-8"},
		"old letters":       {names + "\r\ncaf\xe9", 1, 1, "not in UTF-8"},
		"the program's own": {"PK\x03\x04aaaa", 1, 1, "spreadsheet's own file"},
	} {
		_, err := DecodeCSV(strings.NewReader(c.raw))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if at, ok := errors.AsType[SyntaxError](err); !ok || at.Row != c.row || at.Column != c.column {
			t.Errorf("%s: at %d, %d: %v", name, at.Row, at.Column, err)
		}
	}
	if _, err := DecodeCSV(bytes.NewReader(make([]byte, MaxFile+1))); !errors.Is(err, ErrLarge) {
		t.Error(err)
	}
	if _, err := DecodeCSV(strings.NewReader(names + "\r\n" + strings.Repeat(";x\r\n", 100000))); err == nil || strings.Count(err.Error(), "\n") > enoughProblems {
		t.Errorf("says too much or nothing: %.200v", err)
	}
}

func FuzzDecodeCSV(f *testing.F) {
	small := Library{Prompts: builtinLibrary(f).Prompts[:1]}
	plain := table(f, small)
	names, _, _ := strings.Cut(plain, "\r\n")
	f.Add([]byte(plain))
	for _, row := range []string{"=a;'1;", "a;1;\"b\nc\"", "'';-1;x", "\"", "a\tb", ";;;;;;;;;;;;;;;;\"\n\nx\""} {
		f.Add([]byte(names + "\n" + row))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := DecodeCSV(bytes.NewReader(raw))
		if err != nil {
			return
		}
		first := table(t, l)
		again, err := DecodeCSV(strings.NewReader(first))
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		same := slices.EqualFunc(l.Prompts, again.Prompts, func(a, b Prompt) bool { return Same(a.Tidy(), b.Tidy()) })
		if !same || table(t, again) != first {
			t.Fatalf("%+v\n%+v", l, again)
		}
	})
}

// A spreadsheet writes days its own way; they are read, and written as they were.
func TestTableReadsADutchDay(t *testing.T) {
	for cell, want := range map[string]string{"2026-09-08": "2026-09-08", "8-9-2026": "2026-09-08", "08-09-2026": "2026-09-08", "31-2-2026": "31-2-2026", "9/8/2026": "9/8/2026"} {
		p := aDilemma(t)
		p.NotBefore = "2026-09-28"
		got, err := DecodeCSV(strings.NewReader(strings.Replace(table(t, Library{Prompts: []Prompt{p}}), p.NotBefore, cell, 1)))
		if err != nil || got.Prompts[0].NotBefore != want {
			t.Errorf("%s: %q %v", cell, got.Prompts[0].NotBefore, err)
		}
	}
}
