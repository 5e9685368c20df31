package prompts

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
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
	At           time.Time // the opening moment, in the team's zone: months and weeks are counted there
	MaxIntensity int       // ceiling of the rhythm: weekly 2, others 3; 0 counts as 2
	Rested       bool      // four weeks or more without a round: intensity 1
	FirstSeason  bool      // the first round of a first season takes an onboarding prompt
	Periods      []string  // named periods in force at At: PeriodElections, PeriodIncident
	Recurring    []TensionID
	Missed       map[ID]int // in how many teams "does not touch me" prevailed
	LookBackDue  bool       // an agreement is due to be looked back on
	Seed         uint64     // from team and round number: breaks ties
}

// Reason is one fact that led to a choice, for "why this question?". The fields used depend on Key, which is one of:
// "onboarding", "look-back", "value", "light" (what the round's place in the rhythm asked for); "audience" (Audience),
// "everyone", "any-work" (the team named no kind of work), "other-work" (Audience: written for others, as nothing else
// was left); "tension-new" (Tension), "tension-rest" (Tension, Rounds: how many went by without it), "recurring"
// (Tension); "from-team", "never-asked", "asked-before", "relaxed" (there was little left to choose from).
type Reason struct {
	Key      string
	Audience AudienceID
	Tension  TensionID
	Rounds   int
}

// Choice is the prompt to ask and why. Relaxed names the filters that Prompt does not pass and that were dropped because
// nothing did, in the order of dropping: RelaxRamp, RelaxAudience, RelaxFamily, RelaxLight. All others hold.
type Choice struct {
	Prompt  Prompt
	Reasons []Reason
	Relaxed []string
}

// The filters that may be dropped (DESIGN 11, PRACTICE 12).
const (
	RelaxRamp     = "ramp"     // the easing in over the first rounds and after a rest; the rhythm's ceiling stays
	RelaxAudience = "audience" // the own kind of work; not_for stays
	RelaxFamily   = "family"   // eight weeks between two of a family become four
	RelaxLight    = "light"    // a light prompt where the slot asks for a dilemma
)

// What the selection knows about the subject matter by name (PRACTICE 12, R32).
const (
	politics  TensionID = "politics-judgement" // rests before elections; its weight depends on the audience
	angryTalk string    = "angry-citizen"      // the theme that rests after an incident
)

// politicsWeight is how near an audience works to politics; the others have 1.
var politicsWeight = map[AudienceID]float64{
	"permits": 1.5, "area-team": 1.5, "social-domain": 1.5, "district-council": 1.5, "enforcement": 1.5,
	"prison-officers": 0.5, "bridge-keepers": 0.5, "outdoor-crew": 0.5, "land-surveyors": 0.5,
}

// Light says whether a prompt is one of the light ones.
func (p Prompt) Light() bool { return p.Kind == Appreciative || p.Kind == Practice }

// ready says whether the prompt may be posted: active, with all its words in both languages (H1).
func (p Prompt) ready() bool {
	return p.Status == Active && p.complete(Dutch) && p.complete(English)
}

// fits says whether the prompt was written for one of the team's kinds of work, and whether the team may get it.
func (p Prompt) fits(team []AudienceID) (own, may bool) {
	if p.barred(team) {
		return false, false
	}
	own = slices.ContainsFunc(p.Audience, func(a AudienceID) bool { return slices.Contains(team, a) })
	return own, own || len(team) == 0 || slices.Contains(p.Audience, Everyone)
}

// For says whether a team of one kind of work may get the prompt.
func (p Prompt) For(a AudienceID) bool {
	_, may := p.fits([]AudienceID{a})
	return may
}

func (p Prompt) barred(team []AudienceID) bool {
	return slices.ContainsFunc(p.NotFor, func(a AudienceID) bool { return slices.Contains(team, a) })
}

// ladder is the order in which filters are dropped, one rung at a time, until something passes.
var ladder = []string{RelaxRamp, RelaxAudience, RelaxFamily}

// Pick chooses the next prompt (PRACTICE 12). It is pure: the same library, in any order, and the same situation give
// the same choice. False: nothing may be asked now.
func Pick(l Library, s Situation) (Choice, bool) {
	shelf := s.candidates(l)
	for _, wish := range s.wishes() {
		if c, ok := best(shelf, wish, nil); ok {
			return s.choice(c, false), true
		}
	}
	for n := range len(ladder) + 1 {
		for _, sort := range s.fitting() {
			if c, ok := best(shelf, sort, ladder[:n]); ok {
				return s.choice(c, false), true
			}
		}
	}
	if s.Slot == SlotLight {
		return Choice{}, false
	}
	for n := range len(ladder) + 1 {
		for _, sort := range s.light() {
			if c, ok := best(shelf, sort, ladder[:n]); ok {
				return s.choice(c, true), true
			}
		}
	}
	return Choice{}, false
}

// candidate is a prompt that passes every filter but those in breaks, all of which may be dropped.
type candidate struct {
	*Prompt
	breaks []string // in the order of the ladder
	score  float64
	tie    uint64
}

// candidates are the prompts that may be asked at all.
func (s Situation) candidates(l Library) []candidate {
	needs := map[TensionID]float64{}
	for _, t := range l.Tensions {
		needs[t.ID] = s.need(l, t.ID)
	}
	var out []candidate
	for i := range l.Prompts {
		p := &l.Prompts[i]
		if breaks, ok := s.allows(p); ok {
			out = append(out, candidate{p, breaks, s.score(p, needs), s.tie(p.ID)})
		}
	}
	return out
}

// best is the highest-scoring candidate of the wanted sort that breaks nothing but what was dropped. Equals are ordered
// by the seed, never by their place in the file.
func best(shelf []candidate, sort wanted, dropped []string) (*candidate, bool) {
	var top *candidate
	for i := range shelf {
		c := &shelf[i]
		if !sort(c.Prompt) || slices.ContainsFunc(c.breaks, func(b string) bool { return !slices.Contains(dropped, b) }) {
			continue
		}
		if top == nil || cmp.Or(cmp.Compare(top.score, c.score), cmp.Compare(c.tie, top.tie), cmp.Compare(c.ID, top.ID)) < 0 {
			top = c
		}
	}
	return top, top != nil
}

func (s Situation) choice(c *candidate, light bool) Choice {
	relaxed := c.breaks
	if light {
		relaxed = append(slices.Clone(relaxed), RelaxLight)
	}
	return Choice{Prompt: *c.Prompt, Reasons: s.reasons(c.Prompt, relaxed), Relaxed: relaxed}
}

// wanted says whether a prompt is of the sort that is looked for.
type wanted func(*Prompt) bool

// wishes are what goes before the slot's own sort, in this order, where it passes every filter: the opening of a first
// season, a look-back that is due, the quarter's value prompt.
func (s Situation) wishes() []wanted {
	var out []wanted
	if s.FirstSeason && s.Round == 1 {
		out = append(out, func(p *Prompt) bool { return p.Onboarding })
	}
	if s.Slot == SlotLight {
		return out
	}
	if s.LookBackDue {
		out = append(out, func(p *Prompt) bool { return p.Kind == LookBack })
	}
	if s.valueDue() {
		out = append(out, func(p *Prompt) bool { return p.Kind == ValuePrompt })
	}
	return out
}

// fitting is H6: the sorts that fit the slot, the best first.
func (s Situation) fitting() []wanted {
	if s.Slot == SlotLight {
		return s.light()
	}
	return []wanted{func(p *Prompt) bool { return p.Kind == Dilemma }}
}

// light are the light sorts, the best first. In the beat that follows a dilemma its tension matters most; otherwise
// practice and appreciative alternate, and a team sees the same sort twice rather than something that does not suit it.
func (s Situation) light() []wanted {
	next := s.nextLight()
	turn := func(p *Prompt) bool { return p.Kind == next }
	out := []wanted{turn, (*Prompt).Light}
	if s.SameTension != "" {
		same := func(p *Prompt) bool { return p.Light() && p.Asks(s.SameTension) }
		out = append([]wanted{func(p *Prompt) bool { return turn(p) && same(p) }, same}, out...)
	}
	return out
}

// nextLight alternates practice and appreciative. An onboarding start is appreciative, so practice is first after it.
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

// valueDue says whether the quarter's value prompt is due: thirteen weeks after the last one, and the first one half a
// quarter after the team began.
func (s Situation) valueDue() bool {
	if len(s.History) == 0 {
		return false
	}
	for _, a := range slices.Backward(s.History) {
		if a.Kind == ValuePrompt {
			return s.since(a, 13)
		}
	}
	return s.since(s.History[0], 6)
}

// since says whether at least so many weeks went by on the team's calendar, whatever the clocks did.
func (s Situation) since(a Asked, weeks int) bool {
	return !s.At.Before(a.At.In(s.At.Location()).AddDate(0, 0, 7*weeks))
}

func (s Situation) tie(id ID) uint64 {
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64([]byte(id), s.Seed))
	return mix(h.Sum64())
}

// mix spreads a hash over all bits (the finaliser of SplitMix64): FNV alone keeps near seeds near.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// allows applies the hard filters H1 to H5 and H7, and the cap on what keeps coming back. It returns the broken ones
// that may be dropped; false: one is broken that may not.
func (s Situation) allows(p *Prompt) (breaks []string, ok bool) {
	if s.At.Format(time.DateOnly) < p.NotBefore || p.barred(s.Audience) || p.Intensity > s.ceiling() || !s.inSeason(p) || s.repeats(p) || !s.rested(p, 4) || !p.ready() {
		return nil, false
	}
	if p.Intensity > s.ramp() {
		breaks = append(breaks, RelaxRamp)
	}
	if _, may := p.fits(s.Audience); !may {
		breaks = append(breaks, RelaxAudience)
	}
	if !s.rested(p, 8) {
		breaks = append(breaks, RelaxFamily)
	}
	return breaks, true
}

// rested is H3, and the distance of H4: the prompt's cool-down, so many weeks between two of a family, three rounds
// between two of intensity 3. Look-backs keep their own rhythm. The light prompt that follows a dilemma in its tension
// may be of the dilemma's family: that is what the family is for.
func (s Situation) rested(p *Prompt, apart int) bool {
	for i, a := range s.History {
		follows := i == len(s.History)-1 && s.SameTension != "" && p.Light()
		switch {
		case a.Prompt == p.ID && !s.since(a, p.CooldownWeeks):
			return false
		case a.Family == p.Family && p.Kind != LookBack && !follows && !s.since(a, apart):
			return false
		case p.Intensity >= 3 && a.Intensity >= 3 && i >= len(s.History)-3:
			return false
		}
	}
	return true
}

// ceiling is the heaviest that the rhythm allows.
func (s Situation) ceiling() int {
	if s.MaxIntensity == 0 {
		return 2
	}
	return s.MaxIntensity
}

// ramp is the easing in of PRACTICE 4, under the ceiling.
func (s Situation) ramp() int {
	switch {
	case s.Rested, s.Round <= 2:
		return 1
	case s.Round <= 5:
		return 2
	}
	return 3
}

// inSeason is H5: the months, and the named periods. What rests in a period by its nature does so without being told.
func (s Situation) inSeason(p *Prompt) bool {
	if len(p.Season) > 0 && !slices.Contains(p.Season, int(s.At.Month())) {
		return false
	}
	for _, period := range s.Periods {
		if slices.Contains(p.Avoid, period) ||
			period == PeriodElections && p.Asks(politics) ||
			period == PeriodIncident && (p.Intensity >= 3 || slices.Contains(p.Themes, angryTalk)) {
			return false
		}
	}
	return true
}

// repeats is H7, the same tension in two dilemmas running, and the cap of four in ten for a tension that recurs.
func (s Situation) repeats(p *Prompt) bool {
	if p.Kind == Dilemma {
		for _, a := range slices.Backward(s.History) {
			if a.Kind == Dilemma {
				if slices.ContainsFunc(a.Tensions, p.Asks) {
					return true
				}
				break
			}
		}
	}
	lastNine := s.History[max(0, len(s.History)-9):]
	for _, t := range p.Tensions {
		if slices.Contains(s.Recurring, t) && asking(lastNine, t) >= 4 {
			return true
		}
	}
	return false
}

func asking(history []Asked, t TensionID) int {
	n := 0
	for _, a := range history {
		if slices.Contains(a.Tensions, t) {
			n++
		}
	}
	return n
}

// score ranks what the filters let through. A team that named no kind of work is best served by what was written for
// every team.
func (s Situation) score(p *Prompt, needs map[TensionID]float64) float64 {
	score := 0.0
	for i, t := range p.Tensions {
		if need := 3 * needs[t]; i == 0 || need > score {
			score = need
		}
	}
	// What keeps coming back is answered with "when does it work?".
	if p.Light() && slices.ContainsFunc(s.Recurring, p.Asks) {
		score += 2
	}
	own, _ := p.fits(s.Audience)
	if own || len(s.Audience) == 0 && slices.Contains(p.Audience, Everyone) {
		score++
	}
	if p.Source == SourceTeam {
		score++
	}
	if !s.asked(p.ID) {
		score++
	}
	if s.Missed[p.ID] >= 2 {
		score -= 2
	}
	return score
}

// need is a tension's target share minus its share in the last ten dilemmas.
func (s Situation) need(l Library, t TensionID) float64 {
	total := 0.0
	for _, other := range l.Tensions {
		total += s.weight(other.ID)
	}
	var dilemmas []Asked
	for _, a := range slices.Backward(s.History) {
		if a.Kind == Dilemma && len(dilemmas) < 10 {
			dilemmas = append(dilemmas, a)
		}
	}
	if total == 0 {
		return 0
	}
	share := float64(asking(dilemmas, t)) / float64(max(len(dilemmas), 1))
	return s.weight(t)/total - share
}

// weight of a tension for the team, the mean over its kinds of work.
func (s Situation) weight(t TensionID) float64 {
	if t != politics || len(s.Audience) == 0 {
		return 1
	}
	sum := 0.0
	for _, a := range s.Audience {
		if w, ok := politicsWeight[a]; ok {
			sum += w
		} else {
			sum++
		}
	}
	return sum / float64(len(s.Audience))
}

func (s Situation) asked(id ID) bool {
	return slices.ContainsFunc(s.History, func(a Asked) bool { return a.Prompt == id })
}

// reasons are the facts behind a choice, in the order in which people care.
func (s Situation) reasons(p *Prompt, relaxed []string) []Reason {
	var out []Reason
	add := func(r Reason) { out = append(out, r) }
	switch {
	case p.Onboarding && s.FirstSeason && s.Round == 1:
		add(Reason{Key: "onboarding"})
	case p.Kind == LookBack:
		add(Reason{Key: "look-back"})
	case p.Kind == ValuePrompt:
		add(Reason{Key: "value"})
	case p.Light() && s.Slot == SlotLight:
		add(Reason{Key: "light"})
	}
	add(s.workReason(p))
	for _, t := range p.Tensions {
		if p.Light() && slices.Contains(s.Recurring, t) {
			add(Reason{Key: "recurring", Tension: t})
			continue
		}
		ago := 0
		for ago < len(s.History) && !slices.Contains(s.History[len(s.History)-1-ago].Tensions, t) {
			ago++
		}
		switch {
		case ago == len(s.History) && p.Kind == Dilemma:
			add(Reason{Key: "tension-new", Tension: t})
		case ago > 0 && ago < len(s.History):
			add(Reason{Key: "tension-rest", Tension: t, Rounds: ago})
		}
	}
	if p.Source == SourceTeam {
		add(Reason{Key: "from-team"})
	}
	switch {
	case !s.asked(p.ID):
		add(Reason{Key: "never-asked"})
	case p.Kind != LookBack:
		add(Reason{Key: "asked-before"})
	}
	if slices.ContainsFunc(relaxed, func(r string) bool { return r != RelaxAudience }) {
		add(Reason{Key: "relaxed"})
	}
	return out
}

func (s Situation) workReason(p *Prompt) Reason {
	for _, a := range p.Audience {
		if slices.Contains(s.Audience, a) {
			return Reason{Key: "audience", Audience: a}
		}
	}
	switch {
	case slices.Contains(p.Audience, Everyone):
		return Reason{Key: "everyone"}
	case len(s.Audience) == 0:
		return Reason{Key: "any-work"}
	}
	return Reason{Key: "other-work", Audience: p.Audience[0]}
}
