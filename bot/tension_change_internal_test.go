package bot

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// largerFaults says what is wrong with a way of comparing two Beta distributions.
func largerFaults(f func(a1, b1, a2, b2 float64) float64) (wrong []string) {
	for _, v := range [][5]float64{{3, 20, 5, 18, .79397}, {5, 18, 3, 20, .20603}, {13, 176, 25, 164, .98172}} {
		if got := f(v[0], v[1], v[2], v[3]); math.Abs(got-v[4]) > 1e-5 {
			wrong = append(wrong, fmt.Sprintf("%v: %.6f", v, got))
		}
	}
	for a1 := 1.0; a1 < 30; a1 += 7 { // one is larger or the other is
		for a2 := 1.0; a2 < 90; a2 += 11 {
			for _, b := range []float64{1, 9, 33, 400} {
				if sum := f(a1, b, a2, 2*b) + f(a2, 2*b, a1, b); math.Abs(sum-1) > 1e-9 {
					wrong = append(wrong, fmt.Sprintf("%v %v %v: together %.10f", a1, a2, b, sum))
				}
			}
		}
	}
	return wrong
}

func TestLarger(t *testing.T) {
	for _, w := range largerFaults(larger) {
		t.Error(w)
	}
	short := func(a1, b1, a2, b2 float64) float64 { return larger(a1, b1, a2-1, b2) }
	if len(largerFaults(short)) == 0 {
		t.Error("planted violation passed: a term is missing")
	}
}

// calls is how often a comparison of two blocks of twelve rounds finds a difference.
func calls(compare func(before, now []roundCount, seed uint64) StatementKind, runs, n int, before, now, rho float64) (more, less float64) {
	random := rand.New(rand.NewPCG(17, 0))
	for run := range runs {
		a, b := rowOf(random, blockRounds, n, before, rho), rowOf(random, blockRounds, n, now, rho)
		switch compare(a, b, uint64(run)) {
		case SaidMore:
			more++
		case SaidLess:
			less++
		}
	}
	return more / float64(runs), less / float64(runs)
}

// changeFaults holds a comparison to what was measured with 1,500 runs a cell.
func changeFaults(compare func(before, now []roundCount, seed uint64) StatementKind, table [3][6]float64) (wrong []string) {
	runs, near := simulated(1500, 200, .02)
	cells := []struct{ before, now, rho float64 }{{.15, .15, 0}, {.15, .15, .05}, {.15, .15, .10}, {.10, .20, 0}, {.15, .30, 0}, {.10, .30, 0}}
	for i, n := range []int{5, 10, 20} {
		for k, c := range cells {
			more, less := calls(compare, runs, n, c.before, c.now, c.rho)
			got, want := more+less, table[i][k]
			if c.before != c.now {
				got = more
				if less > .01 {
					wrong = append(wrong, fmt.Sprintf("%d tagged, %.2f to %.2f: less in %.3f", n, c.before, c.now, less))
				}
			}
			tolerated := near(got, want)
			if c.before == c.now {
				tolerated = got <= .03 || !long() && near(got, .03)
			} else if long() { // both were measured with as many runs: two standard errors
				tolerated = math.Abs(got-want) <= .02+2*math.Sqrt(2*want*(1-want)/1500)
			}
			if !tolerated {
				wrong = append(wrong, fmt.Sprintf("%d tagged a round, %.2f to %.2f, alike by %.2f: %.3f, want %.2f", n, c.before, c.now, c.rho, got, want))
			}
		}
	}
	return wrong
}

// What changed is found, and what did not is not, whether or not replies of a round resemble each other (WEERKLANK_LONG=1:
// 1,500 runs a cell).
func TestChange(t *testing.T) {
	for _, w := range changeFaults(change, [3][6]float64{
		{.01, .02, .01, .15, .29, .56},
		{.01, .02, .02, .36, .59, .92},
		{.01, .01, .02, .71, .91, 1},
	}) {
		t.Error(w)
	}
	alone := func(before, now []roundCount, _ uint64) StatementKind { // without a look at how prompts differ
		n1, y1 := sumOf(before)
		n2, y2 := sumOf(now)
		switch g := grew(y1, n1, y2, n2); {
		case g >= changeSure:
			return SaidMore
		case g <= 1-changeSure:
			return SaidLess
		}
		return SaidSame
	}
	runs, _ := simulated(1500, 200, 0)
	if more, less := calls(alone, runs, 20, .15, .15, .10); more+less < .08 {
		t.Errorf("planted violation passed: one way of looking alone calls %.3f", more+less)
	}
	if more, _ := calls(change, runs, 10, .10, .30, 0); more < .85 && (long() || more < .85-3.5*math.Sqrt(.08*.92/float64(runs))) {
		t.Errorf("a tenth to three tenths is found in %.3f", more)
	}
}

// What cannot be compared is not: too few rounds that did not ask the tension, too few replies, the same in both directions.
func TestComparable(t *testing.T) {
	block := func(n, tagged, tags, asked int) []roundCount {
		out := make([]roundCount, n)
		for i := range out {
			out[i] = roundCount{asked: i < asked, tagged: tagged, tags: tags}
		}
		return out
	}
	for _, c := range []struct {
		name        string
		before, now []roundCount
		want        StatementKind
	}{
		{"much more", block(12, 8, 0, 0), block(12, 8, 4, 0), SaidMore},
		{"much less", block(12, 8, 4, 0), block(12, 8, 0, 0), SaidLess},
		{"the same", block(12, 8, 2, 0), block(12, 8, 2, 0), SaidSame},
		{"six rounds did not ask", block(12, 8, 0, 6), block(12, 8, 4, 6), SaidMore},
		{"five rounds did not ask", block(12, 8, 0, 6), block(12, 8, 4, 7), SaidIncomparable},
		{"five before", block(12, 8, 0, 7), block(12, 8, 4, 6), SaidIncomparable},
		{"thirty tagged", block(6, 5, 0, 0), block(6, 5, 4, 0), SaidMore},
		{"fewer tagged", block(6, 5, 0, 0), append(block(5, 5, 4, 0), roundCount{tagged: 4, tags: 4}), SaidIncomparable},
		{"only where it was asked", append(block(6, 8, 0, 6), block(6, 8, 2, 0)...), append(block(6, 8, 8, 6), block(6, 8, 2, 0)...), SaidSame},
		{"one loud round", block(12, 8, 1, 0), append(block(11, 8, 1, 0), roundCount{tagged: 60, tags: 60}), SaidSame},
		{"nobody tags", block(12, 0, 0, 0), block(12, 0, 0, 0), SaidIncomparable},
	} {
		if got := change(c.before, c.now, 1); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// That a tension came back more or less is not told where it would follow that somebody named it in one certain round
// without a symbol: for whatever is told there are other numbers with the same symbols, one of that round nought, that are
// told the same.
func TestNoRoundOfABlockIsDetermined(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 0))
	runs := 150
	if long() {
		runs = 3000
	}
	faults := func(compare func(before, now []roundCount, seed uint64) StatementKind) (told, wrong int) {
		for run := range runs {
			n := []int{5, 5, 6, 8, 10}[run%5]
			rounds := 6 + run%7
			before, now := make([]roundCount, rounds), make([]roundCount, rounds)
			for i := range rounds { // all but nothing and small numbers, as near to the edge as can be
				before[i] = roundCount{tagged: n, tags: random.IntN(20) / 19}
				now[i] = roundCount{tagged: n, tags: min(1+random.IntN(2), n)}
				if random.IntN(8) == 0 {
					now[i].tags = 3
				}
			}
			if run%2 == 1 {
				before, now = now, before
			}
			seed := uint64(run)
			kind := compare(before, now, seed)
			if kind != SaidMore && kind != SaidLess {
				continue
			}
			told++
			for i := range 2 * rounds {
				if !unproven(compare, kind, before, now, i, seed) {
					wrong++
				}
			}
		}
		return told, wrong
	}
	if told, wrong := faults(change); wrong > 0 || told < runs/4 {
		t.Errorf("%d rounds are determined by %d statements", wrong, told)
	}
	if _, wrong := faults(differ); wrong == 0 {
		t.Error("planted violation passed: without the check nothing is determined either")
	}
}

// unproven looks for numbers with the same symbols, of which round i is nought, that are told the same.
func unproven(compare func(before, now []roundCount, seed uint64) StatementKind, kind StatementKind, before, now []roundCount, i int, seed uint64) bool {
	for try := range 6 {
		a, b := append([]roundCount(nil), before...), append([]roundCount(nil), now...)
		for k, block := range [][]roundCount{a, b} {
			high := (kind == SaidMore) == (k == 1)
			for j := range block {
				switch {
				case !block[j].named() && high:
					block[j].tags = 2
				case !block[j].named():
					block[j].tags = 0
				case high:
					block[j].tags = min(3+try, block[j].tagged)
				default:
					block[j].tags = 3
				}
			}
		}
		round := &a[i%len(a)]
		if i >= len(a) {
			round = &b[i-len(a)]
		}
		if round.named() {
			return true
		}
		round.tags = 0
		if compare(a, b, seed) == kind {
			return true
		}
	}
	return false
}

// The order of the rounds within a block makes no difference.
func TestChangeKnowsNoOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(29, 0))
	for range 50 {
		a, b := rowOf(random, 12, 8, .1, 0), rowOf(random, 12, 8, .22, 0)
		p, kind := byChance(a, b, 5), change(a, b, 5)
		random.Shuffle(12, func(i, j int) { a[i], a[j] = a[j], a[i] })
		random.Shuffle(12, func(i, j int) { b[i], b[j] = b[j], b[i] })
		if byChance(a, b, 5) != p || change(a, b, 5) != kind {
			t.Fatal("another order, another answer")
		}
	}
}
