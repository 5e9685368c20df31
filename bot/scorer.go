package bot

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/weerklank/weerklank/prompts"
)

// A Scorer guesses which tensions a text is about. A guess is shown to its author at most, and counted nowhere.
//
// The same text always gets the same answer. A Scorer is safe for concurrent use, writes no text to a log and puts none in
// an error. One that needs a network asks only where the operator said so.
type Scorer interface {
	// Name is implementation and version: "lexicon/3fa9…". Thresholds and gate counters belong to it.
	Name() string
	// Score returns one Evidence for each tension, the best first. lang is the team's language; a text may be in another.
	Score(ctx context.Context, text string, lang prompts.Lang) ([]Evidence, error)
}

// Evidence is what a Scorer found of one tension.
type Evidence struct {
	Tension prompts.TensionID
	Score   float64 // comparable within one scorer only
	Reasons []Range // whole words, in the order of the text; none: may order, may not speak
}

// Range is a stretch of a text in bytes.
type Range struct{ From, To int }

// In returns the words of text that a range covers.
func (r Range) In(text string) string { return text[r.From:r.To] }

// rank sorts evidence by score. Ties stay in the order they came in: the one fixed order of tensions.
func rank(found []Evidence) {
	slices.SortStableFunc(found, func(a, b Evidence) int { return cmp.Compare(b.Score, a.Score) })
}

// AskedFirst sorts evidence for display beside a question that asked about tensions: those weigh a little more. What the
// author is shown never depends on it.
func AskedFirst(found []Evidence, asked ...prompts.TensionID) []Evidence {
	weight := func(e Evidence) float64 {
		if slices.Contains(asked, e.Tension) {
			return e.Score + 0.6
		}
		return e.Score
	}
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b Evidence) int { return cmp.Compare(weight(b), weight(a)) })
	return found
}

// Mode is how sure a scorer must be before its guess is shown.
type Mode string

// The modes. Strict is right nearly each time it speaks, and speaks to those who nearly say it themselves.
const (
	Strict  Mode = "strict"
	Relaxed Mode = "relaxed"
)

// Speaks says whether evidence, the best first, is enough for a mode, whatever its gate.
func (m Mode) Speaks(found []Evidence) bool {
	if len(found) == 0 || len(found[0].Reasons) == 0 {
		return false
	}
	if m == Relaxed {
		return found[0].Score >= 1
	}
	return found[0].Score >= 2.5 && (len(found) == 1 || found[0].Score-found[1].Score >= 0.6)
}

// Judged counts, for one tension and one mode, how often a scorer would have spoken about replies that their authors
// tagged from the list, and how often it was right. It knows no reply, round or team.
type Judged struct {
	Spoke int `json:"spoke"`
	Right int `json:"right"`
}

// Modes is Judged for both modes.
type Modes struct {
	Strict  Judged `json:"strict"`
	Relaxed Judged `json:"relaxed"`
}

const (
	enoughJudged = 20
	enoughRight  = 0.70
	wilsonZ      = 1.2816 // one-sided, 90 %
)

// Trusted says whether enough was judged and, allowing for chance, at least 70 of 100 were right: 17 of 20, 25 of 30.
func (j Judged) Trusted() bool {
	return j.Spoke >= enoughJudged && wilson(j.Right, j.Spoke) >= enoughRight
}

// Doubted says whether enough was judged and fewer than 70 of 100 were right.
func (j Judged) Doubted() bool {
	return j.Spoke >= enoughJudged && float64(j.Right) < enoughRight*float64(j.Spoke)-1e-9
}

// wilson is the lower bound of Wilson's interval for right of spoke.
func wilson(right, spoke int) float64 {
	if spoke <= 0 {
		return 0
	}
	n, z2 := float64(spoke), wilsonZ*wilsonZ
	p := float64(right) / n
	return (p + z2/(2*n) - wilsonZ*math.Sqrt(p*(1-p)/n+z2/(4*n*n))) / (1 + z2/n)
}

// Open says whether a mode may speak about a tension. Strict of the built-in scorer starts open and closes when it is
// doubted; everything else starts closed and opens when it is trusted.
func (m Mode) Open(scorer string, judged Modes) bool {
	switch {
	case m == Relaxed:
		return judged.Relaxed.Trusted()
	case strings.HasPrefix(scorer, lexiconName+"/"):
		return !judged.Strict.Doubted()
	}
	return judged.Strict.Trusted()
}

// Mirror picks what an author who does not know may be shown: the best tension, if a mode speaks and is open for it.
func Mirror(scorer string, found []Evidence, judged map[prompts.TensionID]Modes) (Evidence, bool) {
	for _, m := range []Mode{Strict, Relaxed} {
		if m.Speaks(found) && m.Open(scorer, judged[found[0].Tension]) {
			return found[0], true
		}
	}
	return Evidence{}, false
}

// Judge adds to the totals what each mode would have said about a reply that its author tagged from the list.
func Judge(judged map[prompts.TensionID]Modes, found []Evidence, tags []prompts.TensionID) {
	if len(found) == 0 {
		return
	}
	t := found[0].Tension
	right := slices.Contains(tags, t)
	now := judged[t]
	for _, one := range []struct {
		mode Mode
		j    *Judged
	}{{Strict, &now.Strict}, {Relaxed, &now.Relaxed}} {
		if one.mode.Speaks(found) {
			one.j.Spoke++
			if right {
				one.j.Right++
			}
		}
	}
	if now != (Modes{}) {
		judged[t] = now
	}
}
