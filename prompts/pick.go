package prompts

import "time"

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
	Key      string // "audience", "everyone", "tension-rest", "never-asked", "recurring", "from-team", "light", "onboarding", "look-back", "value", "relaxed"
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
