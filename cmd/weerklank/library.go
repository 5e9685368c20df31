package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// importReport is what an import does or would do, as the operator reads it.
type importReport struct {
	New     []string        `json:"new,omitempty"`
	Changed []changedEntry  `json:"changed,omitempty"`
	Same    int             `json:"same"`
	Refused []refusedInFile `json:"refused,omitempty"`
}

type changedEntry struct {
	Key    string            `json:"key"`
	Fields []bot.FieldChange `json:"fields"`
}

type refusedInFile struct {
	Key   string       `json:"key"`
	Row   int          `json:"row,omitempty"`
	Field string       `json:"field"`
	Text  prompts.Text `json:"text"`
}

// readLibrary reads a file of prompts: a table, or TOML.
func readLibrary(r io.Reader, table bool) (prompts.Library, prompts.Places, error) {
	if table {
		return prompts.ReadCSV(r)
	}
	return prompts.Read(r)
}

// importLibrary plans what a file brings and, unless it is a dry run or something is refused, does it.
func importLibrary(ctx context.Context, b *bot.Bot, raw []byte, table, dry bool) (importReport, error) {
	lib, places, err := readLibrary(bytes.NewReader(raw), table)
	if err != nil {
		return importReport{}, err
	}
	plan, err := b.PlanReviewedImport(ctx, lib)
	if err != nil {
		return importReport{}, err
	}
	plan.Place(places)
	report := importReport{Same: plan.Same}
	for _, e := range plan.New {
		report.New = append(report.New, e.Key.String())
	}
	for _, c := range plan.Changed {
		report.Changed = append(report.Changed, changedEntry{c.After.Key.String(), c.Fields})
	}
	for _, r := range plan.Refused {
		report.Refused = append(report.Refused, refusedInFile{r.Key.String(), r.Row, r.Field, r.Text})
	}
	if dry || len(report.Refused) > 0 {
		return report, nil
	}
	return report, b.ApplyImport(ctx, operatorActor, plan)
}

// prompts serves the operator's commands on the library.
func (p *parts) prompts(mux *http.ServeMux, fail func(http.ResponseWriter, error)) {
	mux.HandleFunc("GET /prompts", func(w http.ResponseWriter, r *http.Request) {
		lib, err := p.bot.NewestLibrary(r.Context())
		if err == nil {
			err = prompts.Encode(w, lib)
		}
		if err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("POST /prompts", func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, prompts.MaxFile))
		if err != nil {
			fail(w, err)
			return
		}
		report, err := importLibrary(r.Context(), p.bot, raw, r.URL.Query().Get("table") == "1", r.URL.Query().Get("dry") == "1")
		if err != nil {
			fail(w, err)
			return
		}
		json.NewEncoder(w).Encode(report)
	})
}

// librarian keeps the library of a store that no bot has open.
func librarian(db *store.DB) (*bot.Bot, error) {
	builtin, err := prompts.Builtin()
	if err != nil {
		return nil, err
	}
	return bot.ForLibrary(db, builtin, slog.New(slog.DiscardHandler))
}

// cmdPrompts is `weerklank prompts lint|list|export|import`.
func cmdPrompts(ctx context.Context, e *env, args []string) error {
	if len(args) == 0 {
		return usageError{e.say("cli.prompts-which")}
	}
	var dry, table bool
	var kind, audience string
	var path string
	rest, err := flags(e, "prompts", args[1:], func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		fs.BoolVar(&dry, "dry-run", false, "")
		fs.BoolVar(&table, "csv", false, "")
		fs.StringVar(&kind, "type", "", "")
		fs.StringVar(&audience, "audience", "", "")
	})
	if err != nil {
		return err
	}
	switch args[0] {
	case "lint":
		return lintPrompts(ctx, e, path, rest)
	case "list":
		lib, err := inForce(ctx, e, path)
		if err != nil {
			return err
		}
		for _, p := range lib.Prompts {
			if kind != "" && string(p.Kind) != kind || audience != "" && !slices.Contains(p.Audience, prompts.AudienceID(audience)) {
				continue
			}
			fmt.Fprintf(e.stdout, "%-34s %-12s %d  %-8s %s\n", p.ID, p.Kind, p.Intensity, p.Status, p.In(e.lang).Title)
		}
		return nil
	case "export":
		lib, err := inForce(ctx, e, path)
		if err != nil {
			return err
		}
		if table {
			return prompts.EncodeCSV(e.stdout, lib)
		}
		return prompts.Encode(e.stdout, lib)
	case "import":
		return importFile(ctx, e, path, rest, table, dry)
	}
	return usageError{e.say("cli.prompts-which")}
}

// inForce is the library as editors have it: the built-in one alone if no configuration is named.
func inForce(ctx context.Context, e *env, path string) (prompts.Library, error) {
	lib, err := prompts.Builtin()
	if err != nil || path == "" {
		return lib, err
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return lib, err
	}
	if _, serr := os.Stat(filepath.Join(c.DataDir, c.storeName())); serr != nil {
		return lib, nil
	}
	err = onStore(ctx, e, c, func() error {
		raw, err := call(ctx, c, http.MethodGet, "/prompts", nil)
		if err == nil {
			lib, err = prompts.Decode(bytes.NewReader(raw))
		}
		return err
	}, func(db *store.DB) error {
		b, err := librarian(db)
		if err == nil {
			lib, err = b.NewestLibrary(ctx)
		}
		return err
	})
	return lib, err
}

// readFile reads a file of prompts, or standard input for "-", and says in the reader's language what is wrong with it.
func readFile(e *env, file string, table bool) (raw []byte, lib prompts.Library, err error) {
	var r io.Reader = e.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, lib, err
		}
		defer f.Close()
		r = f
	}
	if raw, err = io.ReadAll(io.LimitReader(r, prompts.MaxFile+1)); err != nil {
		return nil, lib, err
	}
	if lib, _, err = readLibrary(bytes.NewReader(raw), table); err != nil {
		hint := e.say("cli.hint-prompts")
		if table {
			hint = e.say("cli.hint-table")
		}
		return nil, lib, hinted{fmt.Errorf("%s:\n%s", file, strings.Join(prompts.Explain(err, e.lang), "\n")), hint}
	}
	return raw, lib, nil
}

// isTable says whether a file is named as one that a spreadsheet writes.
func isTable(file string) bool { return strings.EqualFold(filepath.Ext(file), ".csv") }

func lintPrompts(ctx context.Context, e *env, path string, files []string) error {
	base, err := inForce(ctx, e, path)
	if err != nil {
		return err
	}
	libs := []prompts.Library{base}
	if len(files) > 0 {
		libs = nil
		for _, file := range files {
			_, lib, err := readFile(e, file, isTable(file))
			if err != nil {
				return err
			}
			libs = append(libs, lib.Completed(base))
		}
	}
	wrong, warned := 0, 0
	for _, lib := range libs {
		if err := lib.Validate(); err != nil {
			for _, line := range prompts.Explain(err, e.lang) {
				fmt.Fprintln(e.stdout, line)
			}
			wrong++
		}
		for _, f := range prompts.Lint(lib) {
			if p, _ := lib.Prompt(f.Prompt); f.Level == prompts.Error && (p.Status == prompts.Draft || !p.Gaps()) { // what a member brought waits for an editor's words
				wrong++
			} else {
				warned++
			}
			fmt.Fprintln(e.stdout, f.Line(e.lang))
		}
		for _, c := range prompts.Cover(lib) {
			if c.Dilemmas < prompts.EnoughDilemmas {
				warned++
				fmt.Fprintln(e.stdout, e.say("cli.lint-coverage", "audience", string(c.Audience), "count", strconv.Itoa(c.Dilemmas), "enough", strconv.Itoa(prompts.EnoughDilemmas)))
			}
		}
	}
	fmt.Fprintln(e.stdout, e.say("cli.lint-done", "errors", strconv.Itoa(wrong), "warnings", strconv.Itoa(warned)))
	if wrong > 0 {
		return errors.New(e.say("cli.lint-failed"))
	}
	return nil
}

func importFile(ctx context.Context, e *env, path string, files []string, table, dry bool) error {
	if path == "" || len(files) != 1 {
		return usageError{e.say("cli.import-which")}
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return err
	}
	table = table || isTable(files[0])
	raw, _, err := readFile(e, files[0], table)
	if err != nil {
		return err
	}
	var report importReport
	err = onStore(ctx, e, c, func() error {
		query := url.Values{}
		if dry {
			query.Set("dry", "1")
		}
		if table {
			query.Set("table", "1")
		}
		raw, err := call(ctx, c, http.MethodPost, "/prompts?"+query.Encode(), bytes.NewReader(raw))
		if err == nil {
			err = json.Unmarshal(raw, &report)
		}
		return err
	}, func(db *store.DB) error {
		b, err := librarian(db)
		if err == nil {
			report, err = importLibrary(ctx, b, raw, table, dry)
		}
		return err
	})
	if err != nil {
		var h hinted
		if errors.As(err, &h) {
			return err
		}
		return hinted{fmt.Errorf("%s:\n%w", files[0], err), e.say("cli.hint-import")}
	}
	return report.tell(e, files[0], dry)
}

// tell prints a report; anything refused makes it an error.
func (r importReport) tell(e *env, file string, dry bool) error {
	key := "cli.import-done"
	switch {
	case len(r.Refused) > 0:
		key = "cli.import-refused"
	case dry:
		key = "cli.import-dry"
	}
	fmt.Fprintln(e.stdout, e.say(key, "added", strconv.Itoa(len(r.New)), "changed", strconv.Itoa(len(r.Changed)), "same", strconv.Itoa(r.Same),
		"refused", strconv.Itoa(len(r.Refused))))
	for _, entry := range r.New {
		fmt.Fprintln(e.stdout, "+ "+entry)
	}
	for _, entry := range r.Changed {
		fmt.Fprintln(e.stdout, "~ "+entry.Key)
		for _, f := range entry.Fields {
			fmt.Fprintf(e.stdout, "    %s: %s -> %s\n", f.Field, oneLine(f.Before), oneLine(f.After))
		}
	}
	if len(r.Refused) == 0 {
		return nil
	}
	var lines []error
	for _, one := range r.Refused {
		where := file
		if one.Row > 0 {
			where += ":" + strconv.Itoa(one.Row)
		}
		lines = append(lines, fmt.Errorf("%s: %s: %s: %s", where, one.Key, one.Field, one.Text.In(e.lang)))
	}
	return hinted{errors.Join(lines...), e.say("cli.hint-import")}
}

// oneLine is a value as it fits on a line: "…" for what is left out, "-" for nothing.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:59]) + "…"
	}
	if s == "" {
		return "-"
	}
	return strconv.Quote(s)
}
