package editor

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// planned is an import that its editor looks at.
type planned struct {
	id   string
	lib  prompts.Library
	plan bot.ImportPlan
}

// exchangeView is the page with import and export.
type exchangeView struct {
	Text   string // pasted
	Broken []string
	Plan   *planView
}

// planView says what an import would do.
type planView struct {
	ID      string
	New     []planEntry
	Changed []planEntry
	Same    int
	Refused []refusal
	Can     bool
}

type planEntry struct {
	Name, Kind, ID string
	Link           string
	Changes        []change
}

type refusal struct{ Entry, Field, Text string }

func (e *Editor) exchange(v *visit) error {
	v.show(http.StatusOK, "exchange", page{Title: v.say("web.exchange"), Nav: "exchange", D: exchangeView{}})
	return nil
}

// export hands out the library as a file: everything in its newest state, drafts included.
func (e *Editor) export(v *visit) error {
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	l := c.Library
	l.Tensions, l.Values, l.Audiences, l.Prompts = nil, nil, nil, nil
	for _, entry := range c.Entries {
		switch {
		case entry.Tension != nil:
			l.Tensions = append(l.Tensions, *entry.Tension)
		case entry.Value != nil:
			l.Values = append(l.Values, *entry.Value)
		case entry.Audience != nil:
			l.Audiences = append(l.Audiences, *entry.Audience)
		case entry.Prompt != nil:
			l.Prompts = append(l.Prompts, *entry.Prompt)
		}
	}
	var out bytes.Buffer
	name, kind := "weerklank-library.toml", "application/toml; charset=utf-8"
	switch v.r.PathValue("file") {
	case "library.toml":
		err = prompts.Encode(&out, l)
	case "library.csv":
		name, kind = "weerklank-library.csv", "text/csv; charset=utf-8"
		err = prompts.EncodeCSV(&out, l)
	default:
		return bot.ErrNotFound
	}
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.w.Write(out.Bytes())
	return nil
}

// plan reads a file and says what its import would do. Nothing is changed.
func (e *Editor) plan(v *visit) error {
	raw, name, err := upload(v.r)
	if err != nil {
		return err
	}
	d := exchangeView{}
	if name == "" {
		d.Text = string(raw)
	}
	broken := func(lines ...string) error {
		d.Broken = lines
		var wrongs []wrong
		for _, line := range lines[:min(len(lines), 50)] {
			wrongs = append(wrongs, wrong{"", "", line})
		}
		v.show(http.StatusUnprocessableEntity, "exchange", page{Title: v.say("web.exchange"), Nav: "exchange", Wrong: wrongs, D: d})
		return nil
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return broken(v.say("web.import-empty"))
	}
	many := v.say("web.import-many", "most", strconv.Itoa(maxEntries))
	if bytes.Count(raw, []byte("[["))+bytes.Count(raw, []byte("{")) > 20*maxEntries { // what that would be is not even read
		return broken(many)
	}
	var lib prompts.Library
	if table(name, raw) {
		lib, err = prompts.DecodeCSV(bytes.NewReader(raw))
	} else {
		lib, err = prompts.Decode(bytes.NewReader(raw))
	}
	if err != nil {
		return broken(v.syntax(err)...)
	}
	if len(lib.Tensions)+len(lib.Values)+len(lib.Audiences)+len(lib.Prompts) > maxEntries {
		return broken(many)
	}
	return v.planPage(http.StatusOK, lib, d)
}

// planPage shows a plan for what was read, and keeps it until it is applied.
func (v *visit) planPage(status int, lib prompts.Library, d exchangeView, wrongs ...wrong) error {
	plan, err := v.bot.PlanImport(v.r.Context(), lib)
	if err != nil {
		return err
	}
	keep := &planned{id: rand.Text(), lib: lib, plan: plan}
	view := &planView{ID: keep.id, Same: plan.Same, Can: len(plan.Refused) == 0 && len(plan.New)+len(plan.Changed) > 0}
	one := func(entry bot.Entry) planEntry {
		return planEntry{Name: nameOf(entry, v.lang), Kind: v.kindName(entry.Key.Kind), ID: entry.Key.ID}
	}
	for _, entry := range plan.New {
		view.New = append(view.New, one(entry))
	}
	for _, c := range plan.Changed {
		p := one(c.After)
		p.Link, p.Changes = v.link("entry", string(c.After.Key.Kind), c.After.Key.ID), v.changes(c.Fields)
		view.Changed = append(view.Changed, p)
	}
	for _, r := range plan.Refused {
		x := refusal{Text: r.Text.In(v.lang)}
		if r.Key.ID != "" {
			x.Entry = v.kindName(r.Key.Kind) + " " + r.Key.ID
		}
		if r.Field != "" {
			x.Field = v.fieldName(r.Field)
		}
		view.Refused = append(view.Refused, x)
	}
	v.s.mu.Lock()
	v.s.plan = nil
	if view.Can {
		v.s.plan = keep
	}
	v.s.mu.Unlock()
	d.Plan = view
	if len(view.Refused) > 0 && status == http.StatusOK {
		status = http.StatusUnprocessableEntity
	}
	v.show(status, "exchange", page{Title: v.say("web.plan"), Nav: "exchange", Wrong: wrongs, D: d})
	return nil
}

// apply does what the plan on the page says.
func (e *Editor) apply(v *visit) error {
	v.s.mu.Lock()
	plan := v.s.plan
	v.s.mu.Unlock()
	if plan == nil || plan.id != v.r.PostFormValue("plan") {
		return v.sorry(http.StatusConflict, "web.plan-gone")
	}
	err := v.bot.ApplyImport(v.r.Context(), v.s.editor, plan.plan)
	if errors.Is(err, bot.ErrConflict) { // what it would do now is another thing: it is shown anew
		return v.planPage(http.StatusConflict, plan.lib, exchangeView{}, wrong{"", "", v.say("web.plan-stale")})
	}
	if refused, ok := errors.AsType[*bot.Refused](err); ok {
		var lines []wrong
		for _, s := range v.say2(refused.Problems, refused.Findings) {
			lines = append(lines, wrong{"", s.Label, s.Text})
		}
		v.show(http.StatusUnprocessableEntity, "exchange", page{Title: v.say("web.exchange"), Nav: "exchange", Wrong: lines, D: exchangeView{}})
		return nil
	}
	if err != nil {
		return err
	}
	v.s.mu.Lock()
	v.s.plan = nil
	v.s.mu.Unlock()
	return v.back("imported", "")
}

// upload is the file that was sent, or the text that was pasted.
func upload(r *http.Request) ([]byte, string, error) {
	f, head, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return []byte(strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")), "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxImport))
	if head.Size == 0 && head.Filename == "" || len(raw) == 0 {
		return []byte(strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")), "", err
	}
	return raw, head.Filename, err
}

// table says whether a file is a spreadsheet's: by its name, or else by how it begins.
func table(name string, raw []byte) bool {
	switch name = strings.ToLower(name); {
	case strings.HasSuffix(name, ".csv"), strings.HasSuffix(name, ".tsv"):
		return true
	case strings.HasSuffix(name, ".toml"):
		return false
	}
	line, _, _ := bytes.Cut(bytes.TrimPrefix(raw, []byte("\ufeff")), []byte("\n"))
	return !bytes.Contains(line, []byte("=")) && !bytes.HasPrefix(line, []byte("[")) && !bytes.HasPrefix(line, []byte("#")) && bytes.ContainsAny(line, ",;\t")
}

// syntax says what cannot be read in a file, with the place.
func (v *visit) syntax(err error) []string {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, one := range all.Unwrap() {
			out = append(out, v.syntax(one)...)
		}
		return out
	}
	if s, ok := err.(prompts.SyntaxError); ok {
		return []string{v.say("web.syntax", "row", strconv.Itoa(s.Row), "column", strconv.Itoa(s.Column), "problem", v.broken(s))}
	}
	if inner := errors.Unwrap(err); inner != nil {
		return v.syntax(inner)
	}
	return []string{err.Error()}
}

// broken says in the reader's language what the readers of files say in English. What it does not know stays as they have it.
func (v *visit) broken(s prompts.SyntaxError) string {
	if v.lang == prompts.English {
		return s.Problem
	}
	for _, known := range []struct {
		english *regexp.Regexp
		key     string
	}{
		{brokenKey, "web.broken-key"}, {brokenType, "web.broken-type"}, {brokenUTF8, "web.broken-utf8"}, {brokenBook, "web.broken-book"},
		{brokenQuote, "web.broken-quote"}, {brokenEmpty, "web.broken-empty"}, {brokenBehind, "web.broken-behind"}, {brokenColumn, "web.broken-column"},
		{brokenTwice, "web.broken-twice"}, {brokenID, "web.broken-id"}, {brokenMissing, "web.broken-missing"}, {brokenNumber, "web.broken-number"},
		{brokenTruth, "web.broken-truth"},
	} {
		if m := known.english.FindStringSubmatch(s.Problem); m != nil {
			var pairs []string
			for i, name := range known.english.SubexpNames() {
				if name != "" {
					pairs = append(pairs, name, m[i])
				}
			}
			return v.say(known.key, pairs...)
		}
	}
	return s.In(v.lang)
}

// What the readers of files say, of what an editor can do wrong.
var (
	brokenKey     = regexp.MustCompile(`^unknown key (?P<name>.+)$`)
	brokenType    = regexp.MustCompile(`^this is a TOML (?P<got>\w+); write (?P<want>.+)$`)
	brokenUTF8    = regexp.MustCompile(`^the file is not in UTF-8`)
	brokenBook    = regexp.MustCompile(`^this is a spreadsheet's own file`)
	brokenQuote   = regexp.MustCompile(`^line (?P<line>\d+) of the file: a quotation mark`)
	brokenEmpty   = regexp.MustCompile(`^the table is empty`)
	brokenBehind  = regexp.MustCompile(`^there is something behind the last column`)
	brokenColumn  = regexp.MustCompile(`^the column (?P<name>.+) is unknown`)
	brokenTwice   = regexp.MustCompile(`^the column (?P<name>\S+) stands there twice`)
	brokenMissing = regexp.MustCompile(`^the column (?P<name>\S+) is missing`)
	brokenNumber  = regexp.MustCompile(`^(?P<name>\S+): (?P<got>.+) is no whole number$`)
	brokenTruth   = regexp.MustCompile(`^(?P<name>\S+): (?P<got>.+) is neither true nor false$`)
	brokenID      = regexp.MustCompile(`^id: (?P<id>.+) stands in row (?P<row>\d+) too`)
)
