package locale

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"github.com/weerklank/weerklank/prompts"
)

// heavySchema is the version of the format that DecodeHeavy reads.
const heavySchema = 1

// The bounds of a list, so that a check of a reply stays quick: bytes of the file, phrases in all, words and alternatives
// in a phrase.
const (
	maxHeavyFile    = 1 << 20
	maxHeavyPhrases = 2000
	maxPhraseWords  = 8
	maxPhraseGaps   = 2
)

// HeavyKind is what a reply may disclose that is too heavy for a channel (TRUST 6, PRACTICE 8).
type HeavyKind string

// The kinds.
const (
	HeavySuicide    HeavyKind = "suicide"    // suicide, self-harm
	HeavyDanger     HeavyKind = "danger"     // acute danger
	HeavySafety     HeavyKind = "safety"     // the safety of a client
	HeavyAggression HeavyKind = "aggression" // against people at work
	HeavyConduct    HeavyKind = "conduct"    // harassment, discrimination, bullying among colleagues
	HeavyIntegrity  HeavyKind = "integrity"  // wrongdoing, crime
)

// HeavyKinds returns the kinds, the most urgent first.
func HeavyKinds() []HeavyKind {
	return []HeavyKind{HeavySuicide, HeavyDanger, HeavySafety, HeavyAggression, HeavyConduct, HeavyIntegrity}
}

// Phrase is a row of words that follow each other. Each is a set of alternatives, one of which has to stand there; an
// alternative that ends in * is how a word begins. A word without alternatives stands for none to five words.
type Phrase [][]string

// HeavyWords are the phrases of one kind. What an exception covers is no find.
type HeavyWords struct {
	Kind            HeavyKind
	Phrases, Except []Phrase
}

//go:embed heavy.toml
var heavyFile []byte

var builtinHeavy = sync.OnceValues(func() ([]HeavyWords, error) { return DecodeHeavy(bytes.NewReader(heavyFile)) })

// Heavy returns the list that comes with the program, the most urgent kind first. It is read once and shared: it stays as
// it is. A test holds that it decodes.
func Heavy() ([]HeavyWords, error) { return builtinHeavy() }

// DecodeHeavy reads a list in the format that the head of heavy.toml tells, both languages together, the most urgent kind
// first. It is strict: an unknown key, a missing kind, a phrase that is none. The error holds a prompts.SyntaxError with
// row and column for each problem found.
func DecodeHeavy(r io.Reader) ([]HeavyWords, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxHeavyFile+1))
	if err != nil {
		return nil, fmt.Errorf("read heavy words: %w", err)
	}
	if len(raw) > maxHeavyFile {
		return nil, fmt.Errorf("read heavy words: larger than %d MiB", maxHeavyFile>>20)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // some editors put a mark before the text
	type table struct {
		NL     []string `toml:"nl"`
		EN     []string `toml:"en"`
		Except []string `toml:"except"`
	}
	var file struct {
		Schema     int    `toml:"schema"`
		Suicide    *table `toml:"suicide"`
		Danger     *table `toml:"danger"`
		Safety     *table `toml:"safety"`
		Aggression *table `toml:"aggression"`
		Conduct    *table `toml:"conduct"`
		Integrity  *table `toml:"integrity"`
	}
	if err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, fmt.Errorf("read heavy words: %w", placed(err))
	}
	if file.Schema != heavySchema {
		return nil, fmt.Errorf("read heavy words: schema is %d, this program reads %d; put `schema = %d` on the first line", file.Schema, heavySchema, heavySchema)
	}
	tables := map[HeavyKind]*table{HeavySuicide: file.Suicide, HeavyDanger: file.Danger, HeavySafety: file.Safety,
		HeavyAggression: file.Aggression, HeavyConduct: file.Conduct, HeavyIntegrity: file.Integrity}
	var list []HeavyWords
	var problems []error
	count := 0
	for _, kind := range HeavyKinds() {
		t := tables[kind]
		if t == nil {
			problems = append(problems, fmt.Errorf("the table [%s] is missing", kind))
			continue
		}
		if len(t.NL) == 0 || len(t.EN) == 0 {
			problems = append(problems, fmt.Errorf("[%s] needs at least one phrase in nl and one in en", kind))
		}
		words := HeavyWords{Kind: kind}
		seen := map[string]bool{}
		add := func(list *[]Phrase, lines []string) {
			for _, line := range lines {
				phrase, err := parsePhrase(line)
				if err == nil && seen[strings.ToLower(line)] {
					err = errors.New("stands there twice")
				}
				seen[strings.ToLower(line)] = true
				if err != nil {
					problems = append(problems, at(raw, kind, line, err))
					continue
				}
				*list = append(*list, phrase)
			}
		}
		add(&words.Phrases, t.NL)
		seen = map[string]bool{} // a word may be the same in both languages
		add(&words.Phrases, t.EN)
		seen = map[string]bool{}
		add(&words.Except, t.Except)
		count += len(words.Phrases) + len(words.Except)
		list = append(list, words)
	}
	if count > maxHeavyPhrases {
		problems = append(problems, fmt.Errorf("%d phrases are more than %d", count, maxHeavyPhrases))
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("read heavy words: %w", errors.Join(problems...))
	}
	return list, nil
}

// parsePhrase reads one phrase as the text is read: burn-out is two words, and don't is dont.
func parsePhrase(line string) (Phrase, error) {
	var phrase Phrase
	gaps := 0
	for field := range strings.FieldsSeq(strings.NewReplacer("-", " ", "'", "", "’", "").Replace(line)) {
		if field == "*" {
			gaps++
			phrase = append(phrase, nil)
			continue
		}
		var word []string
		for alternative := range strings.SplitSeq(field, "|") {
			stem, open := strings.CutSuffix(alternative, "*")
			switch {
			case stem == "" || strings.ContainsFunc(stem, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }):
				return nil, fmt.Errorf("%q is no word; write letters, a * at the end of a word, | between words that may stand for each other", alternative)
			case open && utf8.RuneCountInString(stem) < 3:
				return nil, fmt.Errorf("%q needs three letters before the star", alternative)
			case slices.Contains(word, alternative):
				return nil, fmt.Errorf("%q stands twice at the same place", alternative)
			}
			word = append(word, alternative)
		}
		phrase = append(phrase, word)
	}
	switch {
	case len(phrase) == 0:
		return nil, errors.New("a phrase is empty")
	case phrase[0] == nil || phrase[len(phrase)-1] == nil:
		return nil, errors.New("a lone * stands between two words")
	case gaps > maxPhraseGaps:
		return nil, fmt.Errorf("more than %d lone *", maxPhraseGaps)
	case len(phrase) > maxPhraseWords:
		return nil, fmt.Errorf("more than %d words", maxPhraseWords)
	}
	return phrase, nil
}

// at gives a problem its place: the row and column of the phrase in its table, if it stands there as it is.
func at(raw []byte, kind HeavyKind, line string, problem error) error {
	table := bytes.Index(raw, []byte("["+string(kind)+"]"))
	found := -1
	if table >= 0 {
		found = bytes.Index(raw[table:], []byte(`"`+line+`"`))
	}
	if found < 0 {
		return fmt.Errorf("[%s] %q: %w", kind, line, problem)
	}
	before := raw[:table+found]
	return prompts.SyntaxError{Row: 1 + bytes.Count(before, []byte("\n")), Column: len(before) - bytes.LastIndexByte(before, '\n'),
		Problem: fmt.Sprintf("[%s] %q: %v", kind, line, problem)}
}

// placed turns the parser's errors into ones with row and column, all of them where it found several.
func placed(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []error
		for _, e := range strict.Errors {
			row, column := e.Position()
			all = append(all, prompts.SyntaxError{Row: row, Column: column, Problem: "unknown key " + strings.Join(e.Key(), ".")})
		}
		return errors.Join(all...)
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := e.Position()
		return prompts.SyntaxError{Row: row, Column: column, Problem: strings.TrimPrefix(e.Error(), "toml: ")}
	}
	return err
}
