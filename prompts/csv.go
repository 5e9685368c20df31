package prompts

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A table starts with the mark by which spreadsheets know UTF-8. It is written with semicolons: a Dutch spreadsheet opens
// nothing else by a double click, the others ask.
const (
	utf8Mark  = "\ufeff"
	separator = ';'
)

// formula is the beginning of a cell that a spreadsheet would calculate, behind any apostrophes that were put there.
var formula = regexp.MustCompile(`^'*[=+\-@\t\r]`)

// EncodeCSV writes the library's prompts as a table that a spreadsheet opens: one row per prompt, a column per field and
// language. A cell that a spreadsheet would calculate gets an apostrophe before it, which DecodeCSV takes away.
func EncodeCSV(w io.Writer, l Library) error {
	out := bufio.NewWriter(w)
	out.WriteString(utf8Mark)
	fields := promptFields()
	row := make([]string, len(fields))
	for i, f := range fields {
		row[i] = f.name
	}
	writeRow(out, row)
	for _, p := range l.Prompts {
		for i, f := range fields {
			row[i] = f.get(p)
		}
		writeRow(out, row)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// writeRow quotes whatever any program could take for more than one cell, whichever separator it believes in.
func writeRow(w *bufio.Writer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			w.WriteRune(separator)
		}
		if formula.MatchString(cell) {
			cell = "'" + cell
		}
		if strings.ContainsAny(cell, ",;\t\"\r\n") || strings.TrimSpace(cell) != cell {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		w.WriteString(cell)
	}
	w.WriteString("\r\n")
}

// DecodeCSV reads what EncodeCSV writes, or what a spreadsheet made of it: commas, semicolons or tabs between cells, the
// columns in any order. It is strict: a missing, double or unknown column, or a cell that is no value of its field, gives
// an error that holds a SyntaxError for each. Rows are counted as a spreadsheet does, the names being row 1. A line break
// inside a sentence counts as a space.
func DecodeCSV(r io.Reader) (Library, error) {
	l, _, err := ReadCSV(r)
	return l, err
}

// ReadCSV is DecodeCSV that also says in which rows the entries stand.
func ReadCSV(r io.Reader) (Library, Places, error) {
	raw, err := readAll(r)
	if err == nil {
		var rows [][]string
		if rows, err = tableRows(raw); err == nil {
			l, places, err := promptsOf(rows)
			if err != nil {
				err = fmt.Errorf("read table: %w", err)
			}
			return l, places, err
		}
	}
	return Library{}, nil, fmt.Errorf("read table: %w", err)
}

// maxCells is how many cells a table may have: ten times those of two thousand prompts. A file of separators alone would
// take far more memory than its size.
const maxCells = 1_000_000

// tableRows splits a table into cells.
func tableRows(raw []byte) ([][]string, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")), !utf8.Valid(raw):
		return nil, syntax(1, 1, "the file is not in UTF-8; save it as CSV UTF-8")
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return nil, syntax(1, 1, "this is a spreadsheet's own file; save it as CSV UTF-8")
	}
	raw = bytes.TrimPrefix(raw, []byte(utf8Mark))
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	comma := separatorOf(string(first))
	if bytes.Count(raw, []byte(string(comma)))+bytes.Count(raw, []byte("\n")) > maxCells { // of them texts may hold a few
		return nil, syntax(1, 1, "the table has more than %d cells; take out the empty rows and columns, or split it", maxCells)
	}
	in := csv.NewReader(bytes.NewReader(raw))
	in.FieldsPerRecord = -1
	in.Comma = comma
	var rows [][]string
	for {
		row, err := in.Read()
		if err == io.EOF {
			return rows, nil
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, syntax(len(rows)+1, 1, "line %d of the file: a quotation mark is missing or too many; save it from a spreadsheet as CSV UTF-8", e.Line)
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// separatorOf is what stands most between the names of the columns.
func separatorOf(names string) rune {
	best, most := separator, 0
	for _, r := range ";,\t" {
		if n := strings.Count(names, string(r)); n > most {
			best, most = r, n
		}
	}
	return best
}

// enoughProblems is how many problems of a table are told; whoever has more has another kind of file.
const enoughProblems = 50

// promptsOf reads rows of cells, of which the first names the columns.
func promptsOf(rows [][]string) (Library, Places, error) {
	if len(rows) == 0 {
		return Library{}, nil, syntax(1, 1, "the table is empty; the first row names the columns")
	}
	fields := promptFields()
	columns, problems := columnsOf(rows[0], fields)
	if len(problems) > 0 {
		return Library{}, nil, errors.Join(problems...)
	}
	var l Library
	places, seen := Places{}, map[ID]int{}
	for n, row := range rows[1:] {
		if !slices.ContainsFunc(row, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			continue // spreadsheets leave empty rows behind
		}
		var p Prompt
		for i, cell := range row {
			if i >= len(columns) {
				if strings.TrimSpace(cell) != "" {
					problems = append(problems, syntax(n+2, i+1, "there is something behind the last column; take it out"))
				}
				continue
			}
			f := fields[columns[i]]
			if err := f.set(&p, plainCell(f.name, cell)); err != nil {
				problems = append(problems, at(n+2, i+1, f.name, err))
			}
		}
		if before, twice := seen[p.ID]; twice && p.ID != "" {
			problems = append(problems, syntax(n+2, 1, "id: %.60q stands in row %d too; an id is used once", string(p.ID), before))
		}
		seen[p.ID] = n + 2
		for i, c := range columns {
			places.put("prompt", string(p.ID), fields[c].name, n+2, i+1)
		}
		l.Prompts = append(l.Prompts, p)
		if len(problems) >= enoughProblems {
			break
		}
	}
	return l, places, errors.Join(problems...)
}

// at is what is wrong with a cell.
func at(row, column int, name string, err error) SyntaxError {
	if e, ok := errors.AsType[SyntaxError](err); ok {
		return SyntaxError{row, column, name + ": " + e.Problem, name + ": " + e.In(Dutch)}
	}
	return SyntaxError{Row: row, Column: column, Problem: name + ": " + err.Error()}
}

// columnsOf says which field each column holds.
func columnsOf(names []string, fields []field[Prompt]) (columns []int, problems []error) {
	for i, name := range names {
		name = strings.TrimSpace(name)
		at := slices.IndexFunc(fields, func(f field[Prompt]) bool { return strings.EqualFold(f.name, name) })
		switch {
		case at < 0:
			problems = append(problems, syntax(1, i+1, "the column %.40q is unknown; export the library and keep its first row", name))
		case slices.Contains(columns, at):
			problems = append(problems, syntax(1, i+1, "the column %s stands there twice; take one out", name))
		}
		columns = append(columns, at)
		if len(problems) >= enoughProblems {
			return nil, problems
		}
	}
	for at, f := range fields {
		if !slices.Contains(columns, at) {
			problems = append(problems, syntax(1, len(names), "the column %s is missing; export the library and keep its first row", f.name))
		}
	}
	return columns, problems
}

// plainCell is a cell without what a spreadsheet asked for.
func plainCell(name, cell string) string {
	if formula.MatchString(cell) {
		cell = strings.TrimPrefix(cell, "'")
	}
	cell = strings.ReplaceAll(strings.ReplaceAll(cell, "\r\n", "\n"), "\r", "\n")
	if !strings.HasSuffix(name, ".followups") {
		cell = strings.ReplaceAll(strings.TrimSpace(cell), "\n", " ")
	}
	if name == "not_before" { // a Dutch spreadsheet writes a day so
		if day, err := time.Parse("2-1-2006", cell); err == nil {
			return day.Format(time.DateOnly)
		}
	}
	return cell
}
