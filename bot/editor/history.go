package editor

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
)

// historyView is the page with every state of an entry.
type historyView struct {
	Key    bot.EntryKey
	Name   string
	Stamp  string
	States []pastState // newest first
	A, B   int         // what is compared
	Before string
	After  string
	Diff   []change
	May    bool
}

type pastState struct {
	N    int
	What string
	When string
	By   string
	Why  string
	Now  bool
	Last bool // of the comparison
	From bool
}

// change is one field that differs, with what went and what came marked.
type change struct {
	Name          string
	Before, After []piece
}

// piece is a run of words: kept, or only on this side.
type piece struct {
	Text string
	Only bool
}

func (e *Editor) history(v *visit) error { return v.historyPage(http.StatusOK, nil) }

func (v *visit) historyPage(status int, wrongs []wrong) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	entry, err := v.bot.Entry(ctx, key)
	if err != nil {
		return err
	}
	past, err := v.bot.EntryHistory(ctx, key)
	if err != nil {
		return err
	}
	d := historyView{Key: key, Name: nameOf(entry, v.lang), Stamp: entry.Stamp, May: !entry.ReadOnly}
	last := len(past) - 1
	at := func(name string, otherwise int) int {
		n, err := strconv.Atoi(v.r.URL.Query().Get(name))
		if err != nil || n < 0 || n > last {
			return max(0, otherwise)
		}
		return n
	}
	d.A, d.B = at("a", last-1), at("b", last)
	for n, p := range slices.Backward(past) {
		d.States = append(d.States, pastState{N: n, What: v.pastName(p.What), When: v.moment(p), By: v.byName(p.By), Why: p.Why, Now: n == last, From: n == d.A, Last: n == d.B})
	}
	if last > 0 {
		d.Before, d.After = v.stateName(past[d.A], d.A), v.stateName(past[d.B], d.B)
		d.Diff = v.changes(v.bot.Diff(past[d.A].Entry, past[d.B].Entry))
	}
	nav := "list"
	if entry.Prompt == nil {
		nav = "words"
	}
	v.show(status, "history", page{Title: v.say("web.history-of", "name", d.Name), Nav: nav, Wrong: wrongs, D: d})
	return nil
}

func (v *visit) stateName(p bot.Past, n int) string {
	return v.say("web.state", "number", strconv.Itoa(n+1), "when", v.moment(p))
}

func (v *visit) moment(p bot.Past) string {
	if p.At.IsZero() {
		return v.say("web.unknown")
	}
	return locale.Day(v.lang, p.At.Local())
}

// byName says who made a state, as far as its reader needs it: themselves, or somebody else.
func (v *visit) byName(by bot.ActorID) string {
	switch by {
	case "":
		return ""
	case v.s.editor:
		return v.say("web.by-you")
	}
	return v.say("web.by-other")
}

func (e *Editor) restore(v *visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(v.r.PostFormValue("n"))
	if err != nil || n < 0 {
		return errBadForm
	}
	_, err = v.bot.RestoreEntry(v.r.Context(), v.s.editor, key, n, v.r.PostFormValue("stamp"))
	var refused *bot.Refused
	switch {
	case errors.Is(err, bot.ErrConflict):
		return v.historyPage(http.StatusConflict, []wrong{{"", "", v.say("web.changed-look")}})
	case errors.As(err, &refused):
		var lines []wrong
		for _, s := range v.say2(refused.Problems, refused.Findings) {
			lines = append(lines, wrong{"", s.Label, s.Text})
		}
		return v.historyPage(http.StatusUnprocessableEntity, lines)
	case err != nil:
		return err
	}
	return v.back("restored", "entry", string(key.Kind), key.ID)
}

// updateView is the page on which a release's change and a local one are laid side by side.
type updateView struct {
	Key   bot.EntryKey
	Name  string
	Stamp string
	Base  bool // it is known what both began with
	Rows  []updateRow
	Clash []string
}

type updateRow struct {
	Name                    string
	Base, Mine, New, Merged string
	Clash                   bool
}

func (e *Editor) update(v *visit) error { return v.updatePage(http.StatusOK, nil) }

func (v *visit) updatePage(status int, wrongs []wrong) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	entry, err := v.bot.Entry(v.r.Context(), key)
	if err != nil {
		return err
	}
	u := entry.Update
	if u == nil {
		return v.sorry(http.StatusNotFound, "web.update-none")
	}
	d := updateView{Key: key, Name: nameOf(entry, v.lang), Stamp: entry.Stamp, Base: u.Base.Key.ID != ""}
	// What each side has in a field is what it differs in from what both began with; without that, from mine.
	from := u.Base
	if !d.Base {
		from = u.Mine
	}
	rows, order := map[string]*updateRow{}, []string{}
	add := func(changes []bot.FieldChange, set func(*updateRow, string)) {
		for _, c := range changes {
			if rows[c.Field] == nil {
				rows[c.Field] = &updateRow{Name: v.fieldName(c.Field), Base: c.Before, Mine: c.Before, New: c.Before, Merged: c.Before, Clash: slices.Contains(u.Clash, c.Field)}
				order = append(order, c.Field)
			}
			set(rows[c.Field], c.After)
		}
	}
	add(v.bot.Diff(from, u.Mine), func(r *updateRow, s string) { r.Mine = s })
	add(v.bot.Diff(from, u.New), func(r *updateRow, s string) { r.New = s })
	add(v.bot.Diff(from, u.Merged), func(r *updateRow, s string) { r.Merged = s })
	for _, name := range order {
		d.Rows = append(d.Rows, *rows[name])
	}
	for _, f := range u.Clash {
		d.Clash = append(d.Clash, v.fieldName(f))
	}
	nav := "list"
	if entry.Prompt == nil {
		nav = "words"
	}
	v.show(status, "update", page{Title: v.say("web.update-of", "name", d.Name), Nav: nav, Wrong: wrongs, D: d})
	return nil
}

func (e *Editor) settle(v *visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	take := v.r.PostFormValue("take")
	if !slices.Contains([]string{bot.TakeMine, bot.TakeNew, bot.TakeMerged}, take) {
		return errBadForm
	}
	_, err = v.bot.SettleUpdate(v.r.Context(), v.s.editor, key, take, v.r.PostFormValue("stamp"))
	var refused *bot.Refused
	switch {
	case errors.Is(err, bot.ErrConflict):
		return v.updatePage(http.StatusConflict, []wrong{{"", "", v.say("web.changed-look")}})
	case errors.As(err, &refused):
		var lines []wrong
		for _, s := range v.say2(refused.Problems, refused.Findings) {
			lines = append(lines, wrong{"", s.Label, s.Text})
		}
		return v.updatePage(http.StatusUnprocessableEntity, lines)
	case err != nil:
		return err
	}
	return v.back("settled", "entry", string(key.Kind), key.ID)
}

// changes puts fields that differ in the reader's words.
func (v *visit) changes(all []bot.FieldChange) []change {
	var out []change
	for _, c := range all {
		before, after := compare(c.Before, c.After)
		out = append(out, change{Name: v.fieldName(c.Field), Before: before, After: after})
	}
	return out
}

// compare marks the words that only one of two texts has, by their longest common row.
func compare(before, after string) (a, b []piece) {
	x, y := words(before), words(after)
	if len(x)*len(y) > 1<<20 { // a page of text at most; more is shown whole
		return whole(before), whole(after)
	}
	rest := make([][]int, len(x)+1)
	for i := range rest {
		rest[i] = make([]int, len(y)+1)
	}
	for i, s := range slices.Backward(x) {
		for j, t := range slices.Backward(y) {
			if s == t {
				rest[i][j] = rest[i+1][j+1] + 1
			} else {
				rest[i][j] = max(rest[i+1][j], rest[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			a, b = join(a, x[i], false), join(b, y[j], false)
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && rest[i+1][j] >= rest[i][j+1]:
			a = join(a, x[i], true)
			i++
		default:
			b = join(b, y[j], true)
			j++
		}
	}
	return a, b
}

func whole(s string) []piece {
	if s == "" {
		return nil
	}
	return []piece{{s, true}}
}

func join(all []piece, text string, only bool) []piece {
	if n := len(all); n > 0 && all[n-1].Only == only {
		all[n-1].Text += text
		return all
	}
	return append(all, piece{text, only})
}

// words parts a text in words, each with the spaces behind it.
func words(s string) []string {
	var out []string
	for s != "" {
		i := strings.IndexAny(s, " \n")
		if i < 0 {
			return append(out, s)
		}
		for i < len(s) && (s[i] == ' ' || s[i] == '\n') {
			i++
		}
		out, s = append(out, s[:i]), s[i:]
	}
	return out
}
