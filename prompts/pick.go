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

// Choice is the prompt to ask and why. Relaxed names the filters that were dropped because nothing passed them, in the
// order of dropping: RelaxRamp, RelaxAudience, RelaxFamily, RelaxLight. Filters that it does not name hold.
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
	angryTalk           = "angry-citizen"      // the theme that rests after an incident
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

func (p Prompt) barred(team []AudienceID) bool {
	return slices.ContainsFunc(p.NotFor, func(a AudienceID) bool { return slices.Contains(team, a) })
}

// ladder is the order in which filters are dropped, one rung at a time, until something passes.
var ladder = []string{RelaxRamp, RelaxAudience, RelaxFamily}

// Pick chooses the next prompt (PRACTICE 12). It is pure: the same library, in any order, and the same situation give
// the same choice. False: nothing may be asked now.
func Pick(l Library, s Situation) (Choice, bool) {
	for _, wish := range s.wishes() {
		if c, ok := s.best(l, wish, nil); ok {
			return c, true
		}
	}
	takes := s.fitting()
	for n := range len(ladder) + 1 {
		for _, kinds := range takes {
			if c, ok := s.best(l, kinds, ladder[:n]); ok {
				return c, true
			}
		}
	}
	if s.Slot == SlotLight {
		return Choice{}, false
	}
	for n := range len(ladder) + 1 {
		for _, kinds := range s.light() {
			if c, ok := s.best(l, kinds, append(slices.Clone(ladder[:n]), RelaxLight)); ok {
				return c, true
			}
		}
	}
	return Choice{}, false
}

// wanted says whether a prompt is of the sort that is looked for.
type wanted func(Prompt) bool

// wishes are what goes before the slot's own sort, in this order, where it passes every filter: the opening of a first
// season, a look-back that is due, the quarter's value prompt.
func (s Situation) wishes() []wanted {
	var out []wanted
	if s.FirstSeason && s.Round == 1 {
		out = append(out, func(p Prompt) bool { return p.Onboarding })
	}
	if s.Slot == SlotLight {
		return out
	}
	if s.LookBackDue {
		out = append(out, func(p Prompt) bool { return p.Kind == LookBack })
	}
	if s.valueDue() {
		out = append(out, func(p Prompt) bool { return p.Kind == ValuePrompt })
	}
	return out
}

// fitting is H6: the sorts that fit the slot, the best first.
func (s Situation) fitting() []wanted {
	if s.Slot == SlotLight {
		return s.light()
	}
	return []wanted{func(p Prompt) bool { return p.Kind == Dilemma }}
}

// light are the light sorts, the best first. In the beat that follows a dilemma its tension matters most; otherwise
// practice and appreciative alternate, and a team sees the same sort twice rather than something that does not suit it.
func (s Situation) light() []wanted {
	next := s.nextLight()
	turn := func(p Prompt) bool { return p.Kind == next }
	out := []wanted{turn, Prompt.Light}
	if s.SameTension != "" {
		same := func(p Prompt) bool { return p.Light() && p.Asks(s.SameTension) }
		out = append([]wanted{func(p Prompt) bool { return turn(p) && same(p) }, same}, out...)
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

// best is the highest-scoring prompt of the wanted sort that passes the filters without those in relaxed. Equals are
// ordered by the seed, never by their place in the file.
func (s Situation) best(l Library, sort wanted, relaxed []string) (Choice, bool) {
	var best Prompt
	var score float64
	found := false
	for _, p := range l.Prompts {
		if !sort(p) || !s.allows(p, relaxed) {
			continue
		}
		mine := s.score(l, p)
		if !found || cmp.Or(cmp.Compare(mine, score), cmp.Compare(s.tie(best.ID), s.tie(p.ID)), cmp.Compare(best.ID, p.ID)) > 0 {
			best, score, found = p, mine, true
		}
	}
	if !found {
		return Choice{}, false
	}
	relaxed = slices.Clone(relaxed)
	return Choice{Prompt: best, Reasons: s.reasons(best, relaxed), Relaxed: relaxed}, true
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

// allows applies the hard filters H1 to H5 and H7, and the cap on what keeps coming back.
func (s Situation) allows(p Prompt, relaxed []string) bool {
	if !p.ready() || p.barred(s.Audience) {
		return false
	}
	if _, may := p.fits(s.Audience); !may && !slices.Contains(relaxed, RelaxAudience) {
		return false
	}
	return s.restedEnough(p, relaxed) && p.Intensity <= s.ceiling(relaxed) && s.inSeason(p) && !s.repeats(p)
}

// restedEnough is H3, and the distance of H4: the prompt's cool-down, eight weeks between two of a family, three rounds
// between two of intensity 3. Look-backs keep their own rhythm. The light prompt that follows a dilemma in its tension
// may be of the dilemma's family: that is what the family is for.
func (s Situation) restedEnough(p Prompt, relaxed []string) bool {
	distance := 8
	if slices.Contains(relaxed, RelaxFamily) {
		distance = 4
	}
	for i, a := range s.History {
		last := i == len(s.History)-1
		follows := last && s.SameTension != "" && p.Light()
		switch {
		case a.Prompt == p.ID && !s.since(a, p.CooldownWeeks):
			return false
		case a.Family == p.Family && p.Kind != LookBack && !follows && !s.since(a, distance):
			return false
		case p.Intensity >= 3 && a.Intensity >= 3 && i >= len(s.History)-3:
			return false
		}
	}
	return true
}

// ceiling is H4: the rhythm's ceiling, and under it the ramp of PRACTICE 4.
func (s Situation) ceiling(relaxed []string) int {
	most := s.MaxIntensity
	if most == 0 {
		most = 2
	}
	switch {
	case slices.Contains(relaxed, RelaxRamp):
		return most
	case s.Rested, s.Round <= 2:
		return min(most, 1)
	case s.Round <= 5:
		return min(most, 2)
	}
	return most
}

// inSeason is H5: the months, and the named periods. What rests in a period by its nature does so without being told.
func (s Situation) inSeason(p Prompt) bool {
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
func (s Situation) repeats(p Prompt) bool {
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

// score ranks what the filters let through.
func (s Situation) score(l Library, p Prompt) float64 {
	score := 0.0
	if len(p.Tensions) > 0 {
		needs := make([]float64, len(p.Tensions))
		for i, t := range p.Tensions {
			needs[i] = s.need(l, t)
		}
		score += 3 * slices.Max(needs)
	}
	// What keeps coming back is answered with "when does it work?".
	if p.Light() && slices.ContainsFunc(s.Recurring, p.Asks) {
		score += 2
	}
	if own, _ := p.fits(s.Audience); own {
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
func (s Situation) reasons(p Prompt, relaxed []string) []Reason {
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

func (s Situation) workReason(p Prompt) Reason {
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
