package prompts

import (
	"errors"
	"io"
)

// EncodeCSV writes the library's prompts as a table that a spreadsheet opens: one row per prompt, a column per field and
// language.
func EncodeCSV(w io.Writer, l Library) error { return errors.New("not yet") }

// DecodeCSV reads what EncodeCSV writes, or a spreadsheet made of it. It is strict: its error holds a SyntaxError for
// each problem.
func DecodeCSV(r io.Reader) (Library, error) { return Library{}, errors.New("not yet") }
