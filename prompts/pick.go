package prompts

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// Asked is one prompt that a team was asked before; History holds them oldest first.
type Asked struct {
	Prompt    ID
	Family    string
	Kind      Kind
	Tensions  []TensionID
	Intensity int
	At        time.Time
	Slot      Slot
}

// Slot is what a round's place in the rhythm asks for.
type Slot string

// The slots. SlotMain takes a dilemma (or a look-back that is due, or the quarter's value prompt); SlotLight takes an
// appreciative or practice prompt, alternating.
const (
	SlotMain  Slot = "main"
	SlotLight Slot = "light"
)

// Situation is everything Pick looks at besides the library: facts about one team at one moment.
type Situation struct {
	Audience     []AudienceID // the team's; empty: the team may get every prompt
	History      []Asked      // oldest first
	Round        int          // number of the round to be asked in the team's life, from 1
	Slot         Slot
	SameTension  TensionID // four-beat's light beat stays in the tension of its dilemma; empty: no wish
	At           time.Time // the opening moment
	MaxIntensity int       // ceiling of the rhythm: weekly 2, others 3
	Rested       bool      // four weeks or more without a round: intensity 1
	FirstSeason  bool      // the first round of a first season takes an onboarding prompt
	Periods      []string  // named periods in force at At: "elections", "after-incident"
	Recurring    []TensionID
	Missed       map[ID]int // in how many teams "does not touch me" prevailed
	LookBackDue  bool       // an agreement is due to be looked back on
	Seed         uint64     // from team and round number: breaks ties
}

// Reason is one fact that led to a choice, for "why this question?". Key names a text of the catalogue; the fields
// used depend on it.
type Reason struct {
	Key      string // "audience", "everyone", "onboarding", "look-back", "value", "light", "recurring", "tension-rest", "tension-new", "from-team", "never-asked", "asked-before", "relaxed"
	Audience AudienceID
	Tension  TensionID
	Rounds   int
}

// Choice is the prompt to ask and why.
type Choice struct {
	Prompt  Prompt
	Reasons []Reason
	Relaxed []string // filters that were dropped, in the order of dropping: "ramp", "audience", "family", "light"
}

// Light says whether a prompt is one of the light ones.
func (p Prompt) Light() bool { return p.Kind == Appreciative || p.Kind == Practice }

func (p Prompt) fits(audience []AudienceID) (own, fits bool) {
	for _, a := range p.Audience {
		if a == Everyone {
			fits = true
		}
		if slices.Contains(audience, a) {
			own = true
		}
	}
	for _, not := range p.NotFor {
		if slices.Contains(audience, not) {
			return false, false
		}
	}
	return own, own || fits || len(audience) == 0
}

// weeks are counted in days, so that a change of clocks moves no boundary.
func weeksBetween(a, b time.Time) float64 { return b.Sub(a).Hours() / (24 * 7) }

// loosened are the filters that have been dropped because nothing passed (DESIGN 11).
type loosened struct {
	ramp, audience, family, light bool
}

// Pick chooses the next prompt. It is pure: the same library (in any order) and situation give the same choice. False:
// nothing may be asked.
func Pick(l Library, s Situation) (Choice, bool) {
	steps := []struct {
		name string
		set  func(*loosened)
	}{
		{"", func(*loosened) {}},
		{"ramp", func(x *loosened) { x.ramp = true }},
		{"audience", func(x *loosened) { x.audience = true }},
		{"family", func(x *loosened) { x.family = true }},
		{"light", func(x *loosened) { x.light = true }},
	}
	var x loosened
	var relaxed []string
	for _, step := range steps {
		step.set(&x)
		if step.name != "" {
			relaxed = append(relaxed, step.name)
		}
		var best Prompt
		bestScore, found := math.Inf(-1), false
		for _, p := range l.Prompts {
			if !s.allows(p, x) {
				continue
			}
			score := s.score(l, p)
			if !found || score > bestScore || score == bestScore && s.tie(p.ID) < s.tie(best.ID) {
				best, bestScore, found = p, score, true
			}
		}
		if found {
			return Choice{Prompt: best, Reasons: s.reasons(l, best, relaxed), Relaxed: relaxed}, true
		}
	}
	return Choice{}, false
}

// tie orders equals by the situation's seed, never by their place in the file.
func (s Situation) tie(id ID) uint64 {
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(nil, s.Seed))
	h.Write([]byte(id))
	return h.Sum64()
}

// ceiling is the intensity ramp of PRACTICE 4.
func (s Situation) ceiling() int {
	most := s.MaxIntensity
	if most == 0 {
		most = 3
	}
	switch {
	case s.Rested || s.Round <= 2:
		return 1
	case s.Round <= 5:
		return min(2, most)
	}
	return most
}

// allows applies the hard filters H1 to H7 of PRACTICE 12.
func (s Situation) allows(p Prompt, x loosened) bool {
	if p.Status != Active { // H1
		return false
	}
	for _, lang := range Langs() {
		if _, ok := p.Words[lang]; !ok {
			return false
		}
	}
	audience := s.Audience
	_, fits := p.fits(audience) // H2
	if !fits && (!x.audience || slices.ContainsFunc(p.NotFor, func(a AudienceID) bool { return slices.Contains(audience, a) })) {
		return false
	}
	lastThree := 0
	for _, a := range slices.Backward(s.History) { // H3 cool-down and family, H4 distance of intensity 3, H7 same tension twice
		weeks := weeksBetween(a.At, s.At)
		if a.Prompt == p.ID && (weeks < float64(p.CooldownWeeks)-0.5 || weeks < 0.1 && p.Kind != LookBack) {
			return false
		}
		distance := 8.0
		if x.family {
			distance = 4
		}
		if a.Prompt != p.ID && a.Family == p.Family && p.Kind != LookBack && weeks < distance-0.5 {
			return false
		}
		if lastThree++; lastThree <= 3 && p.Intensity == 3 && a.Intensity == 3 {
			return false
		}
	}
	if p.Kind == Dilemma {
		for _, a := range slices.Backward(s.History) {
			if a.Kind == Dilemma {
				if len(a.Tensions) == 1 && p.Asks(a.Tensions[0]) {
					return false
				}
				break
			}
		}
	}
	most := s.ceiling() // H4
	if x.ramp {
		most = max(most, 2, s.MaxIntensity)
	}
	if p.Intensity > most {
		return false
	}
	if len(p.Season) > 0 && !slices.Contains(p.Season, int(s.At.Month())) { // H5
		return false
	}
	for _, period := range s.Periods {
		if slices.Contains(p.Avoid, period) {
			return false
		}
		if period == "after-incident" && p.Intensity == 3 {
			return false
		}
	}
	return s.slotTakes(p, x.light)
}

// slotTakes is H6: the type fits the slot; a look-back that is due goes first.
func (s Situation) slotTakes(p Prompt, anyLight bool) bool {
	if s.FirstSeason && s.Round == 1 && !anyLight {
		return p.Onboarding
	}
	if s.LookBackDue && s.Slot != SlotLight {
		return p.Kind == LookBack
	}
	if p.Kind == LookBack {
		return false
	}
	if s.Slot == SlotLight || anyLight {
		if !p.Light() {
			return false
		}
		if anyLight || s.SameTension != "" {
			return s.SameTension == "" || p.Asks(s.SameTension) || anyLight
		}
		return p.Kind == s.nextLight()
	}
	if p.Kind == ValuePrompt {
		return s.quarterWithoutValue()
	}
	return p.Kind == Dilemma
}

// nextLight alternates practice and appreciative; after an onboarding start, which is appreciative, practice is first.
func (s Situation) nextLight() Kind {
	for _, a := range slices.Backward(s.History) {
		switch a.Kind {
		case Practice:
			return Appreciative
		case Appreciative:
			return Practice
		}
	}
	return Appreciative
}

// quarterWithoutValue says whether twelve weeks went by without a value prompt; a new team is first asked for dilemmas.
func (s Situation) quarterWithoutValue() bool {
	if len(s.History) < 6 {
		return false
	}
	for _, a := range s.History {
		if a.Kind == ValuePrompt && weeksBetween(a.At, s.At) < 12 {
			return false
		}
	}
	return true
}

// weight of a tension for an audience (R32): nearer to politics, more political dilemmas.
func weight(t TensionID, audience []AudienceID) float64 {
	if t != "politics-judgement" || len(audience) == 0 {
		return 1
	}
	sum := 0.0
	for _, a := range audience {
		switch a {
		case "permits", "area-team", "social-domain", "district-council", "enforcement":
			sum += 1.5
		case "complaints-legal":
			sum++
		default:
			sum += 0.5
		}
	}
	return sum / float64(len(audience))
}

// need is the target share of a tension minus its share in the last ten dilemmas.
func (s Situation) need(l Library, t TensionID) float64 {
	total := 0.0
	for _, other := range l.Tensions {
		total += weight(other.ID, s.Audience)
	}
	if total == 0 {
		return 0
	}
	asked, n := 0, 0
	for _, a := range slices.Backward(s.History) {
		if a.Kind != Dilemma {
			continue
		}
		if n++; n > 10 {
			break
		}
		if slices.Contains(a.Tensions, t) {
			asked++
		}
	}
	return weight(t, s.Audience)/total - float64(asked)/float64(max(min(n, 10), 1))
}

// score ranks what the filters let through (PRACTICE 12).
func (s Situation) score(l Library, p Prompt) float64 {
	score := 0.0
	if len(p.Tensions) > 0 {
		score += 3 * s.need(l, p.Tensions[0])
	}
	for _, t := range p.Tensions {
		if slices.Contains(s.Recurring, t) {
			if p.Light() {
				score += 2
			}
			if s.shareOfLastTen(t) >= 4 { // what keeps coming back gets at most four of ten
				score -= 5
			}
		}
	}
	if own, _ := p.fits(s.Audience); own {
		score++
	}
	if p.Source == "team" {
		score++
	}
	if !s.asked(p.ID) {
		score++
	}
	if s.Missed[p.ID] >= 2 {
		score -= 2
	}
	if p.Kind == ValuePrompt { // once a quarter, when its time has come
		score += 4
	}
	return score
}

func (s Situation) shareOfLastTen(t TensionID) int {
	n := 0
	for i, a := range slices.Backward(s.History) {
		if len(s.History)-i > 10 {
			break
		}
		if slices.Contains(a.Tensions, t) {
			n++
		}
	}
	return n
}

func (s Situation) asked(id ID) bool {
	return slices.ContainsFunc(s.History, func(a Asked) bool { return a.Prompt == id })
}

// reasons are the facts behind a choice, in the order in which people care.
func (s Situation) reasons(l Library, p Prompt, relaxed []string) []Reason {
	var out []Reason
	own := false
	for _, a := range p.Audience {
		if slices.Contains(s.Audience, a) && !own {
			own = true
			out = append(out, Reason{Key: "audience", Audience: a})
		}
	}
	if !own {
		out = append(out, Reason{Key: "everyone"})
	}
	switch {
	case p.Onboarding && s.Round == 1:
		out = append(out, Reason{Key: "onboarding"})
	case p.Kind == LookBack:
		out = append(out, Reason{Key: "look-back"})
	case p.Kind == ValuePrompt:
		out = append(out, Reason{Key: "value"})
	case p.Light():
		out = append(out, Reason{Key: "light"})
	}
	for _, t := range p.Tensions {
		if slices.Contains(s.Recurring, t) && p.Light() {
			out = append(out, Reason{Key: "recurring", Tension: t})
			continue
		}
		if p.Kind == Dilemma {
			rounds := len(s.History)
			never := true
			for i, a := range slices.Backward(s.History) {
				if slices.Contains(a.Tensions, t) {
					rounds, never = len(s.History)-1-i, false
					break
				}
			}
			if never {
				out = append(out, Reason{Key: "tension-new", Tension: t})
			} else {
				out = append(out, Reason{Key: "tension-rest", Tension: t, Rounds: rounds})
			}
		}
	}
	if p.Source == "team" {
		out = append(out, Reason{Key: "from-team"})
	}
	if s.asked(p.ID) {
		out = append(out, Reason{Key: "asked-before"})
	} else {
		out = append(out, Reason{Key: "never-asked"})
	}
	if len(relaxed) > 0 {
		out = append(out, Reason{Key: "relaxed"})
	}
	return out
}
