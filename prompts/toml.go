package prompts

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

// Schema is the version of the file format (PRACTICE 11).
const Schema = 1

//go:embed library.toml
var builtin []byte

var readBuiltin = sync.OnceValues(func() (Library, error) { return Decode(bytes.NewReader(builtin)) })

// Builtin returns the library that comes with the program. A test holds that it decodes; the error is for embedders who
// replace the file.
func Builtin() (Library, error) { return readBuiltin() }

// The file as it is written. Every table is strict: an unknown key is an error with its place.
type (
	fileLibrary struct {
		Schema   int           `toml:"schema"`
		Library  fileHead      `toml:"library"`
		Tension  []fileTension `toml:"tension,omitempty"`
		Value    []fileNamed   `toml:"value,omitempty"`
		Audience []fileNamed   `toml:"audience,omitempty"`
		Prompt   []filePrompt  `toml:"prompt,omitempty"`
	}
	fileHead struct {
		ID        string          `toml:"id"`
		Name      map[Lang]string `toml:"name,inline"`
		Version   string          `toml:"version"`
		Languages []Lang          `toml:"languages,omitempty"`
		Default   Lang            `toml:"default_language,omitempty"`
		Licence   string          `toml:"licence,omitempty"`
		Author    string          `toml:"author,omitempty"`
		Source    string          `toml:"source,omitempty"`
	}
	fileNamed struct {
		ID string `toml:"id"`
		NL string `toml:"nl"`
		EN string `toml:"en"`
	}
	fileTension struct {
		ID string           `toml:"id"`
		NL fileTensionWords `toml:"nl"`
		EN fileTensionWords `toml:"en"`
	}
	fileTensionWords struct {
		Label     string `toml:"label"`
		Short     string `toml:"short"`
		A         string `toml:"a"`
		B         string `toml:"b"`
		ProtectsA string `toml:"protects_a"`
		ProtectsB string `toml:"protects_b"`
	}
	filePrompt struct {
		ID            ID           `toml:"id"`
		Revision      int          `toml:"revision"`
		Family        string       `toml:"family"`
		Kind          Kind         `toml:"type"`
		Phase         Phase        `toml:"phase"`
		Status        Status       `toml:"status"`
		Intensity     int          `toml:"intensity"`
		Aftercare     bool         `toml:"aftercare,omitempty"`
		Onboarding    bool         `toml:"onboarding,omitempty"`
		Audience      []AudienceID `toml:"audience"`
		NotFor        []AudienceID `toml:"not_for,omitempty"`
		Tensions      []TensionID  `toml:"tensions"`
		Values        []ValueID    `toml:"values,omitempty"`
		Themes        []string     `toml:"themes,omitempty"`
		Season        []int        `toml:"season,omitempty"`
		Avoid         []string     `toml:"avoid,omitempty"`
		FollowupKinds []string     `toml:"followup_kinds"`
		Placeholders  []string     `toml:"placeholders,omitempty"`
		CooldownWeeks int          `toml:"cooldown_weeks"`
		Author        string       `toml:"author,omitempty"`
		Reviewer      string       `toml:"reviewer,omitempty"`
		Source        string       `toml:"source,omitempty"`
		Licence       string       `toml:"licence,omitempty"`
		Image         *fileImage   `toml:"image,omitempty"`
		NL            *fileWords   `toml:"nl,omitempty"`
		EN            *fileWords   `toml:"en,omitempty"`
	}
	fileImage struct {
		Path    string `toml:"path"`
		AltNL   string `toml:"alt_nl"`
		AltEN   string `toml:"alt_en"`
		Licence string `toml:"licence"`
	}
	fileWords struct {
		Title     string   `toml:"title"`
		Text      string   `toml:"text"`
		Question  string   `toml:"question"`
		PoleA     string   `toml:"pole_a,omitempty"`
		PoleB     string   `toml:"pole_b,omitempty"`
		ProtectsA string   `toml:"protects_a,omitempty"`
		ProtectsB string   `toml:"protects_b,omitempty"`
		Followups []string `toml:"followups"`
	}
)

// maxFile bounds what Decode reads: a library of thousands of prompts fits.
const maxFile = 8 << 20

// Decode reads a library. It is strict: an unknown key, a wrong type or half a file is an error that names every place
// with its row and column. It does not judge the content; Validate and Lint do.
func Decode(r io.Reader) (Library, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Library{}, fmt.Errorf("read library: %w", err)
	}
	if len(raw) > maxFile {
		return Library{}, fmt.Errorf("read library: larger than %d MiB", maxFile>>20)
	}
	var f fileLibrary
	if err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(&f); err != nil {
		return Library{}, placed(err)
	}
	if f.Schema != Schema {
		return Library{}, fmt.Errorf("library: schema is %d, this program reads %d; put `schema = %d` on the first line", f.Schema, Schema, Schema)
	}
	lib := Library{
		Name: f.Library.Name, Version: f.Library.Version, Licence: f.Library.Licence, Author: f.Library.Author,
		Source: f.Library.Source, ID: f.Library.ID,
	}
	for _, t := range f.Tension {
		two := func(nl, en string) Text { return Text{Dutch: nl, English: en} }
		lib.Tensions = append(lib.Tensions, Tension{
			ID: TensionID(t.ID), Label: two(t.NL.Label, t.EN.Label), Short: two(t.NL.Short, t.EN.Short),
			A: two(t.NL.A, t.EN.A), B: two(t.NL.B, t.EN.B),
			ProtectsA: two(t.NL.ProtectsA, t.EN.ProtectsA), ProtectsB: two(t.NL.ProtectsB, t.EN.ProtectsB),
		})
	}
	for _, v := range f.Value {
		lib.Values = append(lib.Values, Value{ID: ValueID(v.ID), Name: Text{Dutch: v.NL, English: v.EN}})
	}
	for _, a := range f.Audience {
		lib.Audiences = append(lib.Audiences, Audience{ID: AudienceID(a.ID), Name: Text{Dutch: a.NL, English: a.EN}})
	}
	for _, p := range f.Prompt {
		q := Prompt{
			ID: p.ID, Revision: p.Revision, Family: p.Family, Kind: p.Kind, Phase: p.Phase, Status: p.Status,
			Audience: p.Audience, NotFor: p.NotFor, Tensions: p.Tensions, Values: p.Values, Themes: p.Themes,
			Intensity: p.Intensity, Aftercare: p.Aftercare, Onboarding: p.Onboarding, CooldownWeeks: p.CooldownWeeks,
			Season: p.Season, Avoid: p.Avoid, FollowupKinds: p.FollowupKinds, Placeholders: p.Placeholders,
			Author: p.Author, Reviewer: p.Reviewer, Source: p.Source, Licence: p.Licence, Words: map[Lang]Words{},
		}
		for lang, w := range map[Lang]*fileWords{Dutch: p.NL, English: p.EN} {
			if w != nil {
				q.Words[lang] = Words(*w)
			}
		}
		if p.Image != nil {
			q.Image = &Image{Path: p.Image.Path, Licence: p.Image.Licence, Alt: Text{Dutch: p.Image.AltNL, English: p.Image.AltEN}}
		}
		lib.Prompts = append(lib.Prompts, q)
	}
	return lib, nil
}

// placed gives the decoder's errors their row and column.
func placed(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var all []error
		for _, e := range strict.Errors {
			row, col := e.Position()
			all = append(all, fmt.Errorf("row %d, column %d: unknown key %s", row, col, strings.Join(e.Key(), ".")))
		}
		return errors.Join(all...)
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, col := bad.Position()
		return fmt.Errorf("row %d, column %d: %s", row, col, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return fmt.Errorf("library: %w", err)
}

// Encode writes a library in the format that Decode reads.
func Encode(w io.Writer, l Library) error {
	f := fileLibrary{Schema: Schema, Library: fileHead{
		ID: l.ID, Name: l.Name, Version: l.Version, Languages: Langs(), Default: Dutch, Licence: l.Licence, Author: l.Author, Source: l.Source,
	}}
	for _, t := range l.Tensions {
		words := func(lang Lang) fileTensionWords {
			return fileTensionWords{Label: t.Label[lang], Short: t.Short[lang], A: t.A[lang], B: t.B[lang], ProtectsA: t.ProtectsA[lang], ProtectsB: t.ProtectsB[lang]}
		}
		f.Tension = append(f.Tension, fileTension{ID: string(t.ID), NL: words(Dutch), EN: words(English)})
	}
	for _, v := range l.Values {
		f.Value = append(f.Value, fileNamed{ID: string(v.ID), NL: v.Name[Dutch], EN: v.Name[English]})
	}
	for _, a := range l.Audiences {
		f.Audience = append(f.Audience, fileNamed{ID: string(a.ID), NL: a.Name[Dutch], EN: a.Name[English]})
	}
	for _, p := range l.Prompts {
		q := filePrompt{
			ID: p.ID, Revision: p.Revision, Family: p.Family, Kind: p.Kind, Phase: p.Phase, Status: p.Status,
			Audience: p.Audience, NotFor: p.NotFor, Tensions: p.Tensions, Values: p.Values, Themes: p.Themes,
			Intensity: p.Intensity, Aftercare: p.Aftercare, Onboarding: p.Onboarding, CooldownWeeks: p.CooldownWeeks,
			Season: p.Season, Avoid: p.Avoid, FollowupKinds: p.FollowupKinds, Placeholders: p.Placeholders,
			Author: p.Author, Reviewer: p.Reviewer, Source: p.Source, Licence: p.Licence,
		}
		if w, ok := p.Words[Dutch]; ok {
			q.NL = new(fileWords(w))
		}
		if w, ok := p.Words[English]; ok {
			q.EN = new(fileWords(w))
		}
		if p.Image != nil {
			q.Image = &fileImage{Path: p.Image.Path, Licence: p.Image.Licence, AltNL: p.Image.Alt[Dutch], AltEN: p.Image.Alt[English]}
		}
		f.Prompt = append(f.Prompt, q)
	}
	if err := toml.NewEncoder(w).Encode(f); err != nil {
		return fmt.Errorf("write library: %w", err)
	}
	return nil
}
