package bot

import "math"

// ruleVersion is the version of the rules below; every statement says which it was made by.
const ruleVersion = 1

// When a tension keeps coming back: its share of the replies is over a tenth with nine tenths certainty, and not by one
// loud round or one loud voice. One reply a person and round makes three tags in a round three people; over rounds nobody
// can be followed, so that rounds are counted.
const (
	ruleShare  = 0.10
	ruleSure   = 0.90
	ruleRounds = 3 // with a tag
	rulePair   = 2 // tags in at least one round: a second person
	ruleTags   = 5
	priorTags  = 1 // of ten imagined replies, equal for every team
	priorNone  = 9
)

// A basis is what a count rests on: the rounds of a window that did not ask a tension, if there are enough. Three would let
// it be told of single rounds what was in them.
const minBasis = 4

// roundCount is what one round says about one tension.
type roundCount struct {
	asked      bool
	tagged     int // replies with a tension, something else or none
	tags       int // replies with this tension
	mirrorTags int // of tags: those that a mirror showed their author first
}

// named says whether a round shows a symbol for three or more.
func (c roundCount) named() bool { return c.tags >= minCell }

// sumOf is what rounds say together.
func sumOf(rounds []roundCount) (tagged, tags int) {
	for _, c := range rounds {
		tagged, tags = tagged+c.tagged, tags+c.tags
	}
	return tagged, tags
}

// overTenth is how certain it is that a tension's share of the replies is over a tenth: P(θ > 0.10) for
// θ ~ Beta(1 + tags, 9 + tagged − tags), which is P(Binomial(tagged + 9, 0.10) ≤ tags).
func overTenth(tags, tagged int) float64 {
	n := tagged + priorTags + priorNone - 1
	if tags >= n {
		return 1
	}
	p, q := math.Log(ruleShare), math.Log1p(-ruleShare)
	sum := 0.0
	for k := range tags + 1 {
		sum += math.Exp(logChoose(n, k) + float64(k)*p + float64(n-k)*q)
	}
	return min(sum, 1)
}

// leastTags is the smallest number of tags among so many tagged replies that may be a tension that comes back.
func leastTags(tagged int) int {
	y := ruleTags
	for overTenth(y, tagged) < ruleSure {
		y++
	}
	return y
}

// holds says whether the rule holds for a basis.
func holds(basis []roundCount) bool {
	rounds, pair := 0, false
	for _, c := range basis {
		if c.tags > 0 {
			rounds++
		}
		pair = pair || c.tags >= rulePair
	}
	tagged, tags := sumOf(basis)
	return rounds >= ruleRounds && pair && tags >= ruleTags && overTenth(tags, tagged) >= ruleSure
}

// recurs says whether a tension keeps coming back, over a basis: the rule must hold without the tags that a mirror suggested,
// so that the program can never make one. Who tagged by a mirror stays among those who tagged: a reply may have a tag of its
// author's beside it, and fewer tagged would make the rule easier.
func recurs(basis []roundCount) bool {
	own := make([]roundCount, len(basis))
	for i, c := range basis {
		own[i] = roundCount{asked: c.asked, tagged: c.tagged, tags: c.tags - c.mirrorTags}
	}
	return holds(own) // and so with them too
}

// tellable says whether it may be told that the rule holds for a basis: not if it would follow that somebody named the
// tension in one certain round that shows no symbol. Whoever reads sees the symbols, and may know how many tagged: so the
// rule must be able to hold without any such round.
//
// That the rule does not hold can tell something too, and rarely does: where one tag more in any round without a symbol would
// have made it hold, nobody named the tension in those rounds (two rounds of five with three tags each, four with none). It
// accuses nobody, and happens in about one window of a thousand. Saying the weaker word wherever it could happen would take
// the word from half of the teams of ten and all teams of five that reach it now.
func tellable(basis []roundCount) bool {
	most := make([]roundCount, len(basis))
	for i, c := range basis {
		most[i] = roundCount{tagged: c.tagged, tags: c.tagged}
		if !c.named() {
			most[i].tags = min(c.tagged, minCell-1)
		}
	}
	for i, c := range basis {
		if c.named() {
			continue
		}
		had := most[i].tags
		most[i].tags = 0
		if had > 0 && !holds(most) {
			return false
		}
		most[i].tags = had
	}
	return true
}

// basisOf picks what a count over a window rests on; asked says that it is all rounds, those that asked the tension too.
func basisOf(window []roundCount) (basis []roundCount, asked bool) {
	for _, c := range window {
		if !c.asked {
			basis = append(basis, c)
		}
	}
	if len(basis) >= minBasis {
		return basis, false
	}
	return window, true
}

// verdict says what a closed window comes to for a tension: the rule and the symbols give one answer, and where they differ
// the weaker word stands. nil of a window that is too short.
func verdict(window []roundCount) (kind StatementKind, basis []roundCount) {
	if len(window) < minBasis {
		return "", nil
	}
	basis, onAsked := basisOf(window)
	dots, diamonds := symbols(window)
	met := recurs(basis) && tellable(basis)
	switch {
	case met && onAsked:
		return SaidAsked, basis
	case met && dots >= 3:
		return SaidOften, basis
	case met && (dots == 2 || dots == 1 && diamonds >= 2):
		return SaidRecurring, basis
	case met:
		return SaidSmall, basis
	case dots+diamonds > 0:
		return SaidMentioned, basis
	}
	return SaidUnseen, basis
}

// symbols counts the rounds in which three or more named a tension, not asked and asked.
func symbols(rounds []roundCount) (dots, diamonds int) {
	for _, c := range rounds {
		switch {
		case c.named() && c.asked:
			diamonds++
		case c.named():
			dots++
		}
	}
	return dots, diamonds
}

func logChoose(n, k int) float64 {
	return lgamma(float64(n+1)) - lgamma(float64(k+1)) - lgamma(float64(n-k+1))
}

func logBeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
