package prompts

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

// Schema is the version of the library format that Decode reads and Encode writes.
const Schema = 1

// MaxFile bounds what is read of one file, in bytes: some five thousand prompts.
const MaxFile = 8 << 20

//go:embed library.toml
var builtin []byte

var readBuiltin = sync.OnceValues(func() (Library, error) { return Decode(bytes.NewReader(builtin)) })

// Builtin returns the library that comes with the program; it is read once. The lists are the caller's own, what the
// entries point to is shared and stays as it is. A test holds that it decodes and validates.
func Builtin() (Library, error) {
	l, err := readBuiltin()
	l.Tensions, l.Values = slices.Clone(l.Tensions), slices.Clone(l.Values)
	l.Audiences, l.Prompts = slices.Clone(l.Audiences), slices.Clone(l.Prompts)
	return l, err
}

// SyntaxError is one thing in a library file that cannot be read, at Row and Column from 1.
type SyntaxError struct {
	Row, Column int
	Problem     string // in English
	Dutch       string // empty: as in English
}

// Error gives the place and the problem.
func (e SyntaxError) Error() string { return e.Line(English) }

// In says the problem in a language, without the place.
func (e SyntaxError) In(lang Lang) string {
	if lang == Dutch && e.Dutch != "" {
		return e.Dutch
	}
	return e.Problem
}

// Line is one line for a reader in a language: the place and the problem.
func (e SyntaxError) Line(lang Lang) string {
	if lang == Dutch {
		return fmt.Sprintf("rij %d, kolom %d: %s", e.Row, e.Column, e.In(lang))
	}
	return fmt.Sprintf("row %d, column %d: %s", e.Row, e.Column, e.Problem)
}

// syntax is a SyntaxError in both languages; format is one that this package says in Dutch too.
func syntax(row, column int, format string, args ...any) SyntaxError {
	p := NewProblem("", "", "", format, args...)
	return SyntaxError{row, column, p.Text, p.Dutch}
}

// Explain says what is wrong with a file or a library, one line for each problem, in a language.
func Explain(err error, lang Lang) []string {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, one := range many.Unwrap() {
			out = append(out, Explain(one, lang)...)
		}
		return out
	}
	switch e := err.(type) {
	case SyntaxError:
		return []string{e.Line(lang)}
	case Problem:
		return []string{e.Line(lang)}
	}
	if inner := errors.Unwrap(err); inner != nil {
		return Explain(inner, lang)
	}
	return []string{err.Error()}
}

// Decode reads a library in the format of PRACTICE 11. It is strict: an unknown key, a value of the wrong type or broken
// TOML gives an error that holds a SyntaxError for each problem found. What the entries say is for Validate to judge.
func Decode(r io.Reader) (Library, error) {
	raw, err := readAll(r)
	if err != nil {
		return Library{}, fmt.Errorf("read library: %w", err)
	}
	return decode(raw)
}

// Read is Decode that also says where the entries stand in the file.
func Read(r io.Reader) (Library, Places, error) {
	raw, err := readAll(r)
	if err != nil {
		return Library{}, nil, fmt.Errorf("read library: %w", err)
	}
	l, err := decode(raw)
	if err != nil {
		return l, nil, err
	}
	return l, tomlPlaces(raw), nil
}

// ErrLarge says that a file is larger than MaxFile.
var ErrLarge error = syntax(1, 1, "the file is larger than %d MiB; split it", MaxFile>>20)

func readAll(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err == nil && len(raw) > MaxFile {
		err = ErrLarge
	}
	return raw, err
}

func decode(raw []byte) (Library, error) {
	var f file
	if err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(&f); err != nil {
		return Library{}, fmt.Errorf("read library: %w", placed(err))
	}
	if f.Schema != Schema {
		return Library{}, fmt.Errorf("read library: %w", syntax(1, 1, "schema is %d, this program reads %d; put `schema = %d` on the first line", f.Schema, Schema, Schema))
	}
	if err := f.Library.supported(); err != nil {
		return Library{}, fmt.Errorf("read library: %w", err)
	}
	return f.library(), nil
}

// placed turns the parser's errors into SyntaxErrors, all of them where it found several.
func placed(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []error
		for _, e := range strict.Errors {
			row, column := e.Position()
			all = append(all, syntax(row, column, "unknown key %s", strings.Join(e.Key(), ".")))
		}
		return errors.Join(all...)
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := e.Position()
		return plain(row, column, strings.TrimPrefix(e.Error(), "toml: "))
	}
	return err
}

var mismatch = regexp.MustCompile(`^cannot decode TOML (\w+) into .* of type (\S+)$`)

// plain says a wrong type in words of the file, where the parser speaks of Go types.
func plain(row, column int, problem string) SyntaxError {
	m := mismatch.FindStringSubmatch(problem)
	if m == nil {
		return syntax(row, column, "%s", problem)
	}
	format := "this is a TOML %s; write text between quotes"
	switch {
	case strings.HasPrefix(m[2], "[]"):
		format = "this is a TOML %s; write a list"
	case m[2] == "int":
		format = "this is a TOML %s; write a whole number"
	case m[2] == "bool":
		format = "this is a TOML %s; write true or false"
	case strings.Contains(m[2], ".file"):
		format = "this is a TOML %s; write a table"
	}
	return syntax(row, column, format, m[1])
}

// Encode writes l so that Decode reads the same library again.
func Encode(w io.Writer, l Library) error {
	var out bytes.Buffer
	if err := toml.NewEncoder(&out).Encode(fileOf(l)); err != nil {
		return fmt.Errorf("write library: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write library: %w", err)
	}
	return nil
}

// The file types say how a library is written down. They differ from the domain types because a file names languages
// as tables, leaves out what is empty, and must refuse a language that the program does not speak.
type (
	file struct {
		Schema    int           `toml:"schema"`
		Library   fileHead      `toml:"library"`
		Tensions  []fileTension `toml:"tension,omitempty"`
		Values    []fileNamed   `toml:"value,omitempty"`
		Audiences []fileNamed   `toml:"audience,omitempty"`
		Prompts   []filePrompt  `toml:"prompt,omitempty"`
	}
	fileHead struct {
		ID              string   `toml:"id,omitempty"`
		Name            fileText `toml:"name,inline"`
		Version         string   `toml:"version,omitempty"`
		Languages       []Lang   `toml:"languages,omitempty"`
		DefaultLanguage Lang     `toml:"default_language,omitempty"`
		Licence         string   `toml:"licence,omitempty"`
		Author          string   `toml:"author,omitempty"`
		Source          string   `toml:"source,omitempty"`
	}
	fileText struct {
		NL string `toml:"nl,omitempty"`
		EN string `toml:"en,omitempty"`
	}
	fileTension struct {
		ID       TensionID   `toml:"id"`
		Retired  bool        `toml:"retired,omitempty"`
		Formerly []string    `toml:"formerly,omitempty"`
		NL       filePulling `toml:"nl"`
		EN       filePulling `toml:"en"`
	}
	filePulling struct {
		Label     string `toml:"label,omitempty"`
		Short     string `toml:"short,omitempty"`
		A         string `toml:"a,omitempty"`
		B         string `toml:"b,omitempty"`
		ProtectsA string `toml:"protects_a,omitempty"`
		ProtectsB string `toml:"protects_b,omitempty"`

		CuesA       []string `toml:"cues_a,omitempty"`
		CuesB       []string `toml:"cues_b,omitempty"`
		CuesBoth    []string `toml:"cues_both,omitempty"`
		Examples    []string `toml:"examples,omitempty"`
		Description string   `toml:"description,omitempty"`
	}
	fileNamed struct {
		ID      string `toml:"id"`
		NL      string `toml:"nl,omitempty"`
		EN      string `toml:"en,omitempty"`
		Retired bool   `toml:"retired,omitempty"`
	}
	filePrompt struct {
		ID            ID           `toml:"id"`
		Revision      int          `toml:"revision"`
		Family        string       `toml:"family,omitempty"`
		Kind          Kind         `toml:"type,omitempty"`
		Phase         Phase        `toml:"phase,omitempty"`
		Status        Status       `toml:"status,omitempty"`
		Intensity     int          `toml:"intensity"`
		Aftercare     bool         `toml:"aftercare,omitempty"`
		Onboarding    bool         `toml:"onboarding,omitempty"`
		Audience      []AudienceID `toml:"audience,omitempty"`
		NotFor        []AudienceID `toml:"not_for,omitempty"`
		Tensions      []TensionID  `toml:"tensions,omitempty"`
		Values        []ValueID    `toml:"values,omitempty"`
		Themes        []string     `toml:"themes,omitempty"`
		Season        []int        `toml:"season,omitempty"`
		Avoid         []string     `toml:"avoid,omitempty"`
		NotBefore     string       `toml:"not_before,omitempty"`
		Placeholders  []string     `toml:"placeholders,omitempty"`
		FollowupKinds []string     `toml:"followup_kinds,omitempty"`
		CooldownWeeks int          `toml:"cooldown_weeks"`
		Author        string       `toml:"author,omitempty"`
		Reviewer      string       `toml:"reviewer,omitempty"`
		Source        string       `toml:"source,omitempty"`
		Licence       string       `toml:"licence,omitempty"`
		NL            *fileWords   `toml:"nl,omitempty"`
		EN            *fileWords   `toml:"en,omitempty"`
		Image         *fileImage   `toml:"image,omitempty"`
	}
	fileWords struct {
		Title     string   `toml:"title,omitempty"`
		Text      string   `toml:"text,omitempty"`
		Question  string   `toml:"question,omitempty"`
		PoleA     string   `toml:"pole_a,omitempty"`
		PoleB     string   `toml:"pole_b,omitempty"`
		ProtectsA string   `toml:"protects_a,omitempty"`
		ProtectsB string   `toml:"protects_b,omitempty"`
		Followups []string `toml:"followups,omitempty"`
	}
	fileImage struct {
		Path    string   `toml:"path,omitempty"`
		Licence string   `toml:"licence,omitempty"`
		Alt     fileText `toml:"alt,inline"`
	}
)

// supported refuses a file that counts on languages this program does not speak; both keys may be left out.
func (h fileHead) supported() error {
	for _, lang := range h.Languages {
		if !slices.Contains(Langs(), lang) {
			return syntax(1, 1, "library.languages: %q is not one of %v", lang, Langs())
		}
	}
	if h.DefaultLanguage != "" && h.DefaultLanguage != Dutch {
		return syntax(1, 1, "library.default_language: %q; the source language is %q", h.DefaultLanguage, Dutch)
	}
	return nil
}

func (f file) library() Library {
	l := Library{
		ID: f.Library.ID, Name: f.Library.Name.text(), Version: f.Library.Version, Licence: f.Library.Licence,
		Author: f.Library.Author, Source: f.Library.Source,
	}
	for _, t := range f.Tensions {
		l.Tensions = append(l.Tensions, Tension{
			ID:        t.ID,
			Label:     fileText{t.NL.Label, t.EN.Label}.text(),
			Short:     fileText{t.NL.Short, t.EN.Short}.text(),
			A:         fileText{t.NL.A, t.EN.A}.text(),
			B:         fileText{t.NL.B, t.EN.B}.text(),
			ProtectsA: fileText{t.NL.ProtectsA, t.EN.ProtectsA}.text(),
			ProtectsB: fileText{t.NL.ProtectsB, t.EN.ProtectsB}.text(),

			Definitions: t.definitions(), Formerly: some(t.Formerly), Retired: t.Retired,
		})
	}
	for _, v := range f.Values {
		l.Values = append(l.Values, Value{ID: ValueID(v.ID), Name: fileText{v.NL, v.EN}.text(), Retired: v.Retired})
	}
	for _, a := range f.Audiences {
		l.Audiences = append(l.Audiences, Audience{ID: AudienceID(a.ID), Name: fileText{a.NL, a.EN}.text(), Retired: a.Retired})
	}
	for _, p := range f.Prompts {
		l.Prompts = append(l.Prompts, p.prompt())
	}
	return l
}

func (t fileTension) definitions() map[Lang]Definition {
	var out map[Lang]Definition
	for lang, p := range map[Lang]filePulling{Dutch: t.NL, English: t.EN} {
		d := Definition{some(p.CuesA), some(p.CuesB), some(p.CuesBoth), some(p.Examples), p.Description}
		if d.empty() {
			continue
		}
		if out == nil {
			out = map[Lang]Definition{}
		}
		out[lang] = d
	}
	return out
}

func (p filePrompt) prompt() Prompt {
	out := Prompt{
		ID: p.ID, Revision: p.Revision, Family: p.Family, Kind: p.Kind, Phase: p.Phase, Status: p.Status,
		Audience: some(p.Audience), NotFor: some(p.NotFor), Tensions: some(p.Tensions), Values: some(p.Values),
		Themes: some(p.Themes), Intensity: p.Intensity, Aftercare: p.Aftercare, Onboarding: p.Onboarding,
		CooldownWeeks: p.CooldownWeeks, Season: some(p.Season), Avoid: some(p.Avoid), NotBefore: p.NotBefore,
		FollowupKinds: some(p.FollowupKinds), Placeholders: some(p.Placeholders),
		Author: p.Author, Reviewer: p.Reviewer, Source: p.Source, Licence: p.Licence,
	}
	for lang, w := range map[Lang]*fileWords{Dutch: p.NL, English: p.EN} {
		if w == nil {
			continue
		}
		if out.Words == nil {
			out.Words = map[Lang]Words{}
		}
		words := Words(*w)
		words.Followups = some(words.Followups)
		out.Words[lang] = words
	}
	if p.Image != nil {
		out.Image = &Image{Path: p.Image.Path, Alt: p.Image.Alt.text(), Licence: p.Image.Licence}
	}
	return out
}

func fileOf(l Library) file {
	f := file{Schema: Schema, Library: fileHead{
		ID: l.ID, Name: inFile(l.Name), Version: l.Version, Languages: Langs(), DefaultLanguage: Dutch,
		Licence: l.Licence, Author: l.Author, Source: l.Source,
	}}
	for _, t := range l.Tensions {
		f.Tensions = append(f.Tensions, fileTension{ID: t.ID, Retired: t.Retired, Formerly: t.Formerly, NL: t.inFile(Dutch), EN: t.inFile(English)})
	}
	for _, v := range l.Values {
		f.Values = append(f.Values, fileNamed{string(v.ID), v.Name[Dutch], v.Name[English], v.Retired})
	}
	for _, a := range l.Audiences {
		f.Audiences = append(f.Audiences, fileNamed{string(a.ID), a.Name[Dutch], a.Name[English], a.Retired})
	}
	for _, p := range l.Prompts {
		f.Prompts = append(f.Prompts, p.inFile())
	}
	return f
}

func (t Tension) inFile(lang Lang) filePulling {
	d := t.Definitions[lang]
	return filePulling{
		t.Label[lang], t.Short[lang], t.A[lang], t.B[lang], t.ProtectsA[lang], t.ProtectsB[lang],
		d.CuesA, d.CuesB, d.CuesBoth, d.Examples, d.Description,
	}
}

func (p Prompt) inFile() filePrompt {
	out := filePrompt{
		ID: p.ID, Revision: p.Revision, Family: p.Family, Kind: p.Kind, Phase: p.Phase, Status: p.Status,
		Intensity: p.Intensity, Aftercare: p.Aftercare, Onboarding: p.Onboarding, Audience: p.Audience,
		NotFor: p.NotFor, Tensions: p.Tensions, Values: p.Values, Themes: p.Themes, Season: p.Season, Avoid: p.Avoid,
		NotBefore:    p.NotBefore,
		Placeholders: p.Placeholders, FollowupKinds: p.FollowupKinds, CooldownWeeks: p.CooldownWeeks,
		Author: p.Author, Reviewer: p.Reviewer, Source: p.Source, Licence: p.Licence,
		NL: p.wordsInFile(Dutch), EN: p.wordsInFile(English),
	}
	if p.Image != nil {
		out.Image = &fileImage{Path: p.Image.Path, Licence: p.Image.Licence, Alt: inFile(p.Image.Alt)}
	}
	return out
}

func (p Prompt) wordsInFile(lang Lang) *fileWords {
	w, ok := p.Words[lang]
	if !ok {
		return nil
	}
	out := fileWords(w)
	return &out
}

func (t fileText) text() Text {
	out := Text{}
	if t.NL != "" {
		out[Dutch] = t.NL
	}
	if t.EN != "" {
		out[English] = t.EN
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func inFile(t Text) fileText { return fileText{t[Dutch], t[English]} }

// some returns s, or nil when it is empty: a file cannot tell the two apart.
func some[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}
