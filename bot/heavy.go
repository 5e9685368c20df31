package bot

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
)

// gapWords is how many words a lone * of a phrase may stand for.
const gapWords = 5

// FindHeavy gives the kinds of heavy disclosures that text may hold, the most urgent first, by the phrases of list
// (TRUST 6). It looks for whole words and knows no negation: what seems heavy and is not costs one question. It keeps and
// logs nothing, and reads any bytes.
func FindHeavy(text string, list []locale.HeavyWords) []locale.HeavyKind {
	s := spotter{scanned: scan(text), starts: map[string][]int{}}
	s.unite()
	s.ends = s.sentences()
	for i, w := range s.words {
		s.starts[head(w.fold)] = append(s.starts[head(w.fold)], i)
	}
	var found []locale.HeavyKind
	for _, kind := range locale.HeavyKinds() {
		for _, words := range list {
			if words.Kind == kind && !slices.Contains(found, kind) && s.holds(words) {
				found = append(found, kind)
			}
		}
	}
	return found
}

// unite makes one word of those that an apostrophe joins: collega's and collegas are one.
func (s *scanned) unite() {
	out := s.words[:0]
	for _, w := range s.words {
		if n := len(out); n > 0 && s.text[out[n-1].end:w.at] == "'" {
			out[n-1].end = w.end
			out[n-1].fold += w.fold
			continue
		}
		out = append(out, w)
	}
	s.words = out
}

// sentences gives for each word the index behind the last word of its sentence. A line that ends is no end: people press
// enter in the middle of what they say.
func (s *scanned) sentences() []int {
	ends := make([]int, len(s.words))
	for i := len(s.words) - 1; i >= 0; i-- {
		if i == len(s.words)-1 || s.stops(s.text[s.words[i].end:s.words[i+1].at]) {
			ends[i] = i + 1
		} else {
			ends[i] = ends[i+1]
		}
	}
	return ends
}

// stops says whether a sentence ends in what stands between two words; three dots are a breath.
func (s *scanned) stops(between string) bool {
	return strings.ContainsAny(between, "?!") || strings.Contains(between, ".") && !strings.Contains(between, "..")
}

// spotter finds phrases in a text: starts gives the words that begin with some letters, by index.
type spotter struct {
	*scanned
	ends   []int // for each word, behind the last word of its sentence
	starts map[string][]int
}

// holds says whether one of the phrases stands in the text and is no exception.
func (s spotter) holds(list locale.HeavyWords) bool {
	var excepted []bool // per word; made when a phrase is found
	for _, phrase := range list.Phrases {
		for span := range s.places(phrase) {
			if excepted == nil {
				excepted = make([]bool, len(s.words))
				for _, e := range list.Except {
					for span := range s.places(e) {
						for i := span[0]; i < span[1]; i++ {
							excepted[i] = true
						}
					}
				}
			}
			if !slices.Contains(excepted[span[0]:span[1]], true) {
				return true
			}
		}
	}
	return false
}

// places yields where a phrase stands: the index of its first word and that behind its last.
func (s spotter) places(phrase locale.Phrase) iter.Seq[[2]int] {
	return func(yield func([2]int) bool) {
		for _, alternative := range phrase[0] {
			for _, i := range s.starts[head(fold(alternative))] {
				if !isWord(s.words[i].fold, alternative) {
					continue
				}
				if end := s.follows(phrase[1:], i+1, s.ends[i]); end > 0 && !yield([2]int{i, end}) {
					return
				}
			}
		}
	}
}

// head gives the first three letters of a word, as it is looked up, or all of a shorter one.
func head(w string) string {
	n := 0
	for range 3 {
		_, size := utf8.DecodeRuneInString(w[n:])
		n += size
	}
	return w[:n]
}

// isWord says whether a word of the text is an alternative of a phrase.
func isWord(w, alternative string) bool {
	stem, open := strings.CutSuffix(fold(alternative), "*")
	return w == stem || open && strings.HasPrefix(w, stem)
}

// follows says where the rest of a phrase ends that begins at word i and has to end before word last, or 0.
func (s spotter) follows(rest locale.Phrase, i, last int) int {
	if len(rest) == 0 {
		return i
	}
	if rest[0] == nil {
		for gap := 0; gap <= gapWords && i+gap <= last; gap++ {
			if end := s.follows(rest[1:], i+gap, last); end > 0 {
				return end
			}
		}
		return 0
	}
	if i >= last {
		return 0
	}
	for _, alternative := range rest[0] {
		if isWord(s.words[i].fold, alternative) {
			return s.follows(rest[1:], i+1, last)
		}
	}
	return 0
}
