package bot

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/weerklank/weerklank/prompts"
)

// When a tension came back more or less than before: two blocks of rounds that did not ask it, far enough apart in both of
// two ways of looking. One share a block is assumed by the first; that prompts differ is repaired by the second.
const (
	blockRounds  = 12  // content rounds in a block
	blockUnasked = 6   // of which at least so many did not ask the tension
	blockTagged  = 30  // and hold so many tagged replies
	changeSure   = .99 // that the share grew, or by the same margin that it did not
	changeChance = .02 // how often rounds in any order may differ as much
	reshuffles   = 999
)

// grew is how certain it is that the share behind a second count is larger than that behind a first: P(θ2 > θ1), where
// θ ~ Beta(1 + tags, 9 + tagged − tags) for each.
func grew(tags1, tagged1, tags2, tagged2 int) float64 {
	prior := func(tags, tagged int) (a, b float64) {
		return float64(priorTags + tags), float64(priorNone + tagged - tags)
	}
	a1, b1 := prior(tags1, tagged1)
	a2, b2 := prior(tags2, tagged2)
	return larger(a1, b1, a2, b2)
}

// larger is P(θ2 > θ1) for two Beta distributions; a2 is a whole number.
func larger(a1, b1, a2, b2 float64) float64 {
	sum := 0.0
	for i := 0.0; i < a2; i++ {
		sum += math.Exp(logBeta(a1+i, b1+b2) - math.Log(b2+i) - logBeta(1+i, b2) - logBeta(a1, b1))
	}
	return min(sum, 1)
}

// byChance is the share of orders of the rounds, the real one and 999 others, in which the two blocks differ at least as
// much. It compares whole numbers, so that it is the same on every machine.
func byChance(before, now []roundCount, seed uint64) float64 {
	type pair struct{ tagged, tags int64 }
	all := make([]pair, 0, len(before)+len(now))
	var tagged, tags int64 // of both blocks together
	for _, c := range slices.Concat(before, now) {
		all = append(all, pair{int64(c.tagged), int64(c.tags)})
		tagged, tags = tagged+int64(c.tagged), tags+int64(c.tags)
	}
	for _, block := range [][]pair{all[:len(before)], all[len(before):]} { // whatever order they came in
		slices.SortFunc(block, func(a, b pair) int { return cmp.Or(cmp.Compare(a.tagged, b.tagged), cmp.Compare(a.tags, b.tags)) })
	}
	// How far the first rounds of all are from the rest, as a fraction.
	apart := func() (gap, of int64) {
		var n, y int64
		for _, p := range all[:len(before)] {
			n, y = n+p.tagged, y+p.tags
		}
		gap = (tags-y)*n - y*(tagged-n)
		return max(gap, -gap), n * (tagged - n)
	}
	gap, of := apart()
	random := rand.New(rand.NewPCG(seed, 0))
	count := 1
	for range reshuffles {
		for i := range before {
			j := i + random.IntN(len(all)-i)
			all[i], all[j] = all[j], all[i]
		}
		if g, o := apart(); o == 0 || g*of >= gap*o {
			count++
		}
	}
	return float64(count) / (reshuffles + 1)
}

// change compares a block with the one before, by the rounds that did not ask the tension. Else than more or less, no
// direction is hinted at.
func change(before, now []roundCount, seed uint64) StatementKind {
	before, now = unasked(before), unasked(now)
	n1, _ := sumOf(before)
	n2, _ := sumOf(now)
	if min(len(before), len(now)) < blockUnasked || min(n1, n2) < blockTagged {
		return SaidIncomparable
	}
	kind := differ(before, now, seed)
	if kind == SaidMore && !differsWithout(kind, now, before, seed) || kind == SaidLess && !differsWithout(kind, before, now, seed) {
		return SaidSame
	}
	return kind
}

// differ compares blocks of rounds that did not ask the tension.
func differ(before, now []roundCount, seed uint64) StatementKind {
	n1, y1 := sumOf(before)
	n2, y2 := sumOf(now)
	g := grew(y1, n1, y2, n2)
	switch {
	case g > 1-changeSure && g < changeSure || byChance(before, now, seed) > changeChance:
		return SaidSame
	case g >= changeSure:
		return SaidMore
	}
	return SaidLess
}

// differsWithout says whether a difference may be told: whichever round without a symbol held no tag, there must be numbers
// with the same symbols that give it too. Else it would follow that somebody named the tension in that round. It looks at
// symbols and at how many tagged alone, as whoever reads may. more is the block with more tags.
func differsWithout(kind StatementKind, more, less []roundCount, seed uint64) bool {
	numbers := func(block []roundCount, silent, named int) []roundCount {
		out := make([]roundCount, len(block))
		for i, c := range block {
			out[i] = roundCount{tagged: c.tagged, tags: min(c.tagged, silent)}
			if c.named() {
				out[i].tags = min(c.tagged, named)
			}
		}
		return out
	}
	empty := numbers(less, 0, minCell)
	tried := map[int]bool{} // rounds of one size are alike: the order within a block makes no difference
	for i, c := range more {
		if c.named() || c.tagged == 0 || tried[c.tagged] {
			continue
		}
		tried[c.tagged] = true
		if !slices.ContainsFunc([]int{minCell, minCell + 2, math.MaxInt}, func(named int) bool {
			full := numbers(more, minCell-1, named)
			full[i].tags = 0
			if kind == SaidMore {
				return differ(empty, full, seed) == kind
			}
			return differ(full, empty, seed) == kind
		}) {
			return false
		}
	}
	return true
}

func unasked(rounds []roundCount) (out []roundCount) {
	for _, c := range rounds {
		if !c.asked {
			out = append(out, c)
		}
	}
	return out
}

// changeSeed belongs to a team, a tension and a block, so that the same rounds always give the same answer.
func changeSeed(team TeamID, t prompts.TensionID, block int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(string(team) + "\x00" + string(t) + "\x00" + strconv.Itoa(block)))
	return h.Sum64()
}
