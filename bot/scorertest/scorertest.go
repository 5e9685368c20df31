// Package scorertest has the contract that every Scorer keeps.
package scorertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// maxReasons is how many words an author is shown at most.
const maxReasons = 3

// Texts are what a scorer must stand: ordinary, endless, broken and hostile.
func Texts() []string {
	return []string{
		"", " ", "...", "Volgens de regels moest ik wachten, maar de schipper stond er al.", "The alderman had promised it, so my advice did not matter.",
		"Één café, 's avonds: zo'n wachtlijst! Foto’s van de rĳ.", "e\u0301e\u0301n lijn, cafe\u0301", "İstanbul ǅ ﬁets ß ŉ", "\xff\xfe\x00 regel \xc3", "a\u0301\u0301\u0301''''’’b '' x'",
		"\u202eregel\u202c \u200bwachtlijst", "👍🏽 👩‍👩‍👧 wethouder👍", "日本語 の テキスト praktijk", "١٢٣ ٤", strings.Repeat("wachtlijst ", 300), strings.Repeat("a", 70_000),
		strings.Repeat("é", 5000), strings.Repeat("a'", 5000), strings.Repeat("\u0301", 5000), "protocol.protocol!protocol?protocol", "REGEL regel Regel régel", "kopje\nkoffie\tgedronken",
	}
}

// Check says what is wrong with a scorer's answer to a text: each tension once and the best first, numbers that are
// numbers, and reasons that are whole words of the text, in its order.
func Check(text string, tensions []prompts.TensionID, found []bot.Evidence) error {
	var wrong []error
	seen := map[prompts.TensionID]bool{}
	for i, e := range found {
		if seen[e.Tension] {
			wrong = append(wrong, fmt.Errorf("%s comes twice", e.Tension))
		}
		seen[e.Tension] = true
		if math.IsNaN(e.Score) || math.IsInf(e.Score, 0) {
			wrong = append(wrong, fmt.Errorf("%s has the score %v", e.Tension, e.Score))
		}
		if i > 0 && e.Score > found[i-1].Score {
			wrong = append(wrong, fmt.Errorf("%s is better than what stands before it", e.Tension))
		}
		if len(e.Reasons) > maxReasons {
			wrong = append(wrong, fmt.Errorf("%s has %d reasons", e.Tension, len(e.Reasons)))
		}
		end := 0
		said := map[string]bool{}
		for _, r := range e.Reasons {
			if r.From < end || r.To <= r.From || r.To > len(text) {
				wrong = append(wrong, fmt.Errorf("%s: %v is no stretch of the text, or out of order", e.Tension, r))
				break
			}
			end = r.To
			if !whole(text, r) {
				wrong = append(wrong, fmt.Errorf("%s: %v cuts a word", e.Tension, r))
			}
			word := strings.ToLower(r.In(text))
			if said[word] {
				wrong = append(wrong, fmt.Errorf("%s: %v says the same again", e.Tension, r))
			}
			said[word] = true
		}
	}
	for _, t := range tensions {
		if !seen[t] {
			wrong = append(wrong, fmt.Errorf("%s is missing", t))
		}
	}
	if len(found) > len(tensions) {
		wrong = append(wrong, errors.New("there are more tensions than the library has"))
	}
	return errors.Join(wrong...)
}

// whole says whether a range begins and ends where words do.
func whole(text string, r bot.Range) bool {
	of := func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.Is(unicode.Mn, c) }
	first, _ := utf8.DecodeRuneInString(text[r.From:])
	bare := strings.TrimRightFunc(text[:r.From], func(c rune) bool { return unicode.Is(unicode.Mn, c) }) // marks alone are no word
	before, _ := utf8.DecodeLastRuneInString(bare)
	after, _ := utf8.DecodeRuneInString(text[r.To:])
	return utf8.ValidString(r.In(text)) && of(first) && !(bare != "" && of(before)) && !(r.To < len(text) && of(after))
}

// Run runs the contract. open gives a scorer of the library with those tensions; two of them are the same.
func Run(t *testing.T, tensions []prompts.TensionID, open func(*testing.T) bot.Scorer) {
	t.Run("a name with a version", func(t *testing.T) {
		s := open(t)
		if what, version, ok := strings.Cut(s.Name(), "/"); !ok || what == "" || version == "" || s.Name() != open(t).Name() {
			t.Errorf("%q", s.Name())
		}
	})
	t.Run("valid answers to anything", func(t *testing.T) {
		s := open(t)
		for _, text := range Texts() {
			found, err := s.Score(t.Context(), text, prompts.Dutch)
			if err != nil {
				t.Errorf("%.40q: %v", text, err)
			}
			if err := Check(text, tensions, found); err != nil {
				t.Errorf("%.40q: %v", text, err)
			}
		}
	})
	t.Run("the same answer each time", func(t *testing.T) {
		want := map[string][]bot.Evidence{}
		texts := Texts()[:12]
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		s := open(t)
		for range 100 {
			if random.IntN(10) == 0 {
				s = open(t)
			}
			random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
			for _, text := range texts {
				found, err := s.Score(t.Context(), text, prompts.English)
				if err != nil {
					t.Fatal(err)
				}
				if was, ok := want[text]; ok && !reflect.DeepEqual(was, found) {
					t.Fatalf("seed %d: %.40q: %v, before %v", seed, text, found, was)
				}
				want[text] = found
			}
		}
	})
	t.Run("many at once", func(t *testing.T) {
		s := open(t)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for _, text := range Texts()[:12] {
					found, err := s.Score(t.Context(), text, prompts.Dutch)
					if err := errors.Join(err, Check(text, tensions, found)); err != nil {
						t.Errorf("%.40q: %v", text, err)
					}
				}
			})
		}
		all.Wait()
	})
	t.Run("no text in an error", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Score(ctx, "SECRETWORD regel", prompts.Dutch); err != nil && strings.Contains(err.Error(), "SECRETWORD") {
			t.Error("an error holds the text")
		}
	})
}
