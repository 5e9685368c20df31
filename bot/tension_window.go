package bot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/weerklank/weerklank/prompts"
)

// Of what comes back is spoken only when a window closes, of what changed only when a block does: counting anew after every
// round would find something by chance, and would give single rounds away by subtraction. Windows and blocks are counted
// from the tallies on each use; only what was said is kept.
const (
	windowRounds = 6
	windowWeeks  = 40
)

// StatementKind is what is said of a tension.
type StatementKind string

// What is said of a tension when a window closes, the weakest first, and when a block closes.
const (
	SaidUnseen    StatementKind = "unseen"    // no round shows it, and the rule does not hold
	SaidMentioned StatementKind = "mentioned" // a round shows it; no more is said
	SaidAsked     StatementKind = "asked"     // the rule holds, as far as the tension was asked
	SaidSmall     StatementKind = "small"     // the rule holds, mostly by numbers that no round shows
	SaidRecurring StatementKind = "recurring"
	SaidOften     StatementKind = "often"

	SaidHalf StatementKind = "half" // of the window itself: fewer than half chose a tension

	SaidMore         StatementKind = "more"
	SaidLess         StatementKind = "less"
	SaidSame         StatementKind = "same"
	SaidIncomparable StatementKind = "incomparable"
)

// strength orders what is said of a window.
var strength = []StatementKind{"", SaidUnseen, SaidMentioned, SaidAsked, SaidSmall, SaidRecurring, SaidOften}

// ofWindow says whether a statement is about a tension in a window.
func (k StatementKind) ofWindow() bool { return k != "" && slices.Contains(strength, k) }

// comesBack says whether it was said that a tension keeps coming back.
func (k StatementKind) comesBack() bool { return k == SaidRecurring || k == SaidOften }

// Statement is one thing that was said of a tension, with what it rests on. It is final: whatever becomes of replies,
// definitions or rules, its words are made of it alone.
type Statement struct {
	Kind    StatementKind     `json:"kind"`
	Tension prompts.TensionID `json:"tension,omitempty"`
	Label   prompts.Text      `json:"label,omitempty"` // as the tension was called
	Rounds  []int             `json:"rounds"`          // the rounds it rests on, by their number in the team's life
	Sense   string            `json:"sense,omitempty"`
	Library string            `json:"library"` // hash of the senses of all tensions
	Rule    int               `json:"rule"`

	Of       int `json:"of"`       // rounds in the window or block
	Basis    int `json:"basis"`    // of these: those that count
	Dots     int `json:"dots"`     // of these: three or more, not asked
	Diamonds int `json:"diamonds"` // of the window: three or more, asked
	Tagged   int `json:"tagged"`
	Tags     int `json:"tags"`

	BasisBefore  int `json:"basis_before,omitempty"` // in the block before
	TaggedBefore int `json:"tagged_before,omitempty"`
	TagsBefore   int `json:"tags_before,omitempty"`
}

// window is a row of content rounds that has closed.
type window struct {
	by     Round // at whose give-back it closed
	rounds []Round
}

// inOrder are a team's question rounds that have ended, oldest first, whatever the order they come in.
func inOrder(rounds []Round) []Round {
	rounds = slices.DeleteFunc(slices.Clone(rounds), func(r Round) bool {
		return r.Kind != RoundQuestion || r.State != RoundGivenBack && r.State != RoundTooFew && r.State != RoundLost
	})
	slices.SortStableFunc(rounds, func(a, b Round) int {
		return cmp.Or(a.Due.Compare(b.Due), a.Opens.Compare(b.Opens), cmp.Compare(a.ID, b.ID))
	})
	return rounds
}

// windows are a team's closed windows, oldest first: six content rounds, fewer if the season ends or forty weeks are over,
// but never fewer than four. What a season leaves with fewer runs on in the next. Each round is in one window at most.
func windows(rounds []Round) (closed []window) {
	var open []Round
	for _, r := range inOrder(rounds) {
		if r.State == RoundLost { // nothing was given back with it
			continue
		}
		ended := len(open) > 0 && open[len(open)-1].Season != r.Season && len(open) >= minBasis // without a last give-back
		late := len(open) > 0 && r.Closes.After(open[0].Opens.AddDate(0, 0, 7*windowWeeks))
		if ended || late {
			if len(open) >= minBasis {
				closed = append(closed, window{r, open})
			}
			open = nil
		}
		if hasContent(r) {
			open = append(open, r)
		}
		if len(open) == windowRounds || r.Ends && len(open) >= minBasis {
			closed = append(closed, window{r, open})
			open = nil
		}
	}
	return closed
}

// blocks are a team's closed blocks of twelve content rounds, oldest first, across seasons.
func blocks(rounds []Round) [][]Round {
	content := slices.DeleteFunc(inOrder(rounds), func(r Round) bool { return !hasContent(r) })
	return slices.Collect(slices.Chunk(content[:len(content)/blockRounds*blockRounds], blockRounds))
}

// senseIn is the sense in which a tension could be tagged in a round; ok is false if it was not on the list. A tally from
// before senses were kept has none: it counts with its like only.
func senseIn(t *Tally, id prompts.TensionID) (sense string, ok bool) {
	if t.Senses == nil {
		return "", true
	}
	sense, ok = t.Senses[id]
	return sense, ok
}

// ofSense leaves the rounds in which a tension could be tagged in the sense that it had in the last of them, or in one that means
// the same. Where it means something else by now, no round is left: what was tagged must not be told under another name.
func ofSense(rounds []Round, t prompts.Tension) (of []Round, sense string) {
	sense, ok := senseIn(rounds[len(rounds)-1].Tally, t.ID)
	if !ok || sense != "" && !t.Means(sense) {
		return nil, ""
	}
	for _, r := range rounds {
		if s, ok := senseIn(r.Tally, t.ID); ok && (s == sense || s != "" && sense != "" && t.Means(s)) {
			of = append(of, r)
		}
	}
	return of, sense
}

// countsOf are what rounds say about a tension.
func countsOf(rounds []Round, id prompts.TensionID) []roundCount {
	out := make([]roundCount, len(rounds))
	for i, r := range rounds {
		c := roundCount{asked: slices.Contains(r.Tally.Asked, id), tagged: r.Tally.Tagged, tags: r.Tally.Tags[id], mirrorTags: r.Tally.Mirror[id]}
		for _, n := range r.Tally.Mirror { // a mirror is asked after "I do not know" alone: a reply has one such tag at most
			c.mirrored += n
		}
		out[i] = c
	}
	return out
}

func numbersOf(rounds []Round, asked func(Round) bool) (out []int) {
	for _, r := range rounds {
		if asked(r) {
			out = append(out, r.Number)
		}
	}
	return out
}

// conclude says what a closed window comes to, in the one fixed order of the tensions.
func conclude(w window, lib *prompts.Library) []Statement {
	all := Statement{Library: libraryHash(lib), Rule: ruleVersion, Of: len(w.rounds)}
	var out []Statement
	if halfTagged(w.rounds, lib) {
		s := all
		s.Kind, s.Rounds, s.Basis = SaidHalf, numbersOf(w.rounds, func(Round) bool { return true }), len(w.rounds)
		out = append(out, s)
	}
	for _, t := range lib.Tensions {
		rounds, sense := ofSense(w.rounds, t)
		counts := countsOf(rounds, t.ID)
		kind, basis := verdict(counts)
		if kind == "" {
			continue
		}
		s := all
		s.Kind, s.Tension, s.Label, s.Sense = kind, t.ID, t.Label, sense
		whole := len(basis) == len(rounds)
		s.Rounds = numbersOf(rounds, func(r Round) bool { return whole || !slices.Contains(r.Tally.Asked, t.ID) })
		s.Basis = len(basis)
		s.Dots, s.Diamonds = symbols(counts)
		s.Tagged, s.Tags = sumOf(basis)
		out = append(out, s)
	}
	return out
}

// compare says how the block of that number, from one, differs from the one before.
func compare(team TeamID, number int, before, now []Round, lib *prompts.Library) []Statement {
	all := Statement{Library: libraryHash(lib), Rule: ruleVersion, Of: blockRounds}
	var out []Statement
	for _, t := range lib.Tensions {
		both, sense := ofSense(slices.Concat(before, now), t)
		last := before[len(before)-1]
		split := slices.IndexFunc(both, func(r Round) bool { return r.Due.After(last.Due) })
		if split < 0 {
			split = len(both)
		}
		a, b := countsOf(both[:split], t.ID), countsOf(both[split:], t.ID)
		s := all
		s.Kind, s.Tension, s.Label, s.Sense = change(a, b, changeSeed(team, t.ID, number)), t.ID, t.Label, sense
		s.Rounds = numbersOf(both, func(r Round) bool { return !slices.Contains(r.Tally.Asked, t.ID) })
		a, b = unasked(a), unasked(b)
		s.Basis, s.BasisBefore = len(b), len(a)
		s.Dots, _ = symbols(b)
		s.TaggedBefore, s.TagsBefore = sumOf(a)
		s.Tagged, s.Tags = sumOf(b)
		out = append(out, s)
	}
	return out
}

// Statements are what a team is told at the give-back of a round, which is one of rounds: of the windows and the block that
// close with it. Usually none.
func Statements(team TeamID, rounds []Round, id RoundID, lib *prompts.Library) (out []Statement) {
	for _, w := range windows(rounds) {
		if w.by.ID == id {
			out = append(out, conclude(w, lib)...)
		}
	}
	all := blocks(rounds)
	if n := len(all); n >= 2 && all[n-1][blockRounds-1].ID == id {
		out = append(out, compare(team, n, all[n-2], all[n-1], lib)...)
	}
	return out
}

// halfTagged says whether fewer than half of a window's replies chose a tension, where that may be told: of the replies that
// chose anything at least two more must be possible than the window's symbols show, as in a single round (halfFrom).
func halfTagged(rounds []Round, lib *prompts.Library) bool {
	tagged, respondents, least, shown := 0, 0, 0, 0
	for _, r := range rounds {
		tagged += r.Tally.Tagged
		respondents += r.Tally.Respondents
		few, _ := between(r.Tally, r.MinReplies)
		least += few
		if slices.ContainsFunc(lib.Tensions, func(t prompts.Tension) bool { return r.Tally.Tags[t.ID] >= minCell }) {
			shown += minCell
		}
	}
	return 2*tagged < respondents && least >= 2*(shown+minCell-1)+1
}

// comingBack are the tensions of which the last window that closed said that they keep coming back.
func comingBack(rounds []Round) []prompts.TensionID {
	for _, r := range slices.Backward(inOrder(rounds)) {
		if !slices.ContainsFunc(r.Statements, func(s Statement) bool { return s.Kind.ofWindow() }) {
			continue
		}
		var ids []prompts.TensionID
		for _, s := range r.Statements {
			if s.Kind.comesBack() {
				ids = append(ids, s.Tension)
			}
		}
		return ids
	}
	return nil
}

// libraryHash is a hash of what all tensions of a library mean, in their order.
func libraryHash(lib *prompts.Library) string {
	h := sha256.New()
	for _, t := range lib.Tensions {
		h.Write([]byte(string(t.ID) + "\x00" + t.Sense() + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
