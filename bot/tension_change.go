package bot

import (
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
	var all []pair
	var tagged, tags int64 // of both blocks together
	for _, c := range slices.Concat(before, now) {
		all = append(all, pair{int64(c.tagged), int64(c.tags)})
		tagged, tags = tagged+int64(c.tagged), tags+int64(c.tags)
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
	n1, y1 := sumOf(before)
	n2, y2 := sumOf(now)
	if min(len(before), len(now)) < blockUnasked || min(n1, n2) < blockTagged {
		return SaidIncomparable
	}
	g := grew(y1, n1, y2, n2)
	if g > 1-changeSure && g < changeSure || byChance(before, now, seed) > changeChance {
		return SaidSame
	}
	if g >= changeSure {
		return SaidMore
	}
	return SaidLess
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
