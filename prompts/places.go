package prompts

import (
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Place is where something stands in a file, from 1.
type Place struct{ Row, Column int }

// Places says where the entries of a library stand in the file that it was read from.
type Places map[string]Place

// put notes where a field stands, and its entry by its first field.
func (p Places) put(table, id, field string, row, column int) {
	for _, key := range []string{table + " " + id, table + " " + id + " " + field} {
		if _, there := p[key]; !there {
			p[key] = Place{row, column}
		}
	}
}

// Of is where a field of an entry stands; where the field is missing, where the entry does. False: nowhere. A field that
// is part of a table, and only named as a whole, is found by that.
func (p Places) Of(table, id, field string) (Place, bool) {
	for _, key := range []string{table + " " + id + " " + field, table + " " + id} {
		if at, ok := p[key]; ok {
			return at, true
		}
	}
	return Place{}, false
}

// tomlPlaces finds where the entries of a library file stand, in a file that was decoded before.
func tomlPlaces(raw []byte) Places {
	out := Places{}
	starts := []int{0}
	for i, c := range raw {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	at := func(r unstable.Range) (row, column int) {
		row, exact := slices.BinarySearch(starts, int(r.Offset))
		if exact {
			row++
		}
		return row, int(r.Offset) - starts[row-1] + 1
	}
	type found struct {
		field       string
		row, column int
	}
	var table, id string
	var fields []found
	flush := func() {
		for _, f := range fields {
			out.put(table, id, f.field, f.row, f.column)
		}
		fields = nil
	}
	parser := unstable.Parser{}
	parser.Reset(raw)
	var prefix []string
	for parser.NextExpression() {
		e := parser.Expression()
		var keys []string
		var first unstable.Range
		for it := e.Key(); it.Next(); {
			if len(keys) == 0 {
				first = it.Node().Raw
			}
			keys = append(keys, string(it.Node().Data))
		}
		row, column := at(first)
		switch e.Kind {
		case unstable.ArrayTable:
			if len(keys) == 1 {
				flush()
				table, id, prefix = keys[0], "", nil
				fields = append(fields, found{"", row, column})
			}
		case unstable.Table:
			switch {
			case len(keys) == 1:
				flush()
				table, id, prefix = keys[0], "", nil
			case len(keys) > 1 && keys[0] == table:
				prefix = keys[1:]
				fields = append(fields, found{strings.Join(prefix, "."), row, column})
			}
		case unstable.KeyValue:
			name := strings.Join(slices.Concat(prefix, keys), ".")
			if name == "id" {
				id = string(e.Value().Data)
			}
			fields = append(fields, found{name, row, column})
		}
	}
	flush()
	return out
}
